/*
 * http/field — the fields that the head parser understands: their names, and what each may say.
 *
 * Used by head.c alone. Judgement needs the fields before it (repetition, lengths that contradict):
 * they are bits in parser->seen, so that it can go on after a pause.
 */
#ifndef WR_CODEC_HTTP_FIELD_H
#define WR_CODEC_HTTP_FIELD_H

#include "bytes/view.h"
#include "codec/http/chars.h"
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

/* What is done with a value. */
enum wr_http_rule {
	WR_HTTP_RULE_JUDGE, /* wr_http_field_judge */
	WR_HTTP_RULE_FIRST, /* kept; the first one counts */
	WR_HTTP_RULE_ONCE   /* kept; a second one is a fault */
};

/* The known fields, and which of them have a name of so many bytes. */
enum { WR_HTTP_KNOWN_BYTES_MAX = 24 };
extern const struct wr_http_known_field {
	char name[28];	       /* padded with zeros */
	uint16_t rule, member; /* enum wr_http_rule; where in a head it is kept */
} wr_http_known_fields[WR_HTTP_KNOWN_NONE];
extern const struct wr_http_known_span {
	uint8_t first, past;
} wr_http_known_spans[WR_HTTP_KNOWN_BYTES_MAX + 1];

/* The known field of that name, a token. */
enum wr_http_known wr_http_field_find(struct wr_view name);

/* What a field of that name says, and the fault it is, or none: of those that are more than kept.
 */
enum wr_http_fault wr_http_field_judge(struct wr_http_head_parser *parser,
				       struct wr_http_head *head, enum wr_http_known known,
				       const struct wr_http_field *field, bool is_repeated,
				       enum wr_http_role role);

#ifdef __SSE2__

/* The same for a name of letters and "-" that is shorter than a block, by that block in lower case
 * (0x20 set, what is behind the name does not matter). */
static inline enum wr_http_known wr_http_field_find_in(__m128i block, unsigned bytes)
{
	struct wr_http_known_span span = wr_http_known_spans[bytes];

	for (unsigned known = span.first; known < span.past; known++) {
		__m128i name = wr_http_load_block(wr_http_known_fields[known].name);
		unsigned equal = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, name));
		/* The bits above the block stop the search there. */
		if ((unsigned)__builtin_ctz(~equal) >= bytes)
			return (enum wr_http_known)known;
	}
	return WR_HTTP_KNOWN_NONE;
}

#endif

/* The ":" behind the name at `at`, and which name it is; NULL when there is none, or another byte.
 * Nearly every name is below 16 bytes of letters and "-"; the table of classes has the last word on
 * others. */
static inline const char *wr_http_field_name(const char *at, const char *end,
					     enum wr_http_known *known)
{
	const char *stop;

#ifdef __SSE2__
	if (WR_LIKELY(end - at >= WR_HTTP_BLOCK_BYTES)) {
		__m128i block = wr_http_load_block(at);
		__m128i small = _mm_or_si128(block, _mm_set1_epi8(0x20));
		unsigned mask = wr_http_mask_plain_name(block, small);
		unsigned bytes = (unsigned)__builtin_ctz(mask | 1u << WR_HTTP_BLOCK_BYTES);

		if (WR_LIKELY(bytes < WR_HTTP_BLOCK_BYTES && at[bytes] == ':')) {
			*known = wr_http_field_find_in(small, bytes);
			return at + bytes;
		}
	}
#endif
	for (stop = at; end - stop >= 8; stop += 8) {
		uint64_t marks = wr_http_mark_name(wr_load_le64(stop));
		if (marks != 0) {
			stop += wr_http_first_mark(marks);
			break;
		}
	}
	stop = wr_http_scan_class(stop, end, WR_HTTP_CHAR_TOKEN);
	if (stop == end || *stop != ':')
		return NULL;
	*known = wr_http_field_find(wr_view_of(at, (size_t)(stop - at)));
	return stop;
}

/* Takes note of a field in `parser` and `head`. The fault it is, or none. */
static inline enum wr_http_fault wr_http_field_take(struct wr_http_head_parser *parser,
						    struct wr_http_head *head,
						    enum wr_http_known known,
						    const struct wr_http_field *field,
						    enum wr_http_role role)
{
	const struct wr_http_known_field *how;
	struct wr_view *member;
	bool is_repeated;

	if (known == WR_HTTP_KNOWN_NONE)
		return WR_HTTP_FAULT_NONE;
	how = &wr_http_known_fields[known];
	is_repeated = wr_http_field_has_seen(parser, known);
	parser->seen |= 1u << known;
	if (how->rule == WR_HTTP_RULE_JUDGE)
		return wr_http_field_judge(parser, head, known, field, is_repeated, role);
	member = (struct wr_view *)(void *)((char *)head + how->member);
	if (WR_LIKELY(!is_repeated))
		*member = field->value;
	else if (how->rule == WR_HTTP_RULE_ONCE)
		return WR_HTTP_FAULT_REPEATED;
	return WR_HTTP_FAULT_NONE;
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
