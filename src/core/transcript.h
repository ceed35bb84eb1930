/*
 * transcript — what was said, per Worker: items numbered from 1, the oldest going first.
 *
 * Numbers never change: `total` counts all items ever, `first` is the index of the first kept one.
 * The budget is bytes per Worker and over all Workers; over the total the oldest items go from the
 * Worker with the most, never below one newest item.
 *
 * Items lie behind each other in chunks, as large as what the Worker has said before, up to some
 * KiB: few of them are allocated, and one who has said little takes little.
 */
#ifndef WR_CORE_TRANSCRIPT_H
#define WR_CORE_TRANSCRIPT_H

#include "bytes/allocator.h"
#include "bytes/view.h"
#include "containers/heap.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_role { WR_ROLE_USER, WR_ROLE_SYSTEM, WR_ROLE_ASSISTANT };

struct wr_transcript_item {
	uint64_t event_id;
	int64_t wall_ms;
	uint32_t place; /* in its chunk; private */
	uint32_t bytes;
	uint8_t role;  /* enum wr_role */
	bool is_error; /* what an `error` event says, not what anybody said */
	char content[];
};

struct wr_transcript {
	struct wr_transcript_item **ring;
	uint32_t ring_capacity; /* a power of two */
	uint64_t first, total;	/* indices: items first..total-1 are kept */
	uint64_t bytes;
	struct wr_transcript_chunk *chunk; /* where the next item goes, or NULL */
	struct wr_heap_node share;
};

/* What all transcripts together may hold. */
struct wr_transcript_budget {
	struct wr_allocator *allocator;
	uint64_t worker_bytes_max, bytes_max;
	uint64_t bytes;
	struct wr_heap shares;
};

void wr_transcript_budget_init(struct wr_transcript_budget *self, struct wr_allocator *allocator,
			       uint64_t worker_bytes_max, uint64_t bytes_max);
void wr_transcript_budget_deinit(struct wr_transcript_budget *self);

void wr_transcript_init(struct wr_transcript *self);
/* Of a transcript that has no items: the first `total` are kept elsewhere. */
void wr_transcript_begin_at(struct wr_transcript *self, uint64_t total);
void wr_transcript_deinit(struct wr_transcript *self, struct wr_transcript_budget *budget);

/* An item with content copied, and room for it in the ring: so that append cannot fail. NULL when
 * there is no memory. Give it to append or discard. */
struct wr_transcript_item *wr_transcript_prepare(struct wr_transcript *self,
						 struct wr_transcript_budget *budget,
						 enum wr_role role, struct wr_view content);
void wr_transcript_discard(struct wr_transcript_budget *budget, struct wr_transcript_item *item);
/* Takes a prepared item as the newest, then applies the budget. */
void wr_transcript_append(struct wr_transcript *self, struct wr_transcript_budget *budget,
			  struct wr_transcript_item *item);

/* The item at an index (from 0), lent until the next append; NULL when it is not kept. */
const struct wr_transcript_item *wr_transcript_at(const struct wr_transcript *self, uint64_t index);

const char *wr_role_name(enum wr_role role);

#endif
