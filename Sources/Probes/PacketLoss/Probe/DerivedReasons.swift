/// The drop reason that a newer kernel would give, from the stack, for kernels before 5.17, which give none.
///
/// Only the innermost frame counts that neither frees packets for others nor passes them on: an outer frame says
/// where the packet came from, not why it was freed (a driver's drop happens below `ip_finish_output` too).
///
/// Left out as guesses: `tcp_v4_rcv`, `tcp_v6_rcv` (a segment without a socket and one that TIME-WAIT processed are
/// freed at the same place), `tcp_v4_do_rcv`, `ip_rcv_core` (other host's frame or bad header), `ip_rcv_finish_core`
/// (reverse path, martian or unjoined multicast), `ip_forward`, `ip6_forward`, `ip_finish_output2`,
/// `ip6_finish_output2`, `__neigh_event_send` (queue full, failed, dead), `__dev_queue_xmit` (queue or tc),
/// `__netif_receive_skb_core` (tc or no handler), `icmp_rcv`, `raw_rcv`, tun, veth and VXLAN.
public enum DerivedReasons {
  public static let table: [(function: String, reason: String)] = [
    // net/netfilter/core.c, 5.10, 5.15: its one free, on NF_DROP.
    ("nf_hook_slow", "NETFILTER_DROP"),
    // net/ipv4/udp.c, 5.10, 5.15: after the lookup failed; short packets, wrong checksums and IPsec policy end here
    // too but are rare.
    ("__udp4_lib_rcv", "NO_SOCKET"),
    // net/ipv6/udp.c, 5.10, 5.15: as for IPv4.
    ("__udp6_lib_rcv", "NO_SOCKET"),
    // net/ipv4/udp.c, 5.10, 5.15: queueing failed, for the receive buffer or (rarely) udp_mem.
    ("__udp_queue_rcv_skb", "SOCKET_RCVBUFF"),
    // net/ipv6/udp.c, 5.10, 5.15: as for IPv4.
    ("__udpv6_queue_rcv_skb", "SOCKET_RCVBUFF"),
    // net/ipv4/udp.c, 5.10, 5.15: __udp_queue_rcv_skb is usually inlined here; a socket filter or a wrong checksum is
    // rarer.
    ("udp_queue_rcv_one_skb", "SOCKET_RCVBUFF"),
    // net/ipv6/udp.c, 5.10, 5.15: as for IPv4.
    ("udpv6_queue_rcv_one_skb", "SOCKET_RCVBUFF"),
    // net/ipv4/ping.c, 5.10, 5.15: its one free, after queueing failed.
    ("ping_queue_rcv_skb", "SOCKET_RCVBUFF"),
    // net/ipv4/route.c, 5.10, 5.15: a route that says unreachable; without forwarding 6.x says IP_INADDRERRORS for
    // some of them.
    ("ip_error", "IP_INNOROUTES"),
    // net/ipv6/route.c, 5.10, 5.15: the null route's input side (ip6_pkt_drop is inlined or transparent).
    ("ip6_pkt_discard", "IP_INNOROUTES"),
    // net/ipv6/route.c, 5.10, 5.15: the null route's output side.
    ("ip6_pkt_discard_out", "IP_OUTNOROUTES"),
    // net/ipv4/ip_output.c, 5.10, 5.15: its one free, label no_route.
    ("__ip_queue_xmit", "IP_OUTNOROUTES"),
    // net/ipv4/ip_input.c, 5.10, 5.15: no handler for the protocol; IPsec policy ends here too, on nodes that use
    // IPsec.
    ("ip_protocol_deliver_rcu", "IP_NOPROTO"),
    // net/ipv4/ip_output.c, 5.10, 5.15: its one free, after the cgroup program refused.
    ("ip_finish_output", "BPF_CGROUP_EGRESS"),
    // net/ipv6/ip6_output.c, 5.10, 5.15: as for IPv4.
    ("ip6_finish_output", "BPF_CGROUP_EGRESS"),
    // net/ipv6/ip6_output.c, 5.10, 5.15: its one free, for disable_ipv6.
    ("ip6_output", "IPV6DISABLED"),
    // net/ipv4/arp.c, 5.10, 5.15: its one free, when ARP got no answer.
    ("arp_error_report", "NEIGH_FAILED"),
    // net/ipv6/ndisc.c, 5.10, 5.15: its one free, when neighbour discovery got no answer.
    ("ndisc_error_report", "NEIGH_FAILED"),
    // net/core/neighbour.c, 5.10, 5.15: the error report's free is a tail call there, and the rest of the queue (6.18:
    // same, measured).
    ("neigh_invalidate", "NEIGH_FAILED"),
    // net/core/dev.c, 5.10, 5.15: queue full or flow limit; a device going down ends here too.
    ("enqueue_to_backlog", "CPU_BACKLOG"),
    // net/core/dev.c, 5.10, 5.15: its one free, label xdp_drop.
    ("netif_receive_generic_xdp", "XDP"),
    // net/core/dev.c, 5.10, 5.15: the same inlined, or a failed redirect, for which 6.x says XDP as well.
    ("do_xdp_generic", "XDP"),
    // net/ipv4/ip_fragment.c, 5.10, 5.15: the first fragment, after the timeout; the others come through the
    // transparent frames.
    ("ip_expire", "FRAG_REASM_TIMEOUT"),
    // include/net/ipv6_frag.h, 5.10, 5.15: as for IPv4, when not inlined.
    ("ip6frag_expire_frag_queue", "FRAG_REASM_TIMEOUT"),
    // net/ipv6/reassembly.c, 5.10, 5.15: as for IPv4.
    ("ip6_frag_expire", "FRAG_REASM_TIMEOUT"),
  ]

  /// The reason for a stack of symbol names, innermost first. Offsets (`+0x1c1/0x1570`) and compiler suffixes
  /// (`.constprop.0`, `.isra.0`, `.part.0`, `.cold`) are ignored.
  public static func reason(forFrames functions: some Sequence<Substring>) -> String? {
    for frame in functions {
      let name = bare(frame)
      if transparent.contains(name) { continue }
      return byFunction[name]
    }
    return nil
  }

  /// The function's name without offset and without compiler suffix; kernel functions have no dot in their names.
  static func bare(_ frame: Substring) -> Substring {
    frame.prefix { $0 != "." && $0 != "+" && $0 != " " }
  }

  private static let byFunction: [Substring: String] = Dictionary(
    table.map { (Substring($0.function), $0.reason) }, uniquingKeysWith: { first, _ in first })

  /// Frames that free a packet on behalf of the next outer one.
  private static let transparent: Set<Substring> = [
    // net/core/skbuff.c, net/core/dev.c
    "kfree_skb", "__kfree_skb", "kfree_skb_reason", "__kfree_skb_reason", "sk_skb_reason_drop", "kfree_skbmem",
    "kfree_skb_list", "kfree_skb_list_reason", "kfree_skb_partial", "skb_release_data", "skb_release_all",
    "skb_release_head_state", "skb_queue_purge", "skb_rbtree_purge", "skb_tx_error", "__dev_kfree_skb_any",
    "dev_kfree_skb_any_reason", "trace_kfree_skb", "__traceiter_kfree_skb", "__bpf_trace_kfree_skb",
    // net/ipv4/tcp_input.c
    "tcp_drop", "tcp_drop_reason",
    // net/ipv6/route.c
    "ip6_pkt_drop",
    // net/ipv4/inet_fragment.c
    "inet_frag_rbtree_purge", "inet_frag_destroy", "inet_frag_put", "ipq_put",
  ]
}
