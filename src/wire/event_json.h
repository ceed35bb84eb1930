/*
 * event_json — core events as finished WebSocket frames (contract 3.3, 3.9; design 2-3).
 *
 * A frame is an unmasked, final text frame whose payload begins, always at the same place,
 *
 *	{"kind":"event","envelope":{"cursor":"<31>","event_id":"<31>",...
 *
 * and so the cursor of a frame can be replaced in place for the runtime-wide stream. Members:
 *cursor, event_id, worker_id, sequence, log_id, payload; of a runtime_event: cursor, event_id,
 *runtime_id, worker_id (string or null), sequence, log_id, payload.
 */
#ifndef WR_WIRE_EVENT_JSON_H
#define WR_WIRE_EVENT_JSON_H

#include "codec/json/writer.h"
#include "core/encoding.h"

/* The encoding that a server registers; needs no context. */
extern const struct wr_encoding wr_frame_encoding;

/* The protocol event {"event":NAME,"data":{...}} of an event that has one; false (nothing written)
 * for kinds that show nothing on a Worker's stream. Shared with snapshots and the Backend's
 * encoder. */
bool wr_protocol_event_json(struct wr_json_writer *writer, const struct wr_event *event);

/* RuntimeEvent (contract 5.5). */
void wr_runtime_event_json(struct wr_json_writer *writer, const struct wr_event *event,
			   const struct wr_identity *identity);

#endif
