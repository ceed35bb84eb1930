#include "wire/snapshot_json.h"

#include "check.h"
#include "wire/reference_json.h"
#include "wire/text_frame.h"

/* ---- what all of them share ---- */

static void begin_frame(struct wr_json_writer *writer, struct wr_buf *out, struct wr_view kind)
{
	wr_json_writer_init(writer, out);
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), kind);
}

/* The envelope up to its payload, which follows. `worker` NULL: the whole Runtime. */
static void begin_envelope(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			   const struct wr_worker *worker, uint64_t sequence)
{
	char event_id[sizeof "snapshot:" - 1 + WR_CURSOR_BYTES] = "snapshot:";
	char *cursor = event_id + sizeof event_id - WR_CURSOR_BYTES;
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	wr_runtime_cursor(runtime, worker == NULL ? 0 : worker->number, sequence, cursor);
	wr_json_name(writer, WR_VIEW("envelope"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("cursor"), wr_view_of(cursor, WR_CURSOR_BYTES));
	wr_json_member_string(writer, WR_VIEW("event_id"), wr_view_of(event_id, sizeof event_id));
	if (worker != NULL)
		wr_json_member_string(writer, WR_VIEW("worker_id"), worker->id);
	else
		wr_json_member_string(writer, WR_VIEW("runtime_id"), summary.runtime_id);
	wr_json_member_u64(writer, WR_VIEW("sequence"), sequence);
	wr_json_member_string(writer, WR_VIEW("log_id"), summary.log_id);
	wr_json_name(writer, WR_VIEW("payload"));
}

/* ---- a Worker's snapshot ---- */

static void write_text_part(struct wr_json_writer *writer, struct wr_view kind,
			    struct wr_view content)
{
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), kind);
	wr_json_member_string(writer, WR_VIEW("content"), content);
	wr_json_object_end(writer);
}

static void write_entry_content(struct wr_json_writer *writer, enum wr_role role,
				struct wr_view content)
{
	switch (role) {
	case WR_ROLE_USER:
		wr_json_name(writer, WR_VIEW("segments"));
		wr_json_array_begin(writer);
		write_text_part(writer, WR_VIEW("text"), content);
		wr_json_array_end(writer);
		return;
	case WR_ROLE_SYSTEM:
		wr_json_name(writer, WR_VIEW("item"));
		write_text_part(writer, WR_VIEW("embedded_worker_system_input"), content);
		return;
	case WR_ROLE_ASSISTANT:
		wr_json_name(writer, WR_VIEW("item"));
		write_text_part(writer, WR_VIEW("text"), content);
		return;
	}
	wr_unreachable();
}

static void write_entry(struct wr_buf *out, const struct wr_item *item)
{
	static const struct wr_view kinds[] = {
		[WR_ROLE_USER] = WR_VIEW_INIT("user_input"),
		[WR_ROLE_SYSTEM] = WR_VIEW_INIT("system_item"),
		[WR_ROLE_ASSISTANT] = WR_VIEW_INIT("assistant_item"),
	};
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("kind"), kinds[item->role]);
	wr_json_name(&writer, WR_VIEW("ts"));
	wr_json_i64(&writer, item->wall_ms);
	write_entry_content(&writer, item->role, item->content);
	wr_json_member_u64(&writer, WR_VIEW("sequence"), item->number);
	wr_json_object_end(&writer);
}

static void reverse(char *bytes, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		char byte = bytes[i];
		bytes[i] = bytes[count - 1 - i];
		bytes[count - 1 - i] = byte;
	}
}

/* The newest items that fit, of which the store may have some. */
struct entries {
	uint64_t first; /* number of the oldest one written; item_count + 1 when there is none */
	enum wr_status status; /* why there are not more, when that is a failure */
	unsigned count;
	uint32_t sizes[WR_SNAPSHOT_ENTRY_COUNT_MAX]; /* with a comma each, newest first */
};

/* How many fit shows only from the newest on: they are written in that order, so that each is read
 * from the store once. */
static void write_backwards(struct entries *entries, struct wr_buf *out, struct wr_runtime *runtime,
			    const struct wr_worker *worker)
{
	struct wr_store_place place = {0, 0};
	uint64_t bytes = 0, first = wr_runtime_first_item(runtime, worker);

	entries->count = 0;
	entries->status = WR_OK;
	entries->first = worker->shown.item_count + 1;
	while (entries->first > first && entries->count < WR_SNAPSHOT_ENTRY_COUNT_MAX) {
		struct wr_item item;
		size_t start = out->bytes;
		entries->status =
			wr_runtime_item(runtime, worker, entries->first - 1, &place, &item);
		if (entries->status != WR_OK)
			return;
		bytes += item.content.bytes;
		if (bytes > WR_SNAPSHOT_ENTRY_BYTES_MAX)
			return;
		write_entry(out, &item);
		wr_buf_append_byte(out, ',');
		entries->sizes[entries->count++] = (uint32_t)(out->bytes - start);
		entries->first--;
	}
}

/* Newest last: the bytes of all are reversed, and then those of each back again. */
static void turn_round(const struct entries *entries, char *bytes, size_t count)
{
	reverse(bytes, count);
	for (unsigned i = entries->count; i > 0; i--) {
		reverse(bytes, entries->sizes[i - 1]);
		bytes += entries->sizes[i - 1];
	}
}

static void write_entries(struct entries *entries, struct wr_json_writer *writer,
			  struct wr_runtime *runtime, const struct wr_worker *worker)
{
	struct wr_buf *out = writer->out;
	size_t start;

	wr_json_name(writer, WR_VIEW("entries"));
	wr_json_array_begin(writer);
	start = out->bytes;
	write_backwards(entries, out, runtime, worker);
	if (entries->count != 0 && wr_buf_status(out) == WR_OK) {
		turn_round(entries, out->data + start, out->bytes - start);
		wr_buf_truncate(out, out->bytes - 1); /* the last comma */
	}
	wr_json_array_end(writer);
}

/* Whether there are more, and why they are not here when that is a failure. */
static void write_rest(const struct entries *entries, struct wr_json_writer *writer)
{
	wr_json_member_bool(writer, WR_VIEW("entries_truncated"), entries->first != 1);
	if (entries->status == WR_NO_MEMORY)
		writer->out->status = WR_NO_MEMORY; /* as if the frame did not fit */
	else if (entries->status == WR_CORRUPT || entries->status == WR_IO) {
		wr_json_name(writer, WR_VIEW("entries_error"));
		wr_store_error_json(writer, entries->status);
	}
}

static void write_greeting(struct wr_json_writer *writer, const struct wr_worker *worker)
{
	wr_json_name(writer, WR_VIEW("greeting"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("worker_name"), worker->id);
	wr_json_member_string(writer, WR_VIEW("cwd"), WR_VIEW(""));
	wr_json_member_string(writer, WR_VIEW("provider"), WR_VIEW("worker-runtime"));
	wr_json_member_string(writer, WR_VIEW("model"), WR_VIEW("worker-runtime"));
	wr_json_member_string(writer, WR_VIEW("scope_summary"), WR_VIEW("observation"));
	wr_json_name(writer, WR_VIEW("tools"));
	wr_json_array_begin(writer);
	wr_json_array_end(writer);
	wr_json_member_u64(writer, WR_VIEW("context_window"), 0);
	wr_json_member_u64(writer, WR_VIEW("context_tokens"), 0);
	wr_json_object_end(writer);
}

static void write_tool_call(struct wr_json_writer *writer, const struct wr_block *block)
{
	wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("tool_call"));
	wr_json_member_string(writer, WR_VIEW("id"), wr_buf_view(&block->id));
	wr_json_member_string(writer, WR_VIEW("name"), wr_buf_view(&block->name));
	wr_json_member_string(writer, WR_VIEW("args"), wr_buf_view(&block->text));
	switch (block->state) {
	case WR_BLOCK_PENDING: /* left out (contract 4) */
		return;
	case WR_BLOCK_STREAMING_ARGS:
		wr_json_member_string(writer, WR_VIEW("state"), WR_VIEW("streaming_args"));
		return;
	case WR_BLOCK_DONE:
		wr_json_member_string(writer, WR_VIEW("state"), WR_VIEW("done"));
		return;
	}
	wr_unreachable();
}

static void write_block(struct wr_json_writer *writer, const struct wr_block *block)
{
	wr_json_object_begin(writer);
	if (block->kind == WR_BLOCK_TOOL_CALL) {
		write_tool_call(writer, block);
	} else {
		wr_json_member_string(writer, WR_VIEW("kind"),
				      block->kind == WR_BLOCK_TEXT ? WR_VIEW("text")
								   : WR_VIEW("thinking"));
		wr_json_member_string(writer, WR_VIEW("text"), wr_buf_view(&block->text));
		if (block->is_finished)
			wr_json_member_bool(writer, WR_VIEW("finished"), true);
	}
	wr_json_object_end(writer);
}

static void write_in_flight(struct wr_json_writer *writer, const struct wr_in_flight *in_flight)
{
	if (in_flight == NULL || in_flight->count == 0)
		return;
	wr_json_name(writer, WR_VIEW("in_flight"));
	wr_json_object_begin(writer);
	wr_json_name(writer, WR_VIEW("blocks"));
	wr_json_array_begin(writer);
	for (uint32_t i = 0; i < in_flight->count; i++)
		write_block(writer, &in_flight->blocks[i]);
	wr_json_array_end(writer);
	wr_json_object_end(writer);
}

static void write_no_entries(struct wr_json_writer *writer)
{
	wr_json_name(writer, WR_VIEW("entries"));
	wr_json_array_begin(writer);
	wr_json_array_end(writer);
}

static void write_snapshot_data(struct wr_json_writer *writer, struct wr_runtime *runtime,
				const struct wr_worker *worker, bool is_filled)
{
	const char *status = wr_phase_protocol_status(worker->shown.phase);
	struct entries entries = {.status = WR_OK};

	wr_json_object_begin(writer);
	if (is_filled)
		write_entries(&entries, writer, runtime, worker);
	else
		write_no_entries(writer);
	write_greeting(writer, worker);
	wr_json_member_string(writer, WR_VIEW("status"),
			      wr_view_of_string(status != NULL ? status : "idle"));
	if (is_filled) {
		write_in_flight(writer, worker->in_flight);
		write_rest(&entries, writer);
	}
	wr_json_object_end(writer);
}

static void write_payload(struct wr_json_writer *writer, struct wr_runtime *runtime,
			  const struct wr_worker *worker, enum wr_compat compat)
{
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("event"), WR_VIEW("snapshot"));
	wr_json_name(writer, WR_VIEW("data"));
	/* An old client resumes behind its snapshot: what is newer comes as events. */
	write_snapshot_data(writer, runtime, worker, compat == WR_COMPAT_NONE);
	wr_json_object_end(writer);
}

enum wr_status wr_worker_snapshot_payload(struct wr_buf *out, struct wr_runtime *runtime,
					  const struct wr_worker *worker, enum wr_compat compat)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	write_payload(&writer, runtime, worker, compat);
	return wr_buf_status(out);
}

enum wr_status wr_worker_snapshot_frame(struct wr_buf *out, struct wr_runtime *runtime,
					const struct wr_worker *worker, uint64_t sequence,
					enum wr_compat compat)
{
	struct wr_json_writer writer;
	size_t start = wr_text_frame_begin(out);

	begin_frame(&writer, out, WR_VIEW("event"));
	begin_envelope(&writer, runtime, worker, sequence);
	write_payload(&writer, runtime, worker, compat);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	return wr_text_frame_end(out, start);
}

/* ---- the runtime-wide snapshot ---- */

/* Writes the Workers that fit. Whether all did. */
static bool write_workers(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			  size_t start)
{
	struct wr_buf *out = writer->out;
	const struct wr_worker *worker = wr_runtime_next(runtime, WR_VIEW_NULL);
	unsigned count = 0;

	for (; worker != NULL; worker = wr_runtime_next(runtime, worker->id)) {
		struct wr_json_writer before = *writer;
		size_t bytes = out->bytes;

		if (count++ == WR_SNAPSHOT_WORKER_COUNT_MAX)
			return false;
		wr_worker_summary_json(writer, runtime, worker);
		if (out->bytes - start > WR_SNAPSHOT_BYTES_MAX) {
			wr_buf_truncate(out, bytes);
			*writer = before;
			return false;
		}
	}
	return true;
}

enum wr_status wr_runtime_snapshot_frame(struct wr_buf *out, const struct wr_runtime *runtime,
					 uint64_t sequence, enum wr_compat compat)
{
	struct wr_json_writer writer;
	size_t start = wr_text_frame_begin(out);
	bool is_whole;

	begin_frame(&writer, out, WR_VIEW("runtime_snapshot"));
	begin_envelope(&writer, runtime, NULL, sequence);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("runtime"));
	wr_runtime_summary_json(&writer, runtime, compat);
	wr_json_name(&writer, WR_VIEW("workers"));
	wr_json_array_begin(&writer);
	is_whole = write_workers(&writer, runtime, start);
	wr_json_array_end(&writer);
	wr_json_member_bool(&writer, WR_VIEW("workers_truncated"), !is_whole);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	return wr_text_frame_end(out, start);
}

/* ---- diagnostics ---- */

enum wr_status wr_diagnostic_frame(struct wr_buf *out, struct wr_view code, struct wr_view message,
				   struct wr_view reason, struct wr_view oldest)
{
	struct wr_json_writer writer;
	size_t start = wr_text_frame_begin(out);

	begin_frame(&writer, out, WR_VIEW("diagnostic"));
	wr_json_name(&writer, WR_VIEW("diagnostic"));
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("code"), code);
	wr_json_member_string(&writer, WR_VIEW("message"), message);
	if (reason.data != NULL || oldest.data != NULL) {
		wr_json_name(&writer, WR_VIEW("detail"));
		wr_json_object_begin(&writer);
		if (reason.data != NULL)
			wr_json_member_string(&writer, WR_VIEW("reason"), reason);
		if (oldest.data != NULL)
			wr_json_member_string(&writer, WR_VIEW("oldest_cursor"), oldest);
		wr_json_object_end(&writer);
	}
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	return wr_text_frame_end(out, start);
}

enum wr_status wr_store_failure_frame(struct wr_buf *out, enum wr_status why)
{
	bool is_damage = why == WR_CORRUPT;

	return wr_diagnostic_frame(
		out, is_damage ? WR_VIEW("runtime.store_corrupt") : WR_VIEW("runtime.store_io"),
		is_damage ? WR_VIEW("stored events behind this position are damaged: reconnect "
				    "without a cursor")
			  : WR_VIEW("stored events behind this position could not be read: "
				    "reconnect later, or without a cursor"),
		WR_VIEW_NULL, WR_VIEW_NULL);
}

struct refusal {
	enum wr_status outcome;
	struct wr_view code, message, reason;
};

#define UNUSABLE WR_VIEW_INIT("runtime.cursor_unknown_or_expired")

static const struct refusal refusals[] = {
	{WR_MALFORMED,
	 WR_VIEW_INIT("runtime.cursor_malformed"),
	 WR_VIEW_INIT("this is no cursor of a Runtime: reconnect without a cursor"),
	 {NULL, 0}},
	{WR_SCOPE_MISMATCH, UNUSABLE,
	 WR_VIEW_INIT("the cursor belongs to another stream: reconnect without a cursor"),
	 WR_VIEW_INIT("scope_mismatch")},
	{WR_UNKNOWN, UNUSABLE,
	 WR_VIEW_INIT("the cursor belongs to another log: reconnect without a cursor"),
	 WR_VIEW_INIT("unknown")},
	{WR_AHEAD, UNUSABLE,
	 WR_VIEW_INIT("the cursor lies beyond the newest event: reconnect without a cursor"),
	 WR_VIEW_INIT("ahead")},
	{WR_LOST_TAIL, UNUSABLE,
	 WR_VIEW_INIT("an unclean stop took away what this cursor had seen: reconnect without a "
		      "cursor"),
	 WR_VIEW_INIT("lost_tail")},
	{WR_EXPIRED, UNUSABLE,
	 WR_VIEW_INIT("events after the cursor are no longer kept: reconnect without a cursor, or "
		      "with oldest_cursor"),
	 WR_VIEW_INIT("expired")},
};

enum wr_status wr_cursor_refusal_frame(struct wr_buf *out, const struct wr_runtime *runtime,
				       uint32_t worker, enum wr_status outcome, uint64_t oldest)
{
	char cursor[WR_CURSOR_BYTES];
	const struct refusal *refusal = refusals;

	while (refusal->outcome != outcome) {
		refusal++;
		wr_assert(refusal < refusals + WR_COUNT(refusals));
	}
	if (outcome != WR_EXPIRED)
		return wr_diagnostic_frame(out, refusal->code, refusal->message, refusal->reason,
					   WR_VIEW_NULL);
	wr_runtime_cursor(runtime, worker, oldest, cursor);
	return wr_diagnostic_frame(out, refusal->code, refusal->message, refusal->reason,
				   wr_view_of(cursor, sizeof cursor));
}
