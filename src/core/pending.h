/*
 * pending — what is recorded but not yet visible, in order: per record what the state was behind
 * it, and the record itself where showing it needs more than that.
 *
 * A queue of bytes in blocks that never move, so that an entry may be looked at while others are
 * pushed. Memory is taken by reserve, before the record is appended, and given back when the queue
 * is empty.
 */
#ifndef WR_CORE_PENDING_H
#define WR_CORE_PENDING_H

#include "core/event.h"

struct wr_pending_entry {
	uint64_t sequence;
	uint64_t diagnostic_count;
	struct wr_face face; /* of the Worker */
	uint32_t worker;     /* number, 0: the Runtime itself */
	uint32_t record_bytes;
	uint8_t kind; /* enum wr_event_kind */
};

struct wr_pending_block;

struct wr_pending {
	struct wr_allocator *allocator;
	struct wr_pending_block *first, *last;
};

void wr_pending_init(struct wr_pending *self, struct wr_allocator *allocator);
void wr_pending_deinit(struct wr_pending *self);

/* Room for one entry with a record of this size, so that push cannot fail. WR_OK or WR_NO_MEMORY.
 */
enum wr_status wr_pending_reserve(struct wr_pending *self, size_t record_bytes);
/* Adds a copy of the entry and `record`, whose size it takes over. */
void wr_pending_push(struct wr_pending *self, const struct wr_pending_entry *entry,
		     struct wr_view record);

/* The oldest entry, until pop; NULL: none. */
const struct wr_pending_entry *wr_pending_first(const struct wr_pending *self);
/* The record of an entry that is still in the queue. */
struct wr_view wr_pending_record(const struct wr_pending_entry *entry);
void wr_pending_pop(struct wr_pending *self);
/* Gives back memory that was reserved for what then was not recorded. */
void wr_pending_trim(struct wr_pending *self);

#endif
