/*
 * A segment file written whole: the records of an older one with checksums of their new place, the
 * end of a generation, zeros. It replaces what has its name only when all of it is on the medium.
 */
#include "bytes/endian.h"
#include "check.h"
#include "io/store/open_private.h"

#include <errno.h>

enum { OUT_BYTES = 262144, GENERATION_BYTES = 12, PAGE_BYTES = 4096 };

struct writer {
	const struct wr_disk *disk;
	int handle;
	struct wr_record_seed seed;
	struct wr_buf out; /* not yet in the file, which has all before `offset` - its bytes */
	uint64_t offset;
	int error;
};

static void flush(struct writer *self)
{
	if (self->error == 0)
		self->error = wr_fs_write_all(self->disk, self->handle, self->out.data,
					      self->out.bytes, self->offset - self->out.bytes);
	wr_buf_reset(&self->out);
}

static void put(struct writer *self, const void *data, size_t bytes)
{
	if (self->out.bytes + bytes > OUT_BYTES)
		flush(self);
	if (bytes > OUT_BYTES) {
		if (self->error == 0)
			self->error = wr_fs_write_all(self->disk, self->handle, data, bytes,
						      self->offset);
	} else if (wr_buf_append(&self->out, data, bytes) != WR_OK) {
		self->error = -ENOMEM;
	}
	self->offset += bytes;
}

static void put_record(struct writer *self, const struct wr_record *record, struct wr_view payload)
{
	static const char zeros[WR_RECORD_ALIGN];
	char header[WR_RECORD_HEADER_BYTES];
	uint64_t bytes = wr_record_bytes((uint32_t)payload.bytes);

	wr_record_encode(header, record, payload, self->seed, self->offset);
	put(self, header, sizeof header);
	if (payload.bytes != 0)
		put(self, payload.data, payload.bytes);
	put(self, zeros, (size_t)(bytes - sizeof header - payload.bytes));
}

/* What was judged to be sound is read again, and must be so still. */
static int put_old(struct writer *self, struct wr_fs_store *store, const struct wr_remake *remake)
{
	char name[WR_FS_NAME_BYTES];
	struct wr_scan scan;
	enum wr_status status;
	int handle;

	wr_fs_segment_name(name, remake->from);
	handle = self->disk->ops->open(self->disk->context, name, WR_DISK_READ);
	if (handle < 0)
		return handle;
	status = wr_scan_begin(&scan, store->allocator, self->disk, handle, remake->from_seed,
			       WR_SEGMENT_HEADER_BYTES, (uint32_t)remake->end);
	while (status == WR_OK && self->error == 0 && scan.offset < remake->end) {
		struct wr_record record;
		struct wr_view payload;
		bool is_header_sound;

		status = wr_scan_next(&scan, &record, &payload, &is_header_sound);
		if (status == WR_OK)
			put_record(self, &record, payload);
	}
	wr_scan_end(&scan);
	self->disk->ops->close(self->disk->context, handle);
	if (status == WR_OK)
		return self->error;
	return status == WR_NO_MEMORY ? -ENOMEM : scan.os_error != 0 ? -scan.os_error : -EIO;
}

static void put_generation(struct writer *self, const struct wr_remake *remake)
{
	char row[GENERATION_BYTES];
	struct wr_record record = {
		.kind = WR_RECORD_GENERATIONS,
		.sequence = remake->last_sequence,
		.durable_upto = wr_position(remake->header.number, self->offset),
	};

	wr_store_le32(row, (uint32_t)remake->generation);
	wr_store_le64(row + 4, remake->last_sequence);
	put_record(self, &record, wr_view_of(row, sizeof row));
}

static uint64_t size_of(const struct wr_remake *remake)
{
	uint64_t bytes = remake->from != 0 ? remake->end : WR_SEGMENT_HEADER_BYTES;

	if (remake->generation != 0)
		bytes += wr_record_bytes(GENERATION_BYTES);
	if (bytes <= remake->file_bytes)
		return remake->file_bytes;
	return (bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

static int fill(struct writer *self, struct wr_fs_store *store, const struct wr_remake *remake,
		uint64_t file_bytes)
{
	struct wr_segment_header header = remake->header;
	char bytes[WR_SEGMENT_HEADER_BYTES];
	int error = 0;

	header.file_bytes = (uint32_t)file_bytes;
	wr_segment_header_encode(bytes, &header);
	put(self, bytes, sizeof bytes);
	if (remake->from != 0)
		error = put_old(self, store, remake);
	if (error == 0 && remake->generation != 0)
		put_generation(self, remake);
	flush(self);
	if (error == 0)
		error = self->error;
	if (error == 0)
		error = wr_fs_write_zeros(self->disk, self->handle, self->offset,
					  file_bytes - self->offset);
	if (error == 0)
		error = self->disk->ops->sync(self->disk->context, self->handle);
	return error;
}

int wr_open_remake(struct wr_fs_store *self, const struct wr_remake *remake, uint32_t *end,
		   uint32_t *file_bytes)
{
	const struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES], temporary[WR_FS_NAME_BYTES];
	struct writer writer = {.disk = disk};
	uint64_t bytes = size_of(remake);
	int error;

	wr_fs_segment_name(name, remake->header.number);
	wr_fs_temporary_name(self, temporary, name);
	writer.seed = wr_record_seed_make(remake->header.store_id, remake->header.epoch,
					  remake->header.number);
	writer.handle = disk->ops->open(disk->context, temporary, WR_DISK_CREATE);
	if (writer.handle < 0)
		return writer.handle;
	wr_buf_init(&writer.out, self->allocator, OUT_BYTES);
	error = fill(&writer, self, remake, bytes);
	wr_buf_deinit(&writer.out);
	disk->ops->close(disk->context, writer.handle);
	if (error == 0)
		error = disk->ops->rename(disk->context, temporary, name);
	if (error != 0) {
		(void)disk->ops->unlink(disk->context, temporary);
		return error;
	}
	wr_fs_forget_handles(self, remake->header.number);
	*end = (uint32_t)writer.offset;
	*file_bytes = (uint32_t)bytes;
	return 0;
}
