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
    for label in event.labels {
      if !first { out.append(UInt8(ascii: ",")) }
      first = false
      out.append(contentsOf: #"{"name":"#.utf8)
      out.appendJSONString(label.name)
      out.append(contentsOf: #","value":"#.utf8)
      out.appendJSONString(label.value)
      out.append(UInt8(ascii: "}"))
    }
    out.append(contentsOf: #"],"msg":"#.utf8)
    out.appendJSONString(event.message)
    out.append(contentsOf: "}\n".utf8)
  }
}
