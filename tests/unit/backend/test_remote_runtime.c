/*
 * Goal: a remote Runtime's handle ends every call exactly once, whatever the remote does and when;
 * knows whether it is there, and says so at once; repeats only what may be repeated; tells no
 * secret. Method: a scripted peer on loopback in the same thread that is slow, silent, older, or
 * dies.
 */
#include "io/log.h"
#include "unit/backend/remote_asked.h"

#include <fcntl.h>

/* ---- time ---- */

static void test_silence_ends_by_the_deadline_and_a_command_is_in_doubt(void)
{
	static struct asked asked;

	rig_prepare();
	config.ms_max = (uint32_t)wr_test_patience(250);
	peer_will_say("200 OK", "{\"runtime\":" PEER_RUNTIME_SUMMARY "}");
	rig_start();
	rig_await("running");
	for (unsigned i = WR_SOURCE_LIST; i <= WR_SOURCE_BUNDLE_AVAILABILITY; i++) {
		ask(&asked, (enum wr_source_operation)i);
		check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_timeout", WR_NOTICE_ERROR);
		CHECK(has_notice(&asked.result.notices, "remote_runtime_outcome_unknown") ==
		      ((i >= WR_SOURCE_SPAWN && i <= WR_SOURCE_INTERRUPT) ||
		       i == WR_SOURCE_STORE_BUNDLE));
	}
	rig_close();
}

static void test_a_list_has_a_deadline_of_its_own(void)
{
	static struct asked list, detail;
	static char slow[60000];

	rig_open();
	prepare(&detail, WR_SOURCE_DETAIL);
	begin(&detail);
	prepare(&list, WR_SOURCE_LIST);
	list.call.as.list.ms_max = 50;
	begin(&list);
	finish(&list);
	check_first(&list, WR_SOURCE_FAILED, "remote_runtime_timeout", WR_NOTICE_ERROR);
	CHECK_U64(detail.done_count, 0);
	/* Bytes that come are no reason to wait on: one a turn is too slow for these. */
	memset(slow, ' ', sizeof slow - 1);
	peer_will_answer("200 OK", slow);
	peer.step = 1;
	list.call.as.list.ms_max = 30;
	begin(&list);
	finish(&list);
	check_first(&list, WR_SOURCE_FAILED, "remote_runtime_timeout", WR_NOTICE_ERROR);
	rig_close();
}

static void test_slow_calls_of_one_kind_do_not_delay_another(void)
{
	static const char *const slow_paths[] = {"POST ", "GET /base/v1/workers?",
						 "GET /base/v1/workers/"};
	static const enum wr_source_operation operations[] = {WR_SOURCE_STOP, WR_SOURCE_LIST,
							      WR_SOURCE_TRANSCRIPT};
	static const char *const answers[] = {ACK("stopped", ",\"event_id\":1"), "{\"workers\":[]}",
					      PAGE("0", "", "null")};
	static struct asked slow[10], quick;

	rig_open();
	for (unsigned i = 0; i < 3; i++) {
		peer.silent_for = slow_paths[i];
		for (unsigned j = 0; j < WR_COUNT(slow); j++) {
			prepare(&slow[j], operations[i]);
			begin(&slow[j]);
		}
		for (unsigned j = 0; j < 3; j++) {
			if (j == i)
				continue;
			peer_will_answer("200 OK", answers[j]);
			ask(&quick, operations[j]);
			CHECK_U64(quick.result.outcome, WR_SOURCE_ACCEPTED);
		}
		for (unsigned j = 0; j < WR_COUNT(slow); j++) {
			CHECK_U64(slow[j].done_count, 0);
			handle->ops->cancel(handle, &slow[j].call);
		}
	}
	rig_close();
}

static void test_many_calls_at_once_are_all_answered_over_few_connections(void)
{
	enum { MANY = 60 };
	static struct asked asked[MANY];
	unsigned done = 0;

	rig_open();
	peer_will_answer("200 OK", ACK("running", ",\"event_id\":1,\"transcript_sequence\":1"));
	for (unsigned i = 0; i < MANY; i++) {
		prepare(&asked[i], WR_SOURCE_INPUT);
		begin(&asked[i]);
	}
	while (done < MANY) {
		rig_turn();
		done = 0;
		for (unsigned i = 0; i < MANY; i++)
			done += asked[i].done_count;
	}
	for (unsigned i = 0; i < MANY; i++) {
		CHECK_U64(asked[i].done_count, 1);
		CHECK_U64(asked[i].result.outcome, WR_SOURCE_ACCEPTED);
	}
	CHECK_U64(peer.request_count, MANY);
	CHECK(peer.accepted <= 10);
	rig_close();
}

static void test_a_queue_is_bounded_and_says_so_at_once(void)
{
	enum { MANY = 200 };
	static struct asked asked[MANY];
	unsigned refused = 0;

	rig_open();
	for (unsigned i = 0; i < MANY; i++) {
		prepare(&asked[i], WR_SOURCE_INPUT);
		begin(&asked[i]);
		refused += asked[i].done_count;
		if (asked[i].done_count == 0)
			continue;
		check_first(&asked[i], WR_SOURCE_FAILED, "remote_runtime_client_error",
			    WR_NOTICE_ERROR);
		CHECK_U64(asked[i].result.notices.count, 1); /* it was never sent */
	}
	CHECK(refused >= MANY - 80 && refused < MANY);
	for (unsigned i = 0; i < 10; i++)
		rig_turn();
	rig_free_handle(); /* ends all others silently */
	for (unsigned i = 0; i < MANY; i++)
		CHECK(asked[i].call.source_private == NULL);
	rig_close();
}

/* ---- cancelling ---- */

static void test_a_call_can_be_cancelled_at_any_moment(void)
{
	static struct asked asked, next;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(good); i++) {
		wr_test_case(good[i].label);
		peer_will_answer("200 OK", good[i].body);
		for (unsigned turns = 0;; turns += 1 + turns / 4) {
			peer.step = 1;
			prepare(&asked, good[i].operation);
			begin(&asked);
			for (unsigned j = 0; j < turns && asked.done_count == 0; j++)
				rig_turn();
			handle->ops->cancel(handle, &asked.call);
			CHECK(asked.call.source_private == NULL);
			if (asked.done_count == 1) /* it was too late, which is harmless */
				break;
			peer.step = 0;
			ask(&next, good[i].operation);
			check_good(&next, i);
			CHECK_U64(asked.done_count, 0);
		}
	}
	rig_close();
}

static void test_a_call_cancelled_from_within_tells_nothing_more(void)
{
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(good); i++) {
		if (good[i].told[0] == '\0')
			continue;
		peer_will_answer("200 OK", good[i].body);
		prepare(&asked, good[i].operation);
		asked.cancel_at = 1;
		begin(&asked);
		while (asked.call.source_private != NULL)
			rig_turn();
		for (unsigned j = 0; j < 3; j++)
			rig_turn();
		CHECK(asked.done_count == 0 && asked.told_count == 1);
	}
	rig_close();
}

static struct asked again;

static void begin_again(struct wr_source_call *call, const struct wr_source_result *result)
{
	on_done(call, result);
	if (again.done_count < 3)
		handle->ops->begin(handle, call);
}

static void test_a_call_may_be_begun_again_when_it_is_done(void)
{
	rig_open();
	peer_will_answer("200 OK", "{\"workers\":[]}");
	prepare(&again, WR_SOURCE_LIST);
	again.call.on_done = begin_again;
	begin(&again);
	while (again.done_count < 3)
		rig_turn();
	CHECK_U64(peer.request_count, 3);
	rig_close();
}

static void test_a_handle_can_be_freed_at_any_moment(void)
{
	static struct asked asked[3];

	for (unsigned turns = 0; turns < 40; turns++) {
		memset(&peer, 0, sizeof peer);
		rig_prepare();
		peer_will_say("200 OK", "{\"runtime\":" PEER_RUNTIME_SUMMARY "}");
		peer_will_answer("200 OK", good[1].body);
		peer.step = 7;
		rig_start();
		for (unsigned i = 0; i < 3; i++) {
			prepare(&asked[i], WR_SOURCE_LIST);
			begin(&asked[i]);
		}
		for (unsigned i = 0; i < turns; i++)
			rig_turn();
		rig_close();
		for (unsigned i = 0; i < 3; i++)
			CHECK(asked[i].call.source_private == NULL && asked[i].done_count <= 1);
	}
}

/* ---- availability ---- */

static void check_down(const char *code)
{
	static struct asked asked;
	struct wr_runtime_overview overview;
	unsigned before = peer.request_count;

	rig_overview(&overview);
	CHECK_STRING(overview.status, "unavailable");
	CHECK_U64(overview.can, WR_CAN_LIST_HOSTS);
	CHECK_U64(overview.notices.count, 1);
	CHECK_STRING(wr_view_of_string(overview.notices.items[0].code), code);
	CHECK_U64(overview.notices.items[0].severity, WR_NOTICE_ERROR);
	CHECK_U64(overview.host_notices.count, 1);
	check_notices(&overview.notices);
	for (unsigned i = WR_SOURCE_LIST; i <= WR_SOURCE_TRANSCRIPT; i++) {
		prepare(&asked, (enum wr_source_operation)i);
		begin(&asked);
		CHECK_U64(asked.done_count, 1); /* at once */
		check_first(&asked, WR_SOURCE_FAILED, code, WR_NOTICE_ERROR);
		CHECK_U64(asked.result.notices.count, 1);
	}
	CHECK_U64(peer.request_count, before);
}

static void test_a_peer_that_dies_is_known_to_be_down_and_found_again(void)
{
	static struct asked asked;

	rig_open();
	peer_will_answer("200 OK", "{\"workers\":[]}");
	for (unsigned i = 0; i < 3; i++) {
		ask(&asked, WR_SOURCE_LIST);
		CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
		peer_die();
		rig_await("unavailable");
		check_down("remote_runtime_network_error");
		peer_listen();
		prepare(&asked, WR_SOURCE_LIST);
		begin(&asked); /* the nudge */
		rig_await("running");
	}
	rig_close();
}

static void test_calls_under_way_when_the_peer_dies_end(void)
{
	static struct asked asked[8];

	rig_open();
	for (unsigned i = 0; i < 8; i++) {
		prepare(&asked[i], (enum wr_source_operation)i);
		begin(&asked[i]);
	}
	while (peer.request_count < 6) /* five commands, for three connections */
		rig_turn();
	peer_die();
	for (unsigned i = 0; i < 8; i++) {
		finish(&asked[i]);
		check_first(&asked[i], WR_SOURCE_FAILED, "remote_runtime_network_error",
			    WR_NOTICE_ERROR);
	}
	rig_close();
}

static void test_a_stream_that_is_refused_is_an_answer_to_every_call(void)
{
	static const struct {
		enum peer_stream stream;
		const char *code;
	} cases[] = {
		{PEER_STREAM_REFUSED, "remote_runtime_auth_failed"},
		{PEER_STREAM_GARBAGE, "remote_runtime_malformed_response"},
	};

	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		memset(&peer, 0, sizeof peer);
		rig_prepare();
		peer.stream = cases[i].stream;
		rig_start();
		rig_await("unavailable");
		check_down(cases[i].code);
		CHECK_U64(peer.runtime_count, 0);
		rig_close();
	}
}

static void test_before_anything_is_known_calls_are_tried(void)
{
	static struct asked asked;
	struct wr_runtime_overview overview;

	rig_prepare();
	peer_will_answer("200 OK", "{\"workers\":[]}");
	rig_start();
	rig_overview(&overview);
	CHECK_STRING(overview.runtime_id, "remote:box");
	CHECK_U64(overview.kind, WR_SOURCE_REMOTE);
	CHECK_STRING(overview.label, "The box");
	CHECK_STRING(overview.host_label, "The box");
	CHECK_STRING(overview.status, "configured");
	CHECK_STRING(overview.host_status, "configured");
	CHECK_STRING(overview.host_id, "remote-remote-box-1673cc15308814a7");
	CHECK_STRING(overview.local_pod_inspection, "unavailable");
	CHECK(wr_view_equal(overview.os, WR_VIEW("remote")) &&
	      wr_view_equal(overview.arch, WR_VIEW("remote")));
	CHECK(overview.can == WR_CAN_LIST_HOSTS && overview.notices.count == 0);
	ask(&asked, WR_SOURCE_LIST);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	rig_close();
}

static void test_what_the_runtime_says_of_itself_is_shown(void)
{
	struct wr_runtime_overview overview;

	rig_open();
	rig_overview(&overview);
	CHECK_STRING(overview.label, "Build box");
	CHECK_U64(overview.can, WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER |
					WR_CAN_SPAWN | WR_CAN_STOP | WR_CAN_INPUT | WR_CAN_STREAM |
					WR_CAN_TRANSCRIPT);
	CHECK(overview.notices.count == 0 && overview.host_notices.count == 0);
	CHECK_U64(handle->ops->stream_count(handle), 0);
	rig_close();
}

static void test_a_label_is_the_id_when_nobody_gave_one(void)
{
	struct wr_runtime_overview overview;

	rig_prepare();
	config.display_name = WR_VIEW_NULL;
	rig_start();
	rig_overview(&overview);
	CHECK_STRING(overview.label, "remote:box");
	rig_close();
}

static void test_a_change_is_looked_at_once_a_second_at_most(void)
{
	unsigned before;
	uint64_t start;

	rig_open();
	before = peer.runtime_count;
	start = reactor.now_ms;
	peer_will_say("200 OK", "{\"runtime\":{\"runtime_id\":\"rt-a\",\"status\":\"stopped\","
				"\"worker_count\":0,\"limits\":{"
				"\"max_transcript_projection_items\":1}}}");
	for (unsigned i = 0; i < 50; i++) {
		peer_send_frame(peer_stream_connection(), "runtime_event",
				"{\"id\":1,\"kind\":{\"kind\":\"runtime_stopped\"},"
				"\"message\":\"\"}");
		rig_turn();
	}
	rig_await("stopped");
	CHECK_U64(peer.runtime_count, before + 1);
	CHECK(reactor.now_ms - start >= 500);
	rig_close();
}

static void test_a_runtime_that_cannot_be_looked_at_is_up_all_the_same(void)
{
	static struct asked asked;
	struct wr_runtime_overview overview;

	rig_prepare();
	peer_will_say("500 Oh", PEER_MARK);
	peer_will_answer("200 OK", "{\"workers\":[]}");
	rig_start();
	do {
		rig_turn();
		rig_overview(&overview);
	} while (overview.notices.count == 0);
	CHECK_STRING(wr_view_of_string(overview.notices.items[0].code),
		     "remote_runtime_http_error");
	CHECK_STRING(overview.status, "configured");
	CHECK((overview.can & WR_CAN_STREAM) != 0);
	check_notices(&overview.notices);
	ask(&asked, WR_SOURCE_LIST);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	/* Whoever asks again makes it look again. */
	peer_will_say("200 OK", "{\"runtime\":" PEER_RUNTIME_SUMMARY "}");
	rig_await("running");
	rig_overview(&overview);
	CHECK_U64(overview.notices.count, 0);
	rig_close();
}

/* ---- older Runtimes, and kept connections that end ---- */

#define OLD_RUNTIME                                                                           \
	"{\"runtime\":{\"runtime_id\":\"rt-a\",\"display_name\":null,\"backend\":\"memory\"," \
	"\"status\":\"running\",\"worker_count\":0,\"active_worker_count\":0,"                \
	"\"stopped_worker_count\":0,\"cancelled_worker_count\":0,\"diagnostic_count\":0,"     \
	"\"limits\":{\"max_transcript_projection_items\":100,\"max_event_batch_items\":256}}}"

static void open_old(void)
{
	rig_prepare();
	peer.stream = PEER_STREAM_ABSENT;
	peer_will_say("200 OK", OLD_RUNTIME);
	rig_start();
	rig_await("running");
}

static void test_an_older_runtime_can_all_but_streams(void)
{
	static struct asked asked;
	struct wr_runtime_overview overview;

	open_old();
	rig_overview(&overview);
	CHECK_STRING(overview.label, "The box");
	CHECK((overview.can & WR_CAN_STREAM) == 0 && (overview.can & WR_CAN_INPUT) != 0);
	CHECK(overview.notices.count == 1 &&
	      has_notice(&overview.notices, "remote_runtime_unsupported"));
	check_notices(&overview.notices);
	peer_will_answer("200 OK", "{\"worker\":" CODER("worker-1") "}");
	ask(&asked, WR_SOURCE_DETAIL);
	CHECK_STRING(wr_view_of(asked.told, asked.told_bytes),
		     "worker-1 role=coder profile=runtime_default running/- can=176 last=5\n");
	/* Its own limit is kept to. */
	peer_will_answer("200 OK", PAGE("0", "", "null"));
	prepare(&asked, WR_SOURCE_TRANSCRIPT);
	asked.call.as.page.limit = 200;
	begin(&asked);
	finish(&asked);
	CHECK(strstr(peer.last_request, "?start=0&limit=100 ") != NULL);
	CHECK_U64(asked.result.page.limit, 100);
	rig_close();
}

/* There is no stream whose end would tell it: the next look does. */
static void test_an_older_runtime_that_dies_is_missed_and_found_again(void)
{
	open_old();
	peer_die();
	rig_await("unavailable");
	while (peer.listener < 0) {
		struct wr_runtime_overview overview;

		rig_turn();
		rig_overview(&overview);
		if (has_notice(&overview.notices, "remote_runtime_unsupported"))
			continue;
		check_down("remote_runtime_network_error");
		peer_listen();
	}
	rig_await("running");
	rig_close();
}

/* A kept connection ends just when the next request leaves on it. */
static unsigned ask_over_a_dying_connection(struct asked *asked, enum wr_source_operation operation)
{
	peer_will_answer("200 OK", ACK("stopped", ",\"event_id\":1"));
	ask(asked, operation);
	peer.request_count = 0;
	peer.ends_before = true;
	ask(asked, operation);
	return peer.request_count;
}

static void test_a_command_is_repeated_only_where_its_key_counts(void)
{
	static struct asked asked;

	rig_open();
	CHECK_U64(ask_over_a_dying_connection(&asked, WR_SOURCE_STOP), 2);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	rig_close();
	memset(&peer, 0, sizeof peer);
	open_old();
	CHECK_U64(ask_over_a_dying_connection(&asked, WR_SOURCE_STOP), 1);
	check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_network_error", WR_NOTICE_ERROR);
	CHECK(has_notice(&asked.result.notices, "remote_runtime_outcome_unknown"));
	CHECK_U64(ask_over_a_dying_connection(&asked, WR_SOURCE_DETAIL), 2);
	rig_close();
}

static void test_a_repeated_command_has_the_same_key(void)
{
	static struct asked asked;
	char first[24];

	rig_open();
	peer_will_answer("200 OK", ACK("stopped", ",\"event_id\":1"));
	ask(&asked, WR_SOURCE_STOP);
	peer.ends_before = true;
	peer.request_count = 0;
	prepare(&asked, WR_SOURCE_STOP);
	begin(&asked);
	while (peer.request_count == 0)
		rig_turn();
	memcpy(first, sent_key().data, sizeof first);
	finish(&asked);
	CHECK_U64(peer.request_count, 2);
	CHECK_VIEW(sent_key(), wr_view_of(first, sizeof first));
	rig_close();
}

/* ---- the rest ---- */

static const struct {
	struct wr_view runtime_id, host, prefix, credential;
} bad_configs[] = {
	{WR_VIEW_INIT(""), WR_VIEW_INIT("h"), WR_VIEW_INIT(""), WR_VIEW_INIT("t")},
	{WR_VIEW_INIT("a b"), WR_VIEW_INIT("h"), WR_VIEW_INIT(""), WR_VIEW_INIT("t")},
	{WR_VIEW_INIT("a"), WR_VIEW_INIT("h\r\nX: y"), WR_VIEW_INIT(""), WR_VIEW_INIT("t")},
	{WR_VIEW_INIT("a"), WR_VIEW_INIT("h"), WR_VIEW_INIT("/\n"), WR_VIEW_INIT("t")},
	{WR_VIEW_INIT("a"), WR_VIEW_INIT("h"), WR_VIEW_INIT(""), WR_VIEW_INIT("t\r\nX: y")},
};

static void test_configurations_that_do_not_belong_in_a_head_are_refused(void)
{
	static char long_text[8192];

	rig_prepare();
	for (unsigned i = 0; i < WR_COUNT(bad_configs); i++) {
		config.runtime_id = bad_configs[i].runtime_id;
		config.host = bad_configs[i].host;
		config.target_prefix = bad_configs[i].prefix;
		config.credential = bad_configs[i].credential;
		CHECK_STATUS(wr_remote_runtime_new(&handle, &reactor, wr_test_allocator(), server,
						   &config),
			     WR_INVALID);
	}
	memset(long_text, 'x', sizeof long_text);
	config.credential = wr_view_of(long_text, sizeof long_text);
	CHECK_STATUS(wr_remote_runtime_new(&handle, &reactor, wr_test_allocator(), server, &config),
		     WR_INVALID);
	rig_close();
}

static void test_without_a_credential_none_is_sent(void)
{
	static struct asked asked;

	rig_prepare();
	config.credential = WR_VIEW_NULL;
	peer_will_answer("200 OK", "{\"workers\":[]}");
	rig_start();
	ask(&asked, WR_SOURCE_LIST);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	CHECK(strstr(peer.last_request, "uthorization") == NULL);
	rig_close();
}

static void test_the_log_tells_nothing_that_is_secret(void)
{
	static char text[65536];
	static struct asked asked;
	ssize_t bytes;
	int ends[2];

	CHECK(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
	wr_log_open("test", ends[1], WR_LOG_DEBUG);
	rig_open();
	peer_will_refuse("401 Unauthorized", "unauthorized");
	ask(&asked, WR_SOURCE_INPUT);
	peer_will_answer("200 OK", "<" PEER_MARK ">");
	ask(&asked, WR_SOURCE_INPUT);
	peer_die();
	rig_await("unavailable");
	rig_close();
	wr_log_close();
	bytes = read(ends[0], text, sizeof text - 1);
	CHECK(bytes > 0);
	text[bytes] = '\0';
	CHECK(strstr(text, "remote:box") != NULL);
	CHECK(strstr(text, PEER_SECRET) == NULL && strstr(text, PEER_MARK) == NULL);
	CHECK(strstr(text, "Bearer") == NULL && strstr(text, "hello") == NULL);
	close(ends[0]);
	close(ends[1]);
}

static void test_a_browser_is_handed_to_the_stream(void)
{
	static const char upgrade[] =
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	const struct wr_address *address;
	char text[64] = "";
	ssize_t got = -1;
	int fd;

	rig_open();
	address = wr_http_server_address(server);
	fd = wr_descriptor_socket(AF_INET);
	(void)connect(fd, (const struct sockaddr *)&address->storage, address->bytes);
	for (unsigned i = 0; i < 3; i++)
		rig_turn();
	CHECK(send(fd, upgrade, sizeof upgrade - 1, MSG_NOSIGNAL) == (ssize_t)sizeof upgrade - 1);
	for (; got < 12; got = recv(fd, text, 12, MSG_DONTWAIT | MSG_PEEK))
		rig_turn();
	CHECK(memcmp(text, "HTTP/1.1 101", 12) == 0);
	handle->ops->drain(handle);
	close(fd);
	rig_close();
}

static void test_failing_memory_loses_no_call(void)
{
	static const enum wr_source_operation operations[] = {
		WR_SOURCE_LIST, WR_SOURCE_SPAWN, WR_SOURCE_INPUT, WR_SOURCE_TRANSCRIPT};
	static const unsigned rows[] = {1, 5, 6, 11}; /* of `good` */
	static struct asked asked;

	rig_open();
	for (unsigned i = 0; i < WR_COUNT(operations); i++) {
		unsigned failures = 0;

		peer_will_answer("200 OK", good[rows[i]].body);
		for (uint64_t n = 1; failures + 1 >= n; n++) {
			wr_test_fail_allocation(n, false);
			ask(&asked, operations[i]);
			failures += wr_test_allocation_failed();
			CHECK(wr_test_allocation_failed() ||
			      asked.result.outcome == WR_SOURCE_ACCEPTED);
			if (asked.result.outcome != WR_SOURCE_ACCEPTED)
				check_first(&asked, WR_SOURCE_FAILED, "remote_runtime_client_error",
					    WR_NOTICE_ERROR);
			wr_test_fail_allocation(0, false);
		}
		CHECK(failures >= 3);
	}
	rig_close();
}

static void test_failing_memory_leaves_no_half_made_handle(void)
{
	bool is_made = false;

	rig_prepare();
	for (uint64_t n = 1; !is_made; n++) {
		enum wr_status status;

		wr_test_fail_allocation(n, false);
		status = wr_remote_runtime_new(&handle, &reactor, wr_test_allocator(), server,
					       &config);
		wr_test_fail_allocation(0, false);
		is_made = status == WR_OK;
		if (!is_made)
			CHECK_STATUS(status, WR_NO_MEMORY);
	}
	rig_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_silence_ends_by_the_deadline_and_a_command_is_in_doubt),
	WR_TEST(test_a_list_has_a_deadline_of_its_own),
	WR_TEST(test_slow_calls_of_one_kind_do_not_delay_another),
	WR_TEST(test_many_calls_at_once_are_all_answered_over_few_connections),
	WR_TEST(test_a_queue_is_bounded_and_says_so_at_once),
	WR_TEST_LIMIT(test_a_call_can_be_cancelled_at_any_moment, 60),
	WR_TEST(test_a_call_cancelled_from_within_tells_nothing_more),
	WR_TEST(test_a_call_may_be_begun_again_when_it_is_done),
	WR_TEST_LIMIT(test_a_handle_can_be_freed_at_any_moment, 30),
	WR_TEST_LIMIT(test_a_peer_that_dies_is_known_to_be_down_and_found_again, 60),
	WR_TEST_LIMIT(test_calls_under_way_when_the_peer_dies_end, 30),
	WR_TEST(test_a_stream_that_is_refused_is_an_answer_to_every_call),
	WR_TEST(test_before_anything_is_known_calls_are_tried),
	WR_TEST(test_what_the_runtime_says_of_itself_is_shown),
	WR_TEST(test_a_label_is_the_id_when_nobody_gave_one),
	WR_TEST_LIMIT(test_a_change_is_looked_at_once_a_second_at_most, 30),
	WR_TEST_LIMIT(test_a_runtime_that_cannot_be_looked_at_is_up_all_the_same, 30),
	WR_TEST(test_an_older_runtime_can_all_but_streams),
	WR_TEST_LIMIT(test_an_older_runtime_that_dies_is_missed_and_found_again, 30),
	WR_TEST(test_a_command_is_repeated_only_where_its_key_counts),
	WR_TEST(test_a_repeated_command_has_the_same_key),
	WR_TEST(test_configurations_that_do_not_belong_in_a_head_are_refused),
	WR_TEST(test_without_a_credential_none_is_sent),
	WR_TEST_LIMIT(test_the_log_tells_nothing_that_is_secret, 30),
	WR_TEST(test_a_browser_is_handed_to_the_stream),
	WR_TEST_LIMIT(test_failing_memory_loses_no_call, 60),
	WR_TEST(test_failing_memory_leaves_no_half_made_handle),
	WR_TEST_END,
};
