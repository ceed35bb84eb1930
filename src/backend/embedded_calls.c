#include "backend/embedded_calls.h"

#include "backend/embedded_key.h"
#include "backend/embedded_refusal.h"
#include "backend/embedded_worker.h"
#include "bounds.h"
#include "check.h"

enum { TEXTS_BYTES_KEPT = 65536 };

/* Whatever came of a command, it was decided by what may still be lost (design 2). */
static uint64_t hold_until(const struct wr_runtime *runtime, struct wr_view worker_id)
{
	uint64_t until = wr_runtime_head_of(runtime, worker_id);

	return until > wr_runtime_visible(runtime) ? until : 0;
}

static void notice(struct wr_source_result *result, const struct wr_notice *what)
{
	wr_notices_add(&result->notices, what->code, what->severity, what->message);
}

/* ---- reading ---- */

static void show(struct wr_source_call *call, const struct wr_worker *worker,
		 const struct wr_face *face)
{
	struct wr_embedded_texts texts;
	struct wr_worker_overview overview;

	wr_embedded_worker_show(&overview, &texts, worker, face);
	call->on_worker(call, &overview);
}

static void list(struct wr_embedded_calls *self, struct wr_source_call *call)
{
	const struct wr_worker *worker = wr_runtime_next(self->runtime, WR_VIEW_NULL);

	for (uint32_t count = 0; worker != NULL && count < call->as.list.limit; count++) {
		show(call, worker, &worker->shown);
		worker = wr_runtime_next(self->runtime, worker->id);
	}
}

/* The Worker that a call asks about; NULL, and refused, when there is nothing of it to be told. */
static const struct wr_worker *find(struct wr_embedded_calls *self,
				    const struct wr_source_call *call,
				    struct wr_source_result *result)
{
	const struct wr_worker *worker = wr_runtime_find(self->runtime, call->worker_id);

	if (worker == NULL)
		wr_embedded_refuse(result, WR_NOT_FOUND, NULL);
	else if (worker->is_quarantined)
		wr_embedded_refuse(result, WR_CORRUPT, NULL);
	return result->outcome == WR_SOURCE_ACCEPTED ? worker : NULL;
}

static void detail(struct wr_embedded_calls *self, struct wr_source_call *call,
		   struct wr_source_result *result)
{
	const struct wr_worker *worker = find(self, call, result);

	if (worker != NULL)
		show(call, worker, &worker->shown);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Gives the items of a page, counted from 0: [at, end), at most a page's worth of content. Returns
 * where it ended. An item that cannot be read is the outcome of the call when it is the first one,
 * else it ends the page. */
static uint64_t give_items(struct wr_embedded_calls *self, struct wr_source_call *call,
			   struct wr_source_result *result, const struct wr_worker *worker,
			   uint64_t at, uint64_t end)
{
	struct wr_store_place place = {0, 0};
	uint64_t begin = at, bytes = 0;

	for (; at < end; at++) {
		struct wr_transcript_entry entry;
		struct wr_item item;
		enum wr_status status =
			wr_runtime_item(self->runtime, worker, at + 1, &place, &item);

		if (status != WR_OK) {
			/* Kept, and yet not there: its record is lost. */
			status = status == WR_NOT_FOUND ? WR_CORRUPT : status;
			if (at == begin)
				wr_embedded_refuse(result, status, NULL);
			else
				notice(result, wr_embedded_notice_of(status));
			return at;
		}
		bytes += item.content.bytes;
		if (at != begin && bytes > WR_TRANSCRIPT_PAGE_BYTES_MAX)
			return at;
		entry = (struct wr_transcript_entry){
			.sequence = item.number,
			.event_id = item.event_id,
			.role = wr_view_of_string(wr_role_name(item.role)),
			.content = item.content,
		};
		call->on_entry(call, &entry);
	}
	return at;
}

static void transcript(struct wr_embedded_calls *self, struct wr_source_call *call,
		       struct wr_source_result *result)
{
	const struct wr_worker *worker = find(self, call, result);
	uint64_t total, first, at, end;

	if (worker == NULL)
		return;
	total = worker->shown.item_count;
	first = wr_runtime_first_item(self->runtime, worker) - 1;
	at = call->as.page.start;
	if (at < first) /* those before are no longer kept */
		at = first;
	at = least(at, total);
	end = at + least(call->as.page.limit, total - at);
	at = give_items(self, call, result, worker, at, end);
	result->page.start = call->as.page.start;
	result->page.limit = call->as.page.limit;
	result->page.total_items = total;
	result->page.has_next_start = at < total;
	result->page.next_start = at < total ? at : 0;
}

/* ---- spawn ---- */

static const struct wr_notice no_socket = {
	"embedded_runtime_no_socket", WR_NOTICE_WARNING,
	"nothing is opened for a Worker in this process: ask for run_accepted"};
static const struct wr_notice name_ignored = {
	"embedded_worker_name_ignored", WR_NOTICE_INFO,
	"the Runtime names its Workers itself: use the worker_id"};
static const struct wr_notice tools_less = {
	"embedded_runtime_tools_less", WR_NOTICE_INFO,
	"nothing is sent to a new Worker by itself: send its first input"};
static const struct wr_notice worker_limit = {"embedded_runtime_worker_limit", WR_NOTICE_WARNING,
					      "the Runtime has as many Workers as it may"};

static void request_role(struct wr_create *out, struct wr_view role, struct wr_view purpose)
{
	out->intent = WR_INTENT_ROLE;
	out->role = role;
	out->purpose = purpose;
}

/* Contract 8.8. Views point into the call and into `texts`. Status of the buffer. */
static enum wr_status follow_intent(struct wr_create *out, struct wr_buf *texts,
				    const struct wr_spawn_request *spawn)
{
	static const struct wr_view before_role = WR_VIEW_INIT("builtin:");
	struct wr_view text;
	size_t profile_bytes;

	*out = (struct wr_create){.profile = WR_PROFILE_RUNTIME_DEFAULT};
	switch (spawn->intent) {
	case WR_SPAWN_COMPANION:
		request_role(out, WR_VIEW("workspace_companion"),
			     WR_VIEW("companion of this workspace"));
		return WR_OK;
	case WR_SPAWN_ORCHESTRATOR:
		request_role(out, WR_VIEW("workspace_orchestrator"),
			     WR_VIEW("orchestrator of this workspace"));
		return WR_OK;
	case WR_SPAWN_TICKET_ROLE:
		break;
	}
	wr_buf_append_view(texts, before_role);
	wr_buf_append_view(texts, spawn->role);
	profile_bytes = texts->bytes;
	wr_buf_append_view(texts, WR_VIEW("ticket "));
	wr_buf_append_view(texts, spawn->ticket_id);
	if (wr_buf_status(texts) != WR_OK)
		return wr_buf_status(texts);
	text = wr_buf_view(texts);
	request_role(out, spawn->role, wr_view_skip(text, profile_bytes));
	out->profile = WR_PROFILE_BUILTIN;
	out->profile_value = wr_view_of(text.data, profile_bytes);
	return WR_OK;
}

/* What was asked for counts before what follows from the intent. */
static enum wr_status make_request(struct wr_create *out, struct wr_buf *texts,
				   const struct wr_spawn_request *spawn)
{
	enum wr_status status = follow_intent(out, texts, spawn);

	if (spawn->has_profile) {
		out->profile = spawn->profile;
		out->profile_value = spawn->profile_value;
	}
	out->config_bundle_id = spawn->bundle_id;
	out->config_bundle_digest = spawn->bundle_digest;
	out->capabilities = spawn->capabilities;
	return status;
}

/* Two outcomes mean something else for a create than elsewhere. */
static void refuse_spawn(struct wr_source_result *result, enum wr_status status,
			 const struct wr_error *error)
{
	if (status == WR_FULL && error->detail != NULL)
		wr_embedded_refuse_with(result, &worker_limit);
	else
		wr_embedded_refuse(result, status == WR_NOT_FOUND ? WR_INVALID : status,
				   error->detail);
}

static void tell_spawned(const struct wr_spawn_request *spawn, struct wr_source_result *result)
{
	if (spawn->requested_name.data != NULL)
		notice(result, &name_ignored);
	if (spawn->expected_segments > 0)
		notice(result, &tools_less);
	result->evidence[0].kind = "embedded_runtime_worker_created";
	result->evidence[0].detail = "the Runtime has recorded the Worker";
	result->evidence[1].kind = "embedded_runtime_backend_internal_projection";
	result->evidence[1].detail = "the Worker is shown by its identity in this Backend";
}

static void spawn(struct wr_embedded_calls *self, struct wr_source_call *call,
		  struct wr_source_result *result)
{
	struct wr_error error = {.status = WR_OK};
	const struct wr_worker *worker = NULL;
	struct wr_create request;
	struct wr_face face;
	struct wr_key key;
	enum wr_status status;

	if (call->as.spawn.is_socket_ready) {
		wr_embedded_refuse_with(result, &no_socket);
		return;
	}
	if (self->texts.capacity > TEXTS_BYTES_KEPT)
		wr_buf_deinit(&self->texts);
	wr_buf_reset(&self->texts);
	status = make_request(&request, &self->texts, &call->as.spawn);
	request.busy = call->as.spawn.busy;
	if (status == WR_OK)
		status = wr_runtime_create(self->runtime, &request, wr_embedded_key(&key, call),
					   &worker, &error);
	result->hold_until = hold_until(self->runtime, worker != NULL ? worker->id : WR_VIEW_NULL);
	if (status != WR_OK) {
		refuse_spawn(result, status, &error);
		return;
	}
	face = wr_runtime_created_face(worker);
	show(call, worker, &face);
	tell_spawned(&call->as.spawn, result);
}

/* ---- config bundles ---- */

static const struct wr_notice bundle_limit = {
	"embedded_runtime_config_bundle_limit", WR_NOTICE_WARNING,
	"the Runtime has as many config bundles as it may: replace one of them"};

static void tell_bundle(struct wr_source_call *call, const struct wr_config_bundle *bundle)
{
	struct wr_bundle_summary summary = wr_bundle_summary_of(bundle);

	call->on_bundle(call, &summary);
}

static void store_bundle(struct wr_embedded_calls *self, struct wr_source_call *call,
			 struct wr_source_result *result)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_key key;
	enum wr_status status = wr_runtime_store_bundle(self->runtime, &call->as.bundle,
							wr_embedded_key(&key, call), &error);

	result->hold_until = hold_until(self->runtime, WR_VIEW_NULL);
	if (status == WR_OK)
		tell_bundle(call, &call->as.bundle);
	else if (status == WR_FULL && error.detail != NULL)
		wr_embedded_refuse_with(result, &bundle_limit);
	else
		wr_embedded_refuse(result, status == WR_NOT_FOUND ? WR_INVALID : status,
				   error.detail);
}

static void availability(struct wr_embedded_calls *self, struct wr_source_call *call,
			 struct wr_source_result *result)
{
	const struct wr_config_bundle *bundle;
	enum wr_status status = wr_runtime_judge_bundle(self->runtime, call->as.available.id,
							call->as.available.digest, &bundle);

	if (status == WR_OK)
		tell_bundle(call, bundle);
	else
		wr_embedded_refuse(result, status, NULL);
}

/* ---- the other commands ---- */

static enum wr_status send_input(struct wr_embedded_calls *self, const struct wr_source_call *call,
				 struct wr_ack *ack, const char **why)
{
	struct wr_input input = {.kind = call->as.input.is_system ? WR_INPUT_SYSTEM : WR_INPUT_USER,
				 .content = call->as.input.content};
	struct wr_error error = {.status = WR_OK};
	struct wr_key key;
	enum wr_status status = wr_runtime_input(self->runtime, call->worker_id, &input,
						 wr_embedded_key(&key, call), ack, &error);

	*why = error.detail;
	return status;
}

/* Of a Worker that runs, but has no turn. */
static enum wr_status interrupt(struct wr_embedded_calls *self, const struct wr_source_call *call,
				struct wr_ack *ack, struct wr_source_result *result)
{
	static const struct wr_notice no_turn = {
		"embedded_worker_no_turn", WR_NOTICE_WARNING,
		"the Worker has no turn that could be interrupted"};
	const struct wr_worker *worker;
	struct wr_key key;
	enum wr_status status = wr_runtime_interrupt(self->runtime, call->worker_id,
						     wr_embedded_key(&key, call), ack);

	if (status == WR_CONFLICT) {
		worker = wr_runtime_find_at_head(self->runtime, call->worker_id);
		if (worker->now.status == WR_WORKER_RUNNING)
			wr_embedded_refuse_with(result, &no_turn);
	}
	return status;
}

static void command(struct wr_embedded_calls *self, struct wr_source_call *call,
		    struct wr_source_result *result)
{
	struct wr_runtime *runtime = self->runtime;
	struct wr_ack ack = {.event_id = 0};
	const char *why = NULL;
	enum wr_status status = WR_OK;
	struct wr_key key;

	switch (call->operation) {
	case WR_SOURCE_INPUT:
		status = send_input(self, call, &ack, &why);
		break;
	case WR_SOURCE_STOP:
		status = wr_runtime_stop_worker(runtime, call->worker_id, call->as.reason,
						wr_embedded_key(&key, call), &ack);
		break;
	case WR_SOURCE_CANCEL:
		status = wr_runtime_cancel_worker(runtime, call->worker_id, call->as.reason,
						  wr_embedded_key(&key, call), &ack);
		break;
	case WR_SOURCE_INTERRUPT:
		status = interrupt(self, call, &ack, result);
		break;
	case WR_SOURCE_LIST:
	case WR_SOURCE_DETAIL:
	case WR_SOURCE_SPAWN:
	case WR_SOURCE_TRANSCRIPT:
	case WR_SOURCE_STORE_BUNDLE:
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		wr_unreachable();
	}
	result->hold_until = hold_until(runtime, call->worker_id);
	if (status == WR_OK) {
		result->event_id = ack.event_id;
		result->dropped = ack.dropped;
		result->has_dropped =
			ack.status != WR_WORKER_RUNNING &&
			wr_worker_names_dropped(wr_runtime_find_at_head(runtime, call->worker_id));
		result->transcript_sequence = ack.transcript_sequence;
	} else if (result->outcome == WR_SOURCE_ACCEPTED) {
		wr_embedded_refuse(result, status, why);
	}
}

/* ---- calls ---- */

static bool is_command(enum wr_source_operation operation)
{
	return operation != WR_SOURCE_LIST && operation != WR_SOURCE_DETAIL &&
	       operation != WR_SOURCE_TRANSCRIPT && operation != WR_SOURCE_BUNDLE_AVAILABILITY;
}

void wr_embedded_call(struct wr_embedded_calls *self, struct wr_source_call *call)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_ACCEPTED};

	if (self->is_draining && is_command(call->operation))
		wr_embedded_refuse(&result, WR_DRAINING, NULL);
	else if (call->operation == WR_SOURCE_LIST)
		list(self, call);
	else if (call->operation == WR_SOURCE_DETAIL)
		detail(self, call, &result);
	else if (call->operation == WR_SOURCE_TRANSCRIPT)
		transcript(self, call, &result);
	else if (call->operation == WR_SOURCE_SPAWN)
		spawn(self, call, &result);
	else if (call->operation == WR_SOURCE_STORE_BUNDLE)
		store_bundle(self, call, &result);
	else if (call->operation == WR_SOURCE_BUNDLE_AVAILABILITY)
		availability(self, call, &result);
	else
		command(self, call, &result);
	call->on_done(call, &result);
}

void wr_embedded_calls_init(struct wr_embedded_calls *self, struct wr_allocator *allocator,
			    struct wr_runtime *runtime)
{
	*self = (struct wr_embedded_calls){.runtime = runtime};
	wr_buf_init(&self->texts, allocator, WR_HTTP_BODY_BYTES_MAX);
}

void wr_embedded_calls_deinit(struct wr_embedded_calls *self)
{
	wr_buf_deinit(&self->texts);
}
