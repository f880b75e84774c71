import CPathLab
import Glibc
import LinuxSystem
import NetSim
import PathCases
import NetTypes

/// What the sending program saw in the end.
struct SenderResult {
  var view: SenderView
  /// The error's name, and the call that told it.
  var error: String?
  var call: String?

  static func failed(_ call: String, _ number: Int32) -> SenderResult {
    SenderResult(
      view: number == ECONNREFUSED ? .refused : .unreachable, error: errnoName(number), call: call)
  }
}

/// The program that a question is about: makes its socket in the calling thread's namespace, sends, and sees.
final class Sender {
  private let plan: QuestionPlan
  private let identifier: UInt16
  let socket: Int32
  /// Its own end, once known.
  private(set) var source: IPAddress?
  private(set) var sourcePort: UInt16 = 0

  /// `identifier`: of its echo request.
  init(_ plan: QuestionPlan, identifier: UInt16) throws {
    self.plan = plan
    self.identifier = identifier
    let kind = plan.kind == .tcp ? PATHLAB_TCP : plan.kind == .udp ? PATHLAB_UDP : PATHLAB_ECHO
    socket = pathlab_socket(kind, plan.destination.familyNumber)
    guard socket >= 0 else { throw SystemError(errno: -socket, doing: "making a socket") }
  }

  deinit { close(socket) }

  /// Sends. A result means that it is over already.
  func start() -> SenderResult? {
    if plan.kind == .tcp { pathlab_set_abort_on_close(socket) }
    // What fails here is the laboratory's own mistake, but for a device that is not there.
    if plan.uid != 0 { pathlab_set_owner(socket, plan.uid) }
    if plan.mark != 0 { pathlab_set_mark(socket, plan.mark) }
    if plan.dontFragment { pathlab_set_dont_fragment(socket, plan.destination.familyNumber, 1) }
    var scope: UInt32 = 0
    if let device = plan.device {
      let result = pathlab_set_device(socket, device)
      if result < 0 { return .failed("SO_BINDTODEVICE", -result) }
      if plan.destination.isLinkLocal { scope = if_nametoindex(device) }
    }
    if let source = plan.source {
      var address = pathlab_address(source)
      let result = pathlab_bind(socket, &address)
      if result < 0 { return .failed("bind", -result) }
    }
    var destination = pathlab_address(plan.destination, plan.port, scope: scope)
    switch plan.kind {
    case .tcp:
      let result = pathlab_connect(socket, &destination)
      readName()
      if result == 0 { return SenderResult(view: .connected) }
      return result == -EINPROGRESS ? nil : .failed("connect", -result)
    case .udp:
      var result = pathlab_connect(socket, &destination)
      if result < 0 { return .failed("connect", -result) }
      readName()
      result = pathlab_send(socket, [UInt8](repeating: 0x55, count: plan.payload), plan.payload, nil)
      return result < 0 ? .failed("send", -result) : nil
    case .icmp:
      let request = [
        plan.destination.family == .v4 ? 8 : 128, 0, 0, 0, UInt8(identifier >> 8), UInt8(identifier & 255), 0, 1,
      ]
      var bytes = request + [UInt8](repeating: 0x55, count: plan.payload)
      // ICMPv6's checksum is the kernel's business (RFC 3542 §3.1).
      if plan.destination.family == .v4 {
        let sum = Self.checksum(bytes)
        (bytes[2], bytes[3]) = (UInt8(sum >> 8), UInt8(sum & 255))
      }
      let result = pathlab_send(socket, bytes, bytes.count, &destination)
      return result < 0 ? .failed("sendto", -result) : nil
    }
  }

  private func readName() {
    var name = pathlab_address()
    guard pathlab_name(socket, &name) == 0, let address = name.address else { return }
    // Without any address to choose, the kernel sends from 0.0.0.0.
    source = address
    sourcePort = name.port
  }

  /// RFC 1071.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(sum)
  }

  var wait: pollfd {
    pollfd(fd: socket, events: Int16(plan.kind == .tcp ? POLLOUT : POLLIN), revents: 0)
  }

  /// Looks whether something came; `ready` is what poll(2) said.
  func look(_ ready: Int16) -> SenderResult? {
    guard ready != 0 else { return nil }
    switch plan.kind {
    case .tcp:
      let error = pathlab_pending_error(socket)
      if error == 0 { return ready & Int16(POLLOUT) != 0 ? SenderResult(view: .connected) : nil }
      return .failed("connect", error)
    case .udp:
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      var (from, to) = (pathlab_address(), pathlab_address())
      let result = pathlab_receive(socket, &bytes, bytes.count, &from, &to)
      if result == -EAGAIN { return nil }
      return result < 0 ? .failed("recv", -result) : SenderResult(view: .reply)
    case .icmp: return lookForEcho(ready)
    }
  }

  private func lookForEcho(_ ready: Int16) -> SenderResult? {
    let isV4 = plan.destination.family == .v4
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    if ready & Int16(POLLERR) != 0 {
      var (type, code, length) = (Int32(0), Int32(0), 0)
      let error = pathlab_receive_error(
        socket, plan.destination.familyNumber, &bytes, bytes.count, &type, &code, &length)
      _ = pathlab_pending_error(socket)
      if error > 0, type < 0 || (length >= 8 && UInt16(bytes[4]) << 8 | UInt16(bytes[5]) == identifier) {
        return .failed(type < 0 ? "recv" : "ICMP \(type)/\(code)", error)
      }
    }
    while true {
      var (from, to) = (pathlab_address(), pathlab_address())
      let count = Int(pathlab_receive(socket, &bytes, bytes.count, &from, &to))
      if count < 0 { return nil }
      let start = isV4 ? Int(bytes[0] & 15) * 4 : 0
      guard count >= start + 8, bytes[start] == (isV4 ? 0 : 129) else { continue }
      if UInt16(bytes[start + 4]) << 8 | UInt16(bytes[start + 5]) == identifier { return SenderResult(view: .reply) }
    }
  }
}
