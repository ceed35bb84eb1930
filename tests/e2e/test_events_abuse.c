/* Goal: no client, however it behaves, changes what another one sees. Streams that are cut at
 * random moments under load and resumed by cursor have every event once and in order, both streams
 * tell the same story, and a cursor expires only when something behind it is gone; requests may
 * arrive in any two pieces; connections may end anyhow at any time; Workers may be stopped at any
 * moment and leave no process behind; and when descriptors run out, what is open goes on. Method:
 * the real process, random but seeded schedules, a probe on another connection wherever the server
 * has to have seen something first. */
#include "check.h"
#include "core/cursor.h"
#include "harness/client.h"
#include "harness/process.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	WORKERS = 3,
	STREAMS = WORKERS + 1, /* stream 0 is the runtime-wide one */
	LOADERS = 4,
	READERS = 8,
	ROUNDS = 400,
	EVENTS_MAX = 16384,
	CURSOR_ROOM = 64,
	SMALL_BUFFER = 4096
};

static struct wr_process server;
static uint64_t rng;

static uint64_t pick(uint64_t count)
{
	return wr_test_random(&rng) % count;
}

/* Answered only after all that was sent earlier, on whatever connection, has been read. */
static void probe(struct wr_client *client)
{
	struct wr_answer answer;

	wr_client_get(client, &answer, "/healthz");
	CHECK_U64(answer.status, 200);
}

static void create_from(struct wr_answer *answer, struct wr_client *client,
			char id[WR_CLIENT_ID_BYTES])
{
	wr_client_post(
		client, answer,
		"{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}",
		"/v1/workers");
	CHECK_U64(answer->status, 201);
	wr_json_copy(id, WR_CLIENT_ID_BYTES, answer->body, "worker.worker_id");
}

static const char *example_agent(void)
{
	static char path[1024];
	const char *program = wr_process_program();
	const char *slash = strrchr(program, '/');

	snprintf(path, sizeof path, "%.*sexamples/agent",
		 slash == NULL ? 0 : (int)(slash - program + 1), program);
	if (!wr_test_find_file(path))
		wr_test_skip("the example agent is not built");
	return path;
}

/* ---- what a stream showed ---- */

struct seen_event {
	uint64_t sequence, hash;
	bool is_runtimes;    /* a frame that only the runtime-wide stream has */
	bool is_shutdown;    /* and one that looks different there */
	bool is_after_a_gap; /* what was before it had expired */
	char cursor[CURSOR_ROOM];
};

struct history {
	unsigned count;
	struct seen_event events[EVENTS_MAX];
};

static uint64_t hash_more(uint64_t hash, struct wr_view bytes)
{
	for (size_t i = 0; i < bytes.bytes; i++) /* FNV-1a */
		hash = (hash ^ (unsigned char)bytes.data[i]) * 0x100000001b3u;
	return hash;
}

static void remember(struct history *self, struct wr_view frame)
{
	struct seen_event *event = &self->events[self->count];
	struct wr_view payload = wr_json_find(frame, "envelope.payload");

	CHECK(self->count < EVENTS_MAX);
	*event = (struct seen_event){.sequence = wr_json_find_u64(frame, "envelope.sequence")};
	CHECK(self->count == 0 || event->sequence > event[-1].sequence);
	event->hash = hash_more(0xcbf29ce484222325u, wr_json_find(frame, "envelope.worker_id"));
	event->hash = hash_more(event->hash, payload);
	event->is_runtimes = wr_view_equal(wr_json_find(frame, "kind"), WR_VIEW("runtime_event"));
	event->is_shutdown = wr_view_equal(wr_json_find(payload, "event"), WR_VIEW("shutdown"));
	wr_json_copy(event->cursor, CURSOR_ROOM, frame, "envelope.cursor");
	CHECK_VIEW(wr_json_find(frame, "envelope.event_id"), wr_view_of_string(event->cursor));
	self->count++;
}

static void open_stream_of(struct wr_test_ws *ws, const char *id)
{
	char target[256];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws", id);
	CHECK_U64(wr_test_ws_open(ws, &server, NULL, target), 101);
}

/* ---- two streams, many readers ---- */

struct scenario {
	const char *const *arguments;
	bool is_tiny; /* retention: cursors may expire */
};

/* One that is cut and comes back with its cursor. */
struct reader {
	struct wr_test_ws ws;
	unsigned stream;
	bool is_open, has_gap;
	char cursor[CURSOR_ROOM];
	struct history seen;
};

struct loader {
	struct wr_client client;
	bool is_waiting;
};

static const struct scenario *scenario;
static char ids[STREAMS][WR_CLIENT_ID_BYTES]; /* from 1 */
static uint64_t ends[STREAMS];		      /* the last sequence of each stream */
static struct wr_test_ws live[STREAMS];
static char first_cursor[STREAMS][CURSOR_ROOM];
static struct history truth[STREAMS];
static struct reader readers[READERS];
static struct loader loaders[LOADERS];
static unsigned resumed, expired;

static void open_stream(struct wr_test_ws *ws, unsigned stream, const char *cursor,
			int receive_bytes)
{
	char target[512];

	snprintf(target, sizeof target, "%s%s/events/ws%s%s", stream == 0 ? "/v1" : "/v1/workers/",
		 ids[stream], cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);
	CHECK_U64(wr_test_ws_open_with(ws, &server, NULL, target, NULL, receive_bytes), 101);
}

static void open_everything(void)
{
	struct wr_answer answer;

	for (unsigned i = 0; i < LOADERS; i++)
		wr_client_open(&loaders[i].client, &server, NULL);
	for (unsigned i = 1; i < STREAMS; i++)
		create_from(&answer, &loaders[0].client, ids[i]);
	for (unsigned i = 0; i < STREAMS; i++) {
		open_stream(&live[i], i, NULL, 0);
		wr_json_copy(first_cursor[i], CURSOR_ROOM, wr_test_ws_message(&live[i]),
			     "envelope.cursor");
	}
	for (unsigned i = 0; i < READERS; i++) {
		readers[i].stream = i % STREAMS;
		memcpy(readers[i].cursor, first_cursor[i % STREAMS], CURSOR_ROOM);
	}
}

static void read_live_now(unsigned stream)
{
	struct wr_ws_news news;

	for (;;) {
		wr_test_ws_next(&live[stream], &news, 0);
		if (news.kind == WR_WS_NEWS_NONE)
			return;
		CHECK_U64(news.kind, WR_WS_NEWS_MESSAGE);
		remember(&truth[stream], news.data);
	}
}

static void read_live_to_end(unsigned stream)
{
	struct history *all = &truth[stream];

	while (all->count == 0 || all->events[all->count - 1].sequence < ends[stream])
		remember(all, wr_test_ws_message(&live[stream]));
}

/* The answer of the last request, if any. Commands at the wrong time are refused, nothing else. */
static void settle(struct loader *self)
{
	struct wr_answer answer;

	if (!self->is_waiting)
		return;
	wr_client_receive(&self->client, &answer);
	CHECK(answer.status == 200 || answer.status == 409);
	self->is_waiting = false;
}

/* The next request is sent and not waited for: it meets whatever the readers do meanwhile. */
static void load(struct loader *self)
{
	static char body[65536];
	static const size_t sizes[] = {1, 5, 20, 200};
	char target[256];
	const char *id = ids[1 + pick(WORKERS)];
	size_t bytes = pick(50) == 0 ? 30000 : sizes[pick(WR_COUNT(sizes))], at;

	settle(self);
	if (pick(12) == 0) {
		snprintf(target, sizeof target, "/v1/workers/%s/interrupt", id);
		wr_client_send_request(&self->client, "POST", target, NULL, NULL);
	} else {
		/* "wait" is a turn of the example agent that only an interrupt ends. */
		at = (size_t)snprintf(body, sizeof body, "{\"kind\":\"%s\",\"content\":\"%s",
				      pick(5) == 0 ? "system" : "user",
				      pick(30) == 0 ? "wait " : "a b c ");
		for (size_t i = 0; i < bytes; i++)
			body[at++] = "ab-\xc3\xa9"[i % 5];
		while (at > 0 && ((unsigned char)body[at - 1] & 0x80u))
			at--;
		memcpy(body + at, "x\"}", 4);
		snprintf(target, sizeof target, "/v1/workers/%s/input", id);
		wr_client_send_request(&self->client, "POST", target, NULL, body);
	}
	self->is_waiting = true;
}

static void leave(struct reader *self)
{
	wr_test_ws_close(&self->ws);
	self->is_open = false;
}

/* Refused or overtaken: it goes on with what it is told, and owes us the proof of a loss. */
static void take_expiry(struct reader *self, struct wr_view frame)
{
	CHECK(scenario->is_tiny);
	CHECK(wr_view_starts(wr_json_find(frame, "diagnostic.code"), WR_VIEW("runtime.cursor_")));
	CHECK_STRING(wr_json_find(frame, "diagnostic.detail.reason"), "expired");
	CHECK(!wr_view_equal(wr_json_find(frame, "diagnostic.detail.oldest_cursor"),
			     wr_view_of_string(self->cursor)));
	wr_json_copy(self->cursor, CURSOR_ROOM, frame, "diagnostic.detail.oldest_cursor");
	self->has_gap = true;
	expired++;
}

static void take_message(struct reader *self, struct wr_view frame)
{
	struct seen_event *event = &self->seen.events[self->seen.count];

	if (wr_view_equal(wr_json_find(frame, "kind"), WR_VIEW("diagnostic"))) {
		take_expiry(self, frame);
		return;
	}
	remember(&self->seen, frame);
	event->is_after_a_gap = self->has_gap;
	self->has_gap = false;
	memcpy(self->cursor, event->cursor, CURSOR_ROOM);
}

/* Up to `count` messages, each within `ms`. */
static void read_some(struct reader *self, uint64_t count, unsigned ms)
{
	struct wr_ws_news news;

	while (count-- > 0 && self->is_open) {
		wr_test_ws_next(&self->ws, &news, ms);
		if (news.kind == WR_WS_NEWS_NONE)
			return;
		if (news.kind == WR_WS_NEWS_MESSAGE)
			take_message(self, news.data);
		else
			leave(self); /* Close or end, after a diagnostic */
		CHECK(self->is_open || self->has_gap);
	}
}

/* The closing handshake; what comes before the server's Close counts. */
static void close_properly(struct reader *self)
{
	struct wr_ws_news news;

	wr_test_ws_send_close(&self->ws, 1000);
	for (;;) {
		wr_test_ws_next(&self->ws, &news, WR_CLIENT_WAIT_MS);
		if (news.kind != WR_WS_NEWS_MESSAGE)
			break;
		take_message(self, news.data);
	}
	CHECK(news.kind == WR_WS_NEWS_CLOSE || self->has_gap);
	CHECK(news.close_code == 1000 || self->has_gap);
}

static void cut(struct reader *self)
{
	static const char half_ping[] = {(char)0x89, (char)0x85, 1, 2, 3};
	size_t bytes = 1 + (size_t)pick(sizeof half_ping);

	switch (pick(5)) {
	case 0:
		wr_close_reset(self->ws.fd);
		self->ws.fd = -1;
		break;
	case 1:
		close_properly(self);
		break;
	case 2:
		wr_test_ws_send_raw(&self->ws, wr_view_of(half_ping, bytes));
		break;
	case 3:
		shutdown(self->ws.fd, SHUT_WR);
		break;
	default:
		break;
	}
	leave(self);
}

/* Goes back to something seen earlier, as if the rest had never come. */
static void forget(struct reader *self)
{
	self->seen.count = (unsigned)pick(self->seen.count) + 1;
	memcpy(self->cursor, self->seen.events[self->seen.count - 1].cursor, CURSOR_ROOM);
}

static void act(struct reader *self)
{
	static const uint64_t counts[] = {0, 1, 2, 5, 50};

	if (!self->is_open) {
		if (pick(16) == 0 && self->seen.count != 0 && !scenario->is_tiny)
			forget(self);
		open_stream(&self->ws, self->stream, self->cursor, pick(3) ? 0 : SMALL_BUFFER);
		self->is_open = true;
		resumed++;
	}
	read_some(self, counts[pick(WR_COUNT(counts))], (unsigned)pick(3));
	if (self->is_open && pick(2) == 0)
		cut(self);
}

/* Ends all Workers; nothing can follow a cancel. */
static void end_load(void)
{
	struct wr_answer answer;

	for (unsigned i = 0; i < LOADERS; i++)
		settle(&loaders[i]);
	for (unsigned i = 1; i < STREAMS; i++) {
		wr_client_post(&loaders[0].client, &answer, "{}", "/v1/workers/%s/cancel", ids[i]);
		CHECK_U64(answer.status, 200);
		ends[i] = wr_json_find_u64(answer.body, "ack.event_id");
	}
	ends[0] = ends[WORKERS];
	for (unsigned i = 0; i < STREAMS; i++)
		read_live_to_end(i);
}

/* The rest, without any cut. */
static void catch_up(struct reader *self)
{
	while (self->seen.count == 0 ||
	       self->seen.events[self->seen.count - 1].sequence < ends[self->stream]) {
		if (!self->is_open) {
			open_stream(&self->ws, self->stream, self->cursor, 0);
			self->is_open = true;
		}
		read_some(self, 1, WR_CLIENT_WAIT_MS);
	}
	leave(self);
}

static unsigned find(const struct history *history, uint64_t sequence)
{
	unsigned low = 0, high = history->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (history->events[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Every event once and in order, except where a cursor had expired: there at least one is missing.
 */
static void check_reader(const struct reader *self)
{
	const struct history *all = &truth[self->stream];
	unsigned next = 0;

	for (unsigned i = 0; i < self->seen.count; i++) {
		const struct seen_event *event = &self->seen.events[i];
		unsigned place = find(all, event->sequence);

		CHECK(place < all->count);
		CHECK_U64(all->events[place].sequence, event->sequence);
		CHECK(event->is_after_a_gap ? place > next : place == next);
		CHECK_U64(all->events[place].hash, event->hash);
		CHECK_STRING(wr_view_of_string(event->cursor), all->events[place].cursor);
		next = place + 1;
	}
	CHECK_U64(next, all->count);
}

/* The runtime-wide stream is the Workers' streams, interleaved; an end is told in its own words. */
static void check_both_streams(void)
{
	unsigned shared = 0, own = 0;

	for (unsigned i = 0; i < truth[0].count; i++)
		own += truth[0].events[i].is_runtimes ? 1 : 0;
	for (unsigned stream = 1; stream < STREAMS; stream++)
		for (unsigned i = 0; i < truth[stream].count; i++) {
			const struct seen_event *event = &truth[stream].events[i];
			unsigned place = find(&truth[0], event->sequence);

			CHECK(place < truth[0].count);
			CHECK_U64(truth[0].events[place].sequence, event->sequence);
			CHECK(event->is_shutdown == truth[0].events[place].is_runtimes);
			CHECK(event->is_shutdown || event->hash == truth[0].events[place].hash);
			shared++;
		}
	CHECK_U64(own, WORKERS);
	CHECK_U64(shared, truth[0].count);
}

static void run_scenario(const struct scenario *which)
{
	scenario = which;
	rng = wr_test_seed();
	wr_process_start(&server, which->arguments, NULL);
	open_everything();
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < LOADERS; i++)
			load(&loaders[i]);
		for (unsigned i = 0; i < READERS; i++)
			act(&readers[i]);
		for (unsigned i = 0; i < STREAMS; i++)
			read_live_now(i);
	}
	end_load();
	for (unsigned i = 0; i < READERS; i++) {
		catch_up(&readers[i]);
		check_reader(&readers[i]);
	}
	check_both_streams();
	printf("%u resumed, %u expired, %u events\n", resumed, expired, truth[0].count);
	CHECK(resumed > ROUNDS);
	CHECK((expired > 0) == which->is_tiny);
	for (unsigned i = 0; i < STREAMS; i++)
		wr_test_ws_close(&live[i]);
	for (unsigned i = 0; i < LOADERS; i++)
		wr_client_close(&loaders[i].client);
	CHECK_U64(wr_process_stop(&server), 0);
}

#define ROOMY                                                                      \
	"--worker-retention-events", "100000", "--worker-retention-bytes", "256M", \
		"--retention-bytes", "512M"

static void test_streams_cut_under_load_resume_exactly(void)
{
	run_scenario(&(struct scenario){.arguments = WR_ARGUMENTS(ROOMY, "--exec", "cat")});
}

static void test_streams_of_turns_cut_under_load_resume_exactly(void)
{
	const char *agent = example_agent();

	run_scenario(&(struct scenario){
		.arguments = WR_ARGUMENTS(ROOMY, "--exec", agent, "--exec-mode", "jsonl")});
}

static void test_cursors_expire_only_when_something_is_gone(void)
{
	run_scenario(&(struct scenario){.arguments = WR_ARGUMENTS("--worker-retention-events", "40",
								  "--retention-events", "90",
								  "--exec", "cat"),
					.is_tiny = true});
}

/* ---- requests in two pieces ---- */

static const char key[] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

static struct wr_view make_upgrade(char *out, size_t room, const char *id)
{
	int bytes = snprintf(out, room,
			     "GET /v1/workers/%s/events/ws HTTP/1.1\r\nHost: localhost\r\n"
			     "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			     "Sec-WebSocket-Version: 13\r\n%s\r\n",
			     id, key);

	CHECK(bytes > 0 && (size_t)bytes < room);
	return wr_view_of(out, (size_t)bytes);
}

static struct wr_view make_input(char *out, size_t room, const char *id, bool is_chunked)
{
	static const char head[] = "POST /v1/workers/%s/input HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\n%s\r\n\r\n%s";
	int bytes =
		is_chunked
			? snprintf(out, room, head, id, "Transfer-Encoding: chunked",
				   "7;a=b\r\n{\"kind\"\r\n1\r\n:\r\n1C\r\n\"system\",\"content\":"
				   "\"pieces\"}\r\n00\r\nTrailer: x\r\n\r\n")
			: snprintf(out, room, head, id, "Content-Length: 36",
				   "{\"kind\":\"system\",\"content\":\"pieces\"}");

	CHECK(bytes > 0 && (size_t)bytes < room);
	return wr_view_of(out, (size_t)bytes);
}

/* The second piece must not wait for the acknowledgement of the first. */
static void send_at_once(int fd)
{
	int on = 1;

	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

static uint64_t transcript_count(struct wr_client *client, const char *id)
{
	struct wr_answer answer;

	wr_client_get(client, &answer, "/v1/workers/%s", id);
	CHECK_U64(answer.status, 200);
	return wr_json_find_u64(answer.body, "worker.transcript_len");
}

static void test_an_input_in_any_two_pieces_is_one_input(void)
{
	struct wr_client client, other;
	struct wr_answer answer;
	char id[WR_CLIENT_ID_BYTES], request[1024], label[64];
	uint64_t given = 0;

	wr_process_start(&server, NULL, NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_open(&other, &server, NULL);
	send_at_once(client.fd);
	wr_client_create_worker(&client, id);
	for (unsigned form = 0; form < 2; form++) {
		struct wr_view whole = make_input(request, sizeof request, id, form == 1);

		for (size_t at = 0; at < whole.bytes; at++) {
			snprintf(label, sizeof label, "%s, cut at %zu",
				 form == 1 ? "chunked" : "with a length", at);
			wr_test_case(label);
			wr_client_send_view(&client, wr_view_of(whole.data, at));
			probe(&other);
			wr_client_send_view(&client, wr_view_skip(whole, at));
			wr_client_receive(&client, &answer);
			CHECK_U64(answer.status, 200);
			CHECK_U64(wr_json_find_u64(answer.body, "ack.transcript_sequence"),
				  ++given);
		}
	}
	CHECK_U64(transcript_count(&other, id), given);
	wr_client_close(&client);
	wr_client_close(&other);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* All that the server sends until it ends the connection. */
static void read_to_end(int fd, struct wr_buf *out)
{
	int got;

	do {
		char *room = wr_buf_reserve(out, 4096);
		CHECK(room != NULL);
		got = wr_receive_some(fd, room, 4096, WR_CLIENT_WAIT_MS);
		CHECK(got >= 0);
		wr_buf_commit(out, (size_t)got);
	} while (got > 0);
}

/* An upgrade with a ping and a Close right behind it, before the answer can be known: the same
 * bytes come back wherever it is cut. */
static void test_an_upgrade_in_any_two_pieces_is_one_upgrade(void)
{
	static const char early[] = "\x89\x85\x01\x02\x03\x04\x64\x63\x71\x68\x78" /* "early" */
				    "\x88\x82\x01\x02\x03\x04\x02\xea";		   /* 1000 */
	struct wr_client other;
	struct wr_buf first, again;
	char id[WR_CLIENT_ID_BYTES], request[1024], label[64];
	struct wr_view whole;

	wr_process_start(&server, NULL, NULL);
	wr_client_open(&other, &server, NULL);
	wr_client_create_worker(&other, id);
	whole = make_upgrade(request, sizeof request, id);
	CHECK(whole.bytes + sizeof early - 1 <= sizeof request);
	memcpy(request + whole.bytes, early, sizeof early - 1);
	whole.bytes += sizeof early - 1;
	wr_buf_init(&first, wr_test_allocator(), 65536);
	wr_buf_init(&again, wr_test_allocator(), 65536);
	for (size_t at = 0; at < whole.bytes; at++) {
		struct wr_buf *out = at == 0 ? &first : &again;
		int fd = wr_connect(server.address, 0);

		snprintf(label, sizeof label, "cut at %zu", at);
		wr_test_case(label);
		CHECK(fd >= 0);
		CHECK(wr_send_all(fd, wr_view_of(whole.data, at), WR_CLIENT_WAIT_MS));
		probe(&other);
		CHECK(wr_send_all(fd, wr_view_skip(whole, at), WR_CLIENT_WAIT_MS));
		wr_buf_reset(out);
		read_to_end(fd, out);
		close(fd);
		CHECK(wr_view_starts(wr_buf_view(out), WR_VIEW("HTTP/1.1 101 ")));
		CHECK(out->bytes > 11);
		CHECK_VIEW(wr_view_skip(wr_buf_view(out), out->bytes - 11),
			   WR_VIEW("\x8a\x05"
				   "early\x88\x02\x03\xe8"));
		if (at != 0)
			CHECK_VIEW(wr_buf_view(out), wr_buf_view(&first));
	}
	wr_buf_deinit(&first);
	wr_buf_deinit(&again);
	wr_client_close(&other);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* ---- ends in every phase ---- */

enum phase {
	PHASE_CONNECTED,
	PHASE_HALF_HEAD,
	PHASE_HEAD_WITHOUT_BODY,
	PHASE_HALF_BODY,
	PHASE_CONTINUE,
	PHASE_ANSWER_UNREAD,
	PHASE_PAGE_UNREAD,
	PHASE_PIPELINE_UNREAD,
	PHASE_HALF_UPGRADE,
	PHASE_STREAM,
	PHASE_STREAM_HALF_PING,
	PHASE_STREAM_UNREAD,
	PHASE_STREAM_REFUSED,
	PHASE_STREAM_CLOSING,
	PHASE_COUNT
};

static void send_text(int fd, const char *text)
{
	CHECK(wr_send_all(fd, wr_view_of_string(text), WR_CLIENT_WAIT_MS));
}

/* Brings a connection into the phase. */
static void enter(int fd, enum phase phase, const char *id)
{
	char upgrade[1024], text[1024];
	struct wr_view whole = make_upgrade(upgrade, sizeof upgrade, id);

	switch (phase) {
	case PHASE_CONNECTED:
	case PHASE_COUNT:
		return;
	case PHASE_HALF_HEAD:
		send_text(fd, "GET /v1/runtime HTTP/1.1\r\nHost: loc");
		return;
	case PHASE_HEAD_WITHOUT_BODY:
	case PHASE_HALF_BODY:
	case PHASE_CONTINUE:
		snprintf(text, sizeof text,
			 "POST /v1/workers/%s/input HTTP/1.1\r\nHost: localhost\r\n"
			 "Content-Type: application/json\r\nContent-Length: 1000\r\n%s\r\n%s",
			 id, phase == PHASE_CONTINUE ? "Expect: 100-continue\r\n" : "",
			 phase == PHASE_HALF_BODY ? "{\"kind\":" : "");
		send_text(fd, text);
		return;
	case PHASE_ANSWER_UNREAD:
		send_text(fd, "GET /v1/runtime HTTP/1.1\r\nHost: localhost\r\n\r\n");
		return;
	case PHASE_PAGE_UNREAD:
	case PHASE_PIPELINE_UNREAD:
		snprintf(text, sizeof text,
			 "GET /v1/workers/%s/transcript HTTP/1.1\r\nHost: localhost\r\n\r\n", id);
		for (unsigned i = 0; i < (phase == PHASE_PAGE_UNREAD ? 1 : 20); i++)
			send_text(fd, text);
		return;
	case PHASE_HALF_UPGRADE:
		CHECK(wr_send_all(fd, wr_view_of(whole.data, whole.bytes - 2), WR_CLIENT_WAIT_MS));
		return;
	case PHASE_STREAM:
	case PHASE_STREAM_HALF_PING:
	case PHASE_STREAM_CLOSING:
	case PHASE_STREAM_REFUSED:
	case PHASE_STREAM_UNREAD:
		CHECK(wr_send_all(fd, whole, WR_CLIENT_WAIT_MS));
		if (phase == PHASE_STREAM_HALF_PING)
			send_text(fd, "\x89\x85\x01\x02");
		else if (phase == PHASE_STREAM_REFUSED)
			send_text(fd, "\x81\x81\x01\x02\x03\x04x");
		else if (phase == PHASE_STREAM_CLOSING)
			send_text(fd, "\x88\x80\x01\x02\x03\x04");
		return;
	}
}

static const char *const phase_names[PHASE_COUNT] = {
	"connected",   "half a head",	   "a head without its body",
	"half a body", "continue",	   "an answer",
	"a long page", "many pages",	   "half upgrade",
	"a stream",    "half a ping",	   "an unread stream",
	"refused",     "closing handshake"};

/* Waits until the process has as many descriptors as before. */
static void wait_for_descriptors(size_t count)
{
	uint64_t end = wr_process_now_ms() + WR_CLIENT_WAIT_MS;

	while (wr_process_fd_count(&server) > count) {
		CHECK(wr_process_now_ms() < end);
		poll(NULL, 0, 2);
	}
}

/* A long item, for the transcript only. */
static void keep(struct wr_client *client, const char *id)
{
	static char body[200000];
	struct wr_answer answer;
	size_t at = (size_t)snprintf(body, sizeof body, "{\"kind\":\"system\",\"content\":\"");

	memset(body + at, 'p', sizeof body - at - 3);
	memcpy(body + sizeof body - 3, "\"}", 3);
	wr_client_post(client, &answer, body, "/v1/workers/%s/input", id);
	CHECK_U64(answer.status, 200);
}

static void test_connections_that_end_in_any_phase_harm_nobody(void)
{
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES], other[WR_CLIENT_ID_BYTES];
	size_t descriptors;

	wr_process_start(&server, WR_ARGUMENTS("--exec", "cat"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_create_worker(&client, other);
	open_stream_of(&stream, other);
	wr_test_ws_message(&stream);
	for (unsigned i = 0; i < 10; i++) /* pages that no socket takes as a whole */
		keep(&client, id);
	wr_client_input(&client, other, "x");
	do
		frame = wr_test_ws_message(&stream);
	while (!wr_view_equal(wr_json_find(frame, "envelope.payload.event"), WR_VIEW("text_done")));
	descriptors = wr_process_fd_count(&server);
	for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
		for (unsigned way = 0; way < 6; way++) {
			int fd = wr_connect(server.address, SMALL_BUFFER);

			wr_test_case(phase_names[phase]);
			CHECK(fd >= 0);
			enter(fd, (enum phase)phase, id);
			if (way >= 3) /* the server has seen it; else it may all come at once */
				probe(&client);
			if (phase == PHASE_STREAM_UNREAD) {
				keep(&client, id);
				keep(&client, id);
			}
			if (way % 3 == 2)
				shutdown(fd, SHUT_WR);
			if (way % 3 == 1)
				wr_close_reset(fd);
			else
				close(fd);
			probe(&client);
			wr_client_input(&client, other, "y");
			CHECK_STRING(
				wr_json_find(wr_test_ws_message(&stream), "envelope.payload.event"),
				"user_message");
			do
				frame = wr_test_ws_message(&stream);
			while (!wr_view_equal(wr_json_find(frame, "envelope.payload.event"),
					      WR_VIEW("text_done")));
			CHECK_STRING(wr_json_find(frame, "envelope.payload.data.text"), "y");
		}
	wait_for_descriptors(descriptors);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* ---- the ends of Workers ---- */

enum { ENDED_WORKERS = 60, COMMANDERS = 3 };

/* Any command, at any moment; most are refused. */
static void send_command(struct wr_client *client, const char *id)
{
	static const char *const verbs[] = {"input", "input",  "input",	   "input",
					    "stop",  "cancel", "interrupt"};
	static const char *const contents[] = {"hi there", "wait", "a b c d e f"};
	const char *verb = verbs[pick(WR_COUNT(verbs))];
	char target[256], body[128] = "{}";

	snprintf(target, sizeof target, "/v1/workers/%s/%s", id, verb);
	if (strcmp(verb, "input") == 0)
		snprintf(body, sizeof body, "{\"kind\":\"%s\",\"content\":\"%s\"}",
			 pick(3) == 0 ? "system" : "user", contents[pick(WR_COUNT(contents))]);
	wr_client_send_request(client, "POST", target, NULL, body);
}

/* The first end that any answer tells is the one that all tell. Within one turn commands may meet
 * in any order; after it the Worker takes nothing more. */
static void take_answer(struct wr_client *client, char end[32], bool has_ended)
{
	struct wr_answer answer;
	char status[32];

	wr_client_receive(client, &answer);
	CHECK(answer.status == 200 || answer.status == 409);
	if (answer.status == 409)
		return;
	wr_json_copy(status, sizeof status, answer.body, "ack.status");
	if (strcmp(status, "running") == 0)
		CHECK(!has_ended);
	else if (end[0] == '\0')
		memcpy(end, status, sizeof status);
	else
		CHECK_STRING(wr_view_of_string(status), end);
}

/* All that is kept, in one go: the pong comes behind it. */
static unsigned count_shutdowns(const char *id, bool *is_last)
{
	struct wr_test_ws stream;
	struct wr_ws_news news;
	char target[256];
	unsigned count = 0;

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws?cursor=wo_0000000000000000", id);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, target), 101);
	CHECK(wr_test_ws_send(&stream, WR_WS_OPCODE_PING, true, WR_VIEW_NULL));
	for (;;) {
		wr_test_ws_next(&stream, &news, WR_CLIENT_WAIT_MS);
		if (news.kind == WR_WS_NEWS_PONG)
			break;
		CHECK_U64(news.kind, WR_WS_NEWS_MESSAGE);
		*is_last = wr_view_equal(wr_json_find(news.data, "envelope.payload.event"),
					 WR_VIEW("shutdown"));
		count += *is_last ? 1 : 0;
	}
	wr_test_ws_close(&stream);
	return count;
}

static void test_a_worker_ends_once_whoever_says_so_and_when(void)
{
	struct wr_client clients[COMMANDERS];
	struct wr_answer answer;
	char id[WR_CLIENT_ID_BYTES];
	const char *agent = example_agent();
	size_t descriptors;
	bool is_last = false, has_ended;

	rng = wr_test_seed();
	wr_process_start(&server, WR_ARGUMENTS("--exec", agent, "--exec-mode", "jsonl"), NULL);
	for (unsigned i = 0; i < COMMANDERS; i++)
		wr_client_open(&clients[i], &server, NULL);
	probe(&clients[COMMANDERS - 1]);
	descriptors = wr_process_fd_count(&server);
	for (unsigned worker = 0; worker < ENDED_WORKERS; worker++) {
		char end[32] = "";

		wr_client_create_worker(&clients[0], id);
		for (uint64_t turn = pick(8); turn > 0; turn--) {
			for (unsigned i = 0; i < COMMANDERS; i++)
				send_command(&clients[i], id);
			has_ended = end[0] != '\0';
			for (unsigned i = 0; i < COMMANDERS; i++)
				take_answer(&clients[i], end, has_ended);
		}
		wr_client_post(&clients[0], &answer, "{}", "/v1/workers/%s/cancel", id);
		CHECK_U64(answer.status, 200);
		CHECK_STRING(wr_json_find(answer.body, "ack.status"), end[0] ? end : "cancelled");
		CHECK_U64(count_shutdowns(id, &is_last), 1);
		/* What a stopped one still says is kept; of a cancelled one nothing comes. */
		CHECK(is_last || strcmp(end, "stopped") == 0);
	}
	wait_for_descriptors(descriptors);
	for (unsigned i = 0; i < COMMANDERS; i++)
		wr_client_close(&clients[i]);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* ---- what a Worker's program leaves behind ---- */

enum { DESCENDANTS = 4 };

/* Background, double fork, and one that has left session and group; all ignore what is polite. */
static const char family[] = "sh -c 'trap \"\" TERM INT HUP;"
			     " sleep 60 & echo $!;"
			     " (sleep 60 & echo $!);"
			     " setsid sleep 60 & echo $!;"
			     " (setsid sh -c \"sleep 60 & echo \\$!; wait\" &);"
			     " while read line; do :; done'";

/* A zombie is not: who has to bury it is not always there. */
static bool is_living(pid_t pid)
{
	char path[64], text[256] = "";
	const char *at;
	FILE *file;

	if (kill(pid, 0) != 0)
		return false;
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	at = fgets(text, sizeof text, file) == NULL ? NULL : strrchr(text, ')');
	fclose(file);
	return at != NULL && at[1] == ' ' && at[2] != 'Z' && at[2] != 'X';
}

static void wait_until_gone(const pid_t *pids)
{
	uint64_t end = wr_process_now_ms() + WR_CLIENT_WAIT_MS;

	for (unsigned i = 0; i < DESCENDANTS; i++)
		while (is_living(pids[i])) {
			CHECK(wr_process_now_ms() < end);
			poll(NULL, 0, 2); /* leaves the processor to those who die */
		}
}

static void read_family(struct wr_test_ws *stream, pid_t *pids)
{
	for (unsigned count = 0; count < DESCENDANTS;) {
		struct wr_view frame = wr_test_ws_message(stream);

		if (!wr_view_equal(wr_json_find(frame, "envelope.payload.event"),
				   WR_VIEW("text_done")))
			continue;
		pids[count] = 0;
		for (struct wr_view text = wr_json_find(frame, "envelope.payload.data.text");
		     text.bytes != 0; text = wr_view_skip(text, 1))
			pids[count] = pids[count] * 10 + (pid_t)(text.data[0] - '0');
		CHECK(pids[count] > 1);
		count++;
	}
}

static bool has_subreaper(void)
{
#ifdef __linux__
	int is_one;

	return prctl(PR_GET_CHILD_SUBREAPER, &is_one, 0, 0, 0) == 0;
#else
	return false;
#endif
}

static void test_nothing_that_a_worker_started_outlives_it(void)
{
	static const char *const ways[] = {"cancel", "stop", "terminate", "kill"};
	struct wr_client client;
	struct wr_test_ws stream;
	struct wr_answer answer;
	char id[WR_CLIENT_ID_BYTES];
	const char *started;
	pid_t pids[DESCENDANTS];

	wr_test_program("setsid");
	if (!wr_test_find_file("/proc/self/stat"))
		wr_test_skip("it takes /proc");
	if (!has_subreaper())
		wr_test_skip("needs a subreaper");
	for (unsigned way = 0; way < WR_COUNT(ways); way++) {
		wr_test_case(ways[way]);
		wr_process_start(&server, WR_ARGUMENTS("--exec", family), NULL);
		wr_client_open(&client, &server, NULL);
		wr_client_create_worker(&client, id);
		open_stream_of(&stream, id);
		wr_client_input(&client, id, "begin");
		read_family(&stream, pids);
		if (way < 2) {
			wr_client_post(&client, &answer, "{}", "/v1/workers/%s/%s", id, ways[way]);
			CHECK_U64(answer.status, 200);
		} else if (way == 2) {
			wr_process_signal(&server, SIGTERM);
		} else {
			CHECK(wr_process_wait_text(&server, "child_started", WR_PROCESS_WAIT_MS));
			started = strstr(strstr(server.err, "child_started"), "pid=");
			CHECK(started != NULL &&
			      kill((pid_t)strtoul(started + 4, NULL, 10), SIGKILL) == 0);
		}
		wr_test_ws_close(&stream);
		wait_until_gone(pids);
		wr_client_close(&client);
		CHECK_U64(way == 2 ? wr_process_wait(&server, WR_PROCESS_WAIT_MS)
				   : wr_process_stop(&server),
			  0);
	}
}

/* ---- without descriptors ---- */

#if defined(__linux__)

enum { CROWD = 100, QUIET_MS = 1000 };

static void set_descriptor_limit(rlim_t count)
{
	struct rlimit limit;

	CHECK(prlimit(server.pid, RLIMIT_NOFILE, NULL, &limit) == 0);
	limit.rlim_cur = count == 0 ? limit.rlim_max : count;
	CHECK(prlimit(server.pid, RLIMIT_NOFILE, &limit, NULL) == 0);
}

static void expect_echo(struct wr_client *client, struct wr_test_ws *stream, const char *id,
			const char *text)
{
	struct wr_view frame;

	wr_client_input(client, id, text);
	do
		frame = wr_test_ws_message(stream);
	while (!wr_view_equal(wr_json_find(frame, "envelope.payload.event"), WR_VIEW("text_done")));
	CHECK_STRING(wr_json_find(frame, "envelope.payload.data.text"), text);
}

static void test_without_descriptors_open_streams_go_on(void)
{
	struct wr_client client, late;
	struct wr_test_ws stream;
	char id[WR_CLIENT_ID_BYTES];
	int crowd[CROWD];
	uint64_t cpu_ms;

	wr_process_start(&server, WR_ARGUMENTS("--exec", "cat"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	open_stream_of(&stream, id);
	expect_echo(&client, &stream, id, "before");
	if (wr_process_fd_count(&server) == 0)
		wr_test_skip("descriptors cannot be counted here");
	/* From now on accept fails, and cannot be helped. */
	set_descriptor_limit(wr_process_fd_count(&server) - 1);
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i] = wr_connect(server.address, 0);
	for (unsigned i = 0; i < 50; i++)
		expect_echo(&client, &stream, id, "meanwhile");
	cpu_ms = wr_process_cpu_ms(&server);
	wr_test_ws_expect_silence(&stream, QUIET_MS);
	CHECK(wr_process_cpu_ms(&server) - cpu_ms < QUIET_MS / 2);
	set_descriptor_limit(0);
	wr_client_open(&late, &server, NULL);
	probe(&late);
	expect_echo(&late, &stream, id, "after");
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd[i] >= 0)
			close(crowd[i]);
	wr_client_close(&late);
	wr_client_close(&client);
	wr_test_ws_close(&stream);
	CHECK_U64(wr_process_stop(&server), 0);
}

#else

static void test_without_descriptors_open_streams_go_on(void)
{
	wr_test_skip("the limit of another process cannot be changed here");
}

#endif

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_streams_cut_under_load_resume_exactly, 60),
	WR_TEST_LIMIT(test_streams_of_turns_cut_under_load_resume_exactly, 60),
	WR_TEST_LIMIT(test_cursors_expire_only_when_something_is_gone, 60),
	WR_TEST_LIMIT(test_an_input_in_any_two_pieces_is_one_input, 30),
	WR_TEST_LIMIT(test_an_upgrade_in_any_two_pieces_is_one_upgrade, 30),
	WR_TEST_LIMIT(test_connections_that_end_in_any_phase_harm_nobody, 30),
	WR_TEST_LIMIT(test_a_worker_ends_once_whoever_says_so_and_when, 30),
	WR_TEST_LIMIT(test_nothing_that_a_worker_started_outlives_it, 60),
	WR_TEST_LIMIT(test_without_descriptors_open_streams_go_on, 30),
	WR_TEST_END,
};
