/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Include this first: events come only of namespaces that user space has put into the map, so that other work on the
 * machine neither fills the ring buffer nor keeps its reader busy.
 */
#define SKOOP_ADMITS(netns) pathlab_watches(netns)

#include "../../../Sources/ProbeKit/bpf/skoop.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} pathlab_watched SEC(".maps");

static __always_inline _Bool pathlab_watches(__u64 netns)
{
	return bpf_map_lookup_elem(&pathlab_watched, &netns) != 0;
}
