import KubeModel
import NetTypes
import Yams

// NetworkPolicy (networking.k8s.io/v1, validated as pkg/apis/networking/validation of Kubernetes 1.34 does).

extension ObjectReader {
  /// Without a spec a policy selects all pods of its namespace and lets nothing in.
  func networkPolicy() throws(FieldError) -> NetworkPolicy {
    try root.allow(only: "apiVersion", "kind", "metadata", "spec", "status")
    guard let spec = try root.get("spec") else {
      return NetworkPolicy(name: try namespacedName(), podSelector: LabelSelector(), origin: origin)
    }
    try spec.allow(only: "podSelector", "policyTypes", "ingress", "egress")
    let types = try spec.list("policyTypes").map { node throws(FieldError) in
      guard let type = PolicyDirection(rawValue: try node.text()) else {
        throw node.fail("must be Ingress or Egress, found \(try node.text())")
      }
      return type
    }
    if types.count > 2 { throw spec.fail("may not have more than two entries", child: "policyTypes") }
    return NetworkPolicy(
      name: try namespacedName(),
      podSelector: try spec.get("podSelector")?.selector() ?? LabelSelector(),
      policyTypes: types,
      ingress: try spec.list("ingress").map { node throws(FieldError) in try rule(node, peers: "from") },
      egress: try spec.list("egress").map { node throws(FieldError) in try rule(node, peers: "to") },
      origin: origin)
  }

  private func rule(_ node: YAMLNode, peers: String) throws(FieldError) -> PolicyRule {
    try node.allow(only: peers, "ports")
    return PolicyRule(
      peers: try node.list(peers).map { node throws(FieldError) in try peer(node) },
      ports: try node.list("ports").map { node throws(FieldError) in try port(node) },
      line: node.line)
  }

  private func peer(_ node: YAMLNode) throws(FieldError) -> PolicyPeer {
    try node.allow(only: "podSelector", "namespaceSelector", "ipBlock")
    let pods = try node.get("podSelector")?.selector()
    let namespaces = try node.get("namespaceSelector")?.selector()
    if let block = try node.get("ipBlock") {
      if pods != nil || namespaces != nil {
        throw node.fail("may not be combined with podSelector or namespaceSelector", child: "ipBlock")
      }
      return .block(try ipBlock(block))
    }
    if pods == nil, namespaces == nil {
      throw node.fail("must have one of podSelector, namespaceSelector or ipBlock")
    }
    return .pods(namespaces: namespaces, pods: pods)
  }

  private func ipBlock(_ node: YAMLNode) throws(FieldError) -> IPBlock {
    try node.allow(only: "cidr", "except")
    let cidr = try node.require("cidr").prefix()
    let except = try node.list("except").map { node throws(FieldError) in
      let hole = try node.prefix()
      guard cidr.contains(hole), hole.length > cidr.length else {
        throw node.fail("must lie within \(cidr) and be smaller")
      }
      return hole
    }
    return IPBlock(cidr, except: except)
  }

  private func port(_ node: YAMLNode) throws(FieldError) -> PolicyPort {
    try node.allow(only: "protocol", "port", "endPort")
    let proto = try node.proto("protocol") ?? .tcp
    let end = try node.port("endPort")
    switch try node.get("port")?.portReference() {
    case nil:
      if end != nil { throw node.fail("may not be given without port", child: "endPort") }
      return PolicyPort(proto, .all)
    case .name(let name):
      if end != nil { throw node.fail("may not be given when port is a name", child: "endPort") }
      return PolicyPort(proto, .named(name))
    case .number(let low):
      if let end, end < low { throw node.fail("must not be below port (\(low)), found \(end)", child: "endPort") }
      return PolicyPort(proto, .range(low, end ?? low))
    }
  }
}

// AdminNetworkPolicy, BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1) and ClusterNetworkPolicy
// (v1alpha2): validated as the custom resource definitions of network-policy-api v0.1.7 and its main branch do.

extension ObjectReader {
  /// Fields of the three kinds that differ by name alone.
  private struct AdminForm {
    let allow: String
    let ports: String
    /// The most rules of a direction, peers of a rule and ports of a rule.
    let limit: Int
    /// Whether `pods` may leave out `namespaceSelector`.
    let namespacesOptional: Bool

    static let v1alpha1 = AdminForm(allow: "Allow", ports: "ports", limit: 100, namespacesOptional: false)
    static let v1alpha2 = AdminForm(allow: "Accept", ports: "protocols", limit: 25, namespacesOptional: true)
  }

  func adminNetworkPolicy() throws(FieldError) -> AdminPolicy {
    let spec = try root.require("spec")
    try spec.allow(only: "priority", "subject", "ingress", "egress")
    _ = try spec.require("priority")
    return try adminPolicy(
      spec, tier: .admin, priority: try spec.int("priority", in: 0...1000) ?? 0,
      .v1alpha1)
  }

  func baselineAdminNetworkPolicy() throws(FieldError) -> AdminPolicy {
    let spec = try root.require("spec")
    try spec.allow(only: "subject", "ingress", "egress")
    if name != "default" {
      throw try root.require("metadata").fail("must be \"default\": a cluster has one such policy", child: "name")
    }
    return try adminPolicy(
      spec, tier: .baseline, priority: 0, .v1alpha1)
  }

  func clusterNetworkPolicy() throws(FieldError) -> AdminPolicy {
    let spec = try root.require("spec")
    try spec.allow(only: "tier", "priority", "subject", "ingress", "egress")
    let tier = try spec.require("tier")
    let tierName = try tier.text()
    guard ["Admin", "Baseline"].contains(tierName) else {
      throw tier.fail("must be Admin or Baseline, found \(tierName)")
    }
    _ = try spec.require("priority")
    return try adminPolicy(
      spec, tier: tierName == "Admin" ? .admin : .baseline, priority: try spec.int("priority", in: 0...1000) ?? 0,
      .v1alpha2)
  }

  private func adminPolicy(
    _ spec: YAMLNode, tier: AdminPolicy.Tier, priority: Int, _ form: AdminForm
  ) throws(FieldError) -> AdminPolicy {
    let pass = kind != "BaselineAdminNetworkPolicy"
    func rules(_ direction: String, peers: String) throws(FieldError) -> [AdminRule] {
      let nodes = try spec.list(direction, atMost: form.limit)
      return try nodes.map { node throws(FieldError) in try adminRule(node, peers: peers, form, pass: pass) }
    }
    let subjectNode = try spec.require("subject")
    try subjectNode.allow(only: "namespaces", "pods")
    guard let subject = try selectedPods(subjectNode, form) else {
      throw subjectNode.fail("must have exactly one of namespaces and pods")
    }
    return AdminPolicy(
      kind: kind, name: name, tier: tier, priority: priority, subject: subject,
      ingress: try rules("ingress", peers: "from"), egress: try rules("egress", peers: "to"), origin: origin)
  }

  /// `namespaces` or `pods`; nil when there is none of the two, or both.
  private func selectedPods(_ node: YAMLNode, _ form: AdminForm) throws(FieldError) -> NamespacedPods? {
    let namespaces = try node.get("namespaces")
    let pods = try node.get("pods")
    if let namespaces, pods == nil { return NamespacedPods(namespaces: try namespaces.selector()) }
    guard let pods, namespaces == nil else { return nil }
    try pods.allow(only: "namespaceSelector", "podSelector")
    if !form.namespacesOptional { _ = try pods.require("namespaceSelector") }
    return NamespacedPods(
      namespaces: try pods.get("namespaceSelector")?.selector() ?? LabelSelector(),
      pods: try pods.require("podSelector").selector())
  }

  /// Nodes and networks have no named ports; v1alpha1 forgot domain names.
  private static func hasNoNamedPorts(_ peer: AdminPeer, _ form: AdminForm) -> Bool {
    switch peer {
    case .pods: false
    case .nodes, .networks: true
    case .domainNames: form.ports == "protocols"
    }
  }

  private func adminRule(
    _ node: YAMLNode, peers: String, _ form: AdminForm, pass: Bool
  ) throws(FieldError) -> AdminRule {
    try node.allow(only: "name", "action", peers, form.ports)
    let actionNode = try node.require("action")
    let action: AdminRule.Action
    switch try actionNode.text() {
    case form.allow: action = .allow
    case "Deny": action = .deny
    case "Pass" where pass: action = .pass
    case let other:
      throw actionNode.fail("must be \(form.allow), Deny\(pass ? " or Pass" : ""), found \(other)")
    }
    let peerNodes = try node.list(peers, atMost: form.limit)
    if peerNodes.isEmpty { throw node.fail("must have at least one entry", child: peers) }
    let portNodes = try node.get(form.ports)?.someItems(atMost: form.limit)
    let egress = peers == "to"
    let readPeers = try peerNodes.map { node throws(FieldError) in
      try adminPeer(node, form, egress: egress, action: action)
    }
    let ports = try portNodes?.map { node throws(FieldError) in
      form.ports == "ports" ? try numberedPort(node) : try protocolPort(node)
    }
    if ports?.contains(where: \.isNamed) ?? false, readPeers.contains(where: { Self.hasNoNamedPorts($0, form) }) {
      throw node.fail("may not name a port where a peer has no named ports", child: form.ports)
    }
    return AdminRule(
      name: try node.text("name") ?? "", action: action, peers: readPeers, ports: ports ?? [], line: node.line)
  }

  private func adminPeer(
    _ node: YAMLNode, _ form: AdminForm, egress: Bool, action: AdminRule.Action
  ) throws(FieldError) -> AdminPeer {
    if egress {
      try node.allow(only: "namespaces", "pods", "nodes", "networks", "domainNames")
    } else {
      try node.allow(only: "namespaces", "pods")
    }
    guard try node.fields().count == 1 else { throw node.fail("must have exactly one field") }
    if let nodes = try node.get("nodes") { return .nodes(try nodes.selector()) }
    if let networks = try node.get("networks") {
      return .networks(try networks.someItems(atMost: 25).map { node throws(FieldError) in try node.prefix() })
    }
    if let names = try node.get("domainNames") {
      if action != .allow { throw names.fail("may only be used in rules that allow") }
      return .domainNames(try names.someItems(atMost: 25).map { node throws(FieldError) in try node.text() })
    }
    guard let pods = try selectedPods(node, form) else { throw node.fail("must have exactly one field") }
    return .pods(pods)
  }

  /// An `AdminNetworkPolicyPort` of v1alpha1.
  private func numberedPort(_ node: YAMLNode) throws(FieldError) -> PolicyPort {
    try node.allow(only: "portNumber", "portRange", "namedPort")
    guard try node.fields().count == 1 else {
      throw node.fail("must have exactly one of portNumber, portRange and namedPort")
    }
    if let number = try node.get("portNumber") {
      try number.allow(only: "protocol", "port")
      _ = try number.require("port")
      let port = try number.port("port") ?? 1
      return PolicyPort(try number.proto("protocol") ?? .tcp, .range(port, port))
    }
    if let range = try node.get("portRange") {
      try range.allow(only: "protocol", "start", "end")
      let (start, end) = try bounds(range)
      return PolicyPort(try range.proto("protocol") ?? .tcp, .range(start, end))
    }
    return PolicyPort(nil, .named(try portName(try node.require("namedPort"))))
  }

  /// A `ClusterNetworkPolicyProtocol` of v1alpha2.
  private func protocolPort(_ node: YAMLNode) throws(FieldError) -> PolicyPort {
    try node.allow(only: "tcp", "udp", "sctp", "destinationNamedPort")
    let fields = try node.fields()
    guard fields.count == 1, let field = fields.first else {
      throw node.fail("must have exactly one of tcp, udp, sctp and destinationNamedPort")
    }
    guard let proto = TrafficProtocol(name: field.name) else {
      return PolicyPort(nil, .named(try portName(field.value)))
    }
    try field.value.allow(only: "destinationPort")
    let port = try field.value.require("destinationPort")
    try port.allow(only: "number", "range")
    guard try port.fields().count == 1 else { throw port.fail("must have exactly one of number and range") }
    if let number = try port.port("number") { return PolicyPort(proto, .range(number, number)) }
    let range = try port.require("range")
    try range.allow(only: "start", "end")
    let (start, end) = try bounds(range)
    return PolicyPort(proto, .range(start, end))
  }

  private func bounds(_ node: YAMLNode) throws(FieldError) -> (UInt16, UInt16) {
    _ = try node.require("start")
    _ = try node.require("end")
    let start = try node.port("start") ?? 1
    let end = try node.port("end") ?? 1
    guard start < end else { throw node.fail("must be above start (\(start)), found \(end)", child: "end") }
    return (start, end)
  }

  private func portName(_ node: YAMLNode) throws(FieldError) -> String {
    guard case .name(let name) = try node.portReference() else { throw node.fail("must be a port's name") }
    return name
  }
}

extension PolicyPort {
  fileprivate var isNamed: Bool { if case .named = port { true } else { false } }
}
