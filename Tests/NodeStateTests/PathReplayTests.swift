import Foundation
import Testing

/// `skoop-agent path` on recorded worlds: without root, and without the network that it tells of.
struct PathReplayTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Core/Tests/NetSimTests/Fixtures/Found")

  static let worlds: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".json") }.sorted()

  @Test("says what the kernel did, by the schema", arguments: worlds)
  func replay(world: String) throws {
    let recorded = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: Self.folder.appending(path: world))) as? [String: Any])
    let plan = try #require(recorded["plan"] as? [String: Any])
    let question = try #require((plan["questions"] as? [[String: Any]])?.first)
    let seen = try #require((recorded["observations"] as? [[String: Any]])?.first?["sender"] as? String)
    let cookies = try #require(recorded["cookies"] as? [Int])
    let file = FileManager.default.temporaryDirectory.appending(path: "skoop-path-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try JSONSerialization.data(withJSONObject: try #require(recorded["snapshot"])).write(to: file)

    var arguments = ["path", "--snapshot", file.path, "--from", "\(cookies[question["from"] as! Int])"]
    for (option, field) in [
      ("--to", "destination"), ("--protocol", "kind"), ("--source", "source"), ("--device", "device"), ("--uid", "uid"),
      ("--mark", "mark"), ("--size", "payload"), ("--port", "port"),
    ] {
      if let value = question[field], field != "port" || question["kind"] as? String != "icmp" {
        arguments += [option, "\(value)"]
      }
    }
    if question["dontFragment"] as? Bool == true { arguments.append("--dont-fragment") }

    let answer = try SnapshotCommandTests.run(arguments + ["--output", "json"])
    let document = try #require(try JSONSerialization.jsonObject(with: answer.output) as? [String: Any])
    #expect((document["sender"] as? [String])?.contains(seen) == true, "\(seen), not \(document["sender"] ?? "none")")
    #expect(try CollectorTests.schema("path").problems(answer.output).prefix(3) == [])
    #expect(try SnapshotCommandTests.run(arguments + ["--output", "json"]).output == answer.output)

    let text = try SnapshotCommandTests.run(arguments)
    #expect(text.status == answer.status)
    let last = String(decoding: text.output, as: UTF8.self).split(separator: "\n").last
    #expect(last == "outcome: \(document["outcome"] as? String ?? "none")")
  }

  @Test("there are recorded worlds")
  func any() { #expect(Self.worlds.count >= 10) }
}
