/*
 * Bodies of messages. Options: suffix, cuts, framing (0: chunked; 1: a length, which follows in two
 * bytes; 2: until the end; 3: the rest is a payload that we write as chunks ourselves).
 *
 * A second decoder gives the same payload and the same end; cutting changes nothing; every call
 * makes progress or asks for more; a failure stays; nothing behind the end is taken; what we write
 * is read as what it was.
 */
#include "codec/http/body.h"
#include "codec/http/message.h"
#include "fuzz.h"
#include "unit/codec/http/naive_body.h"

enum { ROOM = 65536 };

struct decoded {
	enum wr_status status;
	size_t consumed, bytes;
	char payload[ROOM];
};

static void check_stays_failed(struct wr_http_body *body, enum wr_status status)
{
	struct wr_view piece;
	size_t consumed = 7;

	CHECK_STATUS(wr_http_body_feed(body, &piece, &consumed, WR_VIEW("0\r\n\r\n")), status);
	CHECK_U64(consumed, 0);
	CHECK(!body->is_complete);
}

/* Decodes `input`, cut; stops like a connection at the end of the body or the first failure. */
static void decode(struct decoded *out, struct wr_http_body *body, struct wr_view input,
		   struct fuzz_cuts cuts)
{
	size_t given = 0;

	out->status = WR_MORE;
	out->consumed = out->bytes = 0;
	while (!body->is_complete && (out->status == WR_OK || out->status == WR_MORE)) {
		struct wr_view piece = WR_VIEW_NULL, left;
		size_t consumed = 0;

		if (out->status == WR_MORE) {
			CHECK_U64(out->consumed, given);
			if (given == input.bytes)
				break;
			given = fuzz_cut(&cuts, given, input.bytes);
		}
		left = wr_test_guarded(
			1, wr_view_of(input.data + out->consumed, given - out->consumed));
		out->status = wr_http_body_feed(body, &piece, &consumed, left);
		CHECK(consumed <= left.bytes && fuzz_lies_in(piece, left));
		CHECK(out->status != WR_OK || consumed != 0 || body->is_complete);
		CHECK(out->bytes + piece.bytes <= sizeof out->payload);
		if (piece.bytes != 0)
			memcpy(out->payload + out->bytes, piece.data, piece.bytes);
		out->bytes += piece.bytes;
		out->consumed += consumed;
	}
	if (body->is_complete)
		out->status = WR_OK;
	CHECK_U64(body->payload_bytes, out->bytes);
	if (out->status != WR_OK && out->status != WR_MORE)
		check_stays_failed(body, out->status);
}

static void check_chunked(struct wr_view input, struct wr_view suffix, struct fuzz_cuts cuts)
{
	static struct naive_body naive;
	static struct decoded whole, pieces, more;
	const struct fuzz_cuts once = {255, 0};
	enum wr_status expected = naive_decode(&naive, input);
	struct wr_http_body body;

	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	decode(&pieces, &body, input, cuts);
	CHECK_STATUS(pieces.status, expected);
	CHECK_VIEW(wr_view_of(pieces.payload, pieces.bytes),
		   wr_view_of(naive.payload, naive.payload_bytes));
	if (expected == WR_OK)
		CHECK_U64(pieces.consumed, naive.at);
	CHECK_STATUS(wr_http_body_end(&body), expected == WR_MORE ? WR_CLOSED : expected);

	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	decode(&whole, &body, input, once);
	CHECK_STATUS(whole.status, pieces.status);
	CHECK_VIEW(wr_view_of(whole.payload, whole.bytes),
		   wr_view_of(pieces.payload, pieces.bytes));
	if (expected == WR_MORE)
		return;
	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	decode(&more, &body, fuzz_join(0, input, suffix), once);
	CHECK_STATUS(more.status, whole.status);
	CHECK_U64(more.bytes, whole.bytes);
	if (expected == WR_OK)
		CHECK_U64(more.consumed, whole.consumed);
}

static void check_plain(struct wr_view input, enum wr_http_framing framing, uint64_t length,
			struct fuzz_cuts cuts)
{
	static struct decoded pieces;
	bool is_whole = framing == WR_HTTP_FRAMING_LENGTH && length <= input.bytes;
	size_t bytes = is_whole ? (size_t)length : input.bytes;
	struct wr_http_body body;

	wr_http_body_init(&body, framing, length);
	CHECK(body.is_complete == (is_whole && length == 0));
	decode(&pieces, &body, input, cuts);
	CHECK(body.is_complete == is_whole);
	CHECK_U64(pieces.consumed, bytes);
	CHECK_VIEW(wr_view_of(pieces.payload, pieces.bytes), wr_view_of(input.data, bytes));
	CHECK_STATUS(wr_http_body_end(&body),
		     is_whole || framing == WR_HTTP_FRAMING_CLOSE ? WR_OK : WR_CLOSED);
}

static void check_written(struct wr_view payload, struct fuzz_cuts cuts)
{
	static struct decoded pieces;
	struct fuzz_cuts chunks = cuts;
	struct wr_http_body body;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 1 << 20);
	for (size_t at = 0; at < payload.bytes;) {
		size_t next = fuzz_cut(&chunks, at, payload.bytes);
		wr_http_write_chunk(&out, wr_view_of(payload.data + at, next - at));
		at = next;
	}
	wr_http_write_last_chunk(&out);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	decode(&pieces, &body, wr_buf_view(&out), cuts);
	/* Chunks of a byte are more framing than a reader has to stand. */
	if (pieces.status != WR_TOO_LARGE) {
		CHECK(body.is_complete);
		CHECK_U64(pieces.consumed, out.bytes);
		CHECK_VIEW(wr_view_of(pieces.payload, pieces.bytes), payload);
	} else {
		CHECK(out.bytes > WR_HTTP_CHUNK_OVERHEAD_BYTES_MAX);
	}
	wr_buf_deinit(&out);
}

void fuzz_one(struct wr_view input)
{
	struct wr_view suffix = fuzz_suffix(fuzz_u8(&input));
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input));
	uint8_t variant = fuzz_u8(&input) % 4;
	uint64_t length = variant == 1 ? fuzz_u16(&input) : 0;

	if (input.bytes > ROOM / 2)
		return;
	if (variant == 0)
		check_chunked(input, suffix, cuts);
	else if (variant == 1)
		check_plain(input, WR_HTTP_FRAMING_LENGTH, length, cuts);
	else if (variant == 2)
		check_plain(input, WR_HTTP_FRAMING_CLOSE, 0, cuts);
	else
		check_written(input, cuts);
}
