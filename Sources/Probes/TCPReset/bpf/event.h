/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What tcpreset.bpf.c and its Swift decoder share. */
#ifndef SKOOP_TCPRESET_EVENT_H
#define SKOOP_TCPRESET_EVENT_H

#include "../../../ProbeKit/bpf/skoop_event.h"

/* The contract's four types. */
enum tcpreset_kind {
	TCPRESET_NOSOCK,  /* sent: no socket matches the segment */
	TCPRESET_PROCESS, /* sent: a socket refuses the segment */
	TCPRESET_ACTIVE,  /* sent: a socket gives its connection up */
	TCPRESET_RECEIVE, /* received */
	TCPRESET_KINDS,
};

/* Instead of a number of the kernel's enum sk_rst_reason: */
#define TCPRESET_REASON_NONE 0xffffffffu   /* the kernel gives none */
#define TCPRESET_REASON_REJECT 0xfffffffeu /* netfilter's REJECT sent it */

struct tcpreset_event {
	struct skoop_event_header header;
	/* The tuple of the reset itself, from its sender; seq, ack_seq and flags of what provoked it. */
	struct skoop_packet packet;
	__u32 kind;
	__u32 reason;
};

struct tcpreset_key {
	__u64 netns;
	__u32 kind;
	__u32 reason;
};

/* Functions whose presence in a stack tells who sends a reset; user space fills this in as modules come and go. */
#define TCPRESET_MAX_SENDERS 16

struct tcpreset_sender {
	__u64 start; /* the function's addresses: [start, end); both 0: unused */
	__u64 end;
	__u64 is_reject; /* netfilter's, else TCP's own */
};

struct tcpreset_senders {
	struct tcpreset_sender functions[TCPRESET_MAX_SENDERS];
};

struct tcpreset_count {
	__u64 total;
	__u64 last_ns;
};

#endif
