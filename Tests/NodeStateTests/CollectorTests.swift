import CLinux
import Foundation
import Glibc
import LinuxSystem
import NetModel
import NodeState
import SchemaSupport
import Testing
import Wire

@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"), .serialized)
struct CollectorTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func schema(_ name: String) throws -> SchemaValidator {
    try SchemaValidator(file: root.appending(path: "docs/reference/\(name).schema.json"))
  }

  @Test("a snapshot of the whole machine, and a redacted one, are what the schema says, and read back as they were")
  func document() throws {
    let links = try LinkTests.kinds()
    let routes = try RouteTests.world()
    try routes.exec("r", "iptables-legacy", "-A", "INPUT", "-s", "10.0.0.0/8", "-j", "DROP")
    try routes.ip("r", "rule add priority 7 uidrange 1-2 sport 1-5 lookup 77")
    try routes.ip("r", "nexthop add id 1 via 10.1.0.2 dev e0")
    try routes.ip("r", "nexthop add id 2 group 1,3")
    var snapshot = try NodeStateCollector(.init(node: "here")).collect()
    let names = Set(snapshot.namespaces.flatMap(\.names))
    #expect(names.isSuperset(of: [links.full("k"), routes.full("r")]))
    #expect(snapshot.namespaces.filter(\.isHost).count == 1)
    #expect(Set(snapshot.namespaces.map(\.id)).count == snapshot.namespaces.count)
    // Of what others have on this machine at the moment, the host will do.
    snapshot.namespaces.removeAll {
      !$0.isHost && !$0.names.contains(links.full("k")) && !$0.names.contains(routes.full("r"))
    }
    let validator = try Self.schema("snapshot")
    for version in [snapshot, snapshot.redacted(key: (1, 2))] {
      let bytes = SnapshotFile.encode(version, pretty: version != snapshot)
      #expect(try validator.problems(Data(bytes)).prefix(5) == [])
      #expect(try SnapshotFile.decode(bytes, file: "x") == version)
    }
    let text = String(decoding: SnapshotFile.encode(snapshot.redacted(key: (1, 2))), as: UTF8.self)
    #expect(!text.contains(links.full("k")) && !text.contains("10.1.0."))
  }

  @Test("a difference is what its schema says")
  func difference() throws {
    struct Document: Encodable {
      let version = 1
      var changes: [SnapshotChange]
    }
    let spaces = try Namespaces("d")
    let before = try NodeStateCollector(.init(only: [spaces.path("d")])).collect()
    try spaces.ip("d", "link set lo up")
    try spaces.ip("d", "link add e0 type veth peer name e1")
    let after = try NodeStateCollector(.init(only: [spaces.path("d")])).collect()
    let changes = SnapshotDiff(from: before, to: after).changes
    #expect(changes.contains { $0.part == .addresses && $0.object == "127.0.0.1/8 scope host dev lo" })
    let bytes = SnapshotFile.encode(any: Document(changes: changes), pretty: false)
    #expect(try Self.schema("snapshot-diff").problems(Data(bytes)) == [])
    let again = try NodeStateCollector(.init(only: [spaces.path("d")])).collect()
    #expect(SnapshotDiff(from: after, to: again).changes == [])
  }

  @Test("what cannot be read names the file, the place and the reason")
  func unreadable() throws {
    func message(_ text: String) -> String {
      do {
        _ = try SnapshotFile.decode(Array(text.utf8), file: "a.json")
        return ""
      } catch { return "\(error)" }
    }
    #expect(message("{x").hasPrefix("a.json: this is no JSON document"))
    #expect(message("{}") == "a.json: version is missing")
    #expect(message(#"{"version": 2}"#) == "a.json: version: this is version 2; versions 1 to 1 can be read")
    #expect(message(#"{"version": 1}"#).hasPrefix("a.json: "))
    let good = NodeSnapshot(node: "n", kernel: "k", bootID: "b", started: 1, finished: 2, namespaces: [])
    var text = String(decoding: SnapshotFile.encode(good), as: UTF8.self)
    text.replace(#""namespaces":[]"#, with: #""namespaces":[{"id":1,"inode":"x"}]"#)
    #expect(message(text).hasPrefix("a.json: namespaces[0].inode: "))
  }

  @Test("namespaces are found that only a process, an open file or a mount elsewhere holds")
  func hidden() throws {
    let folder = "/run/snap-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    _ = FileManager.default.createFile(atPath: "\(folder)/m", contents: nil)
    let sleeper = Process()
    sleeper.executableURL = URL(filePath: "/usr/bin/unshare")
    sleeper.arguments = ["--net", "sleep", "60"]
    try sleeper.run()
    defer {
      kill(sleeper.processIdentifier, SIGKILL)
      sleeper.waitUntilExit()
      umount2("\(folder)/m", Int32(MNT_DETACH))
      try? FileManager.default.removeItem(atPath: folder)
    }
    let pid = sleeper.processIdentifier
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    func namespace(_ path: String) throws -> String { try FileManager.default.destinationOfSymbolicLink(atPath: path) }
    for _ in 0..<200 where try namespace("/proc/\(pid)/ns/net") == own { usleep(10_000) }
    // One that only a file of ours holds, and one that only a mount holds, outside of /run/netns.
    let open = try NetworkNamespace.newForTest()
    try run("unshare", "--net", "mount", "--bind", "/proc/self/ns/net", "\(folder)/m")
    try #require(try run("stat", "-f", "-c", "%T", "\(folder)/m").contains("nsfs"))
    let mounted = try run("stat", "-c", "%i", "\(folder)/m").trimmingCharacters(in: .whitespacesAndNewlines)
    let snapshot = try NodeStateCollector().collect()
    let inodes = Set(snapshot.namespaces.map { "\($0.inode)" })
    #expect(inodes.contains(String(try namespace("/proc/\(pid)/ns/net").dropFirst(5).dropLast())))
    #expect(inodes.contains("\(open.inode)"))
    #expect(inodes.contains(mounted))
    let process = snapshot.namespaces.flatMap(\.processes).first { $0.pid == pid }
    #expect(process?.command == "sleep")
  }

  @Test("a file that is no namespace is an error when it is asked for by name")
  func noNamespace() throws {
    let path = Self.root.appending(path: "docs/architecture.md").path
    #expect(throws: SystemError.self) { try NodeStateCollector(.init(only: [path])).collect() }
    #expect(throws: SystemError.self) { try NodeStateCollector(.init(only: ["/run/netns/nowhere"])).collect() }
  }
}

extension NetworkNamespace {
  /// A new namespace that nothing but the returned handle holds.
  static func newForTest() throws -> Handle {
    try DedicatedThread.run("new-netns") {
      let status = clinux_unshare_net()
      guard status == 0 else { throw SystemError(errno: -status, doing: "unsharing") }
      return try Handle(opening: "/proc/thread-self/ns/net")
    }
  }
}
