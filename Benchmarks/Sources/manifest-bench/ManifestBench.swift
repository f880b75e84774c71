import Foundation
import Glibc
import KubeManifests
import KubeModel
import NetDiagnosis
import NetPolicy
import NetTypes
import Yams

/// Loads a large cluster from manifests and asks it questions. All ratios are between measurements of one run.
@main
struct ManifestBench {
  static func main() throws {
    var sample = SampleCluster()
    // A smaller cluster of the same shape: `manifest-bench 0.1`.
    if let scale = CommandLine.arguments.dropFirst().first.flatMap(Double.init) {
      sample.nodes = Int(Double(sample.nodes) * scale)
      sample.pods = Int(Double(sample.pods) * scale)
      sample.services = Int(Double(sample.services) * scale)
      sample.policies = Int(Double(sample.policies) * scale)
      sample.namespaces = max(Int(Double(sample.namespaces) * scale), 1)
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "manifest-bench-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = try sample.write(to: folder)
    print(
      "cluster: \(sample.nodes) nodes, \(sample.pods) pods, \(sample.services) services, \(sample.policies) policies, "
        + "\(bytes / 1_000_000) MB of YAML")
    let cluster = try load(folder, sample, bytes)
    try ask(cluster, sample)
    matrix()
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  /// Seconds of this process's CPU time until now: other programs do not count in it. POSIX wants a million ticks a second.
  private static func cpu() -> Double { Double(clock()) / 1e6 }

  /// Seconds of CPU time that something takes.
  private static func cpuSeconds(_ body: () throws -> Void) rethrows -> Double {
    let start = cpu()
    try body()
    return cpu() - start
  }

  private static func load(_ folder: URL, _ sample: SampleCluster, _ bytes: Int) throws -> Cluster {
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    let before = residentBytes()
    var loaded: Manifests?
    let loading = try cpuSeconds { loaded = try ManifestLoader.load([folder.path]) }
    guard let loaded else { fatalError("nothing was loaded") }
    let memory = residentBytes() - before
    var nodes = 0
    func parse(_ resolver: Resolver) throws -> Double {
      try cpuSeconds {
        for file in files {
          for node in try compose_all(yaml: String(contentsOf: file, encoding: .utf8), resolver) {
            nodes += node.mapping?.count ?? 0
          }
        }
      }
    }
    let plain = try parse(.default)
    let untyped = try parse(.basic)
    print("YAML parsing alone: \(format(plain)) s of CPU; without telling types of scalars: \(format(untyped)) s")
    print(
      "loading: \(format(loading)) s of CPU, \(format(Double(bytes) / 1e6 / loading)) MB/s, \(format(loading / plain)) and "
        + "\(format(loading / untyped)) times YAML parsing alone")
    print(
      "memory: resident grew by \(memory / 1_000_000) MB, \(memory / sample.pods) bytes per pod with all else in it, "
        + "and with what the allocator keeps of the YAML trees")
    return loaded.cluster
  }

  /// `VmRSS` of proc_pid_status(5).
  private static func residentBytes() -> Int {
    let status = (try? String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }

  private static func ask(_ cluster: Cluster, _ sample: SampleCluster) throws {
    var diagnoser: Diagnoser?
    let setup = seconds { diagnoser = Diagnoser(cluster) }
    guard let diagnoser else { fatalError("no diagnoser") }
    var random = SystemRandomNumberGenerator()
    func pod() -> EndReference {
      let index = Int.random(in: 0..<sample.pods, using: &random)
      return .pod(ObjectName(sample.namespaceName(sample.application(ofPod: index)), sample.podName(index)))
    }
    let count = 10_000
    let pairs = (0..<count).map { _ in Question(source: pod(), destination: pod(), port: 8080, proto: .tcp) }
    let toServices = (0..<count).map { _ in
      let index = Int.random(in: 0..<sample.services, using: &random)
      let app = index % max(sample.pods / 20, 1)
      return Question(
        source: pod(), destination: .service(ObjectName(sample.namespaceName(app), "service-\(index)")), port: 80)
    }
    for (title, questions) in [("pod to pod", pairs), ("pod to service (20 endpoints)", toServices)] {
      var verdicts: [Verdict: Int] = [:]
      var worst = 0.0
      let start = cpu()
      let total = try seconds {
        for question in questions {
          let one = try seconds { verdicts[try diagnoser.diagnose(question).verdict, default: 0] += 1 }
          worst = max(worst, one)
        }
      }
      let told = verdicts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
      print(
        "question, \(title): \(format(total / Double(count) * 1e6)) µs on average "
          + "(\(format((cpu() - start) / Double(count) * 1e6)) µs of CPU), worst \(format(worst * 1e3)) ms, "
          + "\(Int(Double(count) / total)) a second (\(told.joined(separator: ", ")))")
    }
    print("preparing to be asked: \(format(setup * 1e3)) ms")
  }

  /// A thousand workloads in fifty namespaces, each with a policy of its own.
  private static func matrix() {
    var cluster = Cluster()
    cluster.files = ["made up"]
    let origin = Origin(file: 0, document: 1, line: 1)
    for index in 0..<50 {
      cluster.upsert(Namespace(name: "n\(index)", labels: ["stage": index % 3 == 0 ? "a" : "b"], origin: origin))
    }
    for index in 0..<1_000 {
      let name = ObjectName("n\(index % 50)", "w\(index)")
      let labels: Labels = ["app": "w\(index)", "tier": "t\(index % 7)"]
      let ports = [ContainerPort(name: "http", port: UInt16(8000 + index % 10))]
      cluster.upsert(
        Workload(
          id: Workload.ID(.deployment, name), template: PodTemplate(labels: labels, ports: ports), replicas: 3,
          origin: origin))
      cluster.upsert(
        NetworkPolicy(
          name: name, podSelector: LabelSelector(matchLabels: ["app": "w\(index)"]), policyTypes: [.ingress, .egress],
          ingress: [
            PolicyRule(
              peers: [.pods(namespaces: LabelSelector(matchLabels: ["stage": "a"]), pods: nil)],
              ports: [PolicyPort(.tcp, .named("http"))]),
            PolicyRule(
              peers: [.pods(namespaces: LabelSelector(), pods: LabelSelector(matchLabels: ["tier": "t\(index % 7)"]))],
              ports: [PolicyPort(.tcp, .range(9000, UInt16(9000 + index % 100)))]),
          ],
          egress: [
            PolicyRule(ports: [PolicyPort(.udp, .range(53, 53)), PolicyPort(.tcp, .range(8000, 9999))])
          ], origin: origin))
    }
    cluster.addTemplatePods()
    var allowed = 0
    let start = cpu()
    let time = seconds {
      let matrix = PolicyMatrix(cluster)
      for row in matrix.workloads.indices {
        for column in matrix.workloads.indices where matrix[row, column] != .none { allowed += 1 }
      }
    }
    print(
      "matrix of 1,000 workloads, 1,000 policies: \(format(time)) s, \(format(cpu() - start)) s of CPU (\(allowed) of 1,000,000 pairs can talk)"
    )
  }

  private static func format(_ value: Double) -> String { String(format: "%.2f", value) }
}
