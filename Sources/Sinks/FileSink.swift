import Glibc
import LinuxSystem
public import Signals
import Synchronization

/// Appends events as JSON, one a line, to a file.
public final class FileSink: EventSink {
  public let name = "file"
  private let path: String
  private let descriptor: Descriptor
  private let buffer = Mutex<[UInt8]>([])

  /// Creates the file when it is absent; its folder must exist.
  public init(path: String) throws {
    self.path = path
    descriptor = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_APPEND)
  }

  public func write(_ events: [Event]) throws {
    try buffer.withLock { buffer in
      buffer.removeAll(keepingCapacity: true)
      for event in events { EventJSON.append(event, to: &buffer) }
      try Files.write(buffer, to: descriptor.rawValue, path)
    }
  }
}

/// Writes events to standard error or output: as readable lines, or as JSON.
public final class TerminalSink: EventSink {
  public enum Form: Sendable {
    case json
    /// `stack`: with the kernel stack under each line. `explain`: with the sentence on what it means.
    case text(stack: Bool, explain: Bool)
  }

  public let name: String
  private let descriptor: Int32
  private let form: Form

  public init(name: String, descriptor: Int32, form: Form) {
    self.name = name
    self.descriptor = descriptor
    self.form = form
  }

  public static func stderr(_ form: Form = .json) -> TerminalSink {
    TerminalSink(name: "stderr", descriptor: STDERR_FILENO, form: form)
  }

  public func write(_ events: [Event]) throws {
    var out: [UInt8] = []
    for event in events {
      switch form {
      case .json: EventJSON.append(event, to: &out)
      case .text(let stack, let explain):
        out.append(contentsOf: "\(LocalTime.timeOfDay(event.timestamp))  \(EventText.line(event))\n".utf8)
        if explain, !event.explanation.isEmpty { out.append(contentsOf: "    \(event.explanation)\n".utf8) }
        if stack {
          for frame in event.stack.split(separator: "\n") { out.append(contentsOf: "      \(frame)\n".utf8) }
        }
      }
    }
    try Files.write(out, to: descriptor, name)
  }
}
