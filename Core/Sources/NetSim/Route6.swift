import NetModel
import NetTypes

extension Walk {
  /// net/ipv6/ip6_output.c, ip6_dst_lookup_tail: the first lookup goes without a source when there is none; the route
  /// that it finds decides the source.
  mutating func outputRoute6(_ key: FlowKey, in position: Int) throws(SendError) -> OutputRoute {
    let netns = world.namespaces[position]
    var key = key
    if let source = key.source, source.isUnspecified { key.source = nil }
    if key.destination.isUnspecified { key.destination = IPAddress(v6High: 0, low: 1) }
    key.preferredInterface = key.outputInterface
    key.isStrict =
      key.isStrict || Self.needsStrict(key.destination) || key.outputInterface != 0 && key.source == nil
    if key.source != nil { return try output6(key, position) }
    var first: Result<OutputRoute, SendError>
    do throws(SendError) {
      first = .success(try output6(key, position))
    } catch {
      first = .failure(error)
    }
    let device: Int32? =
      switch first {
      case .success(let route): route.arrivalInterface
      case .failure(.undecided(let reason)): throw .undecided(reason)
      case .failure: nil
      }
    let preferred: IPAddress? =
      if case .success(let route) = first { route.source.isUnspecified ? nil : route.source } else { nil }
    guard let source = preferred ?? selectAddress6(device, to: key.destination, netns) else {
      throw .failed("EADDRNOTAVAIL", "no source address for \(key.destination) in \(netns.name)")
    }
    switch first {
    case .success(var route):
      route.source = source
      return route
    case .failure:
      // An error without a source is forgotten; the one with a source counts.
      key.source = source
      return try output6(key, position)
    }
  }

  /// `source` of the result is unspecified when neither the key nor the route has one.
  private mutating func output6(_ key: FlowKey, _ position: Int) throws(SendError) -> OutputRoute {
    let netns = world.namespaces[position]
    let found: RouteResult
    do {
      found = try lookup(key, in: position)
    } catch {
      throw Self.failure(error, netns, key.destination)
    }
    note(rule: found.rule, found.route, position)
    let source = key.source ?? found.route.preferredSource ?? IPAddress(v6High: 0, low: 0)
    return try route6(found, key, position, source)
  }

  private mutating func route6(
    _ found: RouteResult, _ key: FlowKey, _ position: Int, _ source: IPAddress
  ) throws(SendError) -> OutputRoute {
    let netns = world.namespaces[position]
    let isLocal = found.route.type == .local || found.route.type == .anycast
    let ways = reachable(found, netns)
    let hop = isLocal ? found.nextHop : pick(ways, found.route, key, position)
    guard let out = hop.interface, let link = netns.link(out) else {
      throw .undecided("the route \(IPText.route(found.route, netns)) has no known interface")
    }
    var device = out
    if isLocal {
      guard let loopback = netns.snapshot.links.first(where: { $0.kind == .loopback }) else {
        throw .undecided("there is no loopback interface in \(netns.name)")
      }
      device = loopback.index
    }
    let mtu = found.route.mtu.map(Int.init) ?? link.ipv6.map { Int($0.mtu) } ?? Int(link.mtu)
    return OutputRoute(
      device: DeviceRef(netns: position, index: device), isLocal: isLocal, type: found.route.type,
      gateway: hop.gateway, source: source, mtu: isLocal ? 65536 : mtu, arrivalInterface: out,
      object: IPText.route(found.route, netns))
  }

  /// rt6_need_strict: link-local, multicast and loopback destinations are meant for one interface.
  static func needsStrict(_ address: IPAddress) -> Bool {
    address.isLinkLocal || address.isMulticast || address.isLoopback
  }

  /// net/ipv6/ip6_input.c, ip6_rcv_core, then net/ipv6/route.c, ip6_route_input.
  mutating func inputRoute6(_ key: FlowKey, on device: DeviceRef) throws(Undecided) -> InputDecision {
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    guard link.hasIPv6 else {
      return .drop("IPV6DISABLED", "IPv6 is disabled on \(link.name)")
    }
    let source = key.source!
    if source.isLoopback || key.destination.isLoopback, link.kind != .loopback {
      return .drop("IP_INHDR", "loopback addresses do not come in by \(link.name)")
    }
    if source.isMulticast { return .drop("IP_INHDR", "\(source) cannot be a source") }
    var key = key
    key.inputInterface = device.index
    key.preferredInterface = device.index
    key.outputInterface = 0
    key.uid = 0
    key.isStrict = Self.needsStrict(key.destination)
    let found: RouteResult
    do {
      found = try lookup(key, in: device.netns)
    } catch {
      switch error {
      case .undecided(let reason): throw Undecided(reason: reason)
      case .blackhole(let object): return .drop("NOT_SPECIFIED", object)
      case .prohibit(let object): return .reject(ICMPError(kind: .prohibited), "IP_INNOROUTES", object)
      case .unreachable(let object), .ruleUnreachable(let object):
        return .reject(ICMPError(kind: .networkUnreachable), "IP_INNOROUTES", object)
      case .noRoute:
        return .reject(
          ICMPError(kind: .networkUnreachable), "IP_INNOROUTES", "no route to \(key.destination) in \(netns.name)")
      }
    }
    note(rule: found.rule, found.route, device.netns)
    switch found.route.type {
    case .local: return .local(.unicast)
    case .anycast: return .local(.anycast)
    case .multicast: throw Undecided(reason: "multicast")
    default: break
    }
    guard netns.forwards6(link) else { return .drop("IP_INADDRERRORS", "net.ipv6.conf.all.forwarding is off") }
    do {
      return .forward(try route6(found, key, device.netns, source))
    } catch {
      if case .undecided(let reason) = error { throw Undecided(reason: reason) }
      return .drop(nil, "")
    }
  }

  // MARK: Source selection

  /// net/ipv6/addrconf.c, ipv6_dev_get_saddr (RFC 6724 §5); nil without a candidate.
  func selectAddress6(_ interface: Int32?, to destination: IPAddress, _ netns: Namespace) -> IPAddress? {
    let scope = Self.scope(destination)
    let onlyOwn =
      interface.map { index in
        destination.isMulticast || scope <= 2 || (netns.link(index)?.ipv6?.useOIFAddressesOnly ?? 0) != 0
          || (netns.snapshot.ipv6All?.useOIFAddressesOnly ?? 0) != 0
      } ?? false
    let links = onlyOwn ? [interface!] : netns.snapshot.links.map(\.index).sorted()
    var best: (score: [Int], address: IPAddress)?
    for link in links {
      for entry in netns.addresses(link, .v6) {
        if entry.flags.contains(.tentative), !entry.flags.contains(.optimistic) { continue }
        if entry.flags.contains(.dadFailed) { continue }
        let address = entry.address
        let own = Self.scope(address)
        let isTemporary = entry.flags.contains(.secondary)
        let wantsTemporary = (netns.link(link)?.ipv6?.useTempAddresses ?? 0) >= 2
        let score = [
          address == destination ? 1 : 0,
          own >= scope ? -own : own - 128,
          entry.flags.isDisjoint(with: [.deprecated, .optimistic]) ? 1 : 0,
          entry.flags.contains(.home) ? 1 : 0,
          interface == nil || link == interface ? 1 : 0,
          Self.label(address) == Self.label(destination) ? 1 : 0,
          isTemporary == wantsTemporary ? 1 : 0,
          min(Self.commonBits(address, destination), Int(entry.prefixLength)),
        ]
        if best == nil || best!.score.lexicographicallyPrecedes(score) { best = (score, address) }
      }
    }
    return best?.address
  }

  /// RFC 4291 §2.7 numbers: 1 interface, 2 link, 5 site, 14 global; loopback counts as link-local (RFC 6724 §3.1).
  static func scope(_ address: IPAddress) -> Int {
    if address.isMulticast { return Int(address.high >> 48 & 0xf) }
    if address.isLoopback || address.isLinkLocal { return 2 }
    if address.high >> 54 == 0xfec0 >> 6 { return 5 }
    return 14
  }

  /// The kernel's own label table (net/ipv6/addrlabel.c, ip6addrlbl_init_table).
  private static let labels: [(prefix: IPPrefix, label: Int)] = [
    ("::1/128", 0), ("::ffff:0:0/96", 4), ("::/96", 3), ("2001::/32", 6), ("2001:10::/28", 7), ("2002::/16", 2),
    ("3ffe::/16", 12), ("fec0::/10", 11), ("fc00::/7", 5), ("::/0", 1),
  ].map { (IPPrefix($0.0)!, $0.1) }

  private static func label(_ address: IPAddress) -> Int { labels.first { $0.prefix.contains(address) }!.label }

  private static func commonBits(_ a: IPAddress, _ b: IPAddress) -> Int {
    let high = a.high ^ b.high
    return high != 0 ? high.leadingZeroBitCount : 64 + (a.low ^ b.low).leadingZeroBitCount
  }
}
