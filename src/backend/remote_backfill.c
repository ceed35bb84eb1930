/* What comes of what was asked of a remote Runtime beside the upstream (remote_history.c). */
#include "backend/remote_parts.h"

#include "check.h"

enum {
	/* A run ends with the frame that passes this. */
	RUN_BYTES = 262144,
	/* Or that comes after this, so that others have the connection, too. */
	RUN_MS = 20000,
	/* How long who waits is told why a job failed. */
	FAILURE_MS = 200,
	/* After a silence: the times until it is asked again. */
	QUIET_AGAIN_MS_MIN = 5000,
	QUIET_AGAIN_MS_MAX = 320000
};

/* ---- what comes ---- */

static enum wr_status take_snapshot(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
				    const struct wr_stream_frame *frame)
{
	const struct wr_cursor *cursor = &frame->cursor;
	const struct wr_cursor *position = &self->mirror.position;
	struct wr_kept_snapshot *snapshot = &worker->fetch.snapshot;
	enum wr_status status;

	if (!frame->is_snapshot)
		return WR_SYNTAX;
	if (cursor->generation < position->generation)
		return WR_UNAVAILABLE; /* of a process that is no more */
	/* A later process, whose log ends before what we have seen. */
	if (cursor->generation > position->generation && cursor->sequence < position->sequence)
		return WR_LOST_TAIL;
	wr_buf_reset(&snapshot->frame);
	status = wr_remote_encode(self, &snapshot->frame, worker, cursor, frame->event,
				  frame->payload, NULL);
	if (status != WR_OK) {
		wr_buf_deinit(&snapshot->frame);
		return status;
	}
	snapshot->sequence = cursor->sequence;
	snapshot->came_ms = snapshot->used_ms = wr_remote_now_ms(self);
	wr_mirror_saw(&self->mirror, cursor->generation, cursor->sequence);
	return WR_OK;
}

static enum wr_status take_history(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
				   const struct wr_stream_frame *frame, bool is_known)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	struct wr_frame_run *run = &fetch->run;
	enum wr_status status = WR_OK;

	if (frame->is_snapshot && !fetch->has_prelude && run->upto == run->after) {
		fetch->has_prelude = true;
		return WR_MORE; /* for old clients; no event */
	}
	if (frame->is_snapshot || frame->cursor.sequence <= run->upto)
		return WR_SYNTAX;
	if (is_known)
		status = wr_remote_encode(self, &run->bytes, worker, &frame->cursor, frame->event,
					  frame->payload, NULL);
	if (wr_frame_run_push(run, frame->cursor.sequence) != WR_OK || status != WR_OK)
		return WR_NO_MEMORY;
	fetch->run_used_ms = wr_remote_now_ms(self);
	fetch->quiet_ms = 0;
	wr_remote_kept_count(self, worker);
	wr_remote_resume(self, worker);
	if (run->upto >= worker->events.evicted || run->bytes.bytes >= RUN_BYTES ||
	    wr_remote_now_ms(self) - fetch->begun_ms > RUN_MS)
		return WR_OK;
	return WR_MORE;
}

static struct wr_mirror_worker *worker_of(struct wr_backfill_job *job)
{
	return wr_container_of(job, struct wr_mirror_worker, fetch.job);
}

static enum wr_status on_frame(void *context, struct wr_backfill_job *job,
			       const struct wr_stream_frame *frame, bool is_known)
{
	struct wr_remote_stream *self = context;
	struct wr_mirror_worker *worker = worker_of(job);
	const struct wr_cursor *cursor = &frame->cursor;

	if (frame->kind != WR_STREAM_EVENT || !frame->has_cursor || cursor->is_runtime ||
	    cursor->is_legacy || cursor->worker == 0 ||
	    !wr_view_equal(frame->worker_id, worker->id))
		return WR_SYNTAX;
	if (memcmp(cursor->log_tag, self->mirror.position.log_tag, WR_LOG_TAG_BYTES) != 0)
		return WR_CONFLICT; /* another log than the upstream's */
	if (job->kind != WR_BACKFILL_SNAPSHOT && cursor->worker != job->cursor.worker)
		return WR_SYNTAX;
	worker->fetch.remote_number = cursor->worker;
	switch (job->kind) {
	case WR_BACKFILL_SNAPSHOT:
		return take_snapshot(self, worker, frame);
	case WR_BACKFILL_VERDICT:
		return WR_OK;
	case WR_BACKFILL_HISTORY:
		return take_history(self, worker, frame, is_known);
	}
	wr_unreachable();
}

/* ---- how it ends ---- */

/* The end was reached, as it seems. */
static void note_quiet(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;

	fetch->quiet_ms = fetch->quiet_ms == 0 ? QUIET_AGAIN_MS_MIN : 2 * fetch->quiet_ms;
	if (fetch->quiet_ms > QUIET_AGAIN_MS_MAX)
		fetch->quiet_ms = QUIET_AGAIN_MS_MAX;
	fetch->is_quiet = true;
	fetch->quiet_newest = worker->newest;
	fetch->quiet_until_ms = wr_remote_now_ms(self) + fetch->quiet_ms;
}

static void note_failure(struct wr_remote_stream *self, struct wr_remote_fetch *fetch,
			 enum wr_status why)
{
	fetch->failure = why == WR_NOT_FOUND ? WR_NOT_FOUND : WR_UNAVAILABLE;
	fetch->failure_until_ms = wr_remote_now_ms(self) + FAILURE_MS;
	fetch->rests = true;
}

static bool is_refusal(enum wr_status why)
{
	return why == WR_MALFORMED || why == WR_SCOPE_MISMATCH || why == WR_UNKNOWN ||
	       why == WR_AHEAD || why == WR_LOST_TAIL || why == WR_EXPIRED;
}

/* Runtime and mirror do not speak of the same log: which of them is behind the times the upstream
 * will find out. */
static bool is_doubt(enum wr_status why)
{
	return why == WR_CONFLICT || is_refusal(why);
}

static void note_doubt(struct wr_remote_stream *self, struct wr_remote_fetch *fetch,
		       enum wr_status why)
{
	fetch->remote_number = 0;
	note_failure(self, fetch, why);
	wr_upstream_verify(&self->upstream);
}

static void end_verdict(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
			enum wr_status why)
{
	const struct wr_cursor *cursor = &worker->fetch.job.cursor;

	if (why == WR_OK)
		wr_mirror_saw(&self->mirror, cursor->generation, cursor->sequence);
	else if (why == WR_CONFLICT)
		note_doubt(self, &worker->fetch, why);
	else if (is_refusal(why))
		wr_remote_refusals_add(&self->refusals, worker->number, cursor, why,
				       wr_remote_now_ms(self));
	else
		note_failure(self, &worker->fetch, why);
}

static void end_history(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
			enum wr_status why)
{
	struct wr_remote_fetch *fetch = &worker->fetch;

	if (why == WR_OK)
		return; /* full, or complete */
	if (why == WR_TIMEOUT && !worker->has_event)
		note_quiet(self, worker);
	else if (why == WR_EXPIRED)
		fetch->gone = fetch->job.cursor.sequence + 1;
	else if (why == WR_CORRUPT)
		wr_fanout_end(self->fanout, worker->number, why);
	else if (is_doubt(why))
		note_doubt(self, fetch, why);
	else
		note_failure(self, fetch, why);
}

static void on_end(void *context, struct wr_backfill_job *job, enum wr_status why)
{
	struct wr_remote_stream *self = context;
	struct wr_mirror_worker *worker = worker_of(job);

	switch (job->kind) {
	case WR_BACKFILL_SNAPSHOT:
		if (is_doubt(why))
			note_doubt(self, &worker->fetch, why);
		else if (why != WR_OK)
			note_failure(self, &worker->fetch, why);
		break;
	case WR_BACKFILL_VERDICT:
		end_verdict(self, worker, why);
		break;
	case WR_BACKFILL_HISTORY:
		end_history(self, worker, why);
		break;
	}
	wr_remote_kept_count(self, worker);
	if (job->kind != WR_BACKFILL_HISTORY || why != WR_TIMEOUT)
		wr_remote_resume(self, worker); /* else nothing is new; the tick does the rest */
}

const struct wr_backfill_ops wr_remote_backfill_ops = {on_frame, on_end};
