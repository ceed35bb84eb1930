/*
 * sys/event.h — kqueue for Linux, so that the poller of the BSDs and macOS is tested here, too.
 *
 * Names, layout and meaning are those of FreeBSD's kqueue(2), for the filters EVFILT_READ and
 * EVFILT_WRITE on sockets and pipes. See kqueue.c for what differs.
 */
#ifndef WR_TESTS_SHIM_SYS_EVENT_H
#define WR_TESTS_SHIM_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)

/* Actions. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
/* Flags. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
/* Returned. */
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned int fflags;
	int64_t data;
	void *udata;
	uint64_t ext[4];
};

static inline void wr_shim_ev_set(struct kevent *event, uintptr_t ident, short filter,
				  unsigned short flags, unsigned int fflags, int64_t data,
				  void *udata)
{
	*event = (struct kevent){.ident = ident,
				 .filter = filter,
				 .flags = flags,
				 .fflags = fflags,
				 .data = data,
				 .udata = udata};
}

#define EV_SET(event, ident, filter, flags, fflags, data, udata) \
	wr_shim_ev_set(event, ident, filter, flags, fflags, data, udata)

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int change_count, struct kevent *events,
	   int event_count, const struct timespec *timeout);

#endif
