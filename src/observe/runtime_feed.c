#include "observe/runtime_feed.h"

#include "observe/runtime_source.h"
#include "wire/event_json.h"
#include "wire/snapshot_json.h"

static enum wr_status append_snapshot(struct wr_runtime_feed *self, struct wr_buf *out,
				      uint32_t scope, uint64_t sequence)
{
	if (scope == 0)
		return wr_runtime_snapshot_frame(out, self->runtime, sequence, self->compat);
	return wr_worker_snapshot_frame(out, self->runtime, wr_runtime_worker(self->runtime, scope),
					sequence, self->compat);
}

static enum wr_status open_scope(void *context, uint32_t scope, struct wr_view cursor,
				 struct wr_buf *out, uint64_t *sequence)
{
	struct wr_runtime_feed *self = context;
	enum wr_status status = WR_OK;

	/* The watermark of a fresh stream: what is shown is as of here. The store may know more to
	 * be visible by now; that becomes events. */
	*sequence = wr_runtime_log(self->runtime)->shown_sequence;
	if (cursor.data != NULL)
		status = wr_runtime_judge_cursor(self->runtime, scope, cursor, sequence);
	if (status == WR_OK && (cursor.data == NULL || self->compat != WR_COMPAT_NONE))
		status = append_snapshot(self, out, scope, *sequence);
	return status;
}

static void diagnose_expiry(struct wr_runtime_feed *self, struct wr_buf *out, uint32_t scope,
			    uint64_t oldest)
{
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_cursor(self->runtime, scope, oldest, cursor);
	wr_diagnostic_frame(out, WR_VIEW("runtime.cursor_expired"),
			    WR_VIEW("this reader fell behind what is kept: "
				    "reconnect without a cursor"),
			    WR_VIEW("expired"), wr_view_of(cursor, sizeof cursor));
}

static void diagnose(void *context, struct wr_buf *out, uint32_t scope, enum wr_feed_news news,
		     enum wr_status why, uint64_t sequence)
{
	struct wr_runtime_feed *self = context;

	switch (news) {
	case WR_FEED_OBSERVATION_ONLY:
		wr_diagnostic_frame(out, WR_VIEW("runtime.observation_only"),
				    WR_VIEW("this stream carries observation only: "
					    "send commands over REST"),
				    WR_VIEW_NULL, WR_VIEW_NULL);
		return;
	case WR_FEED_BROKEN:
		wr_diagnostic_frame(out, WR_VIEW("runtime.websocket_error"),
				    WR_VIEW("this connection broke the WebSocket protocol: "
					    "reconnect with your cursor"),
				    WR_VIEW_NULL, WR_VIEW_NULL);
		return;
	case WR_FEED_REFUSED:
		wr_cursor_refusal_frame(out, self->runtime, scope, why, sequence);
		return;
	case WR_FEED_EXPIRED:
		diagnose_expiry(self, out, scope, sequence);
		return;
	case WR_FEED_FAILED:
		wr_store_failure_frame(out, why);
		return;
	case WR_FEED_ENDED:
		wr_diagnostic_frame(out, WR_VIEW("runtime.upstream_closed"),
				    WR_VIEW("this stream has ended: reconnect with your cursor"),
				    WR_VIEW_NULL, WR_VIEW_NULL);
		return;
	}
	wr_unreachable();
}

static void patch(void *context, char *frame, size_t bytes, uint64_t sequence)
{
	struct wr_runtime_feed *self = context;
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_cursor(self->runtime, 0, sequence, cursor);
	wr_frame_encoding.patch(wr_frame_encoding.context, frame, bytes, cursor);
}

static const struct wr_feed_ops feed_ops = {
	.stream = wr_runtime_source_stream,
	.open = open_scope,
	.evicted = wr_runtime_source_evicted,
	.stored_frame = wr_runtime_source_stored_frame,
	.diagnose = diagnose,
	.trim = wr_runtime_source_trim,
	.patch = patch,
};

struct wr_feed wr_runtime_feed(struct wr_runtime_feed *self)
{
	return (struct wr_feed){
		.ops = &feed_ops, .context = self, .log = wr_runtime_log(self->runtime)};
}
