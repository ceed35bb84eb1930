/*
 * append — JSON written from prepared pieces, where it is made for every event or request.
 *
 * Constant text and values one behind the other, without the writer's bookkeeping. What is asked
 * for is nearly always there, and then found without a call; where many small pieces follow each
 * other it is asked for once. Failure is the buffer's.
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

/* ---- where there is room already: each returns the place behind what it wrote ---- */

#define WR_PUT(to, literal) wr_put(to, WR_VIEW(literal))

static inline char *wr_put(char *to, struct wr_view text)
{
	memcpy(to, text.data, text.bytes);
	return to + text.bytes;
}

static inline char *wr_put_number(char *to, uint64_t number)
{
	return to + wr_json_format_u64(to, number);
}

/* A word of the protocol, short enough to be copied as a whole without asking how long it is: there
 * must be room for WR_WORD_BYTES. */
enum { WR_WORD_BYTES = 16 };
struct wr_word {
	char text[WR_WORD_BYTES - 1];
	uint8_t bytes;
};
#define WR_WORD(literal)                     \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

static inline char *wr_put_word(char *to, const struct wr_word *word)
{
	memcpy(to, word, WR_WORD_BYTES);
	return to + word->bytes;
}

/* ---- escaped ---- */

/* The inside of a string that something must be escaped of, or that has no room yet. */
void wr_append_escaped(struct wr_buf *out, struct wr_view text);

/* The inside of a string, escaped. */
static inline void wr_append_string(struct wr_buf *out, struct wr_view text)
{
	size_t plain = 0;

	if (WR_LIKELY(out->status == WR_OK && text.bytes <= out->capacity - out->bytes)) {
		plain = wr_json_copy_unescaped(out->data + out->bytes, text.data, text.bytes);
		out->bytes += plain;
		if (WR_LIKELY(plain == text.bytes))
			return;
	}
	wr_append_escaped(out, wr_view_skip(text, plain));
}

#endif
