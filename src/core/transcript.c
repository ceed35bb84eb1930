#include "core/transcript.h"

#include "check.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

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

static void drop_first(struct wr_transcript *self, struct wr_transcript_budget *budget)
{
	struct wr_transcript_item *item = *slot(self, self->first);
	size_t bytes = item_bytes(item->bytes);

	self->first++;
	self->bytes -= bytes;
	budget->bytes -= bytes;
	wr_allocator_free(budget->allocator, item, bytes);
}

void wr_transcript_deinit(struct wr_transcript *self, struct wr_transcript_budget *budget)
{
	wr_heap_remove(&budget->shares, &self->share);
	while (self->first < self->total)
		drop_first(self, budget);
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
	item = wr_allocator_take(budget->allocator, item_bytes(content.bytes));
	if (item == NULL)
		return NULL;
	*item = (struct wr_transcript_item){.bytes = (uint32_t)content.bytes,
					    .role = (uint8_t)role};
	if (content.bytes != 0)
		memcpy(item->content, content.data, content.bytes);
	return item;
}

void wr_transcript_discard(struct wr_transcript_budget *budget, struct wr_transcript_item *item)
{
	if (item != NULL)
		wr_allocator_free(budget->allocator, item, item_bytes(item->bytes));
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
