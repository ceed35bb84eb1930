/* Goal: every route of the contract (8.3) leads where it says, for those who may, and everything
 * else is refused by a status, a code and nothing more (8.5). Method: scripted sources behind a
 * real server; what is asked and what must come are tables. */
#include "unit/backend/browser_rig.h"

#include "unit/backend/contract_examples.h"

#define R "/api/runtimes/backend-internal"
#define W R "/workers/w-0"
#define UPGRADE                                                                             \
	"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

static const char spawn_body[] = "{\"intent\":{\"kind\":\"workspace_companion\"},"
				 "\"acceptance\":{\"kind\":\"run_accepted\","
				 "\"expected_segments\":0}}";

struct asked {
	const char *method, *target, *fields, *body;
	unsigned status;
	const char *code; /* of the error, in JSON spelling; NULL: it is none */
};

static void check_all(const struct asked *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned status = browser_ask(cases[i].method, cases[i].target, cases[i].fields,
					      cases[i].body);

		wr_test_case(cases[i].target);
		CHECK_U64(status, cases[i].status);
		if (cases[i].code != NULL)
			CHECK_STRING(browser_at("code"), cases[i].code);
	}
}

#define DIGEST "7197561351779ab6535109f9589a77ffaa14c6f829b195591051d954f3062d6d"
#define BUNDLES R "/config-bundles"
#define BUNDLE                                                                            \
	"{\"bundle\":{\"metadata\":{\"id\":\"bundle-a\",\"digest\":\"" DIGEST             \
	"\",\"revision\":\"r1\",\"workspace_id\":\"ws-1\",\"created_at\":\"t\","          \
	"\"provenance\":{\"source\":\"backend\"}},\"profiles\":[{\"selector\":{\"kind\":" \
	"\"named\","                                                                      \
	"\"value\":\"p\\n\"}}]}}"

static void test_every_route_is_served(void)
{
	static const struct asked cases[] = {
		{"GET", "/", NULL, NULL, 200, NULL},
		{"GET", "/console.css", NULL, NULL, 200, NULL},
		{"GET", "/console.js", NULL, NULL, 200, NULL},
		{"GET", "/healthz", NULL, NULL, 200, NULL},
		{"GET", "/readyz", NULL, NULL, 200, NULL},
		{"GET", "/api/runtimes", NULL, NULL, 200, NULL},
		{"GET", "/api/hosts", NULL, NULL, 200, NULL},
		{"GET", "/api/workers", NULL, NULL, 200, NULL},
		{"GET", "/api/workers?limit=1", NULL, NULL, 200, NULL},
		{"GET", "/api/workspace", NULL, NULL, 200, NULL},
		{"GET", "/api/hosts/host-backend-internal/workers", NULL, NULL, 200, NULL},
		{"GET", R, NULL, NULL, 200, NULL},
		{"GET", R "/workers", NULL, NULL, 200, NULL},
		{"GET", W, NULL, NULL, 200, NULL},
		{"GET", W "/transcript", NULL, NULL, 200, NULL},
		{"GET", W "/events/ws", UPGRADE, NULL, 299, NULL},
		{"POST", R "/workers", NULL, spawn_body, 200, NULL},
		{"POST", W "/input", NULL, "{\"content\":\"x\"}", 200, NULL},
		{"POST", W "/stop", NULL, "{}", 200, NULL},
		{"POST", W "/cancel", NULL, "{}", 200, NULL},
		{"POST", W "/interrupt", NULL, "{}", 200, NULL},
		{"POST", BUNDLES, NULL, BUNDLE, 200, NULL},
		{"GET", BUNDLES "/bundle-a/availability?digest=" DIGEST, NULL, NULL, 200, NULL},
		{"GET", BUNDLES "/a.b:c/availability?digest=" DIGEST, NULL, NULL, 200, NULL},
		{"POST", "/api/tickets", NULL, NULL, 201, NULL},
		{"POST", "/api/tickets", NULL, "{}", 201, NULL},
		{"GET", "/api/runtimes/remote%3Abuild-box/workers/w%2D0", NULL, NULL, 200, NULL},
	};

	faced_open();
	check_all(cases, WR_COUNT(cases));
	CHECK_U64(faced.remote.begin_count, 3);
	CHECK_STRING(wr_view_of_string(faced.remote.worker_id), "w-0");
	faced_close();
}

static void test_what_is_not_there_is_refused(void)
{
	static const struct asked cases[] = {
		{"GET", "/nothing", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/index.html", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/console.js/", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/console%2Ejs", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/../console.js", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api/", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api/nothing", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api/runtimes/", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api/Runtimes", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api/workers/w-0", NULL, NULL, 404, "\"not_found\""},
		{"GET", R "/", NULL, NULL, 404, "\"not_found\""},
		{"GET", R "/workers/", NULL, NULL, 404, "\"not_found\""},
		{"GET", W "/events", NULL, NULL, 404, "\"not_found\""},
		{"POST", "/nothing", NULL, NULL, 404, "\"not_found\""},
		{"POST", "/api/nothing", NULL, NULL, 405, "\"method_not_allowed\""},
		{"DELETE", "/api", NULL, NULL, 405, "\"method_not_allowed\""},
		{"POST", "/", NULL, NULL, 405, "\"method_not_allowed\""},
		{"DELETE", "/console.js", NULL, NULL, 405, "\"method_not_allowed\""},
		{"POST", "/healthz", NULL, NULL, 405, "\"method_not_allowed\""},
		{"POST", "/api/runtimes", NULL, "{}", 405, "\"method_not_allowed\""},
		{"GET", "/api/tickets", NULL, NULL, 405, "\"method_not_allowed\""},
		{"PUT", W, NULL, "{}", 405, "\"method_not_allowed\""},
		{"GET", W "/input", NULL, NULL, 405, "\"method_not_allowed\""},
		{"GET", W "/stop", NULL, NULL, 405, "\"method_not_allowed\""},
		{"HEAD", W "/events/ws", UPGRADE, NULL, 405, NULL},
		{"GET", "/api/runtimes/nope", NULL, NULL, 404, "\"unknown_runtime\""},
		{"GET", "/api/runtimes/nope/workers", NULL, NULL, 404, "\"unknown_runtime\""},
		{"GET", "/api/runtimes/nope/workers/w", NULL, NULL, 404, "\"unknown_runtime\""},
		{"POST", "/api/runtimes/nope/workers", NULL, spawn_body, 404,
		 "\"unknown_runtime\""},
		{"GET", "/api/runtimes/nope/workers/w/events/ws", UPGRADE, NULL, 404,
		 "\"unknown_runtime\""},
		{"GET", "/api/hosts/backend-internal/workers", NULL, NULL, 404, "\"unknown_host\""},
		{"GET", "/api/runtimes/local-worker-runtime/workers/w/events/ws", UPGRADE, NULL,
		 404, "\"no_event_stream\""},
	};

	faced_open();
	check_all(cases, WR_COUNT(cases));
	/* The contract's words, and its example. */
	browser_get("/api/nothing");
	CHECK_STRING(browser_at("error"), "\"not_found\"");
	browser_get("/api/runtimes/nope");
	CHECK(json_covers(contract_example("b-error"), browser_body(), false));
	CHECK(browser_has_field("Content-Type: application/json"));
	browser_ask("PUT", R "/workers", NULL, NULL);
	CHECK(browser_has_field("Allow: GET, HEAD, POST"));
	browser_ask("POST", "/", NULL, NULL);
	CHECK(browser_has_field("Allow: GET, HEAD"));
	CHECK_U64(faced.embedded.begin_count + faced.remote.begin_count, 0);
	faced_close();
}

static void test_ids_are_checked_before_anything_is_asked(void)
{
	static char long_id[256];
	struct asked cases[] = {
		{"GET", "/api/runtimes//workers", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/runtimes/a.b/workers", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/runtimes/a%2Fb", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/runtimes/%ff", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/runtimes/%zz", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/runtimes/a%00", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/hosts//workers", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", "/api/hosts/a%20b/workers", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", R "/workers/a+b", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", R "/workers/..", NULL, NULL, 400, "\"invalid_id\""},
		{"POST", R "/workers//input", NULL, "{\"content\":\"\"}", 400, "\"invalid_id\""},
		{"POST", R "/workers/%C3%A9/stop", NULL, "{}", 400, "\"invalid_id\""},
		{"GET", R "/workers/a~b/transcript", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", R "/workers/a~b/events/ws", UPGRADE, NULL, 400, "\"invalid_id\""},
		/* Before the Runtime is looked for. */
		{"GET", "/api/runtimes/nope/workers/a~b", NULL, NULL, 400, "\"invalid_id\""},
		{"GET", long_id, NULL, NULL, 400, "\"invalid_id\""},
	};
	int n = snprintf(long_id, sizeof long_id, "/api/runtimes/");

	memset(long_id + n, 'a', 121);
	faced_open();
	check_all(cases, WR_COUNT(cases));
	CHECK_STRING(browser_at("error"), "\"Bad Request\"");
	long_id[n + 120] = '\0';
	CHECK_U64(browser_get(long_id), 404);
	CHECK_U64(faced.embedded.begin_count, 0);
	faced_close();
}

static void test_bodies_are_checked_before_anything_is_asked(void)
{
	static char large[WR_HTTP_BODY_BYTES_MAX + 2];
	const struct asked cases[] = {
		{"POST", W "/input", "Content-Type: text/plain\r\n", "{\"content\":\"x\"}", 415,
		 "\"unsupported_media_type\""},
		{"POST", W "/stop", NULL, NULL, 415, "\"unsupported_media_type\""},
		{"POST", R "/workers", "Content-Type: application/x-www-form-urlencoded\r\n", "a",
		 415, "\"unsupported_media_type\""},
		{"POST", W "/input", NULL, "", 400, "\"invalid_json\""},
		{"POST", W "/stop", NULL, "", 400, "\"invalid_json\""},
		{"POST", W "/cancel", NULL, "{", 400, "\"invalid_json\""},
		{"POST", W "/interrupt", NULL, "{}x", 400, "\"invalid_json\""},
		{"POST", W "/input", NULL, "{\"content\":\"\xff\"}", 400, "\"invalid_json\""},
		{"POST", W "/input", NULL, "{}", 422, "\"invalid_request\""},
		{"POST", W "/input", NULL, "{\"kind\":null,\"content\":\"\"}", 422,
		 "\"invalid_request\""},
		{"POST", W "/stop", NULL, "[]", 422, "\"invalid_request\""},
		{"POST", W "/stop", NULL, "{\"reason\":1}", 422, "\"invalid_request\""},
		{"POST", R "/workers", NULL, "{\"intent\":{\"kind\":\"x\"}}", 422,
		 "\"invalid_request\""},
		{"POST", W "/input", NULL, large, 413, "\"payload_too_large\""},
		{"POST", W "/stop", "Idempotency-Key: a b\r\n", "{}", 400,
		 "\"invalid_idempotency_key\""},
		{"POST", W "/stop", "Idempotency-Key: \r\n", "{}", 400,
		 "\"invalid_idempotency_key\""},
		{"POST", W "/stop", "Idempotency-Key: \xc3\xa9\r\n", "{}", 400,
		 "\"invalid_idempotency_key\""},
		{"POST", BUNDLES, NULL, "{", 400, "\"invalid_json\""},
		{"POST", BUNDLES, NULL, "{}", 422, "\"invalid_request\""},
		{"POST", BUNDLES, NULL, "{\"bundle\":{}}", 422, "\"invalid_request\""},
		{"POST", BUNDLES, "Content-Type: text/plain\r\n", BUNDLE, 415,
		 "\"unsupported_media_type\""},
		{"GET", BUNDLES "/b/availability", NULL, NULL, 400, "\"invalid_query\""},
		{"GET", BUNDLES "/b/availability?digest=", NULL, NULL, 400, "\"invalid_query\""},
		{"GET", BUNDLES "/b/availability?digest=x", NULL, NULL, 400, "\"invalid_query\""},
		{"GET", BUNDLES "/b/availability?digest=" DIGEST "&digest=" DIGEST, NULL, NULL, 400,
		 "\"invalid_query\""},
		{"GET", BUNDLES "/-b/availability?digest=" DIGEST, NULL, NULL, 400,
		 "\"invalid_id\""},
		{"GET", BUNDLES "/b%2Fc/availability?digest=" DIGEST, NULL, NULL, 400,
		 "\"invalid_id\""},
		{"GET", BUNDLES "//availability?digest=" DIGEST, NULL, NULL, 400, "\"invalid_id\""},
		{"GET", W "/transcript?start=x", NULL, NULL, 400, "\"invalid_query\""},
		{"GET", W "/transcript?limit=-1", NULL, NULL, 400, "\"invalid_query\""},
		{"GET", W "/transcript?limit=1&limit=1", NULL, NULL, 400, "\"invalid_query\""},
	};

	memset(large, ' ', sizeof large - 1);
	faced_open();
	check_all(cases, WR_COUNT(cases));
	CHECK_U64(faced.embedded.begin_count, 0);
	CHECK_U64(faced.policy_count, 0);
	faced_close();
}

static void test_commands_say_what_was_asked_for(void)
{
	faced_open();
	CHECK_U64(browser_post(R "/workers", spawn_body), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_SPAWN);
	CHECK(faced.embedded.last.worker_id.data == NULL);
	CHECK_STRING(browser_at("worker.worker_id"), "\"w-0\"");
	CHECK_STRING(wr_view_of_string(faced.asked), "spawn backend-internal/ by ``: ");
	CHECK_U64(browser_post(W "/input", "{\"content\":\"a\\nb\",\"kind\":\"system\"}"), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_INPUT);
	CHECK(faced.embedded.last.as.input.is_system);
	CHECK_STRING(wr_view_of_string(faced.embedded.content), "a\nb");
	CHECK_STRING(wr_view_of_string(faced.asked), "input backend-internal/w-0 by ``: a\nb");
	CHECK_U64(browser_post(W "/stop", "{\"reason\":null}"), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_STOP);
	CHECK(faced.embedded.last.as.reason.data == NULL);
	CHECK_U64(browser_post(W "/cancel", "{\"reason\":\"why\"}"), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_CANCEL);
	CHECK_U64(faced.embedded.last.as.reason.bytes, 3);
	CHECK_U64(browser_post(W "/interrupt", "{}"), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_INTERRUPT);
	CHECK_STRING(wr_view_of_string(faced.asked), "interrupt backend-internal/w-0 by ``: ");
	CHECK_STRING(wr_view_of_string(faced.embedded.key), "");
	faced_close();
}

/* The availability is the source's; what was asked is kept for as long as the call. */
static void test_bundles_are_told_with_state_and_diagnostics(void)
{
	faced_open();
	CHECK_U64(browser_post(BUNDLES, BUNDLE), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_STORE_BUNDLE);
	CHECK_U64(faced.embedded.last.as.bundle.profiles.count, 1);
	CHECK(faced.embedded.last.worker_id.data == NULL);
	CHECK_STRING(wr_view_of_string(faced.asked),
		     "store_config_bundle backend-internal/ by ``: ");
	CHECK_STRING(browser_at("state"), "\"accepted\"");
	CHECK_STRING(browser_at("availability.reference.id"), "\"b\"");
	CHECK_STRING(browser_at("availability.summary.revision"), "\"r\"");
	CHECK_STRING(browser_at("diagnostics"), "[]");
	CHECK_U64(browser_get(BUNDLES "/bundle-a/availability?digest=" DIGEST), 200);
	CHECK(faced.embedded.last.operation == WR_SOURCE_BUNDLE_AVAILABILITY);
	CHECK_U64(faced.embedded.last.as.available.digest.bytes, 64);
	CHECK_STRING(browser_at("availability.summary.digest"), "\"d\"");
	CHECK_U64(faced.policy_count, 1); /* of the command only */
	scripted_outcome(&faced.embedded, WR_SOURCE_REJECTED, "c", WR_NOTICE_WARNING);
	CHECK_U64(browser_post(BUNDLES, BUNDLE), 200);
	CHECK(wr_view_starts(browser_body(), WR_VIEW("{\"state\":\"rejected\",\"diagnostics\":[{"
						     "\"code\":\"c\",")));
	scripted_outcome(&faced.embedded, WR_SOURCE_UNSUPPORTED, "c", WR_NOTICE_INFO);
	CHECK_U64(browser_get(BUNDLES "/bundle-a/availability?digest=" DIGEST), 200);
	CHECK_STRING(browser_at("state"), "\"unsupported\"");
	scripted_outcome(&faced.embedded, WR_SOURCE_FAILED, "remote_runtime_timeout",
			 WR_NOTICE_ERROR);
	CHECK_U64(browser_post(BUNDLES, BUNDLE), 504);
	CHECK_U64(browser_get(BUNDLES "/bundle-a/availability?digest=" DIGEST), 504);
	/* One that is accepted, and says nothing. */
	scripted_outcome(&faced.embedded, WR_SOURCE_ACCEPTED, NULL, WR_NOTICE_INFO);
	faced.embedded.worker_count = 0;
	CHECK_U64(browser_get(BUNDLES "/bundle-a/availability?digest=" DIGEST), 502);
	CHECK_STRING(browser_at("code"), "\"malformed_answer\"");
	CHECK_U64(browser_post(BUNDLES, BUNDLE), 200);
	faced_close();
}

static void test_a_page_is_at_most_as_long_as_lists_may_be(void)
{
	static const struct {
		const char *query;
		uint64_t start, limit;
	} cases[] = {
		{"", 0, 100},
		{"?start=7", 7, 100},
		{"?limit=0", 0, 0},
		{"?limit=150", 0, 150},
		{"?limit=200", 0, 200},
		{"?limit=201", 0, 200},
		{"?limit=4294967297", 0, 200},
		{"?limit=18446744073709551615&start=3", 3, 200},
	};
	char target[128];

	faced_prepare();
	faced.config.list_limit = 100;
	faced_add(&faced.embedded, WR_SOURCE_EMBEDDED, "backend-internal");
	faced_begin();
	faced.embedded.entry_count = 2;
	faced.embedded.entry_bytes = 3;
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		snprintf(target, sizeof target, W "/transcript%s", cases[i].query);
		wr_test_case(target);
		CHECK_U64(browser_get(target), 200);
		CHECK_U64(faced.embedded.last.as.page.start, cases[i].start);
		CHECK_U64(faced.embedded.last.as.page.limit, cases[i].limit);
	}
	CHECK_STRING(browser_at("items"),
		     "[{\"sequence\":1,\"role\":\"user\",\"content\":\"xxx\",\"event_id\":3},"
		     "{\"sequence\":2,\"role\":\"user\",\"content\":\"xxx\",\"event_id\":4}]");
	faced_close();
}

static void test_outcomes_have_the_statuses_of_the_contract(void)
{
	static const struct {
		enum wr_source_outcome outcome;
		const char *code;
		enum wr_notice_severity severity;
		unsigned detail, operation;
		const char *told; /* code of the error of an operation, or its state */
	} cases[] = {
		{WR_SOURCE_ACCEPTED, NULL, WR_NOTICE_INFO, 200, 200, "\"accepted\""},
		{WR_SOURCE_REJECTED, "c", WR_NOTICE_WARNING, 502, 200, "\"rejected\""},
		{WR_SOURCE_UNSUPPORTED, "c", WR_NOTICE_INFO, 502, 200, "\"unsupported\""},
		{WR_SOURCE_UNKNOWN_WORKER, "remote_worker_not_found", WR_NOTICE_WARNING, 404, 404,
		 "\"unknown_worker\""},
		{WR_SOURCE_FAILED, "remote_runtime_auth_failed", WR_NOTICE_ERROR, 401, 401,
		 "\"remote_runtime_auth_failed\""},
		{WR_SOURCE_FAILED, "remote_runtime_timeout", WR_NOTICE_ERROR, 504, 504,
		 "\"remote_runtime_timeout\""},
		{WR_SOURCE_FAILED, "remote_runtime_network_error", WR_NOTICE_ERROR, 502, 502,
		 "\"remote_runtime_network_error\""},
		{WR_SOURCE_FAILED, NULL, WR_NOTICE_INFO, 502, 502, "\"runtime_failed\""},
	};

	faced_open();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		bool is_told = cases[i].operation == 200;

		wr_test_case(cases[i].told);
		scripted_outcome(&faced.embedded, cases[i].outcome, cases[i].code,
				 cases[i].severity);
		CHECK_U64(browser_get(W), cases[i].detail);
		CHECK_U64(browser_get(W "/transcript?start=4&limit=5"), cases[i].operation);
		CHECK_STRING(browser_at(is_told ? "state" : "code"), cases[i].told);
		if (is_told && cases[i].outcome != WR_SOURCE_ACCEPTED) {
			CHECK_STRING(browser_at("start"), "4");
			CHECK_STRING(browser_at("limit"), "5");
			CHECK_STRING(browser_at("items"), "[]");
			CHECK_STRING(browser_at("total_items"), "0");
		}
		CHECK_U64(browser_post(W "/stop", "{}"), cases[i].operation);
		CHECK_STRING(browser_at(is_told ? "state" : "code"), cases[i].told);
		CHECK_U64(browser_post(R "/workers", spawn_body), cases[i].operation);
		CHECK_U64(browser_get(R "/workers"), 200);
		CHECK((browser_at("items").data[1] == ']') ==
		      (cases[i].outcome != WR_SOURCE_ACCEPTED));
	}
	/* One that is accepted, and says nothing. */
	scripted_outcome(&faced.embedded, WR_SOURCE_ACCEPTED, NULL, WR_NOTICE_INFO);
	faced.embedded.worker_count = 0;
	CHECK_U64(browser_get(W), 502);
	CHECK_STRING(browser_at("code"), "\"malformed_answer\"");
	CHECK_U64(browser_post(R "/workers", spawn_body), 200);
	faced_close();
}

/* ---- who may ---- */

#define KEY(key) "Authorization: Bearer " key "\r\n"

static void test_keys_are_asked_for_under_api_only(void)
{
	static const struct asked cases[] = {
		{"GET", "/", NULL, NULL, 200, NULL},
		{"GET", "/console.js", NULL, NULL, 200, NULL},
		{"GET", "/healthz", NULL, NULL, 200, NULL},
		{"GET", "/favicon.ico", NULL, NULL, 404, "\"not_found\""},
		{"GET", "/api/runtimes", NULL, NULL, 401, "\"unauthorized\""},
		{"GET", "/api/workspace", NULL, NULL, 401, "\"unauthorized\""},
		{"GET", "/api/nothing", NULL, NULL, 401, "\"unauthorized\""},
		{"POST", "/api/tickets", NULL, NULL, 401, "\"unauthorized\""},
		{"POST", W "/stop", NULL, "{}", 401, "\"unauthorized\""},
		{"GET", W "/events/ws", UPGRADE, NULL, 401, "\"unauthorized\""},
		{"GET", "/api/runtimes", KEY("wrong-key-0123456789abcdef"), NULL, 401,
		 "\"unauthorized\""},
		{"GET", "/api/runtimes", "Authorization: Basic " WATCH_KEY "\r\n", NULL, 401,
		 "\"unauthorized\""},
		{"GET", "/api/runtimes?ticket=" WATCH_KEY, NULL, NULL, 401, "\"unauthorized\""},
		{"GET", "/api/runtimes", "Cookie: key=" WATCH_KEY "\r\n", NULL, 401,
		 "\"unauthorized\""},
		{"GET", "/api/runtimes", KEY(WATCH_KEY), NULL, 200, NULL},
		{"POST", "/api/tickets", KEY(WATCH_KEY), NULL, 201, NULL},
		{"GET", W "/events/ws", UPGRADE KEY(WATCH_KEY), NULL, 299, NULL},
		{"POST", W "/input", KEY(WATCH_KEY), "{\"content\":\"x\"}", 403, "\"forbidden\""},
		{"POST", W "/stop", KEY(WATCH_KEY), "{}", 403, "\"forbidden\""},
		{"POST", R "/workers", KEY(WATCH_KEY), spawn_body, 403, "\"forbidden\""},
		{"POST", W "/stop", KEY(ALL_KEY), "{}", 200, NULL},
	};

	faced_open();
	faced_with_keys();
	check_all(cases, WR_COUNT(cases));
	CHECK_U64(faced.embedded.begin_count, 1);
	CHECK_STRING(wr_view_of_string(faced.asked), "stop backend-internal/w-0 by `all`: ");
	browser_get("/api/runtimes");
	CHECK(browser_has_field("WWW-Authenticate: Bearer"));
	faced_close();
}

/* The port that the server got. */
static const char *with_port(const char *format)
{
	static char text[512];
	char address[WR_ADDRESS_TEXT_BYTES_MAX];
	size_t bytes = wr_address_format(address, wr_http_server_address(rig.server));
	const char *port = memchr(address, ':', bytes);
	unsigned long number;

	address[bytes] = '\0';
	number = strtoul(port + 1, NULL, 10);
	snprintf(text, sizeof text, "%.*s%lu%.*s%lu%s", (int)strcspn(format, "%"), format, number,
		 (int)strcspn(strchr(format, '%') + 1, "%"), strchr(format, '%') + 1, number,
		 strrchr(format, '%') + 1);
	return text;
}

static void test_only_our_own_pages_may_ask(void)
{
	/* `%` stands for our port. */
	static const struct {
		const char *fields;
		bool with_keys;
		unsigned status;
	} cases[] = {
		{"Host: localhost:%\r\nOrigin: http://localhost:%\r\n", false, 200},
		{"Host: LOCALHOST:%\r\nOrigin: http://localhost:%\r\n", false, 200},
		{"Host: 127.0.0.1:%\r\nOrigin: https://127.0.0.1:%\r\n", false, 200},
		{"Host: 127.0.0.1:%\r\nOrigin: http://localhost:%\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: http://localhost:%0\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: localhost:%\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: http://evil.example:%\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: http://localhost.evil:%\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: http://x@localhost:%\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: ftp://localhost:%\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: http://localhost:%/\r\n", false, 403},
		{"Host: localhost:%\r\nOrigin: null\r\nX: %\r\n", false, 403},
		/* A name that somebody made resolve to us: its pages are not ours. */
		{"Host: evil.example:%\r\nOrigin: http://evil.example:%\r\n", false, 403},
		{"Host: evil.example:%\r\nX: %\r\n", false, 403},
		/* With a key it gains nothing by that. */
		{"Host: evil.example:%\r\nOrigin: http://evil.example:%\r\n", true, 200},
		{"Host: good.example:%\r\nOrigin: http://evil.example:%\r\n", true, 403},
	};

	faced_open();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char fields[1024];

		wr_test_case(cases[i].fields);
		wr_tokens_truncate(&faced.tokens, 0);
		if (cases[i].with_keys)
			faced_with_keys();
		snprintf(fields, sizeof fields, "%s" KEY(ALL_KEY), with_port(cases[i].fields));
		CHECK_U64(browser_ask("GET", "/api/runtimes", fields, NULL), cases[i].status);
		CHECK_U64(browser_ask("GET", "/", fields, NULL), cases[i].status);
		CHECK(strstr(got.data, "Access-Control") == NULL);
	}
	/* Unless it is not wanted. */
	faced.guard.admits_same_origin = false;
	CHECK_U64(browser_ask("GET", "/",
			      with_port("Host: localhost:%\r\nOrigin: http://localhost:%\r\n"),
			      NULL),
		  403);
	CHECK_STRING(browser_at("code"), "\"forbidden_origin\"");
	faced_close();
}

/* Buys a ticket; the target of a stream with it. */
static const char *with_ticket(const char *key)
{
	static char target[256];
	char fields[128];
	struct wr_view ticket;

	snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n", key);
	CHECK_U64(browser_ask("POST", "/api/tickets", fields, NULL), 201);
	CHECK_STRING(browser_at("expires_in_ms"), "30000");
	CHECK(browser_has_field("Cache-Control: no-store"));
	ticket = browser_at("ticket");
	CHECK_U64(ticket.bytes, 24);
	snprintf(target, sizeof target, W "/events/ws?cursor=c&ticket=%.22s", ticket.data + 1);
	return target;
}

static void test_a_ticket_opens_one_stream(void)
{
	const char *target;

	faced_open();
	faced_with_keys();
	target = with_ticket(WATCH_KEY);
	CHECK_U64(browser_ask("GET", target, UPGRADE, NULL), 299);
	CHECK_STRING(wr_view_of_string(faced.embedded.cursor), "c");
	CHECK_STRING(wr_view_of_string(faced.embedded.worker_id), "w-0");
	CHECK_U64(browser_ask("GET", target, UPGRADE, NULL), 401);
	CHECK_U64(faced.embedded.observe_count, 1);
	/* Nothing else is opened by one, nor is it used up by trying. */
	target = with_ticket(ALL_KEY);
	{
		char other[256];

		snprintf(other, sizeof other, W "%s", strchr(target, '?'));
		CHECK_U64(browser_get(other), 401);
		snprintf(other, sizeof other, W "/stop%s", strchr(target, '?'));
		CHECK_U64(browser_post(other, "{}"), 401);
		snprintf(other, sizeof other, W "/events/ws?ticket=x&%s", strchr(target, '?') + 1);
		CHECK_U64(browser_ask("GET", other, UPGRADE, NULL), 401);
	}
	CHECK_U64(browser_ask("GET", target, UPGRADE, NULL), 299);
	/* With a key the ticket is not needed. */
	target = with_ticket(WATCH_KEY);
	CHECK_U64(browser_ask("GET", target, UPGRADE KEY(ALL_KEY), NULL), 299);
	CHECK_U64(browser_ask("GET", target, UPGRADE, NULL), 299);
	/* When keys change the tickets are void. */
	target = with_ticket(WATCH_KEY);
	wr_browser_face_void_tickets(faced.face);
	CHECK_U64(browser_ask("GET", target, UPGRADE, NULL), 401);
	faced_close();
}

static void test_a_stream_begins_with_an_upgrade(void)
{
	static const struct asked cases[] = {
		{"GET", W "/events/ws", NULL, NULL, 426, "\"upgrade_required\""},
		{"GET", W "/events/ws", "Connection: Upgrade, close\r\nUpgrade: h2c\r\n", NULL, 426,
		 "\"upgrade_required\""},
		{"GET", W "/events/ws",
		 "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
		 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
		 NULL, 426, "\"upgrade_required\""},
		{"GET", W "/events/ws",
		 "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: AAAA\r\n",
		 NULL, 400, "\"bad_request\""},
		/* Before the ids and the source (8.11). */
		{"GET", "/api/runtimes/nope/workers/a~b/events/ws", NULL, NULL, 426,
		 "\"upgrade_required\""},
		{"GET", W "/events/ws?cursor=a&cursor=b", UPGRADE, NULL, 400, "\"invalid_query\""},
		{"GET", W "/events/ws?cursor=%ff", UPGRADE, NULL, 400, "\"invalid_query\""},
	};

	faced_open();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		unsigned status = browser_ask("GET", cases[i].target, cases[i].fields, NULL);

		wr_test_case(cases[i].target);
		CHECK_U64(status, cases[i].status);
		CHECK_STRING(browser_at("code"), cases[i].code);
		if (cases[i].status == 426)
			CHECK(browser_has_field("Sec-WebSocket-Version: 13") &&
			      browser_has_field("Upgrade: websocket"));
	}
	CHECK_U64(faced.embedded.observe_count, 0);
	faced_close();
}

static void test_the_policy_may_deny_a_command(void)
{
	faced_open();
	faced.verdict = WR_POLICY_DENY;
	CHECK_U64(browser_post(W "/input", "{\"content\":\"x\"}"), 403);
	CHECK_STRING(browser_at("code"), "\"denied_by_policy\"");
	CHECK_U64(browser_post(W "/stop", "{}"), 403);
	CHECK_U64(browser_post(R "/workers", spawn_body), 403);
	CHECK_U64(faced.policy_count, 3);
	CHECK_U64(faced.embedded.begin_count, 0);
	/* Reading is no command. */
	CHECK_U64(browser_get(W), 200);
	CHECK_U64(faced.policy_count, 3);
	faced.policy.on_command = NULL;
	CHECK_U64(browser_post(W "/stop", "{}"), 200);
	faced_close();
}

/* ---- Idempotency-Key ---- */

static void key_of(char out[64], const char *target, const char *key, const char *bearer)
{
	char fields[256];

	snprintf(fields, sizeof fields, "Idempotency-Key: %s\r\nAuthorization: Bearer %s\r\n", key,
		 bearer);
	CHECK_U64(browser_ask("POST", target, fields, "{}"), 200);
	CHECK_U64(strlen(faced.embedded.key), 51);
	memcpy(out, faced.embedded.key, 52);
}

static void test_keys_of_different_callers_and_commands_differ(void)
{
	char first[64], other[64];

	faced_open();
	faced_with_keys();
	key_of(first, W "/stop", "k", ALL_KEY);
	CHECK(strncmp(first, "browser-", 8) == 0);
	key_of(other, W "/stop", "k", ALL_KEY);
	CHECK_STRING(wr_view_of_string(other), first);
	key_of(other, W "/stop?x=1", "k", ALL_KEY);
	CHECK_STRING(wr_view_of_string(other), first);
	key_of(other, W "/stop", "k", OTHER_KEY);
	CHECK(strcmp(first, other) != 0);
	key_of(other, W "/stop", "l", ALL_KEY);
	CHECK(strcmp(first, other) != 0);
	key_of(other, W "/cancel", "k", ALL_KEY);
	CHECK(strcmp(first, other) != 0);
	key_of(other, R "/workers/w-1/stop", "k", ALL_KEY);
	CHECK(strcmp(first, other) != 0);
	faced_close();
}

/* ---- the rest ---- */

static void test_the_console_is_fenced_in(void)
{
	static const char *const fields[] = {
		"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
		"connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"X-Content-Type-Options: nosniff",
		"Referrer-Policy: no-referrer",
		"Cache-Control: no-cache",
	};

	faced_open();
	for (size_t n = 0; n < WR_COUNT(faced_files); n++) {
		CHECK_U64(browser_get(faced_files[n].path), 200);
		CHECK_VIEW(browser_body(), wr_view_of(faced_files[n].data, faced_files[n].bytes));
		CHECK(strstr(got.data, faced_files[n].content_type) != NULL);
		for (size_t i = 0; i < WR_COUNT(fields); i++)
			CHECK(browser_has_field(fields[i]));
	}
	CHECK_U64(browser_ask("HEAD", "/", NULL, NULL), 200);
	CHECK_U64(browser_body().bytes, 0);
	faced_close();
}

static void test_what_the_browser_has_is_not_sent_again(void)
{
	static const struct {
		const char *label, *fields;
		unsigned status;
	} cases[] = {
		{"the same", "If-None-Match: \"2-3\"\r\n", 304},
		{"one of several", "If-None-Match: \"0-0\" ,\"2-3\"\r\n", 304},
		{"any", "If-None-Match: *\r\n", 304},
		{"another", "If-None-Match: \"1-3\"\r\n", 200},
		{"longer", "If-None-Match: \"2-33\"\r\n", 200},
		{"without quotes", "If-None-Match: 2-3\r\n", 200},
		{"none", "If-None-Match:\r\n", 200},
	};

	faced_open();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK_U64(browser_ask("GET", "/console.css", cases[i].fields, NULL),
			  cases[i].status);
		CHECK(browser_has_field("ETag: \"2-3\"") &&
		      browser_has_field("Cache-Control: no-cache"));
		CHECK_U64(browser_body().bytes, cases[i].status == 304 ? 0 : 3);
	}
	faced_close();
}

static void test_sources_are_told_in_their_order(void)
{
	faced_open();
	wr_notices_add(&faced.remote.overview.notices, "one", WR_NOTICE_WARNING, "m");
	wr_notices_add(&faced.remote.overview.host_notices, "two", WR_NOTICE_INFO, "m");
	CHECK_U64(browser_get("/api/runtimes"), 200);
	CHECK(strstr(got.data, "\"local-worker-runtime\"") < strstr(got.data, "backend-internal"));
	CHECK(strstr(got.data, "backend-internal") < strstr(got.data, "remote:build-box"));
	CHECK_STRING(browser_at("diagnostics"),
		     "[{\"code\":\"one\",\"severity\":\"warning\",\"message\":\"m\"}]");
	CHECK_STRING(browser_at("workspace_id"), "\"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01\"");
	CHECK_U64(browser_get("/api/hosts"), 200);
	CHECK_STRING(browser_at("diagnostics"),
		     "[{\"code\":\"two\",\"severity\":\"info\",\"message\":\"m\"}]");
	CHECK_U64(browser_get(R), 200);
	CHECK_STRING(browser_at("runtime_id"), "\"backend-internal\"");
	CHECK_U64(browser_get("/api/workspace"), 200);
	CHECK_STRING(browser_at("auth.LocalDevToken.token_configured"), "false");
	CHECK_STRING(browser_at("extension_points.event_stream.status"), "\"available\"");
	faced_close();
}

static void test_a_face_that_drains_reads_only(void)
{
	static const struct asked cases[] = {
		{"GET", "/healthz", NULL, NULL, 200, NULL},
		{"GET", "/readyz", NULL, NULL, 503, "\"runtime_unavailable\""},
		{"POST", W "/stop", NULL, "{}", 503, "\"runtime_unavailable\""},
		{"POST", R "/workers", NULL, spawn_body, 503, "\"runtime_unavailable\""},
		{"GET", W "/events/ws", UPGRADE, NULL, 503, "\"runtime_unavailable\""},
		{"GET", "/api/workers", NULL, NULL, 200, NULL},
		{"GET", W, NULL, NULL, 200, NULL},
	};

	faced_open();
	wr_browser_face_set(faced.face, WR_BROWSER_DRAINING);
	check_all(cases, WR_COUNT(cases));
	browser_post(W "/stop", "{}");
	CHECK(browser_has_field("Retry-After: 1"));
	wr_browser_face_set(faced.face, WR_BROWSER_FAILED);
	CHECK_U64(browser_get("/readyz"), 503);
	CHECK_U64(browser_post(W "/stop", "{}"), 200);
	wr_browser_face_set(faced.face, WR_BROWSER_SERVING);
	CHECK_U64(browser_get("/readyz"), 200);
	faced_close();
}

static void test_faults_of_http_are_told_in_the_same_form(void)
{
	int fd;

	faced_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
	CHECK_U64(browser_receive(fd), 400);
	CHECK_STRING(browser_at("error"), "\"Bad Request\"");
	CHECK_STRING(browser_at("code"), "\"bad_request\"");
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET / HTTP/2.0\r\nHost: a\r\n\r\n"));
	CHECK_U64(browser_receive(fd), 505);
	CHECK_STRING(browser_at("code"), "\"http_version_not_supported\"");
	faced_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_route_is_served),
	WR_TEST(test_what_is_not_there_is_refused),
	WR_TEST(test_ids_are_checked_before_anything_is_asked),
	WR_TEST(test_bodies_are_checked_before_anything_is_asked),
	WR_TEST(test_commands_say_what_was_asked_for),
	WR_TEST(test_bundles_are_told_with_state_and_diagnostics),
	WR_TEST(test_a_page_is_at_most_as_long_as_lists_may_be),
	WR_TEST(test_outcomes_have_the_statuses_of_the_contract),
	WR_TEST(test_keys_are_asked_for_under_api_only),
	WR_TEST(test_only_our_own_pages_may_ask),
	WR_TEST(test_a_ticket_opens_one_stream),
	WR_TEST(test_a_stream_begins_with_an_upgrade),
	WR_TEST(test_the_policy_may_deny_a_command),
	WR_TEST(test_keys_of_different_callers_and_commands_differ),
	WR_TEST(test_the_console_is_fenced_in),
	WR_TEST(test_what_the_browser_has_is_not_sent_again),
	WR_TEST(test_sources_are_told_in_their_order),
	WR_TEST(test_a_face_that_drains_reads_only),
	WR_TEST(test_faults_of_http_are_told_in_the_same_form),
	WR_TEST_END,
};
