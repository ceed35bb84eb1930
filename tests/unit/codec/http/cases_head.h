/* Heads and what must come of them: the tables of test_head.c, and the seeds of
 * test_differential.c. The classics of request smuggling are those of RFC 9112 11.2 and of the
 * public lists that collect what proxies and servers once took in two ways. */
#ifndef WR_TESTS_CASES_HEAD_H
#define WR_TESTS_CASES_HEAD_H

#include "codec/http/head.h"

/* `before`, then `fill` so many times, then `after`. */
struct refused {
	const char *why;
	struct wr_view before;
	enum wr_http_fault fault;
	char fill;
	size_t fill_count;
	struct wr_view after;
};

#define SYNTAX WR_HTTP_FAULT_SYNTAX
#define FRAMING WR_HTTP_FAULT_FRAMING
#define HOST WR_HTTP_FAULT_HOST
#define REPEATED WR_HTTP_FAULT_REPEATED
#define TARGET WR_HTTP_FAULT_TARGET_TOO_LONG
#define LARGE WR_HTTP_FAULT_HEAD_TOO_LARGE
#define VERSION WR_HTTP_FAULT_VERSION
#define CODING WR_HTTP_FAULT_TRANSFER_CODING
#define EXPECTATION WR_HTTP_FAULT_EXPECTATION

#define TEXT(text)                        \
	{                                 \
		"" text, sizeof(text) - 1 \
	}
#define ROW(why, text, fault)                          \
	{                                              \
		why, TEXT(text), fault, 0, 0, TEXT("") \
	}
#define LONG_ROW(why, before, fill, count, after, fault)           \
	{                                                          \
		why, TEXT(before), fault, fill, count, TEXT(after) \
	}
#define GET "GET / HTTP/1.1\r\n"
#define GET0 "GET / HTTP/1.0\r\n"
#define H "Host: a\r\n"
#define END "\r\n"
/* One field beside a good Host; one Host; one start line. */
#define FIELD_ROW(why, line, fault) ROW(why, GET H line "\r\n" END, fault)
#define HOST_ROW(why, value, fault) ROW(why, GET "Host: " value "\r\n" END, fault)
#define START_ROW(why, line, fault) ROW(why, line "\r\n" H END, fault)

static const struct refused refused_requests[] = {
	/* start line */
	ROW("leading CRLF", "\r\n" GET H END, SYNTAX),
	ROW("two leading CRLF", "\r\n\r\n" GET H END, SYNTAX),
	ROW("leading LF", "\n" GET H END, SYNTAX),
	ROW("leading CR", "\r" GET H END, SYNTAX),
	ROW("nothing but the end", "\r\n\r\n", SYNTAX),
	START_ROW("leading space", " GET / HTTP/1.1", SYNTAX),
	START_ROW("leading tab", "\tGET / HTTP/1.1", SYNTAX),
	START_ROW("two spaces before the target", "GET  / HTTP/1.1", SYNTAX),
	START_ROW("two spaces behind the target", "GET /  HTTP/1.1", SYNTAX),
	START_ROW("space behind the version", "GET / HTTP/1.1 ", SYNTAX),
	START_ROW("tab before the target", "GET\t/ HTTP/1.1", SYNTAX),
	START_ROW("tab behind the target", "GET /\tHTTP/1.1", SYNTAX),
	START_ROW("vertical tab for a space", "GET\v/ HTTP/1.1", SYNTAX),
	START_ROW("form feed for a space", "GET /\fHTTP/1.1", SYNTAX),
	START_ROW("CR for a space", "GET\r/ HTTP/1.1", SYNTAX),
	START_ROW("NUL in the method", "GE\0T / HTTP/1.1", SYNTAX),
	START_ROW("colon in the method", "GET: / HTTP/1.1", SYNTAX),
	START_ROW("brackets in the method", "(GET) / HTTP/1.1", SYNTAX),
	START_ROW("method outside ASCII", "G\303\211T / HTTP/1.1", SYNTAX),
	START_ROW("method only", "GET", SYNTAX),
	START_ROW("method and space", "GET ", SYNTAX),
	START_ROW("HTTP/0.9", "GET /", SYNTAX),
	START_ROW("HTTP/0.9 with a space", "GET / ", SYNTAX),
	START_ROW("space in the target", "GET /a b HTTP/1.1", SYNTAX),
	START_ROW("NUL in the target", "GET /\0 HTTP/1.1", SYNTAX),
	START_ROW("control in the target", "GET /\001 HTTP/1.1", SYNTAX),
	START_ROW("escape in the target", "GET /\033[2J HTTP/1.1", SYNTAX),
	START_ROW("DEL in the target", "GET /\177 HTTP/1.1", SYNTAX),
	START_ROW("DEL far in the target", "GET /0123456789abcdef0123456789abcdef\177 HTTP/1.1",
		  SYNTAX),
	START_ROW("UTF-8 in the target", "GET /\303\251 HTTP/1.1", SYNTAX),
	START_ROW("byte ff in the target", "GET /\377 HTTP/1.1", SYNTAX),
	START_ROW("byte 80 in the target", "GET /\200 HTTP/1.1", SYNTAX),
	START_ROW("lower-case version", "GET / http/1.1", SYNTAX),
	START_ROW("mixed-case version", "GET / Http/1.1", SYNTAX),
	START_ROW("HTTPS", "GET / HTTPS/1.1", SYNTAX),
	START_ROW("other protocol", "GET / ICAP/1.0", SYNTAX),
	START_ROW("version cut", "GET / HTTP/1.", SYNTAX),
	START_ROW("version without a point", "GET / HTTP/11", SYNTAX),
	START_ROW("version without a minor", "GET / HTTP/2", SYNTAX),
	START_ROW("version with a comma", "GET / HTTP/1,1", SYNTAX),
	START_ROW("two minor digits", "GET / HTTP/1.10", SYNTAX),
	START_ROW("two major digits", "GET / HTTP/11.1", SYNTAX),
	START_ROW("leading zero", "GET / HTTP/01.1", SYNTAX),
	START_ROW("signed version", "GET / HTTP/+1.1", SYNTAX),
	START_ROW("letter for a version", "GET / HTTP/1.x", SYNTAX),
	START_ROW("version and more", "GET / HTTP/1.1a", SYNTAX),
	START_ROW("version twice", "GET / HTTP/1.1 HTTP/1.1", SYNTAX),
	START_ROW("HTTP/1.2", "GET / HTTP/1.2", VERSION),
	START_ROW("HTTP/1.9", "GET / HTTP/1.9", VERSION),
	START_ROW("HTTP/0.9 by name", "GET / HTTP/0.9", VERSION),
	START_ROW("HTTP/2.0", "GET / HTTP/2.0", VERSION),
	START_ROW("HTTP/3.1", "GET / HTTP/3.1", VERSION),
	ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
	ROW("bare LF behind the start line", "GET / HTTP/1.1\nHost: a\r\n\r\n", SYNTAX),
	ROW("bare CR behind the start line", "GET / HTTP/1.1\rHost: a\r\n\r\n", SYNTAX),
	ROW("CR CR LF behind the start line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", SYNTAX),
	ROW("NUL behind the start line", "GET / HTTP/1.1\0\r\nHost: a\r\n\r\n", SYNTAX),
	ROW("TLS client hello", "\026\003\001\002\000\001\000\001\n", SYNTAX),
	ROW("response for a request", "HTTP/1.1 200 OK\r\n\r\n", SYNTAX),
	LONG_ROW("method over 32 bytes", "", 'M', 33, " / HTTP/1.1\r\n" H END, SYNTAX),
	LONG_ROW("endless method", "", 'M', 20000, "", SYNTAX),
	LONG_ROW("target one over the limit", "GET /", 'a', WR_HTTP_TARGET_BYTES_MAX,
		 " HTTP/1.1\r\n" H END, TARGET),
	LONG_ROW("endless target", "GET /", 'a', 70000, "", TARGET),
	LONG_ROW("long target, bad method", "G(T /", 'a', 70000, "", SYNTAX),
	LONG_ROW("endless version", "GET / HTTP/1.1", '1', 20000, "", SYNTAX),

	/* line ends and field syntax */
	ROW("bare LF behind a field", GET "Host: a\n\r\n", SYNTAX),
	ROW("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", SYNTAX),
	ROW("bare LF for the empty line", GET "Host: a\r\n\n", SYNTAX),
	ROW("bare CR for the empty line", GET "Host: a\r\n\r\r\n", SYNTAX),
	ROW("CR and other byte for the empty line", GET "Host: a\r\n\rX\r\n\r\n", SYNTAX),
	ROW("bare CR behind a field", GET "Host: a\rB: c\r\n\r\n", SYNTAX),
	FIELD_ROW("bare CR in a value", "A: b\rc", SYNTAX),
	FIELD_ROW("bare CR that hides a field", "A: b\rTransfer-Encoding: chunked", SYNTAX),
	FIELD_ROW("bare LF that hides a field", "A: b\nTransfer-Encoding: chunked", SYNTAX),
	FIELD_ROW("NUL in a value", "A: b\0c", SYNTAX),
	FIELD_ROW("NUL as a value", "A: \0", SYNTAX),
	FIELD_ROW("control in a value", "A: \001", SYNTAX),
	FIELD_ROW("backspace in a value", "A: b\bc", SYNTAX),
	FIELD_ROW("vertical tab in a value", "A: \vb", SYNTAX),
	FIELD_ROW("form feed in a value", "A: b\f", SYNTAX),
	FIELD_ROW("DEL in a value", "A: \177", SYNTAX),
	FIELD_ROW("control far in a value", "A: 0123456789abcdef0123456789\037bcdef", SYNTAX),
	FIELD_ROW("DEL behind a tab", "A: 0123456\t89abcdef\1770123456789", SYNTAX),
	FIELD_ROW("folded value", "A: b\r\n c", SYNTAX),
	FIELD_ROW("value folded with a tab", "A: b\r\n\tc", SYNTAX),
	FIELD_ROW("folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked", CODING),
	ROW("folded first field", GET " Host: a\r\n\r\n", SYNTAX),
	ROW("white space line", GET H " \r\n\r\n", SYNTAX),
	FIELD_ROW("space before the colon", "A : b", SYNTAX),
	FIELD_ROW("tab before the colon", "A\t: b", SYNTAX),
	FIELD_ROW("space before the colon of a framing field", "Transfer-Encoding : chunked",
		  SYNTAX),
	FIELD_ROW("space before the colon of a length", "Content-Length : 5", SYNTAX),
	FIELD_ROW("space in a name", "A b: c", SYNTAX),
	FIELD_ROW("leading space", " Transfer-Encoding: chunked", SYNTAX),
	FIELD_ROW("empty name", ": b", SYNTAX),
	FIELD_ROW("no colon", "Nothing", SYNTAX),
	FIELD_ROW("NUL in a name", "A\0: b", SYNTAX),
	FIELD_ROW("control in a name", "A\001: b", SYNTAX),
	FIELD_ROW("name outside ASCII", "\303\251: b", SYNTAX),
	FIELD_ROW("quotes in a name", "\"A\": b", SYNTAX),
	FIELD_ROW("slash in a name", "A/b: c", SYNTAX),
	FIELD_ROW("bracket in a name", "A[0]: c", SYNTAX),
	FIELD_ROW("at sign in a name", "A@b: c", SYNTAX),
	FIELD_ROW("comma in a name", "A,b: c", SYNTAX),
	FIELD_ROW("semicolon in a name", "A;b: c", SYNTAX),
	FIELD_ROW("equals sign in a name", "A=b: c", SYNTAX),
	FIELD_ROW("brace in a name", "A{b: c", SYNTAX),
	FIELD_ROW("backslash in a name", "A\\b: c", SYNTAX),
	FIELD_ROW("DEL in a name", "A\177: c", SYNTAX),
	FIELD_ROW("control far in a long name", "Abcdefghijklmnopqrstuvw\001x: c", SYNTAX),
	LONG_ROW("field one over the limit", GET H "A: ", 'b', WR_HTTP_FIELD_BYTES_MAX - 2,
		 "\r\n\r\n", LARGE),
	LONG_ROW("endless value", GET H "A: ", 'b', 20000, "", LARGE),
	LONG_ROW("endless name", GET H, 'b', 20000, "", LARGE),
	LONG_ROW("endless white space", GET H "A:", ' ', 20000, "", LARGE),
	LONG_ROW("endless value behind a control", GET H "A: \001", 'b', 20000, "", SYNTAX),

	/* Content-Length and Transfer-Encoding */
	FIELD_ROW("length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked", FRAMING),
	FIELD_ROW("chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5", FRAMING),
	FIELD_ROW("chunked and length 0", "Transfer-Encoding: chunked\r\nContent-Length: 0",
		  FRAMING),
	FIELD_ROW("two equal lengths", "Content-Length: 5\r\nContent-Length: 5", FRAMING),
	FIELD_ROW("two lengths", "Content-Length: 5\r\nContent-Length: 6", FRAMING),
	FIELD_ROW("two lengths, other case", "Content-Length: 5\r\ncontent-length: 5", FRAMING),
	FIELD_ROW("list of lengths", "Content-Length: 5, 5", FRAMING),
	FIELD_ROW("list without spaces", "Content-Length: 5,5", FRAMING),
	FIELD_ROW("positive sign", "Content-Length: +5", FRAMING),
	FIELD_ROW("negative length", "Content-Length: -5", FRAMING),
	FIELD_ROW("negative zero", "Content-Length: -0", FRAMING),
	FIELD_ROW("hexadecimal length", "Content-Length: 0x5", FRAMING),
	FIELD_ROW("hexadecimal digits", "Content-Length: a", FRAMING),
	FIELD_ROW("length and unit", "Content-Length: 5 bytes", FRAMING),
	FIELD_ROW("space between digits", "Content-Length: 1 0", FRAMING),
	FIELD_ROW("length with a point", "Content-Length: 5.0", FRAMING),
	FIELD_ROW("length with an exponent", "Content-Length: 1e1", FRAMING),
	FIELD_ROW("length with an underscore", "Content-Length: 1_0", FRAMING),
	FIELD_ROW("length in quotes", "Content-Length: \"5\"", FRAMING),
	FIELD_ROW("empty length", "Content-Length:", FRAMING),
	FIELD_ROW("blank length", "Content-Length:   ", FRAMING),
	FIELD_ROW("digit outside ASCII", "Content-Length: \357\274\225", FRAMING),
	FIELD_ROW("length of 2^64", "Content-Length: 18446744073709551616", FRAMING),
	FIELD_ROW("length near 2^64 x 10", "Content-Length: 99999999999999999999", FRAMING),
	FIELD_ROW("length that wraps to 5", "Content-Length: 18446744073709551621", FRAMING),
	FIELD_ROW("gzip", "Transfer-Encoding: gzip", CODING),
	FIELD_ROW("identity", "Transfer-Encoding: identity", CODING),
	FIELD_ROW("chunked, identity", "Transfer-Encoding: chunked, identity", CODING),
	FIELD_ROW("identity, chunked", "Transfer-Encoding: identity, chunked", CODING),
	FIELD_ROW("gzip, chunked", "Transfer-Encoding: gzip, chunked", CODING),
	FIELD_ROW("chunked, chunked", "Transfer-Encoding: chunked, chunked", CODING),
	FIELD_ROW("chunked with a comma", "Transfer-Encoding: chunked,", CODING),
	FIELD_ROW("comma and chunked", "Transfer-Encoding: ,chunked", CODING),
	FIELD_ROW("xchunked", "Transfer-Encoding: xchunked", CODING),
	FIELD_ROW("chunkedx", "Transfer-Encoding: chunkedx", CODING),
	FIELD_ROW("chunk", "Transfer-Encoding: chunk", CODING),
	FIELD_ROW("chunked in quotes", "Transfer-Encoding: \"chunked\"", CODING),
	FIELD_ROW("chunked in single quotes", "Transfer-Encoding: 'chunked'", CODING),
	FIELD_ROW("chunked with a space in quotes", "Transfer-Encoding: \" chunked\"", CODING),
	FIELD_ROW("chunked with a parameter", "Transfer-Encoding: chunked;a=b", CODING),
	FIELD_ROW("chunked with obs-text", "Transfer-Encoding: \377chunked", CODING),
	FIELD_ROW("empty coding", "Transfer-Encoding:", CODING),
	FIELD_ROW("vertical tab before chunked", "Transfer-Encoding: \vchunked", SYNTAX),
	FIELD_ROW("chunked and NUL", "Transfer-Encoding: chunked\0", SYNTAX),
	FIELD_ROW("coding twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		  FRAMING),
	FIELD_ROW("coding twice, other case",
		  "Transfer-Encoding: chunked\r\ntransfer-encoding: identity", FRAMING),
	FIELD_ROW("coding and length of other case",
		  "tRANSFER-eNCODING: chunked\r\ncONTENT-lENGTH: 1", FRAMING),
	ROW("chunked in HTTP/1.0", GET0 H "Transfer-Encoding: chunked\r\n\r\n", FRAMING),

	/* Host */
	ROW("no Host", GET END, HOST),
	ROW("no Host beside others", GET "Hose: a\r\n\r\n", HOST),
	ROW("two Hosts", GET H H END, HOST),
	ROW("two different Hosts", GET H "hOST: b\r\n\r\n", HOST),
	ROW("two Hosts in HTTP/1.0", GET0 H H END, HOST),
	ROW("empty Host", GET "Host:\r\n\r\n", HOST),
	ROW("blank Host", GET "Host: \t \r\n\r\n", HOST),
	ROW("empty Host in HTTP/1.0", GET0 "Host:\r\n\r\n", HOST),
	HOST_ROW("space in Host", "a b", HOST),
	HOST_ROW("userinfo", "user@a", HOST),
	HOST_ROW("userinfo with a password", "user:secret@a", HOST),
	HOST_ROW("list of hosts", "a,b", HOST),
	HOST_ROW("list of hosts with a space", "a, b", HOST),
	HOST_ROW("path in Host", "a/b", HOST),
	HOST_ROW("URL in Host", "http://a", HOST),
	HOST_ROW("query in Host", "a?b", HOST),
	HOST_ROW("fragment in Host", "a#b", HOST),
	HOST_ROW("backslash in Host", "a\\b", HOST),
	HOST_ROW("obs-text in Host", "\303\251", HOST),
	HOST_ROW("angle bracket in Host", "a<b>", HOST),
	HOST_ROW("quotes in Host", "\"a\"", HOST),
	HOST_ROW("bad escape in Host", "a%zz", HOST),
	HOST_ROW("cut escape in Host", "a%4", HOST),
	HOST_ROW("port without host", ":80", HOST),
	HOST_ROW("empty port", "a:", HOST),
	HOST_ROW("port of letters", "a:http", HOST),
	HOST_ROW("signed port", "a:+80", HOST),
	HOST_ROW("port 65536", "a:65536", HOST),
	HOST_ROW("port 65540", "localhost:65540", HOST),
	HOST_ROW("port 66000", "127.0.0.1:66000", HOST),
	HOST_ROW("port 70000", "a:70000", HOST),
	HOST_ROW("letter in five digits", "a:6553a", HOST),
	HOST_ROW("letter in four digits", "127.0.0.1:865a", HOST),
	HOST_ROW("six digits of port", "a:000080", HOST),
	HOST_ROW("two ports", "a:80:80", HOST),
	HOST_ROW("open bracket", "[::1", HOST),
	HOST_ROW("empty brackets", "[]", HOST),
	HOST_ROW("bytes behind the bracket", "[::1]a", HOST),
	HOST_ROW("letters in brackets", "[local]", HOST),
	HOST_ROW("zone in brackets", "[fe80::1%25eth0]", HOST),
	HOST_ROW("IPv6 without brackets", "::1", HOST),

	/* fields that may be sent once; expectations */
	FIELD_ROW("two Authorizations", "Authorization: a\r\nAuthorization: a", REPEATED),
	FIELD_ROW("two Origins", "Origin: a\r\norigin: b", REPEATED),
	FIELD_ROW("two Upgrades", "Upgrade: websocket\r\nUpgrade: websocket", REPEATED),
	FIELD_ROW("two Expects", "Expect: 100-continue\r\nExpect: 100-continue", REPEATED),
	ROW("two Expects in HTTP/1.0", GET0 "Expect: a\r\nExpect: a\r\n\r\n", REPEATED),
	FIELD_ROW("two keys", "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: a", REPEATED),
	FIELD_ROW("two idempotency keys", "Idempotency-Key: a\r\nidempotency-key: a", REPEATED),
	FIELD_ROW("two versions", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13",
		  REPEATED),
	FIELD_ROW("two protocols", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b",
		  REPEATED),
	FIELD_ROW("two extensions", "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b",
		  REPEATED),
	FIELD_ROW("two accepts", "Sec-WebSocket-Accept: a\r\nSec-WebSocket-Accept: b", REPEATED),
	FIELD_ROW("other expectation", "Expect: 200-ok", EXPECTATION),
	FIELD_ROW("empty expectation", "Expect:", EXPECTATION),
	FIELD_ROW("expectation with a parameter", "Expect: 100-continue;a=b", EXPECTATION),
	FIELD_ROW("list of expectations", "Expect: 100-continue, 100-continue", EXPECTATION),

	/* the first fault decides */
	ROW("bad line, then two lengths",
	    GET H "A : b\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", SYNTAX),
	ROW("two lengths, then bad line",
	    GET H "Content-Length: 5\r\nContent-Length: 6\r\nA : b\r\n\r\n", FRAMING),
	ROW("no Host, but first an expectation", GET "Expect: a\r\n\r\n", EXPECTATION),
	LONG_ROW("bad version, then endless field", "GET / HTTP/4.0\r\nA: ", 'b', 20000, "",
		 VERSION),
	LONG_ROW("bad Host, then endless field", GET "Host: a b\r\nA: ", 'b', 20000, "", HOST),
};

static const struct refused refused_responses[] = {
	ROW("request for a response", GET H END, SYNTAX),
	ROW("no space before an empty reason", "HTTP/1.1 200\r\n\r\n", SYNTAX),
	ROW("two-digit status", "HTTP/1.1 20 OK\r\n\r\n", SYNTAX),
	ROW("four-digit status", "HTTP/1.1 2000 OK\r\n\r\n", SYNTAX),
	ROW("status of letters", "HTTP/1.1 2xx OK\r\n\r\n", SYNTAX),
	ROW("negative status", "HTTP/1.1 -20 OK\r\n\r\n", SYNTAX),
	ROW("status 099", "HTTP/1.1 099 OK\r\n\r\n", SYNTAX),
	ROW("status 000", "HTTP/1.1 000 OK\r\n\r\n", SYNTAX),
	ROW("status 600", "HTTP/1.1 600 OK\r\n\r\n", SYNTAX),
	ROW("status 999", "HTTP/1.1 999 OK\r\n\r\n", SYNTAX),
	ROW("two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", SYNTAX),
	ROW("tab before the status", "HTTP/1.1\t200 OK\r\n\r\n", SYNTAX),
	ROW("tab behind the status", "HTTP/1.1 200\tOK\r\n\r\n", SYNTAX),
	ROW("leading CRLF", "\r\nHTTP/1.1 200 OK\r\n\r\n", SYNTAX),
	ROW("control in the reason", "HTTP/1.1 200 O\001K\r\n\r\n", SYNTAX),
	ROW("NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", SYNTAX),
	ROW("bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", SYNTAX),
	ROW("bare LF", "HTTP/1.1 200 OK\n\r\n", SYNTAX),
	ROW("lower-case version", "http/1.1 200 OK\r\n\r\n", SYNTAX),
	ROW("ICY", "ICY 200 OK\r\n\r\n", SYNTAX),
	ROW("HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", VERSION),
	ROW("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", VERSION),
	ROW("length and chunked",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", FRAMING),
	ROW("chunked and length",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", FRAMING),
	ROW("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	    FRAMING),
	ROW("bad length in an answer without body",
	    "HTTP/1.1 204 No Content\r\nContent-Length: -1\r\n\r\n", FRAMING),
	ROW("chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	    FRAMING),
	ROW("gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", CODING),
	ROW("gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", CODING),
	ROW("folding", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", SYNTAX),
	ROW("two Hosts", "HTTP/1.1 200 OK\r\n" H H END, HOST),
	ROW("two accepts",
	    "HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: a\r\nSec-WebSocket-Accept: a\r\n\r\n",
	    REPEATED),
	LONG_ROW("endless reason", "HTTP/1.1 200 ", 'x', 20000, "", LARGE),
	LONG_ROW("reason one over the limit", "HTTP/1.1 200 ", 'x', WR_HTTP_FIELD_BYTES_MAX - 12,
		 "\r\n\r\n", LARGE),
};

/* Accepted ones, with what they mean. */
struct accepted {
	struct wr_view text;
	enum wr_http_method method;
	const char *target; /* of responses: the reason */
	unsigned status, minor_version;
	enum wr_http_framing framing;
	uint64_t body_bytes;
	bool is_keep_alive, has_upgrade, expects;
	size_t field_count;
};

#define NONE WR_HTTP_FRAMING_NONE
#define LENGTH WR_HTTP_FRAMING_LENGTH
#define CHUNKED WR_HTTP_FRAMING_CHUNKED
#define CLOSE WR_HTTP_FRAMING_CLOSE
#define M(name) WR_HTTP_METHOD_##name

/* clang-format off */
static const struct accepted accepted_requests[] = {
	{TEXT(GET H END), M(GET), "/", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT(GET0 END), M(GET), "/", 0, 0, NONE, 0, false, false, false, 0},
	{TEXT(GET0 H END), M(GET), "/", 0, 0, NONE, 0, false, false, false, 1},
	{TEXT(GET0 "Connection: keep-alive\r\n\r\n"), M(GET), "/", 0, 0, NONE, 0, true, false, false, 1},
	{TEXT(GET0 "Connection: Keep-Alive, close\r\n\r\n"), M(GET), "/", 0, 0, NONE, 0, false, false, false, 1},
	{TEXT(GET0 "Expect: anything\r\n\r\n"), M(GET), "/", 0, 0, NONE, 0, false, false, false, 1},
	{TEXT("HEAD /x?y=z HTTP/1.1\r\n" H END), M(HEAD), "/x?y=z", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"), M(POST), "/", 0, 1, LENGTH, 0, true, false, false, 2},
	{TEXT("PUT / HTTP/1.1\r\n" H "Content-Length: 18446744073709551615\r\n\r\n"), M(PUT), "/", 0, 1, LENGTH, UINT64_MAX, true, false, false, 2},
	{TEXT("PATCH / HTTP/1.1\r\n" H "content-length:\t 0000000000000000000000012 \t\r\n\r\n"), M(PATCH), "/", 0, 1, LENGTH, 12, true, false, false, 2},
	{TEXT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"), M(POST), "/", 0, 1, CHUNKED, 0, true, false, false, 2},
	/* OWS around a value is no part of it (RFC 9112 5.1), also of this one. */
	{TEXT("POST / HTTP/1.1\r\n" H "Transfer-Encoding:  \tChunkED \r\n\r\n"), M(POST), "/", 0, 1, CHUNKED, 0, true, false, false, 2},
	{TEXT("POST / HTTP/1.1\r\n" H "Transfer-Encoding:chunked\r\n\r\n"), M(POST), "/", 0, 1, CHUNKED, 0, true, false, false, 2},
	{TEXT("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n"), M(POST), "/", 0, 1, LENGTH, 3, true, false, true, 3},
	{TEXT("DELETE / HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), M(DELETE), "/", 0, 1, NONE, 0, false, false, false, 2},
	{TEXT("OPTIONS * HTTP/1.1\r\n" H "Connection: ,, upgrade ,\r\nConnection: CLOSE\r\n\r\n"), M(OPTIONS), "*", 0, 1, NONE, 0, false, true, false, 3},
	{TEXT("TRACE / HTTP/1.1\r\n" H "Connection: closed, x-upgrade, upgrade2, up grade\r\n\r\n"), M(TRACE), "/", 0, 1, NONE, 0, true, false, false, 2},
	{TEXT("CONNECT a:80 HTTP/1.1\r\n" H END), M(CONNECT), "a:80", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT("get / HTTP/1.1\r\n" H END), M(OTHER), "/", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n" H END), M(OTHER), "/", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT("GET http://other:80/path?q HTTP/1.1\r\n" H END), M(GET), "http://other:80/path?q", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT("GET /~!@#$%^&*()_+|}{\":?><`-=\\][';/., HTTP/1.1\r\n" H END), M(GET), "/~!@#$%^&*()_+|}{\":?><`-=\\][';/.,", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT(GET H "A:\r\nA:  \t \r\n!#$%&'*+-.^_`|~09az: \t!\" \t#\tx\r\n\r\n"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 4},
	{TEXT(GET H "X: \200\377\303\251\r\n\r\n"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 2},
	{TEXT(GET "Host: [2001:db8::1]:8650\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 3},
	{TEXT(GET "Host: a.b-c_d~e%41!$&'()*+;=:65535\r\n\r\n"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT(GET "Host: localhost:65529\r\n\r\n"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT(GET "Host: a:00080\r\n\r\n"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 1},
	{TEXT("GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: x\r\nAuthorization: Bearer t\r\n\r\n"), M(GET), "/chat", 0, 1, NONE, 0, true, true, false, 9},
	{TEXT(GET H "Accept-Ch-Lifetime-Something: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\nAccept-Encoding: gzip, deflate\r\n\r\nrest"), M(GET), "/", 0, 1, NONE, 0, true, false, false, 4},
};

static const struct accepted accepted_responses[] = {
	{TEXT("HTTP/1.1 200 OK\r\n\r\n"), M(OTHER), "OK", 200, 1, CLOSE, 0, false, false, false, 0},
	{TEXT("HTTP/1.1 200 \r\n\r\n"), M(OTHER), "", 200, 1, CLOSE, 0, false, false, false, 0},
	{TEXT("HTTP/1.1 200  a\tb \377\r\n\r\n"), M(OTHER), " a\tb \377", 200, 1, CLOSE, 0, false, false, false, 0},
	{TEXT("HTTP/1.0 599 x\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\n"), M(OTHER), "x", 599, 0, LENGTH, 7, true, false, false, 2},
	{TEXT("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nHost:\r\nExpect: x\r\n\r\n"), M(OTHER), "OK", 200, 1, LENGTH, 7, true, false, false, 3},
	{TEXT("HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n"), M(OTHER), "Not Found", 404, 1, CHUNKED, 0, false, false, false, 2},
	{TEXT("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"), M(OTHER), "No Content", 204, 1, NONE, 0, true, false, false, 1},
	{TEXT("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"), M(OTHER), "Not Modified", 304, 1, NONE, 0, true, false, false, 1},
	{TEXT("HTTP/1.1 100 Continue\r\n\r\n"), M(OTHER), "Continue", 100, 1, NONE, 0, true, false, false, 0},
	{TEXT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"), M(OTHER), "Switching Protocols", 101, 1, NONE, 0, true, true, false, 3},
	{TEXT("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nRetry-After: 4\r\nLocation: /a\r\n\r\n"), M(OTHER), "Service Unavailable", 503, 1, CLOSE, 0, false, false, false, 3},
};
/* clang-format on */

#endif
