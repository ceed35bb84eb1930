/*
 * Asking name servers.
 *
 * A try is one server, one socket connected to it, and two questions with an id each. It is over
 * when both are answered, soon after one of them has addresses (RFC 8305 3), or when its time is
 * over. Then the next server has its turn, some times around.
 */
#include "check.h"
#include "io/descriptor.h"
#include "io/entropy.h"
#include "io/net/host_files.h"
#include "io/net/resolver_private.h"

#include <errno.h>
#include <unistd.h>

enum {
	SERVER_COUNT_MAX = 3,
	ROUND_COUNT_MAX = 3,
	/* How long an answer with addresses waits for the one of the other kind. */
	OTHER_ANSWER_MS = 200,
	/* Datagrams read in one turn. */
	TURN_READS_MAX = 16
};

static const enum wr_dns_type types[WR_QUESTION_KIND_COUNT] = {
	[WR_QUESTION_AAAA] = WR_DNS_AAAA,
	[WR_QUESTION_A] = WR_DNS_A,
};

struct servers {
	struct wr_address addresses[SERVER_COUNT_MAX];
	uint32_t count;
	uint16_t port;
};

static bool on_resolv_line(void *context, struct wr_view line)
{
	struct servers *self = context;

	if (wr_resolv_line(&self->addresses[self->count], line, self->port))
		self->count++;
	return self->count < SERVER_COUNT_MAX;
}

static void find_servers(struct servers *self, const struct wr_resolver_config *config)
{
	*self = (struct servers){.port = config->server_port};
	wr_host_file_read(config->resolv_path, on_resolv_line, self);
	/* resolv.conf(5): none means the one on this machine. */
	if (self->count == 0 && wr_address_of_number(&self->addresses[0], WR_VIEW("127.0.0.1"),
						     config->server_port) == WR_OK)
		self->count = 1;
}

/* ---- the end ---- */

/* Whether the system knows a way there; nothing is sent. */
static bool has_route(const struct wr_address *address)
{
	int fd = wr_descriptor_datagram_socket(address->storage.ss_family);
	bool has = fd >= 0 &&
		   connect(fd, (const struct sockaddr *)&address->storage, address->bytes) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

static void end_well(struct wr_question *self)
{
	const struct wr_resolver_config *config = &self->resolver->config;
	const struct wr_dns_answer *ipv6 = &self->answers[WR_QUESTION_AAAA];
	uint64_t kept_ms = config->kept_ms_max;
	struct wr_address first;

	for (unsigned kind = 0; kind < WR_QUESTION_KIND_COUNT; kind++) {
		if (self->statuses[kind] == WR_OK &&
		    self->answers[kind].ttl_s * UINT64_C(1000) < kept_ms)
			kept_ms = self->answers[kind].ttl_s * UINT64_C(1000);
	}
	if (ipv6->count > 0) {
		wr_address_of_host(&first, ipv6->addresses[0], true, config->server_port);
		self->prefers_ipv4 = !has_route(&first);
	}
	wr_question_end(self, WR_OK, kept_ms);
}

/* ---- tries ---- */

/* Sends both questions. False: this server cannot be asked. */
static bool send_questions(struct wr_question *self)
{
	char bytes[WR_DNS_QUESTION_BYTES_MAX];
	struct wr_buf text;

	if (wr_entropy_fill(self->ids, sizeof self->ids) != WR_OK)
		return false;
	for (unsigned kind = 0; kind < WR_QUESTION_KIND_COUNT; kind++) {
		wr_buf_init_fixed(&text, bytes, sizeof bytes);
		if (wr_dns_question_write(&text, self->ids[kind],
					  wr_view_of(self->name, self->name_bytes),
					  types[kind]) != WR_OK)
			return false;
		if (send(self->fd, text.data, text.bytes, MSG_DONTWAIT) != (ssize_t)text.bytes)
			return false;
		self->statuses[kind] = WR_MORE;
		self->answers[kind] = (struct wr_dns_answer){.count = 0};
	}
	return true;
}

static wr_watch_fn on_ready;
static wr_timer_fn on_due;

static bool begin_try(struct wr_question *self, const struct wr_address *server)
{
	struct wr_resolver *resolver = self->resolver;

	wr_question_close(self); /* a new socket: another port */
	self->fd = wr_descriptor_datagram_socket(server->storage.ss_family);
	if (self->fd < 0 ||
	    connect(self->fd, (const struct sockaddr *)&server->storage, server->bytes) != 0)
		return false;
	self->watch.on_ready = on_ready;
	self->due.on_due = on_due;
	return wr_reactor_watch(resolver->reactor, &self->watch, self->fd, WR_READABLE) == WR_OK &&
	       wr_timer_set(resolver->reactor, &self->due, resolver->config.try_ms_max) == WR_OK &&
	       send_questions(self);
}

/* `why` is what the question ends with when all have had their turns. */
static void next_try(struct wr_question *self, enum wr_status why)
{
	const struct wr_resolver_config *config = &self->resolver->config;
	struct servers servers;

	find_servers(&servers, config);
	while (self->try_count < servers.count * ROUND_COUNT_MAX) {
		uint32_t at = self->try_count++ % servers.count;
		if (begin_try(self, &servers.addresses[at]))
			return;
		why = WR_UNAVAILABLE;
	}
	wr_question_end(self, why, config->failed_kept_ms);
}

void wr_question_ask(struct wr_question *self)
{
	next_try(self, WR_UNAVAILABLE);
}

static bool has_addresses(const struct wr_question *self)
{
	return self->statuses[WR_QUESTION_A] == WR_OK || self->statuses[WR_QUESTION_AAAA] == WR_OK;
}

static void on_due(struct wr_timer *timer)
{
	struct wr_question *self = wr_container_of(timer, struct wr_question, due);

	if (has_addresses(self))
		end_well(self);
	else
		next_try(self, WR_TIMEOUT);
}

/* ---- answers ---- */

/* One of the two is answered. False: the try is over. */
static bool judge(struct wr_question *self)
{
	enum wr_status a = self->statuses[WR_QUESTION_A], aaaa = self->statuses[WR_QUESTION_AAAA];

	if (a == WR_MORE || aaaa == WR_MORE) {
		if (has_addresses(self))
			(void)wr_timer_set(self->resolver->reactor, &self->due, OTHER_ANSWER_MS);
		return true;
	}
	if (has_addresses(self))
		end_well(self);
	else if (a == WR_NOT_FOUND && aaaa == WR_NOT_FOUND)
		wr_question_end(self, WR_NOT_FOUND, self->resolver->config.failed_kept_ms);
	else
		next_try(self, WR_UNAVAILABLE);
	return false;
}

static bool take_datagram(struct wr_question *self, struct wr_view message)
{
	for (unsigned kind = 0; kind < WR_QUESTION_KIND_COUNT; kind++) {
		struct wr_dns_answer answer;
		enum wr_status status =
			wr_dns_answer_read(&answer, message, self->ids[kind],
					   wr_view_of(self->name, self->name_bytes), types[kind]);
		if (status == WR_MISMATCH || self->statuses[kind] != WR_MORE)
			continue;
		self->statuses[kind] = status;
		self->answers[kind] = answer;
		return judge(self);
	}
	return true; /* of another time, or another sender's: it does not count */
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_question *self = wr_container_of(watch, struct wr_question, watch);
	char bytes[WR_DNS_ANSWER_BYTES_MAX];

	(void)ready;
	for (unsigned i = 0; i < TURN_READS_MAX; i++) {
		ssize_t got = recv(self->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && wr_descriptor_is_again(errno))
			return;
		if (got < 0) { /* nobody is there (ICMP) */
			next_try(self, WR_UNAVAILABLE);
			return;
		}
		if (!take_datagram(self, wr_view_of(bytes, (size_t)got)))
			return;
	}
}
