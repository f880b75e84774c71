/// A compiled kernel program (an ELF object with BTF), embedded in this binary. The constants, one for each
/// `Sources/Probes/*/bpf/*.bpf.c`, are made during the build.
public struct BPFProgramFile: Sendable {
  /// The file's name without `.bpf.c`.
  public let name: String
  let base64: StaticString

  /// For what embed-bpf writes.
  public init(name: String, base64: StaticString) {
    self.name = name
    self.base64 = base64
  }

  /// The object file's bytes. Decoded at each call: a probe is loaded once.
  public func bytes() -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(base64.utf8CodeUnitCount / 4 * 3)
    var value: UInt32 = 0
    var digits = 0
    base64.withUTF8Buffer { text in
      for index in 0..<text.count {
        let digit: UInt8
        let byte = unsafe text[index]
        switch byte {
        case 0x41...0x5a: digit = byte - 0x41
        case 0x61...0x7a: digit = byte - 0x61 + 26
        case 0x30...0x39: digit = byte - 0x30 + 52
        case 0x2b: digit = 62
        case 0x2f: digit = 63
        default: continue
        }
        value = value << 6 | UInt32(digit)
        digits += 1
        if digits == 4 {
          out.append(UInt8(truncatingIfNeeded: value >> 16))
          out.append(UInt8(truncatingIfNeeded: value >> 8))
          out.append(UInt8(truncatingIfNeeded: value))
          (value, digits) = (0, 0)
        }
      }
    }
    switch digits {
    case 3:
      out.append(UInt8(truncatingIfNeeded: value >> 10))
      out.append(UInt8(truncatingIfNeeded: value >> 2))
    case 2:
      out.append(UInt8(truncatingIfNeeded: value >> 4))
    default: break
    }
    return out
  }
}
