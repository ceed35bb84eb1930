/* Goal: what browsers see of an embedded Runtime is exact: a snapshot or a good cursor first, then
 * every event once and in order; and it is what the policy lets through. Method:
 * clients on real sockets, whose frames are compared byte for byte. */
#include "unit/backend/embedded_client.h"

#include "backend/cursor.h"

#define W1 "worker-00000001"
#define W2 "worker-00000002"

static void open_plain(void)
{
	rig_prepare();
	rig_open();
}

/* ---- opening ---- */

static void test_a_fresh_stream_begins_with_a_snapshot_and_goes_on(void)
{
	char cursor[WR_CURSOR_BYTES + 1], expected[512];
	struct client client;

	open_plain();
	rig_create(1);
	say(W1, 1);
	client_open(&client, W1, NULL);
	CHECK_U64(client.http, 101);
	CHECK_U64(rig.handle->ops->stream_count(rig.handle), 1);
	client_await(&client, 1);
	CHECK(frame_has(&client, 0,
			"\"payload\":{\"event\":\"snapshot\",\"data\":{\"entries\":[{"));
	CHECK(frame_has(&client, 0, "input 1."));
	say(W1, 2);
	CHECK_U64(rig_ask(WR_SOURCE_STOP, W1), WR_SOURCE_ACCEPTED);
	client_await(&client, 3);
	frame_cursor(&client, 1, cursor);
	snprintf(expected, sizeof expected,
		 "{\"kind\":\"event\",\"envelope\":{\"cursor\":\"%s\",\"event_id\":\"%s\","
		 "\"runtime_id\":\"backend-internal\",\"worker_id\":\"" W1 "\",\"payload\":"
		 "{\"event\":\"user_message\",\"data\":{\"segments\":[{\"kind\":\"text\","
		 "\"content\":\"input 2.\"}]}}}}",
		 cursor, cursor);
	CHECK_STRING(client_frame(&client, 1), expected);
	CHECK(frame_has(&client, 2, "\"payload\":{\"event\":\"shutdown\"}}}"));
	client_settle(&client);
	CHECK_U64(client.count, 3);
	check_frames(&client, W1);
	client_close(&client);
	rig_close();
}

static void test_streams_of_workers_do_not_mix(void)
{
	struct client one, two;

	open_plain();
	rig_create(1);
	rig_create(2);
	client_open(&one, W1, NULL);
	client_open(&two, W2, NULL);
	for (unsigned i = 0; i < 10; i++)
		say(i % 2 == 0 ? W1 : W2, i);
	client_await(&one, 6);
	client_await(&two, 6);
	client_settle(&one);
	client_settle(&two);
	CHECK_U64(one.count, 6);
	CHECK_U64(two.count, 6);
	check_frames(&one, W1);
	check_frames(&two, W2);
	client_close(&one);
	client_close(&two);
	rig_close();
}

static void test_every_cursor_of_a_stream_is_good_to_go_on_from(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct client first, again;

	open_plain();
	rig_create(1);
	rig_create(2);
	client_open(&first, W1, NULL);
	for (unsigned i = 1; i <= 10; i++) {
		say(W1, i);
		say(W2, i);
	}
	client_await(&first, 11);
	for (unsigned i = 0; i < 11; i++) {
		frame_cursor(&first, i, cursor);
		client_open(&again, W1, cursor);
		client_await(&again, 10 - i);
		client_settle(&again);
		CHECK_U64(again.count, 10 - i);
		check_same_frames(&again, 0, &first, i + 1, again.count);
		client_close(&again);
	}
	client_close(&first);
	rig_close();
}

static void test_a_cursor_that_is_not_good_is_refused_by_what_is_wrong(void)
{
	static const char unknown[] = "backend.cursor_unknown_or_expired";
	static const char malformed[] = "backend.cursor_malformed";
	char good[WR_CURSOR_BYTES + 1], of_two[WR_CURSOR_BYTES + 1];
	char ahead[WR_CURSOR_BYTES + 1], foreign[WR_CURSOR_BYTES + 1], later[WR_CURSOR_BYTES + 1];
	char other_log[WR_CURSOR_BYTES + 1];
	const struct {
		const char *label, *cursor, *code, *reason;
	} cases[] = {
		{"empty", "", malformed, "malformed"},
		{"a prefix", "bo_", malformed, "malformed"},
		{"one too short", "bo_AAAAAAAAAAAAAAAAAAAAAAAAAAA", malformed, "malformed"},
		{"one too long", "bo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", malformed, "malformed"},
		{"bad character", "bo_AAAAAAAAAAAAAAAAAAAAAAAAAAA.", malformed, "malformed"},
		{"a Runtime's", "wo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", malformed, "malformed"},
		{"a Runtime's of old", "wo_0000000000000000", malformed, "malformed"},
		{"number", "3", malformed, "malformed"},
		{"of an older Backend", "bo_0000000000000003", unknown, "unknown"},
		{"another Worker's", of_two, unknown, "scope_mismatch"},
		{"another Runtime's", foreign, unknown, "scope_mismatch"},
		{"beyond the newest", ahead, unknown, "ahead"},
		{"of a later generation", later, unknown, "unknown"},
		{"of another log", other_log, unknown, "unknown"},
	};
	struct wr_cursor_mask mask, foreign_mask;
	struct wr_backend_cursor cursor, changed;
	struct client client;

	open_plain();
	rig_create(1);
	rig_create(2);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	frame_cursor(&client, 0, good);
	client_close(&client);
	client_open(&client, W2, NULL);
	client_await(&client, 1);
	frame_cursor(&client, 0, of_two);
	client_close(&client);
	wr_cursor_mask_init(&mask, WR_VIEW("backend-internal"));
	wr_cursor_mask_init(&foreign_mask, WR_VIEW("another"));
	CHECK_STATUS(wr_backend_cursor_parse(&cursor, &mask, wr_view_of_string(good)), WR_OK);
	wr_backend_cursor_format(foreign, &foreign_mask, &cursor);
	changed = cursor;
	changed.sequence++;
	wr_backend_cursor_format(ahead, &mask, &changed);
	changed = cursor;
	changed.generation++;
	wr_backend_cursor_format(later, &mask, &changed);
	changed = cursor;
	changed.log_tag[3] ^= 1;
	wr_backend_cursor_format(other_log, &mask, &changed);
	foreign[WR_CURSOR_BYTES] = ahead[WR_CURSOR_BYTES] = later[WR_CURSOR_BYTES] =
		other_log[WR_CURSOR_BYTES] = '\0';
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		client_open(&client, W1, cases[i].cursor);
		CHECK_U64(client.http, 101);
		check_ended(&client, 0, cases[i].code, cases[i].reason, 1008);
		client_close(&client);
	}
	rig_close();
}

static void test_a_cursor_before_what_is_kept_has_expired(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct client client;

	rig_prepare();
	rig.hosting.worker_retention_events = 2;
	rig_open();
	rig_create(1);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	frame_cursor(&client, 0, cursor);
	client_close(&client);
	for (unsigned i = 0; i < 5; i++)
		say(W1, i);
	rig_wait();
	client_open(&client, W1, cursor);
	check_ended(&client, 0, "backend.cursor_unknown_or_expired", "expired", 1008);
	client_close(&client);
	rig_close();
}

static void test_an_unknown_worker_is_answered_before_the_upgrade(void)
{
	static const char *const ids[] = {W2, "", "a:b", "worker-0000000A"};
	struct client client;

	open_plain();
	rig_create(1);
	for (unsigned i = 0; i < WR_COUNT(ids); i++) {
		wr_test_case(ids[i]);
		client_open(&client, ids[i], NULL);
		CHECK_U64(client.http, 404);
		CHECK(view_has(wr_view_of(client.data, client.bytes),
			       "\r\n\r\n{\"error\":\"Not Found\",\"message\":\""));
		CHECK(view_has(wr_view_of(client.data, client.bytes),
			       "\"code\":\"worker_not_found\"}"));
		client.data[client.bytes] = '\0';
		check_text(client.data);
		client_close(&client);
	}
	rig_close();
}

static void test_who_talks_on_a_stream_is_told_and_ended(void)
{
	/* FIN and text, masked with zeros. */
	static const char frame[] = {(char)0x81, (char)0x82, 0, 0, 0, 0, 'h', 'i'};
	struct client client;

	open_plain();
	rig_create(1);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	CHECK(send(client.fd, frame, sizeof frame, 0) == (ssize_t)sizeof frame);
	check_ended(&client, 1, "backend.observation_only", NULL, 1008);
	client_close(&client);
	rig_close();
}

static void test_a_drain_sends_what_is_pending_and_closes(void)
{
	struct client client;

	open_plain();
	rig_create(1);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	say(W1, 1);
	wr_embedded_runtime_end_programs(rig.handle);
	CHECK(wr_embedded_runtime_is_settled(rig.handle));
	rig.handle->ops->drain(rig.handle);
	client_await(&client, 3);
	CHECK(frame_has(&client, 1, "input 1."));
	CHECK_VIEW(wr_view_of(client_frame(&client, 2).data, 2), WR_VIEW("\x03\xe9"));
	client_close(&client);
	rig_close();
}

/* ---- the policy ---- */

static void test_a_policy_takes_events_out_and_replaces_them(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct rules rules = {.count = 0};
	struct client client, again;

	rig_prepare();
	rig.policy = (struct wr_policy){.context = &rules, .on_event = rules_judge};
	rig_open();
	rig_create(1);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	CHECK(frame_has(&client, 0, "\"event\":\"snapshot\""));
	frame_cursor(&client, 0, cursor);
	CHECK_U64(rig_input(W1, "one"), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_input(W1, "a secret"), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.result.transcript_sequence, 2);
	CHECK_U64(rig_input(W1, "redact me"), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_input(W1, "four"), WR_SOURCE_ACCEPTED);
	client_await(&client, 4);
	client_settle(&client);
	CHECK_U64(client.count, 4);
	CHECK(frame_has(&client, 1, "one") && frame_has(&client, 3, "four"));
	CHECK(frame_has(&client, 2,
			"\"payload\":{\"event\":\"user_message\",\"data\":{\"by\":\"a rule\"}}}}"));
	/* Each was asked about once, for all who see it; a cursor is good also before one that is
	 * not shown. */
	CHECK_U64(rules.count, 5);
	client_open(&again, W1, cursor);
	client_await(&again, 3);
	check_same_frames(&again, 0, &client, 1, 3);
	client_close(&again);
	frame_cursor(&client, 1, cursor);
	client_open(&again, W1, cursor);
	client_await(&again, 2);
	check_same_frames(&again, 0, &client, 2, 2);
	client_settle(&again);
	CHECK_U64(again.count, 2);
	client_close(&again);
	/* A snapshot is replaced like an event. */
	client_open(&again, W1, NULL);
	client_await(&again, 1);
	CHECK(frame_has(&again, 0, "{\"event\":\"snapshot\",\"data\":{\"by\":\"a rule\"}}"));
	client_close(&again);
	client_close(&client);
	rig_close();
}

static void test_a_denied_snapshot_has_no_entries_and_a_good_cursor(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct rules rules = {.denies_snapshots = true};
	struct client client, again;

	rig_prepare();
	rig.policy = (struct wr_policy){.context = &rules, .on_event = rules_judge};
	rig_open();
	rig_create(1);
	CHECK_U64(rig_input(W1, "before"), WR_SOURCE_ACCEPTED);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	CHECK(frame_has(&client, 0, "\"event\":\"snapshot\"") &&
	      frame_has(&client, 0, "\"entries\":[]") && !frame_has(&client, 0, "before"));
	CHECK_U64(rig_input(W1, "after"), WR_SOURCE_ACCEPTED);
	client_await(&client, 2);
	frame_cursor(&client, 0, cursor);
	client_open(&again, W1, cursor);
	client_await(&again, 1);
	check_same_frames(&again, 0, &client, 1, 1);
	client_close(&again);
	client_close(&client);
	rig_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_fresh_stream_begins_with_a_snapshot_and_goes_on),
	WR_TEST(test_streams_of_workers_do_not_mix),
	WR_TEST(test_every_cursor_of_a_stream_is_good_to_go_on_from),
	WR_TEST(test_a_cursor_that_is_not_good_is_refused_by_what_is_wrong),
	WR_TEST(test_a_cursor_before_what_is_kept_has_expired),
	WR_TEST(test_an_unknown_worker_is_answered_before_the_upgrade),
	WR_TEST(test_who_talks_on_a_stream_is_told_and_ended),
	WR_TEST(test_a_drain_sends_what_is_pending_and_closes),
	WR_TEST(test_a_policy_takes_events_out_and_replaces_them),
	WR_TEST(test_a_denied_snapshot_has_no_entries_and_a_good_cursor),
	WR_TEST_END,
};
