/* Goal: every number's text becomes the nearest double and every double its shortest text, exactly.
 * Method: vectors at every border of the format, and the C library's strtod and printf as a second
 * opinion on random ones. */
#include "codec/json/number.h"

#include "check.h"
#include "harness/harness.h"
#include "bounds.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static double double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint64_t parse(const char *text)
{
	return bits_of(wr_json_parse_double(wr_test_guarded(0, wr_view_of_string(text))));
}

/* ---- integers ---- */

static void test_u64_is_exact_or_refused(void)
{
	static const struct {
		const char *text;
		bool is_good;
		uint64_t value;
	} cases[] = {
		{"0", true, 0},
		{"7", true, 7},
		{"1234567890", true, 1234567890},
		{"9007199254740993", true, 9007199254740993},
		{"18446744073709551609", true, UINT64_MAX - 6},
		{"18446744073709551615", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
		{"18446744073709551620", false, 0},
		{"18446744073709551700", false, 0},
		{"19000000000000000000", false, 0},
		{"20000000000000000000", false, 0},
		{"99999999999999999999", false, 0},
		{"100000000000000000000", false, 0},
		{"-1", false, 0},
		{"-0", false, 0},
		{"1.0", false, 0},
		{"1e3", false, 0},
		{"1E0", false, 0},
		{"0.0", false, 0},
		{"", false, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		uint64_t value = 42;

		wr_test_case(cases[i].text);
		CHECK(wr_json_parse_u64(&value,
					wr_test_guarded(0, wr_view_of_string(cases[i].text))) ==
		      cases[i].is_good);
		CHECK_U64(value, cases[i].is_good ? cases[i].value : 42);
	}
}

static void test_i64_is_exact_or_refused(void)
{
	static const struct {
		const char *text;
		bool is_good;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-1", true, -1},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"18446744073709551615", false, 0},
		{"18446744073709551616", false, 0},
		{"-9223372036854775807", true, -INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"-18446744073709551615", false, 0},
		{"-18446744073709551617", false, 0},
		{"-0", false, 0},
		{"-1.0", false, 0},
		{"-1e0", false, 0},
		{"-", false, 0},
		{"", false, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		int64_t value = 42;

		wr_test_case(cases[i].text);
		CHECK(wr_json_parse_i64(&value,
					wr_test_guarded(0, wr_view_of_string(cases[i].text))) ==
		      cases[i].is_good);
		CHECK_U64(value, cases[i].is_good ? cases[i].value : 42);
	}
}

static void check_u64(uint64_t value)
{
	char ours[20], theirs[24];
	uint64_t again = 0;
	size_t bytes = wr_json_format_u64(ours, value);

	snprintf(theirs, sizeof theirs, "%llu", (unsigned long long)value);
	CHECK_STRING(wr_view_of(ours, bytes), theirs);
	CHECK(wr_json_parse_u64(&again, wr_view_of(ours, bytes)));
	CHECK_U64(again, value);
}

static void test_u64_text_is_decimal(void)
{
	uint64_t state = wr_test_seed();

	for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
		check_u64(power - 1);
		check_u64(power);
		check_u64(power + 1);
	}
	check_u64(UINT64_MAX);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t value = wr_test_random(&state);

		check_u64(value >> wr_test_random(&state) % 64);
	}
}

/* ---- reading doubles ---- */

static const struct {
	const char *text;
	double value;
} read[] = {
	{"0", 0.0},
	{"-0", -0.0},
	{"0.0", 0.0},
	{"-0.000e10", -0.0},
	{"0e99999999999999999999", 0.0},
	{"1", 1.0},
	{"-1.5", -1.5},
	{"0.1", 0x1.999999999999ap-4},
	{"0.2", 0x1.999999999999ap-3},
	{"3.141592653589793", 0x1.921fb54442d18p+1},
	{"100", 100.0},
	{"1e2", 100.0},
	{"1E+2", 100.0},
	{"100e-2", 1.0},
	{"1e22", 0x1.0f0cf064dd592p+73},
	{"1e23", 0x1.52d02c7e14af6p+76},
	{"1e-22", 0x1.e392010175ee6p-74},
	{"1e-23", 0x1.82db34012b251p-77},
	{"123456789012345678", 123456789012345680.0},
	/* Around 2^53: halfway cases go to the even neighbour. */
	{"9007199254740991", 0x1.fffffffffffffp52},
	{"9007199254740992", 0x1p53},
	{"9007199254740993", 0x1p53},
	{"9007199254740993.0", 0x1p53},
	{"9007199254740993.00000000000000000000000000000000000000000000001", 0x1.0000000000001p53},
	{"9007199254740992.99999999999999999999999999999999999999999999999", 0x1p53},
	{"9007199254740994", 0x1.0000000000001p53},
	{"9007199254740995", 0x1.0000000000002p53},
	{"9007199254740996", 0x1.0000000000002p53},
	{"-9007199254740993", -0x1p53},
	/* 1 + 2^-53 and its neighbours. */
	{"1.00000000000000011102230246251565404236316680908203125", 1.0},
	{"1.00000000000000011102230246251565404236316680908203126", 0x1.0000000000001p0},
	{"1.00000000000000011102230246251565404236316680908203124", 1.0},
	{"1.00000000000000033306690738754696212708950042724609375", 0x1.0000000000002p0},
	/* The largest, and where infinity begins: at 2^1024 - 2^970. */
	{"1.7976931348623157e308", DBL_MAX},
	{"1.7976931348623158e308", DBL_MAX},
	{"1.797693134862315807e308", DBL_MAX},
	{"1.79769313486231580793728971405303415079934132710037e308", DBL_MAX},
	{"1.79769313486231580793728971405303415079934132710038e308", (double)INFINITY},
	{"-1.7976931348623159e308", -(double)INFINITY},
	{"1.797693134862315808e308", (double)INFINITY},
	{"1e309", (double)INFINITY},
	{"-1e400", -(double)INFINITY},
	{"1e99999999999999999999", (double)INFINITY},
	{"123456789e301", (double)INFINITY},
	/* Normal to subnormal to zero, which begins at 2^-1075. */
	{"2.2250738585072014e-308", DBL_MIN},
	{"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
	{"2.2250738585072012e-308", DBL_MIN},
	{"2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516529"
	 "523908135087914149158913039621106870086438694594645527657207407820621743379988141063267e-"
	 "308",
	 0x0.fffffffffffffp-1022},
	{"4.9e-324", 0x1p-1074},
	{"5e-324", 0x1p-1074},
	{"3e-324", 0x1p-1074},
	{"7.4e-324", 0x1p-1074},
	{"7.5e-324", 0x1p-1073},
	{"2.47032822920623272088284396434110686182529901307e-324", 0.0},
	{"2.47032822920623272088284396434110686182529901308e-324", 0x1p-1074},
	{"2.4e-324", 0.0},
	{"-1e-324", -0.0},
	{"1e-400", 0.0},
	{"1e-99999999999999999999", 0.0},
	{"123456789e-340", 0.0},
	{"0.00000000000000000000000000000000000001e-285", 0x2p-1074},
};

static void test_doubles_are_read_to_the_nearest(void)
{
	for (size_t i = 0; i < WR_COUNT(read); i++) {
		wr_test_case(read[i].text);
		CHECK_U64(parse(read[i].text), bits_of(strtod(read[i].text, NULL)));
		CHECK_U64(parse(read[i].text), bits_of(read[i].value));
	}
}

static void check_read(const char *text)
{
	wr_test_case(text);
	CHECK(strlen(text) <= WR_JSON_NUMBER_BYTES_MAX);
	CHECK_U64(parse(text), bits_of(strtod(text, NULL)));
}

static void test_random_digits_are_read_like_strtod(void)
{
	uint64_t state = wr_test_seed();
	char text[WR_JSON_NUMBER_BYTES_MAX + 1];

	for (unsigned round = 0; round < 30000; round++) {
		size_t digits = 1 + (size_t)(wr_test_random(&state) % (round % 4 == 0 ? 240 : 25));
		size_t point = (size_t)(wr_test_random(&state) % digits);
		int exponent = (int)(wr_test_random(&state) % 700) - 350;
		size_t at = 0;

		for (size_t i = 0; i < digits; i++) {
			text[at++] = (char)('0' + wr_test_random(&state) % 10);
			if (i == 0 && text[0] == '0')
				text[0] = '1';
			if (i == point && i + 1 < digits)
				text[at++] = '.';
		}
		snprintf(text + at, sizeof text - at, "e%d", exponent);
		check_read(text);
	}
}

/* Where a double has more bits than a `double`, the middle of two neighbours is a value, and its
 * exact decimal digits can be printed. */
static void test_halfway_cases_are_read_like_strtod(void)
{
	uint64_t state = wr_test_seed();
	unsigned tried = 0;

	if (LDBL_MANT_DIG <= DBL_MANT_DIG)
		wr_test_skip("long double is no wider than double here");
	if (wr_test_is_in_valgrind())
		wr_test_skip("valgrind computes a long double in 64 bits");
	for (unsigned round = 0; round < 20000; round++) {
		uint64_t exponent = 1023 - 60 + wr_test_random(&state) % 240;
		uint64_t bits = exponent << 52 | wr_test_random(&state) >> 12;
		long double middle =
			((long double)double_of(bits) + (long double)double_of(bits + 1)) / 2;
		char text[600], *last;

		snprintf(text, sizeof text, "%.190Lf", middle);
		last = text + strlen(text);
		while (last[-1] == '0' || last[-1] == '.')
			*--last = 0;
		if (strchr(text, '.') == NULL || strlen(text) >= WR_JSON_NUMBER_BYTES_MAX)
			continue;
		tried++;
		check_read(text);
		CHECK_U64(parse(text), bits + (bits & 1)); /* to even */
		last[0] = '1';
		last[1] = 0;
		check_read(text);
		CHECK_U64(parse(text), bits + 1);
		*last = 0;
		last[-1]--; /* it was not 0 */
		check_read(text);
		CHECK_U64(parse(text), bits);
	}
	CHECK(tried > 1000);
}

/* ---- writing doubles ---- */

static void test_doubles_are_written_as_people_do(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0.0, "0"},
		{-0.0, "-0"},
		{1.0, "1"},
		{-1.0, "-1"},
		{100.0, "100"},
		{1.5, "1.5"},
		{-0.1, "-0.1"},
		{0.3, "0.3"},
		{0x1.3333333333334p-2, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"},
		{2.0 / 3, "0.6666666666666666"},
		{123.456, "123.456"},
		{0.001, "0.001"},
		{0.000001, "0.000001"},
		{0.0000123, "0.0000123"},
		{0.0000001, "1e-7"},
		{0.00000012, "1.2e-7"},
		{9007199254740991.0, "9007199254740991"},
		{9007199254740992.0, "9007199254740992"},
		{9007199254740994.0, "9007199254740994"},
		{36028797018963976.0, "36028797018963976"},
		{72057594037927936.0, "72057594037927940"},
		{99999999999999984.0, "99999999999999980"},
		{1e16, "10000000000000000"},
		{1e17, "1e17"},
		{123456789012345678901.0, "1.2345678901234568e20"},
		{1e21, "1e21"},
		{1e22, "1e22"},
		{1e23, "1e23"},
		{9.5e23, "9.5e23"},
		{DBL_MAX, "1.7976931348623157e308"},
		{-DBL_MAX, "-1.7976931348623157e308"},
		{DBL_MIN, "2.2250738585072014e-308"},
		{0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
		{0x1p-1074, "5e-324"},
		{0x1p-1073, "1e-323"},
		{0x3p-1074, "1.5e-323"},
		{0x1p-44, "5.684341886080802e-14"},
		{0x1p63, "9.223372036854776e18"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char text[WR_JSON_DOUBLE_TEXT_BYTES_MAX];
		size_t bytes = wr_json_format_double(text, cases[i].value);

		wr_test_case(cases[i].text);
		CHECK_STRING(wr_view_of(text, bytes), cases[i].text);
	}
}

/* The digits of a number's text, without sign, point, exponent and zeros at either end. */
static size_t significant_digits(char *digits, const char *text)
{
	size_t count = 0;

	for (; *text != 0 && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0'))
			digits[count++] = *text;
	while (count > 0 && digits[count - 1] == '0')
		count--;
	digits[count] = 0;
	return count;
}

/* Round trip by both readers; no precision of printf that makes the round trip has fewer digits,
 * and at the same number of digits printf's, which are the nearest, are ours. */
static void check_shortest(double value)
{
	char text[WR_JSON_DOUBLE_TEXT_BYTES_MAX + 1], ours[40], theirs[40], printed[40];
	size_t bytes = wr_json_format_double(text, value), count;
	int precision = 16;

	CHECK(bytes < sizeof text - 1);
	text[bytes] = 0;
	wr_test_case(text);
	CHECK_U64(bits_of(strtod(text, NULL)), bits_of(value));
	CHECK_U64(parse(text), bits_of(value));
	count = significant_digits(ours, text);
	while (precision > 0) {
		snprintf(printed, sizeof printed, "%.*e", precision - 1, value);
		if (bits_of(strtod(printed, NULL)) != bits_of(value))
			break;
		precision--;
	}
	/* precision + 1 digits of printf come back, precision digits do not. */
	snprintf(printed, sizeof printed, "%.*e", precision, value);
	CHECK(count <= significant_digits(theirs, printed));
	if (count > 0)
		snprintf(printed, sizeof printed, "%.*e", (int)count - 1, value);
	if (bits_of(strtod(printed, NULL)) == bits_of(value)) {
		significant_digits(theirs, printed);
		CHECK_STRING(wr_view_of_string(ours), theirs);
	}
}

static void test_random_doubles_are_written_shortest(void)
{
	uint64_t state = wr_test_seed();

	for (unsigned round = 0; round < 100000; round++) {
		double value = double_of(wr_test_random(&state));

		if (isfinite(value))
			check_shortest(value);
	}
	for (unsigned round = 0; round < 10000; round++) {
		check_shortest(double_of(wr_test_random(&state) >> 12)); /* subnormal */
		check_shortest((double)(wr_test_random(&state) % 100000000) / 1000);
	}
}

/* Below a power of two the neighbours lie closer: the hardest place for the shortest digits. */
static void test_powers_of_two_and_ten_are_written_shortest(void)
{
	char text[16];

	for (uint64_t exponent = 1; exponent < 2047; exponent++) {
		check_shortest(double_of(exponent << 52));
		check_shortest(double_of((exponent << 52) - 1));
		check_shortest(double_of((exponent << 52) + 1));
	}
	for (int exponent = -323; exponent <= 308; exponent++) {
		uint64_t bits;

		snprintf(text, sizeof text, "1e%d", exponent);
		bits = bits_of(strtod(text, NULL));
		check_shortest(double_of(bits));
		check_shortest(double_of(bits + 1));
		check_shortest(double_of(bits - 1));
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_u64_is_exact_or_refused),
	WR_TEST(test_i64_is_exact_or_refused),
	WR_TEST(test_u64_text_is_decimal),
	WR_TEST(test_doubles_are_read_to_the_nearest),
	WR_TEST_LIMIT(test_random_digits_are_read_like_strtod, 60),
	WR_TEST_LIMIT(test_halfway_cases_are_read_like_strtod, 60),
	WR_TEST(test_doubles_are_written_as_people_do),
	WR_TEST_LIMIT(test_random_doubles_are_written_shortest, 120),
	WR_TEST_LIMIT(test_powers_of_two_and_ten_are_written_shortest, 60),
	WR_TEST_END,
};
