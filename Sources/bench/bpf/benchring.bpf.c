/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Fills the ring buffer for skoop-bench with records such as packetloss writes, as many a call as wanted, over as many
 * keys as wanted. Run by BPF_PROG_TEST_RUN, never attached. Arguments: first number, records, keys. Needs 5.17 (bpf_loop).
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../../Probes/PacketLoss/bpf/event.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 21);
} benchring_events SEC(".maps");

struct position {
	__u64 first;
	__u64 keys;
};

static long write_record(__u32 index, struct position *position)
{
	/* A fixed scattered order (splitmix64), so that both readers get the same records. */
	__u64 number = (position->first + index + 1) * 0x9e3779b97f4a7c15ULL;
	struct packetloss_event *event;
	__u32 key;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9ULL;
	number = (number ^ number >> 27) * 0x94d049bb133111ebULL;
	key = (number ^ number >> 31) % position->keys;
	event = bpf_ringbuf_reserve(&benchring_events, sizeof(*event), 0);
	if (!event)
		return 1;
	__builtin_memset(event, 0, sizeof(*event));
	event->header.version = SKOOP_RECORD_VERSION;
	event->header.time_ns = bpf_ktime_get_ns();
	event->header.netns = 4097 + key % 61;
	event->packet.tuple.family = 4;
	event->packet.tuple.protocol = 6;
	event->packet.tuple.ethertype = 0x0800;
	event->packet.tuple.source[0] = 10;
	event->packet.tuple.source[2] = key >> 8;
	event->packet.tuple.source[3] = key;
	event->packet.tuple.destination[0] = 10;
	event->packet.tuple.destination[1] = 96;
	event->packet.tuple.destination[3] = key % 13;
	event->packet.tuple.source_port = 1024 + key;
	event->packet.tuple.destination_port = 80;
	event->packet.length = 60;
	event->reason = 2;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("raw_tp")
int benchring_fill(const __u64 *arguments)
{
	struct position position = { .first = arguments[0], .keys = arguments[2] };

	if (!position.keys)
		return 0;
	bpf_loop((__u32)arguments[1], write_record, &position, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
