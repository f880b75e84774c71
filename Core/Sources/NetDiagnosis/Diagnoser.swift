public import KubeModel
import NetPolicy
import NetTypes

/// Answers questions from a cluster's objects alone. What the dataplane really does is not looked at: policies are
/// taken to be enforced, and Services to be translated.
public struct Diagnoser: Sendable {
  let cluster: Cluster
  let engine: PolicyEngine
  /// The workload of a network plugin that does not enforce policies, when there is one and nothing beside it does.
  let unenforcedBy: Evidence?

  public init(_ cluster: Cluster) {
    self.cluster = cluster
    engine = PolicyEngine(cluster)
    unenforcedBy = Self.pluginWithoutPolicy(cluster)
  }

  public func diagnose(_ question: Question) throws(NotFound) -> Diagnosis {
    let sources = try sources(question.source)
    try check(question.destination)
    var walk = Walk()
    if sources.isEmpty { walk.outcome.add(.unknown) }
    for source in sources {
      var part: Walk
      if let problem = source.problem {
        part = Walk(.no, problem)
      } else {
        part = self.walk(question, from: source)
        if source.isOutside, let address = source.parties.first?.address, let gap = unknownPod(address) {
          part.outcome = Outcome(.unknown)
          part.note(gap)
        }
      }
      if sources.count > 1 { part = part.under("from \(source.title)") }
      walk.add(part)
    }
    return Diagnosis(
      question: question, verdict: walk.outcome.verdict, findings: walk.findings.merged(),
      checked: ["policy", "service"],
      assumptions: assumptions, steps: walk.steps)
  }

  private var assumptions: [String] {
    guard unenforcedBy == nil else { return [] }
    let hasPolicies = !cluster.policies.isEmpty || !cluster.adminPolicies.isEmpty
    return hasPolicies ? ["the network plugin enforces network policies"] : []
  }

  /// Plain flannel does not enforce network policies; the names are those of agents that do, and that run beside it.
  private static func pluginWithoutPolicy(_ cluster: Cluster) -> Evidence? {
    let enforcing = [
      "calico", "canal", "cilium", "antrea", "kube-router", "weave", "ovn", "kube-network-policies", "romana", "terway",
      "aws-network-policy", "azure-npm", "k3s", "rke2",
    ]
    var flannel: Evidence?
    func look(_ images: [String], _ title: String, _ origin: Origin) -> Bool {
      if images.contains(where: { image in enforcing.contains { image.contains($0) } }) { return true }
      if flannel == nil, images.contains(where: { $0.contains("flannel") }) {
        flannel = cluster.evidence(title, origin)
      }
      return false
    }
    for workload in cluster.workloads.values.sorted(by: { $0.id < $1.id }) where workload.id.kind == .daemonSet {
      if look(workload.template.images, workload.id.description, workload.origin) { return nil }
    }
    for pod in cluster.pods.all where pod.standsFor == nil && pod.owner?.kind == "DaemonSet" {
      if look(pod.template.images, pod.title, pod.origin) { return nil }
    }
    return flannel
  }

  // MARK: One source

  func walk(_ question: Question, from source: End) -> Walk {
    switch question.destination {
    case .service(let name):
      guard let service = cluster.services[name] else { return Walk() }
      return walk(service, entry: defaultEntry(service, source), question.port, question.proto, from: source)
    case .address(let address):
      return walk(to: address, question.port, question.proto, from: source)
    case .node(let name):
      guard let node = cluster.nodes[name] else { return Walk() }
      return walk(to: node, node.addresses, question.port, question.proto, from: source)
    case .route(let id):
      return cluster.routes[id].map { walk($0, from: source) } ?? Walk()
    case .pod, .workload:
      var walk = Walk()
      let ends = ends(question.destination)
      for end in ends {
        var part = connect(source, end, question.proto ?? .tcp, question.port)
        if ends.count > 1 { part = part.under("to \(end.title)") }
        walk.add(part)
      }
      return walk
    }
  }

  func walk(to address: IPAddress, _ port: UInt16?, _ proto: TrafficProtocol?, from source: End) -> Walk {
    if address.isLoopback, !source.isOutside {
      var walk = Walk()
      walk.outcome = Outcome(.yes)
      walk.steps = [Step(.passed, "\(address) never leaves \(source.title)")]
      return walk
    }
    // External addresses are often those of nodes.
    let node = cluster.node(at: address)
    let services = cluster.services(at: address)
    if !services.isEmpty {
      // One load balancer address may be shared by Services with different ports.
      let fitting = services.first { service in
        port == nil || service.ports.contains { $0.port == port && (proto == nil || $0.proto == proto) }
      }
      if let service = fitting ?? (node == nil ? services[0] : nil) {
        return walk(service, entry: entry(service, address), port, proto, from: source)
      }
    }
    if let node { return walk(to: node, [address], port, proto, from: source) }
    if let pod = cluster.pods[address] {
      return connect(source, end(pod, addresses: [address]), proto ?? .tcp, port)
    }
    let outside = End(title: address.description, parties: [.outside(address)])
    if source.parties.allSatisfy({ $0.pod == nil && !$0.isHost }) {
      return Walk(
        .unknown,
        Finding(
          .addressOutsideOnly, title: "neither end is in the cluster",
          detail: "\(source.title) and \(address) are no pod, node or Service of these manifests, so they say nothing "
            + "about them."))
    }
    var walk = connect(source, outside, proto ?? .tcp, port)
    if let gap = unknownPod(address) {
      walk.outcome = Outcome(.unknown)
      walk.note(gap)
    }
    return walk
  }

  /// The finding for an address that a node gives to pods, but that no pod is known to have.
  func unknownPod(_ address: IPAddress) -> Finding? {
    guard
      let node = cluster.nodes.values.filter({ $0.podCIDRs.contains { $0.contains(address) } }).min(by: {
        $0.name < $1.name
      })
    else { return nil }
    return Finding(
      .addressUnknownPod, title: "\(address) is a pod's address, but no pod has it",
      detail: "The address lies in the block that node \(node.name) gives to its pods. Whether policies select the pod "
        + "is not known.",
      evidence: [cluster.evidence("Node \(node.name)", node.origin)], remedy: "Check the address, or include the pod.")
  }

  /// A node's address: a node port, a pod's host port, or the host itself.
  private func walk(
    to node: Node, _ addresses: [IPAddress], _ port: UInt16?, _ proto: TrafficProtocol?, from source: End
  ) -> Walk {
    let asked = proto ?? .tcp
    if let port, let service = cluster.service(nodePort: port, asked) {
      return walk(service, entry: .nodePort(node), port, asked, from: source)
    }
    let host = End(
      title: "node \(node.name)",
      parties: addresses.isEmpty ? [.node(node, address: nil)] : addresses.map { .node(node, address: $0) })
    guard let port, asked != .icmp, let (pod, number) = hostPort(port, asked, of: node, addresses) else {
      return connect(source, host, asked, port)
    }
    let way = Way(sentTo: host.parties, sentToPort: port)
    var walk = connect(source, end(pod), asked, number, by: way)
      .under("host port \(port) of node \(node.name) is \(pod.title) port \(number)")
    if pod.nodeName == nil {
      walk.add(connect(source, host, asked, port).under("host port \(port) of node \(node.name), without \(pod.title)"))
      if walk.outcome.verdict == .partial { walk.doubt(nodeUnknown(pod)) }
    }
    return walk
  }

  /// The pod that a node passes this port on to, and which port of the pod that is. One whose node is not known, such as
  /// a DaemonSet's template, may be it.
  private func hostPort(
    _ port: UInt16, _ proto: TrafficProtocol, of node: Node, _ addresses: [IPAddress]
  ) -> (pod: Pod, port: UInt16)? {
    var possible: (Pod, UInt16)?
    for pod in cluster.pods.withHostPort
    where pod.nodeName ?? node.name == node.name && pod.isRunning && !pod.hostNetwork {
      let declared = pod.template.ports.first { declared in
        declared.hostPort == port && declared.proto == proto && declared.hostAddress.map(addresses.contains) ?? true
      }
      guard let declared else { continue }
      if pod.nodeName != nil { return (pod, declared.port) }
      possible = possible ?? (pod, declared.port)
    }
    return possible
  }

  private func nodeUnknown(_ pod: Pod) -> Finding {
    Finding(
      .podNodeUnknown, title: "which node \(pod.title) runs on is not known",
      detail: "The node would pass the port on to it, if it runs there.",
      evidence: [cluster.evidence(pod.title, pod.origin)], remedy: "Ask about pods that have been given a node.")
  }
}
