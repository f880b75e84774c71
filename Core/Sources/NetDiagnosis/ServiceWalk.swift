import KubeModel
import NetPolicy
import NetTypes

/// How a packet gets to a Service.
enum ServiceEntry {
  /// Its cluster address, or its name when the address is not known; nil for every address it has.
  case cluster(IPAddress?)
  /// The address of a load balancer; given, when the nodes do not answer on it themselves (`ipMode: Proxy`).
  case loadBalancer(proxy: IPAddress?)
  /// One of `externalIPs`.
  case external
  /// A node port on this node, or on any when nil.
  case nodePort(Node?)
}

extension Diagnoser {
  func entry(_ service: Service, _ address: IPAddress) -> ServiceEntry {
    if service.loadBalancerAddresses.contains(address) { return .loadBalancer(proxy: nil) }
    if service.proxyAddresses.contains(address) { return .loadBalancer(proxy: address) }
    if service.externalAddresses.contains(address) { return .external }
    return .cluster(address)
  }

  /// How one comes in who asks for the Service by name.
  func defaultEntry(_ service: Service, _ source: End) -> ServiceEntry {
    guard source.isOutside else { return .cluster(nil) }
    switch service.kind {
    case .loadBalancer: return .loadBalancer(proxy: nil)
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
    var doubt: Finding?
    if case .loadBalancer = entry, let problem = outsideRanges(service, source) {
      if problem.severity == .fatal { return Walk(.no, problem, place: place) }
      doubt = problem
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
    if let doubt { walk.doubt(doubt) }
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
    return Array(Self.tcpFirst(matches).prefix(1))
  }

  private static func tcpFirst(_ ports: [ServicePort]) -> [ServicePort] {
    ports.filter { $0.proto == .tcp } + ports.filter { $0.proto != .tcp }
  }

  // MARK: One port

  private func walk(_ service: Service, _ port: ServicePort, _ entry: ServiceEntry, from source: End) -> Walk {
    let list = cluster.backends(of: service, port)
    let rule = locality(service, entry, source)
    var usable = Endpoints(sure: list.usable)
    if let rule {
      usable = Endpoints(list.ready, rule)
      if usable.all.isEmpty { usable = Endpoints(list.terminating, rule) }
    }
    let stale = (rule.map { Endpoints(list.stale, $0) } ?? Endpoints(sure: list.stale)).all
    if usable.all.isEmpty && stale.isEmpty {
      if let rule, !list.usable.isEmpty { return Walk(.no, noLocalEndpoint(service, rule)) }
      return Walk(.no, noEndpoint(service, port, list))
    }
    var walk = connect(source, to: usable.all, service, port, families(service, entry), by: way(service, port, entry))
    if let rule, !usable.possible.isEmpty {
      let verdict = walk.outcome.verdict
      // Whichever endpoints these are, the answer is the same.
      let isSure = verdict == .unreachable || verdict == .reachable && !usable.sure.isEmpty
      if !isSure { walk.doubt(localNodeUnknown(service, rule, source)) }
    }
    for backend in stale { walk.add(Walk(.no, self.stale(service, backend))) }
    noteLeftOut(service, port, list, &walk)
    if case .nodePort(nil) = entry, let finding = nodesWithoutEndpoint(service, list) { walk.note(finding) }
    return walk
  }

  /// That only endpoints of one node are used.
  struct Locality {
    let field: String
    /// Nil when not known.
    let node: String?
  }

  private func locality(_ service: Service, _ entry: ServiceEntry, _ source: End) -> Locality? {
    switch entry {
    case .cluster where service.internalTrafficPolicy == .local:
      Locality(field: "internalTrafficPolicy", node: source.isForwarder ? nil : source.nodeName)
    case .nodePort(let node?) where service.externalTrafficPolicy == .local:
      Locality(field: "externalTrafficPolicy", node: node.name)
    default: nil
    }
  }

  /// The endpoints that a Service sends to.
  private struct Endpoints {
    let sure: [Backend]
    /// Those that may be on another node than the one that counts.
    let possible: [Backend]
    var all: [Backend] { sure + possible }

    init(sure: [Backend]) {
      self.sure = sure
      possible = []
    }

    init(_ backends: [Backend], _ rule: Locality) {
      sure = backends.filter { $0.nodeName != nil && $0.nodeName == rule.node }
      possible = backends.filter { $0.nodeName == nil || rule.node == nil }
    }
  }

  private func way(_ service: Service, _ port: ServicePort, _ entry: ServiceEntry) -> Way {
    var way = Way()
    switch entry {
    case .cluster: return way
    case .nodePort(let node?):
      way.sentTo = (node.addresses + node.externalAddresses).map { .node(node, address: $0) }
      way.sentToPort = port.nodePort
    case .loadBalancer(let proxy?):
      way.sentTo = [.outside(proxy)]
      way.sentToPort = port.port
    case .loadBalancer(nil), .external, .nodePort(nil): break
    }
    way.sourceRewritten = service.externalTrafficPolicy == .cluster
    return way
  }

  private func families(_ service: Service, _ entry: ServiceEntry) -> Set<IPAddress.Family> {
    if case .cluster(let address?) = entry { return [address.family] }
    return service.families
  }

  /// Connects to each endpoint that has an address of a family that the client and the Service share: a client
  /// chooses among a Service's addresses. Where there is no such endpoint, each says so.
  private func connect(
    _ source: End, to backends: [Backend], _ service: Service, _ port: ServicePort, _ families: Set<IPAddress.Family>,
    by way: Way
  ) -> Walk {
    let shared = source.families.intersection(families)
    let fitting = backends.filter { backend in
      backend.addresses.isEmpty || backend.addresses.contains { shared.contains($0.family) }
    }
    var walk = Walk()
    for backend in fitting.isEmpty ? backends : fitting {
      walk.add(connect(source, backend, service, port, fitting.isEmpty ? families : shared, by: way))
    }
    return walk
  }

  private func connect(
    _ source: End, _ backend: Backend, _ service: Service, _ port: ServicePort, _ families: Set<IPAddress.Family>,
    by way: Way
  ) -> Walk {
    let number = backend.port ?? port.port
    if let missing = backend.missingPod { return Walk(.unknown, unknownEndpoint(service, missing, backend)) }
    let destination: End
    if let pod = backend.pod {
      destination = end(pod, addresses: backend.addresses)
    } else {
      destination = End(title: backend.title, parties: backend.addresses.map { party(at: $0) })
    }
    var walk = connect(source, destination.only(families), port.proto, number, by: way)
    walk.findings.removeAll { $0.code == .podNotReady }
    if backend.pod == nil, let gap = backend.addresses.lazy.compactMap({ self.unknownPod($0) }).first {
      walk.doubt(gap)
    }
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

  // MARK: Headless Services

  /// A headless Service is only a name for its pods: whoever uses it connects to them directly, and no port is
  /// translated.
  private func walkHeadless(
    _ service: Service, _ port: UInt16?, _ proto: TrafficProtocol?, from source: End
  ) -> Walk {
    let ports = service.ports.filter { proto == nil || $0.proto == proto }
    let any = ServicePort(port: port ?? 1, proto: proto ?? .tcp)
    // A port that the Service does not have is asked of the same pods, and so is ICMP, which has none.
    var asked: [ServicePort]?
    if port != nil || proto == .icmp {
      asked = [Self.tcpFirst(ports.filter { $0.port == port }).first ?? ports.first ?? service.ports.first ?? any]
    }
    var walk = Walk()
    for servicePort in asked ?? ports {
      let list = cluster.backends(of: service, servicePort)
      if list.usable.isEmpty && list.stale.isEmpty {
        walk.add(Walk(.no, noEndpoint(service, servicePort, list)))
        continue
      }
      let number = ServicePort(port: port ?? servicePort.port, proto: proto ?? servicePort.proto)
      let direct = list.usable.map { $0.asked(at: port ?? $0.port) }
      var part = connect(source, to: direct, service, number, service.families, by: Way())
      if let port, servicePort.port == port, let wrong = list.usable.first(where: { !$0.offers(number) }),
        let target = wrong.port
      {
        part.doubt(headlessPort(service, port, target))
      }
      for backend in list.stale { part.add(Walk(.no, stale(service, backend))) }
      walk.add(part)
    }
    if walk.steps.isEmpty { return Walk(.no, portNotFound(service, port, proto)) }
    return walk
  }
}

extension Backend {
  /// The same endpoint at another port.
  fileprivate func asked(at port: UInt16?) -> Backend {
    Backend(
      pod: pod, addresses: addresses, port: port, nodeName: nodeName, missingPod: missingPod, evidence: evidence)
  }

  /// Whether something is said to listen there: it is the target port, or a container declares it.
  fileprivate func offers(_ asked: ServicePort) -> Bool {
    port == nil || port == asked.port
      || pod?.template.ports.contains { $0.port == asked.port && $0.proto == asked.proto } ?? false
  }
}
