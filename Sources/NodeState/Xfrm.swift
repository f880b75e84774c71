import Glibc
import LinuxNetlink
import LinuxSystem
import NetModel
import NetParse

/// IPsec policies and states of the namespace that the calling thread is in.
enum Xfrm {
  static func counts() throws -> XfrmCounts? {
    let socket: NetlinkSocket
    do {
      socket = try NetlinkSocket(.xfrm)
    } catch  where error.errno == EPROTONOSUPPORT {
      // EPROTONOSUPPORT: nobody can have made any, unless by PF_KEY.
      if Files.exists("/proc/thread-self/net/pfkey") {
        throw SystemError(errno: EPROTONOSUPPORT, doing: "counting IPsec policies by xfrm; PF_KEY is there")
      }
      return XfrmCounts(policies: 0, states: 0)
    }
    guard let policies = try socket.ask(.xfrmPolicyInfo), let states = try socket.ask(.xfrmStateInfo) else {
      throw NetlinkError.format(.value("no answer about IPsec"))
    }
    return try XfrmCounts(policies: policies.payload, states: states.payload)
  }
}
