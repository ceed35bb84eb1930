/* remote_refusals — cursors that a Runtime refused a moment ago, for who waits with the same one.
 */
#ifndef WR_BACKEND_REMOTE_REFUSALS_H
#define WR_BACKEND_REMOTE_REFUSALS_H

#include "core/cursor.h"

enum { WR_REMOTE_REFUSALS = 8 };

struct wr_remote_refusal {
	uint32_t scope, generation;
	uint64_t sequence;
	enum wr_status status;
	uint64_t until_ms;
};

/* Zero-initialised. */
struct wr_remote_refusals {
	struct wr_remote_refusal items[WR_REMOTE_REFUSALS];
	unsigned at; /* the next takes this place, whoever has it */
};

/* Why the cursor was refused; WR_OK: not that we know. */
enum wr_status wr_remote_refusals_find(const struct wr_remote_refusals *self, uint32_t scope,
				       uint32_t generation, uint64_t sequence, uint64_t now_ms);
void wr_remote_refusals_add(struct wr_remote_refusals *self, uint32_t scope,
			    const struct wr_cursor *cursor, enum wr_status why, uint64_t now_ms);
/* Those of a scope, and all. */
void wr_remote_refusals_forget(struct wr_remote_refusals *self, uint32_t scope);
void wr_remote_refusals_clear(struct wr_remote_refusals *self);

#endif
