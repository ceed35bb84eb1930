#include "backend/embedded_worker.h"

#include "backend/embedded_refusal.h"
#include "check.h"

/* The contract's words for what a Worker is doing (8.6). */
static const char *status_of(const struct wr_worker *worker, const struct wr_face *face)
{
	if (worker->is_quarantined)
		return "errored";
	if (face->status != WR_WORKER_RUNNING)
		return wr_worker_status_name(face->status);
	switch (face->phase) {
	case WR_PHASE_STARTING:
	case WR_PHASE_BUSY:
	case WR_PHASE_WAITING: /* in the middle of a turn */
		return "running";
	case WR_PHASE_IDLE:
	case WR_PHASE_INTERRUPTED: /* the turn; the next input begins another */
		return "idle";
	case WR_PHASE_FAILED:
		return "errored";
	case WR_PHASE_STOPPING:
	case WR_PHASE_STOPPED:
		return "stopped";
	case WR_PHASE_CANCELLED:
		return "cancelled";
	}
	wr_unreachable();
}

static bool takes_input(const struct wr_face *face)
{
	return face->status == WR_WORKER_RUNNING &&
	       (face->phase == WR_PHASE_IDLE || face->phase == WR_PHASE_INTERRUPTED ||
		face->phase == WR_PHASE_FAILED);
}

static unsigned can_of(const struct wr_worker *worker, const struct wr_face *face)
{
	unsigned can = WR_CAN_STREAM | WR_CAN_TRANSCRIPT;

	if (worker->is_quarantined)
		return 0;
	if (takes_input(face) ||
	    (worker->busy.kind == WR_BUSY_QUEUE && face->status == WR_WORKER_RUNNING))
		can |= WR_CAN_INPUT;
	if (face->status == WR_WORKER_RUNNING)
		can |= WR_CAN_STOP;
	return can;
}

static uint64_t queued_count(const struct wr_worker *worker, const struct wr_face *face)
{
	const struct wr_queued_input *input = NULL;
	uint64_t count = 0;

	while ((input = wr_input_queue_shown(&worker->queue, input, face->last_sequence)) != NULL)
		count++;
	return count;
}

/* The text as it may be displayed; absent when nothing of it is left. */
static struct wr_view filter(struct wr_buf *out, struct wr_view text)
{
	size_t start = out->bytes;

	wr_display_append(out, text);
	return out->bytes == start ? WR_VIEW_NULL
				   : wr_view_of(out->data + start, out->bytes - start);
}

static struct wr_view role_of(const struct wr_create *request)
{
	switch (request->intent) {
	case WR_INTENT_ASSISTANT:
		return request->purpose.data != NULL ? request->purpose : WR_VIEW("assistant");
	case WR_INTENT_TASK:
		return request->objective;
	case WR_INTENT_ROLE:
		return request->role;
	}
	wr_unreachable();
}

void wr_embedded_worker_show(struct wr_worker_overview *out, struct wr_embedded_texts *texts,
			     const struct wr_worker *worker, const struct wr_face *face)
{
	const struct wr_create *request = &worker->request;
	struct wr_buf filtered;

	wr_buf_init_fixed(&filtered, texts->bytes, sizeof texts->bytes);
	*out = (struct wr_worker_overview){
		.worker_id = worker->id,
		.label = filter(&filtered, worker->id),
		.display_hint = WR_VIEW("embedded worker"),
		.role = filter(&filtered, role_of(request)),
		.state = wr_view_of_string(wr_worker_status_name(face->status)),
		.status = wr_view_of_string(status_of(worker, face)),
		.can = can_of(worker, face),
		.phase = wr_view_of_string(wr_phase_name(face->phase)),
		.last_event_id = face->last_event_id,
		.has_queue = worker->busy.kind == WR_BUSY_QUEUE,
		.queued_inputs = queued_count(worker, face),
	};
	out->profile = request->profile == WR_PROFILE_RUNTIME_DEFAULT
			       ? WR_VIEW("runtime_default")
			       : filter(&filtered, request->profile_value);
	wr_assert(wr_buf_status(&filtered) == WR_OK);
	if (worker->is_quarantined)
		wr_notices_add(&out->notices, WR_EMBEDDED_STORE_ERROR, WR_NOTICE_ERROR,
			       "records of this Worker are damaged");
	wr_notices_add(&out->notices, "embedded_runtime_projection", WR_NOTICE_INFO,
		       "a Worker of the Runtime inside the Backend, by its identity");
}
