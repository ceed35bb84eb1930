#include "backend/remote_calls.h"

#include "backend/remote_calls_private.h"
#include "check.h"

enum {
	QUEUE = 64,
	/* A Runtime keeps an idle connection for 60 s: ours end before. */
	IDLE_MS = 30000,
	/* What can be read of an answer (wire/answer_json.c). */
	DROPPED_BYTES_MAX = 8192
};

static const uint8_t connections[WR_REMOTE_LANE_COUNT] = {
	[WR_REMOTE_LISTS] = 2,
	[WR_REMOTE_READS] = 3,
	[WR_REMOTE_COMMANDS] = 3,
};

static struct wr_http_client *lane_of(const struct wr_remote_calls *self,
				      enum wr_source_operation operation)
{
	if (operation == WR_SOURCE_LIST)
		return self->lanes[WR_REMOTE_LISTS];
	return self->lanes[wr_source_is_command(operation) ? WR_REMOTE_COMMANDS : WR_REMOTE_READS];
}

/* ---- ends ---- */

static void forget_call(struct wr_remote_call *self)
{
	wr_http_call_cancel(&self->http);
	wr_list_remove(&self->place);
	wr_allocator_free(self->calls->allocator, self, sizeof *self);
}

static void end_at_once(struct wr_source_call *call, const struct wr_source_result *result)
{
	wr_assert(call->source_private == NULL);
	call->on_done(call, result);
}

void wr_remote_calls_refuse(struct wr_source_call *call, enum wr_remote_cause cause)
{
	struct wr_source_result result;

	wr_remote_refuse(&result, call->operation, cause);
	end_at_once(call, &result);
}

/* What the answer says; Workers and entries are told on the way. */
static void judge(struct wr_remote_call *self, struct wr_source_result *result,
		  const struct wr_http_outcome *outcome)
{
	enum wr_source_operation operation = self->source->operation;
	enum wr_remote_cause cause = WR_REMOTE_CAUSE_CLIENT;
	enum wr_status status;

	*result = (struct wr_source_result){.outcome = WR_SOURCE_ACCEPTED};
	if (outcome->status == WR_OK && outcome->head->status >= 200 &&
	    outcome->head->status <= 299) {
		status = wr_remote_answer_read(self, result, outcome->body);
		if (status == WR_OK)
			return;
		if (status != WR_NO_MEMORY)
			cause = WR_REMOTE_CAUSE_MALFORMED;
	} else {
		cause = wr_remote_cause_of(operation, outcome, self->calls->allocator);
	}
	wr_remote_refuse(result, operation, cause);
	wr_remote_add_doubt(result, operation, outcome);
}

static void on_http_done(struct wr_http_call *http, const struct wr_http_outcome *outcome)
{
	struct wr_remote_call *self = wr_container_of(http, struct wr_remote_call, http);
	struct wr_source_result result;
	struct wr_source_call *source;

	self->is_telling = true;
	judge(self, &result, outcome);
	source = self->source;
	forget_call(self);
	if (source == NULL)
		return;
	source->source_private = NULL;
	end_at_once(source, &result);
}

void wr_remote_calls_cancel(struct wr_remote_calls *self, struct wr_source_call *call)
{
	struct wr_remote_call *remote = call->source_private;

	if (remote == NULL)
		return;
	wr_assert(remote->calls == self && remote->source == call);
	call->source_private = NULL;
	remote->source = NULL;
	if (!remote->is_telling)
		forget_call(remote);
}

/* ---- begin ---- */

/* WR_OK: it is under way. */
static enum wr_status send_call(struct wr_remote_calls *self, struct wr_source_call *call)
{
	struct wr_remote_call *remote = wr_allocator_take_zeroed(self->allocator, sizeof *remote);
	struct wr_remote_request request;
	enum wr_status status;

	if (remote == NULL)
		return WR_NO_MEMORY;
	remote->calls = self;
	remote->source = call;
	remote->http.on_done = on_http_done;
	wr_list_push(&self->calls, &remote->place);
	status = wr_remote_request_init(&request, &remote->http, self, call);
	if (status == WR_OK)
		status = wr_http_call_begin(&remote->http, lane_of(self, call->operation));
	wr_remote_request_deinit(&request);
	if (status == WR_OK)
		call->source_private = remote;
	else
		forget_call(remote);
	return status;
}

void wr_remote_calls_begin(struct wr_remote_calls *self, struct wr_source_call *call)
{
	const struct wr_source_result nothing = {.outcome = WR_SOURCE_ACCEPTED};
	enum wr_status status;

	wr_assert(call->source_private == NULL);
	if (call->operation == WR_SOURCE_LIST && call->as.list.limit == 0) {
		end_at_once(call, &nothing);
		return;
	}
	status = send_call(self, call);
	if (status == WR_INVALID)
		wr_remote_calls_refuse(call, WR_REMOTE_CAUSE_KEY_INVALID);
	else if (status == WR_TOO_LARGE)
		wr_remote_calls_refuse(call, WR_REMOTE_CAUSE_TOO_LARGE);
	else if (status != WR_OK)
		wr_remote_calls_refuse(call, WR_REMOTE_CAUSE_CLIENT);
}

/* ---- life ---- */

enum wr_status wr_remote_calls_init(struct wr_remote_calls *self, struct wr_reactor *reactor,
				    struct wr_allocator *allocator,
				    const struct wr_http_client_config *http, uint32_t ms_max)
{
	struct wr_http_client_config config = *http;
	enum wr_status status = WR_OK;

	*self = (struct wr_remote_calls){.allocator = allocator, .ms_max = ms_max};
	wr_list_init(&self->calls);
	wr_buf_init(&self->dropped, allocator, DROPPED_BYTES_MAX);
	config.queue_count_max = QUEUE;
	config.idle_ms_max = IDLE_MS;
	for (unsigned i = 0; status == WR_OK && i < WR_REMOTE_LANE_COUNT; i++) {
		config.connection_count_max = connections[i];
		status = wr_http_client_new(&self->lanes[i], reactor, allocator, &config);
	}
	if (status != WR_OK)
		wr_remote_calls_deinit(self);
	return status;
}

void wr_remote_calls_deinit(struct wr_remote_calls *self)
{
	wr_list_each (node, after, &self->calls) {
		struct wr_remote_call *call = wr_list_entry(node, struct wr_remote_call, place);

		wr_assert(!call->is_telling);
		call->source->source_private = NULL;
		forget_call(call);
	}
	wr_buf_deinit(&self->dropped);
	for (unsigned i = 0; i < WR_REMOTE_LANE_COUNT; i++)
		if (self->lanes[i] != NULL)
			wr_http_client_free(self->lanes[i]);
	for (unsigned i = 0; i < WR_REMOTE_LANE_COUNT; i++)
		self->lanes[i] = NULL;
}
