#include "core/open.h"

#include "bytes/hex.h"
#include "core/checkpoint.h"
#include "core/commit.h"
#include "core/delivery.h"
#include "core/replay.h"
#include "core/visibility.h"

#include <string.h>

static void adopt_log(struct wr_runtime *self, const struct wr_store_log *log)
{
	self->generation = log->generation;
	memcpy(self->log_id, log->log_id, sizeof self->log_id);
	wr_hex_write(self->log_id_text, self->log_id, sizeof self->log_id);
}

/* ---- what the store tells ---- */

struct replay {
	struct wr_runtime *runtime;
	struct wr_restore restore;
};

static enum wr_status replay_part(void *context, const struct wr_store_record *record)
{
	struct replay *replay = context;

	return wr_checkpoint_restore(replay->runtime, &replay->restore, record);
}

static enum wr_status replay_event(void *context, const struct wr_store_record *record)
{
	struct replay *replay = context;
	struct wr_runtime *self = replay->runtime;
	struct wr_event event;
	enum wr_status status;

	if (!wr_checkpoint_is_whole(&replay->restore))
		return WR_CORRUPT;
	status = wr_event_decode(&event, record->payload);
	if (status != WR_OK)
		return status;
	if (event.has_key)
		wr_keys_expire(&self->keys, event.uptime_s);
	if (event.sequence != record->sequence || event.worker != record->worker ||
	    record->sequence <= self->log.last_sequence || !wr_replay_fits(self, &event))
		return WR_CORRUPT;
	return wr_commit_replayed(self, &event);
}

/* A Worker whose creation is known is there, without what came later; nothing can stand for one
 * that is not, nor for the Runtime's own records. */
static enum wr_status replay_quarantine(void *context, uint32_t number)
{
	struct replay *replay = context;
	struct wr_worker *worker = wr_catalog_at(&replay->runtime->catalog, number);

	if (worker == NULL)
		return WR_CORRUPT;
	worker->is_quarantined = true;
	worker->is_lost = true;
	return WR_OK;
}

/* ---- */

static bool is_turn_open(const struct wr_worker *worker)
{
	enum wr_phase phase = worker->now.phase;

	return !worker->is_quarantined && !worker->is_execution_live &&
	       (phase == WR_PHASE_STARTING || phase == WR_PHASE_BUSY || phase == WR_PHASE_WAITING);
}

/* Something that was accepted will not be run any more. */
static bool is_unfinished(const struct wr_worker *worker)
{
	return is_turn_open(worker) || (!worker->is_quarantined && worker->queue.left_count != 0);
}

/* Nothing of the old story is in memory: streams begin where it ends, transcripts behind what the
 * store has. */
static void begin_anew(struct wr_runtime *self)
{
	wr_event_stream_begin_at(&self->log.runtime, self->log.last_sequence);
	self->log.evicted = self->log.last_sequence;
	for (uint32_t number = 1; number <= self->catalog.count; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		wr_event_stream_begin_at(&worker->events, worker->now.last_sequence);
		wr_transcript_begin_at(&worker->transcript, worker->now.item_count);
		self->has_open_turns = self->has_open_turns || is_unfinished(worker);
	}
	wr_visibility_begin(self);
}

static enum wr_status replay_log(struct wr_runtime *self, struct wr_store_log *log)
{
	const struct wr_store *port = &self->ports.store;
	struct replay replay = {.runtime = self};
	const struct wr_store_replay functions = {.context = &replay,
						  .part = replay_part,
						  .event = replay_event,
						  .quarantine = replay_quarantine};
	enum wr_status status;
	uint64_t head;

	self->is_replaying = true;
	status = port->ops->replay(port->context, log, &functions);
	self->is_replaying = false;
	if (status == WR_OK && !wr_checkpoint_is_whole(&replay.restore))
		status = WR_CORRUPT;
	if (status != WR_OK)
		return status;
	/* The newest records may be of Workers in quarantine, and were not given. */
	head = port->ops->visible(port->context);
	if (head > self->log.last_sequence)
		self->log.last_sequence = head;
	begin_anew(self);
	return WR_OK;
}

enum wr_status wr_open_log(struct wr_runtime *self)
{
	struct wr_store_log log = {.generation = 1};
	enum wr_status status;

	if (wr_has_store(self))
		status = replay_log(self, &log);
	else
		status = self->ports.entropy(self->ports.context, log.log_id, sizeof log.log_id);
	if (status == WR_OK)
		adopt_log(self, &log);
	return status;
}

static enum wr_status change_phase(struct wr_runtime *self, const struct wr_worker *worker,
				   enum wr_phase to, struct wr_view cause, struct wr_view dropped)
{
	struct wr_event event = {.kind = WR_EVENT_PHASE_CHANGED, .worker = worker->number};

	event.as.phase.from = (uint8_t)worker->now.phase;
	event.as.phase.to = (uint8_t)to;
	event.as.phase.cause = cause;
	event.as.phase.dropped = dropped;
	return wr_commit(self, &event);
}

enum wr_status wr_open_interrupt(struct wr_runtime *self, struct wr_worker *worker)
{
	struct wr_view cause = is_turn_open(worker) ? WR_VIEW("the Runtime ended during this turn")
						    : WR_VIEW("the Runtime ended before this turn");
	struct wr_view dropped = WR_VIEW_NULL;
	enum wr_status status = WR_OK;

	/* From some phases no other way leads there. */
	if (!wr_phase_allows(worker->now.phase, WR_PHASE_INTERRUPTED))
		status = change_phase(self, worker, WR_PHASE_STARTING, WR_VIEW("input"),
				      WR_VIEW_NULL);
	if (status == WR_OK)
		status = wr_delivery_name_dropped(self, worker, WR_EVENT_PHASE_CHANGED, &dropped);
	return status == WR_OK ? change_phase(self, worker, WR_PHASE_INTERRUPTED, cause, dropped)
			       : status;
}

enum wr_status wr_open_interrupt_turns(struct wr_runtime *self)
{
	enum wr_status status = WR_OK;

	if (!self->has_open_turns)
		return WR_OK;
	for (uint32_t number = 1; number <= self->catalog.count && status == WR_OK; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		if (is_unfinished(worker))
			status = wr_open_interrupt(self, worker);
	}
	self->has_open_turns = status != WR_OK;
	return status == WR_FULL || status == WR_OVERLOAD ? WR_OK : status;
}

/* Whoever has a turn is told of by its execution. */
static bool is_at_rest(const struct wr_worker *worker)
{
	enum wr_phase phase = worker->now.phase;

	return phase != WR_PHASE_STARTING && phase != WR_PHASE_BUSY && phase != WR_PHASE_WAITING;
}

void wr_runtime_drain(struct wr_runtime *self)
{
	self->is_draining = true;
	for (uint32_t number = 1; number <= self->catalog.count; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		if (worker->now.status == WR_WORKER_RUNNING && !worker->is_quarantined &&
		    worker->execution.has_turns && worker->queue.undelivered.count != 0 &&
		    is_at_rest(worker))
			(void)wr_open_interrupt(self, worker);
	}
}
