/* Goal: of a Runtime's stream exactly the frames of the contract (3.3, 3.6, 3.9) are understood,
 * whatever the order of their members, and nothing of a hostile one. Method: tables of documents,
 * what was read described in one line; every document lies against an unmapped page, is cut at
 * every position and spoiled in every byte; documents made of members, each of which is left out,
 * repeated and replaced, and put in every order; and what our own Runtime sends is read back. */
#include "wire/stream_json.h"

#include "check.h"
#include "bounds.h"
#include "harness/harness.h"
#include "unit/wire/document.h"
#include "unit/wire/fixture.h"
#include "unit/wire/frame_payload.h"
#include "wire/snapshot_json.h"

enum { TEXTS_BYTES = 16 * 1048576 };

#define WO_7 "wo_oKCgoKCgAAABAAAAAQAAAAAAAAAH"
#define WO_8 "wo_oKCgoKCgAAABAAAAAQAAAAAAAAAI"
#define RE_7 "re_oKCgoKCgAAABAAAAAAAAAAAAAAAH"
#define WO_MAX "wo_oKCgoKCgAAABAAAAAf__________"
#define LOG_ID FIXTURE_LOG_ID
#define OTHER_LOG_ID "a0a0a0a0a0a1a0a0a0a0a0a0a0a0a0a0"

/* ---- a frame in one line ---- */

static void say(struct wr_buf *line, const char *label, struct wr_view text)
{
	if (text.data == NULL)
		return;
	wr_buf_append_view(line, wr_view_of_string(label));
	wr_buf_append_view(line, text);
}

static void say_number(struct wr_buf *line, const char *label, uint64_t number)
{
	wr_buf_append_view(line, wr_view_of_string(label));
	wr_buf_append_u64(line, number);
}

static void describe(struct wr_buf *line, const struct wr_stream_frame *frame)
{
	static const char *const kinds[] = {"event", "runtime_event", "runtime_snapshot",
					    "diagnostic"};

	wr_buf_append_view(line, wr_view_of_string(kinds[frame->kind]));
	if (frame->is_snapshot)
		wr_buf_append_view(line, WR_VIEW(" (snapshot)"));
	say(line, " at ", frame->cursor_text);
	if (frame->has_cursor && frame->cursor.is_legacy)
		wr_buf_append_view(line, WR_VIEW(" old"));
	else if (frame->has_cursor)
		say_number(line, " gen ", frame->cursor.generation);
	if (frame->kind != WR_STREAM_DIAGNOSTIC)
		say_number(line, " = ", frame->sequence);
	say(line, " of ", frame->worker_id);
	say(line, " in ", frame->log_id);
	say(line, " is ", frame->event);
	say(line, " is ", frame->runtime_event);
	say(line, " dropped ", frame->dropped_inputs);
	say(line, " ", frame->payload);
	say(line, " ", frame->code);
	say(line, ": ", frame->message);
	say(line, ", ", frame->reason);
}

static void check_inside(struct wr_view view, struct wr_view json, const struct wr_buf *texts)
{
	bool is_in_json = view.data != NULL && view.data >= json.data &&
			  view.bytes <= json.bytes - (size_t)(view.data - json.data);
	bool is_in_texts = texts->data != NULL && view.data != NULL && view.data >= texts->data &&
			   view.bytes <= texts->bytes - (size_t)(view.data - texts->data);

	CHECK(view.data == NULL ? view.bytes == 0 : is_in_json || is_in_texts);
}

/* Reads, and checks what holds for every frame. */
static enum wr_status read_frame(struct wr_stream_frame *frame, struct wr_buf *texts,
				 struct wr_view json)
{
	enum wr_status status = wr_stream_frame_read(frame, texts, json);
	const struct wr_view views[] = {
		frame->cursor_text, frame->worker_id,	   frame->log_id, frame->payload,
		frame->event,	    frame->runtime_event,  frame->code,	  frame->message,
		frame->reason,	    frame->dropped_inputs,
	};

	CHECK(status == WR_OK || status == WR_SYNTAX || status == WR_ENCODING ||
	      status == WR_TOO_LARGE || status == WR_INVALID || status == WR_UNSUPPORTED);
	if (status != WR_OK && status != WR_UNSUPPORTED)
		return status;
	for (size_t i = 0; i < WR_COUNT(views); i++)
		check_inside(views[i], json, texts);
	if (frame->kind == WR_STREAM_EVENT)
		CHECK(frame->worker_id.bytes != 0 && frame->payload.bytes >= 2 &&
		      frame->cursor_text.bytes != 0);
	return status;
}

static enum wr_status read_line(struct wr_buf *line, struct wr_buf *texts, struct wr_view json)
{
	struct wr_stream_frame frame;
	enum wr_status status = read_frame(&frame, texts, wr_test_guarded(0, json));

	wr_buf_reset(line);
	if (status == WR_OK || status == WR_UNSUPPORTED)
		describe(line, &frame);
	return status;
}

static struct wr_buf texts, line;

static void begin(void)
{
	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	wr_buf_init(&line, wr_test_allocator(), TEXTS_BYTES);
}

static void end(void)
{
	wr_buf_deinit(&texts);
	wr_buf_deinit(&line);
}

/* ---- the tables ---- */

#define DELTA "{\"event\":\"text_delta\",\"data\":{\"text\":\"Rea\"}}"
#define EVENT(members, payload) \
	"{\"kind\":\"event\",\"envelope\":{" members ",\"payload\":" payload "}}"
#define NAMES(cursor)                                            \
	"\"cursor\":\"" cursor "\",\"event_id\":\"" cursor "\"," \
	"\"worker_id\":\"worker-00000001\""
#define RUNTIME_NAMES(cursor, event_id)                            \
	"\"cursor\":\"" cursor "\",\"event_id\":\"" event_id "\"," \
	"\"runtime_id\":\"rt-a\""
#define OURS NAMES(WO_7) ",\"sequence\":7,\"log_id\":\"" LOG_ID "\""
#define STOPPED                                                                               \
	"{\"id\":7,\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\"" \
	"},\"kind\":{\"kind\":\"worker_stopped\"},\"message\":\"done for today\"}"
#define RUNTIME_EVENT(members, payload) \
	"{\"kind\":\"runtime_event\",\"envelope\":{" members ",\"payload\":" payload "}}"
#define CATALOG "{\"runtime\":{},\"workers\":[],\"workers_truncated\":false}"
#define RUNTIME_SNAPSHOT(members, payload) \
	"{\"kind\":\"runtime_snapshot\",\"envelope\":{" members ",\"payload\":" payload "}}"
#define DIAGNOSTIC(members) "{\"kind\":\"diagnostic\",\"diagnostic\":{" members "}}"

#define DROPPED(list)                                                           \
	"{\"id\":7,\"kind\":{\"kind\":\"worker_cancelled\"},\"message\":\"m\"," \
	"\"dropped_inputs\":" list "}"

struct good {
	const char *json, *line;
};

static const struct good goods[] = {
	/* The contract's examples (3.3, 3.9). */
	{"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"wo_0000000000000000\",\"event_id\":"
	 "\"snapshot:wo_0000000000000000\",\"worker_id\":\"worker-00000001\",\"payload\":{"
	 "\"event\":\"snapshot\",\"data\":{\"entries\":[]}}}}",
	 "event (snapshot) at wo_0000000000000000 old = 0 of worker-00000001 is snapshot "
	 "{\"event\":\"snapshot\",\"data\":{\"entries\":[]}}"},
	{EVENT(NAMES("wo_000000000000002a"), DELTA),
	 "event at wo_000000000000002a old = 42 of worker-00000001 is text_delta " DELTA},
	{DIAGNOSTIC("\"code\":\"runtime.cursor_unknown_or_expired\",\"message\":\"cursor is no "
		    "longer available\""),
	 "diagnostic runtime.cursor_unknown_or_expired: cursor is no longer available"},
	{"{\"kind\":\"runtime_event\",\"envelope\":{\"cursor\":\"re_5f2c91d0a7b3e846_"
	 "0000000000000007\",\"event_id\":\"re_5f2c91d0a7b3e846_0000000000000007\",\"runtime_id\":"
	 "\"rt-a\",\"worker_id\":\"worker-00000001\",\"payload\":" STOPPED "}}",
	 "runtime_event at re_5f2c91d0a7b3e846_0000000000000007 = 0 of worker-00000001 is "
	 "worker_stopped " STOPPED},
	/* Ours. */
	{RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("[ 5,6 ]")),
	 "runtime_event at " RE_7
	 " gen 1 = 7 is worker_cancelled dropped [ 5,6 ] " DROPPED("[ 5,6 ]")},
	{RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("null")),
	 "runtime_event at " RE_7 " gen 1 = 7 is worker_cancelled " DROPPED("null")},
	{EVENT(OURS, "{\"event\":\"shutdown\",\"dropped_inputs\":[{}]}"),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 in " LOG_ID
	 " is shutdown {\"event\":\"shutdown\",\"dropped_inputs\":[{}]}"},
	{EVENT(OURS, DELTA),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 in " LOG_ID " is text_delta " DELTA},
	{EVENT(NAMES(RE_7), DELTA),
	 "event at " RE_7 " gen 1 = 7 of worker-00000001 is text_delta " DELTA},
	{EVENT(NAMES(WO_MAX) ",\"sequence\":18446744073709551615", DELTA),
	 "event at " WO_MAX
	 " gen 1 = 18446744073709551615 of worker-00000001 is text_delta " DELTA},
	{EVENT(NAMES(WO_7) ",\"sequence\":null,\"log_id\":null", DELTA),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is text_delta " DELTA},
	{RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7) ",\"worker_id\":null,\"sequence\":7,\"log_id\":"
						 "\"" LOG_ID "\"",
		       "{\"id\":7,\"kind\":{\"kind\":\"runtime_stopped\"},\"message\":\"\"}"),
	 "runtime_event at " RE_7 " gen 1 = 7 in " LOG_ID
	 " is runtime_stopped {\"id\":7,\"kind\":{\"kind\":\"runtime_stopped\"},\"message\":\"\"}"},
	{RUNTIME_SNAPSHOT(RUNTIME_NAMES(RE_7, "snapshot:" RE_7), CATALOG),
	 "runtime_snapshot (snapshot) at " RE_7 " gen 1 = 7 " CATALOG},
	{DIAGNOSTIC("\"code\":\"c\",\"message\":\"m\",\"detail\":{\"reason\":\"expired\","
		    "\"oldest_cursor\":\"x\"}"),
	 "diagnostic c: m, expired"},
	{DIAGNOSTIC("\"code\":\"\",\"message\":\"\",\"detail\":null"), "diagnostic : "},
	{DIAGNOSTIC("\"code\":\"c\",\"message\":\"m\",\"detail\":{\"reason\":null}"),
	 "diagnostic c: m"},
	/* Events without data; a snapshot that an execution wrote is an event like others. */
	{EVENT(NAMES(WO_7), "{\"event\":\"shutdown\"}"),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is shutdown {\"event\":\"shutdown\"}"},
	{EVENT(NAMES(WO_7), "{\"data\":null,\"event\":\"thinking_start\"}"),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is thinking_start {\"data\":null,"
	 "\"event\":\"thinking_start\"}"},
	{EVENT(NAMES(WO_7), "{\"event\":\"snapshot\",\"data\":{}}"),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is snapshot "
	 "{\"event\":\"snapshot\",\"data\":{}}"},
	/* Cursors that are not ours. */
	{EVENT(NAMES("A-z_0.9~") ",\"sequence\":5,\"log_id\":\"any\"", DELTA),
	 "event at A-z_0.9~ = 5 of worker-00000001 in any is text_delta " DELTA},
	/* White space; what is unknown, or a member of another kind, of any type and repeated. */
	{" \t\r\n{ \"kind\" : \"event\" , \"envelope\" : { " NAMES(
		 WO_7) " , \"payload\" : { \"event\" : \"text_delta\" , \"data\" : { } } } } \n",
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is text_delta { \"event\" : \"text_delta\""
	 " , \"data\" : { } }"},
	{"{\"x\":[{}],\"x\":1,\"diagnostic\":5,\"diagnostic\":{\"code\":5,\"code\":6},\"kind\":"
	 "\"event\",\"envelope\":{\"payload\":{\"kind\":1,\"id\":{},\"id\":[],\"kind\":{\"kind\":"
	 "[]},\"data\":{\"x\":1,\"x\":2},\"event\":\"text_delta\"},\"runtime_id\":5," NAMES(
		 WO_7) ",\"runtime_id\":{},\"phase\":null}}",
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is text_delta {\"kind\":1,\"id\":{},"
	 "\"id\":[],\"kind\":{\"kind\":[]},\"data\":{\"x\":1,\"x\":2},\"event\":\"text_delta\"}"},
	{"{\"envelope\":[],\"envelope\":{\"cursor\":{},\"payload\":1},\"diagnostic\":{\"code\":"
	 "\"c\",\"message\":\"m\"},\"kind\":\"diagnostic\"}",
	 "diagnostic c: m"},
	{RUNTIME_SNAPSHOT(RUNTIME_NAMES(RE_7, "snapshot:" RE_7) ",\"worker_id\":5",
			  "{\"event\":1,\"event\":2,\"workers\":[1],\"runtime\":{\"x\":[]}}"),
	 "runtime_snapshot (snapshot) at " RE_7 " gen 1 = 7 {\"event\":1,\"event\":2,\"workers\":"
	 "[1],\"runtime\":{\"x\":[]}}"},
	/* Escapes, in names and in every text. */
	{"{\"\\u006bind\":\"\\u0065vent\",\"envelope\":{\"cursor\":\"wo\\u005foKCgoKCgAAABAAAAAQAAA"
	 "AAAAAAH\",\"event_id\":\"\\u0077o_oKCgoKCgAAABAAAAAQAAAAAAAAAH\",\"worker_id\":\"a\\n"
	 "\\ud83d\\ude00\\u0000\",\"log_id\":\"\\u0061"
	 "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0\","
	 "\"payload\":{\"event\":\"text\\u005fdelta\",\"data\":{\"text\":\"\\u0041\"}}}}",
	 NULL},
	{"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"\\u0063\",\"message\":\"\\\"\\\\\","
	 "\"detail\":{\"reason\":\"\\u0065xpired\"}}}",
	 "diagnostic c: \"\\, expired"},
};

/* The names that contract 4 does not have: everything else is there. */
static const struct good strangers[] = {
	{EVENT(OURS, "{\"event\":\"hologram\",\"data\":[1]}"),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 in " LOG_ID
	 " is hologram {\"event\":\"hologram\",\"data\":[1]}"},
	{EVENT(NAMES(WO_7), "{\"event\":\"\"}"),
	 "event at " WO_7 " gen 1 = 7 of worker-00000001 is  {\"event\":\"\"}"},
	{EVENT(NAMES(WO_7), "{\"event\":\"Text_delta\",\"data\":{}}"),
	 "event at " WO_7
	 " gen 1 = 7 of worker-00000001 is Text_delta {\"event\":\"Text_delta\",\"data\":{}}"},
};

static const struct bad {
	const char *label, *json;
	enum wr_status status;
} bads[] = {
	{"nothing", "", WR_SYNTAX},
	{"white space", " \n", WR_SYNTAX},
	{"no object", "[]", WR_INVALID},
	{"null", "null", WR_INVALID},
	{"a string", "\"event\"", WR_INVALID},
	{"empty object", "{}", WR_INVALID},
	{"two documents", DIAGNOSTIC("\"code\":\"c\",\"message\":\"m\"") "{}", WR_SYNTAX},
	{"a mark in front", "\xef\xbb\xbf{}", WR_SYNTAX},
	{"not UTF-8", DIAGNOSTIC("\"code\":\"c\",\"message\":\"\xff\""), WR_ENCODING},
	{"not UTF-8 in what is unknown", EVENT(NAMES(WO_7) ",\"x\":\"\xc0\x80\"", DELTA),
	 WR_ENCODING},
	{"a word dropped", RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("[\"5\"]")),
	 WR_INVALID},
	{"a list dropped", RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("[[5]]")), WR_INVALID},
	{"less than nothing dropped", RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("[-5]")),
	 WR_INVALID},
	{"half an input dropped", RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("[0.5]")),
	 WR_INVALID},
	{"an object dropped", RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("{}")), WR_INVALID},
	{"dropped twice",
	 RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), DROPPED("[],\"dropped_inputs\":[]")), WR_INVALID},
	{"half a pair", DIAGNOSTIC("\"code\":\"c\",\"message\":\"\\ud800\""), WR_ENCODING},
	{"control character", DIAGNOSTIC("\"code\":\"c\",\"message\":\"\n\""), WR_SYNTAX},
	{"no kind", "{\"diagnostic\":{\"code\":\"c\",\"message\":\"m\"}}", WR_INVALID},
	{"another kind", "{\"kind\":\"hello\",\"envelope\":{}}", WR_INVALID},
	{"an empty kind", "{\"kind\":\"\",\"envelope\":{}}", WR_INVALID},
	{"kind in capitals", "{\"kind\":\"Event\",\"envelope\":{}}", WR_INVALID},
	{"kind without its member", "{\"kind\":\"event\",\"diagnostic\":{}}", WR_INVALID},
	{"event id is another",
	 EVENT("\"cursor\":\"" WO_7 "\",\"event_id\":\"" WO_8 "\",\"worker_id\":\"w\"", DELTA),
	 WR_INVALID},
	{"event id is longer",
	 EVENT("\"cursor\":\"" WO_7 "\",\"event_id\":\"" WO_7 "x\",\"worker_id\":\"w\"", DELTA),
	 WR_INVALID},
	{"a snapshot's id of another event",
	 EVENT("\"cursor\":\"" WO_7 "\",\"event_id\":\"snapshot:" WO_7 "\",\"worker_id\":\"w\"",
	       DELTA),
	 WR_INVALID},
	{"a snapshot's id twice over",
	 EVENT("\"cursor\":\"" WO_7 "\",\"event_id\":\"snapshot:snapshot:" WO_7
	       "\",\"worker_id\":\"w\"",
	       "{\"event\":\"snapshot\",\"data\":{}}"),
	 WR_INVALID},
	{"a snapshot of the Runtime with an event's id",
	 RUNTIME_SNAPSHOT(RUNTIME_NAMES(RE_7, RE_7), CATALOG), WR_INVALID},
	{"a runtime event with a snapshot's id",
	 RUNTIME_EVENT(RUNTIME_NAMES(RE_7, "snapshot:" RE_7), STOPPED), WR_INVALID},
	{"a runtime event at a Worker's cursor", RUNTIME_EVENT(RUNTIME_NAMES(WO_7, WO_7), STOPPED),
	 WR_INVALID},
	{"a runtime snapshot at a Worker's cursor",
	 RUNTIME_SNAPSHOT(RUNTIME_NAMES(WO_7, "snapshot:" WO_7), CATALOG), WR_INVALID},
	{"a runtime event of no Worker's name",
	 RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7) ",\"worker_id\":\"\"", STOPPED), WR_INVALID},
	{"an empty cursor", EVENT(NAMES(""), DELTA), WR_INVALID},
	{"a cursor with a space", EVENT(NAMES("a b"), DELTA), WR_INVALID},
	{"a cursor that ends a line", EVENT(NAMES("a\\r\\nHost: x"), DELTA), WR_INVALID},
	{"a cursor that begins a parameter", EVENT(NAMES("a&b"), DELTA), WR_INVALID},
	{"a cursor that ends the query", EVENT(NAMES("a#b"), DELTA), WR_INVALID},
	{"a cursor with a percent sign", EVENT(NAMES("a%20b"), DELTA), WR_INVALID},
	{"a cursor with NUL", EVENT(NAMES("a\\u0000"), DELTA), WR_INVALID},
	{"a cursor beyond ASCII", EVENT(NAMES("\xc3\xa4"), DELTA), WR_INVALID},
	{"an empty Worker id",
	 EVENT("\"cursor\":\"" WO_7 "\",\"event_id\":\"" WO_7 "\",\"worker_id\":\"\"", DELTA),
	 WR_INVALID},
	{"sequence is another", EVENT(NAMES(WO_7) ",\"sequence\":8", DELTA), WR_INVALID},
	{"sequence of an old cursor is another",
	 EVENT(NAMES("wo_000000000000002a") ",\"sequence\":43", DELTA), WR_INVALID},
	{"sequence is a fraction", EVENT(NAMES(WO_7) ",\"sequence\":7.0", DELTA), WR_INVALID},
	{"sequence with exponent", EVENT(NAMES(WO_7) ",\"sequence\":7e0", DELTA), WR_INVALID},
	{"sequence below zero", EVENT(NAMES("x") ",\"sequence\":-1", DELTA), WR_INVALID},
	{"sequence beyond 64 bits", EVENT(NAMES("x") ",\"sequence\":18446744073709551616", DELTA),
	 WR_INVALID},
	{"sequence in quotes", EVENT(NAMES(WO_7) ",\"sequence\":\"7\"", DELTA), WR_INVALID},
	{"log id is another", EVENT(NAMES(WO_7) ",\"log_id\":\"" OTHER_LOG_ID "\"", DELTA),
	 WR_INVALID},
	{"log id in capitals",
	 EVENT(NAMES(WO_7) ",\"log_id\":\"A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0\"", DELTA), WR_INVALID},
	{"log id is too short", EVENT(NAMES(WO_7) ",\"log_id\":\"a0a0a0a0a0a0\"", DELTA),
	 WR_INVALID},
	{"log id is empty", EVENT(NAMES(WO_7) ",\"log_id\":\"\"", DELTA), WR_INVALID},
	{"log id is too long", EVENT(NAMES(WO_7) ",\"log_id\":\"" LOG_ID "a0\"", DELTA),
	 WR_INVALID},
	{"data where there is none", EVENT(NAMES(WO_7), "{\"event\":\"shutdown\",\"data\":{}}"),
	 WR_INVALID},
	{"no data where there is some", EVENT(NAMES(WO_7), "{\"event\":\"text_delta\"}"),
	 WR_INVALID},
	{"null for data", EVENT(NAMES(WO_7), "{\"event\":\"text_delta\",\"data\":null}"),
	 WR_INVALID},
	{"a list for data", EVENT(NAMES(WO_7), "{\"event\":\"text_delta\",\"data\":[]}"),
	 WR_INVALID},
	{"data twice", EVENT(NAMES(WO_7), "{\"event\":\"text_delta\",\"data\":{},\"data\":{}}"),
	 WR_INVALID},
	{"data twice in a strange event",
	 EVENT(NAMES(WO_7), "{\"event\":\"hologram\",\"data\":1,\"data\":1}"), WR_INVALID},
	{"a repeat spelled with an escape",
	 EVENT(NAMES(WO_7), "{\"event\":\"shutdown\",\"\\u0065vent\":\"shutdown\"}"), WR_INVALID},
	{"a runtime event's number below zero",
	 RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7),
		       "{\"id\":-7,\"kind\":{\"kind\":\"x\"},\"message\":\"\"}"),
	 WR_INVALID},
	{"a runtime event's kind is a word",
	 RUNTIME_EVENT(RUNTIME_NAMES(RE_7, RE_7), "{\"id\":7,\"kind\":\"x\",\"message\":\"\"}"),
	 WR_INVALID},
	{"a detail that is a word",
	 DIAGNOSTIC("\"code\":\"c\",\"message\":\"m\",\"detail\":\"expired\""), WR_INVALID},
	{"a reason that is a number",
	 DIAGNOSTIC("\"code\":\"c\",\"message\":\"m\",\"detail\":{\"reason\":1}"), WR_INVALID},
};

static void test_frames_of_the_contract_are_understood(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		wr_test_case(goods[i].json);
		CHECK_STATUS(read_line(&line, &texts, wr_view_of_string(goods[i].json)), WR_OK);
		if (goods[i].line != NULL)
			CHECK_STRING(wr_buf_view(&line), goods[i].line);
		CHECK(goods[i].line != NULL || texts.bytes != 0);
	}
	end();
}

static void test_texts_with_escapes_are_decoded(void)
{
	static const char expected[] =
		"event at " WO_7 " gen 1 = 7 of a\n\xf0\x9f\x98\x80\0 in " LOG_ID
		" is text_delta {\"event\":\"text\\u005fdelta\",\"data\":{\"text\":\"\\u0041\"}}";

	begin();
	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		if (goods[i].line != NULL)
			continue;
		CHECK_STATUS(read_line(&line, &texts, wr_view_of_string(goods[i].json)), WR_OK);
		CHECK_VIEW(wr_buf_view(&line), wr_view_of(expected, sizeof expected - 1));
	}
	end();
}

static void test_an_event_of_a_strange_name_is_told_apart(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(strangers); i++) {
		wr_test_case(strangers[i].json);
		CHECK_STATUS(read_line(&line, &texts, wr_view_of_string(strangers[i].json)),
			     WR_UNSUPPORTED);
		CHECK_STRING(wr_buf_view(&line), strangers[i].line);
	}
	end();
}

static void test_everything_else_is_refused(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(bads); i++) {
		wr_test_case(bads[i].label);
		CHECK_STATUS(read_line(&line, &texts, wr_view_of_string(bads[i].json)),
			     bads[i].status);
	}
	end();
}

static void test_every_front_of_a_frame_is_refused(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		struct wr_view json = wr_view_of_string(goods[i].json);

		wr_test_case(goods[i].json);
		/* White space behind the document is no part of it. */
		while (json.data[json.bytes - 1] != '}')
			json.bytes--;
		while (json.bytes-- > 0)
			CHECK_STATUS(read_line(&line, &texts, json), WR_SYNTAX);
	}
	end();
}

static void test_a_spoiled_byte_never_leads_astray(void)
{
	char spoiled[2048];

	begin();
	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		struct wr_view json = wr_view_of_string(goods[i].json);

		wr_test_case(goods[i].json);
		CHECK(json.bytes <= sizeof spoiled);
		memcpy(spoiled, json.data, json.bytes);
		for (size_t at = 0; at < json.bytes; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				spoiled[at] = (char)(json.data[at] ^ 1 << bit);
				read_line(&line, &texts, wr_view_of(spoiled, json.bytes));
			}
			spoiled[at] = json.data[at];
		}
	}
	end();
}

/* ---- documents made of members ---- */

static const struct member event_members[] = {
	{"kind", "\"event\"", "s", true},
	{"envelope", NULL, "o", true},
	{"envelope.cursor", "\"" WO_7 "\"", "s", true},
	{"envelope.event_id", "\"" WO_7 "\"", "s", true},
	{"envelope.worker_id", "\"worker-00000001\"", "s", true},
	{"envelope.sequence", "7", "u0", false},
	{"envelope.log_id", "\"" LOG_ID "\"", "s0", false},
	{"envelope.payload", NULL, "o", true},
	{"envelope.payload.event", "\"status\"", "s", true},
	{"envelope.payload.data", "{\"status\":\"idle\"}", "o", true},
};
static const struct member runtime_event_members[] = {
	{"kind", "\"runtime_event\"", "s", true},
	{"envelope", NULL, "o", true},
	{"envelope.cursor", "\"" RE_7 "\"", "s", true},
	{"envelope.event_id", "\"" RE_7 "\"", "s", true},
	{"envelope.runtime_id", "\"rt-a\"", "s", true},
	{"envelope.worker_id", "\"worker-00000001\"", "s0", false},
	{"envelope.sequence", "7", "u0", false},
	{"envelope.log_id", "\"" LOG_ID "\"", "s0", false},
	{"envelope.payload", NULL, "o", true},
	{"envelope.payload.id", "7", "u", true},
	{"envelope.payload.worker_ref", "{}", "o0", false},
	{"envelope.payload.kind", NULL, "o", true},
	{"envelope.payload.kind.kind", "\"worker_created\"", "s", true},
	{"envelope.payload.message", "\"m\"", "s", true},
	{"envelope.payload.dropped_inputs", "[5]", "a0", false},
};
static const struct member runtime_snapshot_members[] = {
	{"kind", "\"runtime_snapshot\"", "s", true},
	{"envelope", NULL, "o", true},
	{"envelope.cursor", "\"" RE_7 "\"", "s", true},
	{"envelope.event_id", "\"snapshot:" RE_7 "\"", "s", true},
	{"envelope.runtime_id", "\"rt-a\"", "s", true},
	{"envelope.sequence", "7", "u0", false},
	{"envelope.log_id", "\"" LOG_ID "\"", "s0", false},
	{"envelope.payload", NULL, "o", true},
	{"envelope.payload.runtime", "{}", "o", true},
	{"envelope.payload.workers", "[]", "a", true},
	{"envelope.payload.workers_truncated", "true", "b0", false},
};
static const struct member diagnostic_members[] = {
	{"kind", "\"diagnostic\"", "s", true},
	{"diagnostic", NULL, "o", true},
	{"diagnostic.code", "\"c\"", "s", true},
	{"diagnostic.message", "\"m\"", "s", true},
	{"diagnostic.detail", NULL, "o0", false},
	{"diagnostic.detail.reason", "\"expired\"", "s0", false},
};

static const struct document documents[] = {
	DOCUMENT(event_members, "", ""),
	DOCUMENT(runtime_event_members, "", ""),
	DOCUMENT(runtime_snapshot_members, "", ""),
	DOCUMENT(diagnostic_members, "", ""),
};

static enum wr_status read_changed(struct wr_buf *json, const struct document *document,
				   const struct change *change)
{
	wr_buf_reset(json);
	document_write(json, document, change);
	return read_line(&line, &texts, wr_buf_view(json));
}

static void test_every_required_member_is_required(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		CHECK_STATUS(read_changed(&json, &documents[i], &document_unchanged), WR_OK);
		for (unsigned member = 0; member < documents[i].count; member++) {
			struct change change = document_unchanged;

			wr_test_case(documents[i].members[member].path);
			change.dropped = member;
			CHECK_STATUS(read_changed(&json, &documents[i], &change),
				     documents[i].members[member].is_required ? WR_INVALID : WR_OK);
		}
	}
	wr_buf_deinit(&json);
	end();
}

static void test_no_known_member_may_be_repeated(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		for (unsigned member = 0; member < documents[i].count; member++) {
			struct change change = document_unchanged;

			wr_test_case(documents[i].members[member].path);
			change.repeated = member;
			for (change.order = 0; change.order < 10; change.order++)
				CHECK_STATUS(read_changed(&json, &documents[i], &change),
					     WR_INVALID);
		}
	}
	wr_buf_deinit(&json);
	end();
}

static void test_every_member_has_its_type(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		for (unsigned member = 0; member < documents[i].count; member++) {
			const struct member *what = &documents[i].members[member];
			struct change change = document_unchanged;

			wr_test_case(what->path);
			change.replaced = member;
			for (size_t v = 0; v < WR_COUNT(document_values); v++) {
				change.value = document_values[v].value;
				if (strchr(what->types, document_values[v].type) == NULL)
					CHECK_STATUS(read_changed(&json, &documents[i], &change),
						     WR_INVALID);
				else if (document_values[v].type == '0')
					CHECK_STATUS(read_changed(&json, &documents[i], &change),
						     WR_OK);
			}
		}
	}
	wr_buf_deinit(&json);
	end();
}

static void test_members_may_come_in_any_order(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		struct change change = document_unchanged;
		uint64_t front;
		char first[1024];
		size_t bytes;

		CHECK_STATUS(read_changed(&json, &documents[i], &change), WR_OK);
		/* All but the payload, which is as it was sent. */
		for (bytes = 0; bytes < line.bytes && line.data[bytes] != '{';)
			bytes++;
		CHECK(bytes > 0 && bytes <= sizeof first);
		memcpy(first, line.data, bytes);
		for (front = 1; front <= 500; front++) {
			change.order = front;
			CHECK_STATUS(read_changed(&json, &documents[i], &change), WR_OK);
			CHECK_VIEW(wr_view_of(line.data, bytes), wr_view_of(first, bytes));
		}
	}
	wr_buf_deinit(&json);
	end();
}

/* ---- bounds ---- */

static void fill(struct wr_buf *out, char byte, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wr_buf_append_byte(out, byte);
}

static void test_a_cursor_is_short(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t bytes = 127; bytes <= 130; bytes++) {
		wr_buf_reset(&json);
		wr_buf_append_view(&json, WR_VIEW("{\"kind\":\"event\",\"envelope\":{\"worker_id\":"
						  "\"w\",\"cursor\":\""));
		fill(&json, 'c', bytes);
		wr_buf_append_view(&json, WR_VIEW("\",\"event_id\":\""));
		fill(&json, 'c', bytes);
		wr_buf_append_view(&json, WR_VIEW("\",\"payload\":" DELTA "}}"));
		CHECK_STATUS(read_line(&line, &texts, wr_buf_view(&json)),
			     bytes <= 128 ? WR_OK : WR_INVALID);
	}
	wr_buf_deinit(&json);
	end();
}

/* The frame, the envelope, the payload and its data are four levels. */
static void test_nesting_is_bounded(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t levels = WR_JSON_DEPTH_MAX - 5; levels <= WR_JSON_DEPTH_MAX - 3; levels++) {
		wr_buf_reset(&json);
		wr_buf_append_view(&json,
				   WR_VIEW("{\"kind\":\"event\",\"envelope\":{" NAMES(
					   WO_7) ",\"payload\":{\"event\":\"system_item\",\"data\":"
						 "{\"item\":"));
		fill(&json, '[', levels);
		fill(&json, ']', levels);
		wr_buf_append_view(&json, WR_VIEW("}}}}"));
		CHECK_STATUS(read_line(&line, &texts, wr_buf_view(&json)),
			     levels <= WR_JSON_DEPTH_MAX - 4 ? WR_OK : WR_TOO_LARGE);
	}
	wr_buf_deinit(&json);
	end();
}

static void test_running_out_of_memory_is_told(void)
{
	struct wr_stream_frame frame;
	char storage[8];
	unsigned refused = 0;

	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		struct wr_view json = wr_view_of_string(goods[i].json);
		enum wr_status status;

		wr_test_case(goods[i].json);
		begin();
		wr_test_fail_allocation(1, true);
		status = wr_stream_frame_read(&frame, &texts, json);
		wr_test_fail_allocation(0, false);
		CHECK(status == WR_OK || status == WR_NO_MEMORY);
		refused += status == WR_NO_MEMORY;
		/* Nothing is wrong with the buffer afterwards. */
		CHECK_STATUS(wr_stream_frame_read(&frame, &texts, json), WR_OK);
		CHECK(texts.bytes == 0 || status == WR_NO_MEMORY);
		end();
		wr_buf_init_fixed(&texts, storage, sizeof storage);
		CHECK_STATUS(wr_stream_frame_read(&frame, &texts, json),
			     status == WR_OK ? WR_OK : WR_TOO_LARGE);
	}
	CHECK_U64(refused, 2);
}

/* ---- what our own Runtime sends ---- */

struct reading {
	struct fixture *fixture;
	const struct wr_worker *worker;
	uint64_t sequence;
	unsigned events, runtime_events;
};

static void check_cursor(const struct reading *self, uint32_t worker,
			 const struct wr_stream_frame *frame)
{
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_cursor(self->fixture->runtime, worker, frame->sequence, cursor);
	CHECK_VIEW(frame->cursor_text, wr_view_of(cursor, sizeof cursor));
	CHECK(frame->has_cursor && !frame->cursor.is_legacy);
	CHECK(frame->cursor.is_runtime == (worker == 0));
	CHECK_U64(frame->cursor.worker, worker);
	CHECK_STRING(frame->log_id, FIXTURE_LOG_ID);
}

static void read_back(void *context, uint64_t event_id, struct wr_view bytes)
{
	struct reading *self = context;
	struct wr_stream_frame frame;

	CHECK_STATUS(read_frame(&frame, &texts, frame_payload(bytes)), WR_OK);
	CHECK_U64(frame.sequence, event_id);
	CHECK(event_id > self->sequence && !frame.is_snapshot);
	self->sequence = event_id;
	if (frame.kind == WR_STREAM_EVENT) {
		CHECK_VIEW(frame.worker_id, self->worker->id);
		CHECK_U64(frame.cursor.sequence, event_id);
		CHECK(wr_view_starts(frame.payload, WR_VIEW("{\"event\":\"")));
		self->events++;
	} else {
		CHECK(frame.kind == WR_STREAM_RUNTIME_EVENT && frame.runtime_event.bytes != 0);
		CHECK(frame.worker_id.data == NULL ||
		      wr_view_equal(frame.worker_id, self->worker->id));
		check_cursor(self, 0, &frame);
		self->runtime_events++;
	}
}

static void run(struct reading *self, struct fixture *fixture)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	struct wr_ack ack;

	fixture_init(fixture, NULL);
	*self = (struct reading){.fixture = fixture, .worker = fixture_create(fixture, &request)};
	fixture_say(fixture, self->worker, WR_INPUT_USER, "hello \"you\"\n");
	fixture_say(fixture, self->worker, WR_INPUT_SYSTEM, "note");
	fixture_output(fixture, self->worker, WR_OUTPUT_TEXT_DELTA, "Rea");
	fixture_output(fixture, self->worker, WR_OUTPUT_THINKING_START, "");
	fixture_output(fixture, self->worker, WR_OUTPUT_TEXT_DONE, "Read \xe5\xa4\x9c");
	CHECK_STATUS(wr_runtime_cancel_worker(fixture->runtime, self->worker->id, WR_VIEW("why"),
					      NULL, &ack),
		     WR_OK);
}

static void test_what_a_runtime_sends_is_read_back(void)
{
	struct fixture fixture;
	struct reading reading;
	uint64_t next;
	bool has_more;

	begin();
	run(&reading, &fixture);
	CHECK_STATUS(wr_runtime_read_events(fixture.runtime, 1, 256, read_back, &reading, &next,
					    &has_more),
		     WR_OK);
	CHECK(!has_more && reading.events >= 5);
	CHECK_U64(reading.runtime_events, 3);
	fixture_deinit(&fixture);
	end();
}

static void test_snapshots_and_diagnostics_are_read_back(void)
{
	struct wr_stream_frame frame;
	struct fixture fixture;
	struct reading reading;
	struct wr_buf out;

	begin();
	run(&reading, &fixture);
	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	CHECK_STATUS(
		wr_worker_snapshot_frame(&out, fixture.runtime, reading.worker, 9, WR_COMPAT_NONE),
		WR_OK);
	CHECK_STATUS(read_frame(&frame, &texts, frame_payload(wr_buf_view(&out))), WR_OK);
	CHECK(frame.kind == WR_STREAM_EVENT && frame.is_snapshot);
	CHECK_STRING(frame.event, "snapshot");
	CHECK_U64(frame.sequence, 9);
	check_cursor(&reading, reading.worker->number, &frame);

	wr_buf_reset(&out);
	CHECK_STATUS(wr_runtime_snapshot_frame(&out, fixture.runtime, 8, WR_COMPAT_NONE), WR_OK);
	CHECK_STATUS(read_frame(&frame, &texts, frame_payload(wr_buf_view(&out))), WR_OK);
	CHECK(frame.kind == WR_STREAM_RUNTIME_SNAPSHOT && frame.is_snapshot);
	CHECK(frame.worker_id.data == NULL && frame.event.data == NULL);
	CHECK_U64(frame.sequence, 8);
	check_cursor(&reading, 0, &frame);

	wr_buf_reset(&out);
	CHECK_STATUS(wr_diagnostic_frame(&out, WR_VIEW("runtime.cursor_unknown_or_expired"),
					 WR_VIEW("a \"message\""), WR_VIEW("expired"),
					 WR_VIEW(WO_7)),
		     WR_OK);
	CHECK_STATUS(read_line(&line, &texts, frame_payload(wr_buf_view(&out))), WR_OK);
	CHECK_STRING(wr_buf_view(&line),
		     "diagnostic runtime.cursor_unknown_or_expired: a \"message\", expired");
	wr_buf_deinit(&out);
	fixture_deinit(&fixture);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_frames_of_the_contract_are_understood),
	WR_TEST(test_texts_with_escapes_are_decoded),
	WR_TEST(test_an_event_of_a_strange_name_is_told_apart),
	WR_TEST(test_everything_else_is_refused),
	WR_TEST_LIMIT(test_every_front_of_a_frame_is_refused, 60),
	WR_TEST_LIMIT(test_a_spoiled_byte_never_leads_astray, 60),
	WR_TEST(test_every_required_member_is_required),
	WR_TEST(test_no_known_member_may_be_repeated),
	WR_TEST(test_every_member_has_its_type),
	WR_TEST(test_members_may_come_in_any_order),
	WR_TEST(test_a_cursor_is_short),
	WR_TEST(test_nesting_is_bounded),
	WR_TEST(test_running_out_of_memory_is_told),
	WR_TEST(test_what_a_runtime_sends_is_read_back),
	WR_TEST(test_snapshots_and_diagnostics_are_read_back),
	WR_TEST_END,
};
