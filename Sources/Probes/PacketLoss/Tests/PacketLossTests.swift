import CProbeEvents
import LinuxBPF
import NetTypes
import ProbeKit
import Signals
import Testing
import Workloads

@testable import PacketLoss

/// A record as the kernel writes it, put together by hand.
func bytes<Fixed>(_ fixed: Fixed, frames: [UInt64] = []) -> [UInt8] {
  withUnsafeBytes(of: fixed) { Array($0) } + frames.flatMap { frame in withUnsafeBytes(of: frame) { Array($0) } }
}

struct PacketLossDecodingTests {
  static let context = ProbeContext(
    kernel: KernelFacts(release: "test", btf: nil, btfProblem: nil, hasNetnsCookies: true),
    symbols: Symbolizer(root: "/nonexistent"),
    workloads: WorkloadDirectory(node: "n", sources: .init(folder: "/nonexistent", host: "/nonexistent")))

  static func event(_ raw: packetloss_event, frames: [UInt64] = [], cut: Int = 0) -> Event? {
    let probe = PacketLoss(ProbeSettings(), context)
    var batch = EventBatch()
    bytes(raw, frames: frames).dropLast(cut).withUnsafeBytes { bytes in
      let record = Record(bytes, clockOffset: 1000)
      let isWritten = record.map { probe.write($0, to: &batch) } ?? false
      #expect(isWritten == (batch.count == 1))
    }
    #expect(batch.lines.isEmpty == (batch.count == 0), "what is refused leaves nothing")
    return batch.events.first
  }

  static func raw(frames: Int = 0) -> packetloss_event {
    var raw = packetloss_event()
    raw.header.version = UInt16(SKOOP_RECORD_VERSION)
    raw.header.time_ns = 5
    raw.header.netns = 9
    raw.header.stack_bytes = UInt32(frames * 8)
    raw.packet.tuple.family = 4
    raw.packet.tuple.protocol = 6
    withUnsafeMutableBytes(of: &raw.packet.tuple.source) { $0.copyBytes(from: [10, 0, 0, 1]) }
    withUnsafeMutableBytes(of: &raw.packet.tuple.destination) { $0.copyBytes(from: [10, 0, 0, 2]) }
    raw.packet.tuple.source_port = 258
    raw.packet.tuple.destination_port = 80
    raw.packet.tcp_flags = 0x12
    return raw
  }

  @Test("a whole record; addresses that nobody can name stay numbers")
  func whole() throws {
    let event = try #require(Self.event(Self.raw(frames: 2), frames: [0xabc, 0xdef]))
    #expect(event.timestamp == 1005)
    #expect(event.message == "0xabc\n0xdef")
    #expect(event.label("src") == "10.0.0.1")
    #expect(event.label("sport") == "258")
    #expect(event.label("k8s_pod") == "netns 9")
    #expect(event.label("tcp_flags") == "SYN|ACK")
    #expect(event.label("location") == "unknown")
  }

  @Test("a stack that claims to be longer than the record is cut to what is there")
  func overlongStack() throws {
    var raw = Self.raw(frames: 2)
    raw.header.stack_bytes = .max
    #expect(try #require(Self.event(raw, frames: [1, 2])).message == "0x1\n0x2")
    #expect(try #require(Self.event(raw)).message == "")
  }

  @Test("short records and other versions are no events")
  func refused() {
    for cut in [1, 50, MemoryLayout<packetloss_event>.size] { #expect(Self.event(Self.raw(), cut: cut) == nil) }
    var other = Self.raw()
    other.header.version += 1
    #expect(Self.event(other) == nil)
  }

  @Test("a frame that is not IP: ethertype instead of addresses")
  func notIP() throws {
    var raw = Self.raw()
    raw.packet.tuple.family = 0
    raw.packet.tuple.protocol = 0
    raw.packet.tuple.ethertype = 0x0806
    let event = try #require(Self.event(raw))
    #expect(event.label("ethertype") == "0x806")
    #expect(event.label("src") == "")
    #expect(event.label("protocol") == "IP")
    #expect(EventText.line(event).contains("ethertype 0x806"))
  }
}

struct NormalDropTableTests {
  @Test("every row says why, and about something")
  func rows() {
    for row in NormalDrops.table {
      #expect(row.why.hasSuffix("."))
      #expect(row.reason != nil || row.function != nil || row.condition == .notNetwork)
    }
    #expect(NormalDrops.table.count <= Int(PACKETLOSS_MAX_RULES))
  }

  @Test("conditions have the kernel program's numbers")
  func conditions() {
    #expect(NormalDrop.Condition.always.rawValue == PACKETLOSS_ALWAYS.rawValue)
    #expect(NormalDrop.Condition.notIP.rawValue == PACKETLOSS_NOT_IP.rawValue)
    #expect(NormalDrop.Condition.notNetwork.rawValue == PACKETLOSS_NOT_NETWORK.rawValue)
    #expect(NormalDrop.Condition.bareFinOrReset.rawValue == PACKETLOSS_BARE_FIN_OR_RESET.rawValue)
  }

  @Test(
    "what is loss is never normal",
    arguments: [
      "NETFILTER_DROP", "NO_SOCKET", "SOCKET_RCVBUFF", "TCP_LISTEN_OVERFLOW", "QDISC_DROP", "NEIGH_FAILED",
      "NEIGH_QUEUEFULL", "IP_OUTNOROUTES", "IP_INNOROUTES", "IP_RPFILTER", "TC_INGRESS", "TC_EGRESS", "XDP",
      "CPU_BACKLOG", "FULL_RING", "NOMEM", "PKT_TOO_BIG", "TCP_OFO_QUEUE_PRUNE", "TCP_ZEROWINDOW", "PROTO_MEM",
    ])
  func loss(reason: String) {
    #expect(!NormalDrops.table.contains { $0.reason == reason && $0.function == nil })
  }
}

struct DerivedReasonTests {
  @Test(
    "the innermost frame that is no helper decides",
    arguments: [
      (["kfree_skb", "nf_hook_slow", "ip_local_deliver"], "NETFILTER_DROP"),
      (["sk_skb_reason_drop", "__udp4_lib_rcv"], "NO_SOCKET"), (["kfree_skb", "tcp_v4_rcv"], nil),
      (["kfree_skb", "veth_xmit", "ip_finish_output"], nil), ([], nil),
    ] as [([Substring], String?)])
  func frames(functions: [Substring], reason: String?) {
    #expect(DerivedReasons.reason(forFrames: functions) == reason)
  }

  @Test("every derived reason has an explanation")
  func explained() {
    for row in DerivedReasons.table { #expect(DropReasonTexts.explanation(of: row.reason) != nil) }
  }
}

struct DropReasonTextTests {
  @Test("one sentence each, none twice")
  func sentences() {
    #expect(Set(DropReasonTexts.table.map(\.reason)).count == DropReasonTexts.table.count)
    for row in DropReasonTexts.table {
      #expect(row.text.hasSuffix("."), "\(row.reason)")
      #expect(row.text.count < 400 && row.text.count > 10)
    }
  }

  @Test("every reason of the running kernel is explained")
  func running() throws {
    let kernel = KernelFacts.current(for: [PacketLoss.manifest])
    let names = kernel.names(of: "skb_drop_reason", droppingPrefix: DropReasons.prefix)
    try #require(kernel.btf == nil || kernel.btf?.arguments(ofTracepoint: "kfree_skb") == 2 || names.count > 10)
    let technical: Set = ["SKB_NOT_DROPPED_YET", "SKB_CONSUMED", "MAX", "SUBSYS_MASK"]
    for name in names.values where !technical.contains(name) {
      #expect(DropReasonTexts.explanation(of: name) != nil, "\(name)")
    }
  }
}
