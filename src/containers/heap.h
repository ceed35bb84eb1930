/*
 * heap — a binary min-heap of intrusive nodes keyed by u64: deadlines, shares of a budget.
 *
 * A node knows its place, so that its key can be changed or the node taken out in O(log n). For a
 * max-heap, key with ~value. The array of pointers is the heap's only memory.
 */
#ifndef WR_CONTAINERS_HEAP_H
#define WR_CONTAINERS_HEAP_H

#include "bytes/allocator.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* Embedded in what is ordered. Zero-initialised: in no heap. Private but for `key` (read). */
struct wr_heap_node {
	uint64_t key;
	uint32_t place; /* index + 1; 0: in no heap */
};

struct wr_heap {
	struct wr_heap_node **nodes;
	uint32_t count, capacity;
	struct wr_allocator *allocator;
};

void wr_heap_init(struct wr_heap *self, struct wr_allocator *allocator);
void wr_heap_deinit(struct wr_heap *self);

/* Makes room for `count` nodes in all, so that later pushes up to it cannot fail. WR_NO_MEMORY. */
enum wr_status wr_heap_reserve(struct wr_heap *self, uint32_t count);

/* Adds a node that is in no heap. WR_OK or WR_NO_MEMORY. */
enum wr_status wr_heap_push(struct wr_heap *self, struct wr_heap_node *node, uint64_t key);

/* Changes the key of a node that is in this heap. */
void wr_heap_update(struct wr_heap *self, struct wr_heap_node *node, uint64_t key);

/* Takes a node out; nothing when it is in no heap. */
void wr_heap_remove(struct wr_heap *self, struct wr_heap_node *node);

/* The node with the smallest key, or NULL. */
static inline struct wr_heap_node *wr_heap_first(const struct wr_heap *self)
{
	return self->count == 0 ? NULL : self->nodes[0];
}

static inline bool wr_heap_has(const struct wr_heap_node *node)
{
	return node->place != 0;
}

#endif
