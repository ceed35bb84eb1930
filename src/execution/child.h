/*
 * child — one running program: its pipes, its group, its end.
 *
 * Input waits in a bounded queue until the program reads. Output is handed on as it comes, a
 * bounded piece per turn; while its taker holds it back it is not read, also of a child that has
 * died meanwhile. The last of stderr is kept for whoever asks why it died. Ending goes through
 * stages, each after the grace of the one before, and never back:
 *
 *	RUNNING -> CLOSING (stdin closed) -> TERMINATING (TERM to the group) -> KILLING (KILL)
 *	RUNNING -> INTERRUPTING (INT) -> TERMINATING -> KILLING
 *
 * The end is decided by the death of the program, not by the end of its output: another process
 * may hold the pipes. Whoever learns of SIGCHLD calls wr_child_reap for each child. When one is
 * dead its whole group is killed, what is left in the pipes is handed on, and on_end comes as the
 * last call.
 *
 *	start -> (write | end | hold | resume | reap)* -> on_end; or deinit at any time
 */
#ifndef WR_EXECUTION_CHILD_H
#define WR_EXECUTION_CHILD_H

#include "bytes/buf.h"
#include "execution/spawn.h"
#include "io/reactor/reactor.h"

enum {
	/* The end of stderr that is kept. */
	WR_CHILD_STDERR_TAIL_BYTES = 1024,
	/* One read per child and turn. It may be thousands of short lines, each an event: 8 KiB of
	 * them took about half a millisecond, which is what a flooding child may cost the others.
	 */
	WR_CHILD_READ_BYTES = 8192
};

/* How it ended. Views and pointers are valid during the call. */
struct wr_child_end {
	struct wr_spawn_failure failure; /* stage not NONE: the program never ran */
	bool is_signalled;
	int number;	     /* of the signal, or the exit status */
	size_t unread_bytes; /* of its input that it never took */
	struct wr_view stderr_tail;
};

/* Called from the loop and from wr_child_reap; may call any function of the child but start and
 * deinit, which only on_end may. */
struct wr_child_events {
	/* Exec has succeeded. */
	void (*on_started)(void *context);
	/* Asked before each read of its output: false holds it, see wr_child_hold. */
	bool (*takes_output)(void *context);
	/* The bytes are lent until the next time, which may be long when it is held. */
	void (*on_output)(void *context, struct wr_view bytes);
	/* It has closed its output, and lives. */
	void (*on_output_end)(void *context);
	/* It is dead and reaped; the child may be used for another start, or freed. */
	void (*on_end)(void *context, const struct wr_child_end *end);
};

enum wr_child_stage {
	WR_CHILD_RUNNING,
	WR_CHILD_CLOSING,
	WR_CHILD_INTERRUPTING,
	WR_CHILD_TERMINATING,
	WR_CHILD_KILLING
};

/* Placed by the caller; must not move while it runs. Fields are private. */
struct wr_child {
	struct wr_reactor *reactor;
	const struct wr_child_events *events;
	void *context;
	pid_t pid; /* 0: none */
	enum wr_child_stage stage;
	bool is_started;
	bool closes_input; /* when the queue is empty */
	bool is_held;	   /* its output is not read */
	bool is_over;	   /* dead and reaped: only its output may still be there */
	uint32_t grace_ms;
	struct wr_child_end end;
	unsigned last_read_count; /* after its death */
	struct wr_watch status_watch, stdin_watch, stdout_watch, stderr_watch;
	struct wr_timer timer;
	struct wr_buf input; /* not yet taken: from input_at on */
	size_t input_at;
	size_t tail_bytes;
	char tail[WR_CHILD_STDERR_TAIL_BYTES];
	char output[WR_CHILD_READ_BYTES];
};

struct wr_child_config {
	struct wr_reactor *reactor;	      /* borrowed for life */
	struct wr_allocator *allocator;	      /* of the input queue */
	const struct wr_child_events *events; /* borrowed for life */
	void *context;
	size_t input_bytes_max;
	uint32_t grace_ms; /* between the stages of an end */
};

/* Starts the program. WR_OK; WR_IO, WR_NO_MEMORY (error filled); a failure leaves nothing. */
enum wr_status wr_child_start(struct wr_child *self, const struct wr_child_config *config,
			      const struct wr_spawn *spawn, struct wr_error *error);

/* Queues all of the bytes and writes what the pipe takes. WR_OK; WR_TOO_LARGE: no room;
 * WR_NO_MEMORY; WR_CLOSED: it reads no more, and none of these bytes was written. */
enum wr_status wr_child_write(struct wr_child *self, struct wr_view bytes);

/* Bytes that are queued. */
static inline size_t wr_child_queued(const struct wr_child *self)
{
	return self->input.bytes - self->input_at;
}

/* Goes on to a stage of the end, if it lies behind the one it is at. Stdin is closed when what was
 * queued is written. */
void wr_child_end(struct wr_child *self, enum wr_child_stage stage);

/* Leaves what it says in its pipe, so that it has to wait. */
void wr_child_hold(struct wr_child *self);
/* Goes on reading. Of a child that is dead the rest is read now, and on_end may come. False: it is
 * held still, for want of memory. */
bool wr_child_resume(struct wr_child *self);

/* Sees to it that a dead child is buried: true when it was; on_end was called, or comes when what
 * it has said may be read. */
bool wr_child_reap(struct wr_child *self);

/* Kills it if it runs, without waiting and without a call, and gives everything back. */
void wr_child_deinit(struct wr_child *self);

#endif
