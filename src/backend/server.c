#include "backend/server.h"

#include "backend/embedded_runtime.h"
#include "backend/local_source.h"
#include "check.h"
#include "host/listening.h"
#include "host/reload.h"
#include "host/serving_tls.h"
#include "io/log.h"
#include "io/reactor/signal.h"

#include <signal.h>
#include <stdlib.h>

enum {
	MESSAGE_BYTES_MAX = 1024,
	/* From the failure of the store to the end: for what can still be sent. */
	FAILING_MS_MAX = 2000
};

/* ---- draining ---- */

static bool are_programs_done(const struct wr_backend *self)
{
	return self->is_failing || self->embedded == NULL ||
	       wr_embedded_runtime_is_settled(self->embedded);
}

/* One step further, as far as it goes now: programs, and what is recorded of their end, so that
 * streams still show it; then the streams; then the last connections. */
static void continue_drain(struct wr_backend *self)
{
	if (!are_programs_done(self))
		return;
	if (!self->are_streams_told) {
		self->are_streams_told = true;
		wr_registry_drain(&self->registry);
	}
	/* What answers still have to send is theirs, or only that of TLS. */
	if (wr_http_server_connection_count(self->http) == 0 &&
	    wr_serving_tls_connection_count(self->tls) == 0)
		wr_reactor_stop(&self->reactor);
}

static void on_deadline(struct wr_timer *timer)
{
	struct wr_backend *self = wr_container_of(timer, struct wr_backend, deadline);

	WR_LOG(WR_LOG_WARNING, "drain_timeout",
	       WR_LOG_NUMBER("connections", wr_http_server_connection_count(self->http)));
	wr_reactor_stop(&self->reactor);
}

static void begin_drain(struct wr_backend *self)
{
	uint64_t drain_ms = self->config->serving.drain_ms;

	if (self->is_failing && drain_ms > FAILING_MS_MAX)
		drain_ms = FAILING_MS_MAX;
	self->is_draining = true;
	self->deadline.on_due = on_deadline;
	WR_LOG(WR_LOG_INFO, "draining",
	       WR_LOG_NUMBER("connections", wr_http_server_connection_count(self->http)),
	       WR_LOG_NUMBER("streams", wr_registry_stream_count(&self->registry)));
	wr_browser_face_set(self->face, WR_BROWSER_DRAINING);
	wr_http_server_drain(self->http);
	if (self->embedded != NULL && !self->is_failing)
		wr_embedded_runtime_end_programs(self->embedded);
	if (wr_timer_set(&self->reactor, &self->deadline, drain_ms) != WR_OK)
		wr_reactor_stop(&self->reactor);
}

/* Nothing of the embedded Runtime can be kept any more (reliability 5). */
static void on_store_failed(void *context)
{
	struct wr_backend *self = context;

	wr_browser_face_set(self->face, WR_BROWSER_FAILED);
	if (self->config->embedded.on_store_failure == WR_ON_STORE_FAILURE_READONLY)
		return;
	self->is_failing = true;
	if (!self->is_draining)
		begin_drain(self);
}

/* ---- reading again ---- */

/* New remotes are made and old ones freed: not from within a call of one of them, so at the end of
 * a turn. */
static void reload_remotes(struct wr_backend *self)
{
	const struct wr_remote_setting *remotes;
	char text[MESSAGE_BYTES_MAX];
	struct wr_buf message;
	uint32_t count;

	self->wants_reload = false;
	if (self->reload == NULL)
		return;
	wr_buf_init_fixed(&message, text, sizeof text);
	if (self->reload(&remotes, &count, &message) &&
	    wr_remotes_apply(&self->remotes, remotes, count, self->config->serving.config_file,
			     &message))
		WR_LOG(WR_LOG_INFO, "config_reloaded", WR_LOG_NUMBER("remotes", count));
	else
		WR_LOG(WR_LOG_ERROR, "config_kept", WR_LOG_TEXT("why", wr_buf_view(&message)));
}

static void reload(struct wr_backend *self)
{
	const struct wr_reload what = {.serving = &self->config->serving,
				       .tokens = self->tokens,
				       .fixed_token_count = self->fixed_token_count,
				       .tls = self->tls,
				       .allocator = &self->allocator,
				       .has_more = self->reload != NULL};

	if (wr_reload(&what))
		wr_browser_face_void_tickets(self->face);
	self->wants_reload = true;
}

static void on_signal(void *context, int number)
{
	struct wr_backend *self = context;

	if (number == SIGHUP)
		reload(self);
	else if (number == SIGCHLD && self->embedded != NULL)
		wr_embedded_runtime_reap(self->embedded);
	else if (number == SIGCHLD)
		return;
	else if (self->is_draining)
		wr_reactor_stop(&self->reactor);
	else
		begin_drain(self);
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_backend *self = wr_container_of(hook, struct wr_backend, hook);

	if (WR_UNLIKELY(self->wants_reload))
		reload_remotes(self);
	if (WR_UNLIKELY(self->is_draining))
		continue_drain(self);
	wr_log_flush();
}

/* ---- making it ---- */

static bool fail(struct wr_buf *message, const char *what, enum wr_status status)
{
	wr_buf_append_view(message, wr_view_of_string(what));
	wr_buf_append_view(message, WR_VIEW(": "));
	wr_buf_append_view(message, wr_view_of_string(wr_status_text(status)));
	return false;
}

static bool open_loop(struct wr_backend *self, struct wr_buf *message)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0};
	struct wr_resolver_config names;
	struct wr_error error = {0};
	enum wr_status status = wr_reactor_init(&self->reactor, &self->allocator, &error);

	if (status != WR_OK)
		return fail(message, "no event loop", status);
	self->has_reactor = true;
	wr_resolver_defaults(&names);
	self->resolver = wr_resolver_new(&self->reactor, &self->allocator, &names);
	if (self->resolver == NULL)
		return fail(message, "no resolver", WR_NO_MEMORY);
	status = wr_signals_open(&self->reactor, numbers, on_signal, self, &error);
	if (status != WR_OK)
		return fail(message, "no signals", status);
	self->has_signals = true;
	return true;
}

static bool add_local(struct wr_backend *self, struct wr_buf *message)
{
	char folder[4096];
	struct wr_buf text;
	struct wr_local_config config = {
		.workspace_root = wr_view_of_string(self->workspace.root),
		.workspace_id = self->workspace.workspace_id,
	};
	struct wr_runtime_handle *handle;
	enum wr_status status;

	if (self->config->has_no_local)
		return true;
	wr_buf_init_fixed(&text, folder, sizeof folder);
	config.data_folder = wr_local_data_folder(getenv("YOI_DATA_DIR"), getenv("YOI_HOME"),
						  getenv("HOME"), &text);
	status = wr_local_source_new(&handle, &self->allocator, &config);
	if (status == WR_OK)
		status = wr_registry_add(&self->registry, handle);
	return status == WR_OK || fail(message, "no local source", status);
}

static bool add_embedded(struct wr_backend *self, struct wr_buf *message)
{
	struct wr_embedded_config config = {
		.hosting = &self->config->embedded,
		.workspace_id = self->workspace.workspace_id,
		.policy = &self->policy,
		.streams = &self->streams,
		.on_failed = on_store_failed,
		.context = self,
	};
	struct wr_runtime_handle *handle;
	enum wr_status status;

	if (self->config->has_no_embedded)
		return true;
	handle = wr_embedded_runtime_new(&self->reactor, &self->allocator, &config, message);
	if (handle == NULL)
		return false;
	status = wr_registry_add(&self->registry, handle);
	if (status == WR_OK) {
		self->embedded = handle;
		return true;
	}
	handle->ops->free(handle);
	if (status != WR_EXISTS)
		return fail(message, "the embedded Runtime", status);
	wr_buf_append_view(message,
			   WR_VIEW("--runtime-id: another source has the id of the embedded "
				   "Runtime; choose another"));
	return false;
}

static bool open_face(struct wr_backend *self, struct wr_buf *message)
{
	struct wr_browser_config config;
	enum wr_status status;

	wr_browser_defaults(&config);
	config.registry = &self->registry;
	config.guard = &self->guard;
	config.policy = &self->policy;
	config.workspace_id = self->workspace.workspace_id;
	config.display_name = self->workspace.display_name;
	config.files = wr_console_files;
	config.file_count = wr_console_file_count;
	config.list_ms_max = (uint32_t)self->config->list_ms;
	status = wr_browser_face_new(&self->face, &self->allocator, &config);
	return status == WR_OK || fail(message, "no face", status);
}

static bool open_http(struct wr_backend *self, struct wr_buf *message)
{
	const struct wr_serving *serving = &self->config->serving;
	struct wr_http_app app = wr_browser_face_app(self->face);
	struct wr_http_server_config http = wr_serving_http(serving, self->tokens->count != 0);

	if (!wr_serving_tls_open(&self->tls, serving, &self->reactor, &self->allocator, message))
		return false;
	http.tls = self->tls;
	self->http = wr_listen(&self->reactor, &self->allocator, &http, &app, &serving->address,
			       serving->listen, "--listen", message);
	return self->http != NULL;
}

static bool add_remotes(struct wr_backend *self, struct wr_buf *message)
{
	const struct wr_backend_config *config = self->config;
	const struct wr_hosting *hosting = &config->embedded;

	self->remotes.reactor = &self->reactor;
	self->remotes.allocator = &self->allocator;
	self->remotes.server = self->http;
	self->remotes.registry = &self->registry;
	self->remotes.policy = &self->policy;
	self->remotes.streams = &self->streams;
	self->remotes.resolver = self->resolver;
	self->remotes.retention = (struct wr_retention){
		.stream_events_max = (uint32_t)hosting->worker_retention_events,
		.stream_bytes_max = hosting->worker_retention_bytes,
		.events_max = (uint32_t)hosting->retention_events,
		.bytes_max = config->mirror_bytes};
	return wr_remotes_apply(&self->remotes, config->remotes, config->remote_count,
				config->serving.config_file, message);
}

static bool attach(struct wr_backend *self, struct wr_buf *message)
{
	if (self->embedded != NULL &&
	    wr_embedded_runtime_attach(self->embedded, self->http) != WR_OK)
		return fail(message, "no streams", WR_NO_MEMORY);
	if (!add_remotes(self, message))
		return false;
	wr_guard_init(&self->guard, self->tokens, &self->config->serving.origins,
		      &self->config->serving.hosts, wr_http_server_address(self->http));
	self->guard.admits_same_origin = true;
	self->guard.is_secure = wr_serving_has_tls(&self->config->serving);
	self->hook.on_turn = on_turn;
	wr_reactor_add_hook(&self->reactor, &self->hook);
	self->has_hook = true;
	return true;
}

bool wr_backend_init(struct wr_backend *self, const struct wr_backend_config *config,
		     struct wr_tokens *tokens, uint32_t fixed_token_count, struct wr_buf *message)
{
	self->config = config;
	self->tokens = tokens;
	self->fixed_token_count = fixed_token_count;
	wr_serving_memory(&config->serving, &self->allocator);
	wr_ws_defaults(&self->streams);
	self->streams.ping_ms = (uint32_t)config->serving.ping_ms;
	self->streams.send_ms_max = (uint32_t)config->serving.send_ms;
	if (wr_workspace_open(&self->workspace, config->workspace, message) &&
	    open_loop(self, message) && open_face(self, message) && add_local(self, message) &&
	    add_embedded(self, message) && open_http(self, message) && attach(self, message))
		return true;
	wr_backend_deinit(self);
	return false;
}

bool wr_backend_run(struct wr_backend *self)
{
	wr_reactor_run(&self->reactor);
	return !self->is_failing;
}

/* Sources, whose streams are connections of the server, before it; the face, which answers them,
 * after both; the loop last. */
void wr_backend_deinit(struct wr_backend *self)
{
	wr_registry_deinit(&self->registry);
	if (self->http != NULL)
		wr_http_server_free(self->http);
	wr_serving_tls_close(self->tls);
	if (self->face != NULL)
		wr_browser_face_free(self->face);
	wr_resolver_free(self->resolver);
	if (self->has_signals)
		wr_signals_close();
	if (self->has_reactor) {
		wr_timer_cancel(&self->reactor, &self->deadline);
		if (self->has_hook)
			wr_reactor_remove_hook(&self->reactor, &self->hook);
		wr_reactor_deinit(&self->reactor);
	}
}
