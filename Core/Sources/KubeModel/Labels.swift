/// The labels of an object, sorted by key.
public struct Labels: Hashable, Sendable {
  public struct Pair: Hashable, Sendable {
    public let key: String
    public let value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  public private(set) var pairs: [Pair]

  public init() { pairs = [] }

  public init(_ values: [String: String]) {
    pairs = values.map { Pair(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
  }

  /// The value of `key`, nil when it is absent. Objects have a handful of labels: a scan is the fastest search.
  @inlinable
  public subscript(key: String) -> String? {
    for pair in pairs where pair.key == key { return pair.value }
    return nil
  }

  public mutating func set(_ key: String, _ value: String) {
    pairs.removeAll { $0.key == key }
    let index = pairs.firstIndex { key < $0.key } ?? pairs.endIndex
    pairs.insert(Pair(key: key, value: value), at: index)
  }
}

extension Labels: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(Dictionary(elements) { $1 })
  }
}

/// A label selector (`meta/v1.LabelSelector`, Kubernetes 1.34): all requirements must hold, so without any it
/// selects everything. `matchLabels` is kept as `In` requirements with one value, as the API defines it.
public struct LabelSelector: Hashable, Sendable {
  public enum Operator: String, Hashable, Sendable, CaseIterable {
    case isIn = "In"
    case notIn = "NotIn"
    case exists = "Exists"
    case doesNotExist = "DoesNotExist"
  }

  public struct Requirement: Hashable, Sendable {
    public let key: String
    public let op: Operator
    /// Not empty for `In` and `NotIn`, empty for the others.
    public let values: [String]

    public init(key: String, op: Operator, values: [String] = []) {
      self.key = key
      self.op = op
      self.values = values
    }
  }

  public let requirements: [Requirement]

  public init(_ requirements: [Requirement] = []) { self.requirements = requirements }

  public init(matchLabels: [String: String], expressions: [Requirement] = []) {
    requirements =
      matchLabels.sorted { $0.key < $1.key }.map {
        Requirement(key: $0.key, op: .isIn, values: [$0.value])
      }
      + expressions
  }

  public var isEmpty: Bool { requirements.isEmpty }

  public func matches(_ labels: Labels) -> Bool {
    requirements.allSatisfy { $0.matches(labels) }
  }
}

extension LabelSelector.Requirement {
  /// `NotIn` and `DoesNotExist` hold for an object without the key (labels.Requirement.Matches, apimachinery).
  public func matches(_ labels: Labels) -> Bool {
    let value = labels[key]
    switch op {
    case .isIn: return value.map(values.contains) ?? false
    case .notIn: return value.map { !values.contains($0) } ?? true
    case .exists: return value != nil
    case .doesNotExist: return value == nil
    }
  }
}

extension LabelSelector: CustomStringConvertible {
  /// The form that kubectl prints: `app=web,tier notin (db)`; `everything` without requirements.
  public var description: String {
    if requirements.isEmpty { return "everything" }
    return requirements.map { requirement in
      switch requirement.op {
      case .isIn where requirement.values.count == 1: "\(requirement.key)=\(requirement.values[0])"
      case .isIn: "\(requirement.key) in (\(requirement.values.joined(separator: ",")))"
      case .notIn: "\(requirement.key) notin (\(requirement.values.joined(separator: ",")))"
      case .exists: requirement.key
      case .doesNotExist: "!\(requirement.key)"
      }
    }.joined(separator: ",")
  }
}
