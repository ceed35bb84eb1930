#include "backend/upstream.h"

#include "check.h"
#include "io/entropy.h"
#include "io/log.h"

enum {
	WAIT_MS_MIN = 100,
	WAIT_MS_MAX = 5000,
	UNSUPPORTED_WAIT_MS = 60000,
	/* A connection that held this long was a good one, also when nothing was said. */
	GOOD_MS = 5000,
	DOUBLINGS_MAX = 6
};

static void attempt(struct wr_upstream *self);

/* ---- state ---- */

static void set_state(struct wr_upstream *self, enum wr_remote_state state)
{
	if (self->state == state)
		return;
	self->state = state;
	self->ops->on_state(self->context);
}

/* ---- waiting ---- */

/* Half of it is certain, half at random, so that those that were cut together do not all come back
 * together. */
static uint32_t jittered(uint32_t ms)
{
	uint32_t random = 0;

	(void)wr_entropy_fill(&random, sizeof random); /* without entropy it is just not jittered */
	return ms / 2 + random % (ms / 2 + 1);
}

static uint32_t backoff(const struct wr_upstream *self)
{
	unsigned doublings = self->failures < DOUBLINGS_MAX ? self->failures : DOUBLINGS_MAX;
	uint32_t ms = (uint32_t)WAIT_MS_MIN << doublings;

	return jittered(ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX);
}

static void wait(struct wr_upstream *self, uint32_t ms)
{
	self->wait_ms = ms;
	(void)wr_timer_set(self->reactor, &self->timer, ms); /* else: wr_upstream_turn */
}

static void wait_after(struct wr_upstream *self, enum wr_remote_state state)
{
	wait(self, state == WR_REMOTE_UNSUPPORTED ? jittered(UNSUPPORTED_WAIT_MS) : backoff(self));
	self->failures++;
	set_state(self, state);
}

static void on_due(struct wr_timer *timer)
{
	struct wr_upstream *self = wr_container_of(timer, struct wr_upstream, timer);

	if (!self->is_begun) {
		attempt(self);
		return;
	}
	/* It shook hands and says nothing of its log. */
	wr_stream_client_abort(&self->client);
	self->is_begun = false;
	wait_after(self, WR_REMOTE_UNREACHABLE);
}

/* ---- what is said ---- */

static bool breach(struct wr_upstream *self)
{
	self->breaches++;
	return false;
}

static bool is_same_log(const struct wr_upstream *self, const struct wr_cursor *cursor)
{
	return memcmp(cursor->log_tag, self->position.log_tag, WR_LOG_TAG_BYTES) == 0 &&
	       cursor->generation >= self->position.generation;
}

/* The watermark of the snapshot is the first position. */
static bool take_snapshot(struct wr_upstream *self, const struct wr_stream_frame *frame)
{
	/* A Runtime that serves old clients says one at every beginning. */
	if (self->has_position) {
		bool is_ours = frame->sequence == self->position.sequence &&
			       is_same_log(self, &frame->cursor);
		return is_ours || breach(self);
	}
	self->has_position = true;
	self->position = frame->cursor;
	wr_timer_cancel(self->reactor, &self->timer);
	self->ops->on_begin(self->context, &self->position);
	set_state(self, WR_REMOTE_UP);
	return true;
}

static bool on_frame(void *context, struct wr_stream_client *client,
		     const struct wr_stream_frame *frame, bool is_known)
{
	struct wr_upstream *self = context;
	const struct wr_cursor *cursor = &frame->cursor;

	(void)client;
	if (!frame->has_cursor || !cursor->is_runtime || cursor->is_legacy)
		return breach(self);
	if (frame->kind == WR_STREAM_RUNTIME_SNAPSHOT)
		return take_snapshot(self, frame);
	if (!self->has_position || frame->is_snapshot ||
	    cursor->sequence <= self->position.sequence || !is_same_log(self, cursor))
		return breach(self);
	self->position = *cursor;
	if (!is_known && ++self->unknown_events == 1)
		WR_LOG(WR_LOG_WARNING, "remote_event_unknown", WR_LOG_TEXT("event", frame->event));
	self->ops->on_frame(self->context, frame, is_known);
	return true;
}

static void on_open(void *context, struct wr_stream_client *client)
{
	struct wr_upstream *self = context;

	(void)client;
	self->opened_ms = self->reactor->now_ms;
	if (self->has_position)
		set_state(self, WR_REMOTE_UP);
	else if (wr_timer_set(self->reactor, &self->timer, self->peer->ms_max) != WR_OK)
		on_due(&self->timer);
}

/* ---- how it ends ---- */

/* It is there, and tells with the next connection where it stands. */
static void lose(struct wr_upstream *self)
{
	self->has_position = false;
	wait(self, self->losses++ == 0 ? 0 : backoff(self));
	self->failures++;
}

static bool is_refusal(enum wr_status why)
{
	return why == WR_MALFORMED || why == WR_SCOPE_MISMATCH || why == WR_UNKNOWN ||
	       why == WR_AHEAD || why == WR_LOST_TAIL || why == WR_EXPIRED || why == WR_CORRUPT;
}

static enum wr_remote_state state_of(const struct wr_upstream *self, enum wr_status why)
{
	switch ((int)why) {
	case WR_UNAUTHENTICATED:
		return WR_REMOTE_UNAUTHORIZED;
	case WR_NOT_FOUND:
	case WR_UNSUPPORTED:
		return WR_REMOTE_UNSUPPORTED;
	case WR_SYNTAX:
		return WR_REMOTE_MALFORMED;
	case WR_FORBIDDEN:
		return WR_REMOTE_UNTRUSTED;
	default:
		/* A refused cursor where none was given. */
		return is_refusal(why) && !self->has_position ? WR_REMOTE_MALFORMED
							      : WR_REMOTE_UNREACHABLE;
	}
}

static void on_end(void *context, struct wr_stream_client *client, enum wr_status why)
{
	struct wr_upstream *self = context;
	bool was_good = self->opened_ms != 0 && self->reactor->now_ms - self->opened_ms >= GOOD_MS;

	(void)client;
	self->is_begun = false;
	self->opened_ms = 0;
	if (was_good)
		self->failures = self->losses = 0;
	if (!is_refusal(why) || !self->has_position) {
		wait_after(self, state_of(self, why));
		return;
	}
	lose(self);
	self->ops->on_lost(self->context, why);
}

/* ---- attempts ---- */

static const struct wr_stream_client_ops client_ops = {on_open, on_frame, on_end};

static enum wr_status open_client(struct wr_upstream *self)
{
	struct wr_stream_target target = {.worker_id = WR_VIEW_NULL};
	char cursor[WR_CURSOR_BYTES];
	enum wr_status status;

	if (self->has_position) {
		wr_cursor_format(cursor, &self->position);
		target.cursor = wr_view_of(cursor, sizeof cursor);
	}
	self->opened_ms = 0;
	self->attempted_ms = self->reactor->now_ms;
	self->attempts++;
	status = wr_stream_client_open(&self->client, self->reactor, self->allocator, self->peer,
				       &target, &client_ops, self);
	self->is_begun = status == WR_OK;
	return status;
}

static void attempt(struct wr_upstream *self)
{
	if (open_client(self) != WR_OK)
		wait_after(self, WR_REMOTE_UNREACHABLE);
}

void wr_upstream_nudge(struct wr_upstream *self)
{
	/* Whoever asks often may not make us try often. */
	if (self->is_begun || self->reactor->now_ms - self->attempted_ms < WAIT_MS_MIN)
		return;
	wr_timer_cancel(self->reactor, &self->timer);
	attempt(self);
}

void wr_upstream_verify(struct wr_upstream *self)
{
	if (!self->is_begun || self->opened_ms == 0 || !self->has_position)
		return;
	wr_stream_client_abort(&self->client);
	self->is_begun = false;
	wait(self, backoff(self)); /* the state stays: it is there, as far as we know */
	self->failures++;
}

void wr_upstream_lose(struct wr_upstream *self)
{
	wr_stream_client_abort(&self->client);
	self->is_begun = false;
	lose(self);
}

void wr_upstream_turn(struct wr_upstream *self)
{
	if (!self->is_begun && !wr_timer_is_set(&self->timer))
		(void)wr_timer_set(self->reactor, &self->timer, self->wait_ms);
}

/* ---- life ---- */

enum wr_status wr_upstream_begin(struct wr_upstream *self, struct wr_reactor *reactor,
				 struct wr_allocator *allocator, const struct wr_stream_peer *peer,
				 const struct wr_upstream_ops *ops, void *context)
{
	*self = (struct wr_upstream){
		.reactor = reactor,
		.allocator = allocator,
		.peer = peer,
		.ops = ops,
		.context = context,
		.timer.on_due = on_due,
		.state = WR_REMOTE_CONNECTING,
	};
	return open_client(self);
}

void wr_upstream_end(struct wr_upstream *self)
{
	if (self->reactor == NULL)
		return;
	if (self->is_begun)
		wr_stream_client_abort(&self->client);
	self->is_begun = false;
	wr_timer_cancel(self->reactor, &self->timer);
}
