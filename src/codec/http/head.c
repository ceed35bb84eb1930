/*
 * The path of a head that comes whole, which is nearly every one, is a single walk: each line is
 * taken apart where it is found, known names are told by their length and first 16 bytes, values
 * are scanned 16 bytes at a time.
 *
 * A head that comes in pieces is walked line by line as the lines complete. `line_start` and `seen`
 * carry what the judgement of later lines needs; the views of earlier calls are lost (the bytes may
 * have moved), so the last call walks the whole head once more. In a line that is not complete only
 * its LF is searched for, from `scanned` on: every byte is looked at three times at most.
 *
 * Whole and piecewise must agree, also about which fault: so a fault that the walk sees in a line
 * without LF does not count until the LF is there, or the line can no longer fit its limit.
 */
#include "codec/http/head.h"

#include "check.h"
#include "codec/http/chars.h"
#include "codec/http/field.h"

enum {
	/* No method known to anybody is longer (IANA registry: UPDATEREDIRECTREF, 17). */
	METHOD_BYTES_MAX = 32,
	CRLF_BYTES = 2,
	VERSION_BYTES = 8, /* HTTP/1.1 */
	REQUEST_LINE_BYTES_MAX =
		METHOD_BYTES_MAX + 1 + WR_HTTP_TARGET_BYTES_MAX + 1 + VERSION_BYTES + CRLF_BYTES,
	FIELD_LINE_BYTES_MAX = WR_HTTP_FIELD_BYTES_MAX + CRLF_BYTES
};
_Static_assert(REQUEST_LINE_BYTES_MAX < WR_HTTP_HEAD_BYTES_MAX, "a request line fits its head");

/*
 * The functions that take something get where it begins and `end`, the end of the input or of what
 * the line may have, and return where they stopped behind it. NULL: it could not be taken. Then
 * parser->fault says why, and when it says nothing, the bytes ended first.
 */

static const char *refuse(struct wr_http_head_parser *parser, enum wr_http_fault fault)
{
	parser->fault = fault;
	return NULL;
}

/* A byte that does not belong where the walk stopped, or no byte at all. */
static const char *stopped(struct wr_http_head_parser *parser, const char *at, const char *end)
{
	return at == end ? NULL : refuse(parser, WR_HTTP_FAULT_SYNTAX);
}

static const char *take_byte(struct wr_http_head_parser *parser, const char *at, const char *end,
			     char byte)
{
	return at < end && *at == byte ? at + 1 : stopped(parser, at, end);
}

static inline const char *take_line_end(struct wr_http_head_parser *parser, const char *at,
					const char *end)
{
	if (WR_LIKELY(end - at >= CRLF_BYTES && memcmp(at, "\r\n", CRLF_BYTES) == 0))
		return at + CRLF_BYTES;
	return stopped(parser, at < end && *at == '\r' ? at + 1 : at, end);
}

/* ---- start lines ---- */

static enum wr_http_method method_of(struct wr_view text)
{
	static const struct {
		struct wr_view text;
		enum wr_http_method method;
	} methods[] = {
		{{"GET", 3}, WR_HTTP_METHOD_GET},	  {{"POST", 4}, WR_HTTP_METHOD_POST},
		{{"HEAD", 4}, WR_HTTP_METHOD_HEAD},	  {{"PUT", 3}, WR_HTTP_METHOD_PUT},
		{{"DELETE", 6}, WR_HTTP_METHOD_DELETE},	  {{"OPTIONS", 7}, WR_HTTP_METHOD_OPTIONS},
		{{"PATCH", 5}, WR_HTTP_METHOD_PATCH},	  {{"TRACE", 5}, WR_HTTP_METHOD_TRACE},
		{{"CONNECT", 7}, WR_HTTP_METHOD_CONNECT},
	};

	for (size_t i = 0; i < WR_COUNT(methods); i++)
		if (wr_view_equal(text, methods[i].text))
			return methods[i].method;
	return WR_HTTP_METHOD_OTHER;
}

/* What is not HTTP/1.0 or 1.1: is it a version at all? */
static const char *refuse_version(struct wr_http_head_parser *parser, const char *at,
				  const char *end)
{
	static const char shape[VERSION_BYTES] = {'H', 'T', 'T', 'P', '/', '0', '.', '0'};

	for (size_t i = 0; i < sizeof shape; i++, at++) {
		bool is_digit = shape[i] == '0';
		if (at == end ||
		    (is_digit ? !wr_http_char_is(*at, WR_HTTP_CHAR_DIGIT) : *at != shape[i]))
			return stopped(parser, at, end);
	}
	return refuse(parser, WR_HTTP_FAULT_VERSION);
}

/* HTTP-version, RFC 9112 2.3: case-sensitive, one digit on either side of the point. */
static inline const char *take_version(struct wr_http_head_parser *parser, const char *at,
				       const char *end)
{
	if (end - at < VERSION_BYTES || memcmp(at, "HTTP/1.", VERSION_BYTES - 1) != 0 ||
	    (at[VERSION_BYTES - 1] != '1' && at[VERSION_BYTES - 1] != '0'))
		return refuse_version(parser, at, end);
	parser->minor_version = (uint8_t)(at[VERSION_BYTES - 1] - '0');
	return at + VERSION_BYTES;
}

/* A method and the SP behind it. */
static const char *take_method(struct wr_http_head_parser *parser, struct wr_http_head *head,
			       const char *start, const char *end)
{
	const char *at = wr_http_scan_class(start, end, WR_HTTP_CHAR_TOKEN);

	head->method_text = wr_view_of(start, (size_t)(at - start));
	if (at == start)
		return stopped(parser, at, end);
	if (head->method_text.bytes > METHOD_BYTES_MAX)
		return refuse(parser, WR_HTTP_FAULT_SYNTAX);
	head->method = method_of(head->method_text);
	return take_byte(parser, at, end, ' ');
}

/* The two that nearly all requests have, at a glance; the others after a closer look. */
static inline const char *take_common_method(struct wr_http_head_parser *parser,
					     struct wr_http_head *head, const char *at,
					     const char *end)
{
	if (WR_UNLIKELY(end - at < 5))
		return take_method(parser, head, at, end);
	if (memcmp(at, "GET ", 4) == 0) {
		head->method = WR_HTTP_METHOD_GET;
		head->method_text = wr_view_of(at, 3);
		return at + 4;
	}
	if (memcmp(at, "POST ", 5) == 0) {
		head->method = WR_HTTP_METHOD_POST;
		head->method_text = wr_view_of(at, 4);
		return at + 5;
	}
	return take_method(parser, head, at, end);
}

/* request-line, RFC 9112 3. */
static const char *take_request_line(struct wr_http_head_parser *parser, struct wr_http_head *head,
				     const char *at, const char *end)
{
	const char *start;

	if ((at = take_common_method(parser, head, at, end)) == NULL)
		return NULL;
	start = at;
	at = wr_http_scan_place_in(start, start, end);
	head->place_bytes = (size_t)(at - start);
	if (WR_UNLIKELY(at < end && *at != ' '))
		at = wr_http_scan_target(at, end);
	head->target = wr_view_of(start, (size_t)(at - start));
	if (head->target.bytes > WR_HTTP_TARGET_BYTES_MAX)
		return refuse(parser, WR_HTTP_FAULT_TARGET_TOO_LONG);
	if (at == start)
		return stopped(parser, at, end);
	if ((at = take_byte(parser, at, end, ' ')) == NULL)
		return NULL;
	if ((at = take_version(parser, at, end)) == NULL)
		return NULL;
	return take_line_end(parser, at, end);
}

/* status-line, RFC 9112 4. The SP before an empty reason is required. */
static const char *take_status_line(struct wr_http_head_parser *parser, struct wr_http_head *head,
				    const char *at, const char *end)
{
	const char *start;

	if ((at = take_version(parser, at, end)) == NULL)
		return NULL;
	if ((at = take_byte(parser, at, end, ' ')) == NULL)
		return NULL;
	for (start = at; at - start < 3; at++) {
		if (at == end || !wr_http_char_is(*at, WR_HTTP_CHAR_DIGIT))
			return stopped(parser, at, end);
		head->status = (uint16_t)(head->status * 10 + (*at - '0'));
	}
	if (head->status < 100 || head->status > 599)
		return refuse(parser, WR_HTTP_FAULT_SYNTAX);
	if ((at = take_byte(parser, at, end, ' ')) == NULL)
		return NULL;
	start = at;
	at = wr_http_scan_value(start, end);
	head->reason = wr_view_of(start, (size_t)(at - start));
	return take_line_end(parser, at, end);
}

/* ---- field lines ---- */

static const char *skip_ows(const char *at, const char *end)
{
	while (at < end && wr_http_is_ows(*at))
		at++;
	return at;
}

static const char *drop_ows(const char *start, const char *stop)
{
	while (stop > start && wr_http_is_ows(stop[-1]))
		stop--;
	return stop;
}

/* field-line, RFC 9112 5: no white space around the name (5.1), no folding (5.2). `field` may be
 * `full`, the end of the array. Bytes from `base` on may be read. */
static inline const char *take_field_line(struct wr_http_head_parser *parser,
					  struct wr_http_field *field, enum wr_http_known *known,
					  const struct wr_http_field *full, const char *base,
					  const char *at, const char *end)
{
	const char *start = at, *stop;

	at = wr_http_field_name(start, end, known);
	if (WR_UNLIKELY(at == NULL || at == start))
		return stopped(parser, wr_http_scan_class(start, end, WR_HTTP_CHAR_TOKEN), end);
	if (WR_UNLIKELY(field == full))
		return refuse(parser, WR_HTTP_FAULT_HEAD_TOO_LARGE);
	field->name = wr_view_of(start, (size_t)(at - start));

	/* One SP before the value, and none behind it, is what nearly everybody sends. */
	if (WR_LIKELY(end - at >= 3 && at[1] == ' ' && (uint8_t)at[2] > ' '))
		start = at + 2;
	else
		start = skip_ows(at + 1, end);
	stop = wr_http_scan_value_in(base, start, end);
	at = take_line_end(parser, stop, end);
	if (WR_UNLIKELY(at == NULL))
		return NULL;
	if (WR_UNLIKELY((uint8_t)stop[-1] <= ' '))
		stop = drop_ows(start, stop);
	field->value = wr_view_of(start, (size_t)(stop - start));
	return at;
}

/* The empty line behind the fields: what is missing? */
static const char *take_empty_line(struct wr_http_head_parser *parser, const char *at,
				   const char *end, enum wr_http_role role)
{
	at = take_line_end(parser, at, end);
	if (at == NULL)
		return NULL;
	parser->fault = wr_http_fields_end(parser, role);
	return parser->fault == WR_HTTP_FAULT_NONE ? at : NULL;
}

/* ---- lines ---- */

static enum wr_status status_of(enum wr_http_fault fault)
{
	switch (fault) {
	case WR_HTTP_FAULT_NONE:
		return WR_OK;
	case WR_HTTP_FAULT_SYNTAX:
	case WR_HTTP_FAULT_FRAMING:
	case WR_HTTP_FAULT_HOST:
	case WR_HTTP_FAULT_REPEATED:
		return WR_SYNTAX;
	case WR_HTTP_FAULT_TARGET_TOO_LONG:
	case WR_HTTP_FAULT_HEAD_TOO_LARGE:
		return WR_TOO_LARGE;
	case WR_HTTP_FAULT_VERSION:
	case WR_HTTP_FAULT_TRANSFER_CODING:
	case WR_HTTP_FAULT_EXPECTATION:
		return WR_UNSUPPORTED;
	}
	wr_unreachable();
}

/* The end of what may be looked at: the input, or as much of it as a head may have. */
static const char *head_limit(struct wr_view input)
{
	return input.data +
	       (input.bytes < WR_HTTP_HEAD_BYTES_MAX ? input.bytes : WR_HTTP_HEAD_BYTES_MAX);
}

/* The same for a line at `at` that may have `max` bytes. */
static inline const char *line_limit(const char *at, const char *limit, ptrdiff_t max)
{
	return limit - at > max ? at + max : limit;
}

static ptrdiff_t start_line_bytes_max(enum wr_http_role role)
{
	return role == WR_HTTP_ROLE_REQUEST ? REQUEST_LINE_BYTES_MAX : FIELD_LINE_BYTES_MAX;
}

/* Whether more bytes could still change what is to be said of the line at line_start: it has no LF
 * yet, and neither it nor the head is over its limit. */
static bool is_open(struct wr_http_head_parser *parser, struct wr_view input,
		    enum wr_http_role role)
{
	size_t max = parser->line_count == 0 ? (size_t)start_line_bytes_max(role)
					     : (size_t)FIELD_LINE_BYTES_MAX;
	size_t from = parser->scanned > parser->line_start ? parser->scanned : parser->line_start;

	if (input.bytes >= WR_HTTP_HEAD_BYTES_MAX || input.bytes - parser->line_start >= max)
		return false;
	if (from < input.bytes && memchr(input.data + from, '\n', input.bytes - from) != NULL)
		return false;
	parser->scanned = input.bytes;
	return true;
}

/* Takes the start line and counts it. */
static bool take_start(struct wr_http_head_parser *parser, struct wr_http_head *head,
		       struct wr_view input, enum wr_http_role role)
{
	const char *end = line_limit(input.data, head_limit(input), start_line_bytes_max(role));
	const char *next = role == WR_HTTP_ROLE_REQUEST
				   ? take_request_line(parser, head, input.data, end)
				   : take_status_line(parser, head, input.data, end);

	if (next == NULL)
		return false;
	parser->line_start = (size_t)(next - input.data);
	parser->line_count = 1;
	return true;
}

/* Takes lines from line_start on, and the empty line behind them. True: the head is complete.
 * False: the line that line_start is at could not be taken. */
static bool take_fields(struct wr_http_head_parser *parser, struct wr_http_head *head,
			struct wr_view input, enum wr_http_role role)
{
	const char *limit = head_limit(input), *end = limit;
	const char *at = input.data + parser->line_start, *next;
	struct wr_http_field *field = head->fields;
	const struct wr_http_field *full = field + WR_HTTP_FIELD_COUNT_MAX + 1 - parser->line_count;
	enum wr_http_known known = WR_HTTP_KNOWN_NONE;

	for (;;) {
		if (at < end && *at == '\r') {
			next = take_empty_line(parser, at, end, role);
			at = next != NULL ? next : at;
			break;
		}
		next = take_field_line(parser, field, &known, full, input.data, at, end);
		if (WR_UNLIKELY(next == NULL || next - at > FIELD_LINE_BYTES_MAX)) {
			if (end != limit || limit - at <= FIELD_LINE_BYTES_MAX)
				break;
			/* Once more, with nothing behind the limit of the line in sight: what is
			 * wrong in front of it is its fault, else its length. */
			end = at + FIELD_LINE_BYTES_MAX;
			parser->fault = WR_HTTP_FAULT_NONE;
			continue;
		}
		parser->fault = wr_http_field_take(parser, head, known, field, role);
		if (WR_UNLIKELY(parser->fault != WR_HTTP_FAULT_NONE))
			break;
		field++;
		at = next;
	}
	head->field_count = (size_t)(field - head->fields);
	parser->line_count += (uint32_t)head->field_count;
	parser->line_start = (size_t)(at - input.data);
	return next != NULL && parser->fault == WR_HTTP_FAULT_NONE;
}

/* Clears what of `part` lies before the fields. Parts are small: a large memset becomes `rep stos`,
 * which is slow to start. */
static inline void clear_part(struct wr_http_head *head, size_t part)
{
	enum { PART_BYTES = 64, BYTES = offsetof(struct wr_http_head, fields) };
	size_t from = part * PART_BYTES;

	_Static_assert(BYTES <= 5 * PART_BYTES, "clear has them all");
	if (from < BYTES)
		memset((char *)head + from, 0,
		       BYTES - from < PART_BYTES ? BYTES - from : PART_BYTES);
}

/* Everything but the fields, of which only those that are there are written. */
static void clear(struct wr_http_head *head)
{
	clear_part(head, 0);
	clear_part(head, 1);
	clear_part(head, 2);
	clear_part(head, 3);
	clear_part(head, 4);
}

static enum wr_status take_lines(struct wr_http_head_parser *parser, struct wr_http_head *head,
				 struct wr_view input, enum wr_http_role role)
{
	if ((parser->line_count != 0 || take_start(parser, head, input, role)) &&
	    take_fields(parser, head, input, role))
		return WR_OK;
	if (is_open(parser, input, role)) {
		parser->fault = WR_HTTP_FAULT_NONE;
		return WR_MORE;
	}
	if (parser->fault == WR_HTTP_FAULT_NONE)
		parser->fault = WR_HTTP_FAULT_HEAD_TOO_LARGE;
	return status_of(parser->fault);
}

static enum wr_status parse(struct wr_http_head_parser *parser, struct wr_http_head *head,
			    size_t *head_bytes, struct wr_view input, enum wr_http_role role)
{
	enum wr_status status;
	bool is_resumed = parser->line_count != 0;

	if (WR_UNLIKELY(parser->fault != WR_HTTP_FAULT_NONE))
		return status_of(parser->fault);
	wr_assert(input.bytes >= parser->scanned && input.bytes >= parser->line_start);
	if (WR_UNLIKELY(input.bytes == 0 ||
			(parser->scanned > parser->line_start && is_open(parser, input, role))))
		return WR_MORE;
	clear(head);
	for (;;) {
		status = take_lines(parser, head, input, role);
		if (status != WR_OK)
			return status;
		if (WR_LIKELY(!is_resumed))
			break;
		/* Once more from the start, for the views; all that was found is found again. */
		input.bytes = parser->line_start;
		*parser = (struct wr_http_head_parser){0};
		is_resumed = false;
	}
	*head_bytes = parser->line_start;
	wr_http_fields_apply(parser, head);
	return WR_OK;
}

enum wr_status wr_http_request_parse(struct wr_http_head_parser *parser, struct wr_http_head *head,
				     size_t *head_bytes, struct wr_view input)
{
	return parse(parser, head, head_bytes, input, WR_HTTP_ROLE_REQUEST);
}

enum wr_status wr_http_response_parse(struct wr_http_head_parser *parser, struct wr_http_head *head,
				      size_t *head_bytes, struct wr_view input, bool to_head)
{
	enum wr_status status = parse(parser, head, head_bytes, input, WR_HTTP_ROLE_RESPONSE);

	if (status != WR_OK)
		return status;
	/* RFC 9112 6.3, rules 1 and 8. */
	if (to_head || head->status < 200 || head->status == 204 || head->status == 304) {
		head->framing = WR_HTTP_FRAMING_NONE;
		head->body_bytes = 0;
	} else if (head->framing == WR_HTTP_FRAMING_NONE) {
		head->framing = WR_HTTP_FRAMING_CLOSE;
		head->is_keep_alive = false;
	}
	return WR_OK;
}
