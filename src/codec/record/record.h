/*
 * record — one record and one segment header of the log on disk, as bytes and back
 * (io/store/FORMAT.md has the fields; reliability 3).
 *
 * Pure: no I/O, no allocation. Both checksums of a record are CRC32C, seeded with the log's id, the
 * segment's epoch and number, and the record's offset: a record that was copied, moved or left over
 * from another file does not pass. The header has a checksum of its own, so that a damaged length
 * is never believed.
 *
 * All integers are little-endian. A record is WR_RECORD_HEADER_BYTES, the payload, and zeros up to
 * the next multiple of WR_RECORD_ALIGN. Zeros where a header would be mean: the end.
 */
#ifndef WR_CODEC_RECORD_RECORD_H
#define WR_CODEC_RECORD_RECORD_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WR_RECORD_HEADER_BYTES = 56,
	WR_RECORD_ALIGN = 8,
	WR_SEGMENT_HEADER_BYTES = 96,
	WR_STORE_ID_BYTES = 16
};
#define WR_SEGMENT_FORMAT 1u

enum wr_record_kind {
	WR_RECORD_EVENT = 1,		/* payload: the caller's */
	WR_RECORD_CHECKPOINT_BEGIN = 2, /* payload: none */
	WR_RECORD_CHECKPOINT_PART = 3,	/* payload: the caller's */
	WR_RECORD_CHECKPOINT_ROWS = 4,	/* payload: rows of what the store knows of each stream */
	WR_RECORD_CHECKPOINT_END = 5, /* payload: u64 count of records since BEGIN, without both */
	WR_RECORD_GENERATIONS = 6,    /* payload: rows generation u32, last sequence u64 */
	WR_RECORD_RETIRED = 7	      /* payload: rows of what streams have given up */
};

/* What a record's header says, beside its checksums. */
struct wr_record {
	uint16_t kind;		  /* enum wr_record_kind */
	uint16_t flags;		  /* 0: none is defined yet */
	uint32_t stream;	  /* Worker number; 0: the Runtime, and records of the store */
	uint64_t sequence;	  /* EVENT: its own; else: the newest event before it */
	uint64_t stream_sequence; /* EVENT: n-th of its stream, from 1; else 0 */
	uint64_t durable_upto;	  /* position of the log known durable when this was written */
	uint32_t item;		  /* EVENT: transcript item it adds, or 0 */
	uint32_t payload_bytes;	  /* this and the next are filled by decode; encode takes */
	uint32_t payload_crc;	  /* them from the payload and does not look here */
};

/* The seed of all records of a segment; make it once per segment. */
struct wr_record_seed {
	uint32_t crc;
};
struct wr_record_seed wr_record_seed_make(const uint8_t store_id[WR_STORE_ID_BYTES], uint64_t epoch,
					  uint64_t segment);

/* Header, payload and padding together. */
static inline uint64_t wr_record_bytes(uint32_t payload_bytes)
{
	return ((uint64_t)WR_RECORD_HEADER_BYTES + payload_bytes + WR_RECORD_ALIGN - 1) &
	       ~(uint64_t)(WR_RECORD_ALIGN - 1);
}

/* Writes the header of a record at `offset` of its segment, a multiple of WR_RECORD_ALIGN, with
 * both checksums. The payload is at most UINT32_MAX bytes; what it may be is the caller's to bound.
 */
void wr_record_encode(char out[WR_RECORD_HEADER_BYTES], const struct wr_record *record,
		      struct wr_view payload, struct wr_record_seed seed, uint64_t offset);

/* Reads a header. WR_OK; WR_NOT_FOUND: zeros, the end; WR_CORRUPT; WR_UNSUPPORTED: a sound header
 * of a kind or with flags that we do not know, so a newer program's and no damage. *record is
 * filled with WR_OK and WR_UNSUPPORTED, else left alone. The payload is not looked at: whether that
 * many bytes may and can be there is the caller's to check before it reads them. */
enum wr_status wr_record_decode(struct wr_record *record, const char in[WR_RECORD_HEADER_BYTES],
				struct wr_record_seed seed, uint64_t offset);

/* What wr_crc32c begins with over the payload of the record at `offset`, for who reads it in
 * pieces: in the end it must be payload_crc. */
uint32_t wr_record_payload_sum(struct wr_record_seed seed, uint64_t offset);

/* Whether these are the bytes that the header was made for. */
bool wr_record_payload_is_sound(const struct wr_record *record, struct wr_view payload,
				struct wr_record_seed seed, uint64_t offset);

enum { WR_SEGMENT_COMPACTED = 1, WR_SEGMENT_CHECKPOINT = 2 };

struct wr_segment_header {
	uint8_t store_id[WR_STORE_ID_BYTES];
	uint64_t epoch;
	uint64_t number, last_number; /* segments that it stands for; equal unless compacted */
	uint64_t first_sequence;      /* no event in it is older */
	uint64_t next_sequence;	      /* compacted: no event in it is as new; else 0 */
	uint32_t flags;		      /* WR_SEGMENT_COMPACTED: events are left out;
					 WR_SEGMENT_CHECKPOINT: begins with a checkpoint */
	int64_t created_wall_ms;      /* for people */
	uint32_t file_bytes;	      /* its file was made so long; 0: not said */
};

void wr_segment_header_encode(char out[WR_SEGMENT_HEADER_BYTES],
			      const struct wr_segment_header *header);

/* WR_OK; WR_NOT_FOUND: zeros, prepared but not used; WR_UNSUPPORTED: a newer program's; WR_CORRUPT.
 * *header is filled with WR_OK only.
 *
 * A newer format is told from damage by what every format keeps, however long its header is: the
 * magic at 0, the format at 8, and at 92 the checksum of the 92 bytes before. It is checked before
 * any other field. Flags, and bytes that are 0 here, which format 1 does not know, are a newer
 * program's too. */
enum wr_status wr_segment_header_decode(struct wr_segment_header *header,
					const char in[WR_SEGMENT_HEADER_BYTES]);

#endif
