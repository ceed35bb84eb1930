/* See bench.h. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_NAME "WR_BENCH_TOKEN"
#define TOKEN "5d2c1f0e9b8a7766554433221100ffee"

enum {
	RECEIVE_BYTES = 1 << 20,
	READY_MS_MAX = 20000, /* also under a profiler */
	SILENCE_MS_MAX = 20000,
	STALLED_RECEIVE_BYTES = 4096,
	EVENTS_MAX = 256,
	PREFIX_WORDS_MAX = 16,
	FLAGS_MAX = 8
};

/* ---- ending, time ---- */

_Noreturn void wr_bench_die(const char *what)
{
	if (errno != 0)
		fprintf(stderr, "bench: %s (%s)\n", what, strerror(errno));
	else
		fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void wr_bench_require(bool is_so, const char *what)
{
	if (!is_so)
		wr_bench_die(what);
}

/* Servers run on the first processor that we may use, clients on the last. */
static void pin(bool is_server)
{
	static cpu_set_t all; /* what we were given, before we chose */
	static bool is_known;
	cpu_set_t one;
	int cpu = -1;

	if (!is_known && sched_getaffinity(0, sizeof all, &all) != 0)
		return;
	is_known = true;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, &all) && (cpu < 0 || !is_server))
			cpu = i;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(0, sizeof one, &one);
}

void wr_bench_begin(unsigned seconds_max)
{
	struct rlimit limit;

	alarm(seconds_max);
	pin(false);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	errno = 0;
}

uint64_t wr_bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

unsigned wr_bench_rounds(unsigned otherwise)
{
	const char *text = getenv("WR_BENCH_ITERS");
	unsigned long rounds = text != NULL ? strtoul(text, NULL, 10) : otherwise;

	if (rounds == 0)
		rounds = otherwise;
	return (unsigned)(rounds < WR_BENCH_ROUNDS_MAX ? rounds : WR_BENCH_ROUNDS_MAX);
}

/* ---- figures ---- */

void wr_bench_add(struct wr_bench_series *self, double value)
{
	wr_bench_require(self->count < WR_BENCH_ROUNDS_MAX, "too many rounds");
	self->values[self->count++] = value;
}

static int order(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

double wr_bench_median(const struct wr_bench_series *self)
{
	struct wr_bench_series sorted = *self;

	wr_bench_require(self->count > 0, "a figure without values");
	qsort(sorted.values, sorted.count, sizeof sorted.values[0], order);
	return sorted.values[sorted.count / 2];
}

void wr_bench_report(const char *name, const char *unit, const struct wr_bench_series *self,
		     const struct wr_bench_series *floor)
{
	struct wr_bench_series sorted = *self, ratios = {0};

	wr_bench_require(self->count > 0, "a figure without values");
	qsort(sorted.values, sorted.count, sizeof sorted.values[0], order);
	printf("%s,%.4g,%.4g,%.4g,%s,", name, sorted.values[0], sorted.values[sorted.count / 2],
	       sorted.values[sorted.count - 1], unit);
	if (floor != NULL) {
		for (unsigned i = 0; i < self->count && i < floor->count; i++)
			wr_bench_add(&ratios, self->values[i] / floor->values[i]);
		printf("%.3f", wr_bench_median(&ratios));
	}
	printf("\n");
}

void wr_bench_observe(struct wr_bench_histogram *self, uint64_t ns)
{
	unsigned power = 0;

	while (ns >> power >= 2 * WR_BENCH_STEPS)
		power++;
	/* Below 64 each value has its own bin, above 32 bins for each power of two. */
	self->bins[(uint64_t)power * WR_BENCH_STEPS + (ns >> power)]++;
	self->count++;
}

double wr_bench_quantile(const struct wr_bench_histogram *self, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)self->count), seen = 0;
	unsigned bin = 0, power;

	for (; bin < WR_BENCH_BINS - 1; bin++) {
		seen += self->bins[bin];
		if (seen > wanted)
			break;
	}
	if (bin < 2 * WR_BENCH_STEPS)
		return bin;
	power = bin / WR_BENCH_STEPS - 1;
	return (double)((uint64_t)(bin - power * WR_BENCH_STEPS) << power);
}

/* ---- servers ---- */

static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t bytes = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &bytes) != 0)
		wr_bench_die("no free port");
	close(fd);
	return ntohs(address.sin_port);
}

static const char *build_folder(void)
{
	const char *folder = getenv("WR_BUILD");

	return folder != NULL ? folder : "build/release";
}

/* In the child. Its output goes to our stderr: stdout has figures only. */
static _Noreturn void become(const char **words)
{
	static char *arguments[PREFIX_WORDS_MAX + 24];
	size_t count = 0;

	for (; words[count] != NULL; count++)
		arguments[count] = (char *)(uintptr_t)words[count];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(true);
	dup2(2, 1);
	execvp(arguments[0], arguments);
	fprintf(stderr, "bench: cannot run %s (%s)\n", arguments[0], strerror(errno));
	_exit(127);
}

static size_t add_prefix(const char **words, char *text, size_t bytes)
{
	const char *prefix = getenv("WR_BENCH_PREFIX");
	size_t count = 0;
	char *at = text;

	if (prefix == NULL)
		return 0;
	wr_bench_require((size_t)snprintf(text, bytes, "%s", prefix) < bytes, "prefix too long");
	while (count < PREFIX_WORDS_MAX) {
		at += strspn(at, " ");
		if (*at == '\0')
			break;
		words[count++] = at;
		at += strcspn(at, " ");
		if (*at != '\0')
			*at++ = '\0';
	}
	return count;
}

void wr_bench_spawn(struct wr_bench_server *self, bool is_floor,
		    const struct wr_bench_floor *floor, const char *const *flags)
{
	const char *words[PREFIX_WORDS_MAX + 24];
	char prefix[1024], program[512], address[32], numbers[3][24];
	size_t count = 0;

	self->is_floor = is_floor;
	self->port = free_port();
	if (is_floor) {
		snprintf(program, sizeof program, "%s/bench/floor", build_folder());
		snprintf(address, sizeof address, "%u", self->port);
		snprintf(numbers[0], sizeof numbers[0], "%zu", floor->answer_bytes);
		snprintf(numbers[1], sizeof numbers[1], "%zu", floor->request_bytes);
		snprintf(numbers[2], sizeof numbers[2], "%zu", floor->frame_bytes);
		words[count++] = program;
		words[count++] = address;
		for (unsigned i = 0; i < 3; i++)
			words[count++] = numbers[i];
	} else {
		count = add_prefix(words, prefix, sizeof prefix);
		snprintf(program, sizeof program, "%s/worker-runtime", build_folder());
		snprintf(address, sizeof address, "127.0.0.1:%u", self->port);
		words[count++] = program;
		words[count++] = "--bind";
		words[count++] = address;
		words[count++] = "--local-token-env=" TOKEN_NAME;
		words[count++] = "--log-level=error";
		/* Neither keep-alive nor idle limits while another server has its turn. */
		words[count++] = "--ping-ms=3600000";
		words[count++] = "--idle-ms=3600000";
		setenv(TOKEN_NAME, TOKEN, 1);
		for (unsigned i = 0; flags != NULL && flags[i] != NULL && i < FLAGS_MAX; i++)
			words[count++] = flags[i];
	}
	words[count] = NULL;
	fflush(NULL);
	self->pid = fork();
	wr_bench_require(self->pid >= 0, "fork");
	if (self->pid == 0)
		become(words);
	errno = 0;
}

static void wait_until_it_answers(const struct wr_bench_server *self)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(self->port)};
	uint64_t end = wr_bench_now_ns() + READY_MS_MAX * (uint64_t)1000000;
	const struct timespec pause = {.tv_nsec = 200000};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int result = connect(fd, (struct sockaddr *)&address, sizeof address);
		close(fd);
		if (result == 0)
			break;
		if (waitpid(self->pid, NULL, WNOHANG) == self->pid)
			wr_bench_die("a server ended at its start");
		if (wr_bench_now_ns() > end)
			wr_bench_die("a server does not start");
		nanosleep(&pause, NULL);
	}
	errno = 0;
}

void wr_bench_start_floor(struct wr_bench_server *self, const struct wr_bench_floor *floor)
{
	wr_bench_spawn(self, true, floor, NULL);
	wait_until_it_answers(self);
}

void wr_bench_start_runtime(struct wr_bench_server *self, const char *const *flags)
{
	wr_bench_spawn(self, false, NULL, flags);
	wait_until_it_answers(self);
	wr_bench_make_worker(self);
}

void wr_bench_make_worker(const struct wr_bench_server *self)
{
	char request[512];
	unsigned status;
	size_t bytes = wr_bench_request(request, sizeof request, self, "POST", "/v1/workers",
					"{\"intent\":{\"kind\":\"assistant\"},"
					"\"profile\":{\"kind\":\"runtime_default\"}}");

	wr_bench_roundtrip(self, request, bytes, &status);
	wr_bench_require(status == 201, "a Worker cannot be created");
}

void wr_bench_stop(struct wr_bench_server *self)
{
	kill(self->pid, self->is_floor ? SIGKILL : SIGTERM);
	waitpid(self->pid, NULL, 0);
	self->pid = 0;
	errno = 0;
}

uint64_t wr_bench_cpu_ns(const struct wr_bench_server *self)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(self->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		wr_bench_die("the server is gone");
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

uint64_t wr_bench_memory(const struct wr_bench_server *self, const char *key)
{
	char path[64], line[256];
	unsigned long long kib = 0;
	bool is_found = false;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)self->pid);
	file = fopen(path, "r");
	wr_bench_require(file != NULL, "no smaps_rollup");
	while (!is_found && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0) {
			kib = strtoull(line + strlen(key), NULL, 10);
			is_found = true;
		}
	fclose(file);
	wr_bench_require(is_found, "smaps_rollup lacks a value");
	return (uint64_t)kib * 1024;
}

/* Holds a server until everything for its next turn is there. */
static void hold(const struct wr_bench_server *server)
{
	char path[64], text[512], *state;
	size_t bytes;
	FILE *file;

	kill(server->pid, SIGSTOP);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)server->pid);
	do {
		file = fopen(path, "r");
		wr_bench_require(file != NULL, "the server is gone");
		bytes = fread(text, 1, sizeof text - 1, file);
		fclose(file);
		text[bytes] = '\0';
		state = strrchr(text, ')');
	} while (state == NULL || state[2] != 'T');
}

/* ---- a connection of ours ---- */

static void open_peer(struct wr_bench_peer *self, const struct wr_bench_server *server,
		      unsigned source, int receive_bytes)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server->port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int one = 1;

	memset(self, 0, sizeof *self);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source);
	self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (self->fd < 0)
		wr_bench_die("socket");
	setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (receive_bytes > 0)
		setsockopt(self->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
	if (bind(self->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    connect(self->fd, (struct sockaddr *)&to, sizeof to) != 0)
		wr_bench_die("connect");
	fcntl(self->fd, F_SETFL, O_NONBLOCK);
	errno = 0;
}

void wr_bench_connect(struct wr_bench_peer *self, const struct wr_bench_server *server,
		      unsigned source)
{
	open_peer(self, server, source, 0);
}

void wr_bench_disconnect(struct wr_bench_peer *self)
{
	close(self->fd);
	free(self->rest);
	memset(self, 0, sizeof *self);
	self->fd = -1;
}

/* Our requests are small and the window is closed before the next: a full socket is a bug. */
void wr_bench_send(struct wr_bench_peer *self, const void *data, size_t bytes)
{
	ssize_t sent = send(self->fd, data, bytes, MSG_NOSIGNAL);

	wr_bench_require(sent == (ssize_t)bytes, "send");
}

typedef size_t take_fn(void *context, struct wr_bench_peer *peer, const uint8_t *data,
		       size_t bytes);

static void keep(struct wr_bench_peer *self, const uint8_t *data, size_t bytes)
{
	if (bytes > self->rest_capacity) {
		free(self->rest);
		self->rest_capacity = bytes < 4096 ? 4096 : 2 * bytes;
		self->rest = malloc(self->rest_capacity);
		wr_bench_require(self->rest != NULL, "memory");
	}
	if (bytes > 0)
		memcpy(self->rest, data, bytes);
	self->rest_bytes = bytes;
}

/* One recv, given to `take` with what was kept before it; what that leaves is kept. Returns the bytes
 * received, 0 when there was nothing. */
static size_t receive(struct wr_bench_peer *self, take_fn *take, void *context)
{
	static uint8_t buffer[RECEIVE_BYTES];
	size_t kept = self->rest_bytes, used;
	ssize_t got;

	if (kept > 0)
		memcpy(buffer, self->rest, kept);
	got = recv(self->fd, buffer + kept, sizeof buffer - kept, 0);
	if (got < 0 && errno == EAGAIN) {
		errno = 0;
		return 0;
	}
	wr_bench_require(got > 0, "a server closed a connection");
	used = take(context, self, buffer, kept + (size_t)got);
	wr_bench_require(used > 0 || kept + (size_t)got < sizeof buffer, "an item is too large");
	keep(self, buffer + used, kept + (size_t)got - used);
	return (size_t)got;
}

/* ---- HTTP ---- */

size_t wr_bench_request(char *out, size_t bytes_max, const struct wr_bench_server *server,
			const char *method, const char *path, const char *body)
{
	char type[96] = "";
	int bytes;

	if (body != NULL)
		snprintf(type, sizeof type,
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	bytes = snprintf(out, bytes_max,
			 "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer " TOKEN
			 "\r\nAccept: application/json\r\nUser-Agent: bench\r\n%s\r\n%s",
			 method, path, server->port, type, body != NULL ? body : "");
	wr_bench_require(bytes > 0 && (size_t)bytes < bytes_max, "a request is too long");
	return (size_t)bytes;
}

size_t wr_bench_answer(const uint8_t *data, size_t bytes, unsigned *status)
{
	static const char length[] = "\r\nContent-Length: ";
	const uint8_t *end = memmem(data, bytes, "\r\n\r\n", 4), *at;
	size_t head, body = 0;

	if (end == NULL)
		return 0;
	head = (size_t)(end - data) + 4;
	wr_bench_require(memcmp(data, "HTTP/1.1 ", 9) == 0, "not an HTTP answer");
	*status = (unsigned)((data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0'));
	at = memmem(data, head, length, sizeof length - 1);
	if (at != NULL)
		for (at += sizeof length - 1; *at >= '0' && *at <= '9'; at++)
			body = body * 10 + (size_t)(*at - '0');
	return head + body <= bytes ? head + body : 0;
}

/* Waits for readability of one descriptor. */
static void await(int fd)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
	wr_bench_require(epoll_wait(epoll_fd, &event, 1, SILENCE_MS_MAX) == 1, "no answer");
	close(epoll_fd);
}

struct single {
	unsigned status;
	size_t bytes;
};

static size_t take_single(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			  size_t bytes)
{
	struct single *single = context;

	single->bytes = wr_bench_answer(data, bytes, &single->status);
	if (single->bytes > 0)
		peer->items++;
	return single->bytes;
}

size_t wr_bench_roundtrip(const struct wr_bench_server *server, const char *request, size_t bytes,
			  unsigned *status)
{
	struct wr_bench_peer peer;
	struct single single = {0};

	wr_bench_connect(&peer, server, 0);
	wr_bench_send(&peer, request, bytes);
	while (peer.items == 0) {
		await(peer.fd);
		receive(&peer, take_single, &single);
	}
	wr_bench_disconnect(&peer);
	*status = single.status;
	return single.bytes;
}

/* ---- many askers ---- */

static size_t take_answers(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			   size_t bytes)
{
	const unsigned *wanted = context;
	size_t at = 0, used;
	unsigned status;

	while ((used = wr_bench_answer(data + at, bytes - at, &status)) > 0) {
		wr_bench_require(status == *wanted, "an answer has another status");
		peer->items++;
		at += used;
	}
	return at;
}

static int watch_peers(struct wr_bench_peer *peers, unsigned count)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		event.data.ptr = &peers[i];
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, peers[i].fd, &event);
	}
	return epoll_fd;
}

/* Closed loop: a connection that has all its answers is given the next batch in one send. */
static void ask(int epoll_fd, const char *batch, size_t batch_bytes, unsigned depth,
		uint64_t batches, unsigned status)
{
	struct epoll_event events[WR_BENCH_ASKERS];
	uint64_t sent = WR_BENCH_ASKERS, done = 0;

	while (done < batches) {
		int count = epoll_wait(epoll_fd, events, WR_BENCH_ASKERS, SILENCE_MS_MAX);
		wr_bench_require(count > 0, "answers are missing");
		for (int i = 0; i < count; i++) {
			struct wr_bench_peer *peer = events[i].data.ptr;
			receive(peer, take_answers, &status);
			if (peer->items < depth)
				continue;
			wr_bench_require(peer->items == depth, "too many answers");
			peer->items = 0;
			done++;
			if (sent++ < batches)
				wr_bench_send(peer, batch, batch_bytes);
		}
	}
}

struct wr_bench_cost wr_bench_ask(const struct wr_bench_server *server, const char *request,
				  size_t bytes, unsigned depth, uint64_t count, unsigned status)
{
	struct wr_bench_peer peers[WR_BENCH_ASKERS];
	struct wr_bench_cost cost;
	uint64_t batches = count / depth, cpu, wall;
	char *batch = malloc(bytes * depth);
	int epoll_fd;

	wr_bench_require(batch != NULL && batches >= WR_BENCH_ASKERS, "too few requests");
	for (unsigned i = 0; i < depth; i++)
		memcpy(batch + i * bytes, request, bytes);
	for (unsigned i = 0; i < WR_BENCH_ASKERS; i++) {
		wr_bench_connect(&peers[i], server, i);
		wr_bench_send(&peers[i], request, bytes); /* so that it is warm and accepted */
		while (peers[i].items == 0) {
			await(peers[i].fd);
			receive(&peers[i], take_answers, &status);
		}
		peers[i].items = 0;
	}
	epoll_fd = watch_peers(peers, WR_BENCH_ASKERS);
	wall = wr_bench_now_ns();
	cpu = wr_bench_cpu_ns(server);
	for (unsigned i = 0; i < WR_BENCH_ASKERS; i++)
		wr_bench_send(&peers[i], batch, bytes * depth);
	ask(epoll_fd, batch, bytes * depth, depth, batches, status);
	cost.cpu_ns = (double)(wr_bench_cpu_ns(server) - cpu) / (double)(batches * depth);
	cost.wall_ns = (double)(wr_bench_now_ns() - wall) / (double)(batches * depth);
	close(epoll_fd);
	for (unsigned i = 0; i < WR_BENCH_ASKERS; i++)
		wr_bench_disconnect(&peers[i]);
	free(batch);
	return cost;
}

/* ---- an audience ---- */

/* Length of the unmasked frame at the front, 0 when some is missing. Text frames only: anything else
 * (Close, ping) has no place in a benchmark. */
static size_t frame_at(const uint8_t *data, size_t bytes)
{
	size_t head = 2, payload;

	if (bytes < 4)
		return 0;
	wr_bench_require(data[0] == 0x81 && data[1] < 128, "not a whole, unmasked text frame");
	payload = data[1];
	if (payload == 126) {
		head = 4;
		payload = (size_t)data[2] << 8 | data[3];
	} else if (payload == 127) {
		if (bytes < 10)
			return 0;
		head = 10;
		payload = 0;
		for (unsigned i = 2; i < 10; i++)
			payload = payload << 8 | data[i];
	}
	return head + payload <= bytes ? head + payload : 0;
}

/* The number behind "sequence": of a frame; the floor's frames have none. */
static void check_order(struct wr_bench_peer *peer, const uint8_t *frame, size_t bytes)
{
	static const char name[] = "\"sequence\":";
	const uint8_t *at = memmem(frame, bytes, name, sizeof name - 1);
	uint64_t sequence = 0;

	wr_bench_require(at != NULL, "a frame has no sequence");
	for (at += sizeof name - 1; *at >= '0' && *at <= '9'; at++)
		sequence = sequence * 10 + (uint64_t)(*at - '0');
	wr_bench_require(sequence > peer->last_sequence, "frames out of order");
	peer->last_sequence = sequence;
}

static size_t take_frames(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			  size_t bytes)
{
	struct wr_bench_audience *self = context;
	uint64_t now = self->latency != NULL ? wr_bench_now_ns() : 0;
	size_t at = 0, used;

	while ((used = frame_at(data + at, bytes - at)) > 0) {
		/* The first of them stands for all: it is the slowest check. */
		if (!self->server->is_floor && peer == self->subscribers)
			check_order(peer, data + at, used);
		if (self->latency != NULL)
			wr_bench_observe(self->latency,
					 now - self->sent_ns[peer->items % WR_BENCH_SENT_MAX]);
		if (!self->server->is_floor)
			self->frame_bytes = used;
		peer->items++;
		self->heard++;
		at += used;
	}
	return at;
}

static size_t take_acknowledgements(void *context, struct wr_bench_peer *peer, const uint8_t *data,
				    size_t bytes)
{
	struct wr_bench_audience *self = context;
	unsigned wanted = 200;
	uint64_t before = peer->items;
	size_t used = take_answers(&wanted, peer, data, bytes);

	self->answered += peer->items - before;
	return used;
}

static size_t take_upgrade(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			   size_t bytes)
{
	const uint8_t *end = memmem(data, bytes, "\r\n\r\n", 4);
	bool *is_done = context;

	if (end == NULL)
		return 0;
	(void)peer;
	wr_bench_require(memcmp(data, "HTTP/1.1 101 ", 13) == 0, "no upgrade");
	wr_bench_require(memmem(data, bytes, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) != NULL,
			 "wrong Sec-WebSocket-Accept");
	*is_done = true;
	return (size_t)(end - data) + 4;
}

static size_t take_snapshot(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			    size_t bytes)
{
	size_t used = frame_at(data, bytes);

	(void)peer;
	if (used > 0) {
		wr_bench_require(memmem(data, used, "\"snapshot\"", 10) != NULL, "no snapshot");
		*(bool *)context = true;
	}
	return used;
}

/* What came together with the head is kept in `rest`; look there before waiting for more. */
static void take_one(struct wr_bench_peer *peer, take_fn *take)
{
	bool is_done = false;
	size_t used = peer->rest_bytes > 0
			      ? take(&is_done, peer, peer->rest, peer->rest_bytes)
			      : 0;

	if (used > 0) {
		memmove(peer->rest, peer->rest + used, peer->rest_bytes - used);
		peer->rest_bytes -= used;
	}
	while (!is_done) {
		await(peer->fd);
		receive(peer, take, &is_done);
	}
}

/* On a connection that was made. */
static void upgrade(struct wr_bench_peer *peer, const struct wr_bench_server *server,
		    const char *path)
{
	char request[512];
	int bytes = snprintf(request, sizeof request,
			     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer " TOKEN
			     "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
			     "Sec-WebSocket-Version: 13\r\n"
			     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			     path, server->port);

	wr_bench_send(peer, request, (size_t)bytes);
	take_one(peer, take_upgrade);
}

static void seat(struct wr_bench_audience *self, unsigned index)
{
	struct wr_bench_peer *peer = &self->subscribers[index];
	struct epoll_event event = {.events = EPOLLIN};
	bool is_floor = self->server->is_floor, is_stalled = index >= self->count - self->stalled;

	open_peer(peer, self->server, 1 + index / 4096, is_stalled ? STALLED_RECEIVE_BYTES : 0);
	upgrade(peer, self->server, is_floor ? "/sub" : "/v1/workers/worker-00000001/events/ws");
	if (!is_floor)
		take_one(peer, take_snapshot);
	if (is_stalled)
		return;
	event.data.ptr = peer;
	epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, peer->fd, &event);
}

void wr_bench_renew(struct wr_bench_audience *self)
{
	for (unsigned i = 0; i < WR_BENCH_SPEAKERS; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		struct wr_bench_peer *peer = &self->speakers[i];
		if (peer->fd >= 0)
			wr_bench_disconnect(peer);
		if (i > 0 && !self->wants_posts)
			break;
		wr_bench_connect(peer, self->server, 0);
		if (!self->wants_posts)
			upgrade(peer, self->server, "/pub");
		event.data.ptr = peer;
		epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, peer->fd, &event);
	}
}

void wr_bench_gather(struct wr_bench_audience *self, const struct wr_bench_server *server,
		     unsigned count, unsigned stalled, bool wants_posts)
{
	memset(self, 0, sizeof *self);
	self->server = server;
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->count = count;
	self->stalled = stalled;
	self->wants_posts = wants_posts || !server->is_floor;
	self->content_bytes = 1;
	self->frame_bytes = 200;
	self->subscribers = calloc(count + 1, sizeof self->subscribers[0]);
	self->sent_ns = calloc(WR_BENCH_SENT_MAX, sizeof self->sent_ns[0]);
	self->out_bytes = 1 << 20;
	self->out = malloc(self->out_bytes);
	wr_bench_require(self->subscribers != NULL && self->sent_ns != NULL && self->out != NULL,
			 "memory");
	for (unsigned i = 0; i < WR_BENCH_SPEAKERS; i++)
		self->speakers[i].fd = -1;
	for (unsigned i = 0; i < count; i++)
		seat(self, i);
	wr_bench_renew(self);
	errno = 0;
}

void wr_bench_dismiss(struct wr_bench_audience *self)
{
	for (unsigned i = 0; i < self->count; i++)
		wr_bench_disconnect(&self->subscribers[i]);
	for (unsigned i = 0; i < WR_BENCH_SPEAKERS; i++)
		if (self->speakers[i].fd >= 0)
			wr_bench_disconnect(&self->speakers[i]);
	close(self->epoll_fd);
	free(self->subscribers);
	free(self->sent_ns);
	free(self->out);
}

/* A masked text frame whose unmasked form has frame_bytes bytes. */
static size_t write_publication(const struct wr_bench_audience *self, char *out)
{
	static const char mask[4] = {0x12, 0x34, 0x56, 0x78};
	size_t head = self->frame_bytes < 128 ? 2 : 4, payload = self->frame_bytes - head;

	out[0] = (char)0x81;
	out[1] = (char)(0x80 | (head == 2 ? payload : 126));
	if (head == 4) {
		out[2] = (char)(payload >> 8);
		out[3] = (char)payload;
	}
	memcpy(out + head, mask, sizeof mask);
	for (size_t i = 0; i < payload; i++)
		out[head + 4 + i] = (char)('x' ^ mask[i & 3]);
	return head + 4 + payload;
}

static size_t write_post(const struct wr_bench_audience *self, char *out, size_t bytes_max)
{
	char *body = malloc(self->content_bytes + 64);
	size_t at, bytes;

	wr_bench_require(body != NULL, "memory");
	at = (size_t)snprintf(body, 64, "{\"kind\":\"user\",\"content\":\"");
	memset(body + at, 'x', self->content_bytes);
	memcpy(body + at + self->content_bytes, "\"}", 3);
	bytes = wr_bench_request(out, bytes_max, self->server, "POST",
				 "/v1/workers/worker-00000001/input", body);
	free(body);
	return bytes;
}

/* Sends `events` at once: over one connection, or, with the server held, over several. */
static void say(struct wr_bench_audience *self, unsigned events)
{
	size_t each = self->wants_posts ? write_post(self, self->out, self->out_bytes)
					: write_publication(self, self->out);
	unsigned share = self->wants_posts ? WR_BENCH_SPEAKER_BURST : events, speaker = 0;
	bool is_held = events > WR_BENCH_SPEAKER_BURST;
	uint64_t now;

	wr_bench_require(each * events <= self->out_bytes, "a burst is too large");
	for (unsigned i = 1; i < events && i < share; i++)
		memcpy(self->out + i * each, self->out, each);
	if (is_held)
		hold(self->server);
	now = wr_bench_now_ns();
	for (unsigned i = 0; i < events; i++)
		self->sent_ns[(self->said + i) % WR_BENCH_SENT_MAX] = now;
	for (unsigned left = events; left > 0; speaker++) {
		unsigned now_sent = left < share ? left : share;
		wr_bench_require(speaker < WR_BENCH_SPEAKERS, "a burst is too large");
		wr_bench_send(&self->speakers[speaker], self->out, now_sent * each);
		left -= now_sent;
	}
	if (is_held)
		kill(self->server->pid, SIGCONT);
	self->said += events;
	self->due += (uint64_t)events * (self->count - self->stalled);
}

static bool is_speaker(const struct wr_bench_audience *self, const struct wr_bench_peer *peer)
{
	return peer >= self->speakers && peer < self->speakers + WR_BENCH_SPEAKERS;
}

static void listen_once(struct wr_bench_audience *self, struct wr_bench_peer *extra, bool *is_extra)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(self->epoll_fd, events, EVENTS_MAX, SILENCE_MS_MAX);

	wr_bench_require(count > 0, "frames are missing");
	for (int i = 0; i < count; i++) {
		struct wr_bench_peer *peer = events[i].data.ptr;
		if (peer == extra) {
			*is_extra = true;
			continue;
		}
		if (is_speaker(self, peer))
			receive(peer, take_acknowledgements, self);
		else
			self->received_bytes += receive(peer, take_frames, self);
	}
}

static bool has_all(const struct wr_bench_audience *self)
{
	wr_bench_require(self->heard <= self->due && self->answered <= self->said,
			 "more frames than events");
	return self->heard == self->due && (!self->wants_posts || self->answered == self->said);
}

void wr_bench_burst(struct wr_bench_audience *self, unsigned events)
{
	struct wr_bench_peer none;
	bool is_none = false;

	say(self, events);
	while (!has_all(self))
		listen_once(self, &none, &is_none);
}

void wr_bench_pace(struct wr_bench_audience *self, uint64_t period_ns, uint64_t duration_ns)
{
	struct itimerspec times = {{0, (long)period_ns}, {0, (long)period_ns}};
	struct epoll_event event = {.events = EPOLLIN};
	struct wr_bench_peer timer = {0};
	uint64_t events = duration_ns / period_ns, passed = 0, fired;

	timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	event.data.ptr = &timer;
	wr_bench_require(timer.fd >= 0, "timerfd");
	epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, timer.fd, &event);
	timerfd_settime(timer.fd, 0, &times, NULL);
	while (passed < events) {
		bool is_time = false;
		listen_once(self, &timer, &is_time);
		if (!is_time || read(timer.fd, &fired, sizeof fired) != (ssize_t)sizeof fired)
			continue;
		passed += fired;
		say(self, (unsigned)(fired < WR_BENCH_SPEAKER_BURST ? fired
								     : WR_BENCH_SPEAKER_BURST));
	}
	close(timer.fd);
	while (!has_all(self)) {
		bool is_time = false;
		listen_once(self, &timer, &is_time);
	}
}
