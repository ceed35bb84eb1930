/*
 * embed — a Runtime inside another program.
 *
 * The library does no I/O, has no clock and no threads: the program lends it memory, time and
 * entropy, and calls it from one thread. Here: one Worker, two inputs, an answer as if a model had
 * given it, the Worker's events as they were streamed, its transcript, and the end.
 *
 *	cc -iquote src tests/examples/embed.c build/release/libworker-runtime.a
 */
#include "core/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- ports: what the library asks its owner for ---- */

/* All memory comes through this one function; `used` and `max` are kept by the library. */
static void *resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	(void)self;
	(void)old_bytes;
	if (new_bytes != 0)
		return realloc(old, new_bytes);
	free(old);
	return NULL;
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return (int64_t)time(NULL) * 1000;
}

/* For the ids of the Runtime and its log. */
static enum wr_status entropy(void *context, void *out, size_t bytes)
{
	FILE *file = fopen("/dev/urandom", "rb");
	size_t got;

	(void)context;
	if (file == NULL)
		return WR_IO;
	got = fread(out, 1, bytes, file);
	fclose(file);
	return got == bytes ? WR_OK : WR_IO;
}

/* ---- looking at what happened ---- */

static void print_event(const struct wr_event *event)
{
	printf("event %llu: ", (unsigned long long)event->sequence);
	if (event->kind == WR_EVENT_INPUT_ACCEPTED)
		printf("input \"%.*s\"\n", (int)event->as.input.input.content.bytes,
		       event->as.input.input.content.data);
	else if (event->kind == WR_EVENT_OUTPUT)
		printf("output \"%.*s\"\n", (int)event->as.output.text.bytes,
		       event->as.output.text.data);
	else
		printf("%s\n", wr_event_runtime_name(event->kind));
}

/* A Worker's events lie one behind the other; a reader is a position in them. Returns the position
 * to go on from, so that the next call shows what came since. */
static uint64_t print_events(const struct wr_event_stream *stream, uint64_t position)
{
	struct wr_view part, bytes;
	struct wr_event event;

	while (wr_event_stream_read(stream, position, &part, 1, UINT64_MAX) != 0) {
		position += part.bytes;
		while (wr_event_frame_next(&part, &bytes))
			if (wr_event_decode(&event, bytes) == WR_OK)
				print_event(&event);
	}
	return position;
}

static void print_transcript(const struct wr_transcript *transcript)
{
	for (uint64_t i = transcript->first; i < transcript->total; i++) {
		const struct wr_transcript_item *item = wr_transcript_at(transcript, i);
		printf("%llu %s: %.*s\n", (unsigned long long)i + 1,
		       wr_role_name((enum wr_role)item->role), (int)item->bytes, item->content);
	}
}

/* ---- a life ---- */

static enum wr_status live(struct wr_runtime *runtime)
{
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_input greeting = {WR_INPUT_USER, WR_VIEW("Hello, who is there?")};
	const struct wr_input blank = {WR_INPUT_USER, WR_VIEW("  ")};
	const struct wr_output answer = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW("A Worker.")};
	const struct wr_worker *worker;
	struct wr_error error;
	struct wr_ack ack;
	uint64_t position = 0;
	enum wr_status status = wr_runtime_create(runtime, &request, NULL, &worker, &error);

	if (status != WR_OK)
		return status;
	printf("worker %.*s is %s\n", (int)worker->id.bytes, worker->id.data,
	       wr_worker_status_name(worker->now.status));
	status = wr_runtime_input(runtime, worker->id, &greeting, NULL, &ack, &error);
	if (status != WR_OK)
		return status;
	printf("accepted as event %llu\n", (unsigned long long)ack.event_id);
	position = print_events(&worker->events, position);

	/* A refusal is typed and changes nothing. */
	status = wr_runtime_input(runtime, worker->id, &blank, NULL, &ack, &error);
	printf("refused: %s (%s)\n", wr_status_name(status), error.detail);

	/* Whatever runs the Worker reports its output here. */
	status = wr_runtime_output(runtime, worker->number, &answer);
	if (status == WR_OK)
		status = wr_runtime_stop_worker(runtime, worker->id, WR_VIEW("example over"), NULL,
						&ack);
	if (status != WR_OK)
		return status;
	print_events(&worker->events, position);
	printf("worker is %s\n", wr_worker_status_name(ack.status));
	print_transcript(&worker->transcript);
	return WR_OK;
}

int main(void)
{
	struct wr_allocator allocator = {.resize = resize, .max = 16 << 20};
	const struct wr_runtime_ports ports = {
		.allocator = &allocator, .wall_ms = wall_ms, .entropy = entropy};
	struct wr_runtime_config config;
	struct wr_runtime *runtime;
	struct wr_error error;
	enum wr_status status;

	wr_runtime_defaults(&config);
	config.display_name = WR_VIEW("Embedded example");
	status = wr_runtime_new(&runtime, &config, &ports, &error);
	if (status == WR_OK) {
		status = live(runtime);
		wr_runtime_free(runtime);
	}
	if (status != WR_OK)
		fprintf(stderr, "embed: %s\n", wr_status_text(status));
	printf("%zu bytes are still in use\n", allocator.used);
	return status == WR_OK && allocator.used == 0 ? 0 : 1;
}
