#include "backend/remote_refusals.h"

enum { REFUSAL_MS = 1000 };

enum wr_status wr_remote_refusals_find(const struct wr_remote_refusals *self, uint32_t scope,
				       uint32_t generation, uint64_t sequence, uint64_t now_ms)
{
	for (unsigned i = 0; i < WR_REMOTE_REFUSALS; i++) {
		const struct wr_remote_refusal *refusal = &self->items[i];
		if (refusal->scope == scope && refusal->generation == generation &&
		    refusal->sequence == sequence && now_ms < refusal->until_ms)
			return refusal->status;
	}
	return WR_OK;
}

void wr_remote_refusals_add(struct wr_remote_refusals *self, uint32_t scope,
			    const struct wr_cursor *cursor, enum wr_status why, uint64_t now_ms)
{
	self->items[self->at++ % WR_REMOTE_REFUSALS] = (struct wr_remote_refusal){
		.scope = scope,
		.generation = cursor->generation,
		.sequence = cursor->sequence,
		.status = why,
		.until_ms = now_ms + REFUSAL_MS,
	};
}

void wr_remote_refusals_forget(struct wr_remote_refusals *self, uint32_t scope)
{
	for (unsigned i = 0; i < WR_REMOTE_REFUSALS; i++)
		if (self->items[i].scope == scope)
			self->items[i].until_ms = 0;
}

void wr_remote_refusals_clear(struct wr_remote_refusals *self)
{
	for (unsigned i = 0; i < WR_REMOTE_REFUSALS; i++)
		self->items[i].until_ms = 0;
}
