/*
 * process — the real program as a child of a test: started, watched, stopped within time limits.
 *
 *	struct wr_process server;
 *	wr_process_start(&server, WR_ARGUMENTS("--local-token", "secret"), NULL);
 *	... talk to server.address (client.h) ...
 *	CHECK_U64(wr_process_stop(&server), 0);
 *
 * What it prints is collected while these functions wait. A test that fails, or forgets to stop it,
 * leaves it to the harness, which ends the test's whole process group; a program that ended badly
 * (a sanitizer's report, for example) has its output shown.
 */
#ifndef WR_TESTS_HARNESS_PROCESS_H
#define WR_TESTS_HARNESS_PROCESS_H

#include "harness/harness.h"

#include <sys/types.h>

enum {
	WR_PROCESS_OUTPUT_BYTES_MAX = 65536, /* kept of each stream: the first bytes */
	WR_PROCESS_SIGNALLED = 256	     /* added to the number of the signal that ended it */
};

/* For anything it is waited for. */
#define WR_PROCESS_WAIT_MS ((unsigned)wr_test_patience(8000))

struct wr_process {
	pid_t pid;
	bool is_running;
	int exit_code; /* once ended: its code, or WR_PROCESS_SIGNALLED + signal */
	int out_fd, err_fd;
	size_t out_bytes, err_bytes;
	char out[WR_PROCESS_OUTPUT_BYTES_MAX + 1]; /* NUL-terminated */
	char err[WR_PROCESS_OUTPUT_BYTES_MAX + 1];
	char address[128]; /* after `listening on`: "127.0.0.1:40123", "unix:/tmp/x" */
};

/* A list of strings for the functions below; for none give NULL. */
#define WR_ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The program: $WR_BUILD/worker-runtime, without WR_BUILD the one beside this test's folder. */
const char *wr_process_program(void);

/* Starts it with `--bind 127.0.0.1:0` and the arguments (a later --bind wins) and waits until it
 * says `listening on ADDRESS;`. `environment`: "NAME=VALUE" strings besides ours. Fails the test
 * when it ends or does not say so in time. */
void wr_process_start(struct wr_process *self, const char *const *arguments,
		      const char *const *environment);

/* The same for $WR_BUILD/workspace-server with `--listen 127.0.0.1:0`. */
void wr_process_start_backend(struct wr_process *self, const char *const *arguments,
			      const char *const *environment);

/* Starts any program with exactly these arguments and does not wait. `path` NULL: the program. */
void wr_process_spawn(struct wr_process *self, const char *path, const char *const *arguments,
		      const char *const *environment);

/* Runs the program with exactly these arguments to its end; gives its exit code. For command lines
 * that print something or are refused. */
int wr_process_run(struct wr_process *self, const char *const *arguments,
		   const char *const *environment);

/* Waits until stderr holds the text (searched from its beginning). False when it ended or time is
 * over; `ms` 0 looks at what is there. */
bool wr_process_wait_text(struct wr_process *self, const char *text, unsigned ms);

void wr_process_signal(struct wr_process *self, int number);

/* Waits for the end and gives the exit code; fails the test when it does not end in time. */
int wr_process_wait(struct wr_process *self, unsigned ms);

/* SIGTERM, then wait. */
int wr_process_stop(struct wr_process *self);

/* Whether it has not ended. */
bool wr_process_is_alive(struct wr_process *self);

/* From /proc; 0 where there is none. */
size_t wr_process_rss_bytes(const struct wr_process *self);
size_t wr_process_fd_count(const struct wr_process *self);
/* User and system time used so far. */
uint64_t wr_process_cpu_ms(const struct wr_process *self);

/* Whether this build has sanitizers, which make sizes and times meaningless. */
bool wr_process_is_sanitized(void);

/* Whether an emulator runs it, whose arguments, environment and memory are what /proc shows. */
bool wr_process_is_emulated(const struct wr_process *self);

/* Milliseconds of the monotonic clock, for deadlines in tests. */
uint64_t wr_process_now_ms(void);

#endif
