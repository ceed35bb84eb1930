#include "backend/embedded_feed.h"

#include "backend/event_frame.h"
#include "bounds.h"
#include "check.h"
#include "observe/runtime_source.h"
#include "wire/payload.h"
#include "wire/snapshot_json.h"

enum { BUFFER_BYTES_KEPT = 65536, GENERATION_MASK = 0xffffff };

_Static_assert(WR_LOG_TAG_BYTES + 3 == 9, "log tag and generation are whole characters");

/* ---- cursors ---- */

static uint32_t tag_of(struct wr_embedded_feed *self, uint32_t worker, struct wr_view worker_id)
{
	struct wr_embedded_tag *kept = &self->tags[worker % WR_EMBEDDED_TAG_COUNT];

	wr_assert(worker != 0);
	if (WR_UNLIKELY(kept->worker != worker)) {
		kept->tag = wr_worker_tag(worker_id);
		kept->worker = worker;
	}
	return kept->tag;
}

/* What the front of a token says, which is the same for long: decoding each of them would cost as
 * much as the rest of a frame. Nine bytes are just twelve characters. */
static void hear(struct wr_embedded_feed *self, const char token[WR_CURSOR_BYTES])
{
	struct wr_cursor inner;
	enum wr_status status;

	if (WR_LIKELY(memcmp(self->front, token, sizeof self->front) == 0))
		return;
	status = wr_cursor_parse(&inner, wr_view_of(token, WR_CURSOR_BYTES));
	wr_assert(status == WR_OK && !inner.is_runtime && !inner.is_legacy);
	memcpy(self->front, token, sizeof self->front);
	memcpy(self->log_tag, inner.log_tag, sizeof self->log_tag);
	self->generation = inner.generation & GENERATION_MASK;
}

/* A Runtime's token of an event of a Worker's stream as the Backend's. */
static void translate(struct wr_embedded_feed *self, char out[WR_CURSOR_BYTES],
		      const char token[WR_CURSOR_BYTES], uint32_t worker, struct wr_view worker_id,
		      uint64_t sequence)
{
	struct wr_backend_cursor cursor;

	hear(self, token);
	memcpy(cursor.log_tag, self->log_tag, sizeof cursor.log_tag);
	cursor.generation = self->generation;
	cursor.worker_tag = tag_of(self, worker, worker_id);
	cursor.sequence = sequence;
	wr_backend_cursor_format(out, &self->mask, &cursor);
}

/* Where the holder of a cursor stands, as the Runtime judges it. */
static enum wr_status judge(struct wr_embedded_feed *self, const struct wr_worker *worker,
			    struct wr_view text, uint64_t *sequence)
{
	struct wr_cursor inner = {.worker = worker->number};
	struct wr_backend_cursor cursor;
	char token[WR_CURSOR_BYTES];
	enum wr_status status = wr_backend_cursor_parse(&cursor, &self->mask, text);

	if (status != WR_OK)
		return status;
	if (cursor.worker_tag != tag_of(self, worker->number, worker->id))
		return WR_SCOPE_MISMATCH;
	memcpy(inner.log_tag, cursor.log_tag, sizeof inner.log_tag);
	inner.generation = cursor.generation;
	inner.sequence = cursor.sequence;
	wr_cursor_format(token, &inner);
	return wr_runtime_judge_cursor(self->runtime, worker->number,
				       wr_view_of(token, sizeof token), sequence);
}

/* ---- frames ---- */

/* One huge event must not stay for ever. */
static void empty(struct wr_buf *buf)
{
	if (buf->capacity > BUFFER_BYTES_KEPT)
		wr_buf_deinit(buf);
	wr_buf_reset(buf);
}

/* The name in {"event":"NAME",...}; those of typed events need no escape. */
static struct wr_view name_of(const struct wr_event *event, struct wr_view payload)
{
	static const char before[] = "{\"event\":\"";
	const char *end;

	if (event->kind == WR_EVENT_OUTPUT && event->as.output.kind == WR_OUTPUT_OPAQUE)
		return event->as.output.name;
	payload = wr_view_skip(payload, sizeof before - 1);
	end = memchr(payload.data, '"', payload.bytes);
	wr_assert(end != NULL);
	return wr_view_of(payload.data, (size_t)(end - payload.data));
}

static enum wr_status encode(void *context, struct wr_buf *out, const struct wr_event *event,
			     const struct wr_identity *identity, enum wr_scope scope)
{
	struct wr_embedded_feed *self = context;
	struct wr_envelope envelope = {.runtime_id = identity->runtime_id,
				       .worker_id = identity->worker_id};
	struct wr_view payload;

	if (scope == WR_SCOPE_RUNTIME || !wr_payload_is_shown(event))
		return WR_OK;
	empty(&self->payload);
	empty(&self->scratch);
	wr_buf_append_byte(&self->payload, '{');
	wr_payload_put(&self->payload, event);
	if (wr_buf_status(&self->payload) != WR_OK)
		return wr_buf_status(&self->payload);
	payload = wr_buf_view(&self->payload);
	translate(self, envelope.cursor, identity->cursor, event->worker, identity->worker_id,
		  event->sequence);
	return wr_backend_event_frame(out, &self->scratch, self->policy, &envelope,
				      name_of(event, payload), payload, NULL);
}

/* Of a runtime-wide stream, which nobody can have opened. */
static void patch(void *context, char *frame, size_t bytes, const char cursor[WR_CURSOR_BYTES])
{
	(void)context, (void)frame, (void)bytes, (void)cursor;
	wr_unreachable();
}

static enum wr_status append_snapshot(struct wr_embedded_feed *self, struct wr_buf *out,
				      const struct wr_worker *worker, uint64_t sequence)
{
	struct wr_envelope envelope = {.runtime_id = self->runtime_id, .worker_id = worker->id};
	char token[WR_CURSOR_BYTES];
	enum wr_status status;

	empty(&self->payload);
	empty(&self->scratch);
	status = wr_worker_snapshot_payload(&self->payload, self->runtime, worker, WR_COMPAT_NONE);
	if (status != WR_OK)
		return status;
	wr_runtime_cursor(self->runtime, worker->number, sequence, token);
	translate(self, envelope.cursor, token, worker->number, worker->id, sequence);
	return wr_backend_event_frame(out, &self->scratch, self->policy, &envelope,
				      WR_VIEW("snapshot"), wr_buf_view(&self->payload), NULL);
}

/* ---- the feed ---- */

static enum wr_status open_scope(void *context, uint32_t scope, struct wr_view cursor,
				 struct wr_buf *out, uint64_t *sequence)
{
	struct wr_embedded_feed *self = context;
	const struct wr_worker *worker = wr_runtime_worker(self->runtime, scope);

	wr_assert(worker != NULL);
	if (cursor.data != NULL)
		return judge(self, worker, cursor, sequence);
	/* The store may know more to be visible by now; that becomes events. */
	*sequence = wr_runtime_log(self->runtime)->shown_sequence;
	return append_snapshot(self, out, worker, *sequence);
}

static void diagnose(void *context, struct wr_buf *out, uint32_t scope, enum wr_feed_news news,
		     enum wr_status why, uint64_t sequence)
{
	struct wr_view reason = WR_VIEW_NULL;
	enum wr_backend_news what = WR_BACKEND_NEWS_RUNTIME_UNAVAILABLE;

	(void)context, (void)scope, (void)sequence;
	switch (news) {
	case WR_FEED_OBSERVATION_ONLY:
		what = WR_BACKEND_NEWS_OBSERVATION_ONLY;
		break;
	case WR_FEED_BROKEN:
		what = WR_BACKEND_NEWS_BROKEN_PROTOCOL;
		break;
	case WR_FEED_EXPIRED:
		what = wr_backend_news_of(WR_EXPIRED, &reason);
		break;
	case WR_FEED_REFUSED:
	case WR_FEED_ENDED:
		what = wr_backend_news_of(why, &reason);
		break;
	case WR_FEED_FAILED: /* the store cannot be read, which is nothing to be told here */
		break;
	}
	wr_backend_diagnostic_frame(out, what, reason);
}

static const struct wr_feed_ops feed_ops = {
	.stream = wr_runtime_source_stream,
	.open = open_scope,
	.evicted = wr_runtime_source_evicted,
	.stored_frame = wr_runtime_source_stored_frame,
	.diagnose = diagnose,
	.trim = wr_runtime_source_trim,
};

/* ---- life ---- */

void wr_embedded_feed_init(struct wr_embedded_feed *self, struct wr_allocator *allocator,
			   const struct wr_policy *policy, struct wr_view runtime_id)
{
	*self = (struct wr_embedded_feed){.policy = policy, .runtime_id = runtime_id};
	self->encoding = (struct wr_encoding){.encode = encode, .patch = patch, .context = self};
	wr_cursor_mask_init(&self->mask, runtime_id);
	wr_buf_init(&self->payload, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->scratch, allocator, WR_FRAME_BYTES_MAX);
}

void wr_embedded_feed_deinit(struct wr_embedded_feed *self)
{
	wr_buf_deinit(&self->payload);
	wr_buf_deinit(&self->scratch);
}

const struct wr_encoding *wr_embedded_feed_encoding(const struct wr_embedded_feed *self)
{
	return &self->encoding;
}

struct wr_feed wr_embedded_feed_attach(struct wr_embedded_feed *self, struct wr_runtime *runtime)
{
	self->runtime = runtime;
	return (struct wr_feed){.ops = &feed_ops, .context = self, .log = wr_runtime_log(runtime)};
}
