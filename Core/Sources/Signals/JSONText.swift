import NetTypes

/// Writes events as JSON (RFC 8259), one object a line, into a byte buffer.
public enum EventJSON {
  /// Appends `event` and a newline.
  public static func append(_ event: Event, to out: inout [UInt8]) {
    out.append(contentsOf: #"{"timestamp":"#.utf8)
    if event.timestamp < 0 { out.append(UInt8(ascii: "-")) }
    out.appendDecimal(event.timestamp.magnitude)
    out.append(contentsOf: #","type":"#.utf8)
    out.appendJSONString(event.type)
    out.append(contentsOf: #","labels":["#.utf8)
    var first = true
    for part in event.labelList.parts {
      if !first { out.append(UInt8(ascii: ",")) }
      first = false
      switch part {
      case .own(let label): append(label, to: &out)
      case .number(let name, let value):
        out.append(contentsOf: #"{"name":"#.utf8)
        out.appendJSONString(name)
        out.append(contentsOf: #","value":""#.utf8)
        out.appendDecimal(value)
        out.append(contentsOf: #""}"#.utf8)
      case .group(let group): out.append(contentsOf: group.json)
      }
    }
    out.append(contentsOf: #"],"msg":"#.utf8)
    out.append(contentsOf: event.sharedMessage.json)
    out.append(contentsOf: "}\n".utf8)
  }

  static func append(_ label: Label, to out: inout [UInt8]) {
    out.append(contentsOf: #"{"name":"#.utf8)
    out.appendJSONString(label.name)
    out.append(contentsOf: #","value":"#.utf8)
    out.appendJSONString(label.value)
    out.append(UInt8(ascii: "}"))
  }
}

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
