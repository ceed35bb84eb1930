#include "backend/browser_json.h"

#include "check.h"
#include "codec/json/number.h"
#include "wire/dropped_json.h"

/* What is the same for all sources of a kind. */
struct kind_words {
	struct wr_view source, runtime, host, worker, scope, visibility, identity, note;
};

static const struct kind_words *words_of(enum wr_source_kind kind)
{
	static const struct kind_words words[] = {
		[WR_SOURCE_LOCAL] = {WR_VIEW_INIT("local_compatibility"), WR_VIEW_INIT("local_pod"),
				     WR_VIEW_INIT("local-worker-host"), WR_VIEW_INIT("local_pod"),
				     WR_VIEW_INIT("current_workspace"),
				     WR_VIEW_INIT("current_workspace"),
				     WR_VIEW_INIT("runtime_workspace"),
				     WR_VIEW_INIT("read-only view of what an older tool recorded")},
		[WR_SOURCE_EMBEDDED] = {WR_VIEW_INIT("embedded_worker_runtime"),
					WR_VIEW_INIT("embedded_worker_runtime"),
					WR_VIEW_INIT("embedded-worker-runtime-host"),
					WR_VIEW_INIT("embedded_worker_runtime"),
					WR_VIEW_INIT("backend_internal"),
					WR_VIEW_INIT("backend_internal"),
					WR_VIEW_INIT("runtime_registry_worker"),
					WR_VIEW_INIT("in process")},
		[WR_SOURCE_REMOTE] = {WR_VIEW_INIT("remote_http"),
				      WR_VIEW_INIT("remote_worker_runtime"),
				      WR_VIEW_INIT("remote-worker-runtime-host"),
				      WR_VIEW_INIT("remote_worker_runtime"),
				      WR_VIEW_INIT("remote_runtime_backend_private"),
				      WR_VIEW_INIT("remote_runtime"),
				      WR_VIEW_INIT("runtime_registry_worker"),
				      WR_VIEW_INIT("in another process")},
	};

	wr_assert((unsigned)kind < WR_COUNT(words));
	return &words[kind];
}

/* ---- small parts ---- */

static void write_optional(struct wr_json_writer *out, struct wr_view name, struct wr_view text)
{
	wr_json_name(out, name);
	if (text.data != NULL)
		wr_json_string(out, text);
	else
		wr_json_null(out);
}

static struct wr_view severity_word(enum wr_notice_severity severity)
{
	switch (severity) {
	case WR_NOTICE_INFO:
		return WR_VIEW("info");
	case WR_NOTICE_WARNING:
		return WR_VIEW("warning");
	case WR_NOTICE_ERROR:
		return WR_VIEW("error");
	}
	wr_unreachable();
}

static void write_notices(struct wr_json_writer *out, const struct wr_notices *notices)
{
	wr_json_name(out, WR_VIEW("diagnostics"));
	wr_json_array_begin(out);
	for (uint32_t i = 0; i < notices->count; i++) {
		const struct wr_notice *notice = &notices->items[i];

		wr_json_object_begin(out);
		wr_json_member_string(out, WR_VIEW("code"), wr_view_of_string(notice->code));
		wr_json_member_string(out, WR_VIEW("severity"), severity_word(notice->severity));
		wr_json_member_string(out, WR_VIEW("message"), wr_view_of_string(notice->message));
		wr_json_object_end(out);
	}
	wr_json_array_end(out);
}

static void write_capabilities(struct wr_json_writer *out,
			       const struct wr_runtime_overview *overview, uint32_t limit)
{
	static const struct {
		struct wr_view name;
		unsigned bit; /* 0: no source has it */
	} rows[] = {
		{WR_VIEW_INIT("can_list_hosts"), WR_CAN_LIST_HOSTS},
		{WR_VIEW_INIT("can_list_workers"), WR_CAN_LIST_WORKERS},
		{WR_VIEW_INIT("can_get_worker"), WR_CAN_GET_WORKER},
		{WR_VIEW_INIT("can_spawn_worker"), WR_CAN_SPAWN},
		{WR_VIEW_INIT("can_stop_worker"), WR_CAN_STOP},
		{WR_VIEW_INIT("can_accept_input"), WR_CAN_INPUT},
		{WR_VIEW_INIT("can_stream_events"), WR_CAN_STREAM},
		{WR_VIEW_INIT("can_read_bounded_transcript"), WR_CAN_TRANSCRIPT},
		{WR_VIEW_INIT("has_workspace_fs"), 0},
		{WR_VIEW_INIT("has_shell"), 0},
		{WR_VIEW_INIT("has_git"), 0},
		{WR_VIEW_INIT("supports_worktrees"), 0},
		{WR_VIEW_INIT("supports_backend_internal_tools"), WR_HAS_INTERNAL_TOOLS},
	};

	wr_json_name(out, WR_VIEW("capabilities"));
	wr_json_object_begin(out);
	for (size_t i = 0; i < WR_COUNT(rows); i++)
		wr_json_member_bool(out, rows[i].name, (overview->can & rows[i].bit) != 0);
	wr_json_member_string(out, WR_VIEW("local_pod_inspection"), overview->local_pod_inspection);
	wr_json_member_string(out, WR_VIEW("workspace_scope"), words_of(overview->kind)->scope);
	wr_json_member_u64(out, WR_VIEW("max_workers"), limit);
	wr_json_member_string(out, WR_VIEW("os"), overview->os);
	wr_json_member_string(out, WR_VIEW("arch"), overview->arch);
	wr_json_object_end(out);
}

/* ---- Runtimes and hosts ---- */

void wr_browser_runtime_write(struct wr_json_writer *out,
			      const struct wr_runtime_overview *overview, uint32_t limit)
{
	const struct kind_words *words = words_of(overview->kind);

	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("runtime_id"), overview->runtime_id);
	wr_json_member_string(out, WR_VIEW("label"), overview->label);
	wr_json_member_string(out, WR_VIEW("kind"), words->runtime);
	wr_json_member_string(out, WR_VIEW("status"), overview->status);
	wr_json_name(out, WR_VIEW("source"));
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("kind"), words->source);
	wr_json_member_string(out, WR_VIEW("status"), WR_VIEW("active"));
	wr_json_member_string(out, WR_VIEW("identity_authority"),
			      WR_VIEW("runtime_registry_projection"));
	wr_json_member_string(out, WR_VIEW("note"), words->note);
	wr_json_object_end(out);
	wr_json_name(out, WR_VIEW("host_ids"));
	wr_json_array_begin(out);
	if (limit != 0)
		wr_json_string(out, overview->host_id);
	wr_json_array_end(out);
	write_capabilities(out, overview, limit);
	write_notices(out, &overview->notices);
	wr_json_object_end(out);
}

/* RFC 3339, as the contract has it: a fraction, and UTC spelled +00:00. */
enum { TIME_BYTES = sizeof "2026-06-26T06:00:00.123+00:00" - 1 };

static void put_digits(char *to, unsigned count, int64_t value)
{
	for (; count-- > 0; value /= 10)
		to[count] = (char)('0' + value % 10);
}

/* Days since the epoch into year, month, day of the Gregorian calendar, by eras of 400 years that
 * begin on 1 March, so that a leap day is the last of its year. */
static void put_date(char *to, int64_t days)
{
	int64_t since = days + 719468, era = since / 146097, day_of_era = since % 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;

	put_digits(to, 4, year_of_era + era * 400 + (month <= 2));
	put_digits(to + 5, 2, month);
	put_digits(to + 8, 2, day_of_year - (153 * shifted + 2) / 5 + 1);
}

static void format_time(char out[TIME_BYTES], int64_t wall_ms)
{
	int64_t ms = wall_ms > 0 ? wall_ms : 0, second = ms / 1000 % 86400;

	memcpy(out, "0000-00-00T00:00:00.000+00:00", TIME_BYTES);
	put_date(out, ms / 86400000);
	put_digits(out + 11, 2, second / 3600);
	put_digits(out + 14, 2, second / 60 % 60);
	put_digits(out + 17, 2, second % 60);
	put_digits(out + 20, 3, ms % 1000);
}

void wr_browser_host_write(struct wr_json_writer *out, const struct wr_runtime_overview *overview,
			   uint32_t limit, int64_t wall_ms)
{
	char time[TIME_BYTES];

	format_time(time, wall_ms);
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("runtime_id"), overview->runtime_id);
	wr_json_member_string(out, WR_VIEW("host_id"), overview->host_id);
	wr_json_member_string(out, WR_VIEW("label"), overview->host_label);
	wr_json_member_string(out, WR_VIEW("kind"), words_of(overview->kind)->host);
	wr_json_member_string(out, WR_VIEW("status"), overview->host_status);
	wr_json_member_string(out, WR_VIEW("observed_at"), wr_view_of(time, sizeof time));
	wr_json_name(out, WR_VIEW("last_seen_at"));
	wr_json_null(out);
	write_capabilities(out, overview, limit);
	write_notices(out, &overview->host_notices);
	wr_json_object_end(out);
}

/* ---- Workers ---- */

static void write_worker_capabilities(struct wr_json_writer *out, unsigned can)
{
	wr_json_name(out, WR_VIEW("capabilities"));
	wr_json_object_begin(out);
	wr_json_member_bool(out, WR_VIEW("can_accept_input"), (can & WR_CAN_INPUT) != 0);
	wr_json_member_bool(out, WR_VIEW("can_stream_events"), (can & WR_CAN_STREAM) != 0);
	wr_json_member_bool(out, WR_VIEW("can_stop"), (can & WR_CAN_STOP) != 0);
	wr_json_member_bool(out, WR_VIEW("can_spawn_followup"), false);
	wr_json_member_bool(out, WR_VIEW("can_read_bounded_transcript"),
			    (can & WR_CAN_TRANSCRIPT) != 0);
	wr_json_object_end(out);
}

static void write_workspace_and_state(struct wr_json_writer *out, const struct kind_words *words,
				      const struct wr_worker_overview *worker)
{
	wr_json_name(out, WR_VIEW("workspace"));
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("visibility"), words->visibility);
	wr_json_member_string(out, WR_VIEW("identity"), words->identity);
	wr_json_object_end(out);
	wr_json_member_string(out, WR_VIEW("state"), worker->state);
	wr_json_member_string(out, WR_VIEW("status"), worker->status);
	wr_json_name(out, WR_VIEW("last_seen_at"));
	wr_json_null(out);
	wr_json_name(out, WR_VIEW("implementation"));
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("kind"), words->worker);
	wr_json_member_string(out, WR_VIEW("display_hint"), worker->display_hint);
	wr_json_object_end(out);
}

void wr_browser_worker_write(struct wr_json_writer *out, const struct wr_browser_source *source,
			     const struct wr_worker_overview *worker)
{
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("runtime_id"), source->runtime_id);
	wr_json_member_string(out, WR_VIEW("worker_id"), worker->worker_id);
	wr_json_member_string(out, WR_VIEW("host_id"), source->host_id);
	wr_json_member_string(out, WR_VIEW("label"), worker->label);
	write_optional(out, WR_VIEW("role"), worker->role);
	write_optional(out, WR_VIEW("profile"), worker->profile);
	write_workspace_and_state(out, words_of(source->kind), worker);
	write_worker_capabilities(out, worker->can);
	write_notices(out, &worker->notices);
	if (worker->phase.data != NULL)
		wr_json_member_string(out, WR_VIEW("phase"), worker->phase);
	if (worker->last_event_id != 0)
		wr_json_member_u64(out, WR_VIEW("last_event_id"), worker->last_event_id);
	if (worker->has_queue)
		wr_json_member_u64(out, WR_VIEW("queued_inputs"), worker->queued_inputs);
	wr_json_object_end(out);
}

/* ---- lists ---- */

void wr_browser_list_begin(struct wr_json_writer *out, struct wr_view workspace_id, uint32_t limit)
{
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("workspace_id"), workspace_id);
	wr_json_member_u64(out, WR_VIEW("limit"), limit);
	wr_json_name(out, WR_VIEW("items"));
	wr_json_array_begin(out);
}

void wr_browser_list_end(struct wr_json_writer *out, const struct wr_notices *notices)
{
	wr_json_array_end(out);
	wr_json_member_string(out, WR_VIEW("source"), WR_VIEW("worker_runtime_registry"));
	write_notices(out, notices);
	wr_json_object_end(out);
}

/* ---- results of operations ---- */

static struct wr_view state_word(enum wr_source_outcome outcome)
{
	switch (outcome) {
	case WR_SOURCE_ACCEPTED:
		return WR_VIEW("accepted");
	case WR_SOURCE_REJECTED:
		return WR_VIEW("rejected");
	case WR_SOURCE_UNSUPPORTED:
		return WR_VIEW("unsupported");
	case WR_SOURCE_UNKNOWN_WORKER:
	case WR_SOURCE_FAILED:
		break;
	}
	wr_unreachable();
}

static void begin_result(struct wr_json_writer *out, const struct wr_source_result *result,
			 struct wr_view runtime_id, struct wr_view worker_id)
{
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("state"), state_word(result->outcome));
	wr_json_member_string(out, WR_VIEW("runtime_id"), runtime_id);
	wr_json_member_string(out, WR_VIEW("worker_id"), worker_id);
}

static void end_result(struct wr_json_writer *out, const struct wr_source_result *result)
{
	write_notices(out, &result->notices);
	wr_json_object_end(out);
}

void wr_browser_spawn_write(struct wr_json_writer *out, const struct wr_source_result *result,
			    struct wr_view worker)
{
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("state"), state_word(result->outcome));
	if (worker.data != NULL) {
		wr_json_name(out, WR_VIEW("worker"));
		wr_json_raw(out, worker);
	}
	wr_json_name(out, WR_VIEW("acceptance_evidence"));
	wr_json_array_begin(out);
	for (size_t i = 0; i < WR_COUNT(result->evidence); i++) {
		if (result->evidence[i].kind == NULL)
			continue;
		wr_json_object_begin(out);
		wr_json_member_string(out, WR_VIEW("kind"),
				      wr_view_of_string(result->evidence[i].kind));
		wr_json_member_string(out, WR_VIEW("detail"),
				      wr_view_of_string(result->evidence[i].detail));
		wr_json_object_end(out);
	}
	wr_json_array_end(out);
	end_result(out, result);
}

void wr_browser_input_write(struct wr_json_writer *out, const struct wr_source_result *result,
			    struct wr_view runtime_id, struct wr_view worker_id)
{
	begin_result(out, result, runtime_id, worker_id);
	if (result->outcome == WR_SOURCE_ACCEPTED) {
		wr_json_member_u64(out, WR_VIEW("transcript_sequence"),
				   result->transcript_sequence);
		wr_json_member_u64(out, WR_VIEW("event_id"), result->event_id);
	}
	end_result(out, result);
}

void wr_browser_lifecycle_write(struct wr_json_writer *out, const struct wr_source_result *result,
				struct wr_view runtime_id, struct wr_view worker_id)
{
	begin_result(out, result, runtime_id, worker_id);
	if (result->outcome == WR_SOURCE_ACCEPTED)
		wr_json_member_u64(out, WR_VIEW("event_id"), result->event_id);
	if (result->outcome == WR_SOURCE_ACCEPTED && result->has_dropped)
		wr_append_dropped(out->out, result->dropped);
	end_result(out, result);
}

void wr_browser_bundle_write(struct wr_json_writer *out, const struct wr_source_result *result,
			     struct wr_view availability)
{
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("state"), state_word(result->outcome));
	if (availability.data != NULL) {
		wr_json_name(out, WR_VIEW("availability"));
		wr_json_raw(out, availability);
	}
	end_result(out, result);
}

/* ---- transcripts ---- */

void wr_browser_entry_write(struct wr_json_writer *out, const struct wr_transcript_entry *entry)
{
	wr_json_object_begin(out);
	wr_json_member_u64(out, WR_VIEW("sequence"), entry->sequence);
	wr_json_member_string(out, WR_VIEW("role"), entry->role);
	wr_json_member_string(out, WR_VIEW("content"), entry->content);
	wr_json_member_u64(out, WR_VIEW("event_id"), entry->event_id);
	wr_json_object_end(out);
}

void wr_browser_transcript_begin(struct wr_json_writer *out, const struct wr_source_result *result,
				 struct wr_view runtime_id, struct wr_view worker_id)
{
	begin_result(out, result, runtime_id, worker_id);
	wr_json_member_u64(out, WR_VIEW("start"), result->page.start);
	wr_json_member_u64(out, WR_VIEW("limit"), result->page.limit);
	wr_json_member_u64(out, WR_VIEW("total_items"), result->page.total_items);
	if (result->page.has_next_start)
		wr_json_member_u64(out, WR_VIEW("next_start"), result->page.next_start);
	wr_json_name(out, WR_VIEW("items"));
	wr_json_array_begin(out);
}

void wr_browser_transcript_end(struct wr_json_writer *out, const struct wr_source_result *result)
{
	wr_json_array_end(out);
	end_result(out, result);
}

/* ---- the workspace ---- */

static void write_extension(struct wr_json_writer *out, struct wr_view name, struct wr_view status,
			    struct wr_view note)
{
	wr_json_name(out, name);
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("status"), status);
	wr_json_member_string(out, WR_VIEW("note"), note);
	wr_json_object_end(out);
}

/* Of the credential only whether there is one, under the name that the contract gives it. */
static void write_auth(struct wr_json_writer *out, bool is_token_configured)
{
	wr_json_name(out, WR_VIEW("auth"));
	wr_json_object_begin(out);
	wr_json_name(out, WR_VIEW("LocalDevToken"));
	wr_json_object_begin(out);
	wr_json_member_bool(out, WR_VIEW("token_configured"), is_token_configured);
	wr_json_object_end(out);
	wr_json_object_end(out);
}

void wr_browser_workspace_write(struct wr_json_writer *out,
				const struct wr_browser_workspace *workspace)
{
	bool has_streams = workspace->has_streams;

	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("workspace_id"), workspace->workspace_id);
	wr_json_member_string(out, WR_VIEW("display_name"), workspace->display_name);
	wr_json_member_string(out, WR_VIEW("record_authority"), WR_VIEW("workspace_identity"));
	wr_json_name(out, WR_VIEW("schema_version"));
	wr_json_i64(out, 1);
	write_auth(out, workspace->is_token_configured);
	wr_json_name(out, WR_VIEW("extension_points"));
	wr_json_object_begin(out);
	wr_json_member_string(out, WR_VIEW("store"), WR_VIEW("none"));
	write_extension(out, WR_VIEW("event_stream"),
			has_streams ? WR_VIEW("available") : WR_VIEW("unavailable"),
			has_streams ? WR_VIEW("the events of each Worker, live and resumable")
				    : WR_VIEW("no runtime here has events to observe"));
	write_extension(out, WR_VIEW("host_worker_bridge"), WR_VIEW("available"),
			WR_VIEW("Workers of all runtimes, under one face"));
	wr_json_object_end(out);
	wr_json_object_end(out);
}
