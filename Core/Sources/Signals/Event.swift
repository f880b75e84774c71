/// A name with a value; the order of labels is part of an event's and a series' form.
public struct Label: Hashable, Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// One thing that happened, for people and filters to look at. What is written and sent on is its JSON form (`EventBatch`):
/// `{"timestamp": ns, "type": "…", "labels": [{"name", "value"}, …], "msg": "…"}`.
public struct Event: Sendable, Hashable {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public var timestamp: Int64
  /// The contract's event type, e.g. `PacketLoss`.
  public var type: String
  /// The contract's labels first, then ours.
  public var labels: [Label]
  /// What the contract says about it holds for the whole text.
  public var message: String
  /// What the event means, in a sentence; empty when there is nothing to add. Not part of the JSON form.
  public var explanation: String
  /// The kernel stack, innermost frame first, one `symbol+0xOFFSET` a line. Part of the JSON form only where
  /// `message` holds it too.
  public var stack: String

  public init(
    timestamp: Int64, type: String, labels: [Label], message: String, explanation: String = "", stack: String = ""
  ) {
    self.timestamp = timestamp
    self.type = type
    self.labels = labels
    self.message = message
    self.explanation = explanation
    self.stack = stack
  }

  /// The value of the first label called `name`.
  public func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
}
