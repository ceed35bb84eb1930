/* Goal: a WebSocket connection keeps RFC 6455 and its own limits, whatever the peer, the socket and
 * the app do, and never mixes its frames with a stream's. Method: real connections on loopback,
 * upgraded by the HTTP server; the client side is written out byte by byte. */
#include "unit/conn/rig.h"

#include "codec/ws/handshake.h"
#include "conn/ws_conn.h"

enum { APP_BYTES = 24, FRAME_BYTES = 70000 };

/* The app's bytes of a connection. */
struct mine {
	struct wr_ws_conn *conn; /* to see that the two find each other */
	size_t stream_at;
	uint8_t is_text, message_at;
};

_Static_assert(sizeof(struct mine) <= APP_BYTES, "the app's bytes");

static struct {
	struct wr_ws_group *group;
	struct wr_ws_config config;
	struct wr_ws_app app;
	struct wr_ws_conn *conn; /* the newest, NULL when it has ended */
	unsigned message_count, data_count, writable_count, end_count;
	bool refuses; /* messages: 1008 */
	bool aborts_on_message, aborts_on_data, aborts_on_writable, closes_on_data;
	char message[1 << 17]; /* one connection talks at a time */
	size_t message_bytes;
	/* a stream of frames to one connection */
	char stream[8 << 20];
	size_t stream_bytes, stream_end; /* up to which the app wants to send for now */
} ws;

/* ---- the app ---- */

static void send_frame(struct wr_ws_conn *conn, bool is_text, const void *data, size_t bytes,
		       enum wr_status expected)
{
	struct wr_ws_frame_header header = {.payload_bytes = bytes,
					    .opcode = is_text ? WR_WS_OPCODE_TEXT
							      : WR_WS_OPCODE_BINARY,
					    .is_final = true};
	uint8_t head[WR_WS_FRAME_HEADER_BYTES_MAX];
	struct iovec parts[2] = {{head, wr_ws_frame_header_encode(head, &header)}, {NULL, bytes}};

	memcpy(&parts[1].iov_base, &data, sizeof data);
	CHECK_STATUS(wr_ws_conn_send(conn, parts, 2), expected);
}

static bool on_message(void *context, struct wr_ws_conn *conn, bool is_text)
{
	struct mine *mine = wr_ws_conn_app(conn);

	(void)context;
	ws.message_count++;
	CHECK(mine->conn == conn && wr_ws_conn_of(mine) == conn);
	CHECK((uintptr_t)mine % _Alignof(max_align_t) == 0);
	mine->is_text = is_text;
	ws.message_bytes = 0;
	if (ws.aborts_on_message) {
		wr_ws_conn_abort(conn);
		return false;
	}
	if (ws.refuses)
		wr_ws_conn_close(conn, 1008, WR_VIEW("observation only"));
	return !ws.refuses;
}

static void on_data(void *context, struct wr_ws_conn *conn, struct wr_view data, bool is_end)
{
	struct mine *mine = wr_ws_conn_app(conn);

	(void)context;
	ws.data_count++;
	CHECK(data.bytes <= sizeof ws.message - ws.message_bytes);
	if (data.bytes != 0)
		memcpy(ws.message + ws.message_bytes, data.data, data.bytes);
	ws.message_bytes += data.bytes;
	if (ws.aborts_on_data)
		wr_ws_conn_abort(conn);
	else if (ws.closes_on_data)
		wr_ws_conn_close(conn, 1001, WR_VIEW_NULL);
	else if (is_end)
		send_frame(conn, mine->is_text, ws.message, ws.message_bytes, WR_OK);
}

/* Streams up to stream_end; frames of the stream are all of the same size. */
static enum wr_status pump(struct wr_ws_conn *conn)
{
	struct mine *mine = wr_ws_conn_app(conn);
	struct iovec part = {ws.stream + mine->stream_at, ws.stream_end - mine->stream_at};
	size_t sent;
	enum wr_status status;

	if (part.iov_len == 0)
		return WR_OK;
	status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);
	if (status == WR_CLOSED)
		return status;
	mine->stream_at += sent;
	wr_ws_conn_hold(conn, mine->stream_at % FRAME_BYTES != 0);
	return status;
}

static void on_writable(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	ws.writable_count++;
	if (ws.aborts_on_writable)
		wr_ws_conn_abort(conn);
	else
		pump(conn);
}

static void on_end(void *context, struct wr_ws_conn *conn)
{
	struct mine *mine = wr_ws_conn_app(conn);

	(void)context;
	CHECK(mine->conn == conn);
	ws.end_count++;
	if (ws.conn == conn)
		ws.conn = NULL;
	/* None of it may do harm now. */
	wr_ws_conn_close(conn, 1001, WR_VIEW_NULL);
	wr_ws_conn_abort(conn);
	CHECK(wr_ws_conn_is_closing(conn));
}

static void upgrade(struct wr_http_exchange *exchange)
{
	struct mine *mine;

	CHECK(wr_ws_handshake_check(exchange->head) == WR_WS_HANDSHAKE_OK);
	ws.conn = wr_ws_conn_accept(ws.group, exchange, WR_VIEW_NULL);
	if (ws.conn == NULL)
		return;
	mine = wr_ws_conn_app(ws.conn);
	CHECK(mine->conn == NULL && mine->stream_at == 0);
	mine->conn = ws.conn;
}

/* ---- life ---- */

static void prepare(void)
{
	rig_prepare();
	rig.on_upgrade = upgrade;
	wr_ws_defaults(&ws.config);
	ws.app = (struct wr_ws_app){.app_bytes = APP_BYTES,
				    .on_message = on_message,
				    .on_data = on_data,
				    .on_writable = on_writable,
				    .on_end = on_end};
}

static enum wr_status open_group(void)
{
	return wr_ws_group_new(&ws.group, &rig.reactor, wr_test_allocator(), rig.server, &ws.config,
			       &ws.app);
}

static void open_all(void)
{
	rig_open();
	CHECK_STATUS(open_group(), WR_OK);
}

static void close_all(void)
{
	wr_ws_group_free(ws.group);
	rig_close();
}

#define HANDSHAKE                                                                           \
	"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* RFC 6455 1.3 has this key and its answer. */
#define ANSWER                                                                              \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

/* The size of the client's receive buffer, 0 for the system's. */
static int join(int receive_bytes)
{
	int fd = rig_connect_small(receive_bytes);

	rig_forget();
	got.is_ended = got.is_reset = false;
	rig_send(fd, WR_VIEW(HANDSHAKE));
	while (got.bytes < sizeof ANSWER - 1) {
		if (!rig_receive(fd))
			rig_turn();
		CHECK(!got.is_ended && !got.is_reset);
	}
	CHECK_STRING(wr_view_of(got.data, got.bytes), ANSWER);
	rig_forget();
	return fd;
}

static void turn_until_end(unsigned count)
{
	while (ws.end_count != count)
		rig_turn();
	while (wr_http_server_connection_count(rig.server) != 0)
		rig_turn();
	CHECK_U64(wr_ws_group_count(ws.group), 0);
}

/* ---- frames of the client ---- */

struct bytes {
	char data[FRAME_BYTES * 2];
	size_t bytes;
};

static void add_raw(struct bytes *to, const void *data, size_t bytes)
{
	CHECK(bytes <= sizeof to->data - to->bytes);
	memcpy(to->data + to->bytes, data, bytes);
	to->bytes += bytes;
}

static void add_frame(struct bytes *to, unsigned first, struct wr_view payload)
{
	struct wr_ws_frame_header header = {.payload_bytes = payload.bytes,
					    .opcode = WR_WS_OPCODE_BINARY,
					    .is_final = true,
					    .is_masked = true,
					    .mask = {0x12, 0x34, 0x56, 0x78}};
	uint8_t head[WR_WS_FRAME_HEADER_BYTES_MAX];
	size_t at = wr_ws_frame_header_encode(head, &header);

	head[0] = (uint8_t)first; /* which may be one that the encoder does not write */
	add_raw(to, head, at);
	at = to->bytes;
	add_raw(to, payload.data == NULL ? "" : payload.data, payload.bytes);
	wr_ws_mask(to->data + at, payload.bytes, header.mask, 0);
}

static void say(int fd, unsigned first, struct wr_view payload)
{
	static struct bytes frame;

	frame.bytes = 0;
	add_frame(&frame, first, payload);
	rig_send(fd, wr_view_of(frame.data, frame.bytes));
}

/* ---- conversations ---- */

enum { RAW = 0x100 };

struct said {
	unsigned first; /* the first byte of a frame, or RAW: `payload` is sent as it is */
	struct wr_view payload;
};

/* A view as a constant expression. */
#define BYTES(literal)                          \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

static const struct conversation {
	const char *label;
	struct said said[6];
	struct wr_view answer; /* all that comes; then the connection ends in good order */
} conversations[] = {
	{"text",
	 {{0x81, BYTES("hi")}, {0x88, BYTES("\x03\xe8")}},
	 BYTES("\x81\x02hi\x88\x02\x03\xe8")},
	{"binary", {{0x82, BYTES("\xff")}, {0x88, BYTES("")}}, BYTES("\x82\x01\xff\x88\x00")},
	{"empty", {{0x81, BYTES("")}, {0x88, BYTES("")}}, BYTES("\x81\x00\x88\x00")},
	{"fragments with a ping between",
	 {{0x01, BYTES("h")},
	  {0x89, BYTES("p")},
	  {0x00, BYTES("")},
	  {0x80, BYTES("i")},
	  {0x88, BYTES("")}},
	 BYTES("\x8a\x01p\x81\x02hi\x88\x00")},
	{"a character over two fragments",
	 {{0x01, BYTES("\xc3")}, {0x80, BYTES("\xa4")}, {0x88, BYTES("")}},
	 BYTES("\x81\x02\xc3\xa4\x88\x00")},
	{"ping without payload", {{0x89, BYTES("")}, {0x88, BYTES("")}}, BYTES("\x8a\x00\x88\x00")},
	{"pongs nobody asked for",
	 {{0x8a, BYTES("x")}, {0x8a, BYTES("")}, {0x88, BYTES("")}},
	 BYTES("\x88\x00")},
	{"close with a reason",
	 {{0x88, BYTES("\x0b\xb8"
		       "bye")}},
	 BYTES("\x88\x02\x0b\xb8")},
	{"what follows a close is not looked at",
	 {{0x88, BYTES("")}, {0x81, BYTES("late")}},
	 BYTES("\x88\x00")},
	/* refused: 1002 */
	{"unmasked", {{RAW, BYTES("\x81\x01x")}}, BYTES("\x88\x02\x03\xea")},
	{"reserved bit", {{RAW, BYTES("\xc1\x80\x01\x02\x03\x04")}}, BYTES("\x88\x02\x03\xea")},
	{"reserved opcode", {{0x83, BYTES("x")}}, BYTES("\x88\x02\x03\xea")},
	{"reserved control opcode", {{0x8b, BYTES("x")}}, BYTES("\x88\x02\x03\xea")},
	{"fragmented ping", {{0x09, BYTES("x")}}, BYTES("\x88\x02\x03\xea")},
	{"long ping", {{RAW, BYTES("\x89\xfe")}}, BYTES("\x88\x02\x03\xea")},
	{"a length in too long a form",
	 {{RAW, BYTES("\x81\xfe\x00\x7d")}},
	 BYTES("\x88\x02\x03\xea")},
	{"continuation of nothing", {{0x80, BYTES("x")}}, BYTES("\x88\x02\x03\xea")},
	{"a message within a message",
	 {{0x01, BYTES("x")}, {0x81, BYTES("y")}},
	 BYTES("\x88\x02\x03\xea")},
	{"half a close code", {{0x88, BYTES("\x03")}}, BYTES("\x88\x02\x03\xea")},
	{"close code 999", {{0x88, BYTES("\x03\xe7")}}, BYTES("\x88\x02\x03\xea")},
	{"close code 1005", {{0x88, BYTES("\x03\xed")}}, BYTES("\x88\x02\x03\xea")},
	{"an echo before the fault",
	 {{0x81, BYTES("a")}, {0x83, BYTES("x")}, {0x81, BYTES("b")}},
	 BYTES("\x81\x01"
	       "a\x88\x02\x03\xea")},
	/* 1007 */
	{"text that is not UTF-8", {{0x81, BYTES("a\xff")}}, BYTES("\x88\x02\x03\xef")},
	{"text that ends in a character", {{0x81, BYTES("a\xc3")}}, BYTES("\x88\x02\x03\xef")},
	{"a reason that is not UTF-8", {{0x88, BYTES("\x03\xe8\xff")}}, BYTES("\x88\x02\x03\xef")},
	/* 1009 */
	{"a long message", {{0x81, BYTES("123456789012345678901")}}, BYTES("\x88\x02\x03\xf1")},
	{"a long message in fragments",
	 {{0x01, BYTES("1234567890")}, {0x00, BYTES("1234567890")}, {0x80, BYTES("1")}},
	 BYTES("\x88\x02\x03\xf1")},
	{"a length of 2^62",
	 {{RAW, BYTES("\x82\xff\x40\0\0\0\0\0\0\0\1\2\3\4")}},
	 BYTES("\x88\x02\x03\xf1")},
	{"many fragments",
	 {{0x01, BYTES("1")},
	  {0x00, BYTES("")},
	  {0x00, BYTES("")},
	  {0x00, BYTES("")},
	  {0x80, BYTES("1")}},
	 BYTES("\x88\x02\x03\xf1")},
};

/* Sends handshake and frames in two pieces (or in steps), so that the cut may lie in either. */
static void converse(const struct conversation *conversation, size_t cut, size_t step)
{
	static struct bytes all;
	struct wr_view rest;
	int fd = rig_connect();

	rig_forget();
	all.bytes = 0;
	add_raw(&all, HANDSHAKE, sizeof HANDSHAKE - 1);
	for (size_t i = 0; i < WR_COUNT(conversation->said); i++) {
		const struct said *said = &conversation->said[i];
		if (said->payload.data != NULL && said->first != RAW)
			add_frame(&all, said->first, said->payload);
		else if (said->payload.data != NULL)
			add_raw(&all, said->payload.data, said->payload.bytes);
	}
	rest = wr_view_of(all.data, all.bytes);
	while (rest.bytes != 0) {
		size_t piece = step != 0 ? step : cut != 0 ? cut : rest.bytes;
		if (piece > rest.bytes)
			piece = rest.bytes;
		rig_send(fd, wr_view_of(rest.data, piece));
		rest = wr_view_skip(rest, piece);
		cut = 0;
		wr_reactor_turn(&rig.reactor, rest.bytes != 0 ? 1 : 0);
	}
	while (!got.is_ended && !got.is_reset) {
		if (!rig_receive(fd))
			rig_turn();
		/* Ours is the end after the close frame, whoever sent the first one. */
		if (got.bytes == sizeof ANSWER - 1 + conversation->answer.bytes)
			shutdown(fd, SHUT_WR);
	}
	/* Behind a Close the peer has no business to send; if it does it may meet a reset. */
	CHECK(got.is_ended ||
	      strcmp(conversation->label, "what follows a close is not looked at") == 0);
	CHECK(got.bytes >= sizeof ANSWER - 1);
	CHECK_VIEW(wr_view_of(got.data + sizeof ANSWER - 1, got.bytes - (sizeof ANSWER - 1)),
		   conversation->answer);
	close(fd);
	ws.end_count = 0;
}

static void test_conversations_do_not_depend_on_how_they_are_cut(void)
{
	prepare();
	ws.config.message_bytes_max = 20;
	ws.config.fragment_count_max = 4;
	ws.config.control_per_minute_max = 255;
	open_all();
	for (size_t i = 0; i < WR_COUNT(conversations); i++) {
		const struct conversation *conversation = &conversations[i];
		wr_test_case(conversation->label);
		converse(conversation, 0, 0);
		converse(conversation, 0, 1);
		for (size_t cut = sizeof HANDSHAKE - 2; cut < sizeof HANDSHAKE + 40;
		     cut += RIG_TLS ? 13 : 1)
			converse(conversation, cut, 0);
	}
	while (wr_ws_group_count(ws.group) != 0)
		rig_turn();
	close_all();
}

/* ---- observers ---- */

static void test_an_observer_that_speaks_is_refused_by_its_frame_header(void)
{
	int fd;

	prepare();
	ws.refuses = true;
	open_all();
	fd = join(0);
	/* Ten kilobytes are announced, none of them comes. */
	rig_send(fd, WR_VIEW("\x82\xfe\x27\x10\1\2\3\4"));
	rig_receive_bytes(fd, 20);
	CHECK_VIEW(wr_view_of(got.data, got.bytes), WR_VIEW("\x88\x12\x03\xf0observation only"));
	CHECK_U64(ws.message_count, 1);
	CHECK_U64(ws.data_count, 0);
	CHECK(wr_ws_conn_is_closing(ws.conn));
	close(fd);
	turn_until_end(1);
	close_all();
}

static void test_an_idle_connection_is_one_small_block(void)
{
	size_t before;
	int fd;

	prepare();
	open_all();
	before = wr_test_allocator()->used;
	fd = join(0);
	say(fd, 0x89, WR_VIEW("x"));
	rig_receive_bytes(fd, 3);
	rig_turn();
	CHECK(wr_test_allocator()->used - before <= (WR_TLS ? 112 : 96) + APP_BYTES);
	close(fd);
	turn_until_end(1);
	CHECK_U64(wr_test_allocator()->used, before);
	close_all();
}

static void test_silence_is_pinged_and_then_ended(void)
{
	int fd;

	prepare();
	ws.config.ping_ms = 40;
	ws.config.pong_ms_max = 80;
	ws.config.control_per_minute_max = 0;
	open_all();
	fd = join(0);
	for (int i = 0; i < 5; i++) {
		rig_forget();
		rig_receive_bytes(fd, 2);
		CHECK_VIEW(wr_view_of(got.data, got.bytes), WR_VIEW("\x89\x00"));
		/* An answer to our ping costs nothing of the peer's control frames. */
		say(fd, 0x8a, WR_VIEW(""));
	}
	rig_forget();
	rig_receive_all(fd);
	CHECK_VIEW(wr_view_of(got.data, got.bytes), WR_VIEW("\x89\x00"));
	CHECK(got.is_reset);
	turn_until_end(1);
	close(fd);
	close_all();
}

static void test_a_flood_of_control_frames_is_1008(void)
{
	int fd;

	prepare();
	ws.config.control_per_minute_max = 10;
	open_all();
	fd = join(0);
	for (int i = 0; i < 20; i++)
		say(fd, i % 2 == 0 ? 0x8a : 0x89, WR_VIEW(""));
	rig_receive_text(fd, "\x88\x19\x03\xf0too many control frames");
	CHECK_VIEW(
		wr_view_of(got.data, got.bytes),
		WR_VIEW("\x8a\0\x8a\0\x8a\0\x8a\0\x8a\0\x88\x19\x03\xf0too many control frames"));
	shutdown(fd, SHUT_WR);
	rig_receive_all(fd);
	CHECK(got.is_ended);
	turn_until_end(1);
	close(fd);
	close_all();
}

/* ---- closing ---- */

static void test_our_close_waits_for_the_peers(void)
{
	int fd;

	prepare();
	open_all();
	fd = join(0);
	wr_ws_conn_close(ws.conn, 1001, WR_VIEW("bye"));
	wr_ws_conn_close(ws.conn, 1002, WR_VIEW_NULL);
	rig_receive_bytes(fd, 7);
	CHECK_VIEW(wr_view_of(got.data, got.bytes), WR_VIEW("\x88\x05\x03\xe9"
							    "bye"));
	/* What it still had to say is not for the app. */
	say(fd, 0x81, WR_VIEW("hello"));
	say(fd, 0x89, WR_VIEW(""));
	for (int i = 0; i < 3; i++)
		rig_turn();
	CHECK_U64(ws.end_count, 0);
	CHECK_U64(ws.message_count, 0);
	say(fd, 0x88, WR_VIEW("\x03\xe9"));
	rig_receive_all(fd);
	CHECK(got.is_ended);
	CHECK_U64(got.bytes, 7);
	turn_until_end(1);
	close(fd);
	close_all();
}

static void test_a_peer_that_does_not_close_is_left(void)
{
	static const char *const ends[] = {"our close", "a failure"};

	prepare();
	ws.config.close_ms_max = 40;
	open_all();
	for (unsigned i = 0; i < WR_COUNT(ends); i++) {
		int fd = join(0);
		wr_test_case(ends[i]);
		if (i == 0)
			wr_ws_conn_close(ws.conn, 1001, WR_VIEW_NULL);
		else
			rig_send(fd, WR_VIEW("\xff\xff"));
		turn_until_end(i + 1);
		close(fd);
	}
	close_all();
}

enum last_word { SAYS, SAYS_AND_CLOSES, SAYS_NOTHING, ABORTS };

static void on_violation(void *context, struct wr_ws_conn *conn, enum wr_status why)
{
	const enum last_word *word = context;

	CHECK_STATUS(why, WR_SYNTAX);
	if (*word == ABORTS)
		wr_ws_conn_abort(conn);
	else if (*word != SAYS_NOTHING)
		send_frame(conn, true, "no", 2, WR_OK);
	if (*word == SAYS_AND_CLOSES)
		wr_ws_conn_close(conn, 1008, WR_VIEW_NULL);
}

static void test_the_app_has_the_last_word_before_a_close_for_a_violation(void)
{
	static const char *const sent[] = {"\x81\x02no\x88\x02\x03\xea",
					   "\x81\x02no\x88\x02\x03\xf0", "\x88\x02\x03\xea", ""};

	for (unsigned i = 0; i < WR_COUNT(sent); i++) {
		enum last_word word = (enum last_word)i;
		int fd;

		prepare();
		ws.end_count = 0;
		ws.app.context = &word;
		ws.app.on_violation = on_violation;
		open_all();
		fd = join(0);
		rig_send(fd, WR_VIEW("\xff\xff"));
		rig_receive_all(fd);
		CHECK_STRING(wr_view_of(got.data, got.bytes), sent[i]);
		close(fd);
		turn_until_end(1);
		close_all();
	}
}

static void test_a_peer_that_vanishes_ends_the_connection(void)
{
	struct linger linger = {1, 0};
	int fd;

	prepare();
	open_all();
	fd = join(0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(fd);
	turn_until_end(1);
	fd = join(0);
	shutdown(fd, SHUT_WR);
	rig_receive_all(fd);
	CHECK(got.is_ended);
	turn_until_end(2);
	close(fd);
	close_all();
}

static void abort_it(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	wr_ws_conn_abort(conn);
}

static void test_aborting_is_safe_anywhere(void)
{
	int fd;

	prepare();
	open_all();
	fd = join(0);
	wr_ws_conn_abort(ws.conn);
	CHECK_U64(ws.end_count, 1);
	rig_receive_all(fd);
	CHECK(got.is_reset);
	close(fd);

	ws.aborts_on_message = true;
	fd = join(0);
	say(fd, 0x81, WR_VIEW("hello"));
	turn_until_end(2);
	ws.aborts_on_message = false;
	close(fd);

	ws.aborts_on_data = true;
	fd = join(0);
	say(fd, 0x81, WR_VIEW("hello"));
	turn_until_end(3);
	ws.aborts_on_data = false;
	close(fd);

	ws.aborts_on_writable = true;
	ws.stream_end = sizeof ws.stream;
	fd = join(4096);
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	while (ws.end_count != 4) {
		rig_forget();
		rig_receive(fd);
		rig_turn();
	}
	close(fd);

	ws.closes_on_data = true;
	fd = join(0);
	say(fd, 0x01, WR_VIEW("hel"));
	say(fd, 0x88, WR_VIEW(""));
	rig_receive_all(fd);
	CHECK_VIEW(wr_view_of(got.data, got.bytes), WR_VIEW("\x88\x02\x03\xe9"));
	turn_until_end(5);
	close(fd);

	for (int i = 0; i < 3; i++)
		join(0);
	CHECK_U64(wr_ws_group_count(ws.group), 3);
	wr_ws_group_each(ws.group, abort_it, NULL);
	turn_until_end(8);
	join(0);
	close_all();
	CHECK_U64(ws.end_count, 9);
}

/* ---- output ---- */

static char big[300000];

static void test_messages_queue_up_to_their_limit_and_stay_in_order(void)
{
	size_t frames = 0, total = 0, expected;
	int fd;

	memset(big, 'x', sizeof big);
	prepare();
	ws.config.queued_bytes_max = 1000000;
	open_all();
	fd = join(4096);
	/* Until the socket is full and the queue nearly so. */
	for (;;) {
		struct iovec part = {big, 60000};
		big[0] = (char)0x82;
		big[1] = 126;
		big[2] = (char)((60000 - 4) >> 8);
		big[3] = (char)((60000 - 4) & 255);
		memset(big + 4, (int)('a' + frames % 26), 60000 - 4);
		enum wr_status status = wr_ws_conn_send(ws.conn, &part, 1);
		if (status == WR_TOO_LARGE)
			break;
		CHECK_STATUS(status, WR_OK);
		frames++;
	}
	CHECK(frames > 16);
	expected = frames * 60000;
	while (total < expected) {
		rig_forget();
		if (!rig_receive(fd))
			rig_turn();
		CHECK(!got.is_ended && !got.is_reset);
		for (size_t i = 0; i < got.bytes; i++, total++)
			if (total % 60000 >= 4)
				CHECK(got.data[i] == (char)('a' + total / 60000 % 26));
	}
	CHECK_U64(ws.writable_count, 0);
	rig_turn();
	CHECK_U64(wr_test_allocator()->used < 400000, 1);
	close(fd);
	turn_until_end(1);
	close_all();
}

static void test_a_reader_that_takes_nothing_is_reset(void)
{
	struct iovec part = {big, sizeof big};
	int fd;

	prepare();
	ws.config.send_ms_max = 60;
	open_all();
	fd = join(4096);
	for (int i = 0; i < 20 && wr_ws_conn_send(ws.conn, &part, 1) == WR_OK; i++)
		continue;
	turn_until_end(1);
	close(fd);
	ws.stream_end = sizeof ws.stream;
	fd = join(4096);
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	turn_until_end(2);
	rig_receive_all(fd);
	CHECK(got.is_reset);
	close(fd);
	close_all();
}

static void test_a_peer_that_asks_without_reading_is_not_read_from(void)
{
	static struct bytes frame;
	int fd, idle_turns = 0;
	size_t at = 0;

	memset(big, 'x', sizeof big);
	prepare();
	ws.config.message_bytes_max = 65536;
	open_all();
	fd = join(4096);
	add_frame(&frame, 0x82, wr_view_of(big, 60000));
	while (idle_turns < 50) {
		ssize_t n = send(fd, frame.data + at, frame.bytes - at, MSG_NOSIGNAL);
		at = n > 0 ? (at + (size_t)n) % frame.bytes : at;
		idle_turns = n > 0 ? 0 : idle_turns + 1;
		wr_reactor_turn(&rig.reactor, 1);
	}
	CHECK_U64(ws.end_count, 0);
	CHECK(wr_test_allocator()->used < 2 * WR_CONN_OUTPUT_BYTES_MAX + 400000);
	close(fd);
	turn_until_end(1);
	close_all();
}

/* ---- streams ---- */

static void make_stream(void)
{
	for (size_t at = 0; at + FRAME_BYTES <= sizeof ws.stream; at += FRAME_BYTES) {
		struct wr_ws_frame_header header = {.payload_bytes = FRAME_BYTES - 10,
						    .opcode = WR_WS_OPCODE_BINARY,
						    .is_final = true};
		CHECK_U64(wr_ws_frame_header_encode((uint8_t *)ws.stream + at, &header), 10);
		memset(ws.stream + at + 10, (int)('a' + at / FRAME_BYTES % 26), FRAME_BYTES - 10);
	}
	ws.stream_bytes = sizeof ws.stream / FRAME_BYTES * FRAME_BYTES;
}

/* Receives until the end or `bytes` in all; checks frames of the stream and collects the others. */
static size_t read_stream(int fd, size_t bytes, struct bytes *others)
{
	static char all[9 << 20];
	size_t have = 0, at = 0, frames = 0;

	others->bytes = 0;
	while (!got.is_ended && !got.is_reset) {
		rig_forget();
		if (!rig_receive(fd))
			rig_turn();
		CHECK(have + got.bytes <= sizeof all);
		memcpy(all + have, got.data, got.bytes);
		have += got.bytes;
		while (have - at >= 2) {
			size_t frame =
				(uint8_t)all[at + 1] < 126 ? (size_t)all[at + 1] + 2 : FRAME_BYTES;
			if (have - at < frame)
				break;
			if (frame == FRAME_BYTES)
				CHECK(memcmp(all + at, ws.stream + frames++ * FRAME_BYTES, frame) ==
				      0);
			else
				add_raw(others, all + at, frame);
			at += frame;
		}
		if (frames * FRAME_BYTES + others->bytes >= bytes)
			break;
	}
	CHECK(got.is_ended || at == have);
	return frames;
}

static void test_a_stream_goes_on_when_the_socket_takes_more(void)
{
	struct bytes others;
	size_t before;
	int fd;

	prepare();
	make_stream();
	open_all();
	before = wr_test_allocator()->used;
	fd = join(4096);
	ws.stream_end = ws.stream_bytes;
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	CHECK(wr_ws_conn_is_blocked(ws.conn));
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	/* A stalled subscriber costs what an idle one does. */
	CHECK(wr_test_allocator()->used - before <= (WR_TLS ? 112 : 96) + APP_BYTES);
	CHECK_U64(read_stream(fd, ws.stream_end, &others) * FRAME_BYTES, ws.stream_end);
	CHECK(!wr_ws_conn_is_blocked(ws.conn) && ws.writable_count > 0);
	CHECK_U64(others.bytes, 0);
	close(fd);
	turn_until_end(1);
	close_all();
}

static void test_pongs_wait_for_the_end_of_a_frame_and_only_the_newest_is_sent(void)
{
	struct bytes others;
	int fd;

	prepare();
	make_stream();
	open_all();
	fd = join(4096);
	ws.stream_end = ws.stream_bytes;
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	CHECK(((struct mine *)wr_ws_conn_app(ws.conn))->stream_at % FRAME_BYTES != 0);
	for (char i = 'a'; i < 'f'; i++) {
		say(fd, 0x89, wr_view_of(&i, 1));
		rig_turn();
	}
	CHECK_U64(read_stream(fd, ws.stream_end + 3, &others) * FRAME_BYTES, ws.stream_end);
	CHECK_VIEW(wr_view_of(others.data, others.bytes), WR_VIEW("\x8a\x01"
								  "e"));
	close(fd);
	turn_until_end(1);
	close_all();
}

static void test_a_stream_may_rest_inside_a_frame(void)
{
	struct bytes others;
	int fd;

	prepare();
	make_stream();
	open_all();
	fd = join(0);
	/* Three calls that the socket takes whole, all of which end inside the first frame. */
	for (int i = 1; i <= 3; i++) {
		ws.stream_end = (size_t)i * 1000;
		CHECK_STATUS(pump(ws.conn), WR_OK);
		say(fd, 0x89, WR_VIEW("x"));
		rig_turn();
	}
	CHECK(!wr_ws_conn_is_blocked(ws.conn));
	ws.stream_end = FRAME_BYTES;
	wr_ws_conn_await(ws.conn);
	CHECK(wr_ws_conn_is_blocked(ws.conn));
	CHECK_U64(read_stream(fd, FRAME_BYTES + 3, &others), 1);
	CHECK_U64(ws.writable_count, 1);
	CHECK_VIEW(wr_view_of(others.data, others.bytes), WR_VIEW("\x8a\x01x"));
	close(fd);
	turn_until_end(1);
	close_all();
}

static void test_a_stream_waits_for_queued_messages(void)
{
	struct bytes others;
	struct iovec part = {ws.stream, 0};
	int fd;

	prepare();
	make_stream();
	ws.config.queued_bytes_max = 4 << 20;
	open_all();
	fd = join(4096);
	/* The first half as messages, the second as a stream: in this order. */
	part.iov_len = FRAME_BYTES;
	for (size_t i = 0; i < 50; i++) {
		part.iov_base = ws.stream + i * FRAME_BYTES;
		CHECK_STATUS(wr_ws_conn_send(ws.conn, &part, 1), WR_OK);
	}
	((struct mine *)wr_ws_conn_app(ws.conn))->stream_at = 50 * FRAME_BYTES;
	ws.stream_end = ws.stream_bytes;
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	CHECK_U64(((struct mine *)wr_ws_conn_app(ws.conn))->stream_at, 50 * FRAME_BYTES);
	CHECK_U64(read_stream(fd, ws.stream_end, &others) * FRAME_BYTES, ws.stream_end);
	close(fd);
	turn_until_end(1);
	close_all();
}

static void test_a_close_of_the_peer_lets_the_frame_be_finished(void)
{
	struct bytes others;
	size_t frames;
	int fd;

	prepare();
	make_stream();
	open_all();
	fd = join(4096);
	ws.stream_end = ws.stream_bytes;
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	say(fd, 0x88, WR_VIEW("\x03\xe8"));
	while (!wr_ws_conn_is_closing(ws.conn))
		rig_turn();
	/* The app stops behind the frame it is in. */
	ws.stream_end = ((struct mine *)wr_ws_conn_app(ws.conn))->stream_at;
	ws.stream_end += FRAME_BYTES - ws.stream_end % FRAME_BYTES;
	frames = read_stream(fd, SIZE_MAX, &others);
	CHECK_U64(frames * FRAME_BYTES, ws.stream_end);
	CHECK_VIEW(wr_view_of(others.data, others.bytes), WR_VIEW("\x88\x02\x03\xe8"));
	CHECK(got.is_ended);
	turn_until_end(1);
	close(fd);
	close_all();
}

static void test_a_close_inside_a_frame_is_a_reset(void)
{
	int fd;

	prepare();
	make_stream();
	open_all();
	fd = join(4096);
	ws.stream_end = ws.stream_bytes;
	CHECK_STATUS(pump(ws.conn), WR_MORE);
	wr_ws_conn_close(ws.conn, 1013, WR_VIEW_NULL);
	CHECK(wr_ws_conn_is_closing(ws.conn));
	CHECK_STATUS(pump(ws.conn), WR_CLOSED);
	turn_until_end(1);
	while (!got.is_ended && !got.is_reset) {
		rig_forget();
		rig_receive(fd);
	}
	CHECK(got.is_reset);
	close(fd);
	close_all();
}

static void test_a_close_behind_a_full_socket_still_arrives(void)
{
	struct bytes others;
	int fd;

	prepare();
	make_stream();
	ws.config.queued_bytes_max = 4 << 20;
	open_all();
	fd = join(4096);
	for (size_t i = 0; i < 50; i++) {
		struct iovec part = {ws.stream + i * FRAME_BYTES, FRAME_BYTES};
		CHECK_STATUS(wr_ws_conn_send(ws.conn, &part, 1), WR_OK);
	}
	wr_ws_conn_close(ws.conn, 1013, WR_VIEW_NULL);
	say(fd, 0x88, WR_VIEW("\x03\xf5"));
	CHECK_U64(read_stream(fd, SIZE_MAX, &others), 50);
	CHECK_VIEW(wr_view_of(others.data, others.bytes), WR_VIEW("\x88\x02\x03\xf5"));
	CHECK(got.is_ended);
	turn_until_end(1);
	close(fd);
	close_all();
}

static void test_sending_to_a_peer_that_is_gone_ends_soon(void)
{
	struct linger linger = {1, 0};
	struct iovec part = {big, 100};
	int fd;

	prepare();
	open_all();
	fd = join(0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(fd);
	CHECK_STATUS(wr_ws_conn_send(ws.conn, &part, 1), WR_CLOSED);
	CHECK_STATUS(wr_ws_conn_send(ws.conn, &part, 1), WR_CLOSED);
	CHECK_U64(ws.end_count, 0);
	turn_until_end(1);
	close_all();
}

/* ---- memory ---- */

/* Whether the whole session went as it should. */
static bool run_session(void)
{
	size_t bytes = 0;
	bool is_right = false;
	int fd = rig_connect_small(4096);

	rig_forget();
	got.is_ended = got.is_reset = false;
	/* Early bytes, half a frame, a queue, a pong behind it, a close behind that. */
	rig_send(fd, WR_VIEW(HANDSHAKE "\x89\x81\0\0\0\0"));
	rig_turn();
	rig_turn();
	rig_send(fd, WR_VIEW("p\x82"));
	rig_turn();
	rig_turn();
	rig_send(fd, WR_VIEW("\x81\0\0\0\0x"));
	for (int i = 0; i < 3; i++)
		rig_turn();
	if (ws.conn != NULL)
		for (int i = 0; i < 40; i++) {
			struct iovec part = {ws.stream, FRAME_BYTES};
			if (wr_ws_conn_send(ws.conn, &part, 1) != WR_OK)
				break;
		}
	say(fd, 0x89, WR_VIEW("q"));
	rig_turn();
	say(fd, 0x88, WR_VIEW(""));
	while (!got.is_ended && !got.is_reset) {
		rig_forget();
		if (!rig_receive(fd))
			rig_turn();
		bytes += got.bytes;
		if (got.bytes >= 5)
			is_right = memcmp(got.data + got.bytes - 5, "\x8a\x01q\x88\x00", 5) == 0;
		if (strstr(got.data, " 503 ") != NULL)
			break;
	}
	close(fd);
	while (wr_http_server_connection_count(rig.server) != 0)
		rig_turn();
	return is_right && got.is_ended && bytes > 40 * FRAME_BYTES;
}

static void test_each_failed_allocation_ends_one_connection_at_most(void)
{
	bool is_right = false;

	prepare();
	make_stream();
	ws.config.queued_bytes_max = 8 << 20;
	for (uint64_t n = 1; !is_right; n++) {
		CHECK(n < 1000);
		wr_test_fail_allocation(n, false);
		if (rig_try_open(wr_test_allocator())) {
			if (open_group() == WR_OK) {
				is_right = run_session();
				wr_ws_group_free(ws.group);
			}
			rig_close();
		}
		is_right = is_right && !wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK_U64(wr_test_allocator()->used, 0);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_conversations_do_not_depend_on_how_they_are_cut, 60),
	WR_TEST(test_an_observer_that_speaks_is_refused_by_its_frame_header),
	WR_TEST(test_an_idle_connection_is_one_small_block),
	WR_TEST(test_silence_is_pinged_and_then_ended),
	WR_TEST(test_a_flood_of_control_frames_is_1008),
	WR_TEST(test_our_close_waits_for_the_peers),
	WR_TEST(test_the_app_has_the_last_word_before_a_close_for_a_violation),
	WR_TEST(test_a_peer_that_does_not_close_is_left),
	WR_TEST(test_a_peer_that_vanishes_ends_the_connection),
	WR_TEST(test_aborting_is_safe_anywhere),
	WR_TEST(test_messages_queue_up_to_their_limit_and_stay_in_order),
	WR_TEST(test_a_reader_that_takes_nothing_is_reset),
	WR_TEST(test_a_peer_that_asks_without_reading_is_not_read_from),
	WR_TEST(test_a_stream_goes_on_when_the_socket_takes_more),
	WR_TEST(test_pongs_wait_for_the_end_of_a_frame_and_only_the_newest_is_sent),
	WR_TEST(test_a_stream_may_rest_inside_a_frame),
	WR_TEST(test_a_stream_waits_for_queued_messages),
	WR_TEST(test_a_close_of_the_peer_lets_the_frame_be_finished),
	WR_TEST(test_a_close_inside_a_frame_is_a_reset),
	WR_TEST(test_a_close_behind_a_full_socket_still_arrives),
	WR_TEST(test_sending_to_a_peer_that_is_gone_ends_soon),
	WR_TEST_LIMIT(test_each_failed_allocation_ends_one_connection_at_most, 60),
	WR_TEST_END,
};
