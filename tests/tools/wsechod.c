/*
 * wsechod — a WebSocket echo server on our reactor and protocol code, for public test suites.
 *
 *	wsechod --bind ADDR --max-message BYTES [--max-fragments N]
 *
 * Every path upgrades. Each message comes back whole, as the kind it was. Prints `listening on
 *ADDR` when it serves; TERM or INT end it.
 */
#include "check.h"
#include "codec/ws/handshake.h"
#include "conn/ws_conn.h"
#include "io/memory.h"
#include "io/reactor/signal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRAGMENT_COUNT_MAX = 65536, MESSAGE_BYTES_MAX = 16 << 20 };

/* The app's bytes of a connection. */
struct echo {
	struct wr_buf message;
	bool is_text;
};

static struct {
	struct wr_allocator allocator;
	struct wr_reactor reactor;
	struct wr_http_server *server;
	struct wr_ws_group *group;
	uint32_t message_bytes_max, fragment_count_max;
} daemon_state;

/* ---- messages ---- */

static bool on_message(void *context, struct wr_ws_conn *conn, bool is_text)
{
	struct echo *echo = wr_ws_conn_app(conn);

	(void)context;
	echo->is_text = is_text;
	return true;
}

static void send_back(struct wr_ws_conn *conn, struct echo *echo)
{
	struct wr_ws_frame_header header = {.payload_bytes = echo->message.bytes,
					    .opcode = echo->is_text ? WR_WS_OPCODE_TEXT
								    : WR_WS_OPCODE_BINARY,
					    .is_final = true};
	uint8_t head[WR_WS_FRAME_HEADER_BYTES_MAX];
	struct iovec parts[2] = {{head, wr_ws_frame_header_encode(head, &header)},
				 {echo->message.data, echo->message.bytes}};

	if (wr_ws_conn_send(conn, parts, echo->message.bytes == 0 ? 1 : 2) != WR_OK)
		wr_ws_conn_abort(conn);
	wr_buf_deinit(&echo->message);
}

static void on_data(void *context, struct wr_ws_conn *conn, struct wr_view data, bool is_end)
{
	struct echo *echo = wr_ws_conn_app(conn);

	(void)context;
	if (wr_buf_append_view(&echo->message, data) != WR_OK)
		wr_ws_conn_close(conn, 1011, WR_VIEW_NULL);
	else if (is_end)
		send_back(conn, echo);
}

static void on_writable(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	(void)conn;
}

static void on_end(void *context, struct wr_ws_conn *conn)
{
	struct echo *echo = wr_ws_conn_app(conn);

	(void)context;
	wr_buf_deinit(&echo->message);
}

/* ---- requests ---- */

static void on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_ws_conn *conn;
	struct echo *echo;

	(void)context;
	if (wr_ws_handshake_check(exchange->head) != WR_WS_HANDSHAKE_OK) {
		wr_http_answer_field(exchange, WR_VIEW("Sec-WebSocket-Version"), WR_VIEW("13"));
		wr_http_answer(exchange, 426, WR_VIEW_NULL);
		return;
	}
	conn = wr_ws_conn_accept(daemon_state.group, exchange, WR_VIEW_NULL);
	if (conn == NULL)
		return;
	echo = wr_ws_conn_app(conn);
	wr_buf_init(&echo->message, &daemon_state.allocator, daemon_state.message_bytes_max);
}

static void on_request(void *context, struct wr_http_exchange *exchange, struct wr_view body)
{
	(void)context;
	(void)exchange;
	(void)body;
	wr_unreachable(); /* each head is answered */
}

static void on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	(void)exchange;
}

static void on_fault(void *context, struct wr_buf *body, unsigned status,
		     enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context;
	(void)body;
	(void)status;
	(void)kind;
	(void)fault;
}

/* ---- the process ---- */

static void on_signal(void *context, int number)
{
	(void)context;
	(void)number;
	wr_reactor_stop(&daemon_state.reactor);
}

static enum wr_status open_server(const struct wr_address *address, struct wr_error *error)
{
	static const struct wr_http_app http_app = {NULL, on_head, on_request, on_abandon,
						    on_fault};
	static const struct wr_ws_app ws_app = {.app_bytes = sizeof(struct echo),
						.on_message = on_message,
						.on_data = on_data,
						.on_writable = on_writable,
						.on_end = on_end};
	static const int signals[] = {SIGTERM, SIGINT, 0};
	struct wr_http_server_config http_config;
	struct wr_ws_config ws_config;

	wr_http_server_defaults(&http_config);
	wr_ws_defaults(&ws_config);
	ws_config.message_bytes_max = daemon_state.message_bytes_max;
	ws_config.fragment_count_max = daemon_state.fragment_count_max;
	ws_config.control_per_minute_max = UINT32_MAX;
	/* While an echo waits no more is read than lies in the receive buffer; that may be the end
	 * of one message and many small ones. */
	ws_config.queued_bytes_max = 2 * ((size_t)daemon_state.message_bytes_max + (1u << 20));
	if (wr_reactor_init(&daemon_state.reactor, &daemon_state.allocator, error) != WR_OK)
		return error->status;
	if (wr_signals_open(&daemon_state.reactor, signals, on_signal, NULL, error) != WR_OK)
		return error->status;
	daemon_state.server = wr_http_server_new(&daemon_state.reactor, &daemon_state.allocator,
						 &http_config, &http_app, address, error);
	if (daemon_state.server == NULL)
		return error->status;
	return wr_ws_group_new(&daemon_state.group, &daemon_state.reactor, &daemon_state.allocator,
			       daemon_state.server, &ws_config, &ws_app);
}

static int serve(const struct wr_address *address)
{
	char text[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_error error = {.status = WR_OK};
	enum wr_status status = open_server(address, &error);

	if (status != WR_OK) {
		fprintf(stderr, "wsechod: %s: %s (%d)\n",
			error.detail == NULL ? "start" : error.detail, wr_status_text(status),
			error.os_error);
		return 1;
	}
	wr_address_format(text, wr_http_server_address(daemon_state.server));
	printf("listening on %s\n", text);
	fflush(stdout);
	wr_reactor_run(&daemon_state.reactor);
	wr_ws_group_free(daemon_state.group);
	wr_http_server_free(daemon_state.server);
	wr_signals_close();
	wr_reactor_deinit(&daemon_state.reactor);
	return daemon_state.allocator.used == 0 ? 0 : 1;
}

static bool parse_number(uint32_t *number, const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = (uint32_t)value;
	return *text >= '0' && *text <= '9' && *end == '\0' && value <= max;
}

int main(int argc, char **argv)
{
	struct wr_address address;
	bool has_address = false, has_size = false, is_right = argc % 2 == 1;

	wr_memory_init(&daemon_state.allocator, SIZE_MAX);
	daemon_state.fragment_count_max = FRAGMENT_COUNT_MAX;
	for (int i = 1; is_right && i + 1 < argc; i += 2) {
		struct wr_view option = wr_view_of_string(argv[i]);
		if (wr_view_equal(option, WR_VIEW("--bind")))
			is_right = has_address =
				wr_address_parse(&address, wr_view_of_string(argv[i + 1])) == WR_OK;
		else if (wr_view_equal(option, WR_VIEW("--max-message")))
			is_right = has_size = parse_number(&daemon_state.message_bytes_max,
							   argv[i + 1], MESSAGE_BYTES_MAX);
		else if (wr_view_equal(option, WR_VIEW("--max-fragments")))
			is_right = parse_number(&daemon_state.fragment_count_max, argv[i + 1],
						FRAGMENT_COUNT_MAX);
		else
			is_right = false;
	}
	if (!is_right || !has_address || !has_size || daemon_state.message_bytes_max == 0) {
		fprintf(stderr,
			"usage: wsechod --bind ADDR --max-message BYTES [--max-fragments N]\n"
			"       (at most %u bytes, %u fragments)\n",
			(unsigned)MESSAGE_BYTES_MAX, (unsigned)FRAGMENT_COUNT_MAX);
		return 2;
	}
	return serve(&address);
}
