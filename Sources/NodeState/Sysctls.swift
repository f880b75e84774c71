import Glibc
import LinuxSystem
import NetModel

/// The settings of the namespace that the calling thread is in: /proc/sys/net shows those of whoever opens its files.
struct Sysctls {
  var values: [String: String] = [:]
  var ipv4All: IPv4Conf?
  var ipv6All: IPv6Conf?

  /// What is kept by name in a snapshot. Those that a kernel lacks are left out.
  static let names = [
    "net.core.somaxconn",
    "net.ipv4.fib_multipath_hash_fields", "net.ipv4.fib_multipath_hash_policy", "net.ipv4.fib_multipath_use_neigh",
    "net.ipv4.fwmark_reflect", "net.ipv4.icmp_echo_ignore_all", "net.ipv4.icmp_echo_ignore_broadcasts",
    "net.ipv4.icmp_errors_use_inbound_ifaddr", "net.ipv4.icmp_ignore_bogus_error_responses",
    "net.ipv4.icmp_msgs_burst", "net.ipv4.icmp_msgs_per_sec",
    "net.ipv4.icmp_ratelimit", "net.ipv4.icmp_ratemask", "net.ipv4.ip_default_ttl", "net.ipv4.ip_early_demux",
    "net.ipv4.ip_forward", "net.ipv4.ip_forward_use_pmtu", "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_no_pmtu_disc", "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.raw_l3mdev_accept",
    "net.ipv4.route.min_pmtu", "net.ipv4.tcp_fwmark_accept", "net.ipv4.tcp_l3mdev_accept",
    "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_syncookies", "net.ipv4.udp_l3mdev_accept",
    "net.ipv4.neigh.default.retrans_time_ms", "net.ipv4.neigh.default.ucast_solicit",
    "net.ipv4.neigh.default.mcast_solicit", "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv6.bindv6only", "net.ipv6.conf.default.disable_ipv6", "net.ipv6.fib_multipath_hash_fields",
    "net.ipv6.fib_multipath_hash_policy", "net.ipv6.flowlabel_reflect",
    "net.ipv6.fwmark_reflect", "net.ipv6.icmp.echo_ignore_all", "net.ipv6.icmp.echo_ignore_anycast",
    "net.ipv6.icmp.echo_ignore_multicast", "net.ipv6.icmp.error_anycast_as_unicast", "net.ipv6.icmp.ratelimit",
    "net.ipv6.icmp.ratemask", "net.ipv6.ip_nonlocal_bind", "net.ipv6.route.min_adv_mss",
    "net.ipv6.neigh.default.gc_thresh3",
    "net.bridge.bridge-nf-call-arptables", "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-filter-pppoe-tagged",
    "net.bridge.bridge-nf-filter-vlan-tagged", "net.bridge.bridge-nf-pass-vlan-input-dev",
    "net.netfilter.nf_conntrack_tcp_be_liberal", "net.netfilter.nf_conntrack_tcp_loose",
    "net.netfilter.nf_conntrack_checksum", "net.netfilter.nf_conntrack_max",
  ]

  static func read(_ gaps: inout Gaps) -> Sysctls {
    var result = Sysctls()
    for name in names {
      if let text = value(name, &gaps) { result.values[name] = text }
    }
    if Files.exists("/proc/sys/net/ipv4/conf/all") {
      var conf = IPv4Conf()
      for setting in IPv4Conf.settings {
        conf[keyPath: setting.path] = value("net.ipv4.conf.all.\(setting.name)", &gaps).flatMap { Int32($0) } ?? 0
      }
      result.ipv4All = conf
    }
    if Files.exists("/proc/sys/net/ipv6/conf/all") {
      var conf = IPv6Conf()
      for setting in IPv6Conf.settings {
        conf[keyPath: setting.path] = value("net.ipv6.conf.all.\(setting.name)", &gaps).flatMap { Int32($0) } ?? 0
      }
      result.ipv6All = conf
    }
    return result
  }

  /// One setting without the line's end, read in a small piece, as there are a hundred of them in every namespace; fields are separated by one blank. Nil when the kernel has no such setting.
  private static func value(_ name: String, _ gaps: inout Gaps) -> String? {
    let path = "/proc/sys/" + name.split(separator: ".").joined(separator: "/")
    do {
      return String(
        decoding: try Files.bytes(path, chunk: 8192).map { $0 == UInt8(ascii: "\t") ? UInt8(ascii: " ") : $0 }
          .filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    } catch {
      if let error = error as? SystemError, error.errno == ENOENT { return nil }
      gaps.add("\(error)")
      return nil
    }
  }

  /// Nil where connection tracking does not exist.
  static func conntrack() throws -> ConntrackCounts? {
    let folder = "/proc/sys/net/netfilter"
    guard Files.exists("\(folder)/nf_conntrack_count") else { return nil }
    func number(_ name: String) throws -> UInt64 {
      let text = try Files.text("\(folder)/\(name)").filter(\.isNumber)
      return UInt64(text) ?? 0
    }
    return ConntrackCounts(
      entries: try number("nf_conntrack_count"), maximum: try number("nf_conntrack_max"))
  }
}
