/* Goal: what may stand in a URL, ids made of foreign texts, and texts for display are those of
 * contract 8.2. Method: its table, and edges of every rule; inputs end at an unmapped page. */
#include "backend/ids.h"
#include "backend/runtime_handle.h"
#include "check.h"
#include "harness/harness.h"

#define TEN(x) x x x x x x x x x x
#define HUNDRED(x) TEN(TEN(x))
#define V(literal) WR_VIEW_INIT(literal)

static void test_ids_in_urls_are_short_and_plain(void)
{
	static const struct {
		struct wr_view id;
		bool is_valid;
	} cases[] = {
		{V("a"), true},
		{V("-"), true},
		{V("remote:build-box_09AZaz"), true},
		{V(HUNDRED("a") TEN("bc")), true},
		{V(HUNDRED("a") TEN("bc") "d"), false},
		{V(""), false},
		{V("a b"), false},
		{V("a/b"), false},
		{V("a.b"), false},
		{V(".."), false},
		{V("a%2fb"), false},
		{V("a\\b"), false},
		{V("a\0"), false},
		{V("a\n"), false},
		{V("a@"), false},
		{V("a["), false},
		{V("a`"), false},
		{V("a{"), false},
		{V("a;"), false},
		{V("\303\251"), false},
		{V("\x80"), false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].id.data);
		CHECK(wr_backend_id_is_valid(wr_test_guarded(0, cases[i].id)) == cases[i].is_valid);
	}
	CHECK(!wr_backend_id_is_valid(WR_VIEW_NULL));
}

static void test_ids_are_made_as_the_contract_says(void)
{
	static const struct {
		struct wr_view prefix, value, id;
	} cases[] = {
		/* The table of 8.2. */
		{V("local-"), V("local:demo"), V("local-local-demo-f117d05509091025")},
		{V("embedded-"), V("01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01"),
		 V("embedded-01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01-c2ca39ab6066c0e4")},
		{V("remote-"), V("remote:build-box"),
		 V("remote-remote-build-box-cf8b3d243e00ad01")},
		{V("local-worker-"), V("scribe"), V("local-worker-scribe-ffb301e28a65f304")},
		{V("local-worker-"), V("alpha.one"), V("local-worker-alpha-one-0bf5e15764606526")},
		{V("local-worker-"), V("alpha-one"), V("local-worker-alpha-one-4dd74a3ffa09fbea")},
		{V("local-worker-"), V(HUNDRED("A") HUNDRED("A")),
		 V("local-worker-" TEN("aaaaaaaaa") "-70d3bf8b0b9d83a6")},
		{V("local-worker-"), V("..."), V("local-worker-id-ab5df625bc76dbd4")},
		/* One `-` for a character, not for a byte; stripped at both ends. */
		{V("local-worker-"), V("\345\244\234\345\261\205"),
		 V("local-worker-id-5ee467690ec95a97")},
		{V("local-worker-"), V("\303\251 x_\345\244\234\303\251"),
		 V("local-worker-x_-76e767a3646c359b")},
		{V("a-"), V("-._A.B_.-"), V("a-_a-b_-92e68744cca9828d")},
		{V("local-worker-"), V(""), V("local-worker-id-e3b0c44298fc1c14")},
		{V("local-worker-"), V(HUNDRED("-") HUNDRED("-") HUNDRED("-")),
		 V("local-worker-id-e31806db2667d00e")},
		/* What is not UTF-8. */
		{V("a-"),
		 V("\xff\xfe"
		   "a\x80\xe5\xa4"),
		 V("a-a-95ea156088611186")},
		{V("a-"), V("a\0b"), V("a-a-b-59b271ae1bbcb1d3")},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char out[WR_BACKEND_ID_BYTES_MAX];
		size_t bytes;

		wr_test_case(cases[i].id.data);
		bytes = wr_backend_id_make(out, cases[i].prefix,
					   wr_test_guarded(0, cases[i].value));
		CHECK_VIEW(wr_view_of(out, bytes), cases[i].id);
		CHECK(wr_backend_id_is_valid(wr_view_of(out, bytes)));
	}
}

static void test_a_cut_that_ends_in_dashes_is_stripped_again(void)
{
	/* 120 - 2 - 17 = 101 bytes of body. */
	static const struct {
		struct wr_view value;
		size_t body_bytes;
	} cases[] = {
		{V(HUNDRED("x") "xxx"), 101}, {V(HUNDRED("x") "-x"), 100},
		{V(HUNDRED("x") "--"), 100},  {V("--" HUNDRED("x") "y--"), 101},
		{V("x" HUNDRED("-") "y"), 1},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char out[WR_BACKEND_ID_BYTES_MAX];
		size_t bytes = wr_backend_id_make(out, WR_VIEW("a-"), cases[i].value);

		wr_test_case(cases[i].value.data);
		CHECK_U64(bytes, 2 + cases[i].body_bytes + 17);
		CHECK(out[bytes - 17] == '-' && out[bytes - 18] != '-');
	}
}

static void test_texts_for_display_lose_what_could_mislead(void)
{
	static const struct {
		struct wr_view text, shown;
	} cases[] = {
		{V(""), V("")},
		{V("coder 1"), V("coder 1")},
		{V("/home/user\\x"), V("homeuserx")},
		{V("a\0b\tc\x1b[31m\x7f"), V("abc[31m")},
		/* C1 controls, but not what follows them. */
		{V("a\302\200\302\237\302\240b"), V("a\302\240b")},
		{V("\345\244\234\345\261\205"), V("\345\244\234\345\261\205")},
		{V("\360\237\246\212"), V("\360\237\246\212")},
		/* What is not UTF-8: an overlong `/`, a surrogate, a lone and a cut one. */
		{V("a\xc0\xaf"
		   "b"),
		 V("ab")},
		{V("a\xed\xa0\x80"
		   "b"),
		 V("ab")},
		{V("a\x80"
		   "b\xe5\xa4"),
		 V("ab")},
		{V(HUNDRED("x")), V(TEN("xxxxxxxx"))},
		{V(HUNDRED("/") HUNDRED("\360\237\246\212")),
		 V(TEN("\360\237\246\212\360\237\246\212\360\237\246\212\360\237\246\212"
		       "\360\237\246\212\360\237\246\212\360\237\246\212\360\237\246\212"))},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char storage[WR_DISPLAY_BYTES_MAX + 1];
		struct wr_buf out;

		wr_test_case(cases[i].text.data);
		wr_buf_init_fixed(&out, storage, sizeof storage);
		CHECK_STATUS(wr_buf_append_byte(&out, '>'), WR_OK);
		wr_display_append(&out, wr_test_guarded(0, cases[i].text));
		CHECK_STATUS(wr_buf_status(&out), WR_OK);
		CHECK_VIEW(wr_view_skip(wr_buf_view(&out), 1), cases[i].shown);
	}
}

static void test_display_says_when_there_is_no_room(void)
{
	char storage[3];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_display_append(&out, WR_VIEW("abcd"));
	CHECK_STATUS(wr_buf_status(&out), WR_TOO_LARGE);
}

static void test_notices_beyond_the_maximum_are_dropped(void)
{
	struct wr_notices notices = {0};

	for (unsigned i = 0; i < WR_NOTICE_COUNT_MAX; i++)
		wr_notices_add(&notices, "first", WR_NOTICE_INFO, "one");
	wr_notices_add(&notices, "last", WR_NOTICE_ERROR, "two");
	CHECK_U64(notices.count, WR_NOTICE_COUNT_MAX);
	CHECK_STRING(wr_view_of_string(notices.items[WR_NOTICE_COUNT_MAX - 1].code), "first");
	CHECK(notices.items[0].severity == WR_NOTICE_INFO);
	CHECK_STRING(wr_view_of_string(notices.items[0].message), "one");
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_ids_in_urls_are_short_and_plain),
	WR_TEST(test_ids_are_made_as_the_contract_says),
	WR_TEST(test_a_cut_that_ends_in_dashes_is_stripped_again),
	WR_TEST(test_texts_for_display_lose_what_could_mislead),
	WR_TEST(test_display_says_when_there_is_no_room),
	WR_TEST(test_notices_beyond_the_maximum_are_dropped),
	WR_TEST_END,
};
