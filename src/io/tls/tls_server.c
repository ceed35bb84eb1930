/* The side that accepts. What its files hold is shared by the handshakes that began with it, so
 * that a reload takes nothing away from them. */
#include "check.h"
#include "io/tls/tls_private.h"

#include <string.h>

enum {
	SESSION_COUNT_MAX = 256,
	SESSION_BYTES = 100, /* of BearSSL's cache */
	/* A handshake that old goes when a new one has no place; and so does one whose peer has
	 * said nothing for a tenth of that, which costs it nothing. */
	GIVING_WAY_MS = 1000,
	SILENT_MS = 100
};

/* All that one set of files gives. */
struct credentials {
	struct wr_allocator *allocator;
	uint32_t user_count; /* the server, and handshakes */
	struct wr_tls_identity identity;
	bool asks_clients;
	struct wr_tls_anchors anchors;
	struct wr_tls_pin *pins;
	uint32_t pin_count;
};

struct wr_tls_server {
	struct wr_tls_hub hub;
	uint32_t connection_count_max, handshake_count_max;
	struct credentials *credentials;
	br_ssl_session_cache_lru cache;
	unsigned char sessions[SESSION_COUNT_MAX * SESSION_BYTES];
};

struct session {
	struct wr_tls tls;
	br_ssl_server_context context;
	unsigned char out[WR_TLS_OUT_BYTES], in[WR_TLS_IN_BYTES];
};

_Static_assert(WR_TLS_IN_BYTES == BR_SSL_BUFSIZE_INPUT, "a record of any peer fits");

/* ---- credentials ---- */

static void release_credentials(struct credentials *self)
{
	if (self == NULL || --self->user_count != 0)
		return;
	wr_tls_identity_deinit(&self->identity);
	wr_tls_anchors_deinit(&self->anchors);
	wr_allocator_free(self->allocator, self->pins, self->pin_count * sizeof *self->pins);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

static bool copy_pins(struct credentials *self, const struct wr_tls_server_config *config)
{
	if (config->client_pin_count == 0)
		return true;
	self->pins =
		wr_allocator_take(self->allocator, config->client_pin_count * sizeof *self->pins);
	if (self->pins == NULL)
		return false;
	self->pin_count = config->client_pin_count;
	memcpy(self->pins, config->client_pins, self->pin_count * sizeof *self->pins);
	return true;
}

static struct credentials *load_credentials(struct wr_allocator *allocator,
					    const struct wr_tls_server_config *config,
					    struct wr_buf *message)
{
	struct credentials *self = wr_allocator_take_zeroed(allocator, sizeof *self);
	bool is_loaded;

	wr_assert(config->client_ca_file != NULL || config->client_pin_count == 0);
	if (self == NULL) {
		wr_tls_say(message, "TLS", "no memory");
		return NULL;
	}
	self->allocator = allocator;
	self->user_count = 1;
	is_loaded = wr_tls_identity_load(&self->identity, allocator, config->certificate_file,
					 config->key_file, message);
	if (is_loaded && config->client_ca_file != NULL) {
		self->asks_clients = true;
		is_loaded = wr_tls_anchors_load(&self->anchors, allocator, config->client_ca_file,
						message);
	}
	if (is_loaded && !copy_pins(self, config))
		is_loaded = wr_tls_say(message, "TLS", "no memory for the pins");
	if (is_loaded)
		return self;
	release_credentials(self);
	return NULL;
}

/* ---- life ---- */

void wr_tls_server_defaults(struct wr_tls_server_config *config)
{
	*config = (struct wr_tls_server_config){.connection_count_max = WR_TLS_CONN_COUNT_MAX,
						.handshake_count_max = WR_TLS_HANDSHAKE_COUNT_MAX,
						.handshake_ms_max = WR_TLS_HANDSHAKE_MS_MAX};
}

/* The handshake is over: what it was lent. */
static void release(struct wr_tls_hub *hub, struct wr_tls *session)
{
	(void)hub;
	release_credentials(session->lent);
	session->lent = NULL;
}

static void forget_sessions(struct wr_tls_server *self)
{
	memset(self->sessions, 0, sizeof self->sessions); /* secrets */
	br_ssl_session_cache_lru_init(&self->cache, self->sessions, sizeof self->sessions);
}

static void take_limits(struct wr_tls_server *self, const struct wr_tls_server_config *config)
{
	self->connection_count_max = config->connection_count_max;
	self->handshake_count_max = config->handshake_count_max;
}

struct wr_tls_server *wr_tls_server_new(struct wr_reactor *reactor, struct wr_allocator *allocator,
					const struct wr_tls_server_config *config,
					struct wr_buf *message)
{
	struct wr_tls_server *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL) {
		wr_tls_say(message, "TLS", "no memory");
		return NULL;
	}
	self->credentials = load_credentials(allocator, config, message);
	if (self->credentials == NULL) {
		wr_allocator_free(allocator, self, sizeof *self);
		return NULL;
	}
	take_limits(self, config);
	forget_sessions(self);
	wr_tls_hub_init(&self->hub, reactor, allocator, sizeof(struct session),
			config->handshake_ms_max);
	self->hub.release = release;
	self->hub.is_logged = true;
	return self;
}

bool wr_tls_server_reload(struct wr_tls_server *self, const struct wr_tls_server_config *config,
			  struct wr_buf *message)
{
	struct credentials *credentials = load_credentials(self->hub.allocator, config, message);

	if (credentials == NULL)
		return false;
	release_credentials(self->credentials);
	self->credentials = credentials;
	take_limits(self, config);
	self->hub.handshake_ms_max = config->handshake_ms_max;
	forget_sessions(self);
	/* A handshake of before must not leave a session for after. */
	wr_list_each (node, after, &self->hub.shaking) {
		struct wr_tls *tls = wr_list_entry(node, struct wr_tls, place);
		struct session *session = wr_container_of(tls, struct session, tls);
		br_ssl_server_set_cache(&session->context, NULL);
	}
	return true;
}

void wr_tls_server_free(struct wr_tls_server *self)
{
	struct wr_allocator *allocator = self->hub.allocator;

	wr_tls_hub_deinit(&self->hub);
	release_credentials(self->credentials);
	forget_sessions(self);
	wr_allocator_free(allocator, self, sizeof *self);
}

const struct wr_tls_counts *wr_tls_server_counts(const struct wr_tls_server *self)
{
	return &self->hub.counts;
}

bool wr_tls_server_is_full(const struct wr_tls_server *self)
{
	return self->hub.counts.connection_count >= self->connection_count_max;
}

/* ---- a connection ---- */

struct wr_view wr_tls_refusal(void)
{
	/* Alert, TLS 1.2, two bytes: fatal, internal_error (RFC 5246 7.2). */
	return WR_VIEW("\x15\x03\x03\x00\x02\x02\x50");
}

static bool gives_way(const struct wr_tls_hub *hub, const struct wr_tls *tls)
{
	/* Who waits for its turn may have said a lot. */
	bool is_silent = !tls->is_heard && wr_list_is_empty(&tls->work);

	return tls->due_ms + (is_silent ? SILENT_MS : GIVING_WAY_MS) <=
	       hub->reactor->now_ms + hub->handshake_ms_max;
}

/* The oldest handshake that does gives way. */
static bool make_room(struct wr_tls_server *self)
{
	wr_list_each (node, after, &self->hub.shaking) {
		struct wr_tls *tls = wr_list_entry(node, struct wr_tls, place);
		if (!gives_way(&self->hub, tls))
			continue;
		wr_tls_expire(tls, "the handshake was slow and had to give way to another one");
		return true;
	}
	return false;
}

static bool is_admitted(struct wr_tls_server *self)
{
	if (wr_tls_server_is_full(self) ||
	    (self->hub.counts.handshake_count >= self->handshake_count_max && !make_room(self))) {
		self->hub.counts.refused_count++;
		return false;
	}
	return true;
}

static void set_key(br_ssl_server_context *context, const struct wr_tls_identity *identity)
{
	/* ECDHE only: the key signs. */
	if (identity->key.kind == WR_TLS_KEY_RSA) {
		wr_tls_engine_set_suites(&context->eng, BR_KEYTYPE_RSA);
		br_ssl_server_set_single_rsa(context, identity->chain, identity->chain_count,
					     &identity->rsa, BR_KEYTYPE_SIGN,
					     br_rsa_private_get_default(),
					     br_rsa_pkcs1_sign_get_default());
	} else {
		wr_tls_engine_set_suites(&context->eng, BR_KEYTYPE_EC);
		br_ssl_server_set_single_ec(context, identity->chain, identity->chain_count,
					    &identity->ec, BR_KEYTYPE_SIGN, 0, br_ec_get_default(),
					    br_ecdsa_sign_asn1_get_default());
	}
}

/* Clients are asked for a certificate, or their sessions are kept: a session that is resumed shows
 * none. */
static bool set_clients(struct wr_tls_server *self, struct session *session)
{
	const struct credentials *credentials = self->credentials;
	struct wr_tls_judge *judge;

	if (!credentials->asks_clients) {
		br_ssl_server_set_cache(&session->context, &self->cache.vtable);
		return true;
	}
	judge = wr_allocator_take(self->hub.allocator, sizeof *judge);
	if (judge == NULL)
		return false;
	session->tls.judge = judge;
	wr_tls_judge_by_anchors(judge, &credentials->anchors, NULL, credentials->pins,
				credentials->pin_count);
	wr_tls_engine_set_verify(&session->context.eng, judge);
	br_ssl_server_set_trust_anchor_names_alt(&session->context, credentials->anchors.list,
						 credentials->anchors.count);
	return true;
}

static enum wr_status prepare(struct wr_tls_server *self, struct session *session)
{
	br_ssl_engine_context *engine = &session->context.eng;

	br_ssl_server_zero(&session->context);
	wr_tls_engine_init(engine, self->hub.protocols);
	set_key(&session->context, &self->credentials->identity);
	if (!set_clients(self, session))
		return WR_NO_MEMORY;
	br_ssl_engine_set_buffers_bidi(engine, session->in, sizeof session->in, session->out,
				       sizeof session->out);
	/* A reset forgets what was wrong before it. */
	if (br_ssl_engine_last_error(engine) != BR_ERR_OK || !wr_tls_engine_seed(engine) ||
	    !br_ssl_server_reset(&session->context) ||
	    br_ssl_engine_last_error(engine) != BR_ERR_OK)
		return WR_IO;
	return WR_OK;
}

enum wr_status wr_tls_accept(struct wr_tls_server *self, struct wr_stream *stream)
{
	struct session *session;
	enum wr_status status;

	wr_assert(stream->tls == NULL);
	if (!is_admitted(self))
		return WR_OVERLOAD;
	session = wr_allocator_take(self->hub.allocator, sizeof *session);
	if (session == NULL)
		return WR_NO_MEMORY;
	session->tls = (struct wr_tls){.lent = NULL};
	status = prepare(self, session);
	if (status == WR_OK)
		status = wr_tls_begin(&session->tls, &self->hub, &session->context.eng, session->in,
				      stream);
	if (status == WR_OK) {
		self->credentials->user_count++;
		session->tls.lent = self->credentials;
		return WR_OK;
	}
	if (session->tls.judge != NULL)
		wr_allocator_free(self->hub.allocator, session->tls.judge,
				  sizeof *session->tls.judge);
	wr_allocator_free(self->hub.allocator, session, sizeof *session);
	return status;
}
