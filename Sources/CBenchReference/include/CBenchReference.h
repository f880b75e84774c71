/*
 * What skoop-bench measures against and with: the work of the event reader in C, and traffic by plain sockets. Traffic
 * functions act in the network namespace of the calling thread and return a value >= 0 or -errno.
 */
#ifndef SKOOP_CBENCHREFERENCE_H
#define SKOOP_CBENCHREFERENCE_H

#include <stdint.h>
#include <sys/types.h>

/* ---- the reader's work in C ---- */

/* A connection in a namespace: the words of struct skoop_event_header.netns and struct skoop_tuple. */
struct cbench_key {
	uint64_t words[6];
};

struct cbench_slot {
	struct cbench_key key;
	uint64_t count; /* 0: the slot is free */
};

struct cbench_reader;

/* Reads the ring buffer `map` and counts its records by key in a table of `capacity` slots (a power of two). NULL: errno. */
struct cbench_reader *cbench_reader_new(int map, uint64_t capacity);
void cbench_reader_free(struct cbench_reader *reader);

/* Reads what is there; returns the number of records. */
int cbench_reader_drain(struct cbench_reader *reader);
const struct cbench_slot *cbench_reader_slots(const struct cbench_reader *reader);

/* ---- processes ---- */

/* Starts `path run --config configuration` with its output in `log`; it ends with the calling thread. Returns its pid. */
pid_t cbench_spawn_agent(const char *path, const char *configuration, const char *log);

/* Blocks SIGINT and SIGTERM for this thread and those it will start. */
void cbench_block_signals(void);

/* Waits for one of them. */
int cbench_wait_signal(void);

/* ---- traffic ---- */

/* Sends UDP datagrams for `milliseconds`, `per_second` of them (0: as fast as it goes). Returns how many. */
int64_t cbench_udp(const char *address, uint16_t port, int milliseconds, uint32_t per_second);

/* A TCP listener on all addresses. */
int cbench_listen(uint16_t port);

/* Serves one connection after another until the listener is shut down: reads to the end, then closes. */
void cbench_serve(int listener);
void cbench_stop_serving(int listener);

/* Writes into one connection for `milliseconds`, waits for its end, and returns the bytes written. */
int64_t cbench_stream(const char *address, uint16_t port, int milliseconds, double *seconds);

/* Opens and closes connections for `milliseconds`. Returns how many; refused ones count too. */
int64_t cbench_connects(const char *address, uint16_t port, int milliseconds, double *seconds);

/* Begins `count` connections, waits `milliseconds`, and gives them up. */
int cbench_half_open(const char *address, uint16_t port, int count, int milliseconds);

#endif
