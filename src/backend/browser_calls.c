/*
 * Requests that wait for sources. One block of memory has the request, its calls, and copies of all
 * that they point at; what a source gives is written down as JSON at once, one line each, because
 * it is lent for that moment only.
 *
 *	browser --> wait --+--> call --> source      on_done, in any order, maybe at once
 *	                   +--> call --> source      the last one to end answers
 */
#include "backend/browser_json.h"
#include "backend/browser_private.h"
#include "backend/ids.h"
#include "bytes/utf8.h"
#include "check.h"

enum {
	/* What one source may give for a list; Workers take some hundred bytes each. */
	LIST_BYTES_MAX = 1048576,
	ANSWER_BYTES_MAX = 8388608,
	LINES_BYTES_FIRST = 1024,
	VIEWS_MAX = 11
};

struct call {
	struct wr_source_call call;
	struct wr_browser_wait *wait;
	struct wr_runtime_handle *handle; /* NULL: not under way (any more) */
	struct wr_browser_source source;  /* its host_id is in the array below */
	char host_id[WR_BACKEND_ID_BYTES_MAX];
	struct wr_buf lines; /* of JSON, each with a line feed behind it */
	struct wr_source_result result;
};

struct wr_browser_wait {
	struct wr_list link;
	struct wr_browser_face *face;
	struct wr_http_exchange *exchange;
	size_t bytes; /* of this block */
	uint32_t call_count;
	uint32_t open_count; /* calls that have not ended, and one while they are being begun */
	struct call calls[];
};

/* ---- memory ---- */

static void *resize(struct wr_allocator *port, void *old, size_t old_bytes, size_t new_bytes)
{
	struct wr_browser_memory *self = wr_container_of(port, struct wr_browser_memory, port);

	return wr_allocator_resize(self->below, old, old_bytes, new_bytes);
}

void wr_browser_memory_init(struct wr_browser_memory *self, struct wr_allocator *below, size_t max)
{
	*self = (struct wr_browser_memory){.port = {.resize = resize, .max = max}, .below = below};
}

static void free_wait(struct wr_browser_wait *self)
{
	for (uint32_t i = 0; i < self->call_count; i++)
		wr_buf_deinit(&self->calls[i].lines);
	wr_list_remove(&self->link);
	self->face->waiting_count--;
	self->exchange->app_pointer = NULL;
	wr_allocator_free(&self->face->memory.port, self, self->bytes);
}

/* NULL, and answered, when there is too much already. */
static struct wr_browser_wait *new_wait(struct wr_browser_face *face,
					struct wr_http_exchange *exchange, uint32_t call_count,
					size_t text_bytes)
{
	size_t bytes = offsetof(struct wr_browser_wait, calls) + call_count * sizeof(struct call) +
		       text_bytes;
	struct wr_browser_wait *self = NULL;

	if (face->waiting_count < face->config.waiting_count_max)
		self = wr_allocator_take_zeroed(&face->memory.port, bytes);
	if (self == NULL) {
		wr_browser_refuse_wire(exchange, WR_WIRE_OVERLOADED);
		return NULL;
	}
	self->face = face;
	self->exchange = exchange;
	self->bytes = bytes;
	self->call_count = call_count;
	for (uint32_t i = 0; i < call_count; i++)
		self->calls[i].wait = self;
	exchange->app_pointer = self;
	wr_list_push(&face->waiting, &self->link);
	face->waiting_count++;
	return self;
}

/* ---- copies of what a call points at ---- */

static unsigned views_of_bundle(struct wr_config_bundle *bundle, struct wr_view *views[VIEWS_MAX],
				unsigned count)
{
	views[count++] = &bundle->id;
	views[count++] = &bundle->digest;
	views[count++] = &bundle->revision;
	views[count++] = &bundle->workspace_id;
	views[count++] = &bundle->created_at;
	views[count++] = &bundle->source;
	views[count++] = &bundle->detail;
	views[count++] = &bundle->profiles.packed;
	views[count++] = &bundle->declarations.packed;
	return count;
}

/* The views of a call that are not static. */
static unsigned views_of(struct wr_source_call *call, struct wr_view *views[VIEWS_MAX])
{
	unsigned count = 0;

	views[count++] = &call->worker_id;
	views[count++] = &call->idempotency_key;
	switch (call->operation) {
	case WR_SOURCE_SPAWN:
		views[count++] = &call->as.spawn.ticket_id;
		views[count++] = &call->as.spawn.requested_name;
		views[count++] = &call->as.spawn.profile_value;
		views[count++] = &call->as.spawn.bundle_id;
		views[count++] = &call->as.spawn.bundle_digest;
		views[count++] = &call->as.spawn.capabilities.packed;
		break;
	case WR_SOURCE_STORE_BUNDLE:
		return views_of_bundle(&call->as.bundle, views, count);
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		views[count++] = &call->as.available.id;
		views[count++] = &call->as.available.digest;
		break;
	case WR_SOURCE_INPUT:
		views[count++] = &call->as.input.content;
		break;
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
		views[count++] = &call->as.reason;
		break;
	case WR_SOURCE_LIST:
	case WR_SOURCE_DETAIL:
	case WR_SOURCE_TRANSCRIPT:
		break;
	}
	return count;
}

static size_t text_bytes_of(const struct wr_source_call *what)
{
	struct wr_source_call call = *what;
	struct wr_view *views[VIEWS_MAX];
	unsigned count = views_of(&call, views);
	size_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += views[i]->bytes;
	return bytes;
}

static void copy_texts(struct wr_source_call *call, char *to)
{
	struct wr_view *views[VIEWS_MAX];
	unsigned count = views_of(call, views);

	for (unsigned i = 0; i < count; i++) {
		if (views[i]->data == NULL)
			continue;
		if (views[i]->bytes != 0)
			memcpy(to, views[i]->data, views[i]->bytes);
		views[i]->data = to;
		to += views[i]->bytes;
	}
}

/* ---- what sources give ---- */

static void on_worker(struct wr_source_call *source_call, const struct wr_worker_overview *worker)
{
	struct call *self = wr_container_of(source_call, struct call, call);
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, &self->lines);
	wr_browser_worker_write(&writer, &self->source, worker);
	wr_buf_append_byte(&self->lines, '\n');
}

/* False: it is not to be shown. What is shown in its place must be text. */
static bool pass_entry(struct call *self, struct wr_transcript_entry *entry)
{
	struct wr_browser_face *face = self->wait->face;
	const struct wr_policy *policy = face->config.policy;
	struct wr_policy_entry judged = {.runtime_id = self->handle->runtime_id,
					 .worker_id = self->call.worker_id,
					 .role = entry->role,
					 .content = entry->content};
	enum wr_policy_verdict verdict;

	if (policy == NULL || policy->on_entry == NULL)
		return true;
	wr_buf_reset(&face->replaced);
	verdict = policy->on_entry(policy->context, &judged, &face->replaced);
	if (verdict != WR_POLICY_REPLACE)
		return verdict == WR_POLICY_PASS;
	entry->content = wr_buf_view(&face->replaced);
	return wr_buf_status(&face->replaced) == WR_OK && wr_utf8_is_valid(entry->content);
}

static void on_entry(struct wr_source_call *source_call, const struct wr_transcript_entry *entry)
{
	struct call *self = wr_container_of(source_call, struct call, call);
	struct wr_transcript_entry shown = *entry;
	struct wr_json_writer writer;

	if (!pass_entry(self, &shown))
		return;
	wr_json_writer_init(&writer, &self->lines);
	wr_browser_entry_write(&writer, &shown);
	wr_buf_append_byte(&self->lines, '\n');
}

static void on_bundle(struct wr_source_call *source_call, const struct wr_bundle_summary *bundle)
{
	struct call *self = wr_container_of(source_call, struct call, call);
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, &self->lines);
	wr_bundle_availability_json(&writer, bundle);
	wr_buf_append_byte(&self->lines, '\n');
}

/* The next line of *rest; absent at its end. A line feed within a string is always escaped. */
static struct wr_view next_line(struct wr_view *rest)
{
	const char *end = rest->bytes != 0 ? memchr(rest->data, '\n', rest->bytes) : NULL;
	struct wr_view line = WR_VIEW_NULL;

	if (end == NULL)
		return line;
	line = wr_view_of(rest->data, (size_t)(end - rest->data));
	*rest = wr_view_skip(*rest, line.bytes + 1);
	return line;
}

/* ---- the answer ---- */

/* A list is what came, in order; of a source that failed only its notices. */
static void write_list(const struct wr_browser_wait *self, struct wr_json_writer *writer)
{
	const struct wr_browser_config *config = &self->face->config;
	struct wr_notices notices = {.count = 0};
	uint32_t room = config->list_limit;

	wr_browser_list_begin(writer, config->workspace_id, config->list_limit);
	for (uint32_t i = 0; i < self->call_count; i++) {
		const struct call *call = &self->calls[i];
		const struct wr_notices *more = &call->result.notices;
		bool is_good = call->result.outcome == WR_SOURCE_ACCEPTED;
		struct wr_view rest = wr_buf_view(&call->lines), line;

		for (uint32_t n = 0; n < more->count; n++)
			wr_notices_add(&notices, more->items[n].code, more->items[n].severity,
				       more->items[n].message);
		if (is_good && wr_buf_status(&call->lines) != WR_OK) {
			wr_notices_add(&notices, "runtime_list_too_large", WR_NOTICE_WARNING,
				       "a runtime has more to tell than can be shown");
			continue;
		}
		while (is_good && room > 0 && (line = next_line(&rest)).data != NULL) {
			wr_json_raw(writer, line);
			room--;
		}
	}
	wr_browser_list_end(writer, &notices);
}

static void write_transcript(const struct call *self, struct wr_json_writer *writer)
{
	struct wr_view rest = wr_buf_view(&self->lines), line, id = self->call.worker_id;
	struct wr_source_result result = self->result;

	if (result.outcome != WR_SOURCE_ACCEPTED) {
		rest = WR_VIEW_NULL;
		result.page.start = self->call.as.page.start;
		result.page.limit = self->call.as.page.limit;
		result.page.total_items = 0;
		result.page.has_next_start = false;
	}
	wr_browser_transcript_begin(writer, &result, self->source.runtime_id, id);
	while ((line = next_line(&rest)).data != NULL)
		wr_json_raw(writer, line);
	wr_browser_transcript_end(writer, &result);
}

/* Of one call that did not fail. */
static void write_result(const struct call *self, struct wr_json_writer *writer)
{
	struct wr_view rest = wr_buf_view(&self->lines), first = next_line(&rest);
	struct wr_view runtime_id = self->source.runtime_id, worker_id = self->call.worker_id;
	const struct wr_source_result *result = &self->result;

	switch (self->call.operation) {
	case WR_SOURCE_LIST:
		write_list(self->wait, writer);
		return;
	case WR_SOURCE_DETAIL:
		wr_json_raw(writer, first);
		return;
	case WR_SOURCE_SPAWN:
		wr_browser_spawn_write(writer, result,
				       result->outcome == WR_SOURCE_ACCEPTED ? first
									     : WR_VIEW_NULL);
		return;
	case WR_SOURCE_INPUT:
		wr_browser_input_write(writer, result, runtime_id, worker_id);
		return;
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
		wr_browser_lifecycle_write(writer, result, runtime_id, worker_id);
		return;
	case WR_SOURCE_TRANSCRIPT:
		write_transcript(self, writer);
		return;
	case WR_SOURCE_STORE_BUNDLE:
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		wr_browser_bundle_write(writer, result,
					result->outcome == WR_SOURCE_ACCEPTED ? first
									      : WR_VIEW_NULL);
		return;
	}
	wr_unreachable();
}

/* Whether there is something to tell of; otherwise *error says what is told instead. What was done
 * is told even when nothing more can be told of it. */
static bool is_told(const struct call *self, struct wr_browser_error *error)
{
	enum wr_source_operation operation = self->call.operation;
	bool is_accepted = self->result.outcome == WR_SOURCE_ACCEPTED;
	bool is_detail = operation == WR_SOURCE_DETAIL;
	bool is_one = is_detail || operation == WR_SOURCE_BUNDLE_AVAILABILITY;
	enum wr_status status = wr_buf_status(&self->lines);

	if (operation == WR_SOURCE_LIST)
		return true;
	if (self->result.outcome == WR_SOURCE_UNKNOWN_WORKER)
		*error = wr_browser_error_of(WR_BROWSER_UNKNOWN_WORKER);
	else if (self->result.outcome == WR_SOURCE_FAILED || (is_detail && !is_accepted))
		*error = wr_browser_error_of_failure(&self->result);
	else if (!is_accepted || (!is_one && operation != WR_SOURCE_TRANSCRIPT))
		return true;
	else if (status == WR_TOO_LARGE)
		*error = wr_browser_error_of(WR_BROWSER_ANSWER_TOO_LARGE);
	else if (status != WR_OK)
		*error = wr_browser_error_of_wire(WR_WIRE_OVERLOADED);
	else if (is_one && self->lines.bytes == 0)
		*error = wr_browser_error_of(WR_BROWSER_MALFORMED);
	else
		return true;
	return false;
}

/* An empty list of sources has one to tell of, too. */
static void answer(const struct wr_browser_wait *self)
{
	struct wr_browser_error error;
	struct wr_json_writer writer;
	struct wr_buf *body;

	if (self->call_count != 0 && !is_told(&self->calls[0], &error)) {
		bool has_id = self->calls[0].result.outcome == WR_SOURCE_UNKNOWN_WORKER;

		wr_browser_refuse(self->exchange, &error,
				  has_id ? self->calls[0].call.worker_id : WR_VIEW_NULL);
		return;
	}
	body = wr_http_answer_body(self->exchange);
	wr_json_writer_init(&writer, body);
	if (self->call_count != 0)
		write_result(&self->calls[0], &writer);
	else
		write_list(self, &writer);
	if (body->bytes > ANSWER_BYTES_MAX)
		wr_browser_refuse_name(self->exchange, WR_BROWSER_ANSWER_TOO_LARGE, WR_VIEW_NULL);
	else
		wr_browser_answer(self->exchange, 200, body);
}

/* One less to wait for; the last one answers. */
static void close_one(struct wr_browser_wait *self)
{
	wr_assert(self->open_count > 0);
	if (--self->open_count != 0)
		return;
	for (uint32_t i = 0; i < self->call_count; i++)
		if (self->calls[i].result.hold_until != 0)
			wr_http_answer_hold(self->exchange, self->calls[i].result.hold_until);
	answer(self);
	free_wait(self);
}

/* ---- calls ---- */

static void on_done(struct wr_source_call *source_call, const struct wr_source_result *result)
{
	struct call *self = wr_container_of(source_call, struct call, call);

	wr_assert(self->handle != NULL);
	self->handle = NULL;
	self->result = *result;
	close_one(self->wait);
}

static void begin(struct call *self, struct wr_runtime_handle *handle)
{
	struct wr_runtime_overview overview;
	size_t bytes_max =
		self->call.operation == WR_SOURCE_LIST ? LIST_BYTES_MAX : ANSWER_BYTES_MAX;

	handle->ops->overview(handle, &overview);
	wr_assert(overview.host_id.bytes <= sizeof self->host_id);
	if (overview.host_id.bytes != 0)
		memcpy(self->host_id, overview.host_id.data, overview.host_id.bytes);
	self->source =
		(struct wr_browser_source){handle->kind, handle->runtime_id,
					   wr_view_of(self->host_id, overview.host_id.bytes)};
	wr_buf_init(&self->lines, &self->wait->face->memory.port, bytes_max);
	/* What one Worker takes; without memory the first line finds out. */
	if (wr_buf_reserve(&self->lines, LINES_BYTES_FIRST) == NULL)
		wr_buf_reset(&self->lines);
	self->call.on_worker = on_worker;
	self->call.on_entry = on_entry;
	self->call.on_bundle = on_bundle;
	self->call.on_done = on_done;
	self->handle = handle;
	handle->ops->begin(handle, &self->call);
}

void wr_browser_call(struct wr_browser_face *face, struct wr_http_exchange *exchange,
		     struct wr_runtime_handle *handle, const struct wr_source_call *what)
{
	struct wr_browser_wait *wait = new_wait(face, exchange, 1, text_bytes_of(what));

	if (wait == NULL)
		return;
	wait->calls[0].call = *what;
	copy_texts(&wait->calls[0].call, (char *)&wait->calls[1]);
	wait->open_count = 2;
	begin(&wait->calls[0], handle);
	close_one(wait);
}

void wr_browser_call_lists(struct wr_browser_face *face, struct wr_http_exchange *exchange,
			   struct wr_runtime_handle *const *handles, uint32_t count)
{
	struct wr_source_call what = {
		.operation = WR_SOURCE_LIST,
		.as.list = {.limit = face->config.list_limit, .ms_max = face->config.list_ms_max}};
	struct wr_browser_wait *wait = new_wait(face, exchange, count, 0);

	if (wait == NULL)
		return;
	wait->open_count = count + 1;
	for (uint32_t i = 0; i < count; i++)
		wait->calls[i].call = what;
	for (uint32_t i = 0; i < count; i++)
		begin(&wait->calls[i], handles[i]);
	close_one(wait);
}

void wr_browser_calls_abandon(struct wr_http_exchange *exchange)
{
	struct wr_browser_wait *self = exchange->app_pointer;

	wr_assert(self != NULL && self->exchange == exchange);
	for (uint32_t i = 0; i < self->call_count; i++) {
		struct call *call = &self->calls[i];

		if (call->handle != NULL)
			call->handle->ops->cancel(call->handle, &call->call);
		call->handle = NULL;
	}
	free_wait(self);
}

static void fail(struct call *self)
{
	struct wr_source_result result = {.outcome = WR_SOURCE_FAILED};

	wr_notices_add(&result.notices, WR_BROWSER_REMOVED, WR_NOTICE_ERROR,
		       "this runtime was taken out of the configuration");
	self->handle->ops->cancel(self->handle, &self->call);
	on_done(&self->call, &result);
}

void wr_browser_calls_forget(struct wr_browser_face *face, struct wr_runtime_handle *handle)
{
	wr_list_each (node, after, &face->waiting) {
		struct wr_browser_wait *self = wr_list_entry(node, struct wr_browser_wait, link);
		uint32_t count = self->call_count;

		for (uint32_t i = 0; i < count; i++) {
			if (self->calls[i].handle != handle)
				continue;
			fail(&self->calls[i]); /* maybe the last one: then the wait is gone */
			break;
		}
	}
}
