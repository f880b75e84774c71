import NetModel
import NetTypes

/// Namespaces in a row, each joined to the next by a veth with a network of its own, 10.N.0.0/24; those between the ends
/// forward. Every one has a listener, and routes to all networks and to others that nobody asks for.
struct Chain {
  let hops: Int
  let furtherRoutes: Int

  var first: NetnsCookie { cookie(0) }
  /// The far end of the last veth.
  var destination: IPAddress { address(hops - 1, 2) }

  private func cookie(_ position: Int) -> NetnsCookie { NetnsCookie(rawValue: UInt64(position) + 1) }

  private func address(_ network: Int, _ end: UInt32) -> IPAddress {
    IPAddress(v4: 0x0a00_0000 | UInt32(network + 1) << 16 | end)
  }

  func snapshot() -> NodeSnapshot {
    NodeSnapshot(
      node: "bench", kernel: "6.18.0", bootID: "boot", started: 0, finished: 0, namespaces: (0...hops).map(namespace))
  }

  private func namespace(_ position: Int) -> NetnsSnapshot {
    var netns = NetnsSnapshot(id: cookie(position), inode: UInt64(position) + 1, names: ["n\(position)"])
    var conf = IPv4Conf()
    conf.forwarding = 1
    conf.rpFilter = 1
    netns.ipv4All = conf
    netns.ipv6All = IPv6Conf()
    var lo = Link(index: 1, name: "lo", kind: .loopback, flags: [.up, .loopback, .lowerUp], mtu: 65536)
    lo.ipv4 = conf
    netns.links = [lo]
    for (priority, table) in [(0, 255), (32766, 254), (32767, 253)] as [(UInt32, UInt32)] {
      netns.rules.append(PolicyRule(family: .v4, priority: priority, action: .lookup(table)))
      if table != 253 { netns.rules.append(PolicyRule(family: .v6, priority: priority, action: .lookup(table))) }
    }
    // To the left by eth0 (network position - 1, address 2), to the right by eth1 (network position, address 1).
    if position > 0 { join(&netns, conf, 2, "eth0", position - 1, position - 1, 2, peer: 3) }
    if position < hops { join(&netns, conf, 3, "eth1", position + 1, position, 1, peer: 2) }
    for network in 0..<hops where network != position && network != position - 1 {
      let right = network > position
      let hop = NextHop(
        interface: right ? 3 : 2, gateway: right ? address(position, 2) : address(position - 1, 1))
      netns.routes.append(Route(destination: IPPrefix(address(network, 0), length: 24)!, nextHops: [hop]))
    }
    for number in 0..<furtherRoutes {
      netns.routes.append(
        Route(
          destination: IPPrefix(IPAddress(v4: 0xac10_0000 + UInt32(number) << 4), length: 28)!,
          nextHops: [NextHop(interface: position < hops ? 3 : 2)]))
    }
    var socket = SocketEntry(
      kind: .tcp, family: .v4, local: IPAddress(v4: 0), localPort: 80, remote: IPAddress(v4: 0), state: "LISTEN")
    socket.sendQueue = 128
    netns.sockets = [socket]
    return netns
  }

  private func join(
    _ netns: inout NetnsSnapshot, _ conf: IPv4Conf, _ index: Int32, _ name: String, _ other: Int, _ network: Int,
    _ end: UInt32, peer: Int32
  ) {
    var link = Link(index: index, name: name, kind: .veth, flags: [.up, .broadcast, .multicast, .lowerUp])
    link.mac = MACAddress(value: 0x0200_0000_0000 | UInt64(network) << 8 | UInt64(end))
    link.link = peer
    link.linkNetns = cookie(other)
    link.ipv4 = conf
    netns.links.append(link)
    let own = address(network, end)
    netns.addresses.append(InterfaceAddress(interface: index, address: own, prefixLength: 24))
    var local = Route(
      table: 255, destination: IPPrefix(own, length: 32)!, type: .local, scope: .host,
      nextHops: [NextHop(interface: index)])
    var connected = Route(
      destination: IPPrefix(own, length: 24)!, scope: .link, nextHops: [NextHop(interface: index)])
    local.preferredSource = own
    connected.preferredSource = own
    local.origin = 2
    connected.origin = 2
    netns.routes += [local, connected]
  }
}
