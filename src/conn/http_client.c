#include "check.h"
#include "codec/http/message.h"
#include "conn/http_client_private.h"

#include <string.h>

enum { CONNECTIONS = 4, QUEUE = 256, IDLE_MS = 20000 };

static void on_deadline(struct wr_timer *timer)
{
	struct wr_http_call *call = wr_container_of(timer, struct wr_http_call, deadline);
	const struct wr_http_outcome outcome = {.status = WR_TIMEOUT};

	if (call->conn != NULL)
		wr_client_conn_fail(call->conn, WR_TIMEOUT, 0);
	else
		wr_http_call_finish(call, &outcome);
}

/* ---- connections for calls ---- */

/* An idle connection; a call that is repeated wants a new one. */
static struct wr_client_conn *find_idle(struct wr_http_client *self, bool is_repeated)
{
	wr_list_each (node, after, &self->conns) {
		struct wr_client_conn *conn = wr_list_entry(node, struct wr_client_conn, place);
		if (conn->state != WR_CLIENT_IDLE)
			continue;
		if (!is_repeated)
			return conn;
		wr_client_conn_close(conn); /* as old as the one that failed */
	}
	return NULL;
}

/* False: it must wait. */
static bool start(struct wr_http_client *self, struct wr_http_call *call)
{
	struct wr_client_conn *conn = find_idle(self, call->was_repeated);
	struct wr_http_outcome outcome = {.status = WR_UNAVAILABLE};

	if (conn == NULL) {
		if (self->conn_count >= self->config.connection_count_max)
			return false;
		conn = wr_client_conn_open(self, &outcome.os_error);
	}
	wr_list_remove(&call->place);
	self->waiting_count--;
	if (conn != NULL) {
		wr_client_conn_attach(conn, call);
		return true;
	}
	if (outcome.os_error == 0)
		outcome.status = WR_NO_MEMORY;
	wr_http_call_finish(call, &outcome);
	return true;
}

static void on_kick(struct wr_timer *timer)
{
	struct wr_http_client *self = wr_container_of(timer, struct wr_http_client, kick);
	uint32_t count = self->waiting_count;

	/* Those that are here now: a call that fails at once may be begun again meanwhile. */
	for (; count != 0 && !wr_list_is_empty(&self->waiting); count--)
		if (!start(self, wr_list_entry(self->waiting.next, struct wr_http_call, place)))
			return;
	wr_http_client_kick(self);
}

/* ---- calls ---- */

static bool wants_length(const struct wr_http_call *call)
{
	return call->body.data != NULL || wr_view_equal(call->method, WR_VIEW("POST")) ||
	       wr_view_equal(call->method, WR_VIEW("PUT"));
}

static enum wr_status write_request(const struct wr_http_client *self, struct wr_http_call *call)
{
	const struct wr_http_client_config *config = &self->config;
	struct wr_buf *out = &call->request;

	wr_buf_init(out, self->allocator,
		    WR_HTTP_HEAD_BYTES_MAX + call->fields.bytes + call->body.bytes);
	wr_buf_append_view(out, call->method);
	wr_buf_append_byte(out, ' ');
	wr_buf_append_view(out, config->target_prefix);
	wr_buf_append_view(out, call->target);
	wr_buf_append_view(out, WR_VIEW(" HTTP/1.1\r\n"));
	wr_http_write_field(out, WR_VIEW("Host"), config->host);
	if (config->authorization.data != NULL)
		wr_http_write_field(out, WR_VIEW("Authorization"), config->authorization);
	wr_buf_append_view(out, call->fields);
	if (wants_length(call))
		wr_http_write_field_u64(out, WR_VIEW("Content-Length"), call->body.bytes);
	wr_http_write_head_end(out);
	wr_buf_append_view(out, call->body);
	return wr_buf_status(out);
}

enum wr_status wr_http_call_begin(struct wr_http_call *call, struct wr_http_client *client)
{
	enum wr_status status;

	wr_assert(call->client == NULL);
	if (client->waiting_count >= client->config.queue_count_max)
		return WR_OVERLOAD;
	call->conn = NULL;
	call->was_repeated = call->is_paused = false;
	call->is_to_head = wr_view_equal(call->method, WR_VIEW("HEAD"));
	call->deadline.on_due = on_deadline;
	status = write_request(client, call);
	if (status == WR_OK)
		status = wr_timer_set(client->reactor, &call->deadline, call->ms_max);
	if (status == WR_OK && !wr_timer_is_set(&client->kick)) {
		status = wr_timer_set(client->reactor, &client->kick, 0);
		if (status != WR_OK)
			wr_timer_cancel(client->reactor, &call->deadline);
	}
	if (status != WR_OK) {
		wr_buf_deinit(&call->request);
		return status;
	}
	call->client = client;
	wr_list_init(&call->place);
	wr_list_push(&client->waiting, &call->place);
	client->waiting_count++;
	return WR_OK;
}

void wr_http_call_cancel(struct wr_http_call *call)
{
	struct wr_client_conn *conn = call->conn;
	struct wr_http_client *self = call->client;

	if (self == NULL)
		return;
	wr_http_call_detach(call);
	/* Whoever stands in one of its functions closes the connection. */
	if (conn != NULL && !conn->is_in_call)
		wr_client_conn_close(conn);
	wr_http_client_kick(self);
}

void wr_http_call_pause(struct wr_http_call *call)
{
	wr_assert(call->on_data != NULL);
	if (call->client == NULL || call->is_paused)
		return;
	call->is_paused = true;
	wr_timer_cancel(call->client->reactor, &call->deadline);
	if (call->conn != NULL)
		wr_client_conn_want(call->conn);
}

void wr_http_call_resume(struct wr_http_call *call)
{
	if (call->client == NULL || !call->is_paused)
		return;
	call->is_paused = false;
	(void)wr_timer_set(call->client->reactor, &call->deadline, call->ms_max);
	if (call->conn != NULL)
		wr_client_conn_want(call->conn);
}

/* ---- life ---- */

void wr_http_client_defaults(struct wr_http_client_config *config)
{
	*config = (struct wr_http_client_config){.connection_count_max = CONNECTIONS,
						 .queue_count_max = QUEUE,
						 .idle_ms_max = IDLE_MS};
}

/* Nothing in a text can end a line or the head. */
static bool belongs_in_head(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	return true;
}

/* Copies the texts behind each other. */
static enum wr_status keep_texts(struct wr_http_client *self)
{
	struct wr_view *views[] = {&self->config.host, &self->config.target_prefix,
				   &self->config.authorization, &self->config.host_name};
	struct wr_buf *texts = &self->texts;
	size_t at = 0;

	wr_buf_init(texts, self->allocator, WR_HTTP_HEAD_BYTES_MAX);
	for (unsigned i = 0; i < WR_COUNT(views); i++) {
		if (!belongs_in_head(*views[i]))
			return WR_INVALID;
		wr_buf_append_view(texts, *views[i]);
	}
	if (wr_buf_status(texts) != WR_OK)
		return wr_buf_status(texts);
	for (unsigned i = 0; i < WR_COUNT(views); i++) {
		if (views[i]->data != NULL)
			views[i]->data = texts->data + at;
		at += views[i]->bytes;
	}
	return WR_OK;
}

enum wr_status wr_http_client_new(struct wr_http_client **out, struct wr_reactor *reactor,
				  struct wr_allocator *allocator,
				  const struct wr_http_client_config *config)
{
	struct wr_http_client *self = wr_allocator_take_zeroed(allocator, sizeof *self);
	enum wr_status status;

	if (self == NULL)
		return WR_NO_MEMORY;
	self->reactor = reactor;
	self->allocator = allocator;
	self->config = *config;
	self->kick.on_due = on_kick;
	wr_list_init(&self->conns);
	wr_list_init(&self->waiting);
	status = keep_texts(self);
	if (status == WR_OK) {
		*out = self;
		return WR_OK;
	}
	wr_http_client_free(self);
	return status;
}

/* Authorization is a secret: a plain memset before a free may be left out by the compiler. */
static void wipe(struct wr_buf *texts)
{
	volatile char *bytes = texts->data;

	for (size_t i = 0; i < texts->bytes; i++)
		bytes[i] = 0;
	wr_buf_deinit(texts);
}

void wr_http_client_free(struct wr_http_client *self)
{
	wr_list_each (node, after, &self->waiting) {
		wr_http_call_detach(wr_list_entry(node, struct wr_http_call, place));
	}
	wr_list_each (node, after, &self->conns) {
		struct wr_client_conn *conn = wr_list_entry(node, struct wr_client_conn, place);
		if (conn->call != NULL)
			wr_http_call_detach(conn->call);
		wr_client_conn_close(conn);
	}
	wr_timer_cancel(self->reactor, &self->kick);
	wipe(&self->texts);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

uint32_t wr_http_client_connection_count(const struct wr_http_client *self)
{
	return self->conn_count;
}
