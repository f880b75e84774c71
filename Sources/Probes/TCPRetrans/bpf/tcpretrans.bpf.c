// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Counts and reports TCP retransmissions: the tracepoints tcp:tcp_retransmit_skb (sk, skb, and from 6.15 the attempt's
 * result) and tcp:tcp_retransmit_synack (listener, request), net/ipv4/tcp_output.c.
 */
#include "../../../ProbeKit/bpf/skoop.bpf.h"

#include "event.h"

#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
/* enum tcp_ca_state, include/uapi/linux/tcp.h */
#define TCP_CA_RECOVERY 3
#define TCP_CA_LOSS 4
/* include/net/inet_connection_sock.h */
#define ICSK_TIME_LOSS_PROBE 5

const volatile __u32 tcp_retransmit_skb_arguments = 3;
const volatile _Bool metrics_on = 1;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct tcpretrans_tuple_key);
	__type(value, struct tcpretrans_count);
} tcpretrans_tuples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tcpretrans_kind_key);
	__type(value, struct tcpretrans_count);
} tcpretrans_kinds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TCPRETRANS_CUTS);
	__type(key, __u32);
	__type(value, __u64);
} tcpretrans_cut SEC(".maps");

/* Adds to a map's entry, making it first; a full map counts into `cut` and the one behind it for failures. */
static __always_inline void add(void *map, const void *key, _Bool failed, __u32 cut, __u64 now)
{
	struct tcpretrans_count *count = bpf_map_lookup_elem(map, key);

	if (!count) {
		struct tcpretrans_count zero = {};
		bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(map, key);
	}
	if (!count) {
		__u32 index = cut + failed;
		__u64 *other = bpf_map_lookup_elem(&tcpretrans_cut, &index);
		if (other)
			__atomic_fetch_add(other, 1, __ATOMIC_RELAXED);
		skoop_count(SKOOP_CUT);
		return;
	}
	if (failed)
		__atomic_fetch_add(&count->failed, 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&count->total, 1, __ATOMIC_RELAXED);
	count->last_ns = now;
}

static __always_inline int report(void *ctx, struct tcpretrans_event *event, __u64 netns)
{
	if (metrics_on) {
		struct tcpretrans_tuple_key tuple_key = { .netns = netns, .tuple = event->packet.tuple };
		struct tcpretrans_kind_key kind_key = { .netns = netns, .kind = event->kind };
		__u64 now = bpf_ktime_get_ns();
		add(&tcpretrans_tuples, &tuple_key, event->error != 0, TCPRETRANS_CUT_TUPLE, now);
		add(&tcpretrans_kinds, &kind_key, event->error != 0, TCPRETRANS_CUT_KIND, now);
	}
	if (skoop_events_on)
		SKOOP_EMIT(ctx, struct tcpretrans_event, event, netns);
	return 0;
}

static __always_inline __u32 kind_of(struct sock *sk, __u8 state)
{
	struct inet_connection_sock *icsk = (void *)sk;
	__u8 recovery;

	if (state == TCP_SYN_SENT)
		return TCPRETRANS_SYN;
	if (state == TCP_SYN_RECV)
		return TCPRETRANS_SYNACK;
	recovery = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state);
	if (recovery == TCP_CA_LOSS)
		return TCPRETRANS_TIMEOUT;
	if (recovery == TCP_CA_RECOVERY)
		return TCPRETRANS_FAST;
	/* Last: the timer is also pending while acknowledgements make TCP send again (tcp_schedule_loss_probe). */
	if (BPF_CORE_READ(icsk, icsk_pending) == ICSK_TIME_LOSS_PROBE)
		return TCPRETRANS_TAIL_LOSS;
	return TCPRETRANS_UNKNOWN;
}

static __always_inline int retransmit(void *ctx)
{
	struct tcpretrans_event event = {};
	struct sock *sk = (void *)SKOOP_ARG(ctx, 0);
	struct sk_buff *skb = (void *)SKOOP_ARG(ctx, 1);

	if (tcp_retransmit_skb_arguments >= 3)
		event.error = (__s32)SKOOP_ARG(ctx, 2);
	skoop_read_sk(&event.packet, sk);
	skoop_read_sk_interface(&event.packet, sk);
	skoop_read_tcp_cb(&event.packet, skb, &event.end_seq);
	event.packet.length = BPF_CORE_READ(skb, len);
	event.packet.ack_seq = BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt);
	event.kind = kind_of(sk, event.packet.tcp_state);
	return report(ctx, &event, skoop_netns_of_sk(sk));
}

static __always_inline int retransmit_synack(void *ctx)
{
	struct tcpretrans_event event = {};
	struct sock *listener = (void *)SKOOP_ARG(ctx, 0);
	struct sock *request = (void *)SKOOP_ARG(ctx, 1);

	/* A request socket begins with the same struct sock_common as every socket. */
	skoop_read_sk(&event.packet, request);
	event.packet.ifindex = BPF_CORE_READ(request, __sk_common.skc_bound_dev_if);
	event.packet.tcp_flags = 0x12; /* SYN and ACK: the request holds no skb to read them from */
	event.packet.seq = BPF_CORE_READ((struct tcp_request_sock *)request, snt_isn);
	event.packet.ack_seq = BPF_CORE_READ((struct tcp_request_sock *)request, rcv_nxt);
	event.end_seq = event.packet.seq + 1;
	event.kind = TCPRETRANS_SYNACK;
	return report(ctx, &event, skoop_netns_of_sk(listener));
}

SEC("tp_btf/tcp_retransmit_skb")
int tcp_retransmit_skb_btf(void *ctx)
{
	return retransmit(ctx);
}

SEC("raw_tp/tcp_retransmit_skb")
int tcp_retransmit_skb_raw(void *ctx)
{
	return retransmit(ctx);
}

SEC("tp_btf/tcp_retransmit_synack")
int tcp_retransmit_synack_btf(void *ctx)
{
	return retransmit_synack(ctx);
}

SEC("raw_tp/tcp_retransmit_synack")
int tcp_retransmit_synack_raw(void *ctx)
{
	return retransmit_synack(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
