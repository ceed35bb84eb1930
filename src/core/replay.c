#include "core/replay.h"

#include "bytes/utf8.h"
#include "check.h"

static bool phase_fits(const struct wr_worker *worker, const struct wr_event *event)
{
	enum wr_phase from = (enum wr_phase)event->as.phase.from;
	enum wr_phase to = (enum wr_phase)event->as.phase.to;

	/* A replayed stop folds to STOPPED at once, its end was recorded later. */
	if (worker->now.status == WR_WORKER_STOPPED)
		return from == WR_PHASE_STOPPING && to == WR_PHASE_STOPPED;
	return worker->now.status == WR_WORKER_RUNNING && from == worker->now.phase &&
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
	if (event->as.input.waits_for_turn && worker->queue.tracked_count >= WR_QUEUE_TRACKED_MAX)
		return false;
	return !wr_utf8_is_blank(event->as.input.input.content) &&
	       event->as.input.transcript_sequence == worker->now.item_count + 1;
}

/* Of what is kept nothing is judged by rules that may have become stricter. */
static bool bundle_fits(const struct wr_runtime *self, const struct wr_event *event)
{
	const struct wr_config_bundle *bundle = &event->as.bundle;
	char digest[WR_CONFIG_DIGEST_BYTES];

	if (event->worker != 0 || self->is_stopped || !wr_config_bundle_id_is_valid(bundle->id))
		return false;
	wr_config_bundle_digest(bundle, digest);
	return wr_view_equal(bundle->digest, wr_view_of(digest, sizeof digest));
}

/* Commands to Workers and to the Runtime are told apart by what they are. */
static bool repeatable_fits(const struct wr_worker *worker, const struct wr_event *event)
{
	bool is_own = event->as.repeatable.operation == WR_OPERATION_STORE_BUNDLE;

	return is_own ? event->worker == 0 : worker != NULL;
}

/* A command whose key is still known is not done again: what was too old by then is gone. */
static bool key_fits(const struct wr_runtime *self, const struct wr_event *event)
{
	if (!event->has_key)
		return event->kind != WR_EVENT_REPEATABLE;
	if (event->kind == WR_EVENT_RUNTIME_STARTED || event->kind == WR_EVENT_RUNTIME_STOPPED ||
	    event->kind == WR_EVENT_PHASE_CHANGED || event->kind == WR_EVENT_OUTPUT)
		return false;
	return wr_keys_find(&self->keys, &event->key) == NULL;
}

/* Only what waits can be delivered or dropped, each once. */
static bool ends_of_inputs_fit(const struct wr_worker *worker, const struct wr_event *event)
{
	struct wr_view rest = wr_event_dropped(event);
	uint64_t sequence, before = event->delivered;

	if (event->delivered == 0 && rest.data == NULL)
		return true;
	if (worker == NULL || (event->delivered != 0 &&
			       wr_input_queue_find(&worker->queue, event->delivered) == NULL))
		return false;
	while (wr_sequences_next(&rest, &sequence)) {
		if (sequence <= before || wr_input_queue_find(&worker->queue, sequence) == NULL)
			return false;
		before = sequence;
	}
	return true;
}

bool wr_replay_fits(const struct wr_runtime *self, const struct wr_event *event)
{
	const struct wr_worker *worker = wr_catalog_at(&self->catalog, event->worker);
	bool is_running = worker != NULL && worker->now.status == WR_WORKER_RUNNING;

	if (!key_fits(self, event) || !ends_of_inputs_fit(worker, event))
		return false;
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
	case WR_EVENT_REPEATABLE:
		return repeatable_fits(worker, event);
	case WR_EVENT_BUNDLE_STORED:
		return bundle_fits(self, event);
	}
	wr_unreachable();
}
