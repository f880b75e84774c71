public import NetModel
import NetTypes

/// struct ndmsg and the attributes NDA_… of linux/neighbour.h.
private struct NeighbourMessage {
  var family: UInt8
  var interface: Int32
  var state: UInt16
  var flags: UInt8
  var address: IPAddress?
  var mac: MACAddress?
  var vlan: UInt16?
  var port: UInt16?
  var vni: UInt32?
  var lower: Int32?
  var master: Int32?
  var nexthop: UInt32?

  static let isSelf: UInt8 = 2
  static let isProxy: UInt8 = 8
  static let isExternal: UInt8 = 0x10
  static let isRouter: UInt8 = 0x80
  static let noARP: UInt16 = 0x40
  static let permanent: UInt16 = 0x80

  init(_ payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    family = try payload.u8(0)
    interface = try payload.i32(4)
    state = try payload.u16(8)
    flags = try payload.u8(10)
    // A closure cannot change self before it is complete.
    var read = self
    try forEachAttribute(in: payload.after(12)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: read.address = try value.address()
      case 2: read.mac = value.mac()
      case 5: read.vlan = try value.u16()
      case 6: read.port = try value.big16()
      case 7: read.vni = try value.u32()
      case 8: read.lower = try value.index()
      case 9: read.master = try value.index()
      case 13: read.nexthop = try value.u32()
      default: break
      }
    }
    self = read
  }
}

extension Neighbour {
  /// RTM_NEWNEIGH of AF_INET or AF_INET6; nil for other families.
  public init?(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    let message = try NeighbourMessage(payload)
    guard message.family == AddressFamily.inet || message.family == AddressFamily.inet6 else { return nil }
    guard let address = message.address, address.family == (try AddressFamily.of(message.family)) else {
      throw .value("a neighbour without address")
    }
    let states: [(UInt16, NeighbourState)] = [
      (0x80, .permanent), (0x40, .noARP), (2, .reachable), (4, .stale), (8, .delay), (0x10, .probe), (0x20, .failed),
      (1, .incomplete),
    ]
    self.init(
      interface: message.interface, address: address, mac: message.mac,
      state: states.first { message.state & $0.0 != 0 }?.1 ?? .none,
      isProxy: message.flags & NeighbourMessage.isProxy != 0, isRouter: message.flags & NeighbourMessage.isRouter != 0,
      isExternal: message.flags & NeighbourMessage.isExternal != 0)
  }
}

extension FDBEntry {
  /// RTM_NEWNEIGH of AF_BRIDGE; nil for entries without a MAC address of six bytes.
  public init?(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    let message = try NeighbourMessage(payload)
    guard message.family == AddressFamily.bridge, let mac = message.mac else { return nil }
    // A bridge marks its own addresses as permanent and static entries as NOARP (br_fdb.c fdb_to_nud); elsewhere
    // permanent is static.
    let isBridge = message.master != nil && message.flags & NeighbourMessage.isSelf == 0
    let permanent = message.state & NeighbourMessage.permanent != 0
    self.init(
      interface: message.interface, mac: mac, bridge: isBridge ? message.master : nil,
      isLocal: isBridge && permanent,
      isStatic: message.state & NeighbourMessage.noARP != 0 || permanent && !isBridge, remote: message.address)
    vlan = message.vlan
    remotePort = message.port
    remoteVNI = message.vni
    lower = message.lower
    nexthopID = message.nexthop
  }
}
