import NetModel
import NetTypes

/// In what sense an address is a node's own.
enum Locality {
  case unicast, broadcast, anycast
  /// It is not, but its route leads to the loopback interface (RTCF_LOCAL without RTN_LOCAL).
  case looped
}

/// What a node does with a packet that came in.
enum InputDecision {
  case local(Locality)
  case forward(OutputRoute)
  /// Silently, with the kernel's reason.
  case drop(String?, String)
  /// With an ICMP error.
  case reject(ICMPError, String?, String)
}

extension Walk {
  /// net/ipv4/route.c, ip_route_input_slow.
  ///
  /// - Parameter isARP: an ARP request is looked up as if it were a packet, for which nothing goes back by the interface
  ///   it came from, and broadcasts are invalid.
  mutating func inputRoute4(
    _ key: FlowKey, on device: DeviceRef, isARP: Bool = false
  ) throws(Undecided) -> InputDecision {
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    let source = key.source!
    let destination = key.destination
    if source.isMulticast || source.low == 0xffff_ffff {
      return .drop("IP_INVALID_SOURCE", "\(source) cannot be a source")
    }
    var key = key
    key.inputInterface = device.index
    key.outputInterface = 0
    key.uid = 0
    if destination.low == 0xffff_ffff || source.isUnspecified && destination.isUnspecified {
      return try broadcast(key, device, isARP)
    }
    if source.low >> 24 == 0 { return .drop("IP_INVALID_SOURCE", "\(source) cannot be a source") }
    if destination.low >> 24 == 0 { return .drop("IP_INVALID_DEST", "\(destination) cannot be a destination") }
    if destination.isLoopback || source.isLoopback, link.kind != .loopback, !netns.either(link, \.routeLocalnet) {
      return .drop("IP_LOCALNET", "loopback addresses do not come in by \(link.name): route_localnet is off")
    }
    let found: RouteResult
    do {
      found = try lookup(key, in: device.netns)
    } catch {
      if case .undecided(let reason) = error { throw Undecided(reason: reason) }
      return noRoute4(error, netns, link, destination)
    }
    if !isARP { note(rule: found.rule, found.route, device.netns) }
    switch found.route.type {
    case .broadcast:
      if netns.both(link, \.broadcastForwarding) { throw Undecided(reason: "bc_forwarding of \(link.name)") }
      return try broadcast(key, device, isARP)
    case .local:
      if let reason = try validateSource4(key, device, output: 0) { return reason }
      return .local(.unicast)
    case .unicast: break
    default:
      if !netns.forwards4(link) { return notForwarding(link) }
      return .drop("IP_INVALID_DEST", "\(destination) is \(found.route.type.rawValue)")
    }
    guard netns.forwards4(link) else { return notForwarding(link) }
    // By the packet's hash when there are several ways.
    let hop = pick(reachable(found, netns), found.route, key, device.netns)
    guard let out = hop.interface, let outLink = netns.link(out) else {
      throw Undecided(reason: "the route \(IPText.route(found.route, netns)) has no known interface")
    }
    if let reason = try validateSource4(key, device, output: out) { return reason }
    if isARP, out == device.index, !netns.either(link, \.proxyARPPVLAN) {
      return .drop(nil, "the way goes back by \(link.name)")
    }
    return .forward(
      OutputRoute(
        device: DeviceRef(netns: device.netns, index: out), isLocal: false, type: .unicast, gateway: hop.gateway,
        source: source, mtu: Int(found.route.mtu ?? outLink.mtu), arrivalInterface: out,
        object: IPText.route(found.route, netns)))
  }

  private func notForwarding(_ link: Link) -> InputDecision {
    .drop("IP_INADDRERRORS", "net.ipv4.conf.\(link.name).forwarding is off")
  }

  /// What ip_error answers.
  private func noRoute4(
    _ failure: RouteFailure, _ netns: Namespace, _ link: Link, _ destination: IPAddress
  ) -> InputDecision {
    guard netns.forwards4(link) else { return notForwarding(link) }
    switch failure {
    case .noRoute:
      return .reject(
        ICMPError(kind: .networkUnreachable), "IP_INNOROUTES", "no route to \(destination) in \(netns.name)")
    case .ruleUnreachable(let rule):
      return .reject(ICMPError(kind: .networkUnreachable), "IP_INNOROUTES", rule)
    case .unreachable(let object):
      return .reject(ICMPError(kind: .hostUnreachable), "NOT_SPECIFIED", object)
    case .prohibit(let object):
      return .reject(ICMPError(kind: .prohibited), "NOT_SPECIFIED", object)
    case .blackhole(let object), .undecided(let object):
      return .drop("NOT_SPECIFIED", object)
    }
  }

  private mutating func broadcast(
    _ key: FlowKey, _ device: DeviceRef, _ isARP: Bool
  ) throws(Undecided) -> InputDecision {
    if isARP { return .drop(nil, "a broadcast address is nobody's") }
    if !key.source!.isUnspecified, let reason = try validateSource4(key, device, output: 0) { return reason }
    return .local(.broadcast)
  }

  // MARK: Source validation

  /// fib_validate_source (net/ipv4/fib_frontend.c): nil when the source may come in here.
  private mutating func validateSource4(
    _ key: FlowKey, _ device: DeviceRef, output: Int32
  ) throws(Undecided) -> InputDecision? {
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    let source = key.source!
    let filter = netns.larger(link, \.rpFilter)
    let acceptsLocal = netns.either(link, \.acceptLocal)
    if filter == 0, device.index != output || !netns.either(link, \.sendRedirects) {
      if acceptsLocal { return nil }
      if !netns.hasCustomRules4, !netns.hasCustomLocalRoutes4 {
        guard netns.holders(source).isEmpty else {
          return .drop("IP_LOCAL_SOURCE", "\(source) is an address of \(netns.name) itself, and accept_local is off")
        }
        return nil
      }
    }
    var reverse = FlowKey(source: key.destination, destination: source)
    reverse.tos = key.tos
    reverse.inputInterface = output == 0 ? 1 : output
    reverse.mark = netns.either(link, \.srcValidMark) ? key.mark : 0
    reverse.ipProtocol = key.ipProtocol
    reverse.sourcePort = key.destinationPort...key.destinationPort
    reverse.destinationPort = key.sourcePort.lowerBound
    let hasAddress = !netns.addresses(device.index, .v4).isEmpty
    let strict = "\(source) comes in by \(link.name), but the way back is another: rp_filter \(filter)"
    let found: RouteResult
    do {
      found = try lookup(reverse, in: device.netns)
    } catch {
      if case .undecided(let reason) = error { throw Undecided(reason: reason) }
      return filter != 0
        ? .drop("IP_RPFILTER", "no way back to \(source): rp_filter \(filter) of \(link.name)") : nil
    }
    switch found.route.type {
    case .unicast: break
    case .local where acceptsLocal: break
    case .local:
      return .drop("IP_LOCAL_SOURCE", "\(source) is an address of \(netns.name) itself, and accept_local is off")
    default: return .drop("IP_INVALID_SOURCE", "\(source) is \(found.route.type.rawValue) in \(netns.name)")
    }
    if found.alternatives.contains(where: { $0.interface == device.index })
      || found.route.type == .local && link.kind == .loopback
    {
      return nil
    }
    if !hasAddress { return filter != 0 ? .drop("IP_RPFILTER", strict) : nil }
    if filter == 1 { return .drop("IP_RPFILTER", strict) }
    return nil
  }
}

extension Namespace {
  /// Routes of type `local` beyond those that the kernel makes for addresses (fib_has_custom_local_routes).
  var hasCustomLocalRoutes4: Bool {
    snapshot.routes.contains { $0.family == .v4 && $0.type == .local && $0.origin != 2 }
  }
}
