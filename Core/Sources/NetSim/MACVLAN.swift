import NetModel
import NetTypes

extension Walk {
  /// drivers/net/macvlan.c, macvlan_start_xmit.
  mutating func macvlanOutput(
    _ frame: Frame, _ link: Link, _ device: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    guard let parameters = link.macvlan, let lower = other(link, device), world.link(lower) != nil else {
      throw Undecided(reason: "the lower interface of \(link.name), which is not known")
    }
    if parameters.mode == .bridge {
      let uppers = try modelled(lower)
      if frame.destination.isGroup {
        for upper in uppers where upper != device && world.link(upper)?.macvlan?.mode == .bridge {
          try macvlanUp(frame, upper, into: &result)
        }
      } else if let upper = uppers.first(where: {
        world.link($0)?.mac == frame.destination && world.link($0)!.isUp && world.link($0)?.macvlan?.mode == .bridge
      }) {
        note(.macvlan, device.netns, link.name, "to the macvlan \(world.link(upper)!.name) on the same lower interface")
        try forward(frame, from: device, to: lower, into: &result)
        return
      }
    }
    try transmit(frame, on: lower, into: &result)
  }

  private func modelled(_ lower: DeviceRef) throws(Undecided) -> [DeviceRef] {
    let uppers = world.macvlans[lower, default: []]
    for upper in uppers {
      guard let link = world.link(upper), link.macvlan != nil, link.kind == .macvlan else {
        throw Undecided(reason: "a macvtap on \(world.link(lower)?.name ?? "an interface")")
      }
    }
    return uppers
  }

  /// macvlan_handle_frame. True when the frame goes on to the lower interface itself.
  mutating func macvlanInput(
    _ frame: Frame, _ link: Link, _ device: DeviceRef, _ uppers: [DeviceRef], into result: inout Transmission
  ) throws(Undecided) -> Bool {
    let uppers = try modelled(device)
    func mode(_ upper: DeviceRef) -> MACVLANParameters.Mode { world.link(upper)!.macvlan!.mode }
    func isUp(_ upper: DeviceRef) -> Bool { world.link(upper)!.isUp }
    // macvlan_forward_source: copies for those that chose this sender.
    for upper in uppers where mode(upper) == .source && world.link(upper)!.macvlan!.sources.contains(frame.source) {
      if isUp(upper) { try receive(frame, at: upper, into: &result) }
    }
    if frame.destination.isGroup {
      let source = uppers.first { world.link($0)!.mac == frame.source && isUp($0) && mode($0) != .passthru }
      if let source, mode(source) != .vepa, mode(source) != .bridge {
        // Its own frame, back from outside.
        try macvlanUp(frame, source, into: &result)
        return false
      }
      for upper in uppers where upper != source && isUp(upper) && mode(upper) != .source {
        let takes: Bool =
          switch source.map(mode) {
          case nil: true
          case .vepa: mode(upper) == .vepa || mode(upper) == .bridge
          default: mode(upper) == .vepa
          }
        if takes { try macvlanUp(frame, upper, into: &result) }
      }
      return true
    }
    let passthru = uppers.first { mode($0) == .passthru }
    guard let upper = passthru ?? uppers.first(where: { world.link($0)!.mac == frame.destination && isUp($0) }),
      mode(upper) != .source
    else { return true }
    if !isUp(upper) {
      drop(device.netns, link.name, "NOT_SPECIFIED", "the macvlan \(world.link(upper)!.name) is down", into: &result)
      return false
    }
    try macvlanUp(frame, upper, into: &result)
    return false
  }

  private mutating func macvlanUp(
    _ frame: Frame, _ upper: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    guard let link = world.link(upper), link.isUp else { return }
    // Unicast is taken to be for this host, whatever its address (RX_HANDLER_ANOTHER after pkt_type = PACKET_HOST).
    try receive(
      frame, at: upper, address: frame.destination.isGroup ? nil : .host, into: &result)
  }
}
