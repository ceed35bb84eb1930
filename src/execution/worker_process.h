/*
 * worker_process — one Worker's program from start to start. Private to this folder.
 *
 *	NONE -deliver-> STARTING -exec, ready-> OPEN -end of any kind-> ENDING -reaped-> NONE
 *	    \-no free place-> QUEUED -/
 *	     \-too early-> WAITING --/
 *
 * One input may wait (`pending`) while the program is not there: in line mode the bytes for stdin,
 * to which more can come, in jsonl mode the content of one turn.
 *
 * What it reports is recorded in order. When a record is refused for now (no room, no memory), it
 * and all later reports wait, no output is read, no input is given, nothing is started; it is
 * tried again at the end of later turns.
 */
#ifndef WR_EXECUTION_WORKER_PROCESS_H
#define WR_EXECUTION_WORKER_PROCESS_H

#include "containers/list.h"
#include "execution/child.h"
#include "execution/line_reader.h"
#include "execution/process.h"

enum wr_process_state {
	WR_PROCESS_NONE,
	WR_PROCESS_QUEUED,  /* for a place among the children */
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
	struct wr_view line; /* the one that is being taken, with has_line */
	bool has_line;
	bool is_deaf;		/* nothing of it is heard any more */
	bool has_closed_output; /* before it died */
	bool is_over;		/* `end` is known, but not yet told */
	struct wr_child_end end;
	struct wr_buf texts;	  /* of the message that is read */
	unsigned protocol_errors; /* told since the last input */
	uint32_t ledger_row;
	uint64_t cgroup;
};

struct wr_worker_process {
	struct wr_processes *set;
	const struct wr_process_profile *profile;
	struct wr_running *running;
	enum wr_process_state state;
	enum wr_process_reason reason;
	bool is_ready; /* since this start: exec succeeded, or `ready` came */
	bool has_pending;
	bool is_in_turn;
	bool is_cancelling; /* the program was asked to end its turn */
	bool is_killed;	    /* the end of the Runtime does not wait for it any more */
	bool has_ended;	    /* a program of it has run and ended */
	bool wants_start;   /* without an input: WR_RESTART_ALWAYS */
	enum wr_input_kind pending_kind;
	uint64_t lost_bytes; /* of input that this child was started for and never took */
	uint32_t early_deaths;
	uint64_t started_ms, not_before_ms;
	struct wr_timer timer; /* back-off, ready, cancel: one at a time */
	struct wr_buf pending;
	struct wr_crew_member member;
	struct wr_list queue_node; /* of those that wait for a place */
};

extern const struct wr_crew_ops wr_worker_process_ops;

static inline struct wr_worker_process *wr_worker_process_of(struct wr_crew_member *member)
{
	return wr_container_of(member, struct wr_worker_process, member);
}

void wr_worker_process_kill(struct wr_worker_process *self);

/* 0: none. */
pid_t wr_worker_process_pid(const struct wr_worker_process *self);
/* Its start waits: for a place, or for its time. */
static inline bool wr_worker_process_is_waiting(const struct wr_worker_process *self)
{
	return self->state == WR_PROCESS_WAITING || self->state == WR_PROCESS_QUEUED;
}
/* Nothing of it runs, and there is nothing to run it for. */
bool wr_worker_process_is_at_rest(const struct wr_worker_process *self);
/* Of one whose program has run, when that is the end of it (WR_RESTART_NEVER). */
bool wr_worker_process_is_done(const struct wr_worker_process *self);
/* Buries a dead child: true when there was one. */
bool wr_worker_process_reap(struct wr_worker_process *self);

/* ---- of all together (process.c) ---- */

/* Starts those that wait, as many as there are places. True: not all of these are filled. */
bool wr_processes_on_turn(struct wr_crew *crew);

/* ---- the dead (burial.c) ---- */

void wr_processes_begin_burials(struct wr_processes *self);
/* Kills and buries whoever is left, for a moment at most. */
void wr_processes_end_burials(struct wr_processes *self);

/* ---- its start (worker_start.c) ---- */

/* Now, or when it has a place, or when it is time. */
void wr_worker_process_start(struct wr_worker_process *self);
/* It has a place now. */
void wr_worker_process_begin(struct wr_worker_process *self);
/* It is started without an input; reports come first. */
void wr_worker_process_want_start(struct wr_worker_process *self);
/* It is time. */
void wr_worker_process_launch(struct wr_worker_process *self);

/* ---- what a start needs of its life (worker_process.c) ---- */

extern const struct wr_child_events wr_worker_child_events;
/* Goes on to a stage of its end, for this reason unless there is a stronger one. */
void wr_worker_process_end(struct wr_worker_process *self, enum wr_process_reason reason,
			   enum wr_child_stage stage);
/* Its place among the children is free again. */
void wr_worker_process_give_place_back(struct wr_worker_process *self);

/* ---- what the program is given (worker_input.c) ---- */

/* Whether one that is not at rest takes another input. */
enum wr_status wr_worker_input_admit(const struct wr_worker_process *self,
				     const struct wr_input *input,
				     const struct wr_undelivered *waiting);
void wr_worker_input_deliver(struct wr_crew_member *member, const struct wr_input *input,
			     uint64_t sequence);
/* Gives a message to the program, and back the buffer. As wr_child_write. */
enum wr_status wr_worker_input_write(struct wr_worker_process *self, struct wr_buf *message);
/* It takes input from now on, and is given what it was started for. */
void wr_worker_input_open(struct wr_worker_process *self, struct wr_view cause);
/* Gives what had to wait, or starts the program that will take it. */
void wr_worker_input_give_waiting(struct wr_worker_process *self);
/* Forgets what had to wait. */
void wr_worker_input_drop(struct wr_worker_process *self);

/* What the program says to it: `ready`, and `done` of the running turn. */
void wr_worker_process_ready(struct wr_worker_process *self);
void wr_worker_process_turn_done(struct wr_worker_process *self, enum wr_run_result result);

/* ---- what the program says (worker_output.c) ---- */

/* Bytes of its stdout, cut anywhere: lent until all of them are taken. */
void wr_worker_output(struct wr_worker_process *self, struct wr_view bytes);
/* Goes on with them; and after the last of them. False: it is held, and called again later. */
bool wr_worker_output_resume(struct wr_worker_process *self);
bool wr_worker_output_end(struct wr_worker_process *self);
/* Forgets what is not yet taken, and hears no more. */
void wr_worker_output_drop(struct wr_worker_process *self);

/* ---- what its end means (worker_death.c) ---- */

/* It ended without being asked to: well, or as an error event and the phase `failed`. */
void wr_worker_process_judge(struct wr_worker_process *self, const struct wr_child_end *end);
/* The same for a start that was not even tried. */
void wr_worker_process_fail_start(struct wr_worker_process *self, int os_error);
/* The phase `failed`; the next start may have to wait. */
void wr_worker_process_fail(struct wr_worker_process *self, struct wr_view cause);

/* ---- records (worker_records.c) ---- */

/* Reports: recorded now, or kept until they can be. */
void wr_worker_process_phase(struct wr_worker_process *self, enum wr_phase phase,
			     struct wr_view cause);
void wr_worker_process_error(struct wr_worker_process *self, struct wr_view message);
void wr_worker_process_say(struct wr_worker_process *self, enum wr_report_kind kind, uint8_t code);
void wr_worker_process_ended(struct wr_worker_process *self);

/* An event that the program has made. True: done with, recorded or lost. False: it was refused for
 * now, and the process is held; give it again. */
static inline bool wr_worker_process_output(struct wr_worker_process *self,
					    const struct wr_output *output)
{
	return wr_reports_output(&self->member.reports, output);
}
/* The same for whatever had no memory. */
static inline bool wr_worker_process_refused(struct wr_worker_process *self, enum wr_status status)
{
	return wr_reports_refused(&self->member.reports, status);
}

static inline bool wr_worker_process_has_reports(const struct wr_worker_process *self)
{
	return wr_reports_are_waiting(&self->member.reports);
}

/* Whether its output can be recorded now, as far as that is known. */
bool wr_worker_process_takes_output(const struct wr_worker_process *self);
/* It has to be tried again at the end of this turn or later. */
static inline void wr_worker_process_hold(struct wr_worker_process *self)
{
	wr_reports_hold(&self->member.reports);
}
/* Of what was refused for now. */
bool wr_worker_process_gives_up(struct wr_reports *reports, enum wr_status status);

#endif
