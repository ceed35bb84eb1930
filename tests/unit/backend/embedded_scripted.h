/*
 * embedded_scripted — the library below the handle: a Runtime whose store and execution do as they
 * are told, with the calls and the feed of an embedded one.
 */
#ifndef WR_TESTS_BACKEND_EMBEDDED_SCRIPTED_H
#define WR_TESTS_BACKEND_EMBEDDED_SCRIPTED_H

#include "backend/embedded_calls.h"
#include "backend/embedded_feed.h"
#include "unit/backend/embedded_client.h"
#include "unit/core/kept_store.h"

static struct scripted {
	struct wr_runtime *runtime;
	struct wr_runtime_config config;
	struct wr_embedded_feed state;
	struct wr_feed feed;
	struct wr_embedded_calls calls;
	struct kept_store store;
	struct wr_policy policy;
	bool has_execution;
	enum wr_status admission, interruption;
} scripted;

static inline enum wr_status scripted_admit(void *context, uint32_t worker,
					    const struct wr_input *input,
					    const struct wr_undelivered *waiting)
{
	(void)context, (void)worker, (void)input, (void)waiting;
	return scripted.admission;
}

static inline void scripted_deliver(void *context, uint32_t worker, const struct wr_input *input,
				    uint64_t sequence)
{
	(void)context, (void)worker, (void)input, (void)sequence;
}

static inline enum wr_status scripted_interrupt(void *context, uint32_t worker)
{
	(void)context, (void)worker;
	return scripted.interruption;
}

static inline void scripted_end(void *context, uint32_t worker)
{
	(void)context, (void)worker;
}

static inline enum wr_status scripted_find(void *context, struct wr_execution *out,
					   enum wr_profile_kind kind, struct wr_view value)
{
	static const struct wr_execution_ops ops = {.admit = scripted_admit,
						    .deliver = scripted_deliver,
						    .interrupt = scripted_interrupt,
						    .stop = scripted_end,
						    .cancel = scripted_end};

	(void)context, (void)kind, (void)value;
	*out = (struct wr_execution){.ops = scripted.has_execution ? &ops : NULL};
	return WR_OK;
}

static inline int64_t scripted_wall_ms(void *context)
{
	(void)context;
	return 1782400000000;
}

static inline enum wr_status scripted_entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	memset(out, 0xa0, bytes);
	return WR_OK;
}

static inline void scripted_prepare(void)
{
	wr_runtime_defaults(&scripted.config);
	scripted.config.runtime_id = WR_VIEW("backend-internal");
	scripted.config.is_trimmed_by_owner = true;
	scripted.store.generation = 1;
}

/* Also again, over the same store. */
static inline void scripted_open(void)
{
	struct wr_runtime_ports ports = {
		.allocator = wr_test_allocator(),
		.wall_ms = scripted_wall_ms,
		.entropy = scripted_entropy,
		.store = {&kept_store_ops, &scripted.store},
		.profiles = {scripted_find, NULL},
	};
	struct wr_error error;

	wr_embedded_feed_init(&scripted.state, wr_test_allocator(), &scripted.policy,
			      scripted.config.runtime_id);
	ports.encoding = wr_embedded_feed_encoding(&scripted.state);
	CHECK_STATUS(wr_runtime_new(&scripted.runtime, &scripted.config, &ports, &error), WR_OK);
	scripted.feed = wr_embedded_feed_attach(&scripted.state, scripted.runtime);
	wr_embedded_calls_init(&scripted.calls, wr_test_allocator(), scripted.runtime);
	rig.calls = &scripted.calls;
}

static inline void scripted_stop(void)
{
	wr_embedded_calls_deinit(&scripted.calls);
	wr_runtime_free(scripted.runtime);
	wr_embedded_feed_deinit(&scripted.state);
}

static inline void scripted_close(void)
{
	scripted_stop();
	kept_store_deinit(&scripted.store);
}

static inline void scripted_create(unsigned count)
{
	const struct wr_spawn_request request = {.intent = WR_SPAWN_COMPANION};

	while (count-- > 0)
		CHECK_U64(rig_spawn(&request), WR_SOURCE_ACCEPTED);
	wr_runtime_settle(scripted.runtime);
}

#endif
