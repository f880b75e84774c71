import KubeManifests
import KubeModel
import NetDiagnosis
import Testing

/// Three namespaces x, y, z with the pods a, b, c each, as the policy tests of Kubernetes have them. Every pod serves
/// TCP and UDP 80 and 81, and SCTP 80. Pods a are on node n1, the others on n2; x/host is on n1's own network.
enum World {
  static func pod(_ namespace: String, _ name: String, _ index: Int) -> String {
    let number = Int(namespace.unicodeScalars.first!.value) - 0x78
    return """
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: \(name), namespace: \(namespace), labels: {pod: \(name), app: web}}
      spec:
        nodeName: \(name == "a" ? "n1" : "n2")
        containers:
        - name: main
          ports:
          - {name: web, containerPort: \(name == "c" ? 81 : 80)}
          - {name: web, containerPort: 81, protocol: UDP}
      status: {phase: Running, podIP: 10.0.\(number).\(index), conditions: [{type: Ready, status: "True"}]}

      """
  }

  static let base: String = {
    var text = ""
    for namespace in ["x", "y", "z"] {
      text += """
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: \(namespace), labels: {ns: \(namespace), team: \(namespace == "z" ? "blue" : "red")}}

        """
      for (index, name) in ["a", "b", "c"].enumerated() { text += pod(namespace, name, index + 1) }
    }
    for (index, name) in ["n1", "n2"].enumerated() {
      text += """
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: \(name), labels: {role: \(name == "n1" ? "edge" : "worker")}}
        spec: {podCIDR: 10.0.\(100 + index).0/24}
        status: {addresses: [{type: InternalIP, address: 192.168.1.\(index + 1)}]}

        """
    }
    text += """
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: host, namespace: x, labels: {pod: host, app: web}}
      spec: {hostNetwork: true, nodeName: n1, containers: []}
      status: {phase: Running, podIP: 192.168.1.1}

      """
    return text
  }()

  /// A NetworkPolicy of namespace x; `spec` in YAML's flow form.
  static func policy(_ spec: String, name: String = "p", namespace: String = "x") -> String {
    """
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: \(name), namespace: \(namespace)}
    spec: \(spec)

    """
  }

  static func admin(_ name: String, priority: Int, _ spec: String) -> String {
    """
    ---
    apiVersion: policy.networking.k8s.io/v1alpha1
    kind: AdminNetworkPolicy
    metadata: {name: \(name)}
    spec: {priority: \(priority), \(spec)}

    """
  }

  static func baseline(_ spec: String) -> String {
    """
    ---
    apiVersion: policy.networking.k8s.io/v1alpha1
    kind: BaselineAdminNetworkPolicy
    metadata: {name: default}
    spec: {\(spec)}

    """
  }

  static func clusterPolicy(_ name: String, tier: String, priority: Int, _ spec: String) -> String {
    """
    ---
    apiVersion: policy.networking.k8s.io/v1alpha2
    kind: ClusterNetworkPolicy
    metadata: {name: \(name)}
    spec: {tier: \(tier), priority: \(priority), \(spec)}

    """
  }

  static func diagnose(
    _ objects: String, _ source: String, _ destination: String, _ port: UInt16?, _ proto: TrafficProtocol?
  ) throws -> Diagnosis {
    let cluster = try ManifestLoader.load(text: base + objects, name: "world.yaml").cluster
    let question = Question(
      source: try #require(EndReference(source)), destination: try #require(EndReference(destination)), port: port,
      proto: proto)
    return try Diagnoser(cluster).diagnose(question)
  }
}

/// A named question with its answer.
struct Case: CustomTestStringConvertible, Sendable {
  let name: String
  let objects: String
  let source: String
  let destination: String
  let port: UInt16?
  let proto: TrafficProtocol?
  let verdict: Verdict
  let codes: [FindingCode]

  init(
    _ name: String, _ objects: String, _ source: String, _ destination: String, _ verdict: Verdict,
    _ codes: FindingCode...
  ) {
    self.init(name, objects, source, destination, 80, .tcp, verdict, codes)
  }

  init(
    _ name: String, _ objects: String, _ source: String, _ destination: String, _ port: UInt16?,
    _ proto: TrafficProtocol?, _ verdict: Verdict, _ codes: FindingCode...
  ) {
    self.init(name, objects, source, destination, port, proto, verdict, codes)
  }

  private init(
    _ name: String, _ objects: String, _ source: String, _ destination: String, _ port: UInt16?,
    _ proto: TrafficProtocol?, _ verdict: Verdict, _ codes: [FindingCode]
  ) {
    self.name = name
    self.objects = objects
    self.source = source
    self.destination = destination
    self.port = port
    self.proto = proto
    self.verdict = verdict
    self.codes = codes
  }

  var testDescription: String { name }

  func run() throws {
    let diagnosis = try World.diagnose(objects, source, destination, port, proto)
    #expect(diagnosis.verdict == verdict, "\(diagnosis.text)")
    #expect(Set(diagnosis.findings.map(\.code)) == Set(codes), "\(diagnosis.text)")
    for finding in diagnosis.findings where finding.severity == .fatal {
      #expect(!finding.remedy.isEmpty && !finding.detail.isEmpty)
    }
  }
}
