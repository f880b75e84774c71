import NetTypes
import PathCases

/// One way to spoil or adorn a world. Each is a feature by its name; the summary counts how many worlds had it.
struct Change: Sendable {
  let name: String
  let weight: Int
  /// Nil where the world has nothing to apply it to.
  let make: @Sendable (inout Sketch) -> [PlanCommand]?

  init(_ name: String, _ weight: Int = 2, _ make: @escaping @Sendable (inout Sketch) -> [PlanCommand]?) {
    self.name = name
    self.weight = weight
    self.make = make
  }

  static let all: [Change] = routes + rules + settings + neighbours + links + bridges + addresses

  /// Applies a random change.
  static func apply(to sketch: inout Sketch) {
    for _ in 0..<10 {
      let change = sketch.random.pick(weighted: all.map { ($0.weight, $0) })
      guard let commands = change.make(&sketch) else { continue }
      sketch.changes += commands.map { command in
        var command = command
        command.feature = change.name
        command.isChange = true
        return command
      }
      return
    }
  }
}

/// What changes choose from.
extension Sketch {
  /// A place on a wire: an interface with addresses.
  struct Place {
    var node: Int
    var interface: Interface
    var segment: Int
  }

  var places: [Place] {
    nodes.indices.flatMap { node in
      nodes[node].interfaces.compactMap { interface in
        interface.segment.map { Place(node: node, interface: interface, segment: $0) }
      }
    }
  }

  mutating func place() -> Place { random.pick(places) }

  /// A place of a router if there is one, mostly: changes there touch more questions.
  mutating func routerPlace() -> Place {
    let routers = places.filter { nodes[$0.node].isRouter }
    return routers.isEmpty || random.chance(25) ? place() : random.pick(routers)
  }

  /// Somebody else on the wire of a place.
  mutating func neighbour(of place: Place) -> Place? {
    let others = places.filter { $0.segment == place.segment && $0.node != place.node }
    return others.isEmpty ? nil : random.pick(others)
  }

  /// 4 or 6.
  mutating func family() -> Int { random.chance(55) ? 4 : 6 }

  func address(_ interface: Interface, _ family: Int) -> IPAddress { family == 4 ? interface.v4! : interface.v6! }

  /// A block around an address that somebody has: the whole network, a part, or only it.
  mutating func block(around address: IPAddress) -> IPPrefix {
    let lengths =
      address.family == .v4 ? [0, 8, 16, 24, 24, 28, 31, 32, 32, 32] : [0, 16, 48, 64, 64, 120, 127, 128, 128, 128]
    return IPPrefix(address, length: random.pick(lengths))!
  }

  /// An address of another node.
  mutating func target(from node: Int, _ family: Int) -> IPAddress {
    let others = places.filter { $0.node != node }
    let chosen = random.pick(others)
    if random.chance(20), let loopback = family == 4 ? nodes[chosen.node].loopback4 : nodes[chosen.node].loopback6 {
      return loopback
    }
    return address(chosen.interface, family)
  }

  func ip(_ node: Int, _ text: String) -> PlanCommand { PlanCommand(node, .ip, text) }
}

func dash(_ family: Int) -> String { family == 6 ? "-6 " : "" }

extension Change {
  /// `route add` of a type without a next hop.
  private static func plainRoute(_ type: String, _ weight: Int) -> Change {
    Change("route.\(type)", weight) { sketch in
      let place = sketch.routerPlace()
      let family = sketch.family()
      let block = sketch.block(around: sketch.target(from: place.node, family))
      let device = type == "broadcast" || type == "multicast" ? " dev \(place.interface.name)" : ""
      let lo = type == "local" ? " dev lo" : ""
      let metric = sketch.random.chance(20) ? " metric \(sketch.random.pick([1, 500, 5000]))" : ""
      return [sketch.ip(place.node, "\(dash(family))route add \(type) \(block)\(device)\(lo)\(metric)")]
    }
  }

  static let routes: [Change] =
    [
      plainRoute("blackhole", 3), plainRoute("unreachable", 3), plainRoute("prohibit", 3), plainRoute("throw", 3),
      plainRoute("local", 3), plainRoute("broadcast", 1), plainRoute("multicast", 1),
      Change("route.delete", 3) { sketch in
        let routes = sketch.nodes.indices.flatMap { node in
          sketch.nodes[node].setup.filter { $0.text.contains("route add ") }
        }
        guard !routes.isEmpty else { return nil }
        let route = sketch.random.pick(routes)
        return [PlanCommand(route.netns, route.tool, route.text.replacing("route add", with: "route del"))]
      },
      Change("route.more-specific", 4) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        guard let next = sketch.neighbour(of: place) else { return nil }
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let gateway = sketch.address(next.interface, family)
        let metric = sketch.random.chance(30) ? " metric \(sketch.random.pick([1, 10, 500, 5000]))" : ""
        return [
          sketch.ip(place.node, "\(dash(family))route add \(block) via \(gateway) dev \(place.interface.name)\(metric)")
        ]
      },
      Change("route.no-gateway", 3) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        let block = sketch.block(around: sketch.target(from: place.node, family))
        return [sketch.ip(place.node, "\(dash(family))route add \(block) dev \(place.interface.name)")]
      },
      Change("route.absent-gateway", 2) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let gateway = family == 4 ? sketch.address4(place.segment, host: 77) : sketch.address6(place.segment, host: 77)
        return [
          sketch.ip(place.node, "\(dash(family))route add \(block) via \(gateway) dev \(place.interface.name) onlink")
        ]
      },
      Change("route.onlink-elsewhere", 2) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let gateway = sketch.target(from: place.node, family)
        return [
          sketch.ip(place.node, "\(dash(family))route add \(block) via \(gateway) dev \(place.interface.name) onlink")
        ]
      },
      Change("route.source", 2) { sketch in
        let place = sketch.place()
        let family = sketch.family()
        guard let next = sketch.neighbour(of: place) else { return nil }
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let own = sketch.places.filter { $0.node == place.node }
        let source =
          (family == 4 ? sketch.nodes[place.node].loopback4 : sketch.nodes[place.node].loopback6)
          ?? sketch.address(sketch.random.pick(own).interface, family)
        let gateway = sketch.address(next.interface, family)
        return [
          sketch.ip(
            place.node,
            "\(dash(family))route add \(block) via \(gateway) dev \(place.interface.name) src \(source) metric 1")
        ]
      },
      Change("route.multipath-mixed", 3) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        guard let one = sketch.neighbour(of: place) else { return nil }
        let other = sketch.random.pick(sketch.places.filter { $0.node == place.node })
        let absent = family == 4 ? sketch.address4(other.segment, host: 77) : sketch.address6(other.segment, host: 77)
        let second = sketch.neighbour(of: other).map { sketch.address($0.interface, family) } ?? absent
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let first = sketch.address(one.interface, family)
        return [
          sketch.ip(
            place.node,
            "\(dash(family))route add \(block) nexthop via \(first) dev \(place.interface.name) nexthop via \(second) dev \(other.interface.name)"
          )
        ]
      },
      Change("route.nexthop-group", 3) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        guard let next = sketch.neighbour(of: place) else { return nil }
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let (a, b, c) = (sketch.index(), sketch.index(), sketch.index())
        let gateway = sketch.address(next.interface, family)
        let blackhole = sketch.random.chance(40)
        return [
          sketch.ip(place.node, "\(dash(family))nexthop add id \(a) via \(gateway) dev \(place.interface.name)"),
          sketch.ip(
            place.node,
            blackhole
              ? "\(dash(family))nexthop add id \(b) blackhole"
              : "\(dash(family))nexthop add id \(b) dev \(place.interface.name)"),
          sketch.ip(place.node, "nexthop add id \(c) group \(blackhole ? "\(b)" : "\(a),3/\(b)")"),
          sketch.ip(place.node, "\(dash(family))route add \(block) nhid \(c) metric 2"),
        ]
      },
      Change("route.mtu", 2) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        guard let next = sketch.neighbour(of: place) else { return nil }
        let block = sketch.block(around: sketch.target(from: place.node, family))
        let gateway = sketch.address(next.interface, family)
        let lock = sketch.random.chance(30) ? "lock " : ""
        return [
          sketch.ip(
            place.node,
            "\(dash(family))route add \(block) via \(gateway) dev \(place.interface.name) metric 1 mtu \(lock)\(sketch.random.pick([600, 1300, 1400]))"
          )
        ]
      },
      Change("route.tos", 1) { sketch in
        let place = sketch.place()
        let block = sketch.block(around: sketch.target(from: place.node, 4))
        return [sketch.ip(place.node, "route add blackhole \(block) tos 0x10")]
      },
      Change("route.v6-from", 1) { sketch in
        let place = sketch.routerPlace()
        let block = sketch.block(around: sketch.target(from: place.node, 6))
        let source = sketch.random.pick(sketch.places).interface.v6!
        return [sketch.ip(place.node, "-6 route add unreachable \(block) from \(source)/128")]
      },
      Change("route.table-only", 1) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        let block = sketch.block(around: sketch.target(from: place.node, family))
        return [sketch.ip(place.node, "\(dash(family))route add blackhole \(block) table 200")]
      },
    ]
}
