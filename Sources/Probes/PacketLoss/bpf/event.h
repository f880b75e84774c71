/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What packetloss.bpf.c and its Swift decoder share. */
#ifndef SKOOP_PACKETLOSS_EVENT_H
#define SKOOP_PACKETLOSS_EVENT_H

#include "../../../ProbeKit/bpf/skoop_event.h"

struct packetloss_event {
	struct skoop_event_header header;
	struct skoop_packet packet;
	__u64 location; /* the address that kfree_skb was called from */
	__u32 reason;   /* enum skb_drop_reason of the running kernel; 0 before 5.17 */
	__u32 normal;   /* by the table of normal drops */
};

/* Counts by addresses, for the contract's metrics. */
struct packetloss_tuple_key {
	__u64 netns;
	__u8 source[16];
	__u8 destination[16];
	__u8 family;
	__u8 protocol;
	__u8 padding[6];
};

struct packetloss_tuple_count {
	__u64 total;
	__u64 netfilter;
	__u64 last_ns;
};

/* Counts by reason and place; normal drops too. */
struct packetloss_reason_key {
	__u64 netns;
	__u64 location;
	__u32 reason;
	__u32 normal;
};

struct packetloss_reason_count {
	__u64 total;
	__u64 last_ns;
};

/* What a full map could not take, by index. */
enum packetloss_cut {
	PACKETLOSS_CUT_TUPLE,
	PACKETLOSS_CUT_TUPLE_NETFILTER,
	PACKETLOSS_CUT_REASON,
	PACKETLOSS_CUT_NORMAL,
	PACKETLOSS_CUTS,
};

/* One row of the table of normal drops: it matches when all it names match. */
#define PACKETLOSS_MAX_RULES 96
#define PACKETLOSS_ANY_REASON 0xffffffffu

enum packetloss_condition {
	PACKETLOSS_ALWAYS,
	PACKETLOSS_NOT_IP,            /* neither IP nor a wrapping that may carry it */
	PACKETLOSS_NOT_NETWORK,       /* no frame at all: a message of a unix or netlink socket */
	PACKETLOSS_BARE_FIN_OR_RESET, /* TCP with FIN or RST, without SYN or payload */
};

struct packetloss_rule {
	__u32 reason; /* or PACKETLOSS_ANY_REASON */
	__u32 condition;
	__u64 start; /* the function's addresses: [start, end); both 0: any */
	__u64 end;
};

#endif
