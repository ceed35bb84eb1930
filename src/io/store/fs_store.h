/*
 * fs_store — the log on disk: the store of core/store.h over the files of one folder (FORMAT.md).
 *
 * Append-only segments of checksummed records, prepared ahead: zeros that are on the medium before
 * they are needed, so that a sync commits data only and a decided command can always be written.
 * The reactor's thread writes, once per turn; a helper thread syncs, prepares, indexes and cleans
 * (jobs.h). What may be shown to anybody is what `durability` promises.
 *
 *	wr_fs_store_open(&store, allocator, &config, &error)
 *	ports.store = wr_fs_store_port(store); wr_runtime_new(...)     replays
 *	... each turn: wr_fs_store_turn(store); and when wr_fs_store_fd is readable ...
 *	wr_runtime_free(...); wr_fs_store_close(store)
 *
 * Errors of a disk (reliability 5): no room is WR_FULL, found out while a segment is being
 * prepared, before anything was decided, and ends by itself when there is room again. Any other
 * failure of a write or sync on the way of a commit makes the store *failed* for the life of the
 * process: nothing more is written, acknowledged or shown, and nothing is tried twice.
 */
#ifndef WR_IO_STORE_FS_STORE_H
#define WR_IO_STORE_FS_STORE_H

#include "bytes/allocator.h"
#include "core/store.h"
#include "io/store/disk.h"
#include "io/store/jobs.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_durability {
	WR_DURABILITY_ALWAYS,	/* visible when synced */
	WR_DURABILITY_INTERVAL, /* visible when written, synced every interval_ms */
	WR_DURABILITY_NEVER	/* visible when written */
};

struct wr_fs_config {
	const char *root;	    /* the folder; not used when `disk` is given */
	const struct wr_disk *disk; /* borrowed; NULL: that of the system */
	bool is_inline;		    /* jobs run when the owner lets them (tests) */
	enum wr_durability durability;
	uint32_t interval_ms;
	uint64_t segment_bytes;	    /* of a new segment, header included */
	uint64_t bytes_max;	    /* of all files; at least four segments. Cleaning has up to
				     * one segment more for its time */
	uint32_t payload_bytes_max; /* of one record */
	uint32_t scrub_ms;	    /* between two slices of the slow scrub; 0: never */
	uint32_t scrub_rest_ms;	    /* between two passes of it */
	uint64_t (*now_ms)(void);   /* monotonic */
	int64_t (*wall_ms)(void);
	enum wr_status (*entropy)(void *out, size_t bytes);
};

/* Fills sizes and times from bounds.h; functions stay NULL. */
void wr_fs_defaults(struct wr_fs_config *config);

enum wr_fs_state {
	WR_FS_OK,
	WR_FS_FULL,  /* the next segment cannot be made: ordinary records are refused from the
			reserved end of this one on, until there is room */
	WR_FS_FAILED /* writes nothing any more */
};

/* What the last opening found. */
struct wr_fs_recovery {
	bool was_new;	/* there was no log: it was born */
	bool was_clean; /* the last process ended in good order */
	bool is_torn;	/* a tail was cut off and kept aside */
	bool is_damaged;
	char file[32];		/* where the tear or the first damage is */
	uint64_t offset, bytes; /* of it */
	uint64_t last_sequence; /* newest sound one */
	uint64_t record_count, byte_count, segment_count; /* that were read */
	uint32_t quarantined_count;
	bool is_maybe_incomplete; /* some Workers cannot prove that they are whole */
};

struct wr_fs_info {
	enum wr_fs_state state;
	int os_error; /* of FULL and FAILED */
	enum wr_durability durability;
	uint32_t interval_ms;
	uint64_t bytes, bytes_max; /* of files */
	uint32_t segment_count;
	uint64_t head, written, durable; /* sequences */
	uint64_t sync_count, cleaned_count;
	uint64_t scrub_count, scrubbed_bytes; /* passes, and what was read in all */
	struct wr_fs_recovery recovery;
};

struct wr_fs_store;

/* What an opening that fails has to say, beside the status. */
struct wr_fs_error {
	enum wr_status status;
	int os_error;
	const char *what; /* static: "another process uses it", ... */
	char file[32];	  /* or empty */
	uint64_t offset;
};

/* Opens the folder and takes its lock; the log itself is read by the port's `replay`. WR_OK;
 * WR_CONFLICT: another process has it; WR_IO, WR_NO_MEMORY, WR_INVALID (sizes). */
enum wr_status wr_fs_store_open(struct wr_fs_store **out, struct wr_allocator *allocator,
				const struct wr_fs_config *config, struct wr_fs_error *error);
/* Writes and syncs what is pending, leaves the clean mark unless the store has failed, frees. */
void wr_fs_store_close(struct wr_fs_store *self);

/* The port that the Runtime is given. */
struct wr_store wr_fs_store_port(struct wr_fs_store *self);
/* Why `replay` failed. */
const struct wr_fs_error *wr_fs_store_error(const struct wr_fs_store *self);

/* The end of a turn: takes the helper's reports, writes what was appended, asks for a sync, for the
 * next segment, for cleaning. `visible` may be higher afterwards. */
void wr_fs_store_turn(struct wr_fs_store *self);
/* Readable when the helper has something to report: then call turn. */
int wr_fs_store_fd(const struct wr_fs_store *self);
/* Milliseconds until a turn is due though nothing happened (interval, retry of a full store, the
 * slow scrub); UINT64_MAX: none. */
uint64_t wr_fs_store_due_in_ms(const struct wr_fs_store *self);

void wr_fs_store_info(const struct wr_fs_store *self, struct wr_fs_info *out);
/* Whether the records of a Worker are damaged (0: any Worker's). */
bool wr_fs_store_is_quarantined(const struct wr_fs_store *self, uint32_t worker);

#endif
