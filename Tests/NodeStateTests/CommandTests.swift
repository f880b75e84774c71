import Foundation
import Glibc
import NetModel
import Testing
import Wire

/// `skoop-agent snapshot` as a person or a script runs it.
@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"))
struct SnapshotCommandTests {
  static let executable = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "skoop-agent")

  struct Outcome {
    let status: Int32
    let output: Data
    let errors: String
  }

  static func agent(_ arguments: String..., as user: Int? = nil, program: URL = executable) throws -> Outcome {
    try run(["snapshot"] + arguments, as: user, program: program)
  }

  static func run(_ arguments: [String], as user: Int? = nil, program: URL = executable) throws -> Outcome {
    let process = Process()
    process.executableURL = user == nil ? program : URL(filePath: "/usr/bin/setpriv")
    let drop = user.map { ["--reuid", "\($0)", "--regid", "\($0)", "--clear-groups", program.path] }
    process.arguments = (drop ?? []) + arguments
    let output = Pipe()
    let file = FileManager.default.temporaryDirectory.appending(path: "skoop-snapshot-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: file)
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let errors = try String(contentsOf: file, encoding: .utf8)
    return Outcome(status: process.terminationStatus, output: data, errors: errors)
  }

  @Test("takes a snapshot into a file that only its owner may read, and compares: 0 the same, 1 different")
  func compare() throws {
    let spaces = try Namespaces("c")
    let folder = FileManager.default.temporaryDirectory.appending(path: "skoop-snapshot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (a, b) = (folder.appending(path: "a").path, folder.appending(path: "b").path)
    #expect(try Self.agent("--output", a).status == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: a)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
    let same = try Self.agent("diff", a, a)
    #expect(same.status == 0 && same.output.isEmpty)
    try spaces.ip("c", "link set lo mtu 1234")
    #expect(try Self.agent("--output", b, "--pretty").status == 0)
    let different = try Self.agent("diff", a, b)
    #expect(different.status == 1)
    let text = String(decoding: different.output, as: UTF8.self)
    #expect(text.contains("netns \(spaces.full("c"))\n  links          ~ lo: mtu 65536 -> mtu 1234\n"))
    let json = try Self.agent("diff", "--output", "json", a, b)
    #expect(json.status == 1)
    #expect(try CollectorTests.schema("snapshot-diff").problems(json.output).prefix(3) == [])
  }

  @Test("redacted, on standard output: the namespace's name is nowhere")
  func redacted() throws {
    let spaces = try Namespaces("c")
    let outcome = try Self.agent("--redact", "--output", "-")
    #expect(outcome.status == 0)
    let snapshot = try SnapshotFile.decode([UInt8](outcome.output), file: "-")
    #expect(snapshot.node.hasPrefix("node-"))
    #expect(!String(decoding: outcome.output, as: UTF8.self).contains(spaces.full("c")))
  }

  @Test("bad input is 65 and names file and place; a file that is not there is 69; wrong usage is 64")
  func failures() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "skoop-snapshot-\(UUID().uuidString)").path
    try #"{"version": 1, "node": 3}"#.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let bad = try Self.agent("diff", file, file)
    #expect(bad.status == 65 && bad.output.isEmpty)
    #expect(bad.errors.hasPrefix("skoop-agent: \(file): node: "))
    #expect(try Self.agent("diff", "/nowhere", file).status == 69)
    #expect(try Self.agent("--output", "/nowhere/x").status == 69)
    #expect(try Self.agent("diff", file).status == 64)
  }

  @Test("without root the own namespace can be read, and the rest are gaps")
  func withoutRoot() throws {
    // The build folder may lie where others have no access.
    let copy = FileManager.default.temporaryDirectory.appending(path: "skoop-agent-\(getpid())")
    try FileManager.default.copyItem(at: Self.executable, to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    let outcome = try Self.agent("--output", "-", as: 65534, program: copy)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let snapshot = try SnapshotFile.decode([UInt8](outcome.output), file: "-")
    let own = try #require(snapshot.namespaces.first)
    #expect(own.links.contains { $0.name == "lo" } && own.gap(.links) == nil && own.gap(.routes) == nil)
    #expect(own.gap(.rulesets) != nil && own.gap(.programs) != nil)
    #expect(!snapshot.gapLines.isEmpty && outcome.errors.contains("gap in "))
  }
}
