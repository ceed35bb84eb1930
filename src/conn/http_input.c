/*
 * What a connection receives, and the requests in it. Input is worked on where it lies: in the
 * server's receive buffer, or in what the connection kept of earlier input. take() goes over it
 * request by request; what it leaves (half a head, or requests whose turn has not come) is kept. A
 * request that is whole costs no allocation.
 *
 * The app's functions may answer, upgrade, or make other connections end. None of them frees a
 * block: the phase tells afterwards.
 */
#include "check.h"
#include "conn/http_private.h"
#include "bounds.h"

#include <errno.h>

enum {
	/* Received at once behind input that was kept. */
	KEPT_READ_BYTES = 2048,
	/* A last answer is given to a peer that may still be sending: how much of that is read. Two
	 * bodies, for those who look for an answer only when all is sent. */
	DRAIN_BYTES_MAX = 2 * WR_HTTP_BODY_BYTES_MAX
};

/* ---- kept input ---- */

/* Counts `in` into the sum of bodies; false, and nothing changed, when that is at its limit. */
static bool charge_input(struct wr_http_conn *self)
{
	struct wr_http_server *server = self->server;
	size_t head = self->phase == WR_HTTP_PHASE_BODY ? self->head_bytes : self->in.bytes;
	size_t charge = self->in.bytes -
			(head < WR_HTTP_FREE_INPUT_BYTES ? head : WR_HTTP_FREE_INPUT_BYTES);
	size_t others = server->bodies_bytes - self->in_charge;

	if (charge > self->in_charge && (others > server->config.bodies_bytes_max ||
					 charge > server->config.bodies_bytes_max - others))
		return false;
	server->bodies_bytes = others + charge;
	self->in_charge = charge;
	return true;
}

void wr_http_input_release(struct wr_http_conn *self)
{
	self->server->bodies_bytes -= self->in_charge;
	self->in_charge = 0;
}

/* Takes what is kept away from the connection, to be worked on. */
static struct wr_buf take_kept(struct wr_http_conn *self)
{
	struct wr_buf kept = self->in;

	wr_http_input_release(self);
	wr_buf_init(&self->in, self->server->allocator, WR_HTTP_HEAD_BYTES_MAX);
	return kept;
}

void wr_http_input_drop(struct wr_http_conn *self)
{
	wr_http_input_release(self);
	wr_buf_deinit(&self->in);
}

/* ---- one request ---- */

static unsigned status_of(enum wr_http_fault fault)
{
	switch (fault) {
	case WR_HTTP_FAULT_NONE:
	case WR_HTTP_FAULT_SYNTAX:
	case WR_HTTP_FAULT_FRAMING:
	case WR_HTTP_FAULT_HOST:
	case WR_HTTP_FAULT_REPEATED:
		return 400;
	case WR_HTTP_FAULT_TARGET_TOO_LONG:
		return 414;
	case WR_HTTP_FAULT_HEAD_TOO_LARGE:
		return 431;
	case WR_HTTP_FAULT_VERSION:
		return 505;
	case WR_HTTP_FAULT_TRANSFER_CODING:
		return 501;
	case WR_HTTP_FAULT_EXPECTATION:
		return 417;
	}
	wr_unreachable();
}

static const struct wr_address *peer_of(struct wr_http_conn *self)
{
	struct wr_http_server *server = self->server;

	if (server->peer_of != self) {
		memcpy(&server->peer.storage, self->peer, self->peer_bytes);
		server->peer.bytes = self->peer_bytes;
		server->peer_of = self;
	}
	return &server->peer;
}

/* A path alone, in origin form, is what nearly every target is. */
static bool split_target(struct wr_http_target *out, const struct wr_http_head *head)
{
	if (WR_UNLIKELY(head->place_bytes != head->target.bytes || *head->target.data != '/'))
		return wr_http_target_split(out, head->target) == WR_OK;
	out->path = head->target;
	out->query = WR_VIEW_NULL;
	return true;
}

/* The views of the exchange, after a parse of its head. */
static bool show_head(struct wr_http_conn *self)
{
	struct wr_http_server *server = self->server;
	struct wr_http_exchange *exchange = &self->exchange;

	exchange->head = &server->head;
	exchange->peer = peer_of(self);
	exchange->match.handler = 0;
	return split_target(&exchange->target, &server->head);
}

static bool begin_exchange(struct wr_http_conn *self)
{
	const struct wr_http_head *head = &self->server->head;
	struct wr_http_exchange *exchange = &self->exchange;

	self->minor_version = head->minor_version;
	self->is_to_head = head->method == WR_HTTP_METHOD_HEAD;
	self->is_keep_alive = head->is_keep_alive && head->minor_version == 0;
	self->is_last = !head->is_keep_alive || ++self->request_count >= WR_HTTP_REQUESTS_MAX;
	self->is_body_ahead = false;
	exchange->app_pointer = NULL;
	exchange->app_number = 0;
	exchange->body_bytes_max = 0;
	exchange->is_authenticated = false;
	exchange->is_answered = false;
	return show_head(self);
}

/* Asks the app; false when nothing is left to do for the request (answered, or gone). */
static bool call_head(struct wr_http_conn *self, struct wr_view rest)
{
	struct wr_http_server *server = self->server;

	server->serving = self;
	server->rest = rest;
	server->app.on_head(server->app.context, &self->exchange);
	server->serving = NULL;
	if (self->phase == WR_HTTP_PHASE_GONE)
		return false;
	if (self->exchange.is_authenticated && !self->is_known)
		wr_http_server_know(server, self);
	return !self->exchange.is_answered;
}

static void call_request(struct wr_http_conn *self, struct wr_view body, struct wr_view rest)
{
	struct wr_http_server *server = self->server;

	server->serving = self;
	server->rest = rest;
	server->app.on_request(server->app.context, &self->exchange, body);
	server->serving = NULL;
}

static bool has_body(const struct wr_http_head *head)
{
	return head->framing != WR_HTTP_FRAMING_NONE &&
	       !(head->framing == WR_HTTP_FRAMING_LENGTH && head->body_bytes == 0);
}

/* Takes payload from `input` to `to`, which may lie in the same bytes, not behind it. Returns how
 * much of the input is done with; *payload_bytes grows. A fault is answered. */
static size_t decode(struct wr_http_conn *self, char *to, size_t *payload_bytes,
		     struct wr_view input)
{
	size_t at = 0;

	while (at < input.bytes && !self->body.is_complete) {
		struct wr_view payload;
		size_t used;
		enum wr_status status =
			wr_http_body_feed(&self->body, &payload, &used, wr_view_skip(input, at));
		if (status != WR_OK && status != WR_MORE) {
			wr_http_conn_fail(self, 400, WR_HTTP_SERVER_FAULT_BODY,
					  WR_HTTP_FAULT_FRAMING);
			return input.bytes;
		}
		if (self->body.payload_bytes > self->exchange.body_bytes_max) {
			wr_http_conn_fail(self, 413, WR_HTTP_SERVER_FAULT_BODY_SIZE,
					  WR_HTTP_FAULT_NONE);
			return input.bytes;
		}
		if (payload.bytes != 0)
			memmove(to + *payload_bytes, payload.data, payload.bytes);
		*payload_bytes += payload.bytes;
		at += used;
		if (status == WR_MORE)
			break;
	}
	return at;
}

/* A body whose end has not come: head and payload so far, both in `input`, are kept. */
static void begin_body(struct wr_http_conn *self, size_t head_bytes, struct wr_view input,
		       bool continues)
{
	/* A known length is at most body_bytes_max, and that is below SIZE_MAX - head_bytes. */
	size_t body_bytes = self->body.framing == WR_HTTP_FRAMING_LENGTH
				    ? (size_t)(self->body.payload_bytes + self->body.remaining)
				    : self->exchange.body_bytes_max;
	size_t bytes_max = body_bytes < SIZE_MAX - head_bytes ? head_bytes + body_bytes : SIZE_MAX;

	wr_assert(self->in.bytes == 0 && input.bytes >= head_bytes);
	wr_http_conn_enter(self, WR_HTTP_PHASE_BODY);
	self->is_late = false;
	self->head_bytes = head_bytes;
	wr_http_input_drop(self);
	/* Never more memory than the whole request will take, if that is known. */
	wr_buf_init(&self->in, self->server->allocator, bytes_max);
	if (wr_buf_append_view(&self->in, input) != WR_OK) {
		wr_http_conn_fail(self, 503, WR_HTTP_SERVER_FAULT_MEMORY, WR_HTTP_FAULT_NONE);
		return;
	}
	if (!charge_input(self)) {
		wr_http_conn_fail(self, 503, WR_HTTP_SERVER_FAULT_BODIES_FULL, WR_HTTP_FAULT_NONE);
		return;
	}
	/* RFC 9110 10.1.1; of a body that has begun the client knows already that it is wanted. */
	if (continues && wr_buf_append_view(wr_http_output(self),
					    WR_VIEW("HTTP/1.1 100 Continue\r\n\r\n")) != WR_OK)
		wr_http_conn_end(self, true);
}

/* A request with a body, as far as it came: `data` begins with its head. */
static size_t take_body_request(struct wr_http_conn *self, char *data, size_t bytes,
				size_t head_bytes)
{
	const struct wr_http_head *head = &self->server->head;
	struct wr_view rest = wr_view_of(data + head_bytes, bytes - head_bytes);
	bool has_length = head->framing == WR_HTTP_FRAMING_LENGTH;
	bool continues = head->expects_continue && rest.bytes == 0;
	uint64_t body_bytes = has_length ? head->body_bytes : 0;
	size_t payload_bytes = 0, used;

	wr_http_body_init(&self->body, head->framing, body_bytes);
	self->is_body_ahead = true;
	/* After a refusal a client that waits for 100 may send the body or not (10.1.1). */
	self->is_refusal_last = continues || body_bytes > WR_HTTP_SKIP_BYTES_MAX;
	if (call_head(self, rest) && has_length && body_bytes > self->exchange.body_bytes_max)
		wr_http_answer_fault(self, 413, WR_HTTP_SERVER_FAULT_BODY_SIZE, WR_HTTP_FAULT_NONE,
				     true);
	if (self->phase == WR_HTTP_PHASE_GONE || self->exchange.is_answered) {
		wr_http_conn_conclude(self);
		return head_bytes;
	}
	if (WR_LIKELY(has_length && body_bytes <= rest.bytes)) {
		/* All of it is there: nothing to take apart, nothing to keep. */
		payload_bytes = used = (size_t)body_bytes;
		self->body.is_complete = true;
	} else {
		used = decode(self, data + head_bytes, &payload_bytes, rest);
	}
	if (self->exchange.is_answered)
		return bytes;
	if (!self->body.is_complete) {
		begin_body(self, head_bytes, wr_view_of(data, head_bytes + payload_bytes),
			   continues);
		return bytes;
	}
	self->is_body_ahead = false;
	call_request(self, wr_view_of(data + head_bytes, payload_bytes), wr_view_skip(rest, used));
	wr_http_conn_conclude(self);
	return head_bytes + used;
}

/* The request at the front of `data`. Returns how much of it is done with; 0: it is not whole. */
static size_t take_request(struct wr_http_conn *self, char *data, size_t bytes)
{
	struct wr_http_server *server = self->server;
	struct wr_view rest;
	size_t head_bytes;
	enum wr_status status = wr_http_request_parse(&self->parser, &server->head, &head_bytes,
						      wr_view_of(data, bytes));
	enum wr_http_fault fault = self->parser.fault;

	if (status == WR_MORE) {
		if (!self->is_partial)
			self->since_ms = (uint32_t)self->server->reactor->now_ms;
		self->is_partial = true;
		return 0;
	}
	self->is_partial = false;
	if (WR_UNLIKELY(self->held_until != 0) && status == WR_OK &&
	    server->head.has_connection_upgrade) {
		/* It would leave HTTP with answers behind: not before they have left. */
		self->parser = (struct wr_http_head_parser){0};
		self->held_count = WR_HTTP_HELD_COUNT_MAX;
		return 0;
	}
	server->requests_left--;
	if (status != WR_OK) {
		wr_http_conn_fail_head(self, status_of(fault), WR_HTTP_SERVER_FAULT_HEAD, fault);
		return bytes;
	}
	if (!begin_exchange(self)) {
		wr_http_conn_fail(self, 400, WR_HTTP_SERVER_FAULT_HEAD, WR_HTTP_FAULT_SYNTAX);
		return bytes;
	}
	if (has_body(&server->head))
		return take_body_request(self, data, bytes, head_bytes);
	rest = wr_view_of(data + head_bytes, bytes - head_bytes);
	if (call_head(self, rest))
		call_request(self, WR_VIEW_NULL, rest);
	wr_http_conn_conclude(self);
	return head_bytes;
}

/* The body is whole: parses the kept head again, since its views are gone, and asks the app. */
static void end_body(struct wr_http_conn *self, struct wr_view rest)
{
	struct wr_http_head_parser parser = {0};
	struct wr_buf kept = take_kept(self);
	size_t head_bytes;
	enum wr_status status = wr_http_request_parse(&parser, &self->server->head, &head_bytes,
						      wr_view_of(kept.data, self->head_bytes));

	wr_assert(status == WR_OK && head_bytes == self->head_bytes);
	wr_assert(self->body.payload_bytes == kept.bytes - head_bytes);
	self->is_body_ahead = false;
	show_head(self);
	if (call_head(self, rest))
		call_request(self, wr_view_skip(wr_buf_view(&kept), head_bytes), rest);
	wr_http_conn_conclude(self);
	wr_buf_deinit(&kept);
}

/* More of a body. Returns how much of the input is done with. */
static size_t take_body(struct wr_http_conn *self, char *data, size_t bytes)
{
	size_t payload_bytes = 0;
	size_t used = decode(self, data, &payload_bytes, wr_view_of(data, bytes));

	if (self->exchange.is_answered)
		return bytes;
	if (wr_buf_append(&self->in, data, payload_bytes) != WR_OK) {
		wr_http_conn_fail(self, 503, WR_HTTP_SERVER_FAULT_MEMORY, WR_HTTP_FAULT_NONE);
		return bytes;
	}
	if (!charge_input(self)) {
		wr_http_conn_fail(self, 503, WR_HTTP_SERVER_FAULT_BODIES_FULL, WR_HTTP_FAULT_NONE);
		return bytes;
	}
	if (self->body.is_complete)
		end_body(self, wr_view_of(data + used, bytes - used));
	return used;
}

/* More of a body that nobody wants. */
static size_t take_unwanted(struct wr_http_conn *self, char *data, size_t bytes)
{
	size_t at = 0;

	while (at < bytes && !self->body.is_complete) {
		struct wr_view payload;
		size_t used;
		enum wr_status status = wr_http_body_feed(&self->body, &payload, &used,
							  wr_view_of(data + at, bytes - at));
		at += used;
		/* The answer is given, so there is no other one for what is wrong now. */
		if ((status != WR_OK && status != WR_MORE) ||
		    self->body.payload_bytes > WR_HTTP_SKIP_BYTES_MAX) {
			wr_http_conn_enter(self, WR_HTTP_PHASE_FLUSH);
			return bytes;
		}
		if (status == WR_MORE)
			break;
	}
	if (self->body.is_complete) {
		self->is_body_ahead = false;
		wr_http_conn_conclude(self);
		if (self->held_count == WR_HTTP_HELD_COUNT_MAX)
			self->server->requests_left = 0;
	}
	return at;
}

/* ---- input ---- */

/* Works on input until it is used up, has to wait, or the turn's share is done. Returns how much is
 * done with. */
static size_t take(struct wr_http_conn *self, char *data, size_t bytes)
{
	size_t at = 0, used;

	while (at < bytes) {
		if (self->phase == WR_HTTP_PHASE_HEAD) {
			if (self->server->requests_left == 0 ||
			    wr_http_output_bytes(self) > WR_CONN_OUTPUT_BYTES_MAX)
				break;
			used = take_request(self, data + at, bytes - at);
		} else if (self->phase == WR_HTTP_PHASE_BODY) {
			used = take_body(self, data + at, bytes - at);
		} else if (self->phase == WR_HTTP_PHASE_SKIP) {
			used = take_unwanted(self, data + at, bytes - at);
		} else {
			break;
		}
		wr_assert(used <= bytes - at);
		if (used == 0)
			break;
		at += used;
	}
	return at;
}

static bool wants_rest(const struct wr_http_conn *self)
{
	return self->phase == WR_HTTP_PHASE_HEAD ||
	       ((self->phase == WR_HTTP_PHASE_ANSWER || self->phase == WR_HTTP_PHASE_PRODUCE) &&
		!self->is_last);
}

/* What was kept cannot be: between requests that is an answer, else the end of pipelining. */
static void give_up_kept(struct wr_http_conn *self)
{
	wr_http_input_drop(self);
	if (self->phase == WR_HTTP_PHASE_HEAD) {
		wr_http_conn_fail_head(self, 503, WR_HTTP_SERVER_FAULT_MEMORY, WR_HTTP_FAULT_NONE);
	} else {
		self->is_last = true;
		self->is_ended = true;
	}
}

static void keep_rest(struct wr_http_conn *self, const char *data, size_t bytes)
{
	if (bytes == 0 || !wants_rest(self))
		return;
	wr_assert(self->in.data == NULL);
	wr_buf_init(&self->in, self->server->allocator, SIZE_MAX);
	if (wr_buf_append(&self->in, data, bytes) != WR_OK || !charge_input(self))
		give_up_kept(self);
}

/* Works on what was kept. */
void wr_http_input_take_kept(struct wr_http_conn *self)
{
	struct wr_buf kept = take_kept(self);
	size_t used = take(self, kept.data, kept.bytes);

	if (used < kept.bytes && wants_rest(self)) {
		wr_buf_consume(&kept, used);
		self->in = kept;
		if (!charge_input(self))
			give_up_kept(self);
	} else if (self->phase == WR_HTTP_PHASE_GONE) {
		/* The app may look at it until the end of the turn (early bytes of an upgrade). */
		wr_buf_deinit(&self->in);
		self->in = kept;
	} else {
		wr_buf_deinit(&kept);
	}
}

bool wr_http_input_has_requests(const struct wr_http_conn *self)
{
	return self->phase == WR_HTTP_PHASE_HEAD && self->in.bytes != 0 && !self->is_partial;
}

/* The peer ended its side, or is gone altogether. */
static void end_input(struct wr_http_conn *self, bool is_error)
{
	self->is_ended = true;
	if (!is_error && self->phase == WR_HTTP_PHASE_BODY && self->held_until != 0) {
		/* What is answered already is still owed. */
		wr_http_input_drop(self);
		wr_http_conn_enter(self, WR_HTTP_PHASE_FLUSH);
		return;
	}
	if (is_error || self->phase == WR_HTTP_PHASE_BODY || self->phase == WR_HTTP_PHASE_DRAIN)
		wr_http_conn_end(self, false);
	else if (self->phase == WR_HTTP_PHASE_SKIP)
		wr_http_conn_enter(self, WR_HTTP_PHASE_FLUSH);
}

static bool receive(struct wr_http_conn *self, void *to, size_t room, size_t *got)
{
	enum wr_status status;

	errno = 0; /* an orderly end sets none */
	status = wr_stream_receive(&self->stream, to, room, got);
	if (WR_UNLIKELY(status == WR_CLOSED))
		end_input(self, errno != 0);
	return status == WR_OK;
}

/* Into the server's buffer, which is worked on at once. */
static void receive_shared(struct wr_http_conn *self, size_t room)
{
	char *data = self->server->receive;
	size_t got, used;

	if (!receive(self, data, room, &got))
		return;
	used = take(self, data, got);
	keep_rest(self, data + used, got - used);
}

/* Behind what is kept; true when something came. */
static bool receive_kept(struct wr_http_conn *self, size_t room)
{
	char *to = wr_buf_reserve(&self->in, room);
	size_t got;

	if (to == NULL) {
		give_up_kept(self);
		return false;
	}
	if (!receive(self, to, room, &got))
		return false;
	wr_buf_commit(&self->in, got);
	if (charge_input(self))
		return true;
	give_up_kept(self);
	return false;
}

/* While the answer is not given: what the peer sends ahead, or whether it is gone. */
static void receive_ahead(struct wr_http_conn *self)
{
	size_t room = WR_HTTP_AHEAD_BYTES_MAX - self->in.bytes;

	wr_assert(self->in.bytes < WR_HTTP_AHEAD_BYTES_MAX);
	if (self->in.bytes == 0)
		wr_buf_init(&self->in, self->server->allocator, SIZE_MAX);
	receive_kept(self, room < KEPT_READ_BYTES ? room : KEPT_READ_BYTES);
	if (self->phase != WR_HTTP_PHASE_GONE && self->in.bytes == 0)
		wr_http_input_drop(self);
}

static void receive_drained(struct wr_http_conn *self)
{
	bool is_limited = !self->is_known && self->server->config.unauthenticated_count_max != 0;
	size_t got;

	if (!receive(self, self->server->receive, WR_TURN_READ_BYTES_MAX, &got))
		return;
	self->mark_bytes += (uint32_t)got;
	if (self->mark_bytes >
	    (is_limited ? WR_HTTP_UNAUTHENTICATED_BODY_BYTES_MAX : (uint32_t)DRAIN_BYTES_MAX))
		wr_http_conn_end(self, false);
}

void wr_http_input_receive(struct wr_http_conn *self)
{
	switch ((enum wr_http_phase)self->phase) {
	case WR_HTTP_PHASE_HEAD:
		if (self->in.bytes == 0)
			receive_shared(self, WR_HTTP_HEAD_READ_BYTES);
		else if (receive_kept(self, KEPT_READ_BYTES))
			wr_http_input_take_kept(self);
		return;
	case WR_HTTP_PHASE_BODY:
	case WR_HTTP_PHASE_SKIP:
		receive_shared(self, WR_TURN_READ_BYTES_MAX);
		return;
	case WR_HTTP_PHASE_ANSWER:
	case WR_HTTP_PHASE_PRODUCE:
		receive_ahead(self);
		return;
	case WR_HTTP_PHASE_DRAIN:
		receive_drained(self);
		return;
	case WR_HTTP_PHASE_FLUSH:
	case WR_HTTP_PHASE_GONE:
		return;
	}
	wr_unreachable();
}
