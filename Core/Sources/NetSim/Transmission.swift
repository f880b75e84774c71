import NetModel
import NetTypes

/// A frame that came up to a namespace's protocols.
struct Reception {
  /// To whom the frame is addressed (PACKET_… in linux/if_packet.h).
  enum Address { case host, broadcast, multicast, other }

  var device: DeviceRef
  var frame: Frame
  var address: Address
  /// The interfaces that it was sent by.
  var path: [Egress]
}

/// What became of a frame that an interface sent: it may come up at several places, or be stopped at several.
struct Transmission {
  struct Drop {
    var point: DropPoint
    var why: String
    var path: [Egress]
  }

  var receptions: [Reception] = []
  var drops: [Drop] = []
  /// Interfaces by which it left what is known.
  var left: [(device: DeviceRef, path: [Egress])] = []
}

extension Walk {
  /// dev_queue_xmit of `frame` on `device`, down to all places where it comes up.
  mutating func transmit(_ frame: Frame, on device: DeviceRef, into result: inout Transmission) throws(Undecided) {
    try spend()
    if linkDepth == 0 { crossed = [] }
    linkDepth += 1
    let before = path
    defer {
      linkDepth -= 1
      path = before
    }
    if linkDepth > Self.deepestLink { throw Undecided(reason: "a frame goes round in circles") }
    let netns = world.namespaces[device.netns]
    guard let link = netns.link(device.index) else {
      throw Undecided(reason: "an interface of \(netns.name) that is not known")
    }
    if let reason = netns.unmodelled(on: link, .egress) { throw Undecided(reason: reason) }
    if !link.isUp {
      drop(device.netns, link.name, "QDISC_DROP", "\(link.name) is down", into: &result)
      return
    }
    if !link.carrier {
      // Without carrier the queueing discipline is noop, which drops (net/sched/sch_generic.c, dev_deactivate).
      drop(device.netns, link.name, "QDISC_DROP", "\(link.name) has no carrier", into: &result)
      return
    }
    path.append(Egress(netns: netns.snapshot.id, device: link.name))
    switch link.kind {
    case .loopback: try receive(frame, at: device, into: &result)
    case .veth: try veth(frame, link, device, into: &result)
    case .bridge: try bridgeOutput(frame, link, device, into: &result)
    case .vxlan: try vxlanOutput(frame, link, device, into: &result)
    case .macvlan: try macvlanOutput(frame, link, device, into: &result)
    case .physical, .tun: result.left.append((device, path))
    default: throw Undecided(reason: "the interface \(link.name) of kind \(link.kind)")
    }
  }

  /// drivers/net/veth.c, veth_xmit.
  private mutating func veth(
    _ frame: Frame, _ link: Link, _ device: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    guard let peer = other(link, device) else {
      // A peer in a namespace that nobody took a snapshot of.
      result.left.append((device, path))
      return
    }
    guard world.link(peer) != nil else {
      result.left.append((device, path))
      return
    }
    try forward(frame, from: device, to: peer, into: &result)
  }

  /// The interface that `link.link` means: a veth's peer, a macvlan's lower one.
  func other(_ link: Link, _ device: DeviceRef) -> DeviceRef? {
    guard let index = link.link, link.linkNetnsUnknown != true else { return nil }
    guard let cookie = link.linkNetns else { return DeviceRef(netns: device.netns, index: index) }
    return world.position(cookie).map { DeviceRef(netns: $0, index: index) }
  }

  /// __dev_forward_skb (net/core/dev.c): the receiver must be up, and the frame not larger than its MTU with room for a
  /// VLAN tag. Crossing namespaces takes the mark away (skb_scrub_packet).
  mutating func forward(
    _ frame: Frame, from device: DeviceRef, to peer: DeviceRef, into result: inout Transmission
  ) throws(Undecided) {
    let link = world.link(peer)!
    let sender = world.link(device)!
    if !link.isUp {
      drop(device.netns, sender.name, "NOT_SPECIFIED", "the other end, \(link.name), is down", into: &result)
      return
    }
    if frame.length > Int(link.mtu) + 4 {
      drop(
        device.netns, sender.name, "NOT_SPECIFIED",
        "\(frame.length) bytes do not fit the MTU \(link.mtu) of the other end, \(link.name)", into: &result)
      return
    }
    var frame = frame
    if device.netns != peer.netns, case .ip(var packet) = frame.payload {
      packet.mark = 0
      frame.payload = .ip(packet)
    }
    try receive(frame, at: peer, into: &result)
  }

  /// __netif_receive_skb_core: what takes frames away from an interface, then the protocols.
  ///
  /// - Parameter address: known already, where it is not by the interface's own address.
  mutating func receive(
    _ frame: Frame, at device: DeviceRef, address: Reception.Address? = nil, into result: inout Transmission
  ) throws(Undecided) {
    try spend()
    let netns = world.namespaces[device.netns]
    guard let link = netns.link(device.index) else {
      throw Undecided(reason: "an interface of \(netns.name) that is not known")
    }
    if let reason = netns.unmodelled(on: link, .ingress) { throw Undecided(reason: reason) }
    if let master = link.master {
      if link.port != nil {
        try bridgeInput(frame, link, device, bridge: DeviceRef(netns: device.netns, index: master), into: &result)
        return
      }
      throw Undecided(reason: "\(link.name) is a port of \(IPText.device(master, netns)), which is not modelled")
    }
    if world.ipvlanLowers.contains(device) { throw Undecided(reason: "an ipvlan on \(link.name)") }
    if let uppers = world.macvlans[device] {
      guard try macvlanInput(frame, link, device, uppers, into: &result) else { return }
    }
    result.receptions.append(
      Reception(
        device: device, frame: frame, address: address ?? Self.address(frame.destination, link),
        path: path))
  }

  mutating func drop(
    _ netns: Int, _ device: String?, _ reason: String?, _ why: String, into result: inout Transmission
  ) {
    result.drops.append(.init(point: dropPoint(netns, device, reason), why: why, path: path))
  }

  /// eth_type_trans.
  static func address(_ destination: MACAddress, _ link: Link) -> Reception.Address {
    if link.kind == .loopback { return .host }
    if destination == .broadcast { return .broadcast }
    if destination.isGroup { return .multicast }
    return destination == link.mac ? .host : .other
  }
}
