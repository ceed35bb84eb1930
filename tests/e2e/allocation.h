/*
 * allocation — a whole program in the test's process and thread, whose n-th allocation fails (T9).
 *
 * wr_memory_init here takes the place of that of io/memory.c (the linker finds this one first), so
 * that everything the program allocates comes by resize_counted. Clients are plain sockets; whoever
 * waits for bytes turns the program's loop meanwhile: what an operation allocates is the same each
 * time, and nothing waits for a clock.
 */
#ifndef WR_TESTS_E2E_ALLOCATION_H
#define WR_TESTS_E2E_ALLOCATION_H

#include "check.h"
#include "conn/http_server.h"
#include "harness/harness.h"
#include "harness/process.h"
#include "io/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAULT_TEXT_BYTES = 1 << 18, FAULT_WAIT_MS = 10000 };

/* ---- memory ---- */

static struct {
	uint64_t countdown; /* 0: none fails */
	bool has_failed;
} faults;

static void *resize_counted(struct wr_allocator *self, void *old, size_t old_bytes,
			    size_t new_bytes)
{
	(void)self;
	if (new_bytes == 0) {
		free(old);
		return NULL;
	}
	if (new_bytes > old_bytes && faults.countdown != 0 && --faults.countdown == 0) {
		faults.has_failed = true;
		return NULL;
	}
	return realloc(old, new_bytes);
}

void wr_memory_init(struct wr_allocator *self, size_t max)
{
	*self = (struct wr_allocator){.resize = resize_counted, .max = max};
}

static inline void fail_nth(uint64_t n)
{
	faults.countdown = n;
	faults.has_failed = false;
}

/* Whether one has failed since; from now on none does. */
static inline bool has_failed(void)
{
	faults.countdown = 0;
	return faults.has_failed;
}

/* ---- the program ---- */

/* The one that is up. */
static struct {
	struct wr_reactor *reactor;
	struct wr_http_server *http;
} up;

static inline void turn(uint64_t end_ms)
{
	CHECK(wr_process_now_ms() < end_ms);
	wr_reactor_turn(up.reactor, 2);
}

/* Until all connections but so many are gone. */
static inline void turn_until_connections(uint32_t count)
{
	uint64_t end_ms = wr_process_now_ms() + wr_test_patience(FAULT_WAIT_MS);

	while (wr_http_server_connection_count(up.http) > count)
		turn(end_ms);
}

/* ---- a client ---- */

/* What came last: NUL-terminated. */
static struct {
	char data[FAULT_TEXT_BYTES + 1];
	size_t bytes;
	bool is_ended;
} got;

static inline int dial(void)
{
	const struct wr_address *address = wr_http_server_address(up.http);
	int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(connect(fd, (const struct sockaddr *)&address->storage, address->bytes) == 0);
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	got.bytes = 0;
	got.data[0] = '\0';
	got.is_ended = false;
	return fd;
}

/* Takes what is there; false: nothing. */
static inline bool take(int fd)
{
	ssize_t n = recv(fd, got.data + got.bytes, FAULT_TEXT_BYTES - got.bytes, 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0)
		got.bytes += (size_t)n;
	got.is_ended = n <= 0;
	got.data[got.bytes] = '\0';
	return true;
}

/* Whether that text has come: behind the head of a frame, which may have zeros in it. */
static inline bool has_got(const char *text)
{
	size_t bytes = strlen(text);

	for (size_t i = 0; i + bytes <= got.bytes; i++)
		if (memcmp(got.data + i, text, bytes) == 0)
			return true;
	return false;
}

/* Turns until that text has come, or the end. */
static inline void take_until(int fd, const char *text)
{
	uint64_t end_ms = wr_process_now_ms() + wr_test_patience(FAULT_WAIT_MS);

	while (!got.is_ended && !has_got(text))
		if (!take(fd))
			turn(end_ms);
}

/* An answer's status: 0 when the connection ended before there was one. */
static inline unsigned status_of_got(void)
{
	return got.bytes > 12 ? (unsigned)strtoul(got.data + 9, NULL, 10) : 0;
}

static inline const char *body_of_got(void)
{
	const char *end = strstr(got.data, "\r\n\r\n");

	return end == NULL ? "" : end + 4;
}

/* Finished lines of the head of what is asked next. */
static const char *fields = "";

/* One request on a connection of its own, which ends with the answer; so many others stay. */
static inline unsigned ask_beside(uint32_t others, const char *method, const char *target,
				  const char *body)
{
	char head[1024];
	int bytes = snprintf(head, sizeof head,
			     "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
			     "Content-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
			     method, target, strlen(body), fields);
	uint64_t end_ms = wr_process_now_ms() + wr_test_patience(FAULT_WAIT_MS);
	int fd = dial();

	CHECK(bytes > 0 && (size_t)bytes < sizeof head);
	CHECK(send(fd, head, (size_t)bytes, MSG_NOSIGNAL) == bytes);
	CHECK(send(fd, body, strlen(body), MSG_NOSIGNAL) == (ssize_t)strlen(body));
	while (!got.is_ended)
		if (!take(fd))
			turn(end_ms);
	close(fd);
	turn_until_connections(others);
	return status_of_got();
}

static inline unsigned ask(const char *method, const char *target, const char *body)
{
	return ask_beside(0, method, target, body);
}

/* ---- what can be seen ---- */

static char before[FAULT_TEXT_BYTES], after[FAULT_TEXT_BYTES];

/* Everything that requests may change: given by the test. */
static void look(char *out, size_t room);

/* Appends what is told there. */
static inline void look_at(char *out, size_t room, const char *target)
{
	size_t bytes = strlen(out);
	unsigned status = ask("GET", target, "");

	CHECK(status == 200 || status == 404);
	CHECK((size_t)snprintf(out + bytes, room - bytes, "%s\n", body_of_got()) < room - bytes);
}

static inline void check_nothing_changed(void)
{
	look(after, sizeof after);
	CHECK_STRING(wr_view_of_string(after), before);
}

/* ---- requests ---- */

/* Whether an answer is one that tells to come again: given by the test. */
static bool says_no_memory(unsigned status);

enum { FAULT_N_MAX = 2000 };

struct operation {
	const char *label, *method, *target, *body;
	unsigned expected;
	unsigned refused_min; /* of its allocations: so many at least are felt */
};

/* Asks with the n-th allocation failing, for n from 1, until none fails any more. The answer to
 * what was decided and waits for the disk has to be kept: without memory for that the connection
 * ends, and the client asks again with its Idempotency-Key. */
static inline void ask_with_faults(const struct operation *operation, const char *with)
{
	unsigned refused = 0, status;

	wr_test_case(operation->label);
	for (uint64_t n = 1;; n++) {
		CHECK(n < FAULT_N_MAX);
		look(before, sizeof before);
		fields = with;
		fail_nth(n);
		status = ask(operation->method, operation->target, operation->body);
		fields = "";
		if (!has_failed())
			break;
		if (status == operation->expected) /* it could do without */
			continue;
		refused++;
		if (status == 0) /* as when a network fails: it may have been done, or not */
			continue;
		CHECK(says_no_memory(status));
		check_nothing_changed();
	}
	CHECK_U64(status, operation->expected);
	CHECK(refused >= operation->refused_min);
}

/* The number that the next descriptor would have. */
static inline int next_descriptor(void)
{
	int fd = dup(0);

	CHECK(fd >= 0);
	close(fd);
	return fd;
}

#endif
