/* dropped_json — the inputs that an end takes back, as a member of an object that has some already.
 */
#ifndef WR_WIRE_DROPPED_JSON_H
#define WR_WIRE_DROPPED_JSON_H

#include "core/input_queue.h"
#include "wire/append.h"

/* `,"dropped_inputs":[...]`: event ids, from a packed list, which may be absent. */
static inline void wr_append_dropped(struct wr_buf *out, struct wr_view dropped)
{
	const char *comma = "";
	uint64_t sequence;

	wr_append(out, WR_VIEW(",\"dropped_inputs\":["));
	while (wr_sequences_next(&dropped, &sequence)) {
		wr_append(out, wr_view_of_string(comma));
		wr_append_number(out, sequence);
		comma = ",";
	}
	wr_append(out, WR_VIEW("]"));
}

#endif
