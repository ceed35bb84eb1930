/* outputs — the output of an execution as JSON and back: it is the same output. */
#ifndef WR_FUZZ_OUTPUTS_H
#define WR_FUZZ_OUTPUTS_H

#include "codec/json/writer.h"
#include "documents.h"
#include "wire/event_json.h"
#include "wire/protocol_json.h"

static inline void outputs_tell(struct documents_meaning *meaning, const struct wr_output *output)
{
	documents_number(meaning, output->kind);
	documents_text(meaning, output->id);
	/* Of an opaque one it may be our own. */
	CHECK(wr_utf8_is_valid(output->name));
	documents_fixed(meaning, output->name);
	documents_text(meaning, output->text);
	documents_number(meaning, output->flag);
	documents_number(meaning, output->code);
	for (unsigned i = 0; i < 3; i++)
		documents_number(meaning, output->has_number[i] ? output->numbers[i] + 1 : 0);
	if (output->kind == WR_OUTPUT_OPAQUE && output->text.data != NULL)
		CHECK(naive_is_json(output->text));
}

static inline bool outputs_are_equal(const struct wr_output *a, const struct wr_output *b)
{
	for (unsigned i = 0; i < 3; i++)
		if (a->has_number[i] != b->has_number[i] ||
		    (a->has_number[i] && a->numbers[i] != b->numbers[i]))
			return false;
	return a->kind == b->kind && a->flag == b->flag && a->code == b->code &&
	       wr_view_equal(a->id, b->id) && wr_view_equal(a->name, b->name) &&
	       wr_view_equal(a->text, b->text) && (a->text.data == NULL) == (b->text.data == NULL);
}

/* The event that streams would show of it reads as the same output. */
static inline void outputs_check_written(const struct wr_output *output)
{
	struct wr_event event = {.kind = WR_EVENT_OUTPUT, .worker = 1, .as = {.output = *output}};
	struct wr_error error = {.status = WR_OK};
	struct wr_json_writer writer;
	struct wr_output again;
	struct wr_buf out, texts;

	wr_buf_init(&out, wr_test_allocator(), DOCUMENTS_ROOM * 8);
	wr_buf_init(&texts, wr_test_allocator(), DOCUMENTS_ROOM * 8);
	wr_json_writer_init(&writer, &out);
	CHECK(wr_protocol_event_json(&writer, &event));
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK(naive_is_json(wr_buf_view(&out)));
	CHECK_STATUS(wr_protocol_event_read(&again, &texts, wr_buf_view(&out), &error), WR_OK);
	CHECK(outputs_are_equal(output, &again));
	wr_buf_deinit(&out);
	wr_buf_deinit(&texts);
}

#endif
