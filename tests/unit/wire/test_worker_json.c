/* Goal: summaries, details and acknowledgements are the contract's, and more. Method: real Runtimes
 * driven by commands; whole answers compared by meaning, the contract's part and its order apart.
 */
#include "wire/worker_json.h"

#include "check.h"
#include "harness/harness.h"
#include "unit/wire/fixture.h"
#include "unit/wire/json_equal.h"
#include "unit/wire/stored_fixture.h"

static const struct wr_store_report in_memory;
static struct fixture fixture;
static struct wr_buf out;

static void begin(void)
{
	fixture_init(&fixture, NULL);
	wr_buf_init(&out, wr_test_allocator(), 16 * 1048576);
}

static void end(void)
{
	wr_buf_deinit(&out);
	fixture_deinit(&fixture);
}

/* The text begins with these very bytes: the contract's members, in its order. */
static void check_front(const char *expected)
{
	struct wr_view front = wr_view_of(out.data, out.bytes);

	if (front.bytes > strlen(expected))
		front.bytes = strlen(expected);
	CHECK_STRING(front, expected);
}

static void check_member(const char *path, const char *expected)
{
	CHECK_STRING(json_at(wr_buf_view(&out), path), expected);
}

/* A cursor in the answer names this sequence in this scope. */
static void check_cursor(const char *path, uint32_t worker, uint64_t sequence)
{
	struct wr_view value = json_at(wr_buf_view(&out), path);
	uint64_t found;

	CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, worker,
					     wr_view_of(value.data + 1, value.bytes - 2), &found),
		     WR_OK);
	CHECK_U64(found, sequence);
}

/* ---- the Runtime ---- */

static void test_runtime_summary_is_the_contracts_and_more(void)
{
	const struct wr_worker *stopped, *cancelled;
	struct wr_ack ack;

	begin();
	fixture_create(&fixture, NULL);
	stopped = fixture_create(&fixture, NULL);
	cancelled = fixture_create(&fixture, NULL);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, stopped->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, cancelled->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	wr_runtime_json_write(&out, fixture.runtime, &in_memory, WR_COMPAT_NONE, false);
	check_front(
		"{\"runtime\":{\"runtime_id\":\"rt-a\",\"display_name\":null,\"backend\":"
		"\"memory\",\"status\":\"running\",\"worker_count\":3,\"active_worker_count\":1,"
		"\"stopped_worker_count\":1,\"cancelled_worker_count\":1,\"diagnostic_count\":6,"
		"\"limits\":{\"max_transcript_projection_items\":256,"
		"\"max_event_batch_items\":256},\"log_id\":\"" FIXTURE_LOG_ID
		"\",\"cursor\":\"re_");
	check_cursor("runtime.cursor", 0, 6);
	check_member("runtime.generation", "1");
	check_member("runtime.draining", "false");
	check_member("runtime.store", "{\"kind\":\"memory\"}");
	CHECK_U64(json_count(json_at(wr_buf_view(&out), "runtime")), 15);
	end();
}

static void test_runtime_summary_shows_name_stop_and_drain(void)
{
	struct wr_runtime_config config;
	struct wr_json_writer writer;
	uint64_t event_id;

	wr_runtime_defaults(&config);
	config.runtime_id = WR_VIEW("rt-\"b\"");
	config.display_name = WR_VIEW("Build\nbox");
	fixture_init(&fixture, &config);
	wr_buf_init(&out, wr_test_allocator(), 4096);
	CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
	wr_runtime_json_write(&out, fixture.runtime, &in_memory, WR_COMPAT_YOI_2026_06, true);
	check_member("runtime.runtime_id", "\"rt-\\\"b\\\"\"");
	check_member("runtime.display_name", "\"Build\\nbox\"");
	check_member("runtime.backend", "\"memory\"");
	check_member("runtime.status", "\"stopped\"");
	check_member("runtime.draining", "true");
	/* The summary alone is the same but for what only the answer knows. */
	wr_buf_reset(&out);
	wr_json_writer_init(&writer, &out);
	wr_runtime_summary_json(&writer, fixture.runtime, WR_COMPAT_NONE);
	CHECK_U64(json_count(wr_buf_view(&out)), 13);
	check_member("status", "\"stopped\"");
	end();
}

static const struct wr_store_report on_disk = {
	.is_kept = true,
	.durability = "always",
	.state = "full",
	.bytes = 25165824,
	.bytes_max = 1073741824,
	.segment_count = 3,
	.durable_sequence = 17,
	.scrub_count = 2,
	.scrubbed_bytes = 4096,
	.recovery = "torn",
	.file = WR_VIEW_INIT("00000000000000000002.log"),
	.offset = 4096,
	.bytes_there = 120,
	.record_count = 16,
	.last_sequence = 16,
	.quarantined_count = 0,
};

static void test_a_store_is_described_and_old_clients_are_told_of_memory(void)
{
	struct wr_store_report report = on_disk;
	static struct scripted_store store;
	struct wr_json_writer writer;

	wr_buf_init(&out, wr_test_allocator(), 1 << 20);
	stored_fixture_open(&fixture, &store, 1000);
	/* In the runtime-wide snapshot, too. */
	wr_json_writer_init(&writer, &out);
	wr_runtime_summary_json(&writer, fixture.runtime, WR_COMPAT_NONE);
	check_member("backend", "\"fs_store\"");
	wr_buf_reset(&out);
	wr_runtime_json_write(&out, fixture.runtime, &report, WR_COMPAT_NONE, false);
	check_member("runtime.backend", "\"fs_store\"");
	check_member("runtime.store",
		     "{\"kind\":\"fs\",\"durability\":\"always\",\"state\":\"full\",\"bytes\":"
		     "25165824,\"bytes_max\":1073741824,\"segments\":3,\"durable_sequence\":17,"
		     "\"scrub\":{\"passes\":2,\"bytes\":4096},"
		     "\"recovery\":{\"result\":\"torn\",\"file\":\"00000000000000000002.log\","
		     "\"offset\":4096,\"bytes\":120,\"records\":16,\"last_sequence\":16,"
		     "\"quarantined\":0,\"maybe_incomplete\":false}}");
	report.durability = "interval";
	report.interval_ms = 100;
	report.recovery = "clean";
	report.file = WR_VIEW_NULL;
	wr_buf_reset(&out);
	wr_runtime_json_write(&out, fixture.runtime, &report, WR_COMPAT_YOI_2026_06, false);
	check_member("runtime.backend", "\"memory\"");
	check_member("runtime.store.interval_ms", "100");
	check_member("runtime.store.recovery",
		     "{\"result\":\"clean\",\"records\":16,\"last_sequence\":16,"
		     "\"quarantined\":0,\"maybe_incomplete\":false}");
	end();
	scripted_store_deinit(&store);
}

/* ---- Workers ---- */

static struct wr_create full_request(struct wr_buf *pairs)
{
	struct wr_create request = {
		.intent = WR_INTENT_TASK,
		.objective = WR_VIEW("port the store"),
		.profile = WR_PROFILE_NAMED,
		.profile_value = WR_VIEW("reviewer"),
		.config_bundle_id = WR_VIEW("bundle-7"),
	};
	size_t start;

	wr_buf_init(pairs, wr_test_allocator(), 4096);
	CHECK(wr_buf_reserve(pairs, 1024) != NULL);
	wr_pairs_append(pairs, WR_VIEW("read"), WR_VIEW("inspect sources"));
	wr_pairs_append(pairs, WR_VIEW("write"), WR_VIEW_NULL);
	request.capabilities = (struct wr_pairs){wr_buf_view(pairs), 2};
	start = pairs->bytes;
	wr_pairs_append(pairs, WR_VIEW("main"), WR_VIEW("ws:main"));
	request.workspace_refs =
		(struct wr_pairs){wr_view_of(pairs->data + start, pairs->bytes - start), 1};
	start = pairs->bytes;
	wr_pairs_append(pairs, WR_VIEW("cache"), WR_VIEW("mount:cache"));
	request.mount_refs =
		(struct wr_pairs){wr_view_of(pairs->data + start, pairs->bytes - start), 1};
	return request;
}

#define CONTRACT_FRONT                                                                \
	"\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\"}," \
	"\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\",\"status\":\"running\","

static void test_detail_is_the_contracts_and_more(void)
{
	struct wr_buf pairs;
	struct wr_create request;
	const struct wr_worker *worker;

	begin();
	request = full_request(&pairs);
	worker = fixture_create(&fixture, &request);
	wr_buf_deinit(&pairs);
	wr_worker_json_write(&out, fixture.runtime, worker, NULL);
	/* The contract's example (2.5), with our sequence. */
	check_front(
		"{\"worker\":{" CONTRACT_FRONT
		"\"intent\":{\"kind\":\"task\",\"objective\":\"port the store\"},\"profile\":{"
		"\"kind\":\"named\",\"value\":\"reviewer\"},\"config_bundle\":{\"id\":\"bundle-7\"}"
		","
		"\"requested_capabilities\":[{\"name\":\"read\",\"reason\":\"inspect sources\"},{"
		"\"name\":\"write\"}],\"workspace_refs\":[{\"name\":\"main\",\"reference\":"
		"\"ws:main\"}],\"mount_refs\":[{\"name\":\"cache\",\"reference\":\"mount:cache\"}],"
		"\"transcript_len\":0,\"last_event_id\":2,\"phase\":\"idle\",\"execution\":{"
		"\"backend\":\"connected\",\"run_state\":\"idle\",\"last_result\":{\"operation\":"
		"\"spawn\",\"outcome\":\"accepted\",\"run_state\":\"idle\"}},\"turn\":0,"
		"\"cursor\":\"wo_");
	check_cursor("worker.cursor", worker->number, 2);
	CHECK_U64(json_count(json_at(wr_buf_view(&out), "worker")), 16);
	end();
}

static void test_detail_leaves_out_what_was_not_asked_for(void)
{
	const struct wr_worker *worker;

	begin();
	worker = fixture_create(&fixture, NULL);
	wr_worker_json_write(&out, fixture.runtime, worker, NULL);
	check_front(
		"{\"worker\":{" CONTRACT_FRONT
		"\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"},"
		"\"transcript_len\":0,\"last_event_id\":2,\"phase\":\"idle\",\"execution\":{"
		"\"backend\":\"unconnected\",\"run_state\":\"unconnected\"},\"turn\":0,"
		"\"cursor\":\"wo_");
	end();
}

static void test_summary_is_the_contracts_and_more(void)
{
	struct wr_json_writer writer;
	struct wr_create request = {.intent = WR_INTENT_ROLE,
				    .role = WR_VIEW("coder"),
				    .purpose = WR_VIEW("fix the parser"),
				    .profile = WR_PROFILE_BUILTIN,
				    .profile_value = WR_VIEW("builtin:coder")};
	const struct wr_worker *worker;

	begin();
	worker = fixture_create(&fixture, &request);
	fixture_say(&fixture, worker, WR_INPUT_USER, "hello");
	fixture_say(&fixture, worker, WR_INPUT_SYSTEM, "note");
	wr_json_writer_init(&writer, &out);
	wr_worker_summary_json(&writer, fixture.runtime, worker);
	check_front(
		"{" CONTRACT_FRONT
		"\"intent\":{\"kind\":\"role\",\"role\":\"coder\",\"purpose\":\"fix the parser\"},"
		"\"profile\":{\"kind\":\"builtin\",\"value\":\"builtin:coder\"},"
		"\"requested_capability_count\":0,\"has_config_bundle\":false,"
		"\"transcript_len\":2,\"last_event_id\":4,\"phase\":\"idle\"");
	check_cursor("cursor", worker->number, 4);
	CHECK_U64(json_count(wr_buf_view(&out)), 14);
	end();
}

static void test_summary_counts_what_the_detail_lists(void)
{
	struct wr_buf pairs;
	struct wr_create request;
	struct wr_json_writer writer;

	begin();
	request = full_request(&pairs);
	wr_json_writer_init(&writer, &out);
	wr_worker_summary_json(&writer, fixture.runtime, fixture_create(&fixture, &request));
	wr_buf_deinit(&pairs);
	check_member("requested_capability_count", "2");
	check_member("has_config_bundle", "true");
	end();
}

/* What a create answers is the same whenever it is asked again. */
static void test_a_worker_is_shown_as_it_was_created(void)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	const struct wr_worker *worker;
	struct wr_face created;
	struct wr_buf first;
	struct wr_ack ack;

	begin();
	worker = fixture_create(&fixture, &request);
	created = wr_runtime_created_face(worker);
	wr_buf_init(&first, wr_test_allocator(), 65536);
	wr_worker_json_write(&first, fixture.runtime, worker, &created);
	wr_worker_json_write(&out, fixture.runtime, worker, NULL);
	CHECK_VIEW(wr_buf_view(&out), wr_buf_view(&first));
	fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	wr_buf_reset(&out);
	wr_worker_json_write(&out, fixture.runtime, worker, &created);
	CHECK_VIEW(wr_buf_view(&out), wr_buf_view(&first));
	check_cursor("worker.cursor", worker->number, worker->created_sequence);
	wr_buf_deinit(&first);
	end();
}

static void test_a_quarantined_worker_says_so(void)
{
	struct wr_worker worker;

	begin();
	worker = *fixture_create(&fixture, NULL);
	worker.is_quarantined = true;
	wr_worker_json_write(&out, fixture.runtime, &worker, NULL);
	check_member("worker.store", "\"corrupt\"");
	end();
}

/* ---- execution ---- */

static void check_execution(const struct wr_worker *worker, const char *expected)
{
	wr_buf_reset(&out);
	wr_worker_json_write(&out, fixture.runtime, worker, NULL);
	CHECK_STRING(json_at(wr_buf_view(&out), "worker.execution"), expected);
}

#define CONNECTED(state, operation, outcome, result)                                 \
	"{\"backend\":\"connected\",\"run_state\":\"" state                          \
	"\",\"last_result\":{\"operation\":\"" operation "\",\"outcome\":\"" outcome \
	"\",\"run_state\":\"" result "\"}}"

static void test_run_state_follows_the_phase(void)
{
	static const struct {
		enum wr_phase phase;
		const char *state;
	} steps[] = {
		{WR_PHASE_STARTING, CONNECTED("busy", "spawn", "accepted", "idle")},
		{WR_PHASE_IDLE, CONNECTED("idle", "spawn", "accepted", "idle")},
		{WR_PHASE_BUSY, CONNECTED("busy", "spawn", "accepted", "idle")},
		{WR_PHASE_WAITING, CONNECTED("busy", "spawn", "accepted", "idle")},
		{WR_PHASE_INTERRUPTED, CONNECTED("idle", "spawn", "accepted", "idle")},
		{WR_PHASE_FAILED, CONNECTED("errored", "spawn", "accepted", "idle")},
	};
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	const struct wr_worker *worker;
	struct wr_ack ack;

	begin();
	worker = fixture_create(&fixture, &request);
	for (size_t i = 0; i < WR_COUNT(steps); i++) {
		wr_test_case(wr_phase_name(steps[i].phase));
		CHECK_STATUS(wr_runtime_phase(fixture.runtime, worker->number, steps[i].phase,
					      WR_VIEW("test")),
			     WR_OK);
		check_execution(worker, steps[i].state);
	}
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	check_member("worker.phase", "\"failed\"");
	check_execution(worker, CONNECTED("stopped", "stop", "accepted", "stopped"));
	check_member("worker.phase", "\"stopping\"");
	check_member("worker.status", "\"stopped\"");
	end();
}

static void test_last_result_tells_what_was_refused(void)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	struct wr_input input = {WR_INPUT_USER, WR_VIEW("x")};
	const struct wr_worker *worker;
	struct wr_error error;
	struct wr_ack ack;

	begin();
	worker = fixture_create(&fixture, &request);
	fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	check_execution(worker, CONNECTED("idle", "input", "accepted", "busy"));
	fixture.admission = WR_BUSY;
	CHECK_STATUS(wr_runtime_input(fixture.runtime, worker->id, &input, NULL, &ack, &error),
		     WR_BUSY);
	check_execution(worker, CONNECTED("idle", "input", "busy", "busy"));
	fixture.admission = WR_REJECTED;
	CHECK_STATUS(wr_runtime_input(fixture.runtime, worker->id, &input, NULL, &ack, &error),
		     WR_REJECTED);
	check_execution(worker, CONNECTED("idle", "input", "rejected", "rejected"));
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	check_execution(worker, CONNECTED("stopped", "cancel", "accepted", "stopped"));
	end();
}

/* ---- acknowledgements ---- */

#define REF "\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\"}"

static void test_acknowledgements_are_the_contracts_and_more(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;

	begin();
	worker = fixture_create(&fixture, NULL);
	ack = fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	wr_input_ack_json_write(&out, fixture.runtime, worker, &ack);
	check_front("{\"ack\":{" REF ",\"status\":\"running\",\"transcript_sequence\":1,\"event_"
		    "id\":3,\"cursor\":\"wo_");
	check_cursor("ack.cursor", worker->number, 3);
	check_member("ack.log_id", "\"" FIXTURE_LOG_ID "\"");
	CHECK_U64(json_count(json_at(wr_buf_view(&out), "ack")), 6);
	CHECK_STATUS(
		wr_runtime_stop_worker(fixture.runtime, worker->id, WR_VIEW("done"), NULL, &ack),
		WR_OK);
	fixture_create(&fixture, NULL);
	wr_buf_reset(&out);
	wr_lifecycle_ack_json_write(&out, fixture.runtime, worker, &ack);
	check_front("{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":4,\"cursor\":\"wo_");
	check_cursor("ack.cursor", worker->number, 4);
	CHECK_U64(json_count(json_at(wr_buf_view(&out), "ack")), 5);
	/* Again, and the other way: what is, is repeated. */
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	wr_buf_reset(&out);
	wr_lifecycle_ack_json_write(&out, fixture.runtime, worker, &ack);
	check_front("{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":4,");
	end();
}

/* ---- inputs that wait for their turn ---- */

static void test_a_queue_is_listed_and_an_end_names_what_it_took_back(void)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED,
				    .profile_value = WR_VIEW("x"),
				    .busy = {WR_BUSY_QUEUE, 4}};
	const struct wr_worker *worker, *rejecting;
	struct wr_json_writer writer;
	struct wr_face created;
	struct wr_view value;
	struct wr_ack ack;

	begin();
	fixture.execution.has_turns = true;
	worker = fixture_create(&fixture, &request);
	request.busy = (struct wr_busy_policy){WR_BUSY_REJECT, 0};
	rejecting = fixture_create(&fixture, &request);
	wr_worker_json_write(&out, fixture.runtime, worker, NULL);
	check_member("worker.busy_policy", "{\"kind\":\"queue\",\"max_inputs\":4}");
	check_member("worker.queue", "{\"policy\":\"queue\",\"max_inputs\":4,\"inputs\":[]}");
	fixture.admission = WR_BUSY;
	fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	fixture_say(&fixture, worker, WR_INPUT_SYSTEM, "hello");
	wr_buf_reset(&out);
	wr_worker_json_write(&out, fixture.runtime, worker, NULL);
	check_member("worker.queue", "{\"policy\":\"queue\",\"max_inputs\":4,\"inputs\":["
				     "{\"event_id\":4,\"kind\":\"user\",\"bytes\":1},"
				     "{\"event_id\":5,\"kind\":\"system\",\"bytes\":5}]}");
	created = wr_runtime_created_face(worker);
	wr_buf_reset(&out);
	wr_worker_json_write(&out, fixture.runtime, worker, &created);
	check_member("worker.queue", "{\"policy\":\"queue\",\"max_inputs\":4,\"inputs\":[]}");
	wr_buf_reset(&out);
	wr_json_writer_init(&writer, &out);
	wr_worker_summary_json(&writer, fixture.runtime, worker);
	check_member("queued_inputs", "2");
	CHECK(!json_member(wr_buf_view(&out), WR_VIEW("queue"), &value));
	wr_buf_reset(&out);
	wr_worker_json_write(&out, fixture.runtime, rejecting, NULL);
	check_member("worker.busy_policy", "{\"kind\":\"reject\"}");
	CHECK(!json_member(json_at(wr_buf_view(&out), "worker"), WR_VIEW("queue"), &value));
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	wr_buf_reset(&out);
	wr_lifecycle_ack_json_write(&out, fixture.runtime, worker, &ack);
	check_member("ack.dropped_inputs", "[4,5]");
	CHECK_U64(json_count(json_at(wr_buf_view(&out), "ack")), 6);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, rejecting->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	wr_buf_reset(&out);
	wr_lifecycle_ack_json_write(&out, fixture.runtime, rejecting, &ack);
	CHECK_U64(json_count(json_at(wr_buf_view(&out), "ack")), 5);
	end();
}

static void test_lack_of_memory_is_the_buffers(void)
{
	struct wr_buf pairs;
	struct wr_create request;
	const struct wr_worker *worker;

	begin();
	request = full_request(&pairs);
	worker = fixture_create(&fixture, &request);
	wr_buf_deinit(&pairs);
	for (uint64_t n = 1;; n++) {
		struct wr_buf answer;
		enum wr_status status;

		wr_buf_init(&answer, wr_test_allocator(), 65536);
		wr_test_fail_allocation(n, false);
		wr_worker_json_write(&answer, fixture.runtime, worker, NULL);
		status = wr_buf_status(&answer);
		wr_buf_deinit(&answer);
		if (!wr_test_allocation_failed()) {
			CHECK_STATUS(status, WR_OK);
			break;
		}
		CHECK_STATUS(status, WR_NO_MEMORY);
	}
	wr_test_fail_allocation(0, false);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_runtime_summary_is_the_contracts_and_more),
	WR_TEST(test_runtime_summary_shows_name_stop_and_drain),
	WR_TEST(test_detail_is_the_contracts_and_more),
	WR_TEST(test_detail_leaves_out_what_was_not_asked_for),
	WR_TEST(test_summary_is_the_contracts_and_more),
	WR_TEST(test_summary_counts_what_the_detail_lists),
	WR_TEST(test_a_store_is_described_and_old_clients_are_told_of_memory),
	WR_TEST(test_a_worker_is_shown_as_it_was_created),
	WR_TEST(test_a_quarantined_worker_says_so),
	WR_TEST(test_run_state_follows_the_phase),
	WR_TEST(test_last_result_tells_what_was_refused),
	WR_TEST(test_acknowledgements_are_the_contracts_and_more),
	WR_TEST(test_a_queue_is_listed_and_an_end_names_what_it_took_back),
	WR_TEST(test_lack_of_memory_is_the_buffers),
	WR_TEST_END,
};
