/*
 * kqueue(2) as FreeBSD has it, over epoll.
 *
 * A queue is three epoll instances: one for each filter, so that each has its own flags on a
 * descriptor, and an outer one that watches those two. The outer one is the descriptor that kqueue
 * returns: it can be closed and polled like the real one. A knote that the kernel has dropped since
 * (its descriptor was closed) shows as ENOENT of epoll_ctl.
 *
 * What differs from FreeBSD: fflags with EV_EOF is ECONNRESET for every socket error, because to
 * read SO_ERROR would take it away from the program under test; data of EVFILT_WRITE is a bound;
 * the two inner descriptors stay open until their queue's number is used again; only what epoll can
 * watch can be watched. Not for threads.
 */
#include <sys/event.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FILTER_COUNT = 2, /* 0 reads, 1 writes */
	EVENT_COUNT_MAX = 256,
	KEPT_FLAGS = EV_ONESHOT | EV_CLEAR | EV_DISPATCH
};

struct knote {
	bool is_there, is_enabled;
	unsigned short flags;
	void *udata;
};

struct queue {
	int outer;
	int inner[FILTER_COUNT];
	struct knote *knotes[FILTER_COUNT]; /* by descriptor */
	size_t knote_count;
	unsigned turn; /* which filter is asked first */
	struct queue *next;
};

static struct queue *queues;

/* ---- queues ---- */

static void free_queue(struct queue *queue)
{
	for (int i = 0; i < FILTER_COUNT; i++) {
		if (queue->inner[i] >= 0)
			close(queue->inner[i]);
		free(queue->knotes[i]);
	}
	free(queue);
}

static struct queue *find_queue(int fd)
{
	struct queue *queue = queues;

	while (queue != NULL && queue->outer != fd)
		queue = queue->next;
	return queue;
}

/* A queue of this number was closed, or the number would not be free. */
static void forget_queue(int fd)
{
	struct queue *queue = find_queue(fd), **link = &queues;

	if (queue == NULL)
		return;
	while (*link != queue)
		link = &(*link)->next;
	*link = queue->next;
	free_queue(queue);
}

static bool open_inner(struct queue *queue, int i)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

	queue->inner[i] = epoll_create1(EPOLL_CLOEXEC);
	return queue->inner[i] >= 0 &&
	       epoll_ctl(queue->outer, EPOLL_CTL_ADD, queue->inner[i], &event) == 0;
}

int kqueue(void)
{
	struct queue *queue;
	int failed, fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -1;
	forget_queue(fd);
	queue = calloc(1, sizeof *queue);
	if (queue == NULL) {
		close(fd);
		errno = ENOMEM;
		return -1;
	}
	queue->outer = fd;
	queue->inner[0] = queue->inner[1] = -1;
	if (!open_inner(queue, 0) || !open_inner(queue, 1)) {
		failed = errno;
		free_queue(queue);
		close(fd);
		errno = failed;
		return -1;
	}
	queue->next = queues;
	queues = queue;
	return fd;
}

/* ---- changes ---- */

static bool grow_knotes(struct queue *queue, size_t count)
{
	if (count <= queue->knote_count)
		return true;
	count = (count + 63) / 64 * 64;
	for (int i = 0; i < FILTER_COUNT; i++) {
		struct knote *knotes = realloc(queue->knotes[i], count * sizeof *knotes);
		if (knotes == NULL)
			return false;
		memset(knotes + queue->knote_count, 0,
		       (count - queue->knote_count) * sizeof *knotes);
		queue->knotes[i] = knotes;
	}
	queue->knote_count = count;
	return true;
}

/* Brings the kernel to what the knote says. A disabled one stays registered, so that its end is
 * seen; a hang-up that it tells once is thrown away. Returns 0 or an errno. */
static int arm(const struct queue *queue, int filter, int fd, int operation)
{
	const struct knote *knote = &queue->knotes[filter][fd];
	struct epoll_event event = {.data.fd = fd};

	if (!knote->is_enabled)
		event.events = EPOLLONESHOT;
	else
		event.events = filter == 0 ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
	if (knote->is_enabled && (knote->flags & EV_CLEAR))
		event.events |= EPOLLET;
	if (knote->is_enabled && (knote->flags & (EV_ONESHOT | EV_DISPATCH)))
		event.events |= EPOLLONESHOT;
	return epoll_ctl(queue->inner[filter], operation, fd, &event) == 0 ? 0 : errno;
}

static int drop(struct queue *queue, int filter, int fd)
{
	struct epoll_event unused = {.events = 0};

	queue->knotes[filter][fd].is_there = false;
	return epoll_ctl(queue->inner[filter], EPOLL_CTL_DEL, fd, &unused) == 0 ? 0 : errno;
}

/* A new knote, or other parameters for one that is there; its kind (EV_CLEAR ...) stays then. */
static int add(struct queue *queue, int filter, int fd, const struct kevent *change)
{
	struct knote *knote = &queue->knotes[filter][fd];
	bool is_enabled = (change->flags & EV_DISABLE) == 0;
	int failed;

	if (knote->is_there) {
		knote->is_enabled = is_enabled;
		knote->udata = change->udata;
		failed = arm(queue, filter, fd, EPOLL_CTL_MOD);
		if (failed != ENOENT)
			return failed;
	}
	*knote = (struct knote){.is_there = true,
				.is_enabled = is_enabled,
				.flags = change->flags & KEPT_FLAGS,
				.udata = change->udata};
	failed = arm(queue, filter, fd, EPOLL_CTL_ADD);
	knote->is_there = failed == 0;
	return failed;
}

static int toggle(struct queue *queue, int filter, int fd, const struct kevent *change)
{
	struct knote *knote = &queue->knotes[filter][fd];
	int failed;

	knote->udata = change->udata;
	if (change->flags & (EV_ENABLE | EV_DISABLE))
		knote->is_enabled = (change->flags & EV_ENABLE) != 0;
	failed = arm(queue, filter, fd, EPOLL_CTL_MOD);
	if (failed == ENOENT)
		knote->is_there = false;
	return failed;
}

/* Returns 0 or an errno. */
static int apply(struct queue *queue, const struct kevent *change)
{
	int filter = change->filter == EVFILT_READ ? 0 : 1;
	int fd = (int)change->ident;

	if (change->filter != EVFILT_READ && change->filter != EVFILT_WRITE)
		return EINVAL;
	if ((change->flags & EV_ENABLE) && (change->flags & EV_DISABLE))
		return EINVAL;
	if (change->ident > INT32_MAX || fcntl(fd, F_GETFD) < 0)
		return EBADF;
	if (!grow_knotes(queue, (size_t)fd + 1))
		return ENOMEM;
	if (change->flags & EV_ADD)
		return add(queue, filter, fd, change);
	if (!queue->knotes[filter][fd].is_there)
		return ENOENT;
	return change->flags & EV_DELETE ? drop(queue, filter, fd)
					 : toggle(queue, filter, fd, change);
}

/* Applies all changes. What failed, and what asked for a receipt, becomes an event while there is
 * room; without room it ends the list. Returns how many events, or -1 with errno. */
static int apply_all(struct queue *queue, const struct kevent *changes, int change_count,
		     struct kevent *events, int event_count)
{
	int told = 0;

	for (int i = 0; i < change_count; i++) {
		int failed = apply(queue, &changes[i]);
		if (failed == 0 && (changes[i].flags & EV_RECEIPT) == 0)
			continue;
		if (told == event_count) {
			errno = failed;
			return failed == 0 ? told : -1;
		}
		events[told] = changes[i];
		events[told].flags = EV_ERROR;
		events[told].data = failed;
		told++;
	}
	return told;
}

/* ---- events ---- */

static bool is_listening(int fd)
{
	int value = 0;
	socklen_t bytes = sizeof value;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &bytes) == 0 && value != 0;
}

/* Bytes that can be read, or connections that can be accepted. */
static int64_t count_readable(int fd)
{
	struct tcp_info info = {.tcpi_unacked = 1};
	socklen_t length = sizeof info;
	int bytes = 0;

	if (is_listening(fd)) {
		(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
		return info.tcpi_unacked > 0 ? (int64_t)info.tcpi_unacked : 1;
	}
	return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 1;
}

static int64_t count_writable(int fd)
{
	int room = 0, queued = 0;
	socklen_t length = sizeof room;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &length) == 0)
		(void)ioctl(fd, TIOCOUTQ, &queued);
	else if ((room = fcntl(fd, F_GETPIPE_SZ)) >= 0)
		(void)ioctl(fd, FIONREAD, &queued);
	return room > queued ? room - queued : 1;
}

static void fill(struct kevent *event, const struct queue *queue, int filter, int fd,
		 uint32_t ready)
{
	const struct knote *knote = &queue->knotes[filter][fd];
	uint32_t ends = filter == 0 ? EPOLLRDHUP | EPOLLHUP : EPOLLHUP | EPOLLERR;
	unsigned short flags = knote->flags;

	if (ready & ends)
		flags |= EV_EOF;
	EV_SET(event, (uintptr_t)fd, filter == 0 ? EVFILT_READ : EVFILT_WRITE, flags, 0,
	       filter == 0 ? count_readable(fd) : count_writable(fd), knote->udata);
	/* A pipe without a reader is an end and no error. */
	if ((ready & EPOLLERR) && (flags & EV_EOF) && fcntl(fd, F_GETPIPE_SZ) < 0)
		event->fflags = ECONNRESET;
}

/* Takes up to `room` events of one filter without waiting. */
static int collect(struct queue *queue, int filter, struct kevent *events, int room)
{
	struct epoll_event ready[EVENT_COUNT_MAX];
	int told = 0;
	int n = epoll_wait(queue->inner[filter], ready,
			   room < EVENT_COUNT_MAX ? room : EVENT_COUNT_MAX, 0);

	for (int i = 0; i < n; i++) {
		int fd = ready[i].data.fd;
		struct knote *knote = &queue->knotes[filter][fd];
		if (!knote->is_there || !knote->is_enabled)
			continue;
		fill(&events[told++], queue, filter, fd, ready[i].events);
		if (knote->flags & EV_ONESHOT)
			drop(queue, filter, fd);
		else if (knote->flags & EV_DISPATCH)
			knote->is_enabled = false;
	}
	return told;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Milliseconds to the deadline, rounded up; -1 for ever. */
static int left_ms(int64_t deadline_ns)
{
	int64_t left = deadline_ns < 0 ? -1 : deadline_ns - now_ns();

	if (deadline_ns < 0)
		return -1;
	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

static int wait_for_events(struct queue *queue, struct kevent *events, int count,
			   int64_t deadline_ns)
{
	struct epoll_event ready[FILTER_COUNT];

	for (;;) {
		int wait_ms = left_ms(deadline_ns);
		int first = (int)(queue->turn++ % FILTER_COUNT);
		int told, n = epoll_wait(queue->outer, ready, FILTER_COUNT, wait_ms);
		if (n < 0)
			return -1;
		/* By turns, so that neither filter can crowd out the other. */
		told = collect(queue, first, events, count);
		if (told < count)
			told += collect(queue, 1 - first, events + told, count - told);
		if (told > 0 || (n == 0 && wait_ms == 0) ||
		    (wait_ms >= 0 && left_ms(deadline_ns) == 0))
			return told;
	}
}

int kevent(int kq, const struct kevent *changes, int change_count, struct kevent *events,
	   int event_count, const struct timespec *timeout)
{
	struct queue *queue = find_queue(kq);
	int64_t deadline_ns = -1;
	int told;

	if (queue == NULL || fcntl(kq, F_GETFD) < 0) {
		errno = EBADF;
		return -1;
	}
	if (change_count < 0 || event_count < 0 || (timeout != NULL && timeout->tv_nsec < 0)) {
		errno = EINVAL;
		return -1;
	}
	told = apply_all(queue, changes, change_count, events, event_count);
	if (told != 0 || event_count == 0)
		return told;
	if (timeout != NULL)
		deadline_ns = now_ns() + (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec;
	return wait_for_events(queue, events, event_count, deadline_ns);
}
