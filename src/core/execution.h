/*
 * execution — port: what runs a Worker (contract 5.7, design 4).
 *
 * The Runtime owns catalog, transcript, log and observation; an execution owns running. The Runtime
 * calls these functions from within its operations; the execution reports by wr_runtime_output,
 * wr_runtime_phase and wr_runtime_execution_ended (core/runtime.h), never from within one of
 * these calls except `deliver`, `stop`, `cancel` and `interrupt`, where it may.
 *
 * A Worker is known by its number. Nothing is started before the first input is delivered.
 */
#ifndef WR_CORE_EXECUTION_H
#define WR_CORE_EXECUTION_H

#include "bytes/view.h"
#include "core/command.h"
#include "status.h"

#include <stdint.h>

/* Inputs of a Worker that were accepted and wait to be delivered: until they are visible, or the
 * execution takes them. */
struct wr_undelivered {
	uint32_t count;
	uint64_t bytes; /* of content */
};

struct wr_execution_ops {
	/* Whether it would take this input behind those that are still to be delivered. WR_OK;
	 * WR_BUSY: a turn is running or its queue is full; WR_REJECTED, WR_UNAVAILABLE. Changes
	 * nothing. Of an input that queues it is asked again in later turns, with none waiting. */
	enum wr_status (*admit)(void *context, uint32_t worker, const struct wr_input *input,
				const struct wr_undelivered *waiting);
	/* The input was recorded (at `sequence`), is visible, and may now have effects. Cannot
	 * fail: what goes wrong is reported as output and phase. */
	void (*deliver)(void *context, uint32_t worker, const struct wr_input *input,
			uint64_t sequence);
	/* Ends the running turn only. WR_OK: it will end; WR_CONFLICT: none is running. */
	enum wr_status (*interrupt)(void *context, uint32_t worker);
	/* The Worker was stopped: end in good order, then report wr_runtime_execution_ended. */
	void (*stop)(void *context, uint32_t worker);
	/* The Worker was cancelled: end at once, then report likewise. */
	void (*cancel)(void *context, uint32_t worker);
};

struct wr_execution {
	const struct wr_execution_ops *ops; /* NULL: none */
	void *context;
	/* Each input is a turn: `deliver` leads to a report of some phase, and while a turn runs,
	 * or another input waits to be delivered, `admit` says WR_BUSY. Without it nothing queues.
	 */
	bool has_turns;
	struct wr_busy_policy busy; /* of the profile, unless the create request has one */
};

/* Finds what runs a Worker of this profile. WR_OK (with ops NULL: nothing runs it, input is only
 * recorded); WR_INVALID: no such profile. *out is all zeros before. */
struct wr_profiles {
	enum wr_status (*find)(void *context, struct wr_execution *out, enum wr_profile_kind kind,
			       struct wr_view value);
	void *context;
};

/* The outcome of the last operation, shown as `execution.last_result`. */
enum wr_execution_operation {
	WR_EXECUTION_SPAWN,
	WR_EXECUTION_INPUT,
	WR_EXECUTION_STOP,
	WR_EXECUTION_CANCEL
};
enum wr_execution_outcome {
	WR_EXECUTION_ACCEPTED,
	WR_EXECUTION_BUSY,
	WR_EXECUTION_REJECTED,
	WR_EXECUTION_ERRORED,
	WR_EXECUTION_UNSUPPORTED
};

struct wr_execution_result {
	enum wr_execution_operation operation;
	enum wr_execution_outcome outcome;
};

#endif
