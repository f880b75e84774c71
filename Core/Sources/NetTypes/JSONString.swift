// JSON strings (RFC 8259 §7) for the byte buffers that events, findings and other documents are built in.

extension [UInt8] {
  /// Appends `text` as a JSON string with its quotes. Control characters are escaped as RFC 8259 §7 demands.
  public mutating func appendJSONString(_ text: String) {
    append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      var start = 0
      var index = 0
      while index < utf8.count {
        let byte = unsafe utf8[index]
        if byte >= 0x20, byte != 0x22, byte != 0x5c {
          index += 1
          continue
        }
        unsafe append(contentsOf: utf8[start..<index])
        appendEscape(byte)
        index += 1
        start = index
      }
      unsafe append(contentsOf: utf8[start..<utf8.count])
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendEscape(_ byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case 0x22, 0x5c: append(byte)
    case 0x0a: append(UInt8(ascii: "n"))
    case 0x0d: append(UInt8(ascii: "r"))
    case 0x09: append(UInt8(ascii: "t"))
    default:
      append(contentsOf: byte < 0x10 ? "u000".utf8 : "u00".utf8)
      appendHex(UInt64(byte))
    }
  }
}
