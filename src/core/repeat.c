#include "core/repeat.h"

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
