#include "codec/http/message.h"

#include "check.h"
#include "codec/http/chars.h"

/* The registered statuses (RFC 9110 15, RFC 6585, RFC 6455), and 507 of RFC 4918 for a full store.
 */
#define STATUS_LIST(X)                            \
	X(100, "Continue")                        \
	X(101, "Switching Protocols")             \
	X(200, "OK")                              \
	X(201, "Created")                         \
	X(202, "Accepted")                        \
	X(203, "Non-Authoritative Information")   \
	X(204, "No Content")                      \
	X(205, "Reset Content")                   \
	X(206, "Partial Content")                 \
	X(300, "Multiple Choices")                \
	X(301, "Moved Permanently")               \
	X(302, "Found")                           \
	X(303, "See Other")                       \
	X(304, "Not Modified")                    \
	X(307, "Temporary Redirect")              \
	X(308, "Permanent Redirect")              \
	X(400, "Bad Request")                     \
	X(401, "Unauthorized")                    \
	X(402, "Payment Required")                \
	X(403, "Forbidden")                       \
	X(404, "Not Found")                       \
	X(405, "Method Not Allowed")              \
	X(406, "Not Acceptable")                  \
	X(407, "Proxy Authentication Required")   \
	X(408, "Request Timeout")                 \
	X(409, "Conflict")                        \
	X(410, "Gone")                            \
	X(411, "Length Required")                 \
	X(412, "Precondition Failed")             \
	X(413, "Content Too Large")               \
	X(414, "URI Too Long")                    \
	X(415, "Unsupported Media Type")          \
	X(416, "Range Not Satisfiable")           \
	X(417, "Expectation Failed")              \
	X(421, "Misdirected Request")             \
	X(422, "Unprocessable Content")           \
	X(426, "Upgrade Required")                \
	X(428, "Precondition Required")           \
	X(429, "Too Many Requests")               \
	X(431, "Request Header Fields Too Large") \
	X(500, "Internal Server Error")           \
	X(501, "Not Implemented")                 \
	X(502, "Bad Gateway")                     \
	X(503, "Service Unavailable")             \
	X(504, "Gateway Timeout")                 \
	X(505, "HTTP Version Not Supported")      \
	X(507, "Insufficient Storage")            \
	X(511, "Network Authentication Required")

enum {
	MINOR_AT = 7,	/* of the digit in "HTTP/1.1 200 OK" */
	REASON_AT = 13, /* of its reason */
	CRLF_BYTES = 2,
	/* Year 9999: four digits are all that an IMF-fixdate has. */
	DAY_MAX = 2932896,
	DAY_S = 86400
};

/* The whole line for HTTP/1.1, ready to be copied; absent for a status without a phrase. */
static struct wr_view status_line(unsigned status)
{
	switch (status) {
#define STATUS_CASE(number, reason) \
	case number:                \
		return WR_VIEW("HTTP/1.1 " #number " " reason "\r\n");
		STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
	}
	return WR_VIEW_NULL;
}

struct wr_view wr_http_reason(unsigned status)
{
	struct wr_view line = status_line(status);

	if (line.data == NULL)
		return WR_VIEW("Unknown");
	return wr_view_of(line.data + REASON_AT, line.bytes - REASON_AT - CRLF_BYTES);
}

void wr_http_write_status_line(struct wr_buf *out, unsigned minor_version, unsigned status)
{
	struct wr_view line = status_line(status);
	char number[3];
	char *to;

	wr_assert(minor_version <= 1 && status >= 100 && status <= 999);
	if (line.data == NULL)
		line = WR_VIEW("HTTP/1.1 000 Unknown\r\n");
	to = wr_buf_reserve(out, line.bytes);
	if (to == NULL)
		return;
	number[0] = (char)('0' + status / 100);
	number[1] = (char)('0' + status / 10 % 10);
	number[2] = (char)('0' + status % 10);
	memcpy(to, line.data, line.bytes);
	memcpy(to + MINOR_AT + 2, number, sizeof number);
	to[MINOR_AT] = (char)('0' + minor_version);
	wr_buf_commit(out, line.bytes);
}

static char *put(char *to, struct wr_view view)
{
	if (view.bytes != 0)
		memcpy(to, view.data, view.bytes);
	return to + view.bytes;
}

/* Whether the text could end its line: the splitting of answers begins with such a byte. */
static bool can_break(struct wr_view text)
{
	const char *at = text.data, *end;

	if (text.bytes == 0)
		return false;
	end = at + text.bytes;
	while ((at = wr_http_scan_value(at, end)) < end) {
		if (*at == '\r' || *at == '\n' || *at == '\0')
			return true;
		at++;
	}
	return false;
}

void wr_http_write_request_line(struct wr_buf *out, struct wr_view method, struct wr_view target)
{
	const struct wr_view version = WR_VIEW(" HTTP/1.1\r\n");
	size_t bytes = method.bytes + 1 + target.bytes + version.bytes;
	char *to;

	wr_assert(method.bytes != 0 && target.bytes != 0);
	wr_assert(!can_break(method) && !can_break(target));
	to = wr_buf_reserve(out, bytes);
	if (to == NULL)
		return;
	to = put(to, method);
	*to++ = ' ';
	put(put(to, target), version);
	wr_buf_commit(out, bytes);
}

void wr_http_write_field(struct wr_buf *out, struct wr_view name, struct wr_view value)
{
	size_t bytes = name.bytes + 2 + value.bytes + CRLF_BYTES;
	char *to;

	wr_assert(name.bytes != 0 && !can_break(name) && !can_break(value));
	to = wr_buf_reserve(out, bytes);
	if (to == NULL)
		return;
	to = put(put(put(to, name), WR_VIEW(": ")), value);
	put(to, WR_VIEW("\r\n"));
	wr_buf_commit(out, bytes);
}

void wr_http_write_field_u64(struct wr_buf *out, struct wr_view name, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	wr_http_write_field(out, name, wr_view_of(digits + at, sizeof digits - at));
}

void wr_http_write_head_end(struct wr_buf *out)
{
	wr_buf_append(out, "\r\n", CRLF_BYTES);
}

void wr_http_write_chunk(struct wr_buf *out, struct wr_view payload)
{
	size_t framing = WR_HTTP_CHUNK_HEAD_BYTES + CRLF_BYTES;
	char *to;

	wr_assert(payload.bytes != 0 && payload.bytes <= SIZE_MAX - framing);
	to = wr_buf_reserve(out, payload.bytes + framing);
	if (to == NULL)
		return;
	memcpy(to + WR_HTTP_CHUNK_HEAD_BYTES, payload.data, payload.bytes);
	wr_http_frame_chunk(to, payload.bytes);
	wr_buf_commit(out, payload.bytes + framing);
}

void wr_http_write_last_chunk(struct wr_buf *out)
{
	wr_buf_append(out, "0\r\n\r\n", 5);
}

void wr_http_frame_chunk(char *start, size_t payload_bytes)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t size = payload_bytes;

	/* A chunk of no bytes would end the body. */
	wr_assert(size != 0 && size <= UINT32_MAX);
	for (size_t i = WR_HTTP_CHUNK_HEAD_BYTES - CRLF_BYTES; i-- > 0; size >>= 4)
		start[i] = digits[size & 15];
	memcpy(start + WR_HTTP_CHUNK_HEAD_BYTES - CRLF_BYTES, "\r\n", CRLF_BYTES);
	memcpy(start + WR_HTTP_CHUNK_HEAD_BYTES + payload_bytes, "\r\n", CRLF_BYTES);
}

/* ---- dates ---- */

struct civil {
	unsigned year, month, day; /* month and day from 1 */
};

/* Counts in years that begin on the first of March, so that a leap day is the last day of its year,
 * and in eras of 400 such years, which all have 146,097 days. `day` is since 1970-01-01. */
static struct civil civil_of(uint32_t day)
{
	uint32_t since = day + 719468; /* since 0000-03-01 */
	uint32_t era = since / 146097, in_era = since % 146097;
	/* Less the leap days before it: one in 4 years, but not in 100, but in 400. */
	uint32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint32_t in_year = in_era - (365 * year + year / 4 - year / 100);
	/* From March on months have 31 30 31 30 31, again and again: 153 days in five. */
	uint32_t month = (5 * in_year + 2) / 153;
	struct civil civil = {
		.year = era * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = in_year - (153 * month + 2) / 5 + 1,
	};

	return civil;
}

static char *put_digits(char *to, unsigned value, size_t count)
{
	for (size_t i = count; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + count;
}

void wr_http_format_date(char out[WR_HTTP_DATE_BYTES], int64_t unix_s)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* the first day was a Thursday */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t last = (int64_t)(DAY_MAX + 1) * DAY_S - 1;
	/* A clock that is out of its mind must not make a date that has no spelling. */
	uint64_t time = (uint64_t)(unix_s < 0 ? 0 : unix_s > last ? last : unix_s);
	uint32_t day = (uint32_t)(time / DAY_S);
	unsigned second = (unsigned)(time % DAY_S);
	struct civil civil = civil_of(day);
	char *to = out;

	to = put(to, wr_view_of(days + day % 7 * 3, 3));
	to = put_digits(put(to, WR_VIEW(", ")), civil.day, 2);
	to = put(put(to, WR_VIEW(" ")), wr_view_of(months + (civil.month - 1) * 3, 3));
	to = put_digits(put(to, WR_VIEW(" ")), civil.year, 4);
	to = put_digits(put(to, WR_VIEW(" ")), second / 3600, 2);
	to = put_digits(put(to, WR_VIEW(":")), second / 60 % 60, 2);
	to = put_digits(put(to, WR_VIEW(":")), second % 60, 2);
	to = put(to, WR_VIEW(" GMT"));
	wr_assert(to == out + WR_HTTP_DATE_BYTES);
}
