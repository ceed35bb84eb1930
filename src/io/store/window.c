/*
 * Bytes of segments come through one window: what was read last, as far as it goes. Records that
 * follow each other are read ahead, single ones not. Payloads are lent out of it.
 */
#include "check.h"
#include "io/store/store_private.h"

#include <errno.h>

enum {
	NEAR_BYTES = 4096,   /* read at once for one record */
	AHEAD_BYTES = 32768, /* when what is wanted follows what was read before */
	KEPT_BYTES = 65536   /* of the window, between turns */
};

void wr_fs_read_init(struct wr_fs_store *self)
{
	/* What a record may have is checked against its segment, not against what a new one may
	 * have: that bound can be lower than it was. */
	wr_buf_init(&self->payload, self->allocator, UINT32_MAX);
}

enum wr_status wr_fs_read_status(int error)
{
	switch (-error) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return WR_NO_MEMORY;
	case EIO:
	case ENOENT:
		return WR_CORRUPT;
	default:
		return WR_IO;
	}
}

void wr_fs_read_rest(struct wr_fs_store *self)
{
	if (self->payload.capacity <= KEPT_BYTES)
		return;
	wr_buf_deinit(&self->payload);
	self->window_segment = 0;
}

void wr_fs_read_forget(struct wr_fs_store *self, uint64_t number)
{
	self->layout++;
	if (self->window_segment == number)
		self->window_segment = 0;
}

uint64_t wr_fs_readable_end(const struct wr_fs_store *self, const struct wr_segment *segment)
{
	uint64_t written = self->written_position;

	if (segment->next_sequence != UINT64_MAX)
		return segment->bytes;
	return segment->number == written >> 32 ? written & UINT32_MAX : 0;
}

static enum wr_status fill_window(struct wr_fs_store *self, const struct wr_segment *segment,
				  uint64_t offset, size_t bytes)
{
	int handle = wr_fs_handle(self, segment->number, false), error;
	char *room;

	if (handle < 0)
		return wr_fs_read_status(handle);
	self->window_segment = 0;
	wr_buf_reset(&self->payload);
	room = wr_buf_reserve(&self->payload, bytes);
	if (room == NULL)
		return WR_NO_MEMORY;
	error = wr_fs_read_all(&self->disk, handle, room, bytes, offset);
	if (error != 0)
		return wr_fs_read_status(error);
	wr_buf_commit(&self->payload, bytes);
	self->window_segment = segment->number;
	self->window_offset = offset;
	return WR_OK;
}

/* Lends bytes of a segment, until the next call. */
static enum wr_status fetch(struct wr_fs_store *self, const struct wr_segment *segment,
			    uint64_t offset, uint64_t bytes, const char **out)
{
	uint64_t end = wr_fs_readable_end(self, segment);
	uint64_t want = NEAR_BYTES, window_end = self->window_offset + self->payload.bytes;
	enum wr_status status;

	if (offset > end || bytes > end - offset)
		return WR_CORRUPT;
	if (self->window_segment == segment->number && offset >= self->window_offset &&
	    offset <= window_end) {
		if (bytes <= window_end - offset) {
			*out = self->payload.data + (offset - self->window_offset);
			return WR_OK;
		}
		want = AHEAD_BYTES;
	}
	if (want > end - offset)
		want = end - offset;
	if (want < bytes)
		want = bytes;
	status = fill_window(self, segment, offset, (size_t)want);
	*out = self->payload.data;
	return status;
}

/* ---- records ---- */

enum wr_status wr_fs_read_header(struct wr_fs_store *self, const struct wr_segment *segment,
				 uint64_t offset, struct wr_record *record)
{
	const char *bytes = NULL;
	enum wr_status status = fetch(self, segment, offset, WR_RECORD_HEADER_BYTES, &bytes);

	if (status != WR_OK)
		return status;
	status = wr_record_decode(record, bytes, segment->seed, offset);
	return status == WR_OK ? WR_OK : WR_CORRUPT;
}

enum wr_status wr_fs_read_payload(struct wr_fs_store *self, const struct wr_segment *segment,
				  uint64_t offset, const struct wr_record *record,
				  struct wr_view *payload)
{
	const char *bytes = NULL;
	enum wr_status status =
		fetch(self, segment, offset, wr_record_bytes(record->payload_bytes), &bytes);

	if (status != WR_OK)
		return status;
	*payload = wr_view_of(bytes + WR_RECORD_HEADER_BYTES, record->payload_bytes);
	return wr_record_payload_is_sound(record, *payload, segment->seed, offset) ? WR_OK
										   : WR_CORRUPT;
}
