#include "core/event.h"

#include "check.h"

const char *wr_phase_protocol_status(enum wr_phase phase)
{
	switch (phase) {
	case WR_PHASE_STARTING:
	case WR_PHASE_BUSY:
		return "running";
	case WR_PHASE_IDLE:
	case WR_PHASE_FAILED:
	case WR_PHASE_INTERRUPTED:
		return "idle";
	case WR_PHASE_WAITING:
		return "paused";
	case WR_PHASE_STOPPING: /* the stop itself is shown, as `shutdown` */
	case WR_PHASE_STOPPED:
	case WR_PHASE_CANCELLED:
		return NULL;
	}
	wr_unreachable();
}

struct wr_view wr_event_dropped(const struct wr_event *event)
{
	if (event->kind == WR_EVENT_PHASE_CHANGED)
		return event->as.phase.dropped;
	if (event->kind == WR_EVENT_WORKER_STOPPED || event->kind == WR_EVENT_WORKER_CANCELLED)
		return event->as.ended.dropped;
	return WR_VIEW_NULL;
}

const char *wr_event_runtime_name(enum wr_event_kind kind)
{
	switch (kind) {
	case WR_EVENT_RUNTIME_STARTED:
		return "runtime_started";
	case WR_EVENT_RUNTIME_STOPPED:
		return "runtime_stopped";
	case WR_EVENT_WORKER_CREATED:
		return "worker_created";
	case WR_EVENT_INPUT_ACCEPTED:
		return "worker_input_accepted";
	case WR_EVENT_WORKER_STOPPED:
		return "worker_stopped";
	case WR_EVENT_WORKER_CANCELLED:
		return "worker_cancelled";
	case WR_EVENT_PHASE_CHANGED:
	case WR_EVENT_OUTPUT:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		return NULL;
	}
	wr_unreachable();
}

struct wr_view wr_event_message(const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
		return WR_VIEW("runtime started");
	case WR_EVENT_RUNTIME_STOPPED:
		return WR_VIEW("runtime stopped");
	case WR_EVENT_WORKER_CREATED:
		return WR_VIEW("worker created");
	case WR_EVENT_INPUT_ACCEPTED:
		return WR_VIEW("worker input accepted");
	case WR_EVENT_WORKER_STOPPED:
		return event->as.ended.reason.data != NULL ? event->as.ended.reason
							   : WR_VIEW("worker stopped");
	case WR_EVENT_WORKER_CANCELLED:
		return event->as.ended.reason.data != NULL ? event->as.ended.reason
							   : WR_VIEW("worker cancelled");
	case WR_EVENT_PHASE_CHANGED:
	case WR_EVENT_OUTPUT:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		return WR_VIEW_NULL;
	}
	wr_unreachable();
}
