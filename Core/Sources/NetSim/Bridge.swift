import NetModel
import NetTypes

extension Walk {
  /// net/bridge/br_device.c, br_dev_xmit: a frame that the node itself sends by its bridge.
  mutating func bridgeOutput(
    _ frame: Frame, _ link: Link, _ bridge: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    try checkModelled(link, bridge.netns)
    if !frame.destination.isGroup, let found = lookupFDB(bridge, frame.destination) {
      // The address of a port is local and still leads to that port, when it is the node that sends.
      guard let port = found.port ?? found.local else {
        drop(
          bridge.netns, link.name, "NOT_SPECIFIED", "\(frame.destination) is the bridge's own address", into: &result)
        return
      }
      note(.bridge, bridge.netns, link.name, "forwarded", object: found.object)
      try bridgeForward(frame, bridge, to: port, from: nil, into: &result)
      return
    }
    try flood(frame, bridge, from: nil, into: &result)
  }

  /// net/bridge/br_input.c, br_handle_frame and br_handle_frame_finish.
  mutating func bridgeInput(
    _ frame: Frame, _ port: Link, _ device: DeviceRef, bridge: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    let netns = world.namespaces[device.netns]
    guard let link = netns.link(bridge.index), let settings = port.port else {
      throw Undecided(reason: "the bridge of \(port.name)")
    }
    try checkModelled(link, bridge.netns)
    // Which copy comes first decides what the bridge learns.
    guard crossed.insert(Crossing(bridge: bridge, frame: frame)).inserted else {
      throw Undecided(reason: "a frame comes back to the bridge \(link.name)")
    }
    if frame.source.isGroup || frame.source == .zero {
      drop(device.netns, port.name, nil, "\(frame.source) cannot be a source", into: &result)
      return
    }
    guard settings.state == .forwarding || settings.state == .learning else {
      drop(
        device.netns, port.name, "BRIDGE_INGRESS_STP_STATE",
        "the port \(port.name) of \(link.name) is \(settings.state.rawValue)", into: &result)
      return
    }
    if settings.locked || settings.proxyARP || settings.neighbourSuppress || !settings.unmodelled.isEmpty {
      throw Undecided(reason: "settings of the bridge port \(port.name) that are not modelled")
    }
    if settings.learning { learn(frame.source, bridge, device.index) }
    if settings.state == .learning {
      drop(device.netns, port.name, nil, "the port \(port.name) only learns", into: &result)
      return
    }
    if frame.destination.isGroup {
      try flood(frame, bridge, from: device.index, into: &result)
      try passUp(frame, bridge, port, into: &result)
      return
    }
    if let found = lookupFDB(bridge, frame.destination) {
      guard let out = found.port else {
        try passUp(frame, bridge, port, into: &result)
        return
      }
      note(.bridge, bridge.netns, link.name, "forwarded", object: found.object)
      try bridgeForward(frame, bridge, to: out, from: device.index, into: &result)
    } else {
      note(.bridge, bridge.netns, link.name, "flooded: \(frame.destination) is not in the forwarding table")
      try flood(frame, bridge, from: device.index, into: &result)
    }
    if link.flags.contains(.promiscuous) { try passUp(frame, bridge, port, into: &result) }
  }

  private func checkModelled(_ link: Link, _ netns: Int) throws(Undecided) {
    guard let bridge = link.bridge else { throw Undecided(reason: "the bridge \(link.name) without parameters") }
    if bridge.vlanFiltering { throw Undecided(reason: "vlan_filtering of \(link.name)") }
    if bridge.multicastQuerier { throw Undecided(reason: "the multicast querier of \(link.name)") }
    let calls = ["iptables", "ip6tables", "arptables"].contains {
      world.namespaces[netns].sysctl("net.bridge.bridge-nf-call-\($0)", 0) != 0
    }
    if calls || bridge.callIPTables || bridge.callIP6Tables || bridge.callARPTables {
      try checkNetfilter(netns)
    }
  }

  /// br_fdb_update: what a frame's source teaches. An address that is the bridge's own stays so.
  private mutating func learn(_ mac: MACAddress, _ bridge: DeviceRef, _ port: Int32) {
    if world.namespaces[bridge.netns].fdb[.init(interface: bridge.index, mac: mac)]?.isLocal ?? false { return }
    learned.ports[.init(device: bridge, mac: mac)] = port
  }

  /// The port that a frame for `mac` goes to; `port` nil for an address of the node itself, `local` the port that has it.
  private func lookupFDB(
    _ bridge: DeviceRef, _ mac: MACAddress
  ) -> (port: Int32?, local: Int32?, object: String)? {
    let netns = world.namespaces[bridge.netns]
    if let port = learned.ports[.init(device: bridge, mac: mac)] {
      return (port, nil, "\(mac) dev \(IPText.device(port, netns)) (learned)")
    }
    guard let entry = netns.fdb[.init(interface: bridge.index, mac: mac)] else { return nil }
    let local = entry.isLocal && entry.interface != bridge.index ? entry.interface : nil
    return (entry.isLocal ? nil : entry.interface, local, IPText.fdb(entry, netns))
  }

  /// net/bridge/br_forward.c, br_forward: to one port, if it may.
  private mutating func bridgeForward(
    _ frame: Frame, _ bridge: DeviceRef, to out: Int32, from port: Int32?, into result: inout Transmission
  ) throws(Undecided) {
    let netns = world.namespaces[bridge.netns]
    guard let link = netns.link(out), let settings = link.port else {
      drop(bridge.netns, nil, nil, "the port is gone", into: &result)
      return
    }
    if let reason = refusal(settings, link, out, port, netns) {
      let device = port.map { IPText.device($0, netns) } ?? IPText.device(bridge.index, netns)
      drop(bridge.netns, device, "NOT_SPECIFIED", reason, into: &result)
      return
    }
    try checkFragments(frame, link, port, netns)
    try push(frame, link, DeviceRef(netns: bridge.netns, index: out), into: &result)
  }

  /// With br_netfilter a bridge divides packets, or answers that they are too big (br_nf_dev_queue_xmit).
  private func checkFragments(
    _ frame: Frame, _ link: Link, _ port: Int32?, _ netns: Namespace
  ) throws(Undecided) {
    guard port != nil, case .ip(let packet) = frame.payload, packet.length > Int(link.mtu) else { return }
    let name = packet.family == .v4 ? "net.bridge.bridge-nf-call-iptables" : "net.bridge.bridge-nf-call-ip6tables"
    if netns.sysctl(name, 0) != 0 { throw Undecided(reason: "a packet larger than a bridge's port, with \(name)") }
  }

  /// should_deliver.
  private func refusal(
    _ settings: BridgePort, _ link: Link, _ out: Int32, _ port: Int32?, _ netns: Namespace
  ) -> String? {
    if out == port, !settings.hairpin { return "\(link.name) is where the frame came from, and hairpin is off" }
    if settings.state != .forwarding { return "the port \(link.name) is \(settings.state.rawValue)" }
    if settings.isolated, let port, netns.link(port)?.port?.isolated ?? false {
      return "both ports, \(IPText.device(port, netns)) and \(link.name), are isolated"
    }
    return nil
  }

  /// br_dev_queue_push_xmit.
  private mutating func push(
    _ frame: Frame, _ link: Link, _ device: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    if !link.isUp || frame.length > Int(link.mtu) + 4 {
      drop(
        device.netns, link.name, "NOT_SPECIFIED",
        link.isUp ? "\(frame.length) bytes do not fit the MTU \(link.mtu) of \(link.name)" : "\(link.name) is down",
        into: &result)
      return
    }
    try transmit(frame, on: device, into: &result)
  }

  /// br_flood.
  private mutating func flood(
    _ frame: Frame, _ bridge: DeviceRef, from port: Int32?, into result: inout Transmission
  ) throws(Undecided) {
    let netns = world.namespaces[bridge.netns]
    var sent = false
    for out in netns.ports[bridge.index, default: []] {
      guard let link = netns.link(out), let settings = link.port else { continue }
      if frame.destination == .broadcast {
        if !settings.broadcastFlood, port != nil { continue }
      } else if frame.destination.isGroup {
        if !settings.multicastFlood, port != nil { continue }
      } else if !settings.unicastFlood {
        continue
      }
      if settings.proxyARP { continue }
      if refusal(settings, link, out, port, netns) != nil { continue }
      sent = true
      try checkFragments(frame, link, port, netns)
      try push(frame, link, DeviceRef(netns: bridge.netns, index: out), into: &result)
    }
    if !sent {
      let device = port.map { IPText.device($0, netns) } ?? IPText.device(bridge.index, netns)
      drop(
        bridge.netns, device, "NO_TX_TARGET", "no port of \(IPText.device(bridge.index, netns)) takes the frame",
        into: &result)
    }
  }

  /// br_pass_frame_up: to the bridge as an interface of the node.
  private mutating func passUp(
    _ frame: Frame, _ bridge: DeviceRef, _ port: Link, into result: inout Transmission
  ) throws(Undecided) {
    guard let link = world.link(bridge), link.isUp else { return }
    var address = Self.address(frame.destination, port)
    if frame.destination == link.mac { address = .host }
    try receive(frame, at: bridge, address: address, into: &result)
  }
}
