import NetTypes
import PathCases

/// Fills in routes so that every namespace reaches every wire, by the fewest hops.
extension Sketch {
  /// A way out of a node: the neighbour's addresses, and the interface toward it.
  struct Way: Hashable {
    var device: String
    var via4: IPAddress
    var via6: IPAddress
    var neighbour: Int
  }

  mutating func route() {
    for node in nodes.indices where nodes[node].interfaces.filter({ $0.segment != nil }).count > 1 {
      nodes[node].isRouter = true
      for line in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
        nodes[node].settings.append(PlanCommand(node, .sysctl, line))
      }
    }
    addLoopbacks()
    for node in nodes.indices { route(node) }
  }

  /// Addresses on lo, as routers and load balancers have.
  private mutating func addLoopbacks() {
    guard random.chance(35) else { return }
    for node in nodes.indices where random.chance(60) {
      let v4 = IPAddress(v4: 192 << 24 | 168 << 16 | 7 << 8 | UInt32(node + 1))
      let v6 = IPAddress(v6High: 0xfd77_0000_0000_0000, low: UInt64(node + 1))
      nodes[node].loopback4 = v4
      nodes[node].loopback6 = v6
      setUp(node, "addr add \(v4)/32 dev lo", feature: "address.loopback")
      setUp(node, "addr add \(v6)/128 dev lo nodad", feature: "address.loopback")
    }
  }

  /// The first hops from `node` to each other node, over routers only; shortest ways.
  func ways(from node: Int) -> [Int: [Way]] {
    var distance = [node: 0]
    var result: [Int: [Way]] = [:]
    var queue = [node]
    while !queue.isEmpty {
      let current = queue.removeFirst()
      if current != node, !nodes[current].isRouter { continue }
      for interface in nodes[current].interfaces {
        guard let segment = interface.segment else { continue }
        for member in segments[segment].members where member.node != current {
          let there = nodes[member.node].interfaces[member.interface]
          let step = distance[current]! + 1
          if distance[member.node] == nil {
            distance[member.node] = step
            queue.append(member.node)
          }
          guard distance[member.node] == step else { continue }
          let ways =
            current == node
            ? [Way(device: interface.name, via4: there.v4!, via6: there.v6!, neighbour: member.node)]
            : result[current] ?? []
          for way in ways where !(result[member.node] ?? []).contains(way) {
            result[member.node, default: []].append(way)
          }
        }
      }
    }
    return result
  }

  private mutating func route(_ node: Int) {
    let ways = ways(from: node)
    let mine = Set(nodes[node].interfaces.compactMap(\.segment))
    // A leaf has a default route, mostly.
    if mine.count == 1, !nodes[node].isRouter, random.chance(50) {
      let routers = segments[mine.first!].members.filter { nodes[$0.node].isRouter && $0.node != node }
      if let gateway = routers.first {
        let there = nodes[gateway.node].interfaces[gateway.interface]
        let device = nodes[node].interfaces.first { $0.segment == mine.first }!.name
        for family in [4, 6] {
          install(
            node, family, "default", [Way(device: device, via4: there.v4!, via6: there.v6!, neighbour: gateway.node)])
        }
      }
      return
    }
    for segment in segments.indices where !mine.contains(segment) {
      var best: [Way] = []
      for member in segments[segment].members {
        // Through the namespace nearest to the wire.
        guard let candidates = ways[member.node], nodes[member.node].isRouter else { continue }
        if best.isEmpty || candidates.count > best.count { best = candidates }
      }
      if best.isEmpty { continue }
      install(node, 4, "\(segments[segment].v4)", best)
      install(node, 6, "\(segments[segment].v6)", best)
    }
    for (other, target) in nodes.enumerated() where other != node {
      guard let loopback4 = target.loopback4, let loopback6 = target.loopback6, let ways = ways[other] else { continue }
      install(node, 4, "\(loopback4)/32", ways)
      install(node, 6, "\(loopback6)/128", ways)
    }
  }

  /// One route in one of the forms that mean the same.
  private mutating func install(_ node: Int, _ family: Int, _ destination: String, _ ways: [Way]) {
    func via(_ way: Way) -> String { "via \(family == 4 ? way.via4 : way.via6) dev \(way.device)" }
    let dash = family == 6 ? "-6 " : ""
    if ways.count > 1, random.chance(60) {
      let hops = ways.prefix(2).map { "nexthop \(via($0)) weight \(random.within(1...3))" }.joined(separator: " ")
      setUp(node, "\(dash)route add \(destination) \(hops)", feature: "route.multipath")
      return
    }
    let way = ways[random.below(ways.count)]
    switch random.below(20) {
    case 0:
      let id = index()
      setUp(node, "\(dash)nexthop add id \(id) \(via(way))", feature: "route.nexthop-object")
      setUp(node, "\(dash)route add \(destination) nhid \(id)", feature: "route.nexthop-object")
    case 1 where family == 4:
      setUp(node, "route add \(destination) via inet6 \(way.via6) dev \(way.device)", feature: "route.v4-via-v6")
    case 2:
      setUp(node, "\(dash)route add \(destination) \(via(way)) onlink", feature: "route.onlink")
    case 3:
      let table = 100 + random.below(3)
      setUp(node, "\(dash)route add \(destination) \(via(way)) table \(table)", feature: "route.table")
      setUp(
        node,
        "\(dash)rule add pref \(1000 + index()) \(destination == "default" ? "" : "to \(destination) ")lookup \(table)",
        feature: "rule.to")
    case 4:
      setUp(
        node, "\(dash)route add \(destination) \(via(way)) metric \(random.within(1...300))", feature: "route.metric")
    default: setUp(node, "\(dash)route add \(destination) \(via(way))")
    }
  }
}
