#include "runtime_server/config.h"

#include "host/hosting_options.h"
#include "wire/worker_json.h"

static const struct wr_option serving_rows[] = {
	WR_OPTION_GROUP("Serving"),
	{.name = "bind",
	 .value = "ADDR",
	 .help = "IP:PORT, [v6]:PORT or unix:PATH (127.0.0.1:0: a free port)",
	 .kind = WR_OPTION_ADDRESS,
	 .place = offsetof(struct wr_config, serving.listen),
	 .text = "127.0.0.1:0"},
	WR_OPTION_END,
};

static const struct wr_option compat_rows[] = {
	WR_OPTION_WORD(struct wr_config, compat, "compat", "none|yoi-2026-06", WR_COMPAT_NONE,
		       WR_COMPAT_YOI_2026_06, "speak to a Backend of that month"),
	WR_OPTION_END,
};

static const struct wr_option limits_title[] = {WR_OPTION_GROUP("Limits"), WR_OPTION_END};

enum {
	SERVING = offsetof(struct wr_config, serving),
	HOSTING = offsetof(struct wr_config, hosting)
};

static const struct wr_option_part parts[] = {
	{serving_rows, 0},
	{wr_hosting_name_options, HOSTING},
	{compat_rows, 0},
	{wr_serving_access_options, SERVING},
	{wr_serving_tls_options, SERVING},
	{wr_hosting_options, HOSTING},
	{limits_title, 0},
	{wr_hosting_limit_options, HOSTING},
	{wr_serving_limit_options, SERVING},
	{wr_serving_time_options, SERVING},
	{wr_serving_other_options, SERVING},
	{NULL, 0},
};

static const struct wr_option_section sections[] = {WR_PROFILE_SECTION(struct wr_config, hosting),
						    {.name = NULL}};

const struct wr_options wr_config_options = {
	.usage = "usage: worker-runtime [--bind ADDR] [--token-file FILE] [--exec COMMAND] [FLAG "
		 "...]\n"
		 "       worker-runtime log verify DIR\n"
		 "       worker-runtime log dump DIR [--worker ID] [--from SEQUENCE]\n"
		 "       worker-runtime --help\n",
	.about = "Hosts LLM Workers behind REST and WebSocket.\n",
	.examples = "Examples\n"
		    "  worker-runtime --bind 127.0.0.1:8650 --exec ./agent --exec-mode jsonl\n"
		    "  worker-runtime --bind 0.0.0.0:8650 --token-file /etc/worker-runtime/tokens\n"
		    "  worker-runtime --config runtime.conf        where it says\n"
		    "      [[profile]]\n"
		    "      name = \"default\"\n"
		    "      kind = \"openai\"\n"
		    "      base_url = \"http://127.0.0.1:8080/v1\"\n",
	.parts = parts,
	.sections = sections,
	.variable_prefix = "WORKER_RUNTIME_",
	.variable_reserved = "CHILD", /* of Workers' programs: execution/ledger.h */
};
