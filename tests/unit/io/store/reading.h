/*
 * reading — a store on a simulated disk with its helper stepped by hand, and beside it a list of
 * all events that it was ever given: what the tests of the read side compare with.
 *
 * The bytes of an event follow from its sequence, so the list has only what is decided by chance.
 */
#ifndef WR_TESTS_READING_H
#define WR_TESTS_READING_H

#include "harness/harness.h"
#include "io/store/store_private.h"
#include "sim_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READING_EVENTS_MAX = 65536, READING_WORKERS = 8, READING_PAYLOAD_BYTES_MAX = 65536 };

struct reading_event {
	uint32_t worker, item, bytes;
};

struct reading {
	struct wr_sim_disk *sim;
	struct wr_disk disk;
	struct wr_fs_config config;
	struct wr_fs_store *store;
	struct wr_store port;
	uint64_t random;
	uint64_t replayed; /* newest event or checkpoint that the last opening gave */

	uint64_t head;
	struct reading_event events[READING_EVENTS_MAX + 1]; /* by sequence */
	uint32_t items[READING_WORKERS + 1];
};

static uint64_t reading_now_ms = 1000;

static inline uint64_t reading_now(void)
{
	return reading_now_ms;
}

static inline int64_t reading_wall(void)
{
	return 1700000000000;
}

static inline enum wr_status reading_entropy(void *out, size_t bytes)
{
	static uint64_t state = 1;
	char *at = out;

	while (bytes-- != 0)
		*at++ = (char)wr_test_random(&state);
	return WR_OK;
}

static inline uint64_t reading_draw(struct reading *self, uint64_t below)
{
	return wr_test_random(&self->random) % below;
}

static inline struct wr_view reading_payload(uint64_t sequence, size_t bytes)
{
	static char payload[READING_PAYLOAD_BYTES_MAX];
	uint64_t state = sequence;

	CHECK(bytes <= sizeof payload);
	for (size_t i = 0; i < bytes; i++) {
		if (i % 8 == 0)
			wr_test_random(&state);
		payload[i] = (char)(state >> i % 8 * 8);
	}
	return wr_view_of(payload, bytes);
}

static inline void reading_check_record(const struct reading *self,
					const struct wr_store_record *record, uint64_t sequence)
{
	const struct reading_event *event = &self->events[sequence];

	CHECK_U64(record->sequence, sequence);
	CHECK_U64(record->worker, event->worker);
	CHECK_U64(record->item, event->item);
	CHECK(wr_view_equal(record->payload, reading_payload(sequence, event->bytes)));
}

/* ---- life ---- */

/* Segments of 8 KiB, records of at most 1 KiB, room for 12 segments. */
static inline struct reading *reading_new(uint64_t seed)
{
	static struct reading reading; /* one per process: it is large */
	struct reading *self = &reading;

	memset(self, 0, sizeof *self);
	self->random = seed;
	self->sim = wr_sim_disk_new();
	self->disk = wr_sim_disk_port(self->sim);
	wr_fs_defaults(&self->config);
	self->config.disk = &self->disk;
	self->config.is_inline = true;
	self->config.scrub_ms = 0; /* test_scrub.c sets it */
	self->config.segment_bytes = 8192;
	self->config.bytes_max = UINT64_C(8192) * 1024;
	self->config.payload_bytes_max = 1024;
	self->config.now_ms = reading_now;
	self->config.wall_ms = reading_wall;
	self->config.entropy = reading_entropy;
	return self;
}

static inline enum wr_status reading_replay_part(void *context,
						 const struct wr_store_record *record)
{
	struct reading *self = context;

	self->replayed = record->sequence;
	return WR_OK;
}

static inline enum wr_status reading_replay_event(void *context,
						  const struct wr_store_record *record)
{
	struct reading *self = context;

	reading_check_record(self, record, record->sequence);
	self->replayed = record->sequence;
	return WR_OK;
}

static inline enum wr_status reading_replay_quarantine(void *context, uint32_t worker)
{
	(void)context;
	(void)worker;
	return WR_OK;
}

static inline enum wr_status reading_try_open(struct reading *self)
{
	const struct wr_store_replay replay = {self, reading_replay_part, reading_replay_event,
					       reading_replay_quarantine};
	struct wr_store_log log;
	struct wr_fs_error error;
	enum wr_status status;

	self->replayed = 0;
	status = wr_fs_store_open(&self->store, wr_test_allocator(), &self->config, &error);
	if (status != WR_OK)
		return status;
	self->port = wr_fs_store_port(self->store);
	status = self->port.ops->replay(self->port.context, &log, &replay);
	if (status != WR_OK) {
		wr_fs_store_close(self->store);
		wr_sim_disk_kill(self->sim);
		self->store = NULL;
	}
	return status;
}

static inline void reading_open(struct reading *self)
{
	CHECK_STATUS(reading_try_open(self), WR_OK);
	CHECK_U64(self->store->head, self->head);
}

static inline void reading_close(struct reading *self)
{
	wr_fs_store_close(self->store);
	self->store = NULL;
	CHECK_U64(wr_sim_disk_open_count(self->sim), 0);
	wr_sim_disk_kill(self->sim); /* the lock is the process's */
}

static inline void reading_free(struct reading *self)
{
	if (self->store != NULL)
		reading_close(self);
	wr_sim_disk_free(self->sim);
}

/* ---- turns ---- */

static inline void reading_checkpoint(struct reading *self)
{
	const struct wr_store_ops *ops = self->port.ops;

	if (!ops->wants_checkpoint(self->port.context) ||
	    ops->checkpoint_begin(self->port.context) != WR_OK)
		return;
	if (ops->checkpoint_add(self->port.context, WR_VIEW("the state")) == WR_OK)
		ops->checkpoint_end(self->port.context);
}

/* Turns and steps until nothing moves any more. */
static inline void reading_rest(struct reading *self)
{
	do {
		wr_fs_store_turn(self->store);
		reading_now_ms += 10;
	} while (wr_jobs_step(self->store->jobs));
}

static inline enum wr_status reading_try_append(struct reading *self, uint32_t worker, bool is_item,
						size_t bytes)
{
	uint64_t sequence = self->head + 1;
	uint32_t item = is_item ? self->items[worker] + 1 : 0;
	struct wr_store_record record = {sequence, worker, item, reading_payload(sequence, bytes)};
	enum wr_status status;

	CHECK(sequence <= READING_EVENTS_MAX);
	status = self->port.ops->append(self->port.context, &record, WR_STORE_ORDINARY);
	if (status != WR_OK)
		return status;
	self->head = sequence;
	self->events[sequence] = (struct reading_event){worker, item, (uint32_t)bytes};
	if (is_item)
		self->items[worker] = item;
	return WR_OK;
}

/* Appends, waiting for room where that must be prepared. */
static inline void reading_append(struct reading *self, uint32_t worker, bool is_item, size_t bytes)
{
	for (unsigned tries = 0; tries < 50; tries++) {
		enum wr_status status = reading_try_append(self, worker, is_item, bytes);

		if (status == WR_OK) {
			reading_checkpoint(self);
			return;
		}
		CHECK(status == WR_OVERLOAD || status == WR_FULL);
		reading_now_ms += 500;
		reading_rest(self);
		reading_checkpoint(self);
	}
	wr_test_fail(__FILE__, __LINE__, "room is made in time");
}

/* Events of all Workers by chance; every fourth one an item. */
static inline void reading_append_random(struct reading *self, unsigned count)
{
	while (count-- != 0)
		reading_append(self, (uint32_t)reading_draw(self, READING_WORKERS + 1),
			       reading_draw(self, 4) == 0, (size_t)reading_draw(self, 120));
}

/* ---- damage ---- */

/* Where the record of a sequence is. */
static inline uint64_t reading_offset(struct reading *self, uint64_t sequence,
				      struct wr_segment **segment)
{
	struct wr_index_entry entry;
	uint32_t hint = 0;

	for (uint32_t i = 0; i < self->store->segment_count; i++) {
		*segment = &self->store->segments[i];
		if ((*segment)->first_sequence > sequence || (*segment)->next_sequence <= sequence)
			continue;
		CHECK_STATUS(wr_fs_index_find(self->store, *segment, self->events[sequence].worker,
					      sequence - 1, 0, &hint, &entry),
			     WR_OK);
		return (uint64_t)entry.place * WR_RECORD_ALIGN;
	}
	wr_test_fail(__FILE__, __LINE__, "the sequence is in a segment");
}

static inline void reading_flip(struct reading *self, const char *name, uint64_t offset)
{
	struct wr_view file;
	char *copy;

	CHECK(wr_sim_disk_file(self->sim, name, &file));
	CHECK(offset < file.bytes);
	copy = malloc(file.bytes);
	CHECK(copy != NULL);
	memcpy(copy, file.data, file.bytes);
	copy[offset] = (char)(copy[offset] ^ 4);
	wr_sim_disk_put(self->sim, name, wr_view_of(copy, file.bytes));
	free(copy);
}

/* ---- comparing ---- */

static inline uint64_t reading_evicted(const struct reading *self, uint32_t worker)
{
	return self->port.ops->evicted(self->port.context, worker);
}

static inline uint32_t reading_first_item(const struct reading *self, uint32_t worker)
{
	return self->port.ops->first_item(self->port.context, worker);
}

/* Worker 0 means what a row means: the Runtime's own. */
static inline bool reading_is_kept(const struct reading *self, uint64_t sequence)
{
	const struct reading_event *event = &self->events[sequence];
	const struct wr_stream_row *row = wr_fs_row_find(self->store, event->worker);

	return row != NULL &&
	       (sequence > row->evicted || (event->item != 0 && event->item >= row->first_item));
}

/* The sequence that next has to give; 0: none. */
static inline uint64_t reading_expected(const struct reading *self, uint32_t scope, uint64_t after)
{
	uint64_t visible = self->port.ops->visible(self->port.context);

	for (uint64_t i = after + 1; i <= visible; i++)
		if ((scope == 0 || self->events[i].worker == scope) && reading_is_kept(self, i))
			return i;
	return 0;
}

/* Reads a scope from `after` to its end, with or without a place that goes along. */
static inline void reading_check_scope(struct reading *self, uint32_t scope, uint64_t after,
				       bool has_place)
{
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;

	for (;;) {
		uint64_t expected = reading_expected(self, scope, after);
		enum wr_status status =
			self->port.ops->next(self->port.context, scope, after, &place, &record);

		if (expected == 0) {
			CHECK_STATUS(status, WR_NOT_FOUND);
			return;
		}
		CHECK_STATUS(status, WR_OK);
		reading_check_record(self, &record, expected);
		after = expected;
		if (!has_place)
			place = (struct wr_store_place){0, 0};
	}
}

static inline void reading_check_items(struct reading *self, uint32_t worker, bool has_place)
{
	uint32_t first = reading_first_item(self, worker);
	uint64_t visible = self->port.ops->visible(self->port.context);
	struct wr_store_place place = {0, 0};

	for (uint64_t i = 1; i <= self->head; i++) {
		const struct reading_event *event = &self->events[i];
		struct wr_store_record record;
		enum wr_status status;

		if (event->worker != worker || event->item == 0)
			continue;
		status = self->port.ops->item(self->port.context, worker, event->item, &place,
					      &record);
		CHECK_STATUS(status, event->item < first || i > visible ? WR_NOT_FOUND : WR_OK);
		if (status == WR_OK)
			reading_check_record(self, &record, i);
		if (!has_place)
			place = (struct wr_store_place){0, 0};
	}
}

/* What the store counts of each stream is what is kept of it, and what it says was given up was. */
static inline void reading_check_rows(const struct reading *self)
{
	uint64_t evicted = 0;

	for (uint32_t worker = 0; worker <= READING_WORKERS; worker++) {
		const struct wr_stream_row *row = wr_fs_row_find(self->store, worker);
		uint64_t event_bytes = 0, item_bytes = 0, newest = 0, gone = 0;

		for (uint64_t i = 1; row != NULL && i <= self->head; i++) {
			const struct reading_event *event = &self->events[i];
			uint64_t bytes = wr_record_bytes(event->bytes);

			if (event->worker != worker)
				continue;
			newest = i;
			if (!reading_is_kept(self, i))
				gone = i;
			else if (event->item == 0)
				event_bytes += bytes;
			else
				item_bytes += bytes;
		}
		if (row == NULL)
			continue;
		CHECK_U64(row->event_bytes, event_bytes);
		CHECK_U64(row->item_bytes, item_bytes);
		CHECK_U64(row->evicted, gone);
		CHECK(newest == 0 || row->evicted < newest);
		if (evicted < gone)
			evicted = gone;
	}
	CHECK_U64(reading_evicted(self, 0), evicted);
}

/* What is counted as dead is what the index says. */
static inline void reading_check_dead(struct reading *self)
{
	for (uint32_t i = 0; i + 1 < self->store->segment_count; i++) {
		struct wr_segment *segment = &self->store->segments[i];
		uint32_t dead = segment->dead_bytes;

		if (!segment->is_dead_known || segment->is_damaged || segment->is_cleaning)
			continue;
		CHECK_STATUS(wr_fs_index_learn_dead(self->store, segment), WR_OK);
		CHECK_U64(segment->dead_bytes, dead);
	}
}

/* All of it. */
static inline void reading_check(struct reading *self, bool has_place)
{
	for (uint32_t scope = 0; scope <= READING_WORKERS; scope++) {
		reading_check_scope(self, scope, 0, has_place);
		reading_check_scope(self, scope, reading_evicted(self, scope), has_place);
		reading_check_items(self, scope, has_place);
	}
	reading_check_rows(self);
	reading_check_dead(self);
}

#endif
