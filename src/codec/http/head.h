/*
 * http/head — the head of an HTTP/1.1 message: start line and field lines (RFC 9112), both roles.
 *
 * A strict parser over bytes that the caller keeps; it copies nothing, everything found is a view
 * into the input. It can be asked again with more bytes after WR_MORE: `scanned` remembers how far
 * the end was searched, so that a head that comes one byte at a time costs linear time.
 *
 * Lines are judged one by one, each when its LF is there or it is over its limit, and the first one
 * at fault decides. So the verdict depends on the bytes only, never on how they were cut.
 *
 * Strict means: CRLF only; no bare CR or LF, NUL or other CTL except HTAB in values; no folding; no
 * space before the colon; names are tokens; exactly one SP between the parts of the start line;
 * HTTP/1.0 and HTTP/1.1 only; Host exactly once in 1.1 (at most once in 1.0) and of host
 * characters. (In responses Host is not looked at but for repetition, and Expect neither.)
 * Content-Length: digits only, once, not beside Transfer-Encoding. Transfer-Encoding: once, exactly
 * `chunked` (any case), 1.1 only. Repeated Authorization, Host, Origin, Upgrade, Expect,
 * Idempotency-Key and Sec-WebSocket-* (the five below) are refused; Content-Type, Location and
 * Retry-After may repeat (first counts), Connection is a list over all its lines. Empty lines
 * before the start line are refused.
 *
 * Limits: WR_HTTP_HEAD_BYTES_MAX, _TARGET_, _FIELD_BYTES_MAX, _FIELD_COUNT_MAX. They are checked
 * on incomplete heads too, so a caller never has to keep more than the limit.
 */
#ifndef WR_CODEC_HTTP_HEAD_H
#define WR_CODEC_HTTP_HEAD_H

#include "bytes/view.h"
#include "bounds.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_http_method {
	WR_HTTP_METHOD_OTHER, /* a token that is none of the following */
	WR_HTTP_METHOD_GET,
	WR_HTTP_METHOD_HEAD,
	WR_HTTP_METHOD_POST,
	WR_HTTP_METHOD_PUT,
	WR_HTTP_METHOD_DELETE,
	WR_HTTP_METHOD_OPTIONS,
	WR_HTTP_METHOD_PATCH,
	WR_HTTP_METHOD_TRACE,
	WR_HTTP_METHOD_CONNECT
};

enum wr_http_framing {
	WR_HTTP_FRAMING_NONE,	 /* no body follows */
	WR_HTTP_FRAMING_LENGTH,	 /* body_bytes bytes follow (may be 0) */
	WR_HTTP_FRAMING_CHUNKED, /* chunks follow */
	WR_HTTP_FRAMING_CLOSE	 /* responses only: until the connection ends */
};

struct wr_http_field {
	struct wr_view name;  /* as sent */
	struct wr_view value; /* without optional white space around it */
};

/* A parsed head. All views point into the input given to parse. */
struct wr_http_head {
	/* requests */
	enum wr_http_method method;
	struct wr_view method_text;
	struct wr_view target;
	size_t place_bytes; /* of the target, in front of the first "?" or "#" */
	/* responses */
	uint16_t status;
	struct wr_view reason;
	/* both */
	uint8_t minor_version; /* of HTTP/1.x: 0 or 1 */
	enum wr_http_framing framing;
	bool is_keep_alive; /* what version and Connection ask for; never with FRAMING_CLOSE */
	bool has_connection_upgrade; /* Connection names `upgrade` */
	bool expects_continue;	     /* Expect: 100-continue, 1.1 */
	uint64_t body_bytes;	     /* with WR_HTTP_FRAMING_LENGTH */
	/* Fields that every request needs, absent (data NULL) when not sent. */
	struct wr_view host, content_type, authorization, origin, upgrade;
	struct wr_view ws_key, ws_version, ws_protocol, ws_accept, ws_extensions;
	struct wr_view retry_after, location, idempotency_key;
	size_t field_count;
	struct wr_http_field fields[WR_HTTP_FIELD_COUNT_MAX];
};

/* Why a head was refused, beside the status. Finer than enum wr_status, because each has its own
 * answer (RFC 9110 15.5): */
enum wr_http_fault {
	WR_HTTP_FAULT_NONE,
	WR_HTTP_FAULT_SYNTAX,	       /* 400 */
	WR_HTTP_FAULT_FRAMING,	       /* 400: lengths that contradict, repeat or do not parse */
	WR_HTTP_FAULT_HOST,	       /* 400: missing, repeated or malformed Host */
	WR_HTTP_FAULT_REPEATED,	       /* 400: a field that may be sent once only */
	WR_HTTP_FAULT_TARGET_TOO_LONG, /* 414 */
	WR_HTTP_FAULT_HEAD_TOO_LARGE,  /* 431: head, one field, or their number */
	WR_HTTP_FAULT_VERSION,	       /* 505: HTTP/x.y with x other than 1, or a minor above 1 */
	WR_HTTP_FAULT_TRANSFER_CODING, /* 501: a Transfer-Encoding other than chunked */
	WR_HTTP_FAULT_EXPECTATION      /* 417: an Expect other than 100-continue */
};

/* Progress over calls for one message. Zero-initialise; private. */
struct wr_http_head_parser {
	size_t scanned;		  /* no LF lies in [line_start, scanned) */
	size_t line_start;	  /* of the first line that is not judged yet */
	uint32_t line_count;	  /* lines judged */
	uint32_t seen;		  /* known fields in them, one bit each */
	uint8_t minor_version;	  /* from the first of them */
	enum wr_http_fault fault; /* may be read after a failure */
};

/* Parses a request head. WR_OK: *head_bytes bytes were the head. WR_MORE: call again with the same
 * bytes and more behind them (they may have moved). Failures (sticky): WR_SYNTAX,
 * WR_TOO_LARGE, WR_UNSUPPORTED, with parser->fault saying which answer fits; nothing on the
 * connection may be trusted after them. */
enum wr_status wr_http_request_parse(struct wr_http_head_parser *parser, struct wr_http_head *head,
				     size_t *head_bytes, struct wr_view input);

/* Parses a response head likewise. `to_head` says that the request was HEAD (no body follows). 1xx,
 * 204 and 304 have none either. */
enum wr_status wr_http_response_parse(struct wr_http_head_parser *parser, struct wr_http_head *head,
				      size_t *head_bytes, struct wr_view input, bool to_head);

/* The first field of that name (any case); absent when there is none. */
struct wr_view wr_http_head_find(const struct wr_http_head *head, struct wr_view name);

/* Whether a comma-separated list has this token (any case; RFC 9110 5.6.1). */
bool wr_http_list_has(struct wr_view list, struct wr_view token);

/* Whether a Content-Type is application/json or application/ *+json (any case, with or without
 * parameters). */
bool wr_http_is_json_type(struct wr_view content_type);

#endif
