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
	WR_HTTP_KNOWN_IDEMPOTENCY_KEY,
	WR_HTTP_KNOWN_TRANSFER_ENCODING,
	WR_HTTP_KNOWN_WS_KEY,
	WR_HTTP_KNOWN_WS_ACCEPT,
	WR_HTTP_KNOWN_WS_VERSION,
	WR_HTTP_KNOWN_WS_PROTOCOL,
	WR_HTTP_KNOWN_WS_EXTENSIONS,
	WR_HTTP_KNOWN_NONE
};

/* Bits of parser->seen: one for each known field, then what Connection named. */
enum {
	WR_HTTP_SEEN_CLOSE = 1u << WR_HTTP_KNOWN_NONE,
	WR_HTTP_SEEN_KEEP_ALIVE = WR_HTTP_SEEN_CLOSE << 1,
	WR_HTTP_SEEN_UPGRADE = WR_HTTP_SEEN_CLOSE << 2
};

static inline bool wr_http_field_has_seen(const struct wr_http_head_parser *parser,
					  enum wr_http_known known)
{
	return (parser->seen >> known & 1) != 0;
}

/* Small first letters of the known names of each length; there are two of one length at most. */
enum { WR_HTTP_KNOWN_BYTES_MAX = 24 };
extern const char wr_http_known_letters[WR_HTTP_KNOWN_BYTES_MAX + 1][2];
/* The known name with the first of these letters; that with the second follows it. */
extern const uint8_t wr_http_known_first[WR_HTTP_KNOWN_BYTES_MAX + 1];

/* What a field of that name says, and the fault it is, or none: of those that are more than kept.
 */
enum wr_http_fault wr_http_field_judge(struct wr_http_head_parser *parser,
				       struct wr_http_head *head, enum wr_http_known known,
				       const struct wr_http_field *field, bool is_repeated,
				       enum wr_http_role role);

/* Takes note of a field in `parser` and `head`, if it is the known one whose length and first
 * letter it has. The fault it is, or none. */
enum wr_http_fault wr_http_field_note(struct wr_http_head_parser *parser, struct wr_http_head *head,
				      enum wr_http_known known, const struct wr_http_field *field,
				      enum wr_http_role role);

/* The same for every field. Most names are told to be none of ours by length and letter. */
static inline enum wr_http_fault wr_http_field_take(struct wr_http_head_parser *parser,
						    struct wr_http_head *head,
						    const struct wr_http_field *field,
						    enum wr_http_role role)
{
	char letter = (char)(*field->name.data | 0x20);
	size_t bytes = field->name.bytes;
	unsigned known;

	if (bytes > WR_HTTP_KNOWN_BYTES_MAX)
		return WR_HTTP_FAULT_NONE;
	known = wr_http_known_first[bytes];
	if (letter != wr_http_known_letters[bytes][0]) {
		if (letter != wr_http_known_letters[bytes][1])
			return WR_HTTP_FAULT_NONE;
		known++;
	}
	return wr_http_field_note(parser, head, (enum wr_http_known)known, field, role);
}

/* After the last field: the fault that something is missing, or none. */
static inline enum wr_http_fault wr_http_fields_end(const struct wr_http_head_parser *parser,
						    enum wr_http_role role)
{
	bool is_host_missing = role == WR_HTTP_ROLE_REQUEST && parser->minor_version != 0 &&
			       !wr_http_field_has_seen(parser, WR_HTTP_KNOWN_HOST);

	return is_host_missing ? WR_HTTP_FAULT_HOST : WR_HTTP_FAULT_NONE;
}

/* Sets what follows from all fields together: version, framing, keep-alive, upgrade. */
static inline void wr_http_fields_apply(const struct wr_http_head_parser *parser,
					struct wr_http_head *head)
{
	head->minor_version = parser->minor_version;
	/* RFC 9112 9.3: `close` outweighs `keep-alive`. */
	head->is_keep_alive =
		(parser->seen & WR_HTTP_SEEN_CLOSE) == 0 &&
		(parser->minor_version != 0 || (parser->seen & WR_HTTP_SEEN_KEEP_ALIVE) != 0);
	head->has_connection_upgrade = (parser->seen & WR_HTTP_SEEN_UPGRADE) != 0;
	if (wr_http_field_has_seen(parser, WR_HTTP_KNOWN_TRANSFER_ENCODING))
		head->framing = WR_HTTP_FRAMING_CHUNKED;
	else if (wr_http_field_has_seen(parser, WR_HTTP_KNOWN_CONTENT_LENGTH))
		head->framing = WR_HTTP_FRAMING_LENGTH;
	else
		head->framing = WR_HTTP_FRAMING_NONE;
}

#endif
