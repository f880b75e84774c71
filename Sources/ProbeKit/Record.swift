public import CProbeEvents
public import NetTypes

/// One record of the ring buffer: a fixed part that starts with the common header, and the stack's frames behind it.
/// Valid only during the call that it is handed to.
///
/// What runs for every record is inlinable: probes live in other modules, and a generic call across modules costs more than
/// the decoding itself (docs/results/bench.md measures it).
@safe
public struct Record {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  /// What to add to the kernel's monotonic time for nanoseconds since 1970.
  @usableFromInline let clockOffset: Int64

  /// Nil when the bytes are not a record of this version, which stands first in every version.
  @inlinable
  public init?(_ bytes: UnsafeRawBufferPointer, clockOffset: Int64) {
    guard bytes.count >= MemoryLayout<skoop_event_header>.size,
      unsafe bytes.loadUnaligned(as: UInt16.self) == UInt16(SKOOP_RECORD_VERSION)
    else { return nil }
    unsafe self.bytes = unsafe bytes
    self.clockOffset = clockOffset
  }

  @inlinable
  public var header: skoop_event_header { unsafe bytes.loadUnaligned(as: skoop_event_header.self) }

  /// Nanoseconds since 1970.
  public var timestamp: Int64 { Int64(bitPattern: header.time_ns) &+ clockOffset }

  public var netns: NetnsCookie { NetnsCookie(rawValue: header.netns) }

  /// The fixed part; nil when the record is shorter.
  @inlinable
  public func fixed<Event: BitwiseCopyable>(as type: Event.Type) -> Event? {
    guard unsafe bytes.count >= MemoryLayout<Event>.size else { return nil }
    return unsafe bytes.loadUnaligned(as: type)
  }

  /// The frames behind a fixed part of `size` bytes, as many as the record really holds.
  public func frames(after size: Int) -> Frames {
    let length = min(Int(header.stack_bytes), unsafe max(bytes.count - size, 0)) / 8
    return unsafe Frames(bytes: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(size).prefix(length * 8)))
  }

  /// The task's command, when the kernel named one.
  public var command: String { unsafe withUnsafeBytes(of: header.comm) { unsafe String(zeroTerminated: $0) } }

  /// Return addresses, innermost first.
  @safe
  public struct Frames {
    let bytes: UnsafeRawBufferPointer

    public var count: Int { unsafe bytes.count / 8 }
    public subscript(index: Int) -> UInt64 { unsafe bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
  }
}

extension String {
  /// The bytes up to the first zero.
  init(zeroTerminated bytes: UnsafeRawBufferPointer) {
    self = unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

extension skoop_tuple {
  /// Nil when the tuple is of no IP packet.
  public var addresses: (source: IPAddress, destination: IPAddress)? {
    switch family {
    case 4:
      return (
        IPAddress(
          v4: unsafe withUnsafeBytes(of: source) { UInt32(bigEndian: unsafe $0.loadUnaligned(as: UInt32.self)) }),
        IPAddress(
          v4: unsafe withUnsafeBytes(of: destination) { UInt32(bigEndian: unsafe $0.loadUnaligned(as: UInt32.self)) })
      )
    case 6:
      return (
        unsafe withUnsafeBytes(of: source) { unsafe Self.v6($0) },
        unsafe withUnsafeBytes(of: destination) { unsafe Self.v6($0) }
      )
    default: return nil
    }
  }

  private static func v6(_ bytes: UnsafeRawBufferPointer) -> IPAddress {
    IPAddress(
      v6High: UInt64(bigEndian: unsafe bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}

extension skoop_packet {
  /// The interface's name; `#7` when only its index is known; empty without an interface.
  public var interface: String {
    let name = unsafe withUnsafeBytes(of: ifname) { unsafe String(zeroTerminated: $0) }
    return name.isEmpty && ifindex != 0 ? "#\(ifindex)" : name
  }

  /// The interface in two numbers, for keys of the cache; one without a name is told by its index.
  public var interfaceWords: (UInt64, UInt64) {
    let name = unsafe unsafeBitCast(ifname, to: (UInt64, UInt64).self)
    return name.0 == 0 ? (UInt64(ifindex) << 8, 0) : name
  }

  public var flags: TCPFlags { TCPFlags(rawValue: tcp_flags) }

  /// The socket's state; nil without a socket.
  public var state: TCPState? { TCPState(rawValue: tcp_state) }
}
