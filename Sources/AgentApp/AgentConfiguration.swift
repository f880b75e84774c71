public import ProbeKit

/// The agent's configuration (reference: docs/reference/configuration.md).
public struct AgentConfiguration: Hashable, Sendable {
  /// Where the HTTP server listens.
  public enum Address: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unix(path: String)

    public static let standard = Address.tcp(host: "0.0.0.0", port: 9102)

    public var description: String {
      switch self {
      case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .unix(let path): "unix://\(path)"
      }
    }
  }

  /// A probe that is asked for, with both its sides made one.
  public struct ProbeRequest: Hashable, Sendable {
    public var id: String
    public var settings: ProbeSettings

    public init(id: String, settings: ProbeSettings) {
      self.id = id
      self.settings = settings
    }
  }

  public enum SinkRequest: Hashable, Sendable {
    case stderr
    case file(path: String)
  }

  public var debugMode = false
  public var address = Address.standard
  /// Whether the kernel counts the programs' run time.
  public var bpfStatistics = true
  public var probes: [ProbeRequest] = []
  public var sinks: [SinkRequest] = []
  /// What the file asks for and this version does not have yet, for the log.
  public var notes: [String] = []

  public init() {}
}

/// What is wrong with a configuration, and where.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// From 1; 0 when the whole file is meant.
  public let line: Int
  public let message: String

  public init(file: String, line: Int, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  public var description: String { line == 0 ? "\(file): \(message)" : "\(file):\(line): \(message)" }
}
