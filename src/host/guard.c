#include "host/guard.h"

#include "check.h"

/* ---- names and ports ---- */

/* Splits "name", "name:port", "[v6]" or "[v6]:port"; the port is absent when there is none. */
static void split_host(struct wr_view host, struct wr_view *name, struct wr_view *port)
{
	size_t at = host.bytes;

	*name = host;
	*port = WR_VIEW_NULL;
	while (at > 0 && host.data[at - 1] >= '0' && host.data[at - 1] <= '9')
		at--;
	if (at == 0 || host.data[at - 1] != ':')
		return;
	/* A colon inside brackets, or in a bare v6 address, begins no port. */
	if (host.data[0] == '[' && (at < 2 || host.data[at - 2] != ']'))
		return;
	*name = wr_view_of(host.data, at - 1);
	*port = wr_view_skip(host, at);
}

void wr_guard_init(struct wr_guard *self, struct wr_tokens *tokens, const struct wr_texts *origins,
		   const struct wr_texts *hosts, const struct wr_address *bound)
{
	*self = (struct wr_guard){.tokens = tokens, .origins = origins, .hosts = hosts};
	if (wr_address_is_unix(bound))
		return;
	split_host(wr_view_of(self->address, wr_address_format(self->address, bound)),
		   &self->bound_name, &self->bound_port);
}

/* ---- the checks ---- */

/* A browser writes an origin in one way only, so it is compared whole; `null` is what pages without
 * an origin send, and so it is nobody's. */
static bool is_listed_origin(const struct wr_guard *self, struct wr_view origin)
{
	if (wr_view_equal(origin, WR_VIEW("null")))
		return false;
	for (uint32_t i = 0; i < self->origins->count; i++)
		if (wr_view_equal(origin, wr_view_of_string(self->origins->items[i])))
			return true;
	return false;
}

/* Whether it is a page of ours: its authority is what the request was sent to, and its scheme what
 * we speak; over TLS also when something in front of us speaks it. */
static bool is_same_origin(const struct wr_guard *self, struct wr_view origin, struct wr_view host)
{
	static const struct wr_view schemes[] = {WR_VIEW_INIT("https://"), WR_VIEW_INIT("http://")};
	size_t count = self->is_secure ? 1 : WR_COUNT(schemes);

	for (size_t i = 0; i < count; i++)
		if (host.bytes != 0 && wr_view_starts(origin, schemes[i]) &&
		    wr_view_equal_nocase(wr_view_skip(origin, schemes[i].bytes), host))
			return true;
	return false;
}

/* Our own names stand with the port we are bound to, or alone. */
static bool is_own_host(const struct wr_guard *self, struct wr_view name, struct wr_view port)
{
	static const struct wr_view loopback[] = {WR_VIEW_INIT("127.0.0.1"),
						  WR_VIEW_INIT("localhost"), WR_VIEW_INIT("[::1]")};

	if (port.data != NULL && !wr_view_equal(port, self->bound_port))
		return false;
	for (size_t i = 0; i < WR_COUNT(loopback); i++)
		if (wr_view_equal_nocase(name, loopback[i]))
			return true;
	return self->bound_name.data != NULL && wr_view_equal_nocase(name, self->bound_name);
}

/* A name given with a port stands with that one, without a port with any. */
static bool is_listed_host(const struct wr_guard *self, struct wr_view host, struct wr_view name)
{
	for (uint32_t i = 0; i < self->hosts->count; i++) {
		struct wr_view listed = wr_view_of_string(self->hosts->items[i]);
		if (wr_view_equal_nocase(host, listed) || wr_view_equal_nocase(name, listed))
			return true;
	}
	return false;
}

static bool is_allowed_host(struct wr_guard *self, struct wr_view host)
{
	struct wr_view name, port;

	/* Only HTTP/1.0 may come without one, and no browser speaks that. */
	if (host.data == NULL)
		return true;
	if (self->last_host_bytes != 0 &&
	    wr_view_equal(host, wr_view_of(self->last_host, self->last_host_bytes)))
		return true;
	split_host(host, &name, &port);
	if (!is_own_host(self, name, port) && !is_listed_host(self, host, name))
		return false;
	if (host.bytes <= sizeof self->last_host) {
		memcpy(self->last_host, host.data, host.bytes);
		self->last_host_bytes = host.bytes;
	}
	return true;
}

bool wr_guard_admits(struct wr_guard *self, const struct wr_http_head *head,
		     enum wr_wire_error *error)
{
	if (head->origin.data != NULL && !is_listed_origin(self, head->origin) &&
	    !(self->admits_same_origin && is_same_origin(self, head->origin, head->host))) {
		*error = WR_WIRE_FORBIDDEN_ORIGIN;
		return false;
	}
	if (self->tokens->count == 0 && !is_allowed_host(self, head->host)) {
		*error = WR_WIRE_FORBIDDEN_HOST;
		return false;
	}
	return true;
}

unsigned wr_guard_may(const struct wr_guard *self, const struct wr_http_head *head)
{
	if (self->tokens->count == 0)
		return WR_MAY_ALL;
	return wr_tokens_check(self->tokens, head->authorization);
}

struct wr_view wr_guard_name(const struct wr_guard *self, const struct wr_http_head *head)
{
	struct wr_view name = wr_tokens_name(self->tokens, head->authorization);

	return name.data != NULL ? name : WR_VIEW("");
}

bool wr_guard_is_safe(const struct wr_tokens *tokens, const struct wr_address *address,
		      struct wr_buf *message)
{
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	if (wr_address_is_local(address) ||
	    (tokens->count > 0 && wr_tokens_shortest_bytes(tokens) >= WR_TOKEN_BYTES_MIN))
		return true;
	wr_address_format(text, address);
	wr_buf_append_view(message, wr_view_of_string(text));
	wr_buf_append_view(message, WR_VIEW(" can be reached from elsewhere: "));
	if (tokens->count == 0) {
		wr_buf_append_view(message,
				   WR_VIEW("give a token (--token-file FILE) or bind to loopback"));
		return false;
	}
	wr_buf_append_view(message, WR_VIEW("every token needs 128 bits, that is "));
	wr_buf_append_u64(message, WR_TOKEN_BYTES_MIN);
	wr_buf_append_view(message, WR_VIEW(" characters; make one with: openssl rand -base64 24"));
	return false;
}
