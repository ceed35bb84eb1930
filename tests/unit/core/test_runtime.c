/* Goal: every operation answers as the contract says, in its order of checks, and a refused one
 * changes nothing. Method: one fault after the other taken away from requests that have all of
 * them; dumps of everything before and after. */
#include "unit/core/fixture.h"

#include "bytes/buf.h"

static char large_text[WR_EVENT_BYTES_MAX + 1];

static struct wr_view large(size_t bytes)
{
	memset(large_text, 'x', sizeof large_text);
	return wr_view_of(large_text, bytes);
}

/* ---- beginning ---- */

static void test_a_new_runtime_has_its_names_and_one_event(void)
{
	struct wr_runtime_summary summary;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture.config.display_name = WR_VIEW("Build box");
	fixture_open(&fixture);
	wr_runtime_summary(fixture.runtime, &summary);
	CHECK_STRING(summary.runtime_id, "rt-test");
	CHECK_STRING(summary.display_name, "Build box");
	CHECK(!summary.is_stopped);
	CHECK_U64(summary.worker_count, 0);
	CHECK_U64(summary.diagnostic_count, 0);
	CHECK_U64(summary.transcript_items_max, 256);
	CHECK_U64(summary.event_batch_items_max, 256);
	CHECK_U64(summary.last_sequence, 1); /* runtime_started */
	CHECK_U64(summary.log_id.bytes, 32);
	CHECK_U64(summary.generation, 1);
	CHECK_U64(wr_runtime_visible(fixture.runtime), 1);
	CHECK(wr_runtime_next(fixture.runtime, WR_VIEW_NULL) == NULL);
	fixture_close(&fixture);
}

static void test_names_are_copied(void)
{
	struct wr_runtime_summary summary;
	char id[] = "first", name[] = "second";
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture.config.runtime_id = wr_view_of_string(id);
	fixture.config.display_name = wr_view_of_string(name);
	fixture_open(&fixture);
	memset(id, '?', sizeof id - 1);
	memset(name, '?', sizeof name - 1);
	wr_runtime_summary(fixture.runtime, &summary);
	CHECK_STRING(summary.runtime_id, "first");
	CHECK_STRING(summary.display_name, "second");
	fixture_close(&fixture);
}

static void test_no_name_and_an_empty_name_are_different(void)
{
	struct wr_runtime_summary summary;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	wr_runtime_summary(fixture.runtime, &summary);
	CHECK(summary.display_name.data == NULL);
	fixture_close(&fixture);
	fixture.config.display_name = WR_VIEW("");
	fixture_open(&fixture);
	wr_runtime_summary(fixture.runtime, &summary);
	CHECK(summary.display_name.data != NULL && summary.display_name.bytes == 0);
	fixture_close(&fixture);
}

static void test_made_ids_differ_from_process_to_process(void)
{
	struct wr_runtime_summary summary;
	char ids[3][28], logs[3][32];
	struct fixture fixture;

	for (unsigned i = 0; i < 3; i++) {
		fixture_init(&fixture, i);
		fixture.config.runtime_id = WR_VIEW_NULL;
		fixture_open(&fixture);
		wr_runtime_summary(fixture.runtime, &summary);
		CHECK_U64(summary.runtime_id.bytes, sizeof ids[i]);
		CHECK(wr_view_starts(summary.runtime_id, WR_VIEW("runtime-mem-")));
		memcpy(ids[i], summary.runtime_id.data, sizeof ids[i]);
		memcpy(logs[i], summary.log_id.data, sizeof logs[i]);
		CHECK(i == 0 || memcmp(ids[i], ids[i - 1], sizeof ids[i]) != 0);
		CHECK(i == 0 || memcmp(logs[i], logs[i - 1], sizeof logs[i]) != 0);
		fixture_close(&fixture);
	}
}

static enum wr_status no_entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	(void)out;
	(void)bytes;
	return WR_IO;
}

static void test_a_runtime_that_cannot_begin_leaves_nothing(void)
{
	struct wr_runtime *runtime = NULL;
	struct wr_error error;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture.config.runtime_id = WR_VIEW(" \t\xe3\x80\x80");
	CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error), WR_INVALID);
	CHECK_STATUS(error.status, WR_INVALID);
	fixture.config.runtime_id = WR_VIEW("");
	CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error), WR_INVALID);
	fixture.config.runtime_id = large(sizeof large_text);
	CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error),
		     WR_TOO_LARGE);
	fixture.ports.entropy = no_entropy;
	fixture.config.runtime_id = WR_VIEW_NULL;
	CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error), WR_IO);
	fixture.config.runtime_id = WR_VIEW("given");
	CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error), WR_IO);
	CHECK_STATUS(error.status, WR_IO);
	CHECK(runtime == NULL);
}

/* ---- create ---- */

static enum wr_status create(struct fixture *fixture, const struct wr_create *request,
			     const struct wr_worker **worker)
{
	struct wr_error error;
	enum wr_status status = wr_runtime_create(fixture->runtime, request, NULL, worker, &error);

	CHECK_STATUS(error.status, status);
	CHECK(status != WR_INVALID || error.detail != NULL);
	return status;
}

static struct wr_pairs one_pair(struct wr_buf *list, struct wr_view name, struct wr_view text)
{
	wr_buf_init(list, wr_test_allocator(), 1000);
	CHECK_STATUS(wr_pairs_append(list, name, text), WR_OK);
	return (struct wr_pairs){wr_buf_view(list), 1};
}

static void test_create_keeps_the_whole_request(void)
{
	struct wr_create request = {.intent = WR_INTENT_ROLE,
				    .role = WR_VIEW_INIT("critic"),
				    .purpose = WR_VIEW_INIT(""),
				    .profile = WR_PROFILE_BUILTIN,
				    .profile_value = WR_VIEW_INIT("builtin:coder"),
				    .config_bundle_id = WR_VIEW_INIT("bundle-a")};
	const struct wr_worker *worker = NULL;
	struct wr_buf capabilities, refs, mounts;
	struct wr_view rest, name, text;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	request.capabilities = one_pair(&capabilities, WR_VIEW("read"), WR_VIEW_NULL);
	request.workspace_refs = one_pair(&refs, WR_VIEW("main"), WR_VIEW("ws:1"));
	request.mount_refs = one_pair(&mounts, WR_VIEW(""), WR_VIEW(""));
	CHECK_STATUS(create(&fixture, &request, &worker), WR_OK);
	wr_buf_deinit(&capabilities);
	wr_buf_deinit(&refs);
	wr_buf_deinit(&mounts);
	CHECK_STRING(worker->id, "worker-00000001");
	CHECK_U64(worker->number, 1);
	CHECK(worker->now.status == WR_WORKER_RUNNING && worker->now.phase == WR_PHASE_IDLE);
	CHECK_U64(worker->now.last_event_id, 2);
	CHECK(worker->request.intent == WR_INTENT_ROLE);
	CHECK_STRING(worker->request.role, "critic");
	CHECK(worker->request.objective.data == NULL);
	CHECK(worker->request.purpose.data != NULL && worker->request.purpose.bytes == 0);
	CHECK_STRING(worker->request.profile_value, "builtin:coder");
	rest = worker->request.capabilities.packed;
	CHECK(wr_pairs_next(&rest, &name, &text));
	CHECK_STRING(name, "read");
	CHECK(text.data == NULL && !wr_pairs_next(&rest, &name, &text));
	rest = worker->request.workspace_refs.packed;
	CHECK(wr_pairs_next(&rest, &name, &text));
	CHECK_STRING(text, "ws:1");
	CHECK_U64(worker->request.mount_refs.count, 1);
	/* A bundle and a capability are named: no diagnostics. */
	CHECK(!wr_runtime_diagnostic(fixture.runtime, 0, &(struct wr_diagnostic){0}));
	fixture_close(&fixture);
}

/* Each request has every fault that follows; the first one answers. */
static void test_create_checks_in_the_order_of_the_contract(void)
{
	struct wr_create request = {.intent = WR_INTENT_TASK,
				    .objective = WR_VIEW_INIT(" \n"),
				    .profile = WR_PROFILE_NAMED,
				    .profile_value = WR_VIEW_INIT("unknown")};
	const struct wr_worker *worker = NULL;
	struct wr_buf blank, named;
	struct wr_error error;
	struct fixture fixture;
	uint64_t event_id;
	char *before, *after;

	fixture_init(&fixture, 1);
	fixture.config.worker_count_max = 1;
	fixture_open(&fixture);
	fixture_create(&fixture);
	before = dump(fixture.runtime, DUMP_LIVE);
	request.capabilities = one_pair(&blank, WR_VIEW("\xc2\xa0"), WR_VIEW("why"));
	request.purpose = large(sizeof large_text);
	CHECK_STATUS(wr_runtime_create(fixture.runtime, &request, NULL, &worker, &error),
		     WR_INVALID);
	CHECK_STRING(wr_view_of_string(error.detail), "task objective must not be blank");
	request.objective = WR_VIEW("work");
	CHECK_STATUS(wr_runtime_create(fixture.runtime, &request, NULL, &worker, &error),
		     WR_INVALID);
	CHECK_STRING(wr_view_of_string(error.detail), "capability name must not be blank");
	request.capabilities = one_pair(&named, WR_VIEW("read"), WR_VIEW("why"));
	CHECK_STATUS(create(&fixture, &request, &worker), WR_TOO_LARGE);
	request.purpose = WR_VIEW_NULL;
	CHECK_STATUS(create(&fixture, &request, &worker), WR_FULL);
	after = dump(fixture.runtime, DUMP_LIVE);
	check_dumps(after, before, "refused creates");
	CHECK(worker == NULL);
	request.objective = WR_VIEW("");
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	CHECK_STATUS(create(&fixture, &request, &worker), WR_STOPPED);
	free(before);
	free(after);
	wr_buf_deinit(&blank);
	wr_buf_deinit(&named);
	fixture_close(&fixture);
}

static void test_an_unknown_profile_is_not_found_and_consumes_nothing(void)
{
	const struct wr_create request = {.profile = WR_PROFILE_NAMED,
					  .profile_value = WR_VIEW_INIT("unknown")};
	const struct wr_worker *worker = NULL;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	CHECK_STATUS(create(&fixture, &request, &worker), WR_NOT_FOUND);
	CHECK_U64(fixture_head(&fixture), 1);
	CHECK_STRING(fixture_create(&fixture)->id, "worker-00000001");
	fixture_close(&fixture);
}

static void test_lists_that_are_not_whole_are_refused(void)
{
	const struct wr_worker *worker = NULL;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	for (unsigned i = 0; i < 3; i++) {
		struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
		struct wr_pairs *lists[] = {&request.capabilities, &request.workspace_refs,
					    &request.mount_refs};
		lists[i]->count = 1;
		CHECK_STATUS(create(&fixture, &request, &worker), WR_INVALID);
		*lists[i] = (struct wr_pairs){WR_VIEW("\1\0\0\0n\0\0"), 0};
		CHECK_STATUS(create(&fixture, &request, &worker), WR_INVALID);
	}
	CHECK_U64(fixture_head(&fixture), 1);
	fixture_close(&fixture);
}

static void test_the_size_of_a_request_may_reach_its_limit(void)
{
	struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_worker *worker = NULL;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	request.purpose = large(WR_EVENT_BYTES_MAX);
	CHECK_STATUS(create(&fixture, &request, &worker), WR_OK);
	request.role = WR_VIEW("x");
	CHECK_STATUS(create(&fixture, &request, &worker), WR_TOO_LARGE);
	fixture_close(&fixture);
}

static void test_workers_are_found_and_listed_by_id(void)
{
	const struct wr_worker *worker;
	struct fixture fixture;
	uint32_t count = 0;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	for (unsigned i = 1; i <= 300; i++)
		CHECK_U64(fixture_create(&fixture)->number, i);
	CHECK_STRING(wr_runtime_worker(fixture.runtime, 300)->id, "worker-0000012c");
	CHECK(wr_runtime_worker(fixture.runtime, 0) == NULL);
	CHECK(wr_runtime_worker(fixture.runtime, 301) == NULL);
	CHECK(wr_runtime_find(fixture.runtime, WR_VIEW("worker-0000000A")) == NULL);
	CHECK(wr_runtime_find(fixture.runtime, WR_VIEW("worker-0000000")) == NULL);
	CHECK(wr_runtime_find(fixture.runtime, WR_VIEW("")) == NULL);
	CHECK_U64(wr_runtime_find(fixture.runtime, WR_VIEW("worker-0000000a"))->number, 10);
	for (worker = wr_runtime_next(fixture.runtime, WR_VIEW_NULL); worker != NULL;
	     worker = wr_runtime_next(fixture.runtime, worker->id))
		CHECK_U64(worker->number, ++count);
	CHECK_U64(count, 300);
	CHECK_U64(wr_runtime_next(fixture.runtime, WR_VIEW("worker-0000000aa"))->number, 11);
	CHECK_U64(wr_runtime_next(fixture.runtime, WR_VIEW(""))->number, 1);
	CHECK(wr_runtime_worker_events(fixture.runtime, 301) == NULL);
	CHECK(wr_runtime_worker_events(fixture.runtime, 7) ==
	      &wr_runtime_worker(fixture.runtime, 7)->events);
	fixture_close(&fixture);
}

static void test_the_newest_diagnostics_are_kept_and_all_are_counted(void)
{
	struct wr_runtime_summary summary;
	struct wr_diagnostic diagnostic;
	struct fixture fixture;
	uint32_t count = 0;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	fixture_create(&fixture);
	CHECK(wr_runtime_diagnostic(fixture.runtime, 0, &diagnostic));
	CHECK_U64(diagnostic.id, 1);
	CHECK_STRING(wr_view_of_string(diagnostic.code), "runtime.local_default_resources");
	CHECK(wr_runtime_diagnostic(fixture.runtime, 1, &diagnostic));
	CHECK_STRING(wr_view_of_string(diagnostic.code), "worker.tools_less");
	CHECK(diagnostic.severity == WR_SEVERITY_INFO && diagnostic.worker == 1);
	CHECK(!wr_runtime_diagnostic(fixture.runtime, 2, &diagnostic));
	for (unsigned i = 1; i < 200; i++)
		fixture_create(&fixture);
	wr_runtime_summary(fixture.runtime, &summary);
	CHECK_U64(summary.diagnostic_count, 400);
	while (wr_runtime_diagnostic(fixture.runtime, count, &diagnostic))
		CHECK_U64(diagnostic.id, 400 - 256 + ++count);
	CHECK_U64(count, 256);
	fixture_close(&fixture);
}

/* ---- input ---- */

static void test_an_accepted_input_is_acknowledged_and_in_the_transcript(void)
{
	const struct wr_input system = {WR_INPUT_SYSTEM, WR_VIEW_INIT("be brief")};
	const struct wr_transcript_item *item;
	const struct wr_worker *worker;
	struct wr_error error;
	struct fixture fixture;
	struct wr_ack ack;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	CHECK_STATUS(fixture_input(&fixture, worker, "hello", &ack), WR_OK);
	CHECK(ack.status == WR_WORKER_RUNNING && ack.event_id == 3);
	CHECK_U64(ack.transcript_sequence, 1);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, worker->id, &system, NULL, &ack, &error),
		     WR_OK);
	CHECK(ack.event_id == 4 && ack.transcript_sequence == 2);
	CHECK_U64(worker->now.last_event_id, 4);
	CHECK(!worker->has_last_result); /* nothing runs it */
	item = wr_transcript_at(&worker->transcript, 0);
	CHECK(item->role == WR_ROLE_USER && item->event_id == 3);
	CHECK_STRING(wr_view_of(item->content, item->bytes), "hello");
	item = wr_transcript_at(&worker->transcript, 1);
	CHECK(item->role == WR_ROLE_SYSTEM && item->event_id == 4);
	CHECK_U64(worker->now.turn_count, 0);
	fixture_close(&fixture);
}

static void test_input_checks_in_the_order_of_the_contract(void)
{
	struct wr_input input = {WR_INPUT_USER, WR_VIEW_INIT(" \xe2\x80\x83")};
	struct wr_view id = WR_VIEW("worker-000000ff");
	const struct wr_worker *worker;
	struct wr_error error;
	struct fixture fixture;
	char *before, *after;
	struct wr_ack ack;
	uint64_t event_id;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	before = dump(fixture.runtime, DUMP_LIVE);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, id, &input, NULL, &ack, &error), WR_INVALID);
	input.content = large(sizeof large_text);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, id, &input, NULL, &ack, &error),
		     WR_TOO_LARGE);
	input.content = large(WR_EVENT_BYTES_MAX);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, id, &input, NULL, &ack, &error),
		     WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, worker->id, &input, NULL, &ack, &error),
		     WR_CONFLICT);
	after = dump(fixture.runtime, DUMP_LIVE);
	check_dumps(after, before, "refused inputs");
	worker = fixture_create(&fixture);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, worker->id, &input, NULL, &ack, &error),
		     WR_OK);
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	input.content = WR_VIEW("");
	CHECK_STATUS(wr_runtime_input(fixture.runtime, id, &input, NULL, &ack, &error), WR_STOPPED);
	free(before);
	free(after);
	fixture_close(&fixture);
}

/* ---- stop, cancel, interrupt ---- */

static void test_the_first_end_wins_and_repeats_its_acknowledgement(void)
{
	const struct wr_worker *stopped, *cancelled;
	struct wr_view reason = WR_VIEW("done for today");
	struct fixture fixture;
	struct wr_ack ack;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	stopped = fixture_create(&fixture);
	cancelled = fixture_create(&fixture);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, stopped->id, reason, NULL, &ack),
		     WR_OK);
	CHECK(ack.status == WR_WORKER_STOPPED && ack.event_id == 4);
	CHECK(stopped->now.phase == WR_PHASE_STOPPED); /* nothing was running it */
	CHECK_STATUS(wr_runtime_cancel_worker(fixture.runtime, stopped->id, reason, NULL, &ack),
		     WR_OK);
	CHECK(ack.status == WR_WORKER_STOPPED && ack.event_id == 4);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, cancelled->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK(ack.status == WR_WORKER_CANCELLED && ack.event_id == 5);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, cancelled->id, reason, NULL, &ack),
		     WR_OK);
	CHECK(ack.status == WR_WORKER_CANCELLED && ack.event_id == 5);
	CHECK(cancelled->now.phase == WR_PHASE_CANCELLED);
	CHECK_U64(fixture_head(&fixture), 5);
	fixture_close(&fixture);
}

static void test_stop_cancel_and_interrupt_refuse_in_order(void)
{
	struct wr_view unknown = WR_VIEW("worker-000000ff");
	const struct wr_worker *worker;
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t event_id;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, unknown, large(sizeof large_text),
					    NULL, &ack),
		     WR_TOO_LARGE);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, unknown, WR_VIEW_NULL, NULL, &ack),
		     WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_cancel_worker(fixture.runtime, unknown, WR_VIEW_NULL, NULL, &ack),
		     WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_interrupt(fixture.runtime, unknown, NULL, &ack), WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_interrupt(fixture.runtime, worker->id, NULL, &ack), WR_UNSUPPORTED);
	CHECK_U64(fixture_head(&fixture), 2);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, worker->id, large(WR_EVENT_BYTES_MAX),
					    NULL, &ack),
		     WR_OK);
	CHECK_STATUS(wr_runtime_interrupt(fixture.runtime, worker->id, NULL, &ack), WR_CONFLICT);
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, unknown, large(sizeof large_text),
					    NULL, &ack),
		     WR_STOPPED);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_STOPPED);
	CHECK_STATUS(wr_runtime_interrupt(fixture.runtime, unknown, NULL, &ack), WR_STOPPED);
	fixture_close(&fixture);
}

static void test_a_stopped_runtime_stops_its_workers_and_stays_readable(void)
{
	const struct wr_worker *running, *cancelled;
	struct wr_runtime_summary summary;
	struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("late")};
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t event_id;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	running = fixture_create(&fixture);
	cancelled = fixture_create(&fixture);
	CHECK_STATUS(fixture_input(&fixture, running, "hello", &ack), WR_OK);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, cancelled->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	CHECK_U64(event_id, 6);
	CHECK(running->now.status == WR_WORKER_STOPPED && running->now.phase == WR_PHASE_STOPPED);
	CHECK_U64(running->now.last_event_id, 4); /* no event of its own */
	CHECK(cancelled->now.status == WR_WORKER_CANCELLED);
	/* An output that was under way still counts, but is no runtime event. */
	CHECK_STATUS(wr_runtime_output(fixture.runtime, running->number, &output), WR_OK);
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	CHECK_U64(event_id, 6);
	wr_runtime_summary(fixture.runtime, &summary);
	CHECK(summary.is_stopped && summary.worker_count == 2 && summary.running_count == 0);
	CHECK(summary.stopped_count == 1 && summary.cancelled_count == 1);
	CHECK_U64(summary.last_sequence, 7);
	CHECK_U64(running->transcript.total, 2);
	fixture_close(&fixture);
}

/* ---- outputs ---- */

static void test_outputs_add_to_the_transcript_as_the_contract_says(void)
{
	static const struct {
		const char *label;
		struct wr_output output;
		const char *role, *text; /* NULL: nothing is added */
	} cases[] = {
		{"message",
		 {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("hi")},
		 "assistant",
		 "hi"},
		{"blank message",
		 {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT(" \n")},
		 NULL,
		 NULL},
		{"empty message",
		 {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("")},
		 NULL,
		 NULL},
		{"absent message", {.kind = WR_OUTPUT_TEXT_DONE}, NULL, NULL},
		{"error",
		 {.kind = WR_OUTPUT_ERROR, .code = WR_ERROR_TOOL, .text = WR_VIEW_INIT("broke")},
		 "system",
		 "broke"},
		{"blank error", {.kind = WR_OUTPUT_ERROR, .text = WR_VIEW_INIT("\t")}, NULL, NULL},
		{"result",
		 {.kind = WR_OUTPUT_TOOL_RESULT,
		  .id = WR_VIEW_INIT("t1"),
		  .name = WR_VIEW_INIT("3 files"),
		  .text = WR_VIEW_INIT("not this")},
		 "system",
		 "[t1] 3 files"},
		{"failed result",
		 {.kind = WR_OUTPUT_TOOL_RESULT,
		  .id = WR_VIEW_INIT("t1"),
		  .name = WR_VIEW_INIT("no"),
		  .flag = true},
		 "system",
		 "[t1] error: no"},
		{"delta", {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("hi")}, NULL, NULL},
		{"thinking",
		 {.kind = WR_OUTPUT_THINKING_DONE, .text = WR_VIEW_INIT("hm")},
		 NULL,
		 NULL},
		{"call",
		 {.kind = WR_OUTPUT_TOOL_CALL_DONE, .text = WR_VIEW_INIT("{}")},
		 NULL,
		 NULL},
		{"usage", {.kind = WR_OUTPUT_USAGE, .has_number = {true}}, NULL, NULL},
		{"end", {.kind = WR_OUTPUT_RUN_END}, NULL, NULL},
		{"opaque",
		 {.kind = WR_OUTPUT_OPAQUE, .name = WR_VIEW_INIT("x"), .text = WR_VIEW_INIT("{}")},
		 NULL,
		 NULL},
	};
	const struct wr_worker *worker;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		uint64_t total = worker->transcript.total, head = fixture_head(&fixture);
		const struct wr_transcript_item *item;
		wr_test_case(cases[i].label);
		CHECK_STATUS(wr_runtime_output(fixture.runtime, 1, &cases[i].output), WR_OK);
		CHECK_U64(fixture_head(&fixture), head + 1);
		CHECK_U64(worker->now.last_event_id, 2);
		CHECK_U64(worker->transcript.total, total + (cases[i].text != NULL));
		if (cases[i].text == NULL)
			continue;
		item = wr_transcript_at(&worker->transcript, total);
		CHECK_STRING(wr_view_of(item->content, item->bytes), cases[i].text);
		CHECK_STRING(wr_view_of_string(wr_role_name((enum wr_role)item->role)),
			     cases[i].role);
		CHECK_U64(item->event_id, head + 1);
	}
	fixture_close(&fixture);
}

static void test_outputs_of_nobody_and_outputs_too_large_are_refused(void)
{
	struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("hi")};
	struct fixture fixture;
	char *before, *after;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	fixture_create(&fixture);
	before = dump(fixture.runtime, DUMP_LIVE);
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 0, &output), WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 2, &output), WR_NOT_FOUND);
	output.text = large(sizeof large_text);
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 1, &output), WR_TOO_LARGE);
	output.text = large(WR_EVENT_BYTES_MAX);
	output.name = WR_VIEW("x");
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 1, &output), WR_TOO_LARGE);
	output.id = wr_view_of("", SIZE_MAX);
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 1, &output), WR_TOO_LARGE);
	after = dump(fixture.runtime, DUMP_LIVE);
	check_dumps(after, before, "refused outputs");
	output.id = output.name = WR_VIEW_NULL;
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 1, &output), WR_OK);
	free(before);
	free(after);
	fixture_close(&fixture);
}

/* ---- which stream shows what ---- */

/* A frame is 'W' or 'R' for the scope it was asked for, and the digit of its kind. */
static enum wr_status encode_scope(void *context, struct wr_buf *out, const struct wr_event *event,
				   const struct wr_identity *identity, enum wr_scope scope)
{
	struct wr_cursor cursor;

	(void)context;
	CHECK_STATUS(wr_cursor_parse(&cursor, wr_view_of(identity->cursor, WR_CURSOR_BYTES)),
		     WR_OK);
	CHECK(cursor.is_runtime == (scope == WR_SCOPE_RUNTIME));
	CHECK_U64(cursor.worker, scope == WR_SCOPE_RUNTIME ? 0 : event->worker);
	CHECK_U64(cursor.sequence, event->sequence);
	CHECK((identity->worker_id.data != NULL) == (event->worker != 0));
	CHECK_STRING(identity->runtime_id, "rt-test");
	CHECK_U64(identity->log_id.bytes, 32);
	wr_buf_append_byte(out, scope == WR_SCOPE_WORKER ? 'W' : 'R');
	return wr_buf_append_byte(out, (char)('0' + event->kind));
}

static void test_each_kind_shows_where_the_table_says(void)
{
	static const struct wr_encoding encoding = {.encode = encode_scope};
	const struct wr_output output = {.kind = WR_OUTPUT_USAGE};
	const struct wr_worker *stopped, *cancelled;
	struct wr_order_frame frame;
	struct wr_view part;
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t sequence = 0, event_id;
	uint32_t hint = 0;
	char order[64];
	size_t used = 0;

	fixture_init(&fixture, 1);
	fixture.ports.encoding = &encoding;
	fixture_open(&fixture);
	stopped = fixture_create(&fixture);
	cancelled = fixture_create(&fixture);
	CHECK_STATUS(fixture_input(&fixture, stopped, "hello", &ack), WR_OK);
	CHECK_STATUS(wr_runtime_output(fixture.runtime, 1, &output), WR_OK);
	CHECK_STATUS(wr_runtime_phase(fixture.runtime, 1, WR_PHASE_FAILED, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, stopped->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, cancelled->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	CHECK_U64(wr_event_stream_read(&stopped->events, 0, &part, 1, 100), 1);
	CHECK_STRING(part, "W4W8W7W5");
	CHECK_U64(wr_event_stream_read(&cancelled->events, 0, &part, 1, 100), 1);
	CHECK_STRING(part, "W6");
	while (wr_event_log_next(wr_runtime_log(fixture.runtime), sequence, &hint, &frame)) {
		CHECK(frame.bytes.bytes == 2 && used + 2 <= sizeof order);
		memcpy(order + used, frame.bytes.data, 2);
		used += 2;
		sequence = frame.sequence;
	}
	CHECK_STRING(wr_view_of(order, used), "R1R3R3W4W8W7R5R6R2");
	fixture_close(&fixture);
}

/* ---- reading events ---- */

struct batch {
	uint64_t ids[16];
	unsigned count;
};

static void take_event(void *context, uint64_t event_id, struct wr_view frame)
{
	struct batch *batch = context;
	struct wr_view bytes;
	struct wr_event event;

	CHECK(wr_event_frame_next(&frame, &bytes) && frame.bytes == 0);
	CHECK_STATUS(wr_event_decode(&event, bytes), WR_OK);
	CHECK_U64(event.sequence, event_id);
	CHECK(batch->count < WR_COUNT(batch->ids));
	batch->ids[batch->count++] = event_id;
}

static void test_events_are_read_in_batches(void)
{
	static const struct {
		uint64_t from;
		uint32_t limit;
		unsigned count;
		uint64_t next;
		bool has_more;
	} cases[] = {
		{1, 16, 6, 7, false},
		{1, 6, 6, 7, false},
		{1, 5, 5, 6, true},
		{0, 2, 2, 3, true},
		{3, 1, 1, 4, true},
		{1, 0, 0, 1, true},
		{7, 5, 0, 7, false},
		{7, 0, 0, 7, false},
		{1000, 5, 0, 1000, false},
		{6, 5, 1, 7, false},
		{UINT64_MAX, 5, 0, UINT64_MAX, false},
	};
	const struct wr_worker *worker;
	struct fixture fixture;
	struct wr_ack ack;

	fixture_init(&fixture, 1);
	fixture.config.event_batch_items_max = 16;
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	for (int i = 0; i < 4; i++)
		CHECK_STATUS(fixture_input(&fixture, worker, "hello", &ack), WR_OK);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct batch batch = {.count = 0};
		uint64_t next = 0;
		bool has_more = false;
		CHECK_STATUS(wr_runtime_read_events(fixture.runtime, cases[i].from, cases[i].limit,
						    take_event, &batch, &next, &has_more),
			     WR_OK);
		CHECK_U64(batch.count, cases[i].count);
		CHECK_U64(next, cases[i].next);
		CHECK(has_more == cases[i].has_more);
		for (unsigned k = 0; k < batch.count; k++)
			CHECK_U64(batch.ids[k], (cases[i].from == 0 ? 1 : cases[i].from) + k);
	}
	fixture_close(&fixture);
}

static void test_a_batch_too_large_or_of_evicted_events_is_refused(void)
{
	const struct wr_worker *worker;
	struct batch batch = {.count = 0};
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t next;
	bool has_more;

	fixture_init(&fixture, 1);
	fixture.config.event_batch_items_max = 16;
	fixture.config.retention.stream_events_max = 3;
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	for (int i = 0; i < 6; i++) /* sequences 3 to 8, 3 to 5 are evicted */
		CHECK_STATUS(fixture_input(&fixture, worker, "hello", &ack), WR_OK);
	CHECK_STATUS(wr_runtime_read_events(fixture.runtime, 1, 17, take_event, &batch, &next,
					    &has_more),
		     WR_LIMIT);
	CHECK_STATUS(wr_runtime_read_events(fixture.runtime, 5, 16, take_event, &batch, &next,
					    &has_more),
		     WR_EXPIRED);
	CHECK_U64(batch.count, 0);
	CHECK_STATUS(wr_runtime_read_events(fixture.runtime, 6, 16, take_event, &batch, &next,
					    &has_more),
		     WR_OK);
	CHECK_U64(batch.count, 3);
	fixture_close(&fixture);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_new_runtime_has_its_names_and_one_event),
	WR_TEST(test_names_are_copied),
	WR_TEST(test_no_name_and_an_empty_name_are_different),
	WR_TEST(test_made_ids_differ_from_process_to_process),
	WR_TEST(test_a_runtime_that_cannot_begin_leaves_nothing),
	WR_TEST(test_create_keeps_the_whole_request),
	WR_TEST(test_create_checks_in_the_order_of_the_contract),
	WR_TEST(test_an_unknown_profile_is_not_found_and_consumes_nothing),
	WR_TEST(test_lists_that_are_not_whole_are_refused),
	WR_TEST(test_the_size_of_a_request_may_reach_its_limit),
	WR_TEST(test_workers_are_found_and_listed_by_id),
	WR_TEST(test_the_newest_diagnostics_are_kept_and_all_are_counted),
	WR_TEST(test_an_accepted_input_is_acknowledged_and_in_the_transcript),
	WR_TEST(test_input_checks_in_the_order_of_the_contract),
	WR_TEST(test_the_first_end_wins_and_repeats_its_acknowledgement),
	WR_TEST(test_stop_cancel_and_interrupt_refuse_in_order),
	WR_TEST(test_a_stopped_runtime_stops_its_workers_and_stays_readable),
	WR_TEST(test_outputs_add_to_the_transcript_as_the_contract_says),
	WR_TEST(test_outputs_of_nobody_and_outputs_too_large_are_refused),
	WR_TEST(test_each_kind_shows_where_the_table_says),
	WR_TEST(test_events_are_read_in_batches),
	WR_TEST(test_a_batch_too_large_or_of_evicted_events_is_refused),
	WR_TEST_END,
};
