/* Profiles, and the servers they name. */
#include "execution/openai_private.h"

#include "bytes/utf8.h"
#include "check.h"
#include "codec/http/url.h"
#include "io/net/resolver.h"

#include <string.h>

enum {
	KEY_BYTES_MAX = 4096,
	MODEL_BYTES_MAX = 512,
	DAY_MS = 86400000,
	RETRY_COUNT_MAX = 100,
	HISTORY_BYTES_MAX = 67108864
};

static const struct wr_view endpoint = WR_VIEW_INIT("/chat/completions");

/* ---- profiles ---- */

void wr_openai_profile_init(struct wr_openai_profile *self)
{
	*self = (struct wr_openai_profile){
		.history_bytes_max = WR_OPENAI_HISTORY_BYTES_MAX,
		.answer_bytes_max = WR_EVENT_BYTES_MAX,
		.first_token_ms_max = WR_OPENAI_FIRST_TOKEN_MS_MAX,
		.silence_ms_max = WR_OPENAI_SILENCE_MS_MAX,
		.mute_ms_max = WR_OPENAI_MUTE_MS_MAX,
		.retry_count_max = WR_OPENAI_RETRY_COUNT_MAX,
		.retry_ms_min = WR_OPENAI_RETRY_MS_MIN,
		.retry_ms_max = WR_OPENAI_RETRY_MS_MAX,
		.retry_after_ms_max = WR_OPENAI_RETRY_AFTER_MS_MAX,
	};
}

/* An address needs no name server; "localhost" is one (RFC 6761 6.3). */
static enum wr_status find_address(struct wr_address *out, const struct wr_url *url)
{
	bool is_localhost = wr_view_equal_nocase(url->host, WR_VIEW("localhost"));
	char storage[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_buf text;

	wr_buf_init_fixed(&text, storage, sizeof storage);
	if (url->is_ipv6)
		wr_buf_append_byte(&text, '[');
	wr_buf_append_view(&text, is_localhost ? WR_VIEW("127.0.0.1") : url->host);
	if (url->is_ipv6)
		wr_buf_append_byte(&text, ']');
	wr_buf_append_byte(&text, ':');
	wr_buf_append_u64(&text, url->port);
	if (wr_buf_status(&text) != WR_OK)
		return WR_INVALID;
	return wr_address_parse(out, wr_buf_view(&text));
}

static const char *url_fault(const struct wr_openai_profile *self)
{
	struct wr_address address;
	struct wr_url url;

	if (self->base_url == NULL)
		return "base_url is missing";
	if (wr_url_parse(&url, wr_view_of_string(self->base_url)) != WR_OK || url.is_websocket)
		return "base_url must be an http or https URL, without user and fragment";
	if (url.target.bytes != 0 && memchr(url.target.data, '?', url.target.bytes) != NULL)
		return "base_url must not have a query";
	if (url.target.bytes + endpoint.bytes > WR_HTTP_TARGET_BYTES_MAX)
		return "base_url is too long";
	/* Without TLS in this build a key would go there in the clear. */
	if (url.is_secure && (self->tls == NULL || !WR_TLS))
		return "base_url is https, which needs a build with TLS (make TLS=bearssl)";
	if (url.host.bytes > WR_OPENAI_HOST_BYTES_MAX)
		return "base_url has a host that is too long";
	if (self->tls_name != NULL && strlen(self->tls_name) > WR_TLS_NAME_BYTES_MAX)
		return "tls_name is too long";
	if (find_address(&address, &url) == WR_OK)
		return NULL;
	if (self->resolver == NULL)
		return "base_url must have an address or localhost as its host";
	return wr_lookup_takes(url.host) ? NULL : "base_url has a host that is no name";
}

static bool is_text(const char *text, size_t bytes_max)
{
	struct wr_view view = wr_view_of_string(text);

	return text == NULL ||
	       (view.bytes <= bytes_max && wr_utf8_is_valid(view) && !wr_utf8_is_blank(view));
}

/* RFC 6750 2.1, and what servers make of it: anything visible. */
static bool is_key(const char *key)
{
	size_t bytes = 0;

	if (key == NULL)
		return true;
	while (key[bytes] > 0x20 && key[bytes] < 0x7f)
		bytes++;
	return bytes != 0 && bytes <= KEY_BYTES_MAX && key[bytes] == '\0';
}

static const char *number_fault(const struct wr_openai_profile *self)
{
	if (self->output_tokens_max > UINT32_MAX)
		return "output_tokens_max is too large";
	if (self->history_bytes_max > HISTORY_BYTES_MAX)
		return "history_bytes_max is too large: at most 67108864";
	if (self->answer_bytes_max == 0 || self->answer_bytes_max > WR_EVENT_BYTES_MAX)
		return "answer_bytes_max must be 1 to 1048576";
	if (self->first_token_ms_max == 0 || self->first_token_ms_max > DAY_MS)
		return "first_token_ms_max must be 1 ms to a day";
	if (self->silence_ms_max == 0 || self->silence_ms_max > DAY_MS)
		return "silence_ms_max must be 1 ms to a day";
	if (self->retry_count_max > RETRY_COUNT_MAX)
		return "retry_count_max must be at most 100";
	if (self->retry_ms_min > self->retry_ms_max || self->retry_ms_max > DAY_MS)
		return "retry_ms_min must be at most retry_ms_max, and that at most a day";
	if (self->retry_after_ms_max > DAY_MS)
		return "retry_after_ms_max must be at most a day";
	return NULL;
}
_Static_assert(WR_EVENT_BYTES_MAX == 1048576 && HISTORY_BYTES_MAX == 67108864, "the texts above");

const char *wr_openai_profile_fault(const struct wr_openai_profile *self)
{
	const char *fault = url_fault(self);

	if (fault != NULL)
		return fault;
	if (!is_text(self->model, MODEL_BYTES_MAX))
		return "model must not be blank, and at most 512 bytes of UTF-8";
	if (!is_key(self->api_key))
		return "api_key must be visible ASCII without spaces, at most 4096 bytes";
	if (!is_text(self->system_prompt, WR_EVENT_BYTES_MAX))
		return "system_prompt must not be blank, and at most 1 MiB of UTF-8";
	if (self->temperature != NULL && !wr_chat_is_number(wr_view_of_string(self->temperature)))
		return "temperature must be a number";
	return number_fault(self);
}

void wr_openai_append_target(struct wr_buf *out, const struct wr_openai_profile *profile)
{
	struct wr_url url;
	struct wr_view path;

	wr_assert(wr_url_parse(&url, wr_view_of_string(profile->base_url)) == WR_OK);
	path = url.target;
	while (path.bytes != 0 && path.data[path.bytes - 1] == '/')
		path.bytes--;
	wr_buf_append_view(out, path);
	wr_buf_append_view(out, endpoint);
}

/* ---- origins ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* A connection is made for a host, by certain TLS, and what goes over it carries the key. */
static bool is_same_origin(const struct wr_openai_profile *a, const struct wr_openai_profile *b)
{
	struct wr_url url, other;

	wr_assert(wr_url_parse(&url, wr_view_of_string(a->base_url)) == WR_OK);
	wr_assert(wr_url_parse(&other, wr_view_of_string(b->base_url)) == WR_OK);
	return wr_view_equal_nocase(url.authority, other.authority) &&
	       url.is_secure == other.is_secure && a->tls == b->tls && a->resolver == b->resolver &&
	       is_same_text(a->tls_name, b->tls_name) && is_same_text(a->api_key, b->api_key);
}

static void set_place(struct wr_openai_origin *self, struct wr_http_client_config *config,
		      const struct wr_url *url)
{
	const struct wr_openai_profile *profile = self->profile;

	config->host = url->authority;
	/* By its number, or by its name where somebody looks it up. */
	if (find_address(&config->address, url) != WR_OK) {
		wr_assert(profile->resolver != NULL);
		config->resolver = profile->resolver;
		config->host_name = url->host;
		config->port = url->port;
	}
	if (!url->is_secure)
		return;
	memcpy(self->host_name, url->host.data, url->host.bytes);
	config->tls = profile->tls;
	config->tls_name = profile->tls_name != NULL ? profile->tls_name : self->host_name;
}

static enum wr_status open_client(struct wr_openai_origin *self)
{
	const struct wr_openai_profile *profile = self->profile;
	struct wr_http_client_config config;
	struct wr_buf authorization;
	struct wr_url url;
	enum wr_status status = WR_OK;

	wr_assert(wr_url_parse(&url, wr_view_of_string(profile->base_url)) == WR_OK);
	wr_http_client_defaults(&config);
	set_place(self, &config, &url);
	/* A turn waits for nothing that is ours. */
	config.connection_count_max = WR_OPENAI_TURN_COUNT_MAX;
	config.queue_count_max = WR_WORKER_COUNT_MAX;
	wr_buf_init(&authorization, self->set->allocator, KEY_BYTES_MAX + 16);
	if (profile->api_key != NULL) {
		wr_buf_append_view(&authorization, WR_VIEW("Bearer "));
		wr_buf_append_view(&authorization, wr_view_of_string(profile->api_key));
		config.authorization = wr_buf_view(&authorization);
		status = wr_buf_status(&authorization);
	}
	if (status == WR_OK)
		status = wr_http_client_new(&self->client, self->set->reactor, self->set->allocator,
					    &config);
	for (size_t i = 0; i < authorization.bytes; i++)
		((volatile char *)authorization.data)[i] = 0;
	wr_buf_deinit(&authorization);
	return status;
}

enum wr_status wr_openai_origin_use(struct wr_openai *set, struct wr_openai_profile *profile)
{
	struct wr_openai_origin *self = set->origins;
	enum wr_status status;

	while (self != NULL && !is_same_origin(self->profile, profile))
		self = self->next;
	if (self == NULL) {
		self = wr_allocator_take_zeroed(set->allocator, sizeof *self);
		if (self == NULL)
			return WR_NO_MEMORY;
		self->set = set;
		self->profile = profile;
		status = open_client(self);
		if (status != WR_OK) {
			wr_allocator_free(set->allocator, self, sizeof *self);
			return status;
		}
		self->next = set->origins;
		set->origins = self;
	}
	profile->origin = self;
	return WR_OK;
}

void wr_openai_origins_free(struct wr_openai *set)
{
	while (set->origins != NULL) {
		struct wr_openai_origin *self = set->origins;

		set->origins = self->next;
		wr_http_client_free(self->client);
		wr_allocator_free(set->allocator, self, sizeof *self);
	}
}
