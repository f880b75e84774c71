import NetTypes
import PathCases
import Signals

extension PacketEvent {
  /// From what a probe tells; nil for what is no IP packet.
  init?(_ event: Event) {
    let labels = Dictionary(event.labels.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    guard let cookie = labels["netns"].flatMap({ UInt64($0) }), let source = labels["src"].flatMap({ IPAddress($0) }),
      let destination = labels["dst"].flatMap({ IPAddress($0) })
    else { return nil }
    self.init(
      kind: event.type == "PacketLoss" ? .drop : .transmission, time: event.timestamp,
      netns: NetnsCookie(rawValue: cookie), device: labels["interface"], ipProtocol: labels["protocol"] ?? "",
      source: source, destination: destination, sourcePort: labels["sport"].flatMap { UInt16($0) } ?? 0,
      destinationPort: labels["dport"].flatMap { UInt16($0) } ?? 0, length: labels["length"].flatMap { Int($0) } ?? 0,
      tcpFlags: labels["tcp_flags"], icmpType: labels["icmp_type"].flatMap { Int($0) },
      icmpCode: labels["icmp_code"].flatMap { Int($0) }, hopsLeft: labels["ttl"].flatMap { Int($0) },
      fragment: labels["fragment"].flatMap { Int($0) }, reason: labels["reason"], location: labels["location"],
      isNormal: labels["normal"] == "true")
  }
}
