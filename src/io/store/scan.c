/*
 * Records are read through a window that moves over the file: as large as the largest record at
 * most, however long the file is. Foreign bytes: nothing here is believed before its checksum is.
 */
#include "bytes/endian.h"
#include "check.h"
#include "io/store/store_private.h"

enum { CHUNK_BYTES = 131072 };

/* The bytes from `offset` on that are at hand: at least this many, unless the file ends before. */
static enum wr_status fill(struct wr_scan *self, size_t bytes, struct wr_view *out)
{
	uint64_t end = self->window_offset + self->window.bytes;
	size_t behind, want;

	if (self->offset < self->window_offset || self->offset > end) {
		wr_buf_reset(&self->window);
		self->window_offset = end = self->offset;
	}
	behind = (size_t)(self->offset - self->window_offset);
	if (self->window.bytes - behind < bytes && end < self->file_bytes) {
		uint64_t left = self->file_bytes - end;
		char *room;
		int error;

		wr_buf_consume(&self->window, behind);
		self->window_offset += behind;
		behind = 0;
		want = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		want -= self->window.bytes;
		if (want > left)
			want = (size_t)left;
		room = wr_buf_reserve(&self->window, want);
		if (room == NULL)
			return WR_NO_MEMORY;
		error = wr_fs_read_all(self->disk, self->handle, room, want, end);
		if (error != 0) {
			self->os_error = -error;
			return WR_IO;
		}
		wr_buf_commit(&self->window, want);
	}
	*out = self->window.bytes == behind ? WR_VIEW_NULL
					    : wr_view_skip(wr_buf_view(&self->window), behind);
	return WR_OK;
}

enum wr_status wr_scan_begin(struct wr_scan *self, struct wr_allocator *allocator,
			     const struct wr_disk *disk, int handle, struct wr_record_seed seed,
			     uint64_t offset, uint32_t payload_bytes_max)
{
	int error;

	wr_assert(offset % WR_RECORD_ALIGN == 0);
	*self = (struct wr_scan){
		.disk = disk,
		.handle = handle,
		.seed = seed,
		.offset = offset,
		.payload_bytes_max = payload_bytes_max,
		.window_offset = offset,
	};
	wr_buf_init(&self->window, allocator,
		    CHUNK_BYTES + (size_t)wr_record_bytes(payload_bytes_max));
	error = disk->ops->size(disk->context, handle, &self->file_bytes);
	self->os_error = -error;
	return error == 0 ? WR_OK : WR_IO;
}

void wr_scan_end(struct wr_scan *self)
{
	wr_buf_deinit(&self->window);
}

static bool are_zeros(struct wr_view bytes)
{
	size_t i = 0;

	while (i < bytes.bytes && bytes.data[i] == 0)
		i++;
	return i == bytes.bytes;
}

enum wr_status wr_scan_next(struct wr_scan *self, struct wr_record *record, struct wr_view *payload,
			    bool *is_header_sound)
{
	struct wr_view bytes;
	enum wr_status status = fill(self, WR_RECORD_HEADER_BYTES, &bytes);

	*is_header_sound = false;
	if (status != WR_OK)
		return status;
	if (bytes.bytes < WR_RECORD_HEADER_BYTES)
		return are_zeros(bytes) ? WR_NOT_FOUND : WR_CORRUPT;
	status = wr_record_decode(record, bytes.data, self->seed, self->offset);
	if (status != WR_OK)
		return status;
	*is_header_sound = true;
	/* Before memory is asked for. */
	if (record->payload_bytes > self->payload_bytes_max ||
	    wr_record_bytes(record->payload_bytes) > self->file_bytes - self->offset)
		return WR_CORRUPT;
	status = fill(self, (size_t)wr_record_bytes(record->payload_bytes), &bytes);
	if (status != WR_OK)
		return status;
	*payload = wr_view_of(bytes.data + WR_RECORD_HEADER_BYTES, record->payload_bytes);
	if (!wr_record_payload_is_sound(record, *payload, self->seed, self->offset))
		return WR_CORRUPT;
	self->offset += wr_record_bytes(record->payload_bytes);
	return WR_OK;
}

static void note_data(struct wr_scan *self, const char *bytes, size_t count)
{
	while (count != 0 && bytes[count - 1] == 0)
		count--;
	if (count != 0)
		self->data_end = self->offset + count;
}

/* One of a newer program is a record, too: it must be refused, not passed over. */
static bool is_header(const struct wr_scan *self, const char *bytes)
{
	struct wr_record record;
	enum wr_status status = wr_record_decode(&record, bytes, self->seed, self->offset);

	return status == WR_OK || status == WR_UNSUPPORTED;
}

enum wr_status wr_scan_resume(struct wr_scan *self)
{
	uint64_t start = self->offset;
	enum wr_status status;
	struct wr_view bytes;

	self->data_end = start;
	do {
		size_t i = 0;

		status = fill(self, WR_RECORD_HEADER_BYTES, &bytes);
		for (; status == WR_OK && bytes.bytes - i >= WR_RECORD_HEADER_BYTES;
		     i += WR_RECORD_ALIGN, self->offset += WR_RECORD_ALIGN) {
			if (wr_load_le64(bytes.data + i) == 0)
				continue;
			if (self->offset != start && is_header(self, bytes.data + i))
				return WR_OK;
			note_data(self, bytes.data + i, WR_RECORD_ALIGN);
		}
		bytes = status == WR_OK && bytes.bytes != 0 ? wr_view_skip(bytes, i) : WR_VIEW_NULL;
	} while (status == WR_OK && self->offset + bytes.bytes < self->file_bytes);
	if (status == WR_OK) {
		note_data(self, bytes.data, bytes.bytes);
		status = WR_NOT_FOUND;
	}
	self->offset = start;
	return status;
}
