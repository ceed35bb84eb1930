/*
 * Readers of what memory no longer has. Nothing is kept for one of them but its place in the log:
 * frames are read from the store, decoded and made again for every send, which gives the same bytes
 * each time, so that a frame that was half sent is just made once more. Those that can be sent to
 * wait in one queue, and take turns of one send each; all together have a share of a reactor turn.
 * Whose frames the feed has to fetch first leaves the queue until it has them.
 */
#include "observe/flow.h"

#include "io/clock.h"

enum {
	/* What all of them may send, and how long they may read, in one reactor turn, of which
	 * nothing may take more than 50 ms (P10). The last read begins within it. */
	TURN_BYTES_MAX = WR_SUBSCRIBER_TURN_BYTES_MAX,
	TURN_MS_MAX = 10
};

/* What is left of the share. */
struct share {
	uint64_t bytes, until_ms;
};

static bool is_used_up(const struct share *share)
{
	return share->bytes == 0 || wr_clock_monotonic_ms() > share->until_ms;
}

/* Whether everything behind `sequence`, and with `offset` also the frame itself, is still kept. */
static bool is_kept(const struct wr_fanout *fanout, uint32_t worker, uint64_t sequence,
		    uint32_t offset)
{
	const struct wr_feed *feed = &fanout->feed;
	uint64_t evicted = feed->ops->evicted(feed->context, worker);

	return offset == 0 ? evicted <= sequence : evicted < sequence;
}

bool wr_stored_flow_enter(struct wr_fanout *fanout, struct wr_subscription *self, uint64_t sequence,
			  uint32_t offset)
{
	if (!is_kept(fanout, self->worker, sequence, offset))
		return false;
	wr_list_remove(&self->place);
	self->state = WR_SUBSCRIPTION_STORED;
	self->at = sequence;
	self->offset = offset & WR_OFFSET_MASK;
	wr_stored_flow_push(fanout, self);
	return true;
}

void wr_stored_flow_push(struct wr_fanout *fanout, struct wr_subscription *self)
{
	if (!wr_list_is_empty(&self->place) || wr_ws_conn_is_blocked(wr_ws_conn_of(self)))
		return;
	/* The share of this turn may have been spent already. */
	if (wr_list_is_empty(&fanout->backlog))
		wr_reactor_again(fanout->reactor);
	wr_list_push(&fanout->backlog, &self->place);
}

void wr_stored_flow_resume(struct wr_fanout *fanout, struct wr_subscription *self)
{
	self->state = WR_SUBSCRIPTION_STORED;
	wr_stored_flow_push(fanout, self);
}

/* What comes next is not here yet. */
static void park(struct wr_fanout *fanout, struct wr_subscription *self)
{
	self->state = WR_SUBSCRIPTION_PARKED;
	wr_list_push(wr_flow_waiting(fanout, self->worker), &self->place);
	wr_flow_caught_up(fanout, self);
}

/* Reads the frames behind key->after, as many as one send takes, unless they are there; *index is
 * of the first. WR_OK: there is at least one. */
static enum wr_status read_frames(struct wr_fanout *fanout, struct wr_rendered *rendered,
				  const struct wr_rendered_key *key, const struct share *share,
				  uint32_t *index)
{
	const struct wr_feed *feed = &fanout->feed;
	struct wr_store_place place = {0, 0};
	uint64_t sequence = key->after;
	enum wr_status status = WR_OK;

	*index = wr_rendered_seek(rendered, key);
	if (*index < rendered->count)
		return WR_OK;
	*index = 0;
	wr_rendered_begin(rendered, key);
	while (wr_rendered_has_room(rendered) && (rendered->count == 0 || !is_used_up(share))) {
		struct wr_view frame;
		status = feed->ops->stored_frame(feed->context, key->worker, sequence, &place,
						 &sequence, &frame);
		if (status == WR_OK && wr_rendered_add(rendered, sequence, frame, 0) == NULL)
			status = WR_NO_MEMORY;
		if (status != WR_OK)
			break;
	}
	/* What could be read is sent first. */
	return rendered->count != 0 ? WR_OK : status;
}

/* The frames could not be read: a typed end, or at least none that looks orderly. */
static void give_up(struct wr_fanout *fanout, struct wr_subscription *self, enum wr_status why)
{
	if (self->offset != 0 || why == WR_NO_MEMORY)
		wr_flow_abort(fanout, self);
	else if (why == WR_EXPIRED)
		wr_flow_expire(fanout, self);
	else
		wr_flow_end(fanout, self, WR_FEED_FAILED, why, 0);
}

/* From byte `offset` of the rendered frames on. */
static void send_frames(struct wr_fanout *fanout, struct wr_subscription *self,
			const struct wr_rendered *rendered, size_t offset, struct share *share)
{
	struct iovec part = {rendered->bytes.data + offset, rendered->bytes.bytes - offset};
	size_t sent = 0;
	enum wr_status status =
		wr_ws_conn_stream(wr_ws_conn_of(self), &part, 1, part.iov_len, &sent);

	if (status == WR_CLOSED) {
		wr_flow_leave(fanout, self);
		return;
	}
	wr_flow_stand(self, rendered, offset + sent);
	share->bytes -= sent < share->bytes ? sent : share->bytes;
	wr_stored_flow_push(fanout, self); /* unless it is blocked: on_writable does it then */
}

/* One send to one reader. */
static void serve(struct wr_fanout *fanout, struct wr_subscription *self, struct share *share)
{
	uint64_t gone = wr_flow_gone(fanout, self->worker);
	struct wr_rendered *rendered = wr_flow_rendered(fanout);
	struct wr_rendered_key key = {
		.is_stored = true,
		.worker = self->worker,
		.after = self->offset == 0 ? self->at : self->at - 1,
	};
	enum wr_status status = WR_NO_MEMORY;
	uint32_t index = 0;

	if (self->offset == 0 && self->at >= gone) {
		wr_flow_go_on(fanout, self, self->at);
		return;
	}
	if (!is_kept(fanout, self->worker, self->at, self->offset)) {
		give_up(fanout, self, WR_EXPIRED);
		return;
	}
	if (rendered != NULL)
		status = read_frames(fanout, rendered, &key, share, &index);
	if (status == WR_NOT_FOUND && self->offset == 0)
		wr_flow_go_on(fanout, self, gone); /* there is none that is not in memory */
	else if (status == WR_MORE)
		park(fanout, self);
	else if (status != WR_OK)
		give_up(fanout, self, status);
	else if (self->offset != 0 && rendered->frames[index].sequence != self->at)
		give_up(fanout, self, WR_CORRUPT); /* its frame is not there any more */
	else
		send_frames(fanout, self, rendered,
			    wr_rendered_start(rendered, index) + self->offset, share);
}

void wr_stored_flow_turn(struct wr_fanout *fanout)
{
	struct share share = {.bytes = TURN_BYTES_MAX};

	if (wr_list_is_empty(&fanout->backlog))
		return;
	share.until_ms = wr_clock_monotonic_ms() + TURN_MS_MAX;
	do {
		struct wr_list *first = fanout->backlog.next;
		wr_list_remove(first);
		serve(fanout, wr_list_entry(first, struct wr_subscription, place), &share);
	} while (!wr_list_is_empty(&fanout->backlog) && !is_used_up(&share));
	if (!wr_list_is_empty(&fanout->backlog))
		wr_reactor_again(fanout->reactor);
}
