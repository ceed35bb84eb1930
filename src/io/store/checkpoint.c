/*
 * A checkpoint stands at the head of a segment: what the store knows of generations and streams,
 * then the Runtime's parts. Nothing comes between, and without its last record it does not count;
 * so one that could not be finished costs the bytes it took and nothing else.
 *
 * How long it will be is known from the one before. Segments are made at least twice as long as
 * that; a checkpoint that outgrows even so makes its segment longer (wr_fs_grow_active).
 */
#include "bytes/endian.h"
#include "check.h"
#include "io/store/store_private.h"

enum {
	ROW_BYTES = 48,
	ROW_QUARANTINED = 1,
	GENERATION_BYTES = 12,
	END_BYTES = 8,
	CHUNK_ROWS = 64 /* of one record */
};

/* ---- when ---- */

/* What it will take at least, with the room that must be left behind it. */
static uint64_t expected_bytes(const struct wr_fs_store *self)
{
	uint64_t rows = (uint64_t)self->row_count * ROW_BYTES +
			(uint64_t)self->generation_count * GENERATION_BYTES;
	uint64_t headers = 4 + self->row_count / CHUNK_ROWS + self->generation_count / CHUNK_ROWS;
	uint64_t bytes = rows + headers * WR_RECORD_HEADER_BYTES;

	if (bytes < self->checkpoint_bytes)
		bytes = self->checkpoint_bytes;
	return bytes + wr_fs_tail_bytes(self);
}

/* Whether there is a segment for it. One that was prepared before there were so many streams is
 * made longer, when without a checkpoint nothing would go on at all. */
static bool can_begin(const struct wr_fs_store *self)
{
	uint64_t bytes = wr_fs_must_checkpoint(self) ? 0 : expected_bytes(self);

	return wr_fs_can_move_on(self, true, bytes);
}

/* Bytes of records between two: so many that they cost little, so few that a start reads little,
 * and that all behind the older one of two is a part of the disk's share. */
static uint64_t interval_bytes(const struct wr_fs_store *self)
{
	uint64_t bytes = self->config.segment_bytes / 4 * 3;

	if (bytes < 4 * self->checkpoint_bytes)
		bytes = 4 * self->checkpoint_bytes;
	return bytes < self->config.bytes_max / 8 ? bytes : self->config.bytes_max / 8;
}

static bool is_nearly_full(struct wr_fs_store *self)
{
	const struct wr_segment *active = wr_fs_active(self);
	uint64_t record = wr_record_bytes(self->config.payload_bytes_max) + wr_fs_tail_bytes(self);

	return active->bytes >= active->file_bytes / 4 * 3 ||
	       active->bytes + record > active->file_bytes;
}

/* At the end of a segment, so that little of it stays empty; unless that moment was missed for
 * long. */
bool wr_fs_wants_checkpoint(void *context)
{
	struct wr_fs_store *self = context;
	uint64_t since = self->since_checkpoint;
	bool is_due;

	if (self->state == WR_FS_FAILED || self->active_handle < 0 || self->is_in_checkpoint)
		return false;
	if (self->is_checkpoint_wanted)
		is_due = true;
	else if (is_nearly_full(self))
		is_due = since >= interval_bytes(self) || wr_fs_must_checkpoint(self);
	else
		is_due = since / 2 >= interval_bytes(self);
	return is_due && can_begin(self);
}

/* ---- writing ---- */

/* The next one comes after another segment, which is made longer. */
void wr_fs_checkpoint_abandon(struct wr_fs_store *self)
{
	uint64_t bytes;

	if (!self->is_in_checkpoint)
		return;
	bytes = wr_fs_active(self)->bytes;
	self->is_in_checkpoint = self->is_checkpoint_wanted = false;
	self->since_checkpoint = 0;
	if (self->checkpoint_bytes < bytes)
		self->checkpoint_bytes = bytes;
}

/* It cannot be finished. */
static enum wr_status abandon(struct wr_fs_store *self, enum wr_status status)
{
	wr_fs_checkpoint_abandon(self);
	return status;
}

/* One more record of it; after a failure it is no longer being written. */
static enum wr_status put(struct wr_fs_store *self, enum wr_record_kind kind, const void *data,
			  size_t bytes)
{
	enum wr_status status = wr_fs_append_own(self, kind, wr_view_of(data, bytes));

	if (status != WR_OK)
		return abandon(self, status);
	self->checkpoint_count++;
	return WR_OK;
}

/* How many rows of this size one record takes. */
static uint32_t rows_of_record(const struct wr_fs_store *self, uint32_t row_bytes)
{
	uint32_t count = self->config.payload_bytes_max / row_bytes;

	return count < CHUNK_ROWS ? count : CHUNK_ROWS;
}

static enum wr_status put_generations(struct wr_fs_store *self)
{
	char chunk[CHUNK_ROWS * GENERATION_BYTES];
	uint32_t count_max = rows_of_record(self, GENERATION_BYTES);
	enum wr_status status = WR_OK;
	uint32_t i = 0;

	do {
		size_t bytes = 0;

		for (; i < self->generation_count && bytes < count_max * GENERATION_BYTES; i++) {
			wr_store_le32(chunk + bytes, self->generations[i].generation);
			wr_store_le64(chunk + bytes + 4, self->generations[i].last_sequence);
			bytes += GENERATION_BYTES;
		}
		status = put(self, WR_RECORD_GENERATIONS, chunk, bytes);
	} while (status == WR_OK && i < self->generation_count);
	return status;
}

static void put_row(char *out, uint32_t stream, const struct wr_stream_row *row)
{
	wr_store_le32(out, stream);
	wr_store_le32(out + 4, row->first_item);
	wr_store_le64(out + 8, row->stream_sequence);
	wr_store_le64(out + 16, row->evicted);
	wr_store_le64(out + 24, row->event_bytes);
	wr_store_le64(out + 32, row->item_bytes);
	wr_store_le32(out + 40, row->last_item);
	wr_store_le32(out + 44, row->is_lost ? ROW_QUARANTINED : 0);
}

static bool is_used(const struct wr_stream_row *row)
{
	return row->stream_sequence != 0 || row->evicted != 0 || row->is_lost;
}

static enum wr_status put_rows(struct wr_fs_store *self)
{
	char chunk[CHUNK_ROWS * ROW_BYTES];
	uint32_t count_max = rows_of_record(self, ROW_BYTES);
	enum wr_status status = WR_OK;
	uint32_t i = 0;

	while (status == WR_OK && i < self->row_count) {
		size_t bytes = 0;

		for (; i < self->row_count && bytes < count_max * ROW_BYTES; i++) {
			if (!is_used(&self->rows[i]))
				continue;
			put_row(chunk + bytes, i, &self->rows[i]);
			bytes += ROW_BYTES;
		}
		if (bytes != 0)
			status = put(self, WR_RECORD_CHECKPOINT_ROWS, chunk, bytes);
	}
	return status;
}

enum wr_status wr_fs_checkpoint_begin(void *context)
{
	struct wr_fs_store *self = context;
	enum wr_status status;

	wr_assert(!self->is_in_checkpoint);
	if (self->state == WR_FS_FAILED)
		return WR_IO;
	if (!can_begin(self))
		return self->state == WR_FS_FULL ? WR_FULL : WR_OVERLOAD;
	status = wr_fs_move_on(self, true);
	if (status != WR_OK)
		return status;
	self->is_in_checkpoint = true;
	status = put(self, WR_RECORD_CHECKPOINT_BEGIN, NULL, 0);
	self->checkpoint_count = 0;
	if (status == WR_OK)
		status = put_generations(self);
	if (status == WR_OK)
		status = put_rows(self);
	return status;
}

enum wr_status wr_fs_checkpoint_add(void *context, struct wr_view part)
{
	struct wr_fs_store *self = context;

	wr_assert(self->is_in_checkpoint);
	if (part.bytes > self->config.payload_bytes_max)
		return abandon(self, WR_TOO_LARGE);
	return put(self, WR_RECORD_CHECKPOINT_PART, part.data, part.bytes);
}

enum wr_status wr_fs_checkpoint_end(void *context)
{
	struct wr_fs_store *self = context;
	char count[END_BYTES];
	enum wr_status status;

	wr_assert(self->is_in_checkpoint);
	wr_store_le64(count, self->checkpoint_count);
	status = put(self, WR_RECORD_CHECKPOINT_END, count, sizeof count);
	if (status != WR_OK)
		return status;
	self->is_in_checkpoint = self->is_checkpoint_wanted = false;
	self->checkpoint_segment[1] = self->checkpoint_segment[0];
	self->checkpoint_segment[0] = wr_fs_active(self)->number;
	self->checkpoint_bytes = wr_fs_active(self)->bytes - WR_SEGMENT_HEADER_BYTES;
	self->since_checkpoint = 0;
	return WR_OK;
}

/* ---- reading ---- */

enum wr_status wr_fs_rows_load(struct wr_fs_store *self, struct wr_view payload)
{
	if (payload.bytes % ROW_BYTES != 0)
		return WR_CORRUPT;
	for (; payload.bytes != 0; payload = wr_view_skip(payload, ROW_BYTES)) {
		const char *in = payload.data;
		uint32_t stream = wr_load_le32(in), flags = wr_load_le32(in + 44);
		struct wr_stream_row *row;

		if (stream > WR_FS_STREAM_MAX || wr_load_le32(in + 4) == 0 ||
		    (flags & ~(uint32_t)ROW_QUARANTINED) != 0)
			return WR_CORRUPT;
		row = wr_fs_row(self, stream);
		if (row == NULL)
			return WR_NO_MEMORY;
		*row = (struct wr_stream_row){
			.first_item = wr_load_le32(in + 4),
			.stream_sequence = wr_load_le64(in + 8),
			.evicted = wr_load_le64(in + 16),
			.event_bytes = wr_load_le64(in + 24),
			.item_bytes = wr_load_le64(in + 32),
			.last_item = wr_load_le32(in + 40),
			.is_quarantined = (flags & ROW_QUARANTINED) != 0,
			.is_lost = (flags & ROW_QUARANTINED) != 0,
		};
		if (self->evicted < row->evicted)
			self->evicted = row->evicted;
	}
	return WR_OK;
}

enum wr_status wr_fs_generations_load(struct wr_fs_store *self, struct wr_view payload)
{
	enum wr_status status = WR_OK;

	if (payload.bytes % GENERATION_BYTES != 0)
		return WR_CORRUPT;
	while (status == WR_OK && payload.bytes != 0) {
		status = wr_fs_generation_add(self, wr_load_le32(payload.data),
					      wr_load_le64(payload.data + 4));
		payload = wr_view_skip(payload, GENERATION_BYTES);
	}
	return status;
}

enum wr_status wr_fs_generation_add(struct wr_fs_store *self, uint32_t generation,
				    uint64_t last_sequence)
{
	struct wr_generation_row *rows = self->generations;
	uint32_t count = self->generation_count;

	if (count != 0 && rows[count - 1].generation >= generation)
		return WR_OK;
	if (count == WR_FS_GENERATIONS_KEPT) {
		memmove(rows, rows + 1, --count * sizeof *rows);
	} else {
		rows = wr_allocator_resize(self->allocator, rows, count * sizeof *rows,
					   (count + 1) * sizeof *rows);
		if (rows == NULL)
			return WR_NO_MEMORY;
	}
	rows[count] = (struct wr_generation_row){generation, last_sequence};
	self->generations = rows;
	self->generation_count = count + 1;
	return WR_OK;
}

void wr_fs_checkpoint_deinit(struct wr_fs_store *self)
{
	wr_allocator_free(self->allocator, self->generations,
			  self->generation_count * sizeof *self->generations);
	self->generations = NULL;
	self->generation_count = 0;
}
