/* The feed of a remote stream: what the fan-out asks, answered from the mirror and from history. */
#include "backend/remote_parts.h"

#include "check.h"

static struct wr_mirror_worker *at(const struct wr_remote_stream *self, uint32_t scope)
{
	struct wr_mirror_worker *worker = wr_mirror_at(&self->mirror, scope);

	wr_assert(worker != NULL);
	return worker;
}

static struct wr_event_stream *feed_stream(void *context, uint32_t scope)
{
	return &at(context, scope)->events;
}

/* With a cursor, which may be of another Worker, Runtime, log, or of nothing. */
static enum wr_status resume_from(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
				  struct wr_view text, uint64_t *sequence)
{
	struct wr_backend_cursor cursor;
	enum wr_status status = wr_backend_cursor_parse(&cursor, &self->mask, text);

	if (status != WR_OK)
		return status;
	if (cursor.worker_tag != worker->tag)
		return WR_SCOPE_MISMATCH;
	if (!self->mirror.has_log)
		return wr_remote_snapshot(self, worker); /* it waits, or is told why not */
	if (memcmp(cursor.log_tag, self->mirror.position.log_tag, WR_LOG_TAG_BYTES) != 0)
		return WR_UNKNOWN;
	*sequence = cursor.sequence;
	return wr_remote_judge(self, worker, cursor.generation, cursor.sequence);
}

static enum wr_status feed_open(void *context, uint32_t scope, struct wr_view cursor,
				struct wr_buf *out, uint64_t *sequence)
{
	struct wr_remote_stream *self = context;
	struct wr_mirror_worker *worker = at(self, scope);
	enum wr_status status;

	wr_mirror_keep(&self->mirror, worker, self->reactor->now_ms);
	if (cursor.data != NULL)
		return resume_from(self, worker, cursor, sequence);
	status = wr_remote_snapshot(self, worker);
	if (status != WR_OK)
		return status;
	*sequence = worker->fetch.snapshot.sequence;
	return wr_buf_append_view(out, wr_buf_view(&worker->fetch.snapshot.frame));
}

static uint64_t feed_evicted(void *context, uint32_t scope)
{
	return at(context, scope)->fetch.gone;
}

static enum wr_status feed_stored_frame(void *context, uint32_t scope, uint64_t after,
					struct wr_store_place *place, uint64_t *sequence,
					struct wr_view *frame)
{
	struct wr_remote_stream *self = context;

	(void)place;
	return wr_remote_stored(self, at(self, scope), after, sequence, frame);
}

/* Why a stream that was going on is ended. */
static enum wr_backend_news news_of_end(enum wr_status why, struct wr_view *reason)
{
	*reason = WR_VIEW_NULL;
	switch ((int)why) {
	case WR_NO_MEMORY:
		return WR_BACKEND_NEWS_UPSTREAM_DISCONNECT; /* of ours; the cursor is good */
	case WR_REJECTED:
		return WR_BACKEND_NEWS_WORKER_NOT_FOUND;
	case WR_CORRUPT:
		return WR_BACKEND_NEWS_CURSOR_UNKNOWN;
	default:
		return wr_backend_news_of(why, reason);
	}
}

static void feed_diagnose(void *context, struct wr_buf *out, uint32_t scope, enum wr_feed_news news,
			  enum wr_status why, uint64_t sequence)
{
	struct wr_view reason = WR_VIEW_NULL;

	(void)context, (void)scope, (void)sequence;
	switch (news) {
	case WR_FEED_OBSERVATION_ONLY:
		wr_backend_diagnostic_frame(out, WR_BACKEND_NEWS_OBSERVATION_ONLY, reason);
		return;
	case WR_FEED_BROKEN:
		wr_backend_diagnostic_frame(out, WR_BACKEND_NEWS_BROKEN_PROTOCOL, reason);
		return;
	case WR_FEED_REFUSED:
		wr_backend_diagnostic_frame(out, wr_backend_news_of(why, &reason), reason);
		return;
	case WR_FEED_EXPIRED:
		wr_backend_diagnostic_frame(out, wr_backend_news_of(WR_EXPIRED, &reason), reason);
		return;
	case WR_FEED_FAILED:
	case WR_FEED_ENDED:
		wr_backend_diagnostic_frame(out, news_of_end(why, &reason), reason);
		return;
	}
	wr_unreachable();
}

static void feed_trim(void *context)
{
	struct wr_remote_stream *self = context;

	wr_event_log_trim(&self->mirror.log);
}

static void feed_count(void *context, uint32_t scope, int delta)
{
	struct wr_remote_stream *self = context;
	struct wr_mirror_worker *worker = at(self, scope);

	wr_assert(delta > 0 || worker->subscriber_count != 0);
	worker->subscriber_count =
		delta > 0 ? worker->subscriber_count + 1 : worker->subscriber_count - 1;
	worker->used_ms = self->reactor->now_ms;
}

const struct wr_feed_ops wr_remote_feed_ops = {
	.stream = feed_stream,
	.open = feed_open,
	.evicted = feed_evicted,
	.stored_frame = feed_stored_frame,
	.diagnose = feed_diagnose,
	.trim = feed_trim,
	.count = feed_count,
};
