#include "core/pending.h"

#include "check.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

enum { BLOCK_BYTES = 16384 };

struct wr_pending_block {
	struct wr_pending_block *next;
	size_t capacity; /* of data */
	size_t begin, end;
	alignas(struct wr_pending_entry) char data[];
};

void wr_pending_init(struct wr_pending *self, struct wr_allocator *allocator)
{
	*self = (struct wr_pending){.allocator = allocator};
}

static void free_first(struct wr_pending *self)
{
	struct wr_pending_block *block = self->first;

	self->first = block->next;
	if (self->first == NULL)
		self->last = NULL;
	wr_allocator_free(self->allocator, block, sizeof *block + block->capacity);
}

void wr_pending_deinit(struct wr_pending *self)
{
	while (self->first != NULL)
		free_first(self);
}

/* Of an entry with its record, so that the next one is aligned, too. */
static size_t entry_bytes(size_t record_bytes)
{
	const size_t unit = alignof(struct wr_pending_entry);

	return sizeof(struct wr_pending_entry) + (record_bytes + unit - 1) / unit * unit;
}

enum wr_status wr_pending_reserve(struct wr_pending *self, size_t record_bytes)
{
	size_t bytes = entry_bytes(record_bytes);
	size_t capacity = bytes > BLOCK_BYTES ? bytes : (size_t)BLOCK_BYTES;
	struct wr_pending_block *block = self->last;

	if (block != NULL && block->capacity - block->end >= bytes)
		return WR_OK;
	block = wr_allocator_take(self->allocator, sizeof *block + capacity);
	if (block == NULL)
		return WR_NO_MEMORY;
	*block = (struct wr_pending_block){.capacity = capacity};
	if (self->last == NULL)
		self->first = block;
	else
		self->last->next = block;
	self->last = block;
	return WR_OK;
}

void wr_pending_push(struct wr_pending *self, const struct wr_pending_entry *entry,
		     struct wr_view record)
{
	struct wr_pending_block *block = self->last;
	struct wr_pending_entry copy = *entry;
	size_t bytes = entry_bytes(record.bytes);

	wr_assert(block != NULL && block->capacity - block->end >= bytes);
	copy.record_bytes = (uint32_t)record.bytes;
	memcpy(block->data + block->end, &copy, sizeof copy);
	if (record.bytes != 0)
		memcpy(block->data + block->end + sizeof copy, record.data, record.bytes);
	block->end += bytes;
}

/* The first block that has an entry; blocks may be empty when what they were reserved for did not
 * happen. */
static struct wr_pending_block *first_filled(const struct wr_pending *self)
{
	struct wr_pending_block *block = self->first;

	while (block != NULL && block->begin == block->end)
		block = block->next;
	return block;
}

static const struct wr_pending_entry *entry_in(const struct wr_pending_block *block)
{
	return (const struct wr_pending_entry *)(const void *)(block->data + block->begin);
}

const struct wr_pending_entry *wr_pending_first(const struct wr_pending *self)
{
	const struct wr_pending_block *block = first_filled(self);

	return block == NULL ? NULL : entry_in(block);
}

struct wr_view wr_pending_record(const struct wr_pending_entry *entry)
{
	return wr_view_of((const char *)entry + sizeof *entry, entry->record_bytes);
}

void wr_pending_pop(struct wr_pending *self)
{
	struct wr_pending_block *block = first_filled(self);

	wr_assert(block != NULL);
	block->begin += entry_bytes(entry_in(block)->record_bytes);
	wr_pending_trim(self);
}

void wr_pending_trim(struct wr_pending *self)
{
	while (self->first != NULL && self->first->begin == self->first->end)
		free_first(self);
}
