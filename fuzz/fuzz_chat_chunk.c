/*
 * What a model server says of an answer. Options: a piece or a whole answer, which allocation
 * fails. Oracles: documents.h; what has arguments or an error is in the document; a text is there
 * only with a choice.
 */
#include "documents.h"
#include "wire/chat_json.h"

static enum wr_status read_form(struct documents_meaning *meaning, struct wr_buf *texts,
				struct wr_view document, enum wr_chat_form form)
{
	static struct wr_chat_chunk chunk;
	struct wr_error error = {.status = WR_OK};
	enum wr_status status = wr_chat_read(&chunk, texts, document, form, &error);

	CHECK_STATUS(error.status, status);
	CHECK(error.offset <= document.bytes);
	if (status != WR_OK)
		return status;
	CHECK(chunk.has_choice || (chunk.content.data == NULL && chunk.reasoning.data == NULL &&
				   chunk.finish_reason.data == NULL && chunk.call_count == 0));
	CHECK(chunk.call_count <= WR_CHAT_CALLS_MAX && chunk.error_status <= 999);
	CHECK(chunk.has_error || (chunk.error_message.data == NULL && chunk.error_status == 0));
	documents_number(meaning, chunk.has_choice);
	documents_text(meaning, chunk.content);
	documents_text(meaning, chunk.reasoning);
	documents_text(meaning, chunk.finish_reason);
	for (uint32_t i = 0; i < chunk.call_count; i++) {
		documents_number(meaning, chunk.calls[i].has_index ? chunk.calls[i].index : 0);
		documents_text(meaning, chunk.calls[i].id);
		documents_text(meaning, chunk.calls[i].name);
		documents_text(meaning, chunk.calls[i].arguments);
	}
	documents_number(meaning, chunk.has_usage);
	documents_number(meaning, chunk.usage.has_input ? chunk.usage.input : 0);
	documents_number(meaning, chunk.usage.has_output ? chunk.usage.output : 0);
	documents_number(meaning, chunk.usage.has_cached ? chunk.usage.cached : 0);
	documents_number(meaning, chunk.has_error);
	documents_text(meaning, chunk.error_message);
	documents_number(meaning, chunk.error_status);
	return status;
}

static enum wr_status read_piece(struct documents_meaning *meaning, struct wr_buf *texts,
				 struct wr_view document)
{
	return read_form(meaning, texts, document, WR_CHAT_PIECE);
}

static enum wr_status read_whole(struct documents_meaning *meaning, struct wr_buf *texts,
				 struct wr_view document)
{
	return read_form(meaning, texts, document, WR_CHAT_WHOLE);
}

void fuzz_one(struct wr_view input)
{
	uint8_t form = fuzz_u8(&input) % 2, failing = fuzz_u8(&input);

	if (input.bytes <= DOCUMENTS_ROOM / 8)
		documents_check(form == 0 ? read_piece : read_whole, input, failing);
}
