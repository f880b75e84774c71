public import NetTypes

public enum PolicyDirection: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case ingress = "Ingress"
  case egress = "Egress"

  public var description: String { self == .ingress ? "ingress" : "egress" }
}

/// A block of addresses with holes.
public struct IPBlock: Hashable, Sendable {
  public let cidr: IPPrefix
  public let except: [IPPrefix]

  public init(_ cidr: IPPrefix, except: [IPPrefix] = []) {
    self.cidr = cidr
    self.except = except
  }
}

/// One entry of `from` or `to`. Within an entry selectors are an AND, between entries there is an OR.
public enum PolicyPeer: Hashable, Sendable {
  /// At least one of the two is given. Without a namespace selector the policy's own namespace is meant, without a
  /// pod selector all pods of the namespaces.
  case pods(namespaces: LabelSelector?, pods: LabelSelector?)
  case block(IPBlock)
}

/// One entry of `ports`: a protocol, and a port, a range, a name, or none of these for all ports.
public struct PolicyPort: Hashable, Sendable {
  public enum Port: Hashable, Sendable {
    case all
    case range(UInt16, UInt16)
    case named(String)
  }

  /// Nil means that the protocol does not matter: only an admin policy's named port can say so.
  public let proto: TrafficProtocol?
  public let port: Port

  public init(_ proto: TrafficProtocol?, _ port: Port) {
    self.proto = proto
    self.port = port
  }
}

extension PolicyPort: CustomStringConvertible {
  public var description: String {
    let prefix = proto.map { "\($0) " } ?? ""
    return switch port {
    case .all: "\(prefix)any port"
    case .range(let low, let high): low == high ? "\(prefix)\(low)" : "\(prefix)\(low)-\(high)"
    case .named(let name): "\(prefix)\"\(name)\""
    }
  }
}

/// One entry of `spec.ingress` or `spec.egress`.
public struct PolicyRule: Hashable, Sendable {
  /// Empty, which is the same as absent, means every peer.
  public let peers: [PolicyPeer]
  /// Empty, which is the same as absent, means every port and protocol.
  public let ports: [PolicyPort]
  /// The rule's line within the policy's file.
  public let line: UInt32

  public init(peers: [PolicyPeer] = [], ports: [PolicyPort] = [], line: UInt32 = 0) {
    self.peers = peers
    self.ports = ports
    self.line = line
  }
}

/// A NetworkPolicy (`networking.k8s.io/v1`, Kubernetes 1.34).
public struct NetworkPolicy: Hashable, Sendable {
  public let name: ObjectName
  public let podSelector: LabelSelector
  /// As written; empty when absent.
  public let policyTypes: [PolicyDirection]
  public let ingress: [PolicyRule]
  public let egress: [PolicyRule]
  public let origin: Origin

  public init(
    name: ObjectName, podSelector: LabelSelector, policyTypes: [PolicyDirection] = [],
    ingress: [PolicyRule] = [],
    egress: [PolicyRule] = [], origin: Origin
  ) {
    self.name = name
    self.podSelector = podSelector
    self.policyTypes = policyTypes
    self.ingress = ingress
    self.egress = egress
    self.origin = origin
  }

  public func rules(_ direction: PolicyDirection) -> [PolicyRule] {
    direction == .ingress ? ingress : egress
  }
}

/// What an admin policy selects pods by.
public struct NamespacedPods: Hashable, Sendable {
  public let namespaces: LabelSelector
  /// Nil means all pods of the namespaces.
  public let pods: LabelSelector?

  public init(namespaces: LabelSelector, pods: LabelSelector? = nil) {
    self.namespaces = namespaces
    self.pods = pods
  }
}

public enum AdminPeer: Hashable, Sendable {
  case pods(NamespacedPods)
  /// Egress only.
  case nodes(LabelSelector)
  /// Egress only. Matches addresses of pods and nodes too.
  case networks([IPPrefix])
  /// Egress only, and only in rules that allow.
  case domainNames([String])
}

public struct AdminRule: Hashable, Sendable {
  public enum Action: String, Hashable, Sendable {
    case allow = "Allow"
    case deny = "Deny"
    case pass = "Pass"
  }

  public let name: String
  public let action: Action
  /// Never empty.
  public let peers: [AdminPeer]
  /// Empty means every port and protocol.
  public let ports: [PolicyPort]
  public let line: UInt32

  public init(
    name: String = "", action: Action, peers: [AdminPeer], ports: [PolicyPort] = [],
    line: UInt32 = 0
  ) {
    self.name = name
    self.action = action
    self.peers = peers
    self.ports = ports
    self.line = line
  }
}

/// An AdminNetworkPolicy or BaselineAdminNetworkPolicy (`policy.networking.k8s.io/v1alpha1`), or a
/// ClusterNetworkPolicy (`v1alpha2`), whose `Accept` is kept as allow.
public struct AdminPolicy: Hashable, Sendable {
  public enum Tier: UInt8, Hashable, Sendable {
    case admin, baseline
  }

  /// The object's kind, for people.
  public let kind: String
  public let name: String
  public let tier: Tier
  /// 0...1000; the smaller comes first.
  public let priority: Int
  public let subject: NamespacedPods
  public let ingress: [AdminRule]
  public let egress: [AdminRule]
  public let origin: Origin

  public init(
    kind: String, name: String, tier: Tier, priority: Int, subject: NamespacedPods,
    ingress: [AdminRule] = [],
    egress: [AdminRule] = [], origin: Origin
  ) {
    self.kind = kind
    self.name = name
    self.tier = tier
    self.priority = priority
    self.subject = subject
    self.ingress = ingress
    self.egress = egress
    self.origin = origin
  }

  public func rules(_ direction: PolicyDirection) -> [AdminRule] {
    direction == .ingress ? ingress : egress
  }
}

/// A policy of a kind or version that is not modelled: whatever it selects is a gap.
public struct UnmodelledPolicy: Hashable, Sendable {
  public let kind: String
  /// Empty when it applies to the whole cluster.
  public let namespace: String
  public let name: String
  public let origin: Origin

  public init(kind: String, namespace: String, name: String, origin: Origin) {
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.origin = origin
  }
}
