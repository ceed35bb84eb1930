/*
 * session — a Runtime's place, played: it fills a store with events of a few Workers by a seed,
 * remembers every byte that it gave and what it was shown, and checks what a store says that was
 * opened on the same disk, on a copy, or on what a power cut left of it.
 *
 * The history is the truth: events by sequence, and for each event all that was ever shown. Where a
 * tail was lost, it is cut and goes on with other bytes under the same sequences.
 */
#ifndef WR_TESTS_SESSION_H
#define WR_TESTS_SESSION_H

#include "core/store.h"
#include "io/store/fs_store.h"
#include "sim_disk.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WR_SESSION_WORKERS = 5, /* numbers 1.. ; 0 is the Runtime */
	WR_SESSION_EVENTS_MAX = 8192,
	WR_SESSION_GENERATIONS_MAX = 256
};

struct wr_session_event {
	uint64_t nonce; /* its bytes follow from it */
	uint32_t bytes;
	uint32_t worker, item;
};

struct wr_session_options {
	uint64_t seed;
	enum wr_durability durability;
	uint64_t segment_bytes, bytes_max;
	uint32_t payload_bytes_max;
	unsigned events_per_turn; /* at most */
	bool has_thread;	  /* the helper is one, and goes its own pace */
};

/* Where its life stands, for what a cut may find. */
enum wr_session_phase {
	WR_SESSION_CLOSED,
	WR_SESSION_OPENING,	  /* behind an unclean end */
	WR_SESSION_OPENING_CLEAN, /* behind a clean one */
	WR_SESSION_OPEN,
	WR_SESSION_CLOSING
};

struct wr_session {
	struct wr_session_options options;
	struct wr_sim_disk *sim;
	struct wr_disk disk;
	struct wr_fs_store *store; /* NULL: not open */
	struct wr_store port;
	struct wr_fs_error error; /* of the last opening that failed */
	enum wr_session_phase phase;
	uint64_t random;

	struct wr_session_event *events; /* by sequence */
	uint64_t head;			 /* newest that was taken */
	uint64_t shown;			 /* highest `visible` that it was told */
	uint64_t durable;		 /* the same of what is durable */
	uint32_t items[WR_SESSION_WORKERS + 1];
	uint64_t recovered; /* newest sequence that the last opening gave */

	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation;				      /* 0: never opened */
	uint64_t generation_ends[WR_SESSION_GENERATIONS_MAX]; /* of ended ones */
	bool is_clean;					      /* the last end was in good order */

	uint64_t refused_count, checkpoint_count;
	/* The highest that any checked opening said was given up, per scope, and the oldest item:
	 * the session's store must have decided so, too. */
	uint64_t evicted_seen[WR_SESSION_WORKERS + 1];
	uint32_t first_item_seen[WR_SESSION_WORKERS + 1];

	/* Set by tests that make faults. */
	bool may_fail, may_not_read;
};

/* What an opening may find. */
struct wr_session_bounds {
	uint64_t shown, head; /* at least, at most */
	bool may_be_clean, must_be_clean;
	uint32_t generation;	/* of the last process; an unclean start is one more */
	uint32_t unclean_count; /* ... or up to so many more, when starts were interrupted */
};

struct wr_session *wr_session_new(const struct wr_session_options *options);
/* Another one with the same history, not open, on a copy of a disk. */
struct wr_session *wr_session_copy(const struct wr_session *self, struct wr_sim_disk *sim);
void wr_session_free(struct wr_session *self);

/* Opens the session's store on its disk, and checks it against these bounds; cuts the history to
 * what is there, and goes on from it. */
void wr_session_open(struct wr_session *self, const struct wr_session_bounds *bounds);
/* The same when faults are about: false, with nothing changed, when it says that it cannot. */
bool wr_session_try_open(struct wr_session *self, const struct wr_session_bounds *bounds,
			 enum wr_status *status);
/* Bounds of an opening now. */
struct wr_session_bounds wr_session_bounds_now(const struct wr_session *self);

enum wr_fs_state wr_session_state(const struct wr_session *self);
/* One turn: some events, a checkpoint when it is wanted, the store's turn, some steps of its
 * helper. False: the store has failed. */
bool wr_session_turn(struct wr_session *self);
/* Turns without events, until all is shown, prepared and cleaned, or nothing moves any more. */
void wr_session_rest(struct wr_session *self);
/* All that can be read through the port is right. */
void wr_session_check_reading(struct wr_session *self);
/* Closes in good order. */
void wr_session_close(struct wr_session *self);
/* Ends as a killed process does: what is in memory is gone, what readers of the disk saw stays. */
void wr_session_kill(struct wr_session *self);

/* Opens a store of its own on `sim`, checks everything against the history and the bounds, reads
 * all, lets it end (cleanly or not, by the seed) and opens it again: nothing differs. With
 * `goes_on` it also takes new records between. The disk is changed, the session is not. */
void wr_session_check_disk(struct wr_session *self, struct wr_sim_disk *sim,
			   const struct wr_session_bounds *bounds, uint64_t seed, bool goes_on);

/* The clock of all stores of this process; turns move it on. */
void wr_session_pass_ms(uint64_t ms);

#endif
