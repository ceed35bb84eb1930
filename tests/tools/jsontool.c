/*
 * jsontool FILE — reads a JSON document and writes it again.
 *
 * Exit 0 and the document on standard output, when the reader accepts it: no white space, strings
 * decoded and encoded again, integers of 64 bits as they are, other numbers as the shortest text of
 * their double; a number beyond the doubles keeps its spelling. Exit 1 and no output at all, when
 * it is refused; 2 when it cannot be read. For public suites of JSON documents.
 */
#include "bytes/buf.h"
#include "codec/json/number.h"
#include "codec/json/reader.h"
#include "codec/json/writer.h"

#include <stdio.h>
#include <stdlib.h>

static void *resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	(void)self;
	(void)old_bytes;
	if (new_bytes == 0) {
		free(old);
		return NULL;
	}
	return realloc(old, new_bytes);
}

static struct wr_allocator allocator = {.resize = resize, .max = SIZE_MAX};

static bool read_file(struct wr_buf *out, const char *path)
{
	FILE *file = fopen(path, "rb");
	bool is_good;

	if (file == NULL)
		return false;
	for (;;) {
		char *room = wr_buf_reserve(out, 65536);
		size_t got = room == NULL ? 0 : fread(room, 1, 65536, file);

		if (got == 0)
			break;
		wr_buf_commit(out, got);
	}
	is_good = ferror(file) == 0 && wr_buf_status(out) == WR_OK;
	fclose(file);
	return is_good;
}

static void write_number(struct wr_json_writer *out, struct wr_view text)
{
	uint64_t magnitude;
	int64_t number;
	double value;

	if (wr_json_parse_u64(&magnitude, text)) {
		wr_json_u64(out, magnitude);
		return;
	}
	if (wr_json_parse_i64(&number, text)) {
		wr_json_i64(out, number);
		return;
	}
	value = wr_json_parse_double(text);
	if (value - value == 0)
		wr_json_double(out, value);
	else
		wr_json_raw(out, text);
}

static void write_token(struct wr_json_writer *out, const struct wr_json_reader *reader,
			struct wr_buf *decoded)
{
	switch (reader->token) {
	case WR_JSON_TOKEN_OBJECT_BEGIN:
		wr_json_object_begin(out);
		break;
	case WR_JSON_TOKEN_OBJECT_END:
		wr_json_object_end(out);
		break;
	case WR_JSON_TOKEN_ARRAY_BEGIN:
		wr_json_array_begin(out);
		break;
	case WR_JSON_TOKEN_ARRAY_END:
		wr_json_array_end(out);
		break;
	case WR_JSON_TOKEN_NAME:
	case WR_JSON_TOKEN_STRING:
		wr_buf_reset(decoded);
		wr_json_decode_string(decoded, reader->text);
		if (reader->token == WR_JSON_TOKEN_NAME)
			wr_json_name(out, wr_buf_view(decoded));
		else
			wr_json_string(out, wr_buf_view(decoded));
		break;
	case WR_JSON_TOKEN_NUMBER:
		write_number(out, reader->text);
		break;
	case WR_JSON_TOKEN_TRUE:
	case WR_JSON_TOKEN_FALSE:
		wr_json_bool(out, reader->token == WR_JSON_TOKEN_TRUE);
		break;
	case WR_JSON_TOKEN_NULL:
		wr_json_null(out);
		break;
	case WR_JSON_TOKEN_NONE:
	case WR_JSON_TOKEN_END:
		break;
	}
}

static enum wr_status copy_document(struct wr_buf *out, struct wr_view document)
{
	struct wr_json_reader reader;
	struct wr_json_writer writer;
	struct wr_buf decoded;
	enum wr_status status;

	wr_buf_init(&decoded, &allocator, SIZE_MAX / 2);
	wr_json_writer_init(&writer, out);
	wr_json_reader_init(&reader, document, true);
	do {
		status = wr_json_reader_next(&reader);
		if (status == WR_OK)
			write_token(&writer, &reader, &decoded);
		if (status == WR_OK)
			status = wr_buf_status(&decoded);
	} while (status == WR_OK && reader.token != WR_JSON_TOKEN_END);
	wr_buf_append_byte(out, '\n');
	wr_buf_deinit(&decoded);
	return status == WR_OK ? wr_buf_status(out) : status;
}

int main(int argc, char **argv)
{
	struct wr_buf document, out;
	int code = 2;

	wr_buf_init(&document, &allocator, SIZE_MAX / 2);
	wr_buf_init(&out, &allocator, SIZE_MAX / 2);
	if (argc != 2 || !read_file(&document, argv[1]))
		goto done;
	code = copy_document(&out, wr_buf_view(&document)) == WR_OK ? 0 : 1;
	if (code == 0 && fwrite(out.data, 1, out.bytes, stdout) != out.bytes)
		code = 2;
	if (fflush(stdout) != 0)
		code = 2;
done:
	wr_buf_deinit(&document);
	wr_buf_deinit(&out);
	return code;
}
