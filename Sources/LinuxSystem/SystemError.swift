import Glibc

/// A system call's failure, with what was being done.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  public let errno: Int32
  public let activity: String

  public init(errno: Int32, doing activity: String) {
    self.errno = errno
    self.activity = activity
  }

  public var description: String { "\(activity): \(Self.text(of: errno))" }

  /// The C library's text for an error number.
  public static func text(of errno: Int32) -> String { unsafe String(cString: strerror(errno)) }
}
