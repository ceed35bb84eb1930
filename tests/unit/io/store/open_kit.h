/*
 * open_kit — logs made by hand, with codec/record and nothing else of the store, and what an
 * opening says of them as one line of text.
 *
 * A record says that all before it was durable (one commit per record) unless `durable` holds a
 * position: then it says that one, as records of a batch do.
 *
 * A story: "<part> 3.1:text 4.2#1:text !2 " is a part of a checkpoint, event 3 of stream 1, event 4
 * of stream 2 that adds item 1, and stream 2 being quarantined, in the order they were told.
 */
#ifndef WR_TESTS_OPEN_KIT_H
#define WR_TESTS_OPEN_KIT_H

#include "codec/record/record.h"
#include "io/store/fs_store.h"
#include "sim_disk.h"

enum {
	WR_KIT_SEGMENT_BYTES = 2048,
	WR_KIT_STREAMS = 6,
	WR_KIT_FILE_BYTES_MAX = 16384,
	WR_KIT_STORY_BYTES = 8192
};

struct wr_kit {
	struct wr_sim_disk *sim;
	uint8_t id[WR_STORE_ID_BYTES];
	uint32_t epoch;
	uint64_t durable; /* 0: all before each record */

	uint64_t sequence, places[WR_KIT_STREAMS];
	uint64_t evicted[WR_KIT_STREAMS];
	uint32_t items[WR_KIT_STREAMS];

	/* the segment that is being made */
	struct wr_segment_header header;
	char bytes[WR_KIT_FILE_BYTES_MAX];
	size_t used;
	size_t before; /* offset of the newest record */
};

struct wr_kit *wr_kit_new(void);
void wr_kit_free(struct wr_kit *self);

/* Begins segment `number`; of a merged one set header.last_number and so on before its end. */
void wr_kit_begin(struct wr_kit *self, uint64_t number, uint32_t flags);
void wr_kit_event(struct wr_kit *self, uint32_t stream, const char *text);
void wr_kit_item(struct wr_kit *self, uint32_t stream, const char *text);
void wr_kit_own(struct wr_kit *self, enum wr_record_kind kind, struct wr_view payload);
/* A whole checkpoint with this part; with NULL nothing behind its rows, and no end. */
void wr_kit_checkpoint(struct wr_kit *self, const char *part);
/* Up to `evicted` all events of the stream were given up. */
void wr_kit_retired(struct wr_kit *self, uint32_t stream, uint64_t evicted);
/* Puts the file on the disk, with zeros behind. */
void wr_kit_end(struct wr_kit *self);
void wr_kit_prepared(struct wr_kit *self, uint64_t number);
/* The mark of a stop at the end of the newest segment. */
void wr_kit_mark(struct wr_kit *self);
/* Position behind the newest record. */
uint64_t wr_kit_position(const struct wr_kit *self);

/* "%020llu.log" and "%020llu.idx", in one of some static places. */
const char *wr_kit_log(uint64_t number);
const char *wr_kit_index(uint64_t number);
/* Changes one byte of a file: xor. */
void wr_kit_flip(struct wr_sim_disk *sim, const char *name, uint64_t offset, unsigned char bits);
/* Fills with a byte; puts the file as long as it was. */
void wr_kit_fill(struct wr_sim_disk *sim, const char *name, uint64_t offset, uint64_t bytes,
		 char with);
void wr_kit_cut(struct wr_sim_disk *sim, const char *name, uint64_t bytes);
/* Gives the content of one file another name, too. */
void wr_kit_copy(struct wr_sim_disk *sim, const char *from, const char *to);
bool wr_kit_has(struct wr_sim_disk *sim, const char *name);

enum wr_kit_end {
	WR_KIT_CLOSE,
	WR_KIT_KILL,
	/* Before it is closed one more event of stream 1 is taken and made durable. */
	WR_KIT_GO_ON
};

struct wr_kit_outcome {
	enum wr_status status;
	char story[WR_KIT_STORY_BYTES];
	size_t story_bytes;
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation;
	struct wr_fs_error error; /* when status is not WR_OK */
	struct wr_fs_info info;
	uint64_t ends[8]; /* of generations */
};

/* What the Runtime answers when it is told that this stream is quarantined: WR_CORRUPT (0 by
 * default; UINT32_MAX: none). */
extern uint32_t wr_kit_needed_stream;

/* Called when the log is open, to read from it; NULL: nobody. */
typedef void wr_kit_look_fn(const struct wr_store *port, const struct wr_kit_outcome *out);
extern wr_kit_look_fn *wr_kit_look;

void wr_kit_open(struct wr_sim_disk *sim, struct wr_kit_outcome *out, enum wr_kit_end end);
/* The same without check: false when the store could not even be made. */
bool wr_kit_try(struct wr_sim_disk *sim, struct wr_kit_outcome *out, enum wr_kit_end end);

#endif
