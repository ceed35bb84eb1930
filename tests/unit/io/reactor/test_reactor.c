/* Goal: a handler is called for what it wants and watches now, never for what is gone; timers,
 * hooks and watches all get their turn. Method: socket pairs and turns counted one by one. */
#include "io/reactor/reactor.h"
#include "unit/io/sockets.h"

#include "check.h"
#include "io/clock.h"

static struct wr_reactor reactor;

/* A watch that counts its calls and does what the test told it. */
struct end {
	struct wr_watch watch;
	int fd, peer;
	unsigned call_count, ready;
	void (*act)(struct end *end);
	struct end *other;
};

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct end *end = wr_container_of(watch, struct end, watch);

	end->call_count++;
	end->ready |= ready;
	if (end->act != NULL)
		end->act(end);
}

static void open_reactor(void)
{
	struct wr_error error;

	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
}

static void open_end(struct end *end, unsigned wanted)
{
	int fds[2];

	open_pair(fds);
	*end = (struct end){.watch.on_ready = on_ready, .fd = fds[0], .peer = fds[1]};
	CHECK_STATUS(wr_reactor_watch(&reactor, &end->watch, end->fd, wanted), WR_OK);
}

static void poke(const struct end *end)
{
	CHECK(write(end->peer, "x", 1) == 1);
}

static void take(struct end *end)
{
	char bytes[16];

	CHECK(read(end->fd, bytes, sizeof bytes) > 0);
}

/* ---- watches ---- */

static void test_a_ready_watch_is_called_in_every_turn_until_read(void)
{
	struct end end;

	open_reactor();
	open_end(&end, WR_READABLE);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(end.call_count, 0);
	poke(&end);
	wr_reactor_turn(&reactor, 1000);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(end.call_count, 2);
	CHECK_U64(end.ready, WR_READABLE);
	take(&end);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(end.call_count, 2);
	wr_reactor_unwatch(&reactor, &end.watch);
	wr_reactor_unwatch(&reactor, &end.watch);
	CHECK(!end.watch.is_watched);
	wr_reactor_deinit(&reactor);
}

static void test_want_changes_what_is_told(void)
{
	struct end end;

	open_reactor();
	open_end(&end, 0);
	poke(&end);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(end.call_count, 0);
	wr_reactor_want(&reactor, &end.watch, WR_WRITABLE);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(end.ready, WR_WRITABLE);
	wr_reactor_want(&reactor, &end.watch, WR_READABLE | WR_WRITABLE);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(end.ready, WR_READABLE | WR_WRITABLE);
	end.call_count = 0;
	wr_reactor_want(&reactor, &end.watch, 0);
	close(end.peer);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(end.call_count, 0);
	wr_reactor_unwatch(&reactor, &end.watch);
	wr_reactor_deinit(&reactor);
}

static void test_a_hang_up_is_told_as_what_is_wanted(void)
{
	static const unsigned wanted[] = {WR_READABLE, WR_WRITABLE};

	open_reactor();
	for (size_t i = 0; i < WR_COUNT(wanted); i++) {
		struct end end;

		open_end(&end, wanted[i]);
		close(end.peer);
		wr_reactor_turn(&reactor, 1000);
		CHECK_U64(end.ready, wanted[i]);
		wr_reactor_unwatch(&reactor, &end.watch);
		close(end.fd);
	}
	wr_reactor_deinit(&reactor);
}

static void test_a_descriptor_that_is_not_open_leaves_the_watch_unwatched(void)
{
	struct wr_watch watch = {.on_ready = on_ready};

	open_reactor();
	CHECK_STATUS(wr_reactor_watch(&reactor, &watch, -1, WR_READABLE), WR_IO);
	CHECK(!watch.is_watched);
	wr_reactor_deinit(&reactor);
}

/* ---- stale events: both ends are ready, whichever is called first does away with the other ----
 */

static void unwatch_other(struct end *end)
{
	wr_reactor_unwatch(&reactor, &end->other->watch);
}

static void want_nothing_of_other(struct end *end)
{
	if (end->other->call_count == 0)
		wr_reactor_want(&reactor, &end->other->watch, 0);
}

static struct end fresh;

/* Closes a descriptor and opens an unready one with the same number; returns its peer. */
static int reopen(int fd)
{
	int fds[2];

	open_pair(fds);
	close(fd);
	CHECK(dup2(fds[0], fd) == fd);
	close(fds[0]);
	return fds[1];
}

static void replace_other(struct end *end)
{
	struct end *other = end->other;

	wr_reactor_unwatch(&reactor, &other->watch);
	fresh = (struct end){
		.watch.on_ready = on_ready, .fd = other->fd, .peer = reopen(other->fd)};
	CHECK_STATUS(wr_reactor_watch(&reactor, &fresh.watch, fresh.fd, WR_READABLE), WR_OK);
}

/* The same, but the old watch serves the new descriptor. */
static void replace_behind_other(struct end *end)
{
	struct end *other = end->other;

	if (other->call_count != 0)
		return;
	wr_reactor_unwatch(&reactor, &other->watch);
	other->peer = reopen(other->fd);
	CHECK_STATUS(wr_reactor_watch(&reactor, &other->watch, other->fd, WR_READABLE), WR_OK);
}

static void open_ready_pair(struct end *a, struct end *b, void (*act)(struct end *end))
{
	open_end(a, WR_READABLE);
	open_end(b, WR_READABLE);
	a->other = b;
	b->other = a;
	a->act = b->act = act;
	poke(a);
	poke(b);
}

static void test_a_handler_is_not_called_for_a_watch_that_is_gone(void)
{
	struct end a, b;

	open_reactor();
	open_ready_pair(&a, &b, unwatch_other);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(a.call_count + b.call_count, 1);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(a.call_count + b.call_count, 2);
	CHECK(a.call_count == 0 || b.call_count == 0);
	wr_reactor_deinit(&reactor);
}

static void test_a_handler_is_not_called_for_what_is_no_longer_wanted(void)
{
	struct end a, b;

	open_reactor();
	open_ready_pair(&a, &b, want_nothing_of_other);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(a.call_count + b.call_count, 1);
	wr_reactor_deinit(&reactor);
}

static void test_a_new_descriptor_of_an_old_number_gets_no_stale_event(void)
{
	struct end a, b, *first;

	open_reactor();
	open_ready_pair(&a, &b, replace_other);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(a.call_count + b.call_count, 1);
	CHECK_U64(fresh.call_count, 0);
	first = a.call_count == 1 ? &a : &b;
	first->act = NULL;
	poke(&fresh);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(fresh.call_count, 1);
	CHECK_U64(first->other->call_count, 0);
	wr_reactor_deinit(&reactor);
}

static void test_a_watch_used_again_at_once_gets_no_stale_event(void)
{
	struct end a, b, *other;

	open_reactor();
	open_ready_pair(&a, &b, replace_behind_other);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(a.call_count + b.call_count, 1);
	other = a.call_count == 1 ? &b : &a;
	a.act = b.act = NULL;
	poke(other);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(other->call_count, 1);
	wr_reactor_deinit(&reactor);
}

static void unwatch_self(struct end *end)
{
	wr_reactor_unwatch(&reactor, &end->watch);
	close(end->fd);
}

static void test_a_handler_may_unwatch_itself(void)
{
	struct end end;

	open_reactor();
	open_end(&end, WR_READABLE | WR_WRITABLE);
	end.act = unwatch_self;
	poke(&end);
	wr_reactor_turn(&reactor, 1000);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(end.call_count, 1);
	wr_reactor_deinit(&reactor);
}

static void test_more_ready_watches_than_a_batch_holds_are_all_called(void)
{
	enum { END_COUNT = WR_REACTOR_BATCH + 44 };
	static struct end ends[END_COUNT];

	open_reactor();
	for (int i = 0; i < END_COUNT; i++) {
		open_end(&ends[i], WR_READABLE);
		ends[i].act = unwatch_self;
		poke(&ends[i]);
	}
	wr_reactor_turn(&reactor, 1000);
	wr_reactor_turn(&reactor, 1000);
	for (int i = 0; i < END_COUNT; i++)
		CHECK_U64(ends[i].call_count, 1);
	wr_reactor_deinit(&reactor);
}

/* ---- timers ---- */

struct alarm {
	struct wr_timer timer;
	unsigned call_count;
	uint64_t called_ms;
	bool repeats;
	uint64_t repeat_ms;
	struct wr_timer *cancels;
};

static void on_due(struct wr_timer *timer)
{
	struct alarm *alarm = wr_container_of(timer, struct alarm, timer);

	CHECK(!wr_timer_is_set(timer));
	alarm->call_count++;
	alarm->called_ms = reactor.now_ms;
	if (alarm->repeats)
		CHECK_STATUS(wr_timer_set(&reactor, timer, alarm->repeat_ms), WR_OK);
	if (alarm->cancels != NULL)
		wr_timer_cancel(&reactor, alarm->cancels);
}

static void test_a_timer_fires_once_and_not_early(void)
{
	struct alarm alarm = {.timer.on_due = on_due};
	uint64_t began_ms;

	open_reactor();
	began_ms = reactor.now_ms;
	CHECK_STATUS(wr_timer_set(&reactor, &alarm.timer, 20), WR_OK);
	CHECK(wr_timer_is_set(&alarm.timer));
	wr_reactor_turn(&reactor, 0);
	CHECK(alarm.call_count == 0 || reactor.now_ms >= began_ms + 20);
	while (alarm.call_count == 0)
		wr_reactor_turn(&reactor, -1);
	CHECK(alarm.called_ms >= began_ms + 20);
	CHECK(!wr_timer_is_set(&alarm.timer));
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(alarm.call_count, 1);
	wr_reactor_deinit(&reactor);
}

static void test_the_wait_ends_with_the_first_timer_and_takes_few_turns(void)
{
	struct alarm soon = {.timer.on_due = on_due}, late = {.timer.on_due = on_due};
	unsigned turn_count = 0;

	open_reactor();
	CHECK_STATUS(wr_timer_set(&reactor, &late.timer, UINT64_MAX), WR_OK);
	CHECK_STATUS(wr_timer_set(&reactor, &soon.timer, 30), WR_OK);
	for (; soon.call_count == 0; turn_count++)
		wr_reactor_turn(&reactor, 60000);
	CHECK(turn_count <= 3); /* and not one per millisecond */
	CHECK_U64(late.call_count, 0);
	wr_timer_cancel(&reactor, &late.timer);
	wr_reactor_deinit(&reactor);
}

static void test_a_timer_can_be_set_again_and_cancelled(void)
{
	struct alarm alarm = {.timer.on_due = on_due}, end = {.timer.on_due = on_due};

	open_reactor();
	wr_timer_cancel(&reactor, &alarm.timer);
	CHECK_STATUS(wr_timer_set(&reactor, &alarm.timer, 60000), WR_OK);
	CHECK_STATUS(wr_timer_set(&reactor, &alarm.timer, 0), WR_OK);
	wr_reactor_turn(&reactor, -1);
	CHECK_U64(alarm.call_count, 1);
	CHECK_STATUS(wr_timer_set(&reactor, &alarm.timer, 0), WR_OK);
	wr_timer_cancel(&reactor, &alarm.timer);
	wr_timer_cancel(&reactor, &alarm.timer);
	CHECK_STATUS(wr_timer_set(&reactor, &end.timer, 1), WR_OK);
	while (end.call_count == 0)
		wr_reactor_turn(&reactor, -1);
	CHECK_U64(alarm.call_count, 1);
	wr_reactor_deinit(&reactor);
}

static void test_a_timer_that_sets_itself_to_nothing_does_not_starve_the_loop(void)
{
	struct alarm alarm = {.timer.on_due = on_due, .repeats = true};
	struct end end;

	open_reactor();
	open_end(&end, WR_READABLE);
	poke(&end);
	CHECK_STATUS(wr_timer_set(&reactor, &alarm.timer, 0), WR_OK);
	for (unsigned turn = 1; turn <= 20; turn++) {
		wr_reactor_turn(&reactor, -1);
		CHECK_U64(end.call_count, turn);
		CHECK(alarm.call_count <= turn);
	}
	take(&end);
	while (alarm.call_count < 10)
		wr_reactor_turn(&reactor, -1);
	wr_timer_cancel(&reactor, &alarm.timer);
	wr_reactor_deinit(&reactor);
}

static void test_a_due_timer_may_cancel_another_due_one(void)
{
	struct alarm a = {.timer.on_due = on_due}, b = {.timer.on_due = on_due};

	open_reactor();
	a.cancels = &b.timer;
	b.cancels = &a.timer;
	CHECK_STATUS(wr_timer_set(&reactor, &a.timer, 0), WR_OK);
	CHECK_STATUS(wr_timer_set(&reactor, &b.timer, 0), WR_OK);
	wr_reactor_turn(&reactor, -1);
	CHECK_U64(a.call_count + b.call_count, 1);
	CHECK(!wr_timer_is_set(&a.timer) && !wr_timer_is_set(&b.timer));
	wr_reactor_deinit(&reactor);
}

static void test_a_timer_without_memory_is_not_set(void)
{
	static struct alarm alarms[100];
	unsigned set_count = 0;

	open_reactor();
	wr_test_fail_allocation(1, true);
	for (; set_count < WR_COUNT(alarms); set_count++) {
		alarms[set_count].timer.on_due = on_due;
		if (wr_timer_set(&reactor, &alarms[set_count].timer, 5) != WR_OK)
			break;
	}
	CHECK(set_count > 0 && set_count < WR_COUNT(alarms));
	CHECK(!wr_timer_is_set(&alarms[set_count].timer));
	CHECK_STATUS(wr_timer_set(&reactor, &alarms[0].timer, 6), WR_OK);
	wr_test_fail_allocation(0, false);
	CHECK_STATUS(wr_timer_set(&reactor, &alarms[set_count].timer, 5), WR_OK);
	wr_reactor_deinit(&reactor);
}

static void test_a_reactor_without_memory_does_not_start(void)
{
	struct wr_error error;

	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_NO_MEMORY);
	CHECK_STATUS(error.status, WR_NO_MEMORY);
}

/* ---- hooks ---- */

struct hook {
	struct wr_turn_hook hook;
	unsigned call_count, place;
	struct hook *removes[2], *adds;
};

static unsigned hook_calls;

static void on_turn(struct wr_turn_hook *turn_hook)
{
	struct hook *hook = wr_container_of(turn_hook, struct hook, hook);

	hook->call_count++;
	hook->place = ++hook_calls;
	for (unsigned i = 0; i < 2; i++)
		if (hook->removes[i] != NULL)
			wr_reactor_remove_hook(&reactor, &hook->removes[i]->hook);
	if (hook->adds != NULL)
		wr_reactor_add_hook(&reactor, &hook->adds->hook);
	hook->adds = NULL;
}

static void test_hooks_run_in_order_at_the_end_of_every_turn(void)
{
	struct hook hooks[3] = {
		{.hook.on_turn = on_turn}, {.hook.on_turn = on_turn}, {.hook.on_turn = on_turn}};
	struct end end;

	open_reactor();
	open_end(&end, WR_READABLE);
	for (unsigned i = 0; i < 3; i++)
		wr_reactor_add_hook(&reactor, &hooks[i].hook);
	wr_reactor_turn(&reactor, 0);
	wr_reactor_turn(&reactor, 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_U64(hooks[i].call_count, 2);
		CHECK_U64(hooks[i].place, 4 + i);
	}
	wr_reactor_remove_hook(&reactor, &hooks[1].hook);
	wr_reactor_remove_hook(&reactor, &hooks[1].hook);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(hooks[0].call_count, 3);
	CHECK_U64(hooks[1].call_count, 2);
	CHECK_U64(hooks[2].call_count, 3);
	wr_reactor_deinit(&reactor);
}

static void test_no_hook_is_left_out_when_one_removes_any_other(void)
{
	/* The middle hook of five removes two, one of them perhaps itself. */
	for (unsigned first = 0; first < 5; first++) {
		for (unsigned second = 0; second < 5; second++) {
			struct hook hooks[5] = {{.call_count = 0}};

			open_reactor();
			for (unsigned i = 0; i < 5; i++) {
				hooks[i].hook.on_turn = on_turn;
				wr_reactor_add_hook(&reactor, &hooks[i].hook);
			}
			hooks[2].removes[0] = &hooks[first];
			hooks[2].removes[1] = &hooks[second];
			wr_reactor_turn(&reactor, 0);
			for (unsigned i = 0; i < 5; i++) {
				bool is_removed = i > 2 && (i == first || i == second);
				CHECK_U64(hooks[i].call_count, is_removed ? 0 : 1);
			}
			wr_reactor_deinit(&reactor);
		}
	}
}

static void test_a_hook_added_by_the_last_one_runs_in_the_same_turn(void)
{
	struct hook a = {.hook.on_turn = on_turn}, b = {.hook.on_turn = on_turn};

	open_reactor();
	a.adds = &b;
	wr_reactor_add_hook(&reactor, &a.hook);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(a.call_count, 1);
	CHECK_U64(b.call_count, 1);
	wr_reactor_deinit(&reactor);
}

/* ---- the loop ---- */

static void test_again_makes_the_next_wait_short_once(void)
{
	struct alarm alarm = {.timer.on_due = on_due};

	open_reactor();
	CHECK_STATUS(wr_timer_set(&reactor, &alarm.timer, 100), WR_OK);
	wr_reactor_again(&reactor);
	wr_reactor_turn(&reactor, -1);
	CHECK(!reactor.again);
	CHECK(alarm.call_count == 0 || reactor.now_ms >= alarm.called_ms);
	wr_reactor_turn(&reactor, -1);
	while (alarm.call_count == 0)
		wr_reactor_turn(&reactor, -1);
	wr_reactor_deinit(&reactor);
}

static void stop_loop(struct end *end)
{
	take(end);
	wr_reactor_stop(&reactor);
}

static void test_stop_ends_the_run_after_the_hooks(void)
{
	struct hook hook = {.hook.on_turn = on_turn};
	struct end end;

	open_reactor();
	open_end(&end, WR_READABLE);
	end.act = stop_loop;
	wr_reactor_add_hook(&reactor, &hook.hook);
	poke(&end);
	wr_reactor_run(&reactor);
	CHECK_U64(end.call_count, 1);
	CHECK_U64(hook.call_count, 1);
	wr_reactor_run(&reactor); /* stays stopped */
	CHECK_U64(hook.call_count, 1);
	wr_reactor_deinit(&reactor);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_ready_watch_is_called_in_every_turn_until_read),
	WR_TEST(test_want_changes_what_is_told),
	WR_TEST(test_a_hang_up_is_told_as_what_is_wanted),
	WR_TEST(test_a_descriptor_that_is_not_open_leaves_the_watch_unwatched),
	WR_TEST(test_a_handler_is_not_called_for_a_watch_that_is_gone),
	WR_TEST(test_a_handler_is_not_called_for_what_is_no_longer_wanted),
	WR_TEST(test_a_new_descriptor_of_an_old_number_gets_no_stale_event),
	WR_TEST(test_a_watch_used_again_at_once_gets_no_stale_event),
	WR_TEST(test_a_handler_may_unwatch_itself),
	WR_TEST(test_more_ready_watches_than_a_batch_holds_are_all_called),
	WR_TEST(test_a_timer_fires_once_and_not_early),
	WR_TEST(test_the_wait_ends_with_the_first_timer_and_takes_few_turns),
	WR_TEST(test_a_timer_can_be_set_again_and_cancelled),
	WR_TEST(test_a_timer_that_sets_itself_to_nothing_does_not_starve_the_loop),
	WR_TEST(test_a_due_timer_may_cancel_another_due_one),
	WR_TEST(test_a_timer_without_memory_is_not_set),
	WR_TEST(test_a_reactor_without_memory_does_not_start),
	WR_TEST(test_hooks_run_in_order_at_the_end_of_every_turn),
	WR_TEST(test_no_hook_is_left_out_when_one_removes_any_other),
	WR_TEST(test_a_hook_added_by_the_last_one_runs_in_the_same_turn),
	WR_TEST(test_again_makes_the_next_wait_short_once),
	WR_TEST(test_stop_ends_the_run_after_the_hooks),
	WR_TEST_END,
};
