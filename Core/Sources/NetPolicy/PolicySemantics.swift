public import KubeModel
public import NetTypes

/// The single rules that make up the meaning of network policies, one function each. The engine asks nothing but these
/// and decides only in what order.
///
/// The defaults are Kubernetes' rules; `KubernetesSemantics` takes them all. Tests put a wrong rule in place of one
/// of them to prove that they would notice. Being static requirements of a generic parameter they cost nothing.
/// Sources: the API documentation of networking.k8s.io/v1 NetworkPolicy and the page "Network Policies" of
/// Kubernetes 1.34; of policy.networking.k8s.io v1alpha1 and v1alpha2.
public protocol PolicySemantics: Sendable {
  // Selectors
  static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool
  static func matches(_ selector: LabelSelector, _ labels: Labels) -> Bool

  // NetworkPolicy: who is selected, and what that does
  static func canBeSelected(_ party: Party) -> Bool
  static func candidates(_ policies: [String: [NetworkPolicy]], for pod: Pod) -> [NetworkPolicy]
  static func selects(_ policy: NetworkPolicy, _ pod: Pod) -> Bool
  static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool

  // NetworkPolicy: rules
  static func matchesAllPeers(_ rule: PolicyRule) -> Bool
  static func matchesAllPorts(_ rule: PolicyRule) -> Bool
  static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool
  static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool
  static func contains(_ block: IPBlock, unknownAddressOf party: Party, hasIPv6: Bool) -> Ternary
  static func allows(peer: Ternary, port: Bool) -> Ternary

  // Ports
  static func ports(_ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party)
    -> ClosedRange<UInt16>?
  static func namedPort(_ name: String, _ proto: TrafficProtocol, on destination: Party) -> UInt16?

  // What policies cannot change
  static func isItself(_ flow: Flow) -> Bool
  static func isOwnNode(_ flow: Flow, _ direction: PolicyDirection) -> Ternary
  static func isDefined(for proto: TrafficProtocol) -> Bool

  // Admin tiers
  static func selects(_ subject: NamespacedPods, _ party: Party) -> Bool
  static func matchesPods(_ pods: NamespacedPods, _ party: Party) -> Bool
  static func matchesNodes(_ selector: LabelSelector, _ party: Party) -> Ternary
  static func matchesNetworks(_ networks: [IPPrefix], _ party: Party, hasIPv6: Bool) -> Ternary
  static func matchesDomainNames(_ party: Party) -> Ternary
  static func matchesAllPorts(_ rule: AdminRule) -> Bool
  static func tierOrder(_ policies: [AdminPolicy]) -> [[AdminPolicy]]
  static func outcome(of action: AdminRule.Action) -> TierOutcome
  static func combine(_ a: TierOutcome, _ b: TierOutcome) -> TierOutcome
  static func usesBaseline(isolated: Bool) -> Bool
}

/// What a tier may decide: a set, since an unknown match or a tie of priorities leaves more than one outcome open.
public struct TierOutcome: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let allow = TierOutcome(rawValue: 1)
  public static let deny = TierOutcome(rawValue: 2)
  /// A `Pass` rule: this tier says no more.
  public static let pass = TierOutcome(rawValue: 4)
  /// No rule matched.
  public static let none = TierOutcome(rawValue: 8)
}

/// The rules as Kubernetes documents them.
public enum KubernetesSemantics: PolicySemantics {}

extension PolicySemantics {
  /// `NotIn` and `DoesNotExist` hold where the key is absent.
  public static func matches(_ requirement: LabelSelector.Requirement, _ labels: Labels) -> Bool {
    requirement.matches(labels)
  }

  /// All requirements must hold; a selector without any selects everything.
  public static func matches(_ selector: LabelSelector, _ labels: Labels) -> Bool {
    selector.requirements.allSatisfy { matches($0, labels) }
  }

  /// Pods on the host's network are treated as the node: no policy selects them.
  public static func canBeSelected(_ party: Party) -> Bool { party.pod != nil && !party.isHost }

  /// A policy selects pods of its own namespace; `policies` holds them by namespace.
  public static func candidates(_ policies: [String: [NetworkPolicy]], for pod: Pod) -> [NetworkPolicy] {
    policies[pod.namespace] ?? []
  }

  public static func selects(_ policy: NetworkPolicy, _ pod: Pod) -> Bool { matches(policy.podSelector, pod.labels) }

  /// Without policyTypes a policy is for ingress, and for egress too when it has an egress rule (SetDefaults in
  /// pkg/apis/networking/v1/defaults.go).
  public static func isolates(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    if !policy.policyTypes.isEmpty { return policy.policyTypes.contains(direction) }
    return direction == .ingress || !policy.egress.isEmpty
  }

  /// Empty or absent `from` and `to` match every source and destination.
  public static func matchesAllPeers(_ rule: PolicyRule) -> Bool { rule.peers.isEmpty }

  /// Empty or absent `ports` match every port of every protocol.
  public static func matchesAllPorts(_ rule: PolicyRule) -> Bool { rule.ports.isEmpty }

  /// Both selectors must match; without a namespace selector the policy's namespace is meant, without a pod selector
  /// every pod.
  public static func matchesPods(
    namespaces: LabelSelector?, pods: LabelSelector?, policyNamespace: String, _ party: Party
  ) -> Bool {
    guard let pod = party.ownPod else { return false }
    if let namespaces {
      guard matches(namespaces, party.namespaceLabels) else { return false }
    } else if pod.namespace != policyNamespace {
      return false
    }
    return pods.map { matches($0, pod.labels) } ?? true
  }

  /// In the block and in none of its exceptions. This holds for addresses of pods and nodes as well.
  public static func contains(_ block: IPBlock, _ address: IPAddress) -> Bool {
    block.cidr.contains(address) && !block.except.contains { $0.contains(address) }
  }

  /// An address that nobody knows yet is IPv4 in a cluster that shows no IPv6; more cannot be said.
  public static func contains(_ block: IPBlock, unknownAddressOf party: Party, hasIPv6: Bool)
    -> Ternary
  {
    if hasIPv6 { return .unknown }
    if block.cidr.address.family == .v6 { return .no }
    return block.cidr.length == 0 && block.except.isEmpty ? .yes : .unknown
  }

  /// A rule allows what matches one of its peers and one of its ports.
  public static func allows(peer: Ternary, port: Bool) -> Ternary { port ? peer : .no }

  /// The port numbers that an entry of `ports` stands for at this destination, nil for none. `endPort` is included.
  public static func ports(
    _ port: PolicyPort, _ proto: TrafficProtocol, on destination: Party
  ) -> ClosedRange<UInt16>? {
    guard proto != .icmp, port.proto == nil || port.proto == proto else { return nil }
    switch port.port {
    case .all: return 0...UInt16.max
    case .range(let low, let high): return low <= high ? low...high : nil
    case .named(let name): return namedPort(name, proto, on: destination).map { $0...$0 }
    }
  }

  /// A name means whatever port the destination pod gives that name to, for this protocol.
  public static func namedPort(_ name: String, _ proto: TrafficProtocol, on destination: Party)
    -> UInt16?
  {
    destination.ownPod?.template.port(named: name, proto)
  }

  /// "A Pod cannot block access to itself".
  public static func isItself(_ flow: Flow) -> Bool {
    guard let source = flow.source.ownPod, let destination = flow.destination.ownPod else {
      return false
    }
    return source.name == destination.name
  }

  /// "Traffic to and from the node where a Pod is running is always allowed".
  public static func isOwnNode(_ flow: Flow, _ direction: PolicyDirection) -> Ternary {
    let peer = flow.peer(direction)
    guard peer.isHost, let pod = flow.subject(direction).ownPod else { return .no }
    guard let peerNode = peer.nodeName, let podNode = pod.nodeName else { return .unknown }
    return Ternary(peerNode == podNode)
  }

  /// "NetworkPolicies are defined for TCP, UDP and SCTP; for other protocols the behaviour may vary".
  public static func isDefined(for proto: TrafficProtocol) -> Bool { proto != .icmp }

  /// Host-network pods are not included in subject selection.
  public static func selects(_ subject: NamespacedPods, _ party: Party) -> Bool {
    matchesPods(subject, party)
  }

  public static func matchesPods(_ pods: NamespacedPods, _ party: Party) -> Bool {
    guard let pod = party.ownPod else { return false }
    return matches(pods.namespaces, party.namespaceLabels)
      && (pods.pods.map { matches($0, pod.labels) } ?? true)
  }

  /// Matches the node's addresses, so also the host-network pods behind them. The labels of a node that the cluster
  /// does not have are not known.
  public static func matchesNodes(_ selector: LabelSelector, _ party: Party) -> Ternary {
    guard party.isHost else { return .no }
    if let node = party.node { return Ternary(matches(selector, node.labels)) }
    return selector.isEmpty ? .yes : .unknown
  }

  /// "Cluster-internal traffic will be checked against the rule as well".
  public static func matchesNetworks(_ networks: [IPPrefix], _ party: Party, hasIPv6: Bool)
    -> Ternary
  {
    var result = Ternary.no
    for network in networks {
      let block = IPBlock(network)
      result =
        result
        || (party.address.map { Ternary(contains(block, $0)) }
          ?? contains(block, unknownAddressOf: party, hasIPv6: hasIPv6))
    }
    return result
  }

  /// Which addresses a name has is not in any manifest; that pods and nodes are meant is not expected.
  public static func matchesDomainNames(_ party: Party) -> Ternary {
    party.pod == nil && !party.isHost ? .unknown : .no
  }

  public static func matchesAllPorts(_ rule: AdminRule) -> Bool { rule.ports.isEmpty }

  /// Groups of equal priority, the smallest number first.
  public static func tierOrder(_ policies: [AdminPolicy]) -> [[AdminPolicy]] {
    var groups: [[AdminPolicy]] = []
    for policy in policies.sorted(by: { $0.priority < $1.priority }) {
      if let last = groups.last?.last, last.priority == policy.priority {
        groups[groups.count - 1].append(policy)
      } else {
        groups.append([policy])
      }
    }
    return groups
  }

  public static func outcome(of action: AdminRule.Action) -> TierOutcome {
    switch action {
    case .allow: .allow
    case .deny: .deny
    case .pass: .pass
    }
  }

  /// Policies of equal priority: an implementation may apply any of those that match.
  public static func combine(_ a: TierOutcome, _ b: TierOutcome) -> TierOutcome {
    if a.contains(.none), b.contains(.none) { return a.union(b) }
    return a.union(b).subtracting(.none)
  }

  /// The baseline speaks only where no NetworkPolicy selects the pod in this direction.
  public static func usesBaseline(isolated: Bool) -> Bool { !isolated }
}
