/*
 * scripted_store — a store in memory that shows, gives up and damages records as it is told.
 *
 * Records have the sequences 1, 2, ... of one log; what is given up goes from the oldest on.
 */
#ifndef WR_TESTS_OBSERVE_SCRIPTED_STORE_H
#define WR_TESTS_OBSERVE_SCRIPTED_STORE_H

#include "check.h"
#include "core/store.h"
#include "harness/harness.h"

#include <stdlib.h>
#include <string.h>

enum { STORE_WORKERS = 8, STORE_PARTS = 64 };

struct scripted_record {
	struct wr_store_record record;
	enum wr_status mood; /* of reading it */
};

struct scripted_store {
	struct scripted_record *records; /* of sequence 1 first */
	uint64_t count, capacity;
	bool is_held;	/* only up to `shown` is visible, else everything */
	uint64_t shown; /* while held */
	uint64_t gone;	/* given up: up to here */
	uint64_t evicted[STORE_WORKERS];
	uint32_t generation;
	uint64_t read_count;
	/* the newest checkpoint */
	bool wants_checkpoint;
	struct wr_view parts[STORE_PARTS];
	size_t part_count;
	uint64_t part_sequence;
};

static inline uint64_t scripted_visible(void *context)
{
	const struct scripted_store *self = context;

	return self->is_held ? self->shown : self->count;
}

/* Everything appended so far may be seen; what follows may not. */
static inline void scripted_show(struct scripted_store *self)
{
	self->shown = self->count;
}

static inline void scripted_evict(struct scripted_store *self, uint64_t sequence)
{
	CHECK(sequence <= scripted_visible(self));
	while (self->gone < sequence) {
		uint32_t worker = self->records[self->gone++].record.worker;
		self->evicted[0] = self->evicted[worker] = self->gone;
	}
}

static inline struct wr_view scripted_copy(struct wr_view bytes)
{
	char *copy = malloc(bytes.bytes + 1);

	CHECK(copy != NULL);
	if (bytes.bytes != 0)
		memcpy(copy, bytes.data, bytes.bytes);
	return wr_view_of(copy, bytes.bytes);
}

static inline enum wr_status scripted_replay(void *context, struct wr_store_log *log,
					     const struct wr_store_replay *replay)
{
	struct scripted_store *self = context;
	enum wr_status status = WR_OK;

	memset(log->log_id, 0xa0, sizeof log->log_id);
	log->generation = self->generation + 1;
	for (size_t i = 0; i < self->part_count && status == WR_OK; i++)
		status = replay->part(replay->context,
				      &(struct wr_store_record){.sequence = self->part_sequence,
								.payload = self->parts[i]});
	for (uint64_t i = self->part_sequence; i < self->count && status == WR_OK; i++)
		status = replay->event(replay->context, &self->records[i].record);
	return status;
}

static inline enum wr_status scripted_append(void *context, const struct wr_store_record *record,
					     enum wr_store_urgency urgency)
{
	struct scripted_store *self = context;

	(void)urgency;
	CHECK_U64(record->sequence, self->count + 1);
	if (self->count == self->capacity) {
		self->capacity = self->capacity == 0 ? 64 : self->capacity * 2;
		self->records =
			realloc(self->records, (size_t)self->capacity * sizeof self->records[0]);
		CHECK(self->records != NULL);
	}
	self->records[self->count] = (struct scripted_record){.record = *record, .mood = WR_OK};
	self->records[self->count++].record.payload = scripted_copy(record->payload);
	return WR_OK;
}

static inline bool scripted_has_room(void *context)
{
	(void)context;
	return true;
}

static inline bool scripted_wants_checkpoint(void *context)
{
	const struct scripted_store *self = context;

	return self->wants_checkpoint;
}

static inline void scripted_drop_parts(struct scripted_store *self)
{
	while (self->part_count != 0)
		free((void *)(uintptr_t)self->parts[--self->part_count].data);
}

static inline enum wr_status scripted_checkpoint_begin(void *context)
{
	struct scripted_store *self = context;

	self->wants_checkpoint = false;
	scripted_drop_parts(self);
	self->part_sequence = self->count;
	return WR_OK;
}

static inline enum wr_status scripted_checkpoint_add(void *context, struct wr_view part)
{
	struct scripted_store *self = context;

	CHECK(self->part_count < STORE_PARTS);
	self->parts[self->part_count++] = scripted_copy(part);
	return WR_OK;
}

static inline enum wr_status scripted_checkpoint_end(void *context)
{
	(void)context;
	return WR_OK;
}

static inline uint64_t scripted_generation_end(void *context, uint32_t generation)
{
	(void)context, (void)generation;
	return 0;
}

static inline enum wr_status scripted_give(struct scripted_store *self, uint64_t sequence,
					   struct wr_store_record *record)
{
	const struct scripted_record *found = &self->records[sequence - 1];

	self->read_count++;
	if (found->mood == WR_OK)
		*record = found->record;
	return found->mood;
}

static inline enum wr_status scripted_next(void *context, uint32_t worker, uint64_t after,
					   struct wr_store_place *place,
					   struct wr_store_record *record)
{
	struct scripted_store *self = context;
	uint64_t sequence = after < self->gone ? self->gone : after;

	(void)place;
	while (++sequence <= scripted_visible(self))
		if (worker == 0 || self->records[sequence - 1].record.worker == worker)
			return scripted_give(self, sequence, record);
	return WR_NOT_FOUND;
}

static inline enum wr_status scripted_item(void *context, uint32_t worker, uint32_t item,
					   struct wr_store_place *place,
					   struct wr_store_record *record)
{
	struct scripted_store *self = context;

	(void)place;
	for (uint64_t i = self->gone; i < scripted_visible(self); i++)
		if (self->records[i].record.worker == worker &&
		    self->records[i].record.item == item)
			return scripted_give(self, i + 1, record);
	return WR_NOT_FOUND;
}

static inline uint64_t scripted_evicted(void *context, uint32_t worker)
{
	const struct scripted_store *self = context;

	CHECK(worker < STORE_WORKERS);
	return self->evicted[worker];
}

static inline uint32_t scripted_first_item(void *context, uint32_t worker)
{
	const struct scripted_store *self = context;
	uint32_t first = 1;

	for (uint64_t i = 0; i < self->gone; i++)
		if (self->records[i].record.worker == worker && self->records[i].record.item != 0)
			first = self->records[i].record.item + 1;
	return first;
}

static inline struct wr_store scripted_store_port(struct scripted_store *self)
{
	static const struct wr_store_ops ops = {
		.replay = scripted_replay,
		.append = scripted_append,
		.has_room = scripted_has_room,
		.visible = scripted_visible,
		.wants_checkpoint = scripted_wants_checkpoint,
		.checkpoint_begin = scripted_checkpoint_begin,
		.checkpoint_add = scripted_checkpoint_add,
		.checkpoint_end = scripted_checkpoint_end,
		.generation_end = scripted_generation_end,
		.next = scripted_next,
		.item = scripted_item,
		.evicted = scripted_evicted,
		.first_item = scripted_first_item,
	};

	return (struct wr_store){&ops, self};
}

static inline void scripted_store_deinit(struct scripted_store *self)
{
	scripted_drop_parts(self);
	while (self->count != 0)
		free((void *)(uintptr_t)self->records[--self->count].record.payload.data);
	free(self->records);
}

#endif
