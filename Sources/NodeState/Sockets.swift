import LinuxNetlink
import LinuxSystem
import NetModel
import NetParse
import NetTypes

/// The sockets of the namespace that the calling thread is in.
enum Sockets {
  /// Every state but TIME_WAIT, whose sockets are past and may be hundreds of thousands. The bit of a state is 1 << its
  /// number; beyond the states that a kernel knows bits are ignored.
  static let states: UInt32 = 0xffff & ~(1 << UInt32(TCPState.timeWait.rawValue))

  /// Those without a peer (listeners, bound and unconnected ones), and of the others `atMost`.
  static func read(atMost: Int, _ gaps: inout Gaps) throws -> [SocketEntry] {
    let socket = try NetlinkSocket(.socketDiagnosis)
    var result: [SocketEntry] = []
    var connected = 0
    for kind in [SocketEntry.Kind.tcp, .udp] {
      for family in [IPAddress.Family.v4, .v6] {
        let dump = try socket.dump(.sockets(kind, family, states: states)) {
          message throws(NetlinkFormatError) -> SocketEntry? in
          guard let entry = try SocketEntry(netlink: message.payload, kind: kind) else { return nil }
          if entry.remotePort == 0 { return entry }
          connected += 1
          return connected <= atMost ? entry : nil
        }
        if !dump.isConsistent { gaps.add("the sockets went on changing while they were read") }
        result += dump.values
      }
    }
    if connected > atMost { gaps.add("\(connected - atMost) of \(connected) connections are not listed") }
    for (file, family) in [("raw", IPAddress.Family.v4), ("raw6", .v6)] {
      guard let text = try? Files.text("/proc/thread-self/net/\(file)") else { continue }
      result += text.split(separator: "\n").compactMap { SocketEntry(procLine: $0, family: family) }
    }
    return result
  }
}
