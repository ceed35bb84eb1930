#include "host/hosting.h"

#include "io/clock.h"
#include "io/entropy.h"

static bool has_runner(const struct wr_hosting *self, enum wr_runner runner)
{
	for (uint32_t i = 0; i < self->profile_count; i++)
		if (self->profiles[i].runner == (uint64_t)runner)
			return true;
	return false;
}

bool wr_hosting_has_programs(const struct wr_hosting *self)
{
	return (self->exec != NULL && self->default_setting == NULL) ||
	       has_runner(self, WR_RUNNER_PROCESS);
}

bool wr_hosting_has_models(const struct wr_hosting *self)
{
	return has_runner(self, WR_RUNNER_OPENAI);
}

struct wr_runtime_config wr_hosting_runtime_config(const struct wr_hosting *self)
{
	struct wr_runtime_config out;

	wr_runtime_defaults(&out);
	out.runtime_id = wr_view_of_string(self->runtime_id);
	out.display_name = wr_view_of_string(self->display_name);
	out.transcript_items_max = (uint32_t)self->transcript_items_max;
	out.event_batch_items_max = (uint32_t)self->event_batch_items_max;
	out.worker_count_max = (uint32_t)self->workers_max;
	out.retention =
		(struct wr_retention){.stream_events_max = (uint32_t)self->worker_retention_events,
				      .stream_bytes_max = self->worker_retention_bytes,
				      .events_max = (uint32_t)self->retention_events,
				      .bytes_max = self->retention_bytes};
	out.worker_transcript_bytes_max = self->worker_transcript_bytes;
	out.transcript_bytes_max = self->transcript_bytes;
	return out;
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return wr_clock_wall_ms();
}

static uint64_t uptime_ms(void *context)
{
	(void)context;
	return wr_clock_monotonic_ms();
}

static enum wr_status entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	return wr_entropy_fill(out, bytes);
}

void wr_hosting_ports(struct wr_runtime_ports *ports, struct wr_allocator *allocator)
{
	*ports = (struct wr_runtime_ports){.allocator = allocator,
					   .wall_ms = wall_ms,
					   .uptime_ms = uptime_ms,
					   .entropy = entropy};
}
