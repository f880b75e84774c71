import NetModel
import NetTypes

extension Walk {
  // MARK: IPv4

  /// net/ipv4/fib_trie.c, fib_table_lookup. Nil where the kernel says -EAGAIN: go on with the next rule.
  static func search4(_ table: RouteTable, _ key: FlowKey, _ netns: Namespace) throws(RouteFailure) -> RouteResult? {
    for routes in table.candidates(key.destination) {
      for route in routes {
        if route.tos != 0, route.tos != key.tos { continue }
        if !route.unknownAttributes.isEmpty { throw .undecided("the route \(IPText.route(route, netns))") }
        switch route.type {
        case .throw: return nil
        case .blackhole: throw .blackhole(IPText.route(route, netns))
        case .unreachable: throw .unreachable(IPText.route(route, netns))
        case .prohibit: throw .prohibit(IPText.route(route, netns))
        case .unicast, .local, .broadcast, .anycast, .multicast: break
        case .unspecified, .nat, .xresolve: throw .undecided("the route \(IPText.route(route, netns))")
        }
        let hops = try nextHops(route, netns)
        if hops.isEmpty { throw .blackhole(IPText.route(route, netns)) }
        let good = hops.filter { isGood($0, key, netns) }
        guard let first = good.first else { continue }
        return RouteResult(route: route, nextHop: first, alternatives: good, rule: nil)
      }
    }
    return nil
  }

  /// fib_lookup_good_nhc.
  private static func isGood(_ hop: NextHop, _ key: FlowKey, _ netns: Namespace) -> Bool {
    if hop.isDead { return false }
    if hop.isLinkDown, !key.ignoresLinkState, let interface = hop.interface, let link = netns.link(interface),
      netns.either(link, \.ignoreRoutesWithLinkdown)
    {
      return false
    }
    return key.outputInterface == 0 || hop.interface == key.outputInterface
  }

  /// The ways of a route, those of its nexthop object if it has one. Empty for a blackhole object.
  static func nextHops(_ route: Route, _ netns: Namespace) throws(RouteFailure) -> [NextHop] {
    let hops = try members(route, netns)
    if let name = hops.lazy.compactMap(\.encapsulation).first {
      throw .undecided("the encapsulation \(name) of the route \(IPText.route(route, netns))")
    }
    return hops
  }

  private static func members(_ route: Route, _ netns: Namespace) throws(RouteFailure) -> [NextHop] {
    guard let id = route.nexthopID else { return route.nextHops }
    guard let object = netns.nexthops[id] else { throw .undecided("the nexthop object \(id), which is not known") }
    if object.isBlackhole { return [] }
    if object.members.isEmpty { return object.nextHop.map { [$0] } ?? [] }
    if object.members.allSatisfy({ netns.nexthops[$0.id]?.isBlackhole ?? false }) { return [] }
    if object.isResilient { throw .undecided("the resilient nexthop group \(id)") }
    var hops: [NextHop] = []
    for member in object.members {
      guard let part = netns.nexthops[member.id], !part.isBlackhole, var hop = part.nextHop else {
        throw .undecided("the nexthop group \(id)")
      }
      hop.weight = member.weight
      hops.append(hop)
    }
    return hops
  }

  // MARK: IPv6

  /// net/ipv6/route.c, fib6_table_lookup: backtracking to shorter prefixes while nothing fits; a host asks first for routes
  /// whose gateway is not known to be gone.
  mutating func search6(_ table: RouteTable, _ key: FlowKey, _ netns: Namespace) throws(RouteFailure) -> RouteResult? {
    let candidates = table.candidates(key.destination).flatMap { Self.bySource($0, key.source) }
    let isHost = (netns.snapshot.ipv6All?.forwarding ?? 0) == 0
    for wantsReachable in isHost ? [true, false] : [false] {
      for routes in candidates {
        if let found = try select6(routes, key, wantsReachable, netns) {
          switch found.route.type {
          case .throw: return nil
          // A route by the loopback interface to what is not there refuses (fib6_is_reject).
          case .unicast where !key.destination.isLoopback && isLoopback(found.nextHop, netns):
            throw .ruleUnreachable(IPText.route(found.route, netns))
          case .blackhole: throw .blackhole(IPText.route(found.route, netns))
          case .unreachable: throw .unreachable(IPText.route(found.route, netns))
          case .prohibit: throw .prohibit(IPText.route(found.route, netns))
          case .unicast, .local, .anycast, .multicast, .broadcast: return found
          case .unspecified, .nat, .xresolve:
            throw .undecided("the route \(IPText.route(found.route, netns))")
          }
        }
      }
    }
    return nil
  }

  private func isLoopback(_ hop: NextHop, _ netns: Namespace) -> Bool {
    hop.interface.flatMap(netns.link)?.kind == .loopback
  }

  /// Routes of one destination: those for the packet's source, the longest prefix first, then those for any. While there
  /// are routes for some sources, those for any are hidden from all other sources (net/ipv6/ip6_fib.c,
  /// fib6_node_lookup_1: a subtree without a match goes back to the parent).
  private static func bySource(_ routes: [Route], _ source: IPAddress?) -> [[Route]] {
    let special = routes.filter { ($0.source?.length ?? 0) > 0 }
    if special.isEmpty { return [routes] }
    let fitting = special.filter { route in source.map { route.source!.contains($0) } ?? false }
    // There is no parent of the default route.
    if fitting.isEmpty, routes[0].destination.length > 0 { return [] }
    let lengths = Set(fitting.map { $0.source!.length }).sorted(by: >)
    return lengths.map { length in fitting.filter { $0.source!.length == length } }
      + [routes.filter { ($0.source?.length ?? 0) == 0 }]
  }

  /// rt6_select: of the lowest metric that has a usable route, the best score.
  private mutating func select6(
    _ routes: [Route], _ key: FlowKey, _ wantsReachable: Bool, _ netns: Namespace
  ) throws(RouteFailure) -> RouteResult? {
    var best: (score: Int, result: RouteResult)?
    var metric: UInt32?
    for route in routes {
      if best != nil, route.metric != metric { break }
      if !route.unknownAttributes.isEmpty { throw .undecided("the route \(IPText.route(route, netns))") }
      let hops: [NextHop]
      if [.blackhole, .unreachable, .prohibit, .throw].contains(route.type), route.nexthopID == nil {
        // These are routes by the loopback interface.
        hops = [NextHop(interface: 1)]
      } else {
        hops = try Self.nextHops(route, netns)
      }
      if hops.isEmpty { throw .blackhole(IPText.route(route, netns)) }
      var scored: [(score: Int, hop: NextHop)] = []
      for hop in hops {
        if let score = score6(hop, route, key, wantsReachable, netns) { scored.append((score, hop)) }
      }
      guard let score = scored.map(\.score).max() else { continue }
      if best == nil || score > best!.score {
        let hop = scored.first { $0.score == score }!.hop
        best = (score, RouteResult(route: route, nextHop: hop, alternatives: scored.map(\.hop), rule: nil))
        metric = route.metric
      }
    }
    return best?.result
  }

  /// find_match and rt6_score_route; nil when the way cannot be taken.
  private func score6(
    _ hop: NextHop, _ route: Route, _ key: FlowKey, _ wantsReachable: Bool, _ netns: Namespace
  ) -> Int? {
    if hop.isDead { return nil }
    if hop.isLinkDown, !key.ignoresLinkState, let interface = hop.interface,
      (netns.link(interface)?.ipv6?.ignoreRoutesWithLinkdown ?? 0) != 0
        || (netns.snapshot.ipv6All?.ignoreRoutesWithLinkdown ?? 0) != 0
    {
      return nil
    }
    var score = key.preferredInterface == 0 || hop.interface == key.preferredInterface ? 2 : 0
    if score == 0, key.isStrict { return nil }
    // 1 low, 2 medium, 3 high (include/net/ip6_route.h, IPV6_DECODE_PREF).
    let preference: Int =
      switch route.preference {
      case 1: 3;
      case 3: 1;
      default: 2
      }
    score |= preference << 2
    if wantsReachable, isGone(hop, netns) { return nil }
    return score
  }
}
