public import NetTypes

public struct Namespace: Hashable, Sendable {
  public let name: String
  public let labels: Labels
  /// Nil when the namespace is known only because an object lives in it.
  public let origin: Origin?

  /// The API server labels every namespace with its own name (`kubernetes.io/metadata.name`, since 1.21).
  public init(name: String, labels: Labels = Labels(), origin: Origin? = nil) {
    self.name = name
    self.origin = origin
    var labels = labels
    labels.set("kubernetes.io/metadata.name", name)
    self.labels = labels
  }
}

public struct Node: Hashable, Sendable {
  public let name: String
  public let labels: Labels
  /// `status.addresses` of the kind InternalIP: what the node speaks from within the cluster. Without any, those of the
  /// kind ExternalIP.
  public let addresses: [IPAddress]
  /// The other addresses of the kind ExternalIP.
  public let externalAddresses: [IPAddress]
  public let podCIDRs: [IPPrefix]
  public let origin: Origin

  public init(
    name: String, labels: Labels = Labels(), addresses: [IPAddress], externalAddresses: [IPAddress] = [],
    podCIDRs: [IPPrefix] = [], origin: Origin
  ) {
    self.name = name
    self.labels = labels
    self.addresses = addresses
    self.externalAddresses = externalAddresses
    self.podCIDRs = podCIDRs
    self.origin = origin
  }
}

/// A transport protocol that a port belongs to, or ICMP, which has none.
public enum TrafficProtocol: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case tcp, udp, sctp, icmp

  /// The name as Kubernetes spells it.
  public var description: String {
    switch self {
    case .tcp: "TCP"
    case .udp: "UDP"
    case .sctp: "SCTP"
    case .icmp: "ICMP"
    }
  }

  /// From a name in any case.
  public init?(name: String) {
    let upper = name.uppercased()
    guard let match = Self.allCases.first(where: { $0.description == upper }) else { return nil }
    self = match
  }
}

/// A port that a container of a pod declares.
public struct ContainerPort: Hashable, Sendable {
  public let name: String?
  public let port: UInt16
  public let proto: TrafficProtocol
  public let hostPort: UInt16?
  /// The node address that `hostPort` is bound to; nil for all.
  public let hostAddress: IPAddress?

  public init(
    name: String? = nil, port: UInt16, proto: TrafficProtocol = .tcp, hostPort: UInt16? = nil,
    hostAddress: IPAddress? = nil
  ) {
    self.name = name
    self.port = port
    self.proto = proto
    self.hostPort = hostPort
    self.hostAddress = hostAddress
  }
}

/// What a pod and a workload's template have in common: the parts of a pod that the network depends on.
public struct PodTemplate: Hashable, Sendable {
  public var labels: Labels
  /// Ports of the containers that run for the pod's whole life: containers, then sidecars (init containers with
  /// `restartPolicy: Always`). Ports of other init containers are gone by the time the pod serves.
  public var ports: [ContainerPort]
  public var hostNetwork: Bool
  public var nodeName: String?
  public var images: [String]

  public init(
    labels: Labels = Labels(), ports: [ContainerPort] = [], hostNetwork: Bool = false,
    nodeName: String? = nil,
    images: [String] = []
  ) {
    self.labels = labels
    self.ports = ports
    self.hostNetwork = hostNetwork
    self.nodeName = nodeName
    self.images = images
  }

  /// The number behind a named port, by name and protocol: the first container that declares it (FindPort in
  /// pkg/api/v1/pod/util.go, Kubernetes 1.34).
  public func port(named name: String, _ proto: TrafficProtocol) -> UInt16? {
    ports.first { $0.name == name && $0.proto == proto }?.port
  }
}

public enum WorkloadKind: String, Hashable, Sendable, CaseIterable, Comparable {
  case deployment = "Deployment"
  case statefulSet = "StatefulSet"
  case daemonSet = "DaemonSet"
  case replicaSet = "ReplicaSet"
  case job = "Job"
  case cronJob = "CronJob"
  case replicationController = "ReplicationController"

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The controller in an object's `metadata.ownerReferences`.
public struct Owner: Hashable, Sendable {
  public let kind: String
  public let name: String

  public init(kind: String, name: String) {
    self.kind = kind
    self.name = name
  }
}

/// An object that makes pods from a template.
public struct Workload: Hashable, Sendable {
  public struct ID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let kind: WorkloadKind
    public let name: ObjectName

    public init(_ kind: WorkloadKind, _ name: ObjectName) {
      self.kind = kind
      self.name = name
    }

    public var description: String { "\(kind.rawValue)/\(name)" }

    public static func < (a: ID, b: ID) -> Bool { (a.name, a.kind) < (b.name, b.kind) }
  }

  public let id: ID
  public let template: PodTemplate
  /// Pods wanted now: `spec.replicas` or a Job's `spec.parallelism`, where absent means 1. Kinds without want some.
  public let replicas: Int
  /// The number of a StatefulSet's first pod: `spec.ordinals.start`.
  public let firstOrdinal: Int
  public let owner: Owner?
  public let origin: Origin

  public init(
    id: ID, template: PodTemplate, replicas: Int = 1, firstOrdinal: Int = 0, owner: Owner? = nil,
    origin: Origin
  ) {
    self.id = id
    self.template = template
    self.replicas = replicas
    self.firstOrdinal = firstOrdinal
    self.owner = owner
    self.origin = origin
  }
}

public struct Pod: Hashable, Sendable {
  public enum Phase: UInt8, Hashable, Sendable {
    /// No status was given, as in a manifest that somebody wrote: the pod is taken to run.
    case assumed
    case pending, running, finished
  }

  public let name: ObjectName
  public let template: PodTemplate
  /// `status.podIPs`; empty when nobody knows them yet. Those of a host-network pod are its node's.
  public let addresses: [IPAddress]
  public let phase: Phase
  public let ready: Bool
  public let terminating: Bool
  public let owner: Owner?
  /// The workload that this pod stands for, when it exists only as a template.
  public let standsFor: Workload.ID?
  public let origin: Origin

  public init(
    name: ObjectName, template: PodTemplate, addresses: [IPAddress] = [], phase: Phase = .assumed,
    ready: Bool = true, terminating: Bool = false, owner: Owner? = nil,
    standsFor: Workload.ID? = nil,
    origin: Origin
  ) {
    self.name = name
    self.template = template
    self.addresses = addresses
    self.phase = phase
    self.ready = ready
    self.terminating = terminating
    self.owner = owner
    self.standsFor = standsFor
    self.origin = origin
  }

  public var namespace: String { name.namespace }
  public var labels: Labels { template.labels }
  public var hostNetwork: Bool { template.hostNetwork }
  public var nodeName: String? { template.nodeName }

  /// Whether the pod's containers run, or are taken to.
  public var isRunning: Bool { phase == .running || phase == .assumed }

  /// Whether the pod can speak: its init containers do so before it runs, once it has an address.
  public var hasNetwork: Bool { isRunning || phase == .pending && !addresses.isEmpty }

  /// How a person names it: `pod shop/web-1`, or `Deployment/shop/web` for a template whose pods have no names yet.
  public var title: String {
    guard let standsFor, standsFor.kind != .statefulSet else { return "pod \(name)" }
    return standsFor.description
  }
}
