/*
 * tls_rig — what the end-to-end tests of TLS stand on: a folder with the keys of
 * tests/fixtures/tls, tools that are not ours (openssl, curl), and relays in processes of their
 * own.
 *
 * A tunnel lets the plain clients of the harness speak TLS: each connection to it is one `openssl
 * s_client`. A wire is a plain relay that cuts, records or crumbles what it carries.
 */
#ifndef WR_TESTS_E2E_TLS_RIG_H
#define WR_TESTS_E2E_TLS_RIG_H

#include "check.h"
#include "harness/backend.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TLS_TOKEN "e2e-token-0123456789abcdef"

enum { TLS_PATH_ROOM = 256, TLS_OUTPUT_ROOM = 1 << 18, TLS_COMMAND_ROOM = 8192 };

static struct {
	struct wr_place place;
	struct wr_process server;
	char out[TLS_OUTPUT_ROOM]; /* of run() */
} tls;

/* ---- files ---- */

/* A file of that name in the test's folder; good for the next 31 calls. */
static inline const char *key(const char *name)
{
	static char paths[32][TLS_PATH_ROOM];
	static unsigned count;
	char *path = paths[count++ % WR_COUNT(paths)];

	snprintf(path, TLS_PATH_ROOM, "%.63s/%.128s", tls.place.root, name);
	return path;
}

/* The fixtures, with the mode that a key must have. */
static inline void copy_key(const char *name)
{
	char from[TLS_PATH_ROOM];

	snprintf(from, sizeof from, "tests/fixtures/tls/%.128s", name);
	wr_place_write(key(name), wr_test_read_file(from).data);
}

static inline void open_rig(void)
{
	DIR *folder = opendir("tests/fixtures/tls");
	const struct dirent *entry;

	if (folder == NULL)
		wr_test_skip("run from the root of the repository");
	wr_place_make(&tls.place);
	while ((entry = readdir(folder)) != NULL)
		if (strstr(entry->d_name, ".pem") != NULL || strstr(entry->d_name, ".key") != NULL)
			copy_key(entry->d_name);
	closedir(folder);
}

static inline void close_rig(void)
{
	wr_place_remove(&tls.place);
}

/* The text of a pin file of the fixtures. */
static inline const char *pin(const char *name)
{
	static char text[128];
	char path[TLS_PATH_ROOM];

	snprintf(path, sizeof path, "tests/fixtures/tls/%s", name);
	snprintf(text, sizeof text, "%s", wr_test_read_file(path).data);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* ---- tools ---- */

/* Runs a command of the shell, with what it prints in tls.out; its exit code. */
__attribute__((format(printf, 1, 2))) static inline int run(const char *format, ...)
{
	char command[TLS_COMMAND_ROOM];
	size_t bytes = 0, got;
	va_list values;
	FILE *pipe;
	int state, used;

	va_start(values, format);
	used = vsnprintf(command, sizeof command - 8, format, values);
	va_end(values);
	CHECK(used > 0 && (size_t)used < sizeof command - 8);
	memcpy(command + used, " 2>&1", sizeof " 2>&1");
	fflush(NULL);
	pipe = popen(command, "r");
	CHECK(pipe != NULL);
	while ((got = fread(tls.out + bytes, 1, sizeof tls.out - 1 - bytes, pipe)) > 0)
		bytes += got;
	tls.out[bytes] = '\0';
	state = pclose(pipe);
	return WIFEXITED(state) ? WEXITSTATUS(state) : 1000;
}

static inline bool printed(const char *text)
{
	return strstr(tls.out, text) != NULL;
}

static inline void need(const char *tool)
{
	static char why[64];

	if (run("command -v %s", tool) == 0)
		return;
	snprintf(why, sizeof why, "%s is not installed", tool);
	wr_test_skip(why);
}

static inline const char *port_of(const struct wr_process *process)
{
	return strrchr(process->address, ':') + 1;
}

/* ---- the program ---- */

/* A Runtime with that key, TLS_TOKEN and further arguments. */
static inline void start_server(const char *name, const char *const *arguments)
{
	char certificate[64], secret[64];
	const char *list[32] = {"--local-token", TLS_TOKEN, "--tls-cert", NULL, "--tls-key", NULL};
	size_t count = 6;

	snprintf(certificate, sizeof certificate, "%s.pem", name);
	snprintf(secret, sizeof secret, "%s.key", name);
	list[3] = key(certificate);
	list[5] = key(secret);
	for (; arguments != NULL && *arguments != NULL; arguments++)
		list[count++] = *arguments;
	wr_process_start(&tls.server, list, NULL);
	CHECK(wr_process_wait_text(&tls.server, "; TLS\n", WR_PROCESS_WAIT_MS));
}

static inline void stop_server(void)
{
	CHECK_U64(wr_process_stop(&tls.server), 0);
}

/* One connection of openssl's, which says nothing: whether the handshake was done. */
static inline bool shakes_hands(const char *options)
{
	return run("timeout 20 openssl s_client -connect %s -servername localhost -CAfile %s "
		   "-verify_return_error %s </dev/null",
		   tls.server.address, key("ca.pem"), options) == 0 &&
	       printed("Cipher is ") && !printed("Cipher is (NONE)");
}

/* A request of curl's, with the token unless the options have another; its exit code, and the HTTP
 * status in *status. */
static inline int curl(const char *options, const char *target, unsigned *status)
{
	const char *token = strstr(options, "Authorization") != NULL
				    ? ""
				    : "-H 'Authorization: Bearer " TLS_TOKEN "'";
	int code = run("curl -sS --max-time 20 --noproxy '*' --cacert %s --resolve "
		       "localhost:%s:127.0.0.1 %s %s -w '\nstatus=%%{http_code}\n' "
		       "https://localhost:%s%s",
		       key("ca.pem"), port_of(&tls.server), token, options, port_of(&tls.server),
		       target);
	const char *at = strstr(tls.out, "\nstatus=");

	*status = at == NULL ? 0 : (unsigned)atoi(at + strlen("\nstatus="));
	return code;
}

/* Whether the server is well: it answers a whole request over a new connection. */
static inline bool is_well(const char *options)
{
	unsigned status;

	return curl(options, "/v1/runtime", &status) == 0 && status == 200;
}

/* ---- relays ---- */

static inline int listen_somewhere(struct wr_process *as)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, bytes) == 0 && listen(fd, 64) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
	memset(as, 0, sizeof *as);
	snprintf(as->address, sizeof as->address, "127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

/* A process that gives each connection to `serve`; ended by the harness with the test, or by
 * end_relay. */
static inline void start_relay(struct wr_process *as, void (*serve)(int fd, const void *context),
			       const void *context)
{
	int listener = listen_somewhere(as), fd;

	fflush(NULL);
	as->pid = fork();
	CHECK(as->pid >= 0);
	if (as->pid > 0) {
		close(listener);
		return;
	}
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0 && fork() == 0) {
			close(listener);
			serve(fd, context);
			_exit(0);
		}
		close(fd);
	}
}

static inline void end_relay(const struct wr_process *as)
{
	CHECK(kill(as->pid, SIGKILL) == 0 && waitpid(as->pid, NULL, 0) == as->pid);
}

/* ---- the tunnel ---- */

struct tunnel {
	const char *address, *ca;
	const char *certificate, *key; /* NULL: shows none */
};

/* It ends when either side does. A client must send nothing that begins with Q or R, which are
 * commands of s_client's. */
static inline void serve_tunnel(int fd, const void *context)
{
	const struct tunnel *tunnel = context;
	const char *list[] = {"openssl",
			      "s_client",
			      "-quiet",
			      "-no_ign_eof",
			      "-verify_quiet",
			      "-servername",
			      "localhost",
			      "-connect",
			      tunnel->address,
			      "-CAfile",
			      tunnel->ca,
			      "-verify_return_error",
			      "-cert",
			      tunnel->certificate,
			      "-key",
			      tunnel->key,
			      NULL};
	int null = open("/dev/null", O_WRONLY);

	if (tunnel->certificate == NULL)
		list[12] = NULL;
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(null, 2);
	execvp(list[0], (char *const *)(uintptr_t)list);
}

static inline void open_tunnel(struct wr_process *as, const struct tunnel *tunnel)
{
	start_relay(as, serve_tunnel, tunnel);
}

/* ---- the wire ---- */

struct wire {
	const char *address;
	size_t step;	    /* bytes a packet, both ways; 0: as they come */
	size_t cut;	    /* ends both sides behind so many bytes from there; 0: never */
	const char *record; /* file for what went to the server; NULL: none */
};

/* Carries one piece. False: it is over. */
static inline bool carry(int from, int to, size_t step, size_t *left, int record)
{
	char bytes[16384];
	size_t room = step != 0 && step < sizeof bytes ? step : sizeof bytes;
	ssize_t got = recv(from, bytes, room < *left ? room : *left, 0);

	if (got <= 0)
		return false;
	if (record >= 0 && write(record, bytes, (size_t)got) != got)
		return false;
	*left -= (size_t)got;
	return send(to, bytes, (size_t)got, MSG_NOSIGNAL) == got && *left > 0;
}

static inline void serve_wire(int fd, const void *context)
{
	const struct wire *wire = context;
	int one = 1, server = wr_connect(wire->address, 0);
	int record =
		wire->record == NULL ? -1 : open(wire->record, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t up = SIZE_MAX, down = wire->cut != 0 ? wire->cut : SIZE_MAX;
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = server, .events = POLLIN}};

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	while (poll(fds, 2, 30000) > 0) {
		if (fds[0].revents != 0 && !carry(fd, server, wire->step, &up, record))
			break;
		if (fds[1].revents != 0 && !carry(server, fd, wire->step, &down, -1))
			break;
	}
	shutdown(fd, SHUT_RDWR);
	shutdown(server, SHUT_RDWR);
}

#endif
