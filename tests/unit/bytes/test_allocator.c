/* Goal: the sum in use is exact, never passes the maximum, and a failure changes nothing. Method: a
 * source of memory that can be told to fail, driven through each kind of request. */
#include "bytes/allocator.h"

#include "check.h"
#include "harness/harness.h"

struct source {
	struct wr_allocator allocator;
	unsigned calls;
	bool fails;
};

static void *resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	struct source *source = wr_container_of(self, struct source, allocator);

	(void)old_bytes;
	source->calls++;
	if (new_bytes == 0) {
		free(old);
		return NULL;
	}
	return source->fails ? NULL : realloc(old, new_bytes);
}

static struct source source_of(size_t max)
{
	return (struct source){.allocator = {.resize = resize, .max = max}};
}

static void test_use_and_peak_are_counted(void)
{
	struct source source = source_of(SIZE_MAX);
	struct wr_allocator *allocator = &source.allocator;
	char *a = wr_allocator_take(allocator, 100), *b = wr_allocator_take_zeroed(allocator, 50);

	CHECK(a != NULL && b != NULL);
	for (size_t i = 0; i < 50; i++)
		CHECK(b[i] == 0);
	CHECK_U64(allocator->used, 150);
	memset(a, 'a', 100);
	a = wr_allocator_resize(allocator, a, 100, 400);
	CHECK(a != NULL && a[0] == 'a' && a[99] == 'a');
	CHECK_U64(allocator->used, 450);
	a = wr_allocator_resize(allocator, a, 400, 10);
	CHECK(a != NULL && a[9] == 'a');
	CHECK_U64(allocator->used, 60);
	wr_allocator_free(allocator, a, 10);
	wr_allocator_free(allocator, b, 50);
	wr_allocator_free(allocator, NULL, 0);
	CHECK_U64(allocator->used, 0);
	CHECK_U64(allocator->peak, 450);
}

static void test_beyond_the_maximum_is_refused_without_asking(void)
{
	struct source source = source_of(100);
	struct wr_allocator *allocator = &source.allocator;
	void *a = wr_allocator_take(allocator, 60);

	CHECK(a != NULL);
	CHECK(wr_allocator_take(allocator, 41) == NULL);
	CHECK(wr_allocator_take_zeroed(allocator, SIZE_MAX) == NULL);
	CHECK(wr_allocator_resize(allocator, a, 60, 101) == NULL);
	CHECK(wr_allocator_resize(allocator, a, 60, SIZE_MAX) == NULL);
	CHECK_U64(source.calls, 1);
	CHECK_U64(allocator->used, 60);
	a = wr_allocator_resize(allocator, a, 60, 100);
	CHECK(a != NULL);
	CHECK_U64(allocator->used, 100);
	wr_allocator_free(allocator, a, 100);
}

static void test_a_failed_request_changes_nothing(void)
{
	struct source source = source_of(SIZE_MAX);
	struct wr_allocator *allocator = &source.allocator;
	char *a = wr_allocator_take(allocator, 8);

	CHECK(a != NULL);
	memcpy(a, "content", 8);
	source.fails = true;
	CHECK(wr_allocator_take(allocator, 1) == NULL);
	CHECK(wr_allocator_take_zeroed(allocator, 1) == NULL);
	CHECK(wr_allocator_resize(allocator, a, 8, 16) == NULL);
	CHECK(wr_allocator_resize(allocator, a, 8, 4) == NULL); /* shrinking may fail too */
	CHECK_U64(allocator->used, 8);
	CHECK_U64(allocator->peak, 8);
	CHECK_STRING(wr_view_of_string(a), "content");
	wr_allocator_free(allocator, a, 8);
	CHECK_U64(allocator->used, 0);
}

static void test_percentages_of_the_maximum(void)
{
	static const struct {
		size_t used, max;
		unsigned percent;
		bool is_above;
	} cases[] = {
		{0, 1000000, 75, false},
		{749999, 1000000, 75, false},
		{750000, 1000000, 75, true},
		{1000000, 1000000, 100, true},
		{999999, 1000000, 100, false},
		{0, SIZE_MAX, 1, false},
		{SIZE_MAX / 2, SIZE_MAX, 75, false},
		{SIZE_MAX / 5 * 4, SIZE_MAX, 75, true},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_allocator allocator = {.used = cases[i].used, .max = cases[i].max};

		CHECK(wr_allocator_is_above(&allocator, cases[i].percent) == cases[i].is_above);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_use_and_peak_are_counted),
	WR_TEST(test_beyond_the_maximum_is_refused_without_asking),
	WR_TEST(test_a_failed_request_changes_nothing),
	WR_TEST(test_percentages_of_the_maximum),
	WR_TEST_END,
};
