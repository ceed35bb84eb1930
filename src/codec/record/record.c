#include "codec/record/record.h"

#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"

#include <string.h>

/* Where the fields are: io/store/FORMAT.md. */
enum {
	RECORD_PAYLOAD_BYTES_AT = 4,
	RECORD_KIND_AT = 8, /* and flags, as the upper half of one word */
	RECORD_STREAM_AT = 12,
	RECORD_SEQUENCE_AT = 16,
	RECORD_STREAM_SEQUENCE_AT = 24,
	RECORD_DURABLE_AT = 32,
	RECORD_ITEM_AT = 40,
	RECORD_PAYLOAD_SUM_AT = 44,
	RECORD_SUM_AT = 48,
	RECORD_ZERO_AT = 52
};

enum {
	SEGMENT_FORMAT_AT = 8,
	SEGMENT_HEADER_BYTES_AT = 12,
	SEGMENT_STORE_ID_AT = 16,
	SEGMENT_EPOCH_AT = 32,
	SEGMENT_NUMBER_AT = 40,
	SEGMENT_LAST_NUMBER_AT = 48,
	SEGMENT_FIRST_AT = 56,
	SEGMENT_NEXT_AT = 64,
	SEGMENT_FLAGS_AT = 72,
	SEGMENT_ZERO_AT = 76,
	SEGMENT_CREATED_AT = 80,
	SEGMENT_FILE_BYTES_AT = 88,
	SEGMENT_SUM_AT = 92
};

_Static_assert(RECORD_ZERO_AT + 4 == WR_RECORD_HEADER_BYTES, "a record's header");
_Static_assert(WR_RECORD_HEADER_BYTES % WR_RECORD_ALIGN == 0, "a payload is aligned");
_Static_assert(SEGMENT_STORE_ID_AT + WR_STORE_ID_BYTES == SEGMENT_EPOCH_AT, "the id's place");
_Static_assert(SEGMENT_SUM_AT + 4 == WR_SEGMENT_HEADER_BYTES, "a segment's header");
_Static_assert(WR_SEGMENT_HEADER_BYTES % WR_RECORD_ALIGN == 0, "the first record is aligned");

static const char record_magic[4] = {'W', 'R', 'e', 'c'};
/* As in PNG: a transfer that takes it for text, or a DOS TYPE, stops or breaks at it. */
static const char segment_magic[8] = {'W', 'R', 'L', 'O', 'G', '\r', '\n', 0x1a};

static bool is_zeros(const char *bytes, size_t count)
{
	while (count != 0 && *bytes == 0) {
		bytes++;
		count--;
	}
	return count == 0;
}

/* ---- records ---- */

struct wr_record_seed wr_record_seed_make(const uint8_t store_id[WR_STORE_ID_BYTES], uint64_t epoch,
					  uint64_t segment)
{
	uint8_t numbers[16];

	wr_store_le64(numbers, epoch);
	wr_store_le64(numbers + 8, segment);
	return (struct wr_record_seed){
		wr_crc32c(wr_crc32c(0, store_id, WR_STORE_ID_BYTES), numbers, sizeof numbers)};
}

/* What both checksums of the record at `offset` begin with. */
static uint32_t begin_sum(struct wr_record_seed seed, uint64_t offset)
{
	uint8_t bytes[8];

	wr_store_le64(bytes, offset);
	return wr_crc32c(seed.crc, bytes, sizeof bytes);
}

void wr_record_encode(char out[WR_RECORD_HEADER_BYTES], const struct wr_record *record,
		      struct wr_view payload, struct wr_record_seed seed, uint64_t offset)
{
	uint32_t sum = begin_sum(seed, offset);

	wr_assert(payload.bytes <= UINT32_MAX);
	wr_assert(offset % WR_RECORD_ALIGN == 0);
	memcpy(out, record_magic, sizeof record_magic);
	wr_store_le32(out + RECORD_PAYLOAD_BYTES_AT, (uint32_t)payload.bytes);
	wr_store_le32(out + RECORD_KIND_AT, record->kind | (uint32_t)record->flags << 16);
	wr_store_le32(out + RECORD_STREAM_AT, record->stream);
	wr_store_le64(out + RECORD_SEQUENCE_AT, record->sequence);
	wr_store_le64(out + RECORD_STREAM_SEQUENCE_AT, record->stream_sequence);
	wr_store_le64(out + RECORD_DURABLE_AT, record->durable_upto);
	wr_store_le32(out + RECORD_ITEM_AT, record->item);
	wr_store_le32(out + RECORD_PAYLOAD_SUM_AT, wr_crc32c(sum, payload.data, payload.bytes));
	wr_store_le32(out + RECORD_SUM_AT, wr_crc32c(sum, out, RECORD_SUM_AT));
	wr_store_le32(out + RECORD_ZERO_AT, 0);
}

static bool is_known_kind(uint16_t kind)
{
	switch ((enum wr_record_kind)kind) {
	case WR_RECORD_EVENT:
	case WR_RECORD_CHECKPOINT_BEGIN:
	case WR_RECORD_CHECKPOINT_PART:
	case WR_RECORD_CHECKPOINT_ROWS:
	case WR_RECORD_CHECKPOINT_END:
	case WR_RECORD_GENERATIONS:
	case WR_RECORD_RETIRED:
		return true;
	}
	return false;
}

enum wr_status wr_record_decode(struct wr_record *record, const char in[WR_RECORD_HEADER_BYTES],
				struct wr_record_seed seed, uint64_t offset)
{
	uint32_t kind_and_flags;

	if (memcmp(in, record_magic, sizeof record_magic) != 0)
		return is_zeros(in, WR_RECORD_HEADER_BYTES) ? WR_NOT_FOUND : WR_CORRUPT;
	/* No checksum covers what stands behind it. */
	if (wr_load_le32(in + RECORD_ZERO_AT) != 0 ||
	    wr_load_le32(in + RECORD_SUM_AT) !=
		    wr_crc32c(begin_sum(seed, offset), in, RECORD_SUM_AT))
		return WR_CORRUPT;
	kind_and_flags = wr_load_le32(in + RECORD_KIND_AT);
	*record = (struct wr_record){
		.kind = (uint16_t)(kind_and_flags & 0xffff),
		.flags = (uint16_t)(kind_and_flags >> 16),
		.stream = wr_load_le32(in + RECORD_STREAM_AT),
		.sequence = wr_load_le64(in + RECORD_SEQUENCE_AT),
		.stream_sequence = wr_load_le64(in + RECORD_STREAM_SEQUENCE_AT),
		.durable_upto = wr_load_le64(in + RECORD_DURABLE_AT),
		.item = wr_load_le32(in + RECORD_ITEM_AT),
		.payload_bytes = wr_load_le32(in + RECORD_PAYLOAD_BYTES_AT),
		.payload_crc = wr_load_le32(in + RECORD_PAYLOAD_SUM_AT),
	};
	return is_known_kind(record->kind) && record->flags == 0 ? WR_OK : WR_UNSUPPORTED;
}

uint32_t wr_record_payload_sum(struct wr_record_seed seed, uint64_t offset)
{
	return begin_sum(seed, offset);
}

bool wr_record_payload_is_sound(const struct wr_record *record, struct wr_view payload,
				struct wr_record_seed seed, uint64_t offset)
{
	return payload.bytes == record->payload_bytes &&
	       wr_crc32c(begin_sum(seed, offset), payload.data, payload.bytes) ==
		       record->payload_crc;
}

/* ---- segments ---- */

/* What any header of format 1 keeps to: asserted where it is made, checked where it is read. */
static bool is_consistent(const struct wr_segment_header *header)
{
	return header->number >= 1 && header->last_number >= header->number;
}

static bool has_known_flags(const struct wr_segment_header *header)
{
	return (header->flags & ~(uint32_t)(WR_SEGMENT_COMPACTED | WR_SEGMENT_CHECKPOINT)) == 0;
}

void wr_segment_header_encode(char out[WR_SEGMENT_HEADER_BYTES],
			      const struct wr_segment_header *header)
{
	wr_assert(is_consistent(header));
	wr_assert(has_known_flags(header));
	memset(out, 0, WR_SEGMENT_HEADER_BYTES);
	memcpy(out, segment_magic, sizeof segment_magic);
	wr_store_le32(out + SEGMENT_FORMAT_AT, WR_SEGMENT_FORMAT);
	wr_store_le32(out + SEGMENT_HEADER_BYTES_AT, WR_SEGMENT_HEADER_BYTES);
	memcpy(out + SEGMENT_STORE_ID_AT, header->store_id, WR_STORE_ID_BYTES);
	wr_store_le64(out + SEGMENT_EPOCH_AT, header->epoch);
	wr_store_le64(out + SEGMENT_NUMBER_AT, header->number);
	wr_store_le64(out + SEGMENT_LAST_NUMBER_AT, header->last_number);
	wr_store_le64(out + SEGMENT_FIRST_AT, header->first_sequence);
	wr_store_le64(out + SEGMENT_NEXT_AT, header->next_sequence);
	wr_store_le32(out + SEGMENT_FLAGS_AT, header->flags);
	wr_store_le64(out + SEGMENT_CREATED_AT, (uint64_t)header->created_wall_ms);
	wr_store_le32(out + SEGMENT_FILE_BYTES_AT, header->file_bytes);
	wr_store_le32(out + SEGMENT_SUM_AT, wr_crc32c(0, out, SEGMENT_SUM_AT));
}

/* The fields of a sound header of our format. */
static enum wr_status read_fields(struct wr_segment_header *header, const char *in)
{
	struct wr_segment_header read = {
		.epoch = wr_load_le64(in + SEGMENT_EPOCH_AT),
		.number = wr_load_le64(in + SEGMENT_NUMBER_AT),
		.last_number = wr_load_le64(in + SEGMENT_LAST_NUMBER_AT),
		.first_sequence = wr_load_le64(in + SEGMENT_FIRST_AT),
		.next_sequence = wr_load_le64(in + SEGMENT_NEXT_AT),
		.flags = wr_load_le32(in + SEGMENT_FLAGS_AT),
		.created_wall_ms = (int64_t)wr_load_le64(in + SEGMENT_CREATED_AT),
		.file_bytes = wr_load_le32(in + SEGMENT_FILE_BYTES_AT),
	};

	memcpy(read.store_id, in + SEGMENT_STORE_ID_AT, WR_STORE_ID_BYTES);
	if (wr_load_le32(in + SEGMENT_HEADER_BYTES_AT) != WR_SEGMENT_HEADER_BYTES ||
	    !is_consistent(&read))
		return WR_CORRUPT;
	if (!has_known_flags(&read) || wr_load_le32(in + SEGMENT_ZERO_AT) != 0)
		return WR_UNSUPPORTED;
	*header = read;
	return WR_OK;
}

enum wr_status wr_segment_header_decode(struct wr_segment_header *header,
					const char in[WR_SEGMENT_HEADER_BYTES])
{
	uint32_t format;

	if (memcmp(in, segment_magic, sizeof segment_magic) != 0)
		return is_zeros(in, WR_SEGMENT_HEADER_BYTES) ? WR_NOT_FOUND : WR_CORRUPT;
	if (wr_load_le32(in + SEGMENT_SUM_AT) != wr_crc32c(0, in, SEGMENT_SUM_AT))
		return WR_CORRUPT;
	format = wr_load_le32(in + SEGMENT_FORMAT_AT);
	if (format > WR_SEGMENT_FORMAT)
		return WR_UNSUPPORTED;
	return format == WR_SEGMENT_FORMAT ? read_fields(header, in) : WR_CORRUPT;
}
