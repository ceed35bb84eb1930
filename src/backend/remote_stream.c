#include "backend/remote_stream.h"

#include "backend/remote_stream_private.h"
#include "bounds.h"
#include "check.h"
#include "host/tokens.h"

enum { TICK_MS = 1000, FRAME_BYTES_KEPT = 65536, ENDED_BYTES_MAX = 65536 };

/* ---- frames ---- */

enum wr_status wr_remote_encode(struct wr_remote_stream *self, struct wr_buf *out,
				const struct wr_mirror_worker *worker,
				const struct wr_cursor *cursor, struct wr_view name,
				struct wr_view payload, bool *is_shown)
{
	struct wr_envelope envelope = {.runtime_id = self->runtime_id, .worker_id = worker->id};
	struct wr_backend_cursor token = {
		.generation = cursor->generation,
		.worker_tag = worker->tag,
		.sequence = cursor->sequence,
	};

	memcpy(token.log_tag, cursor->log_tag, WR_LOG_TAG_BYTES);
	wr_backend_cursor_format(envelope.cursor, &self->mask, &token);
	return wr_backend_event_frame(out, &self->scratch, self->policy, &envelope, name, payload,
				      is_shown);
}

void wr_remote_resume(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	if (!worker->fetch.has_waiting)
		return;
	worker->fetch.has_waiting = false;
	wr_fanout_resume(self->fanout, worker->number);
}

static void resume_all(struct wr_remote_stream *self)
{
	for (uint32_t i = 0; i < self->mirror.count; i++)
		wr_remote_resume(self, self->mirror.by_id[i]);
}

/* ---- the feed ---- */

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

static const struct wr_feed_ops feed_ops = {
	.stream = feed_stream,
	.open = feed_open,
	.evicted = feed_evicted,
	.stored_frame = feed_stored_frame,
	.diagnose = feed_diagnose,
	.trim = feed_trim,
	.count = feed_count,
};

/* ---- the upstream ---- */

static void on_begin(void *context, const struct wr_cursor *position)
{
	struct wr_remote_stream *self = context;

	wr_mirror_begin(&self->mirror, position);
	self->has_change = true;
	resume_all(self);
}

/* Nobody is told anything that would not be true: everybody is told that it is over. */
static void on_lost(void *context, enum wr_status why)
{
	struct wr_remote_stream *self = context;

	wr_fanout_end_all(self->fanout, why);
	wr_remote_history_stop(self);
	wr_mirror_lose(&self->mirror);
	for (unsigned i = 0; i < WR_REMOTE_REFUSALS; i++)
		self->refusals[i].until_ms = 0;
	self->fetched_bytes = 0;
	self->has_change = true;
}

/* What the Worker's own stream shows of its end; absent without memory. Lent until the next. */
static struct wr_view end_payload(struct wr_remote_stream *self, struct wr_view dropped)
{
	struct wr_buf *out = &self->ended;

	if (dropped.data == NULL)
		return WR_VIEW("{\"event\":\"shutdown\"}");
	wr_buf_reset(out);
	wr_buf_append_view(out, WR_VIEW("{\"event\":\"shutdown\",\"dropped_inputs\":"));
	wr_buf_append_view(out, dropped);
	return wr_buf_append_byte(out, '}') == WR_OK ? wr_buf_view(out) : WR_VIEW_NULL;
}

/* An event of a Worker is at the position. A runtime_event is one where the Worker's own stream
 * shows it as something else (core/event.h). */
static bool is_of_worker(struct wr_remote_stream *self, const struct wr_stream_frame *frame,
			 struct wr_view *name, struct wr_view *payload)
{
	*name = frame->event;
	*payload = frame->payload;
	if (frame->kind == WR_STREAM_EVENT)
		return true;
	*name = WR_VIEW("shutdown");
	*payload = end_payload(self, frame->dropped_inputs);
	return frame->worker_id.data != NULL &&
	       (wr_view_equal(frame->runtime_event, WR_VIEW("worker_stopped")) ||
		wr_view_equal(frame->runtime_event, WR_VIEW("worker_cancelled")));
}

static enum wr_status show(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
			   struct wr_view name, struct wr_view payload)
{
	enum wr_status status;
	bool is_shown;

	wr_buf_reset(&self->frame);
	status = wr_remote_encode(self, &self->frame, worker, &self->mirror.position, name, payload,
				  &is_shown);
	if (status == WR_OK && is_shown)
		status = wr_mirror_append(&self->mirror, worker, wr_buf_view(&self->frame));
	if (self->frame.capacity > FRAME_BYTES_KEPT)
		wr_buf_deinit(&self->frame);
	if (self->scratch.capacity > FRAME_BYTES_KEPT)
		wr_buf_deinit(&self->scratch);
	return status;
}

static void on_frame(void *context, const struct wr_stream_frame *frame, bool is_known)
{
	struct wr_remote_stream *self = context;
	const struct wr_cursor *position = &self->upstream.position;
	struct wr_mirror_worker *worker;
	struct wr_view name, payload;

	/* Somebody may hold what an unclean stop took away, and would not be sent what came in its
	 * place. */
	if (position->generation > self->mirror.position.generation &&
	    wr_mirror_is_ahead(&self->mirror, position->generation)) {
		wr_upstream_lose(&self->upstream);
		on_lost(self, WR_LOST_TAIL);
		return;
	}
	wr_mirror_move(&self->mirror, position);
	self->has_change |= frame->kind == WR_STREAM_RUNTIME_EVENT;
	if (!is_of_worker(self, frame, &name, &payload))
		return;
	worker = wr_mirror_note(&self->mirror, frame->worker_id);
	if (worker == NULL)
		return;
	if (is_known && (payload.data == NULL || show(self, worker, name, payload) != WR_OK)) {
		/* It is not lost: who comes back with a cursor is given it by the Runtime. */
		wr_fanout_end(self->fanout, worker->number, WR_NO_MEMORY);
		wr_mirror_restart(&self->mirror, worker);
	}
	if (worker->fetch.is_quiet) { /* there is something to come, after all */
		worker->fetch.is_quiet = false;
		wr_remote_resume(self, worker);
	}
}

static void on_state(void *context)
{
	struct wr_remote_stream *self = context;

	self->has_new_state = true;
	resume_all(self);
}

static const struct wr_upstream_ops upstream_ops = {on_begin, on_frame, on_lost, on_state};

/* Nothing that was kept by its number is to be taken for another's. */
static void on_remove(void *context, struct wr_mirror_worker *worker)
{
	struct wr_remote_stream *self = context;

	wr_remote_history_drop(self, worker);
	for (unsigned i = 0; i < WR_REMOTE_REFUSALS; i++)
		if (self->refusals[i].scope == worker->number)
			self->refusals[i].until_ms = 0;
	wr_fanout_forget(self->fanout, worker->number);
}

/* ---- turns ---- */

static void on_tick(struct wr_timer *timer)
{
	struct wr_remote_stream *self = wr_container_of(timer, struct wr_remote_stream, tick);

	for (uint32_t i = 0; i < self->mirror.count; i++) {
		struct wr_mirror_worker *worker = self->mirror.by_id[i];
		if (!worker->is_kept)
			continue;
		wr_remote_history_tick(self, worker);
		if (wr_mirror_forget(&self->mirror, worker, self->reactor->now_ms))
			wr_remote_history_drop(self, worker);
	}
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_remote_stream *self = wr_container_of(hook, struct wr_remote_stream, hook);

	wr_remote_history_turn(self);
	wr_upstream_turn(&self->upstream);
	if (self->mirror.kept_count != 0 && !wr_timer_is_set(&self->tick))
		(void)wr_timer_set(self->reactor, &self->tick, TICK_MS); /* else in a later turn */
	if (self->has_new_state) {
		self->has_new_state = false;
		if (self->on_state != NULL)
			self->on_state(self->context, self->upstream.state);
	}
	if (self->has_change) {
		self->has_change = false;
		if (self->on_change != NULL)
			self->on_change(self->context);
	}
}

/* ---- life ---- */

/* RFC 9110 5.5: no control characters in a field. */
static bool belongs_in_field(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			return false;
	return true;
}

static struct wr_view keep(struct wr_buf *texts, struct wr_view text)
{
	char *start = texts->data + texts->bytes;

	wr_buf_append_view(texts, text);
	return text.data == NULL ? WR_VIEW_NULL : wr_view_of(start, text.bytes);
}

#define AUTHORIZATION "Authorization: "

/* All texts in one block, which does not move. */
static enum wr_status keep_texts(struct wr_remote_stream *self,
				 const struct wr_remote_stream_config *config)
{
	struct wr_buf texts;
	struct wr_view field;
	size_t start;

	self->texts_bytes = config->host.bytes + config->target_prefix.bytes +
			    config->authorization.bytes + config->runtime_id.bytes +
			    config->to.host_name.bytes + sizeof AUTHORIZATION "\r\n";
	self->texts = wr_allocator_take(self->allocator, self->texts_bytes);
	if (self->texts == NULL)
		return WR_NO_MEMORY;
	if (!belongs_in_field(config->authorization))
		return WR_INVALID;
	wr_buf_init_fixed(&texts, self->texts, self->texts_bytes);
	self->peer.host = keep(&texts, config->host);
	self->peer.to.host_name = keep(&texts, config->to.host_name);
	self->peer.target_prefix = keep(&texts, config->target_prefix);
	self->runtime_id = keep(&texts, config->runtime_id);
	if (config->authorization.data == NULL)
		return WR_OK;
	start = texts.bytes;
	field = keep(&texts, WR_VIEW(AUTHORIZATION));
	keep(&texts, config->authorization);
	keep(&texts, WR_VIEW("\r\n"));
	self->peer.fields = wr_view_of(field.data, texts.bytes - start);
	return WR_OK;
}

static enum wr_status begin_streams(struct wr_remote_stream *self, struct wr_http_server *server,
				    const struct wr_ws_config *streams)
{
	struct wr_fanout_config config;
	const struct wr_feed feed = {&feed_ops, self, &self->mirror.log};
	struct wr_observer observer;
	enum wr_status status;

	wr_ws_defaults(&config.ws);
	if (streams != NULL)
		config.ws = *streams;
	status = wr_fanout_new(&self->fanout, self->reactor, self->allocator, &config);
	if (status != WR_OK)
		return status;
	observer = wr_fanout_observer(self->fanout);
	wr_mirror_observe(&self->mirror, &observer);
	return wr_fanout_attach(self->fanout, &feed, server);
}

enum wr_status wr_remote_stream_new(struct wr_remote_stream **out, struct wr_reactor *reactor,
				    struct wr_allocator *allocator, struct wr_http_server *server,
				    const struct wr_remote_stream_config *config)
{
	struct wr_remote_stream *self = wr_allocator_take_zeroed(allocator, sizeof *self);
	enum wr_status status;

	if (self == NULL)
		return WR_NO_MEMORY;
	self->reactor = reactor;
	self->allocator = allocator;
	self->peer.to = config->to;
	self->peer.tls = config->tls;
	self->peer.tls_name = config->tls_name;
	self->peer.ms_max = config->ms_max;
	self->policy = config->policy;
	self->on_state = config->on_state;
	self->on_change = config->on_change;
	self->context = config->context;
	self->tick.on_due = on_tick;
	self->hook.on_turn = on_turn;
	wr_list_init(&self->wanting);
	wr_cursor_mask_init(&self->mask, config->runtime_id);
	wr_buf_init(&self->frame, allocator, 2 * (size_t)WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->scratch, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->ended, allocator, ENDED_BYTES_MAX);
	wr_mirror_init(&self->mirror, allocator, &config->retention, WR_MIRROR_WORKERS_MAX);
	self->mirror.on_remove = on_remove;
	self->mirror.context = self;
	wr_backfill_init(&self->backfill, reactor, allocator, &self->peer, &wr_remote_backfill_ops,
			 self);
	status = keep_texts(self, config);
	if (status == WR_OK)
		status = begin_streams(self, server, config->streams);
	if (status == WR_OK)
		status = wr_upstream_begin(&self->upstream, reactor, allocator, &self->peer,
					   &upstream_ops, self);
	wr_reactor_add_hook(reactor, &self->hook); /* after the fan-out's */
	if (status != WR_OK) {
		wr_remote_stream_free(self);
		return status == WR_IO ? WR_NO_MEMORY : status;
	}
	*out = self;
	return WR_OK;
}

void wr_remote_stream_free(struct wr_remote_stream *self)
{
	/* Whoever takes bytes at this moment is told; all are cut off. */
	if (self->fanout != NULL)
		wr_fanout_end_all(self->fanout, WR_UNAVAILABLE);
	wr_reactor_remove_hook(self->reactor, &self->hook);
	wr_timer_cancel(self->reactor, &self->tick);
	wr_upstream_end(&self->upstream);
	wr_backfill_deinit(&self->backfill);
	if (self->fanout != NULL)
		wr_fanout_free(self->fanout);
	wr_mirror_deinit(&self->mirror);
	wr_buf_deinit(&self->frame);
	wr_buf_deinit(&self->scratch);
	wr_buf_deinit(&self->ended);
	if (self->texts != NULL)
		wr_tokens_wipe(self->texts, self->texts_bytes);
	wr_allocator_free(self->allocator, self->texts,
			  self->texts == NULL ? 0 : self->texts_bytes);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

const char *wr_remote_stream_fault(const struct wr_remote_stream *self)
{
	return self->upstream.client.fault;
}

enum wr_remote_state wr_remote_stream_state(const struct wr_remote_stream *self)
{
	return self->upstream.state;
}

void wr_remote_stream_nudge(struct wr_remote_stream *self)
{
	wr_upstream_nudge(&self->upstream);
}

/* ---- streams ---- */

void wr_remote_stream_observe(struct wr_remote_stream *self, struct wr_http_exchange *exchange,
			      struct wr_view worker_id, struct wr_view cursor)
{
	struct wr_mirror_worker *worker = NULL;

	if (worker_id.bytes != 0 && worker_id.bytes <= WR_ID_BYTES_MAX)
		worker = wr_mirror_take(&self->mirror, worker_id);
	if (worker == NULL) { /* no memory, or thousands are watched */
		wr_http_answer(exchange, 503,
			       WR_VIEW("{\"error\":\"Service Unavailable\",\"message\":"
				       "\"too many Workers are watched now: try again later\","
				       "\"code\":\"overloaded\"}"));
		return;
	}
	wr_fanout_accept(self->fanout, exchange, worker->number, cursor);
}

uint32_t wr_remote_stream_count(const struct wr_remote_stream *self)
{
	return wr_fanout_count(self->fanout);
}

void wr_remote_stream_drain(struct wr_remote_stream *self)
{
	wr_fanout_drain(self->fanout);
}
