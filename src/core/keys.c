#include "core/keys.h"

#include "bytes/endian.h"
#include "check.h"

#include <string.h>

enum { FIRST_CAPACITY = 16 };

_Static_assert((WR_KEY_COUNT_MAX & (WR_KEY_COUNT_MAX - 1)) == 0, "the ring wraps by a mask");
_Static_assert(WR_KEY_COUNT_MAX < UINT16_MAX, "a slot names any place");

void wr_keys_init(struct wr_keys *self, struct wr_allocator *allocator)
{
	*self = (struct wr_keys){.allocator = allocator};
}

static size_t ring_bytes(uint32_t capacity)
{
	return capacity * sizeof(struct wr_kept_key);
}

static size_t slots_bytes(uint32_t capacity)
{
	return 2 * (size_t)capacity * sizeof(uint16_t);
}

void wr_keys_deinit(struct wr_keys *self)
{
	wr_allocator_free(self->allocator, self->ring, ring_bytes(self->capacity));
	wr_allocator_free(self->allocator, self->slots, slots_bytes(self->capacity));
}

/* ---- the index: open addressing, linear ---- */

static uint32_t slot_mask(const struct wr_keys *self)
{
	return 2 * self->capacity - 1;
}

static uint32_t home_of(const struct wr_keys *self, const struct wr_key *key)
{
	return wr_load_le32(key->id) & slot_mask(self);
}

static struct wr_kept_key *kept_in(const struct wr_keys *self, uint32_t slot)
{
	return &self->ring[self->slots[slot] - 1];
}

/* The slot of an id, or the free one at which the search ends. */
static uint32_t find_slot(const struct wr_keys *self, const struct wr_key *key)
{
	uint32_t slot = home_of(self, key);

	while (self->slots[slot] != 0 &&
	       memcmp(kept_in(self, slot)->key.id, key->id, WR_KEY_BYTES) != 0)
		slot = (slot + 1) & slot_mask(self);
	return slot;
}

/* Frees a slot and moves back what was put behind it for want of a place, so that no search ends
 * too early. */
static void free_slot(struct wr_keys *self, uint32_t slot)
{
	uint32_t mask = slot_mask(self), hole = slot;

	for (slot = (slot + 1) & mask; self->slots[slot] != 0; slot = (slot + 1) & mask) {
		uint32_t home = home_of(self, &kept_in(self, slot)->key);
		if (((slot - home) & mask) >= ((slot - hole) & mask)) {
			self->slots[hole] = self->slots[slot];
			hole = slot;
		}
	}
	self->slots[hole] = 0;
}

static uint32_t place_of(const struct wr_keys *self, uint64_t number)
{
	return (uint32_t)(number & (self->capacity - 1));
}

static void drop_first(struct wr_keys *self)
{
	uint32_t slot = find_slot(self, &self->ring[place_of(self, self->first)].key);

	wr_assert(self->slots[slot] != 0);
	free_slot(self, slot);
	self->first++;
}

/* ---- */

void wr_keys_expire(struct wr_keys *self, uint32_t uptime_s)
{
	while (self->first < self->total) {
		uint32_t used_s = self->ring[place_of(self, self->first)].uptime_s;
		if (uptime_s < used_s || uptime_s - used_s < WR_KEY_S_MAX)
			break;
		drop_first(self);
	}
}

const struct wr_kept_key *wr_keys_find(const struct wr_keys *self, const struct wr_key *key)
{
	uint32_t slot;

	if (self->capacity == 0)
		return NULL;
	slot = find_slot(self, key);
	return self->slots[slot] == 0 ? NULL : kept_in(self, slot);
}

enum wr_status wr_keys_reserve(struct wr_keys *self)
{
	struct wr_keys larger = *self;

	if (self->total - self->first < self->capacity || self->capacity == WR_KEY_COUNT_MAX)
		return WR_OK;
	larger.capacity = self->capacity == 0 ? FIRST_CAPACITY : self->capacity * 2;
	larger.ring = wr_allocator_take(self->allocator, ring_bytes(larger.capacity));
	if (larger.ring == NULL)
		return WR_NO_MEMORY;
	larger.slots = wr_allocator_take_zeroed(self->allocator, slots_bytes(larger.capacity));
	if (larger.slots == NULL) {
		wr_allocator_free(self->allocator, larger.ring, ring_bytes(larger.capacity));
		return WR_NO_MEMORY;
	}
	larger.total = larger.first;
	for (uint64_t number = self->first; number < self->total; number++)
		wr_keys_add(&larger, &self->ring[place_of(self, number)]);
	wr_keys_deinit(self);
	*self = larger;
	return WR_OK;
}

void wr_keys_add(struct wr_keys *self, const struct wr_kept_key *kept)
{
	uint32_t slot, place;

	if (self->total - self->first == WR_KEY_COUNT_MAX)
		drop_first(self);
	wr_assert(self->total - self->first < self->capacity);
	slot = find_slot(self, &kept->key);
	wr_assert(self->slots[slot] == 0);
	place = place_of(self, self->total++);
	self->ring[place] = *kept;
	self->slots[slot] = (uint16_t)(place + 1);
}

uint32_t wr_keys_count(const struct wr_keys *self)
{
	return (uint32_t)(self->total - self->first);
}

const struct wr_kept_key *wr_keys_at(const struct wr_keys *self, uint32_t index)
{
	wr_assert(index < wr_keys_count(self));
	return &self->ring[place_of(self, self->first + index)];
}
