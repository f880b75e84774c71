import NetModel
import NetTypes

/// One run: a packet, and what comes back.
struct Conversation {
  let question: PathQuestion
  var walk: Walk
  /// The namespace that asks.
  let sender: Int?
  let destination: IPAddress
  var forward: Trace?
  var answers: [Trace] = []

  init(_ question: PathQuestion, in world: World, script: [Int]) {
    self.question = question
    sender = world.position(question.from)
    // connect(2) to nothing is to ourselves.
    let plain = Namespace.plain(question.destination)
    if plain.isUnspecified {
      destination = question.source ?? (plain.family == .v4 ? IPAddress(v4: 0x7f00_0001) : IPAddress(v6High: 0, low: 1))
    } else {
      destination = plain
    }
    walk = Walk(
      world, script: script,
      trace: Trace(what: "nothing", tuple: Tuple(.tcp, source: destination, destination: destination)))
  }

  /// What was seen and what it came to.
  typealias Result = (sender: SenderView, outcome: Outcome)

  mutating func run() -> Branch {
    let result: Result
    do {
      result = try exchange()
    } catch {
      finish(.undecided(error.reason))
      return branch(.undecided, .undecided)
    }
    return branch(result.sender, result.outcome)
  }

  private func branch(_ sender: SenderView, _ outcome: Outcome) -> Branch {
    Branch(
      choices: walk.choices.labels, sender: sender, outcome: outcome, forward: forward ?? walk.trace, answers: answers,
      assumptions: walk.choices.assumptions)
  }

  // MARK: Traces

  mutating func begin(_ packet: Packet) {
    walk.trace = Trace(what: packet.name, tuple: packet.tuple)
    walk.path = []
  }

  /// Ends the trace of the packet under way; the first is the question's own.
  mutating func finish(_ end: TraceEnd) {
    walk.trace.end = end
    walk.trace.egress = walk.path
    if forward == nil { forward = walk.trace } else { answers.append(walk.trace) }
  }

  // MARK: Sending

  private mutating func exchange() throws(Undecided) -> Result {
    guard let sender else { throw Undecided(reason: "the namespace \(question.from) is not in the snapshots") }
    let netns = walk.world.namespaces[sender]
    if let reason = netns.gap ?? netns.cgroupPrograms { throw Undecided(reason: reason) }
    var last = try attempt(sender)
    guard case .tcp = question.transport else { return last }
    // SYNs are sent again after 1, 3 and 7 s: by then the first has taught bridges and neighbours.
    for _ in 0..<3 where last.sender == .silence {
      let before = walk.learned
      forward = nil
      answers = []
      last = try attempt(sender)
      if walk.learned == before { break }
    }
    return last
  }

  private mutating func attempt(_ sender: Int) throws(Undecided) -> Result {
    var packet = question.packet(to: destination)
    begin(packet)
    let route: OutputRoute
    do throws(SendError) {
      route = try open(&packet, sender)
      walk.trace.tuple = packet.tuple
      walk.asking = (sender, packet.tuple.reversed)
    } catch {
      switch error {
      case .undecided(let reason): throw Undecided(reason: reason)
      case .failed(let errno, let why):
        walk.note(.socket, sender, nil, "\(errno): \(why)")
        finish(.failed(errno))
        return (.unreachable, .rejected)
      }
    }
    switch try walk.travel(&packet, by: route, from: sender) {
    case .local(let arrival): return try deliver(packet, arrival)
    case .refused(let point, let error, let source):
      finish(.rejected(point))
      let seen = try send(error, about: packet, by: source).map { isSeen($0, by: sender, asError: true) } ?? false
      let view = seen ? question.transport.view(of: error, packet.family) : .silence
      if error.kind == .timeExceeded { return (view, .looped) }
      return (view, view == .silence ? .dropped : .rejected)
    case .ended(let end):
      finish(end)
      switch end {
      case .left: return (.undecided, .left)
      case .looped: return (.silence, .looped)
      case .dropped(let point) where isTold(packet, route, point): return (.unreachable, .rejected)
      default: return (.silence, .dropped)
      }
    }
  }

  /// ping(8) asks for errors (IP_RECVERR), and so hears ENOBUFS when a veth refuses what it is handed. A packet that waits
  /// for its neighbour is handed over later, and nobody hears of it; of a packet in fragments only the first waits.
  private func isTold(_ packet: Packet, _ route: OutputRoute, _ point: DropPoint) -> Bool {
    guard case .icmp = question.transport, point.netns == question.from, point.reason == "NOT_SPECIFIED",
      walk.path.count == 1, walk.world.link(route.device)?.kind == .veth
    else { return false }
    let entry = walk.world.namespaces[route.device.netns].neighbour(route.device.index, route.gateway ?? destination)
    return packet.isFragmented || entry?.state.isUsable ?? false
  }

  /// socket(2), bind(2), connect(2) up to the packet's way out.
  private mutating func open(_ packet: inout Packet, _ sender: Int) throws(SendError) -> OutputRoute {
    let netns = walk.world.namespaces[sender]
    var device: Int32 = 0
    if let name = question.device {
      guard let link = netns.link(named: name) else { throw .failed("ENODEV", "there is no interface \(name)") }
      device = link.index
    }
    if let source = question.source {
      guard source.family == destination.family else {
        throw .failed("EAFNOSUPPORT", "\(source) and \(destination) are of different families")
      }
      try bind(source, device, netns)
    }
    if destination.family == .v6, destination.isLinkLocal, device == 0 {
      throw .failed("EINVAL", "a link-local destination needs an interface")
    }
    if destination.isMulticast {
      if case .tcp = question.transport { throw .failed("ENETUNREACH", "\(destination) is a multicast group") }
      throw .undecided("multicast")
    }
    var key = FlowKey(packet)
    key.source = question.source
    key.outputInterface = device
    key.isStrict = device != 0
    key.uid = question.uid
    key.mark = question.mark
    if destination.family == .v4, question.source == nil {
      // The source is chosen before a port is (ip_route_connect).
      var first = key
      first.sourcePort = 0...0
      if case .icmp = question.transport {} else { key.source = try walk.outputRoute4(first, in: sender).source }
      walk.trace.steps = []
    }
    let route =
      destination.family == .v4
      ? try walk.outputRoute4(key, in: sender) : try walk.outputRoute6(key, in: sender)
    if destination.family == .v4, route.type == .broadcast || route.type == .multicast {
      if case .tcp = question.transport { throw .failed("ENETUNREACH", "\(destination) is no host") }
      if route.type == .multicast { throw .undecided("a multicast route") }
      throw .failed("EACCES", "\(destination) is a broadcast address")
    }
    packet.tuple.source = route.source
    packet.mark = question.mark
    packet.ttl = walk.hopLimit(route)
    if question.dontFragment, packet.length > route.mtu {
      throw .failed("EMSGSIZE", "\(packet.length) bytes do not fit the MTU \(route.mtu)")
    }
    packet.dontFragment = packet.length <= route.mtu
    return route
  }

  /// inet_bind, inet6_bind.
  private func bind(_ source: IPAddress, _ device: Int32, _ netns: Namespace) throws(SendError) {
    switch source.family {
    case .v4:
      switch walk.localType4(source, netns) {
      case .local: return
      case .broadcast, .multicast: throw .undecided("a socket bound to \(source)")
      default: break
      }
      if netns.sysctl("net.ipv4.ip_nonlocal_bind", 0) != 0 { return }
    case .v6:
      if source.isLinkLocal, device == 0 { throw .failed("EINVAL", "a link-local source needs an interface") }
      let holders = netns.holders(source).filter { entry in
        !entry.flags.contains(.tentative)
          && (device == 0 || entry.interface == device || !(source.isLinkLocal || source.isLoopback))
      }
      if !holders.isEmpty || netns.sysctl("net.ipv6.ip_nonlocal_bind", 0) != 0 { return }
    }
    throw .failed("EADDRNOTAVAIL", "\(source) is not an address of \(netns.name)")
  }

  /// Whether what arrived is for the socket that asks. A socket that is bound to an interface takes only what came by it;
  /// for errors, __udp4_lib_err, raw_icmp_error and tcp_v6_err look at the loopback interface, by which the node's own
  /// arrive.
  func isSeen(_ arrival: LocalArrival, by sender: Int, asError: Bool = false) -> Bool {
    guard arrival.netns == sender else { return false }
    guard let name = question.device else { return true }
    let link = walk.world.namespaces[sender].link(named: name)
    if asError, arrival.isOwn {
      switch (question.transport, destination.family) {
      case (.tcp, .v6), (.icmp, .v4), (.udp, .v4): return link?.kind == .loopback
      default: break
      }
    }
    return link?.index == arrival.interface
  }
}

extension PathQuestion {
  fileprivate func packet(to destination: IPAddress) -> Packet {
    let header = destination.family == .v4 ? 20 : 40
    // The source is filled in by the route; any port of the system's range may be the source port.
    func tuple(_ ipProtocol: IPProtocol, _ port: UInt16) -> Tuple {
      let unknown = destination.family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0)
      return Tuple(ipProtocol, source: source ?? unknown, destination: destination, destinationPort: port)
    }
    let ephemeral: ClosedRange<UInt16> = 1024...65535
    return switch transport {
    case .tcp(let port):
      Packet(
        content: .syn, tuple: tuple(.tcp, port), sourcePortRange: ephemeral, length: header + 40, dontFragment: true,
        ttl: 64)
    case .udp(let port):
      Packet(
        content: .datagram, tuple: tuple(.udp, port), sourcePortRange: ephemeral, length: header + 8 + payload,
        dontFragment: dontFragment, ttl: 64)
    case .icmp:
      Packet(
        content: .echoRequest, tuple: tuple(destination.family == .v4 ? .icmp : .icmp6, 0),
        length: header + 8 + payload, dontFragment: dontFragment, ttl: 64)
    }
  }
}

extension Transport {
  /// What an ICMP error does to the socket: net/ipv4/tcp_ipv4.c tcp_v4_err, net/ipv4/udp.c __udp4_lib_err with the table
  /// icmp_err_convert (net/ipv4/icmp.c), and their kin for IPv6. A UDP socket without IP_RECVERR sees only what is fatal.
  func view(of error: ICMPError, _ family: IPAddress.Family) -> SenderView {
    switch (self, error.kind) {
    case (.icmp, _): .unreachable
    case (.tcp, .tooBig): .silence
    case (_, .portUnreachable): .refused
    case (.tcp, _): .unreachable
    case (.udp, .prohibited), (.udp, .tooBig): .unreachable
    case (.udp, _): .silence
    }
  }
}
