import KubeModel
import NetPolicy
import NetTypes

extension Diagnoser {
  /// From whatever forwards an Ingress's or a route's traffic (the question's source) to every backend.
  func walk(_ route: Route, from source: End) -> Walk {
    var walk = Walk()
    let backends = route.backends.filter { $0.weight > 0 }
    if backends.isEmpty {
      return Walk(.no, noBackend(route), place: cluster.place(route.origin))
    }
    let gateways =
      route.gateways.isEmpty ? "" : " of gateway \(route.gateways.map(\.description).joined(separator: ", "))"
    for backend in backends {
      walk.add(
        self.walk(backend, of: route, from: source)
          .under("\(route.id)\(gateways) \(backend.match)", place: place(backend, route)))
    }
    if source.isOutside, walk.outcome.open { walk.note(forwarderUnknown(route, source)) }
    return walk
  }

  private func place(_ backend: Route.Backend, _ route: Route) -> String {
    cluster.place(route.origin.at(line: backend.line))
  }

  private func walk(_ backend: Route.Backend, of route: Route, from source: End) -> Walk {
    switch backend.target {
    case .other(let title):
      return Walk(
        .unknown,
        Finding(
          .routeForwarderUnknown, title: "\(route.id) leads to \(title), which is no Service",
          detail: "What it stands for is not modelled.", evidence: [evidence(backend, route)]))
    case .service(let name, let port):
      guard let service = cluster.services[name] else {
        return Walk(.no, serviceMissing(route, backend, name))
      }
      if let problem = notGranted(route, backend, name) { return Walk(.no, problem) }
      let number: UInt16?
      switch port {
      case .number(let value): number = value
      case .name(let text):
        guard let named = service.ports.first(where: { $0.name == text }) else {
          return Walk(.no, portNotFound(service, "port named \"\(text)\""))
        }
        number = named.port
      case nil: number = service.ports.count == 1 ? service.ports[0].port : nil
      }
      // Who forwards looks up the endpoints, and with them the target port, itself.
      var translated = service
      translated.headless = false
      return walk(translated, entry: .cluster(nil), number, route.proto, from: inside(source))
    }
  }

  /// Traffic that came from outside is sent on by a forwarder inside the cluster, whose policies are not known.
  private func inside(_ source: End) -> End {
    if !source.isOutside { return source }
    var forwarder = End(title: "the forwarder", parties: [.someOtherNode])
    forwarder.isForwarder = true
    return forwarder
  }

  private func evidence(_ backend: Route.Backend, _ route: Route) -> Evidence {
    cluster.evidence("\(route.id) \(backend.match)", route.origin.at(line: backend.line))
  }

  private func noBackend(_ route: Route) -> Finding {
    Finding(
      .routeNoBackend, title: "\(route.id) has no backend that receives traffic",
      detail: route.backends.isEmpty ? "It names no backend." : "All its backends have the weight 0.",
      evidence: [cluster.evidence(route.id.description, route.origin)], remedy: "Give it a backend.")
  }

  private func serviceMissing(_ route: Route, _ backend: Route.Backend, _ name: ObjectName) -> Finding {
    Finding(
      .routeServiceMissing, title: "\(route.id) leads to Service \(name), which does not exist",
      detail: "Requests for \(backend.match) get an error from the forwarder.", evidence: [evidence(backend, route)],
      remedy: "Correct the backend's name, or create the Service.")
  }

  /// A route may name a Service of another namespace only with that namespace's ReferenceGrant (Gateway API v1.4).
  private func notGranted(_ route: Route, _ backend: Route.Backend, _ service: ObjectName) -> Finding? {
    if service.namespace == route.id.name.namespace { return nil }
    let from = ReferenceGrant.From(kind: route.id.kind, namespace: route.id.name.namespace)
    let granted = (cluster.grants[service.namespace] ?? []).contains { grant in
      grant.from.contains(from) && (grant.services.map { $0.contains(service.name) } ?? true)
    }
    if granted { return nil }
    return Finding(
      .routeReferenceNotGranted, title: "\(route.id) may not lead to Service \(service)",
      detail: "The Service is in another namespace, and no ReferenceGrant there allows \(route.id.kind)s of namespace "
        + "\(route.id.name.namespace).",
      evidence: [evidence(backend, route)], remedy: "Create a ReferenceGrant in namespace \(service.namespace).")
  }

  private func forwarderUnknown(_ route: Route, _ source: End) -> Finding {
    Finding(
      .routeForwarderUnknown, title: "which pods forward the traffic of \(route.id) is not known",
      detail: "\(source.title) talks to an ingress controller or gateway, and that to the Services; what is allowed to "
        + "those pods decides.",
      evidence: [cluster.evidence(route.id.description, route.origin)],
      remedy: "Ask again with the controller's pod as the source.")
  }
}
