/*
 * turns — an execution with turns for tests: it takes one input at a time, is busy until the test
 * ends the turn, and writes down what it was given.
 */
#ifndef WR_TESTS_CORE_TURNS_H
#define WR_TESTS_CORE_TURNS_H

#include "unit/core/fixture.h"

enum { TURNS_WORKERS = 64 };

struct turns {
	struct fixture fixture;
	struct kept_store store;
	bool has_store;
	struct wr_busy_policy policy; /* of the profile */
	bool is_silent;		      /* a delivery reports nothing */
	bool has_no_place;	      /* nothing is admitted */
	bool is_busy[TURNS_WORKERS];
	char calls[8000];
};

static inline void turns_note(struct turns *self, const char *what, uint32_t worker,
			      struct wr_view text)
{
	size_t used = strlen(self->calls);

	snprintf(self->calls + used, sizeof self->calls - used, "%s%s(%u%s%.*s)",
		 used == 0 ? "" : " ", what, worker, text.bytes == 0 ? "" : " ", (int)text.bytes,
		 text.bytes == 0 ? "" : text.data);
}

static inline void turns_check(struct turns *self, const char *expected)
{
	CHECK_STRING(wr_view_of_string(self->calls), expected);
	self->calls[0] = '\0';
}

static inline enum wr_status turns_admit(void *context, uint32_t worker,
					 const struct wr_input *input,
					 const struct wr_undelivered *waiting)
{
	const struct turns *self = context;

	CHECK(input->content.bytes != 0);
	return self->is_busy[worker] || self->has_no_place || waiting->count != 0 ? WR_BUSY : WR_OK;
}

static inline void turns_deliver(void *context, uint32_t worker, const struct wr_input *input,
				 uint64_t sequence)
{
	struct turns *self = context;
	struct wr_runtime *runtime = self->fixture.runtime;
	char copy[64];
	struct wr_view start = {copy, input->content.bytes < 64 ? input->content.bytes : 64};

	CHECK(!self->is_busy[worker]);
	CHECK(sequence <= wr_runtime_visible(runtime));
	CHECK(wr_runtime_worker(runtime, worker)->shown.last_sequence >= sequence);
	memcpy(copy, input->content.data, start.bytes);
	turns_note(self, "deliver", worker, input->content);
	self->is_busy[worker] = true;
	if (self->is_silent)
		return;
	if (wr_runtime_worker(runtime, worker)->now.phase == WR_PHASE_FAILED)
		(void)wr_runtime_phase(runtime, worker, WR_PHASE_STARTING, WR_VIEW("input"));
	(void)wr_runtime_phase(runtime, worker, WR_PHASE_BUSY, WR_VIEW("input"));
	wr_runtime_settle(runtime); /* as an owner may, at the wrong time */
	CHECK_VIEW(wr_view_of(input->content.data, start.bytes), start);
}

static inline enum wr_status turns_interrupt(void *context, uint32_t worker)
{
	struct turns *self = context;

	if (!self->is_busy[worker])
		return WR_CONFLICT;
	turns_note(self, "interrupt", worker, WR_VIEW_NULL);
	self->is_busy[worker] = false;
	CHECK_STATUS(wr_runtime_phase(self->fixture.runtime, worker, WR_PHASE_INTERRUPTED,
				      WR_VIEW("interrupted")),
		     WR_OK);
	return WR_OK;
}

static inline void turns_stop(void *context, uint32_t worker)
{
	turns_note(context, "stop", worker, WR_VIEW_NULL);
	(void)wr_runtime_execution_ended(((struct turns *)context)->fixture.runtime, worker);
}

static inline void turns_cancel(void *context, uint32_t worker)
{
	turns_note(context, "cancel", worker, WR_VIEW_NULL);
}

static const struct wr_execution_ops turns_ops = {turns_admit, turns_deliver, turns_interrupt,
						  turns_stop, turns_cancel};

/* Knows "none" (nothing runs it), "pipe" (the same without turns); all others have turns. */
static inline enum wr_status turns_find(void *context, struct wr_execution *out,
					enum wr_profile_kind kind, struct wr_view value)
{
	const struct turns *self = context;

	CHECK(out->ops == NULL && !out->has_turns && out->busy.kind == WR_BUSY_UNSAID);
	if (kind == WR_PROFILE_NAMED && wr_view_equal(value, WR_VIEW("none")))
		return WR_OK;
	if (kind == WR_PROFILE_NAMED && wr_view_equal(value, WR_VIEW("gone")))
		return WR_INVALID;
	*out = (struct wr_execution){.ops = &turns_ops, .context = context};
	out->has_turns = kind != WR_PROFILE_NAMED || !wr_view_equal(value, WR_VIEW("pipe"));
	out->busy = self->policy;
	return WR_OK;
}

/* Over the store as it is, as a new process. */
static inline void turns_start(struct turns *self)
{
	memset(self->is_busy, 0, sizeof self->is_busy);
	fixture_init(&self->fixture, 1);
	if (self->has_store)
		self->fixture.ports.store = (struct wr_store){&kept_store_ops, &self->store};
	self->fixture.ports.profiles = (struct wr_profiles){turns_find, self};
	fixture_open(&self->fixture);
}

static inline void turns_open(struct turns *self, bool has_store)
{
	memset(self, 0, sizeof *self);
	self->has_store = has_store;
	self->store.generation = 1;
	turns_start(self);
}

static inline void turns_close(struct turns *self)
{
	fixture_close(&self->fixture);
	kept_store_deinit(&self->store);
}

/* What an end without a word leaves: all that is recorded. */
static inline void turns_restart(struct turns *self, bool has_checkpoint)
{
	self->store.wants_checkpoint = has_checkpoint;
	wr_runtime_settle(self->fixture.runtime);
	fixture_close(&self->fixture);
	self->store.is_held = false;
	turns_start(self);
}

static inline const struct wr_worker *turns_create(struct turns *self, enum wr_busy_kind kind,
						   uint32_t inputs_max)
{
	const struct wr_create request = {.busy = {kind, inputs_max}};
	const struct wr_worker *worker = NULL;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(self->fixture.runtime, &request, NULL, &worker, &error),
		     WR_OK);
	wr_runtime_settle(self->fixture.runtime);
	return worker;
}

static inline uint64_t turns_say(struct turns *self, const struct wr_worker *worker,
				 const char *text)
{
	struct wr_ack ack;

	CHECK_STATUS(fixture_input(&self->fixture, worker, text, &ack), WR_OK);
	return ack.event_id;
}

/* The turn is over. */
static inline void turns_end(struct turns *self, const struct wr_worker *worker,
			     enum wr_phase phase)
{
	CHECK(self->is_busy[worker->number]);
	self->is_busy[worker->number] = false;
	CHECK_STATUS(
		wr_runtime_phase(self->fixture.runtime, worker->number, phase, WR_VIEW("done")),
		WR_OK);
	wr_runtime_settle(self->fixture.runtime);
}

static inline void turns_hold(struct turns *self)
{
	self->store.is_held = true;
	self->store.shown = kept_head(&self->store);
}

static inline void turns_show(struct turns *self, uint64_t sequence)
{
	self->store.is_held = true;
	self->store.shown = sequence;
	wr_runtime_settle(self->fixture.runtime);
}

/* "5 7 9": a packed list. */
static inline void turns_check_list(struct wr_view packed, const char *expected)
{
	char text[6000] = "";
	uint64_t sequence;

	CHECK(packed.bytes % 8 == 0 && wr_sequences_count(packed) == packed.bytes / 8);
	while (wr_sequences_next(&packed, &sequence))
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%" PRIu64,
			 text[0] == '\0' ? "" : " ", sequence);
	CHECK_STRING(wr_view_of_string(text), expected);
}

/* What is listed as waiting, likewise. */
static inline void turns_check_queue(const struct wr_worker *worker, const char *expected)
{
	const struct wr_queued_input *input = NULL;
	char text[6000] = "";

	while ((input = wr_input_queue_shown(&worker->queue, input, worker->shown.last_sequence)) !=
	       NULL)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%" PRIu64,
			 text[0] == '\0' ? "" : " ", input->sequence);
	CHECK_STRING(wr_view_of_string(text), expected);
}

#endif
