import NetTypes
import PathCases

extension Change {
  /// A setting of a bridge's port.
  private static func port(_ name: String, _ weight: Int, _ words: [String]) -> Change {
    Change("port.\(name)", weight) { sketch in
      let ports = sketch.nodes.indices.flatMap { node in
        sketch.nodes[node].interfaces.filter { $0.kind == "port" }.map { (node, $0.name) }
      }
      guard !ports.isEmpty else { return nil }
      let (node, name) = sketch.random.pick(ports)
      let word = sketch.random.pick(words)
      var commands = [sketch.ip(node, "link set \(name) type bridge_slave \(word)")]
      if word.hasPrefix("isolated"), let other = ports.first(where: { $0.0 == node && $0.1 != name }) {
        commands.append(sketch.ip(node, "link set \(other.1) type bridge_slave \(word)"))
      }
      return commands
    }
  }

  static let links: [Change] = [
    Change("link.down", 4) { sketch in
      let all = sketch.nodes.indices.flatMap { node in sketch.nodes[node].interfaces.map { (node, $0.name) } }
      let (node, name) = sketch.random.pick(all)
      return [sketch.ip(node, "link set \(name) down")]
    },
    Change("link.lo-down", 2) { sketch in [sketch.ip(sketch.random.below(sketch.nodes.count), "link set lo down")] },
    Change("link.mtu", 4) { sketch in
      let all = sketch.nodes.indices.flatMap { node in sketch.nodes[node].interfaces.map { (node, $0.name) } }
      let (node, name) = sketch.random.pick(all)
      return [sketch.ip(node, "link set \(name) mtu \(sketch.random.pick([576, 1000, 1280, 1300, 1400, 9000]))")]
    },
    Change("link.mtu-both", 3) { sketch in
      let place = sketch.place()
      let mtu = sketch.random.pick([1280, 1300, 1400, 9000])
      return sketch.places.filter { $0.segment == place.segment }.map {
        sketch.ip($0.node, "link set \($0.interface.name) mtu \(mtu)")
      }
    },
    Change("link.mac", 2) { sketch in
      let place = sketch.place()
      return [sketch.ip(place.node, "link set \(place.interface.name) address \(sketch.mac())")]
    },
    Change("link.noarp", 1) { sketch in
      let place = sketch.place()
      return [sketch.ip(place.node, "link set \(place.interface.name) arp off")]
    },
    Change("link.promisc", 1) { sketch in
      let place = sketch.place()
      return [sketch.ip(place.node, "link set \(place.interface.name) promisc on")]
    },
    Change("macvlan.mode", 2) { sketch in
      let places = sketch.places.filter { $0.interface.kind == "macvlan" }
      guard !places.isEmpty else { return nil }
      let place = sketch.random.pick(places)
      return [
        sketch.ip(
          place.node,
          "link set \(place.interface.name) type macvlan mode \(sketch.random.pick(["private", "vepa", "bridge"]))")
      ]
    },
    Change("vxlan.entry", 3) { sketch in
      let places = sketch.tunnels
      guard !places.isEmpty else { return nil }
      let (node, name, _) = sketch.random.pick(places)
      let mac = sketch.random.chance(25) ? MACAddress.zero : sketch.random.pick(sketch.places).interface.mac
      let remote =
        sketch.random.chance(60) ? sketch.underlayAddress(sketch.random.pick(places).0) : sketch.target(from: node, 4)
      let verb = sketch.random.chance(20) ? "del" : sketch.random.chance(30) ? "append" : "replace"
      return [PlanCommand(node, .bridge, "fdb \(verb) \(mac) dev \(name) dst \(remote)")]
    },
  ]

  static let bridges: [Change] = [
    port("hairpin", 2, ["hairpin on"]), port("isolated", 2, ["isolated on"]), port("learning", 2, ["learning off"]),
    port("flood", 3, ["flood off"]), port("multicast-flood", 2, ["mcast_flood off"]),
    port("broadcast-flood", 2, ["bcast_flood off"]), port("state", 2, ["state 0", "state 1", "state 2", "state 4"]),
    port("proxy-arp", 1, ["proxy_arp on", "neigh_suppress on"]), port("locked", 1, ["locked on learning off"]),
    Change("bridge.entry", 4) { sketch in
      let ports = sketch.nodes.indices.flatMap { node in
        sketch.nodes[node].interfaces.filter { $0.kind == "port" }.map { (node, $0.name) }
      }
      guard !ports.isEmpty else { return nil }
      let (node, name) = sketch.random.pick(ports)
      let mac = sketch.random.pick(sketch.places).interface.mac
      let kind = sketch.random.chance(80) ? "static" : "local"
      return [PlanCommand(node, .bridge, "fdb replace \(mac) dev \(name) master \(kind)")]
    },
    Change("bridge.snooping-off", 1) { sketch in
      for node in sketch.nodes.indices {
        if let bridge = sketch.nodes[node].interfaces.first(where: { $0.kind == "bridge" }) {
          return [sketch.ip(node, "link set \(bridge.name) type bridge mcast_snooping 0")]
        }
      }
      return nil
    },
    Change("bridge.port-removed", 2) { sketch in
      let ports = sketch.nodes.indices.flatMap { node in
        sketch.nodes[node].interfaces.filter { $0.kind == "port" }.map { (node, $0.name) }
      }
      guard !ports.isEmpty else { return nil }
      let (node, name) = sketch.random.pick(ports)
      return [sketch.ip(node, "link set \(name) nomaster")]
    },
  ]

  static let addresses: [Change] = [
    Change("address.removed", 2) { sketch in
      let place = sketch.place()
      let family = sketch.family()
      return [
        sketch.ip(
          place.node,
          "addr del \(sketch.address(place.interface, family))/\(family == 4 ? 24 : 64) dev \(place.interface.name)")
      ]
    },
    Change("address.secondary", 3) { sketch in
      let place = sketch.place()
      let host = 50 + place.node
      return sketch.family() == 4
        ? [
          sketch.ip(place.node, "addr add \(sketch.address4(place.segment, host: host))/24 dev \(place.interface.name)")
        ]
        : [
          sketch.ip(
            place.node, "addr add \(sketch.address6(place.segment, host: host))/64 dev \(place.interface.name) nodad")
        ]
    },
    Change("address.duplicate", 2) { sketch in
      let place = sketch.place()
      let family = sketch.family()
      let address = sketch.target(from: place.node, family)
      let device = sketch.random.chance(50) ? "lo" : place.interface.name
      return [
        sketch.ip(
          place.node, "addr add \(address)/\(family == 4 ? 32 : 128) dev \(device)\(family == 4 ? "" : " nodad")")
      ]
    },
    Change("address.scope", 1) { sketch in
      let place = sketch.place()
      return [
        sketch.ip(
          place.node,
          "addr add \(sketch.address4(place.segment, host: 60 + place.node))/24 dev \(place.interface.name) scope \(sketch.random.pick(["link", "host"]))"
        )
      ]
    },
    Change("address.deprecated", 1) { sketch in
      let place = sketch.place()
      return [
        sketch.ip(
          place.node,
          "addr change \(place.interface.v6!)/64 dev \(place.interface.name) preferred_lft 0 nodad")
      ]
    },
    Change("address.short-prefix", 2) { sketch in
      let place = sketch.place()
      let network = sketch.random.chance(50) ? 8 : 16
      return [
        sketch.ip(
          place.node,
          "addr add \(sketch.address4(place.segment, host: 70 + place.node))/\(network) dev \(place.interface.name)")
      ]
    },
  ]
}

extension Sketch {
  /// The vxlan interfaces: node, name, MAC.
  var tunnels: [(Int, String, MACAddress)] {
    nodes.indices.flatMap { node in
      nodes[node].interfaces.filter { $0.name.hasPrefix("vx") }.map { (node, $0.name, $0.mac) }
    }
  }
}
