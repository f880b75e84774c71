import Foundation
import NetModel
import NetParse
import NetTypes
import Testing
import Wire

/// Inputs of the snapshot: the kernel's answers by netlink as they were recorded on Linux 6.18, whole snapshots, rulesets.
extension FuzzTests {
  /// Every decoder is given every message: a wrong type must not bring one down either.
  static func decode(_ payload: ArraySlice<UInt8>) {
    _ = try? DecodedLink(netlink: payload)
    _ = try? PortVLANs(netlink: payload)
    _ = try? InterfaceAddress(netlink: payload)
    _ = try? Neighbour(netlink: payload)
    _ = try? FDBEntry(netlink: payload)
    _ = try? PolicyRule(netlink: payload)
    _ = try? Route(netlink: payload)
    _ = try? NexthopObject(netlink: payload)
    if let qdisc = try? Qdisc(netlink: payload) { _ = qdisc.filterParents }
    _ = try? TrafficFilter(netlink: payload, interface: 1, hook: .ingress)
    _ = try? SocketEntry(netlink: payload, kind: .tcp)
    _ = try? XfrmCounts(policies: payload, states: payload)
    _ = try? NFTTable(netlink: payload)
    _ = try? decodeNFTGeneration(netlink: payload)
    _ = try? decodeNamespaceID(netlink: payload)
  }

  static func decodeDatagram(_ bytes: [UInt8]) {
    for message in (try? NetlinkMessage.all(in: bytes[...])) ?? [] {
      _ = try? message.failure()
      decode(message.payload)
    }
    decode(bytes[...])
  }

  @Test("answers by netlink")
  func netlink() throws {
    try Self.fuzz("netlink", Self.decodeDatagram)
  }

  @Test("answers by netlink, cut at every place and with every bit turned")
  func netlinkSystematically() throws {
    for input in try Self.corpus("netlink") {
      for count in 0..<input.count { Self.decodeDatagram(Array(input.prefix(count))) }
      // One message whose length is true, so that the decoders see the damage.
      let messages = try NetlinkMessage.all(in: input[...])
      for message in messages.prefix(4) {
        let payload = Array(message.payload)
        for place in payload.indices {
          for bit in 0..<8 {
            var damaged = payload
            damaged[place] ^= 1 << bit
            Self.decode(damaged[...])
          }
        }
      }
    }
  }

  @Test("recorded answers say what was made when they were recorded")
  func recorded() throws {
    func messages(_ name: String) throws -> [NetlinkMessage] {
      let data = try Data(contentsOf: Self.folder.appending(path: "netlink/\(name)"))
      return try NetlinkMessage.all(in: [UInt8](data)[...]).filter { $0.type != NetlinkMessage.done }
    }
    let names = try messages("links").map { try DecodedLink(netlink: $0.payload).link.name }
    #expect(names.prefix(2) == ["lo", "br0"])
    let rules = try messages("rules").compactMap { try PolicyRule(netlink: $0.payload) }
    #expect(rules.map(\.priority) == [0, 10, 15, 32766, 32767])
    #expect(rules[2].destinationPorts == 80...80 && rules[2].uids == 1...2 && rules[2].unknownAttributes == [])
    let routes = try messages("routes").compactMap { try Route(netlink: $0.payload) }
    #expect(routes.contains { $0.destination == IPPrefix("10.11.0.0/16") && $0.nextHops.map(\.weight) == [3, 1] })
    #expect(routes.contains { $0.destination == IPPrefix("10.12.0.0/16") && $0.nexthopID == 3 })
    let objects = try messages("nexthops").map { try NexthopObject(netlink: $0.payload) }
    #expect(objects.last?.members == [.init(id: 1, weight: 1), .init(id: 2, weight: 4)])
    let sockets = try messages("sockets").compactMap { try SocketEntry(netlink: $0.payload, kind: .tcp) }
    #expect(sockets.map(\.localPort) == [258] && sockets[0].sendQueue == 3)
    let refusal = try #require(try messages("refused").first)
    #expect(try refusal.failure().errno == 95)
  }

  @Test("snapshots as documents, their differences, and pseudonyms")
  func snapshots() throws {
    var last: NodeSnapshot?
    try Self.fuzz("snapshots") { input in
      guard let snapshot = try? SnapshotFile.decode(input, file: "f") else { return }
      let bytes = SnapshotFile.encode(snapshot)
      precondition((try? SnapshotFile.decode(bytes, file: "f")) == snapshot, "does not read back")
      let redacted = snapshot.redacted(key: (1, 2))
      precondition(redacted.namespaces.count == snapshot.namespaces.count)
      if let last { _ = SnapshotDiff(from: last, to: snapshot).text }
      precondition(SnapshotDiff(from: snapshot, to: snapshot).changes.isEmpty)
      last = snapshot
    }
  }

  @Test("rulesets of any text")
  func rulesets() throws {
    try Self.fuzz("rulesets") { input in
      var namespace = NetnsSnapshot(id: NetnsCookie(rawValue: 1), inode: 1)
      let text = String(decoding: input, as: UTF8.self)
      namespace.rulesets = Ruleset.Tool.allCases.map { Ruleset(tool: $0, text: text) }
      let node = NodeSnapshot(node: "n", kernel: "k", bootID: "b", started: 1, finished: 2, namespaces: [namespace])
      let redacted = node.redacted(key: (1, 2))
      precondition(redacted.namespaces[0].rulesets.count == Ruleset.Tool.allCases.count)
      _ = SnapshotDiff(from: node, to: redacted).text
    }
  }
}
