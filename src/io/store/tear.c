/*
 * A torn tail: kept aside, for whoever wants to know what was in it, and taken off the log. Only
 * room and order can go wrong here: the last file goes first, each with a sync of the folder, so
 * that no power failure leaves a gap.
 */
#include "check.h"
#include "io/log.h"
#include "io/store/open_private.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_BYTES = 16384, DIGITS = 20, PREFIX_BYTES = 5 };

static const char prefix[PREFIX_BYTES + 1] = "torn-";

/* ---- kept aside ---- */

static void put_name(char out[WR_FS_NAME_BYTES], uint64_t sequence)
{
	memcpy(out, prefix, PREFIX_BYTES);
	for (unsigned i = DIGITS; i-- > 0; sequence /= 10)
		out[PREFIX_BYTES + i] = (char)('0' + sequence % 10);
	out[PREFIX_BYTES + DIGITS] = '\0';
}

/* Behind the last byte of a file from `offset` on that is not zero; `offset` when all are. */
static int find_data_end(const struct wr_disk *disk, int handle, uint64_t offset, uint64_t *end)
{
	char chunk[CHUNK_BYTES];
	size_t got = sizeof chunk;

	*end = offset;
	while (got == sizeof chunk) {
		int error =
			disk->ops->read(disk->context, handle, chunk, sizeof chunk, offset, &got);

		if (error != 0)
			return error;
		for (size_t i = got; i-- > 0;)
			if (chunk[i] != 0) {
				*end = offset + i + 1;
				break;
			}
		offset += got;
	}
	return 0;
}

static int copy(const struct wr_disk *disk, int from, uint64_t offset, uint64_t end, int to,
		uint64_t *at)
{
	char chunk[CHUNK_BYTES];

	while (offset < end) {
		size_t piece = end - offset < sizeof chunk ? (size_t)(end - offset) : sizeof chunk;
		int error = wr_fs_read_all(disk, from, chunk, piece, offset);

		if (error == 0)
			error = wr_fs_write_all(disk, to, chunk, piece, *at);
		if (error != 0)
			return error;
		offset += piece;
		*at += piece;
	}
	return 0;
}

/* What is left of one segment; the next begins at a multiple of 8 again. */
static int copy_segment(const struct wr_disk *disk, uint64_t number, uint64_t offset, int to,
			uint64_t *at)
{
	char name[WR_FS_NAME_BYTES];
	uint64_t end = 0;
	int from, error;

	wr_fs_segment_name(name, number);
	from = disk->ops->open(disk->context, name, WR_DISK_READ);
	if (from < 0)
		return from;
	error = find_data_end(disk, from, offset, &end);
	end = (end + WR_RECORD_ALIGN - 1) & ~(uint64_t)(WR_RECORD_ALIGN - 1);
	if (error == 0)
		error = copy(disk, from, offset, end, to, at);
	disk->ops->close(disk->context, from);
	return error;
}

static int keep(struct wr_opening *self, const char *name, uint64_t *bytes)
{
	struct wr_fs_store *store = self->store;
	const struct wr_disk *disk = &store->disk;
	char temporary[WR_FS_NAME_BYTES];
	uint64_t offset = self->judged.bad_offset;
	int to, error = 0;

	*bytes = 0;
	wr_fs_temporary_name(store, temporary, name);
	to = disk->ops->open(disk->context, temporary, WR_DISK_CREATE);
	if (to < 0)
		return to;
	for (uint32_t i = self->judged.bad_index; error == 0 && i < store->segment_count; i++) {
		error = copy_segment(disk, store->segments[i].number, offset, to, bytes);
		offset = 0;
	}
	if (error == 0)
		error = disk->ops->sync(disk->context, to);
	disk->ops->close(disk->context, to);
	if (error == 0 && *bytes != 0)
		return disk->ops->rename(disk->context, temporary, name);
	(void)disk->ops->unlink(disk->context, temporary);
	return error;
}

/* ---- not too many ---- */

struct tails {
	unsigned count;
	char oldest[PREFIX_BYTES + DIGITS + 1];
};

static void note_tail(void *context, const char *name)
{
	struct tails *tails = context;

	if (strlen(name) != PREFIX_BYTES + DIGITS || strncmp(name, prefix, PREFIX_BYTES) != 0 ||
	    strspn(name + PREFIX_BYTES, "0123456789") != DIGITS)
		return;
	if (tails->count == 0 || strcmp(name, tails->oldest) < 0)
		memcpy(tails->oldest, name, sizeof tails->oldest);
	tails->count++;
}

static int drop_oldest(const struct wr_disk *disk)
{
	for (;;) {
		struct tails tails = {0};
		int error = disk->ops->list(disk->context, note_tail, &tails);

		if (error == 0 && tails.count > WR_FS_TORN_KEPT)
			error = disk->ops->unlink(disk->context, tails.oldest);
		else
			return error;
		if (error != 0)
			return error;
	}
}

/* Failing to is said, and no reason not to open. */
static void keep_aside(struct wr_opening *self)
{
	char name[WR_FS_NAME_BYTES];
	uint64_t bytes;
	int error;

	put_name(name, self->judged.bad_sequence);
	error = keep(self, name, &bytes);
	if (error == 0)
		error = drop_oldest(&self->store->disk);
	if (error != 0)
		WR_LOG(WR_LOG_WARNING, "store_tail_not_kept",
		       WR_LOG_TEXT("file", wr_view_of_string(name)),
		       WR_LOG_TEXT("error", wr_view_of_string(strerror(-error))));
	self->store->recovery.bytes = bytes;
}

/* ---- taken off ---- */

enum wr_status wr_open_drop_segment(struct wr_fs_store *self, uint64_t number)
{
	const struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES];
	int error;

	wr_fs_forget_handles(self, number);
	wr_fs_index_name(name, number);
	error = disk->ops->unlink(disk->context, name);
	wr_fs_segment_name(name, number);
	if (error == 0 || error == -ENOENT)
		error = disk->ops->unlink(disk->context, name);
	if (error == 0 || error == -ENOENT)
		error = disk->ops->sync_folder(disk->context);
	if (error != 0)
		return wr_open_fail(self, WR_IO, -error, "removing", name, 0);
	return WR_OK;
}

/* Prepared files, from the last one down to `number`. */
static enum wr_status drop_prepared(struct wr_opening *self, uint64_t number)
{
	enum wr_status status = WR_OK;

	for (uint32_t i = self->found_count; status == WR_OK && i-- > 0;) {
		struct wr_found *found = &self->found[i];

		if (found->number < number ||
		    (found->state != WR_FOUND_ZEROS && found->state != WR_FOUND_SURPLUS))
			continue;
		status = wr_open_drop_segment(self->store, found->number);
		found->state = WR_FOUND_GONE;
	}
	self->prepared = 0;
	return status;
}

enum wr_status wr_open_cut(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_judgement *judged = &self->judged;
	uint32_t keep_count = judged->bad_index + (judged->bad_offset == 0 ? 0 : 1);
	enum wr_status status = WR_OK;
	struct wr_segment *active;

	wr_assert(keep_count != 0);
	keep_aside(self);
	if (keep_count < store->segment_count)
		status = drop_prepared(self, store->segments[keep_count].number);
	while (status == WR_OK && store->segment_count > keep_count) {
		status = wr_open_drop_segment(store, wr_fs_active(store)->number);
		if (status == WR_OK)
			store->segment_count--;
	}
	active = wr_fs_active(store);
	active->next_sequence = UINT64_MAX;
	if (judged->bad_offset != 0)
		active->bytes = (uint32_t)judged->bad_offset;
	if (active->bytes <= WR_SEGMENT_HEADER_BYTES)
		active->has_checkpoint = false;
	return status;
}
