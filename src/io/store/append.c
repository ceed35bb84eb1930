/*
 * Records become bytes here, in one buffer, and the buffer goes into the active segment once per
 * turn.
 *
 *	append --> batch --flush--> file --sync (sync.c)--> medium
 *	  head             written              durable
 *
 * Room is found before anything is changed, so that a record which was taken is written or the
 * store has failed: there is no way back and none is needed.
 */
#include "check.h"
#include "io/store/store_private.h"

/* ---- room ---- */

uint32_t wr_fs_tail_bytes(const struct wr_fs_store *self)
{
	uint64_t part = self->config.segment_bytes / 8;

	return part < WR_FS_TAIL_BYTES_MAX ? (uint32_t)part : WR_FS_TAIL_BYTES_MAX;
}

/* Room for a record that leaves `spare` bytes of the active segment as long as there is no next
 * one, in this segment or the next. */
static enum wr_status make_room(struct wr_fs_store *self, uint64_t bytes, uint32_t spare)
{
	enum wr_status status = WR_OK;

	if (WR_UNLIKELY(self->state == WR_FS_FAILED))
		return WR_IO;
	if (WR_UNLIKELY(self->batch.bytes >= WR_FS_BATCH_BYTES_MAX))
		status = wr_fs_flush(self);
	while (status == WR_OK) {
		const struct wr_segment *active = wr_fs_active(self);
		uint64_t room = active->file_bytes - active->bytes;

		wr_assert(active->bytes <= active->file_bytes && self->active_handle >= 0);
		if (bytes + spare <= room ||
		    (bytes <= room && wr_fs_can_move_on(self, false, bytes)))
			break;
		status = wr_fs_move_on(self, false);
	}
	return status;
}

/* What the largest ordinary record needs. */
static uint64_t room_bytes(const struct wr_fs_store *self)
{
	return wr_record_bytes(self->config.payload_bytes_max) + wr_fs_tail_bytes(self);
}

bool wr_fs_has_room(void *context)
{
	struct wr_fs_store *self = context;
	uint64_t bytes = room_bytes(self);
	const struct wr_segment *active;

	if (self->state == WR_FS_FAILED || self->active_handle < 0)
		return false;
	active = wr_fs_active(self);
	return active->bytes + bytes <= active->file_bytes || wr_fs_can_move_on(self, false, bytes);
}

/* ---- records ---- */

/* Room in the batch. When there is no memory for a longer one, the batch is written out and used
 * anew. */
static char *reserve(struct wr_fs_store *self, size_t bytes, enum wr_status *status)
{
	char *room = wr_buf_reserve(&self->batch, bytes);

	if (WR_LIKELY(room != NULL))
		return room;
	*status = wr_fs_flush(self);
	if (*status != WR_OK)
		return NULL;
	wr_buf_reset(&self->batch);
	room = wr_buf_reserve(&self->batch, bytes);
	if (room != NULL)
		return room;
	wr_buf_reset(&self->batch);
	*status = WR_NO_MEMORY;
	return NULL;
}

/* The record at the end of the active segment, where it has room; returns its offset. */
static uint64_t put(struct wr_fs_store *self, char *room, struct wr_record *record,
		    struct wr_view payload)
{
	struct wr_segment *active = wr_fs_active(self);
	size_t used = WR_RECORD_HEADER_BYTES + payload.bytes;
	size_t bytes = (size_t)wr_record_bytes(record->payload_bytes);
	uint64_t offset = active->bytes;

	wr_assert(bytes <= active->file_bytes - active->bytes);
	record->durable_upto = self->durable_position;
	wr_record_encode(room, record, payload, active->seed, offset);
	if (payload.bytes != 0)
		memcpy(room + WR_RECORD_HEADER_BYTES, payload.data, payload.bytes);
	memset(room + used, 0, bytes - used);
	wr_buf_commit(&self->batch, bytes);
	active->bytes += (uint32_t)bytes;
	self->since_checkpoint += bytes;
	return offset;
}

enum wr_status wr_fs_append(void *context, const struct wr_store_record *record,
			    enum wr_store_urgency urgency)
{
	struct wr_fs_store *self = context;
	uint32_t spare = wr_fs_tail_bytes(self);
	struct wr_stream_row *row;
	struct wr_record header;
	uint64_t bytes, offset;
	enum wr_status status;
	char *room;

	wr_assert(record->sequence == self->head + 1);
	if (WR_UNLIKELY(self->is_in_checkpoint))
		wr_fs_checkpoint_abandon(self);
	if (record->payload.bytes > self->config.payload_bytes_max)
		return WR_TOO_LARGE;
	if (urgency == WR_STORE_RESERVED)
		spare /= WR_FS_OWN_TAIL_PART;
	bytes = wr_record_bytes((uint32_t)record->payload.bytes);
	status = make_room(self, bytes, spare);
	if (status == WR_OK)
		status = wr_fs_index_reserve(self);
	if (status != WR_OK)
		return status;
	row = wr_fs_row(self, record->worker);
	if (row == NULL)
		return WR_NO_MEMORY;
	room = reserve(self, (size_t)bytes, &status);
	if (room == NULL)
		return status;

	/* From here on nothing can fail. */
	header = (struct wr_record){
		.kind = WR_RECORD_EVENT,
		.stream = record->worker,
		.sequence = record->sequence,
		.stream_sequence = ++row->stream_sequence,
		.item = record->item,
		.payload_bytes = (uint32_t)record->payload.bytes,
	};
	offset = put(self, room, &header, record->payload);
	wr_fs_index_add(self, &header, offset);
	self->head = record->sequence;
	if (record->item == 0) {
		row->event_bytes += bytes;
	} else {
		row->item_bytes += bytes;
		row->last_item = record->item;
	}
	return WR_OK;
}

enum wr_status wr_fs_append_own(struct wr_fs_store *self, enum wr_record_kind kind,
				struct wr_view payload)
{
	uint64_t bytes = wr_record_bytes((uint32_t)payload.bytes);
	struct wr_record header;
	enum wr_status status;
	char *room;

	wr_assert(kind != WR_RECORD_EVENT && payload.bytes <= self->config.payload_bytes_max);
	status = make_room(self, self->is_in_checkpoint ? 0 : bytes, 0);
	/* A checkpoint stays in its segment, and leaves room for an event behind it. */
	if (status == WR_OK && self->is_in_checkpoint)
		status = wr_fs_grow_active(self, bytes + room_bytes(self));
	if (status != WR_OK)
		return status;
	room = reserve(self, (size_t)bytes, &status);
	if (room == NULL)
		return status;
	header = (struct wr_record){
		.kind = (uint16_t)kind,
		.sequence = self->head,
		.payload_bytes = (uint32_t)payload.bytes,
	};
	put(self, room, &header, payload);
	wr_fs_want_sync(self);
	return WR_OK;
}

/* ---- into the file ---- */

enum wr_status wr_fs_flush(struct wr_fs_store *self)
{
	struct wr_buf *batch = &self->batch;
	uint64_t offset = self->batch_position & UINT32_MAX;
	int error;

	if (self->state == WR_FS_FAILED)
		return WR_IO;
	if (batch->bytes == 0)
		return WR_OK;
	wr_assert(self->batch_position >> 32 == wr_fs_active(self)->number);
	error = wr_fs_write_all(&self->disk, self->active_handle, batch->data, batch->bytes,
				offset);
	/* The room was made ahead: whatever this is, it is not the ordinary end of a disk. */
	if (error != 0)
		return wr_fs_fail(self, -error, "writing");
	if (self->dirty_segment == 0)
		self->dirty_segment = self->batch_position >> 32;
	if (self->sync_due_ms == 0)
		self->sync_due_ms = self->config.now_ms() + self->config.interval_ms;
	self->batch_position += batch->bytes;
	self->written_position = self->batch_position;
	self->written = self->head;
	wr_buf_reset(batch);
	return WR_OK;
}

uint64_t wr_fs_visible(void *context)
{
	const struct wr_fs_store *self = context;

	return self->config.durability == WR_DURABILITY_ALWAYS ? self->durable : self->written;
}

void wr_fs_append_init(struct wr_fs_store *self)
{
	/* A full batch, one record more, and the header of a segment. */
	size_t bytes_max = WR_FS_BATCH_BYTES_MAX + WR_SEGMENT_HEADER_BYTES +
			   (size_t)wr_record_bytes(self->config.payload_bytes_max);

	wr_buf_init(&self->batch, self->allocator, bytes_max);
}

void wr_fs_append_deinit(struct wr_fs_store *self)
{
	wr_buf_deinit(&self->batch);
}
