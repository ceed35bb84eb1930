#include "observe/runtime_source.h"

static struct wr_runtime *runtime_of(void *context)
{
	return *(struct wr_runtime **)context;
}

struct wr_event_stream *wr_runtime_source_stream(void *context, uint32_t scope)
{
	return wr_runtime_worker_events(runtime_of(context), scope);
}

uint64_t wr_runtime_source_evicted(void *context, uint32_t scope)
{
	return wr_runtime_evicted(runtime_of(context), scope);
}

enum wr_status wr_runtime_source_stored_frame(void *context, uint32_t scope, uint64_t after,
					      struct wr_store_place *place, uint64_t *sequence,
					      struct wr_view *frame)
{
	return wr_runtime_stored_frame(runtime_of(context), scope, after, place, sequence, frame);
}

void wr_runtime_source_trim(void *context)
{
	wr_runtime_trim(runtime_of(context));
}
