#include "codec/http/target.h"

#include "bytes/utf8.h"
#include "check.h"
#include "codec/http/chars.h"

/* Takes "scheme://authority" off the front. The path that is left may be empty (RFC 9112 3.2.2). */
static bool drop_authority(struct wr_view *target)
{
	static const struct wr_view schemes[] = {{"http://", 7}, {"https://", 8}};

	for (size_t i = 0; i < WR_COUNT(schemes); i++) {
		size_t bytes = schemes[i].bytes;
		const char *start, *at, *end;

		if (target->bytes < bytes ||
		    !wr_view_equal_nocase(wr_view_of(target->data, bytes), schemes[i]))
			continue;
		start = at = target->data + bytes;
		end = target->data + target->bytes;
		while (at < end && *at != '/' && *at != '?')
			at++;
		*target = wr_view_of(at, (size_t)(end - at));
		return wr_http_is_host(wr_view_of(start, (size_t)(at - start)));
	}
	return false;
}

enum wr_status wr_http_target_split(struct wr_http_target *out, struct wr_view target)
{
	const char *end, *mark, *at;

	if (target.bytes == 0)
		return WR_SYNTAX;
	end = target.data + target.bytes;
	mark = at = wr_http_scan_place(target.data, end);
	/* A query may have more of what begins it. */
	while (at != end && *at == '?')
		at = wr_http_scan_place_in(target.data, at + 1, end);
	if (at != end || (*target.data != '/' && !drop_authority(&target)))
		return WR_SYNTAX;
	out->path = wr_view_of(target.data, (size_t)(mark - target.data));
	out->query = mark == end ? WR_VIEW_NULL : wr_view_of(mark + 1, (size_t)(end - mark - 1));
	if (out->path.bytes == 0)
		out->path = WR_VIEW("/");
	return WR_OK;
}

enum wr_status wr_http_percent_decode(char *out, size_t *bytes, struct wr_view text, bool is_form)
{
	size_t count = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		const char *at = text.data + i;

		if (*at == '%' && text.bytes - i >= 3 && wr_http_char_is(at[1], WR_HTTP_CHAR_HEX) &&
		    wr_http_char_is(at[2], WR_HTTP_CHAR_HEX)) {
			out[count++] =
				(char)(wr_http_hex_value(at[1]) << 4 | wr_http_hex_value(at[2]));
			i += 2;
		} else {
			out[count++] = *at == '+' && is_form ? ' ' : *at;
		}
	}
	*bytes = count;
	return wr_utf8_is_valid(wr_view_of(out, count)) ? WR_OK : WR_ENCODING;
}

enum wr_status wr_http_percent_encode(struct wr_buf *out, struct wr_view text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.bytes; i++) {
		uint8_t c = (uint8_t)text.data[i];

		if (wr_http_char_is(text.data[i], WR_HTTP_CHAR_UNRESERVED))
			wr_buf_append_byte(out, text.data[i]);
		else
			wr_buf_append(out, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
	}
	return wr_buf_status(out);
}

bool wr_http_query_next(struct wr_view *rest, struct wr_view *name, struct wr_view *value)
{
	const char *end, *mark;

	while (rest->bytes != 0 && *rest->data == '&')
		*rest = wr_view_skip(*rest, 1);
	if (rest->bytes == 0)
		return false;
	end = memchr(rest->data, '&', rest->bytes);
	*name = wr_view_of(rest->data, end == NULL ? rest->bytes : (size_t)(end - rest->data));
	*value = WR_VIEW_NULL;
	*rest = wr_view_skip(*rest, name->bytes);
	mark = memchr(name->data, '=', name->bytes);
	if (mark != NULL) {
		size_t bytes = (size_t)(mark - name->data);
		*value = wr_view_skip(*name, bytes + 1);
		name->bytes = bytes;
	}
	return true;
}
