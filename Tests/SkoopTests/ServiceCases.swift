import KubeModel
import NetDiagnosis
import Testing

/// Services, endpoints, node ports, host ports, routes and templates.
struct ServiceCases {
  /// A Service of namespace x; `spec` and `rest` in YAML's flow form.
  static func service(_ spec: String, name: String = "s", _ rest: String = "") -> String {
    """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: \(name), namespace: x}
    spec: {\(spec)}
    \(rest)

    """
  }

  private static func slice(_ ports: String, _ endpoints: String) -> String {
    """
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: s-1, namespace: x, labels: {kubernetes.io/service-name: s}}
    addressType: IPv4
    ports: [\(ports)]
    endpoints: [\(endpoints)]

    """
  }

  private static func endpoint(_ pod: String, _ address: String, _ conditions: String = "ready: true") -> String {
    "{addresses: [\(address)], conditions: {\(conditions)}, targetRef: {kind: Pod, name: \(pod), namespace: x}}"
  }

  /// A pod of namespace x that is not in the base world.
  static func pod(_ name: String, _ labels: String, _ spec: String, _ status: String) -> String {
    """
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), namespace: x, labels: {\(labels)}}
    spec: {containers: [{name: m, ports: [{name: web, containerPort: 80}]}], \(spec)}
    status: {\(status)}

    """
  }

  static let http = "ports: [{port: 8000, targetPort: 80}]"
  static let one = "selector: {pod: a}"
  private static let plain = service("\(one), clusterIP: 10.96.0.10, \(http)")
  static let unready = "phase: Running, podIP: 10.0.0.50, conditions: [{type: Ready, status: 'False'}]"

  static let services: [Case] = [
    Case("a selector's pod", plain, "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case("by its cluster address", plain, "y/a", "10.96.0.10", 8000, .tcp, .reachable),
    Case("without a port: all that it has", plain, "y/a", "svc/x/s", nil, nil, .reachable),
    Case("a port that it does not have", plain, "y/a", "svc/x/s", 80, .tcp, .unreachable, .servicePortNotFound),
    Case("a protocol that it does not have", plain, "y/a", "svc/x/s", 8000, .udp, .unreachable, .servicePortNotFound),
    Case(
      "the protocol is found when none is given", service("\(one), ports: [{port: 53, protocol: UDP}]"), "y/a",
      "svc/x/s", 53, nil, .reachable),
    Case(
      "policies see the target port", plain + World.policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}"),
      "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "policies do not see the Service's port",
      plain + World.policy("{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}"), "y/a", "svc/x/s", 8000, .tcp,
      .unreachable, .policyIngressDenied),
    Case(
      "policies do not see the Service's address",
      plain
        + World.policy(
          "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.0/12}}]}]}", namespace: "y"),
      "y/a", "svc/x/s", 8000, .tcp, .unreachable, .policyEgressDenied),
    Case(
      "some endpoints are denied",
      service("selector: {app: web}, \(http)") + World.policy("{podSelector: {matchLabels: {pod: a}}}"), "y/a",
      "svc/x/s", 8000, .tcp, .partial, .policyIngressDenied),
    Case(
      "a named target port differs from pod to pod",
      service("selector: {app: web}, ports: [{port: 8000, targetPort: web}]")
        + World.policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}"), "y/a", "svc/x/s", 8000, .tcp, .partial,
      .policyIngressDenied, .serviceTargetPortUnresolved),
    Case(
      "a named target port that nothing has", service("\(one), ports: [{port: 8000, targetPort: nope}]"), "y/a",
      "svc/x/s", 8000, .tcp, .unreachable, .serviceTargetPortUnresolved),
    Case(
      "a named target port of another protocol",
      service("\(one), ports: [{port: 8000, targetPort: web, protocol: SCTP}]"), "y/a", "svc/x/s", 8000, .sctp,
      .unreachable, .serviceTargetPortUnresolved),
    Case(
      "the selector matches nothing", service("selector: {pod: aa}, \(http)"), "y/a", "svc/x/s", 8000, .tcp,
      .unreachable, .serviceSelectorMatchesNothing),
    Case(
      "the selector matches, but is not ready",
      service("selector: {pod: u}, \(http)") + pod("u", "pod: u", "", unready), "y/a", "svc/x/s", 8000, .tcp,
      .unreachable, .serviceNoReadyEndpoint),
    Case(
      "not ready, but published",
      service("selector: {pod: u}, publishNotReadyAddresses: true, \(http)") + pod("u", "pod: u", "", unready), "y/a",
      "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "one of two is not ready", service("selector: {pod: a}, \(http)") + pod("u", "pod: a", "", unready), "y/a",
      "svc/x/s", 8000, .tcp, .reachable, .serviceNoReadyEndpoint),
    Case("not ready, asked at the pod itself", pod("u", "pod: u", "", unready), "y/a", "x/u", .reachable, .podNotReady),
    Case(
      "finished pods are no endpoints",
      service("selector: {pod: f}, \(http)") + pod("f", "pod: f", "", "phase: Succeeded, podIP: 10.0.0.51"), "y/a",
      "svc/x/s", 8000, .tcp, .unreachable, .serviceSelectorMatchesNothing),
    Case("a finished pod", pod("f", "pod: f", "", "phase: Failed"), "y/a", "x/f", .unreachable, .podNotRunning),
    Case("a pending pod", pod("f", "pod: f", "", "phase: Pending"), "x/f", "y/a", .unreachable, .podNotRunning),
    Case(
      "a pod talks to its own Service", plain + World.policy("{podSelector: {}}"), "x/a", "svc/x/s", 8000, .tcp,
      .reachable),
    Case(
      "no selector and no endpoints", service(http), "y/a", "svc/x/s", 8000, .tcp, .unreachable, .serviceNoEndpoints),
    Case(
      "an empty selector is none", service("selector: {}, \(http)"), "y/a", "svc/x/s", 8000, .tcp, .unreachable,
      .serviceNoEndpoints),

    Case(
      "slices count, not the selector",
      service("selector: {pod: a}, \(http)") + slice("{port: 80}", endpoint("b", "10.0.0.2"))
        + World.policy("{podSelector: {matchLabels: {pod: a}}}"), "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "a slice's port is matched by name",
      service("\(one), ports: [{name: http, port: 8000, targetPort: 80}]")
        + slice("{name: other, port: 80}", endpoint("a", "10.0.0.1")), "y/a", "svc/x/s", 8000, .tcp, .unreachable,
      .serviceNoEndpoints),
    Case(
      "a slice's port is the target",
      service("\(one), ports: [{name: http, port: 8000}]") + slice("{name: http, port: 81}", endpoint("a", "10.0.0.1"))
        + World.policy("{podSelector: {}, ingress: [{ports: [{port: 81}]}]}"), "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "not ready in the slice",
      service("\(one), \(http)") + slice("{port: 80}", endpoint("a", "10.0.0.1", "ready: false")), "y/a", "svc/x/s",
      8000, .tcp, .unreachable, .serviceNoReadyEndpoint),
    Case(
      "terminating, but serving, and nothing else",
      service("\(one), \(http)")
        + slice("{port: 80}", endpoint("a", "10.0.0.1", "ready: false, serving: true, terminating: true")), "y/a",
      "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "terminating is not used beside ready ones",
      service("\(one), \(http)")
        + slice(
          "{port: 80}",
          endpoint("b", "10.0.0.2") + ", " + endpoint("a", "10.0.0.1", "ready: false, serving: true, terminating: true")
        ) + World.policy("{podSelector: {matchLabels: {pod: a}}}"), "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "an endpoint whose pod is gone", service("\(one), \(http)") + slice("{port: 80}", endpoint("gone", "10.0.0.99")),
      "y/a", "svc/x/s", 8000, .tcp, .unreachable, .serviceEndpointStale),
    Case(
      "an endpoint whose pod has another address",
      service("\(one), \(http)") + slice("{port: 80}", endpoint("a", "10.0.0.99") + ", " + endpoint("b", "10.0.0.2")),
      "y/a", "svc/x/s", 8000, .tcp, .partial, .serviceEndpointStale),
    Case(
      "an endpoint outside the cluster",
      service(http) + slice("{port: 80}", "{addresses: [203.0.113.7]}")
        + World.policy(
          "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}",
          namespace: "y"), "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "Endpoints, where there is no slice",
      service(http)
        + "---\n{apiVersion: v1, kind: Endpoints, metadata: {name: s, namespace: x}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}\n",
      "y/a", "svc/x/s", 8000, .tcp, .reachable),

    Case(
      "headless: the pods' own port", service("\(one), clusterIP: None, \(http)"), "y/a", "svc/x/s", 80, .tcp,
      .reachable),
    Case(
      "headless: ports are not translated",
      service("\(one), clusterIP: None, \(http)") + World.policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}"),
      "y/a", "svc/x/s", 8000, .tcp, .unreachable, .policyIngressDenied, .serviceHeadlessPort),
    Case(
      "ExternalName", service("type: ExternalName, externalName: db.example.org"), "y/a", "svc/x/s", 443, .tcp,
      .reachable, .serviceExternalName),
    Case(
      "ExternalName, egress denied",
      service("type: ExternalName, externalName: db.example.org")
        + World.policy("{podSelector: {}, policyTypes: [Egress]}", namespace: "y"), "y/a", "svc/x/s", 443, .tcp,
      .unreachable, .policyEgressDenied, .serviceExternalName),
    Case(
      "ExternalName, allowed or not by an address nobody knows",
      service("type: ExternalName, externalName: db.example.org")
        + World.policy(
          "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}",
          namespace: "y"), "y/a", "svc/x/s", 443, .tcp, .undecided, .policyUndecided, .serviceExternalName),
    Case(
      "ExternalName of a Service",
      service("type: ExternalName, externalName: t.x.svc.cluster.local") + service("\(one), \(http)", name: "t"), "y/a",
      "svc/x/s", 8000, .tcp, .reachable),

    Case(
      "internalTrafficPolicy: Local with an endpoint here", service("\(one), internalTrafficPolicy: Local, \(http)"),
      "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "internalTrafficPolicy: Local with none here", service("\(one), internalTrafficPolicy: Local, \(http)"), "y/b",
      "svc/x/s", 8000, .tcp, .unreachable, .serviceTrafficPolicy),
    Case(
      "a slice of the old version names its node as topology",
      service("\(one), internalTrafficPolicy: Local, \(http)")
        + slice("{port: 80}", "{addresses: [10.0.0.1], topology: {kubernetes.io/hostname: n1}}").replacing(
          "k8s.io/v1", with: "k8s.io/v1beta1"), "y/b", "svc/x/s", 8000, .tcp, .unreachable, .serviceTrafficPolicy),
    Case(
      "session affinity changes nothing", service("\(one), sessionAffinity: ClientIP, \(http)"), "y/a", "svc/x/s", 8000,
      .tcp, .reachable),
    Case(
      "a cluster address from outside", plain, "203.0.113.7", "svc/x/s", 8000, .tcp, .unreachable, .serviceNotExposed),
    Case(
      "a Service as the source: its pods",
      plain
        + World.policy(
          "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: x}}, podSelector: {matchLabels: {pod: a}}}]}]}",
          namespace: "y"), "svc/x/s", "y/a", .reachable),
    Case(
      "a Service without pods as the source", service("selector: {pod: aa}, \(http)"), "svc/x/s", "y/a", .unreachable,
      .serviceSelectorMatchesNothing),
    Case("ICMP to a Service", plain, "y/a", "svc/x/s", nil, .icmp, .undecided, .serviceNoICMP),
  ]

  private static let nodePort =
    "type: NodePort, selector: {pod: a}, ports: [{port: 8000, targetPort: 80, nodePort: 30080}]"
  private static let balancer = "type: LoadBalancer, selector: {pod: a}, ports: [{port: 8000, targetPort: 80}]"
  static let status = "status: {loadBalancer: {ingress: [{ip: 198.51.100.1}]}}"
  private static let fromClient = World.policy(
    "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}")

  static let exposed: [Case] = [
    Case("a node port on any node", service(nodePort), "203.0.113.7", "node/n2", 30080, .tcp, .reachable),
    Case("a node port by the node's address", service(nodePort), "203.0.113.7", "192.168.1.2", 30080, .tcp, .reachable),
    Case(
      "another port of the node is the host's", service(nodePort), "203.0.113.7", "node/n2", 30081, .tcp, .reachable),
    Case(
      "externalTrafficPolicy: Local, an endpoint here", service(nodePort + ", externalTrafficPolicy: Local"),
      "203.0.113.7", "node/n1", 30080, .tcp, .reachable),
    Case(
      "externalTrafficPolicy: Local, none here", service(nodePort + ", externalTrafficPolicy: Local"), "203.0.113.7",
      "node/n2", 30080, .tcp, .unreachable, .serviceTrafficPolicy),
    Case(
      "externalTrafficPolicy: Local keeps the source",
      service(nodePort + ", externalTrafficPolicy: Local") + fromClient, "203.0.113.7", "node/n1", 30080, .tcp,
      .reachable),
    Case(
      "which source the policies see is not defined", service(nodePort) + fromClient, "203.0.113.7", "node/n1", 30080,
      .tcp, .undecided, .serviceSourceRewritten),
    Case(
      "denied whichever source they see", service(nodePort) + World.policy("{podSelector: {}}"), "203.0.113.7",
      "node/n1", 30080, .tcp, .unreachable, .policyIngressDenied),
    Case("a load balancer by name", service(balancer, status), "203.0.113.7", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "a load balancer by address", service(balancer, status), "203.0.113.7", "198.51.100.1", 8000, .tcp, .reachable),
    Case(
      "within the source ranges", service(balancer + ", loadBalancerSourceRanges: [203.0.113.0/24]", status),
      "203.0.113.7", "198.51.100.1", 8000, .tcp, .reachable),
    Case(
      "outside the source ranges", service(balancer + ", loadBalancerSourceRanges: [203.0.112.0/24]", status),
      "203.0.113.7", "svc/x/s", 8000, .tcp, .unreachable, .serviceSourceRange),
    Case(
      "source ranges do not matter to the cluster address",
      service(balancer + ", loadBalancerSourceRanges: [203.0.112.0/24]", status), "y/a", "svc/x/s", 8000, .tcp,
      .reachable),
    Case(
      "an external address", service("selector: {pod: a}, externalIPs: [198.51.100.9], \(http)"), "203.0.113.7",
      "198.51.100.9", 8000, .tcp, .reachable),
    Case(
      "a host port",
      pod(
        "h", "pod: h",
        "nodeName: n1, initContainers: [{name: i, restartPolicy: Always, ports: [{containerPort: 90, hostPort: 9090}]}]",
        "phase: Running, podIP: 10.0.0.60") + World.policy("{podSelector: {}, ingress: [{ports: [{port: 90}]}]}"),
      "203.0.113.7", "node/n1", 9090, .tcp, .reachable),
    Case(
      "an Ingress from its controller", service("\(one), \(http)") + ingress("s", "number: 8000"), "y/a", "ingress/x/i",
      nil, nil, .reachable),
    Case(
      "an Ingress from outside: the controller is not known", service("\(one), \(http)") + ingress("s", "number: 8000"),
      "203.0.113.7", "ingress/x/i", nil, nil, .undecided, .routeForwarderUnknown),
    Case(
      "an Ingress from outside, where only the controller is allowed",
      service("\(one), \(http)") + ingress("s", "number: 8000")
        + World.policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: z}}}]}]}"),
      "203.0.113.7", "ingress/x/i", nil, nil, .undecided, .routeForwarderUnknown),
    Case(
      "an Ingress to a Service that is missing", ingress("nope", "number: 8000"), "203.0.113.7", "ingress/x/i", nil,
      nil, .unreachable, .routeServiceMissing),
    Case(
      "an Ingress to a port that is missing", service("\(one), \(http)") + ingress("s", "name: web"), "y/a",
      "ingress/x/i", nil, nil, .unreachable, .servicePortNotFound),
    Case(
      "an HTTPRoute", service("\(one), \(http)") + route("x", "{name: s, port: 8000}"), "y/a", "httproute/x/r", nil,
      nil, .reachable),
    Case(
      "an HTTPRoute without weight", service("\(one), \(http)") + route("x", "{name: s, port: 8000, weight: 0}"), "y/a",
      "httproute/x/r", nil, nil, .unreachable, .routeNoBackend),
    Case(
      "an HTTPRoute to another namespace",
      service("\(one), \(http)") + route("y", "{name: s, namespace: x, port: 8000}"), "y/a", "httproute/y/r", nil, nil,
      .unreachable, .routeReferenceNotGranted),
    Case(
      "and granted", service("\(one), \(http)") + route("y", "{name: s, namespace: x, port: 8000}") + grant, "y/a",
      "httproute/y/r", nil, nil, .reachable),
  ]

  private static func ingress(_ service: String, _ port: String) -> String {
    """
    ---
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: i, namespace: x}
    spec: {rules: [{host: a.example, http: {paths: [{path: /, backend: {service: {name: \(service), port: {\(port)}}}}]}}]}

    """
  }

  static func route(_ namespace: String, _ backend: String) -> String {
    """
    ---
    apiVersion: gateway.networking.k8s.io/v1
    kind: HTTPRoute
    metadata: {name: r, namespace: \(namespace)}
    spec: {parentRefs: [{name: gw}], rules: [{matches: [{path: {value: /}}], backendRefs: [\(backend)]}]}

    """
  }

  static let grant = """
    ---
    apiVersion: gateway.networking.k8s.io/v1beta1
    kind: ReferenceGrant
    metadata: {name: g, namespace: x}
    spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: y}], to: [{group: '', kind: Service}]}

    """

  static func deployment(_ name: String, replicas: Int, _ spec: String = "") -> String {
    """
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: \(name), namespace: x}
    spec:
      replicas: \(replicas)
      selector: {matchLabels: {pod: \(name)}}
      template: {metadata: {labels: {pod: \(name)}}, spec: {\(spec)}}

    """
  }

  static let twoFamilies =
    pod("d", "pod: d", "", "phase: Running, podIPs: [{ip: 10.0.0.70}, {ip: 'fd00::70'}]")
    + pod("e", "pod: e", "", "phase: Running, podIPs: [{ip: 10.0.0.71}, {ip: 'fd00::71'}]")
    + pod("six", "pod: six", "", "phase: Running, podIPs: [{ip: 'fd00::72'}]")

  static let others: [Case] = [
    Case("a template as source and destination", deployment("t", replicas: 2), "deployment/x/t", "y/a", .reachable),
    Case("a template by the short form", deployment("t", replicas: 2), "y/a", "x/t", .reachable),
    Case(
      "a template behind a Service", deployment("t", replicas: 2) + service("selector: {pod: t}, \(http)"), "y/a",
      "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "a template that wants no pods", deployment("t", replicas: 0), "y/a", "deploy/x/t", .unreachable,
      .workloadScaledToZero),
    Case(
      "a template that wants no pods, behind a Service",
      deployment("t", replicas: 0) + service("selector: {pod: t}, \(http)"), "y/a", "svc/x/s", 8000, .tcp, .unreachable,
      .workloadScaledToZero),
    Case(
      "two pods of one template", deployment("t", replicas: 2) + World.policy("{podSelector: {}}"), "x/t", "x/t",
      .unreachable, .policyIngressDenied),
    Case(
      "the only pod of a template", deployment("t", replicas: 1) + World.policy("{podSelector: {}}"), "x/t", "x/t",
      .reachable),
    Case(
      "a template's address is not known: a block may match",
      deployment("t", replicas: 2)
        + World.policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", namespace: "y"), "x/t",
      "y/a", .undecided, .policyUndecided),
    Case(
      "a block of all IPv4 matches it",
      deployment("t", replicas: 2)
        + World.policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", namespace: "y"), "x/t",
      "y/a", .reachable),
    Case(
      "a template on the host's network of a node that is not known",
      deployment("t", replicas: 2, "hostNetwork: true") + World.policy("{podSelector: {}}", namespace: "y"), "x/t",
      "y/a", .undecided, .policyUndecided),
    Case("two families, both work", twoFamilies, "x/d", "x/e", .reachable),
    Case(
      "two families, one is denied",
      twoFamilies
        + World.policy("{podSelector: {matchLabels: {pod: e}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"),
      "x/d", "x/e", .partial, .policyIngressDenied),
    Case(
      "a pod's one address",
      twoFamilies
        + World.policy("{podSelector: {matchLabels: {pod: e}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"),
      "x/d", "10.0.0.71", .reachable),
    Case("no family in common", twoFamilies, "x/six", "y/a", .unreachable, .addressFamilyMismatch),
    Case(
      "a Service of one family",
      twoFamilies + service("selector: {pod: e}, clusterIPs: [10.96.0.11], \(http)")
        + World.policy("{podSelector: {matchLabels: {pod: e}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"),
      "x/d", "svc/x/s", 8000, .tcp, .reachable),
  ]

  @Test("Services", arguments: services)
  func service(_ test: Case) throws { try test.run() }

  @Test("node ports, load balancers, host ports, routes", arguments: exposed)
  func exposedService(_ test: Case) throws { try test.run() }

  @Test("templates and address families", arguments: others)
  func other(_ test: Case) throws { try test.run() }
}
