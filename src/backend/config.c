#include "backend/config.h"

#include "host/hosting_options.h"

#define HOUR_MS ((uint64_t)3600000)
#define BYTES_MAX ((uint64_t)1 << 46)

#define NUMBER(n, v, k, field, low, default_value, high, h) \
	WR_OPTION_NUMBER(struct wr_backend_config, field, n, v, k, low, default_value, high, h)
#define BOOLEAN(n, k, field, h) WR_OPTION_BOOLEAN(struct wr_backend_config, field, n, k, h)

static const struct wr_option serving_rows[] = {
	WR_OPTION_GROUP("Serving"),
	{.name = "listen",
	 .value = "ADDR",
	 .help = "IP:PORT, [v6]:PORT or unix:PATH (127.0.0.1:8787)",
	 .kind = WR_OPTION_ADDRESS,
	 .place = offsetof(struct wr_backend_config, serving.listen),
	 .text = "127.0.0.1:8787"},
	{.name = "workspace",
	 .value = "DIR",
	 .help = "folder that the Workers are about (where it is started)",
	 .kind = WR_OPTION_TEXT,
	 .place = offsetof(struct wr_backend_config, workspace),
	 .text = "."},
	WR_OPTION_END,
};

static const struct wr_option source_rows[] = {
	WR_OPTION_STRING(struct wr_backend_config, serving.token_file, "console-token-file", "FILE",
			 WR_OPTION_TEXT, "another name of --token-file"),

	WR_OPTION_GROUP("Sources"),
	BOOLEAN("no-embedded", WR_OPTION_SWITCH, has_no_embedded,
		"no Runtime in this process: remotes only"),
	BOOLEAN("no-local", WR_OPTION_SWITCH, has_no_local,
		"do not show the Workers of the older local tool"),
	NUMBER("list-ms", "MS", WR_OPTION_MS, list_ms, 1, 2000, HOUR_MS,
	       "what a list waits for a slow source"),
	NUMBER("mirror-bytes", "SIZE", WR_OPTION_BYTES, mirror_bytes, 65536, WR_RETENTION_BYTES,
	       BYTES_MAX, "newest events kept of each remote, for its streams"),

	WR_OPTION_GROUP("The embedded Runtime"),
	WR_OPTION_END,
};

static const struct wr_option limits_title[] = {WR_OPTION_GROUP("Limits"), WR_OPTION_END};

enum {
	SERVING = offsetof(struct wr_backend_config, serving),
	EMBEDDED = offsetof(struct wr_backend_config, embedded)
};

static const struct wr_option_part parts[] = {
	{serving_rows, 0},
	{wr_serving_access_options, SERVING},
	{wr_serving_tls_options, SERVING},
	{source_rows, 0},
	{wr_hosting_name_options, EMBEDDED},
	{wr_hosting_options, EMBEDDED},
	{wr_hosting_limit_options, EMBEDDED},
	{limits_title, 0},
	{wr_serving_limit_options, SERVING},
	{wr_serving_time_options, SERVING},
	{wr_serving_other_options, SERVING},
	{NULL, 0},
};

#define REMOTE(n, v, k, field, h) WR_OPTION_STRING(struct wr_remote_setting, field, n, v, k, h)

static const struct wr_option remote[] = {
	REMOTE("id", "ID", WR_OPTION_NAME, id, "how browsers name it: A-Z a-z 0-9 _ : -"),
	REMOTE("display-name", "NAME", WR_OPTION_LABEL, display_name, "a label for people"),
	REMOTE("base-url", "URL", WR_OPTION_TEXT, base_url,
	       "http://HOST:PORT, https://HOST:PORT, or unix:PATH"),
	REMOTE("token-file", "FILE", WR_OPTION_TEXT, token_file,
	       "the token that it wants, alone in a file"),
	REMOTE("tls-name", "HOST", WR_OPTION_TEXT, tls_name,
	       "of https: whom its certificate must name (the host of base_url)"),
	REMOTE("tls-ca", "FILE", WR_OPTION_TEXT, tls_ca,
	       "who vouches for it (PEM; the system's authorities)"),
	REMOTE("tls-pin", "PIN", WR_OPTION_TEXT, tls_pin,
	       "sha256//BASE64 of its key, whoever vouches for it"),
	REMOTE("tls-cert", "FILE", WR_OPTION_TEXT, tls_cert,
	       "the certificate that we show it (PEM)"),
	REMOTE("tls-key", "FILE", WR_OPTION_TEXT, tls_key, "and its key (PEM)"),
	WR_OPTION_NUMBER(struct wr_remote_setting, timeout_ms, "timeout-ms", "MS", WR_OPTION_MS, 1,
			 10000, HOUR_MS, "for a whole request"),
	WR_OPTION_END};

static const struct wr_option_section sections[] = {
	{.name = "remote",
	 .help = "a Runtime elsewhere; in the configuration file only",
	 .list = remote,
	 .place = offsetof(struct wr_backend_config, remotes),
	 .count_place = offsetof(struct wr_backend_config, remote_count),
	 .line_place = offsetof(struct wr_remote_setting, line),
	 .element_bytes = sizeof(struct wr_remote_setting),
	 .count_max = WR_REMOTE_COUNT_MAX},
	WR_PROFILE_SECTION(struct wr_backend_config, embedded),
	{.name = NULL}};

const struct wr_options wr_backend_options = {
	.usage = "usage: workspace-server [--listen ADDR] [--config FILE] [FLAG ...]\n"
		 "       workspace-server --help\n",
	.about = "Puts an embedded Runtime and remote ones behind one API and a page for "
		 "browsers.\n",
	.examples = "  workspace-server --exec ./agent --exec-mode jsonl     then open "
		    "http://127.0.0.1:8787\n"
		    "  workspace-server --config backend.conf                where it says\n"
		    "      [[remote]]\n"
		    "      id = \"build-box\"\n"
		    "      base_url = \"http://192.0.2.7:8650\"\n"
		    "      token_file = \"/etc/workspace-server/build-box.token\"\n",
	.variable_prefix = "WORKSPACE_SERVER_",
	.parts = parts,
	.sections = sections};
