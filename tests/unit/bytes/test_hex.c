/* Goal: two digits per byte, of every value, and nothing behind them. Method: the values in order
 * against the C library's own spelling. */
#include "bytes/hex.h"

#include "harness/harness.h"

#include <stdint.h>
#include <stdio.h>

static void test_every_byte_is_two_lower_case_digits(void)
{
	for (unsigned value = 0; value <= UINT8_MAX; value++) {
		uint8_t byte = (uint8_t)value;
		char digits[3] = "??", expected[3];

		(void)snprintf(expected, sizeof expected, "%02x", value);
		wr_hex_write(digits, &byte, 1);
		CHECK_STRING(wr_view_of(digits, 2), expected);
		CHECK(digits[2] == '\0');
	}
}

static void test_bytes_keep_their_order(void)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0x9a, 0xff};
	char digits[2 * sizeof bytes];

	wr_hex_write(digits, bytes, sizeof bytes);
	CHECK_STRING(wr_view_of(digits, sizeof digits), "00019aff");
}

static void test_no_bytes_write_nothing(void)
{
	char digits[1] = {'?'};

	wr_hex_write(digits, "x", 0);
	CHECK(digits[0] == '?');
}
const struct wr_test wr_tests[] = {
	WR_TEST(test_every_byte_is_two_lower_case_digits),
	WR_TEST(test_bytes_keep_their_order),
	WR_TEST(test_no_bytes_write_nothing),
	WR_TEST_END,
};
