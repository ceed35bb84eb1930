#include "core/repeat.h"

#include "check.h"
#include "core/commit.h"

#include <string.h>

enum wr_status wr_repeat_find(struct wr_runtime *self, const struct wr_kept_key **out,
			      const struct wr_key *key, enum wr_operation operation)
{
	const struct wr_kept_key *kept;

	*out = NULL;
	wr_keys_expire(&self->keys, wr_uptime_s(self));
	kept = wr_keys_find(&self->keys, key);
	if (kept == NULL)
		return WR_OK;
	if (kept->operation != operation ||
	    memcmp(kept->key.fingerprint, key->fingerprint, WR_KEY_BYTES) != 0)
		return WR_MISMATCH;
	*out = kept;
	return WR_OK;
}

enum wr_status wr_repeat_ack(struct wr_runtime *self, struct wr_view worker_id,
			     const struct wr_key *key, enum wr_operation operation,
			     struct wr_ack *ack, bool *is_repeat)
{
	const struct wr_kept_key *kept;
	enum wr_status status;

	*is_repeat = false;
	status = wr_repeat_find(self, &kept, key, operation);
	if (status != WR_OK || kept == NULL)
		return status;
	if (!wr_view_equal(wr_catalog_at(&self->catalog, kept->worker)->id, worker_id))
		return WR_MISMATCH;
	*is_repeat = true;
	*ack = (struct wr_ack){
		.status = (enum wr_worker_status)kept->status,
		.event_id = kept->event_id,
		.transcript_sequence = kept->transcript_sequence,
		.is_repeat = true,
	};
	if (ack->status != WR_WORKER_RUNNING)
		ack->dropped = wr_catalog_at(&self->catalog, kept->worker)->dropped;
	return WR_OK;
}

void wr_repeat_attach(const struct wr_runtime *self, struct wr_event *event,
		      const struct wr_key *key)
{
	event->has_key = true;
	event->key = *key;
	event->uptime_s = wr_uptime_s(self);
}

enum wr_status wr_repeat_keep(struct wr_runtime *self, const struct wr_worker *worker,
			      const struct wr_key *key, enum wr_operation operation,
			      const struct wr_ack *ack)
{
	struct wr_event event = {.kind = WR_EVENT_REPEATABLE,
				 .worker = worker == NULL ? 0 : worker->number};

	wr_repeat_attach(self, &event, key);
	event.as.repeatable.operation = (uint8_t)operation;
	event.as.repeatable.status = (uint8_t)ack->status;
	event.as.repeatable.event_id = ack->event_id;
	return wr_commit(self, &event);
}

/* ---- folding ---- */

static enum wr_operation operation_of(const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_WORKER_CREATED:
		return WR_OPERATION_CREATE;
	case WR_EVENT_INPUT_ACCEPTED:
		return WR_OPERATION_INPUT;
	case WR_EVENT_WORKER_STOPPED:
		return WR_OPERATION_STOP;
	case WR_EVENT_WORKER_CANCELLED:
		return WR_OPERATION_CANCEL;
	case WR_EVENT_REPEATABLE:
		return (enum wr_operation)event->as.repeatable.operation;
	case WR_EVENT_BUNDLE_STORED:
		return WR_OPERATION_STORE_BUNDLE;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_PHASE_CHANGED:
	case WR_EVENT_OUTPUT:
		break;
	}
	wr_unreachable();
}

void wr_repeat_fold(struct wr_runtime *self, const struct wr_worker *worker,
		    const struct wr_event *event)
{
	struct wr_kept_key kept = {
		.key = event->key,
		.event_id = event->sequence,
		.worker = event->worker,
		.uptime_s = event->uptime_s,
		.operation = (uint8_t)operation_of(event),
		.status = (uint8_t)(worker == NULL ? WR_WORKER_RUNNING : worker->now.status),
	};

	if (event->kind == WR_EVENT_INPUT_ACCEPTED)
		kept.transcript_sequence = event->as.input.transcript_sequence;
	if (event->kind == WR_EVENT_REPEATABLE) {
		kept.event_id = event->as.repeatable.event_id;
		kept.status = event->as.repeatable.status;
	}
	if (self->is_replaying && event->uptime_s > self->uptime_s)
		self->uptime_s = event->uptime_s;
	wr_keys_expire(&self->keys, event->uptime_s);
	wr_keys_add(&self->keys, &kept);
}
