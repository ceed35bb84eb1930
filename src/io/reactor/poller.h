/*
 * poller — readiness of descriptors, level-triggered: the small interface over epoll and kqueue.
 *
 * One implementation is chosen by file (poller_epoll.c, poller_kqueue.c). An error or hang-up makes
 * ready whatever is wanted (and may be told as readable and writable), so that the owner meets it
 * in its next recv or send. `tag` comes back with each event.
 */
#ifndef WR_IO_POLLER_H
#define WR_IO_POLLER_H

#include "status.h"

#include <stdint.h>

enum { WR_READABLE = 1, WR_WRITABLE = 2 };

struct wr_poller_event {
	void *tag;
	unsigned ready; /* WR_READABLE | WR_WRITABLE */
};

struct wr_poller {
	int fd;
};

/* WR_OK or WR_IO (error filled). Close-on-exec. */
enum wr_status wr_poller_open(struct wr_poller *self, struct wr_error *error);
void wr_poller_close(struct wr_poller *self);

/* Starts, changes, ends. `wanted` may be 0: then nothing is told, also no error and no hang-up.
 * `had` is what was wanted before. WR_OK, WR_NO_MEMORY (also the kernel's limit on watches), WR_IO;
 * a failed add leaves nothing behind. */
enum wr_status wr_poller_add(struct wr_poller *self, int fd, unsigned wanted, void *tag);
enum wr_status wr_poller_change(struct wr_poller *self, int fd, unsigned had, unsigned wanted,
				void *tag);
void wr_poller_remove(struct wr_poller *self, int fd, unsigned had);

/* Waits up to timeout_ms (-1: for ever) and fills at most `count` events; returns how many, 0 on a
 * timeout or an interruption. One event per descriptor and call with epoll; kqueue may tell reading
 * and writing apart, in two. */
unsigned wr_poller_wait(struct wr_poller *self, struct wr_poller_event *events, unsigned count,
			int timeout_ms);

#endif
