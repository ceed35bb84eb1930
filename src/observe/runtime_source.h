/*
 * runtime_source — what all feeds over a Runtime in this process have in common: its log, and its
 * store for what is no longer there.
 *
 * The functions go into a wr_feed_ops as they are. Their context points at a struct whose first
 * member is the `struct wr_runtime *`.
 */
#ifndef WR_OBSERVE_RUNTIME_SOURCE_H
#define WR_OBSERVE_RUNTIME_SOURCE_H

#include "core/runtime.h"
#include "observe/feed.h"

struct wr_event_stream *wr_runtime_source_stream(void *context, uint32_t scope);
uint64_t wr_runtime_source_evicted(void *context, uint32_t scope);
enum wr_status wr_runtime_source_stored_frame(void *context, uint32_t scope, uint64_t after,
					      struct wr_store_place *place, uint64_t *sequence,
					      struct wr_view *frame);
void wr_runtime_source_trim(void *context);

#endif
