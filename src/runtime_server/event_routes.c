#include "runtime_server/event_routes.h"

#include "runtime_server/routes.h"

#if WR_WS_SERVER

#include "codec/ws/handshake.h"
#include "observe/fanout.h"
#include "wire/command_json.h"
#include "wire/event_json.h"

/* ---- the two routes ---- */

/* RFC 9110 15.5.22 wants Upgrade, RFC 6455 4.2.2 the version that is spoken here. */
static void refuse_handshake(struct wr_request *request, enum wr_ws_handshake_fault fault)
{
	if (fault == WR_WS_HANDSHAKE_KEY) {
		wr_refuse(request, WR_WIRE_BAD_REQUEST,
			  WR_VIEW("Sec-WebSocket-Key is not 16 bytes in base64"));
		return;
	}
	wr_http_answer_field(request->exchange, WR_VIEW("Connection"), WR_VIEW("Upgrade"));
	wr_http_answer_field(request->exchange, WR_VIEW("Upgrade"), WR_VIEW("websocket"));
	wr_http_answer_field(request->exchange, WR_VIEW("Sec-WebSocket-Version"), WR_VIEW("13"));
	wr_refuse(request, WR_WIRE_UPGRADE_REQUIRED, WR_VIEW_NULL);
}

/* Query and handshake, in this order; false when answered. */
static bool read_upgrade(struct wr_request *request, struct wr_view *cursor)
{
	const struct wr_http_exchange *exchange = request->exchange;
	enum wr_ws_handshake_fault fault;
	enum wr_status status =
		wr_cursor_query_read(cursor, &request->server->texts, exchange->target.query);

	if (status != WR_OK) {
		wr_refuse_query(request, status);
		return false;
	}
	fault = wr_ws_handshake_check(exchange->head);
	if (fault != WR_WS_HANDSHAKE_OK) {
		refuse_handshake(request, fault);
		return false;
	}
	/* Its bytes would be taken for the new protocol's. */
	if (exchange->head->framing != WR_HTTP_FRAMING_NONE &&
	    (exchange->head->framing != WR_HTTP_FRAMING_LENGTH ||
	     exchange->head->body_bytes != 0)) {
		wr_refuse(request, WR_WIRE_BAD_REQUEST,
			  WR_VIEW("a request for an upgrade has no body"));
		return false;
	}
	/* Children may go on for a while, but nobody new is let in to watch. */
	if (request->server->is_draining) {
		wr_refuse(request, WR_WIRE_RUNTIME_UNAVAILABLE, WR_VIEW_NULL);
		return false;
	}
	return true;
}

void wr_serve_worker_events(struct wr_request *request)
{
	const struct wr_worker *worker;
	struct wr_view cursor;

	if (!read_upgrade(request, &cursor))
		return;
	worker = wr_request_whole_worker(request);
	if (worker != NULL)
		wr_fanout_accept(request->server->streams.fanout, request->exchange, worker->number,
				 cursor);
}

void wr_serve_runtime_events(struct wr_request *request)
{
	struct wr_view cursor;

	if (read_upgrade(request, &cursor))
		wr_fanout_accept(request->server->streams.fanout, request->exchange, 0, cursor);
}

/* ---- the streams ---- */

enum wr_status wr_streams_init(struct wr_streams *self, struct wr_reactor *reactor,
			       struct wr_allocator *allocator, const struct wr_config *config,
			       struct wr_runtime_config *runtime_config,
			       struct wr_runtime_ports *ports)
{
	struct wr_fanout_config fanout;
	enum wr_status status;

	self->feed.compat = (enum wr_compat)config->compat;
	wr_ws_defaults(&fanout.ws);
	fanout.ws.ping_ms = (uint32_t)config->serving.ping_ms;
	fanout.ws.send_ms_max = (uint32_t)config->serving.send_ms;
	status = wr_fanout_new(&self->fanout, reactor, allocator, &fanout);
	if (status != WR_OK)
		return status;
	runtime_config->is_trimmed_by_owner = true;
	ports->encoding = &wr_frame_encoding;
	ports->observer = wr_fanout_observer(self->fanout);
	return WR_OK;
}

enum wr_status wr_streams_attach(struct wr_streams *self, struct wr_runtime *runtime,
				 struct wr_http_server *http)
{
	struct wr_feed feed;

	self->feed.runtime = runtime;
	feed = wr_runtime_feed(&self->feed);
	return wr_fanout_attach(self->fanout, &feed, http);
}

void wr_streams_deinit(struct wr_streams *self)
{
	if (self->fanout != NULL)
		wr_fanout_free(self->fanout);
	self->fanout = NULL;
}

uint32_t wr_streams_count(const struct wr_streams *self)
{
	return wr_fanout_count(self->fanout);
}

void wr_streams_drain(struct wr_streams *self)
{
	wr_fanout_drain(self->fanout);
}

#else

/* Nobody watches: events leave no bytes behind but in the state that they change. */
static enum wr_status encode_nothing(void *context, struct wr_buf *out,
				     const struct wr_event *event,
				     const struct wr_identity *identity, enum wr_scope scope)
{
	(void)context, (void)out, (void)event, (void)identity, (void)scope;
	return WR_OK;
}

static void patch_nothing(void *context, char *frame, size_t bytes,
			  const char cursor[WR_CURSOR_BYTES])
{
	(void)context, (void)frame, (void)bytes, (void)cursor;
}

enum wr_status wr_streams_init(struct wr_streams *self, struct wr_reactor *reactor,
			       struct wr_allocator *allocator, const struct wr_config *config,
			       struct wr_runtime_config *runtime_config,
			       struct wr_runtime_ports *ports)
{
	static const struct wr_encoding encoding = {.encode = encode_nothing,
						    .patch = patch_nothing};

	(void)self, (void)reactor, (void)allocator, (void)config, (void)runtime_config;
	ports->encoding = &encoding;
	return WR_OK;
}

enum wr_status wr_streams_attach(struct wr_streams *self, struct wr_runtime *runtime,
				 struct wr_http_server *http)
{
	(void)self, (void)runtime, (void)http;
	return WR_OK;
}

void wr_streams_deinit(struct wr_streams *self)
{
	(void)self;
}

uint32_t wr_streams_count(const struct wr_streams *self)
{
	(void)self;
	return 0;
}

void wr_streams_drain(struct wr_streams *self)
{
	(void)self;
}

/* Not in the table of routes then. */
void wr_serve_worker_events(struct wr_request *request)
{
	wr_refuse(request, WR_WIRE_ROUTE_NOT_FOUND, WR_VIEW_NULL);
}

void wr_serve_runtime_events(struct wr_request *request)
{
	wr_refuse(request, WR_WIRE_ROUTE_NOT_FOUND, WR_VIEW_NULL);
}

#endif
