import NetTypes

/// The two text forms in which Prometheus reads metrics.
public enum ExpositionFormat: Sendable {
  /// Prometheus text format 0.0.4.
  case prometheus
  /// OpenMetrics 1.0.0. A counter whose name lacks the suffix `_total` is not one there: the contract's names stay
  /// and its type is `unknown` (OpenMetrics 1.0.0, "Counter").
  case openMetrics

  /// What a request's `Accept` header asks for (RFC 9110 §12.5.1): OpenMetrics where it is named and not liked less than plain
  /// text; plain text for everybody else.
  public init(accepting header: String) {
    var openMetrics = 0.0
    // The most specific range that covers text/plain counts.
    var plain: (specificity: Int, quality: Double) = (-1, 0)
    for range in header.split(separator: ",") {
      let parts = range.split(separator: ";").map { part in
        part.drop { $0 == " " }.lowercased().prefix { $0 != " " }
      }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      switch parts.first {
      case "application/openmetrics-text": openMetrics = max(openMetrics, quality)
      case .some(let type):
        let specificity = ["*/*", "text/*", "text/plain"].firstIndex { $0 == type } ?? -1
        if specificity >= plain.specificity, specificity >= 0 {
          plain = (specificity, specificity > plain.specificity ? quality : max(plain.quality, quality))
        }
      case nil: break
      }
    }
    self = openMetrics > 0 && openMetrics >= plain.quality ? .openMetrics : .prometheus
  }

  public var contentType: String {
    switch self {
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }
}

/// Writes metric families as exposition text.
public struct ExpositionEncoder: Sendable {
  public let format: ExpositionFormat

  public init(_ format: ExpositionFormat) { self.format = format }

  /// The whole answer to a scrape. Families without samples still announce their help and type.
  public func encode(_ families: [MetricFamily]) -> [UInt8] {
    var out: [UInt8] = []
    for family in families { append(family, to: &out) }
    if format == .openMetrics { out.append(contentsOf: "# EOF\n".utf8) }
    return out
  }

  func append(_ family: MetricFamily, to out: inout [UInt8]) {
    let description = family.description
    var familyName = description.name[...]
    var type = "gauge"
    if description.kind == .counter {
      type = "counter"
      if format == .openMetrics {
        if familyName.hasSuffix("_total") { familyName = familyName.dropLast("_total".count) } else { type = "unknown" }
      }
    }
    out.append(contentsOf: "# HELP \(familyName) ".utf8)
    Self.appendEscaped(description.help, quotes: format == .openMetrics, to: &out)
    out.append(contentsOf: "\n# TYPE \(familyName) \(type)\n".utf8)
    for sample in family.samples {
      precondition(sample.values.count == description.labels.count, "\(description.name): labels and values differ")
      out.append(contentsOf: description.name.utf8)
      if !description.labels.isEmpty {
        var separator = UInt8(ascii: "{")
        for (name, value) in zip(description.labels, sample.values) {
          out.append(separator)
          separator = UInt8(ascii: ",")
          out.append(contentsOf: name.utf8)
          out.append(contentsOf: "=\"".utf8)
          Self.appendEscaped(value, quotes: true, to: &out)
          out.append(UInt8(ascii: "\""))
        }
        out.append(UInt8(ascii: "}"))
      }
      out.append(UInt8(ascii: " "))
      Self.append(sample.value, to: &out)
      out.append(UInt8(ascii: "\n"))
    }
  }

  /// Backslash and line feed are escaped everywhere, the quote where the format says so.
  static func appendEscaped(_ text: String, quotes: Bool, to out: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
      case UInt8(ascii: "\n"): out.append(contentsOf: #"\n"#.utf8)
      case UInt8(ascii: "\"") where quotes: out.append(contentsOf: #"\""#.utf8)
      default: out.append(byte)
      }
    }
  }

  /// Whole numbers without a fraction; not-a-number and infinities as the formats spell them.
  static func append(_ value: Double, to out: inout [UInt8]) {
    if value == value.rounded(), value.magnitude < 9_007_199_254_740_992 {
      if value < 0 { out.append(UInt8(ascii: "-")) }
      out.appendDecimal(UInt64(value.magnitude))
    } else if value.isNaN {
      out.append(contentsOf: "NaN".utf8)
    } else if value.isInfinite {
      out.append(contentsOf: value < 0 ? "-Inf".utf8 : "+Inf".utf8)
    } else {
      out.append(contentsOf: value.description.utf8)
    }
  }
}
