#include "backend/remote_tls.h"

#include "bytes/endian.h"
#include "bounds.h"
#include "host/small_file.h"
#include "host/tokens.h"
#include "io/net/dns_message.h"
#if WR_TLS
#include "io/tls/tls.h"
#endif

static bool has_any(const struct wr_remote_setting *setting)
{
	return setting->tls_name != NULL || setting->tls_ca != NULL || setting->tls_pin != NULL ||
	       setting->tls_cert != NULL || setting->tls_key != NULL;
}

#if WR_TLS

static bool is_number(struct wr_view host)
{
	struct wr_address address;

	return wr_address_of_number(&address, host, 0) == WR_OK;
}

static const char *find_name(struct wr_view *name, const struct wr_remote_setting *setting,
			     const struct wr_url *url)
{
	if (setting->tls_name != NULL) {
		*name = wr_view_of_string(setting->tls_name);
		return wr_dns_name_is_valid(*name) && !is_number(*name)
			       ? NULL
			       : "has a tls_name that is not a host name";
	}
	if (!is_number(url->host)) {
		*name = url->host;
		return NULL;
	}
	*name = WR_VIEW_NULL;
	return setting->tls_pin != NULL
		       ? NULL
		       : "has an address in its https base_url: a certificate names hosts, so give "
			 "tls_name, or pin its key with tls_pin";
}

static const char *fault_of(struct wr_view *name, const struct wr_remote_setting *setting,
			    const struct wr_url *url)
{
	struct wr_tls_pin pin;

	if (setting->tls_pin != NULL &&
	    !wr_tls_pin_parse(&pin, wr_view_of_string(setting->tls_pin)))
		return "has a tls_pin that is not sha256// and 44 characters of base64";
	if (setting->tls_pin != NULL && setting->tls_ca != NULL)
		return "has both tls_ca and tls_pin: with a pinned key nobody vouches for it";
	if ((setting->tls_cert == NULL) != (setting->tls_key == NULL))
		return "has one of tls_cert and tls_key: they belong together";
	return find_name(name, setting, url);
}

bool wr_remote_tls_open(struct wr_tls_client **out, const struct wr_remote_setting *setting,
			struct wr_reactor *reactor, struct wr_allocator *allocator,
			struct wr_buf *message)
{
	struct wr_tls_client_config config;
	struct wr_tls_pin pin;

	wr_tls_client_defaults(&config);
	config.ca_file = setting->tls_ca;
	if (setting->tls_pin != NULL && wr_tls_pin_parse(&pin, wr_view_of_string(setting->tls_pin)))
		config.pin = &pin;
	config.certificate_file = setting->tls_cert;
	config.key_file = setting->tls_key;
	*out = wr_tls_client_new(reactor, allocator, &config, message);
	return *out != NULL;
}

void wr_remote_tls_close(struct wr_tls_client *tls)
{
	if (tls != NULL)
		wr_tls_client_free(tls);
}

#else

static const char *fault_of(struct wr_view *name, const struct wr_remote_setting *setting,
			    const struct wr_url *url)
{
	(void)name;
	(void)setting;
	(void)url;
	return "has an https base_url, and TLS is not in this build: make TLS=bearssl has it; or "
	       "use http, or a tunnel";
}

bool wr_remote_tls_open(struct wr_tls_client **out, const struct wr_remote_setting *setting,
			struct wr_reactor *reactor, struct wr_allocator *allocator,
			struct wr_buf *message)
{
	(void)setting;
	(void)reactor;
	(void)allocator;
	(void)message;
	*out = NULL;
	return true;
}

void wr_remote_tls_close(struct wr_tls_client *tls)
{
	(void)tls;
}

#endif

const char *wr_remote_tls_fault(struct wr_view *name, const struct wr_remote_setting *setting,
				const struct wr_url *url)
{
	*name = WR_VIEW_NULL;
	if (url->is_secure)
		return fault_of(name, setting, url);
	return has_any(setting) ? "has tls_ settings, but its base_url does not begin https" : NULL;
}

/* ---- fingerprints ---- */

static void hash_text(struct wr_sha256 *hash, struct wr_view text)
{
	uint8_t length[8];

	wr_store_be64(length, text.bytes);
	wr_sha256_feed(hash, wr_view_of(length, sizeof length));
	if (text.bytes != 0)
		wr_sha256_feed(hash, text);
}

/* A file that cannot be read counts as an empty one: whoever makes the client says so. */
static void hash_file(struct wr_sha256 *hash, const char *path, struct wr_allocator *allocator)
{
	char text[256];
	struct wr_buf content, message;

	hash_text(hash, wr_view_of_string(path));
	if (path == NULL)
		return;
	wr_buf_init_fixed(&message, text, sizeof text);
	wr_buf_init(&content, allocator, WR_TLS_ANCHORS_BYTES_MAX);
	if (wr_small_file_read(&content, path, WR_TLS_ANCHORS_BYTES_MAX, false, &message))
		hash_text(hash, wr_buf_view(&content));
	if (content.data != NULL)
		wr_tokens_wipe(content.data, content.bytes); /* it may be a key */
	wr_buf_deinit(&content);
}

void wr_remote_tls_hash(struct wr_sha256 *hash, const struct wr_remote_setting *setting,
			struct wr_allocator *allocator)
{
	if (!has_any(setting))
		return;
	hash_text(hash, wr_view_of_string(setting->tls_name));
	hash_text(hash, wr_view_of_string(setting->tls_pin));
	hash_file(hash, setting->tls_ca, allocator);
	hash_file(hash, setting->tls_cert, allocator);
	hash_file(hash, setting->tls_key, allocator);
}
