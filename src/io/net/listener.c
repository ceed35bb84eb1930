/* The rules are in the header; here is how they meet the kernel.
 *
 * A level-triggered listener stays readable while connections wait. So every failure of accept must
 * either take one of them away, or end with the listener not being polled; anything else is a loop
 * at full speed that serves nobody. */
#include "io/net/listener.h"

#include "check.h"
#include "io/descriptor.h"
#include "io/log.h"
#include "bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	/* The kernel lowers it to its own limit (net.core.somaxconn). */
	BACKLOG = 4096,
	/* Taken from a refused connection before it is closed. */
	DRAIN_BYTES = 4096,
#ifdef MSG_NOSIGNAL
	REFUSAL_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL
#else
	REFUSAL_FLAGS = MSG_DONTWAIT /* SIGPIPE is ignored by wr_signals_open */
#endif
};

_Static_assert(WR_TURN_ACCEPT_COUNT_MAX <= WR_TURN_REFUSAL_COUNT_MAX, "one bound serves both");

/* ---- accepting ---- */

static void open_reserve(struct wr_listener *self)
{
	if (self->reserve_fd < 0)
		self->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void close_reserve(struct wr_listener *self)
{
	if (self->reserve_fd >= 0)
		close(self->reserve_fd);
	self->reserve_fd = -1;
}

/* Rests; without memory for the timer it goes on instead, as nothing would wake it again. */
static void pause_polling(struct wr_listener *self, int reason)
{
	if (wr_timer_set(self->reactor, &self->pause, WR_ACCEPT_PAUSE_MS) != WR_OK)
		return;
	wr_reactor_want(self->reactor, &self->watch, 0);
	self->paused_count++;
	WR_LOG(WR_LOG_WARNING, "listener_paused", WR_LOG_NUMBER("os_error", reason),
	       WR_LOG_NUMBER("refused", self->refused_count));
}

static void resume_polling(struct wr_timer *timer)
{
	struct wr_listener *self = wr_container_of(timer, struct wr_listener, pause);

	open_reserve(self);
	wr_reactor_want(self->reactor, &self->watch, WR_READABLE);
	if (self->watch.wanted != WR_READABLE)
		pause_polling(self, ENOMEM);
}

static int accept_one(struct wr_listener *self, struct wr_address *peer)
{
	*peer = (struct wr_address){.bytes = sizeof peer->storage};
	return wr_descriptor_accept(self->watch.fd, (struct sockaddr *)&peer->storage,
				    &peer->bytes);
}

/* Best effort throughout: a peer that cannot be told is closed without a word. */
static void refuse(struct wr_listener *self, int fd)
{
	struct wr_view answer = self->owner.refusal(self->owner.context);
	char drain[DRAIN_BYTES];

	self->refused_count++;
	if (answer.bytes > 0)
		(void)send(fd, answer.data, answer.bytes, REFUSAL_FLAGS);
	/* What lies unread at close makes the kernel send a RST, and that may overtake the answer.
	 */
	(void)recv(fd, drain, sizeof drain, MSG_DONTWAIT);
	close(fd);
}

/* No descriptor or no memory: lives off the reserve. Returns whether to go on accepting. */
static bool refuse_with_reserve(struct wr_listener *self, int reason)
{
	struct wr_address peer;
	bool none_waits;
	int fd;

	close_reserve(self);
	fd = accept_one(self, &peer);
	/* Linux asks for a descriptor before it looks whether anybody waits. */
	none_waits = fd < 0 && wr_descriptor_is_again(errno);
	if (fd >= 0)
		refuse(self, fd);
	open_reserve(self);
	if (self->reserve_fd < 0 || (fd < 0 && !none_waits)) {
		pause_polling(self, reason);
		return false;
	}
	return !none_waits;
}

/* What accept returned instead of a descriptor. Returns whether to go on accepting. */
static bool survive(struct wr_listener *self, int reason)
{
	if (wr_descriptor_is_again(reason))
		return false;
	switch (reason) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return refuse_with_reserve(self, reason);
	/* This connection failed, or (Linux, accept(2)) has a pending network error. */
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
#ifdef ENONET
	case ENONET:
#endif
		return true;
	default:
		pause_polling(self, reason);
		return false;
	}
}

static void accept_some(struct wr_watch *watch, unsigned ready)
{
	struct wr_listener *self = wr_container_of(watch, struct wr_listener, watch);

	(void)ready;
	/* The owner may close the listener while it takes a connection. */
	for (unsigned i = 0; i < WR_TURN_ACCEPT_COUNT_MAX && watch->is_watched; i++) {
		struct wr_address peer;
		int fd = accept_one(self, &peer);
		if (fd < 0) {
			if (!survive(self, errno))
				return;
		} else if (self->owner.admit(self->owner.context, &peer)) {
			self->accepted_count++;
			self->owner.on_accept(self->owner.context, fd, &peer);
		} else {
			refuse(self, fd);
		}
	}
}

/* ---- opening ---- */

static enum wr_status fail(struct wr_error *error, const char *detail)
{
	*error = (struct wr_error){.status = WR_IO, .os_error = errno, .detail = detail};
	return WR_IO;
}

/* The path of a unix address, with its NUL. */
static void get_path(struct sockaddr_un *path, const struct wr_address *address)
{
	wr_assert(wr_address_is_unix(address));
	memcpy(path, &address->storage, sizeof *path);
	path->sun_path[sizeof path->sun_path - 1] = '\0';
}

/* Whether the path is a socket that no process listens on. */
static bool is_stale(const struct wr_address *address)
{
	struct sockaddr_un path;
	struct stat info;
	bool refused;
	int fd;

	get_path(&path, address);
	if (lstat(path.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
		return false; /* connect refuses a plain file, too: that one is not ours to remove
			       */
	fd = wr_descriptor_socket(AF_UNIX);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)&address->storage, address->bytes) != 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int bind_address(int fd, const struct wr_address *address)
{
	return bind(fd, (const struct sockaddr *)&address->storage, address->bytes);
}

/* With mode 0600 from the first moment on: a chmod after bind would come too late. */
static int bind_unix(int fd, const struct wr_address *address)
{
	mode_t mask = umask(0177);
	struct sockaddr_un path;
	int result = bind_address(fd, address);

	if (result != 0 && errno == EADDRINUSE) {
		if (is_stale(address)) {
			get_path(&path, address);
			unlink(path.sun_path);
			result = bind_address(fd, address);
		} else {
			errno = EADDRINUSE;
		}
	}
	umask(mask);
	return result;
}

static void set_options(int fd, int family)
{
	int on = 1;

	if (family == AF_UNIX)
		return;
	/* Neither can fail on a fresh socket of its family; bind tells when it did. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
}

static void remove_file(const struct wr_listener *self)
{
	struct sockaddr_un path;
	struct stat info;

	if (!wr_address_is_unix(&self->address))
		return;
	get_path(&path, &self->address);
	/* Somebody may have removed ours and put another listener's in its place. */
	if (lstat(path.sun_path, &info) == 0 && info.st_dev == self->file_device &&
	    info.st_ino == self->file_number)
		unlink(path.sun_path);
}

static bool remember_file(struct wr_listener *self)
{
	struct sockaddr_un path;
	struct stat info;

	get_path(&path, &self->address);
	if (lstat(path.sun_path, &info) != 0)
		return false;
	self->file_device = info.st_dev;
	self->file_number = info.st_ino;
	return true;
}

static enum wr_status bind_and_listen(struct wr_listener *self, int fd, struct wr_error *error)
{
	bool is_unix = wr_address_is_unix(&self->address);

	set_options(fd, self->address.storage.ss_family);
	if ((is_unix ? bind_unix(fd, &self->address) : bind_address(fd, &self->address)) != 0)
		return fail(error, "bind");
	if (is_unix) {
		if (!remember_file(self))
			return fail(error, "lstat");
	} else {
		self->address.bytes = sizeof self->address.storage;
		if (getsockname(fd, (struct sockaddr *)&self->address.storage,
				&self->address.bytes) != 0)
			return fail(error, "getsockname");
	}
	return listen(fd, BACKLOG) == 0 ? WR_OK : fail(error, "listen");
}

enum wr_status wr_listener_open(struct wr_listener *self, struct wr_reactor *reactor,
				const struct wr_address *address,
				const struct wr_listener_owner *owner, struct wr_error *error)
{
	enum wr_status status;
	int fd = -1;

	*self = (struct wr_listener){.watch.on_ready = accept_some,
				     .pause.on_due = resume_polling,
				     .reactor = reactor,
				     .owner = *owner,
				     .address = *address,
				     .reserve_fd = -1};
	open_reserve(self);
	if (self->reserve_fd < 0) {
		status = fail(error, "open");
		goto done;
	}
	fd = wr_descriptor_socket(address->storage.ss_family);
	if (fd < 0) {
		status = fail(error, "socket");
		goto done;
	}
	status = bind_and_listen(self, fd, error);
	if (status != WR_OK)
		goto done;
	status = wr_reactor_watch(reactor, &self->watch, fd, WR_READABLE);
	if (status != WR_OK)
		*error = (struct wr_error){.status = status, .os_error = errno, .detail = "watch"};
done:
	if (status != WR_OK) {
		if (fd >= 0) {
			remove_file(self);
			close(fd);
		}
		close_reserve(self);
	}
	return status;
}

void wr_listener_close(struct wr_listener *self)
{
	if (!self->watch.is_watched)
		return;
	wr_timer_cancel(self->reactor, &self->pause);
	wr_reactor_unwatch(self->reactor, &self->watch);
	remove_file(self);
	close(self->watch.fd);
	close_reserve(self);
}
