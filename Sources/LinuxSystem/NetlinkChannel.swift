import CLinux
import Glibc

/// A netlink(7) socket of the network namespace that the opening thread is in. It carries bytes; what they mean is decided
/// elsewhere. One thread at a time uses it.
public struct NetlinkChannel: ~Copyable, Sendable {
  private let socket: Descriptor

  /// `protocolNumber`: NETLINK_… in linux/netlink.h. Throws when the kernel has no such protocol (EPROTONOSUPPORT).
  public init(_ protocolNumber: Int32) throws(SystemError) {
    let descriptor = clinux_netlink_open(protocolNumber)
    guard descriptor >= 0 else { throw SystemError(errno: -descriptor, doing: "opening netlink \(protocolNumber)") }
    socket = Descriptor(owning: descriptor)
  }

  public func send(_ bytes: [UInt8]) throws(SystemError) {
    let sent = unsafe bytes.withUnsafeBytes { unsafe clinux_netlink_send(socket.rawValue, $0.baseAddress, $0.count) }
    guard sent == bytes.count else {
      throw SystemError(errno: sent < 0 ? Int32(-sent) : EMSGSIZE, doing: "sending a netlink request")
    }
  }

  /// One datagram into `buffer`; returns its length. ENOBUFS: the kernel had to drop an answer. EAGAIN: none came in 10 s.
  /// EMSGSIZE: it was longer than the buffer.
  public func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int {
    let length = unsafe buffer.withUnsafeMutableBytes {
      unsafe clinux_netlink_receive(socket.rawValue, $0.baseAddress, $0.count)
    }
    guard length >= 0 else { throw SystemError(errno: Int32(-length), doing: "receiving from netlink") }
    return Int(length)
  }
}
