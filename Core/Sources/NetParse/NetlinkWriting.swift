// Writing requests.

/// A netlink request under construction: what follows the header.
public struct NetlinkRequest: Hashable, Sendable {
  public var type: UInt16
  public var payload: [UInt8]

  public init(_ type: UInt16, fixed: [UInt8] = []) {
    self.type = type
    payload = fixed
    pad()
  }

  /// Appends an attribute.
  public mutating func append(_ type: UInt16, _ value: [UInt8]) {
    payload.append(contentsOf: bytes(UInt16(4 + value.count)) + bytes(type) + value)
    pad()
  }

  public mutating func append(_ type: UInt16, u32 value: UInt32) { append(type, bytes(value)) }

  private mutating func pad() {
    while payload.count % 4 != 0 { payload.append(0) }
  }

  /// The message as it is sent. `flags` are NLM_F_… beside NLM_F_REQUEST.
  public func message(flags: UInt16, sequence: UInt32) -> [UInt8] {
    bytes(UInt32(NetlinkMessage.headerSize + payload.count)) + bytes(type) + bytes(1 | flags) + bytes(sequence)
      + bytes(UInt32(0)) + payload
  }
}

/// A number in the host's order.
func bytes<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Number($0 * 8)) }
}
