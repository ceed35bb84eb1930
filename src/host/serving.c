#include "host/serving.h"

#include "bounds.h"
#include "host/guard.h"
#include "io/log.h"
#include "io/memory.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(n, v, k, field, h) WR_OPTION_STRING(struct wr_serving, field, n, v, k, h)
#define NUMBER(n, v, k, field, low, default_value, high, h) \
	WR_OPTION_NUMBER(struct wr_serving, field, n, v, k, low, default_value, high, h)
#define BOOLEAN(n, k, field, h) WR_OPTION_BOOLEAN(struct wr_serving, field, n, k, h)

#define HOUR_MS ((uint64_t)3600000)
#define BYTES_MAX ((uint64_t)1 << 46)

static bool ends_with(struct wr_view text, struct wr_view end)
{
	return text.bytes >= end.bytes &&
	       wr_view_equal(wr_view_skip(text, text.bytes - end.bytes), end);
}

/* Nothing of a URL but a name and a port; a * would stand for itself. */
static bool is_authority(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		if (byte <= 0x20 || byte >= 0x7f || strchr("/\\?#@*", byte) != NULL)
			return false;
	}
	return text.bytes > 0;
}

/* They are compared whole, so whatever a browser does not send would never do: letters in upper
 * case, a path, the port of the scheme; and `null`, which is nobody's (guard.c). */
static bool is_origin(struct wr_view text)
{
	static const struct wr_view mark = WR_VIEW_INIT("://");
	size_t scheme = 0;

	while (scheme < text.bytes && text.data[scheme] != ':')
		scheme++;
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			return false;
	if (scheme == 0 || !wr_view_starts(wr_view_skip(text, scheme), mark))
		return false;
	if (!is_authority(wr_view_skip(text, scheme + mark.bytes)))
		return false;
	return !(wr_view_starts(text, WR_VIEW("http:")) && ends_with(text, WR_VIEW(":80"))) &&
	       !(wr_view_starts(text, WR_VIEW("https:")) && ends_with(text, WR_VIEW(":443")));
}

const struct wr_option wr_serving_access_options[] = {
	WR_OPTION_GROUP("Access"),
	TEXT("token-file", "FILE", WR_OPTION_TEXT, token_file,
	     "lines `NAME SCOPES TOKEN` or `TOKEN`; SIGHUP reads it again"),
	TEXT("local-token-env", "NAME", WR_OPTION_VARIABLE, local_token_env,
	     "a token from this environment variable"),
	TEXT("local-token", "TOKEN", WR_OPTION_SECRET, local_token,
	     "a token that others may see while we start: rather use a file"),
	{.name = "allow-origin",
	 .value = "ORIGIN",
	 .help = "pages of this origin may ask us (may repeat)",
	 .kind = WR_OPTION_LIST,
	 .place = offsetof(struct wr_serving, origins),
	 .is_good = is_origin,
	 .form = "as a browser sends it, https://HOST or https://HOST:PORT, in lower case and "
		 "without a slash at its end"},
	{.name = "allow-host",
	 .value = "HOST",
	 .help = "further Host that is ours when there is no token (may repeat)",
	 .kind = WR_OPTION_LIST,
	 .place = offsetof(struct wr_serving, hosts),
	 .is_good = is_authority,
	 .form = "a name, or a name and :PORT, and nothing else of a URL"},
	WR_OPTION_END,
};

#if WR_TLS
#define TLS_TITLE "TLS"
#else
#define TLS_TITLE "TLS (it is not in this build: make TLS=bearssl)"
#endif

const struct wr_option wr_serving_tls_options[] = {
	WR_OPTION_GROUP(TLS_TITLE),
	TEXT("tls-cert", "FILE", WR_OPTION_TEXT, tls_cert,
	     "serve https: the certificate and what leads to its root (PEM)"),
	TEXT("tls-key", "FILE", WR_OPTION_TEXT, tls_key,
	     "its key (PEM); SIGHUP reads all of these again"),
	TEXT("tls-client-ca", "FILE", WR_OPTION_TEXT, tls_client_ca,
	     "clients must show a certificate of these (PEM), besides a token"),
	TEXT("tls-client-key", "PIN", WR_OPTION_LIST, tls_client_keys,
	     "and one with this key: sha256//BASE64 (may repeat)"),
	NUMBER("tls-max-connections", "N", WR_OPTION_COUNT, tls_connections_max, 1,
	       WR_TLS_CONN_COUNT_MAX, 1u << 20, "connections, of some 25 KB each"),
	NUMBER("tls-handshake-ms", "MS", WR_OPTION_MS, tls_handshake_ms, 1, WR_TLS_HANDSHAKE_MS_MAX,
	       HOUR_MS, "for a handshake"),
	WR_OPTION_END,
};

const struct wr_option wr_serving_limit_options[] = {
	NUMBER("max-memory", "SIZE", WR_OPTION_BYTES, memory_max, 0, 0, BYTES_MAX,
	       "all memory; what goes beyond is refused (0: no limit)"),
	NUMBER("max-connections", "N", WR_OPTION_COUNT, connections_max, 1, WR_CONN_COUNT_MAX,
	       1u << 20, "connections; lowered to what the descriptor limit leaves"),
	WR_OPTION_END,
};

const struct wr_option wr_serving_time_options[] = {
	WR_OPTION_GROUP("Times"),
	NUMBER("idle-ms", "MS", WR_OPTION_MS, idle_ms, 1, WR_HTTP_IDLE_MS_MAX, 24 * HOUR_MS,
	       "between two requests of a connection"),
	NUMBER("head-ms", "MS", WR_OPTION_MS, head_ms, 1, WR_HTTP_HEAD_MS_MAX, HOUR_MS,
	       "for the head of a request"),
	NUMBER("body-ms", "MS", WR_OPTION_MS, body_ms, 1, WR_HTTP_BODY_MS_MAX, HOUR_MS,
	       "for its body, then 1 KiB a second"),
	NUMBER("send-ms", "MS", WR_OPTION_MS, send_ms, 1, WR_CONN_SEND_MS_MAX, HOUR_MS,
	       "for a reader that takes nothing"),
	NUMBER("ping-ms", "MS", WR_OPTION_MS, ping_ms, 1, WR_WS_PING_MS, HOUR_MS,
	       "of silence before a stream is pinged"),
	NUMBER("drain-ms", "MS", WR_OPTION_MS, drain_ms, 0, WR_DRAIN_MS_MAX, HOUR_MS,
	       "from SIGTERM to the end"),
	WR_OPTION_END,
};

const struct wr_option wr_serving_other_options[] = {
	WR_OPTION_GROUP("Other"),
	TEXT("config", "FILE", WR_OPTION_CONFIG, config_file,
	     "settings by the names of these flags; a flag counts more"),
	WR_OPTION_WORD(struct wr_serving, log_level, "log-level", "error|warning|info|debug",
		       WR_LOG_INFO, WR_LOG_DEBUG, "what is told on stderr"),
	BOOLEAN("check-config", WR_OPTION_ACTION, wants_check,
		"say whether all of it can be used, and end"),
	BOOLEAN("print-config", WR_OPTION_ACTION, wants_print,
		"print every setting, as a configuration file, and end"),
	BOOLEAN("version", WR_OPTION_SHOW, wants_version, "print the version, and end"),
	BOOLEAN("help", WR_OPTION_SHOW, wants_help, "print this, and end"),
	WR_OPTION_END,
};

struct wr_http_server_config wr_serving_http(const struct wr_serving *self, bool has_tokens)
{
	struct wr_http_server_config out;

	wr_http_server_defaults(&out);
	out.content_type = WR_VIEW("application/json");
	out.connection_count_max = (uint32_t)self->connections_max;
	out.head_ms_max = (uint32_t)self->head_ms;
	out.body_ms_max = (uint32_t)self->body_ms;
	out.idle_ms_max = (uint32_t)self->idle_ms;
	out.send_ms_max = (uint32_t)self->send_ms;
	if (has_tokens)
		out.unauthenticated_count_max = WR_CONN_UNAUTHENTICATED_COUNT_MAX;
	return out;
}

void wr_serving_memory(const struct wr_serving *self, struct wr_allocator *allocator)
{
	bool is_limited = self->memory_max != 0 && self->memory_max <= SIZE_MAX;

	wr_memory_init(allocator, is_limited ? (size_t)self->memory_max : SIZE_MAX);
}

/* ---- credentials ---- */

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

static bool add_token(struct wr_tokens *tokens, const char *name, const char *secret,
		      struct wr_buf *message)
{
	enum wr_status status = wr_tokens_add(tokens, wr_view_of_string(name), WR_MAY_ALL,
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
static bool add_environment_token(struct wr_tokens *tokens, const char *name,
				  struct wr_buf *message)
{
	char *secret = getenv(name);
	bool is_added;

	if (secret == NULL || *secret == '\0') {
		put(message, "--local-token-env: the variable ");
		put(message, name);
		put(message, " is not set; set it to the token");
		return false;
	}
	is_added = add_token(tokens, "local-token-env", secret, message);
	wr_tokens_wipe(secret, strlen(secret));
	return is_added;
}

bool wr_serving_tokens(const struct wr_serving *self, struct wr_tokens *tokens,
		       uint32_t *fixed_count, struct wr_buf *message)
{
	if (self->local_token != NULL &&
	    !add_token(tokens, "local-token", self->local_token, message))
		return false;
	if (self->local_token_env != NULL &&
	    !add_environment_token(tokens, self->local_token_env, message))
		return false;
	*fixed_count = tokens->count;
	if (self->token_file != NULL && !wr_tokens_load(tokens, self->token_file, message))
		return false;
	return wr_guard_is_safe(tokens, &self->address, message);
}
