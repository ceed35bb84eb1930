/* The poller over kqueue: one filter for reading and one for writing, added and deleted at once
 * when what is wanted changes. A filter that is not there tells nothing, so nothing wanted is
 * nothing told. EV_EOF needs no care: it makes its own filter ready, and the owner's next call
 * meets it. */
#include "io/reactor/poller.h"

#include "check.h"
#include "io/descriptor.h"

#include <errno.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	/* Events of one wait; what is left comes with the next, as everything is level-triggered.
	 */
	EVENT_COUNT_MAX = 256
};

enum wr_status wr_poller_open(struct wr_poller *self, struct wr_error *error)
{
	self->fd = kqueue();
	if (self->fd >= 0 && wr_descriptor_prepare(self->fd, false))
		return WR_OK;
	*error = (struct wr_error){.status = WR_IO, .os_error = errno, .detail = "kqueue"};
	wr_poller_close(self);
	return WR_IO;
}

void wr_poller_close(struct wr_poller *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
}

/* Appends the change of one filter to the list, when there is one. */
static int plan(struct kevent *changes, int count, int fd, short filter, bool had, bool wanted,
		void *tag)
{
	if (had == wanted)
		return count;
	EV_SET(&changes[count], (uintptr_t)fd, filter, wanted ? EV_ADD : EV_DELETE, 0, 0, tag);
	return count + 1;
}

static enum wr_status submit(const struct wr_poller *self, int fd, unsigned had, unsigned wanted,
			     void *tag)
{
	struct kevent changes[2];
	int count = 0;

	count = plan(changes, count, fd, EVFILT_READ, had & WR_READABLE, wanted & WR_READABLE, tag);
	count = plan(changes, count, fd, EVFILT_WRITE, had & WR_WRITABLE, wanted & WR_WRITABLE,
		     tag);
	if (count == 0 || kevent(self->fd, changes, count, NULL, 0, NULL) == 0)
		return WR_OK;
	return errno == ENOMEM ? WR_NO_MEMORY : WR_IO;
}

enum wr_status wr_poller_add(struct wr_poller *self, int fd, unsigned wanted, void *tag)
{
	return wr_poller_change(self, fd, 0, wanted, tag);
}

enum wr_status wr_poller_change(struct wr_poller *self, int fd, unsigned had, unsigned wanted,
				void *tag)
{
	enum wr_status status = submit(self, fd, had, wanted, tag);

	if (status != WR_OK) {
		/* The first filter may be changed although the second failed. Back, one at a time:
		 * what is absent already would end a list, what is there may be added again. */
		submit(self, fd, ~had & WR_READABLE, had & WR_READABLE, tag);
		submit(self, fd, ~had & WR_WRITABLE, had & WR_WRITABLE, tag);
	}
	return status;
}

void wr_poller_remove(struct wr_poller *self, int fd, unsigned had)
{
	submit(self, fd, had, 0, NULL);
}

static unsigned ready_of(const struct kevent *event)
{
	if (event->flags & EV_ERROR)
		return WR_READABLE | WR_WRITABLE;
	return event->filter == EVFILT_READ ? WR_READABLE : WR_WRITABLE;
}

unsigned wr_poller_wait(struct wr_poller *self, struct wr_poller_event *events, unsigned count,
			int timeout_ms)
{
	struct kevent told[EVENT_COUNT_MAX];
	struct timespec timeout = {.tv_sec = timeout_ms / 1000,
				   .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
	int n;

	wr_assert(count > 0);
	n = kevent(self->fd, NULL, 0, told, count < EVENT_COUNT_MAX ? (int)count : EVENT_COUNT_MAX,
		   timeout_ms < 0 ? NULL : &timeout);
	if (n < 0) {
		wr_assert(errno == EINTR);
		return 0;
	}
	for (int i = 0; i < n; i++)
		events[i] = (struct wr_poller_event){told[i].udata, ready_of(&told[i])};
	return (unsigned)n;
}
