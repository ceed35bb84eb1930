/*
 * fixture — a Runtime on scripted ports, and everything that can be seen of it as one text.
 *
 * The clock moves by one with every reading, entropy comes from a seed, the store does as it is
 * told (kept_store.h). Two Runtimes are the same when their dumps are.
 */
#ifndef WR_TESTS_CORE_FIXTURE_H
#define WR_TESTS_CORE_FIXTURE_H

#include "core/runtime.h"
#include "core/state.h"
#include "harness/harness.h"
#include "unit/core/kept_store.h"

#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a Runtime ---- */

struct fixture {
	struct wr_runtime *runtime;
	struct wr_runtime_config config;
	struct wr_runtime_ports ports;
	int64_t now_ms;
	uint64_t uptime_ms; /* moves only when a test says so */
	uint64_t random;
};

static inline int64_t fixture_wall_ms(void *context)
{
	struct fixture *self = context;

	return ++self->now_ms;
}

static inline uint64_t fixture_uptime_ms(void *context)
{
	const struct fixture *self = context;

	return self->uptime_ms;
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
	self->ports.uptime_ms = fixture_uptime_ms;
	self->ports.entropy = fixture_entropy;
	self->ports.context = self;
}

static inline void fixture_open(struct fixture *self)
{
	struct wr_error error;

	CHECK_STATUS(wr_runtime_new(&self->runtime, &self->config, &self->ports, &error), WR_OK);
	wr_runtime_settle(self->runtime);
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

	CHECK_STATUS(wr_runtime_create(self->runtime, &request, NULL, &worker, &error), WR_OK);
	wr_runtime_settle(self->runtime);
	return worker;
}

static inline enum wr_status fixture_input(struct fixture *self, const struct wr_worker *worker,
					   const char *text, struct wr_ack *ack)
{
	const struct wr_input input = {WR_INPUT_USER, wr_view_of_string(text)};
	struct wr_error error;
	enum wr_status status =
		wr_runtime_input(self->runtime, worker->id, &input, NULL, ack, &error);

	CHECK_STATUS(error.status, status);
	wr_runtime_settle(self->runtime);
	return status;
}

/* A key by number; the same number is the same key, with another body when `body` differs. */
static inline struct wr_key fixture_key(uint64_t number, uint8_t body)
{
	struct wr_key key = {.fingerprint = {body}};

	for (unsigned i = 0; i < WR_KEY_BYTES; i++)
		key.id[i] = (uint8_t)wr_test_random(&number);
	return key;
}

static inline uint64_t fixture_head(const struct fixture *self)
{
	return wr_runtime_log(self->runtime)->last_sequence;
}

/* ---- everything that can be seen ---- */

enum dump_parts {
	DUMP_STATE = 0, /* what is in memory of recorded state and of streams */
	DUMP_LIVE = 1,	/* also the execution's part and unfinished output */
	DUMP_STORY = 2	/* what a restart keeps: recorded state, and all that can be read again */
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
	dump_view(out, "digest", request->config_bundle_digest);
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

/* Items by number, wherever they are. */
static inline void dump_items(FILE *out, struct wr_runtime *runtime, const struct wr_worker *worker)
{
	struct wr_store_place place = {0, 0};
	uint64_t number = wr_runtime_first_item(runtime, worker);
	struct wr_item item;

	fprintf(out, "\n  items from %" PRIu64, number);
	for (; number <= worker->shown.item_count; number++) {
		CHECK_STATUS(wr_runtime_item(runtime, worker, number, &place, &item), WR_OK);
		CHECK_U64(item.number, number);
		fprintf(out, "\n    %" PRIu64 " %" PRId64 " %s", item.event_id, item.wall_ms,
			wr_role_name(item.role));
		dump_view(out, "content", item.content);
	}
}

/* Frames of a scope that the store has. */
static inline void dump_frames(FILE *out, struct wr_runtime *runtime, uint32_t worker)
{
	struct wr_store_place place = {0, 0};
	uint64_t sequence = wr_runtime_evicted(runtime, worker);
	struct wr_view frame;

	fprintf(out, "\n  frames behind %" PRIu64, sequence);
	while (wr_runtime_stored_frame(runtime, worker, sequence, &place, &sequence, &frame) ==
	       WR_OK) {
		fprintf(out, "\n    %" PRIu64, sequence);
		dump_view(out, "frame", frame);
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

static inline void dump_face(FILE *out, const struct wr_face *face, enum dump_parts parts)
{
	/* After a restart nothing is left that could end a stopping Worker later. */
	enum wr_phase phase = parts == DUMP_STORY && face->phase == WR_PHASE_STOPPING
				      ? WR_PHASE_STOPPED
				      : face->phase;

	fprintf(out, " %s %s last=%" PRIu64 ",%" PRIu64 " turns=%" PRIu64 " items=%" PRIu64,
		wr_worker_status_name(face->status), wr_phase_name(phase), face->last_event_id,
		face->last_sequence, face->turn_count, face->item_count);
}

static inline void dump_worker(FILE *out, struct wr_runtime *runtime,
			       const struct wr_worker *worker, enum dump_parts parts)
{
	fprintf(out, "\nworker %u", worker->number);
	dump_view(out, "id", worker->id);
	dump_face(out, &worker->now, parts);
	dump_face(out, &worker->shown, parts);
	fprintf(out, " created=%" PRIu64 ",%" PRId64 " %d", worker->created_sequence,
		worker->created_wall_ms, worker->is_quarantined);
	dump_request(out, &worker->request);
	if (parts == DUMP_STORY) {
		dump_items(out, runtime, worker);
		dump_frames(out, runtime, worker->number);
	}
	if (parts == DUMP_STORY)
		return;
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

static inline void dump_keys(FILE *out, struct wr_runtime *runtime)
{
	struct wr_keys *keys = &runtime->keys;

	fprintf(out, "\nkeys=%u", wr_keys_count(keys));
	for (uint32_t i = 0; i < wr_keys_count(keys); i++) {
		const struct wr_kept_key *kept = wr_keys_at(keys, i);
		fprintf(out, "\n  %d %d of %u at %u: %" PRIu64 " %" PRIu64, kept->operation,
			kept->status, kept->worker, kept->uptime_s, kept->event_id,
			kept->transcript_sequence);
		dump_view(out, "key", wr_view_of(&kept->key, sizeof kept->key));
	}
}

/* Of each id the newest version, and the one that is shown. */
static inline void dump_bundles(FILE *out, const struct wr_runtime *runtime)
{
	const struct wr_bundles *bundles = &runtime->bundles;

	fprintf(out, "\nbundles=%u bytes=%" PRIu64, bundles->count, bundles->bytes);
	for (uint32_t i = 0; i < bundles->count; i++) {
		const struct wr_bundle *bundle = wr_bundles_at(bundles, i);
		const struct wr_config_bundle *shown =
			wr_runtime_find_bundle(runtime, bundle->value.id);

		fprintf(out, "\n  at %" PRIu64, bundle->sequence);
		dump_view(out, "id", bundle->value.id);
		dump_view(out, "digest", bundle->value.digest);
		dump_view(out, "shown", shown == NULL ? WR_VIEW_NULL : shown->digest);
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
	fprintf(out, " head=%" PRIu64 ",%" PRIu64 " event=%" PRIu64 " diagnostics=%" PRIu64,
		runtime->log.last_sequence, summary.last_sequence, runtime->last_event_id,
		summary.diagnostic_count);
	for (uint32_t i = 0; wr_runtime_diagnostic(runtime, i, &diagnostic); i++)
		fprintf(out, "\n  %" PRIu64 " %s of %u", diagnostic.id, diagnostic.code,
			diagnostic.worker);
	dump_keys(out, runtime);
	dump_bundles(out, runtime);
	if (parts == DUMP_STORY)
		dump_frames(out, runtime, 0);
	if (parts != DUMP_STORY) {
		dump_stream(out, &wr_runtime_log(runtime)->runtime);
		dump_order(out, wr_runtime_log(runtime));
	}
	while ((worker = wr_runtime_next(runtime, worker == NULL ? WR_VIEW_NULL : worker->id)) !=
	       NULL)
		dump_worker(out, runtime, worker, parts);
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
