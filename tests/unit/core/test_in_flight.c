/* Goal: a snapshot in the middle of a turn shows the newest unfinished output without a gap, within
 * its bounds, whatever comes and whatever memory there is. Method: scripts of outputs and the
 * blocks that must be left; random outputs with failing memory against the accounting. */
#include "core/in_flight.h"
#include "core/worker.h"
#include "harness/harness.h"

#include "check.h"

#include <stdio.h>
#include <string.h>

static void fold(struct wr_in_flight **in_flight, enum wr_output_kind kind, struct wr_view id,
		 struct wr_view name, struct wr_view text)
{
	const struct wr_output output = {.kind = kind, .id = id, .name = name, .text = text};

	wr_in_flight_fold(in_flight, wr_test_allocator(), &output);
}

/* "T:text" "t:thinking" "c0:id:name:arguments" ('.' behind: finished), separated by blanks. */
static struct wr_view describe(const struct wr_in_flight *in_flight)
{
	static char out[1000];
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; in_flight != NULL && i < in_flight->count; i++) {
		const struct wr_block *block = &in_flight->blocks[i];
		used += (size_t)snprintf(out + used, sizeof out - used, "%s", used == 0 ? "" : " ");
		if (block->kind == WR_BLOCK_TOOL_CALL)
			used += (size_t)snprintf(out + used, sizeof out - used,
						 "c%d:%.*s:%.*s:", block->state,
						 (int)block->id.bytes, block->id.data,
						 (int)block->name.bytes, block->name.data);
		else
			used += (size_t)snprintf(out + used, sizeof out - used,
						 "%c:", block->kind == WR_BLOCK_TEXT ? 'T' : 't');
		used += (size_t)snprintf(out + used, sizeof out - used, "%.*s%s",
					 (int)block->text.bytes, block->text.data,
					 block->is_finished ? "." : "");
	}
	return wr_view_of(out, used);
}

struct step {
	enum wr_output_kind kind;
	const char *id, *name, *text, *expected;
};

static void test_blocks_follow_the_outputs(void)
{
	static const struct step steps[] = {
		{WR_OUTPUT_TURN_START, NULL, NULL, NULL, ""},
		{WR_OUTPUT_THINKING_START, NULL, NULL, NULL, "t:"},
		{WR_OUTPUT_THINKING_DELTA, NULL, NULL, "h", "t:h"},
		{WR_OUTPUT_THINKING_DELTA, NULL, NULL, "m", "t:hm"},
		{WR_OUTPUT_THINKING_DONE, NULL, NULL, "hm", "t:hm."},
		{WR_OUTPUT_TEXT_DELTA, NULL, NULL, "he", "t:hm. T:he"},
		{WR_OUTPUT_TEXT_DELTA, NULL, NULL, "llo", "t:hm. T:hello"},
		{WR_OUTPUT_USAGE, NULL, NULL, NULL, "t:hm. T:hello"},
		{WR_OUTPUT_TEXT_DONE, NULL, NULL, "hello", "t:hm."},
		{WR_OUTPUT_TEXT_DONE, NULL, NULL, "again", "t:hm."},
		{WR_OUTPUT_TOOL_CALL_START, "1", "ls", NULL, "t:hm. c0:1:ls:"},
		{WR_OUTPUT_TOOL_CALL_START, "2", "cat", NULL, "t:hm. c0:1:ls: c0:2:cat:"},
		{WR_OUTPUT_TOOL_CALL_ARGS_DELTA, "1", NULL, "{", "t:hm. c1:1:ls:{ c0:2:cat:"},
		{WR_OUTPUT_TOOL_CALL_ARGS_DELTA, "3", NULL, "{", "t:hm. c1:1:ls:{ c0:2:cat:"},
		{WR_OUTPUT_TOOL_CALL_DONE, "1", "ls", "{\"a\":1}",
		 "t:hm. c2:1:ls:{\"a\":1} c0:2:cat:"},
		{WR_OUTPUT_TEXT_DELTA, NULL, NULL, "x", "t:hm. c2:1:ls:{\"a\":1} c0:2:cat: T:x"},
		{WR_OUTPUT_TOOL_RESULT, "1", "ok", NULL, "t:hm. c0:2:cat: T:x"},
		{WR_OUTPUT_TOOL_RESULT, "1", "ok", NULL, "t:hm. c0:2:cat: T:x"},
		{WR_OUTPUT_TOOL_RESULT, "2", "ok", NULL, "t:hm. T:x"},
		{WR_OUTPUT_THINKING_DELTA, NULL, NULL, "z", "t:hm. T:x t:z"},
		{WR_OUTPUT_TEXT_DONE, NULL, NULL, "x", "t:hm. T:x t:z"}, /* not the newest */
		{WR_OUTPUT_ERROR, NULL, NULL, "oh", "t:hm. T:x t:z"},
		{WR_OUTPUT_OPAQUE, NULL, "note", "{}", "t:hm. T:x t:z"},
		{WR_OUTPUT_TURN_END, NULL, NULL, NULL, ""},
		{WR_OUTPUT_TEXT_DELTA, NULL, NULL, "a", "T:a"},
		{WR_OUTPUT_RUN_END, NULL, NULL, NULL, ""},
	};
	struct wr_in_flight *in_flight = NULL;

	for (size_t i = 0; i < WR_COUNT(steps); i++) {
		fold(&in_flight, steps[i].kind, wr_view_of_string(steps[i].id),
		     wr_view_of_string(steps[i].name), wr_view_of_string(steps[i].text));
		CHECK_STRING(describe(in_flight), steps[i].expected);
		/* Memory only while there is something. */
		CHECK((in_flight == NULL) == (steps[i].expected[0] == '\0'));
	}
	wr_in_flight_clear(&in_flight, wr_test_allocator());
}

static void test_beyond_its_blocks_the_oldest_goes(void)
{
	struct wr_in_flight *in_flight = NULL;
	char id[8];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "%u", i);
		fold(&in_flight, WR_OUTPUT_TOOL_CALL_START, wr_view_of_string(id), WR_VIEW("tool"),
		     WR_VIEW_NULL);
		CHECK(in_flight->count <= WR_IN_FLIGHT_BLOCK_COUNT_MAX);
	}
	CHECK_U64(in_flight->count, WR_IN_FLIGHT_BLOCK_COUNT_MAX);
	CHECK_STRING(wr_buf_view(&in_flight->blocks[0].id), "24");
	wr_in_flight_clear(&in_flight, wr_test_allocator());
	CHECK(in_flight == NULL);
}

/* The text is the alphabet again and again, so that a gap would show. */
static void check_alphabet(struct wr_view text, uint64_t end)
{
	for (size_t i = 0; i < text.bytes; i++)
		CHECK(text.data[i] == (char)('a' + (end - text.bytes + i) % 26));
}

static struct wr_view alphabet(uint64_t from, size_t bytes)
{
	static char out[WR_EVENT_BYTES_MAX];

	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)('a' + (from + i) % 26);
	return wr_view_of(out, bytes);
}

static void test_a_long_text_keeps_its_newest_part_without_a_gap(void)
{
	static const size_t sizes[] = {
		1, 100, 5000, 60000, 131072, 131073, 262144, 262145, WR_EVENT_BYTES_MAX};

	for (size_t s = 0; s < WR_COUNT(sizes); s++) {
		struct wr_in_flight *in_flight = NULL;
		uint64_t end = 0;
		for (unsigned i = 0; end < 3 * WR_IN_FLIGHT_BYTES_MAX && i < 20000; i++) {
			fold(&in_flight, WR_OUTPUT_TEXT_DELTA, WR_VIEW_NULL, WR_VIEW_NULL,
			     alphabet(end, sizes[s]));
			end += sizes[s];
			CHECK(in_flight->bytes <= WR_IN_FLIGHT_BYTES_MAX);
			CHECK_U64(in_flight->bytes, in_flight->blocks[0].text.bytes);
		}
		CHECK(in_flight->bytes > WR_IN_FLIGHT_BYTES_MAX / 4 || in_flight->bytes == end);
		check_alphabet(wr_buf_view(&in_flight->blocks[0].text), end);
		wr_in_flight_clear(&in_flight, wr_test_allocator());
	}
}

static void test_a_text_is_cut_at_a_character(void)
{
	struct wr_in_flight *in_flight = NULL;
	static char text[WR_EVENT_BYTES_MAX];

	for (size_t i = 0; i + 3 <= sizeof text; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	for (size_t bytes = 3; bytes < sizeof text; bytes = bytes * 2 + 3) {
		fold(&in_flight, WR_OUTPUT_TEXT_DELTA, WR_VIEW_NULL, WR_VIEW_NULL,
		     wr_view_of(text, bytes / 3 * 3));
		CHECK_U64(in_flight->blocks[0].text.bytes % 3, 0);
		CHECK(memcmp(in_flight->blocks[0].text.data, "\xe2\x82\xac", 3) == 0);
	}
	wr_in_flight_clear(&in_flight, wr_test_allocator());
}

static void test_older_blocks_make_room_for_the_newest(void)
{
	struct wr_in_flight *in_flight = NULL;

	for (unsigned i = 0; i < 10; i++) {
		fold(&in_flight, WR_OUTPUT_TOOL_CALL_START, WR_VIEW("id"), WR_VIEW("tool"),
		     WR_VIEW_NULL);
		fold(&in_flight, WR_OUTPUT_TOOL_CALL_DONE, WR_VIEW("id"), WR_VIEW("tool"),
		     alphabet(0, 100000));
		CHECK(in_flight->bytes <= WR_IN_FLIGHT_BYTES_MAX);
	}
	CHECK_U64(in_flight->count, 2);
	fold(&in_flight, WR_OUTPUT_TEXT_DELTA, WR_VIEW_NULL, WR_VIEW_NULL, alphabet(0, 130000));
	CHECK_U64(in_flight->count, 2);
	CHECK_U64(in_flight->blocks[1].text.bytes, 130000);
	wr_in_flight_clear(&in_flight, wr_test_allocator());
}

static void check_accounting(const struct wr_in_flight *in_flight)
{
	size_t bytes = 0;

	if (in_flight == NULL)
		return;
	CHECK(in_flight->count > 0 && in_flight->count <= WR_IN_FLIGHT_BLOCK_COUNT_MAX);
	for (uint32_t i = 0; i < in_flight->count; i++)
		bytes += in_flight->blocks[i].id.bytes + in_flight->blocks[i].name.bytes +
			 in_flight->blocks[i].text.bytes;
	CHECK_U64(in_flight->bytes, bytes);
	CHECK(bytes <= WR_IN_FLIGHT_BYTES_MAX);
}

static void test_random_outputs_with_little_memory_keep_the_books(void)
{
	struct wr_in_flight *in_flight = NULL;
	uint64_t random = wr_test_seed();

	for (unsigned step = 0; step < 20000; step++) {
		uint64_t bits = wr_test_random(&random);
		size_t bytes = (size_t)(bits >> 32) % (bits % 64 == 0 ? 300000 : 900);
		if (bits >> 8 & 1u)
			wr_test_fail_allocation(1 + (bits >> 9 & 3u), bits >> 11 & 1u);
		fold(&in_flight, (enum wr_output_kind)(1 + bits % 41 % WR_OUTPUT_USAGE),
		     alphabet(bits >> 16 & 3u, 1), WR_VIEW("name"), alphabet(0, bytes));
		wr_test_fail_allocation(0, false);
		check_accounting(in_flight);
	}
	wr_in_flight_clear(&in_flight, wr_test_allocator());
}

/* What was streamed before memory ran short must not be joined to what comes after. */
static void test_a_failed_allocation_leaves_no_gap(void)
{
	for (uint64_t n = 1; n < 30; n++) {
		struct wr_in_flight *in_flight = NULL;
		uint64_t end = 0;
		wr_test_fail_allocation(n, false);
		for (unsigned i = 0; i < 200; i++) {
			fold(&in_flight, WR_OUTPUT_TEXT_DELTA, WR_VIEW_NULL, WR_VIEW_NULL,
			     alphabet(end, 37));
			end += 37;
			if (in_flight != NULL)
				check_alphabet(wr_buf_view(&in_flight->blocks[0].text), end);
		}
		wr_test_fail_allocation(0, false);
		wr_in_flight_clear(&in_flight, wr_test_allocator());
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_blocks_follow_the_outputs),
	WR_TEST(test_beyond_its_blocks_the_oldest_goes),
	WR_TEST(test_a_long_text_keeps_its_newest_part_without_a_gap),
	WR_TEST(test_a_text_is_cut_at_a_character),
	WR_TEST(test_older_blocks_make_room_for_the_newest),
	WR_TEST(test_random_outputs_with_little_memory_keep_the_books),
	WR_TEST(test_a_failed_allocation_leaves_no_gap),
	WR_TEST_END,
};
