import KubeModel
import NetTypes
import Yams

// Ingress (networking.k8s.io/v1, Kubernetes 1.34) and the routes of the Gateway API (v1.4), down to Services.

extension ObjectReader {
  func ingress() throws(FieldError) -> Route {
    let spec = try root.require("spec")
    var backends: [Route.Backend] = []
    if let backend = try spec.get("defaultBackend") { backends.append(try ingressBackend(backend, match: "default")) }
    for rule in try spec.list("rules") {
      let host = try rule.text("host") ?? "*"
      for path in try rule.get("http")?.list("paths") ?? [] {
        let match = host + (try path.text("path") ?? "/")
        backends.append(try ingressBackend(try path.require("backend"), match: match))
      }
    }
    return Route(
      id: Route.ID(kind: kind, name: try namespacedName()), proto: .tcp, backends: backends, origin: origin)
  }

  private func ingressBackend(_ node: YAMLNode, match: String) throws(FieldError) -> Route.Backend {
    if let resource = try node.get("resource") {
      let title = "\(try resource.text("kind") ?? "") \(try resource.text("name") ?? "")"
      return Route.Backend(match: match, target: .other(title), line: node.line)
    }
    let service = try node.require("service")
    let name = ObjectName(try namespacedName().namespace, try service.require("name").text())
    let port = try service.require("port")
    let reference: PortReference
    if let number = try port.port("number") {
      reference = .number(number)
    } else {
      reference = .name(try port.require("name").text())
    }
    return Route.Backend(match: match, target: .service(name, port: reference), line: node.line)
  }

  func gatewayRoute() throws(FieldError) -> Route {
    let spec = try root.require("spec")
    let home = try namespacedName().namespace
    let gateways = try spec.list("parentRefs").map { node throws(FieldError) in
      ObjectName(try node.text("namespace") ?? home, try node.require("name").text())
    }
    var backends: [Route.Backend] = []
    for (index, rule) in try spec.list("rules").enumerated() {
      for node in try rule.list("backendRefs") {
        backends.append(
          Route.Backend(
            match: try routeMatch(rule) ?? "rule \(index)", target: try routeTarget(node, home: home),
            weight: try node.int("weight", in: 0...1_000_000) ?? 1, line: node.line))
      }
    }
    return Route(
      id: Route.ID(kind: kind, name: try namespacedName()), proto: kind == "UDPRoute" ? .udp : .tcp,
      backends: backends, gateways: gateways, origin: origin)
  }

  /// A Service of the core group, which must come with a port, or something else.
  private func routeTarget(_ node: YAMLNode, home: String) throws(FieldError) -> Route.Backend.Target {
    let kind = try node.text("kind") ?? "Service"
    let name = try node.require("name").text()
    let isCore = try node.isCoreGroup()
    guard kind == "Service", isCore else { return .other("\(kind) \(name)") }
    _ = try node.require("port")
    let port = try node.port("port").map { PortReference.number($0) }
    return .service(ObjectName(try node.text("namespace") ?? home, name), port: port)
  }

  /// The first path, or gRPC service, that a rule matches.
  private func routeMatch(_ rule: YAMLNode) throws(FieldError) -> String? {
    guard let match = try rule.list("matches").first else { return nil }
    if let path = try match.get("path") { return try path.text("value") }
    return try match.get("method").flatMap { node throws(FieldError) in
      guard case .mapping = node else { return nil }
      return try node.text("service")
    }
  }

  func referenceGrant() throws(FieldError) -> ReferenceGrant {
    let spec = try root.require("spec")
    var services: Set<String>? = []
    for entry in try spec.list("to") {
      let isCore = try entry.isCoreGroup()
      guard try entry.text("kind") == "Service", isCore else { continue }
      if let name = try entry.text("name") { services?.insert(name) } else { services = nil }
    }
    var from: [ReferenceGrant.From] = []
    for entry in try spec.list("from") {
      let kind = try entry.require("kind").text()
      let namespace = try entry.require("namespace").text()
      guard try entry.text("group") == "gateway.networking.k8s.io" else { continue }
      from.append(ReferenceGrant.From(kind: kind, namespace: namespace))
    }
    return ReferenceGrant(name: try namespacedName(), from: from, services: services, origin: origin)
  }
}

extension YAMLNode {
  /// Whether a reference's `group` is the core group, written "" or left out.
  fileprivate func isCoreGroup() throws(FieldError) -> Bool {
    let group = try text("group")
    return group == nil || group == ""
  }
}
