/* Goal: a queue is the same thing through every source of a Backend: asked for at the spawn,
 * counted while a turn runs, given in order, named by who takes it back, and told on the stream.
 * Method: the example agent, whose turns last until they are interrupted, in the embedded Runtime
 * and in one elsewhere, with and without a store. */
#include "e2e/each_handle.h"
#include "harness/client.h"
#include "harness/watcher.h"

static uint64_t say_text(const char *text)
{
	CHECK_U64(say_view(id, VIEW(text)), WR_SOURCE_ACCEPTED);
	return asked.result.event_id;
}

static const struct wr_told_worker *told(void)
{
	CHECK_U64(about(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
	return &asked.workers[0];
}

static void spawn(uint32_t inputs_max)
{
	CHECK_U64(ask(CALL(.operation = WR_SOURCE_SPAWN,
			   .as.spawn.busy = {WR_BUSY_QUEUE, inputs_max})),
		  WR_SOURCE_ACCEPTED);
	CHECK(asked.workers[0].has_queue && asked.workers[0].queued_inputs == 0);
	snprintf(id, sizeof id, "%s", asked.workers[0].worker_id);
}

static bool has(struct wr_view text, const char *part)
{
	size_t bytes = strlen(part);

	for (size_t i = 0; i + bytes <= text.bytes; i++)
		if (memcmp(text.data + i, part, bytes) == 0)
			return true;
	return false;
}

/* Turns until the stream has shown the text. */
static unsigned await_text(struct wr_watcher *watcher, unsigned from, const char *text)
{
	wr_handles_wait(&world);
	for (;; wr_handles_turn(&world))
		for (; from < watcher->count; from++)
			if (has(wr_watcher_frame(watcher, from), text))
				return from + 1;
}

static void test_a_queue_is_counted_given_and_named(void)
{
	static struct wr_watcher watcher;
	uint64_t first, second;
	unsigned at = 0;
	char text[100];

	memset(large, 'x', sizeof large);
	spawn(2);
	wr_watcher_open(&world, &watcher, id, NULL);
	say_text("wait for it");
	at = await_text(&watcher, at, "waiting to be cancelled");
	/* Too large for any queue, and told as what it is. */
	CHECK_U64(say_view(id, wr_view_of(large, sizeof large)), WR_SOURCE_REJECTED);
	say_text("run me");
	say_text("wait again");
	CHECK_U64(told()->queued_inputs, 2);
	CHECK((told()->can & WR_CAN_INPUT) != 0);
	CHECK_STRING(VIEW(told()->phase), "busy");
	CHECK_U64(say_view(id, VIEW("one too many")), WR_SOURCE_REJECTED);
	CHECK_U64(about(WR_SOURCE_INTERRUPT, id), WR_SOURCE_ACCEPTED);
	at = await_text(&watcher, at, "\"text_done\",\"data\":{\"text\":\"run me\"}");
	at = await_text(&watcher, at, "waiting to be cancelled");
	CHECK_U64(told()->queued_inputs, 0);
	first = say_text("never");
	second = say_text("never ever");
	CHECK_U64(about(WR_SOURCE_CANCEL, id), WR_SOURCE_ACCEPTED);
	for (unsigned again = 0; again < 2; again++) {
		CHECK(asked.result.has_dropped && asked.dropped_count == 2);
		CHECK(asked.dropped[0] == first && asked.dropped[1] == second);
		CHECK_U64(about(again == 0 ? WR_SOURCE_STOP : WR_SOURCE_CANCEL, id),
			  WR_SOURCE_ACCEPTED);
	}
	snprintf(text, sizeof text, "\"event\":\"shutdown\",\"dropped_inputs\":[%llu,%llu]",
		 (unsigned long long)first, (unsigned long long)second);
	await_text(&watcher, at, text);
	CHECK_U64(told()->queued_inputs, 0);
	wr_watcher_close(&watcher);
}

#define AGENT_RUN(name, source)                                              \
	static void test_a_queue_is_counted_given_and_named__by_##name(void) \
	{                                                                    \
		world.has_agent = true;                                      \
		run_on(source, test_a_queue_is_counted_given_and_named);     \
	}
AGENT_RUN(embedded, WR_HANDLES_EMBEDDED)
AGENT_RUN(embedded_fs, WR_HANDLES_EMBEDDED_FS)
AGENT_RUN(remote, WR_HANDLES_REMOTE)
AGENT_RUN(remote_fs, WR_HANDLES_REMOTE_FS)

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_queue_is_counted_given_and_named__by_embedded, 30),
	WR_TEST_LIMIT(test_a_queue_is_counted_given_and_named__by_embedded_fs, 30),
	WR_TEST_LIMIT(test_a_queue_is_counted_given_and_named__by_remote, 30),
	WR_TEST_LIMIT(test_a_queue_is_counted_given_and_named__by_remote_fs, 30),
	WR_TEST_END,
};
