#include "codec/http/field.h"

#include "check.h"
#include "codec/http/chars.h"

/* Bits of parser->seen: one for each known field, then what Connection named. */
enum {
	SEEN_CLOSE = 1u << WR_HTTP_KNOWN_NONE,
	SEEN_KEEP_ALIVE = SEEN_CLOSE << 1,
	SEEN_UPGRADE = SEEN_CLOSE << 2
};

static bool has_seen(const struct wr_http_head_parser *parser, enum wr_http_known known)
{
	return (parser->seen >> known & 1) != 0;
}

/* ---- names ---- */

static const struct wr_view names[] = {
	[WR_HTTP_KNOWN_HOST] = {"host", 4},
	[WR_HTTP_KNOWN_EXPECT] = {"expect", 6},
	[WR_HTTP_KNOWN_ORIGIN] = {"origin", 6},
	[WR_HTTP_KNOWN_UPGRADE] = {"upgrade", 7},
	[WR_HTTP_KNOWN_LOCATION] = {"location", 8},
	[WR_HTTP_KNOWN_CONNECTION] = {"connection", 10},
	[WR_HTTP_KNOWN_RETRY_AFTER] = {"retry-after", 11},
	[WR_HTTP_KNOWN_CONTENT_TYPE] = {"content-type", 12},
	[WR_HTTP_KNOWN_AUTHORIZATION] = {"authorization", 13},
	[WR_HTTP_KNOWN_CONTENT_LENGTH] = {"content-length", 14},
	[WR_HTTP_KNOWN_TRANSFER_ENCODING] = {"transfer-encoding", 17},
	[WR_HTTP_KNOWN_WS_KEY] = {"sec-websocket-key", 17},
	[WR_HTTP_KNOWN_WS_ACCEPT] = {"sec-websocket-accept", 20},
	[WR_HTTP_KNOWN_WS_VERSION] = {"sec-websocket-version", 21},
	[WR_HTTP_KNOWN_WS_PROTOCOL] = {"sec-websocket-protocol", 22},
	[WR_HTTP_KNOWN_WS_EXTENSIONS] = {"sec-websocket-extensions", 24},
};

const char wr_http_known_letters[WR_HTTP_KNOWN_BYTES_MAX + 1][2] = {
	[4] = {'h'},  [6] = {'e', 'o'}, [7] = {'u'},  [8] = {'l'},  [10] = {'c'},
	[11] = {'r'}, [12] = {'c'},	[13] = {'a'}, [14] = {'c'}, [17] = {'t', 's'},
	[20] = {'s'}, [21] = {'s'},	[22] = {'s'}, [24] = {'s'},
};

static enum wr_http_known candidate(struct wr_view name)
{
	switch (name.bytes) {
	case 4:
		return WR_HTTP_KNOWN_HOST;
	case 6:
		return (*name.data | 0x20) == 'e' ? WR_HTTP_KNOWN_EXPECT : WR_HTTP_KNOWN_ORIGIN;
	case 7:
		return WR_HTTP_KNOWN_UPGRADE;
	case 8:
		return WR_HTTP_KNOWN_LOCATION;
	case 10:
		return WR_HTTP_KNOWN_CONNECTION;
	case 11:
		return WR_HTTP_KNOWN_RETRY_AFTER;
	case 12:
		return WR_HTTP_KNOWN_CONTENT_TYPE;
	case 13:
		return WR_HTTP_KNOWN_AUTHORIZATION;
	case 14:
		return WR_HTTP_KNOWN_CONTENT_LENGTH;
	case 17:
		return (*name.data | 0x20) == 't' ? WR_HTTP_KNOWN_TRANSFER_ENCODING
						  : WR_HTTP_KNOWN_WS_KEY;
	case 20:
		return WR_HTTP_KNOWN_WS_ACCEPT;
	case 21:
		return WR_HTTP_KNOWN_WS_VERSION;
	case 22:
		return WR_HTTP_KNOWN_WS_PROTOCOL;
	case 24:
		return WR_HTTP_KNOWN_WS_EXTENSIONS;
	}
	wr_unreachable();
}

/* Of all bytes that may stand in names and values only letters of either case give a small letter
 * with bit 5 set, and only "-" gives "-": the rest that could are controls. `known` has at least
 * four bytes. */
static inline bool is_name(const char *name, const char *known, size_t bytes)
{
	const uint32_t bits = 0x20202020;
	size_t last = bytes - 4;

	for (size_t i = 0; i < last; i += 4)
		if ((wr_load_le32(name + i) | bits) != wr_load_le32(known + i))
			return false;
	return (wr_load_le32(name + last) | bits) == wr_load_le32(known + last);
}

enum wr_http_known wr_http_field_compare(struct wr_view name)
{
	enum wr_http_known known = candidate(name);

	return is_name(name.data, names[known].data, name.bytes) ? known : WR_HTTP_KNOWN_NONE;
}

/* ---- values ---- */

/* Digits only: no sign, no list, no white space (RFC 9112 6.3, rule 5, without its leniency). */
static bool read_length(uint64_t *out, struct wr_view text)
{
	uint64_t value = 0;

	if (text.bytes == 0)
		return false;
	for (size_t i = 0; i < text.bytes; i++) {
		uint64_t digit = (uint64_t)(text.data[i] - '0');

		if (!wr_http_char_is(text.data[i], WR_HTTP_CHAR_DIGIT) ||
		    value > (UINT64_MAX - digit) / 10)
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
	if (is_repeated || has_seen(parser, WR_HTTP_KNOWN_TRANSFER_ENCODING) ||
	    !read_length(&head->body_bytes, value))
		return WR_HTTP_FAULT_FRAMING;
	return WR_HTTP_FAULT_NONE;
}

/* The one coding there is; any other, or a list, is one that we could take apart otherwise than
 * whoever stands before us (RFC 9112 6.1, 11.2). HTTP/1.0 has none. */
static enum wr_http_fault judge_coding(const struct wr_http_head_parser *parser,
				       struct wr_view value, bool is_repeated)
{
	if (is_repeated || has_seen(parser, WR_HTTP_KNOWN_CONTENT_LENGTH) ||
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
		bit = SEEN_KEEP_ALIVE;
	else if (option.bytes == 5 && is_name(option.data, "close", 5))
		bit = SEEN_CLOSE;
	else if (option.bytes == 7 && is_name(option.data, "upgrade", 7))
		bit = SEEN_UPGRADE;
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

static enum wr_http_fault keep_once(struct wr_view *member, struct wr_view value, bool is_repeated)
{
	*member = value;
	return is_repeated ? WR_HTTP_FAULT_REPEATED : WR_HTTP_FAULT_NONE;
}

static enum wr_http_fault keep_first(struct wr_view *member, struct wr_view value)
{
	if (member->data == NULL)
		*member = value;
	return WR_HTTP_FAULT_NONE;
}

enum wr_http_fault wr_http_field_judge(struct wr_http_head_parser *parser,
				       struct wr_http_head *head, enum wr_http_known known,
				       struct wr_view value, enum wr_http_role role)
{
	bool is_repeated = has_seen(parser, known);

	parser->seen |= 1u << known;
	switch (known) {
	case WR_HTTP_KNOWN_HOST:
		head->host = value;
		return is_repeated || (role == WR_HTTP_ROLE_REQUEST && !wr_http_is_host(value))
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
	case WR_HTTP_KNOWN_LOCATION:
		return keep_first(&head->location, value);
	case WR_HTTP_KNOWN_RETRY_AFTER:
		return keep_first(&head->retry_after, value);
	case WR_HTTP_KNOWN_CONTENT_TYPE:
		return keep_first(&head->content_type, value);
	case WR_HTTP_KNOWN_ORIGIN:
		return keep_once(&head->origin, value, is_repeated);
	case WR_HTTP_KNOWN_UPGRADE:
		return keep_once(&head->upgrade, value, is_repeated);
	case WR_HTTP_KNOWN_AUTHORIZATION:
		return keep_once(&head->authorization, value, is_repeated);
	case WR_HTTP_KNOWN_WS_KEY:
		return keep_once(&head->ws_key, value, is_repeated);
	case WR_HTTP_KNOWN_WS_ACCEPT:
		return keep_once(&head->ws_accept, value, is_repeated);
	case WR_HTTP_KNOWN_WS_VERSION:
		return keep_once(&head->ws_version, value, is_repeated);
	case WR_HTTP_KNOWN_WS_PROTOCOL:
		return keep_once(&head->ws_protocol, value, is_repeated);
	case WR_HTTP_KNOWN_WS_EXTENSIONS:
		return keep_once(&head->ws_extensions, value, is_repeated);
	case WR_HTTP_KNOWN_NONE:
		break;
	}
	wr_unreachable();
}

/* ---- all fields together ---- */

enum wr_http_fault wr_http_fields_end(const struct wr_http_head_parser *parser,
				      enum wr_http_role role)
{
	bool is_host_missing = role == WR_HTTP_ROLE_REQUEST && parser->minor_version != 0 &&
			       !has_seen(parser, WR_HTTP_KNOWN_HOST);

	return is_host_missing ? WR_HTTP_FAULT_HOST : WR_HTTP_FAULT_NONE;
}

void wr_http_fields_apply(const struct wr_http_head_parser *parser, struct wr_http_head *head)
{
	head->minor_version = parser->minor_version;
	/* RFC 9112 9.3: `close` outweighs `keep-alive`. */
	head->is_keep_alive = (parser->seen & SEEN_CLOSE) == 0 &&
			      (parser->minor_version != 0 || (parser->seen & SEEN_KEEP_ALIVE) != 0);
	head->has_connection_upgrade = (parser->seen & SEEN_UPGRADE) != 0;
	if (has_seen(parser, WR_HTTP_KNOWN_TRANSFER_ENCODING))
		head->framing = WR_HTTP_FRAMING_CHUNKED;
	else if (has_seen(parser, WR_HTTP_KNOWN_CONTENT_LENGTH))
		head->framing = WR_HTTP_FRAMING_LENGTH;
	else
		head->framing = WR_HTTP_FRAMING_NONE;
}

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
	const char *semicolon =
		content_type.bytes == 0 ? NULL : memchr(content_type.data, ';', content_type.bytes);
	struct wr_view type = content_type, end;

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
