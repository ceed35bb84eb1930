#include "observe/rendered.h"

void wr_rendered_init(struct wr_rendered *self, struct wr_allocator *allocator)
{
	wr_buf_init(&self->bytes, allocator, WR_RENDERED_BYTES + WR_FRAME_BYTES_MAX);
}

void wr_rendered_deinit(struct wr_rendered *self)
{
	wr_buf_deinit(&self->bytes);
}

uint32_t wr_rendered_seek(const struct wr_rendered *self, const struct wr_rendered_key *key)
{
	uint32_t low = 0, high = self->count;

	if (self->key.is_stored != key->is_stored || self->key.worker != key->worker ||
	    key->after < self->key.after)
		return self->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (self->frames[middle].sequence > key->after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void wr_rendered_begin(struct wr_rendered *self, const struct wr_rendered_key *key)
{
	wr_buf_reset(&self->bytes);
	self->key = *key;
	self->count = 0;
}

char *wr_rendered_add(struct wr_rendered *self, uint64_t sequence, struct wr_view bytes,
		      uint32_t worker)
{
	size_t start = self->bytes.bytes;

	if (wr_buf_append_view(&self->bytes, bytes) != WR_OK)
		return NULL;
	self->frames[self->count].sequence = sequence;
	self->frames[self->count].worker = worker;
	self->frames[self->count].end = (uint32_t)self->bytes.bytes;
	self->count++;
	return self->bytes.data + start;
}

uint32_t wr_rendered_find(const struct wr_rendered *self, size_t offset)
{
	uint32_t low = 0, high = self->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (self->frames[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void wr_rendered_shrink(struct wr_rendered *self)
{
	if (self->bytes.capacity <= 2 * WR_RENDERED_BYTES)
		return;
	wr_buf_deinit(&self->bytes);
	self->count = 0;
}
