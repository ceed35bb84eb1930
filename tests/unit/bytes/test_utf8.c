/* Goal: exactly the texts of RFC 3629 are valid, and the first bad byte is the first that no valid
 * text could have. Method: a naive decoder that knows only arithmetic, all short byte sequences,
 * and a table that is run whole, cut everywhere, and behind enough ASCII to reach every fast path.
 */
#include "bytes/utf8.h"

#include "check.h"
#include "harness/harness.h"

#define NO_BAD SIZE_MAX

/* For static tables, where a compound literal may not stand. */
#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/* Whether some scalar value from `low` to `high` is encoded in `length` bytes. */
static bool has_scalar(uint32_t low, uint32_t high, unsigned length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint32_t most[] = {0, 0x7f, 0x7ff, 0xffff, 0x10ffff};

	if (low < least[length])
		low = least[length];
	if (high > most[length])
		high = most[length];
	if (low >= 0xd800 && low <= 0xdfff)
		low = 0xe000;
	if (high >= 0xd800 && high <= 0xdfff)
		high = 0xd7ff;
	return low <= high;
}

/* The first bad byte or NO_BAD; *boundary is the end of the last whole character before it. */
static size_t naive_bad(const uint8_t *data, size_t bytes, size_t *boundary)
{
	unsigned length = 0, seen = 0;
	uint32_t value = 0;

	*boundary = 0;
	for (size_t i = 0; i < bytes; i++) {
		unsigned open;

		if (seen == 0) {
			length = data[i] < 0x80	  ? 1
				 : data[i] < 0xc0 ? 0
				 : data[i] < 0xe0 ? 2
				 : data[i] < 0xf0 ? 3
				 : data[i] < 0xf8 ? 4
						  : 0;
			if (length == 0)
				return i;
			value = length == 1 ? data[i] : data[i] & (0x7fu >> length);
		} else {
			if ((data[i] & 0xc0) != 0x80)
				return i;
			value = value << 6 | (data[i] & 0x3f);
		}
		open = 6 * (length - ++seen);
		if (!has_scalar(value << open, ((value + 1) << open) - 1, length))
			return i;
		if (seen == length) {
			seen = 0;
			*boundary = i + 1;
		}
	}
	return NO_BAD;
}

static void check_against_naive(const uint8_t *data, size_t bytes)
{
	struct wr_view text = wr_view_of(data, bytes);
	wr_utf8_state state = 0;
	size_t boundary, expected = naive_bad(data, bytes, &boundary), bad = NO_BAD;

	CHECK(wr_utf8_feed(&state, text, &bad) == (expected == NO_BAD));
	CHECK_U64(bad, expected);
	CHECK(wr_utf8_is_valid(text) == (expected == NO_BAD && boundary == bytes));
	CHECK_U64(wr_utf8_valid_prefix(text), boundary);
	if (expected == NO_BAD)
		CHECK(wr_utf8_is_complete(state) == (boundary == bytes));
}

static void test_all_sequences_of_one_and_two_bytes(void)
{
	for (unsigned i = 0; i < 0x10000; i++) {
		uint8_t data[2] = {(uint8_t)(i >> 8), (uint8_t)i};

		check_against_naive(data, 2);
		check_against_naive(data, 1);
	}
}

static void test_all_sequences_of_three_bytes(void)
{
	for (uint32_t i = 0; i < 0x1000000; i++) {
		uint8_t data[3] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		wr_utf8_state state = 0;
		size_t boundary, bad = NO_BAD;

		/* Two ASCII bytes in front change nothing that the shorter test has not shown. */
		if (data[0] < 0x80 && data[1] < 0x80)
			continue;
		wr_utf8_feed(&state, wr_view_of(data, 3), &bad);
		if (bad != naive_bad(data, 3, &boundary))
			check_against_naive(data, 3);
		if (bad == NO_BAD && wr_utf8_is_complete(state) != (boundary == 3))
			check_against_naive(data, 3);
	}
}

static void test_edges_of_four_bytes(void)
{
	static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
					0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff};

	for (unsigned first = 0xe0; first < 0x100; first++)
		for (unsigned second = 0; second < 0x100; second++)
			for (size_t i = 0; i < sizeof edges * sizeof edges; i++) {
				uint8_t data[4] = {(uint8_t)first, (uint8_t)second,
						   edges[i / sizeof edges],
						   edges[i % sizeof edges]};

				check_against_naive(data, 4);
			}
}

static void test_every_scalar_value_is_encoded_validly(void)
{
	for (uint32_t scalar = 0; scalar <= 0x10ffff; scalar++) {
		char out[4];
		size_t bytes, boundary;

		if (scalar == 0xd800)
			scalar = 0xe000;
		bytes = wr_utf8_encode(out, scalar);
		CHECK_U64(bytes, 1 + (scalar > 0x7f) + (scalar > 0x7ff) + (scalar > 0xffff));
		CHECK(naive_bad((const uint8_t *)out, bytes, &boundary) == NO_BAD);
		CHECK(boundary == bytes && wr_utf8_is_valid(wr_view_of(out, bytes)));
	}
}

static void test_known_encodings(void)
{
	/* The examples of RFC 3629 section 7, and the first and last of each length. */
	static const struct {
		uint32_t scalar;
		const char *bytes;
	} cases[] = {
		{0x41, "A"},
		{0x2262, "\xe2\x89\xa2"},
		{0x391, "\xce\x91"},
		{0xd55c, "\xed\x95\x9c"},
		{0x65e5, "\xe6\x97\xa5"},
		{0x233b4, "\xf0\xa3\x8e\xb4"},
		{0xfeff, "\xef\xbb\xbf"},
		{0x7f, "\x7f"},
		{0x80, "\xc2\x80"},
		{0x7ff, "\xdf\xbf"},
		{0x800, "\xe0\xa0\x80"},
		{0xd7ff, "\xed\x9f\xbf"},
		{0xe000, "\xee\x80\x80"},
		{0xffff, "\xef\xbf\xbf"},
		{0x10000, "\xf0\x90\x80\x80"},
		{0x10ffff, "\xf4\x8f\xbf\xbf"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char out[4];

		wr_test_case(cases[i].bytes);
		CHECK_STRING(wr_view_of(out, wr_utf8_encode(out, cases[i].scalar)), cases[i].bytes);
	}
}

static const struct {
	const char *label;
	struct wr_view text;
	size_t bad;
	bool is_complete;
} table[] = {
	{"empty", TEXT(""), NO_BAD, true},
	{"NUL is a character", TEXT("a\0b"), NO_BAD, true},
	{"one of each length", TEXT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), NO_BAD, true},
	{"byte order mark", TEXT("\xef\xbb\xbfx"), NO_BAD, true},
	{"noncharacter", TEXT("\xef\xbf\xbe\xf4\x8f\xbf\xbf"), NO_BAD, true},
	{"neighbours of surrogates", TEXT("\xed\x9f\xbf\xee\x80\x80"), NO_BAD, true},
	{"unfinished two", TEXT("a\xc3"), NO_BAD, false},
	{"unfinished three after one", TEXT("\xe2"), NO_BAD, false},
	{"unfinished three after two", TEXT("\xe2\x82"), NO_BAD, false},
	{"unfinished four after three", TEXT("xyz\xf0\x9f\x98"), NO_BAD, false},
	{"lone tail 80", TEXT("\x80"), 0, false},
	{"lone tail bf", TEXT("a\xbf"), 1, false},
	{"tail too many", TEXT("\xc3\xa9\xa9"), 2, false},
	{"c0 never", TEXT("\xc0\x80"), 0, false},
	{"c1 never", TEXT("x\xc1\xbf"), 1, false},
	{"overlong slash in two", TEXT("/\xc0\xaf"), 1, false},
	{"overlong slash in three", TEXT("\xe0\x80\xaf"), 1, false},
	{"overlong in three, highest", TEXT("\xe0\x9f\xbf"), 1, false},
	{"overlong slash in four", TEXT("\xf0\x80\x80\xaf"), 1, false},
	{"overlong in four, highest", TEXT("\xf0\x8f\xbf\xbf"), 1, false},
	{"lowest surrogate", TEXT("\xed\xa0\x80"), 1, false},
	{"highest surrogate", TEXT("ab\xed\xbf\xbf"), 3, false},
	{"surrogate pair", TEXT("\xed\xa0\xbd\xed\xb8\x80"), 1, false},
	{"above 10ffff", TEXT("\xf4\x90\x80\x80"), 1, false},
	{"f5", TEXT("\xf5\x80\x80\x80"), 0, false},
	{"five bytes", TEXT("\xf8\x88\x80\x80\x80"), 0, false},
	{"six bytes", TEXT("\xfc\x84\x80\x80\x80\x80"), 0, false},
	{"fe", TEXT("\xfe"), 0, false},
	{"ff", TEXT("a\xff"), 1, false},
	{"ASCII after a first of two", TEXT("\xc3(x"), 1, false},
	{"ASCII after two of three", TEXT("\xe2\x82(x"), 2, false},
	{"ASCII after three of four", TEXT("\xf0\x9f\x98(x"), 3, false},
	{"first after a first", TEXT("\xe2\xe2\x82\xac"), 1, false},
	{"RFC 6455 test text of Autobahn 6.4",
	 TEXT("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
	      "\xf4\x90\x80\x80 edited"),
	 12, false},
};

/* Feeds `text` in pieces that end at the cuts; the first bad byte or NO_BAD. */
static size_t feed_cut(struct wr_view text, size_t first, size_t second, wr_utf8_state *state)
{
	size_t starts[4] = {0, first, second, text.bytes};

	*state = 0;
	for (size_t i = 0; i < 3; i++) {
		struct wr_view piece = wr_view_of(text.data + starts[i], starts[i + 1] - starts[i]);
		size_t bad;

		if (!wr_utf8_feed(state, wr_test_guarded(1, piece), &bad))
			return starts[i] + bad;
	}
	return NO_BAD;
}

static void test_table_cut_everywhere(void)
{
	for (size_t i = 0; i < WR_COUNT(table); i++) {
		struct wr_view text = wr_test_guarded(0, table[i].text);

		wr_test_case(table[i].label);
		CHECK(wr_utf8_is_valid(text) == table[i].is_complete);
		for (size_t first = 0; first <= text.bytes; first++)
			for (size_t second = first; second <= text.bytes; second++) {
				wr_utf8_state state;

				CHECK_U64(feed_cut(text, first, second, &state), table[i].bad);
				CHECK(wr_utf8_is_complete(state) == table[i].is_complete);
			}
	}
}

static void test_table_byte_by_byte(void)
{
	for (size_t i = 0; i < WR_COUNT(table); i++) {
		wr_utf8_state state = 0;
		size_t at = 0, bad = NO_BAD;

		wr_test_case(table[i].label);
		for (; at < table[i].text.bytes && bad == NO_BAD; at++)
			if (!wr_utf8_feed(&state, wr_view_of(table[i].text.data + at, 1), NULL))
				bad = at;
		CHECK_U64(bad, table[i].bad);
		CHECK(wr_utf8_is_complete(state) == table[i].is_complete);
	}
}

static void test_table_behind_and_before_ascii_of_every_length(void)
{
	char room[320];

	for (size_t i = 0; i < WR_COUNT(table); i++)
		for (size_t before = 0; before < 140; before++) {
			size_t bytes = table[i].text.bytes;
			size_t after = before * 7 % 90;
			struct wr_view text;
			size_t boundary;

			wr_test_case(table[i].label);
			memset(room, 'a', sizeof room);
			memcpy(room + before, table[i].text.data, bytes);
			text = wr_test_guarded(0, wr_view_of(room, before + bytes + after));
			check_against_naive((const uint8_t *)text.data, text.bytes);
			naive_bad((const uint8_t *)text.data, text.bytes, &boundary);
			CHECK(boundary >= before);
		}
}

static void test_random_mixtures_agree_with_the_naive_decoder(void)
{
	uint64_t seed = wr_test_seed();
	uint8_t data[300];

	for (unsigned round = 0; round < 20000; round++) {
		size_t bytes = 0, target = (size_t)(wr_test_random(&seed) % 290);

		while (bytes < target) {
			uint32_t scalar = (uint32_t)(wr_test_random(&seed) % 0x110000);

			scalar >>= wr_test_random(&seed) % 21;
			if (scalar >= 0xd800 && scalar <= 0xdfff)
				scalar = 'x';
			bytes += wr_utf8_encode((char *)data + bytes, scalar);
		}
		if (bytes != 0 && round % 2 != 0)
			data[wr_test_random(&seed) % bytes] = (uint8_t)wr_test_random(&seed);
		check_against_naive(data, bytes);
	}
}

static void test_a_refused_text_stays_refused(void)
{
	wr_utf8_state state = 0;
	size_t bad = NO_BAD;

	CHECK(!wr_utf8_feed(&state, WR_VIEW("ab\xff"), NULL));
	CHECK(!wr_utf8_is_complete(state));
	CHECK(!wr_utf8_feed(&state, WR_VIEW("sixteen or more ASCII bytes"), &bad));
	CHECK_U64(bad, 0);
	CHECK(wr_utf8_feed(&state, WR_VIEW_NULL, NULL));
	CHECK(!wr_utf8_is_complete(state));
}

/* Unicode 15 PropList.txt, White_Space. */
static bool is_white_space(uint32_t scalar)
{
	static const uint32_t spaces[] = {0x9,	  0xa,	  0xb,	  0xc,	  0xd,	  0x20,	  0x85,
					  0xa0,	  0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
					  0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
					  0x2029, 0x202f, 0x205f, 0x3000};

	for (size_t i = 0; i < WR_COUNT(spaces); i++)
		if (spaces[i] == scalar)
			return true;
	return false;
}

static void test_blank_is_unicode_white_space_and_nothing_else(void)
{
	for (uint32_t scalar = 0; scalar <= 0x10ffff; scalar++) {
		char out[5] = " ";

		if (scalar == 0xd800)
			scalar = 0xe000;
		CHECK(wr_utf8_is_blank(wr_view_of(out, 1 + wr_utf8_encode(out + 1, scalar))) ==
		      is_white_space(scalar));
	}
}

static void test_blank_texts(void)
{
	static const struct {
		const char *label;
		struct wr_view text;
		bool is_blank;
	} cases[] = {
		{"empty", TEXT(""), true},
		{"ASCII spaces", TEXT(" \t\r\n\v\f"), true},
		{"two and three bytes",
		 TEXT("\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x8a\xe3\x80\x80"), true},
		{"separators", TEXT(" \xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f "), true},
		{"NUL", TEXT(" \0"), false},
		{"zero width space is no White_Space", TEXT("\xe2\x80\x8b"), false},
		{"byte order mark", TEXT("\xef\xbb\xbf"), false},
		{"letter behind", TEXT("   x"), false},
		{"letter in front", TEXT("x   "), false},
		{"unfinished two", TEXT(" \xc2"), false},
		{"unfinished three after two", TEXT(" \xe2\x80"), false},
		{"unfinished three after one", TEXT("\xe3"), false},
		{"NEL of Latin-1", TEXT("\x85"), false},
		{"no-break space of Latin-1", TEXT("\xa0"), false},
	};

	CHECK(wr_utf8_is_blank(WR_VIEW_NULL));
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK(wr_utf8_is_blank(wr_test_guarded(0, cases[i].text)) == cases[i].is_blank);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_all_sequences_of_one_and_two_bytes),
	WR_TEST_LIMIT(test_all_sequences_of_three_bytes, 120),
	WR_TEST_LIMIT(test_edges_of_four_bytes, 60),
	WR_TEST_LIMIT(test_every_scalar_value_is_encoded_validly, 60),
	WR_TEST(test_known_encodings),
	WR_TEST_LIMIT(test_table_cut_everywhere, 60),
	WR_TEST(test_table_byte_by_byte),
	WR_TEST_LIMIT(test_table_behind_and_before_ascii_of_every_length, 60),
	WR_TEST_LIMIT(test_random_mixtures_agree_with_the_naive_decoder, 60),
	WR_TEST(test_a_refused_text_stays_refused),
	WR_TEST_LIMIT(test_blank_is_unicode_white_space_and_nothing_else, 60),
	WR_TEST(test_blank_texts),
	WR_TEST_END,
};
