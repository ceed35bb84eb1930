/* worker-runtime — hosts LLM Workers behind REST and WebSocket; see worker-runtime.8. */
#include "check.h"
#include "io/log.h"
#include "runtime_server/limit_process.h"
#include "runtime_server/log_command.h"
#include "runtime_server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef WR_VERSION
#define WR_VERSION "0.1.0"
#endif

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, OUTPUT_BYTES_MAX = 16384 };

static struct wr_config config;
static struct wr_tokens tokens;
static struct wr_server server;

/* No stdio here: it would be a good part of the program. */
static void write_out(int fd, struct wr_view text)
{
	while (text.bytes > 0) {
		ssize_t written = write(fd, text.data, text.bytes);
		if (written < 0 && errno != EINTR)
			return;
		if (written > 0)
			text = wr_view_skip(text, (size_t)written);
	}
}

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

/* One line, whatever the message holds. */
static int fail(struct wr_buf *message, int code)
{
	char storage[OUTPUT_BYTES_MAX];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	put(&out, "worker-runtime: ");
	for (size_t i = 0; i < message->bytes && i < 1024; i++) {
		unsigned char byte = (unsigned char)message->data[i];
		wr_buf_append_byte(&out, byte < 0x20 || byte == 0x7f ? '?' : (char)byte);
	}
	put(&out, "\n");
	if (code == EXIT_USAGE)
		wr_config_usage(&out);
	write_out(2, wr_buf_view(&out));
	return code;
}

static int tell(void (*write_text)(struct wr_buf *out))
{
	char storage[OUTPUT_BYTES_MAX];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	write_text(&out);
	wr_assert(wr_buf_status(&out) == WR_OK);
	write_out(1, wr_buf_view(&out));
	return 0;
}

static void write_version(struct wr_buf *out)
{
	put(out, "worker-runtime " WR_VERSION "\n");
}

static void write_config(struct wr_buf *out)
{
	wr_config_print(&config, out);
}

/* ---- credentials ---- */

static bool add_token(const char *name, const char *secret, struct wr_buf *message)
{
	enum wr_status status = wr_tokens_add(&tokens, wr_view_of_string(name), WR_MAY_ALL,
					      wr_view_of_string(secret));

	if (status == WR_OK || status == WR_CONFLICT)
		return true;
	put(message, "--");
	put(message, name);
	put(message, status == WR_TOO_LARGE
			     ? ": the token is too long"
			     : ": a token is made of visible ASCII characters, at least one");
	return false;
}

/* The variable is emptied: what runs as us could read it in our environment. */
static bool add_environment_token(const char *name, struct wr_buf *message)
{
	char *secret = getenv(name);
	bool is_added;

	if (secret == NULL || *secret == '\0') {
		put(message, "--local-token-env: the variable ");
		put(message, name);
		put(message, " is not set; set it to the token");
		return false;
	}
	is_added = add_token("local-token-env", secret, message);
	wr_tokens_wipe(secret, strlen(secret));
	return is_added;
}

/* All tokens that are configured; *fixed_count of them do not come from the file. */
static bool collect_tokens(uint32_t *fixed_count, struct wr_buf *message)
{
	bool is_complete = (config.local_token == NULL ||
			    add_token("local-token", config.local_token, message)) &&
			   (config.local_token_env == NULL ||
			    add_environment_token(config.local_token_env, message));

	*fixed_count = tokens.count;
	if (!is_complete)
		return false;
	if (config.token_file != NULL && !wr_tokens_load(&tokens, config.token_file, message))
		return false;
	return wr_guard_is_safe(&tokens, &config.address, message);
}

/* ---- start ---- */

/* Tests and scripts read the address from this line. */
static void announce(void)
{
	char address[WR_ADDRESS_TEXT_BYTES_MAX], storage[1024];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_address_format(address, wr_http_server_address(server.http));
	put(&out, "worker-runtime: listening on ");
	put(&out, address);
	put(&out, "; runtime ");
	for (size_t i = 0; i < server.runtime_id.bytes && i < 512; i++) {
		unsigned char byte = (unsigned char)server.runtime_id.data[i];
		wr_buf_append_byte(&out, byte < 0x20 || byte == 0x7f ? '?' : (char)byte);
	}
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

static int serve(struct wr_buf *message, bool had_secret, uint32_t fixed_count)
{
	bool is_orderly;

	wr_log_open("worker-runtime", 2, (enum wr_log_level)config.log_level);
	warn(had_secret);
	if (!wr_server_init(&server, &config, &tokens, fixed_count, message)) {
		wr_log_close();
		return fail(message, EXIT_FAILED);
	}
	wr_log_flush();
	announce();
	is_orderly = wr_server_run(&server);
	wr_server_deinit(&server);
	WR_LOG(WR_LOG_INFO, "ended", WR_LOG_NUMBER("memory_peak", server.allocator.peak));
	wr_log_close();
	return is_orderly ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	char storage[2048];
	struct wr_buf message;
	uint32_t fixed_count;
	bool had_secret, is_safe;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	if (argc > 1 && strcmp(argv[1], "log") == 0) {
		int code = wr_log_command(argc - 2, (const char *const *)argv + 2, &message);
		return message.bytes != 0 ? fail(&message, code) : code;
	}
	if (!wr_config_parse(&config, &message, argc, (const char *const *)argv))
		return fail(&message, EXIT_USAGE);
	if (config.wants_help)
		return tell(wr_config_help);
	if (config.wants_version)
		return tell(write_version);
	wr_limit_process(&config);
	if (config.wants_print)
		return tell(write_config);
	had_secret = config.local_token != NULL;
	is_safe = collect_tokens(&fixed_count, &message);
	wr_config_wipe_secrets(&config, argc, argv);
	if (!is_safe)
		return fail(&message, EXIT_FAILED);
	return serve(&message, had_secret, fixed_count);
}
