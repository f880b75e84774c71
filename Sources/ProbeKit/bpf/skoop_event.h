/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What every probe's record shares between kernel and user space. Included by the kernel programs and, through
 * CProbeEvents, by Swift. Change a layout and you must change SKOOP_RECORD_VERSION.
 *
 * Integers are in host order, addresses in network order (an IPv4 address uses the first four bytes).
 */
#ifndef SKOOP_EVENT_H
#define SKOOP_EVENT_H

#include <linux/types.h>

#define SKOOP_RECORD_VERSION 1
#define SKOOP_MAX_FRAMES 64

/* Sizes of the maps that all probes share; the runner creates them. */
#define SKOOP_MAX_PROBES 32
#define SKOOP_MAX_LIMITED_NETNS 4096

/* What happened to what a probe saw: seen = submitted + lost + limited. Index: probe * SKOOP_OUTCOMES + outcome. */
enum skoop_outcome {
	SKOOP_SEEN,      /* an event was due */
	SKOOP_SUBMITTED, /* ... and went into the ring buffer */
	SKOOP_LOST,      /* ... and found the ring buffer full */
	SKOOP_LIMITED,   /* ... and was over the rate of its namespace */
	SKOOP_HIDDEN,    /* no event was due: normal by the probe's table */
	SKOOP_CUT,       /* a counting map was full: counted in the series "other" */
	SKOOP_OUTCOMES = 8,
};

/* The rate limiter's key: each probe and namespace has its own allowance. */
struct skoop_limit_key {
	__u64 netns;
	__u64 probe;
};

struct skoop_limit {
	__u64 window_start_ns;
	__u64 count;
};

struct skoop_event_header {
	__u16 version;
	__u16 probe;
	__u32 cpu;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 netns;   /* cookie, or the inode with bit 63 set on kernels without cookies; 0: unknown */
	__u32 pid;     /* the task that the CPU was running: not always the packet's owner */
	__u32 tid;
	char comm[16];
	__u32 stack_bytes; /* of the frames behind the record's fixed part */
	__u32 padding;
};

struct skoop_tuple {
	__u8 source[16];
	__u8 destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u8 family;   /* 4, 6, or 0 when it is no IP packet */
	__u8 protocol; /* IP protocol number */
	__u16 ethertype;
};

struct skoop_packet {
	struct skoop_tuple tuple;
	__u32 seq;
	__u32 ack_seq;
	__u32 length; /* of the skb, bytes */
	__u32 ifindex;
	char ifname[16];
	__u8 tcp_flags;
	__u8 tcp_state; /* of the socket, 0 when there is none */
	__u8 icmp_type;
	__u8 icmp_code;
	__u32 payload; /* of TCP, bytes, by the IP header */
};

#endif
