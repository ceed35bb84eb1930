/* Goal: bodies are decoded by the rules of the contract (2.2), and by nothing looser. Method:
 * tables of documents; what was read is described in one line; every document lies against an
 * unmapped page, every accepted one is cut at every position. */
#include "wire/command_json.h"

#include "check.h"
#include "harness/harness.h"
#include "bounds.h"

enum { TEXTS_BYTES = 4 * 1048576 };

/* What a reader made of a body, in one line. */
typedef enum wr_status read_fn(struct wr_buf *line, struct wr_buf *texts, struct wr_view body,
			       struct wr_error *error);

static void say(struct wr_buf *line, const char *label, struct wr_view text)
{
	wr_buf_append_view(line, wr_view_of_string(label));
	wr_buf_append_view(line, text.data == NULL ? WR_VIEW("-") : text);
}

static void say_pairs(struct wr_buf *line, const char *label, const struct wr_pairs *pairs)
{
	struct wr_view rest = pairs->packed, name, text;
	uint32_t count = 0;

	if (pairs->count != 0)
		wr_buf_append_view(line, wr_view_of_string(label));
	for (; wr_pairs_next(&rest, &name, &text); count++) {
		say(line, count == 0 ? "" : ",", name);
		say(line, "=", text);
	}
	CHECK_U64(count, pairs->count);
	CHECK_U64(rest.bytes, 0);
}

static enum wr_status read_create(struct wr_buf *line, struct wr_buf *texts, struct wr_view body,
				  struct wr_error *error)
{
	static const char *const intents[] = {"assistant", "task", "role"};
	static const char *const profiles[] = {" default", " builtin", " named"};
	struct wr_create create;
	enum wr_status status = wr_create_json_read(&create, texts, body, error);

	if (status != WR_OK)
		return status;
	wr_buf_append_view(line, wr_view_of_string(intents[create.intent]));
	if (create.intent == WR_INTENT_TASK)
		say(line, ":", create.objective);
	if (create.intent == WR_INTENT_ROLE)
		say(line, ":", create.role);
	if (create.purpose.data != NULL)
		say(line, " for ", create.purpose);
	wr_buf_append_view(line, wr_view_of_string(profiles[create.profile]));
	if (create.profile != WR_PROFILE_RUNTIME_DEFAULT)
		say(line, ":", create.profile_value);
	if (create.config_bundle_id.data != NULL)
		say(line, " bundle:", create.config_bundle_id);
	if (create.config_bundle_digest.data != NULL)
		say(line, " digest:", create.config_bundle_digest);
	if (create.worker_id.data != NULL)
		say(line, " as:", create.worker_id);
	say_pairs(line, " can:", &create.capabilities);
	say_pairs(line, " in:", &create.workspace_refs);
	say_pairs(line, " on:", &create.mount_refs);
	if (create.busy.kind != WR_BUSY_UNSAID)
		wr_buf_append_view(line, create.busy.kind == WR_BUSY_QUEUE ? WR_VIEW(" queue:")
									   : WR_VIEW(" reject:"));
	if (create.busy.kind != WR_BUSY_UNSAID)
		wr_buf_append_u64(line, create.busy.inputs_max);
	return WR_OK;
}

static enum wr_status read_input(struct wr_buf *line, struct wr_buf *texts, struct wr_view body,
				 struct wr_error *error)
{
	struct wr_input input;
	enum wr_status status = wr_input_json_read(&input, texts, body, error);

	if (status == WR_OK)
		say(line, input.kind == WR_INPUT_USER ? "user:" : "system:", input.content);
	return status;
}

static enum wr_status read_lifecycle(struct wr_buf *line, struct wr_buf *texts, struct wr_view body,
				     struct wr_error *error)
{
	struct wr_view reason;
	enum wr_status status = wr_lifecycle_json_read(&reason, texts, body, error);

	if (status == WR_OK)
		say(line, "reason:", reason);
	return status;
}

/* ---- the tables ---- */

struct good {
	const char *body;
	struct wr_view line;
};
#define GOOD(body, line)                 \
	{                                \
		body, WR_VIEW_INIT(line) \
	}

struct bad {
	const char *body;
	enum wr_status status;
	const char *detail; /* NULL: any */
};

#define DEFAULT_PROFILE "\"profile\":{\"kind\":\"runtime_default\"}"
#define ASSISTANT "\"intent\":{\"kind\":\"assistant\"}"
#define SMALLEST ASSISTANT "," DEFAULT_PROFILE

static const struct good good_creates[] = {
	GOOD("{" SMALLEST "}", "assistant default"),
	GOOD(" \t\r\n{ " DEFAULT_PROFILE " , " ASSISTANT " } \n", "assistant default"),
	/* The contract's example. */
	GOOD("{\"intent\":{\"kind\":\"task\",\"objective\":\"port the "
	     "store\"},\"profile\":{\"kind\":"
	     "\"named\",\"value\":\"reviewer\"},\"config_bundle\":{\"id\":\"bundle-7\"},"
	     "\"requested_capabilities\":[{\"name\":\"read\",\"reason\":\"inspect "
	     "sources\"},{\"name\":"
	     "\"write\"}],\"workspace_refs\":[{\"name\":\"main\",\"reference\":\"ws:main\"}],"
	     "\"mount_refs\":[{\"name\":\"cache\",\"reference\":\"mount:cache\"}]}",
	     "task:port the store named:reviewer bundle:bundle-7 can:read=inspect sources,write=- "
	     "in:main=ws:main on:cache=mount:cache"),
	/* The tag may come last; members of other kinds are unknown members. */
	GOOD("{\"intent\":{\"objective\":\"x\",\"kind\":\"task\"}," DEFAULT_PROFILE "}",
	     "task:x default"),
	GOOD("{\"intent\":{\"objective\":7,\"objective\":[],\"kind\":\"assistant\"}"
	     "," DEFAULT_PROFILE "}",
	     "assistant default"),
	GOOD("{\"intent\":{\"role\":{},\"kind\":\"task\",\"objective\":\"\",\"purpose\":1}"
	     "," DEFAULT_PROFILE "}",
	     "task: default"),
	GOOD("{\"intent\":{\"purpose\":\"p\",\"kind\":\"assistant\"}," DEFAULT_PROFILE "}",
	     "assistant for p default"),
	GOOD("{\"intent\":{\"kind\":\"assistant\",\"purpose\":null}," DEFAULT_PROFILE "}",
	     "assistant default"),
	GOOD("{\"intent\":{\"kind\":\"role\",\"role\":\"coder\",\"purpose\":\"\"}," DEFAULT_PROFILE
	     "}",
	     "role:coder for  default"),
	/* Profiles. */
	GOOD("{" ASSISTANT ",\"profile\":{\"kind\":\"runtime_default\",\"value\":null}}",
	     "assistant default"),
	GOOD("{" ASSISTANT ",\"profile\":{\"value\":\"builtin:coder\",\"kind\":\"builtin\"}}",
	     "assistant builtin:builtin:coder"),
	GOOD("{" ASSISTANT ",\"profile\":{\"kind\":\"named\",\"value\":\"\"}}", "assistant named:"),
	/* Optional and defaulted members. */
	GOOD("{" SMALLEST ",\"config_bundle\":null}", "assistant default"),
	GOOD("{" SMALLEST ",\"config_bundle\":{\"more\":5,\"id\":\"b\",\"more\":6}}",
	     "assistant default bundle:b"),
	GOOD("{" SMALLEST ",\"config_bundle\":{\"digest\":\"d\",\"id\":\"b\"}}",
	     "assistant default bundle:b digest:d"),
	GOOD("{" SMALLEST ",\"config_bundle\":{\"digest\":null,\"id\":\"b\"}}",
	     "assistant default bundle:b"),
	GOOD("{" SMALLEST
	     ",\"requested_capabilities\":[],\"workspace_refs\":[ ],\"mount_refs\":[]}",
	     "assistant default"),
	GOOD("{" SMALLEST
	     ",\"requested_capabilities\":[{\"reason\":null,\"name\":\"\"},{\"name\":\"a\","
	     "\"reason\":\"\"}]}",
	     "assistant default can:=-,a="),
	/* What may be an id is not judged here. */
	GOOD("{" SMALLEST ",\"worker_id\":null}", "assistant default"),
	GOOD("{" SMALLEST ",\"worker_id\":\"\"}", "assistant default as:"),
	GOOD("{\"worker_id\":\"w:1_-\"," SMALLEST ",\"worker\":1}", "assistant default as:w:1_-"),
	GOOD("{" SMALLEST ",\"worker_id\":\"\\u0077\\n\",\"mount_refs\":[{\"name\":\"\\t\","
	     "\"reference\":\"r\"}]}",
	     "assistant default as:w\n on:\t=r"),
	/* What becomes of inputs while a turn runs. */
	GOOD("{" SMALLEST ",\"busy_policy\":null}", "assistant default"),
	GOOD("{" SMALLEST ",\"busy_policy\":{\"kind\":\"reject\"}}", "assistant default reject:0"),
	GOOD("{" SMALLEST ",\"busy_policy\":{\"max_inputs\":null,\"kind\":\"reject\"}}",
	     "assistant default reject:0"),
	GOOD("{" SMALLEST ",\"busy_policy\":{\"kind\":\"queue\"}}", "assistant default queue:16"),
	GOOD("{" SMALLEST ",\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":null}}",
	     "assistant default queue:16"),
	GOOD("{" SMALLEST ",\"busy_policy\":{\"max_inputs\":1,\"kind\":\"queue\",\"x\":[]}}",
	     "assistant default queue:1"),
	GOOD("{" SMALLEST ",\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":256}}",
	     "assistant default queue:256"),
	/* Unknown members, repeated ones, at any level. */
	GOOD("{\"x\":1,\"x\":{\"intent\":[]}," SMALLEST ",\"x\":null}", "assistant default"),
	GOOD("{\"intent\":{\"kind\":\"assistant\",\"y\":1,\"y\":2},\"profile\":{\"kind\":\"runtime_"
	     "default\",\"y\":1,\"y\":2}}",
	     "assistant default"),
	/* Escapes, also in names and words. */
	GOOD("{\"\\u0069ntent\":{\"k\\u0069nd\":\"\\u0074ask\",\"objective\":\"a\\u0000b\\n\\ud83d"
	     "\\ude00\"}," DEFAULT_PROFILE "}",
	     "task:a\0b\n\xf0\x9f\x98\x80 default"),
	GOOD("{" SMALLEST
	     ",\"mount_refs\":[{\"name\":\"\\\"\",\"reference\":\"r\"},{\"name\":\"n\","
	     "\"reference\":\"\\\\\\/\"}],\"workspace_refs\":[{\"reference\":\"\\u00e9\",\"name\":"
	     "\"\\t\"}]}",
	     "assistant default in:\t=\xc3\xa9 on:\"=r,n=\\/"),
};

#define WITH(member) "{" SMALLEST "," member "}"
#define INTENT(object) "{" DEFAULT_PROFILE ",\"intent\":" object "}"
#define PROFILE(object) "{" ASSISTANT ",\"profile\":" object "}"

static const struct bad bad_creates[] = {
	{"", WR_SYNTAX, "not valid JSON"},
	{" ", WR_SYNTAX, NULL},
	{"null", WR_INVALID, "the body must be a JSON object"},
	{"[]", WR_INVALID, "the body must be a JSON object"},
	{"\"intent\"", WR_INVALID, "the body must be a JSON object"},
	{"{}", WR_INVALID, "missing member `intent`"},
	{"{" ASSISTANT "}", WR_INVALID, "missing member `profile`"},
	{"{" DEFAULT_PROFILE "}", WR_INVALID, "missing member `intent`"},
	{"{\"Intent\":{\"kind\":\"assistant\"}," DEFAULT_PROFILE "}", WR_INVALID, NULL},
	{"{" SMALLEST "} x", WR_SYNTAX, NULL},
	{"{" SMALLEST "}{}", WR_SYNTAX, NULL},
	{"{" SMALLEST ",}", WR_SYNTAX, NULL},
	{"{" SMALLEST ",\"x\":\x01}", WR_SYNTAX, NULL},
	{"\xef\xbb\xbf{" SMALLEST "}", WR_SYNTAX, NULL},
	{"{" SMALLEST ",\"x\":\"\xff\"}", WR_ENCODING, NULL},
	{"{" SMALLEST ",\"x\":\"\\ud800\"}", WR_ENCODING, NULL},
	{"{" SMALLEST "," ASSISTANT "}", WR_INVALID, "member `intent` appears twice"},
	{"{" SMALLEST "," DEFAULT_PROFILE "}", WR_INVALID, "member `profile` appears twice"},
	{"{" SMALLEST ",\"\\u0069ntent\":1}", WR_INVALID, "member `intent` appears twice"},
	{INTENT("null"), WR_INVALID, "`intent` must be an object"},
	{INTENT("\"assistant\""), WR_INVALID, "`intent` must be an object"},
	{INTENT("[\"assistant\"]"), WR_INVALID, "`intent` must be an object"},
	{INTENT("{}"), WR_INVALID, "missing member `kind`"},
	{INTENT("{\"kind\":null}"), WR_INVALID, "`kind` must be a string"},
	{INTENT("{\"kind\":1}"), WR_INVALID, "`kind` must be a string"},
	{INTENT("{\"kind\":\"Assistant\"}"), WR_INVALID,
	 "`kind` of `intent` must be \"assistant\", \"task\" or \"role\""},
	{INTENT("{\"kind\":\"\"}"), WR_INVALID, NULL},
	{INTENT("{\"kind\":\"assistant\",\"kind\":\"assistant\"}"), WR_INVALID,
	 "member `kind` appears twice"},
	{INTENT("{\"kind\":\"assistant\",\"purpose\":1}"), WR_INVALID,
	 "`purpose` must be a string or null"},
	{INTENT("{\"kind\":\"assistant\",\"purpose\":null,\"purpose\":null}"), WR_INVALID,
	 "member `purpose` appears twice"},
	{INTENT("{\"kind\":\"task\"}"), WR_INVALID, "missing member `objective`"},
	{INTENT("{\"kind\":\"task\",\"objective\":null}"), WR_INVALID,
	 "`objective` must be a string"},
	{INTENT("{\"kind\":\"task\",\"objective\":[\"x\"]}"), WR_INVALID, NULL},
	{INTENT("{\"objective\":\"a\",\"kind\":\"task\",\"objective\":\"b\"}"), WR_INVALID,
	 "member `objective` appears twice"},
	{INTENT("{\"kind\":\"role\",\"purpose\":\"x\"}"), WR_INVALID, "missing member `role`"},
	{INTENT("{\"kind\":\"role\",\"role\":true}"), WR_INVALID, "`role` must be a string"},
	{INTENT("{\"kind\":\"role\",\"role\":\"r\",\"purpose\":{}}"), WR_INVALID, NULL},
	{PROFILE("null"), WR_INVALID, "`profile` must be an object"},
	{PROFILE("\"runtime_default\""), WR_INVALID, "`profile` must be an object"},
	{PROFILE("{}"), WR_INVALID, "missing member `kind`"},
	{PROFILE("{\"kind\":\"default\"}"), WR_INVALID,
	 "`kind` of a profile must be \"runtime_default\", \"builtin\" or \"named\""},
	{PROFILE("{\"kind\":\"runtime_default\",\"value\":\"\"}"), WR_INVALID,
	 "`value` must be absent or null for \"runtime_default\""},
	{PROFILE("{\"kind\":\"runtime_default\",\"value\":{}}"), WR_INVALID, NULL},
	{PROFILE("{\"kind\":\"runtime_default\",\"value\":null,\"value\":null}"), WR_INVALID,
	 "member `value` appears twice"},
	{PROFILE("{\"kind\":\"builtin\"}"), WR_INVALID, "missing member `value`"},
	{PROFILE("{\"kind\":\"builtin\",\"value\":null}"), WR_INVALID, "`value` must be a string"},
	{PROFILE("{\"kind\":\"named\",\"value\":null}"), WR_INVALID, "`value` must be a string"},
	{PROFILE("{\"kind\":\"named\",\"value\":1}"), WR_INVALID, NULL},
	{PROFILE("{\"kind\":\"named\",\"value\":\"a\",\"value\":\"a\"}"), WR_INVALID, NULL},
	{WITH("\"config_bundle\":\"b\""), WR_INVALID, "`config_bundle` must be an object or null"},
	{WITH("\"config_bundle\":{}"), WR_INVALID, "missing member `id`"},
	{WITH("\"config_bundle\":{\"id\":null}"), WR_INVALID, "`id` must be a string"},
	{WITH("\"config_bundle\":{\"id\":\"a\",\"id\":\"a\"}"), WR_INVALID, NULL},
	{WITH("\"config_bundle\":{\"id\":\"a\",\"digest\":5}"), WR_INVALID,
	 "`digest` must be a string or null"},
	{WITH("\"config_bundle\":{\"id\":\"a\",\"digest\":null,\"digest\":\"d\"}"), WR_INVALID,
	 NULL},
	{WITH("\"config_bundle\":null,\"config_bundle\":null"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":\"queue\""), WR_INVALID, "`busy_policy` must be an object or null"},
	{WITH("\"busy_policy\":{}"), WR_INVALID, "missing member `kind`"},
	{WITH("\"busy_policy\":{\"kind\":null}"), WR_INVALID, "`kind` must be a string"},
	{WITH("\"busy_policy\":{\"kind\":\"wait\"}"), WR_INVALID,
	 "`kind` of `busy_policy` must be \"reject\" or \"queue\""},
	{WITH("\"busy_policy\":{\"kind\":\"Queue\"}"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":{\"kind\":\"reject\",\"max_inputs\":1}"), WR_INVALID,
	 "`max_inputs` must be absent or null for \"reject\""},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":0}"), WR_INVALID,
	 "`max_inputs` must be a number from 1 to 256"},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":257}"), WR_INVALID,
	 "`max_inputs` must be a number from 1 to 256"},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":4294967297}"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":-1}"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":1.0}"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":\"1\"}"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":{\"kind\":\"queue\",\"kind\":\"queue\"}"), WR_INVALID, NULL},
	{WITH("\"busy_policy\":null,\"busy_policy\":null"), WR_INVALID,
	 "member `busy_policy` appears twice"},
	{WITH("\"worker_id\":1"), WR_INVALID, "`worker_id` must be a string or null"},
	{WITH("\"worker_id\":[\"a\"]"), WR_INVALID, NULL},
	{WITH("\"worker_id\":{}"), WR_INVALID, NULL},
	{WITH("\"worker_id\":\"a\",\"worker_id\":\"a\""), WR_INVALID,
	 "member `worker_id` appears twice"},
	{WITH("\"worker_id\":null,\"worker_id\":null"), WR_INVALID, NULL},
	{WITH("\"worker_id\":\"\\ud800\""), WR_ENCODING, NULL},
	{WITH("\"requested_capabilities\":null"), WR_INVALID,
	 "`requested_capabilities` must be a list of objects"},
	{WITH("\"workspace_refs\":null"), WR_INVALID, "`workspace_refs` must be a list of objects"},
	{WITH("\"mount_refs\":null"), WR_INVALID, "`mount_refs` must be a list of objects"},
	{WITH("\"mount_refs\":{}"), WR_INVALID, NULL},
	{WITH("\"mount_refs\":[null]"), WR_INVALID, "`mount_refs` must be a list of objects"},
	{WITH("\"mount_refs\":[\"a\"]"), WR_INVALID, NULL},
	{WITH("\"mount_refs\":[[]]"), WR_INVALID, NULL},
	{WITH("\"mount_refs\":[1]"), WR_INVALID, NULL},
	{WITH("\"mount_refs\":[{\"name\":\"a\"}]"), WR_INVALID, "missing member `reference`"},
	{WITH("\"mount_refs\":[{\"name\":\"a\",\"reference\":null}]"), WR_INVALID, NULL},
	{WITH("\"workspace_refs\":[{\"reference\":\"a\"}]"), WR_INVALID, "missing member `name`"},
	{WITH("\"requested_capabilities\":[{}]"), WR_INVALID, "missing member `name`"},
	{WITH("\"requested_capabilities\":[{\"name\":null}]"), WR_INVALID, NULL},
	{WITH("\"requested_capabilities\":[{\"name\":\"a\",\"reason\":1}]"), WR_INVALID,
	 "`reason` must be a string or null"},
	{WITH("\"requested_capabilities\":[{\"name\":\"a\"},{\"name\":\"b\",\"name\":\"c\"}]"),
	 WR_INVALID, NULL},
	{WITH("\"requested_capabilities\":[],\"requested_capabilities\":[]"), WR_INVALID, NULL},
};

static const struct good good_inputs[] = {
	GOOD("{\"kind\":\"user\",\"content\":\"please continue\"}", "user:please continue"),
	GOOD("{\"kind\":\"user\",\"content\":\"\"}", "user:"),
	GOOD("{\"kind\":\"system\",\"content\":\"{\"}", "system:{"),
	GOOD("{\"content\":\"\",\"kind\":\"system\"}", "system:"),
	GOOD("{\"content\":\"a\\u0000\\\\\",\"kind\":\"\\u0073ystem\",\"id\":[{}]}",
	     "system:a\0\\"),
	GOOD("{\"kind\":\"user\",\"content\":\"\xe5\xa4\x9c\xe5\xb1\x85\"}",
	     "user:\xe5\xa4\x9c\xe5\xb1\x85"),
};

static const struct bad bad_inputs[] = {
	{"", WR_SYNTAX, "not valid JSON"},
	{"{}", WR_INVALID, "missing member `kind`"},
	{"{\"kind\":\"user\"}", WR_INVALID, "missing member `content`"},
	{"{\"content\":\"x\"}", WR_INVALID, "missing member `kind`"},
	{"{\"kind\":\"user\",\"content\":null}", WR_INVALID, "`content` must be a string"},
	{"{\"kind\":null,\"content\":\"x\"}", WR_INVALID, "`kind` must be \"user\" or \"system\""},
	{"{\"kind\":\"User\",\"content\":\"x\"}", WR_INVALID,
	 "`kind` must be \"user\" or \"system\""},
	{"{\"kind\":\"assistant\",\"content\":\"x\"}", WR_INVALID, NULL},
	{"{\"kind\":\"user \",\"content\":\"x\"}", WR_INVALID, NULL},
	{"{\"kind\":{\"user\":null},\"content\":\"x\"}", WR_INVALID, NULL},
	{"{\"kind\":\"user\",\"content\":[\"x\"]}", WR_INVALID, NULL},
	{"{\"kind\":\"user\",\"content\":\"x\",\"content\":\"x\"}", WR_INVALID,
	 "member `content` appears twice"},
	{"{\"kind\":\"user\",\"kind\":\"user\",\"content\":\"x\"}", WR_INVALID,
	 "member `kind` appears twice"},
	{"{\"kind\":\"user\",\"content\":\"}", WR_SYNTAX, NULL},
	{"{\"kind\":\"user\",\"content\":\"x\\\"}", WR_SYNTAX, NULL},
	{"{\"kind\":\"user\",\"content\":\"x\"y\"}", WR_SYNTAX, NULL},
	{"{\"kind\":\"user\",\"content\":\"x\"}}", WR_SYNTAX, NULL},
	{"{\"kind\":\"system\",\"content\":\"x\",\"kind\":\"user\"}", WR_INVALID,
	 "member `kind` appears twice"},
	{"[\"user\",\"x\"]", WR_INVALID, "the body must be a JSON object"},
	{"{\"kind\":\"user\",\"content\":\"x\"}\xef\xbb\xbf", WR_SYNTAX, NULL},
	{"{\"kind\":\"user\",\"content\":\"\\udc00\"}", WR_ENCODING, NULL},
	{"{\"kind\":\"user\",\"content\":\"\xed\xa0\x80\"}", WR_ENCODING, NULL},
};

static const struct good good_lifecycles[] = {
	GOOD("", "reason:-"),
	GOOD("{}", "reason:-"),
	GOOD("{\"reason\":null}", "reason:-"),
	GOOD("{\"reason\":\"\"}", "reason:"),
	GOOD("{\"reason\":\"done for today\",\"x\":1,\"x\":1}", "reason:done for today"),
	GOOD("{\"reason\":\"\\u0000\"}", "reason:\0"),
};

static const struct bad bad_lifecycles[] = {
	{" ", WR_SYNTAX, NULL},
	{"null", WR_INVALID, "the body must be a JSON object"},
	{"\"done\"", WR_INVALID, NULL},
	{"[]", WR_INVALID, NULL},
	{"{\"reason\":1}", WR_INVALID, "`reason` must be a string or null"},
	{"{\"reason\":{}}", WR_INVALID, NULL},
	{"{\"reason\":\"a\",\"reason\":\"a\"}", WR_INVALID, "member `reason` appears twice"},
	{"{\"reason\":null,\"reason\":\"a\"}", WR_INVALID, "member `reason` appears twice"},
};

/* ---- running them ---- */

static void run_good(read_fn *read, const struct good *cases, size_t count, bool may_be_cut)
{
	struct wr_buf line, texts;
	struct wr_error error;

	wr_buf_init(&line, wr_test_allocator(), 4096);
	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct wr_view body = wr_view_of_string(cases[i].body);
		size_t cut = body.bytes;

		wr_test_case(cases[i].body);
		wr_buf_reset(&line);
		CHECK_STATUS(read(&line, &texts, wr_test_guarded(0, body), &error), WR_OK);
		CHECK_STATUS(error.status, WR_OK);
		CHECK_VIEW(wr_buf_view(&line), cases[i].line);
		while (cut > 0 && strchr(" \t\r\n", body.data[cut - 1]) != NULL)
			cut--; /* without its last blanks it is whole */
		while (may_be_cut && cut-- > 1)
			CHECK(read(&line, &texts, wr_test_guarded(0, wr_view_of(body.data, cut)),
				   &error) != WR_OK);
	}
	wr_buf_deinit(&line);
	wr_buf_deinit(&texts);
}

static void run_bad(read_fn *read, const struct bad *cases, size_t count)
{
	struct wr_buf line, texts;
	struct wr_error error;

	wr_buf_init(&line, wr_test_allocator(), 4096);
	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct wr_view body = wr_view_of_string(cases[i].body);

		wr_test_case(cases[i].body);
		CHECK_STATUS(read(&line, &texts, wr_test_guarded(0, body), &error),
			     cases[i].status);
		CHECK_STATUS(error.status, cases[i].status);
		CHECK(error.offset <= body.bytes);
		CHECK(error.detail != NULL);
		if (cases[i].detail != NULL)
			CHECK_STRING(wr_view_of_string(error.detail), cases[i].detail);
	}
	wr_buf_deinit(&line);
	wr_buf_deinit(&texts);
}

static void test_create_bodies_are_read(void)
{
	run_good(read_create, good_creates, WR_COUNT(good_creates), true);
}

static void test_bad_create_bodies_are_refused_with_a_reason(void)
{
	run_bad(read_create, bad_creates, WR_COUNT(bad_creates));
}

static void test_input_bodies_are_read(void)
{
	run_good(read_input, good_inputs, WR_COUNT(good_inputs), true);
}

/* The usual spelling is read without the reader, with a blank before it is not. */
static void check_spellings(char *blanked, size_t bytes, struct wr_buf *texts)
{
	struct wr_view body = wr_view_of(blanked, bytes);
	struct wr_input usual, unusual;
	struct wr_error error, other;
	enum wr_status status = wr_input_json_read(&unusual, texts, body, &other);

	CHECK_STATUS(wr_input_json_read(&usual, texts, wr_test_guarded(0, wr_view_skip(body, 1)),
					&error),
		     status);
	CHECK_STATUS(error.status, other.status);
	if (status != WR_OK) {
		CHECK(error.offset + 1 == other.offset && error.detail == other.detail);
		return;
	}
	CHECK(usual.kind == unusual.kind);
	/* Once more: `texts` has what was decoded last. */
	CHECK_STATUS(wr_input_json_read(&unusual, texts, body, &other), WR_OK);
	CHECK_VIEW(usual.content, unusual.content);
}

static void test_any_byte_anywhere_in_content_means_the_same_in_every_spelling(void)
{
	static const char front[] = " {\"kind\":\"system\",\"content\":\"";
	char body[sizeof front + 40];
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	memcpy(body, front, sizeof front - 1);
	for (size_t length = 0; length <= 36; length++) {
		char *content = body + sizeof front - 1;

		memset(content, 'a', length);
		memcpy(content + length, "\"}", 2);
		check_spellings(body, sizeof front + 1 + length, &texts);
		for (size_t i = 0; i < length; i++) {
			for (unsigned c = 0; c < 256; c++) {
				content[i] = (char)c;
				check_spellings(body, sizeof front + 1 + length, &texts);
			}
			content[i] = 'a';
		}
	}
	wr_buf_deinit(&texts);
}

static void test_bad_input_bodies_are_refused_with_a_reason(void)
{
	run_bad(read_input, bad_inputs, WR_COUNT(bad_inputs));
}

static void test_lifecycle_bodies_are_read(void)
{
	run_good(read_lifecycle, good_lifecycles, WR_COUNT(good_lifecycles), true);
}

static void test_bad_lifecycle_bodies_are_refused_with_a_reason(void)
{
	run_bad(read_lifecycle, bad_lifecycles, WR_COUNT(bad_lifecycles));
}

static void test_offset_names_the_offending_place(void)
{
	static const struct {
		const char *body;
		size_t offset;
	} cases[] = {
		{"{\"kind\":\"user\",\"content\":7}", 25},
		{" {\"kind\":\"nobody\",\"content\":\"\"}", 9},
		{"{\"kind\":\"user\",\"kind\":\"user\"}", 22},
		{"{\"kind\":\"user\",\"content\":\"\\q\"}", 27},
		{"{\"kind\" \"user\"}", 8},
	};
	struct wr_buf texts;
	struct wr_error error;
	struct wr_input input;

	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].body);
		CHECK(wr_input_json_read(&input, &texts, wr_view_of_string(cases[i].body),
					 &error) != WR_OK);
		CHECK_U64(error.offset, cases[i].offset);
	}
	wr_buf_deinit(&texts);
}

static void test_text_without_escapes_is_not_copied(void)
{
	struct wr_view body = WR_VIEW("{\"kind\":\"user\",\"content\":\"plain\"}");
	struct wr_error error;
	struct wr_input input;
	struct wr_buf texts;

	wr_buf_init_fixed(&texts, NULL, 0);
	CHECK_STATUS(wr_input_json_read(&input, &texts, body, &error), WR_OK);
	CHECK(input.content.data == body.data + 26);
}

static void test_nesting_beyond_the_limit_is_refused_even_in_unknown_members(void)
{
	char body[2 * WR_JSON_DEPTH_MAX + 64];
	struct wr_buf out, texts;
	struct wr_error error;
	struct wr_view reason;

	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	for (unsigned depth = WR_JSON_DEPTH_MAX - 1; depth <= WR_JSON_DEPTH_MAX; depth++) {
		wr_buf_init_fixed(&out, body, sizeof body);
		wr_buf_append_view(&out, WR_VIEW("{\"x\":"));
		for (unsigned i = 0; i < depth; i++)
			wr_buf_append_byte(&out, '[');
		for (unsigned i = 0; i < depth; i++)
			wr_buf_append_byte(&out, ']');
		wr_buf_append_byte(&out, '}');
		CHECK_STATUS(wr_lifecycle_json_read(&reason, &texts, wr_buf_view(&out), &error),
			     depth < WR_JSON_DEPTH_MAX ? WR_OK : WR_TOO_LARGE);
	}
	wr_buf_deinit(&texts);
}

/* Everything that can be escaped is, so that all room that may be needed is. */
static void test_views_stay_where_they_are_while_others_are_decoded(void)
{
	struct wr_view body = WR_VIEW(
		"{\"mount_refs\":[{\"name\":\"\\n\",\"reference\":\"\\n\"},{\"name\":\"\\n\","
		"\"reference\":\"\\n\"}],\"requested_capabilities\":[{\"name\":\"\\n\"},{\"name\":"
		"\"\"},{\"name\":\"\"}],\"workspace_refs\":[{\"name\":\"\",\"reference\":\"\"}],"
		"\"intent\":{\"kind\":\"role\",\"role\":\"\\n\",\"purpose\":\"\\n\"},\"profile\":{"
		"\"kind\":\"named\",\"value\":\"\\n\"},\"config_bundle\":{\"id\":\"\\n\"}}");
	struct wr_buf texts;
	struct wr_error error;
	struct wr_create create;
	char storage[600];

	CHECK(body.bytes < sizeof storage);
	wr_buf_init_fixed(&texts, storage, body.bytes);
	CHECK_STATUS(wr_create_json_read(&create, &texts, body, &error), WR_OK);
	CHECK_STRING(create.role, "\n");
	CHECK_STRING(create.purpose, "\n");
	CHECK_STRING(create.config_bundle_id, "\n");
	CHECK_U64(create.mount_refs.count, 2);
	wr_buf_init_fixed(&texts, storage, body.bytes - 1);
	CHECK_STATUS(wr_create_json_read(&create, &texts, body, &error), WR_TOO_LARGE);
}

static void test_lack_of_memory_is_told(void)
{
	struct wr_view body = wr_view_of_string(good_creates[WR_COUNT(good_creates) - 1].body);
	struct wr_buf texts;
	struct wr_error error;
	struct wr_create create;
	unsigned failures = 0;

	for (uint64_t n = 1;; n++) {
		enum wr_status status;

		wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
		wr_test_fail_allocation(n, false);
		status = wr_create_json_read(&create, &texts, body, &error);
		wr_buf_deinit(&texts);
		if (!wr_test_allocation_failed()) {
			CHECK_STATUS(status, WR_OK);
			break;
		}
		CHECK_STATUS(status, WR_NO_MEMORY);
		CHECK_STATUS(error.status, WR_NO_MEMORY);
		failures++;
	}
	wr_test_fail_allocation(0, false);
	CHECK(failures > 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_create_bodies_are_read),
	WR_TEST(test_bad_create_bodies_are_refused_with_a_reason),
	WR_TEST(test_input_bodies_are_read),
	WR_TEST(test_any_byte_anywhere_in_content_means_the_same_in_every_spelling),
	WR_TEST(test_bad_input_bodies_are_refused_with_a_reason),
	WR_TEST(test_lifecycle_bodies_are_read),
	WR_TEST(test_bad_lifecycle_bodies_are_refused_with_a_reason),
	WR_TEST(test_offset_names_the_offending_place),
	WR_TEST(test_text_without_escapes_is_not_copied),
	WR_TEST(test_nesting_beyond_the_limit_is_refused_even_in_unknown_members),
	WR_TEST(test_views_stay_where_they_are_while_others_are_decoded),
	WR_TEST(test_lack_of_memory_is_told),
	WR_TEST_END,
};
