/* Files of an operator: read whole, within bounds, and taken apart where they are PEM (RFC 7468).
 */
#include "check.h"
#include "io/tls/tls_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool wr_tls_say(struct wr_buf *message, const char *file, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(file));
	wr_buf_append_view(message, WR_VIEW(": "));
	wr_buf_append_view(message, wr_view_of_string(text));
	return false;
}

/* ---- files ---- */

/* What is wrong with the file, or NULL. */
static const char *judge_file(const struct stat *info, int secrecy, size_t bytes_max)
{
	if (!S_ISREG(info->st_mode))
		return "is not a plain file";
	if (info->st_size <= 0)
		return "is empty";
	if ((uintmax_t)info->st_size > bytes_max)
		return "is too large for what it should be";
	if (secrecy != WR_TLS_FILE_SECRET)
		return NULL;
	if (info->st_uid != geteuid())
		return "belongs to another user; its owner must be the one this program runs as "
		       "(chown)";
	if ((info->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "can be read by others than its owner; chmod 600 it";
	return NULL;
}

/* The whole file; false with errno 0 when it changed meanwhile. */
static bool read_all(int fd, struct wr_buf *out, size_t bytes)
{
	char *to = wr_buf_reserve(out, bytes + 1);
	size_t at = 0;
	ssize_t n = 1;

	errno = to == NULL ? ENOMEM : 0;
	while (to != NULL && at <= bytes && n != 0) {
		n = read(fd, to + at, bytes + 1 - at);
		if (n < 0 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	if (to == NULL)
		return false;
	errno = 0; /* of a read that was interrupted */
	if (at != bytes)
		return false;
	wr_buf_commit(out, bytes);
	return true;
}

static bool say_errno(struct wr_buf *message, const char *file, int number)
{
	switch (number) {
	case 0:
		return wr_tls_say(message, file, "changed while it was read; try again");
	case ENOENT:
		return wr_tls_say(message, file, "there is no such file");
	case EACCES:
	case EPERM:
		return wr_tls_say(message, file,
				  "may not be read by the user this program runs as");
	case ENOMEM:
		return wr_tls_say(message, file, "no memory to read it");
	default:
		wr_tls_say(message, file, "cannot be read: ");
		return wr_buf_append_view(message, wr_view_of_string(strerror(number))) != WR_OK &&
		       false;
	}
}

bool wr_tls_file_read(struct wr_buf *out, const char *file, int secrecy, size_t bytes_max,
		      struct wr_buf *message)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *wrong = NULL;
	struct stat info;
	bool is_read = false;

	if (fd < 0)
		return say_errno(message, file, errno);
	if (fstat(fd, &info) != 0) {
		say_errno(message, file, errno);
		goto done;
	}
	wrong = judge_file(&info, secrecy, bytes_max);
	if (wrong != NULL)
		wr_tls_say(message, file, wrong);
	else if (!read_all(fd, out, (size_t)info.st_size))
		say_errno(message, file, errno);
	else
		is_read = true;
done:
	close(fd);
	return is_read;
}

void wr_tls_wipe(struct wr_buf *secret)
{
	volatile char *bytes = secret->data;

	for (size_t i = 0; i < secret->capacity; i++)
		bytes[i] = 0;
	wr_buf_deinit(secret);
}

/* ---- PEM ---- */

static void append_piece(void *context, const void *data, size_t bytes)
{
	(void)wr_buf_append(context, data, bytes);
}

struct walk {
	br_pem_decoder_context decoder;
	struct wr_buf *scratch;
	size_t begin; /* of the object in the scratch */
	bool is_inside;
	wr_tls_pem_fn *on_object;
	void *context;
};

/* What the decoder has come to. */
static enum wr_status take_event(struct walk *self)
{
	struct wr_buf *scratch = self->scratch;
	bool goes_on;

	switch (br_pem_decoder_event(&self->decoder)) {
	case BR_PEM_BEGIN_OBJ:
		self->is_inside = true;
		br_pem_decoder_setdest(&self->decoder, append_piece, scratch);
		return WR_OK;
	case BR_PEM_END_OBJ:
		self->is_inside = false;
		if (wr_buf_status(scratch) != WR_OK)
			return WR_NO_MEMORY;
		if (scratch->bytes == self->begin)
			return WR_SYNTAX;
		goes_on = self->on_object(
			self->context, br_pem_decoder_name(&self->decoder),
			wr_view_of(scratch->data + self->begin, scratch->bytes - self->begin));
		memset(scratch->data + self->begin, 0, scratch->bytes - self->begin);
		wr_buf_truncate(scratch, self->begin);
		return goes_on ? WR_OK : WR_CLOSED;
	case BR_PEM_ERROR:
		return WR_SYNTAX;
	default:
		return WR_OK;
	}
}

static enum wr_status push_all(struct walk *self, struct wr_view text)
{
	enum wr_status status = WR_OK;

	while (text.bytes != 0 && status == WR_OK) {
		text = wr_view_skip(text,
				    br_pem_decoder_push(&self->decoder, text.data, text.bytes));
		status = take_event(self);
	}
	return status;
}

enum wr_status wr_tls_pem_walk(struct wr_view text, struct wr_buf *scratch,
			       wr_tls_pem_fn *on_object, void *context)
{
	struct walk walk = {.scratch = scratch,
			    .begin = scratch->bytes,
			    .on_object = on_object,
			    .context = context};
	enum wr_status status;

	br_pem_decoder_init(&walk.decoder);
	status = push_all(&walk, text);
	if (status == WR_OK) /* an end line is one only when it ends */
		status = push_all(&walk, WR_VIEW("\n"));
	if (status == WR_OK && walk.is_inside)
		status = WR_SYNTAX;
	if (status == WR_NO_MEMORY || wr_buf_status(scratch) != WR_OK)
		return WR_NO_MEMORY;
	return status;
}
