// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Counts and reports TCP resets: the tracepoints tcp:tcp_send_reset (sk, skb, and from 6.10 the reason; until then
 * only for full sockets) and tcp:tcp_receive_reset (sk), net/ipv4/tcp_ipv4.c and tcp_output.c. The resets of
 * netfilter's REJECT, and before 6.10 those without a socket, are seen as they leave, by net:net_dev_queue.
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

/* Filled in by user space: whose function in the stack means what. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tcpreset_senders);
} tcpreset_senders SEC(".maps");

#define SENDER_FRAMES 24

struct sender_stack {
	__u64 frames[SENDER_FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sender_stack);
} tcpreset_stack SEC(".maps");

/*
 * Resets told of a moment ago, so that none is told of twice: one that crosses a bridge is queued on the bridge and again, as
 * the same or as copies, on its ports; and the tracepoint tells of TCP's own before they are queued.
 */
struct recent_key {
	__u64 netns;
	struct skoop_tuple tuple;
	__u32 seq;
	__u32 ack_seq;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct recent_key);
	__type(value, __u64);
} tcpreset_recent SEC(".maps");

#define RECENT_NS 50000000LL

static __always_inline _Bool is_repeated(const struct recent_key *key)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 *seen = bpf_map_lookup_elem(&tcpreset_recent, key);
	_Bool repeated = seen && (__s64)(now - *seen) < RECENT_NS;

	bpf_map_update_elem(&tcpreset_recent, key, &now, BPF_ANY);
	return repeated;
}

/* Notes the reset that answers a segment (RFC 9293 §3.10.7.1), so that it is not told of again as it is queued. */
static __always_inline void expect_reset(const struct skoop_packet *packet, __u64 netns)
{
	const __u8 fin = 0x01, syn = 0x02, ack = 0x10;
	struct recent_key key = { .netns = netns, .tuple = packet->tuple };

	if (packet->tcp_flags & ack)
		key.seq = packet->ack_seq;
	else
		key.ack_seq = packet->seq + packet->payload + !!(packet->tcp_flags & syn) + !!(packet->tcp_flags & fin);
	is_repeated(&key);
}

enum sender { SENDER_OTHER, SENDER_TCP, SENDER_REJECT };

/* Who sends the reset that is just being queued, by the stack. */
static __always_inline enum sender sender_of(void *ctx)
{
	__u32 zero = 0;
	struct tcpreset_senders *senders = bpf_map_lookup_elem(&tcpreset_senders, &zero);
	struct sender_stack *stack = bpf_map_lookup_elem(&tcpreset_stack, &zero);
	long bytes;

	if (!senders || !stack)
		return SENDER_OTHER;
	bytes = bpf_get_stack(ctx, stack->frames, sizeof(stack->frames), 0);
	for (int i = 0; i < SENDER_FRAMES; i++) {
		if ((i + 1) * 8 > bytes)
			break;
		__u64 frame = stack->frames[i];
		for (int j = 0; j < TCPRESET_MAX_SENDERS; j++) {
			struct tcpreset_sender *function = &senders->functions[j];
			if (frame > function->start && frame <= function->end)
				return function->is_reject ? SENDER_REJECT : SENDER_TCP;
		}
	}
	return SENDER_OTHER;
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
			__atomic_fetch_add(other, 1, __ATOMIC_RELAXED);
		skoop_count(SKOOP_CUT);
		return;
	}
	__atomic_fetch_add(&count->total, 1, __ATOMIC_RELAXED);
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
	/* Before 6.10 the kernel passes here with full sockets only; the others are seen as they are queued. */
	if (tcp_send_reset_arguments < 3 && (!sk || !skoop_sk_is_full(BPF_CORE_READ(sk, __sk_common.skc_state))))
		return 0;
	netns = skoop_locate_skb(packet, skb, sk);
	if (skoop_read_headers(packet, skb))
		reverse(&packet->tuple);
	else if (sk)
		skoop_read_sk(packet, sk);
	packet->tcp_state = sk ? BPF_CORE_READ(sk, __sk_common.skc_state) : 0;
	event.kind = sk ? TCPRESET_PROCESS : TCPRESET_NOSOCK;
	if (tcp_send_reset_arguments < 3)
		expect_reset(packet, netns);
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

/* The socket in whose name the kernel sends resets and acknowledgements over IPv4 (inet_ctl_sock_create). */
static __always_inline _Bool is_control_socket(struct sock *sk)
{
	const __u16 sock_raw = 3, ipproto_tcp = 6;

	return BPF_CORE_READ(sk, sk_type) == sock_raw && BPF_CORE_READ(sk, sk_protocol) == ipproto_tcp;
}

/*
 * Runs for every packet that is queued on a device, so the common cases leave at once: what was forwarded came in by an
 * interface, and what a socket sent has an owner. From 6.10 on the tracepoint tells of all that TCP sends; before, those
 * without a socket are found here.
 */
static __always_inline int queue_packet(void *ctx)
{
	struct tcpreset_event event = {};
	struct skoop_packet *packet = &event.packet;
	struct sk_buff *skb = (void *)SKOOP_ARG(ctx, 0);
	struct sock *sk = BPF_CORE_READ(skb, sk);
	_Bool wants_own = tcp_send_reset_arguments < 3;
	enum sender sender;

	if (sk && !(wants_own && is_control_socket(sk)))
		return 0;
	if (BPF_CORE_READ(skb, skb_iif))
		return 0;
	if (!skoop_read_headers(packet, skb) || packet->tuple.protocol != 6 || !(packet->tcp_flags & TCP_FLAG_RST))
		return 0;
	sender = sender_of(ctx);
	if (sender == SENDER_OTHER || (sender == SENDER_TCP && !wants_own))
		return 0;

	struct recent_key key = {
		.netns = skoop_locate_skb(packet, skb, sk),
		.tuple = packet->tuple,
		.seq = packet->seq,
		.ack_seq = packet->ack_seq,
	};
	if (is_repeated(&key))
		return 0;
	event.kind = TCPRESET_NOSOCK;
	event.reason = sender == SENDER_REJECT ? TCPRESET_REASON_REJECT : TCPRESET_REASON_NONE;
	return report(ctx, &event, key.netns);
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
