/* Goal: every event that a Worker's stream shows is one frame of the Backend, the same whenever it
 * is made, and passes the policy under its name. Method: the encoding and the feed over a Runtime
 * with a scripted store, read event by event. */
#include "unit/backend/embedded_scripted.h"

#include "backend/cursor.h"

#define W1 "worker-00000001"

enum { FRAMES = 2048 };

static struct {
	unsigned count;
	uint64_t sequences[FRAMES];
	struct wr_view frames[FRAMES]; /* copies */
} seen;

static void keep_frame(void *context, uint64_t event_id, struct wr_view frame)
{
	char *copied = malloc(frame.bytes + 1);

	(void)context;
	CHECK(copied != NULL && seen.count < FRAMES && frame.bytes > 0);
	memcpy(copied, frame.data, frame.bytes);
	seen.sequences[seen.count] = event_id;
	seen.frames[seen.count++] = wr_view_of(copied, frame.bytes);
}

static void forget_frames(void)
{
	while (seen.count > 0) {
		uintptr_t data = (uintptr_t)seen.frames[--seen.count].data;
		free((void *)data);
	}
}

/* All events of the log that made a frame. */
static void read_frames(void)
{
	uint64_t next = 1;
	bool has_more = true;

	forget_frames();
	while (has_more)
		CHECK_STATUS(wr_runtime_read_events(scripted.runtime, next, 256, keep_frame, NULL,
						    &next, &has_more),
			     WR_OK);
}

static const struct wr_cursor_mask *mask(void)
{
	static struct wr_cursor_mask made;

	wr_cursor_mask_init(&made, WR_VIEW("backend-internal"));
	return &made;
}

/* The cursor in a frame, whose header has four bytes. */
static struct wr_backend_cursor cursor_of(struct wr_view frame)
{
	static const char front[] = "{\"kind\":\"event\",\"envelope\":{\"cursor\":\"";
	struct wr_backend_cursor cursor;

	frame = wr_view_skip(frame, 4);
	CHECK(wr_view_starts(frame, wr_view_of_string(front)));
	frame = wr_view_skip(frame, sizeof front - 1);
	CHECK_STATUS(
		wr_backend_cursor_parse(&cursor, mask(), wr_view_of(frame.data, WR_CURSOR_BYTES)),
		WR_OK);
	return cursor;
}

/* ---- names ---- */

static struct {
	unsigned count;
	char names[64][32];
} asked;

static enum wr_policy_verdict note(void *context, const struct wr_policy_event *event,
				   struct wr_buf *replacement)
{
	(void)context, (void)replacement;
	CHECK(asked.count < WR_COUNT(asked.names));
	COPY(asked.names[asked.count], event->name);
	asked.count++;
	CHECK(wr_view_starts(event->payload, WR_VIEW("{\"event\":\"")));
	CHECK(event->payload.data[event->payload.bytes - 1] == '}');
	return WR_POLICY_PASS;
}

static void test_the_policy_is_told_the_name_of_every_event(void)
{
	static const struct {
		struct wr_output output;
		const char *name;
	} cases[] = {
		{{.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("a\"b")}, "text_delta"},
		{{.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("a")}, "text_done"},
		{{.kind = WR_OUTPUT_THINKING_START}, "thinking_start"},
		{{.kind = WR_OUTPUT_THINKING_DELTA, .text = WR_VIEW_INIT("a")}, "thinking_delta"},
		{{.kind = WR_OUTPUT_THINKING_DONE, .text = WR_VIEW_INIT("a")}, "thinking_done"},
		{{.kind = WR_OUTPUT_TOOL_CALL_START,
		  .id = WR_VIEW_INIT("1"),
		  .name = WR_VIEW_INIT("t")},
		 "tool_call_start"},
		{{.kind = WR_OUTPUT_TOOL_CALL_ARGS_DELTA,
		  .id = WR_VIEW_INIT("1"),
		  .text = WR_VIEW_INIT("{")},
		 "tool_call_args_delta"},
		{{.kind = WR_OUTPUT_TOOL_CALL_DONE,
		  .id = WR_VIEW_INIT("1"),
		  .name = WR_VIEW_INIT("t"),
		  .text = WR_VIEW_INIT("{}")},
		 "tool_call_done"},
		{{.kind = WR_OUTPUT_TOOL_RESULT,
		  .id = WR_VIEW_INIT("1"),
		  .name = WR_VIEW_INIT("s")},
		 "tool_result"},
		{{.kind = WR_OUTPUT_USAGE}, "usage"},
		{{.kind = WR_OUTPUT_RUN_END, .code = WR_RUN_FINISHED}, "run_end"},
		{{.kind = WR_OUTPUT_ERROR, .code = WR_ERROR_INTERNAL, .text = WR_VIEW_INIT("e")},
		 "error"},
		{{.kind = WR_OUTPUT_TURN_START, .numbers = {1}, .has_number = {true}},
		 "turn_start"},
		{{.kind = WR_OUTPUT_TURN_END, .numbers = {1}, .has_number = {true}}, "turn_end"},
		{{.kind = WR_OUTPUT_OPAQUE,
		  .name = WR_VIEW_INIT("alert"),
		  .text = WR_VIEW_INIT("{\"level\":\"warn\"}")},
		 "alert"},
		{{.kind = WR_OUTPUT_OPAQUE, .name = WR_VIEW_INIT("shutdown")}, "shutdown"},
	};

	scripted_prepare();
	scripted.has_execution = true;
	scripted.policy.on_event = note;
	scripted_open();
	scripted_create(1);
	CHECK_U64(asked.count, 0); /* the start of a Runtime, or of a Worker, is not observed */
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].name);
		CHECK_STATUS(wr_runtime_output(scripted.runtime, 1, &cases[i].output), WR_OK);
		CHECK_U64(asked.count, i + 1);
		CHECK_STRING(wr_view_of_string(asked.names[i]), cases[i].name);
	}
	asked.count = 0;
	CHECK_STATUS(wr_runtime_phase(scripted.runtime, 1, WR_PHASE_STARTING, WR_VIEW("x")), WR_OK);
	CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
	CHECK_U64(rig_ask(WR_SOURCE_STOP, W1), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.count, 3);
	CHECK_STRING(wr_view_of_string(asked.names[0]), "status");
	CHECK_STRING(wr_view_of_string(asked.names[1]), "user_message");
	CHECK_STRING(wr_view_of_string(asked.names[2]), "shutdown");
	scripted_close();
}

/* ---- frames ---- */

static void test_a_frame_is_the_same_whenever_it_is_made(void)
{
	struct wr_view first[64];
	unsigned count;

	scripted_prepare();
	scripted.config.retention.stream_events_max = 1;
	scripted_open();
	scripted_create(2);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_U64(rig_input(i % 2 == 0 ? W1 : "worker-00000002", "hello"),
			  WR_SOURCE_ACCEPTED);
	}
	wr_runtime_settle(scripted.runtime);
	read_frames(); /* from memory */
	count = seen.count;
	CHECK_U64(count, 20);
	memcpy(first, seen.frames, count * sizeof first[0]);
	for (unsigned i = 0; i < count; i++)
		CHECK_U64(cursor_of(first[i]).sequence, seen.sequences[i]);
	seen.count = 0;
	for (unsigned life = 1; life < 4; life++) {
		wr_runtime_trim(scripted.runtime);
		read_frames(); /* most of them from the store */
		CHECK_U64(seen.count, count);
		for (unsigned i = 0; i < count; i++)
			CHECK_VIEW(seen.frames[i], first[i]);
		/* An unclean stop, which loses nothing of these. */
		scripted.store.ends[life] = kept_head(&scripted.store);
		scripted_stop();
		scripted.store.generation++;
		scripted_open();
	}
	forget_frames();
	memcpy(seen.frames, first, count * sizeof first[0]);
	seen.count = count;
	forget_frames();
	scripted_close();
}

/* Frames of earlier lives are made between those of this one. */
static void test_a_cursor_has_the_generation_in_which_its_event_was_made(void)
{
	enum { LIVES = 3, INPUTS = 4 };

	scripted_prepare();
	scripted.config.retention.stream_events_max = 1;
	scripted_open();
	scripted_create(1);
	for (unsigned life = 1; life <= LIVES; life++) {
		for (unsigned i = 1; i <= INPUTS; i++) {
			CHECK_U64(rig_input(W1, "hello"), WR_SOURCE_ACCEPTED);
			wr_runtime_settle(scripted.runtime);
			wr_runtime_trim(scripted.runtime);
			read_frames();
			CHECK_U64(seen.count, (life - 1) * INPUTS + i);
			for (unsigned k = 0; k < seen.count; k++)
				CHECK_U64(cursor_of(seen.frames[k]).generation, k / INPUTS + 1);
		}
		scripted.store.ends[life] = kept_head(&scripted.store);
		scripted_stop();
		scripted.store.generation++;
		scripted_open();
	}
	forget_frames();
	scripted_close();
}

/* More Workers than tags are remembered, in an order that makes them displace each other. */
static void test_a_cursor_has_the_tag_of_its_worker(void)
{
	enum { WORKERS = WR_EMBEDDED_TAG_COUNT * 2 + 3 };
	char id[32];

	scripted_prepare();
	scripted_open();
	scripted_create(WORKERS);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 1; i <= WORKERS; i++) {
			snprintf(id, sizeof id, "worker-%08x", i);
			CHECK_U64(rig_input(id, "hello"), WR_SOURCE_ACCEPTED);
		}
	}
	wr_runtime_settle(scripted.runtime);
	read_frames();
	CHECK_U64(seen.count, 3 * WORKERS);
	for (unsigned i = 0; i < seen.count; i++) {
		snprintf(id, sizeof id, "worker-%08x", i % WORKERS + 1);
		CHECK_U64(cursor_of(seen.frames[i]).worker_tag,
			  wr_worker_tag(wr_view_of_string(id)));
		CHECK(view_has(seen.frames[i], id));
	}
	forget_frames();
	scripted_close();
}

static void test_one_large_event_does_not_keep_its_memory(void)
{
	static char text[WR_EVENT_BYTES_MAX];

	memset(text, '\n', sizeof text); /* doubles when it is escaped */
	scripted_prepare();
	scripted_open();
	scripted_create(1);
	text[0] = 'x';
	CHECK_U64(rig_input_with_key(W1, wr_view_of(text, sizeof text), NULL), WR_SOURCE_ACCEPTED);
	CHECK(scripted.state.payload.capacity > sizeof text);
	CHECK_U64(rig_input(W1, "small"), WR_SOURCE_ACCEPTED);
	CHECK(scripted.state.payload.capacity <= 65536);
	scripted_close();
}

/* ---- opening ---- */

static enum wr_status open_at(struct wr_backend_cursor cursor, uint64_t *sequence)
{
	char token[WR_CURSOR_BYTES];
	struct wr_buf out;
	enum wr_status status;

	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	wr_backend_cursor_format(token, mask(), &cursor);
	status = scripted.feed.ops->open(scripted.feed.context, 1, wr_view_of(token, sizeof token),
					 &out, sequence);
	CHECK_U64(out.bytes, 0);
	wr_buf_deinit(&out);
	return status;
}

static void test_a_cursor_whose_tail_was_lost_is_told_apart(void)
{
	struct wr_backend_cursor cursor;
	uint64_t kept, sequence;

	scripted_prepare();
	scripted_open();
	scripted_create(1);
	CHECK_U64(rig_input(W1, "kept"), WR_SOURCE_ACCEPTED);
	kept = got.result.event_id;
	CHECK_U64(rig_input(W1, "lost"), WR_SOURCE_ACCEPTED);
	wr_runtime_settle(scripted.runtime);
	read_frames();
	cursor = cursor_of(seen.frames[1]);
	CHECK_U64(cursor.generation, 1);
	CHECK_STATUS(open_at(cursor, &sequence), WR_OK);
	CHECK_U64(sequence, kept + 1);
	scripted_stop();
	kept_store_cut(&scripted.store, 1);
	scripted.store.ends[1] = kept;
	scripted.store.generation = 2;
	scripted_open();
	CHECK_STATUS(open_at(cursor, &sequence), WR_LOST_TAIL);
	cursor.sequence = kept;
	CHECK_STATUS(open_at(cursor, &sequence), WR_OK);
	CHECK_U64(sequence, kept);
	cursor.generation = 3;
	CHECK_STATUS(open_at(cursor, &sequence), WR_UNKNOWN);
	cursor.generation = 0;
	CHECK_STATUS(open_at(cursor, &sequence), WR_UNKNOWN);
	scripted.store.evicted[1] = kept + 1;
	cursor.generation = 1;
	CHECK_STATUS(open_at(cursor, &sequence), WR_EXPIRED);
	forget_frames();
	scripted_close();
}

static void test_a_diagnostic_says_why_a_stream_ends(void)
{
	static const struct {
		enum wr_feed_news news;
		enum wr_status why;
		const char *code, *reason;
	} cases[] = {
		{WR_FEED_OBSERVATION_ONLY, WR_OK, "backend.observation_only", NULL},
		{WR_FEED_BROKEN, WR_SYNTAX, "backend.malformed_frame", NULL},
		{WR_FEED_REFUSED, WR_MALFORMED, "backend.cursor_malformed", "malformed"},
		{WR_FEED_REFUSED, WR_SCOPE_MISMATCH, "backend.cursor_unknown_or_expired",
		 "scope_mismatch"},
		{WR_FEED_REFUSED, WR_LOST_TAIL, "backend.cursor_unknown_or_expired", "lost_tail"},
		{WR_FEED_REFUSED, WR_EXPIRED, "backend.cursor_unknown_or_expired", "expired"},
		{WR_FEED_REFUSED, WR_NO_MEMORY, "backend.runtime_unavailable", NULL},
		{WR_FEED_EXPIRED, WR_OK, "backend.cursor_unknown_or_expired", "expired"},
		{WR_FEED_FAILED, WR_CORRUPT, "backend.runtime_unavailable", NULL},
		{WR_FEED_FAILED, WR_IO, "backend.runtime_unavailable", NULL},
		{WR_FEED_ENDED, WR_UNAVAILABLE, "backend.runtime_unavailable", NULL},
	};
	struct wr_buf out;
	char text[64];

	scripted_prepare();
	scripted_open();
	wr_buf_init(&out, wr_test_allocator(), 4096);
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_buf_reset(&out);
		wr_test_case(cases[i].code);
		scripted.feed.ops->diagnose(scripted.feed.context, &out, 1, cases[i].news,
					    cases[i].why, 7);
		CHECK_STATUS(wr_buf_status(&out), WR_OK);
		snprintf(text, sizeof text, "\"code\":\"%s\"", cases[i].code);
		CHECK(view_has(wr_buf_view(&out), text));
		CHECK_U64(view_has(wr_buf_view(&out), "\"reason\":"), cases[i].reason != NULL);
		snprintf(text, sizeof text, "\"reason\":\"%s\"",
			 cases[i].reason == NULL ? "" : cases[i].reason);
		CHECK_U64(view_has(wr_buf_view(&out), text), cases[i].reason != NULL);
		CHECK(!view_has(wr_buf_view(&out), "\"wo_"));
	}
	wr_buf_deinit(&out);
	scripted_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_policy_is_told_the_name_of_every_event),
	WR_TEST(test_a_frame_is_the_same_whenever_it_is_made),
	WR_TEST(test_a_cursor_has_the_generation_in_which_its_event_was_made),
	WR_TEST_LIMIT(test_a_cursor_has_the_tag_of_its_worker, 30),
	WR_TEST(test_one_large_event_does_not_keep_its_memory),
	WR_TEST(test_a_cursor_whose_tail_was_lost_is_told_apart),
	WR_TEST(test_a_diagnostic_says_why_a_stream_ends),
	WR_TEST_END,
};
