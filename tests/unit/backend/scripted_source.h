/*
 * scripted_source — a source that does what a test tells it: its calls end at once, when the test
 * says so, or never; and it counts what it is called for.
 */
#ifndef WR_TESTS_UNIT_BACKEND_SCRIPTED_SOURCE_H
#define WR_TESTS_UNIT_BACKEND_SCRIPTED_SOURCE_H

#include "backend/runtime_handle.h"
#include "check.h"
#include "harness/harness.h"

#include <stdio.h>

enum { SCRIPTED_CALLS_MAX = 320 };

struct scripted {
	struct wr_runtime_handle handle;
	struct wr_runtime_handle_ops ops;
	struct wr_runtime_overview overview;
	bool is_slow; /* calls wait for scripted_end */
	/* what ended calls give */
	struct wr_source_result result;
	unsigned worker_count; /* w-0, w-1, ... */
	size_t label_bytes;    /* of each; 0: as its id */
	unsigned entry_count;
	size_t entry_bytes;
	/* what came */
	struct wr_source_call *calls[SCRIPTED_CALLS_MAX]; /* under way */
	unsigned call_count, begin_count, cancel_count, observe_count, drain_count;
	struct wr_source_call last; /* its views live while the call does */
	char worker_id[128], content[256], key[256], cursor[64];
	/* order of ends, over all of them */
	unsigned freed_as;
};

static unsigned scripted_free_count;

static inline struct scripted *scripted_of(struct wr_runtime_handle *handle)
{
	return wr_container_of(handle, struct scripted, handle);
}

static inline void scripted_overview(struct wr_runtime_handle *handle,
				     struct wr_runtime_overview *out)
{
	*out = scripted_of(handle)->overview;
}

static inline void scripted_give(struct scripted *self, struct wr_source_call *call)
{
	static char text[8 << 20];
	struct wr_worker_overview worker = {.state = WR_VIEW("running"),
					    .status = WR_VIEW("running"),
					    .display_hint = WR_VIEW("scripted")};
	bool is_list = call->operation == WR_SOURCE_LIST;

	CHECK(self->label_bytes <= sizeof text && self->entry_bytes <= sizeof text);
	memset(text, 'x', sizeof text);
	for (unsigned i = 0; i < (is_list ? self->worker_count : self->worker_count != 0); i++) {
		char id[32];

		worker.worker_id = wr_view_of(id, (size_t)snprintf(id, sizeof id, "w-%u", i));
		worker.label = self->label_bytes != 0 ? wr_view_of(text, self->label_bytes)
						      : worker.worker_id;
		if (is_list || call->operation == WR_SOURCE_DETAIL ||
		    call->operation == WR_SOURCE_SPAWN)
			call->on_worker(call, &worker);
	}
	if (self->worker_count != 0 && (call->operation == WR_SOURCE_STORE_BUNDLE ||
					call->operation == WR_SOURCE_BUNDLE_AVAILABILITY)) {
		const struct wr_bundle_summary bundle = {.id = WR_VIEW("b"),
							 .digest = WR_VIEW("d"),
							 .revision = WR_VIEW("r"),
							 .workspace_id = WR_VIEW("w"),
							 .created_at = WR_VIEW("c"),
							 .source = WR_VIEW("s")};
		call->on_bundle(call, &bundle);
	}
	for (unsigned i = 0; call->operation == WR_SOURCE_TRANSCRIPT && i < self->entry_count;
	     i++) {
		struct wr_transcript_entry entry = {i + 1, i + 3, WR_VIEW("user"),
						    wr_view_of(text, self->entry_bytes)};

		call->on_entry(call, &entry);
	}
}

static inline void scripted_done(struct scripted *self, struct wr_source_call *call)
{
	struct wr_source_result result = self->result;

	call->source_private = NULL;
	scripted_give(self, call);
	call->on_done(call, &result);
}

static inline void scripted_copy(char *out, size_t room, struct wr_view text)
{
	CHECK(text.bytes < room);
	if (text.bytes != 0)
		memcpy(out, text.data, text.bytes);
	out[text.bytes] = '\0';
}

static inline void scripted_begin(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	struct scripted *self = scripted_of(handle);

	CHECK(call->source_private == NULL);
	self->begin_count++;
	self->last = *call;
	scripted_copy(self->worker_id, sizeof self->worker_id, call->worker_id);
	scripted_copy(self->key, sizeof self->key, call->idempotency_key);
	if (call->operation == WR_SOURCE_INPUT && call->as.input.content.bytes < 256)
		scripted_copy(self->content, sizeof self->content, call->as.input.content);
	if (!self->is_slow) {
		scripted_done(self, call);
		return;
	}
	CHECK(self->call_count < SCRIPTED_CALLS_MAX);
	call->source_private = self;
	self->calls[self->call_count++] = call;
}

/* Ends the oldest call that is under way. */
static inline void scripted_end(struct scripted *self)
{
	struct wr_source_call *call = self->calls[0];

	CHECK(self->call_count > 0);
	self->call_count--;
	memmove(self->calls, self->calls + 1, self->call_count * sizeof(struct wr_source_call *));
	scripted_done(self, call);
}

static inline void scripted_cancel(struct wr_runtime_handle *handle, struct wr_source_call *call)
{
	struct scripted *self = scripted_of(handle);
	unsigned i = 0;

	while (i < self->call_count && self->calls[i] != call)
		i++;
	CHECK(i < self->call_count);
	for (self->call_count--; i < self->call_count; i++)
		self->calls[i] = self->calls[i + 1];
	call->source_private = NULL;
	self->cancel_count++;
}

/* No upgrade: an answer that says that it got here. */
static inline void scripted_observe(struct wr_runtime_handle *handle,
				    struct wr_http_exchange *exchange, struct wr_view worker_id,
				    struct wr_view cursor)
{
	struct scripted *self = scripted_of(handle);

	self->observe_count++;
	scripted_copy(self->worker_id, sizeof self->worker_id, worker_id);
	scripted_copy(self->cursor, sizeof self->cursor,
		      cursor.data == NULL ? WR_VIEW("-") : cursor);
	wr_http_answer(exchange, 299, WR_VIEW("{}"));
}

static inline uint32_t scripted_stream_count(const struct wr_runtime_handle *handle)
{
	(void)handle;
	return 3;
}

static inline void scripted_drain(struct wr_runtime_handle *handle)
{
	scripted_of(handle)->drain_count++;
}

/* Whoever had calls was to be told first. */
static inline void scripted_free(struct wr_runtime_handle *handle)
{
	struct scripted *self = scripted_of(handle);

	CHECK_U64(self->call_count, 0);
	self->freed_as = ++scripted_free_count;
}

/* A source whose calls are accepted at once. The host's id is `host-` and the id. */
static inline void scripted_init(struct scripted *self, enum wr_source_kind kind, const char *id)
{
	static char hosts[128][128];
	static unsigned host_count;
	char *host = hosts[host_count++];

	CHECK(host_count <= WR_COUNT(hosts));
	snprintf(host, sizeof hosts[0], "host-%s", id);
	*self = (struct scripted){
		.ops = {scripted_overview, scripted_begin, scripted_cancel, scripted_observe,
			scripted_stream_count, scripted_drain, scripted_free},
		.handle = {NULL, wr_view_of_string(id), kind},
		.overview = {.runtime_id = wr_view_of_string(id),
			     .kind = kind,
			     .label = WR_VIEW("a label"),
			     .status = WR_VIEW("running"),
			     .host_id = wr_view_of_string(host),
			     .host_label = WR_VIEW("a host"),
			     .host_status = WR_VIEW("available"),
			     .local_pod_inspection = WR_VIEW("not_applicable"),
			     .os = WR_VIEW("linux"),
			     .arch = WR_VIEW("x86_64")},
		.result = {.outcome = WR_SOURCE_ACCEPTED},
		.worker_count = 1,
	};
	self->handle.ops = &self->ops;
}

static inline void scripted_outcome(struct scripted *self, enum wr_source_outcome outcome,
				    const char *code, enum wr_notice_severity severity)
{
	self->result.outcome = outcome;
	self->result.notices.count = 0;
	if (code != NULL)
		wr_notices_add(&self->result.notices, code, severity, "a notice");
}

#endif
