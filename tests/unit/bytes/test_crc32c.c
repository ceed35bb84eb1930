/* Goal: the checksum of RFC 3720 appendix B.4, the same in hardware and without, whole or in
 * pieces, at any address. Method: published vectors, and a third way of one bit at a time. */
#include "bytes/crc32c.h"

#include "check.h"
#include "harness/harness.h"

static uint32_t bit_by_bit(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	crc = ~crc;
	for (size_t i = 0; i < 8 * bytes; i++) {
		crc ^= (uint32_t)(at[i / 8] >> i % 8) & 1;
		crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void fill(uint8_t *out, size_t bytes, uint64_t *state)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(wr_test_random(state) >> 32);
}

static void test_published_vectors(void)
{
	/* RFC 3720 B.4, where the value is printed as bytes, the lowest first; the last two are the
	 * check value of the catalogues of checksums, and nothing at all. */
	static const struct {
		const char *label;
		struct wr_view text;
		uint32_t expected;
	} cases[] = {
		{"32 zeros",
		 WR_VIEW_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		 0x8a9136aa},
		{"32 ones",
		 WR_VIEW_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		 0x62a8ab43},
		{"32 incrementing",
		 WR_VIEW_INIT("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
			      "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
		 0x46dd794e},
		{"32 decrementing",
		 WR_VIEW_INIT("\x1f\x1e\x1d\x1c\x1b\x1a\x19\x18\x17\x16\x15\x14\x13\x12\x11\x10"
			      "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\x07\x06\x05\x04\x03\x02\x01\x00"),
		 0x113fdb5c},
		{"iSCSI read command",
		 WR_VIEW_INIT("\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
			      "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
			      "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"),
		 0xd9963a56},
		{"123456789", WR_VIEW_INIT("123456789"), 0xe3069283},
		{"nothing", WR_VIEW_INIT(""), 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_test_guarded(0, cases[i].text);

		wr_test_case(cases[i].label);
		CHECK_U64(wr_crc32c(0, text.data, text.bytes), cases[i].expected);
		CHECK_U64(wr_crc32c_portable(0, text.data, text.bytes), cases[i].expected);
		CHECK_U64(bit_by_bit(0, text.data, text.bytes), cases[i].expected);
	}
}

static void test_nothing_changes_no_checksum(void)
{
	static const uint32_t sums[] = {0, 1, 0x80000000, 0xe3069283, UINT32_MAX};

	for (size_t i = 0; i < WR_COUNT(sums); i++) {
		CHECK_U64(wr_crc32c(sums[i], NULL, 0), sums[i]);
		CHECK_U64(wr_crc32c_portable(sums[i], NULL, 0), sums[i]);
	}
}

static void test_all_ways_agree_at_any_length_and_address(void)
{
	uint64_t state = wr_test_seed();
	uint8_t bytes[8 + 300];

	fill(bytes, sizeof bytes, &state);
	for (size_t at = 0; at <= 8; at++)
		for (size_t length = 0; length <= 300; length++) {
			uint32_t before = (uint32_t)wr_test_random(&state);
			uint32_t expected = bit_by_bit(before, bytes + at, length);

			CHECK_U64(wr_crc32c(before, bytes + at, length), expected);
			CHECK_U64(wr_crc32c_portable(before, bytes + at, length), expected);
		}
}

static void test_every_byte_counts_in_every_place(void)
{
	/* All 256 values at each place of a step, so that each entry of each table is read. */
	for (size_t at = 0; at < 16; at++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[16] = {0};
			uint32_t expected;

			bytes[at] = (uint8_t)value;
			expected = bit_by_bit(0, bytes, sizeof bytes);
			CHECK_U64(wr_crc32c(0, bytes, sizeof bytes), expected);
			CHECK_U64(wr_crc32c_portable(0, bytes, sizeof bytes), expected);
		}
}

static void test_pieces_give_the_same_as_the_whole(void)
{
	uint64_t state = wr_test_seed();
	uint8_t bytes[2000];

	for (unsigned round = 0; round < 200; round++) {
		size_t total = (size_t)(wr_test_random(&state) % sizeof bytes), at = 0;
		uint32_t fast = 0, portable = 0, expected;

		fill(bytes, total, &state);
		expected = bit_by_bit(0, bytes, total);
		while (at < total) {
			size_t piece = (size_t)(wr_test_random(&state) % 100);

			if (piece > total - at)
				piece = total - at;
			fast = wr_crc32c(fast, bytes + at, piece);
			portable = wr_crc32c_portable(portable, bytes + at, piece);
			at += piece;
		}
		CHECK_U64(fast, expected);
		CHECK_U64(portable, expected);
	}
}

static void test_no_byte_beyond_the_end_is_read(void)
{
	uint64_t state = wr_test_seed();
	uint8_t bytes[64];

	fill(bytes, sizeof bytes, &state);
	for (size_t length = 0; length <= sizeof bytes; length++) {
		struct wr_view text = wr_test_guarded(0, wr_view_of(bytes, length));
		uint32_t expected = bit_by_bit(0, bytes, length);

		CHECK_U64(wr_crc32c(0, text.data, text.bytes), expected);
		CHECK_U64(wr_crc32c_portable(0, text.data, text.bytes), expected);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_published_vectors),
	WR_TEST(test_nothing_changes_no_checksum),
	WR_TEST(test_all_ways_agree_at_any_length_and_address),
	WR_TEST(test_every_byte_counts_in_every_place),
	WR_TEST(test_pieces_give_the_same_as_the_whole),
	WR_TEST(test_no_byte_beyond_the_end_is_read),
	WR_TEST_END,
};
