// Reading netlink(7): messages (struct nlmsghdr) and attributes (struct rtattr, struct nlattr). Nothing is believed about
// lengths: each is compared with the room that there is. Numbers are in the byte order of the host, which is little-endian
// on every machine that this is built for, unless a name says `big`.

/// Why bytes could not be read as what they should be.
public enum NetlinkFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A fixed part or a value is longer than the bytes that are there.
  case short(needed: Int, found: Int)
  /// A message's length is less than its header's, or more than the room.
  case messageLength(Int, room: Int)
  /// The same for an attribute.
  case attributeLength(Int, room: Int)
  /// A value that cannot be, such as an address of five bytes.
  case value(String)

  public var description: String {
    switch self {
    case .short(let needed, let found): "netlink: \(needed) bytes needed, \(found) there"
    case .messageLength(let length, let room): "netlink: a message of \(length) bytes in \(room)"
    case .attributeLength(let length, let room): "netlink: an attribute of \(length) bytes in \(room)"
    case .value(let text): "netlink: \(text)"
    }
  }
}

/// One message: its header's fields and what follows.
public struct NetlinkMessage: Hashable, Sendable {
  public var type: UInt16
  public var flags: UInt16
  public var sequence: UInt32
  public var payload: ArraySlice<UInt8>

  /// NLMSG_… and NLM_F_… in linux/netlink.h.
  public static let noop: UInt16 = 1
  public static let error: UInt16 = 2
  public static let done: UInt16 = 3
  static let headerSize = 16

  public init(type: UInt16, flags: UInt16 = 0, sequence: UInt32 = 0, payload: ArraySlice<UInt8>) {
    self.type = type
    self.flags = flags
    self.sequence = sequence
    self.payload = payload
  }

  /// NLM_F_DUMP_INTR: the tables changed while the kernel listed them.
  public var isInterrupted: Bool { flags & 0x10 != 0 }

  /// All messages of one datagram.
  public static func all(in bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) -> [NetlinkMessage] {
    var messages: [NetlinkMessage] = []
    var rest = bytes
    while !rest.isEmpty {
      let length = Int(try rest.u32(0))
      guard length >= headerSize, length <= rest.count else {
        throw .messageLength(length, room: rest.count)
      }
      messages.append(
        NetlinkMessage(
          type: try rest.u16(4), flags: try rest.u16(6), sequence: try rest.u32(8),
          payload: rest.prefix(length).dropFirst(headerSize)))
      rest = rest.dropFirst(min((length + 3) & ~3, rest.count))
    }
    return messages
  }

  /// What a message of type `error` or `done` says: an error number (0: none) and the kernel's sentence about it
  /// (NLMSGERR_ATTR_MSG).
  public func failure() throws(NetlinkFormatError) -> (errno: Int32, text: String?) {
    let code = try payload.i32(0)
    var text: String?
    // NLM_F_ACK_TLVS: attributes follow; NLM_F_CAPPED: of the request only its header is quoted.
    if flags & 0x200 != 0 {
      var start = 4
      if type == Self.error {
        let quoted = Int(try payload.u32(4))
        start = flags & 0x100 != 0 ? 4 + Self.headerSize : 4 + (max(quoted, Self.headerSize) + 3) & ~3
      }
      guard start <= payload.count else { throw .short(needed: start, found: payload.count) }
      try forEachAttribute(in: payload.dropFirst(start)) { type, value in
        if type == 1 { text = value.text() }
      }
    }
    // The least number has no counterpart; the kernel gives error numbers only.
    return (0 &- code, text)
  }
}

/// Calls `body` for each attribute of a sequence, with the type's flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER) removed.
func forEachAttribute(
  in bytes: ArraySlice<UInt8>, _ body: (UInt16, ArraySlice<UInt8>) throws(NetlinkFormatError) -> Void
) throws(NetlinkFormatError) {
  var rest = bytes
  while !rest.isEmpty {
    guard rest.count >= 4 else { throw .attributeLength(0, room: rest.count) }
    let length = Int(try rest.u16(0))
    guard length >= 4, length <= rest.count else { throw .attributeLength(length, room: rest.count) }
    try body(try rest.u16(2) & 0x3fff, rest.prefix(length).dropFirst(4))
    rest = rest.dropFirst(min((length + 3) & ~3, rest.count))
  }
}

extension ArraySlice<UInt8> {
  /// `count` bytes from `offset` as a little-endian number.
  private func number(_ offset: Int, _ count: Int) throws(NetlinkFormatError) -> UInt64 {
    guard self.count >= offset + count else { throw .short(needed: offset + count, found: self.count) }
    var value: UInt64 = 0
    for index in stride(from: count - 1, through: 0, by: -1) {
      value = value << 8 | UInt64(self[startIndex + offset + index])
    }
    return value
  }

  func u8(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt8 {
    UInt8(truncatingIfNeeded: try number(offset, 1))
  }
  func u16(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt16 {
    UInt16(truncatingIfNeeded: try number(offset, 2))
  }
  func u32(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt32 {
    UInt32(truncatingIfNeeded: try number(offset, 4))
  }
  func u64(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt64 { try number(offset, 8) }
  func i32(_ offset: Int = 0) throws(NetlinkFormatError) -> Int32 { Int32(bitPattern: try u32(offset)) }
  func big16(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt16 { try u16(offset).byteSwapped }
  func big32(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt32 { try u32(offset).byteSwapped }
  func big64(_ offset: Int = 0) throws(NetlinkFormatError) -> UInt64 { try u64(offset).byteSwapped }

  /// A boolean of one byte.
  func flag() throws(NetlinkFormatError) -> Bool { try u8() != 0 }

  /// An interface index; 0 is none.
  func index() throws(NetlinkFormatError) -> Int32? {
    let value = try i32()
    return value == 0 ? nil : value
  }

  /// What follows a fixed part of `size` bytes.
  func after(_ size: Int) throws(NetlinkFormatError) -> ArraySlice<UInt8> {
    guard count >= size else { throw .short(needed: size, found: count) }
    return dropFirst(size)
  }

  /// A string up to its NUL or the end; bytes that are not UTF-8 are replaced.
  func text() -> String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}
