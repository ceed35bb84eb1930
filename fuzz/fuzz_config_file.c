/*
 * Configuration files. No options.
 *
 * What is read lies in the text, is UTF-8 and ends with a NUL; written down again it reads the
 * same; a file behind a good file reads as the one and then the other; a refusal names a line and
 * says something.
 */
#include "bytes/buf.h"
#include "bytes/utf8.h"
#include "fuzz.h"
#include "host/config_file.h"

enum { ROOM = 1 << 16, DUMP = 1 << 20 };

/* ---- writing ---- */

static void put_string(struct wr_buf *out, struct wr_view text)
{
	static const char digits[] = "0123456789abcdef";

	wr_buf_append_byte(out, '"');
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\')
			wr_buf_append_byte(out, text.data[i]);
		else
			wr_buf_append(
				out,
				(char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]},
				6);
	}
	wr_buf_append_byte(out, '"');
}

static void put_entry(struct wr_buf *out, const struct wr_config_entry *entry, bool *is_in_list)
{
	if (*is_in_list && entry->kind != WR_CONFIG_ITEM) {
		wr_buf_append_view(out, WR_VIEW("]\n"));
		*is_in_list = false;
	}
	switch (entry->kind) {
	case WR_CONFIG_END:
		return;
	case WR_CONFIG_SECTION:
	case WR_CONFIG_ELEMENT:
		wr_buf_append_view(out,
				   entry->kind == WR_CONFIG_SECTION ? WR_VIEW("[") : WR_VIEW("[["));
		wr_buf_append_view(out, entry->name);
		wr_buf_append_view(out, entry->kind == WR_CONFIG_SECTION ? WR_VIEW("]\n")
									 : WR_VIEW("]]\n"));
		return;
	case WR_CONFIG_ITEM:
		CHECK(*is_in_list);
		put_string(out, entry->text);
		wr_buf_append_view(out, WR_VIEW(",\n"));
		return;
	case WR_CONFIG_STRING:
	case WR_CONFIG_NUMBER:
	case WR_CONFIG_BOOLEAN:
	case WR_CONFIG_LIST:
		break;
	}
	wr_buf_append_view(out, entry->name);
	wr_buf_append_byte(out, '=');
	*is_in_list = entry->kind == WR_CONFIG_LIST;
	if (entry->kind == WR_CONFIG_STRING)
		put_string(out, entry->text);
	else if (entry->kind == WR_CONFIG_NUMBER)
		wr_buf_append_view(out, entry->text);
	else if (entry->kind == WR_CONFIG_BOOLEAN)
		wr_buf_append_view(out, entry->is_true ? WR_VIEW("true") : WR_VIEW("false"));
	wr_buf_append_view(out, *is_in_list ? WR_VIEW("[\n") : WR_VIEW("\n"));
}

/* ---- reading ---- */

struct outcome {
	enum wr_status status;
	struct wr_buf dump; /* in our spelling */
};

static void check_entry(const struct wr_config_entry *entry, struct wr_view text, uint32_t line)
{
	CHECK(entry->line >= 1 && entry->line <= line);
	CHECK(fuzz_lies_in(entry->name, text) && fuzz_lies_in(entry->text, text));
	if (entry->kind != WR_CONFIG_END)
		CHECK(entry->name.bytes >= 1 && entry->name.bytes <= WR_CONFIG_NAME_BYTES_MAX);
	if (entry->kind == WR_CONFIG_STRING || entry->kind == WR_CONFIG_ITEM) {
		CHECK(strlen(entry->text.data) == entry->text.bytes);
		CHECK(wr_utf8_is_valid(entry->text));
	} else if (entry->kind == WR_CONFIG_NUMBER) {
		for (size_t i = 0; i < entry->text.bytes; i++)
			CHECK(entry->text.data[i] >= '0' && entry->text.data[i] <= '9');
	}
}

static void read_text(struct outcome *out, struct wr_view text)
{
	struct wr_config_entry entry = {.kind = WR_CONFIG_LIST};
	struct wr_view copy = wr_test_guarded(1, text);
	struct wr_config_reader reader;
	uint32_t line_before = 1;
	bool is_in_list = false;

	wr_buf_init(&out->dump, wr_test_allocator(), DUMP);
	/* The copy is ours to be written to. */
	out->status = wr_config_reader_init(&reader, (char *)(uintptr_t)copy.data, copy.bytes);
	CHECK(out->status != WR_TOO_LARGE || text.bytes > WR_CONFIG_LINE_BYTES_MAX);
	CHECK((out->status == WR_ENCODING) <= !wr_utf8_is_valid(text));
	while (out->status == WR_OK && entry.kind != WR_CONFIG_END) {
		out->status = wr_config_reader_next(&reader, &entry);
		CHECK(out->status == WR_OK || out->status == WR_SYNTAX);
		CHECK(reader.line >= line_before);
		line_before = reader.line;
		if (out->status != WR_OK)
			break;
		check_entry(&entry, copy, reader.line);
		put_entry(&out->dump, &entry, &is_in_list);
	}
	CHECK((out->status == WR_OK) == (reader.detail == NULL));
	CHECK_STATUS(wr_buf_status(&out->dump), WR_OK);
}

static void check_written(const struct outcome *first)
{
	struct outcome again;

	read_text(&again, wr_buf_view(&first->dump));
	CHECK_STATUS(again.status, WR_OK);
	CHECK_VIEW(wr_buf_view(&again.dump), wr_buf_view(&first->dump));
	wr_buf_deinit(&again.dump);
}

/* The text, a line's end, and another one. */
static void check_behind(struct wr_view text, const struct outcome *first)
{
	struct outcome both;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), DUMP);
	wr_buf_append_view(&out, text);
	wr_buf_append_view(&out, WR_VIEW("\nlast = 1"));
	read_text(&both, wr_buf_view(&out));
	CHECK_STATUS(both.status, WR_OK);
	CHECK(wr_view_starts(wr_buf_view(&both.dump), wr_buf_view(&first->dump)));
	CHECK_STRING(wr_view_skip(wr_buf_view(&both.dump), first->dump.bytes), "last=1\n");
	wr_buf_deinit(&both.dump);
	wr_buf_deinit(&out);
}

void fuzz_one(struct wr_view input)
{
	struct outcome first;

	if (input.bytes > ROOM)
		return;
	read_text(&first, input);
	if (first.status == WR_OK) {
		check_written(&first);
		check_behind(input, &first);
	}
	wr_buf_deinit(&first.dump);
}
