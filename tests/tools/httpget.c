/*
 * httpget — one GET with our HTTP client, for public test suites.
 *
 *	httpget URL
 *
 * Prints the status code, a newline, and the body. Redirects are answers like any other. Exit 0: a
 * whole answer came; 1: the URL, the connection or the answer was refused, cut or too large, and
 * stderr says which; 2: usage.
 */
#include "codec/http/url.h"
#include "conn/http_client.h"
#include "io/memory.h"
#include "tools/resolve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { BODY_BYTES_MAX = 16 << 20, MS_MAX = 20000 };

static struct wr_allocator allocator;
static struct wr_reactor reactor;
static int exit_code = 1;

static int refuse(const char *what)
{
	fprintf(stderr, "httpget: %s\n", what);
	return 1;
}

static void on_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	(void)call;
	if (outcome->status == WR_OK) {
		printf("%u\n", outcome->head->status);
		fwrite(outcome->body.data, 1, outcome->body.bytes, stdout);
		exit_code = fflush(stdout) == 0 ? 0 : 1;
	} else {
		refuse(outcome->os_error != 0 ? strerror(outcome->os_error)
					      : wr_status_text(outcome->status));
	}
	wr_reactor_stop(&reactor);
}

static int get(const struct wr_url *url)
{
	static struct wr_http_call call;
	struct wr_http_client_config config;
	struct wr_http_client *client;
	struct wr_error error;

	wr_http_client_defaults(&config);
	config.host = url->authority;
	if (!wr_resolve(&config.address, url))
		return refuse("no such host");
	wr_memory_init(&allocator, SIZE_MAX);
	if (wr_reactor_init(&reactor, &allocator, &error) != WR_OK ||
	    wr_http_client_new(&client, &reactor, &allocator, &config) != WR_OK)
		return refuse("no event loop");
	call = (struct wr_http_call){
		.method = WR_VIEW("GET"),
		.target = url->target.data != NULL ? url->target : WR_VIEW("/"),
		.ms_max = MS_MAX,
		.body_bytes_max = BODY_BYTES_MAX,
		.on_done = on_done,
	};
	if (wr_http_call_begin(&call, client) != WR_OK)
		return refuse("cannot begin");
	wr_reactor_run(&reactor);
	wr_http_client_free(client);
	wr_reactor_deinit(&reactor);
	return exit_code;
}

int main(int argc, char **argv)
{
	struct wr_url url;

	if (argc != 2) {
		fprintf(stderr, "usage: httpget URL\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (wr_url_parse(&url, wr_view_of_string(argv[1])) != WR_OK || url.is_websocket)
		return refuse("this is no http URL: http://HOST[:PORT][/PATH]");
	if (url.is_secure)
		return refuse("https needs a build with TLS");
	return get(&url);
}
