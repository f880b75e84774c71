public import NetTypes

/// The objects of a cluster that decide who can talk to whom, and the indexes to find them by.
public struct Cluster: Sendable {
  /// The files that `Origin.file` counts.
  public var files: [String] = []
  public private(set) var namespaces: [String: Namespace] = [:]
  public private(set) var nodes: [String: Node] = [:]
  public private(set) var pods = PodStore()
  public private(set) var workloads: [Workload.ID: Workload] = [:]
  public private(set) var services: [ObjectName: Service] = [:]
  public private(set) var policies: [String: [NetworkPolicy]] = [:]
  /// In order of tier, priority and name.
  public private(set) var adminPolicies: [AdminPolicy] = []
  public private(set) var unmodelled: [UnmodelledPolicy] = []
  public private(set) var routes: [Route.ID: Route] = [:]
  public private(set) var grants: [String: [ReferenceGrant]] = [:]

  /// Whether any pod, node or Service was seen to have an IPv6 address. It stays set when that object goes.
  public private(set) var hasIPv6 = false

  private var slices: [ObjectName: [EndpointSlice]] = [:]
  private var nodeByAddress: [IPAddress: String] = [:]
  private var servicesByAddress: [IPAddress: [ObjectName]] = [:]
  private var servicesByNodePort: [NodePort: ObjectName] = [:]

  fileprivate struct NodePort: Hashable {
    let port: UInt16
    let proto: TrafficProtocol
  }

  public init() {}

  // MARK: Adding. Each returns the object that it replaced, if any.

  @discardableResult
  public mutating func upsert(_ namespace: Namespace) -> Namespace? {
    let old = namespaces.updateValue(namespace, forKey: namespace.name)
    return old?.origin == nil ? nil : old
  }

  /// Makes a namespace exist because something lives in it.
  private mutating func imply(_ namespace: String) {
    if namespaces[namespace] == nil { namespaces[namespace] = Namespace(name: namespace) }
  }

  private mutating func note(_ addresses: [IPAddress]) {
    if !hasIPv6 { hasIPv6 = addresses.contains { $0.family == .v6 } }
  }

  @discardableResult
  public mutating func upsert(_ node: Node) -> Node? {
    let old = removeNode(node.name)
    nodes[node.name] = node
    for address in node.addresses { nodeByAddress[address] = node.name }
    note(node.addresses)
    note(node.podCIDRs.map(\.address))
    return old
  }

  @discardableResult
  public mutating func removeNode(_ name: String) -> Node? {
    guard let old = nodes.removeValue(forKey: name) else { return nil }
    for address in old.addresses where nodeByAddress[address] == name { nodeByAddress[address] = nil }
    return old
  }

  @discardableResult
  public mutating func upsert(_ pod: Pod) -> Pod? {
    imply(pod.namespace)
    let old = pods[pod.name]
    pods.upsert(pod)
    note(pod.addresses)
    return old
  }

  @discardableResult
  public mutating func removePod(_ name: ObjectName) -> Pod? { pods.remove(name) }

  @discardableResult
  public mutating func upsert(_ workload: Workload) -> Workload? {
    imply(workload.id.name.namespace)
    return workloads.updateValue(workload, forKey: workload.id)
  }

  @discardableResult
  public mutating func upsert(_ service: Service) -> Service? {
    imply(service.name.namespace)
    let old = removeService(service.name)
    services[service.name] = service
    note(service.clusterAddresses)
    for address in service.allAddresses { servicesByAddress[address, default: []].append(service.name) }
    for port in service.nodePorts { servicesByNodePort[port] = service.name }
    return old
  }

  @discardableResult
  public mutating func removeService(_ name: ObjectName) -> Service? {
    guard let old = services.removeValue(forKey: name) else { return nil }
    for address in old.allAddresses {
      servicesByAddress[address]?.removeAll { $0 == name }
      if servicesByAddress[address]?.isEmpty ?? false { servicesByAddress[address] = nil }
    }
    for port in old.nodePorts where servicesByNodePort[port] == name { servicesByNodePort[port] = nil }
    return old
  }

  @discardableResult
  public mutating func upsert(_ slice: EndpointSlice) -> EndpointSlice? {
    imply(slice.name.namespace)
    let key = ObjectName(slice.name.namespace, slice.service)
    var old: EndpointSlice?
    // The subsets of one Endpoints object arrive as several slices of one name: only EndpointSlices replace.
    if slice.source == .slice,
      let index = slices[key]?.firstIndex(where: { $0.source == .slice && $0.name == slice.name })
    {
      old = slices[key]?.remove(at: index)
    }
    slices[key, default: []].append(slice)
    return old
  }

  /// Removes the slice of this name, or the Endpoints object of the Service of this name.
  public mutating func removeEndpoints(_ source: EndpointSlice.Source, _ name: ObjectName, of service: String) {
    let key = ObjectName(name.namespace, service)
    slices[key]?.removeAll { $0.source == source && $0.name == name }
    if slices[key]?.isEmpty ?? false { slices[key] = nil }
  }

  @discardableResult
  public mutating func upsert(_ policy: NetworkPolicy) -> NetworkPolicy? {
    imply(policy.name.namespace)
    let list = policies[policy.name.namespace] ?? []
    if let index = list.firstIndex(where: { $0.name == policy.name }) {
      policies[policy.name.namespace]?[index] = policy
      return list[index]
    }
    policies[policy.name.namespace, default: []].append(policy)
    return nil
  }

  @discardableResult
  public mutating func upsert(_ policy: AdminPolicy) -> AdminPolicy? {
    let index = adminPolicies.firstIndex { $0.kind == policy.kind && $0.name == policy.name }
    let old = index.map { adminPolicies.remove(at: $0) }
    let place = adminPolicies.firstIndex { policy.sortKey < $0.sortKey } ?? adminPolicies.endIndex
    adminPolicies.insert(policy, at: place)
    return old
  }

  public mutating func removePolicy(_ name: ObjectName) {
    policies[name.namespace]?.removeAll { $0.name == name }
    if policies[name.namespace]?.isEmpty ?? false { policies[name.namespace] = nil }
  }

  public mutating func removeAdminPolicy(kind: String, _ name: String) {
    adminPolicies.removeAll { $0.kind == kind && $0.name == name }
  }

  public mutating func add(_ policy: UnmodelledPolicy) { unmodelled.append(policy) }

  @discardableResult
  public mutating func upsert(_ route: Route) -> Route? {
    imply(route.id.name.namespace)
    return routes.updateValue(route, forKey: route.id)
  }

  public mutating func add(_ grant: ReferenceGrant) {
    grants[grant.name.namespace, default: []].append(grant)
  }

  // MARK: Finding

  public func node(at address: IPAddress) -> Node? { nodeByAddress[address].flatMap { nodes[$0] } }

  /// The Services that answer on this address: cluster, external or load balancer address.
  public func services(at address: IPAddress) -> [Service] {
    servicesByAddress[address]?.compactMap { services[$0] } ?? []
  }

  public func service(nodePort: UInt16, _ proto: TrafficProtocol) -> Service? {
    servicesByNodePort[NodePort(port: nodePort, proto: proto)].flatMap { services[$0] }
  }

  /// What the cluster recorded as the Service's endpoints: its EndpointSlices, or else its Endpoints. Empty when there
  /// is neither.
  public func endpoints(of service: ObjectName) -> [EndpointSlice] {
    let all = slices[service] ?? []
    let modern = all.filter { $0.source == .slice }
    return modern.isEmpty ? all : modern
  }

  /// The addresses that a pod is reached at and speaks from: for a host-network pod those of its node.
  public func addresses(of pod: Pod) -> [IPAddress] {
    guard pod.hostNetwork, pod.addresses.isEmpty else { return pod.addresses }
    return pod.nodeName.flatMap { nodes[$0]?.addresses } ?? []
  }

  /// The pods that a workload made, directly or through objects it owns.
  public func pods(of workload: Workload.ID) -> [Pod] {
    let owner = Owner(kind: workload.kind.rawValue, name: workload.name.name)
    let namespace = workload.name.namespace
    var result = pods.owned(by: owner, in: namespace)
    for child in children[workload] ?? [] { result += pods(of: child) }
    return result
  }

  private var children: [Workload.ID: [Workload.ID]] = [:]

  /// Makes one pod out of the template of each workload that has none of its own, wants some, and is not itself made
  /// by another workload. Call it once all objects are there; calling it again starts over.
  public mutating func addTemplatePods() {
    for pod in Array(pods.all) where pod.standsFor != nil { pods.remove(pod.name) }
    children = [:]
    var owned: Set<Workload.ID> = []
    for workload in workloads.values {
      guard let owner = workload.owner, let kind = WorkloadKind(rawValue: owner.kind) else {
        continue
      }
      let parent = Workload.ID(kind, ObjectName(workload.id.name.namespace, owner.name))
      guard workloads[parent] != nil else { continue }
      children[parent, default: []].append(workload.id)
      owned.insert(workload.id)
    }
    for workload in workloads.values.sorted(by: { $0.id < $1.id }) {
      guard workload.replicas > 0, !owned.contains(workload.id), pods(of: workload.id).isEmpty
      else { continue }
      let pod = templatePod(of: workload)
      pods.upsert(pod)
    }
  }

  /// The pod that a workload would make. Its name has a slash-free kind in it, so that no pod can have it.
  public func templatePod(of workload: Workload) -> Pod {
    let id = workload.id
    let node = workload.template.nodeName.flatMap { nodes[$0] }
    return Pod(
      name: ObjectName(id.name.namespace, "\(id.kind.rawValue):\(id.name.name)"),
      template: workload.template,
      addresses: workload.template.hostNetwork ? node?.addresses ?? [] : [], standsFor: id,
      origin: workload.origin)
  }

  /// `FILE:LINE`, for people.
  public func place(_ origin: Origin) -> String {
    let file = Int(origin.file) < files.count ? files[Int(origin.file)] : "-"
    return origin.line == 0 ? file : "\(file):\(origin.line)"
  }
}

extension Service {
  fileprivate var allAddresses: [IPAddress] { clusterAddresses + externalAddresses + loadBalancerAddresses }

  fileprivate var nodePorts: [Cluster.NodePort] {
    ports.compactMap { port in port.nodePort.map { Cluster.NodePort(port: $0, proto: port.proto) } }
  }
}

extension AdminPolicy {
  var sortKey: (UInt8, Int, String, String) { (tier.rawValue, priority, kind, name) }
}
