#include "core/command.h"

#include "bytes/endian.h"

enum { LENGTH_BYTES = 4 };
#define ABSENT 0xffffffffu

static enum wr_status append_text(struct wr_buf *out, struct wr_view text)
{
	char length[LENGTH_BYTES];

	wr_store_le32(length, text.data == NULL ? ABSENT : (uint32_t)text.bytes);
	wr_buf_append(out, length, sizeof length);
	return text.data == NULL ? out->status : wr_buf_append_view(out, text);
}

enum wr_status wr_pairs_append(struct wr_buf *out, struct wr_view name, struct wr_view text)
{
	append_text(out, name);
	return append_text(out, text);
}

static bool take_text(struct wr_view *rest, struct wr_view *text)
{
	uint32_t bytes;

	if (rest->bytes < LENGTH_BYTES)
		return false;
	bytes = wr_load_le32(rest->data);
	*rest = wr_view_skip(*rest, LENGTH_BYTES);
	*text = WR_VIEW_NULL;
	if (bytes == ABSENT)
		return true;
	if (bytes > rest->bytes)
		return false;
	*text = wr_view_of(rest->data, bytes);
	*rest = wr_view_skip(*rest, bytes);
	return true;
}

bool wr_pairs_next(struct wr_view *rest, struct wr_view *name, struct wr_view *text)
{
	struct wr_view ahead = *rest;

	if (ahead.bytes == 0 || !take_text(&ahead, name) || name->data == NULL ||
	    !take_text(&ahead, text))
		return false;
	*rest = ahead;
	return true;
}

bool wr_pairs_are_whole(const struct wr_pairs *pairs)
{
	struct wr_view rest = pairs->packed, name, text;
	uint32_t count = 0;

	while (wr_pairs_next(&rest, &name, &text))
		count++;
	return count == pairs->count && rest.bytes == 0;
}
