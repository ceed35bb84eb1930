/*
 * What is in the folder. Nothing is changed here, so that a log of a newer program, or of another
 * log, is left as it was found.
 *
 * The table of segments that comes out has no gaps: where a file is missing, an entry stands for
 * it. A segment whose header is damaged is described by what its neighbours and its first record
 * say, so that the records in it can still be read.
 */
#include "check.h"
#include "io/store/open_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	FOUND_COUNT_MIN = 32,
	CHUNK_BYTES = 16384,
	/* Of a segment without header: by its first record, by reading all of it. */
	EPOCHS_TRIED_MAX = 4096,
	EPOCHS_SEARCHED_MAX = 16
};

/* ---- listing ---- */

static struct wr_found *add_found(struct wr_opening *self)
{
	size_t old_bytes = self->found_capacity * sizeof *self->found;
	uint32_t capacity = self->found_capacity * 2;
	struct wr_found *found;

	if (self->found_count == self->found_capacity) {
		if (capacity < FOUND_COUNT_MIN)
			capacity = FOUND_COUNT_MIN;
		found = wr_allocator_resize(self->store->allocator, self->found, old_bytes,
					    capacity * sizeof *found);
		if (found == NULL)
			return NULL;
		self->found = found;
		self->found_capacity = capacity;
	}
	return &self->found[self->found_count++];
}

static void take_name(void *context, const char *name)
{
	struct wr_opening *self = context;
	struct wr_found *found;
	uint64_t number;

	if (wr_fs_index_number(name, &number) || strcmp(name, WR_MARK_NAME) == 0 ||
	    strncmp(name, "torn-", 5) == 0)
		self->has_remains = true;
	/* A position has 32 bits for it; no log gets there. */
	if (!wr_fs_segment_number(name, &number) || number > UINT32_MAX)
		return;
	found = add_found(self);
	if (found == NULL)
		self->list_status = WR_NO_MEMORY;
	else
		*found = (struct wr_found){.number = number, .state = WR_FOUND_BAD};
}

static int by_number(const void *a, const void *b)
{
	const struct wr_found *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

/* ---- headers ---- */

enum wr_status wr_open_read_header(const struct wr_disk *disk, int handle,
				   struct wr_segment_header *header, int *os_error)
{
	char bytes[WR_SEGMENT_HEADER_BYTES];
	size_t got = 0;

	*os_error = -disk->ops->read(disk->context, handle, bytes, sizeof bytes, 0, &got);
	if (*os_error != 0)
		return WR_IO;
	if (got < sizeof bytes)
		return WR_CORRUPT;
	return wr_segment_header_decode(header, bytes);
}

static enum wr_status read_found(struct wr_fs_store *self, struct wr_found *found)
{
	const struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES];
	enum wr_status status = WR_IO;
	int handle, os_error;

	wr_fs_segment_name(name, found->number);
	handle = disk->ops->open(disk->context, name, WR_DISK_READ);
	if (handle < 0)
		return wr_open_fail(self, WR_IO, -handle, "opening", name, 0);
	os_error = -disk->ops->size(disk->context, handle, &found->bytes);
	if (os_error == 0)
		status = wr_open_read_header(disk, handle, &found->header, &os_error);
	disk->ops->close(disk->context, handle);
	if (os_error != 0)
		return wr_open_fail(self, WR_IO, os_error, "reading", name, 0);
	if (status == WR_UNSUPPORTED)
		return wr_open_fail(self, status, 0, "it was written by a newer version", name, 0);
	if (found->bytes > UINT32_MAX)
		return wr_open_fail(self, WR_CORRUPT, 0, "it is too long for a segment", name, 0);
	/* A position and a generation have 32 bits for them: what is beyond is none of ours. */
	if (status == WR_OK && found->header.number == found->number &&
	    found->header.last_number < UINT32_MAX && found->header.epoch <= UINT32_MAX)
		found->state = WR_FOUND_SOUND;
	return WR_OK;
}

enum wr_status wr_open_survey(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	enum wr_status status;
	int error;

	self->list_status = WR_OK;
	error = store->disk.ops->list(store->disk.context, take_name, self);
	if (error != 0)
		return wr_open_fail(store, WR_IO, -error, "reading the folder", NULL, 0);
	status = self->list_status;
	if (self->found_count != 0)
		qsort(self->found, self->found_count, sizeof *self->found, by_number);
	for (uint32_t i = 0; status == WR_OK && i < self->found_count; i++)
		status = read_found(store, &self->found[i]);
	if (status == WR_OK)
		status = wr_mark_read(store, &self->mark);
	return status;
}

void wr_open_survey_deinit(struct wr_opening *self)
{
	wr_allocator_free(self->store->allocator, self->found,
			  self->found_capacity * sizeof *self->found);
}

/* ---- whose log it is ---- */

static enum wr_status check_identity(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_found *first = NULL;

	for (uint32_t i = 0; i < self->found_count; i++) {
		const struct wr_found *found = &self->found[i];

		if (found->state != WR_FOUND_SOUND)
			continue;
		if (first == NULL)
			first = found;
		if (memcmp(found->header.store_id, first->header.store_id, WR_STORE_ID_BYTES) != 0)
			return wr_open_fail_at(store, WR_CORRUPT, 0, "it belongs to another log",
					       found->number, 0);
		if (store->generation < found->header.epoch)
			store->generation = (uint32_t)found->header.epoch;
	}
	if (first == NULL)
		return wr_open_fail_at(store, WR_CORRUPT, 0, "no segment has a sound header",
				       self->found[0].number, 0);
	memcpy(store->store_id, first->header.store_id, WR_STORE_ID_BYTES);
	if (self->mark.state == WR_MARK_SOUND &&
	    memcmp(self->mark.store_id, store->store_id, WR_STORE_ID_BYTES) != 0)
		self->mark.state = WR_MARK_DAMAGED;
	/* The only header that named it may be the one that is damaged. */
	if (self->mark.state == WR_MARK_SOUND && store->generation < self->mark.generation)
		store->generation = self->mark.generation;
	return WR_OK;
}

/* ---- which files count ---- */

static void find_covered(struct wr_opening *self)
{
	uint64_t covered = 0;

	for (uint32_t i = 0; i < self->found_count; i++) {
		struct wr_found *found = &self->found[i];

		if (found->number <= covered)
			found->state = WR_FOUND_COVERED;
		else if (found->state == WR_FOUND_SOUND)
			covered = found->header.last_number;
	}
}

static enum wr_status is_all_zeros(struct wr_fs_store *self, const struct wr_found *found,
				   bool *out)
{
	const struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES], chunk[CHUNK_BYTES];
	uint64_t offset = 0;
	int handle, error = 0;

	wr_fs_segment_name(name, found->number);
	handle = disk->ops->open(disk->context, name, WR_DISK_READ);
	if (handle < 0)
		return wr_open_fail(self, WR_IO, -handle, "opening", name, 0);
	*out = true;
	while (*out && offset < found->bytes) {
		uint64_t left = found->bytes - offset;
		size_t piece = left < sizeof chunk ? (size_t)left : sizeof chunk;

		error = wr_fs_read_all(disk, handle, chunk, piece, offset);
		if (error != 0)
			break;
		*out = chunk[0] == 0 && memcmp(chunk, chunk + 1, piece - 1) == 0;
		offset += piece;
	}
	disk->ops->close(disk->context, handle);
	if (error != 0)
		return wr_open_fail(self, WR_IO, -error, "reading", name, offset);
	return WR_OK;
}

/* The files behind the last one that was begun. Of a file that is not zeros and has no header it is
 * not known that it was not begun, unless the mark says so. */
static enum wr_status find_unbegun(struct wr_opening *self)
{
	for (uint32_t i = self->found_count; i-- > 0;) {
		struct wr_found *found = &self->found[i];
		enum wr_status status;
		bool is_zeros = false;

		if (found->state == WR_FOUND_COVERED)
			continue;
		if (found->state == WR_FOUND_SOUND)
			break;
		if (found->bytes >= WR_SEGMENT_HEADER_BYTES) {
			status = is_all_zeros(self->store, found, &is_zeros);
			if (status != WR_OK)
				return status;
		}
		if (is_zeros)
			found->state = WR_FOUND_ZEROS;
		else if (self->mark.state == WR_MARK_SOUND &&
			 self->mark.position >> 32 < found->number)
			found->state = WR_FOUND_SURPLUS;
		else
			break;
	}
	return WR_OK;
}

/* ---- the table ---- */

static enum wr_status add_missing(struct wr_fs_store *self, uint64_t number, uint64_t last_number)
{
	struct wr_segment *segment = wr_fs_segment_add(self);

	if (segment == NULL)
		return WR_NO_MEMORY;
	segment->number = number;
	segment->last_number = last_number;
	segment->is_missing = segment->is_damaged = true;
	return WR_OK;
}

static void describe(const struct wr_fs_store *self, struct wr_segment *segment,
		     const struct wr_segment_header *header)
{
	segment->last_number = header->last_number;
	segment->epoch = header->epoch;
	segment->first_sequence = header->first_sequence;
	segment->next_sequence = header->next_sequence;
	segment->made_bytes = header->file_bytes;
	segment->is_compacted = (header->flags & WR_SEGMENT_COMPACTED) != 0;
	segment->has_checkpoint = (header->flags & WR_SEGMENT_CHECKPOINT) != 0;
	segment->seed = wr_record_seed_make(self->store_id, header->epoch, segment->number);
}

static void describe_by(struct wr_segment *segment, const struct wr_record *record,
			const struct wr_scan *scan, uint64_t epoch)
{
	bool is_first = scan->offset == WR_SEGMENT_HEADER_BYTES;

	segment->epoch = epoch;
	segment->seed = scan->seed;
	segment->first_sequence = record->sequence + (record->kind == WR_RECORD_EVENT ? 0 : 1);
	segment->has_checkpoint = is_first && record->kind == WR_RECORD_CHECKPOINT_BEGIN;
}

/* The first record there is, if the segment is of this epoch: WR_OK; WR_NOT_FOUND. */
static enum wr_status try_epoch(struct wr_fs_store *self, struct wr_segment *segment,
				struct wr_scan *scan, uint64_t epoch, bool looks_on)
{
	bool is_header_sound;
	struct wr_view payload;
	struct wr_record record;
	enum wr_status status;

	scan->offset = WR_SEGMENT_HEADER_BYTES;
	scan->seed = wr_record_seed_make(self->store_id, epoch, segment->number);
	status = wr_scan_next(scan, &record, &payload, &is_header_sound);
	if (looks_on && !is_header_sound && (status == WR_CORRUPT || status == WR_NOT_FOUND)) {
		status = wr_scan_resume(scan);
		if (status == WR_OK)
			status = wr_scan_next(scan, &record, &payload, &is_header_sound);
	}
	if (status != WR_OK && status != WR_CORRUPT)
		return status;
	if (!is_header_sound)
		return WR_NOT_FOUND;
	if (status == WR_OK)
		scan->offset -= wr_record_bytes(record.payload_bytes);
	describe_by(segment, &record, scan, epoch);
	return WR_OK;
}

/* What its first record tells, in one of the epochs that it can be of; without a first record, any
 * later one. Epochs above all that headers name are tried, too: a start behind an unclean end
 * writes the last segment under a new one, which no other file may have. */
static enum wr_status guess(struct wr_fs_store *self, struct wr_segment *segment, uint64_t epoch)
{
	int handle = wr_fs_handle(self, segment->number, false);
	enum wr_status status;
	struct wr_scan scan;

	segment->epoch = epoch;
	segment->seed = wr_record_seed_make(self->store_id, epoch, segment->number);
	if (handle < 0)
		return wr_open_fail_at(self, WR_IO, -handle, "opening", segment->number, 0);
	status = wr_scan_begin(&scan, self->allocator, &self->disk, handle, segment->seed,
			       WR_SEGMENT_HEADER_BYTES, segment->file_bytes);
	if (status == WR_OK)
		status = WR_NOT_FOUND;
	for (uint64_t i = 0; status == WR_NOT_FOUND && i < EPOCHS_TRIED_MAX; i++)
		status = try_epoch(self, segment, &scan, epoch + i, false);
	for (uint64_t i = 0; status == WR_NOT_FOUND && i < EPOCHS_SEARCHED_MAX; i++)
		status = try_epoch(self, segment, &scan, epoch + i, true);
	if (status == WR_OK && self->generation < segment->epoch)
		self->generation = (uint32_t)segment->epoch;
	if (status != WR_OK && status != WR_NOT_FOUND)
		wr_open_fail_at(self, status, scan.os_error, "reading", segment->number,
				scan.offset);
	wr_scan_end(&scan);
	return status == WR_NOT_FOUND ? WR_OK : status;
}

/* The lowest epoch that a segment behind all of the table can be of. Merged ones tell nothing: they
 * are of the epoch in which they were merged. */
static uint64_t lowest_epoch(const struct wr_fs_store *self)
{
	for (uint32_t i = self->segment_count; i-- > 0;)
		if (!self->segments[i].is_compacted && self->segments[i].epoch != 0)
			return self->segments[i].epoch;
	return 1;
}

static enum wr_status add_segment(struct wr_opening *self, const struct wr_found *found,
				  uint64_t next_number)
{
	struct wr_fs_store *store = self->store;
	uint64_t epoch = lowest_epoch(store);
	struct wr_segment *segment = wr_fs_segment_add(store);

	if (segment == NULL)
		return WR_NO_MEMORY;
	segment->number = segment->last_number = found->number;
	segment->bytes = segment->file_bytes = (uint32_t)found->bytes;
	if (found->state == WR_FOUND_SOUND) {
		describe(store, segment, &found->header);
		return WR_OK;
	}
	segment->is_headless = segment->is_damaged = true;
	/* Whether files are missing behind it, or were merged into it, is not known. */
	if (next_number > segment->number + 1) {
		segment->last_number = next_number - 1;
		segment->is_compacted = true;
	}
	return guess(store, segment, epoch);
}

/* Where events end that no header tells of. */
static void bound_sequences(struct wr_fs_store *self)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = self->segment_count; i-- > 0;) {
		struct wr_segment *segment = &self->segments[i];

		if (segment->next_sequence == 0)
			segment->next_sequence = next;
		if (segment->first_sequence != 0)
			next = segment->first_sequence;
	}
	for (uint32_t i = 0; i < self->segment_count; i++)
		if (self->segments[i].first_sequence == 0)
			self->segments[i].first_sequence =
				i == 0 ? 1 : self->segments[i - 1].first_sequence;
}

static bool counts(const struct wr_found *found)
{
	return found->state == WR_FOUND_SOUND || found->state == WR_FOUND_BAD;
}

static uint64_t number_behind(const struct wr_opening *self, uint32_t index)
{
	for (uint32_t i = index + 1; i < self->found_count; i++)
		if (self->found[i].state != WR_FOUND_COVERED)
			return self->found[i].number;
	return 0;
}

/* The last segment that was begun, when a file is prepared behind it: the one in front of that,
 * unless the mark says where the log ended. What else is behind the mark was never part of the log,
 * in whatever state it is. */
static uint64_t last_begun(const struct wr_opening *self, const struct wr_found *prepared)
{
	uint64_t marked = self->mark.position >> 32;

	return self->mark.state == WR_MARK_SOUND && marked < prepared->number
		       ? marked
		       : prepared->number - 1;
}

/* The prepared file behind the last segment; other prepared ones are not needed. */
static enum wr_status take_prepared(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	uint64_t next = wr_fs_active(store)->last_number + 1;
	enum wr_status status = WR_OK;
	bool is_first = true;

	for (uint32_t i = 0; status == WR_OK && i < self->found_count; i++) {
		struct wr_found *found = &self->found[i];

		if (found->state != WR_FOUND_ZEROS)
			continue;
		if (is_first && last_begun(self, found) >= next) {
			status = add_missing(store, next, last_begun(self, found));
			next = last_begun(self, found) + 1;
		}
		if (is_first && found->number == next &&
		    found->bytes >= store->config.segment_bytes)
			self->prepared = next;
		else
			found->state = WR_FOUND_SURPLUS;
		is_first = false;
	}
	return status;
}

enum wr_status wr_open_tabulate(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	enum wr_status status = check_identity(self);
	uint64_t next = 1;

	find_covered(self);
	if (status == WR_OK)
		status = find_unbegun(self);
	for (uint32_t i = 0; status == WR_OK && i < self->found_count; i++) {
		const struct wr_found *found = &self->found[i];

		if (!counts(found))
			continue;
		if (found->number > next)
			status = add_missing(store, next, found->number - 1);
		if (status == WR_OK)
			status = add_segment(self, found, number_behind(self, i));
		if (status == WR_OK)
			next = wr_fs_active(store)->last_number + 1;
	}
	if (status == WR_OK)
		status = take_prepared(self);
	if (status == WR_OK)
		bound_sequences(store);
	return status;
}
