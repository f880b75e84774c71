import KubeModel
import NetPolicy
import NetTypes

// Services of type ExternalName: another name in the cluster's DNS.

/// What an external name stands for.
private enum ExternalTarget {
  /// A Service by its name in the cluster's DNS; of one of its pods only, when that is named before it.
  case service(Service, onePod: Bool)
  /// A name that the cluster's DNS cannot answer, and why.
  case unresolvable(String)
  /// Whether it is a name of the cluster is not known, and why.
  case unclear(String)
  case outside

  /// Names as the DNS specification of Kubernetes (version 1.1.0) has them. The name is looked up as it is: no search
  /// list is applied to the target of a CNAME record (RFC 1034 §3.6.2).
  init(_ name: String, _ cluster: Cluster) {
    let labels = name.lowercased().split(separator: ".").map(String.init)
    if IPAddress(name) != nil {
      self = .unresolvable("It is an address, which the DNS takes for a name of digits.")
      return
    }
    guard let index = labels.lastIndex(of: "svc"), index >= 2 else {
      let isOfCluster = labels.suffix(2) == ["cluster", "local"]
      self = isOfCluster ? .unclear("It is a name of the cluster, but not a Service's.") : .outside
      return
    }
    let name = ObjectName(labels[index - 1], labels[index - 2])
    let isDefaultDomain = labels[(index + 1)...] == ["cluster", "local"]
    if index == labels.count - 1 {
      self = .unclear("It lacks the cluster's domain, and no search list is applied to it.")
    } else if let service = cluster.services[name] {
      // A cluster may have another domain.
      self = .service(service, onePod: index > 2)
    } else {
      self = isDefaultDomain ? .unresolvable("There is no Service \(name) in the manifests.") : .outside
    }
  }
}

extension Diagnoser {
  func walkExternalName(
    _ service: Service, _ port: UInt16?, _ proto: TrafficProtocol?, from source: End
  ) -> Walk {
    if source.isOutside { return Walk(.no, notExposed(service)) }
    var last = service
    var seen: Set<ObjectName> = []
    while seen.insert(last.name).inserted {
      switch ExternalTarget(last.externalName ?? "", cluster) {
      case .service(let next, let onePod):
        let doubt = onePod ? unclear(last, "It names one pod of Service \(next.name), which was not looked for.") : nil
        if next.kind == .externalName {
          if let doubt { return Walk(.unknown, doubt) }
          last = next
          continue
        }
        var walk = walk(next, entry: .cluster(nil), port, proto, from: source)
        if let doubt { walk.doubt(doubt) }
        return walk
      case .unresolvable(let why): return Walk(.no, unresolvable(last, why))
      case .unclear(let why): return Walk(.unknown, unclear(last, why))
      case .outside:
        let name = last.externalName ?? ""
        var walk = connect(
          source, End(title: name, parties: [.outside(nil)]), proto ?? service.ports.first?.proto ?? .tcp, port)
        walk.note(externalName(last, name))
        return walk
      }
    }
    return Walk(.no, unresolvable(service, "It leads back to itself."))
  }

  private func unresolvable(_ service: Service, _ why: String) -> Finding {
    Finding(
      .serviceExternalNameUnresolvable,
      title: "the external name \(service.externalName ?? "") of Service \(service.name) leads nowhere", detail: why,
      evidence: [cluster.evidence("Service \(service.name)", service.origin)],
      remedy: "Correct externalName, or create what it names.")
  }

  private func unclear(_ service: Service, _ why: String) -> Finding {
    Finding(
      .serviceExternalNameUnresolvable, severity: .warning,
      title: "where the external name \(service.externalName ?? "") of Service \(service.name) leads is not known",
      detail: why, evidence: [cluster.evidence("Service \(service.name)", service.origin)],
      remedy: "Ask for the Service or pod that is meant.")
  }

  private func externalName(_ service: Service, _ name: String) -> Finding {
    Finding(
      .serviceExternalName, title: "Service \(service.name) is another name for \(name)",
      detail: "Its address is not in the manifests; only the source's egress policies were checked.",
      evidence: [cluster.evidence("Service \(service.name)", service.origin)])
  }
}
