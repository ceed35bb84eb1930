/* What is asked of a Runtime: each command decides, then appends one record. */
#include "core/commit.h"

#include "bytes/hex.h"
#include "bytes/utf8.h"
#include "check.h"
#include "core/delivery.h"
#include "core/open.h"
#include "core/repeat.h"
#include "core/visibility.h"

#include <string.h>

static enum wr_status refuse(struct wr_error *error, enum wr_status status, const char *detail)
{
	*error = (struct wr_error){.status = status, .detail = detail};
	return status;
}

/* ---- create ---- */

static size_t content_bytes(const struct wr_create *request)
{
	return request->objective.bytes + request->role.bytes + request->purpose.bytes +
	       request->profile_value.bytes + request->config_bundle_id.bytes +
	       request->config_bundle_digest.bytes + request->capabilities.packed.bytes +
	       request->workspace_refs.packed.bytes + request->mount_refs.packed.bytes;
}

/* An id stands in paths, lists and logs. */
static const char *judge_worker_id(struct wr_view id)
{
	if (id.bytes > WR_ID_BYTES_MAX)
		return "worker_id over 120 bytes";
	if (!wr_utf8_is_valid(id) || wr_utf8_is_blank(id))
		return "worker_id must not be blank";
	if (wr_view_equal(id, WR_VIEW(".")) || wr_view_equal(id, WR_VIEW("..")))
		return "worker_id must not be a relative path";
	for (size_t i = 0; i < id.bytes; i++)
		if ((unsigned char)id.data[i] < 0x20 || id.data[i] == 0x7f || id.data[i] == '/')
			return "worker_id must not have control characters or slashes";
	return NULL;
}

static enum wr_status check_create(const struct wr_create *request, struct wr_error *error)
{
	struct wr_view rest = request->capabilities.packed, name, reason;
	const char *detail;

	if (request->intent == WR_INTENT_TASK && wr_utf8_is_blank(request->objective))
		return refuse(error, WR_INVALID, "task objective must not be blank");
	while (wr_pairs_next(&rest, &name, &reason))
		if (wr_utf8_is_blank(name))
			return refuse(error, WR_INVALID, "capability name must not be blank");
	if (!wr_pairs_are_whole(&request->capabilities) ||
	    !wr_pairs_are_whole(&request->workspace_refs) ||
	    !wr_pairs_are_whole(&request->mount_refs))
		return refuse(error, WR_INVALID, "damaged list of pairs");
	if (request->busy.inputs_max > WR_QUEUE_INPUTS_MAX ||
	    (request->busy.kind == WR_BUSY_QUEUE) != (request->busy.inputs_max != 0))
		return refuse(error, WR_INVALID, "busy policy: a queue is for 1 to 256 inputs");
	if (content_bytes(request) > WR_EVENT_BYTES_MAX)
		return refuse(error, WR_TOO_LARGE, "create request over 1 MiB");
	detail = request->worker_id.data == NULL ? NULL : judge_worker_id(request->worker_id);
	return detail == NULL ? WR_OK : refuse(error, WR_INVALID, detail);
}

static bool is_same_text(struct wr_view a, struct wr_view b)
{
	if (a.data == NULL || b.data == NULL)
		return a.data == b.data;
	return wr_view_equal(a, b);
}

static bool is_same_list(const struct wr_pairs *a, const struct wr_pairs *b)
{
	return a->count == b->count && wr_view_equal(a->packed, b->packed);
}

static bool is_same_request(const struct wr_create *a, const struct wr_create *b)
{
	return a->intent == b->intent && a->profile == b->profile &&
	       is_same_text(a->objective, b->objective) && is_same_text(a->role, b->role) &&
	       is_same_text(a->purpose, b->purpose) &&
	       is_same_text(a->profile_value, b->profile_value) &&
	       is_same_text(a->config_bundle_id, b->config_bundle_id) &&
	       is_same_text(a->config_bundle_digest, b->config_bundle_digest) &&
	       is_same_list(&a->capabilities, &b->capabilities) &&
	       is_same_list(&a->workspace_refs, &b->workspace_refs) &&
	       is_same_list(&a->mount_refs, &b->mount_refs) && a->busy.kind == b->busy.kind &&
	       a->busy.inputs_max == b->busy.inputs_max;
}

/* A create that names the id of a Worker that is there. */
static enum wr_status create_again(struct wr_runtime *self, const struct wr_create *request,
				   const struct wr_key *key, struct wr_worker *worker,
				   struct wr_error *error)
{
	const struct wr_ack ack = {.status = WR_WORKER_RUNNING,
				   .event_id = worker->created_sequence};
	enum wr_status status = WR_OK;

	if (worker->is_quarantined)
		return refuse(error, WR_CORRUPT, NULL);
	if (!is_same_request(request, &worker->request))
		return refuse(error, WR_EXISTS, NULL);
	if (key != NULL)
		status = wr_repeat_keep(self, worker, key, WR_OPERATION_CREATE, &ack);
	return status == WR_OK ? WR_OK : refuse(error, status, NULL);
}

/* "worker-" and eight hex digits: of its number, unless a client has chosen just that. */
static struct wr_view make_worker_id(const struct wr_runtime *self, char out[24], uint32_t number)
{
	struct wr_view id = {out, 15};

	do {
		uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
				    (uint8_t)(number >> 8), (uint8_t)number};
		memcpy(out, "worker-", 7);
		wr_hex_write(out + 7, bytes, sizeof bytes);
		number++;
	} while (wr_catalog_find(&self->catalog, id) != NULL);
	return id;
}

/* What the bundle says that the request names by its digest (contract 9). */
static enum wr_status check_bundle(const struct wr_runtime *self, const struct wr_create *request,
				   struct wr_error *error)
{
	const struct wr_bundle *bundle;

	if (request->config_bundle_digest.data == NULL)
		return WR_OK;
	bundle = wr_bundles_find(&self->bundles, request->config_bundle_id);
	if (bundle == NULL)
		return refuse(error, WR_NO_BUNDLE, NULL);
	if (!wr_view_equal(bundle->value.digest, request->config_bundle_digest))
		return refuse(error, WR_DIGEST_MISMATCH, NULL);
	if (!wr_config_bundle_declares(&bundle->value, request->profile, request->profile_value))
		return refuse(error, WR_NOT_FOUND,
			      "the config bundle does not declare this profile");
	return WR_OK;
}

static enum wr_status create_new(struct wr_runtime *self, const struct wr_create *request,
				 const struct wr_key *key, struct wr_error *error)
{
	uint32_t number = self->catalog.count + 1;
	char id[24];
	struct wr_event event = {.kind = WR_EVENT_WORKER_CREATED, .worker = number};
	struct wr_worker *worker;
	enum wr_status status;

	status = check_bundle(self, request, error);
	if (status != WR_OK)
		return status;
	if (self->catalog.count >= self->config.worker_count_max)
		return refuse(error, WR_FULL, "worker limit");
	if (key != NULL)
		wr_repeat_attach(self, &event, key);
	event.as.created.worker_id = request->worker_id.data != NULL
					     ? request->worker_id
					     : make_worker_id(self, id, number);
	event.as.created.request = *request;
	status = wr_commit(self, &event);
	if (status == WR_INVALID)
		return refuse(error, WR_NOT_FOUND,
			      "no such profile: use runtime_default, or one that the Runtime is "
			      "configured with");
	if (status != WR_OK)
		return refuse(error, status, NULL);
	worker = wr_catalog_at(&self->catalog, number);
	if (worker->execution.ops != NULL && !wr_has_store(self))
		wr_execution_note(worker, WR_EXECUTION_SPAWN, WR_EXECUTION_ACCEPTED,
				  event.sequence);
	return WR_OK;
}

enum wr_status wr_runtime_create(struct wr_runtime *self, const struct wr_create *request,
				 const struct wr_key *key, const struct wr_worker **out,
				 struct wr_error *error)
{
	const struct wr_kept_key *kept = NULL;
	struct wr_worker *worker = NULL;
	enum wr_status status = WR_OK;

	*error = (struct wr_error){.status = WR_OK};
	if (key != NULL)
		status = wr_repeat_find(self, &kept, key, WR_OPERATION_CREATE);
	if (status != WR_OK)
		return refuse(error, status, NULL);
	if (kept != NULL) {
		*out = wr_catalog_at(&self->catalog, kept->worker);
		return WR_OK;
	}
	if (self->is_stopped)
		return refuse(error, WR_STOPPED, NULL);
	status = check_create(request, error);
	if (status != WR_OK)
		return status;
	if (request->worker_id.data != NULL)
		worker = wr_catalog_find(&self->catalog, request->worker_id);
	if (worker != NULL) {
		status = create_again(self, request, key, worker, error);
	} else {
		status = create_new(self, request, key, error);
		worker = wr_catalog_at(&self->catalog, self->catalog.count);
	}
	if (status == WR_OK)
		*out = worker;
	return status;
}

/* ---- input ---- */

static void fill_ack(const struct wr_worker *worker, struct wr_ack *ack)
{
	*ack = (struct wr_ack){.status = worker->now.status,
			       .event_id = worker->now.last_event_id,
			       .dropped = worker->dropped};
}

enum wr_status wr_runtime_input(struct wr_runtime *self, struct wr_view worker_id,
				const struct wr_input *input, const struct wr_key *key,
				struct wr_ack *ack, struct wr_error *error)
{
	struct wr_event event; /* not zeroed as a whole: it is large, and this path is hot */
	struct wr_worker *worker;
	enum wr_status status;
	bool is_repeat, is_admitted = false;

	*error = (struct wr_error){.status = WR_OK};
	if (WR_UNLIKELY(key != NULL)) {
		status = wr_repeat_ack(self, worker_id, key, WR_OPERATION_INPUT, ack, &is_repeat);
		if (status != WR_OK || is_repeat)
			return refuse(error, status, NULL);
	}
	if (self->is_stopped)
		return refuse(error, WR_STOPPED, NULL);
	if (wr_utf8_is_blank(input->content))
		return refuse(error, WR_INVALID, "content must not be blank");
	if (input->content.bytes > WR_EVENT_BYTES_MAX)
		return refuse(error, WR_TOO_LARGE, "content over 1 MiB");
	worker = wr_catalog_find(&self->catalog, worker_id);
	if (worker == NULL)
		return refuse(error, WR_NOT_FOUND, NULL);
	if (worker->is_quarantined)
		return refuse(error, WR_CORRUPT, NULL);
	if (worker->now.status != WR_WORKER_RUNNING)
		return refuse(error, WR_CONFLICT, NULL);
	/* What an earlier process has left comes first. */
	status = worker->queue.left_count == 0 ? WR_OK : wr_open_interrupt(self, worker);
	if (status == WR_OK)
		status = wr_delivery_admit(self, worker, input, &is_admitted);
	if (status != WR_OK)
		return refuse(error, status, NULL);
	event.kind = WR_EVENT_INPUT_ACCEPTED;
	event.worker = worker->number;
	event.has_key = false;
	if (WR_UNLIKELY(key != NULL))
		wr_repeat_attach(self, &event, key);
	event.as.input.input = *input;
	event.as.input.transcript_sequence = worker->now.item_count + 1;
	event.as.input.waits_for_turn = worker->execution.has_turns;
	status = wr_commit(self, &event);
	if (status != WR_OK)
		return refuse(error, status, NULL);
	fill_ack(worker, ack);
	ack->transcript_sequence = event.as.input.transcript_sequence;
	wr_delivery_accepted(self, worker, input, event.sequence, is_admitted);
	return WR_OK;
}

/* ---- stop, cancel, interrupt ---- */

static enum wr_status end_running(struct wr_runtime *self, struct wr_worker *worker,
				  enum wr_event_kind kind, struct wr_view reason,
				  const struct wr_key *key)
{
	struct wr_event event = {.kind = kind, .worker = worker->number};
	enum wr_status status;

	if (key != NULL)
		wr_repeat_attach(self, &event, key);
	status = wr_delivery_name_dropped(self, worker, kind, &event.as.ended.dropped);
	if (status != WR_OK)
		return status;
	event.as.ended.reason = reason;
	event.as.ended.is_execution_live =
		worker->is_execution_live ||
		(event.as.ended.dropped.data == NULL && worker->queue.undelivered.count != 0);
	return wr_commit(self, &event);
}

static enum wr_status end_worker(struct wr_runtime *self, struct wr_view worker_id,
				 enum wr_event_kind kind, struct wr_view reason,
				 const struct wr_key *key, struct wr_ack *ack)
{
	enum wr_operation operation =
		kind == WR_EVENT_WORKER_STOPPED ? WR_OPERATION_STOP : WR_OPERATION_CANCEL;
	struct wr_worker *worker;
	enum wr_status status = WR_OK;
	bool is_repeat = false;

	if (key != NULL)
		status = wr_repeat_ack(self, worker_id, key, operation, ack, &is_repeat);
	if (status != WR_OK || is_repeat)
		return status;
	if (self->is_stopped)
		return WR_STOPPED;
	if (reason.bytes > WR_EVENT_BYTES_MAX)
		return WR_TOO_LARGE;
	worker = wr_catalog_find(&self->catalog, worker_id);
	if (worker == NULL)
		return WR_NOT_FOUND;
	if (worker->is_quarantined)
		return WR_CORRUPT;
	if (worker->now.status != WR_WORKER_RUNNING) {
		/* Terminal: the first end wins, again and again. */
		fill_ack(worker, ack);
		return key == NULL ? WR_OK : wr_repeat_keep(self, worker, key, operation, ack);
	}
	status = end_running(self, worker, kind, reason, key);
	if (status != WR_OK)
		return status;
	fill_ack(worker, ack);
	/* A stop takes its turn behind the inputs before it; a cancel waits for nothing. */
	if (!wr_has_store(self) || kind == WR_EVENT_WORKER_CANCELLED)
		wr_execution_end(worker);
	return WR_OK;
}

enum wr_status wr_runtime_stop_worker(struct wr_runtime *self, struct wr_view worker_id,
				      struct wr_view reason, const struct wr_key *key,
				      struct wr_ack *ack)
{
	return end_worker(self, worker_id, WR_EVENT_WORKER_STOPPED, reason, key, ack);
}

enum wr_status wr_runtime_cancel_worker(struct wr_runtime *self, struct wr_view worker_id,
					struct wr_view reason, const struct wr_key *key,
					struct wr_ack *ack)
{
	return end_worker(self, worker_id, WR_EVENT_WORKER_CANCELLED, reason, key, ack);
}

enum wr_status wr_runtime_interrupt(struct wr_runtime *self, struct wr_view worker_id,
				    const struct wr_key *key, struct wr_ack *ack)
{
	const struct wr_execution *execution;
	struct wr_worker *worker;
	enum wr_status status = WR_OK;
	bool is_repeat = false;

	if (key != NULL)
		status = wr_repeat_ack(self, worker_id, key, WR_OPERATION_INTERRUPT, ack,
				       &is_repeat);
	if (status != WR_OK || is_repeat)
		return status;
	if (self->is_stopped)
		return WR_STOPPED;
	worker = wr_catalog_find(&self->catalog, worker_id);
	if (worker == NULL)
		return WR_NOT_FOUND;
	if (worker->is_quarantined)
		return WR_CORRUPT;
	if (worker->now.status != WR_WORKER_RUNNING)
		return WR_CONFLICT;
	execution = &worker->execution;
	if (execution->ops == NULL)
		return WR_UNSUPPORTED;
	status = execution->ops->interrupt(execution->context, worker->number);
	if (status != WR_OK)
		return status;
	*ack = (struct wr_ack){.status = worker->now.status, .event_id = worker->now.last_sequence};
	return key == NULL ? WR_OK : wr_repeat_keep(self, worker, key, WR_OPERATION_INTERRUPT, ack);
}

/* The record of the whole names no inputs: Workers that have some queued are stopped by their own.
 */
static enum wr_status stop_queueing(struct wr_runtime *self)
{
	enum wr_status status = WR_OK;

	for (uint32_t number = 1; number <= self->catalog.count && status == WR_OK; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		bool has_some =
			worker->queue.left_count != 0 ||
			(wr_delivery_is_queueing(worker) && worker->queue.undelivered.count != 0);

		if (!has_some || worker->is_quarantined || worker->now.status != WR_WORKER_RUNNING)
			continue;
		status = end_running(self, worker, WR_EVENT_WORKER_STOPPED, WR_VIEW_NULL, NULL);
		if (status == WR_OK && !wr_has_store(self))
			wr_execution_end(worker);
	}
	return status;
}

enum wr_status wr_runtime_stop(struct wr_runtime *self, uint64_t *event_id)
{
	struct wr_event event = {.kind = WR_EVENT_RUNTIME_STOPPED};
	enum wr_status status;

	if (!self->is_stopped) {
		status = stop_queueing(self);
		if (status == WR_OK)
			status = wr_commit(self, &event);
		if (status != WR_OK)
			return status;
		for (uint32_t number = 1; number <= self->catalog.count && !wr_has_store(self);
		     number++) {
			struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
			if (worker->now.status == WR_WORKER_STOPPED)
				wr_execution_end(worker);
		}
	}
	*event_id = self->last_event_id;
	return WR_OK;
}
