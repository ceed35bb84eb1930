/* Goal: whatever readers, memory and store do, a stream is the retained events behind its cursor,
 * each once, in order, or a typed end that is true (reliability P6, T5). Method: random steps
 * (appends of several Workers, visibility in steps, sockets that take some bytes, cuts, resumes
 * with any cursor seen, the store giving up records, restarts) against a model: per scope the list
 * of all frames ever shown, as a witness that is always up to date got them. */
#include "unit/observe/reader.h"

enum { WORKERS = 3, SCOPES = WORKERS + 1, READERS = 10, STEPS = 3000 };

/* A reader, and what it must be getting: the frames of its scope from `index` on. */
struct watcher {
	struct reader reader;
	size_t index, skip; /* bytes before: a snapshot */
	bool is_open;
};

static struct witness witnesses[SCOPES];
static struct watcher watchers[READERS];
static uint64_t random_state;
static unsigned expired_count, reset_count, resumed_count, restart_count;

static uint64_t below(uint64_t bound)
{
	return wr_test_random(&random_state) % bound;
}

static uint64_t evicted(uint32_t worker)
{
	return rig.store.evicted[worker];
}

static void look(void)
{
	for (unsigned turn = 0; turn < 3; turn++) {
		rig_turn();
		for (uint32_t scope = 0; scope < SCOPES; scope++)
			witness_look(&witnesses[scope]);
	}
}

static void leave(struct watcher *self)
{
	reader_close(&self->reader);
	self->is_open = false;
}

/* It ended: with the typed reason, which must be true, or inside a frame whose rest is gone. */
static void check_end(struct watcher *self)
{
	struct reader *reader = &self->reader;
	const struct witness *witness = &witnesses[reader->worker];
	struct wr_view all = wr_view_of(reader->data, reader->bytes), diagnostic;
	size_t at = self->skip, index = self->index;

	for (; index < witness->count; index++) {
		struct wr_view frame = frame_in(all, at), expected = witness_frame(witness, index);
		if (frame.data == NULL || !wr_view_equal(frame, expected))
			break;
		at += frame.bytes;
	}
	diagnostic = frame_in(all, at);
	if (diagnostic.data == NULL) {
		CHECK(reader->is_reset && at < reader->bytes && index < witness->count);
		CHECK(memcmp(reader->data + at, witness_frame(witness, index).data,
			     reader->bytes - at) == 0);
		CHECK(evicted(reader->worker) >= witness->frames[index].sequence);
		reset_count++;
		return;
	}
	CHECK(frame_has(diagnostic, "runtime.cursor_expired"));
	CHECK_U64(frame_close_code(frame_in(all, at + diagnostic.bytes)), 1013);
	CHECK(index < witness->count && evicted(reader->worker) >= witness->frames[index].sequence);
	expired_count++;
}

/* Whether a Close or diagnostic came instead of the next frame. */
static bool has_ended(const struct watcher *self)
{
	struct wr_view expected = witness_from(&witnesses[self->reader.worker], self->index);
	size_t bytes = self->reader.bytes - self->skip;

	return self->reader.is_ended || self->reader.is_reset || bytes > expected.bytes ||
	       (bytes != 0 && memcmp(self->reader.data + self->skip, expected.data, bytes) != 0);
}

static void check_watcher(struct watcher *self)
{
	if (!self->is_open)
		return;
	reader_receive(&self->reader);
	if (!has_ended(self))
		return;
	reader_allow(&self->reader, RIG_UNLIMITED);
	reader_settle(&self->reader);
	check_end(self);
	leave(self);
}

/* ---- steps ---- */

static void open_fresh(struct watcher *self, uint32_t scope)
{
	struct wr_view snapshot;

	reader_open(&self->reader, scope, NULL, RIG_UNLIMITED);
	reader_settle(&self->reader);
	snapshot = frame_in(wr_view_of(self->reader.data, self->reader.bytes), 0);
	CHECK(frame_has(snapshot, "snapshot"));
	self->skip = snapshot.bytes;
	self->index = witness_behind(&witnesses[scope], frame_sequence(snapshot));
	reader_allow(&self->reader, below(2000));
}

/* With the cursor of any frame that was ever shown: what follows is kept, or it is told. */
static void open_resumed(struct watcher *self, uint32_t scope)
{
	const struct witness *witness = &witnesses[scope];
	size_t index = (size_t)below(witness->count);
	const char *cursor = frame_cursor(witness_frame(witness, index));
	bool is_expired = evicted(scope) > witness->frames[index].sequence;

	self->skip = 0;
	self->index = index + 1;
	reader_open(&self->reader, scope, cursor, is_expired ? RIG_UNLIMITED : below(2000));
	resumed_count++;
	if (!is_expired)
		return;
	reader_settle(&self->reader);
	CHECK(frame_has(frame_in(wr_view_of(self->reader.data, self->reader.bytes), 0),
			"\"reason\":\"expired\""));
	expired_count++;
	leave(self);
}

static void open_watcher(struct watcher *self)
{
	uint32_t scope = (uint32_t)below(SCOPES);

	self->is_open = true;
	if (below(4) == 0 || witnesses[scope].count == 0)
		open_fresh(self, scope);
	else
		open_resumed(self, scope);
}

static void append(void)
{
	for (uint64_t i = 1 + below(below(10) == 0 ? 40 : 3); i > 0; i--)
		rig_say(1 + (uint32_t)below(WORKERS), 1 + (size_t)below(200));
}

static void show(void)
{
	uint64_t visible = scripted_visible(&rig.store);

	rig.store.shown = visible + below(rig.store.count - visible + 1);
	rig.store.is_held = below(3) != 0;
}

/* It may well have less than memory. */
static void evict(void)
{
	uint64_t shown = wr_runtime_log(rig.runtime)->shown_sequence;

	scripted_evict(&rig.store, rig.store.gone + below(shown - rig.store.gone + 1));
}

/* The process ends and comes back: readers are cut, cursors are still good. */
static void restart(void)
{
	scripted_show(&rig.store);
	rig.store.is_held = false;
	look();
	for (size_t i = 0; i < READERS; i++)
		if (watchers[i].is_open)
			leave(&watchers[i]);
	rig.store.wants_checkpoint = true;
	look();
	rig_stop();
	rig_start();
	for (uint32_t scope = 0; scope < SCOPES; scope++) {
		struct witness *witness = &witnesses[scope];
		struct reader old = witness->reader;
		size_t frame = witness->count;

		close(old.fd);
		CHECK(witness->seen == old.bytes);
		reader_open(&witness->reader, scope,
			    frame == 0 ? NULL : frame_cursor(witness_frame(witness, frame - 1)),
			    RIG_UNLIMITED);
		reader_settle(&witness->reader);
		CHECK_U64(witness->reader.bytes, 0);
		free(witness->reader.data);
		witness->reader.data = old.data;
		witness->reader.bytes = old.bytes;
		witness->reader.capacity = old.capacity;
	}
	restart_count++;
}

static void step(uint64_t n)
{
	struct watcher *self = &watchers[below(READERS)];

	switch (below(8)) {
	case 0:
	case 1:
		append();
		break;
	case 2:
		show();
		break;
	case 3:
		if (!self->is_open)
			open_watcher(self);
		break;
	case 4:
	case 5:
		if (self->is_open)
			reader_allow(&self->reader, below(3) == 0 ? 0 : below(3000));
		break;
	case 6:
		if (self->is_open && below(10) == 0)
			leave(self);
		break;
	case 7:
		if (below(30) == 0)
			evict();
		break;
	}
	if (n % 1000 == 999)
		restart();
	look();
	for (size_t i = 0; i < READERS; i++)
		check_watcher(&watchers[i]);
}

/* Everybody gets the rest. */
static void finish(void)
{
	scripted_show(&rig.store);
	for (size_t i = 0; i < READERS; i++)
		if (watchers[i].is_open)
			reader_allow(&watchers[i].reader, RIG_UNLIMITED);
	for (unsigned i = 0; i < 100; i++)
		look();
	for (size_t i = 0; i < READERS; i++) {
		struct watcher *self = &watchers[i];
		const struct witness *witness = &witnesses[self->reader.worker];

		check_watcher(self);
		if (!self->is_open)
			continue;
		CHECK_U64(self->reader.bytes - self->skip,
			  witness_from(witness, self->index).bytes);
		leave(self);
	}
}

static void run(uint64_t seed, uint32_t events_max)
{
	random_state = seed;
	rig_prepare();
	rig.config.retention.stream_events_max = events_max;
	rig.config.retention.events_max = 2 * events_max;
	rig_open();
	for (unsigned i = 0; i < WORKERS; i++)
		rig_create();
	rig_turn();
	for (uint32_t scope = 0; scope < SCOPES; scope++)
		witness_open(&witnesses[scope], scope);
	for (uint64_t n = 0; n < STEPS; n++)
		step(n);
	finish();
	for (uint32_t scope = 0; scope < SCOPES; scope++)
		witness_close(&witnesses[scope]);
	rig_close();
}

static void test_streams_are_exact_with_a_short_memory(void)
{
	run(wr_test_seed(), 3);
	CHECK(resumed_count > 50 && expired_count > 5);
}

static void test_streams_are_exact_with_a_long_memory(void)
{
	run(wr_test_seed() + 1, 60);
	CHECK(resumed_count > 50 && expired_count > 5);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_streams_are_exact_with_a_short_memory, 120),
	WR_TEST_LIMIT(test_streams_are_exact_with_a_long_memory, 120),
	WR_TEST_END,
};
