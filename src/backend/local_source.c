#include "backend/local_source.h"

#include "backend/ids.h"
#include "backend/local_workers.h"
#include "backend/platform.h"
#include "check.h"
#include "io/clock.h"

#define RUNTIME_ID WR_VIEW("local-worker-runtime")
#define WORKERS_FOLDER "/pods"

struct wr_local_source {
	struct wr_runtime_handle handle; /* first */
	struct wr_allocator *allocator;
	uint64_t (*now_ms)(void);
	struct wr_local_place place; /* folder NULL: there is none to look into */
	struct wr_view host_id, host_label;
	bool has_list;
	uint64_t list_ms; /* when it was read */
	struct wr_local_workers list;
	struct wr_local_workers one; /* of a look-up */
	size_t texts_bytes;
	char *texts; /* what the views point into */
};

static struct wr_local_source *source_of(struct wr_runtime_handle *handle)
{
	return (struct wr_local_source *)(void *)handle;
}

/* ---- what is always known ---- */

static void say_unavailable(struct wr_notices *notices)
{
	wr_notices_add(notices, "local_pod_registry_unavailable", WR_NOTICE_WARNING,
		       "it is not known where local Workers are kept");
}

static void overview(struct wr_runtime_handle *handle, struct wr_runtime_overview *out)
{
	struct wr_local_source *self = source_of(handle);
	bool can_look = self->place.folder != NULL;

	*out = (struct wr_runtime_overview){
		.runtime_id = handle->runtime_id,
		.kind = handle->kind,
		.label = WR_VIEW("Local Workers"),
		.status = WR_VIEW("available"),
		.host_id = self->host_id,
		.host_label = self->host_label,
		.host_status = can_look ? WR_VIEW("available") : WR_VIEW("degraded"),
		.can = WR_CAN_LIST_HOSTS | (can_look ? WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER : 0),
		.local_pod_inspection = can_look ? WR_VIEW("available") : WR_VIEW("unavailable"),
		.os = WR_VIEW(WR_PLATFORM_OS),
		.arch = WR_VIEW(WR_PLATFORM_ARCH),
	};
	if (!can_look) {
		say_unavailable(&out->notices);
		say_unavailable(&out->host_notices);
	}
}

/* ---- reading ---- */

static void fail(struct wr_source_result *result)
{
	result->outcome = WR_SOURCE_FAILED;
	wr_notices_add(&result->notices, "local_runtime_no_memory", WR_NOTICE_ERROR,
		       "there is no memory left to look at the local Workers: try again later");
}

static enum wr_status refresh(struct wr_local_source *self)
{
	uint64_t now = self->now_ms();
	enum wr_status status;

	if (self->has_list && now - self->list_ms < WR_LOCAL_LIST_MS)
		return WR_OK;
	status = wr_local_workers_read(&self->list, &self->place);
	self->has_list = status == WR_OK;
	self->list_ms = now;
	return status;
}

static void tell(struct wr_source_call *call, const struct wr_local_workers *workers,
		 uint32_t index)
{
	struct wr_worker_overview worker;

	wr_local_workers_overview(workers, index, &worker);
	call->on_worker(call, &worker);
}

static void list(struct wr_local_source *self, struct wr_source_call *call,
		 struct wr_source_result *result)
{
	if (self->place.folder == NULL) {
		say_unavailable(&result->notices);
		return;
	}
	if (refresh(self) != WR_OK) {
		fail(result);
		return;
	}
	for (uint32_t i = 0; i < self->list.count && i < call->as.list.limit; i++)
		tell(call, &self->list, i);
	result->notices = self->list.notices;
}

/* The list that was read last mostly knows which folder an id stands for. */
static enum wr_status find_name(const struct wr_local_source *self,
				char name[WR_FOLDER_NAME_BYTES_MAX + 1], struct wr_view worker_id)
{
	uint32_t i = 0;
	struct wr_view known;

	while (i < self->list.count &&
	       !wr_view_equal(wr_local_workers_id(&self->list, i), worker_id))
		i++;
	if (i == self->list.count)
		return wr_local_workers_find(name, &self->place, worker_id);
	known = wr_local_workers_name(&self->list, i);
	memcpy(name, known.data, known.bytes);
	name[known.bytes] = '\0';
	return WR_OK;
}

/* Whether there is such a Worker, which is then in `one`; else the result says so. */
static bool look_up(struct wr_local_source *self, struct wr_view worker_id,
		    struct wr_source_result *result)
{
	char name[WR_FOLDER_NAME_BYTES_MAX + 1];
	enum wr_status status = WR_NOT_FOUND;

	if (self->place.folder != NULL)
		status = find_name(self, name, worker_id);
	if (status == WR_OK)
		status = wr_local_workers_read_one(&self->one, &self->place, name);
	if (status == WR_NOT_FOUND)
		result->outcome = WR_SOURCE_UNKNOWN_WORKER;
	else if (status != WR_OK)
		fail(result);
	return status == WR_OK;
}

/* ---- calls ---- */

static const struct {
	const char *code, *message;
} refusals[] = {
	[WR_SOURCE_SPAWN] = {"worker_spawn_resolver_pending",
			     "local Workers cannot be created from here"},
	[WR_SOURCE_INPUT] = {"worker_input_pending",
			     "local Workers cannot be given input from here"},
	[WR_SOURCE_STOP] = {"worker_stop_pending", "local Workers cannot be stopped from here"},
	[WR_SOURCE_CANCEL] = {"worker_cancel_pending",
			      "local Workers cannot be cancelled from here"},
	[WR_SOURCE_INTERRUPT] = {"worker_interrupt_pending",
				 "local Workers cannot be interrupted from here"},
	[WR_SOURCE_TRANSCRIPT] = {"worker_transcript_pending",
				  "what local Workers said cannot be read from here"},
	[WR_SOURCE_STORE_BUNDLE] = {"config_bundle_sync_pending",
				    "local Workers are not made from config bundles"},
	[WR_SOURCE_BUNDLE_AVAILABILITY] = {"config_bundle_sync_pending",
					   "local Workers are not made from config bundles"},
};

static void refuse(enum wr_source_operation operation, struct wr_source_result *result)
{
	result->outcome = WR_SOURCE_UNSUPPORTED;
	wr_notices_add(&result->notices, refusals[operation].code, WR_NOTICE_INFO,
		       refusals[operation].message);
}

/* All is done at once: no call is ever under way. */
static void begin(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	struct wr_local_source *self = source_of(handle);
	struct wr_source_result result = {.outcome = WR_SOURCE_ACCEPTED};

	call->source_private = NULL;
	switch (call->operation) {
	case WR_SOURCE_LIST:
		list(self, call, &result);
		break;
	case WR_SOURCE_DETAIL:
		if (look_up(self, call->worker_id, &result))
			tell(call, &self->one, 0);
		break;
	case WR_SOURCE_SPAWN:
	case WR_SOURCE_STORE_BUNDLE:
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		refuse(call->operation, &result);
		break;
	case WR_SOURCE_INPUT:
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
	case WR_SOURCE_TRANSCRIPT:
		if (look_up(self, call->worker_id, &result))
			refuse(call->operation, &result);
		break;
	}
	call->on_done(call, &result);
}

static void cancel(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	(void)handle;
	(void)call;
}

/* ---- life ---- */

static void free_source(struct wr_runtime_handle *handle)
{
	struct wr_local_source *self = source_of(handle);

	wr_local_workers_deinit(&self->one);
	wr_local_workers_deinit(&self->list);
	wr_allocator_free(self->allocator, self->texts, self->texts_bytes);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

static const struct wr_runtime_handle_ops operations = {
	.overview = overview,
	.begin = begin,
	.cancel = cancel,
	.free = free_source,
};

static struct wr_view keep(char **at, struct wr_view text)
{
	struct wr_view kept = wr_view_of(*at, text.bytes);

	if (text.bytes > 0)
		memcpy(*at, text.data, text.bytes);
	*at += text.bytes;
	return kept;
}

static struct wr_view last_component(struct wr_view path)
{
	size_t end = path.bytes, start;

	while (end > 0 && path.data[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path.data[start - 1] != '/';)
		start--;
	return wr_view_of(path.data + start, end - start);
}

/* A root of "/" has no name to show. */
static struct wr_view make_host_label(struct wr_buf *out, struct wr_view workspace_root)
{
	wr_display_append(out, last_component(workspace_root));
	return out->bytes > 0 ? wr_buf_view(out) : WR_VIEW("workspace");
}

static bool keep_texts(struct wr_local_source *self, const struct wr_local_config *config)
{
	struct wr_view folder = config->data_folder;
	char id[WR_BACKEND_ID_BYTES_MAX], label_storage[WR_DISPLAY_BYTES_MAX], *at;
	struct wr_view host_id, host_label;
	struct wr_buf shown;

	wr_buf_init_fixed(&shown, label_storage, sizeof label_storage);
	host_label = make_host_label(&shown, config->workspace_root);
	host_id = wr_view_of(id, wr_backend_id_make(id, WR_VIEW("local-"), config->workspace_id));
	self->texts_bytes = host_id.bytes + host_label.bytes + config->workspace_root.bytes +
			    folder.bytes + sizeof WORKERS_FOLDER;
	self->texts = at = wr_allocator_take(self->allocator, self->texts_bytes);
	if (at == NULL)
		return false;
	self->host_id = keep(&at, host_id);
	self->host_label = keep(&at, host_label);
	self->place.workspace_root = keep(&at, config->workspace_root);
	if (folder.data != NULL) {
		self->place.folder = keep(&at, folder).data;
		(void)keep(&at, wr_view_of(WORKERS_FOLDER, sizeof WORKERS_FOLDER));
	}
	return true;
}

struct wr_view wr_local_data_folder(const char *data_dir, const char *home_dir, const char *home,
				    struct wr_buf *out)
{
	const char *const choices[] = {data_dir, home_dir, home};
	unsigned i = 0;

	while (i < WR_COUNT(choices) && (choices[i] == NULL || choices[i][0] == '\0'))
		i++;
	if (i == WR_COUNT(choices))
		return WR_VIEW_NULL;
	wr_buf_append_view(out, wr_view_of_string(choices[i]));
	if (i == WR_COUNT(choices) - 1)
		wr_buf_append_view(out, WR_VIEW("/.yoi"));
	return wr_buf_status(out) == WR_OK ? wr_buf_view(out) : WR_VIEW_NULL;
}

enum wr_status wr_local_source_new(struct wr_runtime_handle **out, struct wr_allocator *allocator,
				   const struct wr_local_config *config)
{
	struct wr_local_source *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL)
		return WR_NO_MEMORY;
	self->handle = (struct wr_runtime_handle){&operations, RUNTIME_ID, WR_SOURCE_LOCAL};
	self->allocator = allocator;
	self->place.allocator = allocator;
	self->now_ms = config->now_ms != NULL ? config->now_ms : wr_clock_monotonic_ms;
	if (!keep_texts(self, config)) {
		wr_allocator_free(allocator, self, sizeof *self);
		return WR_NO_MEMORY;
	}
	wr_local_workers_init(&self->list, allocator);
	wr_local_workers_init(&self->one, allocator);
	*out = &self->handle;
	return WR_OK;
}
