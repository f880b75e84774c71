public import KubeModel
import NetPolicy
import NetTypes

/// All that network policies say about one pair: every policy that selects either end, and every rule of it.
public struct PolicyExplanation: Sendable {
  public struct Rule: Sendable {
    public let title: String
    public let place: String
    public let action: String
    /// Whether the other end is one of the rule's peers: yes, no or unknown.
    public let peer: String
    /// The ports that the rule is for: `all`, or its entries.
    public let ports: String
  }

  public struct Policy: Sendable {
    public let title: String
    public let place: String
    public let rules: [Rule]
  }

  public struct Side: Sendable {
    public let direction: PolicyDirection
    public let subject: String
    /// The subject's labels, as `KEY=VALUE`.
    public let labels: [String]
    public let isolated: Bool
    public let policies: [Policy]
  }

  public struct Pair: Sendable {
    public let source: String
    public let destination: String
    /// What the source can reach of the destination, as `TCP 80,443`.
    public let reach: String
    public let sides: [Side]
  }

  public let pairs: [Pair]
}

extension Diagnoser {
  /// Explains every pair of pods that the two references stand for; a Service stands for its pods.
  public func explain(_ source: EndReference, _ destination: EndReference) throws(NotFound) -> PolicyExplanation {
    var pairs: [PolicyExplanation.Pair] = []
    let targets = try sources(destination)
    for from in try sources(source) {
      for to in targets {
        guard let a = from.parties.first, let first = to.parties.first else { continue }
        let b = anotherReplica(of: a, to.parties.first { $0.address?.family == a.address?.family } ?? first)
        pairs.append(explain(a, b))
      }
    }
    return PolicyExplanation(pairs: pairs)
  }

  private func explain(_ source: Party, _ destination: Party) -> PolicyExplanation.Pair {
    let reaches = Reach.protocols.map { engine.reach(from: source, to: destination, $0) }
    return PolicyExplanation.Pair(
      source: source.title, destination: destination.title,
      reach: Reach(tcp: reaches[0], udp: reaches[1], sctp: reaches[2]).description,
      sides: [side(source, destination, .egress), side(destination, source, .ingress)])
  }

  private func side(_ subject: Party, _ peer: Party, _ direction: PolicyDirection) -> PolicyExplanation.Side {
    let policies = subject.ownPod.map { engine.isolating($0, direction) } ?? []
    let selecting = engine.selecting(subject).filter { !$0.rules(direction).isEmpty }
    func tier(_ tier: AdminPolicy.Tier) -> [PolicyExplanation.Policy] {
      selecting.filter { $0.tier == tier }.map { explain($0, peer, direction) }
    }
    return PolicyExplanation.Side(
      direction: direction, subject: subject.title,
      labels: subject.ownPod?.labels.pairs.map { "\($0.key)=\($0.value)" } ?? [], isolated: !policies.isEmpty,
      policies: tier(.admin) + policies.map { explain($0, peer, direction) } + tier(.baseline))
  }

  private func explain(
    _ policy: NetworkPolicy, _ peer: Party, _ direction: PolicyDirection
  ) -> PolicyExplanation.Policy {
    let rules = policy.rules(direction).enumerated().map { index, rule in
      PolicyExplanation.Rule(
        title: "\(direction)[\(index)]", place: cluster.place(policy.origin.at(line: rule.line)), action: "allow",
        peer: Self.text(engine.matchesPeer(rule, policy, peer)), ports: Self.text(rule.ports))
    }
    return PolicyExplanation.Policy(
      title: "NetworkPolicy \(policy.name)", place: cluster.place(policy.origin), rules: rules)
  }

  private func explain(_ policy: AdminPolicy, _ peer: Party, _ direction: PolicyDirection) -> PolicyExplanation.Policy {
    let rules = policy.rules(direction).enumerated().map { index, rule in
      PolicyExplanation.Rule(
        title: "\(direction)[\(index)]\(rule.name.isEmpty ? "" : " \"\(rule.name)\"")",
        place: cluster.place(policy.origin.at(line: rule.line)), action: rule.action.rawValue.lowercased(),
        peer: Self.text(engine.matchesPeer(rule, peer)), ports: Self.text(rule.ports))
    }
    let tier = policy.tier == .admin ? "admin tier" : "baseline tier"
    return PolicyExplanation.Policy(
      title: "\(policy.kind) \(policy.name) (\(tier), priority \(policy.priority))",
      place: cluster.place(policy.origin),
      rules: rules)
  }

  private static func text(_ answer: Ternary) -> String {
    switch answer {
    case .yes: "yes"
    case .no: "no"
    case .unknown: "unknown"
    }
  }

  private static func text(_ ports: [PolicyPort]) -> String {
    ports.isEmpty ? "all" : ports.map(\.description).joined(separator: ", ")
  }
}

extension PolicyExplanation {
  public var text: String {
    var lines: [String] = []
    for pair in pairs {
      lines.append("\(pair.source) → \(pair.destination): \(pair.reach)")
      for side in pair.sides {
        let labels = side.labels.isEmpty ? "" : " [\(side.labels.joined(separator: ", "))]"
        let state =
          side.policies.isEmpty ? "no policy selects it" : side.isolated ? "isolated" : "no NetworkPolicy selects it"
        lines.append("  \(side.direction) of \(side.subject)\(labels): \(state)")
        for policy in side.policies {
          lines.append("    \(policy.title)  (\(policy.place))")
          if policy.rules.isEmpty { lines.append("      no \(side.direction) rules: allows nothing") }
          for rule in policy.rules {
            let mark = rule.peer == "yes" ? "✓" : rule.peer == "no" ? "✗" : "?"
            lines.append(
              "      \(mark) \(rule.title) \(rule.action) \(rule.ports); peer matches: \(rule.peer)  (\(rule.place))")
          }
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The document of docs/reference/policy-explanation.schema.json.
  public var json: JSONValue {
    .object([
      ("version", .number(1)),
      (
        "pairs",
        .array(
          pairs.map { pair in
            .object([
              ("src", .string(pair.source)), ("dst", .string(pair.destination)), ("reach", .string(pair.reach)),
              ("sides", .array(pair.sides.map(\.json))),
            ])
          })
      ),
    ])
  }
}

extension PolicyExplanation.Side {
  var json: JSONValue {
    .object([
      ("direction", .string(direction.description)), ("subject", .string(subject)),
      ("labels", .array(labels.map { .string($0) })), ("isolated", .bool(isolated)),
      (
        "policies",
        .array(
          policies.map { policy in
            .object([
              ("title", .string(policy.title)), ("place", .string(policy.place)),
              (
                "rules",
                .array(
                  policy.rules.map { rule in
                    .object([
                      ("title", .string(rule.title)), ("place", .string(rule.place)),
                      ("action", .string(rule.action)), ("peer", .string(rule.peer)), ("ports", .string(rule.ports)),
                    ])
                  })
              ),
            ])
          })
      ),
    ])
  }
}
