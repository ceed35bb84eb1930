/*
 * index_file — the index of a sealed segment as a file (FORMAT.md, "An index").
 *
 *	rows:  | head | streams ...            | entries ...               | samples ...       |
 *	       |      | stream -> its entries  | by stream, then sequence  | every 32nd event  |
 *
 * Every block has a checksum whose seed is that of the segment file it was made for, so that an
 * index never speaks for another version of its segment. Writing goes block by block and allocates
 * nothing: it happens on the helper. Reading goes block by block, too, each of them checked.
 */
#ifndef WR_IO_STORE_INDEX_FILE_H
#define WR_IO_STORE_INDEX_FILE_H

#include "io/store/store_private.h"

/* The seed of its blocks: number, last number, epoch and size of the segment file. */
uint32_t wr_index_seed(struct wr_record_seed seed, uint64_t last_number, uint32_t file_bytes);

/* ---- writing ---- */

enum wr_index_part {
	WR_INDEX_HEAD,
	WR_INDEX_STREAMS,
	WR_INDEX_ENTRIES,
	WR_INDEX_SAMPLES,
	WR_INDEX_END
};

struct wr_index_writer {
	/* given */
	struct wr_disk disk;
	char temporary[WR_FS_NAME_BYTES];
	uint64_t number;
	uint32_t seed;
	const struct wr_index_entry *entries; /* by sequence */
	uint32_t *order;		      /* room for `count` */
	uint32_t count;
	uint32_t record_end; /* of the segment: behind its last record */

	/* found; begin with zeros */
	uint32_t stream_count;
	uint32_t event_bytes; /* of all */
	uint32_t block_count;
	bool is_begun;
	int handle;
	uint32_t block; /* the next one */
	enum wr_index_part part;
	uint32_t at;	     /* next of `order`, or next sample */
	uint32_t item;	     /* the newest of the stream so far */
	uint8_t bytes[4096]; /* of one block */
};

/* One step, of some milliseconds at most. WR_MORE; WR_OK: the file is written, synced and closed;
 * WR_IO: *error is a negated errno, and no file is left. */
enum wr_status wr_index_writer_step(struct wr_index_writer *self, int *error);
/* Between steps: gives up, leaving no file. */
void wr_index_writer_abandon(struct wr_index_writer *self);

/* ---- an index in memory, of a sealed segment: until its file is written ---- */

struct wr_seal {
	struct wr_job job;
	struct wr_fs_store *store; /* not for the helper, like the next ones */
	struct wr_seal *next;
	uint32_t capacity;
	bool is_posted;
	bool is_stale; /* posted, and its segment was replaced: nobody looks at it any more */

	struct wr_index_entry *entries; /* by sequence; both threads only read them */
	uint32_t count;
	char name[WR_FS_NAME_BYTES];
	struct wr_index_writer writer;
	int error;
};

/* NULL: it is not in memory. */
struct wr_seal *wr_seal_find(struct wr_fs_store *self, uint64_t number);
/* Makes one from the segment, and posts the writing of its file. WR_OK; WR_CORRUPT: made, but some
 * records are not in it, and streams that show a hole are quarantined; WR_IO, WR_NO_MEMORY: none
 * was made. */
enum wr_status wr_seal_recover(struct wr_fs_store *self, struct wr_segment *segment);

/* ---- reading: each WR_OK, WR_NOT_FOUND, WR_CORRUPT (the index), WR_IO, WR_NO_MEMORY ---- */

/* Reads what the first block says of the segment. */
enum wr_status wr_index_file_load(struct wr_fs_store *self, struct wr_segment *segment);
/* As wr_fs_index_find, wr_fs_index_near and wr_fs_index_items. */
enum wr_status wr_index_file_find(struct wr_fs_store *self, struct wr_segment *segment,
				  uint32_t stream, uint64_t after, uint32_t item, uint32_t *hint,
				  struct wr_index_entry *out);
enum wr_status wr_index_file_near(struct wr_fs_store *self, struct wr_segment *segment,
				  uint64_t after, uint64_t *offset);
enum wr_status wr_index_file_items(struct wr_fs_store *self, struct wr_segment *segment,
				   uint32_t stream, uint32_t *first, uint32_t *last);
/* As wr_fs_index_at, by looking at every entry. */
enum wr_status wr_index_file_at(struct wr_fs_store *self, struct wr_segment *segment,
				uint64_t offset, struct wr_index_entry *out);

/* Bytes of the events that are no longer kept. */
enum wr_status wr_index_file_dead(struct wr_fs_store *self, struct wr_segment *segment,
				  uint64_t *bytes);

/* What is remembered of this segment's blocks is forgotten. */
void wr_index_file_forget(struct wr_fs_store *self, uint64_t number);

/* Gives its memory back. */
void wr_index_file_deinit(struct wr_fs_store *self);

/* Bytes of the index file of so many streams and events. */
uint64_t wr_index_file_bytes(uint32_t stream_count, uint32_t event_count);

#endif
