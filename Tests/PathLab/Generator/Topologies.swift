import NetTypes
import PathCases

/// The shapes of worlds.
enum Topology: String, CaseIterable {
  case pair, chain, diamond, star, routedStar, vxlan, vxlanBridge, macvlan, macvlanRouted

  static let weighted: [(weight: Int, value: Topology)] = [
    (2, .pair), (4, .chain), (3, .diamond), (4, .star), (3, .routedStar), (3, .vxlan), (3, .vxlanBridge), (3, .macvlan),
    (2, .macvlanRouted),
  ]

  /// A sane world of this shape, not yet routed.
  func sketch(_ random: SplitMix) -> Sketch {
    var random = random
    let count: Int
    switch self {
    case .pair: count = 2
    case .chain: count = random.within(3...5)
    case .diamond: count = 4 + random.below(2)
    case .star: count = random.within(3...5)
    case .routedStar: count = random.within(4...6)
    case .vxlan: count = random.within(2...4)
    case .vxlanBridge: count = 4 + 2 * random.below(2)
    case .macvlan: count = random.within(3...5)
    case .macvlanRouted: count = random.within(4...5)
    }
    var sketch = Sketch(random: random, nodes: count)
    sketch.topology = rawValue
    switch self {
    case .pair:
      sketch.wire(0, 1)
      if sketch.random.chance(50) { sketch.wire(0, 1) }
    case .chain:
      for node in 1..<count { sketch.wire(node - 1, node) }
    case .diamond:
      sketch.wire(0, 1)
      sketch.wire(0, 2)
      sketch.wire(1, 3)
      sketch.wire(2, 3)
      if count == 5 { sketch.wire(3, 4) }
    case .star: sketch.bridge(0, ports: Array(1..<count), withAddress: sketch.random.chance(50))
    case .routedStar:
      // The last is beyond the bridge's node.
      sketch.bridge(0, ports: Array(1..<(count - 1)), withAddress: true)
      sketch.wire(0, count - 1)
    case .vxlan: sketch.overlay(count)
    case .vxlanBridge: sketch.bridgedOverlay(hosts: count / 2)
    case .macvlan: sketch.macvlan(parent: 0, children: Array(2..<count), uplink: 1)
    case .macvlanRouted:
      sketch.macvlan(parent: 0, children: Array(2..<(count - 1)), uplink: 1)
      sketch.wire(1, count - 1)
    }
    return sketch
  }
}

extension Sketch {
  /// A bridge in `host`, with a port for each of `ports`.
  @discardableResult
  mutating func bridge(_ host: Int, ports: [Int], withAddress: Bool) -> Int {
    let segment = newSegment()
    let name = free("br", in: host)
    let mac = mac()
    link(host, "link add name \(name) index \(index()) address \(mac) type bridge")
    let bridge = attach(host, name, mac, kind: "bridge")
    for node in ports {
      let (port, leaf) = veth(host, node, "port", "eth")
      enslave(host, port, to: name)
      join(node, leaf, segment)
    }
    if withAddress { join(host, bridge, segment, host: 100 + host) }
    return segment
  }

  mutating func enslave(_ host: Int, _ port: Int, to bridge: String) {
    nodes[host].interfaces[port].kind = "port"
    setUp(host, "link set \(nodes[host].interfaces[port].name) master \(bridge)")
  }

  /// Namespaces on one underlay, and a tunnel interface in each that makes a second network of them.
  mutating func overlay(_ count: Int) {
    underlay(count)
    let segment = newSegment()
    segments[segment].overhead = 50
    let tunnels = (0..<count).map { node in tunnel(node, peers: (0..<count).filter { $0 != node }) }
    for (node, tunnel) in tunnels.enumerated() { join(node, tunnel, segment) }
    entries(tunnels)
  }

  /// Hosts with a bridge each, that has the tunnel as a port and a leaf behind another.
  mutating func bridgedOverlay(hosts: Int) {
    underlay(hosts)
    let segment = newSegment()
    segments[segment].overhead = 50
    let withAddress = random.chance(50)
    for host in 0..<hosts {
      let peers = (0..<hosts).filter { $0 != host }
      let name = free("br", in: host)
      let mac = mac()
      link(host, "link add name \(name) index \(index()) address \(mac) type bridge")
      let bridge = attach(host, name, mac, kind: "bridge")
      let tunnel = tunnel(host, peers: peers)
      enslave(host, tunnel, to: name)
      let (port, leaf) = veth(host, hosts + host, "port", "eth")
      enslave(host, port, to: name)
      join(hosts + host, leaf, segment)
      if withAddress { join(host, bridge, segment) }
    }
  }

  private mutating func underlay(_ count: Int) {
    if count == 2 {
      wire(0, 1)
    } else if random.chance(50) {
      bridge(0, ports: Array(1..<count), withAddress: true)
    } else {
      for node in 1..<count { wire(node - 1, node) }
    }
  }

  /// The address that other namespaces know `node` by on the first wire that it is on.
  func underlayAddress(_ node: Int) -> IPAddress { nodes[node].interfaces.compactMap(\.v4).first! }

  /// A vxlan interface; unknown destinations go to all `peers`, unless the remotes are left to entries.
  private mutating func tunnel(_ node: Int, peers: [Int]) -> Int {
    let name = free("vx", in: node)
    let mac = mac()
    var text =
      "link add name \(name) index \(index()) address \(mac) type vxlan id 42 dstport 4789 local \(underlayAddress(node))"
    var feature: String?
    if random.chance(6) {
      text = text.replacing("id 42", with: "id 43")
      feature = "vxlan.wrong-vni"
    } else if random.chance(6) {
      text = text.replacing("dstport 4789", with: "dstport 4790")
      feature = "vxlan.wrong-port"
    }
    let bySingleRemote = peers.count == 1 && random.chance(50)
    if bySingleRemote { text += " remote \(underlayAddress(peers[0]))" }
    if random.chance(30) {
      text += " nolearning"
      feature = feature ?? "vxlan.nolearning"
    }
    nodes[node].links.append(PlanCommand(node, .ip, text, feature: feature))
    let interface = attach(node, name, mac, kind: "vxlan")
    if bySingleRemote { return interface }
    for peer in peers where !random.chance(4) {
      nodes[node].tables.append(
        PlanCommand(
          node, .bridge, "fdb append 00:00:00:00:00:00 dev \(name) dst \(underlayAddress(peer))",
          feature: "vxlan.flood-entries"))
    }
    return interface
  }

  /// Static entries, as flannel makes them.
  private mutating func entries(_ tunnels: [Int]) {
    guard random.chance(40) else { return }
    for (node, tunnel) in tunnels.enumerated() {
      for (peer, other) in tunnels.enumerated() where peer != node && !random.chance(8) {
        let name = nodes[node].interfaces[tunnel].name
        nodes[node].tables.append(
          PlanCommand(
            node, .bridge,
            "fdb append \(nodes[peer].interfaces[other].mac) dev \(name) dst \(underlayAddress(peer))",
            feature: "vxlan.static-entries"))
      }
    }
  }

  static let macvlanModes = ["bridge", "bridge", "bridge", "vepa", "private", "passthru", "source"]

  /// A parent interface wired to `uplink`, with macvlans on it in the children's namespaces.
  mutating func macvlan(parent: Int, children: [Int], uplink: Int) {
    let segment = newSegment()
    let (lower, other) = veth(parent, uplink)
    let mode = random.pick(Self.macvlanModes)
    let lowerName = nodes[parent].interfaces[lower].name
    for child in children {
      let name = free("mv", in: child)
      let mac = mac()
      link(
        parent,
        "link add link \(lowerName) name \(name) index \(index()) address \(mac) netns @\(child) type macvlan mode \(mode)"
      )
      nodes[parent].links[nodes[parent].links.count - 1].feature = "macvlan.\(mode)"
      let interface = attach(child, name, mac, kind: "macvlan")
      join(child, interface, segment)
    }
    join(uplink, other, segment)
    // Often the lower interface has no address of its own.
    if random.chance(60) {
      join(parent, lower, segment)
    }
  }
}
