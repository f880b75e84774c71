import NetModel
import NetSim
import NetTypes
import Testing

/// Who answers ARP and neighbour discovery, and which entries of the tables count.
struct NeighbourTests {
  private static let a = Fixture.a
  private static let b = Fixture.b
  private static let lost = "rejected a eth0 NEIGH_FAILED"

  static let entries: [Example] = [
    Example("none: the host is asked", [.connected], "delivered b") { _ in },
    Example("a fixed entry that is right", [.connected], "delivered b") {
      $0.neighbour(a, "10.9.0.2", Fixture.mac(b, 2))
    },
    Example("a fixed entry that is wrong", [.silence], "dropped b eth0 OTHERHOST") {
      $0.neighbour(a, "10.9.0.2", MACAddress(value: 0x02ff))
    },
    Example("a living entry that is wrong", [.silence], "dropped b eth0 OTHERHOST") {
      $0.neighbour(a, "10.9.0.2", MACAddress(value: 0x02ff), .reachable)
    },
    Example("a failed entry: the host is asked again", [.connected], "delivered b") {
      $0.neighbour(a, "10.9.0.2", nil, .failed)
    },
    Example("an entry of another interface", [.connected], "delivered b") {
      $0.neighbour(a, "10.9.0.2", MACAddress(value: 0x02ff), dev: 1)
    },
    Example("the answer's, fixed and wrong", [.silence], "delivered b") {
      $0.neighbour(b, "10.9.0.1", MACAddress(value: 0x02ff))
    },
    Example("without ARP on the interface frames go to its own address", [.silence], "dropped b eth0 OTHERHOST") {
      $0[a, 2].flags.insert(.noARP)
    },
    Example("nobody has the address", [.unreachable], lost, to: "10.9.0.9") { _ in },
    Example("… which a UDP socket does not hear of", [.silence], lost, to: "10.9.0.9", .udp(53)) { _ in },
  ]

  @Test("entries of the table", arguments: entries)
  func entry(example: Example) { example.check() }

  private static func ignoring(_ value: Int32, _ name: String, _ sender: SenderView, change: @escaping Example.Change)
    -> Example
  {
    Example(
      "arp_ignore \(value), \(name)", [sender], sender == .connected ? "delivered b" : lost
    ) {
      $0[b, 2].ipv4!.arpIgnore = value
      change(&$0)
    }
  }

  /// `b` has the address on another interface.
  private static let elsewhere: Example.Change = { fixture in
    fixture.device(b, 3, .dummy)
    fixture[b].addresses[0].interface = 3
    fixture.address(b, 2, "10.9.0.22/24")
  }

  static let settings: [Example] = [
    ignoring(0, "another interface's address", .connected, change: elsewhere),
    ignoring(1, "the interface's own address", .connected) { _ in },
    ignoring(1, "another interface's address", .unreachable, change: elsewhere),
    ignoring(2, "the asker's network", .connected) { _ in },
    ignoring(2, "another network", .unreachable) { fixture in
      fixture[b].addresses[0].prefixLength = 32
    },
    ignoring(8, "any address", .unreachable) { _ in },
    Example("arp_filter, the way back is the same", [.connected], "delivered b") {
      $0[b, 2].ipv4!.arpFilter = 1
    },
    Example("arp_filter, the way back is another", [.unreachable], lost) {
      $0[b, 2].ipv4!.arpFilter = 1
      $0.device(b, 3, .dummy)
      $0.route(b, "10.9.0.1/32", dev: 3)
    },
    Example("rp_filter drops the question", [.unreachable], lost) {
      $0[b, 2].ipv4!.rpFilter = 1
      $0.device(b, 3, .dummy)
      $0.route(b, "10.9.0.1/32", dev: 3)
    },
  ]

  @Test("arp_ignore and arp_filter", arguments: settings)
  func setting(example: Example) { example.check() }

  /// `a` thinks that 10.8.0.0/24 is on its own link; `b` forwards there.
  private static func proxied(
    _ name: String, _ sender: [SenderView], _ end: String, change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, on: ReceiveTests.chain, to: "10.8.0.2") {
      $0.route(a, "10.8.0.0/24")
      change(&$0)
    }
  }

  static let proxies: [Example] = [
    proxied("no proxy", [.unreachable], lost) { _ in },
    proxied("proxy_arp", [.connected], "delivered c") { $0[b, 2].ipv4!.proxyARP = 1 },
    proxied("proxy_arp of all", [.connected], "delivered c") { $0[b].ipv4All!.proxyARP = 1 },
    proxied("proxy_arp without forwarding", [.unreachable], lost) {
      $0[b, 2].ipv4!.proxyARP = 1
      $0[b, 2].ipv4!.forwarding = 0
    },
    proxied("proxy_arp in one medium", [.unreachable], lost) {
      $0[b, 2].ipv4!.proxyARP = 1
      for index: Int32 in [2, 3] { $0[b, index].ipv4!.mediumID = 5 }
    },
    proxied("a proxied address", [.connected], "delivered c") {
      $0[b].neighbours.append(Neighbour(interface: 2, address: IPAddress("10.8.0.2")!, isProxy: true))
    },
    proxied("a proxied address of another interface", [.unreachable], lost) {
      $0[b].neighbours.append(Neighbour(interface: 3, address: IPAddress("10.8.0.2")!, isProxy: true))
    },
    Example("back by the same interface", [.unreachable], lost, to: "10.9.0.9") {
      $0[b, 2].ipv4!.proxyARP = 1
      $0[b, 2].ipv4!.forwarding = 1
    },
    Example("… with proxy_arp_pvlan it is answered", [.unreachable], "rejected b eth0 NEIGH_FAILED", to: "10.9.0.9") {
      $0[b, 2].ipv4!.proxyARPPVLAN = 1
      $0[b, 2].ipv4!.forwarding = 1
    },
  ]

  @Test("proxies of ARP", arguments: proxies)
  func proxy(example: Example) { example.check() }

  private static func discovery(
    _ name: String, _ sender: [SenderView], _ end: String, to destination: String = "fd00::2",
    ask: (inout PathQuestion) -> Void = { _ in }, change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, to: destination, .icmp, ask: ask) {
      $0.addIPv6()
      change(&$0)
    }
  }

  private static func proxyNDP(_ fixture: inout Fixture) {
    fixture[b].neighbours.append(Neighbour(interface: 2, address: IPAddress("fd00::9")!, isProxy: true))
    fixture[b, 2].ipv6!.proxyNDP = 1
    fixture[b, 2].ipv6!.forwarding = 1
    fixture[b].ipv6All!.forwarding = 1
  }

  static let discoveries: [Example] = [
    discovery("the address", [.reply], "delivered b") { _ in },
    discovery("link-local", [.reply], "delivered b", to: "fe80::2", ask: { $0.device = "eth0" }) { _ in },
    discovery("nobody", [.unreachable], "rejected a eth0 NOT_SPECIFIED", to: "fd00::9") { _ in },
    discovery("a tentative address", [.unreachable], "rejected a eth0 NOT_SPECIFIED") {
      for index in $0[b].addresses.indices { $0[b].addresses[index].flags = .tentative }
    },
    discovery("disable_ipv6", [.unreachable], "rejected a eth0 NOT_SPECIFIED") { $0[b, 2].ipv6!.disabled = 1 },
    discovery("disable_ipv6 where it is sent", [.silence], "dropped a eth0 IPV6DISABLED") {
      $0[a, 2].ipv6!.disabled = 1
    },
    // The proxy routes the packet, and asks in turn.
    discovery("proxy_ndp", [.unreachable], "rejected b eth0 NOT_SPECIFIED", to: "fd00::9", change: proxyNDP),
    discovery("a proxied address without proxy_ndp", [.unreachable], "rejected a eth0 NOT_SPECIFIED", to: "fd00::9") {
      proxyNDP(&$0)
      $0[b, 2].ipv6!.proxyNDP = 0
    },
    discovery("… and without forwarding", [.unreachable], "rejected a eth0 NOT_SPECIFIED", to: "fd00::9") {
      proxyNDP(&$0)
      $0[b, 2].ipv6!.forwarding = 0
    },
  ]

  @Test("neighbour discovery", arguments: discoveries)
  func discovery(example: Example) { example.check() }
}
