// ASCII number output for the byte buffers that events and metrics are built in.

extension [UInt8] {
  /// Appends `value` in decimal.
  @inlinable
  public mutating func appendDecimal(_ value: UInt64) {
    if value < 10 {
      append(0x30 &+ UInt8(truncatingIfNeeded: value))
      return
    }
    let start = count
    var rest = value
    while rest > 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      append(0x30 &+ UInt8(truncatingIfNeeded: digit))
      rest = quotient
    }
    reverseTail(from: start)
  }

  /// Appends `value` in lower-case hexadecimal without prefix or padding.
  @inlinable
  public mutating func appendHex(_ value: UInt64) {
    let start = count
    var rest = value
    repeat {
      let digit = UInt8(truncatingIfNeeded: rest & 0xf)
      append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
      rest >>= 4
    } while rest > 0
    reverseTail(from: start)
  }

  @inlinable
  mutating func reverseTail(from start: Int) {
    var low = start
    var high = count - 1
    while low < high {
      swapAt(low, high)
      low += 1
      high -= 1
    }
  }
}
