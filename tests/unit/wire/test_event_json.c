/* Goal: each event becomes the one frame that each stream shows of it, byte for byte, and the same
 * frame serves both streams. Method: a table of events with their exact payloads; frames are taken
 * with the client's decoder; patching is compared with encoding anew. */
#include "wire/event_json.h"

#include "check.h"
#include "harness/harness.h"
#include "bounds.h"
#include "unit/wire/frame_payload.h"
#include "unit/wire/json_equal.h"

#define CURSOR_A "wo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define CURSOR_B "re_BBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define LOG_ID "00112233445566778899aabbccddeeff"

_Static_assert(sizeof CURSOR_A - 1 == WR_CURSOR_BYTES, "a cursor's length");

static struct wr_identity identity_of(const char *cursor, bool has_worker)
{
	struct wr_identity identity = {
		.runtime_id = WR_VIEW("rt-a"),
		.worker_id = has_worker ? WR_VIEW("worker-00000001") : WR_VIEW_NULL,
		.log_id = WR_VIEW(LOG_ID),
	};

	memcpy(identity.cursor, cursor, WR_CURSOR_BYTES);
	return identity;
}

static enum wr_status encode(struct wr_buf *out, const struct wr_event *event, const char *cursor,
			     enum wr_scope scope)
{
	struct wr_identity identity = identity_of(cursor, event->worker != 0);

	return wr_frame_encoding.encode(wr_frame_encoding.context, out, event, &identity, scope);
}

#define WORKER_FRAME(sequence, payload)                                                          \
	"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"" CURSOR_A "\",\"event_id\":\"" CURSOR_A \
	"\",\"worker_id\":\"worker-00000001\",\"sequence\":" sequence ",\"log_id\":\"" LOG_ID    \
	"\",\"payload\":" payload "}}"
#define RUNTIME_FRAME(worker_id, payload)                                                   \
	"{\"kind\":\"runtime_event\",\"envelope\":{\"cursor\":\"" CURSOR_A                  \
	"\",\"event_id\":\"" CURSOR_A "\",\"runtime_id\":\"rt-a\",\"worker_id\":" worker_id \
	",\"sequence\":7,"                                                                  \
	"\"log_id\":\"" LOG_ID "\",\"payload\":" payload "}}"
#define WORKER_REF "\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\"}"

#define SEQUENCES "\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0"

static const struct frame_case {
	const char *label;
	struct wr_event event;
	enum wr_scope scope;
	const char *payload; /* NULL: nothing is shown */
} cases[] = {
	{"user input",
	 {.kind = WR_EVENT_INPUT_ACCEPTED,
	  .sequence = 7,
	  .worker = 1,
	  .as.input.input = {WR_INPUT_USER, WR_VIEW_INIT("say \"hi\"\n")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"user_message\",\"data\":{\"segments\":[{\"kind\":\"text\","
			   "\"content\":\"say \\\"hi\\\"\\n\"}]}}")},
	{"system input",
	 {.kind = WR_EVENT_INPUT_ACCEPTED,
	  .sequence = UINT64_MAX,
	  .worker = 1,
	  .as.input.input = {WR_INPUT_SYSTEM, WR_VIEW_INIT("note")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("18446744073709551615",
		      "{\"event\":\"system_item\",\"data\":{\"item\":{\"kind\":\"embedded_worker_"
		      "system_input\",\"content\":\"note\"}}}")},
	{"stop on the Worker's stream",
	 {.kind = WR_EVENT_WORKER_STOPPED, .sequence = 7, .worker = 1},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"shutdown\"}")},
	{"cancel on the Worker's stream",
	 {.kind = WR_EVENT_WORKER_CANCELLED, .sequence = 7, .worker = 1},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"shutdown\"}")},
	{"cancel that takes inputs back, on the Worker's stream",
	 {.kind = WR_EVENT_WORKER_CANCELLED,
	  .sequence = 7,
	  .worker = 1,
	  .as.ended.dropped = WR_VIEW_INIT(SEQUENCES)},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"shutdown\",\"dropped_inputs\":[5,6]}")},
	{"stop that takes inputs back, on the runtime-wide stream",
	 {.kind = WR_EVENT_WORKER_STOPPED,
	  .sequence = 7,
	  .worker = 1,
	  .as.ended.dropped = WR_VIEW_INIT(SEQUENCES)},
	 WR_SCOPE_RUNTIME,
	 RUNTIME_FRAME("\"worker-00000001\"",
		       "{\"id\":7," WORKER_REF ",\"kind\":{\"kind\":\"worker_stopped\"},"
		       "\"message\":\"worker stopped\",\"dropped_inputs\":[5,6]}")},
	{"interrupted, with inputs that will not run",
	 {.kind = WR_EVENT_PHASE_CHANGED,
	  .sequence = 7,
	  .worker = 1,
	  .delivered = 3,
	  .as.phase = {.to = WR_PHASE_INTERRUPTED,
		       .cause = WR_VIEW_INIT("x"),
		       .dropped = WR_VIEW_INIT(SEQUENCES)}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"status\",\"data\":{\"status\":\"idle\",\"phase\":"
			   "\"interrupted\",\"cause\":\"x\",\"dropped_inputs\":[5,6]}}")},
	{"phase busy",
	 {.kind = WR_EVENT_PHASE_CHANGED,
	  .sequence = 7,
	  .worker = 1,
	  .as.phase = {.to = WR_PHASE_BUSY, .cause = WR_VIEW_INIT("why \"so\"")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7",
		      "{\"event\":\"status\",\"data\":{\"status\":\"running\",\"phase\":\"busy\","
		      "\"cause\":\"why \\\"so\\\"\"}}")},
	{"phase idle",
	 {.kind = WR_EVENT_PHASE_CHANGED,
	  .sequence = 7,
	  .worker = 1,
	  .as.phase = {.to = WR_PHASE_IDLE, .cause = WR_VIEW_INIT("why \"so\"")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"status\",\"data\":{\"status\":\"idle\",\"phase\":\"idle\","
			   "\"cause\":\"why \\\"so\\\"\"}}")},
	{"phase waiting",
	 {.kind = WR_EVENT_PHASE_CHANGED,
	  .sequence = 7,
	  .worker = 1,
	  .as.phase = {.to = WR_PHASE_WAITING, .cause = WR_VIEW_INIT("why \"so\"")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7",
		      "{\"event\":\"status\",\"data\":{\"status\":\"paused\",\"phase\":\"waiting\","
		      "\"cause\":\"why \\\"so\\\"\"}}")},
	{"phase stopped shows nothing",
	 {.kind = WR_EVENT_PHASE_CHANGED,
	  .sequence = 7,
	  .worker = 1,
	  .as.phase = {.to = WR_PHASE_STOPPED}},
	 WR_SCOPE_WORKER,
	 NULL},
	{"created shows nothing on the Worker's stream",
	 {.kind = WR_EVENT_WORKER_CREATED, .sequence = 7, .worker = 1},
	 WR_SCOPE_WORKER,
	 NULL},
	{"Runtime events show nothing on a Worker's stream",
	 {.kind = WR_EVENT_RUNTIME_STOPPED, .sequence = 7},
	 WR_SCOPE_WORKER,
	 NULL},
	{"text",
	 {.kind = WR_EVENT_OUTPUT,
	  .sequence = 7,
	  .worker = 1,
	  .as.output = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("Rea")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"text_delta\",\"data\":{\"text\":\"Rea\"}}")},
	{"a tool's result without output",
	 {.kind = WR_EVENT_OUTPUT,
	  .sequence = 7,
	  .worker = 1,
	  .as.output = {.kind = WR_OUTPUT_TOOL_RESULT,
			.id = WR_VIEW_INIT("c"),
			.name = WR_VIEW_INIT("\\"),
			.flag = true}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"tool_result\",\"data\":{\"id\":\"c\",\"summary\":\"\\\\\","
			   "\"is_error\":true}}")},
	{"an opaque event",
	 {.kind = WR_EVENT_OUTPUT,
	  .sequence = 7,
	  .worker = 1,
	  .as.output = {.kind = WR_OUTPUT_OPAQUE,
			.name = WR_VIEW_INIT("status"),
			.text = WR_VIEW_INIT("{\"status\":\"idle\"}")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"status\",\"data\":{\"status\":\"idle\"}}")},
	{"an opaque event without data",
	 {.kind = WR_EVENT_OUTPUT,
	  .sequence = 7,
	  .worker = 1,
	  .as.output = {.kind = WR_OUTPUT_OPAQUE, .name = WR_VIEW_INIT("compact_start")}},
	 WR_SCOPE_WORKER,
	 WORKER_FRAME("7", "{\"event\":\"compact_start\"}")},
	{"started",
	 {.kind = WR_EVENT_RUNTIME_STARTED, .sequence = 7},
	 WR_SCOPE_RUNTIME,
	 RUNTIME_FRAME("null", "{\"id\":7,\"kind\":{\"kind\":\"runtime_started\"},\"message\":"
			       "\"runtime started\"}")},
	{"created",
	 {.kind = WR_EVENT_WORKER_CREATED, .sequence = 7, .worker = 1},
	 WR_SCOPE_RUNTIME,
	 RUNTIME_FRAME("\"worker-00000001\"",
		       "{\"id\":7," WORKER_REF ",\"kind\":{\"kind\":\"worker_created\"},"
		       "\"message\":\"worker created\"}")},
	/* The contract's example (3.9). */
	{"stop with a reason",
	 {.kind = WR_EVENT_WORKER_STOPPED,
	  .sequence = 7,
	  .worker = 1,
	  .as.ended.reason = WR_VIEW_INIT("done for today")},
	 WR_SCOPE_RUNTIME,
	 RUNTIME_FRAME("\"worker-00000001\"",
		       "{\"id\":7," WORKER_REF ",\"kind\":{\"kind\":\"worker_stopped\"},"
		       "\"message\":\"done for today\"}")},
	{"cancel without a reason",
	 {.kind = WR_EVENT_WORKER_CANCELLED, .sequence = 7, .worker = 1},
	 WR_SCOPE_RUNTIME,
	 RUNTIME_FRAME("\"worker-00000001\"",
		       "{\"id\":7," WORKER_REF ",\"kind\":{\"kind\":\"worker_cancelled\"},"
		       "\"message\":\"worker cancelled\"}")},
};

static void test_frames_are_exact(void)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		wr_buf_reset(&out);
		CHECK_STATUS(encode(&out, &cases[i].event, CURSOR_A, cases[i].scope), WR_OK);
		if (cases[i].payload == NULL)
			CHECK_U64(out.bytes, 0);
		else
			CHECK_STRING(frame_payload(wr_buf_view(&out)), cases[i].payload);
	}
	wr_buf_deinit(&out);
}

static void test_a_frame_is_appended_behind_what_is_there(void)
{
	struct wr_buf out;
	size_t first;

	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	CHECK_STATUS(encode(&out, &cases[0].event, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
	first = out.bytes;
	CHECK_STATUS(encode(&out, &cases[10].event, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
	CHECK_U64(out.bytes, first);
	CHECK_STATUS(encode(&out, &cases[2].event, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
	CHECK_STRING(frame_payload(wr_view_of(out.data, first)), cases[0].payload);
	CHECK_STRING(frame_payload(wr_view_skip(wr_buf_view(&out), first)), cases[2].payload);
	wr_buf_deinit(&out);
}

static struct wr_event message_of(struct wr_view content)
{
	return (struct wr_event){.kind = WR_EVENT_INPUT_ACCEPTED,
				 .sequence = 7,
				 .worker = 1,
				 .as.input.input = {WR_INPUT_USER, content}};
}

/* Patched with another cursor, a frame is the one that is encoded with it; also when its length is
 * written in 8 bytes. */
static void test_a_patched_frame_is_the_frame_of_the_other_cursor(void)
{
	static char content[70000];
	struct wr_event empty = message_of(wr_view_of(content, 0));
	struct wr_buf a, b;
	size_t border; /* the largest content whose frame has a 4-byte header */

	memset(content, 'x', sizeof content);
	wr_buf_init(&a, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	wr_buf_init(&b, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	CHECK_STATUS(encode(&a, &empty, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
	border = 65535 - (a.bytes - 4);
	for (size_t i = 0; i < 7; i++) {
		size_t sizes[] = {0, 200, border - 1, border, border + 1, 65536, sizeof content};
		struct wr_event event = message_of(wr_view_of(content, sizes[i]));

		wr_buf_reset(&a);
		wr_buf_reset(&b);
		CHECK_STATUS(encode(&a, &event, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
		CHECK_STATUS(encode(&b, &event, CURSOR_B, WR_SCOPE_WORKER), WR_OK);
		CHECK(!wr_view_equal(wr_buf_view(&a), wr_buf_view(&b)));
		wr_frame_encoding.patch(wr_frame_encoding.context, a.data, a.bytes, CURSOR_B);
		CHECK_VIEW(wr_buf_view(&a), wr_buf_view(&b));
		frame_payload(wr_buf_view(&a));
		CHECK(a.data[1] == (sizes[i] <= border ? 126 : 127));
	}
	wr_buf_deinit(&a);
	wr_buf_deinit(&b);
}

static void test_every_byte_of_a_message_survives(void)
{
	static const char *const path = "envelope.payload.data.segments";
	char content[128];
	struct wr_event event;
	struct wr_json_reader reader;
	struct wr_view payload, segment, text;
	struct wr_buf out, decoded;

	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (char)i;
	event = message_of(wr_view_of(content, sizeof content));
	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	wr_buf_init(&decoded, wr_test_allocator(), 4096);
	CHECK_STATUS(encode(&out, &event, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
	payload = frame_payload(wr_buf_view(&out));
	CHECK(json_equal(json_at(payload, "envelope.cursor"), WR_VIEW("\"" CURSOR_A "\"")));
	wr_json_reader_init(&reader, json_at(payload, path), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(json_element(&reader, &segment));
	text = json_at(segment, "content");
	CHECK_STATUS(wr_json_decode_string(&decoded, wr_view_of(text.data + 1, text.bytes - 2)),
		     WR_OK);
	CHECK_VIEW(wr_buf_view(&decoded), wr_view_of(content, sizeof content));
	wr_buf_deinit(&out);
	wr_buf_deinit(&decoded);
}

static void test_ids_are_escaped(void)
{
	struct wr_identity identity = identity_of(CURSOR_A, true);
	struct wr_event event = cases[0].event;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	identity.worker_id = WR_VIEW("a\"b");
	identity.runtime_id = WR_VIEW("\\");
	CHECK_STATUS(wr_frame_encoding.encode(NULL, &out, &event, &identity, WR_SCOPE_WORKER),
		     WR_OK);
	CHECK(json_equal(json_at(frame_payload(wr_buf_view(&out)), "envelope.worker_id"),
			 WR_VIEW("\"a\\\"b\"")));
	wr_buf_reset(&out);
	event.kind = WR_EVENT_WORKER_CREATED;
	CHECK_STATUS(wr_frame_encoding.encode(NULL, &out, &event, &identity, WR_SCOPE_RUNTIME),
		     WR_OK);
	CHECK(json_equal(json_at(frame_payload(wr_buf_view(&out)), "envelope.payload.worker_ref"),
			 WR_VIEW("{\"runtime_id\":\"\\\\\",\"worker_id\":\"a\\\"b\"}")));
	wr_buf_deinit(&out);
}

/* The largest content of all, every byte of it in six. */
static void test_the_largest_event_fits_the_largest_frame(void)
{
	static char content[WR_EVENT_BYTES_MAX];
	struct wr_event event = message_of(wr_view_of(content, sizeof content));
	struct wr_buf out;

	memset(content, 1, sizeof content);
	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	CHECK_STATUS(encode(&out, &event, CURSOR_A, WR_SCOPE_WORKER), WR_OK);
	CHECK(frame_payload(wr_buf_view(&out)).bytes > 6 * sizeof content);
	wr_buf_deinit(&out);
}

static void test_failure_leaves_nothing_of_the_frame(void)
{
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		size_t bytes;

		wr_test_case(cases[i].label);
		wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
		CHECK_STATUS(encode(&out, &cases[i].event, CURSOR_A, cases[i].scope), WR_OK);
		bytes = out.bytes;
		wr_buf_deinit(&out);
		for (size_t room = 1; room < bytes; room++) {
			char storage[2048];

			wr_buf_init_fixed(&out, storage, room);
			CHECK_STATUS(encode(&out, &cases[i].event, CURSOR_A, cases[i].scope),
				     WR_TOO_LARGE);
			CHECK_U64(out.bytes, 0);
		}
		for (uint64_t n = 1;; n++) {
			enum wr_status status;

			wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
			wr_test_fail_allocation(n, false);
			status = encode(&out, &cases[i].event, CURSOR_A, cases[i].scope);
			CHECK_U64(out.bytes, status == WR_OK ? bytes : 0);
			wr_buf_deinit(&out);
			if (!wr_test_allocation_failed())
				break;
			CHECK_STATUS(status, WR_NO_MEMORY);
		}
		wr_test_fail_allocation(0, false);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_frames_are_exact),
	WR_TEST(test_a_frame_is_appended_behind_what_is_there),
	WR_TEST(test_a_patched_frame_is_the_frame_of_the_other_cursor),
	WR_TEST(test_every_byte_of_a_message_survives),
	WR_TEST(test_ids_are_escaped),
	WR_TEST(test_the_largest_event_fits_the_largest_frame),
	WR_TEST(test_failure_leaves_nothing_of_the_frame),
	WR_TEST_END,
};
