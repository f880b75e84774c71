public import NetTypes

/// The requests of rtnetlink(7) that list what a namespace has. Numbers: linux/rtnetlink.h.
extension NetlinkRequest {
  /// All interfaces. The mask leaves statistics out (RTEXT_FILTER_SKIP_STATS), of virtual functions too.
  public static var links: Self {
    var request = Self(18, fixed: Array(repeating: 0, count: 16))
    request.append(29, u32: 1 << 3)
    return request
  }

  /// The VLANs of bridge ports (RTEXT_FILTER_BRVLAN).
  public static var bridgeVLANs: Self {
    var request = Self(18, fixed: [AddressFamily.bridge] + Array(repeating: 0, count: 15))
    request.append(29, u32: 1 << 1)
    return request
  }

  public static var addresses: Self { Self(22, fixed: Array(repeating: 0, count: 8)) }

  /// The neighbours of one family, or the addresses that are proxied (NTF_PROXY).
  public static func neighbours(_ family: IPAddress.Family, proxies: Bool) -> Self {
    Self(30, fixed: [family.number, 0, 0, 0, 0, 0, 0, 0, 0, 0, proxies ? 8 : 0, 0])
  }

  public static var fdb: Self { Self(30, fixed: [AddressFamily.bridge] + Array(repeating: 0, count: 11)) }

  public static func rules(_ family: IPAddress.Family) -> Self {
    Self(34, fixed: [family.number] + Array(repeating: 0, count: 11))
  }

  /// All routes of all tables, cached ones among them.
  public static func routes(_ family: IPAddress.Family) -> Self {
    Self(26, fixed: [family.number] + Array(repeating: 0, count: 11))
  }

  public static var nexthops: Self { Self(106, fixed: Array(repeating: 0, count: 8)) }

  public static var qdiscs: Self { Self(38, fixed: Array(repeating: 0, count: 20)) }

  /// The tc(8) filters of one interface below `parent`: a class or a hook.
  public static func filters(interface: Int32, parent: UInt32) -> Self {
    Self(46, fixed: [0, 0, 0, 0] + bytes(interface) + bytes(UInt32(0)) + bytes(parent) + bytes(UInt32(0)))
  }

  /// The number by which the asking namespace knows the one of an open file (RTM_GETNSID, linux/net_namespace.h).
  public static func namespaceID(ofFile descriptor: Int32) -> Self {
    var request = Self(90, fixed: [0])
    request.append(3, u32: UInt32(bitPattern: descriptor))
    return request
  }
}
