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
  /// The Service of each EndpointSlice.
  private var sliceServices: [ObjectName: String] = [:]
  private var nodeByAddress: [IPAddress: String] = [:]
  private var servicesByAddress: [IPAddress: [ObjectName]] = [:]
  private var servicesByNodePort: [NodePort: ObjectName] = [:]
  /// Which workload made which other; see `addTemplatePods`.
  var family = WorkloadFamily()

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
    for address in node.addresses + node.externalAddresses { nodeByAddress[address] = node.name }
    note(node.addresses)
    note(node.podCIDRs.map(\.address))
    return old
  }

  @discardableResult
  public mutating func removeNode(_ name: String) -> Node? {
    guard let old = nodes.removeValue(forKey: name) else { return nil }
    for address in old.addresses + old.externalAddresses where nodeByAddress[address] == name {
      nodeByAddress[address] = nil
    }
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

  /// Adds a pod that a workload would make.
  mutating func insertTemplate(_ pod: Pod) { pods.upsert(pod) }

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

  /// Adds an EndpointSlice.
  @discardableResult
  public mutating func upsert(_ slice: EndpointSlice) -> EndpointSlice? {
    imply(slice.name.namespace)
    let old = removeEndpointSlice(slice.name)
    sliceServices[slice.name] = slice.service
    slices[ObjectName(slice.name.namespace, slice.service), default: []].append(slice)
    return old
  }

  @discardableResult
  public mutating func removeEndpointSlice(_ name: ObjectName) -> EndpointSlice? {
    guard let service = sliceServices.removeValue(forKey: name) else { return nil }
    return removeEndpoints(.slice, name, of: service)
  }

  /// Adds an Endpoints object, whose subsets these are.
  @discardableResult
  public mutating func upsertEndpoints(_ name: ObjectName, _ subsets: [EndpointSlice]) -> EndpointSlice? {
    imply(name.namespace)
    let old = removeEndpoints(name)
    if !subsets.isEmpty { slices[name, default: []] += subsets }
    return old
  }

  @discardableResult
  public mutating func removeEndpoints(_ name: ObjectName) -> EndpointSlice? {
    removeEndpoints(.endpoints, name, of: name.name)
  }

  private mutating func removeEndpoints(
    _ source: EndpointSlice.Source, _ name: ObjectName, of service: String
  ) -> EndpointSlice? {
    let key = ObjectName(name.namespace, service)
    let old = slices[key]?.first { $0.source == source && $0.name == name }
    slices[key]?.removeAll { $0.source == source && $0.name == name }
    if slices[key]?.isEmpty ?? false { slices[key] = nil }
    return old
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

  @discardableResult
  public mutating func upsert(_ policy: UnmodelledPolicy) -> UnmodelledPolicy? {
    let old = unmodelled.firstIndex {
      $0.kind == policy.kind && $0.namespace == policy.namespace && $0.name == policy.name
    }.map { unmodelled.remove(at: $0) }
    unmodelled.append(policy)
    return old
  }

  @discardableResult
  public mutating func upsert(_ route: Route) -> Route? {
    imply(route.id.name.namespace)
    return routes.updateValue(route, forKey: route.id)
  }

  @discardableResult
  public mutating func upsert(_ grant: ReferenceGrant) -> ReferenceGrant? {
    var list = grants[grant.name.namespace] ?? []
    let old = list.firstIndex { $0.name == grant.name }.map { list.remove(at: $0) }
    grants[grant.name.namespace] = list + [grant]
    return old
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

  /// `FILE:LINE`, for people.
  public func place(_ origin: Origin) -> String {
    let file = Int(origin.file) < files.count ? files[Int(origin.file)] : "-"
    return origin.line == 0 ? file : "\(file):\(origin.line)"
  }
}

extension Service {
  fileprivate var allAddresses: [IPAddress] {
    clusterAddresses + externalAddresses + loadBalancerAddresses + proxyAddresses
  }

  fileprivate var nodePorts: [Cluster.NodePort] {
    ports.compactMap { port in port.nodePort.map { Cluster.NodePort(port: $0, proto: port.proto) } }
  }
}

extension AdminPolicy {
  var sortKey: (UInt8, Int, String, String) { (tier.rawValue, priority, kind, name) }
}
