#include "core/replay.h"

#include "bytes/utf8.h"
#include "check.h"

static bool phase_fits(const struct wr_worker *worker, const struct wr_event *event)
{
	enum wr_phase from = (enum wr_phase)event->as.phase.from;
	enum wr_phase to = (enum wr_phase)event->as.phase.to;

	/* A replayed stop folds to STOPPED at once, its end was recorded later. */
	if (worker->status == WR_WORKER_STOPPED)
		return from == WR_PHASE_STOPPING && to == WR_PHASE_STOPPED;
	return worker->status == WR_WORKER_RUNNING && from == worker->phase &&
	       wr_phase_allows(from, to) && !wr_phase_is_end(to);
}

static bool created_fits(const struct wr_runtime *self, const struct wr_event *event)
{
	struct wr_view id = event->as.created.worker_id;

	return !self->is_stopped && event->worker == self->catalog.count + 1 &&
	       !wr_utf8_is_blank(id) && wr_catalog_find(&self->catalog, id) == NULL;
}

static bool input_fits(const struct wr_worker *worker, const struct wr_event *event)
{
	return !wr_utf8_is_blank(event->as.input.input.content) &&
	       event->as.input.transcript_sequence == worker->transcript.total + 1;
}

bool wr_replay_fits(const struct wr_runtime *self, const struct wr_event *event)
{
	const struct wr_worker *worker = wr_catalog_at(&self->catalog, event->worker);
	bool is_running = worker != NULL && worker->status == WR_WORKER_RUNNING;

	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
		return event->worker == 0 && self->log.last_sequence == 0;
	case WR_EVENT_RUNTIME_STOPPED:
		return event->worker == 0 && !self->is_stopped;
	case WR_EVENT_WORKER_CREATED:
		return created_fits(self, event);
	case WR_EVENT_INPUT_ACCEPTED:
		return is_running && input_fits(worker, event);
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		return is_running;
	case WR_EVENT_PHASE_CHANGED:
		return worker != NULL && phase_fits(worker, event);
	case WR_EVENT_OUTPUT:
		return worker != NULL;
	}
	wr_unreachable();
}
