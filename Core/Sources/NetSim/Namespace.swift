import NetModel
import NetTypes

/// One namespace of the world, indexed.
struct Namespace: Sendable {
  let snapshot: NetnsSnapshot
  let kernel: KernelVersion
  let name: String
  private let linkByIndex: [Int32: Int]
  private let linkByName: [String: Int]
  let rules4: [PolicyRule]
  let rules6: [PolicyRule]
  /// Other rules than the kernel's own three (two for IPv6).
  let hasCustomRules4: Bool
  let hasCustomRules6: Bool
  /// Only some of the kernel's own rules are left.
  let lacksRules6: Bool
  let tables4: [UInt32: RouteTable]
  let tables6: [UInt32: RouteTable]
  /// Without rules of its own, a namespace keeps `local` and `main` in one trie (net/ipv4/fib_trie.c, fib_trie_unmerge).
  let mergedTable4: RouteTable
  let nexthops: [UInt32: NexthopObject]
  private let addressesByLink: [Int32: [InterfaceAddress]]
  private let addressByValue: [IPAddress: [InterfaceAddress]]
  private let neighbours: [NeighbourKey: Neighbour]
  private let proxies: [IPAddress: [Neighbour]]
  /// A bridge's table by its index.
  let fdb: [FDBKey: FDBEntry]
  /// A vxlan's own table.
  let tunnels: [FDBKey: [FDBEntry]]
  let ports: [Int32: [Int32]]
  let listeners: [UInt16: [SocketEntry]]
  let datagramSockets: [UInt16: [SocketEntry]]
  private let filtersByLink: [Int32: [TrafficFilter]]
  private let qdiscByLink: [Int32: Qdisc]
  /// Why netfilter may change a packet's fate here; nil when there are no rules.
  let netfilter: String?
  /// What could not be read here; nil when all is known.
  let gap: String?
  /// Why a socket's or control group's program may change it; nil when there are none.
  let cgroupPrograms: String?

  struct NeighbourKey: Hashable {
    var interface: Int32
    var address: IPAddress
  }

  struct FDBKey: Hashable {
    /// A bridge or a vxlan.
    var interface: Int32
    var mac: MACAddress
  }

  init(_ netns: NetnsSnapshot, of node: NodeSnapshot) {
    snapshot = netns
    kernel = KernelVersion(node.kernel)
    name = netns.displayName
    linkByIndex = .init(netns.links.enumerated().map { ($1.index, $0) }) { first, _ in first }
    linkByName = .init(netns.links.enumerated().map { ($1.name, $0) }) { first, _ in first }
    rules4 = Self.sorted(netns.rules, .v4)
    rules6 = Self.sorted(netns.rules, .v6)
    hasCustomRules4 = !Self.areDefault(rules4, [(0, 255), (32766, 254), (32767, 253)])
    hasCustomRules6 = !Self.areDefault(rules6, [(0, 255), (32766, 254)])
    let own = Set(
      [(UInt32(0), UInt32(255)), (32766, 254)].map {
        PolicyRule(family: .v6, priority: $0.0, action: .lookup($0.1))
      })
    lacksRules6 = rules6.count < 2 && rules6.allSatisfy(own.contains)
    let live = netns.routes.filter { !$0.isCached }
    tables4 = Dictionary(grouping: live.filter { $0.family == .v4 }, by: \.table).mapValues { RouteTable($0) }
    tables6 = Dictionary(grouping: live.filter { $0.family == .v6 }, by: \.table).mapValues { RouteTable($0) }
    mergedTable4 = RouteTable(
      live.filter { $0.family == .v4 && $0.table == 255 } + live.filter { $0.family == .v4 && $0.table == 254 })
    nexthops = .init(netns.nexthops.map { ($0.id, $0) }) { first, _ in first }
    addressesByLink = Dictionary(grouping: netns.addresses, by: \.interface)
    addressByValue = Dictionary(grouping: netns.addresses, by: \.address)
    neighbours = .init(
      netns.neighbours.filter { !$0.isProxy }.map { (NeighbourKey(interface: $0.interface, address: $0.address), $0) }
    ) { first, _ in first }
    proxies = Dictionary(grouping: netns.neighbours.filter(\.isProxy), by: \.address)
    fdb = .init(
      netns.fdb.compactMap { entry in
        entry.bridge.map { (FDBKey(interface: $0, mac: entry.mac), entry) }
      }
    ) { first, _ in first }
    tunnels = Dictionary(grouping: netns.fdb.filter { $0.bridge == nil }) {
      FDBKey(interface: $0.interface, mac: $0.mac)
    }
    ports = Dictionary(grouping: netns.links.filter { $0.port != nil && $0.master != nil }, by: { $0.master! })
      .mapValues { $0.map(\.index) }
    listeners = Dictionary(grouping: netns.sockets.filter(\.isListener), by: \.localPort)
    datagramSockets = Dictionary(grouping: netns.sockets.filter { $0.kind == .udp }, by: \.localPort)
    filtersByLink = Dictionary(grouping: netns.filters, by: \.interface)
    qdiscByLink = .init(netns.qdiscs.filter { $0.parent == 0xffff_ffff }.map { ($0.interface, $0) }) { first, _ in first
    }
    netfilter = Presence.netfilter(node, netns)
    gap = Presence.gap(netns)
    cgroupPrograms = Presence.cgroupPrograms(node, netns)
  }

  private static func sorted(_ rules: [PolicyRule], _ family: IPAddress.Family) -> [PolicyRule] {
    // Equal priorities keep the kernel's order.
    rules.filter { $0.family == family }.enumerated()
      .sorted { ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset) }.map(\.element)
  }

  private static func areDefault(_ rules: [PolicyRule], _ expected: [(UInt32, UInt32)]) -> Bool {
    rules.count == expected.count
      && zip(rules, expected).allSatisfy { rule, expected in
        rule == PolicyRule(family: rule.family, priority: expected.0, action: .lookup(expected.1))
      }
  }

  func link(_ index: Int32) -> Link? { linkByIndex[index].map { snapshot.links[$0] } }
  func link(named name: String) -> Link? { linkByName[name].map { snapshot.links[$0] } }

  /// In the kernel's order, which is that of preference among equals.
  func addresses(_ interface: Int32, _ family: IPAddress.Family) -> [InterfaceAddress] {
    addressesByLink[interface, default: []].filter { $0.address.family == family }
  }

  /// The interfaces that have this address.
  func holders(_ address: IPAddress) -> [InterfaceAddress] { addressByValue[address, default: []] }

  func neighbour(_ interface: Int32, _ address: IPAddress) -> Neighbour? {
    neighbours[NeighbourKey(interface: interface, address: address)]
  }

  /// Whether there is a proxy entry for `address` on `interface` or on all (net/core/neighbour.c, pneigh_lookup).
  func isProxied(_ address: IPAddress, on interface: Int32) -> Bool {
    proxies[address, default: []].contains { $0.interface == 0 || $0.interface == interface }
  }

  func sysctl(_ name: String) -> Int? { snapshot.sysctls[name].flatMap { Int($0) } }

  /// A setting of the namespace; `standard` is the kernel's default.
  func sysctl(_ name: String, _ standard: Int) -> Int { sysctl(name) ?? standard }

  // How a setting of an interface and that of `all` are joined: IN_DEV_ORCONF and the like (include/linux/inetdevice.h).

  func either(_ link: Link, _ setting: KeyPath<IPv4Conf, Int32>) -> Bool {
    (link.ipv4?[keyPath: setting] ?? 0) != 0 || (snapshot.ipv4All?[keyPath: setting] ?? 0) != 0
  }

  func both(_ link: Link, _ setting: KeyPath<IPv4Conf, Int32>) -> Bool {
    (link.ipv4?[keyPath: setting] ?? 0) != 0 && (snapshot.ipv4All?[keyPath: setting] ?? 0) != 0
  }

  func larger(_ link: Link, _ setting: KeyPath<IPv4Conf, Int32>) -> Int32 {
    max(link.ipv4?[keyPath: setting] ?? 0, snapshot.ipv4All?[keyPath: setting] ?? 0)
  }

  func forwards4(_ link: Link) -> Bool { (link.ipv4?.forwarding ?? 0) != 0 }

  /// `net.ipv6.conf.all.forwarding`; since 6.17 an interface's `force_forwarding` as well (net/ipv6/ip6_output.c, ip6_forward).
  func forwards6(_ link: Link) -> Bool {
    (snapshot.ipv6All?.forwarding ?? 0) != 0 || (link.ipv6?.forceForwarding ?? 0) != 0
  }

  /// What on this interface may change a packet's fate in a way that is not modelled.
  func unmodelled(on link: Link, _ hook: TrafficFilter.Hook) -> String? {
    if let gap { return gap }
    if let program = link.programs.first(where: {
      !$0.isOurs && $0.hook.hasPrefix("xdp") == (hook == .ingress) || !$0.isOurs && !$0.hook.hasPrefix("xdp")
    }) {
      return "the eBPF program \(program.name ?? "\(program.id)") at \(program.hook) of \(link.name)"
    }
    if let filter = filtersByLink[link.index, default: []].first(where: {
      ($0.hook == hook || hook == .egress && $0.hook == .qdisc) && !($0.program?.isOurs ?? false)
    }) {
      return "the tc filter \(filter.kind) at \(filter.hook) of \(link.name)"
    }
    if hook == .egress, let qdisc = qdiscByLink[link.index], !Presence.harmlessQdiscs.contains(qdisc.kind) {
      return "the queueing discipline \(qdisc.kind) of \(link.name)"
    }
    return nil
  }
}

/// `major.minor` of a kernel's release.
struct KernelVersion: Comparable, Sendable {
  var major: Int
  var minor: Int

  init(_ release: String) {
    let numbers = release.split { !$0.isNumber }.prefix(2).map { Int($0) ?? 0 }
    major = numbers.first ?? 0
    minor = numbers.count > 1 ? numbers[1] : 0
  }

  init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}
