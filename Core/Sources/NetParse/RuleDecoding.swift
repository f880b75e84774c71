public import NetModel
import NetTypes

extension PolicyRule {
  /// RTM_NEWRULE: struct fib_rule_hdr and FRA_… of linux/fib_rules.h; nil for families other than IPv4 and IPv6.
  public init?(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    let number = try payload.u8()
    guard number == AddressFamily.inet || number == AddressFamily.inet6 else { return nil }
    let family = try AddressFamily.of(number)
    let destinationLength = try payload.u8(1)
    let sourceLength = try payload.u8(2)
    let action = try payload.u8(7)
    let flags = try payload.u32(8)
    var table = UInt32(try payload.u8(4))
    var target: UInt32 = 0
    var source: IPAddress?
    var destination: IPAddress?
    var rule = PolicyRule(family: family, priority: 0, action: .nop)
    rule.tos = try payload.u8(3)
    rule.isInverted = flags & 2 != 0
    var mask: UInt32?
    try forEachAttribute(in: payload.after(12)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: destination = try value.address(family)
      case 2: source = try value.address(family)
      case 3: rule.inputInterface = value.text()
      case 4: target = try value.u32()
      case 6: rule.priority = try value.u32()
      case 10: rule.mark = try value.u32()
      // Realms, padding, and who made the rule: no selectors.
      case 11, 18, 21: break
      case 12: rule.tunnelID = try value.big64()
      case 13: rule.suppressGroup = try Self.unlessAllOnes(value.u32())
      case 14: rule.suppressPrefixLength = try Self.unlessAllOnes(value.u32())
      case 15: table = try value.u32()
      case 16: mask = try value.u32()
      case 17: rule.outputInterface = value.text()
      case 19: rule.l3mdev = try value.flag()
      case 20: rule.uids = try Self.range(value.u32(0), value.u32(4))
      case 22: rule.ipProtocol = IPProtocol(rawValue: try value.u8())
      case 23: rule.sourcePorts = try Self.range(value.u16(0), value.u16(2))
      case 24: rule.destinationPorts = try Self.range(value.u16(0), value.u16(2))
      // Masks of the ports (6.14+): all bits of a single port are what it is without a mask.
      case 28, 29: if try value.u16() != .max { rule.unknownAttributes.append(type) }
      default: rule.unknownAttributes.append(type)
      }
    }
    // Without a mask of its own a mark is compared whole (net/core/fib_rules.c, fib_nl2rule).
    rule.markMask = mask ?? (rule.mark == 0 ? 0 : .max)
    if sourceLength > 0 { rule.source = try prefix(source, sourceLength, family) }
    if destinationLength > 0 { rule.destination = try prefix(destination, destinationLength, family) }
    rule.action =
      switch action {
      case 1: .lookup(table)
      case 2: .goto(target)
      case 3: .nop
      case 6: .blackhole
      case 7: .unreachable
      case 8: .prohibit
      default: .unknown(action)
      }
    self = rule
  }

  private static func unlessAllOnes(_ value: UInt32) -> UInt32? { value == .max ? nil : value }

  private static func range<Value: Comparable>(
    _ low: Value, _ high: Value
  ) throws(NetlinkFormatError) -> ClosedRange<Value> {
    guard low <= high else { throw .value("a range that ends before it begins") }
    return low...high
  }
}
