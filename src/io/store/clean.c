/*
 * The reactor's part of cleaning: which segments, the memory for it, and the table afterwards.
 *
 * Nothing is cleaned before there is need: then the run of neighbours that frees the most and
 * still is one segment afterwards. While it is under way all reading goes on in the old files; of
 * the first of them, whose name the new one takes, the handles are held open for that.
 */
#include "check.h"
#include "io/log.h"
#include "io/store/clean.h"

enum {
	/* A run must free this part of what has to be read for it, unless nothing better will
	 * come. */
	WORTH_PART = 8,
	WORTH_MIN_PART = 64, /* ... and this part of a segment */
	/* At the ends of a run: segments with less than this part to free are left alone, unless
	 * they are that small part of a segment themselves. */
	EDGE_PART = 16,
	WINDOW_BYTES_MIN = 65536,
	RETRY_MS = 1000,
	REST_MS = 60000 /* after what was no lack of room */
};

bool wr_fs_is_cleaning(const struct wr_fs_store *self)
{
	return self->clean != NULL;
}

/* ---- which ---- */

struct run {
	uint32_t first, count;
	uint64_t live, files; /* bytes; with indexes */
	uint64_t events, streams;
};

static uint32_t live_bytes(const struct wr_segment *segment)
{
	return segment->event_bytes - segment->dead_bytes;
}

static uint64_t freed(const struct run *run)
{
	uint64_t index = wr_index_file_bytes((uint32_t)run->streams, (uint32_t)run->events);
	uint64_t left = run->live + WR_SEGMENT_HEADER_BYTES + index;

	return run->files > left ? run->files - left : 0;
}

/* How many of its events are live, were they all of one size. */
static uint64_t live_events(const struct wr_segment *segment)
{
	uint64_t bytes = segment->event_bytes;

	return bytes == 0 ? 0 : (segment->event_count * (uint64_t)live_bytes(segment)) / bytes;
}

static bool is_ready(const struct wr_fs_store *self, const struct wr_segment *segment)
{
	return wr_fs_is_cleanable(self, segment) && segment->is_dead_known &&
	       segment->is_index_loaded;
}

static void add_last(struct run *run, const struct wr_segment *segment)
{
	run->count++;
	run->live += live_bytes(segment);
	run->files += segment->file_bytes + segment->index_bytes;
	run->events += live_events(segment);
	run->streams += segment->stream_count;
}

static void drop(struct run *run, const struct wr_segment *segment)
{
	run->count--;
	run->live -= live_bytes(segment);
	run->files -= segment->file_bytes + segment->index_bytes;
	run->events -= live_events(segment);
	run->streams -= segment->stream_count;
}

/* Leaves out what costs more to copy than it gives. */
static void trim(const struct wr_fs_store *self, struct run *run)
{
	uint32_t small = (uint32_t)(wr_fs_next_bytes(self) / EDGE_PART);

	while (run->count > 1) {
		const struct wr_segment *first = &self->segments[run->first];
		const struct wr_segment *last = first + run->count - 1;

		if (first->file_bytes > small &&
		    first->file_bytes - live_bytes(first) < first->file_bytes / EDGE_PART) {
			drop(run, first);
			run->first++;
		} else if (last->file_bytes > small &&
			   last->file_bytes - live_bytes(last) < last->file_bytes / EDGE_PART) {
			drop(run, last);
		} else {
			break;
		}
	}
}

/* An index has 32 bits for a sequence, counted from the first one. */
static bool is_indexable(const struct wr_fs_store *self, const struct run *run)
{
	const struct wr_segment *first = &self->segments[run->first];

	return first[run->count - 1].next_sequence - first->first_sequence <= UINT32_MAX;
}

/* The run that frees the most. */
static struct run choose(const struct wr_fs_store *self)
{
	uint64_t live_max = wr_fs_next_bytes(self) - WR_SEGMENT_HEADER_BYTES;
	struct run best = {0}, run = {0};

	for (uint32_t i = 0; i < self->segment_count; i++) {
		const struct wr_segment *segment = &self->segments[i];
		struct run trimmed;

		if (!is_ready(self, segment)) {
			run = (struct run){.first = i + 1};
			continue;
		}
		add_last(&run, segment);
		while (run.count > 1 && (run.live > live_max || run.count > WR_CLEAN_RUN_MAX ||
					 !is_indexable(self, &run))) {
			drop(&run, &self->segments[run.first]);
			run.first++;
		}
		trimmed = run;
		trim(self, &trimmed);
		if (freed(&trimmed) > freed(&best))
			best = trimmed;
	}
	return best;
}

static bool is_worth_it(const struct wr_fs_store *self, const struct run *run)
{
	bool is_last_resort =
		self->state == WR_FS_FULL || wr_fs_dead_bytes(self) >= wr_fs_next_bytes(self);

	return freed(run) >= wr_fs_next_bytes(self) / WORTH_MIN_PART && run->count != 0 &&
	       (is_last_resort || freed(run) >= run->files / WORTH_PART);
}

bool wr_fs_has_cleaning(const struct wr_fs_store *self, uint32_t part)
{
	struct run run = choose(self);

	return is_worth_it(self, &run) && freed(&run) >= run.files / part;
}

/* Whether all that cleaning relies on is on the medium: what was given up, and both checkpoints. */
static bool is_durable(const struct wr_fs_store *self)
{
	uint64_t checkpoint = wr_position(self->checkpoint_segment[0],
					  WR_SEGMENT_HEADER_BYTES + self->checkpoint_bytes);

	return self->durable_position >= self->retired_position &&
	       self->durable_position >= checkpoint;
}

/* ---- memory ---- */

static void free_clean(struct wr_clean *self)
{
	struct wr_allocator *allocator = self->store->allocator;

	wr_allocator_free(allocator, self->rows, self->row_count * sizeof *self->rows);
	wr_allocator_free(allocator, self->window,
			  self->window == NULL ? 0 : self->window_capacity);
	wr_allocator_free(allocator, self->output,
			  self->output == NULL ? 0 : WR_CLEAN_OUTPUT_BYTES);
	wr_allocator_free(allocator, self->entries,
			  self->entries == NULL ? 0 : self->entry_max * sizeof *self->entries);
	wr_allocator_free(allocator, self->writer.order,
			  self->writer.order == NULL ? 0 : self->entry_max * sizeof(uint32_t));
	wr_allocator_free(allocator, self, sizeof *self);
}

static bool take_memory(struct wr_clean *self)
{
	struct wr_fs_store *store = self->store;
	struct wr_allocator *allocator = store->allocator;
	uint64_t window = wr_record_bytes(store->config.payload_bytes_max);

	if (window < store->clean_record_bytes)
		window = store->clean_record_bytes;
	if (window < WINDOW_BYTES_MIN)
		window = WINDOW_BYTES_MIN;
	self->window_capacity = (size_t)window;
	self->window = wr_allocator_take(allocator, self->window_capacity);
	self->output = wr_allocator_take(allocator, WR_CLEAN_OUTPUT_BYTES);
	self->entries = wr_allocator_take(allocator, self->entry_max * sizeof *self->entries);
	self->writer.order =
		wr_allocator_take(allocator, self->entry_max * sizeof *self->writer.order);
	if (store->row_count != 0) {
		self->rows = wr_allocator_take(allocator, store->row_count * sizeof *self->rows);
		if (self->rows == NULL)
			return false;
		self->row_count = store->row_count;
		memcpy(self->rows, store->rows, store->row_count * sizeof *self->rows);
	}
	return self->window != NULL && self->output != NULL && self->entries != NULL &&
	       self->writer.order != NULL;
}

/* ---- the table ---- */

/* Holds the handles of the segment open whose names will mean another file. */
static bool pin(struct wr_fs_store *self, uint64_t number, bool is_pinned)
{
	if (is_pinned &&
	    (wr_fs_handle(self, number, false) < 0 || wr_fs_handle(self, number, true) < 0))
		return false;
	for (unsigned i = 0; i < WR_FS_HANDLES; i++)
		if (self->handles[i].number == number)
			self->handles[i].is_pinned = is_pinned;
	return true;
}

static void mark(struct wr_clean *self, bool is_cleaning)
{
	for (uint32_t i = 0; i < self->source_count; i++)
		self->store->segments[self->first + i].is_cleaning = is_cleaning;
}

static void forget(struct wr_fs_store *self, uint64_t number)
{
	wr_fs_forget_handles(self, number);
	wr_fs_index_forget(self, number);
	wr_fs_read_forget(self, number);
}

/* One takes the place of all. */
static void replace(struct wr_clean *self)
{
	struct wr_fs_store *store = self->store;
	struct wr_segment *first = &store->segments[self->first];
	const struct wr_segment *behind = first + self->source_count;
	struct wr_segment merged = {
		.number = self->header.number,
		.last_number = self->header.last_number,
		.epoch = self->header.epoch,
		.first_sequence = self->header.first_sequence,
		.next_sequence = self->header.next_sequence,
		.seed = self->seed,
		.bytes = self->header.file_bytes,
		.file_bytes = self->header.file_bytes,
		.event_count = self->entry_count,
		.stream_count = self->writer.stream_count,
		.event_bytes = self->writer.event_bytes,
		.index_bytes = self->writer.block_count * WR_FS_INDEX_BLOCK_BYTES,
		.is_index_loaded = true,
		.is_dead_known = true,
		.is_compacted = true,
		.has_index = true,
		.is_cleaning = true,
	};

	for (uint32_t i = 0; i < self->source_count; i++)
		forget(store, first[i].number);
	store->file_bytes += merged.file_bytes + merged.index_bytes;
	store->file_bytes -= first->file_bytes + first->index_bytes;
	for (uint32_t i = 0; i < self->source_count; i++)
		merged.planned_bytes += first[i].planned_bytes;
	*first = merged;
	memmove(first + 1, behind,
		(size_t)(store->segments + store->segment_count - behind) * sizeof *first);
	store->segment_count -= self->source_count - 1;
	store->cleaned_count++;
}

/* ---- the job ---- */

/* All is over, well or not. */
static void end(struct wr_clean *self)
{
	struct wr_fs_store *store = self->store;

	store->segments[self->first].is_cleaning = false;
	store->clean = NULL;
	free_clean(self);
}

static void report_damage(struct wr_clean *self)
{
	struct wr_segment *segment = &self->store->segments[self->first + self->source];
	char name[WR_FS_NAME_BYTES];

	segment->is_damaged = true;
	wr_fs_segment_name(name, segment->number);
	WR_LOG(WR_LOG_ERROR, "store_corrupt", WR_LOG_TEXT("file", wr_view_of_string(name)),
	       WR_LOG_NUMBER("offset", self->offset));
}

static void end_without(struct wr_clean *self)
{
	struct wr_fs_store *store = self->store;
	uint64_t rest = 0;

	pin(store, self->header.number, false);
	mark(self, false);
	switch (self->outcome) {
	case WR_CLEAN_DONE:
		wr_unreachable();
	case WR_CLEAN_DAMAGED:
		report_damage(self);
		break;
	case WR_CLEAN_LONG:
		store->clean_record_bytes = self->record_bytes;
		break;
	case WR_CLEAN_FAILED:
		for (uint32_t i = 0; i < self->source_count; i++)
			store->segments[self->first + i].is_dead_known = false;
		rest = wr_fs_is_room_error(-self->error) ? RETRY_MS : REST_MS;
		WR_LOG(WR_LOG_WARNING, "store_cleaning_failed",
		       WR_LOG_NUMBER("errno", -self->error));
		break;
	case WR_CLEAN_UNSURE:
		/* Reading goes on in the files that are held open; nothing else may rely on
		 * names any more. */
		pin(store, self->header.number, true);
		wr_fs_fail(store, -self->error, "naming a cleaned segment");
		break;
	}
	store->clean_not_before_ms = store->config.now_ms() + rest;
	end(self);
}

static void done(struct wr_job *job)
{
	struct wr_clean *self = wr_container_of(job, struct wr_clean, job);
	struct wr_fs_store *store = self->store;

	if (self->phase == WR_CLEAN_REMOVE) {
		store->file_bytes -= self->removed_bytes;
		end(self);
		return;
	}
	store->file_bytes -= self->reserved_bytes;
	if (self->outcome != WR_CLEAN_DONE) {
		end_without(self);
		return;
	}
	replace(self);
	self->phase = WR_CLEAN_REMOVE;
	if (self->source_count == 1 || store->state == WR_FS_FAILED)
		end(self);
	else
		wr_jobs_post(store->jobs, &self->job);
}

static void describe(struct wr_clean *self, const struct run *run)
{
	struct wr_fs_store *store = self->store;
	const struct wr_segment *first = &store->segments[run->first];
	const struct wr_segment *last = first + run->count - 1;
	uint64_t streams = 0;

	self->first = run->first;
	self->source_count = run->count;
	for (uint32_t i = 0; i < run->count; i++) {
		self->sources[i] = (struct wr_clean_source){
			.number = first[i].number,
			.seed = first[i].seed,
			.end = first[i].bytes,
			.event_count = first[i].event_count,
			.file_bytes = first[i].file_bytes,
			.index_bytes = first[i].index_bytes,
		};
		self->entry_max += first[i].event_count;
		streams += first[i].stream_count;
	}
	self->reserved_bytes = run->live + WR_SEGMENT_HEADER_BYTES +
			       wr_index_file_bytes((uint32_t)streams, self->entry_max);
	/* Only what is live gets an entry; a run of many segments may have had far more. */
	if (self->entry_max > run->live / WR_RECORD_HEADER_BYTES)
		self->entry_max = (uint32_t)(run->live / WR_RECORD_HEADER_BYTES);
	self->entry_max++; /* memory of no bytes is none */
	self->header = (struct wr_segment_header){
		.epoch = store->generation,
		.number = first->number,
		.last_number = last->last_number,
		.first_sequence = first->first_sequence,
		.next_sequence = last->next_sequence,
		.flags = WR_SEGMENT_COMPACTED,
		.created_wall_ms = store->config.wall_ms(),
	};
	memcpy(self->header.store_id, store->store_id, sizeof self->header.store_id);
	self->seed = wr_record_seed_make(store->store_id, store->generation, first->number);
	wr_fs_segment_name(self->name, first->number);
	wr_fs_index_name(self->index_name, first->number);
	wr_fs_temporary_name(store, self->temporary, self->name);
	self->in = self->out = -1;
	self->out_offset = WR_SEGMENT_HEADER_BYTES;
	self->writer.disk = store->disk;
	self->writer.number = first->number;
	wr_fs_temporary_name(store, self->writer.temporary, self->index_name);
}

static void begin(struct wr_fs_store *self, const struct run *run)
{
	struct wr_clean *clean = wr_allocator_take_zeroed(self->allocator, sizeof *clean);

	self->clean_not_before_ms = self->config.now_ms() + RETRY_MS;
	if (clean == NULL)
		return;
	clean->store = self;
	clean->disk = self->disk;
	describe(clean, run);
	if (!take_memory(clean) || !pin(self, clean->header.number, true)) {
		pin(self, clean->header.number, false);
		free_clean(clean);
		return;
	}
	clean->writer.entries = clean->entries;
	wr_list_init(&clean->job.place);
	clean->job.urgency = WR_JOB_BACKGROUND;
	clean->job.run = wr_clean_run;
	clean->job.done = done;
	self->clean = clean;
	self->clean_not_before_ms = 0;
	self->file_bytes += clean->reserved_bytes;
	mark(clean, true);
	wr_jobs_post(self->jobs, &clean->job);
}

void wr_fs_clean(struct wr_fs_store *self)
{
	struct run run;

	if (self->clean != NULL || self->state == WR_FS_FAILED ||
	    (!wr_fs_is_pressed(self) && self->state != WR_FS_FULL) ||
	    self->checkpoint_segment[1] == 0 || !is_durable(self) ||
	    self->config.now_ms() < self->clean_not_before_ms)
		return;
	run = choose(self);
	if (is_worth_it(self, &run))
		begin(self, &run);
}

void wr_fs_clean_deinit(struct wr_fs_store *self)
{
	if (self->clean != NULL)
		free_clean(self->clean);
	self->clean = NULL;
}
