#include "backend/backfill.h"

#include "check.h"

enum {
	/* A Runtime says no at once, but it never says yes. After a silence of this we close: it
	 * answers our Close with the same code unless it had refused before. */
	VERDICT_MS = 100
};

/* ---- ends ---- */

static void free_slot(struct wr_backfill_slot *slot)
{
	wr_timer_cancel(slot->owner->reactor, &slot->timer);
	if (slot->job->kind == WR_BACKFILL_HISTORY)
		slot->owner->history_count--;
	slot->job->slot = NULL;
	slot->job = NULL;
}

/* The connection is gone, or goes now. */
static void end_job(struct wr_backfill_slot *slot, enum wr_status why)
{
	struct wr_backfill *self = slot->owner;
	struct wr_backfill_job *job = slot->job;

	free_slot(slot);
	self->ops->on_end(self->context, job, why);
}

void wr_backfill_cancel(struct wr_backfill *self, struct wr_backfill_job *job)
{
	(void)self;
	wr_list_remove(&job->place);
	if (job->slot == NULL)
		return;
	wr_stream_client_abort(&job->slot->client);
	free_slot(job->slot);
}

/* ---- a connection ---- */

static uint32_t patience_of(const struct wr_backfill_slot *slot)
{
	const struct wr_backfill_job *job = slot->job;
	uint32_t ms_max = slot->owner->peer->ms_max;

	switch (job->kind) {
	case WR_BACKFILL_SNAPSHOT:
		return ms_max;
	case WR_BACKFILL_VERDICT:
		return job->is_patient ? ms_max : VERDICT_MS;
	case WR_BACKFILL_HISTORY:
		return job->quiet_ms;
	}
	wr_unreachable();
}

/* From now on it may be silent for so long. */
static bool set_patience(struct wr_backfill_slot *slot)
{
	return wr_timer_set(slot->owner->reactor, &slot->timer, patience_of(slot)) == WR_OK;
}

static void on_due(struct wr_timer *timer)
{
	struct wr_backfill_slot *slot = wr_container_of(timer, struct wr_backfill_slot, timer);

	if (slot->job->kind == WR_BACKFILL_VERDICT && !slot->job->is_patient) {
		slot->is_closing = true;
		wr_stream_client_close(&slot->client);
		return;
	}
	wr_stream_client_abort(&slot->client);
	end_job(slot, slot->job->kind == WR_BACKFILL_HISTORY ? WR_TIMEOUT : WR_UNAVAILABLE);
}

static void on_open(void *context, struct wr_stream_client *client)
{
	struct wr_backfill_slot *slot = context;

	if (set_patience(slot))
		return;
	wr_stream_client_abort(client);
	end_job(slot, WR_NO_MEMORY);
}

static bool on_frame(void *context, struct wr_stream_client *client,
		     const struct wr_stream_frame *frame, bool is_known)
{
	struct wr_backfill_slot *slot = context;
	struct wr_backfill *self = slot->owner;
	enum wr_status status = self->ops->on_frame(self->context, slot->job, frame, is_known);

	if (status == WR_MORE) {
		(void)set_patience(slot); /* it is set: cannot fail */
		return true;
	}
	wr_stream_client_abort(client);
	end_job(slot, status);
	return true;
}

static void on_end(void *context, struct wr_stream_client *client, enum wr_status why)
{
	struct wr_backfill_slot *slot = context;
	struct wr_backfill_job *job = slot->job;

	(void)client;
	if (slot->is_closing && why == WR_UNAVAILABLE) {
		/* It may have refused while we closed; the next time we let it speak. */
		job->is_patient = true;
		free_slot(slot);
		wr_list_push(&slot->owner->queue, &job->place);
		return;
	}
	/* A Runtime that ends a stream of its own accord does not say that all is well. */
	end_job(slot, why == WR_OK && !slot->is_closing ? WR_UNAVAILABLE : why);
}

/* ---- jobs ---- */

void wr_backfill_job_init(struct wr_backfill_job *job, struct wr_view worker_id)
{
	*job = (struct wr_backfill_job){.worker_id = worker_id};
	wr_list_init(&job->place);
}

void wr_backfill_begin(struct wr_backfill *self, struct wr_backfill_job *job)
{
	wr_assert(!wr_backfill_is_under_way(job));
	job->is_patient = false;
	wr_list_push(job->kind == WR_BACKFILL_HISTORY ? &self->histories : &self->queue,
		     &job->place);
}

static const struct wr_stream_client_ops client_ops = {on_open, on_frame, on_end};

static void start(struct wr_backfill *self, struct wr_backfill_slot *slot,
		  struct wr_backfill_job *job)
{
	struct wr_stream_target target = {.worker_id = job->worker_id};
	char cursor[WR_CURSOR_BYTES];
	enum wr_status status;

	if (job->kind != WR_BACKFILL_SNAPSHOT) {
		wr_cursor_format(cursor, &job->cursor);
		target.cursor = wr_view_of(cursor, sizeof cursor);
	}
	wr_list_remove(&job->place);
	job->slot = slot;
	slot->job = job;
	slot->is_closing = false;
	if (job->kind == WR_BACKFILL_HISTORY)
		self->history_count++;
	self->begun++;
	status = wr_stream_client_open(&slot->client, self->reactor, self->allocator, self->peer,
				       &target, &client_ops, slot);
	if (status != WR_OK)
		end_job(slot, status == WR_NO_MEMORY ? WR_NO_MEMORY : WR_UNAVAILABLE);
}

static struct wr_backfill_job *next_job(struct wr_backfill *self)
{
	struct wr_list *list = &self->queue;

	if (wr_list_is_empty(list) && self->history_count < WR_BACKFILL_HISTORIES)
		list = &self->histories;
	return wr_list_is_empty(list) ? NULL
				      : wr_list_entry(list->next, struct wr_backfill_job, place);
}

void wr_backfill_turn(struct wr_backfill *self)
{
	for (unsigned i = 0; i < WR_BACKFILL_CONNECTIONS; i++) {
		struct wr_backfill_job *job = next_job(self);
		if (job == NULL)
			return;
		if (self->slots[i].job == NULL)
			start(self, &self->slots[i], job);
	}
}

/* ---- life ---- */

void wr_backfill_init(struct wr_backfill *self, struct wr_reactor *reactor,
		      struct wr_allocator *allocator, const struct wr_stream_peer *peer,
		      const struct wr_backfill_ops *ops, void *context)
{
	*self = (struct wr_backfill){
		.reactor = reactor,
		.allocator = allocator,
		.peer = peer,
		.ops = ops,
		.context = context,
	};
	wr_list_init(&self->queue);
	wr_list_init(&self->histories);
	for (unsigned i = 0; i < WR_BACKFILL_CONNECTIONS; i++) {
		self->slots[i].owner = self;
		self->slots[i].timer.on_due = on_due;
	}
}

void wr_backfill_deinit(struct wr_backfill *self)
{
	for (unsigned i = 0; i < WR_BACKFILL_CONNECTIONS; i++)
		if (self->slots[i].job != NULL)
			wr_backfill_cancel(self, self->slots[i].job);
	while (!wr_list_is_empty(&self->queue))
		wr_list_remove(self->queue.next);
	while (!wr_list_is_empty(&self->histories))
		wr_list_remove(self->histories.next);
}
