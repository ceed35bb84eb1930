/* Goal: every message of the README means what it says there, and nothing else is taken for one.
 * Method: a table of lines with what they become, written as one text; each refused line whole and
 * cut at every position; random damage; what we write, letter by letter. */
#include "execution/jsonl.h"
#include "bytes/utf8.h"
#include "check.h"
#include "harness/harness.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
	[WR_OUTPUT_TEXT_DELTA] = "text_delta",
	[WR_OUTPUT_TEXT_DONE] = "text_done",
	[WR_OUTPUT_THINKING_START] = "thinking_start",
	[WR_OUTPUT_THINKING_DELTA] = "thinking_delta",
	[WR_OUTPUT_THINKING_DONE] = "thinking_done",
	[WR_OUTPUT_TOOL_CALL_START] = "tool_call_start",
	[WR_OUTPUT_TOOL_CALL_ARGS_DELTA] = "tool_call_args_delta",
	[WR_OUTPUT_TOOL_CALL_DONE] = "tool_call_done",
	[WR_OUTPUT_TOOL_RESULT] = "tool_result",
	[WR_OUTPUT_USAGE] = "usage",
	[WR_OUTPUT_RUN_END] = "run_end",
	[WR_OUTPUT_ERROR] = "error",
	[WR_OUTPUT_TURN_START] = "turn_start",
	[WR_OUTPUT_TURN_END] = "turn_end",
	[WR_OUTPUT_OPAQUE] = "opaque",
};

static void append_member(struct wr_buf *out, const char *name, struct wr_view value)
{
	if (value.data == NULL)
		return;
	wr_buf_append_byte(out, ' ');
	wr_buf_append_view(out, wr_view_of_string(name));
	wr_buf_append_byte(out, '=');
	wr_buf_append_view(out, value);
}

/* A message as one text: kind and what it carries. */
static void describe(struct wr_buf *out, const struct wr_jsonl_message *message)
{
	const struct wr_output *output = &message->output;

	if (message->kind == WR_JSONL_READY) {
		wr_buf_append_view(out, WR_VIEW("ready"));
		return;
	}
	if (message->kind == WR_JSONL_DONE) {
		wr_buf_append_view(out, WR_VIEW("done "));
		wr_buf_append_u64(out, (uint64_t)message->result);
		return;
	}
	wr_buf_append_view(out, wr_view_of_string(kind_names[output->kind]));
	append_member(out, "id", output->id);
	append_member(out, "name", output->name);
	append_member(out, "text", output->text);
	for (unsigned i = 0; i < 3 && output->kind == WR_OUTPUT_USAGE; i++) {
		wr_buf_append_byte(out, ' ');
		if (output->has_number[i])
			wr_buf_append_u64(out, output->numbers[i]);
		else
			wr_buf_append_byte(out, '-');
	}
	if (output->flag)
		wr_buf_append_view(out, WR_VIEW(" flag"));
}

static const struct {
	const char *line, *meaning;
} good[] = {
	{"{\"type\":\"ready\"}", "ready"},
	{" { \"type\" : \"ready\" } ", "ready"},
	{"{\"version\":2,\"type\":\"ready\",\"x\":[{}]}", "ready"},
	{"{\"type\":\"delta\",\"text\":\"hello \"}", "text_delta text=hello "},
	{"{\"text\":\"late\",\"type\":\"delta\"}", "text_delta text=late"},
	{"{\"type\":\"delta\",\"text\":\"\"}", "text_delta text="},
	{"{\"type\":\"message\",\"text\":\"a\\n\\u00e9\\\"\"}", "text_done text=a\n\xc3\xa9\""},
	{"{\"t\\u0079pe\":\"m\\u0065ssage\",\"text\":\"x\"}", "text_done text=x"},
	{"{\"type\":\"thinking\",\"text\":\"hm\"}", "thinking_delta text=hm"},
	{"{\"type\":\"thinking\",\"text\":\"hm\",\"done\":false}", "thinking_delta text=hm"},
	{"{\"type\":\"thinking\",\"text\":\"hm\",\"done\":null}", "thinking_delta text=hm"},
	{"{\"type\":\"thinking\",\"text\":\"hm\",\"done\":true}", "thinking_done text=hm"},
	{"{\"type\":\"tool\",\"id\":\"c1\",\"name\":\"Read\"}", "tool_call_start id=c1 name=Read"},
	{"{\"type\":\"tool\",\"id\":\"c1\",\"name\":\"Read\",\"arguments\":{\"a\":[1, 2]}}",
	 "tool_call_done id=c1 name=Read text={\"a\":[1, 2]}"},
	{"{\"type\":\"tool\",\"id\":\"c1\",\"name\":\"Read\",\"arguments\":\"{\\\"a\\\":1}\"}",
	 "tool_call_done id=c1 name=Read text={\"a\":1}"},
	{"{\"type\":\"tool\",\"id\":\"\\u0063\",\"name\":\"\\u0052\",\"arguments\":\"\\u007b\"}",
	 "tool_call_done id=c name=R text={"},
	{"{\"type\":\"tool\",\"id\":\"c1\",\"summary\":\"ok\"}", "tool_result id=c1 name=ok"},
	{"{\"type\":\"tool\",\"id\":\"c1\",\"name\":\"Read\",\"summary\":\"ok\",\"output\":\"o\"}",
	 "tool_result id=c1 name=ok text=o"},
	{"{\"type\":\"tool\",\"id\":\"c1\",\"summary\":\"no\",\"output\":null,\"is_error\":true}",
	 "tool_result id=c1 name=no flag"},
	{"{\"type\":\"usage\"}", "usage - - -"},
	{"{\"type\":\"usage\",\"input_tokens\":1200,\"output_tokens\":80}", "usage 1200 80 -"},
	{"{\"type\":\"usage\",\"input_tokens\":null,\"cache_read_input_tokens\":7}", "usage - - 7"},
	{"{\"type\":\"usage\",\"output_tokens\":18446744073709551615}",
	 "usage - 18446744073709551615 -"},
	{"{\"type\":\"error\",\"message\":\"no model\"}", "error text=no model"},
	{"{\"type\":\"done\"}", "done 0"},
	{"{\"type\":\"done\",\"result\":null}", "done 0"},
	{"{\"type\":\"done\",\"result\":\"finished\"}", "done 0"},
	{"{\"type\":\"done\",\"result\":\"paused\"}", "done 1"},
	{"{\"type\":\"done\",\"result\":\"limit_reached\"}", "done 2"},
	{"{\"type\":\"done\",\"result\":\"rolled_back\"}", "done 3"},
	{"{\"type\":\"event\",\"event\":{\"event\":\"compact_start\"}}",
	 "opaque name=compact_start"},
	{"{\"event\":{\"event\":\"text_delta\",\"data\":{\"text\":\"\\u0061\"}},\"type\":"
	 "\"event\"}",
	 "text_delta text=a"},
	{"{\"type\":\"event\",\"event\":{\"event\":\"tool_call_args_delta\",\"data\":{\"id\":\"c\","
	 "\"json\":\"{\"}}}",
	 "tool_call_args_delta id=c text={"},
};

static void test_every_message_means_what_the_readme_says(void)
{
	struct wr_buf texts, meaning;

	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	wr_buf_init(&meaning, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct wr_jsonl_message message;
		struct wr_error error;

		wr_test_case(good[i].line);
		CHECK_STATUS(wr_jsonl_read(&message, &texts,
					   wr_test_guarded(0, wr_view_of_string(good[i].line)),
					   &error),
			     WR_OK);
		wr_buf_reset(&meaning);
		describe(&meaning, &message);
		CHECK_VIEW(wr_buf_view(&meaning), wr_view_of_string(good[i].meaning));
	}
	wr_buf_deinit(&texts);
	wr_buf_deinit(&meaning);
}

static void check_refused(struct wr_buf *texts, struct wr_view line, enum wr_status expected)
{
	struct wr_jsonl_message message;
	struct wr_error error;

	CHECK_STATUS(wr_jsonl_read(&message, texts, wr_test_guarded(0, line), &error), expected);
	CHECK_STATUS(error.status, expected);
}

static void test_what_is_no_message_is_refused(void)
{
	static const struct {
		const char *line;
		enum wr_status status;
	} cases[] = {
		{"x", WR_SYNTAX},
		{"{\"type\":\"ready\"", WR_SYNTAX},
		{"{\"type\":\"ready\"}}", WR_SYNTAX},
		{"{\"type\":\"ready\"} {}", WR_SYNTAX},
		{"{\"type\":\"ready\",}", WR_SYNTAX},
		{"{type:\"ready\"}", WR_SYNTAX},
		{"{\"type\":\"delta\",\"text\":\"\x01\"}", WR_SYNTAX},
		{"{\"type\":\"delta\",\"text\":\"\xff\"}", WR_ENCODING},
		{"{\"type\":\"delta\",\"text\":\"\\ud800\"}", WR_ENCODING},
		{"{\"x\":\"\xc0\xaf\",\"type\":\"ready\"}", WR_ENCODING},
		{"[]", WR_INVALID},
		{"\"ready\"", WR_INVALID},
		{"null", WR_INVALID},
		{"1", WR_INVALID},
		{"{}", WR_INVALID},
		{"{\"type\":null}", WR_INVALID},
		{"{\"type\":1}", WR_INVALID},
		{"{\"type\":[\"ready\"]}", WR_INVALID},
		{"{\"type\":\"\"}", WR_INVALID},
		{"{\"type\":\"Ready\"}", WR_INVALID},
		{"{\"type\":\"ready \"}", WR_INVALID},
		{"{\"type\":\"input\",\"content\":\"x\"}", WR_INVALID},
		{"{\"type\":\"init\"}", WR_INVALID},
		{"{\"Type\":\"ready\"}", WR_INVALID},
		{"{\"type\":\"ready\",\"type\":\"ready\"}", WR_INVALID},
		{"{\"type\":\"ready\",\"text\":1,\"text\":2}", WR_INVALID},
		{"{\"type\":\"ready\",\"t\\u0065xt\":1,\"text\":2}", WR_INVALID},
		{"{\"type\":\"delta\"}", WR_INVALID},
		{"{\"type\":\"delta\",\"text\":null}", WR_INVALID},
		{"{\"type\":\"delta\",\"text\":1}", WR_INVALID},
		{"{\"type\":\"delta\",\"text\":{\"text\":\"x\"}}", WR_INVALID},
		{"{\"type\":\"message\",\"text\":true}", WR_INVALID},
		{"{\"type\":\"thinking\"}", WR_INVALID},
		{"{\"type\":\"thinking\",\"text\":\"x\",\"done\":\"true\"}", WR_INVALID},
		{"{\"type\":\"thinking\",\"text\":\"x\",\"done\":1}", WR_INVALID},
		{"{\"type\":\"tool\"}", WR_INVALID},
		{"{\"type\":\"tool\",\"id\":\"c\"}", WR_INVALID},
		{"{\"type\":\"tool\",\"name\":\"n\"}", WR_INVALID},
		{"{\"type\":\"tool\",\"id\":1,\"name\":\"n\"}", WR_INVALID},
		{"{\"type\":\"tool\",\"id\":\"c\",\"summary\":1}", WR_INVALID},
		{"{\"type\":\"tool\",\"id\":\"c\",\"summary\":\"s\",\"output\":1}", WR_INVALID},
		{"{\"type\":\"tool\",\"id\":\"c\",\"summary\":\"s\",\"is_error\":0}", WR_INVALID},
		{"{\"type\":\"usage\",\"input_tokens\":-1}", WR_INVALID},
		{"{\"type\":\"usage\",\"input_tokens\":1.5}", WR_INVALID},
		{"{\"type\":\"usage\",\"input_tokens\":\"1\"}", WR_INVALID},
		{"{\"type\":\"usage\",\"input_tokens\":18446744073709551616}", WR_INVALID},
		{"{\"type\":\"error\"}", WR_INVALID},
		{"{\"type\":\"error\",\"message\":[]}", WR_INVALID},
		{"{\"type\":\"done\",\"result\":\"\"}", WR_INVALID},
		{"{\"type\":\"done\",\"result\":\"failed\"}", WR_INVALID},
		{"{\"type\":\"done\",\"result\":1}", WR_INVALID},
		{"{\"type\":\"event\"}", WR_INVALID},
		{"{\"type\":\"event\",\"event\":null}", WR_INVALID},
		{"{\"type\":\"event\",\"event\":\"shutdown\"}", WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"made_up\"}}", WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"text_delta\"}}", WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"text_delta\",\"data\":{\"text\":1}}}",
		 WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"shutdown\"}}", WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"status\",\"data\":{\"status\":"
		 "\"idle\"}}}",
		 WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"turn_start\",\"data\":{\"turn\":1}}}",
		 WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"turn_end\",\"data\":{\"turn\":1,"
		 "\"result\":\"finished\"}}}",
		 WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"run_end\",\"data\":{\"result\":"
		 "\"finished\"}}}",
		 WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"user_message\",\"data\":{\"segments\":"
		 "[]}}}",
		 WR_INVALID},
		{"{\"type\":\"event\",\"event\":{\"event\":\"snapshot\",\"data\":{\"entries\":[],"
		 "\"greeting\":{\"worker_name\":\"w\",\"cwd\":\"\",\"provider\":\"\",\"model\":"
		 "\"\",\"scope_summary\":\"\",\"tools\":[]}}}}",
		 WR_INVALID},
	};
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		wr_test_case(cases[i].line);
		check_refused(&texts, wr_view_of_string(cases[i].line), cases[i].status);
	}
	wr_test_case(NULL);
	check_refused(&texts, WR_VIEW(""), WR_SYNTAX);
	wr_buf_deinit(&texts);
}

static void test_a_message_that_is_cut_is_no_message(void)
{
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct wr_view line = wr_view_of_string(good[i].line);

		wr_test_case(good[i].line);
		while (line.data[line.bytes - 1] == ' ')
			line.bytes--;
		for (size_t cut = 0; cut < line.bytes; cut++) {
			struct wr_jsonl_message message;
			struct wr_error error;
			CHECK(wr_jsonl_read(&message, &texts,
					    wr_test_guarded(0, wr_view_of(line.data, cut)),
					    &error) != WR_OK);
		}
	}
	wr_buf_deinit(&texts);
}

/* Whatever is done to a message, it is read or refused; what is read is text for a stream. */
static void test_messages_with_wrong_bytes_do_no_harm(void)
{
	uint64_t seed = wr_test_seed();
	struct wr_buf texts;
	unsigned taken = 0;

	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	for (unsigned round = 0; round < 20000; round++) {
		struct wr_view from =
			wr_view_of_string(good[wr_test_random(&seed) % WR_COUNT(good)].line);
		struct wr_jsonl_message message;
		struct wr_error error;
		char line[256];

		memcpy(line, from.data, from.bytes);
		for (unsigned i = 0; i < 2; i++)
			line[wr_test_random(&seed) % from.bytes] =
				"\"\\{}[]:,nul0\xff\xc3\x80"[wr_test_random(&seed) % 15];
		if (wr_jsonl_read(&message, &texts,
				  wr_test_guarded(0, wr_view_of(line, from.bytes)),
				  &error) != WR_OK) {
			CHECK(error.status != WR_OK);
			continue;
		}
		taken++;
		CHECK(wr_utf8_is_valid(message.output.id));
		CHECK(wr_utf8_is_valid(message.output.name));
		CHECK(wr_utf8_is_valid(message.output.text));
	}
	CHECK(taken != 0);
	wr_buf_deinit(&texts);
}

static void test_deep_nesting_is_refused(void)
{
	static char line[4096] = "{\"type\":\"ready\",\"x\":";
	struct wr_buf texts;

	memset(line + strlen(line), '[', 1000);
	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	check_refused(&texts, wr_view_of_string(line), WR_TOO_LARGE);
	wr_buf_deinit(&texts);
}

static void test_without_memory_a_line_is_refused(void)
{
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	wr_test_fail_allocation(1, false);
	check_refused(&texts, WR_VIEW("{\"type\":\"delta\",\"text\":\"\\n\"}"), WR_NO_MEMORY);
	CHECK(wr_test_allocation_failed());
	wr_buf_deinit(&texts);
}

static void test_what_we_write_is_one_line_of_json(void)
{
	struct wr_input user = {WR_INPUT_USER, WR_VIEW("a\n\"\xc3\xa9\x01")};
	struct wr_input system = {WR_INPUT_SYSTEM, WR_VIEW("note")};
	char storage[1024];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_jsonl_write_init(&out, WR_VIEW("worker-00000001"));
	wr_jsonl_write_input(&out, &user, 1);
	wr_jsonl_write_input(&out, &system, 2);
	wr_jsonl_write_cancel(&out);
	wr_jsonl_write_shutdown(&out);
	CHECK_STRING(
		wr_buf_view(&out),
		"{\"type\":\"init\",\"protocol\":1,\"worker_id\":\"worker-00000001\"}\n"
		"{\"type\":\"input\",\"kind\":\"user\",\"content\":\"a\\n\\\"\xc3\xa9\\u0001\","
		"\"turn\":1}\n"
		"{\"type\":\"input\",\"kind\":\"system\",\"content\":\"note\",\"turn\":2}\n"
		"{\"type\":\"cancel\"}\n"
		"{\"type\":\"shutdown\"}\n");
}

/* The two blocks of the README: all that the program may say is understood. */
static void test_the_examples_of_the_readme_are_read(void)
{
	struct wr_view rest = wr_test_read_file("src/execution/README.md");
	const char *block = strstr(rest.data, "```jsonl from\n");
	struct wr_buf texts;
	unsigned count = 0;

	CHECK(block != NULL);
	wr_buf_init(&texts, wr_test_allocator(), WR_EVENT_BYTES_MAX);
	for (const char *line = block + 14, *end; *line == '{'; line = end + 1, count++) {
		struct wr_jsonl_message message;
		struct wr_error error;
		end = strchr(line, '\n');
		CHECK_STATUS(wr_jsonl_read(&message, &texts, wr_view_of(line, (size_t)(end - line)),
					   &error),
			     WR_OK);
	}
	CHECK_U64(count, 11);
	wr_buf_deinit(&texts);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_message_means_what_the_readme_says),
	WR_TEST(test_what_is_no_message_is_refused),
	WR_TEST(test_a_message_that_is_cut_is_no_message),
	WR_TEST(test_messages_with_wrong_bytes_do_no_harm),
	WR_TEST(test_deep_nesting_is_refused),
	WR_TEST(test_without_memory_a_line_is_refused),
	WR_TEST(test_what_we_write_is_one_line_of_json),
	WR_TEST(test_the_examples_of_the_readme_are_read),
	WR_TEST_END,
};
