/*
 * Records and segment headers of the log on disk. Options: variant (0: bytes as a record's header;
 * 1: bytes as a segment's; 2: a record of the fields that follow, and what is changed of it; 3: a
 * segment header likewise).
 *
 * What decodes encodes to the same bytes; what was encoded decodes to what it was; whatever bit is
 * changed, a record at another place, of another log or with another payload is damage.
 */
#include "codec/record/record.h"
#include "fuzz.h"

static const uint8_t store_id[WR_STORE_ID_BYTES] = "fuzzed store id";

static void check_record_bytes(struct wr_view input)
{
	struct wr_record_seed seed = wr_record_seed_make(store_id, 1, 1);
	char bytes[WR_RECORD_HEADER_BYTES] = {0};
	struct wr_record record;
	enum wr_status status;
	bool is_zero = true;

	memcpy(bytes, input.data, input.bytes < sizeof bytes ? input.bytes : sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		is_zero = is_zero && bytes[i] == 0;
	status = wr_record_decode(&record, wr_test_guarded(0, wr_view_of(bytes, sizeof bytes)).data,
				  seed, 96);
	/* That a checksum fits by chance is not to be expected. */
	CHECK_STATUS(status, is_zero ? WR_NOT_FOUND : WR_CORRUPT);
}

static void check_segment_bytes(struct wr_view input)
{
	char bytes[WR_SEGMENT_HEADER_BYTES] = {0}, again[WR_SEGMENT_HEADER_BYTES];
	struct wr_segment_header header;
	enum wr_status status;

	memcpy(bytes, input.data, input.bytes < sizeof bytes ? input.bytes : sizeof bytes);
	status = wr_segment_header_decode(&header,
					  wr_test_guarded(0, wr_view_of(bytes, sizeof bytes)).data);
	CHECK(status == WR_OK || status == WR_NOT_FOUND || status == WR_UNSUPPORTED ||
	      status == WR_CORRUPT);
	if (status != WR_OK)
		return;
	wr_segment_header_encode(again, &header);
	CHECK_VIEW(wr_view_of(again, sizeof again), wr_view_of(bytes, sizeof bytes));
}

static void check_same_record(const struct wr_record *a, const struct wr_record *b)
{
	CHECK(a->kind == b->kind && a->flags == b->flags && a->stream == b->stream);
	CHECK(a->sequence == b->sequence && a->stream_sequence == b->stream_sequence);
	CHECK(a->durable_upto == b->durable_upto && a->item == b->item);
}

/* One bit of header or payload is another one. */
static void check_flipped(const char *header, struct wr_view payload, struct wr_record_seed seed,
			  uint64_t offset, uint32_t bit)
{
	char changed[WR_RECORD_HEADER_BYTES];
	struct wr_record record;
	char *copy;

	memcpy(changed, header, sizeof changed);
	changed[bit / 8 % sizeof changed] ^= (char)(1 << bit % 8);
	CHECK_STATUS(wr_record_decode(&record, changed, seed, offset), WR_CORRUPT);
	CHECK_STATUS(wr_record_decode(&record, header, seed, offset ^ (uint64_t)8 << bit % 32),
		     WR_CORRUPT);
	CHECK_STATUS(wr_record_decode(&record, header, wr_record_seed_make(store_id, 9, 9), offset),
		     WR_CORRUPT);
	if (wr_record_decode(&record, header, seed, offset) == WR_CORRUPT || payload.bytes == 0)
		return;
	copy = (char *)(uintptr_t)wr_test_guarded(1, payload).data;
	copy[bit % payload.bytes] ^= (char)(1 << bit % 8);
	CHECK(!wr_record_payload_is_sound(&record, wr_view_of(copy, payload.bytes), seed, offset));
}

static void check_record(struct wr_view input)
{
	struct wr_record record = {.kind = fuzz_u16(&input), .flags = fuzz_u16(&input)}, got;
	uint64_t epoch = fuzz_u64(&input), number = fuzz_u64(&input);
	uint64_t offset = (uint64_t)fuzz_u32(&input) * WR_RECORD_ALIGN;
	struct wr_record_seed seed = wr_record_seed_make(store_id, epoch, number);
	bool is_known = record.kind >= WR_RECORD_EVENT && record.kind <= WR_RECORD_RETIRED &&
			record.flags == 0;
	char header[WR_RECORD_HEADER_BYTES];
	uint32_t bit;

	record.stream = fuzz_u32(&input);
	record.sequence = fuzz_u64(&input);
	record.stream_sequence = fuzz_u64(&input);
	record.durable_upto = fuzz_u64(&input);
	record.item = fuzz_u32(&input);
	bit = fuzz_u32(&input);
	input = wr_test_guarded(0, input);
	wr_record_encode(header, &record, input, seed, offset);
	CHECK_STATUS(wr_record_decode(&got, header, seed, offset),
		     is_known ? WR_OK : WR_UNSUPPORTED);
	check_same_record(&got, &record);
	CHECK_U64(got.payload_bytes, input.bytes);
	CHECK(wr_record_payload_is_sound(&got, input, seed, offset));
	CHECK(wr_record_bytes(got.payload_bytes) % WR_RECORD_ALIGN == 0 &&
	      wr_record_bytes(got.payload_bytes) >= WR_RECORD_HEADER_BYTES + input.bytes);
	if (epoch != 9 || number != 9)
		check_flipped(header, input, seed, offset, bit);
}

static void check_segment(struct wr_view input)
{
	struct wr_segment_header header = {.epoch = fuzz_u64(&input), .number = fuzz_u64(&input)};
	char bytes[WR_SEGMENT_HEADER_BYTES];
	struct wr_segment_header got;
	uint16_t bit;

	memcpy(header.store_id, store_id, sizeof store_id);
	header.number = header.number % (UINT64_MAX - 256) + 1;
	header.flags = fuzz_u8(&input) % 4;
	header.last_number = header.number;
	if ((header.flags & WR_SEGMENT_COMPACTED) != 0) {
		header.last_number += fuzz_u8(&input);
		header.next_sequence = fuzz_u64(&input);
	}
	header.first_sequence = fuzz_u64(&input);
	header.created_wall_ms = (int64_t)fuzz_u64(&input);
	header.file_bytes = fuzz_u32(&input);
	bit = fuzz_u16(&input);
	wr_segment_header_encode(bytes, &header);
	check_segment_bytes(wr_view_of(bytes, sizeof bytes));
	CHECK_STATUS(wr_segment_header_decode(&got, bytes), WR_OK);
	CHECK(got.epoch == header.epoch && got.number == header.number &&
	      got.last_number == header.last_number && got.flags == header.flags &&
	      got.first_sequence == header.first_sequence &&
	      got.next_sequence == header.next_sequence && got.file_bytes == header.file_bytes &&
	      got.created_wall_ms == header.created_wall_ms);
	bytes[bit / 8 % sizeof bytes] ^= (char)(1 << bit % 8);
	CHECK_STATUS(wr_segment_header_decode(&got, bytes), WR_CORRUPT);
}

void fuzz_one(struct wr_view input)
{
	uint8_t variant = fuzz_u8(&input) % 4;

	if (variant == 0)
		check_record_bytes(input);
	else if (variant == 1)
		check_segment_bytes(input);
	else if (variant == 2)
		check_record(input);
	else
		check_segment(input);
}
