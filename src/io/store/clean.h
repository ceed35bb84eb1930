/*
 * clean — merging a run of sealed segments into one, without what was given up.
 *
 *	reactor   choose, give memory                    replace in the table      all is done
 *	             |                                      ^        |                 ^
 *	helper       '-> copy -> its index -> names, folder-'        '-> old names, folder
 *
 * The new file takes the number of the first of the run and stands for all of them. Until its name
 * is on the medium nothing is removed; after that what is left of the others is only in the way,
 *and any start removes it (FORMAT.md).
 */
#ifndef WR_IO_STORE_CLEAN_H
#define WR_IO_STORE_CLEAN_H

#include "io/store/index_file.h"

enum { WR_CLEAN_RUN_MAX = 64, WR_CLEAN_OUTPUT_BYTES = 65536 };

enum wr_clean_phase {
	WR_CLEAN_COPY,
	WR_CLEAN_INDEX,
	WR_CLEAN_NAMES,
	WR_CLEAN_REMOVE /* posted again for it */
};

enum wr_clean_outcome {
	WR_CLEAN_DONE,
	WR_CLEAN_FAILED,  /* `error`; nothing has changed */
	WR_CLEAN_DAMAGED, /* a record of `source` at `offset`; nothing has changed */
	WR_CLEAN_LONG,	  /* a record is longer than the window: `record_bytes`; likewise */
	WR_CLEAN_UNSURE	  /* `error`: names may have changed or not */
};

struct wr_clean_source {
	uint64_t number;
	struct wr_record_seed seed;
	uint32_t end; /* behind its last record */
	uint32_t event_count;
	uint32_t file_bytes, index_bytes;
};

struct wr_clean {
	struct wr_job job;
	/* not for the helper */
	struct wr_fs_store *store;
	uint32_t first; /* of the run, index in the table */
	uint64_t reserved_bytes;

	/* given */
	struct wr_disk disk;
	struct wr_clean_source sources[WR_CLEAN_RUN_MAX];
	uint32_t source_count;
	struct wr_stream_row *rows; /* as they were */
	uint32_t row_count;
	char *window;
	size_t window_capacity;
	char *output; /* of WR_CLEAN_OUTPUT_BYTES */
	struct wr_index_entry *entries;
	uint32_t entry_max;
	struct wr_segment_header header;
	struct wr_record_seed seed;
	char name[WR_FS_NAME_BYTES], index_name[WR_FS_NAME_BYTES];
	char temporary[WR_FS_NAME_BYTES];
	struct wr_index_writer writer;

	/* on the way */
	enum wr_clean_phase phase;
	uint32_t source;
	int in, out; /* -1: not open */
	bool has_temporary;
	uint64_t offset;	/* of the next record of the source */
	uint32_t event_count;	/* of it, so far */
	uint64_t window_offset; /* of the source */
	size_t window_bytes;
	uint64_t out_offset; /* behind all records, those in `output` included */
	size_t output_bytes;
	uint32_t entry_count;
	uint64_t last_sequence;

	enum wr_clean_outcome outcome;
	int error;
	uint64_t record_bytes;
	uint64_t removed_bytes;
};

/* One step, on the helper: true when the phase before REMOVE, or REMOVE, is over. */
bool wr_clean_run(struct wr_job *job);

#endif
