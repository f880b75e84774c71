/// What the kernel's drop reasons mean, one sentence each, for whoever is on call.
///
/// Names are the kernel's (`include/net/dropreason-core.h`, 5.17 to 6.18 and some newer), old names kept.
/// Open vSwitch's and mac80211's reasons keep their full names.
public enum DropReasonTexts {
  /// The explanation of a reason, by the kernel's name without `SKB_DROP_REASON_`.
  public static func explanation(of reason: String) -> String? {
    byReason[reason]
  }

  private static let byReason = Dictionary(
    table.map { ($0.reason, $0.text) }, uniquingKeysWith: { first, _ in first })

  public static let table: [(reason: String, text: String)] = [
    // Generic
    (
      "NOT_SPECIFIED",
      """
      The kernel code that freed the packet names no reason; the freeing function and the stack are the only clue.
      """
    ),
    (
      "NO_SOCKET",
      """
      No socket listens on the destination port (or the connection is gone); TCP answers with a reset, UDP with an \
      ICMP port unreachable.
      """
    ),
    ("SOCKET_CLOSE", "The socket was closed while data was still queued in it; nobody was left to read it."),
    (
      "SOCKET_FILTER",
      """
      A filter attached to the receiving socket (SO_ATTACH_FILTER, SO_ATTACH_BPF or a cgroup ingress program) \
      rejected the packet.
      """
    ),
    (
      "SOCKET_RCVBUFF",
      """
      The socket's receive buffer is full: the application reads too slowly; look at its CPU limit, SO_RCVBUF and \
      net.core.rmem_max.
      """
    ),
    (
      "UNIX_DISCONNECT",
      """
      A Unix datagram socket was disconnected or tied to another peer, so what the old peer had queued was \
      discarded; no network packet.
      """
    ),
    ("UNIX_SKIP_OOB", "An out-of-band byte of a Unix stream was skipped by the reader; no network packet."),
    (
      "PKT_TOO_SMALL",
      """
      The packet is shorter than the header it should carry, or its length field disagrees with its size; suspect \
      a broken sender or driver.
      """
    ),
    (
      "PKT_TOO_BIG",
      """
      The packet exceeds the MTU of the way out and may not be fragmented; compare the MTUs along the path, \
      tunnels included.
      """
    ),
    ("NOMEM", "The kernel could not allocate memory for handling the packet; the node is short of memory."),
    (
      "PFMEMALLOC",
      """
      The packet sat in emergency memory reserves and its socket is not one that may use them; the node is short \
      of memory.
      """
    ),
    ("HDR_TRUNC", "A protocol header could not be read in full from the packet: it is truncated."),
    ("SKB_CSUM", "A checksum could not be computed for sending; suspect a faulty offload or driver."),
    (
      "SKB_GSO_SEG",
      """
      Cutting a large offloaded packet into segments failed; look at the interface's offloads (ethtool -k).
      """
    ),
    (
      "SKB_UCOPY_FAULT",
      """
      Data could not be copied between the packet and user memory (zero-copy send, tun or tap device).
      """
    ),
    ("DEV_HDR", "The header or metadata that the device driver expects in front of the packet is invalid."),
    ("DEV_READY", "The device was not ready: it is down, or its queue or peer is not set up."),
    ("FULL_RING", "The device's ring is full: its reader (a virtual machine, vhost, a tap user) does not keep up."),
    (
      "QUEUE_PURGE",
      """
      A whole queue was emptied at once, usually unread data at socket close; in neighbour code, packets that \
      waited for an address.
      """
    ),
    (
      "RECURSION_LIMIT",
      """
      Stacked devices or actions sent the packet around too often; look for a loop of tunnels, redirects or \
      bridges.
      """
    ),
    ("SECURITY_HOOK", "A security module (SELinux, AppArmor, Smack, BPF LSM) refused the packet."),
    (
      "BPF_CGROUP_EGRESS",
      """
      A BPF program on the sender's cgroup forbade sending; look at bpftool cgroup tree and the CNI's policies.
      """
    ),
    (
      "NETFILTER_DROP",
      """
      A netfilter rule (iptables, nftables, a CNI's or kube-proxy's) or netfilter itself dropped the packet; look \
      at the rule counters.
      """
    ),
    (
      "OTHERHOST",
      """
      The frame's destination MAC is not this interface's: flooded by a bridge, seen in promiscuous mode, or sent \
      by a stale neighbour entry.
      """
    ),
    (
      "UNHANDLED_PROTO",
      """
      The host has no handler for this EtherType (LLDP, spanning tree and vendor protocols are common).
      """
    ),
    (
      "PTYPE_ABSENT",
      """
      The host has no handler for this EtherType (LLDP, spanning tree and vendor protocols are common).
      """
    ),
    (
      "INVALID_PROTO",
      """
      The packet breaks its protocol's rules, such as an ICMP timestamp request sent to a broadcast address.
      """
    ),
    // TCP
    ("TCP_CSUM", "The TCP checksum is wrong: damaged on the way, or by a faulty checksum offload."),
    ("TCP_FILTER", "A filter attached to the receiving TCP socket rejected the segment."),
    ("TCP_AUTH_HDR", "The TCP authentication options (MD5 or AO) are malformed or occur twice."),
    (
      "TCP_MD5NOTFOUND",
      """
      The connection demands TCP-MD5 signatures and the segment carries none; compare both sides' BGP passwords.
      """
    ),
    ("TCP_MD5UNEXPECTED", "The segment carries a TCP-MD5 signature but no key is configured for this peer."),
    (
      "TCP_MD5FAILURE",
      """
      The TCP-MD5 signature does not verify: the two sides use different keys, or a NAT rewrote the segment.
      """
    ),
    ("TCP_AONOTFOUND", "The connection demands TCP-AO authentication and the segment carries none."),
    ("TCP_AOUNEXPECTED", "The segment carries TCP-AO authentication but the connection is not set up for it."),
    ("TCP_AOKEYNOTFOUND", "The segment names a TCP-AO key that is not configured for this peer."),
    (
      "TCP_AOFAILURE",
      """
      The TCP-AO signature does not verify: the two sides use different keys, or the segment was changed on the \
      way.
      """
    ),
    (
      "TCP_FLAGS",
      """
      The TCP flags make no sense in the connection's state, such as no ACK where one is due or SYN together with \
      FIN.
      """
    ),
    (
      "TCP_ABORT_ON_DATA",
      """
      Data came for a connection whose application had already closed it; the data is lost and the peer gets a \
      reset.
      """
    ),
    (
      "TCP_ZEROWINDOW",
      """
      Data came while the receive window was closed: the application does not read, or the peer ignores the \
      window.
      """
    ),
    (
      "TCP_OLD_DATA",
      """
      All data of the segment had been received before: a duplicate or an unneeded retransmission; nothing is \
      lost.
      """
    ),
    ("TCP_OVERWINDOW", "The data lies beyond the receive window that was advertised."),
    (
      "TCP_OFOMERGE",
      """
      The data was already waiting in the out-of-order queue: a duplicate; nothing is lost, but the path reorders \
      or loses packets.
      """
    ),
    (
      "TCP_RFC7323_PAWS",
      """
      The segment's timestamp is older than the last one seen; typical of NAT that mixes hosts, or of a very late \
      duplicate.
      """
    ),
    ("TCP_RFC7323_PAWS_ACK", "A pure acknowledgement arrived late, after a newer one; it says nothing new."),
    (
      "TCP_RFC7323_TW_PAWS",
      """
      A segment for a connection in TIME-WAIT has too old a timestamp; new connections fail so when NAT mixes \
      clients' clocks.
      """
    ),
    (
      "TCP_RFC7323_TSECR",
      """
      The segment echoes a timestamp that this side never sent, so the handshake's acknowledgement is refused.
      """
    ),
    (
      "TCP_LISTEN_OVERFLOW",
      """
      The listener's accept queue is full: the application accepts too slowly; look at ss -lnt, its backlog and \
      net.core.somaxconn.
      """
    ),
    (
      "TCP_OLD_SEQUENCE",
      """
      The whole segment lies before what is acknowledged: a duplicate or a keep-alive probe; it is answered and \
      nothing is lost.
      """
    ),
    (
      "TCP_INVALID_SEQUENCE",
      """
      The segment lies outside the receive window; a stale connection, a NAT that forgot it, or (before Linux 6.3) \
      a duplicate or keep-alive.
      """
    ),
    (
      "TCP_INVALID_END_SEQUENCE",
      """
      The segment ends beyond the receive window: the peer sends more than it was allowed to, or the window was \
      shrunk.
      """
    ),
    (
      "TCP_INVALID_ACK_SEQUENCE",
      """
      The segment acknowledges something outside of what was sent, often an answer to an older connection with the \
      same ports.
      """
    ),
    (
      "TCP_RESET",
      """
      A reset was ignored: its sequence number is not the expected one (a challenge ACK is sent), or it met a \
      listener.
      """
    ),
    (
      "TCP_INVALID_SYN",
      """
      A SYN came inside an existing connection: the client reused the port, or the two ends disagree on whether \
      the connection lives.
      """
    ),
    ("TCP_CLOSE", "The segment reached a socket that was closed or aborted a moment ago."),
    ("TCP_FASTOPEN", "A connection opened by TCP Fast Open refused the segment before its handshake was complete."),
    ("TCP_OLD_ACK", "The acknowledgement is old but inside the window, in a state that cannot use it."),
    ("TCP_TOO_OLD_ACK", "The acknowledgement is older than anything plausible: a blind attack or a stale connection."),
    (
      "TCP_ACK_UNSENT_DATA",
      """
      The segment acknowledges data that was never sent; the peers disagree on the connection, or it is spoofed.
      """
    ),
    (
      "TCP_OFO_QUEUE_PRUNE",
      """
      Data received out of order was thrown away because the receive buffer is full; it must be sent again.
      """
    ),
    ("TCP_OFO_DROP", "Data waiting out of order turned out to have been received meanwhile; nothing is lost."),
    (
      "TCP_MINTTL",
      """
      The packet's TTL or hop limit is below the minimum that the socket demands (IP_MINTTL, used by BGP).
      """
    ),
    // Sockets and memory
    (
      "UDP_CSUM",
      """
      The UDP checksum is wrong: damaged on the way, or by a faulty checksum offload (known of some VXLAN \
      devices).
      """
    ),
    ("ICMP_CSUM", "The ICMP checksum is wrong: the message was damaged on the way."),
    (
      "PROTO_MEM",
      """
      The protocol's memory limit or the socket's quota is exhausted; look at net.ipv4.tcp_mem or udp_mem and at \
      sockets nobody reads.
      """
    ),
    (
      "SOCKET_BACKLOG",
      """
      The socket was busy and its backlog full: the application's core does not keep up with the packet rate.
      """
    ),
    (
      "PACKET_SOCK_ERROR",
      """
      A packet socket (tcpdump, a sniffer, an LLDP daemon) lost its copy because its buffer is full; the packet \
      itself went on.
      """
    ),
    (
      "CPU_BACKLOG",
      """
      The CPU's input queue is full (or its flow limit hit): look at softnet_stat, net.core.netdev_max_backlog and \
      busy CPUs.
      """
    ),
    // IP
    ("IP_CSUM", "The IPv4 header checksum is wrong: the packet was damaged on the way."),
    ("IP_INHDR", "The IP header is invalid: wrong version, length, options, or the TTL ran out."),
    (
      "IP_RPFILTER",
      """
      Reverse-path filtering: the route back to the source leaves by another interface; look at rp_filter and \
      asymmetric routes.
      """
    ),
    (
      "UNICAST_IN_L2_MULTICAST",
      """
      A unicast IP packet came in a multicast or broadcast frame and is refused by policy \
      (drop_unicast_in_l2_multicast).
      """
    ),
    (
      "XFRM_POLICY",
      """
      IPsec policy refuses the packet: it should have been encrypted, or by another association; look at ip xfrm \
      policy.
      """
    ),
    ("IP_NOPROTO", "Nothing here handles the packet's IP protocol; the sender gets a protocol unreachable."),
    (
      "IP_INADDRERRORS",
      """
      The host may not take or forward the packet to this address: host unreachable, or forwarding is off on the \
      input interface.
      """
    ),
    ("IP_INNOROUTES", "No route for the packet that came in; the sender gets a network unreachable."),
    ("IP_OUTNOROUTES", "No route for a packet this host wanted to send."),
    (
      "IP_LOCAL_SOURCE",
      """
      The packet came from outside with one of this host's own addresses as its source: spoofing, a loop, or a \
      duplicated address.
      """
    ),
    ("IP_INVALID_SOURCE", "The source address can be nobody's (multicast, broadcast, zero or reserved)."),
    (
      "IP_LOCALNET",
      """
      A 127.0.0.0/8 address came from outside loopback; wanted only with route_localnet, as for NodePort on \
      localhost.
      """
    ),
    ("IP_INVALID_DEST", "The destination address is not usable here, such as zero or a forbidden broadcast."),
    ("DUP_FRAG", "The same IP fragment came twice; one copy was kept."),
    (
      "FRAG_REASM_TIMEOUT",
      """
      An IP packet never got all its fragments in time; a fragment is lost or filtered, check MTUs and fragment \
      handling.
      """
    ),
    (
      "FRAG_TOO_FAR",
      """
      Too many other fragments from that source came in between (ipfrag_max_dist), so an unfinished packet was \
      given up.
      """
    ),
    ("IPV6DISABLED", "IPv6 is disabled on the interface (disable_ipv6), so its IPv6 packets are ignored."),
    ("IPV6_BAD_EXTHDR", "An IPv6 extension header is invalid or not allowed."),
    ("IPV6_NDISC_FRAG", "A neighbour discovery message came fragmented, which is forbidden (suppress_frag_ndisc)."),
    (
      "IPV6_NDISC_HOP_LIMIT",
      """
      A neighbour discovery message has a hop limit other than 255: it was routed, which is forbidden.
      """
    ),
    ("IPV6_NDISC_BAD_CODE", "A neighbour discovery message has an invalid ICMPv6 code."),
    ("IPV6_NDISC_BAD_OPTIONS", "A neighbour discovery message has malformed options."),
    (
      "IPV6_NDISC_NS_OTHERHOST",
      """
      A neighbour solicitation asked for an address that is not this host's; it needs no answer from here.
      """
    ),
    // Neighbours
    (
      "NEIGH_CREATEFAIL",
      """
      No neighbour entry could be made for the next hop; look for a full neighbour table (gc_thresh3).
      """
    ),
    (
      "NEIGH_FAILED",
      """
      The next hop does not answer ARP or neighbour discovery; it is down, unreachable, or not on this link.
      """
    ),
    (
      "NEIGH_QUEUEFULL",
      """
      Too many packets wait for the next hop's address; it does not answer, or too slowly (unres_qlen_bytes).
      """
    ),
    ("NEIGH_DEAD", "The next hop's neighbour entry was just being removed."),
    ("NEIGH_HH_FILLFAIL", "The link-layer header could not be written in front of the packet."),
    (
      "ARP_PVLAN_DISABLE",
      """
      An ARP request was not proxied back to the interface it came from, because proxy_arp_pvlan is off.
      """
    ),
    // Queueing and traffic control
    (
      "TC_INGRESS",
      """
      A tc filter or BPF program on ingress dropped the packet; on nodes with Cilium or similar, usually its \
      policy.
      """
    ),
    (
      "TC_EGRESS",
      """
      A tc filter or BPF program on egress dropped the packet; on nodes with Cilium or similar, usually its \
      policy.
      """
    ),
    ("TC_ERROR", "Traffic control failed internally while classifying the packet."),
    ("TC_COOKIE_ERROR", "Traffic control lost the state it keeps for continuing a hardware-offloaded lookup."),
    ("TC_CHAIN_NOTFOUND", "A tc action jumped to a filter chain that does not exist."),
    ("TC_RECLASSIFY_LOOP", "The tc filters restarted classification too often: a loop in the rules."),
    (
      "QDISC_DROP",
      """
      The queueing discipline refused the packet: its queue is full or shaping limits it; look at tc -s qdisc.
      """
    ),
    (
      "QDISC_BURST_DROP",
      """
      Too many packets from several CPUs waited to get into the queueing discipline (net.core.qdisc_max_burst).
      """
    ),
    (
      "QDISC_OVERLIMIT",
      """
      The queueing discipline's total limit is reached: the link or its shaper is too slow for the traffic.
      """
    ),
    ("QDISC_CONGESTED", "Active queue management dropped the packet to signal congestion: it had waited too long."),
    ("QDISC_SFQ_MAXFLOWS", "The sfq queueing discipline has no slot left for another flow."),
    ("QDISC_SFQ_MAXDEPTH", "The flow's own queue in the sfq queueing discipline is full."),
    ("CAKE_FLOOD", "CAKE's flood protection dropped a packet of a flow that does not slow down."),
    ("FQ_BAND_LIMIT", "The priority band's limit in the fq queueing discipline is reached."),
    ("FQ_HORIZON_LIMIT", "The packet's send time lies too far in the future for the fq queueing discipline."),
    ("FQ_FLOW_LIMIT", "The flow has too many packets waiting in the fq queueing discipline (flow_limit)."),
    ("DUALPI2_STEP_DROP", "The dualpi2 queueing discipline's low-latency queue passed its step threshold."),
    ("XDP", "An XDP program dropped the packet on input; look at ip link and bpftool net for who attached it."),
    // Devices, tunnels, bridges
    ("TAP_FILTER", "A filter attached to the tun or tap device rejected the packet."),
    ("TAP_TXFILTER", "The tap device's own address filter rejected the frame: its reader did not ask for this MAC."),
    ("VXLAN_INVALID_HDR", "The VXLAN header is invalid or carries flags this device does not accept."),
    (
      "VXLAN_VNI_NOT_FOUND",
      """
      No VXLAN device here has the packet's network identifier; compare both nodes' tunnel configuration.
      """
    ),
    ("VXLAN_ENTRY_EXISTS", "The VXLAN forwarding entry points elsewhere and may not be relearned from this packet."),
    ("VXLAN_NO_REMOTE", "The VXLAN device knows no remote node for this MAC; look at bridge fdb show."),
    (
      "NO_TX_TARGET",
      """
      The device found nobody to send the frame to: no VXLAN remote, or no other forwarding bridge port.
      """
    ),
    ("MAC_INVALID_SOURCE", "The source MAC address is invalid, such as multicast or zero."),
    ("LOCAL_MAC", "The source MAC is this host's own: the frame looped back, or two hosts share a MAC."),
    ("MAC_IEEE_MAC_CONTROL", "A MAC control (pause) frame reached a bridge, which must not forward it."),
    (
      "BRIDGE_INGRESS_STP_STATE",
      """
      The bridge port is not forwarding: spanning tree blocks it or is still learning, or the port is disabled.
      """
    ),
    ("IP_TUNNEL_ECN", "Inner and outer headers of a tunnelled packet contradict each other on congestion marks."),
    ("TUNNEL_TXINFO", "The packet carries no tunnel metadata (remote, key) though the tunnel device depends on it."),
    ("PSP_INPUT", "The PSP encryption of a received packet is missing, unexpected or by another key."),
    ("PSP_OUTPUT", "The packet should be sent with PSP encryption, and the device or association for it is not there."),
    ("CAN_RX_INVALID_FRAME", "A malformed CAN bus frame came in."),
    ("CANFD_RX_INVALID_FRAME", "A malformed CAN FD bus frame came in."),
    ("CANXL_RX_INVALID_FRAME", "A malformed CAN XL bus frame came in."),
    // Open vSwitch (net/openvswitch/drop.h)
    ("OVS_DROP_LAST_ACTION", "Open vSwitch: the flow's actions ended without sending the packet anywhere."),
    ("OVS_DROP_ACTION_ERROR", "Open vSwitch: an action on the packet failed."),
    (
      "OVS_DROP_EXPLICIT",
      """
      Open vSwitch: a flow says to drop the packet; look at ovs-dpctl dump-flows and the CNI's policies.
      """
    ),
    ("OVS_DROP_EXPLICIT_WITH_ERROR", "Open vSwitch: a flow says to drop the packet because user space met an error."),
    ("OVS_DROP_METER", "Open vSwitch: a meter's rate limit was exceeded."),
    ("OVS_DROP_RECURSION_LIMIT", "Open vSwitch: the packet recirculated too often; look for a loop in the flows."),
    ("OVS_DROP_DEFERRED_LIMIT", "Open vSwitch: too many actions were deferred at once."),
    (
      "OVS_DROP_FRAG_L2_TOO_LONG",
      """
      Open vSwitch: the packet cannot be fragmented because its link-layer header is too long.
      """
    ),
    ("OVS_DROP_FRAG_INVALID_PROTO", "Open vSwitch: the packet would need fragmenting but is neither IPv4 nor IPv6."),
    ("OVS_DROP_CONNTRACK", "Open vSwitch: connection tracking failed or refused the packet."),
    ("OVS_DROP_IP_TTL", "Open vSwitch: the packet's TTL ran out."),
    // Wi-Fi (net/mac80211/drop.h)
    ("RX_DROP_U_MIC_FAIL", "Wi-Fi: the frame's integrity check failed."),
    ("RX_DROP_U_REPLAY", "Wi-Fi: the packet number was used before, a replay or a duplicate."),
    ("RX_DROP_U_BAD_MMIE", "Wi-Fi: the management frame's integrity element is invalid."),
    ("RX_DROP_U_DUP", "Wi-Fi: the frame is a duplicate."),
    ("RX_DROP_U_SPURIOUS", "Wi-Fi: a data frame came from a station that is not associated."),
    ("RX_DROP_U_DECRYPT_FAIL", "Wi-Fi: the frame could not be decrypted."),
    ("RX_DROP_U_NO_KEY_ID", "Wi-Fi: the frame names no key."),
    ("RX_DROP_U_BAD_CIPHER", "Wi-Fi: the key's cipher is not usable for this frame."),
    ("RX_DROP_U_OOM", "Wi-Fi: memory ran out while handling the frame."),
    ("RX_DROP_U_NONSEQ_PN", "Wi-Fi: the fragments' packet numbers do not follow each other."),
    ("RX_DROP_U_BAD_KEY_COLOR", "Wi-Fi: fragments of one frame were encrypted with different keys."),
    ("RX_DROP_U_BAD_4ADDR", "Wi-Fi: a four-address frame is not acceptable here."),
    ("RX_DROP_U_BAD_AMSDU", "Wi-Fi: the aggregated frame is malformed."),
    ("RX_DROP_U_BAD_AMSDU_CIPHER", "Wi-Fi: frames may not be aggregated with this cipher."),
    ("RX_DROP_U_INVALID_8023", "Wi-Fi: the frame could not be converted to Ethernet."),
    ("RX_DROP_U_RUNT_ACTION", "Wi-Fi: the action frame is too short."),
    ("RX_DROP_U_UNPROT_ACTION", "Wi-Fi: the action frame should have been protected."),
    ("RX_DROP_U_UNPROT_DUAL", "Wi-Fi: the public action frame should have been sent in its protected form."),
    ("RX_DROP_U_UNPROT_UCAST_MGMT", "Wi-Fi: the unicast management frame should have been protected."),
    ("RX_DROP_U_UNPROT_MCAST_MGMT", "Wi-Fi: the multicast management frame should have been protected."),
    ("RX_DROP_U_UNPROT_BEACON", "Wi-Fi: the beacon should have been protected."),
    ("RX_DROP_U_UNPROT_UNICAST_PUB_ACTION", "Wi-Fi: the unicast public action frame should have been protected."),
    ("RX_DROP_U_UNPROT_ROBUST_ACTION", "Wi-Fi: the robust action frame should have been protected."),
    ("RX_DROP_U_ACTION_UNKNOWN_SRC", "Wi-Fi: the action frame came from an unknown station."),
    ("RX_DROP_U_REJECTED_ACTION_RESPONSE", "Wi-Fi: the frame is a peer's rejection of an action we sent."),
    ("RX_DROP_U_UNKNOWN_ACTION_REJECTED", "Wi-Fi: the action is unknown and was sent back as rejected."),
    ("RX_DROP_U_EXPECT_DEFRAG_PROT", "Wi-Fi: a reassembled frame is not protected as it should be."),
    ("RX_DROP_U_WEP_DEC_FAIL", "Wi-Fi: WEP decryption failed."),
    ("RX_DROP_U_NO_IV", "Wi-Fi: the encrypted frame has no initialisation vector."),
    ("RX_DROP_U_NO_ICV", "Wi-Fi: the encrypted frame has no integrity value."),
    ("RX_DROP_U_AP_RX_GROUPCAST", "Wi-Fi: an access point got a group-addressed frame, which clients may not send."),
    ("RX_DROP_U_SHORT_MMIC", "Wi-Fi: the frame is too short for its Michael integrity code."),
    ("RX_DROP_U_MMIC_FAIL", "Wi-Fi: the frame's Michael integrity check failed."),
    ("RX_DROP_U_SHORT_TKIP", "Wi-Fi: the frame is too short for TKIP."),
    ("RX_DROP_U_TKIP_FAIL", "Wi-Fi: TKIP decryption failed."),
    ("RX_DROP_U_SHORT_CCMP", "Wi-Fi: the frame is too short for CCMP."),
    ("RX_DROP_U_SHORT_CCMP_MIC", "Wi-Fi: the frame is too short for CCMP's integrity code."),
    ("RX_DROP_U_SHORT_GCMP", "Wi-Fi: the frame is too short for GCMP."),
    ("RX_DROP_U_SHORT_GCMP_MIC", "Wi-Fi: the frame is too short for GCMP's integrity code."),
    ("RX_DROP_U_SHORT_CMAC", "Wi-Fi: the management frame is too short for CMAC."),
    ("RX_DROP_U_SHORT_CMAC256", "Wi-Fi: the management frame is too short for CMAC-256."),
    ("RX_DROP_U_SHORT_GMAC", "Wi-Fi: the management frame is too short for GMAC."),
    ("RX_DROP_U_UNEXPECTED_VLAN_4ADDR", "Wi-Fi: an unexpected four-address frame came on a Wi-Fi VLAN interface."),
    ("RX_DROP_U_UNEXPECTED_STA_4ADDR", "Wi-Fi: a client interface got an unexpected four-address frame."),
    ("RX_DROP_U_UNEXPECTED_VLAN_MCAST", "Wi-Fi: an unexpected multicast frame came on a Wi-Fi VLAN interface."),
    ("RX_DROP_U_NOT_PORT_CONTROL", "Wi-Fi: the station is not yet authorised and the frame is not part of its login."),
    ("RX_DROP_U_UNEXPECTED_4ADDR_FRAME", "Wi-Fi: a four-address frame came from a station that does not use them."),
    ("RX_DROP_U_BAD_BCN_KEYIDX", "Wi-Fi: the beacon's key index is invalid."),
    ("RX_DROP_U_BAD_MGMT_KEYIDX", "Wi-Fi: the management frame's key index is invalid."),
    ("RX_DROP_M_UNEXPECTED_4ADDR_FRAME", "Wi-Fi: a four-address frame came from a station that does not use them."),
    ("RX_DROP_M_BAD_BCN_KEYIDX", "Wi-Fi: the beacon's key index is invalid."),
    ("RX_DROP_M_BAD_MGMT_KEYIDX", "Wi-Fi: the management frame's key index is invalid."),
  ]
}
