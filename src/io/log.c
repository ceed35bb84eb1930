/* The ring holds whole lines, one after another. A write takes whole lines, too, and at most
 * PIPE_BUF bytes, which a pipe takes in one piece: lines of several processes on one pipe do not
 * mix, and a pipe that poll calls writable has room for it. */
#include "io/log.h"

#include "bytes/buf.h"
#include "check.h"
#include "io/clock.h"
#include "io/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RING_BYTES = 16384,
	LINE_BYTES_MAX = 2048,
	VALUE_BYTES_MAX = 256,
	KIND_COUNT_MAX = 32,
	LINES_PER_SECOND_MAX = 10,
/* PIPE_BUF, which bounds.h need not have. */
#ifdef __linux__
	WRITE_BYTES_MAX = 4096
#else
	WRITE_BYTES_MAX = 512
#endif
};

/* What one kind said in the second that began at since_ms. */
struct kind {
	const char *name; /* NULL: free */
	uint64_t since_ms;
	uint64_t held_count; /* beyond LINES_PER_SECOND_MAX */
	unsigned told_count;
};

/* One per process, as stderr is. */
static struct {
	const char *program; /* NULL: not open */
	int fd;
	bool is_socket;
	enum wr_log_level level;
	uint64_t dropped_count;
	unsigned holding_count; /* kinds with held_count > 0 */
	struct kind kinds[KIND_COUNT_MAX];
	size_t first, bytes; /* of the ring */
	char ring[RING_BYTES];
} log_state;

void wr_log_open(const char *program, int fd, enum wr_log_level level)
{
	struct stat info;

	memset(&log_state, 0, sizeof log_state);
	log_state.program = program;
	log_state.fd = fd;
	log_state.is_socket = fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
	log_state.level = level;
}

/* ---- lines ---- */

static const char *level_name(enum wr_log_level level)
{
	switch (level) {
	case WR_LOG_ERROR:
		return "error";
	case WR_LOG_WARNING:
		return "warning";
	case WR_LOG_INFO:
		return "info";
	case WR_LOG_DEBUG:
		return "debug";
	}
	wr_unreachable();
}

static void append_string(struct wr_buf *line, const char *string)
{
	wr_buf_append_view(line, wr_view_of_string(string));
}

static bool needs_quotes(struct wr_view text)
{
	return text.bytes == 0 || memchr(text.data, ' ', text.bytes) != NULL ||
	       memchr(text.data, '=', text.bytes) != NULL ||
	       memchr(text.data, '"', text.bytes) != NULL;
}

static void append_text(struct wr_buf *line, struct wr_view text)
{
	bool is_cut = text.bytes > VALUE_BYTES_MAX;
	bool quoted;

	if (is_cut)
		text.bytes = VALUE_BYTES_MAX;
	quoted = needs_quotes(text);
	if (quoted)
		wr_buf_append_byte(line, '"');
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		char escaped[4] = {'\\', 'x', "0123456789abcdef"[byte >> 4],
				   "0123456789abcdef"[byte & 15]};
		if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\')
			wr_buf_append(line, escaped, sizeof escaped);
		else
			wr_buf_append_byte(line, (char)byte);
	}
	if (is_cut)
		append_string(line, "...");
	if (quoted)
		wr_buf_append_byte(line, '"');
}

static void append_value(struct wr_buf *line, const struct wr_log_value *value)
{
	wr_buf_append_byte(line, ' ');
	append_string(line, value->key);
	wr_buf_append_byte(line, '=');
	if (value->text.data != NULL)
		append_text(line, value->text);
	else
		wr_buf_append_u64(line, value->number);
}

/* One line with its newline into `line`. Values that no longer fit are left out, whole. */
static void compose(struct wr_buf *line, enum wr_log_level level, const char *kind,
		    const struct wr_log_value *values, unsigned count)
{
	size_t fits;

	append_string(line, log_state.program);
	append_string(line, ": ");
	append_string(line, level_name(level));
	wr_buf_append_byte(line, ' ');
	append_string(line, kind);
	wr_assert(line->status == WR_OK);
	fits = line->bytes;
	for (unsigned i = 0; i < count; i++) {
		append_value(line, &values[i]);
		if (wr_buf_status(line) != WR_OK)
			break;
		fits = line->bytes;
	}
	line->status = WR_OK;
	wr_buf_truncate(line, fits);
	if (line->bytes == line->bytes_max)
		line->bytes--;
	wr_buf_append_byte(line, '\n');
}

/* ---- the ring ---- */

static void put(struct wr_view line)
{
	size_t at = (log_state.first + log_state.bytes) % RING_BYTES;
	size_t front = RING_BYTES - at;

	if (front > line.bytes)
		front = line.bytes;
	memcpy(log_state.ring + at, line.data, front);
	memcpy(log_state.ring, line.data + front, line.bytes - front);
	log_state.bytes += line.bytes;
}

static bool put_if_it_fits(enum wr_log_level level, const char *kind,
			   const struct wr_log_value *values, unsigned count)
{
	char storage[LINE_BYTES_MAX];
	struct wr_buf line;

	wr_buf_init_fixed(&line, storage, sizeof storage);
	compose(&line, level, kind, values, count);
	if (line.bytes > RING_BYTES - log_state.bytes)
		return false;
	put(wr_buf_view(&line));
	return true;
}

/* The count of what was dropped goes first: that is where the gap is. Only with room for more, or
 * the last bytes of a full ring would go to one count after the other. */
static bool tell_dropped(void)
{
	struct wr_log_value dropped = WR_LOG_NUMBER("count", log_state.dropped_count);

	if (log_state.dropped_count == 0)
		return true;
	if (RING_BYTES - log_state.bytes < 2 * LINE_BYTES_MAX)
		return false;
	put_if_it_fits(WR_LOG_WARNING, "log_dropped", &dropped, 1);
	log_state.dropped_count = 0;
	return true;
}

static void append_line(enum wr_log_level level, const char *kind,
			const struct wr_log_value *values, unsigned count)
{
	if (!tell_dropped() || !put_if_it_fits(level, kind, values, count))
		log_state.dropped_count++;
}

/* ---- ten lines a second of one kind ---- */

static void tell_held(struct kind *kind)
{
	struct wr_log_value values[2] = {WR_LOG_TEXT("kind", wr_view_of_string(kind->name)),
					 WR_LOG_NUMBER("count", kind->held_count)};

	if (kind->held_count == 0)
		return;
	append_line(WR_LOG_WARNING, "log_held", values, 2);
	kind->held_count = 0;
	log_state.holding_count--;
}

/* The sums of seconds that are over. */
static void tell_all_held(uint64_t now_ms)
{
	for (unsigned i = 0; i < KIND_COUNT_MAX && log_state.holding_count > 0; i++) {
		struct kind *kind = &log_state.kinds[i];
		if (kind->held_count > 0 && now_ms - kind->since_ms >= 1000)
			tell_held(kind);
	}
}

/* The kind's place; a new kind takes the place of the one that was silent the longest. */
static struct kind *find_kind(const char *name)
{
	struct kind *oldest = &log_state.kinds[0];

	for (unsigned i = 0; i < KIND_COUNT_MAX; i++) {
		struct kind *kind = &log_state.kinds[i];
		if (kind->name == NULL || kind->name == name || strcmp(kind->name, name) == 0)
			return kind;
		if (kind->since_ms < oldest->since_ms)
			oldest = kind;
	}
	tell_held(oldest);
	oldest->name = NULL;
	return oldest;
}

static bool may_tell(const char *name)
{
	uint64_t now_ms = wr_clock_monotonic_ms();
	struct kind *kind = find_kind(name);

	if (kind->name == NULL || now_ms - kind->since_ms >= 1000) {
		if (kind->name != NULL)
			tell_held(kind);
		*kind = (struct kind){.name = name, .since_ms = now_ms};
	}
	if (kind->told_count < LINES_PER_SECOND_MAX) {
		kind->told_count++;
		return true;
	}
	if (kind->held_count++ == 0)
		log_state.holding_count++;
	return false;
}

void wr_log(enum wr_log_level level, const char *kind, const struct wr_log_value *values,
	    unsigned count)
{
	if (log_state.program == NULL || level > log_state.level || !may_tell(kind))
		return;
	append_line(level, kind, values, count);
	if (level == WR_LOG_ERROR || log_state.bytes > RING_BYTES / 2)
		wr_log_flush();
}

/* ---- writing ---- */

/* Copies the next whole lines, or the beginning of one that is longer than a write. */
static size_t gather(char out[WRITE_BYTES_MAX])
{
	size_t bytes = log_state.bytes < WRITE_BYTES_MAX ? log_state.bytes : WRITE_BYTES_MAX;
	size_t front = RING_BYTES - log_state.first;
	size_t whole;

	if (front > bytes)
		front = bytes;
	memcpy(out, log_state.ring + log_state.first, front);
	memcpy(out + front, log_state.ring, bytes - front);
	whole = bytes;
	while (whole > 0 && out[whole - 1] != '\n')
		whole--;
	return whole > 0 ? whole : bytes;
}

/* Never waits: a socket has a flag for that, anything else is asked first. Setting O_NONBLOCK
 * instead would set it for every process that shares the descriptor. */
static ssize_t write_some(const char *data, size_t bytes)
{
	struct pollfd asked = {.fd = log_state.fd, .events = POLLOUT};

#ifdef MSG_NOSIGNAL
	if (log_state.is_socket)
		return send(log_state.fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
#endif
	if (poll(&asked, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	return write(log_state.fd, data, bytes);
}

static void write_ring(void)
{
	char out[WRITE_BYTES_MAX];

	while (log_state.bytes > 0) {
		ssize_t n = write_some(out, gather(out));
		if (n < 0 && (errno == EINTR || wr_descriptor_is_again(errno) || errno == ENOSPC))
			return; /* there may be room again later */
		if (n <= 0) {
			log_state.program = NULL; /* gone for good: EPIPE, EBADF, EIO */
			return;
		}
		log_state.first = (log_state.first + (size_t)n) % RING_BYTES;
		log_state.bytes -= (size_t)n;
	}
}

void wr_log_flush(void)
{
	if (log_state.program == NULL)
		return;
	if (log_state.holding_count > 0)
		tell_all_held(wr_clock_monotonic_ms());
	write_ring();
	if (log_state.dropped_count > 0 && log_state.program != NULL && tell_dropped())
		write_ring();
}

void wr_log_close(void)
{
	if (log_state.program == NULL)
		return;
	wr_log_flush();
	tell_all_held(UINT64_MAX);
	wr_log_flush();
	log_state.program = NULL;
}
