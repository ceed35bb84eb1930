/*
 * One whole connection to a server of ours. Options: cuts; largest body in 16 bytes; then what the
 * peer sends before it ends its side.
 *
 * What the app is asked is what a naive reading of the same bytes says, to the first fault; after
 * that nothing is served; every answer is one for our own client, as many as there were requests,
 * and a fault; the connection ends, soon; cut otherwise it is all the same.
 */
#include "check.h"
#include "codec/http/body.h"
#include "codec/http/target.h"
#include "conn/http_server.h"
#include "sockets.h"
#include "unit/codec/http/naive_body.h"
#include "unit/codec/http/naive_head.h"

enum { ROOM = 1 << 18, INPUT_BYTES_MAX = 8192, TURNS_MAX = 2000 };

/* ---- what happens, as text ---- */

struct story {
	struct wr_buf asked;	/* by the app: "METHOD PATH BODY\n" */
	struct wr_buf answered; /* by the server: "STATUS BODY\n" */
	bool has_fault;		/* the last answer is the server's own */
	bool asks_for_head;	/* the request that the app was last asked about is HEAD */
	unsigned fault_status;
	bool is_to_head[2 * INPUT_BYTES_MAX];
	unsigned request_count; /* those with an answer of the app, or one that goes on (413) */
	char asked_room[ROOM], answered_room[ROOM], received[ROOM];
	size_t received_bytes;
};

static void story_init(struct story *self)
{
	wr_buf_init_fixed(&self->asked, self->asked_room, sizeof self->asked_room);
	wr_buf_init_fixed(&self->answered, self->answered_room, sizeof self->answered_room);
	self->has_fault = self->asks_for_head = false;
	self->request_count = 0;
	self->received_bytes = 0;
	self->fault_status = 0;
}

static void note_request(struct story *self, struct wr_view method, struct wr_view path,
			 struct wr_view body)
{
	CHECK(!self->has_fault && self->request_count < WR_COUNT(self->is_to_head));
	self->is_to_head[self->request_count++] = wr_view_equal(method, WR_VIEW("HEAD"));
	wr_buf_append_view(&self->asked, method);
	wr_buf_append_byte(&self->asked, ' ');
	wr_buf_append_view(&self->asked, path);
	wr_buf_append_byte(&self->asked, ' ');
	wr_buf_append_view(&self->asked, body);
	wr_buf_append_byte(&self->asked, '\n');
}

/* ---- the app ---- */

static struct story *current;
static size_t body_bytes_max;
static unsigned parts_left, release_count, begin_count;

static bool produce(void *context, struct wr_buf *out)
{
	(void)context;
	wr_buf_append_view(out, WR_VIEW("part"));
	return --parts_left != 0;
}

static void release(void *context)
{
	(void)context;
	release_count++;
}

static bool path_begins(const struct wr_http_exchange *exchange, const char *text)
{
	return wr_view_starts(exchange->target.path, wr_view_of_string(text));
}

static void on_head(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	CHECK(!current->has_fault && !exchange->is_answered);
	current->asks_for_head = wr_view_equal(exchange->head->method_text, WR_VIEW("HEAD"));
	if (path_begins(exchange, "/early")) {
		note_request(current, exchange->head->method_text, exchange->target.path,
			     WR_VIEW_NULL);
		wr_http_answer(exchange, 403, WR_VIEW("early"));
		return;
	}
	exchange->body_bytes_max = body_bytes_max;
}

static void on_request(void *context, struct wr_http_exchange *exchange, struct wr_view body)
{
	static const struct wr_http_producer producer = {NULL, produce, release};

	(void)context;
	note_request(current, exchange->head->method_text, exchange->target.path, body);
	if (path_begins(exchange, "/parts")) {
		parts_left = 3;
		begin_count++;
		wr_http_answer_produced(exchange, 200, &producer);
	} else if (path_begins(exchange, "/none")) {
		wr_http_answer(exchange, 204, WR_VIEW_NULL);
	} else if (path_begins(exchange, "/close")) {
		wr_http_answer_close(exchange);
		wr_http_answer(exchange, 200, WR_VIEW("closing"));
	} else {
		wr_http_answer(exchange, 200, body);
	}
}

static void on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	(void)exchange;
	wr_test_fail(__FILE__, __LINE__, "no exchange is kept");
}

static void on_fault(void *context, struct wr_buf *body, unsigned status,
		     enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context;
	(void)fault;
	CHECK(!current->has_fault);
	wr_buf_append_view(body, WR_VIEW("fault"));
	if (kind == WR_HTTP_SERVER_FAULT_BODY_SIZE) {
		/* The head was understood: the body is skipped, and what follows is served. */
		CHECK_U64(status, 413);
		note_request(current, current->asks_for_head ? WR_VIEW("HEAD") : WR_VIEW("GET"),
			     WR_VIEW("413"), WR_VIEW_NULL);
		return;
	}
	current->has_fault = true;
	current->fault_status = status;
}

/* ---- one connection ---- */

static void receive(int fd, bool *is_ended)
{
	ssize_t got = recv(fd, current->received + current->received_bytes,
			   sizeof current->received - current->received_bytes, 0);

	CHECK(current->received_bytes < sizeof current->received);
	if (got > 0)
		current->received_bytes += (size_t)got;
	*is_ended = got == 0 || (got < 0 && errno != EAGAIN);
}

static void converse(struct wr_reactor *reactor, struct wr_http_server *server, int fd,
		     struct wr_view input, struct fuzz_cuts cuts)
{
	bool is_ended = false, is_shut = false;
	size_t given = 0, sent = 0;

	for (unsigned i = 0; !is_ended; i++) {
		CHECK(i < 2 * INPUT_BYTES_MAX + TURNS_MAX);
		if (sent == given && given < input.bytes)
			given = fuzz_cut(&cuts, given, input.bytes);
		if (sent < given)
			sent += sockets_send(fd, wr_view_of(input.data + sent, given - sent));
		if (sent == input.bytes && !is_shut)
			is_shut = shutdown(fd, SHUT_WR) == 0;
		wr_reactor_turn(reactor, 0);
		receive(fd, &is_ended);
	}
	close(fd);
	for (unsigned i = 0; wr_http_server_connection_count(server) != 0; i++) {
		CHECK(i < TURNS_MAX);
		wr_reactor_turn(reactor, 1);
	}
}

static void serve(struct story *story, struct wr_view input, struct fuzz_cuts cuts)
{
	const struct wr_http_app app = {NULL, on_head, on_request, on_abandon, on_fault};
	struct wr_http_server_config config;
	struct wr_http_server *server;
	struct wr_reactor reactor;
	struct wr_address address;
	struct wr_error error;
	int fd = sockets_open();

	story_init(story);
	current = story;
	release_count = begin_count = 0;
	sockets_address(&address);
	wr_http_server_defaults(&config);
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	server = wr_http_server_new(&reactor, wr_test_allocator(), &config, &app, &address, &error);
	CHECK(server != NULL);
	CHECK(connect(fd, sockets_name(&address), address.bytes) == 0);
	sockets_nonblocking(fd);
	converse(&reactor, server, fd, input, cuts);
	wr_http_server_free(server);
	wr_reactor_deinit(&reactor);
	CHECK_U64(release_count, begin_count);
	wr_buf_append_byte(&story->asked, '\0'); /* for strstr */
	CHECK_STATUS(wr_buf_status(&story->asked), WR_OK);
	wr_buf_truncate(&story->asked, story->asked.bytes - 1);
}

/* ---- what our own client would make of the answers ---- */

static void read_body(struct story *self, const struct wr_http_head *head, struct wr_view *rest)
{
	struct wr_http_body body;

	wr_http_body_init(&body, head->framing, head->body_bytes);
	while (!body.is_complete) {
		struct wr_view piece;
		size_t used;
		enum wr_status status = wr_http_body_feed(&body, &piece, &used, *rest);

		wr_buf_append_view(&self->answered, piece);
		*rest = wr_view_skip(*rest, used);
		if (status == WR_MORE)
			break;
		CHECK_STATUS(status, WR_OK);
	}
	CHECK_STATUS(wr_http_body_end(&body), WR_OK);
}

static void read_answers(struct story *self)
{
	static struct wr_http_head head;
	struct wr_view rest = wr_view_of(self->received, self->received_bytes);
	unsigned count = 0;

	while (rest.bytes != 0) {
		bool to_head = count < self->request_count && self->is_to_head[count];
		struct wr_http_head_parser parser = {0};
		size_t bytes;

		CHECK_STATUS(wr_http_response_parse(&parser, &head, &bytes, rest, to_head), WR_OK);
		rest = wr_view_skip(rest, bytes);
		if (head.status == 100)
			continue;
		CHECK(head.status >= 200);
		count++;
		wr_buf_append_u64(&self->answered, head.status);
		wr_buf_append_byte(&self->answered, ' ');
		/* The server's own may be to a HEAD that was not for the app. */
		if (count <= self->request_count || rest.bytes != 0)
			read_body(self, &head, &rest);
		wr_buf_append_byte(&self->answered, '\n');
		CHECK(head.is_keep_alive || rest.bytes == 0);
	}
	CHECK_U64(count, self->request_count + self->has_fault);
	if (self->has_fault)
		CHECK_U64(head.status, self->fault_status);
}

/* ---- the same bytes, read naively ---- */

enum naive_end { NAIVE_CUT, NAIVE_LAST, NAIVE_FAULT };

/* An answer of unknown length to an old client (RFC 9112 6.3). */
static bool is_until_close(const struct naive_head *head, struct wr_view path)
{
	return wr_view_equal(head->first[2], WR_VIEW("HTTP/1.0")) &&
	       wr_view_starts(path, WR_VIEW("/parts"));
}

/* One request off the front; NAIVE_LAST: the connection ends behind it. False: nothing more is to
 * be had, *end tells why. */
static bool naive_request(struct story *story, struct wr_view *rest, enum naive_end *end)
{
	static struct naive_head head;
	static struct naive_body body;
	struct wr_view payload = WR_VIEW_NULL;
	struct wr_http_target target;
	size_t used = 0;

	*end = NAIVE_FAULT;
	if (!naive_parse(&head, *rest, true) ||
	    wr_http_target_split(&target, head.first[1]) != WR_OK)
		return false;
	*rest = wr_view_skip(*rest, head.bytes);
	if (wr_view_starts(target.path, WR_VIEW("/early")))
		return false; /* what becomes of its body is not for this reading */
	if (head.has_length) {
		if (head.length > body_bytes_max)
			return false;
		*end = NAIVE_CUT;
		if (head.length > rest->bytes)
			return false;
		used = (size_t)head.length;
		payload = wr_view_of(rest->data, used);
	} else if (head.is_chunked) {
		enum wr_status status = naive_decode(&body, *rest);
		if (body.payload_bytes > body_bytes_max)
			return false;
		*end = status == WR_MORE ? NAIVE_CUT : NAIVE_FAULT;
		if (status != WR_OK)
			return false;
		used = body.at;
		payload = wr_view_of(body.payload, body.payload_bytes);
	}
	*rest = wr_view_skip(*rest, used);
	note_request(story, head.first[0], target.path, payload);
	*end = head.is_keep_alive && !wr_view_starts(target.path, WR_VIEW("/close")) &&
			       !is_until_close(&head, target.path)
		       ? NAIVE_CUT
		       : NAIVE_LAST;
	return true;
}

/* The second reading is told by what it must agree on: every request that it finds, in order, and
 * none when it finds no fault. */
static void check_naive(const struct story *served, struct wr_view input)
{
	static struct story naive;
	struct wr_view rest = input;
	enum naive_end end = NAIVE_CUT;

	story_init(&naive);
	while (rest.bytes != 0 && end == NAIVE_CUT)
		if (!naive_request(&naive, &rest, &end))
			break;
	CHECK(wr_view_starts(wr_buf_view(&served->asked), wr_buf_view(&naive.asked)));
	if (end == NAIVE_LAST)
		CHECK_U64(served->asked.bytes, naive.asked.bytes);
	/* Beyond what it read there is at most what was answered before its body came, and then. */
	if (strstr(served->asked_room, " /early") == NULL &&
	    strstr(served->asked_room, " 413 ") == NULL)
		CHECK_U64(served->asked.bytes, naive.asked.bytes);
}

/* How it was cut makes no difference, but for one: whether the connection goes on behind an early
 * refusal depends on how much of the body had come (RFC 9110 10.1.1). */
static void check_same(const struct wr_buf *a, const struct wr_buf *b, const struct story *story)
{
	struct wr_view left = wr_buf_view(a), right = wr_buf_view(b);

	if (strstr(story->asked_room, " /early") == NULL)
		CHECK_VIEW(left, right);
	else
		CHECK(wr_view_starts(left, right) || wr_view_starts(right, left));
}

void fuzz_one(struct wr_view input)
{
	static struct story whole, pieces;
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input)), once = {255, 0};

	body_bytes_max = (size_t)fuzz_u8(&input) * 16;
	if (input.bytes > INPUT_BYTES_MAX)
		return;
	serve(&pieces, input, cuts);
	read_answers(&pieces);
	check_naive(&pieces, input);
	serve(&whole, input, once);
	read_answers(&whole);
	check_same(&whole.asked, &pieces.asked, &whole);
	check_same(&whole.answered, &pieces.answered, &whole);
}
