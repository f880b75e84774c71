public import NetTypes

/// A rule of the routing policy database (ip-rule(8), RTM_NEWRULE).
public struct PolicyRule: Hashable, Sendable, Codable {
  public enum Action: Hashable, Sendable {
    case lookup(UInt32)
    /// Go on with the first rule of this priority.
    case goto(UInt32)
    case nop, blackhole, unreachable, prohibit
    /// FR_ACT_… that this version does not know.
    case unknown(UInt8)
  }

  public var family: IPAddress.Family
  public var priority: UInt32
  public var source: IPPrefix?
  public var destination: IPPrefix?
  public var inputInterface: String?
  public var outputInterface: String?
  public var mark: UInt32
  /// 0 when the rule does not look at the mark.
  public var markMask: UInt32
  /// The TOS or traffic class byte; 0 matches all.
  public var tos: UInt8
  public var uids: ClosedRange<UInt32>?
  public var ipProtocol: IPProtocol?
  public var sourcePorts: ClosedRange<UInt16>?
  public var destinationPorts: ClosedRange<UInt16>?
  public var tunnelID: UInt64?
  /// Matches packets of any vrf.
  public var l3mdev: Bool
  /// Everything but what the selectors say (`not`).
  public var isInverted: Bool
  public var action: Action
  /// A route of this prefix length or shorter does not count as found.
  public var suppressPrefixLength: UInt32?
  public var suppressGroup: UInt32?
  /// Attributes that this version does not know: whether the rule matches is unknown.
  public var unknownAttributes: [UInt16]

  public init(family: IPAddress.Family, priority: UInt32, action: Action) {
    self.family = family
    self.priority = priority
    self.action = action
    mark = 0
    markMask = 0
    tos = 0
    l3mdev = false
    isInverted = false
    unknownAttributes = []
  }
}

/// RTN_… in linux/rtnetlink.h.
public enum RouteType: String, Hashable, Sendable, Codable, CaseIterable {
  case unspecified, unicast, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit, `throw`, nat
  case xresolve
}

/// A route (RTM_NEWROUTE).
public struct Route: Hashable, Sendable, Codable {
  public var table: UInt32
  /// Length 0 for a default route.
  public var destination: IPPrefix
  /// IPv6: only for packets from here (`from` in ip-route(8)).
  public var source: IPPrefix?
  public var type: RouteType
  public var scope: AddressScope
  /// RTPROT_…: who made it: 2 the kernel, 3 boot, 4 static, 17 bird in many setups, …
  public var origin: UInt8
  public var tos: UInt8
  public var metric: UInt32
  public var preferredSource: IPAddress?
  public var nexthopID: UInt32?
  public var nextHops: [NextHop]
  /// RTAX_…: bytes.
  public var mtu: UInt32?
  public var isMTULocked: Bool
  /// The TTL or hop limit of packets that this node sends by it (RTAX_HOPLIMIT).
  public var hopLimit: UInt32?
  /// ICMPv6 router preference of a default route (RTA_PREF): 0 medium, 1 high, 3 low.
  public var preference: UInt8?
  /// Cached by the kernel (RTM_F_CLONED), such as a learned path MTU.
  public var isCached: Bool
  /// Attributes that this version does not know and that may change the packet's way.
  public var unknownAttributes: [UInt16]

  public init(
    table: UInt32 = 254, destination: IPPrefix, type: RouteType = .unicast, scope: AddressScope = .universe,
    metric: UInt32 = 0, nextHops: [NextHop] = []
  ) {
    self.table = table
    self.destination = destination
    self.type = type
    self.scope = scope
    self.metric = metric
    self.nextHops = nextHops
    origin = 3
    tos = 0
    isMTULocked = false
    isCached = false
    unknownAttributes = []
  }

  public var family: IPAddress.Family { destination.address.family }
}

/// One way of a route.
public struct NextHop: Hashable, Sendable, Codable {
  public var interface: Int32?
  /// May be IPv6 in an IPv4 route (RTA_VIA).
  public var gateway: IPAddress?
  /// 1…256; the share of flows is weight / sum of weights.
  public var weight: UInt16
  /// RTNH_F_DEAD, _LINKDOWN, _ONLINK.
  public var isDead: Bool
  public var isLinkDown: Bool
  public var isOnLink: Bool
  /// The encapsulation's name, when it has one (RTA_ENCAP_TYPE): mpls, ip, bpf, seg6, …
  public var encapsulation: String?

  public init(
    interface: Int32? = nil, gateway: IPAddress? = nil, weight: UInt16 = 1, isDead: Bool = false,
    isLinkDown: Bool = false, isOnLink: Bool = false, encapsulation: String? = nil
  ) {
    self.interface = interface
    self.gateway = gateway
    self.weight = weight
    self.isDead = isDead
    self.isLinkDown = isLinkDown
    self.isOnLink = isOnLink
    self.encapsulation = encapsulation
  }
}

/// A nexthop object (ip-nexthop(8), RTM_NEWNEXTHOP).
public struct NexthopObject: Hashable, Sendable, Codable {
  public struct Member: Hashable, Sendable, Codable {
    public var id: UInt32
    public var weight: UInt16

    public init(id: UInt32, weight: UInt16) {
      self.id = id
      self.weight = weight
    }
  }

  public var id: UInt32
  public var nextHop: NextHop?
  /// Set for a group.
  public var members: [Member]
  public var isBlackhole: Bool
  public var isFDB: Bool
  /// NEXTHOP_GRP_TYPE_RES.
  public var isResilient: Bool

  public init(
    id: UInt32, nextHop: NextHop? = nil, members: [Member] = [], isBlackhole: Bool = false, isFDB: Bool = false,
    isResilient: Bool = false
  ) {
    self.id = id
    self.nextHop = nextHop
    self.members = members
    self.isBlackhole = isBlackhole
    self.isFDB = isFDB
    self.isResilient = isResilient
  }
}
