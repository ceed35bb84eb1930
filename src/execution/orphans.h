/*
 * orphans — what children leave behind: processes whose parents died and that became ours.
 *
 * A process that leaves its group and session escapes a group kill; with the subreaper attribute
 * (Linux) it becomes our child when its parent dies, and can be found and ended. Elsewhere there
 * are no orphans of ours, and these functions find none.
 */
#ifndef WR_EXECUTION_ORPHANS_H
#define WR_EXECUTION_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

/* From now on orphans among our descendants become our children. False where there is no such
 * thing. */
bool wr_orphans_adopt(void);

/* Calls fn for every child of this process that is alive. Such a pid cannot mean another process:
 * nobody but us can reap it. */
typedef void wr_orphans_fn(void *context, pid_t pid);
void wr_orphans_each_child(wr_orphans_fn *fn, void *context);

#endif
