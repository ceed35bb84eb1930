/*
 * in_flight — the unfinished output of a turn, so that a snapshot taken in the middle of a message
 * shows the part that was already streamed.
 *
 * It is a convenience of snapshots, not a record: when memory is short, or a turn produces more
 * than WR_IN_FLIGHT_*, the oldest of it is forgotten. Nothing here can fail.
 */
#ifndef WR_CORE_IN_FLIGHT_H
#define WR_CORE_IN_FLIGHT_H

#include "core/event.h"

/* Takes a protocol event into account. *in_flight is made and freed as needed. */
void wr_in_flight_fold(struct wr_in_flight **in_flight, struct wr_allocator *allocator,
		       const struct wr_output *output);

/* Forgets everything: the turn is over. */
void wr_in_flight_clear(struct wr_in_flight **in_flight, struct wr_allocator *allocator);

#endif
