/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What tcpretrans.bpf.c and its Swift decoder share. */
#ifndef SKOOP_TCPRETRANS_EVENT_H
#define SKOOP_TCPRETRANS_EVENT_H

#include "../../../ProbeKit/bpf/skoop_event.h"

/* Why TCP sent it again, as far as the socket tells. */
enum tcpretrans_kind {
	TCPRETRANS_UNKNOWN,
	TCPRETRANS_TIMEOUT,   /* the retransmission timer expired, or recovery after it */
	TCPRETRANS_FAST,      /* duplicate acknowledgements, SACK or RACK */
	TCPRETRANS_TAIL_LOSS, /* a tail loss probe */
	TCPRETRANS_SYN,       /* no answer to our SYN */
	TCPRETRANS_SYNACK,    /* no answer to our SYN-ACK */
	TCPRETRANS_KINDS,
};

struct tcpretrans_event {
	struct skoop_event_header header;
	struct skoop_packet packet;
	__u32 end_seq;
	__u32 kind;
	__s32 error; /* 0, or what an attempt failed with: a negative errno, or NET_XMIT_DROP of this host's queue */
	__u32 padding;
};

struct tcpretrans_tuple_key {
	__u64 netns;
	struct skoop_tuple tuple;
};

struct tcpretrans_count {
	__u64 total;  /* attempts that went out */
	__u64 failed; /* attempts that did not */
	__u64 last_ns;
};

struct tcpretrans_kind_key {
	__u64 netns;
	__u64 kind;
};

enum tcpretrans_cut {
	TCPRETRANS_CUT_TUPLE,
	TCPRETRANS_CUT_TUPLE_FAILED,
	TCPRETRANS_CUT_KIND,
	TCPRETRANS_CUT_KIND_FAILED,
	TCPRETRANS_CUTS,
};

#endif
