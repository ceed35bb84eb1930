/*
 * JSON, read and written. Options: suffix, cuts, which allocation fails.
 *
 * A second reader accepts the same; cutting gives the same tokens, failures and offsets; a failure
 * stays when more follows; what is written of the tokens reads as the same tokens, and written
 * again is the same text; a value taken raw or skipped is a document by itself.
 */
#include "codec/json/number.h"
#include "codec/json/reader.h"
#include "codec/json/writer.h"
#include "fuzz.h"
#include "unit/codec/json/naive.h"
#include "unit/codec/json/trace.h"

enum { ROOM = 1 << 20 };

/* ---- reading ---- */

static void check_cuts(struct wr_view document, struct fuzz_cuts cuts)
{
	struct wr_buf whole, pieces;

	wr_buf_init(&whole, wr_test_allocator(), ROOM);
	wr_buf_init(&pieces, wr_test_allocator(), ROOM);
	trace_document(&whole, document, document.bytes, 1, true);
	trace_document(&pieces, document, fuzz_cut(&cuts, 0, document.bytes),
		       1 + (size_t)cuts.size_max, true);
	CHECK_VIEW(wr_buf_view(&pieces), wr_buf_view(&whole));
	wr_buf_deinit(&whole);
	wr_buf_deinit(&pieces);
}

/* Tokens up to the end, or what it failed with. */
static enum wr_status read_all(struct wr_json_reader *reader, struct wr_view document, bool is_last)
{
	enum wr_status status;

	wr_json_reader_init(reader, document, is_last);
	do {
		status = wr_json_reader_next(reader);
		if (status == WR_OK)
			CHECK(fuzz_lies_in(reader->text, document));
	} while (status == WR_OK && reader->token != WR_JSON_TOKEN_END);
	CHECK(wr_json_reader_offset(reader) <= document.bytes);
	return status;
}

static void check_suffix(struct wr_view document, struct wr_view suffix)
{
	struct wr_json_reader reader;
	enum wr_status status = read_all(&reader, document, false);
	size_t offset = wr_json_reader_offset(&reader);

	CHECK(status != WR_OK);
	if (status == WR_MORE)
		return;
	CHECK_STATUS(read_all(&reader, fuzz_join(1, document, suffix), true), status);
	CHECK_U64(wr_json_reader_offset(&reader), offset);
}

/* ---- writing ---- */

static void write_number(struct wr_json_writer *writer, struct wr_view text)
{
	uint64_t value;
	int64_t signed_value;

	if (wr_json_parse_u64(&value, text))
		wr_json_u64(writer, value);
	else if (wr_json_parse_i64(&signed_value, text))
		wr_json_i64(writer, signed_value);
	else
		wr_json_raw(writer, text);
}

static void write_token(struct wr_json_writer *writer, const struct wr_json_reader *reader)
{
	static char room[ROOM];
	struct wr_view text = WR_VIEW_NULL;

	if (reader->token == WR_JSON_TOKEN_NAME || reader->token == WR_JSON_TOKEN_STRING)
		text = wr_view_of(room, wr_json_decode_string_to(room, reader->text));
	switch (reader->token) {
	case WR_JSON_TOKEN_OBJECT_BEGIN:
		wr_json_object_begin(writer);
		break;
	case WR_JSON_TOKEN_OBJECT_END:
		wr_json_object_end(writer);
		break;
	case WR_JSON_TOKEN_ARRAY_BEGIN:
		wr_json_array_begin(writer);
		break;
	case WR_JSON_TOKEN_ARRAY_END:
		wr_json_array_end(writer);
		break;
	case WR_JSON_TOKEN_NAME:
		CHECK(wr_json_reader_is(reader, text));
		wr_json_name(writer, text);
		break;
	case WR_JSON_TOKEN_STRING:
		CHECK(wr_json_reader_is(reader, text));
		CHECK(text.bytes <= reader->text.bytes);
		CHECK(reader->has_escapes || wr_view_equal(text, reader->text));
		wr_json_string(writer, text);
		break;
	case WR_JSON_TOKEN_NUMBER:
		write_number(writer, reader->text);
		break;
	case WR_JSON_TOKEN_TRUE:
	case WR_JSON_TOKEN_FALSE:
		wr_json_bool(writer, reader->token == WR_JSON_TOKEN_TRUE);
		break;
	case WR_JSON_TOKEN_NULL:
		wr_json_null(writer);
		break;
	case WR_JSON_TOKEN_NONE:
	case WR_JSON_TOKEN_END:
		break;
	}
}

/* What a good document says, in our spelling. Status of the buffer. */
static enum wr_status rewrite(struct wr_buf *out, struct wr_view document)
{
	struct wr_json_reader reader;
	struct wr_json_writer writer;

	wr_buf_reset(out);
	wr_json_writer_init(&writer, out);
	wr_json_reader_init(&reader, document, true);
	do {
		CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
		write_token(&writer, &reader);
	} while (reader.token != WR_JSON_TOKEN_END);
	return wr_buf_status(out);
}

/* The same tokens, decoded, in both. */
static void check_same(struct wr_view a_text, struct wr_view b_text)
{
	static char a_room[ROOM], b_room[ROOM];
	struct wr_json_reader a, b;

	wr_json_reader_init(&a, a_text, true);
	wr_json_reader_init(&b, b_text, true);
	do {
		CHECK_STATUS(wr_json_reader_next(&a), WR_OK);
		CHECK_STATUS(wr_json_reader_next(&b), WR_OK);
		CHECK(a.token == b.token && a.depth == b.depth);
		if (a.token == WR_JSON_TOKEN_NUMBER)
			CHECK(wr_json_parse_double(a.text) == wr_json_parse_double(b.text));
		if (a.token == WR_JSON_TOKEN_NAME || a.token == WR_JSON_TOKEN_STRING)
			CHECK_VIEW(wr_view_of(a_room, wr_json_decode_string_to(a_room, a.text)),
				   wr_view_of(b_room, wr_json_decode_string_to(b_room, b.text)));
	} while (a.token != WR_JSON_TOKEN_END);
}

static void check_written(struct wr_view document, uint8_t failing)
{
	struct wr_buf once, twice;
	enum wr_status status;

	wr_buf_init(&once, wr_test_allocator(), ROOM);
	wr_buf_init(&twice, wr_test_allocator(), ROOM);
	CHECK_STATUS(rewrite(&once, document), WR_OK);
	CHECK(naive_is_json(wr_buf_view(&once)));
	check_same(document, wr_buf_view(&once));
	CHECK_STATUS(rewrite(&twice, wr_buf_view(&once)), WR_OK);
	CHECK_VIEW(wr_buf_view(&twice), wr_buf_view(&once));
	wr_buf_deinit(&twice);
	wr_test_fail_allocation(failing, true);
	status = rewrite(&twice, document);
	CHECK_STATUS(status, wr_test_allocation_failed() ? WR_NO_MEMORY : WR_OK);
	wr_buf_deinit(&once);
	wr_buf_deinit(&twice);
}

/* The first value within the document's, raw and skipped. */
static void check_raw(struct wr_view document)
{
	struct wr_json_reader raw, skip;
	struct wr_view value;

	wr_json_reader_init(&raw, document, true);
	wr_json_reader_init(&skip, document, true);
	for (;;) {
		CHECK_STATUS(wr_json_reader_next(&raw), WR_OK);
		CHECK_STATUS(wr_json_reader_next(&skip), WR_OK);
		if (raw.token == WR_JSON_TOKEN_END)
			return;
		if (raw.token == WR_JSON_TOKEN_OBJECT_END || raw.token == WR_JSON_TOKEN_ARRAY_END ||
		    (raw.depth == 1 && raw.token != WR_JSON_TOKEN_NAME))
			continue;
		CHECK_STATUS(wr_json_reader_raw(&raw, &value), WR_OK);
		CHECK_STATUS(wr_json_reader_skip(&skip), WR_OK);
		CHECK(fuzz_lies_in(value, document) && naive_is_json(value));
		CHECK(raw.token == skip.token && raw.depth == skip.depth);
		CHECK_U64(wr_json_reader_offset(&raw), wr_json_reader_offset(&skip));
	}
}

void fuzz_one(struct wr_view input)
{
	struct wr_view suffix = fuzz_suffix(fuzz_u8(&input));
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input));
	uint8_t failing = fuzz_u8(&input);
	struct wr_json_reader reader;

	if (input.bytes > ROOM / 8)
		return;
	input = wr_test_guarded(0, input);
	CHECK((read_all(&reader, input, true) == WR_OK) == naive_is_json(input));
	check_cuts(input, cuts);
	check_suffix(input, suffix);
	if (!naive_is_json(input))
		return;
	check_written(input, failing);
	check_raw(input);
}
