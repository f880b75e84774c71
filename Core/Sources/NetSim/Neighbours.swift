import NetModel
import NetTypes

/// What the neighbour table gives for a next hop.
enum Resolution {
  case mac(MACAddress)
  /// The interface has no table for such addresses.
  case impossible(String)
  /// Nobody answers; why, as far as it shows.
  case failed(String)
  /// Nobody that is known answers, but the question left what is known.
  case left(DeviceRef)
}

extension Walk {
  /// The link layer address of `target` on `device`: from the table, or by asking (net/core/neighbour.c).
  ///
  /// - Parameter source: of the packet that waits for it.
  mutating func resolve(
    _ target: IPAddress, on device: DeviceRef, for source: IPAddress
  ) throws(Undecided) -> Resolution {
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    // arp_constructor, ndisc_constructor.
    if target.isMulticast { return .mac(.multicast(target)) }
    if target.family == .v6, link.ipv6 == nil || link.mtu < 1280 {
      return .impossible("IPv6 needs an MTU of 1280, and \(link.name) has \(link.mtu)")
    }
    if !link.flags.isDisjoint(with: [.noARP, .loopback]) { return .mac(link.mac ?? .zero) }
    if target.family == .v4 {
      switch localType4(target, netns) {
      case .broadcast: return .mac(.broadcast)
      case .multicast: return .mac(.multicast(target))
      default: break
      }
    }
    if link.flags.contains(.pointToPoint) { return .mac(.broadcast) }
    if let entry = netns.neighbour(device.index, target), entry.state == .permanent || entry.state == .noARP {
      note(
        .neighbour, device.netns, link.name, "\(target) is at \(entry.mac ?? .zero)",
        object: IPText.neighbour(entry, netns))
      return .mac(entry.mac ?? .zero)
    }
    let key = Learned.NeighbourKey(netns: netns.snapshot.id, interface: device.index, address: target)
    if let mac = learned.macs[key] {
      note(.neighbour, device.netns, link.name, "\(target) is at \(mac)")
      return .mac(mac)
    }
    if let entry = netns.neighbour(device.index, target), entry.state.isUsable, let mac = entry.mac {
      note(.neighbour, device.netns, link.name, "\(target) is at \(mac)", object: IPText.neighbour(entry, netns))
      return .mac(mac)
    }
    asides = []
    let answers = try aside { (walk) throws(Undecided) in
      switch target.family {
      case .v4: try walk.solicit4(target, device, link, source)
      case .v6: try walk.solicit6(target, device, link, source)
      }
    }
    // Its own question, come back by a tunnel to itself, may have taught it.
    if let mac = learned.macs[key] { return .mac(mac) }
    if answers.macs.isEmpty {
      if let left = answers.left { return .left(left) }
      // The question that it was heard by may have come by a longer way than the packet, just after the entry was made.
      if let mac = learned.heard[key],
        choices.pick("heard \(key)", ["\(target) was heard too late", "\(target) is at \(mac): it was heard"]) == 1
      {
        learned.macs[key] = mac
        return .mac(mac)
      }
      learned.failed.insert(key)
      let why = asides.isEmpty ? "nobody has this address there" : asides.joined(separator: "; ")
      return .failed(why)
    }
    // Who answers first is a matter of microseconds.
    let mac = answers.macs[
      choices.pick("\(key)", answers.macs.map { "\(target) is at \($0)" })]
    learned.macs[key] = mac
    note(.neighbour, device.netns, link.name, "\(target) is at \(mac): it answered")
    return .mac(mac)
  }

  struct Answers {
    var macs: [MACAddress] = []
    var left: DeviceRef?
  }

  // MARK: ARP

  /// net/ipv4/arp.c, arp_solicit, and all who hear it.
  private mutating func solicit4(
    _ target: IPAddress, _ device: DeviceRef, _ link: Link, _ source: IPAddress
  ) throws(Undecided) -> Answers {
    let netns = world.namespaces[device.netns]
    let announce = netns.larger(link, \.arpAnnounce)
    var sender: IPAddress?
    if announce == 0 || announce == 1, source.family == .v4, isLocal4(source, netns) {
      let onLink = netns.addresses(device.index, .v4).contains {
        $0.prefix.contains(target) && $0.prefix.contains(source)
      }
      if announce == 0 || onLink { sender = source }
    }
    let from = sender ?? selectAddress4(device.index, target: target, scope: .link, netns)
    let frame = Frame(
      source: link.mac ?? .zero, destination: .broadcast,
      payload: .arpRequest(sender: from, senderMAC: link.mac ?? .zero, target: target))
    return try ask(frame, device) { (walk, reception) throws(Undecided) in
      guard try walk.answersARP(from, target, reception) else {
        let here = walk.world.namespaces[reception.device.netns].snapshot.id
        walk.learned.heard[.init(netns: here, interface: reception.device.index, address: from)] = link.mac
        return nil
      }
      let own = walk.world.link(reception.device)!.mac ?? .zero
      walk.learn(from, link.mac ?? .zero, reception.device)
      return Frame(
        source: own, destination: link.mac ?? .zero, payload: .arpReply(sender: target, senderMAC: own, target: from))
    }
  }

  /// A node keeps the address of who asked it (neigh_event_ns), unless the entry is fixed.
  private mutating func learn(_ address: IPAddress, _ mac: MACAddress, _ device: DeviceRef) {
    if address.isUnspecified { return }
    learned.macs[
      .init(netns: world.namespaces[device.netns].snapshot.id, interface: device.index, address: address)] = mac
  }

  /// Sends a question, lets all who hear it answer, and sees which answers come back.
  private mutating func ask(
    _ frame: Frame, _ device: DeviceRef,
    _ answer: (inout Walk, Reception) throws(Undecided) -> Frame?
  ) throws(Undecided) -> Answers {
    var result = Answers()
    var question = Transmission()
    try transmit(frame, on: device, into: &question)
    result.left = question.left.first?.device
    asides += question.drops.map(\.why)
    for reception in question.receptions where reception.address != .other {
      guard let reply = try answer(&self, reception) else { continue }
      var back = Transmission()
      try transmit(reply, on: reception.device, into: &back)
      asides += back.drops.map { "the answer: " + $0.why }
      if back.receptions.contains(where: { $0.device == device && $0.address == .host }) {
        if !result.macs.contains(reply.source) { result.macs.append(reply.source) }
      }
    }
    return result
  }

  /// arp_process: whether this node answers a request for `target`.
  private mutating func answersARP(
    _ sender: IPAddress, _ target: IPAddress, _ reception: Reception
  ) throws(Undecided) -> Bool {
    let device = reception.device
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    if link.flags.contains(.noARP) || link.kind == .loopback { return false }
    if target.isMulticast || target.isLoopback && !netns.either(link, \.routeLocalnet) { return false }
    if sender.isUnspecified {
      return localType4(target, netns) == .local && !ignoresARP(sender, target, link, device, netns)
    }
    let decision = try inputRoute4(FlowKey(source: sender, destination: target), on: device, isARP: true)
    switch decision {
    case .local:
      if ignoresARP(sender, target, link, device, netns) {
        asides.append("arp_ignore of \(link.name) in \(netns.name)")
        return false
      }
      if netns.either(link, \.arpFilter) {
        // Only where the way back goes by the same interface.
        var key = FlowKey(source: target, destination: sender)
        key.uid = 0
        guard let back = try? outputRoute4(key, in: device.netns), back.device == device else {
          asides.append("arp_filter of \(link.name) in \(netns.name)")
          return false
        }
      }
      return true
    case .forward(let route):
      guard netns.forwards4(link) else { return false }
      if route.device == device { return netns.either(link, \.proxyARPPVLAN) && sender != target }
      if netns.isProxied(target, on: device.index) { return true }
      guard netns.either(link, \.proxyARP) else { return false }
      let own = link.ipv4?.mediumID ?? 0
      if own == 0 { return true }
      if own == -1 { return false }
      let other = netns.link(route.device.index)?.ipv4?.mediumID ?? 0
      return other != own && other != -1
    case .drop(_, let why):
      asides.append("\(netns.name) does not answer: \(why)")
      return false
    case .reject: return false
    }
  }

  /// arp_ignore.
  private func ignoresARP(
    _ sender: IPAddress, _ target: IPAddress, _ link: Link, _ device: DeviceRef, _ netns: Namespace
  ) -> Bool {
    switch netns.larger(link, \.arpIgnore) {
    case 1: !confirms(nil, target, .host, netns, [device.index])
    case 2: !confirms(sender, target, .host, netns, [device.index])
    case 3: !confirms(nil, target, .link, netns, netns.snapshot.links.map(\.index))
    case 8: true
    default: false
    }
  }

  /// inet_confirm_addr (net/ipv4/devinet.c): one interface has `target` in this scope, and a network that holds it and
  /// `sender`.
  private func confirms(
    _ sender: IPAddress?, _ target: IPAddress, _ scope: AddressScope, _ netns: Namespace, _ interfaces: [Int32]
  ) -> Bool {
    interfaces.contains { index in
      let link = netns.link(index)
      let localnetScope: AddressScope = link.map { netns.either($0, \.routeLocalnet) } ?? false ? .link : .host
      let entries = netns.addresses(index, .v4)
      return entries.contains { $0.address == target && min($0.scope, localnetScope) <= scope }
        && entries.contains { $0.prefix.contains(target) && (sender.map($0.prefix.contains) ?? true) }
    }
  }

  // MARK: Neighbour discovery

  /// net/ipv6/ndisc.c, ndisc_solicit, and all who hear it.
  private mutating func solicit6(
    _ target: IPAddress, _ device: DeviceRef, _ link: Link, _ source: IPAddress
  ) throws(Undecided) -> Answers {
    let netns = world.namespaces[device.netns]
    let own = netns.addresses(device.index, .v6).filter { !$0.flags.contains(.tentative) }
    let linkLocal = own.first { $0.address.isLinkLocal }?.address
    guard let from = own.first(where: { $0.address == source })?.address ?? linkLocal else {
      asides.append("\(link.name) has no link-local address to ask from")
      return Answers()
    }
    // Solicited-node multicast: RFC 4291 §2.7.1.
    let group = IPAddress(v6High: 0xff02 << 48, low: 0x1_ff00_0000 | target.low & 0xff_ffff)
    let frame = Frame(
      source: link.mac ?? .zero, destination: .multicast(group),
      payload: .solicitation(source: from, sourceMAC: link.mac ?? .zero, target: target))
    let answers = try ask(frame, device) { (walk, reception) throws(Undecided) in
      guard try walk.takes(multicast: group, from: from, reception), walk.answersSolicitation(target, reception) else {
        return nil
      }
      let mac = walk.world.link(reception.device)!.mac ?? .zero
      walk.learn(from, link.mac ?? .zero, reception.device)
      // The advertisement is an IP packet: a fixed neighbour entry counts more than who asked.
      let fixed = walk.world.namespaces[reception.device.netns].neighbour(reception.device.index, from)
      var destination = fixed?.state == .permanent ? fixed?.mac : link.mac
      // Nor does an interface without ARP look for anybody: its packets go to its own address.
      if walk.world.link(reception.device)!.flags.contains(.noARP) { destination = mac }
      return Frame(
        source: mac, destination: destination ?? .zero,
        payload: .advertisement(target: target, targetMAC: mac, to: from))
    }
    if answers.macs.isEmpty { return answers }
    if own.contains(where: { $0.address == target }) {
      asides.append("\(target) is an address of \(link.name) itself, for which no advertisement counts")
      return Answers(left: answers.left)
    }
    // The advertisement is routed like any packet: it must find that its destination is here.
    var key = FlowKey(source: target, destination: from)
    key.ipProtocol = .icmp6
    guard case .local = try inputRoute6(key, on: device) else {
      asides.append("the answer to \(from) finds another route than the local one")
      return Answers(left: answers.left)
    }
    return answers
  }

  /// Whether a multicast packet is taken: its route must say so.
  private mutating func takes(
    multicast group: IPAddress, from source: IPAddress, _ reception: Reception
  ) throws(Undecided) -> Bool {
    var key = FlowKey(source: source, destination: group)
    key.inputInterface = reception.device.index
    key.preferredInterface = reception.device.index
    key.isStrict = true
    key.ipProtocol = .icmp6
    do throws(RouteFailure) {
      return try lookup(key, in: reception.device.netns).route.type == .multicast
    } catch {
      if case .undecided(let reason) = error { throw Undecided(reason: reason) }
      return false
    }
  }

  /// ndisc_recv_ns: the address must be this interface's, or proxied on it by a router.
  private func answersSolicitation(_ target: IPAddress, _ reception: Reception) -> Bool {
    let device = reception.device
    let netns = world.namespaces[device.netns]
    let link = netns.link(device.index)!
    guard let settings = link.ipv6, link.hasIPv6 else { return false }
    if netns.holders(target).contains(where: { $0.interface == device.index && !$0.flags.contains(.tentative) }) {
      return true
    }
    if netns.hasAnycast(target, on: device.index) { return true }
    let proxies = settings.proxyNDP != 0 || (netns.snapshot.ipv6All?.proxyNDP ?? 0) != 0
    return settings.forwarding != 0 && proxies && netns.isProxied(target, on: device.index)
  }
}

extension Link {
  /// Whether IPv6 packets may pass (in6_dev_get, disable_ipv6; RFC 8200 §5 for the MTU).
  var hasIPv6: Bool { ipv6.map { $0.disabled == 0 } ?? false && mtu >= 1280 }
}

extension Namespace {
  /// A router has the anycast address of its networks (RFC 4291 §2.6.1; ipv6_chk_acast_addr).
  func hasAnycast(_ address: IPAddress, on interface: Int32) -> Bool {
    tables6[255]?.candidates(address).contains { routes in
      routes.contains {
        $0.type == .anycast && $0.destination.address == address && $0.nextHops.first?.interface == interface
      }
    } ?? false
  }
}
