/* Goal: what the many kinds of model servers stream becomes the events it means, however its bytes
 * are cut, and what is no whole answer is never taken for one. Method: a table of answers and their
 * stories, each given whole, byte by byte, and cut at every position. */
#include "unit/execution/openai_world.h"

struct row {
	const char *label, *answer, *story;
};

#define CALL(index, id, name, arguments)                                                    \
	"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":" index ",\"id\":\"" id \
	"\",\"function\":{\"name\":\"" name "\",\"arguments\":\"" arguments "\"}}]}}]}\n\n"
#define ARGUMENTS(index, arguments)                                         \
	"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":" index \
	",\"function\":{\"arguments\":\"" arguments "\"}}]}}]}\n\n"
#define CALLS "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
#define USAGE                                                                                     \
	"data: "                                                                                  \
	"{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"prompt_tokens_" \
	"details\":{\"cached_tokens\":4}}}\n\n"
#define CUT_OFF "the model server's stream ended before its end: the answer is cut off"
#define WITHIN "the model server ended the connection within its answer"
#define GARBLED "the model server's answer cannot be understood"

/* clang-format off */
static const struct row rows[] = {
	{"a conversation", SSE_HEAD DELTA("Hel") DELTA("lo") STOP DONE_LINE, BEGUN "delta Hel\ndelta lo\ntext Hello\n" FINISHED},
	{"keep-alives", SSE_HEAD ": OPENROUTER PROCESSING\n\n:\n\n" DELTA("a") ": still\n\n" STOP ":\n" DONE_LINE, BEGUN "delta a\ntext a\n" FINISHED},
	{"CR LF", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata: [DONE]\r\n\r\n", BEGUN "delta a\ntext a\n" FINISHED},
	{"CR", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\rdata: [DONE]\r\r", BEGUN "delta a\ntext a\n" FINISHED},
	{"no spaces, and many", SSE_HEAD "data:{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata:   [DONE]  \n\n", BEGUN "delta a\ntext a\n" FINISHED},
	{"data over several lines", SSE_HEAD "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"a\"}}]}\n\n" DONE_LINE, BEGUN "delta a\ntext a\n" FINISHED},
	{"a mark, ids and names", SSE_HEAD "\xef\xbb\xbfid: 1\nevent: message\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\nretry: 5\n\n" DONE_LINE, BEGUN "delta a\ntext a\n" FINISHED},
	{"role first, null content", SSE_HEAD "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null},\"finish_reason\":null}],\"usage\":null}\n\n" DELTA("a") STOP DONE_LINE, BEGUN "delta a\ntext a\n" FINISHED},
	{"usage beside empty choices", SSE_HEAD DELTA("a") STOP USAGE DONE_LINE, BEGUN "delta a\ntext a\nusage 7 2 4\n" FINISHED},
	{"usage again and again", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\n\n" USAGE DONE_LINE, BEGUN "delta a\ntext a\nusage 7 2 4\n" FINISHED},
	{"empty events", SSE_HEAD "data:\n\ndata: \n\n" DELTA("a") "data: {}\n\n" DONE_LINE, BEGUN "delta a\ntext a\n" FINISHED},
	{"nothing said", SSE_HEAD STOP DONE_LINE, BEGUN FINISHED},
	{"the limit of the model", SSE_HEAD DELTA("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n" DONE_LINE, BEGUN "delta a\ntext a\n" LIMITED},
	{"a filter", SSE_HEAD DELTA("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n" DONE_LINE, BEGUN "delta a\ntext a\n" CALL_END "error the model server's content filter ended the answer\nturn_end 1 r0\nrun_end r0\nphase idle: turn done\n"},
	{"thinking", SSE_HEAD THOUGHT("hm") THOUGHT(", so") DELTA("a") STOP DONE_LINE, BEGUN "thinking_start\nthinking hm\nthinking , so\nthinking_done hm, so\ndelta a\ntext a\n" FINISHED},
	{"thinking by its other name, twice", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"reasoning_content\":\"hm\",\"content\":\"\"}}]}\n\n" DELTA("a") DONE_LINE, BEGUN "thinking_start\nthinking hm\nthinking_done hm\ndelta a\ntext a\n" FINISHED},
	{"both in one piece", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"content\":\"a\"}}]}\n\n" DONE_LINE, BEGUN "thinking_start\nthinking hm\nthinking_done hm\ndelta a\ntext a\n" FINISHED},
	{"nothing but thinking", SSE_HEAD THOUGHT("hm") STOP DONE_LINE, BEGUN "thinking_start\nthinking hm\nthinking_done hm\n" FINISHED},
	{"thinking once more", SSE_HEAD THOUGHT("x") DELTA("a") THOUGHT("y") DELTA("b") DONE_LINE, BEGUN "thinking_start\nthinking x\nthinking_done x\ndelta a\nthinking_start\nthinking y\nthinking_done y\ndelta b\ntext ab\n" FINISHED},
	{"a tool call in pieces", SSE_HEAD CALL("0", "c1", "Read", "") ARGUMENTS("0", "{\\\"p\\\":") ARGUMENTS("0", "1}") CALLS DONE_LINE, BEGUN "call_start c1 Read\ncall_args c1 {\"p\":\ncall_args c1 1}\ncall_done c1 Read {\"p\":1}\n" FINISHED},
	{"two tool calls at once", SSE_HEAD DELTA("see") CALL("0", "c1", "A", "{}") CALL("1", "c2", "B", "[") ARGUMENTS("1", "]") CALLS DONE_LINE, BEGUN "delta see\ncall_start c1 A\ncall_args c1 {}\ncall_start c2 B\ncall_args c2 [\ncall_args c2 ]\ncall_done c1 A {}\ncall_done c2 B []\ntext see\n" FINISHED},
	{"one index for all calls", SSE_HEAD CALL("0", "c1", "A", "{}") CALL("0", "c2", "B", "{}") DONE_LINE, BEGUN "call_start c1 A\ncall_args c1 {}\ncall_start c2 B\ncall_args c2 {}\ncall_done c1 A {}\ncall_done c2 B {}\n" FINISHED},
	{"no ids, no arguments", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"A\"}},{\"id\":\"\",\"function\":{\"name\":\"B\",\"arguments\":{\"x\":1}}}]}}]}\n\n" DONE_LINE, BEGUN "call_start call_1_1 A\ncall_start call_1_2 B\ncall_args call_1_2 {\"x\":1}\ncall_done call_1_1 A {}\ncall_done call_1_2 B {\"x\":1}\n" FINISHED},
	{"the limit within a call", SSE_HEAD CALL("0", "c1", "A", "{}") CALL("1", "c2", "B", "{") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n" DONE_LINE, BEGUN "call_start c1 A\ncall_args c1 {}\ncall_start c2 B\ncall_args c2 {\ncall_done c1 A {}\n" LIMITED},
	{"what comes behind the end", SSE_HEAD DELTA("a") DONE_LINE DELTA("b") "garbage\n\n", BEGUN "delta a\ntext a\n" FINISHED},
	{"broken characters", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"a\xe5\xa4\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\x9c\"}}]}\n\n" DONE_LINE, BEGUN "delta a\xef\xbf\xbd\ndelta \xef\xbf\xbd\ntext a\xef\xbf\xbd\xef\xbf\xbd\n" FINISHED},
	{"escapes", SSE_HEAD DELTA("\\u591c \\\"x\\\"") DONE_LINE, BEGUN "delta \xe5\xa4\x9c \"x\"\ntext \xe5\xa4\x9c \"x\"\n" FINISHED},
	{"a refusal of the model", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}\n\n" DONE_LINE, BEGUN "delta no\ntext no\n" FINISHED},
	/* an answer that is not a stream */
	{"JSON", JSON_HEAD "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}", BEGUN "delta Hello\ntext Hello\nusage 7 2\n" FINISHED},
	{"JSON with everything", JSON_HEAD "{\"choices\":[{\"message\":{\"reasoning\":\"hm\",\"content\":\"a\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"A\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"length\"}]}", BEGUN "thinking_start\nthinking hm\nthinking_done hm\ndelta a\ncall_start c A\ncall_args c {}\ntext a\n" LIMITED},
	/* what is no answer: not tried again, or with a delta before */
	{"no end", SSE_HEAD DELTA("Hel") DELTA("lo"), BEGUN "delta Hel\ndelta lo\ntext Hello\n" FAILED(CUT_OFF)},
	{"a reason, but no end", SSE_HEAD DELTA("a") STOP USAGE, BEGUN "delta a\ntext a\nusage 7 2 4\n" FAILED(CUT_OFF)},
	{"an end without its line", SSE_HEAD DELTA("a") "data: [DONE]\n", BEGUN "delta a\ntext a\n" FAILED(CUT_OFF)},
	{"cut within a chunk", CHUNKED "36\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndat", BEGUN "delta a\ntext a\n" FAILED(WITHIN)},
	{"cut while thinking", SSE_HEAD THOUGHT("hm"), BEGUN "thinking_start\nthinking hm\nthinking_done hm\n" FAILED(CUT_OFF)},
	{"cut within a call", SSE_HEAD CALL("0", "c1", "A", "{"), BEGUN "call_start c1 A\ncall_args c1 {\n" FAILED(CUT_OFF)},
	{"an error within the stream", SSE_HEAD DELTA("a") "data: {\"error\":{\"message\":\"slot\\nlost\",\"code\":503}}\n\n" DONE_LINE, BEGUN "delta a\ntext a\n" FAILED_SAYING("the model server reports an error", "slot\nlost")},
	{"an error as a text", SSE_HEAD DELTA("a") "event: error\ndata: {\"error\":\"boom\"}\n\n", BEGUN "delta a\ntext a\n" FAILED_SAYING("the model server reports an error", "boom")},
	{"an error at once", SSE_HEAD "data: {\"error\":{\"message\":\"no such model\",\"code\":\"model_not_found\"}}\n\n", BEGUN FAILED_SAYING("the model server reports an error", "no such model")},
	{"an error without words", SSE_HEAD "data: {\"error\":{}}\n\n", BEGUN FAILED("the model server reports an error")},
	{"an error as JSON", JSON_HEAD "{\"error\":{\"message\":\"no\"}}", BEGUN FAILED_SAYING("the model server reports an error", "no")},
	{"no JSON", SSE_HEAD DELTA("a") "data: hello\n\n", BEGUN "delta a\ntext a\n" FAILED(GARBLED)},
	{"JSON cut short", SSE_HEAD DELTA("a") "data: {\"choices\":[\n\n", BEGUN "delta a\ntext a\n" FAILED(GARBLED)},
	{"content of another type", SSE_HEAD "data: {\"choices\":[{\"delta\":{\"content\":7}}]}\n\n", BEGUN FAILED(GARBLED)},
	{"half a surrogate pair", SSE_HEAD DELTA("\\ud83d"), BEGUN FAILED(GARBLED)},
	{"a call without a name", SSE_HEAD ARGUMENTS("0", "{}"), BEGUN FAILED(GARBLED)},
	{"no choices in JSON", JSON_HEAD "{\"object\":\"list\",\"data\":[]}", BEGUN FAILED(GARBLED)},
	{"JSON without an end", JSON_HEAD "{\"choices\":[{\"message\":{\"content\":\"a\"}", BEGUN FAILED(GARBLED)},
	{"another type", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>sign in</html>", BEGUN FAILED("the model server's answer is neither an event stream nor JSON; check the profile's base_url")},
	{"no type", "HTTP/1.1 200 OK\r\n\r\n" DELTA("a") DONE_LINE, BEGUN FAILED("the model server's answer is neither an event stream nor JSON; check the profile's base_url")},
	{"a type that begins alike", "HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\n\r\n" DELTA("a") DONE_LINE, BEGUN FAILED("the model server's answer is neither an event stream nor JSON; check the profile's base_url")},
	{"compressed", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", BEGUN FAILED("the model server's answer is compressed, which was not asked for")},
	{"another status", "HTTP/1.1 204 No Content\r\n\r\n", BEGUN FAILED("the model server gave an unexpected answer (204)")},
};
/* clang-format on */

static void tell_row(const struct row *row, size_t step, size_t cut)
{
	open_all();
	script(row->answer);
	server.answers[0].step = step;
	server.answers[0].cut = cut;
	input("hi");
	await_rest();
	check_story(row->story);
	CHECK_U64(server.asked, 1);
	close_all();
}

static void test_answers_become_their_stories(void)
{
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		wr_test_case(rows[i].label);
		tell_row(&rows[i], 0, 0);
	}
}

static void test_answers_become_their_stories_byte_by_byte(void)
{
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		wr_test_case(rows[i].label);
		tell_row(&rows[i], 1, 0);
	}
}

static void test_a_cut_anywhere_changes_nothing(void)
{
	static const struct row row = {
		"cut",
		SSE_HEAD
		": x\r\n\r\n" THOUGHT("hm") "data: {\"choices\":[{\"delta\":{\"content\":"
					    "\"\xe5\xa4\x9c\"}}]}\r\n\r\n" CALL("0", "c", "A", "{}")
						    DONE_LINE,
		BEGUN
		"thinking_start\nthinking hm\nthinking_done hm\ndelta \xe5\xa4\x9c\n"
		"call_start c A\ncall_args c {}\ncall_done c A {}\ntext \xe5\xa4\x9c\n" FINISHED,
	};

	for (size_t cut = 1; cut < strlen(row.answer); cut++)
		tell_row(&row, 0, cut);
}

static void test_the_request_is_what_was_asked_for(void)
{
	open_all();
	openai_profile.output_tokens_max = 99;
	openai_profile.temperature = "0.5";
	openai_profile.system_prompt = "Be kind.";
	script(SSE_HEAD DELTA("a") DONE_LINE);
	input("say \"hi\"\n");
	await_rest();
	CHECK(strstr(server.last_request, "POST /v1/chat/completions HTTP/1.1\r\n") ==
	      server.last_request);
	CHECK(strstr(server.last_request, "\r\nAuthorization: Bearer " KEY "\r\n") != NULL);
	CHECK(strstr(server.last_request, "\r\nContent-Type: application/json\r\n") != NULL);
	CHECK(strstr(server.last_request, "\r\nAccept-Encoding: identity\r\n") != NULL);
	CHECK_STRING(wr_view_of_string(strstr(server.last_request, "\r\n\r\n") + 4),
		     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
		     "\"max_tokens\":99,\"temperature\":0.5,\"messages\":["
		     "{\"role\":\"system\",\"content\":\"Be kind.\"},"
		     "{\"role\":\"user\",\"content\":\"say \\\"hi\\\"\\n\"}]}");
	close_all();
}

static void test_a_kept_connection_serves_the_next_turn(void)
{
	open_all();
	script(chunked(DELTA("a") DONE_LINE));
	server.answers[0].is_open = true;
	for (unsigned i = 1; i <= 3; i++) {
		input("hi");
		await_rest();
		CHECK_U64(count_in_trace("text a\n"), i);
		CHECK_U64(count_in_trace("phase idle: turn done\n"), i);
	}
	CHECK_U64(server.accepted, 1);
	CHECK_U64(server.asked, 3);
	CHECK(strstr(trace, "event llm_call_start {\"llm_call\":3}\n") != NULL);
	CHECK(strstr(trace, "turn_end 3 r0\n") != NULL);
	close_all();
}

static void test_a_stream_that_says_its_end_and_stays_open_is_over(void)
{
	open_all();
	script(SSE_HEAD DELTA("a") DONE_LINE);
	server.answers[0].is_open = true;
	input("hi");
	await("phase idle: turn done\n");
	check_story(BEGUN "delta a\ntext a\n" FINISHED);
	turns(3);
	CHECK_U64(server.ended, 1);
	close_all();
}

static void test_more_than_the_limit_of_an_answer_is_cut(void)
{
	open_all();
	openai_profile.answer_bytes_max = 10;
	script(SSE_HEAD THOUGHT("1234") DELTA("567") DELTA("890") DELTA("x") DONE_LINE);
	input("hi");
	await_rest();
	check_story(BEGUN "thinking_start\nthinking 1234\nthinking_done 1234\ndelta 567\n"
			  "delta 890\ntext 567890\n" LIMITED);
	close_all();
	/* and with more in one piece than there is room for: what there was before it */
	open_all();
	openai_profile.answer_bytes_max = 3;
	script(SSE_HEAD DELTA("1234") DONE_LINE);
	input("hi");
	await_rest();
	check_story(BEGUN LIMITED);
	close_all();
	open_all();
	openai_profile.answer_bytes_max = 40;
	script(SSE_HEAD CALL("0", "c1", "A", "{}") ARGUMENTS("0", "12345") DONE_LINE);
	input("hi");
	await_rest();
	check_story(BEGUN "call_start c1 A\ncall_args c1 {}\n" LIMITED);
	close_all();
}

/* A head, and a piece over and over. */
static struct wr_view repeat(const char *head, const char *piece, size_t bytes)
{
	static char text[6 << 20];
	size_t at = strlen(head);

	memcpy(text, head, at);
	CHECK(at + bytes < sizeof text);
	for (size_t end = at + bytes; at < end; at++)
		text[at] = piece[(at - strlen(head)) % strlen(piece)];
	text[at] = '\0';
	return wr_view_of(text, at);
}

static void test_what_is_too_large_ends_as_an_error_and_is_not_kept(void)
{
	static const struct {
		const char *label, *head, *piece;
		size_t bytes;
	} large[] = {
		{"a line", SSE_HEAD "data: {\"x\":\"", "y", 1200000},
		{"a comment", SSE_HEAD ":", "y", 1200000},
		{"an event", SSE_HEAD, "data: 0123456789012345678901234567890123456789\n", 1300000},
		{"JSON", JSON_HEAD "{\"x\":\"", "y", 4300000},
	};

	for (size_t i = 0; i < WR_COUNT(large); i++) {
		wr_test_case(large[i].label);
		open_all();
		script("");
		server.answers[0].text = repeat(large[i].head, large[i].piece, large[i].bytes);
		server.answers[0].step = 65536;
		input("hi");
		await_rest();
		check_story(BEGUN FAILED("the model server's answer is too large"));
		CHECK_U64(server.asked, 1);
		close_all();
	}
}

static void test_tool_calls_are_bounded(void)
{
	static char text[1 << 16];
	size_t at = 0;

	at += (size_t)snprintf(text, sizeof text, "%s", SSE_HEAD);
	for (unsigned i = 0; i <= WR_OPENAI_CALL_COUNT_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof text - at,
				       "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":"
				       "%u,\"function\":{\"name\":\"A\"}}]}}]}\n\n",
				       i);
	open_all();
	script(text);
	input("hi");
	await_rest();
	CHECK_U64(count_in_trace("\ncall_start"), WR_OPENAI_CALL_COUNT_MAX);
	CHECK(strstr(trace, "error the model server's answer is too large\n") != NULL);
	close_all();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_answers_become_their_stories),
	WR_TEST(test_answers_become_their_stories_byte_by_byte),
	WR_TEST_LIMIT(test_a_cut_anywhere_changes_nothing, 30),
	WR_TEST(test_the_request_is_what_was_asked_for),
	WR_TEST(test_a_kept_connection_serves_the_next_turn),
	WR_TEST(test_a_stream_that_says_its_end_and_stays_open_is_over),
	WR_TEST(test_more_than_the_limit_of_an_answer_is_cut),
	WR_TEST_LIMIT(test_what_is_too_large_ends_as_an_error_and_is_not_kept, 30),
	WR_TEST(test_tool_calls_are_bounded),
	WR_TEST_END,
};
