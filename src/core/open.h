/* open — a Runtime over a log that is there already: replay, and what the last process left open.
 */
#ifndef WR_CORE_OPEN_H
#define WR_CORE_OPEN_H

#include "core/state.h"

/* Finds the log: what the store has of it, or a new one. WR_OK, WR_IO, WR_CORRUPT, WR_UNSUPPORTED,
 * WR_NO_MEMORY. */
enum wr_status wr_open_log(struct wr_runtime *self);

/* Records that turns which the last process had open are over. While the store takes nothing, this
 * is put off: wr_runtime_settle calls it again. WR_OK also then; WR_NO_MEMORY, WR_IO. */
enum wr_status wr_open_interrupt_turns(struct wr_runtime *self);

/* Records that what the last process has left of this Worker, an open turn or inputs that waited
 * for theirs, will not be run. Also of this process, when it is about to end. Status of the commit;
 * WR_NO_MEMORY. */
enum wr_status wr_open_interrupt(struct wr_runtime *self, struct wr_worker *worker);

#endif
