/*
 * reactor — one thread, one loop: wait for readiness, call the owners, run due timers, end the
 * turn.
 *
 * A turn is: wait; every ready watch is called once; due timers; then the turn hooks in the order
 * they were added (that is where all output of the turn leaves). Handlers may watch, unwatch and
 * close anything at any time: unwatch blanks the events of that watch that the current batch still
 * holds, so that a handler is never called for a watch that is gone (one cure for stale events, and
 * the only one here).
 *
 * Level-triggered: a handler need not read until EAGAIN. It is told only what its watch wants at
 * that moment; with kqueue reading and writing may come in two calls. Times are milliseconds of the
 * monotonic clock, read once per turn. Nothing here allocates per event; timers are intrusive
 * nodes.
 */
#ifndef WR_IO_REACTOR_H
#define WR_IO_REACTOR_H

#include "containers/heap.h"
#include "io/reactor/poller.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct wr_reactor;
struct wr_watch;
struct wr_timer;
struct wr_turn_hook;

typedef void wr_watch_fn(struct wr_watch *watch, unsigned ready);
typedef void wr_timer_fn(struct wr_timer *timer);
typedef void wr_turn_fn(struct wr_turn_hook *hook);

/* A descriptor of interest; embedded in its owner. Zero-initialised: not watched. */
struct wr_watch {
	wr_watch_fn *on_ready;
	int fd;
	uint8_t wanted;
	bool is_watched;
};

/* Embedded in its owner. Zero-initialised but for the function: not set. */
struct wr_timer {
	struct wr_heap_node node;
	wr_timer_fn *on_due;
};

/* Called at the end of every turn, also of the last. A hook may remove itself and others. Embedded
 * in its owner. */
struct wr_turn_hook {
	wr_turn_fn *on_turn;
	struct wr_turn_hook *next;
};

enum { WR_REACTOR_BATCH = 256 };

/* Placed by the caller; must not move. `now_ms` may be read. */
struct wr_reactor {
	struct wr_poller poller;
	struct wr_heap timers;
	struct wr_turn_hook *hooks;
	struct wr_turn_hook **hook_at; /* the link to the hook that runs; NULL outside of them */
	uint64_t now_ms;
	bool is_stopping;
	bool again;
	bool is_calling_due;
	unsigned batch_count, batch_at;
	struct wr_poller_event batch[WR_REACTOR_BATCH];
};

/* WR_OK, WR_IO, WR_NO_MEMORY. */
enum wr_status wr_reactor_init(struct wr_reactor *self, struct wr_allocator *allocator,
			       struct wr_error *error);
/* All watches and timers must be gone or forgotten. */
void wr_reactor_deinit(struct wr_reactor *self);

/* Starts to watch `fd` for `wanted`; the watch has its function set. WR_OK, WR_NO_MEMORY, WR_IO. */
enum wr_status wr_reactor_watch(struct wr_reactor *self, struct wr_watch *watch, int fd,
				unsigned wanted);
/* Changes what is wanted; no system call when nothing changes. A kernel without memory for it
 * leaves it as it was (`wanted` tells); then the owner's deadlines end what no longer moves. */
void wr_reactor_want(struct wr_reactor *self, struct wr_watch *watch, unsigned wanted);
/* Ends it; harmless when not watched. Call before closing the descriptor. */
void wr_reactor_unwatch(struct wr_reactor *self, struct wr_watch *watch);

/* (Re)sets a timer to fire once, `in_ms` after now_ms; within on_due 0 means 1, so that no timer
 * starves the loop. WR_OK or WR_NO_MEMORY (never when it is set already). */
enum wr_status wr_timer_set(struct wr_reactor *self, struct wr_timer *timer, uint64_t in_ms);
/* Harmless when not set. */
void wr_timer_cancel(struct wr_reactor *self, struct wr_timer *timer);
static inline bool wr_timer_is_set(const struct wr_timer *timer)
{
	return timer->node.place != 0;
}

/* Adds a hook at the end; its function is set. */
void wr_reactor_add_hook(struct wr_reactor *self, struct wr_turn_hook *hook);
void wr_reactor_remove_hook(struct wr_reactor *self, struct wr_turn_hook *hook);

/* The next wait returns at once: somebody has work left over. */
static inline void wr_reactor_again(struct wr_reactor *self)
{
	self->again = true;
}

/* One turn, waiting at most max_ms (-1: until something happens). */
void wr_reactor_turn(struct wr_reactor *self, int max_ms);

/* Turns until wr_reactor_stop. */
void wr_reactor_run(struct wr_reactor *self);
void wr_reactor_stop(struct wr_reactor *self);

#endif
