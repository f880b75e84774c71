// ASCII number output for the byte buffers that events and metrics are built in.

extension [UInt8] {
  /// Appends `value` in decimal.
  @inlinable
  public mutating func appendDecimal(_ value: UInt64) {
    if value < 10 {
      append(0x30 &+ UInt8(truncatingIfNeeded: value))
      return
    }
    var length = 2
    var bound: UInt64 = 100
    while value >= bound {
      length += 1
      let (next, isOver) = bound.multipliedReportingOverflow(by: 10)
      if isOver { break }
      bound = next
    }
    // Room first, then the digits from behind: an append for each costs more than the digit.
    let end = count + length
    append(contentsOf: repeatElement(0x30, count: length))
    var digits = mutableSpan
    var index = end
    var rest = value
    while rest > 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      index -= 1
      digits[index] = 0x30 &+ UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
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
