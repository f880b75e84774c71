// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The packetloss probe as it is, but for the watched namespaces only. */
#include "watched.bpf.h"

#include "../../../Sources/Probes/PacketLoss/bpf/packetloss.bpf.c"
