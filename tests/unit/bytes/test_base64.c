/* Goal: RFC 4648 both ways, and one spelling per value. Method: its vectors, round trips of every
 * length, every single changed character, and a table of refused spellings. */
#include "bytes/base64.h"

#include "check.h"
#include "harness/harness.h"

typedef size_t encode_fn(char *out, const uint8_t *data, size_t bytes);
typedef enum wr_status decode_fn(uint8_t *out, size_t bytes, struct wr_view text);

enum { BYTES_MAX = 70, TEXT_MAX = 96 };

static void check_vector(const char *plain, const char *text, encode_fn *encode, decode_fn *decode)
{
	char encoded[TEXT_MAX];
	uint8_t decoded[BYTES_MAX];
	size_t bytes = strlen(plain);

	wr_test_case(text);
	CHECK_STRING(wr_view_of(encoded, encode(encoded, (const uint8_t *)plain, bytes)), text);
	CHECK_STATUS(decode(decoded, bytes, wr_view_of_string(text)), WR_OK);
	CHECK_STRING(wr_view_of(decoded, bytes), plain);
}

static void test_vectors_of_rfc_4648(void)
{
	/* Section 10. */
	static const char *const cases[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		check_vector(cases[i][0], cases[i][1], wr_base64_encode, wr_base64_decode);
}

static void test_url_alphabet_without_padding(void)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"f", "Zg"},
		{"fo", "Zm8"},
		{"foo", "Zm9v"},
		{"\xfb\xff\xfe", "-__-"},
		{"\xff\xef", "_-8"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		check_vector(cases[i][0], cases[i][1], wr_base64url_encode, wr_base64url_decode);
	check_vector("\xfb\xff\xfe", "+//+", wr_base64_encode, wr_base64_decode);
}

static void check_round_trip(const uint8_t *data, size_t bytes, size_t text_bytes,
			     encode_fn *encode, decode_fn *decode)
{
	char text[TEXT_MAX];
	uint8_t back[BYTES_MAX];
	struct wr_view view;

	CHECK_U64(encode(text, data, bytes), text_bytes);
	view = wr_test_guarded(0, wr_view_of(text, text_bytes));
	CHECK_STATUS(decode(back, bytes, view), WR_OK);
	CHECK_VIEW(wr_view_of(back, bytes), wr_view_of(data, bytes));
	/* Another length of either side is another spelling. */
	CHECK_STATUS(decode(back, bytes + 1, view), WR_SYNTAX);
	if (bytes == 0)
		return;
	CHECK_STATUS(decode(back, bytes - 1, view), WR_SYNTAX);
	CHECK_STATUS(decode(back, bytes, wr_view_skip(view, 1)), WR_SYNTAX);
}

static void test_every_length_comes_back(void)
{
	uint64_t seed = wr_test_seed();

	for (size_t bytes = 0; bytes < BYTES_MAX - 1; bytes++)
		for (unsigned round = 0; round < 50; round++) {
			uint8_t data[BYTES_MAX];

			for (size_t i = 0; i < bytes; i++)
				data[i] = (uint8_t)wr_test_random(&seed);
			check_round_trip(data, bytes, WR_BASE64_BYTES(bytes), wr_base64_encode,
					 wr_base64_decode);
			check_round_trip(data, bytes, WR_BASE64URL_BYTES(bytes),
					 wr_base64url_encode, wr_base64url_decode);
		}
}

/* Whatever is accepted must encode to the very same text: one value, one spelling. */
static void check_is_canonical(struct wr_view text, size_t bytes, encode_fn *encode,
			       decode_fn *decode)
{
	uint8_t out[BYTES_MAX];
	char again[TEXT_MAX];

	if (decode(out, bytes, text) == WR_OK)
		CHECK_VIEW(wr_view_of(again, encode(again, out, bytes)), text);
}

static void test_every_changed_character_is_refused_or_another_value(void)
{
	for (size_t bytes = 1; bytes <= 4; bytes++)
		for (size_t at = 0; at < WR_BASE64_BYTES(bytes); at++)
			for (unsigned c = 0; c < 256; c++) {
				static const uint8_t data[] = {0xa5, 0x5a, 0xc3, 0x3c};
				char text[TEXT_MAX];
				size_t used = wr_base64_encode(text, data, bytes);

				text[at] = (char)c;
				check_is_canonical(wr_view_of(text, used), bytes, wr_base64_encode,
						   wr_base64_decode);
				used = wr_base64url_encode(text, data, bytes);
				if (at >= used)
					continue;
				text[at] = (char)c;
				check_is_canonical(wr_view_of(text, used), bytes,
						   wr_base64url_encode, wr_base64url_decode);
			}
}

static void test_other_spellings_are_refused(void)
{
	static const struct {
		const char *text;
		size_t bytes;
		decode_fn *decode;
		const char *why;
	} cases[] = {
		{"Zh==", 1, wr_base64_decode, "unused bits of one byte (RFC 4648 3.5)"},
		{"Zm9=", 2, wr_base64_decode, "unused bits of two bytes"},
		{"Zh", 1, wr_base64url_decode, "unused bits of one byte, url"},
		{"Zm9", 2, wr_base64url_decode, "unused bits of two bytes, url"},
		{"Zg", 1, wr_base64_decode, "padding missing"},
		{"Zg=", 1, wr_base64_decode, "half the padding"},
		{"Zg===", 1, wr_base64_decode, "too much padding"},
		{"Zg==", 1, wr_base64url_decode, "padding where none belongs"},
		{"Zm9v====", 3, wr_base64_decode, "padding after a whole group"},
		{"Z===", 1, wr_base64_decode, "one character"},
		{"=m9v", 3, wr_base64_decode, "padding in front"},
		{"Zm=v", 3, wr_base64_decode, "padding inside"},
		{"Zm9v\n", 3, wr_base64_decode, "line feed behind"},
		{" Zm9", 3, wr_base64_decode, "space in front"},
		{"Zm\n9", 3, wr_base64_decode, "line feed inside"},
		{"-__-", 3, wr_base64_decode, "url alphabet"},
		{"+//+", 3, wr_base64url_decode, "the other alphabet"},
		{"Zm9\xc0", 3, wr_base64_decode, "high bit set"},
		{"Zm9@", 3, wr_base64_decode, "before A"},
		{"Zm9[", 3, wr_base64_decode, "after Z"},
		{"Zm9`", 3, wr_base64_decode, "before a"},
		{"Zm9{", 3, wr_base64_decode, "after z"},
		{"Zm9:", 3, wr_base64_decode, "after 9"},
		{"", 1, wr_base64_decode, "nothing"},
		{"", 1, wr_base64url_decode, "nothing, url"},
		{"Zg==", 0, wr_base64_decode, "something for nothing"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_test_guarded(0, wr_view_of_string(cases[i].text));
		uint8_t out[8];

		wr_test_case(cases[i].why);
		CHECK_STATUS(cases[i].decode(out, cases[i].bytes, text), WR_SYNTAX);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_vectors_of_rfc_4648),
	WR_TEST(test_url_alphabet_without_padding),
	WR_TEST(test_every_length_comes_back),
	WR_TEST(test_every_changed_character_is_refused_or_another_value),
	WR_TEST(test_other_spellings_are_refused),
	WR_TEST_END,
};
