import NetTypes
import PathCases

extension Change {
  /// A sysctl of one interface, or of `all`.
  private static func perInterface(
    _ name: String, _ weight: Int, family: String = "ipv4", _ values: [Int], all: Int = 30
  ) -> Change {
    Change("sysctl.\(name)", weight) { sketch in
      let place = sketch.routerPlace()
      let scope = sketch.random.chance(all) ? "all" : place.interface.name
      let value = sketch.random.pick(values)
      return [PlanCommand(place.node, .sysctl, "net.\(family).conf.\(scope).\(name)=\(value)")]
    }
  }

  private static func global(_ name: String, _ weight: Int, _ values: [Int], router: Bool = true) -> Change {
    Change("sysctl.\(name)", weight) { sketch in
      let place = router ? sketch.routerPlace() : sketch.place()
      return [PlanCommand(place.node, .sysctl, "\(name)=\(sketch.random.pick(values))")]
    }
  }

  static let settings: [Change] = [
    perInterface("rp_filter", 6, [0, 1, 1, 2]),
    global("net.ipv4.ip_forward", 3, [0, 1]),
    perInterface("forwarding", 3, [0, 1], all: 0),
    perInterface("forwarding", 2, family: "ipv6", [0, 1]),
    perInterface("accept_local", 2, [1]),
    perInterface("route_localnet", 2, [1]),
    perInterface("arp_ignore", 4, [1, 2, 3, 8]),
    perInterface("arp_filter", 2, [1]),
    perInterface("arp_announce", 2, [1, 2]),
    perInterface("proxy_arp", 3, [1]),
    perInterface("proxy_arp_pvlan", 2, [1]),
    perInterface("proxy_ndp", 2, family: "ipv6", [1]),
    perInterface("ignore_routes_with_linkdown", 2, [1]),
    perInterface("ignore_routes_with_linkdown", 2, family: "ipv6", [1]),
    perInterface("disable_ipv6", 3, family: "ipv6", [1], all: 15),
    perInterface("use_oif_addrs_only", 1, family: "ipv6", [1]),
    perInterface("src_valid_mark", 1, [1]),
    perInterface("bc_forwarding", 1, [1]),
    perInterface("send_redirects", 1, [1]),
    perInterface("shared_media", 1, [0]),
    perInterface("force_forwarding", 1, family: "ipv6", [1]),
    global("net.ipv4.icmp_echo_ignore_all", 2, [1], router: false),
    global("net.ipv6.icmp.echo_ignore_all", 2, [1], router: false),
    global("net.ipv4.icmp_echo_ignore_broadcasts", 2, [0], router: false),
    global("net.ipv4.icmp_errors_use_inbound_ifaddr", 2, [1]),
    global("net.ipv4.ip_nonlocal_bind", 1, [1], router: false),
    global("net.ipv6.ip_nonlocal_bind", 1, [1], router: false),
    global("net.ipv4.ip_default_ttl", 2, [1, 2, 3], router: false),
    global("net.ipv4.fib_multipath_hash_policy", 1, [1]),
    global("net.ipv4.ip_no_pmtu_disc", 1, [1, 2], router: false),
    global("net.ipv6.bindv6only", 1, [1], router: false),
    perInterface("hop_limit", 2, family: "ipv6", [1, 2, 3]),
  ]

  static let neighbours: [Change] = [
    Change("neighbour.right", 3) { sketch in
      let place = sketch.place()
      let family = sketch.family()
      guard let other = sketch.neighbour(of: place) else { return nil }
      return [
        sketch.ip(
          place.node,
          "neigh replace \(sketch.address(other.interface, family)) lladdr \(other.interface.mac) dev \(place.interface.name) nud permanent"
        )
      ]
    },
    Change("neighbour.wrong", 4) { sketch in
      let place = sketch.place()
      let family = sketch.family()
      guard let other = sketch.neighbour(of: place) else { return nil }
      let macs = sketch.places.map(\.interface.mac) + [MACAddress(value: 0x0200_00de_adff)]
      return [
        sketch.ip(
          place.node,
          "neigh replace \(sketch.address(other.interface, family)) lladdr \(sketch.random.pick(macs)) dev \(place.interface.name) nud permanent"
        )
      ]
    },
    Change("neighbour.failed", 1) { sketch in
      let place = sketch.place()
      let family = sketch.family()
      guard let other = sketch.neighbour(of: place) else { return nil }
      return [
        sketch.ip(
          place.node,
          "neigh replace \(sketch.address(other.interface, family)) dev \(place.interface.name) nud failed")
      ]
    },
    Change("neighbour.proxy", 3) { sketch in
      let place = sketch.routerPlace()
      let family = sketch.family()
      let target = sketch.target(from: place.node, family)
      let switchOn =
        "net.\(family == 4 ? "ipv4" : "ipv6").conf.\(place.interface.name).\(family == 4 ? "proxy_arp" : "proxy_ndp")=1"
      let entry = sketch.ip(place.node, "neigh add proxy \(target) dev \(place.interface.name)")
      return family == 4 && sketch.random.chance(60) ? [entry] : [PlanCommand(place.node, .sysctl, switchOn), entry]
    },
    Change("neighbour.proxied-subnet", 3) { sketch in
      // Somebody believes that a distant address is on its own wire.
      let place = sketch.place()
      let family = sketch.family()
      let target = sketch.target(from: place.node, family)
      var commands = [
        sketch.ip(
          place.node,
          "\(dash(family))route add \(target)/\(family == 4 ? 32 : 128) dev \(place.interface.name) metric 1")
      ]
      if let other = sketch.neighbour(of: place), sketch.random.chance(70) {
        if family == 4 {
          commands.append(
            PlanCommand(other.node, .sysctl, "net.ipv4.conf.\(other.interface.name).proxy_arp=1"))
        } else {
          commands.append(PlanCommand(other.node, .sysctl, "net.ipv6.conf.\(other.interface.name).proxy_ndp=1"))
          commands.append(sketch.ip(other.node, "neigh add proxy \(target) dev \(other.interface.name)"))
        }
      }
      return commands
    },
  ]
}
