#include "wire/worker_json.h"

#include "check.h"
#include "wire/append.h"
#include "wire/reference_json.h"

/* ---- the Runtime ---- */

static void write_runtime_contract(struct wr_json_writer *writer,
				   const struct wr_runtime_summary *summary)
{
	wr_json_member_string(writer, WR_VIEW("runtime_id"), summary->runtime_id);
	wr_json_name(writer, WR_VIEW("display_name"));
	if (summary->display_name.data != NULL)
		wr_json_string(writer, summary->display_name);
	else
		wr_json_null(writer);
	/* The only kind there is without a store; also what old clients are told. */
	wr_json_member_string(writer, WR_VIEW("backend"), WR_VIEW("memory"));
	wr_json_member_string(writer, WR_VIEW("status"),
			      summary->is_stopped ? WR_VIEW("stopped") : WR_VIEW("running"));
	wr_json_member_u64(writer, WR_VIEW("worker_count"), summary->worker_count);
	wr_json_member_u64(writer, WR_VIEW("active_worker_count"), summary->running_count);
	wr_json_member_u64(writer, WR_VIEW("stopped_worker_count"), summary->stopped_count);
	wr_json_member_u64(writer, WR_VIEW("cancelled_worker_count"), summary->cancelled_count);
	wr_json_member_u64(writer, WR_VIEW("diagnostic_count"), summary->diagnostic_count);
	wr_json_name(writer, WR_VIEW("limits"));
	wr_json_object_begin(writer);
	wr_json_member_u64(writer, WR_VIEW("max_transcript_projection_items"),
			   summary->transcript_items_max);
	wr_json_member_u64(writer, WR_VIEW("max_event_batch_items"),
			   summary->event_batch_items_max);
	wr_json_object_end(writer);
}

static void write_runtime_members(struct wr_json_writer *writer, const struct wr_runtime *runtime)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	write_runtime_contract(writer, &summary);
	wr_json_member_string(writer, WR_VIEW("log_id"), summary.log_id);
	wr_cursor_json(writer, runtime, 0, summary.last_sequence);
	wr_json_member_u64(writer, WR_VIEW("generation"), summary.generation);
}

void wr_runtime_summary_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			     enum wr_compat compat)
{
	(void)compat; /* matters with a store */
	wr_json_object_begin(writer);
	write_runtime_members(writer, runtime);
	wr_json_object_end(writer);
}

void wr_runtime_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			   enum wr_compat compat, bool is_draining)
{
	struct wr_json_writer writer;

	(void)compat;
	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("runtime"));
	wr_json_object_begin(&writer);
	write_runtime_members(&writer, runtime);
	wr_json_member_bool(&writer, WR_VIEW("draining"), is_draining);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
}

/* ---- what was asked for ---- */

static void write_optional(struct wr_json_writer *writer, struct wr_view name, struct wr_view text)
{
	if (text.data != NULL)
		wr_json_member_string(writer, name, text);
}

static void write_intent(struct wr_json_writer *writer, const struct wr_create *request)
{
	struct wr_view kind = WR_VIEW("kind");

	wr_json_name(writer, WR_VIEW("intent"));
	wr_json_object_begin(writer);
	switch (request->intent) {
	case WR_INTENT_ASSISTANT:
		wr_json_member_string(writer, kind, WR_VIEW("assistant"));
		write_optional(writer, WR_VIEW("purpose"), request->purpose);
		break;
	case WR_INTENT_TASK:
		wr_json_member_string(writer, kind, WR_VIEW("task"));
		wr_json_member_string(writer, WR_VIEW("objective"), request->objective);
		break;
	case WR_INTENT_ROLE:
		wr_json_member_string(writer, kind, WR_VIEW("role"));
		wr_json_member_string(writer, WR_VIEW("role"), request->role);
		write_optional(writer, WR_VIEW("purpose"), request->purpose);
		break;
	}
	wr_json_object_end(writer);
}

static struct wr_view profile_kind_name(enum wr_profile_kind kind)
{
	switch (kind) {
	case WR_PROFILE_RUNTIME_DEFAULT:
		return WR_VIEW("runtime_default");
	case WR_PROFILE_BUILTIN:
		return WR_VIEW("builtin");
	case WR_PROFILE_NAMED:
		return WR_VIEW("named");
	}
	wr_unreachable();
}

static void write_profile(struct wr_json_writer *writer, const struct wr_create *request)
{
	wr_json_name(writer, WR_VIEW("profile"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), profile_kind_name(request->profile));
	if (request->profile != WR_PROFILE_RUNTIME_DEFAULT)
		wr_json_member_string(writer, WR_VIEW("value"), request->profile_value);
	wr_json_object_end(writer);
}

static void write_pairs(struct wr_json_writer *writer, struct wr_view name,
			const struct wr_pairs *pairs, struct wr_view second)
{
	struct wr_view rest = pairs->packed, first_text, second_text;

	if (pairs->count == 0)
		return;
	wr_json_name(writer, name);
	wr_json_array_begin(writer);
	while (wr_pairs_next(&rest, &first_text, &second_text)) {
		wr_json_object_begin(writer);
		wr_json_member_string(writer, WR_VIEW("name"), first_text);
		write_optional(writer, second, second_text);
		wr_json_object_end(writer);
	}
	wr_json_array_end(writer);
}

static void write_details(struct wr_json_writer *writer, const struct wr_create *request)
{
	if (request->config_bundle_id.data != NULL) {
		wr_json_name(writer, WR_VIEW("config_bundle"));
		wr_json_object_begin(writer);
		wr_json_member_string(writer, WR_VIEW("id"), request->config_bundle_id);
		wr_json_object_end(writer);
	}
	write_pairs(writer, WR_VIEW("requested_capabilities"), &request->capabilities,
		    WR_VIEW("reason"));
	write_pairs(writer, WR_VIEW("workspace_refs"), &request->workspace_refs,
		    WR_VIEW("reference"));
	write_pairs(writer, WR_VIEW("mount_refs"), &request->mount_refs, WR_VIEW("reference"));
}

/* ---- execution (contract 5.7) ---- */

static struct wr_view run_state(const struct wr_worker *worker)
{
	if (worker->execution.ops == NULL)
		return WR_VIEW("unconnected");
	switch (worker->phase) {
	case WR_PHASE_IDLE:
	case WR_PHASE_INTERRUPTED:
		return WR_VIEW("idle");
	case WR_PHASE_STARTING:
	case WR_PHASE_BUSY:
	case WR_PHASE_WAITING:
		return WR_VIEW("busy");
	case WR_PHASE_FAILED:
		return WR_VIEW("errored");
	case WR_PHASE_STOPPING:
	case WR_PHASE_STOPPED:
	case WR_PHASE_CANCELLED:
		return WR_VIEW("stopped");
	}
	wr_unreachable();
}

static struct wr_view operation_name(enum wr_execution_operation operation)
{
	switch (operation) {
	case WR_EXECUTION_SPAWN:
		return WR_VIEW("spawn");
	case WR_EXECUTION_INPUT:
		return WR_VIEW("input");
	case WR_EXECUTION_STOP:
		return WR_VIEW("stop");
	case WR_EXECUTION_CANCEL:
		return WR_VIEW("cancel");
	}
	wr_unreachable();
}

static struct wr_view outcome_name(enum wr_execution_outcome outcome)
{
	switch (outcome) {
	case WR_EXECUTION_ACCEPTED:
		return WR_VIEW("accepted");
	case WR_EXECUTION_BUSY:
		return WR_VIEW("busy");
	case WR_EXECUTION_REJECTED:
		return WR_VIEW("rejected");
	case WR_EXECUTION_ERRORED:
		return WR_VIEW("errored");
	case WR_EXECUTION_UNSUPPORTED:
		return WR_VIEW("unsupported");
	}
	wr_unreachable();
}

/* The run state that an operation led to when it was accepted. */
static struct wr_view accepted_state(enum wr_execution_operation operation)
{
	switch (operation) {
	case WR_EXECUTION_SPAWN:
		return WR_VIEW("idle");
	case WR_EXECUTION_INPUT:
		return WR_VIEW("busy");
	case WR_EXECUTION_STOP:
	case WR_EXECUTION_CANCEL:
		return WR_VIEW("stopped");
	}
	wr_unreachable();
}

static struct wr_view result_state(const struct wr_execution_result *result)
{
	switch (result->outcome) {
	case WR_EXECUTION_ACCEPTED:
		return accepted_state(result->operation);
	case WR_EXECUTION_BUSY:
		return WR_VIEW("busy");
	case WR_EXECUTION_REJECTED:
	case WR_EXECUTION_UNSUPPORTED:
		return WR_VIEW("rejected");
	case WR_EXECUTION_ERRORED:
		return WR_VIEW("errored");
	}
	wr_unreachable();
}

static void write_execution(struct wr_json_writer *writer, const struct wr_worker *worker)
{
	const struct wr_execution_result *result = &worker->last_result;

	wr_json_name(writer, WR_VIEW("execution"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("backend"),
			      worker->execution.ops != NULL ? WR_VIEW("connected")
							    : WR_VIEW("unconnected"));
	wr_json_member_string(writer, WR_VIEW("run_state"), run_state(worker));
	if (worker->has_last_result) {
		wr_json_name(writer, WR_VIEW("last_result"));
		wr_json_object_begin(writer);
		wr_json_member_string(writer, WR_VIEW("operation"),
				      operation_name(result->operation));
		wr_json_member_string(writer, WR_VIEW("outcome"), outcome_name(result->outcome));
		wr_json_member_string(writer, WR_VIEW("run_state"), result_state(result));
		wr_json_object_end(writer);
	}
	wr_json_object_end(writer);
}

/* ---- Workers ---- */

static void write_worker_front(struct wr_json_writer *writer, struct wr_view runtime_id,
			       const struct wr_worker *worker)
{
	wr_worker_ref_json(writer, runtime_id, worker->id);
	wr_json_member_string(writer, WR_VIEW("runtime_id"), runtime_id);
	wr_json_member_string(writer, WR_VIEW("worker_id"), worker->id);
	wr_json_member_string(writer, WR_VIEW("status"),
			      wr_view_of_string(wr_worker_status_name(worker->status)));
	write_intent(writer, &worker->request);
	write_profile(writer, &worker->request);
}

static void write_worker_back(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			      const struct wr_worker *worker, uint64_t last_sequence)
{
	wr_json_member_u64(writer, WR_VIEW("transcript_len"), worker->transcript.total);
	wr_json_member_u64(writer, WR_VIEW("last_event_id"), worker->last_event_id);
	wr_json_member_string(writer, WR_VIEW("phase"),
			      wr_view_of_string(wr_phase_name(worker->phase)));
	write_execution(writer, worker);
	wr_json_member_u64(writer, WR_VIEW("turn"), worker->turn_count);
	wr_cursor_json(writer, runtime, worker->number, last_sequence);
}

void wr_worker_summary_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			    const struct wr_worker *worker)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	wr_json_object_begin(writer);
	write_worker_front(writer, summary.runtime_id, worker);
	wr_json_member_u64(writer, WR_VIEW("requested_capability_count"),
			   worker->request.capabilities.count);
	wr_json_member_bool(writer, WR_VIEW("has_config_bundle"),
			    worker->request.config_bundle_id.data != NULL);
	write_worker_back(writer, runtime, worker, summary.last_sequence);
	wr_json_object_end(writer);
}

void wr_worker_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			  const struct wr_worker *worker)
{
	struct wr_runtime_summary summary;
	struct wr_json_writer writer;

	wr_runtime_summary(runtime, &summary);
	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("worker"));
	wr_json_object_begin(&writer);
	write_worker_front(&writer, summary.runtime_id, worker);
	write_details(&writer, &worker->request);
	write_worker_back(&writer, runtime, worker, summary.last_sequence);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
}

/* ---- acknowledgements ---- */

static void write_ack(struct wr_buf *out, const struct wr_runtime *runtime,
		      const struct wr_worker *worker, const struct wr_ack *ack, bool is_input)
{
	struct wr_runtime_summary summary;
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_summary(runtime, &summary);
	wr_runtime_cursor(runtime, worker->number, ack->event_id, cursor);
	wr_append(out, WR_VIEW("{\"ack\":{\"worker_ref\":{\"runtime_id\":\""));
	wr_append_string(out, summary.runtime_id);
	wr_append(out, WR_VIEW("\",\"worker_id\":\""));
	wr_append_string(out, worker->id);
	wr_append(out, WR_VIEW("\"},\"status\":\""));
	wr_append(out, wr_view_of_string(wr_worker_status_name(ack->status)));
	if (is_input) {
		wr_append(out, WR_VIEW("\",\"transcript_sequence\":"));
		wr_append_number(out, ack->transcript_sequence);
		wr_append(out, WR_VIEW(",\"event_id\":"));
	} else {
		wr_append(out, WR_VIEW("\",\"event_id\":"));
	}
	wr_append_number(out, ack->event_id);
	wr_append(out, WR_VIEW(",\"cursor\":\""));
	wr_append(out, wr_view_of(cursor, sizeof cursor));
	wr_append(out, WR_VIEW("\",\"log_id\":\""));
	wr_append(out, summary.log_id);
	wr_append(out, WR_VIEW("\"}}"));
}

void wr_input_ack_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			     const struct wr_worker *worker, const struct wr_ack *ack)
{
	write_ack(out, runtime, worker, ack, true);
}

void wr_lifecycle_ack_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
				 const struct wr_worker *worker, const struct wr_ack *ack)
{
	write_ack(out, runtime, worker, ack, false);
}
