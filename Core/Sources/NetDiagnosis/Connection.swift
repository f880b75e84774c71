import KubeModel
import NetPolicy
import NetTypes

/// How addresses may be replaced on the way. Whether policies see the one or the other is not defined ("Network
/// Policies", Kubernetes 1.34), so both must give the same answer.
struct Way {
  /// The source's address may have become that of a node.
  var sourceRewritten = false
  /// Where the source's packets are sent to, when the destination's address is put in only after they have left the
  /// source's node.
  var sentTo: [Party] = []
  var sentToPort: UInt16?
}

extension Diagnoser {
  /// Judges the connection between two ends for each pair of their addresses that are of one family.
  ///
  func connect(
    _ source: End, _ destination: End, _ proto: TrafficProtocol, _ port: UInt16?, by way: Way = Way()
  ) -> Walk {
    if let problem = destination.problem { return Walk(.no, problem) }
    var walk = Walk()
    if source.isForwarder {
      walk.outcome = Outcome(.unknown)
      walk.steps = [Step(.unknown, "whether the policies let \(source.title) through is not known")]
      return walk
    }
    var paired = false
    for from in source.parties {
      for to in destination.parties {
        if let a = from.address, let b = to.address, a.family != b.family { continue }
        paired = true
        let part = judge(from, anotherReplica(of: from, to), proto, port, by: way)
        // Both families mostly go the same way, and then are told once.
        if walk.steps.starts(with: part.steps) && walk.outcome == part.outcome { continue }
        walk.add(part)
      }
    }
    if !paired { return Walk(.no, familyMismatch(source, destination)) }
    if let pod = destination.pod, !pod.ready, pod.isRunning { walk.note(notReady(pod)) }
    return walk
  }

  /// A template stands for several pods: one that talks to its own workload talks to another of them.
  func anotherReplica(of source: Party, _ destination: Party) -> Party {
    guard let pod = destination.pod, let id = pod.standsFor, source.pod?.standsFor == id, id.kind != .statefulSet,
      let workload = cluster.workloads[id], workload.replicas > 1 || id.kind == .daemonSet
    else { return destination }
    let other = Pod(
      name: ObjectName(pod.namespace, pod.name.name + "+"), template: pod.template, addresses: pod.addresses,
      standsFor: id, origin: pod.origin)
    return .pod(other, address: destination.address, in: cluster)
  }

  private func familyMismatch(_ source: End, _ destination: End) -> Finding {
    Finding(
      .addressFamilyMismatch, title: "\(source.title) and \(destination.title) have no address family in common",
      detail: "\(source.title) has \(Self.addresses(source)), \(destination.title) has \(Self.addresses(destination)).",
      remedy: "Give both ends an address of the same family (dual stack).")
  }

  private static func addresses(_ end: End) -> String {
    end.parties.isEmpty
      ? "none that could be used" : end.parties.compactMap { $0.address?.description }.joined(separator: ", ")
  }

  func notReady(_ pod: Pod) -> Finding {
    Finding(
      .podNotReady, title: "\(pod.title) is not ready",
      detail: "It can be reached at its own address, but Services do not send to it.",
      evidence: [cluster.evidence(pod.title, pod.origin)], remedy: "Look at the pod's readiness probe.")
  }

  private func judge(
    _ from: Party, _ to: Party, _ proto: TrafficProtocol, _ port: UInt16?, by way: Way
  ) -> Walk {
    if port == nil, proto != .icmp { return judgeOfferedPorts(from, to, proto, by: way) }
    return judge(
      Flow(source: from, destination: to, proto: proto, port: proto == .icmp ? nil : port), by: way)
  }

  /// Without a port: those that the destination's containers declare, or all of them.
  private func judgeOfferedPorts(_ from: Party, _ to: Party, _ proto: TrafficProtocol, by way: Way) -> Walk {
    var numbers: [UInt16] = []
    for port in to.ownPod?.template.ports ?? [] where port.proto == proto && !numbers.contains(port.port) {
      numbers.append(port.port)
    }
    if numbers.isEmpty { return judgeAllPorts(from, to, proto, by: way) }
    var walk = Walk()
    for number in numbers.sorted() {
      let part = judge(Flow(source: from, destination: to, proto: proto, port: number), by: way)
      walk.add(numbers.count > 1 ? part.under("\(proto) \(number)") : part)
    }
    return walk
  }

  /// Every port, told by ranges that get the same answer; the first port of a range stands for it.
  private func judgeAllPorts(_ from: Party, _ to: Party, _ proto: TrafficProtocol, by way: Way) -> Walk {
    let reach = engine.reach(from: from, to: to, proto)
    let denied = PortSet.all.subtracting(reach.allowed).subtracting(reach.undecided)
    let parts = [reach.allowed, reach.undecided, denied].filter { !$0.isEmpty }
    var walk = Walk()
    for part in parts {
      let flow = Flow(source: from, destination: to, proto: proto, port: part.ranges[0].lowerBound)
      let judged = judge(flow, by: way)
      walk.add(parts.count > 1 ? judged.under("\(proto) \(part)") : judged)
    }
    return walk
  }

  // MARK: One flow

  func judge(_ flow: Flow, by way: Way) -> Walk {
    let judgement = engine.judge(flow)
    var walk = Walk()
    var result = judgement.allowed
    var sides: [Walk] = []
    for direction in [PolicyDirection.egress, .ingress] {
      var side = Walk()
      side.steps = [cluster.step(judgement[direction], direction, flow)]
      if let finding = cluster.finding(judgement[direction], direction, flow) { side.findings = [finding] }
      sides.append(side)
    }
    if let unenforcedBy, result != .yes {
      return notEnforced(sides, unenforcedBy)
    }
    for side in sides {
      walk.steps += side.steps
      // Once one end denies, what the other does not know cannot turn the answer.
      walk.findings += side.findings.filter { result != .no || $0.severity == .fatal }
    }
    for doubt in [sourceDoubt(flow, judgement, way), destinationDoubt(flow, judgement, way)].compactMap({ $0 }) {
      result = .unknown
      walk.note(doubt)
    }
    if let gap = unmodelledPolicy(flow) {
      result = .unknown
      walk.note(gap)
    }
    walk.outcome = Outcome(result)
    return walk
  }

  private func notEnforced(_ sides: [Walk], _ plugin: Evidence) -> Walk {
    var walk = Walk()
    walk.outcome = Outcome(.yes)
    walk.steps = sides.flatMap { side in
      side.steps.map { $0.mark == .passed ? $0 : Step(.note, "\($0.text); not enforced", place: $0.place) }
    }
    let denied = sides.flatMap(\.findings)
    walk.findings = [
      Finding(
        .policyNotEnforced, title: "network policies deny this, but flannel does not enforce them",
        detail: denied.map(\.detail).joined(separator: " "), evidence: [plugin] + denied.flatMap(\.evidence),
        remedy: "Run a network plugin that enforces network policies, or do not rely on them.")
    ]
    return walk
  }

  /// The finding, when the address that the source sends to would get another answer from its policies.
  private func destinationDoubt(_ flow: Flow, _ judgement: Judgement, _ way: Way) -> Finding? {
    guard flow.source.ownPod != nil, judgement.ingress.allowed != .no else { return nil }
    for destination in way.sentTo {
      if let a = destination.address, let b = flow.destination.address, a.family != b.family { continue }
      if destination.nodeName != nil, destination.nodeName == flow.source.nodeName { continue }
      let sent = Flow(
        source: flow.source, destination: destination, proto: flow.proto, port: way.sentToPort ?? flow.port)
      if engine.judge(sent).egress.allowed == judgement.egress.allowed { continue }
      return Finding(
        .serviceDestinationRewritten, title: "the answer depends on which destination address the policies see",
        detail: "\(flow.source.title) sends to \(Self.place(destination, way.sentToPort)), and only there is "
          + "\(flow.destination.title) put in its place. Whether the source's policies see the one or the other is not "
          + "defined, and the two get different answers here.",
        remedy: "Use the Service's cluster address, or allow egress to both.")
    }
    return nil
  }

  private static func place(_ party: Party, _ port: UInt16?) -> String {
    party.title + (port.map { " port \($0)" } ?? "")
  }

  /// The finding, when a node's address in place of the source's would get another answer.
  private func sourceDoubt(_ flow: Flow, _ judgement: Judgement, _ way: Way) -> Finding? {
    guard way.sourceRewritten, let pod = flow.destination.ownPod, judgement.egress.allowed != .no else { return nil }
    for source in otherNodes(than: flow.destination, asSeenBy: pod) {
      var other = flow
      other.source = source
      if engine.judge(other).ingress.allowed == judgement.ingress.allowed { continue }
      return Finding(
        .serviceSourceRewritten, title: "the answer depends on which source address the policies see",
        detail: "On the way through a node the source \(flow.source.title) may be replaced by the node's address, and "
          + "whether policies are applied before or after is not defined. The two get different answers here.",
        remedy: "Set externalTrafficPolicy: Local, which keeps the source's address.")
    }
    return nil
  }

  /// Nodes other than the destination's that its policies may tell apart: nothing but an address block names a node in
  /// a rule for ingress, so one stands for all that lie in the same blocks.
  private func otherNodes(than destination: Party, asSeenBy pod: Pod) -> [Party] {
    let blocks = engine.isolating(pod, .ingress).flatMap(\.ingress).flatMap(\.peers).compactMap { peer in
      if case .block(let block) = peer { block } else { nil }
    }
    var seen: Set<[Bool]> = []
    var nodes: [Party] = []
    for node in cluster.nodes.values where node.name != destination.nodeName {
      for address in node.addresses where address.family == (destination.address ?? address).family {
        let isNew = seen.insert(blocks.map { KubernetesSemantics.contains($0, address) }).inserted
        if isNew { nodes.append(.node(node, address: address)) }
      }
    }
    return nodes.isEmpty ? [.someOtherNode] : nodes
  }

  private func unmodelledPolicy(_ flow: Flow) -> Finding? {
    let namespaces = [flow.source.ownPod?.namespace, flow.destination.ownPod?.namespace].compactMap { $0 }
    if namespaces.isEmpty { return nil }
    let relevant = cluster.unmodelled.filter { $0.namespace.isEmpty || namespaces.contains($0.namespace) }
    if relevant.isEmpty { return nil }
    return Finding(
      .policyUnmodelled, title: "there are policies of a kind that is not modelled",
      detail: "They may allow or deny this traffic.",
      evidence: relevant.map {
        cluster.evidence("\($0.kind) \($0.namespace.isEmpty ? "" : "\($0.namespace)/")\($0.name)", $0.origin)
      },
      remedy: "Read these policies yourself.")
  }
}
