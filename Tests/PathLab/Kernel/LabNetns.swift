import CLinux
import CPathLab
import Glibc
import LinuxSystem
public import NetTypes

/// A private network namespace without a name: it lives as long as somebody holds it open, so nothing of it outlives this
/// process, however it ends.
public final class LabNetns: Sendable {
  private let file: Descriptor
  public let cookie: NetnsCookie

  /// The calling thread is in the new namespace afterwards. It must be a thread of our own.
  public init() throws {
    let result = clinux_unshare_net()
    guard result == 0 else { throw SystemError(errno: -result, doing: "making a network namespace") }
    file = try Descriptor(opening: "/proc/thread-self/ns/net")
    var cookie: UInt64 = 0
    guard clinux_netns_cookie(&cookie) == 0 else { throw LabError("the kernel tells no namespace cookie (5.14)") }
    self.cookie = NetnsCookie(rawValue: cookie)
  }

  /// For ip(8), and for whoever takes a snapshot.
  public var path: String { "/proc/\(getpid())/fd/\(file.rawValue)" }

  /// Switches the calling thread into it.
  public func enter() throws {
    let result = clinux_setns_net(file.rawValue)
    guard result == 0 else { throw SystemError(errno: -result, doing: "entering a network namespace") }
  }
}

/// Something that the laboratory itself could not do.
public struct LabError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Runs iproute2's programs in the calling thread's network namespace.
enum IPRoute {
  /// The lines go through one process. Returns the numbers of the lines that the kernel refused, from 0, with what was said.
  static func batch(_ command: String, _ lines: [String]) throws -> [Int: String] {
    let input = lines.joined(separator: "\n") + "\n"
    var output = [CChar](repeating: 0, count: 1 << 16)
    let words = command.split(separator: " ").map(String.init)
    let program = words[0]
    let arguments = words + ["-force", "-batch", "-"]
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    let status = input.withCString { text in
      pathlab_run(program, &pointers, text, strlen(text), &output, output.count)
    }
    guard status >= 0 else { throw SystemError(errno: -status, doing: "starting \(program)") }
    let said = String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var refused: [Int: String] = [:]
    var complaint = ""
    for line in said.split(separator: "\n") {
      if line.hasPrefix("Command failed -:"), let number = Int(line.dropFirst("Command failed -:".count)) {
        refused[number - 1] = complaint
        complaint = ""
      } else {
        complaint += complaint.isEmpty ? line : "; \(line)"
      }
    }
    return refused
  }
}
