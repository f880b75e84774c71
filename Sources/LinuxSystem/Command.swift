import CLinux
import Glibc

/// Runs another program to its end. It starts from the calling thread and so in that thread's network namespace; it gets no
/// input, a fixed environment, and no descriptor but its own three.
public struct Command: Sendable {
  public let path: String
  public let arguments: [String]

  /// Where programs of administrators lie.
  static let folders = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin", "/usr/local/bin"]

  /// Nil when no such program is installed.
  public init?(_ name: String, _ arguments: String...) {
    let candidates = Self.folders.map { "\($0)/\(name)" }
    guard let path = candidates.first(where: { unsafe access($0, X_OK) == 0 }) else { return nil }
    self.path = path
    self.arguments = arguments
  }

  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
  }

  /// What it printed on standard output. Throws when it cannot be started, ends with another status than 0, takes longer
  /// than `seconds`, or prints more than `room` bytes; in the last two cases it is killed.
  public func run(seconds: Int, room: Int = 256 << 20) throws -> [UInt8] {
    let output = try Pipe()
    let errors = try Pipe()
    let pid = try spawn(output: output.end, errors: errors.end)
    output.closeEnd()
    errors.closeEnd()
    var failure: String?
    var texts: [[UInt8]] = [[], []]
    do {
      try Self.read([output.start, errors.start], into: &texts, seconds: seconds, room: room)
    } catch {
      failure = "\(error)"
      kill(pid, SIGKILL)
    }
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    if let failure { throw Failure("\(path): \(failure)") }
    guard status == 0 else {
      let how = status & 0x7f == 0 ? "status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
      let text = String(decoding: texts[1].prefix(500), as: UTF8.self).split(separator: "\n").joined(separator: "; ")
      throw Failure("\(path) ended with \(how)" + (text.isEmpty ? "" : ": \(text)"))
    }
    return texts[0]
  }

  private static func read(
    _ descriptors: [Int32], into texts: inout [[UInt8]], seconds: Int, room: Int
  ) throws(Failure) {
    let deadline = Machine.nanoseconds(CLOCK_MONOTONIC) + Int64(seconds) * 1_000_000_000
    var open = descriptors
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while open.contains(where: { $0 >= 0 }) {
      let rest = (deadline - Machine.nanoseconds(CLOCK_MONOTONIC)) / 1_000_000
      guard rest > 0 else { throw Failure("took longer than \(seconds) s") }
      var wanted = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      let count = unsafe poll(&wanted, nfds_t(wanted.count), Int32(rest))
      if count < 0, errno != EINTR { throw Failure(SystemError.text(of: errno)) }
      guard count > 0 else { continue }
      for (place, entry) in wanted.enumerated() where entry.revents != 0 {
        let length = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(entry.fd, $0.baseAddress, $0.count) }
        if length > 0 {
          texts[place] += chunk[..<length]
          guard texts[place].count <= room else { throw Failure("printed more than \(room) bytes") }
        } else if length == 0 || errno != EINTR {
          open[place] = -1
        }
      }
    }
  }

  private func spawn(output: Int32, errors: Int32) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    // Signals as a program expects them, whatever this one blocks and ignores.
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    var ignored = sigset_t()
    unsafe sigemptyset(&ignored)
    unsafe sigaddset(&ignored, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &ignored)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
    let environment = unsafe [strdup("PATH=\(Self.folders.joined(separator: ":"))"), strdup("LC_ALL=C"), nil]
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let error = unsafe posix_spawn(&pid, path, &actions, &attributes, words, environment)
    guard error == 0 else { throw SystemError(errno: error, doing: "starting \(path)") }
    return pid
  }
}

/// Both ends of a pipe(7); closed when the value goes.
private final class Pipe {
  let start: Int32
  private(set) var end: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    let result = unsafe clinux_pipe(&ends)
    guard result == 0 else { throw SystemError(errno: -result, doing: "making a pipe") }
    start = ends[0]
    end = ends[1]
  }

  func closeEnd() {
    if end >= 0 { close(end) }
    end = -1
  }

  deinit {
    close(start)
    closeEnd()
  }
}
