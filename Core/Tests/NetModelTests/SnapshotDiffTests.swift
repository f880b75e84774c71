import NetModel
import NetTypes
import Testing

struct SnapshotDiffTests {
  static func node(_ namespaces: [NetnsSnapshot], boot: String = "b") -> NodeSnapshot {
    NodeSnapshot(node: "n", kernel: "6.1", bootID: boot, started: 1, finished: 2, namespaces: namespaces)
  }

  static func namespace(_ cookie: UInt64 = 5, _ name: String = "a") -> NetnsSnapshot {
    var namespace = NetnsSnapshot(id: NetnsCookie(rawValue: cookie), inode: cookie, names: [name])
    namespace.links = [Link(index: 2, name: "eth0", kind: .veth)]
    namespace.routes = [
      Route(destination: IPPrefix("0.0.0.0/0")!, nextHops: [NextHop(interface: 2, gateway: IPAddress("10.0.0.1"))])
    ]
    namespace.neighbours = [
      Neighbour(interface: 2, address: IPAddress("10.0.0.1")!, mac: MACAddress("02:00:00:00:00:01"), state: .stale)
    ]
    namespace.sysctls = ["net.ipv4.ip_forward": "0"]
    namespace.rulesets = [
      Ruleset(tool: .iptablesLegacy, text: "# now\n*filter\n:INPUT ACCEPT [1:2]\n-A INPUT -j DROP\nCOMMIT\n")
    ]
    return namespace
  }

  @Test("what changes by itself is no difference")
  func quiet() {
    var later = Self.namespace()
    later.neighbours[0].state = .reachable
    later.rulesets[0].text = "# later\n*filter\n:INPUT ACCEPT [9:9]\n-A INPUT -j DROP\nCOMMIT\n"
    later.conntrack = ConntrackCounts(entries: 9, maximum: 10)
    later.parts = [PartReport(part: .links, started: 5, took: 6)]
    #expect(SnapshotDiff(from: Self.node([Self.namespace()]), to: Self.node([later])).changes == [])
  }

  @Test("each kind of change has its words")
  func words() {
    var later = Self.namespace()
    later.links[0].mtu = 1400
    later.links.append(Link(index: 3, name: "eth1", kind: .dummy))
    later.routes[0].nextHops[0].gateway = IPAddress("10.0.0.2")
    later.neighbours[0].state = .failed
    later.neighbours[0].mac = nil
    later.sysctls["net.ipv4.ip_forward"] = "1"
    later.rulesets[0].text += "*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n"
    later.parts = [PartReport(part: .sockets, gap: "not permitted", started: 1, took: 1)]
    let diff = SnapshotDiff(from: Self.node([Self.namespace()]), to: Self.node([later]))
    #expect(
      diff.text == """
        netns a
          links          ~ eth0: mtu 1500 -> mtu 1400
          links          + eth1 <> mtu 1500 dummy state unknown
          neighbours     + 10.0.0.1 dev eth0 failed
          neighbours     - 10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 reachable
          routes         - default via 10.0.0.1 dev eth0 proto 3
          routes         + default via 10.0.0.2 dev eth0 proto 3
          sysctls        ~ net.ipv4.ip_forward: 0 -> 1
          rulesets       + iptables-legacy-save: *nat
          rulesets       + iptables-legacy-save: *nat -A OUTPUT -j ACCEPT
          sockets        + gap not permitted

        """)
  }

  @Test("namespaces are the same by cookie within a boot, and by name across boots")
  func namespaces() {
    let one = Self.node([Self.namespace(5, "a")])
    let renewed = SnapshotDiff(from: one, to: Self.node([Self.namespace(6, "a")]))
    #expect(renewed.changes.map(\.part) == [], "the name is what people know it by")
    let gone = SnapshotDiff(from: one, to: Self.node([Self.namespace(6, "b")]))
    #expect(gone.text == "node\n  namespaces     - a\n  namespaces     + b\n")
    var later = Self.namespace(6, "a")
    later.links[0].mtu = 9000
    let rebooted = SnapshotDiff(from: one, to: Self.node([later], boot: "c"))
    #expect(rebooted.text == "netns a\n  links          ~ eth0: mtu 1500 -> mtu 9000\n")
  }
}
