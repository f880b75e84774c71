import KubeModel
import NetTypes

/// A place behind a Service's port.
struct Backend: Hashable {
  /// Nil when the endpoint is no pod that is known.
  let pod: Pod?
  let addresses: [IPAddress]
  /// Nil when the endpoint takes every port.
  let port: UInt16?
  let nodeName: String?
  /// The pod that the endpoint names but that does not exist.
  let missingPod: ObjectName?
  let evidence: Evidence?

  var title: String { pod?.title ?? missingPod.map { "pod \($0)" } ?? addresses.first?.description ?? "endpoint" }
}

/// The endpoints of one Service port: those that receive traffic, and why others do not.
struct BackendList {
  var ready: [Backend] = []
  /// Endpoints that still serve while they end: used where there is no other.
  var terminating: [Backend] = []
  /// Endpoints that exist but are not ready.
  var notReady: [Backend] = []
  /// Pods that lack the named target port.
  var withoutPort: [Pod] = []
  /// How many pods the selector found; nil when endpoints were recorded instead.
  var selected: Int?
  /// Endpoints whose pod does not exist any more, or has another address now.
  var stale: [Backend] = []

  /// The endpoints that receive traffic, when those of all nodes count.
  var usable: [Backend] { ready.isEmpty ? terminating : ready }
}

extension Cluster {
  /// The endpoints of a Service's port: as the cluster recorded them, or else derived from the selector.
  ///
  /// Follows pkg/proxy/topology.go of Kubernetes 1.34: ready endpoints; where there are none, those that still serve
  /// while they terminate.
  func backends(of service: Service, _ port: ServicePort) -> BackendList {
    let recorded = endpoints(of: service.name)
    if recorded.isEmpty { return derivedBackends(of: service, port) }
    var list = BackendList()
    for slice in recorded {
      // The ports of a slice are named after the Service's, and are its targets.
      // A headless Service without ports is for every port.
      let ports =
        service.ports.isEmpty
        ? [EndpointSlice.Port(name: nil, port: nil, proto: port.proto)]
        : slice.ports.filter { $0.name == port.name && $0.proto == port.proto }
      for endpoint in slice.endpoints {
        for target in ports {
          let backend = backend(endpoint, of: slice, port: target.port)
          if isStale(backend) {
            if endpoint.ready { list.stale.append(backend) }
          } else if endpoint.ready {
            list.ready.append(backend)
          } else if endpoint.serving && endpoint.terminating {
            list.terminating.append(backend)
          } else {
            list.notReady.append(backend)
          }
        }
      }
    }
    return list
  }

  private func backend(_ endpoint: EndpointSlice.Endpoint, of slice: EndpointSlice, port: UInt16?) -> Backend {
    let pod = endpoint.pod.map { pods[$0] } ?? endpoint.addresses.lazy.compactMap { self.pods[$0] }.first
    let place = slice.origin.at(line: endpoint.line == 0 ? slice.origin.line : endpoint.line)
    return Backend(
      pod: pod, addresses: endpoint.addresses, port: port, nodeName: endpoint.nodeName ?? pod?.nodeName,
      missingPod: pod == nil ? endpoint.pod : nil,
      evidence: evidence("\(slice.source.rawValue) \(slice.name)", place))
  }

  /// Whether an endpoint names a pod that is gone, finished, or has other addresses. A pod that is missing because
  /// neither a running cluster's pods nor any of its namespace were given says nothing.
  private func isStale(_ backend: Backend) -> Bool {
    if let missing = backend.missingPod {
      return pods.all.contains { $0.phase != .assumed || $0.namespace == missing.namespace && $0.standsFor == nil }
    }
    guard let pod = backend.pod else { return false }
    if pod.phase == .finished { return true }
    let own = addresses(of: pod)
    return !own.isEmpty && !backend.addresses.contains { own.contains($0) }
  }

  private func derivedBackends(of service: Service, _ port: ServicePort) -> BackendList {
    var list = BackendList()
    guard let selector = service.selector else { return list }
    let pods = self.pods.select(selector, in: service.name.namespace).filter { $0.phase != .finished }
    list.selected = pods.count
    for pod in pods {
      let number: UInt16?
      switch port.targetPort {
      case .number(let value): number = value
      case .name(let name): number = pod.template.port(named: name, port.proto)
      }
      guard let number else {
        list.withoutPort.append(pod)
        continue
      }
      let backend = Backend(
        pod: pod, addresses: addresses(of: pod), port: number, nodeName: pod.nodeName, missingPod: nil,
        evidence: evidence(pod.title, pod.origin))
      // As the EndpointSlice controller has it (podToEndpoint, k8s.io/endpointslice 1.34).
      if service.publishNotReadyAddresses && pod.hasNetwork || pod.isRunning && pod.ready && !pod.terminating {
        list.ready.append(backend)
      } else if pod.isRunning && pod.terminating && pod.ready {
        list.terminating.append(backend)
      } else {
        list.notReady.append(backend)
      }
    }
    return list
  }

  func evidence(_ text: String, _ origin: Origin?) -> Evidence {
    guard let origin, Int(origin.file) < files.count else { return Evidence(text) }
    return Evidence(text, file: files[Int(origin.file)], line: origin.line == 0 ? nil : Int(origin.line))
  }
}
