/*
 * One call of our client, answered by the input. Options: cuts; method (0: GET, 1: HEAD); whether
 * the body is handed on in pieces; then what the remote answers before it ends the connection.
 *
 * The call ends once, soon; with an answer exactly when a naive reading of the bytes finds a whole
 * one, and then with the same body; cut otherwise it is the same.
 */
#include "check.h"
#include "conn/http_client.h"
#include "sockets.h"
#include "unit/codec/http/naive_body.h"
#include "unit/codec/http/naive_head.h"

enum { ROOM = 65536, BODY_BYTES_MAX = 2048, INPUT_BYTES_MAX = 8192, TURNS_MAX = 4000 };
enum { INTERIM_MAX = 8 }; /* as in http_client_conn.c */

struct asked {
	struct wr_http_call call;
	unsigned done_count;
	enum wr_status status;
	unsigned http_status;
	char body[ROOM];
	size_t body_bytes;
};

static void on_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	self->done_count++;
	self->status = outcome->status;
	CHECK((outcome->head != NULL) == (outcome->status == WR_OK));
	if (outcome->status != WR_OK)
		return;
	self->http_status = outcome->head->status;
	if (call->on_data != NULL)
		return;
	CHECK(outcome->body.bytes <= BODY_BYTES_MAX);
	if (outcome->body.bytes != 0)
		memcpy(self->body, outcome->body.data, outcome->body.bytes);
	self->body_bytes = outcome->body.bytes;
}

static bool on_head(struct wr_http_call *call, const struct wr_http_head *head)
{
	CHECK(head->status >= 200);
	(void)call;
	return true;
}

static void on_data(struct wr_http_call *call, struct wr_view data)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	CHECK(self->body_bytes + data.bytes <= sizeof self->body);
	memcpy(self->body + self->body_bytes, data.data, data.bytes);
	self->body_bytes += data.bytes;
}

/* ---- the remote ---- */

struct remote {
	int listener, fd;
	char request[1024];
	size_t request_bytes;
	size_t given, sent;
	bool is_over;
};

static void remote_turn(struct remote *self, struct wr_view answer, struct fuzz_cuts *cuts)
{
	ssize_t got;

	if (self->fd < 0) {
		self->fd = accept(self->listener, NULL, NULL);
		if (self->fd >= 0)
			sockets_nonblocking(self->fd);
		return;
	}
	if (self->is_over)
		return;
	got = recv(self->fd, self->request + self->request_bytes,
		   sizeof self->request - self->request_bytes - 1, 0);
	if (got > 0)
		self->request_bytes += (size_t)got;
	self->request[self->request_bytes] = '\0';
	if (strstr(self->request, "\r\n\r\n") == NULL)
		return;
	if (self->sent == self->given && self->given < answer.bytes)
		self->given = fuzz_cut(cuts, self->given, answer.bytes);
	if (self->sent < self->given)
		self->sent += sockets_send(
			self->fd, wr_view_of(answer.data + self->sent, self->given - self->sent));
	if (self->sent == answer.bytes || got == 0) {
		shutdown(self->fd, SHUT_WR);
		self->is_over = true;
	}
}

static void ask(struct asked *asked, struct wr_view answer, struct fuzz_cuts cuts, bool is_head,
		bool is_handed_on)
{
	struct remote remote = {.listener = sockets_open(), .fd = -1};
	struct wr_http_client_config config;
	struct wr_http_client *client;
	struct wr_reactor reactor;
	struct wr_error error;

	wr_http_client_defaults(&config);
	config.host = WR_VIEW("remote");
	sockets_address(&config.address);
	CHECK(bind(remote.listener, sockets_name(&config.address), config.address.bytes) == 0);
	CHECK(listen(remote.listener, 4) == 0);
	sockets_nonblocking(remote.listener);
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(wr_http_client_new(&client, &reactor, wr_test_allocator(), &config), WR_OK);
	memset(asked, 0, offsetof(struct asked, body));
	asked->body_bytes = 0;
	asked->call.method = is_head ? WR_VIEW("HEAD") : WR_VIEW("GET");
	asked->call.target = WR_VIEW("/");
	asked->call.ms_max = 10000;
	asked->call.body_bytes_max = BODY_BYTES_MAX;
	asked->call.on_done = on_done;
	asked->call.on_head = is_handed_on ? on_head : NULL;
	asked->call.on_data = is_handed_on ? on_data : NULL;
	CHECK_STATUS(wr_http_call_begin(&asked->call, client), WR_OK);
	for (unsigned i = 0; asked->done_count == 0; i++) {
		CHECK(i < INPUT_BYTES_MAX + TURNS_MAX);
		wr_reactor_turn(&reactor, 0);
		remote_turn(&remote, answer, &cuts);
	}
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(asked->done_count, 1);
	wr_http_client_free(client);
	wr_reactor_deinit(&reactor);
	if (remote.fd >= 0)
		close(remote.fd);
	close(remote.listener);
	unlink(((const struct sockaddr_un *)(const void *)&config.address.storage)->sun_path);
}

/* ---- the same bytes, read naively ---- */

/* WR_MORE: there is no whole answer. Any other failure: it is none. */
static enum wr_status naive_answer(struct wr_view *payload, unsigned *status, struct wr_view input,
				   bool is_head)
{
	static struct naive_head head;
	static struct naive_body body;
	enum wr_status decoded;
	unsigned interim = 0;

	do {
		/* Bad or cut. */
		if (!naive_parse(&head, input, false) || interim++ > INTERIM_MAX)
			return WR_SYNTAX;
		input = wr_view_skip(input, head.bytes);
		*status = (unsigned)((head.first[1].data[0] - '0') * 100 +
				     (head.first[1].data[1] - '0') * 10 + head.first[1].data[2] -
				     '0');
		if (*status == 101)
			return WR_SYNTAX;
	} while (*status < 200);
	*payload = WR_VIEW_NULL;
	if (is_head || *status == 204 || *status == 304)
		return WR_OK;
	if (head.is_chunked) {
		decoded = naive_decode(&body, input);
		*payload = wr_view_of(body.payload, body.payload_bytes);
		return decoded;
	}
	if (head.has_length && head.length > input.bytes)
		return head.length > BODY_BYTES_MAX ? WR_TOO_LARGE : WR_MORE;
	*payload = wr_view_of(input.data, head.has_length ? (size_t)head.length : input.bytes);
	return WR_OK;
}

static void check(const struct asked *asked, struct wr_view input, bool is_head, bool is_handed_on)
{
	struct wr_view payload = WR_VIEW_NULL;
	unsigned status = 0;
	enum wr_status expected = naive_answer(&payload, &status, input, is_head);

	if (expected == WR_OK && !is_handed_on && payload.bytes > BODY_BYTES_MAX)
		expected = WR_TOO_LARGE;
	CHECK(asked->status == WR_OK || asked->status == WR_CLOSED || asked->status == WR_SYNTAX ||
	      asked->status == WR_UNSUPPORTED || asked->status == WR_TOO_LARGE);
	CHECK((asked->status == WR_OK) == (expected == WR_OK));
	if (expected != WR_OK)
		return;
	CHECK_U64(asked->http_status, status);
	CHECK_VIEW(wr_view_of(asked->body, asked->body_bytes), payload);
}

void fuzz_one(struct wr_view input)
{
	static struct asked whole, pieces;
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input)), once = {255, 0};
	bool is_head = fuzz_u8(&input) % 2 != 0, is_handed_on = fuzz_u8(&input) % 2 != 0;

	if (input.bytes > INPUT_BYTES_MAX)
		return;
	ask(&pieces, input, cuts, is_head, is_handed_on);
	check(&pieces, input, is_head, is_handed_on);
	ask(&whole, input, once, is_head, is_handed_on);
	CHECK_STATUS(whole.status, pieces.status);
	CHECK_VIEW(wr_view_of(whole.body, whole.body_bytes),
		   wr_view_of(pieces.body, pieces.body_bytes));
}
