#include "conn/dial.h"

#include "check.h"
#include "io/net/connect.h"

#include <errno.h>

enum {
	/* For one address while there are others: a network that swallows everything (as broken
	 * IPv6 does) costs this much, not the owner's whole time. */
	ADDRESS_MS_MAX = 2500
};

void wr_dial_cancel(struct wr_dial *self)
{
	if (!self->is_under_way)
		return;
	self->is_under_way = false;
	wr_lookup_cancel(&self->lookup);
	wr_timer_cancel(self->reactor, &self->next);
	wr_reactor_unwatch(self->reactor, &self->watch);
	wr_stream_close(&self->stream, 0);
	wr_allocator_free(self->allocator, self->addresses,
			  self->address_count * sizeof *self->addresses);
	self->addresses = NULL;
	self->address_count = 0;
}

/* The last thing done to it: the owner may free it. */
static void finish(struct wr_dial *self, enum wr_status status)
{
	struct wr_stream stream = self->stream;

	if (status == WR_OK) {
		wr_reactor_unwatch(self->reactor, &self->watch);
		self->stream.fd = -1;
	}
	wr_dial_cancel(self);
	if (status == WR_OK) {
		self->stream = stream;
		self->os_error = 0;
	}
	self->on_done(self, status);
}

/* Begins with one address. WR_OK, WR_MORE; else it is closed. */
static enum wr_status try_address(struct wr_dial *self, const struct wr_address *address)
{
	enum wr_status status = wr_stream_connect(&self->stream, address, &self->os_error);

	if (status != WR_MORE)
		return status == WR_OK ? WR_OK : WR_UNAVAILABLE;
	if (wr_reactor_watch(self->reactor, &self->watch, self->stream.fd, WR_WRITABLE) == WR_OK)
		return WR_MORE;
	wr_stream_close(&self->stream, 0);
	return WR_NO_MEMORY;
}

/* The next addresses, up to one that does not refuse at once. */
static enum wr_status try_next(struct wr_dial *self)
{
	enum wr_status status = WR_UNAVAILABLE;

	wr_reactor_unwatch(self->reactor, &self->watch);
	wr_stream_close(&self->stream, 0);
	while (status == WR_UNAVAILABLE && self->address_at < self->address_count)
		status = try_address(self, &self->addresses[self->address_at++]);
	if (status == WR_MORE && self->address_at < self->address_count &&
	    wr_timer_set(self->reactor, &self->next, ADDRESS_MS_MAX) != WR_OK)
		return WR_NO_MEMORY;
	return status;
}

static void go_on(struct wr_dial *self)
{
	enum wr_status status = try_next(self);

	if (status != WR_MORE)
		finish(self, status);
}

static void on_next(struct wr_timer *timer)
{
	struct wr_dial *self = wr_container_of(timer, struct wr_dial, next);

	self->os_error = ETIMEDOUT;
	go_on(self);
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_dial *self = wr_container_of(watch, struct wr_dial, watch);

	(void)ready;
	wr_timer_cancel(self->reactor, &self->next);
	if (wr_stream_connected(&self->stream, &self->os_error) == WR_OK)
		finish(self, WR_OK);
	else
		go_on(self);
}

static void on_looked_up(struct wr_lookup *lookup, enum wr_status status,
			 const struct wr_address *addresses, uint32_t count)
{
	struct wr_dial *self = wr_container_of(lookup, struct wr_dial, lookup);

	if (status != WR_OK) {
		finish(self, status == WR_NO_MEMORY ? WR_NO_MEMORY : WR_UNAVAILABLE);
		return;
	}
	self->addresses = wr_allocator_take(self->allocator, count * sizeof *addresses);
	if (self->addresses == NULL) {
		finish(self, WR_NO_MEMORY);
		return;
	}
	memcpy(self->addresses, addresses, count * sizeof *addresses);
	self->address_count = count;
	go_on(self);
}

enum wr_status wr_dial_begin(struct wr_dial *self, struct wr_reactor *reactor,
			     struct wr_allocator *allocator, const struct wr_dial_target *target)
{
	enum wr_status status;

	wr_assert(!self->is_under_way && self->on_done != NULL);
	self->reactor = reactor;
	self->allocator = allocator;
	self->stream.fd = -1;
	self->watch.on_ready = on_ready;
	self->next.on_due = on_next;
	self->lookup.on_done = on_looked_up;
	self->os_error = 0;
	self->address_at = 0;
	if (target->resolver == NULL) {
		status = try_address(self, &target->address);
	} else {
		status = wr_lookup_begin(&self->lookup, target->resolver, target->host_name,
					 target->port);
		if (status == WR_OK)
			status = WR_MORE;
		if (status == WR_INVALID) {
			self->os_error = EINVAL;
			status = WR_UNAVAILABLE;
		}
	}
	self->is_under_way = status == WR_MORE;
	return status;
}
