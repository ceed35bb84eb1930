/*
 * UTF-8. Options: cuts.
 *
 * A second decoder agrees on what is valid, on the valid prefix, on the first byte at which no
 * valid text can go on, and on what is blank; cutting changes nothing; every character is encoded
 * as it was.
 */
#include "bytes/utf8.h"
#include "fuzz.h"
#include "naive/utf8.h"

/* Where the text stops being the beginning of a valid one; its length when it does not. */
static size_t naive_bad(struct wr_view text)
{
	struct wr_view part = wr_view_skip(text, naive_utf8_prefix(text));
	size_t bytes = 0;

	while (bytes < part.bytes && bytes < 3 &&
	       naive_utf8_can_begin(wr_view_of(part.data, bytes + 1)))
		bytes++;
	return text.bytes - part.bytes + bytes;
}

static void check_feed(struct wr_view text, struct fuzz_cuts cuts)
{
	size_t expected = naive_bad(text), given = 0;
	wr_utf8_state state = 0;

	while (given < text.bytes) {
		size_t next = fuzz_cut(&cuts, given, text.bytes), bad = 0;
		struct wr_view piece =
			wr_test_guarded(1, wr_view_of(text.data + given, next - given));

		if (!wr_utf8_feed(&state, piece, &bad)) {
			CHECK(bad < piece.bytes);
			CHECK_U64(given + bad, expected);
			return;
		}
		given = next;
		CHECK(given <= expected);
		CHECK(wr_utf8_is_complete(state) == wr_utf8_is_valid(wr_view_of(text.data, given)));
	}
	CHECK_U64(expected, text.bytes);
}

static void check_characters(struct wr_view text)
{
	bool is_blank = true;
	uint32_t scalar = 0;
	size_t bytes;

	for (struct wr_view rest = text; rest.bytes != 0; rest = wr_view_skip(rest, bytes)) {
		char out[4];

		bytes = naive_utf8_scalar(rest, &scalar);
		CHECK_VIEW(wr_view_of(out, wr_utf8_encode(out, scalar)),
			   wr_view_of(rest.data, bytes));
		is_blank = is_blank && naive_is_white(scalar);
	}
	CHECK(wr_utf8_is_blank(text) == is_blank);
}

void fuzz_one(struct wr_view input)
{
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input));
	size_t good;

	input = wr_test_guarded(0, input);
	good = naive_utf8_prefix(input);
	CHECK_U64(wr_utf8_valid_prefix(input), good);
	CHECK(wr_utf8_is_valid(input) == (good == input.bytes));
	check_feed(input, cuts);
	check_characters(wr_view_of(input.data, good));
}
