/* Goal: the upstream is there again soon after every end, but never hammers; it goes on exactly
 * where it was, and nothing of what a remote can say gets past it out of order. Method: a scripted
 * Runtime on a clock that is moved by hand. */
#include "backend/upstream.h"
#include "io/clock.h"
#include "unit/backend/scripted_runtime.h"

static struct {
	struct wr_reactor reactor;
	struct wr_upstream upstream;
	struct wr_stream_peer peer;
	uint64_t now_ms, sequence;
	unsigned begins, frames, losses, states;
	enum wr_status why;
} rig;

uint64_t wr_clock_monotonic_ms(void)
{
	return rig.now_ms;
}

int64_t wr_clock_wall_ms(void)
{
	return (int64_t)rig.now_ms;
}

/* ---- what it tells ---- */

static void on_begin(void *context, const struct wr_cursor *position)
{
	CHECK(context == &rig);
	rig.begins++;
	rig.sequence = position->sequence;
}

static void on_frame(void *context, const struct wr_stream_frame *frame, bool is_known)
{
	(void)context, (void)is_known;
	CHECK(frame->sequence > rig.sequence);
	CHECK_U64(rig.upstream.position.sequence, frame->sequence);
	rig.sequence = frame->sequence;
	rig.frames++;
}

static void on_lost(void *context, enum wr_status why)
{
	(void)context;
	CHECK(!rig.upstream.has_position);
	rig.losses++;
	rig.why = why;
}

static void on_state(void *context)
{
	(void)context;
	rig.states++;
}

static const struct wr_upstream_ops ops = {on_begin, on_frame, on_lost, on_state};

/* ---- the rig ---- */

static void turns(unsigned count)
{
	while (count-- > 0) {
		wr_reactor_turn(&rig.reactor, 0);
		wr_upstream_turn(&rig.upstream);
		far_turn();
	}
}

static void pass(uint64_t ms)
{
	while (ms != 0) {
		uint64_t step = ms < 10 ? ms : 10;
		rig.now_ms += step;
		ms -= step;
		turns(4);
	}
	turns(20);
}

static void prepare(void)
{
	struct wr_error error;

	memset(&rig, 0, sizeof rig);
	rig.now_ms = 1000;
	far_open();
	CHECK_STATUS(wr_reactor_init(&rig.reactor, wr_test_allocator(), &error), WR_OK);
	rig.peer = (struct wr_stream_peer){
		.to.address = far.address,
		.host = WR_VIEW("far.example"),
		.target_prefix = WR_VIEW("/base"),
		.fields = WR_VIEW("Authorization: Bearer secret\r\n"),
		.ms_max = 2000,
	};
}

static void begin(void)
{
	wr_reactor_turn(&rig.reactor, 0);
	CHECK_STATUS(wr_upstream_begin(&rig.upstream, &rig.reactor, wr_test_allocator(), &rig.peer,
				       &ops, &rig),
		     WR_OK);
}

static void finish(void)
{
	wr_upstream_end(&rig.upstream);
	wr_reactor_deinit(&rig.reactor);
	far_close();
}

static void say(unsigned count)
{
	while (count-- > 0)
		far_append(1, FAR_OUTPUT, 10);
}

/* ---- tests ---- */

static void test_it_begins_where_the_log_stands_and_resumes_where_it_was(void)
{
	prepare();
	say(5);
	begin();
	turns(20);
	CHECK(rig.begins == 1 && rig.sequence == 5 && rig.frames == 0);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
	CHECK_STRING(wr_view_of_string(far.last_target), "/base/v1/events/ws");
	say(3);
	far_append(1, FAR_NOVELTY, 0);
	far_append(1, FAR_CREATED, 0);
	turns(20);
	CHECK_U64(rig.frames, 5);
	CHECK_U64(rig.upstream.unknown_events, 1);
	far_cut();
	say(3);
	turns(20);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UNREACHABLE);
	pass(100);
	CHECK_U64(rig.frames, 8);
	CHECK(strstr(far.last_target, "/base/v1/events/ws?cursor=re_") != NULL);
	CHECK(rig.begins == 1 && far.wide_opened == 2 && rig.losses == 0);
	finish();
}

static void test_waits_grow_to_five_seconds_and_shrink_after_a_good_time(void)
{
	uint64_t attempts;

	prepare();
	far.is_away = true;
	begin();
	turns(20);
	CHECK_U64(rig.upstream.attempts, 1);
	pass(100); /* 50 to 100 ms */
	CHECK_U64(rig.upstream.attempts, 2);
	pass(60000);
	attempts = rig.upstream.attempts;
	CHECK(attempts > 10 && attempts < 40);
	pass(60000); /* each 2.5 to 5 s by now */
	CHECK(rig.upstream.attempts - attempts >= 12 && rig.upstream.attempts - attempts <= 24);
	far.is_away = false;
	for (unsigned i = 0; i < 60 && rig.upstream.state != WR_REMOTE_UP; i++)
		pass(100);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
	far_cut();
	pass(300); /* it did not hold: as before */
	CHECK_U64(rig.upstream.state, WR_REMOTE_UNREACHABLE);
	for (unsigned i = 0; i < 60 && rig.upstream.state != WR_REMOTE_UP; i++)
		pass(100);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
	pass(6000);
	far_cut();
	pass(150);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
	finish();
}

static void test_a_nudge_tries_at_once_but_not_all_the_time(void)
{
	uint64_t attempts;

	prepare();
	far.is_away = true;
	begin();
	pass(60000);
	far.is_away = false;
	rig.now_ms += 110;
	wr_reactor_turn(&rig.reactor, 0);
	wr_upstream_nudge(&rig.upstream);
	turns(20);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
	wr_upstream_nudge(&rig.upstream);
	turns(20);
	CHECK_U64(far.wide_opened, 1);
	far.is_away = true;
	far_cut();
	pass(1000);
	attempts = rig.upstream.attempts;
	for (unsigned i = 0; i < 1000; i++) {
		wr_upstream_nudge(&rig.upstream);
		turns(2);
	}
	CHECK(rig.upstream.attempts <= attempts + 1);
	finish();
}

static void test_a_runtime_that_says_nothing_of_its_log_is_given_up(void)
{
	prepare();
	far.is_mute = true;
	begin();
	turns(20);
	CHECK_U64(rig.upstream.state, WR_REMOTE_CONNECTING);
	pass(1900);
	CHECK_U64(rig.upstream.state, WR_REMOTE_CONNECTING);
	pass(200);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UNREACHABLE);
	far.is_mute = false;
	pass(3000);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
	finish();
}

static void test_a_runtime_without_this_stream_is_asked_once_a_minute(void)
{
	prepare();
	far.refuses = 404;
	begin();
	turns(20);
	CHECK_U64(rig.upstream.state, WR_REMOTE_UNSUPPORTED);
	pass(29000);
	CHECK_U64(rig.upstream.attempts, 1);
	pass(600000);
	CHECK(rig.upstream.attempts >= 10 && rig.upstream.attempts <= 22);
	finish();
}

static void test_refused_cursors_are_told_and_asked_anew(void)
{
	static const struct {
		const char *label;
		enum wr_status why;
	} rows[] = {{"lost tail", WR_LOST_TAIL},
		    {"unknown", WR_UNKNOWN},
		    {"expired", WR_EXPIRED},
		    {"ahead", WR_AHEAD}};

	for (unsigned i = 0; i < WR_COUNT(rows); i++) {
		wr_test_case(rows[i].label);
		prepare();
		say(10);
		begin();
		turns(20);
		say(5);
		turns(20);
		if (i == 0)
			far_crash(12);
		far_cut();
		if (i == 1)
			far_new_log(7);
		if (i == 2) {
			say(9);
			far.evicted[0] = 20;
		}
		if (i == 3) { /* an old copy was put back */
			far.head = 14;
			far.records[14].lost_at = far.count;
		}
		pass(150);
		CHECK(rig.losses == 1 && rig.begins == 2);
		CHECK_STATUS(rig.why, rows[i].why);
		CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
		CHECK_U64(rig.sequence, far.head);
		finish();
	}
}

static void test_a_runtime_that_refuses_for_ever_is_not_hammered(void)
{
	prepare();
	say(3);
	begin();
	turns(20);
	for (unsigned i = 0; i < 600; i++) { /* a new log with every connection, and cut */
		far_cut();
		far_new_log((uint8_t)(2 + i % 200));
		pass(100);
	}
	CHECK(rig.losses > 5);
	CHECK(rig.upstream.attempts < 80);
	finish();
}

static void test_a_doubt_is_settled_by_asking(void)
{
	prepare();
	say(3);
	begin();
	turns(20);
	say(2);
	turns(20);
	wr_upstream_verify(&rig.upstream);
	wr_upstream_verify(&rig.upstream);
	say(2);
	pass(150);
	CHECK(rig.frames == 4 && rig.losses == 0 && far.wide_opened == 2);
	CHECK_U64(rig.states, 1); /* it was there all the time */
	finish();
}

static void test_memory_fails_at_every_place_and_it_comes_back(void)
{
	for (unsigned n = 1; n < 40; n++) {
		prepare();
		say(3);
		begin();
		wr_test_fail_allocation(n, n % 2 == 0);
		turns(20);
		far_append(1, FAR_OUTPUT, 100000);
		far.step = 9000;
		turns(30);
		far_cut();
		pass(300);
		wr_test_fail_allocation(0, false);
		far.step = 0;
		say(1);
		pass(12000);
		CHECK_U64(rig.upstream.state, WR_REMOTE_UP);
		CHECK_U64(rig.sequence, far.head);
		finish();
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_it_begins_where_the_log_stands_and_resumes_where_it_was),
	WR_TEST_LIMIT(test_waits_grow_to_five_seconds_and_shrink_after_a_good_time, 60),
	WR_TEST_LIMIT(test_a_nudge_tries_at_once_but_not_all_the_time, 60),
	WR_TEST(test_a_runtime_that_says_nothing_of_its_log_is_given_up),
	WR_TEST_LIMIT(test_a_runtime_without_this_stream_is_asked_once_a_minute, 60),
	WR_TEST(test_refused_cursors_are_told_and_asked_anew),
	WR_TEST_LIMIT(test_a_runtime_that_refuses_for_ever_is_not_hammered, 60),
	WR_TEST(test_a_doubt_is_settled_by_asking),
	WR_TEST_LIMIT(test_memory_fails_at_every_place_and_it_comes_back, 60),
	WR_TEST_END,
};
