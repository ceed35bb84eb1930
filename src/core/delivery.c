#include "core/delivery.h"

#include "check.h"

/* ---- what is told of an execution ---- */

void wr_execution_note(struct wr_worker *worker, enum wr_execution_operation operation,
		       enum wr_execution_outcome outcome, uint64_t sequence)
{
	if (worker->has_last_result && worker->last_result_after <= worker->shown.last_sequence) {
		worker->has_shown_result = true;
		worker->shown_result = worker->last_result;
	}
	worker->has_last_result = true;
	worker->last_result = (struct wr_execution_result){operation, outcome};
	worker->last_result_after = sequence;
}

void wr_execution_end(struct wr_worker *worker)
{
	const struct wr_execution *execution = &worker->execution;
	bool is_cancel = worker->now.status == WR_WORKER_CANCELLED;

	if (execution->ops == NULL || worker->is_end_told)
		return;
	worker->is_end_told = true;
	wr_execution_note(worker, is_cancel ? WR_EXECUTION_CANCEL : WR_EXECUTION_STOP,
			  WR_EXECUTION_ACCEPTED, worker->now.last_sequence);
	/* Also when nothing is live: a start may be waiting. */
	if (is_cancel)
		execution->ops->cancel(execution->context, worker->number);
	else
		execution->ops->stop(execution->context, worker->number);
}

/* ---- admission ---- */

static uint64_t cost_of(uint64_t count, uint64_t bytes)
{
	return bytes + count * WR_QUEUE_ENTRY_BYTES;
}

static bool may_queue(const struct wr_runtime *self, const struct wr_worker *worker,
		      const struct wr_input *input)
{
	const struct wr_undelivered *queued = &worker->queue.queued;

	return wr_delivery_is_queueing(worker) && queued->count < worker->busy.inputs_max &&
	       input->content.bytes <= WR_QUEUE_BYTES_MAX - queued->bytes &&
	       cost_of(1, input->content.bytes) <= WR_QUEUES_BYTES_MAX - self->queued_bytes;
}

/* Nobody overtakes those that wait. */
static enum wr_status ask(const struct wr_worker *worker, const struct wr_input *input,
			  const struct wr_undelivered *waiting)
{
	const struct wr_execution *execution = &worker->execution;

	if (execution->has_turns && worker->queue.tracked_count >= WR_QUEUE_TRACKED_MAX)
		return WR_BUSY;
	return execution->ops->admit(execution->context, worker->number, input, waiting);
}

enum wr_status wr_delivery_admit(const struct wr_runtime *self, struct wr_worker *worker,
				 const struct wr_input *input, bool *is_admitted)
{
	enum wr_status status;

	*is_admitted = true;
	if (worker->execution.ops == NULL)
		return WR_OK;
	status = worker->queue.queued.count != 0 ? WR_BUSY
						 : ask(worker, input, &worker->queue.undelivered);
	*is_admitted = status == WR_OK;
	if (status == WR_BUSY && may_queue(self, worker, input))
		return WR_OK;
	if (status != WR_OK)
		wr_execution_note(worker, WR_EXECUTION_INPUT,
				  status == WR_BUSY ? WR_EXECUTION_BUSY : WR_EXECUTION_REJECTED,
				  worker->now.last_sequence);
	return status;
}

/* ---- delivery ---- */

void wr_delivery_note_change(struct wr_runtime *self, struct wr_worker *worker)
{
	const struct wr_undelivered *queued = &worker->queue.queued;
	bool is_listed = !wr_list_is_empty(&worker->queued_node);

	self->queued_bytes -= worker->queued_cost;
	worker->queued_cost = cost_of(queued->count, queued->bytes);
	self->queued_bytes += worker->queued_cost;
	if (queued->count == 0)
		wr_list_remove(&worker->queued_node);
	else if (!is_listed)
		wr_list_push(&self->queued, &worker->queued_node);
}

static void deliver(struct wr_worker *worker, const struct wr_input *input, uint64_t sequence)
{
	const struct wr_execution *execution = &worker->execution;

	wr_execution_note(worker, WR_EXECUTION_INPUT, WR_EXECUTION_ACCEPTED, sequence);
	execution->ops->deliver(execution->context, worker->number, input, sequence);
}

static bool may_give(const struct wr_runtime *self, const struct wr_worker *worker,
		     const struct wr_queued_input *queued)
{
	static const struct wr_undelivered none = {0};
	const struct wr_input input = {(enum wr_input_kind)queued->kind,
				       wr_view_of(queued->content, queued->bytes)};

	if (queued->sequence > worker->shown.last_sequence ||
	    (self->is_draining && queued->is_tracked))
		return false;
	if (queued->is_admitted)
		return true;
	/* What is said in its turn may build on all that was said before: also that is visible by
	 * then. Who was admitted came behind that. */
	return worker->told_sequence <= worker->shown.last_sequence &&
	       worker->execution.ops->admit(worker->execution.context, worker->number, &input,
					    &none) == WR_OK;
}

/* The execution may report from within, and so change the queue; what it is lent stays. */
static void give_one(struct wr_runtime *self, struct wr_worker *worker,
		     struct wr_queued_input *queued)
{
	const struct wr_input input = {(enum wr_input_kind)queued->kind,
				       wr_view_of(queued->content, queued->bytes)};
	struct wr_input_queue *queue = &worker->queue;

	wr_input_queue_set_delivered(queue, queued, worker->now.status == WR_WORKER_RUNNING);
	wr_delivery_note_change(self, worker);
	queue->lent = queued;
	deliver(worker, &input, queued->sequence);
	queue->lent = NULL;
	wr_input_queue_sweep(queue, self->ports.allocator, worker->shown.last_sequence);
}

bool wr_delivery_give(struct wr_runtime *self, struct wr_worker *worker)
{
	struct wr_queued_input *queued;
	bool has_given = false;

	while (worker->queue.lent == NULL &&
	       (queued = wr_input_queue_next(&worker->queue)) != NULL &&
	       may_give(self, worker, queued)) {
		give_one(self, worker, queued);
		has_given = true;
	}
	return has_given;
}

bool wr_delivery_give_all(struct wr_runtime *self)
{
	struct wr_list *marker = &self->queued_marker;
	bool has_given = false;

	if (WR_LIKELY(wr_list_is_empty(&self->queued)))
		return false;
	/* Each once: who still has something queued goes to the end. */
	wr_list_init(marker);
	wr_list_push(&self->queued, marker);
	while (self->queued.next != marker) {
		struct wr_worker *worker =
			wr_list_entry(self->queued.next, struct wr_worker, queued_node);
		wr_list_remove(&worker->queued_node);
		wr_list_push(&self->queued, &worker->queued_node);
		has_given = wr_delivery_give(self, worker) || has_given;
	}
	wr_list_remove(marker);
	return has_given;
}

void wr_delivery_accepted(struct wr_runtime *self, struct wr_worker *worker,
			  const struct wr_input *input, uint64_t sequence, bool is_admitted)
{
	if (worker->execution.ops == NULL)
		return;
	if (!is_admitted) {
		wr_input_queue_set_queued(&worker->queue);
		wr_delivery_note_change(self, worker);
	}
	if (!wr_delivery_keeps(self, worker))
		deliver(worker, input, sequence);
	else if (!wr_has_store(self) && is_admitted)
		(void)wr_delivery_give(self, worker);
}

/* ---- what is taken back ---- */

enum wr_status wr_delivery_name_dropped(struct wr_runtime *self, const struct wr_worker *worker,
					enum wr_event_kind kind, struct wr_view *dropped)
{
	/* Of a Worker that rejects, a stop takes its turn behind what was accepted before it. */
	bool waits = kind == WR_EVENT_WORKER_STOPPED && !wr_delivery_is_queueing(worker) &&
		     worker->queue.left_count == 0;

	*dropped = WR_VIEW_NULL;
	if (worker->queue.tracked_count == 0 || waits)
		return WR_OK;
	wr_buf_reset(&self->dropped);
	if (wr_input_queue_name(&worker->queue, &self->dropped) != WR_OK)
		return WR_NO_MEMORY;
	if (self->dropped.bytes != 0)
		*dropped = wr_buf_view(&self->dropped);
	return WR_OK;
}
