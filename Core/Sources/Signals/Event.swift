import NetTypes

/// A name with a value; the order of labels is part of an event's and a series' form.
public struct Label: Hashable, Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// Labels that many events share, such as those of an address: made once, written as JSON once.
public final class LabelGroup: Sendable, Hashable {
  public let labels: [Label]
  /// `{"name":"…","value":"…"}`, separated by commas.
  let json: [UInt8]

  public init(_ labels: [Label]) {
    self.labels = labels
    var json: [UInt8] = []
    for label in labels {
      if !json.isEmpty { json.append(UInt8(ascii: ",")) }
      EventJSON.append(label, to: &json)
    }
    self.json = json
  }

  public static func == (a: LabelGroup, b: LabelGroup) -> Bool { a.labels == b.labels }
  public func hash(into hasher: inout Hasher) { hasher.combine(labels) }
}

/// A text that many events share, such as a stack: written as JSON once.
public final class SharedText: Sendable, Hashable {
  public let text: String
  /// With its quotes.
  let json: [UInt8]

  public init(_ text: String) {
    self.text = text
    var json: [UInt8] = []
    json.appendJSONString(text)
    self.json = json
  }

  public static let empty = SharedText("")

  public static func == (a: SharedText, b: SharedText) -> Bool { a.text == b.text }
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// An event's labels, in order: some its own, some shared with others.
public struct EventLabelList: Sendable {
  enum Part: Sendable {
    case own(Label)
    /// A label with a number as its value, which only becomes text when somebody reads it.
    case number(String, UInt64)
    case group(LabelGroup)
  }

  private(set) var parts: [Part] = []

  public init() { parts.reserveCapacity(16) }

  public init(_ labels: [Label]) { parts = labels.map { .own($0) } }

  public mutating func append(_ label: Label) { parts.append(.own(label)) }
  public mutating func append(_ name: String, number: some UnsignedInteger) {
    parts.append(.number(name, UInt64(number)))
  }
  public mutating func append(_ group: LabelGroup) { parts.append(.group(group)) }

  public var all: [Label] {
    var labels: [Label] = []
    for part in parts {
      switch part {
      case .own(let label): labels.append(label)
      case .number(let name, let value): labels.append(Label(name, String(value)))
      case .group(let group): labels += group.labels
      }
    }
    return labels
  }
}

/// One thing that happened, in the form of the contract:
/// `{"timestamp": ns, "type": "…", "labels": [{"name", "value"}, …], "msg": "…"}`.
public struct Event: Sendable, Hashable {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public var timestamp: Int64
  /// The contract's event type, e.g. `PacketLoss`.
  public var type: String
  let labelList: EventLabelList
  let sharedMessage: SharedText
  /// What the event means, in a sentence; empty when there is nothing to add. Not part of the JSON form.
  public var explanation: String
  /// The kernel stack, innermost frame first, one `symbol+0xOFFSET` a line. Part of the JSON form only where
  /// `message` holds it too.
  public var stack: String

  /// The contract's labels first, then ours.
  public var labels: [Label] { labelList.all }
  /// The message. What the contract says about it holds for the whole text.
  public var message: String { sharedMessage.text }

  public init(
    timestamp: Int64, type: String, labels: [Label], message: String, explanation: String = "", stack: String = ""
  ) {
    self.init(
      timestamp: timestamp, type: type, labels: EventLabelList(labels), message: SharedText(message),
      explanation: explanation, stack: stack)
  }

  /// With parts that events share.
  public init(
    timestamp: Int64, type: String, labels: EventLabelList, message: SharedText, explanation: String = "",
    stack: String = ""
  ) {
    self.timestamp = timestamp
    self.type = type
    self.labelList = labels
    self.sharedMessage = message
    self.explanation = explanation
    self.stack = stack
  }

  /// The value of the first label called `name`.
  public func label(_ name: String) -> String? {
    for part in labelList.parts {
      switch part {
      case .own(let label): if label.name == name { return label.value }
      case .number(let own, let value): if own == name { return String(value) }
      case .group(let group): if let label = group.labels.first(where: { $0.name == name }) { return label.value }
      }
    }
    return nil
  }

  public static func == (a: Event, b: Event) -> Bool {
    a.timestamp == b.timestamp && a.type == b.type && a.labels == b.labels && a.message == b.message
      && a.explanation == b.explanation && a.stack == b.stack
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(timestamp)
    hasher.combine(type)
    hasher.combine(labels)
    hasher.combine(message)
  }
}
