#include "backend/remote_runtime.h"

#include "backend/ids.h"
#include "backend/remote_calls.h"
#include "backend/remote_stream.h"
#include "backend/remote_tls.h"
#include "bounds.h"
#include "check.h"
#include "host/tokens.h"
#include "io/log.h"
#include "wire/answer_json.h"

enum {
	/* Between two looks at the Runtime itself. */
	LOOK_MS = 1000,
	LOOK_BYTES_MAX = 256 << 10,
	CREDENTIAL_BYTES_MAX = 4096
};

/* A text for display, kept. */
struct label {
	size_t bytes;
	char text[WR_DISPLAY_BYTES_MAX];
};

struct remote_runtime {
	struct wr_runtime_handle handle;
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_remote_stream *stream; /* NULL only while it is made */
	struct wr_remote_calls calls;
	bool has_calls;
	enum wr_remote_state told_state;
	char runtime_id[WR_BACKEND_ID_BYTES_MAX];
	char host_id[WR_BACKEND_ID_BYTES_MAX];
	size_t host_id_bytes;
	struct label configured_label, remote_label;
	struct wr_tls_client *tls; /* NULL: plain */
	char tls_name[WR_TLS_NAME_BYTES_MAX + 1];

	/* GET /v1/runtime: begun when the stream comes up and when something changed, at most once
	 * in LOOK_MS. */
	struct wr_http_call look;
	struct wr_timer look_timer;
	uint64_t looked_ms;
	bool has_looked;   /* looked_ms counts */
	bool is_out_dated; /* something changed since the last look began */
	bool is_known;	   /* is_stopped counts */
	bool is_stopped;
	bool has_fault; /* the last look failed, for: */
	enum wr_remote_cause fault;
};

static struct remote_runtime *of_handle(struct wr_runtime_handle *handle)
{
	return wr_container_of(handle, struct remote_runtime, handle);
}

static enum wr_remote_state state_of(const struct remote_runtime *self)
{
	return self->stream != NULL ? wr_remote_stream_state(self->stream) : WR_REMOTE_CONNECTING;
}

/* Whether its stream has found a Runtime there, of today or an older one. */
static bool is_found(enum wr_remote_state state)
{
	return state == WR_REMOTE_UP || state == WR_REMOTE_UNSUPPORTED;
}

/* ---- the Runtime itself ---- */

static void set_label(struct label *label, struct wr_view text)
{
	struct wr_buf shown;

	wr_buf_init_fixed(&shown, label->text, sizeof label->text);
	wr_display_append(&shown, text);
	label->bytes = shown.bytes;
}

static void learn(struct remote_runtime *self, const struct wr_answer_runtime *answer)
{
	self->has_fault = false;
	self->is_known = true;
	self->is_stopped = answer->is_stopped;
	set_label(&self->remote_label, answer->display_name);
	/* Cursors that bind and keys that are honoured came with the same version. */
	self->calls.honours_keys = answer->log_id.data != NULL && is_found(state_of(self));
	self->calls.transcript_items_max = answer->transcript_items_max;
}

static enum wr_status read_runtime(struct remote_runtime *self, struct wr_view body)
{
	struct wr_answer_runtime answer;
	enum wr_status status;
	struct wr_buf texts;

	wr_buf_init(&texts, self->allocator, 2 * LOOK_BYTES_MAX);
	status = wr_answer_runtime_read(&answer, &texts, body);
	if (status == WR_OK)
		learn(self, &answer);
	wr_buf_deinit(&texts);
	return status;
}

static void look_soon(struct remote_runtime *self);

static void on_look_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	struct remote_runtime *self = wr_container_of(call, struct remote_runtime, look);
	enum wr_remote_cause fault = WR_REMOTE_CAUSE_MALFORMED;
	bool is_read = false;

	if (outcome->status != WR_OK || outcome->head->status < 200 || outcome->head->status > 299)
		fault = wr_remote_cause_of(WR_SOURCE_LIST, outcome, self->allocator);
	else
		is_read = read_runtime(self, outcome->body) == WR_OK;
	if (!is_read) {
		self->has_fault = true;
		self->fault = fault;
	}
	/* Without a stream nothing else notices soon that it is gone. */
	if (!is_read && state_of(self) == WR_REMOTE_UNSUPPORTED)
		wr_remote_stream_nudge(self->stream);
	if (self->is_out_dated)
		look_soon(self);
}

static void look(struct remote_runtime *self)
{
	struct wr_http_call *call = &self->look;

	call->method = WR_VIEW("GET");
	call->target = WR_VIEW("/v1/runtime");
	call->fields = WR_VIEW("Accept: */*\r\n");
	call->is_repeatable = true;
	call->ms_max = self->calls.ms_max;
	call->body_bytes_max = LOOK_BYTES_MAX;
	call->on_done = on_look_done;
	wr_timer_cancel(self->reactor, &self->look_timer);
	self->has_looked = true;
	self->looked_ms = self->reactor->now_ms;
	/* When that fails it stays out of date, and the next who wants to know tries again. */
	self->is_out_dated = wr_http_call_begin(call, self->calls.lanes[WR_REMOTE_LISTS]) != WR_OK;
}

/* Milliseconds before the next look may begin. */
static uint64_t look_ms(const struct remote_runtime *self)
{
	uint64_t passed = self->reactor->now_ms - self->looked_ms;

	return !self->has_looked || passed >= LOOK_MS ? 0 : LOOK_MS - passed;
}

static void look_soon(struct remote_runtime *self)
{
	self->is_out_dated = true;
	if (!wr_http_call_is_under_way(&self->look) && !wr_timer_is_set(&self->look_timer))
		(void)wr_timer_set(self->reactor, &self->look_timer, look_ms(self));
}

static void on_look_due(struct wr_timer *timer)
{
	struct remote_runtime *self = wr_container_of(timer, struct remote_runtime, look_timer);

	if (is_found(state_of(self)))
		look(self);
}

/* Somebody wants to know, and nothing else would bring what is missing. */
static void refresh(struct remote_runtime *self, enum wr_remote_state state)
{
	bool is_lacking = state == WR_REMOTE_UNSUPPORTED || !self->is_known || self->has_fault ||
			  self->is_out_dated;

	if (is_found(state) && is_lacking && !wr_http_call_is_under_way(&self->look) &&
	    look_ms(self) == 0)
		look(self);
}

/* ---- availability ---- */

static const char *state_name(enum wr_remote_state state)
{
	switch (state) {
	case WR_REMOTE_CONNECTING:
		return "connecting";
	case WR_REMOTE_UP:
		return "up";
	case WR_REMOTE_UNREACHABLE:
		return "unreachable";
	case WR_REMOTE_UNAUTHORIZED:
		return "unauthorized";
	case WR_REMOTE_UNSUPPORTED:
		return "without_stream";
	case WR_REMOTE_MALFORMED:
		return "malformed";
	case WR_REMOTE_UNTRUSTED:
		return "tls_failed";
	}
	wr_unreachable();
}

static void log_state(const struct remote_runtime *self, enum wr_remote_state state)
{
	const char *fault = self->stream != NULL ? wr_remote_stream_fault(self->stream) : NULL;

	if (state == WR_REMOTE_UNTRUSTED && fault != NULL)
		WR_LOG(WR_LOG_WARNING, "remote_runtime",
		       WR_LOG_TEXT("runtime", self->handle.runtime_id),
		       WR_LOG_TEXT("state", wr_view_of_string(state_name(state))),
		       WR_LOG_TEXT("why", wr_view_of_string(fault)));
	else
		WR_LOG(is_found(state) ? WR_LOG_INFO : WR_LOG_WARNING, "remote_runtime",
		       WR_LOG_TEXT("runtime", self->handle.runtime_id),
		       WR_LOG_TEXT("state", wr_view_of_string(state_name(state))));
}

static void on_state(void *context, enum wr_remote_state state)
{
	struct remote_runtime *self = context;

	if (state == self->told_state)
		return;
	self->told_state = state;
	log_state(self, state);
	self->calls.can_stream = state == WR_REMOTE_UP;
	/* Whatever comes back may be another. */
	self->calls.honours_keys = false;
	self->has_fault = false;
	if (is_found(state))
		look_soon(self);
}

static void on_change(void *context)
{
	look_soon(context);
}

/* Why it is down. False: it is not, or that is not known yet. */
static bool find_cause(enum wr_remote_cause *cause, enum wr_remote_state state)
{
	switch (state) {
	case WR_REMOTE_CONNECTING:
	case WR_REMOTE_UP:
	case WR_REMOTE_UNSUPPORTED:
		return false;
	case WR_REMOTE_UNREACHABLE:
		*cause = WR_REMOTE_CAUSE_NETWORK;
		return true;
	case WR_REMOTE_UNAUTHORIZED:
		*cause = WR_REMOTE_CAUSE_AUTH;
		return true;
	case WR_REMOTE_MALFORMED:
		*cause = WR_REMOTE_CAUSE_MALFORMED;
		return true;
	case WR_REMOTE_UNTRUSTED:
		*cause = WR_REMOTE_CAUSE_TLS;
		return true;
	}
	wr_unreachable();
}

/* ---- overview ---- */

static struct wr_view label_of(const struct remote_runtime *self)
{
	if (self->remote_label.bytes != 0)
		return wr_view_of(self->remote_label.text, self->remote_label.bytes);
	if (self->configured_label.bytes != 0)
		return wr_view_of(self->configured_label.text, self->configured_label.bytes);
	return self->handle.runtime_id;
}

static struct wr_view status_of(const struct remote_runtime *self, enum wr_remote_state state)
{
	if (state == WR_REMOTE_CONNECTING)
		return WR_VIEW("configured");
	/* Without a stream nothing but the last look says that it is there. */
	if (!is_found(state) || (state == WR_REMOTE_UNSUPPORTED && self->has_fault))
		return WR_VIEW("unavailable");
	if (!self->is_known)
		return WR_VIEW("configured");
	return self->is_stopped ? WR_VIEW("stopped") : WR_VIEW("running");
}

static unsigned capabilities_of(const struct remote_runtime *self, enum wr_remote_state state)
{
	unsigned can = WR_CAN_LIST_HOSTS;

	if (!is_found(state) || (state == WR_REMOTE_UNSUPPORTED && self->has_fault))
		return can;
	can |= WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER | WR_CAN_SPAWN | WR_CAN_STOP | WR_CAN_INPUT |
	       WR_CAN_TRANSCRIPT;
	return state == WR_REMOTE_UP ? can | WR_CAN_STREAM : can;
}

static void tell_availability(const struct remote_runtime *self, struct wr_notices *notices,
			      enum wr_remote_state state)
{
	enum wr_remote_cause cause;

	if (find_cause(&cause, state))
		wr_remote_notice(notices, cause);
	else if (is_found(state) && self->has_fault)
		wr_remote_notice(notices, self->fault);
	if (state == WR_REMOTE_UNSUPPORTED)
		wr_notices_add(notices, "remote_runtime_unsupported", WR_NOTICE_WARNING,
			       "the Runtime does not offer its events in one stream: update it");
}

static void overview(struct wr_runtime_handle *handle, struct wr_runtime_overview *out)
{
	struct remote_runtime *self = of_handle(handle);
	enum wr_remote_state state = state_of(self);

	refresh(self, state);
	*out = (struct wr_runtime_overview){
		.runtime_id = handle->runtime_id,
		.kind = handle->kind,
		.label = label_of(self),
		.status = status_of(self, state),
		.host_id = wr_view_of(self->host_id, self->host_id_bytes),
		.host_label = label_of(self),
		.host_status = WR_VIEW("configured"),
		.can = capabilities_of(self, state),
		.local_pod_inspection = WR_VIEW("unavailable"),
		.os = WR_VIEW("remote"),
		.arch = WR_VIEW("remote"),
	};
	tell_availability(self, &out->notices, state);
	out->host_notices = out->notices;
}

/* ---- calls and streams ---- */

static void begin(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	struct remote_runtime *self = of_handle(handle);
	enum wr_remote_cause cause;

	if (call->operation == WR_SOURCE_SPAWN && call->as.spawn.is_socket_ready) {
		wr_remote_calls_refuse(call, WR_REMOTE_CAUSE_SOCKET_READY);
		return;
	}
	if (!find_cause(&cause, state_of(self))) {
		wr_remote_calls_begin(&self->calls, call);
		return;
	}
	wr_remote_stream_nudge(self->stream);
	wr_remote_calls_refuse(call, cause);
}

static void cancel(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	wr_remote_calls_cancel(&of_handle(handle)->calls, call);
}

static void observe(struct wr_runtime_handle *handle, struct wr_http_exchange *exchange,
		    struct wr_view worker_id, struct wr_view cursor)
{
	wr_remote_stream_observe(of_handle(handle)->stream, exchange, worker_id, cursor);
}

static uint32_t stream_count(const struct wr_runtime_handle *handle)
{
	const struct remote_runtime *self = (const void *)handle; /* its first member */

	return wr_remote_stream_count(self->stream);
}

static void drain(struct wr_runtime_handle *handle)
{
	wr_remote_stream_drain(of_handle(handle)->stream);
}

/* ---- life ---- */

static void free_runtime(struct wr_runtime_handle *handle)
{
	struct remote_runtime *self = of_handle(handle);

	if (self->stream != NULL)
		wr_remote_stream_free(self->stream);
	wr_timer_cancel(self->reactor, &self->look_timer);
	wr_http_call_cancel(&self->look);
	if (self->has_calls)
		wr_remote_calls_deinit(&self->calls);
	wr_remote_tls_close(self->tls);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

static const struct wr_runtime_handle_ops ops = {
	.overview = overview,
	.begin = begin,
	.cancel = cancel,
	.observe = observe,
	.stream_count = stream_count,
	.drain = drain,
	.free = free_runtime,
};

/* As TLS wants it. */
static const char *name_of(const struct remote_runtime *self)
{
	return self->tls_name[0] != '\0' ? self->tls_name : NULL;
}

static enum wr_status start_calls(struct remote_runtime *self,
				  const struct wr_remote_config *config,
				  struct wr_view authorization)
{
	struct wr_http_client_config http;
	enum wr_status status;

	wr_http_client_defaults(&http);
	http.address = config->to.address;
	http.resolver = config->to.resolver;
	http.host_name = config->to.host_name;
	http.port = config->to.port;
	http.tls = config->tls;
	http.tls_name = name_of(self);
	http.host = config->host;
	http.target_prefix = config->target_prefix;
	http.authorization = authorization;
	status = wr_remote_calls_init(&self->calls, self->reactor, self->allocator, &http,
				      config->ms_max);
	self->has_calls = status == WR_OK;
	return status;
}

static enum wr_status start_stream(struct remote_runtime *self, struct wr_http_server *server,
				   const struct wr_remote_config *config,
				   struct wr_view authorization)
{
	const struct wr_remote_stream_config stream = {
		.to = config->to,
		.tls = config->tls,
		.tls_name = name_of(self),
		.host = config->host,
		.target_prefix = config->target_prefix,
		.authorization = authorization,
		.runtime_id = self->handle.runtime_id,
		.policy = config->policy,
		.streams = config->streams,
		.retention = config->retention,
		.ms_max = config->ms_max,
		.on_state = on_state,
		.on_change = on_change,
		.context = self,
	};

	return wr_remote_stream_new(&self->stream, self->reactor, self->allocator, server, &stream);
}

/* Both are given the value of Authorization, and it is not kept here. */
static enum wr_status start(struct remote_runtime *self, struct wr_http_server *server,
			    const struct wr_remote_config *config)
{
	static const struct wr_view scheme = WR_VIEW_INIT("Bearer ");
	char value[CREDENTIAL_BYTES_MAX];
	struct wr_view authorization = WR_VIEW_NULL;
	enum wr_status status;

	if (config->credential.bytes > sizeof value - scheme.bytes)
		return WR_INVALID;
	if (config->credential.data != NULL) {
		memcpy(value, scheme.data, scheme.bytes);
		memcpy(value + scheme.bytes, config->credential.data, config->credential.bytes);
		authorization = wr_view_of(value, scheme.bytes + config->credential.bytes);
	}
	status = start_calls(self, config, authorization);
	if (status == WR_OK)
		status = start_stream(self, server, config, authorization);
	wr_tokens_wipe(value, sizeof value);
	return status;
}

static void name_it(struct remote_runtime *self, const struct wr_remote_config *config)
{
	memcpy(self->runtime_id, config->runtime_id.data, config->runtime_id.bytes);
	self->handle.runtime_id = wr_view_of(self->runtime_id, config->runtime_id.bytes);
	self->host_id_bytes =
		wr_backend_id_make(self->host_id, WR_VIEW("remote-"), config->runtime_id);
	set_label(&self->configured_label, config->display_name);
	if (config->tls_name.bytes != 0)
		memcpy(self->tls_name, config->tls_name.data, config->tls_name.bytes);
}

enum wr_status wr_remote_runtime_new(struct wr_runtime_handle **out, struct wr_reactor *reactor,
				     struct wr_allocator *allocator, struct wr_http_server *server,
				     const struct wr_remote_config *config)
{
	struct remote_runtime *self;
	enum wr_status status;

	if (!wr_backend_id_is_valid(config->runtime_id) ||
	    config->tls_name.bytes > WR_TLS_NAME_BYTES_MAX)
		return WR_INVALID;
	self = wr_allocator_take_zeroed(allocator, sizeof *self);
	if (self == NULL)
		return WR_NO_MEMORY;
	self->handle.ops = &ops;
	self->handle.kind = WR_SOURCE_REMOTE;
	self->reactor = reactor;
	self->allocator = allocator;
	self->look_timer.on_due = on_look_due;
	name_it(self, config);
	status = start(self, server, config);
	if (status != WR_OK) {
		free_runtime(&self->handle);
		return status;
	}
	self->tls = config->tls;
	*out = &self->handle;
	return WR_OK;
}
