#include "backend/remote_stream.h"

#include "backend/remote_parts.h"
#include "bounds.h"
#include "check.h"
#include "host/tokens.h"

enum { TICK_MS = 1000, ENDED_BYTES_MAX = 65536 };

/* ---- the mirror ---- */

/* Nothing that was kept by its number is to be taken for another's. */
static void on_remove(void *context, struct wr_mirror_worker *worker)
{
	struct wr_remote_stream *self = context;

	wr_remote_kept_drop(self, worker);
	wr_remote_refusals_forget(&self->refusals, worker->number);
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
			wr_remote_kept_drop(self, worker);
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
	const struct wr_feed feed = {&wr_remote_feed_ops, self, &self->mirror.log};
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
					   &wr_remote_upstream_ops, self);
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
