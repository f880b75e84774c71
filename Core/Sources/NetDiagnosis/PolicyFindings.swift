import KubeModel
import NetPolicy
import NetTypes

// What the judgement of one end is called in steps and findings.

extension Cluster {
  func evidence(_ policy: NetworkPolicy) -> Evidence { evidence("NetworkPolicy \(policy.name)", policy.origin) }

  func evidence(_ rule: RuleReference) -> Evidence { evidence(rule.title, rule.origin) }

  /// One line on what one end's policies say.
  func step(_ side: SideJudgement, _ direction: PolicyDirection, _ flow: Flow) -> Step {
    let subject = flow.subject(direction)
    switch side.reason {
    case .notSelectable:
      return Step(.passed, "\(direction): no policy applies to \(subject.title)")
    case .itself:
      return Step(.passed, "\(direction): a pod always reaches itself")
    case .ownNode:
      return Step(.passed, "\(direction): a pod and its own node always reach each other")
    case .notIsolated:
      return Step(.passed, "\(direction): no policy selects \(subject.title)")
    case .rule(let rule):
      let port = rule.port.map { ", \($0)" } ?? ""
      let verb = side.allowed == .yes ? "allowed" : "denied"
      return Step(
        side.allowed == .yes ? .passed : .blocked, "\(direction): \(verb) by \(rule.title)\(port)",
        place: place(rule.origin))
    case .isolated(let policies, let nearest):
      let names = policies.map { "NetworkPolicy \($0.name)" }.joined(separator: ", ")
      return Step(
        .blocked, "\(direction): denied, no rule of \(names) allows it",
        place: place(nearest?.rule.origin ?? policies[0].origin))
    case .undefinedProtocol(let policies):
      return Step(
        .unknown, "\(direction): what NetworkPolicy \(policies[0].name) means for \(flow.proto) is not defined",
        place: place(policies[0].origin))
    case .unknown(let rules):
      let names = rules.map(\.title).joined(separator: ", ")
      return Step(
        .unknown, "\(direction): depends on \(names.isEmpty ? "which node the pod runs on" : names)",
        place: rules.first.map { place($0.origin) })
    }
  }

  /// The finding, when one end does not plainly let the flow through.
  func finding(_ side: SideJudgement, _ direction: PolicyDirection, _ flow: Flow) -> Finding? {
    let subject = flow.subject(direction).title
    switch side.reason {
    case .notSelectable, .itself, .ownNode, .notIsolated:
      return nil
    case .rule(let rule):
      return side.allowed == .yes ? nil : denied(by: rule, direction, flow)
    case .isolated(let policies, let nearest):
      return denied(policies, nearest, direction, flow)
    case .undefinedProtocol(let policies):
      return Finding(
        .policyProtocolUndefined, title: "network policy is not defined for \(flow.proto)",
        detail: "\(subject) is isolated for \(direction), which is only guaranteed to mean something for TCP, UDP and "
          + "SCTP. Whether \(flow.proto) passes depends on the network plugin.",
        evidence: policies.map(evidence), remedy: "Ask about the port that the application uses.")
    case .unknown(let rules):
      return Finding(
        .policyUndecided, title: "the policies of \(subject) do not give one answer for \(direction)",
        detail: rules.isEmpty
          ? "Traffic between a pod and its own node is always allowed, and it is not known which node \(subject) or "
            + "the other end is on."
          : "Whether these rules match \(Self.describe(flow)), or which of them comes first, is not known: an address is missing "
            + "from the manifests, a domain name may stand for any address, or priorities are equal.",
        evidence: rules.map(evidence),
        remedy: "Give the addresses or nodes of the pods (a dump of the running cluster has them), or make the rules "
          + "independent of them.")
    }
  }

  private func denied(by rule: RuleReference, _ direction: PolicyDirection, _ flow: Flow) -> Finding {
    let subject = flow.subject(direction).title
    let isBaseline = rule.tier == .baseline
    return Finding(
      direction == .ingress ? .policyIngressDenied : .policyEgressDenied,
      title: "\(rule.title) denies \(direction) \(direction == .ingress ? "to" : "from") \(subject)",
      detail: "The rule matches \(Self.describe(flow)), and "
        + (isBaseline
          ? "no NetworkPolicy selects \(subject) for \(direction) and would speak in its place."
          : "decides before any NetworkPolicy that might allow it."),
      evidence: [evidence(rule)],
      remedy: isBaseline
        ? "Select \(subject) by a NetworkPolicy that allows this: the baseline then says nothing."
        : "Ask the cluster's administrator for a rule that allows it before this one, or for a narrower one.")
  }

  static func describe(_ flow: Flow) -> String {
    let port = flow.port.map { "\(flow.proto) port \($0)" } ?? "\(flow.proto)"
    let address = flow.source.pod == nil && flow.source.node == nil ? "" : flow.source.address.map { " (\($0))" } ?? ""
    return "\(port) from \(flow.source.title)\(address) to \(flow.destination.title)"
  }

  private func denied(
    _ policies: [NetworkPolicy], _ nearest: NearMiss?, _ direction: PolicyDirection, _ flow: Flow
  ) -> Finding {
    let subject = flow.subject(direction).title
    let peer = flow.peer(direction)
    let names = policies.map { "\($0.name)" }.joined(separator: ", ")
    var detail =
      "\(subject) is isolated for \(direction) by NetworkPolicy \(names), and no rule allows \(Self.describe(flow))."
    var remedy =
      "Add a rule to \(policies[0].name), or a policy beside it, that allows \(direction) "
      + "\(direction == .ingress ? "from" : "to") \(peer.title)\(flow.port.map { " on \(flow.proto) \($0)" } ?? "")."
    var evidence = policies.map(self.evidence)
    if let nearest {
      evidence.insert(self.evidence(nearest.rule), at: 0)
      let (difference, change) = explain(nearest, peer, flow)
      detail += " \(nearest.rule.title) comes nearest: \(difference)"
      remedy = change
    }
    return Finding(
      direction == .ingress ? .policyIngressDenied : .policyEgressDenied,
      title: "NetworkPolicy denies \(direction) \(direction == .ingress ? "to" : "from") \(subject)",
      detail: detail, evidence: evidence, remedy: remedy)
  }

  private func explain(_ miss: NearMiss, _ peer: Party, _ flow: Flow) -> (difference: String, remedy: String) {
    let rule = miss.rule.title
    switch miss.difference {
    case .port(let ports):
      let offered = ports.map(\.description).joined(separator: ", ")
      let missing = ports.compactMap { port -> String? in
        guard case .named(let name) = port.port, let pod = flow.destination.pod, let proto = port.proto,
          pod.template.port(named: name, proto) == nil
        else { return nil }
        return name
      }
      if let name = missing.first {
        return (
          "it would allow but for the port, and \(flow.destination.title) declares no port named \"\(name)\".",
          "Name the container's port \"\(name)\", or put its number into \(rule)."
        )
      }
      let wanted = flow.port.map { "\(flow.proto) \($0)" } ?? "\(flow.proto)"
      return ("it would allow but for the port, it has \(offered).", "Add \(wanted) to the ports of \(rule).")
    case .podLabels(let selector):
      return (
        "its podSelector asks for \(selector), which the labels of \(peer.title) do not match.",
        "Correct the podSelector of \(rule), or the labels of \(peer.title)."
      )
    case .namespace(let selector?):
      return (
        "its podSelector matches, but its namespaceSelector asks for \(selector), which namespace "
          + "\(peer.pod?.namespace ?? "") does not match.",
        "Correct the namespaceSelector of \(rule), or the labels of namespace \(peer.pod?.namespace ?? "")."
      )
    case .namespace(nil):
      return (
        "its podSelector matches, but without a namespaceSelector it is for pods of namespace "
          + "\(miss.rule.namespace) only.",
        "Add a namespaceSelector that selects namespace \(peer.pod?.namespace ?? "") to the peer in \(rule)."
      )
    case .except(let hole):
      return (
        "its ipBlock contains \(peer.address?.description ?? ""), but its exception \(hole) does too.",
        "Narrow the exception \(hole) in \(rule)."
      )
    }
  }
}
