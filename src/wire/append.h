/*
 * append — JSON written from prepared pieces, where it is made for every event or request.
 *
 * Constant text and values one behind the other, without the writer's bookkeeping. What is asked
 * for is nearly always there, and then found without a call. Failure is the buffer's.
 */
#ifndef WR_WIRE_APPEND_H
#define WR_WIRE_APPEND_H

#include "bytes/buf.h"
#include "check.h"
#include "codec/json/number.h"
#include "codec/json/scan.h"
#include "codec/json/writer.h"

/* Room for `bytes` bytes, to be committed; NULL when there is none. */
static inline char *wr_append_room(struct wr_buf *out, size_t bytes)
{
	if (WR_LIKELY(out->status == WR_OK && bytes <= out->capacity - out->bytes))
		return out->data + out->bytes;
	return wr_buf_reserve(out, bytes);
}

static inline void wr_append(struct wr_buf *out, struct wr_view text)
{
	char *to = wr_append_room(out, text.bytes);

	if (WR_UNLIKELY(to == NULL))
		return;
	memcpy(to, text.data, text.bytes);
	wr_buf_commit(out, text.bytes);
}

static inline void wr_append_number(struct wr_buf *out, uint64_t number)
{
	char *to = wr_append_room(out, 20);

	if (WR_LIKELY(to != NULL))
		wr_buf_commit(out, wr_json_format_u64(to, number));
}

/* Copies up to the first byte that must be escaped; returns how many. The last bytes are looked at
 * as part of a whole word, not one by one. */
static inline size_t wr_append_plain(char *to, struct wr_view text)
{
	size_t words = text.bytes & ~(size_t)7, plain;
	uint64_t last;

	if (words == 0)
		return wr_json_copy_unescaped(to, text.data, text.bytes);
	plain = wr_json_copy_unescaped(to, text.data, words);
	if (plain < words || words == text.bytes)
		return plain;
	last = wr_json_load_word(text.data + text.bytes - sizeof last);
	if (wr_json_word_escapes(last) != 0)
		return plain;
	memcpy(to + text.bytes - sizeof last, &last, sizeof last);
	return text.bytes;
}

/* The inside of a string, escaped. */
static inline void wr_append_string(struct wr_buf *out, struct wr_view text)
{
	struct wr_json_writer writer;
	size_t plain = 0;

	if (WR_LIKELY(out->status == WR_OK && text.bytes <= out->capacity - out->bytes)) {
		plain = wr_append_plain(out->data + out->bytes, text);
		out->bytes += plain;
		if (WR_LIKELY(plain == text.bytes))
			return;
	}
	wr_json_writer_init(&writer, out);
	wr_json_string_part(&writer, wr_view_skip(text, plain));
}

#endif
