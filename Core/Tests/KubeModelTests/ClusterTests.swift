import NetTypes
import Testing

@testable import KubeModel

struct ClusterTests {
  private static let here = Origin(file: 0, document: 1, line: 1)

  private static func pod(
    _ namespace: String, _ name: String, _ labels: Labels, _ address: String?, phase: Pod.Phase = .running,
    hostNetwork: Bool = false, owner: Owner? = nil
  ) -> Pod {
    Pod(
      name: ObjectName(namespace, name), template: PodTemplate(labels: labels, hostNetwork: hostNetwork),
      addresses: [address].compactMap { $0.flatMap { IPAddress($0) } }, phase: phase, owner: owner, origin: here)
  }

  @Test("a store after many changes finds what a new one would")
  func incremental() {
    var random = SystemRandomNumberGenerator()
    var store = PodStore()
    var pods: [ObjectName: Pod] = [:]
    for step in 0..<3_000 {
      let name = ObjectName("n\(Int.random(in: 0..<3, using: &random))", "p\(Int.random(in: 0..<40, using: &random))")
      if Int.random(in: 0..<3, using: &random) == 0 {
        #expect(store.remove(name) == pods.removeValue(forKey: name))
      } else {
        let labels: Labels = ["a": "\(Int.random(in: 0..<3, using: &random))", "b": "\(step % 2)"]
        // An address is given to another pod only after the one that had it is gone.
        let pod = Self.pod(
          name.namespace, name.name, labels, "10.\(name.namespace.dropFirst()).0.\(name.name.dropFirst())",
          owner: Owner(kind: "ReplicaSet", name: "r\(step % 4)"))
        store.upsert(pod)
        pods[name] = pod
      }
      guard step % 50 == 0 else { continue }
      #expect(store.count == pods.count)
      #expect(Set(store.all.map(\.name)) == Set(pods.keys))
      for pod in pods.values {
        #expect(store[pod.name] == pod)
        #expect(store[pod.addresses[0]] == pod)
      }
      for namespace in ["n0", "n1", "n2", "n3"] {
        let here = pods.values.filter { $0.namespace == namespace }
        for selector in [
          LabelSelector(), LabelSelector(matchLabels: ["a": "1"]), LabelSelector(matchLabels: ["a": "2", "b": "0"]),
          LabelSelector([.init(key: "a", op: .notIn, values: ["0"])]), LabelSelector(matchLabels: ["c": "0"]),
        ] {
          let expected = Set(here.filter { selector.matches($0.labels) }.map(\.name))
          #expect(Set(store.select(selector, in: namespace).map(\.name)) == expected)
        }
        let owner = Owner(kind: "ReplicaSet", name: "r1")
        #expect(
          Set(store.owned(by: owner, in: namespace).map(\.name)) == Set(here.filter { $0.owner == owner }.map(\.name)))
      }
    }
  }

  @Test("an address belongs to a running pod of its own, not to finished or host-network ones")
  func addresses() {
    var store = PodStore()
    store.upsert(Self.pod("n", "old", [:], "10.0.0.1", phase: .finished))
    store.upsert(Self.pod("n", "new", [:], "10.0.0.1"))
    store.upsert(Self.pod("n", "host", [:], "192.168.0.1", hostNetwork: true))
    #expect(store[IPAddress("10.0.0.1")!]?.name.name == "new")
    #expect(store[IPAddress("192.168.0.1")!] == nil)
    store.upsert(Self.pod("n", "done", [:], "10.0.0.2", phase: .finished))
    #expect(store[IPAddress("10.0.0.2")!]?.name.name == "done")
    store.remove(ObjectName("n", "old"))
    #expect(store[IPAddress("10.0.0.1")!]?.name.name == "new")
    store.remove(ObjectName("n", "new"))
    #expect(store[IPAddress("10.0.0.1")!] == nil)
  }

  @Test("addresses of nodes and Services follow their objects")
  func otherAddresses() {
    var cluster = Cluster()
    let (a, b, c) = (IPAddress("192.168.0.1")!, IPAddress("192.168.0.2")!, IPAddress("192.168.0.3")!)
    cluster.upsert(Node(name: "n", addresses: [a], externalAddresses: [c], origin: Self.here))
    #expect(cluster.node(at: c)?.name == "n")
    cluster.upsert(Node(name: "n", addresses: [b], origin: Self.here))
    #expect(cluster.node(at: a) == nil && cluster.node(at: b)?.name == "n" && cluster.node(at: c) == nil)
    cluster.removeNode("n")
    #expect(cluster.node(at: b) == nil)

    var service = Service(name: ObjectName("x", "s"), origin: Self.here)
    service.clusterAddresses = [a]
    service.externalAddresses = [IPAddress("198.51.100.1")!]
    service.loadBalancerAddresses = [IPAddress("198.51.100.2")!]
    service.proxyAddresses = [IPAddress("198.51.100.3")!]
    service.ports = [ServicePort(port: 80, nodePort: 30080)]
    cluster.upsert(service)
    #expect(cluster.services(at: a).map(\.name) == [service.name])
    for last in 1...3 { #expect(cluster.services(at: IPAddress("198.51.100.\(last)")!).map(\.name) == [service.name]) }
    #expect(cluster.service(nodePort: 30080, .tcp)?.name == service.name)
    #expect(cluster.service(nodePort: 30080, .udp) == nil)
    service.clusterAddresses = [b]
    service.ports = []
    cluster.upsert(service)
    #expect(cluster.services(at: a).isEmpty && cluster.services(at: b).count == 1)
    #expect(cluster.service(nodePort: 30080, .tcp) == nil)
    cluster.removeService(service.name)
    for last in 1...3 { #expect(cluster.services(at: IPAddress("198.51.100.\(last)")!).isEmpty) }
    #expect(cluster.services(at: b).isEmpty)
  }

  @Test("EndpointSlices come before Endpoints, and go one by one")
  func endpoints() {
    var cluster = Cluster()
    let service = ObjectName("x", "s")
    func slice(_ name: String, _ source: EndpointSlice.Source) -> EndpointSlice {
      EndpointSlice(
        source: source, name: ObjectName("x", name), service: "s", endpoints: [], ports: [], origin: Self.here)
    }
    cluster.upsertEndpoints(service, [slice("s", .endpoints), slice("s", .endpoints)])
    #expect(cluster.upsertEndpoints(service, [slice("s", .endpoints)]) != nil)
    #expect(cluster.endpoints(of: service).map(\.source) == [.endpoints])
    cluster.upsert(slice("s-1", .slice))
    cluster.upsert(slice("s-1", .slice))
    cluster.upsert(slice("s-2", .slice))
    #expect(cluster.endpoints(of: service).map(\.name.name) == ["s-1", "s-2"])
    cluster.removeEndpointSlice(ObjectName("x", "s-1"))
    var moved = slice("s-2", .slice)
    moved.service = "t"
    cluster.upsert(moved)
    #expect(cluster.endpoints(of: ObjectName("x", "t")).map(\.name.name) == ["s-2"])
    #expect(cluster.endpoints(of: service).map(\.source) == [.endpoints])
    cluster.removeEndpoints(service)
    #expect(cluster.endpoints(of: service).isEmpty)
  }

  @Test("policies are replaced and removed by name")
  func policies() {
    var cluster = Cluster()
    let name = ObjectName("x", "p")
    for _ in 0..<2 {
      cluster.upsert(NetworkPolicy(name: name, podSelector: LabelSelector(), origin: Self.here))
    }
    #expect(cluster.policies["x"]?.count == 1)
    cluster.removePolicy(name)
    #expect(cluster.policies.isEmpty)
    for (policy, priority) in [("a", 2), ("b", 1), ("a", 0)] {
      cluster.upsert(
        AdminPolicy(
          kind: "AdminNetworkPolicy", name: policy, tier: .admin, priority: priority,
          subject: NamespacedPods(namespaces: LabelSelector()), origin: Self.here))
    }
    #expect(cluster.adminPolicies.map(\.name) == ["a", "b"])
    cluster.removeAdminPolicy(kind: "AdminNetworkPolicy", "a")
    #expect(cluster.adminPolicies.map(\.name) == ["b"])
  }

  @Test("a namespace has its own name as a label, and exists because something is in it")
  func namespaces() {
    var cluster = Cluster()
    cluster.upsert(Self.pod("x", "a", [:], nil))
    #expect(cluster.namespaces["x"]?.labels == ["kubernetes.io/metadata.name": "x"])
    cluster.upsert(Namespace(name: "x", labels: ["a": "b"], origin: Self.here))
    #expect(cluster.namespaces["x"]?.labels == ["a": "b", "kubernetes.io/metadata.name": "x"])
  }

  @Test(
    "selectors print as kubectl prints them",
    arguments: [
      (LabelSelector(), "everything"), (LabelSelector(matchLabels: ["b": "1", "a": "2"]), "a=2,b=1"),
      (LabelSelector([.init(key: "a", op: .isIn, values: ["1", "2"])]), "a in (1,2)"),
      (LabelSelector([.init(key: "a", op: .notIn, values: ["1"]), .init(key: "b", op: .exists)]), "a notin (1),b"),
      (LabelSelector([.init(key: "a", op: .doesNotExist)]), "!a"),
    ])
  func selectorText(selector: LabelSelector, text: String) {
    #expect(selector.description == text)
  }
}
