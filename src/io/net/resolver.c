/*
 * Names and who waits for them.
 *
 * Every name that is wanted is one question, which stays for as long as its answer is good and
 * somebody waits. A lookup stands in the list of its question and has a timer: of its own deadline
 * at first, of now once there is an answer. So on_done has one caller, the timer, and may do
 * anything but free the resolver.
 */
#include "check.h"
#include "io/net/host_files.h"
#include "io/net/resolver_private.h"

enum {
	SERVER_PORT = 53,
	TRY_MS = 2500,
	LOOKUP_MS = 10000,
	KEPT_COUNT = 64,
	KEPT_MS = 300000,
	FAILED_KEPT_MS = 3000
};

_Static_assert((int)WR_LOOKUP_ADDRESS_COUNT_MAX <= (int)WR_DNS_ADDRESS_COUNT_MAX, "all of a kind");

void wr_resolver_defaults(struct wr_resolver_config *config)
{
	*config = (struct wr_resolver_config){
		.hosts_path = "/etc/hosts",
		.resolv_path = "/etc/resolv.conf",
		.server_port = SERVER_PORT,
		.try_ms_max = TRY_MS,
		.lookup_ms_max = LOOKUP_MS,
		.kept_count_max = KEPT_COUNT,
		.kept_ms_max = KEPT_MS,
		.failed_kept_ms = FAILED_KEPT_MS,
	};
}

/* ---- questions ---- */

static struct wr_view name_of(const struct wr_question *self)
{
	return wr_view_of(self->name, self->name_bytes);
}

static void free_question(struct wr_question *self)
{
	struct wr_resolver *resolver = self->resolver;

	wr_assert(wr_list_is_empty(&self->lookups));
	wr_question_close(self);
	wr_list_remove(&self->place);
	resolver->question_count--;
	wr_allocator_free(resolver->allocator, self, sizeof *self);
}

static bool is_old(const struct wr_question *self)
{
	return self->status != WR_MORE && self->kept_until_ms <= self->resolver->reactor->now_ms;
}

/* Answers that are no longer good, and the oldest of too many. */
static void forget(struct wr_resolver *self)
{
	wr_list_each (node, after, &self->questions) {
		struct wr_question *question = wr_list_entry(node, struct wr_question, place);
		bool is_too_many = self->question_count >= self->config.kept_count_max;
		if (wr_list_is_empty(&question->lookups) && (is_too_many || is_old(question)))
			free_question(question);
	}
}

static struct wr_question *find(struct wr_resolver *self, struct wr_view name)
{
	wr_list_each (node, after, &self->questions) {
		struct wr_question *question = wr_list_entry(node, struct wr_question, place);
		if (!is_old(question) && wr_view_equal_nocase(name_of(question), name))
			return question;
	}
	return NULL;
}

/* ---- answers that need no server ---- */

/* Takes the address in, if there is room. */
static void add(struct wr_question *self, const struct wr_address *address)
{
	bool is_ipv6 = address->storage.ss_family == AF_INET6;
	struct wr_dns_answer *answer = &self->answers[is_ipv6 ? WR_QUESTION_AAAA : WR_QUESTION_A];

	if (answer->count < WR_DNS_ADDRESS_COUNT_MAX)
		wr_address_get_host(answer->addresses[answer->count++], address);
	self->status = WR_OK;
}

static bool on_hosts_line(void *context, struct wr_view line)
{
	struct wr_question *self = context;
	struct wr_address address;

	if (wr_hosts_line(&address, line, name_of(self)))
		add(self, &address);
	return true;
}

/* RFC 6761 6.3 */
static bool is_localhost(struct wr_view name)
{
	struct wr_view end = WR_VIEW("localhost");

	if (name.bytes > end.bytes && name.data[name.bytes - end.bytes - 1] == '.')
		name = wr_view_skip(name, name.bytes - end.bytes);
	return wr_view_equal_nocase(name, end);
}

static void answer_localhost(struct wr_question *self)
{
	struct wr_address address;

	self->prefers_ipv4 = true;
	if (wr_address_of_number(&address, WR_VIEW("127.0.0.1"), 0) == WR_OK)
		add(self, &address);
	if (wr_address_of_number(&address, WR_VIEW("::1"), 0) == WR_OK)
		add(self, &address);
}

/* A name whose last label is a number is a mistyped address. */
static bool is_host_name(struct wr_view host)
{
	size_t digits = 0;

	if (!wr_dns_name_is_valid(host))
		return false;
	while (digits < host.bytes && host.data[host.bytes - 1 - digits] >= '0' &&
	       host.data[host.bytes - 1 - digits] <= '9')
		digits++;
	return digits == 0 || (digits < host.bytes && host.data[host.bytes - 1 - digits] != '.');
}

static bool is_address(struct wr_address *number, struct wr_view host)
{
	return wr_address_of_number(number, host, 0) == WR_OK;
}

/* Without the dot at the end: every name here ends with the root. */
static struct wr_view without_root(struct wr_view host)
{
	if (host.bytes > 1 && host.data[host.bytes - 1] == '.')
		host.bytes--;
	return host;
}

bool wr_lookup_takes(struct wr_view host)
{
	struct wr_address number;

	return is_address(&number, host) || is_host_name(without_root(host));
}

/* ---- lookups ---- */

/* Writes the addresses of one kind in turn with those of the other: when one of the two networks is
 * broken, that costs one try (RFC 8305 4). */
static uint32_t list_addresses(struct wr_address out[WR_LOOKUP_ADDRESS_COUNT_MAX],
			       const struct wr_question *self, uint16_t port)
{
	uint32_t taken[WR_QUESTION_KIND_COUNT] = {0}, count = 0;
	unsigned kind = self->prefers_ipv4 ? WR_QUESTION_A : WR_QUESTION_AAAA;

	while (count < WR_LOOKUP_ADDRESS_COUNT_MAX) {
		if (taken[kind] == self->answers[kind].count)
			kind = !kind;
		if (taken[kind] == self->answers[kind].count)
			break;
		wr_address_of_host(&out[count++], self->answers[kind].addresses[taken[kind]++],
				   kind == WR_QUESTION_AAAA, port);
		kind = !kind;
	}
	return count;
}

static void leave(struct wr_lookup *self)
{
	struct wr_question *question = self->question;

	wr_timer_cancel(self->resolver->reactor, &self->due);
	wr_list_remove(&self->place);
	self->resolver = NULL;
	self->question = NULL;
	if (wr_list_is_empty(&question->lookups) &&
	    (question->status == WR_MORE || is_old(question)))
		free_question(question);
}

static void on_due(struct wr_timer *timer)
{
	struct wr_lookup *self = wr_container_of(timer, struct wr_lookup, due);
	const struct wr_question *question = self->question;
	struct wr_address addresses[WR_LOOKUP_ADDRESS_COUNT_MAX];
	enum wr_status status = question->status == WR_MORE ? WR_TIMEOUT : question->status;
	uint32_t count = 0;

	if (status == WR_OK)
		count = list_addresses(addresses, question, self->port);
	leave(self);
	self->on_done(self, status, addresses, count);
}

/* A question for the host, answered or asked. NULL: no memory. */
static struct wr_question *make_question(struct wr_resolver *resolver, struct wr_view host,
					 const struct wr_address *number)
{
	struct wr_question *self = wr_allocator_take_zeroed(resolver->allocator, sizeof *self);

	if (self == NULL)
		return NULL;
	self->resolver = resolver;
	self->fd = -1;
	self->status = WR_MORE;
	wr_list_init(&self->lookups);
	wr_list_push(&resolver->questions, &self->place);
	resolver->question_count++;
	if (number != NULL) {
		add(self, number);
		return self;
	}
	for (size_t i = 0; i < host.bytes; i++)
		self->name[self->name_bytes++] = wr_ascii_lower(host.data[i]);
	if (is_localhost(host))
		answer_localhost(self);
	else
		wr_host_file_read(resolver->config.hosts_path, on_hosts_line, self);
	if (self->status == WR_MORE)
		wr_question_ask(self);
	return self;
}

enum wr_status wr_lookup_begin(struct wr_lookup *self, struct wr_resolver *resolver,
			       struct wr_view host, uint16_t port)
{
	struct wr_address number;
	bool is_number = is_address(&number, host);
	struct wr_question *question;

	wr_assert(self->resolver == NULL && self->on_done != NULL);
	host = without_root(host);
	if (!is_number && !is_host_name(host))
		return WR_INVALID;
	self->due.on_due = on_due;
	if (wr_timer_set(resolver->reactor, &self->due, resolver->config.lookup_ms_max) != WR_OK)
		return WR_NO_MEMORY;
	forget(resolver);
	question = is_number ? NULL : find(resolver, host);
	if (question == NULL)
		question = make_question(resolver, host, is_number ? &number : NULL);
	if (question == NULL) {
		wr_timer_cancel(resolver->reactor, &self->due);
		return WR_NO_MEMORY;
	}
	self->resolver = resolver;
	self->question = question;
	self->port = port;
	wr_list_push(&question->lookups, &self->place);
	if (question->status != WR_MORE)
		(void)wr_timer_set(resolver->reactor, &self->due, 0);
	return WR_OK;
}

void wr_lookup_cancel(struct wr_lookup *self)
{
	if (self->resolver != NULL)
		leave(self);
}

/* ---- life ---- */

struct wr_resolver *wr_resolver_new(struct wr_reactor *reactor, struct wr_allocator *allocator,
				    const struct wr_resolver_config *config)
{
	struct wr_resolver *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL)
		return NULL;
	self->reactor = reactor;
	self->allocator = allocator;
	self->config = *config;
	wr_list_init(&self->questions);
	return self;
}

void wr_resolver_free(struct wr_resolver *self)
{
	if (self == NULL)
		return;
	while (!wr_list_is_empty(&self->questions)) {
		struct wr_question *question =
			wr_list_entry(self->questions.next, struct wr_question, place);
		question->kept_until_ms = UINT64_MAX; /* stays while its lookups leave */
		question->status = WR_NOT_FOUND;
		wr_list_each (node, after, &question->lookups) {
			leave(wr_list_entry(node, struct wr_lookup, place));
		}
		free_question(question);
	}
	wr_allocator_free(self->allocator, self, sizeof *self);
}
