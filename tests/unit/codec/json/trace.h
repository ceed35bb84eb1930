/*
 * trace — a document as the sequence of its tokens, in one line of text.
 *
 *	{ } [ ]     begin and end        N"..." S"..."  name, string (as spelled)
 *	#12         number               T F 0          true, false, null
 *	.           the end              !STATUS@9      a failure and its offset
 *
 * The document is read whole or in pieces, every piece ending at an unmapped page. With offsets,
 * each token is followed by @ and where it begins.
 */
#ifndef WR_TESTS_UNIT_CODEC_JSON_TRACE_H
#define WR_TESTS_UNIT_CODEC_JSON_TRACE_H

#include "bytes/buf.h"
#include "codec/json/reader.h"
#include "harness/harness.h"

static inline void trace_text(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

static inline void trace_quoted(struct wr_buf *out, char kind, struct wr_view text)
{
	wr_buf_append_byte(out, kind);
	wr_buf_append_byte(out, '"');
	wr_buf_append_view(out, text);
	wr_buf_append_byte(out, '"');
}

static inline void trace_token(struct wr_buf *out, const struct wr_json_reader *reader)
{
	switch (reader->token) {
	case WR_JSON_TOKEN_NAME:
		trace_quoted(out, 'N', reader->text);
		return;
	case WR_JSON_TOKEN_STRING:
		trace_quoted(out, 'S', reader->text);
		return;
	case WR_JSON_TOKEN_NUMBER:
		trace_text(out, "#");
		break;
	case WR_JSON_TOKEN_TRUE:
		CHECK_STRING(reader->text, "true");
		trace_text(out, "T");
		return;
	case WR_JSON_TOKEN_FALSE:
		CHECK_STRING(reader->text, "false");
		trace_text(out, "F");
		return;
	case WR_JSON_TOKEN_NULL:
		CHECK_STRING(reader->text, "null");
		trace_text(out, "0");
		return;
	case WR_JSON_TOKEN_END:
		trace_text(out, ".");
		return;
	case WR_JSON_TOKEN_NONE:
	case WR_JSON_TOKEN_OBJECT_BEGIN:
	case WR_JSON_TOKEN_OBJECT_END:
	case WR_JSON_TOKEN_ARRAY_BEGIN:
	case WR_JSON_TOKEN_ARRAY_END:
		break;
	}
	wr_buf_append_view(out, reader->text);
}

static inline void trace_offset(struct wr_buf *out, const struct wr_json_reader *reader)
{
	wr_buf_append_byte(out, '@');
	wr_buf_append_u64(out, wr_json_reader_offset(reader));
}

static inline void trace_failure(struct wr_buf *out, struct wr_json_reader *reader,
				 enum wr_status status)
{
	size_t offset = wr_json_reader_offset(reader);

	trace_text(out, "!");
	trace_text(out, wr_status_name(status));
	trace_offset(out, reader);
	/* A failure stays, and so does its place. */
	CHECK_STATUS(wr_json_reader_next(reader), status);
	CHECK_U64(wr_json_reader_offset(reader), offset);
	CHECK_U64(wr_json_reader_rest(reader).bytes, 0);
}

/* Traces into `out` until the document ends or fails. The first piece has `first` bytes, the others
 * `step` each, and the end comes after them as a piece of its own. first >= document.bytes: whole.
 */
static inline void trace_document(struct wr_buf *out, struct wr_view document, size_t first,
				  size_t step, bool with_offsets)
{
	struct wr_json_reader reader;
	size_t given = first < document.bytes ? first : document.bytes;
	size_t consumed = 0;
	bool is_last = first >= document.bytes;

	wr_buf_reset(out);
	wr_json_reader_init(&reader, wr_test_guarded(1, wr_view_of(document.data, given)), is_last);
	for (;;) {
		enum wr_status status = wr_json_reader_next(&reader);

		if (status == WR_MORE) {
			CHECK(!is_last);
			consumed = given - wr_json_reader_rest(&reader).bytes;
			is_last = given == document.bytes;
			given = step < document.bytes - given ? given + step : document.bytes;
			wr_json_reader_feed(&reader,
					    wr_test_guarded(1, wr_view_of(document.data + consumed,
									  given - consumed)),
					    is_last);
			continue;
		}
		if (out->bytes != 0)
			wr_buf_append_byte(out, ' ');
		if (status != WR_OK) {
			trace_failure(out, &reader, status);
			return;
		}
		trace_token(out, &reader);
		if (with_offsets)
			trace_offset(out, &reader);
		if (reader.token == WR_JSON_TOKEN_END)
			break;
	}
	CHECK_U64(wr_json_reader_offset(&reader), document.bytes);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(reader.token == WR_JSON_TOKEN_END && reader.depth == 0);
}

/* Reads the document byte by byte and cut in two at every `stride`-th position: all must agree with
 * the whole. */
static inline void trace_check_pieces(struct wr_view document, size_t stride)
{
	struct wr_buf whole, pieces;

	wr_buf_init(&whole, wr_test_allocator(), SIZE_MAX / 2);
	wr_buf_init(&pieces, wr_test_allocator(), SIZE_MAX / 2);
	trace_document(&whole, document, document.bytes, 1, true);
	trace_document(&pieces, document, 0, stride, true);
	CHECK_VIEW(wr_buf_view(&pieces), wr_buf_view(&whole));
	for (size_t cut = 0; cut < document.bytes; cut += stride) {
		trace_document(&pieces, document, cut, document.bytes, true);
		CHECK_VIEW(wr_buf_view(&pieces), wr_buf_view(&whole));
	}
	wr_buf_deinit(&whole);
	wr_buf_deinit(&pieces);
}

#endif
