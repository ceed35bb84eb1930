/* frames — what the streams show of an event: core/event.h has the table. */
#ifndef WR_CORE_FRAMES_H
#define WR_CORE_FRAMES_H

#include "core/state.h"

/* Whether the Worker's stream may show it. */
static inline bool wr_frames_has_worker(const struct wr_event *event)
{
	return event->worker != 0 && event->kind != WR_EVENT_WORKER_CREATED &&
	       event->kind != WR_EVENT_REPEATABLE;
}

/* Whether the runtime-wide stream has a frame of its own for it, else it shows the Worker's. What
 * has a runtime event shows that, except for inputs: there both streams show the message itself. */
static inline bool wr_frames_has_own(const struct wr_event *event)
{
	return event->kind != WR_EVENT_INPUT_ACCEPTED && wr_event_runtime_name(event->kind) != NULL;
}

/* Encodes what a stream of this scope shows of the event, with cursors of this generation, into
 * `out`, which is reset; nothing when it shows nothing. Status of the encoding. */
enum wr_status wr_frames_encode(struct wr_runtime *self, struct wr_buf *out,
				const struct wr_event *event, struct wr_view worker_id,
				enum wr_scope scope, uint32_t generation);

/* Empties a scratch buffer; one huge event must not stay for ever. */
void wr_scratch_reset(struct wr_buf *buf);

#endif
