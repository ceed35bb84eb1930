#include "backend/remote_fetch.h"

#include "backend/event_frame.h"
#include "bounds.h"

/* A frame of ours is a frame of the Runtime with a few names more. */
#define FRAME_BYTES_MAX (WR_FRAME_BYTES_MAX + 16384u)

void wr_remote_fetch_init(struct wr_remote_fetch *self, struct wr_allocator *allocator,
			  struct wr_view worker_id)
{
	*self = (struct wr_remote_fetch){.remote_number = 0};
	wr_backfill_job_init(&self->job, worker_id);
	wr_list_init(&self->wanting);
	/* A snapshot is as large as what it is made of, each byte escaped at worst. */
	wr_buf_init(&self->snapshot.frame, allocator,
		    FRAME_BYTES_MAX + 6 * (size_t)WR_SNAPSHOT_BYTES_MAX);
	wr_frame_run_init(&self->run, allocator);
}

void wr_remote_fetch_reset(struct wr_remote_fetch *self)
{
	bool has_waiting = self->has_waiting;
	struct wr_allocator *allocator = self->snapshot.frame.allocator;
	struct wr_backfill_job job = self->job;

	wr_assert(!wr_backfill_is_under_way(&self->job));
	wr_remote_fetch_deinit(self);
	wr_remote_fetch_init(self, allocator, job.worker_id);
	self->has_waiting = has_waiting;
}

void wr_remote_fetch_deinit(struct wr_remote_fetch *self)
{
	wr_list_remove(&self->wanting);
	wr_buf_deinit(&self->snapshot.frame);
	wr_frame_run_clear(&self->run);
}

void wr_remote_fetch_want_from(struct wr_remote_fetch *self, uint64_t sequence)
{
	bool is_above = sequence > self->begun_at;
	bool *has = is_above ? &self->wants_above : &self->wants_below;
	uint64_t *lowest = is_above ? &self->above : &self->below;

	if (!*has || sequence < *lowest)
		*lowest = sequence;
	*has = true;
}

bool wr_remote_fetch_is_quiet(const struct wr_remote_fetch *self, uint64_t sequence,
			      uint64_t newest, uint64_t now_ms)
{
	return self->is_quiet && self->run.is_there && sequence == self->run.upto &&
	       newest == self->quiet_newest && now_ms < self->quiet_until_ms;
}
