// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Counts and reports TCP resets: the tracepoints tcp:tcp_send_reset (sk, skb, and from 6.10 the reason; until then
 * only for full sockets) and tcp:tcp_receive_reset (sk), net/ipv4/tcp_ipv4.c and tcp_output.c. The resets of
 * netfilter's REJECT pass neither: they are seen as they leave, by net:net_dev_queue.
 */
#include "../../../ProbeKit/bpf/skoop.bpf.h"

#include "event.h"

#define TCP_FLAG_RST 0x04

const volatile __u32 tcp_send_reset_arguments = 3;
const volatile _Bool metrics_on = 1;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tcpreset_key);
	__type(value, struct tcpreset_count);
} tcpreset_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} tcpreset_cut SEC(".maps");

/*
 * Resets seen a moment ago, by their tuple, so that none is told of twice: TCP's own for IPv6 leave without an owner, like
 * netfilter's (tcp_v6_send_response), and a packet that crosses two devices (a bridge and its port) is queued twice.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct skoop_tuple);
	__type(value, __u64);
} tcpreset_recent SEC(".maps");

#define RECENT_NS 3000000000ULL /* a reset may wait that long for its neighbour to be resolved */

static __always_inline void remember(const struct skoop_tuple *tuple)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&tcpreset_recent, tuple, &now, BPF_ANY);
}

static __always_inline _Bool is_repeated(const struct skoop_tuple *tuple)
{
	__u64 *seen = bpf_map_lookup_elem(&tcpreset_recent, tuple);

	return seen && bpf_ktime_get_ns() - *seen < RECENT_NS;
}

static __always_inline void count(__u64 netns, const struct tcpreset_event *event)
{
	struct tcpreset_key key = { .netns = netns, .kind = event->kind, .reason = event->reason };
	struct tcpreset_count *count = bpf_map_lookup_elem(&tcpreset_counts, &key);

	if (!count) {
		struct tcpreset_count zero = {};
		bpf_map_update_elem(&tcpreset_counts, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&tcpreset_counts, &key);
	}
	if (!count) {
		__u32 index = 0;
		__u64 *other = bpf_map_lookup_elem(&tcpreset_cut, &index);
		if (other)
			__sync_fetch_and_add(other, 1);
		skoop_count(SKOOP_CUT);
		return;
	}
	__sync_fetch_and_add(&count->total, 1);
	count->last_ns = bpf_ktime_get_ns();
}

static __always_inline int report(void *ctx, struct tcpreset_event *event, __u64 netns)
{
	if (metrics_on)
		count(netns, event);
	if (skoop_events_on)
		SKOOP_EMIT(ctx, struct tcpreset_event, event, netns);
	return 0;
}

static __always_inline void reverse(struct skoop_tuple *tuple)
{
	struct skoop_tuple from = *tuple;

	__builtin_memcpy(tuple->source, from.destination, 16);
	__builtin_memcpy(tuple->destination, from.source, 16);
	tuple->source_port = from.destination_port;
	tuple->destination_port = from.source_port;
}

static __always_inline void read_own_numbers(struct skoop_packet *packet, struct sock *sk)
{
	packet->seq = BPF_CORE_READ((struct tcp_sock *)sk, snd_nxt);
	packet->ack_seq = BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt);
}

static __always_inline int send_reset(void *ctx)
{
	struct tcpreset_event event = {};
	struct skoop_packet *packet = &event.packet;
	struct sock *sk = (void *)SKOOP_ARG(ctx, 0);
	struct sk_buff *skb = (void *)SKOOP_ARG(ctx, 1);
	__u64 netns;

	event.reason = tcp_send_reset_arguments >= 3 ? (__u32)SKOOP_ARG(ctx, 2) : TCPRESET_REASON_NONE;
	if (!skb) {
		/* The socket itself ends the connection: no segment provoked it. */
		if (!sk)
			return 0;
		skoop_read_sk(packet, sk);
		skoop_read_sk_interface(packet, sk);
		read_own_numbers(packet, sk);
		event.kind = TCPRESET_ACTIVE;
		return report(ctx, &event, skoop_netns_of_sk(sk));
	}
	netns = skoop_locate_skb(packet, skb, sk);
	if (skoop_read_headers(packet, skb))
		reverse(&packet->tuple);
	else if (sk)
		skoop_read_sk(packet, sk);
	packet->tcp_state = sk ? BPF_CORE_READ(sk, __sk_common.skc_state) : 0;
	event.kind = sk ? TCPRESET_PROCESS : TCPRESET_NOSOCK;
	if (packet->tuple.family == 6)
		remember(&packet->tuple);
	return report(ctx, &event, netns);
}

static __always_inline int receive_reset(void *ctx)
{
	struct tcpreset_event event = {};
	struct sock *sk = (void *)SKOOP_ARG(ctx, 0);

	skoop_read_sk(&event.packet, sk);
	skoop_read_sk_interface(&event.packet, sk);
	reverse(&event.packet.tuple);
	if (skoop_sk_is_full(event.packet.tcp_state))
		read_own_numbers(&event.packet, sk);
	event.packet.tcp_flags = TCP_FLAG_RST;
	event.kind = TCPRESET_RECEIVE;
	event.reason = TCPRESET_REASON_NONE;
	return report(ctx, &event, skoop_netns_of_sk(sk));
}

/*
 * Runs for every packet that is queued on a device, so the common cases leave at once: what a socket sent (TCP's own
 * resets too, by its control socket) has an owner, and what was forwarded came in by an interface.
 */
static __always_inline int queue_packet(void *ctx)
{
	struct tcpreset_event event = {};
	struct sk_buff *skb = (void *)SKOOP_ARG(ctx, 0);
	__u64 netns;

	if (BPF_CORE_READ(skb, sk) || BPF_CORE_READ(skb, skb_iif))
		return 0;
	if (!skoop_read_headers(&event.packet, skb) || event.packet.tuple.protocol != 6 ||
	    !(event.packet.tcp_flags & TCP_FLAG_RST))
		return 0;
	/* Before 6.10 TCP does not tell of its resets without a socket: for IPv6 they could not be told apart. */
	if (event.packet.tuple.family == 6 && tcp_send_reset_arguments < 3)
		return 0;
	if (is_repeated(&event.packet.tuple))
		return 0;
	remember(&event.packet.tuple);
	netns = skoop_locate_skb(&event.packet, skb, 0);
	event.kind = TCPRESET_NOSOCK;
	event.reason = TCPRESET_REASON_REJECT;
	return report(ctx, &event, netns);
}

SEC("tp_btf/tcp_send_reset")
int tcp_send_reset_btf(void *ctx)
{
	return send_reset(ctx);
}

SEC("raw_tp/tcp_send_reset")
int tcp_send_reset_raw(void *ctx)
{
	return send_reset(ctx);
}

SEC("tp_btf/tcp_receive_reset")
int tcp_receive_reset_btf(void *ctx)
{
	return receive_reset(ctx);
}

SEC("raw_tp/tcp_receive_reset")
int tcp_receive_reset_raw(void *ctx)
{
	return receive_reset(ctx);
}

SEC("tp_btf/net_dev_queue")
int net_dev_queue_btf(void *ctx)
{
	return queue_packet(ctx);
}

SEC("raw_tp/net_dev_queue")
int net_dev_queue_raw(void *ctx)
{
	return queue_packet(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
