/* Goal: what a Runtime answers over REST is understood by the contract's rules (2.2-2.9, 8.9), and
 * nothing looser. Method: tables of bodies, what was read described in one line; every body lies
 * against an unmapped page, is cut at every position and spoiled in every byte; bodies made of
 * members, each of which is left out, repeated and replaced, and put in every order; the contract's
 * own examples; and what our own Runtime answers is read back. */
#include "wire/answer_json.h"

#include "core/input_queue.h"

#include "bounds.h"
#include "check.h"
#include "harness/harness.h"
#include "unit/wire/document.h"
#include "unit/wire/fixture.h"
#include "wire/error_json.h"
#include "wire/worker_json.h"

enum { TEXTS_BYTES = 16 * 1048576 };

static struct wr_buf texts, line;
static struct wr_view body; /* the one that is being read */

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

/* ---- answers in one line ---- */

/* A text lies in the body or among the decoded ones. */
static void say(const char *label, struct wr_view text)
{
	bool is_in_body, is_in_texts;

	if (text.data == NULL)
		return;
	is_in_body = text.data >= body.data &&
		     text.bytes <= body.bytes - (size_t)(text.data - body.data);
	is_in_texts = texts.data != NULL && text.data >= texts.data &&
		      text.bytes <= texts.bytes - (size_t)(text.data - texts.data);
	CHECK(is_in_body || is_in_texts);
	wr_buf_append_view(&line, wr_view_of_string(label));
	wr_buf_append_view(&line, text);
}

/* One of ours. */
static void say_word(const char *label, struct wr_view word)
{
	wr_buf_append_view(&line, wr_view_of_string(label));
	wr_buf_append_view(&line, word);
}

static void say_number(const char *label, uint64_t number)
{
	wr_buf_append_view(&line, wr_view_of_string(label));
	wr_buf_append_u64(&line, number);
}

typedef enum wr_status read_fn(void);

static enum wr_status read_runtime(void)
{
	struct wr_answer_runtime answer;
	enum wr_status status = wr_answer_runtime_read(&answer, &texts, body);

	if (status != WR_OK)
		return status;
	say("", answer.runtime_id);
	say(" \"", answer.display_name);
	say_word("", answer.is_stopped ? WR_VIEW(" stopped") : WR_VIEW(" running"));
	say_word("", answer.is_draining ? WR_VIEW(" draining") : WR_VIEW(""));
	say_number(" workers ", answer.worker_count);
	say_number(" items ", answer.transcript_items_max);
	say(" in ", answer.log_id);
	say(" at ", answer.cursor);
	return status;
}

static bool say_worker(void *context, const struct wr_answer_worker *worker)
{
	(void)context;
	say("", worker->worker_id);
	say_word(" ", wr_view_of_string(wr_worker_status_name(worker->status)));
	say("/", worker->phase);
	say_word(" ", worker->intent_kind);
	say(":", worker->role);
	say(" for ", worker->purpose);
	say(" to ", worker->objective);
	say_word(" ", worker->profile_kind);
	say(":", worker->profile_value);
	say_number(" len ", worker->transcript_len);
	say_number(" last ", worker->last_event_id);
	if (worker->has_queue)
		say_number(" queued ", worker->queued_inputs);
	say(" at ", worker->cursor);
	say_word("", WR_VIEW(";"));
	return true;
}

static enum wr_status read_worker(void)
{
	struct wr_answer_worker answer;
	enum wr_status status = wr_answer_worker_read(&answer, &texts, body);

	if (status == WR_OK)
		say_worker(NULL, &answer);
	return status;
}

static enum wr_status read_workers(void)
{
	return wr_answer_workers_read(&texts, body, say_worker, NULL);
}

static enum wr_status read_ack(void)
{
	struct wr_answer_ack answer;
	enum wr_status status = wr_answer_ack_read(&answer, &texts, body);
	uint64_t id;

	if (status != WR_OK)
		return status;
	say_word("", wr_view_of_string(wr_worker_status_name(answer.status)));
	say_number(" event ", answer.event_id);
	if (answer.has_transcript_sequence)
		say_number(" item ", answer.transcript_sequence);
	if (answer.has_dropped)
		say_word(" dropped", WR_VIEW(""));
	while (wr_sequences_next(&answer.dropped, &id))
		say_number(" ", id);
	return status;
}

static bool say_item(void *context, const struct wr_answer_item *item)
{
	(void)context;
	say_number("", item->sequence);
	say_number("@", item->event_id);
	say_word(" ", item->role);
	say(" ", item->content);
	say_word("", WR_VIEW(";"));
	return true;
}

static enum wr_status read_transcript(void)
{
	struct wr_answer_page page;
	enum wr_status status = wr_answer_transcript_read(&page, &texts, body, say_item, NULL);

	if (status != WR_OK)
		return status;
	say_number("start ", page.start);
	say_number(" limit ", page.limit);
	say_number(" of ", page.total_items);
	if (page.has_next_start)
		say_number(" next ", page.next_start);
	if (page.has_first_retained)
		say_number(" first ", page.first_retained);
	return status;
}

static enum wr_status read_error(void)
{
	struct wr_answer_error answer;
	enum wr_status status = wr_answer_error_read(&answer, &texts, body);

	if (status != WR_OK)
		return status;
	say("", answer.code);
	say(": ", answer.message);
	return status;
}

static enum wr_status read_line(read_fn *read, struct wr_view json)
{
	enum wr_status status;

	body = wr_test_guarded(0, json);
	wr_buf_reset(&line);
	status = read();
	CHECK(status == WR_OK || status == WR_SYNTAX || status == WR_ENCODING ||
	      status == WR_TOO_LARGE || status == WR_INVALID);
	return status;
}

/* ---- the tables ---- */

#define ENDED(dropped) \
	"{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":6,\"dropped_inputs\":" dropped "}}"
#define REF "\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"w-1\"}"
#define NAMES REF ",\"runtime_id\":\"rt-a\",\"worker_id\":\"w-1\""
#define COUNTS "\"transcript_len\":2,\"last_event_id\":5"
#define ASSISTANT "\"intent\":{\"kind\":\"assistant\"}"
#define DEFAULT "\"profile\":{\"kind\":\"runtime_default\"}"
#define SMALLEST_WORKER NAMES ",\"status\":\"running\"," ASSISTANT "," DEFAULT "," COUNTS
#define LIMITS "\"limits\":{\"max_transcript_projection_items\":256,\"max_event_batch_items\":256}"
#define PAGE_FRONT "{\"transcript\":{" REF ",\"start\":0,\"limit\":2,\"total_items\":3,\"items\":["
#define PAGE(items) PAGE_FRONT items "]"
#define ITEM(number, role, content)                                                     \
	"{\"sequence\":" number "," REF ",\"role\":\"" role "\",\"content\":\"" content \
	"\",\"event_id\":4}"
#define LOG_ID FIXTURE_LOG_ID

static const struct good {
	read_fn *read;
	const char *json, *line;
} goods[] = {
	/* What an older Runtime answers. */
	{read_runtime,
	 "{\"runtime\":{\"runtime_id\":\"rt-a\",\"display_name\":\"Build box\",\"backend\":"
	 "\"memory\",\"status\":\"running\",\"worker_count\":3,\"active_worker_count\":1,"
	 "\"stopped_worker_count\":1,\"cancelled_worker_count\":1,\"diagnostic_count\":4," LIMITS
	 "}}",
	 "rt-a \"Build box running workers 3 items 256"},
	{read_worker,
	 "{\"worker\":{" NAMES ",\"status\":\"running\",\"intent\":{\"kind\":\"task\","
	 "\"objective\":\"port the store\"},\"profile\":{\"kind\":\"named\",\"value\":"
	 "\"reviewer\"},\"config_bundle\":{\"id\":\"bundle-7\"},\"requested_capabilities\":[{"
	 "\"name\":\"read\",\"reason\":\"inspect sources\"},{\"name\":\"write\"}],"
	 "\"workspace_refs\":[{\"name\":\"main\",\"reference\":\"ws:main\"}],\"mount_refs\":[{"
	 "\"name\":\"cache\",\"reference\":\"mount:cache\"}]," COUNTS "}}",
	 "w-1 running task to port the store named:reviewer len 2 last 5;"},
	{read_workers,
	 "{\"workers\":[{" NAMES ",\"status\":\"running\",\"intent\":{\"kind\":\"role\",\"role\":"
	 "\"coder\",\"purpose\":\"fix the parser\"},\"profile\":{\"kind\":\"builtin\",\"value\":"
	 "\"builtin:coder\"},\"requested_capability_count\":1,\"has_config_bundle\":false," COUNTS
	 "}]}",
	 "w-1 running role:coder for fix the parser builtin:builtin:coder len 2 last 5;"},
	{read_ack,
	 "{\"ack\":{" REF ",\"status\":\"running\",\"transcript_sequence\":1,\"event_id\":4}}",
	 "running event 4 item 1"},
	{read_ack, "{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":6}}", "stopped event 6"},
	{read_transcript,
	 PAGE(ITEM("1", "user", "hello") "," ITEM("2", "system", "note: read-only")) ",\"next_"
										     "start\":2}}",
	 "1@4 user hello;2@4 system note: read-only;start 0 limit 2 of 3 next 2"},
	{read_error, "{\"error\":{\"code\":\"worker_not_found\",\"message\":\"no such\"}}",
	 "worker_not_found: no such"},
	/* What ours adds; members that nobody knows. */
	{read_runtime,
	 "{\"runtime\":{\"runtime_id\":\"r\",\"display_name\":null,\"backend\":\"fs_store\","
	 "\"status\":\"stopped\",\"worker_count\":0," LIMITS ",\"log_id\":\"" LOG_ID
	 "\",\"cursor\":\"re_x\",\"generation\":1,\"draining\":true,\"store\":{\"kind\":\"fs\"}},"
	 "\"runtime_id\":5}",
	 "r stopped draining workers 0 items 256 in " LOG_ID " at re_x"},
	{read_runtime,
	 "{\"runtime\":{\"runtime_id\":\"\",\"status\":\"running\",\"worker_count\":"
	 "18446744073709551615,\"limits\":{\"max_transcript_projection_items\":0},\"draining\":"
	 "null,\"log_id\":null,\"cursor\":null}}",
	 " running workers 18446744073709551615 items 0"},
	{read_runtime,
	 "{\"runtime\":{\"runtime_id\":\"r\",\"status\":\"running\",\"worker_count\":1," LIMITS
	 ",\"draining\":false}}",
	 "r running workers 1 items 256"},
	{read_worker,
	 "{\"worker\":{" SMALLEST_WORKER
	 ",\"phase\":\"busy\",\"execution\":{\"backend\":\"connected\"},\"turn\":2,\"cursor\":"
	 "\"wo_x\",\"store\":\"corrupt\"}}",
	 "w-1 running/busy assistant runtime_default len 2 last 5 at wo_x;"},
	{read_worker,
	 "{\"x\":1,\"x\":2,\"worker\":{\"last_event_id\":1,\"transcript_len\":0,\"profile\":{"
	 "\"value\":null,\"kind\":\"runtime_default\"},\"intent\":{\"objective\":5,\"kind\":"
	 "\"assistant\",\"purpose\":null},\"status\":\"cancelled\",\"worker_id\":\"w-1\",\"phase\":"
	 "null,\"config_bundle\":null,\"cursor\":null,\"worker_ref\":{\"worker_id\":\"w-1\","
	 "\"worker_ref\":{}},\"runtime_id\":{}}}",
	 "w-1 cancelled assistant runtime_default len 0 last 1;"},
	{read_workers, "{\"workers\":[]}", ""},
	{read_workers,
	 " { \"next_after\" : null , \"workers\" : [ ] , \"cursor\" : \"re_x\" } \r\n", ""},
	{read_workers,
	 "{\"workers\":[{" SMALLEST_WORKER
	 "},{\"worker_ref\":{\"worker_id\":\"w-2\"},\"worker_id\":"
	 "\"w-2\",\"status\":\"stopped\"," ASSISTANT "," DEFAULT "," COUNTS
	 "}],\"next_after\":null}",
	 "w-1 running assistant runtime_default len 2 last 5;w-2 stopped assistant runtime_default "
	 "len 2 last 5;"},
	{read_ack,
	 "{\"ack\":{" REF ",\"status\":\"cancelled\",\"transcript_sequence\":null,\"event_id\":0,"
	 "\"cursor\":\"wo_x\",\"log_id\":5}}",
	 "cancelled event 0"},
	{read_ack,
	 "{\"ack\":{" REF
	 ",\"status\":\"cancelled\",\"event_id\":9,\"dropped_inputs\":[18446744073709551615]}}",
	 "cancelled event 9 dropped 18446744073709551615"},
	{read_ack,
	 "{\"ack\":{\"dropped_inputs\":[ 5 , 6 ]," REF ",\"status\":\"cancelled\",\"event_id\":9}}",
	 "cancelled event 9 dropped 5 6"},
	{read_ack,
	 "{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":9,\"dropped_inputs\":null}}",
	 "stopped event 9"},
	{read_worker, "{\"worker\":{" SMALLEST_WORKER ",\"queued_inputs\":0}}",
	 "w-1 running assistant runtime_default len 2 last 5 queued 0;"},
	{read_transcript, PAGE("") "}}", "start 0 limit 2 of 3"},
	{read_transcript,
	 PAGE(ITEM("9", "assistant", "")) ",\"next_start\":null,\"first_retained\":8,\"error\":{"
					  "\"code\":\"store_corrupt\",\"message\":\"m\"},"
					  "\"cursor\":\"wo_x\"}}",
	 "9@4 assistant ;start 0 limit 2 of 3 first 8"},
	{read_error,
	 "{\"error\":{\"message\":\"m\",\"detail\":\"d\",\"retryable\":true,\"code\":\"c\"}}",
	 "c: m"},
	/* Escapes, in names and in texts. */
	{read_runtime,
	 "{\"r\\u0075ntime\":{\"runtime_id\":\"\\u0072\",\"display_name\":\"a\\nb\",\"status\":"
	 "\"\\u0072unning\",\"worker_count\":0," LIMITS
	 ",\"log_id\":\"\\u0061\",\"cursor\":\"\\u0062\"}}",
	 "r \"a\nb running workers 0 items 256 in a at b"},
	{read_worker,
	 "{\"worker\":{\"worker_ref\":{\"worker_id\":\"w\\u002d1\"},\"worker_id\":\"\\u0077-1\","
	 "\"status\":\"\\u0072unning\",\"phase\":\"\\u0062usy\",\"intent\":{\"kind\":"
	 "\"\\u0072ole\","
	 "\"role\":\"\\ud83d\\ude00\",\"purpose\":\"\\t\"},\"profile\":{\"kind\":\"named\","
	 "\"value\":"
	 "\"\\\\\"},\"requested_capabilities\":[{\"name\":\"\\u0061\"}]," COUNTS
	 ",\"cursor\":\"\\\"\"}}",
	 "w-1 running/busy role:\xf0\x9f\x98\x80 for \t named:\\ len 2 last 5 at \";"},
	{read_transcript,
	 PAGE(ITEM("1", "\\u0075ser", "a\\nb") "," ITEM("2", "user", "c") "," ITEM("3", "user",
										   "\\u00e4")) "}}",
	 "1@4 user a\nb;2@4 user c;3@4 user \xc3\xa4;start 0 limit 2 of 3"},
	{read_error, "{\"error\":{\"code\":\"\\u0063\",\"message\":\"\\\"m\\\"\"}}", "c: \"m\""},
};

static const struct bad {
	read_fn *read;
	const char *label, *json;
	enum wr_status status;
} bads[] = {
	{read_runtime, "nothing", "", WR_SYNTAX},
	{read_worker, "nothing", "", WR_SYNTAX},
	{read_workers, "white space", " ", WR_SYNTAX},
	{read_runtime, "HTML", "<html></html>", WR_SYNTAX},
	{read_runtime, "a list", "[]", WR_INVALID},
	{read_runtime, "null", "null", WR_INVALID},
	{read_ack, "an empty object", "{}", WR_INVALID},
	{read_ack, "another answer", "{\"error\":{\"code\":\"c\",\"message\":\"m\"}}", WR_INVALID},
	{read_error, "another answer", "{\"ack\":{}}", WR_INVALID},
	{read_error, "an error in one word", "{\"error\":\"not_found\"}", WR_INVALID},
	{read_error, "two documents", "{\"error\":{\"code\":\"c\",\"message\":\"m\"}}{}",
	 WR_SYNTAX},
	{read_error, "not UTF-8", "{\"error\":{\"code\":\"c\",\"message\":\"\xff\"}}", WR_ENCODING},
	{read_error, "not UTF-8 in what is unknown",
	 "{\"error\":{\"code\":\"c\",\"message\":\"m\"},\"x\":\"\xed\xa0\x80\"}", WR_ENCODING},
	{read_error, "half a pair", "{\"error\":{\"code\":\"c\",\"message\":\"\\udc00\"}}",
	 WR_ENCODING},
	{read_runtime, "an unknown status",
	 "{\"runtime\":{\"runtime_id\":\"r\",\"status\":\"paused\",\"worker_count\":0," LIMITS "}}",
	 WR_INVALID},
	{read_worker, "null for a Worker", "{\"worker\":null}", WR_INVALID},
	{read_worker, "a list for a Worker", "{\"worker\":[]}", WR_INVALID},
	{read_worker, "a Worker twice",
	 "{\"worker\":{" SMALLEST_WORKER "},\"worker\":{" SMALLEST_WORKER "}}", WR_INVALID},
	{read_worker, "ids do not agree",
	 "{\"worker\":{\"worker_ref\":{\"worker_id\":\"w-2\"},\"worker_id\":\"w-1\",\"status\":"
	 "\"running\"," ASSISTANT "," DEFAULT "," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "an empty id",
	 "{\"worker\":{\"worker_ref\":{\"worker_id\":\"\"},\"worker_id\":\"\",\"status\":"
	 "\"running\"," ASSISTANT "," DEFAULT "," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "an unknown intent",
	 "{\"worker\":{" NAMES ",\"status\":\"running\",\"intent\":{\"kind\":\"x\"}," DEFAULT
	 "," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "a role without its name",
	 "{\"worker\":{" NAMES ",\"status\":\"running\",\"intent\":{\"kind\":\"role\"}," DEFAULT
	 "," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "a task without its objective",
	 "{\"worker\":{" NAMES ",\"status\":\"running\",\"intent\":{\"kind\":\"task\"}," DEFAULT
	 "," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "an unknown profile",
	 "{\"worker\":{" NAMES ",\"status\":\"running\"," ASSISTANT
	 ",\"profile\":{\"kind\":\"x\",\"value\":\"y\"}," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "a profile without its value",
	 "{\"worker\":{" NAMES ",\"status\":\"running\"," ASSISTANT
	 ",\"profile\":{\"kind\":\"named\"}," COUNTS "}}",
	 WR_INVALID},
	{read_worker, "null for a list",
	 "{\"worker\":{" SMALLEST_WORKER ",\"requested_capabilities\":null}}", WR_INVALID},
	{read_worker, "a capability without a name",
	 "{\"worker\":{" SMALLEST_WORKER ",\"requested_capabilities\":[{}]}}", WR_INVALID},
	{read_workers, "an object for the list", "{\"workers\":{}}", WR_INVALID},
	{read_workers, "null for the list", "{\"workers\":null}", WR_INVALID},
	{read_workers, "the list twice", "{\"workers\":[],\"workers\":[]}", WR_INVALID},
	{read_workers, "null among Workers", "{\"workers\":[null]}", WR_INVALID},
	{read_workers, "a list among Workers", "{\"workers\":[[]]}", WR_INVALID},
	{read_workers, "one Worker spoils the list",
	 "{\"workers\":[{" SMALLEST_WORKER "},{" NAMES "}]}", WR_INVALID},
	{read_workers, "a comma too many", "{\"workers\":[{" SMALLEST_WORKER "},]}", WR_SYNTAX},
	{read_ack, "an unknown status", "{\"ack\":{" REF ",\"status\":\"failed\",\"event_id\":6}}",
	 WR_INVALID},
	{read_ack, "a status in capitals",
	 "{\"ack\":{" REF ",\"status\":\"Stopped\",\"event_id\":6}}", WR_INVALID},
	{read_ack, "ids out of order", ENDED("[6,5]"), WR_INVALID},
	{read_ack, "an id twice", ENDED("[5,5]"), WR_INVALID},
	{read_ack, "id zero", ENDED("[0]"), WR_INVALID},
	{read_ack, "a negative id", ENDED("[-1]"), WR_INVALID},
	{read_ack, "an id with a fraction", ENDED("[1.0]"), WR_INVALID},
	{read_ack, "an id in quotes", ENDED("[\"1\"]"), WR_INVALID},
	{read_ack, "an id that is null", ENDED("[null]"), WR_INVALID},
	{read_ack, "a list of lists", ENDED("[[1]]"), WR_INVALID},
	{read_ack, "an id beyond all", ENDED("[18446744073709551616]"), WR_INVALID},
	{read_ack, "a number in quotes",
	 "{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":\"6\"}}", WR_INVALID},
	{read_ack, "a number with exponent",
	 "{\"ack\":{" REF ",\"status\":\"stopped\",\"event_id\":6e0}}", WR_INVALID},
	{read_transcript, "an unknown role", PAGE(ITEM("1", "tool", "x")) "}}", WR_INVALID},
	{read_transcript, "one item spoils the page",
	 PAGE(ITEM("1", "user", "x") ",{\"sequence\":2}") "}}", WR_INVALID},
	{read_transcript, "null among items", PAGE("null") "}}", WR_INVALID},
	{read_transcript, "an object for the items",
	 "{\"transcript\":{" REF ",\"start\":0,\"limit\":2,\"total_items\":3,\"items\":{}}}",
	 WR_INVALID},
	{read_transcript, "numbers between items", PAGE(ITEM("1", "user", "x") ",2") "}}",
	 WR_INVALID},
};

static void test_answers_of_the_contract_are_understood(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		wr_test_case(goods[i].json);
		CHECK_STATUS(read_line(goods[i].read, wr_view_of_string(goods[i].json)), WR_OK);
		CHECK_STRING(wr_buf_view(&line), goods[i].line);
	}
	end();
}

static void test_everything_else_is_refused(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(bads); i++) {
		wr_test_case(bads[i].json);
		CHECK_STATUS(read_line(bads[i].read, wr_view_of_string(bads[i].json)),
			     bads[i].status);
	}
	end();
}

static void test_every_front_of_an_answer_is_refused(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		struct wr_view json = wr_view_of_string(goods[i].json);

		wr_test_case(goods[i].json);
		/* White space behind the document is no part of it. */
		while (json.data[json.bytes - 1] != '}')
			json.bytes--;
		while (json.bytes-- > 0)
			CHECK_STATUS(read_line(goods[i].read, json), WR_SYNTAX);
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
				read_line(goods[i].read, wr_view_of(spoiled, json.bytes));
			}
			spoiled[at] = json.data[at];
		}
	}
	end();
}

/* ---- bodies made of members ---- */

static const struct member runtime_members[] = {
	{"runtime", NULL, "o", true},
	{"runtime.runtime_id", "\"rt-a\"", "s", true},
	{"runtime.display_name", "\"Box\"", "s0", false},
	{"runtime.status", "\"running\"", "", true},
	{"runtime.worker_count", "3", "u", true},
	{"runtime.limits", NULL, "o", true},
	{"runtime.limits.max_transcript_projection_items", "256", "u", true},
	{"runtime.draining", "false", "b0", false},
	{"runtime.log_id", "\"" LOG_ID "\"", "s0", false},
	{"runtime.cursor", "\"re_x\"", "s0", false},
};
static const struct member worker_members[] = {
	{"worker_ref", NULL, "o", true},
	{"worker_ref.worker_id", "\"w-1\"", "s", true},
	{"worker_id", "\"w-1\"", "s", true},
	{"status", "\"running\"", "", true},
	{"phase", "\"idle\"", "s0", false},
	{"intent", NULL, "o", true},
	{"intent.kind", "\"role\"", "", true},
	{"intent.role", "\"coder\"", "s", true},
	{"intent.purpose", "\"p\"", "s0", false},
	{"profile", NULL, "o", true},
	{"profile.kind", "\"named\"", "", true},
	{"profile.value", "\"v\"", "s", true},
	{"config_bundle", NULL, "o0", false},
	{"config_bundle.id", "\"b\"", "s", true},
	{"requested_capabilities", "[]", "a", false},
	{"workspace_refs", "[]", "a", false},
	{"mount_refs", "[]", "a", false},
	{"transcript_len", "2", "u", true},
	{"last_event_id", "5", "u", true},
	{"queued_inputs", "2", "u0", false},
	{"cursor", "\"wo_x\"", "s0", false},
};
static const struct member ack_members[] = {
	{"ack", NULL, "o", true},
	{"ack.worker_ref", "{}", "o", true},
	{"ack.status", "\"running\"", "", true},
	{"ack.transcript_sequence", "1", "u0", false},
	{"ack.event_id", "4", "u", true},
	{"ack.dropped_inputs", "[5,6]", "a0", false},
};
static const struct member page_members[] = {
	{"transcript", NULL, "o", true},
	{"transcript.worker_ref", "{}", "o", true},
	{"transcript.start", "0", "u", true},
	{"transcript.limit", "2", "u", true},
	{"transcript.total_items", "3", "u", true},
	{"transcript.items", "[" ITEM("1", "user", "hello") "]", "a", true},
	{"transcript.next_start", "2", "u0", false},
	{"transcript.first_retained", "0", "u0", false},
};
static const struct member item_members[] = {
	{"sequence", "1", "u", true},	{"worker_ref", "{}", "o", true},
	{"role", "\"user\"", "", true}, {"content", "\"hello\"", "s", true},
	{"event_id", "4", "u", true},
};
static const struct member error_members[] = {
	{"error", NULL, "o", true},
	{"error.code", "\"c\"", "s", true},
	{"error.message", "\"m\"", "s", true},
};

static const struct {
	read_fn *read;
	struct document document;
} documents[] = {
	{read_runtime, DOCUMENT(runtime_members, "", "")},
	{read_worker, DOCUMENT(worker_members, "{\"worker\":", "}")},
	{read_workers, DOCUMENT(worker_members, "{\"workers\":[{" SMALLEST_WORKER "},", "]}")},
	{read_ack, DOCUMENT(ack_members, "", "")},
	{read_transcript, DOCUMENT(page_members, "", "")},
	{read_transcript, DOCUMENT(item_members, PAGE_FRONT, "]}}")},
	{read_error, DOCUMENT(error_members, "", "")},
};

static enum wr_status read_changed(struct wr_buf *json, size_t document,
				   const struct change *change)
{
	wr_buf_reset(json);
	document_write(json, &documents[document].document, change);
	return read_line(documents[document].read, wr_buf_view(json));
}

static void test_every_required_member_is_required(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		const struct document *document = &documents[i].document;

		CHECK_STATUS(read_changed(&json, i, &document_unchanged), WR_OK);
		for (unsigned member = 0; member < document->count; member++) {
			struct change change = document_unchanged;

			wr_test_case(document->members[member].path);
			change.dropped = member;
			CHECK_STATUS(read_changed(&json, i, &change),
				     document->members[member].is_required ? WR_INVALID : WR_OK);
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
		const struct document *document = &documents[i].document;

		for (unsigned member = 0; member < document->count; member++) {
			struct change change = document_unchanged;

			wr_test_case(document->members[member].path);
			change.repeated = member;
			for (change.order = 0; change.order < 10; change.order++)
				CHECK_STATUS(read_changed(&json, i, &change), WR_INVALID);
		}
	}
	wr_buf_deinit(&json);
	end();
}

static void check_types(struct wr_buf *json, size_t document, unsigned member, const char *types)
{
	struct change change = document_unchanged;

	change.replaced = member;
	for (size_t v = 0; v < WR_COUNT(document_values); v++) {
		change.value = document_values[v].value;
		if (strchr(types, document_values[v].type) == NULL)
			CHECK_STATUS(read_changed(json, document, &change), WR_INVALID);
		else if (document_values[v].type == '0')
			CHECK_STATUS(read_changed(json, document, &change), WR_OK);
	}
}

static void test_every_member_has_its_type(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		const struct document *document = &documents[i].document;

		for (unsigned member = 0; member < document->count; member++) {
			wr_test_case(document->members[member].path);
			check_types(&json, i, member, document->members[member].types);
		}
	}
	wr_buf_deinit(&json);
	end();
}

static void test_members_may_come_in_any_order(void)
{
	struct wr_buf json, first;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 65536);
	wr_buf_init(&first, wr_test_allocator(), 65536);
	for (size_t i = 0; i < WR_COUNT(documents); i++) {
		struct change change = document_unchanged;

		CHECK_STATUS(read_changed(&json, i, &change), WR_OK);
		wr_buf_reset(&first);
		wr_buf_append_view(&first, wr_buf_view(&line));
		for (change.order = 1; change.order <= 300; change.order++) {
			CHECK_STATUS(read_changed(&json, i, &change), WR_OK);
			CHECK_VIEW(wr_buf_view(&line), wr_buf_view(&first));
		}
	}
	wr_buf_deinit(&first);
	wr_buf_deinit(&json);
	end();
}

/* ---- lists, nesting, memory ---- */

static bool count_to_two(void *context, const struct wr_answer_worker *worker)
{
	(void)worker;
	return ++*(unsigned *)context < 2;
}

static bool take_one(void *context, const struct wr_answer_item *item)
{
	(void)item;
	++*(unsigned *)context;
	return false;
}

static void test_a_list_ends_when_it_is_enough(void)
{
	struct wr_answer_page page;
	unsigned count = 0;

	begin();
	/* What lies behind is not looked at. */
	body = WR_VIEW("{\"workers\":[{" SMALLEST_WORKER "},{" SMALLEST_WORKER "},5,");
	CHECK_STATUS(wr_answer_workers_read(&texts, body, count_to_two, &count), WR_OK);
	CHECK_U64(count, 2);
	count = 0;
	body = WR_VIEW(PAGE(ITEM("1", "user", "x") ",") "}}");
	CHECK_STATUS(wr_answer_transcript_read(&page, &texts, body, take_one, &count), WR_OK);
	CHECK_U64(count, 1);
	CHECK(page.total_items == 0 && !page.has_next_start);
	end();
}

static void test_one_element_at_a_time_is_decoded(void)
{
	struct wr_buf json;

	begin();
	wr_buf_init(&json, wr_test_allocator(), 1 << 20);
	wr_buf_append_view(&json, WR_VIEW(PAGE_FRONT));
	for (unsigned i = 0; i < 200; i++)
		wr_buf_append_view(&json, i == 0 ? WR_VIEW(ITEM("1", "user", "a\\nb"))
						 : WR_VIEW("," ITEM("1", "user", "a\\nb")));
	wr_buf_append_view(&json, WR_VIEW("]}}"));
	CHECK_STATUS(read_line(read_transcript, wr_buf_view(&json)), WR_OK);
	CHECK(texts.capacity < json.bytes / 8);
	wr_buf_deinit(&json);
	end();
}

static void test_nesting_is_bounded(void)
{
	char text[1024];

	begin();
	for (size_t levels = WR_JSON_DEPTH_MAX - 2; levels <= WR_JSON_DEPTH_MAX + 1; levels++) {
		struct wr_buf json;

		wr_buf_init_fixed(&json, text, sizeof text);
		wr_buf_append_view(&json, WR_VIEW("{\"error\":{\"code\":\"c\",\"message\":\"m\"},"
						  "\"x\":"));
		for (size_t i = 0; i < levels; i++)
			wr_buf_append_byte(&json, '[');
		for (size_t i = 0; i < levels; i++)
			wr_buf_append_byte(&json, ']');
		wr_buf_append_byte(&json, '}');
		CHECK_STATUS(read_line(read_error, wr_buf_view(&json)),
			     levels < WR_JSON_DEPTH_MAX ? WR_OK : WR_TOO_LARGE);
	}
	end();
}

static void test_running_out_of_memory_is_told(void)
{
	unsigned refused = 0;

	for (size_t i = 0; i < WR_COUNT(goods); i++) {
		struct wr_view json = wr_view_of_string(goods[i].json);

		wr_test_case(goods[i].json);
		for (uint64_t n = 1;; n++, refused++) {
			enum wr_status status;

			wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
			wr_buf_init(&line, wr_test_allocator(), TEXTS_BYTES);
			CHECK(wr_buf_reserve(&line, 4096) != NULL);
			body = wr_test_guarded(0, json);
			wr_test_fail_allocation(n, false);
			status = goods[i].read();
			if (wr_test_allocation_failed())
				CHECK_STATUS(status, WR_NO_MEMORY);
			else
				CHECK_STATUS(status, WR_OK);
			wr_test_fail_allocation(0, false);
			end();
			if (status == WR_OK)
				break;
		}
	}
	CHECK(refused >= 4);
}

/* ---- the contract's own examples ---- */

static void check_examples(struct wr_view text, const char *tag, read_fn *read)
{
	char fence[32];
	const char *at = text.data;
	unsigned count = 0;

	snprintf(fence, sizeof fence, "\n```json %s\n", tag);
	while ((at = strstr(at, fence)) != NULL) {
		const char *block_end;

		at += strlen(fence);
		block_end = strstr(at, "\n```");
		CHECK(block_end != NULL);
		wr_test_case(tag);
		CHECK_STATUS(read_line(read, wr_view_of(at, (size_t)(block_end - at))), WR_OK);
		CHECK(line.bytes != 0);
		count++;
	}
	CHECK(count != 0);
}

static void test_the_examples_of_the_contract_are_understood(void)
{
	const char *folder = wr_test_shared();
	char path[512];
	struct wr_view text;

	if (folder == NULL)
		wr_test_skip("no folder of shared reference data");
	snprintf(path, sizeof path, "%s/contract.md", folder);
	if (!wr_test_find_file(path))
		wr_test_skip("contract.md is not there");
	text = wr_test_read_file(path);
	begin();
	check_examples(text, "runtime", read_runtime);
	check_examples(text, "worker", read_worker);
	check_examples(text, "workers", read_workers);
	check_examples(text, "inputack", read_ack);
	check_examples(text, "lifecycleack", read_ack);
	check_examples(text, "transcript", read_transcript);
	check_examples(text, "error", read_error);
	end();
}

/* ---- what our own Runtime answers ---- */

static struct fixture fixture;
static struct wr_buf out;

static void begin_runtime(void)
{
	begin();
	fixture_init(&fixture, NULL);
	wr_buf_init(&out, wr_test_allocator(), TEXTS_BYTES);
}

static void end_runtime(void)
{
	wr_buf_deinit(&out);
	fixture_deinit(&fixture);
	end();
}

static void check_cursor(struct wr_view cursor, uint32_t worker, uint64_t sequence)
{
	char expected[WR_CURSOR_BYTES];

	wr_runtime_cursor(fixture.runtime, worker, sequence, expected);
	CHECK_VIEW(cursor, wr_view_of(expected, sizeof expected));
}

static void test_a_runtime_is_read_back(void)
{
	static const struct wr_store_report in_memory;
	struct wr_answer_runtime answer;

	begin_runtime();
	fixture_create(&fixture, NULL);
	for (unsigned is_draining = 0; is_draining < 2; is_draining++) {
		wr_buf_reset(&out);
		wr_runtime_json_write(&out, fixture.runtime, &in_memory, WR_COMPAT_NONE,
				      is_draining != 0);
		CHECK_STATUS(wr_answer_runtime_read(&answer, &texts, wr_buf_view(&out)), WR_OK);
		CHECK_STRING(answer.runtime_id, "rt-a");
		CHECK_STRING(answer.log_id, FIXTURE_LOG_ID);
		CHECK(answer.display_name.data == NULL && !answer.is_stopped);
		CHECK(answer.is_draining == (is_draining != 0));
		CHECK_U64(answer.worker_count, 1);
		CHECK_U64(answer.transcript_items_max, 256);
		check_cursor(answer.cursor, 0, 2);
	}
	end_runtime();
}

static const struct wr_create requests[] = {
	{.intent = WR_INTENT_ASSISTANT},
	{.intent = WR_INTENT_ASSISTANT,
	 .purpose = WR_VIEW_INIT("a \"quoted\" one"),
	 .profile = WR_PROFILE_BUILTIN,
	 .profile_value = WR_VIEW_INIT("builtin:coder")},
	{.intent = WR_INTENT_TASK,
	 .objective = WR_VIEW_INIT("port\nthe store"),
	 .profile = WR_PROFILE_NAMED,
	 .profile_value = WR_VIEW_INIT("\\"),
	 .config_bundle_id = WR_VIEW_INIT("bundle-7")},
	{.intent = WR_INTENT_ROLE,
	 .role = WR_VIEW_INIT("\xe5\xa4\x9c"),
	 .purpose = WR_VIEW_INIT("p"),
	 .worker_id = WR_VIEW_INIT("mine:\"1\"")},
};

/* A text that was not given is absent or empty. */
static void check_text(struct wr_view actual, struct wr_view expected)
{
	CHECK((actual.data == NULL) == (expected.data == NULL));
	CHECK_VIEW(actual, expected);
}

static void check_worker(const struct wr_answer_worker *answer, const struct wr_worker *worker)
{
	static const char *const intents[] = {"assistant", "task", "role"};
	static const char *const profiles[] = {"runtime_default", "builtin", "named"};
	const struct wr_create *request = &worker->request;

	CHECK_VIEW(answer->worker_id, worker->id);
	CHECK_U64(answer->status, worker->shown.status);
	CHECK_STRING(answer->phase, wr_phase_name(worker->shown.phase));
	CHECK_STRING(answer->intent_kind, intents[request->intent]);
	CHECK_STRING(answer->profile_kind, profiles[request->profile]);
	check_text(answer->role, request->role);
	check_text(answer->purpose, request->purpose);
	check_text(answer->objective, request->objective);
	check_text(answer->profile_value, request->profile_value);
	CHECK_U64(answer->transcript_len, worker->shown.item_count);
	CHECK_U64(answer->last_event_id, worker->shown.last_event_id);
}

struct walk {
	const struct wr_worker *worker;
	unsigned count;
};

static bool check_next_worker(void *context, const struct wr_answer_worker *answer)
{
	struct walk *self = context;

	self->worker = wr_runtime_next(fixture.runtime,
				       self->worker == NULL ? WR_VIEW_NULL : self->worker->id);
	CHECK(self->worker != NULL);
	check_worker(answer, self->worker);
	self->count++;
	return true;
}

static void test_workers_are_read_back(void)
{
	struct wr_list_query query = {.has_limit = false};
	struct wr_worker_list_page page;
	struct wr_answer_worker answer;
	struct walk walk = {NULL, 0};
	struct wr_ack ack;

	begin_runtime();
	for (size_t i = 0; i < WR_COUNT(requests); i++) {
		const struct wr_worker *worker = fixture_create(&fixture, &requests[i]);
		uint64_t head;

		if (i == 1)
			CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, worker->id,
							    WR_VIEW_NULL, NULL, &ack),
				     WR_OK);
		if (i == 2)
			fixture_say(&fixture, worker, WR_INPUT_USER, "hello");
		head = wr_runtime_visible(fixture.runtime);
		wr_buf_reset(&out);
		wr_worker_json_write(&out, fixture.runtime, worker, NULL);
		CHECK_STATUS(wr_answer_worker_read(&answer, &texts, wr_buf_view(&out)), WR_OK);
		check_worker(&answer, worker);
		check_cursor(answer.cursor, worker->number, head);
	}
	wr_buf_reset(&out);
	wr_worker_list_begin(&page, fixture.runtime, &query);
	while (wr_worker_list_next(&page, &out))
		;
	CHECK_STATUS(wr_answer_workers_read(&texts, wr_buf_view(&out), check_next_worker, &walk),
		     WR_OK);
	CHECK_U64(walk.count, WR_COUNT(requests));
	end_runtime();
}

static void test_acknowledgements_are_read_back(void)
{
	const struct wr_worker *worker;
	struct wr_answer_ack answer;
	struct wr_ack ack;

	begin_runtime();
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "one");
	ack = fixture_say(&fixture, worker, WR_INPUT_USER, "two");
	wr_input_ack_json_write(&out, fixture.runtime, worker, &ack);
	CHECK_STATUS(wr_answer_ack_read(&answer, &texts, wr_buf_view(&out)), WR_OK);
	CHECK(answer.status == WR_WORKER_RUNNING && answer.has_transcript_sequence);
	CHECK_U64(answer.transcript_sequence, 2);
	CHECK_U64(answer.event_id, ack.event_id);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	wr_buf_reset(&out);
	wr_lifecycle_ack_json_write(&out, fixture.runtime, worker, &ack);
	CHECK_STATUS(wr_answer_ack_read(&answer, &texts, wr_buf_view(&out)), WR_OK);
	CHECK(answer.status == WR_WORKER_CANCELLED && !answer.has_transcript_sequence);
	CHECK_U64(answer.event_id, ack.event_id);
	end_runtime();
}

static const struct {
	const char *role, *content;
} said[] = {{"user", "hello \"you\"\n"}, {"system", "note"}, {"assistant", "\xe5\xa4\x9c"}};

static bool check_item(void *context, const struct wr_answer_item *item)
{
	unsigned *count = context;

	CHECK(*count < WR_COUNT(said));
	CHECK_U64(item->sequence, *count + 1);
	CHECK(item->event_id != 0);
	CHECK_STRING(item->role, said[*count].role);
	CHECK_STRING(item->content, said[*count].content);
	++*count;
	return true;
}

static void test_a_transcript_is_read_back(void)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED, .profile_value = WR_VIEW("x")};
	const struct wr_worker *worker;
	unsigned count = 0;

	begin_runtime();
	worker = fixture_create(&fixture, &request);
	fixture_say(&fixture, worker, WR_INPUT_USER, said[0].content);
	fixture_say(&fixture, worker, WR_INPUT_SYSTEM, said[1].content);
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DONE, said[2].content);
	for (uint64_t start = 0; start < 3; start += 2) {
		struct wr_page_query query = {.start = start, .limit = 2};
		struct wr_transcript_page page;
		struct wr_answer_page answer;

		wr_buf_reset(&out);
		CHECK_STATUS(wr_transcript_page_begin(&page, fixture.runtime, worker, &query,
						      WR_COMPAT_NONE),
			     WR_OK);
		while (wr_transcript_page_next(&page, &out))
			;
		CHECK_STATUS(wr_answer_transcript_read(&answer, &texts, wr_buf_view(&out),
						       check_item, &count),
			     WR_OK);
		CHECK_U64(answer.start, start);
		CHECK_U64(answer.limit, 2);
		CHECK_U64(answer.total_items, 3);
		CHECK(answer.has_next_start == (start == 0));
		CHECK_U64(answer.next_start, start == 0 ? 2 : 0);
		CHECK(answer.has_first_retained && answer.first_retained == 0);
	}
	CHECK_U64(count, WR_COUNT(said));
	end_runtime();
}

static void test_errors_are_read_back(void)
{
#define ERROR(name, http, code, close, retry) WR_WIRE_##name,
	static const enum wr_wire_error errors[] = {WR_WIRE_ERROR_LIST(ERROR)};
#undef ERROR
	struct wr_answer_error answer;

	begin_runtime();
	for (size_t i = 0; i < WR_COUNT(errors); i++) {
		wr_buf_reset(&out);
		wr_error_json_write(&out, errors[i], WR_VIEW_NULL, WR_VIEW("detail"));
		CHECK_STATUS(wr_answer_error_read(&answer, &texts, wr_buf_view(&out)), WR_OK);
		CHECK_STRING(answer.code, wr_wire_error_code(errors[i]));
		CHECK_STRING(answer.message, wr_wire_error_message(errors[i]));
	}
	wr_buf_reset(&out);
	wr_error_json_worker_not_found(&out, WR_VIEW("a\"b"), WR_VIEW("rt-a"));
	CHECK_STATUS(wr_answer_error_read(&answer, &texts, wr_buf_view(&out)), WR_OK);
	CHECK_STRING(answer.message, "worker a\"b was not found in runtime rt-a");
	end_runtime();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_answers_of_the_contract_are_understood),
	WR_TEST(test_everything_else_is_refused),
	WR_TEST_LIMIT(test_every_front_of_an_answer_is_refused, 60),
	WR_TEST_LIMIT(test_a_spoiled_byte_never_leads_astray, 60),
	WR_TEST(test_every_required_member_is_required),
	WR_TEST(test_no_known_member_may_be_repeated),
	WR_TEST(test_every_member_has_its_type),
	WR_TEST(test_members_may_come_in_any_order),
	WR_TEST(test_a_list_ends_when_it_is_enough),
	WR_TEST(test_one_element_at_a_time_is_decoded),
	WR_TEST(test_nesting_is_bounded),
	WR_TEST(test_running_out_of_memory_is_told),
	WR_TEST(test_the_examples_of_the_contract_are_understood),
	WR_TEST(test_a_runtime_is_read_back),
	WR_TEST(test_workers_are_read_back),
	WR_TEST(test_acknowledgements_are_read_back),
	WR_TEST(test_a_transcript_is_read_back),
	WR_TEST(test_errors_are_read_back),
	WR_TEST_END,
};
