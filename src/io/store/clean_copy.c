/* The helper's part of cleaning. Every record is checked before it is copied: what is damaged must
 * not get new checksums. */
#include "check.h"
#include "io/store/clean.h"

#include <errno.h>

enum { STEP_BYTES = 262144 };

static void close_handle(struct wr_clean *self, int *handle)
{
	if (*handle >= 0)
		self->disk.ops->close(self->disk.context, *handle);
	*handle = -1;
}

/* The end, with nothing changed. */
static bool give_up(struct wr_clean *self, enum wr_clean_outcome outcome, int error)
{
	close_handle(self, &self->in);
	close_handle(self, &self->out);
	wr_index_writer_abandon(&self->writer);
	if (self->has_temporary)
		self->disk.ops->unlink(self->disk.context, self->temporary);
	self->has_temporary = false;
	self->outcome = outcome;
	self->error = error;
	return true;
}

/* ---- reading ---- */

static int open_source(struct wr_clean *self)
{
	char name[WR_FS_NAME_BYTES];
	int handle;

	wr_fs_segment_name(name, self->sources[self->source].number);
	handle = self->disk.ops->open(self->disk.context, name, WR_DISK_READ);
	if (handle < 0)
		return handle;
	self->in = handle;
	self->offset = self->window_offset = WR_SEGMENT_HEADER_BYTES;
	self->window_bytes = 0;
	self->event_count = 0;
	return 0;
}

/* At least so many bytes of the source are in the window at its offset; they fit, and are there. */
static int fill(struct wr_clean *self, size_t bytes)
{
	size_t used = (size_t)(self->offset - self->window_offset), want;
	uint64_t left;
	int error;

	if (self->window_bytes - used >= bytes)
		return 0;
	memmove(self->window, self->window + used, self->window_bytes - used);
	self->window_offset = self->offset;
	self->window_bytes -= used;
	left = self->sources[self->source].end - self->window_offset - self->window_bytes;
	want = self->window_capacity - self->window_bytes;
	if (want > left)
		want = (size_t)left;
	error = wr_fs_read_all(&self->disk, self->in, self->window + self->window_bytes, want,
			       self->window_offset + self->window_bytes);
	if (error == 0)
		self->window_bytes += want;
	return error;
}

/* ---- writing ---- */

static int flush(struct wr_clean *self)
{
	int error = wr_fs_write_all(&self->disk, self->out, self->output, self->output_bytes,
				    self->out_offset - self->output_bytes);

	if (error == 0)
		self->output_bytes = 0;
	return error;
}

/* Takes the bytes of a record. */
static int write_record(struct wr_clean *self, const char *bytes, size_t count)
{
	int error = 0;

	if (count > WR_CLEAN_OUTPUT_BYTES - self->output_bytes)
		error = flush(self);
	if (error != 0)
		return error;
	if (count > WR_CLEAN_OUTPUT_BYTES) {
		error = wr_fs_write_all(&self->disk, self->out, bytes, count, self->out_offset);
	} else {
		memcpy(self->output + self->output_bytes, bytes, count);
		self->output_bytes += count;
	}
	self->out_offset += count;
	return error;
}

/* ---- copying ---- */

static bool is_kept(const struct wr_clean *self, const struct wr_record *record)
{
	/* What is the store's own is in a newer checkpoint. */
	if (record->kind != WR_RECORD_EVENT)
		return false;
	return record->stream >= self->row_count ||
	       wr_fs_is_kept(&self->rows[record->stream], record->sequence, record->item);
}

/* Copies the record at the head of the window, whose place in the log is made anew. */
static int copy_record(struct wr_clean *self, char *bytes, const struct wr_record *record)
{
	size_t count = (size_t)wr_record_bytes(record->payload_bytes);
	size_t used = WR_RECORD_HEADER_BYTES + (size_t)record->payload_bytes;
	struct wr_view payload = wr_view_of(bytes + WR_RECORD_HEADER_BYTES, record->payload_bytes);

	if (self->entry_count == self->entry_max)
		return -EFBIG; /* more is live than was counted */
	self->entries[self->entry_count++] = (struct wr_index_entry){
		.stream = record->stream,
		.sequence_delta = (uint32_t)(record->sequence - self->header.first_sequence),
		.place = (uint32_t)(self->out_offset / WR_RECORD_ALIGN),
		.item = record->item,
		.bytes = (uint32_t)count,
	};
	wr_record_encode(bytes, record, payload, self->seed, self->out_offset);
	memset(bytes + used, 0, count - used);
	return write_record(self, bytes, count);
}

/* Whether it is an event that can be at this place of the log. */
static bool is_in_place(const struct wr_clean *self, const struct wr_record *record)
{
	return record->sequence > self->last_sequence &&
	       record->sequence >= self->header.first_sequence &&
	       record->sequence < self->header.next_sequence;
}

/* One record. False: the job is over, without success. */
static bool take_record(struct wr_clean *self)
{
	const struct wr_clean_source *source = &self->sources[self->source];
	uint64_t left = source->end - self->offset, bytes;
	struct wr_record record;
	char *at;
	int error = left < WR_RECORD_HEADER_BYTES ? -EIO : fill(self, WR_RECORD_HEADER_BYTES);

	at = self->window + (self->offset - self->window_offset);
	if (error == 0 && wr_record_decode(&record, at, source->seed, self->offset) != WR_OK)
		error = -EIO;
	if (error != 0)
		return !give_up(self, error == -EIO ? WR_CLEAN_DAMAGED : WR_CLEAN_FAILED, error);
	bytes = wr_record_bytes(record.payload_bytes);
	if (bytes > left)
		return !give_up(self, WR_CLEAN_DAMAGED, -EIO);
	if (bytes > self->window_capacity) {
		self->record_bytes = bytes;
		return !give_up(self, WR_CLEAN_LONG, 0);
	}
	error = fill(self, (size_t)bytes);
	at = self->window + (self->offset - self->window_offset);
	if (error == 0 &&
	    !wr_record_payload_is_sound(
		    &record, wr_view_of(at + WR_RECORD_HEADER_BYTES, record.payload_bytes),
		    source->seed, self->offset))
		error = -EIO;
	if (error == 0 && record.kind == WR_RECORD_EVENT && !is_in_place(self, &record))
		error = -EIO;
	if (error != 0)
		return !give_up(self, error == -EIO ? WR_CLEAN_DAMAGED : WR_CLEAN_FAILED, error);
	if (record.kind == WR_RECORD_EVENT) {
		self->last_sequence = record.sequence;
		self->event_count++;
	}
	self->offset += bytes;
	if (is_kept(self, &record))
		error = copy_record(self, at, &record);
	return error == 0 || !give_up(self, WR_CLEAN_FAILED, error);
}

/* The header comes last: only then the size is known. */
static int finish_copy(struct wr_clean *self)
{
	char header[WR_SEGMENT_HEADER_BYTES];
	int error = flush(self);

	self->header.file_bytes = (uint32_t)self->out_offset;
	wr_segment_header_encode(header, &self->header);
	if (error == 0)
		error = wr_fs_write_all(&self->disk, self->out, header, sizeof header, 0);
	if (error == 0)
		error = self->disk.ops->sync(self->disk.context, self->out);
	close_handle(self, &self->out);
	self->writer.seed =
		wr_index_seed(self->seed, self->header.last_number, (uint32_t)self->out_offset);
	self->writer.count = self->entry_count;
	self->writer.record_end = (uint32_t)self->out_offset;
	self->phase = WR_CLEAN_INDEX;
	return error;
}

static bool copy(struct wr_clean *self)
{
	uint64_t done = 0, before;
	int error = 0;

	if (!self->has_temporary) {
		self->out =
			self->disk.ops->open(self->disk.context, self->temporary, WR_DISK_CREATE);
		self->has_temporary = self->out >= 0;
		return !self->has_temporary && give_up(self, WR_CLEAN_FAILED, self->out);
	}
	while (done < STEP_BYTES && self->source < self->source_count) {
		if (self->in < 0)
			error = open_source(self);
		if (error != 0)
			return give_up(self, WR_CLEAN_FAILED, error);
		if (self->offset == self->sources[self->source].end) {
			/* All that its index knows have been there. */
			if (self->event_count != self->sources[self->source].event_count)
				return give_up(self, WR_CLEAN_DAMAGED, -EIO);
			close_handle(self, &self->in);
			self->source++;
			continue;
		}
		before = self->offset;
		if (!take_record(self))
			return true;
		done += self->offset - before;
	}
	if (self->source == self->source_count)
		error = finish_copy(self);
	return error != 0 && give_up(self, WR_CLEAN_FAILED, error);
}

static bool write_index(struct wr_clean *self)
{
	int error = 0;
	enum wr_status status = wr_index_writer_step(&self->writer, &error);

	if (status == WR_IO)
		return give_up(self, WR_CLEAN_FAILED, error);
	if (status == WR_OK)
		self->phase = WR_CLEAN_NAMES;
	return false;
}

/* ---- names ---- */

/* Which of the two comes first does not matter: an index does not pass for the other version. */
static bool give_names(struct wr_clean *self)
{
	struct wr_disk *disk = &self->disk;
	int error = disk->ops->rename(disk->context, self->temporary, self->name);

	if (error != 0)
		disk->ops->unlink(disk->context, self->writer.temporary);
	if (error == -ENOSPC || error == -EDQUOT)
		return give_up(self, WR_CLEAN_FAILED, error);
	self->has_temporary = false;
	if (error == 0)
		error = disk->ops->rename(disk->context, self->writer.temporary, self->index_name);
	if (error == 0)
		error = disk->ops->sync_folder(disk->context);
	self->error = error;
	self->outcome = error == 0 ? WR_CLEAN_DONE : WR_CLEAN_UNSURE;
	return true;
}

/* What stays in spite of that is removed by the next start. */
static bool remove_sources(struct wr_clean *self)
{
	struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES];

	for (uint32_t i = 1; i < self->source_count; i++) {
		wr_fs_segment_name(name, self->sources[i].number);
		if (disk->ops->unlink(disk->context, name) == 0)
			self->removed_bytes += self->sources[i].file_bytes;
		wr_fs_index_name(name, self->sources[i].number);
		if (disk->ops->unlink(disk->context, name) == 0)
			self->removed_bytes += self->sources[i].index_bytes;
	}
	disk->ops->sync_folder(disk->context);
	return true;
}

bool wr_clean_run(struct wr_job *job)
{
	struct wr_clean *self = wr_container_of(job, struct wr_clean, job);

	switch (self->phase) {
	case WR_CLEAN_COPY:
		return copy(self);
	case WR_CLEAN_INDEX:
		return write_index(self);
	case WR_CLEAN_NAMES:
		return give_names(self);
	case WR_CLEAN_REMOVE:
		return remove_sources(self);
	}
	wr_unreachable();
}
