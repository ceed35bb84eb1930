/* The fold of a creation: a Worker from its event, and what goes with it when it goes. */
#include "core/state.h"

#include "check.h"
#include "core/in_flight.h"

#include <string.h>

/* Copies a text behind *at and moves *at on. */
static struct wr_view keep(char **at, struct wr_view text)
{
	struct wr_view copy = {*at, text.bytes};

	if (text.data == NULL)
		return WR_VIEW_NULL;
	if (text.bytes != 0)
		memcpy(*at, text.data, text.bytes);
	*at += text.bytes;
	return copy;
}

static size_t request_bytes(const struct wr_create *request)
{
	return request->objective.bytes + request->role.bytes + request->purpose.bytes +
	       request->profile_value.bytes + request->config_bundle_id.bytes +
	       request->config_bundle_digest.bytes + request->capabilities.packed.bytes +
	       request->workspace_refs.packed.bytes + request->mount_refs.packed.bytes;
}

static void keep_request(struct wr_worker *worker, const struct wr_event *event, char *at)
{
	const struct wr_create *from = &event->as.created.request;
	struct wr_create *to = &worker->request;

	worker->id = keep(&at, event->as.created.worker_id);
	*to = *from;
	to->worker_id = WR_VIEW_NULL; /* the id is kept beside the request */
	to->objective = keep(&at, from->objective);
	to->role = keep(&at, from->role);
	to->purpose = keep(&at, from->purpose);
	to->profile_value = keep(&at, from->profile_value);
	to->config_bundle_id = keep(&at, from->config_bundle_id);
	to->config_bundle_digest = keep(&at, from->config_bundle_digest);
	to->capabilities.packed = keep(&at, from->capabilities.packed);
	to->workspace_refs.packed = keep(&at, from->workspace_refs.packed);
	to->mount_refs.packed = keep(&at, from->mount_refs.packed);
	wr_assert(at == (char *)worker->block + worker->block_bytes);
}

static enum wr_status find_execution(const struct wr_runtime *self, struct wr_execution *out,
				     const struct wr_create *request)
{
	const struct wr_profiles *profiles = &self->ports.profiles;

	*out = (struct wr_execution){.ops = NULL};
	if (profiles->find == NULL)
		return request->profile == WR_PROFILE_NAMED ? WR_INVALID : WR_OK;
	return profiles->find(profiles->context, out, request->profile, request->profile_value);
}

/* What was asked for, else what the profile has. */
static struct wr_busy_policy busy_policy(const struct wr_create *request,
					 const struct wr_execution *execution)
{
	struct wr_busy_policy policy =
		request->busy.kind != WR_BUSY_UNSAID ? request->busy : execution->busy;

	if (policy.kind == WR_BUSY_UNSAID)
		policy.kind = WR_BUSY_REJECT;
	wr_assert((policy.kind == WR_BUSY_QUEUE) == (policy.inputs_max != 0));
	wr_assert(policy.inputs_max <= WR_QUEUE_INPUTS_MAX);
	return policy;
}

enum wr_status wr_fold_prepare_worker(struct wr_runtime *self, struct wr_worker **out,
				      const struct wr_event *event)
{
	struct wr_allocator *allocator = self->ports.allocator;
	struct wr_execution execution;
	struct wr_worker *worker;
	size_t bytes;

	/* A Worker whose profile is no longer configured stays readable after a restart. */
	if (find_execution(self, &execution, &event->as.created.request) != WR_OK &&
	    !self->is_replaying)
		return WR_INVALID;
	if (wr_catalog_reserve(&self->catalog) != WR_OK)
		return WR_NO_MEMORY;
	worker = wr_allocator_take_zeroed(allocator, sizeof *worker);
	if (worker == NULL)
		return WR_NO_MEMORY;
	bytes = event->as.created.worker_id.bytes + request_bytes(&event->as.created.request);
	worker->block = wr_allocator_take(allocator, bytes);
	if (worker->block == NULL) {
		wr_allocator_free(allocator, worker, sizeof *worker);
		return WR_NO_MEMORY;
	}
	worker->block_bytes = bytes;
	worker->number = event->worker;
	worker->now.status = WR_WORKER_RUNNING;
	worker->now.phase = WR_PHASE_IDLE;
	worker->execution = execution;
	worker->busy = busy_policy(&event->as.created.request, &execution);
	wr_list_init(&worker->queued_node);
	keep_request(worker, event, worker->block);
	wr_transcript_init(&worker->transcript);
	wr_event_stream_init(&worker->events, worker->number);
	*out = worker;
	return WR_OK;
}

void wr_worker_free(struct wr_runtime *self, struct wr_worker *worker)
{
	struct wr_allocator *allocator = self->ports.allocator;

	wr_in_flight_clear(&worker->in_flight, allocator);
	wr_list_remove(&worker->queued_node);
	wr_input_queue_deinit(&worker->queue, allocator);
	wr_allocator_free(allocator, (void *)(uintptr_t)worker->dropped.data,
			  worker->dropped.bytes);
	wr_transcript_deinit(&worker->transcript, &self->transcripts);
	wr_event_stream_deinit(&worker->events, &self->log);
	wr_allocator_free(allocator, worker->block, worker->block_bytes);
	wr_allocator_free(allocator, worker, sizeof *worker);
}

static void add_diagnostic(struct wr_runtime *self, const char *code, const char *message,
			   uint32_t worker)
{
	uint64_t id = ++self->diagnostic_count;

	self->diagnostics[(id - 1) % WR_DIAGNOSTICS_KEPT] = (struct wr_diagnostic){
		.id = id,
		.severity = WR_SEVERITY_INFO,
		.code = code,
		.message = message,
		.worker = worker,
	};
}

void wr_fold_worker(struct wr_runtime *self, struct wr_worker *worker, const struct wr_event *event)
{
	worker->created_wall_ms = event->wall_ms;
	worker->created_sequence = event->sequence;
	wr_catalog_add(&self->catalog, worker);
	if (worker->request.config_bundle_id.data == NULL)
		add_diagnostic(self, "runtime.local_default_resources",
			       "no config bundle named, local defaults apply", worker->number);
	if (worker->request.capabilities.count == 0)
		add_diagnostic(self, "worker.tools_less", "no tool capabilities requested",
			       worker->number);
}
