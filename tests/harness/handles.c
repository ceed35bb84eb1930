/* See handles.h. */
#include "harness/handles.h"

#if WR_WS_SERVER

#include "backend/embedded_runtime.h"
#include "backend/local_source.h"
#include "backend/remote_runtime.h"
#include "bounds.h"
#include "bytes/sha256.h"
#include "check.h"
#include "codec/ws/handshake.h"
#include "harness/backend.h"
#include "harness/watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKSPACE_ID "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01"
#define SECRET "the-secret-of-the-far-one-7c1d9b2e5d0a6c4e"
#define SESSION "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f09"

enum { WAIT_MS = 10000, REMOTE_MS = 8000 };

/* ---- words ---- */

/* What belongs to the protocol itself, where it may stand: members of a snapshot's greeting, and
 * codes of the contract for who asks for sockets. In lower case. */
static const char *const allowed[] = {"\"provider\":\"worker-runtime\"", "context_tokens",
				      "embedded_runtime_no_socket",
				      "remote_runtime_no_socket_ready_acceptance"};
static const char *const words[] = {"metadata.json", "socket", "session", "token",  "credential",
				    "provider",	     "bearer", "/tmp",	  "log_id", "wo_",
				    "\"re_",	     SECRET,   SESSION};

static const char *find(struct wr_view text, const char *part)
{
	size_t bytes = strlen(part);

	return bytes == 0 || text.bytes < bytes ? NULL : memmem(text.data, text.bytes, part, bytes);
}

static void check_no(struct wr_view text, const char *word)
{
	const char *at = find(text, word);

	if (at == NULL)
		return;
	fprintf(stderr, "`%s` is told: %.*s\n", word, (int)(text.bytes < 400 ? text.bytes : 400),
		text.data);
	wr_test_fail(__FILE__, __LINE__, "what may never be told was told");
}

void wr_handles_check_text(const struct wr_handles *self, struct wr_view text)
{
	char *lower;
	const char *at;

	if (text.bytes == 0)
		return;
	lower = malloc(text.bytes);
	CHECK(lower != NULL);
	for (size_t i = 0; i < text.bytes; i++)
		lower[i] = wr_ascii_lower(text.data[i]);
	text.data = lower;
	for (unsigned i = 0; i < WR_COUNT(allowed); i++)
		while ((at = find(text, allowed[i])) != NULL)
			memset(lower + (at - lower), ' ', strlen(allowed[i]));
	for (unsigned i = 0; i < WR_COUNT(words); i++)
		check_no(text, words[i]);
	check_no(text, self->far.address);
	free(lower);
}

static bool is_id(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char c = wr_ascii_lower(text.data[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != ':' &&
		    c != '-')
			return false;
	}
	return text.bytes != 0 && text.bytes <= 120;
}

void wr_handles_check_display(const struct wr_handles *self, struct wr_view text)
{
	CHECK(text.bytes != 0 && text.bytes <= 4 * 80);
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char c = (unsigned char)text.data[i];
		CHECK(c >= 0x20 && c != 0x7f && c != '/' && c != '\\');
	}
	wr_handles_check_text(self, text);
}

static void check_notices(const struct wr_handles *self, const struct wr_notices *notices)
{
	CHECK(notices->count <= WR_NOTICE_COUNT_MAX);
	for (uint32_t i = 0; i < notices->count; i++) {
		const struct wr_notice *notice = &notices->items[i];
		CHECK(notice->code != NULL && notice->message != NULL);
		CHECK(is_id(wr_view_of_string(notice->code)));
		CHECK(notice->message[0] != '\0');
		CHECK((unsigned)notice->severity <= WR_NOTICE_ERROR);
		wr_handles_check_text(self, wr_view_of_string(notice->code));
		wr_handles_check_text(self, wr_view_of_string(notice->message));
		for (const char *at = notice->message; *at != '\0'; at++)
			CHECK((unsigned char)*at >= 0x20);
	}
}

bool wr_handles_has_notice(const struct wr_notices *notices, const char *part_of_code)
{
	for (uint32_t i = 0; i < notices->count; i++)
		if (strstr(notices->items[i].code, part_of_code) != NULL)
			return true;
	return false;
}

/* ---- turns ---- */

static void on_late(struct wr_timer *timer)
{
	(void)timer;
	wr_test_fail(__FILE__, __LINE__, "what is waited for does not come");
}

void wr_handles_wait(struct wr_handles *self)
{
	wr_reactor_turn(&self->reactor, 0); /* what time is it? */
	self->deadline.on_due = on_late;
	CHECK_STATUS(wr_timer_set(&self->reactor, &self->deadline, WAIT_MS), WR_OK);
}

void wr_handles_turn(struct wr_handles *self)
{
	wr_reactor_turn(&self->reactor, -1);
}

void wr_handles_settle(struct wr_handles *self)
{
	static struct wr_asked asked;
	const struct wr_source_call list = {.operation = WR_SOURCE_LIST, .as.list = {1, REMOTE_MS}};

	for (unsigned i = 0; i < 3; i++) {
		wr_handles_ask(self, &asked, &list);
		for (unsigned turn = 0; turn < 20; turn++)
			wr_reactor_turn(&self->reactor, 0);
	}
}

/* ---- calls ---- */

static void copy(char *out, size_t room, struct wr_view text)
{
	if (text.data == NULL)
		text = WR_VIEW("(null)");
	CHECK(text.bytes < room);
	memcpy(out, text.data, text.bytes);
	out[text.bytes] = '\0';
}
#define COPY(member, view) copy(member, sizeof member, view)

static void on_worker(struct wr_source_call *call, const struct wr_worker_overview *worker)
{
	struct wr_asked *self = wr_container_of(call, struct wr_asked, call);
	struct wr_told_worker *told = &self->workers[self->worker_count];

	CHECK_U64(self->done_count, 0);
	CHECK(self->worker_count < WR_HANDLES_WORKERS_MAX);
	CHECK(is_id(worker->worker_id));
	wr_handles_check_display(self->world, worker->label);
	wr_handles_check_display(self->world, worker->display_hint);
	if (worker->role.data != NULL)
		wr_handles_check_display(self->world, worker->role);
	if (worker->profile.data != NULL)
		wr_handles_check_display(self->world, worker->profile);
	CHECK(is_id(worker->state) && is_id(worker->status));
	check_notices(self->world, &worker->notices);
	memset(told, 0, sizeof *told);
	COPY(told->worker_id, worker->worker_id);
	COPY(told->label, worker->label);
	COPY(told->display_hint, worker->display_hint);
	COPY(told->role, worker->role);
	COPY(told->profile, worker->profile);
	COPY(told->state, worker->state);
	COPY(told->status, worker->status);
	COPY(told->phase, worker->phase);
	told->can = worker->can;
	told->last_event_id = worker->last_event_id;
	told->has_queue = worker->has_queue;
	told->queued_inputs = worker->queued_inputs;
	told->notice_count = worker->notices.count;
	/* A Worker can do nothing that its source cannot do. */
	CHECK((told->can & ~self->world->can) == 0);
	self->worker_count++;
}

static void on_entry(struct wr_source_call *call, const struct wr_transcript_entry *entry)
{
	struct wr_asked *self = wr_container_of(call, struct wr_asked, call);
	struct wr_told_entry *told = &self->entries[self->entry_count];

	CHECK_U64(self->done_count, 0);
	CHECK(self->entry_count < WR_HANDLES_ENTRIES_MAX);
	memset(told, 0, sizeof *told);
	told->sequence = entry->sequence;
	told->event_id = entry->event_id;
	told->bytes = entry->content.bytes;
	COPY(told->role, entry->role);
	wr_sha256_of(told->digest, entry->content);
	self->entry_count++;
}

static void on_bundle(struct wr_source_call *call, const struct wr_bundle_summary *bundle)
{
	struct wr_asked *self = wr_container_of(call, struct wr_asked, call);
	struct wr_told_bundle *told = &self->bundle;

	CHECK_U64(self->done_count, 0);
	wr_handles_check_text(self->world, bundle->revision);
	wr_handles_check_text(self->world, bundle->workspace_id);
	wr_handles_check_text(self->world, bundle->created_at);
	wr_handles_check_text(self->world, bundle->source);
	COPY(told->id, bundle->id);
	COPY(told->digest, bundle->digest);
	COPY(told->revision, bundle->revision);
	COPY(told->source, bundle->source);
	told->profile_count = bundle->profile_count;
	told->declaration_count = bundle->declaration_count;
	self->bundle_count++;
}

static void check_page(const struct wr_asked *self)
{
	const struct wr_source_result *result = &self->result;

	CHECK(self->entry_count <= self->call.as.page.limit);
	CHECK_U64(result->page.start, self->call.as.page.start);
	CHECK(result->page.limit <= self->call.as.page.limit);
	if (result->page.has_next_start) {
		CHECK_U64(result->page.next_start, result->page.start + self->entry_count);
		CHECK(result->page.next_start < result->page.total_items);
	}
	for (unsigned i = 0; i < self->entry_count; i++) {
		CHECK_U64(self->entries[i].sequence, result->page.start + i + 1);
		CHECK(self->entries[i].event_id != 0);
	}
}

/* What belongs to an operation that was done. */
static void check_accepted(const struct wr_asked *self)
{
	const struct wr_source_result *result = &self->result;
	enum wr_source_operation operation = self->call.operation;

	for (uint32_t i = 0; i < result->notices.count; i++)
		CHECK(result->notices.items[i].severity != WR_NOTICE_ERROR);
	switch (operation) {
	case WR_SOURCE_LIST:
		CHECK(self->worker_count <= self->call.as.list.limit);
		break;
	case WR_SOURCE_DETAIL:
		CHECK_U64(self->worker_count, 1);
		CHECK_VIEW(wr_view_of_string(self->workers[0].worker_id), self->call.worker_id);
		break;
	case WR_SOURCE_SPAWN:
		CHECK_U64(self->worker_count, 1);
		CHECK(result->evidence[0].kind != NULL);
		break;
	case WR_SOURCE_INPUT:
		CHECK(result->event_id != 0 && result->transcript_sequence != 0);
		break;
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
		CHECK(result->event_id != 0);
		break;
	case WR_SOURCE_TRANSCRIPT:
		check_page(self);
		break;
	case WR_SOURCE_STORE_BUNDLE:
		CHECK_VIEW(wr_view_of_string(self->bundle.id), self->call.as.bundle.id);
		CHECK_VIEW(wr_view_of_string(self->bundle.digest), self->call.as.bundle.digest);
		break;
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		CHECK_VIEW(wr_view_of_string(self->bundle.id), self->call.as.available.id);
		CHECK_VIEW(wr_view_of_string(self->bundle.digest), self->call.as.available.digest);
		break;
	}
	CHECK_U64(self->bundle_count, operation >= WR_SOURCE_STORE_BUNDLE);
	CHECK(operation <= WR_SOURCE_SPAWN || self->worker_count == 0);
	CHECK(operation == WR_SOURCE_TRANSCRIPT || self->entry_count == 0);
}

/* Contract 8.4, 8.5: whatever was not done says why. */
static void check_outcome(const struct wr_asked *self)
{
	const struct wr_notices *notices = &self->result.notices;
	bool has_error = false;

	for (uint32_t i = 0; i < notices->count; i++)
		has_error |= notices->items[i].severity == WR_NOTICE_ERROR;
	switch (self->result.outcome) {
	case WR_SOURCE_ACCEPTED:
		check_accepted(self);
		break;
	case WR_SOURCE_REJECTED:
	case WR_SOURCE_UNSUPPORTED:
		CHECK(notices->count != 0 && !has_error);
		/* These have no state to tell it by. */
		CHECK(self->call.operation > WR_SOURCE_DETAIL);
		break;
	case WR_SOURCE_UNKNOWN_WORKER:
		CHECK(!has_error && self->call.worker_id.data != NULL);
		break;
	case WR_SOURCE_FAILED:
		CHECK(has_error);
		break;
	}
	for (unsigned i = 0; i < 2 && self->result.evidence[i].kind != NULL; i++) {
		CHECK_U64(self->call.operation, WR_SOURCE_SPAWN);
		CHECK_U64(self->result.outcome, WR_SOURCE_ACCEPTED);
		wr_handles_check_text(self->world,
				      wr_view_of_string(self->result.evidence[i].kind));
		wr_handles_check_text(self->world,
				      wr_view_of_string(self->result.evidence[i].detail));
	}
}

/* What is lent for the call only. */
static void copy_dropped(struct wr_asked *self, const struct wr_source_result *result)
{
	struct wr_view rest = result->dropped;

	CHECK(result->has_dropped || rest.data == NULL);
	self->dropped_count = 0;
	while (wr_sequences_next(&rest, &self->dropped[self->dropped_count]))
		CHECK(++self->dropped_count < WR_HANDLES_ENTRIES_MAX);
	self->result.dropped = WR_VIEW_NULL;
}

static void on_done(struct wr_source_call *call, const struct wr_source_result *result)
{
	struct wr_asked *self = wr_container_of(call, struct wr_asked, call);

	CHECK_U64(self->done_count, 0);
	CHECK(call->source_private == NULL);
	/* One that was cancelled is not told of its end. */
	CHECK_U64(self->done_count, 0);
	self->done_count++;
	self->result = *result;
	copy_dropped(self, result);
	check_notices(self->world, &result->notices);
	check_outcome(self);
	if (self->on_end != NULL)
		self->on_end(self);
}

void wr_handles_begin(struct wr_handles *self, struct wr_asked *asked,
		      const struct wr_source_call *call)
{
	asked->call = *call;
	asked->call.on_worker = on_worker;
	asked->call.on_entry = on_entry;
	asked->call.on_bundle = on_bundle;
	asked->call.on_done = on_done;
	asked->world = self;
	asked->done_count = asked->worker_count = asked->entry_count = asked->bundle_count = 0;
	memset(&asked->result, 0, sizeof asked->result);
	self->handle->ops->begin(self->handle, &asked->call);
}

/* ---- what is not yet there for all ---- */

/* As a browser's answer waits for it: by one that is held. */
static void await_visible(struct wr_handles *self, uint64_t until)
{
	static struct wr_watcher watcher;
	char target[64];

	snprintf(target, sizeof target, "/hold/%llu", (unsigned long long)until);
	wr_watcher_request(self, &watcher, target, "");
	CHECK_U64(watcher.http, 200);
	wr_watcher_close(&watcher);
}

void wr_handles_finish(struct wr_handles *self, struct wr_asked *asked)
{
	wr_handles_wait(self);
	while (asked->done_count == 0)
		wr_handles_turn(self);
	CHECK_U64(asked->done_count, 1);
	if (asked->result.hold_until != 0)
		await_visible(self, asked->result.hold_until);
}

enum wr_source_outcome wr_handles_ask(struct wr_handles *self, struct wr_asked *asked,
				      const struct wr_source_call *call)
{
	wr_handles_begin(self, asked, call);
	wr_handles_finish(self, asked);
	return asked->result.outcome;
}

void wr_handles_worker(struct wr_handles *self, char worker_id[WR_HANDLES_ID_ROOM])
{
	static struct wr_asked asked;
	struct wr_source_call call = {.operation = WR_SOURCE_SPAWN};

	if (!wr_handles_can(self, WR_CAN_SPAWN)) {
		call.operation = WR_SOURCE_LIST;
		call.as.list.limit = 1;
	}
	CHECK_U64(wr_handles_ask(self, &asked, &call), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.worker_count, 1);
	memcpy(worker_id, asked.workers[0].worker_id, WR_HANDLES_ID_ROOM);
}

/* ---- the server ---- */

static void on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_handles *self = context;
	struct wr_view path = exchange->target.path, query = exchange->target.query;
	struct wr_view cursor = WR_VIEW_NULL;

	if (wr_view_starts(path, WR_VIEW("/hold/"))) {
		wr_http_answer_hold(exchange, strtoull(path.data + 6, NULL, 10));
		wr_http_answer(exchange, 200, WR_VIEW("visible"));
		return;
	}
	CHECK(wr_view_starts(path, WR_VIEW("/stream/")));
	CHECK(wr_ws_handshake_check(exchange->head) == WR_WS_HANDSHAKE_OK);
	if (wr_view_starts(query, WR_VIEW("cursor=")))
		cursor = wr_view_skip(query, 7);
	self->handle->ops->observe(self->handle, exchange, wr_view_skip(path, 8), cursor);
}

static void on_request(void *context, struct wr_http_exchange *exchange, struct wr_view body)
{
	(void)context, (void)body;
	wr_http_answer(exchange, 500, WR_VIEW_NULL);
}

static void on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context, (void)exchange;
}

static void on_fault(void *context, struct wr_buf *body, unsigned status,
		     enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context, (void)body, (void)status, (void)kind, (void)fault;
}

static void open_server(struct wr_handles *self)
{
	static struct wr_http_app app = {NULL, on_head, on_request, on_abandon, on_fault};
	struct wr_http_server_config config;
	struct wr_address address;
	struct wr_error error;

	app.context = self;
	wr_http_server_defaults(&config);
	CHECK_STATUS(wr_address_parse(&address, WR_VIEW("127.0.0.1:0")), WR_OK);
	CHECK_STATUS(wr_reactor_init(&self->reactor, wr_test_allocator(), &error), WR_OK);
	self->server = wr_http_server_new(&self->reactor, wr_test_allocator(), &config, &app,
					  &address, &error);
	CHECK(self->server != NULL);
}

/* ---- the sources ---- */

static void open_embedded(struct wr_handles *self)
{
	const struct wr_embedded_config config = {.hosting = &self->hosting,
						  .workspace_id = WR_VIEW(WORKSPACE_ID),
						  .policy = &self->policy};
	char storage[512];
	struct wr_buf message;

	self->hosting = (struct wr_hosting){
		.fs_bytes = 64u << 20,
		.fs_segment_bytes = 5u << 20,
		.children_max = WR_CHILD_COUNT_MAX,
		.workers_max = WR_WORKER_COUNT_MAX,
		.transcript_items_max = WR_TRANSCRIPT_PAGE_ITEMS_MAX,
		.event_batch_items_max = WR_EVENT_BATCH_ITEMS_MAX,
		.worker_retention_events = WR_WORKER_RETENTION_EVENTS,
		.worker_retention_bytes = WR_WORKER_RETENTION_BYTES,
		.retention_events = WR_RETENTION_EVENTS,
		.retention_bytes = WR_RETENTION_BYTES,
		.worker_transcript_bytes = WR_WORKER_TRANSCRIPT_BYTES,
		.transcript_bytes = WR_TRANSCRIPT_BYTES,
	};
	if (self->has_agent) {
		self->hosting.exec = self->agent;
		self->hosting.exec_mode = WR_EXEC_JSONL;
	}
	if (self->source == WR_HANDLES_EMBEDDED_FS) {
		self->hosting.store = WR_STORE_FS;
		self->hosting.fs_root = self->store;
	}
	wr_buf_init_fixed(&message, storage, sizeof storage - 1);
	self->handle =
		wr_embedded_runtime_new(&self->reactor, wr_test_allocator(), &config, &message);
	storage[message.bytes] = '\0';
	if (self->handle == NULL)
		wr_test_fail(__FILE__, __LINE__, storage);
	CHECK_STATUS(wr_embedded_runtime_attach(self->handle, self->server), WR_OK);
}

static bool is_running(const struct wr_handles *self)
{
	struct wr_runtime_overview overview;

	self->handle->ops->overview(self->handle, &overview);
	return wr_view_equal(overview.status, WR_VIEW("running")) && overview.can == self->can;
}

static void open_remote(struct wr_handles *self)
{
	char secret_file[96];
	const char *arguments[13] = {"--runtime-id", "far", "--token-file", secret_file};
	const char **at = &arguments[4];
	struct wr_remote_config config = {
		.runtime_id = WR_VIEW("remote:box"),
		.display_name = WR_VIEW("Build box"),
		.credential = WR_VIEW(SECRET),
		.ms_max = REMOTE_MS,
		.policy = &self->policy,
		.retention = {.stream_events_max = 1024,
			      .stream_bytes_max = 16 << 20,
			      .events_max = 4096,
			      .bytes_max = 64 << 20},
	};

	snprintf(secret_file, sizeof secret_file, "%s/secret", self->root);
	wr_place_write(secret_file, SECRET);
	if (self->has_agent) {
		*at++ = "--exec";
		*at++ = self->agent;
		*at++ = "--exec-mode";
		*at++ = "jsonl";
	}
	if (self->source == WR_HANDLES_REMOTE_FS) {
		*at++ = "--fs-root";
		*at++ = self->store;
		*at++ = "--fs-segment-bytes";
		*at++ = "5M";
	}
	wr_process_start(&self->far, arguments, NULL);
	CHECK_STATUS(wr_address_parse(&config.to.address, wr_view_of_string(self->far.address)),
		     WR_OK);
	config.host = wr_view_of_string(self->far.address);
	CHECK_STATUS(wr_remote_runtime_new(&self->handle, &self->reactor, wr_test_allocator(),
					   self->server, &config),
		     WR_OK);
	wr_handles_wait(self);
	while (!is_running(self))
		wr_handles_turn(self);
}

/* `more` are members behind the name. */
static void add_local(const struct wr_handles *self, const char *name, const char *shown_name,
		      const char *more, const char *workspace)
{
	char path[256], text[512];

	snprintf(path, sizeof path, "%s/pods/%s", self->root, name);
	CHECK(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/pods/%s/metadata.json", self->root, name);
	snprintf(text, sizeof text, "{\"worker_name\":\"%s\",%s\"workspace_root\":\"%s\"}",
		 shown_name, more, workspace);
	wr_place_write(path, text);
}

/* Some whose ids are in another order than their names, and some that cannot be shown. */
static void open_local(struct wr_handles *self)
{
	static const char active[] = "\"active\":{\"session_id\":\"" SESSION
				     "\"},\"resolved_manifest_snapshot\":{\"role\":\"coder\","
				     "\"profile_selector\":\"builtin:coder\"},";
	char workspace[96], path[96];
	struct wr_local_config config = {.workspace_id = WR_VIEW(WORKSPACE_ID)};

	snprintf(workspace, sizeof workspace, "%s/project", self->root);
	snprintf(path, sizeof path, "%s/pods", self->root);
	CHECK(mkdir(path, 0700) == 0);
	add_local(self, "coder", "/a\\\\coder\\n", active, workspace);
	add_local(self, "Scribe", "Scribe", "", workspace);
	add_local(self, "alpha.one", "alpha.one", active, workspace);
	add_local(self, "alpha-one", "alpha-one", "", workspace);
	add_local(self, "Zed", "Zed", "", workspace);
	add_local(self, "elsewhere", "x", "", "/somewhere/else");
	add_local(self, "broken", "x", "{", workspace);
	config.data_folder = wr_view_of_string(self->root);
	config.workspace_root = wr_view_of_string(workspace);
	CHECK_STATUS(wr_local_source_new(&self->handle, wr_test_allocator(), &config), WR_OK);
}

/* ---- life ---- */

static void find_agent(struct wr_handles *self)
{
	const char *program = wr_process_program();

	snprintf(self->agent, sizeof self->agent, "%.*sexamples/agent",
		 (int)(strrchr(program, '/') + 1 - program), program);
	if (self->has_agent && access(self->agent, X_OK) != 0)
		wr_test_skip("the example agent is not built");
}

/* Programs end, and are buried: nobody tells this loop that one has died. */
static void end_programs(struct wr_handles *self)
{
	wr_embedded_runtime_end_programs(self->handle);
	while (!wr_embedded_runtime_is_settled(self->handle)) {
		wr_reactor_turn(&self->reactor, 1);
		wr_embedded_runtime_reap(self->handle);
	}
}

void wr_handles_open(struct wr_handles *self, enum wr_handles_source source)
{
	enum {
		RUNTIME = WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER |
			  WR_CAN_SPAWN | WR_CAN_STOP | WR_CAN_INPUT | WR_CAN_STREAM |
			  WR_CAN_TRANSCRIPT
	};
	bool has_store = source == WR_HANDLES_EMBEDDED_FS || source == WR_HANDLES_REMOTE_FS;

	if (has_store && !WR_FS_STORE)
		wr_test_skip("this build has no fs store");
	self->source = source;
	snprintf(self->root, sizeof self->root, "/tmp/wr-handles-XXXXXX");
	wr_test_make_folder(self->root);
	snprintf(self->store, sizeof self->store, "%s/store", self->root);
	find_agent(self);
	open_server(self);
	switch (source) {
	case WR_HANDLES_EMBEDDED:
	case WR_HANDLES_EMBEDDED_FS:
		self->can = RUNTIME | WR_HAS_INTERNAL_TOOLS;
		open_embedded(self);
		break;
	case WR_HANDLES_REMOTE:
	case WR_HANDLES_REMOTE_FS:
		self->can = RUNTIME;
		open_remote(self);
		break;
	case WR_HANDLES_LOCAL:
		self->can = WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER;
		open_local(self);
		break;
	}
}

void wr_handles_free_handle(struct wr_handles *self)
{
	self->handle->ops->free(self->handle);
	self->handle = NULL;
}

void wr_handles_close(struct wr_handles *self)
{
	struct wr_place place;

	if (self->handle != NULL && self->handle->kind == WR_SOURCE_EMBEDDED) {
		wr_handles_wait(self);
		if (self->has_agent)
			end_programs(self);
		while (!wr_embedded_runtime_is_settled(self->handle))
			wr_handles_turn(self);
	}
	if (self->handle != NULL)
		wr_handles_free_handle(self);
	wr_http_server_free(self->server);
	wr_timer_cancel(&self->reactor, &self->deadline);
	wr_reactor_deinit(&self->reactor);
	if (self->far.is_running)
		CHECK_U64((uint64_t)wr_process_stop(&self->far), 0);
	snprintf(place.root, sizeof place.root, "%s", self->root);
	wr_place_remove(&place);
}

#endif
