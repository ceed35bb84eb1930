/* Chunked bodies and what must come of them: the tables of test_body.c, and the seeds of
 * test_differential.c. */
#ifndef WR_TESTS_CASES_BODY_H
#define WR_TESTS_CASES_BODY_H

#include "bytes/view.h"
#include "status.h"

struct chunked {
	struct wr_view text;
	enum wr_status status;
	const char *payload; /* up to the end, or to the fault */
	size_t left;	     /* bytes behind an accepted body */
};

#define BODY(text, status, payload, left)                          \
	{                                                          \
		{"" text, sizeof(text) - 1}, status, payload, left \
	}
#define GOOD(text, payload, left) BODY(text, WR_OK, payload, left)
#define BAD(text, payload) BODY(text, WR_SYNTAX, payload, 0)
#define BIG(text, payload) BODY(text, WR_TOO_LARGE, payload, 0)
#define CUT(text, payload) BODY(text, WR_MORE, payload, 0)

static const struct chunked chunked_cases[] = {
	GOOD("0\r\n\r\n", "", 0),
	GOOD("0\r\n\r\nGET / HTTP/1.1\r\n", "", 16),
	GOOD("5\r\nhello\r\n0\r\n\r\n", "hello", 0),
	GOOD("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", 0),
	GOOD("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n\r\n", "01234567890123456789", 2),
	GOOD("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", 0),
	GOOD("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", 0),
	GOOD("1;a\r\nx\r\n0;b=c\r\n\r\n", "x", 0),
	GOOD("1 ; a=\"b c\"\r\nx\r\n0\t;\r\n\r\n", "x", 0),
	GOOD("1;\351\r\nx\r\n0\r\n\r\n", "x", 0),
	GOOD("1;3456789012345678901234567890ab\r\nx\r\n0\r\n\r\n", "x", 0),
	GOOD("1\r\nx\r\n0\r\nA: b\r\n\r\n", "x", 0),
	GOOD("1\r\nx\r\n0\r\nA:\r\nContent-Length: 5\r\nB: \t\351 c\r\n\r\nrest", "x", 4),

	BAD("\r\n\r\n", ""),
	BAD("\r\n0\r\n\r\n", ""),
	BAD(" 5\r\nhello\r\n0\r\n\r\n", ""),
	BAD("\t5\r\nhello\r\n0\r\n\r\n", ""),
	BAD("-5\r\nhello\r\n0\r\n\r\n", ""),
	BAD("-0\r\n\r\n", ""),
	BAD("+5\r\nhello\r\n0\r\n\r\n", ""),
	BAD("0x5\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5h\r\nhello\r\n0\r\n\r\n", ""),
	BAD("g\r\n", ""),
	BAD(";a\r\n", ""),
	BAD(";5\r\nhello\r\n", ""),
	BAD("5,5\r\nhello\r\n", ""),
	BAD("5.0\r\nhello\r\n", ""),
	BAD("5_0\r\n", ""),
	BAD("\"5\"\r\n", ""),
	BAD("\0005\r\n", ""),
	BAD("5\0\r\nhello\r\n", ""),
	BAD("\357\274\225\r\nhello\r\n", ""),
	BAD("5 \r\nhello\r\n0\r\n\r\n", ""),
	BAD("5 5\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5 a\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5\nhello\r\n0\r\n\r\n", ""),
	BAD("5\rhello\r\n0\r\n\r\n", ""),
	BAD("5\r\rhello\r\n0\r\n\r\n", ""),
	BAD("5\r \nhello\r\n0\r\n\r\n", ""),
	BAD("5;a\nhello\r\n0\r\n\r\n", ""),
	BAD("5;a\rb\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5;a\0\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5;\001\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5;\177\r\nhello\r\n0\r\n\r\n", ""),
	BAD("5\r\nhello0\r\n\r\n", "hello"),
	BAD("5\r\nhello\n0\r\n\r\n", "hello"),
	BAD("5\r\nhello\r0\r\n\r\n", "hello"),
	BAD("5\r\nhello\r\r\n0\r\n\r\n", "hello"),
	BAD("5\r\nhello\r\n\r\n0\r\n\r\n", "hello"),
	BAD("5\r\nhello \r\n0\r\n\r\n", "hello"),
	BAD("4\r\nhello\r\n0\r\n\r\n", "hell"),
	BAD("6\r\nhello\r\n0\r\n\r\n", "hello\r"),
	BAD("0\n\n", ""),
	BAD("0\r\n\n", ""),
	BAD("0\r\n\r\r\n", ""),
	BAD("0\r\n\rA: b\r\n\r\n", ""),
	BAD("0\r\nA: b\n\r\n", ""),
	BAD("0\r\nA: b\r\r\n", ""),
	BAD("0\r\nA : b\r\n\r\n", ""),
	BAD("0\r\n A: b\r\n\r\n", ""),
	BAD("0\r\n: b\r\n\r\n", ""),
	BAD("0\r\nA\r\n\r\n", ""),
	BAD("0\r\nA b: c\r\n\r\n", ""),
	BAD("0\r\nA: b\r\n c\r\n\r\n", ""),
	BAD("0\r\nA: b\0\r\n\r\n", ""),
	BAD("0\r\nA: \177\r\n\r\n", ""),
	BAD("0\r\nA\0: b\r\n\r\n", ""),
	BAD("0\r\n\351: b\r\n\r\n", ""),
	BAD("0\r\nGET / HTTP/1.1\r\n\r\n", ""),

	BIG("00000000000000005\r\nhello\r\n0\r\n\r\n", ""),
	BIG("00000000000000000\r\n\r\n", ""),
	BIG("10000000000000005\r\nhello\r\n0\r\n\r\n", ""),
	BIG("fffffffffffffffff\r\n", ""),
	BIG("1\r\nx\r\nffffffffffffffff\r\nhello", "x"),
	BIG("1;3456789012345678901234567890abc\r\nx\r\n0\r\n\r\n", ""),
	BIG("1                                ;\r\nx\r\n0\r\n\r\n", ""),

	CUT("", ""),
	CUT("5", ""),
	CUT("5;a", ""),
	CUT("5\r", ""),
	CUT("5\r\n", ""),
	CUT("5\r\nhel", "hel"),
	CUT("5\r\nhello", "hello"),
	CUT("5\r\nhello\r", "hello"),
	CUT("5\r\nhello\r\n", "hello"),
	CUT("0\r\n", ""),
	CUT("0\r\n\r", ""),
	CUT("0\r\nA", ""),
	CUT("0\r\nA: b\r\n", ""),
	CUT("ffffffffffffffff\r\nhello", "hello"),
	CUT("7fffffffffffffff\r\nhello", "hello"),
};

#endif
