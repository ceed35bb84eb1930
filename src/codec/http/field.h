/*
 * http/field — the fields that the head parser understands: their names, and what each may say.
 *
 * Used by head.c alone. Judgement needs the fields before it (repetition, lengths that contradict):
 * they are bits in parser->seen, so that it can go on after a pause.
 */
#ifndef WR_CODEC_HTTP_FIELD_H
#define WR_CODEC_HTTP_FIELD_H

#include "bytes/view.h"
#include "codec/http/head.h"

enum wr_http_role { WR_HTTP_ROLE_REQUEST, WR_HTTP_ROLE_RESPONSE };

/* In the order of the table in field.c: by length of the name. */
enum wr_http_known {
	WR_HTTP_KNOWN_HOST,
	WR_HTTP_KNOWN_EXPECT,
	WR_HTTP_KNOWN_ORIGIN,
	WR_HTTP_KNOWN_UPGRADE,
	WR_HTTP_KNOWN_LOCATION,
	WR_HTTP_KNOWN_CONNECTION,
	WR_HTTP_KNOWN_RETRY_AFTER,
	WR_HTTP_KNOWN_CONTENT_TYPE,
	WR_HTTP_KNOWN_AUTHORIZATION,
	WR_HTTP_KNOWN_CONTENT_LENGTH,
	WR_HTTP_KNOWN_TRANSFER_ENCODING,
	WR_HTTP_KNOWN_WS_KEY,
	WR_HTTP_KNOWN_WS_ACCEPT,
	WR_HTTP_KNOWN_WS_VERSION,
	WR_HTTP_KNOWN_WS_PROTOCOL,
	WR_HTTP_KNOWN_WS_EXTENSIONS,
	WR_HTTP_KNOWN_NONE
};

/* Small first letters of the known names of each length; there are two of one length at most. */
enum { WR_HTTP_KNOWN_BYTES_MAX = 24 };
extern const char wr_http_known_letters[WR_HTTP_KNOWN_BYTES_MAX + 1][2];

/* The known field whose name has the length and first letter of this one, if it is that. */
enum wr_http_known wr_http_field_compare(struct wr_view name);

/* Which known field `name`, a token, names. Most names are told to be none by length and letter. */
static inline enum wr_http_known wr_http_field_known(struct wr_view name)
{
	char letter = (char)(*name.data | 0x20);

	if (name.bytes > WR_HTTP_KNOWN_BYTES_MAX ||
	    (letter != wr_http_known_letters[name.bytes][0] &&
	     letter != wr_http_known_letters[name.bytes][1]))
		return WR_HTTP_KNOWN_NONE;
	return wr_http_field_compare(name);
}

/* Takes note of a known field in `parser` and `head`. The fault it is, or none. */
enum wr_http_fault wr_http_field_judge(struct wr_http_head_parser *parser,
				       struct wr_http_head *head, enum wr_http_known known,
				       struct wr_view value, enum wr_http_role role);

/* After the last field: the fault that something is missing, or none. */
enum wr_http_fault wr_http_fields_end(const struct wr_http_head_parser *parser,
				      enum wr_http_role role);

/* Sets what follows from all fields together: version, framing, keep-alive, upgrade. */
void wr_http_fields_apply(const struct wr_http_head_parser *parser, struct wr_http_head *head);

#endif
