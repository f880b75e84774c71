import KubeManifests
import KubeModel
import NetTypes
import Testing

struct LoaderTests {
  static func pod(_ name: String, _ extra: String = "") -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), namespace: x}
    spec: {containers: []}
    \(extra)
    """
  }

  struct Invalid: CustomTestStringConvertible {
    let name: String
    let text: String
    let line: Int
    let document: Int
    let field: String?
    var testDescription: String { name }

    init(_ name: String, line: Int, document: Int = 1, field: String?, _ text: String) {
      self.name = name
      self.text = text
      self.line = line
      self.document = document
      self.field = field
    }

    /// A NetworkPolicy whose `spec.ingress[0]` begins in line 6.
    static func rule(_ name: String, line: Int, field: String, _ rule: String) -> Invalid {
      Invalid(
        name, line: line, field: "spec.ingress[0]." + field,
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: p, namespace: x}
        spec:
          podSelector: {}
          ingress:
          - \(rule.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    "))
        """)
    }
  }

  static let invalid: [Invalid] = [
    .rule("endPort below port", line: 9, field: "ports[0].endPort", "ports:\n- port: 80\n  endPort: 70"),
    .rule("endPort without port", line: 8, field: "ports[0].endPort", "ports:\n- endPort: 70"),
    .rule("endPort with a name", line: 9, field: "ports[0].endPort", "ports:\n- port: web\n  endPort: 70"),
    .rule("port too large", line: 8, field: "ports[0].port", "ports:\n- port: 65536"),
    .rule("port zero", line: 8, field: "ports[0].port", "ports:\n- port: 0"),
    .rule("port name too long", line: 8, field: "ports[0].port", "ports:\n- port: abcdefghijklmnop"),
    .rule("port number as a string", line: 8, field: "ports[0].port", "ports:\n- port: \"80\""),
    .rule("protocol in lower case", line: 8, field: "ports[0].protocol", "ports:\n- protocol: tcp"),
    .rule("unknown protocol", line: 8, field: "ports[0].protocol", "ports:\n- protocol: ICMP"),
    .rule("empty peer", line: 8, field: "from[0]", "from:\n- {}"),
    .rule("peer of nulls", line: 8, field: "from[0]", "from:\n- podSelector: null"),
    .rule(
      "ipBlock with a selector", line: 9, field: "from[0].ipBlock",
      "from:\n- podSelector: {}\n  ipBlock: {cidr: 10.0.0.0/8}"),
    .rule("ipBlock without cidr", line: 8, field: "from[0].ipBlock.cidr", "from:\n- ipBlock: {except: []}"),
    .rule("bad cidr", line: 8, field: "from[0].ipBlock.cidr", "from:\n- ipBlock: {cidr: 10.0.0.0}"),
    .rule(
      "except outside", line: 10, field: "from[0].ipBlock.except[0]",
      "from:\n- ipBlock:\n    cidr: 10.0.0.0/8\n    except: [11.0.0.0/16]"),
    .rule(
      "except as large", line: 10, field: "from[0].ipBlock.except[0]",
      "from:\n- ipBlock:\n    cidr: 10.0.0.0/8\n    except: [10.0.0.0/8]"),
    .rule("misspelt field", line: 8, field: "from[0].nameSpaceSelector", "from:\n- nameSpaceSelector: {}"),
    .rule("to in ingress", line: 7, field: "to", "to: []"),
    .rule(
      "In without values", line: 8, field: "from[0].podSelector.matchExpressions[0].values",
      "from:\n- podSelector: {matchExpressions: [{key: a, operator: In}]}"),
    .rule(
      "Exists with values", line: 8, field: "from[0].podSelector.matchExpressions[0].values",
      "from:\n- podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
    .rule(
      "unknown operator", line: 8, field: "from[0].podSelector.matchExpressions[0].operator",
      "from:\n- podSelector: {matchExpressions: [{key: a, operator: Is, values: [b]}]}"),
    .rule(
      "bad label key", line: 8, field: "from[0].podSelector.matchLabels.a b",
      "from:\n- podSelector: {matchLabels: {a b: c}}"),
    .rule(
      "label value that is a number", line: 8, field: "from[0].podSelector.matchLabels.a",
      "from:\n- podSelector: {matchLabels: {a: 1}}"),
    Invalid(
      "second document, later line", line: 10, document: 2, field: "spec.hostNetwork",
      pod("a") + "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {hostNetwork: on}"),
    Invalid("no name", line: 3, field: "metadata.name", "apiVersion: v1\nkind: Pod\nmetadata: {namespace: x}"),
    Invalid("no kind", line: 1, field: "kind", "apiVersion: v1\nmetadata: {name: x}"),
    Invalid("duplicate field", line: 1, field: nil, "kind: Pod\nkind: Pod"),
    Invalid(
      "an object in a List", line: 6, field: "items[0].spec.ports[0].port",
      "apiVersion: v1\nkind: List\nitems:\n- kind: Service\n  apiVersion: v1\n  spec: {ports: [{port: x}]}\n  metadata: {name: s}"
    ),
    Invalid(
      "template that its selector misses", line: 7, field: "spec.template",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: c}}\n    spec: {}"
    ),
    Invalid(
      "a route's Service without a port", line: 5, field: "spec.rules[0].backendRefs[0].port",
      "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  rules: [{backendRefs: [{name: s}]}]"
    ),
    Invalid(
      "ExternalName without a name", line: 4, field: "spec.externalName",
      "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: ExternalName, externalName: ''}"),
    Invalid(
      "misspelt spec of a policy", line: 4, field: "specs",
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspecs: {podSelector: {}}"),
    Invalid(
      "no networks", line: 5, field: "spec.egress[0].to[0].networks",
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: {priority: 1, subject: {namespaces: {}},\n  egress: [{action: Allow, to: [{networks: []}]}]}"
    ),
    Invalid(
      "a named port of nodes", line: 5, field: "spec.egress[0].ports",
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: {priority: 1, subject: {namespaces: {}},\n  egress: [{action: Allow, to: [{nodes: {}}], ports: [{namedPort: web}]}]}"
    ),
    Invalid(
      "a named port of domain names, v1alpha2", line: 5, field: "spec.egress[0].protocols",
      "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {priority: 1, tier: Admin, subject: {namespaces: {}},\n  egress: [{action: Accept, to: [{domainNames: [a.example]}], protocols: [{destinationNamedPort: web}]}]}"
    ),
    Invalid(
      "pods without podSelector", line: 5, field: "spec.ingress[0].from[0].pods.podSelector",
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: {priority: 1, subject: {namespaces: {}},\n  ingress: [{action: Allow, from: [{pods: {namespaceSelector: {}}}]}]}"
    ),
    Invalid(
      "pods without namespaceSelector, v1alpha1", line: 5, field: "spec.ingress[0].from[0].pods.namespaceSelector",
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: {priority: 1, subject: {namespaces: {}},\n  ingress: [{action: Allow, from: [{pods: {podSelector: {}}}]}]}"
    ),
    Invalid(
      "too many peers, v1alpha2", line: 5, field: "spec.ingress[0].from",
      "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {priority: 1, tier: Admin, subject: {namespaces: {}},\n  ingress: [{action: Accept, from: [\(Array(repeating: "{namespaces: {}}", count: 26).joined(separator: ", "))]}]}"
    ),
    Invalid("a character that YAML does not allow", line: 3, document: 1, field: nil, "a: 1\nb: 2\nc: \u{0}"),
    Invalid(
      "bad policyTypes", line: 4, field: "spec.policyTypes[0]",
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {policyTypes: [ingress]}"),
    Invalid(
      "admin policy without priority", line: 4, field: "spec.priority",
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: {subject: {namespaces: {}}}"
    ),
    Invalid(
      "baseline with Pass", line: 6, field: "spec.ingress[0].action",
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec:\n  subject: {namespaces: {}}\n  ingress: [{action: Pass, from: [{namespaces: {}}]}]"
    ),
    Invalid(
      "admin rule without peers", line: 6, field: "spec.ingress[0].from",
      "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec:\n  {tier: Admin, priority: 1, subject: {namespaces: {}},\n  ingress: [{action: Accept, from: []}]}"
    ),
    Invalid(
      "admin peer of two kinds", line: 6, field: "spec.egress[0].to[0]",
      "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec:\n  {tier: Admin, priority: 1, subject: {namespaces: {}},\n  egress: [{action: Accept, to: [{namespaces: {}, networks: [10.0.0.0/8]}]}]}"
    ),
  ]

  @Test("what the API server refuses is an error with file, document, line and field", arguments: invalid)
  func refuses(_ test: Invalid) {
    #expect {
      try ManifestLoader.load(text: test.text, name: "f.yaml")
    } throws: { error in
      guard let error = error as? ManifestError else { return false }
      let found = "\(error.file):\(error.line ?? 0) document \(error.document ?? 0) \(error.field ?? "-")"
      let expected = "f.yaml:\(test.line) document \(test.document) \(test.field ?? "-")"
      if found != expected { Issue.record("\(error): found \(found), expected \(expected)") }
      return found == expected
    }
  }

  @Test("YAML 1.2: only true and false are booleans")
  func booleans() throws {
    let text = """
      apiVersion: v1
      kind: Pod
      metadata:
        name: a
        labels: {a: y, b: on, c: no, d: off, e: yes, f: "true", g: ~, h: 1.2.3, i: 0b1, j: "1", k: !!str 1, l: !!str true}
      spec: {hostNetwork: true}
      """
    let pod = try #require(try ManifestLoader.load(text: text, name: "f").cluster.pods[ObjectName("default", "a")])
    #expect(
      pod.labels
        == [
          "a": "y", "b": "on", "c": "no", "d": "off", "e": "yes", "f": "true", "g": "", "h": "1.2.3", "i": "0b1",
          "j": "1", "k": "1", "l": "true",
        ])
    #expect(pod.hostNetwork)
  }

  @Test("numbers are those of the core schema of YAML 1.2")
  func numbers() throws {
    func port(_ text: String) throws -> UInt16? {
      let text = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: \(text)}]}}"
      return try ManifestLoader.load(text: text, name: "f").cluster.services[ObjectName("default", "s")]?.ports[0].port
    }
    for text in ["80", "+80", "080", "0x50", "0o120", "!!int '80'"] { #expect(try port(text) == 80) }
    for text in ["0x", "0x+50", "8_0", "80.0", "8e1", "'80'", "!!str 80", "0b1010000"] {
      #expect(throws: ManifestError.self, "\(text)") { try port(text) }
    }
    for text in [".inf", "-.INF", ".nan", "1e3", "0o7", "1."] {
      let pod = "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {l: \(text)}}, spec: {}}"
      #expect(throws: ManifestError.self, "\(text) is no string") { try ManifestLoader.load(text: pod, name: "f") }
    }
  }

  @Test("objects with a generateName are kept apart")
  func generatedNames() throws {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {generateName: a-, namespace: x}, spec: {}}"
    let loaded = try ManifestLoader.load(text: "\(pod)\n---\n\(pod)", name: "f")
    #expect(Set(loaded.cluster.pods.all.map(\.name.name)) == ["a-", "a-#2"])
    #expect(loaded.replaced.isEmpty)
  }

  @Test("anchors, merge keys, several documents, empty ones and Lists")
  func yaml() throws {
    let text = """
      ---
      # nothing
      ---
      apiVersion: v1
      kind: List
      items:
      - apiVersion: v1
        kind: Pod
        metadata: {name: a, namespace: x, labels: &l {app: a, tier: t}}
        spec: {}
      - apiVersion: v1
        kind: PodList
        items:
        - apiVersion: v1
          kind: Pod
          metadata: {name: b, namespace: y, labels: {<<: *l, app: b}}
          spec: {}
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: c}
      ---
      values: {}
      """
    let loaded = try ManifestLoader.load(text: text, name: "f")
    #expect(loaded.objects == 2)
    #expect(loaded.skipped == ["v1/ConfigMap": 1, "": 1])
    #expect(loaded.cluster.pods[ObjectName("y", "b")]?.labels == ["app": "b", "tier": "t"])
    #expect(loaded.cluster.pods[ObjectName("x", "a")]?.origin == Origin(file: 0, document: 2, line: 7))
    #expect(loaded.cluster.namespaces["y"]?.labels == ["kubernetes.io/metadata.name": "y"])
  }

  @Test("JSON, with tabs, escapes and surrogates")
  func json() throws {
    let text = #"""
      {"apiVersion": "v1", "kind": "Service",
      	"metadata": {"name": "s", "annotations": {"a": "\ud83d\ude00 \/ \\ud83d \u003c"}},
      	"spec": {"ports": [{"port": 80}], "selector": {"app": "a"}}}
      """#
    let service = try ManifestLoader.load(text: text, name: "f.json").cluster.services[ObjectName("default", "s")]
    #expect(service?.ports.first?.targetPort == .number(80))
  }

  @Test("several JSON documents need no separator")
  func jsonDocuments() throws {
    let pod =
      #"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "NAME", "annotations": {"a": "}\n{"}}, "spec": {}}"#
    let texts = ["a", "b", "c"].map { pod.replacing("NAME", with: $0) }
    for separator in ["\n", "\n\n", "\n---\n"] {
      let loaded = try ManifestLoader.load(text: texts.joined(separator: separator), name: "f")
      #expect(Set(loaded.cluster.pods.all.map(\.name.name)) == ["a", "b", "c"])
      #expect(Set(loaded.cluster.pods.all.map(\.origin.document)) == [1, 2, 3])
    }
  }

  @Test("a policy without a spec selects all and lets nothing in")
  func noSpec() throws {
    let text = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x}}"
    let policy = try ManifestLoader.load(text: text, name: "f").cluster.policies["x"]?.first
    #expect(
      policy?.podSelector.isEmpty == true && policy?.ingress.isEmpty == true && policy?.policyTypes.isEmpty == true)
  }

  @Test("defaults are those of the API server")
  func defaults() throws {
    let text = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: p, namespace: x}
      spec:
        ingress: [{ports: [{port: 80}, {}, {protocol: UDP, port: 1, endPort: 5}]}]
        egress: []
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: s}
      spec: {ports: [{port: 80, targetPort: 0}, {name: b, port: 81, protocol: UDP, targetPort: web}]}
      """
    let cluster = try ManifestLoader.load(text: text, name: "f").cluster
    let policy = try #require(cluster.policies["x"]?.first)
    #expect(policy.podSelector.isEmpty && policy.policyTypes.isEmpty && policy.egress.isEmpty)
    #expect(
      policy.ingress.first?.ports == [
        PolicyPort(.tcp, .range(80, 80)), PolicyPort(.tcp, .all), PolicyPort(.udp, .range(1, 5)),
      ])
    let service = try #require(cluster.services[ObjectName("default", "s")])
    #expect(service.ports.map(\.proto) == [.tcp, .udp])
    #expect(service.ports.map(\.targetPort) == [.number(80), .name("web")])
    #expect(service.kind == .clusterIP && service.internalTrafficPolicy == .cluster && service.selector == nil)
  }

  @Test("sidecars' ports count, those of other init containers do not")
  func sidecars() throws {
    let text = """
      apiVersion: v1
      kind: Pod
      metadata: {name: a}
      spec:
        containers: [{name: m, ports: [{name: web, containerPort: 80}]}]
        initContainers:
        - {name: i, ports: [{name: init, containerPort: 81}]}
        - {name: s, restartPolicy: Always, ports: [{name: side, containerPort: 82}]}
      """
    let pod = try ManifestLoader.load(text: text, name: "f").cluster.pods[ObjectName("default", "a")]
    #expect(pod?.template.ports.map(\.port) == [80, 82])
  }

  @Test("templates make a pod, unless there are real ones or none are wanted")
  func templates() throws {
    func deployment(_ name: String, _ replicas: Int) -> String {
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: \(name), namespace: x}
      spec:
        replicas: \(replicas)
        selector: {matchLabels: {app: \(name)}}
        template: {metadata: {labels: {app: \(name)}}, spec: {}}
      ---

      """
    }
    let owned = """
      apiVersion: apps/v1
      kind: ReplicaSet
      metadata: {name: c-1, namespace: x, ownerReferences: [{kind: Deployment, name: c, controller: true}]}
      spec: {selector: {matchLabels: {app: c}}, template: {metadata: {labels: {app: c}}, spec: {}}}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: c-1-z, namespace: x, ownerReferences: [{kind: ReplicaSet, name: c-1, controller: true}]}
      spec: {}
      """
    let text = deployment("a", 2) + deployment("b", 0) + deployment("c", 1) + owned
    let cluster = try ManifestLoader.load(text: text, name: "f").cluster
    #expect(Set(cluster.pods.all.map(\.title)) == ["Deployment/x/a", "pod x/c-1-z"])
    #expect(cluster.pods(of: Workload.ID(.deployment, ObjectName("x", "c"))).map(\.name.name) == ["c-1-z"])
  }

  @Test("pods belong to a Deployment or CronJob also when the ReplicaSet or Job between is not given")
  func missingOwners() throws {
    func pod(_ name: String, _ kind: String, _ owner: String, _ labels: String) -> String {
      """
      ---
      apiVersion: v1
      kind: Pod
      metadata:
        {name: \(name), namespace: x, labels: {\(labels)}, ownerReferences: [{kind: \(kind), name: \(owner), controller: true}]}
      spec: {}

      """
    }
    let text = """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web, namespace: x}
      spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {}}}
      ---
      apiVersion: batch/v1
      kind: CronJob
      metadata: {name: tick, namespace: x}
      spec: {jobTemplate: {spec: {template: {spec: {}}}}}

      """
    let pods =
      pod("web-5d9c-abcde", "ReplicaSet", "web-5d9c", "app: web, pod-template-hash: 5d9c")
      + pod("tick-29000000-x", "Job", "tick-29000000", "") + pod("other-1-x", "ReplicaSet", "web-other", "app: o")
    let cluster = try ManifestLoader.load(text: text + pods, name: "f").cluster
    #expect(Set(cluster.pods.all.map(\.title)) == ["pod x/web-5d9c-abcde", "pod x/tick-29000000-x", "pod x/other-1-x"])
    #expect(
      cluster.pods.all.map { cluster.workloadTitle(of: $0) }.sorted() == [
        "CronJob/x/tick", "Deployment/x/web", "ReplicaSet/x/web-other",
      ])
  }

  @Test("owners in a circle come to an end")
  func ownerCircle() throws {
    func workload(_ name: String, _ owner: String) -> String {
      """
      ---
      apiVersion: apps/v1
      kind: ReplicaSet
      metadata: {name: \(name), namespace: x, ownerReferences: [{kind: ReplicaSet, name: \(owner), controller: true}]}
      spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {}}}

      """
    }
    let pod = """
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: p, namespace: x, ownerReferences: [{kind: ReplicaSet, name: one, controller: true}]}
      spec: {}
      """
    let text = workload("one", "two") + workload("two", "one") + workload("self", "self") + pod
    let cluster = try ManifestLoader.load(text: text, name: "f").cluster
    for name in ["one", "two"] {
      let pods = cluster.pods(of: Workload.ID(.replicaSet, ObjectName("x", name)))
      #expect(pods.map(\.name.name) == ["p"])
      #expect(cluster.workloadTitle(of: try #require(pods.first)).hasPrefix("ReplicaSet/x/"))
    }
    #expect(cluster.pods(of: Workload.ID(.replicaSet, ObjectName("x", "self"))).isEmpty)
  }

  @Test("a StatefulSet's pods have names and labels of their own")
  func statefulSets() throws {
    let text = """
      apiVersion: apps/v1
      kind: StatefulSet
      metadata: {name: db, namespace: x}
      spec:
        replicas: 2
        ordinals: {start: 5}
        selector: {matchLabels: {app: db}}
        template: {metadata: {labels: {app: db}}, spec: {}}
      """
    let cluster = try ManifestLoader.load(text: text, name: "f").cluster
    #expect(Set(cluster.pods.all.map(\.title)) == ["pod x/db-5", "pod x/db-6"])
    #expect(
      cluster.pods[ObjectName("x", "db-6")]?.labels == [
        "app": "db", "statefulset.kubernetes.io/pod-name": "db-6", "apps.kubernetes.io/pod-index": "6",
      ])
    let many = try ManifestLoader.load(text: text.replacing("replicas: 2", with: "replicas: 2147483647"), name: "f")
    #expect(many.cluster.pods.count == 100)
  }

  @Test(
    "Jobs want pods until they are done or suspended",
    arguments: [
      ("spec: {SPEC}", 1), ("spec: {parallelism: 0, SPEC}", 0), ("spec: {suspend: true, SPEC}", 0),
      ("spec: {SPEC}\nstatus: {completionTime: '2026-01-01T00:00:00Z'}", 0),
    ])
  func jobs(spec: String, pods: Int) throws {
    let spec = spec.replacing("SPEC", with: "template: {spec: {}}")
    let text = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: x}\n\(spec)"
    let cluster = try ManifestLoader.load(text: text, name: "f").cluster
    #expect(cluster.pods.count == pods)
    for pod in cluster.pods.all {
      #expect(pod.labels == ["job-name": "j", "batch.kubernetes.io/job-name": "j"])
    }
  }

  @Test("policies that are not modelled are kept as gaps")
  func unmodelled() throws {
    let text = """
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: p, namespace: x}
      ---
      apiVersion: crd.projectcalico.org/v1
      kind: GlobalNetworkPolicy
      metadata: {name: g}
      """
    let loaded = try ManifestLoader.load(text: text, name: "f")
    #expect(loaded.cluster.unmodelled.map(\.namespace) == ["x", ""])
  }

  @Test("a later object of the same name replaces the earlier one, and this is told")
  func replaced() throws {
    let loaded = try ManifestLoader.load(text: Self.pod("a") + "\n---\n" + Self.pod("a"), name: "f")
    #expect(loaded.replaced.count == 1)
    #expect(loaded.cluster.pods.count == 1)
    let endpoints = "{apiVersion: v1, kind: Endpoints, metadata: {name: s}, subsets: [{addresses: [{ip: 10.0.0.IP}]}]}"
    let twice = [1, 2].map { endpoints.replacing("IP", with: "\($0)") }.joined(separator: "\n---\n")
    let cluster = try ManifestLoader.load(text: twice, name: "f").cluster
    let left = cluster.endpoints(of: ObjectName("default", "s")).flatMap(\.endpoints).flatMap(\.addresses)
    #expect(left == [IPAddress("10.0.0.2")!])
  }
}
