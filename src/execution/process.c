/* The children of all Workers together: the port, the dead, the end. What happens to one of them is
 * worker_process.c's. */
#include "execution/process.h"

#include "check.h"
#include "execution/orphans.h"
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
	STABLE_MS = 10000,
	INTERRUPT_MS_MAX = 2000,
	/* Orphans buried in one turn; the rest waits for the next. */
	BURIAL_COUNT_MAX = 256,
	/* At the very end: half a second, looked at every millisecond. */
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
		.interrupt_ms_max = INTERRUPT_MS_MAX,
		.ready_ms_max = WR_CHILD_READY_MS_MAX,
		.backoff_ms_min = WR_CHILD_BACKOFF_MS_MIN,
		.backoff_ms_max = WR_CHILD_BACKOFF_MS_MAX,
		.stable_ms = STABLE_MS,
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

static enum wr_status admit(void *context, uint32_t worker, const struct wr_input *input)
{
	const struct wr_process_profile *profile = context;
	const struct wr_processes *self = profile->owner;
	const struct wr_worker_process *process = find(self, worker);

	if (self->is_draining)
		return WR_UNAVAILABLE;
	if (profile->mode == WR_PROCESS_LINE && input->kind == WR_INPUT_SYSTEM)
		return WR_OK;
	if (process != NULL && process->state != WR_PROCESS_NONE)
		return wr_worker_process_admit(process, input);
	return self->count < self->count_max ? WR_OK : WR_BUSY;
}

static void deliver(void *context, uint32_t worker, const struct wr_input *input, uint64_t sequence)
{
	const struct wr_process_profile *profile = context;
	struct wr_worker_process *process;

	(void)sequence;
	if (profile->mode == WR_PROCESS_LINE && input->kind == WR_INPUT_SYSTEM)
		return;
	process = find_or_make(profile->owner, profile, worker);
	if (process == NULL)
		wr_worker_process_report(profile->owner, worker,
					 WR_VIEW("cannot start the program: no memory"));
	else
		wr_worker_process_deliver(process, input);
}

static enum wr_status interrupt(void *context, uint32_t worker)
{
	const struct wr_process_profile *profile = context;
	struct wr_worker_process *process = find(profile->owner, worker);

	return process == NULL ? WR_CONFLICT : wr_worker_process_interrupt(process);
}

static void stop(void *context, uint32_t worker)
{
	const struct wr_process_profile *profile = context;
	struct wr_worker_process *process = find(profile->owner, worker);

	if (process == NULL)
		wr_runtime_execution_ended(profile->owner->runtime, worker);
	else
		wr_worker_process_stop(process);
}

static void cancel(void *context, uint32_t worker)
{
	const struct wr_process_profile *profile = context;
	struct wr_worker_process *process = find(profile->owner, worker);

	if (process == NULL)
		wr_runtime_execution_ended(profile->owner->runtime, worker);
	else
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
	return (struct wr_execution){.ops = &process_ops, .context = profile};
}

/* ---- beginning ---- */

static void on_reap_timer(struct wr_timer *timer)
{
	wr_processes_on_child_signal(wr_container_of(timer, struct wr_processes, reap_timer));
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
	};
	if (!wr_orphans_adopt())
		WR_LOG(WR_LOG_DEBUG, "no_subreaper", WR_LOG_NUMBER("pid", getpid()));
}

void wr_processes_attach(struct wr_processes *self, struct wr_runtime *runtime)
{
	self->runtime = runtime;
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

/* A child in the session of a living one belongs to that one still. */
static void end_orphan(void *context, pid_t pid)
{
	const struct wr_processes *self = context;
	pid_t session = getsid(pid);

	if (find_pid(self, pid) != NULL || (session > 0 && find_pid(self, session) != NULL))
		return;
	kill(pid, SIGKILL);
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

void wr_processes_on_child_signal(struct wr_processes *self)
{
	uint32_t live = wr_processes_live_count(self);
	unsigned buried = bury_children(self);

	buried += bury_orphans(self);
	/* With a process its children become ours: each burial may bring more. When those die the
	 * signal comes again, and so the last of a tree is found, too. */
	if (buried != 0)
		wr_orphans_each_child(end_orphan, self);
	if (self->is_draining && live != 0 && wr_processes_live_count(self) == 0 &&
	    self->on_drained != NULL)
		self->on_drained(self->context);
}

/* ---- the end ---- */

uint32_t wr_processes_live_count(const struct wr_processes *self)
{
	uint32_t live = 0;

	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL && wr_worker_process_pid(self->by_worker[i]) != 0)
			live++;
	return live;
}

uint32_t wr_processes_drain(struct wr_processes *self, wr_drained_fn *on_drained, void *context)
{
	self->is_draining = true;
	self->on_drained = on_drained;
	self->context = context;
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_worker_process_drain(self->by_worker[i]);
	return wr_processes_live_count(self);
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
 * while.
 */
static void end_strays(struct wr_processes *self)
{
	const struct timespec pause = {.tv_nsec = STRAY_PAUSE_NS};

	for (unsigned round = 0; round < STRAY_ROUND_COUNT_MAX; round++) {
		siginfo_t about = {.si_pid = 0};

		wr_orphans_each_child(end_orphan, self);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT) != 0)
			return; /* ECHILD: all gone */
		nanosleep(&pause, NULL);
	}
}
#else
static void end_strays(struct wr_processes *self)
{
	(void)self;
}
#endif

void wr_processes_deinit(struct wr_processes *self)
{
	wr_timer_cancel(self->reactor, &self->reap_timer);
	for (uint32_t i = 0; i < self->by_worker_count; i++)
		if (self->by_worker[i] != NULL)
			wr_worker_process_free(self->by_worker[i]);
	wr_allocator_free(self->allocator, self->by_worker,
			  self->by_worker_count * sizeof *self->by_worker);
	self->by_worker = NULL;
	self->by_worker_count = self->count = 0;
	end_strays(self);
}
