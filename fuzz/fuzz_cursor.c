/*
 * Cursors of a Runtime (core/cursor). No options.
 *
 * A second decoder says the same; formatting gives the same token; with a byte more or less it is
 * none.
 */
#include "core/cursor.h"
#include "fuzz.h"
#include "naive/token.h"

static void check_members(const struct wr_cursor *cursor, const uint8_t body[NAIVE_TOKEN_BYTES])
{
	CHECK_VIEW(wr_view_of(cursor->log_tag, 6), wr_view_of(body, 6));
	CHECK_U64(cursor->generation, naive_number_at(body + 6, 3));
	CHECK_U64(cursor->worker, naive_number_at(body + 9, 4));
	CHECK_U64(cursor->sequence, naive_number_at(body + 13, 8));
}

static void check_other_lengths(struct wr_view token)
{
	struct wr_cursor cursor;

	CHECK_STATUS(wr_cursor_parse(&cursor, fuzz_join(1, token, WR_VIEW("A"))), WR_MALFORMED);
	CHECK_STATUS(wr_cursor_parse(&cursor, fuzz_join(1, WR_VIEW("A"), token)), WR_MALFORMED);
	CHECK_STATUS(wr_cursor_parse(&cursor, wr_view_of(token.data, token.bytes - 1)),
		     WR_MALFORMED);
}

void fuzz_one(struct wr_view input)
{
	uint8_t body[NAIVE_TOKEN_BYTES];
	struct wr_cursor cursor;
	char out[WR_CURSOR_BYTES];
	bool is_worker, is_runtime, is_old;
	enum wr_status status;

	input = wr_test_guarded(0, input);
	is_old = naive_is_old_token(input, "wo_");
	is_worker = naive_token(body, input, "wo_");
	is_runtime = !is_worker && naive_token(body, input, "re_");
	status = wr_cursor_parse(&cursor, input);
	CHECK_STATUS(status, is_old || is_worker || is_runtime ? WR_OK : WR_MALFORMED);
	if (status != WR_OK)
		return;
	CHECK(cursor.is_legacy == is_old && cursor.is_runtime == is_runtime);
	check_other_lengths(input);
	if (is_old)
		return;
	check_members(&cursor, body);
	wr_cursor_format(out, &cursor);
	CHECK_VIEW(wr_view_of(out, sizeof out), input);
}
