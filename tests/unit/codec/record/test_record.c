/* Goal: what is written is what is read, in this format for ever; anything else is refused, and
 * told apart: the end, damage, a newer program's. Method: headers written out byte by byte
 * (checksums by another implementation), every flipped bit, every wrong place, and headers made
 * unknown with their checksum made anew. */
#include "codec/record/record.h"

#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "harness/harness.h"

static const uint8_t store_id[WR_STORE_ID_BYTES] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
						    0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};
enum { EPOCH = 3, OFFSET = 136, SUM_AT = 48, SEGMENT_SUM_AT = 92 };
#define SEGMENT 0x100000002u

static const struct wr_record golden = {
	.kind = WR_RECORD_EVENT,
	.stream = 0x01020304,
	.sequence = 0x1112131415161718,
	.stream_sequence = 0x2122232425262728,
	.durable_upto = 0x3132333435363738,
	.item = 0x41424344,
	.payload_bytes = 5,
	.payload_crc = 0xcbc06cd2,
};
static const struct wr_view golden_payload = WR_VIEW_INIT("hello");
static const uint8_t golden_bytes[WR_RECORD_HEADER_BYTES] = {
	0x57, 0x52, 0x65, 0x63, 0x05, 0x00, 0x00, 0x00, /* magic, payload bytes */
	0x01, 0x00, 0x00, 0x00, 0x04, 0x03, 0x02, 0x01, /* kind, flags, stream */
	0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* sequence */
	0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, /* of its stream */
	0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31, /* durable position */
	0x44, 0x43, 0x42, 0x41, 0xd2, 0x6c, 0xc0, 0xcb, /* item, checksum of the payload */
	0x20, 0x70, 0xe8, 0xda, 0x00, 0x00, 0x00, 0x00, /* checksum, 0 */
};

static const struct wr_segment_header golden_segment = {
	.store_id = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac,
		     0xad, 0xae, 0xaf},
	.epoch = 0x0102030405060708,
	.number = 7,
	.last_number = 9,
	.first_sequence = 0x1112131415161718,
	.next_sequence = 0x2122232425262728,
	.flags = WR_SEGMENT_COMPACTED,
	.created_wall_ms = 1750000000123,
};
static const uint8_t golden_segment_bytes[WR_SEGMENT_HEADER_BYTES] = {
	0x57, 0x52, 0x4c, 0x4f, 0x47, 0x0d, 0x0a, 0x1a, /* magic */
	0x01, 0x00, 0x00, 0x00, 0x60, 0x00, 0x00, 0x00, /* format, header bytes */
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, /* id of the log */
	0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, /* */
	0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* epoch */
	0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* number */
	0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* last number */
	0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* first sequence */
	0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, /* next sequence */
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* flags, 0 */
	0x7b, 0xdc, 0x20, 0x74, 0x97, 0x01, 0x00, 0x00, /* wall clock */
	0x00, 0x00, 0x00, 0x00, 0x52, 0x2b, 0x02, 0x3c, /* 0, checksum */
};

static struct wr_record_seed seed_of_golden(void)
{
	return wr_record_seed_make(store_id, EPOCH, SEGMENT);
}

/* From memory that ends at an unmapped page, so that the size of a header is what it says. */
static enum wr_status decode(struct wr_record *record, const char in[WR_RECORD_HEADER_BYTES])
{
	struct wr_view copy = wr_test_guarded(0, wr_view_of(in, WR_RECORD_HEADER_BYTES));

	return wr_record_decode(record, copy.data, seed_of_golden(), OFFSET);
}

static enum wr_status decode_segment(struct wr_segment_header *header,
				     const char in[WR_SEGMENT_HEADER_BYTES])
{
	struct wr_view copy = wr_test_guarded(0, wr_view_of(in, WR_SEGMENT_HEADER_BYTES));

	return wr_segment_header_decode(header, copy.data);
}

static void check_record(const struct wr_record *actual, const struct wr_record *expected)
{
	CHECK_U64(actual->kind, expected->kind);
	CHECK_U64(actual->flags, expected->flags);
	CHECK_U64(actual->stream, expected->stream);
	CHECK_U64(actual->sequence, expected->sequence);
	CHECK_U64(actual->stream_sequence, expected->stream_sequence);
	CHECK_U64(actual->durable_upto, expected->durable_upto);
	CHECK_U64(actual->item, expected->item);
	CHECK_U64(actual->payload_bytes, expected->payload_bytes);
	CHECK_U64(actual->payload_crc, expected->payload_crc);
}

static void check_segment(const struct wr_segment_header *actual,
			  const struct wr_segment_header *expected)
{
	CHECK_VIEW(wr_view_of(actual->store_id, WR_STORE_ID_BYTES),
		   wr_view_of(expected->store_id, WR_STORE_ID_BYTES));
	CHECK_U64(actual->epoch, expected->epoch);
	CHECK_U64(actual->number, expected->number);
	CHECK_U64(actual->last_number, expected->last_number);
	CHECK_U64(actual->first_sequence, expected->first_sequence);
	CHECK_U64(actual->next_sequence, expected->next_sequence);
	CHECK_U64(actual->flags, expected->flags);
	CHECK(actual->created_wall_ms == expected->created_wall_ms);
}

static void fill(char *out, size_t bytes, uint64_t *state)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)(wr_test_random(state) >> 40 & 0x7f);
}

/* ---- records ---- */

static void test_a_record_is_these_bytes(void)
{
	struct wr_record record = golden;
	char bytes[WR_RECORD_HEADER_BYTES];

	/* What the payload says is not taken from the caller. */
	record.payload_bytes = 77;
	record.payload_crc = 78;
	wr_record_encode(bytes, &record, golden_payload, seed_of_golden(), OFFSET);
	CHECK_VIEW(wr_view_of(bytes, sizeof bytes), wr_view_of(golden_bytes, sizeof golden_bytes));
	CHECK_STATUS(decode(&record, (const char *)golden_bytes), WR_OK);
	check_record(&record, &golden);
	CHECK(wr_record_payload_is_sound(&record, golden_payload, seed_of_golden(), OFFSET));
}

static void test_every_flipped_bit_of_a_record_header_is_damage(void)
{
	for (size_t bit = 0; bit < (size_t)8 * WR_RECORD_HEADER_BYTES; bit++) {
		struct wr_record record = {.stream = 99};
		char bytes[WR_RECORD_HEADER_BYTES];

		memcpy(bytes, golden_bytes, sizeof bytes);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		CHECK_STATUS(decode(&record, bytes), WR_CORRUPT);
		CHECK_U64(record.stream, 99);
	}
}

static void test_a_record_in_the_wrong_place_is_damage(void)
{
	struct wr_record record;
	struct wr_record_seed right = seed_of_golden();
	const char *bytes = (const char *)golden_bytes;

	for (unsigned bit = 0; bit < 8 * WR_STORE_ID_BYTES; bit++) {
		uint8_t other[WR_STORE_ID_BYTES];
		struct wr_record_seed seed;

		memcpy(other, store_id, sizeof other);
		other[bit / 8] = (uint8_t)(other[bit / 8] ^ 1 << bit % 8);
		seed = wr_record_seed_make(other, EPOCH, SEGMENT);
		CHECK_STATUS(wr_record_decode(&record, bytes, seed, OFFSET), WR_CORRUPT);
		CHECK(!wr_record_payload_is_sound(&golden, golden_payload, seed, OFFSET));
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t flip = UINT64_C(1) << bit;
		struct wr_record_seed seeds[] = {
			wr_record_seed_make(store_id, EPOCH ^ flip, SEGMENT),
			wr_record_seed_make(store_id, EPOCH, SEGMENT ^ flip)};

		for (size_t i = 0; i < WR_COUNT(seeds); i++) {
			CHECK_STATUS(wr_record_decode(&record, bytes, seeds[i], OFFSET),
				     WR_CORRUPT);
			CHECK(!wr_record_payload_is_sound(&golden, golden_payload, seeds[i],
							  OFFSET));
		}
		CHECK_STATUS(wr_record_decode(&record, bytes, right, OFFSET ^ flip), WR_CORRUPT);
		CHECK(!wr_record_payload_is_sound(&golden, golden_payload, right, OFFSET ^ flip));
	}
	CHECK_STATUS(wr_record_decode(&record, bytes, wr_record_seed_make(store_id, SEGMENT, EPOCH),
				      OFFSET),
		     WR_CORRUPT);
	CHECK_STATUS(wr_record_decode(&record, bytes, right, OFFSET), WR_OK);
}

static void test_another_payload_is_damage(void)
{
	static const char *const others[] = {"", "hell", "hello!", "Hello", "olleh"};
	struct wr_record record = golden;
	struct wr_record_seed seed = seed_of_golden();

	for (unsigned bit = 0; bit < 8 * golden.payload_bytes; bit++) {
		char bytes[5];

		memcpy(bytes, golden_payload.data, sizeof bytes);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		CHECK(!wr_record_payload_is_sound(&golden, wr_view_of(bytes, sizeof bytes), seed,
						  OFFSET));
	}
	for (size_t i = 0; i < WR_COUNT(others); i++) {
		wr_test_case(others[i]);
		CHECK(!wr_record_payload_is_sound(&golden, wr_view_of_string(others[i]), seed,
						  OFFSET));
	}
	CHECK(!wr_record_payload_is_sound(&golden, WR_VIEW("hello\0"), seed, OFFSET));
	CHECK(!wr_record_payload_is_sound(&golden, WR_VIEW_NULL, seed, OFFSET));
	/* The right bytes, but fewer than the header says. */
	record.payload_bytes++;
	CHECK(!wr_record_payload_is_sound(&record, golden_payload, seed, OFFSET));
}

static void test_zeros_are_the_end_and_nearly_zeros_are_not(void)
{
	char bytes[WR_RECORD_HEADER_BYTES] = {0};
	struct wr_record record = {.stream = 99};

	CHECK_STATUS(decode(&record, bytes), WR_NOT_FOUND);
	CHECK_U64(record.stream, 99);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] = (char)(1 << bit % 8);
		CHECK_STATUS(decode(&record, bytes), WR_CORRUPT);
		bytes[bit / 8] = 0;
	}
	memcpy(bytes, golden_bytes, 4);
	CHECK_STATUS(decode(&record, bytes), WR_CORRUPT);
	memset(bytes, 0xff, sizeof bytes);
	CHECK_STATUS(decode(&record, bytes), WR_CORRUPT);
}

static void test_a_torn_header_is_damage(void)
{
	/* The first part reached the disk, or the last: the rest is what was there before. */
	for (size_t cut = 1; cut < SUM_AT + 4; cut++) {
		char bytes[WR_RECORD_HEADER_BYTES] = {0};
		struct wr_record record;

		memcpy(bytes, golden_bytes, cut);
		CHECK_STATUS(decode(&record, bytes), WR_CORRUPT);
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes + cut, golden_bytes + cut, sizeof bytes - cut);
		CHECK_STATUS(decode(&record, bytes), WR_CORRUPT);
	}
}

static void test_a_sound_record_of_a_newer_program_is_unsupported(void)
{
	static const struct {
		uint16_t kind, flags;
		enum wr_status expected;
	} cases[] = {
		{0, 0, WR_UNSUPPORTED},
		{WR_RECORD_EVENT, 0, WR_OK},
		{WR_RECORD_CHECKPOINT_BEGIN, 0, WR_OK},
		{WR_RECORD_CHECKPOINT_PART, 0, WR_OK},
		{WR_RECORD_CHECKPOINT_ROWS, 0, WR_OK},
		{WR_RECORD_CHECKPOINT_END, 0, WR_OK},
		{WR_RECORD_GENERATIONS, 0, WR_OK},
		{WR_RECORD_RETIRED, 0, WR_OK},
		{WR_RECORD_RETIRED + 1, 0, WR_UNSUPPORTED},
		{0x101, 0, WR_UNSUPPORTED},
		{0xffff, 0, WR_UNSUPPORTED},
		{WR_RECORD_EVENT, 1, WR_UNSUPPORTED},
		{WR_RECORD_RETIRED, 0x8000, WR_UNSUPPORTED},
		{0xffff, 0xffff, WR_UNSUPPORTED},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_record record = golden, read;
		char bytes[WR_RECORD_HEADER_BYTES];

		record.kind = cases[i].kind;
		record.flags = cases[i].flags;
		wr_record_encode(bytes, &record, golden_payload, seed_of_golden(), OFFSET);
		CHECK_STATUS(decode(&read, bytes), cases[i].expected);
		/* Also what is not understood says how long it is, and whose. */
		check_record(&read, &record);
		CHECK(wr_record_payload_is_sound(&read, golden_payload, seed_of_golden(), OFFSET));
	}
}

static void test_any_record_comes_back(void)
{
	uint64_t state = wr_test_seed();
	char payload[1000];

	for (unsigned round = 0; round < 2000; round++) {
		struct wr_record record = {
			.kind = (uint16_t)(1 + wr_test_random(&state) % WR_RECORD_RETIRED),
			.stream = (uint32_t)wr_test_random(&state),
			.sequence = wr_test_random(&state),
			.stream_sequence = wr_test_random(&state),
			.durable_upto = wr_test_random(&state),
			.item = (uint32_t)wr_test_random(&state),
			.payload_bytes = (uint32_t)(wr_test_random(&state) % sizeof payload),
		};
		struct wr_view view = wr_view_of(payload, record.payload_bytes);
		struct wr_record_seed seed = wr_record_seed_make(store_id, wr_test_random(&state),
								 wr_test_random(&state));
		uint64_t offset = wr_test_random(&state) & ~UINT64_C(7);
		char bytes[WR_RECORD_HEADER_BYTES];
		struct wr_record read;

		fill(payload, record.payload_bytes, &state);
		wr_record_encode(bytes, &record, view, seed, offset);
		CHECK_STATUS(wr_record_decode(&read, bytes, seed, offset), WR_OK);
		record.payload_crc = read.payload_crc;
		check_record(&read, &record);
		CHECK(wr_record_payload_is_sound(&read, wr_test_guarded(0, view), seed, offset));
		CHECK_STATUS(wr_record_decode(&read, bytes, seed, offset + 8), WR_CORRUPT);
		seed.crc ^= 1;
		CHECK_STATUS(wr_record_decode(&read, bytes, seed, offset), WR_CORRUPT);
	}
}

static void test_a_record_without_payload_is_bound_to_its_place_too(void)
{
	struct wr_record record = {.kind = WR_RECORD_CHECKPOINT_BEGIN}, read;
	struct wr_record_seed seed = seed_of_golden();
	char bytes[WR_RECORD_HEADER_BYTES];

	wr_record_encode(bytes, &record, WR_VIEW_NULL, seed, OFFSET);
	CHECK_STATUS(wr_record_decode(&read, bytes, seed, OFFSET), WR_OK);
	CHECK_U64(read.payload_bytes, 0);
	CHECK(wr_record_payload_is_sound(&read, WR_VIEW_NULL, seed, OFFSET));
	CHECK(wr_record_payload_is_sound(&read, WR_VIEW(""), seed, OFFSET));
	CHECK(!wr_record_payload_is_sound(&read, WR_VIEW_NULL, seed, OFFSET + 8));
	CHECK_STATUS(wr_record_decode(&read, bytes, seed, OFFSET + 8), WR_CORRUPT);
}

static void test_the_length_of_a_record_is_aligned_and_never_wraps(void)
{
	static const struct {
		uint32_t payload_bytes;
		uint64_t expected;
	} cases[] = {
		{0, 56},
		{1, 64},
		{7, 64},
		{8, 64},
		{9, 72},
		{1048576, 1048632},
		{UINT32_MAX - 7, UINT64_C(0x100000030)},
		{UINT32_MAX, UINT64_C(0x100000038)},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		CHECK_U64(wr_record_bytes(cases[i].payload_bytes), cases[i].expected);
}

/* ---- segments ---- */

static void test_a_segment_header_is_these_bytes(void)
{
	struct wr_segment_header header;
	char bytes[WR_SEGMENT_HEADER_BYTES];

	wr_segment_header_encode(bytes, &golden_segment);
	CHECK_VIEW(wr_view_of(bytes, sizeof bytes),
		   wr_view_of(golden_segment_bytes, sizeof golden_segment_bytes));
	CHECK_STATUS(decode_segment(&header, (const char *)golden_segment_bytes), WR_OK);
	check_segment(&header, &golden_segment);
}

static void test_every_flipped_bit_of_a_segment_header_is_damage(void)
{
	for (size_t bit = 0; bit < (size_t)8 * WR_SEGMENT_HEADER_BYTES; bit++) {
		struct wr_segment_header header = {.epoch = 99};
		char bytes[WR_SEGMENT_HEADER_BYTES];

		memcpy(bytes, golden_segment_bytes, sizeof bytes);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		CHECK_STATUS(decode_segment(&header, bytes), WR_CORRUPT);
		CHECK_U64(header.epoch, 99);
	}
}

static void test_a_segment_of_zeros_was_not_begun(void)
{
	char bytes[WR_SEGMENT_HEADER_BYTES] = {0};
	struct wr_segment_header header;

	CHECK_STATUS(decode_segment(&header, bytes), WR_NOT_FOUND);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] = (char)(1 << bit % 8);
		CHECK_STATUS(decode_segment(&header, bytes), WR_CORRUPT);
		bytes[bit / 8] = 0;
	}
	for (size_t cut = 1; cut < sizeof bytes; cut++) {
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes, golden_segment_bytes, cut);
		CHECK_STATUS(decode_segment(&header, bytes), WR_CORRUPT);
	}
}

static void test_a_sound_segment_header_is_refused_for_what_it_says(void)
{
	static const struct {
		const char *label;
		size_t at;
		uint32_t value;
		enum wr_status expected;
	} cases[] = {
		{"the same format", 8, 1, WR_OK},
		{"the next format", 8, 2, WR_UNSUPPORTED},
		{"a far format", 8, UINT32_MAX, WR_UNSUPPORTED},
		{"format 0 never was", 8, 0, WR_CORRUPT},
		{"header of 88 bytes", 12, 88, WR_CORRUPT},
		{"header of 104 bytes", 12, 104, WR_CORRUPT},
		{"header of 0 bytes", 12, 0, WR_CORRUPT},
		{"number 0", 40, 0, WR_CORRUPT},
		{"number 1", 40, 1, WR_OK},
		{"number is the last", 40, 9, WR_OK},
		{"number above the last", 40, 10, WR_CORRUPT},
		{"number above the last by its upper half", 44, 1, WR_CORRUPT},
		{"last number below the number", 48, 6, WR_CORRUPT},
		{"no flags", 72, 0, WR_OK},
		{"both flags", 72, 3, WR_OK},
		{"an unknown flag", 72, 4, WR_UNSUPPORTED},
		{"an unknown flag beside a known one", 72, 0x80000001, WR_UNSUPPORTED},
		{"something behind the flags", 76, 1, WR_UNSUPPORTED},
		{"a length of its file", 88, 4096, WR_OK},
		{"another magic", 4, 0x1a0a0d48, WR_CORRUPT},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char bytes[WR_SEGMENT_HEADER_BYTES];
		struct wr_segment_header header;

		wr_test_case(cases[i].label);
		memcpy(bytes, golden_segment_bytes, sizeof bytes);
		wr_store_le32(bytes + cases[i].at, cases[i].value);
		wr_store_le32(bytes + SEGMENT_SUM_AT, wr_crc32c(0, bytes, SEGMENT_SUM_AT));
		CHECK_STATUS(decode_segment(&header, bytes), cases[i].expected);
	}
}

static void test_a_newer_format_is_told_whatever_else_it_changed(void)
{
	uint64_t state = wr_test_seed();

	for (unsigned round = 0; round < 1000; round++) {
		char bytes[WR_SEGMENT_HEADER_BYTES];
		struct wr_segment_header header = {.epoch = 99};

		fill(bytes, sizeof bytes, &state);
		memcpy(bytes, golden_segment_bytes, 8);
		wr_store_le32(bytes + 8, 2 + (uint32_t)(wr_test_random(&state) % 100));
		wr_store_le32(bytes + SEGMENT_SUM_AT, wr_crc32c(0, bytes, SEGMENT_SUM_AT));
		CHECK_STATUS(decode_segment(&header, bytes), WR_UNSUPPORTED);
		bytes[SEGMENT_SUM_AT] = (char)(bytes[SEGMENT_SUM_AT] ^ 1);
		CHECK_STATUS(decode_segment(&header, bytes), WR_CORRUPT);
		CHECK_U64(header.epoch, 99);
	}
}

static void test_any_segment_header_comes_back(void)
{
	uint64_t state = wr_test_seed();

	for (unsigned round = 0; round < 2000; round++) {
		struct wr_segment_header header = {
			.epoch = wr_test_random(&state),
			.number = 1 + (wr_test_random(&state) >> 1),
			.first_sequence = wr_test_random(&state),
			.next_sequence = wr_test_random(&state),
			.flags = (uint32_t)(wr_test_random(&state) & 3),
			.created_wall_ms = (int64_t)wr_test_random(&state),
		};
		char bytes[WR_SEGMENT_HEADER_BYTES];
		struct wr_segment_header read;

		fill((char *)header.store_id, sizeof header.store_id, &state);
		header.last_number = header.number + (wr_test_random(&state) >> 2);
		wr_segment_header_encode(bytes, &header);
		CHECK_STATUS(decode_segment(&read, bytes), WR_OK);
		check_segment(&read, &header);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_record_is_these_bytes),
	WR_TEST(test_every_flipped_bit_of_a_record_header_is_damage),
	WR_TEST(test_a_record_in_the_wrong_place_is_damage),
	WR_TEST(test_another_payload_is_damage),
	WR_TEST(test_zeros_are_the_end_and_nearly_zeros_are_not),
	WR_TEST(test_a_torn_header_is_damage),
	WR_TEST(test_a_sound_record_of_a_newer_program_is_unsupported),
	WR_TEST(test_any_record_comes_back),
	WR_TEST(test_a_record_without_payload_is_bound_to_its_place_too),
	WR_TEST(test_the_length_of_a_record_is_aligned_and_never_wraps),
	WR_TEST(test_a_segment_header_is_these_bytes),
	WR_TEST(test_every_flipped_bit_of_a_segment_header_is_damage),
	WR_TEST(test_a_segment_of_zeros_was_not_begun),
	WR_TEST(test_a_sound_segment_header_is_refused_for_what_it_says),
	WR_TEST(test_a_newer_format_is_told_whatever_else_it_changed),
	WR_TEST(test_any_segment_header_comes_back),
	WR_TEST_END,
};
