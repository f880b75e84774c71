// Messages by hand, as linux/rtnetlink.h lays them out.

func number<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
}

func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
  let padding = [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
  return number(UInt16(4 + value.count)) + number(type) + value + padding
}

func attribute(_ type: UInt16, _ values: [UInt8]...) -> [UInt8] { attribute(type, values.flatMap { $0 }) }

func text(_ value: String) -> [UInt8] { Array(value.utf8) + [0] }

/// A whole RTM_NEWLINK payload: index 9, name `x0`, up, with IFLA_LINKINFO of one kind.
func link(_ kind: String, data: [UInt8] = [], more: [UInt8] = [], info: [UInt8] = []) -> ArraySlice<UInt8> {
  let head: [UInt8] = [0, 0] + number(UInt16(1)) + number(Int32(9)) + number(UInt32(0x1003)) + number(UInt32(0))
  return
    (head + attribute(3, text("x0")) + attribute(4, number(UInt32(1480)))
    + attribute(18, attribute(1, text(kind)), attribute(2 | 0x8000, data), info) + more)[...]
}
