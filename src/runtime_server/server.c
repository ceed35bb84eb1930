#include "runtime_server/server.h"

#include "check.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/memory.h"
#include "io/reactor/signal.h"
#include "runtime_server/routes.h"
#include "wire/worker_json.h"

#include <errno.h>
#include <signal.h>

enum {
	MESSAGE_BYTES_MAX = 512,
	/* From the failure of the store to the end: for what can still be sent. */
	FAILING_MS_MAX = 2000
};

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
	if (wr_http_server_connection_count(self->http) == 0)
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
	uint64_t drain_ms = self->config->drain_ms;
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
	if (!has_failed)
		wr_profiles_drain(&self->profiles);
	if (wr_timer_set(&self->reactor, &self->deadline, drain_ms) != WR_OK)
		wr_reactor_stop(&self->reactor);
}

/* Nothing more can be kept (reliability 5). A supervisor starts us again, and what is on the disk
 * is looked at anew; or what there is may still be read. */
static void on_store_failed(void *context)
{
	struct wr_server *self = context;

	wr_buf_reset(&self->runtime_text);
	if (self->config->on_store_failure == WR_ON_STORE_FAILURE_READONLY)
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

/* All of the new file is read before anything of the old one goes. */
static void reload_tokens(struct wr_server *self)
{
	char text[MESSAGE_BYTES_MAX];
	struct wr_buf message;
	struct wr_tokens *fresh;

	if (self->config->token_file == NULL) {
		WR_LOG(WR_LOG_INFO, "nothing_to_reload",
		       WR_LOG_TEXT("why", WR_VIEW("no token file")));
		return;
	}
	wr_buf_init_fixed(&message, text, sizeof text);
	fresh = wr_allocator_take(&self->allocator, sizeof *fresh);
	if (fresh == NULL) {
		WR_LOG(WR_LOG_ERROR, "tokens_kept", WR_LOG_TEXT("why", WR_VIEW("no memory")));
		return;
	}
	*fresh = *self->tokens;
	wr_tokens_truncate(fresh, self->fixed_token_count);
	if (wr_tokens_load(fresh, self->config->token_file, &message) &&
	    wr_guard_is_safe(fresh, &self->config->address, &message)) {
		*self->tokens = *fresh;
		WR_LOG(WR_LOG_INFO, "tokens_reloaded", WR_LOG_NUMBER("count", fresh->count));
	} else {
		WR_LOG(WR_LOG_ERROR, "tokens_kept", WR_LOG_TEXT("why", wr_buf_view(&message)));
	}
	wr_tokens_wipe(fresh, sizeof *fresh);
	wr_allocator_free(&self->allocator, fresh, sizeof *fresh);
}

static void on_signal(void *context, int number)
{
	struct wr_server *self = context;

	if (number == SIGHUP)
		reload_tokens(self);
	else if (number == SIGCHLD)
		wr_profiles_reap(&self->profiles);
	else if (self->is_draining)
		wr_reactor_stop(&self->reactor);
	else
		begin_drain(self);
}

/* ---- making it ---- */

static int64_t wall_ms(void *context)
{
	(void)context;
	return wr_clock_wall_ms();
}

static uint64_t uptime_ms(void *context)
{
	(void)context;
	return wr_clock_monotonic_ms();
}

static enum wr_status entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	return wr_entropy_fill(out, bytes);
}

static void say(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

/* What failed, why, and what to do about it. */
static bool fail(struct wr_buf *message, const char *what, enum wr_status status,
		 const struct wr_error *error, const char *remedy)
{
	say(message, what);
	say(message, ": ");
	say(message, error->os_error != 0 ? strerror(error->os_error) : wr_status_text(status));
	if (remedy != NULL) {
		say(message, "; ");
		say(message, remedy);
	}
	return false;
}

static bool open_loop(struct wr_server *self, struct wr_buf *message)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0};
	struct wr_error error = {0};
	enum wr_status status = wr_reactor_init(&self->reactor, &self->allocator, &error);

	if (status != WR_OK)
		return fail(message, "no event loop", status, &error, NULL);
	self->has_reactor = true;
	status = wr_signals_open(&self->reactor, numbers, on_signal, self, &error);
	if (status != WR_OK)
		return fail(message, "no signals", status, &error, NULL);
	self->has_signals = true;
	return true;
}

static struct wr_runtime_config runtime_config_of(const struct wr_config *config)
{
	struct wr_runtime_config out;

	wr_runtime_defaults(&out);
	out.runtime_id = wr_view_of_string(config->runtime_id);
	out.display_name = wr_view_of_string(config->display_name);
	out.transcript_items_max = (uint32_t)config->transcript_items_max;
	out.event_batch_items_max = (uint32_t)config->event_batch_items_max;
	out.worker_count_max = (uint32_t)config->workers_max;
	out.retention = (struct wr_retention){.stream_events_max =
						      (uint32_t)config->worker_retention_events,
					      .stream_bytes_max = config->worker_retention_bytes,
					      .events_max = (uint32_t)config->retention_events,
					      .bytes_max = config->retention_bytes};
	out.worker_transcript_bytes_max = config->worker_transcript_bytes;
	out.transcript_bytes_max = config->transcript_bytes;
	return out;
}

static bool open_runtime(struct wr_server *self, struct wr_buf *message)
{
	struct wr_runtime_config config = runtime_config_of(self->config);
	struct wr_runtime_ports ports = {.allocator = &self->allocator,
					 .wall_ms = wall_ms,
					 .uptime_ms = uptime_ms,
					 .entropy = entropy};
	struct wr_runtime_summary summary;
	struct wr_error error = {0};
	enum wr_status status;

	status = wr_streams_init(&self->streams, &self->reactor, &self->allocator, self->config,
				 &config, &ports);
	if (status != WR_OK)
		return fail(message, "no streams", status, &error, NULL);
	if (!wr_storage_open(&self->storage, &self->reactor, &self->allocator, self->config, &ports,
			     message))
		return false;
	if (!wr_profiles_init(&self->profiles, &self->reactor, &self->allocator, self->config,
			      message))
		return false;
	ports.profiles = wr_profiles_port(&self->profiles);
	status = wr_runtime_new(&self->runtime, &config, &ports, &error);
	if (status != WR_OK)
		return !wr_storage_explain(&self->storage, self->config, status, message) &&
		       fail(message, "no Runtime", status, &error, NULL);
	wr_profiles_attach(&self->profiles, self->runtime);
	wr_runtime_summary(self->runtime, &summary);
	self->runtime_id = summary.runtime_id;
	return true;
}

static const char *listen_remedy(int os_error)
{
	switch (os_error) {
	case EADDRINUSE:
		return "something else is there: choose another --bind";
	case EADDRNOTAVAIL:
		return "this machine has no such address: choose another --bind";
	case EACCES:
		return "choose a port above 1023, or a path that may be written, with --bind";
	default:
		return "choose another --bind";
	}
}

static bool open_http(struct wr_server *self, struct wr_buf *message)
{
	const struct wr_config *config = self->config;
	struct wr_http_app app = wr_routes_app(self);
	struct wr_http_server_config http;
	struct wr_error error = {0};

	wr_http_server_defaults(&http);
	http.content_type = WR_VIEW("application/json");
	http.connection_count_max = (uint32_t)config->connections_max;
	http.head_ms_max = (uint32_t)config->head_ms;
	http.body_ms_max = (uint32_t)config->body_ms;
	http.idle_ms_max = (uint32_t)config->idle_ms;
	http.send_ms_max = (uint32_t)config->send_ms;
	if (self->tokens->count != 0)
		http.unauthenticated_count_max = WR_CONN_UNAUTHENTICATED_COUNT_MAX;
	self->http = wr_http_server_new(&self->reactor, &self->allocator, &http, &app,
					&config->address, &error);
	if (self->http != NULL)
		return true;
	say(message, "cannot listen on ");
	return fail(message, config->bind, error.status, &error, listen_remedy(error.os_error));
}

bool wr_server_init(struct wr_server *self, const struct wr_config *config,
		    struct wr_tokens *tokens, uint32_t fixed_token_count, struct wr_buf *message)
{
	struct wr_error error = {0};

	self->config = config;
	self->tokens = tokens;
	self->fixed_token_count = fixed_token_count;
	wr_memory_init(&self->allocator, config->memory_max == 0 || config->memory_max > SIZE_MAX
						 ? SIZE_MAX
						 : (size_t)config->memory_max);
	wr_buf_init(&self->texts, &self->allocator, 2 * (size_t)WR_HTTP_BODY_BYTES_MAX);
	wr_buf_init(&self->id_text, &self->allocator, WR_HTTP_TARGET_BYTES_MAX);
	wr_buf_init(&self->runtime_text, &self->allocator, WR_HTTP_BODY_BYTES_MAX);
	if (!open_loop(self, message) || !open_runtime(self, message) || !open_http(self, message))
		goto failed;
	/* What is written and seen at the end of a turn comes before what leaves then. */
	if (wr_storage_attach(&self->storage, self->runtime, self->http, on_store_failed, self) !=
	    WR_OK) {
		fail(message, "no store", WR_NO_MEMORY, &error, NULL);
		goto failed;
	}
	if (wr_streams_attach(&self->streams, self->runtime, self->http) != WR_OK) {
		fail(message, "no streams", WR_NO_MEMORY, &error, NULL);
		goto failed;
	}
	wr_guard_init(&self->guard, tokens, &config->origins, &config->hosts,
		      wr_http_server_address(self->http));
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
