/* Goal: views compare by bytes and never read beyond their end. Method: pairs against an unmapped
 * page, all pairs of letters for the case rule, and an order checked for its laws. */
#include "bytes/view.h"

#include "check.h"
#include "harness/harness.h"

#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void test_equality_and_order(void)
{
	static const struct {
		struct wr_view a, b;
		int order;
		bool equal_nocase;
	} cases[] = {
		{TEXT(""), TEXT(""), 0, true},
		{TEXT("abc"), TEXT("abc"), 0, true},
		{TEXT("a\0b"), TEXT("a\0b"), 0, true},
		{TEXT("a\0b"), TEXT("a\0c"), -1, false},
		{TEXT(""), TEXT("a"), -1, false},
		{TEXT("ab"), TEXT("abc"), -1, false},
		{TEXT("abd"), TEXT("abcz"), 1, false},
		{TEXT("Host"), TEXT("hOST"), -1, true},
		{TEXT("host"), TEXT("hos"), 1, false},
		{TEXT("\x7f"), TEXT("\x80"), -1, false},
		{TEXT("\xff"), TEXT("a"), 1, false},
		{TEXT("\xc0"), TEXT("\xe0"), -1, false}, /* no letters but those of ASCII */
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view a = wr_test_guarded(0, cases[i].a);
		struct wr_view b = wr_test_guarded(1, cases[i].b);

		wr_test_case(cases[i].a.data);
		CHECK(wr_view_equal(a, b) == (cases[i].order == 0));
		CHECK(sign(wr_view_compare(a, b)) == cases[i].order);
		CHECK(sign(wr_view_compare(b, a)) == -cases[i].order);
		CHECK(wr_view_equal_nocase(a, b) == cases[i].equal_nocase);
		CHECK(wr_view_equal_nocase(b, a) == cases[i].equal_nocase);
	}
}

static void test_case_is_ignored_for_ascii_letters_only(void)
{
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			char left = (char)a, right = (char)b;
			bool is_letter = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
			bool expected = a == b || (is_letter && (a ^ b) == 0x20);

			CHECK(wr_view_equal_nocase(wr_view_of(&left, 1), wr_view_of(&right, 1)) ==
			      expected);
		}
}

static void test_absent_view_behaves_like_an_empty_one(void)
{
	struct wr_view absent = WR_VIEW_NULL;

	CHECK(wr_view_equal(absent, WR_VIEW("")));
	CHECK(wr_view_equal(absent, absent));
	CHECK(wr_view_equal_nocase(absent, WR_VIEW("")));
	CHECK(!wr_view_equal(absent, WR_VIEW("a")));
	CHECK(wr_view_compare(absent, absent) == 0);
	CHECK(wr_view_compare(absent, WR_VIEW("a")) < 0);
	CHECK(wr_view_starts(absent, absent));
	CHECK(!wr_view_starts(absent, WR_VIEW("a")));
	CHECK(wr_view_of_string(NULL).data == NULL);
	CHECK_U64(wr_view_of_string(NULL).bytes, 0);
}

static void test_prefixes(void)
{
	struct wr_view view = wr_test_guarded(0, WR_VIEW("prefix"));

	for (size_t bytes = 0; bytes <= view.bytes; bytes++) {
		CHECK(wr_view_starts(view, wr_view_of("prefix", bytes)));
		CHECK_STRING(wr_view_skip(view, bytes), &"prefix"[bytes]);
	}
	CHECK(!wr_view_starts(view, WR_VIEW("prefixes")));
	CHECK(!wr_view_starts(view, WR_VIEW("q")));
	CHECK(!wr_view_starts(view, WR_VIEW("Prefix")));
	CHECK(wr_view_starts(view, WR_VIEW_NULL));
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_equality_and_order),
	WR_TEST(test_case_is_ignored_for_ascii_letters_only),
	WR_TEST(test_absent_view_behaves_like_an_empty_one),
	WR_TEST(test_prefixes),
	WR_TEST_END,
};
