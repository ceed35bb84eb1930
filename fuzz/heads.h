/*
 * heads — what http_head and http_response ask of a head: a second parser says the same of it,
 * cutting changes nothing, a verdict stays when more bytes follow, views lie in the input, and what
 * was understood means the same when it is written down again.
 *
 * Options: suffix, cuts, variant.
 */
#ifndef WR_FUZZ_HEADS_H
#define WR_FUZZ_HEADS_H

#include "codec/http/head.h"
#include "codec/http/message.h"
#include "fuzz.h"
#include "unit/codec/http/naive_head.h"

enum heads_kind { HEADS_REQUEST, HEADS_RESPONSE, HEADS_RESPONSE_TO_HEAD };

static struct naive_head heads_naive;

static inline enum wr_status heads_parse(struct wr_http_head_parser *parser,
					 struct wr_http_head *head, size_t *bytes,
					 struct wr_view input, enum heads_kind kind)
{
	return kind == HEADS_REQUEST ? wr_http_request_parse(parser, head, bytes, input)
				     : wr_http_response_parse(parser, head, bytes, input,
							      kind == HEADS_RESPONSE_TO_HEAD);
}

static inline void heads_check_views(const struct wr_http_head *head, struct wr_view input)
{
	const struct wr_view views[] = {
		head->method_text,   head->target,	  head->reason,	     head->host,
		head->content_type,  head->authorization, head->origin,	     head->upgrade,
		head->ws_key,	     head->ws_version,	  head->ws_protocol, head->ws_accept,
		head->ws_extensions, head->retry_after,	  head->location,    head->idempotency_key,
	};

	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
		CHECK(fuzz_lies_in(views[i], input));
	CHECK(head->field_count <= WR_HTTP_FIELD_COUNT_MAX);
	for (size_t i = 0; i < head->field_count; i++) {
		CHECK(fuzz_lies_in(head->fields[i].name, input));
		CHECK(fuzz_lies_in(head->fields[i].value, input));
	}
}

/* RFC 9112 6.3, asked of what the second parser found. */
static inline enum wr_http_framing heads_framing(const struct wr_http_head *head,
						 enum heads_kind kind)
{
	if (kind == HEADS_RESPONSE_TO_HEAD)
		return WR_HTTP_FRAMING_NONE;
	if (kind == HEADS_RESPONSE &&
	    (head->status < 200 || head->status == 204 || head->status == 304))
		return WR_HTTP_FRAMING_NONE;
	if (heads_naive.is_chunked)
		return WR_HTTP_FRAMING_CHUNKED;
	if (heads_naive.has_length)
		return WR_HTTP_FRAMING_LENGTH;
	return kind == HEADS_RESPONSE ? WR_HTTP_FRAMING_CLOSE : WR_HTTP_FRAMING_NONE;
}

static inline void heads_check_start(const struct wr_http_head *head, enum heads_kind kind)
{
	if (kind == HEADS_REQUEST) {
		CHECK_VIEW(head->method_text, heads_naive.first[0]);
		CHECK_VIEW(head->target, heads_naive.first[1]);
		return;
	}
	CHECK_U64(head->status, (unsigned)((heads_naive.first[1].data[0] - '0') * 100 +
					   (heads_naive.first[1].data[1] - '0') * 10 +
					   (heads_naive.first[1].data[2] - '0')));
	CHECK_VIEW(head->reason, heads_naive.first[2]);
}

static inline void heads_check_meaning(const struct wr_http_head *head, enum heads_kind kind)
{
	enum wr_http_framing framing = heads_framing(head, kind);

	heads_check_start(head, kind);
	CHECK_U64(head->framing, framing);
	if (framing == WR_HTTP_FRAMING_LENGTH)
		CHECK_U64(head->body_bytes, heads_naive.length);
	CHECK(head->is_keep_alive ==
	      (heads_naive.is_keep_alive && framing != WR_HTTP_FRAMING_CLOSE));
	CHECK(head->has_connection_upgrade == heads_naive.has_upgrade);
	CHECK(head->expects_continue == heads_naive.expects);
	CHECK_U64(head->field_count, heads_naive.count);
	for (size_t i = 0; i < heads_naive.count; i++) {
		CHECK_VIEW(head->fields[i].name, heads_naive.names[i]);
		CHECK_VIEW(head->fields[i].value, heads_naive.values[i]);
	}
	CHECK_VIEW(head->host, naive_find(&heads_naive, "Host"));
	CHECK_VIEW(head->content_type, naive_find(&heads_naive, "Content-Type"));
	CHECK_VIEW(head->authorization, naive_find(&heads_naive, "Authorization"));
	CHECK_VIEW(head->origin, naive_find(&heads_naive, "Origin"));
	CHECK_VIEW(head->upgrade, naive_find(&heads_naive, "Upgrade"));
	CHECK_VIEW(head->ws_key, naive_find(&heads_naive, "Sec-WebSocket-Key"));
	CHECK_VIEW(head->ws_version, naive_find(&heads_naive, "Sec-WebSocket-Version"));
	CHECK_VIEW(head->ws_protocol, naive_find(&heads_naive, "Sec-WebSocket-Protocol"));
	CHECK_VIEW(head->ws_accept, naive_find(&heads_naive, "Sec-WebSocket-Accept"));
	CHECK_VIEW(head->ws_extensions, naive_find(&heads_naive, "Sec-WebSocket-Extensions"));
	CHECK_VIEW(head->location, naive_find(&heads_naive, "Location"));
	CHECK_VIEW(head->retry_after, naive_find(&heads_naive, "Retry-After"));
	CHECK_VIEW(head->idempotency_key, naive_find(&heads_naive, "Idempotency-Key"));
}

static inline void heads_check_cuts(struct wr_view text, struct fuzz_cuts cuts,
				    enum heads_kind kind, enum wr_status expected,
				    enum wr_http_fault fault, size_t expected_bytes)
{
	static struct wr_http_head head;
	struct wr_http_head_parser parser = {0};
	enum wr_status status = WR_MORE;
	size_t given = 0, bytes = 0;

	while (status == WR_MORE && given < text.bytes) {
		given = fuzz_cut(&cuts, given, text.bytes);
		/* They may have moved. */
		status = heads_parse(&parser, &head, &bytes,
				     wr_test_guarded(1, wr_view_of(text.data, given)), kind);
		if (status == WR_MORE)
			CHECK(given < WR_HTTP_HEAD_BYTES_MAX);
	}
	CHECK_STATUS(status, text.bytes == 0 ? WR_MORE : expected);
	CHECK_U64(parser.fault, fault);
	if (status != WR_OK)
		return;
	CHECK_U64(bytes, expected_bytes);
	heads_check_meaning(&head, kind);
}

/* A verdict does not change when more follows, in the same parser or a new one. */
static inline void heads_check_more(struct wr_view text, struct wr_view suffix,
				    enum heads_kind kind, enum wr_status expected,
				    enum wr_http_fault fault, size_t expected_bytes)
{
	static struct wr_http_head head;
	struct wr_http_head_parser parser = {0};
	size_t bytes = 0;

	if (expected == WR_MORE)
		return;
	CHECK_STATUS(heads_parse(&parser, &head, &bytes, fuzz_join(1, text, suffix), kind),
		     expected);
	CHECK_U64(parser.fault, fault);
	if (expected == WR_OK) {
		CHECK_U64(bytes, expected_bytes);
		return;
	}
	CHECK_STATUS(heads_parse(&parser, &head, &bytes, fuzz_join(1, text, suffix), kind),
		     expected);
	CHECK_U64(parser.fault, fault);
}

/* Written down and read again it means the same. The writer puts a space behind each colon and
 * speaks 1.1, so what is old or nearly over a limit is left out. */
static inline void heads_check_written(const struct wr_http_head *head, struct wr_view text,
				       enum heads_kind kind)
{
	static struct wr_http_head again;
	struct wr_http_head_parser parser = {0};
	struct wr_buf out;
	size_t bytes = 0;

	if (head->minor_version == 0 || text.bytes > WR_HTTP_FIELD_BYTES_MAX / 2)
		return;
	wr_buf_init(&out, wr_test_allocator(), WR_HTTP_HEAD_BYTES_MAX);
	if (kind == HEADS_REQUEST)
		wr_http_write_request_line(&out, head->method_text, head->target);
	else
		wr_http_write_status_line(&out, 1, head->status);
	for (size_t i = 0; i < head->field_count; i++)
		wr_http_write_field(&out, head->fields[i].name, head->fields[i].value);
	wr_http_write_head_end(&out);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_STATUS(heads_parse(&parser, &again, &bytes, wr_buf_view(&out), kind), WR_OK);
	CHECK_U64(bytes, out.bytes);
	if (kind != HEADS_REQUEST)
		again.reason = head->reason; /* the standard one is written */
	heads_check_meaning(&again, kind);
	wr_buf_deinit(&out);
}

/* naive_is_host copies into a small place: what is longer is not for it. */
static inline bool heads_are_comparable(const struct wr_http_head *head, enum wr_status status)
{
	return status != WR_OK || head->host.bytes < 512;
}

static inline void heads_check(struct wr_view text, uint8_t suffix, uint8_t cuts,
			       enum heads_kind kind)
{
	static struct wr_http_head head;
	struct wr_http_head_parser parser = {0};
	enum wr_status status;
	size_t bytes = 0;

	text = wr_test_guarded(0, text);
	status = heads_parse(&parser, &head, &bytes, text, kind);
	CHECK(status == WR_OK || status == WR_MORE || status == WR_SYNTAX ||
	      status == WR_TOO_LARGE || status == WR_UNSUPPORTED);
	CHECK((parser.fault == WR_HTTP_FAULT_NONE) == (status == WR_OK || status == WR_MORE));
	if (!heads_are_comparable(&head, status))
		return;
	CHECK(naive_parse(&heads_naive, text, kind == HEADS_REQUEST) == (status == WR_OK));
	if (status == WR_OK) {
		CHECK(bytes <= text.bytes);
		CHECK_U64(bytes, heads_naive.bytes);
		heads_check_views(&head, wr_view_of(text.data, bytes));
		heads_check_meaning(&head, kind);
		heads_check_written(&head, text, kind);
	}
	heads_check_cuts(text, fuzz_cuts_of(cuts), kind, status, parser.fault, bytes);
	heads_check_more(text, fuzz_suffix(suffix), kind, status, parser.fault, bytes);
}

#endif
