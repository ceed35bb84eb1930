/*
 * kept_store — a store in memory that does as it is told: keeps copies of records and checkpoints,
 * shows them late, is full, fails, damages and retires.
 */
#ifndef WR_TESTS_CORE_KEPT_STORE_H
#define WR_TESTS_CORE_KEPT_STORE_H

#include "core/store.h"
#include "harness/harness.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

struct kept_record {
	uint64_t sequence;
	uint32_t worker, item;
	struct wr_view payload;
	enum wr_store_urgency urgency;
};

struct kept_list {
	struct kept_record *records;
	size_t count, capacity;
};

enum { KEPT_WORKERS = 16, KEPT_READ_BYTES = 65536 };

struct kept_store {
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation;
	uint64_t ends[8];      /* by generation */
	uint64_t append_count; /* calls so far */
	uint64_t fail_at;      /* the call that fails with `failure`, 0: none */
	enum wr_status failure;
	bool is_full;	     /* ordinary records are refused */
	enum wr_status mood; /* of every append, when not WR_OK */
	bool is_held;	     /* nothing above `shown` is visible */
	uint64_t shown;
	struct kept_list log;
	/* The newest whole checkpoint, and the one that is being made. */
	bool wants_checkpoint;
	enum wr_status checkpoint_mood;
	unsigned checkpoint_count, begun_count;
	struct kept_list parts, new_parts;
	bool ignores_checkpoint; /* replays everything from the beginning */
	/* By Worker, 0: all. */
	uint64_t evicted[KEPT_WORKERS];
	uint32_t first_item[KEPT_WORKERS]; /* 0: 1 */
	bool is_damaged[KEPT_WORKERS];	   /* when read; at the replay with quarantined_from */
	uint64_t quarantined_from[KEPT_WORKERS];
	unsigned read_count;
	char *lent;
};

/* ---- lists of copies ---- */

static inline void kept_list_add(struct kept_list *self, const struct wr_store_record *record,
				 enum wr_store_urgency urgency)
{
	char *copy = malloc(record->payload.bytes + 1);

	CHECK(copy != NULL);
	if (self->count == self->capacity) {
		self->capacity = self->capacity == 0 ? 64 : self->capacity * 2;
		self->records = realloc(self->records, self->capacity * sizeof self->records[0]);
		CHECK(self->records != NULL);
	}
	if (record->payload.bytes != 0)
		memcpy(copy, record->payload.data, record->payload.bytes);
	self->records[self->count++] = (struct kept_record){
		.sequence = record->sequence,
		.worker = record->worker,
		.item = record->item,
		.payload = wr_view_of(copy, record->payload.bytes),
		.urgency = urgency,
	};
}

static inline void kept_list_cut(struct kept_list *self, size_t count)
{
	while (count-- > 0)
		free((void *)(uintptr_t)self->records[--self->count].payload.data);
}

static inline void kept_list_deinit(struct kept_list *self)
{
	kept_list_cut(self, self->count);
	free(self->records);
	*self = (struct kept_list){.records = NULL};
}

/* ---- writing ---- */

static inline uint64_t kept_head(const struct kept_store *self)
{
	return self->log.count == 0 ? 0 : self->log.records[self->log.count - 1].sequence;
}

static inline enum wr_status kept_append(void *context, const struct wr_store_record *record,
					 enum wr_store_urgency urgency)
{
	struct kept_store *self = context;

	if (++self->append_count == self->fail_at)
		return self->failure;
	if (self->mood != WR_OK)
		return self->mood;
	if (self->is_full && urgency == WR_STORE_ORDINARY)
		return WR_FULL;
	CHECK(self->log.count == 0 || kept_head(self) < record->sequence);
	kept_list_add(&self->log, record, urgency);
	return WR_OK;
}

static inline bool kept_has_room(void *context)
{
	const struct kept_store *self = context;

	return !self->is_full && self->mood == WR_OK;
}

static inline uint64_t kept_visible(void *context)
{
	const struct kept_store *self = context;
	uint64_t head = kept_head(self);

	return self->is_held && self->shown < head ? self->shown : head;
}

static inline bool kept_wants_checkpoint(void *context)
{
	const struct kept_store *self = context;

	return self->wants_checkpoint;
}

static inline enum wr_status kept_checkpoint_begin(void *context)
{
	struct kept_store *self = context;

	kept_list_deinit(&self->new_parts);
	self->begun_count++;
	return self->checkpoint_mood;
}

static inline enum wr_status kept_checkpoint_add(void *context, struct wr_view part)
{
	struct kept_store *self = context;

	kept_list_add(&self->new_parts,
		      &(struct wr_store_record){.sequence = kept_head(self), .payload = part},
		      WR_STORE_ORDINARY);
	return WR_OK;
}

static inline enum wr_status kept_checkpoint_end(void *context)
{
	struct kept_store *self = context;

	kept_list_deinit(&self->parts);
	self->parts = self->new_parts;
	self->new_parts = (struct kept_list){.records = NULL};
	self->wants_checkpoint = false;
	self->checkpoint_count++;
	return WR_OK;
}

/* ---- opening ---- */

static inline struct wr_store_record kept_lend(const struct kept_record *kept)
{
	return (struct wr_store_record){kept->sequence, kept->worker, kept->item, kept->payload};
}

static inline enum wr_status kept_replay_events(struct kept_store *self, uint64_t after,
						const struct wr_store_replay *replay)
{
	bool is_told[KEPT_WORKERS] = {false};
	enum wr_status status = WR_OK;

	for (size_t i = 0; i < self->log.count && status == WR_OK; i++) {
		struct wr_store_record record = kept_lend(&self->log.records[i]);
		uint32_t slot = record.worker % KEPT_WORKERS;
		uint64_t from = self->quarantined_from[slot];
		if (after != 0 && record.sequence <= after)
			continue;
		if (from == 0 || record.sequence < from) {
			status = replay->event(replay->context, &record);
		} else if (!is_told[slot]) {
			is_told[slot] = true;
			status = replay->quarantine(replay->context, record.worker);
		}
	}
	return status;
}

static inline enum wr_status kept_replay(void *context, struct wr_store_log *log,
					 const struct wr_store_replay *replay)
{
	struct kept_store *self = context;
	enum wr_status status = WR_OK;
	uint64_t after = 0;

	memcpy(log->log_id, self->log_id, sizeof log->log_id);
	log->generation = self->generation;
	if (!self->ignores_checkpoint)
		for (size_t i = 0; i < self->parts.count && status == WR_OK; i++) {
			struct wr_store_record part = kept_lend(&self->parts.records[i]);
			after = part.sequence;
			status = replay->part(replay->context, &part);
		}
	return status == WR_OK ? kept_replay_events(self, after, replay) : status;
}

static inline uint64_t kept_generation_end(void *context, uint32_t generation)
{
	const struct kept_store *self = context;

	return generation < WR_COUNT(self->ends) ? self->ends[generation] : 0;
}

/* ---- reading ---- */

/* Lends a copy that the next call takes away, so that a reader who keeps it too long is seen. */
static inline enum wr_status kept_give(struct kept_store *self, const struct kept_record *kept,
				       struct wr_store_record *record)
{
	*record = kept_lend(kept);
	free(self->lent);
	self->lent = malloc(kept->payload.bytes + 1);
	CHECK(self->lent != NULL);
	memcpy(self->lent, kept->payload.data, kept->payload.bytes);
	record->payload.data = self->lent;
	return self->is_damaged[kept->worker % KEPT_WORKERS] ? WR_CORRUPT : WR_OK;
}

static inline uint64_t kept_evicted(void *context, uint32_t worker)
{
	const struct kept_store *self = context;
	uint64_t highest = 0;

	if (worker != 0)
		return self->evicted[worker % KEPT_WORKERS];
	for (unsigned i = 0; i < KEPT_WORKERS; i++)
		highest = self->evicted[i] > highest ? self->evicted[i] : highest;
	return highest;
}

static inline uint32_t kept_first_item(void *context, uint32_t worker)
{
	const struct kept_store *self = context;
	uint32_t first = self->first_item[worker % KEPT_WORKERS];

	return first == 0 ? 1 : first;
}

static inline size_t kept_find(const struct kept_store *self, uint64_t after)
{
	size_t low = 0, high = self->log.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (self->log.records[middle].sequence > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static inline enum wr_status kept_next(void *context, uint32_t worker, uint64_t after,
				       struct wr_store_place *place, struct wr_store_record *record)
{
	struct kept_store *self = context;
	uint64_t visible = kept_visible(self);

	self->read_count++;
	CHECK(place->segment == 0 || place->segment == 7); /* only what we left there */
	place->segment = 7;
	for (size_t i = kept_find(self, after); i < self->log.count; i++) {
		const struct kept_record *kept = &self->log.records[i];
		if (kept->sequence > visible)
			break;
		if ((worker == 0 || kept->worker == worker) &&
		    kept->sequence > self->evicted[kept->worker % KEPT_WORKERS])
			return kept_give(self, kept, record);
	}
	return WR_NOT_FOUND;
}

static inline enum wr_status kept_item(void *context, uint32_t worker, uint32_t item,
				       struct wr_store_place *place, struct wr_store_record *record)
{
	struct kept_store *self = context;
	uint64_t visible = kept_visible(self);

	self->read_count++;
	CHECK(place->segment == 0 || place->segment == 7);
	place->segment = 7;
	for (size_t i = 0; i < self->log.count; i++) {
		const struct kept_record *kept = &self->log.records[i];
		if (kept->sequence <= visible && kept->worker == worker && kept->item == item &&
		    item >= kept_first_item(self, worker))
			return kept_give(self, kept, record);
	}
	return WR_NOT_FOUND;
}

static const struct wr_store_ops kept_store_ops = {
	.replay = kept_replay,
	.append = kept_append,
	.has_room = kept_has_room,
	.visible = kept_visible,
	.wants_checkpoint = kept_wants_checkpoint,
	.checkpoint_begin = kept_checkpoint_begin,
	.checkpoint_add = kept_checkpoint_add,
	.checkpoint_end = kept_checkpoint_end,
	.generation_end = kept_generation_end,
	.next = kept_next,
	.item = kept_item,
	.evicted = kept_evicted,
	.first_item = kept_first_item,
};

/* Loses the newest `count` records: what an unclean stop may do. */
static inline void kept_store_cut(struct kept_store *self, size_t count)
{
	kept_list_cut(&self->log, count);
}

static inline void kept_store_deinit(struct kept_store *self)
{
	kept_list_deinit(&self->log);
	kept_list_deinit(&self->parts);
	kept_list_deinit(&self->new_parts);
	free(self->lent);
	self->lent = NULL;
}

/* Another store with the same records and checkpoint, so that opening it changes nothing here. */
static inline void kept_store_copy(struct kept_store *self, const struct kept_store *from)
{
	*self = *from;
	self->log = self->parts = self->new_parts = (struct kept_list){.records = NULL};
	self->lent = NULL;
	for (size_t i = 0; i < from->log.count; i++) {
		struct wr_store_record record = kept_lend(&from->log.records[i]);
		kept_list_add(&self->log, &record, from->log.records[i].urgency);
	}
	for (size_t i = 0; i < from->parts.count; i++) {
		struct wr_store_record part = kept_lend(&from->parts.records[i]);
		kept_list_add(&self->parts, &part, WR_STORE_ORDINARY);
	}
}

#endif
