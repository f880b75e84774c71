import NetModel
import NetTypes

extension Conversation {
  /// The packet has reached a node: who takes it, and what that one answers.
  mutating func deliver(_ packet: Packet, _ arrival: LocalArrival) throws(Undecided) -> Result {
    switch packet.content {
    case .syn: try deliverSYN(packet, arrival)
    case .datagram: try deliverDatagram(packet, arrival)
    case .echoRequest: try deliverEcho(packet, arrival)
    default: throw Undecided(reason: "a \(packet.name) as a question")
    }
  }

  private mutating func end(_ arrival: LocalArrival, delivered why: String, _ object: String?) {
    walk.note(.socket, arrival.netns, device(arrival), why, object: object)
    finish(.delivered(walk.world.namespaces[arrival.netns].snapshot.id))
  }

  private mutating func end(_ arrival: LocalArrival, dropped reason: String?, _ why: String) -> Result {
    walk.note(.socket, arrival.netns, device(arrival), "dropped: \(why)")
    finish(.dropped(walk.dropPoint(arrival.netns, device(arrival), reason)))
    return (.silence, .dropped)
  }

  private func device(_ arrival: LocalArrival) -> String? {
    walk.world.namespaces[arrival.netns].link(arrival.interface)?.name
  }

  // MARK: TCP

  /// tcp_v4_rcv, tcp_v6_rcv for a SYN.
  private mutating func deliverSYN(_ packet: Packet, _ arrival: LocalArrival) throws(Undecided) -> Result {
    let netns = walk.world.namespaces[arrival.netns]
    if arrival.isLinkBroadcast { return end(arrival, dropped: nil, "TCP takes no link layer broadcasts") }
    let sockets = netns.listener(packet.tuple, on: arrival.interface)
    guard let socket = sockets.first else {
      if arrival.locality != .unicast { return end(arrival, dropped: "NO_SOCKET", "not the address of one host") }
      walk.note(.socket, arrival.netns, device(arrival), "nobody listens on port \(packet.tuple.destinationPort)")
      finish(.rejected(walk.dropPoint(arrival.netns, device(arrival), "NO_SOCKET")))
      var reset = answer(to: packet, .reset)
      reset.mark =
        netns.sysctl(packet.family == .v4 ? "net.ipv4.fwmark_reflect" : "net.ipv6.fwmark_reflect", 0) != 0
        ? packet.mark : 0
      let seen = try send(reset, from: arrival, device: linkLocalDevice(packet, arrival), uid: 0)
      return (seen ? .refused : .silence, .rejected)
    }
    if arrival.locality == .broadcast || arrival.locality == .anycast {
      return end(arrival, dropped: nil, "TCP takes only what is addressed to one host")
    }
    // For a listener the kernel tells how many connections wait and how many may (sk_acceptq_is_full).
    if sockets.allSatisfy({ $0.receiveQueue > $0.sendQueue }) {
      return end(arrival, dropped: nil, "the backlog of \(IPText.socket(socket, netns)) is full")
    }
    end(arrival, delivered: "a listener takes the connection", IPText.socket(socket, netns))
    var synAck = answer(to: packet, .synAck)
    let accepts = netns.sysctl("net.ipv4.tcp_fwmark_accept", 0) != 0
    synAck.mark = socket.mark.flatMap { $0 == 0 ? nil : $0 } ?? (accepts ? packet.mark : 0)
    let seen = try send(
      synAck, from: arrival, device: socket.boundInterface ?? linkLocalDevice(packet, arrival), uid: socket.uid,
      isBound: socket.boundInterface != nil)
    return seen ? (.connected, .answered) : (.silence, .delivered)
  }

  /// Link-local addresses have a meaning only with their interface.
  private func linkLocalDevice(_ packet: Packet, _ arrival: LocalArrival) -> Int32 {
    packet.family == .v6 && packet.tuple.source.isLinkLocal ? arrival.interface : 0
  }

  // MARK: UDP

  private mutating func deliverDatagram(_ packet: Packet, _ arrival: LocalArrival) throws(Undecided) -> Result {
    let netns = walk.world.namespaces[arrival.netns]
    guard let socket = netns.datagramSocket(packet.tuple, on: arrival.interface).first else {
      if arrival.locality == .broadcast || arrival.isLinkBroadcast {
        return end(
          arrival, dropped: arrival.locality == .broadcast ? "NOT_SPECIFIED" : "NO_SOCKET",
          "a broadcast that no socket takes")
      }
      walk.note(.socket, arrival.netns, device(arrival), "nobody listens on port \(packet.tuple.destinationPort)")
      finish(.rejected(walk.dropPoint(arrival.netns, device(arrival), "NO_SOCKET")))
      let source = ErrorSource(netns: arrival.netns, inputInterface: arrival.interface, isForUs: true)
      let seen = try send(ICMPError(kind: .portUnreachable), about: packet, by: source)
      return (seen.map { isSeen($0, by: sender!, asError: true) } ?? false ? .refused : .silence, .rejected)
    }
    end(arrival, delivered: "a socket takes the datagram", IPText.socket(socket, netns))
    // A server that answers with sendto(2) from a socket of any address leaves the source to the kernel.
    var reply = answer(to: packet, .datagram)
    reply.length = packet.tuple.destination.family == .v4 ? 28 + question.payload : 48 + question.payload
    reply.mark = socket.mark ?? 0
    let isAny = socket.local.isUnspecified || arrival.locality == .broadcast
    let seen = try send(
      reply, from: arrival, device: socket.boundInterface ?? linkLocalDevice(packet, arrival), uid: socket.uid,
      isBound: socket.boundInterface != nil, choosesSource: isAny)
    return seen ? (.reply, .answered) : (.silence, .delivered)
  }

  // MARK: ICMP

  private mutating func deliverEcho(_ packet: Packet, _ arrival: LocalArrival) throws(Undecided) -> Result {
    let netns = walk.world.namespaces[arrival.netns]
    let name = packet.family == .v4 ? "net.ipv4.icmp_echo_ignore_all" : "net.ipv6.icmp.echo_ignore_all"
    if netns.sysctl(name, 0) != 0 { return end(arrival, dropped: nil, "\(name) is on") }
    if arrival.locality == .broadcast {
      guard netns.sysctl("net.ipv4.icmp_echo_ignore_broadcasts", 1) != 0 else {
        throw Undecided(reason: "an answer to a broadcast")
      }
      return end(arrival, dropped: nil, "net.ipv4.icmp_echo_ignore_broadcasts is on")
    }
    end(arrival, delivered: "the kernel takes the echo request", nil)
    var reply = answer(to: packet, .echoReply)
    let reflect = packet.family == .v4 ? "net.ipv4.fwmark_reflect" : "net.ipv6.fwmark_reflect"
    reply.mark = netns.sysctl(reflect, 0) != 0 ? packet.mark : 0
    reply.length = (packet.family == .v4 ? 28 : 48) + question.payload
    reply.dontFragment = false
    // ICMPv6 prefers the interface that the request came by (icmpv6_echo_reply).
    let seen = try send(
      reply, from: arrival, device: packet.family == .v6 ? arrival.interface : 0, uid: 0,
      choosesSource: arrival.locality == .anycast)
    return seen ? (.reply, .answered) : (.silence, .delivered)
  }

  // MARK: Sending answers

  private func answer(to packet: Packet, _ content: Packet.Content) -> Packet {
    Packet(
      content: content, tuple: packet.tuple.reversed, length: packet.family == .v4 ? 60 : 80, dontFragment: true,
      ttl: 64)
  }

  /// Sends an answer from where the question arrived. True when the asking socket gets it.
  private mutating func send(
    _ packet: Packet, from arrival: LocalArrival, device: Int32, uid: UInt32, isBound: Bool = false,
    choosesSource: Bool = false
  ) throws(Undecided) -> Bool {
    var packet = packet
    begin(packet)
    var key = FlowKey(packet)
    // The answer's destination port is the question's source port: any.
    if choosesSource { key.source = nil }
    key.outputInterface = device
    key.isStrict = isBound
    key.uid = uid
    let route: OutputRoute
    do throws(SendError) {
      route =
        packet.family == .v4
        ? try walk.outputRoute4(key, in: arrival.netns) : try walk.outputRoute6(key, in: arrival.netns)
    } catch {
      switch error {
      case .undecided(let reason): throw Undecided(reason: reason)
      case .failed(let errno, let why):
        walk.note(.socket, arrival.netns, nil, "the answer cannot be sent, \(errno): \(why)")
        finish(.failed(errno))
        return false
      }
    }
    if packet.family == .v4, route.type == .broadcast || route.type == .multicast {
      guard packet.content == .datagram, route.type == .broadcast else {
        throw Undecided(reason: "an answer that is sent as a broadcast")
      }
      finish(.failed("EACCES"))
      return false
    }
    packet.tuple.source = route.source
    walk.trace.tuple.source = route.source
    packet.ttl = walk.hopLimit(route)
    if packet.dontFragment { packet.dontFragment = packet.length <= route.mtu }
    switch try walk.travel(&packet, by: route, from: arrival.netns) {
    case .ended(.left(_, let device)): throw Self.leaves(packet, by: device)
    case .ended(let end):
      finish(end)
      return false
    case .refused(let point, let error, let source):
      finish(.rejected(point))
      _ = try send(error, about: packet, by: source)
      return false
    case .local(let place):
      let netns = walk.world.namespaces[place.netns]
      // ping(8) knows its answer by the identifier alone.
      guard isSeen(place, by: sender!), packet.tuple.source == destination || packet.content == .echoReply else {
        walk.note(.socket, place.netns, netns.link(place.interface)?.name, "no socket waits for this answer")
        // icmp_rcv takes no answers to broadcast addresses.
        let reason = place.locality == .broadcast && packet.content == .echoReply ? "INVALID_PROTO" : "NO_SOCKET"
        finish(.dropped(walk.dropPoint(place.netns, netns.link(place.interface)?.name, reason)))
        return false
      }
      walk.note(.socket, place.netns, netns.link(place.interface)?.name, "the answer is there")
      finish(.delivered(netns.snapshot.id))
      return true
    }
  }

  /// icmp_send, icmp6_send. Where the error arrived; nil when it does not arrive.
  mutating func send(
    _ error: ICMPError, about packet: Packet, by source: ErrorSource
  ) throws(Undecided) -> LocalArrival? {
    if packet.isError || packet.tuple.source.isMulticast || packet.tuple.source.isUnspecified { return nil }
    let netns = walk.world.namespaces[source.netns]
    var key = FlowKey(source: nil, destination: packet.tuple.source)
    if source.isForUs {
      key.source = packet.tuple.destination
    } else if packet.family == .v4, netns.sysctl("net.ipv4.icmp_errors_use_inbound_ifaddr", 0) != 0,
      let input = source.inputInterface
    {
      key.source = walk.selectAddress4(input, target: packet.tuple.source, scope: .link, netns)
    }
    if packet.family == .v6, packet.tuple.source.isLinkLocal { key.outputInterface = source.inputInterface ?? 0 }
    key.ipProtocol = packet.family == .v4 ? .icmp : .icmp6
    // RFC 1812 §4.3.2.5: internetwork control.
    if packet.family == .v4 { key.tos = 0xc0 }
    let reflect = packet.family == .v4 ? "net.ipv4.fwmark_reflect" : "net.ipv6.fwmark_reflect"
    key.mark = netns.sysctl(reflect, 0) != 0 ? packet.mark : 0
    var message = Packet(
      content: .error(error, about: packet),
      tuple: Tuple(key.ipProtocol!, source: packet.tuple.destination, destination: packet.tuple.source),
      length: packet.family == .v4 ? min(576, packet.length + 28) : min(1280, packet.length + 48),
      dontFragment: false, ttl: 64, tos: key.tos, mark: key.mark)
    begin(message)
    let route: OutputRoute
    do throws(SendError) {
      route =
        packet.family == .v4
        ? try walk.outputRoute4(key, in: source.netns) : try walk.outputRoute6(key, in: source.netns)
    } catch {
      switch error {
      case .undecided(let reason): throw Undecided(reason: reason)
      case .failed(let errno, let why):
        walk.note(.icmp, source.netns, nil, "the error cannot be sent, \(errno): \(why)")
        finish(.failed(errno))
        return nil
      }
    }
    if packet.family == .v6, key.source == nil {
      // icmpv6_xrlim_allow looks the route up once more, with the source that was chosen; an error ends it.
      key.source = route.source
      do throws(SendError) {
        _ = try walk.outputRoute6(key, in: source.netns)
      } catch {
        if case .undecided(let reason) = error { throw Undecided(reason: reason) }
        finish(.failed("EACCES"))
        return nil
      }
    }
    message.tuple.source = route.source
    message.ttl = walk.hopLimit(route)
    walk.trace.tuple.source = route.source
    switch try walk.travel(&message, by: route, from: source.netns) {
    case .local(let arrival):
      finish(.delivered(walk.world.namespaces[arrival.netns].snapshot.id))
      return arrival
    case .refused(let point, _, _): finish(.rejected(point))
    case .ended(.left(_, let device)): throw Self.leaves(message, by: device)
    case .ended(let end): finish(end)
    }
    return nil
  }

  /// What leaves what is known may still come back to who asked.
  private static func leaves(_ packet: Packet, by device: String) -> Undecided {
    Undecided(reason: "the \(packet.name) leaves by \(device), out of what is known")
  }
}
