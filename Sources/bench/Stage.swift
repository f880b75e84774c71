import CBenchReference
import Foundation
import Glibc
import LinuxSystem
import Synchronization

/// Two network namespaces joined by a veth pair, `a` (10.99.0.1) and `b` (10.99.0.2), and what must not outlive the
/// benchmark.
final class Stage: Sendable {
  static let addressA = "10.99.0.1"
  static let addressB = "10.99.0.2"
  private static let prefix = "skoop-bench-"

  let a: String
  let b: String
  let folder: String
  private let children = Mutex<Set<pid_t>>([])

  /// Clears away what a benchmark that was killed left, then builds.
  init() throws {
    for name in Files.names(in: "/run/netns") where name.hasPrefix(Self.prefix) {
      let owner = name.dropFirst(Self.prefix.count).prefix { $0.isNumber }
      if let pid = pid_t(owner), kill(pid, 0) != 0 { _ = try? Self.tool("ip", "netns", "del", name) }
    }
    a = "\(Self.prefix)\(getpid())-a"
    b = "\(Self.prefix)\(getpid())-b"
    folder = "/tmp/\(Self.prefix)\(getpid())"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for name in [a, b] {
        try Self.tool("ip", "netns", "add", name)
        try Self.tool("ip", "-n", name, "link", "set", "lo", "up")
        // Connections by the thousand: room for their ports, and no memory for a minute of each.
        try Self.tool("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535")
        try Self.tool("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=1024")
      }
      try Self.tool("ip", "-n", a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b)
      for (name, address) in [(a, Self.addressA), (b, Self.addressB)] {
        try Self.tool("ip", "-n", name, "addr", "add", "\(address)/24", "dev", "eth0")
        try Self.tool("ip", "-n", name, "link", "set", "eth0", "up")
      }
    } catch {
      remove()
      throw error
    }
  }

  /// Ends every child and removes the namespaces; idempotent.
  func remove() {
    for child in children.withLock({ $0 }) {
      kill(child, SIGKILL)
      _ = waitpid(child, nil, 0)
    }
    children.withLock { $0 = [] }
    let present = Files.names(in: "/run/netns")
    for name in [a, b] where present.contains(name) { _ = try? Self.tool("ip", "netns", "del", name) }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// iptables in a namespace.
  func iptables(_ netns: String, _ arguments: String...) throws {
    try Self.tool(["ip", "netns", "exec", netns, "iptables", "-w"] + arguments)
  }

  // MARK: processes

  func adopt(_ child: pid_t) { children.withLock { _ = $0.insert(child) } }

  /// Waits for a child that was told to end.
  func bury(_ child: pid_t) -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    children.withLock { _ = $0.remove(child) }
    return status
  }

  @discardableResult
  static func tool(_ arguments: String...) throws -> String { try tool(arguments) }

  @discardableResult
  static func tool(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchError("\(arguments.joined(separator: " ")) ended with \(process.terminationStatus): \(text)")
    }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
