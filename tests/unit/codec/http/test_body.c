/* Goal: payload is exactly what the framing says, the end is where it says, and no way of cutting
 * the bytes changes that; a peer that sends mostly framing is refused. Method: the table of
 * cases_body.h whole, byte by byte and cut everywhere against an unmapped page; limits at their
 * edges. */
#include "codec/http/body.h"

#include "bytes/buf.h"
#include "cases_body.h"
#include "harness/harness.h"

struct outcome {
	enum wr_status status;
	size_t consumed;
	size_t payload_bytes;
	char payload[65536];
};

/* Everything that one piece gives. */
static void feed_piece(struct wr_http_body *body, struct outcome *out, struct wr_view piece)
{
	do {
		struct wr_view payload;
		size_t consumed;

		out->status = wr_http_body_feed(body, &payload, &consumed, piece);
		CHECK(consumed <= piece.bytes && payload.bytes <= consumed);
		if (out->status == WR_MORE)
			CHECK(consumed == piece.bytes && !body->is_complete);
		if (out->status == WR_OK)
			CHECK(consumed != 0 || body->is_complete);
		if (out->status != WR_OK && out->status != WR_MORE)
			CHECK(consumed == 0 && payload.bytes == 0);
		if (payload.bytes != 0) {
			CHECK(out->payload_bytes + payload.bytes <= sizeof out->payload);
			memcpy(out->payload + out->payload_bytes, payload.data, payload.bytes);
			out->payload_bytes += payload.bytes;
		}
		out->consumed += consumed;
		piece = wr_view_skip(piece, consumed);
	} while (out->status == WR_OK && !body->is_complete && piece.bytes != 0);
}

static struct outcome *run(struct wr_http_body *body, struct wr_view text, size_t first,
			   size_t step)
{
	static struct outcome out;
	size_t given = 0;

	out.status = WR_MORE;
	out.consumed = out.payload_bytes = 0;
	for (size_t next = first;; next = step) {
		size_t bytes = text.bytes - given < next ? text.bytes - given : next;

		feed_piece(body, &out, wr_test_guarded(0, wr_view_of(text.data + given, bytes)));
		given += bytes;
		CHECK_U64(body->payload_bytes, out.payload_bytes);
		if ((out.status != WR_MORE && out.status != WR_OK) || body->is_complete ||
		    given == text.bytes)
			return &out;
	}
}

static struct outcome *run_chunked(struct wr_view text, size_t first, size_t step)
{
	struct wr_http_body body;

	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	return run(&body, text, first, step);
}

static void check_row(const struct chunked *row, const struct outcome *out)
{
	CHECK_STATUS(out->status, row->status);
	CHECK_STRING(wr_view_of(out->payload, out->payload_bytes), row->payload);
	if (row->status == WR_OK)
		CHECK_U64(out->consumed, row->text.bytes - row->left);
	if (row->status == WR_MORE)
		CHECK_U64(out->consumed, row->text.bytes);
}

static void test_chunks_are_decoded_however_they_are_cut(void)
{
	uint64_t random = wr_test_seed();

	for (size_t i = 0; i < sizeof chunked_cases / sizeof *chunked_cases; i++) {
		const struct chunked *row = &chunked_cases[i];

		wr_test_case(row->text.data);
		check_row(row, run_chunked(row->text, row->text.bytes, 1));
		check_row(row, run_chunked(row->text, 0, 1));
		for (size_t cut = 0; cut <= row->text.bytes; cut++)
			check_row(row, run_chunked(row->text, cut, row->text.bytes + 1));
		for (int j = 0; j < 30; j++)
			check_row(row, run_chunked(row->text, (size_t)(wr_test_random(&random) % 9),
						   1 + (size_t)(wr_test_random(&random) % 9)));
	}
}

static void test_failures_are_sticky(void)
{
	struct wr_http_body body;
	struct wr_view payload;
	size_t consumed;

	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	CHECK_STATUS(wr_http_body_feed(&body, &payload, &consumed, WR_VIEW("x")), WR_SYNTAX);
	CHECK_STATUS(wr_http_body_feed(&body, &payload, &consumed, WR_VIEW("0\r\n\r\n")),
		     WR_SYNTAX);
	CHECK_STATUS(wr_http_body_end(&body), WR_SYNTAX);
	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	CHECK_STATUS(wr_http_body_feed(&body, &payload, &consumed, WR_VIEW("00000000000000000")),
		     WR_TOO_LARGE);
	CHECK_STATUS(wr_http_body_feed(&body, &payload, &consumed, WR_VIEW("\r\n")), WR_TOO_LARGE);
	CHECK_STATUS(wr_http_body_end(&body), WR_TOO_LARGE);
}

/* ---- what framing may cost ---- */

static void append(struct wr_buf *buf, const char *text, size_t count)
{
	while (count-- > 0)
		wr_buf_append_view(buf, wr_view_of_string(text));
	CHECK_STATUS(wr_buf_status(buf), WR_OK);
}

static void test_one_byte_chunks_are_refused_after_a_while(void)
{
	struct wr_buf buf;
	struct outcome *out;

	wr_buf_init(&buf, wr_test_allocator(), 1000000);
	/* Five bytes of framing to each byte: n chunks are accepted while 5n <= 16384 + n / 8. */
	append(&buf, "1\r\nx\r\n", 20000);
	out = run_chunked(wr_buf_view(&buf), buf.bytes, 1);
	CHECK_STATUS(out->status, WR_TOO_LARGE);
	CHECK_U64(out->payload_bytes, 3361);
	out = run_chunked(wr_buf_view(&buf), 0, 1);
	CHECK_STATUS(out->status, WR_TOO_LARGE);
	CHECK_U64(out->payload_bytes, 3361);
	out = run_chunked(wr_buf_view(&buf), 4, 777);
	CHECK_STATUS(out->status, WR_TOO_LARGE);
	CHECK_U64(out->payload_bytes, 3361);

	wr_buf_reset(&buf);
	append(&buf, "1\r\nx\r\n", 3000);
	append(&buf, "0\r\n\r\n", 1);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), buf.bytes, 1)->status, WR_OK);
	wr_buf_deinit(&buf);
}

static void test_framing_in_proportion_to_payload_is_never_too_much(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 1000000);
	/* 6 bytes of framing to 60 of payload, for more than the fixed allowance. */
	append(&buf, "3c\r\n012345678901234567890123456789012345678901234567890123456789\r\n",
	       1000);
	append(&buf, "0\r\n\r\n", 1);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), 0, 1)->status, WR_OK);
	wr_buf_reset(&buf);
	append(&buf, "1;345678901234567890123456789012\r\nx\r\n", 600);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), buf.bytes, 1)->status, WR_TOO_LARGE);
	wr_buf_deinit(&buf);
}

static void test_trailers_are_bounded(void)
{
	struct wr_buf buf;
	size_t start;

	wr_buf_init(&buf, wr_test_allocator(), 1000000);
	append(&buf, "1\r\nx\r\n0\r\n", 1);
	start = buf.bytes;
	append(&buf, "A: b\r\n", 2000);
	append(&buf, "C:", 1);
	append(&buf, "c", start + WR_HTTP_HEAD_BYTES_MAX - 4 - buf.bytes);
	append(&buf, "\r\n\r\n", 1);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), buf.bytes, 1)->status, WR_OK);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), 0, 1)->status, WR_OK);
	wr_buf_truncate(&buf, buf.bytes - 4);
	append(&buf, "c\r\n\r\n", 1);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), buf.bytes, 1)->status, WR_TOO_LARGE);
	CHECK_STATUS(run_chunked(wr_buf_view(&buf), 0, 1)->status, WR_TOO_LARGE);
	wr_buf_deinit(&buf);
}

/* ---- the other framings ---- */

static void test_a_body_of_a_length_ends_there(void)
{
	static const char text[] = "hello world";
	struct wr_view view = {text, sizeof text - 1};

	for (size_t length = 0; length <= view.bytes + 2; length++) {
		for (size_t cut = 0; cut <= view.bytes; cut++) {
			struct wr_http_body body;
			size_t expected = length < view.bytes ? length : view.bytes;
			struct outcome *out;

			wr_http_body_init(&body, WR_HTTP_FRAMING_LENGTH, length);
			CHECK(body.is_complete == (length == 0));
			out = run(&body, view, cut, cut + 1);
			CHECK_STATUS(out->status, length <= view.bytes ? WR_OK : WR_MORE);
			CHECK_U64(out->consumed, expected);
			CHECK_VIEW(wr_view_of(out->payload, out->payload_bytes),
				   wr_view_of(text, expected));
			CHECK_STATUS(wr_http_body_end(&body),
				     length <= view.bytes ? WR_OK : WR_CLOSED);
		}
	}
}

static void test_the_largest_length_does_not_wrap(void)
{
	struct wr_http_body body;
	struct outcome *out;

	wr_http_body_init(&body, WR_HTTP_FRAMING_LENGTH, UINT64_MAX);
	out = run(&body, WR_VIEW("hello"), 2, 1);
	CHECK_STATUS(out->status, WR_MORE);
	CHECK_U64(out->payload_bytes, 5);
	CHECK_STATUS(wr_http_body_end(&body), WR_CLOSED);
}

static void test_no_body_is_complete_at_once(void)
{
	struct wr_http_body body;
	struct outcome *out;

	wr_http_body_init(&body, WR_HTTP_FRAMING_NONE, 0);
	CHECK(body.is_complete);
	out = run(&body, WR_VIEW("GET"), 3, 1);
	CHECK_STATUS(out->status, WR_OK);
	CHECK_U64(out->consumed, 0);
	CHECK_STATUS(wr_http_body_end(&body), WR_OK);
}

static void test_a_body_until_close_ends_with_the_connection_only(void)
{
	struct wr_http_body body;
	struct outcome *out;

	wr_http_body_init(&body, WR_HTTP_FRAMING_CLOSE, 0);
	out = run(&body, WR_VIEW("hello"), 2, 1);
	CHECK_STATUS(out->status, WR_MORE);
	CHECK_STRING(wr_view_of(out->payload, out->payload_bytes), "hello");
	CHECK(!body.is_complete);
	CHECK_STATUS(wr_http_body_end(&body), WR_OK);
	CHECK(body.is_complete);
}

static void test_a_cut_chunked_body_is_told_from_a_complete_one(void)
{
	const struct wr_view text = WR_VIEW("5\r\nhello\r\n0\r\nA: b\r\n\r\n");

	for (size_t bytes = 0; bytes <= text.bytes; bytes++) {
		struct wr_http_body body;

		wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
		run(&body, wr_view_of(text.data, bytes), bytes, 1);
		CHECK_STATUS(wr_http_body_end(&body), bytes == text.bytes ? WR_OK : WR_CLOSED);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_chunks_are_decoded_however_they_are_cut),
	WR_TEST(test_failures_are_sticky),
	WR_TEST(test_one_byte_chunks_are_refused_after_a_while),
	WR_TEST(test_framing_in_proportion_to_payload_is_never_too_much),
	WR_TEST(test_trailers_are_bounded),
	WR_TEST(test_a_body_of_a_length_ends_there),
	WR_TEST(test_the_largest_length_does_not_wrap),
	WR_TEST(test_no_body_is_complete_at_once),
	WR_TEST(test_a_body_until_close_ends_with_the_connection_only),
	WR_TEST(test_a_cut_chunked_body_is_told_from_a_complete_one),
	WR_TEST_END,
};
