/* repeat — commands that carry an Idempotency-Key: found, answered again, remembered (design 5). */
#ifndef WR_CORE_REPEAT_H
#define WR_CORE_REPEAT_H

#include "core/state.h"

/* What was done under this key already: *out NULL when nothing was. WR_OK; WR_MISMATCH: something
 * else. */
enum wr_status wr_repeat_find(struct wr_runtime *self, const struct wr_kept_key **out,
			      const struct wr_key *key, enum wr_operation operation);

/* The same for a command to a Worker; with *is_repeat its acknowledgement has been made again. */
enum wr_status wr_repeat_ack(struct wr_runtime *self, struct wr_view worker_id,
			     const struct wr_key *key, enum wr_operation operation,
			     struct wr_ack *ack, bool *is_repeat);

/* Gives an event the key of the command that it comes from. */
void wr_repeat_attach(const struct wr_runtime *self, struct wr_event *event,
		      const struct wr_key *key);

/* Remembers a command that changed nothing by itself; `worker` is NULL of one to the Runtime.
 * Status of the commit. */
enum wr_status wr_repeat_keep(struct wr_runtime *self, const struct wr_worker *worker,
			      const struct wr_key *key, enum wr_operation operation,
			      const struct wr_ack *ack);

#endif
