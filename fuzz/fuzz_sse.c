/*
 * A text/event-stream in pieces. Options: cuts, limit of a line, limit of an event, which
 * allocation fails. Oracles: a naive reader that has the whole text tells the same events, in the
 * same order, and the same end; what is lent is read before the next call; memory stays within both
 * limits.
 */
#include "codec/sse/sse.h"
#include "fuzz.h"
#include "naive/sse.h"

enum { ROOM = 1 << 16 };

struct story {
	struct wr_buf text;
	char room[ROOM];
};

static void tell_event(void *context, struct wr_view type, struct wr_view data, struct wr_view id)
{
	struct wr_buf *text = context;

	wr_buf_append_u64(text, type.bytes);
	wr_buf_append_byte(text, ' ');
	wr_buf_append_view(text, type);
	wr_buf_append_u64(text, data.bytes);
	wr_buf_append_byte(text, ' ');
	wr_buf_append_view(text, data);
	wr_buf_append_u64(text, id.bytes);
	wr_buf_append_byte(text, ' ');
	wr_buf_append_view(text, id);
}

static enum wr_status tell_cut(struct story *self, struct wr_view input, struct fuzz_cuts cuts,
			       struct naive_sse_limits limits)
{
	const size_t room = limits.line_bytes_max + limits.data_bytes_max;
	enum wr_status status = WR_MORE;
	struct wr_sse_reader reader;
	struct wr_sse_event event;
	struct wr_buf buf;

	wr_buf_init_fixed(&self->text, self->room, sizeof self->room);
	wr_buf_init(&buf, wr_test_allocator(), room);
	wr_sse_reader_init(&reader, &buf, limits.line_bytes_max, limits.data_bytes_max);
	for (size_t given = 0; given < input.bytes && status == WR_MORE;) {
		size_t next = fuzz_cut(&cuts, given, input.bytes);

		wr_sse_reader_feed(
			&reader, wr_test_guarded(1, wr_view_of(input.data + given, next - given)));
		while ((status = wr_sse_reader_next(&reader, &event)) == WR_OK)
			tell_event(&self->text, event.type, event.data, event.id);
		CHECK(buf.bytes <= room);
		given = next;
	}
	if (status != WR_MORE)
		CHECK_STATUS(wr_sse_reader_next(&reader, &event), status);
	wr_buf_deinit(&buf);
	return status;
}

void fuzz_one(struct wr_view input)
{
	static struct story naive, cut;
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input));
	const struct naive_sse_limits limits = {
		.line_bytes_max = 3 + (size_t)fuzz_u8(&input),
		.data_bytes_max = 1 + (size_t)fuzz_u8(&input) * 2,
		.name_bytes_max = WR_SSE_NAME_BYTES_MAX,
	};
	uint8_t failing = fuzz_u8(&input);
	enum wr_status status;
	bool is_good;

	if (input.bytes > 1024) /* an id is told with every event */
		return;
	wr_buf_init_fixed(&naive.text, naive.room, sizeof naive.room);
	is_good = naive_sse_read(limits, input, tell_event, &naive.text);
	CHECK_STATUS(wr_buf_status(&naive.text), WR_OK);
	CHECK_STATUS(tell_cut(&cut, input, cuts, limits), is_good ? WR_MORE : WR_TOO_LARGE);
	CHECK_VIEW(wr_buf_view(&cut.text), wr_buf_view(&naive.text));
	wr_test_fail_allocation(failing, false);
	status = tell_cut(&cut, input, cuts, limits);
	if (!wr_test_allocation_failed())
		CHECK_VIEW(wr_buf_view(&cut.text), wr_buf_view(&naive.text));
	else
		CHECK_STATUS(status, WR_NO_MEMORY);
	wr_test_fail_allocation(0, false);
}
