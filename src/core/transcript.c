#include "core/transcript.h"

#include "check.h"

#include <string.h>

enum {
	FIRST_CAPACITY = 8,
	/* Of a chunk, unless one item needs more. */
	CHUNK_BYTES_MAX = 4096
};

/* Items, and who keeps it: each of them, and the transcript that adds to it. */
struct wr_transcript_chunk {
	size_t bytes, used; /* with this header */
	uint32_t users;
};

const char *wr_role_name(enum wr_role role)
{
	switch (role) {
	case WR_ROLE_USER:
		return "user";
	case WR_ROLE_SYSTEM:
		return "system";
	case WR_ROLE_ASSISTANT:
		return "assistant";
	}
	wr_unreachable();
}

void wr_transcript_budget_init(struct wr_transcript_budget *self, struct wr_allocator *allocator,
			       uint64_t worker_bytes_max, uint64_t bytes_max)
{
	*self = (struct wr_transcript_budget){.allocator = allocator,
					      .worker_bytes_max = worker_bytes_max,
					      .bytes_max = bytes_max};
	wr_heap_init(&self->shares, allocator);
}

void wr_transcript_budget_deinit(struct wr_transcript_budget *self)
{
	wr_heap_deinit(&self->shares);
}

static size_t item_bytes(size_t content_bytes)
{
	return sizeof(struct wr_transcript_item) + content_bytes;
}

/* In a chunk, where the next one begins at a multiple of 8. */
static size_t room_of(size_t content_bytes)
{
	return (item_bytes(content_bytes) + 7) & ~(size_t)7;
}

static size_t ring_bytes(uint32_t capacity)
{
	return capacity * sizeof(struct wr_transcript_item *);
}

static struct wr_transcript_item **slot(const struct wr_transcript *self, uint64_t index)
{
	return &self->ring[index & (self->ring_capacity - 1)];
}

/* A Worker has something to give while it keeps more than one item; the heap then orders it by how
 * much it has (largest first, hence the complement). */
static void update_share(struct wr_transcript *self, struct wr_transcript_budget *budget)
{
	if (self->total - self->first < 2)
		wr_heap_remove(&budget->shares, &self->share);
	else if (wr_heap_has(&self->share))
		wr_heap_update(&budget->shares, &self->share, ~self->bytes);
	else
		wr_assert(wr_heap_push(&budget->shares, &self->share, ~self->bytes) == WR_OK);
}

void wr_transcript_init(struct wr_transcript *self)
{
	*self = (struct wr_transcript){.ring = NULL};
}

void wr_transcript_begin_at(struct wr_transcript *self, uint64_t total)
{
	wr_assert(self->total == 0);
	self->first = self->total = total;
}

static void release_chunk(struct wr_transcript_budget *budget, struct wr_transcript_chunk *chunk)
{
	if (chunk != NULL && --chunk->users == 0)
		wr_allocator_free(budget->allocator, chunk, chunk->bytes);
}

static void release_item(struct wr_transcript_budget *budget, struct wr_transcript_item *item)
{
	release_chunk(budget, (struct wr_transcript_chunk *)(void *)((char *)item - item->place));
}

/* Room for an item in the chunk at hand, or in a new one. NULL: there is no memory. */
static struct wr_transcript_item *take_room(struct wr_transcript *self,
					    struct wr_transcript_budget *budget, size_t bytes)
{
	const size_t header = (sizeof(struct wr_transcript_chunk) + 7) & ~(size_t)7;
	struct wr_transcript_chunk *chunk = self->chunk;
	struct wr_transcript_item *item;

	if (WR_UNLIKELY(chunk == NULL || chunk->bytes - chunk->used < bytes)) {
		uint64_t room = self->bytes < CHUNK_BYTES_MAX ? self->bytes : CHUNK_BYTES_MAX;
		size_t all = header + (bytes < room ? (size_t)room : bytes);

		chunk = wr_allocator_take(budget->allocator, all);
		if (chunk == NULL)
			return NULL;
		*chunk = (struct wr_transcript_chunk){.bytes = all, .used = header, .users = 1};
		release_chunk(budget, self->chunk);
		self->chunk = chunk;
	}
	item = (struct wr_transcript_item *)(void *)((char *)chunk + chunk->used);
	item->place = (uint32_t)chunk->used;
	chunk->used += bytes;
	chunk->users++;
	return item;
}

static void drop_first(struct wr_transcript *self, struct wr_transcript_budget *budget)
{
	struct wr_transcript_item *item = *slot(self, self->first);
	size_t bytes = item_bytes(item->bytes);

	self->first++;
	self->bytes -= bytes;
	budget->bytes -= bytes;
	release_item(budget, item);
}

void wr_transcript_deinit(struct wr_transcript *self, struct wr_transcript_budget *budget)
{
	wr_heap_remove(&budget->shares, &self->share);
	while (self->first < self->total)
		drop_first(self, budget);
	release_chunk(budget, self->chunk);
	wr_allocator_free(budget->allocator, self->ring, ring_bytes(self->ring_capacity));
}

static bool grow_ring(struct wr_transcript *self, struct wr_transcript_budget *budget)
{
	uint32_t capacity = self->ring_capacity == 0 ? FIRST_CAPACITY : self->ring_capacity * 2;
	struct wr_transcript_item **ring;

	if (self->ring_capacity > UINT32_MAX / 2 / sizeof *ring)
		return false;
	ring = wr_allocator_take(budget->allocator, ring_bytes(capacity));
	if (ring == NULL)
		return false;
	for (uint64_t i = self->first; i < self->total; i++)
		ring[i & (capacity - 1)] = *slot(self, i);
	wr_allocator_free(budget->allocator, self->ring, ring_bytes(self->ring_capacity));
	self->ring = ring;
	self->ring_capacity = capacity;
	return true;
}

struct wr_transcript_item *wr_transcript_prepare(struct wr_transcript *self,
						 struct wr_transcript_budget *budget,
						 enum wr_role role, struct wr_view content)
{
	struct wr_transcript_item *item;

	if (self->total - self->first == self->ring_capacity && !grow_ring(self, budget))
		return NULL;
	if (wr_heap_reserve(&budget->shares, budget->shares.count + 1) != WR_OK)
		return NULL;
	item = take_room(self, budget, room_of(content.bytes));
	if (item == NULL)
		return NULL;
	*item = (struct wr_transcript_item){
		.place = item->place, .bytes = (uint32_t)content.bytes, .role = (uint8_t)role};
	if (content.bytes != 0)
		memcpy(item->content, content.data, content.bytes);
	return item;
}

void wr_transcript_discard(struct wr_transcript_budget *budget, struct wr_transcript_item *item)
{
	if (item != NULL)
		release_item(budget, item);
}

void wr_transcript_append(struct wr_transcript *self, struct wr_transcript_budget *budget,
			  struct wr_transcript_item *item)
{
	wr_assert(self->total - self->first < self->ring_capacity);
	*slot(self, self->total++) = item;
	self->bytes += item_bytes(item->bytes);
	budget->bytes += item_bytes(item->bytes);
	while (self->bytes > budget->worker_bytes_max && self->total - self->first > 1)
		drop_first(self, budget);
	update_share(self, budget);
	while (budget->bytes > budget->bytes_max && wr_heap_first(&budget->shares) != NULL) {
		struct wr_transcript *largest = wr_container_of(wr_heap_first(&budget->shares),
								struct wr_transcript, share);
		drop_first(largest, budget);
		update_share(largest, budget);
	}
}

const struct wr_transcript_item *wr_transcript_at(const struct wr_transcript *self, uint64_t index)
{
	return index < self->first || index >= self->total ? NULL : *slot(self, index);
}
