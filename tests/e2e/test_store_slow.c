/*
 * Goal (design 2): a disk that takes 200 ms to sync delays nothing but what depends on the sync.
 * Reads, lists, transcripts and streams of what is already visible go on meanwhile; nothing that is
 * not yet on the medium is seen by anybody.
 *
 * Method: the program's own server in a process of this test, over the real folder, with a disk
 * whose sync takes that long. A writer gives input after input; readers, and streams that are
 * resumed, count what they get in between. The times are printed (the p99 is to be below 5 ms);
 * what is required of every machine is that nobody waited for a sync.
 */
#include "harness/client.h"
#include "harness/config.h"
#include "io/store/disk.h"
#include "runtime_server/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SYNC_MS = 200, INPUTS = 8 };

static struct wr_posix_disk real;
static struct wr_disk real_port, slow;
static struct wr_disk_ops slow_ops;
static struct wr_process server;
static char root[] = "/tmp/wr-slow-XXXXXX";

/* The device at work: on the helper's thread. */
static int sync_slowly(void *context, int handle)
{
	const struct timespec time = {.tv_nsec = SYNC_MS * 1000000L};

	nanosleep(&time, NULL);
	return real_port.ops->sync(context, handle);
}

static void open_disk(void)
{
	int os_error;

	CHECK(wr_posix_disk_open(&real, root, false, &os_error));
	real_port = wr_posix_disk_port(&real);
	slow_ops = *real_port.ops;
	slow_ops.sync = sync_slowly;
	slow = (struct wr_disk){&slow_ops, real_port.context};
}

static _Noreturn void serve(int address_fd)
{
	static struct wr_config config;
	static struct wr_tokens tokens;
	static struct wr_server self;
	static const char *const argv[] = {"worker-runtime", "--store", "fs", "--fs-root", root,
					   "--log-level",    "error"};
	char storage[512], address[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_buf message;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_disk();
	wr_test_config(&config, (int)WR_COUNT(argv), argv);
	config.hosting.disk = &slow;
	CHECK(wr_server_init(&self, &config, &tokens, 0, &message));
	wr_address_format(address, wr_http_server_address(self.http));
	CHECK(write(address_fd, address, strlen(address) + 1) > 0);
	wr_server_run(&self);
	wr_server_deinit(&self);
	wr_posix_disk_close(&real);
	_exit(0);
}

static void start(void)
{
	int fds[2];

	wr_test_make_folder(root);
	CHECK(pipe(fds) == 0);
	server.pid = fork();
	CHECK(server.pid >= 0);
	if (server.pid == 0)
		serve(fds[1]);
	close(fds[1]);
	CHECK(read(fds[0], server.address, sizeof server.address) > 0);
	close(fds[0]);
	server.is_running = true;
	server.out_fd = server.err_fd = -1;
}

static void stop(void)
{
	char command[64];

	CHECK(kill(server.pid, SIGTERM) == 0);
	CHECK_U64((uint64_t)wr_process_wait(&server, 10000), 0);
	snprintf(command, sizeof command, "rm -r %s", root);
	CHECK(system(command) == 0);
}

/* ---- */

enum { TIMES_MAX = 65536 };

struct reader {
	struct wr_client client;
	uint32_t count, asked;
	uint32_t times_us[TIMES_MAX];
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void note(struct reader *self, uint64_t since_us)
{
	CHECK(self->count < TIMES_MAX);
	self->times_us[self->count++] = (uint32_t)(now_us() - since_us);
}

/* A connection serves 10,000 requests. */
static void renew(struct reader *self)
{
	if (++self->asked % 4096 != 0)
		return;
	wr_client_close(&self->client);
	wr_client_open(&self->client, &server, NULL);
}

static void read_once(struct reader *self, const char *target)
{
	uint64_t since;
	struct wr_answer answer;

	renew(self);
	since = now_us();
	wr_client_get(&self->client, &answer, "%s", target);
	note(self, since);
	CHECK_U64(answer.status, 200);
}

/* From the handshake to the event behind the cursor. */
static void resume_once(struct reader *self, const char *id, const char *cursor)
{
	uint64_t since = now_us();
	struct wr_test_ws stream;
	char target[256];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws?cursor=%s", id, cursor);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, target), 101);
	CHECK_STRING(wr_json_find(wr_test_ws_message(&stream), "envelope.payload.event"),
		     "user_message");
	note(self, since);
	wr_test_ws_close(&stream);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Prints the times; the longest one. */
static uint64_t report(struct reader *self)
{
	const uint32_t *times = self->times_us;

	qsort(self->times_us, self->count, sizeof self->times_us[0], compare);
	printf("%u reads while the disk synced: median %u us, p99 %u us, longest %u us\n",
	       self->count, times[self->count / 2], times[self->count - 1 - self->count / 100],
	       times[self->count - 1]);
	return times[self->count - 1];
}

static void send_input(struct wr_client *client, const char *id, unsigned number)
{
	char target[160], body[64];

	snprintf(target, sizeof target, "/v1/workers/%s/input", id);
	snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"input %u\"}", number);
	wr_client_send_request(client, "POST", target, NULL, body);
}

/* Whether an answer begins within `ms`. */
static bool has_answer(struct wr_client *client, unsigned ms)
{
	char byte;
	struct pollfd ready = {.fd = client->fd, .events = POLLIN};

	return poll(&ready, 1, (int)ms) == 1 && recv(client->fd, &byte, 1, MSG_PEEK) == 1;
}

static void test_readers_do_not_wait_for_a_slow_sync(void)
{
	struct wr_client writer;
	static struct reader reader;
	struct wr_answer answer;
	char busy[WR_CLIENT_ID_BYTES], quiet[WR_CLIENT_ID_BYTES], path[160], pages[160];
	char cursor[64];
	uint64_t since, spent;

	start();
	wr_client_open(&writer, &server, NULL);
	wr_client_open(&reader.client, &server, NULL);
	wr_client_create_worker(&writer, busy);
	wr_client_create_worker(&writer, quiet);
	wr_client_input(&writer, quiet, "said first");
	wr_client_get(&reader.client, &answer, "/v1/workers/%s", quiet);
	wr_json_copy(cursor, sizeof cursor, answer.body, "worker.cursor");
	wr_client_input(&writer, quiet, "said before");
	snprintf(path, sizeof path, "/v1/workers/%s", quiet);
	snprintf(pages, sizeof pages, "/v1/workers/%s/transcript", quiet);
	since = wr_process_now_ms();
	for (unsigned i = 0; i < INPUTS; i++) {
		send_input(&writer, busy, i);
		while (!has_answer(&writer, 1)) {
			read_once(&reader, path);
			read_once(&reader, pages);
			read_once(&reader, "/v1/workers");
			read_once(&reader, "/v1/runtime");
			resume_once(&reader, quiet, cursor);
		}
		wr_client_receive(&writer, &answer);
		CHECK_U64(answer.status, 200);
	}
	spent = wr_process_now_ms() - since;
	CHECK(spent >= INPUTS * (uint64_t)SYNC_MS); /* the disk was slow indeed */
	/* Had they waited, there would be four for each sync. */
	CHECK(reader.count > INPUTS * 4 * 4);
	CHECK(report(&reader) < SYNC_MS * 1000u);
	wr_client_close(&reader.client);
	wr_client_close(&writer);
	stop();
}

static void test_nothing_is_seen_before_it_is_on_the_medium(void)
{
	struct wr_client writer, reader;
	struct wr_test_ws stream;
	struct wr_answer answer;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES], target[160];

	start();
	wr_client_open(&writer, &server, NULL);
	wr_client_open(&reader, &server, NULL);
	wr_client_create_worker(&writer, id);
	snprintf(target, sizeof target, "/v1/workers/%s/events/ws", id);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, target), 101);
	wr_test_ws_message(&stream); /* the snapshot */
	for (unsigned i = 1; i <= 3; i++) {
		uint64_t items;
		unsigned looks = 0;
		bool is_answered;

		send_input(&writer, id, i);
		/* Until the answer is there nobody has seen more than what was answered before,
		 * or the answer is just on its way to us. */
		do {
			wr_client_get(&reader, &answer, "/v1/workers/%s", id);
			items = wr_json_find_u64(answer.body, "worker.transcript_len");
			looks++;
			is_answered = has_answer(&writer, 1);
			CHECK(items == i - 1 || is_answered || has_answer(&writer, 1000));
		} while (!is_answered);
		CHECK(looks > 1);
		wr_client_get(&reader, &answer, "/v1/workers/%s", id);
		CHECK_U64(wr_json_find_u64(answer.body, "worker.transcript_len"), i);
		wr_client_receive(&writer, &answer);
		CHECK_U64(answer.status, 200);
		frame = wr_test_ws_message(&stream);
		CHECK_U64(wr_json_find_u64(frame, "envelope.sequence"),
			  wr_json_find_u64(answer.body, "ack.event_id"));
	}
	wr_test_ws_close(&stream);
	wr_client_close(&reader);
	wr_client_close(&writer);
	stop();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_readers_do_not_wait_for_a_slow_sync, 40),
	WR_TEST_LIMIT(test_nothing_is_seen_before_it_is_on_the_medium, 40),
	WR_TEST_END,
};
