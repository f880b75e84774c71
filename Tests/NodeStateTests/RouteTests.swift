import Foundation
import NetModel
import NetTypes
import NodeState
import Testing

/// Addresses, neighbours, rules and routes as ip(8) shows them, field by field.
@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"))
struct RouteTests {
  static func world() throws -> Namespaces {
    let spaces = try Namespaces("r")
    try spaces.ip(
      "r",
      """
      link set lo up
      link add e0 type veth peer name e1
      link add e2 type veth peer name e3
      link set e0 up
      link set e1 up
      link set e2 up
      address add 10.1.0.1/24 broadcast 10.1.0.255 dev e0
      address add 10.1.0.9/24 dev e0 label e0:x
      address add 10.2.0.1 peer 10.2.0.2/32 dev e2
      address add 2001:db8:1::1/64 dev e0 nodad
      address add 2001:db8:2::1/128 dev e0 nodad valid_lft 1000 preferred_lft 500
      address add 2001:db8:3::1 peer 2001:db8:3::2/128 dev e2 nodad
      """)
    return spaces
  }

  @Test("addresses")
  func addresses() throws {
    let spaces = try Self.world()
    let snapshot = try spaces.collect("r")[0]
    var expected: Set<String> = []
    for link in try spaces.json("r", "ip", "-j", "addr") {
      for entry in link["addr_info"] as! [[String: Any]] {
        // With a peer, ip prints the own address as `local` and the peer as `address`.
        let forever = (entry["valid_life_time"] as! NSNumber).uint32Value == .max
        expected.insert(
          "\(link["ifindex"]!) \(entry["local"]!)/\(entry["prefixlen"]!) peer \(entry["address"] ?? "-") "
            + "brd \(entry["broadcast"] ?? "-") \(entry["scope"]!) label \(entry["label"] ?? "-") forever \(forever) "
            + "permanent \(!((entry["dynamic"] as? Bool) ?? false)) secondary \((entry["secondary"] as? Bool) ?? false)"
        )
      }
    }
    let scopes: [AddressScope: String] = [.universe: "global", .link: "link", .host: "host"]
    let found = snapshot.addresses.map { entry in
      "\(entry.interface) \(entry.address)/\(entry.prefixLength) peer \(entry.peer.map { "\($0)" } ?? "-") "
        + "brd \(entry.broadcast.map { "\($0)" } ?? "-") \(scopes[entry.scope] ?? "?") label \(entry.label ?? "-") "
        + "forever \(entry.validSeconds == nil) permanent \(entry.flags.contains(.permanent)) "
        + "secondary \(entry.flags.contains(.secondary))"
    }
    #expect(Set(found) == expected)
    #expect(found.count == expected.count)
    let limited = try #require(snapshot.addresses.first { $0.address == IPAddress("2001:db8:2::1") })
    #expect((990...1000).contains(limited.validSeconds ?? 0))
    #expect((490...500).contains(limited.preferredSeconds ?? 0))
  }

  @Test("neighbours: permanent, failed, learned, router and proxied")
  func neighbours() throws {
    let spaces = try Self.world()
    try spaces.ip(
      "r",
      """
      neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev e0 nud permanent
      neigh add 10.1.0.3 dev e0 nud failed
      neigh add 10.1.0.4 lladdr 02:00:00:00:00:04 dev e0 nud stale
      neigh add 2001:db8:1::2 lladdr 02:00:00:00:00:05 dev e0 nud permanent router
      neigh add 2001:db8:1::6 lladdr 02:00:00:00:00:06 dev e0 nud permanent extern_learn
      neigh add proxy 10.9.0.1 dev e0
      neigh add proxy 2001:db8:9::1 dev e2
      """)
    let snapshot = try spaces.collect("r")[0]
    let e0 = try #require(snapshot.links.first { $0.name == "e0" }).index
    let e2 = try #require(snapshot.links.first { $0.name == "e2" }).index
    func entry(
      _ address: String, _ mac: String?, _ state: NeighbourState, _ interface: Int32, proxy: Bool = false,
      router: Bool = false, external: Bool = false
    ) -> Neighbour {
      Neighbour(
        interface: interface, address: IPAddress(address)!, mac: mac.map { MACAddress($0)! }, state: state,
        isProxy: proxy, isRouter: router, isExternal: external)
    }
    let found = Set(snapshot.neighbours)
    for wanted in [
      entry("10.1.0.2", "02:00:00:00:00:02", .permanent, e0), entry("10.1.0.3", nil, .failed, e0),
      entry("10.1.0.4", "02:00:00:00:00:04", .stale, e0),
      entry("2001:db8:1::2", "02:00:00:00:00:05", .permanent, e0, router: true),
      entry("2001:db8:1::6", "02:00:00:00:00:06", .permanent, e0, external: true),
      entry("10.9.0.1", nil, .none, e0, proxy: true), entry("2001:db8:9::1", nil, .none, e2, proxy: true),
    ] {
      #expect(found.contains(wanted), "\(wanted)")
    }
  }

  @Test("policy rules with every selector")
  func rules() throws {
    let spaces = try Self.world()
    try spaces.ip(
      "r",
      """
      rule add priority 10 from 10.1.0.0/16 to 10.2.0.0/24 tos 0x10 lookup 100
      rule add priority 11 not fwmark 0x5/0xff lookup 101
      rule add priority 12 fwmark 7 goto 20
      rule add priority 13 iif e0 oif e2 blackhole
      rule add priority 14 uidrange 100-200 unreachable
      rule add priority 15 ipproto tcp sport 1000-2000 dport 80 prohibit
      rule add priority 16 tun_id 77 lookup 4000000000
      rule add priority 17 lookup main suppress_prefixlength 0
      rule add priority 18 lookup main suppress_ifgroup 3
      rule add priority 20 nop
      """)
    try spaces.ip("r", family: "-6", "rule add priority 30 from 2001:db8::/32 to 2001:db8:5::/48 l3mdev")
    let snapshot = try spaces.collect("r")[0]
    func rule(
      _ priority: UInt32, _ action: PolicyRule.Action, _ family: IPAddress.Family = .v4,
      _ set: (inout PolicyRule) -> Void
    ) -> PolicyRule {
      var rule = PolicyRule(family: family, priority: priority, action: action)
      set(&rule)
      return rule
    }
    let expected = [
      rule(0, .lookup(255)) { _ in },
      rule(10, .lookup(100)) {
        $0.source = IPPrefix("10.1.0.0/16")
        $0.destination = IPPrefix("10.2.0.0/24")
        $0.tos = 0x10
      },
      rule(11, .lookup(101)) {
        $0.mark = 5
        $0.markMask = 0xff
        $0.isInverted = true
      },
      rule(12, .goto(20)) {
        $0.mark = 7
        $0.markMask = .max
      },
      rule(13, .blackhole) {
        $0.inputInterface = "e0"
        $0.outputInterface = "e2"
      },
      rule(14, .unreachable) { $0.uids = 100...200 },
      rule(15, .prohibit) {
        $0.ipProtocol = .tcp
        $0.sourcePorts = 1000...2000
        $0.destinationPorts = 80...80
      },
      rule(16, .lookup(4_000_000_000)) { $0.tunnelID = 77 },
      rule(17, .lookup(254)) { $0.suppressPrefixLength = 0 },
      rule(18, .lookup(254)) { $0.suppressGroup = 3 },
      rule(20, .nop) { _ in },
      rule(32766, .lookup(254)) { _ in },
      rule(32767, .lookup(253)) { _ in },
      rule(0, .lookup(255), .v6) { _ in },
      rule(30, .lookup(0), .v6) {
        $0.source = IPPrefix("2001:db8::/32")
        $0.destination = IPPrefix("2001:db8:5::/48")
        $0.l3mdev = true
      },
      rule(32766, .lookup(254), .v6) { _ in },
    ]
    #expect(snapshot.rules.count == expected.count)
    for (found, wanted) in zip(snapshot.rules, expected) { #expect(found == wanted) }
    // The same rules in ip's own words, as far as it prints them.
    let listed = try spaces.json("r", "ip", "-j", "-N", "rule") + spaces.json("r", "ip", "-6", "-j", "-N", "rule")
    #expect(listed.map { $0["priority"] as? Int } == snapshot.rules.map { Int($0.priority) })
  }

  @Test("routes of every type, multipath, by other families' gateways, by nexthop objects, with metrics")
  func routes() throws {
    let spaces = try Self.world()
    try spaces.ip(
      "r",
      """
      link set e3 up
      nexthop add id 1 via 10.1.0.2 dev e0
      nexthop add id 2 dev e0
      nexthop add id 3 blackhole
      nexthop add id 4 via 10.1.0.4 dev e0
      nexthop add id 10 group 1,2/4,200
      route add 10.10.0.0/16 via 10.1.0.2 src 10.1.0.9 metric 5 mtu lock 1400 hoplimit 7
      route add 10.11.0.0/16 nexthop via 10.1.0.2 dev e0 weight 3 nexthop dev e2 weight 1
      route add 10.12.0.0/16 via inet6 2001:db8:1::2 dev e0
      route add 10.13.0.0/16 via 10.77.0.1 dev e0 onlink
      route add 10.14.0.0/16 nhid 10
      route add blackhole 10.15.0.0/16
      route add unreachable 10.16.0.0/16 metric 100
      route add prohibit 10.17.0.0/16 table 5000
      route add throw 10.18.0.0/16 table 100
      route add broadcast 10.19.0.255 dev e0 table 100
      route add local 10.20.0.0/16 dev lo table 100
      route add 10.21.0.0/16 dev e2 tos 0x10 proto static scope link
      """)
    try spaces.ip(
      "r", family: "-6",
      """
      route add 2001:db8:10::/48 via 2001:db8:1::2 dev e0 metric 7 pref high
      route add 2001:db8:11::/48 from 2001:db8:5::/64 via 2001:db8:1::2 dev e0
      route add 2001:db8:12::/48 nexthop via 2001:db8:1::2 dev e0 weight 5 nexthop via 2001:db8:1::3 dev e0
      route add unreachable 2001:db8:13::/48
      route add blackhole 2001:db8:14::/48 table 77
      """)
    try spaces.ip("r", "link set e3 down")
    let snapshot = try spaces.collect("r")[0]
    let e0 = try #require(snapshot.links.first { $0.name == "e0" }).index
    let e2 = try #require(snapshot.links.first { $0.name == "e2" }).index
    func check(_ prefix: String, _ body: (Route) -> Void) throws {
      body(try #require(snapshot.routes.first { $0.destination == IPPrefix(prefix) }))
    }
    try check("10.10.0.0/16") { route in
      #expect(route.nextHops == [NextHop(interface: e0, gateway: IPAddress("10.1.0.2"))])
      #expect(route.preferredSource == IPAddress("10.1.0.9"))
      #expect(route.metric == 5)
      #expect(route.mtu == 1400)
      #expect(route.isMTULocked)
      #expect(route.hopLimit == 7)
    }
    try check("10.11.0.0/16") { route in
      #expect(
        route.nextHops == [
          NextHop(interface: e0, gateway: IPAddress("10.1.0.2"), weight: 3),
          NextHop(interface: e2, weight: 1, isLinkDown: true),
        ])
    }
    try check("10.12.0.0/16") { #expect($0.nextHops[0].gateway == IPAddress("2001:db8:1::2")) }
    try check("10.13.0.0/16") { #expect($0.nextHops[0].isOnLink) }
    try check("10.14.0.0/16") { #expect($0.nexthopID == 10) }
    try check("10.15.0.0/16") { #expect($0.type == .blackhole) }
    try check("10.16.0.0/16") { #expect($0.type == .unreachable) }
    try check("10.17.0.0/16") { #expect($0.type == .prohibit && $0.table == 5000) }
    try check("10.18.0.0/16") { #expect($0.type == .throw && $0.table == 100) }
    try check("10.19.0.255/32") { #expect($0.type == .broadcast) }
    try check("10.20.0.0/16") { #expect($0.type == .local && $0.scope == .host) }
    try check("10.21.0.0/16") { #expect($0.tos == 0x10 && $0.origin == 4 && $0.scope == .link) }
    try check("2001:db8:10::/48") { #expect($0.metric == 7 && $0.preference == 1) }
    try check("2001:db8:11::/48") { #expect($0.source == IPPrefix("2001:db8:5::/64")) }
    try check("2001:db8:12::/48") { route in
      #expect(route.nextHops.map(\.weight) == [5, 1])
      #expect(route.nextHops.map(\.gateway) == [IPAddress("2001:db8:1::2"), IPAddress("2001:db8:1::3")])
    }
    try check("2001:db8:13::/48") { #expect($0.type == .unreachable) }
    try check("2001:db8:14::/48") { #expect($0.type == .blackhole && $0.table == 77) }
    #expect(snapshot.routes.allSatisfy { $0.unknownAttributes.isEmpty })

    // Everything that ip lists is there, and nothing else.
    func line(_ destination: String, _ table: String, _ type: String, _ metric: Int) -> String {
      "\(destination) table \(table) \(type) metric \(metric)"
    }
    let families: [(String, IPAddress.Family)] = [("-4", .v4), ("-6", .v6)]
    for (option, family) in families {
      let listed = try spaces.json("r", "ip", option, "-j", "-N", "-d", "route", "show", "table", "all").map { route in
        var destination = route["dst"] as! String
        if destination == "default" { destination = family == .v4 ? "0.0.0.0/0" : "::/0" }
        if !destination.contains("/") { destination += family == .v4 ? "/32" : "/128" }
        let types = [
          "1": "unicast", "2": "local", "3": "broadcast", "4": "anycast", "5": "multicast", "6": "blackhole",
          "7": "unreachable", "8": "prohibit", "9": "throw",
        ]
        let type = route["type"] as? String ?? "1"
        return line(
          destination, route["table"] as? String ?? "254", types[type] ?? type,
          (route["metric"] as? Int) ?? 0)
      }
      let found = snapshot.routes.filter { $0.family == family }.map {
        line("\($0.destination)", "\($0.table)", $0.type.rawValue, Int($0.metric))
      }
      #expect(found.sorted() == listed.sorted())
    }
    let objects = Dictionary(uniqueKeysWithValues: snapshot.nexthops.map { ($0.id, $0) })
    #expect(objects[1]?.nextHop?.gateway == IPAddress("10.1.0.2"))
    #expect(objects[2]?.nextHop?.interface == e0)
    #expect(objects[3]?.isBlackhole == true)
    #expect(objects[10]?.members == [.init(id: 1, weight: 2), .init(id: 4, weight: 200)])
  }
}
