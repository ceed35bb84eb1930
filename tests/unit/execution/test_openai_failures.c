/* Goal: whatever a model server does instead of answering becomes a typed error of its Worker, or
 * another try where that can help; nothing of its own comes through but a message, and never the
 * key. Method: a table of answers; scripts of several; a server that is silent, gone, or in the
 * way. */
#include "unit/execution/openai_world.h"

#include "bytes/utf8.h"

#define RETRY(attempt, max, status, text)                                                      \
	"event llm_retry {\"llm_call\":1,\"failed_attempt\":" attempt ",\"max_attempts\":" max \
	",\"wait_ms\":T,\"elapsed_ms\":T," status "\"error\":\"" text "\"}\n"
#define STATUS(number) "\"status\":" number ","
#define ANSWER(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n\r\n" body

/* ---- statuses ---- */

struct status_case {
	const char *answer, *message;
	bool is_tried_again;
};

/* clang-format off */
static const struct status_case statuses[] = {
	{ANSWER("400 Bad Request", "{\"error\":{\"message\":\"max_tokens is too large\"}}"), "the model server refused the request (400): max_tokens is too large", false},
	{ANSWER("401 Unauthorized", "{\"error\":{\"message\":\"Incorrect API key provided: " KEY "\"}}"), "the model server refused the key; check the profile's key_file or key_env (401)", false},
	{ANSWER("403 Forbidden", "{\"error\":\"no\"}"), "the model server does not allow this; check the profile's key and model (403)", false},
	{ANSWER("404 Not Found", "{\"detail\":\"Not Found\"}"), "the model server does not know this path or model; check the profile's base_url and model (404): Not Found", false},
	{ANSWER("404 Not Found", "{\"error\":{\"message\":\"model 'm' not found\"}}"), "the model server does not know this path or model; check the profile's base_url and model (404): model 'm' not found", false},
	{ANSWER("405 Method Not Allowed", "{\"detail\":\"Method Not Allowed\"}"), "the model server does not take requests here; check the profile's base_url (405): Method Not Allowed", false},
	{ANSWER("413 Content Too Large", "{}"), "the model server finds the conversation too large; lower the profile's history_bytes (413)", false},
	{ANSWER("409 Conflict", ""), "the model server gave an unexpected answer (409)", false},
	{ANSWER("422 Unprocessable", "{\"detail\":[{\"msg\":\"x\"}]}"), "the model server gave an unexpected answer (422)", false},
	{ANSWER("201 Created", "{\"choices\":[{\"message\":{\"content\":\"a\"}}]}"), "the model server gave an unexpected answer (201)", false},
	{"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/v1\r\nContent-Length: 0\r\n\r\n", "the model server answers with a redirect, which is not followed; give the final base_url (301)", false},
	{"HTTP/1.1 307 Temporary\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", "the model server answers with a redirect, which is not followed; give the final base_url (307)", false},
	{"HTTP/1.1 308 Permanent\r\nContent-Length: 0\r\n\r\n", "the model server answers with a redirect, which is not followed; give the final base_url (308)", false},
	/* not for people */
	{"HTTP/1.1 400 Bad\r\nContent-Type: text/html\r\n\r\n<html>secret place</html>", "the model server refused the request (400)", false},
	{ANSWER("400 Bad", "not JSON"), "the model server refused the request (400)", false},
	{ANSWER("400 Bad", "{\"error\":{\"message\":\"a\\u001b[31mb\\u0000c\\u0085\"}}"), "the model server refused the request (400): a [31mb c ", false},
	{ANSWER("400 Bad", "{\"error\":{\"message\":\"you sent " KEY " and " KEY "!\"}}"), "the model server refused the request (400): you sent *** and ***!", false},
	{"SSH-2.0-OpenSSH\r\n\r\n", "the model server's answer is not proper HTTP: bytes do not follow the grammar", false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "the model server's answer is not proper HTTP: bytes do not follow the grammar", false},
	/* what may be otherwise the next time */
	{ANSWER("408 Request Timeout", ""), "the model server gave an unexpected answer (408)", true},
	{ANSWER("429 Too Many Requests", "{\"error\":{\"message\":\"slow down\"}}"), "the model server asks for fewer requests (429): slow down", true},
	{ANSWER("500 Internal Server Error", "{\"error\":{\"message\":\"boom\",\"code\":500}}"), "the model server has failed (500): boom", true},
	{ANSWER("502 Bad Gateway", ""), "the model server has failed (502)", true},
	{ANSWER("503 Service Unavailable", "{\"error\":{\"message\":\"Loading model\",\"type\":\"unavailable_error\",\"code\":503}}"), "the model server has failed (503): Loading model", true},
	{ANSWER("504 Gateway Timeout", "{}"), "the model server has failed (504)", true},
	{ANSWER("529 Overloaded", "{}"), "the model server has failed (529)", true},
	{"", "the model server ended the connection without an answer", true},
	{"HTTP/1.1 200 OK\r\nContent-Ty", "the model server ended the connection without an answer", true},
	{SSE_HEAD, "the model server's stream ended before its end: the answer is cut off", true},
	{SSE_HEAD ": waiting\n\n", "the model server's stream ended before its end: the answer is cut off", true},
	{CHUNKED "5\r\ndat", "the model server ended the connection within its answer", true},
	{SSE_HEAD "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n", "the model server reports an error: busy", true},
	{SSE_HEAD "data: {\"error\":{\"message\":\"busy\",\"code\":429}}\n\n", "the model server reports an error: busy", true},
	{SSE_HEAD "data: {\"error\":{\"message\":\"bad\",\"code\":400}}\n\n", "the model server reports an error: bad", false},
};
/* clang-format on */

static void check_nothing_leaks(void)
{
	CHECK(strstr(trace, KEY) == NULL);
	CHECK(strstr(trace, "Bearer") == NULL);
	CHECK(strstr(trace, "127.0.0.1") == NULL);
	CHECK(strstr(trace, "elsewhere") == NULL);
	CHECK(strstr(trace, "secret") == NULL);
}

static void test_each_refusal_is_told_and_tried_again_where_that_can_help(void)
{
	char line[512];

	for (size_t i = 0; i < WR_COUNT(statuses); i++) {
		wr_test_case(statuses[i].answer);
		open_all();
		script(statuses[i].answer);
		input("hi");
		await_rest();
		snprintf(line, sizeof line, "\nerror %s\n", statuses[i].message);
		CHECK(strstr(trace, line) != NULL);
		CHECK(strstr(trace, "\nphase failed: ") != NULL);
		CHECK_U64(server.asked, statuses[i].is_tried_again ? 3 : 1);
		CHECK_U64(count_in_trace("event llm_retry"), statuses[i].is_tried_again ? 2 : 0);
		CHECK_U64(count_in_trace("turn_end"), 0);
		CHECK_U64(count_in_trace(CALL_END), 1);
		check_nothing_leaks();
		close_all();
	}
}

static void test_a_long_message_is_cut_at_a_character(void)
{
	static char answer[4096];
	size_t at = 0;

	at += (size_t)snprintf(answer, sizeof answer, "%s",
			       ANSWER("400 Bad", "{\"error\":{\"message\":\""));
	for (unsigned i = 0; i < 500; i++)
		at += (size_t)snprintf(answer + at, sizeof answer - at, "\xc3\xa4");
	snprintf(answer + at, sizeof answer - at, "\"}}");
	open_all();
	script(answer);
	input("hi");
	await_rest();
	CHECK(count_in_trace("\xc3\xa4") > 0);
	CHECK(wr_utf8_is_valid(wr_view_of_string(trace)));
	CHECK_U64(count_in_trace("\xc3\xa4..."), 1); /* and not in the cause of the phase */
	close_all();
}

static void test_a_message_is_printable_bounded_and_without_the_key(void)
{
	static const struct {
		const char *text, *key, *shown;
	} cases[] = {
		{"plain", KEY, "plain"},
		{"", KEY, ""},
		{"a" KEY "b", KEY, "a***b"},
		{KEY, KEY, "***"},
		{KEY KEY, KEY, "******"},
		{"sk-0123", KEY, "sk-0123"},
		{"aaaa", "a", "************"},
		{"no key", NULL, "no key"},
		{"tab\there\r\n", NULL, "tab here \n"},
		{"\xff\xfe", NULL, "\xef\xbf\xbd\xef\xbf\xbd"},
	};
	char storage[1024], text[2000];
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].text);
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_openai_append_foreign(&out, wr_view_of_string(cases[i].text), cases[i].key);
		CHECK_STRING(wr_buf_view(&out), cases[i].shown);
	}
	/* the key where the message is cut */
	for (size_t before = WR_OPENAI_MESSAGE_BYTES_MAX - 30;
	     before < WR_OPENAI_MESSAGE_BYTES_MAX + 5; before++) {
		memset(text, 'x', before);
		memcpy(text + before, KEY " and so on", sizeof KEY " and so on");
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_openai_append_foreign(&out, wr_view_of_string(text), KEY);
		CHECK(out.bytes <= WR_OPENAI_MESSAGE_BYTES_MAX + 3);
		storage[out.bytes] = '\0';
		CHECK(strstr(storage, "sk-") == NULL);
	}
}

/* ---- another try ---- */

static void test_a_try_that_succeeds_is_the_answer(void)
{
	open_all();
	script(ANSWER("503 Busy", ""));
	script_also(ANSWER("429 Slow", "{\"error\":\"wait\"}"));
	script_also(SSE_HEAD DELTA("a") DONE_LINE);
	input("hi");
	await_rest();
	check_story(BEGUN RETRY("1", "3", STATUS("503"), "the model server has failed (503)") RETRY(
		"2", "3", STATUS("429"),
		"the model server asks for fewer requests (429): wait") "delta a\ntext "
									"a\n" FINISHED);
	CHECK_U64(server.asked, 3);
	/* what is asked is the same each time */
	CHECK(strstr(server.last_request, "{\"role\":\"user\",\"content\":\"hi\"}]}") != NULL);
	close_all();
}

static void test_after_the_first_delta_nothing_is_tried_again(void)
{
	static const char *const answers[] = {
		SSE_HEAD DELTA("a"),
		SSE_HEAD THOUGHT("a"),
		SSE_HEAD DELTA("a") "data: {\"error\":{\"code\":503}}\n\n",
		CHUNKED "2d\r\n" DELTA("a") "\r\n",
		SSE_HEAD
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
		"{\"name\":\"A\"}}]}}]}\n\n",
	};

	for (size_t i = 0; i < WR_COUNT(answers); i++) {
		wr_test_case(answers[i]);
		open_all();
		script(answers[i]);
		input("hi");
		await_rest();
		CHECK_U64(server.asked, 1);
		CHECK_U64(count_in_trace("llm_retry"), 0);
		CHECK(strstr(trace, "\nphase failed: ") != NULL);
		close_all();
	}
}

static void test_a_failed_worker_takes_the_next_input(void)
{
	open_all();
	script(ANSWER("400 No", ""));
	script_also(SSE_HEAD DELTA("a") DONE_LINE);
	input("hi");
	await_rest();
	CHECK(worker->now.phase == WR_PHASE_FAILED);
	input("again");
	await_rest();
	CHECK(strstr(trace, "> again\nphase starting: input\nphase busy: input\nturn_start 2\n"
			    "event llm_call_start {\"llm_call\":2}\ndelta a\ntext a\n"
			    "event llm_call_end {\"llm_call\":2}\nturn_end 2 r0\nrun_end r0\n"
			    "phase idle: turn done\n") != NULL);
	/* what went wrong is not told to the model, and two of a kind are one */
	CHECK(strstr(server.last_request,
		     "\"messages\":[{\"role\":\"user\",\"content\":\"hi\\n\\nagain\"}]}") != NULL);
	close_all();
}

static uint64_t first_wait_ms(void)
{
	const char *at = strstr(trace, "\"wait_ms\":");

	CHECK(at != NULL);
	return strtoul(at + strlen("\"wait_ms\":"), NULL, 10);
}

static void test_retry_after_is_followed_up_to_a_bound(void)
{
	static const struct {
		const char *field;
		uint64_t min_ms, max_ms;
	} rows[] = {
		{"", 0, 4},
		{"Retry-After: 0\r\n", 0, 4},
		{"Retry-After: 1\r\n", 1000, 1250},
		{"Retry-After: 2\r\n", 1500, 1875}, /* as the bound has it */
		{"Retry-After: 99999999999999999999999\r\n", 1500, 1875},
		{"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 0, 4},
		{"Retry-After: -1\r\n", 0, 4},
		{"Retry-After: 1.5\r\n", 0, 4},
	};
	char answer[256];

	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		wr_test_case(rows[i].field);
		snprintf(answer, sizeof answer, "HTTP/1.1 429 Slow\r\n%s\r\n", rows[i].field);
		open_all();
		openai_profile.retry_after_ms_max = 1500;
		script(answer);
		input("hi");
		await("event llm_retry");
		CHECK(first_wait_ms() >= rows[i].min_ms && first_wait_ms() <= rows[i].max_ms);
		CHECK_STATUS(interrupt_worker(), WR_OK); /* it need not be waited for */
		CHECK(strstr(trace, "phase interrupted") != NULL);
		CHECK_U64(wr_openai_live_count(&openai), 0);
		close_all();
	}
}

static void test_pauses_grow_to_their_bound(void)
{
	uint64_t wait_ms[6];
	const char *at;

	open_all();
	openai_profile.retry_count_max = 6;
	openai_profile.retry_ms_min = 4;
	openai_profile.retry_ms_max = 32;
	script(ANSWER("500 No", ""));
	input("hi");
	await_rest();
	at = trace;
	for (unsigned i = 0; i < 6; i++) {
		uint64_t middle = i < 3 ? 4u << i : 32;

		at = strstr(at, "\"wait_ms\":");
		CHECK(at != NULL);
		at += strlen("\"wait_ms\":");
		wait_ms[i] = strtoul(at, NULL, 10);
		CHECK(wait_ms[i] >= middle - middle / 4 && wait_ms[i] <= middle + middle / 4);
		CHECK(wait_ms[i] <= 32);
	}
	CHECK_U64(server.asked, 7);
	close_all();
}

/* ---- silence ---- */

static void test_silence_before_the_first_word_is_tried_again(void)
{
	static const char *const silent[] = {NULL, SSE_HEAD, SSE_HEAD ": loading\n\n",
					     "HTTP/1.1 200 OK\r\n",
					     SSE_HEAD "data: {\"choices\":[{\"delta\":{\"role\":"
						      "\"assistant\",\"content\":\"\"}}]}\n\n"};

	for (size_t i = 0; i < WR_COUNT(silent); i++) {
		open_all();
		openai_profile.first_token_ms_max = 30;
		openai_profile.silence_ms_max = 60000;
		script(silent[i] == NULL ? "" : silent[i]);
		server.answers[0].is_open = true;
		script_also(SSE_HEAD DELTA("a") DONE_LINE);
		input("hi");
		await_rest();
		CHECK(strstr(trace, "event llm_retry") != NULL);
		CHECK(strstr(trace, "delta a\ntext a\n") != NULL);
		CHECK_U64(server.asked, 2);
		CHECK(server.ended >= 1);
		close_all();
	}
}

static void test_silence_after_it_ends_the_turn(void)
{
	open_all();
	openai_profile.first_token_ms_max = 60000;
	openai_profile.silence_ms_max = 30;
	script(SSE_HEAD DELTA("a"));
	server.answers[0].is_open = true;
	input("hi");
	await_rest();
	check_story(BEGUN "delta a\ntext a\n" FAILED("the model server said nothing for 30 ms"));
	turns(3);
	CHECK_U64(server.ended, 1);
	close_all();
}

/* Longer than either limit as a whole, but never silent for so long. */
static void test_what_comes_slowly_is_waited_for(void)
{
	open_all();
	openai_profile.first_token_ms_max = wr_test_patience(60);
	openai_profile.silence_ms_max = wr_test_patience(60);
	script(SSE_HEAD ": a\n\n: b\n\n: c\n\n: d\n\n: e\n\n: f\n\n: g\n\n: h\n\n: i\n\n: j\n\n"
			": k\n\n: l\n\n: m\n\n: n\n\n: o\n\n: p\n\n" DELTA("a") DONE_LINE);
	server.answers[0].step = 1; /* a byte a turn */
	input("hi");
	while (!is_resting())
		wr_reactor_turn(&reactor, turn_server() ? 1 : 2);
	check_story(BEGUN "delta a\ntext a\n" FINISHED);
	close_all();
}

/* Comments keep a connection open, and are no answer: before the first word, and after it. */
static void test_who_sends_for_ever_and_says_nothing_has_failed(void)
{
	static char text[1 << 20];
	/* Under a second they are told in milliseconds. */
	const unsigned patience = (unsigned)wr_test_patience(1);
	const unsigned factor = patience < 1 ? 1 : patience > 15 ? 15 : patience;
	const unsigned first_ms = 50 * factor, ms = 60 * factor;
	char story[256];

	for (unsigned has_word = 0; has_word < 2; has_word++) {
		size_t bytes = (size_t)snprintf(text, sizeof text, "%s",
						has_word != 0 ? SSE_HEAD DELTA("a") : SSE_HEAD);
		for (; bytes + 1 < sizeof text; bytes++)
			text[bytes] = ": p\n\ndata: \n\n"[bytes % 13];
		text[bytes] = '\0';
		open_all();
		openai_profile.mute_ms_max = 0;
		openai_profile.first_token_ms_max = first_ms;
		openai_profile.silence_ms_max = ms;
		openai_profile.retry_count_max = 0;
		script(text);
		server.answers[0].step = 16;
		server.answers[0].is_open = true;
		input("hi");
		await_rest();
		snprintf(story, sizeof story,
			 has_word != 0 ? BEGUN "delta a\ntext a\n" FAILED(
						 "the model server said nothing for %u ms")
				       : BEGUN FAILED("the model server said nothing for %u ms"),
			 has_word != 0 ? ms : first_ms, has_word != 0 ? ms : first_ms);
		check_story(story);
		turns(3);
		CHECK_U64(server.ended, 1);
		close_all();
	}
}

/* ---- nobody there ---- */

static void test_a_server_that_is_not_there_is_told_with_the_reason(void)
{
	open_all();
	close(server.listener);
	server.listener = -1;
	input("hi");
	while (!is_resting())
		wr_reactor_turn(&reactor, 5);
	CHECK_U64(count_in_trace("event llm_retry"), 2);
	CHECK(strstr(trace,
		     "error the model server cannot be reached: nothing listens there\n"
		     "phase failed: the model server cannot be reached: nothing listens there\n") !=
	      NULL);
	check_nothing_leaks();
	close_all();
}

static void test_a_server_that_comes_back_is_found(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	int one = 1;

	open_all();
	openai_profile.retry_count_max = 50;
	script(SSE_HEAD DELTA("a") DONE_LINE);
	close(server.listener);
	server.listener = -1;
	input("hi");
	while (count_in_trace("event llm_retry") < 2)
		wr_reactor_turn(&reactor, 5);
	server.listener = wr_descriptor_socket(AF_INET);
	address.sin_port = htons(server.port);
	CHECK(setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
	CHECK(bind(server.listener, (struct sockaddr *)&address, sizeof address) == 0);
	CHECK(listen(server.listener, 16) == 0);
	await_rest();
	CHECK(strstr(trace, "delta a\ntext a\n" FINISHED) != NULL);
	close_all();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_each_refusal_is_told_and_tried_again_where_that_can_help),
	WR_TEST(test_a_long_message_is_cut_at_a_character),
	WR_TEST(test_a_message_is_printable_bounded_and_without_the_key),
	WR_TEST(test_a_try_that_succeeds_is_the_answer),
	WR_TEST(test_after_the_first_delta_nothing_is_tried_again),
	WR_TEST(test_a_failed_worker_takes_the_next_input),
	WR_TEST(test_retry_after_is_followed_up_to_a_bound),
	WR_TEST(test_pauses_grow_to_their_bound),
	WR_TEST(test_silence_before_the_first_word_is_tried_again),
	WR_TEST(test_silence_after_it_ends_the_turn),
	WR_TEST(test_who_sends_for_ever_and_says_nothing_has_failed),
	WR_TEST(test_what_comes_slowly_is_waited_for),
	WR_TEST(test_a_server_that_is_not_there_is_told_with_the_reason),
	WR_TEST(test_a_server_that_comes_back_is_found),
	WR_TEST_END,
};
