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
#include "backend/remote_parts.h"

enum {
	/* A snapshot behind which there are events is still taken for so long after it came. */
	FRESH_MS = 1000,
	/* Silence that ends a connection for history. */
	QUIET_MS = 300,
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
	return fetch->failure != WR_OK && wr_remote_now_ms(self) < fetch->failure_until_ms;
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
	    (is_newest || wr_remote_now_ms(self) - snapshot->came_ms <= FRESH_MS)) {
		snapshot->used_ms = wr_remote_now_ms(self);
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
	enum wr_status status = wr_remote_refusals_find(&self->refusals, worker->number, generation,
							sequence, wr_remote_now_ms(self));

	if (status != WR_OK)
		return status;
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
		fetch->run_used_ms = wr_remote_now_ms(self);
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
	    wr_remote_fetch_is_quiet(fetch, from, worker->newest, wr_remote_now_ms(self)))
		return WR_MORE; /* until it is up, the tick, or an event */
	if (is_asking(fetch, WR_BACKFILL_HISTORY) && fetch->run.is_there && from == fetch->run.upto)
		return WR_MORE; /* it is coming */
	wr_remote_fetch_want_from(fetch, from);
	want(self, worker);
	return WR_MORE;
}

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
	fetch->begun_ms = wr_remote_now_ms(self);
	fetch->job.kind = WR_BACKFILL_HISTORY;
	/* Where something must come it may take its time. */
	fetch->job.quiet_ms =
		worker->has_event ? self->peer.ms_max : QUIET_MS + fetch->quiet_ms / 160;
	/* Of the newest generation: all that the mirror knows is there is there in it. */
	set_cursor(self, fetch, self->mirror.position.generation, from);
	wr_remote_kept_drop_run(self, worker); /* it may have to wait, and then holds no memory */
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
	wr_remote_kept_count(self, worker);
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
	wr_remote_kept_trim(self);
}

void wr_remote_history_tick(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	struct wr_remote_fetch *fetch = &worker->fetch;
	struct wr_kept_snapshot *snapshot = &fetch->snapshot;

	fetch->rests = false;
	if (snapshot->frame.bytes != 0 &&
	    (wr_remote_now_ms(self) - snapshot->used_ms > SNAPSHOT_UNUSED_MS ||
	     (worker->newest > snapshot->sequence &&
	      wr_remote_now_ms(self) - snapshot->came_ms > FRESH_MS)))
		wr_remote_kept_drop_snapshot(self, worker);
	if (wr_backfill_is_under_way(&fetch->job) || !wr_list_is_empty(&fetch->wanting))
		return;
	if (!fetch->has_waiting && fetch->run.is_there &&
	    wr_remote_now_ms(self) - fetch->run_used_ms > RUN_UNUSED_MS)
		wr_remote_kept_drop_run(self, worker);
	if (fetch->is_quiet && wr_remote_now_ms(self) < fetch->quiet_until_ms)
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
