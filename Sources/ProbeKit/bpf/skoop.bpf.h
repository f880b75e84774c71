/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel half of ProbeKit: the maps that all probes share, the settings every program has, and the reading of
 * packets and sockets. The runner sets the constants and replaces the maps by its own before loading.
 *
 * Every kernel pointer is read by CO-RE and bpf_probe_read_kernel, never dereferenced, so that one body serves a BTF
 * tracepoint and a raw tracepoint alike.
 */
#ifndef SKOOP_BPF_H
#define SKOOP_BPF_H

#include "skoop_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "skoop_event.h"

#define SKOOP_ETH_P_IP 0x0800
#define SKOOP_ETH_P_IPV6 0x86dd
#define SKOOP_AF_INET 2
#define SKOOP_AF_INET6 10
#define SKOOP_TCP_TIME_WAIT 6
#define SKOOP_TCP_NEW_SYN_RECV 12

/* ---- settings, set before load ---- */

const volatile __u32 skoop_probe = 0;
const volatile _Bool skoop_events_on = 1;
const volatile _Bool skoop_stack_on = 1;
/* Events a second that one namespace may have; 0: no limit. */
const volatile __u64 skoop_events_per_second = 0;
/* Kernels before 5.14 do not tell user space a namespace's cookie: its inode stands in. */
const volatile _Bool skoop_netns_by_inode = 0;
/* Wake the reader when this many bytes wait in the ring buffer; below that it comes by itself, by the clock. */
const volatile __u64 skoop_wakeup_bytes = 0;

/* ---- maps shared by all probes ---- */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 21);
} skoop_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SKOOP_MAX_PROBES * SKOOP_OUTCOMES);
	__type(key, __u32);
	__type(value, __u64);
} skoop_outcomes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SKOOP_MAX_LIMITED_NETNS);
	__type(key, struct skoop_limit_key);
	__type(value, struct skoop_limit);
} skoop_limits SEC(".maps");

static __always_inline void skoop_count(enum skoop_outcome outcome)
{
	__u32 index = skoop_probe * SKOOP_OUTCOMES + outcome;
	__u64 *count = bpf_map_lookup_elem(&skoop_outcomes, &index);
	if (count)
		/* Atomic although per CPU: a program in softirq may interrupt one in task context. */
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* ---- network namespaces ---- */

static __always_inline __u64 skoop_net_identity(struct net *net)
{
	if (!net)
		return 0;
	if (skoop_netns_by_inode)
		return 1ULL << 63 | BPF_CORE_READ(net, ns.inum);
	return BPF_CORE_READ(net, net_cookie);
}

/*
 * The namespace of a packet's device, or NULL. `skb->dev` shares its memory with other members while the skb waits in a
 * socket's queue or tree (include/linux/skbuff.h), so it counts only when it leads to a namespace whose loopback device
 * leads back.
 */
static __always_inline struct net *skoop_net_of_dev(struct net_device *dev)
{
	struct net *net, *back;
	struct net_device *loopback;

	if ((long)dev >= 0)
		return 0;
	net = BPF_CORE_READ(dev, nd_net.net);
	if ((long)net >= 0)
		return 0;
	loopback = BPF_CORE_READ(net, loopback_dev);
	if ((long)loopback >= 0)
		return 0;
	back = BPF_CORE_READ(loopback, nd_net.net);
	return back == net ? net : 0;
}

static __always_inline __u64 skoop_netns_of_sk(struct sock *sk)
{
	return sk ? skoop_net_identity(BPF_CORE_READ(sk, __sk_common.skc_net.net)) : 0;
}

/* Fills in the interface and returns the namespace where `skb` is: by its device, else its route, else its socket. */
static __always_inline __u64 skoop_locate_skb(struct skoop_packet *packet, struct sk_buff *skb, struct sock *sk)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev);
	struct net *net = skoop_net_of_dev(dev);

	if (net) {
		packet->ifindex = BPF_CORE_READ(dev, ifindex);
		bpf_probe_read_kernel_str(packet->ifname, sizeof(packet->ifname), dev->name);
		return skoop_net_identity(net);
	}
	if (sk)
		return skoop_netns_of_sk(sk);
	struct dst_entry *dst = (void *)(BPF_CORE_READ(skb, _skb_refdst) & ~1UL);
	if (dst)
		return skoop_net_identity(skoop_net_of_dev(BPF_CORE_READ(dst, dev)));
	return 0;
}

/* ---- packets and sockets ---- */

static __always_inline _Bool skoop_sk_is_full(__u8 state)
{
	return state != SKOOP_TCP_TIME_WAIT && state != SKOOP_TCP_NEW_SYN_RECV;
}

/* The tuple of a socket, from this end to the other; family 0 when it is no internet socket. */
static __always_inline void skoop_read_sk(struct skoop_packet *packet, struct sock *sk)
{
	struct skoop_tuple *tuple = &packet->tuple;
	struct sock_common *common = &sk->__sk_common;
	__u16 family = BPF_CORE_READ(common, skc_family);
	__be32 address;

	packet->tcp_state = BPF_CORE_READ(common, skc_state);
	tuple->source_port = BPF_CORE_READ(common, skc_num);
	/* A socket that closes has given its number back already (inet_put_port) and still sends from the port. */
	if (!tuple->source_port && skoop_sk_is_full(packet->tcp_state))
		tuple->source_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	tuple->destination_port = bpf_ntohs(BPF_CORE_READ(common, skc_dport));
	/* Only full sockets have the member; a request or a time-wait socket is TCP's. */
	tuple->protocol = skoop_sk_is_full(packet->tcp_state) ? BPF_CORE_READ(sk, sk_protocol) : 6;
	if (family == SKOOP_AF_INET6) {
		bpf_core_read(tuple->source, 16, &common->skc_v6_rcv_saddr);
		bpf_core_read(tuple->destination, 16, &common->skc_v6_daddr);
		__u32 *destination = (__u32 *)tuple->destination;
		if (destination[0] == 0 && destination[1] == 0 && destination[2] == bpf_htonl(0xffff)) {
			/* A dual-stack socket that speaks IPv4. */
			family = SKOOP_AF_INET;
			__builtin_memset(tuple->source, 0, 16);
			__builtin_memset(tuple->destination, 0, 16);
		} else {
			tuple->family = 6;
			tuple->ethertype = SKOOP_ETH_P_IPV6;
			return;
		}
	}
	if (family == SKOOP_AF_INET) {
		address = BPF_CORE_READ(common, skc_rcv_saddr);
		__builtin_memcpy(tuple->source, &address, 4);
		address = BPF_CORE_READ(common, skc_daddr);
		__builtin_memcpy(tuple->destination, &address, 4);
		tuple->family = 4;
		tuple->ethertype = SKOOP_ETH_P_IP;
	}
}

/* The interface that a full socket's route leaves by. */
static __always_inline void skoop_read_sk_interface(struct skoop_packet *packet, struct sock *sk)
{
	struct dst_entry *dst;
	struct net_device *dev;

	if (!skoop_sk_is_full(packet->tcp_state))
		return;
	dst = BPF_CORE_READ(sk, sk_dst_cache);
	dev = dst ? BPF_CORE_READ(dst, dev) : 0;
	if (!skoop_net_of_dev(dev))
		return;
	packet->ifindex = BPF_CORE_READ(dev, ifindex);
	bpf_probe_read_kernel_str(packet->ifname, sizeof(packet->ifname), dev->name);
}

static __always_inline _Bool skoop_is_extension_header(__u8 header)
{
	return header == 0 || header == 43 || header == 60 || header == 44;
}

/* Finds the transport header behind IPv6's extension headers (RFC 8200 §4); 0: it is in another fragment. */
static __always_inline __u32 skoop_skip_ipv6_extensions(const void *head, __u32 offset, __u32 tail, __u8 *protocol)
{
	for (int i = 0; i < 6; i++) {
		__u8 next = *protocol;
		__u8 header[4];

		if (!skoop_is_extension_header(next))
			return offset;
		if (offset + 8 > tail || bpf_probe_read_kernel(header, 4, head + offset))
			return 0;
		*protocol = header[0];
		if (next == 44) {
			if (header[2] || header[3] & 0xf8)
				return 0;
			offset += 8;
		} else {
			offset += 8 + 8 * (__u32)header[1];
		}
	}
	return offset;
}

/* Reads the transport header at `offset` of the skb's linear part, which ends at `tail`; the packet ends at `end`. */
static __always_inline void skoop_read_transport(struct skoop_packet *packet, const void *head, __u32 offset, __u32 tail,
						 __u32 end)
{
	struct skoop_tuple *tuple = &packet->tuple;
	__u8 bytes[16];

	if (tuple->protocol == 6) {
		if (offset + 16 > tail || bpf_probe_read_kernel(bytes, 16, head + offset))
			return;
		packet->seq = bpf_ntohl(*(__u32 *)(bytes + 4));
		packet->ack_seq = bpf_ntohl(*(__u32 *)(bytes + 8));
		packet->tcp_flags = bytes[13];
		offset += (bytes[12] >> 4) * 4;
		packet->payload = end > offset ? end - offset : 0;
	} else {
		if (offset + 8 > tail || bpf_probe_read_kernel(bytes, 8, head + offset))
			return;
		if (tuple->protocol == 1 || tuple->protocol == 58) {
			packet->icmp_type = bytes[0];
			packet->icmp_code = bytes[1];
			return;
		}
		/* UDP, UDP-Lite, SCTP, DCCP: the ports come first. */
		if (tuple->protocol != 17 && tuple->protocol != 136 && tuple->protocol != 132 && tuple->protocol != 33)
			return;
	}
	tuple->source_port = bpf_ntohs(*(__u16 *)bytes);
	tuple->destination_port = bpf_ntohs(*(__u16 *)(bytes + 2));
}

/* The tuple of a packet, from its headers. False: the skb has no readable IP header. */
static __always_inline _Bool skoop_read_headers(struct skoop_packet *packet, struct sk_buff *skb)
{
	struct skoop_tuple *tuple = &packet->tuple;
	__u16 ethertype = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	const void *head = BPF_CORE_READ(skb, head);
	__u32 offset = BPF_CORE_READ(skb, network_header);
	__u32 tail = BPF_CORE_READ(skb, tail);
	__u8 header[40];

	packet->length = BPF_CORE_READ(skb, len);
	tuple->ethertype = ethertype;
	/* 0xffff is "unset" (skb_mac_header_was_set's twin); 0 is what a new skb has. */
	if (!head || offset == 0 || offset == 0xffff)
		return 0;
	if (ethertype == SKOOP_ETH_P_IP) {
		if (offset + 20 > tail || bpf_probe_read_kernel(header, 20, head + offset) || header[0] >> 4 != 4)
			return 0;
		tuple->family = 4;
		tuple->protocol = header[9];
		__builtin_memcpy(tuple->source, header + 12, 4);
		__builtin_memcpy(tuple->destination, header + 16, 4);
		if (!(header[6] & 0x1f) && !header[7])
			skoop_read_transport(packet, head, offset + (header[0] & 15) * 4, tail,
					     offset + (header[2] << 8 | header[3]));
		return 1;
	}
	if (ethertype == SKOOP_ETH_P_IPV6) {
		if (offset + 40 > tail || bpf_probe_read_kernel(header, 40, head + offset) || header[0] >> 4 != 6)
			return 0;
		tuple->family = 6;
		tuple->protocol = header[6];
		__builtin_memcpy(tuple->source, header + 8, 16);
		__builtin_memcpy(tuple->destination, header + 24, 16);
		__u32 end = offset + 40 + (header[4] << 8 | header[5]);
		offset = skoop_skip_ipv6_extensions(head, offset + 40, tail, &tuple->protocol);
		if (offset)
			skoop_read_transport(packet, head, offset, tail, end);
		return 1;
	}
	return 0;
}

/* The network half of skb->cb as TCP uses it on the way out. */
static __always_inline void skoop_read_tcp_cb(struct skoop_packet *packet, struct sk_buff *skb, __u32 *end_seq)
{
	struct tcp_skb_cb *cb = (void *)&skb->cb;

	packet->seq = BPF_CORE_READ(cb, seq);
	*end_seq = BPF_CORE_READ(cb, end_seq);
	/* One byte until 6.14, two after: the flags are the low one. */
	bpf_core_read(&packet->tcp_flags, 1, &cb->tcp_flags);
}

/* ---- events ---- */

/* Whether a namespace is looked at. A program for only some of them defines it before it includes this. */
#ifndef SKOOP_ADMITS
#define SKOOP_ADMITS(netns) 1
#endif

/* May this namespace have one more event in this second? */
static __always_inline _Bool skoop_allowed(__u64 netns, __u64 now)
{
	if (!skoop_events_per_second)
		return 1;

	struct skoop_limit_key key = { .netns = netns, .probe = skoop_probe };
	struct skoop_limit *limit = bpf_map_lookup_elem(&skoop_limits, &key);

	if (!limit) {
		struct skoop_limit fresh = { .window_start_ns = now, .count = 1 };
		bpf_map_update_elem(&skoop_limits, &key, &fresh, BPF_ANY);
		return 1;
	}
	/* Signed: another CPU may have begun the window a little after our clock was read. */
	if ((__s64)(now - limit->window_start_ns) >= 1000000000LL) {
		/* Two CPUs may both begin the window: a few more pass, none is lost. */
		limit->window_start_ns = now;
		limit->count = 0;
	}
	/* Adding and reading apart, and relaxed: an addition that returns, or orders, needs 5.12. */
	__atomic_fetch_add(&limit->count, 1, __ATOMIC_RELAXED);
	return limit->count <= skoop_events_per_second;
}

static __always_inline void skoop_fill_header(struct skoop_event_header *header, __u64 netns, __u64 now)
{
	__u64 id = bpf_get_current_pid_tgid();

	header->version = SKOOP_RECORD_VERSION;
	header->probe = skoop_probe;
	header->cpu = bpf_get_smp_processor_id();
	header->time_ns = now;
	header->netns = netns;
	header->pid = id >> 32;
	header->tid = (__u32)id;
	bpf_get_current_comm(header->comm, sizeof(header->comm));
	header->stack_bytes = 0;
	header->padding = 0;
}

/*
 * Hands `fixed` (of a struct that starts with struct skoop_event_header) and the kernel's stack to user space, and
 * accounts for it. The caller has checked skoop_events_on. `fixed` may not name `record`, `bare` or `now`: they are the
 * macro's own.
 */
#define SKOOP_EMIT(ctx, type, fixed, netns_id)                                                                         \
	do {                                                                                                           \
		__u64 now = bpf_ktime_get_ns();                                                                        \
		skoop_count(SKOOP_SEEN);                                                                               \
		if (!skoop_allowed(netns_id, now)) {                                                                   \
			skoop_count(SKOOP_LIMITED);                                                                    \
			break;                                                                                         \
		}                                                                                                      \
		struct record {                                                                                        \
			type event;                                                                                    \
			__u64 frames[SKOOP_MAX_FRAMES];                                                                \
		};                                                                                                     \
		/* The verifier wants constant sizes: one branch with room for the stack, one without. */              \
		if (skoop_stack_on) {                                                                                  \
			struct record *record = bpf_ringbuf_reserve(&skoop_events, sizeof(struct record), 0);          \
			if (!record) {                                                                                 \
				skoop_count(SKOOP_LOST);                                                               \
				break;                                                                                 \
			}                                                                                              \
			__builtin_memcpy(&record->event, (fixed), sizeof(type));                                       \
			skoop_fill_header(&record->event.header, netns_id, now);                                       \
			long bytes = bpf_get_stack(ctx, record->frames, sizeof(record->frames), 0);                    \
			if (bytes > 0)                                                                                 \
				record->event.header.stack_bytes = bytes;                                              \
			bpf_ringbuf_submit(record, skoop_wakeup_flags());                                              \
		} else {                                                                                               \
			type *bare = bpf_ringbuf_reserve(&skoop_events, sizeof(type), 0);                              \
			if (!bare) {                                                                                   \
				skoop_count(SKOOP_LOST);                                                               \
				break;                                                                                 \
			}                                                                                              \
			__builtin_memcpy(bare, (fixed), sizeof(type));                                                 \
			skoop_fill_header(&bare->header, netns_id, now);                                               \
			bpf_ringbuf_submit(bare, skoop_wakeup_flags());                                                \
		}                                                                                                      \
		skoop_count(SKOOP_SUBMITTED);                                                                          \
	} while (0)

static __always_inline __u64 skoop_wakeup_flags(void)
{
	if (!skoop_wakeup_bytes)
		return 0;
	return bpf_ringbuf_query(&skoop_events, BPF_RB_AVAIL_DATA) >= skoop_wakeup_bytes ? BPF_RB_FORCE_WAKEUP
											   : BPF_RB_NO_WAKEUP;
}

/* A raw tracepoint's and a BTF tracepoint's context are both an array of arguments, eight bytes each. */
#define SKOOP_ARG(ctx, index) (((const __u64 *)(ctx))[index])

#endif
