public import Signals

/// Where events go. Called on one thread, which may block.
public protocol EventSink: Sendable {
  /// The name in the configuration.
  var name: String { get }
  /// Writes all of them or throws; what was thrown for counts as lost.
  func write(_ batch: EventBatch) throws
}
