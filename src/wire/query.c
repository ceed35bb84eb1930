/*
 * The queries of command_json.h. Names and values are percent-decoded, "+" is a space
 * (contract 2.9: a leading plus sign of a number can only be written as %2B). A parameter we know
 * may be there once; others are ignored.
 */
#include "wire/bundle_json.h"
#include "wire/command_json.h"

#include "check.h"
#include "codec/http/target.h"
#include "bounds.h"

struct parameter {
	struct wr_view name;
	struct wr_view value; /* raw; absent: not given */
};

/* Whether a raw name is `name` once decoded. */
static bool is_name(struct wr_view raw, struct wr_view name)
{
	char decoded[3 * sizeof "cursor"]; /* the longest name, every character as %XX */
	size_t bytes;

	return raw.bytes <= sizeof decoded &&
	       wr_http_percent_decode(decoded, &bytes, raw, true) == WR_OK &&
	       wr_view_equal(wr_view_of(decoded, bytes), name);
}

/* Finds the known parameters. WR_OK; WR_INVALID when one is there twice. */
static enum wr_status find_parameters(struct parameter *parameters, unsigned count,
				      struct wr_view query)
{
	struct wr_view name, value;

	while (wr_http_query_next(&query, &name, &value)) {
		for (unsigned i = 0; i < count; i++) {
			if (!is_name(name, parameters[i].name))
				continue;
			if (parameters[i].value.data != NULL)
				return WR_INVALID;
			parameters[i].value = value.data != NULL ? value : WR_VIEW("");
		}
	}
	return WR_OK;
}

static bool parse_decimal(uint64_t *number, struct wr_view text)
{
	*number = 0;
	if (text.bytes != 0 && *text.data == '+')
		text = wr_view_skip(text, 1);
	if (text.bytes == 0)
		return false;
	for (size_t i = 0; i < text.bytes; i++) {
		uint64_t digit = (uint64_t)(unsigned char)text.data[i] - '0';

		if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

static enum wr_status read_number(uint64_t *number, struct wr_view raw)
{
	char decoded[WR_HTTP_TARGET_BYTES_MAX]; /* a longer one cannot come */
	size_t bytes;

	if (raw.bytes > sizeof decoded ||
	    wr_http_percent_decode(decoded, &bytes, raw, true) != WR_OK ||
	    !parse_decimal(number, wr_view_of(decoded, bytes)))
		return WR_INVALID;
	return WR_OK;
}

/* Decodes into texts; an empty value gives an empty view, not an absent one. */
static enum wr_status read_text(struct wr_view *text, struct wr_buf *texts, struct wr_view raw)
{
	char *room;
	size_t bytes;

	if (raw.bytes == 0) {
		*text = WR_VIEW("");
		return WR_OK;
	}
	room = wr_buf_reserve(texts, raw.bytes);
	if (room == NULL)
		return wr_buf_status(texts);
	if (wr_http_percent_decode(room, &bytes, raw, true) != WR_OK)
		return WR_INVALID;
	wr_buf_commit(texts, bytes);
	*text = wr_view_of(room, bytes);
	return WR_OK;
}

enum wr_status wr_transcript_query_read(struct wr_page_query *out, struct wr_view query)
{
	struct parameter parameters[] = {{WR_VIEW_INIT("start"), {NULL, 0}},
					 {WR_VIEW_INIT("limit"), {NULL, 0}}};
	struct wr_view start, limit;

	*out = (struct wr_page_query){.limit = WR_TRANSCRIPT_PAGE_ITEMS_MAX};
	if (find_parameters(parameters, WR_COUNT(parameters), query) != WR_OK)
		return WR_INVALID;
	start = parameters[0].value;
	limit = parameters[1].value;
	out->has_limit = limit.data != NULL;
	if (start.data != NULL && read_number(&out->start, start) != WR_OK)
		return WR_INVALID;
	return out->has_limit ? read_number(&out->limit, limit) : WR_OK;
}

enum wr_status wr_list_query_read(struct wr_list_query *out, struct wr_buf *texts,
				  struct wr_view query)
{
	struct parameter parameters[] = {{WR_VIEW_INIT("after"), {NULL, 0}},
					 {WR_VIEW_INIT("limit"), {NULL, 0}}};
	struct wr_view after, limit;

	*out = (struct wr_list_query){.has_limit = false};
	wr_buf_reset(texts);
	if (find_parameters(parameters, WR_COUNT(parameters), query) != WR_OK)
		return WR_INVALID;
	after = parameters[0].value;
	limit = parameters[1].value;
	out->has_limit = limit.data != NULL;
	if (out->has_limit && read_number(&out->limit, limit) != WR_OK)
		return WR_INVALID;
	return after.data != NULL ? read_text(&out->after, texts, after) : WR_OK;
}

enum wr_status wr_cursor_query_read(struct wr_view *cursor, struct wr_buf *texts,
				    struct wr_view query)
{
	struct parameter parameter = {WR_VIEW_INIT("cursor"), {NULL, 0}};

	*cursor = WR_VIEW_NULL;
	wr_buf_reset(texts);
	if (find_parameters(&parameter, 1, query) != WR_OK)
		return WR_INVALID;
	return parameter.value.data != NULL ? read_text(cursor, texts, parameter.value) : WR_OK;
}

enum wr_status wr_digest_query_read(struct wr_view *digest, struct wr_buf *texts,
				    struct wr_view query)
{
	struct parameter parameter = {WR_VIEW_INIT("digest"), {NULL, 0}};

	*digest = WR_VIEW_NULL;
	wr_buf_reset(texts);
	if (find_parameters(&parameter, 1, query) != WR_OK || parameter.value.data == NULL)
		return WR_INVALID;
	return read_text(digest, texts, parameter.value);
}
