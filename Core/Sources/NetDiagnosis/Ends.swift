import KubeModel
import NetPolicy
import NetTypes

/// One end of a question: something that has one or more addresses.
struct End {
  let title: String
  /// One for each address, or a single one without.
  let parties: [Party]
  /// Why this end cannot talk at all.
  var problem: Finding?
  /// Whether it stands for an ingress controller or gateway that is not known.
  var isForwarder = false

  init(title: String, parties: [Party], problem: Finding? = nil) {
    self.title = title
    self.parties = parties
    self.problem = problem
  }

  var pod: Pod? { parties.first?.pod }

  /// Neither a pod nor a node.
  var isOutside: Bool { parties.allSatisfy { $0.pod == nil && !$0.isHost } }

  /// The node that the end is on; nil when not known.
  var nodeName: String? { parties.first?.nodeName }

  /// The families of its addresses: both, while one of them is not known.
  var families: Set<IPAddress.Family> {
    parties.contains { $0.address == nil } ? [.v4, .v6] : Set(parties.compactMap { $0.address?.family })
  }

  /// This end with the addresses of some families only; addresses that are not known stay.
  func only(_ families: Set<IPAddress.Family>) -> End {
    End(
      title: title, parties: parties.filter { $0.address.map { families.contains($0.family) } ?? true },
      problem: problem)
  }
}

extension Diagnoser {
  func end(_ pod: Pod, addresses: [IPAddress]? = nil) -> End {
    let known = addresses ?? cluster.addresses(of: pod)
    let parties: [Party] =
      known.isEmpty
      ? [.pod(pod, address: nil, in: cluster)] : known.map { .pod(pod, address: $0, in: cluster) }
    return End(title: pod.title, parties: parties, problem: problem(of: pod))
  }

  private func problem(of pod: Pod) -> Finding? {
    if let id = pod.standsFor, let workload = cluster.workloads[id], workload.replicas == 0 {
      return Finding(
        .workloadScaledToZero, title: "\(id) has no pods",
        detail: "It asks for none now, so there is nothing to talk to.",
        evidence: [cluster.evidence(id.description, workload.origin)], remedy: "Scale it up, or resume it.")
    }
    guard !pod.isRunning else { return nil }
    let state = pod.phase == .finished ? "has finished" : "is not running yet"
    return Finding(
      .podNotRunning, title: "\(pod.title) \(state)",
      detail: "Its network \(pod.phase == .finished ? "is gone" : "is not there yet").",
      evidence: [cluster.evidence(pod.title, pod.origin)], remedy: "Look at the pod's events and containers.")
  }

  /// What a question's source stands for. A Service speaks with the pods behind it.
  func sources(_ reference: EndReference) throws(NotFound) -> [End] {
    try check(reference)
    switch reference {
    case .pod, .workload:
      return ends(reference).map { end in
        var end = end
        // Init containers speak before the pod runs.
        if let pod = end.pod, pod.hasNetwork, !pod.isRunning { end.problem = nil }
        return end
      }
    case .node(let name):
      guard let node = cluster.nodes[name] else { return [] }
      let parties = node.addresses.map { Party.node(node, address: $0) }
      return [End(title: "node \(name)", parties: parties.isEmpty ? [.node(node, address: nil)] : parties)]
    case .service(let name):
      guard let service = cluster.services[name] else { return [] }
      var pods: [Pod] = []
      for port in service.ports {
        for backend in cluster.backends(of: service, port).usable {
          if let pod = backend.pod, !pods.contains(where: { $0.name == pod.name }) { pods.append(pod) }
        }
      }
      if pods.isEmpty, let port = service.ports.first {
        let problem = noEndpoint(service, port, cluster.backends(of: service, port))
        return [End(title: "Service \(name)", parties: [], problem: problem)]
      }
      return pods.map { end($0) }
    case .route: return []
    case .address(let address):
      if let node = cluster.node(at: address) {
        return [End(title: "node \(node.name)", parties: [.node(node, address: address)])]
      }
      if let pod = cluster.pods[address] { return [end(pod, addresses: [address])] }
      if let service = cluster.services(at: address).first(where: { $0.clusterAddresses.contains(address) }) {
        return try sources(.service(service.name))
      }
      return [End(title: address.description, parties: [.outside(address)], problem: nil)]
    }
  }

  /// The pods that a pod's or a workload's name stands for.
  func ends(_ reference: EndReference) -> [End] {
    switch reference {
    case .pod(let name):
      if let pod = cluster.pods[name] { return [end(pod)] }
      return WorkloadKind.allCases.map { Workload.ID($0, name) }.filter { cluster.workloads[$0] != nil }
        .prefix(1).flatMap { ends(.workload($0)) }
    case .workload(let id):
      let pods = cluster.pods(of: id).filter { $0.phase != .finished }
      if !pods.isEmpty { return pods.sorted { $0.name < $1.name }.map { end($0) } }
      return cluster.workloads[id].map { cluster.templatePods(of: $0).map { end($0) } } ?? []
    default: return []
    }
  }

  /// Throws when the manifests have nothing of that name.
  func check(_ reference: EndReference) throws(NotFound) {
    let exists: Bool
    switch reference {
    case .pod(let name):
      exists =
        cluster.pods[name] != nil || WorkloadKind.allCases.contains { cluster.workloads[Workload.ID($0, name)] != nil }
    case .workload(let id): exists = cluster.workloads[id] != nil
    case .service(let name): exists = cluster.services[name] != nil
    case .node(let name): exists = cluster.nodes[name] != nil
    case .address: exists = true
    case .route(let id): exists = cluster.routes[id] != nil
    }
    if !exists { throw NotFound(reference: reference) }
  }
}
