/*
 * Goal: a remote Runtime's handle asks exactly what contract 8.8 says, once per operation, and
 * tells every answer and every refusal as 8.10 says, in words of ours. Method: a scripted peer on
 * loopback in the same thread, whose answers come whole, byte by byte, cut, malformed or without an
 * end.
 */
#include "unit/backend/remote_asked.h"

/* ---- requests ---- */

#define HEAD_OF(line) \
	line " HTTP/1.1\r\nHost: remote.example:1\r\nAuthorization: Bearer " PEER_SECRET
#define GET(target) HEAD_OF("GET /base" target) "\r\nAccept: */*\r\n\r\n"
#define POST(target, length, body)                                                        \
	HEAD_OF("POST /base" target)                                                      \
	"\r\nAccept: */*\r\nContent-Type: application/json\r\nIdempotency-Key: key-1\r\n" \
	"Content-Length: " length "\r\n\r\n" body
#define ROLE(role, purpose)                                                           \
	"{\"intent\":{\"kind\":\"role\",\"role\":\"" role "\",\"purpose\":\"" purpose \
	"\"},\"profile\":{\"kind\":"

static const struct {
	const char *label;
	struct wr_source_call call;
	const char *request;
} requests[] = {
	{"a list",
	 {.operation = WR_SOURCE_LIST, .as.list = {.limit = 7}},
	 GET("/v1/workers?limit=7")},
	{"a detail", {.operation = WR_SOURCE_DETAIL}, GET("/v1/workers/a%3Ab_c-1")},
	{"a ticket's role",
	 {.operation = WR_SOURCE_SPAWN,
	  .as.spawn = {.intent = WR_SPAWN_TICKET_ROLE,
		       .ticket_id = WR_VIEW_INIT("T\"1"),
		       .role = WR_VIEW_INIT("coder"),
		       .requested_name = WR_VIEW_INIT("friendly"),
		       .expected_segments = 3}},
	 POST("/v1/workers", "118",
	      ROLE("coder", "ticket T\\\"1") "\"builtin\",\"value\":\"builtin:coder\"}}")},
	{"a companion",
	 {.operation = WR_SOURCE_SPAWN, .as.spawn = {.intent = WR_SPAWN_COMPANION}},
	 POST("/v1/workers", "131",
	      ROLE("workspace_companion", "companion of the workspace") "\"runtime_default\"}}")},
	{"an orchestrator",
	 {.operation = WR_SOURCE_SPAWN, .as.spawn = {.intent = WR_SPAWN_ORCHESTRATOR}},
	 POST("/v1/workers", "137",
	      ROLE("workspace_orchestrator",
		   "orchestrator of the workspace") "\"runtime_default\"}}")},
	{"an input of a user",
	 {.operation = WR_SOURCE_INPUT, .as.input.content = WR_VIEW_INIT("say \"\xc3\xa9\"\n")},
	 POST("/v1/workers/a%3Ab_c-1/input", "40",
	      "{\"kind\":\"user\",\"content\":\"say \\\"\xc3\xa9\\\"\\n\"}")},
	{"an input of the system",
	 {.operation = WR_SOURCE_INPUT,
	  .as.input = {.is_system = true, .content = WR_VIEW_INIT("x")}},
	 POST("/v1/workers/a%3Ab_c-1/input", "31", "{\"kind\":\"system\",\"content\":\"x\"}")},
	{"a stop",
	 {.operation = WR_SOURCE_STOP, .as.reason = WR_VIEW_INIT("done")},
	 POST("/v1/workers/a%3Ab_c-1/stop", "17", "{\"reason\":\"done\"}")},
	{"a stop without a reason",
	 {.operation = WR_SOURCE_STOP},
	 POST("/v1/workers/a%3Ab_c-1/stop", "2", "{}")},
	{"a cancel",
	 {.operation = WR_SOURCE_CANCEL, .as.reason = WR_VIEW_INIT("")},
	 POST("/v1/workers/a%3Ab_c-1/cancel", "13", "{\"reason\":\"\"}")},
	{"an interrupt",
	 {.operation = WR_SOURCE_INTERRUPT},
	 POST("/v1/workers/a%3Ab_c-1/interrupt", "2", "{}")},
	{"a spawn with all that it may be given",
	 {.operation = WR_SOURCE_SPAWN,
	  .as.spawn = {.intent = WR_SPAWN_COMPANION,
		       .has_profile = true,
		       .profile = WR_PROFILE_NAMED,
		       .profile_value = WR_VIEW_INIT("p\"q"),
		       .bundle_id = WR_VIEW_INIT("b"),
		       .bundle_digest = WR_VIEW_INIT("d"),
		       .capabilities = {{"\1\0\0\0r\1\0\0\0w\1\0\0\0x\377\377\377\377", 19}, 2}}},
	 POST("/v1/workers", "242",
	      ROLE("workspace_companion",
		   "companion of the workspace") "\"named\",\"value\":\"p\\\"q\"},"
						 "\"config_bundle\":{\"id\":\"b\",\"digest\":\"d\"}"
						 ",\"requested_capabilities\":["
						 "{\"name\":\"r\",\"reason\":\"w\"},{\"name\":"
						 "\"x\"}]}")},
	{"a spawn with a profile that has no name",
	 {.operation = WR_SOURCE_SPAWN,
	  .as.spawn = {.intent = WR_SPAWN_TICKET_ROLE,
		       .ticket_id = WR_VIEW_INIT("1"),
		       .role = WR_VIEW_INIT("coder"),
		       .has_profile = true}},
	 POST("/v1/workers", "99", ROLE("coder", "ticket 1") "\"runtime_default\"}}")},
	{"a bundle to be stored",
	 {.operation = WR_SOURCE_STORE_BUNDLE,
	  .as.bundle = {.id = WR_VIEW_INIT("b"),
			.digest = WR_VIEW_INIT("d"),
			.revision = WR_VIEW_INIT("r"),
			.workspace_id = WR_VIEW_INIT("w"),
			.created_at = WR_VIEW_INIT("c"),
			.source = WR_VIEW_INIT("s"),
			.profiles = {{"\0\377\377\377\377\377\377\377\377", 9}, 1}}},
	 POST("/v1/config-bundles", "179",
	      "{\"bundle\":{\"metadata\":{\"id\":\"b\",\"digest\":\"d\",\"revision\":\"r\","
	      "\"workspace_id\":\"w\",\"created_at\":\"c\",\"provenance\":{\"source\":\"s\"}},"
	      "\"profiles\":[{\"selector\":{\"kind\":\"runtime_default\"}}]}}")},
	{"a bundle to be asked for",
	 {.operation = WR_SOURCE_BUNDLE_AVAILABILITY,
	  .as.available = {WR_VIEW_INIT("a:b"), WR_VIEW_INIT("0123")}},
	 GET("/v1/config-bundles/a%3Ab/availability?digest=0123")},
	{"a transcript",
	 {.operation = WR_SOURCE_TRANSCRIPT, .as.page = {.start = UINT64_MAX, .limit = 200}},
	 GET("/v1/workers/a%3Ab_c-1/transcript?start=18446744073709551615&limit=200")},
};

static void test_requests_are_exact_and_one_for_each_operation(void)
{
	static struct asked asked;

	rig_open();
	peer_will_answer("500 Oh", "{}");
	for (unsigned i = 0; i < WR_COUNT(requests); i++) {
		wr_test_case(requests[i].label);
		asked.call = requests[i].call;
		asked.call.worker_id = WR_VIEW("a:b_c-1");
		asked.call.idempotency_key = WR_VIEW("key-1");
		asked.call.on_done = on_done;
		peer.request_count = 0;
		begin(&asked);
		finish(&asked);
		CHECK_U64(peer.request_count, 1);
		CHECK_STRING(wr_view_of_string(peer.last_request), requests[i].request);
	}
	rig_close();
}

static void test_a_command_without_a_key_gets_one_that_nobody_else_has(void)
{
	static struct asked asked;
	char first[64];

	rig_open();
	peer_will_answer("500 Oh", "{}");
	ask(&asked, WR_SOURCE_INPUT);
	CHECK_U64(sent_key().bytes, 24);
	memcpy(first, sent_key().data, 24);
	ask(&asked, WR_SOURCE_INPUT);
	CHECK(!wr_view_equal(sent_key(), wr_view_of(first, 24)));
	ask(&asked, WR_SOURCE_DETAIL);
	CHECK(strstr(peer.last_request, "Idempotency-Key") == NULL);
	rig_close();
}

static void test_a_key_that_does_not_belong_in_a_head_is_refused_without_a_request(void)
{
	static const struct wr_view keys[] = {
		WR_VIEW_INIT(""),	  WR_VIEW_INIT("a b"),	WR_VIEW_INIT("a\r\nX: y"),
		WR_VIEW_INIT("\xc3\xa9"), WR_VIEW_INIT("a\tb"),
	};
	static char long_key[129];
	static struct asked asked;

	rig_open();
	memset(long_key, 'k', sizeof long_key);
	for (unsigned i = 0; i <= WR_COUNT(keys); i++) {
		prepare(&asked, WR_SOURCE_STOP);
		asked.call.idempotency_key =
			i < WR_COUNT(keys) ? keys[i] : wr_view_of(long_key, sizeof long_key);
		begin(&asked);
		CHECK_U64(asked.done_count, 1);
		check_first(&asked, WR_SOURCE_REJECTED, "remote_runtime_idempotency_key_invalid",
			    WR_NOTICE_WARNING);
	}
	CHECK_U64(peer.request_count, 0);
	/* The longest one that is. */
	peer_will_answer("500 Oh", "{}");
	asked.call.idempotency_key = wr_view_of(long_key, 128);
	begin(&asked);
	finish(&asked);
	CHECK_VIEW(sent_key(), wr_view_of(long_key, 128));
	rig_close();
}

static void test_what_cannot_be_accepted_is_refused_without_a_request(void)
{
	static char content[WR_HTTP_BODY_BYTES_MAX];
	static struct asked asked;

	rig_open();
	prepare(&asked, WR_SOURCE_SPAWN);
	asked.call.as.spawn.is_socket_ready = true;
	begin(&asked);
	CHECK_U64(asked.done_count, 1);
	CHECK_U64(asked.result.outcome, WR_SOURCE_REJECTED);
	check_first(&asked, WR_SOURCE_REJECTED, "remote_runtime_no_socket_ready_acceptance",
		    WR_NOTICE_WARNING);
	CHECK(asked.result.evidence[0].kind == NULL);
	memset(content, 'x', sizeof content);
	prepare(&asked, WR_SOURCE_INPUT);
	asked.call.as.input.content = wr_view_of(content, sizeof content);
	begin(&asked);
	CHECK_U64(asked.done_count, 1);
	check_first(&asked, WR_SOURCE_REJECTED, "remote_runtime_http_rejected", WR_NOTICE_WARNING);
	prepare(&asked, WR_SOURCE_LIST);
	asked.call.as.list.limit = 0;
	begin(&asked);
	CHECK(asked.done_count == 1 && asked.result.outcome == WR_SOURCE_ACCEPTED);
	CHECK_U64(peer.request_count, 0);
	rig_close();
}

/* ---- good answers ---- */

static void test_answers_are_told_however_they_come(void)
{
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(good); i++)
		for (peer.step = 0; peer.step < 2; peer.step++) {
			wr_test_case(good[i].label);
			peer_will_answer(good[i].operation == WR_SOURCE_SPAWN ? "201 Created"
									      : "200 OK",
					 good[i].body);
			ask(&asked, good[i].operation);
			check_good(&asked, i);
		}
	rig_close();
}

static void test_a_spawned_worker_is_told_with_the_evidence(void)
{
	static struct asked asked;

	rig_open();
	peer_will_answer("200 OK", "{\"worker\":" CODER("w") "}"); /* as older Runtimes say it */
	ask(&asked, WR_SOURCE_SPAWN);
	CHECK_U64(asked.told_count, 1);
	CHECK_STRING(wr_view_of_string(asked.result.evidence[0].kind),
		     "remote_runtime_worker_created");
	CHECK(asked.result.evidence[0].detail != NULL && asked.result.evidence[1].kind == NULL);
	rig_close();
}

static void test_a_page_is_told_as_it_was_asked_for(void)
{
	static struct asked asked;

	rig_open();
	peer_will_answer("200 OK", PAGE("2", ITEM("3", "x"), "4"));
	prepare(&asked, WR_SOURCE_TRANSCRIPT);
	asked.call.as.page.start = 2;
	begin(&asked);
	finish(&asked);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	CHECK(asked.result.page.start == 2 && asked.result.page.limit == 2);
	CHECK(asked.result.page.total_items == 5 && asked.result.page.has_next_start);
	CHECK_U64(asked.result.page.next_start, 4);
	peer_will_answer("200 OK", PAGE("9", "", "null"));
	asked.call.as.page.start = 9;
	begin(&asked);
	finish(&asked);
	CHECK(!asked.result.page.has_next_start && asked.result.page.start == 9);
	rig_close();
}

/* ---- answers that are none ---- */

#define OTHER_DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
	const char *label;
	enum wr_source_operation operation;
	const char *body;
} malformed[] = {
	{"nothing", WR_SOURCE_LIST, ""},
	{"not JSON", WR_SOURCE_LIST, "<html>" PEER_MARK "</html>"},
	{"null", WR_SOURCE_LIST, "{\"workers\":null}"},
	{"an object", WR_SOURCE_LIST, "{\"workers\":{}}"},
	{"one bad Worker", WR_SOURCE_LIST, "{\"workers\":[" CODER("a") ",{}]}"},
	{"not UTF-8", WR_SOURCE_LIST, "{\"workers\":[" CODER("\xff") "]}"},
	{"bytes behind", WR_SOURCE_LIST, "{\"workers\":[]}x"},
	{"cut JSON", WR_SOURCE_LIST, "{\"workers\":["},
	{"another Worker", WR_SOURCE_DETAIL, "{\"worker\":" CODER("worker-2") "}"},
	{"a list for a detail", WR_SOURCE_DETAIL, "{\"workers\":[]}"},
	{"an id that cannot be used", WR_SOURCE_SPAWN, "{\"worker\":" CODER("a.b") "}"},
	{"an empty id", WR_SOURCE_SPAWN, "{\"worker\":" CODER("") "}"},
	{"an unknown status", WR_SOURCE_STOP, ACK("asleep", ",\"event_id\":1")},
	{"no event", WR_SOURCE_STOP, ACK("stopped", "")},
	{"a negative event", WR_SOURCE_STOP, ACK("stopped", ",\"event_id\":-1")},
	{"no sequence", WR_SOURCE_INPUT, ACK("running", ",\"event_id\":1")},
	{"nothing of a bundle", WR_SOURCE_STORE_BUNDLE, "{}"},
	{"another bundle", WR_SOURCE_STORE_BUNDLE,
	 "{\"availability\":" AVAILABILITY("bundle-b", ASKED_DIGEST, "r", "1") "}"},
	{"a bundle of another digest", WR_SOURCE_STORE_BUNDLE,
	 "{\"availability\":" AVAILABILITY("bundle-a", OTHER_DIGEST, "r", "1") "}"},
	{"another bundle", WR_SOURCE_BUNDLE_AVAILABILITY,
	 "{\"availability\":" AVAILABILITY("bundle-b", ASKED_DIGEST, "r", "1") "}"},
	{"a bundle of another digest", WR_SOURCE_BUNDLE_AVAILABILITY,
	 "{\"availability\":" AVAILABILITY("bundle-a", OTHER_DIGEST, "r", "1") "}"},
	{"a path in a text", WR_SOURCE_BUNDLE_AVAILABILITY,
	 "{\"availability\":" AVAILABILITY("bundle-a", ASKED_DIGEST, "/var/x", "1") "}"},
	{"an address in a text", WR_SOURCE_BUNDLE_AVAILABILITY,
	 "{\"availability\":" AVAILABILITY("bundle-a", ASKED_DIGEST, "http://127.0.0.1", "1") "}"},
	{"half a bundle", WR_SOURCE_BUNDLE_AVAILABILITY,
	 "{\"availability\":" AVAILABILITY("bundle-a", ASKED_DIGEST, "r", "-1") "}"},
	{"an error with 200", WR_SOURCE_INPUT, "{\"error\":{\"code\":\"x\",\"message\":\"\"}}"},
	{"more than was asked", WR_SOURCE_TRANSCRIPT,
	 PAGE("0", ITEM("1", "") "," ITEM("2", "") "," ITEM("3", ""), "null")},
	{"another page", WR_SOURCE_TRANSCRIPT, PAGE("1", "", "null")},
	{"a page that leads nowhere", WR_SOURCE_TRANSCRIPT, PAGE("0", "", "0")},
	{"a text that ends in half a character", WR_SOURCE_TRANSCRIPT,
	 PAGE("0", ITEM("1", "\xc3"), "null")},
	{"a lonely surrogate", WR_SOURCE_TRANSCRIPT, PAGE("0", ITEM("1", "\\ud800"), "null")},
};

static void test_what_cannot_be_understood_is_a_failure(void)
{
	static struct asked asked;
	static char deep[5000];

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(malformed); i++) {
		wr_test_case(malformed[i].label);
		peer_will_answer("200 OK", malformed[i].body);
		ask(&asked, malformed[i].operation);
		check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_malformed_response",
			    WR_NOTICE_ERROR);
		CHECK_U64(asked.result.notices.count,
			  malformed[i].operation == WR_SOURCE_SPAWN ||
					  malformed[i].operation == WR_SOURCE_STOP ||
					  malformed[i].operation == WR_SOURCE_INPUT ||
					  malformed[i].operation == WR_SOURCE_STORE_BUNDLE
				  ? 2
				  : 1);
	}
	wr_test_case("too deep");
	memset(deep, '[', sizeof deep - 1);
	peer_will_answer("200 OK", deep);
	ask(&asked, WR_SOURCE_LIST);
	check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_malformed_response", WR_NOTICE_ERROR);
	rig_close();
}

static const char *const bad_heads[] = {
	"SSH-2.0-" PEER_MARK "\r\n\r\n",
	"HTTP/2.0 200 OK\r\n\r\n",
	"HTTP/1.1 20 OK\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{",
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.0 200 OK\r\n\r\n",
};

static void test_garbage_on_the_wire_is_a_failure_of_every_operation(void)
{
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(bad_heads); i++)
		for (unsigned j = WR_SOURCE_LIST; j <= WR_SOURCE_BUNDLE_AVAILABILITY; j++) {
			wr_test_case(bad_heads[i]);
			peer.answer = bad_heads[i];
			/* Until close: what ends it is the end. */
			peer.cut = strncmp(bad_heads[i], "HTTP/1.0", 8) == 0 ? 1000 : SIZE_MAX;
			ask(&asked, (enum wr_source_operation)j);
			check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_malformed_response",
				    WR_NOTICE_ERROR);
		}
	rig_close();
}

static void test_an_answer_that_is_cut_is_a_network_error(void)
{
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(good); i++) {
		size_t bytes;

		wr_test_case(good[i].label);
		peer_will_answer("200 OK", good[i].body);
		bytes = strlen(peer.answer);
		for (peer.cut = 0; peer.cut < bytes; peer.cut += 1 + peer.cut / 16) {
			ask(&asked, good[i].operation);
			check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_network_error",
				    WR_NOTICE_ERROR);
			CHECK_U64(asked.told_count, 0);
		}
	}
	rig_close();
}

static const struct {
	enum wr_source_operation operation;
	size_t bytes_max;
} sizes[] = {
	{WR_SOURCE_LIST, 2 << 20},
	{WR_SOURCE_DETAIL, 256 << 10},
	{WR_SOURCE_STOP, 256 << 10},
	{WR_SOURCE_TRANSCRIPT, 8 << 20},
};

/* The answer never ends: it is given up when it is over its limit, and what is held for it goes. */
static void test_a_huge_answer_is_given_up_at_its_limit(void)
{
	static char chunk[4096 + 64];
	static struct asked asked;
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

	rig_open();
	memcpy(chunk, head, sizeof head - 1);
	for (size_t at = sizeof head - 1; at + 1024 <= sizeof chunk; at += 1024) {
		memcpy(chunk + at, "3f9\r\n", 5); /* 1017 bytes: 1024 with their framing */
		memset(chunk + at + 5, ' ', 1017);
		memcpy(chunk + at + 1022, "\r\n", 2);
		peer.answer_bytes = at + 1024;
	}
	for (unsigned i = 0; i < WR_COUNT(sizes); i++) {
		size_t used = wr_test_allocator()->used;

		peer.answer = chunk;
		peer.is_endless = true;
		prepare(&asked, sizes[i].operation);
		wr_test_allocator()->peak = used;
		begin(&asked);
		finish(&asked);
		peer.is_endless = false;
		check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_malformed_response",
			    WR_NOTICE_ERROR);
		CHECK(wr_test_allocator()->peak - used >= sizes[i].bytes_max / 2);
		CHECK(wr_test_allocator()->peak - used <= 3 * sizes[i].bytes_max + (1 << 20));
	}
	rig_close();
}

/* ---- refusals (contract 8.10) ---- */

enum {
	R = WR_SOURCE_REJECTED,
	F = WR_SOURCE_FAILED,
	U = WR_SOURCE_UNSUPPORTED,
	W = WR_SOURCE_UNKNOWN_WORKER
};

static const struct {
	const char *status, *code; /* as the remote says them */
	struct {
		enum wr_source_outcome outcome;
		const char *code;
	} read, command; /* of a detail, of an input */
} refusals[] = {
#define BOTH(o, c)                             \
	{(enum wr_source_outcome)(o), c},      \
	{                                      \
		(enum wr_source_outcome)(o), c \
	}
#define EACH(o, c, p, d)                       \
	{(enum wr_source_outcome)(o), c},      \
	{                                      \
		(enum wr_source_outcome)(p), d \
	}
	{"401 Unauthorized", "unauthorized", BOTH(F, "remote_runtime_auth_failed")},
	{"403 Forbidden", "forbidden", BOTH(F, "remote_runtime_auth_failed")},
	{"404 Not Found", "worker_not_found", BOTH(W, "remote_worker_not_found")},
	{"404 Not Found", "not_found", BOTH(W, "remote_worker_not_found")},
	{"405 Method Not Allowed", "method_not_allowed",
	 EACH(F, "remote_runtime_unsupported", U, "remote_runtime_unsupported")},
	{"501 Not Implemented", "unsupported_operation",
	 EACH(F, "remote_runtime_unsupported", U, "remote_runtime_unsupported")},
	{"409 Conflict", "worker_busy", EACH(F, "remote_worker_busy", R, "remote_worker_busy")},
#define REJECTED EACH(F, "remote_runtime_http_rejected", R, "remote_runtime_http_rejected")
	{"409 Conflict", "worker_not_running", REJECTED},
	{"409 Conflict", "turn_not_running", REJECTED},
	{"409 Conflict", "runtime_stopped", REJECTED},
	{"409 Conflict", "worker_execution_unavailable", REJECTED},
	{"409 Conflict", "execution_backend_unavailable", REJECTED},
	{"409 Conflict", "worker_execution_rejected", REJECTED},
	{"409 Conflict", "of_the_future", REJECTED},
	{"400 Bad Request", "invalid_request", REJECTED},
	{"400 Bad Request", "invalid_profile_selector", REJECTED},
	{"400 Bad Request", "limit_too_large", REJECTED},
	{"400 Bad Request", "invalid_idempotency_key",
	 EACH(F, "remote_runtime_idempotency_key_invalid", R,
	      "remote_runtime_idempotency_key_invalid")},
	{"422 Unprocessable Content", "idempotency_mismatch",
	 EACH(F, "remote_runtime_idempotency_mismatch", R, "remote_runtime_idempotency_mismatch")},
	{"409 Conflict", "idempotency_mismatch",
	 EACH(F, "remote_runtime_idempotency_mismatch", R, "remote_runtime_idempotency_mismatch")},
	{"408 Request Timeout", "request_timeout", REJECTED},
	{"413 Content Too Large", "payload_too_large", REJECTED},
	{"418 I'm a teapot", "", REJECTED},
	{"301 Moved Permanently", "", REJECTED},
	{"429 Too Many Requests", "too_many_requests",
	 EACH(F, "remote_runtime_unavailable_now", R, "remote_runtime_unavailable_now")},
	{"500 Internal Server Error", "store_io", BOTH(F, "remote_runtime_http_error")},
	{"502 Bad Gateway", "", BOTH(F, "remote_runtime_http_error")},
	{"503 Service Unavailable", "overloaded",
	 EACH(F, "remote_runtime_http_error", R, "remote_runtime_unavailable_now")},
	{"504 Gateway Timeout", "", BOTH(F, "remote_runtime_http_error")},
	{"507 Insufficient Storage", "store_full",
	 EACH(F, "remote_runtime_http_error", R, "remote_runtime_http_rejected")},
	{"507 Insufficient Storage", "limit_workers",
	 EACH(F, "remote_runtime_http_error", R, "remote_runtime_http_rejected")},
	{"599 What", "", BOTH(F, "remote_runtime_http_error")},
};

static enum wr_notice_severity severity_of(enum wr_source_outcome outcome)
{
	return outcome == WR_SOURCE_FAILED ? WR_NOTICE_ERROR : WR_NOTICE_WARNING;
}

static void test_every_refusal_is_told_as_the_contract_says(void)
{
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(refusals); i++) {
		bool is_doubtful = refusals[i].command.outcome == WR_SOURCE_FAILED &&
				   refusals[i].status[0] == '5';

		wr_test_case(refusals[i].code[0] != '\0' ? refusals[i].code : refusals[i].status);
		peer_will_refuse(refusals[i].status, refusals[i].code);
		peer.request_count = 0;
		ask(&asked, WR_SOURCE_DETAIL);
		check_first(&asked, refusals[i].read.outcome, refusals[i].read.code,
			    severity_of(refusals[i].read.outcome));
		CHECK_U64(asked.result.notices.count, 1);
		ask(&asked, WR_SOURCE_INPUT);
		check_first(&asked, refusals[i].command.outcome, refusals[i].command.code,
			    severity_of(refusals[i].command.outcome));
		CHECK_U64(asked.result.notices.count, is_doubtful ? 2 : 1);
		CHECK(has_notice(&asked.result.notices, "remote_runtime_outcome_unknown") ==
		      is_doubtful);
		CHECK_U64(peer.request_count, 2);
	}
	rig_close();
}

static const struct {
	const char *status, *code;
	enum wr_source_operation operation;
	enum wr_source_outcome outcome;
	const char *told;
} special_refusals[] = {
	{"404 Not Found", "worker_not_found", WR_SOURCE_INTERRUPT, WR_SOURCE_UNKNOWN_WORKER,
	 "remote_worker_not_found"},
	{"404 Not Found", "not_found", WR_SOURCE_INTERRUPT, WR_SOURCE_UNSUPPORTED,
	 "remote_runtime_unsupported"},
	{"404 Not Found", "not_found", WR_SOURCE_LIST, WR_SOURCE_FAILED,
	 "remote_runtime_malformed_response"},
	{"404 Not Found", "not_found", WR_SOURCE_SPAWN, WR_SOURCE_REJECTED,
	 "remote_runtime_http_rejected"},
	{"404 Not Found", "worker_not_found", WR_SOURCE_TRANSCRIPT, WR_SOURCE_UNKNOWN_WORKER,
	 "remote_worker_not_found"},
	{"404 Not Found", "worker_not_found", WR_SOURCE_STOP, WR_SOURCE_UNKNOWN_WORKER,
	 "remote_worker_not_found"},
	{"404 Not Found", "worker_not_found", WR_SOURCE_CANCEL, WR_SOURCE_UNKNOWN_WORKER,
	 "remote_worker_not_found"},
	{"404 Not Found", "config_bundle_missing", WR_SOURCE_SPAWN, WR_SOURCE_REJECTED,
	 "remote_runtime_http_rejected"},
	{"404 Not Found", "config_bundle_missing", WR_SOURCE_BUNDLE_AVAILABILITY,
	 WR_SOURCE_REJECTED, "remote_runtime_http_rejected"},
	{"404 Not Found", "not_found", WR_SOURCE_BUNDLE_AVAILABILITY, WR_SOURCE_UNSUPPORTED,
	 "remote_runtime_unsupported"},
	{"404 Not Found", "not_found", WR_SOURCE_STORE_BUNDLE, WR_SOURCE_UNSUPPORTED,
	 "remote_runtime_unsupported"},
	{"400 Bad Request", "config_bundle_digest_mismatch", WR_SOURCE_STORE_BUNDLE,
	 WR_SOURCE_REJECTED, "remote_runtime_http_rejected"},
	{"400 Bad Request", "config_bundle_digest_mismatch", WR_SOURCE_BUNDLE_AVAILABILITY,
	 WR_SOURCE_REJECTED, "remote_runtime_http_rejected"},
	{"400 Bad Request", "unsupported_config_declaration", WR_SOURCE_STORE_BUNDLE,
	 WR_SOURCE_REJECTED, "remote_runtime_http_rejected"},
	{"507 Insufficient Storage", "limit_config_bundles", WR_SOURCE_STORE_BUNDLE,
	 WR_SOURCE_REJECTED, "remote_runtime_http_rejected"},
	{"503 Service Unavailable", "runtime_unavailable", WR_SOURCE_STORE_BUNDLE,
	 WR_SOURCE_REJECTED, "remote_runtime_unavailable_now"},
	{"500 Internal Server Error", "store_io", WR_SOURCE_STORE_BUNDLE, WR_SOURCE_FAILED,
	 "remote_runtime_http_error"},
	{"400 Bad Request", "limit_too_large", WR_SOURCE_TRANSCRIPT, WR_SOURCE_REJECTED,
	 "remote_runtime_http_rejected"},
	{"501 Not Implemented", "unsupported_operation", WR_SOURCE_TRANSCRIPT,
	 WR_SOURCE_UNSUPPORTED, "remote_runtime_unsupported"},
	{"409 Conflict", "runtime_stopped", WR_SOURCE_LIST, WR_SOURCE_FAILED,
	 "remote_runtime_http_rejected"},
};

static void test_a_refusal_means_what_it_can_mean_for_the_operation(void)
{
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(special_refusals); i++) {
		wr_test_case(special_refusals[i].told);
		peer_will_refuse(special_refusals[i].status, special_refusals[i].code);
		ask(&asked, special_refusals[i].operation);
		check_first(&asked, special_refusals[i].outcome, special_refusals[i].told,
			    severity_of(special_refusals[i].outcome));
	}
	wr_test_case("an empty 404, as for a path that is not known");
	peer_will_answer("404 Not Found", "");
	ask(&asked, WR_SOURCE_INTERRUPT);
	check_first(&asked, WR_SOURCE_UNSUPPORTED, "remote_runtime_unsupported", WR_NOTICE_WARNING);
	ask(&asked, WR_SOURCE_STOP);
	check_first(&asked, WR_SOURCE_UNKNOWN_WORKER, "remote_worker_not_found", WR_NOTICE_WARNING);
	rig_close();
}

static void test_a_redirect_is_not_followed(void)
{
	static struct asked asked;
	char answer[256];

	rig_open();
	CHECK(snprintf(answer, sizeof answer,
		       "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:%u/base/v1/"
		       "workers\r\nContent-Length: 0\r\n\r\n",
		       ntohs(peer.address.sin_port)) < (int)sizeof answer);
	peer.answer = answer;
	ask(&asked, WR_SOURCE_SPAWN);
	check_first(&asked, WR_SOURCE_REJECTED, "remote_runtime_http_rejected", WR_NOTICE_WARNING);
	for (unsigned i = 0; i < 10; i++)
		rig_turn();
	CHECK_U64(peer.request_count, 1);
	rig_close();
}

static void test_interim_answers_are_passed_over(void)
{
	static struct asked asked;
	static const char body[] = "{\"workers\":[]}";
	char answer[256];

	rig_open();
	CHECK(snprintf(answer, sizeof answer,
		       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		       "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		       sizeof body - 1, body) < (int)sizeof answer);
	peer.answer = answer;
	ask(&asked, WR_SOURCE_LIST);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	rig_close();
}

/* ---- lists ---- */

static void append_worker(char *body, size_t bytes, const char *id)
{
	size_t at = strlen(body);

	CHECK(snprintf(body + at, bytes - at, "%s" CODER("%s"), at > 12 ? "," : "", id, id) <
	      (int)(bytes - at));
}

static void test_an_older_runtimes_list_is_ordered_and_cut(void)
{
	static struct asked asked;
	static char body[60000];
	char id[16];

	rig_open();
	strncpy(body, "{\"workers\":[", sizeof body - 1);
	for (unsigned i = 0; i < 150; i++) { /* every one once, in no order */
		CHECK(snprintf(id, sizeof id, "w-%03u", i * 71 % 150) < (int)sizeof id);
		append_worker(body, sizeof body, id);
	}
	memcpy(body + strlen(body), "]}", 3);
	peer_will_answer("200 OK", body);
	prepare(&asked, WR_SOURCE_LIST);
	for (asked.call.as.list.limit = 1; asked.call.as.list.limit <= 200;
	     asked.call.as.list.limit += 19) {
		unsigned expected = asked.call.as.list.limit < 150 ? asked.call.as.list.limit : 150;
		const char *line = asked.told;

		begin(&asked);
		finish(&asked);
		CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
		CHECK_U64(asked.told_count, expected);
		CHECK_U64(asked.result.notices.count, 0);
		for (unsigned i = 0; i < expected; i++, line = strchr(line, '\n') + 1) {
			CHECK(snprintf(id, sizeof id, "w-%03u", i) < (int)sizeof id);
			CHECK(strncmp(line, id, 5) == 0);
		}
	}
	rig_close();
}

static void test_ids_that_cannot_be_used_are_left_out_and_that_is_told(void)
{
	static const char *const ids[] = {
		"b.c",
		" ",
		"a b",
		"\xc3\xa9",
		"/",
		"..",
		"w%2F",
		"a",
		("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	};
	static struct asked asked;
	static char body[60000];

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(ids); i++) {
		strncpy(body, "{\"workers\":[", sizeof body - 1);
		append_worker(body, sizeof body, "z");
		append_worker(body, sizeof body, ids[i]);
		append_worker(body, sizeof body, "a"); /* twice, in one case */
		memcpy(body + strlen(body), "]}", 3);
		peer_will_answer("200 OK", body);
		wr_test_case(ids[i]);
		ask(&asked, WR_SOURCE_LIST);
		CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
		CHECK_U64(asked.told_count, 2);
		CHECK(asked.told[0] == 'a' && strstr(asked.told, "\nz ") != NULL);
		CHECK(asked.result.notices.count == 1 &&
		      has_notice(&asked.result.notices, "remote_worker_id_invalid"));
	}
	rig_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_requests_are_exact_and_one_for_each_operation),
	WR_TEST(test_a_command_without_a_key_gets_one_that_nobody_else_has),
	WR_TEST(test_a_key_that_does_not_belong_in_a_head_is_refused_without_a_request),
	WR_TEST(test_what_cannot_be_accepted_is_refused_without_a_request),
	WR_TEST_LIMIT(test_answers_are_told_however_they_come, 60),
	WR_TEST(test_a_spawned_worker_is_told_with_the_evidence),
	WR_TEST(test_a_page_is_told_as_it_was_asked_for),
	WR_TEST(test_what_cannot_be_understood_is_a_failure),
	WR_TEST_LIMIT(test_garbage_on_the_wire_is_a_failure_of_every_operation, 30),
	WR_TEST_LIMIT(test_an_answer_that_is_cut_is_a_network_error, 60),
	WR_TEST_LIMIT(test_a_huge_answer_is_given_up_at_its_limit, 60),
	WR_TEST(test_every_refusal_is_told_as_the_contract_says),
	WR_TEST(test_a_refusal_means_what_it_can_mean_for_the_operation),
	WR_TEST(test_a_redirect_is_not_followed),
	WR_TEST(test_interim_answers_are_passed_over),
	WR_TEST(test_an_older_runtimes_list_is_ordered_and_cut),
	WR_TEST(test_ids_that_cannot_be_used_are_left_out_and_that_is_told),
	WR_TEST_END,
};
