import KubeModel
import NetPolicy
import NetTypes

/// A second evaluator, written from the API documentation alone, with no regard for speed or for explaining. It shares
/// the data types with the engine, and nothing else: not even the matching of labels or address blocks.
///
/// It returns every outcome that the documentation permits: one in nearly all cases, both where the documentation
/// leaves the choice to the implementation.
struct NaiveEvaluator {
  let cluster: Cluster

  func outcomes(_ flow: Flow) -> Set<Bool> {
    // "A Pod cannot block access to itself."
    if let a = flow.source.pod, let b = flow.destination.pod, !a.hostNetwork, !b.hostNetwork,
      a.name == b.name
    {
      return [true]
    }
    var result: Set<Bool> = []
    for leaving in egressOutcomes(flow) {
      for arriving in ingressOutcomes(flow) { result.insert(leaving && arriving) }
    }
    return result
  }

  private func egressOutcomes(_ flow: Flow) -> Set<Bool> {
    guard let pod = flow.source.pod, !pod.hostNetwork else { return [true] }
    return outcomes(flow, pod, flow.destination, .egress)
  }

  private func ingressOutcomes(_ flow: Flow) -> Set<Bool> {
    guard let pod = flow.destination.pod, !pod.hostNetwork else { return [true] }
    return outcomes(flow, pod, flow.source, .ingress)
  }

  private func outcomes(_ flow: Flow, _ pod: Pod, _ other: Party, _ direction: PolicyDirection)
    -> Set<Bool>
  {
    var result: Set<Bool> = []
    for guess in guesses(other) {
      for admin in tier(.admin, flow, pod, other, direction, guess) {
        if admin == .allow || admin == .deny {
          result.insert(admin == .allow)
          continue
        }
        let selecting = (cluster.policies[pod.namespace] ?? []).filter { policy in
          hasType(policy, direction) && selects(policy.podSelector, pod.labels)
        }
        if !selecting.isEmpty {
          result.formUnion(networkPolicyOutcomes(selecting, flow, pod, other, direction))
          continue
        }
        for last in tier(.baseline, flow, pod, other, direction, guess) {
          result.insert(last != .deny)
        }
      }
    }
    return result
  }

  // "policyTypes: ... If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and
  // Egress will be set if the NetworkPolicy has any egress rules."
  private func hasType(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    var types = policy.policyTypes
    if types.isEmpty {
      types = [.ingress]
      if policy.egress.count > 0 { types.append(.egress) }
    }
    return types.contains(direction)
  }

  private func networkPolicyOutcomes(
    _ policies: [NetworkPolicy], _ flow: Flow, _ pod: Pod, _ other: Party,
    _ direction: PolicyDirection
  ) -> Set<Bool> {
    // "traffic to and from the node where a Pod is running is always allowed"
    let otherIsHost = other.pod == nil ? other.node != nil : other.pod!.hostNetwork
    if otherIsHost {
      if let a = other.nodeName, let b = pod.nodeName {
        if a == b { return [true] }
      } else {
        // The node may or may not be the same.
        var result: Set<Bool> = [true]
        if flow.proto != .icmp {
          result.insert(anyRule(policies, flow, other, direction))
        } else {
          result.insert(false)
        }
        return result
      }
    }
    // Only TCP, UDP and SCTP are defined.
    if flow.proto == .icmp { return [true, false] }
    return [anyRule(policies, flow, other, direction)]
  }

  private func anyRule(
    _ policies: [NetworkPolicy], _ flow: Flow, _ other: Party, _ direction: PolicyDirection
  ) -> Bool {
    for policy in policies {
      let rules = direction == .ingress ? policy.ingress : policy.egress
      for rule in rules {
        var peerOK = rule.peers.count == 0
        for peer in rule.peers {
          if peerMatches(peer, policy, other) { peerOK = true }
        }
        var portOK = rule.ports.count == 0
        for port in rule.ports {
          if portMatches(port, flow) { portOK = true }
        }
        if peerOK && portOK { return true }
      }
    }
    return false
  }

  private func peerMatches(_ peer: PolicyPeer, _ policy: NetworkPolicy, _ other: Party) -> Bool {
    switch peer {
    case .block(let block):
      guard let address = other.address else { return false }
      if !inside(block.cidr, address) { return false }
      for hole in block.except where inside(hole, address) { return false }
      return true
    case .pods(let namespaces, let pods):
      // Host-network pods are not matched by selectors.
      guard let pod = other.pod, !pod.hostNetwork else { return false }
      if namespaces == nil && pods == nil { return false }
      if namespaces != nil {
        let labels = cluster.namespaces[pod.namespace]!.labels
        if !selects(namespaces!, labels) { return false }
      } else {
        if pod.namespace != policy.name.namespace { return false }
      }
      if pods != nil { return selects(pods!, pod.labels) }
      return true
    }
  }

  private func portMatches(_ entry: PolicyPort, _ flow: Flow) -> Bool {
    guard let number = flow.port, flow.proto != .icmp else { return false }
    if entry.proto != nil && entry.proto! != flow.proto { return false }
    switch entry.port {
    case .all: return true
    case .range(let low, let high): return Int(number) >= Int(low) && Int(number) <= Int(high)
    case .named(let name):
      guard let pod = flow.destination.pod, !pod.hostNetwork else { return false }
      // The first container port of that name and protocol.
      for port in pod.template.ports where port.name == name && port.proto == flow.proto {
        return port.port == number
      }
      return false
    }
  }

  // MARK: Admin tiers

  /// What a cluster does not say, and an admin rule may depend on.
  private struct Guess {
    /// Whether a domain name of a rule means the address.
    let domainMatches: Bool
    /// The labels of the other end's node.
    let nodeLabels: Labels
  }

  private func guesses(_ other: Party) -> [Guess] {
    var nodes = [other.node?.labels ?? Labels()]
    if Self.isUnknownNode(other) { nodes = RandomCluster.possibleLabels }
    return nodes.flatMap { labels in [false, true].map { Guess(domainMatches: $0, nodeLabels: labels) } }
  }

  /// A host-network pod on a node that the cluster does not have.
  static func isUnknownNode(_ party: Party) -> Bool { party.node == nil && party.pod?.hostNetwork == true }

  private enum Action: Hashable { case allow, deny, pass, none }

  private func tier(
    _ tier: AdminPolicy.Tier, _ flow: Flow, _ pod: Pod, _ other: Party,
    _ direction: PolicyDirection, _ guess: Guess
  ) -> Set<Action> {
    for priority in Set(cluster.adminPolicies.map(\.priority)).sorted() {
      var actions: Set<Action> = []
      for policy in cluster.adminPolicies where policy.tier == tier && policy.priority == priority {
        guard podsMatch(policy.subject, pod) else { continue }
        let rules = direction == .ingress ? policy.ingress : policy.egress
        for rule in rules {
          let peers = rule.peers.contains { adminPeerMatches($0, other, guess) }
          let ports = rule.ports.isEmpty || rule.ports.contains { portMatches($0, flow) }
          if peers && ports {
            actions.insert(rule.action == .allow ? .allow : rule.action == .deny ? .deny : .pass)
            break
          }
        }
      }
      // "the implementation can apply any of the matching policies"
      if !actions.isEmpty { return actions }
    }
    return [.none]
  }

  private func podsMatch(_ subject: NamespacedPods, _ pod: Pod) -> Bool {
    if pod.hostNetwork { return false }
    if !selects(subject.namespaces, cluster.namespaces[pod.namespace]!.labels) { return false }
    return subject.pods == nil || selects(subject.pods!, pod.labels)
  }

  private func adminPeerMatches(_ peer: AdminPeer, _ other: Party, _ guess: Guess) -> Bool {
    switch peer {
    case .pods(let pods): return other.pod.map { podsMatch(pods, $0) } ?? false
    case .nodes(let selector):
      if other.pod == nil && other.node == nil { return false }
      if other.pod != nil && !other.pod!.hostNetwork { return false }
      return selects(selector, guess.nodeLabels)
    case .networks(let blocks):
      guard let address = other.address else { return false }
      return blocks.contains { inside($0, address) }
    case .domainNames: return other.pod == nil && other.node == nil && guess.domainMatches
    }
  }

  // MARK: Labels and addresses

  private func selects(_ selector: LabelSelector, _ labels: Labels) -> Bool {
    var map: [String: String] = [:]
    for pair in labels.pairs { map[pair.key] = pair.value }
    for requirement in selector.requirements {
      let value = map[requirement.key]
      let ok: Bool
      switch requirement.op {
      case .isIn: ok = value != nil && requirement.values.contains(value!)
      case .notIn: ok = value == nil || !requirement.values.contains(value!)
      case .exists: ok = value != nil
      case .doesNotExist: ok = value == nil
      }
      if !ok { return false }
    }
    return true
  }

  private func inside(_ block: IPPrefix, _ address: IPAddress) -> Bool {
    if block.address.family != address.family { return false }
    let a = bits(block.address)
    let b = bits(address)
    return a.prefix(block.length).elementsEqual(b.prefix(block.length))
  }

  private func bits(_ address: IPAddress) -> [Bool] {
    let width = address.family == .v4 ? 32 : 128
    return (0..<width).map { index in
      let place = width - 1 - index
      return (place >= 64 ? address.high >> UInt64(place - 64) : address.low >> UInt64(place)) & 1
        == 1
    }
  }
}
