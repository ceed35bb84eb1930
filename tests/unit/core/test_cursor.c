/* Goal: one cursor has one spelling, and nothing else is one. Method: random round trips; a table
 * of refused tokens; every single character of a token exchanged for every byte. */
#include "core/cursor.h"
#include "harness/harness.h"

#include "check.h"

#include <string.h>

static struct wr_view format(char out[WR_CURSOR_BYTES], const struct wr_cursor *cursor)
{
	wr_cursor_format(out, cursor);
	return wr_view_of(out, WR_CURSOR_BYTES);
}

static void check_equal(const struct wr_cursor *a, const struct wr_cursor *b)
{
	CHECK(a->is_runtime == b->is_runtime && a->is_legacy == b->is_legacy);
	CHECK(memcmp(a->log_tag, b->log_tag, WR_LOG_TAG_BYTES) == 0);
	CHECK_U64(a->generation, b->generation);
	CHECK_U64(a->worker, b->worker);
	CHECK_U64(a->sequence, b->sequence);
}

static void check_round_trip(const struct wr_cursor *cursor)
{
	struct wr_cursor back;
	char text[WR_CURSOR_BYTES];

	CHECK_STATUS(wr_cursor_parse(&back, wr_test_guarded(0, format(text, cursor))), WR_OK);
	check_equal(&back, cursor);
	for (size_t i = 3; i < sizeof text; i++)
		CHECK(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			     text[i]) != NULL);
}

static void test_tokens_are_laid_out_as_the_header_says(void)
{
	const struct wr_cursor cursor = {.log_tag = {1, 2, 3, 4, 5, 6},
					 .generation = 0x070809,
					 .worker = 0x0a0b0c0d,
					 .sequence = 0x0e0f101112131415u};
	char text[WR_CURSOR_BYTES];

	/* base64url of the bytes 01 to 15 */
	CHECK_STRING(format(text, &cursor), "wo_AQIDBAUGBwgJCgsMDQ4PEBESExQV");
}

static void test_edges_of_every_member_come_back(void)
{
	static const uint64_t sequences[] = {0,		1, 255, 256, UINT32_MAX, UINT64_MAX - 1,
					     UINT64_MAX};
	static const uint32_t generations[] = {0, 1, 0xffff, 0xffffff};
	static const uint32_t workers[] = {0, 1, 0xffffff, UINT32_MAX};

	for (size_t s = 0; s < WR_COUNT(sequences); s++)
		for (size_t g = 0; g < WR_COUNT(generations); g++)
			for (size_t w = 0; w < WR_COUNT(workers); w++)
				check_round_trip(&(struct wr_cursor){.is_runtime = w == 0,
								     .log_tag = {255, 0, 1},
								     .generation = generations[g],
								     .worker = workers[w],
								     .sequence = sequences[s]});
}

static void test_random_cursors_come_back(void)
{
	uint64_t random = wr_test_seed();

	for (int i = 0; i < 20000; i++) {
		struct wr_cursor cursor = {.is_runtime = wr_test_random(&random) % 2 != 0,
					   .generation = (uint32_t)wr_test_random(&random) >> 8,
					   .worker = (uint32_t)wr_test_random(&random),
					   .sequence = wr_test_random(&random)};
		for (size_t b = 0; b < WR_LOG_TAG_BYTES; b++)
			cursor.log_tag[b] = (uint8_t)wr_test_random(&random);
		check_round_trip(&cursor);
	}
}

static void test_other_tokens_are_malformed(void)
{
	static const char *const tokens[] = {
		"",
		"w",
		"wo",
		"wo_",
		"re_",
		"AQIDBAUGBwgJCgsMDQ4PEBESExQV",
		"wo_AQIDBAUGBwgJCgsMDQ4PEBESExQ",   /* one short */
		"wo_AQIDBAUGBwgJCgsMDQ4PEBESExQVA", /* one long */
		"wo_AQIDBAUGBwgJCgsMDQ4PEBESExQ=",  /* padding */
		"wo_AQIDBAUGBwgJCgsMDQ4PEBESEx+V",  /* the other alphabet */
		"wo_AQIDBAUGBwgJCgsMDQ4PEBESEx/V",
		"wo_AQIDBAUGBwgJCgsMDQ4PEBESExQ ",
		" wo_AQIDBAUGBwgJCgsMDQ4PEBESExQV",
		"WO_AQIDBAUGBwgJCgsMDQ4PEBESExQV",
		"wo-AQIDBAUGBwgJCgsMDQ4PEBESExQV",
		"bo_AQIDBAUGBwgJCgsMDQ4PEBESExQV",
		"rw_AQIDBAUGBwgJCgsMDQ4PEBESExQV",
		"wo_%51IDBAUGBwgJCgsMDQ4PEBESExQ",
		"re_0000000000000000", /* the old form was of Workers only */
		"wo_000000000000000",
		"wo_00000000000000000",
		"wo_000000000000000g",
		"wo_-000000000000001",
		"wo_0x00000000000001",
		"wo_ 000000000000001",
		"null",
	};
	struct wr_cursor cursor;

	for (size_t i = 0; i < WR_COUNT(tokens); i++) {
		struct wr_view token = wr_view_of_string(tokens[i]);
		wr_test_case(tokens[i]);
		CHECK_STATUS(wr_cursor_parse(&cursor, wr_test_guarded(0, token)), WR_MALFORMED);
	}
	CHECK_STATUS(wr_cursor_parse(&cursor, WR_VIEW_NULL), WR_MALFORMED);
	CHECK_STATUS(wr_cursor_parse(&cursor, wr_view_of("wo_\0QIDBAUGBwgJCgsMDQ4PEBESExQV", 31)),
		     WR_MALFORMED);
}

static void test_every_cut_of_a_token_is_malformed(void)
{
	struct wr_view token = WR_VIEW("wo_AQIDBAUGBwgJCgsMDQ4PEBESExQV");
	struct wr_cursor cursor;

	for (size_t bytes = 0; bytes < token.bytes; bytes++) {
		struct wr_view cut = wr_test_guarded(0, wr_view_of(token.data, bytes));
		/* Cut to the length of the old form it has letters that are no hex digits. */
		CHECK_STATUS(wr_cursor_parse(&cursor, cut), WR_MALFORMED);
	}
}

/* Any other byte in any place is refused or names another cursor: no two spellings of one. */
static void test_no_cursor_has_two_spellings(void)
{
	struct wr_cursor first, other;
	char text[WR_CURSOR_BYTES], again[WR_CURSOR_BYTES];

	memcpy(text, "re_AQIDBAUGBwgJCgsMDQ4PEBESExQV", sizeof text);
	CHECK_STATUS(wr_cursor_parse(&first, wr_view_of(text, sizeof text)), WR_OK);
	for (size_t place = 0; place < sizeof text; place++)
		for (unsigned byte = 0; byte < 256; byte++) {
			char kept = text[place];
			text[place] = (char)byte;
			if (wr_cursor_parse(&other, wr_view_of(text, sizeof text)) == WR_OK) {
				CHECK_VIEW(format(again, &other), wr_view_of(text, sizeof text));
				CHECK(text[place] == kept || memcmp(&first, &other, sizeof first));
			}
			text[place] = kept;
		}
}

static void test_the_old_form_carries_a_number_and_nothing_else(void)
{
	static const struct {
		const char *token;
		uint64_t sequence;
	} cases[] = {
		{"wo_0000000000000000", 0},
		{"wo_0000000000000001", 1},
		{"wo_00000000000000ff", 255},
		{"wo_00000000000000FF", 255},
		{"wo_0123456789abcdef", 0x0123456789abcdefu},
		{"wo_ffffffffffffffff", UINT64_MAX},
	};
	struct wr_cursor cursor;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view token = wr_test_guarded(0, wr_view_of_string(cases[i].token));
		wr_test_case(cases[i].token);
		CHECK_STATUS(wr_cursor_parse(&cursor, token), WR_OK);
		CHECK(cursor.is_legacy && !cursor.is_runtime);
		CHECK_U64(cursor.sequence, cases[i].sequence);
		CHECK_U64(cursor.generation, 0);
		CHECK_U64(cursor.worker, 0);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_tokens_are_laid_out_as_the_header_says),
	WR_TEST(test_edges_of_every_member_come_back),
	WR_TEST(test_random_cursors_come_back),
	WR_TEST(test_other_tokens_are_malformed),
	WR_TEST(test_every_cut_of_a_token_is_malformed),
	WR_TEST(test_no_cursor_has_two_spellings),
	WR_TEST(test_the_old_form_carries_a_number_and_nothing_else),
	WR_TEST_END,
};
