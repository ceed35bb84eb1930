/* commit — the one write path: an event becomes a record, the record is folded, its frames are
 * kept. */
#ifndef WR_CORE_COMMIT_H
#define WR_CORE_COMMIT_H

#include "core/state.h"

/* Gives the event its sequence and time, records it (store, then log), folds it. On failure nothing
 * has changed. WR_OK, WR_NOT_FOUND, WR_INVALID, WR_TOO_LARGE, WR_NO_MEMORY, WR_FULL, WR_OVERLOAD,
 * WR_IO. */
enum wr_status wr_commit(struct wr_runtime *self, struct wr_event *event);

/* The same for an event that the store already has: sequence and time are its own. It makes no
 * frames, and its transcript item stays in the store. WR_OK, WR_NOT_FOUND, WR_NO_MEMORY. */
enum wr_status wr_commit_replayed(struct wr_runtime *self, const struct wr_event *event);

#endif
