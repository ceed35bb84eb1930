#include "io/net/address.h"

#include "bytes/buf.h"
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

enum { UNIX_PATH_BYTES_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1, GROUP_COUNT = 8 };

_Static_assert(sizeof "unix:" + UNIX_PATH_BYTES_MAX <= WR_ADDRESS_TEXT_BYTES_MAX, "unix text");
_Static_assert(INET6_ADDRSTRLEN + sizeof "[]:65535" <= WR_ADDRESS_TEXT_BYTES_MAX, "IPv6 text");

/* ---- parsing ---- */

/* 0 to 65535, digits only and no needless zeros. */
static bool parse_port(uint16_t *port, struct wr_view text)
{
	unsigned value = 0;

	if (text.bytes < 1 || text.bytes > 5 || (text.bytes > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.bytes; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text.data[i] - '0');
	}
	*port = (uint16_t)value;
	return value <= 65535;
}

/* inet_pton takes no zones, ports, short or octal forms, but it needs a NUL. */
static bool parse_host(int family, void *host, struct wr_view text)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.bytes == 0 || text.bytes >= sizeof copy ||
	    memchr(text.data, 0, text.bytes) != NULL)
		return false;
	memcpy(copy, text.data, text.bytes);
	copy[text.bytes] = '\0';
	return inet_pton(family, copy, host) == 1;
}

static enum wr_status parse_unix(struct wr_address *self, struct wr_view path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (path.bytes == 0 || path.bytes > UNIX_PATH_BYTES_MAX ||
	    memchr(path.data, 0, path.bytes) != NULL)
		return WR_INVALID;
	memcpy(address.sun_path, path.data, path.bytes);
	self->bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.bytes + 1);
	memcpy(&self->storage, &address, sizeof address);
	return WR_OK;
}

static enum wr_status parse_ipv4(struct wr_address *self, struct wr_view host, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (!parse_host(AF_INET, &address.sin_addr, host))
		return WR_INVALID;
	self->bytes = sizeof address;
	memcpy(&self->storage, &address, sizeof address);
	return WR_OK;
}

static enum wr_status parse_ipv6(struct wr_address *self, struct wr_view host, uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (!parse_host(AF_INET6, &address.sin6_addr, host))
		return WR_INVALID;
	self->bytes = sizeof address;
	memcpy(&self->storage, &address, sizeof address);
	return WR_OK;
}

enum wr_status wr_address_parse(struct wr_address *self, struct wr_view text)
{
	struct wr_view scheme = WR_VIEW("unix:");
	size_t colon = text.bytes;
	uint16_t port;

	*self = (struct wr_address){.bytes = 0};
	if (wr_view_starts(text, scheme))
		return parse_unix(self, wr_view_skip(text, scheme.bytes));
	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon < 2 || !parse_port(&port, wr_view_skip(text, colon)))
		return WR_INVALID;
	text.bytes = colon - 1;
	if (text.data[0] != '[')
		return parse_ipv4(self, text, port);
	if (text.bytes < 2 || text.data[text.bytes - 1] != ']')
		return WR_INVALID;
	return parse_ipv6(self, wr_view_of(text.data + 1, text.bytes - 2), port);
}

enum wr_status wr_address_of_number(struct wr_address *self, struct wr_view host, uint16_t port)
{
	*self = (struct wr_address){.bytes = 0};
	if (parse_ipv4(self, host, port) == WR_OK)
		return WR_OK;
	return parse_ipv6(self, host, port);
}

void wr_address_of_host(struct wr_address *self, const uint8_t *host, bool is_ipv6, uint16_t port)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	*self = (struct wr_address){.bytes = is_ipv6 ? sizeof ipv6 : sizeof ipv4};
	memcpy(&ipv4.sin_addr, host, sizeof ipv4.sin_addr);
	if (is_ipv6) {
		memcpy(&ipv6.sin6_addr, host, sizeof ipv6.sin6_addr);
		memcpy(&self->storage, &ipv6, sizeof ipv6);
	} else {
		memcpy(&self->storage, &ipv4, sizeof ipv4);
	}
}

void wr_address_get_host(uint8_t host[16], const struct wr_address *self)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	wr_assert(!wr_address_is_unix(self));
	if (self->storage.ss_family == AF_INET) {
		memcpy(&ipv4, &self->storage, sizeof ipv4);
		memcpy(host, &ipv4.sin_addr, sizeof ipv4.sin_addr);
	} else {
		memcpy(&ipv6, &self->storage, sizeof ipv6);
		memcpy(host, &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
	}
}

/* ---- text: by hand, as inet_ntop would bring printf into a static program ---- */

static void append_ipv4(struct wr_buf *out, const unsigned char *host)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			wr_buf_append_byte(out, '.');
		wr_buf_append_u64(out, host[i]);
	}
}

static void append_group(struct wr_buf *out, unsigned value)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		if (value >> shift != 0 || shift == 0)
			wr_buf_append_byte(out, "0123456789abcdef"[value >> shift & 15]);
}

static unsigned group_at(const unsigned char *host, unsigned i)
{
	return (unsigned)host[2 * i] << 8 | host[2 * i + 1];
}

/* The first longest run of at least two zero groups (RFC 5952 4.2); returns its length. */
static unsigned find_zeros(unsigned *first, const unsigned char *host, unsigned count)
{
	unsigned longest = 1, length = 0;

	*first = count;
	for (unsigned i = 0; i < count; i++) {
		length = group_at(host, i) == 0 ? length + 1 : 0;
		if (length > longest) {
			longest = length;
			*first = i + 1 - length;
		}
	}
	return *first == count ? 0 : longest;
}

static bool is_mapped(const unsigned char *host)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(host, prefix, sizeof prefix) == 0;
}

static void append_ipv6(struct wr_buf *out, const unsigned char *host)
{
	/* RFC 5952 5: the last 32 bits of a mapped address are written as IPv4. */
	unsigned count = is_mapped(host) ? GROUP_COUNT - 2 : GROUP_COUNT;
	unsigned zeros_at, zeros = find_zeros(&zeros_at, host, count);

	for (unsigned i = 0; i < count; i++) {
		if (i == zeros_at) {
			wr_buf_append(out, "::", 2);
			i += zeros - 1;
			continue;
		}
		if (i > 0 && i != zeros_at + zeros)
			wr_buf_append_byte(out, ':');
		append_group(out, group_at(host, i));
	}
	if (count < GROUP_COUNT) {
		wr_buf_append_byte(out, ':');
		append_ipv4(out, host + 12);
	}
}

static void append_unix(struct wr_buf *out, const struct wr_address *self)
{
	size_t before = offsetof(struct sockaddr_un, sun_path);
	struct sockaddr_un address;
	size_t bytes;

	memcpy(&address, &self->storage, sizeof address);
	bytes = self->bytes > before ? self->bytes - before : 0;
	if (bytes > UNIX_PATH_BYTES_MAX)
		bytes = UNIX_PATH_BYTES_MAX;
	/* Unnamed ones have no bytes, those in Linux's abstract space begin with a NUL. */
	wr_buf_append(out, "unix:", 5);
	wr_buf_append(out, address.sun_path, strnlen(address.sun_path, bytes));
}

size_t wr_address_format(char out[WR_ADDRESS_TEXT_BYTES_MAX], const struct wr_address *self)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
	struct wr_buf buf;

	wr_buf_init_fixed(&buf, out, WR_ADDRESS_TEXT_BYTES_MAX - 1);
	if (self->storage.ss_family == AF_INET) {
		memcpy(&ipv4, &self->storage, sizeof ipv4);
		append_ipv4(&buf, (const unsigned char *)&ipv4.sin_addr);
		wr_buf_append_byte(&buf, ':');
		wr_buf_append_u64(&buf, ntohs(ipv4.sin_port));
	} else if (self->storage.ss_family == AF_INET6) {
		memcpy(&ipv6, &self->storage, sizeof ipv6);
		wr_buf_append_byte(&buf, '[');
		append_ipv6(&buf, ipv6.sin6_addr.s6_addr);
		wr_buf_append(&buf, "]:", 2);
		wr_buf_append_u64(&buf, ntohs(ipv6.sin6_port));
	} else if (self->storage.ss_family == AF_UNIX) {
		append_unix(&buf, self);
	}
	wr_assert(wr_buf_status(&buf) == WR_OK);
	out[buf.bytes] = '\0';
	return buf.bytes;
}

/* ---- questions ---- */

/* The host as 16 bytes, an IPv4 one mapped, with its zone; false when it has none. */
static bool get_host(unsigned char host[16], uint32_t *zone, const struct wr_address *self)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	memset(host, 0, 16);
	*zone = 0;
	if (self->storage.ss_family == AF_INET) {
		memcpy(&ipv4, &self->storage, sizeof ipv4);
		host[10] = host[11] = 0xff;
		memcpy(host + 12, &ipv4.sin_addr, 4);
		return true;
	}
	if (self->storage.ss_family != AF_INET6)
		return false;
	memcpy(&ipv6, &self->storage, sizeof ipv6);
	memcpy(host, ipv6.sin6_addr.s6_addr, 16);
	*zone = ipv6.sin6_scope_id;
	return true;
}

bool wr_address_is_unix(const struct wr_address *self)
{
	return self->storage.ss_family == AF_UNIX;
}

bool wr_address_is_local(const struct wr_address *self)
{
	static const unsigned char one[16] = {[15] = 1};
	unsigned char host[16];
	uint32_t zone;

	if (wr_address_is_unix(self))
		return true;
	if (!get_host(host, &zone, self))
		return false;
	return memcmp(host, one, sizeof host) == 0 || (is_mapped(host) && host[12] == 127);
}

bool wr_address_same_host(const struct wr_address *a, const struct wr_address *b)
{
	unsigned char host_a[16], host_b[16];
	uint32_t zone_a, zone_b;

	if (wr_address_is_unix(a) || wr_address_is_unix(b))
		return wr_address_is_unix(a) && wr_address_is_unix(b);
	if (!get_host(host_a, &zone_a, a) || !get_host(host_b, &zone_b, b))
		return false;
	return memcmp(host_a, host_b, sizeof host_a) == 0 && zone_a == zone_b;
}
