/*
 * dial — a connected stream to where a client has to go: an address, or a host, whose addresses are
 * tried one after the other until one takes the connection.
 *
 * The owner places the struct, which must not move, begins, and is told once by on_done, unless it
 * cancels. What is to be said over the stream, and the deadline for all of it, are the owner's.
 */
#ifndef WR_CONN_DIAL_H
#define WR_CONN_DIAL_H

#include "io/net/resolver.h"
#include "io/net/stream.h"

struct wr_dial;
typedef void wr_dial_fn(struct wr_dial *dial, enum wr_status status);

/* Where to. */
struct wr_dial_target {
	struct wr_address address;    /* without a resolver */
	struct wr_resolver *resolver; /* NULL: none */
	struct wr_view host_name;     /* borrowed for begin only */
	uint16_t port;
};

/* Zeroed but for on_done. */
struct wr_dial {
	wr_dial_fn *on_done;
	struct wr_stream stream; /* WR_OK: connected, not watched, the owner's */
	int os_error;		 /* of the last address that was tried, or 0 */

	/* Private. */
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_lookup lookup;
	struct wr_watch watch;
	struct wr_timer next; /* when the next address has its turn */
	struct wr_address *addresses;
	uint32_t address_count, address_at;
	bool is_under_way;
};

/* WR_OK: it is connected already. WR_MORE: on_done comes, not from within, with WR_OK,
 * WR_UNAVAILABLE (there is no such host, or none that takes the connection) or WR_NO_MEMORY. These
 * two from here: nothing was begun. */
enum wr_status wr_dial_begin(struct wr_dial *self, struct wr_reactor *reactor,
			     struct wr_allocator *allocator, const struct wr_dial_target *target);
/* Ends it without on_done. Harmless when it is not under way. */
void wr_dial_cancel(struct wr_dial *self);

#endif
