/*
 * each_handle — cases that are run against every source of a Backend: a case is a function of a
 * world that is open, and each gives a test per source.
 */
#ifndef WR_TESTS_E2E_EACH_HANDLE_H
#define WR_TESTS_E2E_EACH_HANDLE_H

#include "check.h"
#include "harness/handles.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MS = 8000, MIB = 1048576 };

static struct wr_handles world;
static struct wr_asked asked;
static char id[WR_HANDLES_ID_ROOM]; /* of a Worker */
static char large[2 * MIB + 16];    /* for contents */

#define CALL(...) (&(const struct wr_source_call){__VA_ARGS__})
#define VIEW(string) wr_view_of_string(string)

static inline bool can(unsigned bit)
{
	return wr_handles_can(&world, bit);
}

static inline enum wr_source_outcome ask(const struct wr_source_call *call)
{
	return wr_handles_ask(&world, &asked, call);
}

/* What is to be expected where the source has that, and else. */
static inline enum wr_source_outcome expect(unsigned bit, enum wr_source_outcome outcome)
{
	return can(bit) ? outcome : WR_SOURCE_UNSUPPORTED;
}

static inline enum wr_source_outcome list(uint32_t limit)
{
	return ask(CALL(.operation = WR_SOURCE_LIST, .as.list = {limit, LIST_MS}));
}

static inline enum wr_source_outcome about(enum wr_source_operation operation,
					   const char *worker_id)
{
	struct wr_source_call call = {.operation = operation, .worker_id = VIEW(worker_id)};

	if (operation == WR_SOURCE_INPUT)
		call.as.input.content = WR_VIEW("hello");
	if (operation == WR_SOURCE_TRANSCRIPT)
		call.as.page.limit = 200;
	return ask(&call);
}

static inline enum wr_source_outcome say_view(const char *worker_id, struct wr_view content)
{
	return ask(CALL(.operation = WR_SOURCE_INPUT, .worker_id = VIEW(worker_id),
			.as.input.content = content));
}

static inline void say(const char *worker_id, unsigned number)
{
	char text[32];

	snprintf(text, sizeof text, "input %u.", number);
	CHECK_U64(say_view(worker_id, VIEW(text)), WR_SOURCE_ACCEPTED);
}

static inline enum wr_source_outcome page(const char *worker_id, uint64_t start, uint32_t limit)
{
	return ask(CALL(.operation = WR_SOURCE_TRANSCRIPT, .worker_id = VIEW(worker_id),
			.as.page = {start, limit}));
}

/* ---- every case on every source ---- */

static inline void run_on(enum wr_handles_source source, void (*test)(void))
{
	wr_handles_open(&world, source);
	test();
	wr_handles_close(&world);
}

/* For a list of cases, X(name of the function): its tests, and their rows. */
#define EACH_RUN(test, name, source)               \
	static void test_##test##__by_##name(void) \
	{                                          \
		run_on(source, test);              \
	}
#define EACH_TEST(test)                                     \
	EACH_RUN(test, embedded, WR_HANDLES_EMBEDDED)       \
	EACH_RUN(test, embedded_fs, WR_HANDLES_EMBEDDED_FS) \
	EACH_RUN(test, remote, WR_HANDLES_REMOTE)           \
	EACH_RUN(test, remote_fs, WR_HANDLES_REMOTE_FS)     \
	EACH_RUN(test, local, WR_HANDLES_LOCAL)
#define EACH_ROW(test)                                            \
	WR_TEST_LIMIT(test_##test##__by_embedded, 30),            \
		WR_TEST_LIMIT(test_##test##__by_embedded_fs, 30), \
		WR_TEST_LIMIT(test_##test##__by_remote, 30),      \
		WR_TEST_LIMIT(test_##test##__by_remote_fs, 30),   \
		WR_TEST_LIMIT(test_##test##__by_local, 30),

#endif
