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
	return wr_worker_process_admit(process, input, waiting);
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

static void on_reap_timer(struct wr_timer *timer)
{
	wr_processes_on_child_signal(wr_container_of(timer, struct wr_processes, reap_timer));
}

static void sweep(struct wr_processes *self);

static void on_sweep_timer(struct wr_timer *timer)
{
	sweep(wr_container_of(timer, struct wr_processes, sweep_timer));
}

void wr_processes_init(struct wr_processes *self, struct wr_reactor *reactor,
		       struct wr_allocator *allocator, uint32_t count_max, char *const *environment)
{
	*self = (struct wr_processes){
		.reactor = reactor,
		.allocator = allocator,
		.environment = environment,
		.count_max = count_max,
		.reap_timer = {.on_due = on_reap_timer},
		.sweep_timer = {.on_due = on_sweep_timer},
	};
	wr_list_init(&self->queue);
	wr_crew_init(&self->crew, &wr_worker_process_ops, reactor, allocator);
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
	wr_crew_attach(&self->crew, runtime);
	self->former_count = summary.worker_count;
}

/* ---- the dead ---- */

static bool has_child(const struct wr_processes *self, pid_t pid)
{
	struct wr_crew_member *member;

	for (uint32_t at = 0; (member = wr_crew_next(&self->crew, &at)) != NULL;)
		if (wr_worker_process_pid(wr_worker_process_of(member)) == pid)
			return true;
	return false;
}

static unsigned bury_children(struct wr_processes *self)
{
	struct wr_crew_member *member;
	unsigned buried = 0;

	for (uint32_t at = 0; (member = wr_crew_next(&self->crew, &at)) != NULL;)
		buried += wr_worker_process_reap(wr_worker_process_of(member));
	return buried;
}

struct sweep {
	struct wr_processes *set;
	unsigned killed;
};

/* A child in the session of a living one belongs to that one still. */
static bool is_orphan(const struct wr_processes *self, const struct wr_proc *proc)
{
	return proc->parent == getpid() && !proc->is_dead && !has_child(self, proc->pid) &&
	       (proc->session <= 0 || !has_child(self, proc->session));
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
		if (has_child(self, about.si_pid)) {
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

void wr_processes_on_child_signal(struct wr_processes *self)
{
	unsigned buried = bury_children(self);

	buried += bury_orphans(self);
	if (buried != 0)
		sweep_soon(self);
	wr_crew_tell_drained(&self->crew);
}

/* ---- the end of a turn ---- */

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
	wr_crew_deinit(&self->crew);
	self->count = 0;
	wr_timer_cancel(self->reactor, &self->reap_timer);
	wr_timer_cancel(self->reactor, &self->sweep_timer);
	if (end_strays(self) && self->ledger != NULL)
		wr_ledger_clear(self->ledger);
}
