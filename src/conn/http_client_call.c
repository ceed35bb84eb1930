/* How a call leaves its connection: for good, or to wait for another. */
#include "conn/http_client_private.h"

void wr_http_call_detach(struct wr_http_call *call)
{
	struct wr_http_client *self = call->client;

	wr_timer_cancel(self->reactor, &call->deadline);
	if (call->conn != NULL) {
		call->conn->call = NULL;
		call->conn = NULL;
	} else if (!wr_list_is_empty(&call->place)) {
		wr_list_remove(&call->place);
		self->waiting_count--;
	}
	wr_buf_deinit(&call->request);
	call->client = NULL;
}

void wr_http_client_kick(struct wr_http_client *self)
{
	if (!wr_list_is_empty(&self->waiting) && !wr_timer_is_set(&self->kick))
		(void)wr_timer_set(self->reactor, &self->kick, 0);
}

void wr_http_call_finish(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	struct wr_http_client *self = call->client;

	wr_http_call_detach(call);
	call->on_done(call, outcome);
	wr_http_client_kick(self);
}

void wr_http_call_repeat(struct wr_http_call *call)
{
	struct wr_http_client *self = call->client;

	call->was_repeated = true;
	wr_list_push(&self->waiting, &call->place);
	self->waiting_count++;
	wr_http_client_kick(self);
}
