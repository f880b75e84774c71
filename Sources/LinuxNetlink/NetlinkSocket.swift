import Glibc
public import LinuxSystem
public import NetParse

/// Why the kernel did not answer a netlink request.
public enum NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A system call failed.
  case system(SystemError)
  /// The kernel refused, with its own sentence about it where it gave one.
  case refused(errno: Int32, text: String?)
  case format(NetlinkFormatError)

  public var description: String {
    switch self {
    case .system(let error): "\(error)"
    case .refused(let errno, let text): SystemError.text(of: errno) + (text.map { ": \($0)" } ?? "")
    case .format(let error): "\(error)"
    }
  }

  /// The error number of the first two.
  public var errno: Int32? {
    switch self {
    case .system(let error): error.errno
    case .refused(let errno, _): errno
    case .format: nil
    }
  }
}

/// What a dump gave.
public struct NetlinkDump<Value: Sendable>: Sendable {
  public var values: [Value]
  /// False when the tables went on changing while the kernel listed them, each time that we asked.
  public var isConsistent: Bool
}

/// Requests and their answers over one netlink socket, which belongs to the namespace in which it was opened.
public final class NetlinkSocket {
  /// NETLINK_… in linux/netlink.h.
  public struct Family: Hashable, Sendable {
    public let number: Int32
    public static let route = Family(number: 0)
    public static let socketDiagnosis = Family(number: 4)
    public static let xfrm = Family(number: 6)
    public static let netfilter = Family(number: 12)
    public static let generic = Family(number: 16)
  }

  /// How often a dump is repeated that was interrupted by changes.
  static let attempts = 5
  /// NLM_F_ACK and NLM_F_DUMP.
  private static let acknowledge: UInt16 = 4
  private static let dump: UInt16 = 0x300

  private let channel: NetlinkChannel
  private var sequence: UInt32 = 0
  /// The kernel fills a dump's datagram up to 32 KiB when the reader's buffer is that large (netlink_recvmsg), and makes
  /// it larger only for a single larger message.
  private var buffer: [UInt8]

  public init(_ family: Family) throws(NetlinkError) {
    do { channel = try NetlinkChannel(family.number) } catch { throw .system(error) }
    buffer = [UInt8](repeating: 0, count: 1 << 16)
  }

  /// All that a dump lists; `decode` gives nil for what is not wanted. Repeated while tables change under it.
  public func dump<Value>(
    _ request: NetlinkRequest, _ decode: (NetlinkMessage) throws(NetlinkFormatError) -> Value?
  ) throws(NetlinkError) -> NetlinkDump<Value> {
    for attempt in 1... {
      do {
        let result = try dumpOnce(request, decode)
        if result.isConsistent || attempt == Self.attempts { return result }
      } catch  where error.errno == ENOBUFS && attempt < Self.attempts {
        // An answer was lost: the rest of this dump would be a part of it.
      }
    }
    fatalError("counting ends never")
  }

  private func dumpOnce<Value>(
    _ request: NetlinkRequest, _ decode: (NetlinkMessage) throws(NetlinkFormatError) -> Value?
  ) throws(NetlinkError) -> NetlinkDump<Value> {
    var result = NetlinkDump<Value>(values: [], isConsistent: true)
    try send(request, flags: Self.dump)
    while true {
      for message in try receive() {
        if message.isInterrupted { result.isConsistent = false }
        switch message.type {
        case NetlinkMessage.noop: continue
        case NetlinkMessage.error, NetlinkMessage.done:
          // A dump's end carries an error number too; one without a payload is from a kernel that has none to tell.
          if message.type == NetlinkMessage.done, message.payload.isEmpty { return result }
          try check(message)
          return result
        default:
          do {
            if let value = try decode(message) { result.values.append(value) }
          } catch {
            throw .format(error)
          }
        }
      }
    }
  }

  /// The one answer to a request; nil when the kernel only acknowledged it.
  public func ask(_ request: NetlinkRequest) throws(NetlinkError) -> NetlinkMessage? {
    try send(request, flags: Self.acknowledge)
    var answer: NetlinkMessage?
    while true {
      for message in try receive() {
        switch message.type {
        case NetlinkMessage.noop: continue
        case NetlinkMessage.error:
          try check(message)
          return answer
        default: answer = message
        }
      }
    }
  }

  private func check(_ message: NetlinkMessage) throws(NetlinkError) {
    let failure: (errno: Int32, text: String?)
    do { failure = try message.failure() } catch { throw .format(error) }
    if failure.errno != 0 { throw .refused(errno: failure.errno, text: failure.text) }
  }

  private func send(_ request: NetlinkRequest, flags: UInt16) throws(NetlinkError) {
    sequence += 1
    do { try channel.send(request.message(flags: flags, sequence: sequence)) } catch { throw .system(error) }
  }

  /// The messages of the next datagram that answer the last request: late ones of an earlier request, which failed
  /// half-way, are left out.
  private func receive() throws(NetlinkError) -> [NetlinkMessage] {
    let length: Int
    do { length = try channel.receive(into: &buffer) } catch { throw .system(error) }
    do {
      return try NetlinkMessage.all(in: buffer[..<length]).filter { $0.sequence == sequence }
    } catch {
      throw .format(error)
    }
  }
}
