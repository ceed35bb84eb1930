/*
 * Goal (reliability T1): whatever moment the process is killed at, every acknowledged operation is
 * there afterwards, once, in order, at its sequence; what was refused is not; a request repeated
 * under its key has one effect and the same answer; a stream that is resumed with its cursor goes
 * on as if nothing had happened.
 *
 * Method: the real program on a real folder. Some writers, processes of their own, create, say and
 * stop with one request under way each, and note in shared memory what was acknowledged; a watcher
 * follows the runtime-wide stream. The program is killed in the middle, started again, asked for
 * everything, and the next life begins with each writer repeating the request it had no answer to.
 * WR_TEST_LIVES sets the number of lives.
 */
#include "harness/client.h"
#include "harness/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WRITERS = 4,
	WORKERS_MAX = 4096, /* per writer */
	ITEMS_MAX = 65536,  /* per writer, of all its Workers */
	LIVES_SHORT = 6,
	ANSWER_BYTES = 65536,
	ANSWER_MS = 20000
};

enum operation { NOTHING, CREATE, SAY, STOP, REFUSED };

/* An item that was acknowledged. */
struct item {
	uint32_t worker; /* of this writer, from 0 */
	uint32_t number;
	uint64_t event_id; /* sequence */
	uint32_t tag;	   /* its content is "writer tag" */
};

struct writer {
	/* The request under way; it is repeated after a crash. */
	enum operation operation;
	uint32_t tag;

	uint32_t worker_count;
	char ids[WORKERS_MAX][24];
	bool is_stopped[WORKERS_MAX];
	uint32_t item_count;
	struct item items[ITEMS_MAX];
	uint32_t item_counts[WORKERS_MAX];
	uint64_t last_sequence;
};

struct watcher {
	char cursor[64], first_cursor[64];
	uint64_t sequence, count, hash;
};

struct shared {
	struct writer writers[WRITERS];
	struct watcher watcher;
};

static struct shared *shared;
static struct wr_process server;
static char root[] = "/tmp/wr-crash-XXXXXX";

/* ---- one request at a time, on a connection that may end any moment ---- */

struct line {
	int fd;
	char bytes[ANSWER_BYTES];
	size_t count;
};

/* False when the connection ended first; then nothing is known of the request. */
static bool ask(struct line *line, const char *target, const char *key, const char *body,
		unsigned *status, struct wr_view *answer)
{
	char request[4096];
	const char *head_end, *length;
	int bytes = snprintf(request, sizeof request,
			     "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			     "application/json\r\nIdempotency-Key: %s\r\nContent-Length: "
			     "%zu\r\n\r\n%s",
			     target, key, strlen(body), body);

	CHECK(bytes > 0 && (size_t)bytes < sizeof request);
	if (!wr_send_all(line->fd, wr_view_of(request, (size_t)bytes), ANSWER_MS))
		return false;
	line->count = 0;
	for (;;) {
		int got;
		line->bytes[line->count] = '\0';
		head_end = strstr(line->bytes, "\r\n\r\n");
		if (head_end != NULL) {
			size_t begin = (size_t)(head_end - line->bytes) + 4;
			length = strstr(line->bytes, "Content-Length: ");
			CHECK(length != NULL && length < head_end);
			*answer = wr_view_of(line->bytes + begin,
					     (size_t)strtoul(length + 16, NULL, 10));
			if (line->count == begin + answer->bytes)
				break;
		}
		got = wr_receive_some(line->fd, line->bytes + line->count,
				      sizeof line->bytes - 1 - line->count, ANSWER_MS);
		CHECK(got >= 0);
		if (got == 0)
			return false;
		line->count += (size_t)got;
	}
	*status = (unsigned)strtoul(line->bytes + 9, NULL, 10);
	return true;
}

/* ---- a writer ---- */

/* Acknowledged ones only grow: one writer has one request under way. */
static void note_sequence(struct writer *self, uint64_t sequence)
{
	CHECK(sequence > self->last_sequence);
	self->last_sequence = sequence;
}

static bool create(struct writer *self, struct line *line, const char *key)
{
	struct wr_view answer;
	unsigned status;
	uint32_t place = self->worker_count;

	CHECK(place < WORKERS_MAX);
	if (!ask(line, "/v1/workers", key,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}",
		 &status, &answer))
		return false;
	CHECK_U64(status, 201);
	wr_json_copy(self->ids[place], sizeof self->ids[place], answer,
		     "worker.worker_ref.worker_id");
	note_sequence(self, wr_json_find_u64(answer, "worker.last_event_id"));
	self->worker_count++;
	return true;
}

static bool say(struct writer *self, struct line *line, const char *key, unsigned writer)
{
	uint32_t worker = self->worker_count - 1;
	struct item *item = &self->items[self->item_count];
	char target[128], body[256];
	struct wr_view answer;
	unsigned status;

	CHECK(self->item_count < ITEMS_MAX);
	snprintf(target, sizeof target, "/v1/workers/%s/input", self->ids[worker]);
	snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"%u %u\"}", writer, self->tag);
	if (!ask(line, target, key, body, &status, &answer))
		return false;
	CHECK_U64(status, 200);
	item->worker = worker;
	item->tag = self->tag;
	item->number = (uint32_t)wr_json_find_u64(answer, "ack.transcript_sequence");
	item->event_id = wr_json_find_u64(answer, "ack.event_id");
	CHECK_U64(item->number, self->item_counts[worker] + 1);
	note_sequence(self, item->event_id);
	self->item_counts[worker]++;
	self->item_count++;
	return true;
}

static bool stop(struct writer *self, struct line *line, const char *key)
{
	uint32_t worker = self->worker_count - 1;
	char target[128];
	struct wr_view answer;
	unsigned status;

	snprintf(target, sizeof target, "/v1/workers/%s/stop", self->ids[worker]);
	if (!ask(line, target, key, "{\"reason\":\"enough\"}", &status, &answer))
		return false;
	CHECK_U64(status, 200);
	CHECK_STRING(wr_json_find(answer, "ack.status"), "stopped");
	note_sequence(self, wr_json_find_u64(answer, "ack.event_id"));
	self->is_stopped[worker] = true;
	return true;
}

/* To a Worker that is stopped: must never be seen. */
static bool be_refused(struct writer *self, struct line *line, const char *key)
{
	char target[128];
	struct wr_view answer;
	unsigned status;

	snprintf(target, sizeof target, "/v1/workers/%s/input", self->ids[self->worker_count - 1]);
	if (!ask(line, target, key, "{\"kind\":\"user\",\"content\":\"refused\"}", &status,
		 &answer))
		return false;
	CHECK_U64(status, 409);
	return true;
}

static enum operation choose(const struct writer *self, uint64_t *random)
{
	uint64_t number = wr_test_random(random) % 100;

	if (self->worker_count == 0)
		return CREATE;
	if (self->is_stopped[self->worker_count - 1])
		return number < 50 ? REFUSED : CREATE;
	return number < 94 ? SAY : number < 97 ? STOP : CREATE;
}

/* Until the connection ends. */
static void write_on(unsigned writer, uint64_t random)
{
	struct writer *self = &shared->writers[writer];
	static struct line line;
	bool is_alive = true;

	line.fd = wr_connect(server.address, 0);
	while (line.fd >= 0 && is_alive) {
		char key[32];
		if (self->operation == NOTHING) {
			self->tag++;
			self->operation = choose(self, &random);
		}
		snprintf(key, sizeof key, "%u-%u", writer, self->tag);
		switch (self->operation) {
		case CREATE:
			is_alive = create(self, &line, key);
			break;
		case SAY:
			is_alive = say(self, &line, key, writer);
			break;
		case STOP:
			is_alive = stop(self, &line, key);
			break;
		case REFUSED:
			is_alive = be_refused(self, &line, key);
			break;
		case NOTHING:
			break;
		}
		if (is_alive)
			self->operation = NOTHING;
	}
}

/* ---- the watcher ---- */

static uint64_t hash_more(uint64_t hash, struct wr_view bytes)
{
	for (size_t i = 0; i < bytes.bytes; i++)
		hash = (hash ^ (uint8_t)bytes.data[i]) * 0x100000001b3u;
	return hash;
}

static void note_frame(struct watcher *self, struct wr_view frame)
{
	uint64_t sequence = wr_json_find_u64(frame, "envelope.sequence");

	CHECK(!wr_view_equal(wr_json_find(frame, "kind"), WR_VIEW("diagnostic")));
	CHECK(sequence > self->sequence);
	self->hash = hash_more(self->hash ^ sequence, wr_json_find(frame, "envelope.payload"));
	self->count++;
	self->sequence = sequence;
	wr_json_copy(self->cursor, sizeof self->cursor, frame, "envelope.cursor");
}

static void open_watch(struct wr_test_ws *ws, const char *cursor)
{
	char target[128];

	snprintf(target, sizeof target, "/v1/events/ws?cursor=%s", cursor);
	CHECK_U64(wr_test_ws_open(ws, &server, NULL, target), 101);
}

static void watch_on(struct wr_test_ws *ws)
{
	struct watcher *self = &shared->watcher;
	struct wr_ws_news news;

	for (;;) {
		wr_test_ws_next(ws, &news, ANSWER_MS);
		if (news.kind != WR_WS_NEWS_MESSAGE)
			return;
		note_frame(self, news.data);
	}
}

/* ---- a life ---- */

static void start(void)
{
	wr_process_start(&server,
			 WR_ARGUMENTS("--store", "fs", "--fs-root", root, "--runtime-id", "crash",
				      "--max-workers", "100000", "--fs-segment-bytes", "5M"),
			 NULL);
}

static void check_item(unsigned writer, const struct item *item, struct wr_view page, size_t at)
{
	char path[64], content[32];

	snprintf(path, sizeof path, "transcript.items.%zu.content", at);
	snprintf(content, sizeof content, "%u %u", writer, item->tag);
	CHECK_STRING(wr_json_find(page, path), content);
	snprintf(path, sizeof path, "transcript.items.%zu.event_id", at);
	CHECK_U64(wr_json_find_u64(page, path), item->event_id);
	snprintf(path, sizeof path, "transcript.items.%zu.sequence", at);
	CHECK_U64(wr_json_find_u64(page, path), item->number);
}

/* The transcript of one Worker against what was acknowledged: nothing more than the one item whose
 * answer may be missing. */
static void check_worker(struct wr_client *client, unsigned writer, uint32_t worker)
{
	const struct writer *self = &shared->writers[writer];
	struct wr_answer answer;
	uint64_t total, count = 0, first = 0;
	bool may_have_one_more = worker + 1 == self->worker_count && self->operation == SAY;

	wr_client_get(client, &answer, "/v1/workers/%s", self->ids[worker]);
	CHECK_U64(answer.status, 200);
	if (self->is_stopped[worker])
		CHECK_STRING(wr_json_find(answer.body, "worker.status"), "stopped");
	wr_client_get(client, &answer, "/v1/workers/%s/transcript?limit=16", self->ids[worker]);
	CHECK_U64(answer.status, 200);
	total = wr_json_find_u64(answer.body, "transcript.total_items");
	CHECK(total >= self->item_counts[worker] &&
	      total <= self->item_counts[worker] + may_have_one_more);
	for (uint32_t i = 0; i < self->item_count; i++) {
		const struct item *item = &self->items[i];
		if (item->worker != worker)
			continue;
		if (count == first + 16) {
			first = count;
			wr_client_get(client, &answer,
				      "/v1/workers/%s/transcript?start=%u&limit=16",
				      self->ids[worker], (unsigned)first);
			CHECK_U64(answer.status, 200);
		}
		check_item(writer, item, answer.body, (size_t)(count - first));
		count++;
	}
	CHECK_U64(count, self->item_counts[worker]);
}

/* `all`: every Worker ever; else those of the end, where a crash can have done harm. */
static void check_everything(bool all)
{
	struct wr_client client;

	wr_client_open(&client, &server, NULL);
	for (unsigned writer = 0; writer < WRITERS; writer++) {
		uint32_t count = shared->writers[writer].worker_count;
		for (uint32_t worker = all || count < 3 ? 0 : count - 3; worker < count; worker++) {
			check_worker(&client, writer, worker);
			if (worker % 128 == 127) { /* a connection serves 10,000 requests */
				wr_client_close(&client);
				wr_client_open(&client, &server, NULL);
			}
		}
	}
	wr_client_close(&client);
}

static void live(uint64_t *random)
{
	pid_t children[WRITERS + 1];
	struct wr_test_ws watch;
	unsigned ms = 20 + (unsigned)(wr_test_random(random) % 200);

	if (wr_process_is_sanitized())
		ms *= 2;
	/* Before its life is counted: the end must not come into the handshake. */
	open_watch(&watch, shared->watcher.cursor);
	for (unsigned i = 0; i <= WRITERS; i++) {
		uint64_t seed = wr_test_random(random);
		children[i] = fork();
		CHECK(children[i] >= 0);
		if (children[i] == 0) {
			if (i < WRITERS)
				write_on(i, seed);
			else
				watch_on(&watch);
			_exit(0);
		}
	}
	/* The moment of death: any is good, none is waited for. */
	wr_process_wait_text(&server, "this text never comes", ms);
	wr_process_signal(&server, SIGKILL);
	wr_process_wait(&server, WR_PROCESS_WAIT_MS);
	wr_test_ws_close(&watch);
	for (unsigned i = 0; i <= WRITERS; i++) {
		int status;
		CHECK(waitpid(children[i], &status, 0) == children[i]);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

/* What the watchers saw over all lives is what one reader sees who starts at the beginning. */
static void check_stream(void)
{
	const struct watcher *seen = &shared->watcher;
	struct watcher again = {.hash = 0};
	struct wr_test_ws ws;

	memcpy(again.cursor, seen->first_cursor, sizeof again.cursor);
	open_watch(&ws, again.cursor);
	while (again.sequence < seen->sequence)
		note_frame(&again, wr_test_ws_message(&ws));
	CHECK_U64(again.sequence, seen->sequence);
	CHECK_U64(again.count, seen->count);
	CHECK_U64(again.hash, seen->hash);
	wr_test_ws_close(&ws);
}

static void begin_watch(void)
{
	struct wr_client client;
	struct wr_answer answer;

	wr_client_open(&client, &server, NULL);
	wr_client_get(&client, &answer, "/v1/runtime");
	wr_json_copy(shared->watcher.cursor, sizeof shared->watcher.cursor, answer.body,
		     "runtime.cursor");
	memcpy(shared->watcher.first_cursor, shared->watcher.cursor, sizeof shared->watcher.cursor);
	wr_client_close(&client);
}

static void remove_root(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", root);
	CHECK(system(command) == 0);
}

static void test_nothing_acknowledged_is_lost_over_many_lives(void)
{
	const char *text = getenv("WR_TEST_LIVES");
	unsigned lives = text != NULL ? (unsigned)strtoul(text, NULL, 10) : LIVES_SHORT;
	uint64_t random = wr_test_seed(), items = 0, workers = 0;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	CHECK(shared != MAP_FAILED);
	wr_test_make_folder(root);
	start();
	begin_watch();
	for (unsigned i = 0; i < lives; i++) {
		live(&random);
		start();
		check_everything(false);
		if (text != NULL && i % 20 == 19)
			printf("%u of %u lives\n", i + 1, lives);
	}
	check_everything(true);
	check_stream();
	CHECK_U64(wr_process_stop(&server), 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		items += shared->writers[i].item_count;
		workers += shared->writers[i].worker_count;
	}
	printf("%u lives: %llu Workers, %llu inputs, %llu frames\n", lives,
	       (unsigned long long)workers, (unsigned long long)items,
	       (unsigned long long)shared->watcher.count);
	CHECK(items > lives && shared->watcher.count > lives);
	remove_root();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_nothing_acknowledged_is_lost_over_many_lives, 1800),
	WR_TEST_END,
};
