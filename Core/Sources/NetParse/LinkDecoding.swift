public import NetModel
import NetTypes

/// An interface as rtnetlink tells of it, and what can be told only with more knowledge.
public struct DecodedLink: Hashable, Sendable {
  public var link: Link
  /// IFLA_LINK_NETNSID: the number by which the asking namespace knows that of `link.link`.
  public var linkNetnsID: Int32?
}

extension DecodedLink {
  /// RTM_NEWLINK: struct ifinfomsg and IFLA_… of linux/if_link.h.
  public init(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    let hardware = try payload.u16(2)
    let index = try payload.i32(4)
    var link = Link(
      index: index, name: "", kind: hardware == 772 ? .loopback : .physical,
      flags: LinkFlags(rawValue: try payload.u32(8)), mtu: 0)
    var netns: Int32?
    var info: ArraySlice<UInt8> = []
    try forEachAttribute(in: payload.after(16)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: link.mac = value.mac()
      case 3: link.name = value.text()
      case 4: link.mtu = try value.u32()
      case 5: link.link = try value.index()
      case 10: link.master = try value.index()
      case 16: link.operState = Self.operState(try value.u8())
      case 18: info = value
      case 20: link.alias = value.text()
      case 26: try link.readSettings(value)
      case 27: link.group = try value.u32()
      case 33: link.carrier = try value.flag()
      case 37: netns = try value.i32()
      case 43: try link.readXDP(value)
      default: break
      }
    }
    guard !link.name.isEmpty else { throw .value("an interface without name") }
    try link.readInfo(info)
    // Where the lower interface lies elsewhere, the kernel names the interface itself for kinds that have no single one.
    if netns != nil, link.link == index, link.vxlan != nil || link.tunnel != nil { link.link = nil }
    self.init(link: link, linkNetnsID: netns)
  }

  /// IF_OPER_… in linux/if.h.
  private static func operState(_ number: UInt8) -> OperState {
    Int(number) < OperState.allCases.count ? OperState.allCases[Int(number)] : .unknown
  }
}

extension Link {
  /// IFLA_XDP: the programs by way of attachment.
  fileprivate mutating func readXDP(_ bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var mode: UInt8 = 0
    var any: UInt32?
    var programs: [AttachedProgram] = []
    try forEachAttribute(in: bytes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 2: mode = try value.u8()
      case 4: any = try value.u32()
      case 5: programs.append(AttachedProgram(id: try value.u32(), hook: "xdp"))
      case 6: programs.append(AttachedProgram(id: try value.u32(), hook: "xdpgeneric"))
      case 7: programs.append(AttachedProgram(id: try value.u32(), hook: "xdpoffload"))
      default: break
      }
    }
    if programs.isEmpty, mode != 0, let any { programs = [AttachedProgram(id: any, hook: "xdp")] }
    self.programs += programs
  }

  /// IFLA_AF_SPEC: the settings of IPv4 and IPv6.
  fileprivate mutating func readSettings(_ bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var ipv4: IPv4Conf?
    var ipv6: IPv6Conf?
    try forEachAttribute(in: bytes) { family, value throws(NetlinkFormatError) in
      try forEachAttribute(in: value) { type, array throws(NetlinkFormatError) in
        if family == UInt16(AddressFamily.inet), type == 1 { ipv4 = try IPv4Conf(array: array) }
        if family == UInt16(AddressFamily.inet6), type == 2 { ipv6 = try IPv6Conf(array: array) }
      }
    }
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }

  /// IFLA_LINKINFO: what kind it is, and what kind of port.
  fileprivate mutating func readInfo(_ bytes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var name: String?
    var data: ArraySlice<UInt8> = []
    var portKind: String?
    var portData: ArraySlice<UInt8> = []
    try forEachAttribute(in: bytes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: name = value.text()
      case 2: data = value
      case 4: portKind = value.text()
      case 5: portData = value
      default: break
      }
    }
    if let name { kind = LinkKind(rawValue: name) }
    try readParameters(data)
    if portKind == "bridge" { port = try BridgePort(attributes: portData) }
  }
}

extension IPv4Conf {
  /// IFLA_INET_CONF: 32-bit numbers, that of IPV4_DEVCONF_x at place x - 1. Kernels differ in how many there are; what is
  /// missing is 0.
  init(array: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    self.init()
    for setting in Self.settings {
      let place = (setting.number - 1) * 4
      self[keyPath: setting.path] = array.count >= place + 4 ? try array.i32(place) : 0
    }
  }
}

extension IPv6Conf {
  /// IFLA_INET6_CONF: 32-bit numbers, that of DEVCONF_x at place x.
  init(array: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    self.init()
    for setting in Self.settings {
      let place = setting.number * 4
      self[keyPath: setting.path] = array.count >= place + 4 ? try array.i32(place) : 0
    }
  }
}

/// The VLANs of a bridge port: RTM_NEWLINK of AF_BRIDGE with IFLA_AF_SPEC (linux/if_bridge.h).
public struct PortVLANs: Hashable, Sendable {
  public var interface: Int32
  public var vlans: [PortVLAN]

  /// Ranges are spelled out: flags BRIDGE_VLAN_INFO_RANGE_BEGIN and _END.
  public init(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    interface = try payload.i32(4)
    var vlans: [PortVLAN] = []
    var start: UInt16?
    try forEachAttribute(in: payload.after(16)) { type, value throws(NetlinkFormatError) in
      guard type == 26 else { return }
      try forEachAttribute(in: value) { type, entry throws(NetlinkFormatError) in
        guard type == 2 else { return }
        let flags = try entry.u16(0)
        let id = try entry.u16(2)
        guard id < 4096 else { throw .value("VLAN \(id)") }
        if flags & 8 != 0 {
          start = id
          return
        }
        let first = flags & 0x10 != 0 ? start ?? id : id
        guard first <= id else { throw .value("a range of VLANs that ends before it begins") }
        for id in first...id {
          vlans.append(PortVLAN(id: id, isPVID: flags & 2 != 0, isUntagged: flags & 4 != 0))
        }
        start = nil
      }
    }
    self.vlans = vlans
  }
}
