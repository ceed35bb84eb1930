/*
 * remote_asked — calls to the handle of remote_runtime_rig.h, and answers for its peer. What is
 * told is kept as text; every notice passes one gate that knows what must never be in it
 * (contract 8.13).
 */
#ifndef WR_TESTS_BACKEND_REMOTE_ASKED_H
#define WR_TESTS_BACKEND_REMOTE_ASKED_H

#include "unit/backend/remote_runtime_rig.h"

/* ---- calls ---- */

struct asked {
	struct wr_source_call call;
	unsigned done_count;
	struct wr_source_result result;
	char told[65536]; /* a line for each Worker or entry */
	size_t told_bytes;
	unsigned told_count;
	unsigned cancel_at; /* cancels from within, when so many were told; 0: never */
};

static const char *const forbidden[] = {
	PEER_SECRET, PEER_MARK, "127.0.0.1", "remote.example", "/base",	   "metadata.json",
	"socket ",   "session", "token",     "credential",     "provider", "/var/",
	"Bearer",    "re_",	"wo_",
};

static inline void check_harmless(const char *text)
{
	for (unsigned i = 0; i < WR_COUNT(forbidden); i++)
		CHECK(strstr(text, forbidden[i]) == NULL);
}

static inline void check_notices(const struct wr_notices *notices)
{
	CHECK(notices->count <= WR_NOTICE_COUNT_MAX);
	for (uint32_t i = 0; i < notices->count; i++) {
		check_harmless(notices->items[i].code);
		check_harmless(notices->items[i].message);
	}
}

/* A line of `bytes` bytes was written at the end of what is told. */
static inline void tell(struct asked *self, int bytes)
{
	CHECK(bytes > 0 && (size_t)bytes < sizeof self->told - self->told_bytes);
	self->told_bytes += (size_t)bytes;
	self->told_count++;
	if (self->told_count == self->cancel_at)
		handle->ops->cancel(handle, &self->call);
}

static inline struct wr_view or_dash(struct wr_view text)
{
	return text.data != NULL ? text : WR_VIEW("-");
}

#define TEXT(view) (int)(view).bytes, (view).data

static inline void on_worker(struct wr_source_call *call, const struct wr_worker_overview *worker)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	CHECK(self->cancel_at == 0 || self->told_count < self->cancel_at);
	CHECK(wr_view_equal(worker->worker_id, worker->label));
	CHECK(wr_view_equal(worker->state, worker->status));
	CHECK_STRING(worker->display_hint, "remote worker");
	CHECK_U64(worker->notices.count, 1);
	CHECK(strcmp(worker->notices.items[0].code, "remote_runtime_projection") == 0);
	check_notices(&worker->notices);
	tell(self,
	     snprintf(self->told + self->told_bytes, sizeof self->told - self->told_bytes,
		      "%.*s role=%.*s profile=%.*s %.*s/%.*s can=%u last=%u\n",
		      TEXT(worker->worker_id), TEXT(or_dash(worker->role)),
		      TEXT(or_dash(worker->profile)), TEXT(worker->status),
		      TEXT(or_dash(worker->phase)), worker->can, (unsigned)worker->last_event_id));
}

static inline void on_entry(struct wr_source_call *call, const struct wr_transcript_entry *entry)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	CHECK(self->cancel_at == 0 || self->told_count < self->cancel_at);
	tell(self, snprintf(self->told + self->told_bytes, sizeof self->told - self->told_bytes,
			    "%.*s: %.*s (%u, %u)\n", TEXT(entry->role), TEXT(entry->content),
			    (unsigned)entry->sequence, (unsigned)entry->event_id));
}

static inline void on_bundle(struct wr_source_call *call, const struct wr_bundle_summary *bundle)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	CHECK(self->cancel_at == 0 || self->told_count < self->cancel_at);
	CHECK_U64(bundle->digest.bytes, WR_CONFIG_DIGEST_BYTES);
	tell(self,
	     snprintf(self->told + self->told_bytes, sizeof self->told - self->told_bytes,
		      "%.*s %.*s %.*s %.*s %.*s %.*s (%u, %u)\n", TEXT(bundle->id),
		      TEXT(bundle->revision), TEXT(bundle->workspace_id), TEXT(bundle->created_at),
		      TEXT(bundle->source), TEXT(or_dash(bundle->detail)),
		      (unsigned)bundle->profile_count, (unsigned)bundle->declaration_count));
}

static inline void on_done(struct wr_source_call *call, const struct wr_source_result *result)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	CHECK(call->source_private == NULL);
	check_notices(&result->notices);
	for (unsigned i = 0; i < 2; i++)
		if (result->evidence[i].kind != NULL) {
			check_harmless(result->evidence[i].kind);
			check_harmless(result->evidence[i].detail);
		}
	self->done_count++;
	self->result = *result;
}

static inline void forget(struct asked *self)
{
	self->told_bytes = 0;
	self->told[0] = '\0';
	self->told_count = 0;
	self->done_count = 0;
}

#define AVAILABILITY(id, digest, revision, profiles)                                             \
	"{\"reference\":{\"id\":\"" id "\",\"digest\":\"" digest "\"},\"summary\":{\"id\":\"" id \
	"\",\"digest\":\"" digest "\",\"digest_algorithm\":\"sha256\",\"revision\":\"" revision  \
	"\",\"workspace_id\":\"w\",\"created_at\":\"c\",\"provenance\":{\"source\":\"s\"},"      \
	"\"profile_count\":" profiles ",\"declaration_count\":2}}"
#define ASKED_DIGEST "7197561351779ab6535109f9589a77ffaa14c6f829b195591051d954f3062d6d"

/* A call with what each operation needs; `self` keeps what else was set. */
static inline void prepare(struct asked *self, enum wr_source_operation operation)
{
	*self = (struct asked){.call = {.operation = operation,
					.worker_id = WR_VIEW("worker-1"),
					.on_worker = on_worker,
					.on_entry = on_entry,
					.on_bundle = on_bundle,
					.on_done = on_done}};
	switch (operation) {
	case WR_SOURCE_LIST:
		self->call.as.list.limit = 200;
		self->call.as.list.ms_max = (uint32_t)wr_test_patience(4000);
		break;
	case WR_SOURCE_SPAWN:
		self->call.as.spawn = (struct wr_spawn_request){
			.intent = WR_SPAWN_TICKET_ROLE,
			.ticket_id = WR_VIEW("00001M0AB3CDE"),
			.role = WR_VIEW("coder"),
		};
		break;
	case WR_SOURCE_INPUT:
		self->call.as.input.content = WR_VIEW("hello");
		break;
	case WR_SOURCE_TRANSCRIPT:
		self->call.as.page.limit = 2;
		break;
	case WR_SOURCE_STORE_BUNDLE:
		self->call.as.bundle = (struct wr_config_bundle){
			.id = WR_VIEW("bundle-a"),
			.digest = WR_VIEW(ASKED_DIGEST),
			.revision = WR_VIEW("r1"),
			.workspace_id = WR_VIEW("ws-1"),
			.created_at = WR_VIEW("2026-06-26T00:00:00Z"),
			.source = WR_VIEW("backend"),
		};
		break;
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		self->call.as.available.id = WR_VIEW("bundle-a");
		self->call.as.available.digest = WR_VIEW(ASKED_DIGEST);
		break;
	case WR_SOURCE_DETAIL:
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
		break;
	}
}

static inline void begin(struct asked *self)
{
	forget(self);
	handle->ops->begin(handle, &self->call);
}

static inline void finish(struct asked *self)
{
	while (self->done_count == 0)
		rig_turn();
	CHECK_U64(self->done_count, 1);
}

static inline void ask(struct asked *self, enum wr_source_operation operation)
{
	prepare(self, operation);
	begin(self);
	finish(self);
}

static inline void check_first(const struct asked *self, enum wr_source_outcome outcome,
			       const char *code, enum wr_notice_severity severity)
{
	CHECK_U64(self->result.outcome, outcome);
	CHECK(self->result.notices.count >= 1);
	CHECK_STRING(wr_view_of_string(self->result.notices.items[0].code), code);
	CHECK_U64(self->result.notices.items[0].severity, severity);
}

static inline bool has_notice(const struct wr_notices *notices, const char *code)
{
	for (uint32_t i = 0; i < notices->count; i++)
		if (strcmp(notices->items[i].code, code) == 0)
			return true;
	return false;
}

/* The key of the last request. */
static inline struct wr_view sent_key(void)
{
	const char *key = strstr(peer.last_request, "\r\nIdempotency-Key: ");

	CHECK(key != NULL);
	key += 19;
	return wr_view_of(key, strcspn(key, "\r"));
}

/* ---- good answers ---- */

#define REF(id) "\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"" id "\"}"
#define WORKER(id, intent, profile, more)                                                       \
	"{" REF(id) ",\"runtime_id\":\"rt-a\",\"worker_id\":\"" id "\",\"status\":\"running\"," \
		    "\"intent\":{\"kind\":" intent "},\"profile\":{\"kind\":" profile "},"      \
		    "\"requested_capability_count\":0,\"has_config_bundle\":false,"             \
		    "\"transcript_len\":2,\"last_event_id\":5" more "}"
#define CODER(id) WORKER(id, "\"role\",\"role\":\"coder\"", "\"runtime_default\"", "")
#define ACK(status, more) "{\"ack\":{" REF("worker-1") ",\"status\":\"" status "\"" more "}}"
#define ITEM(sequence, content)                                                                   \
	"{\"sequence\":" sequence "," REF("worker-1") ",\"role\":\"user\",\"content\":\"" content \
						      "\",\"event_id\":9}"
#define PAGE(start, items, next)                                                  \
	"{\"transcript\":{" REF("worker-1") ",\"start\":" start ",\"limit\":2,"   \
					    "\"total_items\":5,\"items\":[" items \
					    "],\"next_start\":" next "}}"

/* can: input 32, stop 16, stream 64, transcript 128. */
static const struct {
	const char *label;
	enum wr_source_operation operation;
	const char *body, *told;
	const char *code, *message; /* of the only notice; NULL: none */
	uint64_t event_id, sequence;
} good[] = {
	{"an empty list", WR_SOURCE_LIST, "{\"workers\":[]}", "", NULL, NULL, 0, 0},
	{"a list", WR_SOURCE_LIST,
	 "{\"workers\":[" CODER("b") "," WORKER(
		 "a", "\"task\",\"objective\":\"port /etc\\\\ \\u0007it\"",
		 "\"named\",\"value\":\"x/y\"", ",\"phase\":\"busy\"") "],\"next_after\":null}",
	 "a role=port etc it profile=xy running/busy can=208 last=5\n"
	 "b role=coder profile=runtime_default running/- can=240 last=5\n",
	 NULL, NULL, 0, 0},
	{"a detail", WR_SOURCE_DETAIL,
	 "{\"worker\":" WORKER("worker-1", "\"assistant\"",
			       "\"builtin\",\"value\":\"builtin:coder\"",
			       ",\"phase\":\"idle\"") "}",
	 "worker-1 role=assistant profile=builtin:coder running/idle can=240 last=5\n", NULL, NULL,
	 0, 0},
	{"a purpose, and a phase of the future", WR_SOURCE_DETAIL,
	 "{\"worker\":" WORKER("worker-1", "\"assistant\",\"purpose\":\"help\"",
			       "\"runtime_default\"", ",\"phase\":\"dreaming\"") "}",
	 "worker-1 role=help profile=runtime_default running/- can=240 last=5\n", NULL, NULL, 0, 0},
	{"a stopped Worker", WR_SOURCE_DETAIL,
	 "{\"worker\":{" REF(
		 "worker-1") ",\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-1\","
			     "\"status\":\"stopped\",\"intent\":{\"kind\":\"role\",\"role\":\"/\"},"
			     "\"profile\":{\"kind\":\"runtime_default\"},\"transcript_len\":0,"
			     "\"last_event_id\":7}}",
	 "worker-1 role=- profile=runtime_default stopped/- can=192 last=7\n", NULL, NULL, 0, 0},
	{"a spawn", WR_SOURCE_SPAWN, "{\"worker\":" CODER("worker-2") "}",
	 "worker-2 role=coder profile=runtime_default running/- can=240 last=5\n",
	 "remote_runtime_backend_proxy", NULL, 0, 0},
	{"an input", WR_SOURCE_INPUT,
	 ACK("running", ",\"transcript_sequence\":3,\"event_id\":9,\"cursor\":\"wo_x\""), "", NULL,
	 NULL, 9, 3},
	{"a stop", WR_SOURCE_STOP, ACK("stopped", ",\"event_id\":8"), "",
	 "remote_runtime_lifecycle_accepted", "the Worker is stopped", 8, 0},
	{"a stop of a cancelled one", WR_SOURCE_STOP, ACK("cancelled", ",\"event_id\":8"), "",
	 "remote_runtime_lifecycle_accepted", "the Worker is cancelled", 8, 0},
	{"a cancel", WR_SOURCE_CANCEL, ACK("cancelled", ",\"event_id\":8"), "",
	 "remote_runtime_lifecycle_accepted", "the Worker is cancelled", 8, 0},
	{"an interrupt", WR_SOURCE_INTERRUPT, ACK("running", ",\"event_id\":8"), "",
	 "remote_runtime_lifecycle_accepted", "the Worker is running", 8, 0},
	{"a transcript", WR_SOURCE_TRANSCRIPT,
	 PAGE("0", ITEM("1", "a\\nb") "," ITEM("2", "c"), "2"),
	 "user: a\nb (1, 9)\nuser: c (2, 9)\n", NULL, NULL, 0, 0},
	{"a stored bundle: our own words of it", WR_SOURCE_STORE_BUNDLE,
	 "{\"availability\":" AVAILABILITY("bundle-a", ASKED_DIGEST, "r9", "9") "}",
	 "bundle-a r1 ws-1 2026-06-26T00:00:00Z backend - (0, 0)\n", NULL, NULL, 0, 0},
	{"an available bundle", WR_SOURCE_BUNDLE_AVAILABILITY,
	 "{\"availability\":" AVAILABILITY("bundle-a", ASKED_DIGEST, "r9", "9") "}",
	 "bundle-a r9 w c s - (9, 2)\n", NULL, NULL, 0, 0},
	{"an empty transcript", WR_SOURCE_TRANSCRIPT, PAGE("0", "", "null"), "", NULL, NULL, 0, 0},
};

static inline void check_good(const struct asked *asked, unsigned i)
{
	const struct wr_source_result *result = &asked->result;

	CHECK_U64(result->outcome, WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_view_of(asked->told, asked->told_bytes), good[i].told);
	CHECK_U64(result->notices.count, good[i].code != NULL);
	if (good[i].code != NULL) {
		CHECK_STRING(wr_view_of_string(result->notices.items[0].code), good[i].code);
		CHECK_U64(result->notices.items[0].severity, WR_NOTICE_INFO);
	}
	if (good[i].message != NULL)
		CHECK_STRING(wr_view_of_string(result->notices.items[0].message), good[i].message);
	CHECK_U64(result->event_id, good[i].event_id);
	CHECK_U64(result->transcript_sequence, good[i].sequence);
	CHECK_U64(result->hold_until, 0);
	CHECK((result->evidence[0].kind != NULL) == (good[i].operation == WR_SOURCE_SPAWN));
}

#endif
