/* Goal: what is sent to a model server is exactly this, and what the many kinds of servers say is
 * read as what it means, or refused. Method: tables of documents and their meaning, as text; each
 * is read at the end of a page, and with every allocation failing. */
#include "harness/harness.h"
#include "wire/chat_json.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 4096 };

/* ---- the request ---- */

static void check_request(const struct wr_chat_options *options, const char *expected)
{
	struct wr_chat_request request;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), ROOM);
	wr_chat_request_begin(&request, &out, options);
	wr_chat_request_message(&request, WR_CHAT_SYSTEM, WR_VIEW("Be \"kind\".\n"));
	wr_chat_request_message(&request, WR_CHAT_USER, WR_VIEW("hi"));
	wr_chat_request_message(&request, WR_CHAT_USER, WR_VIEW("there"));
	wr_chat_request_message(&request, WR_CHAT_ASSISTANT, WR_VIEW("\xe5\xa4\x9c"));
	wr_chat_request_message(&request, WR_CHAT_USER, WR_VIEW(""));
	wr_chat_request_end(&request);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_STRING(wr_buf_view(&out), expected);
	wr_buf_deinit(&out);
}

#define MESSAGES                                                                   \
	"\"messages\":[{\"role\":\"system\",\"content\":\"Be \\\"kind\\\".\\n\"}," \
	"{\"role\":\"user\",\"content\":\"hi\\n\\nthere\"},"                       \
	"{\"role\":\"assistant\",\"content\":\"\xe5\xa4\x9c\"},"                   \
	"{\"role\":\"user\",\"content\":\"\"}]}"

static void test_a_request_is_this(void)
{
	struct wr_chat_options options = {.model = WR_VIEW_NULL};

	check_request(&options,
		      "{\"stream\":true,\"stream_options\":{\"include_usage\":true}," MESSAGES);
	options.model = WR_VIEW("a/b:c");
	options.output_tokens_max = 4096;
	options.temperature = WR_VIEW("0.70");
	check_request(&options, "{\"model\":\"a/b:c\",\"stream\":true,\"stream_options\":{"
				"\"include_usage\":true},\"max_tokens\":4096,"
				"\"temperature\":0.70," MESSAGES);
}

static void test_a_request_without_messages_is_whole(void)
{
	const struct wr_chat_options options = {.model = WR_VIEW_NULL};
	struct wr_chat_request request;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), ROOM);
	wr_chat_request_begin(&request, &out, &options);
	wr_chat_request_end(&request);
	CHECK_STRING(wr_buf_view(&out), "{\"stream\":true,\"stream_options\":{\"include_usage\":"
					"true},\"messages\":[]}");
	wr_buf_deinit(&out);
}

static void test_a_request_that_does_not_fit_says_so(void)
{
	const struct wr_chat_options options = {.model = WR_VIEW_NULL};
	struct wr_chat_request request;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 100);
	wr_chat_request_begin(&request, &out, &options);
	wr_chat_request_message(&request, WR_CHAT_USER, WR_VIEW("0123456789012345678901234567"));
	wr_chat_request_end(&request);
	CHECK_STATUS(wr_buf_status(&out), WR_TOO_LARGE);
	wr_buf_deinit(&out);
}

static void test_only_a_json_number_is_a_number(void)
{
	static const char *const good[] = {"0", "0.7", "1", "2.0", "1e-1", "-0"};
	static const char *const bad[] = {"",	 " ",	 "0.7 ", " 1",	".5",	 "1.", "01",
					  "+1",	 "0x1",	 "NaN",	 "inf", "\"1\"", "1,", "1}",
					  "1 2", "null", "[1]",	 "1e",	"0,7"};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		wr_test_case(good[i]);
		CHECK(wr_chat_is_number(wr_view_of_string(good[i])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		wr_test_case(bad[i]);
		CHECK(!wr_chat_is_number(wr_view_of_string(bad[i])));
	}
}

/* ---- the answer ---- */

static void add(char *story, const char *word, struct wr_view text)
{
	size_t bytes = strlen(story);

	if (text.data != NULL)
		snprintf(story + bytes, ROOM - bytes, " %s=%.*s", word, (int)text.bytes, text.data);
}

static void add_number(char *story, const char *word, bool is_there, uint64_t number)
{
	size_t bytes = strlen(story);

	if (is_there)
		snprintf(story + bytes, ROOM - bytes, " %s=%llu", word, (unsigned long long)number);
}

/* All that a chunk means, as text. */
static void tell(char *story, const struct wr_chat_chunk *chunk)
{
	story[0] = '\0';
	add(story, "choice", chunk->has_choice ? WR_VIEW("") : WR_VIEW_NULL);
	add(story, "thought", chunk->reasoning);
	add(story, "text", chunk->content);
	for (uint32_t i = 0; i < chunk->call_count; i++) {
		const struct wr_chat_call *call = &chunk->calls[i];

		add(story, "call", WR_VIEW(""));
		add_number(story, "at", call->has_index, call->index);
		add(story, "id", call->id);
		add(story, "name", call->name);
		add(story, "args", call->arguments);
	}
	add(story, "finish", chunk->finish_reason);
	add_number(story, "in", chunk->has_usage && chunk->usage.has_input, chunk->usage.input);
	add_number(story, "out", chunk->has_usage && chunk->usage.has_output, chunk->usage.output);
	add_number(story, "cached", chunk->has_usage && chunk->usage.has_cached,
		   chunk->usage.cached);
	add(story, "error",
	    chunk->has_error && chunk->error_message.data == NULL ? WR_VIEW("")
								  : chunk->error_message);
	add_number(story, "status", chunk->error_status != 0, chunk->error_status);
}

static enum wr_status read_text(char *story, const char *text, enum wr_chat_form form)
{
	struct wr_view json = wr_test_guarded(0, wr_view_of_string(text));
	struct wr_chat_chunk chunk;
	struct wr_error error;
	struct wr_buf texts;
	enum wr_status status;

	wr_buf_init(&texts, wr_test_allocator(), ROOM);
	status = wr_chat_read(&chunk, &texts, json, form, &error);
	CHECK_STATUS(error.status, status);
	CHECK(error.offset <= json.bytes);
	if (status == WR_INVALID)
		CHECK(error.detail != NULL);
	if (status == WR_OK)
		tell(story, &chunk);
	wr_buf_deinit(&texts);
	return status;
}

struct chunk_case {
	const char *json, *story;
};

/* clang-format off */
static const struct chunk_case pieces[] = {
	/* as OpenAI, llama.cpp, vLLM, Ollama, OpenRouter, DeepSeek and Gemini spell them */
	{"{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}", " choice= text="},
	{"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}", " choice= text=Hel"},
	{"{\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}", " choice="},
	{"{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}", " choice= finish=stop"},
	{"{\"choices\":[{\"delta\":null,\"finish_reason\":\"length\"}]}", " choice= finish=length"},
	{"{\"choices\":[{\"finish_reason\":\"stop\"}]}", " choice= finish=stop"},
	{"{\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46,\"prompt_tokens_details\":{\"cached_tokens\":8,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}}}", " in=12 out=34 cached=8"},
	{"{\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34,\"prompt_tokens_details\":null}}", " in=12 out=34"},
	{"{\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}", " choice= text=x in=1 out=1"},
	{"{\"choices\":[],\"usage\":{\"prompt_tokens\":1.5,\"completion_tokens\":-1}}", ""},
	{"{\"choices\":[],\"usage\":{}}", ""},
	{"{\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\",\"content\":null}}]}", " choice= thought=hm"},
	{"{\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"content\":\"\"}}]}", " choice= thought=hm text="},
	{"{\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"reasoning_content\":\"hm\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"hm\"}]}}]}", " choice= thought=hm"},
	{"{\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"reasoning_content\":\"\"}}]}", " choice= thought=hm"},
	{"{\"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}", " choice= text=no"},
	{"{\"choices\":[{\"delta\":{\"content\":\"\",\"refusal\":\"no\"}}]}", " choice= text=no"},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"Read\",\"arguments\":\"\"}}]}}]}", " choice= call= at=0 id=call_1 name=Read args="},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"p\\\":\"}}]}}]}", " choice= call= at=0 args={\"p\":"},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"x\",\"arguments\":{\"p\": 1}}},{\"id\":null,\"function\":null}]}}]}", " choice= call= id=a name=x args={\"p\": 1} call="},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":null}}]}", " choice="},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[]}}]}", " choice="},
	{"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}},{\"index\":1,\"delta\":{\"content\":7}}]}", " choice= text=a"},
	{"{\"choices\":[{\"delta\":{\"content\":\"\\u591c\\n\\ud83d\\ude00\"}}]}", " choice= text=\xe5\xa4\x9c\n\xf0\x9f\x98\x80"},
	{"{\"choices\":[{\"\\u0064elta\":{\"content\":\"a\"}}]}", " choice= text=a"},
	{"{\"choices\":[{\"message\":{\"content\":\"a\"}}]}", " choice="},
	{" {\"choices\" : [ ] } ", ""},
	{"{}", ""},
	{"{\"choices\":null}", ""},
	{"{\"type\":\"ping\",\"x\":{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}}", ""},
	/* errors within a stream */
	{"{\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"code\":500}}", " error=boom status=500"},
	{"{\"error\":{\"message\":\"boom\",\"code\":\"rate_limit\"}}", " error=boom"},
	{"{\"error\":{\"code\":503}}", " error= status=503"},
	{"{\"error\":{\"code\":100000}}", " error="},
	{"{\"error\":\"boom\"}", " error=boom"},
	{"{\"error\":{\"message\":{\"deep\":1}}}", " error="},
	{"{\"error\":[1]}", " error="},
	{"{\"error\":7}", " error="},
	{"{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", " choice= text=a"},
	{"{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"error\":{\"message\":\"b\"}}", " choice= text=a error=b"},
	{"{\"object\":\"error\",\"message\":\"too long\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}", " error=too long status=400"},
	{"{\"detail\":\"Not Found\"}", " error=Not Found"},
	{"{\"detail\":[{\"loc\":[1]}]}", ""},
	{"{\"message\":\"no error\"}", ""},
};

static const struct { const char *json; enum wr_status status; } refused[] = {
	{"", WR_SYNTAX},
	{"[DONE]", WR_INVALID},
	{"{", WR_SYNTAX},
	{"{\"choices\":[}", WR_SYNTAX},
	{"{\"choices\":[]} {}", WR_SYNTAX},
	{"{\"choices\":[],}", WR_SYNTAX},
	{"{'choices':[]}", WR_SYNTAX},
	{"{\"choices\":[{\"delta\":{\"content\":\"a", WR_SYNTAX},
	{"<html>", WR_SYNTAX},
	{"{\"choices\":[{\"delta\":{\"content\":\"\\ud83d\"}}]}", WR_ENCODING},
	{"{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", WR_ENCODING},
	{"{\"x\":\"\xc3(\"}", WR_ENCODING},
	{"[]", WR_INVALID},
	{"\"text\"", WR_INVALID},
	{"null", WR_INVALID},
	{"7", WR_INVALID},
	{"{\"choices\":{}}", WR_INVALID},
	{"{\"choices\":\"a\"}", WR_INVALID},
	{"{\"choices\":[7]}", WR_INVALID},
	{"{\"choices\":[null]}", WR_INVALID},
	{"{\"choices\":[[]]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":[]}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":\"a\"}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"content\":7}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"content\":{}}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"reasoning\":{}}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{},\"finish_reason\":1}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":{}}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[7]}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":7}]}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":\"f\"}]}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":1}}]}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"tool_calls\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}}]}", WR_INVALID},
	{"{\"choices\":[],\"choices\":[]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"content\":\"a\",\"content\":\"b\"}}]}", WR_INVALID},
	{"{\"choices\":[{\"delta\":{\"content\":\"a\"},\"delta\":{}}]}", WR_INVALID},
	{"{\"usage\":7}", WR_INVALID},
	{"{\"usage\":{\"prompt_tokens\":1,\"prompt_tokens\":2}}", WR_INVALID},
	{"{\"error\":{\"message\":\"a\",\"message\":\"b\"}}", WR_INVALID},
};

static const struct chunk_case answers[] = {
	{"{\"id\":\"1\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}", " choice= text=Hello finish=stop in=1 out=2"},
	{"{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}", " choice= call= id=c name=f args={} finish=tool_calls"},
	{"{\"choices\":[{\"message\":{\"reasoning_content\":\"t\",\"content\":\"c\"}}]}", " choice= thought=t text=c"},
	{"{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", " choice="},
	{"{\"choices\":[]}", ""},
	{"{\"error\":{\"message\":\"The model `x` does not exist\",\"code\":\"model_not_found\"}}", " error=The model `x` does not exist"},
};
/* clang-format on */

static void test_pieces_mean_this(void)
{
	char story[ROOM];

	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		wr_test_case(pieces[i].json);
		CHECK_STATUS(read_text(story, pieces[i].json, WR_CHAT_PIECE), WR_OK);
		CHECK_STRING(wr_view_of_string(story), pieces[i].story);
	}
}

static void test_whole_answers_mean_this(void)
{
	char story[ROOM];

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		wr_test_case(answers[i].json);
		CHECK_STATUS(read_text(story, answers[i].json, WR_CHAT_WHOLE), WR_OK);
		CHECK_STRING(wr_view_of_string(story), answers[i].story);
	}
}

static void test_what_is_no_piece_is_refused(void)
{
	char story[ROOM];

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		wr_test_case(refused[i].json);
		CHECK_STATUS(read_text(story, refused[i].json, WR_CHAT_PIECE), refused[i].status);
	}
}

static void test_every_piece_cut_short_is_refused(void)
{
	char story[ROOM], cut[ROOM];

	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		size_t bytes = strlen(pieces[i].json);

		wr_test_case(pieces[i].json);
		CHECK(bytes < sizeof cut);
		while (bytes > 0 && pieces[i].json[bytes - 1] != '}')
			bytes--;
		for (size_t at = 0; at < bytes; at++) {
			memcpy(cut, pieces[i].json, at);
			cut[at] = '\0';
			CHECK(read_text(story, cut, WR_CHAT_PIECE) != WR_OK);
		}
	}
}

static void test_without_memory_a_piece_is_not_there(void)
{
	struct wr_chat_chunk chunk;
	struct wr_error error;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), ROOM);
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_chat_read(&chunk, &texts,
				  WR_VIEW("{\"choices\":[{\"delta\":{\"content\":\"a\\nb\"}}]}"),
				  WR_CHAT_PIECE, &error),
		     WR_NO_MEMORY);
	CHECK(wr_test_allocation_failed());
	wr_buf_deinit(&texts);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_request_is_this),
	WR_TEST(test_a_request_without_messages_is_whole),
	WR_TEST(test_a_request_that_does_not_fit_says_so),
	WR_TEST(test_only_a_json_number_is_a_number),
	WR_TEST(test_pieces_mean_this),
	WR_TEST(test_whole_answers_mean_this),
	WR_TEST(test_what_is_no_piece_is_refused),
	WR_TEST(test_every_piece_cut_short_is_refused),
	WR_TEST(test_without_memory_a_piece_is_not_there),
	WR_TEST_END,
};
