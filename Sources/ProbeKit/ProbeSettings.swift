/// A value in a probe's `args`.
public enum SettingValue: Hashable, Sendable, CustomStringConvertible {
  case bool(Bool)
  case integer(Int)
  case text(String)

  public var description: String {
    switch self {
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .text(let value): value
    }
  }
}

/// One key of a probe's `args`.
public struct SettingDescription: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case bool
    case integer(ClosedRange<Int>)
  }

  public var name: String
  public var kind: Kind
  public var defaultValue: SettingValue
  /// One sentence, with the unit.
  public var help: String

  public init(_ name: String, default value: Bool, help: String) {
    (self.name, self.kind, self.defaultValue, self.help) = (name, .bool, .bool(value), help)
  }

  public init(_ name: String, default value: Int, in range: ClosedRange<Int>, help: String) {
    (self.name, self.kind, self.defaultValue, self.help) = (name, .integer(range), .integer(value), help)
  }

  /// Nil when `value` fits, else what would.
  public func complaint(about value: SettingValue) -> String? {
    switch (kind, value) {
    case (.bool, .bool): nil
    case (.bool, _): "must be true or false"
    case (.integer(let range), .integer(let value)) where range.contains(value): nil
    case (.integer(let range), _): "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
  }

  public static let enableStack = SettingDescription(
    "enableStack", default: true, help: "Events carry the kernel stack; without it no process is named.")
  public static let eventsPerSecond = SettingDescription(
    "eventsPerSecond", default: 100, in: 0...1_000_000,
    help: "Events a second that one network namespace may have; what is over is counted as limited. 0: no limit.")

  static let common = [enableStack, eventsPerSecond]
}

/// What a probe was configured to do: which of its sides run, and its `args`.
public struct ProbeSettings: Hashable, Sendable {
  public var metrics: Bool
  public var events: Bool
  public var arguments: [String: SettingValue]

  public init(metrics: Bool = true, events: Bool = true, arguments: [String: SettingValue] = [:]) {
    self.metrics = metrics
    self.events = events
    self.arguments = arguments
  }

  public func bool(_ setting: SettingDescription) -> Bool {
    guard case .bool(let value) = arguments[setting.name] ?? setting.defaultValue else {
      preconditionFailure("\(setting.name) was not checked against its description")
    }
    return value
  }

  public func integer(_ setting: SettingDescription) -> Int {
    guard case .integer(let value) = arguments[setting.name] ?? setting.defaultValue else {
      preconditionFailure("\(setting.name) was not checked against its description")
    }
    return value
  }
}
