public import KubeModel
public import NetTypes

/// One end of a question, as a person names it.
public enum EndReference: Hashable, Sendable {
  /// A pod, or where there is none of that name, the template of a workload.
  case pod(ObjectName)
  case workload(Workload.ID)
  case service(ObjectName)
  case node(String)
  case address(IPAddress)
  case route(Route.ID)
}

extension EndReference: LosslessStringConvertible {
  private static let workloadNames: [(WorkloadKind, [String])] = [
    (.deployment, ["deployment", "deployments", "deploy"]),
    (.statefulSet, ["statefulset", "statefulsets", "sts"]),
    (.daemonSet, ["daemonset", "daemonsets", "ds"]),
    (.replicaSet, ["replicaset", "replicasets", "rs"]),
    (.job, ["job", "jobs"]),
    (.cronJob, ["cronjob", "cronjobs", "cj"]),
    (.replicationController, ["replicationcontroller", "replicationcontrollers", "rc"]),
  ]

  private static let routeKinds = ["Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"]

  /// `NAMESPACE/POD`, `pod/NAMESPACE/NAME`, `svc/NAMESPACE/NAME`, `node/NAME`, `KIND/NAMESPACE/NAME`, or an address.
  public init?(_ text: String) {
    if let address = IPAddress(text) {
      self = .address(address)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    let kind = parts[0].lowercased()
    if parts.count == 2 {
      self = kind == "node" ? .node(parts[1]) : .pod(ObjectName(parts[0], parts[1]))
      return
    }
    guard parts.count == 3 else { return nil }
    let name = ObjectName(parts[1], parts[2])
    switch kind {
    case "pod", "pods", "po": self = .pod(name)
    case "svc", "service", "services": self = .service(name)
    default:
      if let match = Self.workloadNames.first(where: { $0.1.contains(kind) }) {
        self = .workload(Workload.ID(match.0, name))
      } else if let match = Self.routeKinds.first(where: { $0.lowercased() == kind || $0.lowercased() + "s" == kind }) {
        self = .route(Route.ID(kind: match, name: name))
      } else if kind == "ing" || kind == "ingresses" {
        self = .route(Route.ID(kind: "Ingress", name: name))
      } else {
        return nil
      }
    }
  }

  /// Whether it can speak first: everything but an Ingress or a route, which stand for what others forward.
  public var canBeSource: Bool { if case .route = self { false } else { true } }

  public var description: String {
    switch self {
    case .pod(let name): "pod/\(name)"
    case .workload(let id): id.description
    case .service(let name): "svc/\(name)"
    case .node(let name): "node/\(name)"
    case .address(let address): address.description
    case .route(let id): id.description
    }
  }
}

/// Can SOURCE talk to DESTINATION?
public struct Question: Hashable, Sendable {
  public let source: EndReference
  public let destination: EndReference
  /// Nil asks for the ports that the destination offers: a Service's ports, the ports that a pod's containers declare,
  /// or every port where none is declared.
  public let port: UInt16?
  /// Nil means TCP, or for a Service asked without a port, whatever its ports are.
  public let proto: TrafficProtocol?

  public init(
    source: EndReference, destination: EndReference, port: UInt16? = nil, proto: TrafficProtocol? = nil
  ) {
    self.source = source
    self.destination = destination
    self.port = port
    self.proto = proto
  }
}

/// The question names something that is not there.
public struct NotFound: Error, Hashable, CustomStringConvertible {
  public let reference: EndReference

  public var description: String { "\(reference) is not in the manifests" }
}

/// A step of the walk from source to destination, with the steps that follow from it.
public struct Step: Hashable, Sendable {
  public enum Mark: String, Hashable, Sendable {
    case passed, blocked, unknown, note
  }

  public let mark: Mark
  public let text: String
  /// Where the object that decided is written: `FILE:LINE`.
  public let place: String?
  public var children: [Step]

  public init(_ mark: Mark, _ text: String, place: String? = nil, children: [Step] = []) {
    self.mark = mark
    self.text = text
    self.place = place
    self.children = children
  }
}

/// The answer to a question.
public struct Diagnosis: Hashable, Sendable {
  public let question: Question
  public let verdict: Verdict
  public let findings: [Finding]
  /// What the answer covers, of `policy`, `service` and `dataplane`.
  public let checked: [String]
  /// What was taken for granted.
  public let assumptions: [String]
  public let steps: [Step]

  public init(
    question: Question, verdict: Verdict, findings: [Finding], checked: [String], assumptions: [String],
    steps: [Step]
  ) {
    self.question = question
    self.verdict = verdict
    self.findings = findings
    self.checked = checked
    self.assumptions = assumptions
    self.steps = steps
  }
}
