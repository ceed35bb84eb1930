/* Goal: readers that do not read cost only themselves. A slow one gets every frame whole and in
 * order until retention overtakes it, then the typed reason and Close 1013; a thousand that stall
 * while 100 MB flow take no memory beyond their structs, and the healthy one misses nothing.
 * Method: the real process, small receive buffers, sequences checked frame by frame. */
#include "check.h"
#include "harness/client.h"
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	SMALL_BUFFER = 4096,
	STALLED = 1000,
	FLOW_BYTES = 100 * 1000 * 1000,
	CONTENT_BYTES = 100 * 1000
};

static struct wr_process server;

static void open_worker_stream(struct wr_test_ws *stream, const char *id, const char *query,
			       int receive_bytes)
{
	char target[256];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws%s", id, query);
	CHECK_U64(wr_test_ws_open_with(stream, &server, NULL, target, NULL, receive_bytes), 101);
}

/* One input of that many bytes. */
static void feed(struct wr_client *client, const char *id, size_t bytes)
{
	static char body[CONTENT_BYTES + 64];
	struct wr_answer answer;
	size_t at = (size_t)snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"");

	memset(body + at, 'x', bytes);
	memcpy(body + at + bytes, "\"}", 3);
	wr_client_post(client, &answer, body, "/v1/workers/%s/input", id);
	CHECK_U64(answer.status, 200);
}

static void test_a_slow_reader_gets_whole_frames_and_then_the_reason(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_ws_news news;
	char id[WR_CLIENT_ID_BYTES], oldest[64] = "", query[128];
	uint64_t last = 0, frames = 0;

	wr_process_start(&server, WR_ARGUMENTS("--worker-retention-bytes", "262144"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	open_worker_stream(&stream, id, "", SMALL_BUFFER);
	wr_test_ws_message(&stream);
	for (unsigned i = 0; i < 400; i++) /* far more than sockets and retention hold */
		feed(&client, id, 30000);
	for (;;) {
		wr_test_ws_next(&stream, &news, WR_CLIENT_WAIT_MS);
		CHECK(news.kind == WR_WS_NEWS_MESSAGE);
		if (wr_view_equal(wr_json_find(news.data, "kind"), WR_VIEW("diagnostic")))
			break;
		CHECK(last == 0 || wr_json_find_u64(news.data, "envelope.sequence") == last + 1);
		last = wr_json_find_u64(news.data, "envelope.sequence");
		CHECK_U64(wr_json_find(news.data, "envelope.payload.data.segments.0.content").bytes,
			  30000);
		frames++;
	}
	CHECK(frames > 0);
	CHECK_STRING(wr_json_find(news.data, "diagnostic.code"), "runtime.cursor_expired");
	wr_json_copy(oldest, sizeof oldest, news.data, "diagnostic.detail.oldest_cursor");
	wr_test_ws_expect_close(&stream, 1013);
	wr_test_ws_close(&stream);
	/* The cursor that it was told is good. */
	snprintf(query, sizeof query, "?cursor=%s", oldest);
	open_worker_stream(&stream, id, query, 0);
	wr_test_ws_next(&stream, &news, WR_CLIENT_WAIT_MS);
	CHECK(news.kind == WR_WS_NEWS_MESSAGE);
	CHECK_STRING(wr_json_find(news.data, "kind"), "event");
	CHECK(wr_json_find_u64(news.data, "envelope.sequence") > last + 1);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_a_slow_reader_of_the_runtime_wide_stream_likewise(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_ws_news news;
	char id[WR_CLIENT_ID_BYTES];
	uint64_t last = 0;

	wr_process_start(&server, WR_ARGUMENTS("--worker-retention-bytes", "262144"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	CHECK_U64(wr_test_ws_open_with(&stream, &server, NULL, "/v1/events/ws", NULL, SMALL_BUFFER),
		  101);
	wr_test_ws_message(&stream);
	for (unsigned i = 0; i < 400; i++)
		feed(&client, id, 30000);
	for (;;) {
		wr_test_ws_next(&stream, &news, WR_CLIENT_WAIT_MS);
		CHECK(news.kind == WR_WS_NEWS_MESSAGE);
		if (wr_view_equal(wr_json_find(news.data, "kind"), WR_VIEW("diagnostic")))
			break;
		CHECK(last == 0 || wr_json_find_u64(news.data, "envelope.sequence") == last + 1);
		CHECK(wr_view_starts(wr_json_find(news.data, "envelope.cursor"), WR_VIEW("re_")));
		last = wr_json_find_u64(news.data, "envelope.sequence");
	}
	CHECK(last != 0);
	CHECK_STRING(wr_json_find(news.data, "diagnostic.code"), "runtime.cursor_expired");
	wr_test_ws_expect_close(&stream, 1013);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* A replay larger than sockets hold, read slowly but steadily: nothing is lost when nothing is
 * evicted. */
static void test_a_long_backlog_is_replayed_completely(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES];
	uint64_t last = 0;

	wr_process_start(
		&server,
		WR_ARGUMENTS("--worker-retention-bytes", "64M", "--retention-bytes", "64M"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	for (unsigned i = 0; i < 300; i++)
		feed(&client, id, CONTENT_BYTES);
	open_worker_stream(&stream, id, "?cursor=wo_0000000000000000", SMALL_BUFFER);
	for (unsigned i = 0; i < 300; i++) {
		frame = wr_test_ws_message(&stream);
		CHECK(last == 0 || wr_json_find_u64(frame, "envelope.sequence") == last + 1);
		last = wr_json_find_u64(frame, "envelope.sequence");
	}
	wr_test_ws_expect_silence(&stream, 50);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 3 * STALLED)
		wr_test_skip("the descriptor limit is too low for 1,000 subscribers");
}

static void test_a_thousand_stalled_readers_cost_nothing_while_100_mb_flow(void)
{
	static struct wr_test_ws stalled[STALLED];
	struct wr_client client;
	struct wr_test_ws healthy;
	struct wr_view frame;
	const char *release = getenv("WR_RELEASE");
	char id[WR_CLIENT_ID_BYTES];
	size_t before, after, idle;
	uint64_t last = 0;

	raise_descriptor_limit();
	if (release != NULL) /* sizes mean something only without sanitizers */
		setenv("WR_BUILD", release, 1);
	wr_process_start(&server, NULL, NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	open_worker_stream(&healthy, id, "", 0);
	wr_test_ws_message(&healthy);
	for (unsigned i = 0; i < 100; i++) { /* retention is full before memory is looked at */
		feed(&client, id, CONTENT_BYTES);
		frame = wr_test_ws_message(&healthy);
		last = wr_json_find_u64(frame, "envelope.sequence");
	}
	idle = wr_process_rss_bytes(&server);
	for (unsigned i = 0; i < STALLED; i++) {
		open_worker_stream(&stalled[i], id, "", SMALL_BUFFER);
		wr_test_ws_message(&stalled[i]);
	}
	before = wr_process_rss_bytes(&server);
	for (unsigned sent = 0; sent < FLOW_BYTES; sent += CONTENT_BYTES) {
		feed(&client, id, CONTENT_BYTES);
		frame = wr_test_ws_message(&healthy);
		CHECK_U64(wr_json_find_u64(frame, "envelope.sequence"), ++last);
		CHECK_U64(wr_json_find(frame, "envelope.payload.data.segments.0.content").bytes,
			  CONTENT_BYTES);
	}
	after = wr_process_rss_bytes(&server);
	printf("rss: %zu idle, %zu with %d subscribers, %zu after the flow\n", idle, before,
	       STALLED, after);
	if (release != NULL) {
		CHECK((before - idle) / STALLED <= 512);
		/* Kept copies of frames that someone stands in the middle of are shared: a few. */
		CHECK(after <= before + 1024 * 1024);
	}
	for (unsigned i = 0; i < STALLED; i++)
		wr_test_ws_close(&stalled[i]);
	wr_test_ws_close(&healthy);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
	if (release == NULL)
		wr_test_skip("order checked, memory not: WR_RELEASE names no plain release build");
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_slow_reader_gets_whole_frames_and_then_the_reason, 60),
	WR_TEST_LIMIT(test_a_slow_reader_of_the_runtime_wide_stream_likewise, 60),
	WR_TEST_LIMIT(test_a_long_backlog_is_replayed_completely, 60),
	WR_TEST_LIMIT(test_a_thousand_stalled_readers_cost_nothing_while_100_mb_flow, 120),
	WR_TEST_END,
};
