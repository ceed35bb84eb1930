#include "codec/http/field.h"

#include "check.h"
#include "codec/http/chars.h"

/* ---- names ---- */

#define KEPT(rule, member) rule, offsetof(struct wr_http_head, member)

const struct wr_http_known_field wr_http_known_fields[WR_HTTP_KNOWN_NONE] = {
	[WR_HTTP_KNOWN_HOST] = {"host", WR_HTTP_RULE_JUDGE, 0},
	[WR_HTTP_KNOWN_EXPECT] = {"expect", WR_HTTP_RULE_JUDGE, 0},
	[WR_HTTP_KNOWN_ORIGIN] = {"origin", KEPT(WR_HTTP_RULE_ONCE, origin)},
	[WR_HTTP_KNOWN_UPGRADE] = {"upgrade", KEPT(WR_HTTP_RULE_ONCE, upgrade)},
	[WR_HTTP_KNOWN_LOCATION] = {"location", KEPT(WR_HTTP_RULE_FIRST, location)},
	[WR_HTTP_KNOWN_CONNECTION] = {"connection", WR_HTTP_RULE_JUDGE, 0},
	[WR_HTTP_KNOWN_RETRY_AFTER] = {"retry-after", KEPT(WR_HTTP_RULE_FIRST, retry_after)},
	[WR_HTTP_KNOWN_CONTENT_TYPE] = {"content-type", KEPT(WR_HTTP_RULE_FIRST, content_type)},
	[WR_HTTP_KNOWN_AUTHORIZATION] = {"authorization", KEPT(WR_HTTP_RULE_ONCE, authorization)},
	[WR_HTTP_KNOWN_CONTENT_LENGTH] = {"content-length", WR_HTTP_RULE_JUDGE, 0},
	[WR_HTTP_KNOWN_IDEMPOTENCY_KEY] = {"idempotency-key",
					   KEPT(WR_HTTP_RULE_ONCE, idempotency_key)},
	[WR_HTTP_KNOWN_TRANSFER_ENCODING] = {"transfer-encoding", WR_HTTP_RULE_JUDGE, 0},
	[WR_HTTP_KNOWN_WS_KEY] = {"sec-websocket-key", KEPT(WR_HTTP_RULE_ONCE, ws_key)},
	[WR_HTTP_KNOWN_WS_ACCEPT] = {"sec-websocket-accept", KEPT(WR_HTTP_RULE_ONCE, ws_accept)},
	[WR_HTTP_KNOWN_WS_VERSION] = {"sec-websocket-version", KEPT(WR_HTTP_RULE_ONCE, ws_version)},
	[WR_HTTP_KNOWN_WS_PROTOCOL] = {"sec-websocket-protocol",
				       KEPT(WR_HTTP_RULE_ONCE, ws_protocol)},
	[WR_HTTP_KNOWN_WS_EXTENSIONS] = {"sec-websocket-extensions",
					 KEPT(WR_HTTP_RULE_ONCE, ws_extensions)},
};

const struct wr_http_known_span wr_http_known_spans[WR_HTTP_KNOWN_BYTES_MAX + 1] = {
	[4] = {WR_HTTP_KNOWN_HOST, WR_HTTP_KNOWN_EXPECT},
	[6] = {WR_HTTP_KNOWN_EXPECT, WR_HTTP_KNOWN_UPGRADE},
	[7] = {WR_HTTP_KNOWN_UPGRADE, WR_HTTP_KNOWN_LOCATION},
	[8] = {WR_HTTP_KNOWN_LOCATION, WR_HTTP_KNOWN_CONNECTION},
	[10] = {WR_HTTP_KNOWN_CONNECTION, WR_HTTP_KNOWN_RETRY_AFTER},
	[11] = {WR_HTTP_KNOWN_RETRY_AFTER, WR_HTTP_KNOWN_CONTENT_TYPE},
	[12] = {WR_HTTP_KNOWN_CONTENT_TYPE, WR_HTTP_KNOWN_AUTHORIZATION},
	[13] = {WR_HTTP_KNOWN_AUTHORIZATION, WR_HTTP_KNOWN_CONTENT_LENGTH},
	[14] = {WR_HTTP_KNOWN_CONTENT_LENGTH, WR_HTTP_KNOWN_IDEMPOTENCY_KEY},
	[15] = {WR_HTTP_KNOWN_IDEMPOTENCY_KEY, WR_HTTP_KNOWN_TRANSFER_ENCODING},
	[17] = {WR_HTTP_KNOWN_TRANSFER_ENCODING, WR_HTTP_KNOWN_WS_ACCEPT},
	[20] = {WR_HTTP_KNOWN_WS_ACCEPT, WR_HTTP_KNOWN_WS_VERSION},
	[21] = {WR_HTTP_KNOWN_WS_VERSION, WR_HTTP_KNOWN_WS_PROTOCOL},
	[22] = {WR_HTTP_KNOWN_WS_PROTOCOL, WR_HTTP_KNOWN_WS_EXTENSIONS},
	[24] = {WR_HTTP_KNOWN_WS_EXTENSIONS, WR_HTTP_KNOWN_NONE},
};

/* Of all bytes that may stand in names and values only letters of either case give a small letter
 * with bit 5 set, and only "-" gives "-": the rest that could are controls. `known` has at least
 * four bytes. */
static inline bool is_name(const char *name, const char *known, size_t bytes)
{
	const uint64_t bits = UINT64_MAX / 255 * 0x20;

	if (bytes < 8) {
		const uint32_t half = 0x20202020;
		return (wr_load_le32(name) | half) == wr_load_le32(known) &&
		       (wr_load_le32(name + bytes - 4) | half) == wr_load_le32(known + bytes - 4);
	}
	for (; bytes > 8; bytes -= 8, name += 8, known += 8)
		if ((wr_load_le64(name) | bits) != wr_load_le64(known))
			return false;
	return (wr_load_le64(name + bytes - 8) | bits) == wr_load_le64(known + bytes - 8);
}

enum wr_http_known wr_http_field_find(struct wr_view name)
{
	struct wr_http_known_span span;

	if (name.bytes > WR_HTTP_KNOWN_BYTES_MAX)
		return WR_HTTP_KNOWN_NONE;
	span = wr_http_known_spans[name.bytes];
	for (unsigned known = span.first; known < span.past; known++)
		if (is_name(name.data, wr_http_known_fields[known].name, name.bytes))
			return (enum wr_http_known)known;
	return WR_HTTP_KNOWN_NONE;
}

/* ---- values ---- */

/* Digits only: no sign, no list, no white space (RFC 9112 6.3, rule 5, without its leniency). */
static bool read_length(uint64_t *out, struct wr_view text)
{
	uint64_t value = 0;

	if (text.bytes == 0)
		return false;
	for (size_t i = 0; i < text.bytes; i++) {
		uint64_t digit = (uint64_t)(uint8_t)text.data[i] - '0';

		/* Fewer than 20 digits always fit. */
		if (digit > 9 || (i >= 19 && value > (UINT64_MAX - digit) / 10))
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

static enum wr_http_fault judge_length(const struct wr_http_head_parser *parser,
				       struct wr_http_head *head, struct wr_view value,
				       bool is_repeated)
{
	if (is_repeated || wr_http_field_has_seen(parser, WR_HTTP_KNOWN_TRANSFER_ENCODING) ||
	    !read_length(&head->body_bytes, value))
		return WR_HTTP_FAULT_FRAMING;
	return WR_HTTP_FAULT_NONE;
}

/* The one coding there is; any other, or a list, is one that we could take apart otherwise than
 * whoever stands before us (RFC 9112 6.1, 11.2). HTTP/1.0 has none. */
static enum wr_http_fault judge_coding(const struct wr_http_head_parser *parser,
				       struct wr_view value, bool is_repeated)
{
	if (is_repeated || wr_http_field_has_seen(parser, WR_HTTP_KNOWN_CONTENT_LENGTH) ||
	    parser->minor_version == 0)
		return WR_HTTP_FAULT_FRAMING;
	return wr_view_equal_nocase(value, WR_VIEW("chunked")) ? WR_HTTP_FAULT_NONE
							       : WR_HTTP_FAULT_TRANSFER_CODING;
}

/* RFC 9110 10.1.1: in HTTP/1.0 the field is ignored. */
static enum wr_http_fault judge_expect(const struct wr_http_head_parser *parser,
				       struct wr_http_head *head, struct wr_view value,
				       enum wr_http_role role)
{
	if (role == WR_HTTP_ROLE_RESPONSE || parser->minor_version == 0)
		return WR_HTTP_FAULT_NONE;
	head->expects_continue = wr_view_equal_nocase(value, WR_VIEW("100-continue"));
	return head->expects_continue ? WR_HTTP_FAULT_NONE : WR_HTTP_FAULT_EXPECTATION;
}

/* The first element of a list (RFC 9110 5.6.1), which is then taken off it. False: none is left. */
static bool next_element(struct wr_view *list, struct wr_view *element)
{
	const char *comma;

	if (list->bytes == 0)
		return false;
	comma = memchr(list->data, ',', list->bytes);
	element->data = list->data;
	element->bytes = comma == NULL ? list->bytes : (size_t)(comma - list->data);
	*list = wr_view_skip(*list, element->bytes + (comma == NULL ? 0 : 1));
	*element = wr_http_trim(*element);
	return true;
}

/* Whether it is an option that means something to us; if so, that is noted. The view may be empty.
 */
static bool note_option(struct wr_http_head_parser *parser, struct wr_view option)
{
	uint32_t bit = 0;

	if (option.bytes == 10 && is_name(option.data, "keep-alive", 10))
		bit = WR_HTTP_SEEN_KEEP_ALIVE;
	else if (option.bytes == 5 && is_name(option.data, "close", 5))
		bit = WR_HTTP_SEEN_CLOSE;
	else if (option.bytes == 7 && is_name(option.data, "upgrade", 7))
		bit = WR_HTTP_SEEN_UPGRADE;
	parser->seen |= bit;
	return bit != 0;
}

static void note_connection(struct wr_http_head_parser *parser, struct wr_view value)
{
	struct wr_view option;

	if (note_option(parser, value))
		return;
	while (next_element(&value, &option))
		note_option(parser, option);
}

/* Where readable bytes begin: with the request line, unless it was seen in an earlier call. */
static const char *readable_from(const struct wr_http_head *head, struct wr_view value)
{
	return head->method_text.data != NULL ? head->method_text.data : value.data;
}

enum wr_http_fault wr_http_field_judge(struct wr_http_head_parser *parser,
				       struct wr_http_head *head, enum wr_http_known known,
				       const struct wr_http_field *field, bool is_repeated,
				       enum wr_http_role role)
{
	struct wr_view value = field->value;

	switch (known) {
	case WR_HTTP_KNOWN_HOST:
		head->host = value;
		return is_repeated || (role == WR_HTTP_ROLE_REQUEST &&
				       !wr_http_is_host_in(readable_from(head, value), value))
			       ? WR_HTTP_FAULT_HOST
			       : WR_HTTP_FAULT_NONE;
	case WR_HTTP_KNOWN_EXPECT:
		return is_repeated ? WR_HTTP_FAULT_REPEATED
				   : judge_expect(parser, head, value, role);
	case WR_HTTP_KNOWN_CONNECTION:
		note_connection(parser, value);
		return WR_HTTP_FAULT_NONE;
	case WR_HTTP_KNOWN_CONTENT_LENGTH:
		return judge_length(parser, head, value, is_repeated);
	case WR_HTTP_KNOWN_TRANSFER_ENCODING:
		return judge_coding(parser, value, is_repeated);
	case WR_HTTP_KNOWN_ORIGIN:
	case WR_HTTP_KNOWN_UPGRADE:
	case WR_HTTP_KNOWN_LOCATION:
	case WR_HTTP_KNOWN_RETRY_AFTER:
	case WR_HTTP_KNOWN_CONTENT_TYPE:
	case WR_HTTP_KNOWN_AUTHORIZATION:
	case WR_HTTP_KNOWN_IDEMPOTENCY_KEY:
	case WR_HTTP_KNOWN_WS_KEY:
	case WR_HTTP_KNOWN_WS_ACCEPT:
	case WR_HTTP_KNOWN_WS_VERSION:
	case WR_HTTP_KNOWN_WS_PROTOCOL:
	case WR_HTTP_KNOWN_WS_EXTENSIONS:
	case WR_HTTP_KNOWN_NONE:
		break;
	}
	wr_unreachable(); /* the others are kept */
}

/* ---- for the users of a head ---- */

struct wr_view wr_http_head_find(const struct wr_http_head *head, struct wr_view name)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (wr_view_equal_nocase(head->fields[i].name, name))
			return head->fields[i].value;
	return WR_VIEW_NULL;
}

bool wr_http_list_has(struct wr_view list, struct wr_view token)
{
	struct wr_view element;

	while (next_element(&list, &element))
		if (wr_view_equal_nocase(element, token))
			return true;
	return false;
}

bool wr_http_is_json_type(struct wr_view content_type)
{
	const struct wr_view prefix = WR_VIEW("application/"), suffix = WR_VIEW("+json");
	struct wr_view type = content_type, end;
	const char *semicolon;

	/* What nearly everybody says. */
	if (WR_LIKELY(type.bytes == 16 && memcmp(type.data, "application/json", 16) == 0))
		return true;
	semicolon = type.bytes == 0 ? NULL : memchr(type.data, ';', type.bytes);
	if (semicolon != NULL)
		type.bytes = (size_t)(semicolon - content_type.data);
	type = wr_http_trim(type);
	if (type.bytes <= prefix.bytes ||
	    !wr_view_equal_nocase(wr_view_of(type.data, prefix.bytes), prefix))
		return false;
	type = wr_view_skip(type, prefix.bytes);
	if (wr_view_equal_nocase(type, WR_VIEW("json")))
		return true;
	if (type.bytes <= suffix.bytes)
		return false;
	end = wr_view_skip(type, type.bytes - suffix.bytes);
	return wr_view_equal_nocase(end, suffix) &&
	       wr_http_scan_class(type.data, end.data, WR_HTTP_CHAR_TOKEN) == end.data;
}
