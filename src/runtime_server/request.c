#include "runtime_server/request.h"

/* ---- answers ---- */

void wr_refuse(struct wr_request *request, enum wr_wire_error error, struct wr_view message)
{
	struct wr_http_exchange *exchange = request->exchange;
	struct wr_buf *body = wr_http_answer_body(exchange);
	unsigned retry_after_s = wr_wire_error_retry_after_s(error);

	if (retry_after_s != 0)
		wr_http_answer_retry_after(exchange, retry_after_s);
	if (error == WR_WIRE_UNAUTHORIZED)
		wr_http_answer_field(exchange, WR_VIEW("WWW-Authenticate"), WR_VIEW("Bearer"));
	if (error == WR_WIRE_WORKER_NOT_FOUND)
		wr_error_json_worker_not_found(body, request->worker_id,
					       request->server->runtime_id);
	else
		wr_error_json_write(body, error, message, WR_VIEW_NULL);
	wr_http_answer(exchange, wr_wire_error_http(error), wr_buf_view(body));
}

void wr_refuse_status(struct wr_request *request, enum wr_status status,
		      const struct wr_error *error)
{
	wr_refuse(request, wr_wire_error_of(status), wr_view_of_string(error->detail));
}

void wr_refuse_query(struct wr_request *request, enum wr_status status)
{
	wr_refuse(request, status == WR_INVALID ? WR_WIRE_INVALID_QUERY : WR_WIRE_OVERLOADED,
		  WR_VIEW_NULL);
}

void wr_refuse_json(struct wr_request *request, enum wr_status status, const struct wr_error *error)
{
	if (status == WR_NO_MEMORY)
		wr_refuse(request, WR_WIRE_OVERLOADED, WR_VIEW_NULL);
	else
		wr_refuse(request, WR_WIRE_INVALID_JSON, wr_view_of_string(error->detail));
}

void wr_hold(struct wr_request *request)
{
	wr_storage_hold(&request->server->storage, request->exchange, request->worker_id);
}

/* ---- its Worker ---- */

const struct wr_worker *wr_request_worker(struct wr_request *request)
{
	const struct wr_worker *worker;

	if (!wr_request_has_worker_id(request))
		return NULL;
	worker = wr_runtime_find(request->server->runtime, request->worker_id);
	if (worker == NULL)
		wr_refuse(request, WR_WIRE_WORKER_NOT_FOUND, WR_VIEW_NULL);
	return worker;
}

const struct wr_worker *wr_request_whole_worker(struct wr_request *request)
{
	const struct wr_worker *worker = wr_request_worker(request);

	if (worker == NULL || !worker->is_quarantined)
		return worker;
	wr_refuse(request, WR_WIRE_STORE_CORRUPT, WR_VIEW_NULL);
	return NULL;
}
