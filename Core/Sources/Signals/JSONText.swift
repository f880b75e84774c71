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
