/* Goal: whatever happens to a remote Runtime, to connections, clocks and readers, what a browser
 * gets is every event of its Worker behind what it had, once and in order, or a typed end that is
 * true; and when all is well again everybody has everything. Method: random steps on the scripted
 * Runtime; every frame is judged against the log as it was (remote_world.h), every end against what
 * the Runtime would say. */
#include "unit/backend/remote_world.h"

enum { WORKERS = 5, BROWSERS = 12, STEPS = 1500, CURSORS = 24 };

struct watcher {
	struct browser browser;
	bool is_open, is_limited;
	unsigned crashes, losses; /* when it began */
};

static struct watcher watchers[BROWSERS];
/* What somebody saw, to come back with. */
static struct {
	uint32_t worker, as_of;
	char cursor[WR_CURSOR_BYTES + 1];
} cursors[CURSORS];
static unsigned cursor_count;
static uint64_t random_state;
static unsigned crashes, losses, restarts, resumed, fresh, told, silent, unavailable, total_events;
static bool has_last_log;

static uint64_t below(uint64_t bound)
{
	return wr_test_random(&random_state) % bound;
}

/* The mirror was reset since the last look. */
static void watch_losses(void)
{
	bool has_log = world.remote->mirror.has_log;

	if (has_last_log && !has_log)
		losses++;
	has_last_log = has_log;
}

static void turns(unsigned count)
{
	while (count-- > 0) {
		world_turn();
		watch_losses();
	}
}

static void pass(uint64_t ms)
{
	while (ms != 0) {
		uint64_t step = ms < 50 ? ms : 50;
		world.now_ms += step;
		ms -= step;
		turns(3);
	}
}

static void remember(const struct browser *browser)
{
	unsigned at = cursor_count < CURSORS ? cursor_count++ : (unsigned)below(CURSORS);

	cursors[at].worker = browser->worker;
	cursors[at].as_of = browser->as_of;
	memcpy(cursors[at].cursor, browser->cursor, sizeof cursors[at].cursor);
}

static void leave(struct watcher *self)
{
	total_events += self->browser.events;
	if (self->browser.cursor[0] != '\0')
		remember(&self->browser);
	browser_close(&self->browser);
	self->is_open = false;
}

/* ---- ends ---- */

/* What the Runtime says now of what the browser holds. */
static const char *judge(const struct browser *browser)
{
	struct wr_backend_cursor cursor = browser_cursor(browser->cursor);
	struct wr_cursor theirs = {
		.generation = cursor.generation,
		.worker = FAR_NUMBER + browser->worker,
		.sequence = cursor.sequence,
	};
	char token[WR_CURSOR_BYTES + 1];
	uint64_t position;
	const char *word;

	memcpy(theirs.log_tag, cursor.log_tag, sizeof theirs.log_tag);
	wr_cursor_format(token, &theirs);
	token[WR_CURSOR_BYTES] = '\0';
	word = far_judge(browser->worker, token, &position);
	return word == NULL ? "" : word;
}

static void check_end(struct watcher *self)
{
	const struct browser *browser = &self->browser;
	bool was_lost = losses != self->losses;

	if (browser->diagnostic[0] == '\0') { /* inside a frame, or it took nothing for too long */
		CHECK(self->is_limited || was_lost);
		silent++;
		return;
	}
	/* One that takes nothing may be told, and reset before its Close. */
	CHECK(browser->close_code != 0 ||
	      (self->is_limited && (browser->is_ended || browser->is_reset)));
	if (browser_was_told(browser, "backend.runtime_unavailable")) {
		CHECK(browser->events == 0 && browser->snapshots == 0);
		CHECK(browser->close_code == 1013 || browser->close_code == 0);
		unavailable++;
		return;
	}
	CHECK(browser_was_told(browser, "backend.cursor_unknown_or_expired"));
	told++;
	if (was_lost)
		return;
	if (browser_was_told(browser, "lost_tail") && crashes != self->crashes)
		return;
	CHECK(browser->cursor[0] != '\0');
	CHECK(judge(browser)[0] != '\0' && browser_was_told(browser, judge(browser)));
}

static void check_watcher(struct watcher *self)
{
	struct browser *browser = &self->browser;

	if (!self->is_open)
		return;
	browser_look(browser);
	if (!browser->is_ended && !browser->is_reset && browser->diagnostic[0] == '\0')
		return;
	browser_allow(browser, WORLD_UNLIMITED);
	turns(10);
	browser_look(browser);
	check_end(self);
	leave(self);
}

/* ---- steps ---- */

static void append(void)
{
	uint64_t count = 1 + below(below(12) == 0 ? 60 : 4);

	while (count-- > 0 && far.count < FAR_RECORDS) {
		uint64_t kind = below(20);
		far_append(1 + (uint32_t)below(WORKERS),
			   kind == 0   ? FAR_STOPPED
			   : kind == 1 ? FAR_SILENT
			   : kind == 2 ? FAR_CREATED
			   : kind == 3 ? FAR_NOVELTY
				       : FAR_OUTPUT,
			   (uint32_t)below(below(30) == 0 ? 30000 : 200));
	}
}

static void open_watcher(struct watcher *self)
{
	uint64_t budget = below(3) == 0 ? below(3000) : WORLD_UNLIMITED;
	unsigned which = cursor_count == 0 ? 0 : (unsigned)below(cursor_count);

	self->is_open = true;
	self->is_limited = budget != WORLD_UNLIMITED;
	self->crashes = crashes;
	self->losses = losses;
	if (cursor_count == 0 || below(3) == 0) {
		browser_ask(&self->browser, 1 + (uint32_t)below(WORKERS), NULL);
		browser_await_upgrade(&self->browser, budget);
		fresh++;
	} else {
		browser_resume(&self->browser, cursors[which].worker, cursors[which].cursor,
			       cursors[which].as_of, budget);
		resumed++;
	}
	watch_losses();
}

static void disturb(void)
{
	struct far_conn *conn = &far.conns[below(FAR_CONNS)];

	switch (below(8)) {
	case 0:
		if (far_wide() != NULL)
			far_wide()->budget = (size_t)below(2000);
		break;
	case 1:
		if (conn->fd >= 0)
			conn->budget = (size_t)below(3000);
		break;
	case 2:
		far_cut();
		break;
	case 3:
		far.is_away = below(3) == 0;
		if (far.is_away)
			far_cut();
		break;
	case 4:
		far.step = below(2) == 0 ? 0 : 1 + (size_t)below(300);
		break;
	case 5:
		far.is_mute_upstream = below(3) == 0;
		break;
	case 6:
		far.backlog = below(4) == 0 ? 0 : 65536;
		break;
	case 7:
		far.refuses = below(4) == 0 ? 503 : 0;
		break;
	}
}

static void heal(void)
{
	far.is_away = far.is_mute_upstream = false;
	far.refuses = 0;
	far.step = 0;
	far.backlog = 65536;
	for (unsigned i = 0; i < FAR_CONNS; i++)
		far.conns[i].budget = SIZE_MAX;
	pass(below(6000));
}

static void crash(void)
{
	uint64_t kept = far.head;

	crashes++;
	if (below(2) == 0)
		kept -= below(kept < 20 ? kept + 1 : 20);
	for (uint32_t scope = 0; scope <= WORKERS; scope++)
		if (kept < far.evicted[scope])
			kept = far.evicted[scope];
	/* What was recovered once stays. */
	if (far.generation > 1 && kept < far.generation_end[far.generation - 1])
		kept = far.generation_end[far.generation - 1];
	far_crash(kept);
}

static void new_log(void)
{
	far_cut();
	far_new_log((uint8_t)(far.log_id[0] + 1));
}

static void evict(void)
{
	uint32_t scope = (uint32_t)below(WORKERS + 1);
	uint64_t gone = far.evicted[scope];

	far.evicted[scope] = gone + below((far.head - gone) / 4 + 1);
}

/* The Backend ends and begins again: only cursors are left. */
static void restart(void)
{
	restarts++;
	for (unsigned i = 0; i < BROWSERS; i++)
		if (watchers[i].is_open)
			leave(&watchers[i]);
	wr_remote_stream_free(world.remote);
	world_start();
	has_last_log = false;
	turns(5);
}

static void step(void)
{
	struct watcher *self = &watchers[below(BROWSERS)];

	switch (below(12)) {
	case 0:
	case 1:
	case 2:
		append();
		break;
	case 3:
	case 4:
		if (!self->is_open)
			open_watcher(self);
		break;
	case 5:
		if (self->is_open && self->is_limited)
			browser_allow(&self->browser, below(3) == 0 ? 0 : below(20000));
		break;
	case 6:
		if (self->is_open && below(3) == 0)
			leave(self);
		break;
	case 7:
		if (below(4) == 0)
			disturb();
		else if (below(4) == 0)
			heal();
		break;
	case 8:
		pass(below(below(20) == 0 ? 20000 : 300));
		break;
	case 9:
		if (below(10) == 0)
			crash();
		break;
	case 10:
		if (below(15) == 0)
			evict();
		break;
	case 11:
		if (below(30) == 0)
			restart();
		else if (below(60) == 0)
			new_log();
		break;
	}
	turns(4);
	for (unsigned i = 0; i < BROWSERS; i++)
		check_watcher(&watchers[i]);
}

/* All is well again: everybody gets the rest. */
static void finish(void)
{
	heal();
	for (unsigned i = 0; i < BROWSERS; i++)
		if (watchers[i].is_open)
			browser_allow(&watchers[i].browser, WORLD_UNLIMITED);
	pass(8000);
	CHECK_U64(world.remote->upstream.state, WR_REMOTE_UP);
	for (uint32_t worker = 1; worker <= WORKERS; worker++)
		far_append(worker, FAR_OUTPUT, 10);
	pass(8000);
	for (unsigned i = 0; i < BROWSERS; i++) {
		struct watcher *self = &watchers[i];
		check_watcher(self);
		if (!self->is_open)
			continue;
		CHECK(browser_is_up_to_date(&self->browser));
		leave(self);
	}
}

static void run(uint64_t seed, uint32_t events_max)
{
	random_state = seed;
	world_prepare();
	world.config.retention.stream_events_max = events_max;
	world.config.retention.events_max = 3 * events_max;
	world_start();
	turns(10);
	has_last_log = world.remote->mirror.has_log;
	for (unsigned n = 0; n < STEPS; n++)
		step();
	finish();
	CHECK(world.remote->fetched_bytes <= 4194304);
	world_close();
	cursor_count = 0;
	memset(watchers, 0, sizeof watchers);
}

static void run_some(uint64_t seed, uint32_t events_max)
{
	for (unsigned i = 0; i < 4; i++)
		run(seed + i, events_max);
	CHECK(resumed > 50 && fresh > 30 && told > 5 && restarts > 2 && total_events > 2000);
}

static void test_streams_are_exact_with_a_short_memory(void)
{
	run_some(wr_test_seed(), 4);
}

static void test_streams_are_exact_with_a_long_memory(void)
{
	run_some(wr_test_seed() + 100, 100);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_streams_are_exact_with_a_short_memory, 240),
	WR_TEST_LIMIT(test_streams_are_exact_with_a_long_memory, 240),
	WR_TEST_END,
};
