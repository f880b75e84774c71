import KubeManifests
import KubeModel
import NetPolicy
import NetTypes
import Testing

/// Whole truth tables, as Kubernetes' own policy tests and cyclonus have them: all pairs of nine pods in the namespaces x,
/// y and z, on TCP, UDP and SCTP, 80 and 81. What is expected is said in one expression for all cells.
struct TruthTables {
  struct Cell {
    let from: ObjectName
    let to: ObjectName
    let port: UInt16
    let proto: TrafficProtocol
    var sameNamespace: Bool { from.namespace == to.namespace }
  }

  struct Table: CustomTestStringConvertible, Sendable {
    let name: String
    let objects: String
    let expected: @Sendable (Cell) -> Bool

    init(_ name: String, _ objects: String, _ expected: @escaping @Sendable (Cell) -> Bool) {
      self.name = name
      self.objects = objects
      self.expected = expected
    }

    var testDescription: String { name }
  }

  private static func ingress(_ selector: String, _ rules: String) -> String {
    World.policy("{podSelector: \(selector), policyTypes: [Ingress], ingress: [\(rules)]}")
  }

  private static func egress(_ selector: String, _ rules: String) -> String {
    World.policy("{podSelector: \(selector), policyTypes: [Egress], egress: [\(rules)]}")
  }

  private static let a = "{matchLabels: {pod: a}}"
  private static let dns = "{ports: [{port: 81, protocol: UDP}]}"

  static let tables: [Table] = [
    Table("no policy", "") { _ in true },
    Table("deny all ingress", ingress("{}", "")) { $0.to.namespace != "x" },
    Table("deny all egress", egress("{}", "")) { $0.from.namespace != "x" },
    Table("deny all ingress and egress", World.policy("{podSelector: {}, policyTypes: [Ingress, Egress]}")) {
      $0.to.namespace != "x" && $0.from.namespace != "x"
    },
    Table("allow all ingress", ingress("{}", "{}")) { _ in true },
    Table("deny ingress to one pod", ingress(a, "")) { $0.to != ObjectName("x", "a") },
    Table("ingress from the own namespace", ingress("{}", "{from: [{podSelector: {}}]}")) {
      $0.to.namespace != "x" || $0.sameNamespace
    },
    Table("ingress to one pod from pods b", ingress(a, "{from: [{podSelector: {matchLabels: {pod: b}}}]}")) {
      $0.to != ObjectName("x", "a") || $0.from == ObjectName("x", "b")
    },
    Table(
      "ingress from other namespaces",
      ingress("{}", "{from: [{namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [x]}]}}]}")
    ) {
      $0.to.namespace != "x" || !$0.sameNamespace
    },
    Table(
      "ingress from pods b of red namespaces",
      ingress("{}", "{from: [{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {pod: b}}}]}")
    ) {
      $0.to.namespace != "x" || $0.from.name == "b" && $0.from.namespace != "z"
    },
    Table(
      "ingress from pods b, or from red namespaces",
      ingress("{}", "{from: [{namespaceSelector: {matchLabels: {team: red}}}, {podSelector: {matchLabels: {pod: b}}}]}")
    ) {
      $0.to.namespace != "x" || $0.from.namespace != "z"
    },
    Table("ingress on one port", ingress("{}", "{ports: [{port: 80}]}")) {
      $0.to.namespace != "x" || $0.port == 80 && $0.proto == .tcp
    },
    Table("ingress on UDP", ingress("{}", "{ports: [{protocol: UDP}]}")) {
      $0.to.namespace != "x" || $0.proto == .udp
    },
    Table("ingress on SCTP 80 to 81", ingress("{}", "{ports: [{protocol: SCTP, port: 80, endPort: 81}]}")) {
      $0.to.namespace != "x" || $0.proto == .sctp
    },
    Table("ingress on a named port", ingress("{}", "{ports: [{port: web}]}")) {
      $0.to.namespace != "x" || $0.proto == .tcp && $0.port == ($0.to.name == "c" ? 81 : 80)
    },
    Table("egress to a named port", egress("{}", "{ports: [{port: web}]}")) {
      $0.from.namespace != "x" || $0.proto == .tcp && $0.port == ($0.to.name == "c" ? 81 : 80)
    },
    Table("egress to y, and DNS anywhere", egress("{}", "{to: [{namespaceSelector: {matchLabels: {ns: y}}}]}, \(dns)"))
    {
      $0.from.namespace != "x" || $0.to.namespace == "y" || $0.proto == .udp && $0.port == 81
    },
    Table("egress of one pod to a block", egress(a, "{to: [{ipBlock: {cidr: 10.0.1.0/24, except: [10.0.1.2/32]}}]}")) {
      $0.from != ObjectName("x", "a") || $0.to.namespace == "y" && $0.to.name != "b"
    },
    Table("ingress from a block", ingress("{}", "{from: [{ipBlock: {cidr: 10.0.0.0/23}}]}")) {
      $0.to.namespace != "x" || $0.from.namespace != "z"
    },
    Table(
      "two policies of one pod",
      ingress(a, "{from: [{podSelector: {}}]}")
        + World.policy(
          "{podSelector: \(a), ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y}}}], ports: [{port: 80}]}]}",
          name: "q")
    ) {
      $0.to != ObjectName("x", "a") || $0.sameNamespace || $0.from.namespace == "y" && $0.port == 80 && $0.proto == .tcp
    },
    Table(
      "egress here and ingress there",
      egress("{}", "{to: [{namespaceSelector: {}}], ports: [{port: 80}]}")
        + World.policy(
          "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: x}}}]}]}", namespace: "y")
    ) {
      ($0.from.namespace != "x" || $0.port == 80 && $0.proto == .tcp)
        && ($0.to.namespace != "y" || $0.from.namespace == "x")
    },
    Table(
      "admin: deny to y, but pass pods a to the NetworkPolicies",
      World.admin(
        "p", priority: 5,
        "subject: {namespaces: {matchLabels: {ns: y}}}, ingress: [{action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: \(a)}}]}, {action: Deny, from: [{namespaces: {}}]}]"
      ) + World.policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", namespace: "y")
    ) {
      $0.to.namespace != "y" || $0.from.name == "a" && $0.port == 80 && $0.proto == .tcp
    },
    Table(
      "admin: an allow cannot be taken away",
      World.admin(
        "p", priority: 5,
        "subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {matchLabels: {ns: z}}}], ports: [{portNumber: {port: 80, protocol: UDP}}]}]"
      ) + ingress("{}", "")
    ) {
      $0.to.namespace != "x" || $0.from.namespace == "z" && $0.port == 80 && $0.proto == .udp
    },
    Table(
      "baseline: deny between namespaces, where nothing else is said",
      World.baseline(
        "subject: {namespaces: {}}, ingress: [{action: Allow, from: [{pods: {namespaceSelector: {}, podSelector: \(a)}}]}, {action: Deny, from: [{namespaces: {}}]}]"
      ) + World.policy("{podSelector: {}, ingress: [{}]}", namespace: "z")
    ) {
      $0.to.namespace == "z" || $0.from.name == "a"
    },
  ]

  @Test("truth tables", arguments: tables)
  func table(_ table: Table) throws {
    let cluster = try ManifestLoader.load(text: World.base + table.objects, name: "world.yaml").cluster
    let engine = PolicyEngine(cluster)
    let pods = cluster.pods.all.filter { !$0.hostNetwork }
    #expect(pods.count == 9)
    for from in pods {
      for to in pods {
        for proto in [TrafficProtocol.tcp, .udp, .sctp] {
          for port: UInt16 in [80, 81] {
            let flow = Flow(
              source: .pod(from, address: from.addresses.first, in: cluster),
              destination: .pod(to, address: to.addresses.first, in: cluster), proto: proto, port: port)
            let expected =
              from.name == to.name || table.expected(Cell(from: from.name, to: to.name, port: port, proto: proto))
            #expect(engine.judge(flow).allowed == (expected ? .yes : .no), "\(from.name) → \(to.name) \(proto) \(port)")
          }
        }
      }
    }
  }
}
