/*
 * Numbers. Options: variant (0: the rest is a number's text; 1: it is eight bytes of a double).
 *
 * libc says the same of every number's text, to the last bit; integers are what libc reads, and in
 * range; a double's text is read as the same double, has no more digits than are needed, and is
 * JSON.
 */
#include "codec/json/number.h"
#include "fuzz.h"
#include "unit/codec/json/naive.h"

#include <errno.h>
#include <stdio.h>

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* Digits that say something: no zeros at either end. */
static unsigned count_digits(const char *text)
{
	unsigned count = 0, zeros = 0;

	for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
		if (*text < '0' || *text > '9' || (*text == '0' && count == 0))
			continue;
		zeros = *text == '0' ? zeros + 1 : 0;
		count++;
	}
	return count - zeros;
}

/* With printf's rounding; beside a power of two there may be a text with fewer. */
static unsigned digits_needed(double value)
{
	char text[64];

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, value);
		if (bits_of(strtod(text, NULL)) == bits_of(value))
			return count_digits(text);
	}
	wr_test_fail(__FILE__, __LINE__, "17 digits are enough for every double");
}

static void check_format(double value)
{
	char room[WR_JSON_DOUBLE_TEXT_BYTES_MAX + 1];
	size_t bytes = wr_json_format_double(room, value);
	struct wr_view text = wr_view_of(room, bytes);

	CHECK(bytes <= WR_JSON_DOUBLE_TEXT_BYTES_MAX);
	CHECK(naive_is_json(text));
	CHECK_U64(bits_of(wr_json_parse_double(text)), bits_of(value));
	room[bytes] = '\0';
	CHECK_U64(bits_of(strtod(room, NULL)), bits_of(value));
	CHECK(count_digits(room) <= digits_needed(value));
}

static void check_integers(const char *string, struct wr_view text)
{
	bool is_plain = strspn(string, "0123456789") == text.bytes;
	bool is_signed =
		is_plain || (*string == '-' && strspn(string + 1, "0123456789") == text.bytes - 1 &&
			     strcmp(string, "-0") != 0);
	uint64_t value = 0;
	int64_t signed_value = 0;
	unsigned long long expected;
	long long signed_expected;
	char written[20];

	errno = 0;
	expected = strtoull(string, NULL, 10);
	CHECK(wr_json_parse_u64(&value, text) == (is_plain && errno == 0));
	if (is_plain && errno == 0) {
		CHECK_U64(value, expected);
		CHECK_VIEW(wr_view_of(written, wr_json_format_u64(written, value)), text);
	}
	errno = 0;
	signed_expected = strtoll(string, NULL, 10);
	CHECK(wr_json_parse_i64(&signed_value, text) == (is_signed && errno == 0));
	if (is_signed && errno == 0)
		CHECK(signed_value == signed_expected);
}

static void check_text(struct wr_view text)
{
	struct naive naive = {(const unsigned char *)text.data, NULL};
	char string[257];
	double value;

	naive.end = naive.at + text.bytes;
	if (text.bytes == 0 || text.bytes >= sizeof string || !naive_number(&naive) ||
	    naive.at != naive.end)
		return;
	memcpy(string, text.data, text.bytes);
	string[text.bytes] = '\0';
	value = strtod(string, NULL);
	CHECK_U64(bits_of(wr_json_parse_double(text)), bits_of(value));
	check_integers(string, text);
	if (value - value == 0)
		check_format(value);
}

void fuzz_one(struct wr_view input)
{
	uint8_t variant = fuzz_u8(&input);
	uint64_t bits;
	double value;

	if (variant % 2 == 0) {
		check_text(wr_test_guarded(0, input));
		return;
	}
	bits = fuzz_u64(&input);
	memcpy(&value, &bits, sizeof value);
	if (value - value == 0)
		check_format(value);
}
