/* Goal: whatever bytes come, valid text goes out, and valid text is left as it is. Method: the
 * examples of Unicode 3.9 (table 3-8 and around), random bytes, and messages of the worst kind. */
#include "execution/lossy.h"
#include "bytes/utf8.h"
#include "harness/harness.h"

#include <string.h>

#define BAD "\xef\xbf\xbd"

static void test_each_broken_part_becomes_one_mark(void)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"h\xc3\xa9 \xe3\x81\x82 \xf0\x9f\x98\x80",
		 "h\xc3\xa9 \xe3\x81\x82 \xf0\x9f\x98\x80"},
		{"\xff", BAD},
		{"\xff\xfe", BAD BAD},
		{"a\x80z", "a" BAD "z"},
		{"\xc0\xaf", BAD BAD},
		{"\xe0\x80\xaf", BAD BAD BAD},
		{"\xed\xa0\x80", BAD BAD BAD},
		{"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", BAD BAD BAD BAD BAD "A" BAD BAD "B"},
		{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", BAD BAD BAD BAD "A"},
		{"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64",
		 "a" BAD BAD BAD "b" BAD "c" BAD BAD "d"},
		{"a\xe3\x81", "a" BAD},
		{"a\xf0\x9f\x98", "a" BAD},
		{"\xc2", BAD},
		{"\x1b[31m\x07", "\x1b[31m\x07"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[256];
		struct wr_buf out;

		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_test_case(cases[i].text);
		CHECK_STATUS(wr_lossy_append(&out,
					     wr_test_guarded(0, wr_view_of_string(cases[i].bytes))),
			     WR_OK);
		CHECK_VIEW(wr_buf_view(&out), wr_view_of_string(cases[i].text));
	}
}

static void test_random_bytes_become_valid_text(void)
{
	uint64_t seed = wr_test_seed();

	for (unsigned round = 0; round < 5000; round++) {
		char bytes[64], storage[256], message[100];
		size_t count = wr_test_random(&seed) % sizeof bytes;
		struct wr_buf out;

		for (size_t i = 0; i < count; i++)
			bytes[i] = (char)(wr_test_random(&seed) >> (i % 3 == 0 ? 1 : 0));
		wr_buf_init_fixed(&out, storage, sizeof storage);
		CHECK_STATUS(wr_lossy_append(&out, wr_test_guarded(0, wr_view_of(bytes, count))),
			     WR_OK);
		CHECK(wr_utf8_is_valid(wr_buf_view(&out)));
		wr_buf_init_fixed(&out, message, sizeof message);
		wr_lossy_append_message(&out, wr_test_guarded(0, wr_view_of(bytes, count)));
		CHECK(wr_utf8_is_valid(wr_buf_view(&out)));
	}
}

static void test_a_text_that_grows_beyond_the_buffer_is_refused(void)
{
	char storage[8];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	CHECK_STATUS(wr_lossy_append(&out, WR_VIEW("\xff\xff\xff")), WR_TOO_LARGE);
}

static void test_a_message_has_no_controls_and_ends_at_a_character(void)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"two\nlines", "two\nlines"},
		{"\x1b[31mred\x07\t\x7f", " [31mred   "},
		{"a\xc2\x9b"
		 "b",
		 "a b"},
		{"a\xc2\xa0"
		 "b",
		 "a\xc2\xa0"
		 "b"},
		{"\xff", BAD},
		{"123456789012345\xc3\xa9", "123456789012345"},
		{"12345678901234\xc3\xa9", "12345678901234\xc3\xa9"},
		{"1234567890123456789", "1234567890123456"},
		{"12345678901234\xff", "12345678901234"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[16];
		struct wr_buf out;

		wr_test_case(cases[i].text);
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_lossy_append_message(&out,
					wr_test_guarded(0, wr_view_of_string(cases[i].bytes)));
		CHECK_VIEW(wr_buf_view(&out), wr_view_of_string(cases[i].text));
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_each_broken_part_becomes_one_mark),
	WR_TEST(test_random_bytes_become_valid_text),
	WR_TEST(test_a_text_that_grows_beyond_the_buffer_is_refused),
	WR_TEST(test_a_message_has_no_controls_and_ends_at_a_character),
	WR_TEST_END,
};
