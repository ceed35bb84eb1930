/* Goal: exactly the protocol events of the contract (4) come in, and what came in goes out again
 * meaning the same. Method: the contract's examples, its defaults and its refusals as tables; read,
 * write, compare by meaning; every document cut at every position and against an unmapped page. */
#include "check.h"
#include "harness/harness.h"
#include "unit/wire/json_equal.h"
#include "bounds.h"
#include "wire/event_json.h"
#include "wire/protocol_json.h"
#include "wire/protocol_table.h"

#include <stdio.h>

enum { TEXTS_BYTES = 8 * 1048576 };

static const char *const examples[] = {
	"{\"event\":\"user_message\",\"data\":{\"segments\":[{\"kind\":\"text\",\"content\":\"look "
	"at "
	"\"},{\"kind\":\"file_ref\",\"path\":\"src/"
	"main.c\"},{\"kind\":\"paste\",\"id\":1,\"chars\":"
	"11,\"lines\":2,\"content\":\"line1\\nline2\"},{\"kind\":\"knowledge_ref\",\"slug\":"
	"\"style\"}"
	",{\"kind\":\"workflow_invoke\",\"slug\":\"review\"},{\"kind\":\"unknown\"}]}}",
	"{\"event\":\"system_item\",\"data\":{\"item\":{\"kind\":\"notification\",\"message\":"
	"\"child "
	"done\",\"body\":\"note\"}}}",
	"{\"event\":\"invoke_start\",\"data\":{\"kind\":\"user_send\"}}",
	"{\"event\":\"turn_start\",\"data\":{\"turn\":3}}",
	"{\"event\":\"turn_end\",\"data\":{\"turn\":3,\"result\":\"finished\"}}",
	"{\"event\":\"turn_end\",\"data\":{\"turn\":18446744073709551615,\"result\":\"paused\"}}",
	"{\"event\":\"llm_call_start\",\"data\":{\"llm_call\":9}}",
	"{\"event\":\"llm_call_end\",\"data\":{\"llm_call\":9}}",
	"{\"event\":\"llm_retry\",\"data\":{\"llm_call\":9,\"failed_attempt\":1,\"max_attempts\":4,"
	"\"wait_ms\":800,\"elapsed_ms\":120,\"status\":504,\"error\":\"gateway timeout\"}}",
	"{\"event\":\"llm_retry\",\"data\":{\"llm_call\":9,\"failed_attempt\":2,\"max_attempts\":4,"
	"\"wait_ms\":1600,\"elapsed_ms\":950,\"error\":\"connection reset\"}}",
	"{\"event\":\"llm_continuation\",\"data\":{\"llm_call\":9,\"attempt\":1,\"max_attempts\":3,"
	"\"reason\":\"stream closed\"}}",
	"{\"event\":\"text_delta\",\"data\":{\"text\":\"Hel\"}}",
	"{\"event\":\"text_done\",\"data\":{\"text\":\"Hello \xe5\xa4\x9c\xe5\xb1\x85\"}}",
	"{\"event\":\"thinking_start\"}",
	"{\"event\":\"thinking_delta\",\"data\":{\"text\":\"hm\"}}",
	"{\"event\":\"thinking_done\",\"data\":{\"text\":\"\"}}",
	"{\"event\":\"tool_call_start\",\"data\":{\"id\":\"call_1\",\"name\":\"Read\"}}",
	"{\"event\":\"tool_call_args_delta\",\"data\":{\"id\":\"call_1\",\"json\":\"{\\\"path\\\":"
	"\"}}",
	"{\"event\":\"tool_call_done\",\"data\":{\"id\":\"call_1\",\"name\":\"Read\",\"arguments\":"
	"\"{\\\"path\\\":\\\"a.c\\\"}\"}}",
	"{\"event\":\"tool_result\",\"data\":{\"id\":\"call_1\",\"summary\":\"read 12 lines\","
	"\"output\":\"int main\",\"is_error\":false}}",
	"{\"event\":\"tool_result\",\"data\":{\"id\":\"call_2\",\"summary\":\"no such file\","
	"\"is_error\":true}}",
	"{\"event\":\"usage\",\"data\":{\"input_tokens\":1200,\"output_tokens\":null}}",
	"{\"event\":\"usage\",\"data\":{\"input_tokens\":1200,\"output_tokens\":80,"
	"\"cache_read_input_tokens\":900}}",
	"{\"event\":\"run_end\",\"data\":{\"result\":\"finished\"}}",
	"{\"event\":\"run_end\",\"data\":{\"result\":\"paused\"}}",
	"{\"event\":\"run_end\",\"data\":{\"result\":\"limit_reached\"}}",
	"{\"event\":\"run_end\",\"data\":{\"result\":\"rolled_back\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"already_running\",\"message\":\"a turn is in "
	"progress\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"not_running\",\"message\":\"\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"not_paused\",\"message\":\"\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"provider_error\",\"message\":\"\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"tool_error\",\"message\":\"\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"invalid_request\",\"message\":\"\"}}",
	"{\"event\":\"error\",\"data\":{\"code\":\"internal\",\"message\":\"\"}}",
	"{\"event\":\"snapshot\",\"data\":{\"entries\":[{\"kind\":\"user_input\",\"ts\":"
	"1782400000000,"
	"\"segments\":[{\"kind\":\"text\",\"content\":\"hi\"}]}],\"greeting\":{\"worker_name\":"
	"\"worker"
	"-00000001\",\"cwd\":\"\",\"provider\":\"p\",\"model\":\"m\",\"scope_summary\":\"s\","
	"\"tools\":"
	"[\"Read\"],\"context_window\":200000,\"context_tokens\":42},\"status\":\"running\","
	"\"in_flight\":{\"blocks\":[{\"kind\":\"text\",\"text\":\"par\"},{\"kind\":\"thinking\","
	"\"text\":\"why\",\"finished\":true},{\"kind\":\"tool_call\",\"id\":\"c\",\"name\":"
	"\"Read\","
	"\"args\":\"{\",\"state\":\"streaming_args\"},{\"kind\":\"tool_call\",\"id\":\"d\","
	"\"name\":"
	"\"Read\",\"args\":\"\"}]}}}",
	"{\"event\":\"segment_rotated\",\"data\":{\"entry\":{\"kind\":\"segment_start\",\"ts\":1,"
	"\"history\":[]}}}",
	"{\"event\":\"status\",\"data\":{\"status\":\"paused\"}}",
	"{\"event\":\"completions\",\"data\":{\"kind\":\"file\",\"entries\":[{\"value\":\"src/\","
	"\"is_dir\":true},{\"value\":\"README\",\"is_dir\":false}]}}",
	"{\"event\":\"rewind_targets\",\"data\":{\"head_entries\":5,\"targets\":[{\"id\":{"
	"\"segment_id\""
	":\"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01\",\"user_input_entry_index\":2},"
	"\"expected_head_entries\":5,\"truncate_entries\":2,\"turn_index\":1,\"timestamp_ms\":null,"
	"\"preview\":\"look at\",\"eligible\":false,\"disabled_reason\":\"compacted\"}]}}",
	"{\"event\":\"rewind_applied\",\"data\":{\"entries\":[],\"input\":[{\"kind\":\"text\","
	"\"content\":\"again\"}],\"summary\":{\"truncated_to_entries\":2,\"discarded_entries\":3,"
	"\"tool_side_effect_warning\":true}}}",
	"{\"event\":\"workers_listed\",\"data\":{\"workers\":[{\"worker_name\":\"child\"}]}}",
	"{\"event\":\"worker_restored\",\"data\":{\"result\":{\"action\":\"already_live\"}}}",
	"{\"event\":\"peer_registered\",\"data\":{\"result\":{\"peer\":\"other\"}}}",
	"{\"event\":\"alert\",\"data\":{\"level\":\"warn\",\"source\":\"agents_md\",\"message\":"
	"\"file "
	"too long\",\"timestamp_ms\":1782400000000}}",
	"{\"event\":\"memory_worker\",\"data\":{\"worker\":\"extract\",\"status\":\"done\",\"run_"
	"id\":"
	"\"r1\",\"trigger\":\"idle\",\"reason\":\"threshold\",\"message\":\"ok\",\"timestamp_ms\":"
	"-1782400000001}}",
	"{\"event\":\"compact_start\"}",
	"{\"event\":\"compact_done\",\"data\":{\"new_segment_id\":\"01978c52-1f3a-7c11-9b2e-"
	"5d0a6c4e8f02\"}}",
	"{\"event\":\"compact_failed\",\"data\":{\"error\":\"provider 429\"}}",
	"{\"event\":\"shutdown\"}",
	/* Everything that needs an escape, through both ways. */
	"{\"event\":\"text_delta\",\"data\":{\"text\":\"\\\"\\\\\\/"
	"\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f"
	"\\u2028\\ud83d\\ude00\"}}",
	"{\"event\":\"tool_result\",\"data\":{\"id\":\"\\n\",\"summary\":\"\\\"\",\"output\":"
	"\"\\u0001"
	"\",\"is_error\":false}}",
	"{\"event\":\"compact_failed\",\"data\":{\"error\":\"\\\"\\\\\\/\\u0000\\ud83d\\ude00\"}}",
};

/* What comes in, and what goes out: defaults, nulls, unknown members, other spellings. */
static const struct {
	const char *in, *out;
} rewritten[] = {
	{" { \"data\" : { \"text\" : \"a\" } , \"event\" : \"text_done\" } ",
	 "{\"event\":\"text_done\",\"data\":{\"text\":\"a\"}}"},
	{"{\"\\u0065vent\":\"text\\u005fdelta\",\"x\":1,\"x\":2,\"data\":{\"y\":[],\"te\\u0078t\":"
	 "\"\\u0061\"}}",
	 "{\"event\":\"text_delta\",\"data\":{\"text\":\"a\"}}"},
	{"{\"event\":\"thinking_start\",\"data\":null}", "{\"event\":\"thinking_start\"}"},
	{"{\"event\":\"shutdown\",\"data\":null}", "{\"event\":\"shutdown\"}"},
	{"{\"event\":\"usage\",\"data\":{}}",
	 "{\"event\":\"usage\",\"data\":{\"input_tokens\":null,\"output_tokens\":null}}"},
	{"{\"event\":\"usage\",\"data\":{\"input_tokens\":0,\"output_tokens\":null,"
	 "\"cache_read_input_tokens\":null}}",
	 "{\"event\":\"usage\",\"data\":{\"input_tokens\":0,\"output_tokens\":null}}"},
	{"{\"event\":\"tool_result\",\"data\":{\"summary\":\"s\",\"output\":null,\"id\":\"i\"}}",
	 "{\"event\":\"tool_result\",\"data\":{\"id\":\"i\",\"summary\":\"s\",\"is_error\":false}"
	 "}"},
	{"{\"event\":\"llm_retry\",\"data\":{\"llm_call\":9,\"failed_attempt\":4294967295,"
	 "\"max_attempts\":4,\"wait_ms\":0,\"elapsed_ms\":0,\"status\":null,\"error\":\"e\"}}",
	 "{\"event\":\"llm_retry\",\"data\":{\"llm_call\":9,\"failed_attempt\":4294967295,"
	 "\"max_attempts\":4,\"wait_ms\":0,\"elapsed_ms\":0,\"error\":\"e\"}}"},
	{"{\"event\":\"user_message\",\"data\":{\"segments\":[{\"kind\":\"image\",\"url\":\"x\"},"
	 "{\"content\":\"c\",\"more\":{},\"kind\":\"text\"}]}}",
	 "{\"event\":\"user_message\",\"data\":{\"segments\":[{\"kind\":\"unknown\"},{\"kind\":"
	 "\"text\",\"content\":\"c\"}]}}"},
	{"{\"event\":\"snapshot\",\"data\":{\"entries\":[],\"greeting\":{\"worker_name\":\"w\","
	 "\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[]},"
	 "\"in_flight\":{\"blocks\":[]}}}",
	 "{\"event\":\"snapshot\",\"data\":{\"entries\":[],\"greeting\":{\"worker_name\":\"w\","
	 "\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[],"
	 "\"context_window\":0,\"context_tokens\":0},\"status\":\"idle\"}}"},
	{"{\"event\":\"snapshot\",\"data\":{\"in_flight\":{\"blocks\":[{\"kind\":\"text\",\"text\":"
	 "\"\",\"finished\":false},{\"kind\":\"tool_call\",\"id\":\"\",\"name\":\"\",\"args\":\"\","
	 "\"state\":\"pending\"}]},\"entries\":[1,null],\"greeting\":{\"worker_name\":\"w\","
	 "\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[],"
	 "\"context_tokens\":1},\"status\":\"paused\"}}",
	 "{\"event\":\"snapshot\",\"data\":{\"entries\":[1,null],\"greeting\":{\"worker_name\":"
	 "\"w\","
	 "\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[],"
	 "\"context_window\":0,\"context_tokens\":1},\"status\":\"paused\",\"in_flight\":{"
	 "\"blocks\":"
	 "[{\"kind\":\"text\",\"text\":\"\"},{\"kind\":\"tool_call\",\"id\":\"\",\"name\":\"\","
	 "\"args\":\"\"}]}}}"},
	{"{\"event\":\"completions\",\"data\":{\"entries\":[{\"value\":\"a\"},{\"value\":\"b\","
	 "\"is_dir\":true}],\"kind\":\"workflow\"}}",
	 "{\"event\":\"completions\",\"data\":{\"kind\":\"workflow\",\"entries\":[{\"value\":\"a\","
	 "\"is_dir\":false},{\"value\":\"b\",\"is_dir\":true}]}}"},
	{"{\"event\":\"compact_done\",\"data\":{\"new_segment_id\":\"01978C52-1F3A-7C11-9B2E-"
	 "5D0A6C4E8F02\"}}",
	 "{\"event\":\"compact_done\",\"data\":{\"new_segment_id\":\"01978c52-1f3a-7c11-9b2e-"
	 "5d0a6c4e8f02\"}}"},
	{"{\"event\":\"system_item\",\"data\":{\"item\":null}}",
	 "{\"event\":\"system_item\",\"data\":{\"item\":null}}"},
	{"{\"event\":\"system_item\",\"data\":{\"item\": [ 1.50 , {\"a\":\"\\u0041\"} ] }}",
	 "{\"event\":\"system_item\",\"data\":{\"item\":[1.50,{\"a\":\"A\"}]}}"},
};

#define EVENT(name, data) "{\"event\":\"" name "\",\"data\":" data "}"
#define GREETING                                                                             \
	"\"greeting\":{\"worker_name\":\"w\",\"cwd\":\"\",\"provider\":\"\",\"model\":\"\"," \
	"\"scope_summary\":\"\",\"tools\":[]}"
#define SNAPSHOT(more) EVENT("snapshot", "{\"entries\":[]," GREETING "," more "}")
#define BLOCKS(blocks) SNAPSHOT("\"in_flight\":{\"blocks\":" blocks "}")

static const struct {
	const char *in;
	enum wr_status status;
	const char *detail; /* NULL: any */
} refused[] = {
	{"", WR_SYNTAX, NULL},
	{"null", WR_INVALID, "an event must be a JSON object"},
	{"[]", WR_INVALID, NULL},
	{"\"shutdown\"", WR_INVALID, NULL},
	{"{}", WR_INVALID, "missing member `event`"},
	{"{\"data\":{}}", WR_INVALID, "missing member `event`"},
	{"{\"event\":null}", WR_INVALID, "`event` must be a string"},
	{"{\"event\":7}", WR_INVALID, NULL},
	{"{\"event\":\"\"}", WR_INVALID, "no protocol event has this name"},
	{"{\"event\":\"Shutdown\"}", WR_INVALID, NULL},
	{"{\"event\":\"text_delta2\",\"data\":{\"text\":\"\"}}", WR_INVALID, NULL},
	{"{\"event\":\"shutdown\",\"event\":\"shutdown\"}", WR_INVALID,
	 "member `event` appears twice"},
	{"{\"event\":\"shutdown\",\"data\":null,\"data\":null}", WR_INVALID, NULL},
	{"{\"event\":\"shutdown\",\"data\":{}}", WR_INVALID, "this event has no `data`"},
	{"{\"event\":\"thinking_start\",\"data\":{}}", WR_INVALID, NULL},
	{"{\"event\":\"compact_start\",\"data\":[]}", WR_INVALID, NULL},
	{"{\"event\":\"shutdown\"} x", WR_SYNTAX, NULL},
	{"{\"event\":\"shutdown\"", WR_SYNTAX, NULL},
	{"{\"event\":\"text_delta\"}", WR_INVALID, "missing member `data`"},
	{"{\"event\":\"text_delta\",\"data\":null}", WR_INVALID, "missing member `data`"},
	{EVENT("text_delta", "[]"), WR_INVALID, "`data` must be an object"},
	{EVENT("text_delta", "\"x\""), WR_INVALID, NULL},
	{EVENT("text_delta", "{}"), WR_INVALID, "missing member `text`"},
	{EVENT("text_delta", "{\"text\":null}"), WR_INVALID, "`text` must be a string"},
	{EVENT("text_delta", "{\"text\":1}"), WR_INVALID, NULL},
	{EVENT("text_delta", "{\"text\":\"a\",\"text\":\"a\"}"), WR_INVALID, NULL},
	{EVENT("text_delta", "{\"text\":\"\\ud800\"}"), WR_ENCODING, NULL},
	{EVENT("text_delta", "{\"text\":\"\xc0\x80\"}"), WR_ENCODING, NULL},
	{EVENT("tool_call_start", "{\"id\":\"x\"}"), WR_INVALID, "missing member `name`"},
	{EVENT("tool_result", "{\"id\":\"x\",\"summary\":\"\",\"is_error\":null}"), WR_INVALID,
	 "`is_error` must be true or false"},
	{EVENT("tool_result", "{\"id\":\"x\",\"summary\":\"\",\"is_error\":0}"), WR_INVALID, NULL},
	{EVENT("tool_result", "{\"id\":\"x\",\"summary\":\"\",\"output\":{}}"), WR_INVALID, NULL},
	{EVENT("usage", "{\"input_tokens\":-1}"), WR_INVALID, NULL},
	{EVENT("usage", "{\"input_tokens\":1.0}"), WR_INVALID, NULL},
	{EVENT("usage", "{\"input_tokens\":1e2}"), WR_INVALID, NULL},
	{EVENT("usage", "{\"input_tokens\":18446744073709551616}"), WR_INVALID, NULL},
	{EVENT("usage", "{\"output_tokens\":\"1\"}"), WR_INVALID, NULL},
	{EVENT("run_end", "{\"result\":\"Finished\"}"), WR_INVALID, NULL},
	{EVENT("run_end", "{\"result\":null}"), WR_INVALID, NULL},
	{EVENT("turn_end", "{\"turn\":1,\"result\":\"limit_reached\"}"), WR_INVALID,
	 "`result` must be \"finished\" or \"paused\""},
	{EVENT("turn_end", "{\"result\":\"paused\"}"), WR_INVALID, "missing member `turn`"},
	{EVENT("error", "{\"code\":\"other\",\"message\":\"\"}"), WR_INVALID, NULL},
	{EVENT("error", "{\"code\":\"internal\"}"), WR_INVALID, NULL},
	{EVENT("invoke_start", "{\"kind\":\"user\"}"), WR_INVALID, NULL},
	{EVENT("llm_retry", "{\"llm_call\":9,\"failed_attempt\":4294967296,\"max_attempts\":4,"
			    "\"wait_ms\":0,\"elapsed_ms\":0,\"error\":\"\"}"),
	 WR_INVALID, "`failed_attempt` must be a whole number below 2^32"},
	{EVENT("llm_retry", "{\"llm_call\":9,\"failed_attempt\":1,\"max_attempts\":4,\"wait_ms\":0,"
			    "\"elapsed_ms\":0,\"status\":65536,\"error\":\"\"}"),
	 WR_INVALID, NULL},
	{EVENT("alert", "{\"level\":\"warn\",\"source\":\"worker\",\"message\":\"\","
			"\"timestamp_ms\":9223372036854775808}"),
	 WR_INVALID, NULL},
	{EVENT("alert", "{\"level\":\"info\",\"source\":\"worker\",\"message\":\"\","
			"\"timestamp_ms\":1}"),
	 WR_INVALID, "`level` must be \"warn\" or \"error\""},
	{EVENT("alert", "{\"level\":\"warn\",\"source\":\"worker\",\"message\":\"\","
			"\"timestamp_ms\":1.5}"),
	 WR_INVALID, NULL},
	{EVENT("status", "{\"status\":\"stopped\"}"), WR_INVALID,
	 "`status` must be \"idle\", \"running\" or \"paused\""},
	{EVENT("system_item", "{}"), WR_INVALID, "missing member `item`"},
	{EVENT("user_message", "{\"segments\":{}}"), WR_INVALID,
	 "`segments` must be a list of objects"},
	{EVENT("user_message", "{\"segments\":[\"text\"]}"), WR_INVALID, NULL},
	{EVENT("user_message", "{\"segments\":[{}]}"), WR_INVALID, "missing member `kind`"},
	{EVENT("user_message", "{\"segments\":[{\"kind\":1}]}"), WR_INVALID, NULL},
	{EVENT("user_message", "{\"segments\":[{\"kind\":\"text\"}]}"), WR_INVALID,
	 "missing member `content`"},
	{EVENT("user_message", "{\"segments\":[{\"kind\":\"x\",\"kind\":\"x\"}]}"), WR_INVALID,
	 NULL},
	{EVENT("user_message",
	       "{\"segments\":[{\"kind\":\"paste\",\"id\":-1,\"chars\":1,\"lines\":1,"
	       "\"content\":\"\"}]}"),
	 WR_INVALID, NULL},
	{EVENT("completions", "{\"kind\":\"dir\",\"entries\":[]}"), WR_INVALID, NULL},
	{EVENT("completions", "{\"kind\":\"file\",\"entries\":[{\"value\":\"\",\"is_dir\":null}]}"),
	 WR_INVALID, NULL},
	{EVENT("completions", "{\"kind\":\"file\",\"entries\":[7]}"), WR_INVALID, NULL},
	{EVENT("compact_done", "{\"new_segment_id\":\"x\"}"), WR_INVALID,
	 "`new_segment_id` must be a UUID with hyphens"},
	{EVENT("compact_done", "{\"new_segment_id\":\"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f0g\"}"),
	 WR_INVALID, NULL},
	{EVENT("compact_done", "{\"new_segment_id\":\"01978c521-f3a-7c11-9b2e-5d0a6c4e8f02\"}"),
	 WR_INVALID, NULL},
	{EVENT("compact_done", "{\"new_segment_id\":1}"), WR_INVALID, NULL},
	{EVENT("snapshot", "{\"entries\":[]}"), WR_INVALID, "missing member `greeting`"},
	{EVENT("snapshot", "{" GREETING "}"), WR_INVALID, "missing member `entries`"},
	{EVENT("snapshot", "{\"entries\":{}," GREETING "}"), WR_INVALID, NULL},
	{EVENT("snapshot", "{\"entries\":[],\"greeting\":{}}"), WR_INVALID, NULL},
	{EVENT("snapshot",
	       "{\"entries\":[],\"greeting\":{\"worker_name\":\"w\",\"cwd\":\"\",\"provider\":\"\","
	       "\"model\":\"\",\"scope_summary\":\"\",\"tools\":[1]}}"),
	 WR_INVALID, "`tools` must be a list of strings"},
	{SNAPSHOT("\"status\":null"), WR_INVALID, NULL},
	{SNAPSHOT("\"status\":\"busy\""), WR_INVALID, NULL},
	{BLOCKS("{}"), WR_INVALID, NULL},
	{BLOCKS("[{\"kind\":\"image\"}]"), WR_INVALID,
	 "`kind` of a block must be \"text\", \"thinking\" or \"tool_call\""},
	{BLOCKS("[{\"kind\":\"text\"}]"), WR_INVALID, NULL},
	{BLOCKS("[{\"kind\":\"text\",\"text\":\"\",\"finished\":1}]"), WR_INVALID, NULL},
	{BLOCKS("[{\"kind\":\"tool_call\",\"id\":\"\",\"name\":\"\",\"args\":\"\",\"state\":\"x\"}"
		"]"),
	 WR_INVALID, NULL},
	{EVENT("rewind_targets", "{\"head_entries\":5,\"targets\":[{\"id\":7}]}"), WR_INVALID,
	 "`id` must be an object"},
};

/* Reads an event and writes it again. */
static enum wr_status rewrite(struct wr_buf *out, struct wr_buf *texts, struct wr_view json,
			      struct wr_error *error)
{
	struct wr_event event = {.kind = WR_EVENT_OUTPUT};
	struct wr_json_writer writer;
	enum wr_status status = wr_protocol_event_read(&event.as.output, texts, json, error);

	if (status != WR_OK)
		return status;
	wr_buf_reset(out);
	wr_json_writer_init(&writer, out);
	CHECK(wr_protocol_event_json(&writer, &event));
	CHECK_STATUS(wr_buf_status(out), WR_OK);
	return WR_OK;
}

static struct wr_buf out, texts;

static void begin(void)
{
	wr_buf_init(&out, wr_test_allocator(), TEXTS_BYTES);
	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
}

static void end(void)
{
	wr_buf_deinit(&out);
	wr_buf_deinit(&texts);
}

static void check_rewrite(struct wr_view in, struct wr_view expected)
{
	struct wr_error error;

	CHECK_STATUS(rewrite(&out, &texts, wr_test_guarded(0, in), &error), WR_OK);
	if (!json_equal(expected, wr_buf_view(&out)))
		CHECK_VIEW(wr_buf_view(&out), expected);
}

static void test_the_examples_come_out_as_they_went_in(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(examples); i++) {
		wr_test_case(examples[i]);
		check_rewrite(wr_view_of_string(examples[i]), wr_view_of_string(examples[i]));
	}
	end();
}

static void test_an_event_cut_anywhere_is_refused(void)
{
	struct wr_error error;

	begin();
	for (size_t i = 0; i < WR_COUNT(examples); i++) {
		wr_test_case(examples[i]);
		for (size_t bytes = strlen(examples[i]); bytes-- > 0;)
			CHECK_STATUS(rewrite(&out, &texts,
					     wr_test_guarded(0, wr_view_of(examples[i], bytes)),
					     &error),
				     WR_SYNTAX);
	}
	end();
}

static void test_events_are_written_in_the_form_of_the_contract(void)
{
	begin();
	for (size_t i = 0; i < WR_COUNT(rewritten); i++) {
		wr_test_case(rewritten[i].in);
		check_rewrite(wr_view_of_string(rewritten[i].in),
			      wr_view_of_string(rewritten[i].out));
		/* And what was written is a fixed point. */
		check_rewrite(wr_view_of_string(rewritten[i].out),
			      wr_view_of_string(rewritten[i].out));
	}
	end();
}

static void test_anything_else_is_refused_with_a_reason(void)
{
	struct wr_error error;

	begin();
	for (size_t i = 0; i < WR_COUNT(refused); i++) {
		struct wr_view in = wr_view_of_string(refused[i].in);

		wr_test_case(refused[i].in);
		CHECK_STATUS(rewrite(&out, &texts, wr_test_guarded(0, in), &error),
			     refused[i].status);
		CHECK_STATUS(error.status, refused[i].status);
		CHECK(error.detail != NULL && error.offset <= in.bytes);
		if (refused[i].detail != NULL)
			CHECK_STRING(wr_view_of_string(error.detail), refused[i].detail);
	}
	end();
}

static void test_typed_events_fill_the_output(void)
{
	struct wr_output output;
	struct wr_error error;

	begin();
	CHECK_STATUS(wr_protocol_event_read(
			     &output, &texts,
			     WR_VIEW("{\"event\":\"tool_result\",\"data\":{\"id\":\"\\n\","
				     "\"summary\":\"s\",\"output\":\"\",\"is_error\":true}}"),
			     &error),
		     WR_OK);
	CHECK(output.kind == WR_OUTPUT_TOOL_RESULT && output.flag);
	CHECK_STRING(output.id, "\n");
	CHECK_STRING(output.name, "s");
	CHECK(output.text.data != NULL && output.text.bytes == 0);
	CHECK_STATUS(wr_protocol_event_read(&output, &texts,
					    WR_VIEW("{\"event\":\"usage\",\"data\":{"
						    "\"input_tokens\":7,"
						    "\"cache_read_input_tokens\":9}}"),
					    &error),
		     WR_OK);
	CHECK(output.has_number[0] && !output.has_number[1] && output.has_number[2]);
	CHECK_U64(output.numbers[0], 7);
	CHECK_U64(output.numbers[2], 9);
	CHECK_STATUS(wr_protocol_event_read(&output, &texts,
					    WR_VIEW("{\"event\":\"status\",\"data\":{\"status\":"
						    "\"idle\",\"x\":1}}"),
					    &error),
		     WR_OK);
	CHECK(output.kind == WR_OUTPUT_OPAQUE);
	CHECK_STRING(output.name, "status");
	CHECK_STRING(output.text, "{\"status\":\"idle\"}");
	CHECK_STATUS(wr_protocol_event_read(&output, &texts, WR_VIEW("{\"event\":\"shutdown\"}"),
					    &error),
		     WR_OK);
	CHECK(output.kind == WR_OUTPUT_OPAQUE && output.text.data == NULL);
	end();
}

/* What a frame puts around a free member must not push it over the limit of a decoder. */
static void test_free_json_leaves_room_for_what_will_be_around_it(void)
{
	struct wr_error error;
	struct wr_buf in;

	begin();
	wr_buf_init(&in, wr_test_allocator(), 4096);
	for (unsigned depth = 1; depth < WR_JSON_DEPTH_MAX + 4; depth++) {
		wr_buf_reset(&in);
		wr_buf_append_view(&in, WR_VIEW("{\"event\":\"system_item\",\"data\":{\"item\":"));
		for (unsigned i = 0; i < depth; i++)
			wr_buf_append_byte(&in, '[');
		for (unsigned i = 0; i < depth; i++)
			wr_buf_append_byte(&in, ']');
		wr_buf_append_view(&in, WR_VIEW("}}"));
		CHECK_STATUS(rewrite(&out, &texts, wr_buf_view(&in), &error),
			     depth <= WR_JSON_DEPTH_MAX - 16 ? WR_OK : WR_TOO_LARGE);
	}
	wr_buf_deinit(&in);
	end();
}

static void test_lack_of_memory_is_told(void)
{
	struct wr_error error;

	for (size_t i = 0; i < WR_COUNT(examples); i++) {
		struct wr_view in = wr_view_of_string(examples[i]);
		struct wr_output output;

		wr_test_case(examples[i]);
		for (uint64_t n = 1;; n++) {
			enum wr_status status;

			wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
			wr_test_fail_allocation(n, false);
			status = wr_protocol_event_read(&output, &texts, in, &error);
			wr_buf_deinit(&texts);
			if (!wr_test_allocation_failed()) {
				CHECK_STATUS(status, WR_OK);
				break;
			}
			CHECK_STATUS(status, WR_NO_MEMORY);
			CHECK_STATUS(error.status, WR_NO_MEMORY);
		}
		wr_test_fail_allocation(0, false);
	}
}

/* The contract's own list of events, when it is at hand. */
static void test_the_events_of_the_contract_round_trip(void)
{
	const char *folder = wr_test_shared();
	char path[512], line[4096];
	struct wr_view text;
	const char *at, *block_end;
	unsigned count = 0;

	if (folder == NULL)
		wr_test_skip("no folder of shared reference data");
	snprintf(path, sizeof path, "%s/contract.md", folder);
	if (!wr_test_find_file(path))
		wr_test_skip("contract.md is not there");
	text = wr_test_read_file(path);
	at = strstr(text.data, "```jsonl event\n");
	CHECK(at != NULL);
	at = strchr(at, '\n') + 1;
	block_end = strstr(at, "\n```");
	CHECK(block_end != NULL);
	begin();
	for (; at < block_end; count++) {
		size_t bytes = strcspn(at, "\n");

		CHECK(bytes < sizeof line);
		memcpy(line, at, bytes);
		line[bytes] = '\0';
		wr_test_case(line);
		check_rewrite(wr_view_of(line, bytes), wr_view_of(line, bytes));
		at += bytes + 1;
	}
	CHECK(count > 30);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_examples_come_out_as_they_went_in),
	WR_TEST(test_an_event_cut_anywhere_is_refused),
	WR_TEST(test_events_are_written_in_the_form_of_the_contract),
	WR_TEST(test_anything_else_is_refused_with_a_reason),
	WR_TEST(test_typed_events_fill_the_output),
	WR_TEST(test_free_json_leaves_room_for_what_will_be_around_it),
	WR_TEST(test_lack_of_memory_is_told),
	WR_TEST(test_the_events_of_the_contract_round_trip),
	WR_TEST_END,
};
