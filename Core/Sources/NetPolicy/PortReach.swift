public import KubeModel
import NetTypes

/// Which ports of one protocol may be reached, as ranges in order that do not touch each other with the same answer.
public struct PortReach: Hashable, Sendable {
  public var allowed: [ClosedRange<UInt16>] = []
  public var undecided: [ClosedRange<UInt16>] = []

  public init() {}

  public static let everyPort: ClosedRange<UInt16> = 1...UInt16.max

  /// `80,8000-8080`; `all` for every port, `none` for none.
  public static func text(_ ranges: [ClosedRange<UInt16>]) -> String {
    if ranges.isEmpty { return "none" }
    if ranges == [everyPort] { return "all" }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
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
      case .yes: result.allowed.append(joining: start...end)
      case .unknown: result.undecided.append(joining: start...end)
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

extension [ClosedRange<UInt16>] {
  /// Appends a range, which begins after the last one ends, making one of the two when they touch.
  mutating func append(joining range: Element) {
    if let last, last.upperBound < UInt16.max, last.upperBound + 1 == range.lowerBound {
      self[count - 1] = last.lowerBound...range.upperBound
    } else {
      append(range)
    }
  }
}
