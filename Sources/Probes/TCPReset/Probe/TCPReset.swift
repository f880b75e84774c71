import BPFPrograms
import CProbeEvents
public import LinuxBPF
import NetTypes
public import ProbeKit
public import Signals
import Workloads

/// TCP resets sent and received: who sent them and why. See README.md.
public struct TCPReset: KernelProbe {
  static let total = MetricDescription(
    "kubeskoop_tcpreset_total", .counter, labels: LabelSet.standard + ["type", "reason"],
    help: "TCP resets sent and received, by the contract's event type and the kernel's reason.")

  /// In the order of enum tcpreset_kind.
  static let types: [EventDescription] = [
    EventDescription(
      "TCPRESET_NOSOCK", help: "A reset was sent because no socket matches a segment, or by netfilter's REJECT."),
    EventDescription("TCPRESET_PROCESS", help: "A socket answered a segment with a reset."),
    EventDescription(
      "TCPRESET_ACTIVE", help: "A socket gave its connection up with a reset, e.g. at close with unread data."),
    EventDescription("TCPRESET_RECEIVE", help: "A connection was reset by its peer."),
  ]

  public static let manifest = ProbeManifest(
    id: "tcpreset", help: "TCP resets: who sent them and why", metrics: [total], events: types,
    hooks: [
      Hook("tcp_send_reset", gives: "resets that TCP sends", isVariadic: true),
      Hook("tcp_receive_reset", gives: "resets that connections receive"),
      Hook(
        "net_dev_queue", gives: "resets that netfilter's REJECT sends; before 6.10 also those without a socket",
        isRequired: false),
    ],
    program: .tcpreset, enumerations: ["sk_rst_reason"])

  static let netfilterReject = "NETFILTER_REJECT"
  static let notSpecified = "NOT_SPECIFIED"

  private let context: ProbeContext
  private let reasons: [UInt32: String]

  public init(_ settings: ProbeSettings, _ context: ProbeContext) {
    self.context = context
    reasons = context.kernel.names(of: "sk_rst_reason", droppingPrefix: "SK_RST_REASON_")
  }

  /// Functions of the kernel that send a reset while the packet is queued: netfilter's (net/ipv4/netfilter/nf_reject_ipv4.c,
  /// net/ipv6/netfilter/nf_reject_ipv6.c, their callers in iptables and nftables), and TCP's own, for kernels before 6.10.
  static let rejectFunctions = [
    "nf_send_reset", "nf_send_reset6", "reject_tg", "reject_tg6", "nft_reject_ipv4_eval", "nft_reject_ipv6_eval",
    "nft_reject_inet_eval", "nft_reject_bridge_eval", "nft_reject_netdev_eval", "nft_reject_br_send_v4_tcp_reset",
    "nft_reject_br_send_v6_tcp_reset",
  ]
  static let ownFunctions = ["tcp_v4_send_reset", "tcp_v6_send_reset", "tcp_v6_send_response"]

  public func update(_ maps: ProbeMaps) throws(BPFError) {
    let ranges = context.symbols.ranges(of: Set(Self.rejectFunctions + Self.ownFunctions))
    let rows = [(Self.rejectFunctions, 1 as UInt64), (Self.ownFunctions, 0)].flatMap { names, isReject in
      names.flatMap { ranges[$0] ?? [] }.map {
        tcpreset_sender(start: $0.lowerBound, end: $0.upperBound, is_reject: isReject)
      }
    }
    let map = maps["tcpreset_senders"]
    // Rows of functions that are gone, and unused ones, match nothing.
    let room = map.valueSize / MemoryLayout<tcpreset_sender>.stride
    try map.set(UInt32(0), array: Array(rows.prefix(room)))
  }

  static func type(_ kind: UInt32) -> EventDescription? {
    types.indices.contains(Int(kind)) ? types[Int(kind)] : nil
  }

  /// The kernel's name without `SK_RST_REASON_`; empty when there is none (received, or before 6.10).
  func reason(_ number: UInt32) -> String {
    switch number {
    case TCPRESET_REASON_NONE: ""
    case TCPRESET_REASON_REJECT: Self.netfilterReject
    default: reasons[number] ?? "UNKNOWN_\(number)"
    }
  }

  private static let eventTypes = types.map { EventType($0.type) }

  public func write(_ record: Record, to batch: inout EventBatch) -> Bool {
    guard let raw = record.fixed(as: tcpreset_event.self), Self.type(raw.kind) != nil else { return false }
    let stack = context.stacks.render(record.frames(after: MemoryLayout<tcpreset_event>.size))
    let (probe, netns, interface) = (record.header.probe, record.netns, raw.packet.interfaceWords)
    batch.begin(Self.eventTypes[Int(raw.kind)], probe: Int(probe), timestamp: record.timestamp)
    batch.append(
      context.labels.group(LabelCache.Key(probe: probe, 0, netns.rawValue)) { LabelGroup(context.podLabels(netns)) })
    batch.append(tuple: raw.packet.tuple, seenFrom: netns, context)
    let key = LabelCache.Key(
      probe: probe, 1, netns.rawValue, interface.0, interface.1, UInt64(raw.reason) << 32 | UInt64(raw.kind),
      UInt64(raw.packet.tcp_state))
    let cause = context.labels.group(key) {
      let reason = reason(raw.reason)
      return LabelGroup(
        (reason.isEmpty ? [] : [Label("reason", reason)]) + context.netnsLabels(netns, raw.packet),
        explanation: explanation(raw.kind, reason, raw.packet.state))
    }
    batch.append(cause)
    batch.append(detailsOf: raw.packet, record, stack, context)
    batch.end(message: Self.message(raw), stack: stack.text, explanation: cause.explanation)
    return true
  }

  /// The contract's 5-tuple and state. As ever in these events it is that of the segment which provoked the reset, or
  /// of the socket seen from this end; the labels `src` and `dst` name the reset's own sender and receiver.
  static func message(_ raw: tcpreset_event) -> String {
    let tuple = raw.packet.tuple
    guard let reset = tuple.addresses else { return "protocol=TCP" }
    let isOwnDirection = raw.kind == UInt32(TCPRESET_ACTIVE.rawValue)
    let from = isOwnDirection ? (reset.source, tuple.source_port) : (reset.destination, tuple.destination_port)
    let to = isOwnDirection ? (reset.destination, tuple.destination_port) : (reset.source, tuple.source_port)
    let state = raw.packet.state.map { " state=\($0.name)" } ?? ""
    return "protocol=TCP saddr=\(from.0) sport=\(from.1) daddr=\(to.0) dport=\(to.1)\(state)"
  }

  /// What a received reset means depends on how far the connection was.
  static func received(_ state: TCPState?) -> String {
    switch state {
    case .synSent:
      "The connection was refused: nobody listens on the port over there, or a firewall on the way rejects it."
    case .synRecv, .newSynRecv: "The client gave up the handshake."
    default: "The peer, or something in between, aborted the connection; look for its own event of the same moment."
    }
  }

  func explanation(_ kind: UInt32, _ reason: String, _ state: TCPState?) -> String {
    if kind == UInt32(TCPRESET_RECEIVE.rawValue) { return Self.received(state) }
    if let text = ResetReasonTexts.explanation(of: reason), reason != Self.notSpecified { return text }
    return Self.type(kind)?.help ?? ""
  }

  public func collect(from maps: ProbeMaps) throws -> [MetricFamily] {
    let workloads = context.workloads
    let counts = try maps["tcpreset_counts"].entries(tcpreset_key.self, tcpreset_count.self)
    let cut = try maps["tcpreset_cut"].perCPUSums()
    func values(_ key: tcpreset_key) -> [String] {
      workloads.standardValues(NetnsCookie(rawValue: key.netns)) + [
        Self.type(key.kind)?.type ?? "", reason(key.reason),
      ]
    }
    let family = MetricFamily(Self.total, counts.map { Sample(values($0.key), Double($0.value.total)) })
    try maps.prune(
      "tcpreset_counts", counts, last: { $0.last_ns }, netns: { $0.netns }, series: values, workloads)
    return [family.merged().adding(other: cut[0], node: workloads.node)]
  }
}
