import NetModel
import NetTypes

extension Walk {
  /// drivers/net/vxlan/vxlan_core.c, vxlan_xmit.
  mutating func vxlanOutput(
    _ frame: Frame, _ link: Link, _ device: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    guard let vxlan = link.vxlan else { throw Undecided(reason: "the vxlan \(link.name) without parameters") }
    if vxlan.external || vxlan.proxy || vxlan.rsc || vxlan.gbp || vxlan.vniFilter {
      throw Undecided(reason: "settings of the vxlan \(link.name) that are not modelled")
    }
    let netns = world.namespaces[device.netns]
    guard let underlay = link.linkNetns.map({ world.position($0) }) ?? device.netns, link.linkNetnsUnknown != true
    else {
      result.left.append((device, path))
      return
    }
    var remotes: [(address: IPAddress, entry: FDBEntry?)] = []
    if let remote = learned.remotes[.init(device: device, mac: frame.destination)] {
      remotes = [(remote, nil)]
    } else {
      let own = netns.tunnels[.init(interface: device.index, mac: frame.destination), default: []]
      let entries = own.isEmpty ? netns.tunnels[.init(interface: device.index, mac: .zero), default: []] : own
      for entry in entries {
        guard entry.nexthopID == nil else { throw Undecided(reason: "a nexthop group of the vxlan \(link.name)") }
        if let remote = entry.remote { remotes.append((remote, entry)) }
      }
    }
    if remotes.isEmpty {
      drop(
        device.netns, link.name, "NO_TX_TARGET",
        "the forwarding table of \(link.name) has no tunnel endpoint for \(frame.destination)", into: &result)
      return
    }
    for remote in remotes {
      if let entry = remote.entry, remotes.count == 1 {
        note(.tunnel, device.netns, link.name, "encapsulated for \(remote.address)", object: IPText.fdb(entry, netns))
      }
      try encapsulate(frame, link, vxlan, device, underlay, remote, into: &result)
    }
  }

  /// vxlan_xmit_one.
  private mutating func encapsulate(
    _ frame: Frame, _ link: Link, _ vxlan: VXLANParameters, _ device: DeviceRef, _ underlay: Int,
    _ remote: (address: IPAddress, entry: FDBEntry?), into result: inout Transmission
  ) throws(Undecided) {
    if remote.address.isUnspecified || remote.address.isMulticast {
      if remote.address.isMulticast { throw Undecided(reason: "the multicast group of the vxlan \(link.name)") }
      drop(device.netns, link.name, "NOT_SPECIFIED", "the tunnel endpoint is \(remote.address)", into: &result)
      return
    }
    let port = remote.entry?.remotePort ?? vxlan.port
    let vni = remote.entry?.remoteVNI ?? vxlan.vni
    let local = vxlan.local.flatMap { $0.family == remote.address.family ? $0 : nil }
    // Outer headers: IP, UDP, VXLAN, and the inner Ethernet header (RFC 7348 §5).
    let overhead = (remote.address.family == .v4 ? 20 : 40) + 8 + 8 + 14
    // The source port is a hash of the inner flow; 0…0 would look like a known port.
    var packet = Packet(
      content: .vxlan(frame, vni: vni),
      tuple: Tuple(
        .udp, source: local ?? remote.address, destination: remote.address, sourcePort: 0, destinationPort: port),
      sourcePortRange: 1...65535, length: frame.length + overhead, dontFragment: vxlan.df == .set,
      ttl: vxlan.ttl == 0 ? 64 : Int(vxlan.ttl))
    // The carrier is routed by the mark of what it carries, and keeps it within the namespace (udp_tunnel_dst_lookup).
    if case .ip(let inner) = frame.payload { packet.mark = inner.mark }
    var key = FlowKey(packet)
    if underlay != device.netns { packet.mark = 0 }
    key.source = local
    key.outputInterface = remote.entry?.lower ?? vxlan.lower ?? 0
    let route: OutputRoute
    do {
      route =
        try remote.address.family == .v4
        ? outputRoute4(key, in: underlay) : outputRoute6(key, in: underlay)
    } catch {
      switch error {
      case .undecided(let reason): throw Undecided(reason: reason)
      case .failed(_, let why):
        drop(
          device.netns, link.name, "IP_OUTNOROUTES", "the tunnel endpoint \(remote.address) has no route: \(why)",
          into: &result)
        return
      }
    }
    packet.tuple.source = route.source
    if vxlan.ttl == 0 { packet.ttl = hopLimit(route) }
    if route.device == device {
      drop(
        device.netns, link.name, "NOT_SPECIFIED",
        "the route to the tunnel endpoint \(remote.address) leads into the tunnel itself", into: &result)
      return
    }
    if route.isLocal {
      try bypass(frame, vni, port, underlay, into: &result)
      return
    }
    if frame.length > route.mtu - overhead {
      // What is too large teaches the path MTU (skb_tunnel_check_pmtu): a bridge answers for it, and of several fragments
      // the later ones find it smaller.
      if link.port != nil { throw Undecided(reason: "a frame larger than the path of the bridged vxlan \(link.name)") }
      if case .ip(let inner) = frame.payload, inner.isFragmented {
        throw Undecided(reason: "fragments larger than the path of the vxlan \(link.name)")
      }
    }
    let before = path
    defer { path = before }
    switch try travel(&packet, by: route, from: underlay) {
    case .local(let place): try decapsulate(frame, vni, port, packet, place, into: &result)
    case .ended(.left): result.left.append((route.device, path))
    case .ended(.dropped(let point)): result.drops.append(.init(point: point, why: "in the underlay", path: path))
    case .refused(let point, let error, _):
      result.drops.append(.init(point: point, why: "in the underlay: \(error.name)", path: path))
    case .ended: drop(device.netns, link.name, nil, "in the underlay", into: &result)
    }
  }

  /// vxlan_encap_bypass: an endpoint of this node gets the frame without a packet, as if it were for it.
  private mutating func bypass(
    _ frame: Frame, _ vni: UInt32, _ port: UInt16, _ underlay: Int, into result: inout Transmission
  ) throws(Undecided) {
    let here = world.vxlans[.init(netns: underlay, port: port), default: []]
    guard let device = here.first(where: { world.link($0)!.vxlan!.vni == vni && world.link($0)!.isUp }) else {
      drop(
        underlay, nil, "NOT_SPECIFIED", "the tunnel endpoint is this node, which has no vxlan with the VNI \(vni)",
        into: &result)
      return
    }
    if let link = world.link(device), link.port != nil {
      // It comes back to the bridge that sent it, a little later, and moves addresses to the wrong port.
      throw Undecided(reason: "the bridged vxlan \(link.name) sends to itself")
    }
    if world.link(device)!.vxlan!.learning {
      learned.remotes[.init(device: device, mac: frame.source)] = IPAddress(v4: 0x7f00_0001)
    }
    try receive(frame, at: device, address: .host, into: &result)
  }

  /// vxlan_rcv.
  private mutating func decapsulate(
    _ frame: Frame, _ vni: UInt32, _ port: UInt16, _ packet: Packet, _ place: LocalArrival,
    into result: inout Transmission
  ) throws(Undecided) {
    let netns = world.namespaces[place.netns]
    let interface = IPText.device(place.interface, netns)
    let family = packet.family
    let here = world.vxlans[.init(netns: place.netns, port: port), default: []].filter { device in
      guard let link = world.link(device), let vxlan = link.vxlan else { return false }
      // A vxlan listens by the family of its endpoints while it is up.
      let own = vxlan.remote?.family ?? vxlan.local?.family ?? .v4
      return link.isUp && (own == family || vxlan.external)
    }
    if here.isEmpty {
      drop(place.netns, interface, "NO_SOCKET", "no vxlan in \(netns.name) listens on UDP port \(port)", into: &result)
      return
    }
    guard let device = here.first(where: { world.link($0)!.vxlan!.vni == vni }) else {
      drop(place.netns, interface, "VXLAN_VNI_NOT_FOUND", "no vxlan in \(netns.name) has the VNI \(vni)", into: &result)
      return
    }
    let link = world.link(device)!
    if link.vxlan!.external || link.vxlan!.vniFilter || link.vxlan!.gbp {
      throw Undecided(reason: "settings of the vxlan \(link.name) that are not modelled")
    }
    if frame.source == link.mac {
      drop(
        place.netns, interface, "LOCAL_MAC", "the frame has the address of \(link.name) itself as its source",
        into: &result)
      return
    }
    if link.vxlan!.learning {
      let key = Namespace.FDBKey(interface: device.index, mac: frame.source)
      let entry = world.namespaces[device.netns].tunnels[key]?.first
      if let entry, entry.isStatic, entry.remote != packet.tuple.source {
        drop(
          place.netns, interface, "VXLAN_ENTRY_EXISTS", "\(frame.source) is fixed to another tunnel endpoint",
          into: &result)
        return
      }
      if entry == nil || !entry!.isStatic {
        learned.remotes[.init(device: device, mac: frame.source)] = packet.tuple.source
      }
    }
    note(.tunnel, device.netns, link.name, "taken out of the tunnel")
    var frame = frame
    if case .ip(var inner) = frame.payload {
      inner.mark = 0
      frame.payload = .ip(inner)
    }
    try receive(frame, at: device, into: &result)
  }
}
