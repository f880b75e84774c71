import NetTypes

// The words that ip(8), bridge(8), tc(8) and ss(8) have for these objects. `Names` tells interfaces' names.

/// Names of a namespace's interfaces, for text.
public struct InterfaceNames: Sendable {
  private let names: [Int32: String]

  public init(_ namespace: NetnsSnapshot) {
    names = Dictionary(namespace.links.map { ($0.index, $0.name) }) { first, _ in first }
  }

  /// The name, or `if5` for an index that no interface has.
  public func callAsFunction(_ index: Int32) -> String { names[index] ?? "if\(index)" }
}

/// Words joined by blanks; a nil is left out.
private func phrase(_ words: String?...) -> String { words.compactMap { $0 }.joined(separator: " ") }

/// `word` where something is so, else nothing.
private func when(_ condition: Bool, _ word: String) -> String? { condition ? word : nil }

extension RoutingTable {
  /// `local`, `main`, `default`, or the number.
  public static func name(_ table: UInt32) -> String {
    switch table {
    case 253: "default"
    case 254: "main"
    case 255: "local"
    default: String(table)
    }
  }
}

/// Names of routing tables.
public enum RoutingTable {}

extension AddressScope {
  public var name: String {
    switch self {
    case .universe: "global"
    case .site: "site"
    case .link: "link"
    case .host: "host"
    case .nowhere: "nowhere"
    default: String(rawValue)
    }
  }
}

extension Link {
  /// As `ip -d link` says it: state, MTU, MAC, master, parameters.
  public func words(_ names: InterfaceNames) -> String { phrases(names).joined(separator: " ") }

  /// The same, piece by piece.
  func phrases(_ names: InterfaceNames) -> [String] {
    [
      "<\(flags)>", "mtu \(mtu)", kind.rawValue, "state \(operState.rawValue)", when(!carrier, "no-carrier"),
      mac.map { "mac \($0)" }, master.map { "master \(names($0))" },
      link.map { "link \(linkNetns == nil && linkNetnsUnknown != true ? names($0) : "if\($0)")" },
      linkNetns.map { "link-netns \($0)" }, when(linkNetnsUnknown == true, "link-netns unknown"),
      when(group != 0, "group \(group)"), alias.map { "alias \($0)" }, parameterWords(names), port.map { $0.words },
    ].compactMap { $0 }
  }

  private func parameterWords(_ names: InterfaceNames) -> String? {
    if let bridge {
      return phrase(
        when(bridge.vlanFiltering, "vlan_filtering"), when(bridge.stp, "stp"),
        when(!bridge.multicastSnooping, "no-mcast_snooping"), when(bridge.multicastQuerier, "mcast_querier"),
        when(bridge.callIPTables, "nf_call_iptables"), when(bridge.callIP6Tables, "nf_call_ip6tables"),
        when(bridge.callARPTables, "nf_call_arptables"),
        when(bridge.groupForwardMask != 0, "group_fwd_mask \(bridge.groupForwardMask)"),
        "ageing \(bridge.ageing)", when(!bridge.vlans.isEmpty, "vlans \(bridge.vlans.map(\.words))"))
    }
    if let vxlan {
      return phrase(
        "id \(vxlan.vni)", vxlan.remote.map { "remote \($0)" }, vxlan.local.map { "local \($0)" },
        vxlan.lower.map { "dev \(linkNetns == nil ? names($0) : "if\($0)")" }, "dstport \(vxlan.port)",
        when(!vxlan.learning, "nolearning"), when(vxlan.proxy, "proxy"), when(vxlan.rsc, "rsc"),
        when(vxlan.l2miss, "l2miss"), when(vxlan.l3miss, "l3miss"), when(vxlan.external, "external"),
        when(vxlan.ttl != 0, "ttl \(vxlan.ttl)"), when(vxlan.gbp, "gbp"), "df \(vxlan.df.rawValue)",
        when(vxlan.udpZeroChecksum6Receive, "udp6zerocsumrx"), when(vxlan.vniFilter, "vnifilter"))
    }
    if let vlan { return "id \(vlan.id) protocol \(vlan.etherType == 0x88a8 ? "802.1ad" : "802.1Q")" }
    if let macvlan {
      return phrase(
        "mode \(macvlan.mode.rawValue)", when(macvlan.flags & 1 != 0, "nopromisc"),
        when(macvlan.flags & 2 != 0, "nodst"),
        when(!macvlan.sources.isEmpty, "sources \(macvlan.sources.map(\.description).joined(separator: ","))"))
    }
    if let ipvlan {
      return phrase(
        "mode \(ipvlan.mode.rawValue)", when(ipvlan.isPrivate, "private"), when(ipvlan.isVEPA, "vepa"))
    }
    if let tunnel {
      return phrase(
        "local \(tunnel.local.map { "\($0)" } ?? "any")", "remote \(tunnel.remote.map { "\($0)" } ?? "any")",
        tunnel.lower.map { "dev \(linkNetns == nil ? names($0) : "if\($0)")" },
        when(tunnel.ttl != 0, "ttl \(tunnel.ttl)"), when(!tunnel.pathMTUDiscovery, "nopmtudisc"),
        tunnel.inputKey.map { "ikey \($0)" }, tunnel.outputKey.map { "okey \($0)" },
        when(tunnel.external, "external"))
    }
    if let bond { return phrase("mode \(bond.mode)", bond.activePort.map { "active_slave \(names($0))" }) }
    if let tun { return phrase(tun.isTap ? "tap" : "tun", when(tun.isPersistent, "persist")) }
    if let wireguard { return "port \(wireguard.listenPort) peers \(wireguard.peers.count)" }
    return vrfTable.map { "table \($0)" }
  }
}

extension PortVLAN {
  var words: String { "\(id)\(isPVID ? " pvid" : "")\(isUntagged ? " untagged" : "")" }
}

extension BridgePort {
  /// As `bridge -d link` says it; what is as it is made is left out.
  var words: String {
    phrase(
      state.rawValue, when(hairpin, "hairpin"), when(isolated, "isolated"), when(!learning, "no-learning"),
      when(!unicastFlood, "no-flood"), when(!multicastFlood, "no-mcast_flood"),
      when(!broadcastFlood, "no-bcast_flood"), when(proxyARP, "proxy_arp"),
      when(neighbourSuppress, "neigh_suppress"), when(locked, "locked"),
      when(!vlans.isEmpty, "vlans \(vlans.map(\.words))"), when(!unmodelled.isEmpty, "\(unmodelled)"))
  }
}

extension InterfaceAddress {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      "\(address)\(peer.map { " peer \($0)" } ?? "")/\(prefixLength)", broadcast.map { "brd \($0)" },
      "scope \(scope.name)", when(flags.contains(.secondary), "secondary"),
      when(flags.contains(.deprecated), "deprecated"), when(flags.contains(.tentative), "tentative"),
      when(flags.contains(.dadFailed), "dadfailed"), when(flags.contains(.noPrefixRoute), "noprefixroute"),
      "dev \(names(interface))")
  }
}

extension Neighbour {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      when(isProxy, "proxy"), "\(address)", when(interface != 0, "dev \(names(interface))"),
      mac.map { "lladdr \($0)" }, when(isRouter, "router"), when(isExternal, "extern_learn"),
      isProxy ? nil : state.rawValue)
  }
}

extension FDBEntry {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      "\(mac)", "dev \(names(interface))", remote.map { "dst \($0)" }, remotePort.map { "port \($0)" },
      remoteVNI.map { "vni \($0)" }, lower.map { "via \(names($0))" }, nexthopID.map { "nhid \($0)" },
      vlan.map { "vlan \($0)" }, bridge.map { "master \(names($0))" } ?? "self", when(isLocal, "permanent"),
      when(isStatic, "static"))
  }
}

extension PolicyRule {
  public var words: String {
    phrase(
      family == .v6 ? "-6" : nil, "\(priority):", when(isInverted, "not"),
      "from \(source.map { "\($0)" } ?? "all")", destination.map { "to \($0)" }, when(tos != 0, "tos \(tos)"),
      when(markMask != 0, "fwmark \(hex(mark))" + (markMask == .max ? "" : "/\(hex(markMask))")),
      inputInterface.map { "iif \($0)" }, outputInterface.map { "oif \($0)" },
      uids.map { "uidrange \($0.lowerBound)-\($0.upperBound)" }, ipProtocol.map { "ipproto \($0.rawValue)" },
      sourcePorts.map { "sport \($0.lowerBound)-\($0.upperBound)" },
      destinationPorts.map { "dport \($0.lowerBound)-\($0.upperBound)" }, tunnelID.map { "tun_id \($0)" },
      when(l3mdev, "l3mdev"), actionWords, suppressPrefixLength.map { "suppress_prefixlength \($0)" },
      suppressGroup.map { "suppress_ifgroup \($0)" },
      when(!unknownAttributes.isEmpty, "unknown \(unknownAttributes)"))
  }

  private var actionWords: String {
    switch action {
    case .lookup(let table): "lookup \(RoutingTable.name(table))"
    case .goto(let priority): "goto \(priority)"
    case .nop: "nop"
    case .blackhole: "blackhole"
    case .unreachable: "unreachable"
    case .prohibit: "prohibit"
    case .unknown(let number): "action \(number)"
    }
  }

  private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}

extension NextHop {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      encapsulation.map { "encap \($0)" }, gateway.map { "via \($0)" }, interface.map { "dev \(names($0))" },
      when(weight != 1, "weight \(weight)"), when(isOnLink, "onlink"), when(isDead, "dead"),
      when(isLinkDown, "linkdown"))
  }
}

extension Route {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      when(type != .unicast, type.rawValue),
      destination.length == 0 ? "default\(family == .v6 ? " (v6)" : "")" : "\(destination)",
      source.map { "from \($0)" }, when(tos != 0, "tos \(tos)"), nexthopID.map { "nhid \($0)" },
      nextHops.count == 1
        ? nextHops[0].words(names)
        : when(!nextHops.isEmpty, nextHops.map { "nexthop \($0.words(names))" }.joined(separator: " ")),
      when(table != 254, "table \(RoutingTable.name(table))"), "proto \(origin)",
      when(family == .v4 && scope != .universe, "scope \(scope.name)"), preferredSource.map { "src \($0)" },
      when(metric != 0, "metric \(metric)"), mtu.map { "mtu \(isMTULocked ? "lock " : "")\($0)" },
      hopLimit.map { "hoplimit \($0)" }, preference.flatMap { when($0 != 0, "pref \($0)") }, when(isCached, "cache"),
      when(!unknownAttributes.isEmpty, "unknown \(unknownAttributes)"))
  }
}

extension NexthopObject {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      "id \(id)", nextHop.map { $0.words(names) },
      when(!members.isEmpty, "group \(members.map { "\($0.id),\($0.weight)" }.joined(separator: "/"))"),
      when(isBlackhole, "blackhole"), when(isFDB, "fdb"), when(isResilient, "type resilient"))
  }
}

extension SocketEntry {
  public func words(_ names: InterfaceNames) -> String {
    phrase(
      kind.rawValue, state, "\(Self.end(local, localPort)) \(Self.end(remote, remotePort))",
      boundInterface.map { "dev \(names($0))" }, when(isV6Only == true, "v6only"), "uid \(uid)",
      mark.flatMap { when($0 != 0, "mark \($0)") }, when(isListener, "backlog \(sendQueue)"))
  }

  private static func end(_ address: IPAddress, _ port: UInt16) -> String {
    let text = address.family == .v6 ? "[\(address)]" : "\(address)"
    return "\(text):\(port == 0 ? "*" : String(port))"
  }
}

extension Qdisc {
  public func words(_ names: InterfaceNames) -> String {
    "\(kind) \(String(handle >> 16, radix: 16)): dev \(names(interface)) parent \(String(parent, radix: 16))"
  }
}

extension TrafficFilter {
  public func words(_ names: InterfaceNames) -> String {
    phrase("\(kind) dev \(names(interface)) \(hook.rawValue) pref \(priority)", program.map { $0.words })
  }
}

extension AttachedProgram {
  public var words: String { "\(hook) \(name ?? "?") id \(id)" }
}
