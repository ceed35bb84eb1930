#include "fuzz.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- checks: harness.h, outside of a test ---- */

static const char *current_case;

_Noreturn void wr_test_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
	if (current_case != NULL)
		fprintf(stderr, "case: %s\n", current_case);
	abort();
}

void wr_test_check_status(const char *file, int line, const char *what, enum wr_status actual,
			  enum wr_status expected)
{
	if (actual == expected)
		return;
	fprintf(stderr, "%s, expected %s\n", wr_status_name(actual), wr_status_name(expected));
	wr_test_fail(file, line, what);
}

void wr_test_check_u64(const char *file, int line, const char *what, uint64_t actual,
		       uint64_t expected)
{
	if (actual == expected)
		return;
	fprintf(stderr, "%llu, expected %llu\n", (unsigned long long)actual,
		(unsigned long long)expected);
	wr_test_fail(file, line, what);
}

static void print_view(struct wr_view view)
{
	for (size_t i = 0; i < view.bytes; i++) {
		unsigned char byte = (unsigned char)view.data[i];
		fprintf(stderr, byte >= 0x20 && byte < 0x7f ? "%c" : "\\x%02x", byte);
	}
	fputc('\n', stderr);
}

void wr_test_check_view(const char *file, int line, const char *what, struct wr_view actual,
			struct wr_view expected)
{
	if (wr_view_equal(actual, expected))
		return;
	print_view(actual);
	print_view(expected);
	wr_test_fail(file, line, what);
}

void wr_test_case(const char *label)
{
	current_case = label;
}

/* splitmix64 */
uint64_t wr_test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* ---- memory ---- */

static struct {
	uint64_t countdown; /* 0: none fails */
	bool forever, failed;
} faults;

static void *resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	(void)self;
	if (new_bytes == 0) {
		free(old);
		return NULL;
	}
	if (new_bytes > old_bytes && faults.countdown != 0 && --faults.countdown == 0) {
		faults.failed = true;
		faults.countdown = faults.forever ? 1 : 0;
		return NULL;
	}
	return realloc(old, new_bytes);
}

static struct wr_allocator allocator = {.resize = resize, .max = SIZE_MAX};

struct wr_allocator *wr_test_allocator(void)
{
	return &allocator;
}

void wr_test_fail_allocation(uint64_t n, bool forever)
{
	faults.countdown = n;
	faults.forever = forever;
	faults.failed = false;
}

bool wr_test_allocation_failed(void)
{
	return faults.failed;
}

enum { GUARDED_BYTES = 1 << 21, GUARDED_SLOTS = 4 };

/* Mapped once: a call per input would cost more than most targets. */
static char *guarded_end(unsigned slot)
{
	static char *ends[GUARDED_SLOTS];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *block;

	CHECK(slot < WR_COUNT(ends));
	if (ends[slot] != NULL)
		return ends[slot];
	block = mmap(NULL, GUARDED_BYTES + page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(block != MAP_FAILED);
	CHECK(mprotect(block + GUARDED_BYTES, page, PROT_NONE) == 0);
	ends[slot] = block + GUARDED_BYTES;
	return ends[slot];
}

struct wr_view wr_test_guarded(unsigned slot, struct wr_view bytes)
{
	return fuzz_join(slot, bytes, WR_VIEW_NULL);
}

/* ---- a target ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	wr_test_fail_allocation(0, false);
	wr_test_case(NULL);
	fuzz_one(wr_view_of(data, bytes));
	wr_test_fail_allocation(0, false);
	CHECK_U64(allocator.used, 0);
	return 0;
}

/* ---- options ---- */

struct wr_view fuzz_take(struct wr_view *input, size_t bytes)
{
	struct wr_view taken = wr_view_of(input->data, bytes < input->bytes ? bytes : input->bytes);

	if (taken.bytes != 0)
		*input = wr_view_skip(*input, taken.bytes);
	return taken;
}

uint64_t fuzz_u64(struct wr_view *input)
{
	uint64_t high = fuzz_u32(input);

	return high << 32 | fuzz_u32(input);
}

uint32_t fuzz_u32(struct wr_view *input)
{
	uint32_t high = fuzz_u16(input);

	return high << 16 | fuzz_u16(input);
}

uint16_t fuzz_u16(struct wr_view *input)
{
	unsigned high = fuzz_u8(input);

	return (uint16_t)(high << 8 | fuzz_u8(input));
}

uint8_t fuzz_u8(struct wr_view *input)
{
	struct wr_view byte = fuzz_take(input, 1);

	return byte.bytes == 0 ? 0 : (uint8_t)*byte.data;
}

/* ---- pieces ---- */

struct fuzz_cuts fuzz_cuts_of(uint8_t option)
{
	return (struct fuzz_cuts){option, option};
}

size_t fuzz_cut(struct fuzz_cuts *self, size_t given, size_t total)
{
	size_t piece = 1;

	if (self->size_max != 0)
		piece += (size_t)(wr_test_random(&self->random) % self->size_max);
	return piece < total - given ? given + piece : total;
}

/* ---- views ---- */

struct wr_view fuzz_join(unsigned slot, struct wr_view a, struct wr_view b)
{
	char *at = guarded_end(slot);

	CHECK(a.bytes <= GUARDED_BYTES && b.bytes <= GUARDED_BYTES - a.bytes);
	at -= a.bytes + b.bytes;
	if (a.bytes != 0)
		memmove(at, a.data, a.bytes);
	if (b.bytes != 0)
		memmove(at + a.bytes, b.data, b.bytes);
	return wr_view_of(at, a.bytes + b.bytes);
}

bool fuzz_lies_in(struct wr_view view, struct wr_view whole)
{
	uintptr_t at = (uintptr_t)view.data, begin = (uintptr_t)whole.data;

	if (view.data == NULL)
		return view.bytes == 0;
	return at >= begin && at - begin <= whole.bytes &&
	       view.bytes <= whole.bytes - (size_t)(at - begin);
}

struct wr_view fuzz_suffix(uint8_t option)
{
	static const struct wr_view suffixes[] = {
		WR_VIEW_INIT("\r\n\r\n"), WR_VIEW_INIT("\n"),	WR_VIEW_INIT("0"),
		WR_VIEW_INIT(" "),	  WR_VIEW_INIT("\""),	WR_VIEW_INIT("]"),
		WR_VIEW_INIT("}"),	  WR_VIEW_INIT("\0"),	WR_VIEW_INIT("\200"),
		WR_VIEW_INIT("\377"),	  WR_VIEW_INIT("aaaa"), WR_VIEW_INIT("0\r\n\r\n"),
	};

	return suffixes[option % WR_COUNT(suffixes)];
}
