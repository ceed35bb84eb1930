/* The poller over epoll. A descriptor that is wanted for nothing is taken out of the set: the
 * kernel tells EPOLLERR and EPOLLHUP always, and a level-triggered loop would spin on a peer that
 * is gone while its owner rests. */
#include "io/reactor/poller.h"

#include "check.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	/* Events of one wait; what is left comes with the next, as everything is level-triggered.
	 */
	EVENT_COUNT_MAX = 256
};

enum wr_status wr_poller_open(struct wr_poller *self, struct wr_error *error)
{
	self->fd = epoll_create1(EPOLL_CLOEXEC);
	if (self->fd >= 0)
		return WR_OK;
	*error = (struct wr_error){.status = WR_IO, .os_error = errno, .detail = "epoll_create1"};
	return WR_IO;
}

void wr_poller_close(struct wr_poller *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
}

static enum wr_status control(const struct wr_poller *self, int operation, int fd, unsigned wanted,
			      void *tag)
{
	struct epoll_event event = {.data.ptr = tag};

	if (wanted & WR_READABLE)
		event.events |= EPOLLIN;
	if (wanted & WR_WRITABLE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(self->fd, operation, fd, &event) == 0)
		return WR_OK;
	/* ENOSPC: fs.epoll.max_user_watches. */
	return errno == ENOMEM || errno == ENOSPC ? WR_NO_MEMORY : WR_IO;
}

enum wr_status wr_poller_add(struct wr_poller *self, int fd, unsigned wanted, void *tag)
{
	return wr_poller_change(self, fd, 0, wanted, tag);
}

enum wr_status wr_poller_change(struct wr_poller *self, int fd, unsigned had, unsigned wanted,
				void *tag)
{
	if (had == wanted)
		return WR_OK;
	if (had == 0)
		return control(self, EPOLL_CTL_ADD, fd, wanted, tag);
	return control(self, wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, fd, wanted, tag);
}

void wr_poller_remove(struct wr_poller *self, int fd, unsigned had)
{
	if (had != 0)
		control(self, EPOLL_CTL_DEL, fd, 0, NULL);
}

static unsigned ready_of(uint32_t events)
{
	unsigned ready = 0;

	if (events & EPOLLIN)
		ready |= WR_READABLE;
	if (events & EPOLLOUT)
		ready |= WR_WRITABLE;
	if (events & (EPOLLERR | EPOLLHUP))
		ready |= WR_READABLE | WR_WRITABLE;
	return ready;
}

unsigned wr_poller_wait(struct wr_poller *self, struct wr_poller_event *events, unsigned count,
			int timeout_ms)
{
	struct epoll_event told[EVENT_COUNT_MAX];
	int n;

	wr_assert(count > 0);
	n = epoll_wait(self->fd, told, count < EVENT_COUNT_MAX ? (int)count : EVENT_COUNT_MAX,
		       timeout_ms);
	if (n < 0) {
		wr_assert(errno == EINTR);
		return 0;
	}
	for (int i = 0; i < n; i++)
		events[i] = (struct wr_poller_event){told[i].data.ptr, ready_of(told[i].events)};
	return (unsigned)n;
}
