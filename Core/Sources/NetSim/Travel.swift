import NetModel
import NetTypes

extension Walk {
  /// Takes a packet from a node's output to where it ends; `path` grows by the interfaces that it is sent by.
  mutating func travel(
    _ packet: inout Packet, by first: OutputRoute, from position: Int
  ) throws(Undecided) -> Arrival {
    var route = first
    var source = ErrorSource(netns: position, inputInterface: nil, isForUs: false)
    while true {
      try spend()
      let reception: Reception
      switch try emit(&packet, route, source) {
      case .received(let received): reception = received
      case .stopped(let arrival): return arrival
      }
      guard case .ip(let received) = reception.frame.payload else { return .ended(.looped) }
      packet = received
      if route.isLocal {
        // A packet to ourselves keeps its route: no input lookup, no source validation.
        let locality: Locality =
          switch route.type {
          case .local: .unicast
          case .anycast: .anycast
          default: .looped
          }
        return .local(
          LocalArrival(
            netns: reception.device.netns, interface: route.arrivalInterface, locality: locality, isOwn: true))
      }
      if world.link(reception.device)?.kind == .loopback {
        return circle(packet, reception.device, source)
      }
      switch try input(packet, reception) {
      case .local(let locality):
        try checkNetfilter(reception.device.netns)
        return .local(
          LocalArrival(
            netns: reception.device.netns, interface: reception.device.index, locality: locality,
            isLinkBroadcast: reception.address != .host))
      case .drop(let reason, let why):
        note(.input, reception.device.netns, name(reception.device), "dropped: \(why)")
        return .ended(.dropped(dropPoint(reception.device.netns, name(reception.device), reason)))
      case .reject(let error, let reason, let why):
        note(.route, reception.device.netns, name(reception.device), "rejected: \(error.name)", object: why)
        return .refused(
          dropPoint(reception.device.netns, name(reception.device), reason), error,
          by: ErrorSource(netns: reception.device.netns, inputInterface: reception.device.index, isForUs: false))
      case .forward(let next):
        source = ErrorSource(netns: reception.device.netns, inputInterface: reception.device.index, isForUs: false)
        if let end = try forward(&packet, next, reception, source) { return end }
        route = next
      }
    }
  }

  /// A packet that is sent by the loopback interface and not for this node keeps its route, which sends it there again,
  /// until its TTL is used up.
  private mutating func circle(_ packet: Packet, _ device: DeviceRef, _ source: ErrorSource) -> Arrival {
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    if packet.family == .v6, !netns.forwards6(link) {
      note(.forward, device.netns, link.name, "dropped: net.ipv6.conf.all.forwarding is off")
      return .ended(.dropped(dropPoint(device.netns, link.name, "IP_INADDRERRORS")))
    }
    note(.forward, device.netns, link.name, "the route by \(link.name) leads round in circles until the TTL is used up")
    return .refused(
      dropPoint(device.netns, link.name, "IP_INHDR"), ICMPError(kind: .timeExceeded),
      by: ErrorSource(netns: device.netns, inputInterface: source.inputInterface, isForUs: false))
  }

  private func name(_ device: DeviceRef) -> String? { world.link(device)?.name }

  private mutating func input(_ packet: Packet, _ reception: Reception) throws(Undecided) -> InputDecision {
    let device = reception.device
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    try checkNetfilter(device.netns)
    try checkXfrm(netns)
    note(.input, device.netns, link.name, "received")
    let key = FlowKey(packet)
    if packet.isFragmented, netns.hasPortRules {
      throw Undecided(reason: "policy rules on ports of a fragmented packet")
    }
    let decision: InputDecision
    switch packet.family {
    case .v4: decision = try inputRoute4(key, on: device)
    case .v6: decision = try inputRoute6(key, on: device)
    }
    if reception.address != .host, case .local = decision, packet.family == .v4,
      netns.either(link, \.dropUnicastInL2Multicast)
    {
      return .drop("UNICAST_IN_L2_MULTICAST", "unicast in a link layer broadcast")
    }
    return decision
  }

  private func checkXfrm(_ netns: Namespace) throws(Undecided) {
    if let counts = netns.snapshot.xfrm, counts.policies > 0 {
      throw Undecided(reason: "IPsec policies in \(netns.name)")
    }
  }

  /// net/ipv4/ip_forward.c, ip_forward; net/ipv6/ip6_output.c, ip6_forward. Nil: it goes on.
  private mutating func forward(
    _ packet: inout Packet, _ route: OutputRoute, _ reception: Reception, _ source: ErrorSource
  ) throws(Undecided) -> Arrival? {
    let position = reception.device.netns
    let device = name(reception.device)
    if reception.address != .host {
      note(.forward, position, device, "dropped: link layer broadcasts are not forwarded")
      return .ended(.dropped(dropPoint(position, device, nil)))
    }
    if let asking, asking.netns == position, asking.answer == packet.tuple, demuxesEarly(packet, position) {
      // Early demultiplexing has found the socket already, and what has a socket is not forwarded.
      note(.forward, position, device, "dropped: it is for a socket here, but its route leads on", object: route.object)
      return .ended(.dropped(dropPoint(position, device, "NOT_SPECIFIED")))
    }
    if packet.ttl <= 1 {
      note(.forward, position, device, "the TTL is used up")
      return .refused(
        dropPoint(position, device, packet.family == .v4 ? "IP_INHDR" : "IP_INHDR"), ICMPError(kind: .timeExceeded),
        by: source)
    }
    // What goes back by the interface it came from is not looked at.
    if packet.family == .v6, route.device != reception.device {
      let from = packet.tuple.source
      if from.isUnspecified || from.isLoopback || from.isMulticast {
        return .ended(.dropped(dropPoint(position, device, "IP_INADDRERRORS")))
      }
      if from.isLinkLocal {
        note(.forward, position, device, "rejected: link-local addresses are not forwarded")
        return .refused(
          dropPoint(position, device, "IP_INADDRERRORS"), ICMPError(kind: .beyondScope), by: source)
      }
    }
    let mtu = packet.family == .v6 ? max(route.mtu, 1280) : route.mtu
    if packet.length > mtu, packet.dontFragment || packet.family == .v6 {
      note(
        .forward, position, name(route.device),
        "rejected: \(packet.length) bytes do not fit the MTU \(mtu)", object: route.object)
      return .refused(
        dropPoint(position, device, "PKT_TOO_BIG"), ICMPError(kind: .tooBig, mtu: mtu), by: source)
    }
    packet.ttl -= 1
    note(.forward, position, name(route.device), "forwarded", object: route.object)
    return nil
  }

  /// ip_rcv_finish_core, ip6_rcv_finish_core: TCP and UDP packets look for their socket before they are routed.
  private func demuxesEarly(_ packet: Packet, _ position: Int) -> Bool {
    guard !packet.isFragmented else { return false }
    let kind: String
    switch packet.tuple.ipProtocol {
    case .tcp: kind = "tcp"
    case .udp: kind = "udp"
    default: return false
    }
    let netns = world.namespaces[position]
    return netns.sysctl("net.ipv4.ip_early_demux", 1) != 0 && netns.sysctl("net.ipv4.\(kind)_early_demux", 1) != 0
  }

  private enum Emission {
    case received(Reception)
    case stopped(Arrival)
  }

  /// ip_output, ip6_output: fragments, asks for the neighbour, sends.
  private mutating func emit(
    _ packet: inout Packet, _ route: OutputRoute, _ source: ErrorSource
  ) throws(Undecided) -> Emission {
    let position = route.device.netns
    let netns = world.namespaces[position]
    guard let link = netns.link(route.device.index) else {
      throw Undecided(reason: "an interface of \(netns.name) that is not known")
    }
    try checkNetfilter(position)
    try checkXfrm(netns)
    if packet.family == .v6, !route.isLocal, !link.hasIPv6 {
      return .stopped(.ended(.dropped(dropPoint(position, link.name, "IPV6DISABLED"))))
    }
    fragment(&packet, route.mtu)
    var destination = link.mac ?? .zero
    if !route.isLocal {
      let target = route.gateway ?? packet.tuple.destination
      switch try resolve(target, on: route.device, for: packet.tuple.source) {
      case .mac(let mac): destination = mac
      case .left(let device):
        return .stopped(.ended(.left(netns.snapshot.id, device: name(device) ?? link.name)))
      case .impossible(let why):
        note(.neighbour, position, link.name, "dropped: \(why)")
        return .stopped(.ended(.dropped(dropPoint(position, link.name, "NEIGH_CREATEFAIL"))))
      case .failed(let why):
        note(.neighbour, position, link.name, "\(target) does not answer: \(why)")
        // The packet waits; when asking has failed, its sender is told (arp_error_report, ndisc_error_report).
        return .stopped(
          .refused(
            dropPoint(position, link.name, target.family == .v4 ? "NEIGH_FAILED" : "NOT_SPECIFIED"),
            ICMPError(kind: .hostUnreachable), by: source))
      }
    }
    note(.output, position, link.name, "sent", object: nil)
    var sent = Transmission()
    let frame = Frame(source: link.mac ?? .zero, destination: destination, payload: .ip(packet))
    try transmit(frame, on: route.device, into: &sent)
    return try outcome(sent, route)
  }

  /// Where the copies of a frame came up: one host should take it.
  private mutating func outcome(_ sent: Transmission, _ route: OutputRoute) throws(Undecided) -> Emission {
    let position = route.device.netns
    let taken = sent.receptions.filter { $0.address != .other }
    if taken.count > 1 { throw Undecided(reason: "several hosts take the frame") }
    if let reception = taken.first {
      if !sent.left.isEmpty { throw Undecided(reason: "the frame also leaves what is known") }
      path = reception.path
      return .received(reception)
    }
    if let (device, path) = sent.left.first {
      self.path = path
      return .stopped(
        .ended(.left(world.namespaces[device.netns].snapshot.id, device: name(device) ?? "")))
    }
    if let other = sent.receptions.first {
      path = other.path
      note(.link, other.device.netns, name(other.device), "dropped: the frame is for \(other.frame.destination)")
      return .stopped(.ended(.dropped(dropPoint(other.device.netns, name(other.device), "OTHERHOST"))))
    }
    if let drop = sent.drops.first {
      path = drop.path
      if let netns = world.position(drop.point.netns) { note(.link, netns, drop.point.device, "dropped: \(drop.why)") }
      return .stopped(.ended(.dropped(drop.point)))
    }
    return .stopped(.ended(.dropped(dropPoint(position, name(route.device), nil))))
  }

  /// ip_fragment, ip6_fragment: a packet that may be divided goes on as pieces of the MTU's size at most.
  private mutating func fragment(_ packet: inout Packet, _ mtu: Int) {
    guard packet.length > mtu else { return }
    // Data of all but the last fragment are multiples of 8 bytes.
    let header = packet.family == .v4 ? 20 : 48
    packet.length = header + (mtu - header) / 8 * 8
    packet.isFragmented = true
  }
}

extension Namespace {
  /// Rules that look at ports or protocols, which later fragments do not show.
  var hasPortRules: Bool {
    (rules4 + rules6).contains { $0.sourcePorts != nil || $0.destinationPorts != nil || $0.ipProtocol != nil }
  }
}
