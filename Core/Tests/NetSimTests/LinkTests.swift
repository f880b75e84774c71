import NetModel
import NetSim
import NetTypes
import Testing

/// Frames on veths, bridges, vxlans and macvlans.
struct LinkTests {
  private static let a = Fixture.a
  private static let b = Fixture.b
  private static let c = Fixture.c
  private static let d = Fixture.d
  private static let lost = "rejected a eth0 NEIGH_FAILED"

  private static func known(_ fixture: inout Fixture) {
    fixture.neighbour(a, "10.9.0.2", Fixture.mac(b, 2))
    fixture.neighbour(b, "10.9.0.1", Fixture.mac(a, 2))
  }

  static let veths: [Example] = [
    Example("the sender's end is down", [.silence], "dropped a eth0 QDISC_DROP") {
      known(&$0)
      $0[a, 2].flags = [.broadcast, .multicast]
    },
    Example("… no carrier", [.silence], "dropped a eth0 QDISC_DROP") {
      known(&$0)
      $0[a, 2].carrier = false
    },
    Example("the other end is down", [.silence], "dropped a eth0 NOT_SPECIFIED") {
      known(&$0)
      $0[b, 2].flags = [.broadcast, .multicast]
    },
    Example("… which ping hears of", [.unreachable], "dropped a eth0 NOT_SPECIFIED", .icmp) {
      known(&$0)
      $0[b, 2].flags = [.broadcast, .multicast]
    },
    Example("… and the neighbour does not answer", [.unreachable], lost) {
      $0[b, 2].flags = [.broadcast, .multicast]
    },
    Example("a smaller MTU on the other end", [.silence], "dropped a eth0 NOT_SPECIFIED", .udp(53), ask: large) {
      known(&$0)
      $0[b, 2].mtu = 1400
    },
    Example("… smaller by a VLAN tag at most", [.refused], "rejected b eth0 NO_SOCKET", .udp(53), ask: large) {
      known(&$0)
      $0[b, 2].mtu = 1496
    },
    Example("a peer in a namespace that is not known", [.undecided], "left a eth0") {
      $0[a, 2].linkNetns = nil
      $0[a, 2].linkNetnsUnknown = true
    },
  ]

  private static func large(_ question: inout PathQuestion) { question.payload = 1472 }

  @Test("veth", arguments: veths)
  func veth(example: Example) { example.check() }

  // MARK: Bridge

  /// `a`, `b` and `c` (10.9.0.1 to 10.9.0.3) at the ports eth0, eth1 and eth2 of br0 (index 9) in `d`; `b` listens.
  static let bridged: @Sendable () -> Fixture = {
    var fixture = Fixture(empty: ())
    fixture.add(d, "d")
    fixture.device(d, 9, .bridge, "br0")
    fixture[d, 9].bridge = BridgeParameters()
    for (netns, name, number) in [(a, "a", 1), (b, "b", 2), (c, "c", 3)] as [(NetnsCookie, String, Int32)] {
      fixture.add(netns, name)
      fixture.wire(d, number + 1, netns, 2)
      fixture[d, number + 1].master = 9
      fixture[d, number + 1].port = BridgePort()
      fixture.address(netns, 2, "10.9.0.\(number)/24")
    }
    fixture.listen(b)
    return fixture
  }

  private static func bridge(
    _ name: String, _ sender: [SenderView], _ end: String, _ transport: Transport = .tcp(80),
    ask: (inout PathQuestion) -> Void = { _ in }, change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, on: bridged, transport, ask: ask) {
      $0.neighbour(a, "10.9.0.2", Fixture.mac(b, 2))
      $0.neighbour(b, "10.9.0.1", Fixture.mac(a, 2))
      change(&$0)
    }
  }

  private static func entry(_ port: Int32, _ netns: NetnsCookie) -> FDBEntry {
    FDBEntry(interface: port, mac: Fixture.mac(netns, 2), bridge: 9)
  }

  static let bridges: [Example] = [
    bridge("flooded", [.connected], "delivered b") { _ in },
    Example("ARP is flooded, too", [.connected], "delivered b", on: bridged) { _ in },
    bridge("by the forwarding table", [.connected], "delivered b") { $0[d].fdb = [entry(3, b)] },
    bridge("… which is wrong", [.silence], "dropped c eth0 OTHERHOST") { $0[d].fdb = [entry(4, b)] },
    bridge("… and leads back", [.silence], "dropped d eth0 NOT_SPECIFIED") { $0[d].fdb = [entry(2, b)] },
    bridge("… by a port with hairpin to who sent it", [.silence], "dropped a eth0 OTHERHOST") {
      $0[d].fdb = [entry(2, b)]
      $0[d, 2].port!.hairpin = true
    },
    bridge("the address is the bridge's own: it goes up", [.silence], "dropped d br0 OTHERHOST") {
      $0[d].fdb = [FDBEntry(interface: 9, mac: Fixture.mac(b, 2), bridge: 9, isLocal: true)]
    },
    bridge("unknown addresses are not flooded to the port", [.silence], "dropped c eth0 OTHERHOST") {
      $0[d, 3].port!.unicastFlood = false
    },
    Example("broadcasts are not", [.unreachable], lost, on: bridged) { $0[d, 3].port!.broadcastFlood = false },
    bridge("one port is isolated", [.connected], "delivered b") { $0[d, 2].port!.isolated = true },
    bridge("both are", [.silence], "dropped c eth0 OTHERHOST") {
      for port: Int32 in [2, 3] { $0[d, port].port!.isolated = true }
    },
    bridge("both are, and the table knows", [.silence], "dropped d eth0 NOT_SPECIFIED") {
      $0[d].fdb = [entry(3, b)]
      for port: Int32 in [2, 3] { $0[d, port].port!.isolated = true }
    },
    bridge("the port that it comes in by is blocking", [.silence], "dropped d eth0 BRIDGE_INGRESS_STP_STATE") {
      $0[d, 2].port!.state = .blocking
    },
    bridge("… or only learns", [.silence], "dropped d eth0 -") { $0[d, 2].port!.state = .learning },
    bridge("the port that it goes out by is blocking", [.silence], "dropped c eth0 OTHERHOST") {
      $0[d, 3].port!.state = .blocking
    },
    bridge("a port's MTU", [.silence], "dropped d eth1 NOT_SPECIFIED", .udp(53), ask: large) {
      $0[d].fdb = [entry(3, b)]
      $0[d, 3].mtu = 1400
    },
    bridge("vlan_filtering is a gap", [.undecided], "undecided") { $0[d, 9].bridge!.vlanFiltering = true },
    bridge("a locked port is a gap", [.undecided], "undecided") { $0[d, 2].port!.locked = true },
  ]

  @Test("bridge", arguments: bridges)
  func bridge(example: Example) { example.check() }

  @Test("two bridges joined twice: the frame goes round, which is undecided")
  func bridgeLoop() {
    let answer = Self.bridge("", [], "") { fixture in
      fixture.device(Self.d, 19, .bridge, "br1")
      fixture[Self.d, 19].bridge = BridgeParameters()
      for first: Int32 in [10, 12] {
        fixture.wire(Self.d, first, Self.d, first + 1)
        for (index, bridge) in [(first, 9), (first + 1, 19)] as [(Int32, Int32)] {
          fixture[Self.d, index].master = bridge
          fixture[Self.d, index].port = BridgePort()
        }
      }
    }.answer()
    #expect(answer.sender == [.undecided])
    #expect(answer.outcome == .undecided)
  }

  // MARK: VXLAN

  /// `a` and `b` with a vxlan, index 5, over their veth: 10.20.0.1 and 10.20.0.2; `b` listens.
  static let tunnelled: @Sendable () -> Fixture = {
    var fixture = Fixture()
    for (netns, number) in [(a, 1), (b, 2)] {
      fixture.device(netns, 5, .vxlan, "vx")
      var vxlan = VXLANParameters(vni: 10)
      vxlan.local = IPAddress("10.9.0.\(number)")
      fixture[netns, 5].vxlan = vxlan
      fixture[netns, 5].mtu = 1450
      fixture.address(netns, 5, "10.20.0.\(number)/24")
      let remote = IPAddress("10.9.0.\(3 - number)")
      fixture[netns].fdb = [FDBEntry(interface: 5, mac: .zero, isStatic: true, remote: remote)]
    }
    fixture.listen(b)
    return fixture
  }

  private static func tunnel(
    _ name: String, _ sender: [SenderView], _ end: String, change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, on: tunnelled, to: "10.20.0.2", change: change)
  }

  private static func fixed(_ fixture: inout Fixture) { fixture.neighbour(a, "10.20.0.2", Fixture.mac(b, 5), dev: 5) }

  private static func otherPort(_ fixture: inout Fixture) {
    fixture[b, 5].vxlan!.port = 8472
    fixture[a].fdb[0].remotePort = 8472
    fixture[b].fdb[0].remotePort = 4789
  }

  static let tunnels: [Example] = [
    tunnel("the endpoint of unknown addresses", [.connected], "delivered b") { _ in },
    tunnel("the endpoint of the address", [.connected], "delivered b") {
      $0[a].fdb.append(FDBEntry(interface: 5, mac: Fixture.mac(b, 5), remote: IPAddress("10.9.0.2")))
    },
    tunnel("no entry: nobody can be asked", [.unreachable], "rejected a vx NEIGH_FAILED") { $0[a].fdb = [] },
    tunnel("no entry", [.silence], "dropped a vx NO_TX_TARGET") {
      $0[a].fdb = []
      fixed(&$0)
    },
    tunnel("an endpoint without a route", [.silence], "dropped a vx IP_OUTNOROUTES") {
      $0[a].fdb[0].remote = IPAddress("192.0.2.1")
      fixed(&$0)
    },
    tunnel("another VNI", [.silence], "dropped b eth0 VXLAN_VNI_NOT_FOUND") {
      $0[b, 5].vxlan!.vni = 11
      fixed(&$0)
    },
    tunnel("another VNI by the entry", [.silence], "dropped b eth0 VXLAN_VNI_NOT_FOUND") {
      $0[a].fdb[0].remoteVNI = 12
      fixed(&$0)
    },
    tunnel("another port", [.silence], "dropped b eth0 NO_SOCKET") {
      $0[b, 5].vxlan!.port = 8472
      fixed(&$0)
    },
    tunnel("another port that the entries know", [.connected], "delivered b") {
      otherPort(&$0)
      for netns in [a, b] { $0[netns, 5].vxlan!.learning = false }
    },
    // What is learned has the vxlan's own port (vxlan_snoop).
    tunnel("… but not what is learned", [.unreachable], "rejected a vx NEIGH_FAILED", change: otherPort),
    tunnel("the far vxlan is down", [.silence], "dropped b eth0 NO_SOCKET") {
      $0[b, 5].flags = [.broadcast, .multicast]
      fixed(&$0)
    },
    tunnel("the sender is fixed to another endpoint", [.silence], "dropped b eth0 VXLAN_ENTRY_EXISTS") {
      $0[b].fdb.append(
        FDBEntry(interface: 5, mac: Fixture.mac(a, 5), isStatic: true, remote: IPAddress("10.9.0.7")))
      fixed(&$0)
    },
    tunnel("a sender that is not learned", [.connected], "delivered b") { $0[b, 5].vxlan!.learning = false },
    tunnel("a multicast group is a gap", [.undecided], "undecided") {
      $0[a].fdb[0].remote = IPAddress("239.0.0.1")
      fixed(&$0)
    },
    tunnel("external mode is a gap", [.undecided], "undecided") { $0[a, 5].vxlan!.external = true },
  ]

  @Test("vxlan", arguments: tunnels)
  func tunnel(example: Example) { example.check() }

  // MARK: macvlan

  /// `a` and `b` with a macvlan, index 2, on the interface eth3 (index 5) of `d`; `b` listens.
  private static func stacked(
    _ name: String, _ modes: [MACVLANParameters.Mode], _ sender: [SenderView], _ end: String,
    change: @escaping Example.Change
  ) -> Example {
    Example(
      name, sender, end,
      on: {
        var fixture = Fixture(empty: ())
        fixture.add(d, "d")
        fixture.device(d, 5, .physical)
        for (netns, name, mode) in [(a, "a", modes[0]), (b, "b", modes[1])] {
          fixture.add(netns, name)
          fixture.device(netns, 2, .macvlan)
          fixture[netns, 2].link = 5
          fixture[netns, 2].linkNetns = d
          fixture[netns, 2].macvlan = MACVLANParameters(mode: mode)
          fixture.address(netns, 2, "10.9.0.\(netns.rawValue)/24")
        }
        fixture.listen(b)
        return fixture
      }
    ) {
      $0.neighbour(a, "10.9.0.2", Fixture.mac(b, 2))
      $0.neighbour(b, "10.9.0.1", Fixture.mac(a, 2))
      change(&$0)
    }
  }

  static let macvlans: [Example] = [
    stacked("both in mode bridge", [.bridge, .bridge], [.connected], "delivered b") { _ in },
    stacked("one private: out by the lower interface", [.bridge, .private], [.undecided], "left d eth3") { _ in },
    stacked("both private", [.private, .private], [.undecided], "left d eth3") { _ in },
    stacked("both in mode vepa", [.vepa, .vepa], [.undecided], "left d eth3") { _ in },
    stacked("the other is down", [.bridge, .bridge], [.undecided], "left d eth3") {
      $0[b, 2].flags = [.broadcast, .multicast]
    },
    stacked("the lower interface is down", [.private, .private], [.silence], "dropped d eth3 QDISC_DROP") {
      $0[d, 5].flags = [.broadcast, .multicast]
    },
    stacked("a macvtap on the same interface is a gap", [.bridge, .bridge], [.undecided], "undecided") {
      $0[b, 2].kind = .macvtap
    },
  ]

  @Test("macvlan", arguments: macvlans)
  func macvlan(example: Example) { example.check() }
}
