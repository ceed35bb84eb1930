/* Goal: what we accept, a second parser accepts with the same meaning, and the other way round; and
 * cutting changes nothing, for inputs that nobody thought of. Method: seeded random mutations of
 * the tables of test_head.c and test_body.c. A crash test alone would not find smuggling: the
 * parser that takes two messages for one does not crash. */
#include "codec/http/body.h"
#include "codec/http/head.h"

#include "cases_body.h"
#include "cases_head.h"
#include "harness/harness.h"
#include "naive_body.h"
#include "naive_head.h"

enum { ROUNDS = 60000, ROOM = 4096 };

struct text {
	char data[ROOM];
	size_t bytes;
};

static uint64_t state;

static size_t below(size_t limit)
{
	return limit == 0 ? 0 : (size_t)(wr_test_random(&state) % limit);
}

/* ---- mutations ---- */

static const struct wr_view pieces[] = {
	TEXT("\r\n"),
	TEXT("\n"),
	TEXT("\r"),
	TEXT("\r\n\r\n"),
	TEXT(" "),
	TEXT("\t"),
	TEXT(":"),
	TEXT(","),
	TEXT(";"),
	TEXT("\0"),
	TEXT("\177"),
	TEXT("\200"),
	TEXT("\377"),
	TEXT("%41"),
	TEXT("0"),
	TEXT("1"),
	TEXT("-"),
	TEXT("HTTP/1.1"),
	TEXT("HTTP/1.0"),
	TEXT("Host: b\r\n"),
	TEXT("Content-Length: 3\r\n"),
	TEXT("Transfer-Encoding: chunked\r\n"),
	TEXT("chunked"),
	TEXT("Connection: close\r\n"),
	TEXT("Connection: upgrade, keep-alive\r\n"),
	TEXT("Expect: 100-continue\r\n"),
	TEXT("Upgrade: a\r\n"),
	TEXT("X-Long-Field-Name: a b\r\n"),
	TEXT("Origin: o\r\n"),
	TEXT("Idempotency-Key: k\r\n"),
	TEXT("1\r\nx\r\n"),
	TEXT("0\r\n\r\n"),
	TEXT("A: b\r\n"),
};

static void insert(struct text *text, size_t at, struct wr_view piece)
{
	if (text->bytes + piece.bytes > ROOM)
		return;
	memmove(text->data + at + piece.bytes, text->data + at, text->bytes - at);
	memcpy(text->data + at, piece.data, piece.bytes);
	text->bytes += piece.bytes;
}

static void cut_out(struct text *text, size_t at, size_t bytes)
{
	if (bytes > text->bytes - at)
		bytes = text->bytes - at;
	memmove(text->data + at, text->data + at + bytes, text->bytes - at - bytes);
	text->bytes -= bytes;
}

/* The start of a line behind a random place, or the end. */
static size_t line_start(const struct text *text)
{
	size_t at = below(text->bytes + 1);
	const char *lf = at < text->bytes ? memchr(text->data + at, '\n', text->bytes - at) : NULL;

	return lf == NULL ? text->bytes : (size_t)(lf - text->data) + 1;
}

static void mutate(struct text *text)
{
	struct wr_view piece = pieces[below(sizeof pieces / sizeof *pieces)];
	char copy[256];
	size_t at;

	switch (below(8)) {
	case 0:
		if (text->bytes != 0)
			text->data[below(text->bytes)] ^= (char)(1 << below(8));
		break;
	case 1:
		if (text->bytes != 0)
			text->data[below(text->bytes)] = (char)below(256);
		break;
	case 2:
		insert(text, below(text->bytes + 1), piece);
		break;
	case 3:
	case 4:
		insert(text, line_start(text), piece);
		break;
	case 5:
		cut_out(text, below(text->bytes + 1), 1 + below(3));
		break;
	case 6:
		at = line_start(text);
		cut_out(text, at, line_start(text) > at ? line_start(text) - at : 0);
		break;
	default:
		at = below(text->bytes + 1);
		piece = wr_view_of(copy, text->bytes - at < sizeof copy ? text->bytes - at
									: below(sizeof copy));
		memcpy(copy, text->data + at, piece.bytes);
		insert(text, below(text->bytes + 1), piece);
		break;
	}
}

static void begin(struct text *text, struct wr_view seed)
{
	text->bytes = seed.bytes < ROOM ? seed.bytes : ROOM;
	memcpy(text->data, seed.data, text->bytes);
	for (size_t i = below(4); i > 0; i--)
		mutate(text);
}

/* ---- heads ---- */

static struct wr_http_head head;
static struct naive_head naive;

static enum wr_status parse(struct wr_http_head_parser *parser, size_t *bytes, struct wr_view input,
			    bool is_request)
{
	return is_request ? wr_http_request_parse(parser, &head, bytes, input)
			  : wr_http_response_parse(parser, &head, bytes, input, false);
}

static void check_meaning(bool is_request)
{
	bool is_bodiless =
		!is_request && (head.status < 200 || head.status == 204 || head.status == 304);
	bool is_close = !is_request && !is_bodiless && !naive.is_chunked && !naive.has_length;
	enum wr_http_framing framing = is_close ? CLOSE : NONE;

	if (naive.is_chunked && !is_bodiless)
		framing = CHUNKED;
	else if (naive.has_length && !is_bodiless)
		framing = LENGTH;
	CHECK_U64(head.framing, framing);
	CHECK_U64(head.body_bytes, framing == LENGTH ? naive.length : 0);
	CHECK_U64(head.is_keep_alive, naive.is_keep_alive && !is_close);
	CHECK_U64(head.has_connection_upgrade, naive.has_upgrade);
	CHECK_U64(head.expects_continue, naive.expects);
	CHECK_VIEW(is_request ? head.method_text : head.reason, naive.first[is_request ? 0 : 2]);
	if (is_request)
		CHECK_VIEW(head.target, naive.first[1]);
	CHECK_U64(head.field_count, naive.count);
	for (size_t i = 0; i < naive.count; i++) {
		CHECK_VIEW(head.fields[i].name, naive.names[i]);
		CHECK_VIEW(head.fields[i].value, naive.values[i]);
	}
	CHECK_VIEW(head.host, naive_find(&naive, "Host"));
	CHECK_VIEW(head.content_type, naive_find(&naive, "Content-Type"));
	CHECK_VIEW(head.authorization, naive_find(&naive, "Authorization"));
	CHECK_VIEW(head.origin, naive_find(&naive, "Origin"));
	CHECK_VIEW(head.upgrade, naive_find(&naive, "Upgrade"));
	CHECK_VIEW(head.ws_key, naive_find(&naive, "Sec-WebSocket-Key"));
	CHECK_VIEW(head.location, naive_find(&naive, "Location"));
	CHECK_VIEW(head.idempotency_key, naive_find(&naive, "Idempotency-Key"));
}

/* True when it was accepted. */
static bool check_head(struct wr_view text, bool is_request)
{
	struct wr_http_head_parser whole = {0}, cut = {0};
	size_t bytes = 0, cut_bytes = 0;
	enum wr_status status = parse(&whole, &bytes, text, is_request), cut_status = WR_MORE;
	bool is_accepted = naive_parse(&naive, text, is_request);

	CHECK((status == WR_OK) == is_accepted);
	if (is_accepted) {
		CHECK_U64(bytes, naive.bytes);
		check_meaning(is_request);
	}
	for (size_t given = 0; cut_status == WR_MORE;) {
		cut_status = parse(&cut, &cut_bytes, wr_view_of(text.data, given), is_request);
		if (given == text.bytes)
			break;
		given += 1 + below(below(4) == 0 ? 100 : 3);
		given = given < text.bytes ? given : text.bytes;
	}
	CHECK_STATUS(cut_status, status);
	CHECK_U64(cut.fault, whole.fault);
	if (is_accepted) {
		CHECK_U64(cut_bytes, bytes);
		check_meaning(is_request);
	}
	return is_accepted;
}

static void test_heads_mean_the_same_to_a_second_parser(void)
{
	size_t good = sizeof accepted_requests / sizeof *accepted_requests;
	size_t bad = sizeof refused_requests / sizeof *refused_requests;
	static struct text text;
	unsigned accepted = 0;

	state = wr_test_seed();
	for (unsigned i = 0; i < ROUNDS; i++) {
		bool is_good = below(4) != 0;
		begin(&text, is_good ? accepted_requests[below(good)].text
				     : refused_requests[below(bad)].before);
		accepted += check_head(wr_test_guarded(0, wr_view_of(text.data, text.bytes)), true);
	}
	CHECK(accepted > ROUNDS / 10 && accepted < ROUNDS);
}

static void test_response_heads_mean_the_same_to_a_second_parser(void)
{
	size_t good = sizeof accepted_responses / sizeof *accepted_responses;
	size_t bad = sizeof refused_responses / sizeof *refused_responses;
	static struct text text;
	unsigned accepted = 0;

	state = wr_test_seed();
	for (unsigned i = 0; i < ROUNDS; i++) {
		bool is_good = below(4) != 0;
		begin(&text, is_good ? accepted_responses[below(good)].text
				     : refused_responses[below(bad)].before);
		accepted +=
			check_head(wr_test_guarded(0, wr_view_of(text.data, text.bytes)), false);
	}
	CHECK(accepted > ROUNDS / 10 && accepted < ROUNDS);
}

/* ---- bodies ---- */

static bool check_body(struct wr_view text)
{
	static struct naive_body slow;
	static char payload[ROOM];
	enum wr_status expected = naive_decode(&slow, text), status = WR_MORE;
	struct wr_http_body body;
	size_t payload_bytes = 0, at = 0, given = 0;

	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	while (!body.is_complete && (status == WR_OK || status == WR_MORE)) {
		struct wr_view piece;
		size_t consumed;

		status = wr_http_body_feed(&body, &piece, &consumed,
					   wr_view_of(text.data + at, given - at));
		at += consumed;
		CHECK(payload_bytes + piece.bytes <= sizeof payload);
		memcpy(payload + payload_bytes, piece.data, piece.bytes);
		payload_bytes += piece.bytes;
		if (status == WR_MORE && given == text.bytes)
			break;
		if (status == WR_MORE)
			given += 1 + below(text.bytes - given);
	}
	CHECK_STATUS(status, expected);
	CHECK_VIEW(wr_view_of(payload, payload_bytes),
		   wr_view_of(slow.payload, slow.payload_bytes));
	if (status == WR_OK)
		CHECK_U64(at, slow.at);
	return status == WR_OK;
}

static void test_chunks_mean_the_same_to_a_second_decoder(void)
{
	static struct text text;
	unsigned accepted = 0;

	state = wr_test_seed();
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t count = sizeof chunked_cases / sizeof *chunked_cases;
		begin(&text, chunked_cases[below(below(2) == 0 ? 13 : count)].text);
		accepted += check_body(wr_test_guarded(0, wr_view_of(text.data, text.bytes)));
	}
	CHECK(accepted > ROUNDS / 10 && accepted < ROUNDS);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_heads_mean_the_same_to_a_second_parser, 60),
	WR_TEST_LIMIT(test_response_heads_mean_the_same_to_a_second_parser, 60),
	WR_TEST_LIMIT(test_chunks_mean_the_same_to_a_second_decoder, 60),
	WR_TEST_END,
};
