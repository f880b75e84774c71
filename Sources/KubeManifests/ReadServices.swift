import KubeModel
import NetTypes
import Yams

// Service, EndpointSlice, Endpoints (core/v1, discovery.k8s.io/v1; Kubernetes 1.34).

extension ObjectReader {
  func service() throws(FieldError) -> Service {
    let spec = try root.require("spec")
    var service = Service(name: try namespacedName(), origin: origin)
    service.kind = try spec.choice("type") ?? .clusterIP
    if let selector = try spec.get("selector") {
      let labels = try selector.labelValues()
      if !labels.isEmpty { service.selector = LabelSelector(matchLabels: labels) }
    }
    service.ports = try spec.list("ports").map { node throws(FieldError) in try servicePort(node) }
    try readAddresses(of: &service, spec)
    service.externalName = try spec.text("externalName")
    if service.kind == .externalName, service.externalName ?? "" == "" {
      throw spec.fail("is required for a Service of type ExternalName", child: "externalName")
    }
    service.internalTrafficPolicy = try spec.choice("internalTrafficPolicy") ?? .cluster
    service.externalTrafficPolicy = try spec.choice("externalTrafficPolicy") ?? .cluster
    service.publishNotReadyAddresses = try spec.bool("publishNotReadyAddresses") ?? false
    service.clientAffinity = try spec.text("sessionAffinity") == "ClientIP"
    return service
  }

  private func readAddresses(of service: inout Service, _ spec: YAMLNode) throws(FieldError) {
    var texts = try spec.list("clusterIPs")
    if texts.isEmpty, let single = try spec.get("clusterIP") { texts = [single] }
    for node in texts {
      let text = try node.text()
      if text == "None" {
        service.headless = true
      } else if !text.isEmpty {
        service.clusterAddresses.append(try node.address())
      }
    }
    service.declaredFamilies = Set(
      try spec.list("ipFamilies").map { node throws(FieldError) in
        guard let family = IPAddress.Family(ipFamily: try node.text()) else {
          throw node.fail("must be IPv4 or IPv6, found \(try node.text())")
        }
        return family
      })
    service.externalAddresses = try spec.list("externalIPs").map { node throws(FieldError) in try node.address() }
    for entry in try root.get("status")?.get("loadBalancer")?.list("ingress") ?? [] {
      guard let node = try entry.get("ip") else { continue }
      // `Proxy`: the address is a real device's, which sends on to node ports; the nodes do not answer on it.
      if try entry.text("ipMode") == "Proxy" {
        service.proxyAddresses.append(try node.address())
      } else {
        service.loadBalancerAddresses.append(try node.address())
      }
    }
    // What was wished for, while nobody has said what was given.
    if service.loadBalancerAddresses.isEmpty, service.proxyAddresses.isEmpty,
      let wish = try spec.get("loadBalancerIP"), try wish.text() != ""
    {
      service.loadBalancerAddresses = [try wish.address()]
    }
    service.sourceRanges = try spec.list("loadBalancerSourceRanges").map { node throws(FieldError) in
      try node.prefix()
    }
  }

  private func servicePort(_ node: YAMLNode) throws(FieldError) -> ServicePort {
    _ = try node.require("port")
    return ServicePort(
      name: try portName(node), port: try node.port("port") ?? 1, proto: try node.proto("protocol") ?? .tcp,
      targetPort: try targetPort(node),
      nodePort: try node.int("nodePort", in: 0...65535).flatMap { $0 == 0 ? nil : UInt16($0) }, line: node.line)
  }

  /// The name of a Service's or an endpoint's port, where "" is the same as absent.
  private func portName(_ node: YAMLNode) throws(FieldError) -> String? {
    let name = try node.text("name")
    return name == "" ? nil : name
  }

  /// `targetPort`, where 0 and "" are the same as absent.
  private func targetPort(_ node: YAMLNode) throws(FieldError) -> PortReference? {
    guard let field = try node.get("targetPort") else { return nil }
    if case .scalar(let scalar) = field, scalar.string.isEmpty || scalar.string == "0" { return nil }
    return try field.portReference()
  }

  /// Nil when the slice says nothing of a Service, or has no IP addresses.
  func endpointSlice() throws(FieldError) -> EndpointSlice? {
    guard let service = try metadataLabels()["kubernetes.io/service-name"] else { return nil }
    if try root.text("addressType") == "FQDN" { return nil }
    let endpoints = try root.list("endpoints").map { node throws(FieldError) in
      let conditions = try node.get("conditions")
      let ready = try conditions?.bool("ready") ?? true
      // v1beta1 (until Kubernetes 1.24) had the node among the topology's labels.
      let oldNodeName = try node.get("topology")?.text("kubernetes.io/hostname")
      return EndpointSlice.Endpoint(
        addresses: try node.list("addresses").map { node throws(FieldError) in try node.address() },
        ready: ready, serving: try conditions?.bool("serving") ?? ready,
        terminating: try conditions?.bool("terminating") ?? false, nodeName: try node.text("nodeName") ?? oldNodeName,
        pod: try targetPod(node), line: node.line)
    }
    return EndpointSlice(
      source: .slice, name: try namespacedName(), service: service, endpoints: endpoints,
      ports: try root.list("ports").map { node throws(FieldError) in try endpointPort(node) }, origin: origin)
  }

  /// One slice for each subset; an object without subsets gives one that is empty.
  func endpoints() throws(FieldError) -> [EndpointSlice] {
    let name = try namespacedName()
    let subsets = try root.list("subsets").map { subset throws(FieldError) in
      var endpoints: [EndpointSlice.Endpoint] = []
      for (field, ready) in [("addresses", true), ("notReadyAddresses", false)] {
        for node in try subset.list(field) {
          endpoints.append(
            EndpointSlice.Endpoint(
              addresses: [try node.require("ip").address()], ready: ready, nodeName: try node.text("nodeName"),
              pod: try targetPod(node), line: node.line))
        }
      }
      return EndpointSlice(
        source: .endpoints, name: name, service: name.name, endpoints: endpoints,
        ports: try subset.list("ports").map { node throws(FieldError) in try endpointPort(node) },
        origin: origin.at(line: subset.line))
    }
    if !subsets.isEmpty { return subsets }
    return [EndpointSlice(source: .endpoints, name: name, service: name.name, endpoints: [], ports: [], origin: origin)]
  }

  private func targetPod(_ node: YAMLNode) throws(FieldError) -> ObjectName? {
    guard let reference = try node.get("targetRef"), try reference.text("kind") == "Pod",
      let pod = try reference.text("name")
    else { return nil }
    let home = try namespacedName().namespace
    return ObjectName(try reference.text("namespace") ?? home, pod)
  }

  private func endpointPort(_ node: YAMLNode) throws(FieldError) -> EndpointSlice.Port {
    return EndpointSlice.Port(
      name: try portName(node), port: try node.port("port"), proto: try node.proto("protocol") ?? .tcp)
  }
}

extension IPAddress.Family {
  /// From a name as in `ipFamilies`.
  fileprivate init?(ipFamily: String) {
    switch ipFamily {
    case "IPv4": self = .v4
    case "IPv6": self = .v6
    default: return nil
    }
  }
}
