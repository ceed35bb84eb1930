/*
 * verify — a log looked at from the outside: every checksum of every file, and every event in
 * order. Nothing of it is changed, no lock is taken, and no process need be stopped for it: beside
 * one that has the log, what is there at the moment is looked at, and the newest records may still
 * be coming.
 *
 * What is read and judged is the same that an opening reads and judges (open_private.h), so that a
 * log that is said to be sound, or torn, opens.
 */
#ifndef WR_IO_STORE_VERIFY_H
#define WR_IO_STORE_VERIFY_H

#include "bytes/allocator.h"
#include "core/store.h"
#include "io/store/disk.h"
#include "io/store/fs_store.h"

#include <stdbool.h>
#include <stdint.h>

/* What was found of a file, or of the whole log. */
enum wr_verify_state {
	WR_VERIFY_SOUND,
	WR_VERIFY_PREPARED, /* made ready, and not begun */
	WR_VERIFY_SPARE,    /* left over: removed by the next start */
	WR_VERIFY_USELESS,  /* an index that does not fit its segment: made again by the next start
			     */
	WR_VERIFY_FOREIGN,  /* not a part of the log */
	WR_VERIFY_TORN,	    /* ends in what was never known durable: cut off by the next start */
	WR_VERIFY_MISSING,
	WR_VERIFY_DAMAGED
};

struct wr_verify_file {
	const char *name;
	enum wr_verify_state state;
	const char *what; /* more words, or NULL */
	uint64_t bytes;
	uint64_t offset; /* TORN, DAMAGED: of the first bad place */
	/* segments */
	bool is_segment;
	uint64_t record_count, event_count, checkpoint_count;
	uint64_t first_sequence, last_sequence; /* of its events; 0: it has none */
};

struct wr_verify_result {
	enum wr_verify_state state; /* SOUND, TORN, DAMAGED; MISSING: there is no log */
	const char *what;	    /* why it would not even open, or NULL */
	bool is_clean;		    /* the last process ended in good order */
	bool is_merged;		    /* old events were given up */
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation;
	uint64_t segment_count, record_count, event_count, bytes;
	uint64_t last_sequence;
	uint64_t bad_count; /* files that are DAMAGED or MISSING */
};

/* Functions may be NULL. Views are lent for the call. */
struct wr_verify_visitor {
	void *context;
	/* What is known before the first record is read. Not WR_OK ends it. */
	enum wr_status (*begin)(void *context, const struct wr_verify_result *so_far);
	/* One call for each file, when it was looked at. */
	void (*file)(void *context, const struct wr_verify_file *file);
	/* Each sound event, in order. WR_OK; WR_CORRUPT, WR_UNSUPPORTED: the payload is not what it
	 * should be, which is counted as damage; anything else ends it. */
	enum wr_status (*event)(void *context, const struct wr_store_record *record);
	/* Parts of checkpoints, where they stand in that order. */
	void (*part)(void *context, struct wr_view part);
	/* Now and then. */
	void (*progress)(void *context, uint64_t bytes, uint64_t all_bytes);
};

/* WR_OK, whatever was found; WR_IO, WR_UNSUPPORTED (a newer format), WR_CORRUPT (no log can be made
 * out), WR_NO_MEMORY, with *error; what `begin` or `event` returned. */
enum wr_status wr_verify_run(struct wr_verify_result *out, struct wr_allocator *allocator,
			     const struct wr_disk *disk, const struct wr_verify_visitor *visitor,
			     struct wr_fs_error *error);

/* Whether a process has the log in this folder now. */
bool wr_verify_is_in_use(const char *path);

#endif
