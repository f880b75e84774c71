// Workloads, the pods they made, and the pods they would make.

/// Which workload made which other, by ID. A ReplicaSet or Job that is not in the manifests is still known from the name
/// that its pods give for their owner.
struct WorkloadFamily: Sendable {
  private(set) var parents: [Workload.ID: Workload.ID] = [:]
  private(set) var children: [Workload.ID: [Workload.ID]] = [:]

  mutating func add(_ child: Workload.ID, of parent: Workload.ID) {
    if parents.updateValue(parent, forKey: child) == nil { children[parent, default: []].append(child) }
  }
}

extension Cluster {
  /// The pods that a workload made, directly or through objects it owns.
  public func pods(of workload: Workload.ID) -> [Pod] {
    var result: [Pod] = []
    var open = [workload]
    // Owners form no loops in a sound cluster; here each is asked once in any case.
    var seen: Set<Workload.ID> = []
    while let next = open.popLast() {
      guard seen.insert(next).inserted else { continue }
      result += pods.owned(by: Owner(next), in: next.name.namespace)
      open += family.children[next] ?? []
    }
    return result
  }

  /// The workload at the top of a pod's owners, or the pod itself.
  public func workloadTitle(of pod: Pod) -> String {
    if let id = pod.standsFor { return id.description }
    guard var owner = pod.owner else { return "Pod/\(pod.name)" }
    // Owners form no loops in a sound cluster; here they end after a few steps in any case.
    for _ in 0..<4 {
      guard let id = Workload.ID(owner, in: pod.namespace),
        let next = workloads[id]?.owner ?? family.parents[id].map({ Owner($0) })
      else { break }
      owner = next
    }
    return "\(owner.kind)/\(pod.namespace)/\(owner.name)"
  }

  /// The most pods that are made out of one template.
  private static let templateLimit = 100

  /// Makes pods out of the template of each workload that has none of its own, wants some, and is not itself made by
  /// another workload: one for each number of a StatefulSet (100 at most), whose pods have names and labels of their own,
  /// and one for all of any other. Call it once all objects are there; calling it again starts over.
  public mutating func addTemplatePods() {
    for pod in Array(pods.all) where pod.standsFor != nil { removePod(pod.name) }
    family = findFamily()
    for workload in workloads.values.sorted(by: { $0.id < $1.id }) {
      guard workload.replicas > 0, family.parents[workload.id] == nil, pods(of: workload.id).isEmpty else { continue }
      for pod in templatePods(of: workload) where pods[pod.name] == nil { insertTemplate(pod) }
    }
  }

  private func findFamily() -> WorkloadFamily {
    var family = WorkloadFamily()
    for workload in workloads.values {
      guard let owner = workload.owner, let parent = Workload.ID(owner, in: workload.id.name.namespace),
        workloads[parent] != nil
      else { continue }
      family.add(workload.id, of: parent)
    }
    for pod in pods.all {
      guard let owner = pod.owner, let id = Workload.ID(owner, in: pod.namespace), workloads[id] == nil,
        let parent = impliedParent(of: id, pod), workloads[parent] != nil
      else { continue }
      family.add(id, of: parent)
    }
    return family
  }

  /// A Deployment names its ReplicaSets after itself and the hash that their pods have as a label, a CronJob its Jobs
  /// after itself and the minute.
  private func impliedParent(of owner: Workload.ID, _ pod: Pod) -> Workload.ID? {
    let name = owner.name.name
    let suffix: Substring
    switch owner.kind {
    case .replicaSet: suffix = pod.labels["pod-template-hash"].map { $0[...] } ?? ""
    case .job: suffix = name[(name.lastIndex(of: "-").map { name.index(after: $0) } ?? name.endIndex)...]
    default: return nil
    }
    guard !suffix.isEmpty, name.hasSuffix("-" + suffix), owner.kind == .replicaSet || Int(suffix) != nil else {
      return nil
    }
    let kind = owner.kind == .replicaSet ? WorkloadKind.deployment : .cronJob
    return Workload.ID(kind, ObjectName(owner.name.namespace, String(name.dropLast(suffix.count + 1))))
  }

  /// The pods that a workload would make. But for a StatefulSet's the name has a kind and a colon in it, so that no pod
  /// can have it.
  public func templatePods(of workload: Workload) -> [Pod] {
    let id = workload.id
    guard id.kind == .statefulSet else {
      return [templatePod(of: workload, workload.template, "\(id.kind.rawValue):\(id.name.name)")]
    }
    let numbers = (0..<max(1, min(workload.replicas, Self.templateLimit))).map { workload.firstOrdinal + $0 }
    return numbers.map { number in
      // The StatefulSet controller labels its pods (apps/v1, Kubernetes 1.34).
      var template = workload.template
      template.labels.set("statefulset.kubernetes.io/pod-name", "\(id.name.name)-\(number)")
      template.labels.set("apps.kubernetes.io/pod-index", "\(number)")
      return templatePod(of: workload, template, "\(id.name.name)-\(number)")
    }
  }

  private func templatePod(of workload: Workload, _ template: PodTemplate, _ name: String) -> Pod {
    let node = template.nodeName.flatMap { nodes[$0] }
    return Pod(
      name: ObjectName(workload.id.name.namespace, name), template: template,
      addresses: template.hostNetwork ? node?.addresses ?? [] : [], owner: Owner(workload.id), standsFor: workload.id,
      origin: workload.origin)
  }
}

extension Owner {
  public init(_ workload: Workload.ID) { self.init(kind: workload.kind.rawValue, name: workload.name.name) }
}

extension Workload.ID {
  /// Nil when the owner is of another kind.
  public init?(_ owner: Owner, in namespace: String) {
    guard let kind = WorkloadKind(rawValue: owner.kind) else { return nil }
    self.init(kind, ObjectName(namespace, owner.name))
  }
}
