#include "wire/append.h"

void wr_append_escaped(struct wr_buf *out, struct wr_view text)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_string_part(&writer, text);
}
