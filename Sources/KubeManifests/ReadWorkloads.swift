import KubeModel
import NetTypes
import Yams

/// One Kubernetes object of a document, while it is turned into the model.
struct ObjectReader {
  let root: YAMLNode
  let kind: String
  let name: String
  /// Empty for kinds without a namespace, or when the manifest leaves it out.
  let namespace: String
  let origin: Origin

  /// Objects without a namespace go to the namespace `default`, as kubectl does without a context.
  func namespacedName() throws(FieldError) -> ObjectName {
    ObjectName(namespace.isEmpty ? "default" : namespace, name)
  }

  func metadataLabels() throws(FieldError) -> Labels {
    try root.get("metadata")?.labels("labels") ?? Labels()
  }

  func owner() throws(FieldError) -> Owner? {
    for reference in try root.get("metadata")?.list("ownerReferences") ?? [] {
      guard try reference.bool("controller") ?? false else { continue }
      return Owner(kind: try reference.text("kind") ?? "", name: try reference.text("name") ?? "")
    }
    return nil
  }
}

// Namespace, Node, Pod and the workloads that make pods (core/v1, apps/v1, batch/v1; Kubernetes 1.34).

extension ObjectReader {
  func readNamespace() throws(FieldError) -> Namespace {
    Namespace(name: name, labels: try metadataLabels(), origin: origin)
  }

  func node() throws(FieldError) -> KubeModel.Node {
    var addresses: [String: [IPAddress]] = [:]
    for entry in try root.get("status")?.list("addresses") ?? [] {
      guard let type = try entry.text("type"), ["InternalIP", "ExternalIP"].contains(type) else { continue }
      let address = try entry.require("address").address()
      if !addresses.values.joined().contains(address) { addresses[type, default: []].append(address) }
    }
    let external = addresses["ExternalIP"] ?? []
    let own = addresses["InternalIP"] ?? external
    let spec = try root.get("spec")
    var blocks = try spec?.list("podCIDRs").map { node throws(FieldError) in try node.prefix() } ?? []
    if blocks.isEmpty, let block = try spec?.get("podCIDR") { blocks = [try block.prefix()] }
    return KubeModel.Node(
      name: name, labels: try metadataLabels(), addresses: own,
      externalAddresses: external.filter { !own.contains($0) },
      podCIDRs: blocks, origin: origin)
  }

  func pod(sharing interned: inout Interner) throws(FieldError) -> Pod {
    let spec = try root.require("spec")
    let status = try root.get("status")
    let phase: Pod.Phase
    switch try status?.text("phase") {
    case nil: phase = .assumed
    case "Pending": phase = .pending
    case "Succeeded", "Failed": phase = .finished
    default: phase = .running
    }
    var addresses =
      try status?.list("podIPs").map { node throws(FieldError) in
        try node.require("ip").address()
      } ?? []
    if let single = try status?.get("podIP"), addresses.isEmpty { addresses = [try single.address()] }
    var ready = phase == .assumed || phase == .running
    for condition in try status?.list("conditions") ?? [] where try condition.text("type") == "Ready" {
      ready = try condition.text("status") == "True"
    }
    return Pod(
      name: try namespacedName(),
      template: interned.template(try podTemplate(labels: try metadataLabels(), spec: spec)),
      addresses: addresses, phase: phase, ready: ready,
      terminating: try root.get("metadata")?.get("deletionTimestamp") != nil, owner: try owner(), origin: origin)
  }

  private func podTemplate(labels: Labels, spec: YAMLNode) throws(FieldError) -> PodTemplate {
    let hostNetwork = try spec.bool("hostNetwork") ?? false
    var ports: [ContainerPort] = []
    var images: [String] = []
    for container in try spec.list("containers") {
      if let image = try container.text("image") { images.append(image) }
      for port in try container.list("ports") { ports.append(try containerPort(port, hostNetwork: hostNetwork)) }
    }
    for container in try spec.list("initContainers") where try container.text("restartPolicy") == "Always" {
      for port in try container.list("ports") { ports.append(try containerPort(port, hostNetwork: hostNetwork)) }
    }
    return PodTemplate(
      labels: labels, ports: ports, hostNetwork: hostNetwork, nodeName: try spec.text("nodeName"), images: images)
  }

  private func containerPort(_ node: YAMLNode, hostNetwork: Bool) throws(FieldError) -> ContainerPort {
    _ = try node.require("containerPort")
    let port = try node.port("containerPort") ?? 1
    var name: String?
    if let field = try node.get("name") {
      guard case .name(let text) = try field.portReference() else { throw field.fail("must be a port's name") }
      name = text
    }
    // On a host-network pod the API server sets hostPort to containerPort: no translation takes place.
    let hostPort = hostNetwork ? nil : try node.int("hostPort", in: 0...65535).flatMap { $0 == 0 ? nil : UInt16($0) }
    let hostAddress = try node.text("hostIP").flatMap { IPAddress($0) }
    return ContainerPort(
      name: name, port: port, proto: try node.proto("protocol") ?? .tcp, hostPort: hostPort,
      hostAddress: hostAddress.flatMap { $0.isUnspecified ? nil : $0 })
  }

  func workload(_ kind: WorkloadKind) throws(FieldError) -> Workload {
    let spec = try root.require("spec")
    var holder = spec
    if kind == .cronJob { holder = try spec.require("jobTemplate").require("spec") }
    let template = try holder.require("template")
    var labels = try template.get("metadata")?.labels("labels") ?? Labels()
    if kind != .job, kind != .cronJob, kind != .replicationController {
      let selector = try spec.require("selector").selector()
      guard selector.matches(labels) else {
        throw template.fail("has labels that spec.selector (\(selector)) does not match")
      }
    }
    if kind == .job {
      // The Job controller labels its pods (batch/v1, Kubernetes 1.34).
      for key in ["batch.kubernetes.io/job-name", "job-name"] { labels.set(key, name) }
    }
    return Workload(
      id: Workload.ID(kind, try namespacedName()),
      template: try podTemplate(labels: labels, spec: try template.require("spec")),
      replicas: try replicas(spec, kind),
      firstOrdinal: try spec.get("ordinals")?.int("start", in: 0...Int(Int32.max)) ?? 0,
      owner: try owner(), origin: origin)
  }

  /// How many pods the workload wants now.
  private func replicas(_ spec: YAMLNode, _ kind: WorkloadKind) throws(FieldError) -> Int {
    let counts = 0...Int(Int32.max)
    guard kind == .job || kind == .cronJob else { return try spec.int("replicas", in: counts) ?? 1 }
    if try spec.bool("suspend") ?? false { return 0 }
    if kind == .cronJob { return 1 }
    let isDone = try root.get("status")?.get("completionTime") != nil
    return isDone ? 0 : try spec.int("parallelism", in: counts) ?? 1
  }
}
