/* The event reader's work in C: ring buffer, decode, count. Sources/bench/SwiftCounter.swift does the same in Swift. */
#include "CBenchReference.h"

#include <CProbeEvents.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

struct cbench_reader {
	struct ring_buffer *ring;
	struct cbench_slot *slots;
	uint64_t mask;
};

static uint64_t hash(const struct cbench_key *key)
{
	uint64_t value = 0xcbf29ce484222325;

	for (int i = 0; i < 6; i++) {
		value = (value ^ key->words[i]) * 0x9e3779b97f4a7c15;
		value ^= value >> 32;
	}
	return value;
}

static int equal(const struct cbench_key *a, const struct cbench_key *b)
{
	/* In words: a call of memcmp(3) costs more than the six comparisons. */
	for (int i = 0; i < 6; i++)
		if (a->words[i] != b->words[i])
			return 0;
	return 1;
}

static int receive(void *context, void *data, size_t size)
{
	struct cbench_reader *reader = context;
	const struct packetloss_event *event = data;
	struct cbench_key key;
	uint64_t index;

	_Static_assert(sizeof(key) == 8 + sizeof(event->packet.tuple), "key");
	if (size < sizeof(*event) || event->header.version != SKOOP_RECORD_VERSION)
		return 0;
	key.words[0] = event->header.netns;
	memcpy(&key.words[1], &event->packet.tuple, sizeof(event->packet.tuple));
	for (index = hash(&key) & reader->mask;; index = (index + 1) & reader->mask) {
		struct cbench_slot *slot = &reader->slots[index];

		if (!slot->count) {
			slot->key = key;
			slot->count = 1;
			return 0;
		}
		if (equal(&slot->key, &key)) {
			slot->count++;
			return 0;
		}
	}
}

struct cbench_reader *cbench_reader_new(int map, uint64_t capacity)
{
	struct cbench_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->slots = calloc(capacity, sizeof(*reader->slots));
	reader->mask = capacity - 1;
	reader->ring = reader->slots ? ring_buffer__new(map, receive, reader, NULL) : NULL;
	if (!reader->ring) {
		free(reader->slots);
		free(reader);
		return NULL;
	}
	return reader;
}

void cbench_reader_free(struct cbench_reader *reader)
{
	ring_buffer__free(reader->ring);
	free(reader->slots);
	free(reader);
}

int cbench_reader_drain(struct cbench_reader *reader)
{
	return ring_buffer__consume(reader->ring);
}

const struct cbench_slot *cbench_reader_slots(const struct cbench_reader *reader)
{
	return reader->slots;
}
