/*
 * What a child writes: a stream of bytes as lines, each line as a message, and bytes as text.
 * Options: cuts; longest line; which allocation fails.
 *
 * Lines are those found by looking at one byte after the other, however they are cut; a line that
 * is too long is told once; messages: documents.h, and an output is written as an event that reads
 * the same; text made of bytes is valid, and the same when they were.
 */
#include "execution/jsonl.h"
#include "execution/line_reader.h"
#include "execution/lossy.h"
#include "outputs.h"

enum { ROOM = 1 << 17, MARK_BYTES = 64 };

/* What came of the lines, as text. */
struct story {
	struct wr_buf buf;
	char room[ROOM];
};

static void tell(struct story *self, enum wr_status status, struct wr_view line)
{
	wr_buf_append_view(&self->buf, wr_view_of_string(wr_status_name(status)));
	wr_buf_append_byte(&self->buf, ' ');
	if (status == WR_OK)
		wr_buf_append_view(&self->buf, line);
	wr_buf_append_byte(&self->buf, '\n');
}

static void tell_naively(struct story *self, struct wr_view input, size_t line_max)
{
	size_t from = 0;

	wr_buf_init_fixed(&self->buf, self->room, sizeof self->room);
	for (size_t at = 0; at <= input.bytes; at++) {
		struct wr_view line = wr_view_of(input.data + from, at - from);
		bool is_end = at == input.bytes;

		if (is_end ? line.bytes == 0 : input.data[at] != '\n')
			continue;
		from = at + 1;
		if (line.bytes > line_max) {
			tell(self, WR_TOO_LARGE, WR_VIEW_NULL);
			continue;
		}
		if (line.bytes != 0 && line.data[line.bytes - 1] == '\r')
			line.bytes--;
		tell(self, WR_OK, line);
	}
}

static void tell_cut(struct story *self, struct wr_view input, struct fuzz_cuts cuts,
		     size_t line_max)
{
	struct wr_line_reader reader;
	struct wr_view line;
	enum wr_status status;

	wr_buf_init_fixed(&self->buf, self->room, sizeof self->room);
	wr_line_reader_init(&reader, wr_test_allocator(), line_max);
	for (size_t given = 0; given < input.bytes;) {
		size_t next = fuzz_cut(&cuts, given, input.bytes);

		wr_line_reader_feed(
			&reader, wr_test_guarded(1, wr_view_of(input.data + given, next - given)));
		while ((status = wr_line_reader_next(&reader, &line)) != WR_MORE)
			tell(self, status, line);
		given = next;
	}
	while ((status = wr_line_reader_end(&reader, &line)) != WR_MORE)
		tell(self, status, line);
	wr_line_reader_deinit(&reader);
}

static void check_lines(struct wr_view input, struct fuzz_cuts cuts, size_t line_max,
			uint8_t failing)
{
	static struct story naive, cut;

	tell_naively(&naive, input, line_max);
	tell_cut(&cut, input, cuts, line_max);
	CHECK_VIEW(wr_buf_view(&cut.buf), wr_buf_view(&naive.buf));
	wr_test_fail_allocation(failing, false);
	tell_cut(&cut, input, cuts, line_max);
	if (!wr_test_allocation_failed())
		CHECK_VIEW(wr_buf_view(&cut.buf), wr_buf_view(&naive.buf));
	wr_test_fail_allocation(0, false);
}

static enum wr_status read_message(struct documents_meaning *meaning, struct wr_buf *texts,
				   struct wr_view line)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_jsonl_message message;
	enum wr_status status = wr_jsonl_read(&message, texts, line, &error);

	if (status != WR_OK) {
		CHECK_STATUS(error.status, status);
		CHECK(error.offset <= line.bytes);
		return status;
	}
	documents_number(meaning, message.kind);
	if (message.kind == WR_JSONL_DONE)
		documents_number(meaning, message.result);
	if (message.kind != WR_JSONL_OUTPUT)
		return status;
	outputs_tell(meaning, &message.output);
	wr_test_fail_allocation(0, false);
	outputs_check_written(&message.output);
	return status;
}

static void check_messages(struct wr_view input, uint8_t failing)
{
	while (input.bytes != 0) {
		const char *end = memchr(input.data, '\n', input.bytes);
		size_t bytes = end != NULL ? (size_t)(end - input.data) : input.bytes;

		documents_check(read_message, wr_view_of(input.data, bytes), failing);
		input = wr_view_skip(input, bytes + (end != NULL));
	}
}

static void check_text(struct wr_view input)
{
	char short_room[MARK_BYTES];
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 3 * input.bytes + 1);
	CHECK_STATUS(wr_lossy_append(&out, input), WR_OK);
	CHECK(wr_utf8_is_valid(wr_buf_view(&out)));
	if (wr_utf8_is_valid(input))
		CHECK_VIEW(wr_buf_view(&out), input);
	wr_buf_deinit(&out);
	wr_buf_init_fixed(&out, short_room, sizeof short_room);
	wr_lossy_append_message(&out, input);
	CHECK(wr_utf8_is_valid(wr_buf_view(&out)));
	for (size_t i = 0; i < out.bytes; i++)
		CHECK(((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7f) ||
		      out.data[i] == '\n');
}

void fuzz_one(struct wr_view input)
{
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input));
	size_t line_max = 1 + (size_t)fuzz_u8(&input) * 4;
	uint8_t failing = fuzz_u8(&input);

	if (input.bytes > ROOM / 16)
		return;
	check_text(input);
	check_lines(input, cuts, line_max, failing);
	check_messages(input, failing);
}
