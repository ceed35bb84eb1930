/*
 * fixture — a Runtime on scripted ports, and everything that can be seen of it as one text.
 *
 * The clock moves by one with every reading, entropy comes from a seed, the store keeps copies in
 * memory and can be told to fail. Two Runtimes are the same when their dumps are.
 */
#ifndef WR_TESTS_CORE_FIXTURE_H
#define WR_TESTS_CORE_FIXTURE_H

#include "core/runtime.h"
#include "harness/harness.h"

#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a store that remembers ---- */

struct kept_record {
	uint64_t sequence;
	uint32_t worker;
	struct wr_view payload;
};

struct kept_store {
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation;
	uint64_t ends[8];      /* by generation */
	uint64_t append_count; /* calls so far */
	uint64_t fail_at;      /* the call that fails with `failure`, 0: none */
	enum wr_status failure;
	struct kept_record *records;
	size_t count, capacity;
};

static inline enum wr_status kept_replay(void *context, struct wr_store_log *log,
					 wr_store_replay_fn *fn, void *fn_context)
{
	struct kept_store *self = context;
	enum wr_status status = WR_OK;

	memcpy(log->log_id, self->log_id, sizeof log->log_id);
	log->generation = self->generation;
	for (size_t i = 0; i < self->count && status == WR_OK; i++)
		status = fn(fn_context, self->records[i].sequence, self->records[i].worker,
			    self->records[i].payload);
	return status;
}

static inline enum wr_status kept_append(void *context, uint64_t sequence, uint32_t worker,
					 struct wr_view payload)
{
	struct kept_store *self = context;
	char *copy;

	if (++self->append_count == self->fail_at)
		return self->failure;
	CHECK(self->count == 0 || self->records[self->count - 1].sequence < sequence);
	if (self->count == self->capacity) {
		self->capacity = self->capacity == 0 ? 64 : self->capacity * 2;
		self->records = realloc(self->records, self->capacity * sizeof self->records[0]);
		CHECK(self->records != NULL);
	}
	copy = malloc(payload.bytes);
	CHECK(copy != NULL);
	memcpy(copy, payload.data, payload.bytes);
	self->records[self->count++] =
		(struct kept_record){sequence, worker, wr_view_of(copy, payload.bytes)};
	return WR_OK;
}

static inline uint64_t kept_visible(void *context)
{
	const struct kept_store *self = context;

	return self->count == 0 ? 0 : self->records[self->count - 1].sequence;
}

static inline uint64_t kept_generation_end(void *context, uint32_t generation)
{
	const struct kept_store *self = context;

	return generation < WR_COUNT(self->ends) ? self->ends[generation] : 0;
}

static const struct wr_store_ops kept_store_ops = {kept_replay, kept_append, kept_visible,
						   kept_generation_end};

/* Loses the newest `count` records: what an unclean stop may do. */
static inline void kept_store_cut(struct kept_store *self, size_t count)
{
	while (count-- > 0)
		free((void *)(uintptr_t)self->records[--self->count].payload.data);
}

static inline void kept_store_deinit(struct kept_store *self)
{
	kept_store_cut(self, self->count);
	free(self->records);
}

/* ---- a Runtime ---- */

struct fixture {
	struct wr_runtime *runtime;
	struct wr_runtime_config config;
	struct wr_runtime_ports ports;
	int64_t now_ms;
	uint64_t random;
};

static inline int64_t fixture_wall_ms(void *context)
{
	struct fixture *self = context;

	return ++self->now_ms;
}

static inline enum wr_status fixture_entropy(void *context, void *out, size_t bytes)
{
	struct fixture *self = context;
	uint8_t *to = out;

	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)wr_test_random(&self->random);
	return WR_OK;
}

static inline void fixture_init(struct fixture *self, uint64_t seed)
{
	*self = (struct fixture){.now_ms = 1000, .random = seed};
	wr_runtime_defaults(&self->config);
	self->config.runtime_id = WR_VIEW("rt-test");
	self->ports.allocator = wr_test_allocator();
	self->ports.wall_ms = fixture_wall_ms;
	self->ports.entropy = fixture_entropy;
	self->ports.context = self;
}

static inline void fixture_open(struct fixture *self)
{
	struct wr_error error;

	CHECK_STATUS(wr_runtime_new(&self->runtime, &self->config, &self->ports, &error), WR_OK);
}

static inline void fixture_close(struct fixture *self)
{
	wr_runtime_free(self->runtime);
	self->runtime = NULL;
}

static inline const struct wr_worker *fixture_create(struct fixture *self)
{
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_worker *worker = NULL;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(self->runtime, &request, &worker, &error), WR_OK);
	return worker;
}

static inline enum wr_status fixture_input(struct fixture *self, const struct wr_worker *worker,
					   const char *text, struct wr_ack *ack)
{
	const struct wr_input input = {WR_INPUT_USER, wr_view_of_string(text)};
	struct wr_error error;
	enum wr_status status = wr_runtime_input(self->runtime, worker->id, &input, ack, &error);

	CHECK_STATUS(error.status, status);
	return status;
}

static inline uint64_t fixture_head(const struct fixture *self)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(self->runtime, &summary);
	return summary.last_sequence;
}

/* ---- everything that can be seen ---- */

enum dump_parts {
	DUMP_STATE = 0,
	DUMP_LIVE = 1, /* also what a restart forgets: the execution's part, unfinished output */
};

/* Long texts are shown by their beginning, size and hash (FNV-1a). */
static inline void dump_view(FILE *out, const char *name, struct wr_view view)
{
	uint64_t hash = 0xcbf29ce484222325u;

	if (view.data == NULL) {
		fprintf(out, " %s=-", name);
		return;
	}
	for (size_t i = 0; i < view.bytes; i++)
		hash = (hash ^ (unsigned char)view.data[i]) * 0x100000001b3u;
	fprintf(out, " %s[%zu %" PRIx64 "]=\"", name, view.bytes, hash);
	for (size_t i = 0; i < view.bytes && i < 200; i++)
		fprintf(out, view.data[i] > 31 && view.data[i] < 127 ? "%c" : "\\%02x",
			(unsigned char)view.data[i]);
	fputc('"', out);
}

static inline void dump_request(FILE *out, const struct wr_create *request)
{
	fprintf(out, "\n  intent=%d profile=%d", request->intent, request->profile);
	dump_view(out, "objective", request->objective);
	dump_view(out, "role", request->role);
	dump_view(out, "purpose", request->purpose);
	dump_view(out, "value", request->profile_value);
	dump_view(out, "bundle", request->config_bundle_id);
	fprintf(out, " counts=%u,%u,%u", request->capabilities.count, request->workspace_refs.count,
		request->mount_refs.count);
	dump_view(out, "capabilities",
		  wr_view_of(request->capabilities.packed.data == NULL
				     ? ""
				     : request->capabilities.packed.data,
			     request->capabilities.packed.bytes));
}

static inline void dump_stream(FILE *out, const struct wr_event_stream *stream)
{
	struct wr_view parts[64];
	uint64_t position = stream->begin;

	fprintf(out, "\n  stream begin=%" PRIu64 " end=%" PRIu64 " evicted=%" PRIu64, stream->begin,
		stream->end, stream->evicted);
	fprintf(out, " last=%" PRIu64 " bytes=%" PRIu64 " count=%u", stream->last_sequence,
		stream->bytes, stream->count);
	while (position < stream->end) {
		unsigned count = wr_event_stream_read(stream, position, parts, 64, UINT64_MAX);
		CHECK(count > 0);
		for (unsigned i = 0; i < count; i++) {
			dump_view(out, "bytes", parts[i]);
			position += parts[i].bytes;
		}
	}
}

static inline void dump_transcript(FILE *out, const struct wr_transcript *transcript)
{
	fprintf(out, "\n  transcript first=%" PRIu64 " total=%" PRIu64 " bytes=%" PRIu64,
		transcript->first, transcript->total, transcript->bytes);
	for (uint64_t i = transcript->first; i < transcript->total; i++) {
		const struct wr_transcript_item *item = wr_transcript_at(transcript, i);
		fprintf(out, "\n    %" PRIu64 " %" PRId64 " %s", item->event_id, item->wall_ms,
			wr_role_name((enum wr_role)item->role));
		dump_view(out, "content", wr_view_of(item->content, item->bytes));
	}
}

static inline void dump_in_flight(FILE *out, const struct wr_in_flight *in_flight)
{
	if (in_flight == NULL)
		return;
	fprintf(out, "\n  in_flight bytes=%zu", in_flight->bytes);
	for (uint32_t i = 0; i < in_flight->count; i++) {
		const struct wr_block *block = &in_flight->blocks[i];
		fprintf(out, "\n    kind=%d state=%d finished=%d", block->kind, block->state,
			block->is_finished);
		dump_view(out, "id", wr_buf_view(&block->id));
		dump_view(out, "name", wr_buf_view(&block->name));
		dump_view(out, "text", wr_buf_view(&block->text));
	}
}

static inline void dump_worker(FILE *out, const struct wr_worker *worker, enum dump_parts parts)
{
	/* After a restart nothing is left that could end a stopping Worker later. */
	enum wr_phase phase = parts == DUMP_STATE && worker->phase == WR_PHASE_STOPPING
				      ? WR_PHASE_STOPPED
				      : worker->phase;

	fprintf(out, "\nworker %u", worker->number);
	dump_view(out, "id", worker->id);
	fprintf(out, " %s %s last_event=%" PRIu64 " turns=%" PRIu64 " created=%" PRId64,
		wr_worker_status_name(worker->status), wr_phase_name(phase), worker->last_event_id,
		worker->turn_count, worker->created_wall_ms);
	dump_request(out, &worker->request);
	dump_transcript(out, &worker->transcript);
	dump_stream(out, &worker->events);
	if (parts == DUMP_STATE)
		return;
	fprintf(out, "\n  live=%d told=%d result=%d,%d,%d", worker->is_execution_live,
		worker->is_end_told, worker->has_last_result, worker->last_result.operation,
		worker->last_result.outcome);
	dump_in_flight(out, worker->in_flight);
}

static inline void dump_order(FILE *out, const struct wr_event_log *log)
{
	struct wr_order_frame frame;
	uint64_t sequence = 0;
	uint32_t hint = 0;

	fprintf(out, "\nlog last=%" PRIu64 " evicted=%" PRIu64 " bytes=%" PRIu64 " count=%u",
		log->last_sequence, log->evicted, log->bytes, log->count);
	while (wr_event_log_next(log, sequence, &hint, &frame)) {
		fprintf(out, "\n  %" PRIu64 " of %u at %" PRIu64, frame.sequence,
			frame.stream->worker, frame.position);
		sequence = frame.sequence;
	}
}

/* The whole, to be freed. */
static inline char *dump(struct wr_runtime *runtime, enum dump_parts parts)
{
	struct wr_runtime_summary summary;
	struct wr_diagnostic diagnostic;
	const struct wr_worker *worker = NULL;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	CHECK(out != NULL);
	wr_runtime_summary(runtime, &summary);
	dump_view(out, "id", summary.runtime_id);
	dump_view(out, "name", summary.display_name);
	dump_view(out, "log", summary.log_id);
	fprintf(out, " stopped=%d workers=%u,%u,%u,%u", summary.is_stopped, summary.worker_count,
		summary.running_count, summary.stopped_count, summary.cancelled_count);
	fprintf(out, " head=%" PRIu64 " diagnostics=%" PRIu64, summary.last_sequence,
		summary.diagnostic_count);
	for (uint32_t i = 0; wr_runtime_diagnostic(runtime, i, &diagnostic); i++)
		fprintf(out, "\n  %" PRIu64 " %s of %u", diagnostic.id, diagnostic.code,
			diagnostic.worker);
	dump_stream(out, &wr_runtime_log(runtime)->runtime);
	dump_order(out, wr_runtime_log(runtime));
	while ((worker = wr_runtime_next(runtime, worker == NULL ? WR_VIEW_NULL : worker->id)) !=
	       NULL)
		dump_worker(out, worker, parts);
	fclose(out);
	return text;
}

static inline void check_dumps(const char *actual, const char *expected, const char *what)
{
	size_t same = 0;

	if (strcmp(actual, expected) == 0)
		return;
	while (actual[same] == expected[same])
		same++;
	same = same > 60 ? same - 60 : 0;
	fprintf(stderr, "%s: the dumps differ\n--- is\n%.300s\n--- expected\n%.300s\n", what,
		actual + same, expected + same);
	wr_test_fail(__FILE__, __LINE__, what);
}

#endif
