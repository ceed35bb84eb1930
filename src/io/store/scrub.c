/*
 * The slow scrub: sealed segments are read again from the disk, a slice at a time, and every
 * checksum is compared, so that damage is known before somebody needs what it hit, and while the
 * rest of the disk can still be trusted. One pass over all of them, then a long rest.
 *
 * The helper looks at one slice: it opens the file for itself and remembers nothing. Whatever it
 * found is judged here, and only when no file was replaced meanwhile. What is damaged is treated as
 * if a reader had found it (read.c): the stream is quarantined, the file left as it is. A damaged
 * checkpoint asks for a new one.
 */
#include "bounds.h"
#include "bytes/crc32c.h"
#include "check.h"
#include "io/log.h"
#include "io/store/store_private.h"

enum {
	CHUNK_BYTES = 65536, /* one step of the helper */
	SLICE_BYTES = 4 * CHUNK_BYTES
};

struct wr_scrub {
	struct wr_job job;
	struct wr_fs_store *store; /* not for the helper, like the next ones */
	bool is_running;
	uint64_t due_ms;
	uint64_t number,
		offset; /* where the next slice begins; a segment of this number or above */
	uint64_t slice_begin;
	uint32_t layout; /* of the files when the slice began */

	struct wr_disk disk;
	char name[WR_FS_NAME_BYTES];
	struct wr_record_seed seed;
	uint64_t at, slice_end, end;	/* bytes of the file; slice_end is a wish */
	uint64_t record_at, record_end; /* of the record that `at` is in; equal between two */
	struct wr_record record;
	uint32_t sum;
	char *chunk; /* CHUNK_BYTES */
	int handle;
	bool is_bad;
	uint64_t bad_at; /* where a sound record should be */
	int error;	 /* negated errno */
};

/* ---- on the helper ---- */

/* A record begins: true when its header is sound. */
static bool begin_record(struct wr_scrub *self, const char *bytes)
{
	self->record_at = self->bad_at = self->at;
	if (wr_record_decode(&self->record, bytes, self->seed, self->at) != WR_OK ||
	    wr_record_bytes(self->record.payload_bytes) > self->end - self->at)
		return false;
	self->record_end = self->at + wr_record_bytes(self->record.payload_bytes);
	self->sum = wr_record_payload_sum(self->seed, self->at);
	self->at += WR_RECORD_HEADER_BYTES;
	return true;
}

/* More of the payload, and the padding behind it. */
static bool continue_record(struct wr_scrub *self, const char *bytes, size_t count)
{
	uint64_t payload_end =
		self->record_at + WR_RECORD_HEADER_BYTES + self->record.payload_bytes;
	uint64_t left = payload_end > self->at ? payload_end - self->at : 0;

	self->sum = wr_crc32c(self->sum, bytes, count < left ? count : (size_t)left);
	self->at += count;
	return self->at < self->record_end || self->sum == self->record.payload_crc;
}

/* What was read from `at` on; the last header of it may wait for the next chunk. */
static bool check_chunk(struct wr_scrub *self, size_t got)
{
	const char *bytes = self->chunk;

	while (got != 0) {
		size_t count = WR_RECORD_HEADER_BYTES;

		if (self->at == self->record_end) {
			if (got < count)
				return self->end - self->at >=
				       count; /* else something else is there */
			if (!begin_record(self, bytes))
				return false;
		} else {
			uint64_t left = self->record_end - self->at;
			count = got < left ? got : (size_t)left;
			if (!continue_record(self, bytes, count))
				return false;
		}
		bytes += count;
		got -= count;
	}
	return true;
}

static bool is_over(const struct wr_scrub *self)
{
	return self->at == self->record_end &&
	       (self->at >= self->slice_end || self->at == self->end);
}

static bool run(struct wr_job *job)
{
	struct wr_scrub *self = wr_container_of(job, struct wr_scrub, job);
	const struct wr_disk *disk = &self->disk;
	size_t want, got = 0;

	if (self->handle < 0)
		self->handle = disk->ops->open(disk->context, self->name, WR_DISK_READ);
	if (self->handle < 0) {
		self->error = self->handle;
		return true;
	}
	self->bad_at = self->at == self->record_end ? self->at : self->record_at;
	want = self->end - self->at < CHUNK_BYTES ? (size_t)(self->end - self->at) : CHUNK_BYTES;
	self->error =
		disk->ops->read(disk->context, self->handle, self->chunk, want, self->at, &got);
	if (self->error == 0)
		self->is_bad = got != want || !check_chunk(self, got);
	if (self->error == 0 && !self->is_bad && !is_over(self))
		return false;
	disk->ops->close(disk->context, self->handle);
	return true;
}

/* ---- what was found ---- */

/* The record here is damaged. Its stream is named by the index, if it was an event; on from there
 * *offset is the next one. */
static void take_damage(struct wr_fs_store *store, struct wr_segment *segment, uint64_t *offset)
{
	struct wr_index_entry entry;
	uint64_t damaged = *offset, sequence;
	char name[WR_FS_NAME_BYTES];

	segment->is_damaged = true;
	*offset = segment->bytes;
	if (wr_fs_index_at(store, segment, damaged, &entry) == WR_OK) {
		*offset = (uint64_t)entry.place * WR_RECORD_ALIGN;
		sequence = segment->first_sequence + entry.sequence_delta;
		if (*offset == damaged) {
			*offset += entry.bytes;
			if (wr_fs_is_kept(wr_fs_row_find(store, entry.stream), sequence,
					  entry.item))
				wr_fs_quarantine(store, entry.stream, segment->number, damaged);
			return;
		}
	}
	wr_fs_segment_name(name, segment->number);
	WR_LOG(WR_LOG_ERROR, "store_corrupt", WR_LOG_TEXT("file", wr_view_of_string(name)),
	       WR_LOG_NUMBER("offset", damaged));
	if (segment->number == store->checkpoint_segment[0] ||
	    segment->number == store->checkpoint_segment[1])
		store->is_checkpoint_wanted = true;
}

static void done(struct wr_job *job)
{
	struct wr_scrub *self = wr_container_of(job, struct wr_scrub, job);
	struct wr_fs_store *store = self->store;
	struct wr_segment *segment;

	wr_allocator_free(store->allocator, self->chunk, CHUNK_BYTES);
	self->chunk = NULL;
	self->is_running = false;
	self->due_ms = store->config.now_ms() + store->config.scrub_ms;
	segment = wr_fs_segment(store, self->number);
	if (self->layout != store->layout || segment == NULL || segment->number != self->number)
		return; /* another file by now: the slice is read again */
	if (self->error != 0 && wr_fs_read_status(self->error) != WR_CORRUPT)
		return; /* something that the system may have later */
	self->offset = self->at;
	if (self->is_bad || self->error != 0) {
		self->offset = self->bad_at;
		take_damage(store, segment, &self->offset);
	}
	store->scrubbed_bytes += self->offset - self->slice_begin;
}

/* ---- what is next ---- */

/* The first sealed segment of this number or above that can be read; NULL: a pass is over. */
static struct wr_segment *next_segment(struct wr_fs_store *store, uint64_t number)
{
	for (uint32_t i = 0; i < store->segment_count; i++) {
		struct wr_segment *segment = &store->segments[i];

		if (segment->number >= number && segment->next_sequence != UINT64_MAX &&
		    !segment->is_missing && !segment->is_headless && !segment->is_cleaning)
			return segment;
	}
	return NULL;
}

static void end_pass(struct wr_scrub *self)
{
	struct wr_fs_store *store = self->store;

	self->number = self->offset = 0;
	self->due_ms = store->config.now_ms() + store->config.scrub_rest_ms;
	store->scrub_count++;
}

static void post(struct wr_scrub *self, struct wr_segment *segment)
{
	struct wr_fs_store *store = self->store;

	self->chunk = wr_allocator_take(store->allocator, CHUNK_BYTES);
	if (self->chunk == NULL)
		return;
	self->number = segment->number;
	self->layout = store->layout;
	self->disk = store->disk;
	wr_fs_segment_name(self->name, segment->number);
	self->seed = segment->seed;
	self->at = self->record_at = self->record_end = self->slice_begin = self->offset;
	self->end = segment->bytes;
	self->slice_end = self->at + SLICE_BYTES;
	self->handle = -1;
	self->is_bad = false;
	self->error = 0;
	self->is_running = true;
	wr_jobs_post(store->jobs, &self->job);
}

void wr_fs_scrub(struct wr_fs_store *store)
{
	struct wr_scrub *self = store->scrub;
	struct wr_segment *segment;

	if (self == NULL || self->is_running || store->config.now_ms() < self->due_ms)
		return;
	self->due_ms = store->config.now_ms() + store->config.scrub_ms;
	segment = next_segment(store, self->number);
	if (segment == NULL) {
		end_pass(self);
		return;
	}
	if (segment->number != self->number || self->offset < WR_SEGMENT_HEADER_BYTES)
		self->offset = WR_SEGMENT_HEADER_BYTES;
	self->number = segment->number;
	/* How long it is is known with its index; one that cannot be had now is passed over. */
	if (wr_fs_index_load(store, segment) == WR_OK && self->offset < segment->bytes) {
		post(self, segment);
	} else {
		self->number = segment->last_number + 1;
		self->offset = 0;
		self->due_ms = 0;
	}
}

uint64_t wr_fs_scrub_due_ms(const struct wr_fs_store *self)
{
	return self->scrub == NULL || self->scrub->is_running ? UINT64_MAX : self->scrub->due_ms;
}

enum wr_status wr_fs_scrub_init(struct wr_fs_store *self)
{
	if (self->config.scrub_ms == 0)
		return WR_OK;
	self->scrub = wr_allocator_take_zeroed(self->allocator, sizeof *self->scrub);
	if (self->scrub == NULL)
		return WR_NO_MEMORY;
	wr_list_init(&self->scrub->job.place);
	self->scrub->job.urgency = WR_JOB_BACKGROUND;
	self->scrub->job.run = run;
	self->scrub->job.done = done;
	self->scrub->store = self;
	self->scrub->due_ms = self->config.now_ms() + self->config.scrub_ms;
	return WR_OK;
}

void wr_fs_scrub_deinit(struct wr_fs_store *self)
{
	if (self->scrub == NULL)
		return;
	wr_allocator_free(self->allocator, self->scrub->chunk, CHUNK_BYTES);
	wr_allocator_free(self->allocator, self->scrub, sizeof *self->scrub);
}
