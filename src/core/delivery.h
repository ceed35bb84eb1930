/*
 * delivery — between a Runtime and what runs its Workers: inputs are given, ends are told.
 *
 * What an execution with turns will not take at once waits, when the Worker's busy policy is
 * `queue`: it is accepted, recorded and shown like any input, and given in order as soon as the
 * execution admits it. The executions are asked anew at every wr_runtime_settle; no other sign of
 * theirs is needed. The policy is that of the create request, else that of the profile, else
 * `reject`; it means nothing to an execution without turns, which has its own queue, or to none.
 *
 * Every tracked input (core/input_queue.h) has one end in the log. That it was delivered stands in
 * the Worker's next record, whatever that is (wr_event.delivered): so one that was given to a
 * program which then said nothing before the process died counts as not begun, and is named as
 * dropped by the next `interrupted`. Told twice rather than never; but nothing is run twice.
 */
#ifndef WR_CORE_DELIVERY_H
#define WR_CORE_DELIVERY_H

#include "core/state.h"

/* Whether inputs of the Worker queue while it is busy. */
static inline bool wr_delivery_is_queueing(const struct wr_worker *worker)
{
	return worker->busy.kind == WR_BUSY_QUEUE && worker->execution.has_turns;
}

/* Whether what runs the Worker, if anything does, would take this input (*is_admitted), or it may
 * queue. WR_OK, WR_BUSY, or what the execution says. */
enum wr_status wr_delivery_admit(const struct wr_runtime *self, struct wr_worker *worker,
				 const struct wr_input *input, bool *is_admitted);
/* It was recorded. Without a store it may be given now. */
void wr_delivery_accepted(struct wr_runtime *self, struct wr_worker *worker,
			  const struct wr_input *input, uint64_t sequence, bool is_admitted);
/* Whether such an input is kept until it is given. */
static inline bool wr_delivery_keeps(const struct wr_runtime *self, const struct wr_worker *worker)
{
	return worker->execution.ops != NULL && (worker->execution.has_turns || wr_has_store(self));
}

/* Gives what is shown and what the execution takes. True when that was anything. */
bool wr_delivery_give(struct wr_runtime *self, struct wr_worker *worker);
/* The same for all Workers that have something queued. */
bool wr_delivery_give_all(struct wr_runtime *self);
/* Something of the queue has ended: the Worker may have nothing queued any more. */
void wr_delivery_note_change(struct wr_runtime *self, struct wr_worker *worker);

/* The inputs that an end of this kind takes back (core/input_queue.h, packed), lent until the next
 * call. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_delivery_name_dropped(struct wr_runtime *self, const struct wr_worker *worker,
					enum wr_event_kind kind, struct wr_view *dropped);

/* The outcome of the last operation on a Worker's execution; it depends on the record `sequence`.
 */
void wr_execution_note(struct wr_worker *worker, enum wr_execution_operation operation,
		       enum wr_execution_outcome outcome, uint64_t sequence);
/* Tells the execution of a Worker whose end was recorded, once. */
void wr_execution_end(struct wr_worker *worker);

#endif
