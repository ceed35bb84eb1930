/*
 * Cursors of a Backend (backend/cursor). Options: length of the Runtime's id, which comes first.
 *
 * A second decoder says the same of the form; formatting gives the same token; it is no cursor of a
 * Runtime; under another Runtime's mask it says something else.
 */
#include "backend/cursor.h"
#include "fuzz.h"
#include "naive/token.h"

static void check_again(const struct wr_backend_cursor *cursor, const struct wr_cursor_mask *mask,
			struct wr_view token)
{
	struct wr_backend_cursor other;
	struct wr_cursor_mask other_mask;
	struct wr_cursor core;
	char out[WR_CURSOR_BYTES];

	wr_backend_cursor_format(out, mask, cursor);
	CHECK_VIEW(wr_view_of(out, sizeof out), token);
	CHECK_STATUS(wr_cursor_parse(&core, token), WR_MALFORMED);
	CHECK_STATUS(wr_backend_cursor_parse(&other, mask, fuzz_join(1, token, WR_VIEW("A"))),
		     WR_MALFORMED);
	wr_cursor_mask_init(&other_mask, WR_VIEW("another Runtime, of 40 bytes in its id.."));
	CHECK_STATUS(wr_backend_cursor_parse(&other, &other_mask, token), WR_OK);
	CHECK(memcmp(mask->bytes, other_mask.bytes, sizeof mask->bytes) == 0 ||
	      memcmp(&other, cursor, sizeof other) != 0);
}

void fuzz_one(struct wr_view input)
{
	struct wr_view id = fuzz_take(&input, fuzz_u8(&input) % 32);
	uint8_t body[NAIVE_TOKEN_BYTES];
	struct wr_backend_cursor cursor;
	struct wr_cursor_mask mask;
	enum wr_status expected = WR_MALFORMED;

	wr_cursor_mask_init(&mask, id);
	input = wr_test_guarded(0, input);
	if (naive_token(body, input, "bo_"))
		expected = WR_OK;
	else if (naive_is_old_token(input, "bo_"))
		expected = WR_UNKNOWN;
	CHECK_STATUS(wr_backend_cursor_parse(&cursor, &mask, input), expected);
	if (expected != WR_OK)
		return;
	for (unsigned i = 0; i < NAIVE_TOKEN_BYTES; i++)
		body[i] ^= mask.bytes[i];
	CHECK_VIEW(wr_view_of(cursor.log_tag, 6), wr_view_of(body, 6));
	CHECK_U64(cursor.generation, naive_number_at(body + 6, 3));
	CHECK_U64(cursor.worker_tag, naive_number_at(body + 9, 4));
	CHECK_U64(cursor.sequence, naive_number_at(body + 13, 8));
	check_again(&cursor, &mask, input);
}
