#include "execution/crew.h"

#include "check.h"

/* ---- members ---- */

static struct wr_crew *crew_of(const struct wr_crew_member *member)
{
	return wr_container_of(member->reports.set, struct wr_crew, reports);
}

static bool make_room(struct wr_crew *self, uint32_t worker)
{
	uint32_t count = self->by_worker_count == 0 ? 16 : self->by_worker_count;
	size_t old_bytes = self->by_worker_count * sizeof *self->by_worker;
	struct wr_crew_member **table;

	if (worker < self->by_worker_count)
		return true;
	while (count <= worker)
		count *= 2; /* Workers are far fewer than 2^31 */
	table = wr_allocator_resize(self->allocator, self->by_worker, old_bytes,
				    count * sizeof *table);
	if (table == NULL)
		return false;
	for (uint32_t i = self->by_worker_count; i < count; i++)
		table[i] = NULL;
	self->by_worker = table;
	self->by_worker_count = count;
	return true;
}

static struct wr_crew_member *find_or_make(struct wr_crew_port *port, uint32_t worker)
{
	struct wr_crew *self = port->crew;
	struct wr_crew_member *member = wr_crew_find(self, worker);
	unsigned char *whole;

	if (member != NULL || !make_room(self, worker))
		return member;
	whole = wr_allocator_take_zeroed(self->allocator, self->ops->bytes);
	if (whole == NULL)
		return NULL;
	member = (void *)(whole + self->ops->member_at);
	wr_reports_init(&member->reports, &self->reports, self->allocator, worker);
	self->ops->init(member, port);
	self->by_worker[worker] = member;
	return member;
}

void wr_crew_remove(struct wr_crew_member *member)
{
	struct wr_crew *self = crew_of(member);

	self->by_worker[member->reports.worker] = NULL;
	self->ops->deinit(member);
	wr_reports_deinit(&member->reports);
	wr_allocator_free(self->allocator, (unsigned char *)member - self->ops->member_at,
			  self->ops->bytes);
}

void wr_crew_release(struct wr_crew_member *member)
{
	member->is_released = true;
	wr_reports_put(&member->reports, WR_REPORT_ENDED, 0, WR_VIEW_NULL);
	if (!wr_reports_are_waiting(&member->reports))
		wr_crew_remove(member);
}

/* ---- the port ---- */

static void report_no_memory(const struct wr_crew *self, uint32_t worker)
{
	const struct wr_output output = {
		.kind = WR_OUTPUT_ERROR,
		.code = WR_ERROR_INTERNAL,
		.text = wr_view_of_string(self->ops->no_memory),
	};
	enum wr_status status = wr_runtime_output(self->reports.runtime, worker, &output);

	if (status != WR_OK)
		wr_reports_note_loss(worker, status);
}

void wr_crew_deliver(struct wr_crew_port *port, uint32_t worker, const struct wr_input *input,
		     uint64_t sequence)
{
	const struct wr_crew *self = port->crew;
	struct wr_crew_member *member = find_or_make(port, worker);

	if (member == NULL)
		report_no_memory(self, worker);
	else if (self->is_draining)
		self->ops->refuse(member);
	else
		self->ops->deliver(member, input, sequence);
}

enum wr_status wr_crew_interrupt(void *port, uint32_t worker)
{
	const struct wr_crew *self = ((struct wr_crew_port *)port)->crew;
	struct wr_crew_member *member = wr_crew_find(self, worker);

	return member == NULL ? WR_CONFLICT : self->ops->interrupt(member);
}

/* To say that nothing runs may need a record, and then a member that keeps the report. */
static struct wr_crew_member *find_to_end(struct wr_crew_port *port, uint32_t worker)
{
	struct wr_crew_member *member = wr_crew_find(port->crew, worker);

	if (member == NULL &&
	    wr_runtime_execution_ended(port->crew->reports.runtime, worker) != WR_OK)
		member = find_or_make(port, worker);
	return member;
}

void wr_crew_stop(void *port, uint32_t worker)
{
	struct wr_crew_member *member = find_to_end(port, worker);

	if (member != NULL)
		crew_of(member)->ops->stop(member);
}

void wr_crew_cancel(void *port, uint32_t worker)
{
	struct wr_crew_member *member = find_to_end(port, worker);

	if (member != NULL)
		crew_of(member)->ops->cancel(member);
}

/* ---- the end of a turn ---- */

void wr_crew_want_turn(struct wr_crew *self)
{
	if (self->has_hook)
		return;
	self->has_hook = true;
	wr_reactor_add_hook(self->reports.reactor, &self->hook);
}

static void want_turn(struct wr_reports_set *reports)
{
	wr_crew_want_turn(wr_container_of(reports, struct wr_crew, reports));
}

static void drop_hook(struct wr_crew *self)
{
	if (self->has_hook)
		wr_reactor_remove_hook(self->reports.reactor, &self->hook);
	self->has_hook = false;
}

static void retry(struct wr_reports *reports)
{
	struct wr_crew_member *member = wr_container_of(reports, struct wr_crew_member, reports);

	if (wr_reports_may_retry(reports) && wr_reports_flush(reports))
		crew_of(member)->ops->go_on(member);
	else
		wr_reports_hold(reports);
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_crew *self = wr_container_of(hook, struct wr_crew, hook);
	bool comes_again;

	wr_reports_set_retry(&self->reports, retry);
	comes_again = self->ops->on_turn != NULL && self->ops->on_turn(self);
	wr_crew_tell_drained(self);
	if (!comes_again && wr_list_is_empty(&self->reports.held))
		drop_hook(self);
}

/* ---- life ---- */

void wr_crew_init(struct wr_crew *self, const struct wr_crew_ops *ops, struct wr_reactor *reactor,
		  struct wr_allocator *allocator)
{
	*self = (struct wr_crew){.ops = ops, .allocator = allocator, .hook = {.on_turn = on_turn}};
	wr_reports_set_init(&self->reports, reactor, want_turn, ops->gives_up);
}

void wr_crew_attach(struct wr_crew *self, struct wr_runtime *runtime)
{
	self->reports.runtime = runtime;
}

uint32_t wr_crew_live_count(const struct wr_crew *self)
{
	struct wr_crew_member *member;
	uint32_t live = 0;

	for (uint32_t at = 0; (member = wr_crew_next(self, &at)) != NULL;)
		live += self->ops->is_live(member);
	return live;
}

uint32_t wr_crew_drain(struct wr_crew *self, wr_drained_fn *on_drained, void *context)
{
	struct wr_crew_member *member;
	uint32_t live;

	self->is_draining = true;
	self->on_drained = on_drained;
	self->context = context;
	for (uint32_t at = 0; (member = wr_crew_next(self, &at)) != NULL;)
		self->ops->drain(member);
	live = wr_crew_live_count(self);
	self->awaits_drained = live != 0;
	return live;
}

void wr_crew_tell_drained(struct wr_crew *self)
{
	if (!self->awaits_drained || wr_crew_live_count(self) != 0)
		return;
	self->awaits_drained = false;
	if (self->on_drained != NULL)
		self->on_drained(self->context);
}

void wr_crew_deinit(struct wr_crew *self)
{
	struct wr_crew_member *member;

	for (uint32_t at = 0; (member = wr_crew_next(self, &at)) != NULL;)
		wr_crew_remove(member);
	wr_allocator_free(self->allocator, self->by_worker,
			  self->by_worker_count * sizeof *self->by_worker);
	self->by_worker = NULL;
	self->by_worker_count = 0;
	wr_reports_set_deinit(&self->reports);
	drop_hook(self);
}
