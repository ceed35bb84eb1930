/*
 * How a stream begins, and those that wait until their feed knows how.
 */
#include "check.h"
#include "io/clock.h"
#include "observe/flow.h"

#include <string.h>

enum {
	/* How long feeds may be asked in one reactor turn (P10). The last question begins in it. */
	TURN_MS_MAX = 10
};

/* The token is a view into the request, or what is kept of one. */
static bool keep_cursor(struct wr_fanout *self, struct wr_subscription *subscription,
			struct wr_view cursor)
{
	struct wr_waiting_cursor *kept = subscription->in.cursor;

	if (cursor.data == NULL || kept != NULL)
		return true;
	kept = wr_allocator_take(self->allocator, sizeof *kept + cursor.bytes);
	if (kept == NULL)
		return false;
	kept->bytes = (uint32_t)cursor.bytes;
	memcpy(kept->text, cursor.data, cursor.bytes);
	subscription->in.cursor = kept;
	return true;
}

static void wait_for_feed(struct wr_fanout *self, struct wr_subscription *subscription,
			  struct wr_view cursor)
{
	if (!keep_cursor(self, subscription, cursor)) {
		wr_flow_abort(self, subscription);
		return;
	}
	wr_list_push(wr_flow_waiting(self, subscription->worker), &subscription->place);
	wr_flow_caught_up(self, subscription);
}

/* The feed has answered: what it made goes out, then what follows. */
static void begin(struct wr_fanout *self, struct wr_subscription *subscription,
		  enum wr_status outcome, uint64_t sequence)
{
	bool is_made = wr_buf_status(&self->scratch) == WR_OK && outcome != WR_NO_MEMORY;
	enum wr_status status = is_made ? WR_OK : WR_NO_MEMORY;

	if (is_made && outcome != WR_OK) {
		wr_flow_end(self, subscription, WR_FEED_REFUSED, outcome, sequence);
		return;
	}
	if (is_made && self->scratch.bytes != 0)
		status = wr_flow_send_scratch(self, subscription);
	if (status == WR_OK) {
		wr_flow_go_on(self, subscription, sequence);
	} else if (status != WR_CLOSED) {
		wr_flow_reset_scratch(self);
		wr_flow_abort(self, subscription);
	}
}

/* A WAITING one that is in no list. */
static void open_stream(struct wr_fanout *self, struct wr_subscription *subscription,
			struct wr_view cursor)
{
	const struct wr_feed *feed = &self->feed;
	enum wr_status outcome = WR_MALFORMED;
	uint64_t sequence = 0;

	wr_flow_reset_scratch(self);
	if (cursor.bytes <= WR_WAITING_CURSOR_BYTES_MAX)
		outcome = feed->ops->open(feed->context, subscription->worker, cursor,
					  &self->scratch, &sequence);
	if (outcome == WR_MORE) {
		wait_for_feed(self, subscription, cursor);
		return;
	}
	wr_flow_leave(self, subscription); /* it no longer waits */
	begin(self, subscription, outcome, sequence);
}

void wr_fanout_accept(struct wr_fanout *self, struct wr_http_exchange *exchange, uint32_t worker,
		      struct wr_view cursor)
{
	const struct wr_feed_ops *ops = self->feed.ops;
	struct wr_subscription *subscription;
	struct wr_ws_conn *conn;
	char text[WR_WAITING_CURSOR_BYTES_MAX];

	wr_assert(worker != 0 || ops->patch != NULL);
	/* It is a view into the request, which is gone after the upgrade. Of a longer one only the
	 * length will be looked at. */
	if (cursor.data != NULL && cursor.bytes <= sizeof text) {
		memcpy(text, cursor.data, cursor.bytes);
		cursor.data = text;
	}
	conn = wr_ws_conn_accept(self->group, exchange, WR_VIEW_NULL);
	if (conn == NULL)
		return;
	subscription = wr_ws_conn_app(conn);
	subscription->is_open = true;
	subscription->worker = worker;
	subscription->state = WR_SUBSCRIPTION_WAITING;
	wr_list_init(&subscription->place);
	if (ops->count != NULL)
		ops->count(self->feed.context, worker, 1);
	open_stream(self, subscription, cursor);
}

/* ---- those that wait ---- */

void wr_fanout_resume(struct wr_fanout *self, uint32_t scope)
{
	wr_list_each (node, after, wr_flow_waiting(self, scope)) {
		struct wr_subscription *subscription =
			wr_list_entry(node, struct wr_subscription, place);
		if (subscription->worker != scope)
			continue;
		wr_list_remove(node);
		if (subscription->state == WR_SUBSCRIPTION_PARKED) {
			wr_stored_flow_resume(self, subscription);
			continue;
		}
		wr_list_push(&self->resumed, node);
		wr_reactor_again(self->reactor);
	}
}

static void open_first(struct wr_fanout *self)
{
	struct wr_list *first = self->resumed.next;
	struct wr_subscription *subscription = wr_list_entry(first, struct wr_subscription, place);
	const struct wr_waiting_cursor *kept = subscription->in.cursor;

	wr_list_remove(first);
	open_stream(self, subscription,
		    kept == NULL ? WR_VIEW_NULL : wr_view_of(kept->text, kept->bytes));
}

void wr_opening_turn(struct wr_fanout *self)
{
	uint64_t until_ms;

	if (wr_list_is_empty(&self->resumed))
		return;
	until_ms = wr_clock_monotonic_ms() + TURN_MS_MAX;
	do {
		open_first(self);
	} while (!wr_list_is_empty(&self->resumed) && wr_clock_monotonic_ms() <= until_ms);
	if (!wr_list_is_empty(&self->resumed))
		wr_reactor_again(self->reactor);
}
