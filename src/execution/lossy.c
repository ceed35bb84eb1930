#include "execution/lossy.h"

#include "bytes/utf8.h"

enum { SEQUENCE_BYTES_MAX = 4 };

/* How many bytes the first broken sequence has: those that a valid one could begin with. */
static size_t broken_bytes(struct wr_view bytes)
{
	wr_utf8_state state = 0;
	size_t bad = 0;

	if (bytes.bytes > SEQUENCE_BYTES_MAX)
		bytes.bytes = SEQUENCE_BYTES_MAX;
	if (wr_utf8_feed(&state, bytes, &bad))
		return bytes.bytes; /* cut off by the end */
	return bad == 0 ? 1 : bad;
}

enum wr_status wr_lossy_append(struct wr_buf *out, struct wr_view bytes)
{
	while (bytes.bytes != 0 && wr_buf_status(out) == WR_OK) {
		size_t valid = wr_utf8_valid_prefix(bytes);

		wr_buf_append(out, bytes.data, valid);
		bytes = wr_view_skip(bytes, valid);
		if (bytes.bytes == 0)
			break;
		wr_buf_append(out, "\xef\xbf\xbd", 3);
		bytes = wr_view_skip(bytes, broken_bytes(bytes));
	}
	return wr_buf_status(out);
}

/* Bytes of the first character of valid text. */
static size_t character_bytes(struct wr_view text)
{
	unsigned char first = (unsigned char)text.data[0];

	if (first < 0x80)
		return 1;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool is_control(struct wr_view character)
{
	unsigned char first = (unsigned char)character.data[0];

	if (character.bytes == 2)
		return first == 0xc2 && (unsigned char)character.data[1] < 0xa0;
	return character.bytes == 1 && ((first < 0x20 && first != '\n') || first == 0x7f);
}

void wr_lossy_append_message(struct wr_buf *out, struct wr_view bytes)
{
	while (bytes.bytes != 0) {
		struct wr_view character = bytes;
		size_t taken;

		if (wr_utf8_valid_prefix(wr_view_of(bytes.data, bytes.bytes < SEQUENCE_BYTES_MAX
									? bytes.bytes
									: SEQUENCE_BYTES_MAX)) ==
		    0) {
			taken = broken_bytes(bytes);
			character = WR_VIEW("\xef\xbf\xbd");
		} else {
			taken = character.bytes = character_bytes(bytes);
			if (is_control(character))
				character = WR_VIEW(" ");
		}
		if (wr_buf_append_view(out, character) != WR_OK)
			return;
		bytes = wr_view_skip(bytes, taken);
	}
}
