public import NetTypes

/// A socket (sock_diag(7)); raw sockets from /proc/net/raw and raw6.
public struct SocketEntry: Hashable, Sendable, Codable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable { case tcp, udp, raw }

  public var kind: Kind
  public var family: IPAddress.Family
  public var local: IPAddress
  /// For a raw socket the IP protocol.
  public var localPort: UInt16
  public var remote: IPAddress
  public var remotePort: UInt16
  /// As `TCPState` names it; an unconnected UDP socket is CLOSE.
  public var state: String
  /// Its interface when it is bound to one.
  public var boundInterface: Int32?
  /// An IPv6 socket that takes no IPv4; nil when the kernel did not say.
  public var isV6Only: Bool?
  public var uid: UInt32
  public var inode: UInt64
  public var mark: UInt32?
  /// A listener: connections that wait for accept(2), and how many may. Else bytes.
  public var receiveQueue: UInt32
  public var sendQueue: UInt32
  public var cookie: UInt64?

  public init(
    kind: Kind, family: IPAddress.Family, local: IPAddress, localPort: UInt16, remote: IPAddress,
    remotePort: UInt16 = 0,
    state: String, uid: UInt32 = 0, inode: UInt64 = 0
  ) {
    self.kind = kind
    self.family = family
    self.local = local
    self.localPort = localPort
    self.remote = remote
    self.remotePort = remotePort
    self.state = state
    self.uid = uid
    self.inode = inode
    receiveQueue = 0
    sendQueue = 0
  }

  public var isListener: Bool { kind == .tcp && state == "LISTEN" }
}

/// The IPv4 settings of one interface, or of `all` (IPV4_DEVCONF_… in linux/ip.h; Documentation/networking/ip-sysctl.rst).
public struct IPv4Conf: Hashable, Sendable, Codable {
  public var forwarding: Int32 = 0
  public var rpFilter: Int32 = 0
  public var acceptLocal: Int32 = 0
  public var routeLocalnet: Int32 = 0
  public var sendRedirects: Int32 = 1
  public var acceptRedirects: Int32 = 1
  public var sharedMedia: Int32 = 1
  public var proxyARP: Int32 = 0
  public var proxyARPPVLAN: Int32 = 0
  public var mediumID: Int32 = 0
  public var arpFilter: Int32 = 0
  public var arpAnnounce: Int32 = 0
  public var arpIgnore: Int32 = 0
  public var arpAccept: Int32 = 0
  public var srcValidMark: Int32 = 0
  public var ignoreRoutesWithLinkdown: Int32 = 0
  public var broadcastForwarding: Int32 = 0
  public var multicastForwarding: Int32 = 0
  public var disablePolicy: Int32 = 0
  public var disableXfrm: Int32 = 0
  public var dropUnicastInL2Multicast: Int32 = 0

  public init() {}
}

/// The IPv6 settings of one interface, or of `all` (DEVCONF_… in linux/ipv6.h).
public struct IPv6Conf: Hashable, Sendable, Codable {
  public var forwarding: Int32 = 0
  public var disabled: Int32 = 0
  public var hopLimit: Int32 = 64
  /// Bytes.
  public var mtu: Int32 = 1500
  public var acceptRA: Int32 = 1
  public var acceptRedirects: Int32 = 1
  public var acceptDAD: Int32 = 1
  public var proxyNDP: Int32 = 0
  public var useTempAddresses: Int32 = 0
  public var ignoreRoutesWithLinkdown: Int32 = 0
  public var useOIFAddressesOnly: Int32 = 0
  public var forceForwarding: Int32 = 0
  public var dropUnicastInL2Multicast: Int32 = 0
  public var seg6Enabled: Int32 = 0
  public var rplSegEnabled: Int32 = 0
  public var ioam6Enabled: Int32 = 0
  public var acceptSourceRoute: Int32 = 0
  public var useOptimistic: Int32 = 0

  public init() {}
}

/// A queueing discipline at the root of an interface, or its ingress hook (RTM_NEWQDISC).
public struct Qdisc: Hashable, Sendable, Codable {
  public var interface: Int32
  /// TCA_KIND: noqueue, fq_codel, netem, tbf, clsact, ingress, …
  public var kind: String
  public var handle: UInt32
  public var parent: UInt32

  public init(interface: Int32, kind: String, handle: UInt32, parent: UInt32) {
    self.interface = interface
    self.kind = kind
    self.handle = handle
    self.parent = parent
  }
}

/// A tc(8) filter (RTM_NEWTFILTER).
public struct TrafficFilter: Hashable, Sendable, Codable {
  public enum Hook: String, Hashable, Sendable, Codable, CaseIterable { case ingress, egress, qdisc }

  public var interface: Int32
  public var hook: Hook
  /// TCA_KIND: bpf, flower, u32, matchall, …
  public var kind: String
  public var priority: UInt16
  /// The program of a `bpf` filter.
  public var program: AttachedProgram?

  public init(interface: Int32, hook: Hook, kind: String, priority: UInt16, program: AttachedProgram? = nil) {
    self.interface = interface
    self.hook = hook
    self.kind = kind
    self.priority = priority
    self.program = program
  }
}
