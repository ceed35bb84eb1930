#include "core/catalog.h"

#include "bytes/endian.h"
#include "check.h"

#include <string.h>

void wr_catalog_init(struct wr_catalog *self, struct wr_allocator *allocator)
{
	*self = (struct wr_catalog){.allocator = allocator};
}

static size_t array_bytes(uint32_t capacity)
{
	return capacity * sizeof(struct wr_worker *);
}

void wr_catalog_deinit(struct wr_catalog *self)
{
	wr_allocator_free(self->allocator, self->by_number, array_bytes(self->capacity));
	wr_allocator_free(self->allocator, self->by_id, array_bytes(self->capacity));
}

enum wr_status wr_catalog_reserve(struct wr_catalog *self)
{
	uint32_t capacity = self->capacity == 0 ? 8 : self->capacity * 2;
	struct wr_worker **by_number, **by_id;

	if (self->count < self->capacity)
		return WR_OK;
	by_number = wr_allocator_take(self->allocator, array_bytes(capacity));
	by_id = wr_allocator_take(self->allocator, array_bytes(capacity));
	if (by_number == NULL || by_id == NULL) {
		wr_allocator_free(self->allocator, by_number,
				  by_number == NULL ? 0 : array_bytes(capacity));
		wr_allocator_free(self->allocator, by_id,
				  by_id == NULL ? 0 : array_bytes(capacity));
		return WR_NO_MEMORY;
	}
	if (self->count != 0) {
		memcpy(by_number, self->by_number, array_bytes(self->count));
		memcpy(by_id, self->by_id, array_bytes(self->count));
	}
	wr_catalog_deinit(self);
	self->by_number = by_number;
	self->by_id = by_id;
	self->capacity = capacity;
	return WR_OK;
}

/* Index of the first Worker whose id is not below `id`, or with `is_above` is above it. */
static uint32_t place_of(const struct wr_catalog *self, struct wr_view id, bool is_above)
{
	uint32_t low = 0, high = self->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = wr_view_compare(self->by_id[middle]->id, id);
		if (order > 0 || (order == 0 && !is_above))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void wr_catalog_add(struct wr_catalog *self, struct wr_worker *worker)
{
	uint32_t place = place_of(self, worker->id, false);

	wr_assert(self->count < self->capacity && worker->number == self->count + 1);
	memmove(self->by_id + place + 1, self->by_id + place, array_bytes(self->count - place));
	self->by_id[place] = worker;
	self->by_number[self->count++] = worker;
	self->status_counts[worker->now.status]++;
}

void wr_catalog_set_status(struct wr_catalog *self, struct wr_worker *worker,
			   enum wr_worker_status status)
{
	self->status_counts[worker->now.status]--;
	worker->now.status = status;
	self->status_counts[status]++;
}

/* Ids that were made here end in their number, in eight hex digits: that saves the search. Eight
 * other characters give some number, too, so the Worker found must be compared. */
static struct wr_worker *guess(const struct wr_catalog *self, struct wr_view id)
{
	struct wr_worker *worker;
	uint64_t digits;

	if (id.bytes < 8)
		return NULL;
	/* All eight at once: the value of each in its byte, then pairs, fours and all together. */
	digits = wr_load_be64(id.data + id.bytes - 8);
	digits = (digits & UINT64_C(0x0f0f0f0f0f0f0f0f)) +
		 (digits >> 6 & UINT64_C(0x0101010101010101)) * 9;
	digits = (digits | digits >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	digits = (digits | digits >> 8) & UINT64_C(0x0000ffff0000ffff);
	worker = wr_catalog_at(self, (uint32_t)(digits | digits >> 16));
	return worker != NULL && wr_view_equal(worker->id, id) ? worker : NULL;
}

struct wr_worker *wr_catalog_find(const struct wr_catalog *self, struct wr_view id)
{
	struct wr_worker *worker = guess(self, id);
	uint32_t place;

	if (worker != NULL)
		return worker;
	place = place_of(self, id, false);
	if (place == self->count || !wr_view_equal(self->by_id[place]->id, id))
		return NULL;
	return self->by_id[place];
}

struct wr_worker *wr_catalog_at(const struct wr_catalog *self, uint32_t number)
{
	return number == 0 || number > self->count ? NULL : self->by_number[number - 1];
}

struct wr_worker *wr_catalog_next(const struct wr_catalog *self, struct wr_view after)
{
	uint32_t place = after.data == NULL ? 0 : place_of(self, after, true);

	return place == self->count ? NULL : self->by_id[place];
}
