/*
 * saved_frame — a frame whose memory in the log is going away while readers stand in the middle of
 * it.
 *
 * They must be sent its rest before anything else can be said to them. All readers inside the same
 * frame share one copy; all copies together are bounded.
 */
#ifndef WR_OBSERVE_SAVED_FRAME_H
#define WR_OBSERVE_SAVED_FRAME_H

#include "bytes/allocator.h"
#include "containers/list.h"

#include <stdint.h>

struct wr_saved_frame {
	struct wr_list place;
	uint32_t scope; /* Worker number, 0: as the runtime-wide stream shows it */
	uint64_t sequence;
	uint32_t readers;
	uint32_t bytes;
	char data[];
};

struct wr_saved_frames {
	struct wr_list list;
	struct wr_allocator *allocator;
	size_t bytes, bytes_max;
};

void wr_saved_frames_init(struct wr_saved_frames *self, struct wr_allocator *allocator,
			  size_t bytes_max);

/* The copy for that frame with one more reader; *is_new: `data` is for the caller to fill. NULL
 * when the bound or the memory is reached. */
struct wr_saved_frame *wr_saved_frame_join(struct wr_saved_frames *self, uint32_t scope,
					   uint64_t sequence, uint32_t bytes, bool *is_new);

/* One reader less; the last one frees it. */
void wr_saved_frame_leave(struct wr_saved_frames *self, struct wr_saved_frame *frame);

#endif
