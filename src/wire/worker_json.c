#include "wire/worker_json.h"

#include "check.h"
#include "wire/append.h"
#include "wire/dropped_json.h"
#include "wire/reference_json.h"
#include "wire/request_json.h"

/* ---- the Runtime ---- */

static void write_runtime_contract(struct wr_json_writer *writer,
				   const struct wr_runtime_summary *summary, bool has_store)
{
	wr_json_member_string(writer, WR_VIEW("runtime_id"), summary->runtime_id);
	wr_json_name(writer, WR_VIEW("display_name"));
	if (summary->display_name.data != NULL)
		wr_json_string(writer, summary->display_name);
	else
		wr_json_null(writer);
	wr_json_member_string(writer, WR_VIEW("backend"),
			      has_store ? WR_VIEW("fs_store") : WR_VIEW("memory"));
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

static void write_runtime_members(struct wr_json_writer *writer, const struct wr_runtime *runtime,
				  enum wr_compat compat)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	/* Old clients know of memory only. */
	write_runtime_contract(writer, &summary, summary.has_store && compat == WR_COMPAT_NONE);
	wr_json_member_string(writer, WR_VIEW("log_id"), summary.log_id);
	wr_cursor_json(writer, runtime, 0, summary.last_sequence);
	wr_json_member_u64(writer, WR_VIEW("generation"), summary.generation);
}

void wr_runtime_summary_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			     enum wr_compat compat)
{
	wr_json_object_begin(writer);
	write_runtime_members(writer, runtime, compat);
	wr_json_object_end(writer);
}

void wr_runtime_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			   const struct wr_store_report *store, enum wr_compat compat,
			   bool is_draining)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("runtime"));
	wr_json_object_begin(&writer);
	write_runtime_members(&writer, runtime, compat);
	wr_json_member_bool(&writer, WR_VIEW("draining"), is_draining);
	wr_json_name(&writer, WR_VIEW("store"));
	wr_store_json(&writer, store);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
}

/* ---- execution (contract 5.7) ---- */

enum run_state { UNCONNECTED, IDLE, BUSY, REJECTED, ERRORED, STOPPED };
static const struct wr_word run_states[] = {
	[UNCONNECTED] = WR_WORD("unconnected"),
	[IDLE] = WR_WORD("idle"),
	[BUSY] = WR_WORD("busy"),
	[REJECTED] = WR_WORD("rejected"),
	[ERRORED] = WR_WORD("errored"),
	[STOPPED] = WR_WORD("stopped"),
};
static const struct wr_word operations[] = {
	[WR_EXECUTION_SPAWN] = WR_WORD("spawn"),
	[WR_EXECUTION_INPUT] = WR_WORD("input"),
	[WR_EXECUTION_STOP] = WR_WORD("stop"),
	[WR_EXECUTION_CANCEL] = WR_WORD("cancel"),
};
static const struct wr_word outcomes[] = {
	[WR_EXECUTION_ACCEPTED] = WR_WORD("accepted"),
	[WR_EXECUTION_BUSY] = WR_WORD("busy"),
	[WR_EXECUTION_REJECTED] = WR_WORD("rejected"),
	[WR_EXECUTION_ERRORED] = WR_WORD("errored"),
	[WR_EXECUTION_UNSUPPORTED] = WR_WORD("unsupported"),
};

static enum run_state run_state(const struct wr_worker *worker, const struct wr_face *face)
{
	if (worker->execution.ops == NULL)
		return UNCONNECTED;
	switch (face->phase) {
	case WR_PHASE_IDLE:
	case WR_PHASE_INTERRUPTED:
		return IDLE;
	case WR_PHASE_STARTING:
	case WR_PHASE_BUSY:
	case WR_PHASE_WAITING:
		return BUSY;
	case WR_PHASE_FAILED:
		return ERRORED;
	case WR_PHASE_STOPPING:
	case WR_PHASE_STOPPED:
	case WR_PHASE_CANCELLED:
		return STOPPED;
	}
	wr_unreachable();
}

/* The run state that an operation led to when it was accepted. */
static enum run_state accepted_state(enum wr_execution_operation operation)
{
	switch (operation) {
	case WR_EXECUTION_SPAWN:
		return IDLE;
	case WR_EXECUTION_INPUT:
		return BUSY;
	case WR_EXECUTION_STOP:
	case WR_EXECUTION_CANCEL:
		return STOPPED;
	}
	wr_unreachable();
}

static enum run_state result_state(const struct wr_execution_result *result)
{
	switch (result->outcome) {
	case WR_EXECUTION_ACCEPTED:
		return accepted_state(result->operation);
	case WR_EXECUTION_BUSY:
		return BUSY;
	case WR_EXECUTION_REJECTED:
	case WR_EXECUTION_UNSUPPORTED:
		return REJECTED;
	case WR_EXECUTION_ERRORED:
		return ERRORED;
	}
	wr_unreachable();
}

static char *put_execution(char *to, const struct wr_worker *worker, const struct wr_face *face)
{
	/* Nothing but its creation had been asked of what runs it then. */
	static const struct wr_execution_result spawned = {WR_EXECUTION_SPAWN,
							   WR_EXECUTION_ACCEPTED};
	const struct wr_execution_result *result = face == &worker->shown
							   ? wr_worker_last_result(worker)
						   : worker->execution.ops != NULL ? &spawned
										   : NULL;

	to = worker->execution.ops != NULL
		     ? WR_PUT(to, ",\"execution\":{\"backend\":\"connected\",\"run_state\":\"")
		     : WR_PUT(to, ",\"execution\":{\"backend\":\"unconnected\",\"run_state\":\"");
	to = wr_put_word(to, &run_states[run_state(worker, face)]);
	if (result == NULL)
		return WR_PUT(to, "\"}");
	to = WR_PUT(to, "\",\"last_result\":{\"operation\":\"");
	to = wr_put_word(to, &operations[result->operation]);
	to = WR_PUT(to, "\",\"outcome\":\"");
	to = wr_put_word(to, &outcomes[result->outcome]);
	to = WR_PUT(to, "\",\"run_state\":\"");
	to = wr_put_word(to, &run_states[result_state(result)]);
	return WR_PUT(to, "\"}}");
}

/* ---- Workers ---- */

static const struct wr_word statuses[] = {
	[WR_WORKER_RUNNING] = WR_WORD("running"),
	[WR_WORKER_STOPPED] = WR_WORD("stopped"),
	[WR_WORKER_CANCELLED] = WR_WORD("cancelled"),
};

#define PHASE_WORD(name, text) [WR_PHASE_##name] = WR_WORD(text),
static const struct wr_word phases[] = {WR_PHASE_LIST(PHASE_WORD)};
#undef PHASE_WORD

/* What names a Worker. */
static void append_reference(struct wr_buf *out, struct wr_view runtime_id,
			     struct wr_view worker_id)
{
	wr_append(out, WR_VIEW("\"runtime_id\":\""));
	wr_append_string(out, runtime_id);
	wr_append(out, WR_VIEW("\",\"worker_id\":\""));
	wr_append_string(out, worker_id);
	wr_append(out, WR_VIEW("\""));
}

/* Up to the profile; `before` is what comes first. */
static void append_front(struct wr_buf *out, struct wr_view before, struct wr_view runtime_id,
			 const struct wr_worker *worker, const struct wr_face *face)
{
	static const struct wr_view again = WR_VIEW_INIT("},"),
				    status = WR_VIEW_INIT(",\"status\":\"");
	size_t start, bytes;
	char *to;

	wr_append(out, before);
	wr_append(out, WR_VIEW("\"worker_ref\":{"));
	start = out->bytes;
	append_reference(out, runtime_id, worker->id);
	bytes = out->bytes - start;
	to = wr_append_room(out, again.bytes + bytes + status.bytes + WR_WORD_BYTES + 1);
	if (to == NULL)
		return;
	to = wr_put(to, again);
	/* The same members once more, escaped already. */
	to = wr_put(to, wr_view_of(out->data + start, bytes));
	to = wr_put(to, status);
	to = wr_put_word(to, &statuses[face->status]);
	to = WR_PUT(to, "\"");
	out->bytes = (size_t)(to - out->data);
	wr_request_append_intent(out, &worker->request);
	wr_request_append_profile(out, &worker->request);
}

/* ---- inputs that wait for their turn ---- */

static uint64_t queued_count(const struct wr_worker *worker, uint64_t shown)
{
	const struct wr_queued_input *input = NULL;
	uint64_t count = 0;

	while ((input = wr_input_queue_shown(&worker->queue, input, shown)) != NULL)
		count++;
	return count;
}

static void append_queued(struct wr_buf *out, const struct wr_queued_input *input)
{
	wr_append(out, WR_VIEW("{\"event_id\":"));
	wr_append_number(out, input->sequence);
	wr_append(out, input->kind == WR_INPUT_USER ? WR_VIEW(",\"kind\":\"user\",\"bytes\":")
						    : WR_VIEW(",\"kind\":\"system\",\"bytes\":"));
	wr_append_number(out, input->bytes);
	wr_append(out, WR_VIEW("}"));
}

static void append_queue(struct wr_buf *out, const struct wr_worker *worker, uint64_t shown)
{
	const struct wr_queued_input *input = NULL;
	const char *comma = "";

	wr_append(out, WR_VIEW(",\"queue\":{\"policy\":\"queue\",\"max_inputs\":"));
	wr_append_number(out, worker->busy.inputs_max);
	wr_append(out, WR_VIEW(",\"inputs\":["));
	while ((input = wr_input_queue_shown(&worker->queue, input, shown)) != NULL) {
		wr_append(out, wr_view_of_string(comma));
		append_queued(out, input);
		comma = ",";
	}
	wr_append(out, WR_VIEW("]}"));
}

/* Of a Worker whose inputs queue: how many wait, in the detail also which. */
static void append_waiting(struct wr_buf *out, const struct wr_worker *worker, uint64_t shown,
			   bool is_detail)
{
	if (WR_LIKELY(worker->busy.kind != WR_BUSY_QUEUE))
		return;
	wr_append(out, WR_VIEW(",\"queued_inputs\":"));
	wr_append_number(out, queued_count(worker, shown));
	if (is_detail)
		append_queue(out, worker, shown);
}

/* From the transcript on, and what ends the Worker. */
static void append_back(struct wr_buf *out, const struct wr_runtime *runtime,
			const struct wr_worker *worker, const struct wr_face *face,
			uint64_t last_sequence)
{
	/* Of all names and punctuation, three numbers, six words and the cursor. */
	enum { BYTES_MAX = 220 + 3 * 20 + 6 * WR_WORD_BYTES + WR_CURSOR_BYTES };
	char *start = wr_append_room(out, BYTES_MAX), *to = start;

	if (to == NULL)
		return;
	to = WR_PUT(to, ",\"transcript_len\":");
	to = wr_put_number(to, face->item_count);
	to = WR_PUT(to, ",\"last_event_id\":");
	to = wr_put_number(to, face->last_event_id);
	to = WR_PUT(to, ",\"phase\":\"");
	to = wr_put_word(to, &phases[face->phase]);
	to = WR_PUT(to, "\"");
	to = put_execution(to, worker, face);
	to = WR_PUT(to, ",\"turn\":");
	to = wr_put_number(to, face->turn_count);
	to = WR_PUT(to, ",\"cursor\":\"");
	if (face == &worker->shown)
		wr_runtime_cursor(runtime, worker->number, last_sequence, to);
	else
		wr_runtime_event_cursor(runtime, worker->number, last_sequence, to);
	to = WR_PUT(to + WR_CURSOR_BYTES, "\"}");
	/* Some of what was stored of it is damaged. */
	if (WR_UNLIKELY(worker->is_quarantined))
		to = WR_PUT(to - 1, ",\"store\":\"corrupt\"}");
	wr_assert(to <= start + BYTES_MAX);
	wr_buf_commit(out, (size_t)(to - start));
}

void wr_worker_summary_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			    const struct wr_worker *worker)
{
	struct wr_buf *out = writer->out;
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	/* One value to the writer: its first byte, and the rest behind it without its commas. */
	wr_json_raw(writer, WR_VIEW("{"));
	append_front(out, WR_VIEW(""), summary.runtime_id, worker, &worker->shown);
	wr_append(out, WR_VIEW(",\"requested_capability_count\":"));
	wr_append_number(out, worker->request.capabilities.count);
	wr_append(out, worker->request.config_bundle_id.data != NULL
			       ? WR_VIEW(",\"has_config_bundle\":true")
			       : WR_VIEW(",\"has_config_bundle\":false"));
	wr_request_append_bundle(out, &worker->request);
	append_waiting(out, worker, worker->shown.last_sequence, false);
	append_back(out, runtime, worker, &worker->shown, summary.last_sequence);
}

void wr_worker_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			  const struct wr_worker *worker, const struct wr_face *created)
{
	const struct wr_face *face = created != NULL ? created : &worker->shown;
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	append_front(out, WR_VIEW("{\"worker\":{"), summary.runtime_id, worker, face);
	wr_request_append_details(out, &worker->request);
	append_waiting(out, worker, face->last_sequence, true);
	append_back(out, runtime, worker, face,
		    created != NULL ? created->last_sequence : summary.last_sequence);
	wr_append(out, WR_VIEW("}"));
}

/* ---- acknowledgements ---- */

/* Into an acknowledgement that is complete without. */
static void put_dropped(struct wr_buf *out, struct wr_view dropped)
{
	if (wr_buf_status(out) != WR_OK)
		return;
	wr_buf_truncate(out, out->bytes - 2);
	wr_append_dropped(out, dropped);
	wr_append(out, WR_VIEW("}}"));
}

static void write_ack(struct wr_buf *out, const struct wr_runtime *runtime,
		      const struct wr_worker *worker, const struct wr_ack *ack, bool is_input)
{
	/* Behind the reference: names and punctuation, two numbers, a word and the cursor. */
	enum { BYTES_MAX = 100 + 2 * 20 + WR_WORD_BYTES + WR_CURSOR_BYTES };
	struct wr_runtime_summary summary;
	char *start, *to;

	wr_runtime_summary(runtime, &summary);
	wr_append(out, WR_VIEW("{\"ack\":{\"worker_ref\":{"));
	append_reference(out, summary.runtime_id, worker->id);
	start = to = wr_append_room(out, BYTES_MAX + summary.log_id.bytes);
	if (to == NULL)
		return;
	to = WR_PUT(to, "},\"status\":\"");
	to = wr_put_word(to, &statuses[ack->status]);
	to = WR_PUT(to, "\"");
	if (is_input) {
		to = WR_PUT(to, ",\"transcript_sequence\":");
		to = wr_put_number(to, ack->transcript_sequence);
	}
	to = WR_PUT(to, ",\"event_id\":");
	to = wr_put_number(to, ack->event_id);
	to = WR_PUT(to, ",\"cursor\":\"");
	wr_runtime_event_cursor(runtime, worker->number, ack->event_id, to);
	to = WR_PUT(to + WR_CURSOR_BYTES, "\",\"log_id\":\"");
	to = wr_put(to, summary.log_id);
	to = WR_PUT(to, "\"}}");
	wr_assert(to <= start + BYTES_MAX + summary.log_id.bytes);
	wr_buf_commit(out, (size_t)(to - start));
	if (WR_UNLIKELY(ack->status != WR_WORKER_RUNNING && wr_worker_names_dropped(worker)))
		put_dropped(out, ack->dropped);
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
