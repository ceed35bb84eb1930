/* Goal: a cursor of a browser says where it stands to this Backend, and to a later life of it, and
 * nothing to anybody else. Method: tokens made elsewhere from the header's words; random round
 * trips; every single character of a token exchanged for every byte; a table of refused tokens. */
#include "backend/cursor.h"

#include "check.h"
#include "harness/harness.h"

static struct wr_cursor_mask mask_of(const char *runtime_id)
{
	struct wr_cursor_mask mask;

	wr_cursor_mask_init(&mask, wr_view_of_string(runtime_id));
	return mask;
}

static void check_equal(const struct wr_backend_cursor *a, const struct wr_backend_cursor *b)
{
	CHECK(memcmp(a->log_tag, b->log_tag, WR_LOG_TAG_BYTES) == 0);
	CHECK_U64(a->generation, b->generation);
	CHECK_U64(a->worker_tag, b->worker_tag);
	CHECK_U64(a->sequence, b->sequence);
}

static bool is_equal(const struct wr_backend_cursor *a, const struct wr_backend_cursor *b)
{
	return memcmp(a->log_tag, b->log_tag, WR_LOG_TAG_BYTES) == 0 &&
	       a->generation == b->generation && a->worker_tag == b->worker_tag &&
	       a->sequence == b->sequence;
}

/* Made by another program (Python's hashlib and base64): browsers have such tokens, and they must
 * be good after an update, too. */
static const struct {
	const char *runtime_id;
	struct wr_backend_cursor cursor;
	const char *token;
} known[] = {
	{"remote:build-box",
	 {{1, 2, 3, 4, 5, 6}, 0x070809, 0x1ed8c2b1, UINT64_C(0x1122334455667788)},
	 "bo_u7jtsj6QLyJiHQzH68iQ4vygujKz"},
	{"backend-internal", {{0}, 0, 0, 0}, "bo_V-i-Vj0gcVXilIGuY4mrMaRoZ_w9"},
	{"",
	 {{255, 255, 255, 255, 255, 255}, 0xffffff, UINT32_MAX, UINT64_MAX},
	 "bo_nOKyHtYXAxG8VNSQ_6yRc64iFYhn"},
};

static void test_tokens_are_what_they_always_were(void)
{
	for (size_t i = 0; i < WR_COUNT(known); i++) {
		struct wr_cursor_mask mask = mask_of(known[i].runtime_id);
		struct wr_view token = wr_view_of_string(known[i].token);
		struct wr_backend_cursor back;
		char text[WR_CURSOR_BYTES];

		wr_test_case(known[i].token);
		wr_backend_cursor_format(text, &mask, &known[i].cursor);
		CHECK_VIEW(wr_view_of(text, sizeof text), token);
		CHECK_STATUS(wr_backend_cursor_parse(&back, &mask, wr_test_guarded(0, token)),
			     WR_OK);
		check_equal(&back, &known[i].cursor);
	}
	/* The first bytes of SHA-256 of the id, and of nothing. */
	CHECK_U64(wr_worker_tag(WR_VIEW("worker-00000001")), 0x1ed8c2b1);
	CHECK_U64(wr_worker_tag(WR_VIEW("")), 0xe3b0c442);
}

static struct wr_backend_cursor random_cursor(uint64_t *seed)
{
	struct wr_backend_cursor cursor = {
		.generation = (uint32_t)wr_test_random(seed) & 0xffffff,
		.worker_tag = (uint32_t)wr_test_random(seed),
		.sequence = wr_test_random(seed) >> (wr_test_random(seed) & 63),
	};

	for (unsigned i = 0; i < WR_LOG_TAG_BYTES; i++)
		cursor.log_tag[i] = (uint8_t)wr_test_random(seed);
	return cursor;
}

static void test_every_cursor_comes_back(void)
{
	struct wr_cursor_mask mask = mask_of("rt-a");
	uint64_t seed = wr_test_seed();

	for (unsigned i = 0; i < 20000; i++) {
		struct wr_backend_cursor cursor = random_cursor(&seed), back;
		char text[WR_CURSOR_BYTES];

		wr_backend_cursor_format(text, &mask, &cursor);
		CHECK_STATUS(
			wr_backend_cursor_parse(&back, &mask,
						wr_test_guarded(0, wr_view_of(text, sizeof text))),
			WR_OK);
		check_equal(&back, &cursor);
	}
}

static void test_a_token_is_no_cursor_of_a_runtime_and_shows_none(void)
{
	struct wr_cursor_mask mask = mask_of("rt-a");
	uint64_t seed = wr_test_seed();

	for (unsigned i = 0; i < 2000; i++) {
		struct wr_backend_cursor cursor = random_cursor(&seed);
		struct wr_cursor inner = {.generation = cursor.generation,
					  .worker = cursor.worker_tag,
					  .sequence = cursor.sequence};
		char text[WR_CURSOR_BYTES], runtime_text[WR_CURSOR_BYTES];

		memcpy(inner.log_tag, cursor.log_tag, sizeof inner.log_tag);
		wr_backend_cursor_format(text, &mask, &cursor);
		wr_cursor_format(runtime_text, &inner);
		CHECK(memcmp(text + 3, runtime_text + 3, 4) != 0);
		CHECK_STATUS(wr_cursor_parse(&inner, wr_view_of(text, sizeof text)), WR_MALFORMED);
	}
}

/* The log is told apart, so such a token is unknown to who judges it. */
static void test_a_token_of_another_runtime_is_another_cursor(void)
{
	static const char *const ids[] = {"", "rt-a", "rt-b", "remote:build-box", "rt-a "};
	uint64_t seed = wr_test_seed();

	for (size_t i = 0; i < WR_COUNT(ids); i++) {
		for (size_t k = 0; k < WR_COUNT(ids); k++) {
			struct wr_cursor_mask mine = mask_of(ids[i]), other = mask_of(ids[k]);
			struct wr_backend_cursor cursor = random_cursor(&seed), back;
			char text[WR_CURSOR_BYTES];

			wr_backend_cursor_format(text, &mine, &cursor);
			CHECK_STATUS(wr_backend_cursor_parse(&back, &other,
							     wr_view_of(text, sizeof text)),
				     WR_OK);
			CHECK(i == k ? is_equal(&back, &cursor)
				     : memcmp(back.log_tag, cursor.log_tag, WR_LOG_TAG_BYTES) != 0);
		}
	}
}

static void test_one_cursor_has_one_spelling(void)
{
	struct wr_cursor_mask mask = mask_of(known[0].runtime_id);
	struct wr_backend_cursor back;
	char text[WR_CURSOR_BYTES];

	for (size_t at = 0; at < sizeof text; at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			enum wr_status status;

			memcpy(text, known[0].token, sizeof text);
			if (text[at] == (char)byte)
				continue;
			text[at] = (char)byte;
			status = wr_backend_cursor_parse(
				&back, &mask, wr_test_guarded(0, wr_view_of(text, sizeof text)));
			CHECK(status == WR_MALFORMED ||
			      (status == WR_OK && !is_equal(&back, &known[0].cursor)));
		}
	}
}

static void test_every_front_of_a_token_is_refused(void)
{
	struct wr_cursor_mask mask = mask_of(known[0].runtime_id);
	struct wr_backend_cursor back;

	for (size_t bytes = 0; bytes < WR_CURSOR_BYTES; bytes++)
		CHECK_STATUS(wr_backend_cursor_parse(
				     &back, &mask,
				     wr_test_guarded(0, wr_view_of(known[0].token, bytes))),
			     WR_MALFORMED);
}

static const struct {
	const char *token;
	enum wr_status status;
} refused[] = {
	/* As older Backends gave them. */
	{"bo_0000000000000000", WR_UNKNOWN},
	{"bo_0000000000000003", WR_UNKNOWN},
	{"bo_ffffffffffffffff", WR_UNKNOWN},
	{"bo_00000000000000Af", WR_UNKNOWN},
	{"bo_000000000000000g", WR_MALFORMED},
	{"bo_000000000000000-", WR_MALFORMED},
	{"bo_ 00000000000000a", WR_MALFORMED},
	{"bo_000000000000003", WR_MALFORMED},
	{"bo_00000000000000003", WR_MALFORMED},
	/* Nothing of ours. */
	{"", WR_MALFORMED},
	{"bad", WR_MALFORMED},
	{"bo", WR_MALFORMED},
	{"bo_", WR_MALFORMED},
	{"BO_u7jtsj6QLyJiHQzH68iQ4vygujKz", WR_MALFORMED},
	{"bo-u7jtsj6QLyJiHQzH68iQ4vygujKz", WR_MALFORMED},
	{"u7jtsj6QLyJiHQzH68iQ4vygujKz", WR_MALFORMED},
	{"bo_u7jtsj6QLyJiHQzH68iQ4vygujKz=", WR_MALFORMED},
	{"bo_u7jtsj6QLyJiHQzH68iQ4vygujKzA", WR_MALFORMED},
	{"bo_u7jtsj6QLyJiHQzH68iQ4vygujK ", WR_MALFORMED},
	{" bo_u7jtsj6QLyJiHQzH68iQ4vygujKz", WR_MALFORMED},
	{"bo_u7jtsj6QLyJiHQzH68iQ4vygujK+", WR_MALFORMED},
	{"bo_u7jtsj6QLyJiHQzH68iQ4vygujK/", WR_MALFORMED},
	/* A Runtime's. */
	{"wo_oKCgoKCgAAABAAAAAQAAAAAAAAAH", WR_MALFORMED},
	{"re_oKCgoKCgAAABAAAAAAAAAAAAAAAH", WR_MALFORMED},
	{"wo_0000000000000000", WR_MALFORMED},
};

static void test_what_is_no_token_is_refused(void)
{
	struct wr_cursor_mask mask = mask_of("rt-a");
	struct wr_backend_cursor back;

	for (size_t i = 0; i < WR_COUNT(refused); i++) {
		struct wr_view token = wr_test_guarded(0, wr_view_of_string(refused[i].token));

		wr_test_case(refused[i].token);
		CHECK_STATUS(wr_backend_cursor_parse(&back, &mask, token), refused[i].status);
	}
	CHECK_STATUS(wr_backend_cursor_parse(&back, &mask, WR_VIEW_NULL), WR_MALFORMED);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_tokens_are_what_they_always_were),
	WR_TEST(test_every_cursor_comes_back),
	WR_TEST(test_a_token_is_no_cursor_of_a_runtime_and_shows_none),
	WR_TEST(test_a_token_of_another_runtime_is_another_cursor),
	WR_TEST(test_one_cursor_has_one_spelling),
	WR_TEST(test_every_front_of_a_token_is_refused),
	WR_TEST(test_what_is_no_token_is_refused),
	WR_TEST_END,
};
