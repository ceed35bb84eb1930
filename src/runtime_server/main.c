/* worker-runtime — hosts LLM Workers behind REST and WebSocket; see worker-runtime.8. */
#include "host/program.h"
#include "runtime_server/log_command.h"
#include "runtime_server/server.h"

#include <string.h>

static struct wr_config config;
static struct wr_server server;
static struct wr_tokens tokens;

static bool open_server(struct wr_program *program, struct wr_buf *message)
{
	return wr_server_init(&server, &config, program->tokens, program->fixed_token_count,
			      message);
}

static void announce(struct wr_program *program, struct wr_buf *out)
{
	char address[WR_ADDRESS_TEXT_BYTES_MAX];
	size_t bytes = wr_address_format(address, wr_http_server_address(server.http));

	(void)program;
	wr_buf_append(out, address, bytes);
	wr_buf_append_view(out, WR_VIEW("; runtime "));
	wr_program_put_plain(out, server.runtime_id, 512);
}

static bool run(struct wr_program *program)
{
	(void)program;
	return wr_server_run(&server);
}

static void close_server(struct wr_program *program)
{
	(void)program;
	wr_server_deinit(&server);
}

static struct wr_program program = {
	.name = "worker-runtime",
	.options = &wr_config_options,
	.values = &config,
	.serving = &config.serving,
	.hosting = &config.hosting,
	.tokens = &tokens,
	.memory = &server.allocator,
	.open = open_server,
	.announce = announce,
	.run = run,
	.close = close_server,
};

/* Looking into a log is another program under the same name. */
static int look_into_log(int argc, const char *const *argv)
{
	char storage[4096];
	struct wr_buf message;
	int code;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	code = wr_log_command(argc, argv, &message);
	return message.bytes == 0 ? code : wr_program_fail(&program, &message, code);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "log") == 0)
		return look_into_log(argc - 2, (const char *const *)argv + 2);
	return wr_program_main(&program, argc, argv);
}
