public import KubeModel
public import NetTypes

/// What the policies say to one flow.
public struct Judgement: Hashable, Sendable {
  public let egress: SideJudgement
  public let ingress: SideJudgement

  public init(egress: SideJudgement, ingress: SideJudgement) {
    self.egress = egress
    self.ingress = ingress
  }

  /// Both ends must let it through.
  public var allowed: Ternary { egress.allowed && ingress.allowed }

  public subscript(direction: PolicyDirection) -> SideJudgement {
    direction == .ingress ? ingress : egress
  }
}

/// What the policies of one end say.
public struct SideJudgement: Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    /// The end is no pod that policies select: outside, a node, a host-network pod.
    case notSelectable
    /// A pod speaks to itself.
    case itself
    /// The other end is the pod's own node.
    case ownNode
    /// No policy of this direction selects the pod.
    case notIsolated
    /// This rule decides.
    case rule(RuleReference)
    /// These policies select the pod, and no rule of theirs allows the flow.
    case isolated([NetworkPolicy], nearest: NearMiss?)
    /// These policies select the pod, and what they mean for the protocol is not defined.
    case undefinedProtocol([NetworkPolicy])
    /// The answer depends on something unknown: the rules that may or may not match, or that tie.
    case unknown([RuleReference])
  }

  public let allowed: Ternary
  public let reason: Reason

  public init(_ allowed: Ternary, _ reason: Reason) {
    self.allowed = allowed
    self.reason = reason
  }
}

/// One rule of a policy, and the place where it is written.
public struct RuleReference: Hashable, Sendable {
  public let kind: String
  /// Nil for a NetworkPolicy.
  public let tier: AdminPolicy.Tier?
  /// Empty for the admin tiers.
  public let namespace: String
  public let name: String
  public let direction: PolicyDirection
  /// From 0, as in `spec.ingress[0]`.
  public let index: Int
  /// The rule's own name, which only admin policies have.
  public let ruleName: String
  public let action: AdminRule.Action
  /// The entry of `ports` that matches; nil when the rule is for all ports.
  public let port: PolicyPort?
  public let origin: Origin

  /// `NetworkPolicy shop/web ingress[0]`.
  public var title: String {
    let object = namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)"
    let suffix = ruleName.isEmpty ? "" : " \"\(ruleName)\""
    return "\(object) \(direction)[\(index)]\(suffix)"
  }

  static func rule(
    _ index: Int, of policy: NetworkPolicy, _ direction: PolicyDirection, port: PolicyPort? = nil
  ) -> RuleReference {
    RuleReference(
      kind: "NetworkPolicy", tier: nil, namespace: policy.name.namespace, name: policy.name.name,
      direction: direction,
      index: index, ruleName: "", action: .allow, port: port,
      origin: policy.origin.at(line: policy.rules(direction)[index].line))
  }

  static func rule(
    _ index: Int, of policy: AdminPolicy, _ direction: PolicyDirection, port: PolicyPort? = nil
  ) -> RuleReference {
    let rule = policy.rules(direction)[index]
    return RuleReference(
      kind: policy.kind, tier: policy.tier, namespace: "", name: policy.name, direction: direction, index: index,
      ruleName: rule.name,
      action: rule.action, port: port, origin: policy.origin.at(line: rule.line))
  }
}

/// The rule that would have allowed a flow, had one thing been different.
public struct NearMiss: Hashable, Sendable {
  public enum Difference: Hashable, Sendable {
    /// The peer matches; these ports are allowed instead.
    case port([PolicyPort])
    /// The port matches and so does the namespace, but not the pod's labels.
    case podLabels(LabelSelector)
    /// The port matches and so does the pod, but not its namespace: it must be the policy's own when nil.
    case namespace(LabelSelector?)
    /// The port matches and the address lies in the block, but in an exception of it.
    case except(IPPrefix)
  }

  public let rule: RuleReference
  public let difference: Difference

  /// The smaller, the nearer.
  var distance: Int {
    switch difference {
    case .port: 0
    case .podLabels: 1
    case .namespace: 2
    case .except: 3
    }
  }
}
