#include "backend/stream_client.h"

#include "bounds.h"
#include "check.h"

enum {
	TARGET_BYTES_MAX = 4096,
	MESSAGE_BYTES_KEPT = 65536,
	CLOSE_NORMAL = 1000,
	CLOSE_PROTOCOL = 1002,
	CLOSE_ENCODING = 1007
};

/* ---- the end ---- */

static void release(struct wr_stream_client *self)
{
	wr_buf_deinit(&self->message);
	wr_buf_deinit(&self->texts);
	self->life++;
}

void wr_stream_client_abort(struct wr_stream_client *self)
{
	wr_ws_client_abort(&self->ws);
	release(self);
}

void wr_stream_client_close(struct wr_stream_client *self)
{
	wr_ws_client_close(&self->ws, CLOSE_NORMAL);
}

/* We end it, for a reason of our own. */
static void fail(struct wr_stream_client *self, enum wr_status why, unsigned code)
{
	if (self->failure == WR_OK)
		self->failure = why;
	wr_ws_client_close(&self->ws, code);
}

static enum wr_status why_of_answer(unsigned http_status)
{
	switch (http_status) {
	case 401:
	case 403:
		return WR_UNAUTHENTICATED;
	case 404:
		return WR_NOT_FOUND;
	case 405:
	case 501:
		return WR_UNSUPPORTED;
	default:
		return WR_UNAVAILABLE;
	}
}

static enum wr_status why_of_end(const struct wr_ws_client_end *end)
{
	switch ((int)end->status) {
	case WR_OK:
		return end->close_code == CLOSE_NORMAL ? WR_OK : WR_UNAVAILABLE;
	case WR_REJECTED:
		return why_of_answer(end->http_status);
	case WR_INVALID:
	case WR_SYNTAX:
	case WR_ENCODING:
	case WR_TOO_LARGE:
	case WR_UNSUPPORTED:
		return WR_SYNTAX;
	case WR_NO_MEMORY:
		return WR_NO_MEMORY;
	case WR_UNAVAILABLE:
		return end->fault != NULL ? WR_FORBIDDEN : WR_UNAVAILABLE;
	default:
		return WR_UNAVAILABLE;
	}
}

static void on_end(void *context, struct wr_ws_client *ws, const struct wr_ws_client_end *end)
{
	struct wr_stream_client *self = context;
	enum wr_status why = self->failure != WR_OK ? self->failure : why_of_end(end);

	(void)ws;
	self->fault = end->fault;
	release(self);
	self->ops->on_end(self->context, self, why);
}

/* ---- messages ---- */

struct word {
	struct wr_view text;
	enum wr_status status;
};

static enum wr_status find_word(const struct word *words, size_t count, struct wr_view text,
				enum wr_status otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (wr_view_equal(words[i].text, text))
			return words[i].status;
	return otherwise;
}

/* What a diagnostic means (contract 3.6, design 3). */
static enum wr_status why_of_diagnostic(const struct wr_stream_frame *frame)
{
	static const struct word codes[] = {
		{WR_VIEW_INIT("runtime.cursor_malformed"), WR_MALFORMED},
		{WR_VIEW_INIT("runtime.cursor_unknown_or_expired"), WR_UNKNOWN},
		{WR_VIEW_INIT("runtime.worker_not_found"), WR_NOT_FOUND},
		{WR_VIEW_INIT("runtime.store_corrupt"), WR_CORRUPT},
	};
	static const struct word reasons[] = {
		{WR_VIEW_INIT("scope_mismatch"), WR_SCOPE_MISMATCH},
		{WR_VIEW_INIT("ahead"), WR_AHEAD},
		{WR_VIEW_INIT("lost_tail"), WR_LOST_TAIL},
		{WR_VIEW_INIT("expired"), WR_EXPIRED},
	};
	/* runtime.cursor_expired, we fell behind: what is gone shows with the next connection. */
	enum wr_status status = find_word(codes, WR_COUNT(codes), frame->code, WR_UNAVAILABLE);

	if (status == WR_UNKNOWN)
		status = find_word(reasons, WR_COUNT(reasons), frame->reason, WR_UNKNOWN);
	return status;
}

static void take_message(struct wr_stream_client *self, struct wr_view json)
{
	uint64_t life = self->life;
	struct wr_stream_frame frame;
	enum wr_status status = wr_stream_frame_read(&frame, &self->texts, json);

	if (status == WR_NO_MEMORY)
		fail(self, WR_NO_MEMORY, CLOSE_NORMAL);
	else if (status != WR_OK && status != WR_UNSUPPORTED)
		fail(self, WR_SYNTAX, status == WR_ENCODING ? CLOSE_ENCODING : CLOSE_PROTOCOL);
	else if (frame.kind == WR_STREAM_DIAGNOSTIC)
		fail(self, why_of_diagnostic(&frame), CLOSE_NORMAL);
	else if (!self->ops->on_frame(self->context, self, &frame, status == WR_OK) &&
		 self->life == life)
		fail(self, WR_SYNTAX, CLOSE_PROTOCOL);
}

/* A message was taken, and the connection is still this one. */
static void shrink(struct wr_buf *buf)
{
	if (buf->capacity > MESSAGE_BYTES_KEPT)
		wr_buf_deinit(buf);
	wr_buf_reset(buf);
}

static void on_data(void *context, struct wr_ws_client *ws, struct wr_view data, bool is_text,
		    bool is_end)
{
	struct wr_stream_client *self = context;
	uint64_t life = self->life;

	(void)ws;
	if (!is_text) {
		fail(self, WR_SYNTAX, CLOSE_PROTOCOL);
		return;
	}
	if (is_end && self->message.bytes == 0) { /* most come in one piece */
		take_message(self, data);
		if (self->life == life)
			shrink(&self->texts);
		return;
	}
	if (wr_buf_append_view(&self->message, data) != WR_OK) {
		fail(self, WR_NO_MEMORY, CLOSE_NORMAL); /* its size is watched by the client */
		return;
	}
	if (!is_end)
		return;
	take_message(self, wr_buf_view(&self->message));
	if (self->life != life)
		return;
	shrink(&self->texts);
	shrink(&self->message);
}

static void on_open(void *context, struct wr_ws_client *ws)
{
	struct wr_stream_client *self = context;

	(void)ws;
	self->ops->on_open(self->context, self);
}

/* ---- opening ---- */

/* RFC 3986 2.3: what need not be escaped. */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void append_escaped(struct wr_buf *out, struct wr_view text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		const char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
		if (is_unreserved(text.data[i]))
			wr_buf_append_byte(out, text.data[i]);
		else
			wr_buf_append(out, escape, sizeof escape);
	}
}

static void append_target(struct wr_buf *out, const struct wr_stream_peer *peer,
			  const struct wr_stream_target *target)
{
	wr_buf_append_view(out, peer->target_prefix);
	if (target->worker_id.data != NULL) {
		wr_buf_append_view(out, WR_VIEW("/v1/workers/"));
		append_escaped(out, target->worker_id);
		wr_buf_append_view(out, WR_VIEW("/events/ws"));
	} else {
		wr_buf_append_view(out, WR_VIEW("/v1/events/ws"));
	}
	if (target->cursor.data != NULL) {
		wr_buf_append_view(out, WR_VIEW("?cursor="));
		wr_buf_append_view(out, target->cursor);
	}
}

enum wr_status wr_stream_client_open(struct wr_stream_client *self, struct wr_reactor *reactor,
				     struct wr_allocator *allocator,
				     const struct wr_stream_peer *peer,
				     const struct wr_stream_target *target,
				     const struct wr_stream_client_ops *ops, void *context)
{
	struct wr_ws_client_config config;
	struct wr_buf text;
	enum wr_status status;

	wr_buf_init(&text, allocator, TARGET_BYTES_MAX);
	append_target(&text, peer, target);
	status = wr_buf_status(&text);
	if (status != WR_OK)
		goto done;
	self->ops = ops;
	self->context = context;
	self->failure = WR_OK;
	wr_buf_init(&self->message, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->texts, allocator, WR_FRAME_BYTES_MAX);
	wr_ws_client_defaults(&config);
	config.address = peer->to.address;
	config.resolver = peer->to.resolver;
	config.host_name = peer->to.host_name;
	config.port = peer->to.port;
	config.tls = peer->tls;
	config.tls_name = peer->tls_name;
	config.host = peer->host;
	config.target = wr_buf_view(&text);
	config.fields = peer->fields;
	config.open_ms_max = peer->ms_max;
	config.message_bytes_max = WR_FRAME_BYTES_MAX;
	config.context = self;
	config.on_open = on_open;
	config.on_data = on_data;
	config.on_end = on_end;
	status = wr_ws_client_open(&self->ws, reactor, allocator, &config);
done:
	wr_buf_deinit(&text);
	return status == WR_TOO_LARGE ? WR_INVALID : status;
}
