/*
 * micro — the parts on the way of a request and of an event, one at a time, in this process.
 *
 * ns per item, and GB/s where the item is a run of bytes; the ratio column of unmasking and UTF-8
 * is against memcpy of the same bytes in the same round. Results are checked in the loop.
 *
 * Expected at 3 GHz and 4 instructions a cycle, from the instruction goals: head parse 4 instr/B x
 * 281 B, 95 ns; reading a command of 327 bytes 110 ns, writing an event of 157 bytes 60 ns;
 * unmasking 4 KiB at 24 GB/s portable (170 ns), 58 with SSE2; UTF-8 check of 4 KiB ASCII at 9 GB/s
 * portable (450 ns).
 */
#include "bench.h"

#include "bytes/utf8.h"
#include "codec/http/head.h"
#include "codec/json/reader.h"
#include "codec/json/writer.h"
#include "codec/ws/frame.h"
#include "core/runtime.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/memory.h"
#include "wire/command_json.h"
#include "wire/event_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096 };

static const char head_text[] = "POST /v1/workers/worker-00000001/input HTTP/1.1\r\n"
				"Host: 127.0.0.1:8650\r\n"
				"Authorization: Bearer 5d2c1f0e9b8a7766554433221100ffee\r\n"
				"User-Agent: workspace-server/0.4.1 (linux; arm)\r\n"
				"Accept: application/json\r\n"
				"Content-Type: application/json\r\n"
				"Connection: keep-alive\r\n"
				"Content-Length: 327\r\n"
				"\r\n";
_Static_assert(sizeof head_text - 1 == 281, "the head of the table");

static const char command_text[] =
	"{\"intent\":{\"kind\":\"task\",\"objective\":\"Summarise the open issues\"},"
	"\"profile\":{\"kind\":\"builtin\",\"value\":\"coder\"},"
	"\"requested_capabilities\":[{\"name\":\"read_files\",\"reason\":\"to see the sources\"},"
	"{\"name\":\"run_tests\",\"reason\":null}],"
	"\"workspace_refs\":[],\"mount_refs\":[],\"note\":\"line one\\nline two \\u00e9\","
	"\"priority\":42,\"is_draft\":false}";

_Static_assert(sizeof command_text - 1 == 327, "the command of the table");

struct bed {
	char block[BLOCK_BYTES], copy[BLOCK_BYTES];
	struct wr_allocator allocator;
	struct wr_buf texts, out;
	struct wr_runtime *runtime;
	const struct wr_worker *worker;
	struct wr_identity identity;
	struct wr_event event;
	char cursor[WR_CURSOR_BYTES];
};

/* ---- the parts; each returns a number that must be the same every time ---- */

static size_t copy_block(struct bed *bed)
{
	memcpy(bed->copy, bed->block, BLOCK_BYTES);
	return (size_t)bed->copy[BLOCK_BYTES - 1];
}

static size_t mask_block(struct bed *bed)
{
	static const uint8_t mask[4] = {0x5a, 0x13, 0xc7, 0x88};

	wr_ws_mask(bed->copy, BLOCK_BYTES, mask, 0);
	return BLOCK_BYTES;
}

static size_t validate_block(struct bed *bed)
{
	return wr_utf8_is_valid(wr_view_of(bed->block, BLOCK_BYTES));
}

static size_t parse_head(struct bed *bed)
{
	struct wr_http_head_parser parser = {0};
	struct wr_http_head head;
	size_t bytes = 0;

	(void)bed;
	if (wr_http_request_parse(&parser, &head, &bytes,
				  wr_view_of(head_text, sizeof head_text - 1)) != WR_OK)
		return 0;
	return bytes + head.field_count;
}

static size_t read_tokens(struct bed *bed)
{
	struct wr_json_reader reader;
	size_t count = 0;

	(void)bed;
	wr_json_reader_init(&reader, wr_view_of(command_text, sizeof command_text - 1), true);
	while (wr_json_reader_next(&reader) == WR_OK && reader.token != WR_JSON_TOKEN_END)
		count++;
	return reader.token == WR_JSON_TOKEN_END ? count : 0;
}

static size_t read_command(struct bed *bed)
{
	struct wr_create create;
	struct wr_error error;

	if (wr_create_json_read(&create, &bed->texts,
				wr_view_of(command_text, sizeof command_text - 1), &error) != WR_OK)
		return 0;
	return create.capabilities.count + create.objective.bytes;
}

/* 157 bytes. */
static size_t write_event(struct bed *bed)
{
	struct wr_json_writer writer;

	wr_buf_reset(&bed->out);
	wr_json_writer_init(&writer, &bed->out);
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("kind"), WR_VIEW("event"));
	wr_json_member_string(&writer, WR_VIEW("worker_id"), WR_VIEW("worker-00000001"));
	wr_json_member_u64(&writer, WR_VIEW("sequence"), 1234567);
	wr_json_name(&writer, WR_VIEW("payload"));
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("event"), WR_VIEW("text_delta"));
	wr_json_name(&writer, WR_VIEW("data"));
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("text"),
			      WR_VIEW("a few words of output, \"quoted\", model"));
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	return bed->out.bytes;
}

static size_t encode_frame(struct bed *bed)
{
	wr_buf_reset(&bed->out);
	if (wr_frame_encoding.encode(NULL, &bed->out, &bed->event, &bed->identity,
				     WR_SCOPE_WORKER) != WR_OK)
		return 0;
	return bed->out.bytes;
}

/* Retention is applied once in 32, as at the end of a turn with so many inputs. */
static size_t append_input(struct bed *bed)
{
	const struct wr_input input = {WR_INPUT_USER, WR_VIEW("a short question")};
	struct wr_error error;
	struct wr_ack ack;

	if (wr_runtime_input(bed->runtime, bed->worker->id, &input, NULL, &ack, &error) != WR_OK)
		return 0;
	if (ack.event_id % 32 == 0)
		wr_runtime_trim(bed->runtime);
	return 1;
}

static size_t judge_cursor(struct bed *bed)
{
	uint64_t sequence;

	return wr_runtime_judge_cursor(bed->runtime, 1, wr_view_of(bed->cursor, WR_CURSOR_BYTES),
				       &sequence) == WR_OK;
}

static size_t format_cursor(struct bed *bed)
{
	char out[WR_CURSOR_BYTES];

	wr_runtime_cursor(bed->runtime, 1, 1000, out);
	return (size_t)(unsigned char)out[3];
}

/* ---- measuring ---- */

struct part {
	const char *name;
	size_t (*run)(struct bed *bed);
	unsigned count; /* in a round: some 10 ms */
	size_t bytes;	/* 0: no rate */
	bool has_ratio; /* to the first part */
	size_t result;
	struct wr_bench_series ns;
};

static struct part parts[] = {
	{.name = "memcpy_4KiB", .run = copy_block, .count = 200000, .bytes = BLOCK_BYTES},
	{.name = "unmask_4KiB",
	 .run = mask_block,
	 .count = 100000,
	 .bytes = BLOCK_BYTES,
	 .has_ratio = true},
	{.name = "utf8_ascii_4KiB",
	 .run = validate_block,
	 .count = 50000,
	 .bytes = BLOCK_BYTES,
	 .has_ratio = true},
	{.name = "http_head_281B",
	 .run = parse_head,
	 .count = 50000,
	 .bytes = sizeof head_text - 1},
	{.name = "json_read_tokens",
	 .run = read_tokens,
	 .count = 50000,
	 .bytes = sizeof command_text - 1},
	{.name = "json_read_command",
	 .run = read_command,
	 .count = 20000,
	 .bytes = sizeof command_text - 1},
	{.name = "json_write_event", .run = write_event, .count = 100000},
	{.name = "encode_frame", .run = encode_frame, .count = 50000},
	{.name = "append_input", .run = append_input, .count = 20000},
	{.name = "judge_cursor", .run = judge_cursor, .count = 100000},
	{.name = "format_cursor", .run = format_cursor, .count = 100000},
};
enum { PART_COUNT = sizeof parts / sizeof parts[0] };

static void run_part(struct part *part, struct bed *bed)
{
	uint64_t begin, wrong = 0;

	part->result = part->run(bed);
	wr_bench_require(part->result != 0, part->name);
	begin = wr_bench_now_ns();
	for (unsigned i = 0; i < part->count; i++)
		wrong += part->run(bed) != part->result;
	begin = wr_bench_now_ns() - begin;
	wr_bench_require(wrong == 0, part->name);
	wr_bench_add(&part->ns, (double)begin / part->count);
}

static void report(const struct part *part)
{
	struct wr_bench_series rate = {0};
	size_t bytes =
		part->run == write_event || part->run == encode_frame ? part->result : part->bytes;
	char name[96];

	snprintf(name, sizeof name, "micro.%s", part->name);
	wr_bench_report(name, "ns", &part->ns, part->has_ratio ? &parts[0].ns : NULL);
	if (bytes == 0)
		return;
	for (unsigned i = 0; i < part->ns.count; i++)
		wr_bench_add(&rate, (double)bytes / part->ns.values[i]);
	snprintf(name, sizeof name, "micro.%s.rate_of_%zuB", part->name, bytes);
	wr_bench_report(name, "GB/s", &rate, NULL);
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return wr_clock_wall_ms();
}

static enum wr_status fill(void *context, void *out, size_t bytes)
{
	(void)context;
	return wr_entropy_fill(out, bytes);
}

static void make_bed(struct bed *bed)
{
	static struct wr_runtime_ports ports;
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT,
					  .profile = WR_PROFILE_RUNTIME_DEFAULT};
	struct wr_runtime_config config;
	struct wr_error error;

	memset(bed->block, 'a', BLOCK_BYTES);
	wr_memory_init(&bed->allocator, SIZE_MAX);
	wr_buf_init(&bed->texts, &bed->allocator, 1 << 20);
	wr_buf_init(&bed->out, &bed->allocator, 1 << 20);
	wr_runtime_defaults(&config);
	config.is_trimmed_by_owner = true;
	ports.allocator = &bed->allocator;
	ports.wall_ms = wall_ms;
	ports.entropy = fill;
	ports.encoding = &wr_frame_encoding;
	wr_bench_require(wr_runtime_new(&bed->runtime, &config, &ports, &error) == WR_OK,
			 "no Runtime");
	wr_bench_require(wr_runtime_create(bed->runtime, &request, NULL, &bed->worker, &error) ==
				 WR_OK,
			 "no Worker");
	bed->identity.runtime_id = WR_VIEW("runtime-1");
	bed->identity.worker_id = WR_VIEW("worker-00000001");
	bed->identity.log_id = WR_VIEW("00112233445566778899aabbccddeeff");
	bed->event.kind = WR_EVENT_OUTPUT;
	bed->event.sequence = 1234567;
	bed->event.worker = 1;
	bed->event.as.output.kind = WR_OUTPUT_TEXT_DELTA;
	bed->event.as.output.text = WR_VIEW("a few words of output of a model");
	wr_runtime_cursor(bed->runtime, 1, bed->event.sequence, bed->identity.cursor);
}

int main(void)
{
	static struct bed bed;
	unsigned rounds = wr_bench_rounds(15);

	wr_bench_begin(60 + rounds);
	make_bed(&bed);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < PART_COUNT; i++) {
			/* One that is neither ahead nor expired. */
			wr_runtime_cursor(bed.runtime, 1, bed.worker->events.last_sequence,
					  bed.cursor);
			run_part(&parts[i], &bed);
		}
	for (unsigned i = 0; i < PART_COUNT; i++)
		report(&parts[i]);
	wr_runtime_free(bed.runtime);
	wr_buf_deinit(&bed.texts);
	wr_buf_deinit(&bed.out);
	return 0;
}
