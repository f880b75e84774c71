/// JSON is YAML but for one thing: characters beyond U+FFFF are escaped in JSON as two surrogates (RFC 8259 §7), which
/// YAML does not know; it writes `\\U` and eight digits (YAML 1.2.2 §5.7).
enum JSONEscapes {
  /// The text with its surrogate pairs as YAML escapes, when it is JSON and has any; else the text itself.
  static func forYAML(_ text: String) -> String {
    guard let first = text.utf8.first(where: { !" \t\r\n".utf8.contains($0) }),
      first == UInt8(ascii: "{") || first == UInt8(ascii: "["), text.utf8.contains(UInt8(ascii: "\\"))
    else { return text }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
        out.append(bytes[index])
        index += 1
        continue
      }
      if let high = unit(bytes, at: index), (0xd800...0xdbff).contains(high), let low = unit(bytes, at: index + 6),
        (0xdc00...0xdfff).contains(low)
      {
        let scalar = 0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)
        let digits = String(scalar, radix: 16)
        out +=
          Array("\\U".utf8) + Array(repeating: UInt8(ascii: "0"), count: 8 - digits.utf8.count) + Array(digits.utf8)
        index += 12
      } else {
        // Copied as a pair, so that an escaped backslash does not begin another escape.
        out += bytes[index...index + 1]
        index += 2
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The UTF-16 unit of a `\\uXXXX` escape that begins at `index`.
  private static func unit(_ bytes: [UInt8], at index: Int) -> UInt32? {
    guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
      return nil
    }
    return UInt32(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
  }
}
