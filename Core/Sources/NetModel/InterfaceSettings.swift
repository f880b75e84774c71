/// A setting of an interface: how the kernel numbers it, what sysctl(8) calls it, and where it is kept here.
public struct InterfaceSetting<Conf>: Sendable {
  /// IPV4_DEVCONF_… in linux/ip.h (from 1), or DEVCONF_… in linux/ipv6.h (from 0), Linux 6.18.
  public let number: Int
  /// The file's name in /proc/sys/net/ipv4/conf/INTERFACE or /proc/sys/net/ipv6/conf/INTERFACE.
  public let name: String
  public let path: any WritableKeyPath<Conf, Int32> & Sendable

  init(_ number: Int, _ name: String, _ path: any WritableKeyPath<Conf, Int32> & Sendable) {
    self.number = number
    self.name = name
    self.path = path
  }
}

extension IPv4Conf {
  public static let settings: [InterfaceSetting<IPv4Conf>] = [
    .init(1, "forwarding", \.forwarding),
    .init(2, "mc_forwarding", \.multicastForwarding),
    .init(3, "proxy_arp", \.proxyARP),
    .init(4, "accept_redirects", \.acceptRedirects),
    .init(6, "send_redirects", \.sendRedirects),
    .init(7, "shared_media", \.sharedMedia),
    .init(8, "rp_filter", \.rpFilter),
    .init(13, "arp_filter", \.arpFilter),
    .init(14, "medium_id", \.mediumID),
    .init(15, "disable_xfrm", \.disableXfrm),
    .init(16, "disable_policy", \.disablePolicy),
    .init(18, "arp_announce", \.arpAnnounce),
    .init(19, "arp_ignore", \.arpIgnore),
    .init(21, "arp_accept", \.arpAccept),
    .init(23, "accept_local", \.acceptLocal),
    .init(24, "src_valid_mark", \.srcValidMark),
    .init(25, "proxy_arp_pvlan", \.proxyARPPVLAN),
    .init(26, "route_localnet", \.routeLocalnet),
    .init(29, "ignore_routes_with_linkdown", \.ignoreRoutesWithLinkdown),
    .init(30, "drop_unicast_in_l2_multicast", \.dropUnicastInL2Multicast),
    .init(32, "bc_forwarding", \.broadcastForwarding),
  ]
}

extension IPv6Conf {
  public static let settings: [InterfaceSetting<IPv6Conf>] = [
    .init(0, "forwarding", \.forwarding),
    .init(1, "hop_limit", \.hopLimit),
    .init(2, "mtu", \.mtu),
    .init(3, "accept_ra", \.acceptRA),
    .init(4, "accept_redirects", \.acceptRedirects),
    .init(10, "use_tempaddr", \.useTempAddresses),
    .init(22, "proxy_ndp", \.proxyNDP),
    .init(24, "accept_source_route", \.acceptSourceRoute),
    .init(26, "disable_ipv6", \.disabled),
    .init(27, "accept_dad", \.acceptDAD),
    .init(34, "use_optimistic", \.useOptimistic),
    .init(37, "use_oif_addrs_only", \.useOIFAddressesOnly),
    .init(39, "ignore_routes_with_linkdown", \.ignoreRoutesWithLinkdown),
    .init(40, "drop_unicast_in_l2_multicast", \.dropUnicastInL2Multicast),
    .init(44, "seg6_enabled", \.seg6Enabled),
    .init(51, "rpl_seg_enabled", \.rplSegEnabled),
    .init(53, "ioam6_enabled", \.ioam6Enabled),
    .init(59, "force_forwarding", \.forceForwarding),
  ]
}
