/*
 * After an unclean stop nothing that can be read is known to be on the medium: after a kill nobody
 * has synced it, and after a sync that failed the kernel says that all is well. What no record
 * proves to be durable is therefore written anew, older segments first and as they were, the last
 * one under the next generation, with a record that the generation before has ended. That record
 * is the first that may say of everything before it that it is durable.
 *
 * Each step leaves a log that the next start can take up from the beginning.
 */
#include "check.h"
#include "io/log.h"
#include "io/store/open_private.h"

#include <errno.h>
#include <string.h>

enum { GENERATION_BYTES = 12 }; /* of the record that says which one ended */

/* ---- segments that are not the last one ---- */

static enum wr_status sync_segment(struct wr_fs_store *self, const struct wr_segment *segment)
{
	const struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES];
	int handle, error;

	wr_fs_segment_name(name, segment->number);
	handle = disk->ops->open(disk->context, name, WR_DISK_WRITE);
	if (handle < 0)
		return wr_open_fail(self, WR_IO, -handle, "opening", name, 0);
	error = disk->ops->sync(disk->context, handle);
	disk->ops->close(disk->context, handle);
	return error == 0 ? WR_OK : wr_open_fail(self, WR_IO, -error, "syncing", name, 0);
}

/* Of a segment that is written anew: its records, and the reserved end behind them. */
static uint64_t least_bytes(const struct wr_fs_store *self, const struct wr_remake *what)
{
	uint64_t bytes = what->from != 0 ? what->end : WR_SEGMENT_HEADER_BYTES;

	bytes += WR_RECORD_HEADER_BYTES + GENERATION_BYTES + wr_fs_tail_bytes(self);
	return (bytes / WR_RECORD_ALIGN + 1) * WR_RECORD_ALIGN;
}

static enum wr_status remake(struct wr_opening *self, const struct wr_remake *what, uint32_t *end,
			     uint32_t *file_bytes)
{
	struct wr_fs_store *store = self->store;
	char name[WR_FS_NAME_BYTES];
	int error = wr_open_remake(store, what, end, file_bytes);

	/* A prepared segment holds nothing: its room is room for this. */
	if (wr_fs_is_room_error(-error) && self->prepared != 0) {
		enum wr_status status = wr_open_drop_segment(store, self->prepared);

		self->prepared = 0;
		if (status != WR_OK)
			return status;
		error = wr_open_remake(store, what, end, file_bytes);
	}
	/* On a disk that is full the last one is made no longer than must be: the store is full,
	 * but what it has is served. */
	if (wr_fs_is_room_error(-error) && what->generation != 0) {
		struct wr_remake least = *what;

		least.file_bytes = least_bytes(store, what);
		if (least.file_bytes < what->file_bytes)
			error = wr_open_remake(store, &least, end, file_bytes);
	}
	wr_fs_segment_name(name, what->header.number);
	if (error == -ENOMEM)
		return wr_open_fail(store, WR_NO_MEMORY, ENOMEM, "writing anew", name, 0);
	if (wr_fs_is_room_error(-error))
		return wr_open_fail(store, WR_FULL, -error, "there is no room to write it anew",
				    name, 0);
	/* With its new name there is no way back: the records that it was made of may be gone. */
	if (error == 0)
		error = store->disk.ops->sync_folder(store->disk.context);
	return error == 0 ? WR_OK : wr_open_fail(store, WR_IO, -error, "writing anew", name, 0);
}

static enum wr_status read_header(struct wr_fs_store *self, uint64_t number,
				  struct wr_segment_header *header)
{
	const struct wr_disk *disk = &self->disk;
	char name[WR_FS_NAME_BYTES];
	enum wr_status status;
	int handle, os_error;

	wr_fs_segment_name(name, number);
	handle = disk->ops->open(disk->context, name, WR_DISK_READ);
	if (handle < 0)
		return wr_open_fail(self, WR_IO, -handle, "opening", name, 0);
	status = wr_open_read_header(disk, handle, header, &os_error);
	disk->ops->close(disk->context, handle);
	return status == WR_OK ? WR_OK : wr_open_fail(self, WR_IO, os_error, "reading", name, 0);
}

static bool is_bad(const struct wr_opening *self, uint32_t index)
{
	const struct wr_judgement *judged = &self->judged;

	return self->store->segments[index].is_damaged ||
	       (self->is_damaged && index >= judged->bad_index && index <= judged->last_bad_index);
}

/* A damaged one stays as it is. Without durability nothing was promised that would be worth it. */
static enum wr_status make_durable(struct wr_opening *self, uint32_t index)
{
	struct wr_fs_store *store = self->store;
	const struct wr_segment *segment = &store->segments[index];
	struct wr_remake what = {
		.from = segment->number,
		.from_seed = segment->seed,
		.end = segment->bytes,
		.file_bytes = segment->file_bytes,
	};
	uint32_t end, file_bytes;
	enum wr_status status;

	if (segment->is_missing)
		return WR_OK;
	if (is_bad(self, index) || store->config.durability == WR_DURABILITY_NEVER)
		return sync_segment(store, segment);
	status = read_header(store, segment->number, &what.header);
	return status == WR_OK ? remake(self, &what, &end, &file_bytes) : status;
}

static enum wr_status make_older_durable(struct wr_opening *self)
{
	const struct wr_fs_store *store = self->store;
	uint64_t durable = self->judged.durable;
	enum wr_status status = WR_OK;

	if (self->mark.state == WR_MARK_SOUND && durable < self->mark.position)
		durable = self->mark.position;
	for (uint32_t i = self->judged.start; status == WR_OK && i + 1 < store->segment_count; i++)
		if (wr_position(store->segments[i].number, store->segments[i].bytes) > durable)
			status = make_durable(self, i);
	return status;
}

/* ---- the last one ---- */

static enum wr_status resume(struct wr_fs_store *self)
{
	const struct wr_segment *active = wr_fs_active(self);
	char name[WR_FS_NAME_BYTES];
	int handle;

	wr_fs_segment_name(name, active->number);
	handle = self->disk.ops->open(self->disk.context, name, WR_DISK_WRITE);
	if (handle < 0)
		return wr_open_fail(self, WR_IO, -handle, "opening", name, 0);
	wr_fs_resume(self, handle);
	return WR_OK;
}

static void fill_header(const struct wr_fs_store *self, const struct wr_segment *segment,
			struct wr_segment_header *header)
{
	*header = (struct wr_segment_header){
		.epoch = self->generation,
		.number = segment->number,
		.last_number = segment->last_number,
		.first_sequence = segment->first_sequence,
		.flags = segment->has_checkpoint ? WR_SEGMENT_CHECKPOINT : 0,
		.created_wall_ms = self->config.wall_ms(),
	};
	memcpy(header->store_id, self->store_id, WR_STORE_ID_BYTES);
}

/* Writes the last segment of the table, with its records or new, in the store's generation. */
static enum wr_status write_active(struct wr_opening *self, bool is_new, uint32_t ended)
{
	struct wr_fs_store *store = self->store;
	struct wr_segment *active = wr_fs_active(store);
	struct wr_remake what = {
		.from = is_new ? 0 : active->number,
		.from_seed = active->seed,
		.end = active->bytes,
		.generation = ended,
		.last_sequence = store->head,
		.file_bytes = store->config.segment_bytes,
	};
	enum wr_status status;

	if (what.file_bytes < active->file_bytes)
		what.file_bytes = active->file_bytes & ~(uint32_t)(WR_RECORD_ALIGN - 1);
	fill_header(store, active, &what.header);
	status = remake(self, &what, &active->bytes, &active->file_bytes);
	active->epoch = store->generation;
	active->seed = wr_record_seed_make(store->store_id, active->epoch, active->number);
	return status;
}

static enum wr_status add_active(struct wr_fs_store *self)
{
	uint64_t number = 1;
	struct wr_segment *active;

	if (self->segment_count != 0) {
		active = wr_fs_active(self);
		number = active->last_number + 1;
		active->next_sequence = self->head + 1;
	}
	active = wr_fs_segment_add(self);
	if (active == NULL)
		return wr_open_fail(self, WR_NO_MEMORY, 0, "out of memory", NULL, 0);
	active->number = active->last_number = number;
	active->first_sequence = self->head + 1;
	active->next_sequence = UINT64_MAX;
	return WR_OK;
}

/* Segments are never cleaned while they are last, but a header may say anything. */
static bool needs_new_segment(const struct wr_opening *self)
{
	const struct wr_fs_store *store = self->store;

	return is_bad(self, store->segment_count - 1) ||
	       store->segments[store->segment_count - 1].is_compacted;
}

/* What no header behind a segment tells: it is the last one before those without. */
static void bound_sealed(struct wr_fs_store *self)
{
	for (uint32_t i = 0; i + 1 < self->segment_count; i++)
		if (self->segments[i].next_sequence == UINT64_MAX)
			self->segments[i].next_sequence = self->head + 1;
}

enum wr_status wr_open_repair(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	uint32_t ended = store->generation;
	enum wr_status status = WR_OK;
	bool is_new;

	store->head = self->is_torn ? self->judged.bad_sequence : self->judged.last_sequence;
	if (store->head >= UINT64_MAX - 1)
		return wr_open_fail(store, WR_CORRUPT, 0, "its sequences are used up", NULL, 0);
	if (self->is_torn)
		status = wr_open_cut(self);
	if (status != WR_OK)
		return status;
	bound_sealed(store);
	is_new = needs_new_segment(self);
	if (self->is_clean && !is_new)
		return resume(store);
	if (ended == UINT32_MAX)
		return wr_open_fail(store, WR_CORRUPT, 0, "its generations are used up", NULL, 0);
	/* First of all, for the room that they take. */
	status = wr_open_remove_left_overs(store);
	if (status == WR_OK)
		status = make_older_durable(self);
	/* The damaged end keeps what it has, but what it has must stay. */
	if (status == WR_OK && is_new && !wr_fs_active(store)->is_missing)
		status = sync_segment(store, wr_fs_active(store));
	if (status == WR_OK && is_new)
		status = add_active(store);
	if (status != WR_OK)
		return status;
	store->generation++;
	if (self->prepared == wr_fs_active(store)->number)
		self->prepared = 0;
	status = write_active(self, is_new, ended);
	return status == WR_OK ? resume(store) : status;
}

enum wr_status wr_open_birth(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	enum wr_status status;

	if (store->config.entropy(store->store_id, sizeof store->store_id) != WR_OK)
		return wr_open_fail(store, WR_IO, 0, "there is no entropy for a new log", NULL, 0);
	store->generation = 1;
	status = wr_open_remove_left_overs(store);
	if (status == WR_OK)
		status = add_active(store);
	if (status == WR_OK)
		status = write_active(self, true, 0);
	return status == WR_OK ? resume(store) : status;
}
