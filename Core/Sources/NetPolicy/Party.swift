public import KubeModel
public import NetTypes

/// One end of a connection, as network policy sees it.
public struct Party: Hashable, Sendable {
  /// Nil for a node itself and for an address outside the cluster.
  public let pod: Pod?
  /// The labels of the pod's namespace.
  public let namespaceLabels: Labels
  /// Set for a node and for host-network pods: the traffic is the node's.
  public let isHost: Bool
  /// The node that this is, or runs on; nil when not known, or outside.
  public let node: Node?
  /// The node's name, known even when the node itself is not.
  public let nodeName: String?
  /// Nil when nobody knows it: the pod exists only in a manifest.
  public let address: IPAddress?

  private init(
    pod: Pod?, namespaceLabels: Labels, isHost: Bool, node: Node?, nodeName: String?,
    address: IPAddress?
  ) {
    self.pod = pod
    self.namespaceLabels = namespaceLabels
    self.isHost = isHost
    self.node = node
    self.nodeName = nodeName
    self.address = address
  }

  /// A pod, speaking from or reached at one of its addresses.
  public static func pod(_ pod: Pod, address: IPAddress?, in cluster: Cluster) -> Party {
    Party(
      pod: pod, namespaceLabels: cluster.namespaces[pod.namespace]?.labels ?? Labels(),
      isHost: pod.hostNetwork,
      node: pod.nodeName.flatMap { cluster.nodes[$0] }, nodeName: pod.nodeName, address: address)
  }

  public static func node(_ node: Node, address: IPAddress?) -> Party {
    Party(
      pod: nil, namespaceLabels: Labels(), isHost: true, node: node, nodeName: node.name,
      address: address)
  }

  /// An address outside the cluster; nil when it is somewhere outside, but not known where.
  public static func outside(_ address: IPAddress?) -> Party {
    Party(
      pod: nil, namespaceLabels: Labels(), isHost: false, node: nil, nodeName: nil, address: address
    )
  }

  /// A node that is not known, but is not the one a pod runs on.
  public static let someOtherNode = Party(
    pod: nil, namespaceLabels: Labels(), isHost: true, node: nil, nodeName: "", address: nil)

  /// The pod, when policies can select it: host-network pods are their node.
  public var ownPod: Pod? { isHost ? nil : pod }

  /// For people: `pod shop/web`, `node n1`, an address.
  public var title: String {
    if let pod { return pod.title }
    if let node { return "node \(node.name)" }
    return address.map(\.description) ?? "somewhere"
  }
}

/// A connection (or, for ICMP, an exchange) to be judged: after service translation, so the destination is where the
/// packet arrives and the port is the one it arrives at.
public struct Flow: Hashable, Sendable {
  public var source: Party
  public var destination: Party
  public var proto: TrafficProtocol
  /// Nil for ICMP, and only for it.
  public var port: UInt16?

  public init(source: Party, destination: Party, proto: TrafficProtocol, port: UInt16?) {
    self.source = source
    self.destination = destination
    self.proto = proto
    self.port = port
  }

  /// The end whose policies of this direction apply.
  public func subject(_ direction: PolicyDirection) -> Party {
    direction == .ingress ? destination : source
  }

  /// The end that the rules of this direction name.
  public func peer(_ direction: PolicyDirection) -> Party {
    direction == .ingress ? source : destination
  }
}
