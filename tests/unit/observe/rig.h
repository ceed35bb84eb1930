/*
 * rig — a Runtime with a scripted store, and its streams on a real reactor and a real listener, in
 * one process and one thread with their readers (reader.h).
 *
 * How much a socket of a stream takes is decided here, byte for byte: this file has its own send
 * and sendmsg, which keep a budget per descriptor and pass on what is within it.
 */
#ifndef WR_TESTS_OBSERVE_RIG_H
#define WR_TESTS_OBSERVE_RIG_H

#include "check.h"
#include "codec/ws/frame.h"
#include "codec/ws/handshake.h"
#include "conn/http_server.h"
#include "harness/harness.h"
#include "observe/flow.h"
#include "observe/runtime_feed.h"
#include "wire/event_json.h"
#include "unit/observe/scripted_store.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RIG_FDS = 8192, RIG_WORKERS = 4, RIG_FRAMES = 65536 };
#define RIG_UNLIMITED UINT64_MAX

static struct rig {
	struct wr_reactor reactor;
	struct wr_http_server *server;
	struct wr_fanout *fanout;
	struct wr_runtime *runtime;
	struct wr_runtime_feed feed;
	struct wr_runtime_config config;
	struct scripted_store store;
	struct wr_turn_hook settle;
	bool has_store;
	uint64_t budgets[RIG_FDS]; /* by descriptor, of streams */
	uint64_t next_budget;	   /* of the stream that opens next */
	int opened_fd;		   /* of the newest stream, our side */
	uint64_t send_count;
} rig;

/* ---- sockets ---- */

static inline bool rig_is_handshake(const void *data, size_t bytes)
{
	return bytes > 12 && memcmp(data, "HTTP/1.1 101", 12) == 0;
}

static inline ssize_t rig_pass(int fd, const void *data, size_t bytes, int flags)
{
	ssize_t n;

	CHECK(fd >= 0 && fd < RIG_FDS);
	if (rig_is_handshake(data, bytes)) {
		rig.opened_fd = fd;
		rig.budgets[fd] = rig.next_budget;
		return sendto(fd, data, bytes, flags, NULL, 0);
	}
	if (bytes > rig.budgets[fd])
		bytes = (size_t)rig.budgets[fd];
	if (bytes == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = sendto(fd, data, bytes, flags, NULL, 0);
	if (n > 0 && rig.budgets[fd] != RIG_UNLIMITED)
		rig.budgets[fd] -= (uint64_t)n;
	return n;
}

ssize_t send(int fd, const void *data, size_t bytes, int flags)
{
	rig.send_count++;
	return rig_pass(fd, data, bytes, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sum = 0;

	rig.send_count++;
	for (size_t i = 0; i < (size_t)message->msg_iovlen; i++) {
		const struct iovec *part = &message->msg_iov[i];
		ssize_t n = rig_pass(fd, part->iov_base, part->iov_len, flags);
		if (n < 0)
			return sum != 0 ? sum : n;
		sum += n;
		if ((size_t)n != part->iov_len)
			break;
	}
	return sum;
}

/* ---- the app ---- */

/* The path is "/" and one digit, the Worker. */
static inline void rig_on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_view query = exchange->target.query, cursor = WR_VIEW_NULL;

	(void)context;
	CHECK(wr_ws_handshake_check(exchange->head) == WR_WS_HANDSHAKE_OK);
	if (wr_view_starts(query, WR_VIEW("cursor=")))
		cursor = wr_view_skip(query, 7);
	wr_fanout_accept(rig.fanout, exchange, (uint32_t)(exchange->target.path.data[1] - '0'),
			 cursor);
}

static inline void rig_on_request(void *context, struct wr_http_exchange *exchange,
				  struct wr_view body)
{
	(void)context, (void)body;
	wr_http_answer(exchange, 404, WR_VIEW_NULL);
}

static inline void rig_on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context, (void)exchange;
}

static inline void rig_on_fault(void *context, struct wr_buf *body, unsigned status,
				enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context, (void)body, (void)status, (void)kind, (void)fault;
}

static inline int64_t rig_wall_ms(void *context)
{
	(void)context;
	return 1782400000000;
}

static inline enum wr_status rig_entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	memset(out, 0xa0, bytes);
	return WR_OK;
}

/* The order of a server: the store's news first, then what leaves. */
static inline void rig_on_turn(struct wr_turn_hook *hook)
{
	(void)hook;
	wr_runtime_settle(rig.runtime);
}

/* ---- life ---- */

/* The config may be changed before rig_open. */
static inline void rig_prepare(void)
{
	wr_runtime_defaults(&rig.config);
	rig.config.runtime_id = WR_VIEW("rt-a");
	rig.config.is_trimmed_by_owner = true;
	rig.config.retention.stream_events_max = 4;
	rig.has_store = true;
	rig.next_budget = RIG_UNLIMITED;
}

/* The streams and the Runtime behind them; also again, after rig_stop, over the same store. */
static inline void rig_start(void)
{
	struct wr_fanout_config fanout;
	struct wr_runtime_ports ports = {
		.allocator = wr_test_allocator(),
		.wall_ms = rig_wall_ms,
		.entropy = rig_entropy,
		.encoding = &wr_frame_encoding,
	};
	struct wr_feed feed;
	struct wr_error error;

	wr_ws_defaults(&fanout.ws);
	fanout.ws.ping_ms = 3600000; /* however slow the machine: readers answer none */
	CHECK_STATUS(wr_fanout_new(&rig.fanout, &rig.reactor, wr_test_allocator(), &fanout), WR_OK);
	ports.observer = wr_fanout_observer(rig.fanout);
	if (rig.has_store)
		ports.store = scripted_store_port(&rig.store);
	CHECK_STATUS(wr_runtime_new(&rig.runtime, &rig.config, &ports, &error), WR_OK);
	rig.settle = (struct wr_turn_hook){.on_turn = rig_on_turn};
	wr_reactor_add_hook(&rig.reactor, &rig.settle);
	rig.feed = (struct wr_runtime_feed){rig.runtime, WR_COMPAT_NONE};
	feed = wr_runtime_feed(&rig.feed);
	CHECK_STATUS(wr_fanout_attach(rig.fanout, &feed, rig.server), WR_OK);
}

static inline void rig_stop(void)
{
	wr_fanout_free(rig.fanout);
	wr_reactor_remove_hook(&rig.reactor, &rig.settle);
	wr_runtime_free(rig.runtime);
}

/* The listener, without anything behind it. */
static inline void rig_listen(void)
{
	static const struct wr_http_app app = {NULL, rig_on_head, rig_on_request, rig_on_abandon,
					       rig_on_fault};
	struct wr_http_server_config config;
	struct wr_address address;
	struct wr_error error;

	wr_http_server_defaults(&config);
	CHECK_STATUS(wr_address_parse(&address, WR_VIEW("127.0.0.1:0")), WR_OK);
	CHECK_STATUS(wr_reactor_init(&rig.reactor, wr_test_allocator(), &error), WR_OK);
	rig.server = wr_http_server_new(&rig.reactor, wr_test_allocator(), &config, &app, &address,
					&error);
	CHECK(rig.server != NULL);
}

static inline void rig_open(void)
{
	rig_listen();
	rig_start();
}

static inline void rig_hang_up(void)
{
	wr_http_server_free(rig.server);
	wr_reactor_deinit(&rig.reactor);
	scripted_store_deinit(&rig.store);
	memset(&rig, 0, sizeof rig);
}

static inline void rig_close(void)
{
	rig_stop();
	rig_hang_up();
}

static inline void rig_turn(void)
{
	wr_reactor_turn(&rig.reactor, 0);
	/* Who waits for nothing but a turn gets one. */
	CHECK(wr_list_is_empty(&rig.fanout->backlog) || rig.reactor.again);
	CHECK(wr_list_is_empty(&rig.fanout->resumed) || rig.reactor.again);
}

static inline void rig_turns(unsigned count)
{
	while (count-- > 0)
		rig_turn();
}

/* ---- the Runtime ---- */

static inline void rig_create(void)
{
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_worker *worker;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(rig.runtime, &request, NULL, &worker, &error), WR_OK);
}

/* An input of `bytes` bytes to a Worker. */
static inline void rig_say(uint32_t worker, size_t bytes)
{
	static char text[1 << 20];
	struct wr_input input = {WR_INPUT_USER, {text, bytes}};
	struct wr_view id = wr_runtime_worker(rig.runtime, worker)->id;
	struct wr_error error;
	struct wr_ack ack;

	CHECK(bytes > 0 && bytes <= sizeof text);
	memset(text, 'a' + (int)(rig.store.count % 26), bytes);
	CHECK_STATUS(wr_runtime_input(rig.runtime, id, &input, NULL, &ack, &error), WR_OK);
}

#endif
