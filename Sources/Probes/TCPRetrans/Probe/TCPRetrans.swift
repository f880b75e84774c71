import BPFPrograms
import CProbeEvents
import LinuxBPF
import NetTypes
public import ProbeKit
public import Signals
import Workloads

/// TCP segments sent again, and attempts that failed. See README.md.
public struct TCPRetrans: KernelProbe {
  static let total = MetricDescription(
    "kubeskoop_tcpretrans_total", .counter, labels: LabelSet.tuple,
    help: "TCP retransmissions that went out, by connection.")
  static let failed = MetricDescription(
    "kubeskoop_tcpretrans_failed_total", .counter, labels: LabelSet.tuple,
    help: "TCP retransmissions that this host could not send, by connection.")
  static let byKind = MetricDescription(
    "kubeskoop_tcpretrans_by_kind_total", .counter, labels: LabelSet.standard + ["kind", "outcome"],
    help: "TCP retransmissions by what caused them, and whether they went out (sent) or not (failed).")

  public static let manifest = ProbeManifest(
    id: "tcpretrans", help: "TCP segments sent again, with their cause and stack", metrics: [total, failed, byKind],
    events: [EventDescription("TCPRetrans", help: "TCP sent a segment again, or tried to.")],
    hooks: [
      Hook("tcp_retransmit_skb", gives: "retransmitted segments", isVariadic: true),
      Hook("tcp_retransmit_synack", gives: "retransmitted SYN-ACKs", isRequired: false),
    ],
    program: .tcpretrans)

  private let context: ProbeContext

  public init(_ settings: ProbeSettings, _ context: ProbeContext) { self.context = context }

  /// The values of the label `kind`, in the order of enum tcpretrans_kind, and what they mean.
  static let kinds: [(name: String, text: String)] = [
    ("unknown", "TCP sent the segment again for a cause that the socket does not show."),
    ("timeout", "No acknowledgement came before the retransmission timer ran out: the segment or its answer is lost."),
    ("fast", "Later segments arrived and this one did not (duplicate acknowledgements, SACK or RACK)."),
    ("tail-loss", "A tail loss probe: the last segments of a burst were not acknowledged in time."),
    ("syn", "Nobody answers the SYN: it, or the SYN-ACK, is lost on the way, or dropped by a policy or firewall."),
    ("syn-ack", "The client does not complete the handshake: our SYN-ACK, or its answer, is lost."),
  ]

  static func kind(_ number: UInt32) -> (name: String, text: String) {
    kinds.indices.contains(Int(number)) ? kinds[Int(number)] : kinds[0]
  }

  private static let eventType = EventType("TCPRetrans")
  private static let endSequence = NumberLabel("end_seq")

  public func write(_ record: Record, to batch: inout EventBatch) -> Bool {
    guard let raw = record.fixed(as: tcpretrans_event.self) else { return false }
    let stack = context.stacks.render(record.frames(after: MemoryLayout<tcpretrans_event>.size))
    let (probe, netns, interface) = (record.header.probe, record.netns, raw.packet.interfaceWords)
    let cause = context.labels.group(
      LabelCache.Key(probe: probe, 0, netns.rawValue, UInt64(raw.kind), UInt64(bitPattern: Int64(raw.error)))
    ) {
      let kind = Self.kind(raw.kind)
      return LabelGroup(
        context.placeLabels(netns) + [Label("kind", kind.name)]
          + (raw.error == 0 ? [] : [Label("error", Errno.name(raw.error))]),
        explanation: raw.error == 0 ? kind.text : "This host could not send the segment again.")
    }
    batch.begin(Self.eventType, probe: Int(probe), timestamp: record.timestamp)
    batch.append(tuple: raw.packet.tuple, seenFrom: netns, context)
    batch.append(cause)
    batch.append(Self.endSequence, raw.end_seq)
    let place = LabelCache.Key(probe: probe, 1, netns.rawValue, interface.0, interface.1)
    batch.append(context.labels.group(place) { LabelGroup(context.netnsLabels(netns, raw.packet)) })
    batch.append(detailsOf: raw.packet, record, stack, context)
    batch.end(stack: stack.text, explanation: cause.explanation)
    return true
  }

  public func collect(from maps: ProbeMaps) throws -> [MetricFamily] {
    let workloads = context.workloads
    let tuples = try maps["tcpretrans_tuples"].entries(tcpretrans_tuple_key.self, tcpretrans_count.self)
    let kinds = try maps["tcpretrans_kinds"].entries(tcpretrans_kind_key.self, tcpretrans_count.self)
    let cut = try maps["tcpretrans_cut"].perCPUSums()
    var total = MetricFamily(Self.total, [])
    var failed = MetricFamily(Self.failed, [])
    for (key, count) in tuples {
      let values = tupleValues(key)
      if count.total > 0 { total.samples.append(Sample(values, Double(count.total))) }
      if count.failed > 0 { failed.samples.append(Sample(values, Double(count.failed))) }
    }
    var byKind = MetricFamily(Self.byKind, [])
    for (key, count) in kinds {
      let values = kindValues(key)
      if count.total > 0 { byKind.samples.append(Sample(values + ["sent"], Double(count.total))) }
      if count.failed > 0 { byKind.samples.append(Sample(values + ["failed"], Double(count.failed))) }
    }
    // In the order of enum tcpretrans_cut; by kind, sent and failed make one series.
    let other = [cut[0], cut[1], cut[2] + cut[3]]
    let families = zip([total, failed, byKind], other).map { family, cut in
      family.merged().adding(other: cut, node: workloads.node)
    }
    try maps.prune(
      "tcpretrans_tuples", tuples, last: { $0.last_ns }, netns: { $0.netns }, series: tupleValues, workloads)
    try maps.prune("tcpretrans_kinds", kinds, last: { $0.last_ns }, netns: { $0.netns }, series: kindValues, workloads)
    return families
  }

  private func tupleValues(_ key: tcpretrans_tuple_key) -> [String] {
    let addresses = key.tuple.addresses ?? (IPAddress(v4: 0), IPAddress(v4: 0))
    return context.workloads.tupleValues(
      protocol: IPProtocol(rawValue: key.tuple.protocol), source: addresses.source, destination: addresses.destination,
      ports: (key.tuple.source_port, key.tuple.destination_port), seenFrom: NetnsCookie(rawValue: key.netns))
  }

  private func kindValues(_ key: tcpretrans_kind_key) -> [String] {
    context.workloads.standardValues(NetnsCookie(rawValue: key.netns))
      + [Self.kind(UInt32(truncatingIfNeeded: key.kind)).name]
  }
}

/// The kernel's names for the errors that sending gives.
enum Errno {
  static let names: [UInt32: String] = [
    1: "EPERM", 12: "ENOMEM", 16: "EBUSY", 22: "EINVAL", 90: "EMSGSIZE", 97: "EAFNOSUPPORT", 99: "EADDRNOTAVAIL",
    100: "ENETDOWN", 101: "ENETUNREACH", 105: "ENOBUFS", 113: "EHOSTUNREACH", 114: "EALREADY",
  ]

  /// Of the kernel's negative number, or a queue's positive verdict.
  static func name(_ error: Int32) -> String {
    switch error {
    // What a queue of this host answers (include/linux/netdevice.h).
    case 1: "NET_XMIT_DROP"
    case 2: "NET_XMIT_CN"
    default: names[error.magnitude] ?? "errno \(error.magnitude)"
    }
  }
}
