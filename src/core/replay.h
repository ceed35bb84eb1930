/* replay — judges stored events before they are folded again. */
#ifndef WR_CORE_REPLAY_H
#define WR_CORE_REPLAY_H

#include "core/state.h"

/* Whether the event can have followed the state as it is: a fold trusts what it is given, a store
 * may be damaged or not ours. */
bool wr_replay_fits(const struct wr_runtime *self, const struct wr_event *event);

#endif
