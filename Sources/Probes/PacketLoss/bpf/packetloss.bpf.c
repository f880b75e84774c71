// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Counts and reports freed packets: the tracepoint skb:kfree_skb, which the kernel passes for every skb that ends
 * otherwise than by being consumed (net/core/skbuff.c). Its arguments: skb, location (all kernels), reason (5.17 and
 * later), the receiving socket (6.11 and later).
 */
#include "../../../ProbeKit/bpf/skoop.bpf.h"

#include "event.h"

/* How many arguments the running kernel's tracepoint has, from its BTF. */
const volatile __u32 kfree_skb_arguments = 4;
/* The number of SKB_DROP_REASON_NETFILTER_DROP in this kernel; 0: it has none. */
const volatile __u32 reason_netfilter = 0;
/* Where the kernel drops by netfilter's verdict: nf_hook_slow, for kernels without reasons. */
const volatile __u64 netfilter_start = 0;
const volatile __u64 netfilter_end = 0;
const volatile __u32 rule_count = 0;
const volatile struct packetloss_rule rules[PACKETLOSS_MAX_RULES] = {};
const volatile _Bool metrics_on = 1;
const volatile _Bool show_normal = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct packetloss_tuple_key);
	__type(value, struct packetloss_tuple_count);
} packetloss_tuples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct packetloss_reason_key);
	__type(value, struct packetloss_reason_count);
} packetloss_reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PACKETLOSS_CUTS);
	__type(key, __u32);
	__type(value, __u64);
} packetloss_cut SEC(".maps");

static __always_inline void count_cut(__u32 index)
{
	__u64 *count = bpf_map_lookup_elem(&packetloss_cut, &index);
	if (count)
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* Linux's address families whose messages are no packets (include/linux/socket.h). AF_PACKET sends real ones. */
static __always_inline _Bool is_local_family(__u16 family)
{
	return family == 1 /* unix */ || family == 15 /* key */ || family == 16 /* netlink */ || family == 38 /* alg */ ||
	       family == 40 /* vsock */;
}

/* May a frame of this type carry IP: in a VLAN, MPLS or PPPoE wrapping? */
static __always_inline _Bool may_carry_ip(__u16 ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x8847 || ethertype == 0x8848 ||
	       ethertype == 0x8864;
}

static __always_inline _Bool holds(__u32 condition, const struct skoop_packet *packet, _Bool local_message)
{
	const __u8 fin_or_reset = 0x05, syn = 0x02;

	switch (condition) {
	case PACKETLOSS_ALWAYS:
		return 1;
	case PACKETLOSS_NOT_IP:
		return !packet->tuple.family && !may_carry_ip(packet->tuple.ethertype);
	case PACKETLOSS_NOT_NETWORK:
		return local_message;
	case PACKETLOSS_BARE_FIN_OR_RESET:
		return packet->tuple.protocol == 6 && packet->tcp_flags & fin_or_reset && !(packet->tcp_flags & syn) &&
		       !packet->payload;
	}
	return 0;
}

static __always_inline _Bool is_normal(__u64 location, __u32 reason, const struct skoop_packet *packet,
				       _Bool local_message)
{
	for (int i = 0; i < PACKETLOSS_MAX_RULES; i++) {
		if (i >= rule_count)
			return 0;
		const volatile struct packetloss_rule *rule = &rules[i];
		if (rule->reason != PACKETLOSS_ANY_REASON && rule->reason != reason)
			continue;
		/* A return address: the call itself lies before it. */
		if (rule->end && (location <= rule->start || location > rule->end))
			continue;
		if (holds(rule->condition, packet, local_message))
			return 1;
	}
	return 0;
}

static __always_inline void count_reason(__u64 netns, __u64 location, __u32 reason, _Bool normal, __u64 now)
{
	struct packetloss_reason_key key = {
		.netns = netns,
		.location = location,
		.reason = reason,
		.normal = normal,
	};
	struct packetloss_reason_count *count = bpf_map_lookup_elem(&packetloss_reasons, &key);

	if (!count) {
		struct packetloss_reason_count zero = {};
		bpf_map_update_elem(&packetloss_reasons, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&packetloss_reasons, &key);
	}
	if (!count) {
		count_cut(normal ? PACKETLOSS_CUT_NORMAL : PACKETLOSS_CUT_REASON);
		skoop_count(SKOOP_CUT);
		return;
	}
	__atomic_fetch_add(&count->total, 1, __ATOMIC_RELAXED);
	count->last_ns = now;
}

static __always_inline void count_tuple(__u64 netns, const struct skoop_tuple *tuple, _Bool netfilter, __u64 now)
{
	struct packetloss_tuple_key key = {
		.netns = netns,
		.family = tuple->family,
		.protocol = tuple->protocol,
	};
	struct packetloss_tuple_count *count;

	__builtin_memcpy(key.source, tuple->source, 16);
	__builtin_memcpy(key.destination, tuple->destination, 16);
	count = bpf_map_lookup_elem(&packetloss_tuples, &key);
	if (!count) {
		struct packetloss_tuple_count zero = {};
		bpf_map_update_elem(&packetloss_tuples, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&packetloss_tuples, &key);
	}
	if (!count) {
		count_cut(PACKETLOSS_CUT_TUPLE);
		if (netfilter)
			count_cut(PACKETLOSS_CUT_TUPLE_NETFILTER);
		skoop_count(SKOOP_CUT);
		return;
	}
	__atomic_fetch_add(&count->total, 1, __ATOMIC_RELAXED);
	if (netfilter)
		__atomic_fetch_add(&count->netfilter, 1, __ATOMIC_RELAXED);
	count->last_ns = now;
}

static __always_inline int handle(void *ctx)
{
	struct packetloss_event event = {};
	struct skoop_packet *packet = &event.packet;
	struct sk_buff *skb = (void *)SKOOP_ARG(ctx, 0);
	struct sock *sk = 0;
	_Bool local_message;
	__u64 netns;

	event.location = SKOOP_ARG(ctx, 1);
	if (kfree_skb_arguments >= 3)
		event.reason = (__u32)SKOOP_ARG(ctx, 2);
	if (kfree_skb_arguments >= 4)
		sk = (void *)SKOOP_ARG(ctx, 3);
	if (!sk)
		sk = BPF_CORE_READ(skb, sk);

	netns = skoop_locate_skb(packet, skb, sk);
	if (!SKOOP_ADMITS(netns))
		return 0;
	if (!skoop_read_headers(packet, skb) && sk) {
		/* Not yet a packet: data in a socket's send queue. Its tuple is the socket's. */
		skoop_read_sk(packet, sk);
	} else if (sk && packet->tuple.protocol == 6) {
		packet->tcp_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	}
	if (packet->tuple.protocol != 6)
		packet->tcp_state = 0;

	/* A local message may have lost its socket: then it has no device and no protocol either. */
	local_message = sk ? is_local_family(BPF_CORE_READ(sk, __sk_common.skc_family))
			   : !packet->ifindex && !packet->tuple.ethertype && !packet->tuple.family;
	event.normal = is_normal(event.location, event.reason, packet, local_message);
	if (metrics_on) {
		__u64 now = bpf_ktime_get_ns();
		_Bool netfilter = reason_netfilter ? event.reason == reason_netfilter
						   : event.location > netfilter_start && event.location <= netfilter_end;
		count_reason(netns, event.location, event.reason, event.normal, now);
		if (!event.normal && packet->tuple.family)
			count_tuple(netns, &packet->tuple, netfilter, now);
	}
	if (event.normal && !show_normal) {
		skoop_count(SKOOP_HIDDEN);
		return 0;
	}
	if (skoop_events_on)
		SKOOP_EMIT(ctx, struct packetloss_event, &event, netns);
	return 0;
}

SEC("tp_btf/kfree_skb")
int kfree_skb_btf(void *ctx)
{
	return handle(ctx);
}

SEC("raw_tp/kfree_skb")
int kfree_skb_raw(void *ctx)
{
	return handle(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
