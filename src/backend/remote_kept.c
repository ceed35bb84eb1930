/* What was fetched of a remote's Workers, and that it stays within its bound. */
#include "backend/remote_parts.h"

enum {
	/* Snapshots and runs of all Workers; beyond: those go that were used longest ago. */
	FETCHED_BYTES_MAX = 4194304
};

void wr_remote_kept_count(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;

	self->fetched_bytes -= fetch->counted_bytes;
	fetch->counted_bytes = fetch->snapshot.frame.capacity + wr_frame_run_bytes(&fetch->run);
	self->fetched_bytes += fetch->counted_bytes;
}

void wr_remote_kept_drop(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	wr_buf_deinit(&worker->fetch.snapshot.frame);
	wr_frame_run_clear(&worker->fetch.run);
	wr_remote_kept_count(self, worker);
}

void wr_remote_kept_drop_snapshot(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	wr_buf_deinit(&worker->fetch.snapshot.frame);
	wr_remote_kept_count(self, worker);
}

void wr_remote_kept_drop_run(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	wr_frame_run_clear(&worker->fetch.run);
	wr_remote_kept_count(self, worker);
}

static uint64_t last_use(const struct wr_remote_fetch *fetch)
{
	uint64_t run = wr_frame_run_bytes(&fetch->run) == 0 ? 0 : fetch->run_used_ms;
	uint64_t snapshot = fetch->snapshot.frame.bytes == 0 ? 0 : fetch->snapshot.used_ms;

	return run > snapshot ? run : snapshot;
}

/* Whoever needed it has had a turn of the fan-out to take it, or asks again. */
void wr_remote_kept_trim(struct wr_remote_stream *self)
{
	while (self->fetched_bytes > FETCHED_BYTES_MAX) {
		struct wr_mirror_worker *oldest = NULL;
		for (uint32_t i = 0; i < self->mirror.count; i++) {
			struct wr_mirror_worker *worker = self->mirror.by_id[i];
			if (worker->fetch.counted_bytes == 0 ||
			    wr_backfill_is_under_way(&worker->fetch.job))
				continue;
			if (oldest == NULL || last_use(&worker->fetch) < last_use(&oldest->fetch))
				oldest = worker;
		}
		if (oldest == NULL)
			return; /* those that are being filled, which are few; others are empty */
		wr_remote_kept_drop(self, oldest);
	}
}
