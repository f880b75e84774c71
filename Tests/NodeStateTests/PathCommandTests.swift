import Foundation
import Glibc
import Testing
import Wire

/// `skoop-agent path` on live namespaces and on a saved snapshot of them.
@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"))
struct PathCommandTests {
  private static func pair() throws -> Namespaces {
    let spaces = try Namespaces("a", "b")
    try spaces.ip("a", "link add eth0 type veth peer name eth0 netns \(spaces.full("b"))")
    for (name, address) in [("a", "10.9.0.1/24"), ("b", "10.9.0.2/24")] {
      for command in ["link set lo up", "link set eth0 up", "addr add \(address) dev eth0"] {
        try spaces.ip(name, command)
      }
    }
    return spaces
  }

  private static func path(_ arguments: [String], from: String) throws -> SnapshotCommandTests.Outcome {
    try SnapshotCommandTests.run(["path", "--from", from] + arguments)
  }

  struct Case: Sendable {
    var name: String
    var arguments: [String]
    var status: Int32
    var sender: [String]
    var outcome: String
  }

  static let cases: [Case] = [
    Case(name: "ping", arguments: ["--to", "10.9.0.2"], status: 0, sender: ["reply"], outcome: "answered"),
    Case(
      name: "nobody listens", arguments: ["--to", "10.9.0.2", "--port", "258"], status: 1, sender: ["refused"],
      outcome: "rejected"),
    Case(
      name: "UDP without a socket", arguments: ["--to", "10.9.0.2", "--port", "258", "--protocol", "UDP"], status: 1,
      sender: ["refused"], outcome: "rejected"),
    Case(
      name: "nobody has the address", arguments: ["--to", "10.9.0.3", "--port", "258"], status: 1,
      sender: ["unreachable"], outcome: "rejected"),
    Case(name: "no route", arguments: ["--to", "192.0.2.1"], status: 1, sender: ["unreachable"], outcome: "rejected"),
    Case(
      name: "too large, undivided", arguments: ["--to", "10.9.0.2", "--size", "1473", "--dont-fragment"], status: 1,
      sender: ["unreachable"], outcome: "rejected"),
    Case(
      name: "a foreign source", arguments: ["--to", "10.9.0.2", "--source", "10.9.0.9"], status: 1,
      sender: ["unreachable"], outcome: "rejected"),
  ]

  @Test("answers, with the status and by the schema", arguments: cases)
  func answers(example: Case) throws {
    let spaces = try Self.pair()
    let outcome = try Self.path(example.arguments + ["--output", "json"], from: spaces.full("a"))
    #expect(outcome.status == example.status, "\(outcome.errors)")
    let document = try #require(try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
    #expect(document["sender"] as? [String] == example.sender)
    #expect(document["outcome"] as? String == example.outcome)
    #expect(try CollectorTests.schema("path").problems(outcome.output).prefix(3) == [])
  }

  @Test("a saved snapshot gives the answer of the live node; a rule of iptables makes it undecided")
  func saved() throws {
    let spaces = try Self.pair()
    let file = FileManager.default.temporaryDirectory.appending(path: "skoop-path-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let arguments = ["--to", "10.9.0.2", "--port", "258"]
    let live = try Self.path(arguments, from: spaces.full("a"))
    #expect(try SnapshotCommandTests.agent("--output", file).status == 0)
    let replayed = try Self.path(arguments + ["--snapshot", file], from: spaces.full("a"))
    #expect(live.status == 1 && replayed.status == 1)
    let text = String(decoding: replayed.output, as: UTF8.self)
    #expect(text.hasSuffix("sender: refused\noutcome: rejected\n"))
    #expect(text.contains("[10.9.0.0/24 dev eth0 src 10.9.0.1]"))

    try spaces.exec("b", "iptables", "-A", "INPUT", "-p", "tcp", "-j", "DROP")
    let undecided = try Self.path(arguments, from: spaces.full("a"))
    #expect(undecided.status == 2)
    #expect(String(decoding: undecided.output, as: UTF8.self).contains("undecided: netfilter rules"))
  }

  @Test(
    "mistakes end with their status",
    arguments: [
      (["--to", "here"], 64), (["--to", "10.9.0.2", "--protocol", "tcp"], 64),
      (["--to", "10.9.0.2", "--port", "0"], 64), (["--to", "10.9.0.2", "--port", "1", "--protocol", "icmp"], 64),
      (["--to", "10.9.0.2", "--snapshot", "/nonexistent"], 69),
      (["--to", "10.9.0.2", "--snapshot", "/proc/version"], 65),
    ] as [([String], Int32)])
  func mistakes(arguments: [String], status: Int32) throws {
    #expect(try Self.path(arguments, from: "host").status == status)
  }

  @Test("a namespace that is not there is named")
  func missing() throws {
    let outcome = try Self.path(["--to", "10.9.0.2"], from: "no-such-namespace")
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("no-such-namespace"))
  }
}
