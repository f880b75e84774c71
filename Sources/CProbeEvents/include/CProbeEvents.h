/* Every record and map layout that kernel programs and Swift share. A probe with a kernel part adds its line. */
#include "../../ProbeKit/bpf/skoop_event.h"

#include "../../Probes/PacketLoss/bpf/event.h"
#include "../../Probes/TCPReset/bpf/event.h"
#include "../../Probes/TCPRetrans/bpf/event.h"
