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

  func update(_ maps: ProbeMaps) throws(BPFError) { try Watched.shared.add(maps) }

  private static let eventType = EventType("Transmission")

  func write(_ record: Record, to batch: inout EventBatch) -> Bool {
    guard let raw = record.fixed(as: Raw.self) else { return false }
    batch.begin(Self.eventType, probe: Int(record.header.probe), timestamp: record.timestamp)
    batch.append(tuple: raw.packet.tuple, seenFrom: record.netns, context)
    for label in context.netnsLabels(record.netns, raw.packet) { batch.append(label) }
    batch.append(NumberLabel("length"), raw.packet.length)
    if raw.packet.tcp_flags != 0 { batch.append(Label("tcp_flags", raw.packet.flags.description)) }
    batch.append(NumberLabel("icmp_type"), UInt32(raw.packet.icmp_type))
    batch.append(NumberLabel("icmp_code"), UInt32(raw.packet.icmp_code))
    batch.append(NumberLabel("ttl"), raw.hopsLeft)
    batch.append(NumberLabel("fragment"), raw.fragment)
    batch.end(stack: .empty, explanation: "")
    return true
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
