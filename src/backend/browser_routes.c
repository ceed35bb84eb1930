#include "backend/browser_private.h"

#include "backend/ids.h"
#include "check.h"
#include "io/clock.h"
#include "io/log.h"

enum {
	LIST_LIMIT_MAX = 200,
	LIST_MS_MAX = 2000,
	WAITING_COUNT_MAX = 256,
	WAITING_BYTES_MAX = 67108864,
	IDS_BYTES_MAX = 2 * WR_HTTP_TARGET_BYTES_MAX,
	/* Of a body all texts, decoded; and what is kept of that between requests. */
	TEXTS_BYTES_MAX = 2 * WR_HTTP_BODY_BYTES_MAX,
	TEXTS_BYTES_KEPT = 65536
};

/* ---- the table ---- */

enum route {
	ROUTE_RUNTIMES,
	ROUTE_RUNTIME,
	ROUTE_HOSTS,
	ROUTE_HOST_WORKERS,
	ROUTE_WORKERS,
	ROUTE_WORKSPACE,
	ROUTE_TICKETS,
	ROUTE_RUNTIME_WORKERS,
	ROUTE_SPAWN,
	ROUTE_WORKER,
	ROUTE_INPUT,
	ROUTE_STOP,
	ROUTE_CANCEL,
	ROUTE_INTERRUPT,
	ROUTE_TRANSCRIPT,
	ROUTE_EVENTS,
	ROUTE_HEALTHZ,
	ROUTE_READYZ,
	ROUTE_STORE_BUNDLE,
	ROUTE_AVAILABILITY
};

static const struct wr_http_route routes[] = {
	{WR_HTTP_METHOD_GET, "/api/runtimes", ROUTE_RUNTIMES},
	{WR_HTTP_METHOD_GET, "/api/hosts", ROUTE_HOSTS},
	{WR_HTTP_METHOD_GET, "/api/hosts/{}/workers", ROUTE_HOST_WORKERS},
	{WR_HTTP_METHOD_GET, "/api/workers", ROUTE_WORKERS},
	{WR_HTTP_METHOD_GET, "/api/workspace", ROUTE_WORKSPACE},
	{WR_HTTP_METHOD_POST, "/api/tickets", ROUTE_TICKETS},
	{WR_HTTP_METHOD_GET, "/healthz", ROUTE_HEALTHZ},
	{WR_HTTP_METHOD_GET, "/readyz", ROUTE_READYZ},
};

/* Behind /api/runtimes: whole paths would be longer than patterns may be. */
#define RUNTIMES_PREFIX "/api/runtimes"
static const struct wr_http_route runtime_routes[] = {
	{WR_HTTP_METHOD_GET, "/{}", ROUTE_RUNTIME},
	{WR_HTTP_METHOD_GET, "/{}/workers", ROUTE_RUNTIME_WORKERS},
	{WR_HTTP_METHOD_POST, "/{}/workers", ROUTE_SPAWN},
	{WR_HTTP_METHOD_GET, "/{}/workers/{}", ROUTE_WORKER},
	{WR_HTTP_METHOD_POST, "/{}/workers/{}/input", ROUTE_INPUT},
	{WR_HTTP_METHOD_POST, "/{}/workers/{}/stop", ROUTE_STOP},
	{WR_HTTP_METHOD_POST, "/{}/workers/{}/cancel", ROUTE_CANCEL},
	{WR_HTTP_METHOD_POST, "/{}/workers/{}/interrupt", ROUTE_INTERRUPT},
	{WR_HTTP_METHOD_GET, "/{}/workers/{}/transcript", ROUTE_TRANSCRIPT},
	{WR_HTTP_METHOD_GET, "/{}/workers/{}/events/ws", ROUTE_EVENTS},
	{WR_HTTP_METHOD_POST, "/{}/config-bundles", ROUTE_STORE_BUNDLE},
	{WR_HTTP_METHOD_GET, "/{}/config-bundles/{}/availability", ROUTE_AVAILABILITY},
};

enum {
	RULE_RUNTIME = 1, /* the path names one */
	RULE_HOST = 2,	  /* likewise */
	RULE_WORKER = 4,  /* likewise, behind a Runtime */
	RULE_COMMAND = 8, /* has a JSON body and changes something */
	RULE_STREAM = 16, /* GET only, never HEAD; a ticket will do */
	RULE_ASKS = 32,	  /* waits for sources: served when the request is whole */
	RULE_BUNDLE = 64  /* the path names a config bundle, behind a Runtime */
};

struct rule {
	wr_browser_fn *serve;
	uint8_t may; /* what the caller needs; 0: nothing, not even a credential */
	uint8_t flags;
};

enum {
	OF_WORKER = RULE_RUNTIME | RULE_WORKER,
	WORKER_COMMAND = OF_WORKER | RULE_COMMAND | RULE_ASKS
};

static const struct rule rules[] = {
	[ROUTE_RUNTIMES] = {wr_browser_serve_runtimes, WR_MAY_OBSERVE, 0},
	[ROUTE_RUNTIME] = {wr_browser_serve_runtime, WR_MAY_OBSERVE, RULE_RUNTIME},
	[ROUTE_HOSTS] = {wr_browser_serve_hosts, WR_MAY_OBSERVE, 0},
	[ROUTE_HOST_WORKERS] = {wr_browser_serve_host_workers, WR_MAY_OBSERVE,
				RULE_HOST | RULE_ASKS},
	[ROUTE_WORKERS] = {wr_browser_serve_workers, WR_MAY_OBSERVE, RULE_ASKS},
	[ROUTE_WORKSPACE] = {wr_browser_serve_workspace, WR_MAY_OBSERVE, 0},
	[ROUTE_TICKETS] = {wr_browser_serve_ticket, WR_MAY_OBSERVE, 0},
	[ROUTE_RUNTIME_WORKERS] = {wr_browser_serve_runtime_workers, WR_MAY_OBSERVE,
				   RULE_RUNTIME | RULE_ASKS},
	[ROUTE_SPAWN] = {wr_browser_serve_spawn, WR_MAY_COMMAND,
			 RULE_RUNTIME | RULE_COMMAND | RULE_ASKS},
	[ROUTE_WORKER] = {wr_browser_serve_worker, WR_MAY_OBSERVE, OF_WORKER | RULE_ASKS},
	[ROUTE_INPUT] = {wr_browser_serve_input, WR_MAY_COMMAND, WORKER_COMMAND},
	[ROUTE_STOP] = {wr_browser_serve_stop, WR_MAY_COMMAND, WORKER_COMMAND},
	[ROUTE_CANCEL] = {wr_browser_serve_cancel, WR_MAY_COMMAND, WORKER_COMMAND},
	[ROUTE_INTERRUPT] = {wr_browser_serve_interrupt, WR_MAY_COMMAND, WORKER_COMMAND},
	[ROUTE_TRANSCRIPT] = {wr_browser_serve_transcript, WR_MAY_OBSERVE, OF_WORKER | RULE_ASKS},
	[ROUTE_EVENTS] = {wr_browser_serve_events, WR_MAY_OBSERVE, OF_WORKER | RULE_STREAM},
	[ROUTE_HEALTHZ] = {wr_browser_serve_healthz, 0, 0},
	[ROUTE_READYZ] = {wr_browser_serve_readyz, 0, 0},
	[ROUTE_STORE_BUNDLE] = {wr_browser_serve_store_bundle, WR_MAY_COMMAND,
				RULE_RUNTIME | RULE_COMMAND | RULE_ASKS},
	[ROUTE_AVAILABILITY] = {wr_browser_serve_availability, WR_MAY_OBSERVE,
				RULE_RUNTIME | RULE_BUNDLE | RULE_ASKS},
};

static enum wr_status find_route(struct wr_http_match *match, enum wr_http_method method,
				 struct wr_view path)
{
	if (wr_view_starts(path, WR_VIEW(RUNTIMES_PREFIX "/")))
		return wr_http_route_find(match, runtime_routes, WR_COUNT(runtime_routes), method,
					  wr_view_skip(path, sizeof RUNTIMES_PREFIX - 1));
	return wr_http_route_find(match, routes, WR_COUNT(routes), method, path);
}

static const struct wr_console_file *find_file(const struct wr_browser_config *config,
					       struct wr_view path)
{
	for (size_t i = 0; i < config->file_count; i++)
		if (wr_view_equal(wr_view_of_string(config->files[i].path), path))
			return &config->files[i];
	return NULL;
}

/* ---- refusals ---- */

static void refuse_method(struct wr_http_exchange *exchange, const char *allow)
{
	wr_http_answer_field(exchange, WR_VIEW("Allow"), wr_view_of_string(allow));
	wr_browser_refuse_wire(exchange, WR_WIRE_METHOD_NOT_ALLOWED);
}

/* 401, with a line for the one who runs this: somebody may be trying keys. */
static void refuse_credential(struct wr_http_exchange *exchange)
{
	char peer[WR_ADDRESS_TEXT_BYTES_MAX];
	size_t bytes = wr_address_format(peer, exchange->peer);

	WR_LOG(WR_LOG_WARNING, "unauthorized", WR_LOG_TEXT("peer", wr_view_of(peer, bytes)));
	wr_browser_refuse_wire(exchange, WR_WIRE_UNAUTHORIZED);
}

static bool is_read(const struct wr_http_head *head)
{
	return head->method == WR_HTTP_METHOD_GET || head->method == WR_HTTP_METHOD_HEAD;
}

/* The contract's own words for a path under /api that there is not. */
static void refuse_path(struct wr_http_exchange *exchange, bool is_api)
{
	struct wr_browser_error error = wr_browser_error_of_wire(WR_WIRE_ROUTE_NOT_FOUND);

	if (is_api && !is_read(exchange->head)) {
		refuse_method(exchange, "GET, HEAD");
		return;
	}
	if (is_api)
		error.error = error.code;
	wr_browser_refuse(exchange, &error, WR_VIEW_NULL);
}

/* ---- who may do what ---- */

/* The value of the parameter `ticket`; absent when it is not there exactly once. */
static struct wr_view find_ticket(struct wr_view query)
{
	struct wr_view name, value, ticket = WR_VIEW_NULL;
	unsigned count = 0;

	while (wr_http_query_next(&query, &name, &value)) {
		if (!wr_view_equal(name, WR_VIEW("ticket")))
			continue;
		ticket = value;
		count++;
	}
	return count == 1 ? ticket : WR_VIEW_NULL;
}

/* What the caller may do; 0: nothing. A ticket is used up only where it can count. */
static unsigned may_of(const struct wr_browser_request *request, const struct rule *rule)
{
	const struct wr_http_exchange *exchange = request->exchange;
	unsigned may = wr_guard_may(request->face->config.guard, exchange->head);
	struct wr_view ticket;

	if (may != 0 || rule == NULL || (rule->flags & RULE_STREAM) == 0)
		return may;
	ticket = find_ticket(exchange->target.query);
	if (ticket.data == NULL)
		return 0;
	return wr_tickets_redeem(&request->face->tickets, ticket, wr_clock_monotonic_ms());
}

static bool is_under_api(struct wr_view path)
{
	return wr_view_starts(path, WR_VIEW("/api/")) || wr_view_equal(path, WR_VIEW("/api"));
}

/* The rule of a request under /api that may be served; NULL, and answered, otherwise. */
static const struct rule *admit_api(struct wr_browser_request *request, enum wr_status found)
{
	struct wr_http_exchange *exchange = request->exchange;
	const struct rule *rule = found == WR_OK ? &rules[exchange->match.handler] : NULL;

	request->may = may_of(request, rule);
	if (request->may == 0) {
		refuse_credential(exchange);
		return NULL;
	}
	exchange->is_authenticated = true;
	if (found == WR_NOT_FOUND)
		refuse_path(exchange, true);
	else if (rule == NULL)
		refuse_method(exchange, exchange->match.allow);
	else if ((rule->flags & RULE_STREAM) != 0 && exchange->head->method != WR_HTTP_METHOD_GET)
		refuse_method(exchange, "GET");
	else if ((request->may & rule->may) == 0)
		wr_browser_refuse_wire(exchange, WR_WIRE_FORBIDDEN_SCOPE);
	else
		return rule;
	return NULL;
}

/* The rule of a request that may be served; NULL, and answered, otherwise. */
static const struct rule *admit(struct wr_browser_request *request)
{
	struct wr_http_exchange *exchange = request->exchange;
	const struct wr_browser_config *config = &request->face->config;
	const struct wr_console_file *file;
	enum wr_wire_error error;
	enum wr_status found;

	if (!wr_guard_admits(config->guard, exchange->head, &error)) {
		wr_browser_refuse_wire(exchange, error);
		return NULL;
	}
	found = find_route(&exchange->match, exchange->head->method, exchange->target.path);
	wr_assert(found != WR_OK || (size_t)exchange->match.handler < WR_COUNT(rules));
	if (is_under_api(exchange->target.path))
		return admit_api(request, found);
	if (found == WR_OK)
		return &rules[exchange->match.handler];
	file = find_file(config, exchange->target.path);
	if (file != NULL && is_read(exchange->head))
		wr_browser_serve_file(exchange, file);
	else if (file != NULL)
		refuse_method(exchange, "GET, HEAD");
	else if (found == WR_NOT_FOUND)
		refuse_path(exchange, false);
	else
		refuse_method(exchange, exchange->match.allow);
	return NULL;
}

/* ---- what the path names ---- */

/* Decodes and checks one id; false, and answered, when it is none. There is room for it. */
static bool read_id(struct wr_browser_request *request, unsigned index,
		    bool (*is_valid)(struct wr_view id), enum wr_browser_error_name invalid)
{
	struct wr_view raw = request->exchange->match.parameters[index];
	struct wr_buf *ids = &request->face->ids;
	char *out = wr_buf_reserve(ids, raw.bytes);
	struct wr_view id = WR_VIEW_NULL;
	size_t bytes;

	if (out != NULL && wr_http_percent_decode(out, &bytes, raw, false) == WR_OK) {
		wr_buf_commit(ids, bytes);
		id = wr_view_of(out, bytes);
		request->ids[index] = id;
		if (is_valid(id))
			return true;
	}
	wr_browser_refuse_name(request->exchange, invalid, id);
	return false;
}

/* False, and answered, when an id is not valid or its source not there. */
static bool read_names(struct wr_browser_request *request, const struct rule *rule)
{
	const struct wr_registry *registry = request->face->config.registry;
	bool is_host = (rule->flags & RULE_HOST) != 0;
	struct wr_buf *ids = &request->face->ids;

	if ((rule->flags & (RULE_RUNTIME | RULE_HOST)) == 0)
		return true;
	/* All at once, so that none of them moves. */
	wr_buf_reset(ids);
	if (wr_buf_reserve(ids, request->exchange->target.path.bytes) == NULL) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_OVERLOADED);
		return false;
	}
	if (!read_id(request, 0, wr_backend_id_is_valid,
		     is_host ? WR_BROWSER_INVALID_HOST_ID : WR_BROWSER_INVALID_RUNTIME_ID))
		return false;
	if ((rule->flags & RULE_WORKER) != 0 &&
	    !read_id(request, 1, wr_backend_id_is_valid, WR_BROWSER_INVALID_WORKER_ID))
		return false;
	if ((rule->flags & RULE_BUNDLE) != 0 &&
	    !read_id(request, 1, wr_config_bundle_id_is_valid, WR_BROWSER_INVALID_BUNDLE_ID))
		return false;
	request->handle = is_host ? wr_registry_find_host(registry, request->ids[0])
				  : wr_registry_find(registry, request->ids[0]);
	if (request->handle == NULL)
		wr_browser_refuse_name(request->exchange,
				       is_host ? WR_BROWSER_UNKNOWN_HOST
					       : WR_BROWSER_UNKNOWN_RUNTIME,
				       request->ids[0]);
	return request->handle != NULL;
}

/* ---- what the HTTP server calls ---- */

/* What can be said before a body is there. False: answered. */
static bool check_head(struct wr_browser_request *request, const struct rule *rule)
{
	bool is_draining = request->face->state == WR_BROWSER_DRAINING;

	if ((rule->flags & RULE_STREAM) != 0 && !wr_browser_check_upgrade(request))
		return false;
	if (is_draining && (rule->flags & (RULE_STREAM | RULE_COMMAND)) != 0) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_RUNTIME_UNAVAILABLE);
		return false;
	}
	if (!read_names(request, rule))
		return false;
	if ((rule->flags & RULE_COMMAND) == 0)
		return true;
	if (!wr_http_is_json_type(request->exchange->head->content_type)) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_UNSUPPORTED_MEDIA_TYPE);
		return false;
	}
	return wr_browser_check_key(request);
}

static void on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_browser_request request = {.face = context, .exchange = exchange};
	const struct rule *rule = admit(&request);

	if (rule == NULL || !check_head(&request, rule))
		return;
	if ((rule->flags & RULE_COMMAND) != 0)
		exchange->body_bytes_max = WR_HTTP_BODY_BYTES_MAX;
	if ((rule->flags & RULE_ASKS) == 0)
		rule->serve(&request);
}

static void on_request(void *context, struct wr_http_exchange *exchange, struct wr_view body)
{
	struct wr_browser_face *self = context;
	struct wr_browser_request request = {.face = self, .exchange = exchange, .body = body};
	const struct rule *rule = &rules[exchange->match.handler];

	/* Once more: the views of on_head have moved. */
	if (read_names(&request, rule))
		rule->serve(&request);
	if (self->texts.capacity > TEXTS_BYTES_KEPT)
		wr_buf_deinit(&self->texts);
}

static void on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	wr_browser_calls_abandon(exchange);
}

static void on_fault(void *context, struct wr_buf *body, unsigned status,
		     enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context, (void)kind, (void)fault;
	wr_browser_fault_write(body, status);
}

/* ---- life ---- */

void wr_browser_defaults(struct wr_browser_config *config)
{
	config->list_limit = LIST_LIMIT_MAX;
	config->list_ms_max = LIST_MS_MAX;
	config->waiting_count_max = WAITING_COUNT_MAX;
	config->waiting_bytes_max = WAITING_BYTES_MAX;
}

static void on_remove(void *context, struct wr_runtime_handle *handle)
{
	wr_browser_calls_forget(context, handle);
}

enum wr_status wr_browser_face_new(struct wr_browser_face **out, struct wr_allocator *allocator,
				   const struct wr_browser_config *config)
{
	struct wr_browser_face *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	wr_assert(config->list_limit <= LIST_LIMIT_MAX && config->policy != NULL);
	if (self == NULL)
		return WR_NO_MEMORY;
	self->allocator = allocator;
	self->config = *config;
	wr_browser_memory_init(&self->memory, allocator, config->waiting_bytes_max);
	wr_list_init(&self->waiting);
	wr_buf_init(&self->ids, allocator, IDS_BYTES_MAX);
	wr_buf_init(&self->texts, allocator, TEXTS_BYTES_MAX);
	wr_buf_init(&self->replaced, allocator, TEXTS_BYTES_MAX);
	config->registry->on_remove = on_remove;
	config->registry->context = self;
	*out = self;
	return WR_OK;
}

struct wr_http_app wr_browser_face_app(struct wr_browser_face *self)
{
	return (struct wr_http_app){.context = self,
				    .on_head = on_head,
				    .on_request = on_request,
				    .on_abandon = on_abandon,
				    .on_fault = on_fault};
}

void wr_browser_face_set(struct wr_browser_face *self, enum wr_browser_state state)
{
	self->state = state;
}

void wr_browser_face_void_tickets(struct wr_browser_face *self)
{
	wr_tickets_clear(&self->tickets);
}

uint32_t wr_browser_face_waiting_count(const struct wr_browser_face *self)
{
	return self->waiting_count;
}

void wr_browser_face_free(struct wr_browser_face *self)
{
	wr_assert(self->waiting_count == 0);
	self->config.registry->on_remove = NULL;
	wr_tickets_clear(&self->tickets);
	wr_buf_deinit(&self->ids);
	wr_buf_deinit(&self->replaced);
	wr_buf_deinit(&self->texts);
	wr_allocator_free(self->allocator, self, sizeof *self);
}
