import NetTypes

/// Stands one address or name for another, by a secret key: the same for the same, and nobody without the key finds the
/// way back.
///
/// Addresses keep their common prefixes: two that share 24 bits share 24 bits afterwards (as Xu, Fan, Ammar and Moon
/// describe in "Prefix-preserving IP address anonymization", ICNP 2002). So routes, rules and longest matches mean the
/// same. Blocks that the kernel treats in a way of its own stay what they are.
struct Pseudonyms {
  private let key: (UInt64, UInt64)
  private var known: [IPAddress: IPAddress] = [:]
  /// The low 24 bits of known IPv6 addresses, which solicited-node multicast addresses repeat (RFC 4291 §2.7.1).
  private var solicited: [UInt64: UInt64] = [:]

  init(key: (UInt64, UInt64)) { self.key = key }

  // MARK: Addresses

  /// Kept whole.
  private static let kept = [
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/96", "ff00::/8",
  ].map { IPPrefix($0)! }

  /// Kept apart from their surroundings, since the kernel chooses source addresses by them (RFC 6724 §2.1); inside, bits
  /// are exchanged.
  private static let apart = [
    "fe80::/64", "fe80::/10", "fec0::/10", "fc00::/7", "2001::/32", "2002::/16", "3ffe::/16", "64:ff9b::/96",
    "::ffff:0.0.0.0/96",
  ].map { IPPrefix($0)! }

  /// 24 bits.
  private static let low24: UInt64 = 0xff_ffff

  /// Lets multicast addresses follow this one.
  mutating func learn(_ address: IPAddress) {
    guard address.family == .v6 else { return }
    solicited[address.low & Self.low24] = self.address(address).low & Self.low24
  }

  mutating func address(_ address: IPAddress) -> IPAddress {
    if let known = known[address] { return known }
    let result = compute(address)
    known[address] = result
    return result
  }

  private mutating func compute(_ address: IPAddress) -> IPAddress {
    // ff02::1:ffXX:XXXX.
    if address.family == .v6, address.high == 0xff02 << 48, address.low >> 24 == 0x1ff {
      return IPAddress(v6High: address.high, low: 0x1ff << 24 | low(address.low & Self.low24))
    }
    if let block = Self.kept.first(where: { $0.contains(address) }), block.contains(address) { return address }
    // ::ffff:A.B.C.D is the IPv4 address to the kernel.
    if address.family == .v6, address.high == 0, address.low >> 32 == 0xffff {
      let inner = self.address(IPAddress(v4: UInt32(truncatingIfNeeded: address.low)))
      return IPAddress(v6High: 0, low: 0xffff << 32 | inner.low)
    }
    var high = address.high
    var low = address.low
    let width = address.family.bitWidth
    for bit in 0..<width {
      let prefix = IPPrefix(address, length: bit)!
      let blocks = Self.kept + Self.apart
      // Both halves of what is below must be alike: none may have a block of its own.
      if blocks.contains(where: { prefix.contains($0) && $0.length > bit }) { continue }
      let word = hash(UInt64(bit) << 8 | UInt64(address.family.rawValue), prefix.address.high, prefix.address.low)
      guard word & 1 == 1 else { continue }
      let place = width - 1 - bit
      if place >= 64 { high ^= 1 << UInt64(place - 64) } else { low ^= 1 << UInt64(place) }
    }
    return address.family == .v4 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(v6High: high, low: low)
  }

  private func low(_ bits: UInt64) -> UInt64 { solicited[bits] ?? hash(24, bits, 0) & Self.low24 }

  mutating func prefix(_ prefix: IPPrefix) -> IPPrefix {
    IPPrefix(address(prefix.address), length: prefix.length)!
  }

  /// Group addresses that follow from a protocol stay; the two flag bits of the first octet always do.
  func mac(_ mac: MACAddress) -> MACAddress {
    if mac == .zero || mac == .broadcast { return mac }
    if mac.value >> 24 == 0x3333ff { return MACAddress(value: 0x3333ff << 24 | low(mac.value & Self.low24)) }
    if mac.isGroup { return mac }
    let flags: UInt64 = 0x0300_0000_0000
    return MACAddress(value: mac.value & flags | hash(48, mac.value, 0) & 0xffff_ffff_ffff & ~flags)
  }

  // MARK: Names

  /// `KIND-` and eight hexadecimal digits.
  func name(_ name: String, _ kind: String) -> String {
    var state = hash(UInt64(kind.utf8.count), 0, 0)
    for byte in name.utf8 { state = hash(state, UInt64(byte), 1) }
    let digits = String(state & 0xffff_ffff, radix: 16)
    return "\(kind)-\(String(repeating: "0", count: 8 - digits.count))\(digits)"
  }

  /// A path of a control group, folder by folder.
  func path(_ path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : name(String($0), "group") }
      .joined(separator: "/")
  }

  // MARK: The function behind it

  /// SipHash-2-4 (Aumasson and Bernstein, 2012) of three words: keyed and hard to turn round.
  private func hash(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    var v0 = key.0 ^ 0x736f_6d65_7073_6575
    var v1 = key.1 ^ 0x646f_7261_6e64_6f6d
    var v2 = key.0 ^ 0x6c79_6765_6e65_7261
    var v3 = key.1 ^ 0x7465_6462_7974_6573
    func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
    func round() {
      v0 &+= v1
      v1 = rotate(v1, 13) ^ v0
      v0 = rotate(v0, 32)
      v2 &+= v3
      v3 = rotate(v3, 16) ^ v2
      v0 &+= v3
      v3 = rotate(v3, 21) ^ v0
      v2 &+= v1
      v1 = rotate(v1, 17) ^ v2
      v2 = rotate(v2, 32)
    }
    for word in [a, b, c, 24 << 56] {
      v3 ^= word
      round()
      round()
      v0 ^= word
    }
    v2 ^= 0xff
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }
}
