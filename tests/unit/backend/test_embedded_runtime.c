/* Goal: everything that can be asked of an embedded Runtime, and every way in which it says no
 * (contract 8.1, 8.4, 8.6). Method: calls through the handle, whose every text is looked through
 * for words that may not be told (embedded_rig.h). */
#include "unit/backend/embedded_client.h"

#define W1 "worker-00000001"
#define W2 "worker-00000002"
#define W3 "worker-00000003"

/* Takes inputs, and never ends a turn by itself. */
#define ENDLESS "/bin/sh -c 'read -r init; echo \"{\\\"type\\\":\\\"ready\\\"}\"; cat >/dev/null'"

static void open_with_endless_turns(void)
{
	rig_prepare();
	rig.hosting.exec = ENDLESS;
	rig.hosting.exec_mode = WR_EXEC_JSONL;
	rig_open();
}

static void open_plain(void)
{
	rig_prepare();
	rig_open();
}

/* ---- who it is ---- */

static void test_the_overview_is_that_of_the_contract(void)
{
	struct wr_runtime_overview overview;

	open_plain();
	rig.handle->ops->overview(rig.handle, &overview);
	CHECK_STRING(rig.handle->runtime_id, "backend-internal");
	CHECK_U64(rig.handle->kind, WR_SOURCE_EMBEDDED);
	CHECK_STRING(overview.runtime_id, "backend-internal");
	CHECK_U64(overview.kind, WR_SOURCE_EMBEDDED);
	CHECK_STRING(overview.label, "Backend-internal runtime");
	CHECK_STRING(overview.status, "running");
	CHECK_STRING(overview.host_id,
		     "embedded-01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01-c2ca39ab6066c0e4");
	CHECK_STRING(overview.host_status, "available");
	CHECK_STRING(overview.local_pod_inspection, "not_applicable");
	CHECK(overview.os.bytes != 0 && overview.arch.bytes != 0 && overview.host_label.bytes != 0);
	CHECK_U64(overview.can, WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER |
					WR_CAN_SPAWN | WR_CAN_STOP | WR_CAN_INPUT | WR_CAN_STREAM |
					WR_CAN_TRANSCRIPT | WR_HAS_INTERNAL_TOOLS);
	CHECK_U64(overview.notices.count, 0);
	CHECK_U64(overview.host_notices.count, 1);
	CHECK(has_notice(&overview.host_notices, "embedded_runtime_host_boundary", WR_NOTICE_INFO));
	check_notices(&overview.host_notices);
	CHECK_U64(rig.handle->ops->stream_count(rig.handle), 0);
	CHECK(wr_embedded_runtime_is_settled(rig.handle));
	rig_close();
}

static void test_a_configured_name_is_filtered_for_display(void)
{
	static const struct {
		const char *name, *label;
	} cases[] = {
		{"Build box", "Build box"},
		{"my/run\\ti\nme\x7f", "myruntime"},
		{"/", "Backend-internal runtime"},
		{"", "Backend-internal runtime"},
		{"a\xc2\x85"
		 "b",
		 "ab"},
	};
	struct wr_runtime_overview overview;

	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		rig_prepare();
		rig.hosting.display_name = cases[i].name;
		rig.hosting.runtime_id = "mine:1";
		rig_open();
		rig.handle->ops->overview(rig.handle, &overview);
		CHECK_STRING(overview.label, cases[i].label);
		CHECK_STRING(overview.runtime_id, "mine:1");
		rig_close();
	}
}

static void test_what_it_cannot_be_made_with_is_said(void)
{
	static char long_id[WR_CURSOR_BYTES * 4];
	const struct {
		const char *label, *id, *exec, *fs_root, *expected;
	} cases[] = {
		{"empty id", "", NULL, NULL, "the id of the embedded Runtime must be"},
		{"blank in an id", "a b", NULL, NULL, "the id of the embedded Runtime must be"},
		{"slash in an id", "a/b", NULL, NULL, "the id of the embedded Runtime must be"},
		{"dot in an id", "a.b", NULL, NULL, "the id of the embedded Runtime must be"},
		{"long id", long_id, NULL, NULL, "the id of the embedded Runtime must be"},
		{"no such program", NULL, "/nowhere/at-all", NULL, "--exec: /nowhere/at-all"},
		{"open quote", NULL, "/bin/sh '", NULL, "--exec: a quote"},
		{"a file as folder", NULL, NULL, "/dev/null/x",
		 WR_FS_STORE ? "cannot open the store in" : "this build has no fs store"},
	};
	char message[GOT_TEXT];

	memset(long_id, 'a', 121);
	rig_prepare();
	rig_open_loop();
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		rig_prepare();
		rig.hosting.runtime_id = cases[i].id;
		rig.hosting.exec = cases[i].exec;
		rig.hosting.fs_root = cases[i].fs_root;
		rig.hosting.store = cases[i].fs_root != NULL ? WR_STORE_FS : WR_STORE_MEMORY;
		CHECK(rig_make(message) == NULL);
		CHECK(strncmp(message, cases[i].expected, strlen(cases[i].expected)) == 0);
	}
	rig_close_loop();
}

static void test_without_memory_nothing_is_left(void)
{
	char message[GOT_TEXT];
	struct wr_runtime_handle *handle = NULL;
	unsigned refused = 0;

	rig_prepare();
	rig_open_loop();
	for (uint64_t n = 1; handle == NULL || wr_test_allocation_failed(); n++) {
		if (handle != NULL)
			handle->ops->free(handle);
		wr_test_fail_allocation(n, false);
		handle = rig_make(message);
		if (handle != NULL && wr_embedded_runtime_attach(handle, rig.server) != WR_OK)
			refused++;
		refused += handle == NULL;
	}
	wr_test_fail_allocation(0, false);
	CHECK(refused > 5);
	handle->ops->free(handle);
	rig_close_loop();
}

/* ---- spawn ---- */

static void test_a_spawn_becomes_what_the_contract_maps_it_to(void)
{
	static const struct {
		struct wr_spawn_request request;
		const char *role, *profile;
		bool has_name, has_segments;
	} cases[] = {
		{{.intent = WR_SPAWN_COMPANION}, "workspace_companion", "runtime_default", 0, 0},
		{{.intent = WR_SPAWN_ORCHESTRATOR},
		 "workspace_orchestrator",
		 "runtime_default",
		 0,
		 0},
		{{.intent = WR_SPAWN_TICKET_ROLE,
		  .ticket_id = WR_VIEW_INIT("00001M0AB3CDE"),
		  .role = WR_VIEW_INIT("coder")},
		 "coder",
		 "builtin:coder",
		 0,
		 0},
		{{.intent = WR_SPAWN_TICKET_ROLE,
		  .ticket_id = WR_VIEW_INIT(""),
		  .role = WR_VIEW_INIT("intake"),
		  .requested_name = WR_VIEW_INIT("friendly")},
		 "intake",
		 "builtin:intake",
		 1,
		 0},
		{{.intent = WR_SPAWN_TICKET_ROLE,
		  .ticket_id = WR_VIEW_INIT("x/y\n"),
		  .role = WR_VIEW_INIT("orchestrator"),
		  .expected_segments = 3},
		 "orchestrator",
		 "builtin:orchestrator",
		 0,
		 1},
		{{.intent = WR_SPAWN_TICKET_ROLE,
		  .ticket_id = WR_VIEW_INIT("t"),
		  .role = WR_VIEW_INIT("reviewer"),
		  .requested_name = WR_VIEW_INIT(""),
		  .expected_segments = UINT64_MAX},
		 "reviewer",
		 "builtin:reviewer",
		 1,
		 1},
	};
	const struct got_worker *worker = &got.workers[0];
	const struct wr_notices *notices = &got.result.notices;

	open_plain();
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].profile);
		CHECK_U64(rig_spawn(&cases[i].request), WR_SOURCE_ACCEPTED);
		CHECK_U64(got.worker_count, 1);
		CHECK_STRING(wr_view_of_string(worker->role), cases[i].role);
		CHECK_STRING(wr_view_of_string(worker->profile), cases[i].profile);
		CHECK_STRING(wr_view_of_string(worker->label), worker->worker_id);
		CHECK_STRING(wr_view_of_string(worker->state), "running");
		CHECK_STRING(wr_view_of_string(worker->status), "idle");
		CHECK_STRING(wr_view_of_string(worker->phase), "idle");
		CHECK_U64(worker->can,
			  WR_CAN_INPUT | WR_CAN_STREAM | WR_CAN_STOP | WR_CAN_TRANSCRIPT);
		CHECK(worker->last_event_id > 0);
		CHECK_U64(has_notice(notices, "embedded_worker_name_ignored", WR_NOTICE_INFO),
			  cases[i].has_name);
		CHECK_U64(has_notice(notices, "embedded_runtime_tools_less", WR_NOTICE_INFO),
			  cases[i].has_segments);
		CHECK_U64(notices->count, cases[i].has_name + cases[i].has_segments);
		CHECK_STRING(wr_view_of_string(got.result.evidence[0].kind),
			     "embedded_runtime_worker_created");
		CHECK_STRING(wr_view_of_string(got.result.evidence[1].kind),
			     "embedded_runtime_backend_internal_projection");
		CHECK_U64(got.result.hold_until, 0);
	}
	CHECK_U64(rig_list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.worker_count, WR_COUNT(cases));
	rig_close();
}

static void test_a_spawn_that_cannot_be_is_rejected_and_changes_nothing(void)
{
	static char text[1200000];
	struct wr_spawn_request ready = {.intent = WR_SPAWN_COMPANION, .is_socket_ready = true};
	struct wr_spawn_request large = {.intent = WR_SPAWN_TICKET_ROLE,
					 .ticket_id = {text, sizeof text},
					 .role = WR_VIEW_INIT("coder")};
	struct wr_spawn_request unknown = {.intent = WR_SPAWN_TICKET_ROLE,
					   .ticket_id = WR_VIEW_INIT("t"),
					   .role = WR_VIEW_INIT("painter")};
	struct wr_spawn_request plain = {.intent = WR_SPAWN_COMPANION};

	memset(text, 't', sizeof text);
	rig_prepare();
	rig.hosting.workers_max = 1;
	rig_open();
	rig_spawn(&ready);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_no_socket");
	CHECK(got.result.evidence[0].kind == NULL);
	rig_spawn(&large);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_invalid_request");
	large.ticket_id.bytes = sizeof text;
	rig_spawn(&unknown);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_invalid_request");
	rig_list(200);
	CHECK_U64(got.worker_count, 0);
	rig_create(1);
	rig_spawn(&plain);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_worker_limit");
	rig_close();
}

/* ---- lists and details ---- */

static void test_lists_are_in_order_and_end_at_their_limit(void)
{
	open_plain();
	CHECK_U64(rig_list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.worker_count, 0);
	for (unsigned i = 1; i <= 20; i++)
		rig_create(i);
	rig_list(200);
	CHECK_U64(got.worker_count, 20);
	for (unsigned i = 1; i < 20; i++)
		CHECK(strcmp(got.workers[i - 1].worker_id, got.workers[i].worker_id) < 0);
	rig_list(7);
	CHECK_U64(got.worker_count, 7);
	CHECK_STRING(wr_view_of_string(got.workers[6].worker_id), "worker-00000007");
	rig_list(0);
	CHECK_U64(got.worker_count, 0);
	rig_close();
}

static void check_shown(const char *id, const char *state, const char *status, unsigned can)
{
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.worker_count, 1);
	CHECK_STRING(wr_view_of_string(got.workers[0].state), state);
	CHECK_STRING(wr_view_of_string(got.workers[0].status), status);
	CHECK_U64(got.workers[0].can, can | WR_CAN_STREAM | WR_CAN_TRANSCRIPT);
}

static void test_an_ended_worker_shows_how_it_ended(void)
{
	open_plain();
	rig_create(1);
	rig_create(2);
	check_shown(W1, "running", "idle", WR_CAN_INPUT | WR_CAN_STOP);
	CHECK_U64(rig_ask(WR_SOURCE_STOP, W1), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_ask(WR_SOURCE_CANCEL, W2), WR_SOURCE_ACCEPTED);
	check_shown(W1, "stopped", "stopped", 0);
	check_shown(W2, "cancelled", "cancelled", 0);
	rig_close();
}

static void test_an_unknown_worker_is_unknown_to_every_operation(void)
{
	static const enum wr_source_operation operations[] = {
		WR_SOURCE_DETAIL, WR_SOURCE_INPUT,     WR_SOURCE_STOP,
		WR_SOURCE_CANCEL, WR_SOURCE_INTERRUPT, WR_SOURCE_TRANSCRIPT};
	static const char *const ids[] = {"", "worker-00000002", "Worker-00000001", "x:y"};

	open_plain();
	rig_create(1);
	for (unsigned i = 0; i < WR_COUNT(operations); i++) {
		for (unsigned k = 0; k < WR_COUNT(ids); k++) {
			struct wr_source_call call = {.operation = operations[i],
						      .worker_id = wr_view_of_string(ids[k])};
			if (operations[i] == WR_SOURCE_INPUT)
				call.as.input.content = WR_VIEW("hello");
			CHECK_U64(rig_call(&call), WR_SOURCE_UNKNOWN_WORKER);
			CHECK_U64(got.result.notices.count + got.worker_count, 0);
		}
	}
	rig_close();
}

/* ---- input, stop, cancel, interrupt ---- */

static void test_inputs_are_numbered_and_become_the_transcript(void)
{
	struct wr_source_call call = {.operation = WR_SOURCE_INPUT, .worker_id = WR_VIEW(W1)};
	uint64_t first;

	open_plain();
	rig_create(1);
	CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.transcript_sequence, 1);
	first = got.result.event_id;
	CHECK(first > 0);
	call.as.input.is_system = true;
	call.as.input.content = WR_VIEW("be brief");
	CHECK_U64(rig_call(&call), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.transcript_sequence, 2);
	CHECK(got.result.event_id > first);
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, 2);
	CHECK_U64(got.entries[0].sequence, 1);
	CHECK_U64(got.entries[0].event_id, first);
	CHECK_STRING(wr_view_of_string(got.entries[0].role), "user");
	CHECK_STRING(wr_view_of_string(got.entries[0].content), "hello");
	CHECK_STRING(wr_view_of_string(got.entries[1].role), "system");
	CHECK_STRING(wr_view_of_string(got.entries[1].content), "be brief");
	rig_close();
}

static void test_an_input_that_cannot_be_taken_is_rejected(void)
{
	static char text[WR_EVENT_BYTES_MAX + 1];

	memset(text, 'x', sizeof text);
	open_plain();
	rig_create(1);
	rig_input(W1, "");
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_invalid_request");
	rig_input(W1, " \n\t ");
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_invalid_request");
	rig_input_with_key(W1, wr_view_of(text, sizeof text), NULL);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_invalid_request");
	CHECK_U64(rig_input_with_key(W1, wr_view_of(text, sizeof text - 1), NULL),
		  WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.transcript_sequence, 1);
	rig_ask(WR_SOURCE_STOP, W1);
	rig_input(W1, "late");
	check_refused(WR_SOURCE_REJECTED, "embedded_worker_not_running");
	rig_close();
}

static void test_the_first_end_of_a_worker_is_told_again(void)
{
	struct wr_source_call call = {.operation = WR_SOURCE_STOP, .worker_id = WR_VIEW(W1)};
	uint64_t event_id;

	open_plain();
	rig_create(1);
	call.as.reason = WR_VIEW("operator request");
	CHECK_U64(rig_call(&call), WR_SOURCE_ACCEPTED);
	event_id = got.result.event_id;
	CHECK(event_id > 0 && got.result.transcript_sequence == 0);
	CHECK_U64(rig_ask(WR_SOURCE_STOP, W1), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.event_id, event_id);
	CHECK_U64(rig_ask(WR_SOURCE_CANCEL, W1), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.event_id, event_id);
	check_shown(W1, "stopped", "stopped", 0);
	rig_ask(WR_SOURCE_INTERRUPT, W1);
	check_refused(WR_SOURCE_REJECTED, "embedded_worker_not_running");
	rig_close();
}

static void test_what_nothing_runs_cannot_be_interrupted(void)
{
	open_plain();
	rig_create(1);
	rig_ask(WR_SOURCE_INTERRUPT, W1);
	check_refused(WR_SOURCE_UNSUPPORTED, "embedded_worker_execution_unavailable");
	rig_close();
}

static void await_status(const char *id, const char *status)
{
	for (;;) {
		CHECK_U64(rig_ask(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
		if (strcmp(got.workers[0].status, status) == 0)
			return;
		rig_wait();
	}
}

static void await_phase(const char *id, const char *phase)
{
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
	while (strcmp(got.workers[0].phase, phase) != 0) {
		rig_wait();
		CHECK_U64(rig_ask(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
	}
}

static void test_a_busy_worker_takes_no_input_and_can_be_interrupted(void)
{
	open_with_endless_turns();
	rig_create(1);
	rig_ask(WR_SOURCE_INTERRUPT, W1);
	check_refused(WR_SOURCE_REJECTED, "embedded_worker_no_turn");
	CHECK_U64(rig_input(W1, "begin"), WR_SOURCE_ACCEPTED);
	await_status(W1, "running");
	check_shown(W1, "running", "running", WR_CAN_STOP);
	rig_input(W1, "more");
	check_refused(WR_SOURCE_REJECTED, "embedded_worker_busy");
	await_phase(W1, "busy");
	CHECK_U64(rig_ask(WR_SOURCE_INTERRUPT, W1), WR_SOURCE_ACCEPTED);
	CHECK(got.result.event_id > 0);
	await_status(W1, "idle");
	check_shown(W1, "running", "idle", WR_CAN_INPUT | WR_CAN_STOP);
	CHECK_U64(rig_input(W1, "again"), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_ask(WR_SOURCE_CANCEL, W1), WR_SOURCE_ACCEPTED);
	check_shown(W1, "cancelled", "cancelled", 0);
	rig_close();
}

static void test_a_program_that_fails_is_an_error_that_ends_with_the_next_input(void)
{
	rig_prepare();
	rig.hosting.exec = "/bin/sh -c 'exit 3'";
	rig.hosting.exec_mode = WR_EXEC_JSONL;
	rig_open();
	rig_create(1);
	CHECK_U64(rig_input(W1, "begin"), WR_SOURCE_ACCEPTED);
	await_status(W1, "errored");
	check_shown(W1, "running", "errored", WR_CAN_INPUT | WR_CAN_STOP);
	rig_close();
}

/* ---- keys ---- */

static void test_a_command_with_a_key_is_done_once(void)
{
	struct wr_source_call stop = {.operation = WR_SOURCE_STOP,
				      .worker_id = WR_VIEW(W2),
				      .idempotency_key = WR_VIEW("k")};
	struct wr_source_call spawn = {.operation = WR_SOURCE_SPAWN,
				       .idempotency_key = WR_VIEW("k")};
	uint64_t event_id;

	open_plain();
	rig_create(1);
	rig_create(2);
	CHECK_U64(rig_input_with_key(W1, WR_VIEW("a"), "k"), WR_SOURCE_ACCEPTED);
	event_id = got.result.event_id;
	CHECK_U64(rig_input_with_key(W1, WR_VIEW("a"), "k"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.event_id, event_id);
	CHECK_U64(got.result.transcript_sequence, 1);
	/* The same word for something else is another key, or no key of that. */
	rig_input_with_key(W1, WR_VIEW("b"), "k");
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_idempotency_mismatch");
	CHECK_U64(rig_input_with_key(W2, WR_VIEW("b"), "k"), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_input_with_key(W1, WR_VIEW("b"), "kk"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.transcript_sequence, 2);
	CHECK_U64(rig_call(&stop), WR_SOURCE_ACCEPTED);
	stop.as.reason = WR_VIEW("why");
	rig_call(&stop);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_idempotency_mismatch");
	stop.operation = WR_SOURCE_CANCEL;
	CHECK_U64(rig_call(&stop), WR_SOURCE_ACCEPTED);
	/* A spawn that is repeated gives the Worker as it was. */
	CHECK_U64(rig_call(&spawn), WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_view_of_string(got.workers[0].worker_id), W3);
	CHECK_U64(rig_ask(WR_SOURCE_STOP, W3), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_call(&spawn), WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_view_of_string(got.workers[0].worker_id), W3);
	CHECK_STRING(wr_view_of_string(got.workers[0].status), "idle");
	spawn.as.spawn.requested_name = WR_VIEW("x");
	rig_call(&spawn);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_idempotency_mismatch");
	rig_list(200);
	CHECK_U64(got.worker_count, 3);
	rig_close();
}

/* ---- transcripts ---- */

static void test_pages_of_a_transcript(void)
{
	static const struct {
		uint64_t start;
		uint32_t limit;
		unsigned count;
		uint64_t first, next; /* 0: none */
	} cases[] = {
		{0, 200, 30, 1, 0}, {0, 30, 30, 1, 0},	 {0, 29, 29, 1, 29},
		{10, 5, 5, 11, 15}, {29, 200, 1, 30, 0}, {30, 200, 0, 0, 0},
		{31, 200, 0, 0, 0}, {0, 0, 0, 0, 0},	 {UINT64_MAX, 200, 0, 0, 0},
		{29, 1, 1, 30, 0},
	};
	char text[16];

	open_plain();
	rig_create(1);
	for (unsigned i = 1; i <= 30; i++) {
		snprintf(text, sizeof text, "input %u", i);
		CHECK_U64(rig_input(W1, text), WR_SOURCE_ACCEPTED);
	}
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		snprintf(text, sizeof text, "case %u", i);
		wr_test_case(text);
		CHECK_U64(rig_page(W1, cases[i].start, cases[i].limit), WR_SOURCE_ACCEPTED);
		CHECK_U64(got.entry_count, cases[i].count);
		CHECK_U64(got.result.page.start, cases[i].start);
		CHECK_U64(got.result.page.limit, cases[i].limit);
		CHECK_U64(got.result.page.total_items, 30);
		if (cases[i].limit != 0) {
			CHECK_U64(got.result.page.has_next_start, cases[i].next != 0);
			CHECK_U64(got.result.page.next_start, cases[i].next);
		}
		for (unsigned k = 0; k < got.entry_count; k++)
			CHECK_U64(got.entries[k].sequence, cases[i].first + k);
	}
	rig_close();
}

/* Reading on from next_start, every item comes once, and no page has more than its share. */
static void test_a_page_ends_early_when_its_content_is_large(void)
{
	static char text[400000];
	uint64_t start = 0, expected = 1;
	unsigned pages = 0;

	memset(text, 'y', sizeof text);
	open_plain();
	rig_create(1);
	for (unsigned i = 0; i < 7; i++)
		CHECK_U64(rig_input_with_key(W1, wr_view_of(text, sizeof text), NULL),
			  WR_SOURCE_ACCEPTED);
	do {
		size_t bytes = 0;
		CHECK_U64(rig_page(W1, start, 200), WR_SOURCE_ACCEPTED);
		for (unsigned i = 0; i < got.entry_count; i++) {
			CHECK_U64(got.entries[i].sequence, expected++);
			bytes += got.entries[i].content_bytes;
		}
		CHECK(bytes > 0 && bytes <= WR_TRANSCRIPT_PAGE_BYTES_MAX);
		CHECK(!got.result.page.has_next_start || got.result.page.next_start > start);
		start = got.result.page.next_start;
		pages++;
	} while (got.result.page.has_next_start);
	CHECK_U64(expected, 8);
	CHECK_U64(pages, 4);
	rig_close();
}

static void test_a_page_begins_at_the_first_item_that_is_kept(void)
{
	rig_prepare();
	rig.hosting.worker_transcript_bytes = 10;
	rig_open();
	rig_create(1);
	for (unsigned i = 0; i < 10; i++)
		CHECK_U64(rig_input(W1, "1234"), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK(got.entry_count > 0 && got.entry_count < 10);
	CHECK_U64(got.entries[got.entry_count - 1].sequence, 10);
	CHECK_U64(got.result.page.start, 0);
	CHECK_U64(got.result.page.total_items, 10);
	CHECK(!got.result.page.has_next_start);
	rig_close();
}

/* ---- the end ---- */

static void test_while_it_drains_nothing_is_changed_and_everything_is_read(void)
{
	static const enum wr_source_operation commands[] = {WR_SOURCE_SPAWN, WR_SOURCE_INPUT,
							    WR_SOURCE_STOP, WR_SOURCE_CANCEL,
							    WR_SOURCE_INTERRUPT};
	struct client client;

	open_with_endless_turns();
	rig_create(1);
	CHECK_U64(rig_input(W1, "begin"), WR_SOURCE_ACCEPTED);
	await_status(W1, "running");
	CHECK(!wr_embedded_runtime_is_settled(rig.handle));
	wr_embedded_runtime_end_programs(rig.handle);
	for (unsigned i = 0; i < WR_COUNT(commands); i++) {
		struct wr_source_call call = {.operation = commands[i], .worker_id = WR_VIEW(W1)};
		if (commands[i] == WR_SOURCE_INPUT)
			call.as.input.content = WR_VIEW("late");
		rig_call(&call);
		check_refused(WR_SOURCE_FAILED, "embedded_runtime_state_unavailable");
	}
	CHECK_U64(rig_list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	client_open(&client, W1, NULL);
	CHECK_U64(client.http, 503);
	CHECK(view_has(wr_view_of(client.data, client.bytes),
		       "{\"error\":\"Service Unavailable\",\"message\":"));
	client_close(&client);
	rig_settle();
	/* The Worker is there for the next start; only its turn is over. */
	check_shown(W1, "running", "idle", WR_CAN_INPUT | WR_CAN_STOP);
	CHECK_STRING(wr_view_of_string(got.workers[0].phase), "interrupted");
	rig_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_overview_is_that_of_the_contract),
	WR_TEST(test_a_configured_name_is_filtered_for_display),
	WR_TEST(test_what_it_cannot_be_made_with_is_said),
	WR_TEST_LIMIT(test_without_memory_nothing_is_left, 30),
	WR_TEST(test_a_spawn_becomes_what_the_contract_maps_it_to),
	WR_TEST(test_a_spawn_that_cannot_be_is_rejected_and_changes_nothing),
	WR_TEST(test_lists_are_in_order_and_end_at_their_limit),
	WR_TEST(test_an_ended_worker_shows_how_it_ended),
	WR_TEST(test_an_unknown_worker_is_unknown_to_every_operation),
	WR_TEST(test_inputs_are_numbered_and_become_the_transcript),
	WR_TEST(test_an_input_that_cannot_be_taken_is_rejected),
	WR_TEST(test_the_first_end_of_a_worker_is_told_again),
	WR_TEST(test_what_nothing_runs_cannot_be_interrupted),
	WR_TEST_LIMIT(test_a_busy_worker_takes_no_input_and_can_be_interrupted, 30),
	WR_TEST_LIMIT(test_a_program_that_fails_is_an_error_that_ends_with_the_next_input, 30),
	WR_TEST(test_a_command_with_a_key_is_done_once),
	WR_TEST(test_pages_of_a_transcript),
	WR_TEST(test_a_page_ends_early_when_its_content_is_large),
	WR_TEST(test_a_page_begins_at_the_first_item_that_is_kept),
	WR_TEST_LIMIT(test_while_it_drains_nothing_is_changed_and_everything_is_read, 30),
	WR_TEST_END,
};
