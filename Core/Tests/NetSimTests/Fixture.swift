import NetModel
import NetTypes

/// Two namespaces `a` (cookie 1) and `b` (cookie 2) joined by a veth `eth0`, 10.9.0.1 and 10.9.0.2, with the routes that the
/// kernel makes.
struct Fixture {
  var node: NodeSnapshot

  static let a = NetnsCookie(rawValue: 1)
  static let b = NetnsCookie(rawValue: 2)
  static let there = IPAddress("10.9.0.2")!

  init() {
    node = NodeSnapshot(
      node: "node", kernel: "6.18.0", bootID: "boot", started: 0, finished: 0,
      namespaces: [Self.netns(Self.a, "a", 1, peer: Self.b), Self.netns(Self.b, "b", 2, peer: Self.a)])
  }

  /// The namespace's own part, to be changed.
  subscript(_ cookie: NetnsCookie) -> NetnsSnapshot {
    get { node.namespaces.first { $0.id == cookie }! }
    set { node.namespaces[node.namespaces.firstIndex { $0.id == cookie }!] = newValue }
  }

  private static func netns(_ id: NetnsCookie, _ name: String, _ number: UInt32, peer: NetnsCookie) -> NetnsSnapshot {
    var netns = NetnsSnapshot(id: id, inode: UInt64(number), names: [name])
    var lo = Link(index: 1, name: "lo", kind: .loopback, flags: [.up, .loopback, .lowerUp], mtu: 65536)
    lo.ipv4 = IPv4Conf()
    lo.ipv6 = IPv6Conf()
    var eth0 = Link(index: 2, name: "eth0", kind: .veth, flags: [.up, .broadcast, .multicast, .lowerUp])
    eth0.mac = MACAddress(value: 0x0200_0000_0000 + UInt64(number))
    eth0.link = 2
    eth0.linkNetns = peer
    eth0.ipv4 = IPv4Conf()
    eth0.ipv6 = IPv6Conf()
    netns.links = [lo, eth0]
    netns.ipv4All = IPv4Conf()
    netns.ipv6All = IPv6Conf()
    let own = IPAddress(v4: 0x0a09_0000 + number)
    netns.addresses = [InterfaceAddress(interface: 2, address: own, prefixLength: 24)]
    for (priority, table) in [(0, 255), (32766, 254), (32767, 253)] as [(UInt32, UInt32)] {
      netns.rules.append(PolicyRule(family: .v4, priority: priority, action: .lookup(table)))
      if table != 253 { netns.rules.append(PolicyRule(family: .v6, priority: priority, action: .lookup(table))) }
    }
    var local = Route(
      table: 255, destination: IPPrefix(own, length: 32)!, type: .local, scope: .host,
      nextHops: [NextHop(interface: 2)])
    local.preferredSource = own
    var connected = Route(
      destination: IPPrefix(own, length: 24)!, scope: .link, nextHops: [NextHop(interface: 2)])
    connected.preferredSource = own
    local.origin = 2
    connected.origin = 2
    netns.routes = [local, connected]
    return netns
  }
}
