import KubeModel
import NetPolicy
import NetTypes

/// A repeatable source of random numbers (SplitMix64, Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }

  mutating func pick<T>(_ values: [T]) -> T { values[Int(next() % UInt64(values.count))] }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// What a generated case can contain; the tests demand that all of them turn up often enough.
enum Feature: String, CaseIterable {
  case namespaceSelector, podSelector, bothSelectors, emptySelector, ipBlock, except, ipv6Block,
    hostBits
  case opIn, opNotIn, opExists, opDoesNotExist, multipleRequirements
  case allPeers, allPorts, noRules, multiplePeers, multiplePorts
  case portNumber, portRange, namedPort, protocolOnly, udp, sctp
  case typesAbsent, typesIngress, typesEgress, typesBoth, ignoredRules, emptyEgress
  case severalPoliciesOnePod, otherNamespacePolicy
  case hostNetworkSource, hostNetworkDestination, nodeSource, nodeDestination, outsideSource,
    outsideDestination
  case itself, ownNode, unknownNode, icmp, ipv6Flow, namedPortDiffers
  case adminAllow, adminDeny, adminPass, adminTie, adminNodes, adminNetworks, adminNamedPort,
    adminDomain, baseline
}

/// A small random cluster made of few names, so that things meet.
struct RandomCluster {
  var cluster = Cluster()
  var pods: [Pod] = []
  var nodes: [Node] = []
  var features: Set<Feature> = []
  private var random: SeededGenerator

  static let here = Origin(file: 0, document: 1, line: 1)
  static let names = ["x", "y", "z"]
  static let keys = ["app", "tier", "team"]
  static let values = ["a", "b", "c"]
  static let portNames = ["web", "dns", "db"]
  static let numbers: [UInt16] = [53, 79, 80, 81, 82, 443, 8080]
  static let blocks = [
    "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/24", "10.1.1.0/24", "0.0.0.0/0", "10.1.0.1/32",
    "192.168.0.0/16",
    "192.168.0.1/32", "172.16.0.0/12", "fd00::/8", "fd00::/64", "::/0", "10.1.1.77/24",
    "fd00::1:0/112",
  ]
  static let outside = [
    "172.16.0.1", "8.8.8.8", "10.9.9.9", "fd99::1", "2001:db8::1", "10.1.0.200",
  ]

  /// Addresses in and out of each of the blocks.
  static let possibleAddresses = [
    "10.1.0.1", "10.1.0.77", "10.1.1.1", "10.1.2.1", "10.2.0.1", "192.168.0.1", "192.168.0.2", "172.16.0.1", "8.8.8.8",
    "fd00::1", "fd00::1:1", "fd01::1", "2001:db8::1",
  ].compactMap { IPAddress($0) }

  /// Every set of labels that an object here can have.
  static let possibleLabels: [Labels] = keys.reduce([Labels()]) { sets, key in
    sets.flatMap { set in
      [set]
        + values.map { value in
          var labels = set
          labels.set(key, value)
          return labels
        }
    }
  }

  init(seed: UInt64) {
    random = SeededGenerator(state: seed)
    for index in 1...2 {
      var addresses = [IPAddress("192.168.0.\(index)")!]
      if random.chance(50) { addresses.append(IPAddress("fd00::c0:\(index)")!) }
      let node = Node(name: "n\(index)", labels: labels(), addresses: addresses, origin: Self.here)
      nodes.append(node)
      cluster.upsert(node)
    }
    for (number, name) in Self.names.enumerated() {
      cluster.upsert(Namespace(name: name, labels: labels(), origin: Self.here))
      for index in 0..<(1 + random.below(3)) {
        addPod(namespace: name, "\(name)\(index)", number, index)
      }
    }
    for index in 0..<random.below(5) { addPolicy("p\(index)") }
    if random.chance(45) {
      for index in 0..<(1 + random.below(3)) { addAdminPolicy("a\(index)") }
    }
  }

  // MARK: Parts

  private mutating func labels() -> Labels {
    var result = Labels()
    for key in Self.keys where random.chance(65) { result.set(key, random.pick(Self.values)) }
    return result
  }

  private mutating func proto() -> TrafficProtocol {
    let result: TrafficProtocol = random.chance(60) ? .tcp : random.chance(60) ? .udp : .sctp
    if result == .udp { features.insert(.udp) }
    if result == .sctp { features.insert(.sctp) }
    return result
  }

  private mutating func addPod(namespace: String, _ name: String, _ number: Int, _ index: Int) {
    let hostNetwork = random.chance(15)
    let node: Node? = random.chance(90) ? random.pick(nodes) : nil
    var ports: [ContainerPort] = []
    for port in Self.portNames where random.chance(60) {
      let proto: TrafficProtocol = random.chance(60) ? .tcp : random.chance(60) ? .udp : .sctp
      ports.append(ContainerPort(name: port, port: random.pick(Self.numbers), proto: proto))
      // The same name once more: for another protocol, or a container whose port is not found.
      if random.chance(30) {
        ports.append(
          ContainerPort(
            name: port, port: random.pick(Self.numbers), proto: random.chance(50) ? .udp : .tcp))
      }
    }
    var addresses = [IPAddress("10.1.\(number).\(index + 1)")!]
    if random.chance(40) { addresses.append(IPAddress("fd00::\(number):\(index + 1)")!) }
    if hostNetwork { addresses = node?.addresses ?? [IPAddress("192.168.0.9")!] }
    let template = PodTemplate(
      labels: labels(), ports: ports, hostNetwork: hostNetwork, nodeName: node?.name)
    let pod = Pod(
      name: ObjectName(namespace, name), template: template, addresses: addresses, phase: .running,
      origin: Self.here)
    pods.append(pod)
    cluster.upsert(pod)
  }

  private mutating func selector() -> LabelSelector {
    var requirements: [LabelSelector.Requirement] = []
    let count = random.chance(15) ? 0 : random.chance(70) ? 1 : 2
    for _ in 0..<count {
      let key = random.pick(Self.keys)
      var values = [random.pick(Self.values)]
      if random.chance(30) { values.append(random.pick(Self.values)) }
      switch random.below(10) {
      case 0...5:
        features.insert(.opIn)
        requirements.append(.init(key: key, op: .isIn, values: values))
      case 6, 7:
        features.insert(.opNotIn)
        requirements.append(.init(key: key, op: .notIn, values: values))
      case 8:
        features.insert(.opExists)
        requirements.append(.init(key: key, op: .exists))
      default:
        features.insert(.opDoesNotExist)
        requirements.append(.init(key: key, op: .doesNotExist))
      }
    }
    if count == 0 { features.insert(.emptySelector) }
    if count > 1 { features.insert(.multipleRequirements) }
    return LabelSelector(requirements)
  }

  private mutating func block() -> IPBlock {
    let text = random.pick(Self.blocks)
    let cidr = IPPrefix(text)!
    if cidr.description != text { features.insert(.hostBits) }
    features.insert(.ipBlock)
    if cidr.address.family == .v6 { features.insert(.ipv6Block) }
    var except: [IPPrefix] = []
    if random.chance(40) {
      for other in Self.blocks.compactMap(IPPrefix.init)
      where cidr.contains(other) && other.length > cidr.length {
        if random.chance(50) { except.append(other) }
      }
      if !except.isEmpty { features.insert(.except) }
    }
    return IPBlock(cidr, except: except)
  }

  private mutating func peers() -> [PolicyPeer] {
    if random.chance(12) {
      features.insert(.allPeers)
      return []
    }
    let count = random.chance(65) ? 1 : 2
    if count > 1 { features.insert(.multiplePeers) }
    return (0..<count).map { _ in
      switch random.below(10) {
      case 0...2:
        features.insert(.podSelector)
        return .pods(namespaces: nil, pods: selector())
      case 3, 4:
        features.insert(.namespaceSelector)
        return .pods(namespaces: selector(), pods: nil)
      case 5...7:
        features.insert(.bothSelectors)
        return .pods(namespaces: selector(), pods: selector())
      default: return .block(block())
      }
    }
  }

  private mutating func ports() -> [PolicyPort] {
    if random.chance(35) {
      features.insert(.allPorts)
      return []
    }
    let count = random.chance(60) ? 1 : 2
    if count > 1 { features.insert(.multiplePorts) }
    return (0..<count).map { _ in
      let proto = proto()
      switch random.below(10) {
      case 0...3:
        features.insert(.portNumber)
        let number = random.pick(Self.numbers)
        return PolicyPort(proto, .range(number, number))
      case 4, 5:
        features.insert(.portRange)
        let low = random.pick(Self.numbers)
        return PolicyPort(proto, .range(low, low + UInt16(1 + random.below(3))))
      case 6, 7:
        features.insert(.namedPort)
        return PolicyPort(proto, .named(random.pick(Self.portNames)))
      default:
        features.insert(.protocolOnly)
        return PolicyPort(proto, .all)
      }
    }
  }

  private mutating func addPolicy(_ name: String) {
    var types: [PolicyDirection]
    switch random.below(10) {
    case 0...2:
      types = []
      features.insert(.typesAbsent)
    case 3, 4:
      types = [.ingress]
      features.insert(.typesIngress)
    case 5, 6:
      types = [.egress]
      features.insert(.typesEgress)
    default:
      types = [.ingress, .egress]
      features.insert(.typesBoth)
    }
    let rules = { (random: inout SeededGenerator) in
      random.chance(20) ? 0 : random.chance(65) ? 1 : 2
    }
    let ingress = (0..<rules(&random)).map { _ in PolicyRule(peers: peers(), ports: ports()) }
    let egress = (0..<rules(&random)).map { _ in PolicyRule(peers: peers(), ports: ports()) }
    if ingress.isEmpty { features.insert(.noRules) }
    if types.isEmpty && egress.isEmpty { features.insert(.emptyEgress) }
    if types == [.egress] && !ingress.isEmpty { features.insert(.ignoredRules) }
    cluster.upsert(
      NetworkPolicy(
        name: ObjectName(random.pick(Self.names), name), podSelector: selector(),
        policyTypes: types,
        ingress: ingress, egress: egress, origin: Self.here))
  }

  private mutating func namespacedPods() -> NamespacedPods {
    NamespacedPods(namespaces: selector(), pods: random.chance(50) ? selector() : nil)
  }

  private mutating func addAdminPolicy(_ name: String) {
    let tier: AdminPolicy.Tier = random.chance(65) ? .admin : .baseline
    if tier == .baseline { features.insert(.baseline) }
    // Few priorities, so that some are equal; with gaps, so that their order matters and not their values.
    let priority = random.pick([0, 5, 5, 10, 1000])
    if cluster.adminPolicies.contains(where: { $0.tier == tier && $0.priority == priority }) {
      features.insert(.adminTie)
    }
    var lists: [[AdminRule]] = []
    for egress in [false, true] {
      lists.append((0..<random.below(4)).map { _ in adminRule(egress: egress) })
    }
    cluster.upsert(
      AdminPolicy(
        kind: "ClusterNetworkPolicy", name: name, tier: tier, priority: priority,
        subject: namespacedPods(),
        ingress: lists[0], egress: lists[1], origin: Self.here))
  }

  private mutating func adminRule(egress: Bool) -> AdminRule {
    let action = random.pick([AdminRule.Action.allow, .deny, .pass])
    features.insert(action == .allow ? .adminAllow : action == .deny ? .adminDeny : .adminPass)
    var peers: [AdminPeer] = []
    for _ in 0..<(random.chance(70) ? 1 : 2) {
      switch egress ? random.below(10) : 0 {
      case 0...4: peers.append(.pods(namespacedPods()))
      case 5, 6:
        features.insert(.adminNodes)
        peers.append(.nodes(selector()))
      case 7, 8:
        features.insert(.adminNetworks)
        peers.append(.networks((0..<(1 + random.below(2))).map { _ in block().cidr }))
      default:
        features.insert(.adminDomain)
        peers.append(action == .allow ? .domainNames(["example.org"]) : .nodes(selector()))
      }
    }
    var ports = random.chance(50) ? [] : ports()
    if random.chance(15) {
      features.insert(.adminNamedPort)
      ports.append(PolicyPort(nil, .named(random.pick(Self.portNames))))
    }
    return AdminRule(action: action, peers: peers, ports: ports)
  }

  // MARK: Questions

  mutating func flow() -> Flow {
    var source = party(podChance: 75)
    var destination = party(podChance: 75)
    // A connection joins addresses of one family.
    while source.address?.family != destination.address?.family {
      source = party(podChance: 75)
      destination = party(podChance: 75)
    }
    note(source, .hostNetworkSource, .nodeSource, .outsideSource)
    note(destination, .hostNetworkDestination, .nodeDestination, .outsideDestination)
    if source.address?.family == .v6 { features.insert(.ipv6Flow) }
    if let a = source.ownPod, let b = destination.ownPod, a.name == b.name {
      features.insert(.itself)
    }
    for (a, b) in [(source, destination), (destination, source)] {
      guard let pod = a.ownPod, b.isHost else { continue }
      if pod.nodeName == nil || b.nodeName == nil { features.insert(.unknownNode) }
      if pod.nodeName != nil && pod.nodeName == b.nodeName { features.insert(.ownNode) }
    }
    noteSelected(source, destination)
    if random.chance(6) {
      features.insert(.icmp)
      return Flow(source: source, destination: destination, proto: .icmp, port: nil)
    }
    return Flow(
      source: source, destination: destination, proto: proto(), port: random.pick(Self.numbers))
  }

  private mutating func party(podChance: Int) -> Party {
    if random.chance(podChance) {
      let pod = random.pick(pods)
      return .pod(pod, address: random.pick(pod.addresses), in: cluster)
    }
    if random.chance(50) {
      let node = random.pick(nodes)
      return .node(node, address: random.pick(node.addresses))
    }
    return .outside(IPAddress(random.pick(Self.outside))!)
  }

  private mutating func note(_ party: Party, _ host: Feature, _ node: Feature, _ outside: Feature) {
    if party.pod?.hostNetwork == true { features.insert(host) }
    if party.pod == nil { features.insert(party.isHost ? node : outside) }
  }

  private mutating func noteSelected(_ source: Party, _ destination: Party) {
    guard let pod = destination.ownPod else { return }
    let selecting = cluster.policies[pod.namespace] ?? []
    if selecting.filter({ $0.podSelector.matches(pod.labels) }).count > 1 {
      features.insert(.severalPoliciesOnePod)
    }
    if cluster.policies.contains(where: { $0.key != pod.namespace && !$0.value.isEmpty }) {
      features.insert(.otherNamespacePolicy)
    }
    let numbers = Set(pods.compactMap { $0.template.port(named: "web", .tcp) })
    if numbers.count > 1 { features.insert(.namedPortDiffers) }
  }
}
