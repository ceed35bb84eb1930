/* Goal: bodies are decoded by the contract's rules (8.4), and by nothing looser. Method: tables of
 * documents against an unmapped page; what was read is described in one line; every accepted one is
 * cut at every position. */
#include "backend/browser_bodies.h"

#include "unit/backend/contract_examples.h"

static struct wr_buf texts;
static char line_storage[1024];
static struct wr_buf line;

typedef enum wr_status read_fn(struct wr_view body, struct wr_error *error);

static void say(const char *label, struct wr_view text)
{
	wr_buf_append_view(&line, wr_view_of_string(label));
	wr_buf_append_view(&line, text.data == NULL ? WR_VIEW("-") : text);
}

static enum wr_status read_spawn(struct wr_view body, struct wr_error *error)
{
	static const char *const intents[] = {"companion", "orchestrator", "role"};
	struct wr_spawn_request spawn;
	enum wr_status status = wr_browser_spawn_read(&spawn, &texts, body, error);

	if (status != WR_OK)
		return status;
	say(intents[spawn.intent], WR_VIEW(""));
	if (spawn.intent == WR_SPAWN_TICKET_ROLE) {
		say(" ", spawn.role);
		say(" of ", spawn.ticket_id);
	}
	if (spawn.has_profile) {
		say(" profile ", WR_VIEW(""));
		wr_buf_append_u64(&line, spawn.profile);
		say(" ", spawn.profile_value);
	}
	if (spawn.bundle_id.data != NULL) {
		say(" bundle ", spawn.bundle_id);
		say(" ", spawn.bundle_digest);
	}
	if (spawn.capabilities.count != 0) {
		struct wr_view rest = spawn.capabilities.packed, name, reason;

		while (wr_pairs_next(&rest, &name, &reason)) {
			say(" can ", name);
			say(" for ", reason);
		}
	}
	say(" named ", spawn.requested_name);
	say(spawn.is_socket_ready ? " ready" : " run ", WR_VIEW(""));
	if (!spawn.is_socket_ready)
		wr_buf_append_u64(&line, spawn.expected_segments);
	if (spawn.busy.kind != WR_BUSY_UNSAID) {
		say(spawn.busy.kind == WR_BUSY_QUEUE ? " queue " : " reject ", WR_VIEW(""));
		wr_buf_append_u64(&line, spawn.busy.inputs_max);
	}
	return WR_OK;
}

static enum wr_status read_input(struct wr_view body, struct wr_error *error)
{
	struct wr_browser_input input;
	enum wr_status status = wr_browser_input_read(&input, &texts, body, error);

	if (status == WR_OK)
		say(input.is_system ? "system:" : "user:", input.content);
	return status;
}

static enum wr_status read_lifecycle(struct wr_view body, struct wr_error *error)
{
	struct wr_view reason;
	enum wr_status status = wr_browser_lifecycle_read(&reason, &texts, body, error);

	if (status == WR_OK)
		say("because ", reason);
	return status;
}

static void begin(void)
{
	wr_buf_init(&texts, wr_test_allocator(), 65536);
	wr_buf_init_fixed(&line, line_storage, sizeof line_storage);
}

static void check_accepted(read_fn *read, struct wr_view body, const char *expected)
{
	struct wr_error error;

	wr_buf_reset(&line);
	CHECK_STATUS(read(wr_test_guarded(0, body), &error), WR_OK);
	CHECK_STRING(wr_buf_view(&line), expected);
	for (size_t i = 0; i < body.bytes; i++) {
		enum wr_status status = read(wr_test_guarded(0, wr_view_of(body.data, i)), &error);

		CHECK(status == WR_SYNTAX || status == WR_ENCODING || status == WR_INVALID);
		CHECK(error.detail != NULL && error.offset <= i);
	}
}

struct accepted {
	read_fn *read;
	const char *body, *expected;
};

static void test_what_the_contract_allows_is_read(void)
{
	static const struct accepted cases[] = {
		{read_spawn,
		 "{\"intent\":{\"kind\":\"workspace_companion\"},"
		 "\"acceptance\":{\"kind\":\"socket_ready\"}}",
		 "companion named - ready"},
		{read_spawn,
		 "{\"acceptance\":{\"expected_segments\":3,\"kind\":\"run_accepted\"},"
		 "\"requested_worker_name\":null,\"more\":[{\"kind\":1}],"
		 "\"intent\":{\"kind\":\"workspace_orchestrator\",\"role\":7}}",
		 "orchestrator named - run 3"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"ticket_role\",\"role\":\"r\\u0065viewer\","
		 "\"ticket_id\":\"\\u0041B\"},\"requested_worker_name\":\"a\\nb\","
		 "\"acceptance\":{\"kind\":\"run_accepted\","
		 "\"expected_segments\":18446744073709551615}}",
		 "role reviewer of AB named a\nb run 18446744073709551615"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"workspace_companion\"},\"busy_policy\":{\"kind\":"
		 "\"queue\",\"max_inputs\":3},\"acceptance\":{\"kind\":\"socket_ready\"}}",
		 "companion named - ready queue 3"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"workspace_companion\"},\"busy_policy\":null,"
		 "\"acceptance\":{\"kind\":\"socket_ready\"}}",
		 "companion named - ready"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"workspace_companion\"},"
		 "\"requested_capabilities\":[{\"name\":\"re\\u0061d\"},"
		 "{\"reason\":\"why\",\"name\":\"write\"}],"
		 "\"config_bundle\":{\"digest\":\"d\",\"id\":\"b\\u002e1\"},"
		 "\"profile\":{\"value\":\"x\",\"kind\":\"named\"},"
		 "\"acceptance\":{\"kind\":\"socket_ready\"}}",
		 "companion profile 2 x bundle b.1 d can read for - can write for why named - "
		 "ready"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"workspace_companion\"},\"requested_capabilities\":[],"
		 "\"config_bundle\":null,\"profile\":null,"
		 "\"acceptance\":{\"kind\":\"socket_ready\"}}",
		 "companion named - ready"},
		{read_input, "{\"content\":\"hello\"}", "user:hello"},
		{read_input, "{\"content\":\"\",\"kind\":\"system\"}", "system:"},
		{read_input, "{\"content\":\"a\\tb\",\"kind\":\"user\",\"kinds\":null}",
		 "user:a\tb"},
		{read_lifecycle, "{}", "because -"},
		{read_lifecycle, "{\"reason\":null}", "because -"},
		{read_lifecycle, "{\"reason\":\"\",\"x\":{}}", "because "},
		{read_lifecycle, "{\"reason\":\"\\u00e9\"}", "because \xc3\xa9"},
	};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].body);
		check_accepted(cases[i].read, wr_view_of_string(cases[i].body), cases[i].expected);
	}
	wr_buf_deinit(&texts);
}

static void test_the_examples_of_the_contract_are_read(void)
{
	struct wr_view spawn = contract_example("b-spawn");

	begin();
	check_accepted(read_spawn, spawn, "role coder of 00001M0AB3CDE named friendly run 0");
	check_accepted(read_input, contract_example("b-input"), "user:hello");
	check_accepted(read_lifecycle, contract_example("b-lifecycle"), "because operator request");
	wr_buf_deinit(&texts);
}

#define INTENT "\"intent\":{\"kind\":\"workspace_companion\"}"
#define READY "\"acceptance\":{\"kind\":\"socket_ready\"}"

static void test_anything_else_is_refused_with_a_reason(void)
{
	static const struct {
		read_fn *read;
		const char *body;
		enum wr_status status;
		const char *detail;
	} cases[] = {
		{read_spawn, "", WR_SYNTAX, "not valid JSON"},
		{read_spawn, "null", WR_INVALID, "the body must be a JSON object"},
		{read_spawn, "[]", WR_INVALID, "the body must be a JSON object"},
		{read_spawn, "{}", WR_INVALID, "missing member `intent`"},
		{read_spawn, "{" INTENT "}", WR_INVALID, "missing member `acceptance`"},
		{read_spawn, "{" READY "}", WR_INVALID, "missing member `intent`"},
		{read_spawn, "{" INTENT "," READY "," READY "}", WR_INVALID,
		 "member `acceptance` appears twice"},
		{read_spawn, "{" INTENT "," READY "}}", WR_SYNTAX, "not valid JSON"},
		{read_spawn, "{" INTENT "," READY ",\"requested_worker_name\":1}", WR_INVALID,
		 "`requested_worker_name` must be a string or null"},
		{read_spawn, "{" INTENT "," READY ",\"busy_policy\":\"queue\"}", WR_INVALID,
		 "`busy_policy` must be an object or null"},
		{read_spawn, "{" INTENT "," READY ",\"busy_policy\":{\"kind\":\"drop\"}}",
		 WR_INVALID, "`kind` of `busy_policy` must be \"reject\" or \"queue\""},
		{read_spawn,
		 "{" INTENT "," READY ",\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":0}}",
		 WR_INVALID, "`max_inputs` must be a number from 1 to 256"},
		{read_spawn, "{\"intent\":null," READY "}", WR_INVALID,
		 "`intent` must be an object"},
		{read_spawn, "{\"intent\":{}," READY "}", WR_INVALID, "missing member `kind`"},
		{read_spawn, "{\"intent\":{\"kind\":\"assistant\"}," READY "}", WR_INVALID,
		 "`kind` of `intent` must be \"workspace_companion\", \"workspace_orchestrator\" "
		 "or \"ticket_role\""},
		{read_spawn, "{\"intent\":{\"kind\":\"ticket_role\",\"role\":\"coder\"}," READY "}",
		 WR_INVALID, "missing member `ticket_id`"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"ticket_role\",\"ticket_id\":\"T\"}," READY "}",
		 WR_INVALID, "missing member `role`"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"ticket_role\",\"ticket_id\":7,\"role\":\"coder\"}," READY
		 "}",
		 WR_INVALID, "`ticket_id` must be a string"},
		{read_spawn,
		 "{\"intent\":{\"kind\":\"ticket_role\",\"ticket_id\":\"T\",\"role\":\"Coder\"}"
		 "," READY "}",
		 WR_INVALID,
		 "`role` must be \"intake\", \"orchestrator\", \"coder\" or \"reviewer\""},
		{read_spawn, "{" INTENT ",\"acceptance\":\"socket_ready\"}", WR_INVALID,
		 "`acceptance` must be an object"},
		{read_spawn, "{" INTENT ",\"acceptance\":{\"kind\":\"ready\"}}", WR_INVALID,
		 "`kind` of `acceptance` must be \"socket_ready\" or \"run_accepted\""},
		{read_spawn, "{" INTENT ",\"acceptance\":{\"kind\":\"run_accepted\"}}", WR_INVALID,
		 "missing member `expected_segments`"},
		{read_spawn,
		 "{" INTENT ",\"acceptance\":{\"kind\":\"run_accepted\",\"expected_segments\":-1}}",
		 WR_INVALID, "`expected_segments` must be a number without sign"},
		{read_spawn,
		 "{" INTENT
		 ",\"acceptance\":{\"kind\":\"run_accepted\",\"expected_segments\":\"1\"}}",
		 WR_INVALID, "`expected_segments` must be a number without sign"},
		{read_spawn, "{" INTENT "," READY ",\"profile\":\"x\"}", WR_INVALID,
		 "`profile` must be an object or null"},
		{read_spawn, "{" INTENT "," READY ",\"profile\":{\"kind\":\"builtin\"}}",
		 WR_INVALID, "missing member `value`"},
		{read_spawn, "{" INTENT "," READY ",\"config_bundle\":{\"id\":\"b\"}}", WR_INVALID,
		 "missing member `digest`"},
		{read_spawn,
		 "{" INTENT "," READY ",\"config_bundle\":{\"id\":\"b\",\"digest\":null}}",
		 WR_INVALID, "`digest` must be a string"},
		{read_spawn, "{" INTENT "," READY ",\"config_bundle\":\"b\"}", WR_INVALID,
		 "`config_bundle` must be an object or null"},
		{read_spawn, "{" INTENT "," READY ",\"requested_capabilities\":null}", WR_INVALID,
		 "`requested_capabilities` must be a list of objects"},
		{read_spawn, "{" INTENT "," READY ",\"requested_capabilities\":[{}]}", WR_INVALID,
		 "missing member `name`"},
		{read_input, "", WR_SYNTAX, "not valid JSON"},
		{read_input, "{\"kind\":\"user\"}", WR_INVALID, "missing member `content`"},
		{read_input, "{\"kind\":null,\"content\":\"\"}", WR_INVALID,
		 "`kind` must be \"user\" or \"system\""},
		{read_input, "{\"kind\":\"assistant\",\"content\":\"\"}", WR_INVALID,
		 "`kind` must be \"user\" or \"system\""},
		{read_input, "{\"content\":null}", WR_INVALID, "`content` must be a string"},
		{read_input, "{\"content\":[\"a\"]}", WR_INVALID, "`content` must be a string"},
		{read_input, "{\"content\":\"a\",\"content\":\"b\"}", WR_INVALID,
		 "member `content` appears twice"},
		{read_input, "{\"content\":\"\xff\"}", WR_ENCODING,
		 "not valid UTF-8, or half a surrogate pair"},
		{read_input, "{\"content\":\"\\ud800\"}", WR_ENCODING,
		 "not valid UTF-8, or half a surrogate pair"},
		{read_lifecycle, "", WR_SYNTAX, "not valid JSON"},
		{read_lifecycle, " ", WR_SYNTAX, "not valid JSON"},
		{read_lifecycle, "\"stop\"", WR_INVALID, "the body must be a JSON object"},
		{read_lifecycle, "{\"reason\":1}", WR_INVALID, "`reason` must be a string or null"},
		{read_lifecycle, "{\"reason\":\"a\"", WR_SYNTAX, "not valid JSON"},
	};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_error error;

		wr_test_case(cases[i].body);
		CHECK_STATUS(
			cases[i].read(wr_test_guarded(0, wr_view_of_string(cases[i].body)), &error),
			cases[i].status);
		CHECK_STRING(wr_view_of_string(error.detail), cases[i].detail);
	}
	wr_buf_deinit(&texts);
}

static void test_lack_of_memory_is_told(void)
{
	struct wr_error error;

	begin();
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(read_input(WR_VIEW("{\"content\":\"\\n\"}"), &error), WR_NO_MEMORY);
	CHECK(wr_test_allocation_failed());
	wr_buf_deinit(&texts);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_what_the_contract_allows_is_read),
	WR_TEST(test_the_examples_of_the_contract_are_read),
	WR_TEST(test_anything_else_is_refused_with_a_reason),
	WR_TEST(test_lack_of_memory_is_told),
	WR_TEST_END,
};
