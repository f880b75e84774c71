import NetModel
import NetSim
import NetTypes
import Testing

/// What recorded worlds cannot show: what is present but not modelled, loops, bounds, and the order of answers.
struct GapTests {
  typealias Change = @Sendable (inout Fixture) -> Void

  private static func ask(_ change: Change, _ transport: Transport = .tcp(80)) -> PathAnswer {
    var fixture = Fixture()
    change(&fixture)
    return World([fixture.node]).ask(PathQuestion(from: Fixture.a, to: Fixture.there, transport))
  }

  private static func reasons(_ answer: PathAnswer) -> [String] {
    answer.branches.flatMap { branch in
      ([branch.forward] + branch.answers).compactMap { trace in
        if case .undecided(let why) = trace.end { why } else { nil }
      }
    }
  }

  @Test("without a listener a connection is refused, with one it stands")
  func plain() {
    #expect(Self.ask { _ in }.sender == [.refused])
    let answer = Self.ask { fixture in
      fixture[Fixture.b].sockets = [
        SocketEntry(
          kind: .tcp, family: .v4, local: IPAddress("0.0.0.0")!, localPort: 80, remote: IPAddress("0.0.0.0")!,
          state: "LISTEN")
      ]
      fixture[Fixture.b].sockets[0].sendQueue = 16
    }
    #expect(answer.sender == [.connected])
    #expect(answer.outcome == .answered)
  }

  static let gaps: [(name: String, reason: String, change: Change)] = [
    (
      "a tc filter", "tc filter",
      { $0[Fixture.b].filters = [.init(interface: 2, hook: .ingress, kind: "bpf", priority: 1)] }
    ),
    (
      "an egress filter", "tc filter",
      { $0[Fixture.a].filters = [.init(interface: 2, hook: .egress, kind: "flower", priority: 1)] }
    ),
    ("an XDP program", "eBPF program", { $0[Fixture.b].links[1].programs = [.init(id: 7, hook: "xdp")] }),
    ("a tcx program", "eBPF program", { $0[Fixture.a].links[1].programs = [.init(id: 7, hook: "tcx_egress")] }),
    (
      "a control group's program", "control group",
      {
        $0.node.cgroupPrograms = [
          .init(cgroup: "/", attachType: "inet4_connect", program: .init(id: 7, hook: "cgroup"))
        ]
      }
    ),
    ("an sk_lookup program", "sk_lookup", { $0[Fixture.a].programs = [.init(id: 7, hook: "sk_lookup")] }),
    ("a netfilter program", "eBPF program", { $0.node.unplacedPrograms = [.init(id: 7, hook: "netfilter")] }),
    ("IPsec policies", "IPsec", { $0[Fixture.b].xfrm = XfrmCounts(policies: 1, states: 0) }),
    (
      "a rule of iptables", "netfilter",
      {
        $0[Fixture.b].rulesets = [
          .init(tool: .iptablesLegacy, text: "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n")
        ]
      }
    ),
    (
      "a policy to drop", "netfilter",
      { $0[Fixture.b].rulesets = [.init(tool: .iptablesNFT, text: "*filter\n:INPUT DROP [0:0]\nCOMMIT\n")] }
    ),
    (
      "rulesets that could not be read", "not known",
      { $0[Fixture.b].parts = [.init(part: .rulesets, gap: "no iptables", started: 0, took: 0)] }
    ),
    (
      "netem", "netem",
      { $0[Fixture.a].qdiscs = [.init(interface: 2, kind: "netem", handle: 1, parent: 0xffff_ffff)] }
    ),
    ("an unknown interface", "kind vlan", { $0[Fixture.a].links[1].kind = .vlan }),
    ("a vrf's port", "not modelled", { $0[Fixture.b].links[1].master = 9 }),
    (
      "an ipvlan", "ipvlan",
      {
        $0.device(Fixture.b, 3, .ipvlan)
        $0[Fixture.b, 3].link = 2
      }
    ),
    (
      "an encapsulating route", "encapsulation mpls",
      { $0[Fixture.a].routes[1].nextHops[0].encapsulation = "mpls" }
    ),
    (
      "control groups that could not be read", "not known",
      { $0.node.parts = [.init(part: .cgroupPrograms, gap: "no permission", started: 0, took: 0)] }
    ),
    (
      "netfilter's programs that could not be read", "not known",
      { $0.node.parts = [.init(part: .programs, gap: "no permission", started: 0, took: 0)] }
    ),
    ("an unknown route attribute", "10.9.0.0/24", { $0[Fixture.a].routes[1].unknownAttributes = [99] }),
  ]

  @Test("what is present but not modelled makes the answer undecided, and is named", arguments: gaps.map(\.name))
  func undecided(name: String) {
    let gap = Self.gaps.first { $0.name == name }!
    let answer = Self.ask(gap.change)
    #expect(answer.sender == [.undecided])
    #expect(answer.outcome == .undecided)
    #expect(Self.reasons(answer).contains { $0.contains(gap.reason) }, "\(Self.reasons(answer))")
  }

  @Test(
    "a part of a namespace that could not be read makes the answer undecided, where it decides",
    arguments: SnapshotPart.allCases, [Fixture.a, Fixture.b])
  func unread(part: SnapshotPart, netns: NetnsCookie) {
    let answer = Self.ask { $0[netns].parts = [.init(part: part, gap: "interrupted", started: 0, took: 0)] }
    let isHarmless = [.conntrack, .processes, .namespaces, .cgroupPrograms].contains(part)
    #expect(answer.sender == (isHarmless ? [.refused] : [.undecided]))
    #expect(isHarmless || Self.reasons(answer).contains { $0.contains("interrupted") })
  }

  @Test("what is harmless decides nothing")
  func harmless() {
    let answer = Self.ask { fixture in
      fixture[Fixture.a].links[1].programs = [.init(id: 7, hook: "tcx_egress", isOurs: true)]
      fixture[Fixture.a].qdiscs = [.init(interface: 2, kind: "fq_codel", handle: 1, parent: 0xffff_ffff)]
      fixture[Fixture.b].rulesets = [
        .init(tool: .iptablesNFT, text: "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"),
        .init(tool: .nft, text: "{\"nftables\": [{\"table\": {}}]}"),
      ]
    }
    #expect(answer.sender == [.refused])
  }

  @Test("a rule that nobody can decide is tried both ways; where both lead to one answer it is known")
  func unknownRule() {
    let blocked = Self.ask { fixture in
      var rule = PolicyRule(family: .v4, priority: 100, action: .blackhole)
      rule.unknownAttributes = [99]
      fixture[Fixture.a].rules.append(rule)
    }
    #expect(blocked.sender == [.refused, .undecided, .unreachable])
    #expect(blocked.branches.count == 2)
    let harmless = Self.ask { fixture in
      var rule = PolicyRule(family: .v4, priority: 100, action: .lookup(254))
      rule.unknownAttributes = [99]
      fixture[Fixture.a].rules.append(rule)
    }
    #expect(harmless.sender == [.refused])
  }

  @Test("a veth whose other end nobody knows leaves what is known")
  func left() {
    let answer = Self.ask { $0.node.namespaces.removeLast() }
    #expect(answer.sender == [.undecided])
    #expect(answer.outcome == .left)
  }

  @Test("two nodes that send a packet to each other let its TTL run out")
  func loop() {
    var fixture = Fixture()
    for (netns, gateway) in [(Fixture.a, "10.9.0.2"), (Fixture.b, "10.9.0.1")] {
      fixture[netns].routes.append(
        Route(
          destination: IPPrefix("10.77.0.0/16")!, nextHops: [NextHop(interface: 2, gateway: IPAddress(gateway)!)]))
      fixture[netns].links[1].ipv4!.forwarding = 1
      // Else the sender drops what has its own address as its source.
      fixture[netns].links[1].ipv4!.acceptLocal = 1
    }
    let question = PathQuestion(from: Fixture.a, to: IPAddress("10.77.0.1")!, .tcp(80))
    let answer = World([fixture.node]).ask(question)
    #expect(answer.outcome == .looped)
    #expect(answer.sender == [.unreachable])
  }

  @Test("more ways than the bound are cut, which is said")
  func bound() {
    let answer = Self.ask { fixture in
      fixture[Fixture.a].routes.append(
        Route(
          destination: IPPrefix("10.9.0.2/32")!,
          nextHops: (0..<300).map { _ in NextHop(interface: 2) }))
    }
    #expect(answer.branches.count == 257)
    #expect(answer.sender.contains(.undecided))
  }

  @Test("equal questions get equal answers")
  func deterministic() {
    let change: Change = { fixture in
      fixture[Fixture.a].routes.append(
        Route(
          destination: IPPrefix("10.9.0.2/32")!,
          nextHops: [NextHop(interface: 2), NextHop(interface: 2, gateway: IPAddress("10.9.0.77")!)]))
    }
    let first = Self.ask(change, .udp(53))
    #expect(first == Self.ask(change, .udp(53)))
    #expect(first.sender == [.refused, .silence])
  }
}
