import NetModel
import NetParse
import NetTypes
import Testing

/// Rules, routes and the rest: what the tests on the running kernel cannot make here.
struct DecodingTests {
  static let ruleHead: [UInt8] = [2, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0]
  static let routeHead: [UInt8] = [2, 24, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0]

  @Test("selectors of newer kernels make a rule's match unknown, unless they select nothing")
  func newSelectors() throws {
    let dscp = try PolicyRule(netlink: (Self.ruleHead + attribute(25, [10]))[...])
    #expect(dscp?.unknownAttributes == [25])
    let masks = attribute(24, number(UInt16(80)) + number(UInt16(80))) + attribute(29, number(UInt16.max))
    #expect(try PolicyRule(netlink: (Self.ruleHead + masks)[...])?.unknownAttributes == [])
    let narrow = attribute(24, number(UInt16(80)) + number(UInt16(80))) + attribute(29, number(UInt16(0xff)))
    #expect(try PolicyRule(netlink: (Self.ruleHead + narrow)[...])?.unknownAttributes == [29])
    #expect(throws: NetlinkFormatError.self) {
      try PolicyRule(netlink: (Self.ruleHead + attribute(24, number(UInt16(81)) + number(UInt16(80))))[...])
    }
  }

  @Test("encapsulation, dead and unknown parts of a route")
  func routes() throws {
    let hop: [UInt8] =
      number(UInt16(8 + 8 + 8)) + [1 | 16, 4] + number(Int32(3)) + attribute(5, [10, 0, 0, 9])
      + attribute(21, number(UInt16(1)))
    let bytes = Self.routeHead + attribute(1, [10, 1, 2, 0]) + attribute(9, hop) + attribute(99, [1])
    let route = try #require(try Route(netlink: bytes[...]))
    #expect(route.destination == IPPrefix("10.1.2.0/24"))
    #expect(
      route.nextHops == [
        NextHop(
          interface: 3, gateway: IPAddress("10.0.0.9"), weight: 5, isDead: true, isLinkDown: true, encapsulation: "mpls"
        )
      ])
    #expect(route.unknownAttributes == [99])
    let seg6 = try Route(
      netlink: (Self.routeHead + attribute(4, number(Int32(2))) + attribute(21, number(UInt16(5))))[...])
    #expect(seg6?.nextHops.first?.encapsulation == "seg6")
    #expect(throws: NetlinkFormatError.value("route type 12")) {
      var head = Self.routeHead
      head[7] = 12
      _ = try Route(netlink: head[...])
    }
  }

  @Test("weights of nexthop groups beyond 256 (6.12)")
  func wideWeights() throws {
    let head: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
    let group = number(UInt32(5)) + [0xff, 1, 0, 0] + number(UInt32(6)) + [0, 0, 0, 0]
    let object = try NexthopObject(
      netlink: (head + attribute(1, number(UInt32(9))) + attribute(2, group) + attribute(3, number(UInt16(1))))[...])
    #expect(object.members == [.init(id: 5, weight: 512), .init(id: 6, weight: 1)])
    #expect(object.isResilient)
    #expect(throws: NetlinkFormatError.self) {
      try NexthopObject(netlink: (head + attribute(1, number(UInt32(9))) + attribute(2, [1, 2, 3]))[...])
    }
  }

  @Test("lines of /proc/net/raw and raw6")
  func rawSockets() throws {
    let v4 = "  89: 0100007F:0059 00000000:0000 07 00000010:00000020 00:00000000 00000000  1000        0 12345 2 ab 0"
    let read = try #require(SocketEntry(procLine: v4[...], family: .v4))
    #expect(read.local == IPAddress("127.0.0.1") && read.localPort == 89 && read.state == "CLOSE")
    #expect(read.sendQueue == 16 && read.receiveQueue == 32 && read.uid == 1000 && read.inode == 12345)
    let v6 =
      "  58: 000080FE00000000FF565002BD9962FE:003A 00000000000000000000000000000000:0000 07 00000000:00000000 "
      + "00:00000000 00000000     0        0 77 2 ab 0"
    #expect(SocketEntry(procLine: v6[...], family: .v6)?.local == IPAddress("fe80::250:56ff:fe62:99bd"))
    let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    #expect(SocketEntry(procLine: head[...], family: .v4) == nil)
  }

  @Test("the kernel's own words about a refusal, whole and capped")
  func extendedErrors() throws {
    let quoted = NetlinkRequest.links.message(flags: 0, sequence: 3)
    let words = attribute(1, text("Carrier for nexthop device is down"))
    let whole = NetlinkMessage(type: 2, flags: 0x200, payload: (number(Int32(-100)) + quoted + words)[...])
    #expect(try whole.failure().errno == 100)
    #expect(try whole.failure().text == "Carrier for nexthop device is down")
    let capped = NetlinkMessage(type: 2, flags: 0x300, payload: (number(Int32(-22)) + quoted.prefix(16) + words)[...])
    #expect(try capped.failure().errno == 22)
    #expect(try capped.failure().text == "Carrier for nexthop device is down")
    let lying = NetlinkMessage(
      type: 2, flags: 0x200, payload: (number(Int32(-22)) + number(UInt32.max) + quoted.dropFirst(4))[...])
    #expect(throws: NetlinkFormatError.self) { try lying.failure() }
    let least = NetlinkMessage(type: 2, payload: (number(Int32.min) + quoted.prefix(16))[...])
    #expect(try least.failure().errno == .min)
  }

  @Test("counts of IPsec, numbers of namespaces, generations")
  func small() throws {
    let spd = number(UInt32(0)) + attribute(1, (1...6).flatMap { number(UInt32($0)) })
    let sad = number(UInt32(0)) + attribute(1, number(UInt32(4)))
    #expect(try XfrmCounts(policies: spd[...], states: sad[...]) == XfrmCounts(policies: 6, states: 4))
    let known: [UInt8] = [0, 0, 0, 0] + attribute(1, number(Int32(7)))
    #expect(try decodeNamespaceID(netlink: known[...]) == 7)
    let unknown: [UInt8] = [0, 0, 0, 0] + attribute(1, number(Int32(-1)))
    #expect(try decodeNamespaceID(netlink: unknown[...]) == nil)
    let generation: [UInt8] = [0, 0, 0, 0] + attribute(1, [0, 0, 1, 2])
    #expect(try decodeNFTGeneration(netlink: generation[...]) == 258)
  }

  /// Every decoder, on what a message may hold.
  static let decoders: [(name: String, read: @Sendable (ArraySlice<UInt8>) throws -> Void)] = [
    ("link", { _ = try DecodedLink(netlink: $0) }), ("vlans", { _ = try PortVLANs(netlink: $0) }),
    ("address", { _ = try InterfaceAddress(netlink: $0) }), ("neighbour", { _ = try Neighbour(netlink: $0) }),
    ("fdb", { _ = try FDBEntry(netlink: $0) }), ("rule", { _ = try PolicyRule(netlink: $0) }),
    ("route", { _ = try Route(netlink: $0) }), ("nexthop", { _ = try NexthopObject(netlink: $0) }),
    ("qdisc", { _ = try Qdisc(netlink: $0) }),
    ("filter", { _ = try TrafficFilter(netlink: $0, interface: 1, hook: .ingress) }),
    ("socket", { _ = try SocketEntry(netlink: $0, kind: .tcp) }),
    ("xfrm", { _ = try XfrmCounts(policies: $0, states: $0) }), ("table", { _ = try NFTTable(netlink: $0) }),
    ("generation", { _ = try decodeNFTGeneration(netlink: $0) }), ("id", { _ = try decodeNamespaceID(netlink: $0) }),
  ]

  @Test(
    "an attribute of length 0, or longer than the room, is an error to every decoder", arguments: decoders.map(\.name))
  func badAttributes(name: String) throws {
    let decoder = try #require(Self.decoders.first { $0.name == name })
    let heads = [
      "link": 16, "vlans": 16, "address": 8, "nexthop": 8, "qdisc": 20, "filter": 20, "socket": 72,
      "xfrm": 4, "table": 4, "generation": 4, "id": 4,
    ]
    for (length, room) in [(UInt16(0), 8), (3, 8), (9, 8), (.max, 8)] {
      var head = [UInt8](repeating: 0, count: heads[name] ?? 12)
      head[0] = name == "fdb" ? 7 : 2
      let bytes = head + number(length) + number(UInt16(1)) + [UInt8](repeating: 0, count: room - 4)
      #expect(throws: NetlinkFormatError.attributeLength(Int(length), room: room)) { try decoder.read(bytes[...]) }
    }
  }
}
