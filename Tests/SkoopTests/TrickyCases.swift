import KubeManifests
import KubeModel
import NetDiagnosis
import NetPolicy
import Testing

/// Where a plausible reading of the manifests gives the wrong answer, most of all a wrong `reachable`.
struct TrickyCases {
  private static let http = ServiceCases.http
  private static let one = ServiceCases.one

  private static func service(_ spec: String, name: String = "s", _ rest: String = "") -> String {
    ServiceCases.service(spec, name: name, rest)
  }

  private static func alias(_ target: String, name: String = "s") -> String {
    service("type: ExternalName, externalName: \(target)", name: name)
  }

  private static func slice(_ name: String, _ family: String, _ address: String, _ port: String = "port: 80") -> String
  {
    """
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: \(name), namespace: x, labels: {kubernetes.io/service-name: s}}
    addressType: \(family)
    ports: [{\(port)}]
    endpoints: [{addresses: ['\(address)'], targetRef: {kind: Pod, name: d, namespace: x}}]

    """
  }

  static let externalNames: [Case] = [
    Case(
      "a chain of names to a Service that works",
      alias("t.x.svc.cluster.local") + alias("u.x.svc.cluster.local.", name: "t")
        + service("\(one), \(http)", name: "u"),
      "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "a chain of names to a Service without pods",
      alias("t.x.svc.cluster.local") + alias("u.x.svc.cluster.local", name: "t")
        + service("selector: {pod: aa}, \(http)", name: "u"), "y/a", "svc/x/s", 8000, .tcp, .unreachable,
      .serviceSelectorMatchesNothing),
    Case(
      "a chain of names outside", alias("t.x.svc.cluster.local") + alias("db.example.org", name: "t"), "y/a", "svc/x/s",
      443, .tcp, .reachable, .serviceExternalName),
    Case(
      "a circle of names", alias("t.x.svc.cluster.local") + alias("s.x.svc.cluster.local", name: "t"), "y/a", "svc/x/s",
      443, .tcp, .unreachable, .serviceExternalNameUnresolvable),
    Case(
      "a name of the cluster that nothing has", alias("nope.x.svc.cluster.local"), "y/a", "svc/x/s", 443, .tcp,
      .unreachable, .serviceExternalNameUnresolvable),
    Case(
      "an address is no name", alias("'10.0.0.1'"), "y/a", "svc/x/s", 80, .tcp, .unreachable,
      .serviceExternalNameUnresolvable),
    Case(
      "no search list is applied to an external name", alias("t.x.svc") + service("\(one), \(http)", name: "t"), "y/a",
      "svc/x/s", 8000, .tcp, .undecided, .serviceExternalNameUnresolvable),
    Case(
      "a cluster with another domain",
      alias("t.x.svc.corp.example") + service("selector: {pod: aa}, \(http)", name: "t"),
      "y/a", "svc/x/s", 8000, .tcp, .unreachable, .serviceSelectorMatchesNothing),
    Case(
      "one pod of the name itself", alias("a.s.x.svc.cluster.local"), "y/a", "svc/x/s", 80, .tcp, .undecided,
      .serviceExternalNameUnresolvable),
    Case(
      "a pod's name in the cluster's DNS", alias("10-0-0-1.x.pod.cluster.local"), "y/a", "svc/x/s", 80, .tcp,
      .undecided,
      .serviceExternalNameUnresolvable),
    Case(
      "one pod of a headless Service",
      alias("a.t.x.svc.cluster.local") + service("clusterIP: None, \(one), \(http)", name: "t"), "y/a", "svc/x/s", 80,
      .tcp, .undecided, .serviceExternalNameUnresolvable),
  ]

  private static let dual =
    ServiceCases.twoFamilies + service("clusterIPs: [10.96.0.1, 'fd00:96::1'], selector: {pod: d}, \(http)")
  private static let slices = slice("s-4", "IPv4", "10.0.0.70") + slice("s-6", "IPv6", "fd00::70")
  private static let ending = ServiceCases.pod("u", "pod: u", "", ServiceCases.unready).replacing(
    "labels: {pod: u}", with: "labels: {pod: u}, deletionTimestamp: '2026-01-01T00:00:00Z'")
  private static let half = """
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: t-5d9c-abcde, namespace: x, labels: {pod: t, pod-template-hash: 5d9c}, ownerReferences: [{kind: ReplicaSet, name: t-5d9c, controller: true}]}
    spec: {containers: []}
    status: {\(ServiceCases.unready)}

    """

  static let endpoints: [Case] = [
    Case(
      "a port name of no letters is no name",
      service("\(one), ports: [{name: '', port: 8000, targetPort: 80}]")
        + slice("s-1", "IPv4", "10.0.0.1", "port: 80")
        .replacing("name: d", with: "name: a"), "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "a client of one family uses that family", dual + slices, "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case("and of the other", dual + slices, "x/six", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "a client of both families uses both",
      dual + slices
        + World.policy("{podSelector: {matchLabels: {pod: d}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"),
      "x/e", "svc/x/s", 8000, .tcp, .partial, .policyIngressDenied),
    Case(
      "a headless Service of both families",
      dual.replacing("clusterIPs: [10.96.0.1, 'fd00:96::1']", with: "clusterIP: None") + slices,
      "y/a", "svc/x/s", 80, .tcp, .reachable),
    Case(
      "a Service of a family that the client does not have",
      ServiceCases.twoFamilies + service("ipFamilies: [IPv6], selector: {pod: d}, \(http)"), "y/a", "svc/x/s", 8000,
      .tcp,
      .unreachable, .addressFamilyMismatch),
    Case(
      "a pod that ends, not ready, but published",
      service("selector: {pod: u}, publishNotReadyAddresses: true, \(http)") + ending, "y/a", "svc/x/s", 8000, .tcp,
      .reachable),
    Case(
      "a pod that ends and is not ready", service("selector: {pod: u}, \(http)") + ending, "y/a", "svc/x/s", 8000, .tcp,
      .unreachable, .serviceNoReadyEndpoint),
    Case(
      "pods of a Deployment whose ReplicaSet is not given",
      service("selector: {pod: t}, \(http)") + ServiceCases.deployment("t", replicas: 1) + half, "y/a", "svc/x/s", 8000,
      .tcp, .unreachable, .serviceNoReadyEndpoint),
    Case(
      "a Service for one pod of a StatefulSet",
      service("selector: {statefulset.kubernetes.io/pod-name: db-1}, \(http)") + stateful, "y/a", "svc/x/s", 8000, .tcp,
      .reachable),
    Case("a pod of a StatefulSet by its name", stateful, "y/a", "x/db-0", .reachable),
    Case(
      "a policy for one pod of a StatefulSet",
      stateful + World.policy("{podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-1}}}"), "y/a",
      "sts/x/db", .partial, .policyIngressDenied),
    Case(
      "the address of a finished pod is nobody's",
      ServiceCases.pod("f", "pod: f", "", "phase: Succeeded, podIP: 10.0.0.51"), "y/a", "10.0.0.51", .unreachable,
      .podNotRunning),
    Case(
      "init containers speak before the pod runs",
      ServiceCases.pod("i", "pod: i", "", "phase: Pending, podIP: 10.0.0.52")
        + World.policy("{podSelector: {}, policyTypes: [Egress]}"), "x/i", "y/a", .unreachable, .policyEgressDenied),
    Case(
      "but do not serve", ServiceCases.pod("i", "pod: i", "", "phase: Pending, podIP: 10.0.0.52"), "y/a", "10.0.0.52",
      .unreachable, .podNotRunning),
    Case(
      "headless: a port that nothing is said to listen on", service("\(one), clusterIP: None, \(http)"), "y/a",
      "svc/x/s", 8000, .tcp, .undecided, .serviceHeadlessPort),
    Case(
      "an endpoint for an address of pods that no pod has",
      service(http)
        + slice("s-1", "IPv4", "10.0.100.9").replacing(", targetRef: {kind: Pod, name: d, namespace: x}", with: ""),
      "y/a", "svc/x/s", 8000, .tcp, .undecided, .addressUnknownPod),
    Case(
      "internalTrafficPolicy: Local, the only one here ends but serves",
      service("\(one), internalTrafficPolicy: Local, \(http)")
        + """
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: s-1, namespace: x, labels: {kubernetes.io/service-name: s}}
        addressType: IPv4
        ports: [{port: 80}]
        endpoints:
        - {addresses: [10.0.0.1], nodeName: n1, conditions: {ready: false, serving: true, terminating: true}}
        - {addresses: [10.0.0.2], nodeName: n2}

        """, "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "headless: ICMP goes to the pods", service("\(one), clusterIP: None, \(http)"), "y/a", "svc/x/s", nil, .icmp,
      .reachable),
    Case(
      "headless: behind a route the target port is asked",
      service("\(one), clusterIP: None, \(http)") + ServiceCases.route("x", "{name: s, port: 8000}")
        + World.policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}"), "y/a", "httproute/x/r", nil, nil,
      .reachable),
    Case(
      "headless: without ports", service("\(one), clusterIP: None"), "y/a", "svc/x/s", 8000, .tcp, .reachable),
    Case(
      "headless: the port asked for decides which endpoints",
      service(
        "selector: {app: web}, clusterIP: None, ports: [{name: w, port: 80, targetPort: web}, {name: q, port: 9000}]")
        + World.policy("{podSelector: {}, ingress: [{ports: [{port: 9000}]}]}"), "y/a", "svc/x/s", 9000, .tcp,
      .reachable),
  ]

  private static let stateful = """
    ---
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db, namespace: x}
    spec:
      replicas: 2
      selector: {matchLabels: {app: db}}
      template: {metadata: {labels: {app: db}}, spec: {containers: []}}

    """
  private static let daemon = ServiceCases.deployment(
    "d", replicas: 1, "containers: [{name: m, ports: [{containerPort: 80, hostPort: 9090}]}]"
  ).replacing("Deployment", with: "DaemonSet")
  private static let template = ServiceCases.deployment("t", replicas: 2)
  private static let nodePort = "type: NodePort, ports: [{port: 8000, targetPort: 80, nodePort: 30080}]"
  private static let balancer = "type: LoadBalancer, \(one), \(http)"

  private static func shared(_ name: String, _ proto: String) -> String {
    service(
      "type: LoadBalancer, \(one), ports: [{port: 8000, protocol: \(proto), targetPort: 80}]", name: name,
      ServiceCases.status)
  }

  static let entries: [Case] = [
    Case(
      "internalTrafficPolicy: Local, endpoints of no known node",
      template + service("selector: {pod: t}, internalTrafficPolicy: Local, \(http)"), "y/a", "svc/x/s", 8000, .tcp,
      .undecided, .serviceTrafficPolicy),
    Case(
      "internalTrafficPolicy: Local, a source of no known node",
      template + service("selector: {app: web}, internalTrafficPolicy: Local, \(http)")
        + World.policy("{podSelector: {matchLabels: {pod: b}}}"), "x/t", "svc/x/s", 8000, .tcp, .undecided,
      .serviceTrafficPolicy, .policyIngressDenied),
    Case(
      "internalTrafficPolicy: Local, denied on whichever node",
      template + service("selector: {pod: b}, internalTrafficPolicy: Local, \(http)")
        + World.policy("{podSelector: {matchLabels: {pod: b}}}"), "x/t", "svc/x/s", 8000, .tcp, .unreachable,
      .policyIngressDenied),
    Case(
      "internalTrafficPolicy: Local behind an Ingress whose controller is not known",
      service("\(one), internalTrafficPolicy: Local, \(http)") + ServiceCases.route("x", "{name: s, port: 8000}"),
      "203.0.113.7", "httproute/x/r", nil, nil, .undecided, .routeForwarderUnknown,
      .serviceTrafficPolicy),
    Case(
      "externalTrafficPolicy: Local, endpoints of no known node",
      template + service("\(nodePort), selector: {pod: t}, externalTrafficPolicy: Local"), "203.0.113.7", "node/n1",
      30080,
      .tcp, .undecided, .serviceTrafficPolicy),
    Case(
      "externalTrafficPolicy: Local, by the Service's name: clients must choose their node",
      service("\(nodePort), \(one), externalTrafficPolicy: Local"), "203.0.113.7", "svc/x/s", 8000, .tcp, .reachable,
      .serviceTrafficPolicy),
    Case(
      "source ranges and an address nobody knows",
      template + service(balancer + ", loadBalancerSourceRanges: [203.0.113.0/24]", ServiceCases.status), "x/t",
      "198.51.100.1", 8000, .tcp, .undecided, .serviceSourceRange),
    Case(
      "one load balancer address, two protocols: TCP", shared("s", "UDP") + shared("t", "TCP"), "203.0.113.7",
      "198.51.100.1", 8000, .tcp, .reachable),
    Case(
      "one load balancer address, two protocols: UDP", shared("s", "TCP") + shared("t", "UDP"), "203.0.113.7",
      "198.51.100.1", 8000, .udp, .reachable),
    Case(
      "a load balancer address that is only wished for yet",
      service(balancer + ", loadBalancerIP: 198.51.100.7").replacing("pod: a", with: "pod: aa"), "203.0.113.7",
      "198.51.100.7", 8000, .tcp, .unreachable, .serviceSelectorMatchesNothing),
    Case(
      "a load balancer that is a proxy",
      service(balancer, ServiceCases.status.replacing("{ip:", with: "{ipMode: Proxy, ip:")).replacing(
        "pod: a", with: "pod: aa"),
      "203.0.113.7", "198.51.100.1", 8000, .tcp, .unreachable, .serviceSelectorMatchesNothing),
    Case(
      "a load balancer that is a proxy, egress to the pods only",
      service(balancer, ServiceCases.status.replacing("{ip:", with: "{ipMode: Proxy, ip:")) + toX, "y/a",
      "198.51.100.1",
      8000, .tcp, .undecided, .serviceDestinationRewritten),
    Case(
      "an external address that is a node's: its other ports are the node's",
      service("\(one), externalIPs: [192.168.1.2], \(http)") + service("\(nodePort), \(one)", name: "t"), "203.0.113.7",
      "192.168.1.2", 30080, .tcp, .reachable),
    Case(
      "a node port of another node, egress to the pods only", service("\(nodePort), \(one)") + toX, "y/a", "node/n2",
      30080,
      .tcp, .undecided, .serviceDestinationRewritten),
    Case(
      "a node port of the own node, egress to the pods only", service("\(nodePort), \(one)") + toX, "y/a", "node/n1",
      30080,
      .tcp, .reachable),
    Case(
      "a node port, egress to both",
      service("\(nodePort), \(one)") + toX.replacing("to: [", with: "to: [{ipBlock: {cidr: 192.168.1.0/24}}, "), "y/a",
      "node/n2", 30080, .tcp, .reachable),
    Case(
      "a host port of another node, egress to the pods only",
      ServiceCases.pod("h", "pod: h", "nodeName: n2", "phase: Running, podIP: 10.0.0.60").replacing(
        "containerPort: 80", with: "containerPort: 80, hostPort: 9090") + toX, "y/a", "node/n2", 9090, .tcp, .undecided,
      .serviceDestinationRewritten),
    Case(
      "a host port of a DaemonSet that may run there, and lets nobody in",
      daemon + World.policy("{podSelector: {matchLabels: {pod: d}}}"), "203.0.113.7", "node/n1", 9090, .tcp, .undecided,
      .podNodeUnknown, .policyIngressDenied),
    Case(
      "a host port of a DaemonSet that may run there", daemon, "203.0.113.7", "node/n1", 9090, .tcp, .reachable),
    Case(
      "a cluster address as the source: the pods behind it",
      service("\(one), clusterIP: 10.96.0.10, \(http)")
        + World.policy(
          "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: x}}}]}]}", namespace: "y"),
      "10.96.0.10", "y/a", .reachable),
    Case(
      "a node speaks from its internal address",
      "---\n{apiVersion: v1, kind: Node, metadata: {name: n3}, status: {addresses: [{type: ExternalIP, address: 34.0.0.1}, {type: InternalIP, address: 192.168.1.3}]}}\n"
        + World.policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/16}}]}]}"), "node/n3", "x/a",
      .reachable),
    Case(
      "a grant for another API group is none",
      service("\(one), \(http)") + ServiceCases.route("y", "{name: s, namespace: x, port: 8000}")
        + ServiceCases.grant.replacing("group: gateway.networking.k8s.io", with: "group: example.org"), "y/a",
      "httproute/y/r", nil, nil, .unreachable, .routeReferenceNotGranted),
    Case(
      "a grant for Services of another API group is none",
      service("\(one), \(http)") + ServiceCases.route("y", "{name: s, namespace: x, port: 8000}")
        + ServiceCases.grant.replacing("group: ''", with: "group: example.org"), "y/a", "httproute/y/r", nil, nil,
      .unreachable, .routeReferenceNotGranted),
    Case(
      "a backend of another API group is no Service",
      service("\(one), \(http)") + ServiceCases.route("x", "{group: example.org, kind: Service, name: s, port: 8000}"),
      "y/a", "httproute/x/r", nil, nil, .undecided, .routeForwarderUnknown),
  ]

  /// Pods of y may speak to pods of x only.
  private static let toX = World.policy(
    "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {ns: x}}}]}]}",
    namespace: "y")

  @Test("a matrix has a row for each kind of pod that policies tell apart")
  func kinds() throws {
    let policy = World.policy("{podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-1}}}")
    func titles(_ objects: String) throws -> [String] {
      let matrix = PolicyMatrix(try ManifestLoader.load(text: World.base + objects, name: "f").cluster)
      return matrix.workloads.filter { $0.hasPrefix("StatefulSet") }
    }
    #expect(try titles(Self.stateful) == ["StatefulSet/x/db"])
    #expect(try titles(Self.stateful + policy) == ["StatefulSet/x/db [db-0]", "StatefulSet/x/db [db-1]"])
    let matrix = PolicyMatrix(
      try ManifestLoader.load(text: World.base + Self.stateful + policy, name: "f").cluster)
    let (first, second) = (
      try #require(matrix.workloads.firstIndex(of: "StatefulSet/x/db [db-0]")),
      try #require(matrix.workloads.firstIndex(of: "StatefulSet/x/db [db-1]"))
    )
    #expect(matrix[second, first] == .all && matrix[first, second] == .none && matrix[second, second] == .all)
  }

  @Test(
    "a missing pod is gone when pods of its namespace are given, and not known when none are",
    arguments: [("x", Verdict.unreachable), ("y", .undecided)])
  func missingPods(namespace: String, verdict: Verdict) throws {
    let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: \(namespace)}, spec: {}}\n"
    let objects = pod + Self.service(Self.http) + Self.slice("s-1", "IPv4", "10.0.0.9")
    let diagnoser = Diagnoser(try ManifestLoader.load(text: objects, name: "f").cluster)
    let source = EndReference.pod(ObjectName(namespace, "client"))
    let question = Question(source: source, destination: .service(ObjectName("x", "s")), port: 8000)
    #expect(try diagnoser.diagnose(question).verdict == verdict)
  }

  @Test("a workload that is new in a difference brings its pairs with it")
  func difference() throws {
    func matrix(_ objects: String) throws -> PolicyMatrix {
      PolicyMatrix(try ManifestLoader.load(text: objects, name: "f").cluster)
    }
    let one = ServiceCases.deployment("t", replicas: 1)
    let two = one + ServiceCases.deployment("u", replicas: 1) + World.policy("{podSelector: {matchLabels: {pod: t}}}")
    let difference = MatrixDifference(from: try matrix(one), to: try matrix(two))
    #expect(
      difference.text.split(separator: "\n") == [
        "+ workload Deployment/x/u", "+ Deployment/x/t → Deployment/x/u: TCP all",
        "+ Deployment/x/t → Deployment/x/u: UDP all",
        "+ Deployment/x/t → Deployment/x/u: SCTP all", "+ Deployment/x/u → Deployment/x/u: TCP all",
        "+ Deployment/x/u → Deployment/x/u: UDP all", "+ Deployment/x/u → Deployment/x/u: SCTP all",
      ])
    let back = MatrixDifference(from: try matrix(two), to: try matrix(one))
    #expect(back.changes.count == 2 && back.removed == ["Deployment/x/u"])
  }

  @Test("external names", arguments: externalNames)
  func externalName(_ test: Case) throws { try test.run() }

  @Test("which endpoints there are", arguments: endpoints)
  func endpoint(_ test: Case) throws { try test.run() }

  @Test("ways to a Service", arguments: entries)
  func entry(_ test: Case) throws { try test.run() }
}
