import CProbeEvents
import ProbeKit
import Signals
import Testing

@testable import TCPReset

struct TCPResetTests {
  static func raw(_ kind: tcpreset_kind, state: UInt8 = 0) -> tcpreset_event {
    var raw = tcpreset_event()
    raw.kind = UInt32(kind.rawValue)
    raw.packet.tuple.family = 4
    raw.packet.tuple.protocol = 6
    withUnsafeMutableBytes(of: &raw.packet.tuple.source) { $0.copyBytes(from: [10, 0, 0, 1]) }
    withUnsafeMutableBytes(of: &raw.packet.tuple.destination) { $0.copyBytes(from: [10, 0, 0, 2]) }
    raw.packet.tuple.source_port = 258
    raw.packet.tuple.destination_port = 80
    raw.packet.tcp_state = state
    return raw
  }

  @Test("the message is that of the provoking segment, or of the socket")
  func messages() {
    let reply = "protocol=TCP saddr=10.0.0.2 sport=80 daddr=10.0.0.1 dport=258"
    #expect(TCPReset.message(Self.raw(TCPRESET_NOSOCK)) == reply)
    #expect(TCPReset.message(Self.raw(TCPRESET_PROCESS, state: 6)) == reply + " state=TIME_WAIT")
    #expect(TCPReset.message(Self.raw(TCPRESET_RECEIVE, state: 1)) == reply + " state=ESTABLISHED")
    #expect(
      TCPReset.message(Self.raw(TCPRESET_ACTIVE, state: 7))
        == "protocol=TCP saddr=10.0.0.1 sport=258 daddr=10.0.0.2 dport=80 state=CLOSE")
  }

  @Test("types are the contract's, in the kernel program's order")
  func types() {
    #expect(
      TCPReset.types.map(\.type) == ["TCPRESET_NOSOCK", "TCPRESET_PROCESS", "TCPRESET_ACTIVE", "TCPRESET_RECEIVE"])
    #expect(TCPReset.types.count == Int(TCPRESET_KINDS.rawValue))
    #expect(TCPReset.type(UInt32(TCPRESET_KINDS.rawValue)) == nil)
  }

  @Test("every reason of the running kernel is explained")
  func reasons() {
    let names = KernelFacts.current(for: [TCPReset.manifest]).names(
      of: "sk_rst_reason", droppingPrefix: "SK_RST_REASON_")
    for name in names.values where name != "MAX" { #expect(ResetReasonTexts.explanation(of: name) != nil, "\(name)") }
  }
}
