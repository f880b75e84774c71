import AgentApp
import Foundation
import Glibc
import LinuxSystem
import Logging
import NetTypes
import ProbeKit
import Signals
import Sinks
import Synchronization

/// Whether tests that need the running kernel can run.
public enum LabRequirement {
  public static let reason: Comment = "needs root: makes network namespaces and loads kernel programs"

  /// On the CI machine nothing is skipped: a test that cannot run there fails.
  public static var isMet: Bool { geteuid() == 0 || ProcessInfo.processInfo.environment["CI"] != nil }

  public typealias Comment = String
}

/// Runs a command to its end; throws what it said when it failed.
@discardableResult
public func tool(_ arguments: String..., input: String? = nil) throws -> String {
  try tool(arguments, input: input)
}

@discardableResult
public func tool(_ arguments: [String], input: String? = nil) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  let feed = Pipe()
  process.standardInput = feed
  try process.run()
  if let input { feed.fileHandleForWriting.write(Data(input.utf8)) }
  try feed.fileHandleForWriting.close()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw ToolFailure(command: arguments.joined(separator: " "), status: process.terminationStatus, output: text)
  }
  return text
}

public struct ToolFailure: Error, CustomStringConvertible {
  public let command: String
  public let status: Int32
  public let output: String

  public init(command: String, status: Int32, output: String) {
    self.command = command
    self.status = status
    self.output = output
  }

  public var description: String { "\(command) ended with \(status): \(output)" }
}

/// A named network namespace of a test, that stands for a pod.
public final class LabPod: Sendable {
  /// In /run/netns: `NAMESPACE--NAME`.
  public let netns: String
  public let namespace: String
  public let name: String

  public init(_ name: String) throws {
    let serial = Self.serial.withLock { serial in
      serial += 1
      return serial
    }
    namespace = "lab\(getpid())x\(serial)"
    self.name = name
    netns = "\(namespace)--\(name)"
    try tool("ip", "netns", "add", netns)
    // Without duplicate address detection an IPv6 address is usable at once.
    try exec("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
    try tool("ip", "-n", netns, "link", "set", "lo", "up")
  }

  private static let serial = Mutex(0)

  deinit { remove() }

  /// Idempotent.
  public func remove() { _ = try? tool("ip", "netns", "del", netns) }

  public var path: String { "/run/netns/\(netns)" }

  public var identity: NetworkNamespace.Identity {
    get throws {
      guard let view = try NetworkNamespace.look(into: [path])[0] else {
        throw ToolFailure(command: "look into \(path)", status: 1, output: "no namespace")
      }
      return view.identity
    }
  }

  /// A command inside.
  @discardableResult
  public func exec(_ arguments: String...) throws -> String { try exec(arguments) }

  @discardableResult
  public func exec(_ arguments: [String]) throws -> String { try tool(["ip", "netns", "exec", netns] + arguments) }
}

/// Two pods on one wire: `eth0` here and there, with the addresses ….1 and ….2 of a network of this process: tests that run
/// beside each other must not share addresses, which name pods.
public struct LabPair: Sendable {
  public let client: LabPod
  public let server: LabPod

  public init() throws {
    client = try LabPod("client")
    server = try LabPod("server")
    try tool(
      "ip", "-n", client.netns, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", server.netns)
    for (pod, number) in [(client, 1), (server, 2)] {
      try tool("ip", "-n", pod.netns, "addr", "add", "\(Self.network(.v4))\(number)/24", "dev", "eth0")
      // No duplicate address detection: the address is usable at once.
      try tool("ip", "-n", pod.netns, "addr", "add", "\(Self.network(.v6))\(number)/64", "dev", "eth0", "nodad")
      try tool("ip", "-n", pod.netns, "link", "set", "eth0", "up")
    }
    // The wire is up when both ends are; neighbours are known before anything is measured.
    for (pod, address) in [IPAddress.Family.v4, .v6].flatMap({ family in
      [(client, Self.serverAddress(family)), (server, Self.clientAddress(family))]
    }) {
      try Self.warm(pod, address)
    }
  }

  private static func warm(_ pod: LabPod, _ address: String) throws {
    let socket = try LabSocket(in: pod, address.contains(":") ? .v6 : .v4, .datagram)
    // Port 9 (discard): nobody listens, the answer is an ICMP error, and the neighbour is resolved.
    for _ in 0..<100 {
      try? socket.send([0], to: address, port: 9)
      let family = address.contains(":") ? "-6" : "-4"
      if try tool("ip", family, "-n", pod.netns, "neigh", "show", address).contains("lladdr") { return }
      usleep(50_000)
    }
    throw ToolFailure(command: "resolve \(address)", status: 1, output: "no neighbour")
  }

  static func network(_ family: IPAddress.Family) -> String {
    let process = Int(getpid())
    return family == .v4
      ? "10.\(100 + process % 100).\(process / 100 % 250)." : "fd09:\(String(process % 60000, radix: 16))::"
  }

  public static func clientAddress(_ family: IPAddress.Family) -> String { network(family) + "1" }
  public static func serverAddress(_ family: IPAddress.Family) -> String { network(family) + "2" }
}

/// Keeps events for tests to look at.
public final class CollectingSink: EventSink {
  public let name = "test"
  private let state = Mutex<[Event]>([])
  private let keep: Bool
  private let counted = Atomic<Int>(0)

  /// `keep` false only counts.
  public init(keep: Bool = true) { self.keep = keep }

  public func write(_ batch: EventBatch) {
    counted.add(batch.count, ordering: .relaxed)
    if keep { state.withLock { $0 += batch.events } }
  }

  public var events: [Event] { state.withLock { $0 } }
  public var count: Int { counted.load(ordering: .relaxed) }

  /// The first event that fits, waited for.
  public func first(
    within seconds: Double = 8, where fits: (Event) -> Bool
  ) throws -> Event {
    let deadline = Date().addingTimeInterval(seconds)
    repeat {
      if let event = events.first(where: fits) { return event }
      usleep(20_000)
    } while Date() < deadline
    throw Missing(events: events)
  }

  public struct Missing: Error, CustomStringConvertible {
    let events: [Event]

    public var description: String {
      "no such event among \(events.count):\n" + events.suffix(20).map { EventText.line($0) }.joined(separator: "\n")
    }
  }
}

/// An agent inside the test's process.
public final class LabAgent: Sendable {
  public let agent: Agent
  public let sink: CollectingSink

  /// `probes`: with their arguments.
  public init(
    _ probes: [AgentConfiguration.ProbeRequest], attachments: [AttachMethod] = AttachMethod.allCases, keep: Bool = true,
    change: (inout Agent.Options) -> Void = { _ in }
  ) throws {
    sink = CollectingSink(keep: keep)
    var options = Agent.Options(node: "lab-node")
    options.runner.attachments = attachments
    options.runner.latency = 10
    change(&options)
    var log = Logger(label: "lab") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = .error
    agent = try Agent(options, sinks: [sink], log: log)
    try agent.start(probes)
    for status in agent.runner.statuses {
      if case .failed(let reason) = status.status {
        agent.stop()
        throw ToolFailure(command: "probe \(status.manifest.id)", status: 1, output: reason)
      }
    }
  }

  public convenience init(
    _ id: String, metrics: Bool = true, events: Bool = true, arguments: [String: SettingValue] = [:],
    attachments: [AttachMethod] = AttachMethod.allCases, keep: Bool = true
  ) throws {
    let settings = ProbeSettings(
      metrics: metrics, events: events, arguments: ["eventsPerSecond": .integer(0)].merging(arguments) { $1 })
    try self.init([.init(id: id, settings: settings)], attachments: attachments, keep: keep)
  }

  public func stop() { agent.stop() }

  public func account(_ id: String) throws -> Agent.Account {
    try agent.accounts().first { $0.id == id }!.account
  }

  /// The value of the series with these labels, or 0.
  public func metric(_ name: String, _ labels: [String: String]) -> Double {
    let family = agent.scrape().first { $0.description.name == name }
    return family?.samples.filter { sample in
      labels.allSatisfy { name, value in
        family!.description.labels.firstIndex(of: name).map { sample.values[$0] == value } ?? false
      }
    }.reduce(0) { $0 + $1.value } ?? 0
  }
}
