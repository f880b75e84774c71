/// An Ingress (`networking.k8s.io/v1`) or a Gateway API route (`gateway.networking.k8s.io`), reduced to what leads
/// from it to Services.
public struct Route: Hashable, Sendable {
  public struct ID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let kind: String
    public let name: ObjectName

    public init(kind: String, name: ObjectName) {
      self.kind = kind
      self.name = name
    }

    public var description: String { "\(kind)/\(name)" }
    public static func < (a: ID, b: ID) -> Bool { (a.kind, a.name) < (b.kind, b.name) }
  }

  public struct Backend: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
      case service(ObjectName, port: PortReference?)
      /// Not a Service, e.g. an Ingress `resource` backend.
      case other(String)
    }

    /// What selects this backend, for people: host and path, or the rule's number.
    public let match: String
    public let target: Target
    /// A backend of weight 0 receives nothing.
    public let weight: Int
    public let line: UInt32

    public init(match: String, target: Target, weight: Int = 1, line: UInt32 = 0) {
      self.match = match
      self.target = target
      self.weight = weight
      self.line = line
    }
  }

  public let id: ID
  /// The protocol that backends are spoken to with.
  public let proto: TrafficProtocol
  public let backends: [Backend]
  /// The Gateways that a route is attached to; empty for an Ingress.
  public let gateways: [ObjectName]
  public let origin: Origin

  public init(
    id: ID, proto: TrafficProtocol, backends: [Backend], gateways: [ObjectName] = [], origin: Origin
  ) {
    self.id = id
    self.proto = proto
    self.backends = backends
    self.gateways = gateways
    self.origin = origin
  }
}

/// A ReferenceGrant: routes of `fromKind` in `fromNamespace` may name Services of this object's namespace.
public struct ReferenceGrant: Hashable, Sendable {
  public struct From: Hashable, Sendable {
    public let kind: String
    public let namespace: String

    public init(kind: String, namespace: String) {
      self.kind = kind
      self.namespace = namespace
    }
  }

  public let name: ObjectName
  public let from: [From]
  /// The Services that may be named; nil for all.
  public let services: Set<String>?
  public let origin: Origin

  public init(name: ObjectName, from: [From], services: Set<String>?, origin: Origin) {
    self.name = name
    self.from = from
    self.services = services
    self.origin = origin
  }
}
