/* What follows from the state alone. */
#include "core/state.h"

#include <string.h>

uint32_t wr_uptime_s(const struct wr_runtime *self)
{
	uint64_t passed_ms, uptime_s;

	if (self->ports.uptime_ms == NULL)
		return self->uptime_s;
	passed_ms = self->ports.uptime_ms(self->ports.context) - self->uptime_ms;
	uptime_s = self->uptime_s + passed_ms / 1000;
	return uptime_s > UINT32_MAX ? UINT32_MAX : (uint32_t)uptime_s;
}

void wr_format_cursor(const struct wr_runtime *self, char out[WR_CURSOR_BYTES], uint32_t generation,
		      uint32_t worker, uint64_t sequence)
{
	struct wr_cursor cursor = {
		.is_runtime = worker == 0,
		.generation = generation,
		.worker = worker,
		.sequence = sequence,
	};

	memcpy(cursor.log_tag, self->log_id, WR_LOG_TAG_BYTES);
	wr_cursor_format(out, &cursor);
}
