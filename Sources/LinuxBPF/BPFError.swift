import LinuxSystem

/// Why something about a kernel program failed.
public struct BPFError: Error, Hashable, Sendable, CustomStringConvertible {
  /// An open set: more codes may come.
  public struct Code: Hashable, Sendable {
    private enum Value: Hashable, Sendable { case notPermitted, absent, rejected, mismatch, system }
    private let value: Value

    /// A capability is missing, or the kernel is locked down.
    public static let notPermitted = Code(value: .notPermitted)
    /// The kernel has no such thing (tracepoint, type, BTF).
    public static let absent = Code(value: .absent)
    /// The verifier refused the program; the message ends with its log.
    public static let rejected = Code(value: .rejected)
    /// The compiled program and this code disagree: a bug of ours.
    public static let mismatch = Code(value: .mismatch)
    public static let system = Code(value: .system)
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// From an error number: `activity` says what was being done.
  init(errno: Int32, _ activity: String) {
    switch errno {
    case 1, 13:  // EPERM, EACCES
      self.init(
        .notPermitted,
        "\(activity): \(SystemError.text(of: errno)) (needs root or the capabilities BPF, PERFMON and SYS_ADMIN)")
    case 2, 3: self.init(.absent, "\(activity): \(SystemError.text(of: errno))")
    default: self.init(.system, "\(activity): \(SystemError.text(of: errno))")
    }
  }

  public var description: String { message }
}
