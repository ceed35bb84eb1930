/*
 * Finding something in an index file: a binary search whose every look is at a block that was read
 * and checked. The last block with streams and the last of the rest stay in memory, so that whoever
 * goes on from one entry to the next reads a block once in 255 entries.
 */
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "io/store/index_file.h"

enum { ROW_BYTES = 16, ROWS = WR_FS_INDEX_BLOCK_ENTRIES, TRAILER = ROWS * ROW_BYTES };

enum slot { STREAMS, REST, SLOTS };

/* The entries of a stream. */
struct run {
	uint32_t first, end; /* entries */
	uint32_t first_item, last_item;
};

struct wr_index_cache {
	struct {
		uint64_t number; /* 0: nothing */
		uint32_t block;
		uint8_t bytes[WR_FS_INDEX_BLOCK_BYTES];
	} slots[SLOTS];
	uint64_t run_number; /* of the stream that was asked for last; 0: none */
	uint32_t run_stream;
	struct run run;
};

/* ---- blocks ---- */

static bool is_sound(const struct wr_segment *segment, uint32_t block, const uint8_t *bytes)
{
	uint32_t seed = wr_index_seed(segment->seed, segment->last_number, segment->file_bytes);
	uint8_t offset[8];

	wr_store_le64(offset, (uint64_t)block * WR_FS_INDEX_BLOCK_BYTES);
	return wr_load_le32(bytes + TRAILER + 12) ==
		       wr_crc32c(wr_crc32c(seed, offset, sizeof offset), bytes, TRAILER + 12) &&
	       wr_load_le32(bytes + TRAILER) <= ROWS &&
	       wr_load_le32(bytes + TRAILER + 4) == block &&
	       wr_load_le32(bytes + TRAILER + 8) == (uint32_t)segment->number;
}

static enum wr_status reserve_cache(struct wr_fs_store *self)
{
	if (self->index_cache == NULL)
		self->index_cache =
			wr_allocator_take_zeroed(self->allocator, sizeof *self->index_cache);
	return self->index_cache == NULL ? WR_NO_MEMORY : WR_OK;
}

static enum wr_status read_block(struct wr_fs_store *self, const struct wr_segment *segment,
				 enum slot slot, uint32_t block, const uint8_t **out)
{
	struct wr_index_cache *cache;
	int handle, error;

	if (reserve_cache(self) != WR_OK)
		return WR_NO_MEMORY;
	cache = self->index_cache;
	*out = cache->slots[slot].bytes;
	if (cache->slots[slot].number == segment->number && cache->slots[slot].block == block)
		return WR_OK;
	handle = wr_fs_handle(self, segment->number, true);
	if (handle < 0)
		return wr_fs_read_status(handle);
	cache->slots[slot].number = 0;
	error = wr_fs_read_all(&self->disk, handle, cache->slots[slot].bytes,
			       WR_FS_INDEX_BLOCK_BYTES, (uint64_t)block * WR_FS_INDEX_BLOCK_BYTES);
	if (error != 0)
		return wr_fs_read_status(error);
	if (!is_sound(segment, block, cache->slots[slot].bytes))
		return WR_CORRUPT;
	cache->slots[slot].number = segment->number;
	cache->slots[slot].block = block;
	return WR_OK;
}

void wr_index_file_forget(struct wr_fs_store *self, uint64_t number)
{
	if (self->index_cache == NULL)
		return;
	if (self->index_cache->run_number == number)
		self->index_cache->run_number = 0;
	for (unsigned i = 0; i < SLOTS; i++)
		if (self->index_cache->slots[i].number == number)
			self->index_cache->slots[i].number = 0;
}

void wr_index_file_deinit(struct wr_fs_store *self)
{
	wr_allocator_free(self->allocator, self->index_cache,
			  self->index_cache == NULL ? 0 : sizeof *self->index_cache);
	self->index_cache = NULL;
}

/* ---- rows ---- */

struct row {
	uint32_t a, b, c, d;
};

static enum wr_status read_row(struct wr_fs_store *self, const struct wr_segment *segment,
			       enum slot slot, uint32_t index, struct row *out)
{
	const uint8_t *bytes;
	enum wr_status status = read_block(self, segment, slot, index / ROWS, &bytes);

	if (status != WR_OK)
		return status;
	if (index % ROWS >= wr_load_le32(bytes + TRAILER))
		return WR_CORRUPT;
	bytes += (size_t)(index % ROWS) * ROW_BYTES;
	*out = (struct row){wr_load_le32(bytes), wr_load_le32(bytes + 4), wr_load_le32(bytes + 8),
			    wr_load_le32(bytes + 12)};
	return WR_OK;
}

static enum wr_status read_stream(struct wr_fs_store *self, const struct wr_segment *segment,
				  uint32_t index, struct row *out)
{
	return read_row(self, segment, STREAMS, 1 + index, out);
}

static enum wr_status read_entry(struct wr_fs_store *self, const struct wr_segment *segment,
				 uint32_t index, struct row *out)
{
	return read_row(self, segment, REST, 1 + segment->stream_count + index, out);
}

static enum wr_status read_sample(struct wr_fs_store *self, const struct wr_segment *segment,
				  uint32_t index, struct row *out)
{
	return read_row(self, segment, REST,
			1 + segment->stream_count + segment->event_count + index, out);
}

/* ---- the first block ---- */

enum wr_status wr_index_file_load(struct wr_fs_store *self, struct wr_segment *segment)
{
	const uint8_t *bytes = NULL;
	uint32_t streams, events, end, event_bytes;
	enum wr_status status = read_block(self, segment, STREAMS, 0, &bytes);

	if (status != WR_OK)
		return status;
	streams = wr_load_le32(bytes);
	events = wr_load_le32(bytes + 4);
	end = wr_load_le32(bytes + 8);
	event_bytes = wr_load_le32(bytes + 12);
	if (wr_load_le32(bytes + TRAILER) == 0 || streams > events || end > segment->file_bytes ||
	    end < WR_SEGMENT_HEADER_BYTES || event_bytes > end - WR_SEGMENT_HEADER_BYTES ||
	    events > (end - WR_SEGMENT_HEADER_BYTES) / WR_RECORD_HEADER_BYTES)
		return WR_CORRUPT;
	segment->stream_count = streams;
	segment->event_count = events;
	segment->event_bytes = event_bytes;
	segment->bytes = end;
	segment->is_index_loaded = true;
	return WR_OK;
}

/* ---- looking up ---- */

static enum wr_status search_run(struct wr_fs_store *self, const struct wr_segment *segment,
				 uint32_t stream, struct run *out)
{
	uint32_t low = 0, high = segment->stream_count;
	enum wr_status status = WR_OK;
	struct row row;

	while (low < high) { /* the first row that is not below */
		uint32_t middle = low + (high - low) / 2;

		status = read_stream(self, segment, middle, &row);
		if (status != WR_OK)
			return status;
		if (row.a < stream)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == segment->stream_count)
		return WR_NOT_FOUND;
	status = read_stream(self, segment, low, &row);
	if (status != WR_OK || row.a != stream)
		return status != WR_OK ? status : WR_NOT_FOUND;
	*out = (struct run){row.b, segment->event_count, row.c, row.d};
	if (low + 1 < segment->stream_count) {
		status = read_stream(self, segment, low + 1, &row);
		out->end = row.b;
	}
	if (status == WR_OK && (out->first >= out->end || out->end > segment->event_count))
		status = WR_CORRUPT;
	return status;
}

/* Whoever asks for a stream asks again. */
static enum wr_status find_run(struct wr_fs_store *self, const struct wr_segment *segment,
			       uint32_t stream, struct run *out)
{
	struct wr_index_cache *cache = self->index_cache;
	enum wr_status status;

	if (cache != NULL && cache->run_number == segment->number && cache->run_stream == stream) {
		*out = cache->run;
		return WR_OK;
	}
	status = search_run(self, segment, stream, out);
	if (status != WR_OK)
		return status;
	cache = self->index_cache;
	cache->run_number = segment->number;
	cache->run_stream = stream;
	cache->run = *out;
	return WR_OK;
}

/* What is searched for, and on which member. */
struct sought {
	bool is_item;
	uint32_t least; /* item, or sequence delta */
};

static bool is_below(const struct row *row, struct sought sought)
{
	uint32_t value = sought.is_item ? row->c & ~WR_FS_INDEX_ADDS : row->a;

	return value < sought.least;
}

/* The first of [low, high) that is not below; high: none. */
static enum wr_status find_least(struct wr_fs_store *self, const struct wr_segment *segment,
				 uint32_t low, uint32_t high, struct sought sought, uint32_t *found,
				 struct row *row)
{
	uint32_t end = high;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		enum wr_status status = read_entry(self, segment, middle, row);

		if (status != WR_OK)
			return status;
		if (is_below(row, sought))
			low = middle + 1;
		else
			high = middle;
	}
	*found = low;
	return low == end ? WR_NOT_FOUND : read_entry(self, segment, low, row);
}

/* Whether the entry at the hint is the one: it is not below, and the one before is. */
static enum wr_status try_hint(struct wr_fs_store *self, const struct wr_segment *segment,
			       const struct run *run, uint32_t hint, struct sought sought,
			       struct row *row)
{
	enum wr_status status;

	if (hint <= run->first || hint >= run->end)
		return WR_NOT_FOUND;
	status = read_entry(self, segment, hint - 1, row);
	if (status == WR_OK && !is_below(row, sought))
		return WR_NOT_FOUND;
	if (status == WR_OK)
		status = read_entry(self, segment, hint, row);
	if (status == WR_OK && is_below(row, sought))
		return WR_NOT_FOUND;
	return status;
}

enum wr_status wr_index_file_find(struct wr_fs_store *self, struct wr_segment *segment,
				  uint32_t stream, uint64_t after, uint32_t item, uint32_t *hint,
				  struct wr_index_entry *out)
{
	struct sought sought = {.is_item = item != 0, .least = item};
	uint32_t at = *hint;
	enum wr_status status;
	struct run run;
	struct row row;

	status = find_run(self, segment, stream, &run);
	if (status != WR_OK)
		return status;
	if (item == 0 && after >= segment->first_sequence) {
		if (after - segment->first_sequence >= UINT32_MAX)
			return WR_NOT_FOUND;
		sought.least = (uint32_t)(after - segment->first_sequence) + 1;
	}
	status = try_hint(self, segment, &run, at, sought, &row);
	if (status == WR_NOT_FOUND)
		status = find_least(self, segment, run.first, run.end, sought, &at, &row);
	if (status != WR_OK)
		return status;
	if (item != 0 && row.c != (item | WR_FS_INDEX_ADDS))
		return WR_NOT_FOUND;
	*hint = at + 1;
	*out = (struct wr_index_entry){
		.stream = stream,
		.sequence_delta = row.a,
		.place = row.b,
		.item = (row.c & WR_FS_INDEX_ADDS) != 0 ? row.c & ~WR_FS_INDEX_ADDS : 0,
		.bytes = row.d,
	};
	return WR_OK;
}

enum wr_status wr_index_file_near(struct wr_fs_store *self, struct wr_segment *segment,
				  uint64_t after, uint64_t *offset)
{
	uint32_t low = 0,
		 high = (segment->event_count + WR_FS_INDEX_SAMPLE - 1) / WR_FS_INDEX_SAMPLE;
	enum wr_status status = WR_OK;
	struct row row;

	if (high == 0)
		return WR_NOT_FOUND;
	/* The last sample that is not above the first event that is wanted, else the first. */
	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		status = read_sample(self, segment, middle, &row);
		if (status != WR_OK)
			return status;
		if (segment->first_sequence + row.a <= after + 1)
			low = middle;
		else
			high = middle;
	}
	status = read_sample(self, segment, low, &row);
	if (status == WR_OK)
		*offset = (uint64_t)row.b * WR_RECORD_ALIGN;
	return status;
}

enum wr_status wr_index_file_items(struct wr_fs_store *self, struct wr_segment *segment,
				   uint32_t stream, uint32_t *first, uint32_t *last)
{
	struct run run;
	enum wr_status status = find_run(self, segment, stream, &run);

	if (status != WR_OK)
		return status;
	*first = run.first_item;
	*last = run.last_item;
	return run.first_item == 0 ? WR_NOT_FOUND : WR_OK;
}

/* The stream of the entry at this index. */
static enum wr_status stream_of(struct wr_fs_store *self, const struct wr_segment *segment,
				uint32_t index, uint32_t *stream)
{
	uint32_t low = 0, high = segment->stream_count;
	struct row row = {0};

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;
		enum wr_status status = read_stream(self, segment, middle, &row);

		if (status != WR_OK)
			return status;
		if (row.b <= index)
			low = middle;
		else
			high = middle;
	}
	*stream = 0;
	if (low < segment->stream_count) {
		enum wr_status status = read_stream(self, segment, low, &row);

		*stream = row.a;
		return status;
	}
	return WR_CORRUPT;
}

enum wr_status wr_index_file_at(struct wr_fs_store *self, struct wr_segment *segment,
				uint64_t offset, struct wr_index_entry *out)
{
	uint32_t place = (uint32_t)(offset / WR_RECORD_ALIGN), found = 0;
	struct row row, best = {.b = UINT32_MAX};
	enum wr_status status;

	for (uint32_t i = 0; i < segment->event_count; i++) {
		status = read_entry(self, segment, i, &row);
		if (status != WR_OK)
			return status;
		if (row.b >= place && row.b < best.b) {
			best = row;
			found = i;
		}
	}
	if (best.b == UINT32_MAX)
		return WR_NOT_FOUND;
	*out = (struct wr_index_entry){
		.sequence_delta = best.a,
		.place = best.b,
		.item = (best.c & WR_FS_INDEX_ADDS) != 0 ? best.c & ~WR_FS_INDEX_ADDS : 0,
		.bytes = best.d,
	};
	return stream_of(self, segment, found, &out->stream);
}

/* Adds what is gone of one stream. */
static enum wr_status add_dead(struct wr_fs_store *self, const struct wr_segment *segment,
			       uint32_t stream, uint32_t first, uint32_t end, uint64_t *bytes)
{
	const struct wr_stream_row *row = wr_fs_row_find(self, stream);
	enum wr_status status = WR_OK;

	/* Most streams have given up nothing of what is here. */
	if (row == NULL || row->evicted < segment->first_sequence)
		return WR_OK;
	for (uint32_t i = first; status == WR_OK && i < end; i++) {
		struct row entry = {0};

		status = read_entry(self, segment, i, &entry);
		if (!wr_fs_is_kept(row, segment->first_sequence + entry.a,
				   (entry.c & WR_FS_INDEX_ADDS) != 0 ? entry.c & ~WR_FS_INDEX_ADDS
								     : 0))
			*bytes += entry.d;
	}
	return status;
}

enum wr_status wr_index_file_dead(struct wr_fs_store *self, struct wr_segment *segment,
				  uint64_t *bytes)
{
	enum wr_status status = WR_OK;
	struct row stream = {0}, next = {0};

	*bytes = 0;
	if (segment->stream_count != 0)
		status = read_stream(self, segment, 0, &next);
	for (uint32_t i = 0; status == WR_OK && i < segment->stream_count; i++) {
		stream = next;
		next.b = segment->event_count;
		if (i + 1 < segment->stream_count)
			status = read_stream(self, segment, i + 1, &next);
		if (status == WR_OK && (stream.b > next.b || next.b > segment->event_count))
			status = WR_CORRUPT;
		if (status == WR_OK)
			status = add_dead(self, segment, stream.a, stream.b, next.b, bytes);
	}
	return status;
}
