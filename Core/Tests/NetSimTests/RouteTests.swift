import NetModel
import NetSim
import NetTypes
import Testing

/// Routes and source addresses of what is sent. `10.9.0.77` is nobody.
struct RouteTests {
  private static let a = Fixture.a
  private static let lost = "rejected a eth0 NEIGH_FAILED"

  static let types: [Example] = [
    Example("unicast", [.connected], "delivered b") { _ in },
    Example("blackhole", [.unreachable], "failed EINVAL") { $0.route(a, "10.9.0.2/32", type: .blackhole) },
    Example("unreachable", [.unreachable], "failed EHOSTUNREACH") { $0.route(a, "10.9.0.2/32", type: .unreachable) },
    Example("prohibit", [.unreachable], "failed EACCES") { $0.route(a, "10.9.0.2/32", type: .prohibit) },
    Example("throw in the last table", [.unreachable], "failed ENETUNREACH") {
      $0.route(a, "10.9.0.2/32", type: .throw)
    },
    Example("throw in a table of a rule goes on with the next rule", [.connected], "delivered b") {
      $0.route(a, "10.9.0.2/32", type: .throw, table: 100)
      $0.route(a, "0.0.0.0/0", type: .prohibit, table: 100)
      $0.rule(a, 100, .lookup(100))
    },
    Example("local", [.refused], "rejected a lo NO_SOCKET") {
      $0.route(a, "10.9.0.2/32", dev: 1, type: .local, table: 255)
    },
    Example("broadcast, by TCP", [.unreachable], "failed ENETUNREACH", to: "10.9.0.255") {
      $0.route(a, "10.9.0.255/32", type: .broadcast, table: 255)
    },
    Example("broadcast, by UDP", [.unreachable], "failed EACCES", to: "10.9.0.255", .udp(53)) {
      $0.route(a, "10.9.0.255/32", type: .broadcast, table: 255)
    },
    Example("multicast, by TCP", [.unreachable], "failed ENETUNREACH", to: "224.0.0.5") { _ in },
    Example("multicast, by UDP", [.undecided], "undecided", to: "224.0.0.5", .udp(53)) { _ in },
    Example("none", [.unreachable], "failed ENETUNREACH", to: "192.0.2.1") { _ in },
  ]

  @Test("a route's type", arguments: types)
  func type(example: Example) { example.check() }

  static let choice: [Example] = [
    Example("a longer prefix wins", [.unreachable], lost) { $0.route(a, "10.9.0.2/31", via: "10.9.0.77") },
    Example("a shorter one does not", [.connected], "delivered b") { $0.route(a, "10.9.0.0/16", via: "10.9.0.77") },
    Example("of equals the first, which has the lowest metric", [.unreachable], lost) {
      $0.route(a, "10.9.0.2/32", via: "10.9.0.77") { $0.metric = 10 }
      $0.route(a, "10.9.0.2/32") { $0.metric = 20 }
    },
    Example("a route for another TOS is passed over", [.connected], "delivered b") {
      $0.route(a, "10.9.0.2/32", via: "10.9.0.77") { $0.tos = 0x10 }
    },
    Example("a dead way is passed over", [.connected], "delivered b") {
      $0.route(a, "10.9.0.2/32", via: "10.9.0.77") { $0.nextHops[0].isDead = true }
    },
    Example("a way without carrier is taken", [.unreachable], lost) {
      $0.route(a, "10.9.0.2/32", via: "10.9.0.77") { $0.nextHops[0].isLinkDown = true }
    },
    Example("… but not with ignore_routes_with_linkdown", [.connected], "delivered b") {
      $0.route(a, "10.9.0.2/32", via: "10.9.0.77") { $0.nextHops[0].isLinkDown = true }
      $0[a, 2].ipv4!.ignoreRoutesWithLinkdown = 1
    },
    Example("a socket bound to an interface takes only ways by it", [.connected], "delivered b", ask: bound) {
      $0.device(a, 3, .dummy)
      $0.route(a, "10.9.0.2/32", dev: 3)
    },
    Example(
      "… and without any asks for the destination itself", [.unreachable], lost, to: "192.0.2.1", ask: bound
    ) { _ in },
    Example("a cached route is none", [.connected], "delivered b") {
      $0.route(a, "10.9.0.2/32", via: "10.9.0.77") { $0.isCached = true }
    },
  ]

  private static func bound(_ question: inout PathQuestion) { question.device = "eth0" }

  @Test("which route is taken", arguments: choice)
  func taken(example: Example) { example.check() }

  private static func several(_ fixture: inout Fixture) {
    fixture[a].nexthops = [
      NexthopObject(id: 1, nextHop: NextHop(interface: 2)),
      NexthopObject(id: 2, nextHop: NextHop(interface: 2, gateway: IPAddress("10.9.0.77")!)),
      NexthopObject(id: 3, isBlackhole: true),
      NexthopObject(id: 12, members: [.init(id: 1, weight: 1), .init(id: 2, weight: 1)]),
      NexthopObject(id: 33, members: [.init(id: 3, weight: 1)]),
      NexthopObject(id: 99, members: [.init(id: 1, weight: 1), .init(id: 2, weight: 1)], isResilient: true),
    ]
  }

  private static func object(_ name: String, _ id: UInt32, _ sender: [SenderView], _ end: String) -> Example {
    Example(name, sender, end) { fixture in
      several(&fixture)
      fixture.route(a, "10.9.0.2/32") {
        $0.nexthopID = id
        $0.nextHops = []
      }
    }
  }

  static let ways: [Example] = [
    Example("two ways", [.connected, .unreachable], "delivered b") {
      $0.route(a, "10.9.0.2/32") { $0.nextHops.append(NextHop(interface: 2, gateway: IPAddress("10.9.0.77")!)) }
    },
    object("a nexthop object", 1, [.connected], "delivered b"),
    object("one that nobody is", 2, [.unreachable], lost),
    object("a blackhole object", 3, [.unreachable], "failed EINVAL"),
    object("a group", 12, [.connected, .unreachable], "delivered b"),
    object("a group of a blackhole", 33, [.unreachable], "failed EINVAL"),
    object("a resilient group", 99, [.undecided], "undecided"),
    object("an object that is not known", 7, [.undecided], "undecided"),
    Example("a group leaves out ways whose gateway is known to be gone", [.connected], "delivered b") { fixture in
      several(&fixture)
      fixture.neighbour(a, "10.9.0.77", nil, .failed)
      fixture.route(a, "10.9.0.2/32") {
        $0.nexthopID = 12
        $0.nextHops = []
      }
    },
    Example("… other routes do so with fib_multipath_use_neigh", [.connected], "delivered b") { fixture in
      fixture[a].sysctls["net.ipv4.fib_multipath_use_neigh"] = "1"
      fixture.neighbour(a, "10.9.0.77", nil, .failed)
      fixture.route(a, "10.9.0.2/32") {
        $0.nextHops.append(NextHop(interface: 2, gateway: IPAddress("10.9.0.77")!))
      }
    },
  ]

  @Test("several ways", arguments: ways)
  func branching(example: Example) { example.check() }

  static let sources: [(name: String, source: String, change: Example.Change)] = [
    ("the route's own", "10.9.0.1", { _ in }),
    (
      "another of the route's", "10.9.0.5",
      {
        $0.address(a, 2, "10.9.0.5/24")
        $0.route(a, "10.9.0.2/32") { $0.preferredSource = IPAddress("10.9.0.5")! }
      }
    ),
    ("without, the first of the interface", "10.9.0.1", { $0.route(a, "10.9.0.2/32") }),
    (
      "… that is not secondary", "10.9.0.5",
      {
        $0.address(a, 2, "10.9.0.5/24")
        $0[a].addresses[0].flags = .secondary
        $0.route(a, "10.9.0.2/32")
      }
    ),
    (
      "… of the gateway's network", "10.8.0.1",
      {
        $0.address(a, 2, "10.8.0.1/24")
        $0.route(a, "10.9.0.2/32", via: "10.8.0.2") { $0.nextHops[0].isOnLink = true }
      }
    ),
    (
      "… of the route's scope", "10.9.0.5",
      {
        $0[a].addresses[0].scope = .host
        $0.address(a, 2, "10.9.0.5/24")
        $0.route(a, "10.9.0.2/32")
      }
    ),
    (
      "… or else another interface's", "10.7.0.1",
      {
        $0[a].addresses = []
        $0.device(a, 3, .dummy)
        $0.address(a, 3, "10.7.0.1/24")
        $0.route(a, "10.9.0.2/32")
      }
    ),
  ]

  @Test("the source of IPv4", arguments: sources.map(\.name))
  func source(name: String) {
    let one = Self.sources.first { $0.name == name }!
    let answer = Example("", [], "", change: one.change).answer()
    #expect(answer.branches[0].forward.tuple.source.description == one.source)
  }

  static let sources6: [(name: String, source: String, change: Example.Change)] = [
    ("of the destination's scope", "fd00::1", { _ in }),
    (
      "the address itself", "fd00::2",
      { $0.address(a, 2, "fd00::2/64") }
    ),
    (
      "not deprecated", "fd00::5",
      {
        $0[a].addresses[1].flags = .deprecated
        $0.address(a, 2, "fd00::5/64")
      }
    ),
    (
      "not tentative", "fd00::5",
      {
        $0[a].addresses[1].flags = .tentative
        $0.address(a, 2, "fd00::5/64")
      }
    ),
    (
      "of the way out before another interface's", "fd00::1",
      {
        $0.device(a, 3, .dummy)
        $0.address(a, 3, "fd00:0:0:7::3/64")
      }
    ),
    (
      "of the same label", "fd00::1",
      { $0.address(a, 2, "2001:db8::1/64") }
    ),
    (
      "of the longest common prefix", "fd00::3",
      {
        $0[a].addresses[1].address = IPAddress("fd00:0:0:8::1")!
        $0.address(a, 2, "fd00::3/64")
      }
    ),
    (
      "the route's own", "fd00::9",
      {
        $0.address(a, 2, "fd00::9/64")
        $0.route(a, "fd00::2/128") { $0.preferredSource = IPAddress("fd00::9")! }
      }
    ),
  ]

  @Test("the source of IPv6 (RFC 6724)", arguments: sources6.map(\.name))
  func source6(name: String) {
    let one = Self.sources6.first { $0.name == name }!
    let example = Example("", [], "", to: "fd00::2") {
      $0.addIPv6()
      one.change(&$0)
    }
    #expect(example.answer().branches[0].forward.tuple.source.description == one.source)
  }

  static let bindings: [Example] = [
    Example("an own address", [.connected], "delivered b") { _ in },
    Example("an address of nobody here", [.unreachable], "failed EADDRNOTAVAIL", ask: { $0.source = foreign }) { _ in },
    Example("of another family", [.unreachable], "failed EAFNOSUPPORT", ask: { $0.source = IPAddress("fd00::1") }) {
      _ in
    },
    Example("no such interface", [.unreachable], "failed ENODEV", ask: { $0.device = "eth9" }) { _ in },
    Example("an interface that is down", [.unreachable], "failed ENETUNREACH", ask: bound) { $0[a, 2].flags = [] },
    Example("link-local without an interface", [.unreachable], "failed EINVAL", to: "fe80::2") { $0.addIPv6() },
    Example("a loopback source may not leave", [.unreachable], "failed EINVAL", ask: { $0.source = loopback }) {
      $0.route(a, "127.0.0.0/8", dev: 1, type: .local, table: 255)
    },
  ]

  private static let foreign = IPAddress("10.9.0.44")!
  private static let loopback = IPAddress("127.0.0.1")!

  @Test("what a socket is bound to", arguments: bindings)
  func binding(example: Example) { example.check() }
}
