/*
 * payload — the protocol event of an event of the log, as text.
 *
 * Only for what frames and snapshots are made of; everybody else has wr_protocol_event_json.
 */
#ifndef WR_WIRE_PAYLOAD_H
#define WR_WIRE_PAYLOAD_H

#include "bytes/buf.h"
#include "core/event.h"

#include <stdbool.h>

/* Whether a Worker's stream shows the event. */
bool wr_payload_is_shown(const struct wr_event *event);

/* Appends the protocol event of a shown one, without its opening bracket. */
void wr_payload_put(struct wr_buf *out, const struct wr_event *event);

#endif
