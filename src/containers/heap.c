#include "containers/heap.h"

#include "check.h"

void wr_heap_init(struct wr_heap *self, struct wr_allocator *allocator)
{
	*self = (struct wr_heap){.allocator = allocator};
}

void wr_heap_deinit(struct wr_heap *self)
{
	wr_allocator_free(self->allocator, self->nodes, self->capacity * sizeof(self->nodes[0]));
	self->nodes = NULL;
	self->count = self->capacity = 0;
}

enum wr_status wr_heap_reserve(struct wr_heap *self, uint32_t count)
{
	struct wr_heap_node **nodes;

	if (count <= self->capacity)
		return WR_OK;
	if (count < 2 * self->capacity)
		count = 2 * self->capacity; /* callers reserve one more at a time */
	if (count < 8)
		count = 8;
	nodes = wr_allocator_resize(self->allocator, self->nodes,
				    self->capacity * sizeof(self->nodes[0]),
				    count * sizeof(self->nodes[0]));
	if (nodes == NULL)
		return WR_NO_MEMORY;
	self->nodes = nodes;
	self->capacity = count;
	return WR_OK;
}

static void put(struct wr_heap *self, uint32_t index, struct wr_heap_node *node)
{
	self->nodes[index] = node;
	node->place = index + 1;
}

static void sift_up(struct wr_heap *self, uint32_t index)
{
	struct wr_heap_node *node = self->nodes[index];

	while (index > 0) {
		uint32_t parent = (index - 1) / 2;
		if (self->nodes[parent]->key <= node->key)
			break;
		put(self, index, self->nodes[parent]);
		index = parent;
	}
	put(self, index, node);
}

static void sift_down(struct wr_heap *self, uint32_t index)
{
	struct wr_heap_node *node = self->nodes[index];

	for (;;) {
		uint32_t child = 2 * index + 1;
		if (child >= self->count)
			break;
		if (child + 1 < self->count &&
		    self->nodes[child + 1]->key < self->nodes[child]->key)
			child++;
		if (node->key <= self->nodes[child]->key)
			break;
		put(self, index, self->nodes[child]);
		index = child;
	}
	put(self, index, node);
}

enum wr_status wr_heap_push(struct wr_heap *self, struct wr_heap_node *node, uint64_t key)
{
	wr_assert(node->place == 0);
	if (wr_heap_reserve(self, self->count + 1) != WR_OK)
		return WR_NO_MEMORY;
	node->key = key;
	put(self, self->count++, node);
	sift_up(self, node->place - 1);
	return WR_OK;
}

void wr_heap_update(struct wr_heap *self, struct wr_heap_node *node, uint64_t key)
{
	bool is_earlier = key < node->key;

	wr_assert(node->place != 0 && self->nodes[node->place - 1] == node);
	node->key = key;
	if (is_earlier)
		sift_up(self, node->place - 1);
	else
		sift_down(self, node->place - 1);
}

void wr_heap_remove(struct wr_heap *self, struct wr_heap_node *node)
{
	uint32_t index = node->place - 1;
	struct wr_heap_node *last;

	if (node->place == 0)
		return;
	wr_assert(index < self->count && self->nodes[index] == node);
	node->place = 0;
	last = self->nodes[--self->count];
	if (last == node)
		return;
	put(self, index, last);
	sift_up(self, index);
	sift_down(self, last->place - 1);
}
