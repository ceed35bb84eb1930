/*
 * reports — what an execution has to say of its Workers: recorded now, or kept in order until there
 * is room and memory for it.
 *
 * A record that is refused for now (WR_FULL, WR_OVERLOAD, WR_NO_MEMORY) holds its Worker: what
 *comes after it waits, and it is tried again at the end of later turns, when there is room, or at
 *least every 100 ms. Two kinds of things are recorded: reports, small ones of the execution itself,
 *which are kept here while they wait; and output, which stays where it is (in a pipe, a socket, a
 * buffer) and is given again. How long that is worth while is the execution's to say.
 *
 *	set:	init -> (hold, each)* -> deinit
 *	one:	init -> (put | output)* -> flush, when it is its turn -> deinit
 */
#ifndef WR_EXECUTION_REPORTS_H
#define WR_EXECUTION_REPORTS_H

#include "bytes/buf.h"
#include "containers/list.h"
#include "core/runtime.h"
#include "io/reactor/reactor.h"

struct wr_reports;

/* Those of all Workers of one execution. Placed by the caller; must not move. */
struct wr_reports_set {
	struct wr_reactor *reactor;
	struct wr_runtime *runtime; /* set before the first report */
	struct wr_list held;	    /* who has to be tried again */
	struct wr_list marker;	    /* in it, while it is walked through: where it ended */
	struct wr_timer retry_timer;
	/* Somebody has become held: there is something to do at the end of this turn or of a later
	 * one. */
	void (*want_turn)(struct wr_reports_set *self);
	/* Whether this, which was refused for now, is given up. */
	bool (*gives_up)(struct wr_reports *reports, enum wr_status status);
};

void wr_reports_set_init(struct wr_reports_set *self, struct wr_reactor *reactor,
			 void (*want_turn)(struct wr_reports_set *self),
			 bool (*gives_up)(struct wr_reports *reports, enum wr_status status));
/* No member is held any more, or all are forgotten. */
void wr_reports_set_deinit(struct wr_reports_set *self);

/* Takes each that is held off the list, once, and calls `retry`, which may hold it again: who does
 * not is asked for another turn, as what it recorded has to be written and shown. */
void wr_reports_set_retry(struct wr_reports_set *self, void (*retry)(struct wr_reports *reports));

/* ---- of one Worker ---- */

enum wr_report_kind {
	WR_REPORT_ERROR, /* code, text */
	WR_REPORT_TURN_START,
	WR_REPORT_TURN_END, /* code */
	WR_REPORT_RUN_END,  /* code */
	WR_REPORT_PHASE,    /* code, and text: its cause */
	WR_REPORT_ENDED
};

struct wr_report {
	uint8_t kind, code;
	uint16_t text_bytes;
};

/* No input is given and nothing starts while one waits, so only what one life can say comes
 * together: a beginning, a turn, an end. */
enum { WR_REPORT_COUNT_MAX = 24, WR_REPORT_TEXTS_BYTES_MAX = 16384 };

/* Placed by the caller; must not move. `turn` and `retry_at_ms` may be set, the rest is private. */
struct wr_reports {
	struct wr_reports_set *set;
	struct wr_list place; /* of those that are held */
	uint32_t worker;
	uint64_t turn; /* of TURN_START and TURN_END */
	struct wr_report items[WR_REPORT_COUNT_MAX];
	uint32_t count;
	struct wr_buf texts;  /* one after the other */
	bool waits_for_room;  /* else for memory */
	uint64_t retry_at_ms; /* not before, unless there is room */
	uint64_t since_ms;    /* when what is tried was refused first; 0: it was not */
};

void wr_reports_init(struct wr_reports *self, struct wr_reports_set *set,
		     struct wr_allocator *allocator, uint32_t worker);
void wr_reports_deinit(struct wr_reports *self);

/* Records it, behind what waits; or keeps it until it can be. The text is at most 65535 bytes. */
void wr_reports_put(struct wr_reports *self, enum wr_report_kind kind, uint8_t code,
		    struct wr_view text);

/* Records output; nothing may wait. True: done with, recorded or lost. False: it was refused for
 * now, and the Worker is held; give it again. */
bool wr_reports_output(struct wr_reports *self, const struct wr_output *output);
/* The same for whatever had this status. */
bool wr_reports_refused(struct wr_reports *self, enum wr_status status);

static inline bool wr_reports_are_waiting(const struct wr_reports *self)
{
	return self->count != 0;
}

/* It has to be tried again at the end of this turn or later. */
void wr_reports_hold(struct wr_reports *self);
static inline bool wr_reports_are_held(const struct wr_reports *self)
{
	return !wr_list_is_empty(&self->place);
}

/* Says in the log that something of a Worker will never be recorded. */
void wr_reports_note_loss(uint32_t worker, enum wr_status status);

/* Whether it is time to try again: not in every turn, as a try of something large that has no
 * memory costs as much as one that has. */
bool wr_reports_may_retry(const struct wr_reports *self);
/* Records what waits, as far as it goes: true when nothing is left. */
bool wr_reports_flush(struct wr_reports *self);

#endif
