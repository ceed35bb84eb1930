/*
 * scripted_feed — a feed that knows what a test tells it to know, on the sockets of rig.h.
 *
 * Each scope has a story: frames whose bytes follow from scope and sequence, so that what a reader
 * must have got can be told exactly. Its beginning lies elsewhere (as a Backend's would) and can be
 * had up to `ready`; what is appended goes into the log.
 */
#ifndef WR_TESTS_OBSERVE_SCRIPTED_FEED_H
#define WR_TESTS_OBSERVE_SCRIPTED_FEED_H

#include "io/clock.h"
#include "unit/observe/reader.h"
#include "wire/text_frame.h"

enum {
	FEED_SCOPES = 5, /* 1 to 4 */
	FEED_STORY = 512,
	/* Sequences up to here were before the log: each scope has all of them. */
	FEED_PAST = 10,
	FEED_REFUSAL_SEQUENCE = 77
};

struct scripted_scope {
	struct wr_event_stream stream;
	uint64_t story[FEED_STORY]; /* its sequences */
	uint32_t length;
	uint64_t ready;	  /* stored frames can be had up to here, above: WR_MORE */
	uint64_t evicted; /* gone for good */
	enum wr_status opens_with;
	enum wr_status stored_with; /* not WR_OK: what stored_frame answers */
	bool is_accepted;
	int count;
	unsigned asked, refused; /* calls of open; of diagnose */
	char cursor[128];	 /* of the last one, "-" when absent */
};

static struct scripted_feed {
	struct wr_event_log log;
	struct wr_buf frame; /* lent by stored_frame */
	uint64_t next;
	struct scripted_scope scopes[FEED_SCOPES];
	uint64_t open_ms;	/* that each open takes */
	bool is_out_of_scratch; /* open finds no memory for what it makes */
	uint64_t fail_n;	/* not 0: allocations fail from that one after each open on */
	unsigned trims;
} feed;

static inline struct scripted_scope *scope_of(uint32_t scope)
{
	CHECK(scope > 0 && scope < FEED_SCOPES);
	return &feed.scopes[scope];
}

/* ---- frames ---- */

static inline void put_text_frame(struct wr_buf *out, const char *text, size_t padding)
{
	size_t start = wr_text_frame_begin(out);

	wr_buf_append(out, text, strlen(text));
	for (size_t i = 0; i < padding; i++)
		wr_buf_append_byte(out, (char)('a' + (char)((i + padding) % 26)));
	wr_text_frame_end(out, start);
}

static inline void put_frame(struct wr_buf *out, uint32_t scope, uint64_t sequence)
{
	char text[64];

	snprintf(text, sizeof text, "scope %u sequence %u ", scope, (unsigned)sequence);
	put_text_frame(out, text, (size_t)(sequence * 37 % 300));
}

static inline void put_snapshot(struct wr_buf *out, uint32_t scope, uint64_t sequence)
{
	char text[64];

	snprintf(text, sizeof text, "snapshot of scope %u at %u", scope, (unsigned)sequence);
	put_text_frame(out, text, 0);
}

static inline void put_news(struct wr_buf *out, uint32_t scope, enum wr_feed_news news,
			    enum wr_status why, uint64_t sequence)
{
	char text[128];

	snprintf(text, sizeof text, "scope %u news %d why %s sequence %u", scope, (int)news,
		 wr_status_name(why), (unsigned)sequence);
	put_text_frame(out, text, 0);
}

/* ---- the feed ---- */

static inline struct wr_event_stream *feed_stream(void *context, uint32_t scope)
{
	(void)context;
	CHECK(scope_of(scope)->is_accepted);
	return &scope_of(scope)->stream;
}

static inline void feed_spend(uint64_t ms)
{
	uint64_t until = wr_clock_monotonic_ms() + ms;

	while (ms != 0 && wr_clock_monotonic_ms() < until)
		;
}

/* A cursor is the sequence in decimal. */
static inline enum wr_status feed_open(void *context, uint32_t scope, struct wr_view cursor,
				       struct wr_buf *out, uint64_t *sequence)
{
	struct scripted_scope *self = scope_of(scope);

	(void)context;
	CHECK(self->count > 0 && out->bytes == 0);
	self->asked++;
	snprintf(self->cursor, sizeof self->cursor, "%.*s",
		 cursor.data == NULL ? 1 : (int)cursor.bytes,
		 cursor.data == NULL ? "-" : cursor.data);
	feed_spend(feed.open_ms);
	if (feed.fail_n != 0)
		wr_test_fail_allocation(feed.fail_n, true);
	if (self->opens_with != WR_OK) {
		wr_buf_append_byte(out, '?'); /* what is there then is nobody's */
		*sequence = FEED_REFUSAL_SEQUENCE;
		return self->opens_with;
	}
	self->is_accepted = true;
	*sequence = cursor.data == NULL ? feed.next - 1 : strtoull(self->cursor, NULL, 10);
	if (cursor.data == NULL)
		put_snapshot(out, scope, *sequence);
	if (feed.is_out_of_scratch)
		out->status = WR_NO_MEMORY;
	return WR_OK;
}

static inline uint64_t feed_evicted(void *context, uint32_t scope)
{
	(void)context;
	return scope_of(scope)->evicted;
}

static inline enum wr_status feed_stored_frame(void *context, uint32_t scope, uint64_t after,
					       struct wr_store_place *place, uint64_t *sequence,
					       struct wr_view *frame)
{
	const struct scripted_scope *self = scope_of(scope);

	(void)context, (void)place;
	if (self->stored_with != WR_OK)
		return self->stored_with;
	for (uint32_t i = 0; i < self->length; i++) {
		if (self->story[i] <= after)
			continue;
		if (self->story[i] > self->stream.evicted)
			break;
		if (self->story[i] > self->ready)
			return WR_MORE;
		wr_buf_reset(&feed.frame);
		put_frame(&feed.frame, scope, self->story[i]);
		if (wr_buf_status(&feed.frame) != WR_OK)
			return WR_NO_MEMORY;
		*sequence = self->story[i];
		*frame = wr_buf_view(&feed.frame);
		return WR_OK;
	}
	return WR_NOT_FOUND;
}

static inline void feed_diagnose(void *context, struct wr_buf *out, uint32_t scope,
				 enum wr_feed_news news, enum wr_status why, uint64_t sequence)
{
	(void)context;
	CHECK(out->bytes == 0);
	scope_of(scope)->refused++;
	put_news(out, scope, news, why, sequence);
}

static inline void feed_trim(void *context)
{
	(void)context;
	feed.trims++;
	wr_event_log_trim(&feed.log);
}

static inline void feed_count(void *context, uint32_t scope, int delta)
{
	(void)context;
	scope_of(scope)->count += delta;
	CHECK(scope_of(scope)->count >= 0);
}

/* ---- its story goes on ---- */

/* The next frame of a scope; the log shows it at once unless it was told otherwise. */
static inline void feed_append(uint32_t scope)
{
	struct scripted_scope *self = scope_of(scope);
	struct wr_frame frame = {.stream = &self->stream};
	struct wr_buf bytes;

	wr_buf_init(&bytes, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	put_frame(&bytes, scope, feed.next);
	frame.bytes = wr_buf_view(&bytes);
	CHECK_STATUS(wr_event_log_reserve(&feed.log, &frame, 1), WR_OK);
	wr_event_log_append(&feed.log, feed.next, &frame, 1);
	wr_buf_deinit(&bytes);
	CHECK(self->length < FEED_STORY);
	self->story[self->length++] = feed.next++;
}

/* ---- life ---- */

static inline void feed_begin(void)
{
	static const struct wr_feed_ops ops = {
		.stream = feed_stream,
		.open = feed_open,
		.evicted = feed_evicted,
		.stored_frame = feed_stored_frame,
		.diagnose = feed_diagnose,
		.trim = feed_trim,
		.count = feed_count,
	};
	const struct wr_retention retention = {.stream_events_max = 4,
					       .stream_bytes_max = 1 << 20,
					       .events_max = 1000,
					       .bytes_max = 1 << 20};
	const struct wr_feed port = {.ops = &ops, .context = &feed, .log = &feed.log};
	struct wr_fanout_config config;

	rig.next_budget = RIG_UNLIMITED;
	rig_listen();
	wr_ws_defaults(&config.ws);
	CHECK_STATUS(wr_fanout_new(&rig.fanout, &rig.reactor, wr_test_allocator(), &config), WR_OK);
	memset(&feed, 0, sizeof feed);
	wr_event_log_init(&feed.log, wr_test_allocator(), &retention);
	feed.log.observer = wr_fanout_observer(rig.fanout);
	wr_buf_init(&feed.frame, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	feed.next = FEED_PAST + 1;
	for (uint32_t scope = 1; scope < FEED_SCOPES; scope++) {
		struct scripted_scope *self = &feed.scopes[scope];
		wr_event_stream_init(&self->stream, scope);
		wr_event_stream_begin_at(&self->stream, FEED_PAST);
		while (self->length < FEED_PAST) {
			self->story[self->length] = self->length + 1;
			self->length++;
		}
		self->ready = UINT64_MAX;
	}
	CHECK_STATUS(wr_fanout_attach(rig.fanout, &port, rig.server), WR_OK);
}

/* Every subscriber that came has gone. */
static inline void feed_end(void)
{
	wr_fanout_free(rig.fanout);
	for (uint32_t scope = 1; scope < FEED_SCOPES; scope++) {
		CHECK(feed.scopes[scope].count == 0);
		CHECK(wr_list_is_empty(&feed.scopes[scope].stream.subscribers));
		wr_event_stream_deinit(&feed.scopes[scope].stream, &feed.log);
	}
	wr_event_log_deinit(&feed.log);
	wr_buf_deinit(&feed.frame);
	rig_hang_up();
}

/* ---- readers ---- */

/* From behind a sequence on. */
static inline void feed_reader(struct reader *reader, uint32_t scope, uint64_t after,
			       uint64_t budget)
{
	char cursor[24];
	int bytes = snprintf(cursor, sizeof cursor, "%u", (unsigned)after);

	reader_open_at(reader, scope, wr_view_of(cursor, (size_t)bytes), budget);
}

/* The one subscription of a scope that has just one. */
static inline void feed_look(void *context, struct wr_ws_conn *conn)
{
	struct wr_subscription **found = context, *subscription = wr_ws_conn_app(conn);

	if ((*found)->worker != subscription->worker)
		return;
	*found = subscription;
}

static inline struct wr_subscription *subscription_of_scope(uint32_t scope)
{
	struct wr_subscription wanted = {.worker = scope}, *found = &wanted;

	wr_ws_group_each(rig.fanout->group, feed_look, &found);
	CHECK(found != &wanted);
	return found;
}

/* The reader has, from its byte `at` on, the frames of its scope behind `after` up to `last`, and
 * nothing else. Returns where they end. */
static inline size_t check_story(const struct reader *reader, size_t at, uint64_t after,
				 uint64_t last)
{
	const struct scripted_scope *self = scope_of(reader->worker);
	struct wr_buf expected;

	wr_buf_init(&expected, wr_test_allocator(), SIZE_MAX);
	for (uint32_t i = 0; i < self->length; i++)
		if (self->story[i] > after && self->story[i] <= last)
			put_frame(&expected, reader->worker, self->story[i]);
	CHECK(reader->bytes >= at + expected.bytes);
	CHECK(expected.bytes == 0 || memcmp(reader->data + at, expected.data, expected.bytes) == 0);
	at += expected.bytes;
	wr_buf_deinit(&expected);
	return at;
}

/* At `at` it was told this, then came this Close, and nothing else. */
static inline void check_news(const struct reader *reader, size_t at, enum wr_feed_news news,
			      enum wr_status why, uint64_t sequence, unsigned code)
{
	struct wr_view all = wr_view_of(reader->data, reader->bytes), close;
	struct wr_buf expected;

	wr_buf_init(&expected, wr_test_allocator(), SIZE_MAX);
	put_news(&expected, reader->worker, news, why, sequence);
	CHECK_VIEW(frame_in(all, at), wr_buf_view(&expected));
	close = frame_in(all, at + expected.bytes);
	CHECK_U64(frame_close_code(close), code);
	CHECK_U64(reader->bytes, at + expected.bytes + close.bytes);
	wr_buf_deinit(&expected);
}

/* At `at` came the Close of a drain, and nothing else. */
static inline void check_goodbye(const struct reader *reader, size_t at)
{
	struct wr_view close = frame_in(wr_view_of(reader->data, reader->bytes), at);

	CHECK_U64(frame_close_code(close), 1001);
	CHECK_U64(reader->bytes, at + close.bytes);
}

/* Where its snapshot ends. */
static inline size_t check_snapshot(const struct reader *reader, uint64_t sequence)
{
	struct wr_buf expected;
	size_t bytes;

	wr_buf_init(&expected, wr_test_allocator(), SIZE_MAX);
	put_snapshot(&expected, reader->worker, sequence);
	bytes = expected.bytes;
	CHECK(reader->bytes >= bytes);
	CHECK_VIEW(wr_view_of(reader->data, bytes), wr_buf_view(&expected));
	wr_buf_deinit(&expected);
	return bytes;
}

#endif
