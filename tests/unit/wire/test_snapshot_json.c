/* Goal: what is made for one subscriber is the contract's (3.3, 3.6, 3.9), bounded, and says what
 * it leaves out. Method: real Runtimes; frames taken with the client's decoder and compared by
 * meaning; a snapshot is itself a protocol event that our own decoder accepts. */
#include "wire/snapshot_json.h"

#include "check.h"
#include "harness/harness.h"
#include "unit/wire/fixture.h"
#include "unit/wire/frame_payload.h"
#include "unit/wire/json_equal.h"
#include "unit/wire/stored_fixture.h"
#include "wire/protocol_json.h"

static struct fixture fixture;
static struct wr_buf out;

static void begin(const struct wr_runtime_config *config)
{
	fixture_init(&fixture, config);
	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
}

static void end(void)
{
	wr_buf_deinit(&out);
	fixture_deinit(&fixture);
}

static struct wr_view payload(void)
{
	return frame_payload(wr_buf_view(&out));
}

static void check_member(const char *path, const char *expected)
{
	CHECK_STRING(json_at(payload(), path), expected);
}

static void check_covers(const char *expected)
{
	if (!json_covers(wr_view_of_string(expected), payload(), false))
		CHECK_STRING(payload(), expected);
}

static void check_cursor(const char *path, uint32_t worker, uint64_t sequence, const char *prefix)
{
	struct wr_view value = json_at(payload(), path);
	char expected[64];
	struct wr_buf text;
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_cursor(fixture.runtime, worker, sequence, cursor);
	wr_buf_init_fixed(&text, expected, sizeof expected);
	wr_buf_append_byte(&text, '"');
	wr_buf_append_view(&text, wr_view_of_string(prefix));
	wr_buf_append(&text, cursor, sizeof cursor);
	wr_buf_append_byte(&text, '"');
	CHECK_VIEW(value, wr_buf_view(&text));
}

static void snapshot(const struct wr_worker *worker, uint64_t sequence, enum wr_compat compat)
{
	wr_buf_reset(&out);
	CHECK_STATUS(wr_worker_snapshot_frame(&out, fixture.runtime, worker, sequence, compat),
		     WR_OK);
}

#define GREETING                                                                                 \
	"\"greeting\":{\"worker_name\":\"worker-00000001\",\"cwd\":\"\",\"provider\":\"worker-"  \
	"runtime\",\"model\":\"worker-runtime\",\"scope_summary\":\"observation\",\"tools\":[]," \
	"\"context_window\":0,\"context_tokens\":0}"

/* ---- a Worker's snapshot ---- */

static void test_a_fresh_worker_has_the_contracts_snapshot(void)
{
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	snapshot(worker, 2, WR_COMPAT_NONE);
	check_covers("{\"kind\":\"event\",\"envelope\":{\"worker_id\":\"worker-00000001\","
		     "\"sequence\":2,\"log_id\":\"" FIXTURE_LOG_ID
		     "\",\"payload\":{\"event\":\"snapshot\",\"data\":{\"entries\":[]," GREETING
		     ",\"status\":\"idle\",\"entries_truncated\":false}}}}");
	check_cursor("envelope.cursor", worker->number, 2, "");
	check_cursor("envelope.event_id", worker->number, 2, "snapshot:");
	CHECK_U64(json_count(json_at(payload(), "envelope")), 6);
	CHECK_U64(json_count(json_at(payload(), "envelope.payload.data")), 4);
	end();
}

static void test_entries_are_what_was_said(void)
{
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "hi \"you\"");
	fixture_say(&fixture, worker, WR_INPUT_SYSTEM, "note");
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DONE, "hello");
	snapshot(worker, 5, WR_COMPAT_NONE);
	CHECK_STRING(
		json_at(payload(), "envelope.payload.data.entries"),
		"[{\"kind\":\"user_input\",\"ts\":1782400000000,\"segments\":[{\"kind\":\"text\","
		"\"content\":\"hi \\\"you\\\"\"}],\"sequence\":1},{\"kind\":\"system_item\",\"ts\":"
		"1782400000000,\"item\":{\"kind\":\"embedded_worker_system_input\",\"content\":"
		"\"note\"},\"sequence\":2},{\"kind\":\"assistant_item\",\"ts\":1782400000000,"
		"\"item\":{\"kind\":\"text\",\"content\":\"hello\"},\"sequence\":3}]");
	end();
}

static void test_status_follows_the_phase(void)
{
	static const struct {
		enum wr_phase phase;
		const char *status;
	} steps[] = {
		{WR_PHASE_STARTING, "\"running\""}, {WR_PHASE_BUSY, "\"running\""},
		{WR_PHASE_WAITING, "\"paused\""},   {WR_PHASE_IDLE, "\"idle\""},
		{WR_PHASE_FAILED, "\"idle\""},
	};
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	const struct wr_worker *worker;
	struct wr_ack ack;

	begin(NULL);
	worker = fixture_create(&fixture, &request);
	for (size_t i = 0; i < WR_COUNT(steps); i++) {
		wr_test_case(wr_phase_name(steps[i].phase));
		CHECK_STATUS(wr_runtime_phase(fixture.runtime, worker->number, steps[i].phase,
					      WR_VIEW("test")),
			     WR_OK);
		snapshot(worker, 1, WR_COMPAT_NONE);
		check_member("envelope.payload.data.status", steps[i].status);
	}
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	snapshot(worker, 1, WR_COMPAT_NONE);
	check_member("envelope.payload.data.status", "\"idle\"");
	end();
}

static void test_unfinished_output_is_in_flight(void)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	struct wr_output call = {
		.kind = WR_OUTPUT_TOOL_CALL_START, .id = WR_VIEW("c1"), .name = WR_VIEW("Read")};
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, &request);
	fixture_output(&fixture, worker, WR_OUTPUT_THINKING_DELTA, "hm");
	fixture_output(&fixture, worker, WR_OUTPUT_THINKING_DONE, "hm");
	CHECK_STATUS(wr_runtime_output(fixture.runtime, worker->number, &call), WR_OK);
	call.id = WR_VIEW("c2");
	CHECK_STATUS(wr_runtime_output(fixture.runtime, worker->number, &call), WR_OK);
	call.kind = WR_OUTPUT_TOOL_CALL_ARGS_DELTA;
	call.text = WR_VIEW("{\"a\":");
	CHECK_STATUS(wr_runtime_output(fixture.runtime, worker->number, &call), WR_OK);
	call.id = WR_VIEW("c3");
	call.kind = WR_OUTPUT_TOOL_CALL_START;
	CHECK_STATUS(wr_runtime_output(fixture.runtime, worker->number, &call), WR_OK);
	call.kind = WR_OUTPUT_TOOL_CALL_DONE;
	call.text = WR_VIEW("{}");
	CHECK_STATUS(wr_runtime_output(fixture.runtime, worker->number, &call), WR_OK);
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DELTA, "par");
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DELTA, "tial");
	snapshot(worker, 2, WR_COMPAT_NONE);
	check_member(
		"envelope.payload.data.in_flight",
		"{\"blocks\":[{\"kind\":\"thinking\",\"text\":\"hm\",\"finished\":true},{"
		"\"kind\":\"tool_call\",\"id\":\"c1\",\"name\":\"Read\",\"args\":\"\"},{"
		"\"kind\":\"tool_call\",\"id\":\"c2\",\"name\":\"Read\",\"args\":"
		"\"{\\\"a\\\":\",\"state\":\"streaming_args\"},{\"kind\":\"tool_call\",\"id\":"
		"\"c3\",\"name\":\"Read\",\"args\":\"{}\",\"state\":\"done\"},{\"kind\":\"text\","
		"\"text\":\"partial\"}]}");
	end();
}

/* What we send as a snapshot is what we would accept as one. */
static void test_a_snapshot_is_a_protocol_event(void)
{
	struct wr_output output;
	struct wr_error error;
	struct wr_buf texts;
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "hi");
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DELTA, "par");
	snapshot(worker, 4, WR_COMPAT_NONE);
	wr_buf_init(&texts, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	CHECK_STATUS(wr_protocol_event_read(&output, &texts, json_at(payload(), "envelope.payload"),
					    &error),
		     WR_OK);
	CHECK(json_covers(output.text, json_at(payload(), "envelope.payload.data"), false));
	wr_buf_deinit(&texts);
	end();
}

static void test_old_clients_get_an_empty_snapshot(void)
{
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "hi");
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DELTA, "par");
	snapshot(worker, 2, WR_COMPAT_YOI_2026_06);
	CHECK(json_equal(json_at(payload(), "envelope.payload"),
			 WR_VIEW("{\"event\":\"snapshot\",\"data\":{\"entries\":[]," GREETING
				 ",\"status\":\"idle\"}}")));
	check_cursor("envelope.cursor", worker->number, 2, "");
	end();
}

static size_t count_entries(void)
{
	struct wr_json_reader reader;
	struct wr_view element;
	size_t count = 0;

	wr_json_reader_init(&reader, json_at(payload(), "envelope.payload.data.entries"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	while (json_element(&reader, &element))
		count++;
	return count;
}

static void test_entries_are_bounded_by_count(void)
{
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	for (unsigned i = 0; i < WR_SNAPSHOT_ENTRY_COUNT_MAX; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), WR_SNAPSHOT_ENTRY_COUNT_MAX);
	check_member("envelope.payload.data.entries_truncated", "false");
	fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), WR_SNAPSHOT_ENTRY_COUNT_MAX);
	check_member("envelope.payload.data.entries_truncated", "true");
	end();
}

static void test_entries_are_bounded_by_bytes(void)
{
	static char content[WR_SNAPSHOT_ENTRY_BYTES_MAX + 2];
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	memset(content, 'x', WR_SNAPSHOT_ENTRY_BYTES_MAX / 2);
	for (unsigned i = 0; i < 3; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, content);
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), 2);
	check_member("envelope.payload.data.entries_truncated", "true");
	memset(content, 'x', sizeof content - 1);
	fixture_say(&fixture, worker, WR_INPUT_USER, content);
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), 0); /* REST has it */
	check_member("envelope.payload.data.entries_truncated", "true");
	end();
}

/* ---- entries from the store ---- */

static struct scripted_store store;

static void begin_stored(void)
{
	stored_fixture_open(&fixture, &store, 1000);
	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
}

static void end_stored(void)
{
	end();
	scripted_store_deinit(&store);
	store = (struct scripted_store){.count = 0};
}

static uint64_t first_sequence(void)
{
	struct wr_json_reader reader;
	struct wr_view element;

	wr_json_reader_init(&reader, json_at(payload(), "envelope.payload.data.entries"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(json_element(&reader, &element));
	return strtoull(json_at(element, "sequence").data, NULL, 10);
}

/* The same was said to a Runtime that has all of it in memory: the snapshots are the same. */
static void test_entries_from_the_store_are_those_of_memory(void)
{
	for (unsigned count = 0; count < 300; count += count < 10 ? 1 : 58) {
		const struct wr_worker *worker;
		struct wr_buf expected;

		begin(NULL);
		worker = fixture_create(&fixture, NULL);
		stored_fixture_say(&fixture, worker, count);
		CHECK_U64(worker->transcript.first, 0);
		wr_buf_init(&expected, wr_test_allocator(), WR_FRAME_BYTES_MAX);
		CHECK_STATUS(wr_worker_snapshot_frame(&expected, fixture.runtime, worker, 2,
						      WR_COMPAT_NONE),
			     WR_OK);
		end();
		begin_stored();
		worker = fixture_create(&fixture, NULL);
		stored_fixture_say(&fixture, worker, count);
		CHECK(count < 20 || worker->transcript.first > count - 20);
		store.read_count = 0;
		snapshot(worker, 2, WR_COMPAT_NONE);
		CHECK_VIEW(wr_buf_view(&out), wr_buf_view(&expected));
		CHECK(store.read_count <= WR_SNAPSHOT_ENTRY_COUNT_MAX); /* each at most once */
		wr_buf_deinit(&expected);
		end_stored();
	}
}

static void test_a_snapshot_after_a_restart_is_filled(void)
{
	const struct wr_worker *worker;

	begin_stored();
	worker = fixture_create(&fixture, NULL);
	stored_fixture_say(&fixture, worker, 100);
	store.wants_checkpoint = true;
	wr_runtime_settle(fixture.runtime);
	CHECK(store.part_count != 0);
	wr_runtime_free(fixture.runtime);
	stored_fixture_open(&fixture, &store, 1000);
	worker = wr_runtime_worker(fixture.runtime, 1);
	snapshot(worker, store.count, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), 100);
	CHECK_U64(first_sequence(), 1);
	check_member("envelope.payload.data.entries_truncated", "false");
	end_stored();
}

static void test_items_that_the_store_gave_up_are_truncated(void)
{
	const struct wr_worker *worker;
	struct wr_view ignored;

	begin_stored();
	worker = fixture_create(&fixture, NULL);
	stored_fixture_say(&fixture, worker, 50);
	scripted_evict(&store, 20); /* items 1..18 and the creation */
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), 32);
	CHECK_U64(first_sequence(), 19);
	check_member("envelope.payload.data.entries_truncated", "true");
	CHECK(!json_member(json_at(payload(), "envelope.payload.data"), WR_VIEW("entries_error"),
			   &ignored));
	end_stored();
}

static void test_items_that_cannot_be_read_are_told(void)
{
	static const struct {
		enum wr_status mood;
		const char *code;
	} cases[] = {{WR_CORRUPT, "\"store_corrupt\""}, {WR_IO, "\"store_io\""}};
	const struct wr_worker *worker;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].code);
		begin_stored();
		worker = fixture_create(&fixture, NULL);
		stored_fixture_say(&fixture, worker, 50);
		stored_fixture_damage(&store, 11, cases[i].mood);
		snapshot(worker, 2, WR_COMPAT_NONE);
		CHECK_U64(count_entries(), 39);
		CHECK_U64(first_sequence(), 12);
		check_member("envelope.payload.data.entries_truncated", "true");
		check_member("envelope.payload.data.entries_error.code", cases[i].code);
		CHECK(json_at(payload(), "envelope.payload.data.entries_error.message").bytes > 10);
		end_stored();
	}
}

static void test_a_store_without_memory_makes_no_snapshot(void)
{
	const struct wr_worker *worker;

	begin_stored();
	worker = fixture_create(&fixture, NULL);
	stored_fixture_say(&fixture, worker, 50);
	stored_fixture_damage(&store, 11, WR_NO_MEMORY);
	CHECK_STATUS(wr_worker_snapshot_frame(&out, fixture.runtime, worker, 2, WR_COMPAT_NONE),
		     WR_NO_MEMORY);
	CHECK_U64(out.bytes, 0);
	end_stored();
}

static void test_what_is_held_back_is_not_in_a_snapshot(void)
{
	const struct wr_worker *worker;

	begin_stored();
	worker = fixture_create(&fixture, NULL);
	stored_fixture_say(&fixture, worker, 30);
	store.is_held = true;
	scripted_show(&store);
	stored_fixture_say(&fixture, worker, 5);
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), 30);
	scripted_show(&store);
	wr_runtime_settle(fixture.runtime);
	snapshot(worker, 2, WR_COMPAT_NONE);
	CHECK_U64(count_entries(), 35);
	end_stored();
}

/* ---- the runtime-wide snapshot ---- */

static size_t count_workers(void)
{
	struct wr_json_reader reader;
	struct wr_view element;
	size_t count = 0;

	wr_json_reader_init(&reader, json_at(payload(), "envelope.payload.workers"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	while (json_element(&reader, &element))
		count++;
	return count;
}

static void runtime_snapshot(uint64_t sequence)
{
	wr_buf_reset(&out);
	CHECK_STATUS(wr_runtime_snapshot_frame(&out, fixture.runtime, sequence, WR_COMPAT_NONE),
		     WR_OK);
}

static void test_the_runtime_snapshot_is_the_contracts(void)
{
	begin(NULL);
	runtime_snapshot(1);
	CHECK_U64(count_workers(), 0);
	fixture_create(&fixture, NULL);
	runtime_snapshot(2);
	check_covers("{\"kind\":\"runtime_snapshot\",\"envelope\":{\"runtime_id\":\"rt-a\","
		     "\"sequence\":2,\"log_id\":\"" FIXTURE_LOG_ID
		     "\",\"payload\":{\"runtime\":{\"runtime_id\":\"rt-a\",\"worker_count\":1},"
		     "\"workers\":[{\"worker_id\":\"worker-00000001\",\"status\":\"running\"}],"
		     "\"workers_truncated\":false}}}");
	check_cursor("envelope.cursor", 0, 2, "");
	check_cursor("envelope.event_id", 0, 2, "snapshot:");
	CHECK_U64(json_count(json_at(payload(), "envelope")), 6);
	end();
}

static void test_the_runtime_snapshot_is_bounded_by_count(void)
{
	begin(NULL);
	for (unsigned i = 0; i < WR_SNAPSHOT_WORKER_COUNT_MAX; i++)
		fixture_create(&fixture, NULL);
	runtime_snapshot(1);
	CHECK_U64(count_workers(), WR_SNAPSHOT_WORKER_COUNT_MAX);
	check_member("envelope.payload.workers_truncated", "false");
	fixture_create(&fixture, NULL);
	runtime_snapshot(1);
	CHECK_U64(count_workers(), WR_SNAPSHOT_WORKER_COUNT_MAX);
	check_member("envelope.payload.workers_truncated", "true");
	end();
}

static void test_the_runtime_snapshot_is_bounded_by_bytes(void)
{
	static char objective[400000];
	struct wr_create request = {.intent = WR_INTENT_TASK,
				    .objective = {objective, sizeof objective}};

	begin(NULL);
	memset(objective, 'x', sizeof objective);
	for (unsigned i = 0; i < 3; i++)
		fixture_create(&fixture, &request);
	runtime_snapshot(1);
	CHECK_U64(count_workers(), 2);
	CHECK(out.bytes < WR_SNAPSHOT_BYTES_MAX + 64);
	check_member("envelope.payload.workers_truncated", "true");
	end();
	/* One that fits alone in no snapshot: every byte is written as six. */
	begin(NULL);
	memset(objective, 1, sizeof objective);
	fixture_create(&fixture, &request);
	runtime_snapshot(1);
	CHECK_U64(count_workers(), 0);
	check_member("envelope.payload.workers_truncated", "true");
	end();
}

/* ---- diagnostics ---- */

static void test_diagnostics_are_exact(void)
{
	begin(NULL);
	CHECK_STATUS(wr_diagnostic_frame(&out, WR_VIEW("runtime.observation_only"), WR_VIEW("no"),
					 WR_VIEW_NULL, WR_VIEW_NULL),
		     WR_OK);
	CHECK_STRING(payload(), "{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"runtime."
				"observation_only\",\"message\":\"no\"}}");
	wr_buf_reset(&out);
	CHECK_STATUS(wr_diagnostic_frame(&out, WR_VIEW("c"), WR_VIEW("m"), WR_VIEW("expired"),
					 WR_VIEW("wo_x")),
		     WR_OK);
	CHECK_STRING(payload(), "{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"c\","
				"\"message\":\"m\",\"detail\":{\"reason\":\"expired\","
				"\"oldest_cursor\":\"wo_x\"}}}");
	end();
}

static void test_a_store_that_cannot_be_read_is_told(void)
{
	begin(NULL);
	CHECK_STATUS(wr_store_failure_frame(&out, WR_CORRUPT), WR_OK);
	check_member("kind", "\"diagnostic\"");
	check_member("diagnostic.code", "\"runtime.store_corrupt\"");
	wr_buf_reset(&out);
	CHECK_STATUS(wr_store_failure_frame(&out, WR_IO), WR_OK);
	check_member("diagnostic.code", "\"runtime.store_io\"");
	end();
}

static void test_refused_cursors_are_told_why(void)
{
	static const struct {
		enum wr_status outcome;
		const char *code, *reason; /* NULL: no detail */
	} cases[] = {
		{WR_MALFORMED, "\"runtime.cursor_malformed\"", NULL},
		{WR_SCOPE_MISMATCH, "\"runtime.cursor_unknown_or_expired\"", "\"scope_mismatch\""},
		{WR_UNKNOWN, "\"runtime.cursor_unknown_or_expired\"", "\"unknown\""},
		{WR_AHEAD, "\"runtime.cursor_unknown_or_expired\"", "\"ahead\""},
		{WR_LOST_TAIL, "\"runtime.cursor_unknown_or_expired\"", "\"lost_tail\""},
		{WR_EXPIRED, "\"runtime.cursor_unknown_or_expired\"", "\"expired\""},
	};

	begin(NULL);
	fixture_create(&fixture, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(wr_status_name(cases[i].outcome));
		for (uint32_t worker = 0; worker <= 1; worker++) {
			struct wr_view diagnostic, ignored;

			wr_buf_reset(&out);
			CHECK_STATUS(wr_cursor_refusal_frame(&out, fixture.runtime, worker,
							     cases[i].outcome, 2),
				     WR_OK);
			check_member("kind", "\"diagnostic\"");
			check_member("diagnostic.code", cases[i].code);
			diagnostic = json_at(payload(), "diagnostic");
			CHECK(json_at(diagnostic, "message").bytes > 10);
			CHECK(json_member(diagnostic, WR_VIEW("detail"), &ignored) ==
			      (cases[i].reason != NULL));
			if (cases[i].reason != NULL)
				check_member("diagnostic.detail.reason", cases[i].reason);
			if (cases[i].outcome == WR_EXPIRED)
				check_cursor("diagnostic.detail.oldest_cursor", worker, 2, "");
			else if (cases[i].reason != NULL)
				CHECK_U64(json_count(json_at(diagnostic, "detail")), 1);
		}
	}
	end();
}

/* Made alone, behind whatever is there, it has the bytes that it has in the frame. */
static void test_the_payload_alone_is_that_of_the_frame(void)
{
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned compat = WR_COMPAT_NONE; compat <= WR_COMPAT_YOI_2026_06; compat++) {
			struct wr_buf alone;

			wr_buf_init(&alone, wr_test_allocator(), SIZE_MAX);
			wr_buf_append_byte(&alone, ':');
			CHECK_STATUS(wr_worker_snapshot_payload(&alone, fixture.runtime, worker,
								(enum wr_compat)compat),
				     WR_OK);
			wr_buf_append(&alone, "}}", 2);
			snapshot(worker, 2, (enum wr_compat)compat);
			CHECK(out.bytes > alone.bytes);
			CHECK_VIEW(wr_view_skip(wr_buf_view(&out), out.bytes - alone.bytes),
				   wr_buf_view(&alone));
			wr_buf_deinit(&alone);
			fixture_say(&fixture, worker, WR_INPUT_USER, "hi");
		}
	end();
}

static void test_failure_leaves_nothing_of_the_frame(void)
{
	char storage[2048];
	const struct wr_worker *worker;
	struct wr_buf small;
	size_t bytes;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "hi");
	snapshot(worker, 2, WR_COMPAT_NONE);
	bytes = out.bytes;
	for (size_t room = 1; room < bytes; room++) {
		wr_buf_init_fixed(&small, storage, room);
		CHECK_STATUS(wr_worker_snapshot_frame(&small, fixture.runtime, worker, 2,
						      WR_COMPAT_NONE),
			     WR_TOO_LARGE);
		CHECK_U64(small.bytes, 0);
		wr_buf_init_fixed(&small, storage, room);
		if (wr_worker_snapshot_payload(&small, fixture.runtime, worker, WR_COMPAT_NONE) ==
		    WR_OK)
			CHECK(small.bytes < bytes && small.data[small.bytes - 1] == '}');
		else
			CHECK_STATUS(wr_buf_status(&small), WR_TOO_LARGE);
	}
	runtime_snapshot(2);
	bytes = out.bytes;
	CHECK(bytes < sizeof storage);
	for (size_t room = 1; room < bytes; room++) {
		wr_buf_init_fixed(&small, storage, room);
		CHECK_STATUS(wr_runtime_snapshot_frame(&small, fixture.runtime, 2, WR_COMPAT_NONE),
			     WR_TOO_LARGE);
		CHECK_U64(small.bytes, 0);
	}
	for (uint64_t n = 1;; n++) {
		enum wr_status status;

		wr_buf_init(&small, wr_test_allocator(), WR_FRAME_BYTES_MAX);
		wr_test_fail_allocation(n, false);
		status = wr_worker_snapshot_frame(&small, fixture.runtime, worker, 2,
						  WR_COMPAT_NONE);
		wr_buf_deinit(&small);
		if (!wr_test_allocation_failed())
			break;
		CHECK_STATUS(status, WR_NO_MEMORY);
	}
	wr_test_fail_allocation(0, false);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_fresh_worker_has_the_contracts_snapshot),
	WR_TEST(test_entries_are_what_was_said),
	WR_TEST(test_status_follows_the_phase),
	WR_TEST(test_unfinished_output_is_in_flight),
	WR_TEST(test_a_snapshot_is_a_protocol_event),
	WR_TEST(test_old_clients_get_an_empty_snapshot),
	WR_TEST(test_entries_are_bounded_by_count),
	WR_TEST(test_entries_are_bounded_by_bytes),
	WR_TEST(test_entries_from_the_store_are_those_of_memory),
	WR_TEST(test_a_snapshot_after_a_restart_is_filled),
	WR_TEST(test_items_that_the_store_gave_up_are_truncated),
	WR_TEST(test_items_that_cannot_be_read_are_told),
	WR_TEST(test_a_store_without_memory_makes_no_snapshot),
	WR_TEST(test_what_is_held_back_is_not_in_a_snapshot),
	WR_TEST(test_the_runtime_snapshot_is_the_contracts),
	WR_TEST(test_the_runtime_snapshot_is_bounded_by_count),
	WR_TEST(test_the_runtime_snapshot_is_bounded_by_bytes),
	WR_TEST(test_the_payload_alone_is_that_of_the_frame),
	WR_TEST(test_diagnostics_are_exact),
	WR_TEST(test_a_store_that_cannot_be_read_is_told),
	WR_TEST(test_refused_cursors_are_told_why),
	WR_TEST(test_failure_leaves_nothing_of_the_frame),
	WR_TEST_END,
};
