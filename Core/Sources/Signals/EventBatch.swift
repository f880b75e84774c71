import NetTypes

/// Events on their way to the sinks, in the contract's JSON form (RFC 8259), one a line. Thousands come in a second and most
/// go into a file: so they are written as bytes the moment they are made, and become values only for whoever asks.
///
/// An event is `begin`, its labels, `end`.
public struct EventBatch: Sendable {
  /// A batch this long, in bytes, is to be sent on.
  public static let fullSize = 60 << 10
  /// What a full batch needs with its last event.
  private static let capacity = 64 << 10

  /// The JSON form of all events, a newline behind each.
  public private(set) var lines: [UInt8] = []
  /// How many events there are of each probe, by the probe's number.
  public private(set) var counts: [UInt64] = []
  private var additions: [Addition] = []
  private var probe = 0

  /// What an event has beyond its JSON form.
  private struct Addition {
    var explanation: String
    /// Nil: the message is the stack.
    var stack: SharedText?
  }

  public init() {}

  public var count: Int { additions.count }
  public var isFull: Bool { lines.count >= Self.fullSize }

  /// Begins an event of the probe with this number. `timestamp`: nanoseconds since 1970.
  public mutating func begin(_ type: EventType, probe: Int, timestamp: Int64) {
    if lines.isEmpty {
      lines.reserveCapacity(Self.capacity)
      additions.reserveCapacity(64)
    }
    self.probe = probe
    lines.append(contentsOf: Self.head)
    if timestamp < 0 { lines.append(UInt8(ascii: "-")) }
    lines.appendDecimal(timestamp.magnitude)
    lines.append(contentsOf: type.json)
  }

  public mutating func append(_ group: LabelGroup) { lines.append(contentsOf: group.json) }

  public mutating func append(_ label: Label) { lines.appendLabel(label) }

  public mutating func append(_ label: NumberLabel, _ value: UInt32) {
    lines.append(contentsOf: label.json)
    lines.appendDecimal(UInt64(value))
    // One by one: for three bytes that is faster than in one piece.
    lines.append(UInt8(ascii: "\""))
    lines.append(UInt8(ascii: "}"))
    lines.append(UInt8(ascii: ","))
  }

  /// Ends an event whose message is its stack.
  public mutating func end(stack: SharedText, explanation: String) {
    end(message: stack.json, Addition(explanation: explanation, stack: nil))
  }

  /// Ends an event whose message is something else.
  public mutating func end(message: String, stack: SharedText, explanation: String) {
    var json: [UInt8] = []
    json.appendJSONString(message)
    end(message: json, Addition(explanation: explanation, stack: stack))
  }

  private mutating func end(message: [UInt8], _ addition: Addition) {
    // Behind the last label is a comma.
    if lines.last == UInt8(ascii: ",") { lines.removeLast() }
    lines.append(contentsOf: Self.messageStart)
    lines.append(contentsOf: message)
    lines.append(UInt8(ascii: "}"))
    lines.append(UInt8(ascii: "\n"))
    additions.append(addition)
    while counts.count <= probe { counts.append(0) }
    counts[probe] += 1
  }

  private static let head = Array(#"{"timestamp":"#.utf8)
  private static let messageStart = Array(#"],"msg":"#.utf8)

  /// Adds an event that is a value already.
  public mutating func append(_ event: Event, probe: Int) {
    begin(EventType(event.type), probe: probe, timestamp: event.timestamp)
    for label in event.labels { append(label) }
    end(message: event.message, stack: SharedText(event.stack), explanation: event.explanation)
  }

  /// The events as values, in order.
  public var events: [Event] {
    zip(lines.split(separator: UInt8(ascii: "\n")), additions).map { line, addition in
      guard var event = EventJSON.event(from: line) else { preconditionFailure("a batch holds what it has written") }
      event.explanation = addition.explanation
      event.stack = addition.stack?.text ?? event.message
      return event
    }
  }
}
