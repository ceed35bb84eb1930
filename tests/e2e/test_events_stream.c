/* Goal: both event streams are exact as seen by a client of the real process: a fresh stream starts
 * with a filled snapshot, a cut one goes on exactly after its cursor, and everything else has its
 * typed answer. Method: a Worker without a program (inputs are the events), cut and resumed at
 * every event. */
#include "check.h"
#include "core/cursor.h"
#include "harness/client.h"
#include "harness/process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS = 12 };

static struct wr_process server;

static void start(const char *const *arguments)
{
	wr_process_start(&server, arguments, NULL);
}

static void open_stream(struct wr_test_ws *stream, const char *id, const char *cursor)
{
	char target[512];

	if (strcmp(id, "*") == 0)
		snprintf(target, sizeof target, "/v1/events/ws%s%s", cursor ? "?cursor=" : "",
			 cursor ? cursor : "");
	else
		snprintf(target, sizeof target, "/v1/workers/%s/events/ws%s%s", id,
			 cursor ? "?cursor=" : "", cursor ? cursor : "");
	CHECK_U64(wr_test_ws_open(stream, &server, NULL, target), 101);
}

/* The next frame is this event; its cursor is copied when wanted. */
static void expect_event(struct wr_test_ws *stream, const char *event, char *cursor)
{
	struct wr_view frame = wr_test_ws_message(stream);

	CHECK_STRING(wr_json_find(frame, "kind"), "event");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), event);
	if (cursor != NULL)
		wr_json_copy(cursor, 64, frame, "envelope.cursor");
}

static void expect_text(struct wr_test_ws *stream, const char *text, char *cursor)
{
	struct wr_view frame = wr_test_ws_message(stream);

	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "user_message");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.data.segments.0.content"), text);
	CHECK_VIEW(wr_json_find(frame, "envelope.cursor"),
		   wr_json_find(frame, "envelope.event_id"));
	if (cursor != NULL)
		wr_json_copy(cursor, 64, frame, "envelope.cursor");
}

/* A refused cursor: one diagnostic with this code and reason, no snapshot, Close 1008. */
static void expect_refusal(const char *id, const char *cursor, const char *code, const char *reason)
{
	struct wr_test_ws stream;
	struct wr_view frame;

	wr_test_case(cursor);
	open_stream(&stream, id, cursor);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "kind"), "diagnostic");
	CHECK_STRING(wr_json_find(frame, "diagnostic.code"), code);
	CHECK(wr_json_find(frame, "diagnostic.message").bytes != 0);
	if (reason != NULL)
		CHECK_STRING(wr_json_find(frame, "diagnostic.detail.reason"), reason);
	wr_test_ws_expect_close(&stream, 1008);
	wr_test_ws_close(&stream);
	wr_test_case(NULL);
}

static void say(struct wr_client *client, const char *id, unsigned number)
{
	char content[32];

	snprintf(content, sizeof content, "message %u", number);
	wr_client_input(client, id, content);
}

/* ---- */

static void test_a_fresh_stream_begins_with_a_filled_snapshot(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "before");
	open_stream(&stream, id, NULL);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "snapshot");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.data.entries.0.kind"), "user_input");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.data.entries.0.segments.0.content"),
		     "before");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.data.status"), "idle");
	CHECK_STRING(wr_json_find(frame, "envelope.worker_id"), id);
	CHECK(wr_json_find(frame, "envelope.log_id").bytes == 32);
	wr_client_input(&client, id, "after");
	expect_text(&stream, "after", NULL);
	wr_test_ws_expect_silence(&stream, 50);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_the_snapshot_cursor_is_its_watermark(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	char id[WR_CLIENT_ID_BYTES], cursor[64];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "in the snapshot");
	open_stream(&stream, id, NULL);
	expect_event(&stream, "snapshot", cursor);
	wr_test_ws_close(&stream);
	wr_client_input(&client, id, "not in the snapshot");
	open_stream(&stream, id, cursor);
	expect_text(&stream, "not in the snapshot", NULL);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_a_cut_stream_resumes_exactly_after_every_event(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	char id[WR_CLIENT_ID_BYTES], other[WR_CLIENT_ID_BYTES], cursors[EVENTS][64], text[32];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_create_worker(&client, other);
	open_stream(&stream, id, NULL);
	expect_event(&stream, "snapshot", NULL);
	for (unsigned i = 0; i < EVENTS; i++) {
		say(&client, id, i);
		say(&client, other, 100 + i); /* another Worker's events never show here */
		snprintf(text, sizeof text, "message %u", i);
		expect_text(&stream, text, cursors[i]);
	}
	wr_test_ws_close(&stream);
	for (unsigned cut = 0; cut < EVENTS; cut++) {
		open_stream(&stream, id, cursors[cut]);
		for (unsigned i = cut + 1; i < EVENTS; i++) {
			snprintf(text, sizeof text, "message %u", i);
			expect_text(&stream, text, NULL);
		}
		if (cut == EVENTS - 1)
			wr_test_ws_expect_silence(&stream, 50);
		wr_test_ws_close(&stream);
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_every_cursor_outcome_is_typed(void)
{
	static const char *const malformed[] = {
		"bad",
		"wo_",
		"wo_123",
		"wo_00000000000000000",
		"xx_0000000000000000",
		"re_0000000000000000",
		"wo_%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F",
		"",
	};
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_answer answer;
	struct wr_cursor parsed;
	char id[WR_CLIENT_ID_BYTES], other[WR_CLIENT_ID_BYTES];
	char cursor[64], runtime_cursor[64], foreign[64], ahead[WR_CURSOR_BYTES + 1] = "";

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_get(&client, &answer, "/v1/workers/%s", id);
	wr_json_copy(foreign, sizeof foreign, answer.body, "worker.cursor");
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_create_worker(&client, other);
	wr_client_get(&client, &answer, "/v1/workers/%s", id);
	wr_json_copy(cursor, sizeof cursor, answer.body, "worker.cursor");
	wr_client_get(&client, &answer, "/v1/runtime");
	wr_json_copy(runtime_cursor, sizeof runtime_cursor, answer.body, "runtime.cursor");
	CHECK_STATUS(wr_cursor_parse(&parsed, wr_view_of_string(cursor)), WR_OK);
	parsed.sequence += 1000;
	wr_cursor_format(ahead, &parsed);

	for (size_t i = 0; i < WR_COUNT(malformed); i++)
		expect_refusal(id, malformed[i], "runtime.cursor_malformed", NULL);
	expect_refusal(other, cursor, "runtime.cursor_unknown_or_expired", "scope_mismatch");
	expect_refusal(id, runtime_cursor, "runtime.cursor_unknown_or_expired", "scope_mismatch");
	expect_refusal("*", cursor, "runtime.cursor_unknown_or_expired", "scope_mismatch");
	expect_refusal(id, foreign, "runtime.cursor_unknown_or_expired", "unknown");
	expect_refusal(id, "wo_ffffffffffffffff", "runtime.cursor_unknown_or_expired", "unknown");
	expect_refusal(id, ahead, "runtime.cursor_unknown_or_expired", "ahead");
	wr_client_input(&client, id, "first");
	open_stream(&stream, id, "wo_0000000000000000"); /* from the oldest retained */
	expect_text(&stream, "first", NULL);
	wr_test_ws_close(&stream);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, "/v1/workers/nobody/events/ws"), 404);
	CHECK_STRING(wr_json_find(wr_buf_view(&stream.message), "error.code"), "worker_not_found");
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_an_expired_cursor_names_the_oldest_usable_one(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES], quiet[WR_CLIENT_ID_BYTES], first[64], oldest[64], text[32];
	char quiet_cursor[64];

	start(WR_ARGUMENTS("--worker-retention-events", "4"));
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_create_worker(&client, quiet);
	open_stream(&stream, quiet, NULL);
	expect_event(&stream, "snapshot", quiet_cursor);
	wr_test_ws_close(&stream);
	wr_client_input(&client, quiet, "still here");
	open_stream(&stream, id, NULL);
	expect_event(&stream, "snapshot", NULL);
	say(&client, id, 0);
	expect_text(&stream, "message 0", first);
	wr_test_ws_close(&stream);
	for (unsigned i = 1; i <= 5; i++)
		say(&client, id, i);
	open_stream(&stream, id, first);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "diagnostic.code"), "runtime.cursor_unknown_or_expired");
	CHECK_STRING(wr_json_find(frame, "diagnostic.detail.reason"), "expired");
	wr_json_copy(oldest, sizeof oldest, frame, "diagnostic.detail.oldest_cursor");
	wr_test_ws_expect_close(&stream, 1008);
	wr_test_ws_close(&stream);
	open_stream(&stream, id, oldest);
	for (unsigned i = 2; i <= 5; i++) {
		snprintf(text, sizeof text, "message %u", i);
		expect_text(&stream, text, NULL);
	}
	wr_test_ws_close(&stream);
	/* A chatty Worker costs a quiet one nothing. */
	open_stream(&stream, quiet, quiet_cursor);
	expect_text(&stream, "still here", NULL);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_the_runtime_wide_stream_has_everything_once_and_in_order(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_answer answer;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES], cursor[64];
	uint64_t last;

	start(NULL);
	wr_client_open(&client, &server, NULL);
	open_stream(&stream, "*", NULL);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "kind"), "runtime_snapshot");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.runtime.status"), "running");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.workers_truncated"), "false");
	last = wr_json_find_u64(frame, "envelope.sequence");
	wr_client_create_worker(&client, id);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "kind"), "runtime_event");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.kind.kind"), "worker_created");
	CHECK_STRING(wr_json_find(frame, "envelope.worker_id"), id);
	CHECK_U64(wr_json_find_u64(frame, "envelope.sequence"), ++last);
	wr_json_copy(cursor, sizeof cursor, frame, "envelope.cursor");
	CHECK(strncmp(cursor, "re_", 3) == 0);
	for (unsigned round = 0; round < 2; round++) { /* live, then resumed: the same frames */
		if (round == 0) {
			wr_client_input(&client, id, "hello");
			wr_client_post(&client, &answer, "{\"reason\":\"enough\"}",
				       "/v1/workers/%s/stop", id);
			CHECK_U64(answer.status, 200);
		}
		frame = wr_test_ws_message(&stream);
		CHECK_STRING(wr_json_find(frame, "kind"), "event");
		CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "user_message");
		CHECK_VIEW(wr_json_find(frame, "envelope.cursor"),
			   wr_json_find(frame, "envelope.event_id"));
		CHECK(wr_view_starts(wr_json_find(frame, "envelope.cursor"), WR_VIEW("re_")));
		CHECK_U64(wr_json_find_u64(frame, "envelope.sequence"), last + 1);
		frame = wr_test_ws_message(&stream);
		CHECK_STRING(wr_json_find(frame, "kind"), "runtime_event");
		CHECK_STRING(wr_json_find(frame, "envelope.payload.kind.kind"), "worker_stopped");
		CHECK_STRING(wr_json_find(frame, "envelope.payload.message"), "enough");
		wr_test_ws_expect_silence(&stream, 50);
		wr_test_ws_close(&stream);
		if (round == 0)
			open_stream(&stream, "*", cursor);
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_stop_and_cancel_show_shutdown_and_leave_the_stream_open(void)
{
	static const char *const operations[] = {"stop", "cancel"};
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_answer answer;
	char id[WR_CLIENT_ID_BYTES];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(operations); i++) {
		wr_client_create_worker(&client, id);
		open_stream(&stream, id, NULL);
		expect_event(&stream, "snapshot", NULL);
		wr_client_post(&client, &answer, "{}", "/v1/workers/%s/%s", id, operations[i]);
		CHECK_U64(answer.status, 200);
		expect_event(&stream, "shutdown", NULL);
		/* Again: the same acknowledgement and no second event. */
		wr_client_post(&client, &answer, "{}", "/v1/workers/%s/%s", id, operations[i]);
		CHECK_U64(answer.status, 200);
		wr_test_ws_expect_silence(&stream, 50);
		wr_test_ws_close(&stream);
		open_stream(&stream, id, NULL); /* also afterwards */
		expect_event(&stream, "snapshot", NULL);
		wr_test_ws_close(&stream);
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_a_client_that_sends_data_is_told_why_it_is_closed(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	for (int opcode = WR_WS_OPCODE_TEXT; opcode <= WR_WS_OPCODE_BINARY; opcode++) {
		open_stream(&stream, id, NULL);
		expect_event(&stream, "snapshot", NULL);
		wr_test_ws_send(&stream, (enum wr_ws_opcode)opcode, false, WR_VIEW("{}"));
		frame = wr_test_ws_message(&stream);
		CHECK_STRING(wr_json_find(frame, "diagnostic.code"), "runtime.observation_only");
		wr_test_ws_expect_close(&stream, 1008);
		wr_test_ws_close(&stream);
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_protocol_errors_ping_and_close_follow_the_rfc(void)
{
	struct wr_client client;
	static const struct {
		const char *label;
		struct wr_view bytes;
		unsigned code;
	} violations[] = {
		{"not masked", WR_VIEW_INIT("\x81\x02hi"), 1002},
		{"reserved bits", WR_VIEW_INIT("\xf1\x80zzzz"), 1002},
		{"reserved opcode", WR_VIEW_INIT("\x83\x80zzzz"), 1002},
		{"a ping in pieces", WR_VIEW_INIT("\x09\x80zzzz"), 1002},
		{"a Close of one byte", WR_VIEW_INIT("\x88\x81zzzzz"), 1002},
		{"a Close that is not UTF-8", WR_VIEW_INIT("\x88\x83\0\0\0\0\x03\xe8\xff"), 1007},
	};
	struct wr_test_ws stream;
	struct wr_ws_news news;
	char id[WR_CLIENT_ID_BYTES];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	open_stream(&stream, id, NULL);
	expect_event(&stream, "snapshot", NULL);
	wr_test_ws_send(&stream, WR_WS_OPCODE_PING, true, WR_VIEW("are you there"));
	wr_test_ws_next(&stream, &news, 2000);
	CHECK(news.kind == WR_WS_NEWS_PONG);
	CHECK_STRING(news.data, "are you there");
	wr_test_ws_send_close(&stream, 1000);
	wr_test_ws_expect_close(&stream, 1000);
	wr_test_ws_close(&stream);

	for (size_t i = 0; i < WR_COUNT(violations); i++) {
		wr_test_case(violations[i].label);
		open_stream(&stream, id, NULL);
		expect_event(&stream, "snapshot", NULL);
		wr_test_ws_send_raw(&stream, violations[i].bytes);
		CHECK_STRING(wr_json_find(wr_test_ws_message(&stream), "diagnostic.code"),
			     "runtime.websocket_error");
		wr_test_ws_expect_close(&stream, violations[i].code);
		wr_test_ws_close(&stream);
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_termination_closes_streams_with_1001(void)
{
	struct wr_client client;
	struct wr_test_ws one, all;
	char id[WR_CLIENT_ID_BYTES];

	start(NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	open_stream(&one, id, NULL);
	open_stream(&all, "*", NULL);
	expect_event(&one, "snapshot", NULL);
	wr_test_ws_message(&all);
	wr_client_input(&client, id, "last words");
	wr_process_signal(&server, SIGTERM);
	expect_text(&one, "last words", NULL);
	wr_test_ws_expect_close(&one, 1001);
	expect_text(&all, "last words", NULL);
	wr_test_ws_expect_close(&all, 1001);
	wr_test_ws_close(&one);
	wr_test_ws_close(&all);
	wr_client_close(&client);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
}

static void test_compat_sends_an_empty_snapshot_first_on_every_connect(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES], cursor[64];

	start(WR_ARGUMENTS("--compat", "yoi-2026-06"));
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "one");
	open_stream(&stream, id, NULL);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "snapshot");
	CHECK(wr_json_find(frame, "envelope.payload.data.entries.0").data == NULL);
	wr_json_copy(cursor, sizeof cursor, frame, "envelope.cursor");
	wr_test_ws_close(&stream);
	wr_client_input(&client, id, "two");
	open_stream(&stream, id, cursor);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "snapshot");
	CHECK_STRING(wr_json_find(frame, "envelope.cursor"), cursor);
	expect_text(&stream, "two", NULL);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_upgrade_faults_are_typed(void)
{
	static const struct {
		const char *fields;
		unsigned status;
	} cases[] = {
		{"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", 400},
		{"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: short\r\n",
		 400},
		{"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		 426},
		{"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		 426},
		{"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		 426},
	};
	struct wr_client client;
	struct wr_answer answer;

	start(NULL);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].fields);
		wr_client_ask(&client, &answer, "GET", "/v1/events/ws", cases[i].fields, NULL);
		CHECK_U64(answer.status, cases[i].status);
		CHECK(wr_json_find(answer.body, "error.code").bytes != 0);
		if (cases[i].status == 426)
			CHECK_STRING(wr_answer_field(&answer, "Sec-WebSocket-Version"), "13");
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_fresh_stream_begins_with_a_filled_snapshot, 30),
	WR_TEST_LIMIT(test_the_snapshot_cursor_is_its_watermark, 30),
	WR_TEST_LIMIT(test_a_cut_stream_resumes_exactly_after_every_event, 30),
	WR_TEST_LIMIT(test_every_cursor_outcome_is_typed, 60),
	WR_TEST_LIMIT(test_an_expired_cursor_names_the_oldest_usable_one, 30),
	WR_TEST_LIMIT(test_the_runtime_wide_stream_has_everything_once_and_in_order, 30),
	WR_TEST_LIMIT(test_stop_and_cancel_show_shutdown_and_leave_the_stream_open, 30),
	WR_TEST_LIMIT(test_a_client_that_sends_data_is_told_why_it_is_closed, 30),
	WR_TEST_LIMIT(test_protocol_errors_ping_and_close_follow_the_rfc, 30),
	WR_TEST_LIMIT(test_termination_closes_streams_with_1001, 30),
	WR_TEST_LIMIT(test_compat_sends_an_empty_snapshot_first_on_every_connect, 30),
	WR_TEST_LIMIT(test_upgrade_faults_are_typed, 30),
	WR_TEST_END,
};
