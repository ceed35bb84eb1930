#include "host/profile_openai.h"

#include "bounds.h"
#include "codec/http/url.h"
#include "host/small_file.h"
#include "host/tokens.h"
#if WR_TLS
#include "io/tls/tls.h"
#endif

#include <stdlib.h>
#include <string.h>

/* What is being made, and of what. */
struct making {
	struct wr_profile_openai *self;
	const struct wr_profile_setting *setting;
	const char *file;
	struct wr_buf *message;
};

static void put(const struct making *making, const char *text)
{
	wr_buf_append_view(making->message, wr_view_of_string(text));
}

/* Names the place of a key, for what is said next; false. */
static bool blame(const struct making *making, const void *value)
{
	return wr_profile_setting_blame(making->setting, making->file,
					wr_profile_setting_line(making->setting, value),
					making->message);
}

static bool refuse(const struct making *making, const void *value, const char *what)
{
	blame(making, value);
	put(making, what);
	return false;
}

/* ---- the key ---- */

/* Without the end of its line. */
static bool keep_key(const struct making *making, const void *value, struct wr_view key)
{
	while (key.bytes != 0 && memchr(" \t\r\n", key.data[key.bytes - 1], 4) != NULL)
		key.bytes--;
	if (key.bytes == 0)
		return refuse(making, value, "there is no key in it");
	if (key.bytes > WR_PROFILE_KEY_BYTES_MAX)
		return refuse(making, value, "a key of more than 4096 bytes");
	for (size_t i = 0; i < key.bytes; i++)
		if (key.data[i] <= 0x20 || key.data[i] >= 0x7f)
			return refuse(making, value,
				      "a key is one word of visible ASCII, alone in its place");
	memcpy(making->self->key, key.data, key.bytes);
	making->self->profile.api_key = making->self->key;
	return true;
}
_Static_assert(WR_PROFILE_KEY_BYTES_MAX == 4096, "the text above");

static bool read_key_file(const struct making *making)
{
	char storage[WR_PROFILE_KEY_BYTES_MAX + 64];
	struct wr_buf text;
	struct wr_buf *message = making->message;
	size_t before = message->bytes;
	bool is_read;

	wr_buf_init_fixed(&text, storage, sizeof storage);
	blame(making, &making->setting->key_file);
	is_read =
		wr_small_file_read(&text, making->setting->key_file, sizeof storage, true, message);
	if (is_read) {
		wr_buf_truncate(message, before);
		is_read = keep_key(making, &making->setting->key_file, wr_buf_view(&text));
	}
	wr_tokens_wipe(storage, sizeof storage);
	return is_read;
}

static bool read_key(const struct making *making)
{
	const struct wr_profile_setting *setting = making->setting;
	const char *key;

	if (setting->key_file != NULL)
		return read_key_file(making);
	if (setting->key_env == NULL)
		return true;
	key = getenv(setting->key_env);
	if (key != NULL && *key != '\0')
		return keep_key(making, &setting->key_env, wr_view_of_string(key));
	blame(making, &setting->key_env);
	put(making, "the variable ");
	put(making, setting->key_env);
	put(making, " is not set; set it to the key");
	return false;
}

void wr_profile_openai_wipe_variable(const struct wr_profile_setting *setting)
{
	char *key = setting->key_env == NULL ? NULL : getenv(setting->key_env);

	if (key != NULL)
		wr_tokens_wipe(key, strlen(key));
}

/* ---- the prompt ---- */

static bool read_prompt(const struct making *making, struct wr_allocator *allocator)
{
	const struct wr_profile_setting *setting = making->setting;
	struct wr_profile_openai *self = making->self;
	size_t before = making->message->bytes;

	self->profile.system_prompt = setting->system_prompt;
	if (setting->system_prompt_file == NULL)
		return true;
	wr_buf_init(&self->prompt, allocator, WR_EVENT_BYTES_MAX + 1);
	blame(making, &setting->system_prompt_file);
	if (!wr_small_file_read(&self->prompt, setting->system_prompt_file, WR_EVENT_BYTES_MAX,
				false, making->message))
		return false;
	wr_buf_truncate(making->message, before);
	if (memchr(self->prompt.data == NULL ? "" : self->prompt.data, '\0', self->prompt.bytes) !=
	    NULL)
		return refuse(making, &setting->system_prompt_file, "there is a NUL byte in it");
	if (wr_buf_append_byte(&self->prompt, '\0') != WR_OK)
		return refuse(making, &setting->system_prompt_file,
			      wr_status_text(wr_buf_status(&self->prompt)));
	self->profile.system_prompt = self->prompt.data;
	return true;
}

/* ---- TLS ---- */

static bool has_tls_keys(const struct wr_profile_setting *setting)
{
	return setting->tls_ca != NULL || setting->tls_pin != NULL || setting->tls_name != NULL;
}

#if WR_TLS
static bool make_tls(const struct making *making, struct wr_reactor *reactor,
		     struct wr_allocator *allocator)
{
	const struct wr_profile_setting *setting = making->setting;
	struct wr_tls_client_config config;
	size_t before = making->message->bytes;
	struct wr_tls_pin pin;

	wr_tls_client_defaults(&config);
	config.ca_file = setting->tls_ca;
	if (setting->tls_pin != NULL) {
		if (!wr_tls_pin_parse(&pin, wr_view_of_string(setting->tls_pin)))
			return refuse(making, &setting->tls_pin,
				      "`tls-pin` is sha256// and 44 characters of base64");
		config.pin = &pin;
	}
	blame(making, &setting->tls_ca);
	making->self->profile.tls = wr_tls_client_new(reactor, allocator, &config, making->message);
	if (making->self->profile.tls == NULL)
		return false;
	wr_buf_truncate(making->message, before);
	return true;
}

static void free_tls(struct wr_profile_openai *self)
{
	if (self->profile.tls != NULL)
		wr_tls_client_free(self->profile.tls);
	self->profile.tls = NULL;
}
#else
/* That it is needed is found with the other faults. */
static bool make_tls(const struct making *making, struct wr_reactor *reactor,
		     struct wr_allocator *allocator)
{
	(void)making;
	(void)reactor;
	(void)allocator;
	return true;
}

static void free_tls(struct wr_profile_openai *self)
{
	(void)self;
}
#endif

static bool prepare_tls(const struct making *making, struct wr_reactor *reactor,
			struct wr_allocator *allocator)
{
	const struct wr_profile_setting *setting = making->setting;
	struct wr_url url = {.is_secure = false};

	(void)wr_url_parse(&url, wr_view_of_string(setting->base_url));
	if (url.is_secure)
		return make_tls(making, reactor, allocator);
	if (!has_tls_keys(setting))
		return true;
	return refuse(making,
		      setting->tls_ca != NULL	 ? &setting->tls_ca
		      : setting->tls_pin != NULL ? &setting->tls_pin
						 : &setting->tls_name,
		      "keys of TLS, and a `base-url` that is not https");
}

/* ---- all of it ---- */

static void fill(struct wr_openai_profile *self, const struct wr_profile_setting *setting)
{
	self->base_url = setting->base_url;
	self->model = setting->model;
	self->temperature = setting->temperature;
	self->output_tokens_max = setting->max_tokens;
	self->history_bytes_max = setting->history_bytes;
	self->answer_bytes_max = setting->answer_bytes;
	self->first_token_ms_max = setting->first_token_ms;
	self->silence_ms_max = setting->silence_ms;
	self->retry_count_max = setting->retries;
	self->tls_name = setting->tls_name;
}

/* The key that a fault begins with: its line is told. */
static const void *key_of(const struct wr_profile_setting *setting, const char *fault)
{
	const struct {
		const char *name;
		const void *value;
	} keys[] = {
		{"base_url", &setting->base_url},
		{"model", &setting->model},
		{"system_prompt", setting->system_prompt != NULL
					  ? (const void *)&setting->system_prompt
					  : &setting->system_prompt_file},
		{"temperature", &setting->temperature},
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strncmp(fault, keys[i].name, strlen(keys[i].name)) == 0)
			return keys[i].value;
	return setting;
}

bool wr_profile_openai_init(struct wr_profile_openai *self, struct wr_reactor *reactor,
			    struct wr_allocator *allocator, struct wr_resolver *resolver,
			    const struct wr_profile_setting *setting, const char *file,
			    struct wr_buf *message)
{
	const struct making making = {self, setting, file, message};
	const char *fault;

	wr_openai_profile_init(&self->profile);
	fill(&self->profile, setting);
	self->profile.resolver = resolver;
	if (!prepare_tls(&making, reactor, allocator) || !read_key(&making) ||
	    !read_prompt(&making, allocator))
		goto failed;
	fault = wr_openai_profile_fault(&self->profile);
	if (fault == NULL)
		return true;
	refuse(&making, key_of(setting, fault), fault);
failed:
	wr_profile_openai_deinit(self);
	return false;
}

void wr_profile_openai_deinit(struct wr_profile_openai *self)
{
	wr_tokens_wipe(self->key, sizeof self->key);
	free_tls(self);
	if (self->profile.system_prompt != NULL && self->profile.system_prompt == self->prompt.data)
		self->profile.system_prompt = NULL;
	if (self->prompt.allocator != NULL)
		wr_buf_deinit(&self->prompt);
}
