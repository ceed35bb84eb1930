/*
 * wsecho — a WebSocket echo client on our reactor and protocol code, for public test suites.
 *
 *	wsecho URL
 *
 * Connects and sends each message back whole, as the kind it was, until the server closes. Exit 0:
 * with a closing handshake; 1: the URL or the connection was refused, or the connection failed, and
 * stderr says why; 2: usage.
 */
#include "codec/http/url.h"
#include "conn/ws_client.h"
#include "io/memory.h"
#include "tools/resolve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The largest message back, with one more that waits. */
enum { QUEUED_BYTES_MAX = 33 << 20 };

static struct wr_allocator allocator;
static struct wr_reactor reactor;
static struct wr_ws_client client;
static struct wr_buf message;
static int exit_code = 1;

static int refuse(const char *what)
{
	fprintf(stderr, "wsecho: %s\n", what);
	return 1;
}

static void on_open(void *context, struct wr_ws_client *self)
{
	(void)context;
	(void)self;
}

static void on_data(void *context, struct wr_ws_client *self, struct wr_view data, bool is_text,
		    bool is_end)
{
	enum wr_status status = wr_buf_append_view(&message, data);

	(void)context;
	if (status == WR_OK && is_end) {
		status = wr_ws_client_send(self, is_text ? WR_WS_OPCODE_TEXT : WR_WS_OPCODE_BINARY,
					   wr_buf_view(&message));
		wr_buf_reset(&message);
	}
	if (status == WR_OK)
		return;
	refuse(wr_status_text(status));
	wr_ws_client_abort(self);
	wr_reactor_stop(&reactor);
}

static void on_end(void *context, struct wr_ws_client *self, const struct wr_ws_client_end *end)
{
	(void)context;
	(void)self;
	if (end->status == WR_OK)
		exit_code = 0;
	else if (end->status == WR_REJECTED)
		fprintf(stderr, "wsecho: answered with status %u\n", end->http_status);
	else
		refuse(end->os_error != 0 ? strerror(end->os_error) : wr_status_text(end->status));
	wr_reactor_stop(&reactor);
}

static int echo(const struct wr_url *url)
{
	struct wr_ws_client_config config;
	struct wr_error error;

	wr_ws_client_defaults(&config);
	config.host = url->authority;
	config.target = url->target.data != NULL ? url->target : WR_VIEW("/");
	config.queued_bytes_max = QUEUED_BYTES_MAX;
	config.on_open = on_open;
	config.on_data = on_data;
	config.on_end = on_end;
	if (!wr_resolve(&config.address, url))
		return refuse("no such host");
	wr_memory_init(&allocator, SIZE_MAX);
	wr_buf_init(&message, &allocator, config.message_bytes_max);
	if (wr_reactor_init(&reactor, &allocator, &error) != WR_OK)
		return refuse("no event loop");
	if (wr_ws_client_open(&client, &reactor, &allocator, &config) == WR_OK)
		wr_reactor_run(&reactor);
	else
		refuse("cannot begin");
	wr_reactor_deinit(&reactor);
	wr_buf_deinit(&message);
	return allocator.used == 0 ? exit_code : refuse("memory is left over");
}

int main(int argc, char **argv)
{
	struct wr_url url;

	if (argc != 2) {
		fprintf(stderr, "usage: wsecho URL\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (wr_url_parse(&url, wr_view_of_string(argv[1])) != WR_OK || !url.is_websocket)
		return refuse("this is no WebSocket URL: ws://HOST[:PORT][/PATH]");
	if (url.is_secure)
		return refuse("wss needs a build with TLS");
	return echo(&url);
}
