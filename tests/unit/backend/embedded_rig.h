/*
 * embedded_rig — an embedded Runtime behind a real reactor and a real listener, and its clients, in
 * one process and one thread.
 *
 * What a call answers is copied into `got`, and every text that the handle tells passes the words
 * that may never be told (contract 8.13). Of the listener: GET /ID?cursor=C is the stream of a
 * Worker, GET /hold/ID sends it an input and answers when that may be told.
 */
#ifndef WR_TESTS_BACKEND_EMBEDDED_RIG_H
#define WR_TESTS_BACKEND_EMBEDDED_RIG_H

#include "backend/embedded_calls.h"
#include "backend/embedded_runtime.h"
#include "bounds.h"
#include "check.h"
#include "codec/ws/frame.h"
#include "codec/ws/handshake.h"
#include "harness/harness.h"
#include "io/reactor/signal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RIG_WORKSPACE "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01"

static struct rig {
	struct wr_reactor reactor;
	struct wr_http_server *server;
	struct wr_hosting hosting;
	struct wr_policy policy;
	struct wr_runtime_handle *handle;
	struct wr_embedded_calls *calls; /* of a test without a handle */
	char folder[64];		 /* of the store; empty: there is none */
	void (*on_held)(void);		 /* NULL, or called when a held input was accepted */
	unsigned failed_count;
	bool has_signals;
} rig;

/* ---- words ---- */

static inline void check_text(const char *text)
{
	static const char *const words[] = {"metadata.json", "socket",	 "session", "token",
					    "credential",    "provider", "/tmp",    "bearer"};

	for (unsigned i = 0; i < WR_COUNT(words); i++)
		if (strcasestr(text, words[i]) != NULL &&
		    strcmp(text, "embedded_runtime_no_socket") != 0)
			wr_test_fail(__FILE__, __LINE__, text);
	CHECK(rig.folder[0] == '\0' || strstr(text, rig.folder) == NULL);
}

static inline void check_notices(const struct wr_notices *notices)
{
	CHECK(notices->count <= WR_NOTICE_COUNT_MAX);
	for (uint32_t i = 0; i < notices->count; i++) {
		check_text(notices->items[i].code);
		check_text(notices->items[i].message);
		CHECK(notices->items[i].message[0] != '\0');
	}
}

static inline bool has_notice(const struct wr_notices *notices, const char *code,
			      enum wr_notice_severity severity)
{
	for (uint32_t i = 0; i < notices->count; i++)
		if (strcmp(notices->items[i].code, code) == 0)
			return notices->items[i].severity == severity;
	return false;
}

/* ---- turns ---- */

/* A turn that waits a little when there is nothing to do: for programs and disks. */
static inline void rig_wait(void)
{
	wr_reactor_turn(&rig.reactor, 10);
}

/* Turns until all that was decided is visible. */
static inline void rig_settle(void)
{
	while (!wr_embedded_runtime_is_settled(rig.handle))
		rig_wait();
}

/* ---- calls ---- */

enum { GOT_MAX = 200, GOT_TEXT = 400 };

struct got_worker {
	char worker_id[GOT_TEXT], label[GOT_TEXT], role[GOT_TEXT], profile[GOT_TEXT];
	char state[32], status[32], phase[32];
	bool has_role, has_profile;
	unsigned can;
	uint64_t last_event_id;
	struct wr_notices notices;
};

struct got_entry {
	uint64_t sequence, event_id;
	char role[32], content[GOT_TEXT]; /* the front of it */
	size_t content_bytes;
};

static struct {
	unsigned done_count, worker_count, entry_count;
	struct wr_source_result result;
	struct got_worker workers[GOT_MAX];
	struct got_entry entries[GOT_MAX];
} got;

static inline void copy(char *out, size_t room, struct wr_view text)
{
	size_t bytes = text.bytes < room ? text.bytes : room - 1;

	if (bytes != 0)
		memcpy(out, text.data, bytes);
	out[bytes] = '\0';
}
#define COPY(member, view) copy(member, sizeof member, view)

static inline void on_worker(struct wr_source_call *call, const struct wr_worker_overview *worker)
{
	struct got_worker *to = &got.workers[got.worker_count++];

	(void)call;
	CHECK(got.worker_count <= GOT_MAX && got.done_count == 0);
	COPY(to->worker_id, worker->worker_id);
	COPY(to->label, worker->label);
	COPY(to->role, worker->role);
	COPY(to->profile, worker->profile);
	COPY(to->state, worker->state);
	COPY(to->status, worker->status);
	COPY(to->phase, worker->phase);
	to->has_role = worker->role.data != NULL;
	to->has_profile = worker->profile.data != NULL;
	to->can = worker->can;
	to->last_event_id = worker->last_event_id;
	to->notices = worker->notices;
	check_notices(&worker->notices);
	check_text(to->label);
	check_text(to->status);
	CHECK_STRING(worker->display_hint, "embedded worker");
	CHECK(has_notice(&worker->notices, "embedded_runtime_projection", WR_NOTICE_INFO));
}

static inline void on_entry(struct wr_source_call *call, const struct wr_transcript_entry *entry)
{
	struct got_entry *to = &got.entries[got.entry_count++];

	(void)call;
	CHECK(got.entry_count <= GOT_MAX && got.done_count == 0);
	to->sequence = entry->sequence;
	to->event_id = entry->event_id;
	to->content_bytes = entry->content.bytes;
	COPY(to->role, entry->role);
	COPY(to->content, entry->content);
}

static inline void on_done(struct wr_source_call *call, const struct wr_source_result *result)
{
	(void)call;
	got.done_count++;
	got.result = *result;
	check_notices(&result->notices);
	for (unsigned i = 0; i < 2 && result->evidence[i].kind != NULL; i++) {
		check_text(result->evidence[i].kind);
		check_text(result->evidence[i].detail);
	}
	/* What is told without a notice needs none. */
	CHECK(result->outcome == WR_SOURCE_ACCEPTED ||
	      result->outcome == WR_SOURCE_UNKNOWN_WORKER || result->notices.count > 0);
	CHECK((result->outcome == WR_SOURCE_FAILED) ==
	      (result->outcome != WR_SOURCE_ACCEPTED && result->notices.count > 0 &&
	       result->notices.items[0].severity == WR_NOTICE_ERROR));
}

/* Does the call, which must be over when begin returns. */
static inline enum wr_source_outcome rig_call(struct wr_source_call *call)
{
	memset(&got, 0, sizeof got);
	call->on_worker = on_worker;
	call->on_entry = on_entry;
	call->on_done = on_done;
	if (rig.calls != NULL)
		wr_embedded_call(rig.calls, call);
	else
		rig.handle->ops->begin(rig.handle, call);
	CHECK_U64(got.done_count, 1);
	if (rig.handle != NULL)
		rig.handle->ops->cancel(rig.handle, call);
	CHECK_U64(got.done_count, 1);
	return got.result.outcome;
}

static inline enum wr_source_outcome rig_ask(enum wr_source_operation operation, const char *id)
{
	struct wr_source_call call = {.operation = operation, .worker_id = wr_view_of_string(id)};

	return rig_call(&call);
}

static inline enum wr_source_outcome rig_list(uint32_t limit)
{
	struct wr_source_call call = {.operation = WR_SOURCE_LIST};

	call.as.list.limit = limit;
	return rig_call(&call);
}

static inline enum wr_source_outcome rig_input_with_key(const char *id, struct wr_view content,
							const char *key)
{
	struct wr_source_call call = {.operation = WR_SOURCE_INPUT,
				      .worker_id = wr_view_of_string(id),
				      .idempotency_key = wr_view_of_string(key)};

	call.as.input.content = content;
	return rig_call(&call);
}

static inline enum wr_source_outcome rig_input(const char *id, const char *content)
{
	return rig_input_with_key(id, wr_view_of_string(content), NULL);
}

static inline enum wr_source_outcome rig_page(const char *id, uint64_t start, uint32_t limit)
{
	struct wr_source_call call = {.operation = WR_SOURCE_TRANSCRIPT,
				      .worker_id = wr_view_of_string(id)};

	call.as.page.start = start;
	call.as.page.limit = limit;
	return rig_call(&call);
}

static inline enum wr_source_outcome rig_spawn(const struct wr_spawn_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_SPAWN};

	call.as.spawn = *request;
	return rig_call(&call);
}

/* A Worker, number `number` of this Runtime, which is there for all when this returns. */
static inline void rig_create(unsigned number)
{
	const struct wr_spawn_request request = {.intent = WR_SPAWN_COMPANION};
	char id[32];

	snprintf(id, sizeof id, "worker-%08x", number);
	CHECK_U64(rig_spawn(&request), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.worker_count, 1);
	CHECK_STRING(wr_view_of_string(got.workers[0].worker_id), id);
	rig_settle();
}

/* The refusal of the last call is this one, and nothing else was said. */
static inline void check_refused(enum wr_source_outcome outcome, const char *code)
{
	CHECK_U64(got.result.outcome, outcome);
	CHECK_U64(got.result.notices.count, 1);
	CHECK_STRING(wr_view_of_string(got.result.notices.items[0].code), code);
	CHECK_U64(got.worker_count + got.entry_count, 0);
}

/* ---- the app ---- */

static inline void answer_held_input(struct wr_http_exchange *exchange, struct wr_view id)
{
	char name[64], text[32];

	COPY(name, id);
	CHECK_U64(rig_input(name, "held"), WR_SOURCE_ACCEPTED);
	if (rig.on_held != NULL)
		rig.on_held();
	snprintf(text, sizeof text, "event %u", (unsigned)got.result.event_id);
	if (got.result.hold_until != 0)
		wr_http_answer_hold(exchange, got.result.hold_until);
	wr_http_answer(exchange, 200, wr_view_of_string(text));
}

static inline void rig_on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_view query = exchange->target.query, cursor = WR_VIEW_NULL;
	struct wr_view id = wr_view_skip(exchange->target.path, 1);

	(void)context;
	if (wr_view_starts(id, WR_VIEW("hold/"))) {
		answer_held_input(exchange, wr_view_skip(id, 5));
		return;
	}
	CHECK(wr_ws_handshake_check(exchange->head) == WR_WS_HANDSHAKE_OK);
	if (wr_view_starts(query, WR_VIEW("cursor=")))
		cursor = wr_view_skip(query, 7);
	rig.handle->ops->observe(rig.handle, exchange, id, cursor);
}

static inline void rig_on_request(void *context, struct wr_http_exchange *exchange,
				  struct wr_view body)
{
	(void)context, (void)body;
	wr_http_answer(exchange, 500, WR_VIEW_NULL);
}

static inline void rig_on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context, (void)exchange;
}

static inline void rig_on_fault(void *context, struct wr_buf *body, unsigned status,
				enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context, (void)body, (void)status, (void)kind, (void)fault;
}

static inline void rig_on_failed(void *context)
{
	CHECK(context == &rig);
	rig.failed_count++;
}

static inline void rig_on_signal(void *context, int number)
{
	(void)context;
	CHECK(number == SIGCHLD);
	wr_embedded_runtime_reap(rig.handle);
}

/* ---- life ---- */

/* Memory only, and nothing runs the Workers; may be changed before rig_open. */
static inline void rig_prepare(void)
{
	rig.hosting = (struct wr_hosting){
		.fs_bytes = 20u << 20,
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
}

/* With a store in a folder of its own. */
static inline void rig_use_store(void)
{
	if (!WR_FS_STORE)
		wr_test_skip("this build has no fs store");
	snprintf(rig.folder, sizeof rig.folder, "/tmp/wr-embedded-XXXXXX");
	wr_test_make_folder(rig.folder);
	rig.hosting.store = WR_STORE_FS;
	rig.hosting.fs_root = rig.folder;
}

static inline void rig_remove_folder(void)
{
	DIR *folder = opendir(rig.folder);
	const struct dirent *entry;
	char path[400];

	CHECK(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", rig.folder, entry->d_name);
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
			CHECK(unlink(path) == 0);
	}
	closedir(folder);
	CHECK(rmdir(rig.folder) == 0);
	rig.folder[0] = '\0';
}

/* The Runtime alone, over the same store as before; NULL with a message. */
static inline struct wr_runtime_handle *rig_make(char message[GOT_TEXT])
{
	const struct wr_embedded_config config = {
		.hosting = &rig.hosting,
		.workspace_id = WR_VIEW(RIG_WORKSPACE),
		.policy = &rig.policy,
		.on_failed = rig_on_failed,
		.context = &rig,
	};
	struct wr_runtime_handle *handle;
	struct wr_buf text;

	wr_buf_init_fixed(&text, message, GOT_TEXT - 1);
	handle = wr_embedded_runtime_new(&rig.reactor, wr_test_allocator(), &config, &text);
	message[text.bytes] = '\0';
	CHECK((handle == NULL) == (text.bytes != 0));
	return handle;
}

static inline void rig_start(void)
{
	char message[GOT_TEXT];

	rig.handle = rig_make(message);
	if (rig.handle == NULL)
		wr_test_fail(__FILE__, __LINE__, message);
	CHECK_STATUS(wr_embedded_runtime_attach(rig.handle, rig.server), WR_OK);
}

static inline void rig_stop(void)
{
	rig.handle->ops->free(rig.handle);
	rig.handle = NULL;
}

static inline void rig_open_loop(void)
{
	static const struct wr_http_app app = {NULL, rig_on_head, rig_on_request, rig_on_abandon,
					       rig_on_fault};
	static const int numbers[] = {SIGCHLD, 0};
	struct wr_http_server_config config;
	struct wr_address address;
	struct wr_error error;

	wr_http_server_defaults(&config);
	CHECK_STATUS(wr_address_parse(&address, WR_VIEW("127.0.0.1:0")), WR_OK);
	CHECK_STATUS(wr_reactor_init(&rig.reactor, wr_test_allocator(), &error), WR_OK);
	if (rig.hosting.exec != NULL) {
		CHECK_STATUS(wr_signals_open(&rig.reactor, numbers, rig_on_signal, NULL, &error),
			     WR_OK);
		rig.has_signals = true;
	}
	rig.server = wr_http_server_new(&rig.reactor, wr_test_allocator(), &config, &app, &address,
					&error);
	CHECK(rig.server != NULL);
}

static inline void rig_close_loop(void)
{
	wr_http_server_free(rig.server);
	if (rig.has_signals)
		wr_signals_close();
	wr_reactor_deinit(&rig.reactor);
}

static inline void rig_open(void)
{
	rig_open_loop();
	rig_start();
}

static inline void rig_close(void)
{
	rig_stop();
	rig_close_loop();
	if (rig.folder[0] != '\0')
		rig_remove_folder();
}

#endif
