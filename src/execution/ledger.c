/*
 * The file, integers in little-endian order:
 *
 *	 0  "WRCHILD1"          8
 *	 8  mark               16  random, also in the environment of children
 *	24  place              64  boot and process namespace (proc.h), padded with zeros
 *	88  CRC-32C of these    4
 *	92  zeros               4
 *	96  rows, of 16 bytes each: number, CRC-32C of the two others, start time (8);
 *	    all zeros: no child
 *
 * A child leads its session (spawn.h), so its number is that of the session, too. The file is made
 * with a page of empty rows, so that usually a row needs no new room on the disk.
 */
#include "execution/ledger.h"

#include "bytes/buf.h"
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	MAGIC_BYTES = 8,
	MARK_AT = 8,
	MARK_BYTES = WR_LEDGER_RANDOM_BYTES,
	PLACE_AT = 24,
	HEAD_CRC_AT = 88,
	HEAD_BYTES = 96,
	ROW_BYTES = 16,
	PAGE_BYTES = 4096,
	FILE_BYTES_MAX = HEAD_BYTES + ROW_BYTES * WR_LEDGER_ROW_COUNT_MAX,
	/* Orphans that are ended together; the rest in another round. */
	ORPHAN_COUNT_MAX = 256,
	PAUSE_NS = 1000000,
	ROW_COUNT_FIRST = 16
};
_Static_assert(PLACE_AT + WR_PROC_PLACE_BYTES == HEAD_CRC_AT, "the layout above");

static const char magic[MAGIC_BYTES] = {'W', 'R', 'C', 'H', 'I', 'L', 'D', '1'};

enum row_state { ROW_FREE, ROW_LIVING, ROW_DEAD };

struct wr_ledger_row {
	enum row_state state;
	bool is_seen;	 /* of its session, in this sweep */
	bool is_foreign; /* its number is another's by now */
	pid_t pid;
	uint64_t start;
};

/* ---- rows as bytes ---- */

static uint32_t row_crc(const uint8_t bytes[ROW_BYTES])
{
	return wr_crc32c(wr_crc32c(0, bytes, 4), bytes + 8, 8);
}

static void write_row(uint8_t out[ROW_BYTES], const struct wr_ledger_row *row)
{
	memset(out, 0, ROW_BYTES);
	if (row->state == ROW_FREE)
		return;
	wr_store_le32(out, (uint32_t)row->pid);
	wr_store_le64(out + 8, row->start);
	wr_store_le32(out + 4, row_crc(out));
}

/* False for a damaged one. Rows that cannot be verified count as empty. */
static bool read_row(struct wr_ledger_row *out, const uint8_t bytes[ROW_BYTES])
{
	static const uint8_t empty[ROW_BYTES];

	*out = (struct wr_ledger_row){.state = ROW_FREE};
	if (memcmp(bytes, empty, sizeof empty) == 0)
		return true;
	if (wr_load_le32(bytes + 4) != row_crc(bytes) || wr_load_le32(bytes) > INT32_MAX)
		return false;
	out->pid = (pid_t)wr_load_le32(bytes);
	out->start = wr_load_le64(bytes + 8);
	if (out->pid > 1 && out->start != 0)
		out->state = ROW_LIVING;
	return true;
}

/* ---- the file of the last life ---- */

struct former {
	struct wr_ledger_row *rows;
	uint32_t count;
	uint64_t start_min;
	bool is_damaged; /* some rows: of theirs only the bearers of the mark are known */
	char mark[WR_LEDGER_MARK_BYTES];
};

static void write_mark(char out[WR_LEDGER_MARK_BYTES], const uint8_t random[MARK_BYTES])
{
	struct wr_buf text;

	memset(out, 0, WR_LEDGER_MARK_BYTES);
	wr_buf_init_fixed(&text, out, WR_LEDGER_MARK_BYTES - 1);
	wr_buf_append_view(&text, WR_VIEW("WORKER_RUNTIME_CHILD="));
	for (unsigned i = 0; i < MARK_BYTES; i++) {
		wr_buf_append_byte(&text, "0123456789abcdef"[random[i] >> 4]);
		wr_buf_append_byte(&text, "0123456789abcdef"[random[i] & 15]);
	}
	wr_assert(wr_buf_status(&text) == WR_OK);
}

static bool is_head_sound(const uint8_t *bytes)
{
	return memcmp(bytes, magic, sizeof magic) == 0 &&
	       wr_load_le32(bytes + HEAD_CRC_AT) == wr_crc32c(0, bytes, HEAD_CRC_AT);
}

static bool is_of_this_place(const uint8_t *bytes)
{
	char place[WR_PROC_PLACE_BYTES];

	wr_proc_place(place);
	return place[0] != '\0' && memcmp(bytes + PLACE_AT, place, sizeof place) == 0;
}

static void say_damaged(const struct wr_ledger *self, uint64_t offset)
{
	WR_LOG(WR_LOG_WARNING, "ledger_damaged", WR_LOG_TEXT("file", wr_view_of_string(self->path)),
	       WR_LOG_NUMBER("offset", offset));
}

static void read_rows(struct former *former, const struct wr_ledger *self, const uint8_t *bytes,
		      size_t count)
{
	write_mark(former->mark, bytes + MARK_AT);
	for (size_t at = HEAD_BYTES; at + ROW_BYTES <= count; at += ROW_BYTES) {
		struct wr_ledger_row row;
		if (!read_row(&row, bytes + at)) {
			if (!former->is_damaged)
				say_damaged(self, at);
			former->is_damaged = true;
			former->start_min = 0;
		} else if (row.state != ROW_FREE) {
			former->rows[former->count++] = row;
			if (row.start < former->start_min)
				former->start_min = row.start;
		}
	}
}

static bool read_whole(int fd, uint8_t *out, size_t bytes)
{
	size_t at = 0;

	while (at < bytes) {
		ssize_t got = pread(fd, out + at, bytes - at, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

/* Its size, no more than what is ever used of it; -1 when it is no file. */
static off_t size_of(int fd)
{
	struct stat about;

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		return -1;
	return about.st_size < FILE_BYTES_MAX ? about.st_size : FILE_BYTES_MAX;
}

/* ---- ending what it left behind ---- */

struct hunt {
	const struct former *former;
	unsigned count;
	struct wr_proc orphans[ORPHAN_COUNT_MAX];
};

/*
 * A row means its leader, and after that one's death whoever is left of the session: the kernel
 * gives a number to nobody else while a session has it. If it is another's by now, the session is
 * gone, and what lives in a session of that number is that other one's.
 */
static bool is_of_row(const struct wr_ledger_row *row, const struct wr_proc *proc)
{
	struct wr_proc leader;

	if (proc->pid == row->pid)
		return proc->start == row->start;
	if (proc->session != row->pid || proc->start < row->start)
		return false;
	return !wr_proc_read(&leader, row->pid) || leader.start == row->start;
}

static bool is_orphan(const struct former *former, const struct wr_proc *proc)
{
	if (proc->is_dead || proc->pid <= 1 || proc->pid == getpid() ||
	    proc->start < former->start_min)
		return false;
	for (uint32_t i = 0; i < former->count; i++)
		if (is_of_row(&former->rows[i], proc))
			return true;
	return wr_proc_has_variable(proc->pid, former->mark);
}

static void collect_orphan(void *context, const struct wr_proc *proc)
{
	struct hunt *hunt = context;

	if (hunt->count < ORPHAN_COUNT_MAX && is_orphan(hunt->former, proc))
		hunt->orphans[hunt->count++] = *proc;
}

/* False when some are alive at the deadline: in the middle of a device's work, which ends with
 * them. */
static bool await_deaths(const struct hunt *hunt, uint64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (unsigned i = 0; i < hunt->count; i++)
		while (wr_proc_is_alive(&hunt->orphans[i])) {
			if (wr_clock_monotonic_ms() >= deadline_ms)
				return false;
			nanosleep(&pause, NULL);
		}
	return true;
}

/* Rounds, until a walk finds nobody: who is killed may have forked a moment before. */
static void end_orphans(const struct former *former)
{
	uint64_t deadline_ms = wr_clock_monotonic_ms() + WR_LEDGER_KILL_MS_MAX;
	struct hunt hunt = {.former = former};
	unsigned killed = 0;
	bool goes_on;

	do {
		hunt.count = 0;
		wr_proc_each(collect_orphan, &hunt);
		for (unsigned i = 0; i < hunt.count; i++)
			wr_proc_kill(&hunt.orphans[i]);
		killed += hunt.count;
		goes_on = hunt.count != 0 && await_deaths(&hunt, deadline_ms) &&
			  wr_clock_monotonic_ms() < deadline_ms;
	} while (goes_on);
	if (killed != 0)
		WR_LOG(WR_LOG_INFO, "orphans_killed", WR_LOG_NUMBER("count", killed));
	if (hunt.count != 0)
		WR_LOG(WR_LOG_WARNING, "orphans_left", WR_LOG_NUMBER("count", hunt.count));
}

/* A process that ended in good order has left an empty ledger. */
static enum wr_status end_former_life(const struct wr_ledger *self)
{
	int fd = open(self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : size_of(fd);
	size_t bytes = size > 0 ? (size_t)size : 0,
	       rows_bytes = bytes / ROW_BYTES * sizeof(struct wr_ledger_row);
	struct former former = {.start_min = UINT64_MAX};
	enum wr_status status = WR_OK;
	uint8_t *file = NULL;

	if (bytes < HEAD_BYTES) {
		if (bytes != 0)
			say_damaged(self, 0);
		goto done;
	}
	file = wr_allocator_take(self->allocator, bytes);
	former.rows = wr_allocator_take(self->allocator, rows_bytes);
	if (file == NULL || former.rows == NULL)
		status = WR_NO_MEMORY;
	else if (!read_whole(fd, file, bytes) || !is_head_sound(file))
		say_damaged(self, 0);
	else if (is_of_this_place(file))
		read_rows(&former, self, file, bytes);
	if (former.count != 0 || former.is_damaged)
		end_orphans(&former);
done:
	if (former.rows != NULL)
		wr_allocator_free(self->allocator, former.rows, rows_bytes);
	if (file != NULL)
		wr_allocator_free(self->allocator, file, bytes);
	if (fd >= 0)
		close(fd);
	return status;
}

/* ---- the file of this life ---- */

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
static bool write_page(int fd, const uint8_t mark[MARK_BYTES])
{
	uint8_t page[PAGE_BYTES] = {0};

	memcpy(page, magic, sizeof magic);
	memcpy(page + MARK_AT, mark, MARK_BYTES);
	wr_proc_place((char *)page + PLACE_AT);
	wr_store_le32(page + HEAD_CRC_AT, wr_crc32c(0, page, HEAD_CRC_AT));
	return write_all(fd, page, sizeof page, 0) && ftruncate(fd, sizeof page) == 0;
}

/* False with errno. */
static bool make_file(struct wr_ledger *self)
{
	int fd = open(self->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int failed = EINVAL;

	if (fd < 0)
		return false;
	if (size_of(fd) >= 0) {
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
	write_mark(self->mark, self->random);
	status = end_former_life(self);
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

static bool put_row(const struct wr_ledger *self, uint32_t row)
{
	uint8_t bytes[ROW_BYTES];

	write_row(bytes, &self->rows[row]);
	return write_all(self->fd, bytes, sizeof bytes, HEAD_BYTES + (off_t)row * ROW_BYTES);
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
