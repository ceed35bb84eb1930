/*
 * store_private — the inside of an fs_store, shared by the files of this folder.
 *
 *	store.c       life, the port's table, info, streams
 *	files.c       names of files; whole reads and writes
 *	append.c      records into the batch; the batch into the active segment; visibility
 *	sync.c        what is written onto the medium
 *	segments.c    the table of segments, their handles, moving on to the next one
 *	prepare.c     making the next one ahead
 *	checkpoint.c  writing a checkpoint at the head of a segment
 *	open.c        opening what is found (reliability 4), with the files of open_private.h
 *	scan.c        walking the records of a segment
 *	index.c       which record of a stream is where: of the active segment in memory, of others
 *	              in a file of 4 KiB blocks beside it
 *	index_seal.c  handing an index from memory to its file; making one from the segment
 *	index_write.c such a file, block by block
 *	index_read.c  finding something in it
 *	window.c      bytes of segments, and the records in them
 *	read.c        the port's next and item
 *	retention.c   which events are given up when the disk's share is used up
 *	clean.c       merging sealed segments without what was given up
 *	clean_copy.c  the helper's part of that
 *	scrub.c       sealed segments read again and compared, slowly
 *
 * A position of the log is `segment number << 32 | offset`.
 */
#ifndef WR_IO_STORE_STORE_PRIVATE_H
#define WR_IO_STORE_STORE_PRIVATE_H

#include "bytes/buf.h"
#include "codec/record/record.h"
#include "io/store/fs_store.h"

enum {
	WR_FS_NAME_BYTES = 40, /* of any file name, with its end and .tmp.RANDOM */
	WR_FS_HANDLES = 8,     /* sealed segments and indexes open at once */
	WR_FS_GENERATIONS_KEPT = 1024,
	WR_FS_BATCH_BYTES_MAX = 1048576, /* written at once at the latest beyond this */
	WR_FS_INDEX_BLOCK_BYTES = 4096,
	WR_FS_INDEX_BLOCK_ENTRIES = 255,
	WR_FS_INDEX_SAMPLE = 32, /* every so many events one stands in the index by sequence */
	WR_FS_TORN_KEPT = 8,
	/* The end of the active segment that ordinary records leave free while there is no next one
	 * (an eighth of small segments), and the part of it that is left for records of the store's
	 * own: without them nothing could be given up, and a full store would stay full. */
	WR_FS_TAIL_BYTES_MAX = 65536,
	WR_FS_OWN_TAIL_PART = 4,
	/* Streams: a bound for rows that a file names, far above any number of Workers. */
	WR_FS_STREAM_MAX = 1048576,
	WR_FS_RETRY_MS = 1000 /* of preparing, when there was no room */
};

static inline uint64_t wr_position(uint64_t segment, uint64_t offset)
{
	return segment << 32 | offset;
}

/* In the file of an index: the entry adds this item; without it, the newest item before. */
#define WR_FS_INDEX_ADDS UINT32_C(0x80000000)

/* Where one event is. In memory in the order of sequences. */
struct wr_index_entry {
	uint32_t stream;
	uint32_t sequence_delta; /* from the segment's first_sequence */
	uint32_t place;		 /* offset / WR_RECORD_ALIGN */
	uint32_t item;		 /* that it adds, or 0 */
	uint32_t bytes;		 /* of the record, with header and padding */
};

struct wr_segment {
	uint64_t number, last_number;
	uint64_t epoch;
	uint64_t first_sequence, next_sequence; /* active: next_sequence is UINT64_MAX */
	struct wr_record_seed seed;
	uint32_t bytes;		/* behind its last record */
	uint32_t file_bytes;	/* on disk, without the index */
	uint32_t made_bytes;	/* opening: it was made so long, by its header; 0: not said */
	uint32_t dead_bytes;	/* of events that were given up, when known */
	uint32_t planned_bytes; /* retention.c: of those that are about to be */
	uint32_t event_count;	/* entries of its index; of a sealed one known when it was loaded */
	uint32_t stream_count;	/* of its index, like event_count */
	uint32_t event_bytes;	/* of its events, like event_count */
	uint32_t index_bytes;	/* of its index file, when that was loaded; counted in file_bytes */
	uint64_t rest_until_ms; /* it could not be read: not tried again before */
	bool is_index_loaded;
	bool is_dead_known;
	bool is_compacted, has_checkpoint;
	bool has_index;	  /* sealed: its index file is whole */
	bool is_damaged;  /* left as it is: never cleaned */
	bool is_cleaning; /* input of the running job */
	bool is_headless; /* its header is damaged, what is above was put together */
	bool is_missing;  /* there is no such file (is_damaged, too) */
};

/* What the store knows of a stream (index: Worker number). */
struct wr_stream_row {
	uint64_t stream_sequence;	  /* of its newest record, 0: none */
	uint64_t evicted;		  /* highest sequence given up, 0: none */
	uint64_t event_bytes, item_bytes; /* kept on disk: records without and with an item */
	uint32_t first_item;		  /* oldest kept item, from 1 */
	uint32_t last_item;
	uint64_t last_sequence; /* no event of it is newer; 0: not known, from before */
	uint64_t searched[2];	/* retention.c: segments below this number have nothing to give */
	bool is_quarantined;
	bool is_lost; /* quarantined by an opening: checkpoints keep it. What a reading found is
		       * found again, or it was the disk's passing mood */
};

struct wr_generation_row {
	uint32_t generation;
	uint64_t last_sequence;
};

struct wr_open_handle {
	uint64_t number; /* 0: free */
	bool is_index;
	int handle;
	uint64_t used;	/* for the least recently used */
	bool is_pinned; /* not to be closed for another */
};

struct wr_fs_store {
	struct wr_allocator *allocator;
	struct wr_fs_config config;
	struct wr_disk disk;
	struct wr_posix_disk posix;
	bool has_posix;
	bool is_live; /* replay is through: appending is allowed */
	struct wr_jobs *jobs;
	struct wr_fs_error error;
	enum wr_fs_state state;
	int os_error;

	uint8_t store_id[WR_STORE_ID_BYTES];
	uint32_t generation;
	struct wr_generation_row *generations; /* ended ones, oldest first; room for the count */
	uint32_t generation_count;

	/* segments.c: by number; the last one is the active one, which is open for writing. */
	struct wr_segment *segments;
	uint32_t segment_count, segment_capacity;
	int active_handle;
	struct wr_open_handle handles[WR_FS_HANDLES];
	uint64_t use_count;
	struct wr_prepare *prepare; /* the job, and what it has made */

	/* index.c: of the active segment, in the order of appending (sequence). */
	struct wr_index_entry *entries;
	uint32_t entry_count, entry_capacity;
	struct wr_seal *seals; /* indexes of sealed segments that are in memory */
	struct wr_index_cache *index_cache;

	/* append.c */
	struct wr_buf batch;	   /* records not yet written */
	uint64_t batch_position;   /* of its first byte */
	uint64_t head;		   /* newest appended sequence */
	uint64_t written, durable; /* highest such sequence */
	uint64_t written_position, durable_position;
	uint64_t dirty_segment; /* lowest segment with bytes not yet synced; 0: none */
	struct wr_sync *sync;	/* the job */
	uint64_t sync_due_ms;	/* INTERVAL */
	uint64_t sync_count;

	/* checkpoint.c */
	uint64_t checkpoint_segment[2]; /* newest and the one before; 0: none */
	uint64_t checkpoint_bytes;	/* of the newest */
	uint64_t since_checkpoint;	/* bytes of records behind it */
	bool is_in_checkpoint;
	uint64_t checkpoint_count; /* records of the one being written */

	/* streams, by number */
	struct wr_stream_row *rows;
	uint32_t row_count, row_capacity;
	uint64_t evicted; /* highest of any stream */

	/* retention.c, clean.c */
	uint64_t file_bytes; /* of all segments, indexes and the prepared one */
	struct wr_clean *clean;
	uint64_t cleaned_count;
	uint64_t retired_position; /* behind the newest RETIRED record */
	uint64_t clean_record_bytes, clean_not_before_ms;
	struct wr_retire *retire; /* what is being planned to be given up */
	uint64_t retire_boundary, retire_rest_until_ms;
	uint64_t retry_due_ms; /* preparing is tried again; 0: nothing waits */

	/* scrub.c */
	struct wr_scrub *scrub; /* the job; NULL: it is never done */
	uint64_t scrubbed_bytes, scrub_count;
	bool is_checkpoint_wanted; /* an older one is damaged */

	/* read.c */
	struct wr_buf payload; /* lent by next and item: bytes of a segment from an offset on */
	uint64_t window_segment, window_offset;
	uint32_t layout; /* of segments: another one when files were replaced */
	struct {	 /* by the last call of next for one stream */
		uint32_t stream;
		uint64_t sequence, stream_sequence;
	} given;

	struct wr_fs_recovery recovery;
};

/* ---- names ---- */
/* "%020llu.log", "%020llu.idx" of a segment. */
void wr_fs_segment_name(char out[WR_FS_NAME_BYTES], uint64_t number);
void wr_fs_index_name(char out[WR_FS_NAME_BYTES], uint64_t number);
/* The number in such a name; false when it is none of that kind. */
bool wr_fs_segment_number(const char *name, uint64_t *number);
bool wr_fs_index_number(const char *name, uint64_t *number);
/* NAME.tmp.RANDOM */
void wr_fs_temporary_name(struct wr_fs_store *self, char out[WR_FS_NAME_BYTES], const char *base);

/* ---- whole reads and writes over the port; 0 or a negated errno ---- */
int wr_fs_write_all(const struct wr_disk *disk, int handle, const void *data, size_t bytes,
		    uint64_t offset);
/* -EIO when the file ends before. */
int wr_fs_read_all(const struct wr_disk *disk, int handle, void *out, size_t bytes,
		   uint64_t offset);

/* ---- state ---- */
/* The store has failed for good. Returns WR_IO. */
enum wr_status wr_fs_fail(struct wr_fs_store *self, int os_error, const char *what);

/* ---- streams ---- */
/* The row of a stream, made when it is new; NULL: no memory. */
struct wr_stream_row *wr_fs_row(struct wr_fs_store *self, uint32_t stream);
/* The row if there is one. */
const struct wr_stream_row *wr_fs_row_find(const struct wr_fs_store *self, uint32_t stream);
/* Whether retention still keeps this event: above what its stream has given up, or a kept item.
 * Reading and cleaning ask the same. */
bool wr_fs_is_kept(const struct wr_stream_row *row, uint64_t sequence, uint32_t item);

/* ---- segments.c ---- */
struct wr_segment *wr_fs_active(struct wr_fs_store *self);
/* The segment that stands for this number; NULL. */
struct wr_segment *wr_fs_segment(struct wr_fs_store *self, uint64_t number);
/* Adds one at the end. NULL: no memory. */
struct wr_segment *wr_fs_segment_add(struct wr_fs_store *self);
/* A handle to read a segment or its index; kept open, closed when others need the slot. Negated
 * errno. */
int wr_fs_handle(struct wr_fs_store *self, uint64_t number, bool is_index);
/* Closes what is open of it: its file was replaced or removed. */
void wr_fs_forget_handles(struct wr_fs_store *self, uint64_t number);
/* Opening: the last segment of the table goes on as the active one: its file is `handle`, taken,
 * open for writing; all up to its `bytes` is durable. Sets active_handle and, with head set before,
 * the positions and sequences of append.c. */
void wr_fs_resume(struct wr_fs_store *self, int handle);
/* Seals the active segment and goes on in the prepared one: header into the batch. WR_OK,
 * WR_OVERLOAD (not ready yet), WR_FULL, WR_NO_MEMORY, WR_IO. */
enum wr_status wr_fs_move_on(struct wr_fs_store *self, bool with_checkpoint);
/* Whether it would move on now, to a segment that takes this many bytes behind its header. */
bool wr_fs_can_move_on(const struct wr_fs_store *self, bool with_checkpoint, uint64_t bytes);
/* Makes the active segment longer, for a checkpoint that does not fit: `more` bytes at least fit
 * behind its records then. WR_OK; WR_FULL: there is no room, nothing is lost; WR_IO. */
enum wr_status wr_fs_grow_active(struct wr_fs_store *self, uint64_t more);
void wr_fs_segments_deinit(struct wr_fs_store *self);

/* ---- prepare.c ---- */
/* Sees to it that the segment after the active one is there, or is being made. */
void wr_fs_prepare_next(struct wr_fs_store *self);
bool wr_fs_has_prepared(const struct wr_fs_store *self);
/* Whether only a checkpoint may begin the prepared segment: cleaning needs two behind what it
 * frees, and bytes_max has no room for much else. Without it a full store would stay full. */
bool wr_fs_must_checkpoint(const struct wr_fs_store *self);
/* Bytes of the segment that is prepared next: that much of bytes_max must stay free. */
uint64_t wr_fs_next_bytes(const struct wr_fs_store *self);
/* Opening: the file of this number, behind the active one, is zeros and prepared; `handle` is
 * taken, open for writing; counted in file_bytes here. */
void wr_fs_adopt_prepared(struct wr_fs_store *self, uint64_t number, int handle, uint32_t bytes);
/* The prepared segment's file, open for writing; it is given away, none is prepared then. */
int wr_fs_take_prepared(struct wr_fs_store *self, uint64_t *number, uint32_t *bytes);
/* Bytes of it; 0: none is prepared. */
uint32_t wr_fs_prepared_bytes(const struct wr_fs_store *self);
/* Writes zeros. 0 or a negated errno. */
int wr_fs_write_zeros(const struct wr_disk *disk, int handle, uint64_t offset, uint64_t bytes);
/* Whether this errno means: no room. */
bool wr_fs_is_room_error(int os_error);
enum wr_status wr_fs_prepare_init(struct wr_fs_store *self);
void wr_fs_prepare_deinit(struct wr_fs_store *self);

/* ---- append.c ---- */
enum wr_status wr_fs_append(void *context, const struct wr_store_record *record,
			    enum wr_store_urgency urgency);
bool wr_fs_has_room(void *context);
/* Bytes at the end of the active segment that are not for ordinary records (see above). */
uint32_t wr_fs_tail_bytes(const struct wr_fs_store *self);
/* Appends a record of the store's own, or a part of a checkpoint, to the batch. WR_OK,
 * WR_NO_MEMORY, WR_IO; WR_OVERLOAD, WR_FULL: no room in this segment, and none to move on to. */
enum wr_status wr_fs_append_own(struct wr_fs_store *self, enum wr_record_kind kind,
				struct wr_view payload);
/* Writes the batch. WR_OK, WR_IO. */
enum wr_status wr_fs_flush(struct wr_fs_store *self);
uint64_t wr_fs_visible(void *context);
void wr_fs_append_init(struct wr_fs_store *self);
void wr_fs_append_deinit(struct wr_fs_store *self);

/* ---- sync.c ---- */
/* Asks for a sync of what is written, unless one is running or none is wanted: `always` wants it at
 * once, `interval` when its time is over; and any durability does when a segment was sealed or
 * something waits for it. */
void wr_fs_ask_sync(struct wr_fs_store *self);
/* Writes and syncs everything, waiting for it. WR_OK, WR_IO. */
enum wr_status wr_fs_settle(struct wr_fs_store *self);
/* When a sync is due though nothing happens; UINT64_MAX: never. */
uint64_t wr_fs_sync_due_ms(const struct wr_fs_store *self);
/* Wants a sync at the end of this turn, whatever the durability: a record of the store's own waits
 * for it. wr_fs_append_own does so. */
void wr_fs_want_sync(struct wr_fs_store *self);
/* Whether another sealed segment can wait for its sync. */
bool wr_fs_sync_has_slot(const struct wr_fs_store *self);
/* The segment is sealed; its handle is taken, and closed when all of it is durable. */
void wr_fs_sync_sealed(struct wr_fs_store *self, uint64_t number, int handle);
enum wr_status wr_fs_sync_init(struct wr_fs_store *self);
void wr_fs_sync_deinit(struct wr_fs_store *self);

/* ---- checkpoint.c ---- */
bool wr_fs_wants_checkpoint(void *context);
enum wr_status wr_fs_checkpoint_begin(void *context);
enum wr_status wr_fs_checkpoint_add(void *context, struct wr_view part);
enum wr_status wr_fs_checkpoint_end(void *context);
/* One that was begun and neither ended nor refused is given up, as its owner did; or there is none.
 */
void wr_fs_checkpoint_abandon(struct wr_fs_store *self);
/* Notes the end of a generation, the oldest ones are forgotten. One that is known, or is older than
 * the newest known, changes nothing. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_fs_generation_add(struct wr_fs_store *self, uint32_t generation,
				    uint64_t last_sequence);
void wr_fs_checkpoint_deinit(struct wr_fs_store *self);
/* Reading one: takes rows of streams and generations. WR_OK, WR_CORRUPT, WR_NO_MEMORY. */
enum wr_status wr_fs_rows_load(struct wr_fs_store *self, struct wr_view payload);
enum wr_status wr_fs_generations_load(struct wr_fs_store *self, struct wr_view payload);

/* ---- open.c ---- */
enum wr_status wr_fs_replay(void *context, struct wr_store_log *log,
			    const struct wr_store_replay *replay);
uint64_t wr_fs_generation_end(void *context, uint32_t generation);
/* The mark of a clean stop: written at the very end. */
enum wr_status wr_fs_leave_mark(struct wr_fs_store *self);

/* ---- scan.c ---- */
/* Walks the records of a segment file from `offset` on through a buffer of its own. */
struct wr_scan {
	const struct wr_disk *disk;
	int handle;
	struct wr_record_seed seed;
	uint64_t offset; /* of the next record */
	uint64_t file_bytes;
	uint32_t payload_bytes_max;
	struct wr_buf window; /* what is read ahead */
	uint64_t window_offset;
	uint64_t data_end; /* resume: behind the last byte that is not zero, of what it passed */
	int os_error;
};
enum wr_status wr_scan_begin(struct wr_scan *self, struct wr_allocator *allocator,
			     const struct wr_disk *disk, int handle, struct wr_record_seed seed,
			     uint64_t offset, uint32_t payload_bytes_max);
void wr_scan_end(struct wr_scan *self);
/* The next record and its payload (lent until the next call); `offset` moves behind it. WR_OK;
 * WR_NOT_FOUND: zeros or the end of the file; WR_CORRUPT: header or payload damaged, offset stays;
 * *is_header_sound tells which; WR_UNSUPPORTED: of a newer program, offset stays; WR_IO,
 * WR_NO_MEMORY. */
enum wr_status wr_scan_next(struct wr_scan *self, struct wr_record *record, struct wr_view *payload,
			    bool *is_header_sound);
/* Looks on from offset + WR_RECORD_ALIGN for anything that is a record by its header, and stands
 * there. WR_OK; WR_NOT_FOUND: there is none, offset stays, and data_end tells whether there is
 * anything but zeros from offset on; WR_IO, WR_NO_MEMORY. */
enum wr_status wr_scan_resume(struct wr_scan *self);

/* ---- index.c ---- */
/* Notes an event of the active segment. WR_OK, WR_NO_MEMORY; with room reserved it cannot fail. */
enum wr_status wr_fs_index_reserve(struct wr_fs_store *self);
/* record->payload_bytes must be right, and next_sequence of the segment that it belongs to open. */
void wr_fs_index_add(struct wr_fs_store *self, const struct wr_record *record, uint64_t offset);
/* The active segment is sealed now, all of its fields are final: hands the entries to the helper,
 * which writes them as its index file; until it has, they are read from memory. WR_OK, WR_NO_MEMORY
 * (it is made from the segment when it is asked for). */
enum wr_status wr_fs_index_seal(struct wr_fs_store *self, uint64_t number);
/* Opening: loads the index of a sealed segment, checking that it is there and made for this file,
 * so that event_count and `bytes` are known, too; its size is counted in file_bytes here (and when
 * one is made), nowhere else. WR_OK; WR_CORRUPT: it must be made again; WR_IO, WR_NO_MEMORY. */
enum wr_status wr_fs_index_load(struct wr_fs_store *self, struct wr_segment *segment);
/* Makes a missing index from the segment itself, waiting for it. WR_OK, WR_IO, WR_NO_MEMORY,
 * WR_CORRUPT: some records are not in it; streams that show a hole are quarantined. When it cannot
 * be written it stays in memory, which is WR_OK. */
enum wr_status wr_fs_index_rebuild(struct wr_fs_store *self, struct wr_segment *segment);
/* Lookups: WR_OK, WR_NOT_FOUND, WR_IO, WR_NO_MEMORY. An index that is missing or damaged is made
 * from the segment on the way.
 *
 * The first entry of `stream` in this segment whose sequence is above `after`, or with `item` != 0
 * the one that adds this item. *hint: 0, or what the lookup before left, when this one goes on from
 * there. */
enum wr_status wr_fs_index_find(struct wr_fs_store *self, struct wr_segment *segment,
				uint32_t stream, uint64_t after, uint32_t item, uint32_t *hint,
				struct wr_index_entry *out);
/* Offset of an event that is not behind the first one above `after` in this segment, and near it.
 * WR_NOT_FOUND: there is none above; but finding one does not say that there is. */
enum wr_status wr_fs_index_near(struct wr_fs_store *self, struct wr_segment *segment,
				uint64_t after, uint64_t *offset);
/* The first and the last item that this segment adds to `stream`; WR_NOT_FOUND: none. */
enum wr_status wr_fs_index_items(struct wr_fs_store *self, struct wr_segment *segment,
				 uint32_t stream, uint32_t *first, uint32_t *last);
/* The entry with the lowest place at or behind this offset: slow, for what is damaged there. */
enum wr_status wr_fs_index_at(struct wr_fs_store *self, struct wr_segment *segment, uint64_t offset,
			      struct wr_index_entry *out);
/* Sets dead_bytes of a sealed segment. */
enum wr_status wr_fs_index_learn_dead(struct wr_fs_store *self, struct wr_segment *segment);
/* The files of this segment were replaced or removed. */
void wr_fs_index_forget(struct wr_fs_store *self, uint64_t number);
void wr_fs_index_deinit(struct wr_fs_store *self);

/* ---- window.c ---- */
void wr_fs_read_init(struct wr_fs_store *self);
/* The end of a turn: nothing is lent any more, large memory is given back. */
void wr_fs_read_rest(struct wr_fs_store *self);
/* The files of this segment were replaced or removed. */
void wr_fs_read_forget(struct wr_fs_store *self, uint64_t number);
/* Of a negated errno: WR_NO_MEMORY for what the system may have again later, WR_CORRUPT for what is
 * not there or cannot be read, else WR_IO. */
enum wr_status wr_fs_read_status(int error);
/* Behind what may be read of a segment: of the active one only what is written. */
uint64_t wr_fs_readable_end(const struct wr_fs_store *self, const struct wr_segment *segment);
/* The record at this offset; WR_CORRUPT for whatever is there instead. The payload is lent until
 * the next call of either. */
enum wr_status wr_fs_read_header(struct wr_fs_store *self, const struct wr_segment *segment,
				 uint64_t offset, struct wr_record *record);
enum wr_status wr_fs_read_payload(struct wr_fs_store *self, const struct wr_segment *segment,
				  uint64_t offset, const struct wr_record *record,
				  struct wr_view *payload);

/* ---- read.c ---- */
/* A record of this stream is damaged: from here on nothing of it is given. */
void wr_fs_quarantine(struct wr_fs_store *self, uint32_t stream, uint64_t segment, uint64_t offset);
enum wr_status wr_fs_next(void *context, uint32_t worker, uint64_t after,
			  struct wr_store_place *place, struct wr_store_record *record);
enum wr_status wr_fs_item(void *context, uint32_t worker, uint32_t item,
			  struct wr_store_place *place, struct wr_store_record *record);
uint64_t wr_fs_evicted(void *context, uint32_t worker);
uint32_t wr_fs_first_item(void *context, uint32_t worker);

/* ---- retention.c, clean.c ---- */
/* Once per turn: gives up events when the disk's share is used up (one RETIRED record), and has
 * segments cleaned once that is durable. */
void wr_fs_retain(struct wr_fs_store *self);
void wr_fs_retention_deinit(struct wr_fs_store *self);
void wr_fs_clean(struct wr_fs_store *self);
void wr_fs_clean_deinit(struct wr_fs_store *self);
/* Whether the store is short of its share of the disk, less what cleaning itself needs. */
bool wr_fs_is_pressed(const struct wr_fs_store *self);
/* Whether this segment may be cleaned, apart from being cleaned already. */
bool wr_fs_is_cleanable(const struct wr_fs_store *self, const struct wr_segment *segment);
/* What was given up and not yet cleaned, in segments that may be. */
uint64_t wr_fs_dead_bytes(const struct wr_fs_store *self);
bool wr_fs_is_cleaning(const struct wr_fs_store *self);
/* Whether there is something that is worth it, and would free at least this part of what it reads:
 * part 4 is a quarter. */
bool wr_fs_has_cleaning(const struct wr_fs_store *self, uint32_t part);
/* Reading a RETIRED record. WR_OK, WR_CORRUPT, WR_NO_MEMORY. */
enum wr_status wr_fs_retired_load(struct wr_fs_store *self, struct wr_view payload);

/* ---- scrub.c ---- */
/* Once per turn: reads on when it is time. */
void wr_fs_scrub(struct wr_fs_store *self);
/* When that is; UINT64_MAX: not until something happens. */
uint64_t wr_fs_scrub_due_ms(const struct wr_fs_store *self);
enum wr_status wr_fs_scrub_init(struct wr_fs_store *self);
void wr_fs_scrub_deinit(struct wr_fs_store *self);

#endif
