/// Reads events in the contract's JSON form as `EventBatch` writes it: keys in this order, no blanks, values that are texts.
public enum EventJSON {
  /// Nil when the line is something else.
  public static func event(from line: ArraySlice<UInt8>) -> Event? {
    var reader = Reader(rest: line)
    guard reader.skip(#"{"timestamp":"#), let timestamp = reader.integer(), reader.skip(#","type":"#),
      let type = reader.string(), reader.skip(#","labels":["#), let labels = reader.labels(), reader.skip(#","msg":"#),
      let message = reader.string(), reader.skip("}"), reader.rest.isEmpty
    else { return nil }
    return Event(timestamp: timestamp, type: type, labels: labels, message: message)
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func skip(_ text: StaticString) -> Bool {
      let text = text.description.utf8
      guard rest.starts(with: text) else { return false }
      rest = rest.dropFirst(text.count)
      return true
    }

    mutating func integer() -> Int64? {
      let digits = rest.prefix { $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest = rest.dropFirst(digits.count)
      return Int64(String(decoding: digits, as: UTF8.self))
    }

    /// Labels up to the list's end.
    mutating func labels() -> [Label]? {
      var labels: [Label] = []
      if skip("]") { return labels }
      repeat {
        guard skip(#"{"name":"#), let name = string(), skip(#","value":"#), let value = string(), skip("}") else {
          return nil
        }
        labels.append(Label(name, value))
      } while skip(",")
      return skip("]") ? labels : nil
    }

    /// RFC 8259 §7, without surrogates: what is not ASCII stands for itself.
    mutating func string() -> String? {
      guard skip("\"") else { return nil }
      var bytes: [UInt8] = []
      while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
        case UInt8(ascii: "\\"):
          guard let unescaped = escape() else { return nil }
          bytes.append(unescaped)
        default: bytes.append(byte)
        }
      }
      return nil
    }

    private mutating func escape() -> UInt8? {
      switch rest.popFirst() {
      case UInt8(ascii: "\""): UInt8(ascii: "\"")
      case UInt8(ascii: "\\"): UInt8(ascii: "\\")
      case UInt8(ascii: "n"): 0x0a
      case UInt8(ascii: "r"): 0x0d
      case UInt8(ascii: "t"): 0x09
      case UInt8(ascii: "u"): controlCharacter()
      default: nil
      }
    }

    private mutating func controlCharacter() -> UInt8? {
      let digits = rest.prefix(4)
      guard digits.count == 4, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
      rest = rest.dropFirst(4)
      return value
    }
  }
}
