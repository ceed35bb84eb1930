/*
 * The mark of a clean stop says where the log ends, so that an end before it is known for damage,
 * and an end at it for one that needs no repair. It is gone before anything is appended.
 */
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "io/store/open_private.h"

#include <errno.h>

enum { MARK_BYTES = 64, MARK_FORMAT = 1 };
enum {
	FORMAT_AT = 8,
	BYTES_AT = 12,
	STORE_ID_AT = 16,
	POSITION_AT = 32,
	SEQUENCE_AT = 40,
	GENERATION_AT = 48,
	ZEROS_AT = 52,
	SUM_AT = 60
};

_Static_assert(STORE_ID_AT + WR_STORE_ID_BYTES == POSITION_AT, "the id's place");

static const char magic[8] = {'W', 'R', 'e', 'n', 'd', '\r', '\n', 0x1a};

static void encode(char out[MARK_BYTES], const struct wr_fs_store *self)
{
	memset(out, 0, MARK_BYTES);
	memcpy(out, magic, sizeof magic);
	wr_store_le32(out + FORMAT_AT, MARK_FORMAT);
	wr_store_le32(out + BYTES_AT, MARK_BYTES);
	memcpy(out + STORE_ID_AT, self->store_id, WR_STORE_ID_BYTES);
	wr_store_le64(out + POSITION_AT, self->written_position);
	wr_store_le64(out + SEQUENCE_AT, self->head);
	wr_store_le32(out + GENERATION_AT, self->generation);
	wr_store_le32(out + SUM_AT, wr_crc32c(0, out, SUM_AT));
}

/* WR_OK, WR_CORRUPT, WR_UNSUPPORTED (a sound one of a newer format). */
static enum wr_status decode(struct wr_mark *mark, const char *in, size_t bytes)
{
	uint32_t format;

	if (bytes != MARK_BYTES || memcmp(in, magic, sizeof magic) != 0 ||
	    wr_load_le32(in + SUM_AT) != wr_crc32c(0, in, SUM_AT))
		return WR_CORRUPT;
	format = wr_load_le32(in + FORMAT_AT);
	if (format > MARK_FORMAT)
		return WR_UNSUPPORTED;
	if (format != MARK_FORMAT || wr_load_le32(in + BYTES_AT) != MARK_BYTES)
		return WR_CORRUPT;
	memcpy(mark->store_id, in + STORE_ID_AT, WR_STORE_ID_BYTES);
	mark->position = wr_load_le64(in + POSITION_AT);
	mark->sequence = wr_load_le64(in + SEQUENCE_AT);
	mark->generation = wr_load_le32(in + GENERATION_AT);
	return WR_OK;
}

enum wr_status wr_mark_read(struct wr_fs_store *self, struct wr_mark *mark)
{
	const struct wr_disk *disk = &self->disk;
	int handle = disk->ops->open(disk->context, WR_MARK_NAME, WR_DISK_READ);
	char bytes[MARK_BYTES + 1];
	enum wr_status status;
	size_t got = 0;
	int error;

	*mark = (struct wr_mark){.state = WR_MARK_ABSENT};
	if (handle == -ENOENT)
		return WR_OK;
	if (handle < 0)
		return wr_open_fail(self, WR_IO, -handle, "opening", WR_MARK_NAME, 0);
	error = disk->ops->read(disk->context, handle, bytes, sizeof bytes, 0, &got);
	disk->ops->close(disk->context, handle);
	if (error != 0)
		return wr_open_fail(self, WR_IO, -error, "reading", WR_MARK_NAME, 0);
	status = decode(mark, bytes, got);
	if (status == WR_UNSUPPORTED)
		return wr_open_fail(self, status, 0, "it was written by a newer version",
				    WR_MARK_NAME, 0);
	mark->state = status == WR_OK ? WR_MARK_SOUND : WR_MARK_DAMAGED;
	return WR_OK;
}

/* 0 or a negated errno: then there is none, or not for sure. */
static int put_mark(struct wr_fs_store *self, const char bytes[MARK_BYTES])
{
	const struct wr_disk *disk = &self->disk;
	char temporary[WR_FS_NAME_BYTES];
	int handle, error;

	wr_fs_temporary_name(self, temporary, WR_MARK_NAME);
	handle = disk->ops->open(disk->context, temporary, WR_DISK_CREATE);
	if (handle < 0)
		return handle;
	error = wr_fs_write_all(disk, handle, bytes, MARK_BYTES, 0);
	if (error == 0)
		error = disk->ops->sync(disk->context, handle);
	disk->ops->close(disk->context, handle);
	if (error == 0)
		error = disk->ops->rename(disk->context, temporary, WR_MARK_NAME);
	if (error != 0) {
		(void)disk->ops->unlink(disk->context, temporary);
		return error;
	}
	return disk->ops->sync_folder(disk->context);
}

/* Without the mark the next start would write the last segment anew, for which a full disk has even
 * less room: an index is only a cache, and makes some. */
enum wr_status wr_fs_leave_mark(struct wr_fs_store *self)
{
	const struct wr_disk *disk = &self->disk;
	char bytes[MARK_BYTES], name[WR_FS_NAME_BYTES];
	int error;

	wr_assert(self->batch.bytes == 0 && self->written_position == self->durable_position);
	encode(bytes, self);
	error = put_mark(self, bytes);
	for (uint32_t i = 0; wr_fs_is_room_error(-error) && i + 1 < self->segment_count; i++) {
		wr_fs_index_name(name, self->segments[i].number);
		if (disk->ops->unlink(disk->context, name) == 0)
			error = put_mark(self, bytes);
	}
	return error == 0 ? WR_OK : WR_IO;
}
