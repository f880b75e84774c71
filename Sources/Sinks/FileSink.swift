import Glibc
import LinuxSystem
public import Signals

/// Appends events as JSON, one a line, to a file.
public final class FileSink: EventSink {
  public let name = "file"
  private let path: String
  private let descriptor: Descriptor

  /// Creates the file when it is absent; its folder must exist.
  public init(path: String) throws {
    self.path = path
    descriptor = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_APPEND)
  }

  public func write(_ batch: EventBatch) throws {
    try Files.append(batch.lines, to: descriptor.rawValue, path)
  }
}

/// Writes events as JSON, one a line, to standard error.
public struct ErrorSink: EventSink {
  public let name = "stderr"

  public init() {}

  public func write(_ batch: EventBatch) throws {
    try Files.write(batch.lines, to: STDERR_FILENO, name)
  }
}

/// Writes events for a person or a program that reads standard output: as readable lines, or as JSON.
public struct EventPrinter: Sendable {
  public enum Form: Sendable {
    case json
    /// `stack`: with the kernel stack under each line. `explain`: with the sentence on what it means.
    case text(stack: Bool, explain: Bool)
  }

  private let form: Form

  public init(_ form: Form) { self.form = form }

  public func write(_ events: [Event]) throws {
    var out: [UInt8] = []
    switch form {
    case .json:
      var batch = EventBatch()
      for event in events { batch.append(event, probe: 0) }
      out = batch.lines
    case .text(let stack, let explain):
      for event in events {
        out.append(contentsOf: "\(LocalTime.timeOfDay(event.timestamp))  \(EventText.line(event))\n".utf8)
        if explain, !event.explanation.isEmpty { out.append(contentsOf: "    \(event.explanation)\n".utf8) }
        if stack {
          for frame in event.stack.split(separator: "\n") { out.append(contentsOf: "      \(frame)\n".utf8) }
        }
      }
    }
    try Files.write(out, to: STDOUT_FILENO, "standard output")
  }
}
