/*
 * host_files — what /etc/hosts and /etc/resolv.conf say (hosts(5), resolv.conf(5)).
 *
 * The two functions over one line are pure. The reader goes through a file in blocks, whatever its
 * size: a line longer than WR_HOST_LINE_BYTES_MAX is left out, and so is what lies beyond
 * WR_HOST_FILE_BYTES_MAX. A file that is not there says nothing.
 */
#ifndef WR_IO_HOST_FILES_H
#define WR_IO_HOST_FILES_H

#include "bytes/view.h"
#include "io/net/address.h"

enum { WR_HOST_LINE_BYTES_MAX = 2048, WR_HOST_FILE_BYTES_MAX = 4 << 20 };

/* Whether the line of a hosts file gives this name an address: in *address, with port 0. Addresses
 * with a zone are passed over. */
bool wr_hosts_line(struct wr_address *address, struct wr_view line, struct wr_view name);

/* Whether the line names a server, by number and without a zone. */
bool wr_resolv_line(struct wr_address *server, struct wr_view line, uint16_t port);

/* Calls on_line for each, without its end, until that is false. */
void wr_host_file_read(const char *path, bool (*on_line)(void *context, struct wr_view line),
		       void *context);

#endif
