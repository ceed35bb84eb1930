/*
 * store — port: where event bytes are kept. The Runtime without one keeps its log in memory only.
 *
 * Payloads are opaque to a store (core/event_bytes.h makes and reads them). It is asked to replay
 * once at the start and appended to in sequence order from then on.
 */
#ifndef WR_CORE_STORE_H
#define WR_CORE_STORE_H

#include "bytes/view.h"
#include "core/cursor.h"
#include "status.h"

#include <stdint.h>

/* What is known of the log itself when a Runtime opens. */
struct wr_store_log {
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation; /* from 1; +1 at every unclean start */
};

typedef enum wr_status wr_store_replay_fn(void *context, uint64_t sequence, uint32_t worker,
					  struct wr_view payload);

struct wr_store_ops {
	/* Fills `log`, then calls fn for every record in sequence order. A failure of fn ends it.
	 * WR_OK, WR_IO, WR_CORRUPT, or what fn returned. */
	enum wr_status (*replay)(void *context, struct wr_store_log *log, wr_store_replay_fn *fn,
				 void *fn_context);
	/* Takes one record. WR_OK; WR_FULL and WR_IO: nothing was taken. */
	enum wr_status (*append)(void *context, uint64_t sequence, uint32_t worker,
				 struct wr_view payload);
	/* Highest sequence that may be shown to anybody. */
	uint64_t (*visible)(void *context);
	/* Highest sequence recovered of an older generation (0: unknown generation). */
	uint64_t (*generation_end)(void *context, uint32_t generation);
};

struct wr_store {
	const struct wr_store_ops *ops; /* NULL: memory only */
	void *context;
};

#endif
