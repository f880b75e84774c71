public import KubeModel
public import NetTypes

/// Judges flows by the network policies of a cluster.
public typealias PolicyEngine = BasicPolicyEngine<KubernetesSemantics>

/// The engine over a set of semantics; see `PolicyEngine` for the one that means Kubernetes.
///
/// Each end of a flow is judged by its own policies: the source's egress, the destination's ingress. On each side the
/// tiers speak in order: admin, NetworkPolicy, baseline; where none decides, the flow is allowed.
public struct BasicPolicyEngine<Semantics: PolicySemantics>: Sendable {
  public let cluster: Cluster
  private let admin: [[AdminPolicy]]
  private let baseline: [[AdminPolicy]]

  public init(_ cluster: Cluster) {
    self.cluster = cluster
    admin = Semantics.tierOrder(cluster.adminPolicies.filter { $0.tier == .admin })
    baseline = Semantics.tierOrder(cluster.adminPolicies.filter { $0.tier == .baseline })
  }

  public func judge(_ flow: Flow) -> Judgement {
    if Semantics.isItself(flow) {
      let side = SideJudgement(.yes, .itself)
      return Judgement(egress: side, ingress: side)
    }
    return Judgement(egress: judge(flow, .egress), ingress: judge(flow, .ingress))
  }

  /// The NetworkPolicies that select `pod` and isolate it in this direction.
  public func isolating(_ pod: Pod, _ direction: PolicyDirection) -> [NetworkPolicy] {
    Semantics.candidates(cluster.policies, for: pod).filter {
      Semantics.isolates($0, direction) && Semantics.selects($0, pod)
    }
  }

  /// The admin and baseline policies that select a party, in the order in which they speak.
  public func selecting(_ party: Party) -> [AdminPolicy] {
    (admin + baseline).joined().filter { Semantics.selects($0.subject, party) }
  }

  // MARK: One side

  private func judge(_ flow: Flow, _ direction: PolicyDirection) -> SideJudgement {
    let subject = flow.subject(direction)
    guard let pod = subject.pod, Semantics.canBeSelected(subject) else {
      return SideJudgement(.yes, .notSelectable)
    }
    let first = decide(admin, flow, direction)
    if let side = first.final { return side }
    let isolating = isolating(pod, direction)
    var next: SideJudgement
    if isolating.isEmpty {
      next = SideJudgement(.yes, .notIsolated)
    } else {
      next = judge(isolating, flow, direction)
    }
    if Semantics.usesBaseline(isolated: !isolating.isEmpty), !baseline.isEmpty {
      let last = decide(baseline, flow, direction)
      next = last.final ?? last.joined(with: next)
    }
    return first.joined(with: next)
  }

  /// The NetworkPolicy tier for a pod that `policies` isolate: any one rule of any of them allows.
  private func judge(_ policies: [NetworkPolicy], _ flow: Flow, _ direction: PolicyDirection)
    -> SideJudgement
  {
    let ownNode = Semantics.isOwnNode(flow, direction)
    if ownNode == .yes { return SideJudgement(.yes, .ownNode) }
    guard Semantics.isDefined(for: flow.proto) else {
      return SideJudgement(.unknown, .undefinedProtocol(policies))
    }
    var unknown: [RuleReference] = []
    for policy in policies {
      for (index, rule) in policy.rules(direction).enumerated() {
        let (matches, port) = portMatch(rule, flow)
        let peer = peerMatch(rule, policy, flow, direction)
        switch Semantics.allows(peer: peer, port: matches) {
        case .yes:
          return SideJudgement(.yes, .rule(.rule(index, of: policy, direction, port: port)))
        case .unknown: unknown.append(.rule(index, of: policy, direction, port: port))
        case .no: break
        }
      }
    }
    if !unknown.isEmpty || ownNode == .unknown { return SideJudgement(.unknown, .unknown(unknown)) }
    return SideJudgement(.no, .isolated(policies, nearest: nearestMiss(policies, flow, direction)))
  }

  // MARK: NetworkPolicy rules

  private func peerMatch(
    _ rule: PolicyRule, _ policy: NetworkPolicy, _ flow: Flow, _ direction: PolicyDirection
  ) -> Ternary {
    matchesPeer(rule, policy, flow.peer(direction))
  }

  /// Whether one of a rule's peers is this party.
  public func matchesPeer(_ rule: PolicyRule, _ policy: NetworkPolicy, _ party: Party) -> Ternary {
    if Semantics.matchesAllPeers(rule) { return .yes }
    var result = Ternary.no
    for peer in rule.peers {
      result = result || matches(peer, policyNamespace: policy.name.namespace, party)
      if result == .yes { break }
    }
    return result
  }

  private func matches(_ peer: PolicyPeer, policyNamespace: String, _ party: Party) -> Ternary {
    switch peer {
    case .pods(let namespaces, let pods):
      return Ternary(
        Semantics.matchesPods(
          namespaces: namespaces, pods: pods, policyNamespace: policyNamespace, party))
    case .block(let block):
      guard let address = party.address else {
        return Semantics.contains(block, unknownAddressOf: party, hasIPv6: cluster.hasIPv6)
      }
      return Ternary(Semantics.contains(block, address))
    }
  }

  private func portMatch(_ rule: PolicyRule, _ flow: Flow) -> (Bool, PolicyPort?) {
    if Semantics.matchesAllPorts(rule) { return (true, nil) }
    return portMatch(rule.ports, flow)
  }

  private func portMatch(_ ports: [PolicyPort], _ flow: Flow) -> (Bool, PolicyPort?) {
    guard let number = flow.port else { return (false, nil) }
    for port in ports {
      if let range = Semantics.ports(port, flow.proto, on: flow.destination), range.contains(number) {
        return (true, port)
      }
    }
    return (false, nil)
  }

  private func nearestMiss(_ policies: [NetworkPolicy], _ flow: Flow, _ direction: PolicyDirection)
    -> NearMiss?
  {
    var best: NearMiss?
    func offer(_ index: Int, _ policy: NetworkPolicy, _ difference: NearMiss.Difference) {
      let miss = NearMiss(rule: .rule(index, of: policy, direction), difference: difference)
      if best.map({ miss.distance < $0.distance }) ?? true { best = miss }
    }
    let party = flow.peer(direction)
    for policy in policies {
      for (index, rule) in policy.rules(direction).enumerated() {
        guard portMatch(rule, flow).0 else {
          if peerMatch(rule, policy, flow, direction) == .yes {
            offer(index, policy, .port(rule.ports))
          }
          continue
        }
        for peer in rule.peers {
          if let difference = difference(peer, policyNamespace: policy.name.namespace, party) {
            offer(index, policy, difference)
          }
        }
      }
    }
    return best
  }

  /// What alone keeps `party` from matching `peer`.
  private func difference(_ peer: PolicyPeer, policyNamespace: String, _ party: Party) -> NearMiss
    .Difference?
  {
    switch peer {
    case .pods(let namespaces, let pods):
      if let pods,
        Semantics.matchesPods(
          namespaces: namespaces, pods: nil, policyNamespace: policyNamespace, party)
      {
        return .podLabels(pods)
      }
      let anywhere = LabelSelector()
      // Everything in other namespaces misses a selector for all pods: that is no near miss.
      guard let pods, !pods.isEmpty,
        Semantics.matchesPods(
          namespaces: anywhere, pods: pods, policyNamespace: policyNamespace, party)
      else { return nil }
      return .namespace(namespaces)
    case .block(let block):
      guard let address = party.address, block.cidr.contains(address) else { return nil }
      return block.except.first { $0.contains(address) }.map { .except($0) }
    }
  }

  // MARK: Admin tiers

  /// What a tier leaves open, and the rules that did so.
  private struct TierResult {
    var outcome: TierOutcome = .none
    var rules: [RuleReference] = []

    /// The judgement, when the tier decides whatever comes after it.
    var final: SideJudgement? {
      switch outcome {
      case .allow: SideJudgement(.yes, rules.last.map { .rule($0) } ?? .unknown([]))
      case .deny: SideJudgement(.no, rules.last.map { .rule($0) } ?? .unknown([]))
      case [.allow, .deny]: SideJudgement(.unknown, .unknown(rules))
      default: nil
      }
    }

    /// The judgement, given what the tiers after it say.
    func joined(with next: SideJudgement) -> SideJudgement {
      let allow = outcome.contains(.allow)
      let deny = outcome.contains(.deny)
      if !allow && !deny { return next }
      if allow && !deny && next.allowed == .yes { return next }
      if deny && !allow && next.allowed == .no { return next }
      return SideJudgement(.unknown, .unknown(rules))
    }
  }

  private func decide(_ groups: [[AdminPolicy]], _ flow: Flow, _ direction: PolicyDirection)
    -> TierResult
  {
    // Outcomes that were left open by groups before, which only possibly matched.
    var open = TierResult(outcome: [])
    for group in groups {
      var result = TierResult()
      for policy in group where Semantics.selects(policy.subject, flow.subject(direction)) {
        let single = decide(policy, flow, direction)
        if single.outcome == .none { continue }
        result.outcome = Semantics.combine(result.outcome, single.outcome)
        result.rules += single.rules
      }
      open.outcome.formUnion(result.outcome.subtracting(.none))
      open.rules += result.rules
      if !result.outcome.contains(.none) { return open }
    }
    open.outcome.formUnion(.none)
    return open
  }

  /// The first rule that matches decides; one that may match leaves its outcome open besides the later ones.
  private func decide(_ policy: AdminPolicy, _ flow: Flow, _ direction: PolicyDirection)
    -> TierResult
  {
    var result = TierResult(outcome: [])
    for (index, rule) in policy.rules(direction).enumerated() {
      var port: PolicyPort?
      if !Semantics.matchesAllPorts(rule) {
        let (matches, entry) = portMatch(rule.ports, flow)
        guard matches else { continue }
        port = entry
      }
      let match = matchesPeer(rule, flow.peer(direction))
      if match == .no { continue }
      result.outcome.formUnion(Semantics.outcome(of: rule.action))
      result.rules.append(.rule(index, of: policy, direction, port: port))
      if match == .yes { return result }
    }
    result.outcome.formUnion(.none)
    return result
  }

  /// Whether one of an admin rule's peers is this party.
  public func matchesPeer(_ rule: AdminRule, _ party: Party) -> Ternary {
    var result = Ternary.no
    for peer in rule.peers {
      switch peer {
      case .pods(let pods): result = result || Ternary(Semantics.matchesPods(pods, party))
      case .nodes(let selector): result = result || Semantics.matchesNodes(selector, party)
      case .networks(let networks):
        result = result || Semantics.matchesNetworks(networks, party, hasIPv6: cluster.hasIPv6)
      case .domainNames: result = result || Semantics.matchesDomainNames(party)
      }
    }
    return result
  }
}
