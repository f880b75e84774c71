import NetTypes

// Addresses inside attributes.

/// AF_… in linux/socket.h.
enum AddressFamily {
  static let inet: UInt8 = 2
  static let bridge: UInt8 = 7
  static let inet6: UInt8 = 10

  static func of(_ number: UInt8) throws(NetlinkFormatError) -> IPAddress.Family {
    switch number {
    case inet: return .v4
    case inet6: return .v6
    default: throw .value("address family \(number)")
    }
  }
}

extension IPAddress.Family {
  /// AF_INET or AF_INET6.
  var number: UInt8 { self == .v4 ? AddressFamily.inet : AddressFamily.inet6 }

  /// The address whose bits are all 0.
  var any: IPAddress { self == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0) }
}

extension ArraySlice<UInt8> {
  /// Four or sixteen bytes.
  func address() throws(NetlinkFormatError) -> IPAddress {
    guard let address = IPAddress(networkBytes: self) else { throw .value("an address of \(count) bytes") }
    return address
  }

  /// An address, nil when all its bits are 0.
  func specifiedAddress() throws(NetlinkFormatError) -> IPAddress? {
    let address = try address()
    return address == address.family.any ? nil : address
  }

  /// An address of a known family.
  func address(_ family: IPAddress.Family) throws(NetlinkFormatError) -> IPAddress {
    let address = try address()
    guard address.family == family else { throw .value("an address of the other family") }
    return address
  }

  /// struct rtvia: a family and an address of it.
  func via() throws(NetlinkFormatError) -> IPAddress {
    let family = try AddressFamily.of(UInt8(truncatingIfNeeded: try u16()))
    return try after(2).address(family)
  }

  /// Six bytes; nil for link layer addresses of other lengths.
  func mac() -> MACAddress? { MACAddress(octets: self) }
}

/// `length` leading bits of `address`, or of 0 without one.
func prefix(
  _ address: IPAddress?, _ length: UInt8, _ family: IPAddress.Family
) throws(NetlinkFormatError) -> IPPrefix {
  guard let prefix = IPPrefix(address ?? family.any, length: Int(length)) else {
    throw .value("a prefix of \(length) bits")
  }
  return prefix
}
