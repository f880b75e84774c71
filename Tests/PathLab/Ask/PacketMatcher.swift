import NetTypes
import PathCases

/// Tells a question's packets from others.
struct PacketMatcher {
  let plan: QuestionPlan
  var source: IPAddress?
  var sourcePort: UInt16

  static let tunnelPorts: Set<UInt16> = [4789, 4790]

  /// Nil when the packet has nothing to do with the question.
  func role(of event: PacketEvent) -> RoledEvent.Role? {
    let (from, to) = (event.source, event.destination)
    let isICMP = event.ipProtocol == "ICMP" || event.ipProtocol == "ICMP6"
    switch plan.kind {
    case .tcp where event.ipProtocol == "TCP", .udp where event.ipProtocol == "UDP":
      // A fragment that is not the first tells no ports.
      let hasPorts = event.sourcePort != 0 || event.destinationPort != 0
      if to == plan.destination, source == nil || from == source,
        !hasPorts || (event.destinationPort == plan.port && event.sourcePort == sourcePort)
      {
        return .forward
      }
      if to == source, !hasPorts || (event.destinationPort == sourcePort && event.sourcePort == plan.port) {
        return .answer
      }
    case .icmp where isICMP:
      let (request, reply) = event.ipProtocol == "ICMP" ? (8, 0) : (128, 129)
      if to == plan.destination, source == nil || from == source,
        event.icmpType == request || event.fragment ?? 0 > 0
      {
        return .forward
      }
      if event.icmpType == reply || event.fragment ?? 0 > 0, source == nil || to == source { return .answer }
    default: break
    }
    if isICMP, let type = event.icmpType {
      let isError = event.ipProtocol == "ICMP" ? [3, 4, 5, 11, 12].contains(type) : (1..<128).contains(type)
      return isError ? .error : nil
    }
    return event.ipProtocol == "UDP" && Self.tunnelPorts.contains(event.destinationPort) ? .carrier : nil
  }
}
