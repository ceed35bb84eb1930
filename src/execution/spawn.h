/*
 * spawn — a new process with three pipes: fork and exec done so that nothing of ours leaks into it.
 *
 * Between fork and exec only async-signal-safe calls (reliability 10). The child leads a session
 * and a process group of its own, so that kill(-pid) means it and what it started; it dies with us
 * (Linux); dispositions, mask, umask and limits are reset; it has the descriptors 0, 1 and 2 and no
 * other; it can gain no privileges. A pipe tells whether exec succeeded: see wr_spawn_failure.
 * Another holds it back until its number is noted (ledger.h): its program cannot begin before.
 */
#ifndef WR_EXECUTION_SPAWN_H
#define WR_EXECUTION_SPAWN_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct wr_spawn {
	const char *path; /* the program's file; relative to cwd */
	char *const *argv;
	char *const *environment;
	const char *cwd; /* NULL: stays where we are */
	/* 0: no limit of ours. */
	uint64_t address_space_bytes_max;
	uint64_t file_bytes_max;
	uint64_t cpu_seconds_max; /* processor time; XCPU a second before */
	uint64_t open_files_max;
	/* Called when there is a child, which waits meanwhile. 0: it may go on; else it fails with
	 * this errno. NULL: it may. */
	int (*may_begin)(void *context, pid_t pid);
	void *context;
};

/* Our ends; all close-on-exec and non-blocking, never 0 to 2. */
struct wr_spawned {
	pid_t pid;
	int stdin_fd, stdout_fd, stderr_fd;
	int status_fd; /* ends when exec has succeeded; else a failure can be read */
};

/* What ended a child before its program began. */
struct wr_spawn_failure {
	int32_t stage; /* enum wr_spawn_stage */
	int32_t os_error;
};
enum wr_spawn_stage { WR_SPAWN_NONE, WR_SPAWN_SETUP, WR_SPAWN_CWD, WR_SPAWN_EXEC };

/* Starts it. WR_OK; WR_IO with os_error and detail "pipe" or "fork"; a failure leaves nothing. */
enum wr_status wr_spawn(struct wr_spawned *out, const struct wr_spawn *spawn,
			struct wr_error *error);

/* Asks the status pipe. WR_MORE: nothing is known yet; WR_OK: *failure is filled, its stage is
 * WR_SPAWN_NONE when the program runs. */
enum wr_status wr_spawn_read_failure(struct wr_spawn_failure *failure, int status_fd);

/* When memory is short the child, whose program has begun, goes before us. Until then it is as
 * little open to its own user as we are (PR_SET_DUMPABLE), and cannot say so itself unless it is
 * root's. */
void wr_spawn_offer(pid_t pid);

/* "ENOENT", ...; "errno" for numbers without a name here. Static. */
const char *wr_os_error_name(int number);

#endif
