/*
 * Goal (design 3, 7, contract 8.11): a stream is exact, whatever source it comes from. Method:
 * every case is run against every source; one without streams has none of the functions, which the
 * case of the overview looks at (test_backend_handles.c).
 */
#include "e2e/each_handle.h"

#include "backend/cursor.h"
#include "harness/client.h"
#include "harness/watcher.h"

enum { INPUTS = 12 };
static struct wr_watcher watchers[INPUTS + 4];

static bool has(struct wr_view frame, const char *text)
{
	return memmem(frame.data, frame.bytes, text, strlen(text)) != NULL;
}

/* An event of the Worker, of that name and with that text (NULL: none). */
static void check_event(const struct wr_watcher *watcher, unsigned index, const char *name,
			const char *text)
{
	struct wr_view frame = wr_watcher_frame(watcher, index);
	char cursor[WR_CURSOR_BYTES + 1];

	wr_watcher_cursor(watcher, index, cursor);
	CHECK(strncmp(cursor, "bo_", 3) == 0);
	CHECK_STRING(wr_json_find(frame, "kind"), "event");
	CHECK_VIEW(wr_json_find(frame, "envelope.runtime_id"), world.handle->runtime_id);
	CHECK_STRING(wr_json_find(frame, "envelope.worker_id"), id);
	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), name);
	CHECK(text == NULL || has(frame, text));
}

static void check_input(const struct wr_watcher *watcher, unsigned index, unsigned number)
{
	char text[32];

	snprintf(text, sizeof text, "\"input %u.\"", number);
	check_event(watcher, index, "user_message", text);
}

/* A snapshot with so many entries. */
static void check_snapshot(const struct wr_watcher *watcher, unsigned entries)
{
	struct wr_view frame = wr_watcher_frame(watcher, 0);
	char path[64];

	check_event(watcher, 0, "snapshot", NULL);
	snprintf(path, sizeof path, "envelope.payload.data.entries.%u", entries);
	CHECK(wr_json_find(frame, path).data == NULL);
	if (entries == 0)
		return;
	snprintf(path, sizeof path, "envelope.payload.data.entries.%u", entries - 1);
	CHECK(wr_json_find(frame, path).data != NULL);
}

/* Opens the stream of the Worker, of which nothing was heard yet. */
static void watch(struct wr_watcher *watcher)
{
	wr_watcher_open(&world, watcher, id, NULL);
	wr_watcher_await(watcher, 1);
	check_snapshot(watcher, 0);
}

static uint64_t sequence_of(const struct wr_watcher *watcher, unsigned index)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct wr_backend_cursor parts;
	struct wr_cursor_mask mask;

	wr_watcher_cursor(watcher, index, cursor);
	wr_cursor_mask_init(&mask, world.handle->runtime_id);
	CHECK_STATUS(wr_backend_cursor_parse(&parts, &mask, wr_view_of(cursor, WR_CURSOR_BYTES)),
		     WR_OK);
	return parts.sequence;
}

/* Opens another stream: a snapshot, of whenever it is, and exactly what `whole` had behind that.
 * Gives how many events the snapshot knows of. */
static unsigned watch_late(struct wr_watcher *late, const struct wr_watcher *whole)
{
	unsigned next = 1;

	wr_watcher_open(&world, late, id, NULL);
	wr_watcher_await_first(late);
	check_event(late, 0, "snapshot", NULL);
	while (next < whole->count && sequence_of(whole, next) <= sequence_of(late, 0))
		next++;
	wr_watcher_await(late, 1 + whole->count - next);
	for (unsigned i = 1; i < late->count; i++)
		CHECK_VIEW(wr_watcher_frame(late, i), wr_watcher_frame(whole, next - 1 + i));
	return next - 1;
}

static uint32_t stream_count(void)
{
	return world.handle->ops->stream_count(world.handle);
}

/* False: the source has no streams, which the overview's case looks at. */
static bool has_streams(void)
{
	if (can(WR_CAN_STREAM))
		wr_handles_worker(&world, id);
	return can(WR_CAN_STREAM);
}

static void a_stream_is_a_snapshot_and_then_each_event_once(void)
{
	struct wr_watcher *first = &watchers[0], *second = &watchers[1], *late = &watchers[2];
	unsigned known;

	if (!has_streams())
		return;
	watch(first);
	watch(second);
	CHECK_U64(stream_count(), 2);
	for (unsigned i = 1; i <= INPUTS; i++)
		say(id, i);
	CHECK_U64(ask(CALL(.operation = WR_SOURCE_INPUT, .worker_id = VIEW(id),
			   .as.input = {true, WR_VIEW("of the system")})),
		  WR_SOURCE_ACCEPTED);
	CHECK_U64(about(WR_SOURCE_STOP, id), WR_SOURCE_ACCEPTED);
	CHECK_U64(about(WR_SOURCE_STOP, id), WR_SOURCE_ACCEPTED); /* shows nothing more */
	wr_watcher_await(first, 1 + INPUTS + 2);
	wr_watcher_await(second, 1 + INPUTS + 2);
	for (unsigned i = 1; i <= INPUTS; i++)
		check_input(first, i, i);
	check_event(first, INPUTS + 1, "system_item", "of the system");
	check_event(first, INPUTS + 2, "shutdown", NULL);
	for (unsigned i = 1; i < first->count; i++)
		CHECK_VIEW(wr_watcher_frame(first, i), wr_watcher_frame(second, i));
	known = watch_late(late, first);
	check_snapshot(late, known > INPUTS + 1 ? INPUTS + 1 : known);
	/* Nothing comes twice, and a Worker's end does not end its streams. */
	wr_handles_settle(&world);
	CHECK_U64(first->count, 1 + INPUTS + 2);
	CHECK_U64(late->count, 1 + INPUTS + 2 - known);
	CHECK_U64(stream_count(), 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(!watchers[i].is_ended);
		wr_watcher_close(&watchers[i]);
	}
}

/* As large as can be: and who was there just before it goes on from there. */
static void a_large_event_comes_whole(void)
{
	struct wr_watcher *first = &watchers[0], *resumed = &watchers[1], *late = &watchers[2];

	if (!has_streams())
		return;
	memset(large, 'w', sizeof large);
	watch(first);
	for (unsigned i = 0; i < 3; i++) {
		char cursor[WR_CURSOR_BYTES + 1];

		wr_watcher_cursor(first, i, cursor);
		CHECK_U64(say_view(id, wr_view_of(large, MIB - i)), WR_SOURCE_ACCEPTED);
		wr_watcher_await(first, i + 2);
		check_event(first, i + 1, "user_message", NULL);
		CHECK_U64(wr_json_find(wr_watcher_frame(first, i + 1),
				       "envelope.payload.data.segments.0.content")
				  .bytes,
			  MIB - i);
		wr_watcher_open(&world, resumed, id, cursor);
		wr_watcher_await(resumed, 1);
		CHECK_VIEW(wr_watcher_frame(resumed, 0), wr_watcher_frame(first, i + 1));
		wr_watcher_close(resumed);
	}
	watch_late(late, first);
	wr_watcher_close(first);
	wr_watcher_close(late);
}

/* Every stream that resumes has got exactly what was behind its cursor: the last event, which all
 * of them wait for, comes right behind that. */
static void every_cursor_goes_on_exactly(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct wr_watcher *whole = &watchers[INPUTS + 1];

	if (!has_streams())
		return;
	watch(whole);
	for (unsigned i = 1; i <= INPUTS; i++)
		say(id, i);
	wr_watcher_await(whole, 1 + INPUTS);
	for (unsigned i = 0; i <= INPUTS; i++) {
		wr_watcher_cursor(whole, i, cursor);
		wr_watcher_open(&world, &watchers[i], id, cursor);
		wr_watcher_await(&watchers[i], INPUTS - i);
	}
	say(id, INPUTS + 1);
	wr_watcher_await(whole, 1 + INPUTS + 1);
	for (unsigned i = 0; i <= INPUTS; i++) {
		wr_watcher_await(&watchers[i], INPUTS - i + 1);
		for (unsigned f = 0; f < watchers[i].count; f++)
			CHECK_VIEW(wr_watcher_frame(&watchers[i], f),
				   wr_watcher_frame(whole, i + 1 + f));
		wr_watcher_close(&watchers[i]);
	}
	wr_watcher_close(whole);
}

/* One diagnostic of that code, and then Close. */
static void check_refused(struct wr_watcher *watcher, const char *code)
{
	struct wr_view frame;

	wr_watcher_await(watcher, 1);
	frame = wr_watcher_frame(watcher, 0);
	CHECK_STRING(wr_json_find(frame, "kind"), "diagnostic");
	CHECK_STRING(wr_json_find(frame, "diagnostic.code"), code);
	CHECK(wr_json_find(frame, "diagnostic.message").bytes != 0);
	wr_watcher_await_close(watcher, 1008);
	CHECK_U64(watcher->count, 1);
	wr_watcher_close(watcher);
}

#define MALFORMED "backend.cursor_malformed"
#define UNKNOWN "backend.cursor_unknown_or_expired"

static void a_cursor_that_is_none_is_refused(void)
{
	static const struct {
		const char *cursor, *code;
	} refused[] = {
		{"", MALFORMED},
		{"nonsense", MALFORMED},
		{"0", MALFORMED},
		{"bo_", MALFORMED},
		{"bo_AAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
		{"bo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
		{"bo_AAAAAAAAAAAAAA.AAAAAAAAAAAAA", MALFORMED},
		{"BO_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
		{"wo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
		{"re_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
		{"wo_0000000000000003", MALFORMED},
		{"bo_000000000000000g", MALFORMED},
		{"bo_00000000000000030", MALFORMED},
		{"bo_0000000000000003", UNKNOWN},
		{"bo_0000000000000000", UNKNOWN},
		{"bo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA", UNKNOWN},
	};

	if (!has_streams())
		return;
	say(id, 1);
	for (unsigned i = 0; i < WR_COUNT(refused); i++) {
		wr_test_case(refused[i].cursor);
		wr_watcher_open(&world, &watchers[0], id, refused[i].cursor);
		check_refused(&watchers[0], refused[i].code);
	}
}

enum foreign { OF_ANOTHER_WORKER, OF_ANOTHER_RUNTIME, OF_ANOTHER_LOG, OF_THE_FUTURE, FOREIGN };

/* A good cursor, as somebody would have it who got it elsewhere. */
static void make_foreign(char cursor[WR_CURSOR_BYTES + 1], enum foreign how)
{
	struct wr_backend_cursor parts;
	struct wr_cursor_mask mask;

	wr_cursor_mask_init(&mask, world.handle->runtime_id);
	CHECK_STATUS(wr_backend_cursor_parse(&parts, &mask, wr_view_of(cursor, WR_CURSOR_BYTES)),
		     WR_OK);
	if (how == OF_ANOTHER_WORKER)
		parts.worker_tag = wr_worker_tag(WR_VIEW("worker-0000beef"));
	else if (how == OF_ANOTHER_RUNTIME)
		wr_cursor_mask_init(&mask, WR_VIEW("another-runtime"));
	else if (how == OF_ANOTHER_LOG)
		parts.log_tag[0] ^= 1;
	else
		parts.sequence += 1000;
	wr_backend_cursor_format(cursor, &mask, &parts);
}

static void a_cursor_from_elsewhere_is_refused(void)
{
	char cursor[WR_CURSOR_BYTES + 1], good[WR_CURSOR_BYTES + 1], other[WR_HANDLES_ID_ROOM];

	if (!has_streams())
		return;
	watch(&watchers[0]);
	say(id, 1);
	wr_watcher_await(&watchers[0], 2);
	wr_watcher_cursor(&watchers[0], 1, good);
	wr_watcher_close(&watchers[0]);
	for (enum foreign how = OF_ANOTHER_WORKER; how < FOREIGN; how++) {
		memcpy(cursor, good, sizeof cursor);
		make_foreign(cursor, how);
		wr_watcher_open(&world, &watchers[0], id, cursor);
		check_refused(&watchers[0], UNKNOWN);
	}
	/* And as it is at another Worker that there is. */
	wr_handles_worker(&world, other);
	wr_watcher_open(&world, &watchers[0], other, good);
	check_refused(&watchers[0], UNKNOWN);
	/* It is none the worse for that. */
	wr_watcher_open(&world, &watchers[0], id, good);
	say(id, 2);
	wr_watcher_await(&watchers[0], 1);
	check_input(&watchers[0], 0, 2);
	wr_watcher_close(&watchers[0]);
}

/* By HTTP where that is known before the upgrade, else by the diagnostic. */
static void check_unknown_stream(const char *worker_id, const char *cursor)
{
	struct wr_watcher *watcher = &watchers[0];

	wr_watcher_open(&world, watcher, worker_id, cursor);
	if (watcher->http == 101) {
		check_refused(watcher, "backend.worker_not_found");
		return;
	}
	CHECK_U64(watcher->http, 404);
	CHECK_STRING(wr_json_find(wr_watcher_body(watcher), "code"), "worker_not_found");
	wr_watcher_close(watcher);
}

static void a_stream_of_nobody_is_refused(void)
{
	static const char *const ids[] = {"worker-ffffffff", "no-such", ":", "0"};

	if (!has_streams())
		return;
	for (unsigned i = 0; i < WR_COUNT(ids); i++) {
		wr_test_case(ids[i]);
		check_unknown_stream(ids[i], NULL);
		check_unknown_stream(ids[i], NULL); /* and is not known afterwards either */
	}
	wr_handles_settle(&world);
	CHECK_U64(stream_count(), 0);
}

static void a_stream_takes_nothing_but_pings(void)
{
	static const enum wr_ws_opcode opcodes[] = {WR_WS_OPCODE_TEXT, WR_WS_OPCODE_BINARY};

	for (unsigned i = 0; has_streams() && i < WR_COUNT(opcodes); i++) {
		struct wr_watcher *watcher = &watchers[i];

		watch(watcher);
		wr_watcher_send(watcher, WR_WS_OPCODE_PING, WR_VIEW("are you there?"));
		wr_handles_wait(&world);
		while (watcher->pongs == 0)
			wr_handles_turn(&world);
		say(id, 1);
		wr_watcher_await(watcher, 2);
		wr_watcher_send(watcher, opcodes[i], WR_VIEW("{\"kind\":\"user\"}"));
		wr_watcher_await(watcher, 3);
		CHECK_STRING(wr_json_find(wr_watcher_frame(watcher, 2), "diagnostic.code"),
			     "backend.observation_only");
		wr_watcher_await_close(watcher, 1008);
		wr_watcher_close(watcher);
		CHECK_U64(page(id, 0, 200), WR_SOURCE_ACCEPTED);
		CHECK_U64(asked.entry_count, 1);
	}
}

static void a_client_may_end_its_stream(void)
{
	static const unsigned codes[] = {1000, 1001, 4321};

	if (!has_streams())
		return;
	for (unsigned i = 0; i < WR_COUNT(codes); i++) {
		const char payload[] = {(char)(codes[i] >> 8), (char)codes[i]};

		watch(&watchers[0]);
		wr_watcher_send(&watchers[0], WR_WS_OPCODE_CLOSE, wr_view_of(payload, 2));
		wr_handles_wait(&world);
		while (!watchers[0].is_ended)
			wr_handles_turn(&world);
		CHECK_U64(watchers[0].close_code, codes[i]);
		CHECK_U64(watchers[0].count, 1);
		CHECK_U64(stream_count(), 0);
		wr_watcher_close(&watchers[0]);
	}
	/* And may just be gone. */
	watch(&watchers[0]);
	wr_watcher_close(&watchers[0]);
	wr_handles_wait(&world);
	while (stream_count() != 0)
		wr_handles_turn(&world);
}

static void a_drain_closes_every_stream_with_1001(void)
{
	enum { STREAMS = 5 };

	if (!has_streams())
		return;
	for (unsigned i = 0; i < STREAMS; i++)
		watch(&watchers[i]);
	say(id, 1);
	for (unsigned i = 0; i < STREAMS; i++)
		wr_watcher_await(&watchers[i], 2);
	CHECK_U64(stream_count(), STREAMS);
	world.handle->ops->drain(world.handle);
	for (unsigned i = 0; i < STREAMS; i++) {
		wr_watcher_await_close(&watchers[i], 1001);
		CHECK_U64(watchers[i].count, 2);
		wr_watcher_close(&watchers[i]);
	}
	CHECK_U64(stream_count(), 0);
}

static void free_ends_streams(void)
{
	if (!has_streams())
		return;
	for (unsigned i = 0; i < 3; i++)
		watch(&watchers[i]);
	wr_handles_free_handle(&world);
	for (unsigned i = 0; i < 3; i++) {
		wr_handles_wait(&world);
		while (!watchers[i].is_ended)
			wr_handles_turn(&world);
		wr_watcher_close(&watchers[i]);
	}
}

/* ---- all of them ---- */

/* clang-format off: one a line */
#define CASES(X)                                           \
	X(a_stream_is_a_snapshot_and_then_each_event_once) \
	X(a_large_event_comes_whole)                       \
	X(every_cursor_goes_on_exactly)                    \
	X(a_cursor_that_is_none_is_refused)                \
	X(a_cursor_from_elsewhere_is_refused)              \
	X(a_stream_of_nobody_is_refused)                   \
	X(a_stream_takes_nothing_but_pings)                \
	X(a_client_may_end_its_stream)                     \
	X(a_drain_closes_every_stream_with_1001)           \
	X(free_ends_streams)
/* clang-format on */

CASES(EACH_TEST)
const struct wr_test wr_tests[] = {CASES(EACH_ROW) WR_TEST_END};
