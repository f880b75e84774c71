/// A way in which the kernel frees a packet through `kfree_skb` though nothing was lost.
///
/// A row matches when its reason, its function and its condition hold. A nil reason or function matches any;
/// an empty reason matches only kernels that give none (before 5.17).
public struct NormalDrop: Sendable {
  /// The kernel's name without `SKB_DROP_REASON_`; "" for a kernel that gives no reason; nil for any.
  public var reason: String?

  /// The function that contains the return address (`location`), without suffixes such as `.constprop.0`.
  public var function: String?

  public var condition: Condition

  /// Why this is not loss, in one sentence.
  public var why: String

  public enum Condition: UInt32, Sendable {
    case always = 0

    /// The frame's protocol is neither IPv4 nor IPv6, nor a wrapping that may carry them (VLAN, MPLS, PPPoE).
    /// ARP counts as not IP: no row with this condition can hit an ARP frame that somebody waits for.
    case notIP = 1

    /// A message of AF_UNIX, AF_NETLINK, AF_VSOCK and the like: no packet at all. Never set for AF_PACKET:
    /// frames *sent* through packet sockets (DHCP, VRRP, virtual machines) can be lost like any other.
    case notNetwork = 2

    /// A TCP segment with FIN or RST, without SYN and without payload.
    case bareFinOrReset = 3
  }

  public init(reason: String?, function: String?, condition: Condition, why: String) {
    self.reason = reason
    self.function = function
    self.condition = condition
    self.why = why
  }
}

/// The documented table of normal frees. Its rule: what may be loss is left out, however noisy.
///
/// "Measured" means seen with this reason and function on Linux 6.18 (x86-64); the rest is from knowledge of the
/// kernel and only partly checked against its source.
public enum NormalDrops {
  public static let table: [NormalDrop] = [
    // --- No network packet at all
    // Any free: net/unix/af_unix.c, net/netlink/af_netlink.c, net/vmw_vsock. Never set for AF_PACKET (see Condition).
    NormalDrop(
      reason: nil, function: nil, condition: .notNetwork,
      why: "A message of a local socket (Unix, netlink, vsock) is no network packet."
    ),
    // net/unix/af_unix.c unix_release_sock, all versions; reason SOCKET_CLOSE on 6.18 (measured).
    NormalDrop(
      reason: nil, function: "unix_release_sock", condition: .always,
      why: "Unread messages of a Unix socket are discarded when it closes."
    ),
    // net/unix/af_unix.c, the only user of this reason up to 6.18.
    NormalDrop(
      reason: "SOCKET_CLOSE", function: nil, condition: .always,
      why: "Unread messages of a Unix socket are discarded when it closes."
    ),
    // net/unix/af_unix.c unix_dgram_disconnected, 6.14 on.
    NormalDrop(
      reason: "UNIX_DISCONNECT", function: nil, condition: .always,
      why: "A Unix datagram socket changed its peer and drops the old one's messages."
    ),
    // net/unix/af_unix.c manage_oob, 6.14 on.
    NormalDrop(
      reason: "UNIX_SKIP_OOB", function: nil, condition: .always,
      why: "The reader of a Unix stream skipped an out-of-band byte."
    ),
    // --- A socket ends: what nobody read any more
    // net/core/stream.c, 5.10 to 6.18: frees queues only; at nearly every close on 6.18 (measured).
    NormalDrop(
      reason: nil, function: "sk_stream_kill_queues", condition: .always,
      why: "A closed TCP socket releases what is left in its receive queue, often only the FIN."
    ),
    // net/ipv4/af_inet.c, 5.10 to 6.18: frees the receive and the error queue only (measured).
    NormalDrop(
      reason: nil, function: "inet_sock_destruct", condition: .always,
      why: "A closed socket releases unread data and its error queue."
    ),
    // net/ipv4/udp.c, 6.0 to 6.18: NOT_SPECIFIED on 6.18 (measured).
    NormalDrop(
      reason: nil, function: "udp_destruct_common", condition: .always,
      why: "A closed UDP socket releases datagrams that nobody read."
    ),
    // net/ipv4/udp.c, 5.10 and 5.15, and later where udp_destruct_common is inlined.
    NormalDrop(
      reason: nil, function: "udp_destruct_sock", condition: .always,
      why: "A closed UDP socket releases datagrams that nobody read."
    ),
    // net/ipv4/tcp.c: the receive queue only, called by inet_csk_listen_stop (measured on 6.18).
    NormalDrop(
      reason: nil, function: "tcp_disconnect", condition: .always,
      why: "A connection that was never accepted ends with its listener, together with its unread data."
    ),
    // net/core/skbuff.c, 5.10 to 6.18: callers are TCP and MPTCP at socket end; qdiscs and fragments have their own.
    NormalDrop(
      reason: nil, function: "skb_rbtree_purge", condition: .always,
      why: "A closed TCP socket releases data it held out of order."
    ),
    // net/core/skbuff.c, 6.7 on: copies for the error queue, no packets under way.
    NormalDrop(
      reason: nil, function: "skb_errqueue_purge", condition: .always,
      why: "A closed socket releases its error queue (ICMP errors, send timestamps)."
    ),
    // net/core/skbuff.c up to 6.5. Queues with packets under way (neighbour, WireGuard, qdisc) are purged inline.
    NormalDrop(
      reason: nil, function: "skb_queue_purge", condition: .always,
      why: "A queue is released as a whole, as at the end of a netlink, packet, raw or vsock socket."
    ),
    // net/core/skbuff.c, 6.6 on. Not QUEUE_PURGE everywhere: neigh_destroy gives it too, and that is loss (measured).
    NormalDrop(
      reason: "QUEUE_PURGE", function: "skb_queue_purge_reason", condition: .always,
      why: "A queue is released as a whole, as at the end of a netlink, packet, raw or vsock socket."
    ),
    // net/core/skbuff.c, where a stable 6.6 passes no better reason.
    NormalDrop(
      reason: "NOT_SPECIFIED", function: "skb_queue_purge_reason", condition: .always,
      why: "A queue is released as a whole, as at the end of a netlink, packet, raw or vsock socket."
    ),
    // --- TCP segments that were processed, or whose bytes are all there
    // net/ipv4/tcp_input.c, 5.18 to 6.18: not queued means a pure ACK in CLOSE-WAIT, CLOSING, LAST-ACK (measured).
    NormalDrop(
      reason: "NOT_SPECIFIED", function: "tcp_rcv_state_process", condition: .always,
      why: "An acknowledgement was processed in full after the peer had sent its FIN."
    ),
    // net/ipv4/tcp_input.c, where it is no tail call (arm64); its other callers name a reason.
    NormalDrop(
      reason: "NOT_SPECIFIED", function: "tcp_drop_reason", condition: .always,
      why: "An acknowledgement was processed in full after the peer had sent its FIN."
    ),
    // net/ipv4/tcp_ipv4.c, 5.18 to 6.18: TCP_TW_SUCCESS and TCP_TW_ACK end at discard_it (measured).
    NormalDrop(
      reason: "NOT_SPECIFIED", function: "tcp_v4_rcv", condition: .bareFinOrReset,
      why: "The peer's FIN or reset was processed by a connection in TIME-WAIT or FIN-WAIT-2."
    ),
    // net/ipv6/tcp_ipv6.c, 5.18 to 6.18, as for IPv4.
    NormalDrop(
      reason: "NOT_SPECIFIED", function: "tcp_v6_rcv", condition: .bareFinOrReset,
      why: "The peer's FIN or reset was processed by a connection in TIME-WAIT or FIN-WAIT-2."
    ),
    // net/ipv4/tcp_input.c tcp_sequence, 6.3 on: ends before rcv_wup; each keep-alive probe (measured).
    NormalDrop(
      reason: "TCP_OLD_SEQUENCE", function: nil, condition: .always,
      why: "A duplicate or a keep-alive probe: every byte was received before, and it is answered."
    ),
    // net/ipv4/tcp_input.c tcp_data_queue, 5.18 on: end_seq not after rcv_nxt.
    NormalDrop(
      reason: "TCP_OLD_DATA", function: nil, condition: .always,
      why: "A duplicate: every byte was received before."
    ),
    // net/ipv4/tcp_input.c tcp_data_queue_ofo, 5.18 on.
    NormalDrop(
      reason: "TCP_OFOMERGE", function: nil, condition: .always,
      why: "A duplicate: every byte waits in the out-of-order queue."
    ),
    // net/ipv4/tcp_input.c tcp_ofo_queue, 5.18 on. (TCP_OFO_QUEUE_PRUNE is loss.)
    NormalDrop(
      reason: "TCP_OFO_DROP", function: nil, condition: .always,
      why: "A segment held out of order is covered by what has arrived meanwhile."
    ),
    // net/ipv4/tcp_input.c tcp_validate_incoming, 6.14 on: carries no data.
    NormalDrop(
      reason: "TCP_RFC7323_PAWS_ACK", function: nil, condition: .always,
      why: "A pure acknowledgement was overtaken by a newer one."
    ),
    // --- Frames for others
    // net/ipv4/ip_input.c ip_rcv_core, net/ipv6/ip6_input.c, 5.18 on; kept out of rx_dropped by Linux itself.
    NormalDrop(
      reason: "OTHERHOST", function: nil, condition: .always,
      why: "The frame is addressed to another MAC: flooded by a bridge or seen in promiscuous mode."
    ),
    // net/ipv6/ip6_input.c, 5.10 to 6.18: the discard branch; the commonest free on a bridge with IPv6 (measured).
    NormalDrop(
      reason: nil, function: "ip6_mc_input", condition: .always,
      why: "An IPv6 multicast to a group that nobody on this interface joined."
    ),
    // net/ipv6/ndisc.c ndisc_recv_ns, 6.4 on; ARP consumes the like silently.
    NormalDrop(
      reason: "IPV6_NDISC_NS_OTHERHOST", function: nil, condition: .always,
      why: "A neighbour solicitation for another host's address."
    ),
    // net/core/dev.c __netif_receive_skb_core, 5.19 on (measured).
    NormalDrop(
      reason: "UNHANDLED_PROTO", function: nil, condition: .notIP,
      why: "A link-layer protocol that the host does not speak, such as LLDP."
    ),
    // net/core/dev.c __netif_receive_skb_core, the name during 5.18.
    NormalDrop(
      reason: "PTYPE_ABSENT", function: nil, condition: .notIP,
      why: "A link-layer protocol that the host does not speak, such as LLDP."
    ),
    // net/core/dev.c, 5.10 to 5.16: no handler; a tc drop of such a frame looks alike. ARP: see Condition.
    NormalDrop(
      reason: "", function: "__netif_receive_skb_core", condition: .notIP,
      why: "A link-layer protocol that the host does not speak, such as LLDP."
    ),
    // net/bridge/br_input.c br_handle_frame, 6.14 on (measured).
    NormalDrop(
      reason: "MAC_IEEE_MAC_CONTROL", function: nil, condition: .notIP,
      why: "A pause frame, which a bridge must not forward."
    ),
    // net/802/stp.c, 5.10 to 6.18: its only free (measured).
    NormalDrop(
      reason: nil, function: "stp_pdu_rcv", condition: .notIP,
      why: "A spanning tree frame that reached an interface which takes no part."
    ),
    // net/bridge/br_stp_bpdu.c, 5.10 to 6.18: every path ends in the free.
    NormalDrop(
      reason: nil, function: "br_stp_rcv", condition: .notIP,
      why: "A spanning tree frame, freed after it was processed."
    ),
    // net/llc/llc_input.c, 5.10 to 6.18: no IP in it, and pods' namespaces take none.
    NormalDrop(reason: nil, function: "llc_rcv", condition: .notIP, why: "An 802.2 frame for which there is no user."),
    // --- Copies, and the rest of a packet counted elsewhere
    // net/packet/af_packet.c packet_rcv, tpacket_rcv, 6.7 on (measured).
    NormalDrop(
      reason: "PACKET_SOCK_ERROR", function: nil, condition: .always,
      why: "A sniffer's copy did not fit its buffer; the packet itself went on."
    ),
    // net/packet/af_packet.c, 5.10 to 6.18: frees the socket's own reference or clone only.
    NormalDrop(
      reason: nil, function: "packet_rcv", condition: .always,
      why: "A sniffer's copy did not fit its buffer; the packet itself went on."
    ),
    // net/packet/af_packet.c, 5.10 to 6.18, as packet_rcv.
    NormalDrop(
      reason: nil, function: "tpacket_rcv", condition: .always,
      why: "A sniffer's copy did not fit its buffer; the packet itself went on."
    ),
    // net/packet/af_packet.c, 5.10 to 6.18, as packet_rcv.
    NormalDrop(
      reason: nil, function: "packet_rcv_spkt", condition: .always,
      why: "A sniffer's copy did not fit its buffer; the packet itself went on."
    ),
    // net/core/skbuff.c, 5.10 to 6.1: frag_list, also of packets consumed normally, where kfree_skb_list is inlined.
    NormalDrop(
      reason: nil, function: "skb_release_data", condition: .always,
      why: "A part of a larger packet is freed with it; were the whole dropped, it has its own event."
    ),
    // --- ICMP that was processed
    // net/ipv4/ping.c, 6.10 on (measured on 6.18): always so with a ping that uses raw sockets.
    NormalDrop(
      reason: "NO_SOCKET", function: "ping_rcv", condition: .always,
      why: "An echo reply for which no ping socket waits; raw sockets got their copies before."
    ),
    // net/ipv4/icmp.c before that: only ping_rcv among its handlers answers NO_SOCKET.
    NormalDrop(
      reason: "NO_SOCKET", function: "icmp_rcv", condition: .always,
      why: "An echo reply for which no ping socket waits; raw sockets got their copies before."
    ),
    // net/ipv6/icmp.c before that, 5.19 on.
    NormalDrop(
      reason: "NO_SOCKET", function: "icmpv6_rcv", condition: .always,
      why: "An echo reply for which no ping socket waits; raw sockets got their copies before."
    ),
    // net/ipv6/icmp.c, 5.17 to 6.2 all of them, later what hosts ignore (MLDv2 reports). A wrong checksum: ICMP_CSUM.
    NormalDrop(
      reason: "NOT_SPECIFIED", function: "icmpv6_rcv", condition: .always,
      why: "An ICMPv6 message, such as neighbour discovery, freed after it was processed."
    ),
    // net/ipv6/icmp.c, 5.10 and 5.15: also wrong checksums, which are few (Icmp6InCsumErrors counts them).
    NormalDrop(
      reason: "", function: "icmpv6_rcv", condition: .always,
      why: "An ICMPv6 message, such as neighbour discovery or an answered echo, freed after it was processed."
    ),
  ]
}
