/*
 * event — what can happen, as one tagged union. One event is one record of the log.
 *
 * Views are borrowed from whoever made the event. What the streams show of each kind (design 2: at
 * most one frame per stream):
 *
 *	kind              Worker's stream                        runtime-wide stream
 *	RUNTIME_STARTED   -                                      runtime_event
 *	RUNTIME_STOPPED   -                                      runtime_event
 *	WORKER_CREATED    -                                      runtime_event
 *	INPUT_ACCEPTED    user_message | system_item             the same frame
 *	WORKER_STOPPED    shutdown                               runtime_event
 *	WORKER_CANCELLED  shutdown                               runtime_event
 *	PHASE_CHANGED     status (not for terminal phases)       the same frame
 *	OUTPUT            the protocol event                     the same frame
 *	REPEATABLE        -                                      -
 *	BUNDLE_STORED     -                                      -
 */
#ifndef WR_CORE_EVENT_H
#define WR_CORE_EVENT_H

#include "bytes/view.h"
#include "core/command.h"
#include "core/config_bundle.h"
#include "core/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_event_kind {
	WR_EVENT_RUNTIME_STARTED = 1,
	WR_EVENT_RUNTIME_STOPPED = 2,
	WR_EVENT_WORKER_CREATED = 3,
	WR_EVENT_INPUT_ACCEPTED = 4,
	WR_EVENT_WORKER_STOPPED = 5,
	WR_EVENT_WORKER_CANCELLED = 6,
	WR_EVENT_PHASE_CHANGED = 7,
	WR_EVENT_OUTPUT = 8,
	WR_EVENT_REPEATABLE = 9, /* nothing happened but that a key was used */
	WR_EVENT_BUNDLE_STORED = 14
};

/* Output of an execution: protocol events (contract 4). The typed ones are those that core, a
 * snapshot or an execution of ours has a use for; OPAQUE is any other, carried as its name and the
 * JSON text of its data, which was validated where it came in. The numbers are part of the stored
 * form. */
enum wr_output_kind {
	WR_OUTPUT_TEXT_DELTA = 1, /* text */
	WR_OUTPUT_TEXT_DONE = 2,  /* text */
	WR_OUTPUT_THINKING_START = 3,
	WR_OUTPUT_THINKING_DELTA = 4,	    /* text */
	WR_OUTPUT_THINKING_DONE = 5,	    /* text */
	WR_OUTPUT_TOOL_CALL_START = 6,	    /* id, name */
	WR_OUTPUT_TOOL_CALL_ARGS_DELTA = 7, /* id, text = json */
	WR_OUTPUT_TOOL_CALL_DONE = 8,	    /* id, name, text = arguments */
	WR_OUTPUT_TOOL_RESULT =
		9,		/* id, name = summary, text = output or absent, flag = is_error */
	WR_OUTPUT_USAGE = 10,	/* numbers: input, output, cache read; has_number each */
	WR_OUTPUT_RUN_END = 11, /* code: enum wr_run_result */
	WR_OUTPUT_ERROR = 12,	/* code: enum wr_error_code, text = message */
	WR_OUTPUT_TURN_START = 13, /* numbers[0] = turn */
	WR_OUTPUT_TURN_END = 14,   /* numbers[0] = turn, code: enum wr_turn_result */
	WR_OUTPUT_OPAQUE = 15	   /* name, text = data or absent */
};

enum wr_run_result { WR_RUN_FINISHED, WR_RUN_PAUSED, WR_RUN_LIMIT_REACHED, WR_RUN_ROLLED_BACK };
enum wr_turn_result { WR_TURN_FINISHED, WR_TURN_PAUSED };
enum wr_error_code {
	WR_ERROR_ALREADY_RUNNING,
	WR_ERROR_NOT_RUNNING,
	WR_ERROR_NOT_PAUSED,
	WR_ERROR_PROVIDER,
	WR_ERROR_TOOL,
	WR_ERROR_INVALID_REQUEST,
	WR_ERROR_INTERNAL
};

struct wr_output {
	enum wr_output_kind kind;
	struct wr_view id, name, text;
	uint64_t numbers[3];
	bool has_number[3];
	bool flag;
	uint8_t code;
};

/* What a key can be used for. The numbers are part of the stored form. */
enum wr_operation {
	WR_OPERATION_CREATE = 1,
	WR_OPERATION_INPUT = 2,
	WR_OPERATION_STOP = 3,
	WR_OPERATION_CANCEL = 4,
	WR_OPERATION_INTERRUPT = 5,
	WR_OPERATION_STORE_BUNDLE = 10 /* of the Runtime, not of a Worker */
};

/* The inputs that the event takes back: sequences, packed (core/input_queue.h). Absent: none. */
struct wr_event;
struct wr_view wr_event_dropped(const struct wr_event *event);

struct wr_event {
	enum wr_event_kind kind;
	uint64_t sequence; /* given at append */
	int64_t wall_ms;
	uint32_t worker; /* number, 0: the Runtime itself */
	/* Given at append: the newest input with a turn that its execution was given, when no
	 * record has told that before; 0: none. */
	uint64_t delivered;
	/* The command came with an Idempotency-Key, kept in the same record. */
	bool has_key;
	struct wr_key key;
	uint32_t uptime_s; /* with a key: seconds that this log has been served (design 5) */
	union {
		struct {
			struct wr_view worker_id;
			struct wr_create request;
		} created;
		struct {
			struct wr_input input;
			uint64_t transcript_sequence;
			bool waits_for_turn; /* a later record tells its end */
		} input;
		struct {
			struct wr_view reason;	/* absent: none was given */
			bool is_execution_live; /* stop: the phase is `stopping` until it ended */
			struct wr_view dropped; /* inputs: sequences, packed; absent: none */
		} ended;
		struct {
			uint8_t from, to;	/* enum wr_phase */
			struct wr_view cause;	/* a short word or sentence */
			struct wr_view dropped; /* by `interrupted`: as of ended */
		} phase;
		struct wr_output output;
		/* A command that needed no record of its own: a repeated stop, an interrupt. What
		 * it was answered. */
		struct {
			uint8_t operation; /* enum wr_operation */
			uint8_t status;	   /* enum wr_worker_status */
			uint64_t event_id;
		} repeatable;
		struct wr_config_bundle bundle;
	} as;
};

/* The `status` that a PHASE_CHANGED shows on streams: "idle", "running", "paused"; NULL for phases
 * that show none. Also the `status` of a snapshot. */
const char *wr_phase_protocol_status(enum wr_phase phase);

/* The message of the runtime_event for this event (contract 5.5): the reason or a fixed text. */
struct wr_view wr_event_message(const struct wr_event *event);

/* "worker_created", ... (contract 5.5); NULL for kinds that have no runtime event. */
const char *wr_event_runtime_name(enum wr_event_kind kind);

#endif
