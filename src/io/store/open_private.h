/*
 * open_private — the steps of opening a log, shared by the files that take them.
 *
 *	survey.c   what is in the folder: headers, names, gaps; nothing is changed
 *	walk.c     the records of many segments one after the other, and what lies between them
 *	judge.c    where the log ends, and whether what is wrong with it is a tear or damage
 *	tear.c     a torn tail put aside and taken off
 *	repair.c   what no record proves durable is made so; the last segment made anew
 *	remake.c   one segment file, written whole
 *	tidy.c     left-overs removed, the mark too; the prepared segment taken
 *	deliver.c  checkpoint and events, to the store's own tables and to the Runtime
 *	mark.c     the mark of a clean stop
 *	open.c     these in their order; what is said about it
 *
 * Everything is read and judged before the first byte is changed, and delivered only after what
 * had to be repaired is durable: so the Runtime sees what the next start would see.
 */
#ifndef WR_IO_STORE_OPEN_PRIVATE_H
#define WR_IO_STORE_OPEN_PRIVATE_H

#include "io/store/store_private.h"

enum wr_found_state {
	WR_FOUND_SOUND,	  /* its header */
	WR_FOUND_ZEROS,	  /* nothing but zeros, and of a segment's size: prepared */
	WR_FOUND_BAD,	  /* a damaged header, or none where there must be one */
	WR_FOUND_COVERED, /* merged into another */
	WR_FOUND_SURPLUS, /* prepared, and not needed */
	WR_FOUND_GONE	  /* and removed */
};

/* One segment file. */
struct wr_found {
	uint64_t number;
	uint64_t bytes;
	enum wr_found_state state;
	struct wr_segment_header header; /* SOUND */
};

enum wr_mark_state { WR_MARK_ABSENT, WR_MARK_DAMAGED, WR_MARK_SOUND };

struct wr_mark {
	enum wr_mark_state state;
	uint8_t store_id[WR_STORE_ID_BYTES];
	uint64_t position, sequence; /* where the log ended */
	uint32_t generation;
};

/* What reading to the end has shown. Segments by their index in the store's table. */
struct wr_judgement {
	uint32_t start; /* where reading began */
	bool has_bad;	/* the first thing that is wrong, and the newest event before it */
	uint32_t bad_index, last_bad_index;
	uint64_t bad_offset, bad_sequence;
	bool is_missing;    /* a whole file, or what a clean mark says was there */
	uint64_t durable;   /* highest position that a record says was durable */
	uint32_t end_index; /* behind the last sound record */
	uint64_t end_offset;
	uint64_t last_sequence;
	bool is_in_checkpoint; /* the log ends within one, which began at: */
	uint64_t begin_offset;
};

struct wr_opening {
	struct wr_fs_store *store;
	const struct wr_store_replay *replay;

	/* survey */
	struct wr_found *found;
	uint32_t found_count, found_capacity;
	bool has_remains; /* files that only a log with segments leaves */
	enum wr_status list_status;
	struct wr_mark mark;
	uint64_t prepared; /* number of the file behind the last segment that is ready; 0: none */

	/* judge */
	struct wr_judgement judged;
	bool is_torn;	 /* cut at the judged bad place */
	bool is_damaged; /* by what is bad there */
	bool is_clean;
	bool is_cut_before_mark; /* and a new segment was begun behind */
	bool has_checkpoint;
	uint32_t checkpoint; /* index of the segment that has the one to begin with */
};

/* ---- walk.c ---- */

enum wr_walk_kind {
	WR_WALK_SEGMENT, /* a segment begins */
	WR_WALK_RECORD,
	WR_WALK_BAD,  /* a record whose header is sound and whose payload is not */
	WR_WALK_HOLE, /* bytes that are no record, though more than zeros or with records behind */
	WR_WALK_END
};

struct wr_walk {
	struct wr_fs_store *store;
	uint32_t next;	/* index of the segment to come */
	uint32_t index; /* of the one that is open */
	bool is_open;
	int handle;
	struct wr_scan scan;

	/* what was found */
	uint64_t offset; /* of it */
	struct wr_record record;
	struct wr_view payload; /* until the next call */
};

void wr_walk_begin(struct wr_walk *self, struct wr_fs_store *store, uint32_t index);
void wr_walk_end(struct wr_walk *self);
/* The next thing. Sets `bytes` of the segments it leaves. WR_OK, WR_UNSUPPORTED, WR_IO,
 * WR_NO_MEMORY; the store's error is filled. */
enum wr_status wr_walk_next(struct wr_walk *self, enum wr_walk_kind *kind);

/* ---- open.c ---- */

/* Fills the store's error; name may be NULL. Returns `status`. */
enum wr_status wr_open_fail(struct wr_fs_store *self, enum wr_status status, int os_error,
			    const char *what, const char *name, uint64_t offset);
enum wr_status wr_open_fail_at(struct wr_fs_store *self, enum wr_status status, int os_error,
			       const char *what, uint64_t number, uint64_t offset);

/* The first damage is remembered, and where it is. */
void wr_open_note_damage(struct wr_fs_store *self, uint64_t number, uint64_t offset);

/* ---- survey.c ---- */

/* Lists the folder and reads all headers and the mark; refuses a newer format. Changes nothing. */
enum wr_status wr_open_survey(struct wr_opening *self);
/* Makes the store's table of segments of what was found. */
enum wr_status wr_open_tabulate(struct wr_opening *self);
void wr_open_survey_deinit(struct wr_opening *self);
/* Reads the header of a segment file; the handle stays the caller's. */
enum wr_status wr_open_read_header(const struct wr_disk *disk, int handle,
				   struct wr_segment_header *header, int *os_error);

/* ---- judge.c ---- */

enum wr_status wr_open_judge(struct wr_opening *self);
/* The newest whole checkpoint at the head of a segment below index `before` that ends at or before
 * `position`. WR_OK, WR_NOT_FOUND, WR_IO, WR_UNSUPPORTED, WR_NO_MEMORY. */
enum wr_status wr_open_find_checkpoint(struct wr_fs_store *self, uint32_t before, uint64_t position,
				       uint32_t *index, uint64_t *bytes);

/* ---- remake.c ---- */

struct wr_remake {
	struct wr_segment_header header;
	uint64_t from; /* segment whose records are taken; 0: none */
	struct wr_record_seed from_seed;
	uint64_t end;	     /* they end there */
	uint64_t generation; /* one more record says that it ended; 0: none */
	uint64_t last_sequence;
	uint64_t file_bytes; /* at least; zeros behind */
};

/* Writes the file aside, syncs it, gives it its name; the folder is not synced. *end: behind its
 * last record; *file_bytes: its size. 0 or a negated errno: it does not have its name. */
int wr_open_remake(struct wr_fs_store *self, const struct wr_remake *remake, uint32_t *end,
		   uint32_t *file_bytes);

/* ---- repair.c ---- */

/* Makes the log what it was judged to be, and its end ready for appending. */
enum wr_status wr_open_repair(struct wr_opening *self);
/* Begins a log. */
enum wr_status wr_open_birth(struct wr_opening *self);

/* ---- tear.c ---- */

/* Keeps the torn tail aside and takes the segments behind it off; the last one still has its part
 * of it in its file, and `bytes` says where it ends. */
enum wr_status wr_open_cut(struct wr_opening *self);
/* Removes the files of a segment, and syncs the folder. */
enum wr_status wr_open_drop_segment(struct wr_fs_store *self, uint64_t number);

/* ---- tidy.c ---- */

/* Removes unfinished files, and indexes that no segment is sealed for. */
enum wr_status wr_open_remove_left_overs(struct wr_fs_store *self);
/* Removes what earlier lives have left; the mark, too. Hands over the prepared segment. */
enum wr_status wr_open_tidy(struct wr_opening *self);

/* ---- deliver.c ---- */

enum wr_status wr_open_deliver(struct wr_opening *self);

/* ---- mark.c ---- */

#define WR_MARK_NAME "clean"
/* WR_OK whatever it is like; WR_IO, WR_UNSUPPORTED. */
enum wr_status wr_mark_read(struct wr_fs_store *self, struct wr_mark *mark);

#endif
