/*
 * address — numeric socket addresses: "127.0.0.1:8080", "[::1]:0", "unix:/run/x.sock". No names.
 */
#ifndef WR_IO_ADDRESS_H
#define WR_IO_ADDRESS_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <sys/socket.h>

struct wr_address {
	struct sockaddr_storage storage;
	socklen_t bytes;
};

/* Text of an address, NUL-terminated: longest is a unix path. */
#define WR_ADDRESS_TEXT_BYTES_MAX 128u

/* WR_OK or WR_INVALID. */
enum wr_status wr_address_parse(struct wr_address *self, struct wr_view text);

/* Writes the text form with NUL; returns its length. */
size_t wr_address_format(char out[WR_ADDRESS_TEXT_BYTES_MAX], const struct wr_address *self);

/* 127.0.0.0/8, ::1, v4-mapped loopback, or a unix socket. */
bool wr_address_is_local(const struct wr_address *self);
bool wr_address_is_unix(const struct wr_address *self);

/* Same host, ports aside. */
bool wr_address_same_host(const struct wr_address *a, const struct wr_address *b);

#endif
