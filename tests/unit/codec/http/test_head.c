/* Goal: every head has one verdict, however it is cut, and refused ones have the fault that their
 * answer needs. Method: the tables of cases_head.h, each case whole, byte by byte and cut at every
 * position, always with an unmapped page behind the bytes; limits at their edges. */
#include "codec/http/head.h"

#include "bytes/buf.h"
#include "cases_head.h"
#include "codec/http/chars.h"
#include "codec/http/field.h"
#include "harness/harness.h"

enum { ALL_CUTS_MAX = 3000 };

struct verdict {
	enum wr_status status;
	enum wr_http_fault fault;
	size_t head_bytes;
	size_t given; /* bytes that it took to decide */
};

enum role { REQUEST, RESPONSE };

static struct wr_http_head head, other_head;

static enum wr_status parse(struct wr_http_head_parser *parser, struct wr_http_head *out,
			    size_t *bytes, struct wr_view input, enum role role)
{
	return role == REQUEST ? wr_http_request_parse(parser, out, bytes, input)
			       : wr_http_response_parse(parser, out, bytes, input, false);
}

/* Feeds a first piece of `first` bytes, then pieces of `step`. The bytes move with each call. */
static struct verdict run(struct wr_http_head *out, struct wr_view text, size_t first, size_t step,
			  enum role role)
{
	struct wr_http_head_parser parser = {0};
	struct verdict verdict = {.status = WR_MORE};
	size_t given = first < text.bytes ? first : text.bytes;

	for (;; given = text.bytes - given > step ? given + step : text.bytes) {
		struct wr_view piece = wr_test_guarded(0, wr_view_of(text.data, given));

		memset(out, 0xa5, sizeof *out);
		verdict.status = parse(&parser, out, &verdict.head_bytes, piece, role);
		verdict.fault = parser.fault;
		verdict.given = given;
		if (verdict.status != WR_MORE || given == text.bytes)
			return verdict;
	}
}

static void check_same_verdict(struct verdict a, struct verdict b)
{
	CHECK_STATUS(a.status, b.status);
	CHECK_U64(a.fault, b.fault);
	CHECK_U64(a.head_bytes, b.head_bytes);
}

static void check_all_cuts(struct wr_view text, struct verdict whole, enum role role)
{
	struct verdict bytewise = run(&head, text, 0, 1, role);
	uint64_t random = wr_test_seed();

	check_same_verdict(bytewise, whole);
	for (size_t i = 0; i <= text.bytes && i <= ALL_CUTS_MAX; i++) {
		size_t cut = text.bytes <= ALL_CUTS_MAX
				     ? i
				     : (size_t)(wr_test_random(&random) % text.bytes);

		check_same_verdict(run(&head, text, cut, text.bytes, role), whole);
		if (text.bytes > ALL_CUTS_MAX && i == 100)
			break;
	}
	for (int i = 0; i < 20; i++)
		check_same_verdict(run(&head, text,
				       (size_t)(wr_test_random(&random) % (text.bytes + 1)),
				       1 + (size_t)(wr_test_random(&random) % 40), role),
				   whole);
	/* More bytes do not make a decided head undecided. */
	for (size_t bytes = bytewise.given; bytes <= text.bytes; bytes += 1 + bytes / 8)
		check_same_verdict(run(&head, wr_view_of(text.data, bytes), bytes, 1, role), whole);
}

/* ---- refused ---- */

static struct wr_view build(struct wr_buf *buf, const struct refused *row)
{
	wr_buf_reset(buf);
	wr_buf_append_view(buf, row->before);
	for (size_t i = 0; i < row->fill_count; i++)
		wr_buf_append_byte(buf, row->fill);
	wr_buf_append_view(buf, row->after);
	CHECK_STATUS(wr_buf_status(buf), WR_OK);
	return wr_buf_view(buf);
}

static enum wr_status status_of(enum wr_http_fault fault)
{
	if (fault == TARGET || fault == LARGE)
		return WR_TOO_LARGE;
	return fault == VERSION || fault == CODING || fault == EXPECTATION ? WR_UNSUPPORTED
									   : WR_SYNTAX;
}

static void check_refused(const struct refused *rows, size_t count, enum role role)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 100000);
	for (size_t i = 0; i < count; i++) {
		struct wr_view text = build(&buf, &rows[i]);
		struct verdict verdict = run(&head, text, text.bytes, 1, role);

		wr_test_case(rows[i].why);
		CHECK_U64(verdict.fault, rows[i].fault);
		CHECK_STATUS(verdict.status, status_of(rows[i].fault));
		check_all_cuts(text, verdict, role);
	}
	wr_buf_deinit(&buf);
}

static void test_bad_requests_are_refused_however_they_are_cut(void)
{
	_Static_assert(sizeof refused_requests / sizeof *refused_requests >= 120, "enough of them");
	check_refused(refused_requests, sizeof refused_requests / sizeof *refused_requests,
		      REQUEST);
}

static void test_bad_responses_are_refused_however_they_are_cut(void)
{
	check_refused(refused_responses, sizeof refused_responses / sizeof *refused_responses,
		      RESPONSE);
}

static void test_a_refused_head_stays_refused(void)
{
	struct wr_http_head_parser parser = {0};
	size_t bytes;

	CHECK_STATUS(wr_http_request_parse(&parser, &head, &bytes, WR_VIEW("GET  /\r\n")),
		     WR_SYNTAX);
	CHECK_STATUS(wr_http_request_parse(&parser, &head, &bytes, WR_VIEW("GET  /\r\n\r\n")),
		     WR_SYNTAX);
	CHECK_U64(parser.fault, SYNTAX);
}

static void test_a_bad_line_is_refused_as_soon_as_it_ends(void)
{
	static const struct {
		struct wr_view text;
		size_t given;
	} rows[] = {
		{TEXT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 17},
		{TEXT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 26},
		{TEXT("GET / HTTP/1.1\nHost: a\r\n\r\n"), 15},
		{TEXT("GET / HTTP/1.1\r\nHost: a b\r\nA: b\r\n\r\n"), 27},
		{TEXT("\n\n\n"), 1},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_U64(run(&head, rows[i].text, 0, 1, REQUEST).given, rows[i].given);
}

/* ---- accepted ---- */

static void check_same_view(struct wr_view a, struct wr_view b)
{
	CHECK((a.data == NULL) == (b.data == NULL));
	CHECK_VIEW(a, b);
}

/* Both point to places of their own, so contents are compared. */
static void check_same_head(const struct wr_http_head *a, const struct wr_http_head *b)
{
	CHECK_U64(a->method, b->method);
	CHECK_U64(a->status, b->status);
	CHECK_U64(a->minor_version, b->minor_version);
	CHECK_U64(a->framing, b->framing);
	CHECK_U64(a->body_bytes, b->body_bytes);
	CHECK_U64(a->is_keep_alive, b->is_keep_alive);
	CHECK_U64(a->has_connection_upgrade, b->has_connection_upgrade);
	CHECK_U64(a->expects_continue, b->expects_continue);
	check_same_view(a->method_text, b->method_text);
	check_same_view(a->target, b->target);
	check_same_view(a->reason, b->reason);
	check_same_view(a->host, b->host);
	check_same_view(a->content_type, b->content_type);
	check_same_view(a->authorization, b->authorization);
	check_same_view(a->origin, b->origin);
	check_same_view(a->upgrade, b->upgrade);
	check_same_view(a->ws_key, b->ws_key);
	check_same_view(a->ws_version, b->ws_version);
	check_same_view(a->ws_protocol, b->ws_protocol);
	check_same_view(a->ws_accept, b->ws_accept);
	check_same_view(a->ws_extensions, b->ws_extensions);
	check_same_view(a->retry_after, b->retry_after);
	check_same_view(a->location, b->location);
	check_same_view(a->idempotency_key, b->idempotency_key);
	CHECK_U64(a->field_count, b->field_count);
	for (size_t i = 0; i < a->field_count; i++) {
		check_same_view(a->fields[i].name, b->fields[i].name);
		check_same_view(a->fields[i].value, b->fields[i].value);
	}
}

static void check_row(const struct accepted *row, enum role role)
{
	CHECK_U64(head.method, row->method);
	CHECK_STRING(role == REQUEST ? head.target : head.reason, row->target);
	CHECK_U64(head.status, row->status);
	CHECK_U64(head.minor_version, row->minor_version);
	CHECK_U64(head.framing, row->framing);
	CHECK_U64(head.body_bytes, row->body_bytes);
	CHECK_U64(head.is_keep_alive, row->is_keep_alive);
	CHECK_U64(head.has_connection_upgrade, row->has_upgrade);
	CHECK_U64(head.expects_continue, row->expects);
	CHECK_U64(head.field_count, row->field_count);
}

/* The views of `head` point into a guarded copy, which the next run overwrites: so the copy of the
 * whole text lies in another slot. */
static void check_accepted(const struct accepted *rows, size_t count, enum role role)
{
	for (size_t i = 0; i < count; i++) {
		struct wr_view text = wr_test_guarded(1, rows[i].text);
		struct wr_http_head_parser parser = {0};
		size_t bytes = 0;

		wr_test_case(rows[i].text.data);
		CHECK_STATUS(parse(&parser, &head, &bytes, text, role), WR_OK);
		check_row(&rows[i], role);
		CHECK(memcmp(text.data + bytes - 4, "\r\n\r\n", 4) == 0);
		for (size_t cut = 0; cut <= text.bytes + 1; cut++) {
			bool is_bytewise = cut > text.bytes;
			struct verdict verdict = run(&other_head, text, is_bytewise ? 0 : cut,
						     is_bytewise ? 1 : text.bytes, role);

			CHECK_STATUS(verdict.status, WR_OK);
			CHECK_U64(verdict.head_bytes, bytes);
			check_same_head(&other_head, &head);
			if (is_bytewise)
				CHECK_U64(verdict.given, bytes);
		}
		for (size_t prefix = 0; prefix < bytes; prefix++)
			CHECK_STATUS(
				run(&other_head, wr_view_of(text.data, prefix), prefix, 1, role)
					.status,
				WR_MORE);
	}
}

static void test_good_requests_are_accepted_however_they_are_cut(void)
{
	check_accepted(accepted_requests, sizeof accepted_requests / sizeof *accepted_requests,
		       REQUEST);
}

static void test_good_responses_are_accepted_however_they_are_cut(void)
{
	check_accepted(accepted_responses, sizeof accepted_responses / sizeof *accepted_responses,
		       RESPONSE);
}

static void parse_whole(const char *text, enum role role, bool to_head)
{
	struct wr_http_head_parser parser = {0};
	struct wr_view view = wr_test_guarded(1, wr_view_of_string(text));
	size_t bytes = 0;

	if (role == REQUEST)
		CHECK_STATUS(wr_http_request_parse(&parser, &head, &bytes, view), WR_OK);
	else
		CHECK_STATUS(wr_http_response_parse(&parser, &head, &bytes, view, to_head), WR_OK);
	CHECK_U64(bytes, view.bytes);
}

static void test_needed_fields_are_found(void)
{
	parse_whole("GET /chat HTTP/1.1\r\nHOST: a:1\r\nupgrade:websocket\r\n"
		    "Connection: Upgrade\r\nsec-websocket-KEY: k==\r\nOrigin: \t http://x \r\n"
		    "Sec-WebSocket-Protocol: p, q\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Extensions: e\r\nAuthorization: Bearer t\r\n"
		    "Content-Type: first\r\nContent-Type: second\r\nSec-WebSocket-Kex: no\r\n"
		    "Content_Length: 5\r\nSec-WebSocket-Accept: y\r\nIdempotency_Key: no\r\n"
		    "idempotency-KEY: \t 7f-3 \r\nIdempotency-Kez: no\r\n\r\n",
		    REQUEST, false);
	CHECK_STRING(head.host, "a:1");
	CHECK_STRING(head.upgrade, "websocket");
	CHECK_STRING(head.ws_key, "k==");
	CHECK_STRING(head.origin, "http://x");
	CHECK_STRING(head.ws_protocol, "p, q");
	CHECK_STRING(head.ws_version, "13");
	CHECK_STRING(head.ws_extensions, "e");
	CHECK_STRING(head.ws_accept, "y");
	CHECK_STRING(head.authorization, "Bearer t");
	CHECK_STRING(head.content_type, "first");
	CHECK_STRING(head.idempotency_key, "7f-3");
	CHECK_U64(head.framing, NONE);
	CHECK(head.location.data == NULL && head.retry_after.data == NULL);
	CHECK_STRING(wr_http_head_find(&head, WR_VIEW("content-TYPE")), "first");
	CHECK_STRING(wr_http_head_find(&head, WR_VIEW("Content_Length")), "5");
	CHECK(wr_http_head_find(&head, WR_VIEW("Content-Length")).data == NULL);

	parse_whole("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nRetry-After: 3\r\n"
		    "Content-Type:\r\nContent-Length: 0\r\n\r\n",
		    RESPONSE, false);
	CHECK_STRING(head.location, "/a");
	CHECK_STRING(head.retry_after, "3");
	CHECK(head.content_type.data != NULL && head.content_type.bytes == 0);
}

static void test_answers_to_head_have_no_body(void)
{
	parse_whole("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", RESPONSE, true);
	CHECK_U64(head.framing, NONE);
	CHECK(head.is_keep_alive);
	parse_whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", RESPONSE, true);
	CHECK_U64(head.framing, NONE);
}

/* ---- limits ---- */

static struct wr_view fill(struct wr_buf *buf, const char *before, size_t count, const char *after)
{
	const struct refused row = {"",	   wr_view_of_string(before), SYNTAX, 'a',
				    count, wr_view_of_string(after)};

	return build(buf, &row);
}

/* A good head of as many bytes as there may be. */
static void fill_head(struct wr_buf *buf)
{
	fill(buf, GET H "A: ", 8000, "\r\nB: ");
	while (buf->bytes < 15000)
		wr_buf_append_byte(buf, 'b');
	wr_buf_append(buf, "\r\nC: ", 5);
	while (buf->bytes < WR_HTTP_HEAD_BYTES_MAX - 4)
		wr_buf_append_byte(buf, 'c');
	wr_buf_append(buf, "\r\n\r\n", 4);
}

static void test_limits_are_exact(void)
{
	struct wr_buf buf;
	struct wr_view text;

	wr_buf_init(&buf, wr_test_allocator(), 100000);
	text = fill(&buf, "GET /", WR_HTTP_TARGET_BYTES_MAX - 1, " HTTP/1.1\r\n" H END);
	check_all_cuts(text, (struct verdict){WR_OK, 0, text.bytes, 0}, REQUEST);
	text = fill(&buf, "M23456789012345678901234567890 /", WR_HTTP_TARGET_BYTES_MAX - 1,
		    " HTTP/1.1\r\n" H END);
	CHECK_STATUS(run(&head, text, text.bytes, 1, REQUEST).status, WR_OK);
	text = fill(&buf, GET H "A: ", WR_HTTP_FIELD_BYTES_MAX - 3, "\r\n\r\n");
	check_all_cuts(text, (struct verdict){WR_OK, 0, text.bytes, 0}, REQUEST);

	/* A head of exactly the limit, and of one byte more. */
	fill_head(&buf);
	wr_buf_append(&buf, "more", 4);
	text = wr_buf_view(&buf);
	check_all_cuts(text, (struct verdict){WR_OK, 0, WR_HTTP_HEAD_BYTES_MAX, 0}, REQUEST);
	wr_buf_truncate(&buf, WR_HTTP_HEAD_BYTES_MAX - 4);
	CHECK_STATUS(run(&head, wr_buf_view(&buf), 0, 1, REQUEST).status, WR_MORE);
	wr_buf_append(&buf, "b\r\n\r\n", 5);
	text = wr_buf_view(&buf);
	check_all_cuts(text, (struct verdict){WR_TOO_LARGE, LARGE, 0, 0}, REQUEST);
	CHECK_U64(run(&head, text, 0, 1, REQUEST).given, WR_HTTP_HEAD_BYTES_MAX);
	wr_buf_deinit(&buf);
}

static void test_number_of_fields_is_exact(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 100000);
	wr_buf_append_view(&buf, WR_VIEW(GET H));
	for (unsigned i = 1; i < WR_HTTP_FIELD_COUNT_MAX; i++)
		wr_buf_append_view(&buf, WR_VIEW("A: b\r\n"));
	wr_buf_append_view(&buf, WR_VIEW(END));
	check_all_cuts(wr_buf_view(&buf), (struct verdict){WR_OK, 0, buf.bytes, 0}, REQUEST);
	CHECK_U64(head.field_count, WR_HTTP_FIELD_COUNT_MAX);
	wr_buf_truncate(&buf, buf.bytes - 2);
	wr_buf_append_view(&buf, WR_VIEW("A: b\r\n" END));
	check_all_cuts(wr_buf_view(&buf), (struct verdict){WR_TOO_LARGE, LARGE, 0, 0}, REQUEST);
	wr_buf_deinit(&buf);
}

/* A head of the largest size, byte by byte: 16,384 calls that would take minutes under the
 * sanitizers if each looked at everything again. The bytes stay where they are. */
static void test_one_byte_at_a_time_costs_linear_time(void)
{
	struct wr_buf buf;
	enum wr_status status = WR_MORE;
	size_t bytes = 0;

	wr_buf_init(&buf, wr_test_allocator(), 100000);
	fill_head(&buf);
	for (int round = 0; round < 50; round++) {
		struct wr_http_head_parser parser = {0};
		for (size_t i = 1; i <= buf.bytes; i++)
			status = wr_http_request_parse(&parser, &head, &bytes,
						       wr_view_of(buf.data, i));
		CHECK_STATUS(status, WR_OK);
	}
	wr_buf_deinit(&buf);
}

/* ---- lists and types ---- */

static void test_lists_are_searched_by_element(void)
{
	static const struct {
		const char *list;
		bool has;
	} rows[] = {
		{"a", true},	  {"A", true},	    {"b, a", true},  {"b,a,c", true},
		{" a ", true},	  {",,a,,", true},  {"\ta\t", true}, {"b , \t a", true},
		{"", false},	  {",", false},	    {"aa", false},   {"b a", false},
		{"\"a\"", false}, {"a;q=1", false}, {"b", false},    {"ba,ab", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		wr_test_case(rows[i].list);
		CHECK(wr_http_list_has(wr_test_guarded(0, wr_view_of_string(rows[i].list)),
				       WR_VIEW("a")) == rows[i].has);
	}
	CHECK(!wr_http_list_has(WR_VIEW_NULL, WR_VIEW("a")));
}

static void test_json_types_are_told_from_others(void)
{
	static const struct {
		const char *type;
		bool is_json;
	} rows[] = {
		{"application/json", true},
		{"Application/JSON", true},
		{"application/json; charset=utf-8", true},
		{"application/json;", true},
		{"application/json ;a=b", true},
		{"application/problem+json", true},
		{"application/vnd.a.b+JSON; x=y", true},
		{"", false},
		{"json", false},
		{"text/json", false},
		{"application/", false},
		{"application/jsonp", false},
		{"application/xjson", false},
		{"application/+json", false},
		{"application/a b+json", false},
		{"application/json, text/plain", false},
		{"application/json+xml", false},
		{"text/plain+json", false},
		{"text/plain;application/json", false},
		{"application / json", false},
		{"xapplication/json", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		wr_test_case(rows[i].type);
		CHECK(wr_http_is_json_type(wr_test_guarded(0, wr_view_of_string(rows[i].type))) ==
		      rows[i].is_json);
	}
	CHECK(!wr_http_is_json_type(WR_VIEW_NULL));
}

/* ---- characters ---- */

static void test_classes_of_characters_follow_the_grammar(void)
{
	for (unsigned i = 0; i < 256; i++) {
		bool is_ascii = i > 0 && i < 128;
		bool is_digit = i >= '0' && i <= '9';
		bool is_letter = (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z');
		bool is_alnum = is_digit || is_letter;
		bool is_hex = is_digit || (i >= 'A' && i <= 'F') || (i >= 'a' && i <= 'f');
		bool is_unreserved = is_alnum || (is_ascii && strchr("-._~", (int)i) != NULL);
		unsigned expected = 0;

		expected |= is_alnum || (is_ascii && strchr("!#$%&'*+-.^_`|~", (int)i) != NULL)
				    ? WR_HTTP_CHAR_TOKEN
				    : 0;
		expected |= i == '\t' || (i >= ' ' && i != 0x7f) ? WR_HTTP_CHAR_VALUE : 0;
		expected |= i > ' ' && i < 0x7f ? WR_HTTP_CHAR_TARGET : 0;
		expected |= i > ' ' && i < 0x7f && i != '?' && i != '#' ? WR_HTTP_CHAR_PLACE : 0;
		expected |= is_unreserved ? WR_HTTP_CHAR_UNRESERVED : 0;
		expected |= is_unreserved || (is_ascii && strchr("!$&'()*+;=", (int)i) != NULL)
				    ? WR_HTTP_CHAR_HOST
				    : 0;
		expected |= is_digit ? WR_HTTP_CHAR_DIGIT : 0;
		expected |= is_hex ? WR_HTTP_CHAR_HEX : 0;
		CHECK_U64(wr_http_chars[i], expected);
	}
}

/* Every byte at every place of a run of 40, against the table; ends at the unmapped page. */
static void test_scanners_agree_with_the_table(void)
{
	enum wr_http_known known;
	char text[40];

	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t place = 0; place < sizeof text; place++) {
			struct wr_view view;
			const char *end, *stop;

			memset(text, 'x', sizeof text);
			text[(place + 7) % sizeof text] = '\t';
			text[place] = (char)byte;
			view = wr_test_guarded(0, wr_view_of(text, sizeof text));
			end = view.data + view.bytes;
			for (const char *at = view.data; at <= end; at += 3) {
				CHECK(wr_http_scan_value(at, end) ==
				      wr_http_scan_class(at, end, WR_HTTP_CHAR_VALUE));
				CHECK(wr_http_scan_target(at, end) ==
				      wr_http_scan_class(at, end, WR_HTTP_CHAR_TARGET));
				CHECK(wr_http_scan_place(at, end) ==
				      wr_http_scan_class(at, end, WR_HTTP_CHAR_PLACE));
				CHECK(wr_http_scan_value_in(view.data, at, end) ==
				      wr_http_scan_class(at, end, WR_HTTP_CHAR_VALUE));
				CHECK(wr_http_scan_place_in(view.data, at, end) ==
				      wr_http_scan_class(at, end, WR_HTTP_CHAR_PLACE));
				stop = wr_http_scan_class(at, end, WR_HTTP_CHAR_TOKEN);
				CHECK(wr_http_field_name(at, end, &known) ==
				      (stop < end && *stop == ':' ? stop : NULL));
			}
		}
	}
}

/* The place of the first mark, 8 for none, against that of the first byte that is not of the class;
 * a tab, and what is no letter or "-", is marked besides. */
static void check_marks(const char *word, uint64_t marks, unsigned class)
{
	const char *end = word + 8, *stop = word;

	while (stop < end && wr_http_char_is(*stop, class) &&
	       !(class == WR_HTTP_CHAR_VALUE && *stop == '\t') &&
	       !(class == WR_HTTP_CHAR_TOKEN && *stop != '-' &&
		 !((*stop | 0x20) >= 'a' && (*stop | 0x20) <= 'z')))
		stop++;
	CHECK_U64(marks == 0 ? 8 : wr_http_first_mark(marks), (uint64_t)(stop - word));
}

/* Two bytes of any value at any places of a word: also where a mark could bring forth another. */
static void test_words_are_marked_as_the_table_says(void)
{
	for (unsigned bytes = 0; bytes < 65536; bytes++) {
		for (unsigned place = 0; place < 7; place += 2) {
			char text[8] = {'x', 'Y', '-', 'a', 'z', 'A', 'Z', 'q'};
			uint64_t word;

			text[place] = (char)(bytes & 255);
			text[place + 1] = (char)(bytes >> 8);
			word = wr_load_le64(text);
			check_marks(text, wr_http_mark_value(word), WR_HTTP_CHAR_VALUE);
			check_marks(text, wr_http_mark_target(word), WR_HTTP_CHAR_TARGET);
			check_marks(text, wr_http_mark_place(word), WR_HTTP_CHAR_PLACE);
			check_marks(text, wr_http_mark_name(word), WR_HTTP_CHAR_TOKEN);
		}
	}
}

/* Which known field a line's name is, with `behind` bytes behind its colon. */
static enum wr_http_known known_of(const char *name, size_t bytes, size_t behind)
{
	char line[64];
	enum wr_http_known known = WR_HTTP_KNOWN_NONE;
	struct wr_view view;

	memcpy(line, name, bytes);
	memset(line + bytes, 'x', behind + 1);
	line[bytes] = ':';
	view = wr_test_guarded(0, wr_view_of(line, bytes + 1 + behind));
	CHECK(wr_http_field_name(view.data, view.data + view.bytes, &known) == view.data + bytes);
	return known;
}

/* In any case, short lines and long ones; with any other letter, one more or one less it is none.
 */
static void test_known_names_are_told_from_all_others(void)
{
	for (unsigned known = 0; known < WR_HTTP_KNOWN_NONE; known++) {
		const char *name = wr_http_known_fields[known].name;
		size_t bytes = strlen(name);
		char text[32];

		wr_test_case(name);
		for (size_t behind = 0; behind < 24; behind += 23) {
			CHECK(known_of(name, bytes, behind) == known);
			for (size_t i = 0; i < bytes; i++) {
				memcpy(text, name, sizeof wr_http_known_fields[0].name);
				text[i] = (char)(text[i] == '-' ? '-' : text[i] - 'a' + 'A');
				CHECK(known_of(text, bytes, behind) == known);
				text[i] = (char)(text[i] == '-' ? 'm' : '-');
				CHECK(known_of(text, bytes, behind) == WR_HTTP_KNOWN_NONE);
				text[i] = '_';
				CHECK(known_of(text, bytes, behind) == WR_HTTP_KNOWN_NONE);
			}
			memcpy(text, name, bytes);
			text[bytes] = 'x';
			CHECK(known_of(text, bytes + 1, behind) == WR_HTTP_KNOWN_NONE);
			CHECK(known_of(text, bytes - 1, behind) == WR_HTTP_KNOWN_NONE);
			CHECK(known_of(text + 1, bytes - 1, behind) == WR_HTTP_KNOWN_NONE);
		}
	}
}

/* Every byte at every place of a host, alone, and with readable bytes in front of it. */
static void test_a_host_is_one_whatever_stands_before_it(void)
{
	static const char *const hosts[] = {"a", "a:1", "127.0.0.1:8650",
					    "a-long.example.org:65535",
					    "xn--abcdefghijklmnopqrstuvwxyz.example"};
	char text[96];

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		size_t bytes = strlen(hosts[i]);
		for (size_t place = 0; place < bytes; place++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				struct wr_view view;
				bool is_host;
				memset(text, 'x', 20);
				memcpy(text + 20, hosts[i], bytes);
				text[20 + place] = (char)byte;
				view = wr_test_guarded(0, wr_view_of(text, 20 + bytes));
				is_host = wr_http_is_host(
					wr_test_guarded(1, wr_view_of(text + 20, bytes)));
				CHECK(wr_http_is_host_in(view.data, wr_view_skip(view, 20)) ==
				      is_host);
				if (byte == 0 || byte == ' ' || byte == '@' || byte == '/' ||
				    byte == ',' || byte > 127)
					CHECK(!is_host);
			}
		}
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_bad_requests_are_refused_however_they_are_cut, 60),
	WR_TEST_LIMIT(test_bad_responses_are_refused_however_they_are_cut, 60),
	WR_TEST(test_a_refused_head_stays_refused),
	WR_TEST(test_a_bad_line_is_refused_as_soon_as_it_ends),
	WR_TEST_LIMIT(test_good_requests_are_accepted_however_they_are_cut, 30),
	WR_TEST_LIMIT(test_good_responses_are_accepted_however_they_are_cut, 30),
	WR_TEST(test_needed_fields_are_found),
	WR_TEST(test_answers_to_head_have_no_body),
	WR_TEST_LIMIT(test_limits_are_exact, 60),
	WR_TEST_LIMIT(test_number_of_fields_is_exact, 30),
	WR_TEST(test_one_byte_at_a_time_costs_linear_time),
	WR_TEST(test_lists_are_searched_by_element),
	WR_TEST(test_json_types_are_told_from_others),
	WR_TEST(test_classes_of_characters_follow_the_grammar),
	WR_TEST_LIMIT(test_scanners_agree_with_the_table, 30),
	WR_TEST_LIMIT(test_words_are_marked_as_the_table_says, 30),
	WR_TEST(test_known_names_are_told_from_all_others),
	WR_TEST_LIMIT(test_a_host_is_one_whatever_stands_before_it, 30),
	WR_TEST_END,
};
