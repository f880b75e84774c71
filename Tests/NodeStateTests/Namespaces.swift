import Foundation
import Glibc
import NetModel
import NodeState
import Synchronization
import Testing

/// Whether tests that need the running kernel can run.
let isRoot = geteuid() == 0 || ProcessInfo.processInfo.environment["CI"] != nil

/// Network namespaces of one test, by short names. Gone when the value goes.
final class Namespaces: Sendable {
  private let prefix: String
  let names: [String]

  private static let serial = Mutex(0)

  init(_ names: String...) throws {
    let serial = Self.serial.withLock { serial in
      serial += 1
      return serial
    }
    prefix = "snap\(getpid())x\(serial)-"
    self.names = names
    for name in names {
      try run("ip", "netns", "add", prefix + name)
      try exec(name, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
    }
  }

  deinit {
    for name in names { _ = try? run("ip", "netns", "del", prefix + name) }
  }

  /// As `ip netns` knows it.
  func full(_ name: String) -> String { prefix + name }

  func path(_ name: String) -> String { "/run/netns/\(prefix)\(name)" }

  /// Commands of ip(8), one a line, in one of the namespaces. `@x` in them stands for the namespace x.
  func ip(_ name: String, family option: String? = nil, _ batch: String) throws {
    var text = batch
    for name in names { text = text.replacingOccurrences(of: "@\(name)", with: prefix + name) }
    try run(["ip"] + (option.map { [$0] } ?? []) + ["-n", prefix + name, "-batch", "-"], input: text + "\n")
  }

  @discardableResult
  func exec(_ name: String, _ arguments: String..., input: String = "") throws -> String {
    try run(["ip", "netns", "exec", prefix + name] + arguments, input: input)
  }

  /// The snapshot of some, in the order of the names asked for.
  func collect(_ wanted: String...) throws -> [NetnsSnapshot] {
    let wanted = wanted.isEmpty ? names : wanted
    let snapshot = try NodeStateCollector(.init(only: wanted.map(path))).collect()
    return try wanted.map { name in
      try #require(snapshot.namespaces.first { $0.names.contains(prefix + name) })
    }
  }

  /// What a tool prints as JSON.
  func json(_ name: String, _ arguments: String...) throws -> [[String: Any]] {
    let text = try run(["ip", "netns", "exec", prefix + name] + arguments)
    if text.allSatisfy(\.isWhitespace) { return [] }
    return try JSONSerialization.jsonObject(with: Data(text.utf8)) as! [[String: Any]]
  }
}

/// Runs a command to its end and returns what it printed; throws what it said when it failed.
@discardableResult
func run(_ arguments: String...) throws -> String { try run(arguments) }

@discardableResult
func run(_ arguments: [String], input: String = "") throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  let output = Pipe()
  let feed = Pipe()
  process.standardOutput = output
  process.standardError = output
  process.standardInput = feed
  try process.run()
  feed.fileHandleForWriting.write(Data(input.utf8))
  try feed.fileHandleForWriting.close()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw CommandFailure(text: "\(arguments.joined(separator: " ")) ended with \(process.terminationStatus): \(text)")
  }
  return text
}

struct CommandFailure: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}
