/// A block of addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3). Bits beyond the length are cleared.
public struct IPPrefix: Hashable, Sendable {
  public let address: IPAddress
  /// Count of leading bits that an address shares with this block: 0...32 or 0...128.
  public let length: Int

  /// Nil when `length` does not fit the family of `address`.
  public init?(_ address: IPAddress, length: Int) {
    guard (0...address.family.bitWidth).contains(length) else { return nil }
    self.length = length
    switch address.family {
    case .v4:
      let mask: UInt32 = length == 0 ? 0 : .max << (32 - UInt32(length))
      self.address = IPAddress(v4: UInt32(truncatingIfNeeded: address.low) & mask)
    case .v6:
      let (high, low) = Self.masks(length)
      self.address = IPAddress(v6High: address.high & high, low: address.low & low)
    }
  }

  static func masks(_ length: Int) -> (high: UInt64, low: UInt64) {
    let high: UInt64 = length == 0 ? 0 : length >= 64 ? .max : .max << (64 - UInt64(length))
    let low: UInt64 = length <= 64 ? 0 : .max << (128 - UInt64(length))
    return (high, low)
  }

  /// Whether `other` lies in this block. False for the other family: an IPv4-mapped IPv6 address is IPv6 here.
  public func contains(_ other: IPAddress) -> Bool {
    guard other.family == address.family else { return false }
    switch address.family {
    case .v4:
      if length == 0 { return true }
      return (other.low ^ address.low) >> (32 - UInt64(length)) == 0
    case .v6:
      let (high, low) = Self.masks(length)
      return (other.high ^ address.high) & high == 0 && (other.low ^ address.low) & low == 0
    }
  }

  /// Whether every address of `other` lies in this block.
  public func contains(_ other: IPPrefix) -> Bool {
    length <= other.length && contains(other.address)
  }
}

extension IPAddress.Family {
  /// Bits in an address: 32 or 128.
  public var bitWidth: Int { self == .v4 ? 32 : 128 }
}

extension IPPrefix: LosslessStringConvertible {
  /// `ADDRESS/LENGTH`, the length in decimal without sign or leading zero.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(parts[0]),
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      parts[1].first != "0" || parts[1] == "0",
      let length = Int(parts[1])
    else { return nil }
    self.init(address, length: length)
  }

  public var description: String { "\(address)/\(length)" }
}
