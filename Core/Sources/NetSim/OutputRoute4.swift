import NetModel
import NetTypes

extension Walk {
  /// net/ipv4/route.c, ip_route_output_key_hash_rcu.
  ///
  /// - Parameter anySource: `key.source` need not be an address of this node (FLOWI_FLAG_ANYSRC, transparent sockets).
  mutating func outputRoute4(_ key: FlowKey, in position: Int) throws(SendError) -> OutputRoute {
    var key = key
    let netns = world.namespaces[position]
    if let source = key.source, source.isUnspecified { key.source = nil }
    if let source = key.source {
      if source.isMulticast || source.low == 0xffff_ffff || source.low >> 24 == 0 {
        throw .failed("EINVAL", "\(source) cannot be a source")
      }
      if key.outputInterface == 0, !isLocal4(source, netns) {
        throw .failed("ENETUNREACH", "\(source) is not an address of \(netns.name)")
      }
    }
    if key.outputInterface != 0 {
      guard let link = netns.link(key.outputInterface) else { throw .failed("ENODEV", "the interface is gone") }
      if !link.isUp { throw .failed("ENETUNREACH", "\(link.name) is down") }
    }
    if key.destination.isUnspecified {
      key.destination = key.source ?? IPAddress(v4: 0x7f00_0001)
      if key.source == nil { key.source = key.destination }
      key.outputInterface = 1
    }
    let found: RouteResult
    do {
      found = try lookup(key, in: position)
    } catch {
      if case .undecided(let reason) = error { throw .undecided(reason) }
      if key.outputInterface != 0 {
        // "Apparently, routing tables are wrong. Assume, that the destination is on link."
        let source = key.source ?? selectAddress4(key.outputInterface, target: nil, scope: .link, netns)
        return try finish4(
          key, position, RouteType.unicast, device: key.outputInterface, gateway: nil, source: source, route: nil)
      }
      throw Self.failure(error, netns, key.destination)
    }
    note(rule: found.rule, found.route, position)
    if found.route.type == .local {
      let own = found.nextHop.interface ?? 1
      let source = key.source ?? found.route.preferredSource ?? key.destination
      guard let loopback = netns.snapshot.links.first(where: { $0.kind == .loopback }) else {
        throw .undecided("there is no loopback interface in \(netns.name)")
      }
      return OutputRoute(
        device: DeviceRef(netns: position, index: loopback.index), isLocal: true, type: .local, gateway: nil,
        source: source, mtu: Int(found.route.mtu ?? loopback.mtu), arrivalInterface: own,
        object: IPText.route(found.route, netns))
    }
    let hop = try choose4(found, key, position)
    guard let device = hop.interface else {
      throw .undecided("the route \(IPText.route(found.route, netns)) has no interface")
    }
    let source =
      key.source ?? found.route.preferredSource
      ?? selectAddress4(device, target: hop.gateway?.family == .v4 ? hop.gateway : nil, scope: found.route.scope, netns)
    return try finish4(
      key, position, found.route.type, device: device, gateway: hop.gateway, source: source, route: found.route)
  }

  /// The last checks of __mkroute_output.
  private func finish4(
    _ key: FlowKey, _ position: Int, _ type: RouteType, device: Int32, gateway: IPAddress?, source: IPAddress,
    route: Route?
  ) throws(SendError) -> OutputRoute {
    let netns = world.namespaces[position]
    guard let link = netns.link(device) else { throw .undecided("an interface of \(netns.name) that is not known") }
    if source.isLoopback, link.kind != .loopback, !netns.either(link, \.routeLocalnet) {
      throw .failed("EINVAL", "\(source) may not leave by \(link.name): route_localnet is off")
    }
    var type = type
    if key.destination.low == 0xffff_ffff { type = .broadcast }
    if key.destination.isMulticast { type = .multicast }
    if key.destination.low >> 24 == 0 { throw .failed("EINVAL", "\(key.destination) cannot be a destination") }
    // What leaves by the loopback interface comes in as if it were for this node.
    return OutputRoute(
      device: DeviceRef(netns: position, index: device), isLocal: link.kind == .loopback, type: type,
      gateway: gateway, source: source,
      mtu: Int(route?.mtu ?? link.mtu), arrivalInterface: device, object: route.map { IPText.route($0, netns) })
  }

  /// fib_select_path and fib_select_multipath (net/ipv4/fib_semantics.c).
  private mutating func choose4(
    _ found: RouteResult, _ key: FlowKey, _ position: Int
  ) throws(SendError) -> NextHop {
    if key.outputInterface != 0 { return found.nextHop }
    let netns = world.namespaces[position]
    var ways = reachable(found, netns)
    if found.route.nexthopID == nil, ways.count > 1, let source = key.source, netns.kernel >= KernelVersion(6, 16) {
      // Since 6.16 a way whose own source is the flow's comes first.
      let own = ways.filter { hop in
        guard let device = hop.interface else { return false }
        return selectAddress4(
          device, target: hop.gateway?.family == .v4 ? hop.gateway : nil, scope: found.route.scope, netns) == source
      }
      if !own.isEmpty { ways = own }
    }
    return pick(ways, found.route, key, position)
  }

  /// The ways that a flow's hash may lead to. Groups of nexthop objects leave out ways whose gateway is known to be gone
  /// (net/ipv4/nexthop.c, nexthop_select_path_hthr); so do IPv4's with fib_multipath_use_neigh. Linkdown ways with
  /// `ignore_routes_with_linkdown` have left already.
  func reachable(_ found: RouteResult, _ netns: Namespace) -> [NextHop] {
    let ways = found.alternatives
    let usesNeighbours = found.route.family == .v4 && netns.sysctl("net.ipv4.fib_multipath_use_neigh", 0) != 0
    guard ways.count > 1, found.route.nexthopID != nil || usesNeighbours else { return ways }
    let good = ways.filter { !isGone($0, netns) }
    return good.isEmpty ? [ways[0]] : good
  }

  /// One of several ways, by the flow's hash, which nobody knows: all are tried.
  mutating func pick(_ ways: [NextHop], _ route: Route, _ key: FlowKey, _ position: Int) -> NextHop {
    if ways.count == 1 { return ways[0] }
    let netns = world.namespaces[position]
    let labels = ways.map { hop in
      "\(netns.name): " + IPText.way(hop, netns).joined(separator: " ")
    }
    let flow =
      "\(key.source.map(\.description) ?? "") \(key.destination) \(key.ipProtocol?.rawValue ?? 0) \(key.destinationPort)"
    return ways[choices.pick("\(netns.snapshot.id) \(IPText.route(route, netns)) \(flow)", labels)]
  }

  static func failure(_ failure: RouteFailure, _ netns: Namespace, _ destination: IPAddress) -> SendError {
    switch failure {
    case .noRoute: .failed("ENETUNREACH", "no route to \(destination) in \(netns.name)")
    case .ruleUnreachable(let rule): .failed("ENETUNREACH", "the rule \(rule)")
    case .blackhole(let object): .failed("EINVAL", object)
    case .unreachable(let object): .failed("EHOSTUNREACH", object)
    case .prohibit(let object): .failed("EACCES", object)
    case .undecided(let reason): .undecided(reason)
    }
  }

  mutating func note(rule: PolicyRule?, _ route: Route, _ position: Int) {
    let netns = world.namespaces[position]
    if let rule, netns.hasCustomRules4 || netns.hasCustomRules6 {
      note(.rule, position, nil, "the policy rule decides the table", object: IPText.rule(rule))
    }
    note(.route, position, nil, "the route is taken", object: IPText.route(route, netns))
  }

  // MARK: Addresses

  /// Whether the table `local` says that `address` is this node's (__ip_dev_find, inet_addr_type).
  func isLocal4(_ address: IPAddress, _ netns: Namespace) -> Bool { localType4(address, netns) == .local }

  /// inet_addr_type: the type that the table `local` gives; `unicast` without one.
  func localType4(_ address: IPAddress, _ netns: Namespace) -> RouteType {
    if address.low == 0xffff_ffff || address.low >> 24 == 0 { return .broadcast }
    if address.isMulticast { return .multicast }
    let table = netns.hasCustomRules4 ? netns.tables4[255] : netns.mergedTable4
    guard let table, let found = try? Self.search4(table, FlowKey(source: nil, destination: address), netns) else {
      return .unicast
    }
    return found.route.type
  }

  /// inet_select_addr (net/ipv4/devinet.c); 0.0.0.0 without any.
  func selectAddress4(_ interface: Int32, target: IPAddress?, scope: AddressScope, _ netns: Namespace) -> IPAddress {
    let link = netns.link(interface)
    let localnetScope: AddressScope = link.map { netns.either($0, \.routeLocalnet) } ?? false ? .link : .host
    var first: IPAddress?
    for entry in netns.addresses(interface, .v4) where !entry.flags.contains(.secondary) {
      if min(entry.scope, localnetScope) > scope { continue }
      guard let target else { return entry.address }
      if entry.prefix.contains(target) { return entry.address }
      if first == nil { first = entry.address }
    }
    if let first { return first }
    for other in netns.snapshot.links.sorted(by: { $0.index < $1.index }) {
      for entry in netns.addresses(other.index, .v4)
      where !entry.flags.contains(.secondary) && entry.scope != .link && entry.scope <= scope {
        return entry.address
      }
    }
    return IPAddress(v4: 0)
  }
}
