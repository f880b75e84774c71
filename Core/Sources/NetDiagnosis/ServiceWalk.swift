import KubeModel
import NetPolicy
import NetTypes

/// How a packet gets to a Service.
enum ServiceEntry {
  /// Its cluster address, or its name when the address is not known; nil for every address it has.
  case cluster(IPAddress?)
  /// The address of a load balancer.
  case loadBalancer
  /// One of `externalIPs`.
  case external
  /// A node port on this node, or on any when nil.
  case nodePort(Node?)
}

extension Diagnoser {
  func entry(_ service: Service, _ address: IPAddress) -> ServiceEntry {
    if service.loadBalancerAddresses.contains(address) { return .loadBalancer }
    if service.externalAddresses.contains(address) { return .external }
    return .cluster(address)
  }

  /// How one comes in who asks for the Service by name.
  func defaultEntry(_ service: Service, _ source: End) -> ServiceEntry {
    guard source.isOutside else { return .cluster(nil) }
    switch service.kind {
    case .loadBalancer: return .loadBalancer
    case .nodePort: return .nodePort(nil)
    default: return service.externalAddresses.isEmpty ? .cluster(nil) : .external
    }
  }

  func walk(
    _ service: Service, entry: ServiceEntry, _ port: UInt16?, _ proto: TrafficProtocol?, from source: End
  ) -> Walk {
    let place = cluster.place(service.origin)
    let title = "Service \(service.name)"
    if service.kind == .externalName {
      return walkExternalName(service, port, proto, from: source).under(title, place: place)
    }
    if case .cluster = entry, source.isOutside { return Walk(.no, notExposed(service), place: place) }
    if case .loadBalancer = entry, let problem = outsideRanges(service, source) {
      return Walk(.no, problem, place: place)
    }
    if proto == .icmp, !service.headless { return Walk(.unknown, icmpUndefined(service), place: place) }
    if service.headless { return walkHeadless(service, port, proto, from: source).under(title, place: place) }
    let ports = self.ports(service, entry, port, proto)
    if ports.isEmpty { return Walk(.no, portNotFound(service, port, proto), place: place) }
    var walk = Walk()
    for servicePort in ports {
      let affinity = service.clientAffinity ? ", each client keeps to one endpoint" : ""
      let target = "\(servicePort.proto) \(servicePort.port) → target port \(servicePort.targetPort)\(affinity)"
      let part = self.walk(service, servicePort, entry, from: source)
      walk.add(part.under("\(title) \(target)", place: place))
    }
    return walk
  }

  /// The ports that a question means. Without a protocol TCP is tried first.
  private func ports(
    _ service: Service, _ entry: ServiceEntry, _ port: UInt16?, _ proto: TrafficProtocol?
  ) -> [ServicePort] {
    let candidates = service.ports.filter { proto == nil || $0.proto == proto }
    guard let port else { return candidates }
    var matches = candidates.filter { $0.port == port }
    if case .nodePort(let node) = entry {
      let byNodePort = candidates.filter { $0.nodePort == port }
      // Who asks for the Service by name may mean its own port: the node port that belongs to it is then taken.
      if node != nil || !byNodePort.isEmpty { matches = byNodePort }
    }
    return Array((matches.filter { $0.proto == .tcp } + matches.filter { $0.proto != .tcp }).prefix(1))
  }

  // MARK: One port

  private func walk(_ service: Service, _ port: ServicePort, _ entry: ServiceEntry, from source: End) -> Walk {
    let list = cluster.backends(of: service, port)
    var backends = list.usable
    var walk = Walk()
    var rewritten = false
    var nodeUnknown = false
    switch entry {
    case .cluster:
      if service.internalTrafficPolicy == .local {
        if let node = source.nodeName {
          backends = backends.filter { $0.nodeName == node }
          if backends.isEmpty, !list.usable.isEmpty {
            return Walk(.no, noLocalEndpoint(service, "internalTrafficPolicy", node))
          }
        } else {
          nodeUnknown = true
        }
      }
    case .nodePort(let node?) where service.externalTrafficPolicy == .local:
      backends = backends.filter { $0.nodeName == node.name }
      if backends.isEmpty, !list.usable.isEmpty {
        return Walk(.no, noLocalEndpoint(service, "externalTrafficPolicy", node.name))
      }
    case .loadBalancer, .external, .nodePort:
      rewritten = service.externalTrafficPolicy == .cluster
    }
    if backends.isEmpty && list.stale.isEmpty { return Walk(.no, noEndpoint(service, port, list)) }
    let families = families(service, entry)
    for backend in backends {
      walk.add(connect(source, backend, service, port, families, rewritten: rewritten))
    }
    for backend in list.stale {
      walk.add(Walk(.no, stale(service, backend)))
    }
    noteLeftOut(service, port, list, &walk)
    if nodeUnknown, !backends.isEmpty {
      walk.outcome.add(.unknown)
      walk.note(localNodeUnknown(service, source))
    }
    return walk
  }

  private func families(_ service: Service, _ entry: ServiceEntry) -> Set<IPAddress.Family> {
    if case .cluster(let address?) = entry { return [address.family] }
    let known = Set(service.clusterAddresses.map(\.family))
    return known.isEmpty ? [.v4, .v6] : known
  }

  private func connect(
    _ source: End, _ backend: Backend, _ service: Service, _ port: ServicePort, _ families: Set<IPAddress.Family>,
    rewritten: Bool
  ) -> Walk {
    let number = backend.port ?? port.port
    if let missing = backend.missingPod { return Walk(.unknown, unknownEndpoint(service, missing, backend)) }
    let destination: End
    if let pod = backend.pod {
      destination = end(pod, addresses: backend.addresses)
    } else {
      destination = End(title: backend.title, parties: backend.addresses.map { party(at: $0) })
    }
    var walk = connect(source, destination.only(families), port.proto, number, rewritten: rewritten)
    walk.findings.removeAll { $0.code == .podNotReady }
    return walk.under("\(backend.title) \(port.proto) \(number)")
  }

  /// What an endpoint's address belongs to when no pod has it.
  private func party(at address: IPAddress) -> Party {
    cluster.node(at: address).map { .node($0, address: address) } ?? .outside(address)
  }

  /// Endpoints that the Service does not send to although others of it work.
  private func noteLeftOut(_ service: Service, _ port: ServicePort, _ list: BackendList, _ walk: inout Walk) {
    if !list.notReady.isEmpty {
      walk.note(
        Finding(
          .serviceNoReadyEndpoint, severity: .info,
          title: "\(list.notReady.count) of \(list.notReady.count + list.usable.count) endpoints of Service "
            + "\(service.name) are not ready",
          detail: "Traffic goes to the others.", evidence: list.notReady.compactMap(\.evidence)))
    }
    if !list.withoutPort.isEmpty {
      walk.note(
        Finding(
          .serviceTargetPortUnresolved, severity: .warning,
          title: "\(list.withoutPort.count) pods of Service \(service.name) do not declare port \(port.targetPort)",
          detail: "Traffic goes to the others.",
          evidence: list.withoutPort.map { cluster.evidence($0.title, $0.origin) },
          remedy: "Name the port in every pod that the Service selects."))
    }
  }

  // MARK: Services of other forms

  /// A headless Service is only a name for its pods: whoever uses it connects to them directly, and no port is
  /// translated.
  private func walkHeadless(
    _ service: Service, _ port: UInt16?, _ proto: TrafficProtocol?, from source: End
  ) -> Walk {
    var walk = Walk()
    let ports = service.ports.filter { proto == nil || $0.proto == proto }
    let any = ServicePort(port: port ?? 1, proto: proto ?? .tcp)
    for servicePort in port == nil ? ports : Array((ports.isEmpty ? [any] : ports).prefix(1)) {
      let list = cluster.backends(of: service, servicePort)
      if list.usable.isEmpty && list.stale.isEmpty {
        walk.add(Walk(.no, noEndpoint(service, servicePort, list)))
        continue
      }
      for backend in list.usable {
        let direct = Backend(
          pod: backend.pod, addresses: backend.addresses, port: port ?? backend.port, nodeName: backend.nodeName,
          missingPod: backend.missingPod, evidence: backend.evidence)
        let asked = ServicePort(port: port ?? servicePort.port, proto: proto ?? servicePort.proto)
        walk.add(connect(source, direct, service, asked, [.v4, .v6], rewritten: false))
        if let port, let target = backend.port, target != port, servicePort.port == port {
          walk.note(headlessPort(service, port, target))
        }
      }
      for backend in list.stale { walk.add(Walk(.no, stale(service, backend))) }
    }
    if walk.steps.isEmpty { return Walk(.no, portNotFound(service, port, proto)) }
    return walk
  }

  private func walkExternalName(
    _ service: Service, _ port: UInt16?, _ proto: TrafficProtocol?, from source: End
  ) -> Walk {
    let name = service.externalName ?? ""
    if source.isOutside { return Walk(.no, notExposed(service)) }
    var labels = name.split(separator: ".").map(String.init)
    if labels.count > 3, labels.suffix(2) == ["cluster", "local"] { labels.removeLast(2) }
    if labels.count == 3, labels[2] == "svc", let other = cluster.services[ObjectName(labels[1], labels[0])],
      other.kind != .externalName
    {
      return walk(other, entry: .cluster(nil), port, proto, from: source)
    }
    if let address = IPAddress(name) { return walk(to: address, port, proto, from: source) }
    var walk = connect(
      source, End(title: name, parties: [.outside(nil)]), proto ?? service.ports.first?.proto ?? .tcp, port)
    walk.note(
      Finding(
        .serviceExternalName, title: "Service \(service.name) is another name for \(name)",
        detail: "Its address is not in the manifests; only the source's egress policies were checked.",
        evidence: [cluster.evidence("Service \(service.name)", service.origin)]))
    return walk
  }
}
