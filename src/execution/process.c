/* The children of all Workers together: the port, the dead, the end. What happens to one of them is
 * worker_process.c's. */
#include "execution/process.h"

#include "check.h"
#include "execution/orphans.h"
#include "execution/proc.h"
#include "execution/worker_process.h"
#include "io/log.h"
#include "bounds.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Orphans buried in one turn; the rest waits for the next. */
	BURIAL_COUNT_MAX = 256,
	/* At the very end: half a second, looked at every millisecond. */
	/* Starts of those that waited for a place, in one turn: each is a fork. */
	START_COUNT_MAX = 16,
	/* Between two walks over all processes: each costs as much as there are. */
	SWEEP_MS = 20,
	/* While a session lives on whose leader is dead. */
	SWEEP_AGAIN_MS = 1000,
	STRAY_ROUND_COUNT_MAX = 500,
	STRAY_PAUSE_NS = 1000000
};

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

/* ---- the table ---- */

static struct wr_worker_process *find(const struct wr_processes *self, uint32_t worker)
{
	return worker < self->by_worker_count ? self->by_worker[worker] : NULL;
}

static bool make_room(struct wr_processes *self, uint32_t worker)
{
	uint32_t count = self->by_worker_count == 0 ? 16 : self->by_worker_count;
	size_t old_bytes = self->by_worker_count * sizeof *self->by_worker;
	struct wr_worker_process **table;

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

static struct wr_worker_process *
find_or_make(struct wr_processes *self, const struct wr_process_profile *profile, uint32_t worker)
{
	if (!make_room(self, worker))
		return NULL;
	if (self->by_worker[worker] == NULL)
		self->by_worker[worker] = wr_worker_process_new(self, profile, worker);
	return self->by_worker[worker];
}

/* ---- the port ---- */

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
	target = wr_runtime_worker(self->runtime, worker);
	/* Those that were accepted and queue have to be told so, one by one. */
	if (target->queue.queued.count != 0)
		return false;
	if (process != NULL)
		return wr_worker_process_is_done(process) && wr_worker_process_is_at_rest(process);
	return worker <= self->former_count && waiting->count == 0 && target->now.item_count != 0;
}

static enum wr_status admit(void *context, uint32_t worker, const struct wr_input *input,
			    const struct wr_undelivered *waiting)
{
	const struct wr_process_profile *profile = context;
	const struct wr_processes *self = profile->owner;
	const struct wr_worker_process *process = find(self, worker);

	if (self->is_draining)
		return WR_UNAVAILABLE;
	if (profile->mode == WR_PROCESS_LINE && input->kind == WR_INPUT_SYSTEM)
		return WR_OK;
	if (is_done(self, profile, worker, waiting))
		return WR_REJECTED;
	if (profile->mode == WR_PROCESS_JSONL && waiting->count != 0)
		return WR_BUSY;
	if (process == NULL || wr_worker_process_is_at_rest(process))
		return admit_first(self, profile, input, waiting);
	return wr_worker_process_admit(process, input, waiting);
}

static void report_no_memory(struct wr_processes *self, uint32_t worker)
{
	const struct wr_output output = {
		.kind = WR_OUTPUT_ERROR,
		.code = WR_ERROR_INTERNAL,
		.text = WR_VIEW("cannot start the program: no memory"),
	};
	enum wr_status status = wr_runtime_output(self->runtime, worker, &output);

	if (status != WR_OK)
		WR_LOG(WR_LOG_ERROR, "worker_event_lost", WR_LOG_NUMBER("worker", worker),
		       WR_LOG_TEXT("status", wr_view_of_string(wr_status_name(status))));
}

static void deliver(void *context, uint32_t worker, const struct wr_input *input, uint64_t sequence)
{
	const struct wr_process_profile *profile = context;
	struct wr_processes *self = profile->owner;
	const struct wr_worker *target = wr_runtime_worker(self->runtime, worker);
	struct wr_worker_process *process;

	(void)sequence;
	if (profile->mode == WR_PROCESS_LINE && input->kind == WR_INPUT_SYSTEM)
		return;
	/* One that is being stopped still gets what was accepted before, and then is told to stop.
	 */
	if (target == NULL || target->now.phase == WR_PHASE_STOPPED ||
	    target->now.phase == WR_PHASE_CANCELLED)
		return;
	process = find_or_make(self, profile, worker);
	if (process == NULL)
		report_no_memory(self, worker);
	else if (self->is_draining)
		wr_worker_process_refuse(process);
	else
		wr_worker_process_deliver(process, input);
}

static enum wr_status interrupt(void *context, uint32_t worker)
{
	const struct wr_process_profile *profile = context;
	struct wr_worker_process *process = find(profile->owner, worker);

	return process == NULL ? WR_CONFLICT : wr_worker_process_interrupt(process);
}

/* To say that nothing runs may need a record, and then a process that keeps the report. */
static struct wr_worker_process *find_to_end(const struct wr_process_profile *profile,
					     uint32_t worker)
{
	struct wr_processes *self = profile->owner;
	struct wr_worker_process *process = find(self, worker);

	if (process == NULL && wr_runtime_execution_ended(self->runtime, worker) != WR_OK)
		process = find_or_make(self, profile, worker);
	return process;
}

static void stop(void *context, uint32_t worker)
{
	struct wr_worker_process *process = find_to_end(context, worker);

	if (process != NULL)
		wr_worker_process_stop(process);
}

static void cancel(void *context, uint32_t worker)
{
	struct wr_worker_process *process = find_to_end(context, worker);

	if (process != NULL)
		wr_worker_process_cancel(process);
}

static const struct wr_execution_ops process_ops = {
	.admit = admit,
	.deliver = deliver,
	.interrupt = interrupt,
	.stop = stop,
	.cancel = cancel,
};

struct wr_execution wr_processes_execution(struct wr_processes *self,
					   struct wr_process_profile *profile)
{
	profile->owner = self;
	return (struct wr_execution){.ops = &process_ops,
				     .context = profile,
				     .has_turns = profile->mode == WR_PROCESS_JSONL};
}

/* ---- beginning ---- */

static void on_reap_timer(struct wr_timer *timer)
{
	wr_processes_on_child_signal(wr_container_of(timer, struct wr_processes, reap_timer));
}

static void sweep(struct wr_processes *self);

static void on_sweep_timer(struct wr_timer *timer)
{
	sweep(wr_container_of(timer, struct wr_processes, sweep_timer));
}

static void on_turn(struct wr_turn_hook *hook);

static void want_turn(struct wr_reports_set *reports)
{
	wr_processes_want_turn(wr_container_of(reports, struct wr_processes, reports));
}

void wr_processes_init(struct wr_processes *self, struct wr_reactor *reactor,
		       struct wr_allocator *allocator, uint32_t count_max, char *const *environment)
{
	*self = (struct wr_processes){
		.reactor = reactor,
		.allocator = allocator,
		.environment = environment,
		.count_max = count_max,
		.hook = {.on_turn = on_turn},
		.reap_timer = {.on_due = on_reap_timer},
		.sweep_timer = {.on_due = on_sweep_timer},
	};
	wr_list_init(&self->queue);
	wr_reports_set_init(&self->reports, reactor, want_turn, wr_worker_process_gives_up);
	if (!wr_orphans_adopt())
		WR_LOG(WR_LOG_DEBUG, "no_subreaper", WR_LOG_NUMBER("pid", getpid()));
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
	self->runtime = self->reports.runtime = runtime;
	self->former_count = summary.worker_count;
}

/* ---- the dead ---- */

static struct wr_worker_process *find_pid(const struct wr_processes *self, pid_t pid)
{
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL && wr_worker_process_pid(self->by_worker[i]) == pid)
			return self->by_worker[i];
	return NULL;
}

static unsigned bury_children(struct wr_processes *self)
{
	unsigned buried = 0;

	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL && wr_worker_process_reap(self->by_worker[i]))
			buried++;
	return buried;
}

struct sweep {
	struct wr_processes *set;
	unsigned killed;
};

/* A child in the session of a living one belongs to that one still. */
static bool is_orphan(const struct wr_processes *self, const struct wr_proc *proc)
{
	return proc->parent == getpid() && !proc->is_dead && find_pid(self, proc->pid) == NULL &&
	       (proc->session <= 0 || find_pid(self, proc->session) == NULL);
}

/* Such a number cannot mean another process: nobody but us can reap it, and we do not meanwhile. */
static void look_at(void *context, const struct wr_proc *proc)
{
	struct sweep *sweep = context;

	if (sweep->set->ledger != NULL)
		wr_ledger_sweep_see(sweep->set->ledger, proc);
	if (is_orphan(sweep->set, proc)) {
		wr_proc_kill(proc);
		sweep->killed++;
	}
}

/* What the dead have left behind is ended, and what nobody is left of is struck off. With each that
 * dies its children become ours, and the signal comes again: so the last of a tree is found. */
static unsigned look_at_all(struct wr_processes *self)
{
	struct sweep sweep = {.set = self};

	if (self->ledger != NULL)
		wr_ledger_sweep_begin(self->ledger);
	wr_proc_each(look_at, &sweep);
	if (self->ledger != NULL)
		wr_ledger_sweep_end(self->ledger, sweep.killed != 0);
	return sweep.killed;
}

static bool wants_sweep(const struct wr_processes *self)
{
	return (self->ledger != NULL && wr_ledger_wants_sweep(self->ledger)) ||
	       (self->cgroups != NULL && wr_cgroups_want_sweep(self->cgroups));
}

static void sweep(struct wr_processes *self)
{
	look_at_all(self);
	if (self->cgroups != NULL)
		wr_cgroups_sweep(self->cgroups);
	self->swept_ms = self->reactor->now_ms;
	if (wants_sweep(self) && !wr_timer_is_set(&self->sweep_timer))
		wr_timer_set(self->reactor, &self->sweep_timer, SWEEP_AGAIN_MS);
}

/* At once, but not ever again within a short time. */
static void sweep_soon(struct wr_processes *self)
{
	uint64_t passed_ms = self->reactor->now_ms - self->swept_ms;

	if (passed_ms >= SWEEP_MS ||
	    wr_timer_set(self->reactor, &self->sweep_timer, SWEEP_MS - passed_ms) != WR_OK) {
		wr_timer_cancel(self->reactor, &self->sweep_timer);
		sweep(self);
	}
}

#ifdef __linux__
/* What is dead and unknown to us was somebody's whom we have outlived. */
static unsigned bury_orphans(struct wr_processes *self)
{
	unsigned buried = 0;
	siginfo_t about;

	for (; buried < BURIAL_COUNT_MAX; buried++) {
		memset(&about, 0, sizeof about);
		if (waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT) != 0 || about.si_pid == 0)
			return buried;
		if (find_pid(self, about.si_pid) != NULL) {
			bury_children(self); /* died a moment ago */
			continue;
		}
		waitpid(about.si_pid, NULL, WNOHANG);
	}
	wr_timer_set(self->reactor, &self->reap_timer, 1);
	return buried;
}
#else
static unsigned bury_orphans(struct wr_processes *self)
{
	(void)self;
	return 0;
}
#endif

static void tell_drained(struct wr_processes *self)
{
	if (!self->awaits_drained || wr_processes_live_count(self) != 0)
		return;
	self->awaits_drained = false;
	if (self->on_drained != NULL)
		self->on_drained(self->context);
}

void wr_processes_on_child_signal(struct wr_processes *self)
{
	unsigned buried = bury_children(self);

	buried += bury_orphans(self);
	if (buried != 0)
		sweep_soon(self);
	tell_drained(self);
}

/* ---- the end of a turn ---- */

void wr_processes_want_turn(struct wr_processes *self)
{
	if (self->has_hook)
		return;
	self->has_hook = true;
	wr_reactor_add_hook(self->reactor, &self->hook);
}

static bool has_start(const struct wr_processes *self)
{
	return self->count < self->count_max && !wr_list_is_empty(&self->queue);
}

static void fill_places(struct wr_processes *self)
{
	for (unsigned i = 0; i < START_COUNT_MAX && has_start(self); i++)
		wr_worker_process_begin(
			wr_list_entry(self->queue.next, struct wr_worker_process, queue_node));
	if (has_start(self))
		wr_reactor_again(self->reactor);
}

static void retry(struct wr_reports *reports)
{
	wr_worker_process_retry(wr_container_of(reports, struct wr_worker_process, reports));
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_processes *self = wr_container_of(hook, struct wr_processes, hook);

	wr_reports_set_retry(&self->reports, retry);
	fill_places(self);
	tell_drained(self);
	if (!wr_list_is_empty(&self->reports.held) || has_start(self))
		return;
	self->has_hook = false;
	wr_reactor_remove_hook(self->reactor, hook);
}

/* ---- the end ---- */

uint32_t wr_processes_live_count(const struct wr_processes *self)
{
	uint32_t live = 0;

	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL && wr_worker_process_is_live(self->by_worker[i]))
			live++;
	return live;
}

uint32_t wr_processes_drain(struct wr_processes *self, wr_drained_fn *on_drained, void *context)
{
	uint32_t live;

	self->is_draining = true;
	self->on_drained = on_drained;
	self->context = context;
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_worker_process_drain(self->by_worker[i]);
	live = wr_processes_live_count(self);
	self->awaits_drained = live != 0;
	return live;
}

void wr_processes_kill(struct wr_processes *self)
{
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_worker_process_kill(self->by_worker[i]);
}

#ifdef __linux__
/*
 * Nobody outlives us: kills and buries until we have no child. With each one that dies its own
 * children become ours, so a tree takes as many rounds as it is deep. The loop has ended by now, so
 * waiting is allowed; who cannot be killed (in the middle of a device's work) is left after a
 * while. True when nobody is left.
 */
static bool end_strays(struct wr_processes *self)
{
	const struct timespec pause = {.tv_nsec = STRAY_PAUSE_NS};

	for (unsigned round = 0; round < STRAY_ROUND_COUNT_MAX; round++) {
		siginfo_t about = {.si_pid = 0};

		look_at_all(self);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT) != 0)
			return true; /* ECHILD: all gone */
		nanosleep(&pause, NULL);
	}
	return false;
}
#else
static bool end_strays(struct wr_processes *self)
{
	(void)self;
	return true;
}
#endif

void wr_processes_deinit(struct wr_processes *self)
{
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_worker_process_free(self->by_worker[i]);
	wr_allocator_free(self->allocator, self->by_worker,
			  self->by_worker_count * sizeof *self->by_worker);
	self->by_worker = NULL;
	self->by_worker_count = self->count = 0;
	wr_timer_cancel(self->reactor, &self->reap_timer);
	wr_timer_cancel(self->reactor, &self->sweep_timer);
	wr_reports_set_deinit(&self->reports);
	if (self->has_hook)
		wr_reactor_remove_hook(self->reactor, &self->hook);
	self->has_hook = false;
	if (end_strays(self) && self->ledger != NULL)
		wr_ledger_clear(self->ledger);
}
