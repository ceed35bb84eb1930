#include "execution/openai_private.h"

#include "check.h"
#include "io/log.h"

enum {
	/* How long memory for one event is waited for. */
	MEMORY_MS_MAX = 5000
};

/* ---- the table ---- */

static struct wr_openai_worker *find(const struct wr_openai *self, uint32_t worker)
{
	return worker < self->by_worker_count ? self->by_worker[worker] : NULL;
}

static bool make_room(struct wr_openai *self, uint32_t worker)
{
	uint32_t count = self->by_worker_count == 0 ? 16 : self->by_worker_count;
	size_t old_bytes = self->by_worker_count * sizeof(struct wr_openai_worker *);
	struct wr_openai_worker **table;

	if (worker < self->by_worker_count)
		return true;
	while (count <= worker)
		count *= 2; /* Workers are far fewer than 2^31 */
	table = wr_allocator_resize(self->allocator, self->by_worker, old_bytes,
				    count * sizeof(struct wr_openai_worker *));
	if (table == NULL)
		return false;
	for (uint32_t i = self->by_worker_count; i < count; i++)
		table[i] = NULL;
	self->by_worker = table;
	self->by_worker_count = count;
	return true;
}

static struct wr_openai_worker *
find_or_make(struct wr_openai *self, const struct wr_openai_profile *profile, uint32_t worker)
{
	if (!make_room(self, worker))
		return NULL;
	if (self->by_worker[worker] == NULL)
		self->by_worker[worker] = wr_openai_worker_new(self, profile, worker);
	return self->by_worker[worker];
}

/* ---- the port ---- */

static struct wr_openai *set_of(const struct wr_openai_profile *profile)
{
	return profile->origin->set;
}

static enum wr_status admit(void *context, uint32_t worker, const struct wr_input *input,
			    const struct wr_undelivered *waiting)
{
	const struct wr_openai *self = set_of(context);
	const struct wr_openai_worker *target = find(self, worker);

	(void)input;
	if (self->is_draining)
		return WR_UNAVAILABLE;
	if (waiting->count != 0 || (target != NULL && !wr_openai_worker_is_at_rest(target)))
		return WR_BUSY;
	return self->turn_count < WR_OPENAI_TURN_COUNT_MAX ? WR_OK : WR_BUSY;
}

static void report_no_memory(struct wr_openai *self, uint32_t worker)
{
	const struct wr_output output = {
		.kind = WR_OUTPUT_ERROR,
		.code = WR_ERROR_INTERNAL,
		.text = WR_VIEW("no memory is left for the conversation"),
	};
	enum wr_status status = wr_runtime_output(self->runtime, worker, &output);

	if (status != WR_OK)
		WR_LOG(WR_LOG_ERROR, "worker_event_lost", WR_LOG_NUMBER("worker", worker),
		       WR_LOG_TEXT("status", wr_view_of_string(wr_status_name(status))));
}

static void deliver(void *context, uint32_t worker, const struct wr_input *input, uint64_t sequence)
{
	const struct wr_openai_profile *profile = context;
	struct wr_openai *self = set_of(profile);
	const struct wr_worker *target = wr_runtime_worker(self->runtime, worker);
	struct wr_openai_worker *made;

	/* For one that is being stopped nothing is begun that would be broken off at once. */
	if (target == NULL || target->now.status != WR_WORKER_RUNNING)
		return;
	made = find_or_make(self, profile, worker);
	if (made == NULL)
		report_no_memory(self, worker);
	else if (self->is_draining)
		wr_openai_worker_refuse(made);
	else
		wr_openai_worker_deliver(made, input, sequence);
}

static enum wr_status interrupt(void *context, uint32_t worker)
{
	struct wr_openai_worker *target = find(set_of(context), worker);

	return target == NULL ? WR_CONFLICT : wr_openai_worker_interrupt(target);
}

/* To say that nothing runs may need a record, and then somebody who keeps the report. */
static struct wr_openai_worker *find_to_end(const struct wr_openai_profile *profile,
					    uint32_t worker)
{
	struct wr_openai *self = set_of(profile);
	struct wr_openai_worker *target = find(self, worker);

	if (target == NULL && wr_runtime_execution_ended(self->runtime, worker) != WR_OK)
		target = find_or_make(self, profile, worker);
	return target;
}

static void stop(void *context, uint32_t worker)
{
	struct wr_openai_worker *target = find_to_end(context, worker);

	if (target != NULL)
		wr_openai_worker_stop(target);
}

static void cancel(void *context, uint32_t worker)
{
	struct wr_openai_worker *target = find_to_end(context, worker);

	if (target != NULL)
		wr_openai_worker_cancel(target);
}

static const struct wr_execution_ops openai_ops = {
	.admit = admit,
	.deliver = deliver,
	.interrupt = interrupt,
	.stop = stop,
	.cancel = cancel,
};

enum wr_status wr_openai_execution(struct wr_openai *self, struct wr_openai_profile *profile,
				   struct wr_execution *out)
{
	enum wr_status status = WR_OK;

	if (wr_openai_profile_fault(profile) != NULL)
		return WR_INVALID;
	if (profile->origin == NULL)
		status = wr_openai_origin_use(self, profile);
	if (status == WR_OK)
		*out = (struct wr_execution){
			.ops = &openai_ops, .context = profile, .has_turns = true};
	return status;
}

/* ---- what was refused for now ---- */

/* Room comes back, memory for one event perhaps never; and the end of the Runtime waits for
 * neither, but for room that is being made. */
static bool gives_up(struct wr_reports *reports, enum wr_status status)
{
	const struct wr_openai *self = wr_container_of(reports->set, struct wr_openai, reports);

	if (status == WR_NO_MEMORY)
		return reports->since_ms != 0 &&
		       self->reactor->now_ms - reports->since_ms >= MEMORY_MS_MAX;
	return status == WR_FULL && self->is_draining;
}

static void want_turn(struct wr_reports_set *reports)
{
	struct wr_openai *self = wr_container_of(reports, struct wr_openai, reports);

	if (self->has_hook)
		return;
	self->has_hook = true;
	wr_reactor_add_hook(self->reactor, &self->hook);
}

static void tell_drained(struct wr_openai *self)
{
	if (!self->awaits_drained || wr_openai_live_count(self) != 0)
		return;
	self->awaits_drained = false;
	if (self->on_drained != NULL)
		self->on_drained(self->context);
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_openai *self = wr_container_of(hook, struct wr_openai, hook);

	wr_reports_set_retry(&self->reports, wr_openai_worker_retry);
	tell_drained(self);
	if (!wr_list_is_empty(&self->reports.held))
		return;
	self->has_hook = false;
	wr_reactor_remove_hook(self->reactor, hook);
}

/* ---- life ---- */

void wr_openai_init(struct wr_openai *self, struct wr_reactor *reactor,
		    struct wr_allocator *allocator)
{
	*self = (struct wr_openai){
		.reactor = reactor,
		.allocator = allocator,
		.hook = {.on_turn = on_turn},
	};
	wr_reports_set_init(&self->reports, reactor, want_turn, gives_up);
}

void wr_openai_attach(struct wr_openai *self, struct wr_runtime *runtime)
{
	self->runtime = self->reports.runtime = runtime;
}

uint32_t wr_openai_live_count(const struct wr_openai *self)
{
	uint32_t live = 0;

	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL && !wr_openai_worker_is_at_rest(self->by_worker[i]))
			live++;
	return live;
}

uint32_t wr_openai_drain(struct wr_openai *self, wr_openai_drained_fn *on_drained, void *context)
{
	uint32_t live;

	self->is_draining = true;
	self->on_drained = on_drained;
	self->context = context;
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_openai_worker_drain(self->by_worker[i]);
	live = wr_openai_live_count(self);
	self->awaits_drained = live != 0;
	return live;
}

void wr_openai_deinit(struct wr_openai *self)
{
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_openai_worker_free(self->by_worker[i]);
	wr_allocator_free(self->allocator, self->by_worker,
			  self->by_worker_count * sizeof(struct wr_openai_worker *));
	self->by_worker = NULL;
	self->by_worker_count = 0;
	wr_openai_origins_free(self);
	wr_reports_set_deinit(&self->reports);
	if (self->has_hook)
		wr_reactor_remove_hook(self->reactor, &self->hook);
	self->has_hook = false;
}
