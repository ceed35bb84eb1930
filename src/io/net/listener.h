/*
 * listener — accepting connections, and staying calm when there are too many (reliability 8).
 *
 * The listener asks `admit` before it hands a connection over; a refused one gets the owner's
 * static answer in one non-blocking send and is closed. Both count as an accept, and one readiness
 * makes at most WR_TURN_ACCEPT_COUNT_MAX of them. When the process has no descriptor left it closes
 * a reserve descriptor, accepts, refuses, and takes the reserve back; when even that fails it stops
 * polling for WR_ACCEPT_PAUSE_MS, so that a level-triggered listener does not spin. Nothing that
 * accept returns is fatal.
 */
#ifndef WR_IO_LISTENER_H
#define WR_IO_LISTENER_H

#include "bytes/view.h"
#include "io/net/address.h"
#include "io/reactor/reactor.h"

#include <sys/types.h>

struct wr_listener;

struct wr_listener_owner {
	void *context;
	/* Whether one more connection from this peer may be had now. */
	bool (*admit)(void *context, const struct wr_address *peer);
	/* Takes the descriptor (non-blocking, close-on-exec). May close the listener. */
	void (*on_accept)(void *context, int fd, const struct wr_address *peer);
	/* What a refused peer is sent; lent. Called per refusal, so it may vary Retry-After. */
	struct wr_view (*refusal)(void *context);
};

/* Placed by the caller, zeroed; must not move. `address` (actual, with the port the system chose)
 * and the counters may be read. */
struct wr_listener {
	struct wr_watch watch;
	struct wr_timer pause;
	struct wr_reactor *reactor;
	struct wr_listener_owner owner;
	struct wr_address address;
	int reserve_fd;
	dev_t file_device; /* of our unix socket file, private; zeros before it exists */
	ino_t file_number;
	uint64_t accepted_count, refused_count, paused_count;
};

/* Binds and listens. A stale unix socket file is replaced when nobody answers on it. WR_OK, WR_IO,
 * WR_NO_MEMORY; error has errno and the failed call's name as detail. */
enum wr_status wr_listener_open(struct wr_listener *self, struct wr_reactor *reactor,
				const struct wr_address *address,
				const struct wr_listener_owner *owner, struct wr_error *error);
/* Stops accepting; harmless when closed. Removes a unix socket file. */
void wr_listener_close(struct wr_listener *self);

#endif
