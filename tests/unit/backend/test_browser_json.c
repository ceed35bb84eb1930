/* Goal: what browsers are told has the contract's form, to the byte where the contract has an
 * example (8.3, 8.4), and says no more than it may (8.13). Method: the examples' inputs are given
 * to the writers. */
#include "backend/browser_json.h"

#include "unit/backend/contract_examples.h"
#include "unit/wire/json_equal.h"

#include <stdio.h>

#define WORKSPACE "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01"
#define NOON_MS 1782453600123 /* 2026-06-26T06:00:00.123Z */

static char storage[65536];
static struct wr_buf out;
static struct wr_json_writer writer;

static struct wr_json_writer *begin(void)
{
	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_json_writer_init(&writer, &out);
	return &writer;
}

static struct wr_view written(void)
{
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	return wr_buf_view(&out);
}

static const struct wr_notices nothing;

static const struct wr_runtime_overview embedded = {
	.runtime_id = WR_VIEW_INIT("embedded-worker-runtime"),
	.kind = WR_SOURCE_EMBEDDED,
	.label = WR_VIEW_INIT("Embedded runtime"),
	.status = WR_VIEW_INIT("running"),
	.host_id = WR_VIEW_INIT("embedded-" WORKSPACE "-c2ca39ab6066c0e4"),
	.can = WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER | WR_CAN_SPAWN |
	       WR_CAN_INPUT | WR_CAN_TRANSCRIPT | WR_HAS_INTERNAL_TOOLS,
	.local_pod_inspection = WR_VIEW_INIT("not_applicable"),
	.os = WR_VIEW_INIT("linux"),
	.arch = WR_VIEW_INIT("x86_64"),
};

static void test_runtimes_are_listed_as_in_the_contract(void)
{
	wr_browser_list_begin(begin(), WR_VIEW(WORKSPACE), 200);
	wr_browser_runtime_write(&writer, &embedded, 200);
	wr_browser_list_end(&writer, &nothing);
	CHECK_VIEW(written(), contract_example("b-runtimes"));
}

/* The contract's time has nanoseconds, ours milliseconds. */
static struct wr_view with_our_time(struct wr_view block)
{
	static char text[8192];
	const char *rest;
	struct wr_view view;

	CHECK(block.bytes < sizeof text);
	memcpy(text, block.data, block.bytes);
	rest = strstr(text, "456789+00:00");
	CHECK(rest != NULL);
	view = wr_view_of(text, block.bytes - 6);
	memmove(text + (rest - text), rest + 6, block.bytes - 6 - (size_t)(rest - text));
	return view;
}

static void test_hosts_are_listed_as_in_the_contract(void)
{
	struct wr_runtime_overview local = {
		.runtime_id = WR_VIEW("local-worker-runtime"),
		.kind = WR_SOURCE_LOCAL,
		.host_id = WR_VIEW("local-" WORKSPACE "-c2ca39ab6066c0e4"),
		.host_label = WR_VIEW("project"),
		.host_status = WR_VIEW("available"),
		.can = WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER,
		.local_pod_inspection = WR_VIEW("available"),
		.os = WR_VIEW("linux"),
		.arch = WR_VIEW("x86_64"),
	};

	wr_browser_list_begin(begin(), WR_VIEW(WORKSPACE), 200);
	wr_browser_host_write(&writer, &local, 200, NOON_MS);
	wr_browser_list_end(&writer, &nothing);
	CHECK_VIEW(written(), with_our_time(contract_example("b-hosts")));
}

static const struct wr_browser_source remote = {
	WR_SOURCE_REMOTE,
	WR_VIEW_INIT("remote:build-box"),
	WR_VIEW_INIT("remote-remote-build-box-cf8b3d243e00ad01"),
};

static struct wr_worker_overview remote_worker(void)
{
	struct wr_worker_overview worker = {
		.worker_id = WR_VIEW("worker-00000001"),
		.label = WR_VIEW("worker-00000001"),
		.display_hint = WR_VIEW("remote worker"),
		.role = WR_VIEW("coder"),
		.profile = WR_VIEW("builtin:coder"),
		.state = WR_VIEW("running"),
		.status = WR_VIEW("running"),
		.can = WR_CAN_INPUT | WR_CAN_STREAM | WR_CAN_STOP | WR_CAN_TRANSCRIPT,
	};

	wr_notices_add(&worker.notices, "remote_runtime_projection", WR_NOTICE_INFO,
		       "identity only");
	return worker;
}

static void test_a_worker_is_told_as_in_the_contract(void)
{
	struct wr_worker_overview worker = remote_worker();

	wr_browser_worker_write(begin(), &remote, &worker);
	CHECK_VIEW(written(), contract_example("b-worker"));
}

static void test_what_a_worker_lacks_is_null_and_ours_comes_last(void)
{
	struct wr_worker_overview worker = remote_worker();

	worker.role = worker.profile = WR_VIEW_NULL;
	worker.can = 0;
	worker.notices.count = 0;
	worker.label = WR_VIEW("a \"b\"\n");
	worker.phase = WR_VIEW("busy");
	worker.last_event_id = 7;
	worker.has_queue = true;
	worker.queued_inputs = 2;
	wr_browser_worker_write(begin(), &remote, &worker);
	CHECK_STRING(
		written(),
		"{\"runtime_id\":\"remote:build-box\",\"worker_id\":\"worker-00000001\","
		"\"host_id\":\"remote-remote-build-box-cf8b3d243e00ad01\","
		"\"label\":\"a \\\"b\\\"\\n\",\"role\":null,\"profile\":null,"
		"\"workspace\":{\"visibility\":\"remote_runtime\","
		"\"identity\":\"runtime_registry_worker\"},\"state\":\"running\","
		"\"status\":\"running\",\"last_seen_at\":null,"
		"\"implementation\":{\"kind\":\"remote_worker_runtime\","
		"\"display_hint\":\"remote worker\"},\"capabilities\":{\"can_accept_input\":false,"
		"\"can_stream_events\":false,\"can_stop\":false,\"can_spawn_followup\":false,"
		"\"can_read_bounded_transcript\":false},\"diagnostics\":[],\"phase\":\"busy\","
		"\"last_event_id\":7,\"queued_inputs\":2}");
}

static void test_kinds_have_the_words_of_the_contract(void)
{
	static const struct {
		enum wr_source_kind kind;
		const char *runtime, *source, *scope, *host, *worker, *visibility, *identity;
	} cases[] = {
		{WR_SOURCE_LOCAL, "\"local_pod\"", "\"local_compatibility\"",
		 "\"current_workspace\"", "\"local-worker-host\"", "\"local_pod\"",
		 "\"current_workspace\"", "\"runtime_workspace\""},
		{WR_SOURCE_EMBEDDED, "\"embedded_worker_runtime\"", "\"embedded_worker_runtime\"",
		 "\"backend_internal\"", "\"embedded-worker-runtime-host\"",
		 "\"embedded_worker_runtime\"", "\"backend_internal\"",
		 "\"runtime_registry_worker\""},
		{WR_SOURCE_REMOTE, "\"remote_worker_runtime\"", "\"remote_http\"",
		 "\"remote_runtime_backend_private\"", "\"remote-worker-runtime-host\"",
		 "\"remote_worker_runtime\"", "\"remote_runtime\"", "\"runtime_registry_worker\""},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_runtime_overview overview = embedded;
		struct wr_worker_overview worker = remote_worker();
		struct wr_browser_source source = remote;

		overview.kind = source.kind = cases[i].kind;
		wr_test_case(cases[i].runtime);
		wr_browser_runtime_write(begin(), &overview, 200);
		CHECK_STRING(json_at(written(), "kind"), cases[i].runtime);
		CHECK_STRING(json_at(written(), "source.kind"), cases[i].source);
		CHECK_STRING(json_at(written(), "capabilities.workspace_scope"), cases[i].scope);
		wr_browser_host_write(begin(), &overview, 200, 0);
		CHECK_STRING(json_at(written(), "kind"), cases[i].host);
		wr_browser_worker_write(begin(), &source, &worker);
		CHECK_STRING(json_at(written(), "implementation.kind"), cases[i].worker);
		CHECK_STRING(json_at(written(), "workspace.visibility"), cases[i].visibility);
		CHECK_STRING(json_at(written(), "workspace.identity"), cases[i].identity);
	}
}

static void test_each_capability_is_a_member_of_its_own(void)
{
	static const struct {
		unsigned bit;
		const char *path;
	} cases[] = {
		{WR_CAN_LIST_HOSTS, "capabilities.can_list_hosts"},
		{WR_CAN_LIST_WORKERS, "capabilities.can_list_workers"},
		{WR_CAN_GET_WORKER, "capabilities.can_get_worker"},
		{WR_CAN_SPAWN, "capabilities.can_spawn_worker"},
		{WR_CAN_STOP, "capabilities.can_stop_worker"},
		{WR_CAN_INPUT, "capabilities.can_accept_input"},
		{WR_CAN_STREAM, "capabilities.can_stream_events"},
		{WR_CAN_TRANSCRIPT, "capabilities.can_read_bounded_transcript"},
		{WR_HAS_INTERNAL_TOOLS, "capabilities.supports_backend_internal_tools"},
		{0, "capabilities.has_workspace_fs"},
		{0, "capabilities.has_shell"},
		{0, "capabilities.has_git"},
		{0, "capabilities.supports_worktrees"},
	};
	struct wr_runtime_overview overview = embedded;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		overview.can = cases[i].bit;
		wr_browser_runtime_write(begin(), &overview, 10);
		for (size_t n = 0; n < WR_COUNT(cases); n++)
			CHECK_STRING(json_at(written(), cases[n].path),
				     n == i && cases[n].bit != 0 ? "true" : "false");
	}
	CHECK_STRING(json_at(written(), "capabilities.max_workers"), "10");
	/* Nothing may be listed: then no host is named either (8.1). */
	wr_browser_runtime_write(begin(), &overview, 0);
	CHECK_STRING(json_at(written(), "host_ids"), "[]");
}

static void test_times_are_those_of_the_calendar(void)
{
	static const struct {
		int64_t ms;
		const char *time;
	} cases[] = {
		{-1, "\"1970-01-01T00:00:00.000+00:00\""},
		{0, "\"1970-01-01T00:00:00.000+00:00\""},
		{1, "\"1970-01-01T00:00:00.001+00:00\""},
		{951782399999, "\"2000-02-28T23:59:59.999+00:00\""},
		{951782400000, "\"2000-02-29T00:00:00.000+00:00\""},
		{951868800000, "\"2000-03-01T00:00:00.000+00:00\""},
		{978307199000, "\"2000-12-31T23:59:59.000+00:00\""},
		{1709164800000, "\"2024-02-29T00:00:00.000+00:00\""},
		{NOON_MS, "\"2026-06-26T06:00:00.123+00:00\""},
		{4107542400000, "\"2100-03-01T00:00:00.000+00:00\""},
		{4107456000000, "\"2100-02-28T00:00:00.000+00:00\""},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_browser_host_write(begin(), &embedded, 200, cases[i].ms);
		CHECK_STRING(json_at(written(), "observed_at"), cases[i].time);
	}
}

static void test_a_spawn_is_answered_as_in_the_contract(void)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_REJECTED};

	wr_notices_add(&result.notices, "embedded_runtime_no_socket", WR_NOTICE_WARNING,
		       "no sockets here");
	wr_browser_spawn_write(begin(), &result, WR_VIEW_NULL);
	CHECK_VIEW(written(), contract_example("b-spawnres"));
}

static void test_an_accepted_spawn_has_its_worker_and_evidence(void)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_ACCEPTED,
					  .evidence = {{"a", "b"}, {"c", "d"}}};

	wr_browser_spawn_write(begin(), &result, WR_VIEW("{\"worker_id\":\"w\"}"));
	CHECK_STRING(written(), "{\"state\":\"accepted\",\"worker\":{\"worker_id\":\"w\"},"
				"\"acceptance_evidence\":[{\"kind\":\"a\",\"detail\":\"b\"},"
				"{\"kind\":\"c\",\"detail\":\"d\"}],\"diagnostics\":[]}");
}

static void test_an_input_is_answered_as_in_the_contract(void)
{
	struct wr_source_result result = {
		.outcome = WR_SOURCE_ACCEPTED, .event_id = 3, .transcript_sequence = 1};

	wr_browser_input_write(begin(), &result, WR_VIEW("embedded-worker-runtime"),
			       WR_VIEW("worker-00000001"));
	CHECK_VIEW(written(), contract_example("b-inputres"));
}

static void test_a_stop_is_answered_as_in_the_contract(void)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_ACCEPTED, .event_id = 9};

	wr_notices_add(&result.notices, "remote_runtime_lifecycle_accepted", WR_NOTICE_INFO,
		       "worker is stopped");
	wr_browser_lifecycle_write(begin(), &result, WR_VIEW("remote:build-box"),
				   WR_VIEW("worker-00000001"));
	CHECK_VIEW(written(), contract_example("b-lifecycleres"));
}

static void test_an_end_names_what_it_took_back(void)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_ACCEPTED,
					  .event_id = 9,
					  .has_dropped = true,
					  .dropped = WR_VIEW("\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0")};

	wr_browser_lifecycle_write(begin(), &result, WR_VIEW("r"), WR_VIEW("w"));
	CHECK_STRING(written(), "{\"state\":\"accepted\",\"runtime_id\":\"r\",\"worker_id\":\"w\","
				"\"event_id\":9,\"dropped_inputs\":[5,6],\"diagnostics\":[]}");
	result.dropped = WR_VIEW_NULL;
	wr_browser_lifecycle_write(begin(), &result, WR_VIEW("r"), WR_VIEW("w"));
	CHECK_STRING(written(), "{\"state\":\"accepted\",\"runtime_id\":\"r\",\"worker_id\":\"w\","
				"\"event_id\":9,\"dropped_inputs\":[],\"diagnostics\":[]}");
}

static void test_what_was_not_accepted_has_no_numbers(void)
{
	static const struct {
		enum wr_source_outcome outcome;
		const char *expected;
	} cases[] = {
		{WR_SOURCE_REJECTED, "{\"state\":\"rejected\",\"runtime_id\":\"r\","
				     "\"worker_id\":\"w\",\"diagnostics\":[{\"code\":\"c\","
				     "\"severity\":\"error\",\"message\":\"m\"}]}"},
		{WR_SOURCE_UNSUPPORTED, "{\"state\":\"unsupported\",\"runtime_id\":\"r\","
					"\"worker_id\":\"w\",\"diagnostics\":[{\"code\":\"c\","
					"\"severity\":\"error\",\"message\":\"m\"}]}"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_source_result result = {
			.outcome = cases[i].outcome, .event_id = 9, .transcript_sequence = 8};

		wr_notices_add(&result.notices, "c", WR_NOTICE_ERROR, "m");
		wr_browser_input_write(begin(), &result, WR_VIEW("r"), WR_VIEW("w"));
		CHECK_STRING(written(), cases[i].expected);
		wr_browser_lifecycle_write(begin(), &result, WR_VIEW("r"), WR_VIEW("w"));
		CHECK_STRING(written(), cases[i].expected);
	}
}

static void test_a_transcript_is_told_as_in_the_contract(void)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_ACCEPTED,
					  .page = {.limit = 10, .total_items = 1}};
	struct wr_transcript_entry entry = {1, 3, WR_VIEW("user"), WR_VIEW("hello")};

	wr_browser_transcript_begin(begin(), &result, WR_VIEW("embedded-worker-runtime"),
				    WR_VIEW("worker-00000001"));
	wr_browser_entry_write(&writer, &entry);
	wr_browser_transcript_end(&writer, &result);
	CHECK_VIEW(written(), contract_example("b-transcript"));
}

static void test_only_a_page_with_more_behind_it_says_where_that_starts(void)
{
	struct wr_source_result result = {
		.outcome = WR_SOURCE_ACCEPTED,
		.page = {.start = 5, .limit = 2, .total_items = 9, .next_start = 7}};
	struct wr_view ignored;

	wr_browser_transcript_begin(begin(), &result, WR_VIEW("r"), WR_VIEW("w"));
	wr_browser_transcript_end(&writer, &result);
	CHECK(!json_member(written(), WR_VIEW("next_start"), &ignored));
	result.page.has_next_start = true;
	wr_browser_transcript_begin(begin(), &result, WR_VIEW("r"), WR_VIEW("w"));
	wr_browser_transcript_end(&writer, &result);
	CHECK_STRING(json_at(written(), "next_start"), "7");
	CHECK_STRING(json_at(written(), "start"), "5");
	CHECK_STRING(json_at(written(), "items"), "[]");
}

static void test_a_workspace_is_told_without_its_place(void)
{
	struct wr_browser_workspace workspace = {WR_VIEW(WORKSPACE), WR_VIEW("project"), true,
						 false};
	struct wr_view ignored;

	wr_browser_workspace_write(begin(), &workspace);
	CHECK_STRING(json_at(written(), "workspace_id"), "\"" WORKSPACE "\"");
	CHECK_STRING(json_at(written(), "display_name"), "\"project\"");
	CHECK_STRING(json_at(written(), "schema_version"), "1");
	CHECK_STRING(json_at(written(), "auth.LocalDevToken.token_configured"), "true");
	CHECK_STRING(json_at(written(), "extension_points.event_stream.status"), "\"unavailable\"");
	CHECK_U64(json_count(json_at(written(), "extension_points.host_worker_bridge")), 2);
	CHECK(*json_at(written(), "extension_points.store").data == '"');
	CHECK(*json_at(written(), "record_authority").data == '"');
	CHECK(!json_member(written(), WR_VIEW("local_root"), &ignored));
	CHECK_U64(json_count(written()), 6);
}

/* 8.13: the words that are searched for, in what the writers say by themselves. */
static void test_no_word_of_ours_is_one_that_is_searched_for(void)
{
	static const char *const words[] = {"metadata.json", "socket",	 "session", "token",
					    "credential",    "provider", "/"};

	for (int kind = WR_SOURCE_LOCAL; kind <= WR_SOURCE_REMOTE; kind++) {
		struct wr_runtime_overview overview = embedded;
		struct wr_worker_overview worker = remote_worker();
		struct wr_browser_source source = remote;

		overview.kind = source.kind = (enum wr_source_kind)kind;
		wr_json_array_begin(begin());
		wr_browser_runtime_write(&writer, &overview, 200);
		wr_browser_host_write(&writer, &overview, 200, NOON_MS);
		wr_browser_worker_write(&writer, &source, &worker);
		wr_json_array_end(&writer);
		wr_buf_append_byte(&out, '\0');
		for (size_t i = 0; i < WR_COUNT(words); i++) {
			wr_test_case(words[i]);
			CHECK(strstr(written().data, words[i]) == NULL);
		}
	}
}

/* When the contract is at hand. */
static void test_the_examples_are_the_contracts(void)
{
	const char *folder = wr_test_shared();
	char path[512], fence[64];
	struct wr_view text;

	if (folder == NULL)
		wr_test_skip("no folder of shared reference data");
	snprintf(path, sizeof path, "%s/contract.md", folder);
	if (!wr_test_find_file(path))
		wr_test_skip("contract.md is not there");
	text = wr_test_read_file(path);
	for (size_t i = 0; i < WR_COUNT(contract_examples); i++) {
		const char *at, *end;

		wr_test_case(contract_examples[i].name);
		snprintf(fence, sizeof fence, "\n```json %s\n", contract_examples[i].name);
		at = strstr(text.data, fence);
		CHECK(at != NULL);
		at += strlen(fence);
		end = strstr(at, "\n```");
		CHECK(end != NULL);
		CHECK_STRING(wr_view_of(at, (size_t)(end - at)), contract_examples[i].json);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_examples_are_the_contracts),
	WR_TEST(test_runtimes_are_listed_as_in_the_contract),
	WR_TEST(test_hosts_are_listed_as_in_the_contract),
	WR_TEST(test_a_worker_is_told_as_in_the_contract),
	WR_TEST(test_what_a_worker_lacks_is_null_and_ours_comes_last),
	WR_TEST(test_kinds_have_the_words_of_the_contract),
	WR_TEST(test_each_capability_is_a_member_of_its_own),
	WR_TEST(test_times_are_those_of_the_calendar),
	WR_TEST(test_a_spawn_is_answered_as_in_the_contract),
	WR_TEST(test_an_accepted_spawn_has_its_worker_and_evidence),
	WR_TEST(test_an_input_is_answered_as_in_the_contract),
	WR_TEST(test_a_stop_is_answered_as_in_the_contract),
	WR_TEST(test_an_end_names_what_it_took_back),
	WR_TEST(test_what_was_not_accepted_has_no_numbers),
	WR_TEST(test_a_transcript_is_told_as_in_the_contract),
	WR_TEST(test_only_a_page_with_more_behind_it_says_where_that_starts),
	WR_TEST(test_a_workspace_is_told_without_its_place),
	WR_TEST(test_no_word_of_ours_is_one_that_is_searched_for),
	WR_TEST_END,
};
