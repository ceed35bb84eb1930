/*
 * json/reader — a strict RFC 8259 pull reader. No tree, no allocation, no recursion.
 *
 * The reader walks bytes that the caller keeps and gives one token per call; strings and numbers
 * are views into the input, still in their JSON spelling. What it accepts is exactly RFC 8259 with
 * UTF-8 checked (no overlong forms, surrogates or values above 10FFFF), no BOM, escapes complete
 * and surrogate escapes paired, at most WR_JSON_DEPTH_MAX levels, numbers of at most
 * WR_JSON_NUMBER_BYTES_MAX characters, and one document: only white space may follow it.
 *
 * Order of calls: init -> next* until WR_JSON_TOKEN_END (or a failure, which stays). With an input
 * that is not `is_last`, next may say WR_MORE: nothing of the unfinished token was consumed. The
 * caller then gives, with wr_json_reader_feed, a view that begins with the bytes not yet consumed
 * (wr_json_reader_rest) and has more behind them. Whole and piecewise reading give the same
 * tokens, the same failures and the same offsets.
 *
 * Where a token is not what the caller wants, it decides itself what to say; the reader knows
 * grammar only.
 */
#ifndef WR_CODEC_JSON_READER_H
#define WR_CODEC_JSON_READER_H

#include "bytes/buf.h"
#include "bytes/view.h"
#include "bounds.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_json_token {
	WR_JSON_TOKEN_NONE, /* before the first next */
	WR_JSON_TOKEN_OBJECT_BEGIN,
	WR_JSON_TOKEN_OBJECT_END,
	WR_JSON_TOKEN_ARRAY_BEGIN,
	WR_JSON_TOKEN_ARRAY_END,
	WR_JSON_TOKEN_NAME, /* a member's name; its value follows */
	WR_JSON_TOKEN_STRING,
	WR_JSON_TOKEN_NUMBER,
	WR_JSON_TOKEN_TRUE,
	WR_JSON_TOKEN_FALSE,
	WR_JSON_TOKEN_NULL,
	WR_JSON_TOKEN_END /* the document and all input are done */
};

/* Placed by the caller. `token`, `text`, `has_escapes`, `depth` may be read, the rest is private.
 */
struct wr_json_reader {
	enum wr_json_token token;
	/* NAME, STRING: what stands between the quotes. NUMBER: its characters. Else the token. */
	struct wr_view text;
	bool has_escapes; /* NAME and STRING: text must be decoded before use */
	uint8_t state;
	bool is_last;
	uint16_t depth;	       /* open arrays and objects */
	enum wr_status status; /* sticky failure */
	const char *input;     /* what was given last: from here to `end` */
	const char *at;	       /* next byte of it */
	const char *end;
	size_t base;			    /* offset of input[0] in the document */
	size_t token_start;		    /* of the current token, in the document */
	uint8_t nesting[WR_JSON_DEPTH_MAX]; /* where each open array or object stands */
};

/* Starts on a document. With is_last false more input may come by feed. */
void wr_json_reader_init(struct wr_json_reader *self, struct wr_view input, bool is_last);

/* After WR_MORE: `input` starts with the bytes not consumed so far (wr_json_reader_rest). The text
 * of the current token is gone, its offset stays. */
void wr_json_reader_feed(struct wr_json_reader *self, struct wr_view input, bool is_last);

/* The bytes of the input that are not consumed, for keeping them. None after a failure. */
struct wr_view wr_json_reader_rest(const struct wr_json_reader *self);

/* Goes to the next token. WR_OK; WR_MORE; or a sticky failure: WR_SYNTAX, WR_ENCODING (bad UTF-8,
 * unpaired surrogate escape), WR_TOO_LARGE (depth, number length). */
enum wr_status wr_json_reader_next(struct wr_json_reader *self);

/* Skips one value in constant memory. After NAME: the member's value. On OBJECT_BEGIN or
 * ARRAY_BEGIN: the rest of it. On another value: nothing; not to be called on an end. After it,
 * `token` is the last token of the value. Status as next; only for an input that is_last. */
enum wr_status wr_json_reader_skip(struct wr_json_reader *self);

/* Skips as above and gives the value's bytes, lent from the input: valid JSON on its own. */
enum wr_status wr_json_reader_raw(struct wr_json_reader *self, struct wr_view *value);

/* Offset in the document: of the offending byte after a failure, else of the current token. */
size_t wr_json_reader_offset(const struct wr_json_reader *self);

/* Whether the current NAME or STRING is `text` once decoded. */
bool wr_json_reader_is(const struct wr_json_reader *self, struct wr_view text);

/* ---- strings ---- */

/* Appends the decoded form of a NAME or STRING text (which the reader has accepted). Status of the
 * buffer. Decoding never makes a text longer. */
enum wr_status wr_json_decode_string(struct wr_buf *out, struct wr_view text);

/* Decodes into `out`, which has room for text.bytes bytes; returns the bytes written. `out` may be
 * text.data itself when the caller owns the input. */
size_t wr_json_decode_string_to(char *out, struct wr_view text);

#endif
