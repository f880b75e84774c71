import NetModel
import NetTypes

/// A world by hand. `Fixture()` has two namespaces `a` (cookie 1) and `b` (cookie 2) joined by a veth `eth0` (index 2),
/// 10.9.0.1 and 10.9.0.2, with the routes that the kernel makes; MAC addresses are 02:00:00:00:COOKIE:INDEX.
struct Fixture {
  var node = NodeSnapshot(node: "node", kernel: "6.18.0", bootID: "boot", started: 0, finished: 0, namespaces: [])

  static let a = NetnsCookie(rawValue: 1)
  static let b = NetnsCookie(rawValue: 2)
  static let c = NetnsCookie(rawValue: 3)
  static let d = NetnsCookie(rawValue: 4)
  static let there = IPAddress("10.9.0.2")!

  /// Without any namespace.
  init(empty: Void) {}

  init() {
    add(Self.a, "a")
    add(Self.b, "b")
    wire(Self.a, 2, Self.b, 2)
    address(Self.a, 2, "10.9.0.1/24")
    address(Self.b, 2, "10.9.0.2/24")
  }

  /// The namespace's own part, to be changed.
  subscript(_ cookie: NetnsCookie) -> NetnsSnapshot {
    get { node.namespaces.first { $0.id == cookie }! }
    set { node.namespaces[node.namespaces.firstIndex { $0.id == cookie }!] = newValue }
  }

  /// An interface of a namespace, to be changed.
  subscript(_ cookie: NetnsCookie, _ index: Int32) -> Link {
    get { self[cookie].links.first { $0.index == index }! }
    set { self[cookie].links[self[cookie].links.firstIndex { $0.index == index }!] = newValue }
  }

  static func mac(_ cookie: NetnsCookie, _ index: Int32) -> MACAddress {
    MACAddress(value: 0x0200_0000_0000 | cookie.rawValue << 8 | UInt64(index))
  }

  /// A namespace as the kernel makes it: a loopback interface, here up, and the rules.
  mutating func add(_ id: NetnsCookie, _ name: String) {
    var netns = NetnsSnapshot(id: id, inode: id.rawValue, names: [name])
    var lo = Link(index: 1, name: "lo", kind: .loopback, flags: [.up, .loopback, .lowerUp], mtu: 65536)
    lo.ipv4 = IPv4Conf()
    lo.ipv6 = IPv6Conf()
    netns.links = [lo]
    netns.ipv4All = IPv4Conf()
    netns.ipv6All = IPv6Conf()
    for (priority, table) in [(0, 255), (32766, 254), (32767, 253)] as [(UInt32, UInt32)] {
      netns.rules.append(PolicyRule(family: .v4, priority: priority, action: .lookup(table)))
      if table != 253 { netns.rules.append(PolicyRule(family: .v6, priority: priority, action: .lookup(table))) }
    }
    node.namespaces.append(netns)
  }

  /// An interface that is up, `ethN` with N = index - 2 unless it is named.
  mutating func device(_ netns: NetnsCookie, _ index: Int32, _ kind: LinkKind, _ name: String? = nil) {
    var link = Link(
      index: index, name: name ?? "eth\(index - 2)", kind: kind, flags: [.up, .broadcast, .multicast, .lowerUp])
    link.mac = Self.mac(netns, index)
    link.ipv4 = IPv4Conf()
    link.ipv6 = IPv6Conf()
    self[netns].links.append(link)
  }

  /// A pair of veths.
  mutating func wire(_ one: NetnsCookie, _ first: Int32, _ other: NetnsCookie, _ second: Int32) {
    device(one, first, .veth)
    device(other, second, .veth)
    self[one, first].link = second
    self[one, first].linkNetns = other
    self[other, second].link = first
    self[other, second].linkNetns = one
  }

  /// An address, and the routes that the kernel makes for it.
  mutating func address(_ netns: NetnsCookie, _ index: Int32, _ text: String) {
    let parts = text.split(separator: "/")
    let own = IPAddress(String(parts[0]))!
    let length = Int(parts[1])!
    self[netns].addresses.append(
      InterfaceAddress(
        interface: index, address: own, prefixLength: UInt8(length),
        scope: own.family == .v6 && own.isLinkLocal ? .link : .universe))
    let hops = [NextHop(interface: index)]
    var local = Route(
      table: 255, destination: IPPrefix(own, length: own.family.bitWidth)!, type: .local, scope: .host, nextHops: hops)
    var connected = Route(destination: IPPrefix(own, length: length)!, scope: .link, nextHops: hops)
    local.origin = 2
    connected.origin = 2
    if own.family == .v4 {
      local.preferredSource = own
      connected.preferredSource = own
      self[netns].routes += [local, connected]
      return
    }
    connected.metric = 256
    var multicast = Route(
      table: 255, destination: IPPrefix("ff00::/8")!, type: .multicast, metric: 256, nextHops: hops)
    multicast.origin = 2
    let known = self[netns].routes.contains { $0.type == .multicast && $0.nextHops[0].interface == index }
    self[netns].routes += [local, connected] + (known ? [] : [multicast])
  }

  /// An IPv6 network beside the IPv4 one: fd00::1, fd00::2, and link-local addresses.
  mutating func addIPv6() {
    for (netns, number) in [(Self.a, 1), (Self.b, 2)] {
      address(netns, 2, "fd00::\(number)/64")
      address(netns, 2, "fe80::\(number)/64")
    }
  }

  mutating func route(
    _ netns: NetnsCookie, _ destination: String, via gateway: String? = nil, dev: Int32 = 2, type: RouteType = .unicast,
    table: UInt32 = 254, _ change: (inout Route) -> Void = { _ in }
  ) {
    let isUnicast = type == .unicast || type == .local || type == .broadcast
    var route = Route(
      table: table, destination: IPPrefix(destination)!, type: type,
      nextHops: isUnicast ? [NextHop(interface: dev, gateway: gateway.map { IPAddress($0)! })] : [])
    if gateway == nil { route.scope = .link }
    change(&route)
    self[netns].routes.append(route)
  }

  mutating func rule(
    _ netns: NetnsCookie, _ priority: UInt32, _ action: PolicyRule.Action, family: IPAddress.Family = .v4,
    _ change: (inout PolicyRule) -> Void = { _ in }
  ) {
    var rule = PolicyRule(family: family, priority: priority, action: action)
    change(&rule)
    self[netns].rules.append(rule)
  }

  mutating func neighbour(
    _ netns: NetnsCookie, _ address: String, _ mac: MACAddress?, _ state: NeighbourState = .permanent, dev: Int32 = 2
  ) {
    self[netns].neighbours.append(Neighbour(interface: dev, address: IPAddress(address)!, mac: mac, state: state))
  }

  /// A socket that takes what comes to `port`.
  mutating func listen(
    _ netns: NetnsCookie, _ port: UInt16 = 80, _ kind: SocketEntry.Kind = .tcp, on address: String = "0.0.0.0",
    _ change: (inout SocketEntry) -> Void = { _ in }
  ) {
    let local = IPAddress(address)!
    let any = local.family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0)
    var socket = SocketEntry(
      kind: kind, family: local.family, local: local, localPort: port, remote: any,
      state: kind == .tcp ? "LISTEN" : "CLOSE")
    socket.isV6Only = local.family == .v6 ? false : nil
    socket.sendQueue = kind == .tcp ? 16 : 0
    change(&socket)
    self[netns].sockets.append(socket)
  }
}
