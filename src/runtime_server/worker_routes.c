/* What REST says about Workers (contract 2.4-2.9): decode, one call into core, encode. */
#include "check.h"
#include "codec/http/target.h"
#include "runtime_server/routes.h"
#include "wire/command_json.h"
#include "wire/worker_json.h"

/* A page that is being written: lives until its last byte is. */
struct list_answer {
	struct wr_allocator *allocator;
	struct wr_worker_list_page page;
};

struct transcript_answer {
	struct wr_allocator *allocator;
	struct wr_transcript_page page;
};

/* Memory for a page in the making; NULL, and answered, when there is none. */
static void *take_answer(struct wr_request *request, size_t bytes)
{
	void *answer = wr_allocator_take(&request->server->allocator, bytes);

	if (answer == NULL)
		wr_refuse(request, WR_WIRE_OVERLOADED, WR_VIEW_NULL);
	return answer;
}

/* ---- reading ---- */

static bool produce_list(void *context, struct wr_buf *out)
{
	struct list_answer *answer = context;

	return wr_worker_list_next(&answer->page, out) && !answer->page.is_done;
}

static void release_list(void *context)
{
	struct list_answer *answer = context;

	wr_allocator_free(answer->allocator, answer, sizeof *answer);
}

void wr_serve_worker_list(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_http_producer producer = {.produce = produce_list, .release = release_list};
	struct wr_list_query query;
	struct list_answer *answer;
	enum wr_status status =
		wr_list_query_read(&query, &server->texts, request->exchange->target.query);

	if (status != WR_OK) {
		wr_refuse_query(request, status);
		return;
	}
	answer = take_answer(request, sizeof *answer);
	if (answer == NULL)
		return;
	answer->allocator = &server->allocator;
	wr_worker_list_begin(&answer->page, server->runtime, &query);
	producer.context = answer;
	wr_http_answer_produced(request->exchange, 200, &producer);
}

static void answer_worker(struct wr_request *request, unsigned http_status,
			  const struct wr_worker *worker, const struct wr_face *created)
{
	struct wr_buf *body = wr_http_answer_body(request->exchange);

	wr_worker_json_write(body, request->server->runtime, worker, created);
	wr_http_answer(request->exchange, http_status, wr_buf_view(body));
}

void wr_serve_worker_detail(struct wr_request *request)
{
	const struct wr_worker *worker = wr_request_worker(request);

	if (worker != NULL)
		answer_worker(request, 200, worker, NULL);
}

static bool produce_transcript(void *context, struct wr_buf *out)
{
	struct transcript_answer *answer = context;

	return wr_transcript_page_next(&answer->page, out) && !answer->page.is_done;
}

static void release_transcript(void *context)
{
	struct transcript_answer *answer = context;

	wr_allocator_free(answer->allocator, answer, sizeof *answer);
}

/* Reads the query in the contract's order; false, and answered, when it is not acceptable. Without
 * a limit the page is as long as usual, or as the configured maximum lets it be. */
static bool read_page_query(struct wr_request *request, struct wr_page_query *query)
{
	uint64_t items_max = request->server->config->hosting.transcript_items_max;

	if (wr_transcript_query_read(query, request->exchange->target.query) != WR_OK) {
		wr_refuse(request, WR_WIRE_INVALID_QUERY, WR_VIEW_NULL);
		return false;
	}
	if (query->limit <= items_max)
		return true;
	if (query->has_limit) {
		wr_refuse(request, WR_WIRE_LIMIT_TOO_LARGE, WR_VIEW_NULL);
		return false;
	}
	query->limit = items_max;
	return true;
}

void wr_serve_worker_transcript(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_http_producer producer = {.produce = produce_transcript,
					    .release = release_transcript};
	const struct wr_worker *worker;
	struct transcript_answer *answer;
	struct wr_page_query query;
	enum wr_status status;

	if (!wr_request_has_worker_id(request) || !read_page_query(request, &query))
		return;
	worker = wr_request_whole_worker(request);
	if (worker == NULL)
		return;
	answer = take_answer(request, sizeof *answer);
	if (answer == NULL)
		return;
	answer->allocator = &server->allocator;
	status = wr_transcript_page_begin(&answer->page, server->runtime, worker, &query,
					  (enum wr_compat)server->config->compat);
	if (status != WR_OK) {
		release_transcript(answer);
		wr_refuse(request, wr_wire_error_of(status), WR_VIEW_NULL);
		return;
	}
	producer.context = answer;
	wr_http_answer_produced(request->exchange, 200, &producer);
}

/* ---- commands ---- */

/* The Worker as decisions see it: its creation may still be as little visible as its answer. */
static const struct wr_worker *decided_worker(const struct wr_request *request)
{
	return wr_runtime_find_at_head(request->server->runtime, request->worker_id);
}

/* Two outcomes mean something else for a create than elsewhere. */
static void refuse_create(struct wr_request *request, enum wr_status status,
			  const struct wr_error *error)
{
	if (status == WR_FULL && error->detail != NULL)
		wr_refuse(request, WR_WIRE_LIMIT_WORKERS, WR_VIEW_NULL);
	else if (status == WR_NOT_FOUND)
		wr_refuse(request, WR_WIRE_INVALID_PROFILE_SELECTOR,
			  wr_view_of_string(error->detail));
	else
		wr_refuse_status(request, status, error);
}

static void answer_location(struct wr_request *request, struct wr_view id)
{
	char text[sizeof "/v1/workers/" + 3 * (size_t)WR_ID_BYTES_MAX];
	struct wr_buf location;

	wr_buf_init_fixed(&location, text, sizeof text);
	wr_buf_append_view(&location, WR_VIEW("/v1/workers/"));
	wr_http_percent_encode(&location, id);
	wr_assert(wr_buf_status(&location) == WR_OK);
	wr_http_answer_field(request->exchange, WR_VIEW("Location"), wr_buf_view(&location));
}

void wr_serve_worker_create(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_error error = {0};
	const struct wr_worker *worker;
	struct wr_create create;
	struct wr_face face;
	enum wr_status status;

	status = wr_create_json_read(&create, &server->texts, request->body, &error);
	if (status != WR_OK) {
		wr_refuse_json(request, status, &error);
		return;
	}
	status = wr_runtime_create(server->runtime, &create, request->key, &worker, &error);
	wr_hold(request);
	if (status != WR_OK) {
		refuse_create(request, status, &error);
		return;
	}
	face = wr_runtime_created_face(worker);
	answer_location(request, worker->id);
	answer_worker(request, 201, worker, &face);
}

void wr_serve_worker_input(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_error error = {0};
	struct wr_input input;
	struct wr_ack ack;
	enum wr_status status;
	struct wr_buf *body;

	status = wr_input_json_read(&input, &server->texts, request->body, &error);
	if (status != WR_OK) {
		wr_refuse_json(request, status, &error);
		return;
	}
	status = wr_runtime_input(server->runtime, request->worker_id, &input, request->key, &ack,
				  &error);
	wr_hold(request);
	if (status != WR_OK) {
		wr_refuse_status(request, status, &error);
		return;
	}
	body = wr_http_answer_body(request->exchange);
	wr_input_ack_json_write(body, server->runtime, decided_worker(request), &ack);
	wr_http_answer(request->exchange, 200, wr_buf_view(body));
}

/* The acknowledgement of stop, cancel or interrupt, or the error. */
static void answer_lifecycle(struct wr_request *request, enum wr_status status,
			     const struct wr_ack *ack)
{
	const struct wr_runtime *runtime = request->server->runtime;
	static const struct wr_error no_detail = {0};
	struct wr_buf *body;

	wr_hold(request);
	if (status != WR_OK) {
		wr_refuse_status(request, status, &no_detail);
		return;
	}
	body = wr_http_answer_body(request->exchange);
	wr_lifecycle_ack_json_write(body, runtime, decided_worker(request), ack);
	wr_http_answer(request->exchange, 200, wr_buf_view(body));
}

/* The reason, which may be absent; false, and answered, when the body is not one. */
static bool read_reason(struct wr_request *request, struct wr_view *reason)
{
	struct wr_error error = {0};
	enum wr_status status =
		wr_lifecycle_json_read(reason, &request->server->texts, request->body, &error);

	if (status != WR_OK)
		wr_refuse_json(request, status, &error);
	return status == WR_OK;
}

void wr_serve_worker_stop(struct wr_request *request)
{
	struct wr_view reason;
	struct wr_ack ack;

	if (read_reason(request, &reason))
		answer_lifecycle(request,
				 wr_runtime_stop_worker(request->server->runtime,
							request->worker_id, reason, request->key,
							&ack),
				 &ack);
}

void wr_serve_worker_cancel(struct wr_request *request)
{
	struct wr_view reason;
	struct wr_ack ack;

	if (read_reason(request, &reason))
		answer_lifecycle(request,
				 wr_runtime_cancel_worker(request->server->runtime,
							  request->worker_id, reason, request->key,
							  &ack),
				 &ack);
}

/* An interrupt of a Worker at rest is a conflict with its turn, not with its status. */
void wr_serve_worker_interrupt(struct wr_request *request)
{
	struct wr_view reason;
	struct wr_ack ack;
	enum wr_status status;

	if (!read_reason(request, &reason))
		return;
	status = wr_runtime_interrupt(request->server->runtime, request->worker_id, request->key,
				      &ack);
	if (status != WR_CONFLICT || decided_worker(request)->now.status != WR_WORKER_RUNNING) {
		answer_lifecycle(request, status, &ack);
		return;
	}
	wr_hold(request);
	wr_refuse(request, WR_WIRE_NO_TURN, WR_VIEW_NULL);
}
