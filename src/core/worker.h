/*
 * worker — one Worker: status, phase, the allowed moves between phases, what it keeps.
 *
 * `status` is the contract's word (running, stopped, cancelled: terminal ones never change again);
 * `phase` is what it is doing. Every phase change is a record of the log with its cause; the
 * allowed ones are one table (wr_phase_allows). Structs are visible for reading by wire and
 * observe; only core writes them.
 */
#ifndef WR_CORE_WORKER_H
#define WR_CORE_WORKER_H

#include "containers/list.h"
#include "core/command.h"
#include "core/event_log.h"
#include "core/execution.h"
#include "core/input_queue.h"
#include "core/transcript.h"
#include "bounds.h"

enum wr_worker_status { WR_WORKER_RUNNING, WR_WORKER_STOPPED, WR_WORKER_CANCELLED };

/* X(NAME, name) */
#define WR_PHASE_LIST(X)              \
	X(STARTING, "starting")       \
	X(IDLE, "idle")               \
	X(BUSY, "busy")               \
	X(WAITING, "waiting")         \
	X(STOPPING, "stopping")       \
	X(STOPPED, "stopped")         \
	X(FAILED, "failed")           \
	X(INTERRUPTED, "interrupted") \
	X(CANCELLED, "cancelled")

enum wr_phase {
#define WR_PHASE_ENUM(name, text) WR_PHASE_##name,
	WR_PHASE_LIST(WR_PHASE_ENUM)
#undef WR_PHASE_ENUM
};
enum { WR_PHASE_COUNT = WR_PHASE_CANCELLED + 1 };

/* "starting", ... Static. */
const char *wr_phase_name(enum wr_phase phase);
const char *wr_worker_status_name(enum wr_worker_status status);

/* Whether a Worker may go from one phase to the other. */
bool wr_phase_allows(enum wr_phase from, enum wr_phase to);

/* stopping, stopped, cancelled: only a stop or cancel leads there. */
bool wr_phase_is_end(enum wr_phase phase);

/* An unfinished block of output that a snapshot shows (contract 4, InFlightBlock). */
enum wr_block_kind { WR_BLOCK_TEXT, WR_BLOCK_THINKING, WR_BLOCK_TOOL_CALL };
enum wr_block_state { WR_BLOCK_PENDING, WR_BLOCK_STREAMING_ARGS, WR_BLOCK_DONE };

struct wr_block {
	enum wr_block_kind kind;
	enum wr_block_state state;
	bool is_finished;
	struct wr_buf id, name; /* tool calls */
	struct wr_buf text;	/* text, or arguments */
};

struct wr_in_flight {
	uint32_t count;
	size_t bytes;
	struct wr_block blocks[WR_IN_FLIGHT_BLOCK_COUNT_MAX];
};

/* What can change about a Worker, as of some point of the log. */
struct wr_face {
	enum wr_worker_status status;
	enum wr_phase phase;
	uint64_t last_event_id; /* of create, accepted input, stop, cancel */
	uint64_t last_sequence; /* of its newest record of any kind */
	uint64_t turn_count;
	uint64_t item_count; /* transcript items ever */
};

struct wr_worker {
	uint32_t number; /* from 1, in creation order; scope of its cursors */
	struct wr_view id;
	/* `now` is what decisions see: the head of the log. `shown` is what may be told: as of
	 * wr_runtime_visible (design 2). */
	struct wr_face now, shown;
	uint64_t created_sequence;
	int64_t created_wall_ms;
	struct wr_create request; /* views into `block` */
	void *block;		  /* id and request texts */
	size_t block_bytes;
	struct wr_transcript transcript;
	struct wr_event_stream events;
	struct wr_in_flight *in_flight; /* NULL when nothing is unfinished */
	/* What runs it; ops NULL: nothing does. */
	struct wr_execution execution;
	bool is_execution_live;	     /* between start and end, as told by the execution */
	bool is_end_told;	     /* the execution knows of the stop or cancel */
	enum wr_phase stopped_phase; /* private: where a stop of the Runtime led it */
	bool is_quarantined;	     /* stored records of it are damaged (reliability 4.4) */
	/* So it was found when the log was opened: checkpoints keep that. What a reading finds is
	 * found again, or the disk was only in a mood. */
	bool is_lost;
	struct wr_busy_policy busy; /* as it applies: never UNSAID */
	uint64_t told_sequence;	    /* its newest record of an output or a phase */
	/* Accepted inputs without an end. */
	struct wr_input_queue queue;
	struct wr_list queued_node; /* of the Runtime's Workers that have something queued */
	uint64_t queued_cost;	    /* private: its part of the Runtime's queued_bytes */
	/* What its stop or cancel took back: sequences, packed. Absent: nothing. Owned. */
	struct wr_view dropped;
	/* The newest result depends on the record `last_result_after`; `shown_result` is the one
	 * before that can be told. Ask wr_worker_last_result. */
	bool has_last_result, has_shown_result;
	struct wr_execution_result last_result, shown_result;
	uint64_t last_result_after;
};

/* The last result that may be told; NULL: none. */
static inline const struct wr_execution_result *wr_worker_last_result(const struct wr_worker *self)
{
	if (self->has_last_result && self->last_result_after <= self->shown.last_sequence)
		return &self->last_result;
	return self->has_shown_result ? &self->shown_result : NULL;
}

/* Whether the answer to its end names what that took back even if it is nothing. That is by what
 * the log says: so a repeat is told alike by a process whose profiles are others. */
static inline bool wr_worker_names_dropped(const struct wr_worker *self)
{
	return self->dropped.data != NULL || self->request.busy.kind == WR_BUSY_QUEUE;
}

#endif
