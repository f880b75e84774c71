import NetModel
import NetSim
import NetTypes
import Testing

/// Policy rules, each selector both ways. A rule that matches leads to table 100, whose gateway nobody is: the sender then
/// sees `unreachable`, and else a connection by the table main.
struct RuleTests {
  private static let a = Fixture.a

  private static func selector(
    _ name: String, matches: Bool, to destination: String = "10.9.0.2", ask: (inout PathQuestion) -> Void = { _ in },
    _ change: @escaping @Sendable (inout PolicyRule) -> Void
  ) -> Example {
    Example(
      name, matches ? [.unreachable] : [.connected], matches ? "rejected a eth0 NEIGH_FAILED" : "delivered b",
      to: destination, ask: ask
    ) { fixture in
      fixture.route(a, "0.0.0.0/0", via: "10.9.0.77", table: 100)
      fixture.rule(a, 100, .lookup(100), change)
    }
  }

  static let selectors: [Example] = [
    selector("no selector", matches: true) { _ in },
    // The source is chosen first, then the rules are asked again (ip_route_connect).
    selector("from the chosen source", matches: true) { $0.source = IPPrefix("10.9.0.1/32") },
    selector("from another", matches: false) { $0.source = IPPrefix("10.9.0.3/32") },
    selector("from all", matches: true) { $0.source = IPPrefix("0.0.0.0/0") },
    selector("to the destination", matches: true) { $0.destination = IPPrefix("10.9.0.0/30") },
    selector("to another", matches: false) { $0.destination = IPPrefix("10.9.0.4/30") },
    selector("iif lo is what is sent from here", matches: true) { $0.inputInterface = "lo" },
    selector("iif of another interface", matches: false) { $0.inputInterface = "eth0" },
    selector("iif of an interface that is not there", matches: false) { $0.inputInterface = "eth7" },
    selector("oif of a bound socket", matches: true, ask: { $0.device = "eth0" }) { $0.outputInterface = "eth0" },
    selector("oif without a bound socket", matches: false) { $0.outputInterface = "eth0" },
    selector("fwmark", matches: true, ask: { $0.mark = 0x101 }) {
      $0.mark = 1
      $0.markMask = 0xff
    },
    selector("another fwmark", matches: false, ask: { $0.mark = 0x101 }) {
      $0.mark = 1
      $0.markMask = .max
    },
    selector("uidrange", matches: true, ask: { $0.uid = 1000 }) { $0.uids = 1000...1999 },
    selector("uidrange of others", matches: false, ask: { $0.uid = 2000 }) { $0.uids = 1000...1999 },
    selector("ipproto", matches: true) { $0.ipProtocol = .tcp },
    selector("another ipproto", matches: false) { $0.ipProtocol = .udp },
    selector("dport", matches: true) { $0.destinationPorts = 80...90 },
    selector("another dport", matches: false) { $0.destinationPorts = 81...90 },
    selector("sport that every program may get", matches: true) { $0.sourcePorts = 1024...65535 },
    selector("sport that no program gets", matches: false) { $0.sourcePorts = 1...1023 },
    selector("tos", matches: false) { $0.tos = 0x10 },
    selector("tun_id without a tunnel", matches: false) { $0.tunnelID = 7 },
    selector("not, and the selector does not fit", matches: true) {
      $0.source = IPPrefix("10.1.0.0/16")
      $0.isInverted = true
    },
    selector("not, and the selector fits", matches: false) {
      $0.ipProtocol = .tcp
      $0.isInverted = true
    },
    selector("several selectors, one does not fit", matches: false) {
      $0.ipProtocol = .tcp
      $0.destinationPorts = 443...443
    },
  ]

  @Test("a selector", arguments: selectors)
  func selector(example: Example) { example.check() }

  private static let wrong: Example.Change = { fixture in
    fixture.route(a, "0.0.0.0/0", via: "10.9.0.77", table: 100)
  }

  static let actions: [Example] = [
    Example("blackhole", [.unreachable], "failed EINVAL") { $0.rule(a, 100, .blackhole) },
    Example("unreachable", [.unreachable], "failed ENETUNREACH") { $0.rule(a, 100, .unreachable) },
    Example("prohibit", [.unreachable], "failed EACCES") { $0.rule(a, 100, .prohibit) },
    Example("nop", [.connected], "delivered b") { $0.rule(a, 100, .nop) },
    Example("an unknown action", [.undecided], "undecided") { $0.rule(a, 100, .unknown(9)) },
    Example("the local table comes before", [.refused], "rejected a eth0 NO_SOCKET", to: "10.9.0.1") {
      $0.rule(a, 100, .prohibit)
    },
    Example("lookup in a table without routes", [.connected], "delivered b") { $0.rule(a, 100, .lookup(100)) },
    Example("the lower priority comes first", [.unreachable], "failed EACCES") {
      $0.rule(a, 200, .blackhole)
      $0.rule(a, 100, .prohibit)
    },
    Example("goto leaves rules out", [.connected], "delivered b") {
      $0.rule(a, 100, .goto(300))
      $0.rule(a, 200, .prohibit)
      $0.rule(a, 300, .nop)
    },
    Example("goto to a rule that is not there goes on", [.unreachable], "failed EACCES") {
      $0.rule(a, 100, .goto(250))
      $0.rule(a, 200, .prohibit)
      $0.rule(a, 300, .nop)
    },
    Example("suppress_prefixlength leaves out a default route", [.connected], "delivered b") {
      wrong(&$0)
      $0.rule(a, 100, .lookup(100)) { $0.suppressPrefixLength = 0 }
    },
    Example("… and not a longer one", [.unreachable], "rejected a eth0 NEIGH_FAILED") {
      $0.route(a, "10.0.0.0/8", via: "10.9.0.77", table: 100)
      $0.rule(a, 100, .lookup(100)) { $0.suppressPrefixLength = 0 }
    },
    Example("suppress_ifgroup leaves out ways by a group", [.connected], "delivered b") {
      wrong(&$0)
      $0[a, 2].group = 7
      $0.rule(a, 100, .lookup(100)) { $0.suppressGroup = 7 }
    },
    Example("… and not by another", [.unreachable], "rejected a eth0 NEIGH_FAILED") {
      wrong(&$0)
      $0.rule(a, 100, .lookup(100)) { $0.suppressGroup = 7 }
    },
    Example("without a rule for the table main there is no route", [.unreachable], "failed ENETUNREACH") {
      $0[a].rules.removeAll { $0.family == .v4 && $0.priority == 32766 }
    },
  ]

  @Test("an action", arguments: actions)
  func action(example: Example) { example.check() }

  static let unknown: [Example] = [
    Example("sport that some programs get", [.connected, .undecided, .unreachable], "failed EACCES") {
      $0.rule(a, 100, .prohibit) { $0.sourcePorts = 30000...40000 }
    },
    Example("l3mdev", [.connected, .undecided, .unreachable], "failed EACCES") {
      $0.rule(a, 100, .prohibit) { $0.l3mdev = true }
    },
    Example("an unknown selector, inverted", [.connected, .undecided, .unreachable], "failed EACCES") {
      $0.rule(a, 100, .prohibit) {
        $0.unknownAttributes = [99]
        $0.isInverted = true
      }
    },
  ]

  @Test("a rule that nobody can decide is assumed both ways", arguments: unknown)
  func assumed(example: Example) {
    example.check()
    #expect(example.answer().branches.map { $0.assumptions.count } == [1, 1])
  }

  @Test("ICMP errors are sent with TOS 0xc0, which a rule may look at")
  func tosOfErrors() {
    func sender(_ tos: UInt8) -> [SenderView] {
      Example("", [], "", .udp(53)) { fixture in
        fixture.route(Fixture.b, "0.0.0.0/0", via: "10.9.0.77", table: 100)
        fixture.rule(Fixture.b, 100, .lookup(100)) { $0.tos = tos }
      }.answer().sender
    }
    #expect(sender(0xc0) == [.silence])
    #expect(sender(0x10) == [.refused])
  }
}
