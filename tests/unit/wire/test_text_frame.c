/* Goal: a frame of any payload is well formed and leaves nothing behind when it fails. Method: the
 * payload sizes at which the header changes, behind other content; small and failing buffers. */
#include "check.h"
#include "harness/harness.h"
#include "unit/wire/frame_payload.h"
#include "wire/text_frame.h"

static enum wr_status make(struct wr_buf *out, size_t payload_bytes)
{
	size_t start = wr_text_frame_begin(out);

	for (size_t i = 0; i < payload_bytes; i++)
		wr_buf_append_byte(out, (char)('a' + i % 26));
	return wr_text_frame_end(out, start);
}

static void check_payload(struct wr_view frame, size_t payload_bytes)
{
	struct wr_view payload = frame_payload(frame);

	CHECK_U64(payload.bytes, payload_bytes);
	for (size_t i = 0; i < payload.bytes; i++)
		CHECK(payload.data[i] == (char)('a' + i % 26));
}

static void test_frames_of_every_header_length_are_well_formed(void)
{
	static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 70000};
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(sizes); i++) {
		wr_buf_init(&out, wr_test_allocator(), 200000);
		wr_buf_append(&out, "before", 6);
		CHECK_STATUS(make(&out, sizes[i]), WR_OK);
		CHECK(memcmp(out.data, "before", 6) == 0);
		check_payload(wr_view_skip(wr_buf_view(&out), 6), sizes[i]);
		wr_buf_deinit(&out);
	}
}

static void test_a_frame_that_does_not_fit_leaves_nothing(void)
{
	struct wr_buf out;

	for (size_t room = 0; room < 6 + 4 + 200; room++) {
		wr_buf_init(&out, wr_test_allocator(), room + 1);
		if (wr_buf_append(&out, "before", 6) == WR_OK) {
			CHECK_STATUS(make(&out, 201), WR_TOO_LARGE);
			CHECK_STRING(wr_buf_view(&out), "before");
		}
		wr_buf_deinit(&out);
	}
	/* The room for the longer header is asked for last. */
	wr_buf_init(&out, wr_test_allocator(), 65536 + 4 + 5);
	CHECK_STATUS(make(&out, 65536), WR_TOO_LARGE);
	CHECK_U64(out.bytes, 0);
	wr_buf_deinit(&out);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_frames_of_every_header_length_are_well_formed),
	WR_TEST(test_a_frame_that_does_not_fit_leaves_nothing),
	WR_TEST_END,
};
