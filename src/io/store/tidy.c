/*
 * What earlier lives have left in the folder and nobody needs: unfinished files, segments that were
 * merged, indexes without a segment, the mark of a clean stop. Only names that are ours.
 */
#include "check.h"
#include "io/store/open_private.h"

#include <errno.h>
#include <string.h>

enum { NAMES_MAX = 32, RANDOM_DIGITS = 8 };

struct left_overs {
	const struct wr_fs_store *store;
	unsigned count;
	char names[NAMES_MAX][WR_FS_NAME_BYTES];
};

/* NAME.tmp.RANDOM, where NAME is one of those that are written so. */
static bool is_unfinished(const char *name)
{
	const char *middle = strstr(name, ".tmp.");
	size_t bytes = middle == NULL ? 0 : (size_t)(middle - name);
	char base[WR_FS_NAME_BYTES];
	uint64_t number;

	if (middle == NULL || bytes >= sizeof base || strlen(middle + 5) != RANDOM_DIGITS ||
	    strspn(middle + 5, "0123456789abcdef") != RANDOM_DIGITS)
		return false;
	memcpy(base, name, bytes);
	base[bytes] = '\0';
	return wr_fs_segment_number(base, &number) || wr_fs_index_number(base, &number) ||
	       strcmp(base, WR_MARK_NAME) == 0 || strncmp(base, "torn-", 5) == 0;
}

/* The active segment's index is in memory; a file of it is from before a tail was cut. */
static bool is_stray_index(const struct wr_fs_store *self, const char *name)
{
	uint64_t number;

	if (!wr_fs_index_number(name, &number))
		return false;
	for (uint32_t i = 0; i + 1 < self->segment_count; i++)
		if (self->segments[i].number == number)
			return false;
	return true;
}

static void note(void *context, const char *name)
{
	struct left_overs *left = context;

	if (left->count < NAMES_MAX && strlen(name) < WR_FS_NAME_BYTES &&
	    (is_unfinished(name) || is_stray_index(left->store, name)))
		memcpy(left->names[left->count++], name, strlen(name) + 1);
}

enum wr_status wr_open_remove_left_overs(struct wr_fs_store *self)
{
	const struct wr_disk *disk = &self->disk;
	struct left_overs left;

	do {
		int error;

		left.store = self;
		left.count = 0;
		error = disk->ops->list(disk->context, note, &left);
		if (error != 0)
			return wr_open_fail(self, WR_IO, -error, "reading the folder", NULL, 0);
		for (unsigned i = 0; i < left.count; i++) {
			error = disk->ops->unlink(disk->context, left.names[i]);
			if (error != 0 && error != -ENOENT)
				return wr_open_fail(self, WR_IO, -error, "removing", left.names[i],
						    0);
		}
	} while (left.count == NAMES_MAX);
	return WR_OK;
}

static enum wr_status remove_segments(struct wr_opening *self)
{
	enum wr_status status = WR_OK;

	for (uint32_t i = self->found_count; status == WR_OK && i-- > 0;) {
		const struct wr_found *found = &self->found[i];

		if (found->state == WR_FOUND_COVERED || found->state == WR_FOUND_SURPLUS)
			if (wr_fs_segment(self->store, found->number) == NULL ||
			    found->state == WR_FOUND_COVERED)
				status = wr_open_drop_segment(self->store, found->number);
	}
	return status;
}

static enum wr_status adopt_prepared(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_disk *disk = &store->disk;
	char name[WR_FS_NAME_BYTES];
	uint64_t bytes = 0;
	int handle, error;

	if (self->prepared == 0)
		return WR_OK;
	wr_fs_segment_name(name, self->prepared);
	handle = disk->ops->open(disk->context, name, WR_DISK_WRITE);
	if (handle < 0)
		return wr_open_fail(store, WR_IO, -handle, "opening", name, 0);
	error = disk->ops->size(disk->context, handle, &bytes);
	if (error != 0) {
		disk->ops->close(disk->context, handle);
		return wr_open_fail(store, WR_IO, -error, "reading", name, 0);
	}
	wr_fs_adopt_prepared(store, self->prepared, handle, (uint32_t)bytes);
	return WR_OK;
}

enum wr_status wr_open_tidy(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_disk *disk = &store->disk;
	enum wr_status status = remove_segments(self);
	int error = 0;

	if (status == WR_OK)
		status = wr_open_remove_left_overs(store);
	if (status != WR_OK)
		return status;
	if (self->mark.state != WR_MARK_ABSENT)
		error = disk->ops->unlink(disk->context, WR_MARK_NAME);
	/* Also for the name of the prepared segment: the process that made it may have been killed
	 * before it was synced. */
	if (error == 0)
		error = disk->ops->sync_folder(disk->context);
	if (error != 0)
		return wr_open_fail(store, WR_IO, -error, "removing", WR_MARK_NAME, 0);
	return adopt_prepared(self);
}
