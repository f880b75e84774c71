/// An IPv4 or IPv6 address.
///
/// Text forms: dotted quad for IPv4 (RFC 6943 §3.1.1: four decimal parts, no leading zeros), RFC 4291 §2.2 for
/// IPv6 when parsing and RFC 5952 when printing. Zone identifiers are not part of the value.
public struct IPAddress: Hashable, Sendable {
  public enum Family: UInt8, Hashable, Sendable {
    case v4 = 4
    case v6 = 6
  }

  public let family: Family
  /// The address as a 128-bit number in host order; an IPv4 address uses the low 32 bits of `low`.
  public let high: UInt64
  public let low: UInt64

  public init(v4 value: UInt32) {
    self.family = .v4
    self.high = 0
    self.low = UInt64(value)
  }

  public init(v6High high: UInt64, low: UInt64) {
    self.family = .v6
    self.high = high
    self.low = low
  }

  /// From 4 or 16 bytes in network order; nil for any other count.
  public init?(networkBytes bytes: some Collection<UInt8>) {
    var high: UInt64 = 0
    var low: UInt64 = 0
    for byte in bytes {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(byte)
    }
    switch bytes.count {
    case 4: self.init(v4: UInt32(truncatingIfNeeded: low))
    case 16: self.init(v6High: high, low: low)
    default: return nil
    }
  }

  /// 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    switch family {
    case .v4: low >> 24 == 127
    case .v6: high == 0 && low == 1
    }
  }

  /// 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291): unique only on one link.
  public var isLinkLocal: Bool {
    switch family {
    case .v4: low >> 16 == 0xa9fe
    case .v6: high >> 54 == 0xfe80 >> 6
    }
  }

  /// 0.0.0.0 or ::.
  public var isUnspecified: Bool { high == 0 && low == 0 }

  /// 224.0.0.0/4 or ff00::/8.
  public var isMulticast: Bool {
    switch family {
    case .v4: low >> 28 == 0xe
    case .v6: high >> 56 == 0xff
    }
  }
}

extension IPAddress: Comparable {
  public static func < (a: IPAddress, b: IPAddress) -> Bool {
    (a.family.rawValue, a.high, a.low) < (b.family.rawValue, b.high, b.low)
  }
}

extension IPAddress: CustomStringConvertible {
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(39)
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the text form as ASCII, without allocating a string.
  public func append(to out: inout [UInt8]) {
    switch family {
    case .v4:
      Self.appendDottedQuad(UInt32(truncatingIfNeeded: low), to: &out)
    case .v6:
      appendV6(to: &out)
    }
  }

  static func appendDottedQuad(_ value: UInt32, to out: inout [UInt8]) {
    for index in 0..<UInt32(4) {
      if index > 0 { out.append(UInt8(ascii: ".")) }
      out.appendDecimal(UInt64(value >> (24 - 8 * index) & 0xff))
    }
  }

  /// Group `index` (0 is the most significant) of an IPv6 address.
  func group(_ index: Int) -> UInt16 {
    let word = index < 4 ? high : low
    return UInt16(truncatingIfNeeded: word >> (48 - 16 * UInt64(index % 4)))
  }

  func appendV6(to out: inout [UInt8]) {
    // RFC 5952 §5: IPv4-mapped addresses end in a dotted quad.
    if high == 0, low >> 32 == 0xffff {
      out.append(contentsOf: "::ffff:".utf8)
      Self.appendDottedQuad(UInt32(truncatingIfNeeded: low), to: &out)
      return
    }
    // RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals, becomes "::".
    var best = (start: 8, count: 1)
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, group(end) == 0 { end += 1 }
      if end - start > best.count { best = (start, end - start) }
      start = max(end, start + 1)
    }
    var index = 0
    while index < 8 {
      if index == best.start {
        out.append(contentsOf: "::".utf8)
        index += best.count
        continue
      }
      if index > 0, index != best.start + best.count || best.start == 8 { out.append(UInt8(ascii: ":")) }
      out.appendHex(UInt64(group(index)))
      index += 1
    }
  }
}

extension IPAddress: LosslessStringConvertible {
  public init?(_ text: String) {
    self.init(text[...])
  }

  public init?(_ text: Substring) {
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard let (high, low) = Self.parseV6(text) else { return nil }
      self.init(v6High: high, low: low)
    } else {
      guard let value = Self.parseV4(text) else { return nil }
      self.init(v4: value)
    }
  }

  static func parseV4(_ text: Substring) -> UInt32? {
    var value: UInt32 = 0
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    for part in parts {
      guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      // A leading zero would be octal to inet_aton and decimal to others: refuse it.
      if part.count > 1, part.first == 0x30 { return nil }
      guard let number = UInt8(Substring(part)) else { return nil }
      value = value << 8 | UInt32(number)
    }
    return value
  }

  static func parseV6(_ text: Substring) -> (UInt64, UInt64)? {
    func groups(_ part: Substring) -> [UInt16]? {
      if part.isEmpty { return [] }
      var result: [UInt16] = []
      let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
      for (index, piece) in pieces.enumerated() {
        if index == pieces.count - 1, piece.utf8.contains(UInt8(ascii: ".")) {
          guard let v4 = parseV4(piece) else { return nil }
          result += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
        } else {
          guard (1...4).contains(piece.utf8.count), piece.utf8.allSatisfy(\.isHexDigit),
            let value = UInt16(piece, radix: 16)
          else { return nil }
          result.append(value)
        }
      }
      return result
    }
    let all: [UInt16]
    if let gap = text.firstRange(ofColons: 2) {
      guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]),
        !text[..<gap.lowerBound].utf8.contains(UInt8(ascii: ".")), head.count + tail.count <= 7
      else { return nil }
      all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    } else {
      guard let plain = groups(text), plain.count == 8 else { return nil }
      all = plain
    }
    let high = all[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    let low = all[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    return (high, low)
  }
}

extension Substring {
  fileprivate func firstRange(ofColons count: Int) -> Range<Index>? {
    var start: Index? = nil
    var run = 0
    for index in indices {
      if self[index] == ":" {
        if run == 0 { start = index }
        run += 1
        if run == count, let start { return start..<self.index(after: index) }
      } else {
        run = 0
      }
    }
    return nil
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
  }
}
