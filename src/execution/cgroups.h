/*
 * cgroups — a control group for each child, where ours may be divided: whoever descends from the
 * child is in it, whatever sessions and parents he leaves, and all of them end with one write
 * (cgroup.kill, Linux 5.14).
 *
 * Ours may be divided when that was said: it has the mark of a delegation (systemd's Delegate=yes
 * sets it), or it is the root of what we can see, as in a container with a writable cgroup2. Else,
 * and elsewhere, there are none, which is said once in the log; then sessions, orphans and the
 * ledger have to do.
 *
 * A group's name tells whose it is: process namespace, number and start time of the process that
 * made it. Opening ends what processes that are gone have left in theirs.
 *
 *	open -> (add -> end -> sweep)* -> close
 */
#ifndef WR_EXECUTION_CGROUPS_H
#define WR_EXECUTION_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	WR_CGROUP_NONE = 0,
	WR_CGROUP_NAME_BYTES = 128,
	WR_CGROUP_LEAVING_MAX = 64 /* beyond: the oldest waits for close */
};

/* Placed by the caller; fields are private. */
struct wr_cgroups {
	int fd; /* the folder of ours; -1: it is not divided */
	uint32_t leaving_count;
	uint64_t leaving[WR_CGROUP_LEAVING_MAX]; /* ended, and not yet empty */
	uint64_t last;
	bool has_complained;
	size_t prefix_bytes;
	char prefix[WR_CGROUP_NAME_BYTES]; /* "wr-NAMESPACE-PID-START-" */
};

/* `path` NULL: our own group, if it may be divided; else this folder, as if it were that. False:
 * there are none, and the functions below do nothing. */
bool wr_cgroups_open(struct wr_cgroups *self, const char *path);
/* Kills who is left in ours, and removes what is empty. */
void wr_cgroups_close(struct wr_cgroups *self);

/* Makes one and puts a child into it that has not begun its program. WR_CGROUP_NONE: it could not,
 * said once. */
uint64_t wr_cgroups_add(struct wr_cgroups *self, pid_t pid);
/* Kills everybody in it; it goes when it is empty. */
void wr_cgroups_end(struct wr_cgroups *self, uint64_t cgroup);

/* Whether some that have ended are still there; removes those that are empty by now. */
static inline bool wr_cgroups_want_sweep(const struct wr_cgroups *self)
{
	return self->leaving_count != 0;
}
void wr_cgroups_sweep(struct wr_cgroups *self);

#endif
