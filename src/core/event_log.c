#include "core/event_log.h"

#include "check.h"

#include <string.h>

/* Behind the frames of a chunk, growing down from its end: one entry per frame. */
struct entry {
	uint64_t sequence;
	uint32_t end;	/* offset in the chunk behind the frame */
	uint32_t place; /* in the order, from 1; 0: only the Worker's stream shows it */
};

struct wr_chunk {
	struct wr_chunk *next;
	struct wr_event_stream *stream;
	uint64_t position; /* of data[0] in the stream */
	uint32_t capacity; /* of data: frames, free space, entries */
	uint32_t used;	   /* by frames */
	uint32_t count;	   /* entries */
	uint32_t gone;	   /* of these evicted, from the front */
	char data[];
};

/* What a frame costs beside its bytes: an entry and a place in the order. */
#define FRAME_OVERHEAD (sizeof(struct entry) + sizeof(struct wr_order_entry))

_Static_assert(offsetof(struct wr_chunk, data) % _Alignof(struct entry) == 0, "entries aligned");

static struct entry *entry_at(const struct wr_chunk *chunk, uint32_t index)
{
	const char *end = chunk->data + chunk->capacity;

	return (struct entry *)(uintptr_t)(end - (index + 1) * sizeof(struct entry));
}

static uint32_t entry_begin(const struct wr_chunk *chunk, uint32_t index)
{
	return index == 0 ? 0 : entry_at(chunk, index - 1)->end;
}

static size_t chunk_bytes(uint32_t capacity)
{
	return sizeof(struct wr_chunk) + capacity;
}

void wr_event_log_init(struct wr_event_log *self, struct wr_allocator *allocator,
		       const struct wr_retention *retention)
{
	*self = (struct wr_event_log){.allocator = allocator, .retention = *retention};
	wr_heap_init(&self->shares, allocator);
	wr_list_init(&self->changed);
	wr_event_stream_init(&self->runtime, 0);
}

void wr_event_log_deinit(struct wr_event_log *self)
{
	wr_event_stream_deinit(&self->runtime, self);
	wr_heap_deinit(&self->shares);
	wr_allocator_free(self->allocator, self->order,
			  self->order_capacity * sizeof(self->order[0]));
}

void wr_event_stream_init(struct wr_event_stream *self, uint32_t worker)
{
	*self = (struct wr_event_stream){.worker = worker};
	wr_list_init(&self->changed);
	wr_list_init(&self->subscribers);
}

void wr_event_stream_begin_at(struct wr_event_stream *self, uint64_t sequence)
{
	wr_assert(self->end == 0);
	self->evicted = self->last_sequence = sequence;
}

void wr_event_stream_deinit(struct wr_event_stream *self, struct wr_event_log *log)
{
	while (self->first != NULL) {
		struct wr_chunk *chunk = self->first;
		self->first = chunk->next;
		wr_allocator_free(log->allocator, chunk, chunk_bytes(chunk->capacity));
	}
	self->last = NULL;
	wr_heap_remove(&log->shares, &self->share);
	wr_list_remove(&self->changed);
}

void wr_event_stream_clear(struct wr_event_stream *self, struct wr_event_log *log)
{
	uint32_t worker = self->worker;

	wr_assert(wr_list_is_empty(&self->subscribers));
	log->bytes -= self->bytes;
	log->count -= self->count;
	if (!wr_list_is_empty(&self->changed))
		log->pending_shares--;
	wr_event_stream_deinit(self, log);
	wr_event_stream_init(self, worker);
}

/* ---- appending ---- */

static bool chunk_fits(const struct wr_chunk *chunk, size_t frame_bytes)
{
	size_t entries = (chunk->count + 1) * sizeof(struct entry);

	return chunk->capacity - chunk->used >= entries &&
	       chunk->capacity - chunk->used - entries >= frame_bytes;
}

/* Chunks grow with what a stream keeps, so that a quiet Worker costs little and a busy one has few.
 */
static uint32_t next_capacity(const struct wr_event_stream *stream, size_t frame_bytes)
{
	size_t need = frame_bytes + sizeof(struct entry);
	size_t capacity = WR_LOG_CHUNK_BYTES_MIN;

	while (capacity < WR_LOG_CHUNK_BYTES_MAX && capacity < stream->bytes)
		capacity *= 2;
	if (capacity < need)
		capacity = (need + 63) / 64 * 64;
	return (uint32_t)capacity;
}

static enum wr_status reserve_chunk(struct wr_event_log *self, struct wr_event_stream *stream,
				    size_t frame_bytes)
{
	struct wr_chunk *chunk;
	uint32_t capacity;

	if (stream->last != NULL && chunk_fits(stream->last, frame_bytes))
		return WR_OK;
	/* A chunk reserved for a frame that was then given up is too small: replace it. */
	if (stream->last != NULL && stream->last->count == 0) {
		struct wr_chunk *empty = stream->last, **link = &stream->first;
		stream->last = NULL;
		while (*link != empty) {
			stream->last = *link;
			link = &(*link)->next;
		}
		*link = NULL;
		wr_allocator_free(self->allocator, empty, chunk_bytes(empty->capacity));
	}
	capacity = next_capacity(stream, frame_bytes);
	chunk = wr_allocator_take(self->allocator, chunk_bytes(capacity));
	if (chunk == NULL)
		return WR_NO_MEMORY;
	*chunk = (struct wr_chunk){.stream = stream, .position = stream->end, .capacity = capacity};
	if (stream->last == NULL)
		stream->first = chunk;
	else
		stream->last->next = chunk;
	stream->last = chunk;
	return WR_OK;
}

/* Moves the kept places of the order to its front. */
static void compact_order(struct wr_event_log *self)
{
	uint32_t to = 0;

	for (uint32_t from = self->order_first; from < self->order_end; from++)
		if (self->order[from].chunk != NULL) {
			self->order[to] = self->order[from];
			entry_at(self->order[to].chunk, self->order[to].index)->place = to + 1;
			to++;
		}
	self->order_first = 0;
	self->order_end = to;
	self->order_gone = 0;
}

static enum wr_status reserve_order(struct wr_event_log *self)
{
	uint32_t capacity = self->order_capacity;
	struct wr_order_entry *order;

	if (self->order_end < capacity)
		return WR_OK;
	if (capacity != 0 && self->order_first + self->order_gone >= capacity / 2) {
		compact_order(self);
		return WR_OK;
	}
	if (capacity > UINT32_MAX / 2 / sizeof *order)
		return WR_NO_MEMORY;
	order = wr_allocator_resize(self->allocator, self->order, capacity * sizeof *order,
				    (capacity == 0 ? 16 : capacity * 2) * sizeof *order);
	if (order == NULL)
		return WR_NO_MEMORY;
	self->order = order;
	self->order_capacity = capacity == 0 ? 16 : capacity * 2;
	return WR_OK;
}

enum wr_status wr_event_log_reserve(struct wr_event_log *self, const struct wr_frame *frames,
				    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (frames[i].bytes.bytes > UINT32_MAX / 2)
			return WR_TOO_LARGE;
		if (reserve_chunk(self, frames[i].stream, frames[i].bytes.bytes) != WR_OK)
			return WR_NO_MEMORY;
	}
	if (reserve_order(self) != WR_OK)
		return WR_NO_MEMORY;
	/* The streams of these frames may become members of the heap at the next trim. */
	return wr_heap_reserve(&self->shares, self->shares.count + count + self->pending_shares);
}

static void append_frame(struct wr_event_log *self, uint64_t sequence, const struct wr_frame *frame)
{
	struct wr_event_stream *stream = frame->stream;
	struct wr_chunk *chunk = stream->last;
	struct entry *entry;

	wr_assert(chunk != NULL && chunk_fits(chunk, frame->bytes.bytes));
	wr_assert(chunk->position + chunk->used == stream->end);
	memcpy(chunk->data + chunk->used, frame->bytes.data, frame->bytes.bytes);
	chunk->used += (uint32_t)frame->bytes.bytes;
	entry = entry_at(chunk, chunk->count);
	*entry = (struct entry){sequence, chunk->used, 0};
	if (frame->is_runtime_wide) {
		wr_assert(self->order_end < self->order_capacity);
		self->order[self->order_end++] =
			(struct wr_order_entry){sequence, chunk, chunk->count};
		entry->place = self->order_end;
	}
	chunk->count++;
	stream->end += frame->bytes.bytes;
	if (!self->is_shown_late)
		stream->shown = stream->end;
	stream->last_sequence = sequence;
	stream->bytes += frame->bytes.bytes + FRAME_OVERHEAD;
	stream->count++;
	self->bytes += frame->bytes.bytes + FRAME_OVERHEAD;
	self->count++;
	if (wr_list_is_empty(&stream->changed)) {
		wr_list_push(&self->changed, &stream->changed);
		self->pending_shares++;
	}
	if (self->observer.on_append != NULL)
		self->observer.on_append(self->observer.context, stream);
}

void wr_event_log_append(struct wr_event_log *self, uint64_t sequence,
			 const struct wr_frame *frames, unsigned count)
{
	wr_assert(sequence > self->last_sequence);
	self->last_sequence = sequence;
	if (!self->is_shown_late)
		self->shown_sequence = sequence;
	for (unsigned i = 0; i < count; i++)
		append_frame(self, sequence, &frames[i]);
}

/* ---- visibility ---- */

void wr_event_log_show(struct wr_event_log *self, uint64_t sequence)
{
	wr_assert(sequence >= self->shown_sequence && sequence <= self->last_sequence);
	self->shown_sequence = sequence;
	wr_list_each (node, after, &self->changed) {
		struct wr_event_stream *stream =
			wr_list_entry(node, struct wr_event_stream, changed);
		stream->shown = stream->last_sequence <= sequence
					? stream->end
					: wr_event_stream_seek(stream, sequence);
	}
}

/* ---- retention ---- */

static void leave_order(struct wr_event_log *self, uint32_t place, uint64_t sequence)
{
	wr_assert(place < self->order_end && self->order[place].sequence == sequence);
	self->order[place].chunk = NULL;
	self->order_gone++;
	while (self->order_first < self->order_end &&
	       self->order[self->order_first].chunk == NULL) {
		self->order_first++;
		self->order_gone--;
	}
	if (sequence > self->evicted)
		self->evicted = sequence;
}

static void release_first(struct wr_event_log *self, struct wr_event_stream *stream)
{
	struct wr_chunk *chunk = stream->first;

	wr_assert(chunk->gone == chunk->count && chunk != stream->last);
	if (self->observer.on_release != NULL)
		self->observer.on_release(self->observer.context, stream,
					  chunk->position + chunk->used);
	stream->first = chunk->next;
	wr_allocator_free(self->allocator, chunk, chunk_bytes(chunk->capacity));
}

/* Whether something can go: not the newest event, and not what nobody could see yet. */
static bool has_more_than_newest(const struct wr_event_stream *stream)
{
	return stream->count > 1 && stream->begin < stream->shown;
}

static void evict_first(struct wr_event_log *self, struct wr_event_stream *stream)
{
	struct wr_chunk *chunk = stream->first;
	const struct entry *entry = entry_at(chunk, chunk->gone);
	uint64_t bytes = entry->end - entry_begin(chunk, chunk->gone) + FRAME_OVERHEAD;

	wr_assert(has_more_than_newest(stream) && chunk->gone < chunk->count);
	if (entry->place != 0)
		leave_order(self, entry->place - 1, entry->sequence);
	stream->evicted = entry->sequence;
	stream->begin = chunk->position + entry->end;
	stream->bytes -= bytes;
	stream->count--;
	self->bytes -= bytes;
	self->count--;
	if (++chunk->gone == chunk->count && chunk != stream->last)
		release_first(self, stream);
}

/* A stream is in the heap while it has something to give, largest first. */
static void update_share(struct wr_event_log *self, struct wr_event_stream *stream)
{
	if (!has_more_than_newest(stream))
		wr_heap_remove(&self->shares, &stream->share);
	else if (wr_heap_has(&stream->share))
		wr_heap_update(&self->shares, &stream->share, ~stream->bytes);
	else
		wr_assert(wr_heap_push(&self->shares, &stream->share, ~stream->bytes) == WR_OK);
}

static bool is_over_own(const struct wr_event_log *self, const struct wr_event_stream *stream)
{
	return stream->count > self->retention.stream_events_max ||
	       stream->bytes > self->retention.stream_bytes_max;
}

void wr_event_log_trim(struct wr_event_log *self)
{
	wr_list_each (node, after, &self->changed) {
		struct wr_event_stream *stream =
			wr_list_entry(node, struct wr_event_stream, changed);
		while (has_more_than_newest(stream) && is_over_own(self, stream))
			evict_first(self, stream);
		update_share(self, stream);
		if (stream->shown != stream->end)
			continue; /* comes back when more of it is shown */
		wr_list_remove(node);
		self->pending_shares--;
	}
	while (self->count > self->retention.events_max ||
	       self->bytes > self->retention.bytes_max) {
		struct wr_heap_node *largest = wr_heap_first(&self->shares);
		struct wr_event_stream *stream;
		if (largest == NULL)
			break; /* one newest event each, and what is not shown: always kept */
		stream = wr_container_of(largest, struct wr_event_stream, share);
		evict_first(self, stream);
		update_share(self, stream);
	}
}

/* ---- reading ---- */

/* Index of the first entry with a sequence above `sequence`. */
static uint32_t entry_above(const struct wr_chunk *chunk, uint64_t sequence)
{
	uint32_t low = 0, high = chunk->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (entry_at(chunk, middle)->sequence > sequence)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint64_t wr_event_stream_seek(const struct wr_event_stream *self, uint64_t sequence)
{
	if (sequence >= self->last_sequence)
		return self->end;
	if (sequence <= self->evicted)
		return self->begin;
	for (const struct wr_chunk *chunk = self->first; chunk != NULL; chunk = chunk->next) {
		uint32_t index = entry_above(chunk, sequence);
		if (index < chunk->count)
			return chunk->position + entry_begin(chunk, index);
	}
	return self->end;
}

/* The chunk that has the byte at `position`; NULL at the end or when it is gone. */
static const struct wr_chunk *chunk_at(const struct wr_event_stream *self, uint64_t position)
{
	const struct wr_chunk *chunk = self->last;

	if (position >= self->end || chunk == NULL)
		return NULL;
	if (position >= chunk->position && chunk->used != 0)
		return chunk;
	for (chunk = self->first; chunk != NULL; chunk = chunk->next)
		if (position < chunk->position + chunk->used)
			return position >= chunk->position ? chunk : NULL;
	return NULL;
}

unsigned wr_event_stream_read(const struct wr_event_stream *self, uint64_t position,
			      struct wr_view *parts, unsigned count, uint64_t bytes_max)
{
	const struct wr_chunk *chunk = chunk_at(self, position);
	unsigned filled = 0;

	while (chunk != NULL && filled < count && bytes_max != 0) {
		uint32_t offset = (uint32_t)(position - chunk->position);
		size_t bytes = chunk->used - offset;
		if (bytes > bytes_max)
			bytes = (size_t)bytes_max;
		if (bytes != 0)
			parts[filled++] = wr_view_of(chunk->data + offset, bytes);
		bytes_max -= bytes;
		position += bytes;
		chunk = chunk->next;
	}
	return filled;
}

bool wr_event_stream_frame_at(const struct wr_event_stream *self, uint64_t position,
			      uint64_t *frame_begin, uint64_t *frame_end)
{
	const struct wr_chunk *chunk = chunk_at(self, position);
	uint32_t offset, low = 0, high;

	if (chunk == NULL)
		return false;
	offset = (uint32_t)(position - chunk->position);
	high = chunk->count;
	while (low < high) { /* the first entry that ends behind the offset */
		uint32_t middle = low + (high - low) / 2;
		if (entry_at(chunk, middle)->end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	wr_assert(low < chunk->count);
	*frame_begin = chunk->position + entry_begin(chunk, low);
	*frame_end = chunk->position + entry_at(chunk, low)->end;
	return *frame_begin != position;
}

/* The chunk and index of the frame of a sequence; NULL when its memory is gone. */
static const struct wr_chunk *find_frame(const struct wr_event_stream *self, uint64_t sequence,
					 uint32_t *index)
{
	for (const struct wr_chunk *chunk = self->first; chunk != NULL; chunk = chunk->next) {
		*index = entry_above(chunk, sequence - 1);
		if (*index < chunk->count)
			return entry_at(chunk, *index)->sequence == sequence ? chunk : NULL;
	}
	return NULL;
}

bool wr_event_stream_find(const struct wr_event_stream *self, uint64_t sequence,
			  struct wr_view *bytes)
{
	uint32_t index, begin;
	const struct wr_chunk *chunk = find_frame(self, sequence, &index);

	if (chunk == NULL)
		return false;
	begin = entry_begin(chunk, index);
	*bytes = wr_view_of(chunk->data + begin, entry_at(chunk, index)->end - begin);
	return true;
}

uint64_t wr_event_stream_position(const struct wr_event_stream *self, uint64_t sequence)
{
	uint32_t index;
	const struct wr_chunk *chunk = find_frame(self, sequence, &index);

	return chunk == NULL ? UINT64_MAX : chunk->position + entry_begin(chunk, index);
}

void wr_event_stream_copy(const struct wr_event_stream *self, char *out, uint64_t from, uint64_t to)
{
	struct wr_view part;

	while (from < to) {
		wr_assert(wr_event_stream_read(self, from, &part, 1, to - from) == 1);
		memcpy(out, part.data, part.bytes);
		out += part.bytes;
		from += part.bytes;
	}
}

/* Index of the first place in the order with a sequence above `sequence`. */
static uint32_t order_above(const struct wr_event_log *self, uint64_t sequence)
{
	uint32_t low = self->order_first, high = self->order_end;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (self->order[middle].sequence > sequence)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool wr_event_log_next(const struct wr_event_log *self, uint64_t sequence, uint32_t *hint,
		       struct wr_order_frame *out)
{
	uint32_t place = *hint;
	bool is_good = place >= self->order_first && place < self->order_end &&
		       self->order[place].sequence > sequence &&
		       (place == self->order_first || self->order[place - 1].sequence <= sequence);
	const struct wr_order_entry *found;
	const struct wr_chunk *chunk;

	if (!is_good)
		place = order_above(self, sequence);
	while (place < self->order_end && self->order[place].chunk == NULL)
		place++;
	*hint = place + 1;
	if (place >= self->order_end || self->order[place].sequence > self->shown_sequence)
		return false;
	found = &self->order[place];
	chunk = found->chunk;
	out->sequence = found->sequence;
	out->bytes =
		wr_view_of(chunk->data + entry_begin(chunk, found->index),
			   entry_at(chunk, found->index)->end - entry_begin(chunk, found->index));
	out->position = chunk->position + entry_begin(chunk, found->index);
	out->stream = chunk->stream;
	return true;
}
