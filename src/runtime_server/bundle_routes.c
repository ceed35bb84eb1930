/* What REST says about config bundles (contract 9): decode, one call into core, encode. */
#include "bounds.h"
#include "codec/http/target.h"
#include "runtime_server/routes.h"
#include "wire/bundle_json.h"

/* ---- the list ---- */

enum { PIECE_BYTES = 10240 };

/* A list that is being written, bundle by bundle as they are then: it lives until its last byte is.
 */
struct list_answer {
	struct wr_allocator *allocator;
	struct wr_runtime *runtime;
	bool has_begun;
	size_t after_bytes; /* of the id below; 0: none yet */
	char after[WR_CONFIG_BUNDLE_ID_BYTES_MAX];
};

static struct wr_view id_before(const struct list_answer *self)
{
	return self->after_bytes == 0 ? WR_VIEW_NULL : wr_view_of(self->after, self->after_bytes);
}

static void append_listed(struct list_answer *self, struct wr_buf *out,
			  const struct wr_config_bundle *bundle)
{
	struct wr_bundle_summary summary = wr_bundle_summary_of(bundle);
	struct wr_json_writer writer;

	if (self->after_bytes != 0)
		wr_buf_append_byte(out, ',');
	wr_json_writer_init(&writer, out);
	wr_bundle_summary_json(&writer, &summary);
	memcpy(self->after, bundle->id.data, bundle->id.bytes);
	self->after_bytes = bundle->id.bytes;
}

static bool produce_list(void *context, struct wr_buf *out)
{
	struct list_answer *self = context;
	const struct wr_config_bundle *bundle =
		wr_runtime_next_bundle(self->runtime, id_before(self));
	size_t start = out->bytes;

	if (!self->has_begun)
		wr_buf_append_view(out, WR_VIEW("{\"bundles\":["));
	self->has_begun = true;
	while (bundle != NULL && out->bytes - start < PIECE_BYTES && wr_buf_status(out) == WR_OK) {
		append_listed(self, out, bundle);
		bundle = wr_runtime_next_bundle(self->runtime, id_before(self));
	}
	if (bundle != NULL)
		return wr_buf_status(out) == WR_OK;
	wr_buf_append_view(out, WR_VIEW("]}"));
	return false;
}

static void release_list(void *context)
{
	struct list_answer *self = context;

	wr_allocator_free(self->allocator, self, sizeof *self);
}

void wr_serve_bundle_list(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_http_producer producer = {.produce = produce_list, .release = release_list};
	struct list_answer *answer = wr_allocator_take_zeroed(&server->allocator, sizeof *answer);

	if (answer == NULL) {
		wr_refuse(request, WR_WIRE_OVERLOADED, WR_VIEW_NULL);
		return;
	}
	answer->allocator = &server->allocator;
	answer->runtime = server->runtime;
	producer.context = answer;
	wr_http_answer_produced(request->exchange, 200, &producer);
}

/* ---- one bundle ---- */

static void answer_availability(struct wr_request *request, const struct wr_config_bundle *bundle)
{
	struct wr_buf *body = wr_http_answer_body(request->exchange);
	struct wr_bundle_summary summary = wr_bundle_summary_of(bundle);
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, body);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("availability"));
	wr_bundle_availability_json(&writer, &summary);
	wr_json_object_end(&writer);
	wr_http_answer(request->exchange, 200, wr_buf_view(body));
}

/* The id in the path; absent when it cannot be that of a bundle. */
static struct wr_view read_id(const struct wr_request *request, char out[WR_HTTP_TARGET_BYTES_MAX])
{
	struct wr_view raw = request->exchange->match.parameters[0];
	size_t bytes;

	if (raw.bytes > WR_HTTP_TARGET_BYTES_MAX ||
	    wr_http_percent_decode(out, &bytes, raw, false) != WR_OK)
		return WR_VIEW_NULL;
	return wr_view_of(out, bytes);
}

void wr_serve_bundle_availability(struct wr_request *request)
{
	struct wr_server *server = request->server;
	char text[WR_HTTP_TARGET_BYTES_MAX];
	const struct wr_config_bundle *bundle;
	struct wr_view id, digest;
	enum wr_status status;

	status = wr_digest_query_read(&digest, &server->texts, request->exchange->target.query);
	if (status != WR_OK) {
		wr_refuse(request,
			  status == WR_INVALID ? WR_WIRE_INVALID_QUERY : WR_WIRE_OVERLOADED,
			  WR_VIEW_NULL);
		return;
	}
	id = read_id(request, text);
	status = wr_runtime_judge_bundle(server->runtime, id, digest, &bundle);
	if (status == WR_OK)
		answer_availability(request, bundle);
	else
		wr_refuse(request, wr_wire_error_of(status), WR_VIEW_NULL);
}

/* ---- storing ---- */

/* Two outcomes mean something else for a bundle than elsewhere. */
static void refuse_store(struct wr_request *request, enum wr_status status,
			 const struct wr_error *error)
{
	if (status == WR_FULL && error->detail != NULL)
		wr_refuse(request, WR_WIRE_LIMIT_CONFIG_BUNDLES, WR_VIEW_NULL);
	else if (status == WR_NOT_FOUND)
		wr_refuse(request, WR_WIRE_INVALID_PROFILE_SELECTOR,
			  wr_view_of_string(error->detail));
	else
		wr_refuse_status(request, status, error);
}

/* The answer says nothing but what the request did: so a repeated one is answered alike, whatever
 * the bundle has become since. */
void wr_serve_bundle_store(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_config_bundle bundle;
	struct wr_error error = {0};
	enum wr_status status;

	status = wr_bundle_json_read(&bundle, &server->texts, request->body, &error);
	if (status != WR_OK) {
		wr_refuse_json(request, status, &error);
		return;
	}
	status = wr_runtime_store_bundle(server->runtime, &bundle, request->key, &error);
	wr_hold(request);
	if (status == WR_OK)
		answer_availability(request, &bundle);
	else
		refuse_store(request, status, &error);
}
