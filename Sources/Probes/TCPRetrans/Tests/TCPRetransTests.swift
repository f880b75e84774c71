import CProbeEvents
import Testing

@testable import TCPRetrans

struct TCPRetransTests {
  @Test("a name and a sentence for every kind of the kernel program")
  func kinds() {
    #expect(TCPRetrans.kinds.count == Int(TCPRETRANS_KINDS.rawValue))
    #expect(TCPRetrans.kind(UInt32(TCPRETRANS_TIMEOUT.rawValue)).name == "timeout")
    #expect(TCPRetrans.kind(UInt32(TCPRETRANS_FAST.rawValue)).name == "fast")
    #expect(TCPRetrans.kind(UInt32(TCPRETRANS_TAIL_LOSS.rawValue)).name == "tail-loss")
    #expect(TCPRetrans.kind(UInt32(TCPRETRANS_SYN.rawValue)).name == "syn")
    #expect(TCPRetrans.kind(UInt32(TCPRETRANS_SYNACK.rawValue)).name == "syn-ack")
    #expect(TCPRetrans.kind(99).name == "unknown")
  }

  @Test("errors have the kernel's names")
  func errors() {
    #expect(Errno.name(-1) == "EPERM")
    #expect(Errno.name(-4711) == "errno 4711")
    #expect(Errno.name(1) == "NET_XMIT_DROP")
    #expect(Errno.name(.min) == "errno 2147483648")
  }
}
