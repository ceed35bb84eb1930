/* The dead among our children, and what they leave behind: orphans, sessions, control groups. */
#include "execution/worker_process.h"

#include "execution/orphans.h"
#include "execution/proc.h"
#include "io/log.h"

#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Orphans buried in one turn; the rest waits for the next. */
	BURIAL_COUNT_MAX = 256,
	/* Between two walks over all processes: each costs as much as there are. */
	SWEEP_MS = 20,
	/* While a session lives on whose leader is dead. */
	SWEEP_AGAIN_MS = 1000,
	/* At the very end: half a second, looked at every millisecond. */
	STRAY_ROUND_COUNT_MAX = 500,
	STRAY_PAUSE_NS = 1000000
};

/* ---- children ---- */

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

/* ---- what they leave behind ---- */

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

static void on_sweep_timer(struct wr_timer *timer)
{
	sweep(wr_container_of(timer, struct wr_processes, sweep_timer));
}

/* ---- burials ---- */

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

static void on_reap_timer(struct wr_timer *timer)
{
	wr_processes_on_child_signal(wr_container_of(timer, struct wr_processes, reap_timer));
}

void wr_processes_begin_burials(struct wr_processes *self)
{
	self->reap_timer.on_due = on_reap_timer;
	self->sweep_timer.on_due = on_sweep_timer;
	if (!wr_orphans_adopt())
		WR_LOG(WR_LOG_DEBUG, "no_subreaper", WR_LOG_NUMBER("pid", getpid()));
}

/* ---- the end ---- */

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

void wr_processes_end_burials(struct wr_processes *self)
{
	wr_timer_cancel(self->reactor, &self->reap_timer);
	wr_timer_cancel(self->reactor, &self->sweep_timer);
	if (end_strays(self) && self->ledger != NULL)
		wr_ledger_clear(self->ledger);
}
