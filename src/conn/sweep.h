/* sweep — visiting all connections of a list now and then, while any of them may go meanwhile. */
#ifndef WR_CONN_SWEEP_H
#define WR_CONN_SWEEP_H

#include "containers/list.h"

#include <stdint.h>

enum { WR_SWEEP_MS_MAX = 1000, WR_SWEEP_MS_MIN = 5 };

/* Makes `to` the head of all that `from` has; `from` is empty afterwards. */
static inline void wr_list_move(struct wr_list *from, struct wr_list *to)
{
	wr_list_init(to);
	if (wr_list_is_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	wr_list_init(from);
}

/* How often to look: once a second, or twice within the shortest of the deadlines. */
static inline uint32_t wr_sweep_ms(const uint32_t *deadlines_ms, size_t count)
{
	uint32_t sweep_ms = WR_SWEEP_MS_MAX;

	for (size_t i = 0; i < count; i++)
		if (deadlines_ms[i] / 2 < sweep_ms)
			sweep_ms = deadlines_ms[i] / 2;
	return sweep_ms < WR_SWEEP_MS_MIN ? WR_SWEEP_MS_MIN : sweep_ms;
}

#endif
