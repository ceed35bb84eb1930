#include "execution/cgroups.h"

#ifdef __linux__

#include "bytes/buf.h"
#include "check.h"
#include "execution/proc.h"
#include "io/folder.h"
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	CGROUP2_MAGIC = 0x63677270,
	PATH_BYTES_MAX = 4096,
	FIELD_COUNT = 4 /* of a name */
};

static const char name_begin[] = "wr-";

/* ---- our own ---- */

/* The path in "0::/path\n", the line of version 2 (cgroups(7)). */
static bool read_own_path(struct wr_buf *out)
{
	char text[PATH_BYTES_MAX];
	const char *at;
	ssize_t got;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	at = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (at == NULL)
		return false;
	at = strchr(at, '/');
	/* Above the root of what we see: it is somewhere that we are not shown. */
	return strncmp(at, "/..", 3) != 0 && wr_buf_append(out, at, strcspn(at, "\n")) == WR_OK;
}

/* Version 2 at this place, alone or beside version 1. */
static int open_under(const char *mount, struct wr_view path)
{
	char storage[PATH_BYTES_MAX];
	struct wr_buf whole;
	struct statfs about;
	int fd;

	memset(storage, 0, sizeof storage);
	wr_buf_init_fixed(&whole, storage, sizeof storage - 1);
	wr_buf_append_view(&whole, wr_view_of_string(mount));
	wr_buf_append_view(&whole, path);
	if (wr_buf_status(&whole) != WR_OK)
		return -1;
	fd = open(storage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && (fstatfs(fd, &about) != 0 || about.f_type != CGROUP2_MAGIC)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* systemd marks what it gives away; of the root nobody is in charge but who is in it. */
static bool is_delegated(int fd, struct wr_view path)
{
	static const char *const marks[] = {"user.delegate", "trusted.delegate"};
	char value[4];

	for (size_t i = 0; i < WR_COUNT(marks); i++)
		if (fgetxattr(fd, marks[i], value, sizeof value) == 1 && value[0] == '1')
			return true;
	return wr_view_equal(path, WR_VIEW("/"));
}

static int open_own(const char **why)
{
	char storage[PATH_BYTES_MAX];
	struct wr_buf path;
	int fd;

	*why = "there is no cgroup2 here";
	wr_buf_init_fixed(&path, storage, sizeof storage);
	if (!read_own_path(&path))
		return -1;
	fd = open_under("/sys/fs/cgroup", wr_buf_view(&path));
	if (fd < 0)
		fd = open_under("/sys/fs/cgroup/unified", wr_buf_view(&path));
	if (fd < 0)
		return -1;
	if (!is_delegated(fd, wr_buf_view(&path)))
		*why = "ours is not delegated to us";
	else if (faccessat(fd, ".", W_OK, AT_EACCESS) != 0)
		*why = "ours cannot be written to";
	else
		return fd;
	close(fd);
	return -1;
}

/* ---- names ---- */

static uint64_t process_namespace(void)
{
	struct stat about;

	return stat("/proc/self/ns/pid", &about) == 0 ? (uint64_t)about.st_ino : 0;
}

static bool make_prefix(struct wr_cgroups *self)
{
	struct wr_buf out;
	struct wr_proc proc;

	if (!wr_proc_read(&proc, getpid()))
		return false;
	wr_buf_init_fixed(&out, self->prefix, sizeof self->prefix);
	wr_buf_append_view(&out, wr_view_of_string(name_begin));
	wr_buf_append_u64(&out, process_namespace());
	wr_buf_append_byte(&out, '-');
	wr_buf_append_u64(&out, (uint64_t)proc.pid);
	wr_buf_append_byte(&out, '-');
	wr_buf_append_u64(&out, proc.start);
	wr_buf_append_byte(&out, '-');
	self->prefix_bytes = out.bytes;
	return wr_buf_status(&out) == WR_OK;
}

/* Namespace, number, start and the group's own; false for anybody else's name. */
static bool read_name(const char *name, uint64_t fields[FIELD_COUNT])
{
	if (strncmp(name, name_begin, sizeof name_begin - 1) != 0)
		return false;
	name += sizeof name_begin - 1;
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const char *from = name;

		fields[i] = 0;
		for (; *name >= '0' && *name <= '9' && name - from < 18; name++)
			fields[i] = fields[i] * 10 + (uint64_t)(*name - '0');
		if (name == from || *name++ != (i + 1 < FIELD_COUNT ? '-' : '\0'))
			return false;
	}
	return true;
}

/* "NAME/file", or the name alone. */
static bool make_path(const struct wr_cgroups *self, char out[WR_CGROUP_NAME_BYTES],
		      uint64_t cgroup, const char *file)
{
	struct wr_buf path;

	memset(out, 0, WR_CGROUP_NAME_BYTES);
	wr_buf_init_fixed(&path, out, WR_CGROUP_NAME_BYTES - 1);
	wr_buf_append(&path, self->prefix, self->prefix_bytes);
	wr_buf_append_u64(&path, cgroup);
	wr_buf_append_view(&path, wr_view_of_string(file));
	return wr_buf_status(&path) == WR_OK;
}

/* ---- its files ---- */

/* Says a number to a file of a group. The file is there, as the kernel made it; where the kernel is
 * too old for it, it is none that can be made. */
static bool tell(int folder, const char *path, uint64_t number)
{
	char storage[24];
	struct wr_buf text;
	int fd = openat(folder, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_told;

	if (fd < 0)
		return false;
	wr_buf_init_fixed(&text, storage, sizeof storage);
	wr_buf_append_u64(&text, number);
	is_told = write(fd, storage, text.bytes) == (ssize_t)text.bytes;
	close(fd);
	return is_told;
}

static void kill_all(int folder, const char *name)
{
	char path[WR_CGROUP_NAME_BYTES + 16];
	struct wr_buf out;

	memset(path, 0, sizeof path);
	wr_buf_init_fixed(&out, path, sizeof path - 1);
	wr_buf_append_view(&out, wr_view_of_string(name));
	wr_buf_append_view(&out, WR_VIEW("/cgroup.kill"));
	if (wr_buf_status(&out) == WR_OK)
		(void)tell(folder, path, 1);
}

/* ---- those of others ---- */

struct visit {
	struct wr_cgroups *set;
	uint32_t killed;
};

/* An emulator makes up the start time that a process reads of itself, a little beside what others
 * are shown: whose number came round that fast keeps its groups until the next start, rather than
 * that somebody alive loses them. */
static bool is_owner_gone(const uint64_t fields[FIELD_COUNT])
{
	enum { SAME_START_TICKS = 1000 }; /* ten seconds */
	struct wr_proc now;

	if (fields[1] > INT32_MAX)
		return false;
	if (!wr_proc_read(&now, (pid_t)fields[1]) || now.is_dead)
		return true;
	return now.start < fields[2] ? fields[2] - now.start > SAME_START_TICKS
				     : now.start - fields[2] > SAME_START_TICKS;
}

static bool is_ours(const struct wr_cgroups *self, const char *name)
{
	return strncmp(name, self->prefix, self->prefix_bytes) == 0;
}

static bool visit_others(void *context, const char *name)
{
	struct visit *visit = context;
	uint64_t fields[FIELD_COUNT];

	if (!read_name(name, fields) || is_ours(visit->set, name) ||
	    fields[0] != process_namespace() || !is_owner_gone(fields))
		return true;
	kill_all(visit->set->fd, name);
	visit->killed++;
	/* Who has just been killed may take a moment: then the next start removes it. */
	(void)unlinkat(visit->set->fd, name, AT_REMOVEDIR);
	return true;
}

/* One in which somebody lives yet cannot be removed: then the next start does. */
static bool visit_ours(void *context, const char *name)
{
	struct visit *visit = context;

	if (!is_ours(visit->set, name))
		return true;
	kill_all(visit->set->fd, name);
	(void)unlinkat(visit->set->fd, name, AT_REMOVEDIR);
	return true;
}

/* ---- */

static void complain(struct wr_cgroups *self, const char *why, int os_error)
{
	if (!self->has_complained)
		WR_LOG(WR_LOG_INFO, "no_cgroups", WR_LOG_TEXT("why", wr_view_of_string(why)),
		       WR_LOG_NUMBER("errno", os_error));
	self->has_complained = true;
}

bool wr_cgroups_open(struct wr_cgroups *self, const char *path)
{
	const char *why = path;
	struct visit visit = {.set = self};
	struct wr_folder folder;

	*self = (struct wr_cgroups){.fd = -1};
	self->fd = path == NULL ? open_own(&why) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->fd < 0 || !make_prefix(self)) {
		complain(self, why == NULL ? "no /proc" : why, 0);
		if (self->fd >= 0)
			close(self->fd);
		self->fd = -1;
		return false;
	}
	folder.fd = self->fd;
	(void)wr_folder_each(&folder, visit_others, &visit);
	if (visit.killed != 0)
		WR_LOG(WR_LOG_INFO, "cgroups_ended", WR_LOG_NUMBER("count", visit.killed));
	return true;
}

void wr_cgroups_close(struct wr_cgroups *self)
{
	struct visit visit = {.set = self};
	const struct wr_folder folder = {.fd = self->fd};

	if (self->fd < 0)
		return;
	if (self->last != 0)
		(void)wr_folder_each(&folder, visit_ours, &visit);
	close(self->fd);
	self->fd = -1;
}

static uint64_t refuse(struct wr_cgroups *self, const char *path, int os_error)
{
	(void)unlinkat(self->fd, path, AT_REMOVEDIR);
	complain(self, "a group for a program could not be made", os_error);
	return WR_CGROUP_NONE;
}

uint64_t wr_cgroups_add(struct wr_cgroups *self, pid_t pid)
{
	char name[WR_CGROUP_NAME_BYTES], procs[WR_CGROUP_NAME_BYTES], killer[WR_CGROUP_NAME_BYTES];
	uint64_t cgroup = self->last + 1;
	struct stat about;

	if (self->fd < 0 || !make_path(self, name, cgroup, "") ||
	    !make_path(self, procs, cgroup, "/cgroup.procs") ||
	    !make_path(self, killer, cgroup, "/cgroup.kill"))
		return WR_CGROUP_NONE;
	if (mkdirat(self->fd, name, 0700) != 0) {
		complain(self, "a group for a program could not be made", errno);
		return WR_CGROUP_NONE;
	}
	self->last = cgroup;
	if (!tell(self->fd, procs, (uint64_t)pid))
		return refuse(self, name, errno);
	/* It is of use only with this: before Linux 5.14 there is none. */
	if (fstatat(self->fd, killer, &about, AT_SYMLINK_NOFOLLOW) != 0)
		complain(self, "the kernel has no cgroup.kill", errno);
	return cgroup;
}

/* Or it is gone already: somebody else may have taken the whole place away. */
static bool is_removed(const struct wr_cgroups *self, const char *name)
{
	return unlinkat(self->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

static void note_leaving(struct wr_cgroups *self, uint64_t cgroup)
{
	if (self->leaving_count == WR_CGROUP_LEAVING_MAX)
		memmove(self->leaving, self->leaving + 1,
			--self->leaving_count * sizeof self->leaving[0]);
	self->leaving[self->leaving_count++] = cgroup;
}

void wr_cgroups_end(struct wr_cgroups *self, uint64_t cgroup)
{
	char name[WR_CGROUP_NAME_BYTES];

	if (self->fd < 0 || cgroup == WR_CGROUP_NONE || !make_path(self, name, cgroup, ""))
		return;
	kill_all(self->fd, name);
	if (!is_removed(self, name))
		note_leaving(self, cgroup);
}

void wr_cgroups_sweep(struct wr_cgroups *self)
{
	char name[WR_CGROUP_NAME_BYTES];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < self->leaving_count; i++)
		if (make_path(self, name, self->leaving[i], "") && !is_removed(self, name))
			self->leaving[kept++] = self->leaving[i];
	self->leaving_count = kept;
}

#else

bool wr_cgroups_open(struct wr_cgroups *self, const char *path)
{
	(void)path;
	*self = (struct wr_cgroups){.fd = -1};
	return false;
}

void wr_cgroups_close(struct wr_cgroups *self)
{
	(void)self;
}

uint64_t wr_cgroups_add(struct wr_cgroups *self, pid_t pid)
{
	(void)self;
	(void)pid;
	return WR_CGROUP_NONE;
}

void wr_cgroups_end(struct wr_cgroups *self, uint64_t cgroup)
{
	(void)self;
	(void)cgroup;
}

void wr_cgroups_sweep(struct wr_cgroups *self)
{
	(void)self;
}

#endif
