/* list — an intrusive doubly linked ring. The head is a node of its own; a node is in one list. */
#ifndef WR_CONTAINERS_LIST_H
#define WR_CONTAINERS_LIST_H

#include "check.h"

#include <stdbool.h>

struct wr_list {
	struct wr_list *next, *prev;
};

static inline void wr_list_init(struct wr_list *self)
{
	self->next = self->prev = self;
}

/* For a head: no nodes. For an initialised node: in no list. */
static inline bool wr_list_is_empty(const struct wr_list *self)
{
	return self->next == self;
}

/* Adds an unlinked node at the end. */
static inline void wr_list_push(struct wr_list *head, struct wr_list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Takes a node out of its list and leaves it initialised; harmless when it is in none. */
static inline void wr_list_remove(struct wr_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	wr_list_init(node);
}

#define wr_list_entry(node, type, member) wr_container_of(node, type, member)

/* `node` may be removed within the loop, its successor may not. */
#define wr_list_each(node, after, head)                                                \
	for (struct wr_list *node = (head)->next, *after = node->next; node != (head); \
	     node = after, after = node->next)

#endif
