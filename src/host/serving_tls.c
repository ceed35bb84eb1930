#include "host/serving_tls.h"

#if WR_TLS
#include "io/tls/tls.h"
#endif

static bool refuse(struct wr_buf *message, const char *what)
{
	wr_buf_append_view(message, wr_view_of_string(what));
	return false;
}

#if WR_TLS

bool wr_serving_tls_is_sound(const struct wr_serving *serving, struct wr_buf *message)
{
	bool has_cert = serving->tls_cert != NULL, has_key = serving->tls_key != NULL;

	if (has_cert != has_key)
		return refuse(message, "--tls-cert FILE and --tls-key FILE belong together");
	if (serving->tls_client_ca != NULL && !has_cert)
		return refuse(message, "--tls-client-ca needs --tls-cert FILE and --tls-key FILE");
	if (serving->tls_client_keys.count != 0 && serving->tls_client_ca == NULL)
		return refuse(message, "--tls-client-key needs --tls-client-ca FILE");
	return true;
}

/* The pins are read into `pins`, which the configuration borrows. */
static bool make_config(struct wr_tls_server_config *config,
			struct wr_tls_pin pins[WR_TEXT_COUNT_MAX], const struct wr_serving *serving,
			struct wr_buf *message)
{
	const struct wr_texts *keys = &serving->tls_client_keys;

	wr_tls_server_defaults(config);
	config->certificate_file = serving->tls_cert;
	config->key_file = serving->tls_key;
	config->client_ca_file = serving->tls_client_ca;
	config->client_pins = pins;
	config->client_pin_count = keys->count;
	/* Those that only have records left to send hold descriptors, too. */
	config->connection_count_max =
		(uint32_t)(serving->tls_connections_max < serving->connections_max
				   ? serving->tls_connections_max
				   : serving->connections_max);
	config->handshake_ms_max = (uint32_t)serving->tls_handshake_ms;
	for (uint32_t i = 0; i < keys->count; i++)
		if (!wr_tls_pin_parse(&pins[i], wr_view_of_string(keys->items[i])))
			return refuse(message, "--tls-client-key: not of the form sha256//BASE64");
	return true;
}

bool wr_serving_tls_open(struct wr_tls_server **out, const struct wr_serving *serving,
			 struct wr_reactor *reactor, struct wr_allocator *allocator,
			 struct wr_buf *message)
{
	struct wr_tls_pin pins[WR_TEXT_COUNT_MAX];
	struct wr_tls_server_config config;

	*out = NULL;
	if (serving->tls_cert == NULL)
		return true;
	if (!make_config(&config, pins, serving, message))
		return false;
	*out = wr_tls_server_new(reactor, allocator, &config, message);
	return *out != NULL;
}

bool wr_serving_tls_reload(struct wr_tls_server *tls, const struct wr_serving *serving,
			   struct wr_buf *message)
{
	struct wr_tls_pin pins[WR_TEXT_COUNT_MAX];
	struct wr_tls_server_config config;

	return make_config(&config, pins, serving, message) &&
	       wr_tls_server_reload(tls, &config, message);
}

uint32_t wr_serving_tls_connection_count(const struct wr_tls_server *tls)
{
	return tls != NULL ? wr_tls_server_counts(tls)->connection_count : 0;
}

void wr_serving_tls_close(struct wr_tls_server *tls)
{
	if (tls != NULL)
		wr_tls_server_free(tls);
}

/* A loop of its own, in which nothing happens. */
bool wr_serving_tls_check(const struct wr_serving *serving, struct wr_allocator *allocator,
			  struct wr_buf *message)
{
	struct wr_tls_server *tls;
	struct wr_reactor reactor;
	struct wr_error error;
	bool is_good;

	if (serving->tls_cert == NULL)
		return true;
	if (wr_reactor_init(&reactor, allocator, &error) != WR_OK)
		return refuse(message, "no event loop");
	is_good = wr_serving_tls_open(&tls, serving, &reactor, allocator, message);
	wr_serving_tls_close(tls);
	wr_reactor_deinit(&reactor);
	return is_good;
}

#else

bool wr_serving_tls_is_sound(const struct wr_serving *serving, struct wr_buf *message)
{
	const char *flag = serving->tls_cert != NULL		? "--tls-cert"
			   : serving->tls_key != NULL		? "--tls-key"
			   : serving->tls_client_ca != NULL	? "--tls-client-ca"
			   : serving->tls_client_keys.count > 0 ? "--tls-client-key"
								: NULL;

	if (flag == NULL)
		return true;
	wr_buf_append_view(message, wr_view_of_string(flag));
	return refuse(message, ": TLS is not in this build: make TLS=bearssl has it; or let "
			       "something in front of us speak it");
}

bool wr_serving_tls_check(const struct wr_serving *serving, struct wr_allocator *allocator,
			  struct wr_buf *message)
{
	(void)serving;
	(void)allocator;
	(void)message;
	return true;
}

#endif
