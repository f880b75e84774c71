/// What a metric is: its name, meaning and kind. Everything that names a metric (exposition, docs, `probes`) reads
/// this one value.
public struct MetricDescription: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// Only grows while the series lives.
    case counter
    case gauge
  }

  /// The whole name, e.g. `kubeskoop_packetloss_total`.
  public var name: String
  /// One sentence, with the unit.
  public var help: String
  public var kind: Kind
  /// The names of the labels, in order.
  public var labels: [String]

  public init(_ name: String, _ kind: Kind, labels: [String], help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
  }
}

/// One series' value. `values` are in the order of the description's `labels`.
public struct Sample: Sendable, Hashable {
  public var values: [String]
  public var value: Double

  public init(_ values: [String], _ value: Double) {
    self.values = values
    self.value = value
  }
}

/// A metric with its samples.
public struct MetricFamily: Sendable {
  public var description: MetricDescription
  public var samples: [Sample]

  public init(_ description: MetricDescription, _ samples: [Sample]) {
    self.description = description
    self.samples = samples
  }

  /// The samples with equal labels made one by adding their values, in order of first appearance: kernel maps
  /// know more than the labels show (two namespaces may carry the same address).
  public func merged() -> MetricFamily {
    var index: [[String]: Int] = [:]
    var result: [Sample] = []
    for sample in samples {
      if let place = index[sample.values] {
        result[place].value += sample.value
      } else {
        index[sample.values] = result.count
        result.append(sample)
      }
    }
    return MetricFamily(description, result)
  }
}
