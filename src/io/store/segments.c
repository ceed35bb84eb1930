/* The table of segments, the handles of their files, and the step from one to the next. */
#include "check.h"
#include "io/store/store_private.h"

#include <errno.h>

/* Offsets are 32 bits in a position: a segment ends before. */
#define SEGMENT_END_MAX (UINT32_MAX - UINT32_C(65535))

/* What a segment grows by at least is a part of its size, so that a large checkpoint does not grow
 * it part by part. */
enum { GROW_PART = 8, TABLE_COUNT_MIN = 16 };

/* ---- the table ---- */

struct wr_segment *wr_fs_active(struct wr_fs_store *self)
{
	wr_assert(self->segment_count != 0);
	return &self->segments[self->segment_count - 1];
}

struct wr_segment *wr_fs_segment(struct wr_fs_store *self, uint64_t number)
{
	uint32_t low = 0, high = self->segment_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (self->segments[middle].last_number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == self->segment_count || self->segments[low].number > number)
		return NULL;
	return &self->segments[low];
}

static enum wr_status reserve_segment(struct wr_fs_store *self)
{
	size_t old_bytes = self->segment_capacity * sizeof *self->segments;
	uint32_t capacity = self->segment_capacity * 2;
	struct wr_segment *segments;

	if (self->segment_count < self->segment_capacity)
		return WR_OK;
	if (capacity < TABLE_COUNT_MIN)
		capacity = TABLE_COUNT_MIN;
	segments = wr_allocator_resize(self->allocator, self->segments, old_bytes,
				       capacity * sizeof *segments);
	if (segments == NULL)
		return WR_NO_MEMORY;
	self->segments = segments;
	self->segment_capacity = capacity;
	return WR_OK;
}

struct wr_segment *wr_fs_segment_add(struct wr_fs_store *self)
{
	if (reserve_segment(self) != WR_OK)
		return NULL;
	self->segments[self->segment_count] = (struct wr_segment){0};
	return &self->segments[self->segment_count++];
}

/* ---- handles ---- */

static void close_handle(struct wr_fs_store *self, struct wr_open_handle *slot)
{
	if (slot->number != 0)
		self->disk.ops->close(self->disk.context, slot->handle);
	slot->number = 0;
}

/* The slot that has it, else a free one, else the one that nobody asked for the longest. */
static struct wr_open_handle *find_slot(struct wr_fs_store *self, uint64_t number, bool is_index)
{
	struct wr_open_handle *best = NULL;

	for (unsigned i = 0; i < WR_FS_HANDLES; i++) {
		struct wr_open_handle *slot = &self->handles[i];

		if (slot->number == number && slot->is_index == is_index)
			return slot;
		if (slot->number != 0 && slot->is_pinned)
			continue;
		if (best == NULL ||
		    (best->number != 0 && (slot->number == 0 || slot->used < best->used)))
			best = slot;
	}
	wr_assert(best != NULL); /* two are pinned at most */
	return best;
}

int wr_fs_handle(struct wr_fs_store *self, uint64_t number, bool is_index)
{
	char name[WR_FS_NAME_BYTES];
	struct wr_open_handle *slot;
	int handle;

	wr_assert(number != 0);
	if (!is_index && self->active_handle >= 0 && number == wr_fs_active(self)->number)
		return self->active_handle;
	slot = find_slot(self, number, is_index);
	if (slot->number != number || slot->is_index != is_index) {
		if (is_index)
			wr_fs_index_name(name, number);
		else
			wr_fs_segment_name(name, number);
		handle = self->disk.ops->open(self->disk.context, name, WR_DISK_READ);
		if (handle < 0)
			return handle;
		close_handle(self, slot);
		*slot = (struct wr_open_handle){
			.number = number, .is_index = is_index, .handle = handle};
	}
	slot->used = ++self->use_count;
	return slot->handle;
}

void wr_fs_forget_handles(struct wr_fs_store *self, uint64_t number)
{
	for (unsigned i = 0; i < WR_FS_HANDLES; i++)
		if (self->handles[i].number == number)
			close_handle(self, &self->handles[i]);
}

/* ---- from one segment to the next ---- */

/* Whether there is a segment to go on in. */
static bool has_next(const struct wr_fs_store *self, bool with_checkpoint)
{
	return self->state != WR_FS_FAILED && wr_fs_has_prepared(self) &&
	       (with_checkpoint || !wr_fs_must_checkpoint(self));
}

bool wr_fs_can_move_on(const struct wr_fs_store *self, bool with_checkpoint, uint64_t bytes)
{
	return has_next(self, with_checkpoint) && wr_fs_sync_has_slot(self) &&
	       wr_fs_prepared_bytes(self) >= WR_SEGMENT_HEADER_BYTES + bytes;
}

static void seal(struct wr_fs_store *self)
{
	struct wr_segment *active = wr_fs_active(self);

	active->next_sequence = self->head + 1;
	/* Without memory for it this index is made from the segment when it is asked for. */
	(void)wr_fs_index_seal(self, active->number);
	if (wr_position(active->number, active->bytes) > self->durable_position)
		wr_fs_sync_sealed(self, active->number, self->active_handle);
	else
		self->disk.ops->close(self->disk.context, self->active_handle);
	self->active_handle = -1;
}

/* The header goes into the batch, where room is reserved. */
static void put_header(struct wr_fs_store *self, const struct wr_segment *segment)
{
	struct wr_segment_header header = {
		.epoch = segment->epoch,
		.number = segment->number,
		.last_number = segment->number,
		.first_sequence = segment->first_sequence,
		.flags = segment->has_checkpoint ? WR_SEGMENT_CHECKPOINT : 0,
		.created_wall_ms = self->config.wall_ms(),
		.file_bytes = segment->file_bytes,
	};
	char *room = wr_buf_reserve(&self->batch, WR_SEGMENT_HEADER_BYTES);

	wr_assert(room != NULL);
	memcpy(header.store_id, self->store_id, sizeof header.store_id);
	wr_segment_header_encode(room, &header);
	wr_buf_commit(&self->batch, WR_SEGMENT_HEADER_BYTES);
}

static void begin(struct wr_fs_store *self, bool with_checkpoint)
{
	struct wr_segment *next = wr_fs_segment_add(self);
	uint64_t number;
	uint32_t bytes;

	wr_assert(next != NULL);
	self->active_handle = wr_fs_take_prepared(self, &number, &bytes);
	*next = (struct wr_segment){
		.number = number,
		.last_number = number,
		.epoch = self->generation,
		.first_sequence = self->head + 1,
		.next_sequence = UINT64_MAX,
		.seed = wr_record_seed_make(self->store_id, self->generation, number),
		.bytes = WR_SEGMENT_HEADER_BYTES,
		.file_bytes = bytes,
		.has_checkpoint = with_checkpoint,
	};
	wr_assert(self->segment_count > 1 && number == next[-1].last_number + 1);
	self->batch_position = wr_position(number, 0);
	put_header(self, next);
}

/* All that moving on may fail for. */
static enum wr_status make_ready(struct wr_fs_store *self)
{
	/* What is in the batch belongs into the file that is left now. */
	enum wr_status status = wr_fs_flush(self);

	if (status == WR_OK)
		status = reserve_segment(self);
	if (status == WR_OK && wr_buf_reserve(&self->batch, WR_SEGMENT_HEADER_BYTES) == NULL) {
		wr_buf_reset(&self->batch);
		status = WR_NO_MEMORY;
	}
	return status;
}

enum wr_status wr_fs_move_on(struct wr_fs_store *self, bool with_checkpoint)
{
	enum wr_status status;

	if (self->state == WR_FS_FAILED)
		return WR_IO;
	if (!has_next(self, with_checkpoint))
		return self->state == WR_FS_FULL ? WR_FULL : WR_OVERLOAD;
	if (!wr_fs_sync_has_slot(self))
		return WR_OVERLOAD;
	status = make_ready(self);
	if (status != WR_OK)
		return status;
	seal(self);
	begin(self, with_checkpoint);
	return WR_OK;
}

enum wr_status wr_fs_grow_active(struct wr_fs_store *self, uint64_t more)
{
	struct wr_segment *active = wr_fs_active(self);
	uint64_t end = (uint64_t)active->bytes + more, end_min;
	int error;

	if (end <= active->file_bytes)
		return WR_OK;
	end_min = (uint64_t)active->file_bytes + self->config.segment_bytes / GROW_PART;
	if (end < end_min)
		end = end_min;
	if (end > SEGMENT_END_MAX)
		return WR_FULL;
	/* Not synced: these zeros are in the way of the commits to come, which is acceptable for
	 * a checkpoint that outgrew all before it. Written they must be, to know of the room. */
	error = wr_fs_write_zeros(&self->disk, self->active_handle, active->file_bytes,
				  end - active->file_bytes);
	if (wr_fs_is_room_error(-error))
		return WR_FULL;
	if (error != 0)
		return wr_fs_fail(self, -error, "making a segment longer");
	self->file_bytes += end - active->file_bytes;
	active->file_bytes = (uint32_t)end;
	return WR_OK;
}

/* ---- opening and closing ---- */

void wr_fs_resume(struct wr_fs_store *self, int handle)
{
	const struct wr_segment *active = wr_fs_active(self);
	uint64_t position = wr_position(active->number, active->bytes);

	wr_assert(self->active_handle < 0 && handle >= 0 && self->batch.bytes == 0);
	self->active_handle = handle;
	self->batch_position = self->written_position = self->durable_position = position;
	self->written = self->durable = self->head;
	self->dirty_segment = 0;
}

void wr_fs_segments_deinit(struct wr_fs_store *self)
{
	for (unsigned i = 0; i < WR_FS_HANDLES; i++)
		close_handle(self, &self->handles[i]);
	if (self->active_handle >= 0)
		self->disk.ops->close(self->disk.context, self->active_handle);
	self->active_handle = -1;
	wr_allocator_free(self->allocator, self->segments,
			  self->segment_capacity * sizeof *self->segments);
	self->segments = NULL;
	self->segment_count = self->segment_capacity = 0;
}
