#include "core/worker.h"

#include "check.h"

const char *wr_phase_name(enum wr_phase phase)
{
	switch (phase) {
#define WR_PHASE_NAME(name, text) \
	case WR_PHASE_##name:     \
		return text;
		WR_PHASE_LIST(WR_PHASE_NAME)
#undef WR_PHASE_NAME
	}
	wr_unreachable();
}

const char *wr_worker_status_name(enum wr_worker_status status)
{
	switch (status) {
	case WR_WORKER_RUNNING:
		return "running";
	case WR_WORKER_STOPPED:
		return "stopped";
	case WR_WORKER_CANCELLED:
		return "cancelled";
	}
	wr_unreachable();
}

/*
 * The life of a Worker. A row is where it is, a bit where it may go. Terminal phases have no bit;
 * STOPPING ends only in STOPPED, because the first terminal status wins (contract 2.8).
 */
#define TO(phase) (1u << WR_PHASE_##phase)
#define ENDS (TO(STOPPING) | TO(STOPPED) | TO(CANCELLED))

static const uint16_t allowed[WR_PHASE_COUNT] = {
	[WR_PHASE_STARTING] = TO(IDLE) | TO(BUSY) | TO(FAILED) | TO(INTERRUPTED) | ENDS,
	[WR_PHASE_IDLE] = TO(STARTING) | TO(BUSY) | TO(FAILED) | TO(INTERRUPTED) | ENDS,
	[WR_PHASE_BUSY] = TO(IDLE) | TO(WAITING) | TO(FAILED) | TO(INTERRUPTED) | ENDS,
	[WR_PHASE_WAITING] = TO(BUSY) | TO(IDLE) | TO(FAILED) | TO(INTERRUPTED) | ENDS,
	[WR_PHASE_FAILED] = TO(STARTING) | ENDS,
	[WR_PHASE_INTERRUPTED] = TO(STARTING) | TO(IDLE) | TO(BUSY) | TO(FAILED) | ENDS,
	[WR_PHASE_STOPPING] = TO(STOPPED),
	[WR_PHASE_STOPPED] = 0,
	[WR_PHASE_CANCELLED] = 0,
};

bool wr_phase_allows(enum wr_phase from, enum wr_phase to)
{
	return ((unsigned)allowed[from] >> to & 1u) != 0;
}

bool wr_phase_is_end(enum wr_phase phase)
{
	return (ENDS >> phase & 1u) != 0;
}
