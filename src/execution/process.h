/*
 * process — Workers that are real programs: the execution port over child processes.
 *
 * A profile says which program, how it is spoken to and how long it may take; `wr_processes` holds
 * the children of all profiles. A child starts at its Worker's first input and again at the first
 * input after it ended; a program that dies often is started ever later. README.md beside this
 * file shows what a program sees.
 *
 *	line    a pipe without turns: an input is written to stdin as it is, each line of stdout
 *		is a message. Busy only while the input queue is full. `system` input is only
 *		recorded.
 *	jsonl   one JSON object per line both ways (jsonl.h): `input` begins a turn, `done` ends
 *		it.
 *
 * However a program behaves, it is events of its own Worker and nothing else: output is bounded
 * per turn, and not read while the Runtime has no room for it; lines by WR_CHILD_LINE_BYTES_MAX,
 * children by their count; its death, garbage, silence or flood is typed. Nothing outlives its
 * child: group, session and orphans are killed with it. A process that has left both its parent
 * and its session has no owner any more, and goes when the next child ends.
 *
 *	init -> use_ledger -> attach -> (operations of the Runtime | on_child_signal)* -> drain ->
 *	deinit
 *
 * The program must watch SIGCHLD and ignore SIGPIPE (io/reactor/signal.h does both), and, on
 * Linux, have no other children: what it has not heard of are orphans here.
 */
#ifndef WR_EXECUTION_PROCESS_H
#define WR_EXECUTION_PROCESS_H

#include "containers/list.h"
#include "execution/cgroups.h"
#include "execution/crew.h"
#include "execution/ledger.h"
#include "execution/program.h"
#include "io/reactor/reactor.h"

enum wr_process_mode { WR_PROCESS_LINE, WR_PROCESS_JSONL };

/* A program that has ended without being asked to is started again:
 *
 *	on-input  at the next input
 *	always    at once, and by its back-off if that was early; also after an end with status 0.
 *		  It has to have been started by an input of this life of ours before
 *	never     not at all: from its end on input is refused (WR_REJECTED), also when it ended
 *		  with the Runtime
 *
 * Nothing that was given to the one that ended is given to the next. */
enum wr_restart { WR_RESTART_ON_INPUT, WR_RESTART_ALWAYS, WR_RESTART_NEVER };

/* Set with wr_process_profile_init, then change what differs. Borrowed, as is all it points to, for
 * as long as a Worker has it. */
struct wr_process_profile {
	char *const *argv; /* NULL-terminated; argv[0] is looked for in the children's PATH */
	enum wr_process_mode mode;
	const char *cwd;		      /* NULL: stays where we are */
	const char *const *environment_names; /* what a child inherits */
	uint32_t grace_ms;		      /* between the stages of an end */
	uint32_t interrupt_ms_max;	      /* jsonl: from `cancel` to `done` */
	uint32_t ready_ms_max;		      /* jsonl: from the start to `ready` */
	uint32_t backoff_ms_min, backoff_ms_max;
	uint32_t stable_ms; /* who lives so long has not died early */
	enum wr_restart restart;
	uint64_t address_space_bytes_max; /* 0: no limit of ours */
	uint64_t file_bytes_max;	  /* 0: no limit of ours */
	uint64_t cpu_seconds_max;	  /* 0: no limit of ours */
	uint64_t open_files_max;
	struct wr_crew_port port; /* private */
};

void wr_process_profile_init(struct wr_process_profile *self, char *const *argv,
			     enum wr_process_mode mode);

/* Placed by the caller; must not move. Fields are private. */
struct wr_processes {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	char *const *environment;
	uint32_t count_max;
	uint32_t count;		    /* children, and starts that wait for their time */
	uint32_t former_count;	    /* Workers of before this life */
	struct wr_ledger *ledger;   /* NULL: none */
	struct wr_cgroups *cgroups; /* NULL: none */
	struct wr_list queue;	    /* Workers that wait for a place among the children */
	struct wr_crew crew;
	uint64_t swept_ms;
	struct wr_timer reap_timer, sweep_timer;
};

/* `environment` is the program's own (environ), or NULL for an empty one; borrowed. */
void wr_processes_init(struct wr_processes *self, struct wr_reactor *reactor,
		       struct wr_allocator *allocator, uint32_t count_max,
		       char *const *environment);

/* Where children are noted, so that the next process can end what this one could not; before the
 * first input, open, and for longer than this lives. */
void wr_processes_use_ledger(struct wr_processes *self, struct wr_ledger *ledger);

/* The same for where each has a control group of its own. */
void wr_processes_use_cgroups(struct wr_processes *self, struct wr_cgroups *cgroups);

/* The Runtime whose Workers they are; before its first input. */
void wr_processes_attach(struct wr_processes *self, struct wr_runtime *runtime);

/* What runs a Worker of this profile. */
struct wr_execution wr_processes_execution(struct wr_processes *self,
					   struct wr_process_profile *profile);

/* SIGCHLD came (or may have come): buries the dead and ends what they left behind. */
void wr_processes_on_child_signal(struct wr_processes *self);

/* Children that are not yet buried, and Workers whose last reports are not yet recorded. */
static inline uint32_t wr_processes_live_count(const struct wr_processes *self)
{
	return wr_crew_live_count(&self->crew);
}

/* The Runtime goes away: no input is taken any more and every child is ended in good order. Workers
 * stay what they are; an open turn becomes `interrupted`, and so does an input that was accepted
 * and becomes visible only now. on_drained is called when no child is left, but not from here: none
 * at all when the result, the live count, is 0. */
static inline uint32_t wr_processes_drain(struct wr_processes *self, wr_drained_fn *on_drained,
					  void *context)
{
	return wr_crew_drain(&self->crew, on_drained, context);
}

/* Kills every child at once. */
void wr_processes_kill(struct wr_processes *self);

/* Kills what still runs, without waiting, and gives everything back. Before wr_runtime_free or
 * after; the Runtime is not called. */
void wr_processes_deinit(struct wr_processes *self);

#endif
