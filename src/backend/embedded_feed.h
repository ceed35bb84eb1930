/*
 * embedded_feed — what browsers see of a Runtime in this process: its events as frames of the
 * Backend (event_frame.h), and its streams for observe/fanout.
 *
 * The encoding is given to the Runtime before that is made, because opening a log makes frames
 * already; the Runtime is attached afterwards. Only streams of Workers exist: the Backend has none
 * of a whole Runtime, and so nothing is made for it.
 *
 * A frame is made once for all readers, and once more for each run that comes from the store: it
 * must then be the same, which asks of the policy that its verdict depends on the event only.
 */
#ifndef WR_BACKEND_EMBEDDED_FEED_H
#define WR_BACKEND_EMBEDDED_FEED_H

#include "backend/cursor.h"
#include "backend/policy.h"
#include "core/runtime.h"
#include "observe/feed.h"

enum {
	WR_EMBEDDED_TAG_COUNT = 256,
	WR_EMBEDDED_FRONT_BYTES = 15 /* of a token: prefix, log tag, generation */
};

/* Placed by the caller; must not move. Fields are private. */
struct wr_embedded_feed {
	struct wr_runtime *runtime; /* first: as observe/runtime_source.h wants it */
	const struct wr_policy *policy;
	struct wr_encoding encoding;
	struct wr_cursor_mask mask;
	struct wr_view runtime_id;
	struct wr_buf payload, scratch;
	/* The front of the Runtime's token that was seen last, and what it says. */
	char front[WR_EMBEDDED_FRONT_BYTES];
	uint8_t log_tag[WR_LOG_TAG_BYTES];
	uint32_t generation;
	/* Tags of the Workers that spoke last, by number: a hash of the id for every event would
	 * cost more than all else that its cursor needs. Number 0: none. */
	struct wr_embedded_tag {
		uint32_t worker, tag;
	} tags[WR_EMBEDDED_TAG_COUNT];
};

/* The policy and the id are borrowed for life. */
void wr_embedded_feed_init(struct wr_embedded_feed *self, struct wr_allocator *allocator,
			   const struct wr_policy *policy, struct wr_view runtime_id);
void wr_embedded_feed_deinit(struct wr_embedded_feed *self);

/* For the ports of the Runtime; lent for life. */
const struct wr_encoding *wr_embedded_feed_encoding(const struct wr_embedded_feed *self);
/* The Runtime that was made with it, and what a fan-out sends of it. */
struct wr_feed wr_embedded_feed_attach(struct wr_embedded_feed *self, struct wr_runtime *runtime);

#endif
