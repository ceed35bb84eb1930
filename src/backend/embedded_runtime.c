#include "backend/embedded_runtime.h"

#include "backend/embedded_calls.h"
#include "backend/embedded_feed.h"
#include "backend/embedded_refusal.h"
#include "backend/ids.h"
#include "backend/platform.h"
#include "check.h"
#include "codec/json/writer.h"
#include "host/profiles.h"
#include "host/storage.h"
#include "observe/fanout.h"

#define DEFAULT_ID "backend-internal"
#define DEFAULT_LABEL "Backend-internal runtime"

struct embedded_runtime {
	struct wr_runtime_handle handle; /* first */
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_embedded_config config;
	struct wr_runtime *runtime;
	struct wr_fanout *fanout;
	struct wr_embedded_feed feed;
	struct wr_embedded_calls calls;
	struct wr_profile_table profiles;
	struct wr_storage storage;
	char id[WR_BACKEND_ID_BYTES_MAX], host_id[WR_BACKEND_ID_BYTES_MAX];
	size_t host_id_bytes;
	char label[WR_DISPLAY_BYTES_MAX];
	size_t label_bytes;
	bool is_attached;
};

static struct embedded_runtime *embedded_of(struct wr_runtime_handle *handle)
{
	return wr_container_of(handle, struct embedded_runtime, handle);
}

static const struct embedded_runtime *const_embedded_of(const struct wr_runtime_handle *handle)
{
	return (const struct embedded_runtime *)(const void *)handle;
}

/* ---- what is known at once ---- */

static void add_store_notices(struct embedded_runtime *self, struct wr_notices *notices)
{
	struct wr_store_report report;

	wr_storage_report(&self->storage, &report);
	if (wr_storage_has_failed(&self->storage))
		wr_notices_add(notices, WR_EMBEDDED_STORE_ERROR, WR_NOTICE_ERROR,
			       "the store has failed: nothing can be changed until a restart");
	else if (report.is_kept && wr_view_equal(wr_view_of_string(report.state), WR_VIEW("full")))
		wr_notices_add(notices, WR_EMBEDDED_STORE_ERROR, WR_NOTICE_WARNING,
			       "the store is full: an operator must make room");
}

static struct wr_view status_of(const struct embedded_runtime *self)
{
	struct wr_runtime_summary summary;

	if (wr_storage_has_failed(&self->storage))
		return WR_VIEW("unavailable");
	wr_runtime_summary(self->runtime, &summary);
	return summary.is_stopped ? WR_VIEW("stopped") : WR_VIEW("running");
}

static void overview(struct wr_runtime_handle *handle, struct wr_runtime_overview *out)
{
	struct embedded_runtime *self = embedded_of(handle);

	*out = (struct wr_runtime_overview){
		.runtime_id = handle->runtime_id,
		.kind = handle->kind,
		.label = wr_view_of(self->label, self->label_bytes),
		.status = status_of(self),
		.host_id = wr_view_of(self->host_id, self->host_id_bytes),
		.host_label = WR_VIEW("Backend"),
		.host_status = WR_VIEW("available"),
		.can = WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER | WR_CAN_SPAWN |
		       WR_CAN_STOP | WR_CAN_INPUT | WR_CAN_STREAM | WR_CAN_TRANSCRIPT |
		       WR_HAS_INTERNAL_TOOLS,
		.local_pod_inspection = WR_VIEW("not_applicable"),
		.os = WR_VIEW(WR_PLATFORM_OS),
		.arch = WR_VIEW(WR_PLATFORM_ARCH),
	};
	add_store_notices(self, &out->notices);
	wr_notices_add(&out->host_notices, "embedded_runtime_host_boundary", WR_NOTICE_INFO,
		       "this host is the Backend itself: it shows Workers, and nothing of its "
		       "machine");
}

/* ---- calls ---- */

static void begin(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	wr_embedded_call(&embedded_of(handle)->calls, call);
}

/* Every call has ended before begin returned. */
static void cancel(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	(void)handle;
	wr_assert(call->source_private == NULL);
}

/* ---- streams ---- */

struct refusal {
	unsigned http;
	struct wr_view phrase, code, message;
};

/* The body of contract 8.5. */
static void refuse(struct wr_http_exchange *exchange, const struct refusal *refusal)
{
	struct wr_buf *body = wr_http_answer_body(exchange);
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, body);
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("error"), refusal->phrase);
	wr_json_member_string(&writer, WR_VIEW("message"), refusal->message);
	wr_json_member_string(&writer, WR_VIEW("code"), refusal->code);
	wr_json_object_end(&writer);
	wr_http_answer_field(exchange, WR_VIEW("Content-Type"), WR_VIEW("application/json"));
	wr_http_answer(exchange, refusal->http, wr_buf_view(body));
}

static void observe(struct wr_runtime_handle *handle, struct wr_http_exchange *exchange,
		    struct wr_view worker_id, struct wr_view cursor)
{
	static const struct refusal unknown = {
		404, WR_VIEW_INIT("Not Found"), WR_VIEW_INIT("worker_not_found"),
		WR_VIEW_INIT("there is no such Worker in this Runtime")};
	static const struct refusal damaged = {502, WR_VIEW_INIT("Bad Gateway"),
					       WR_VIEW_INIT(WR_EMBEDDED_STORE_ERROR),
					       WR_VIEW_INIT("stored data is damaged")};
	static const struct refusal draining = {
		503, WR_VIEW_INIT("Service Unavailable"),
		WR_VIEW_INIT("embedded_runtime_state_unavailable"),
		WR_VIEW_INIT("the Backend is shutting down: try again when it is back")};
	struct embedded_runtime *self = embedded_of(handle);
	const struct wr_worker *worker = wr_runtime_find(self->runtime, worker_id);

	wr_assert(self->is_attached);
	if (self->calls.is_draining)
		refuse(exchange, &draining);
	else if (worker == NULL)
		refuse(exchange, &unknown);
	else if (worker->is_quarantined)
		refuse(exchange, &damaged);
	else
		wr_fanout_accept(self->fanout, exchange, worker->number, cursor);
}

static uint32_t stream_count(const struct wr_runtime_handle *handle)
{
	return wr_fanout_count(const_embedded_of(handle)->fanout);
}

static void drain(struct wr_runtime_handle *handle)
{
	wr_fanout_drain(embedded_of(handle)->fanout);
}

/* ---- the end ---- */

void wr_embedded_runtime_reap(struct wr_runtime_handle *handle)
{
	wr_profiles_reap(&embedded_of(handle)->profiles);
}

void wr_embedded_runtime_end_programs(struct wr_runtime_handle *handle)
{
	struct embedded_runtime *self = embedded_of(handle);

	self->calls.is_draining = true;
	/* Ends of programs cannot be recorded in a store that has failed. */
	if (!wr_storage_has_failed(&self->storage)) {
		wr_runtime_drain(self->runtime);
		wr_profiles_drain(&self->profiles);
	}
}

bool wr_embedded_runtime_is_settled(const struct wr_runtime_handle *handle)
{
	const struct embedded_runtime *self = const_embedded_of(handle);

	if (!self->is_attached || wr_storage_has_failed(&self->storage))
		return true;
	return wr_profiles_live_count(&self->profiles) == 0 &&
	       wr_storage_is_settled(&self->storage);
}

/* Streams before the server whose connections they are, programs before the Runtime they report to,
 * that before its store. */
static void free_embedded(struct wr_runtime_handle *handle)
{
	struct embedded_runtime *self = embedded_of(handle);

	wr_storage_detach(&self->storage);
	if (self->fanout != NULL)
		wr_fanout_free(self->fanout);
	wr_profiles_deinit(&self->profiles);
	if (self->runtime != NULL)
		wr_runtime_free(self->runtime);
	wr_storage_close(&self->storage);
	wr_embedded_calls_deinit(&self->calls);
	wr_embedded_feed_deinit(&self->feed);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

/* ---- making it ---- */

static const struct wr_runtime_handle_ops embedded_ops = {
	.overview = overview,
	.begin = begin,
	.cancel = cancel,
	.observe = observe,
	.stream_count = stream_count,
	.drain = drain,
	.free = free_embedded,
};

static bool fail(struct wr_buf *message, const char *what, enum wr_status status)
{
	wr_buf_append_view(message, wr_view_of_string(what));
	wr_buf_append_view(message, WR_VIEW(": "));
	wr_buf_append_view(message, wr_view_of_string(wr_status_text(status)));
	return false;
}

/* Who it is: the ids, which are copied. */
static bool set_names(struct embedded_runtime *self, struct wr_buf *message)
{
	const struct wr_hosting *hosting = self->config.hosting;
	struct wr_view id = hosting->runtime_id == NULL ? WR_VIEW(DEFAULT_ID)
							: wr_view_of_string(hosting->runtime_id);
	struct wr_buf label;

	if (!wr_backend_id_is_valid(id)) {
		wr_buf_append_view(message,
				   WR_VIEW("the id of the embedded Runtime must be 1 to 120 "
					   "characters of A-Z a-z 0-9 _ : -"));
		return false;
	}
	memcpy(self->id, id.data, id.bytes);
	self->handle.runtime_id = wr_view_of(self->id, id.bytes);
	self->host_id_bytes =
		wr_backend_id_make(self->host_id, WR_VIEW("embedded-"), self->config.workspace_id);
	wr_buf_init_fixed(&label, self->label, sizeof self->label);
	wr_display_append(&label, wr_view_of_string(hosting->display_name));
	if (label.bytes == 0)
		wr_display_append(&label, WR_VIEW(DEFAULT_LABEL));
	self->label_bytes = label.bytes;
	return true;
}

static bool open_runtime(struct embedded_runtime *self, struct wr_buf *message)
{
	const struct wr_hosting *hosting = self->config.hosting;
	struct wr_runtime_config config = wr_hosting_runtime_config(hosting);
	struct wr_runtime_ports ports;
	struct wr_fanout_config fanout;
	struct wr_error error = {.status = WR_OK};
	enum wr_status status;

	wr_ws_defaults(&fanout.ws);
	if (self->config.streams != NULL)
		fanout.ws = *self->config.streams;
	status = wr_fanout_new(&self->fanout, self->reactor, self->allocator, &fanout);
	if (status != WR_OK)
		return fail(message, "no streams of the embedded Runtime", status);
	config.runtime_id = self->handle.runtime_id;
	config.is_trimmed_by_owner = true;
	wr_hosting_ports(&ports, self->allocator);
	ports.encoding = wr_embedded_feed_encoding(&self->feed);
	ports.observer = wr_fanout_observer(self->fanout);
	if (!wr_storage_open(&self->storage, self->reactor, self->allocator, hosting, &ports,
			     message) ||
	    !wr_profiles_init(&self->profiles, self->reactor, self->allocator, hosting, message))
		return false;
	ports.profiles = wr_profiles_port(&self->profiles);
	status = wr_runtime_new(&self->runtime, &config, &ports, &error);
	if (status != WR_OK)
		return !wr_storage_explain(&self->storage, hosting, status, message) &&
		       fail(message, "no embedded Runtime", status);
	wr_profiles_attach(&self->profiles, self->runtime);
	return true;
}

struct wr_runtime_handle *wr_embedded_runtime_new(struct wr_reactor *reactor,
						  struct wr_allocator *allocator,
						  const struct wr_embedded_config *config,
						  struct wr_buf *message)
{
	struct embedded_runtime *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL) {
		fail(message, "no embedded Runtime", WR_NO_MEMORY);
		return NULL;
	}
	self->handle.ops = &embedded_ops;
	self->handle.kind = WR_SOURCE_EMBEDDED;
	self->reactor = reactor;
	self->allocator = allocator;
	self->config = *config;
	if (!set_names(self, message)) {
		wr_allocator_free(allocator, self, sizeof *self);
		return NULL;
	}
	wr_embedded_feed_init(&self->feed, allocator, config->policy, self->handle.runtime_id);
	if (open_runtime(self, message)) {
		wr_embedded_calls_init(&self->calls, allocator, self->runtime);
		return &self->handle;
	}
	free_embedded(&self->handle);
	return NULL;
}

static void on_store_failed(void *context)
{
	struct embedded_runtime *self = context;

	if (self->config.on_failed != NULL)
		self->config.on_failed(self->config.context);
}

enum wr_status wr_embedded_runtime_attach(struct wr_runtime_handle *handle,
					  struct wr_http_server *server)
{
	struct embedded_runtime *self = embedded_of(handle);
	struct wr_feed feed = wr_embedded_feed_attach(&self->feed, self->runtime);
	enum wr_status status;

	/* What is written and seen at the end of a turn comes before what leaves then. */
	status = wr_storage_attach(&self->storage, self->runtime, server, on_store_failed, self);
	if (status != WR_OK)
		return status;
	status = wr_fanout_attach(self->fanout, &feed, server);
	self->is_attached = status == WR_OK;
	return status;
}
