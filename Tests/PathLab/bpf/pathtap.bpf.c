// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Reports every packet that is handed to an interface's driver: the tracepoint net:net_dev_start_xmit (net/core/dev.c
 * xmit_one). Its arguments: skb, dev. For the path laboratory only.
 */
#include "watched.bpf.h"

/* The runner sets it; there is nothing to count. */
const volatile _Bool metrics_on = 0;

struct pathtap_event {
	struct skoop_event_header header;
	struct skoop_packet packet;
	__u32 hops_left; /* TTL or hop limit */
	__u32 fragment;  /* offset of an IPv4 fragment, in 8 bytes */
};

static __always_inline int handle(void *ctx)
{
	struct pathtap_event event = {};
	struct sk_buff *skb = (void *)SKOOP_ARG(ctx, 0);
	__u64 netns = skoop_locate_skb(&event.packet, skb, 0);
	const void *head = BPF_CORE_READ(skb, head);
	__u8 header[20];

	if (!SKOOP_ADMITS(netns) || !skoop_read_headers(&event.packet, skb))
		return 0;
	if (bpf_probe_read_kernel(header, sizeof(header), head + BPF_CORE_READ(skb, network_header)))
		return 0;
	if (event.packet.tuple.family == 4) {
		event.hops_left = header[8];
		event.fragment = (header[6] & 0x1f) << 8 | header[7];
	} else {
		event.hops_left = header[7];
	}
	if (skoop_events_on)
		SKOOP_EMIT(ctx, struct pathtap_event, &event, netns);
	return 0;
}

SEC("tp_btf/net_dev_start_xmit")
int net_dev_start_xmit_btf(void *ctx)
{
	return handle(ctx);
}

SEC("raw_tp/net_dev_start_xmit")
int net_dev_start_xmit_raw(void *ctx)
{
	return handle(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
