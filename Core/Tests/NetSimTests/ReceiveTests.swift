import NetModel
import NetSim
import NetTypes
import Testing

/// What a node does with a packet that comes in: source validation, forwarding, MTU, and the errors that it answers.
struct ReceiveTests {
  private static let a = Fixture.a
  private static let b = Fixture.b
  private static let c = Fixture.c

  // MARK: Source validation (fib_validate_source)

  /// `a` asks from 10.50.0.1, and knows `b` already, so that the question for its neighbour does not fail first. `back` is
  /// how `b` gets to that address.
  private static func source(
    _ name: String, _ sender: [SenderView], _ end: String, filter: Int32, back: Int32?, change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, ask: { $0.source = IPAddress("10.50.0.1") }) { fixture in
      fixture.address(a, 2, "10.50.0.1/32")
      fixture.neighbour(a, "10.9.0.2", Fixture.mac(b, 2))
      fixture.device(b, 3, .dummy)
      fixture[b, 2].ipv4!.rpFilter = filter
      if let back { fixture.route(b, "10.50.0.0/24", dev: back) }
      change(&fixture)
    }
  }

  static let sources: [Example] = [
    source("rp_filter 1, back by the same interface", [.connected], "delivered b", filter: 1, back: 2) { _ in },
    source("rp_filter 1, back by another", [.silence], "dropped b eth0 IP_RPFILTER", filter: 1, back: 3) { _ in },
    source("rp_filter 1, no way back", [.silence], "dropped b eth0 IP_RPFILTER", filter: 1, back: nil) { _ in },
    source("rp_filter 2, no way back", [.silence], "dropped b eth0 IP_RPFILTER", filter: 2, back: nil) { _ in },
    source("rp_filter 0, no way back", [.silence], "delivered b", filter: 0, back: nil) { _ in },
    source(
      "the larger of an interface's and all's counts", [.silence], "dropped b eth0 IP_RPFILTER", filter: 0, back: 3
    ) {
      $0[b].ipv4All!.rpFilter = 1
    },
    source("2 is larger than 1", [.undecided], "delivered b", filter: 1, back: 3) {
      $0[b].ipv4All!.rpFilter = 2
      // The answer leaves what is known by another interface.
      $0[b, 3].kind = .physical
    },
    source("one's own address", [.silence], "dropped b eth0 IP_LOCAL_SOURCE", filter: 0, back: nil) {
      $0.address(b, 3, "10.50.0.1/32")
    },
    source("… with rp_filter", [.silence], "dropped b eth0 IP_LOCAL_SOURCE", filter: 1, back: nil) {
      $0.address(b, 3, "10.50.0.1/32")
    },
    source(
      "… with accept_local it comes in, and the answer stays there", [.silence], "delivered b", filter: 0, back: nil
    ) {
      $0.address(b, 3, "10.50.0.1/32")
      $0[b, 2].ipv4!.acceptLocal = 1
    },
    source("an address that is a broadcast there", [.silence], "dropped b eth0 IP_INVALID_SOURCE", filter: 1, back: nil)
    {
      $0.route(b, "10.50.0.1/32", type: .broadcast, table: 255)
    },
  ]

  @Test("whether a source may come in", arguments: sources)
  func source(example: Example) { example.check() }

  private static func loopback(_ fixture: inout Fixture, receiver: Int32) {
    for netns in [a, b] { fixture.route(netns, "127.0.0.0/8", dev: 1, type: .local, table: 255) }
    fixture.neighbour(a, "10.9.0.2", Fixture.mac(b, 2))
    fixture[a].ipv4All!.routeLocalnet = 1
    fixture[b].ipv4All!.routeLocalnet = receiver
  }

  static let martians: [Example] = [
    Example("127.0.0.1 from outside", [.silence], "dropped b eth0 IP_LOCALNET", ask: fromLoopback) {
      loopback(&$0, receiver: 0)
    },
    Example("… with route_localnet it is its own", [.silence], "dropped b eth0 IP_LOCAL_SOURCE", ask: fromLoopback) {
      loopback(&$0, receiver: 1)
      $0.address(b, 1, "127.0.0.1/8")
    },
  ]

  private static func fromLoopback(_ question: inout PathQuestion) { question.source = IPAddress("127.0.0.1") }

  @Test("loopback addresses", arguments: martians)
  func martian(example: Example) { example.check() }

  // MARK: Forwarding

  /// `a` – `b` – `c`, where `b` forwards between 10.9.0.0/24 and 10.8.0.0/24, and `c` (10.8.0.2) listens.
  static let chain: @Sendable () -> Fixture = {
    var fixture = Fixture()
    fixture.add(c, "c")
    fixture.wire(b, 3, c, 2)
    fixture.address(b, 3, "10.8.0.1/24")
    fixture.address(c, 2, "10.8.0.2/24")
    fixture.route(a, "0.0.0.0/0", via: "10.9.0.2")
    fixture.route(c, "0.0.0.0/0", via: "10.8.0.1")
    for index: Int32 in [2, 3] { fixture[b, index].ipv4!.forwarding = 1 }
    fixture.listen(c)
    return fixture
  }

  private static func forwarding(
    _ name: String, _ sender: [SenderView], _ end: String, to destination: String = "10.8.0.2",
    _ transport: Transport = .tcp(80), ask: (inout PathQuestion) -> Void = { _ in }, change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, on: chain, to: destination, transport, ask: ask, change: change)
  }

  static let forwarded: [Example] = [
    forwarding("forwarding", [.connected], "delivered c") { _ in },
    forwarding("off where the packet comes in", [.silence], "dropped b eth0 IP_INADDRERRORS") {
      $0[b, 2].ipv4!.forwarding = 0
    },
    forwarding("off where the answer comes in", [.silence], "delivered c") { $0[b, 3].ipv4!.forwarding = 0 },
    forwarding("no route", [.unreachable], "rejected b eth0 IP_INNOROUTES", to: "10.6.0.1") { _ in },
    forwarding("no route, and no forwarding: no error", [.silence], "dropped b eth0 IP_INADDRERRORS", to: "10.6.0.1") {
      $0[b, 2].ipv4!.forwarding = 0
    },
    forwarding("no route, by UDP: not fatal", [.silence], "rejected b eth0 IP_INNOROUTES", to: "10.6.0.1", .udp(53)) {
      _ in
    },
    forwarding("a route of type unreachable", [.unreachable], "rejected b eth0 NOT_SPECIFIED") {
      $0.route(b, "10.8.0.2/32", type: .unreachable)
    },
    forwarding("of type prohibit", [.unreachable], "rejected b eth0 NOT_SPECIFIED") {
      $0.route(b, "10.8.0.2/32", type: .prohibit)
    },
    forwarding("of type blackhole", [.silence], "dropped b eth0 NOT_SPECIFIED") {
      $0.route(b, "10.8.0.2/32", type: .blackhole)
    },
    forwarding("a neighbour that does not answer", [.unreachable], "rejected b eth1 NEIGH_FAILED", to: "10.8.0.9") {
      _ in
    },
    forwarding("the far host has no way back", [.silence], "delivered c") {
      $0[c].routes.removeAll { $0.destination.length == 0 }
    },
    forwarding("an error has no way back", [.silence], "rejected b eth0 IP_INNOROUTES", to: "10.6.0.1") {
      $0[b].routes.removeAll { $0.destination == IPPrefix("10.9.0.0/24") }
    },
    forwarding("nobody listens", [.refused], "rejected c eth0 NO_SOCKET", .tcp(81)) { _ in },
    forwarding("ping", [.reply], "delivered c", .icmp) { _ in },
  ]

  @Test("forwarding", arguments: forwarded)
  func forwarding(example: Example) { example.check() }

  private static func narrow(_ fixture: inout Fixture) {
    for (netns, index) in [(b, 3), (c, 2)] as [(NetnsCookie, Int32)] { fixture[netns, index].mtu = 1400 }
  }

  static let sizes: [Example] = [
    forwarding("a SYN fits", [.connected], "delivered c", change: narrow),
    forwarding(
      "a large echo request is divided", [.reply], "delivered c", .icmp, ask: { $0.payload = 3000 }, change: narrow),
    forwarding(
      "with Don't Fragment it is too big on the way", [.unreachable], "rejected b eth0 PKT_TOO_BIG", .icmp,
      ask: {
        $0.payload = 1400
        $0.dontFragment = true
      }, change: narrow),
    forwarding(
      "… which exactly fits", [.reply], "delivered c", .icmp,
      ask: {
        $0.payload = 1372
        $0.dontFragment = true
      }, change: narrow),
    forwarding(
      "… and at once", [.unreachable], "failed EMSGSIZE", .icmp,
      ask: {
        $0.payload = 1473
        $0.dontFragment = true
      }, change: narrow),
    forwarding(
      "a route's MTU counts", [.unreachable], "failed EMSGSIZE", .icmp,
      ask: {
        $0.payload = 1400
        $0.dontFragment = true
      }
    ) { $0.route(a, "10.8.0.0/24", via: "10.9.0.2") { $0.mtu = 1300 } },
  ]

  @Test("sizes", arguments: sizes)
  func size(example: Example) { example.check() }

  // MARK: IPv6

  /// The same chain with fd00:9::/64 and fd00:8::/64.
  private static func forwarding6(
    _ name: String, _ sender: [SenderView], _ end: String, to destination: String = "fd00:8::2",
    ask: (inout PathQuestion) -> Void = { _ in }, change: @escaping Example.Change
  ) -> Example {
    forwarding(name, sender, end, to: destination, .icmp, ask: ask) { fixture in
      for (netns, index, network, host) in [(a, 2, 9, 1), (b, 2, 9, 2), (b, 3, 8, 1), (c, 2, 8, 2)]
        as [(NetnsCookie, Int32, Int, Int)]
      {
        fixture.address(netns, index, "fd00:\(network)::\(host)/64")
        fixture.address(netns, index, "fe80::\(network)\(host)/64")
      }
      fixture.route(a, "::/0", via: "fd00:9::2") { $0.metric = 1024 }
      fixture.route(c, "::/0", via: "fd00:8::1") { $0.metric = 1024 }
      fixture[b].ipv6All!.forwarding = 1
      for index: Int32 in [2, 3] { fixture[b, index].ipv6!.forwarding = 1 }
      change(&fixture)
    }
  }

  static let forwarded6: [Example] = [
    forwarding6("forwarding", [.reply], "delivered c") { _ in },
    forwarding6("off", [.silence], "dropped b eth0 IP_INADDRERRORS") { $0[b].ipv6All!.forwarding = 0 },
    forwarding6("off, but forced on both interfaces", [.reply], "delivered c") {
      $0[b].ipv6All!.forwarding = 0
      for index: Int32 in [2, 3] { $0[b, index].ipv6!.forceForwarding = 1 }
    },
    forwarding6("the switch of the interface alone does not count", [.reply], "delivered c") {
      for index: Int32 in [2, 3] { $0[b, index].ipv6!.forwarding = 0 }
    },
    forwarding6("no route", [.unreachable], "rejected b eth0 IP_INNOROUTES", to: "fd00:7::1") { _ in },
    forwarding6("of type prohibit", [.unreachable], "rejected b eth0 IP_INNOROUTES") {
      $0.route(b, "fd00:8::2/128", type: .prohibit)
    },
    forwarding6("of type blackhole", [.silence], "dropped b eth0 NOT_SPECIFIED") {
      $0.route(b, "fd00:8::2/128", type: .blackhole)
    },
    forwarding6("a neighbour that does not answer", [.unreachable], "rejected b eth1 NOT_SPECIFIED", to: "fd00:8::9") {
      _ in
    },
    forwarding6("packets are not divided on the way", [.unreachable], "rejected b eth0 PKT_TOO_BIG", ask: large) {
      for (netns, index) in [(b, 3), (c, 2)] as [(NetnsCookie, Int32)] {
        $0[netns, index].mtu = 1400
        $0[netns, index].ipv6!.mtu = 1400
      }
    },
    forwarding6("the lower metric wins", [.unreachable], "failed EACCES") {
      $0.route(a, "fd00:8::2/128", type: .prohibit) { $0.metric = 10 }
      $0.route(a, "fd00:8::2/128", via: "fd00:9::2") { $0.metric = 20 }
    },
    forwarding6("a rule of IPv6", [.unreachable], "failed EACCES") {
      $0.rule(a, 100, .prohibit, family: .v6) { $0.destination = IPPrefix("fd00:8::/64") }
    },
    forwarding6("a rule of IPv4 does not count", [.reply], "delivered c") { $0.rule(a, 100, .prohibit) },
    forwarding6("a route for other sources is hidden", [.reply], "delivered c") {
      $0.route(a, "fd00:8::2/128", type: .prohibit) { $0.source = IPPrefix("fd00:5::/64") }
    },
  ]

  private static func large(_ question: inout PathQuestion) { question.payload = 1440 }

  @Test("forwarding of IPv6", arguments: forwarded6)
  func forwarding6(example: Example) { example.check() }

  @Test("a TTL that ends on the way is told")
  func ttl() {
    func sender(_ ttl: String) -> PathAnswer {
      Self.forwarding("", [], "") { $0[Self.a].sysctls["net.ipv4.ip_default_ttl"] = ttl }.answer()
    }
    #expect(sender("1").outcome == .looped)
    #expect(sender("1").sender == [.unreachable])
    #expect(sender("2").sender == [.connected])
  }
}
