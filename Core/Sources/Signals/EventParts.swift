import NetTypes

// What recurs in events, written as JSON once and copied from then on.

/// Labels that many events share, such as those of an address, and what they mean.
public final class LabelGroup: Sendable {
  /// See `Event.explanation`.
  public let explanation: String
  /// Each label with a comma behind it.
  let json: [UInt8]

  public init(_ labels: [Label], explanation: String = "") {
    self.explanation = explanation
    var json: [UInt8] = []
    for label in labels { json.appendLabel(label) }
    self.json = json
  }
}

/// A text that many events share, such as a stack.
public final class SharedText: Sendable {
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
}

/// A type of event.
public struct EventType: Sendable {
  public let name: String
  let json: [UInt8]

  public init(_ name: String) {
    self.name = name
    var json = Array(#","type":"#.utf8)
    json.appendJSONString(name)
    json += #","labels":["#.utf8
    self.json = json
  }
}

/// A label with a number as its value.
public struct NumberLabel: Sendable {
  let json: [UInt8]

  public init(_ name: String) {
    var json = Array(#"{"name":"#.utf8)
    json.appendJSONString(name)
    json += #","value":""#.utf8
    self.json = json
  }
}

extension [UInt8] {
  /// With a comma behind it.
  mutating func appendLabel(_ label: Label) {
    append(contentsOf: #"{"name":"#.utf8)
    appendJSONString(label.name)
    append(contentsOf: #","value":"#.utf8)
    appendJSONString(label.value)
    append(contentsOf: "},".utf8)
  }
}
