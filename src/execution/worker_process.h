/*
 * worker_process — one Worker's program from start to start. Private to this folder.
 *
 *	NONE --deliver--> STARTING --exec, ready--> OPEN --end of any kind--> ENDING --reaped-->
 *NONE
 *	     \--too early--> WAITING --/
 *
 * One input may wait (`pending`) while the program is not there: in line mode the bytes for stdin,
 *to which more can come, in jsonl mode the content of one turn.
 */
#ifndef WR_EXECUTION_WORKER_PROCESS_H
#define WR_EXECUTION_WORKER_PROCESS_H

#include "execution/child.h"
#include "execution/line_reader.h"
#include "execution/process.h"

enum wr_process_state {
	WR_PROCESS_NONE,
	WR_PROCESS_WAITING, /* for its back-off */
	WR_PROCESS_STARTING,
	WR_PROCESS_OPEN,
	WR_PROCESS_ENDING
};

/* Why we end it: decides what its death means. */
enum wr_process_reason {
	WR_PROCESS_BY_ITSELF,
	WR_PROCESS_FAULTY, /* said so in an event already */
	WR_PROCESS_INTERRUPTED,
	WR_PROCESS_DRAINED,
	WR_PROCESS_STOPPED,
	WR_PROCESS_CANCELLED
};

/* What exists only while there is a child. */
struct wr_running {
	struct wr_child child;
	struct wr_line_reader lines;
	struct wr_buf texts;	  /* of the message that is read */
	unsigned protocol_errors; /* told since the last input */
};

struct wr_worker_process {
	struct wr_processes *set;
	const struct wr_process_profile *profile;
	struct wr_running *running;
	uint32_t worker;
	enum wr_process_state state;
	enum wr_process_reason reason;
	bool is_ready; /* since this start: exec succeeded, or `ready` came */
	bool has_pending;
	bool is_in_turn;
	bool is_cancelling; /* the program was asked to end its turn */
	enum wr_input_kind pending_kind;
	uint64_t turn;
	uint64_t lost_bytes; /* of input that this child was started for and never took */
	uint32_t early_deaths;
	uint64_t started_ms, not_before_ms;
	struct wr_timer timer; /* back-off, ready, cancel: one at a time */
	struct wr_buf pending;
};

/* NULL without memory. */
struct wr_worker_process *wr_worker_process_new(struct wr_processes *set,
						const struct wr_process_profile *profile,
						uint32_t worker);
void wr_worker_process_free(struct wr_worker_process *self);

/* The operations of the port, for a Worker that has a process. */
enum wr_status wr_worker_process_admit(const struct wr_worker_process *self,
				       const struct wr_input *input);
void wr_worker_process_deliver(struct wr_worker_process *self, const struct wr_input *input);
enum wr_status wr_worker_process_interrupt(struct wr_worker_process *self);
void wr_worker_process_stop(struct wr_worker_process *self);
void wr_worker_process_cancel(struct wr_worker_process *self);
void wr_worker_process_drain(struct wr_worker_process *self);
void wr_worker_process_kill(struct wr_worker_process *self);

/* 0: none. */
pid_t wr_worker_process_pid(const struct wr_worker_process *self);
/* Buries a dead child: true when there was one. */
bool wr_worker_process_reap(struct wr_worker_process *self);

/* ---- what the program says (worker_output.c) ---- */

/* Bytes of its stdout, cut anywhere; and after the last of them. */
void wr_worker_output(struct wr_worker_process *self, struct wr_view bytes);
void wr_worker_output_end(struct wr_worker_process *self);

/* What it means to the life of the process: `ready`, and `done` of the running turn. */
void wr_worker_process_ready(struct wr_worker_process *self);
void wr_worker_process_turn_done(struct wr_worker_process *self, enum wr_run_result result);

/* ---- what its end means (worker_death.c) ---- */

/* It ended without being asked to: well, or as an error event and the phase `failed`. */
void wr_worker_process_judge(struct wr_worker_process *self, const struct wr_child_end *end);
/* The same for a start that was not even tried. */
void wr_worker_process_fail_start(struct wr_worker_process *self, int os_error);
/* The phase `failed`; the next start may have to wait. */
void wr_worker_process_fail(struct wr_worker_process *self, struct wr_view cause);

/* ---- records ---- */

void wr_worker_process_phase(struct wr_worker_process *self, enum wr_phase phase,
			     struct wr_view cause);
void wr_worker_process_output(struct wr_worker_process *self, const struct wr_output *output);
/* An error event of a Worker. */
void wr_worker_process_report(struct wr_processes *set, uint32_t worker, struct wr_view message);

#endif
