#include "wire/protocol_table.h"

#include "check.h"

/* ---- words ---- */

#define LAST            \
	{               \
		NULL, 0 \
	}

const struct wr_view wr_protocol_run_results[] = {
	[WR_RUN_FINISHED] = WR_VIEW_INIT("finished"),
	[WR_RUN_PAUSED] = WR_VIEW_INIT("paused"),
	[WR_RUN_LIMIT_REACHED] = WR_VIEW_INIT("limit_reached"),
	[WR_RUN_ROLLED_BACK] = WR_VIEW_INIT("rolled_back"),
	LAST,
};
const struct wr_view wr_protocol_turn_results[] = {
	[WR_TURN_FINISHED] = WR_VIEW_INIT("finished"),
	[WR_TURN_PAUSED] = WR_VIEW_INIT("paused"),
	LAST,
};
const struct wr_view wr_protocol_error_codes[] = {
	[WR_ERROR_ALREADY_RUNNING] = WR_VIEW_INIT("already_running"),
	[WR_ERROR_NOT_RUNNING] = WR_VIEW_INIT("not_running"),
	[WR_ERROR_NOT_PAUSED] = WR_VIEW_INIT("not_paused"),
	[WR_ERROR_PROVIDER] = WR_VIEW_INIT("provider_error"),
	[WR_ERROR_TOOL] = WR_VIEW_INIT("tool_error"),
	[WR_ERROR_INVALID_REQUEST] = WR_VIEW_INIT("invalid_request"),
	[WR_ERROR_INTERNAL] = WR_VIEW_INIT("internal"),
	LAST,
};
static const struct wr_view worker_statuses[] = {WR_VIEW_INIT("idle"), WR_VIEW_INIT("running"),
						 WR_VIEW_INIT("paused"), LAST};
static const struct wr_view invoke_kinds[] = {
	WR_VIEW_INIT("user_send"),	 WR_VIEW_INIT("notify"), WR_VIEW_INIT("worker_event"),
	WR_VIEW_INIT("system_reminder"), WR_VIEW_INIT("wakeup"), LAST};
static const struct wr_view completion_kinds[] = {WR_VIEW_INIT("file"), WR_VIEW_INIT("knowledge"),
						  WR_VIEW_INIT("workflow"), LAST};
static const struct wr_view call_states[] = {
	WR_VIEW_INIT("pending"), WR_VIEW_INIT("streaming_args"), WR_VIEW_INIT("done"), LAST};
static const struct wr_view alert_levels[] = {WR_VIEW_INIT("warn"), WR_VIEW_INIT("error"), LAST};
static const struct wr_view alert_sources[] = {WR_VIEW_INIT("worker"), WR_VIEW_INIT("engine"),
					       WR_VIEW_INIT("compactor"), WR_VIEW_INIT("agents_md"),
					       LAST};

/* ---- members ---- */

#define FIELD(name, must_be, ...)                           \
	{                                                   \
		WR_SCHEMA_FIELD(name, must_be), __VA_ARGS__ \
	}
#define STRING(name) FIELD(name, "a string", .type = WR_SCHEMA_STRING)
#define U64(name) FIELD(name, "a whole number", .type = WR_SCHEMA_U64)
#define U32(name) FIELD(name, "a whole number below 2^32", .type = WR_SCHEMA_U32)
#define I64(name) FIELD(name, "a whole number", .type = WR_SCHEMA_I64)
#define BOOL(name) FIELD(name, "true or false", .type = WR_SCHEMA_BOOL)
#define ANY(name) FIELD(name, "a JSON value", .type = WR_SCHEMA_ANY)
#define ANYS(name) FIELD(name, "a list", .type = WR_SCHEMA_ANYS)
#define UUID(name) FIELD(name, "a UUID with hyphens", .type = WR_SCHEMA_UUID)
#define OPTIONAL_STRING(name) \
	FIELD(name, "a string or null", .type = WR_SCHEMA_STRING, .rule = WR_SCHEMA_OPTIONAL)
#define NULLABLE_U64(name) \
	FIELD(name, "a whole number or null", .type = WR_SCHEMA_U64, .rule = WR_SCHEMA_NULLABLE)
#define DEFAULT_U64(name)                                                                 \
	FIELD(name, "a whole number", .type = WR_SCHEMA_U64, .rule = WR_SCHEMA_DEFAULTED, \
	      .otherwise = WR_VIEW_INIT("0"))
#define DEFAULT_BOOL(name)                                                                \
	FIELD(name, "true or false", .type = WR_SCHEMA_BOOL, .rule = WR_SCHEMA_DEFAULTED, \
	      .otherwise = WR_VIEW_INIT("false"))
#define WORD(name, must_be, list) FIELD(name, must_be, .type = WR_SCHEMA_WORD, .of.words = list)
#define OBJECT(name, schema) \
	FIELD(name, "an object", .type = WR_SCHEMA_OBJECT, .of.object = &schema)
#define OBJECTS(name, schema) \
	FIELD(name, "a list of objects", .type = WR_SCHEMA_OBJECTS, .of.object = &schema)
#define UNIONS(name, variants_of) \
	FIELD(name, "a list of objects", .type = WR_SCHEMA_UNIONS, .of.variants = &variants_of)

/* Members of a variant, with their place among the union's names. */
#define VARIANT_STRING(name, place) \
	FIELD(name, "a string", .type = WR_SCHEMA_STRING, .slot = (place))
#define VARIANT_U32(name, place) \
	FIELD(name, "a whole number below 2^32", .type = WR_SCHEMA_U32, .slot = (place))

/* Members that core keeps; the last word is where. */
#define STRING_IN(name, place) \
	FIELD(name, "a string", .type = WR_SCHEMA_STRING, .slot = WR_PROTOCOL_##place)
#define U64_IN(name, a_rule, place)                                                      \
	FIELD(name, "a whole number", .type = WR_SCHEMA_U64, .rule = WR_SCHEMA_##a_rule, \
	      .slot = WR_PROTOCOL_##place)
#define WORD_IN(name, must_be, list, place) \
	FIELD(name, must_be, .type = WR_SCHEMA_WORD, .of.words = list, .slot = WR_PROTOCOL_##place)

#define ONE_OF_STATUSES "\"idle\", \"running\" or \"paused\""
#define A_RESULT "\"finished\", \"paused\", \"limit_reached\" or \"rolled_back\""
#define A_TURN_RESULT "\"finished\" or \"paused\""
#define AN_INVOKE_KIND \
	"\"user_send\", \"notify\", \"worker_event\", \"system_reminder\" or \"wakeup\""

/* ---- segments of a message ---- */

enum {
	SEGMENT_KIND,
	SEGMENT_CONTENT,
	SEGMENT_ID,
	SEGMENT_CHARS,
	SEGMENT_LINES,
	SEGMENT_PATH,
	SEGMENT_SLUG
};
static const struct wr_schema_field segment_names[] = {
	[SEGMENT_KIND] = WR_SCHEMA_KIND,	   [SEGMENT_CONTENT] = WR_SCHEMA_NAME("content"),
	[SEGMENT_ID] = WR_SCHEMA_NAME("id"),	   [SEGMENT_CHARS] = WR_SCHEMA_NAME("chars"),
	[SEGMENT_LINES] = WR_SCHEMA_NAME("lines"), [SEGMENT_PATH] = WR_SCHEMA_NAME("path"),
	[SEGMENT_SLUG] = WR_SCHEMA_NAME("slug"),
};
static const struct wr_schema_field text_segment[] = {VARIANT_STRING("content", SEGMENT_CONTENT)};
static const struct wr_schema_field paste_segment[] = {
	VARIANT_U32("id", SEGMENT_ID), VARIANT_U32("chars", SEGMENT_CHARS),
	VARIANT_U32("lines", SEGMENT_LINES), VARIANT_STRING("content", SEGMENT_CONTENT)};
static const struct wr_schema_field path_segment[] = {VARIANT_STRING("path", SEGMENT_PATH)};
static const struct wr_schema_field slug_segment[] = {VARIANT_STRING("slug", SEGMENT_SLUG)};
static const struct wr_schema_variant segment_variants[] = {
	{WR_VIEW_INIT("text"), WR_SCHEMA_INIT(text_segment)},
	{WR_VIEW_INIT("paste"), WR_SCHEMA_INIT(paste_segment)},
	{WR_VIEW_INIT("file_ref"), WR_SCHEMA_INIT(path_segment)},
	{WR_VIEW_INIT("knowledge_ref"), WR_SCHEMA_INIT(slug_segment)},
	{WR_VIEW_INIT("workflow_invoke"), WR_SCHEMA_INIT(slug_segment)},
};
static const struct wr_schema_union segments = {WR_SCHEMA_INIT(segment_names), segment_variants,
						WR_COUNT(segment_variants), NULL};

/* ---- the parts of a snapshot ---- */

enum { BLOCK_KIND, BLOCK_TEXT, BLOCK_FINISHED, BLOCK_ID, BLOCK_NAME, BLOCK_ARGS, BLOCK_STATE };
static const struct wr_schema_field block_names[] = {
	[BLOCK_KIND] = WR_SCHEMA_KIND,
	[BLOCK_TEXT] = WR_SCHEMA_NAME("text"),
	[BLOCK_FINISHED] = WR_SCHEMA_NAME("finished"),
	[BLOCK_ID] = WR_SCHEMA_NAME("id"),
	[BLOCK_NAME] = WR_SCHEMA_NAME("name"),
	[BLOCK_ARGS] = WR_SCHEMA_NAME("args"),
	[BLOCK_STATE] = WR_SCHEMA_NAME("state"),
};
static const struct wr_schema_field text_block[] = {
	VARIANT_STRING("text", BLOCK_TEXT),
	FIELD("finished", "true or false", .type = WR_SCHEMA_BOOL, .rule = WR_SCHEMA_OMITTED,
	      .otherwise = WR_VIEW_INIT("false"), .slot = BLOCK_FINISHED),
};
static const struct wr_schema_field tool_call_block[] = {
	VARIANT_STRING("id", BLOCK_ID),
	VARIANT_STRING("name", BLOCK_NAME),
	VARIANT_STRING("args", BLOCK_ARGS),
	FIELD("state", "\"pending\", \"streaming_args\" or \"done\"", .type = WR_SCHEMA_WORD,
	      .rule = WR_SCHEMA_OMITTED, .otherwise = WR_VIEW_INIT("\"pending\""),
	      .of.words = call_states, .slot = BLOCK_STATE),
};
static const struct wr_schema_variant block_variants[] = {
	{WR_VIEW_INIT("text"), WR_SCHEMA_INIT(text_block)},
	{WR_VIEW_INIT("thinking"), WR_SCHEMA_INIT(text_block)},
	{WR_VIEW_INIT("tool_call"), WR_SCHEMA_INIT(tool_call_block)},
};
static const struct wr_schema_union blocks = {
	WR_SCHEMA_INIT(block_names), block_variants, WR_COUNT(block_variants),
	"`kind` of a block must be \"text\", \"thinking\" or \"tool_call\""};
static const struct wr_schema_field in_flight_fields[] = {
	FIELD("blocks", "a list of objects", .type = WR_SCHEMA_UNIONS, .rule = WR_SCHEMA_OMITTED,
	      .otherwise = WR_VIEW_INIT("[]"), .of.variants = &blocks)};
static const struct wr_schema in_flight = WR_SCHEMA_INIT(in_flight_fields);
static const struct wr_schema_field greeting_fields[] = {
	STRING("worker_name"),
	STRING("cwd"),
	STRING("provider"),
	STRING("model"),
	STRING("scope_summary"),
	FIELD("tools", "a list of strings", .type = WR_SCHEMA_STRINGS),
	DEFAULT_U64("context_window"),
	DEFAULT_U64("context_tokens"),
};
static const struct wr_schema greeting = WR_SCHEMA_INIT(greeting_fields);
static const struct wr_schema_field snapshot[] = {
	ANYS("entries"),
	OBJECT("greeting", greeting),
	FIELD("status", ONE_OF_STATUSES, .type = WR_SCHEMA_WORD, .rule = WR_SCHEMA_DEFAULTED,
	      .otherwise = WR_VIEW_INIT("\"idle\""), .of.words = worker_statuses),
	FIELD("in_flight", "an object", .type = WR_SCHEMA_OBJECT, .rule = WR_SCHEMA_OMITTED,
	      .otherwise = WR_VIEW_INIT("{}"), .of.object = &in_flight),
};

/* ---- completions and rewinding ---- */

static const struct wr_schema_field completion_fields[] = {STRING("value"), DEFAULT_BOOL("is_dir")};
static const struct wr_schema completion = WR_SCHEMA_INIT(completion_fields);
static const struct wr_schema_field completions[] = {
	WORD("kind", "\"file\", \"knowledge\" or \"workflow\"", completion_kinds),
	OBJECTS("entries", completion)};
static const struct wr_schema_field target_id_fields[] = {UUID("segment_id"),
							  U64("user_input_entry_index")};
static const struct wr_schema target_id = WR_SCHEMA_INIT(target_id_fields);
static const struct wr_schema_field target_fields[] = {
	OBJECT("id", target_id), U64("expected_head_entries"),	     U64("truncate_entries"),
	U64("turn_index"),	 NULLABLE_U64("timestamp_ms"),	     STRING("preview"),
	BOOL("eligible"),	 OPTIONAL_STRING("disabled_reason"), OPTIONAL_STRING("warning"),
};
static const struct wr_schema target = WR_SCHEMA_INIT(target_fields);
static const struct wr_schema_field rewind_targets[] = {U64("head_entries"),
							OBJECTS("targets", target)};
static const struct wr_schema_field summary_fields[] = {
	U64("truncated_to_entries"), U64("discarded_entries"), BOOL("tool_side_effect_warning")};
static const struct wr_schema summary = WR_SCHEMA_INIT(summary_fields);
static const struct wr_schema_field rewind_applied[] = {ANYS("entries"), UNIONS("input", segments),
							OBJECT("summary", summary)};

/* ---- the data of the other events ---- */

static const struct wr_schema_field user_message[] = {UNIONS("segments", segments)};
static const struct wr_schema_field system_item[] = {ANY("item")};
static const struct wr_schema_field invoke_start[] = {WORD("kind", AN_INVOKE_KIND, invoke_kinds)};
static const struct wr_schema_field turn_start[] = {U64_IN("turn", REQUIRED, NUMBER_0)};
static const struct wr_schema_field turn_end[] = {
	U64_IN("turn", REQUIRED, NUMBER_0),
	WORD_IN("result", A_TURN_RESULT, wr_protocol_turn_results, CODE)};
static const struct wr_schema_field llm_call[] = {U64("llm_call")};
static const struct wr_schema_field llm_retry[] = {
	U64("llm_call"),
	U32("failed_attempt"),
	U32("max_attempts"),
	U64("wait_ms"),
	U64("elapsed_ms"),
	FIELD("status", "a whole number below 65536, or null", .type = WR_SCHEMA_U16,
	      .rule = WR_SCHEMA_OPTIONAL),
	STRING("error"),
};
static const struct wr_schema_field llm_continuation[] = {U64("llm_call"), U32("attempt"),
							  U32("max_attempts"), STRING("reason")};
static const struct wr_schema_field text[] = {STRING_IN("text", TEXT)};
static const struct wr_schema_field tool_call_start[] = {STRING_IN("id", ID),
							 STRING_IN("name", NAME)};
static const struct wr_schema_field tool_call_args_delta[] = {STRING_IN("id", ID),
							      STRING_IN("json", TEXT)};
static const struct wr_schema_field tool_call_done[] = {
	STRING_IN("id", ID), STRING_IN("name", NAME), STRING_IN("arguments", TEXT)};
static const struct wr_schema_field tool_result[] = {
	STRING_IN("id", ID),
	STRING_IN("summary", NAME),
	FIELD("output", "a string or null", .type = WR_SCHEMA_STRING, .rule = WR_SCHEMA_OPTIONAL,
	      .slot = WR_PROTOCOL_TEXT),
	FIELD("is_error", "true or false", .type = WR_SCHEMA_BOOL, .rule = WR_SCHEMA_DEFAULTED,
	      .otherwise = WR_VIEW_INIT("false"), .slot = WR_PROTOCOL_FLAG),
};
static const struct wr_schema_field usage[] = {
	U64_IN("input_tokens", NULLABLE, NUMBER_0),
	U64_IN("output_tokens", NULLABLE, NUMBER_1),
	U64_IN("cache_read_input_tokens", OPTIONAL, NUMBER_2),
};
static const struct wr_schema_field run_end[] = {
	WORD_IN("result", A_RESULT, wr_protocol_run_results, CODE)};
static const struct wr_schema_field error[] = {
	WORD_IN("code", "one of the error codes", wr_protocol_error_codes, CODE),
	STRING_IN("message", TEXT)};
static const struct wr_schema_field any_entry[] = {ANY("entry")};
static const struct wr_schema_field any_workers[] = {ANY("workers")};
static const struct wr_schema_field any_result[] = {ANY("result")};
static const struct wr_schema_field status[] = {WORD("status", ONE_OF_STATUSES, worker_statuses)};
static const struct wr_schema_field alert[] = {
	WORD("level", "\"warn\" or \"error\"", alert_levels),
	WORD("source", "\"worker\", \"engine\", \"compactor\" or \"agents_md\"", alert_sources),
	STRING("message"), I64("timestamp_ms")};
static const struct wr_schema_field memory_worker[] = {
	STRING("worker"), STRING("status"),  STRING("run_id"),	 STRING("trigger"),
	STRING("reason"), STRING("message"), I64("timestamp_ms")};
static const struct wr_schema_field compact_done[] = {UUID("new_segment_id")};
static const struct wr_schema_field compact_failed[] = {STRING("error")};

/* ---- the events, those of a running turn first ---- */

#define TYPED(event, members, kind)                                            \
	{                                                                      \
		WR_VIEW_INIT(event), WR_SCHEMA_INIT(members), WR_OUTPUT_##kind \
	}
#define OPAQUE(event, members) TYPED(event, members, OPAQUE)
#define NO_DATA(event, kind)                                     \
	{                                                        \
		WR_VIEW_INIT(event), {NULL, 0}, WR_OUTPUT_##kind \
	}

static const struct wr_protocol_event events[] = {
	TYPED("text_delta", text, TEXT_DELTA),
	TYPED("thinking_delta", text, THINKING_DELTA),
	TYPED("tool_call_args_delta", tool_call_args_delta, TOOL_CALL_ARGS_DELTA),
	TYPED("text_done", text, TEXT_DONE),
	NO_DATA("thinking_start", THINKING_START),
	TYPED("thinking_done", text, THINKING_DONE),
	TYPED("tool_call_start", tool_call_start, TOOL_CALL_START),
	TYPED("tool_call_done", tool_call_done, TOOL_CALL_DONE),
	TYPED("tool_result", tool_result, TOOL_RESULT),
	TYPED("usage", usage, USAGE),
	TYPED("run_end", run_end, RUN_END),
	TYPED("error", error, ERROR),
	TYPED("turn_start", turn_start, TURN_START),
	TYPED("turn_end", turn_end, TURN_END),
	OPAQUE("user_message", user_message),
	OPAQUE("system_item", system_item),
	OPAQUE("invoke_start", invoke_start),
	OPAQUE("llm_call_start", llm_call),
	OPAQUE("llm_call_end", llm_call),
	OPAQUE("llm_retry", llm_retry),
	OPAQUE("llm_continuation", llm_continuation),
	OPAQUE("snapshot", snapshot),
	OPAQUE("segment_rotated", any_entry),
	OPAQUE("status", status),
	OPAQUE("completions", completions),
	OPAQUE("rewind_targets", rewind_targets),
	OPAQUE("rewind_applied", rewind_applied),
	OPAQUE("workers_listed", any_workers),
	OPAQUE("worker_restored", any_result),
	OPAQUE("peer_registered", any_result),
	OPAQUE("alert", alert),
	OPAQUE("memory_worker", memory_worker),
	NO_DATA("compact_start", OPAQUE),
	OPAQUE("compact_done", compact_done),
	OPAQUE("compact_failed", compact_failed),
	NO_DATA("shutdown", OPAQUE),
};

const struct wr_protocol_event *wr_protocol_event_find(struct wr_view name)
{
	for (unsigned i = 0; i < WR_COUNT(events); i++)
		if (wr_view_equal(events[i].name, name))
			return &events[i];
	return NULL;
}
