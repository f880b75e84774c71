public import KubeModel
import NetTypes

/// A set of ports, as ranges in order with gaps between them.
public struct PortSet: Hashable, Sendable {
  public private(set) var ranges: [ClosedRange<UInt16>]

  public init() { ranges = [] }

  public init(_ range: ClosedRange<UInt16>) { ranges = [range] }

  /// 1 to 65535.
  public static let all = PortSet(1...UInt16.max)

  public var isEmpty: Bool { ranges.isEmpty }
  public var isAll: Bool { self == .all }

  /// Adds a range that begins after all others end.
  mutating func append(_ range: ClosedRange<UInt16>) {
    if let last = ranges.last, last.upperBound < UInt16.max, last.upperBound + 1 == range.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound...range.upperBound
    } else {
      ranges.append(range)
    }
  }

  public func union(_ other: PortSet) -> PortSet { combine(other) { $0 || $1 } }
  public func intersection(_ other: PortSet) -> PortSet { combine(other) { $0 && $1 } }
  public func subtracting(_ other: PortSet) -> PortSet { combine(other) { $0 && !$1 } }

  /// Walks both sets from edge to edge and keeps the stretches that `keep` wants.
  private func combine(_ other: PortSet, _ keep: (Bool, Bool) -> Bool) -> PortSet {
    var edges: Set<Int> = []
    for range in ranges + other.ranges {
      edges.insert(Int(range.lowerBound))
      edges.insert(Int(range.upperBound) + 1)
    }
    let sorted = edges.sorted()
    var result = PortSet()
    var mine = ranges.makeIterator()
    var theirs = other.ranges.makeIterator()
    var a = mine.next()
    var b = theirs.next()
    for (start, end) in zip(sorted, sorted.dropFirst()) {
      while let range = a, Int(range.upperBound) < start { a = mine.next() }
      while let range = b, Int(range.upperBound) < start { b = theirs.next() }
      let inA = a.map { Int($0.lowerBound) <= start } ?? false
      let inB = b.map { Int($0.lowerBound) <= start } ?? false
      if keep(inA, inB) { result.append(UInt16(start)...UInt16(end - 1)) }
    }
    return result
  }
}

extension PortSet: CustomStringConvertible {
  /// `80,8000-8080`; `all` for every port, `none` for none.
  public var description: String {
    if isEmpty { return "none" }
    if isAll { return "all" }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

/// Which ports of one protocol can be reached. The two sets do not overlap.
public struct PortReach: Hashable, Sendable {
  public var allowed = PortSet()
  public var undecided = PortSet()

  public init() {}

  public init(allowed: PortSet, undecided: PortSet = PortSet()) {
    self.allowed = allowed
    self.undecided = undecided.subtracting(allowed)
  }

  /// Reached by the one or the other.
  func union(_ other: PortReach) -> PortReach {
    PortReach(allowed: allowed.union(other.allowed), undecided: undecided.union(other.undecided))
  }

  /// Reached by both.
  func intersection(_ other: PortReach) -> PortReach {
    let possible = allowed.union(undecided).intersection(other.allowed.union(other.undecided))
    return PortReach(allowed: allowed.intersection(other.allowed), undecided: possible)
  }
}

extension BasicPolicyEngine {
  /// Judges every port of a protocol at once. Only ports where some rule's range begins or ends can differ from the
  /// one before, so only these are judged.
  public func reach(from source: Party, to destination: Party, _ proto: TrafficProtocol) -> PortReach {
    var result = PortReach()
    let starts = criticalPorts(from: source, to: destination, proto)
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] - 1 : UInt16.max
      let flow = Flow(source: source, destination: destination, proto: proto, port: start)
      switch judge(flow).allowed {
      case .yes: result.allowed.append(start...end)
      case .unknown: result.undecided.append(start...end)
      case .no: break
      }
    }
    return result
  }

  /// The ports from which on the answer may be another, in order; the first is 1.
  private func criticalPorts(from source: Party, to destination: Party, _ proto: TrafficProtocol) -> [UInt16] {
    var starts: Set<UInt16> = [1]
    func add(_ ports: [PolicyPort]) {
      for port in ports {
        guard let range = Semantics.ports(port, proto, on: destination) else { continue }
        if range.lowerBound > 1 { starts.insert(range.lowerBound) }
        if range.upperBound < UInt16.max { starts.insert(range.upperBound + 1) }
      }
    }
    for (party, direction) in [(source, PolicyDirection.egress), (destination, .ingress)] {
      guard let pod = party.ownPod else { continue }
      for policy in isolating(pod, direction) {
        for rule in policy.rules(direction) { add(rule.ports) }
      }
      for policy in cluster.adminPolicies where Semantics.selects(policy.subject, party) {
        for rule in policy.rules(direction) { add(rule.ports) }
      }
    }
    return starts.sorted()
  }
}
