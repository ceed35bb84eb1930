/* Goal: a header is refused at the byte that proves it wrong and accepted at its last one; masking
 * is the same at every alignment, length and offset. Method: a table run at every length, all pairs
 * of first bytes against the rules, round trips, and masking one byte at a time. */
#include "codec/ws/frame.h"

#include "bytes/endian.h"
#include "check.h"
#include "harness/harness.h"
#include "bounds.h"

#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/* Refused from `bytes` on, or whole at `bytes`; before that more is asked for. */
static const struct {
	const char *label;
	struct wr_view input;
	size_t bytes;
	uint64_t payload_bytes;
	enum wr_status status;
	enum wr_ws_role role;
} table[] = {
	/* RFC 6455 section 5.7 */
	{"5.7 unmasked text", TEXT("\x81\x05Hello"), 2, 5, WR_OK, WR_WS_ROLE_CLIENT},
	{"5.7 masked text", TEXT("\x81\x85\x37\xfa\x21\x3d\x7f\x9f"), 6, 5, WR_OK,
	 WR_WS_ROLE_SERVER},
	{"5.7 fragment", TEXT("\x01\x03Hel"), 2, 3, WR_OK, WR_WS_ROLE_CLIENT},
	{"5.7 last fragment", TEXT("\x80\x02lo"), 2, 2, WR_OK, WR_WS_ROLE_CLIENT},
	{"5.7 ping", TEXT("\x89\x05Hello"), 2, 5, WR_OK, WR_WS_ROLE_CLIENT},
	{"5.7 masked pong", TEXT("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f"), 6, 5, WR_OK,
	 WR_WS_ROLE_SERVER},
	{"5.7 256 bytes", TEXT("\x82\x7e\x01\x00\x01"), 4, 256, WR_OK, WR_WS_ROLE_CLIENT},
	{"5.7 64 KiB", TEXT("\x82\x7f\0\0\0\0\0\1\0\0\1"), 10, 65536, WR_OK, WR_WS_ROLE_CLIENT},
	{"empty", TEXT("\x81\0"), 2, 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"longest short form", TEXT("\x82\x7d"), 2, 125, WR_OK, WR_WS_ROLE_CLIENT},
	{"shortest middle form", TEXT("\x82\x7e\0\x7e"), 4, 126, WR_OK, WR_WS_ROLE_CLIENT},
	{"longest middle form", TEXT("\x82\xfe\xff\xff\1\2\3\4"), 8, 65535, WR_OK,
	 WR_WS_ROLE_SERVER},
	{"longest of all", TEXT("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4"), 14, INT64_MAX,
	 WR_OK, WR_WS_ROLE_SERVER},
	{"control of 125 bytes", TEXT("\x89\x7d"), 2, 125, WR_OK, WR_WS_ROLE_CLIENT},
	{"close", TEXT("\x88\x80\1\2\3\4"), 6, 0, WR_OK, WR_WS_ROLE_SERVER},

	{"RSV1", TEXT("\xc1\x05"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"RSV2", TEXT("\xa1\x05"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"RSV3", TEXT("\x91\x05"), 1, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"RSV on a control frame", TEXT("\xc9\x80"), 1, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"opcode 3", TEXT("\x83\0"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"opcode 7", TEXT("\x87\0"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"opcode b", TEXT("\x8b\0"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"opcode f", TEXT("\x8f\0"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"fragmented close", TEXT("\x08\0"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"fragmented ping", TEXT("\x09\x80"), 1, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"fragmented pong", TEXT("\x0a\0"), 1, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"server sends masked", TEXT("\x81\x85\1\2\3\4"), 2, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"client sends unmasked", TEXT("\x81\x05Hello"), 2, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"empty and unmasked", TEXT("\x81\0"), 2, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"ping of 126 bytes", TEXT("\x89\x7e\0\x7e"), 2, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close of 64-bit length", TEXT("\x88\xff\0\0"), 2, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"middle form of 0", TEXT("\x82\x7e\0\0"), 4, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"middle form of 125", TEXT("\x82\xfe\0\x7d\1\2"), 4, 0, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"long form of 0", TEXT("\x82\x7f\0\0\0\0\0\0\0\0"), 8, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"long form of 65535", TEXT("\x82\xff\0\0\0\0\0\0\xff\xff\1\2\3\4"), 8, 0, WR_SYNTAX,
	 WR_WS_ROLE_SERVER},
	{"bit 63", TEXT("\x82\x7f\x80\0\0\0\0\0\0\0"), 3, 0, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"all bits", TEXT("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 3, 0, WR_SYNTAX,
	 WR_WS_ROLE_SERVER},
};

static void test_table_at_every_length(void)
{
	for (size_t i = 0; i < WR_COUNT(table); i++)
		for (size_t bytes = 0; bytes <= table[i].input.bytes; bytes++) {
			struct wr_ws_frame_header header;
			size_t header_bytes = 0;
			struct wr_view input =
				wr_test_guarded(0, wr_view_of(table[i].input.data, bytes));
			enum wr_status status, expected;

			wr_test_case(table[i].label);
			status = wr_ws_frame_header_decode(&header, &header_bytes, input,
							   table[i].role);
			expected = bytes < table[i].bytes ? WR_MORE : table[i].status;
			CHECK_STATUS(status, expected);
			if (status != WR_OK)
				continue;
			CHECK_U64(header_bytes, table[i].bytes);
			CHECK_U64(header.payload_bytes, table[i].payload_bytes);
		}
}

static void test_fields_of_a_masked_header(void)
{
	struct wr_ws_frame_header header;
	size_t header_bytes;

	CHECK_STATUS(wr_ws_frame_header_decode(&header, &header_bytes,
					       WR_VIEW("\x02\xfe\x01\x02\x0a\x0b\x0c\x0d"),
					       WR_WS_ROLE_SERVER),
		     WR_OK);
	CHECK(!header.is_final && header.is_masked);
	CHECK_U64(header.opcode, WR_WS_OPCODE_BINARY);
	CHECK_U64(header.payload_bytes, 0x102);
	CHECK_U64(wr_load_be32(header.mask), 0x0a0b0c0d);
}

/* The rules of 5.1, 5.2 and 5.5 for two bytes, as sentences. */
static bool naive_is_valid(unsigned first, unsigned second, enum wr_ws_role role)
{
	unsigned opcode = first % 16;
	bool is_known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
	bool is_masked = second >= 128;

	if (first / 16 % 8 != 0 || !is_known)
		return false;
	if (opcode >= 8 && (first < 128 || second % 128 > 125))
		return false;
	return is_masked == (role == WR_WS_ROLE_SERVER);
}

static void test_all_pairs_of_first_bytes(void)
{
	for (unsigned i = 0; i < 0x20000; i++) {
		/* A length that is minimal in both long forms follows. */
		uint8_t input[14] = {(uint8_t)(i >> 8), (uint8_t)i, 1};
		enum wr_ws_role role = i < 0x10000 ? WR_WS_ROLE_SERVER : WR_WS_ROLE_CLIENT;
		struct wr_ws_frame_header header;
		size_t header_bytes;
		enum wr_status status = wr_ws_frame_header_decode(
			&header, &header_bytes, wr_view_of(input, sizeof input), role);

		CHECK_STATUS(status, naive_is_valid(input[0], input[1], role) ? WR_OK : WR_SYNTAX);
	}
}

static void test_decode_gives_back_what_encode_was_given(void)
{
	static const uint64_t lengths[] = {0,	     1,		 124,	     125,      126,   127,
					   255,	     256,	 65534,	     65535,    65536, 65537,
					   1u << 31, UINT32_MAX, 1ull << 32, INT64_MAX};
	static const uint8_t opcodes[] = {WR_WS_OPCODE_CONTINUATION, WR_WS_OPCODE_TEXT,
					  WR_WS_OPCODE_BINARY,	     WR_WS_OPCODE_CLOSE,
					  WR_WS_OPCODE_PING,	     WR_WS_OPCODE_PONG};

	for (size_t i = 0; i < WR_COUNT(lengths) * WR_COUNT(opcodes) * 4; i++) {
		struct wr_ws_frame_header in = {
			.payload_bytes = lengths[i / 4 / WR_COUNT(opcodes)],
			.opcode = opcodes[i / 4 % WR_COUNT(opcodes)],
			.is_final = (i & 1) != 0,
			.is_masked = (i & 2) != 0,
		};
		struct wr_ws_frame_header out;
		uint8_t bytes[WR_WS_FRAME_HEADER_BYTES_MAX];
		enum wr_ws_role role = in.is_masked ? WR_WS_ROLE_SERVER : WR_WS_ROLE_CLIENT;
		size_t used, header_bytes;

		if (in.opcode >= WR_WS_OPCODE_CLOSE &&
		    (!in.is_final || in.payload_bytes > WR_WS_CONTROL_BYTES_MAX))
			continue;
		if (in.is_masked)
			wr_store_be32(in.mask, 0x81c3f00f);
		used = wr_ws_frame_header_encode(bytes, &in);
		CHECK_U64(used,
			  wr_ws_frame_header_bytes(in.payload_bytes) + (in.is_masked ? 4 : 0));
		CHECK_STATUS(wr_ws_frame_header_decode(&out, &header_bytes,
						       wr_test_guarded(0, wr_view_of(bytes, used)),
						       role),
			     WR_OK);
		CHECK_U64(header_bytes, used);
		CHECK_U64(out.payload_bytes, in.payload_bytes);
		CHECK_U64(out.opcode, in.opcode);
		CHECK(out.is_final == in.is_final && out.is_masked == in.is_masked);
		CHECK_VIEW(wr_view_of(out.mask, 4), wr_view_of(in.mask, 4));
	}
}

static void test_mask_at_every_alignment_length_and_offset(void)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

	for (size_t at = 0; at < 17; at++)
		for (size_t bytes = 0; bytes < 280; bytes++) {
			uint64_t offset = at * 3 + bytes;
			uint8_t room[320];

			for (size_t i = 0; i < sizeof room; i++)
				room[i] = (uint8_t)(i * 31);
			wr_ws_mask(room + at, bytes, mask, offset);
			for (size_t i = 0; i < sizeof room; i++) {
				uint8_t key = 0;

				if (i >= at && i < at + bytes)
					key = mask[(offset + i - at) % 4];
				CHECK_U64(room[i], (uint8_t)(i * 31) ^ key);
			}
		}
}

static void test_mask_in_pieces_is_mask_in_one(void)
{
	static const uint8_t mask[4] = {1, 2, 4, 8};

	for (size_t cut = 0; cut <= 200; cut++) {
		uint8_t whole[200] = {0}, pieces[200] = {0};

		wr_ws_mask(whole, sizeof whole, mask, UINT64_MAX - 3);
		wr_ws_mask(pieces, cut, mask, 0);
		wr_ws_mask(pieces + cut, sizeof pieces - cut, mask, cut);
		CHECK_VIEW(wr_view_of(pieces, sizeof pieces), wr_view_of(whole, sizeof whole));
	}
}

static void test_mask_of_the_rfc(void)
{
	uint8_t data[] = {0x7f, 0x9f, 0x4d, 0x51, 0x58}; /* 5.7, third example */
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

	wr_ws_mask(data, sizeof data, mask, 0);
	CHECK_STRING(wr_view_of(data, sizeof data), "Hello");
	wr_ws_mask(NULL, 0, mask, 3);
}

static void test_close_codes(void)
{
	/* 7.4.1, 7.4.2; 1012-1014 by the IANA registry of close codes. */
	static const struct {
		unsigned from, to;
		bool is_valid;
	} cases[] = {
		{0, 999, false},     {1000, 1003, true}, {1004, 1006, false},  {1007, 1014, true},
		{1015, 2999, false}, {3000, 4999, true}, {5000, 70000, false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (unsigned code = cases[i].from; code <= cases[i].to; code++)
			CHECK(wr_ws_close_code_is_valid(code) == cases[i].is_valid);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_table_at_every_length),
	WR_TEST(test_fields_of_a_masked_header),
	WR_TEST(test_all_pairs_of_first_bytes),
	WR_TEST(test_decode_gives_back_what_encode_was_given),
	WR_TEST(test_mask_at_every_alignment_length_and_offset),
	WR_TEST(test_mask_in_pieces_is_mask_in_one),
	WR_TEST(test_mask_of_the_rfc),
	WR_TEST(test_close_codes),
	WR_TEST_END,
};
