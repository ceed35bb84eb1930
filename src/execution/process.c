/* The children of all Workers together: profiles, the port, places, the end. What happens to one of
 * them is worker_process.c's, the dead are burial.c's. */
#include "execution/process.h"

#include "check.h"
#include "execution/worker_process.h"
#include "bounds.h"

/* Starts of those that waited for a place, in one turn: each is a fork. */
enum { START_COUNT_MAX = 16 };

/* ---- profiles ---- */

void wr_process_profile_init(struct wr_process_profile *self, char *const *argv,
			     enum wr_process_mode mode)
{
	wr_assert(argv != NULL && argv[0] != NULL);
	*self = (struct wr_process_profile){
		.argv = argv,
		.mode = mode,
		.environment_names = wr_environment_names,
		.grace_ms = WR_CHILD_GRACE_MS,
		.interrupt_ms_max = WR_CHILD_INTERRUPT_MS_MAX,
		.ready_ms_max = WR_CHILD_READY_MS_MAX,
		.backoff_ms_min = WR_CHILD_BACKOFF_MS_MIN,
		.backoff_ms_max = WR_CHILD_BACKOFF_MS_MAX,
		.stable_ms = WR_CHILD_STABLE_MS,
		.open_files_max = WR_CHILD_FD_COUNT_MAX,
	};
}

/* ---- the port ---- */

static struct wr_processes *set_of(const struct wr_process_profile *profile)
{
	return wr_container_of(profile->port.crew, struct wr_processes, crew);
}

static struct wr_worker_process *find(const struct wr_processes *self, uint32_t worker)
{
	struct wr_crew_member *member = wr_crew_find(&self->crew, worker);

	return member == NULL ? NULL : wr_worker_process_of(member);
}

static bool has_place(const struct wr_processes *self)
{
	return self->count < self->count_max && wr_list_is_empty(&self->queue);
}

/* Of one that does not run, and has nothing to run for. */
static enum wr_status admit_first(const struct wr_processes *self,
				  const struct wr_process_profile *profile,
				  const struct wr_input *input,
				  const struct wr_undelivered *waiting)
{
	uint64_t queued = waiting->bytes + waiting->count;

	if (waiting->count == 0)
		return has_place(self) ? WR_OK : WR_BUSY;
	/* It will have a place, sooner or later. */
	if (profile->mode == WR_PROCESS_JSONL || queued >= WR_CHILD_INPUT_BYTES_MAX ||
	    input->content.bytes >= WR_CHILD_INPUT_BYTES_MAX - queued)
		return WR_BUSY;
	return WR_OK;
}

/* Whether its program has run, and is not started again. Of an earlier life the log knows no more
 * than that there was something for it to do. */
static bool is_done(const struct wr_processes *self, const struct wr_process_profile *profile,
		    uint32_t worker, const struct wr_undelivered *waiting)
{
	const struct wr_worker_process *process = find(self, worker);
	const struct wr_worker *target;

	if (profile->restart != WR_RESTART_NEVER)
		return false;
	target = wr_runtime_worker(self->crew.reports.runtime, worker);
	/* Those that were accepted and queue have to be told so, one by one. */
	if (target->queue.queued.count != 0)
		return false;
	if (process != NULL)
		return wr_worker_process_is_done(process) && wr_worker_process_is_at_rest(process);
	return worker <= self->former_count && waiting->count == 0 && target->now.item_count != 0;
}

static const struct wr_process_profile *profile_of(void *port)
{
	return wr_container_of(port, struct wr_process_profile, port);
}

static enum wr_status admit(void *port, uint32_t worker, const struct wr_input *input,
			    const struct wr_undelivered *waiting)
{
	const struct wr_process_profile *profile = profile_of(port);
	const struct wr_processes *self = set_of(profile);
	const struct wr_worker_process *process = find(self, worker);

	if (self->crew.is_draining)
		return WR_UNAVAILABLE;
	if (profile->mode == WR_PROCESS_LINE && input->kind == WR_INPUT_SYSTEM)
		return WR_OK;
	if (is_done(self, profile, worker, waiting))
		return WR_REJECTED;
	if (profile->mode == WR_PROCESS_JSONL && waiting->count != 0)
		return WR_BUSY;
	if (process == NULL || wr_worker_process_is_at_rest(process))
		return admit_first(self, profile, input, waiting);
	return wr_worker_input_admit(process, input, waiting);
}

static void deliver(void *port, uint32_t worker, const struct wr_input *input, uint64_t sequence)
{
	const struct wr_process_profile *profile = profile_of(port);
	const struct wr_worker *target =
		wr_runtime_worker(profile->port.crew->reports.runtime, worker);

	if (profile->mode == WR_PROCESS_LINE && input->kind == WR_INPUT_SYSTEM)
		return;
	/* One that is being stopped still gets what was accepted before, and then is told to stop.
	 */
	if (target != NULL && target->now.phase != WR_PHASE_STOPPED &&
	    target->now.phase != WR_PHASE_CANCELLED)
		wr_crew_deliver(port, worker, input, sequence);
}

static const struct wr_execution_ops process_ops = {
	.admit = admit,
	.deliver = deliver,
	.interrupt = wr_crew_interrupt,
	.stop = wr_crew_stop,
	.cancel = wr_crew_cancel,
};

struct wr_execution wr_processes_execution(struct wr_processes *self,
					   struct wr_process_profile *profile)
{
	profile->port.crew = &self->crew;
	return (struct wr_execution){.ops = &process_ops,
				     .context = &profile->port,
				     .has_turns = profile->mode == WR_PROCESS_JSONL};
}

/* ---- beginning ---- */

void wr_processes_init(struct wr_processes *self, struct wr_reactor *reactor,
		       struct wr_allocator *allocator, uint32_t count_max, char *const *environment)
{
	*self = (struct wr_processes){
		.reactor = reactor,
		.allocator = allocator,
		.environment = environment,
		.count_max = count_max,
	};
	wr_list_init(&self->queue);
	wr_crew_init(&self->crew, &wr_worker_process_ops, reactor, allocator);
	wr_processes_begin_burials(self);
}

void wr_processes_use_ledger(struct wr_processes *self, struct wr_ledger *ledger)
{
	self->ledger = ledger;
}

void wr_processes_use_cgroups(struct wr_processes *self, struct wr_cgroups *cgroups)
{
	self->cgroups = cgroups;
}

void wr_processes_attach(struct wr_processes *self, struct wr_runtime *runtime)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	wr_crew_attach(&self->crew, runtime);
	self->former_count = summary.worker_count;
}

/* ---- places ---- */

static bool has_start(const struct wr_processes *self)
{
	return self->count < self->count_max && !wr_list_is_empty(&self->queue);
}

bool wr_processes_on_turn(struct wr_crew *crew)
{
	struct wr_processes *self = wr_container_of(crew, struct wr_processes, crew);

	for (unsigned i = 0; i < START_COUNT_MAX && has_start(self); i++)
		wr_worker_process_begin(
			wr_list_entry(self->queue.next, struct wr_worker_process, queue_node));
	if (has_start(self))
		wr_reactor_again(self->reactor);
	return has_start(self);
}

/* ---- the end ---- */

void wr_processes_kill(struct wr_processes *self)
{
	struct wr_crew_member *member;

	for (uint32_t at = 0; (member = wr_crew_next(&self->crew, &at)) != NULL;)
		wr_worker_process_kill(wr_worker_process_of(member));
}

void wr_processes_deinit(struct wr_processes *self)
{
	wr_crew_deinit(&self->crew);
	self->count = 0;
	wr_processes_end_burials(self);
}
