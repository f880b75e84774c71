import KubeModel
import NetPolicy
import NetTypes

// The findings about Services.

extension Diagnoser {
  private func evidence(_ service: Service) -> Evidence {
    cluster.evidence("Service \(service.name)", service.origin)
  }

  /// Why a Service's port has no endpoint at all.
  func noEndpoint(_ service: Service, _ port: ServicePort, _ list: BackendList) -> Finding {
    guard let selector = service.selector else {
      return Finding(
        .serviceNoEndpoints, title: "Service \(service.name) has no endpoints",
        detail: "It has no selector, and neither an EndpointSlice nor an Endpoints object gives it any.",
        evidence: [evidence(service)], remedy: "Give it a selector, or an EndpointSlice.")
    }
    let pods = cluster.pods.select(selector, in: service.name.namespace).filter { $0.phase != .finished }
    if pods.isEmpty {
      return scaledToZero(service, selector) ?? selectorMatchesNothing(service, selector)
    }
    if case .name(let name) = port.targetPort, pods.allSatisfy({ $0.template.port(named: name, port.proto) == nil }) {
      return Finding(
        .serviceTargetPortUnresolved,
        title: "no pod of Service \(service.name) has a \(port.proto) port named \"\(name)\"",
        detail: "Its port \(port.port) goes to the container port of that name; the pods declare \(Self.ports(pods)).",
        evidence: [cluster.evidence("Service \(service.name) port \(port.port)", service.origin.at(line: port.line))]
          + pods.map { cluster.evidence($0.title, $0.origin) },
        remedy: "Correct targetPort, or name the container's port.")
    }
    if list.notReady.isEmpty, list.selected == nil {
      return Finding(
        .serviceNoEndpoints, title: "Service \(service.name) has no endpoints for port \(port.port)",
        detail: "Its selector matches \(pods.count) pods, but the recorded endpoints hold none of them for this port.",
        evidence: [evidence(service)]
          + cluster.endpoints(of: service.name).map {
            cluster.evidence("\($0.source.rawValue) \($0.name)", $0.origin)
          },
        remedy: "Compare the port names of the Service and its EndpointSlices, and look at the pods' readiness.")
    }
    return Finding(
      .serviceNoReadyEndpoint, title: "Service \(service.name) has no ready endpoint",
      detail: "Its selector matches \(pods.count) pods, and none of them is ready.",
      evidence: [evidence(service)] + list.notReady.compactMap(\.evidence),
      remedy: "Look at the readiness probes of these pods.")
  }

  private static func ports(_ pods: [Pod]) -> String {
    var texts: [String] = []
    for port in pods.flatMap(\.template.ports) {
      let text = "\(port.proto) \(port.port)\(port.name.map { " \"\($0)\"" } ?? "")"
      if !texts.contains(text) { texts.append(text) }
    }
    return texts.isEmpty ? "none" : texts.joined(separator: ", ")
  }

  /// The finding, when a workload that wants no pods would make what the Service selects.
  private func scaledToZero(_ service: Service, _ selector: LabelSelector) -> Finding? {
    let fitting = cluster.workloads.values.filter { workload in
      workload.replicas == 0 && workload.id.name.namespace == service.name.namespace
        && cluster.templatePods(of: workload).contains { selector.matches($0.labels) }
    }
    guard let workload = fitting.min(by: { $0.id < $1.id }) else { return nil }
    return Finding(
      .workloadScaledToZero, title: "Service \(service.name) selects the pods of \(workload.id), which has none",
      detail: "It asks for none now.",
      evidence: [evidence(service), cluster.evidence(workload.id.description, workload.origin)],
      remedy: "Scale it up, or resume it.")
  }

  private func selectorMatchesNothing(_ service: Service, _ selector: LabelSelector) -> Finding {
    let namespace = service.name.namespace
    var evidence = [evidence(service)]
    var detail = "No pod of namespace \(namespace) has the labels \(selector)."
    var best: (pod: Pod, missed: Int)?
    for pod in cluster.pods.pods(in: namespace) where pod.isRunning {
      let missed = selector.requirements.filter { !$0.matches(pod.labels) }.count
      if missed < selector.requirements.count, best.map({ missed < $0.missed }) ?? true { best = (pod, missed) }
    }
    if let best {
      let wrong = selector.requirements.filter { !$0.matches(best.pod.labels) }.map { requirement in
        "\(requirement.key) is \(best.pod.labels[requirement.key].map { "\"\($0)\"" } ?? "absent")"
      }
      detail += " \(best.pod.title) comes nearest: its label \(wrong.joined(separator: ", "))."
      evidence.append(cluster.evidence(best.pod.title, best.pod.origin))
    } else if let other = cluster.namespaces.keys.sorted().first(where: {
      $0 != namespace && !cluster.pods.select(selector, in: $0).isEmpty
    }) {
      detail += " Pods of namespace \(other) have them, but a Service selects in its own namespace only."
    }
    return Finding(
      .serviceSelectorMatchesNothing, title: "the selector of Service \(service.name) matches no pod", detail: detail,
      evidence: evidence, remedy: "Correct the selector, or the pods' labels.")
  }

  func portNotFound(_ service: Service, _ port: UInt16?, _ proto: TrafficProtocol?) -> Finding {
    portNotFound(
      service, [proto.map(\.description), port.map { "port \($0)" }].compactMap { $0 }.joined(separator: " "))
  }

  /// - Parameter wanted: what was looked for; empty for any port.
  func portNotFound(_ service: Service, _ wanted: String) -> Finding {
    let offered = service.ports.map { "\($0.proto) \($0.port)\($0.nodePort.map { " (node port \($0))" } ?? "")" }
    return Finding(
      .servicePortNotFound, title: "Service \(service.name) has no \(wanted.isEmpty ? "ports" : wanted)",
      detail: "It has \(offered.isEmpty ? "no ports" : offered.joined(separator: ", ")).",
      evidence: [evidence(service)],
      remedy: "Use one of its ports, or add this one to the Service.")
  }

  func stale(_ service: Service, _ backend: Backend) -> Finding {
    Finding(
      .serviceEndpointStale, title: "an endpoint of Service \(service.name) leads nowhere",
      detail: "It sends to \(backend.addresses.map(\.description).joined(separator: ", ")), but \(backend.title) "
        + (backend.pod == nil ? "does not exist." : "has finished, or has another address now."),
      evidence: [backend.evidence].compactMap { $0 },
      remedy: "Delete the endpoint; if it comes back, look at the controller that makes it.")
  }

  func unknownEndpoint(_ service: Service, _ pod: ObjectName, _ backend: Backend) -> Finding {
    Finding(
      .serviceEndpointUnknown, title: "the pod behind an endpoint of Service \(service.name) is not in the manifests",
      detail: "The endpoint names pod \(pod); without its labels no policy can be judged.",
      evidence: [backend.evidence].compactMap { $0 }, remedy: "Include the pods.")
  }

  func noLocalEndpoint(_ service: Service, _ rule: Locality) -> Finding {
    Finding(
      .serviceTrafficPolicy, title: "Service \(service.name) has no endpoint on node \(rule.node ?? "")",
      detail: "Its \(rule.field) is Local, so endpoints on other nodes are not used.", evidence: [evidence(service)],
      remedy: "Run a pod of the Service on that node, or set \(rule.field): Cluster.")
  }

  func localNodeUnknown(_ service: Service, _ rule: Locality, _ source: End) -> Finding {
    let who =
      rule.node.map { "its endpoints run on, and the traffic comes in on node \($0)" } ?? "\(source.title) runs on"
    return Finding(
      .serviceTrafficPolicy, severity: .warning,
      title: "which endpoints of Service \(service.name) are used depends on the node",
      detail: "Its \(rule.field) is Local, and it is not known which node \(who).",
      evidence: [evidence(service)], remedy: "Ask about pods that have been given a node.")
  }

  /// The finding, when only some nodes pass on what comes to their node port.
  func nodesWithoutEndpoint(_ service: Service, _ list: BackendList) -> Finding? {
    guard service.externalTrafficPolicy == .local, !list.usable.contains(where: { $0.nodeName == nil }) else {
      return nil
    }
    let without = Set(cluster.nodes.keys).subtracting(list.usable.compactMap(\.nodeName)).sorted()
    if without.isEmpty { return nil }
    let named = without.prefix(5).joined(separator: ", ") + (without.count > 5 ? ", …" : "")
    return Finding(
      .serviceTrafficPolicy, severity: .warning,
      title: "\(without.count) nodes have no endpoint of Service \(service.name)",
      detail: "Its externalTrafficPolicy is Local: who comes in through one of these nodes gets no answer: \(named).",
      evidence: [evidence(service)], remedy: "Let clients come in through the nodes that run a pod of the Service.")
  }

  /// The finding, when the load balancer does not accept the source; a warning, when its address is not known.
  func outsideRanges(_ service: Service, _ source: End) -> Finding? {
    let ranges = service.sourceRanges
    let addresses = source.parties.compactMap(\.address)
    if ranges.isEmpty || addresses.contains(where: { address in ranges.contains { $0.contains(address) } }) {
      return nil
    }
    let isKnown = addresses.count == source.parties.count
    return Finding(
      .serviceSourceRange, severity: isKnown ? .fatal : .warning,
      title: "Service \(service.name) \(isKnown ? "does not" : "may not") accept \(source.title)",
      detail: "Its loadBalancerSourceRanges are \(ranges.map(\.description).joined(separator: ", ")).",
      evidence: [evidence(service)], remedy: "Add the source's address to loadBalancerSourceRanges.")
  }

  func notExposed(_ service: Service) -> Finding {
    Finding(
      .serviceNotExposed, title: "Service \(service.name) is for the cluster only",
      detail: "It is of type \(service.kind.rawValue)\(service.headless ? " and headless" : ""), whose address means "
        + "nothing outside the cluster.",
      evidence: [evidence(service)],
      remedy: "Expose it: type NodePort or LoadBalancer, externalIPs, an Ingress or a Gateway.")
  }

  func icmpUndefined(_ service: Service) -> Finding {
    Finding(
      .serviceNoICMP, title: "whether the address of Service \(service.name) answers ICMP is not defined",
      detail: "Services translate TCP, UDP and SCTP ports; what happens to anything else depends on the proxy.",
      evidence: [evidence(service)], remedy: "Ask about one of its ports.")
  }

  func headlessPort(_ service: Service, _ port: UInt16, _ target: UInt16) -> Finding {
    Finding(
      .serviceHeadlessPort, title: "headless Service \(service.name) does not translate port \(port) to \(target)",
      detail: "Its name stands for the pods' own addresses, so clients must use the port that the pods listen on.",
      evidence: [evidence(service)], remedy: "Connect to port \(target).")
  }
}
