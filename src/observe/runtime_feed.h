/*
 * runtime_feed — the streams of worker-runtime: those of its Workers and the runtime-wide one, as
 * its clients see them (contract 3; design 3).
 *
 * Opening: without a cursor a filled snapshot whose cursor is its watermark, then what comes; with
 * a good cursor the events after it; else the one diagnostic that says why not. The frames of the
 * log are those of wr_frame_encoding.
 */
#ifndef WR_OBSERVE_RUNTIME_FEED_H
#define WR_OBSERVE_RUNTIME_FEED_H

#include "core/runtime.h"
#include "observe/feed.h"
#include "wire/worker_json.h"

/* Placed by the caller; outlives the fan-out and does not move. */
struct wr_runtime_feed {
	struct wr_runtime *runtime; /* first: as runtime_source wants it */
	enum wr_compat compat;
};

struct wr_feed wr_runtime_feed(struct wr_runtime_feed *self);

#endif
