/*
 * orphans — what children leave behind: processes whose parents died and that became ours.
 *
 * A process that leaves its group and session escapes a group kill; with the subreaper attribute
 * (Linux) it becomes our child when its parent dies, and can be found (proc.h) and ended. Elsewhere
 * there are no orphans of ours.
 */
#ifndef WR_EXECUTION_ORPHANS_H
#define WR_EXECUTION_ORPHANS_H

#include <stdbool.h>

/* From now on orphans among our descendants become our children. False where there is no such
 * thing. */
bool wr_orphans_adopt(void);

#endif
