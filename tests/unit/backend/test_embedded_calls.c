/* Goal: whatever a Runtime, its store and its executions answer, the Backend tells it by the
 * contract's codes (8.6), holds it until it is safe to tell, and asks for what the contract maps a
 * spawn to (8.8). Method: a Runtime over a scripted store and a scripted execution. */
#include "unit/backend/embedded_scripted.h"

#define W1 "worker-00000001"

static void test_every_outcome_of_the_store_has_its_code(void)
{
	static const struct {
		enum wr_status mood;
		const char *code;
	} cases[] = {
		{WR_FULL, "embedded_runtime_store_error"},
		{WR_IO, "embedded_runtime_store_error"},
		{WR_OVERLOAD, "embedded_runtime_overloaded"},
		{WR_NO_MEMORY, "embedded_runtime_overloaded"},
	};
	const struct wr_spawn_request request = {.intent = WR_SPAWN_COMPANION};

	scripted_prepare();
	scripted_open();
	scripted_create(1);
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(wr_status_name(cases[i].mood));
		scripted.store.mood = cases[i].mood;
		rig_spawn(&request);
		check_refused(WR_SOURCE_FAILED, cases[i].code);
		rig_input(W1, "hello");
		check_refused(WR_SOURCE_FAILED, cases[i].code);
		rig_ask(WR_SOURCE_STOP, W1);
		check_refused(WR_SOURCE_FAILED, cases[i].code);
		rig_ask(WR_SOURCE_CANCEL, W1);
		check_refused(WR_SOURCE_FAILED, cases[i].code);
	}
	scripted.store.mood = WR_OK;
	CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.transcript_sequence, 1);
	scripted_close();
}

static void test_every_outcome_of_an_execution_has_its_code(void)
{
	static const struct {
		enum wr_status status;
		const char *code;
	} inputs[] = {
		{WR_BUSY, "embedded_worker_busy"},
		{WR_UNAVAILABLE, "embedded_worker_execution_unavailable"},
		{WR_REJECTED, "embedded_worker_execution_rejected"},
	};

	scripted_prepare();
	scripted.has_execution = true;
	scripted_open();
	scripted_create(1);
	for (unsigned i = 0; i < WR_COUNT(inputs); i++) {
		wr_test_case(inputs[i].code);
		scripted.admission = inputs[i].status;
		rig_input(W1, "hello");
		check_refused(WR_SOURCE_REJECTED, inputs[i].code);
	}
	scripted.interruption = WR_CONFLICT;
	rig_ask(WR_SOURCE_INTERRUPT, W1);
	check_refused(WR_SOURCE_REJECTED, "embedded_worker_no_turn");
	scripted.interruption = WR_OK;
	CHECK_U64(rig_ask(WR_SOURCE_INTERRUPT, W1), WR_SOURCE_ACCEPTED);
	CHECK(got.result.event_id != 0);
	scripted_close();
}

static void test_every_phase_has_its_status(void)
{
	static const struct {
		enum wr_phase phase;
		const char *status;
		bool takes_input;
	} cases[] = {
		{WR_PHASE_STARTING, "running", false}, {WR_PHASE_IDLE, "idle", true},
		{WR_PHASE_BUSY, "running", false},     {WR_PHASE_WAITING, "running", false},
		{WR_PHASE_INTERRUPTED, "idle", true},  {WR_PHASE_FAILED, "errored", true},
	};
	const struct got_worker *worker = &got.workers[0];

	scripted_prepare();
	scripted.has_execution = true;
	scripted_open();
	scripted_create(1);
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(wr_phase_name(cases[i].phase));
		CHECK_STATUS(wr_runtime_phase(scripted.runtime, 1, cases[i].phase, WR_VIEW("x")),
			     WR_OK);
		wr_runtime_settle(scripted.runtime);
		CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_ACCEPTED);
		CHECK_STRING(wr_view_of_string(worker->state), "running");
		CHECK_STRING(wr_view_of_string(worker->status), cases[i].status);
		CHECK_STRING(wr_view_of_string(worker->phase), wr_phase_name(cases[i].phase));
		CHECK_U64((worker->can & WR_CAN_INPUT) != 0, cases[i].takes_input);
		CHECK((worker->can & WR_CAN_STOP) != 0);
	}
	scripted_close();
}

static void test_a_stopped_runtime_is_read_and_not_changed(void)
{
	const struct wr_spawn_request request = {.intent = WR_SPAWN_COMPANION};
	uint64_t event_id;

	scripted_prepare();
	scripted_open();
	scripted_create(1);
	CHECK_STATUS(wr_runtime_stop(scripted.runtime, &event_id), WR_OK);
	wr_runtime_settle(scripted.runtime);
	rig_spawn(&request);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_stopped");
	rig_input(W1, "hello");
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_stopped");
	rig_ask(WR_SOURCE_STOP, W1);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_stopped");
	rig_ask(WR_SOURCE_INTERRUPT, W1);
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_stopped");
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_view_of_string(got.workers[0].status), "stopped");
	CHECK_U64(rig_list(200), WR_SOURCE_ACCEPTED);
	scripted_close();
}

/* A record that is found damaged when it is read. */
static void test_a_damaged_worker_is_listed_and_nothing_else(void)
{
	static const enum wr_source_operation operations[] = {
		WR_SOURCE_DETAIL, WR_SOURCE_INPUT,     WR_SOURCE_STOP,
		WR_SOURCE_CANCEL, WR_SOURCE_INTERRUPT, WR_SOURCE_TRANSCRIPT};

	scripted_prepare();
	scripted.config.worker_transcript_bytes_max = 1;
	scripted_open();
	scripted_create(2);
	for (unsigned i = 0; i < 5; i++)
		CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
	wr_runtime_settle(scripted.runtime);
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, 5);
	scripted.store.is_damaged[1] = true;
	rig_page(W1, 0, 200);
	check_refused(WR_SOURCE_FAILED, "embedded_runtime_store_error");
	for (unsigned i = 0; i < WR_COUNT(operations); i++) {
		struct wr_source_call call = {.operation = operations[i], .worker_id = WR_VIEW(W1)};
		if (operations[i] == WR_SOURCE_INPUT)
			call.as.input.content = WR_VIEW("more");
		rig_call(&call);
		check_refused(WR_SOURCE_FAILED, "embedded_runtime_store_error");
	}
	CHECK_U64(rig_list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.worker_count, 2);
	CHECK_STRING(wr_view_of_string(got.workers[0].status), "errored");
	CHECK_U64(got.workers[0].can, 0);
	CHECK(has_notice(&got.workers[0].notices, "embedded_runtime_store_error", WR_NOTICE_ERROR));
	CHECK_STRING(wr_view_of_string(got.workers[1].status), "idle");
	scripted_close();
}

/* The newest item is in memory, those before it are in the store, which has lost the first ones
 * behind what is there. */
static void test_a_page_ends_where_an_item_cannot_be_read(void)
{
	struct kept_record *lost;

	scripted_prepare();
	scripted.config.worker_transcript_bytes_max = 1;
	scripted_open();
	scripted_create(1);
	for (unsigned i = 0; i < 5; i++)
		CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
	wr_runtime_settle(scripted.runtime);
	lost = &scripted.store.log.records[scripted.store.log.count - 3];
	CHECK_U64(lost->item, 3);
	lost->item = 0;
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, 2);
	CHECK(got.result.page.has_next_start);
	CHECK_U64(got.result.page.next_start, 2);
	CHECK(has_notice(&got.result.notices, "embedded_runtime_store_error", WR_NOTICE_ERROR));
	rig_page(W1, 2, 200);
	check_refused(WR_SOURCE_FAILED, "embedded_runtime_store_error");
	CHECK_U64(rig_page(W1, 3, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, 2);
	scripted_close();
}

static void test_what_is_told_waits_for_what_it_depends_on(void)
{
	const struct wr_spawn_request request = {.intent = WR_SPAWN_COMPANION};

	scripted_prepare();
	scripted_open();
	scripted_create(1);
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.hold_until, 0);
	scripted.store.is_held = true;
	scripted.store.shown = kept_head(&scripted.store);
	CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.hold_until, kept_head(&scripted.store));
	/* Also a refusal, that was decided by what may still be lost. */
	CHECK_U64(rig_ask(WR_SOURCE_STOP, W1), WR_SOURCE_ACCEPTED);
	rig_input(W1, "late");
	check_refused(WR_SOURCE_REJECTED, "embedded_worker_not_running");
	CHECK_U64(got.result.hold_until, kept_head(&scripted.store));
	/* What can be read is as of what is visible. */
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_view_of_string(got.workers[0].status), "idle");
	CHECK_U64(got.result.hold_until, 0);
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, 0);
	CHECK_U64(rig_spawn(&request), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.hold_until, kept_head(&scripted.store));
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, "worker-00000002"), WR_SOURCE_UNKNOWN_WORKER);
	rig_list(200);
	CHECK_U64(got.worker_count, 1);
	scripted.store.is_held = false;
	wr_runtime_settle(scripted.runtime);
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_view_of_string(got.workers[0].status), "stopped");
	rig_list(200);
	CHECK_U64(got.worker_count, 2);
	scripted_close();
}

static void test_a_spawn_asks_for_the_intent_and_profile_of_the_contract(void)
{
	static const struct {
		struct wr_spawn_request request;
		const char *role, *purpose, *profile;
	} cases[] = {
		{{.intent = WR_SPAWN_COMPANION},
		 "workspace_companion",
		 "companion of this workspace",
		 NULL},
		{{.intent = WR_SPAWN_ORCHESTRATOR},
		 "workspace_orchestrator",
		 "orchestrator of this workspace",
		 NULL},
		{{.intent = WR_SPAWN_TICKET_ROLE,
		  .ticket_id = WR_VIEW_INIT("00001M0AB3CDE"),
		  .role = WR_VIEW_INIT("coder")},
		 "coder",
		 "ticket 00001M0AB3CDE",
		 "builtin:coder"},
		{{.intent = WR_SPAWN_TICKET_ROLE,
		  .ticket_id = WR_VIEW_INIT(""),
		  .role = WR_VIEW_INIT("intake")},
		 "intake",
		 "ticket ",
		 "builtin:intake"},
	};

	scripted_prepare();
	scripted_open();
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		const struct wr_create *made;
		CHECK_U64(rig_spawn(&cases[i].request), WR_SOURCE_ACCEPTED);
		wr_runtime_settle(scripted.runtime);
		made = &wr_runtime_worker(scripted.runtime, i + 1)->request;
		CHECK_U64(made->intent, WR_INTENT_ROLE);
		CHECK_STRING(made->role, cases[i].role);
		CHECK_STRING(made->purpose, cases[i].purpose);
		CHECK_U64(made->profile, cases[i].profile == NULL ? WR_PROFILE_RUNTIME_DEFAULT
								  : WR_PROFILE_BUILTIN);
		if (cases[i].profile != NULL)
			CHECK_STRING(made->profile_value, cases[i].profile);
		CHECK(made->config_bundle_id.data == NULL);
	}
	scripted_close();
}

static void test_texts_of_a_worker_are_filtered_for_display(void)
{
	const struct {
		struct wr_create request;
		const char *id, *label, *role, *profile;
	} cases[] = {
		{{.intent = WR_INTENT_ASSISTANT}, "a", "a", "assistant", "runtime_default"},
		{{.intent = WR_INTENT_ASSISTANT, .purpose = WR_VIEW("")},
		 "b",
		 "b",
		 NULL,
		 "runtime_default"},
		{{.intent = WR_INTENT_TASK,
		  .objective = WR_VIEW("see /etc\n"),
		  .profile = WR_PROFILE_NAMED,
		  .profile_value = WR_VIEW("x/y\\z")},
		 "c\\d",
		 "cd",
		 "see etc",
		 "xyz"},
		{{.intent = WR_INTENT_ROLE,
		  .role = WR_VIEW("//"),
		  .profile = WR_PROFILE_BUILTIN,
		  .profile_value = WR_VIEW("/")},
		 "e",
		 "e",
		 NULL,
		 NULL},
	};

	scripted_prepare();
	scripted_open();
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		struct wr_create request = cases[i].request;
		const struct wr_worker *made;
		struct wr_error error;
		wr_test_case(cases[i].id);
		request.worker_id = wr_view_of_string(cases[i].id);
		CHECK_STATUS(wr_runtime_create(scripted.runtime, &request, NULL, &made, &error),
			     WR_OK);
		wr_runtime_settle(scripted.runtime);
		CHECK_U64(rig_ask(WR_SOURCE_DETAIL, cases[i].id), WR_SOURCE_ACCEPTED);
		CHECK_STRING(wr_view_of_string(got.workers[0].label), cases[i].label);
		CHECK_U64(got.workers[0].has_role, cases[i].role != NULL);
		CHECK_U64(got.workers[0].has_profile, cases[i].profile != NULL);
		if (cases[i].role != NULL)
			CHECK_STRING(wr_view_of_string(got.workers[0].role), cases[i].role);
		if (cases[i].profile != NULL)
			CHECK_STRING(wr_view_of_string(got.workers[0].profile), cases[i].profile);
	}
	scripted_close();
}

static void test_a_key_holds_over_a_restart(void)
{
	uint64_t event_id;

	scripted_prepare();
	scripted_open();
	scripted_create(1);
	CHECK_U64(rig_input_with_key(W1, WR_VIEW("a"), "k"), WR_SOURCE_ACCEPTED);
	event_id = got.result.event_id;
	scripted_stop();
	scripted_open();
	CHECK_U64(rig_input_with_key(W1, WR_VIEW("a"), "k"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.event_id, event_id);
	rig_input_with_key(W1, WR_VIEW("b"), "k");
	check_refused(WR_SOURCE_REJECTED, "embedded_runtime_idempotency_mismatch");
	scripted_close();
}

static void test_without_memory_a_command_fails_and_changes_nothing(void)
{
	const struct wr_spawn_request spawn = {.intent = WR_SPAWN_TICKET_ROLE,
					       .ticket_id = WR_VIEW_INIT("t"),
					       .role = WR_VIEW_INIT("coder")};
	unsigned refused = 0, done = 0;

	scripted_prepare();
	scripted_open();
	scripted_create(1);
	for (uint64_t n = 1; done < 2; n++) {
		wr_test_fail_allocation(n, false);
		rig_spawn(&spawn);
		if (got.result.outcome == WR_SOURCE_ACCEPTED)
			rig_input_with_key(W1, WR_VIEW("a"), "k");
		done += !wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		if (got.result.outcome == WR_SOURCE_ACCEPTED)
			continue;
		check_refused(WR_SOURCE_FAILED, "embedded_runtime_overloaded");
		refused++;
	}
	CHECK(refused > 2);
	scripted_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_outcome_of_the_store_has_its_code),
	WR_TEST(test_every_outcome_of_an_execution_has_its_code),
	WR_TEST(test_every_phase_has_its_status),
	WR_TEST(test_a_stopped_runtime_is_read_and_not_changed),
	WR_TEST(test_a_damaged_worker_is_listed_and_nothing_else),
	WR_TEST(test_a_page_ends_where_an_item_cannot_be_read),
	WR_TEST(test_what_is_told_waits_for_what_it_depends_on),
	WR_TEST(test_a_spawn_asks_for_the_intent_and_profile_of_the_contract),
	WR_TEST(test_texts_of_a_worker_are_filtered_for_display),
	WR_TEST(test_a_key_holds_over_a_restart),
	WR_TEST(test_without_memory_a_command_fails_and_changes_nothing),
	WR_TEST_END,
};
