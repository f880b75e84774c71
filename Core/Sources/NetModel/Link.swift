public import NetTypes

/// A network interface (rtnetlink(7) RTM_NEWLINK).
public struct Link: Hashable, Sendable, Codable {
  public var index: Int32
  public var name: String
  public var kind: LinkKind
  public var flags: LinkFlags
  public var operState: OperState
  /// False when the lower layer has no carrier (IFLA_CARRIER).
  public var carrier: Bool
  /// Bytes of an IP packet.
  public var mtu: UInt32
  /// Nil for interfaces without a hardware address of six bytes.
  public var mac: MACAddress?
  /// The bridge, bond or vrf that it is a port of: an index in this namespace.
  public var master: Int32?
  /// IFLA_LINK: a veth's peer, a vlan's or macvlan's lower interface. An index in `linkNetns`.
  public var link: Int32?
  /// The namespace of `link` when it is another one; nil for this one.
  public var linkNetns: NetnsCookie?
  /// `link` lies in a namespace that the snapshot does not know.
  public var linkNetnsUnknown: Bool?
  /// ip-link(8) group.
  public var group: UInt32
  public var alias: String?
  /// XDP and tcx or netkit programs on it.
  public var programs: [AttachedProgram]
  public var ipv4: IPv4Conf?
  public var ipv6: IPv6Conf?
  /// Set for a port of a bridge.
  public var port: BridgePort?
  public var bridge: BridgeParameters?
  public var vlan: VLANParameters?
  public var vxlan: VXLANParameters?
  public var tunnel: TunnelParameters?
  public var macvlan: MACVLANParameters?
  public var ipvlan: IPVLANParameters?
  public var bond: BondParameters?
  public var tun: TUNParameters?
  public var wireguard: WireGuardParameters?
  /// The routing table of a vrf.
  public var vrfTable: UInt32?

  public init(index: Int32, name: String, kind: LinkKind, flags: LinkFlags = [], mtu: UInt32 = 1500) {
    self.index = index
    self.name = name
    self.kind = kind
    self.flags = flags
    self.mtu = mtu
    operState = .unknown
    carrier = true
    group = 0
    programs = []
  }

  public var isUp: Bool { flags.contains(.up) }
}

/// What an interface is (IFLA_INFO_KIND, or the hardware type for those without).
public struct LinkKind: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
  public var rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public var description: String { rawValue }

  public static let loopback = Self(rawValue: "loopback")
  public static let veth = Self(rawValue: "veth")
  public static let bridge = Self(rawValue: "bridge")
  public static let vxlan = Self(rawValue: "vxlan")
  public static let vlan = Self(rawValue: "vlan")
  public static let macvlan = Self(rawValue: "macvlan")
  public static let macvtap = Self(rawValue: "macvtap")
  public static let ipvlan = Self(rawValue: "ipvlan")
  public static let ipip = Self(rawValue: "ipip")
  public static let gre = Self(rawValue: "gre")
  public static let sit = Self(rawValue: "sit")
  public static let bond = Self(rawValue: "bond")
  public static let tun = Self(rawValue: "tun")
  public static let wireguard = Self(rawValue: "wireguard")
  public static let vrf = Self(rawValue: "vrf")
  public static let dummy = Self(rawValue: "dummy")
  /// Hardware, or a kind that names itself nowhere.
  public static let physical = Self(rawValue: "physical")
}

/// IFF_… of netdevice(7) and linux/if.h.
public struct LinkFlags: OptionSet, Hashable, Sendable, Codable, CustomStringConvertible {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let up = Self(rawValue: 1)
  public static let broadcast = Self(rawValue: 1 << 1)
  public static let loopback = Self(rawValue: 1 << 3)
  public static let pointToPoint = Self(rawValue: 1 << 4)
  public static let running = Self(rawValue: 1 << 6)
  public static let noARP = Self(rawValue: 1 << 7)
  public static let promiscuous = Self(rawValue: 1 << 8)
  public static let allMulticast = Self(rawValue: 1 << 9)
  public static let master = Self(rawValue: 1 << 10)
  public static let slave = Self(rawValue: 1 << 11)
  public static let multicast = Self(rawValue: 1 << 12)
  public static let lowerUp = Self(rawValue: 1 << 16)
  public static let dormant = Self(rawValue: 1 << 17)

  private static let names: [(Self, String)] = [
    (.up, "UP"), (.broadcast, "BROADCAST"), (.loopback, "LOOPBACK"), (.pointToPoint, "POINTOPOINT"),
    (.running, "RUNNING"), (.noARP, "NOARP"), (.promiscuous, "PROMISC"), (.allMulticast, "ALLMULTI"),
    (.master, "MASTER"), (.slave, "SLAVE"), (.multicast, "MULTICAST"), (.lowerUp, "LOWER_UP"),
    (.dormant, "DORMANT"),
  ]

  /// As ip(8) spells them, joined by commas.
  public var description: String { Self.names.filter { contains($0.0) }.map(\.1).joined(separator: ",") }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    rawValue = 0
    for word in text.split(separator: ",") {
      if let known = Self.names.first(where: { $0.1 == word }) { insert(known.0) }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// RFC 2863 §3.1.14 as the kernel keeps it (IF_OPER_… in linux/if.h).
public enum OperState: String, Hashable, Sendable, Codable, CaseIterable {
  case unknown, notPresent, down, lowerLayerDown, testing, dormant, up
}

/// A port of a bridge (IFLA_BRPORT_… in linux/if_link.h).
public struct BridgePort: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case disabled, listening, learning, forwarding, blocking
  }

  public var state: State = .forwarding
  public var hairpin = false
  public var isolated = false
  public var learning = true
  /// Whether unicast to an unknown address, multicast and broadcast are flooded to it.
  public var unicastFlood = true
  public var multicastFlood = true
  public var broadcastFlood = true
  public var proxyARP = false
  public var neighbourSuppress = false
  public var locked = false
  /// VLANs, when the bridge filters them: id and whether it is the port's own, and untagged.
  public var vlans: [PortVLAN] = []
  /// IFLA_BRPORT attributes that are set and change forwarding in a way that is not modelled.
  public var unmodelled: [String] = []

  public init() {}
}

public struct PortVLAN: Hashable, Sendable, Codable {
  public var id: UInt16
  public var isPVID: Bool
  public var isUntagged: Bool

  public init(id: UInt16, isPVID: Bool, isUntagged: Bool) {
    self.id = id
    self.isPVID = isPVID
    self.isUntagged = isUntagged
  }
}

public struct BridgeParameters: Hashable, Sendable, Codable {
  public var vlanFiltering = false
  public var stp = false
  public var multicastSnooping = true
  public var multicastQuerier = false
  /// Whether IP packets on it pass iptables' hooks (bridge-nf-call-…, per bridge).
  public var callIPTables = false
  public var callIP6Tables = false
  public var callARPTables = false
  /// Bit n: frames to 01:80:c2:00:00:0n are forwarded.
  public var groupForwardMask: UInt16 = 0
  /// Hundredths of a second.
  public var ageing: UInt32 = 30000
  /// The VLANs of the bridge itself, when it filters them.
  public var vlans: [PortVLAN] = []

  public init() {}
}

public struct VLANParameters: Hashable, Sendable, Codable {
  public var id: UInt16
  /// 0x8100 (802.1Q) or 0x88a8 (802.1ad).
  public var etherType: UInt16

  public init(id: UInt16, etherType: UInt16 = 0x8100) {
    self.id = id
    self.etherType = etherType
  }
}

/// IFLA_VXLAN_… in linux/if_link.h.
public struct VXLANParameters: Hashable, Sendable, Codable {
  public var vni: UInt32
  /// Where unknown destinations go.
  public var remote: IPAddress?
  public var local: IPAddress?
  /// The underlay interface, an index in the namespace of the underlay.
  public var lower: Int32?
  public var port: UInt16
  public var learning = true
  public var proxy = false
  public var rsc = false
  public var l2miss = false
  public var l3miss = false
  /// External (collect metadata) mode: routes and eBPF choose the tunnel.
  public var external = false
  public var ttl: UInt8 = 0
  public var gbp = false
  public var udpZeroChecksum6Receive = false
  /// Don't Fragment on the outer header: unset, set, inherit.
  public var df: DontFragment = .unset
  public var vniFilter = false

  public enum DontFragment: String, Hashable, Sendable, Codable, CaseIterable { case unset, set, inherit }

  public init(vni: UInt32, port: UInt16 = 4789) {
    self.vni = vni
    self.port = port
  }
}

/// ipip, gre, sit and their IPv6 kin.
public struct TunnelParameters: Hashable, Sendable, Codable {
  public var local: IPAddress?
  public var remote: IPAddress?
  public var lower: Int32?
  public var ttl: UInt8
  public var pathMTUDiscovery: Bool
  public var inputKey: UInt32?
  public var outputKey: UInt32?
  public var external: Bool

  public init(
    local: IPAddress? = nil, remote: IPAddress? = nil, lower: Int32? = nil, ttl: UInt8 = 0,
    pathMTUDiscovery: Bool = true, inputKey: UInt32? = nil, outputKey: UInt32? = nil, external: Bool = false
  ) {
    self.local = local
    self.remote = remote
    self.lower = lower
    self.ttl = ttl
    self.pathMTUDiscovery = pathMTUDiscovery
    self.inputKey = inputKey
    self.outputKey = outputKey
    self.external = external
  }
}

public struct MACVLANParameters: Hashable, Sendable, Codable {
  public enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
    case `private`, vepa, bridge, passthru, source
  }

  public var mode: Mode
  /// MACVLAN_FLAG_NOPROMISC and MACVLAN_FLAG_NODST.
  public var flags: UInt16
  /// Mode source: from whom frames are taken.
  public var sources: [MACAddress] = []

  public init(mode: Mode, flags: UInt16 = 0) {
    self.mode = mode
    self.flags = flags
  }
}

public struct IPVLANParameters: Hashable, Sendable, Codable {
  public enum Mode: String, Hashable, Sendable, Codable, CaseIterable { case l2, l3, l3s }

  public var mode: Mode
  public var isPrivate: Bool
  public var isVEPA: Bool

  public init(mode: Mode, isPrivate: Bool = false, isVEPA: Bool = false) {
    self.mode = mode
    self.isPrivate = isPrivate
    self.isVEPA = isVEPA
  }
}

public struct BondParameters: Hashable, Sendable, Codable {
  /// bonding.rst: 0 balance-rr, 1 active-backup, 2 balance-xor, 3 broadcast, 4 802.3ad, 5 balance-tlb, 6 balance-alb.
  public var mode: UInt8
  public var activePort: Int32?

  public init(mode: UInt8, activePort: Int32? = nil) {
    self.mode = mode
    self.activePort = activePort
  }
}

public struct TUNParameters: Hashable, Sendable, Codable {
  /// Layer 2 (tap) or 3 (tun).
  public var isTap: Bool
  public var isPersistent: Bool

  public init(isTap: Bool, isPersistent: Bool) {
    self.isTap = isTap
    self.isPersistent = isPersistent
  }
}

public struct WireGuardParameters: Hashable, Sendable, Codable {
  public struct Peer: Hashable, Sendable, Codable {
    /// Base64, as wg(8) prints it. Public keys only.
    public var publicKey: String
    public var endpoint: IPAddress?
    public var endpointPort: UInt16?
    public var allowed: [IPPrefix]

    public init(publicKey: String, endpoint: IPAddress?, endpointPort: UInt16?, allowed: [IPPrefix]) {
      self.publicKey = publicKey
      self.endpoint = endpoint
      self.endpointPort = endpointPort
      self.allowed = allowed
    }
  }

  public var listenPort: UInt16
  public var peers: [Peer]

  public init(listenPort: UInt16, peers: [Peer]) {
    self.listenPort = listenPort
    self.peers = peers
  }
}
