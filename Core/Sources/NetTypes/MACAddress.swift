/// A 48-bit link layer address (IEEE 802, EUI-48).
public struct MACAddress: Hashable, Sendable {
  /// The address as a number; the first octet on the wire is the most significant of the low 48 bits.
  public let value: UInt64

  public init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

  /// From 6 octets in the order of the wire; nil for any other count.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 6 else { return nil }
    self.value = octets.reduce(0) { $0 << 8 | UInt64($1) }
  }

  public static let broadcast = MACAddress(value: 0xffff_ffff_ffff)
  public static let zero = MACAddress(value: 0)

  /// The group bit: multicast and broadcast addresses (IEEE 802-2014 §8.2.2).
  public var isGroup: Bool { value >> 40 & 1 == 1 }

  /// Where an IP multicast or broadcast packet goes (RFC 1112 §6.4, RFC 2464 §7).
  public static func multicast(_ address: IPAddress) -> MACAddress {
    switch address.family {
    case .v4: MACAddress(value: 0x0100_5e00_0000 | address.low & 0x7f_ffff)
    case .v6: MACAddress(value: 0x3333_0000_0000 | address.low & 0xffff_ffff)
    }
  }
}

extension MACAddress: LosslessStringConvertible {
  /// Six pairs of hexadecimal digits joined by colons.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6 else { return nil }
    var octets: [UInt8] = []
    for part in parts {
      guard part.utf8.count == 2, part.utf8.first != UInt8(ascii: "+"), part.utf8.first != UInt8(ascii: "-"),
        let octet = UInt8(part, radix: 16)
      else { return nil }
      octets.append(octet)
    }
    self.init(octets: octets)
  }

  public var description: String {
    var out: [UInt8] = []
    for index in 0..<6 {
      if index > 0 { out.append(UInt8(ascii: ":")) }
      let octet = value >> (40 - 8 * UInt64(index)) & 0xff
      if octet < 0x10 { out.append(UInt8(ascii: "0")) }
      out.appendHex(octet)
    }
    return String(decoding: out, as: UTF8.self)
  }
}

extension MACAddress: Comparable {
  public static func < (a: MACAddress, b: MACAddress) -> Bool { a.value < b.value }
}
