/*
 * Includes the shared headers so that an edit rebuilds what depends on them, and holds the layouts to what both compilers
 * must see: no hidden padding, frames right behind an event.
 */
#include "CProbeEvents.h"

_Static_assert(sizeof(struct skoop_event_header) == 56, "record header");
_Static_assert(sizeof(struct skoop_tuple) == 40, "tuple");
_Static_assert(sizeof(struct skoop_packet) == 80, "packet");
_Static_assert(sizeof(struct packetloss_event) == 152, "packetloss event");
_Static_assert(sizeof(struct packetloss_tuple_key) == 48, "packetloss tuple key");
_Static_assert(sizeof(struct packetloss_reason_key) == 24, "packetloss reason key");
_Static_assert(sizeof(struct tcpretrans_event) == 152, "tcpretrans event");
_Static_assert(sizeof(struct tcpretrans_tuple_key) == 48, "tcpretrans tuple key");
_Static_assert(sizeof(struct tcpreset_event) == 144, "tcpreset event");
_Static_assert(sizeof(struct tcpreset_key) == 16, "tcpreset key");
