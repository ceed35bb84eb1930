#include "backend/remotes.h"

#include "backend/ids.h"
#include "backend/remote_runtime.h"
#include "backend/remote_tls.h"
#include "bytes/endian.h"
#include "bytes/sha256.h"
#include "check.h"
#include "codec/http/url.h"
#include "host/tokens.h"

/* Where settings come from, and what is needed to look at what they name. */
struct source {
	const char *file;
	struct wr_reactor *reactor; /* NULL: the files of TLS are not read */
	struct wr_allocator *allocator;
	struct wr_buf *message;
};

/* A setting with all that it names looked up. */
struct prepared {
	struct wr_remote_config config;
	char secret[WR_TOKEN_BYTES_MAX + 1];
	uint8_t fingerprint[WR_SHA256_BYTES];
};

static void put(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

/* "FILE:LINE: [[remote]] `ID`: what"; false. */
static bool refuse(const struct source *source, const struct wr_remote_setting *setting,
		   const char *what)
{
	struct wr_buf *message = source->message;

	put(message, source->file);
	put(message, ":");
	wr_buf_append_u64(message, setting->line);
	put(message, ": [[remote]] ");
	if (setting->id != NULL) {
		put(message, "`");
		put(message, setting->id);
		put(message, what[0] == '\0' ? "`" : "` ");
	}
	put(message, what);
	return false;
}

/* ---- the base URL ---- */

/* An address in numbers is one; a name is looked up whenever a connection begins. */
static bool find_host(struct wr_dial_target *to, const struct wr_url *url)
{
	if (wr_address_of_number(&to->address, url->host, url->port) == WR_OK)
		return true;
	to->host_name = url->host;
	to->port = url->port;
	return !url->is_ipv6 && wr_lookup_takes(url->host);
}

/* NULL, or what is wrong. */
static const char *read_base_url(struct wr_remote_config *config,
				 const struct wr_remote_setting *setting, bool *is_secure)
{
	struct wr_view whole = wr_view_of_string(setting->base_url);
	struct wr_url url = {.port = 0};
	const char *fault;

	*is_secure = false;
	if (wr_view_starts(whole, WR_VIEW("unix:"))) {
		config->host = WR_VIEW("localhost");
		if (wr_address_parse(&config->to.address, whole) != WR_OK)
			return "has a base_url that is no path of a socket";
		return wr_remote_tls_fault(&config->tls_name, setting, &url);
	}
	if (wr_url_parse(&url, whole) != WR_OK || url.is_websocket)
		return "needs a base_url such as http://192.0.2.7:8650";
	*is_secure = url.is_secure;
	if (!find_host(&config->to, &url))
		return "has a base_url whose host is neither a name nor an address";
	fault = wr_remote_tls_fault(&config->tls_name, setting, &url);
	if (fault != NULL)
		return fault;
	config->host = url.authority;
	config->target_prefix = url.target;
	while (config->target_prefix.bytes > 0 &&
	       config->target_prefix.data[config->target_prefix.bytes - 1] == '/')
		config->target_prefix.bytes--;
	if (config->target_prefix.bytes == 0)
		config->target_prefix = WR_VIEW_NULL;
	else if (memchr(config->target_prefix.data, '?', config->target_prefix.bytes) != NULL)
		return "has a base_url with a query";
	return NULL;
}

/* ---- preparing ---- */

/* Every part behind its length, so that no two settings look the same. */
static void hash_text(struct wr_sha256 *hash, struct wr_view text)
{
	uint8_t length[8];

	wr_store_be64(length, text.bytes);
	wr_sha256_feed(hash, wr_view_of(length, sizeof length));
	if (text.bytes != 0)
		wr_sha256_feed(hash, text);
}

static void take_fingerprint(struct prepared *self, const struct wr_remote_setting *setting,
			     struct wr_allocator *allocator)
{
	struct wr_sha256 hash;
	uint8_t ms[8];

	wr_store_be64(ms, self->config.ms_max);
	wr_sha256_init(&hash);
	hash_text(&hash, self->config.runtime_id);
	hash_text(&hash, self->config.display_name);
	hash_text(&hash, wr_view_of_string(setting->base_url));
	hash_text(&hash, self->config.credential);
	hash_text(&hash, wr_view_of(ms, sizeof ms));
	wr_remote_tls_hash(&hash, setting, allocator);
	wr_sha256_finish(&hash, self->fingerprint);
}

static bool read_credential(struct prepared *self, const struct wr_remote_setting *setting,
			    const struct source *source)
{
	struct wr_buf secret;

	if (setting->token_file == NULL)
		return true;
	wr_buf_init_fixed(&secret, self->secret, sizeof self->secret);
	if (!wr_tokens_load_one(&secret, setting->token_file, source->message)) {
		put(source->message, "; it is the token_file of ");
		return refuse(source, setting, "");
	}
	self->config.credential = wr_buf_view(&secret);
	return true;
}

static bool open_tls(struct prepared *self, const struct wr_remote_setting *setting,
		     const struct source *source)
{
	if (wr_remote_tls_open(&self->config.tls, setting, source->reactor, source->allocator,
			       source->message))
		return true;
	put(source->message, "; it is of ");
	return refuse(source, setting, "");
}

static void unprepare(struct prepared *self)
{
	wr_remote_tls_close(self->config.tls);
	wr_tokens_wipe(self, sizeof *self);
}

/* To be undone in any case. */
static bool prepare(struct prepared *self, const struct wr_remote_setting *setting,
		    const struct source *source)
{
	const char *detail;
	bool is_secure;

	*self = (struct prepared){.config.ms_max = (uint32_t)setting->timeout_ms};
	self->config.runtime_id = wr_view_of_string(setting->id);
	self->config.display_name = wr_view_of_string(setting->display_name);
	if (setting->id == NULL)
		return refuse(source, setting, "needs an id");
	if (!wr_backend_id_is_valid(self->config.runtime_id))
		return refuse(
			source, setting,
			"has an id that cannot stand in a path: 1 to 120 of A-Z a-z 0-9 _ : -");
	if (setting->base_url == NULL)
		return refuse(source, setting, "needs a base_url");
	detail = read_base_url(&self->config, setting, &is_secure);
	if (detail != NULL)
		return refuse(source, setting, detail);
	if (!read_credential(self, setting, source))
		return false;
	take_fingerprint(self, setting, source->allocator);
	return !is_secure || source->reactor == NULL || open_tls(self, setting, source);
}

bool wr_remotes_check(const struct wr_remote_setting *settings, uint32_t count, const char *file,
		      struct wr_reactor *reactor, struct wr_allocator *allocator,
		      struct wr_buf *message)
{
	const struct source source = {file, reactor, allocator, message};
	struct prepared prepared;
	bool is_good = true;

	for (uint32_t i = 0; i < count && is_good; i++) {
		is_good = prepare(&prepared, &settings[i], &source);
		unprepare(&prepared);
		for (uint32_t other = 0; other < i && is_good; other++)
			if (strcmp(settings[other].id, settings[i].id) == 0)
				is_good = refuse(&source, &settings[i], "is there twice");
	}
	return is_good;
}

/* ---- applying ---- */

static struct wr_remote_entry *find_entry(struct wr_remotes *self, struct wr_view runtime_id)
{
	for (uint32_t i = 0; i < self->count; i++)
		if (wr_view_equal(self->entries[i].handle->runtime_id, runtime_id))
			return &self->entries[i];
	return NULL;
}

static bool is_wanted(const struct wr_remote_setting *settings, uint32_t count,
		      struct wr_view runtime_id)
{
	for (uint32_t i = 0; i < count; i++)
		if (wr_view_equal(wr_view_of_string(settings[i].id), runtime_id))
			return true;
	return false;
}

static void remove_unwanted(struct wr_remotes *self, const struct wr_remote_setting *settings,
			    uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < self->count; i++) {
		if (is_wanted(settings, count, self->entries[i].handle->runtime_id))
			self->entries[kept++] = self->entries[i];
		else
			wr_registry_remove(self->registry, self->entries[i].handle);
	}
	self->count = kept;
}

/* All of them, in the order of the file, behind the Backend's own sources. */
static void put_in_order(struct wr_remotes *self, const struct wr_remote_setting *settings,
			 uint32_t count)
{
	uint32_t own = self->registry->count - self->count;

	for (uint32_t i = 0; i < count; i++)
		wr_registry_place(self->registry,
				  find_entry(self, wr_view_of_string(settings[i].id))->handle,
				  own + i);
}

/* Makes the handle of a prepared setting, in the place of the one that it had. */
static bool apply_one(struct wr_remotes *self, struct prepared *prepared)
{
	struct wr_remote_entry *entry = find_entry(self, prepared->config.runtime_id);
	struct wr_runtime_handle *handle;
	enum wr_status status;

	if (entry != NULL &&
	    memcmp(entry->fingerprint, prepared->fingerprint, sizeof entry->fingerprint) == 0)
		return true;
	prepared->config.policy = self->policy;
	prepared->config.streams = self->streams;
	if (prepared->config.to.host_name.data != NULL)
		prepared->config.to.resolver = self->resolver;
	prepared->config.retention = self->retention;
	if (wr_remote_runtime_new(&handle, self->reactor, self->allocator, self->server,
				  &prepared->config) != WR_OK)
		return false;
	prepared->config.tls = NULL; /* the handle's */
	if (entry != NULL) {
		status = wr_registry_replace(self->registry, entry->handle, handle);
	} else {
		status = self->count == WR_REMOTE_COUNT_MAX
				 ? WR_FULL
				 : wr_registry_add(self->registry, handle);
		entry = &self->entries[self->count];
		self->count += status == WR_OK;
	}
	if (status != WR_OK) {
		handle->ops->free(handle);
		return false;
	}
	entry->handle = handle;
	memcpy(entry->fingerprint, prepared->fingerprint, sizeof entry->fingerprint);
	return true;
}

bool wr_remotes_apply(struct wr_remotes *self, const struct wr_remote_setting *settings,
		      uint32_t count, const char *file, struct wr_buf *message)
{
	const struct source source = {file, self->reactor, self->allocator, message};
	struct prepared prepared;
	bool is_done =
		wr_remotes_check(settings, count, file, self->reactor, self->allocator, message);

	for (uint32_t i = 0; i < count && is_done; i++) {
		struct wr_view id = wr_view_of_string(settings[i].id);
		if (find_entry(self, id) == NULL && wr_registry_find(self->registry, id) != NULL)
			is_done = refuse(&source, &settings[i],
					 "has the id of a source of this Backend itself");
	}
	if (!is_done)
		return false;
	remove_unwanted(self, settings, count);
	for (uint32_t i = 0; i < count && is_done; i++) {
		is_done = prepare(&prepared, &settings[i], &source);
		if (is_done && !apply_one(self, &prepared))
			is_done = refuse(&source, &settings[i],
					 "could not be added: there is no memory");
		unprepare(&prepared);
	}
	if (is_done)
		put_in_order(self, settings, count);
	return is_done;
}
