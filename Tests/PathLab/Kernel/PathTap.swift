import BPFPrograms
import CProbeEvents
import LinuxBPF
import NetTypes
import ProbeKit
import Signals

/// Tells of every packet that is handed to an interface (bpf/pathtap.bpf.c).
struct PathTap: KernelProbe {
  static let manifest = ProbeManifest(
    id: "pathtap", help: "Packets handed to interfaces", metrics: [],
    events: [EventDescription("Transmission", help: "A packet was handed to an interface.")],
    hooks: [Hook("net_dev_start_xmit", gives: "every packet handed to a driver")], program: .pathtap)

  private let context: ProbeContext

  init(_ settings: ProbeSettings, _ context: ProbeContext) { self.context = context }

  func event(from record: Record) -> Event? {
    guard let raw = record.fixed(as: Raw.self) else { return nil }
    var labels = EventLabelList()
    labels.append(tuple: raw.packet.tuple, seenFrom: record.netns, context)
    for label in context.netnsLabels(record.netns, raw.packet) { labels.append(label) }
    labels.append("length", number: raw.packet.length)
    if raw.packet.tcp_flags != 0 { labels.append(Label("tcp_flags", raw.packet.flags.description)) }
    labels.append("icmp_type", number: raw.packet.icmp_type)
    labels.append("icmp_code", number: raw.packet.icmp_code)
    labels.append("ttl", number: raw.hopsLeft)
    labels.append("fragment", number: raw.fragment)
    return Event(timestamp: record.timestamp, type: "Transmission", labels: labels, message: .empty)
  }

  func collect(from maps: ProbeMaps) throws -> [MetricFamily] { [] }

  /// struct pathtap_event.
  private struct Raw: BitwiseCopyable {
    var header: skoop_event_header
    var packet: skoop_packet
    var hopsLeft: UInt32
    var fragment: UInt32
  }
}
