/*
 * tls — what TLS costs: the server's CPU for a handshake, whole and resumed, and for a byte of
 * answers, and memory of an idle connection; each beside the same program in the clear (`plain`).
 *
 * Of builds with TLS only (make TLS=bearssl bench), where libssl is: the clients are OpenSSL's. The
 * certificate is that of the tests, ECDSA with P-256. Every connection asks GET /v1/runtime and is
 * told 200; a resumed one must have been.
 *
 * Expected (a sketch): ECDHE and one signature without assembly some 2 ms; a resumed handshake has
 * neither, 0.1 ms. AES-GCM by the processor's instructions 1 ns per byte, next to 0.1 in the clear.
 * Memory is what bounds.h says, 25 kB.
 */
#include "bench.h"

#include <stdio.h>

#if !WR_BENCH_OPENSSL

int main(void)
{
	fputs("tls: skipped, libssl is not here\n", stderr);
	return 0;
}

#else

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HANDSHAKES = 40,
	IDLE = 1000,
	ITEMS = 100,
	ITEM_BYTES = 8000,
	PAGES = 10,
	ANSWER_BYTES_MAX = 1 << 20
};

enum kind { PLAIN, TLS, KINDS };
static const char *const kinds[KINDS] = {"plain", "tls"};

/* One connection; without `ssl` in the clear. */
struct link {
	int fd;
	SSL *ssl;
};

static SSL_CTX *context;

static void open_link(struct link *self, const struct wr_bench_server *server, enum kind kind,
		      SSL_SESSION *session)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server->port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	self->ssl = NULL;
	wr_bench_require(connect(self->fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
	if (kind == PLAIN)
		return;
	self->ssl = SSL_new(context);
	wr_bench_require(self->ssl != NULL && SSL_set_fd(self->ssl, self->fd) == 1, "OpenSSL");
	if (session != NULL)
		SSL_set_session(self->ssl, session);
	wr_bench_require(SSL_connect(self->ssl) == 1, "no handshake");
	wr_bench_require(session == NULL || SSL_session_reused(self->ssl), "not resumed");
}

static void close_link(struct link *self)
{
	if (self->ssl != NULL) {
		SSL_shutdown(self->ssl);
		SSL_free(self->ssl);
	}
	close(self->fd);
	errno = 0;
}

static void say(struct link *self, const char *text, size_t bytes)
{
	ssize_t sent = self->ssl != NULL ? SSL_write(self->ssl, text, (int)bytes)
					 : send(self->fd, text, bytes, MSG_NOSIGNAL);

	wr_bench_require(sent == (ssize_t)bytes, "send");
}

static size_t hear(struct link *self, char *to, size_t room)
{
	ssize_t got = self->ssl != NULL ? SSL_read(self->ssl, to, (int)room)
					: recv(self->fd, to, room, 0);

	wr_bench_require(got > 0, "the connection ended");
	return (size_t)got;
}

/* Asks, and reads the whole answer, which has a length or chunks. Returns its bytes. */
static size_t ask(struct link *self, const struct wr_bench_server *server, const char *method,
		  const char *path, const char *body)
{
	static char request[ITEM_BYTES + 1024], answer[ANSWER_BYTES_MAX];
	const char *last = "\r\n0\r\n\r\n";
	bool is_chunked, is_whole = false;
	size_t bytes = wr_bench_request(request, sizeof request, server, method, path, body);
	unsigned status;

	say(self, request, bytes);
	for (bytes = 0; !is_whole;) {
		wr_bench_require(bytes < sizeof answer, "a long answer");
		bytes += hear(self, answer + bytes, sizeof answer - bytes);
		is_chunked = memmem(answer, bytes < 400 ? bytes : 400, "chunked", 7) != NULL;
		is_whole = is_chunked ? bytes > 7 && memcmp(answer + bytes - 7, last, 7) == 0
				      : wr_bench_answer((const uint8_t *)answer, bytes, &status) ==
						bytes;
	}
	wr_bench_require(memcmp(answer, "HTTP/1.1 20", 11) == 0, "not a good answer");
	return bytes;
}

/* ---- figures ---- */

struct figures {
	struct wr_bench_series whole, resumed, byte, memory;
};

/* Server's CPU in us of a connection that asks once. */
static double connections_cost(const struct wr_bench_server *server, enum kind kind,
			       SSL_SESSION *session)
{
	uint64_t before = wr_bench_cpu_ns(server);

	for (unsigned i = 0; i < HANDSHAKES; i++) {
		struct link link;
		open_link(&link, server, kind, session);
		ask(&link, server, "GET", "/v1/runtime", NULL);
		close_link(&link);
	}
	return (double)(wr_bench_cpu_ns(server) - before) / HANDSHAKES / 1e3;
}

static double resumptions_cost(const struct wr_bench_server *server)
{
	struct link link;
	SSL_SESSION *session;
	double cost;

	open_link(&link, server, TLS, NULL);
	ask(&link, server, "GET", "/v1/runtime", NULL);
	session = SSL_get1_session(link.ssl);
	close_link(&link);
	cost = connections_cost(server, TLS, session);
	SSL_SESSION_free(session);
	return cost;
}

static double byte_cost(const struct wr_bench_server *server, enum kind kind)
{
	struct link link;
	uint64_t before, bytes = 0;

	open_link(&link, server, kind, NULL);
	before = wr_bench_cpu_ns(server);
	for (unsigned i = 0; i < PAGES; i++)
		bytes += ask(&link, server, "GET",
			     "/v1/workers/worker-00000001/transcript?limit=100", NULL);
	before = wr_bench_cpu_ns(server) - before;
	close_link(&link);
	return (double)before / (double)bytes;
}

static double idle_bytes(const struct wr_bench_server *server, enum kind kind)
{
	static struct link links[IDLE];
	uint64_t before = wr_bench_memory(server, "Private_Dirty:");
	double each;

	for (unsigned i = 0; i < IDLE; i++) {
		open_link(&links[i], server, kind, NULL);
		ask(&links[i], server, "GET", "/v1/runtime", NULL);
	}
	each = ((double)wr_bench_memory(server, "Private_Dirty:") - (double)before) / IDLE;
	for (unsigned i = 0; i < IDLE; i++)
		close_link(&links[i]);
	return each;
}

static void fill(const struct wr_bench_server *server, enum kind kind)
{
	static char body[ITEM_BYTES + 64];
	struct link link;
	int bytes = snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"");

	memset(body + bytes, 'x', ITEM_BYTES);
	memcpy(body + bytes + ITEM_BYTES, "\"}", 3);
	open_link(&link, server, kind, NULL);
	ask(&link, server, "POST", "/v1/workers",
	    "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}");
	for (unsigned i = 0; i < ITEMS; i++)
		ask(&link, server, "POST", "/v1/workers/worker-00000001/input", body);
	close_link(&link);
}

static void report(const char *what, const char *unit, struct figures figures[KINDS], size_t place)
{
	const struct wr_bench_series *series[KINDS];
	char name[64];

	for (unsigned kind = 0; kind < KINDS; kind++) {
		series[kind] = (const void *)((const char *)&figures[kind] + place);
		snprintf(name, sizeof name, "tls.%s.%s", kinds[kind], what);
		wr_bench_report(name, unit, series[kind], kind == TLS ? series[PLAIN] : NULL);
	}
}

/* A key that others may read is refused, and the tests' is in everybody's tree. */
static void copy_key(char *path, size_t bytes_max)
{
	const char *build = getenv("WR_BUILD");
	char text[4096];
	int from = open("tests/fixtures/tls/ec.key", O_RDONLY | O_CLOEXEC), to;
	ssize_t bytes;

	wr_bench_require(from >= 0, "no key of the tests");
	bytes = read(from, text, sizeof text);
	close(from);
	snprintf(path, bytes_max, "%s/bench/key-XXXXXX", build != NULL ? build : "build/release");
	to = mkstemp(path); /* 0600 */
	wr_bench_require(to >= 0 && bytes > 0 && write(to, text, (size_t)bytes) == bytes,
			 "cannot copy a key");
	close(to);
}

int main(void)
{
	char key[256];
	const char *const flags[] = {"--tls-cert=tests/fixtures/tls/ec.pem", "--tls-key", key,
				     "--tls-max-connections=1100", NULL};
	static struct wr_bench_server servers[KINDS];
	static struct figures figures[KINDS];
	unsigned rounds = wr_bench_rounds(5);

	wr_bench_begin(60 + 10 * rounds);
	copy_key(key, sizeof key);
	context = SSL_CTX_new(TLS_client_method());
	wr_bench_require(context != NULL && SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION),
			 "OpenSSL");
	wr_bench_start_runtime(&servers[PLAIN], NULL);
	wr_bench_start_runtime(&servers[TLS], flags);
	for (unsigned kind = 0; kind < KINDS; kind++)
		fill(&servers[kind], (enum kind)kind);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned kind = 0; kind < KINDS; kind++) {
			const struct wr_bench_server *server = &servers[kind];
			struct figures *into = &figures[kind];
			double whole = connections_cost(server, (enum kind)kind, NULL);
			wr_bench_add(&into->whole, whole);
			wr_bench_add(&into->resumed,
				     kind == TLS ? resumptions_cost(server) : whole);
			wr_bench_add(&into->byte, byte_cost(server, (enum kind)kind));
		}
	/* Last, and once: what is freed does not all go back to the system. */
	for (unsigned kind = 0; kind < KINDS; kind++)
		wr_bench_add(&figures[kind].memory, idle_bytes(&servers[kind], (enum kind)kind));
	report("connection", "us", figures, offsetof(struct figures, whole));
	wr_bench_report("tls.tls.connection.resumed", "us", &figures[TLS].resumed,
			&figures[PLAIN].resumed);
	report("answer", "ns/B", figures, offsetof(struct figures, byte));
	report("idle.private_dirty", "B/connection", figures, offsetof(struct figures, memory));
	for (unsigned kind = 0; kind < KINDS; kind++)
		wr_bench_stop(&servers[kind]);
	SSL_CTX_free(context);
	unlink(key);
	return 0;
}

#endif
