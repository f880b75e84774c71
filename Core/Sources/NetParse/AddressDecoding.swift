public import NetModel
import NetTypes

extension InterfaceAddress {
  /// RTM_NEWADDR: struct ifaddrmsg and IFA_… of linux/if_addr.h; nil for families other than IPv4 and IPv6.
  public init?(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    let family: IPAddress.Family
    switch try payload.u8() {
    case AddressFamily.inet: family = .v4
    case AddressFamily.inet6: family = .v6
    default: return nil
    }
    let length = try payload.u8(1)
    var flags = UInt32(try payload.u8(2))
    let scope = AddressScope(rawValue: try payload.u8(3))
    let interface = try payload.i32(4)
    var address: IPAddress?
    var local: IPAddress?
    var broadcast: IPAddress?
    var label: String?
    var preferred: UInt32?
    var valid: UInt32?
    try forEachAttribute(in: payload.after(8)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: address = try value.address(family)
      case 2: local = try value.address(family)
      case 3: label = value.text()
      case 4: broadcast = try value.address(family)
      case 6:
        preferred = try Self.lifetime(value.u32(0))
        valid = try Self.lifetime(value.u32(4))
      case 8: flags = try value.u32()
      default: break
      }
    }
    guard let own = local ?? address, Int(length) <= family.bitWidth else {
      throw .value("an interface address of \(length) bits or none")
    }
    self.init(
      interface: interface, address: own, prefixLength: length, scope: scope, flags: AddressFlags(rawValue: flags))
    if let address, address != own { peer = address }
    self.broadcast = broadcast
    self.label = label
    preferredSeconds = preferred
    validSeconds = valid
  }

  private static func lifetime(_ seconds: UInt32) -> UInt32? { seconds == .max ? nil : seconds }
}
