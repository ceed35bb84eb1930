/* What every answer of the face has in common, and refusals. */
#include "backend/browser_private.h"

/* What is told is of this moment and for this caller. */
void wr_browser_answer(struct wr_http_exchange *exchange, unsigned http, struct wr_buf *body)
{
	wr_http_answer_field(exchange, WR_VIEW("Cache-Control"), WR_VIEW("no-store"));
	wr_http_answer_field(exchange, WR_VIEW("X-Content-Type-Options"), WR_VIEW("nosniff"));
	wr_http_answer(exchange, http, wr_buf_view(body));
}

void wr_browser_refuse(struct wr_http_exchange *exchange, const struct wr_browser_error *error,
		       struct wr_view id)
{
	struct wr_buf *body = wr_http_answer_body(exchange);

	if (error->retry_after_s != 0)
		wr_http_answer_retry_after(exchange, error->retry_after_s);
	if (error->http == 401)
		wr_http_answer_field(exchange, WR_VIEW("WWW-Authenticate"), WR_VIEW("Bearer"));
	wr_browser_error_write(body, error, id);
	wr_browser_answer(exchange, error->http, body);
}

void wr_browser_refuse_name(struct wr_http_exchange *exchange, enum wr_browser_error_name name,
			    struct wr_view id)
{
	struct wr_browser_error error = wr_browser_error_of(name);

	wr_browser_refuse(exchange, &error, id);
}

void wr_browser_refuse_wire(struct wr_http_exchange *exchange, enum wr_wire_error error)
{
	struct wr_browser_error refusal = wr_browser_error_of_wire(error);

	wr_browser_refuse(exchange, &refusal, WR_VIEW_NULL);
}
