/*
 * store — port: where the log is kept. The Runtime without one keeps its log in memory only.
 *
 * A store keeps records: one per event, in sequence order, payloads opaque to it (made and read by
 * core/event_bytes.h), and checkpoints: the state of the Runtime as a list of parts, opaque, too. A
 * Runtime opens by replaying the newest checkpoint and the records behind it; what lies before is
 * read one by one, when a transcript or a stream asks for it.
 *
 * `append` takes a record at once and for good (design 2: room was prepared ahead), so that decided
 * is written; when it may be shown to anybody, `visible` says. All calls come from the one thread.
 */
#ifndef WR_CORE_STORE_H
#define WR_CORE_STORE_H

#include "bytes/view.h"
#include "core/cursor.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of the log itself when a Runtime opens. */
struct wr_store_log {
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation; /* from 1; +1 at every unclean start */
};

struct wr_store_record {
	uint64_t sequence;
	uint32_t worker; /* number, 0: the Runtime itself */
	uint32_t item;	 /* number of the transcript item that it adds, 0: none */
	struct wr_view payload;
};

/* Opening: parts of the checkpoint first (their `sequence` is the newest that is folded into them,
 * worker and item 0), then events. */
struct wr_store_replay {
	void *context;
	/* A failure ends the replay. */
	enum wr_status (*part)(void *context, const struct wr_store_record *record);
	enum wr_status (*event)(void *context, const struct wr_store_record *record);
	/* A record of this Worker is missing or damaged (reliability 4.4): nothing of it is given
	 * from here on. WR_CORRUPT when the Runtime cannot open without it. */
	enum wr_status (*quarantine)(void *context, uint32_t worker);
};

/* Where a reader is: private to the store. Start with zeros, keep it between calls that follow each
 * other, drop it when the turn is over. */
struct wr_store_place {
	uint64_t segment, index;
};

/* What a record is for: the reserved end of a full store is for the last kind only. */
enum wr_store_urgency {
	WR_STORE_ORDINARY,
	WR_STORE_RESERVED /* stop, cancel, `interrupted` and other changes of a phase */
};

struct wr_store_ops {
	/* Fills `log`, then tells what is kept. WR_OK, WR_IO, WR_CORRUPT, WR_NO_MEMORY, or what a
	 * function of `replay` returned. Called once, before anything else. */
	enum wr_status (*replay)(void *context, struct wr_store_log *log,
				 const struct wr_store_replay *replay);

	/* Takes one record; its sequence is the last one + 1. WR_OK; WR_FULL, WR_OVERLOAD (room is
	 * being prepared), WR_NO_MEMORY, WR_IO (the store has failed): nothing was taken. */
	enum wr_status (*append)(void *context, const struct wr_store_record *record,
				 enum wr_store_urgency urgency);
	/* Whether the next ordinary record of any size would be taken now. */
	bool (*has_room)(void *context);
	/* Highest sequence that may be shown to anybody. */
	uint64_t (*visible)(void *context);

	/* Whether it is time for a checkpoint; then begin, add each part, end, in one go. When
	 * begin is not WR_OK the others are not called. A part may have any size up to that of a
	 * record. One that is not ended does not count: the next append or turn is behind it. */
	bool (*wants_checkpoint)(void *context);
	enum wr_status (*checkpoint_begin)(void *context);
	enum wr_status (*checkpoint_add)(void *context, struct wr_view part);
	enum wr_status (*checkpoint_end)(void *context);

	/* Highest sequence recovered of an older generation (0: unknown generation). */
	uint64_t (*generation_end)(void *context, uint32_t generation);

	/* ---- reading what is kept and visible; payloads are lent until the next call ---- */

	/* The record of a Worker (0: of all, and of the Runtime itself) with the lowest sequence
	 * above `after`. WR_OK; WR_NOT_FOUND: none is kept up to `visible`; WR_CORRUPT (one of
	 * record->worker is damaged), WR_IO, WR_NO_MEMORY. */
	enum wr_status (*next)(void *context, uint32_t worker, uint64_t after,
			       struct wr_store_place *place, struct wr_store_record *record);
	/* The record that added this transcript item. As above. */
	enum wr_status (*item)(void *context, uint32_t worker, uint32_t item,
			       struct wr_store_place *place, struct wr_store_record *record);
	/* Highest sequence of the scope (Worker, or 0: any) that is no longer kept; 0: none. */
	uint64_t (*evicted)(void *context, uint32_t worker);
	/* Number of the oldest transcript item that is kept (1: all are). */
	uint32_t (*first_item)(void *context, uint32_t worker);
};

struct wr_store {
	const struct wr_store_ops *ops; /* NULL: memory only */
	void *context;
};

#endif
