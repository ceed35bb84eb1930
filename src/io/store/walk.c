/*
 * The log as one run of records, and what is between them.
 *
 * Zeros end a segment only when nothing but zeros comes behind them: pages reach a disk in any
 * order, so that a page of zeros may lie before records that arrived.
 */
#include "check.h"
#include "io/store/open_private.h"

void wr_walk_begin(struct wr_walk *self, struct wr_fs_store *store, uint32_t index)
{
	*self = (struct wr_walk){.store = store, .next = index, .index = index};
}

static void close_segment(struct wr_walk *self)
{
	const struct wr_disk *disk = &self->store->disk;

	if (!self->is_open)
		return;
	wr_scan_end(&self->scan);
	disk->ops->close(disk->context, self->handle);
	self->is_open = false;
}

void wr_walk_end(struct wr_walk *self)
{
	close_segment(self);
}

static enum wr_status fail(struct wr_walk *self, enum wr_status status)
{
	uint64_t number = self->store->segments[self->index].number;

	if (status == WR_UNSUPPORTED)
		return wr_open_fail_at(self->store, status, 0, "it was written by a newer version",
				       number, self->scan.offset);
	return wr_open_fail_at(self->store, status, self->scan.os_error, "reading", number,
			       self->scan.offset);
}

static enum wr_status open_segment(struct wr_walk *self)
{
	struct wr_fs_store *store = self->store;
	struct wr_segment *segment = &store->segments[self->index];
	char name[WR_FS_NAME_BYTES];
	enum wr_status status;

	wr_fs_segment_name(name, segment->number);
	self->handle = store->disk.ops->open(store->disk.context, name, WR_DISK_READ);
	if (self->handle < 0)
		return wr_open_fail(store, WR_IO, -self->handle, "opening", name, 0);
	/* A sound header is believed whatever its length: we wrote it, maybe with a larger bound.
	 * It is bounded by the file. */
	status = wr_scan_begin(&self->scan, store->allocator, &store->disk, self->handle,
			       segment->seed, WR_SEGMENT_HEADER_BYTES, segment->file_bytes);
	self->is_open = true;
	return status == WR_OK ? WR_OK : fail(self, status);
}

/* The next segment, if there is one. */
static enum wr_status enter(struct wr_walk *self, enum wr_walk_kind *kind)
{
	struct wr_segment *segment;

	*kind = WR_WALK_END;
	if (self->next == self->store->segment_count)
		return WR_OK;
	*kind = WR_WALK_SEGMENT;
	self->index = self->next++;
	self->offset = 0;
	segment = &self->store->segments[self->index];
	return segment->is_missing ? WR_OK : open_segment(self);
}

/* No record is here: the end of the segment, or a hole. */
static enum wr_status leave_or_skip(struct wr_walk *self, enum wr_walk_kind *kind)
{
	struct wr_segment *segment = &self->store->segments[self->index];
	enum wr_status status;
	bool is_hole;

	self->offset = self->scan.offset;
	status = wr_scan_resume(&self->scan);
	if (status != WR_OK && status != WR_NOT_FOUND)
		return fail(self, status);
	*kind = WR_WALK_HOLE;
	if (status == WR_OK)
		return WR_OK;
	if (self->scan.file_bytes < self->offset)
		self->offset = self->scan.file_bytes;
	segment->bytes = (uint32_t)self->offset;
	/* Where no zeros end the records of a file that was cut, there were more. */
	is_hole = self->scan.data_end > self->offset ||
		  (segment->file_bytes < segment->made_bytes &&
		   segment->file_bytes - segment->bytes < WR_RECORD_HEADER_BYTES);
	close_segment(self);
	return is_hole ? WR_OK : enter(self, kind);
}

enum wr_status wr_walk_next(struct wr_walk *self, enum wr_walk_kind *kind)
{
	bool is_header_sound;
	enum wr_status status;

	if (!self->is_open)
		return enter(self, kind);
	self->offset = self->scan.offset;
	status = wr_scan_next(&self->scan, &self->record, &self->payload, &is_header_sound);
	*kind = WR_WALK_RECORD;
	if (status == WR_OK)
		return WR_OK;
	if (status == WR_CORRUPT && is_header_sound) {
		self->scan.offset += wr_record_bytes(self->record.payload_bytes);
		*kind = WR_WALK_BAD;
		return WR_OK;
	}
	if (status == WR_CORRUPT || status == WR_NOT_FOUND)
		return leave_or_skip(self, kind);
	return fail(self, status);
}
