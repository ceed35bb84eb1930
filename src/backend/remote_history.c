/*
 * What is asked of a remote Runtime beside the upstream: a snapshot for who begins, a verdict on a
 * cursor, and history for who stands where memory does not reach.
 *
 * The feed's functions only note what is wanted, and let the subscriber wait. At the end of the
 * turn one job per Worker is begun of what is noted; what it brings is kept with the Worker, and
 * all who wait are asked about again. History comes in runs: everything behind a position, until
 * memory is reached or the run is full. The connection is then closed: there is no other way to
 * make the Runtime wait.
 *
 * That a run has reached memory is proved by a frame at or behind the newest event that memory
 * does not have. Where the mirror never saw an event of the Worker there may be none to come; then
 * silence ends the connection, and proves nothing: it is asked again when an event comes, and every
 * now and then.
 */
#include "backend/remote_stream_private.h"

#include "bounds.h"

enum {
	/* A run ends with the frame that passes this. */
	RUN_BYTES = 262144,
	/* Or that comes after this, so that others have the connection, too. */
	RUN_MS = 20000,
	/* Snapshots and runs of all Workers; beyond: those go that were used longest ago. */
	FETCHED_BYTES_MAX = 4194304,
	/* A snapshot behind which there are events is still taken for so long after it came. */
	FRESH_MS = 1000,
	/* How long who waits is told why a job failed, and what was refused. */
	FAILURE_MS = 200,
	REFUSAL_MS = 1000,
	/* Silence that ends a connection for history; then the times until it is asked again. */
	QUIET_MS = 300,
	QUIET_AGAIN_MS_MIN = 5000,
	QUIET_AGAIN_MS_MAX = 320000,
	RUN_UNUSED_MS = 10000,
	SNAPSHOT_UNUSED_MS = 60000
};

static bool is_up(const struct wr_remote_stream *self)
{
	return self->upstream.state == WR_REMOTE_UP;
}

/* Not yet known is not the same as not available. */
static bool is_beginning(const struct wr_remote_stream *self)
{
	return self->upstream.state == WR_REMOTE_CONNECTING ||
	       (is_up(self) && !self->mirror.has_log);
}

static uint64_t now(const struct wr_remote_stream *self)
{
	return self->reactor->now_ms;
}

/* ---- memory ---- */

void wr_remote_history_count(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;

	self->fetched_bytes -= fetch->counted_bytes;
	fetch->counted_bytes = fetch->snapshot.frame.capacity + wr_frame_run_bytes(&fetch->run);
	self->fetched_bytes += fetch->counted_bytes;
}

void wr_remote_history_drop(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	wr_buf_deinit(&worker->fetch.snapshot.frame);
	wr_frame_run_clear(&worker->fetch.run);
	wr_remote_history_count(self, worker);
}

static void drop_snapshot(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	wr_buf_deinit(&worker->fetch.snapshot.frame);
	wr_remote_history_count(self, worker);
}

static void drop_run(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	wr_frame_run_clear(&worker->fetch.run);
	wr_remote_history_count(self, worker);
}

static uint64_t last_use(const struct wr_remote_fetch *fetch)
{
	uint64_t run = wr_frame_run_bytes(&fetch->run) == 0 ? 0 : fetch->run_used_ms;
	uint64_t snapshot = fetch->snapshot.frame.bytes == 0 ? 0 : fetch->snapshot.used_ms;

	return run > snapshot ? run : snapshot;
}

/* Whoever needed it has had a turn of the fan-out to take it, or asks again. */
static void keep_bound(struct wr_remote_stream *self)
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
		wr_remote_history_drop(self, oldest);
	}
}

/* ---- what is wanted ---- */

static void want(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	worker->fetch.has_waiting = true;
	if (wr_list_is_empty(&worker->fetch.wanting))
		wr_list_push(&self->wanting, &worker->fetch.wanting);
}

static bool is_asking(const struct wr_remote_fetch *fetch, enum wr_backfill_kind kind)
{
	return wr_backfill_is_under_way(&fetch->job) && fetch->job.kind == kind;
}

static bool is_failing(const struct wr_remote_stream *self, const struct wr_remote_fetch *fetch)
{
	return fetch->failure != WR_OK && now(self) < fetch->failure_until_ms;
}

/* For a subscriber who needs an answer of the Runtime before it can begin. WR_MORE: it is worth
 * waiting. */
static enum wr_status may_ask(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;

	if (is_beginning(self)) {
		fetch->has_waiting = true;
		return WR_MORE;
	}
	if (!is_up(self))
		return WR_UNAVAILABLE;
	return is_failing(self, fetch) ? fetch->failure : WR_MORE;
}

enum wr_status wr_remote_snapshot(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_kept_snapshot *snapshot = &worker->fetch.snapshot;
	bool is_newest = worker->newest <= snapshot->sequence;
	enum wr_status status;

	if (self->mirror.has_log && snapshot->frame.bytes != 0 &&
	    (is_newest || now(self) - snapshot->came_ms <= FRESH_MS)) {
		snapshot->used_ms = now(self);
		return WR_OK;
	}
	status = may_ask(self, worker);
	if (status != WR_MORE || !self->mirror.has_log)
		return status;
	if (is_asking(&worker->fetch, WR_BACKFILL_SNAPSHOT)) {
		worker->fetch.has_waiting = true;
		return WR_MORE;
	}
	worker->fetch.wants_snapshot = true;
	want(self, worker);
	return WR_MORE;
}

/* ---- verdicts ---- */

static struct wr_remote_refusal *find_refusal(struct wr_remote_stream *self, uint32_t scope,
					      uint32_t generation, uint64_t sequence)
{
	for (unsigned i = 0; i < WR_REMOTE_REFUSALS; i++) {
		struct wr_remote_refusal *refusal = &self->refusals[i];
		if (refusal->scope == scope && refusal->generation == generation &&
		    refusal->sequence == sequence && now(self) < refusal->until_ms)
			return refusal;
	}
	return NULL;
}

static void note_refusal(struct wr_remote_stream *self, const struct wr_mirror_worker *worker,
			 const struct wr_cursor *cursor, enum wr_status why)
{
	self->refusals[self->refusal_at++ % WR_REMOTE_REFUSALS] = (struct wr_remote_refusal){
		.scope = worker->number,
		.generation = cursor->generation,
		.sequence = cursor->sequence,
		.status = why,
		.until_ms = now(self) + REFUSAL_MS,
	};
}

/* Whether nothing has to be fetched. */
static bool has_all_behind(const struct wr_mirror_worker *worker, uint64_t sequence)
{
	const struct wr_frame_run *run = &worker->fetch.run;
	uint64_t evicted = worker->events.evicted;

	return sequence >= evicted || (wr_frame_run_covers(run, sequence) && run->upto >= evicted);
}

enum wr_status wr_remote_judge(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
			       uint32_t generation, uint64_t sequence)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	const struct wr_remote_refusal *refusal =
		find_refusal(self, worker->number, generation, sequence);
	enum wr_status status;

	if (refusal != NULL)
		return refusal->status;
	if (wr_mirror_has_seen(&self->mirror, generation, sequence)) {
		if (sequence < fetch->gone)
			return WR_EXPIRED;
		return is_up(self) || has_all_behind(worker, sequence) ? WR_OK : WR_UNAVAILABLE;
	}
	status = may_ask(self, worker);
	if (status != WR_MORE)
		return status;
	if (is_asking(fetch, WR_BACKFILL_VERDICT) && fetch->job.cursor.generation == generation &&
	    fetch->job.cursor.sequence == sequence) {
		fetch->has_waiting = true;
		return WR_MORE;
	}
	if (!fetch->wants_verdict) { /* one after the other: who waits asks again */
		fetch->wants_verdict = true;
		fetch->verdict_on =
			(struct wr_cursor){.generation = generation, .sequence = sequence};
	}
	want(self, worker);
	return WR_MORE;
}

/* ---- stored frames ---- */

enum wr_status wr_remote_stored(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
				uint64_t after, uint64_t *sequence, struct wr_view *frame)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	uint64_t evicted = worker->events.evicted, from = after;

	if (after >= evicted)
		return WR_NOT_FOUND;
	if (after < fetch->gone)
		return WR_EXPIRED;
	if (wr_frame_run_covers(&fetch->run, after)) {
		fetch->run_used_ms = now(self);
		if (wr_frame_run_find(&fetch->run, after, sequence, frame))
			return *sequence <= evicted ? WR_OK : WR_NOT_FOUND;
		if (fetch->run.upto >= evicted)
			return WR_NOT_FOUND;
		from = fetch->run.upto; /* nothing is shown up to there */
	}
	fetch->has_waiting = true;
	if (is_failing(self, fetch) && fetch->failure == WR_NOT_FOUND)
		return WR_REJECTED; /* NOT_FOUND has another meaning here */
	if (!is_up(self) || fetch->rests ||
	    wr_remote_fetch_is_quiet(fetch, from, worker->newest, now(self)))
		return WR_MORE; /* until it is up, the tick, or an event */
	if (is_asking(fetch, WR_BACKFILL_HISTORY) && fetch->run.is_there && from == fetch->run.upto)
		return WR_MORE; /* it is coming */
	wr_remote_fetch_want_from(fetch, from);
	want(self, worker);
	return WR_MORE;
}

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
	snapshot->came_ms = snapshot->used_ms = now(self);
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
	fetch->run_used_ms = now(self);
	fetch->quiet_ms = 0;
	wr_remote_history_count(self, worker);
	wr_remote_resume(self, worker);
	if (run->upto >= worker->events.evicted || run->bytes.bytes >= RUN_BYTES ||
	    now(self) - fetch->begun_ms > RUN_MS)
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
	fetch->quiet_until_ms = now(self) + fetch->quiet_ms;
}

static void note_failure(struct wr_remote_stream *self, struct wr_remote_fetch *fetch,
			 enum wr_status why)
{
	fetch->failure = why == WR_NOT_FOUND ? WR_NOT_FOUND : WR_UNAVAILABLE;
	fetch->failure_until_ms = now(self) + FAILURE_MS;
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
		note_refusal(self, worker, cursor, why);
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
	wr_remote_history_count(self, worker);
	if (job->kind != WR_BACKFILL_HISTORY || why != WR_TIMEOUT)
		wr_remote_resume(self, worker); /* else nothing is new; the tick does the rest */
}

const struct wr_backfill_ops wr_remote_backfill_ops = {on_frame, on_end};

/* ---- what is begun ---- */

static void set_cursor(struct wr_remote_stream *self, struct wr_remote_fetch *fetch,
		       uint32_t generation, uint64_t sequence)
{
	fetch->job.cursor = (struct wr_cursor){
		.generation = generation,
		.worker = fetch->remote_number,
		.sequence = sequence,
	};
	memcpy(fetch->job.cursor.log_tag, self->mirror.position.log_tag, WR_LOG_TAG_BYTES);
}

/* The lowest position behind the one of last time, else the lowest of all: so everybody's turn
 * comes. */
static uint64_t take_from(struct wr_remote_fetch *fetch)
{
	uint64_t from = fetch->wants_above ? fetch->above : fetch->below;

	fetch->wants_above = fetch->wants_below = false; /* who is left out asks again */
	fetch->begun_at = from;
	return from;
}

/* False: there is no need. */
static bool prepare_history(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	uint64_t from = take_from(fetch);

	if (wr_frame_run_covers(&fetch->run, from) && from < fetch->run.upto) {
		wr_remote_resume(self, worker);
		return false;
	}
	fetch->is_quiet = fetch->has_prelude = false;
	fetch->begun_ms = now(self);
	fetch->job.kind = WR_BACKFILL_HISTORY;
	/* Where something must come it may take its time. */
	fetch->job.quiet_ms =
		worker->has_event ? self->peer.ms_max : QUIET_MS + fetch->quiet_ms / 160;
	/* Of the newest generation: all that the mirror knows is there is there in it. */
	set_cursor(self, fetch, self->mirror.position.generation, from);
	drop_run(self, worker); /* it may have to wait, and then holds no memory */
	wr_frame_run_begin(&fetch->run, from);
	return true;
}

static bool prepare(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	bool has_history = fetch->wants_above || fetch->wants_below;

	/* Its number in the Runtime comes with any frame of it. */
	if (fetch->wants_snapshot ||
	    (fetch->remote_number == 0 && (has_history || fetch->wants_verdict))) {
		fetch->wants_snapshot = false;
		fetch->job.kind = WR_BACKFILL_SNAPSHOT;
		return true;
	}
	if (fetch->wants_verdict) {
		fetch->wants_verdict = false;
		fetch->job.kind = WR_BACKFILL_VERDICT;
		set_cursor(self, fetch, fetch->verdict_on.generation, fetch->verdict_on.sequence);
		return true;
	}
	return has_history && prepare_history(self, worker);
}

static void drop_wants(struct wr_remote_fetch *fetch)
{
	fetch->wants_snapshot = fetch->wants_verdict = false;
	fetch->wants_above = fetch->wants_below = false;
	wr_list_remove(&fetch->wanting);
}

/* Whoever wants to begin does not wait for somebody's history: that goes on later from where it
 * is. False: the job stays. */
static bool preempt(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;

	if (fetch->job.kind != WR_BACKFILL_HISTORY ||
	    (!fetch->wants_snapshot && !fetch->wants_verdict))
		return false;
	wr_backfill_cancel(&self->backfill, &fetch->job);
	wr_remote_history_count(self, worker);
	wr_remote_resume(self, worker);
	return true;
}

void wr_remote_history_turn(struct wr_remote_stream *self)
{
	wr_list_each (node, after, &self->wanting) {
		struct wr_mirror_worker *worker =
			wr_list_entry(node, struct wr_mirror_worker, fetch.wanting);
		struct wr_remote_fetch *fetch = &worker->fetch;
		if (wr_backfill_is_under_way(&fetch->job) && !preempt(self, worker))
			continue;
		if (!is_up(self) || !self->mirror.has_log || is_failing(self, fetch)) {
			drop_wants(fetch); /* who waits is asked about again by then */
			continue;
		}
		if (prepare(self, worker))
			wr_backfill_begin(&self->backfill, &fetch->job);
		if (!fetch->wants_snapshot && !fetch->wants_verdict && !fetch->wants_above &&
		    !fetch->wants_below)
			wr_list_remove(node);
	}
	wr_backfill_turn(&self->backfill);
	keep_bound(self);
}

void wr_remote_history_tick(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	struct wr_kept_snapshot *snapshot = &fetch->snapshot;

	fetch->rests = false;
	if (snapshot->frame.bytes != 0 &&
	    (now(self) - snapshot->used_ms > SNAPSHOT_UNUSED_MS ||
	     (worker->newest > snapshot->sequence && now(self) - snapshot->came_ms > FRESH_MS)))
		drop_snapshot(self, worker);
	if (wr_backfill_is_under_way(&fetch->job) || !wr_list_is_empty(&fetch->wanting))
		return;
	if (!fetch->has_waiting && fetch->run.is_there &&
	    now(self) - fetch->run_used_ms > RUN_UNUSED_MS)
		drop_run(self, worker);
	if (fetch->is_quiet && now(self) < fetch->quiet_until_ms)
		return;
	if (fetch->has_waiting && is_up(self))
		wr_remote_resume(self, worker);
}

void wr_remote_history_stop(struct wr_remote_stream *self)
{
	for (uint32_t i = 0; i < self->mirror.count; i++) {
		struct wr_remote_fetch *fetch = &self->mirror.by_id[i]->fetch;
		wr_backfill_cancel(&self->backfill, &fetch->job);
		drop_wants(fetch);
	}
}
