#include "io/store/verify.h"

#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "io/store/index_file.h"
#include "io/store/open_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	PATH_BYTES_MAX = 4096,
	/* Records between two calls that tell the progress. */
	PROGRESS_RECORDS = 4096
};

struct verify {
	struct wr_verify_result *result;
	const struct wr_verify_visitor *visitor;
	struct wr_fs_store *store;
	struct wr_opening opening;
	struct wr_walk walk;

	/* the segment at hand */
	struct wr_verify_file file;
	char name[WR_FS_NAME_BYTES];
	bool is_begun;
	uint64_t checkpoint_left; /* records that its end must have counted */
	bool is_in_checkpoint;

	uint64_t last_sequence; /* of the log so far */
	bool is_gap_known;	/* what comes next may begin anywhere behind it */
	uint64_t bytes_done;
	uint64_t call_count;
};

/* ---- telling ---- */

static void tell(struct verify *self, const struct wr_verify_file *file)
{
	struct wr_verify_result *result = self->result;

	if (file->state == WR_VERIFY_DAMAGED || file->state == WR_VERIFY_MISSING) {
		result->bad_count++;
		result->state = WR_VERIFY_DAMAGED;
	} else if (file->state == WR_VERIFY_TORN && result->state == WR_VERIFY_SOUND) {
		result->state = WR_VERIFY_TORN;
	}
	if (self->visitor->file != NULL)
		self->visitor->file(self->visitor->context, file);
}

static void tell_progress(struct verify *self)
{
	if (self->visitor->progress != NULL && self->call_count++ % PROGRESS_RECORDS == 0)
		self->visitor->progress(self->visitor->context,
					self->bytes_done + self->walk.offset, self->result->bytes);
}

/* ---- segments ---- */

/* Whether this place lies in what the next start cuts off; or behind the end that was judged, where
 * a process may be writing meanwhile. */
static bool is_in_tear(const struct verify *self, uint64_t offset)
{
	const struct wr_judgement *judged = &self->opening.judged;

	if (!self->opening.is_torn)
		return !self->opening.is_damaged && self->result->what == NULL &&
		       self->walk.index == judged->end_index && offset >= judged->end_offset;
	return self->walk.index > judged->bad_index ||
	       (self->walk.index == judged->bad_index && offset >= judged->bad_offset);
}

/* The first bad place of a segment is the one that is told. */
static void note_bad(struct verify *self, uint64_t offset, const char *what)
{
	struct wr_verify_file *file = &self->file;

	self->is_gap_known = true;
	if (file->state != WR_VERIFY_SOUND)
		return;
	file->state = is_in_tear(self, offset) ? WR_VERIFY_TORN : WR_VERIFY_DAMAGED;
	file->offset = offset;
	file->what = what;
}

static void begin_segment(struct verify *self)
{
	const struct wr_segment *segment = &self->store->segments[self->walk.index];

	self->is_begun = true;
	self->is_in_checkpoint = false;
	wr_fs_segment_name(self->name, segment->number);
	self->file = (struct wr_verify_file){.name = self->name,
					     .state = WR_VERIFY_SOUND,
					     .is_segment = true,
					     .bytes = segment->file_bytes};
	if (segment->is_missing) {
		self->file.state = WR_VERIFY_MISSING;
		self->is_gap_known = true;
	} else if (segment->is_headless) {
		note_bad(self, 0, "its header is damaged");
	}
	if (segment->is_compacted)
		self->is_gap_known = true;
}

static void end_segment(struct verify *self)
{
	if (!self->is_begun)
		return;
	self->is_begun = false;
	/* A checkpoint that has no end counts for nothing; but what is behind it does. */
	if (self->is_in_checkpoint && self->file.what == NULL)
		self->file.what = "its checkpoint has no end";
	self->bytes_done += self->file.bytes;
	self->result->segment_count++;
	tell(self, &self->file);
}

static void take_checkpoint_record(struct verify *self)
{
	const struct wr_walk *walk = &self->walk;

	switch ((enum wr_record_kind)walk->record.kind) {
	case WR_RECORD_CHECKPOINT_BEGIN:
		self->is_in_checkpoint = true;
		self->checkpoint_left = 0;
		return;
	case WR_RECORD_CHECKPOINT_END:
		if (walk->payload.bytes != 8 ||
		    wr_load_le64(walk->payload.data) != self->checkpoint_left)
			note_bad(self, walk->offset, "its checkpoint is not whole");
		else if (self->is_in_checkpoint)
			self->file.checkpoint_count++;
		self->is_in_checkpoint = false;
		return;
	case WR_RECORD_CHECKPOINT_PART:
		if (self->visitor->part != NULL)
			self->visitor->part(self->visitor->context, walk->payload);
		self->checkpoint_left++;
		return;
	case WR_RECORD_EVENT:
		self->is_in_checkpoint = false;
		return;
	case WR_RECORD_CHECKPOINT_ROWS:
	case WR_RECORD_GENERATIONS:
	case WR_RECORD_RETIRED:
		self->checkpoint_left++;
		return;
	}
}

static enum wr_status give_event(struct verify *self)
{
	const struct wr_walk *walk = &self->walk;
	const struct wr_record *record = &walk->record;
	enum wr_status status;

	if (self->visitor->event == NULL)
		return WR_OK;
	status = self->visitor->event(self->visitor->context,
				      &(struct wr_store_record){.sequence = record->sequence,
								.worker = record->stream,
								.item = record->item,
								.payload = walk->payload});
	if (status == WR_CORRUPT)
		note_bad(self, walk->offset, "an event is not what it should be");
	else if (status == WR_UNSUPPORTED)
		note_bad(self, walk->offset, "an event was written by a newer version");
	else
		return status;
	return WR_OK;
}

/* Nothing reads the zeros between two records, and no checksum covers them; but what changed them
 * may have been elsewhere, too. A walk has them behind the payload. */
static bool is_padded_with_zeros(const struct wr_walk *walk)
{
	const char *at = walk->payload.data + walk->payload.bytes;
	uint64_t bytes = wr_record_bytes(walk->record.payload_bytes) - WR_RECORD_HEADER_BYTES -
			 walk->payload.bytes;

	for (; bytes > 0 && *at == 0; bytes--)
		at++;
	return bytes == 0;
}

/* The first event of a segment is the one that its header names; of a merged one that may be gone.
 */
static bool is_first_as_told(const struct verify *self)
{
	const struct wr_segment *segment = &self->store->segments[self->walk.index];
	uint64_t sequence = self->walk.record.sequence;

	if (self->file.event_count != 0 || segment->is_headless)
		return true;
	return segment->is_compacted ? sequence >= segment->first_sequence
				     : sequence == segment->first_sequence;
}

static enum wr_status take_record(struct verify *self)
{
	const struct wr_record *record = &self->walk.record;

	if (!is_padded_with_zeros(&self->walk))
		note_bad(self, self->walk.offset, "the bytes behind a record are not zeros");
	self->result->record_count++;
	self->file.record_count++;
	take_checkpoint_record(self);
	if (record->kind != WR_RECORD_EVENT)
		return WR_OK;
	if (record->sequence <= self->last_sequence ||
	    (!self->is_gap_known && record->sequence != self->last_sequence + 1))
		note_bad(self, self->walk.offset, "events are missing before it");
	else if (!is_first_as_told(self))
		note_bad(self, 0, "its header names another first event");
	self->is_gap_known = self->store->segments[self->walk.index].is_compacted;
	if (record->sequence <= self->last_sequence)
		return WR_OK;
	self->last_sequence = record->sequence;
	if (self->file.first_sequence == 0)
		self->file.first_sequence = record->sequence;
	self->file.last_sequence = record->sequence;
	self->file.event_count++;
	self->result->event_count++;
	return give_event(self);
}

static enum wr_status walk_all(struct verify *self)
{
	enum wr_walk_kind kind = WR_WALK_SEGMENT;
	enum wr_status status = WR_OK;

	self->is_gap_known = self->store->segments[0].is_compacted;
	wr_walk_begin(&self->walk, self->store, 0);
	while (status == WR_OK && kind != WR_WALK_END) {
		status = wr_walk_next(&self->walk, &kind);
		if (status != WR_OK)
			break;
		tell_progress(self);
		switch (kind) {
		case WR_WALK_SEGMENT:
			end_segment(self);
			begin_segment(self);
			break;
		case WR_WALK_RECORD:
			status = take_record(self);
			break;
		case WR_WALK_BAD:
			note_bad(self, self->walk.offset, "a record is damaged");
			break;
		case WR_WALK_HOLE:
			note_bad(self, self->walk.offset, "there is no record");
			break;
		case WR_WALK_END:
			end_segment(self);
			break;
		}
	}
	wr_walk_end(&self->walk);
	return status;
}

/* ---- the other files ---- */

/* Segment files that are none of the log: ready for it, or left over from it. */
static void tell_unused(struct verify *self)
{
	for (uint32_t i = 0; i < self->opening.found_count; i++) {
		const struct wr_found *found = &self->opening.found[i];
		struct wr_verify_file file = {.name = self->name, .bytes = found->bytes};

		if (found->state == WR_FOUND_SOUND || found->state == WR_FOUND_BAD)
			continue;
		wr_fs_segment_name(self->name, found->number);
		file.state = WR_VERIFY_SPARE;
		if (found->state == WR_FOUND_COVERED)
			file.what = "it was merged into another";
		else if (found->number == self->opening.prepared)
			file.state = WR_VERIFY_PREPARED;
		tell(self, &file);
	}
}

static bool is_index_block(const struct wr_segment *segment, const uint8_t *bytes, uint64_t block)
{
	enum {
		SUM_AT = WR_FS_INDEX_BLOCK_BYTES - 4,
		NUMBER_AT = SUM_AT - 4,
		BLOCK_AT = SUM_AT - 8
	};
	uint32_t seed = wr_index_seed(segment->seed, segment->last_number, segment->file_bytes);
	uint8_t offset[8];

	wr_store_le64(offset, block * WR_FS_INDEX_BLOCK_BYTES);
	return wr_load_le32(bytes + SUM_AT) ==
		       wr_crc32c(wr_crc32c(seed, offset, sizeof offset), bytes, SUM_AT) &&
	       wr_load_le32(bytes + BLOCK_AT) == (uint32_t)block &&
	       wr_load_le32(bytes + NUMBER_AT) == (uint32_t)segment->number;
}

/* An index is a cache: one that does not fit is made again, and nothing is lost by it. */
static enum wr_status check_index(struct verify *self, const struct wr_segment *segment)
{
	const struct wr_disk *disk = &self->store->disk;
	struct wr_verify_file file = {.name = self->name, .state = WR_VERIFY_SOUND};
	uint8_t block[WR_FS_INDEX_BLOCK_BYTES];
	int handle, error;

	wr_fs_index_name(self->name, segment->number);
	handle = disk->ops->open(disk->context, self->name, WR_DISK_READ);
	if (handle == -ENOENT)
		return WR_OK; /* there need not be one */
	if (handle < 0)
		return wr_open_fail(self->store, WR_IO, -handle, "opening", self->name, 0);
	error = disk->ops->size(disk->context, handle, &file.bytes);
	if (error == 0 && (file.bytes == 0 || file.bytes % sizeof block != 0))
		file.state = WR_VERIFY_USELESS;
	for (uint64_t at = 0; error == 0 && file.state == WR_VERIFY_SOUND && at < file.bytes;
	     at += sizeof block) {
		error = wr_fs_read_all(disk, handle, block, sizeof block, at);
		if (error == 0 && !is_index_block(segment, block, at / sizeof block)) {
			file.state = WR_VERIFY_USELESS;
			file.offset = at;
		}
	}
	disk->ops->close(disk->context, handle);
	if (error != 0)
		return wr_open_fail(self->store, WR_IO, -error, "reading", self->name, 0);
	tell(self, &file);
	return WR_OK;
}

static enum wr_status check_indexes(struct verify *self)
{
	enum wr_status status = WR_OK;

	for (uint32_t i = 0; status == WR_OK && i < self->store->segment_count; i++)
		if (!self->store->segments[i].is_missing)
			status = check_index(self, &self->store->segments[i]);
	return status;
}

static void tell_mark(struct verify *self)
{
	struct wr_verify_file file = {.name = WR_MARK_NAME, .state = WR_VERIFY_SOUND};

	if (self->opening.mark.state == WR_MARK_ABSENT || self->result->what != NULL)
		return;
	if (self->opening.mark.state == WR_MARK_DAMAGED) {
		file.state = WR_VERIFY_DAMAGED;
		file.what = "it counts as absent";
	} else if (!self->opening.is_clean) {
		file.what = "the log does not end where it says";
		file.state = WR_VERIFY_DAMAGED;
	}
	tell(self, &file);
}

/* Names that are no segment, no index of one, and not the mark. */
static void tell_other(void *context, const char *name)
{
	struct verify *self = context;
	struct wr_verify_file file = {.name = name, .state = WR_VERIFY_FOREIGN};
	uint64_t number;

	if (wr_fs_segment_number(name, &number) || strcmp(name, WR_MARK_NAME) == 0)
		return;
	if (wr_fs_index_number(name, &number)) {
		const struct wr_segment *segment = wr_fs_segment(self->store, number);
		if (segment != NULL && segment->number == number && !segment->is_missing)
			return;
		file.state = WR_VERIFY_SPARE;
	} else if (strstr(name, ".tmp.") != NULL) {
		file.state = WR_VERIFY_SPARE;
		file.what = "it was not finished";
	} else if (strncmp(name, "torn-", 5) == 0) {
		file.what = "a tail that was cut off";
	}
	tell(self, &file);
}

/* ---- all of it ---- */

static void sum_up(struct verify *self)
{
	struct wr_verify_result *result = self->result;

	memcpy(result->log_id, self->store->store_id, sizeof result->log_id);
	result->generation = self->store->generation;
	result->is_clean = self->opening.is_clean;
	for (uint32_t i = 0; i < self->store->segment_count; i++) {
		result->bytes += self->store->segments[i].file_bytes;
		result->is_merged |= self->store->segments[i].is_compacted;
	}
}

/* Looks and judges, as a start would. */
static enum wr_status judge(struct verify *self)
{
	enum wr_status status = wr_open_survey(&self->opening);

	if (status != WR_OK)
		return status;
	if (self->opening.found_count == 0) {
		self->result->state = WR_VERIFY_MISSING;
		if (self->opening.has_remains)
			self->result->what = "all segments are missing";
		return WR_OK;
	}
	status = wr_open_tabulate(&self->opening);
	if (status != WR_OK)
		return status;
	status = wr_open_judge(&self->opening);
	if (status != WR_CORRUPT)
		return status;
	self->result->state = WR_VERIFY_DAMAGED;
	self->result->what = self->store->error.what;
	return WR_OK;
}

static enum wr_status look(struct verify *self)
{
	const struct wr_disk *disk = &self->store->disk;
	enum wr_status status = judge(self);
	int error;

	if (status != WR_OK || self->result->state == WR_VERIFY_MISSING)
		return status;
	sum_up(self);
	if (self->visitor->begin != NULL)
		status = self->visitor->begin(self->visitor->context, self->result);
	if (status != WR_OK)
		return status;
	status = walk_all(self);
	self->result->last_sequence = self->last_sequence;
	if (status != WR_OK || self->visitor->file == NULL)
		return status;
	tell_unused(self);
	status = check_indexes(self);
	if (status != WR_OK)
		return status;
	tell_mark(self);
	error = disk->ops->list(disk->context, tell_other, self);
	if (error != 0)
		return wr_open_fail(self->store, WR_IO, -error, "reading the folder", NULL, 0);
	return WR_OK;
}

enum wr_status wr_verify_run(struct wr_verify_result *out, struct wr_allocator *allocator,
			     const struct wr_disk *disk, const struct wr_verify_visitor *visitor,
			     struct wr_fs_error *error)
{
	struct verify self = {.result = out, .visitor = visitor};
	enum wr_status status;

	*out = (struct wr_verify_result){.state = WR_VERIFY_SOUND};
	*error = (struct wr_fs_error){.status = WR_OK};
	self.store = wr_allocator_take_zeroed(allocator, sizeof *self.store);
	if (self.store == NULL) {
		*error = (struct wr_fs_error){.status = WR_NO_MEMORY,
					      .what = wr_status_text(WR_NO_MEMORY)};
		return WR_NO_MEMORY;
	}
	self.store->allocator = allocator;
	self.store->disk = *disk;
	self.store->active_handle = -1;
	self.opening.store = self.store;
	status = look(&self);
	if (status != WR_OK) {
		*error = self.store->error;
		if (error->status != status)
			*error = (struct wr_fs_error){.status = status,
						      .what = wr_status_text(status)};
	}
	wr_open_survey_deinit(&self.opening);
	wr_fs_segments_deinit(self.store);
	wr_allocator_free(allocator, self.store, sizeof *self.store);
	return status;
}

/* A shared lock is asked for and given back at once. A process that starts in this very moment may
 * be refused by it, and is started again by whoever supervises it. */
bool wr_verify_is_in_use(const char *path)
{
	static const char name[] = "/lock";
	char lock[PATH_BYTES_MAX];
	size_t bytes = strlen(path);
	bool is_in_use;
	int fd;

	if (bytes > sizeof lock - sizeof name)
		return false;
	memcpy(lock, path, bytes);
	memcpy(lock + bytes, name, sizeof name);
	fd = open(lock, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	is_in_use = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return is_in_use;
}
