#include "host/program.h"

#include "host/hosting_options.h"
#include "host/limit_process.h"
#include "host/profiles.h"
#include "host/serving_tls.h"
#include "io/log.h"
#include "io/memory.h"

#include <errno.h>
#include <unistd.h>

#ifndef WR_VERSION
#define WR_VERSION "0.1.0"
#endif

#ifndef __linux__
extern char **environ; /* elsewhere unistd.h leaves that to its user */
#endif

enum { OUTPUT_BYTES_MAX = 1 << 24, MESSAGE_BYTES_MAX = 16384 };

/* ---- telling ---- */

static bool write_out(int fd, struct wr_view text)
{
	while (text.bytes > 0) {
		ssize_t written = write(fd, text.data, text.bytes);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0)
			text = wr_view_skip(text, (size_t)written);
	}
	return true;
}

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

void wr_program_put_plain(struct wr_buf *out, struct wr_view text, size_t bytes_max)
{
	for (size_t i = 0; i < text.bytes && i < bytes_max; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		wr_buf_append_byte(out, byte < 0x20 || byte == 0x7f ? '?' : (char)byte);
	}
}

/* Who has written into a file, or a variable, what does not go with the rest is told where. */
static bool put_place(const struct wr_program *self, struct wr_view message, struct wr_buf *out)
{
	size_t bytes = 0, before = out->bytes;

	if (!self->has_settings || !wr_view_starts(message, WR_VIEW("--")))
		return false;
	message = wr_view_skip(message, 2);
	while (bytes < message.bytes &&
	       (message.data[bytes] == '-' ||
		(message.data[bytes] >= 'a' && message.data[bytes] <= 'z')))
		bytes++;
	wr_settings_put_place(&self->settings, out, wr_view_of(message.data, bytes));
	return out->bytes > before;
}

int wr_program_fail(const struct wr_program *self, const struct wr_buf *message, int code)
{
	char storage[MESSAGE_BYTES_MAX];
	struct wr_buf out;
	bool is_elsewhere;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	put(&out, self->name);
	put(&out, ": ");
	is_elsewhere = put_place(self, wr_view_of(message->data, message->bytes), &out);
	wr_program_put_plain(&out, wr_view_of(message->data, message->bytes),
			     MESSAGE_BYTES_MAX / 2);
	put(&out, "\n");
	/* A faulty file is none of how it is used. */
	if (code == WR_EXIT_USAGE && !self->settings.is_file_wrong && !is_elsewhere)
		wr_options_usage(self->options, &out);
	write_out(2, wr_buf_view(&out));
	return code;
}

static void write_help(const struct wr_program *self, struct wr_buf *out)
{
	wr_options_help(self->options, out);
}

static void write_version(const struct wr_program *self, struct wr_buf *out)
{
	put(out, self->name);
	put(out, " " WR_VERSION "\n");
}

static void write_settings(const struct wr_program *self, struct wr_buf *out)
{
	wr_settings_print(&self->settings, out);
}

static void write_ok(const struct wr_program *self, struct wr_buf *out)
{
	(void)self;
	put(out, "ok\n");
}

static int tell(struct wr_program *self,
		void (*write_text)(const struct wr_program *self, struct wr_buf *out))
{
	struct wr_buf out;
	bool is_whole;

	wr_buf_init(&out, &self->allocator, OUTPUT_BYTES_MAX);
	write_text(self, &out);
	is_whole = write_out(1, wr_buf_view(&out)) && wr_buf_status(&out) == WR_OK;
	wr_buf_deinit(&out);
	return is_whole ? 0 : WR_EXIT_FAILED;
}

/* ---- serving ---- */

/* Tests and scripts read the address from this line. */
static void announce(struct wr_program *self)
{
	char storage[1024];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	put(&out, self->name);
	put(&out, ": listening on ");
	self->announce(self, &out);
	if (wr_serving_has_tls(self->serving))
		put(&out, "; TLS");
	put(&out, "\n");
	write_out(2, wr_buf_view(&out));
}

static void warn(bool had_secret)
{
	if (had_secret)
		WR_LOG(WR_LOG_WARNING, "token_in_arguments",
		       WR_LOG_TEXT("remedy", WR_VIEW("use --token-file or --local-token-env")));
	if (geteuid() == 0)
		WR_LOG(WR_LOG_WARNING, "running_as_root",
		       WR_LOG_TEXT("remedy", WR_VIEW("start it as a user of its own")));
}

static int serve(struct wr_program *self, struct wr_buf *message, bool had_secret)
{
	bool is_orderly;

	wr_log_open(self->name, 2, (enum wr_log_level)self->serving->log_level);
	warn(had_secret);
	if (!self->open(self, message)) {
		wr_log_close();
		return wr_program_fail(self, message, WR_EXIT_FAILED);
	}
	wr_log_flush();
	announce(self);
	is_orderly = self->run(self);
	self->close(self);
	WR_LOG(WR_LOG_INFO, "ended", WR_LOG_NUMBER("memory_peak", self->memory->peak));
	wr_log_close();
	return is_orderly ? 0 : WR_EXIT_FAILED;
}

/* ---- from main on ---- */

static bool read_settings(struct wr_program *self, struct wr_buf *message)
{
	if (!wr_settings_read(&self->settings, message, self->argc,
			      (const char *const *)self->argv))
		return false;
	self->has_settings = true;
	if (self->serving->wants_help || self->serving->wants_version)
		return true;
	wr_address_parse(&self->serving->address, wr_view_of_string(self->serving->listen));
	return wr_hosting_is_sound(self->hosting, message) &&
	       wr_serving_tls_is_sound(self->serving, message) &&
	       wr_hosting_settle_profiles(self->hosting, &self->settings, message) &&
	       (self->is_sound == NULL || self->is_sound(self, message));
}

/* Everything that --check-config can look at without serving. */
static bool is_usable(struct wr_program *self, bool *had_secret, struct wr_buf *message)
{
	struct wr_serving *serving = self->serving;
	bool is_good = wr_serving_tokens(serving, self->tokens, &self->fixed_token_count, message);

	*had_secret = wr_settings_wipe_secrets(self->options, self->argc, self->argv);
	wr_settings_wipe_environment(&self->settings);
	serving->local_token = NULL;
	if (is_good && serving->wants_check)
		is_good = wr_serving_tls_check(serving, &self->allocator, message) &&
			  wr_profiles_check(self->hosting, &self->allocator, message);
	return is_good;
}

static int run(struct wr_program *self, struct wr_buf *message)
{
	struct wr_serving *serving = self->serving;
	bool had_secret;

	if (!read_settings(self, message))
		return wr_program_fail(self, message, WR_EXIT_USAGE);
	if (serving->wants_help)
		return tell(self, write_help);
	if (serving->wants_version)
		return tell(self, write_version);
	wr_limit_process(&self->hosting->children_max, &serving->connections_max,
			 wr_hosting_has_programs(self->hosting),
			 wr_hosting_has_models(self->hosting));
	if (serving->wants_print)
		return tell(self, write_settings);
	if (!is_usable(self, &had_secret, message)) {
		self->settings.is_file_wrong = true; /* at least it is not how it is used */
		return wr_program_fail(self, message,
				       serving->wants_check ? WR_EXIT_USAGE : WR_EXIT_FAILED);
	}
	if (serving->wants_check)
		return tell(self, write_ok);
	return serve(self, message, had_secret);
}

int wr_program_main(struct wr_program *self, int argc, char **argv)
{
	char storage[MESSAGE_BYTES_MAX / 2];
	struct wr_buf message;
	int code;

	self->argc = argc;
	self->argv = argv;
	wr_memory_init(&self->allocator, SIZE_MAX);
	wr_buf_init_fixed(&message, storage, sizeof storage);
	wr_settings_init(&self->settings, self->options, self->values, &self->allocator);
	self->settings.environment = environ;
	code = run(self, &message);
	wr_settings_deinit(&self->settings);
	return code;
}
