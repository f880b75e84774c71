/// An IP protocol number (IANA "Assigned Internet Protocol Numbers").
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let icmp = IPProtocol(rawValue: 1)
  public static let tcp = IPProtocol(rawValue: 6)
  public static let udp = IPProtocol(rawValue: 17)
  public static let icmp6 = IPProtocol(rawValue: 58)
  public static let sctp = IPProtocol(rawValue: 132)

  /// The contract's name: TCP, UDP, ICMP, ICMP6, or IP for everything else.
  public var contractName: String {
    switch self {
    case .icmp: "ICMP"
    case .tcp: "TCP"
    case .udp: "UDP"
    case .icmp6: "ICMP6"
    default: "IP"
    }
  }
}

/// The state of a TCP socket, numbered as the kernel does (include/net/tcp_states.h, Linux 6.12).
public enum TCPState: UInt8, Hashable, Sendable, CaseIterable {
  case established = 1
  case synSent, synRecv, finWait1, finWait2, timeWait, close, closeWait, lastAck, listen, closing, newSynRecv
  case boundInactive

  /// The name that ss(8) and the kernel use, e.g. `ESTABLISHED`, `CLOSE_WAIT`.
  public var name: String {
    switch self {
    case .established: "ESTABLISHED"
    case .synSent: "SYN_SENT"
    case .synRecv: "SYN_RECV"
    case .finWait1: "FIN_WAIT1"
    case .finWait2: "FIN_WAIT2"
    case .timeWait: "TIME_WAIT"
    case .close: "CLOSE"
    case .closeWait: "CLOSE_WAIT"
    case .lastAck: "LAST_ACK"
    case .listen: "LISTEN"
    case .closing: "CLOSING"
    case .newSynRecv: "NEW_SYN_RECV"
    case .boundInactive: "BOUND_INACTIVE"
    }
  }
}

/// The control bits of a TCP header (RFC 9293 §3.1), the low eight.
public struct TCPFlags: OptionSet, Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let fin = TCPFlags(rawValue: 1)
  public static let syn = TCPFlags(rawValue: 2)
  public static let rst = TCPFlags(rawValue: 4)
  public static let psh = TCPFlags(rawValue: 8)
  public static let ack = TCPFlags(rawValue: 16)
  public static let urg = TCPFlags(rawValue: 32)
  public static let ece = TCPFlags(rawValue: 64)
  public static let cwr = TCPFlags(rawValue: 128)

  static let names: [String] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]

  /// All 256 texts, made once: an event must not build them.
  static let texts: [String] = (0..<256).map { value in
    (0..<8).filter { value & 1 << $0 != 0 }.map { names[$0] }.joined(separator: "|")
  }

  /// The names of the set bits, lowest first, joined by `|`: `SYN|ACK`; empty without any.
  public var description: String { Self.texts[Int(rawValue)] }
}

/// The kernel's number for one network namespace. It is unique from boot to shutdown, unlike the namespace's
/// inode, which is given to the next namespace at once (`net->net_cookie`, net/core/net_namespace.c, Linux 5.14+).
public struct NetnsCookie: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public var description: String { String(rawValue) }
}
