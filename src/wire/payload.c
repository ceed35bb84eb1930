/*
 * A payload is a run of pieces, each a constant text followed by one value of the event: making it
 * is part of the way of every input and every token, and so what is constant is prepared.
 */
#include "wire/payload.h"

#include "check.h"
#include "wire/append.h"
#include "wire/dropped_json.h"
#include "wire/protocol_table.h"

enum slot {
	SLOT_END,
	SLOT_ID, /* strings, between the quotes of the pieces around them */
	SLOT_NAME,
	SLOT_TEXT,
	SLOT_NUMBER_0, /* numbers; null when absent */
	SLOT_NUMBER_1,
	SLOT_FLAG,
	SLOT_RUN_RESULT, /* words */
	SLOT_TURN_RESULT,
	SLOT_ERROR_CODE,
	SLOT_OUTPUT_MEMBER, /* whole members, left out when absent */
	SLOT_CACHE_MEMBER
};

struct piece {
	struct wr_view before;
	enum slot slot;
};

#define EVENT(name) "\"event\":\"" name "\""
#define DATA(name) EVENT(name) ",\"data\":{"
#define PIECE(text, slot)                \
	{                                \
		WR_VIEW_INIT(text), slot \
	}
#define END(text) PIECE(text, SLOT_END)

static const struct piece text_delta[] = {PIECE(DATA("text_delta") "\"text\":\"", SLOT_TEXT),
					  END("\"}}")};
static const struct piece text_done[] = {PIECE(DATA("text_done") "\"text\":\"", SLOT_TEXT),
					 END("\"}}")};
static const struct piece thinking_start[] = {END(EVENT("thinking_start") "}")};
static const struct piece thinking_delta[] = {
	PIECE(DATA("thinking_delta") "\"text\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece thinking_done[] = {PIECE(DATA("thinking_done") "\"text\":\"", SLOT_TEXT),
					     END("\"}}")};
static const struct piece tool_call_start[] = {PIECE(DATA("tool_call_start") "\"id\":\"", SLOT_ID),
					       PIECE("\",\"name\":\"", SLOT_NAME), END("\"}}")};
static const struct piece tool_call_args_delta[] = {
	PIECE(DATA("tool_call_args_delta") "\"id\":\"", SLOT_ID),
	PIECE("\",\"json\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece tool_call_done[] = {PIECE(DATA("tool_call_done") "\"id\":\"", SLOT_ID),
					      PIECE("\",\"name\":\"", SLOT_NAME),
					      PIECE("\",\"arguments\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece tool_result[] = {
	PIECE(DATA("tool_result") "\"id\":\"", SLOT_ID), PIECE("\",\"summary\":\"", SLOT_NAME),
	PIECE("\"", SLOT_OUTPUT_MEMBER), PIECE(",\"is_error\":", SLOT_FLAG), END("}}")};
static const struct piece usage[] = {PIECE(DATA("usage") "\"input_tokens\":", SLOT_NUMBER_0),
				     PIECE(",\"output_tokens\":", SLOT_NUMBER_1),
				     PIECE("", SLOT_CACHE_MEMBER), END("}}")};
static const struct piece run_end[] = {PIECE(DATA("run_end") "\"result\":\"", SLOT_RUN_RESULT),
				       END("\"}}")};
static const struct piece error[] = {PIECE(DATA("error") "\"code\":\"", SLOT_ERROR_CODE),
				     PIECE("\",\"message\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece turn_start[] = {PIECE(DATA("turn_start") "\"turn\":", SLOT_NUMBER_0),
					  END("}}")};
static const struct piece turn_end[] = {PIECE(DATA("turn_end") "\"turn\":", SLOT_NUMBER_0),
					PIECE(",\"result\":\"", SLOT_TURN_RESULT), END("\"}}")};

static const struct piece *const payloads[] = {
	[WR_OUTPUT_TEXT_DELTA] = text_delta,
	[WR_OUTPUT_TEXT_DONE] = text_done,
	[WR_OUTPUT_THINKING_START] = thinking_start,
	[WR_OUTPUT_THINKING_DELTA] = thinking_delta,
	[WR_OUTPUT_THINKING_DONE] = thinking_done,
	[WR_OUTPUT_TOOL_CALL_START] = tool_call_start,
	[WR_OUTPUT_TOOL_CALL_ARGS_DELTA] = tool_call_args_delta,
	[WR_OUTPUT_TOOL_CALL_DONE] = tool_call_done,
	[WR_OUTPUT_TOOL_RESULT] = tool_result,
	[WR_OUTPUT_USAGE] = usage,
	[WR_OUTPUT_RUN_END] = run_end,
	[WR_OUTPUT_ERROR] = error,
	[WR_OUTPUT_TURN_START] = turn_start,
	[WR_OUTPUT_TURN_END] = turn_end,
};

static void put_number(struct wr_buf *out, const struct wr_output *output, unsigned index)
{
	if (output->has_number[index])
		wr_append_number(out, output->numbers[index]);
	else
		wr_append(out, WR_VIEW("null"));
}

static void put_output_member(struct wr_buf *out, struct wr_view text)
{
	if (text.data == NULL)
		return;
	wr_append(out, WR_VIEW(",\"output\":\""));
	wr_append_string(out, text);
	wr_append(out, WR_VIEW("\""));
}

static void put_cache_member(struct wr_buf *out, const struct wr_output *output)
{
	if (!output->has_number[2])
		return;
	wr_append(out, WR_VIEW(",\"cache_read_input_tokens\":"));
	put_number(out, output, 2);
}

static void put_slot(struct wr_buf *out, const struct wr_output *output, enum slot slot)
{
	switch (slot) {
	case SLOT_END:
		return;
	case SLOT_ID:
		wr_append_string(out, output->id);
		return;
	case SLOT_NAME:
		wr_append_string(out, output->name);
		return;
	case SLOT_TEXT:
		wr_append_string(out, output->text);
		return;
	case SLOT_NUMBER_0:
		put_number(out, output, 0);
		return;
	case SLOT_NUMBER_1:
		put_number(out, output, 1);
		return;
	case SLOT_FLAG:
		wr_append(out, output->flag ? WR_VIEW("true") : WR_VIEW("false"));
		return;
	case SLOT_RUN_RESULT:
		wr_append(out, wr_protocol_run_results[output->code]);
		return;
	case SLOT_TURN_RESULT:
		wr_append(out, wr_protocol_turn_results[output->code]);
		return;
	case SLOT_ERROR_CODE:
		wr_append(out, wr_protocol_error_codes[output->code]);
		return;
	case SLOT_OUTPUT_MEMBER:
		put_output_member(out, output->text);
		return;
	case SLOT_CACHE_MEMBER:
		put_cache_member(out, output);
		return;
	}
	wr_unreachable();
}

static void put_opaque(struct wr_buf *out, const struct wr_output *output)
{
	wr_append(out, WR_VIEW("\"event\":\""));
	wr_append_string(out, output->name);
	if (output->text.bytes != 0) {
		wr_append(out, WR_VIEW("\",\"data\":"));
		wr_append(out, output->text);
		wr_append(out, WR_VIEW("}"));
	} else {
		wr_append(out, WR_VIEW("\"}"));
	}
}

static void put_output(struct wr_buf *out, const struct wr_output *output)
{
	const struct piece *piece;

	if (output->kind == WR_OUTPUT_OPAQUE) {
		put_opaque(out, output);
		return;
	}
	piece = payloads[output->kind];
	wr_append(out, piece->before);
	while (piece->slot != SLOT_END) {
		put_slot(out, output, piece->slot);
		piece++;
		wr_append(out, piece->before);
	}
}

static void put_input(struct wr_buf *out, const struct wr_input *input)
{
	if (input->kind == WR_INPUT_USER) {
		wr_append(out, WR_VIEW(DATA("user_message") "\"segments\":[{\"kind\":\"text\","
							    "\"content\":\""));
		wr_append_string(out, input->content);
		wr_append(out, WR_VIEW("\"}]}}"));
	} else {
		wr_append(out, WR_VIEW(DATA("system_item") "\"item\":{\"kind\":\"embedded_worker_"
							   "system_input\",\"content\":\""));
		wr_append_string(out, input->content);
		wr_append(out, WR_VIEW("\"}}}"));
	}
}

/* Additional members tell phases apart that share a status, and why. */
static void put_phase(struct wr_buf *out, enum wr_phase phase, struct wr_view cause,
		      struct wr_view dropped)
{
	wr_append(out, WR_VIEW(DATA("status") "\"status\":\""));
	wr_append(out, wr_view_of_string(wr_phase_protocol_status(phase)));
	wr_append(out, WR_VIEW("\",\"phase\":\""));
	wr_append(out, wr_view_of_string(wr_phase_name(phase)));
	wr_append(out, WR_VIEW("\",\"cause\":\""));
	wr_append_string(out, cause);
	wr_append(out, WR_VIEW("\""));
	if (dropped.data != NULL)
		wr_append_dropped(out, dropped);
	wr_append(out, WR_VIEW("}}"));
}

/* Without data, it has the member beside its name. */
static void put_end(struct wr_buf *out, struct wr_view dropped)
{
	wr_append(out, WR_VIEW(EVENT("shutdown")));
	if (dropped.data != NULL)
		wr_append_dropped(out, dropped);
	wr_append(out, WR_VIEW("}"));
}

bool wr_payload_is_shown(const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_WORKER_CREATED:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		return false;
	case WR_EVENT_PHASE_CHANGED:
		return wr_phase_protocol_status((enum wr_phase)event->as.phase.to) != NULL;
	case WR_EVENT_INPUT_ACCEPTED:
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
	case WR_EVENT_OUTPUT:
		return true;
	}
	wr_unreachable();
}

void wr_payload_put(struct wr_buf *out, const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_INPUT_ACCEPTED:
		put_input(out, &event->as.input.input);
		return;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		put_end(out, event->as.ended.dropped);
		return;
	case WR_EVENT_PHASE_CHANGED:
		put_phase(out, (enum wr_phase)event->as.phase.to, event->as.phase.cause,
			  event->as.phase.dropped);
		return;
	case WR_EVENT_OUTPUT:
		put_output(out, &event->as.output);
		return;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_WORKER_CREATED:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		break;
	}
	wr_unreachable(); /* wr_payload_is_shown was not asked */
}
