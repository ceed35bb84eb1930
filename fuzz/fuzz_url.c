/*
 * Absolute URLs. No options.
 *
 * A second parser says the same of scheme and port; the parts put together are the text again; they
 * lie in it; the authority is one that a request may carry; a text with something behind it that no
 * URL has is refused.
 */
#include "codec/http/target.h"
#include "codec/http/url.h"
#include "fuzz.h"
#include "naive/target.h"

/* Scheme, authority and target, one behind the other, are all of it. */
static void check_parts(const struct wr_url *url, struct wr_view text)
{
	size_t scheme = url->is_websocket ? 5 : 7, brackets = url->is_ipv6 ? 1 : 0;
	struct wr_view rest;

	scheme += url->is_secure;
	CHECK(url->authority.data == text.data + scheme);
	CHECK(url->host.data == url->authority.data + brackets && url->host.bytes != 0);
	CHECK(fuzz_lies_in(url->host, url->authority));
	CHECK(fuzz_lies_in(url->authority, text));
	rest = wr_view_skip(text, scheme + url->authority.bytes);
	CHECK((url->target.data == NULL) == (rest.bytes == 0));
	CHECK_VIEW(url->target, rest);
	if (url->target.data != NULL)
		CHECK(url->target.data == rest.data);
	rest = wr_view_skip(url->authority, url->host.bytes + 2 * brackets);
	CHECK(rest.bytes == 0 || rest.data[0] == ':');
}

static void check_again(const struct wr_url *url, struct wr_view text)
{
	struct wr_http_target target;
	struct wr_url again;

	/* What a client sends of it is what a server of ours takes, also as a whole. */
	if (url->target.data != NULL)
		CHECK_STATUS(wr_http_target_split(&target, url->target), WR_OK);
	if (!url->is_websocket)
		CHECK_STATUS(wr_http_target_split(&target, text), WR_OK);
	CHECK_STATUS(wr_url_parse(&again, fuzz_join(1, text, WR_VIEW("#"))), WR_INVALID);
	CHECK_STATUS(wr_url_parse(&again, fuzz_join(1, text, WR_VIEW(" "))), WR_INVALID);
	CHECK_STATUS(wr_url_parse(&again, fuzz_join(1, WR_VIEW(" "), text)), WR_INVALID);
	if (url->target.data == NULL)
		CHECK_STATUS(wr_url_parse(&again, fuzz_join(1, text, WR_VIEW("/a?b"))), WR_OK);
}

void fuzz_one(struct wr_view input)
{
	bool is_secure = false, is_websocket = false;
	unsigned port = 0;
	struct wr_url url;
	enum wr_status status;

	if (input.bytes > NAIVE_TEXT_BYTES)
		return;
	input = wr_test_guarded(0, input);
	status = wr_url_parse(&url, input);
	CHECK_STATUS(status,
		     naive_is_url(input, &is_secure, &is_websocket, &port) ? WR_OK : WR_INVALID);
	if (status != WR_OK)
		return;
	CHECK(url.is_secure == is_secure && url.is_websocket == is_websocket);
	CHECK_U64(url.port, port);
	check_parts(&url, input);
	check_again(&url, input);
}
