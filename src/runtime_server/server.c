#include "runtime_server/server.h"

#include "check.h"
#include "host/listening.h"
#include "host/reload.h"
#include "host/serving_tls.h"
#include "io/log.h"
#include "io/memory.h"
#include "io/reactor/signal.h"
#include "runtime_server/routes.h"
#include "wire/worker_json.h"

#include <signal.h>

/* From the failure of the store to the end: for what can still be sent. */
enum { FAILING_MS_MAX = 2000 };

static struct wr_server *server_of_hook(struct wr_turn_hook *hook)
{
	return wr_container_of(hook, struct wr_server, hook);
}

/* ---- draining ---- */

/* One step further, as far as it goes now: children first, and what is recorded of their end, so
 * that streams still show it; then the streams; then the last connections. */
static void continue_drain(struct wr_server *self)
{
	/* Ends of children cannot be recorded in a store that has failed. */
	if (!wr_storage_has_failed(&self->storage) && wr_profiles_live_count(&self->profiles) != 0)
		return;
	if (!wr_storage_is_settled(&self->storage))
		return;
	if (!self->are_streams_told) {
		self->are_streams_told = true;
		wr_streams_drain(&self->streams);
	}
	/* What answers still have to send is theirs, or only that of TLS. */
	if (wr_http_server_connection_count(self->http) == 0 &&
	    wr_serving_tls_connection_count(self->tls) == 0)
		wr_reactor_stop(&self->reactor);
}

static void on_deadline(struct wr_timer *timer)
{
	struct wr_server *self = wr_container_of(timer, struct wr_server, deadline);

	WR_LOG(WR_LOG_WARNING, "drain_timeout",
	       WR_LOG_NUMBER("connections", wr_http_server_connection_count(self->http)),
	       WR_LOG_NUMBER("children", wr_profiles_live_count(&self->profiles)));
	wr_reactor_stop(&self->reactor);
}

static void begin_drain(struct wr_server *self)
{
	uint64_t drain_ms = self->config->serving.drain_ms;
	bool has_failed = wr_storage_has_failed(&self->storage);

	if (has_failed && drain_ms > FAILING_MS_MAX)
		drain_ms = FAILING_MS_MAX;
	self->is_draining = true;
	wr_buf_reset(&self->runtime_text); /* it says so, too */
	self->deadline.on_due = on_deadline;
	WR_LOG(WR_LOG_INFO, "draining",
	       WR_LOG_NUMBER("connections", wr_http_server_connection_count(self->http)),
	       WR_LOG_NUMBER("streams", wr_streams_count(&self->streams)),
	       WR_LOG_NUMBER("children", wr_profiles_live_count(&self->profiles)));
	wr_http_server_drain(self->http);
	if (!has_failed) {
		wr_runtime_drain(self->runtime);
		wr_profiles_drain(&self->profiles);
	}
	if (wr_timer_set(&self->reactor, &self->deadline, drain_ms) != WR_OK)
		wr_reactor_stop(&self->reactor);
}

/* Nothing more can be kept (reliability 5). A supervisor starts us again, and what is on the disk
 * is looked at anew; or what there is may still be read. */
static void on_store_failed(void *context)
{
	struct wr_server *self = context;

	wr_buf_reset(&self->runtime_text);
	if (self->config->hosting.on_store_failure == WR_ON_STORE_FAILURE_READONLY)
		return;
	self->is_failing = true;
	if (!self->is_draining)
		begin_drain(self);
	/* The hook that goes on with it has its turn after this one. */
}

/* The end of every turn: nothing of this one is left to be told. */
static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_server *self = server_of_hook(hook);

	if (WR_UNLIKELY(self->is_draining))
		continue_drain(self);
	wr_log_flush();
}

/* ---- signals ---- */

static void reload(struct wr_server *self)
{
	const struct wr_reload what = {.serving = &self->config->serving,
				       .tokens = self->tokens,
				       .fixed_token_count = self->fixed_token_count,
				       .tls = self->tls,
				       .allocator = &self->allocator};

	(void)wr_reload(&what);
}

static void on_signal(void *context, int number)
{
	struct wr_server *self = context;

	if (number == SIGHUP)
		reload(self);
	else if (number == SIGCHLD)
		wr_profiles_reap(&self->profiles);
	else if (self->is_draining)
		wr_reactor_stop(&self->reactor);
	else
		begin_drain(self);
}

/* ---- making it ---- */

static void say(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

/* What failed, and why. */
static bool fail(struct wr_buf *message, const char *what, enum wr_status status,
		 const struct wr_error *error)
{
	say(message, what);
	say(message, ": ");
	say(message, error->os_error != 0 ? strerror(error->os_error) : wr_status_text(status));
	return false;
}

static bool open_loop(struct wr_server *self, struct wr_buf *message)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0};
	struct wr_error error = {0};
	enum wr_status status = wr_reactor_init(&self->reactor, &self->allocator, &error);

	if (status != WR_OK)
		return fail(message, "no event loop", status, &error);
	self->has_reactor = true;
	status = wr_signals_open(&self->reactor, numbers, on_signal, self, &error);
	if (status != WR_OK)
		return fail(message, "no signals", status, &error);
	self->has_signals = true;
	return true;
}

static bool open_runtime(struct wr_server *self, struct wr_buf *message)
{
	const struct wr_hosting *hosting = &self->config->hosting;
	struct wr_runtime_config config = wr_hosting_runtime_config(hosting);
	struct wr_runtime_ports ports;
	struct wr_runtime_summary summary;
	struct wr_error error = {0};
	enum wr_status status;

	wr_hosting_ports(&ports, &self->allocator);
	status = wr_streams_init(&self->streams, &self->reactor, &self->allocator, self->config,
				 &config, &ports);
	if (status != WR_OK)
		return fail(message, "no streams", status, &error);
	if (!wr_storage_open(&self->storage, &self->reactor, &self->allocator, hosting, &ports,
			     message))
		return false;
	if (!wr_profiles_init(&self->profiles, &self->reactor, &self->allocator, hosting, message))
		return false;
	ports.profiles = wr_profiles_port(&self->profiles);
	status = wr_runtime_new(&self->runtime, &config, &ports, &error);
	if (status != WR_OK)
		return !wr_storage_explain(&self->storage, hosting, status, message) &&
		       fail(message, "no Runtime", status, &error);
	wr_profiles_attach(&self->profiles, self->runtime);
	wr_runtime_summary(self->runtime, &summary);
	self->runtime_id = summary.runtime_id;
	return true;
}

static bool open_http(struct wr_server *self, struct wr_buf *message)
{
	const struct wr_serving *serving = &self->config->serving;
	struct wr_http_app app = wr_routes_app(self);
	struct wr_http_server_config http = wr_serving_http(serving, self->tokens->count != 0);

	if (!wr_serving_tls_open(&self->tls, serving, &self->reactor, &self->allocator, message))
		return false;
	http.tls = self->tls;
	self->http = wr_listen(&self->reactor, &self->allocator, &http, &app, &serving->address,
			       serving->listen, "--bind", message);
	return self->http != NULL;
}

bool wr_server_init(struct wr_server *self, const struct wr_config *config,
		    struct wr_tokens *tokens, uint32_t fixed_token_count, struct wr_buf *message)
{
	struct wr_error error = {0};

	self->config = config;
	self->tokens = tokens;
	self->fixed_token_count = fixed_token_count;
	wr_serving_memory(&config->serving, &self->allocator);
	wr_buf_init(&self->texts, &self->allocator, 2 * (size_t)WR_HTTP_BODY_BYTES_MAX);
	wr_buf_init(&self->id_text, &self->allocator, WR_HTTP_TARGET_BYTES_MAX);
	wr_buf_init(&self->runtime_text, &self->allocator, WR_HTTP_BODY_BYTES_MAX);
	if (!open_loop(self, message) || !open_runtime(self, message) || !open_http(self, message))
		goto failed;
	/* What is written and seen at the end of a turn comes before what leaves then. */
	if (wr_storage_attach(&self->storage, self->runtime, self->http, on_store_failed, self) !=
	    WR_OK) {
		fail(message, "no store", WR_NO_MEMORY, &error);
		goto failed;
	}
	if (wr_streams_attach(&self->streams, self->runtime, self->http) != WR_OK) {
		fail(message, "no streams", WR_NO_MEMORY, &error);
		goto failed;
	}
	wr_guard_init(&self->guard, tokens, &config->serving.origins, &config->serving.hosts,
		      wr_http_server_address(self->http));
	self->guard.is_secure = wr_serving_has_tls(&config->serving);
	self->hook.on_turn = on_turn;
	wr_reactor_add_hook(&self->reactor, &self->hook);
	return true;
failed:
	wr_server_deinit(self);
	return false;
}

bool wr_server_run(struct wr_server *self)
{
	wr_reactor_run(&self->reactor);
	return !self->is_failing;
}

/* Streams before the server whose connections they were, children before the Runtime they report
 * to, that before its store, and the loop, in which all of them were watched, last. */
void wr_server_deinit(struct wr_server *self)
{
	wr_storage_detach(&self->storage);
	wr_streams_deinit(&self->streams);
	if (self->http != NULL)
		wr_http_server_free(self->http);
	wr_serving_tls_close(self->tls);
	wr_profiles_deinit(&self->profiles);
	if (self->runtime != NULL)
		wr_runtime_free(self->runtime);
	wr_storage_close(&self->storage);
	wr_buf_deinit(&self->texts);
	wr_buf_deinit(&self->id_text);
	wr_buf_deinit(&self->runtime_text);
	if (self->has_signals)
		wr_signals_close();
	if (self->has_reactor) {
		wr_timer_cancel(&self->reactor, &self->deadline);
		wr_reactor_remove_hook(&self->reactor, &self->hook);
		wr_reactor_deinit(&self->reactor);
	}
}
