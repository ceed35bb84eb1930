/* Goal: bytes in the order named, whatever the machine's and at any address. Method: each load and
 * store against spelled-out bytes, at every offset of a word. */
#include "bytes/endian.h"

#include "check.h"
#include "harness/harness.h"

static const uint8_t bytes_of_8[8] = {0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88};

static void test_loads_at_every_offset(void)
{
	uint8_t room[16];

	for (size_t at = 0; at < 8; at++) {
		memcpy(room + at, bytes_of_8, 8);
		CHECK_U64(wr_load_be16(room + at), 0xf1e2);
		CHECK_U64(wr_load_be32(room + at), 0xf1e2d3c4);
		CHECK_U64(wr_load_be64(room + at), 0xf1e2d3c4b5a69788);
		CHECK_U64(wr_load_le32(room + at), 0xc4d3e2f1);
		CHECK_U64(wr_load_le64(room + at), 0x8897a6b5c4d3e2f1);
	}
}

static void check_stored(const uint8_t *room, size_t at, size_t bytes)
{
	CHECK_VIEW(wr_view_of(room + at, bytes), wr_view_of(bytes_of_8, bytes));
	CHECK(at == 0 || room[at - 1] == 0);
	CHECK(room[at + bytes] == 0);
}

static void test_stores_at_every_offset_touch_nothing_else(void)
{
	for (size_t at = 0; at < 8; at++) {
		uint8_t room[5][20] = {{0}};

		wr_store_be16(room[0] + at, 0xf1e2);
		check_stored(room[0], at, 2);
		wr_store_be32(room[1] + at, 0xf1e2d3c4);
		check_stored(room[1], at, 4);
		wr_store_be64(room[2] + at, 0xf1e2d3c4b5a69788);
		check_stored(room[2], at, 8);
		wr_store_le32(room[3] + at, 0xc4d3e2f1);
		check_stored(room[3], at, 4);
		wr_store_le64(room[4] + at, 0x8897a6b5c4d3e2f1);
		check_stored(room[4], at, 8);
	}
}

static void test_extreme_values_come_back(void)
{
	static const uint64_t values[] = {0,	      1,	  0x7f,	      0x80,
					  0xff,	      0x8000,	  0xffff,     0x80000000,
					  UINT32_MAX, 1ull << 32, 1ull << 63, UINT64_MAX};

	for (size_t i = 0; i < WR_COUNT(values); i++) {
		uint8_t room[8];

		wr_store_be64(room, values[i]);
		CHECK_U64(wr_load_be64(room), values[i]);
		wr_store_le64(room, values[i]);
		CHECK_U64(wr_load_le64(room), values[i]);
		wr_store_be32(room, (uint32_t)values[i]);
		CHECK_U64(wr_load_be32(room), (uint32_t)values[i]);
		wr_store_le32(room, (uint32_t)values[i]);
		CHECK_U64(wr_load_le32(room), (uint32_t)values[i]);
		wr_store_be16(room, (uint16_t)values[i]);
		CHECK_U64(wr_load_be16(room), (uint16_t)values[i]);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_loads_at_every_offset),
	WR_TEST(test_stores_at_every_offset_touch_nothing_else),
	WR_TEST(test_extreme_values_come_back),
	WR_TEST_END,
};
