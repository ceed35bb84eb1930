/* What the face can say at once: sources and hosts as they are, the workspace, itself, and the
 * files of the console. */
#include "backend/browser_json.h"
#include "backend/browser_private.h"
#include "check.h"
#include "io/clock.h"

/* ---- Runtimes and hosts ---- */

static void add_notices(struct wr_notices *all, const struct wr_notices *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		wr_notices_add(all, more->items[i].code, more->items[i].severity,
			       more->items[i].message);
}

/* One item for each source, up to the limit. */
static void answer_sources(struct wr_browser_request *request, bool as_hosts)
{
	const struct wr_browser_config *config = &request->face->config;
	const struct wr_registry *registry = config->registry;
	struct wr_buf *body = wr_http_answer_body(request->exchange);
	struct wr_notices notices = {.count = 0};
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, body);
	wr_browser_list_begin(&writer, config->workspace_id, config->list_limit);
	for (uint32_t i = 0; i < registry->count && i < config->list_limit; i++) {
		struct wr_runtime_handle *handle = registry->handles[i];
		struct wr_runtime_overview overview;

		handle->ops->overview(handle, &overview);
		if (as_hosts)
			wr_browser_host_write(&writer, &overview, config->list_limit,
					      wr_clock_wall_ms());
		else
			wr_browser_runtime_write(&writer, &overview, config->list_limit);
		add_notices(&notices, as_hosts ? &overview.host_notices : &overview.notices);
	}
	wr_browser_list_end(&writer, &notices);
	wr_browser_answer(request->exchange, 200, body);
}

void wr_browser_serve_runtimes(struct wr_browser_request *request)
{
	answer_sources(request, false);
}

void wr_browser_serve_hosts(struct wr_browser_request *request)
{
	answer_sources(request, true);
}

void wr_browser_serve_runtime(struct wr_browser_request *request)
{
	struct wr_buf *body = wr_http_answer_body(request->exchange);
	struct wr_runtime_overview overview;
	struct wr_json_writer writer;

	request->handle->ops->overview(request->handle, &overview);
	wr_json_writer_init(&writer, body);
	wr_browser_runtime_write(&writer, &overview, request->face->config.list_limit);
	wr_browser_answer(request->exchange, 200, body);
}

/* ---- the workspace ---- */

void wr_browser_serve_workspace(struct wr_browser_request *request)
{
	const struct wr_browser_config *config = &request->face->config;
	struct wr_browser_workspace workspace = {
		.workspace_id = config->workspace_id,
		.display_name = config->display_name,
		.is_token_configured = config->guard->tokens->count != 0,
	};
	struct wr_buf *body = wr_http_answer_body(request->exchange);
	struct wr_json_writer writer;

	for (uint32_t i = 0; i < config->registry->count; i++)
		if (config->registry->handles[i]->ops->observe != NULL)
			workspace.has_streams = true;
	wr_json_writer_init(&writer, body);
	wr_browser_workspace_write(&writer, &workspace);
	wr_browser_answer(request->exchange, 200, body);
}

/* ---- tickets ---- */

void wr_browser_serve_ticket(struct wr_browser_request *request)
{
	char text[WR_TICKET_TEXT_BYTES];
	struct wr_json_writer writer;
	struct wr_buf *body;

	if (wr_tickets_issue(&request->face->tickets, text, request->may,
			     wr_clock_monotonic_ms()) != WR_OK) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_INTERNAL);
		return;
	}
	body = wr_http_answer_body(request->exchange);
	wr_json_writer_init(&writer, body);
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("ticket"), wr_view_of(text, sizeof text));
	wr_json_member_u64(&writer, WR_VIEW("expires_in_ms"), WR_TICKET_MS);
	wr_json_object_end(&writer);
	wr_browser_answer(request->exchange, 201, body);
}

/* ---- itself ---- */

void wr_browser_serve_healthz(struct wr_browser_request *request)
{
	struct wr_buf *body = wr_http_answer_body(request->exchange);

	wr_buf_append_view(body, WR_VIEW("{\"status\":\"ok\"}"));
	wr_browser_answer(request->exchange, 200, body);
}

void wr_browser_serve_readyz(struct wr_browser_request *request)
{
	if (request->face->state == WR_BROWSER_SERVING)
		wr_browser_serve_healthz(request);
	else
		wr_browser_refuse_wire(request->exchange, WR_WIRE_RUNTIME_UNAVAILABLE);
}

/* ---- the console ---- */

/* Whether the browser has just these bytes already (RFC 9110 13.1.2). */
static bool is_known(const struct wr_http_head *head, const struct wr_console_file *file)
{
	struct wr_view tags = wr_http_head_find(head, WR_VIEW("If-None-Match"));

	return wr_http_list_has(tags, wr_view_of_string(file->tag)) ||
	       wr_view_equal(tags, WR_VIEW("*"));
}

/* The page holds no secret, but it acts with its user's credential: nothing from elsewhere may run
 * in it or show it in a frame, it may talk to its own server only, and no text becomes markup. */
void wr_browser_serve_file(struct wr_http_exchange *exchange, const struct wr_console_file *file)
{
	wr_http_answer_field(exchange, WR_VIEW("Content-Type"),
			     wr_view_of_string(file->content_type));
	wr_http_answer_field(exchange, WR_VIEW("Content-Security-Policy"),
			     WR_VIEW("default-src 'none'; script-src 'self'; style-src 'self'; "
				     "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
				     "form-action 'none'; frame-ancestors 'none'; "
				     "require-trusted-types-for 'script'; trusted-types 'none'"));
	wr_http_answer_field(exchange, WR_VIEW("X-Content-Type-Options"), WR_VIEW("nosniff"));
	wr_http_answer_field(exchange, WR_VIEW("Referrer-Policy"), WR_VIEW("no-referrer"));
	wr_http_answer_field(exchange, WR_VIEW("Cache-Control"), WR_VIEW("no-cache"));
	wr_http_answer_field(exchange, WR_VIEW("ETag"), wr_view_of_string(file->tag));
	if (is_known(exchange->head, file))
		wr_http_answer(exchange, 304, WR_VIEW_NULL);
	else
		wr_http_answer(exchange, 200, wr_view_of(file->data, file->bytes));
}
