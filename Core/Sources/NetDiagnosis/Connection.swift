import KubeModel
import NetPolicy
import NetTypes

extension Diagnoser {
  /// Judges the connection between two ends for each pair of their addresses that are of one family.
  ///
  /// - Parameter rewritten: the source's address may have been replaced by a node's on the way. Whether policies see
  ///   the one or the other is not defined ("Network Policies", Kubernetes 1.34), so both must give the same answer.
  func connect(
    _ source: End, _ destination: End, _ proto: TrafficProtocol, _ port: UInt16?, rewritten: Bool = false
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
        let part = judge(from, anotherReplica(of: from, to), proto, port, rewritten: rewritten)
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
    guard let pod = destination.pod, let id = pod.standsFor, source.pod?.standsFor == id,
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
    _ from: Party, _ to: Party, _ proto: TrafficProtocol, _ port: UInt16?, rewritten: Bool
  ) -> Walk {
    if port == nil, proto != .icmp { return judgeOfferedPorts(from, to, proto, rewritten: rewritten) }
    return judge(
      Flow(source: from, destination: to, proto: proto, port: proto == .icmp ? nil : port), rewritten: rewritten)
  }

  /// Without a port: those that the destination's containers declare, or all of them.
  private func judgeOfferedPorts(_ from: Party, _ to: Party, _ proto: TrafficProtocol, rewritten: Bool) -> Walk {
    var numbers: [UInt16] = []
    for port in to.ownPod?.template.ports ?? [] where port.proto == proto && !numbers.contains(port.port) {
      numbers.append(port.port)
    }
    if numbers.isEmpty { return judgeAllPorts(from, to, proto, rewritten: rewritten) }
    var walk = Walk()
    for number in numbers.sorted() {
      let part = judge(Flow(source: from, destination: to, proto: proto, port: number), rewritten: rewritten)
      walk.add(numbers.count > 1 ? part.under("\(proto) \(number)") : part)
    }
    return walk
  }

  /// Every port, told by ranges that get the same answer; the first port of a range stands for it.
  private func judgeAllPorts(_ from: Party, _ to: Party, _ proto: TrafficProtocol, rewritten: Bool) -> Walk {
    let reach = engine.reach(from: from, to: to, proto)
    let denied = PortSet.all.subtracting(reach.allowed).subtracting(reach.undecided)
    let parts = [reach.allowed, reach.undecided, denied].filter { !$0.isEmpty }
    var walk = Walk()
    for part in parts {
      let flow = Flow(source: from, destination: to, proto: proto, port: part.ranges[0].lowerBound)
      let judged = judge(flow, rewritten: rewritten)
      walk.add(parts.count > 1 ? judged.under("\(proto) \(part)") : judged)
    }
    return walk
  }

  // MARK: One flow

  func judge(_ flow: Flow, rewritten: Bool) -> Walk {
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
    if rewritten, result != .no || judgement.egress.allowed != .no, let doubt = rewriteDoubt(flow, judgement) {
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

  /// The finding, when a node's address in place of the source's would get another answer.
  private func rewriteDoubt(_ flow: Flow, _ judgement: Judgement) -> Finding? {
    guard flow.destination.ownPod != nil else { return nil }
    var alternatives: [Party] = []
    for node in cluster.nodes.values where node.name != flow.destination.nodeName {
      for address in node.addresses where address.family == (flow.destination.address ?? address).family {
        alternatives.append(.node(node, address: address))
      }
    }
    if alternatives.isEmpty { alternatives = [.someOtherNode] }
    for source in alternatives {
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
