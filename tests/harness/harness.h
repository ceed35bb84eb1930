/*
 * harness — one process per test, with a time limit.
 *
 * A test file is a table at its end:
 *
 *	const struct wr_test wr_tests[] = {
 *		WR_TEST(test_empty_input_asks_for_more),
 *		WR_TEST_LIMIT(test_long_thing, 60),
 *		WR_TEST_END
 *	};
 *
 * and a program by linking harness.c. `prog --list` names the tests, `prog NAME` runs those whose
 * name contains NAME, `-j N` runs N at a time, `--no-fork NAME` runs one in this process (for a
 * debugger). A test fails by a failed check, a crash, or its time limit; it may say that something
 * could not be tested here, which is printed and counted apart. The last line is
 * `N passed, N failed, N skipped`.
 */
#ifndef WR_TESTS_HARNESS_H
#define WR_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes/allocator.h"
#include "bytes/view.h"
#include "status.h"

struct wr_test {
	const char *name;
	void (*run)(void);
	unsigned limit_s;
};

#define WR_TEST(function)               \
	{                               \
#function, function, 10 \
	}
#define WR_TEST_LIMIT(function, seconds)     \
	{                                    \
#function, function, seconds \
	}
#define WR_TEST_END           \
	{                     \
		NULL, NULL, 0 \
	}

extern const struct wr_test wr_tests[];

/* Ends the test as failed unless the condition holds. */
#define CHECK(condition) \
	((condition) ? (void)0 : wr_test_fail(__FILE__, __LINE__, "CHECK(" #condition ")"))

#define CHECK_STATUS(actual, expected) \
	wr_test_check_status(__FILE__, __LINE__, #actual, (actual), (expected))
#define CHECK_U64(actual, expected) \
	wr_test_check_u64(__FILE__, __LINE__, #actual, (uint64_t)(actual), (uint64_t)(expected))
#define CHECK_VIEW(actual, expected) \
	wr_test_check_view(__FILE__, __LINE__, #actual, (actual), (expected))
#define CHECK_STRING(actual, literal) CHECK_VIEW((actual), wr_view_of_string(literal))

_Noreturn void wr_test_fail(const char *file, int line, const char *what);
void wr_test_check_status(const char *file, int line, const char *what, enum wr_status actual,
			  enum wr_status expected);
void wr_test_check_u64(const char *file, int line, const char *what, uint64_t actual,
		       uint64_t expected);
void wr_test_check_view(const char *file, int line, const char *what, struct wr_view actual,
			struct wr_view expected);

/* Says which row of a table of cases is being run; printed when a check fails. The string is
 * borrowed until the next call. */
void wr_test_case(const char *label);

/* Ends the test as skipped, with the reason. */
_Noreturn void wr_test_skip(const char *reason);

/* Whether valgrind runs this (WR_TEST_VALGRIND is in the environment): it keeps the limit of
 * descriptors and some signals to itself. */
bool wr_test_is_in_valgrind(void);

/* A number from --seed or the clock, printed when the test fails. */
uint64_t wr_test_seed(void);

/* The next number of a simple reproducible sequence (splitmix64). */
uint64_t wr_test_random(uint64_t *state);

/* A time to wait at most, times WR_TEST_TIME_FACTOR of the environment: for emulators, valgrind and
 * other slow machines. Time limits of tests are multiplied alike. */
uint64_t wr_test_patience(uint64_t ms);

/* An allocator over malloc without limit, checked at the end of a passing test: bytes still in
 * use are a failure. One per process. */
struct wr_allocator *wr_test_allocator(void);

/* Makes the n-th allocation (from 1) of wr_test_allocator from now on fail, and with `forever` all
 * after it; 0 stops that. Returns nothing; wr_test_allocation_failed tells whether it happened. */
void wr_test_fail_allocation(uint64_t n, bool forever);
bool wr_test_allocation_failed(void);

/* A copy of the bytes whose last byte lies against an unmapped page, so that reading one byte too
 * many is a crash. Valid until the next call with the same slot (0..3). */
struct wr_view wr_test_guarded(unsigned slot, struct wr_view bytes);

/* mkdtemp: the last six characters of `path`, "XXXXXX", become those of a folder that is new. It is
 * gone with all that is in it when the test has ended, however it ended. Fails the test when there
 * is none to be had. */
void wr_test_make_folder(char *path);

/* Reads a whole file, NUL-terminated beyond its size; fails the test when it cannot. Kept until
 * the process ends. wr_test_find_file is false, without failing, when there is none. */
struct wr_view wr_test_read_file(const char *path);
bool wr_test_find_file(const char *path);

/* The path of a program of this system, by PATH; ends the test as skipped when there is none. One
 * of some static places. */
const char *wr_test_program(const char *name);

/* The folder of shared reference data (WR_SHARED in the environment, else "../shared"), or NULL
 * when it is not there. */
const char *wr_test_shared(void);

#endif
