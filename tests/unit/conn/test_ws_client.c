/*
 * Goal: whatever a server says, and however its bytes are cut, a client's owner is told exactly
 * that, once; what the client says is legal; its owner may do anything from within. Method: a
 * scripted server on loopback in the same thread, which checks every frame that comes with our
 * receiver in the server role.
 */
#include "check.h"
#include "codec/ws/handshake.h"
#include "conn/ws_client.h"
#include "harness/harness.h"
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RIG_TLS: over TLS, by a relay that the tests do not see. */
#ifdef RIG_TLS
#include "unit/conn/relay.h"
#else
#define RIG_TLS 0
#endif

#define GOOD                                        \
	"HTTP/1.1 101 Switching Protocols\r\n"      \
	"Upgrade: websocket\r\nConnection: Upgrade" \
	"\r\nSec-WebSocket-Accept: @\r\n\r\n"
#define BYTES(literal) WR_VIEW_INIT(literal)

/* ---- a log of what was said: t(text) b(binary) P[ping] p[pong] C[close] ---- */

struct text {
	char bytes[1 << 16];
	size_t count;
};

static void note(struct text *self, struct wr_view bytes)
{
	CHECK(bytes.bytes <= sizeof self->bytes - self->count);
	if (bytes.bytes != 0)
		memcpy(self->bytes + self->count, bytes.data, bytes.bytes);
	self->count += bytes.bytes;
}

static struct wr_view text_view(const struct text *self)
{
	return wr_view_of(self->bytes, self->count);
}

/* ---- the server ---- */

static struct {
	int listener, fd;
	struct sockaddr_in address;
	const char *answer;    /* @ stands for the accept value, ! for a wrong one */
	struct wr_view frames; /* behind the answer */
	size_t step;	       /* bytes per send; 0: all */
	size_t cut;	       /* ends its side after so many bytes */
	size_t read_bytes_max; /* of frames, per turn; 0: deaf */
	bool ends;	       /* its side after the script */
	bool ignores_close, leaves_tcp_open, answers_pings;
	unsigned accepted, pings;
	char request[8192];
	size_t request_bytes;
	bool has_request, has_ended, has_closed;
	char script[1 << 16];
	size_t script_bytes, sent;
	struct wr_ws_receiver receiver;
	char in[1 << 16];
	size_t in_bytes;
	bool is_in_message;
	struct text log;
	unsigned messages;
	uint64_t message_bytes; /* in all */
	bool is_counting; /* messages are not logged: each byte is the low byte of its position */
} server;

static void open_server(void)
{
	int bytes = 4096;
	socklen_t address_bytes = sizeof server.address;

	server.listener = wr_descriptor_socket(AF_INET);
	server.fd = -1;
	server.address =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	CHECK(setsockopt(server.listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
	CHECK(bind(server.listener, (struct sockaddr *)&server.address, address_bytes) == 0);
	CHECK(listen(server.listener, 16) == 0);
	CHECK(getsockname(server.listener, (struct sockaddr *)&server.address, &address_bytes) ==
	      0);
}

static void end_side(void)
{
	if (!server.has_ended)
		(void)shutdown(server.fd, SHUT_WR);
	server.has_ended = true;
}

static void close_server_side(void)
{
	if (server.fd >= 0)
		close(server.fd);
	server.fd = -1;
}

/* What the next connection gets. */
static void script(const char *answer, struct wr_view frames)
{
	close_server_side();
	server.answer = answer;
	server.frames = frames;
	server.step = 0;
	server.cut = SIZE_MAX;
	server.read_bytes_max = SIZE_MAX;
	server.ends = server.ignores_close = server.leaves_tcp_open = server.answers_pings = false;
	server.log.count = 0;
	server.messages = server.pings = 0;
	server.message_bytes = 0;
	server.is_counting = false;
}

static void accept_one(void)
{
	int fd = wr_descriptor_accept(server.listener, NULL, NULL);

#if RIG_TLS
	if (fd >= 0) {
		fd = relay_over(fd, true, 0);
		CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	}
#endif
	if (fd < 0)
		return;
	close_server_side();
	server.fd = fd;
	server.accepted++;
	server.request_bytes = server.sent = server.in_bytes = 0;
	server.has_request = server.has_ended = server.has_closed = server.is_in_message = false;
	wr_ws_receiver_init(&server.receiver, WR_WS_ROLE_SERVER, UINT32_MAX, UINT32_MAX);
}

static void write_script(void)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	const char *key = strstr(server.request, name);
	char accept_value[WR_WS_ACCEPT_BYTES];

	CHECK(key != NULL);
	wr_ws_accept_key(accept_value, wr_view_of(key + sizeof name - 1, WR_WS_KEY_BYTES));
	server.script_bytes = 0;
	for (const char *at = server.answer; *at != '\0'; at++) {
		if (*at != '@' && *at != '!') {
			server.script[server.script_bytes++] = *at;
			continue;
		}
		memcpy(server.script + server.script_bytes, accept_value, sizeof accept_value);
		if (*at == '!')
			server.script[server.script_bytes] ^= 1;
		server.script_bytes += sizeof accept_value;
	}
	CHECK(server.frames.bytes <= sizeof server.script - server.script_bytes);
	if (server.frames.bytes != 0)
		memcpy(server.script + server.script_bytes, server.frames.data,
		       server.frames.bytes);
	server.script_bytes += server.frames.bytes;
}

/* -1: the client has gone. */
static ssize_t receive(char *to, size_t room)
{
	ssize_t got = recv(server.fd, to, room, MSG_DONTWAIT);

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got > 0)
		return got;
	close_server_side();
	return -1;
}

static void read_request(void)
{
	ssize_t got = receive(server.request + server.request_bytes,
			      sizeof server.request - 1 - server.request_bytes);

	if (got <= 0)
		return;
	server.request_bytes += (size_t)got;
	server.request[server.request_bytes] = '\0';
	if (strstr(server.request, "\r\n\r\n") == NULL || server.answer == NULL)
		return;
	server.has_request = true;
	write_script();
}

static void say(struct wr_view bytes)
{
	CHECK(send(server.fd, bytes.data, bytes.bytes, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	      (ssize_t)bytes.bytes);
}

static void send_some(void)
{
	size_t end = server.script_bytes < server.cut ? server.script_bytes : server.cut;
	size_t bytes = end - server.sent;

	if (server.step != 0 && bytes > server.step)
		bytes = server.step;
	if (bytes != 0 && !server.has_ended) {
		ssize_t sent = send(server.fd, server.script + server.sent, bytes,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		server.sent = sent < 0 ? end : server.sent + (size_t)sent; /* gone: reading tells */
	}
	if (server.sent == end && (server.ends || server.cut != SIZE_MAX))
		end_side();
}

static void take_message(const struct wr_ws_result *result)
{
	if (server.is_counting) {
		for (size_t i = 0; i < result->data.bytes; i++)
			CHECK(result->data.data[i] == (char)(server.message_bytes + i));
	} else {
		if (!server.is_in_message)
			note(&server.log, result->is_text ? WR_VIEW("t(") : WR_VIEW("b("));
		note(&server.log, result->data);
		if (result->is_message_end)
			note(&server.log, WR_VIEW(")"));
	}
	server.is_in_message = !result->is_message_end;
	server.message_bytes += result->data.bytes;
	server.messages += result->is_message_end;
}

static void take_close(const struct wr_ws_result *result)
{
	static const char echo[] = {(char)0x88, 2, 3, (char)0xe8};
	char text[16];
	int bytes = result->close_code == 1005
			    ? snprintf(text, sizeof text, "C[]")
			    : snprintf(text, sizeof text, "C[%u]", (unsigned)result->close_code);

	note(&server.log, wr_view_of(text, (size_t)bytes));
	server.has_closed = true;
	if (server.ignores_close)
		return;
	if (!server.has_ended && server.frames.bytes == 0)
		say(wr_view_of(echo, sizeof echo));
	if (!server.leaves_tcp_open)
		end_side();
}

static void take_event(const struct wr_ws_result *result)
{
	switch (result->event) {
	case WR_WS_EVENT_NONE:
	case WR_WS_EVENT_FRAME:
		return;
	case WR_WS_EVENT_DATA:
		take_message(result);
		return;
	case WR_WS_EVENT_PING:
		server.pings++;
		note(&server.log, WR_VIEW("P[]"));
		if (server.answers_pings)
			say(WR_VIEW("\x8a\0"));
		return;
	case WR_WS_EVENT_PONG:
		note(&server.log, WR_VIEW("p["));
		note(&server.log, result->data);
		note(&server.log, WR_VIEW("]"));
		return;
	case WR_WS_EVENT_CLOSE:
		take_close(result);
		return;
	}
}

static void read_frames(void)
{
	size_t room = sizeof server.in - server.in_bytes, at = 0;
	struct wr_ws_result result;
	ssize_t got;

	if (room > server.read_bytes_max)
		room = server.read_bytes_max;
	got = room == 0 ? 0 : receive(server.in + server.in_bytes, room);
	if (got <= 0)
		return;
	CHECK(!server.has_closed); /* RFC 6455 5.5.1: nothing comes behind a Close */
	server.in_bytes += (size_t)got;
	do {
		size_t used;
		CHECK_STATUS(wr_ws_receiver_feed(&server.receiver, &result, &used, server.in + at,
						 server.in_bytes - at),
			     WR_OK);
		at += used;
		CHECK(result.event != WR_WS_EVENT_CLOSE || at == server.in_bytes);
		take_event(&result);
	} while (result.event != WR_WS_EVENT_NONE);
	server.in_bytes -= at;
	memmove(server.in, server.in + at, server.in_bytes);
}

static void turn_server(void)
{
	accept_one();
	if (server.fd < 0)
		return;
	if (!server.has_request) {
		read_request();
		return;
	}
	send_some();
	read_frames();
}

/* ---- the client ---- */

enum action { NOTHING, SEND, CLOSE, ABORT, REOPEN, CLOSE_AND_ABORT, CLOSE_AND_REOPEN };

static struct wr_reactor reactor;
static struct wr_ws_client client;
static struct wr_ws_client_config config;
static struct {
	unsigned opened, ended;
	struct wr_ws_client_end end;
	struct text log;
	bool is_in_message;
	enum action in_open, in_data, in_end; /* done once */
} told;

static void begin(void)
{
	unsigned ended = told.ended;

	CHECK_STATUS(wr_ws_client_open(&client, &reactor, wr_test_allocator(), &config), WR_OK);
	CHECK_U64(told.ended, ended);
}

static void act(enum action *action)
{
	enum action what = *action;

	*action = NOTHING;
	if (what == SEND)
		CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, WR_VIEW("act")), WR_OK);
	if (what == CLOSE || what == CLOSE_AND_ABORT || what == CLOSE_AND_REOPEN)
		wr_ws_client_close(&client, 1000);
	if (what == ABORT || what == REOPEN || what == CLOSE_AND_ABORT || what == CLOSE_AND_REOPEN)
		wr_ws_client_abort(&client);
	if (what == REOPEN || what == CLOSE_AND_REOPEN)
		begin();
}

static void on_open(void *context, struct wr_ws_client *self)
{
	CHECK(context == &told && self == &client && wr_ws_client_is_open(self));
	told.opened++;
	told.is_in_message = false;
	act(&told.in_open);
}

static void on_data(void *context, struct wr_ws_client *self, struct wr_view data, bool is_text,
		    bool is_end)
{
	CHECK(context == &told && self == &client && wr_ws_client_is_open(self));
	if (!told.is_in_message)
		note(&told.log, is_text ? WR_VIEW("t(") : WR_VIEW("b("));
	told.is_in_message = !is_end;
	act(&told.in_data);
	note(&told.log, data); /* after it: the view is still there */
	if (is_end)
		note(&told.log, WR_VIEW(")"));
}

static void on_end(void *context, struct wr_ws_client *self, const struct wr_ws_client_end *end)
{
	CHECK(context == &told && self == &client && !wr_ws_client_is_open(self));
	CHECK_STATUS(wr_ws_client_send(self, WR_WS_OPCODE_TEXT, WR_VIEW("x")), WR_CLOSED);
	told.ended++;
	told.end = *end;
	act(&told.in_end);
}

static void turn(void)
{
	wr_reactor_turn(&reactor, 0);
	turn_server();
}

static void wait_end(void)
{
	while (told.ended == 0)
		turn();
	while (server.fd >= 0 && server.read_bytes_max != 0)
		turn();
	CHECK_U64(told.ended, 1);
}

static void forget(void)
{
	memset(&told, 0, sizeof told);
}

/* One connection, from beginning to end. */
static void go_through(void)
{
	forget();
	server.log.count = 0;
	begin();
	wait_end();
}

static void wait_open(void)
{
	forget();
	begin();
	while (told.opened == 0)
		turn();
}

static void open_rig(void)
{
	struct wr_error error;

	open_server();
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	wr_ws_client_defaults(&config);
	memcpy(&config.address.storage, &server.address, sizeof server.address);
	config.address.bytes = sizeof server.address;
	config.host = WR_VIEW("remote:1");
	config.target = WR_VIEW("/events?from=1");
	config.context = &told;
	config.on_open = on_open;
	config.on_data = on_data;
	config.on_end = on_end;
#if RIG_TLS
	relays_open(&reactor);
	config.tls = relays.client;
	config.tls_name = "localhost";
#endif
}

static void close_rig(void)
{
	wr_ws_client_abort(&client);
	close_server_side();
	CHECK(!wr_timer_is_set(&client.timer) && !client.watch.is_watched);
#if RIG_TLS
	relays_close();
#endif
	wr_reactor_deinit(&reactor);
}

/* ---- the handshake ---- */

struct answer {
	const char *label, *protocol, *text;
	enum wr_status status; /* WR_OK: it opens */
	unsigned http_status;
};

#define WITH(fields)                                                                           \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec" \
	"-WebSocket-Accept: @\r\n" fields "\r\n"

static const struct answer answers[] = {
	{"good", NULL, GOOD, WR_OK, 0},
	{"words in another case", NULL,
	 "HTTP/1.1 101 x\r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n"
	 "sec-websocket-accept: @\r\n\r\n",
	 WR_OK, 0},
	{"more fields", NULL, WITH("Server: x\r\nDate: y\r\n"), WR_OK, 0},
	{"interim before", NULL, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" GOOD, WR_OK, 0},
	{"the protocol asked for", "chat", WITH("Sec-WebSocket-Protocol: chat\r\n"), WR_OK, 0},
	{"no protocol", "chat", GOOD, WR_OK, 0},
	{"another protocol", "chat", WITH("Sec-WebSocket-Protocol: Chat\r\n"), WR_INVALID, 101},
	{"two protocols", "chat", WITH("Sec-WebSocket-Protocol: chat, x\r\n"), WR_INVALID, 101},
	{"an unasked protocol", NULL, WITH("Sec-WebSocket-Protocol: chat\r\n"), WR_INVALID, 101},
	{"an unasked extension", NULL, WITH("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
	 WR_INVALID, 101},
	{"a wrong accept", NULL,
	 "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	 "Sec-WebSocket-Accept: !\r\n\r\n",
	 WR_INVALID, 101},
	{"no accept", NULL, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
	 WR_INVALID, 101},
	{"two accepts", NULL, WITH("Sec-WebSocket-Accept: @\r\n"), WR_SYNTAX, 0},
	{"no upgrade", NULL,
	 "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: @\r\n\r\n", WR_INVALID,
	 101},
	{"another upgrade", NULL,
	 "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	 "@\r\n\r\n",
	 WR_INVALID, 101},
	{"no connection", NULL,
	 "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: @\r\n\r\n", WR_INVALID,
	 101},
	{"HTTP/1.0", NULL,
	 "HTTP/1.0 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	 "Sec-WebSocket-Accept: @\r\n\r\n",
	 WR_INVALID, 101},
	{"200", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", WR_REJECTED, 200},
	{"302", NULL, "HTTP/1.1 302 Found\r\nLocation: ws://x/\r\n\r\n", WR_REJECTED, 302},
	{"401", NULL, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}", WR_REJECTED, 401},
	{"426", NULL, "HTTP/1.1 426 Upgrade Required\r\n\r\n", WR_REJECTED, 426},
	{"503 after interim", NULL,
	 "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n", WR_REJECTED,
	 503},
	{"all fields right but the status", NULL,
	 "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	 "Sec-WebSocket-Accept: @\r\n\r\n",
	 WR_REJECTED, 200},
	{"nine interim ones", NULL,
	 "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\n"
	 "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\n"
	 "HTTP/1.1 103 E\r\n\r\n" GOOD,
	 WR_TOO_LARGE, 0},
	{"not HTTP", NULL, "SSH-2.0-OpenSSH\r\n\r\n", WR_SYNTAX, 0},
	{"HTTP/2", NULL, "HTTP/2.0 101 x\r\n\r\n", WR_UNSUPPORTED, 0},
	{"bare LF", NULL, "HTTP/1.1 101 x\nUpgrade: websocket\n\n", WR_SYNTAX, 0},
	{"a frame without an answer", NULL, "\x81\x05hello\r\n\r\n", WR_SYNTAX, 0},
};

static void use_answer(const struct answer *answer)
{
	wr_test_case(answer->label);
	config.protocol = wr_view_of_string(answer->protocol);
	script(answer->text, WR_VIEW_NULL);
	server.ends = true;
}

static void check_answer(const struct answer *answer)
{
	CHECK_STATUS(told.end.status, answer->status == WR_OK ? WR_CLOSED : answer->status);
	CHECK_U64(told.opened, answer->status == WR_OK);
	CHECK_U64(told.end.http_status, answer->http_status);
	CHECK_U64(told.end.close_code, 0);
	CHECK_U64(server.log.count, 0);
}

static void test_handshakes_are_judged_whole_and_byte_by_byte(void)
{
	open_rig();
	for (size_t i = 0; i < WR_COUNT(answers); i++)
		for (unsigned step = 0; step < 2; step++) {
			use_answer(&answers[i]);
			server.step = step;
			go_through();
			check_answer(&answers[i]);
		}
	close_rig();
}

static void test_a_handshake_that_is_cut_is_never_one(void)
{
	open_rig();
	for (size_t i = 0; i < WR_COUNT(answers); i++)
		for (size_t cut = 0;; cut++) {
			use_answer(&answers[i]);
			server.cut = cut;
			go_through();
			CHECK_U64(server.accepted, 1);
			server.accepted = 0;
			if (cut >= server.script_bytes)
				break;
			CHECK_U64(told.opened, 0);
			if (told.end.status != answers[i].status ||
			    told.end.http_status != answers[i].http_status)
				CHECK_STATUS(told.end.status, WR_CLOSED);
		}
	close_rig();
}

static void test_a_head_over_its_limit_is_refused(void)
{
	static char text[sizeof server.script - 1];

	open_rig();
	snprintf(text, sizeof text, "HTTP/1.1 101 x\r\nX: ");
	memset(text + strlen(text), 'x', 40000);
	script(text, WR_VIEW_NULL);
	go_through();
	CHECK_STATUS(told.end.status, WR_TOO_LARGE);
	close_rig();
}

static void test_the_request_is_what_was_asked_for_with_a_fresh_key(void)
{
	char before[8192];
	const char *key;

	open_rig();
	config.fields = WR_VIEW("Authorization: Bearer x\r\n");
	config.protocol = WR_VIEW("chat");
	script("HTTP/1.1 401 x\r\n\r\n", WR_VIEW_NULL);
	go_through();
	memcpy(before, server.request, sizeof before);
	go_through();
	key = strstr(server.request, "Sec-WebSocket-Key: ");
	CHECK(key != NULL && strcmp(before, server.request) != 0);
	memcpy(before + (key - server.request), key, 19 + WR_WS_KEY_BYTES); /* all but the key */
	CHECK(strcmp(before, server.request) == 0);
	memcpy(server.request + (key - server.request) + 19, "------------------------", 24);
	CHECK_STRING(wr_view_of_string(server.request),
		     "GET /events?from=1 HTTP/1.1\r\nHost: remote:1\r\n"
		     "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		     "Sec-WebSocket-Key: ------------------------\r\n"
		     "Sec-WebSocket-Protocol: chat\r\nAuthorization: Bearer x\r\n\r\n");
	close_rig();
}

static void test_texts_that_do_not_belong_in_a_head_are_refused(void)
{
	static const struct {
		struct wr_view host, target, protocol;
	} cases[] = {
		{BYTES("x\r\nA: b"), BYTES("/"), {NULL, 0}},
		{BYTES("x"), BYTES("/ HTTP/1.1"), {NULL, 0}},
		{BYTES("x"), BYTES("/\n"), {NULL, 0}},
		{BYTES("x"), {NULL, 0}, {NULL, 0}},
		{BYTES("x"), BYTES("/"), BYTES("a\r\nb")},
		{BYTES("x"), BYTES("/\x7f"), {NULL, 0}},
		{BYTES("x\0"), BYTES("/"), {NULL, 0}},
	};
	static char long_target[1 << 20];

	open_rig();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		config.host = cases[i].host;
		config.target = cases[i].target;
		config.protocol = cases[i].protocol;
		CHECK_STATUS(wr_ws_client_open(&client, &reactor, wr_test_allocator(), &config),
			     WR_INVALID);
	}
	memset(long_target, '/', sizeof long_target);
	config.target = wr_view_of(long_target, sizeof long_target);
	config.host = WR_VIEW("x");
	config.protocol = WR_VIEW_NULL;
	config.queued_bytes_max = 1000;
	CHECK_STATUS(wr_ws_client_open(&client, &reactor, wr_test_allocator(), &config),
		     WR_TOO_LARGE);
	CHECK_U64(told.ended, 0);
	close_rig();
}

static void test_nobody_listening_is_told_with_the_reason(void)
{
	open_rig();
	close(server.listener);
	forget();
	begin();
	while (told.ended == 0)
		wr_reactor_turn(&reactor, 10);
	CHECK_STATUS(told.end.status, WR_UNAVAILABLE);
	CHECK_U64((uint64_t)told.end.os_error, ECONNREFUSED);
	/* What fails at once is told likewise, and not as a timeout. */
	CHECK_STATUS(wr_address_parse(&config.address, WR_VIEW("unix:/nonexistent/socket")), WR_OK);
	for (unsigned again = 0; again < 2; again++) {
		forget();
		begin();
		CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, WR_VIEW("")), WR_CLOSED);
		if (again)
			wr_ws_client_close(&client, 1000); /* changes nothing */
		while (told.ended == 0)
			wr_reactor_turn(&reactor, 1000);
		CHECK_STATUS(told.end.status, WR_UNAVAILABLE);
		CHECK_U64((uint64_t)told.end.os_error, ENOENT);
	}
	forget();
	begin();
	wr_ws_client_abort(&client);
	wr_reactor_turn(&reactor, 10);
	CHECK_U64(told.ended, 0);
	close_rig();
}

static void test_a_handshake_has_its_time(void)
{
	open_rig();
	config.open_ms_max = 30;
	script(NULL, WR_VIEW_NULL);
	go_through();
	CHECK_STATUS(told.end.status, WR_TIMEOUT);
	/* Also when it has begun to be answered. */
	script("HTTP/1.1 101 Switching Protocols\r\nUpgrade: web", WR_VIEW_NULL);
	go_through();
	CHECK_STATUS(told.end.status, WR_TIMEOUT);
	CHECK_U64(told.opened, 0);
	close_rig();
}

/* ---- frames ---- */

struct frames {
	const char *label;
	struct wr_view bytes;
	const char *log; /* NULL: depends on how the bytes were cut */
	const char *server_log;
	enum wr_status status;
	unsigned close_code;
};

#define X18 "xxxxxxxxxxxxxxxxxx"
#define X126 X18 X18 X18 X18 X18 X18 X18

static const struct frames frames[] = {
	{"nothing", BYTES(""), "", "", WR_CLOSED, 0},
	{"a text", BYTES("\x81\x05hello"), "t(hello)", "", WR_CLOSED, 0},
	{"a binary", BYTES("\x82\x02\0\xff"), NULL, "", WR_CLOSED, 0},
	{"empty ones", BYTES("\x81\0\x82\0"), "t()b()", "", WR_CLOSED, 0},
	{"a 16-bit length", BYTES("\x81\x7e\0\x7e" X126), "t(" X126 ")", "", WR_CLOSED, 0},
	{"fragments", BYTES("\x01\x03hel\0\0\0\x01l\x80\x01o"), "t(hello)", "", WR_CLOSED, 0},
	{"empty fragments", BYTES("\x02\0\0\0\x80\0"), "b()", "", WR_CLOSED, 0},
	{"a character over fragments", BYTES("\x01\x01\xc3\x80\x01\xa9"), "t(\xc3\xa9)", "",
	 WR_CLOSED, 0},
	{"a ping", BYTES("\x89\x01z"), "", "p[z]", WR_CLOSED, 0},
	{"pings between fragments", BYTES("\x01\x03hel\x89\x01g\x00\x01l\x89\0\x80\x01o"),
	 "t(hello)", "p[g]p[]", WR_CLOSED, 0},
	{"a long ping", BYTES("\x89\x7d" X18 X18 X18 X18 X18 X18 "xxxxxxxxxxxxxxxxx"), "",
	 "p[" X18 X18 X18 X18 X18 X18 "xxxxxxxxxxxxxxxxx]", WR_CLOSED, 0},
	{"pongs nobody asked for", BYTES("\x8a\0\x8a\x01x"), "", "", WR_CLOSED, 0},
	{"a close",
	 BYTES("\x88\x06\x03\xe8"
	       "done"),
	 "", "C[1000]", WR_OK, 1000},
	{"a close without a code", BYTES("\x88\0"), "", "C[]", WR_OK, 1005},
	{"a close of the application", BYTES("\x88\x02\x0b\xb8"), "", "C[3000]", WR_OK, 3000},
	{"the last code", BYTES("\x88\x02\x13\x87"), "", "C[4999]", WR_OK, 4999},
	{"going away in a message", BYTES("\x01\x01x\x88\x02\x03\xe9"), "t(x", "C[1001]", WR_OK,
	 1001},
	{"bytes behind a close", BYTES("\x88\x02\x03\xe8\x81\x01x\xff\xff"), "", "C[1000]", WR_OK,
	 1000},
	{"all of it", BYTES("\x81\x01x\x89\x01z\x82\x01y\x88\x02\x03\xe8"), "t(x)b(y)",
	 "p[z]C[1000]", WR_OK, 1000},
	{"a masked frame", BYTES("\x81\x81\0\0\0\0x"), "", "C[1002]", WR_SYNTAX, 0},
	{"a masked ping", BYTES("\x89\x80\0\0\0\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"a masked close", BYTES("\x88\x80\0\0\0\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"a reserved bit", BYTES("\xc1\x01x"), "", "C[1002]", WR_SYNTAX, 0},
	{"a reserved bit of a ping", BYTES("\xa9\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"a reserved opcode", BYTES("\x83\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"a reserved control opcode", BYTES("\x8b\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"a fragmented ping", BYTES("\x09\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"a ping that is too long", BYTES("\x89\x7e\0\x7e" X126), "", "C[1002]", WR_SYNTAX, 0},
	{"nothing to continue", BYTES("\x80\x01x"), "", "C[1002]", WR_SYNTAX, 0},
	{"a message in a message", BYTES("\x01\x01x\x81\x01y"), "t(x", "C[1002]", WR_SYNTAX, 0},
	{"a long form of a short length", BYTES("\x81\x7e\0\x05hello"), "", "C[1002]", WR_SYNTAX,
	 0},
	{"a negative length", BYTES("\x81\x7f\x80\0\0\0\0\0\0\0"), "", "C[1002]", WR_SYNTAX, 0},
	{"frames behind a failure", BYTES("\x81\x01x\xc1\x01y\x81\x01z\x89\0\x88\0"), "t(x)",
	 "C[1002]", WR_SYNTAX, 0},
	{"a text that is no UTF-8", BYTES("\x81\x02\xc3\x28"), NULL, "C[1007]", WR_ENCODING, 0},
	{"a surrogate", BYTES("\x81\x03\xed\xa0\x80"), NULL, "C[1007]", WR_ENCODING, 0},
	{"half a character", BYTES("\x81\x01\xc3"), NULL, "C[1007]", WR_ENCODING, 0},
	{"a bad character over fragments", BYTES("\x01\x01\xc3\x80\x01\x28"), "t(\xc3", "C[1007]",
	 WR_ENCODING, 0},
	{"a close code of one byte", BYTES("\x88\x01\x03"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 999", BYTES("\x88\x02\x03\xe7"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 1004", BYTES("\x88\x02\x03\xec"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 1005", BYTES("\x88\x02\x03\xed"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 1006", BYTES("\x88\x02\x03\xee"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 1015", BYTES("\x88\x02\x03\xf7"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 2999", BYTES("\x88\x02\x0b\xb7"), "", "C[1002]", WR_SYNTAX, 0},
	{"close code 5000", BYTES("\x88\x02\x13\x88"), "", "C[1002]", WR_SYNTAX, 0},
	{"a reason that is no UTF-8", BYTES("\x88\x03\x03\xe8\xff"), "", "C[1007]", WR_ENCODING, 0},
	{"over 16 MiB", BYTES("\x82\x7f\0\0\0\0\x01\0\0\x01"), "", "C[1009]", WR_TOO_LARGE, 0},
	{"over 16 MiB in fragments", BYTES("\x02\x01x\x80\x7f\0\0\0\0\x01\0\0\0"), "b(x", "C[1009]",
	 WR_TOO_LARGE, 0},
	{"over all", BYTES("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), "", "C[1009]", WR_TOO_LARGE,
	 0},
};

static void use_frames(const struct frames *row)
{
	wr_test_case(row->label);
	script(GOOD, row->bytes);
	/* Else its side ends when our Close came. */
	server.ends = row->status == WR_CLOSED;
}

static void test_frames_are_understood_whole_and_byte_by_byte(void)
{
	open_rig();
	for (size_t i = 0; i < WR_COUNT(frames); i++)
		for (unsigned step = 0; step < 2; step++) {
			use_frames(&frames[i]);
			server.step = step;
			go_through();
			CHECK_U64(told.opened, 1);
			CHECK_STATUS(told.end.status, frames[i].status);
			CHECK_U64(told.end.close_code, frames[i].close_code);
			CHECK_STRING(text_view(&server.log), frames[i].server_log);
			if (frames[i].log != NULL)
				CHECK_STRING(text_view(&told.log), frames[i].log);
		}
	close_rig();
}

/* What was understood is a beginning of the whole, and an end without a Close is said to be one. */
static void test_frames_that_are_cut_are_never_more_than_what_came(void)
{
	open_rig();
	for (size_t i = 0; i < WR_COUNT(frames); i++) {
		size_t answer_bytes = strlen(GOOD) - 1 + WR_WS_ACCEPT_BYTES;
		for (size_t cut = 0; cut <= frames[i].bytes.bytes; cut++) {
			bool is_whole;
			use_frames(&frames[i]);
			server.cut = answer_bytes + cut;
			go_through();
			is_whole = told.end.status == frames[i].status;
			CHECK_U64(told.opened, 1);
			if (!is_whole)
				CHECK_STATUS(told.end.status, WR_CLOSED);
			CHECK(is_whole || cut < frames[i].bytes.bytes);
			CHECK(told.end.close_code == (is_whole ? frames[i].close_code : 0));
			if (frames[i].log != NULL)
				CHECK(wr_view_starts(wr_view_of_string(frames[i].log),
						     text_view(&told.log)));
			CHECK(wr_view_starts(wr_view_of_string(frames[i].server_log),
					     text_view(&server.log)));
		}
	}
	close_rig();
}

static void test_too_many_fragments_are_refused(void)
{
	open_rig();
	config.fragment_count_max = 3;
	script(GOOD, WR_VIEW("\x01\x01x\0\x01x\x80\x01x\x01\0\0\0\0\0\0\0"));
	go_through();
	CHECK_STATUS(told.end.status, WR_TOO_LARGE);
	CHECK_STRING(text_view(&told.log), "t(xxx)");
	CHECK_STRING(text_view(&server.log), "C[1009]");
	close_rig();
}

static void test_a_failure_is_told_and_then_waits_for_the_server_but_not_for_ever(void)
{
	uint64_t begun;

	open_rig();
	script(GOOD, WR_VIEW("\xff\xff\xff"));
	server.ignores_close = true; /* it ends when we have ended our side */
	begun = reactor.now_ms;
	go_through();
	CHECK_STATUS(told.end.status, WR_SYNTAX);
	CHECK_STRING(text_view(&server.log), "C[1002]");
	CHECK(reactor.now_ms < begun + config.close_ms_max);
	server.read_bytes_max = 0;
	config.close_ms_max = 30;
	go_through();
	CHECK_STATUS(told.end.status, WR_SYNTAX);
	close_rig();
}

/* ---- output ---- */

static void test_messages_leave_as_they_are_each_with_its_own_mask(void)
{
	static char large[70000];
	static const struct {
		enum wr_ws_opcode opcode;
		struct wr_view payload;
	} sent[] = {
		{WR_WS_OPCODE_TEXT, BYTES("")},
		{WR_WS_OPCODE_TEXT, BYTES("gr\xc3\xbc\xc3\x9f")},
		{WR_WS_OPCODE_BINARY, BYTES("\xff\xfe")},
		{WR_WS_OPCODE_PING, BYTES("")},
		{WR_WS_OPCODE_PONG, BYTES("mine")},
		{WR_WS_OPCODE_TEXT, BYTES(X126)},
	};
	uint8_t masks[3][4];

	open_rig();
	script(GOOD, WR_VIEW_NULL);
	CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, WR_VIEW("x")), WR_CLOSED);
	wait_open();
	for (size_t i = 0; i < WR_COUNT(sent); i++)
		CHECK_STATUS(wr_ws_client_send(&client, sent[i].opcode, sent[i].payload), WR_OK);
	while (server.messages < 4)
		turn();
	CHECK_STRING(text_view(&server.log),
		     "t()t(gr\xc3\xbc\xc3\x9f)b(\xff\xfe)P[]p[mine]t(" X126 ")");
	server.is_counting = true;
	server.message_bytes = 0;
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (char)i;
	CHECK_STATUS(
		wr_ws_client_send(&client, WR_WS_OPCODE_BINARY, wr_view_of(large, sizeof large)),
		WR_OK);
	while (server.messages < 5)
		turn();
	CHECK_U64(server.message_bytes, sizeof large);
	for (unsigned i = 0; i < WR_COUNT(masks); i++) { /* as they stand on the wire */
		char frame[7];
		CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, WR_VIEW("x")), WR_OK);
		while (recv(server.fd, frame, sizeof frame, MSG_DONTWAIT) != sizeof frame)
			wr_reactor_turn(&reactor, 0);
		CHECK(frame[0] == (char)0x81 && frame[1] == (char)0x81);
		memcpy(masks[i], frame + 2, 4);
	}
	CHECK(memcmp(masks[0], masks[1], 4) != 0 || memcmp(masks[1], masks[2], 4) != 0);
	close_rig();
}

static void shrink_send_buffer(void)
{
	int bytes = 4096;

	CHECK(setsockopt(client.stream.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
}

/* Sends until no more is taken; returns the bytes that were. */
static uint64_t fill(uint64_t position, size_t step)
{
	static char bytes[4096];
	enum wr_status status = WR_OK;

	CHECK(step <= sizeof bytes);
	while (status == WR_OK) {
		for (size_t i = 0; i < step; i++)
			bytes[i] = (char)(position + i);
		status = wr_ws_client_send(&client, WR_WS_OPCODE_BINARY, wr_view_of(bytes, step));
		position += status == WR_OK ? step : 0;
	}
	CHECK_STATUS(status, WR_TOO_LARGE);
	return position;
}

static void test_a_server_that_does_not_read_fills_a_bounded_queue_and_is_left_in_time(void)
{
	size_t used;

	open_rig();
	config.queued_bytes_max = 50000;
	config.send_ms_max = 40;
	script(GOOD, WR_VIEW_NULL);
	server.read_bytes_max = 0;
	wait_open();
	shrink_send_buffer();
	used = wr_test_allocator()->used;
	fill(0, 4000);
	CHECK(wr_test_allocator()->used < used + 3 * config.queued_bytes_max);
	CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, wr_view_of("", 0)), WR_OK);
	wait_end();
	CHECK_STATUS(told.end.status, WR_TIMEOUT);
	/* One frame over the limit is refused also when nothing waits. */
	script(GOOD, WR_VIEW_NULL);
	config.queued_bytes_max = 107;
	wait_open();
	CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, wr_view_of(X126, 102)),
		     WR_TOO_LARGE);
	CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, wr_view_of(X126, 101)), WR_OK);
	while (server.messages == 0)
		turn();
	close_rig();
}

static void test_a_slow_server_gets_everything_in_order(void)
{
	uint64_t position = 0, seed = wr_test_seed(), begun;
	size_t used;

	open_rig();
	config.queued_bytes_max = 50000;
	config.send_ms_max = 800; /* without progress, which there is */
	script(GOOD, WR_VIEW_NULL);
	server.is_counting = true;
	wait_open();
	shrink_send_buffer();
	used = wr_test_allocator()->used;
	begun = reactor.now_ms;
	while (position < 3000000 || reactor.now_ms < begun + 2 * config.send_ms_max) {
		server.read_bytes_max = (size_t)(wr_test_random(&seed) % 9000);
		position = fill(position, (size_t)(wr_test_random(&seed) % 4000 + 1));
		CHECK(wr_test_allocator()->used < used + 3 * config.queued_bytes_max);
		turn();
	}
	server.read_bytes_max = SIZE_MAX;
	while (server.message_bytes < position)
		turn();
	CHECK_U64(told.ended, 0);
	CHECK(wr_test_allocator()->used <= used + 16384); /* what is empty gives memory back */
	wr_ws_client_close(&client, 1000);
	wait_end();
	CHECK_STATUS(told.end.status, WR_OK);
	close_rig();
}

static void test_only_the_newest_ping_that_waits_is_answered_and_messages_do_not_delay_it(void)
{
	uint64_t position;
	unsigned messages = 0;

	open_rig();
	config.queued_bytes_max = 50000;
	script(GOOD, WR_VIEW_NULL);
	server.is_counting = true;
	server.read_bytes_max = 0;
	wait_open();
	shrink_send_buffer();
	position = fill(0, 1000);
	say(WR_VIEW("\x89\x01"
		    "1\x89\x03two\x89\x01"
		    "3"));
	turn();
	/* Messages go on behind it. */
	server.read_bytes_max = 2000;
	while (server.log.count == 0) {
		position = fill(position, 1000);
		say(WR_VIEW("\x89\x01"
			    "3"));
		turn();
		messages = server.messages;
	}
	CHECK(messages < 10000);
	server.read_bytes_max = SIZE_MAX;
	while (server.message_bytes < position)
		turn();
	for (size_t i = 0; i < server.log.count; i++)
		CHECK(server.log.bytes[i] == "p[3]"[i % 4]);
	close_rig();
}

/* Pongs and a Close behind a full queue that is cut anywhere: all frames arrive whole. */
static void test_control_frames_find_room_when_the_queue_is_full(void)
{
	uint64_t position, seed = wr_test_seed();

	open_rig();
	config.queued_bytes_max = 20000;
	for (unsigned round = 0; round < 40; round++) {
		script(GOOD, WR_VIEW_NULL);
		server.is_counting = true;
		server.read_bytes_max = 0;
		wait_open();
		shrink_send_buffer();
		position = fill(0, (size_t)(wr_test_random(&seed) % 3000 + 500));
		for (unsigned i = 0; i < 50; i++) {
			server.read_bytes_max = (size_t)(wr_test_random(&seed) % 700);
			if (server.read_bytes_max % 4 == 0)
				position = fill(position, (size_t)(wr_test_random(&seed) % 99 + 1));
			say(WR_VIEW("\x89\x05hello"));
			turn();
		}
		position = fill(position, 1);
		wr_ws_client_close(&client, 1001);
		server.read_bytes_max = SIZE_MAX;
		wait_end();
		CHECK_STATUS(told.end.status, WR_OK);
		CHECK_U64(server.message_bytes, position);
		CHECK_STRING(wr_view_skip(text_view(&server.log), server.log.count - 7), "C[1001]");
		CHECK(wr_view_starts(text_view(&server.log), WR_VIEW("p[hello]")));
	}
	close_rig();
}

/* ---- closing ---- */

struct closing {
	const char *label;
	unsigned code;
	bool ignores_close, leaves_tcp_open, ends;
	enum wr_status status;
	unsigned close_code;
	const char *server_log;
};

static const struct closing closings[] = {
	{"both ways", 1000, false, false, false, WR_OK, 1000, "C[1000]"},
	{"without a code", 0, false, false, false, WR_OK, 1000, "C[]"},
	{"1005 is none", 1005, false, false, false, WR_OK, 1000, "C[]"},
	{"of the application", 4000, false, false, false, WR_OK, 1000, "C[4000]"},
	{"a server that leaves TCP to us", 1000, false, true, false, WR_OK, 1000, "C[1000]"},
	{"a server that does not answer", 1000, true, false, false, WR_TIMEOUT, 0, "C[1000]"},
	{"a server that ends TCP instead", 1000, true, false, true, WR_CLOSED, 0, "C[1000]"},
};

static void test_our_close_is_answered_or_ends_in_time(void)
{
	open_rig();
	for (size_t i = 0; i < WR_COUNT(closings); i++) {
		const struct closing *row = &closings[i];
		bool waits = row->leaves_tcp_open || row->status == WR_TIMEOUT;
		wr_test_case(row->label);
		config.close_ms_max = waits ? 200 : 5000;
		script(GOOD, WR_VIEW_NULL);
		server.ignores_close = row->ignores_close;
		server.leaves_tcp_open = row->leaves_tcp_open;
		wait_open();
		wr_ws_client_close(&client, row->code);
		wr_ws_client_close(&client, 1001); /* does nothing */
		CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, WR_VIEW("x")),
			     WR_CLOSED);
		CHECK(!wr_ws_client_is_open(&client) && told.ended == 0);
		server.ends = row->ends;
		wait_end();
		CHECK_STATUS(told.end.status, row->status);
		CHECK_U64(told.end.close_code, row->close_code);
		CHECK_STRING(text_view(&server.log), row->server_log);
	}
	close_rig();
}

static void test_what_comes_after_our_close_is_not_handed_on(void)
{
	uint64_t begun;

	open_rig();
	begun = reactor.now_ms;
	script(GOOD, WR_VIEW("\x81\x01x\x81\x01y\x89\x01z\x88\x02\x03\xe9"));
	forget();
	told.in_data = CLOSE;
	begin();
	wait_end();
	CHECK_STRING(text_view(&told.log), "t(x)");
	CHECK_STRING(text_view(&server.log), "C[1000]");
	CHECK_STATUS(told.end.status, WR_OK);
	CHECK_U64(told.end.close_code, 1001);
	/* A breach after it is still one. */
	script(GOOD, WR_VIEW("\x81\x01x\x81\x01y\xff\xff"));
	server.ignores_close = true;
	forget();
	told.in_data = CLOSE;
	begin();
	wait_end();
	CHECK_STATUS(told.end.status, WR_SYNTAX);
	CHECK_STRING(text_view(&server.log), "C[1000]");
	CHECK(reactor.now_ms < begun + config.close_ms_max);
	close_rig();
}

static void test_a_close_before_it_is_open_ends_it(void)
{
	open_rig();
	for (unsigned turns = 0; turns < 3; turns++) {
		script(NULL, WR_VIEW_NULL);
		forget();
		begin();
		for (unsigned i = 0; i < turns; i++)
			turn();
		wr_ws_client_close(&client, 1000);
		wr_ws_client_close(&client, 1000);
		CHECK_U64(told.ended, 0);
		wait_end();
		CHECK_STATUS(told.end.status, WR_CLOSED);
		CHECK_U64(told.opened, 0);
	}
	close_rig();
}

/* ---- silence ---- */

static void test_silence_gets_a_ping_and_then_the_end(void)
{
	uint64_t begun;

	open_rig();
	config.ping_ms = 30;
	config.pong_ms_max = 20;
	script(GOOD, WR_VIEW_NULL);
	wait_open();
	begun = reactor.now_ms;
	wait_end();
	CHECK_STATUS(told.end.status, WR_TIMEOUT);
	CHECK_U64(told.end.close_code, 0);
	CHECK_STRING(text_view(&server.log), "P[]");
	CHECK(reactor.now_ms - begun >= 50);
	close_rig();
}

static void test_a_pong_or_anything_else_keeps_it_alive(void)
{
	uint64_t begun;

	open_rig();
	config.ping_ms = 20;
	config.pong_ms_max = 5000;
	script(GOOD, WR_VIEW_NULL);
	server.answers_pings = true;
	wait_open();
	begun = reactor.now_ms;
	while (server.pings < 4 && told.ended == 0)
		turn();
	CHECK_U64(told.ended, 0);
	CHECK(reactor.now_ms >= begun + 80 && reactor.now_ms < begun + 4000);
	/* Whoever speaks is not pinged. */
	config.ping_ms = 200;
	wr_ws_client_abort(&client);
	script(GOOD, WR_VIEW_NULL);
	wait_open();
	begun = reactor.now_ms;
	for (uint64_t said = begun; reactor.now_ms < begun + 500; turn())
		if (reactor.now_ms >= said + 5) {
			said = reactor.now_ms;
			say(WR_VIEW("\x8a\0"));
		}
	CHECK_U64(server.pings, 0);
	CHECK_U64(told.ended, 0);
	close_rig();
}

/* While output waits it need not have seen the ping: its time begins when all has left. */
static void test_a_server_that_reads_late_is_not_late_with_its_pong(void)
{
	uint64_t begun;

	open_rig();
	config.ping_ms = 20;
	config.pong_ms_max = 300;
	script(GOOD, WR_VIEW_NULL);
	server.is_counting = true;
	server.read_bytes_max = 0;
	wait_open();
	shrink_send_buffer();
	while (!client.is_pinged)
		turn();
	fill(0, 4000);
	for (begun = reactor.now_ms; reactor.now_ms < begun + 400;)
		turn();
	server.read_bytes_max = SIZE_MAX;
	while (client.is_waiting)
		turn();
	CHECK_U64(told.ended, 0);
	begun = reactor.now_ms;
	wait_end();
	CHECK_STATUS(told.end.status, WR_TIMEOUT);
	CHECK(reactor.now_ms >= begun + 300);
	close_rig();
}

/* ---- from within ---- */

struct within {
	const char *label;
	enum action in_open, in_data, in_end;
	unsigned opened, ended;
	const char *log, *server_log;
};

static const struct within withins[] = {
	{"nothing", NOTHING, NOTHING, NOTHING, 1, 1, "t(one)t(two)", "C[1000]"},
	{"send in open", SEND, NOTHING, NOTHING, 1, 1, "t(one)t(two)", "t(act)C[1000]"},
	{"send in data", NOTHING, SEND, NOTHING, 1, 1, "t(one)t(two)", "t(act)C[1000]"},
	{"close in open", CLOSE, NOTHING, NOTHING, 1, 1, "", "C[1000]"},
	{"close in data", NOTHING, CLOSE, NOTHING, 1, 1, "t(one)", "C[1000]"},
	{"abort in open", ABORT, NOTHING, NOTHING, 1, 0, "", ""},
	{"abort in data", NOTHING, ABORT, NOTHING, 1, 0, "t(one)", ""},
	{"abort in end", NOTHING, NOTHING, ABORT, 1, 1, "t(one)t(two)", "C[1000]"},
	{"close in end", NOTHING, NOTHING, CLOSE, 1, 1, "t(one)t(two)", "C[1000]"},
	{"close and abort in open", CLOSE_AND_ABORT, NOTHING, NOTHING, 1, 0, "", NULL},
	{"close and abort in data", NOTHING, CLOSE_AND_ABORT, NOTHING, 1, 0, "t(one)", NULL},
	{"reopen in open", REOPEN, NOTHING, NOTHING, 2, 1, "t(one)t(two)", "C[1000]"},
	{"reopen in data", NOTHING, REOPEN, NOTHING, 2, 1, "t(one)t(one)t(two)", "C[1000]"},
	{"reopen in end", NOTHING, NOTHING, REOPEN, 2, 2, "t(one)t(two)t(one)t(two)", NULL},
	{"close and reopen in data", NOTHING, CLOSE_AND_REOPEN, NOTHING, 2, 1, "t(one)t(one)t(two)",
	 NULL},
	{"reopen in both", REOPEN, REOPEN, REOPEN, 4, 2, "t(one)t(one)t(two)t(one)t(two)", NULL},
};

static void test_the_owner_may_do_anything_from_within(void)
{
	open_rig();
	for (size_t i = 0; i < WR_COUNT(withins); i++) {
		const struct within *row = &withins[i];
		wr_test_case(row->label);
		script(GOOD, WR_VIEW("\x81\x03one\x81\x03two\x88\x02\x03\xe8"));
		forget();
		told.in_open = row->in_open;
		told.in_data = row->in_data;
		told.in_end = row->in_end;
		begin();
		while (client.state != 0 || server.fd >= 0)
			turn();
		CHECK_U64(told.opened, row->opened);
		CHECK_U64(told.ended, row->ended);
		CHECK_STRING(text_view(&told.log), row->log);
		if (row->server_log != NULL)
			CHECK_STRING(text_view(&server.log), row->server_log);
	}
	close_rig();
}

static struct wr_ws_client *freed;

static void free_on_end(void *context, struct wr_ws_client *self,
			const struct wr_ws_client_end *end)
{
	(void)context;
	told.ended++;
	told.end = *end;
	CHECK(self == freed);
	free(self);
}

static void ignore_open(void *context, struct wr_ws_client *self)
{
	(void)context;
	(void)self;
}

static void ignore_data(void *context, struct wr_ws_client *self, struct wr_view data, bool is_text,
			bool is_end)
{
	(void)context;
	(void)self;
	(void)data;
	(void)is_text;
	(void)is_end;
}

static void test_the_client_may_be_freed_when_it_ends_however_that_comes(void)
{
	open_rig();
	config.on_open = ignore_open;
	config.on_data = ignore_data;
	config.on_end = free_on_end;
	config.close_ms_max = config.open_ms_max = config.ping_ms = config.pong_ms_max = 20;
	for (size_t i = 0; i < WR_COUNT(frames) + WR_COUNT(answers) + 2; i++) {
		if (i < WR_COUNT(frames))
			use_frames(&frames[i]);
		else if (i < WR_COUNT(frames) + WR_COUNT(answers))
			use_answer(&answers[i - WR_COUNT(frames)]);
		else
			script(i % 2 == 0 ? GOOD : NULL, WR_VIEW_NULL);
		forget();
		freed = calloc(1, sizeof *freed);
		CHECK(freed != NULL);
		CHECK_STATUS(wr_ws_client_open(freed, &reactor, wr_test_allocator(), &config),
			     WR_OK);
		wait_end();
	}
	close_rig();
}

/* ---- memory ---- */

/* Opens, hears, says more than the socket takes, closes. False: it could not be begun. */
static bool live_with_failing_memory(void)
{
	static char large[40960]; /* whole rounds of 256 */
	enum wr_status status = wr_ws_client_open(&client, &reactor, wr_test_allocator(), &config);

	if (status != WR_OK) {
		CHECK_STATUS(status, WR_NO_MEMORY);
		return false;
	}
	while (told.ended == 0 && told.log.count < 8)
		turn();
	if (told.ended != 0)
		return true;
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (char)i;
	server.is_counting = true;
	shrink_send_buffer();
	for (unsigned i = 0; i < 20; i++) {
		status = wr_ws_client_send(&client, WR_WS_OPCODE_BINARY,
					   wr_view_of(large, sizeof large));
		CHECK(status == WR_OK || (status == WR_NO_MEMORY && wr_test_allocation_failed()));
	}
	server.read_bytes_max = SIZE_MAX;
	wr_ws_client_close(&client, 1000);
	return true;
}

static void test_failing_memory_ends_it_once_or_takes_nothing(void)
{
	unsigned failures = 0, refused = 0, ended_so = 0;

	open_rig();
	for (uint64_t n = 1; failures + 1 >= n; n++) {
		bool has_begun;
		script(GOOD, WR_VIEW("\x81\x01x\x89\0\x81\x01y"));
		server.read_bytes_max = 0;
		forget();
		wr_test_fail_allocation(n, false);
		has_begun = live_with_failing_memory();
		refused += !has_begun;
		if (has_begun && told.ended == 0) {
			server.frames = WR_VIEW_NULL; /* it says Close */
			wait_end();
			CHECK_STATUS(told.end.status, WR_OK);
		} else if (has_begun) {
			CHECK_STATUS(told.end.status, WR_NO_MEMORY);
			ended_so++;
		}
		failures += wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK(told.ended == has_begun && client.state == 0);
	}
	CHECK(refused >= 1 && ended_so >= 1 && failures >= 6);
	close_rig();
}

/* A Close that finds no memory behind a queue: told by on_end, not from within. */
static void test_a_close_without_memory_still_ends_it(void)
{
	struct wr_buf *out = &client.out;

	open_rig();
	script(GOOD, WR_VIEW_NULL);
	server.read_bytes_max = 0;
	wait_open();
	shrink_send_buffer();
	while (out->bytes < 50000)
		CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, wr_view_of(X126, 126)),
			     WR_OK);
	while (out->capacity - out->bytes >= 8)
		CHECK_STATUS(wr_ws_client_send(&client, WR_WS_OPCODE_TEXT, WR_VIEW("")), WR_OK);
	wr_test_fail_allocation(1, true);
	wr_ws_client_close(&client, 1000);
	CHECK(wr_test_allocation_failed() && told.ended == 0);
	wait_end();
	wr_test_fail_allocation(0, false);
	CHECK_STATUS(told.end.status, WR_NO_MEMORY);
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_handshakes_are_judged_whole_and_byte_by_byte),
	WR_TEST_LIMIT(test_a_handshake_that_is_cut_is_never_one, 30),
	WR_TEST(test_a_head_over_its_limit_is_refused),
	WR_TEST(test_the_request_is_what_was_asked_for_with_a_fresh_key),
	WR_TEST(test_texts_that_do_not_belong_in_a_head_are_refused),
	WR_TEST(test_nobody_listening_is_told_with_the_reason),
	WR_TEST(test_a_handshake_has_its_time),
	WR_TEST_LIMIT(test_frames_are_understood_whole_and_byte_by_byte, 30),
	WR_TEST_LIMIT(test_frames_that_are_cut_are_never_more_than_what_came, 30),
	WR_TEST(test_too_many_fragments_are_refused),
	WR_TEST(test_a_failure_is_told_and_then_waits_for_the_server_but_not_for_ever),
	WR_TEST(test_messages_leave_as_they_are_each_with_its_own_mask),
	WR_TEST(test_a_server_that_does_not_read_fills_a_bounded_queue_and_is_left_in_time),
	WR_TEST_LIMIT(test_a_slow_server_gets_everything_in_order, 30),
	WR_TEST(test_only_the_newest_ping_that_waits_is_answered_and_messages_do_not_delay_it),
	WR_TEST_LIMIT(test_control_frames_find_room_when_the_queue_is_full, 30),
	WR_TEST(test_our_close_is_answered_or_ends_in_time),
	WR_TEST(test_what_comes_after_our_close_is_not_handed_on),
	WR_TEST(test_a_close_before_it_is_open_ends_it),
	WR_TEST(test_silence_gets_a_ping_and_then_the_end),
	WR_TEST(test_a_pong_or_anything_else_keeps_it_alive),
	WR_TEST(test_a_server_that_reads_late_is_not_late_with_its_pong),
	WR_TEST(test_the_owner_may_do_anything_from_within),
	WR_TEST_LIMIT(test_the_client_may_be_freed_when_it_ends_however_that_comes, 30),
	WR_TEST(test_failing_memory_ends_it_once_or_takes_nothing),
	WR_TEST(test_a_close_without_memory_still_ends_it),
	WR_TEST_END,
};
