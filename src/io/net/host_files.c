#include "io/net/host_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- lines ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word before a comment; empty at the end. */
static struct wr_view take_word(struct wr_view *line, const char *comment)
{
	size_t bytes = 0;

	while (line->bytes > 0 && is_blank(line->data[0]))
		*line = wr_view_skip(*line, 1);
	while (bytes < line->bytes && !is_blank(line->data[bytes]) &&
	       memchr(comment, line->data[bytes], strlen(comment)) == NULL)
		bytes++;
	*line = wr_view_skip(*line, bytes);
	return wr_view_of(line->data - bytes, bytes);
}

bool wr_hosts_line(struct wr_address *address, struct wr_view line, struct wr_view name)
{
	struct wr_view number = take_word(&line, "#"), word;

	do
		word = take_word(&line, "#");
	while (word.bytes > 0 && !wr_view_equal_nocase(word, name));
	return word.bytes > 0 && wr_address_of_number(address, number, 0) == WR_OK;
}

bool wr_resolv_line(struct wr_address *server, struct wr_view line, uint16_t port)
{
	/* Comments begin a line (resolv.conf(5)); behind the address nothing counts. */
	return wr_view_equal(take_word(&line, "#;"), WR_VIEW("nameserver")) &&
	       wr_address_of_number(server, take_word(&line, "#;"), port) == WR_OK;
}

/* ---- files ---- */

struct lines {
	bool (*on_line)(void *context, struct wr_view line);
	void *context;
	size_t bytes;	 /* in `data` */
	bool is_skipped; /* the line that begins it is too long */
	char data[WR_HOST_LINE_BYTES_MAX];
};

/* Gives what is whole and keeps the rest. False: on_line wants no more. */
static bool give_lines(struct lines *self)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(self->data + at, '\n', self->bytes - at);
		size_t bytes;
		if (end == NULL)
			break;
		bytes = (size_t)(end - self->data) - at;
		if (!self->is_skipped &&
		    !self->on_line(self->context, wr_view_of(self->data + at, bytes)))
			return false;
		self->is_skipped = false;
		at += bytes + 1;
	}
	self->bytes -= at;
	memmove(self->data, self->data + at, self->bytes);
	if (self->bytes == sizeof self->data) {
		self->is_skipped = true;
		self->bytes = 0;
	}
	return true;
}

void wr_host_file_read(const char *path, bool (*on_line)(void *context, struct wr_view line),
		       void *context)
{
	struct lines lines = {.on_line = on_line, .context = context};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t total = 0;
	ssize_t got = 1;

	if (fd < 0)
		return;
	while (got != 0 && total < WR_HOST_FILE_BYTES_MAX) {
		got = read(fd, lines.data + lines.bytes, sizeof lines.data - lines.bytes);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		lines.bytes += (size_t)got;
		total += (size_t)got;
		if (!give_lines(&lines))
			goto done;
	}
	if (got == 0 && lines.bytes > 0 && !lines.is_skipped) /* no end of line at the end */
		(void)on_line(context, wr_view_of(lines.data, lines.bytes));
done:
	close(fd);
}
