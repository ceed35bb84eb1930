/*
 * address — numeric socket addresses: "127.0.0.1:8080", "[::1]:0", "unix:/run/x.sock". No names.
 */
#ifndef WR_IO_ADDRESS_H
#define WR_IO_ADDRESS_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct wr_address {
	struct sockaddr_storage storage;
	socklen_t bytes;
};

/* Text of an address, NUL-terminated: longest is a unix path. */
#define WR_ADDRESS_TEXT_BYTES_MAX 128u

/* WR_OK or WR_INVALID. */
enum wr_status wr_address_parse(struct wr_address *self, struct wr_view text);

/* A host alone, "192.0.2.7" or "2001:db8::1" (no brackets). WR_OK or WR_INVALID. */
enum wr_status wr_address_of_number(struct wr_address *self, struct wr_view host, uint16_t port);

/* From and to the bytes of an internet host in network order: 4 of IPv4, 16 of IPv6. */
void wr_address_of_host(struct wr_address *self, const uint8_t *host, bool is_ipv6, uint16_t port);
void wr_address_get_host(uint8_t host[16], const struct wr_address *self);

/* Writes the text form with NUL; returns its length. */
size_t wr_address_format(char out[WR_ADDRESS_TEXT_BYTES_MAX], const struct wr_address *self);

/* 127.0.0.0/8, ::1, v4-mapped loopback, or a unix socket. */
bool wr_address_is_local(const struct wr_address *self);
bool wr_address_is_unix(const struct wr_address *self);

/* Same host, ports aside. */
bool wr_address_same_host(const struct wr_address *a, const struct wr_address *b);

#endif
