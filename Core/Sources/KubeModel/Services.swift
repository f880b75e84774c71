public import NetTypes

/// A port given by number or by the name of a container port.
public enum PortReference: Hashable, Sendable, CustomStringConvertible {
  case number(UInt16)
  case name(String)

  public var description: String {
    switch self {
    case .number(let number): String(number)
    case .name(let name): "\"\(name)\""
    }
  }
}

public struct ServicePort: Hashable, Sendable {
  public let name: String?
  public let port: UInt16
  public let proto: TrafficProtocol
  public let targetPort: PortReference
  public let nodePort: UInt16?
  public let line: UInt32

  public init(
    name: String? = nil, port: UInt16, proto: TrafficProtocol = .tcp,
    targetPort: PortReference? = nil,
    nodePort: UInt16? = nil, line: UInt32 = 0
  ) {
    self.name = name
    self.port = port
    self.proto = proto
    self.targetPort = targetPort ?? .number(port)
    self.nodePort = nodePort
    self.line = line
  }
}

/// A Service (`core/v1.Service`, Kubernetes 1.34).
public struct Service: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case clusterIP = "ClusterIP"
    case nodePort = "NodePort"
    case loadBalancer = "LoadBalancer"
    case externalName = "ExternalName"
  }

  public enum TrafficPolicy: String, Hashable, Sendable, CaseIterable {
    case cluster = "Cluster"
    case local = "Local"
  }

  public var name: ObjectName
  public var kind: Kind = .clusterIP
  /// Nil when the Service has no selector: its endpoints are then made by somebody else. An empty selector counts
  /// as none (core/v1 ServiceSpec.selector).
  public var selector: LabelSelector?
  public var ports: [ServicePort] = []
  public var clusterAddresses: [IPAddress] = []
  /// `ipFamilies`; empty when it was left to the API server.
  public var declaredFamilies: Set<IPAddress.Family> = []
  /// `clusterIP: None`.
  public var headless = false
  public var externalAddresses: [IPAddress] = []
  public var loadBalancerAddresses: [IPAddress] = []
  /// Load balancer addresses that the nodes do not translate (`ipMode: Proxy`).
  public var proxyAddresses: [IPAddress] = []
  public var sourceRanges: [IPPrefix] = []
  public var externalName: String?
  public var internalTrafficPolicy: TrafficPolicy = .cluster
  public var externalTrafficPolicy: TrafficPolicy = .cluster
  public var publishNotReadyAddresses = false
  /// `sessionAffinity: ClientIP`.
  public var clientAffinity = false
  public var origin: Origin

  public init(name: ObjectName, origin: Origin) {
    self.name = name
    self.origin = origin
  }

  /// The address families that it is or may be reached by.
  public var families: Set<IPAddress.Family> {
    let known = clusterAddresses.isEmpty ? declaredFamilies : Set(clusterAddresses.map(\.family))
    return known.isEmpty ? [.v4, .v6] : known
  }
}

/// The endpoints of a Service as the cluster recorded them: an EndpointSlice (`discovery.k8s.io/v1`), or one subset
/// of an Endpoints object (`core/v1`).
public struct EndpointSlice: Hashable, Sendable {
  public struct Endpoint: Hashable, Sendable {
    public let addresses: [IPAddress]
    /// `conditions.ready`, where absent means yes.
    public let ready: Bool
    /// `conditions.serving`, where absent means the same as ready.
    public let serving: Bool
    public let terminating: Bool
    public let nodeName: String?
    /// The pod in `targetRef`.
    public let pod: ObjectName?
    public let line: UInt32

    public init(
      addresses: [IPAddress], ready: Bool = true, serving: Bool? = nil, terminating: Bool = false,
      nodeName: String? = nil, pod: ObjectName? = nil, line: UInt32 = 0
    ) {
      self.addresses = addresses
      self.ready = ready
      self.serving = serving ?? ready
      self.terminating = terminating
      self.nodeName = nodeName
      self.pod = pod
      self.line = line
    }
  }

  public struct Port: Hashable, Sendable {
    public let name: String?
    /// Nil means all ports.
    public let port: UInt16?
    public let proto: TrafficProtocol

    public init(name: String?, port: UInt16?, proto: TrafficProtocol = .tcp) {
      self.name = name
      self.port = port
      self.proto = proto
    }
  }

  public enum Source: String, Hashable, Sendable {
    case slice = "EndpointSlice"
    case endpoints = "Endpoints"
  }

  public let source: Source
  public let name: ObjectName
  /// The Service these belong to, in the same namespace.
  public var service: String
  public let endpoints: [Endpoint]
  public let ports: [Port]
  public let origin: Origin

  public init(
    source: Source, name: ObjectName, service: String, endpoints: [Endpoint], ports: [Port],
    origin: Origin
  ) {
    self.source = source
    self.name = name
    self.service = service
    self.endpoints = endpoints
    self.ports = ports
    self.origin = origin
  }
}
