/* fixture — a Runtime with a known id, clock and log, for tests of what it says. */
#ifndef WR_TESTS_UNIT_WIRE_FIXTURE_H
#define WR_TESTS_UNIT_WIRE_FIXTURE_H

#include "check.h"
#include "core/runtime.h"
#include "harness/harness.h"
#include "wire/event_json.h"

#define FIXTURE_LOG_ID "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
#define FIXTURE_MS 1782400000000

struct fixture {
	struct wr_runtime *runtime;
	struct wr_execution execution; /* given to every Worker of a named profile */
	enum wr_status admission;      /* what it says to an input */
};

static inline int64_t fixture_clock(void *context)
{
	(void)context;
	return FIXTURE_MS;
}

static inline enum wr_status fixture_entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	memset(out, 0xa0, bytes);
	return WR_OK;
}

static inline enum wr_status fixture_admit(void *context, uint32_t worker,
					   const struct wr_input *input,
					   const struct wr_undelivered *waiting)
{
	struct fixture *self = context;

	(void)worker, (void)input, (void)waiting;
	return self->admission;
}

static inline void fixture_deliver(void *context, uint32_t worker, const struct wr_input *input,
				   uint64_t sequence)
{
	(void)context, (void)worker, (void)input, (void)sequence;
}

static inline enum wr_status fixture_interrupt(void *context, uint32_t worker)
{
	(void)context, (void)worker;
	return WR_OK;
}

static inline void fixture_end(void *context, uint32_t worker)
{
	(void)context, (void)worker;
}

static inline enum wr_status fixture_find(void *context, struct wr_execution *out,
					  enum wr_profile_kind kind, struct wr_view value)
{
	struct fixture *self = context;

	(void)value;
	*out = (struct wr_execution){.ops = NULL, .context = NULL};
	if (kind == WR_PROFILE_NAMED)
		*out = self->execution;
	return WR_OK;
}

static inline void fixture_init(struct fixture *self, const struct wr_runtime_config *config)
{
	static const struct wr_execution_ops ops = {
		.admit = fixture_admit,
		.deliver = fixture_deliver,
		.interrupt = fixture_interrupt,
		.stop = fixture_end,
		.cancel = fixture_end,
	};
	struct wr_runtime_ports ports = {
		.allocator = wr_test_allocator(),
		.wall_ms = fixture_clock,
		.entropy = fixture_entropy,
		.encoding = &wr_frame_encoding,
		.profiles = {fixture_find, self},
	};
	struct wr_runtime_config defaults;
	struct wr_error error;

	*self = (struct fixture){.execution = {.ops = &ops, .context = self}, .admission = WR_OK};
	wr_runtime_defaults(&defaults);
	defaults.runtime_id = WR_VIEW("rt-a");
	CHECK_STATUS(
		wr_runtime_new(&self->runtime, config != NULL ? config : &defaults, &ports, &error),
		WR_OK);
}

static inline void fixture_deinit(struct fixture *self)
{
	wr_runtime_free(self->runtime);
}

static inline const struct wr_worker *fixture_create(struct fixture *self,
						     const struct wr_create *request)
{
	static const struct wr_create assistant = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_worker *worker = NULL;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(self->runtime, request != NULL ? request : &assistant, NULL,
				       &worker, &error),
		     WR_OK);
	return worker;
}

static inline struct wr_ack fixture_say(struct fixture *self, const struct wr_worker *worker,
					enum wr_input_kind kind, const char *content)
{
	struct wr_input input = {kind, wr_view_of_string(content)};
	struct wr_error error;
	struct wr_ack ack;

	CHECK_STATUS(wr_runtime_input(self->runtime, worker->id, &input, NULL, &ack, &error),
		     WR_OK);
	return ack;
}

static inline void fixture_output(struct fixture *self, const struct wr_worker *worker,
				  enum wr_output_kind kind, const char *text)
{
	struct wr_output output = {.kind = kind, .text = wr_view_of_string(text)};

	CHECK_STATUS(wr_runtime_output(self->runtime, worker->number, &output), WR_OK);
}

#endif
