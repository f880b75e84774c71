import NetModel
import NetTypes

extension Walk {
  /// Walks the policy rules (net/core/fib_rules.c, fib_rules_lookup) and looks up their tables.
  mutating func lookup(_ key: FlowKey, in position: Int) throws(RouteFailure) -> RouteResult {
    let netns = world.namespaces[position]
    let family = key.destination.family
    if family == .v4, !netns.hasCustomRules4 {
      // One trie for both: the longest prefix wins, wherever it is.
      if let found = try search(netns.mergedTable4, key, netns) { return found }
      if let table = netns.tables4[253], let found = try search(table, key, netns) { return found }
      throw .noRoute
    }
    if family == .v6, netns.lacksRules6,
      choices.decide(.unknown, "no policy rule for IPv6 was ever added in \(netns.name)")
    {
      // Deleting the kernel's own rules does not make it look at rules at all (net/ipv6/fib6_rules.c).
      for id: UInt32 in [255, 254] {
        if let table = netns.tables6[id], let found = try search(table, key, netns) { return found }
      }
      throw .noRoute
    }
    let rules = family == .v4 ? netns.rules4 : netns.rules6
    let tables = family == .v4 ? netns.tables4 : netns.tables6
    var index = 0
    while index < rules.count {
      let rule = rules[index]
      index += 1
      let matches = Self.matches(rule, key, netns)
      guard choices.decide(matches, "the rule \(IPText.rule(rule)) in \(netns.name) matches") else { continue }
      switch rule.action {
      case .nop: continue
      case .goto(let target):
        guard let next = rules[index...].firstIndex(where: { $0.priority >= target }), rules[next].priority == target
        else { continue }
        index = next
      case .unreachable: throw .ruleUnreachable(IPText.rule(rule))
      case .prohibit: throw .prohibit(IPText.rule(rule))
      case .blackhole: throw .blackhole(IPText.rule(rule))
      case .unknown(let action): throw .undecided("the action \(action) of the rule \(IPText.rule(rule))")
      case .lookup(let id):
        guard let table = tables[id], var found = try search(table, key, netns) else { continue }
        if let length = rule.suppressPrefixLength, found.route.destination.length <= Int(length) { continue }
        if let group = rule.suppressGroup, let out = found.nextHop.interface,
          netns.link(out)?.group == group
        {
          continue
        }
        found.rule = rule
        return found
      }
    }
    throw .noRoute
  }

  private mutating func search(
    _ table: RouteTable, _ key: FlowKey, _ netns: Namespace
  ) throws(RouteFailure) -> RouteResult? {
    switch key.destination.family {
    case .v4: try Self.search4(table, key, netns)
    case .v6: try search6(table, key, netns)
    }
  }

  /// net/core/fib_rules.c, fib_rule_match; net/ipv4/fib_rules.c, fib4_rule_match; net/ipv6/fib6_rules.c, fib6_rule_match.
  static func matches(_ rule: PolicyRule, _ key: FlowKey, _ netns: Namespace) -> Ternary {
    if !rule.unknownAttributes.isEmpty || rule.l3mdev { return .unknown }
    var answer = Ternary.yes
    if let name = rule.inputInterface {
      // A name without an interface matches nothing.
      answer = answer && Ternary(netns.link(named: name)?.index == key.inputInterface)
    }
    if let name = rule.outputInterface {
      answer = answer && Ternary(key.outputInterface != 0 && netns.link(named: name)?.index == key.outputInterface)
    }
    answer = answer && Ternary((rule.mark ^ key.mark) & rule.markMask == 0)
    // Tunnel ids come from collect-metadata tunnels only.
    if let id = rule.tunnelID, id != 0 { answer = answer && .no }
    if let uids = rule.uids { answer = answer && Ternary(uids.contains(key.uid)) }
    if let source = rule.source, source.length > 0 {
      answer = answer && Ternary(key.source.map(source.contains) ?? false)
    }
    if let destination = rule.destination { answer = answer && Ternary(destination.contains(key.destination)) }
    if rule.tos != 0 { answer = answer && Ternary(rule.tos == key.tos) }
    if let ipProtocol = rule.ipProtocol { answer = answer && Ternary(ipProtocol == key.ipProtocol) }
    if let ports = rule.sourcePorts { answer = answer && contains(ports, key.sourcePort) }
    if let ports = rule.destinationPorts { answer = answer && Ternary(ports.contains(key.destinationPort)) }
    return rule.isInverted ? !answer : answer
  }

  private static func contains(_ ports: ClosedRange<UInt16>, _ port: ClosedRange<UInt16>) -> Ternary {
    if !ports.overlaps(port) { return .no }
    return ports.lowerBound <= port.lowerBound && port.upperBound <= ports.upperBound ? .yes : .unknown
  }
}
