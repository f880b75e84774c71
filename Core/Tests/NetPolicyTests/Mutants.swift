import KubeModel
import NetTypes

@testable import NetPolicy

// Engines with one wrong rule each. A test demands that every one of them is caught.

/// Wrong: a policy selects pods of every namespace.
enum PoliciesSelectAcrossNamespaces: PolicySemantics {
  static func candidates(_ policies: [String: [NetworkPolicy]], for pod: Pod) -> [NetworkPolicy] {
    policies.values.flatMap { $0 }
  }
}

/// Wrong: a policy selects all pods of its namespace.
enum PodSelectorIgnored: PolicySemantics {
  static func selects(_ policy: NetworkPolicy, _ pod: Pod) -> Bool { true }
}

/// Wrong: a selector without requirements selects nothing.
enum EmptySelectorSelectsNothing: PolicySemantics {
  static func matches(_ selector: LabelSelector, _ labels: Labels) -> Bool {
    !selector.isEmpty && selector.matches(labels)
  }
}

/// Wrong: one requirement of a selector is enough.
enum RequirementsAreAnOr: PolicySemantics {
  static func matches(_ selector: LabelSelector, _ labels: Labels) -> Bool {
    selector.isEmpty || selector.requirements.contains { $0.matches(labels) }
  }
}

/// Wrong: requirements after the first are ignored.
enum OnlyTheFirstRequirement: PolicySemantics {
  static func matches(_ selector: LabelSelector, _ labels: Labels) -> Bool {
    selector.requirements.first?.matches(labels) ?? true
  }
}

/// Wrong: NotIn fails on an absent key.
enum NotInNeedsTheKey: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .notIn
      ? labels[requirement.key].map { !requirement.values.contains($0) } ?? false
      : requirement.matches(labels)
  }
}

/// Wrong: In looks at its first value only.
enum InComparesFirstValue: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .isIn
      ? labels[requirement.key] == requirement.values.first : requirement.matches(labels)
  }
}

/// Wrong: NotIn looks at its first value only.
enum NotInComparesFirstValue: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .notIn
      ? labels[requirement.key] != requirement.values.first : requirement.matches(labels)
  }
}

/// Wrong: In holds for an absent key.
enum InHoldsForAbsentKey: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .isIn
      ? labels[requirement.key].map(requirement.values.contains) ?? true
      : requirement.matches(labels)
  }
}

/// Wrong: Exists holds for an absent key.
enum ExistsAlwaysHolds: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .exists ? true : requirement.matches(labels)
  }
}

/// Wrong: DoesNotExist is taken for Exists.
enum DoesNotExistIsExists: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .doesNotExist ? labels[requirement.key] != nil : requirement.matches(labels)
  }
}

/// Wrong: DoesNotExist always holds.
enum DoesNotExistIgnored: PolicySemantics {
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.op == .doesNotExist ? true : requirement.matches(labels)
  }
}

/// Wrong: policies select host-network pods.
enum HostNetworkPodsAreSelected: PolicySemantics {
  static func canBeSelected(_ party: Party) -> Bool { party.pod != nil }
}

/// Wrong: no pod is ever isolated.
enum NobodyIsSelected: PolicySemantics {
  static func canBeSelected(_ party: Party) -> Bool { false }
}

/// Wrong: policyTypes is ignored.
enum TypesAlwaysBoth: PolicySemantics {
  static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool { true }
}

/// Wrong: absent policyTypes never means egress.
enum AbsentTypesAreIngressOnly: PolicySemantics {
  static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    policy.policyTypes.isEmpty ? direction == .ingress : policy.policyTypes.contains(direction)
  }
}

/// Wrong: absent policyTypes always means egress too.
enum AbsentTypesAreBoth: PolicySemantics {
  static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    policy.policyTypes.isEmpty || policy.policyTypes.contains(direction)
  }
}

/// Wrong: absent policyTypes means ingress only with ingress rules.
enum AbsentTypesFollowRules: PolicySemantics {
  static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    policy.policyTypes.isEmpty
      ? !policy.rules(direction).isEmpty : policy.policyTypes.contains(direction)
  }
}

/// Wrong: a policy without rules does not isolate.
enum IsolationNeedsRules: PolicySemantics {
  static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    KubernetesSemantics.isolates(policy, direction) && !policy.rules(direction).isEmpty
  }
}

/// Wrong: empty from and to match nothing.
enum EmptyPeersMatchNobody: PolicySemantics {
  static func matchesAllPeers(_ rule: PolicyRule) -> Bool { false }
}

/// Wrong: peers are ignored.
enum EveryRuleMatchesAllPeers: PolicySemantics {
  static func matchesAllPeers(_ rule: PolicyRule) -> Bool { true }
}

/// Wrong: empty ports match nothing.
enum EmptyPortsMatchNothing: PolicySemantics {
  static func matchesAllPorts(_ rule: PolicyRule) -> Bool { false }
}

/// Wrong: ports are ignored.
enum EveryRuleMatchesAllPorts: PolicySemantics {
  static func matchesAllPorts(_ rule: PolicyRule) -> Bool { true }
}

/// Wrong: a rule allows what matches its peers or its ports.
enum PeersOrPorts: PolicySemantics {
  static func allows(peer: Ternary, port: Bool) -> Ternary { peer || Ternary(port) }
}

/// Wrong: podSelector and namespaceSelector in one peer are an OR.
enum SelectorsAreAnOr: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    if let namespaces, let pods {
      return KubernetesSemantics.matchesPods(
        namespaces: namespaces, pods: nil, policyNamespace: policyNamespace, party)
        || KubernetesSemantics.matchesPods(
          namespaces: LabelSelector(), pods: pods, policyNamespace: policyNamespace, party)
    }
    return KubernetesSemantics.matchesPods(
      namespaces: namespaces, pods: pods, policyNamespace: policyNamespace, party)
  }
}

/// Wrong: a podSelector alone selects in all namespaces.
enum PodSelectorPeerIsClusterWide: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    return KubernetesSemantics.matchesPods(
      namespaces: namespaces ?? LabelSelector(), pods: pods, policyNamespace: policyNamespace, party
    )
  }
}

/// Wrong: a namespaceSelector matches the policy's namespace only.
enum NamespaceSelectorStaysAtHome: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    return party.pod?.namespace == policyNamespace
      && KubernetesSemantics.matchesPods(
        namespaces: namespaces, pods: pods, policyNamespace: policyNamespace, party)
  }
}

/// Wrong: a namespaceSelector alone selects no pods.
enum AbsentPodSelectorMatchesNothing: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    return pods != nil
      && KubernetesSemantics.matchesPods(
        namespaces: namespaces, pods: pods, policyNamespace: policyNamespace, party)
  }
}

/// Wrong: an empty namespaceSelector means the policy's namespace.
enum EmptyNamespaceSelectorIsAbsent: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    return KubernetesSemantics.matchesPods(
      namespaces: namespaces?.isEmpty == true ? nil : namespaces, pods: pods,
      policyNamespace: policyNamespace, party)
  }
}

/// Wrong: selectors match host-network pods.
enum SelectorsMatchHostNetworkPods: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    guard let pod = party.pod else { return false }
    guard
      namespaces.map({ $0.matches(party.namespaceLabels) }) ?? (pod.namespace == policyNamespace)
    else { return false }
    return pods?.matches(pod.labels) ?? true
  }
}

/// Wrong: selectors match addresses outside too.
enum SelectorsMatchEverybody: PolicySemantics {
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    return party.pod == nil
      || KubernetesSemantics.matchesPods(
        namespaces: namespaces, pods: pods, policyNamespace: policyNamespace, party)
  }
}

/// Wrong: except is ignored.
enum ExceptIgnored: PolicySemantics {
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    block.cidr.contains(address)
  }
}

/// Wrong: exceptions after the first are ignored.
enum OnlyFirstExcept: PolicySemantics {
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    block.cidr.contains(address) && !(block.except.first?.contains(address) ?? false)
  }
}

/// Wrong: a block matches its own address only.
enum BlocksCompareExactly: PolicySemantics {
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    block.cidr.address == address
  }
}

/// Wrong: IPv6 blocks match nothing.
enum BlocksNeverMatchIPv6: PolicySemantics {
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    address.family == .v4 && KubernetesSemantics.contains(block, address)
  }
}

/// Wrong: 0.0.0.0/0 matches IPv6 too.
enum AnyV4BlockMatchesIPv6: PolicySemantics {
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    (block.cidr.length == 0 && block.except.isEmpty) || KubernetesSemantics.contains(block, address)
  }
}

/// Wrong: blocks are one bit too long.
enum OneBitLonger: PolicySemantics {
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    KubernetesSemantics.contains(block, address)
      && (IPPrefix(block.cidr.address, length: block.cidr.length + 1)?.contains(address) ?? true)
  }
}

/// Wrong: endPort is ignored.
enum EndPortIgnored: PolicySemantics {
  static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    let range = KubernetesSemantics.ports(port, proto, on: destination)
    if case .range(let low, _) = port.port { return range.map { _ in low...low } }
    return range
  }
}

/// Wrong: endPort itself is left out.
enum EndPortExcluded: PolicySemantics {
  static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    if case .range(let low, let high) = port.port, low < high {
      return KubernetesSemantics.ports(
        PolicyPort(port.proto, .range(low, high - 1)), proto, on: destination)
    }
    return KubernetesSemantics.ports(port, proto, on: destination)
  }
}

/// Wrong: the first port of a range is left out.
enum StartPortExcluded: PolicySemantics {
  static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    if case .range(let low, let high) = port.port, low < high {
      return KubernetesSemantics.ports(
        PolicyPort(port.proto, .range(low + 1, high)), proto, on: destination)
    }
    return KubernetesSemantics.ports(port, proto, on: destination)
  }
}

/// Wrong: protocols are ignored.
enum ProtocolIgnored: PolicySemantics {
  static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    return KubernetesSemantics.ports(PolicyPort(nil, port.port), proto, on: destination)
  }
}

/// Wrong: SCTP is taken for TCP.
enum SCTPIsTCP: PolicySemantics {
  static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    return KubernetesSemantics.ports(port, proto == .sctp ? .tcp : proto, on: destination)
  }
}

/// Wrong: a protocol without port matches nothing.
enum ProtocolOnlyMatchesNothing: PolicySemantics {
  static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    return port.port == .all ? nil : KubernetesSemantics.ports(port, proto, on: destination)
  }
}

/// Wrong: a named port is found by name alone.
enum NamedPortIgnoresProtocol: PolicySemantics {
  static func namedPort(_ name: String, _ proto: TrafficProtocol, on destination: Party) -> UInt16? {
    destination.ownPod?.template.ports.first { $0.name == name }?.port
  }
}

/// Wrong: the last container port of a name counts.
enum LastNamedPortWins: PolicySemantics {
  static func namedPort(_ name: String, _ proto: TrafficProtocol, on destination: Party) -> UInt16? {
    destination.ownPod?.template.ports.last { $0.name == name && $0.proto == proto }?.port
  }
}

/// Wrong: named ports of host-network pods count.
enum NamedPortsOfHostNetworkPods: PolicySemantics {
  static func namedPort(_ name: String, _ proto: TrafficProtocol, on destination: Party) -> UInt16? {
    destination.pod?.template.port(named: name, proto)
  }
}

/// Wrong: named ports match nothing.
enum NamedPortsNeverMatch: PolicySemantics {
  static func namedPort(_ name: String, _ proto: TrafficProtocol, on destination: Party) -> UInt16? { nil }
}

/// Wrong: a pod can be kept from itself.
enum PodsMayBlockThemselves: PolicySemantics {
  static func isItself(_ flow: Flow) -> Bool { false }
}

/// Wrong: pods of one namespace are one.
enum SameNameIsItself: PolicySemantics {
  static func isItself(_ flow: Flow) -> Bool {
    flow.source.ownPod != nil && flow.source.ownPod?.namespace == flow.destination.ownPod?.namespace
  }
}

/// Wrong: the own node can be blocked.
enum OwnNodeMayBeBlocked: PolicySemantics {
  static func isOwnNode(_ flow: Flow, _ direction: PolicyDirection) -> Ternary { .no }
}

/// Wrong: every node is allowed.
enum EveryNodeIsTheOwnNode: PolicySemantics {
  static func isOwnNode(_ flow: Flow, _ direction: PolicyDirection) -> Ternary {
    Ternary(flow.peer(direction).isHost)
  }
}

/// Wrong: only traffic from the own node is allowed, not to it.
enum OwnNodeIngressOnly: PolicySemantics {
  static func isOwnNode(_ flow: Flow, _ direction: PolicyDirection) -> Ternary {
    direction == .egress ? .no : KubernetesSemantics.isOwnNode(flow, direction)
  }
}

/// Wrong: a pod without a node is on another node.
enum UnknownNodeIsAnother: PolicySemantics {
  static func isOwnNode(_ flow: Flow, _ direction: PolicyDirection) -> Ternary {
    KubernetesSemantics.isOwnNode(flow, direction) == .yes ? .yes : .no
  }
}

/// Wrong: ICMP follows the rules for ports.
enum ICMPIsDefined: PolicySemantics {
  static func isDefined(for proto: TrafficProtocol) -> Bool { true }
}
