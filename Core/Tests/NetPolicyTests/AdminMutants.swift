import KubeModel
import NetTypes

@testable import NetPolicy

// Engines with one wrong rule of the admin tiers each.

/// Wrong: admin peers match host-network pods.
enum AdminSelectsHostNetworkPods: PolicySemantics {
  static func matchesPods(_ pods: NamespacedPods, _ party: Party) -> Bool {
    party.pod.map {
      pods.namespaces.matches(party.namespaceLabels) && (pods.pods?.matches($0.labels) ?? true)
    } ?? false
  }
}

/// Wrong: the pod selector of admin peers is ignored.
enum AdminPodSelectorIgnored: PolicySemantics {
  static func matchesPods(_ pods: NamespacedPods, _ party: Party) -> Bool {
    party.ownPod != nil && pods.namespaces.matches(party.namespaceLabels)
  }
}

/// Wrong: the namespace selector of admin peers is ignored.
enum AdminNamespaceSelectorIgnored: PolicySemantics {
  static func matchesPods(_ pods: NamespacedPods, _ party: Party) -> Bool {
    party.ownPod.map { pods.pods?.matches($0.labels) ?? true } ?? false
  }
}

/// Wrong: a nodes peer matches the pods on them.
enum NodesPeerMatchesPodsOnThem: PolicySemantics {
  static func matchesNodes(_ selector: LabelSelector, _ party: Party) -> Ternary {
    Ternary(party.node.map { selector.matches($0.labels) } ?? false)
  }
}

/// Wrong: a nodes peer's selector is ignored.
enum NodesPeerMatchesAllNodes: PolicySemantics {
  static func matchesNodes(_ selector: LabelSelector, _ party: Party) -> Ternary { Ternary(party.isHost) }
}

/// Wrong: a nodes peer matches nothing.
enum NodesPeerMatchesNothing: PolicySemantics {
  static func matchesNodes(_ selector: LabelSelector, _ party: Party) -> Ternary { .no }
}

/// Wrong: a nodes peer does not match a node whose labels are not known.
enum NodesPeerNeedsTheNode: PolicySemantics {
  static func matchesNodes(_ selector: LabelSelector, _ party: Party) -> Ternary {
    Ternary(party.isHost && (party.node.map { selector.matches($0.labels) } ?? false))
  }
}

/// Wrong: a networks peer does not match pods.
enum NetworksAreOutsideOnly: PolicySemantics {
  static func matchesNetworks(_ networks: [IPPrefix], _ party: Party, hasIPv6: Bool) -> Ternary {
    party.ownPod != nil
      ? .no : KubernetesSemantics.matchesNetworks(networks, party, hasIPv6: hasIPv6)
  }
}

/// Wrong: networks after the first are ignored.
enum FirstNetworkOnly: PolicySemantics {
  static func matchesNetworks(_ networks: [IPPrefix], _ party: Party, hasIPv6: Bool) -> Ternary {
    KubernetesSemantics.matchesNetworks(Array(networks.prefix(1)), party, hasIPv6: hasIPv6)
  }
}

/// Wrong: a domain name matches no address.
enum DomainNamesNeverMatch: PolicySemantics {
  static func matchesDomainNames(_ party: Party) -> Ternary { .no }
}

/// Wrong: a domain name matches every address outside.
enum DomainNamesAlwaysMatch: PolicySemantics {
  static func matchesDomainNames(_ party: Party) -> Ternary {
    party.pod == nil && !party.isHost ? .yes : .no
  }
}

/// Wrong: ports of admin rules are ignored.
enum AdminPortsIgnored: PolicySemantics {
  static func matchesAllPorts(_ rule: AdminRule) -> Bool { true }
}

/// Wrong: admin rules without ports match nothing.
enum AdminEmptyPortsMatchNothing: PolicySemantics {
  static func matchesAllPorts(_ rule: AdminRule) -> Bool { false }
}

/// Wrong: the largest priority number comes first.
enum HighestNumberFirst: PolicySemantics {
  static func tierOrder(_ policies: [AdminPolicy]) -> [[AdminPolicy]] {
    KubernetesSemantics.tierOrder(policies).reversed()
  }
}

/// Wrong: policies of equal priority have an order.
enum TiesBrokenByName: PolicySemantics {
  static func tierOrder(_ policies: [AdminPolicy]) -> [[AdminPolicy]] {
    KubernetesSemantics.tierOrder(policies).flatMap { $0.map { [$0] } }
  }
}

/// Wrong: all policies of a tier tie.
enum PriorityIgnored: PolicySemantics {
  static func tierOrder(_ policies: [AdminPolicy]) -> [[AdminPolicy]] {
    policies.isEmpty ? [] : [policies]
  }
}

/// Wrong: on a tie deny wins.
enum TieDeniesFirst: PolicySemantics {
  static func combine(_ a: TierOutcome, _ b: TierOutcome) -> TierOutcome {
    let both = KubernetesSemantics.combine(a, b)
    return both.contains(.deny) ? .deny : both
  }
}

/// Wrong: Pass allows.
enum PassAllows: PolicySemantics {
  static func outcome(of action: AdminRule.Action) -> TierOutcome {
    action == .deny ? .deny : .allow
  }
}

/// Wrong: Pass denies.
enum PassDenies: PolicySemantics {
  static func outcome(of action: AdminRule.Action) -> TierOutcome {
    action == .allow ? .allow : .deny
  }
}

/// Wrong: Pass lets later rules of the tier speak.
enum PassIsNoMatch: PolicySemantics {
  static func outcome(of action: AdminRule.Action) -> TierOutcome {
    action == .pass ? .none : KubernetesSemantics.outcome(of: action)
  }
}

/// Wrong: Allow is only a Pass.
enum AllowPasses: PolicySemantics {
  static func outcome(of action: AdminRule.Action) -> TierOutcome {
    action == .allow ? .pass : KubernetesSemantics.outcome(of: action)
  }
}

/// Wrong: the baseline speaks after NetworkPolicies too.
enum BaselineAlwaysSpeaks: PolicySemantics {
  static func usesBaseline(isolated: Bool) -> Bool { true }
}

/// Wrong: the baseline is ignored.
enum BaselineNeverSpeaks: PolicySemantics {
  static func usesBaseline(isolated: Bool) -> Bool { false }
}
