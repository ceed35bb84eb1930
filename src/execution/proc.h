/*
 * proc — what the system tells about processes that are not ours to wait for.
 *
 * Linux: /proc. Elsewhere nothing is known: no process is found, none has a start time, and so
 * nobody is ever signalled on account of what is read here.
 */
#ifndef WR_EXECUTION_PROC_H
#define WR_EXECUTION_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct wr_proc {
	pid_t pid, parent, group, session;
	bool is_dead; /* a zombie: only its number is left */
	/* Clock ticks from the boot to its start: with the number it names one process of this
	 * boot. */
	uint64_t start;
};

/* False when there is no such process, or nothing can be known of it. */
bool wr_proc_read(struct wr_proc *out, pid_t pid);

/* Whether it is this very process that still lives under its number. */
bool wr_proc_is_alive(const struct wr_proc *proc);

/* Calls fn for every process, the dead ones too. */
typedef void wr_proc_fn(void *context, const struct wr_proc *proc);
void wr_proc_each(wr_proc_fn *fn, void *context);

/* Whether its environment, as it was when its program began, has this entry ("NAME=value"). */
bool wr_proc_has_variable(pid_t pid, const char *entry);

/* Sends SIGKILL to this very process: never to another that has its number by now, as far as the
 * system lets us be sure. */
void wr_proc_kill(const struct wr_proc *proc);

/*
 * Where numbers and start times have a meaning: the boot, and the process namespace within it (its
 * first process: a container that starts again has other processes of the same numbers). An opaque
 * text; empty when nothing can be known.
 */
enum { WR_PROC_PLACE_BYTES = 64 };
void wr_proc_place(char out[WR_PROC_PLACE_BYTES]);

#endif
