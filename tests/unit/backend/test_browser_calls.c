/* Goal: whatever sources do, and whenever, every request is answered once, nobody waits for what he
 * did not ask for, and nothing is called that is gone. Method: sources whose calls end when the
 * test says so. */
#include "unit/backend/browser_rig.h"

#define R "/api/runtimes/backend-internal"
#define W R "/workers/w-0"
#define REMOTE "/api/runtimes/remote:build-box"

static uint32_t waiting(void)
{
	return wr_browser_face_waiting_count(faced.face);
}

/* Whose Workers a list has, in its order: "local-worker-runtime/w-0 ...". */
static const char *items_of(struct wr_view body)
{
	static char text[65536];
	struct wr_json_reader reader;
	struct wr_view item;
	size_t bytes = 0;

	text[0] = '\0';
	wr_json_reader_init(&reader, json_at(body, "items"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	while (json_element(&reader, &item)) {
		struct wr_view runtime = json_at(item, "runtime_id");
		struct wr_view worker = json_at(item, "worker_id");

		bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s%.*s/%.*s",
					  bytes == 0 ? "" : " ", (int)runtime.bytes - 2,
					  runtime.data + 1, (int)worker.bytes - 2, worker.data + 1);
	}
	return text;
}

static void test_a_list_is_in_the_order_of_sources(void)
{
	/* In whatever order they end. */
	static const unsigned char orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
						  {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct scripted *sources[] = {&faced.local, &faced.embedded, &faced.remote};

	faced_open();
	for (size_t i = 0; i < 3; i++)
		sources[i]->is_slow = true;
	faced.remote.worker_count = 2;
	for (unsigned i = 0; i < WR_COUNT(orders); i++) {
		int fd = browser_send("GET", "/api/workers", NULL, NULL);

		turn_until_begun(&faced.remote, i + 1);
		for (unsigned n = 0; n < 3; n++) {
			CHECK_U64(waiting(), 1);
			scripted_end(sources[orders[i][n]]);
		}
		CHECK_U64(waiting(), 0);
		CHECK_U64(browser_receive(fd), 200);
		CHECK_STRING(wr_view_of_string(items_of(browser_body())),
			     "local-worker-runtime/w-0 backend-internal/w-0 "
			     "remote:build-box/w-0 remote:build-box/w-1");
	}
	CHECK_U64(faced.local.last.as.list.limit, 200);
	CHECK_U64(faced.local.last.as.list.ms_max, 2000);
	faced_close();
}

static void test_a_list_is_cut_at_its_limit(void)
{
	faced_prepare();
	faced.config.list_limit = 5;
	faced_add(&faced.local, WR_SOURCE_LOCAL, "a");
	faced_add(&faced.embedded, WR_SOURCE_EMBEDDED, "b");
	faced_add(&faced.remote, WR_SOURCE_REMOTE, "c");
	faced_begin();
	faced.local.worker_count = 3;
	faced.embedded.worker_count = 4;
	CHECK_U64(browser_get("/api/workers"), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())), "a/w-0 a/w-1 a/w-2 b/w-0 b/w-1");
	CHECK_STRING(browser_at("limit"), "5");
	/* A source that gives more than it was asked for. */
	faced.embedded.worker_count = 9;
	CHECK_U64(browser_get("/api/runtimes/b/workers"), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())), "b/w-0 b/w-1 b/w-2 b/w-3 b/w-4");
	faced_close();
}

static void test_a_source_that_fails_gives_its_notices_only(void)
{
	faced_open();
	scripted_outcome(&faced.local, WR_SOURCE_FAILED, "l", WR_NOTICE_ERROR);
	scripted_outcome(&faced.remote, WR_SOURCE_UNSUPPORTED, "r", WR_NOTICE_INFO);
	wr_notices_add(&faced.embedded.result.notices, "e", WR_NOTICE_WARNING, "m");
	CHECK_U64(browser_get("/api/workers"), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())), "backend-internal/w-0");
	CHECK_STRING(browser_at("diagnostics"),
		     "[{\"code\":\"l\",\"severity\":\"error\",\"message\":\"a notice\"},"
		     "{\"code\":\"e\",\"severity\":\"warning\",\"message\":\"m\"},"
		     "{\"code\":\"r\",\"severity\":\"info\",\"message\":\"a notice\"}]");
	CHECK_U64(browser_get("/api/hosts/host-local-worker-runtime/workers"), 200);
	CHECK_STRING(browser_at("items"), "[]");
	CHECK_U64(faced.embedded.begin_count, 1);
	faced_close();
}

static unsigned count_of(const char *text)
{
	unsigned count = 0;

	for (const char *at = strstr(got.data, text); at != NULL; at = strstr(at + 1, text))
		count++;
	return count;
}

static void test_notices_are_cut_at_sixteen(void)
{
	faced_open();
	for (unsigned i = 0; i < 10; i++) {
		wr_notices_add(&faced.local.result.notices, "many", WR_NOTICE_INFO, "m");
		wr_notices_add(&faced.remote.result.notices, "more", WR_NOTICE_INFO, "m");
	}
	CHECK_U64(browser_get("/api/workers"), 200);
	CHECK_U64(count_of("\"many\""), 10);
	CHECK_U64(count_of("\"more\""), 6);
	faced_close();
}

static void test_without_sources_lists_are_empty(void)
{
	faced_prepare();
	faced_begin();
	CHECK_U64(browser_get("/api/workers"), 200);
	CHECK_STRING(browser_at("items"), "[]");
	CHECK_U64(browser_get("/api/runtimes"), 200);
	CHECK_STRING(browser_at("items"), "[]");
	CHECK_U64(browser_get("/api/workspace"), 200);
	CHECK_STRING(browser_at("extension_points.event_stream.status"), "\"unavailable\"");
	faced_close();
}

static void test_a_slow_source_holds_up_nobody_else(void)
{
	int list, detail;

	faced_open();
	faced.remote.is_slow = true;
	list = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	detail = browser_send("GET", REMOTE "/workers/w-0", NULL, NULL);
	turn_until_begun(&faced.remote, 2);
	CHECK_U64(waiting(), 2);
	CHECK_U64(browser_get("/api/runtimes"), 200);
	CHECK_U64(browser_get("/api/hosts"), 200);
	CHECK_U64(browser_get("/api/workspace"), 200);
	CHECK_U64(browser_get(W), 200);
	CHECK_U64(browser_get(R "/workers"), 200);
	CHECK_U64(browser_post(W "/input", "{\"content\":\"x\"}"), 200);
	CHECK_U64(browser_get("/"), 200);
	CHECK_U64(waiting(), 2);
	scripted_end(&faced.remote);
	CHECK_U64(browser_receive(list), 200);
	scripted_end(&faced.remote);
	CHECK_U64(browser_receive(detail), 200);
	faced_close();
}

static void test_answers_of_a_connection_keep_their_order(void)
{
	int fd;

	faced_open();
	faced.remote.is_slow = true;
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET " REMOTE "/workers/w-0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
			     "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
			     "Connection: close\r\n\r\n"));
	turn_until_begun(&faced.remote, 1);
	for (unsigned i = 0; i < 5; i++)
		rig_turn();
	CHECK(!rig_receive(fd));
	scripted_end(&faced.remote);
	CHECK_U64(browser_receive(fd), 200);
	CHECK(strstr(got.data, "scripted") < strstr(got.data, "{\"status\":\"ok\"}"));
	faced_close();
}

static void test_what_was_asked_is_kept_for_as_long_as_the_call(void)
{
	static const char fields[] = "Idempotency-Key: k\r\n";
	static char other[4096];
	const struct wr_source_call *input, *stop, *spawn;
	char key[64];
	int fds[3];

	faced_open();
	faced.embedded.is_slow = true;
	fds[0] = browser_send("POST", W "/input", fields, "{\"content\":\"a\\u0062c\"}");
	turn_until_begun(&faced.embedded, 1);
	memcpy(key, faced.embedded.key, sizeof key);
	fds[1] = browser_send("POST", R "/workers/w-1/stop", NULL, "{\"reason\":\"\"}");
	turn_until_begun(&faced.embedded, 2);
	fds[2] = browser_send("POST", R "/workers", NULL,
			      "{\"intent\":{\"kind\":\"ticket_role\",\"role\":\"coder\","
			      "\"ticket_id\":\"T-1\"},\"requested_worker_name\":\"n\","
			      "\"acceptance\":{\"kind\":\"socket_ready\"}}");
	turn_until_begun(&faced.embedded, 3);
	/* Bytes of another request are where those were. */
	memset(other, 'z', sizeof other - 1);
	memcpy(other, "{\"content\":\"\\n", 14);
	memcpy(other + sizeof other - 3, "\"}", 2);
	CHECK_U64(browser_post(REMOTE "/workers/other/input", other), 200);
	input = faced.embedded.calls[0];
	stop = faced.embedded.calls[1];
	spawn = faced.embedded.calls[2];
	CHECK_VIEW(input->as.input.content, WR_VIEW("abc"));
	CHECK_VIEW(input->worker_id, WR_VIEW("w-0"));
	CHECK_STRING(input->idempotency_key, key);
	CHECK_VIEW(stop->worker_id, WR_VIEW("w-1"));
	CHECK(stop->as.reason.data != NULL && stop->as.reason.bytes == 0);
	CHECK(stop->idempotency_key.data == NULL);
	CHECK_VIEW(spawn->as.spawn.ticket_id, WR_VIEW("T-1"));
	CHECK_VIEW(spawn->as.spawn.role, WR_VIEW("coder"));
	CHECK_VIEW(spawn->as.spawn.requested_name, WR_VIEW("n"));
	CHECK(spawn->worker_id.data == NULL);
	for (unsigned i = 0; i < 3; i++) {
		scripted_end(&faced.embedded);
		CHECK_U64(browser_receive(fds[i]), 200);
	}
	faced_close();
}

/* With a RST: after a FIN a browser may still read. */
static void reset(int fd)
{
	struct linger linger = {1, 0};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(fd);
}

static void test_calls_of_a_browser_that_went_away_are_cancelled(void)
{
	int fd;

	faced_open();
	faced.embedded.is_slow = faced.remote.is_slow = true;
	fd = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	/* What has ended is not cancelled any more. */
	scripted_end(&faced.embedded);
	reset(fd);
	while (waiting() != 0)
		rig_turn();
	CHECK_U64(faced.local.cancel_count, 0);
	CHECK_U64(faced.embedded.cancel_count, 0);
	CHECK_U64(faced.remote.cancel_count, 1);
	fd = browser_send("POST", W "/input", NULL, "{\"content\":\"abc\"}");
	turn_until_begun(&faced.embedded, 2);
	reset(fd);
	while (waiting() != 0)
		rig_turn();
	CHECK_U64(faced.embedded.cancel_count, 1);
	CHECK_U64(browser_get("/healthz"), 200);
	faced_close();
}

static void test_an_answer_to_a_browser_that_left_quietly_harms_nobody(void)
{
	int fd;

	faced_open();
	faced.embedded.is_slow = true;
	fd = browser_send("GET", W, NULL, NULL);
	turn_until_begun(&faced.embedded, 1);
	close(fd);
	for (unsigned i = 0; i < 5; i++)
		rig_turn();
	scripted_end(&faced.embedded);
	CHECK_U64(waiting(), 0);
	CHECK_U64(browser_get("/healthz"), 200);
	faced_close();
}

static void test_calls_are_cancelled_when_the_server_ends(void)
{
	int fd;

	faced_open();
	faced.embedded.is_slow = faced.remote.is_slow = true;
	fd = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	faced_close();
	CHECK_U64(faced.embedded.cancel_count, 1);
	CHECK_U64(faced.remote.cancel_count, 1);
	close(fd);
}

static void test_too_many_that_wait_are_refused(void)
{
	int fds[3];

	faced_prepare();
	faced.config.waiting_count_max = 3;
	faced_add(&faced.embedded, WR_SOURCE_EMBEDDED, "backend-internal");
	faced_begin();
	faced.embedded.is_slow = true;
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = browser_send("GET", W, NULL, NULL);
		turn_until_begun(&faced.embedded, i + 1);
	}
	CHECK_U64(browser_get(W), 503);
	CHECK_STRING(browser_at("code"), "\"overloaded\"");
	CHECK(browser_has_field("Retry-After: 1"));
	CHECK_U64(browser_get("/api/workers"), 503);
	CHECK_U64(browser_post(W "/stop", "{}"), 503);
	CHECK_U64(browser_get("/api/runtimes"), 200);
	CHECK_U64(faced.embedded.begin_count, 3);
	scripted_end(&faced.embedded);
	CHECK_U64(browser_receive(fds[0]), 200);
	faced.embedded.is_slow = false;
	CHECK_U64(browser_get(W), 200);
	faced.embedded.is_slow = true;
	for (unsigned i = 1; i < 3; i++) {
		scripted_end(&faced.embedded);
		CHECK_U64(browser_receive(fds[i]), 200);
	}
	faced_close();
}

static void test_what_waits_may_not_take_all_memory(void)
{
	static char body[400000];
	int fd;

	memset(body, 'x', sizeof body - 1);
	memcpy(body, "{\"content\":\"", 12);
	memcpy(body + sizeof body - 3, "\"}", 2);
	faced_prepare();
	faced.config.waiting_bytes_max = 600000;
	faced_add(&faced.embedded, WR_SOURCE_EMBEDDED, "backend-internal");
	faced_begin();
	faced.embedded.is_slow = true;
	fd = browser_send("POST", W "/input", NULL, body);
	turn_until_begun(&faced.embedded, 1);
	CHECK_U64(browser_post(W "/input", body), 503);
	CHECK_STRING(browser_at("code"), "\"overloaded\"");
	scripted_end(&faced.embedded);
	CHECK_U64(browser_receive(fd), 200);
	/* An answer in the making counts, too. */
	faced.embedded.is_slow = false;
	faced.embedded.entry_count = 2;
	faced.embedded.entry_bytes = 500000;
	CHECK_U64(browser_get(W "/transcript"), 503);
	faced.embedded.worker_count = 200;
	faced.embedded.label_bytes = 4000;
	CHECK_U64(browser_get(R "/workers"), 200);
	CHECK_STRING(browser_at("items"), "[]");
	CHECK(strstr(got.data, "runtime_list_too_large") != NULL);
	faced_close();
}

static void test_answers_have_a_size(void)
{
	faced_open();
	/* Of a source that says too much the others do not suffer. */
	faced.embedded.worker_count = 200;
	faced.embedded.label_bytes = 6000;
	CHECK_U64(browser_get("/api/workers"), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())),
		     "local-worker-runtime/w-0 remote:build-box/w-0");
	CHECK(strstr(got.data, "runtime_list_too_large") != NULL);
	faced.embedded.entry_count = 1;
	faced.embedded.entry_bytes = 8 << 20;
	CHECK_U64(browser_get(W "/transcript"), 502);
	CHECK_STRING(browser_at("code"), "\"answer_too_large\"");
	faced_close();
}

/* ---- sources that go ---- */

static void test_a_removed_source_leaves_nobody_waiting(void)
{
	int list, stop, other;

	faced_open();
	faced.local.is_slow = faced.remote.is_slow = faced.embedded.is_slow = true;
	list = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	stop = browser_send("POST", REMOTE "/workers/w-0/stop", NULL, "{\"reason\":\"r\"}");
	turn_until_begun(&faced.remote, 2);
	other = browser_send("GET", W, NULL, NULL);
	turn_until_begun(&faced.embedded, 2);
	wr_registry_remove(&faced.registry, &faced.remote.handle);
	CHECK_U64(faced.remote.freed_as, 1);
	CHECK_U64(waiting(), 2);
	CHECK_U64(browser_receive(stop), 503);
	CHECK_STRING(browser_at("code"), "\"runtime_removed\"");
	/* The list waits for the others. */
	scripted_end(&faced.local);
	scripted_end(&faced.embedded);
	CHECK_U64(browser_receive(list), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())),
		     "local-worker-runtime/w-0 backend-internal/w-0");
	CHECK(strstr(got.data, "runtime_removed") != NULL);
	scripted_end(&faced.embedded);
	CHECK_U64(browser_receive(other), 200);
	CHECK_U64(browser_get(REMOTE), 404);
	faced_close();
}

static void test_a_list_may_end_with_the_removal_of_its_last_source(void)
{
	int first, second;

	faced_open();
	faced.remote.is_slow = true;
	first = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	second = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 2);
	wr_registry_remove(&faced.registry, &faced.remote.handle);
	CHECK_U64(waiting(), 0);
	CHECK_U64(browser_receive(first), 200);
	CHECK_U64(browser_receive(second), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())),
		     "local-worker-runtime/w-0 backend-internal/w-0");
	faced_close();
}

static void test_when_all_sources_end_first_everybody_is_answered(void)
{
	int list, detail;

	faced_open();
	faced.embedded.is_slow = faced.remote.is_slow = true;
	list = browser_send("GET", "/api/workers", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	detail = browser_send("GET", W, NULL, NULL);
	turn_until_begun(&faced.embedded, 2);
	wr_registry_deinit(&faced.registry);
	CHECK_U64(waiting(), 0);
	CHECK_U64(browser_receive(detail), 503);
	CHECK_U64(browser_receive(list), 200);
	CHECK_STRING(wr_view_of_string(items_of(browser_body())), "local-worker-runtime/w-0");
	CHECK_U64(browser_get("/api/workers"), 200);
	faced_close();
}

static void test_a_replaced_source_is_the_new_one_at_once(void)
{
	struct scripted fresh;
	int fd;

	faced_open();
	faced.remote.is_slow = true;
	scripted_init(&fresh, WR_SOURCE_REMOTE, "remote:build-box");
	fd = browser_send("GET", REMOTE "/workers/w-0", NULL, NULL);
	turn_until_begun(&faced.remote, 1);
	CHECK_STATUS(wr_registry_replace(&faced.registry, &faced.remote.handle, &fresh.handle),
		     WR_OK);
	CHECK_U64(browser_receive(fd), 503);
	CHECK_U64(browser_get(REMOTE "/workers/w-0"), 200);
	CHECK_U64(fresh.begin_count, 1);
	faced_close();
}

static void test_a_source_may_go_while_a_body_comes(void)
{
	int fd;

	faced_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("POST " REMOTE "/workers/w-0/stop HTTP/1.1\r\nHost: localhost\r\n"
			     "Content-Type: application/json\r\nContent-Length: 2\r\n"
			     "Connection: close\r\n\r\n{"));
	while (wr_http_server_connection_count(rig.server) == 0)
		rig_turn();
	for (unsigned i = 0; i < 5; i++)
		rig_turn();
	wr_registry_remove(&faced.registry, &faced.remote.handle);
	rig_send(fd, WR_VIEW("}"));
	CHECK_U64(browser_receive(fd), 404);
	CHECK_STRING(browser_at("code"), "\"unknown_runtime\"");
	CHECK_U64(faced.remote.begin_count, 0);
	faced_close();
}

/* ---- what may not leave yet ---- */

static void test_an_answer_waits_until_what_it_tells_is_visible(void)
{
	int fd;

	faced_open();
	faced.embedded.result.hold_until = 7;
	fd = browser_send("POST", W "/input", NULL, "{\"content\":\"x\"}");
	turn_until_begun(&faced.embedded, 1);
	for (unsigned i = 0; i < 5; i++)
		rig_turn();
	CHECK(!rig_receive(fd));
	wr_http_server_release_held(rig.server, 6);
	rig_turn();
	CHECK(!rig_receive(fd));
	wr_http_server_release_held(rig.server, 7);
	CHECK_U64(browser_receive(fd), 200);
	/* Refusals, too: they were decided by what may still be lost. */
	faced.embedded.result.hold_until = 9;
	scripted_outcome(&faced.embedded, WR_SOURCE_UNKNOWN_WORKER, NULL, WR_NOTICE_INFO);
	fd = browser_send("GET", W, NULL, NULL);
	turn_until_begun(&faced.embedded, 2);
	rig_turn();
	CHECK(!rig_receive(fd));
	wr_http_server_release_held(rig.server, 9);
	CHECK_U64(browser_receive(fd), 404);
	faced_close();
}

/* ---- memory ---- */

static void test_lack_of_memory_is_an_answer(void)
{
	static const char *const targets[] = {"/api/workers", W, W "/transcript", "/api/runtimes"};

	faced_open();
	faced.embedded.entry_count = 3;
	faced.embedded.entry_bytes = 3000;
	for (unsigned i = 0; i < WR_COUNT(targets); i++) {
		bool has_failed = true;

		for (unsigned n = 1; has_failed; n++) {
			unsigned status;

			CHECK(n < 100);
			wr_test_fail_allocation(n, false);
			status = browser_get(targets[i]);
			has_failed = wr_test_allocation_failed();
			wr_test_fail_allocation(0, false);
			CHECK(status == 503 || status == 200);
			CHECK(has_failed || status == 200);
			CHECK_U64(waiting(), 0);
		}
	}
	CHECK_U64(browser_get("/api/workers"), 200);
	faced_close();
}

static void test_a_face_that_cannot_be_made_leaves_nothing(void)
{
	struct wr_browser_face *face;

	faced_prepare();
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_browser_face_new(&face, wr_test_allocator(), &faced.config), WR_NO_MEMORY);
	CHECK(faced.registry.on_remove == NULL);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_list_is_in_the_order_of_sources),
	WR_TEST(test_a_list_is_cut_at_its_limit),
	WR_TEST(test_a_source_that_fails_gives_its_notices_only),
	WR_TEST(test_notices_are_cut_at_sixteen),
	WR_TEST(test_without_sources_lists_are_empty),
	WR_TEST(test_a_slow_source_holds_up_nobody_else),
	WR_TEST(test_answers_of_a_connection_keep_their_order),
	WR_TEST(test_what_was_asked_is_kept_for_as_long_as_the_call),
	WR_TEST(test_calls_of_a_browser_that_went_away_are_cancelled),
	WR_TEST(test_an_answer_to_a_browser_that_left_quietly_harms_nobody),
	WR_TEST(test_calls_are_cancelled_when_the_server_ends),
	WR_TEST(test_too_many_that_wait_are_refused),
	WR_TEST(test_what_waits_may_not_take_all_memory),
	WR_TEST(test_answers_have_a_size),
	WR_TEST(test_a_removed_source_leaves_nobody_waiting),
	WR_TEST(test_a_list_may_end_with_the_removal_of_its_last_source),
	WR_TEST(test_when_all_sources_end_first_everybody_is_answered),
	WR_TEST(test_a_replaced_source_is_the_new_one_at_once),
	WR_TEST(test_a_source_may_go_while_a_body_comes),
	WR_TEST(test_an_answer_waits_until_what_it_tells_is_visible),
	WR_TEST(test_lack_of_memory_is_an_answer),
	WR_TEST(test_a_face_that_cannot_be_made_leaves_nothing),
	WR_TEST_END,
};
