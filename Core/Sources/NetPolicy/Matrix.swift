public import KubeModel
import NetTypes

/// What can be reached, by protocol.
public struct Reach: Hashable, Sendable {
  public var tcp: PortReach
  public var udp: PortReach
  public var sctp: PortReach

  public init(tcp: PortReach, udp: PortReach, sctp: PortReach) {
    self.tcp = tcp
    self.udp = udp
    self.sctp = sctp
  }

  private static let everyPort = PortReach(allowed: .all)
  public static let all = Reach(tcp: everyPort, udp: everyPort, sctp: everyPort)
  public static let none = Reach(tcp: PortReach(), udp: PortReach(), sctp: PortReach())

  public subscript(proto: TrafficProtocol) -> PortReach {
    switch proto {
    case .tcp: tcp
    case .udp: udp
    case .sctp: sctp
    case .icmp: PortReach()
    }
  }

  public static let protocols: [TrafficProtocol] = [.tcp, .udp, .sctp]

  func union(_ other: Reach) -> Reach {
    Reach(tcp: tcp.union(other.tcp), udp: udp.union(other.udp), sctp: sctp.union(other.sctp))
  }

  func intersection(_ other: Reach) -> Reach {
    Reach(
      tcp: tcp.intersection(other.tcp), udp: udp.intersection(other.udp), sctp: sctp.intersection(other.sctp))
  }

  /// The same, where nothing is sure.
  var doubtful: Reach {
    func doubt(_ reach: PortReach) -> PortReach {
      PortReach(allowed: PortSet(), undecided: reach.allowed.union(reach.undecided))
    }
    return Reach(tcp: doubt(tcp), udp: doubt(udp), sctp: doubt(sctp))
  }
}

extension Reach: CustomStringConvertible {
  /// `all`, `none`, or what each protocol allows: `TCP 80,443; UDP 53 (undecided)`.
  public var description: String {
    if self == .all { return "all" }
    var parts: [String] = []
    for proto in Self.protocols {
      if !self[proto].allowed.isEmpty { parts.append("\(proto) \(self[proto].allowed)") }
      if !self[proto].undecided.isEmpty { parts.append("\(proto) \(self[proto].undecided) (undecided)") }
    }
    return parts.isEmpty ? "none" : parts.joined(separator: "; ")
  }
}

/// What every workload can reach of every other, as the policies say.
///
/// A workload is represented by one of its pods, or where policies tell its pods apart, by one of each kind. The diagonal
/// is between two pods of the workload, where it can have more than one.
public struct PolicyMatrix: Sendable {
  public let workloads: [String]
  /// The different values that cells have.
  private let values: [Reach]
  /// Row by row: source, then destination.
  private let cells: [Int32]

  public subscript(source: Int, destination: Int) -> Reach {
    values[Int(cells[source * workloads.count + destination])]
  }

  public init(_ cluster: Cluster) {
    let engine = PolicyEngine(cluster)
    let subjects = Self.subjects(cluster)
    workloads = subjects.map(\.title)
    var table = ReachTable()
    var builder = MatrixBuilder(engine: engine, parties: subjects.map(\.party))
    cells = builder.build(&table, single: subjects.map(\.isSingle))
    values = table.values
  }

  private struct Subject {
    let title: String
    let party: Party
    /// Whether it is one pod that never has a second beside it.
    let isSingle: Bool
  }

  /// What policies can tell the pods of one workload apart by, their addresses and nodes aside.
  private struct Kind: Hashable {
    let labels: [String?]
    let ports: [ContainerPort]
    let hostNetwork: Bool

    init(_ pod: Pod, selectedBy keys: [String]) {
      labels = keys.map { pod.labels[$0] }
      ports = pod.template.ports
      hostNetwork = pod.hostNetwork
    }
  }

  /// One for each workload that has pods, and for each pod without one; one for each kind of pod, where policies tell a
  /// workload's pods apart.
  private static func subjects(_ cluster: Cluster) -> [Subject] {
    let keys = cluster.podSelectorKeys
    var kinds: [String: [Kind: (first: Pod, count: Int)]] = [:]
    for pod in cluster.pods.all where pod.isRunning {
      let kind = Kind(pod, selectedBy: keys)
      let title = cluster.workloadTitle(of: pod)
      let known = kinds[title]?[kind] ?? (pod, 0)
      kinds[title, default: [:]][kind] = (known.first.name < pod.name ? known.first : pod, known.count + 1)
    }
    let subjects = kinds.flatMap { title, kinds in
      kinds.values.map { pod, count in
        let isOne = kinds.count == 1
        return Subject(
          title: isOne ? title : "\(title) [\(pod.name.name)]",
          party: .pod(pod, address: cluster.addresses(of: pod).first, in: cluster),
          isSingle: isOne ? cluster.isSingle(pod) : count == 1)
      }
    }
    return subjects.sorted { $0.title < $1.title }
  }
}

extension Cluster {
  /// Whether a pod belongs to no workload, or to one that asks for a single pod.
  fileprivate func isSingle(_ pod: Pod) -> Bool {
    guard let owner = pod.owner else { return true }
    guard let id = Workload.ID(owner, in: pod.namespace), id.kind != .daemonSet else { return false }
    return workloads[id]?.replicas == 1
  }

  /// The keys of labels by which policies select pods.
  fileprivate var podSelectorKeys: [String] {
    var selectors: [LabelSelector?] = []
    for policy in policies.values.joined() {
      selectors.append(policy.podSelector)
      for peer in (policy.ingress + policy.egress).flatMap(\.peers) {
        if case .pods(_, let pods) = peer { selectors.append(pods) }
      }
    }
    for policy in adminPolicies {
      selectors.append(policy.subject.pods)
      for peer in (policy.ingress + policy.egress).flatMap(\.peers) {
        if case .pods(let pods) = peer { selectors.append(pods.pods) }
      }
    }
    return Set(selectors.compactMap { $0 }.flatMap(\.requirements).map(\.key)).sorted()
  }
}

/// Different values of `Reach` by number, with their unions and intersections remembered: a cluster has few.
private struct ReachTable {
  private(set) var values: [Reach] = [.all, .none]
  private var numbers: [Reach: Int32] = [.all: 0, .none: 1]
  private var unions: [UInt64: Int32] = [:]
  private var intersections: [UInt64: Int32] = [:]

  static let all: Int32 = 0
  static let none: Int32 = 1

  mutating func number(of reach: Reach) -> Int32 {
    if let known = numbers[reach] { return known }
    let number = Int32(values.count)
    values.append(reach)
    numbers[reach] = number
    return number
  }

  mutating func union(_ a: Int32, _ b: Int32) -> Int32 {
    if a == b || b == Self.none || a == Self.all { return a }
    if a == Self.none || b == Self.all { return b }
    let key = Self.key(a, b)
    if let known = unions[key] { return known }
    let result = number(of: values[Int(a)].union(values[Int(b)]))
    unions[key] = result
    return result
  }

  mutating func intersection(_ a: Int32, _ b: Int32) -> Int32 {
    if a == b || b == Self.all || a == Self.none { return a }
    if a == Self.all || b == Self.none { return b }
    let key = Self.key(a, b)
    if let known = intersections[key] { return known }
    let result = number(of: values[Int(a)].intersection(values[Int(b)]))
    intersections[key] = result
    return result
  }

  private static func key(_ a: Int32, _ b: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: min(a, b))) << 32 | UInt64(UInt32(bitPattern: max(a, b)))
  }
}

/// Fills the matrix rule by rule instead of pair by pair: each rule's peers are found once, however many pods its
/// policy selects.
private struct MatrixBuilder {
  let engine: PolicyEngine
  let parties: [Party]

  private struct RuleKey: Hashable {
    let policy: ObjectName
    let direction: PolicyDirection
    let index: Int
  }

  /// The parties that a rule matches.
  private struct Peers {
    var sure: [Int] = []
    var possible: [Int] = []
  }

  private var peers: [RuleKey: Peers] = [:]

  init(engine: PolicyEngine, parties: [Party]) {
    self.engine = engine
    self.parties = parties
  }

  mutating func build(_ table: inout ReachTable, single: [Bool]) -> [Int32] {
    let count = parties.count
    var cells = [Int32](repeating: ReachTable.all, count: count * count)
    // First what leaves each source, then what enters each destination.
    for source in 0..<count {
      guard let side = side(of: source, .egress, &table) else { continue }
      for destination in 0..<count { cells[source * count + destination] = side[destination] }
    }
    for destination in 0..<count {
      guard let side = side(of: destination, .ingress, &table) else { continue }
      for source in 0..<count {
        let cell = source * count + destination
        cells[cell] = table.intersection(cells[cell], side[source])
      }
    }
    fillSpecialPairs(&cells, &table, single)
    return cells
  }

  /// What one party's NetworkPolicies allow from or to each other; nil when it is not isolated.
  private mutating func side(
    of index: Int, _ direction: PolicyDirection, _ table: inout ReachTable
  ) -> [Int32]? {
    guard let pod = parties[index].ownPod else { return nil }
    let policies = engine.isolating(pod, direction)
    if policies.isEmpty { return nil }
    var row = [Int32](repeating: ReachTable.none, count: parties.count)
    for policy in policies {
      for (number, rule) in policy.rules(direction).enumerated() {
        let matched = matched(rule, policy, direction, number)
        // Only the destination can make a difference: by its named ports.
        let named = rule.ports.contains { if case .named = $0.port { true } else { false } }
        var reach = table.number(of: engine.reach(of: rule, at: parties[index]))
        for (list, sure) in [(matched.sure, true), (matched.possible, false)] {
          for other in list {
            if named, direction == .egress { reach = table.number(of: engine.reach(of: rule, at: parties[other])) }
            let value = sure ? reach : table.number(of: table.values[Int(reach)].doubtful)
            row[other] = table.union(row[other], value)
          }
        }
      }
    }
    return row
  }

  private mutating func matched(
    _ rule: PolicyRule, _ policy: NetworkPolicy, _ direction: PolicyDirection, _ number: Int
  ) -> Peers {
    let key = RuleKey(policy: policy.name, direction: direction, index: number)
    if let known = peers[key] { return known }
    var result = Peers()
    for (index, party) in parties.enumerated() {
      switch engine.matchesPeer(rule, policy, party) {
      case .yes: result.sure.append(index)
      case .unknown: result.possible.append(index)
      case .no: break
      }
    }
    peers[key] = result
    return result
  }

  /// Pairs that more than NetworkPolicies decide about go through the engine one by one: host-network pods, admin
  /// tiers, and pods that are their own destination.
  private func fillSpecialPairs(_ cells: inout [Int32], _ table: inout ReachTable, _ single: [Bool]) {
    let count = parties.count
    let special = parties.map { $0.isHost || !engine.selecting($0).isEmpty }
    for source in 0..<count {
      for destination in 0..<count {
        if source == destination, single[source] || parties[source].isHost {
          cells[source * count + destination] = ReachTable.all
        } else if special[source] || special[destination] {
          let to = source == destination ? parties[destination].anotherPod(in: engine.cluster) : parties[destination]
          let reaches = Reach.protocols.map { engine.reach(from: parties[source], to: to, $0) }
          cells[source * count + destination] = table.number(
            of: Reach(tcp: reaches[0], udp: reaches[1], sctp: reaches[2]))
        }
      }
    }
  }
}

extension Party {
  /// A pod like this one, that is not this one.
  fileprivate func anotherPod(in cluster: Cluster) -> Party {
    guard let pod else { return self }
    let other = Pod(
      name: ObjectName(pod.namespace, pod.name.name + "+"), template: pod.template, addresses: pod.addresses,
      standsFor: pod.standsFor, origin: pod.origin)
    return .pod(other, address: address, in: cluster)
  }
}

extension BasicPolicyEngine {
  /// The ports that a rule allows at a destination, of every protocol.
  fileprivate func reach(of rule: PolicyRule, at destination: Party) -> Reach {
    if Semantics.matchesAllPorts(rule) { return .all }
    var result = Reach.none
    for port in rule.ports {
      var part = Reach.none
      func set(_ proto: TrafficProtocol) -> PortReach {
        guard let range = Semantics.ports(port, proto, on: destination) else { return PortReach() }
        return PortReach(allowed: PortSet(max(range.lowerBound, 1)...range.upperBound))
      }
      part = Reach(tcp: set(.tcp), udp: set(.udp), sctp: set(.sctp))
      result = result.union(part)
    }
    return result
  }
}
