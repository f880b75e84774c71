/// JSON is YAML but for two things. Characters beyond U+FFFF are escaped in JSON as two surrogates (RFC 8259 §7), which
/// YAML does not know; it writes `\\U` and eight digits (YAML 1.2.2 §5.7). And tools write several JSON documents one
/// after another, where YAML wants a `---` between them.
enum JSONText {
  /// The text with what differs written as YAML has it, when it is JSON; else the text itself.
  static func forYAML(_ text: String) -> String {
    guard let first = text.utf8.first(where: { !" \t\r\n".utf8.contains($0) }),
      first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    else { return text }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var index = 0
    // The last byte that is no white space, and whether the line has none yet.
    var last = UInt8(ascii: "\n")
    var atLineStart = true
    while index < bytes.count {
      let byte = bytes[index]
      guard byte == UInt8(ascii: "\\"), index + 1 < bytes.count else {
        // No YAML has an object after the end of another, at the start of a line, but between documents.
        if byte == UInt8(ascii: "{"), atLineStart, last == UInt8(ascii: "}") { out += Array("--- ".utf8) }
        out.append(byte)
        atLineStart = byte == UInt8(ascii: "\n")
        if !" \t\r\n".utf8.contains(byte) { last = byte }
        index += 1
        continue
      }
      last = byte
      atLineStart = false
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
