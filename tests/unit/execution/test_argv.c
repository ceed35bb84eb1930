/* Goal: a command is split as its writer meant it, and nothing in it is ever expanded. Method: a
 * table of texts with their words, one per line; refusals with their offsets. */
#include "execution/argv.h"
#include "harness/harness.h"

#include <string.h>

static void test_words_are_split_as_the_quotes_say(void)
{
	static const struct {
		const char *text, *words; /* each word with a '|' behind it */
	} cases[] = {
		{"cat", "cat|"},
		{"  cat\t-n \n ", "cat|-n|"},
		{"a b  c", "a|b|c|"},
		{"a 'b c' d", "a|b c|d|"},
		{"a \"b c\" d", "a|b c|d|"},
		{"a'b c'd", "ab cd|"},
		{"a '' b", "a||b|"},
		{"a \"\"", "a||"},
		{"a ''", "a||"},
		{"a\\ b", "a b|"},
		{"\\a", "a|"},
		{"a \\'", "a|'|"},
		{"a '\\'", "a|\\|"},
		{"a \"\\\"\"", "a|\"|"},
		{"a \"\\\\\"", "a|\\|"},
		{"a \"\\$\\`\"", "a|$`|"},
		{"a \"\\n\"", "a|\\n|"},
		{"a '\"' \"'\"", "a|\"|'|"},
		{"a $HOME * ~ `b` # c", "a|$HOME|*|~|`b`|#|c|"},
		{"a;b && c > d | e &", "a;b|&&|c|>|d|||e|&|"},
		{"a=b c", "a=b|c|"},
		{"a \xc3\xa9\xe3\x81\x82", "a|\xc3\xa9\xe3\x81\x82|"},
		{"a \x01\x7f\xff", "a|\x01\x7f\xff|"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr_view text = wr_test_guarded(0, wr_view_of_string(cases[i].text));
		struct wr_error error;
		struct wr_argv argv;
		char joined[256];
		size_t bytes = 0;

		wr_test_case(cases[i].text);
		CHECK_STATUS(wr_argv_split(&argv, wr_test_allocator(), text, &error), WR_OK);
		CHECK(argv.words[argv.count] == NULL);
		for (size_t word = 0; word < argv.count; word++) {
			memcpy(joined + bytes, argv.words[word], strlen(argv.words[word]));
			bytes += strlen(argv.words[word]);
			joined[bytes++] = '|';
		}
		CHECK_VIEW(wr_view_of(joined, bytes), wr_view_of_string(cases[i].words));
		wr_argv_deinit(&argv);
	}
}

static void test_what_cannot_be_split_is_refused_with_its_place(void)
{
	static const struct {
		const char *text;
		size_t bytes; /* 0: strlen */
		enum wr_status status;
		size_t offset;
	} cases[] = {
		{"", 0, WR_INVALID, 0},		{" \t\n ", 0, WR_INVALID, 4},
		{"''", 0, WR_INVALID, 0},	{"\"\" a", 0, WR_INVALID, 0},
		{"'", 0, WR_SYNTAX, 0},		{"\"", 0, WR_SYNTAX, 0},
		{"a 'b", 0, WR_SYNTAX, 2},	{"a b\"c d", 0, WR_SYNTAX, 3},
		{"a 'b' \"c", 0, WR_SYNTAX, 6}, {"a \"b\\\"", 0, WR_SYNTAX, 2},
		{"a '\\''", 0, WR_SYNTAX, 5},	{"\\", 0, WR_SYNTAX, 0},
		{"a b\\", 0, WR_SYNTAX, 3},	{"a \"b\\", 0, WR_SYNTAX, 4},
		{"a\0b", 3, WR_INVALID, 1},	{"\0", 1, WR_INVALID, 0},
		{"a 'b\0'", 6, WR_INVALID, 4},	{"a \\\0", 4, WR_INVALID, 3},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t bytes = cases[i].bytes != 0 ? cases[i].bytes : strlen(cases[i].text);
		struct wr_error error;
		struct wr_argv argv;

		wr_test_case(cases[i].text);
		CHECK_STATUS(wr_argv_split(&argv, wr_test_allocator(),
					   wr_test_guarded(0, wr_view_of(cases[i].text, bytes)),
					   &error),
			     cases[i].status);
		CHECK_STATUS(error.status, cases[i].status);
		CHECK_U64(error.offset, cases[i].offset);
		CHECK(error.detail != NULL);
	}
}

static void test_the_most_words_that_a_text_can_have_fit(void)
{
	static char text[WR_ARGV_BYTES_MAX + 1];
	struct wr_error error;
	struct wr_argv argv;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 2 == 0 ? 'a' : ' ';
	for (size_t bytes = 1; bytes <= 64; bytes++) {
		CHECK_STATUS(
			wr_argv_split(&argv, wr_test_allocator(), wr_view_of(text, bytes), &error),
			WR_OK);
		CHECK_U64(argv.count, (bytes + 1) / 2);
		wr_argv_deinit(&argv);
	}
	CHECK_STATUS(wr_argv_split(&argv, wr_test_allocator(), wr_view_of(text, WR_ARGV_BYTES_MAX),
				   &error),
		     WR_OK);
	CHECK_U64(argv.count, WR_ARGV_BYTES_MAX / 2);
	wr_argv_deinit(&argv);
	CHECK_STATUS(
		wr_argv_split(&argv, wr_test_allocator(), wr_view_of(text, sizeof text), &error),
		WR_TOO_LARGE);
}

static void test_without_memory_nothing_is_left(void)
{
	struct wr_error error;
	struct wr_argv argv;

	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_argv_split(&argv, wr_test_allocator(), WR_VIEW("a b"), &error),
		     WR_NO_MEMORY);
	CHECK(wr_test_allocation_failed());
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_words_are_split_as_the_quotes_say),
	WR_TEST(test_what_cannot_be_split_is_refused_with_its_place),
	WR_TEST(test_the_most_words_that_a_text_can_have_fit),
	WR_TEST(test_without_memory_nothing_is_left),
	WR_TEST_END,
};
