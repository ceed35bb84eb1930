#include "bytes/allocator.h"

#include "check.h"

#include <string.h>

void *wr_allocator_resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	void *block;

	wr_assert((old == NULL) == (old_bytes == 0));
	wr_assert(old_bytes <= self->used);
	if (new_bytes > old_bytes &&
	    (self->used > self->max || new_bytes - old_bytes > self->max - self->used))
		return NULL;
	block = self->resize(self, old, old_bytes, new_bytes);
	if (block == NULL && new_bytes != 0)
		return NULL;
	self->used = self->used - old_bytes + new_bytes;
	if (self->used > self->peak)
		self->peak = self->used;
	return block;
}

void *wr_allocator_take(struct wr_allocator *self, size_t bytes)
{
	wr_assert(bytes != 0);
	return wr_allocator_resize(self, NULL, 0, bytes);
}

void *wr_allocator_take_zeroed(struct wr_allocator *self, size_t bytes)
{
	void *block = wr_allocator_take(self, bytes);

	if (block != NULL)
		memset(block, 0, bytes);
	return block;
}

void wr_allocator_free(struct wr_allocator *self, void *block, size_t bytes)
{
	if (block != NULL)
		wr_allocator_resize(self, block, bytes, 0);
}

bool wr_allocator_is_above(const struct wr_allocator *self, unsigned percent)
{
	return self->used >= self->max - self->max / 100 * (100 - percent);
}
