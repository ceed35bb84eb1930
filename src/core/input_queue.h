/*
 * input_queue — inputs of one Worker between their record and their turn.
 *
 * An input is in here from the record that accepted it until a record says what became of it: it
 * was delivered (the next record of the Worker carries that), or it was dropped (a stop, a cancel
 * or an `interrupted` names it). A *tracked* one is known as waiting to the log as well, so that a
 * restart finds it again; the inputs of an execution without turns are not, they only wait here to
 * become visible. One of an earlier process is *left*: it has no content and is never delivered.
 *
 *	push -> set_delivered -> fold_delivered -> sweep
 *	    \-> fold_dropped, or drop_all ------/
 *
 * An entry stays after its end until that is visible, so that nobody is shown the end before. Only
 * making one takes memory; all else cannot fail.
 */
#ifndef WR_CORE_INPUT_QUEUE_H
#define WR_CORE_INPUT_QUEUE_H

#include "bytes/allocator.h"
#include "bytes/buf.h"
#include "core/command.h"
#include "core/execution.h"

struct wr_queued_input {
	struct wr_queued_input *next;
	uint64_t sequence; /* of the record that accepted it */
	uint64_t gone;	   /* of the record that told its end; 0: none has */
	uint32_t bytes;	   /* of content */
	uint8_t kind;	   /* enum wr_input_kind */
	bool is_tracked;
	bool is_left;
	bool is_admitted; /* the execution would have taken it at once */
	bool is_delivered;
	char content[]; /* not of one that is left */
};

struct wr_input_queue {
	struct wr_queued_input *first, *last;
	const struct wr_queued_input *lent; /* is being delivered */
	uint64_t delivered; /* newest tracked one that was, and no record says so yet; 0: none */
	uint32_t tracked_count;		   /* without an end */
	uint32_t left_count;		   /* likewise */
	struct wr_undelivered undelivered; /* those that can still be delivered */
	struct wr_undelivered queued;	   /* those of them that had to queue */
};

/* NULL without memory. Give it to push or free. */
struct wr_queued_input *wr_queued_input_new(struct wr_allocator *allocator,
					    const struct wr_input *input, bool is_tracked);
/* One that is left: what a log tells of it. */
struct wr_queued_input *wr_queued_input_new_left(struct wr_allocator *allocator,
						 enum wr_input_kind kind, uint32_t bytes);
void wr_queued_input_free(struct wr_allocator *allocator, struct wr_queued_input *input);

/* Takes a new one as the newest, accepted by the record `sequence`. */
void wr_input_queue_push(struct wr_input_queue *self, struct wr_queued_input *input,
			 uint64_t sequence);
/* The newest one was refused by the execution for now, and is in here all the same. */
void wr_input_queue_set_queued(struct wr_input_queue *self);

/* The oldest that can be delivered; NULL: none. */
struct wr_queued_input *wr_input_queue_next(const struct wr_input_queue *self);
/* It is given away. Unless a record has to tell that (`is_told_later`: of a tracked one of a Worker
 * that runs), it is at its end with that. */
void wr_input_queue_set_delivered(struct wr_input_queue *self, struct wr_queued_input *input,
				  bool is_told_later);

/* A tracked one without an end, by its sequence; NULL: none. */
const struct wr_queued_input *wr_input_queue_find(const struct wr_input_queue *self,
						  uint64_t sequence);
/* The record `sequence` tells that all tracked ones up to `delivered` were delivered; that those in
 * the packed list were dropped; that all that were not delivered are. */
void wr_input_queue_fold_delivered(struct wr_input_queue *self, uint64_t delivered,
				   uint64_t sequence);
void wr_input_queue_fold_dropped(struct wr_input_queue *self, struct wr_view dropped,
				 uint64_t sequence);
void wr_input_queue_drop_all(struct wr_input_queue *self, uint64_t sequence);

/* Frees those whose end is told by a record up to `shown`. */
void wr_input_queue_sweep_more(struct wr_input_queue *self, struct wr_allocator *allocator,
			       uint64_t shown);
static inline void wr_input_queue_sweep(struct wr_input_queue *self, struct wr_allocator *allocator,
					uint64_t shown)
{
	if (self->first != NULL)
		wr_input_queue_sweep_more(self, allocator, shown);
}
void wr_input_queue_deinit(struct wr_input_queue *self, struct wr_allocator *allocator);

/* Appends the sequences of all tracked ones that were not delivered, packed. Status of the buffer.
 */
enum wr_status wr_input_queue_name(const struct wr_input_queue *self, struct wr_buf *out);

/* One that waits for its turn as seen when `shown` is the newest visible record of the Worker: the
 * first behind `before` (NULL: of all); NULL: there is none. */
const struct wr_queued_input *wr_input_queue_shown(const struct wr_input_queue *self,
						   const struct wr_queued_input *before,
						   uint64_t shown);

/* ---- lists of sequences, packed: each a little-endian u64, ascending ---- */

enum { WR_PACKED_SEQUENCE_BYTES = 8 };

/* Takes the first off *rest. False at the end. */
bool wr_sequences_next(struct wr_view *rest, uint64_t *sequence);
static inline size_t wr_sequences_count(struct wr_view packed)
{
	return packed.bytes / WR_PACKED_SEQUENCE_BYTES;
}

#endif
