/* REST of the real program: every endpoint, every outcome, the order of checks (contract 2, design
 * 5). One request each over a real socket; the answers are read by the strict client. */
#include "check.h"
#include "harness/client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_BODY \
	"{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}"

/* The program and one connection to it; most tests need no more. */
static struct wr_process server;
static struct wr_client client;
static struct wr_answer answer;

static void start_with(const char *const *arguments)
{
	wr_process_start(&server, arguments, NULL);
	wr_client_open(&client, &server, NULL);
}

static void start(void)
{
	start_with(WR_ARGUMENTS("--runtime-id", "rt-a"));
}

static void stop(void)
{
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void get(const char *target)
{
	wr_client_ask(&client, &answer, "GET", target, NULL, NULL);
}

static void post(const char *target, const char *body)
{
	wr_client_ask(&client, &answer, "POST", target, NULL, body);
}

/* Status and code of a typed error: exactly that shape, with a message. */
static void check_error(unsigned status, const char *code)
{
	CHECK_U64(answer.status, status);
	CHECK_STRING(wr_json_find(answer.body, "error.code"), code);
	CHECK(wr_json_find(answer.body, "error.message").bytes > 0);
	CHECK_STRING(wr_answer_field(&answer, "Content-Type"), "application/json");
}

static void check_member(const char *path, const char *expected)
{
	CHECK_STRING(wr_json_find(answer.body, path), expected);
}

/* Asks for the transcript until it has that many items: a program answers when it does. */
static void wait_for_items(const char *id, uint64_t count)
{
	uint64_t end = wr_process_now_ms() + WR_CLIENT_WAIT_MS;

	for (;;) {
		wr_client_get(&client, &answer, "/v1/workers/%s/transcript", id);
		CHECK_U64(answer.status, 200);
		if (wr_json_find_u64(answer.body, "transcript.total_items") >= count)
			return;
		CHECK(wr_process_now_ms() < end);
		poll(NULL, 0, 2);
	}
}

/* A command with this Idempotency-Key. */
static void post_with_key(const char *target, const char *key, const char *body)
{
	char fields[512];

	snprintf(fields, sizeof fields, "Content-Type: application/json\r\nIdempotency-Key: %s\r\n",
		 key);
	wr_client_ask(&client, &answer, "POST", target, fields, body);
}

/* ---- reading ---- */

static void test_the_runtime_describes_itself(void)
{
	start_with(WR_ARGUMENTS("--runtime-id", "rt-a", "--display-name", "Tokyo \"one\"",
				"--max-event-batch-items", "7"));
	get("/v1/runtime");
	CHECK_U64(answer.status, 200);
	check_member("runtime.runtime_id", "rt-a");
	check_member("runtime.display_name", "Tokyo \\\"one\\\"");
	check_member("runtime.backend", "memory");
	check_member("runtime.status", "running");
	check_member("runtime.worker_count", "0");
	check_member("runtime.limits.max_transcript_projection_items", "256");
	check_member("runtime.limits.max_event_batch_items", "7");
	check_member("runtime.store", "{\"kind\":\"memory\"}");
	CHECK(wr_answer_field(&answer, "Date").bytes == 29);
	stop();
}

static void test_a_runtime_without_a_name_says_null(void)
{
	start();
	get("/v1/runtime");
	check_member("runtime.display_name", "null");
	stop();
}

static void test_a_create_answers_201_with_location_and_detail(void)
{
	start();
	post("/v1/workers", "{\"profile\":{\"value\":\"builtin:coder\",\"kind\":\"builtin\"},"
			    "\"intent\":{\"kind\":\"task\",\"objective\":\"port the store\"},"
			    "\"config_bundle\":{\"id\":\"bundle-7\"},\"unknown\":{\"deep\":[1,2]},"
			    "\"requested_capabilities\":[{\"name\":\"read\",\"reason\":\"look\"},{"
			    "\"name\":\"w\"}],"
			    "\"workspace_refs\":[{\"name\":\"main\",\"reference\":\"ws:main\"}]}");
	CHECK_U64(answer.status, 201);
	CHECK_STRING(wr_answer_field(&answer, "Location"), "/v1/workers/worker-00000001");
	check_member("worker.worker_ref.runtime_id", "rt-a");
	check_member("worker.worker_ref.worker_id", "worker-00000001");
	check_member("worker.runtime_id", "rt-a");
	check_member("worker.status", "running");
	check_member("worker.intent.objective", "port the store");
	check_member("worker.profile.value", "builtin:coder");
	check_member("worker.config_bundle.id", "bundle-7");
	check_member("worker.requested_capabilities.0.reason", "look");
	check_member("worker.requested_capabilities.1.name", "w");
	check_member("worker.workspace_refs.0.reference", "ws:main");
	CHECK(wr_json_find(answer.body, "worker.mount_refs").data == NULL);
	check_member("worker.transcript_len", "0");
	check_member("worker.execution.backend", "unconnected");
	stop();
}

static void test_detail_is_what_create_answered(void)
{
	char created[4096];
	size_t bytes;

	start();
	post("/v1/workers", CREATE_BODY);
	CHECK(answer.body.bytes < sizeof created);
	bytes = answer.body.bytes;
	memcpy(created, answer.body.data, bytes);
	get("/v1/workers/worker-00000001");
	CHECK_U64(answer.status, 200);
	CHECK_VIEW(answer.body, wr_view_of(created, bytes));
	get("/v1/workers/worker%2D0000000%31"); /* decoded once */
	CHECK_U64(answer.status, 200);
	stop();
}

static void test_the_list_is_ordered_and_pages_join(void)
{
	char after[WR_CLIENT_ID_BYTES] = "", target[256];
	unsigned count = 0;

	start();
	for (unsigned i = 0; i < 23; i++)
		post("/v1/workers", CREATE_BODY);
	get("/v1/workers");
	CHECK_U64(answer.status, 200);
	check_member("workers.22.worker_id", "worker-00000017");
	check_member("workers.0.has_config_bundle", "false");
	CHECK(wr_json_find(answer.body, "workers.23").data == NULL);
	for (;;) {
		char path[32];
		snprintf(target, sizeof target, "/v1/workers?limit=5%s%s",
			 after[0] != '\0' ? "&after=" : "", after);
		get(target);
		CHECK_U64(answer.status, 200);
		unsigned in_page = 0;
		for (;; in_page++) {
			snprintf(path, sizeof path, "workers.%u.worker_id", in_page);
			if (wr_json_find(answer.body, path).data == NULL)
				break;
			CHECK(in_page < 5);
			wr_json_copy(after, sizeof after, answer.body, path);
			char expected[32];
			snprintf(expected, sizeof expected, "worker-%08x", ++count);
			CHECK(strcmp(after, expected) == 0);
		}
		if (in_page == 0)
			break;
	}
	CHECK_U64(count, 23);
	stop();
}

static void test_an_empty_runtime_lists_nobody(void)
{
	start();
	get("/v1/workers");
	CHECK_U64(answer.status, 200);
	CHECK(wr_json_find(answer.body, "workers").bytes == 2);
	get("/v1/workers?limit=0");
	CHECK_U64(answer.status, 200);
	get("/v1/workers?limit=5&after=worker-00000009");
	CHECK_U64(answer.status, 200);
	get("/v1/workers?limit=x");
	check_error(400, "invalid_query");
	get("/v1/workers?limit=1&limit=2");
	check_error(400, "invalid_query");
	stop();
}

static void test_a_long_list_comes_in_pieces_and_whole(void)
{
	start();
	for (unsigned i = 0; i < 300; i++)
		post("/v1/workers", CREATE_BODY);
	get("/v1/workers");
	CHECK_U64(answer.status, 200);
	CHECK(answer.body.bytes > 65536);
	check_member("workers.299.worker_id", "worker-0000012c");
	stop();
}

static void test_input_is_acknowledged_and_in_the_transcript(void)
{
	char id[WR_CLIENT_ID_BYTES], target[256];

	start();
	wr_client_create_worker(&client, id);
	snprintf(target, sizeof target, "/v1/workers/%s/input", id);
	post(target, "{\"kind\":\"user\",\"content\":\"hello \\u0000 \\ud83d\\ude00\"}");
	CHECK_U64(answer.status, 200);
	check_member("ack.worker_ref.worker_id", id);
	check_member("ack.status", "running");
	check_member("ack.transcript_sequence", "1");
	uint64_t event_id = wr_json_find_u64(answer.body, "ack.event_id");
	post(target, "{\"content\":\" note \",\"kind\":\"system\"}");
	check_member("ack.transcript_sequence", "2");
	CHECK(wr_json_find_u64(answer.body, "ack.event_id") > event_id);
	snprintf(target, sizeof target, "/v1/workers/%s/transcript", id);
	get(target);
	CHECK_U64(answer.status, 200);
	check_member("transcript.start", "0");
	check_member("transcript.limit", "256");
	check_member("transcript.total_items", "2");
	check_member("transcript.next_start", "null");
	check_member("transcript.items.0.sequence", "1");
	check_member("transcript.items.0.role", "user");
	check_member("transcript.items.0.content", "hello \\u0000 \xf0\x9f\x98\x80");
	CHECK_U64(wr_json_find_u64(answer.body, "transcript.items.0.event_id"), event_id);
	check_member("transcript.items.1.role", "system");
	check_member("transcript.items.1.content", " note ");
	stop();
}

static void test_transcript_pages_join(void)
{
	static const struct {
		const char *query, *items, *next;
	} cases[] = {
		{"?start=0&limit=2", "2", "2"},
		{"?start=2&limit=2", "2", "4"},
		{"?start=4&limit=2", "1", "null"},
		{"?start=5", "0", "null"},
		{"?start=99", "0", "null"},
		{"?limit=0", "0", "0"},
		{"?limit=5", "5", "null"},
		{"?limit=05&start=%2B1", "4", "null"},
		{"?unknown=1&limit=256", "5", "null"},
		{"?", "5", "null"},
	};
	char id[WR_CLIENT_ID_BYTES], target[256], path[64];

	start();
	wr_client_create_worker(&client, id);
	for (unsigned i = 0; i < 5; i++)
		wr_client_input(&client, id, "x");
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		unsigned items = (unsigned)(cases[i].items[0] - '0');

		wr_test_case(cases[i].query);
		snprintf(target, sizeof target, "/v1/workers/%s/transcript%s", id, cases[i].query);
		get(target);
		CHECK_U64(answer.status, 200);
		check_member("transcript.total_items", "5");
		check_member("transcript.next_start", cases[i].next);
		snprintf(path, sizeof path, "transcript.items.%u", items);
		CHECK(wr_json_find(answer.body, path).data == NULL);
		snprintf(path, sizeof path, "transcript.items.%u", items - 1);
		CHECK(items == 0 || wr_json_find(answer.body, path).data != NULL);
	}
	stop();
}

static void test_a_small_maximum_does_not_break_the_bare_request(void)
{
	char id[WR_CLIENT_ID_BYTES], target[256];

	start_with(WR_ARGUMENTS("--max-transcript-projection-items", "3"));
	wr_client_create_worker(&client, id);
	for (unsigned i = 0; i < 5; i++)
		wr_client_input(&client, id, "x");
	snprintf(target, sizeof target, "/v1/workers/%s/transcript", id);
	get(target);
	CHECK_U64(answer.status, 200);
	check_member("transcript.limit", "3");
	check_member("transcript.next_start", "3");
	snprintf(target, sizeof target, "/v1/workers/%s/transcript?limit=4", id);
	get(target);
	check_error(400, "limit_too_large");
	stop();
}

static void test_health_is_open_and_small(void)
{
	static const char *const targets[] = {"/healthz", "/readyz"};

	start_with(WR_ARGUMENTS("--local-token", "secret"));
	for (size_t i = 0; i < 2; i++) {
		wr_test_case(targets[i]);
		get(targets[i]);
		CHECK_U64(answer.status, 200);
		CHECK_STRING(answer.body, "{\"status\":\"ok\"}");
		wr_client_ask(&client, &answer, "POST", targets[i], NULL, "");
		check_error(401, "unauthorized");
	}
	stop();
}

static void test_head_has_the_head_of_get(void)
{
	static const char *const targets[] = {"/v1/runtime",
					      "/v1/workers",
					      "/v1/workers/worker-00000001",
					      "/v1/workers/worker-00000001/transcript",
					      "/healthz",
					      "/v1/workers/none",
					      "/none"};

	start();
	post("/v1/workers", CREATE_BODY);
	for (size_t i = 0; i < WR_COUNT(targets); i++) {
		unsigned status;
		size_t bytes;

		wr_test_case(targets[i]);
		get(targets[i]);
		status = answer.status;
		bytes = answer.body.bytes;
		wr_client_ask(&client, &answer, "HEAD", targets[i], NULL, NULL);
		CHECK_U64(answer.status, status);
		CHECK_U64(answer.body.bytes, 0);
		char length[24];
		snprintf(length, sizeof length, "%zu", bytes);
		CHECK_STRING(wr_answer_field(&answer, "Content-Length"), length);
		CHECK_STRING(wr_answer_field(&answer, "Content-Type"), "application/json");
	}
	stop();
}

/* ---- life cycle ---- */

static void test_stop_and_cancel_are_terminal_and_idempotent(void)
{
	static const struct {
		const char *label, *first, *second, *status;
	} cases[] = {
		{"stop, stop", "stop", "stop", "stopped"},
		{"stop, cancel", "stop", "cancel", "stopped"},
		{"cancel, stop", "cancel", "stop", "cancelled"},
		{"cancel, cancel", "cancel", "cancel", "cancelled"},
	};

	start();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char id[WR_CLIENT_ID_BYTES], event_id[32];

		wr_test_case(cases[i].label);
		wr_client_create_worker(&client, id);
		wr_client_post(&client, &answer, "{\"reason\":\"done for today\"}",
			       "/v1/workers/%s/%s", id, cases[i].first);
		CHECK_U64(answer.status, 200);
		check_member("ack.status", cases[i].status);
		wr_json_copy(event_id, sizeof event_id, answer.body, "ack.event_id");
		CHECK(wr_json_find(answer.body, "ack.transcript_sequence").data == NULL);
		wr_client_post(&client, &answer, NULL, "/v1/workers/%s/%s", id, cases[i].second);
		CHECK_U64(answer.status, 200);
		check_member("ack.status", cases[i].status);
		check_member("ack.event_id", event_id);
		wr_client_get(&client, &answer, "/v1/workers/%s", id);
		check_member("worker.status", cases[i].status);
		check_member("worker.last_event_id", event_id);
		wr_client_post(&client, &answer, "{\"kind\":\"user\",\"content\":\"more\"}",
			       "/v1/workers/%s/input", id);
		check_error(409, "worker_not_running");
		wr_client_get(&client, &answer, "/v1/workers/%s/transcript", id);
		CHECK_U64(answer.status, 200);
	}
	get("/v1/runtime");
	check_member("runtime.stopped_worker_count", "2");
	check_member("runtime.cancelled_worker_count", "2");
	check_member("runtime.active_worker_count", "0");
	stop();
}

static void test_lifecycle_bodies(void)
{
	static const struct {
		const char *label, *fields, *body;
		unsigned status;
	} cases[] = {
		{"nothing at all", NULL, NULL, 200},
		{"zero bytes", NULL, "", 200},
		{"an object", NULL, "{}", 200},
		{"no reason", NULL, "{\"reason\":null}", 200},
		{"any type", "Content-Type: text/plain\r\n", "{\"reason\":\"x\"}", 200},
		{"not even a type", "Content-Type: @\r\n", "{}", 200},
		{"type without a body", "Content-Type: application/json\r\n", NULL, 200},
		{"null", NULL, "null", 400},
		{"white space", NULL, " ", 400},
		{"a list", NULL, "[]", 400},
		{"reason not text", NULL, "{\"reason\":1}", 400},
		{"reason twice", NULL, "{\"reason\":\"a\",\"reason\":\"b\"}", 400},
		{"more behind it", NULL, "{} {}", 400},
	};
	char id[WR_CLIENT_ID_BYTES], target[256];

	start();
	wr_client_create_worker(&client, id);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		static const char *const operations[] = {"stop", "cancel"};
		for (size_t j = 0; j < 2; j++) {
			wr_test_case(cases[i].label);
			snprintf(target, sizeof target, "/v1/workers/%s/%s", id, operations[j]);
			wr_client_ask(&client, &answer, "POST", target, cases[i].fields,
				      cases[i].body);
			if (cases[i].status == 200)
				CHECK_U64(answer.status, 200);
			else
				check_error(400, "invalid_json");
		}
	}
	stop();
}

static void test_interrupt_needs_something_that_runs(void)
{
	char id[WR_CLIENT_ID_BYTES];

	start();
	wr_client_create_worker(&client, id);
	wr_client_post(&client, &answer, NULL, "/v1/workers/%s/interrupt", id);
	check_error(501, "unsupported_operation");
	wr_client_post(&client, &answer, NULL, "/v1/workers/nobody/interrupt");
	check_error(404, "worker_not_found");
	wr_client_post(&client, &answer, NULL, "/v1/workers/%%20/interrupt");
	check_error(400, "invalid_worker_id");
	stop();
}

static void test_a_program_answers_in_line_mode(void)
{
	char id[WR_CLIENT_ID_BYTES];

	start_with(WR_ARGUMENTS("--exec", "cat"));
	wr_client_create_worker(&client, id);
	wr_client_get(&client, &answer, "/v1/workers/%s", id);
	check_member("worker.execution.backend", "connected");
	wr_client_input(&client, id, "echo me");
	wait_for_items(id, 2);
	check_member("transcript.items.1.role", "assistant");
	check_member("transcript.items.1.content", "echo me");
	wr_client_post(&client, &answer, NULL, "/v1/workers/%s/stop", id);
	CHECK_U64(answer.status, 200);
	stop();
}

static void test_old_backends_see_the_roles_they_know(void)
{
	char id[WR_CLIENT_ID_BYTES];

	start_with(WR_ARGUMENTS("--exec", "cat", "--compat", "yoi-2026-06"));
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "echo me");
	wait_for_items(id, 2);
	check_member("transcript.items.1.role", "system");
	stop();
}

static void test_a_busy_worker_says_when_to_come_back(void)
{
	char id[WR_CLIENT_ID_BYTES];

	/* A jsonl program that never says `done`: its first turn does not end. */
	start_with(WR_ARGUMENTS("--exec-mode", "jsonl", "--exec",
				"/bin/sh -c 'echo \"{\\\"type\\\":\\\"ready\\\"}\"; while read -r "
				"line; do :; done'",
				"--drain-ms", "500"));
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "first");
	wr_client_post(&client, &answer, "{\"kind\":\"user\",\"content\":\"second\"}",
		       "/v1/workers/%s/input", id);
	check_error(409, "worker_busy");
	CHECK_STRING(wr_answer_field(&answer, "Retry-After"), "1");
	wr_client_get(&client, &answer, "/v1/workers/%s/transcript", id);
	check_member("transcript.total_items", "1");
	stop();
}

/* ---- errors ---- */

static void test_errors_of_create(void)
{
	static const struct {
		const char *label, *fields, *body;
		unsigned status;
		const char *code;
	} cases[] = {
		{"no type", "Content-Type: \r\n", CREATE_BODY, 415, "unsupported_media_type"},
		{"text", "Content-Type: text/plain\r\n", CREATE_BODY, 415,
		 "unsupported_media_type"},
		{"almost JSON", "Content-Type: application/jsonl\r\n", CREATE_BODY, 415,
		 "unsupported_media_type"},
		{"type before content", "Content-Type: text/plain\r\n", "{", 415,
		 "unsupported_media_type"},
		{"first type counts",
		 "Content-Type: text/plain\r\nContent-Type: application/json\r\n", CREATE_BODY, 415,
		 "unsupported_media_type"},
		{"empty", NULL, "", 400, "invalid_json"},
		{"nothing in it", NULL, "{}", 400, "invalid_json"},
		{"no profile", NULL, "{\"intent\":{\"kind\":\"assistant\"}}", 400, "invalid_json"},
		{"null profile", NULL, "{\"intent\":{\"kind\":\"assistant\"},\"profile\":null}",
		 400, "invalid_json"},
		{"twice", NULL,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"},"
		 "\"profile\":{\"kind\":\"runtime_default\"}}",
		 400, "invalid_json"},
		{"cut", NULL, "{\"intent\":{\"kind\":\"assistant\"},\"profile\"", 400,
		 "invalid_json"},
		{"more behind", NULL, CREATE_BODY "x", 400, "invalid_json"},
		{"other case", NULL,
		 "{\"intent\":{\"kind\":\"Assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}",
		 400, "invalid_json"},
		{"bad UTF-8", NULL,
		 "{\"intent\":{\"kind\":\"task\",\"objective\":\"\xff\"},\"profile\":{\"kind\":"
		 "\"runtime_default\"}}",
		 400, "invalid_json"},
		{"lone surrogate", NULL,
		 "{\"intent\":{\"kind\":\"task\",\"objective\":\"\\ud800\"},\"profile\":{\"kind\":"
		 "\"runtime_default\"}}",
		 400, "invalid_json"},
		{"null list", NULL,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"},"
		 "\"mount_refs\":null}",
		 400, "invalid_json"},
		{"blank objective", NULL,
		 "{\"intent\":{\"kind\":\"task\",\"objective\":\" \\u3000\"},\"profile\":{\"kind\":"
		 "\"runtime_default\"}}",
		 400, "invalid_request"},
		{"blank capability", NULL,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"},"
		 "\"requested_capabilities\":[{\"name\":\"ok\"},{\"name\":\"\"}]}",
		 400, "invalid_request"},
		{"named profile", NULL,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"named\",\"value\":"
		 "\"reviewer\"}}",
		 400, "invalid_profile_selector"},
		{"unknown builtin", NULL,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"builtin\",\"value\":"
		 "\"builtin:poet\"}}",
		 400, "invalid_profile_selector"},
		{"default by another name", NULL,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"builtin\",\"value\":"
		 "\"default\"}}",
		 400, "invalid_profile_selector"},
	};

	start();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		wr_client_ask(&client, &answer, "POST", "/v1/workers", cases[i].fields,
			      cases[i].body);
		check_error(cases[i].status, cases[i].code);
	}
	get("/v1/runtime");
	check_member("runtime.worker_count", "0");
	stop();
}

static void test_all_profiles_that_backends_send_are_taken_and_echoed(void)
{
	static const char *const values[] = {"builtin:default", "builtin:coder", "builtin:intake",
					     "builtin:orchestrator", "builtin:reviewer"};
	char body[256];

	start();
	for (size_t i = 0; i < WR_COUNT(values); i++) {
		wr_test_case(values[i]);
		snprintf(body, sizeof body,
			 "{\"intent\":{\"kind\":\"role\",\"role\":\"r\"},\"profile\":{\"kind\":"
			 "\"builtin\",\"value\":\"%s\"}}",
			 values[i]);
		/* Old Backends send the type twice. */
		wr_client_ask(&client, &answer, "POST", "/v1/workers",
			      "Content-Type: application/json\r\n"
			      "Content-Type: application/json\r\n",
			      body);
		CHECK_U64(answer.status, 201);
		check_member("worker.profile.value", values[i]);
	}
	stop();
}

static void test_errors_of_input_come_in_order(void)
{
	static const struct {
		const char *label, *id, *fields, *body;
		unsigned status;
		const char *code;
	} cases[] = {
		{"id not UTF-8, before all else", "%ff", "Content-Type: text/plain\r\n", "{", 400,
		 "invalid_worker_id"},
		{"blank id, before the type", "%20", "Content-Type: text/plain\r\n", "{", 400,
		 "invalid_worker_id"},
		{"empty id", "", NULL, "{}", 400, "invalid_worker_id"},
		{"type, before JSON", "nobody", "Content-Type: text/plain\r\n", "{", 415,
		 "unsupported_media_type"},
		{"JSON, before the Worker", "nobody", NULL, "{", 400, "invalid_json"},
		{"content, before the Worker", "nobody", NULL,
		 "{\"kind\":\"user\",\"content\":\" \"}", 400, "invalid_request"},
		{"the Worker", "nobody", NULL, "{\"kind\":\"user\",\"content\":\"x\"}", 404,
		 "worker_not_found"},
		{"kind", "worker-00000001", NULL, "{\"kind\":\"assistant\",\"content\":\"x\"}", 400,
		 "invalid_json"},
		{"no content", "worker-00000001", NULL, "{\"kind\":\"user\"}", 400, "invalid_json"},
		{"null content", "worker-00000001", NULL, "{\"kind\":\"user\",\"content\":null}",
		 400, "invalid_json"},
		{"blank content", "worker-00000001", NULL,
		 "{\"kind\":\"user\",\"content\":\"\\n\"}", 400, "invalid_request"},
	};
	char target[256];

	start();
	post("/v1/workers", CREATE_BODY);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		snprintf(target, sizeof target, "/v1/workers/%s/input", cases[i].id);
		wr_client_ask(&client, &answer, "POST", target, cases[i].fields, cases[i].body);
		check_error(cases[i].status, cases[i].code);
	}
	get("/v1/workers/worker-00000001/transcript");
	check_member("transcript.total_items", "0");
	stop();
}

static void test_errors_of_reading_come_in_order(void)
{
	static const struct {
		const char *target;
		unsigned status;
		const char *code;
	} cases[] = {
		{"/v1/workers/nobody", 404, "worker_not_found"},
		{"/v1/workers/%20", 400, "invalid_worker_id"},
		{"/v1/workers/%E3%80%80", 400, "invalid_worker_id"},
		{"/v1/workers/%ff", 400, "invalid_worker_id"},
		{"/v1/workers/%c3", 400, "invalid_worker_id"},
		{"/v1/workers/%zz", 404, "worker_not_found"},
		{"/v1/workers/a%2Fb", 404, "worker_not_found"},
		{"/v1/workers/%00", 404, "worker_not_found"},
		{"/v1/workers//transcript?limit=x", 400, "invalid_worker_id"},
		{"/v1/workers/%20/transcript?limit=x", 400, "invalid_worker_id"},
		{"/v1/workers/nobody/transcript?limit=x", 400, "invalid_query"},
		{"/v1/workers/nobody/transcript?limit=257", 400, "limit_too_large"},
		{"/v1/workers/nobody/transcript", 404, "worker_not_found"},
		{"/v1/workers/worker-00000001/transcript?start=", 400, "invalid_query"},
		{"/v1/workers/worker-00000001/transcript?start=-1", 400, "invalid_query"},
		{"/v1/workers/worker-00000001/transcript?start=+1", 400, "invalid_query"},
		{"/v1/workers/worker-00000001/transcript?start=1&start=1", 400, "invalid_query"},
		{"/v1/workers/worker-00000001/transcript?start=18446744073709551616", 400,
		 "invalid_query"},
		{"/v1/workers/worker-00000001/transcript?limit=18446744073709551615", 400,
		 "limit_too_large"},
		{"/", 404, "not_found"},
		{"/v1", 404, "not_found"},
		{"/v1/", 404, "not_found"},
		{"/v1/runtime/", 404, "not_found"},
		{"/V1/runtime", 404, "not_found"},
		{"//v1/runtime", 404, "not_found"},
		{"/v1/../v1/runtime", 404, "not_found"},
		{"/v1/%72untime", 404, "not_found"},
		{"/v1/workers/", 404, "not_found"},
		{"/v1/workers/worker-00000001/", 404, "not_found"},
		{"/v1/workers/worker-00000001/nothing", 404, "not_found"},
		{"/v1/workers/a/b/c/d/e/f", 404, "not_found"},
	};

	start();
	post("/v1/workers", CREATE_BODY);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].target);
		get(cases[i].target);
		check_error(cases[i].status, cases[i].code);
	}
	stop();
}

static void test_a_missing_worker_is_named_in_the_message(void)
{
	start();
	get("/v1/workers/worker-000000ff");
	check_error(404, "worker_not_found");
	CHECK(memmem(answer.body.data, answer.body.bytes, "worker-000000ff", 15) != NULL);
	get("/v1/workers/%22%5C%0A");
	check_error(404, "worker_not_found");
	stop();
}

static void test_a_very_long_id_is_simply_not_found(void)
{
	char target[4200] = "/v1/workers/";
	size_t start_at = strlen(target);

	memset(target + start_at, 'w', 4000);
	target[start_at + 4000] = '\0';
	start();
	get(target);
	check_error(404, "worker_not_found");
	stop();
}

static void test_wrong_methods_are_told_the_right_ones(void)
{
	static const struct {
		const char *method, *target, *allow;
	} cases[] = {
		{"POST", "/v1/runtime", "GET, HEAD"},
		{"DELETE", "/v1/runtime", "GET, HEAD"},
		{"DELETE", "/v1/workers", "GET, HEAD, POST"},
		{"PUT", "/v1/workers", "GET, HEAD, POST"},
		{"OPTIONS", "/v1/workers", "GET, HEAD, POST"},
		{"DELETE", "/v1/workers/x", "GET, HEAD"},
		{"GET", "/v1/workers/x/input", "POST"},
		{"HEAD", "/v1/workers/x/stop", "POST"},
		{"TRACE", "/v1/workers/x/cancel", "POST"},
		{"get", "/v1/runtime", "GET, HEAD"},
		{"BREW", "/healthz", "GET, HEAD"},
	};

	start();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].target);
		wr_client_ask(&client, &answer, cases[i].method, cases[i].target, NULL, NULL);
		CHECK_U64(answer.status, 405);
		CHECK_STRING(wr_answer_field(&answer, "Allow"), cases[i].allow);
		if (strcmp(cases[i].method, "HEAD") != 0)
			check_error(405, "method_not_allowed");
	}
	wr_client_ask(&client, &answer, "DELETE", "/nothing", NULL, NULL);
	check_error(404, "not_found");
	stop();
}

static void test_a_get_with_a_body_ignores_it(void)
{
	start();
	wr_client_ask(&client, &answer, "GET", "/v1/runtime", NULL, "{\"not\":\"looked at\"");
	CHECK_U64(answer.status, 200);
	wr_client_ask(&client, &answer, "GET", "/v1/workers", "Content-Type: application/json\r\n",
		      NULL);
	CHECK_U64(answer.status, 200);
	stop();
}

/* Sends a POST whose body of `bytes` bytes is `prefix`, spaces and `suffix`. */
static void post_padded(const char *target, const char *prefix, const char *suffix, size_t bytes)
{
	struct wr_allocator *allocator = wr_test_allocator();
	char *body = wr_allocator_take(allocator, bytes + 1);
	size_t pad = bytes - strlen(prefix) - strlen(suffix);

	CHECK(body != NULL);
	memcpy(body, prefix, strlen(prefix));
	memset(body + strlen(prefix), ' ', pad);
	memcpy(body + strlen(prefix) + pad, suffix, strlen(suffix) + 1);
	post(target, body);
	wr_allocator_free(allocator, body, bytes + 1);
}

static void test_bodies_up_to_the_limit_and_not_beyond(void)
{
	enum { LIMIT = 2097152 };

	start();
	post_padded("/v1/workers", CREATE_BODY, "", LIMIT);
	CHECK_U64(answer.status, 201);
	post_padded("/v1/workers/worker-00000001/stop", "{", "}", LIMIT);
	CHECK_U64(answer.status, 200);
	wr_client_send(&client,
		       "POST /v1/workers HTTP/1.1\r\nHost: localhost\r\n"
		       "Content-Type: application/json\r\nContent-Length: 2097153\r\n\r\n");
	wr_client_receive(&client, &answer);
	check_error(413, "payload_too_large");
	wr_client_close(&client);
	wr_client_open(&client, &server, NULL);
	/* The id of stop is looked at after the size. */
	wr_client_send(&client, "POST /v1/workers/%20/stop HTTP/1.1\r\nHost: localhost\r\n"
				"Content-Length: 2097153\r\n\r\n");
	wr_client_receive(&client, &answer);
	check_error(413, "payload_too_large");
	stop();
}

static void test_content_up_to_the_limit_and_not_beyond(void)
{
	enum { LIMIT = 1048576 };
	struct wr_allocator *allocator = wr_test_allocator();
	char *content = wr_allocator_take(allocator, LIMIT + 2);
	char id[WR_CLIENT_ID_BYTES];

	start();
	wr_client_create_worker(&client, id);
	memset(content, 'c', LIMIT + 1);
	content[LIMIT] = '\0';
	wr_client_input(&client, id, content);
	wr_client_get(&client, &answer, "/v1/workers/%s/transcript", id);
	CHECK_U64(wr_json_find(answer.body, "transcript.items.0.content").bytes, LIMIT);
	content[LIMIT] = 'c';
	content[LIMIT + 1] = '\0';
	struct wr_buf body;
	wr_buf_init(&body, allocator, 4u << 20);
	wr_buf_append_view(&body, WR_VIEW("{\"kind\":\"user\",\"content\":\""));
	wr_buf_append(&body, content, LIMIT + 1);
	wr_buf_append(&body, "\"}", 3);
	wr_client_post(&client, &answer, body.data, "/v1/workers/%s/input", id);
	CHECK(answer.status == 400 || answer.status == 413);
	CHECK(wr_json_find(answer.body, "error.code").bytes > 0);
	wr_buf_deinit(&body);
	wr_allocator_free(allocator, content, LIMIT + 2);
	stop();
}

static void test_chunked_and_expected_bodies_are_taken(void)
{
	start();
	wr_client_send(&client,
		       "POST /v1/workers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
		       "chunked\r\nContent-Type: application/vnd.x+JSON; charset=utf-8\r\n\r\n"
		       "1a\r\n{\"intent\":{\"kind\":\"assista\r\n"
		       "9;x=y\r\nnt\"},\"pro\r\n"
		       "28\r\nfile\":{\"kind\":\"runtime_default\"}}       \r\n"
		       "0\r\nTrailer: x\r\n\r\n");
	wr_client_receive(&client, &answer);
	if (answer.status != 201)
		CHECK_STRING(answer.body, "");
	wr_client_send(&client, "POST /v1/workers/worker-00000001/stop HTTP/1.1\r\nHost: localhost"
				"\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 100);
	wr_client_send(&client, "{}");
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 200);
	stop();
}

static void test_a_full_runtime_takes_no_more_workers(void)
{
	start_with(WR_ARGUMENTS("--max-workers", "2"));
	post("/v1/workers", CREATE_BODY);
	CHECK_U64(answer.status, 201);
	post("/v1/workers", CREATE_BODY);
	CHECK_U64(answer.status, 201);
	post("/v1/workers", CREATE_BODY);
	check_error(507, "limit_workers");
	wr_client_post(&client, &answer, NULL, "/v1/workers/worker-00000001/stop");
	CHECK_U64(answer.status, 200);
	stop();
}

/* ---- ids chosen by the client ---- */

static void test_a_client_may_choose_the_id(void)
{
	static const char chosen[] = "{\"worker_id\":\"a:B_9-z\",\"intent\":{\"kind\":\"role\","
				     "\"role\":\"coder\"},\"profile\":{\"kind\":"
				     "\"runtime_default\"}}";
	static const char *const others[] = {
		"{\"worker_id\":\"a:B_9-z\",\"intent\":{\"kind\":\"role\",\"role\":\"Coder\"},"
		"\"profile\":{\"kind\":\"runtime_default\"}}",
		"{\"worker_id\":\"a:B_9-z\",\"intent\":{\"kind\":\"assistant\"},"
		"\"profile\":{\"kind\":\"runtime_default\"}}",
		"{\"worker_id\":\"a:B_9-z\",\"intent\":{\"kind\":\"role\",\"role\":\"coder\"},"
		"\"profile\":{\"kind\":\"runtime_default\"},\"config_bundle\":{\"id\":\"b\"}}",
	};
	char first[2048];

	start();
	post("/v1/workers", chosen);
	CHECK_U64(answer.status, 201);
	check_member("worker.worker_id", "a:B_9-z");
	check_member("worker.worker_ref.worker_id", "a:B_9-z");
	wr_json_copy(first, sizeof first, answer.body, "worker");
	wr_client_input(&client, "a:B_9-z", "x");
	/* The same request means the same Worker, as it was then. */
	post("/v1/workers", chosen);
	CHECK_U64(answer.status, 201);
	check_member("worker", first);
	for (size_t i = 0; i < WR_COUNT(others); i++) {
		wr_test_case(others[i]);
		post("/v1/workers", others[i]);
		check_error(409, "worker_exists");
	}
	get("/v1/workers");
	CHECK_STRING(wr_json_find(answer.body, "workers.0.transcript_len"), "1");
	CHECK(wr_json_find(answer.body, "workers.1").data == NULL);
	/* Ids that are made do not run into chosen ones. */
	post("/v1/workers",
	     "{\"worker_id\":\"worker-00000003\",\"intent\":{\"kind\":\"assistant\"},"
	     "\"profile\":{\"kind\":\"runtime_default\"}}");
	CHECK(answer.status == 201 || answer.status == 400);
	for (unsigned i = 0; i < 3; i++) {
		post("/v1/workers", CREATE_BODY);
		CHECK_U64(answer.status, 201);
	}
	stop();
}

#define TEN "0123456789"
#define FORTY TEN TEN TEN TEN
#define LONG_ID "\"" FORTY FORTY FORTY "0\""

static void test_ids_that_cannot_be_are_refused(void)
{
	static const char *const ids[] = {
		"\"\"",	    "\" \\t\"", "\"\\u3000\"", "\"a/b\"", "\"a\\u0000\"",
		"\"a\\n\"", "\".\"",	"\"..\"",      LONG_ID,
	};
	char body[512];

	start();
	for (size_t i = 0; i < WR_COUNT(ids); i++) {
		wr_test_case(ids[i]);
		snprintf(body, sizeof body,
			 "{\"worker_id\":%s,\"intent\":{\"kind\":\"assistant\"},\"profile\":{"
			 "\"kind\":\"runtime_default\"}}",
			 ids[i]);
		post("/v1/workers", body);
		CHECK_U64(answer.status, 400);
	}
	get("/v1/workers");
	CHECK(wr_json_find(answer.body, "workers.0").data == NULL);
	stop();
}

/* ---- Idempotency-Key ---- */

#define INPUT_A "{\"kind\":\"user\",\"content\":\"a\"}"
#define INPUT_B "{\"kind\":\"user\",\"content\":\"b\"}"

static void test_a_repeated_command_has_one_effect_and_the_same_answer(void)
{
	/* Each is asked twice; `count` transcript items are there in the end. */
	static const struct {
		const char *target, *key, *body;
		unsigned status;
	} commands[] = {
		{"/v1/workers", "k", CREATE_BODY, 201},
		{"/v1/workers", "K", CREATE_BODY, 201},
		{"/v1/workers/worker-00000001/input", "k", INPUT_A, 200},
		{"/v1/workers/worker-00000002/input", "k", INPUT_B, 200},
		{"/v1/workers/worker-00000001/input", "!~#", INPUT_A, 200},
		{"/v1/workers/worker-00000001/stop", "k", "{\"reason\":\"r\"}", 200},
		{"/v1/workers/worker-00000001/stop", "k2", "{}", 200},
		{"/v1/workers/worker-00000002/cancel", "k", "", 200},
	};
	char first[2048];

	start();
	for (size_t i = 0; i < WR_COUNT(commands); i++) {
		wr_test_case(commands[i].target);
		for (unsigned n = 0; n < 3; n++) {
			post_with_key(commands[i].target, commands[i].key, commands[i].body);
			CHECK_U64(answer.status, commands[i].status);
			if (n == 0) {
				CHECK(answer.body.bytes < sizeof first);
				memcpy(first, answer.body.data, answer.body.bytes);
				first[answer.body.bytes] = '\0';
			} else {
				CHECK_STRING(answer.body, first);
			}
		}
	}
	get("/v1/workers");
	CHECK_STRING(wr_json_find(answer.body, "workers.0.transcript_len"), "2");
	CHECK_STRING(wr_json_find(answer.body, "workers.1.transcript_len"), "1");
	CHECK(wr_json_find(answer.body, "workers.2").data == NULL);
	stop();
}

static void test_a_key_stands_for_one_body(void)
{
	start();
	post_with_key("/v1/workers", "k", CREATE_BODY);
	CHECK_U64(answer.status, 201);
	/* White space is another body: nobody compares meanings. */
	post_with_key("/v1/workers", "k", CREATE_BODY " ");
	check_error(422, "idempotency_mismatch");
	post_with_key("/v1/workers/worker-00000001/input", "k", INPUT_A);
	CHECK_U64(answer.status, 200);
	post_with_key("/v1/workers/worker-00000001/input", "k", INPUT_B);
	check_error(422, "idempotency_mismatch");
	post_with_key("/v1/workers/worker-00000001/stop", "k", "{}");
	CHECK_U64(answer.status, 200);
	post_with_key("/v1/workers/worker-00000001/stop", "k", "");
	check_error(422, "idempotency_mismatch");
	/* Also when it could not be done again. */
	post_with_key("/v1/workers/worker-00000001/input", "k", INPUT_A);
	CHECK_U64(answer.status, 200);
	check_member("ack.transcript_sequence", "1");
	post_with_key("/v1/workers/worker-00000001/input", "k2", INPUT_A);
	check_error(409, "worker_not_running");
	/* What was refused is not remembered. */
	post_with_key("/v1/workers/worker-00000009/input", "k3", INPUT_A);
	check_error(404, "worker_not_found");
	post_with_key("/v1/workers/worker-00000009/input", "k3", INPUT_B);
	check_error(404, "worker_not_found");
	stop();
}

static void test_what_can_be_no_key_is_refused(void)
{
	static const char longest[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		"2345678901234567890123456789012345678901234567";
	static const char *const keys[] = {"", " ", "a b", "a\tb", "\xc3\xa9", "\"a\" ;q=1"};
	static const char *const targets[] = {"/v1/workers", "/v1/workers/worker-00000001/input",
					      "/v1/workers/worker-00000001/stop",
					      "/v1/workers/worker-00000001/cancel",
					      "/v1/workers/worker-00000001/interrupt"};
	char key[256];

	_Static_assert(sizeof longest - 1 == 128, "the longest key there is");
	start();
	post_with_key("/v1/workers", longest, CREATE_BODY);
	CHECK_U64(answer.status, 201);
	snprintf(key, sizeof key, "%sx", longest);
	for (size_t t = 0; t < WR_COUNT(targets); t++) {
		wr_test_case(targets[t]);
		for (size_t i = 0; i < WR_COUNT(keys); i++) {
			post_with_key(targets[t], keys[i], "{}");
			check_error(400, "invalid_idempotency_key");
		}
		post_with_key(targets[t], key, "{}");
		check_error(400, "invalid_idempotency_key");
	}
	/* Reading has no use for it, good or bad. */
	wr_client_ask(&client, &answer, "GET", "/v1/workers", "Idempotency-Key: a b\r\n", NULL);
	CHECK_U64(answer.status, 200);
	wr_client_ask(&client, &answer, "POST", "/v1/workers",
		      "Idempotency-Key: a\r\nIdempotency-Key: a\r\n", CREATE_BODY);
	check_error(400, "bad_request");
	stop();
}

static void test_each_token_has_keys_of_its_own(void)
{
	char path[64];
	struct wr_client other;
	FILE *file;

	snprintf(path, sizeof path, "/tmp/wr-rest-%ld-tokens", (long)getpid());
	file = fopen(path, "w");
	CHECK(file != NULL && fchmod(fileno(file), 0600) == 0);
	fprintf(file, "one command aaaaaaaaaaaaaaaaaaaaaa\ntwo command bbbbbbbbbbbbbbbbbbbbbb\n");
	fclose(file);
	wr_process_start(&server, WR_ARGUMENTS("--token-file", path), NULL);
	wr_client_open(&client, &server, "aaaaaaaaaaaaaaaaaaaaaa");
	wr_client_open(&other, &server, "bbbbbbbbbbbbbbbbbbbbbb");
	post_with_key("/v1/workers", "k", CREATE_BODY);
	check_member("worker.worker_id", "worker-00000001");
	wr_client_ask(&other, &answer, "POST", "/v1/workers", "Idempotency-Key: k\r\n",
		      CREATE_BODY);
	check_member("worker.worker_id", "worker-00000002");
	post_with_key("/v1/workers", "k", CREATE_BODY);
	check_member("worker.worker_id", "worker-00000001");
	wr_client_close(&other);
	stop();
	unlink(path);
}

static void test_an_upgrade_with_a_body_is_refused(void)
{
	static const char *const bodies[] = {"Content-Length: 2\r\n\r\nab",
					     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"};

	for (size_t i = 0; i < WR_COUNT(bodies); i++) {
		char request[512];
		start();
		post("/v1/workers", CREATE_BODY);
		snprintf(
			request, sizeof request,
			"GET /v1/workers/worker-00000001/events/ws HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s",
			bodies[i]);
		wr_client_send(&client, request);
		wr_client_receive(&client, &answer);
		if (WR_WS_SERVER)
			check_error(400, "bad_request");
		else
			check_error(404, "not_found");
		/* The connection goes on. */
		get("/v1/workers");
		CHECK_U64(answer.status, 200);
		stop();
	}
}

static void test_an_event_route_asked_without_upgrade_names_it(void)
{
#if WR_WS_SERVER
	static const struct {
		const char *label, *target, *fields;
		unsigned status;
		const char *code;
	} cases[] = {
		{"plain", "/v1/workers/worker-00000001/events/ws", NULL, 426, "upgrade_required"},
		{"runtime-wide", "/v1/events/ws", NULL, 426, "upgrade_required"},
		{"version", "/v1/events/ws",
		 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		 426, "upgrade_required"},
		{"key", "/v1/events/ws",
		 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: c2hvcnQ=\r\n",
		 400, "bad_request"},
		{"query first", "/v1/workers/nobody/events/ws?cursor=a&cursor=b", NULL, 400,
		 "invalid_query"},
		{"upgrade before the Worker", "/v1/workers/nobody/events/ws", NULL, 426,
		 "upgrade_required"},
		{"the Worker", "/v1/workers/nobody/events/ws",
		 "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: "
		 "13"
		 "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		 404, "worker_not_found"},
		{"blank id", "/v1/workers/%20/events/ws",
		 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		 400, "invalid_worker_id"},
		{"id not UTF-8", "/v1/workers/%ff/events/ws", NULL, 400, "invalid_worker_id"},
	};

	start();
	post("/v1/workers", CREATE_BODY);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		wr_client_ask(&client, &answer, "GET", cases[i].target, cases[i].fields, NULL);
		check_error(cases[i].status, cases[i].code);
		if (cases[i].status == 426) {
			CHECK_STRING(wr_answer_field(&answer, "Sec-WebSocket-Version"), "13");
			CHECK_STRING(wr_answer_field(&answer, "Upgrade"), "websocket");
		}
	}
	wr_client_ask(&client, &answer, "HEAD", "/v1/events/ws", NULL, NULL);
	CHECK_U64(answer.status, 405);
	CHECK_STRING(wr_answer_field(&answer, "Allow"), "GET");
	stop();
#else
	start();
	get("/v1/events/ws");
	check_error(404, "not_found");
	get("/v1/workers/x/events/ws");
	check_error(404, "not_found");
	stop();
#endif
}

/* ---- draining ---- */

static void test_a_drain_ends_with_0_and_closes_what_is_idle(void)
{
	start();
	get("/v1/runtime");
	wr_process_signal(&server, SIGTERM);
	CHECK(wr_client_is_ended(&client));
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
	CHECK(wr_connect(server.address, 0) < 0);
	wr_client_close(&client);
}

/* A request whose body is on its way keeps the drain open; so it can be seen from inside. */
static void test_a_drain_refuses_commands_and_is_not_ready(void)
{
	struct wr_client other;

	start();
	post("/v1/workers", CREATE_BODY);
	wr_client_open(&other, &server, NULL);
	wr_client_send(&other, "POST /v1/workers/worker-00000001/stop HTTP/1.1\r\nHost: localhost"
			       "\r\nContent-Length: 2\r\n\r\n{");
	wr_client_send(&client, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n");
	/* Both are with the server once it has answered something that was sent later. */
	struct wr_client probe;
	wr_client_open(&probe, &server, NULL);
	wr_client_get(&probe, &answer, "/healthz");
	CHECK_U64(answer.status, 200);
	wr_process_signal(&server, SIGTERM);
	CHECK(wr_process_wait_text(&server, "draining", WR_PROCESS_WAIT_MS));
	wr_client_send(&client, "\r\n");
	wr_client_receive(&client, &answer);
	check_error(503, "runtime_unavailable");
	CHECK(wr_answer_field(&answer, "Retry-After").bytes > 0);
	CHECK_STRING(wr_answer_field(&answer, "Connection"), "close");
	wr_client_send(&other, "}");
	wr_client_receive(&other, &answer);
	CHECK(answer.status == 200 || answer.status == 503);
	wr_client_close(&probe);
	wr_client_close(&other);
	wr_client_close(&client);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
}

static void test_a_drain_is_over_when_its_time_is(void)
{
	uint64_t begin;

	start_with(WR_ARGUMENTS("--drain-ms", "300"));
	/* Half a request: nothing but the time ends this. */
	wr_client_send(&client, "POST /v1/workers HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
				"application/json\r\nContent-Length: 20\r\n\r\n{");
	struct wr_client probe;
	wr_client_open(&probe, &server, NULL);
	wr_client_get(&probe, &answer, "/healthz");
	wr_client_close(&probe);
	begin = wr_process_now_ms();
	wr_process_signal(&server, SIGTERM);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
	CHECK(wr_process_now_ms() - begin >= 250);
	wr_client_close(&client);
}

static void test_a_second_signal_ends_a_drain_at_once(void)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < 2; i++) {
		start_with(WR_ARGUMENTS("--drain-ms", "60000"));
		wr_client_send(&client, "POST /v1/workers HTTP/1.1\r\nHost: localhost\r\n"
					"Content-Type: application/json\r\n"
					"Content-Length: 20\r\n\r\n{");
		struct wr_client probe;
		wr_client_open(&probe, &server, NULL);
		wr_client_get(&probe, &answer, "/healthz");
		wr_client_close(&probe);
		wr_process_signal(&server, SIGTERM);
		CHECK(wr_process_wait_text(&server, "draining", WR_PROCESS_WAIT_MS));
		wr_process_signal(&server, numbers[i]);
		CHECK_U64(wr_process_wait(&server, 3000), 0);
		wr_client_close(&client);
	}
}

static void test_a_drain_ends_the_programs(void)
{
	char id[WR_CLIENT_ID_BYTES];

	start_with(WR_ARGUMENTS("--exec", "cat"));
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "x");
	wait_for_items(id, 2);
	wr_process_signal(&server, SIGTERM);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
	CHECK(strstr(server.err, "children=1") != NULL);
	wr_client_close(&client);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_runtime_describes_itself),
	WR_TEST(test_a_runtime_without_a_name_says_null),
	WR_TEST(test_a_create_answers_201_with_location_and_detail),
	WR_TEST(test_detail_is_what_create_answered),
	WR_TEST(test_the_list_is_ordered_and_pages_join),
	WR_TEST(test_an_empty_runtime_lists_nobody),
	WR_TEST(test_a_long_list_comes_in_pieces_and_whole),
	WR_TEST(test_input_is_acknowledged_and_in_the_transcript),
	WR_TEST(test_transcript_pages_join),
	WR_TEST(test_a_small_maximum_does_not_break_the_bare_request),
	WR_TEST(test_health_is_open_and_small),
	WR_TEST(test_head_has_the_head_of_get),
	WR_TEST(test_stop_and_cancel_are_terminal_and_idempotent),
	WR_TEST(test_lifecycle_bodies),
	WR_TEST(test_interrupt_needs_something_that_runs),
	WR_TEST(test_a_program_answers_in_line_mode),
	WR_TEST(test_old_backends_see_the_roles_they_know),
	WR_TEST(test_a_busy_worker_says_when_to_come_back),
	WR_TEST(test_errors_of_create),
	WR_TEST(test_all_profiles_that_backends_send_are_taken_and_echoed),
	WR_TEST(test_errors_of_input_come_in_order),
	WR_TEST(test_errors_of_reading_come_in_order),
	WR_TEST(test_a_missing_worker_is_named_in_the_message),
	WR_TEST(test_a_very_long_id_is_simply_not_found),
	WR_TEST(test_wrong_methods_are_told_the_right_ones),
	WR_TEST(test_a_get_with_a_body_ignores_it),
	WR_TEST(test_bodies_up_to_the_limit_and_not_beyond),
	WR_TEST(test_content_up_to_the_limit_and_not_beyond),
	WR_TEST(test_chunked_and_expected_bodies_are_taken),
	WR_TEST(test_a_full_runtime_takes_no_more_workers),
	WR_TEST(test_a_client_may_choose_the_id),
	WR_TEST(test_ids_that_cannot_be_are_refused),
	WR_TEST(test_a_repeated_command_has_one_effect_and_the_same_answer),
	WR_TEST(test_a_key_stands_for_one_body),
	WR_TEST(test_what_can_be_no_key_is_refused),
	WR_TEST(test_each_token_has_keys_of_its_own),
	WR_TEST(test_an_upgrade_with_a_body_is_refused),
	WR_TEST(test_an_event_route_asked_without_upgrade_names_it),
	WR_TEST(test_a_drain_ends_with_0_and_closes_what_is_idle),
	WR_TEST(test_a_drain_refuses_commands_and_is_not_ready),
	WR_TEST(test_a_drain_is_over_when_its_time_is),
	WR_TEST_LIMIT(test_a_second_signal_ends_a_drain_at_once, 20),
	WR_TEST(test_a_drain_ends_the_programs),
	WR_TEST_END};
