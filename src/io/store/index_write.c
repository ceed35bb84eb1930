/* Making an index file: events sorted by stream through an array of places, then block after block.
 * Nothing here allocates or recurses; it runs on the helper. */
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "io/store/index_file.h"

enum {
	ROW_BYTES = 16,
	ROWS = WR_FS_INDEX_BLOCK_ENTRIES, /* of one block */
	TRAILER = ROWS * ROW_BYTES,
	STEP_BLOCKS = 32
};

_Static_assert(TRAILER + 16 == WR_FS_INDEX_BLOCK_BYTES, "rows and trailer fill a block");
_Static_assert(sizeof((struct wr_index_writer *)0)->bytes == WR_FS_INDEX_BLOCK_BYTES, "one block");

uint32_t wr_index_seed(struct wr_record_seed seed, uint64_t last_number, uint32_t file_bytes)
{
	uint8_t more[12];

	wr_store_le64(more, last_number);
	wr_store_le32(more + 8, file_bytes);
	return wr_crc32c(seed.crc, more, sizeof more);
}

static uint32_t sample_count(uint32_t events)
{
	return events / WR_FS_INDEX_SAMPLE + (events % WR_FS_INDEX_SAMPLE != 0);
}

uint64_t wr_index_file_bytes(uint32_t stream_count, uint32_t event_count)
{
	uint64_t rows = 1 + (uint64_t)stream_count + event_count + sample_count(event_count);

	return (rows + ROWS - 1) / ROWS * WR_FS_INDEX_BLOCK_BYTES;
}

/* ---- sorting ---- */

/* Entries are in the order of sequences already. */
static bool is_before(const struct wr_index_entry *entries, uint32_t a, uint32_t b)
{
	uint32_t x = entries[a].stream, y = entries[b].stream;

	return x != y ? x < y : a < b;
}

static void sift_down(const struct wr_index_entry *entries, uint32_t *order, uint32_t at,
		      uint32_t count)
{
	uint32_t moving = order[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && is_before(entries, order[child], order[child + 1]))
			child++;
		if (!is_before(entries, moving, order[child]))
			break;
		order[at] = order[child];
		at = child;
	}
	order[at] = moving;
}

/* A heap sort: always n log n, in place. */
static void sort(const struct wr_index_entry *entries, uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t i = count / 2; i > 0; i--)
		sift_down(entries, order, i - 1, count);
	for (uint32_t i = count; i > 1; i--) {
		uint32_t greatest = order[0];

		order[0] = order[i - 1];
		order[i - 1] = greatest;
		sift_down(entries, order, 0, i - 1);
	}
}

static const struct wr_index_entry *sorted(const struct wr_index_writer *self, uint32_t i)
{
	return &self->entries[self->order[i]];
}

static bool begins_stream(const struct wr_index_writer *self, uint32_t i)
{
	return i == 0 || sorted(self, i)->stream != sorted(self, i - 1)->stream;
}

/* ---- blocks ---- */

static void put_row(uint8_t *out, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	wr_store_le32(out, a);
	wr_store_le32(out + 4, b);
	wr_store_le32(out + 8, c);
	wr_store_le32(out + 12, d);
}

/* Where `at` is behind the last row of its part. */
static uint32_t part_end(const struct wr_index_writer *self)
{
	switch (self->part) {
	case WR_INDEX_HEAD:
	case WR_INDEX_END:
		return 0;
	case WR_INDEX_STREAMS:
	case WR_INDEX_ENTRIES:
		return self->count;
	case WR_INDEX_SAMPLES:
		return sample_count(self->count);
	}
	wr_unreachable();
}

/* The row of the stream whose entries begin at `at`; leaves `at` behind them. */
static void put_stream(struct wr_index_writer *self, uint8_t *out)
{
	uint32_t first = self->at, first_item = 0, last_item = 0;

	do {
		uint32_t item = sorted(self, self->at)->item;

		if (item != 0 && first_item == 0)
			first_item = item;
		if (item != 0)
			last_item = item;
		self->at++;
	} while (self->at < self->count && !begins_stream(self, self->at));
	put_row(out, sorted(self, first)->stream, first, first_item, last_item);
}

static void put_entry(struct wr_index_writer *self, uint8_t *out)
{
	const struct wr_index_entry *entry = sorted(self, self->at);

	if (begins_stream(self, self->at))
		self->item = 0;
	if (entry->item != 0)
		self->item = entry->item;
	put_row(out, entry->sequence_delta, entry->place,
		entry->item != 0 ? self->item | WR_FS_INDEX_ADDS : self->item, entry->bytes);
	self->at++;
}

static void put_sample(struct wr_index_writer *self, uint8_t *out)
{
	const struct wr_index_entry *entry = &self->entries[self->at++ * WR_FS_INDEX_SAMPLE];

	put_row(out, entry->sequence_delta, entry->place, 0, 0);
}

/* The next row; false: there are no more. */
static bool put_next(struct wr_index_writer *self, uint8_t *out)
{
	switch (self->part) {
	case WR_INDEX_HEAD:
		put_row(out, self->stream_count, self->count, self->record_end, self->event_bytes);
		break;
	case WR_INDEX_STREAMS:
		put_stream(self, out);
		break;
	case WR_INDEX_ENTRIES:
		put_entry(self, out);
		break;
	case WR_INDEX_SAMPLES:
		put_sample(self, out);
		break;
	case WR_INDEX_END:
		return false;
	}
	while (self->part != WR_INDEX_END && self->at == part_end(self)) {
		self->part++;
		self->at = 0;
	}
	return true;
}

static int write_block(struct wr_index_writer *self)
{
	uint8_t offset[8];
	uint32_t rows = 0;

	memset(self->bytes, 0, sizeof self->bytes);
	while (rows < ROWS && put_next(self, self->bytes + (size_t)ROW_BYTES * rows))
		rows++;
	wr_store_le32(self->bytes + TRAILER, rows);
	wr_store_le32(self->bytes + TRAILER + 4, self->block);
	wr_store_le32(self->bytes + TRAILER + 8, (uint32_t)self->number);
	wr_store_le64(offset, (uint64_t)self->block * WR_FS_INDEX_BLOCK_BYTES);
	wr_store_le32(
		self->bytes + TRAILER + 12,
		wr_crc32c(wr_crc32c(self->seed, offset, sizeof offset), self->bytes, TRAILER + 12));
	return wr_fs_write_all(&self->disk, self->handle, self->bytes, sizeof self->bytes,
			       wr_load_le64(offset));
}

/* ---- steps ---- */

static int begin(struct wr_index_writer *self)
{
	sort(self->entries, self->order, self->count);
	self->stream_count = 0;
	self->event_bytes = 0;
	for (uint32_t i = 0; i < self->count; i++) {
		self->stream_count += begins_stream(self, i);
		self->event_bytes += self->entries[i].bytes;
	}
	self->block_count = (uint32_t)(wr_index_file_bytes(self->stream_count, self->count) /
				       WR_FS_INDEX_BLOCK_BYTES);
	self->block = 0;
	self->part = WR_INDEX_HEAD;
	self->at = 0;
	self->handle = self->disk.ops->open(self->disk.context, self->temporary, WR_DISK_CREATE);
	self->is_begun = self->handle >= 0;
	return self->is_begun ? 0 : self->handle;
}

void wr_index_writer_abandon(struct wr_index_writer *self)
{
	if (!self->is_begun)
		return;
	self->disk.ops->close(self->disk.context, self->handle);
	self->disk.ops->unlink(self->disk.context, self->temporary);
	self->is_begun = false;
}

enum wr_status wr_index_writer_step(struct wr_index_writer *self, int *error)
{
	bool is_finished = false;

	if (!self->is_begun) {
		*error = begin(self);
		return *error == 0 ? WR_MORE : WR_IO;
	}
	*error = 0;
	for (unsigned i = 0; i < STEP_BLOCKS && self->block < self->block_count; i++) {
		*error = write_block(self);
		if (*error != 0)
			break;
		self->block++;
	}
	if (*error == 0 && self->block == self->block_count) {
		*error = self->disk.ops->sync(self->disk.context, self->handle);
		is_finished = *error == 0;
	}
	if (*error != 0) {
		wr_index_writer_abandon(self);
		return WR_IO;
	}
	if (!is_finished)
		return WR_MORE;
	self->disk.ops->close(self->disk.context, self->handle);
	self->is_begun = false;
	return WR_OK;
}
