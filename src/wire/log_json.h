/*
 * log_json — an event of the log as one JSON object, for people and tools that look into a log:
 *
 *	{"sequence":3,"worker":"worker-00000001","time":1782400000000,
 *	 "kind":"worker_input_accepted","transcript_sequence":1,
 *	 "input":{"kind":"user","content":"hello"}}
 *
 * `time` is milliseconds since the epoch. Members by kind: of a created Worker what was asked for;
 *of an end its reason; of a phase from, to, cause; of output the protocol event (contract 4); of a
 * key's use the operation, and what it was answered. `key` is there when the command had one.
 */
#ifndef WR_WIRE_LOG_JSON_H
#define WR_WIRE_LOG_JSON_H

#include "bytes/buf.h"
#include "core/event.h"

/* Appends the object. `worker_id` absent: none, or not known; then `worker_number` tells which. */
void wr_log_event_json(struct wr_buf *out, const struct wr_event *event, struct wr_view worker_id);

#endif
