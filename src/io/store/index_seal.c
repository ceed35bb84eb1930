/*
 * An index that leaves memory: when its segment is sealed the entries go to the helper, which
 * writes them as a file. A file that cannot be written is no harm: the entries stay in memory, and
 * the next segment's turn tries again; after a restart the index is made from the segment.
 *
 * The folder is not synced: an index whose name was lost is made again, and one that got the name
 * of a later version of its segment does not pass for it (its seed).
 */
#include "check.h"
#include "io/log.h"
#include "io/store/index_file.h"

struct wr_seal *wr_seal_find(struct wr_fs_store *self, uint64_t number)
{
	struct wr_seal *seal = self->seals;

	while (seal != NULL && (seal->is_stale || seal->writer.number != number))
		seal = seal->next;
	return seal;
}

static void free_order(struct wr_seal *self)
{
	if (self->writer.order != NULL)
		wr_allocator_free(self->store->allocator, self->writer.order,
				  (self->count + 1) * sizeof *self->writer.order);
	self->writer.order = NULL;
}

static void free_seal(struct wr_seal *self)
{
	struct wr_allocator *allocator = self->store->allocator;

	free_order(self);
	wr_allocator_free(allocator, self->entries, self->capacity * sizeof *self->entries);
	wr_allocator_free(allocator, self, sizeof *self);
}

static void remove_seal(struct wr_seal *self)
{
	struct wr_seal **link = &self->store->seals;

	while (*link != self)
		link = &(*link)->next;
	*link = self->next;
	free_seal(self);
}

/* ---- writing ---- */

/* On the helper. */
static bool run(struct wr_job *job)
{
	struct wr_seal *self = wr_container_of(job, struct wr_seal, job);
	struct wr_disk *disk = &self->writer.disk;
	enum wr_status status = wr_index_writer_step(&self->writer, &self->error);

	if (status == WR_OK) {
		self->error = disk->ops->rename(disk->context, self->writer.temporary, self->name);
		if (self->error != 0)
			disk->ops->unlink(disk->context, self->writer.temporary);
	}
	return status != WR_MORE;
}

static void done(struct wr_job *job)
{
	struct wr_seal *self = wr_container_of(job, struct wr_seal, job);
	struct wr_fs_store *store = self->store;
	struct wr_segment *segment = wr_fs_segment(store, self->writer.number);

	self->is_posted = false;
	free_order(self);
	if (self->is_stale) {
		remove_seal(self);
		return;
	}
	if (self->error != 0) {
		WR_LOG(WR_LOG_WARNING, "store_index_unwritten",
		       WR_LOG_NUMBER("segment", self->writer.number),
		       WR_LOG_NUMBER("errno", -self->error));
		return;
	}
	wr_assert(segment != NULL && segment->number == self->writer.number);
	/* Handles are held while the file is being cleaned, so memory goes on answering. */
	if (segment->is_cleaning)
		return;
	store->file_bytes -= segment->index_bytes;
	segment->index_bytes = self->writer.block_count * WR_FS_INDEX_BLOCK_BYTES;
	store->file_bytes += segment->index_bytes;
	segment->stream_count = self->writer.stream_count;
	segment->is_index_loaded = true;
	segment->has_index = true;
	wr_fs_forget_handles(store, segment->number);
	wr_index_file_forget(store, segment->number);
	remove_seal(self);
}

/* False: there is no memory for the sorting. */
static bool prepare_writer(struct wr_seal *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_segment *segment = wr_fs_segment(store, self->writer.number);
	uint32_t *order = wr_allocator_take(store->allocator, (self->count + 1) * sizeof *order);

	if (order == NULL)
		return false;
	wr_fs_index_name(self->name, segment->number);
	self->writer = (struct wr_index_writer){
		.disk = store->disk,
		.number = segment->number,
		.seed = wr_index_seed(segment->seed, segment->last_number, segment->file_bytes),
		.entries = self->entries,
		.order = order,
		.count = self->count,
		.record_end = segment->bytes,
	};
	wr_fs_temporary_name(store, self->writer.temporary, self->name);
	self->error = 0;
	return true;
}

/* What was made from a damaged segment stays in memory: a file would pass for all there was. */
static void post(struct wr_seal *self)
{
	const struct wr_segment *segment = wr_fs_segment(self->store, self->writer.number);

	if (self->is_posted || segment->is_damaged || self->store->state == WR_FS_FAILED ||
	    !prepare_writer(self))
		return;
	self->is_posted = true;
	wr_jobs_post(self->store->jobs, &self->job);
}

/* ---- sealing ---- */

static struct wr_seal *add_seal(struct wr_fs_store *self, uint64_t number)
{
	struct wr_seal *seal = wr_allocator_take_zeroed(self->allocator, sizeof *seal);

	if (seal == NULL)
		return NULL;
	wr_list_init(&seal->job.place);
	seal->job.urgency = WR_JOB_BACKGROUND;
	seal->job.run = run;
	seal->job.done = done;
	seal->store = self;
	seal->writer.number = number;
	seal->next = self->seals;
	self->seals = seal;
	return seal;
}

static uint32_t bytes_of(const struct wr_index_entry *entries, uint32_t count)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += entries[i].bytes;
	return bytes;
}

enum wr_status wr_fs_index_seal(struct wr_fs_store *self, uint64_t number)
{
	struct wr_seal *seal = add_seal(self, number);
	struct wr_segment *segment = wr_fs_segment(self, number);

	wr_assert(segment != NULL && segment->next_sequence != UINT64_MAX);
	segment->event_count = self->entry_count;
	segment->event_bytes = bytes_of(self->entries, self->entry_count);
	segment->dead_bytes = 0;
	segment->is_dead_known = true;
	if (seal == NULL) {
		wr_allocator_free(self->allocator, self->entries,
				  self->entry_capacity * sizeof *self->entries);
	} else {
		seal->entries = self->entries;
		seal->count = self->entry_count;
		seal->capacity = self->entry_capacity;
	}
	self->entries = NULL;
	self->entry_count = self->entry_capacity = 0;
	for (struct wr_seal *each = self->seals; each != NULL; each = each->next)
		post(each);
	return seal == NULL ? WR_NO_MEMORY : WR_OK;
}

/* ---- making one from the segment ---- */

struct recovery {
	struct wr_fs_store *store;
	struct wr_segment *segment;
	struct wr_seal *seal;
	struct wr_scan scan;
	uint64_t *seen;	     /* per stream: place in it of its newest record so far, 0: none */
	uint32_t seen_count; /* streams */
	uint64_t next_sequence;
	uint32_t end; /* behind its last record */
	bool is_damaged;
};

static enum wr_status add_entry(struct wr_seal *seal, const struct wr_index_entry *entry)
{
	if (seal->count == seal->capacity) {
		uint32_t capacity = seal->capacity == 0 ? 256 : seal->capacity * 2;
		struct wr_index_entry *entries = wr_allocator_resize(
			seal->store->allocator, seal->entries, seal->capacity * sizeof *entries,
			capacity * sizeof *entries);

		if (entries == NULL)
			return WR_NO_MEMORY;
		seal->entries = entries;
		seal->capacity = capacity;
	}
	seal->entries[seal->count++] = *entry;
	return WR_OK;
}

/* Where events were left out on purpose, a hole in a stream says nothing. */
static void check_hole(struct recovery *self, const struct wr_record *record, uint64_t offset)
{
	uint64_t *seen;

	if (record->stream >= self->seen_count)
		return;
	seen = &self->seen[record->stream];
	if (*seen != 0 && record->stream_sequence != *seen + 1 && !self->segment->is_compacted) {
		self->is_damaged = true;
		wr_fs_quarantine(self->store, record->stream, self->segment->number, offset);
	}
	*seen = record->stream_sequence;
}

/* A record whose header is sound; its payload is checked whenever it is read. */
static enum wr_status take_record(struct recovery *self, const struct wr_record *record,
				  uint64_t offset)
{
	const struct wr_segment *segment = self->segment;
	struct wr_index_entry entry = {
		.stream = record->stream,
		.place = (uint32_t)(offset / WR_RECORD_ALIGN),
		.item = record->item,
		.bytes = (uint32_t)wr_record_bytes(record->payload_bytes),
	};

	if (record->kind != WR_RECORD_EVENT)
		return WR_OK;
	if (record->sequence < self->next_sequence ||
	    record->sequence - segment->first_sequence >= UINT32_MAX) {
		self->is_damaged = true; /* sound, but not of this place: not one of ours */
		return WR_OK;
	}
	if (!segment->is_compacted && record->sequence != self->next_sequence)
		self->is_damaged = true;
	entry.sequence_delta = (uint32_t)(record->sequence - segment->first_sequence);
	self->next_sequence = record->sequence + 1;
	check_hole(self, record, offset);
	return add_entry(self->seal, &entry);
}

/* Whether the records end where they should. */
static bool is_at_end(const struct recovery *self)
{
	const struct wr_segment *segment = self->segment;

	return segment->is_compacted ? self->scan.offset == segment->file_bytes
				     : self->next_sequence == segment->next_sequence;
}

/* One record, or what is in the place of one. WR_NOT_FOUND: there are no more. */
static enum wr_status take_next(struct recovery *self)
{
	struct wr_scan *scan = &self->scan;
	uint64_t offset = scan->offset;
	struct wr_record record;
	struct wr_view payload;
	bool is_header_sound;
	enum wr_status status = wr_scan_next(scan, &record, &payload, &is_header_sound);

	if (status == WR_OK) {
		self->end = (uint32_t)scan->offset;
		return take_record(self, &record, offset);
	}
	if (status == WR_NOT_FOUND && is_at_end(self))
		return WR_NOT_FOUND;
	if (status != WR_CORRUPT && status != WR_NOT_FOUND)
		return status;
	self->is_damaged = true;
	if (status == WR_NOT_FOUND || !is_header_sound ||
	    wr_record_bytes(record.payload_bytes) > scan->file_bytes - offset)
		return wr_scan_resume(scan);
	scan->offset += wr_record_bytes(record.payload_bytes);
	self->end = (uint32_t)scan->offset;
	return take_record(self, &record, offset);
}

static enum wr_status scan_all(struct recovery *self)
{
	struct wr_fs_store *store = self->store;
	struct wr_segment *segment = self->segment;
	int handle = wr_fs_handle(store, segment->number, false);
	enum wr_status status;

	if (handle < 0)
		return wr_fs_read_status(handle) == WR_NO_MEMORY ? WR_NO_MEMORY : WR_IO;
	/* Sizes that the records state are believed up to that of the file: their headers have
	 * checksums, and what may be in a record may have been more once. */
	status = wr_scan_begin(&self->scan, store->allocator, &store->disk, handle, segment->seed,
			       WR_SEGMENT_HEADER_BYTES, segment->file_bytes);
	while (status == WR_OK)
		status = take_next(self);
	wr_scan_end(&self->scan);
	return status == WR_NOT_FOUND ? WR_OK : status;
}

enum wr_status wr_seal_recover(struct wr_fs_store *self, struct wr_segment *segment)
{
	struct recovery recovery = {.store = self,
				    .segment = segment,
				    .seen_count = self->row_count,
				    .next_sequence = segment->first_sequence,
				    .end = WR_SEGMENT_HEADER_BYTES};
	size_t seen_bytes = self->row_count * sizeof *recovery.seen;
	enum wr_status status = WR_NO_MEMORY;

	if (self->config.now_ms() < segment->rest_until_ms)
		return WR_IO;
	if (seen_bytes != 0) {
		recovery.seen = wr_allocator_take_zeroed(self->allocator, seen_bytes);
		if (recovery.seen == NULL)
			return WR_NO_MEMORY;
	}
	recovery.seal = add_seal(self, segment->number);
	if (recovery.seal != NULL)
		status = scan_all(&recovery);
	wr_allocator_free(self->allocator, recovery.seen, seen_bytes);
	if (status != WR_OK) {
		if (recovery.seal != NULL)
			remove_seal(recovery.seal);
		/* Reading a whole segment in vain is not for every turn. */
		if (status == WR_IO)
			segment->rest_until_ms = self->config.now_ms() + WR_FS_RETRY_MS;
		return status;
	}
	segment->bytes = recovery.end;
	segment->event_count = recovery.seal->count;
	segment->event_bytes = bytes_of(recovery.seal->entries, recovery.seal->count);
	segment->is_dead_known = false;
	segment->is_index_loaded = false;
	if (recovery.is_damaged)
		segment->is_damaged = true;
	post(recovery.seal);
	return recovery.is_damaged ? WR_CORRUPT : WR_OK;
}

enum wr_status wr_fs_index_rebuild(struct wr_fs_store *self, struct wr_segment *segment)
{
	enum wr_status status;

	wr_assert(segment->next_sequence != UINT64_MAX);
	if (wr_seal_find(self, segment->number) != NULL)
		return WR_OK;
	status = wr_seal_recover(self, segment);
	if (status == WR_OK || status == WR_CORRUPT)
		wr_jobs_drain(self->jobs);
	return status;
}

/* ---- the end ---- */

void wr_fs_index_forget(struct wr_fs_store *self, uint64_t number)
{
	struct wr_seal *seal = wr_seal_find(self, number);

	/* What the helper still has goes when it gives it back. The file that it writes then does
	 * not pass for an index of what is there now. */
	if (seal != NULL && seal->is_posted)
		seal->is_stale = true;
	else if (seal != NULL)
		remove_seal(seal);
	wr_index_file_forget(self, number);
}

void wr_fs_index_deinit(struct wr_fs_store *self)
{
	while (self->seals != NULL)
		remove_seal(self->seals);
	wr_index_file_deinit(self);
	wr_allocator_free(self->allocator, self->entries,
			  self->entry_capacity * sizeof *self->entries);
	self->entries = NULL;
	self->entry_count = self->entry_capacity = 0;
}
