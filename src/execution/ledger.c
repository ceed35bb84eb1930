#include "execution/ledger_private.h"

#include "check.h"
#include "io/entropy.h"
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* The file is made with a page of empty rows, so that usually a row needs no new room on
	 * the disk. */
	PAGE_BYTES = 4096,
	ROW_COUNT_FIRST = 16
};

enum row_state { ROW_FREE, ROW_LIVING, ROW_DEAD };

struct wr_ledger_row {
	enum row_state state;
	bool is_seen;	 /* of its session, in this sweep */
	bool is_foreign; /* its number is another's by now */
	pid_t pid;
	uint64_t start;
};

/* ---- the file ---- */

static bool write_all(int fd, const uint8_t *bytes, size_t count, off_t at)
{
	while (count != 0) {
		ssize_t put = pwrite(fd, bytes, count, at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			if (put == 0)
				errno = EIO;
			return false;
		}
		bytes += put;
		count -= (size_t)put;
		at += put;
	}
	return true;
}

/* Over what is there: on a full disk that may be all the room there is. */
static bool write_page(int fd, const uint8_t random[WR_LEDGER_RANDOM_BYTES])
{
	uint8_t page[PAGE_BYTES] = {0};

	wr_ledger_write_head(page, random);
	return write_all(fd, page, sizeof page, 0) && ftruncate(fd, sizeof page) == 0;
}

/* False with errno. */
static bool make_file(struct wr_ledger *self)
{
	int fd = open(self->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int failed = EINVAL;

	if (fd < 0)
		return false;
	if (wr_ledger_file_size(fd) >= 0) {
		if (fchmod(fd, 0600) == 0 && write_page(fd, self->random)) {
			self->fd = fd;
			return true;
		}
		failed = errno;
	}
	close(fd);
	errno = failed;
	return false;
}

static enum wr_status fail(const struct wr_ledger *self, struct wr_error *error,
			   enum wr_status status, int os_error)
{
	*error = (struct wr_error){.status = status, .os_error = os_error, .detail = "ledger"};
	WR_LOG(WR_LOG_WARNING, "ledger_unusable",
	       WR_LOG_TEXT("file", wr_view_of_string(self->path)),
	       WR_LOG_NUMBER("errno", os_error));
	return status;
}

enum wr_status wr_ledger_open(struct wr_ledger *self, struct wr_allocator *allocator,
			      const char *path, struct wr_error *error)
{
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	*self = (struct wr_ledger){.allocator = allocator, .path = path, .fd = -1};
	if (path == NULL)
		return WR_OK;
	/* Before anything can fail: it has to be the same in the file, whenever that is made, and
	 * in the environment of children. */
	if (wr_entropy_fill(self->random, sizeof self->random) != WR_OK)
		return fail(self, error, WR_IO, EIO);
	wr_ledger_write_mark(self->mark, self->random);
	status = wr_ledger_end_former_life(self);
	if (status != WR_OK)
		return fail(self, error, status, ENOMEM);
	return make_file(self) ? WR_OK : fail(self, error, WR_IO, errno);
}

void wr_ledger_close(struct wr_ledger *self)
{
	if (self->fd >= 0)
		close(self->fd);
	wr_allocator_free(self->allocator, self->rows, self->row_capacity * sizeof *self->rows);
	*self = (struct wr_ledger){.allocator = self->allocator, .fd = -1};
}

const char *wr_ledger_mark(const struct wr_ledger *self)
{
	return self->mark[0] == '\0' ? NULL : self->mark;
}

/* ---- rows ---- */

static bool put_row(const struct wr_ledger *self, uint32_t at)
{
	const struct wr_ledger_row *row = &self->rows[at];
	uint8_t bytes[WR_LEDGER_ROW_BYTES];

	wr_ledger_write_row(bytes, row->state == ROW_FREE ? 0 : row->pid, row->start);
	return write_all(self->fd, bytes, sizeof bytes,
			 WR_LEDGER_HEAD_BYTES + (off_t)at * WR_LEDGER_ROW_BYTES);
}

static bool make_room(struct wr_ledger *self)
{
	uint32_t capacity = self->row_capacity == 0 ? ROW_COUNT_FIRST : 2 * self->row_capacity;
	struct wr_ledger_row *rows;

	if (self->row_count < self->row_capacity)
		return true;
	rows = wr_allocator_resize(self->allocator, self->rows, self->row_capacity * sizeof *rows,
				   capacity * sizeof *rows);
	if (rows == NULL)
		return false;
	self->rows = rows;
	self->row_capacity = capacity;
	return true;
}

/* The first free one, or one behind the last. */
static enum wr_status find_free(struct wr_ledger *self, uint32_t *row)
{
	for (*row = 0; *row < self->row_count; (*row)++)
		if (self->rows[*row].state == ROW_FREE)
			return WR_OK;
	if (self->row_count >= WR_LEDGER_ROW_COUNT_MAX)
		return WR_FULL;
	if (!make_room(self))
		return WR_NO_MEMORY;
	self->rows[self->row_count++] = (struct wr_ledger_row){.state = ROW_FREE};
	return WR_OK;
}

enum wr_status wr_ledger_add(struct wr_ledger *self, uint32_t *row, pid_t pid, int *os_error)
{
	struct wr_proc proc;
	enum wr_status status;
	uint32_t at;

	*row = WR_LEDGER_NONE;
	*os_error = 0;
	if (self->path == NULL)
		return WR_OK;
	if (self->fd < 0 && (self->mark[0] == '\0' || !make_file(self))) {
		*os_error = self->mark[0] == '\0' ? EIO : errno;
		return WR_IO;
	}
	status = find_free(self, &at);
	if (status != WR_OK) {
		*os_error = status == WR_FULL ? EAGAIN : ENOMEM;
		return status;
	}
	self->rows[at] = (struct wr_ledger_row){
		.state = ROW_LIVING,
		.pid = pid,
		.start = wr_proc_read(&proc, pid) ? proc.start : 0,
	};
	if (!put_row(self, at)) {
		*os_error = errno;
		self->rows[at].state = ROW_FREE;
		put_row(self, at); /* half of it may be there */
		return WR_IO;
	}
	*row = at;
	return WR_OK;
}

static void clear_row(struct wr_ledger *self, uint32_t row)
{
	if (self->rows[row].state == ROW_DEAD)
		self->dead_count--;
	self->rows[row].state = ROW_FREE;
	/* A row that stays names nobody who is alive: the next process will find that out. */
	put_row(self, row);
}

void wr_ledger_note_death(struct wr_ledger *self, uint32_t row)
{
	if (row == WR_LEDGER_NONE)
		return;
	wr_assert(row < self->row_count && self->rows[row].state == ROW_LIVING);
	self->rows[row].state = ROW_DEAD;
	self->dead_count++;
}

bool wr_ledger_wants_sweep(const struct wr_ledger *self)
{
	return self->dead_count != 0;
}

/* ---- the sweep ---- */

void wr_ledger_sweep_begin(struct wr_ledger *self)
{
	for (uint32_t i = 0; i < self->row_count; i++)
		self->rows[i].is_seen = self->rows[i].is_foreign = false;
}

void wr_ledger_sweep_see(struct wr_ledger *self, const struct wr_proc *proc)
{
	uint32_t left = proc->is_dead ? 0 : self->dead_count;

	for (uint32_t i = 0; left != 0 && i < self->row_count; i++) {
		struct wr_ledger_row *row = &self->rows[i];
		if (row->state != ROW_DEAD)
			continue;
		left--;
		/* Its leader is reaped: who has the number now is somebody else, and so is who
		 * lives in a session of that number. */
		if (proc->pid == row->pid)
			row->is_foreign = true;
		else if (proc->session == row->pid)
			row->is_seen = true;
	}
}

void wr_ledger_sweep_end(struct wr_ledger *self, bool keeps_all)
{
	for (uint32_t i = 0; i < self->row_count && !keeps_all; i++) {
		const struct wr_ledger_row *row = &self->rows[i];
		if (row->state == ROW_DEAD && (!row->is_seen || row->is_foreign))
			clear_row(self, i);
	}
}

void wr_ledger_clear(struct wr_ledger *self)
{
	for (uint32_t i = 0; i < self->row_count; i++)
		if (self->rows[i].state != ROW_FREE)
			clear_row(self, i);
}
