public import NetTypes

/// An address of an interface (RTM_NEWADDR).
public struct InterfaceAddress: Hashable, Sendable, Codable {
  public var interface: Int32
  /// The address itself (IFA_LOCAL, or IFA_ADDRESS without one).
  public var address: IPAddress
  public var prefixLength: UInt8
  /// The other end of a point-to-point address.
  public var peer: IPAddress?
  public var broadcast: IPAddress?
  public var scope: AddressScope
  public var flags: AddressFlags
  /// Seconds until it may not be used for new connections; nil is for ever.
  public var preferredSeconds: UInt32?
  public var validSeconds: UInt32?
  public var label: String?

  public init(
    interface: Int32, address: IPAddress, prefixLength: UInt8, scope: AddressScope = .universe, flags: AddressFlags = []
  ) {
    self.interface = interface
    self.address = address
    self.prefixLength = prefixLength
    self.scope = scope
    self.flags = flags
  }

  /// The network that it makes reachable on its interface: that of the peer, if there is one.
  /// A length beyond the address's, which no kernel gives, counts as the address's.
  public var prefix: IPPrefix {
    let address = peer ?? address
    return IPPrefix(address, length: min(Int(prefixLength), address.family.bitWidth))!
  }
}

/// RT_SCOPE_… in linux/rtnetlink.h; lower is wider.
public struct AddressScope: RawRepresentable, Hashable, Sendable, Codable, Comparable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let universe = Self(rawValue: 0)
  public static let site = Self(rawValue: 200)
  public static let link = Self(rawValue: 253)
  public static let host = Self(rawValue: 254)
  public static let nowhere = Self(rawValue: 255)
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// IFA_F_… in linux/if_addr.h.
public struct AddressFlags: OptionSet, Hashable, Sendable, Codable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// IPv4: secondary; IPv6: temporary.
  public static let secondary = Self(rawValue: 0x01)
  public static let noDAD = Self(rawValue: 0x02)
  public static let optimistic = Self(rawValue: 0x04)
  public static let dadFailed = Self(rawValue: 0x08)
  public static let home = Self(rawValue: 0x10)
  public static let deprecated = Self(rawValue: 0x20)
  public static let tentative = Self(rawValue: 0x40)
  public static let permanent = Self(rawValue: 0x80)
  public static let managedTemporary = Self(rawValue: 0x100)
  public static let noPrefixRoute = Self(rawValue: 0x200)
}

/// An entry of the neighbour table, or of the table of proxied addresses (RTM_NEWNEIGH of AF_INET and AF_INET6).
public struct Neighbour: Hashable, Sendable, Codable {
  public var interface: Int32
  public var address: IPAddress
  public var mac: MACAddress?
  public var state: NeighbourState
  /// An address that this node answers for (NTF_PROXY); `interface` is 0 when on any.
  public var isProxy: Bool
  public var isRouter: Bool
  /// Kept by a control plane, such as BGP EVPN (NTF_EXT_LEARNED).
  public var isExternal: Bool

  public init(
    interface: Int32, address: IPAddress, mac: MACAddress? = nil, state: NeighbourState = .reachable,
    isProxy: Bool = false, isRouter: Bool = false, isExternal: Bool = false
  ) {
    self.interface = interface
    self.address = address
    self.mac = mac
    self.state = state
    self.isProxy = isProxy
    self.isRouter = isRouter
    self.isExternal = isExternal
  }
}

/// NUD_… in linux/neighbour.h.
public enum NeighbourState: String, Hashable, Sendable, Codable, CaseIterable {
  case none, incomplete, reachable, stale, delay, probe, failed, noARP, permanent

  /// Whether packets are sent to its MAC address at once (NUD_CONNECTED, and those that are still being confirmed).
  public var isUsable: Bool {
    switch self {
    case .reachable, .stale, .delay, .probe, .noARP, .permanent: true
    case .none, .incomplete, .failed: false
    }
  }
}

/// An entry of a forwarding database: a bridge's, a vxlan's or a macvlan's (RTM_NEWNEIGH of AF_BRIDGE).
public struct FDBEntry: Hashable, Sendable, Codable {
  /// The port of a bridge, or the vxlan itself.
  public var interface: Int32
  public var mac: MACAddress
  /// The bridge whose table it is in; nil for the interface's own table (`self` in bridge(8)).
  public var bridge: Int32?
  public var vlan: UInt16?
  /// The address is the bridge's own (NUD_PERMANENT in a bridge's table): frames go up, not out.
  public var isLocal: Bool
  public var isStatic: Bool
  /// vxlan: the remote tunnel endpoint, its port and VNI where they differ from the interface's.
  public var remote: IPAddress?
  public var remotePort: UInt16?
  public var remoteVNI: UInt32?
  /// vxlan: the underlay interface for this entry.
  public var lower: Int32?
  /// vxlan: a nexthop object holds the remotes.
  public var nexthopID: UInt32?

  public init(
    interface: Int32, mac: MACAddress, bridge: Int32? = nil, isLocal: Bool = false, isStatic: Bool = false,
    remote: IPAddress? = nil
  ) {
    self.interface = interface
    self.mac = mac
    self.bridge = bridge
    self.isLocal = isLocal
    self.isStatic = isStatic
    self.remote = remote
  }
}
