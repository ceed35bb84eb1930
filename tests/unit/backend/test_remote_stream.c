/* Goal: a browser gets a snapshot or what follows its cursor, and then every event of its Worker
 * once and in order, or a typed end that is true, whatever happens to the Runtime, to the
 * connections, and to memory. Method: a scripted Runtime and browsers in one thread under a clock
 * that is moved by hand; every frame is judged as it comes (remote_world.h). */
#include "unit/backend/remote_world.h"

static void say(uint32_t worker, unsigned count)
{
	while (count-- > 0)
		far_append(worker, FAR_OUTPUT, 20);
}

/* A browser that has seen everything, and what it holds then. */
static void take_cursor(uint32_t worker, char cursor[WR_CURSOR_BYTES + 1], uint32_t *as_of)
{
	struct browser browser;

	browser_open(&browser, worker);
	browser_settle(&browser);
	CHECK(browser_is_up_to_date(&browser));
	memcpy(cursor, browser.cursor, sizeof browser.cursor);
	*as_of = browser.as_of;
	browser_close(&browser);
	world_settle();
}

/* ---- snapshots ---- */

static void test_a_fresh_browser_gets_a_snapshot_and_what_follows(void)
{
	struct browser browser;

	world_open();
	say(1, 3);
	browser_open(&browser, 1);
	browser_settle(&browser);
	CHECK_U64(browser.snapshots, 1);
	CHECK_U64(browser.events, 0);
	say(1, 5);
	say(2, 5);
	far_append(1, FAR_CREATED, 0);
	far_append(1, FAR_NOVELTY, 0);
	far_append(1, FAR_STOPPED, 0);
	browser_settle(&browser);
	CHECK_U64(browser.events, 6);
	CHECK(browser_is_up_to_date(&browser));
	CHECK_U64(far.worker_opened, 1);
	CHECK_U64(world.state, WR_REMOTE_UP);
	CHECK(world.changes >= 2);
	CHECK_U64(world.remote->upstream.unknown_events, 1);
	browser_close(&browser);
	world_close();
}

static void test_many_who_wait_for_a_snapshot_cause_one_fetch(void)
{
	static struct browser browsers[200];

	world_open();
	say(1, 3);
	far.step = 50;
	for (unsigned i = 0; i < 200; i++)
		browser_open(&browsers[i], 1);
	for (unsigned i = 0; i < 200; i++)
		browser_settle(&browsers[i]);
	far.step = 0;
	say(1, 4);
	for (unsigned i = 0; i < 200; i++) {
		browser_settle(&browsers[i]);
		CHECK(browser_is_up_to_date(&browsers[i]) && browsers[i].events == 4);
	}
	CHECK_U64(far.snapshots_sent, 1);
	CHECK_U64(far.wide_opened, 1);
	CHECK_U64(wr_remote_stream_count(world.remote), 200);
	for (unsigned i = 0; i < 200; i++)
		browser_close(&browsers[i]);
	world_close();
}

static void test_a_kept_snapshot_is_good_while_nothing_newer_was_seen(void)
{
	struct browser browsers[4];

	world_open();
	say(1, 3);
	browser_open(&browsers[0], 1);
	browser_settle(&browsers[0]);
	say(2, 3);
	world_pass_ms(5000);
	browser_open(&browsers[1], 1);
	browser_settle(&browsers[1]);
	CHECK_U64(browsers[1].snapshots, 1);
	CHECK_U64(far.snapshots_sent, 1);
	say(1, 1);
	world_pass_ms(5000);
	browser_open(&browsers[2], 1);
	browser_settle(&browsers[2]);
	CHECK_U64(far.snapshots_sent, 2);
	/* Also when the Runtime is away: what is known is answered. */
	far.is_away = true;
	far_cut();
	world_settle();
	browser_open(&browsers[3], 1);
	browser_settle(&browsers[3]);
	CHECK_U64(browsers[3].snapshots, 1);
	for (unsigned i = 0; i < 4; i++) {
		browser_look(&browsers[i]);
		CHECK(browser_is_up_to_date(&browsers[i]));
		browser_close(&browsers[i]);
	}
	world_close();
}

static void test_a_snapshot_ahead_of_the_upstream_is_not_followed_by_what_it_has(void)
{
	struct browser ahead, other;

	world_open();
	browser_open(&other, 1);
	browser_settle(&other);
	world_pass_ms(2000);
	far.is_mute_upstream = true;
	say(1, 3);
	far.generation_end[1] = 0;
	browser_open(&ahead, 1); /* the kept one is still the newest, as far as is known */
	browser_settle(&ahead);
	CHECK_U64(far.snapshots_sent, 1);
	browser_close(&ahead);
	wr_remote_kept_drop(world.remote, wr_mirror_find(&world.remote->mirror, WR_VIEW("w-1")));
	browser_open(&ahead, 1);
	browser_settle(&ahead);
	CHECK_U64(far.snapshots_sent, 2);
	CHECK_U64(ahead.position, far.head);
	CHECK_U64(other.events, 0);
	far.is_mute_upstream = false;
	say(1, 2);
	browser_settle(&ahead);
	browser_settle(&other);
	CHECK_U64(ahead.events, 2);
	CHECK_U64(other.events, 5);
	CHECK(browser_is_up_to_date(&ahead) && browser_is_up_to_date(&other));
	browser_close(&ahead);
	browser_close(&other);
	world_close();
}

static void test_an_upstream_ahead_of_the_snapshot_leaves_no_gap(void)
{
	struct browser browser;
	struct far_conn *wide;

	world_open();
	say(1, 3);
	far.step = 1; /* the snapshot takes hundreds of turns, */
	browser_open(&browser, 1);
	for (unsigned i = 0; i < 30; i++)
		world_turn();
	CHECK_U64(far.snapshots_sent, 1);
	say(1, 3);
	far_turn();
	wide = far_wide();
	CHECK(wide != NULL);
	while (wide->out_at < wide->out_bytes) { /* what is behind it comes first */
		CHECK(send(wide->fd, wide->out + wide->out_at, wide->out_bytes - wide->out_at, 0) >
		      0);
		wide->out_at = wide->out_bytes;
	}
	for (unsigned i = 0; i < 2000; i++) {
		world_turn();
		browser_look(&browser);
	}
	CHECK_U64(browser.snapshots, 1);
	CHECK_U64(browser.events, 3);
	CHECK(browser_is_up_to_date(&browser));
	browser_close(&browser);
	world_close();
}

static void test_there_is_no_such_worker(void)
{
	struct browser browser;

	world_open();
	browser_open(&browser, 999);
	browser_settle(&browser);
	CHECK(browser_was_told(&browser, "backend.worker_not_found"));
	CHECK_U64(browser.close_code, 1008);
	browser_close(&browser);
	world_close();
}

/* ---- cursors ---- */

static void test_a_cursor_is_resumed_without_asking_when_the_mirror_knows(void)
{
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];
	uint32_t as_of;
	unsigned opened;

	world_open();
	say(1, 3);
	take_cursor(1, cursor, &as_of);
	opened = far.worker_opened;
	say(1, 10);
	say(2, 10);
	world_settle();
	browser_resume(&browser, 1, cursor, as_of, WORLD_UNLIMITED);
	browser_settle(&browser);
	CHECK_U64(browser.events, 10);
	CHECK_U64(browser.snapshots, 0);
	CHECK_U64(far.worker_opened, opened);
	browser_close(&browser);
	world_close();
}

static void test_refused_cursors(void)
{
	static const struct {
		const char *token, *told;
		unsigned close_code;
	} rows[] = {
		{"", "backend.cursor_malformed", 1008},
		{"bad", "backend.cursor_malformed", 1008},
		{"wo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "backend.cursor_malformed", 1008},
		{"bo_AAAAAAAAAAAAAAAAAAAAAAAAAAA", "backend.cursor_malformed", 1008},
		{"bo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "backend.cursor_malformed", 1008},
		{"bo_0000000000000003", "\"reason\":\"unknown\"", 1008},
		{"bo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\"reason\":\"scope_mismatch\"", 1008},
	};

	world_open();
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct browser browser;
		wr_test_case(rows[i].token);
		browser_ask(&browser, 1, rows[i].token);
		browser_await_upgrade(&browser, WORLD_UNLIMITED);
		browser_settle(&browser);
		CHECK(browser_was_told(&browser, rows[i].told));
		CHECK_U64(browser.close_code, rows[i].close_code);
		browser_close(&browser);
	}
	CHECK_U64(far.worker_opened, 0);
	world_close();
}

/* A token of ours with parts of our choice. */
static void make_token(char out[WR_CURSOR_BYTES + 1], const char *worker, uint8_t log,
		       uint32_t generation, uint64_t sequence)
{
	struct wr_cursor_mask mask;
	struct wr_backend_cursor cursor = {
		.generation = generation,
		.worker_tag = wr_worker_tag(wr_view_of_string(worker)),
		.sequence = sequence,
	};

	memset(cursor.log_tag, log, sizeof cursor.log_tag);
	wr_cursor_mask_init(&mask, WR_VIEW("remote:a"));
	wr_backend_cursor_format(out, &mask, &cursor);
	out[WR_CURSOR_BYTES] = '\0';
}

static void test_cursors_that_only_the_runtime_can_judge(void)
{
	static const struct {
		const char *label, *worker;
		uint8_t log;
		uint32_t generation;
		uint64_t sequence;
		const char *told; /* NULL: it is good */
	} rows[] = {
		{"of another Worker", "w-2", 1, 2, 10, "scope_mismatch"},
		{"of another log", "w-1", 2, 2, 10, "\"reason\":\"unknown\""},
		{"of no generation", "w-1", 1, 0, 10, "\"reason\":\"unknown\""},
		{"of a generation to come", "w-1", 1, 9, 10, "\"reason\":\"unknown\""},
		{"ahead", "w-1", 1, 2, 1000, "\"reason\":\"ahead\""},
		{"in the lost tail", "w-1", 1, 1, 19, "\"reason\":\"lost_tail\""},
		{"below what is kept", "w-1", 1, 1, 3, "\"reason\":\"expired\""},
		{"the last of an old generation", "w-1", 1, 1, 15, NULL},
		{"the newest of all", "w-1", 1, 2, 25, NULL},
	};

	world_prepare();
	say(1, 20);
	far_crash(15);
	say(1, 10); /* 16 to 25 */
	far.evicted[1] = 5;
	world_start();
	world_settle();
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct browser browser;
		char token[WR_CURSOR_BYTES + 1];
		wr_test_case(rows[i].label);
		make_token(token, rows[i].worker, rows[i].log, rows[i].generation,
			   rows[i].sequence);
		browser_resume(&browser, 1, token, rows[i].generation == 1 ? 20 : 30,
			       WORLD_UNLIMITED);
		world_pass_ms(300); /* silence is how it is good */
		browser_settle(&browser);
		if (rows[i].told != NULL) {
			CHECK(browser_was_told(&browser, rows[i].told));
			CHECK_U64(browser.close_code, 1008);
		} else {
			CHECK(browser.diagnostic[0] == '\0' && browser_is_up_to_date(&browser));
			CHECK_U64(browser.events, 25 - rows[i].sequence);
		}
		browser_close(&browser);
	}
	CHECK_U64(far.wide_opened, 1); /* nobody's cursor makes us doubt the upstream */
	world_close();
}

/* ---- history ---- */

static void test_history_beyond_a_run_comes_whole(void)
{
	struct browser browser, other;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	for (unsigned i = 0; i < 300; i++)
		far_append(1, i % 50 == 7 ? FAR_NOVELTY : FAR_OUTPUT, i % 3 == 0 ? 10000 : 100);
	far_append(2, FAR_OUTPUT, 1); /* so that Worker 1's newest is not the log's */
	world_start();
	world_settle();
	make_token(cursor, "w-1", 1, 1, 1);
	browser_resume(&browser, 1, cursor, 1, WORLD_UNLIMITED);
	make_token(cursor, "w-1", 1, 1, 200);
	browser_resume(&other, 1, cursor, 200, WORLD_UNLIMITED);
	for (unsigned i = 0; i < 20; i++) {
		browser_settle(&browser);
		browser_settle(&other);
	}
	CHECK(browser_is_up_to_date(&browser) && browser_is_up_to_date(&other));
	CHECK_U64(browser.events, 299 - 6);
	/* They cannot know that there is no more; when there is, they get it. */
	world_pass_ms(2000);
	CHECK_U64(far.worker_count, 0);
	say(1, 3);
	browser_settle(&browser);
	browser_settle(&other);
	CHECK(browser_is_up_to_date(&browser) && browser_is_up_to_date(&other));
	CHECK(world.remote->fetched_bytes < 1 << 20);
	browser_close(&browser);
	browser_close(&other);
	world_close();
}

static void test_what_a_quiet_runtime_says_late_is_not_missed(void)
{
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 10);
	say(2, 1);
	world_start();
	world_settle();
	far.backlog = 0; /* it opens streams and says nothing */
	make_token(cursor, "w-1", 1, 1, 4);
	browser_resume(&browser, 1, cursor, 4, WORLD_UNLIMITED);
	world_pass_ms(1500);
	browser_look(&browser);
	CHECK_U64(browser.events, 0);
	CHECK_U64(far.worker_count, 0);
	far.backlog = 65536;
	world_pass_ms(8000);
	browser_look(&browser);
	CHECK_U64(browser.events, 6);
	browser_close(&browser);
	world_close();
}

static void test_who_begins_does_not_wait_for_somebodys_history(void)
{
	struct browser resumed, fresh;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 50);
	say(2, 1);
	world_start();
	world_settle();
	make_token(cursor, "w-1", 1, 1, 4);
	far.backlog = 0; /* history does not come, */
	browser_resume(&resumed, 1, cursor, 4, WORLD_UNLIMITED);
	world_settle();
	CHECK_U64(far.worker_count, 1);
	browser_open(&fresh, 1); /* and no time goes by */
	world_settle();
	CHECK_U64(fresh.snapshots, 1);
	CHECK_U64(resumed.events, 0);
	far.backlog = 65536;
	say(1, 1);
	world_pass_ms(3000);
	CHECK(browser_is_up_to_date(&resumed) && browser_is_up_to_date(&fresh));
	browser_close(&resumed);
	browser_close(&fresh);
	world_close();
}

static void test_history_that_is_gone_is_a_typed_end(void)
{
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 10);
	far.evicted[1] = 5;
	world_start();
	world_settle();
	make_token(cursor, "w-1", 1, 1, 4);
	browser_resume(&browser, 1, cursor, 4, WORLD_UNLIMITED);
	browser_settle(&browser);
	CHECK(browser_was_told(&browser, "backend.cursor_unknown_or_expired"));
	CHECK(browser_was_told(&browser, "\"reason\":\"expired\""));
	browser_close(&browser);
	/* The next one is told at once. */
	browser_resume(&browser, 1, cursor, 4, WORLD_UNLIMITED);
	browser_look(&browser);
	CHECK(browser_was_told(&browser, "\"reason\":\"expired\""));
	CHECK_U64(browser.close_code, 1008);
	browser_close(&browser);
	world_close();
}

static void test_a_slow_browser_goes_on_from_the_runtime(void)
{
	struct browser slow, quick;

	world_open();
	browser_open(&quick, 1);
	browser_ask(&slow, 1, NULL);
	browser_await_upgrade(&slow, WORLD_UNLIMITED);
	browser_settle(&slow);
	browser_allow(&slow, 100); /* inside a frame */
	for (unsigned i = 0; i < 40; i++) {
		say(1, 10);
		say(2, 10);
		browser_settle(&quick);
		browser_look(&slow);
	}
	CHECK_U64(quick.events, 400);
	CHECK_U64(slow.events, 0);
	browser_allow(&slow, WORLD_UNLIMITED);
	world_pass_ms(3000);
	for (unsigned i = 0; i < 10; i++)
		browser_settle(&slow);
	CHECK_U64(slow.events, 400);
	say(1, 1);
	browser_settle(&slow);
	CHECK_U64(slow.events, 401);
	browser_close(&slow);
	browser_close(&quick);
	world_close();
}

/* ---- the Runtime goes, and comes back ---- */

static void test_streams_stay_open_while_the_runtime_is_away(void)
{
	struct browser browser, fresh;

	world_open();
	say(1, 2);
	browser_open(&browser, 1);
	browser_settle(&browser);
	far.is_away = true;
	far_cut();
	world_pass_ms(20000);
	CHECK_U64(world.state, WR_REMOTE_UNREACHABLE);
	browser_look(&browser);
	CHECK(browser_is_up_to_date(&browser) && browser.diagnostic[0] == '\0');
	browser_open(&fresh, 2);
	browser_settle(&fresh);
	CHECK(browser_was_told(&fresh, "backend.runtime_unavailable"));
	CHECK_U64(fresh.close_code, 1013);
	browser_close(&fresh);
	say(1, 7);
	far.is_away = false;
	world_pass_ms(6000);
	CHECK_U64(world.state, WR_REMOTE_UP);
	browser_look(&browser);
	CHECK_U64(browser.events, 7);
	far.is_away = true;
	far_cut();
	world_pass_ms(20000);
	far.is_away = false;
	world.now_ms += 150;
	world_turn(); /* the loop knows what time it is */
	wr_remote_stream_nudge(world.remote);
	world_settle();
	CHECK_U64(world.state, WR_REMOTE_UP);
	browser_close(&browser);
	world_close();
}

static void test_the_upstream_is_cut_at_every_position(void)
{
	struct browser browser;

	world_open();
	browser_open(&browser, 1);
	browser_settle(&browser);
	for (size_t cut = 1; cut < 1200; cut++) {
		while (far_wide() == NULL)
			world_pass_ms(200);
		far_wide()->budget = cut;
		say(1, 2);
		far_append(1, FAR_STOPPED, 0);
		say(2, 1);
		world_settle();
		browser_look(&browser);
	}
	world_pass_ms(6000);
	browser_settle(&browser);
	CHECK_U64(browser.events, 3 * 1199);
	CHECK(browser_is_up_to_date(&browser));
	CHECK(browser.diagnostic[0] == '\0');
	browser_close(&browser);
	world_close();
}

static void test_backfills_are_cut_at_every_position(void)
{
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 4);
	say(2, 1);
	world_start();
	world_settle();
	make_token(cursor, "w-1", 1, 1, 1);
	for (size_t cut = 1; cut < 1000; cut += 7) {
		struct browser browser;
		struct wr_mirror_worker *worker;
		browser_resume(&browser, 1, cursor, 1, WORLD_UNLIMITED);
		for (unsigned i = 0; i < 10; i++) {
			world_turn();
			for (unsigned c = 0; c < FAR_CONNS; c++)
				if (far.conns[c].fd >= 0 && far.conns[c].scope != 0 &&
				    far.conns[c].budget == SIZE_MAX)
					far.conns[c].budget = cut;
		}
		world_pass_ms(3000);
		browser_settle(&browser);
		CHECK_U64(browser.events, 3);
		CHECK(browser.diagnostic[0] == '\0');
		browser_close(&browser);
		world_settle();
		worker = wr_mirror_find(&world.remote->mirror, WR_VIEW("w-1"));
		wr_remote_kept_drop(world.remote, worker);
		worker->fetch.remote_number = cut % 2 == 0 ? worker->fetch.remote_number : 0;
	}
	world_close();
}

static void test_a_restart_with_the_same_log_is_not_noticed(void)
{
	struct browser browser;

	world_open();
	say(1, 5);
	browser_open(&browser, 1);
	browser_settle(&browser);
	say(1, 5);
	browser_settle(&browser);
	far_crash(far.head);
	say(1, 5);
	world_pass_ms(1000);
	browser_settle(&browser);
	CHECK_U64(browser.events, 10);
	CHECK(browser.diagnostic[0] == '\0');
	browser_close(&browser);
	world_close();
}

static void test_a_log_that_cannot_go_on_is_a_typed_end_for_all(void)
{
	static const char *const reasons[] = {"lost_tail", "unknown", "expired", "ahead"};

	for (unsigned i = 0; i < WR_COUNT(reasons); i++) {
		struct browser browser, fresh;
		wr_test_case(reasons[i]);
		world_open();
		say(1, 5);
		browser_open(&browser, 1);
		browser_settle(&browser);
		say(1, 5);
		browser_settle(&browser);
		if (i == 0)
			far_crash(8);
		far_cut();
		if (i == 1)
			far_new_log(9);
		if (i == 2) {
			say(2, 5);
			far.evicted[0] = 13;
		}
		if (i == 3) { /* an old copy was put back */
			far.head = 9;
			far.records[9].lost_at = far.count;
		}
		world_pass_ms(500);
		browser_settle(&browser);
		CHECK(browser_was_told(&browser, "backend.cursor_unknown_or_expired"));
		CHECK(browser_was_told(&browser, reasons[i]));
		CHECK_U64(browser.close_code, 1013);
		browser_close(&browser);
		CHECK_U64(world.state, WR_REMOTE_UP);
		browser_open(&fresh, 1);
		browser_settle(&fresh);
		CHECK_U64(fresh.snapshots, 1);
		say(1, 3);
		browser_settle(&fresh);
		CHECK_U64(fresh.events, 3);
		browser_close(&fresh);
		world_close();
	}
}

static void test_who_is_ahead_in_a_lost_tail_is_told(void)
{
	struct browser ahead;

	world_open();
	say(1, 5);
	world_settle();
	far.is_mute_upstream = true;
	say(1, 3); /* 6 to 8, which the upstream never sees */
	browser_open(&ahead, 1);
	browser_settle(&ahead);
	CHECK_U64(ahead.position, 8);
	far_crash(5);
	far.is_mute_upstream = false;
	say(1, 2); /* 6 and 7 again, as something else */
	world_pass_ms(500);
	browser_settle(&ahead);
	CHECK_U64(ahead.events, 0);
	CHECK(browser_was_told(&ahead, "lost_tail"));
	browser_close(&ahead);
	world_close();
}

static void test_a_snapshot_of_a_later_process_proves_a_lost_tail(void)
{
	struct browser fresh, old;

	world_open();
	say(1, 8);
	browser_open(&old, 1);
	browser_settle(&old);
	say(1, 2);
	browser_settle(&old);
	/* The upstream does not notice that the other side is gone. */
	far.is_mute_upstream = true;
	far.generation_end[1] = 6;
	for (uint32_t i = 6; i < far.count; i++)
		far.records[i].lost_at = far.count;
	far.head = 6;
	far.generation = 2;
	world_pass_ms(2000);
	browser_open(&fresh, 1);
	browser_settle(&fresh);
	CHECK(browser_was_told(&fresh, "backend.runtime_unavailable"));
	CHECK_U64(fresh.snapshots, 0);
	far.is_mute_upstream = false;
	world_pass_ms(1000);
	browser_settle(&old);
	CHECK(browser_was_told(&old, "lost_tail"));
	CHECK_U64(far.wide_opened, 3); /* asked, refused, anew */
	browser_close(&fresh);
	browser_close(&old);
	world_close();
}

/* ---- states ---- */

static void test_states_and_who_waits_for_them(void)
{
	static const struct {
		unsigned http_status;
		enum wr_remote_state state;
	} rows[] = {
		{401, WR_REMOTE_UNAUTHORIZED}, {403, WR_REMOTE_UNAUTHORIZED},
		{404, WR_REMOTE_UNSUPPORTED},  {405, WR_REMOTE_UNSUPPORTED},
		{501, WR_REMOTE_UNSUPPORTED},  {503, WR_REMOTE_UNREACHABLE},
		{500, WR_REMOTE_UNREACHABLE},  {302, WR_REMOTE_UNREACHABLE},
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct browser browser;
		world_prepare();
		far.refuses = rows[i].http_status;
		world_start();
		CHECK_U64(wr_remote_stream_state(world.remote), WR_REMOTE_CONNECTING);
		browser_ask(&browser, 1, NULL);
		browser_await_upgrade(&browser, WORLD_UNLIMITED);
		browser_settle(&browser);
		CHECK_U64(wr_remote_stream_state(world.remote), rows[i].state);
		CHECK_U64(world.state, rows[i].state);
		CHECK(browser_was_told(&browser, "backend.runtime_unavailable"));
		browser_close(&browser);
		far.refuses = 0;
		world_pass_ms(70000);
		CHECK_U64(world.state, WR_REMOTE_UP);
		world_close();
	}
}

static void test_who_comes_while_it_connects_waits(void)
{
	struct browser fresh, resumed;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 5);
	far.is_mute = true; /* it shakes hands, and does not say where its log stands */
	world_start();
	browser_open(&fresh, 1);
	make_token(cursor, "w-1", 1, 1, 2);
	browser_resume(&resumed, 1, cursor, 2, WORLD_UNLIMITED);
	world_settle();
	browser_look(&fresh);
	CHECK(fresh.diagnostic[0] == '\0' && !fresh.has_begun);
	world_pass_ms(2500);
	browser_look(&fresh);
	CHECK(browser_was_told(&fresh, "backend.runtime_unavailable"));
	CHECK_U64(world.state, WR_REMOTE_UNREACHABLE);
	browser_close(&fresh);
	browser_close(&resumed);
	world_close();

	world_prepare();
	say(1, 5);
	world_start();
	browser_ask(&fresh, 1, NULL);
	wr_reactor_turn(&world.reactor, 0);
	browser_await_upgrade(&fresh, WORLD_UNLIMITED);
	browser_settle(&fresh);
	CHECK_U64(fresh.snapshots, 1);
	browser_close(&fresh);
	world_close();
}

/* ---- hostile messages ---- */

#define CURSOR_OF(n) "re_AQEBAQEBAAABAAAAAAAAAAAAAAAA"

static void test_nonsense_is_cut_and_counted(void)
{
	static const char *const rows[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"kind\":\"event\"}",
		"{\"kind\":\"runtime_snapshot\",\"envelope\":{}}",
		"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"" CURSOR_OF(
			0) "\",\"event_id\":\"" CURSOR_OF(0) "\",\"worker_id\":\"w-1\",\"payload\":"
							     "{\"event\":\"text_delta\",\"data\":{"
							     "\"text\":\"again\"}}}}",
		"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"wo_ffffffffffffffff\",\"event_id\":"
		"\"wo_ffffffffffffffff\",\"worker_id\":\"w-1\",\"payload\":{\"event\":\"text_"
		"delta\","
		"\"data\":{\"text\":\"x\"}}}}",
		"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"other\",\"event_id\":\"other\","
		"\"worker_id\":\"w-1\",\"payload\":{\"event\":\"text_delta\",\"data\":{\"text\":"
		"\"x\"}}}}",
		/* another log */
		"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"re_AgICAgICAAABAAAAAAAAAAAAAP__\","
		"\"event_id\":\"re_AgICAgICAAABAAAAAAAAAAAAAP__\",\"worker_id\":\"w-1\","
		"\"payload\":{"
		"\"event\":\"text_delta\",\"data\":{\"text\":\"x\"}}}}",
		/* no generation */
		"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"re_AQEBAQEBAAAAAAAAAAAAAAAAAP__\","
		"\"event_id\":\"re_AQEBAQEBAAAAAAAAAAAAAAAAAP__\",\"worker_id\":\"w-1\","
		"\"payload\":{"
		"\"event\":\"text_delta\",\"data\":{\"text\":\"x\"}}}}",
	};
	struct browser browser;

	world_open();
	browser_open(&browser, 1);
	browser_settle(&browser);
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		wr_test_case(rows[i]);
		far.nonsense = rows[i];
		world_settle();
		CHECK_U64(world.state, WR_REMOTE_MALFORMED);
		world_pass_ms(12000);
		CHECK_U64(world.state, WR_REMOTE_UP);
		say(1, 1);
		browser_settle(&browser);
		CHECK_U64(browser.events, i + 1);
	}
	CHECK(browser.diagnostic[0] == '\0');
	browser_close(&browser);
	world_close();
}

static void test_a_diagnostic_without_a_refusal_is_a_cut(void)
{
	static const char *const rows[] = {
		"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"runtime.cursor_expired\","
		"\"message\":\"m\"}}",
		"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"runtime.store_io\","
		"\"message\":"
		"\"m\"}}",
		"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"whatever\",\"message\":\"m\"}"
		"}",
	};
	struct browser browser;

	world_open();
	browser_open(&browser, 1);
	browser_settle(&browser);
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		far.nonsense = rows[i];
		world_settle();
		world_pass_ms(12000);
		CHECK_U64(world.state, WR_REMOTE_UP);
		say(1, 1);
		browser_settle(&browser);
		CHECK_U64(browser.events, i + 1);
	}
	browser_close(&browser);
	world_close();
}

/* A frame of a Worker's stream. */
#define FRAME(cursor, prefix, id, payload)                       \
	"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"" cursor \
	"\",\"event_id\":\"" prefix cursor "\",\"worker_id\":\"" id "\",\"payload\":" payload "}}"
#define TEXT_PAYLOAD "{\"event\":\"text_delta\",\"data\":{\"text\":\"x\"}}"
#define SNAPSHOT_PAYLOAD                                                                       \
	"{\"event\":\"snapshot\",\"data\":{\"entries\":[],\"greeting\":{\"worker_name\":\"\"," \
	"\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[],"   \
	"\"context_window\":0,\"context_tokens\":0},\"status\":\"idle\"}}"

/* Snapshots that are none, or of something else. */
static void test_nonsense_instead_of_a_snapshot_is_not_shown(void)
{
	static const char *const rows[] = {
		"",
		"{}",
		"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"what\",\"message\":\"\"}}",
		"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"runtime.cursor_malformed\","
		"\"message\":\"\"}}",
		FRAME("wo_0000000000000007", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
		FRAME("other", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
		FRAME("re_AQEBAQEBAAABAAAAAAAAAAAAAAAK", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
		/* of no number, of another Worker, of another log */
		FRAME("wo_AQEBAQEBAAABAAAAAAAAAAAAAAAK", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
		FRAME("wo_AQEBAQEBAAABAAAAZQAAAAAAAAAK", "snapshot:", "w-2", SNAPSHOT_PAYLOAD),
		FRAME("wo_AgICAgICAAABAAAAZQAAAAAAAAAK", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
		/* of a process that is no more */
		FRAME("wo_AQEBAQEBAAAAAAAAZQAAAAAAAAAK", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
		/* an event */
		FRAME("wo_AQEBAQEBAAABAAAAZQAAAAAAAAAK", "", "w-1", TEXT_PAYLOAD),
		FRAME("wo_AQEBAQEBAAABAAAAZQAAAAAAAAAK", "", "w-1", SNAPSHOT_PAYLOAD),
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct browser browser;
		wr_test_case(rows[i]);
		world_open();
		say(1, 10);
		world_settle();
		far.worker_nonsense = rows[i];
		browser_open(&browser, 1);
		world_pass_ms(8000);
		CHECK(browser_was_told(&browser, "backend.runtime_unavailable"));
		CHECK(browser.snapshots == 0 && browser.close_code == 1013);
		browser_close(&browser);
		far.worker_nonsense = NULL;
		world_pass_ms(6000);
		browser_open(&browser, 1);
		browser_settle(&browser);
		CHECK_U64(browser.snapshots, 1);
		browser_close(&browser);
		world_close();
	}
}

static void test_nonsense_instead_of_history_is_not_shown(void)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"what\",\"message\":\"\"}}",
		/* what it has, another number, another Worker, another log */
		FRAME("wo_AQEBAQEBAAABAAAAZQAAAAAAAAAE", "", "w-1", TEXT_PAYLOAD),
		FRAME("wo_AQEBAQEBAAABAAAAZgAAAAAAAAAF", "", "w-1", TEXT_PAYLOAD),
		FRAME("wo_AQEBAQEBAAABAAAAZQAAAAAAAAAF", "", "w-2", TEXT_PAYLOAD),
		FRAME("wo_AgICAgICAAABAAAAZQAAAAAAAAAF", "", "w-1", TEXT_PAYLOAD),
		/* a snapshot that is no answer to a cursor */
		FRAME("wo_AQEBAQEBAAABAAAAZQAAAAAAAAAF", "snapshot:", "w-1", SNAPSHOT_PAYLOAD),
	};
	char cursor[WR_CURSOR_BYTES + 1];

	make_token(cursor, "w-1", 1, 1, 4);
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct browser browser;
		wr_test_case(rows[i]);
		world_prepare();
		say(1, 10);
		world_start();
		world_settle();
		wr_mirror_take(&world.remote->mirror, WR_VIEW("w-1"))->fetch.remote_number =
			FAR_NUMBER + 1;
		far.worker_nonsense = rows[i];
		browser_resume(&browser, 1, cursor, 4, WORLD_UNLIMITED);
		world_pass_ms(8000);
		CHECK(browser.events == 0 && browser.diagnostic[0] == '\0');
		CHECK(far.worker_opened >= 2); /* tried again, and not all the time */
		CHECK(far.worker_opened <= 30);
		far.worker_nonsense = NULL;
		world_pass_ms(8000);
		CHECK_U64(browser.events, 6);
		browser_close(&browser);
		world_close();
	}
}

/* ---- verdicts that come late, or not ---- */

static void test_a_refusal_that_crosses_our_close_is_heard(void)
{
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 20);
	far_crash(15);
	world_start();
	world_settle();
	far.tardy = 30; /* turns: we have closed by then */
	make_token(cursor, "w-1", 1, 1, 19);
	browser_resume(&browser, 1, cursor, 20, WORLD_UNLIMITED);
	world_pass_ms(1500);
	CHECK(browser_was_told(&browser, "\"reason\":\"lost_tail\""));
	CHECK_U64(browser.close_code, 1008);
	browser_close(&browser);
	world_close();
}

static void test_a_runtime_that_does_not_answer_a_close_gives_no_verdict(void)
{
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	say(1, 20);
	far_crash(15);
	world_start();
	world_settle();
	far.is_rude = true;
	make_token(cursor, "w-1", 1, 1, 15); /* it would be good */
	browser_resume(&browser, 1, cursor, 20, WORLD_UNLIMITED);
	world_pass_ms(3000);
	CHECK(browser_was_told(&browser, "backend.runtime_unavailable"));
	browser_close(&browser);
	world_close();
}

/* ---- who watches ---- */

static void test_unwatched_streams_go_and_come_again(void)
{
	struct browser browser;
	struct wr_mirror_worker *worker;
	char cursor[WR_CURSOR_BYTES + 1];
	uint32_t as_of;

	world_open();
	say(1, 3);
	browser_open(&browser, 1);
	browser_settle(&browser);
	say(1, 30);
	browser_settle(&browser);
	worker = wr_mirror_find(&world.remote->mirror, WR_VIEW("w-1"));
	CHECK(worker->is_kept && worker->events.count >= 30);
	memcpy(cursor, browser.cursor, sizeof cursor);
	as_of = browser.as_of;
	browser_close(&browser);
	world_pass_ms(50000);
	CHECK(worker->is_kept);
	world_pass_ms(15000);
	CHECK(!worker->is_kept && worker->events.count == 0);
	CHECK(world.remote->mirror.log.count == 0 && world.remote->mirror.log.bytes == 0);
	/* It is known that nothing came since: nobody is asked. */
	far.worker_opened = 0;
	browser_resume(&browser, 1, cursor, as_of, WORLD_UNLIMITED);
	say(1, 2);
	browser_settle(&browser);
	CHECK_U64(browser.events, 2);
	CHECK_U64(far.worker_opened, 0);
	browser_close(&browser);
	world_pass_ms(65000);
	/* It is known that something came: it is fetched, and then complete. */
	say(1, 2);
	world_settle();
	browser_resume(&browser, 1, cursor, as_of, WORLD_UNLIMITED);
	browser_settle(&browser);
	CHECK_U64(browser.events, 4);
	CHECK_U64(far.worker_count, 0);
	browser_close(&browser);
	world_close();
}

/* Whoever may ask for anything can ask for Workers that there are not. */
static void test_watching_what_there_is_not_leaves_room_for_what_there_is(void)
{
	struct browser browser, watcher;

	world_open();
	world.remote->mirror.count_max = 4;
	say(1, 3);
	browser_open(&watcher, 1);
	browser_settle(&watcher);
	for (uint32_t worker = 900; worker < 910; worker++) {
		browser_open(&browser, worker);
		browser_settle(&browser);
		CHECK(browser_was_told(&browser, "backend.worker_not_found"));
		browser_close(&browser);
		world_settle();
	}
	say(2, 3);
	browser_open(&browser, 2);
	browser_settle(&browser);
	say(1, 3);
	say(2, 3);
	browser_settle(&browser);
	browser_settle(&watcher);
	CHECK(browser_is_up_to_date(&browser) && browser_is_up_to_date(&watcher));
	CHECK_U64(watcher.events, 3);
	CHECK_U64(world.remote->mirror.count, 4);
	browser_close(&browser);
	browser_close(&watcher);
	world_close();
}

/* Frames that were fetched for one Worker lie ready under its number. */
static void test_who_takes_over_a_number_is_shown_nothing_of_who_had_it(void)
{
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	for (unsigned i = 0; i < 100; i++) {
		far_append(1, FAR_OUTPUT, 20);
		far_append(2, FAR_OUTPUT, 20);
	}
	world_start();
	world_settle();
	world.remote->mirror.count_max = 1;
	make_token(cursor, "w-1", 1, 1, 1);
	browser_resume(&browser, 1, cursor, 1, WORLD_UNLIMITED);
	browser_settle(&browser);
	CHECK_U64(browser.events, 99);
	browser_close(&browser);
	/* One who goes before it has all leaves what was made for it. */
	browser_resume(&browser, 1, cursor, 1, 5000);
	browser_settle(&browser);
	CHECK(browser.events != 0 && browser.events < 99);
	browser_close(&browser);
	world_pass_ms(2000); /* nothing is asked for it any more */
	make_token(cursor, "w-2", 1, 1, 2);
	browser_resume(&browser, 2, cursor, 2, WORLD_UNLIMITED);
	browser_settle(&browser);
	CHECK_U64(browser.events, 99);
	CHECK_U64(world.remote->mirror.count, 1);
	CHECK(world.remote->fetched_bytes != 0);
	world_pass_ms(130000);
	CHECK_U64(world.remote->fetched_bytes, 0);
	browser_close(&browser);
	world_close();
}

static void test_no_memory_for_an_event_ends_its_stream_and_loses_nothing(void)
{
	struct browser browser, other;
	char cursor[WR_CURSOR_BYTES + 1];
	uint32_t as_of;

	world_open();
	browser_open(&browser, 1);
	browser_open(&other, 2);
	browser_settle(&browser);
	browser_settle(&other);
	say(1, 10);
	say(2, 10);
	browser_settle(&browser);
	far_append(1, FAR_OUTPUT, 200000); /* needs memory */
	far_append(1, FAR_OUTPUT, 10);
	far_turn();
	wr_test_fail_allocation(1, true);
	for (unsigned i = 0; i < 20; i++)
		wr_reactor_turn(&world.reactor, 0);
	wr_test_fail_allocation(0, false);
	for (unsigned i = 0; i < 10; i++)
		world_pass_ms(1000);
	browser_settle(&browser);
	browser_settle(&other);
	memcpy(cursor, browser.cursor, sizeof cursor);
	as_of = browser.as_of;
	if (browser.is_ended || browser.is_reset || browser.diagnostic[0] != '\0') {
		browser_close(&browser);
		browser_resume(&browser, 1, cursor, as_of, WORLD_UNLIMITED);
		browser_settle(&browser);
	}
	CHECK(browser_is_up_to_date(&browser));
	CHECK(browser_is_up_to_date(&other));
	browser_close(&browser);
	browser_close(&other);
	world_close();
}

static void test_memory_fails_at_every_place_and_nothing_is_lost(void)
{
	unsigned ended = 0;

	for (unsigned n = 1; n < 150; n++) {
		struct browser browsers[3];
		char cursor[WR_CURSOR_BYTES + 1];
		wr_test_case(n % 2 == 0 ? "for ever" : "once");
		world_prepare();
		say(1, 20);
		say(2, 1);
		world_start();
		world_settle();
		make_token(cursor, "w-1", 1, 1, 3);
		browser_open(&browsers[0], 1);
		browser_open(&browsers[1], 2);
		browser_resume(&browsers[2], 1, cursor, 3, 0);
		wr_test_fail_allocation((n + 1) / 2, n % 2 == 0);
		browser_allow(&browsers[2], WORLD_UNLIMITED);
		say(1, 5);
		far_append(2, FAR_OUTPUT, 70000);
		world_pass_ms(500);
		far_cut();
		say(1, 5);
		world_pass_ms(500);
		wr_test_fail_allocation(0, false);
		world_pass_ms(12000);
		say(1, 1);
		say(2, 1);
		world_pass_ms(8000);
		for (unsigned i = 0; i < 3; i++) {
			struct browser *browser = &browsers[i], again;
			if (browser->is_ended || browser->is_reset) {
				ended++;
				if (browser->cursor[0] == '\0') {
					browser_open(&again, browser->worker);
				} else {
					browser_resume(&again, browser->worker, browser->cursor,
						       browser->as_of, WORLD_UNLIMITED);
				}
				browser_close(browser);
				world_pass_ms(3000);
				CHECK(browser_is_up_to_date(&again));
				browser_close(&again);
				continue;
			}
			CHECK(browser_is_up_to_date(browser));
			browser_close(browser);
		}
		world_close();
	}
	CHECK(ended > 10);
}

static void test_what_is_fetched_is_bounded(void)
{
	enum { COUNT = 24 };
	static struct browser browsers[COUNT];
	char cursor[WR_CURSOR_BYTES + 1], id[16];

	world_prepare();
	for (unsigned i = 0; i < 30; i++)
		for (uint32_t worker = 1; worker <= COUNT; worker++)
			far_append(worker, FAR_OUTPUT, 20000);
	world_start();
	world_settle();
	for (uint32_t i = 0; i < COUNT; i++) {
		snprintf(id, sizeof id, "w-%u", i + 1);
		make_token(cursor, id, 1, 1, i + 1);
		browser_resume(&browsers[i], i + 1, cursor, i + 1, 3000);
	}
	for (unsigned i = 0; i < 80; i++) { /* some take a little, now and then */
		world_pass_ms(100);
		browser_allow(&browsers[i % COUNT], 30000);
		CHECK(world.remote->fetched_bytes <= (4 << 20) + 3 * (512 << 10));
		CHECK(far.worker_count <= WR_BACKFILL_CONNECTIONS);
	}
	for (unsigned i = 0; i < COUNT; i++)
		browser_allow(&browsers[i], WORLD_UNLIMITED);
	for (uint32_t i = 0; i < COUNT; i++)
		say(i + 1, 1);
	world_pass_ms(30000);
	for (unsigned i = 0; i < COUNT; i++) {
		CHECK_U64(browsers[i].events, 30);
		CHECK(browser_is_up_to_date(&browsers[i]));
		browser_close(&browsers[i]);
	}
	world_pass_ms(15000);
	CHECK_U64(world.remote->fetched_bytes, 0);
	world_close();
}

static void test_a_large_event_passes(void)
{
	struct browser browser;

	world_open();
	browser_open(&browser, 1);
	browser_settle(&browser);
	far_append(1, FAR_OUTPUT, 6000000);
	far_append(1, FAR_OUTPUT, 10);
	for (unsigned i = 0; i < 200 && browser.events < 2; i++)
		browser_settle(&browser);
	CHECK_U64(browser.events, 2);
	far_append(1, FAR_OUTPUT, 7000000); /* over what a frame may be */
	world_pass_ms(1000);
	CHECK_U64(world.state, WR_REMOTE_MALFORMED);
	browser_close(&browser);
	world_close();
}

static void test_texts_that_do_not_belong_in_a_head_are_refused(void)
{
	static char long_prefix[6000];
	static const struct {
		const char *label, *host, *prefix, *authorization;
	} rows[] = {
		{"a space in the host", "a b", "/base", "Bearer x"},
		{"a line in the host", "a\r\nX: y", "/base", "Bearer x"},
		{"a space in the prefix", "a", "/a b", "Bearer x"},
		{"a line in the prefix", "a", "/a\r\n", "Bearer x"},
		{"a long prefix", "a", long_prefix, "Bearer x"},
		{"a line in the credential", "a", "/base", "Bearer x\r\nX: y"},
		{"a control character in it", "a", "/base", "Bearer \x01"},
	};
	struct wr_remote_stream *remote;

	memset(long_prefix, '/', sizeof long_prefix - 1);
	world_open();
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct wr_remote_stream_config config = world.config;
		wr_test_case(rows[i].label);
		config.host = wr_view_of_string(rows[i].host);
		config.target_prefix = wr_view_of_string(rows[i].prefix);
		config.authorization = wr_view_of_string(rows[i].authorization);
		CHECK_STATUS(wr_remote_stream_new(&remote, &world.reactor, wr_test_allocator(),
						  world.server, &config),
			     WR_INVALID);
	}
	for (unsigned n = 1; n < 50; n++) {
		enum wr_status status;
		wr_test_fail_allocation(n, false);
		status = wr_remote_stream_new(&remote, &world.reactor, wr_test_allocator(),
					      world.server, &world.config);
		wr_test_fail_allocation(0, false);
		CHECK(status == WR_NO_MEMORY || status == WR_OK);
		if (status == WR_OK)
			wr_remote_stream_free(remote);
		if (status == WR_OK && n > 20)
			break;
	}
	world_close();
}

static void test_a_drain_says_goodbye_to_all(void)
{
	struct browser live, waiting;

	world_open();
	browser_open(&live, 1);
	browser_settle(&live);
	far.is_mute = true;
	browser_open(&waiting, 2);
	browser_settle(&waiting);
	say(1, 3);
	wr_remote_stream_drain(world.remote);
	browser_settle(&live);
	browser_settle(&waiting);
	CHECK_U64(live.close_code, 1001);
	CHECK_U64(waiting.close_code, 1001);
	browser_close(&live);
	browser_close(&waiting);
	world_close();
}

/* A remote that is taken out of the configuration. */
static void test_who_is_left_without_a_remote_is_told(void)
{
	struct browser live, waiting;

	world_open();
	browser_open(&live, 1);
	browser_settle(&live);
	far.is_mute = true;
	browser_open(&waiting, 2);
	say(1, 3);
	browser_settle(&live);
	CHECK_U64(live.events, 3);
	wr_remote_stream_free(world.remote);
	browser_look(&live);
	browser_look(&waiting);
	CHECK(browser_was_told(&live, "backend.runtime_unavailable"));
	CHECK(browser_was_told(&waiting, "backend.runtime_unavailable"));
	CHECK_U64(live.close_code, 1013);
	CHECK_U64(waiting.close_code, 1013);
	far.is_mute = false;
	world_start();
	world_settle();
	browser_close(&live);
	browser_close(&waiting);
	world_close();
}

/* A rule that hides every third event, and what snapshots say. */
static enum wr_policy_verdict hide_some(void *context, const struct wr_policy_event *event,
					struct wr_buf *replacement)
{
	(void)context, (void)replacement;
	return memmem(event->payload.data, event->payload.bytes, "hijk", 4) == NULL
		       ? WR_POLICY_DENY
		       : WR_POLICY_PASS;
}

static void test_denied_events_are_never_shown_and_leave_no_gap(void)
{
	const struct wr_policy policy = {.on_event = hide_some};
	struct browser browser;
	char cursor[WR_CURSOR_BYTES + 1];

	world_prepare();
	world.config.policy = &policy;
	for (unsigned i = 0; i < 10; i++) {
		far_append(1, FAR_OUTPUT, 100);
		far_append(1, FAR_OUTPUT, 0)->is_hidden = true;
	}
	far_append(2, FAR_OUTPUT, 0);
	world_start();
	world_settle();
	make_token(cursor, "w-1", 1, 1, 1);
	browser_resume(&browser, 1, cursor, 1, WORLD_UNLIMITED);
	browser_settle(&browser);
	CHECK_U64(browser.events, 9);
	far_append(1, FAR_STOPPED, 0)->is_hidden = true;
	far_append(1, FAR_OUTPUT, 100);
	browser_settle(&browser);
	CHECK_U64(browser.events, 10);
	browser_close(&browser);
	world_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_fresh_browser_gets_a_snapshot_and_what_follows),
	WR_TEST_LIMIT(test_many_who_wait_for_a_snapshot_cause_one_fetch, 60),
	WR_TEST(test_a_kept_snapshot_is_good_while_nothing_newer_was_seen),
	WR_TEST(test_a_snapshot_ahead_of_the_upstream_is_not_followed_by_what_it_has),
	WR_TEST(test_an_upstream_ahead_of_the_snapshot_leaves_no_gap),
	WR_TEST(test_there_is_no_such_worker),
	WR_TEST(test_a_cursor_is_resumed_without_asking_when_the_mirror_knows),
	WR_TEST(test_refused_cursors),
	WR_TEST(test_cursors_that_only_the_runtime_can_judge),
	WR_TEST_LIMIT(test_history_beyond_a_run_comes_whole, 60),
	WR_TEST(test_what_a_quiet_runtime_says_late_is_not_missed),
	WR_TEST(test_who_begins_does_not_wait_for_somebodys_history),
	WR_TEST(test_history_that_is_gone_is_a_typed_end),
	WR_TEST_LIMIT(test_a_slow_browser_goes_on_from_the_runtime, 60),
	WR_TEST_LIMIT(test_streams_stay_open_while_the_runtime_is_away, 60),
	WR_TEST_LIMIT(test_the_upstream_is_cut_at_every_position, 120),
	WR_TEST_LIMIT(test_backfills_are_cut_at_every_position, 120),
	WR_TEST(test_a_restart_with_the_same_log_is_not_noticed),
	WR_TEST(test_a_log_that_cannot_go_on_is_a_typed_end_for_all),
	WR_TEST(test_who_is_ahead_in_a_lost_tail_is_told),
	WR_TEST(test_a_snapshot_of_a_later_process_proves_a_lost_tail),
	WR_TEST_LIMIT(test_states_and_who_waits_for_them, 60),
	WR_TEST(test_who_comes_while_it_connects_waits),
	WR_TEST_LIMIT(test_nonsense_is_cut_and_counted, 60),
	WR_TEST_LIMIT(test_a_diagnostic_without_a_refusal_is_a_cut, 60),
	WR_TEST_LIMIT(test_unwatched_streams_go_and_come_again, 60),
	WR_TEST_LIMIT(test_watching_what_there_is_not_leaves_room_for_what_there_is, 60),
	WR_TEST_LIMIT(test_who_takes_over_a_number_is_shown_nothing_of_who_had_it, 60),
	WR_TEST(test_no_memory_for_an_event_ends_its_stream_and_loses_nothing),
	WR_TEST_LIMIT(test_nonsense_instead_of_a_snapshot_is_not_shown, 60),
	WR_TEST_LIMIT(test_nonsense_instead_of_history_is_not_shown, 60),
	WR_TEST(test_a_refusal_that_crosses_our_close_is_heard),
	WR_TEST(test_a_runtime_that_does_not_answer_a_close_gives_no_verdict),
	WR_TEST_LIMIT(test_memory_fails_at_every_place_and_nothing_is_lost, 120),
	WR_TEST_LIMIT(test_what_is_fetched_is_bounded, 120),
	WR_TEST_LIMIT(test_a_large_event_passes, 60),
	WR_TEST(test_texts_that_do_not_belong_in_a_head_are_refused),
	WR_TEST(test_a_drain_says_goodbye_to_all),
	WR_TEST(test_who_is_left_without_a_remote_is_told),
	WR_TEST(test_denied_events_are_never_shown_and_leave_no_gap),
	WR_TEST_END,
};
