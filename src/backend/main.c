/* workspace-server — puts Runtimes behind one API and a page for browsers; see workspace-server.8.
 */
#include "backend/ids.h"
#include "backend/server.h"
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct wr_backend_config config;
static struct wr_backend backend;
static struct wr_tokens tokens;

/* What was read at the last SIGHUP: its texts live in its settings. */
static struct wr_backend_config fresh_config;
static struct wr_settings fresh;
static bool has_fresh;

static struct wr_program program;

static bool refuse(struct wr_buf *message, const char *flag, const char *why)
{
	wr_buf_append_view(message, wr_view_of_string(flag));
	wr_buf_append_view(message, wr_view_of_string(why));
	return false;
}

/* It stands in paths, which an id of a Runtime by itself need not. */
static bool is_embedded_sound(struct wr_buf *message)
{
	const char *id = config.embedded.runtime_id;

	return config.has_no_embedded || id == NULL ||
	       wr_backend_id_is_valid(wr_view_of_string(id)) ||
	       refuse(message, "--runtime-id",
		      " cannot be that here; it takes ID: 1 to 120 of A-Z a-z 0-9 _ : -");
}

static bool is_workspace_there(struct wr_program *self, struct wr_buf *message)
{
	int fd = open(config.workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return close(fd) == 0;
	self->settings.is_file_wrong = true; /* at least it is not how it is used */
	refuse(message, "--workspace: ", config.workspace);
	return refuse(message, ": ", strerror(errno));
}

/* --check-config looks into every file; who serves does so when the remotes are made. */
static bool are_remotes_sound(struct wr_program *self, struct wr_buf *message)
{
	struct wr_reactor reactor;
	struct wr_error error;
	bool has_loop = config.serving.wants_check &&
			wr_reactor_init(&reactor, &self->allocator, &error) == WR_OK;
	bool is_good =
		wr_remotes_check(config.remotes, config.remote_count, config.serving.config_file,
				 has_loop ? &reactor : NULL, &self->allocator, message);

	if (has_loop)
		wr_reactor_deinit(&reactor);
	if (!is_good)
		self->settings.is_file_wrong = true;
	return is_good;
}

static bool is_sound(struct wr_program *self, struct wr_buf *message)
{
	return is_embedded_sound(message) &&
	       (!config.serving.wants_check || is_workspace_there(self, message)) &&
	       are_remotes_sound(self, message);
}

/* The remotes are copied by those who are made of them, so a file read before can go. */
static bool read_remotes(const struct wr_remote_setting **remotes, uint32_t *count,
			 struct wr_buf *message)
{
	if (has_fresh)
		wr_settings_deinit(&fresh);
	memset(&fresh_config, 0, sizeof fresh_config);
	wr_settings_init(&fresh, &wr_backend_options, &fresh_config, &program.allocator);
	fresh.ignores_secrets = true;
	fresh.environment = program.settings.environment;
	has_fresh = true;
	if (!wr_settings_read(&fresh, message, program.argc, (const char *const *)program.argv))
		return false;
	*remotes = fresh_config.remotes;
	*count = fresh_config.remote_count;
	return true;
}

static bool open_backend(struct wr_program *self, struct wr_buf *message)
{
	if (config.serving.config_file != NULL)
		backend.reload = read_remotes;
	return wr_backend_init(&backend, &config, self->tokens, self->fixed_token_count, message);
}

static void announce(struct wr_program *self, struct wr_buf *out)
{
	char address[WR_ADDRESS_TEXT_BYTES_MAX];
	size_t bytes = wr_address_format(address, wr_http_server_address(backend.http));

	(void)self;
	wr_buf_append(out, address, bytes);
	wr_buf_append_view(out, WR_VIEW("; sources "));
	wr_buf_append_u64(out, backend.registry.count);
}

static bool run(struct wr_program *self)
{
	(void)self;
	return wr_backend_run(&backend);
}

static void close_backend(struct wr_program *self)
{
	(void)self;
	wr_backend_deinit(&backend);
	if (has_fresh)
		wr_settings_deinit(&fresh);
}

static struct wr_program program = {
	.name = "workspace-server",
	.options = &wr_backend_options,
	.values = &config,
	.serving = &config.serving,
	.hosting = &config.embedded,
	.tokens = &tokens,
	.memory = &backend.allocator,
	.is_sound = is_sound,
	.open = open_backend,
	.announce = announce,
	.run = run,
	.close = close_backend,
};

int main(int argc, char **argv)
{
	return wr_program_main(&program, argc, argv);
}
