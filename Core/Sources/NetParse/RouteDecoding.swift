public import NetModel
import NetTypes

/// RTNH_F_… in linux/rtnetlink.h.
private enum HopFlag {
  static let dead: UInt32 = 1
  static let onLink: UInt32 = 4
  static let linkDown: UInt32 = 16
}

extension NextHop {
  fileprivate mutating func set(flags: UInt32) {
    isDead = flags & HopFlag.dead != 0
    isOnLink = flags & HopFlag.onLink != 0
    isLinkDown = flags & HopFlag.linkDown != 0
  }
}

/// LWTUNNEL_ENCAP_… in linux/lwtunnel.h; nil for none.
private func encapsulationName(_ number: UInt16) -> String? {
  let names = [nil, "mpls", "ip", "ila", "ip6", "seg6", "bpf", "seg6local", "rpl", "ioam6", "xfrm"]
  return Int(number) < names.count ? names[Int(number)] : "encapsulation \(number)"
}

extension Route {
  /// RTM_NEWROUTE: struct rtmsg and RTA_… of linux/rtnetlink.h; nil for families other than IPv4 and IPv6.
  public init?(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    let number = try payload.u8()
    guard number == AddressFamily.inet || number == AddressFamily.inet6 else { return nil }
    let family = try AddressFamily.of(number)
    let destinationLength = try payload.u8(1)
    let sourceLength = try payload.u8(2)
    let flags = try payload.u32(8)
    let types = RouteType.allCases
    let type = Int(try payload.u8(7))
    guard type < types.count else { throw .value("route type \(type)") }
    var route = Route(
      table: UInt32(try payload.u8(4)), destination: try prefix(nil, destinationLength, family), type: types[type],
      scope: AddressScope(rawValue: try payload.u8(6)))
    route.tos = try payload.u8(3)
    route.origin = try payload.u8(5)
    route.isCached = flags & 0x200 != 0
    var destination: IPAddress?
    var source: IPAddress?
    var single = NextHop()
    single.set(flags: flags)
    var hops: [NextHop]?
    try forEachAttribute(in: payload.after(12)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: destination = try value.address(family)
      case 2: source = try value.address(family)
      case 4: single.interface = try value.index()
      case 5: single.gateway = try value.specifiedAddress()
      case 6: route.metric = try value.u32()
      case 7: route.preferredSource = try value.address(family)
      case 8: try route.readMetrics(value)
      case 9: hops = try Self.nextHops(value)
      // Protocol info, realms, cache info, expiry, padding, owner, MPLS' TTL: they do not choose the way.
      case 10, 11, 12, 13, 14, 17, 23, 24, 25, 26: break
      case 15: route.table = try value.u32()
      case 18: single.gateway = try value.via()
      case 20: route.preference = try value.u8()
      case 21: single.encapsulation = encapsulationName(try value.u16())
      // Its parameters: the name alone tells that the packet goes another way.
      case 22: break
      case 30: route.nexthopID = try value.u32()
      default: route.unknownAttributes.append(type)
      }
    }
    route.destination = try prefix(destination, destinationLength, family)
    if sourceLength > 0 { route.source = try prefix(source, sourceLength, family) }
    if let hops {
      route.nextHops = hops
    } else if single.interface != nil || single.gateway != nil {
      route.nextHops = [single]
    }
    self = route
  }

  /// RTAX_…: which are locked, and their values.
  private mutating func readMetrics(_ bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var locked: UInt32 = 0
    var mtu: UInt32?
    var hopLimit: UInt32?
    try forEachAttribute(in: bytes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: locked = try value.u32()
      case 2: mtu = try value.u32()
      case 10: hopLimit = try value.u32()
      default: break
      }
    }
    self.mtu = mtu
    self.hopLimit = hopLimit
    isMTULocked = locked & 1 << 2 != 0
  }

  /// RTA_MULTIPATH: a sequence of struct rtnexthop, each with attributes.
  private static func nextHops(_ bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) -> [NextHop] {
    var hops: [NextHop] = []
    var rest = bytes
    while !rest.isEmpty {
      let length = Int(try rest.u16(0))
      guard length >= 8, length <= rest.count else { throw .attributeLength(length, room: rest.count) }
      var hop = NextHop()
      hop.set(flags: UInt32(try rest.u8(2)))
      hop.weight = UInt16(try rest.u8(3)) + 1
      hop.interface = try rest.dropFirst(4).index()
      try forEachAttribute(in: rest.prefix(length).dropFirst(8)) { type, value throws(NetlinkFormatError) in
        switch type {
        case 5: hop.gateway = try value.specifiedAddress()
        case 18: hop.gateway = try value.via()
        case 21: hop.encapsulation = encapsulationName(try value.u16())
        default: break
        }
      }
      hops.append(hop)
      rest = rest.dropFirst(min((length + 3) & ~3, rest.count))
    }
    return hops
  }
}

extension NexthopObject {
  /// RTM_NEWNEXTHOP: struct nhmsg and NHA_… of linux/nexthop.h.
  public init(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var object = NexthopObject(id: 0)
    var hop = NextHop()
    hop.set(flags: try payload.u32(4))
    try forEachAttribute(in: payload.after(8)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: object.id = try value.u32()
      case 2: object.members = try Self.members(value)
      case 3: object.isResilient = try value.u16() == 1
      case 4: object.isBlackhole = true
      case 5: hop.interface = try value.index()
      case 6: hop.gateway = try value.address()
      case 7: hop.encapsulation = encapsulationName(try value.u16())
      case 11: object.isFDB = true
      default: break
      }
    }
    guard object.id != 0 else { throw .value("a nexthop object without id") }
    if hop.interface != nil || hop.gateway != nil { object.nextHop = hop }
    self = object
  }

  /// Pieces of struct nexthop_grp: id, weight - 1 with its high byte since 6.12.
  private static func members(_ bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) -> [Member] {
    guard bytes.count % 8 == 0 else { throw .value("a nexthop group of \(bytes.count) bytes") }
    var members: [Member] = []
    for offset in stride(from: 0, to: bytes.count, by: 8) {
      let weight = UInt32(try bytes.u8(offset + 4)) | UInt32(try bytes.u8(offset + 5)) << 8
      members.append(Member(id: try bytes.u32(offset), weight: UInt16(clamping: weight + 1)))
    }
    return members
  }
}
