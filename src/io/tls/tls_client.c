/* The side that connects. */
#include "check.h"
#include "io/tls/tls_private.h"

#include <string.h>

struct wr_tls_client {
	struct wr_tls_hub hub;
	bool has_pin, has_identity;
	struct wr_tls_pin pin;
	struct wr_tls_anchors anchors;
	struct wr_tls_identity identity;
};

struct session {
	struct wr_tls tls;
	br_ssl_client_context context;
	unsigned char out[WR_TLS_OUT_BYTES], in[WR_TLS_IN_BYTES];
};

/* ---- life ---- */

void wr_tls_client_defaults(struct wr_tls_client_config *config)
{
	*config = (struct wr_tls_client_config){.handshake_ms_max = WR_TLS_HANDSHAKE_MS_MAX};
}

static void release(struct wr_tls_hub *hub, struct wr_tls *session)
{
	(void)hub;
	(void)session; /* the client outlives its connections */
}

static bool load(struct wr_tls_client *self, struct wr_allocator *allocator,
		 const struct wr_tls_client_config *config, struct wr_buf *message)
{
	if (config->pin != NULL) {
		self->has_pin = true;
		self->pin = *config->pin;
	} else if (!wr_tls_anchors_load(&self->anchors, allocator, config->ca_file, message)) {
		return false;
	}
	wr_assert((config->certificate_file == NULL) == (config->key_file == NULL));
	if (config->certificate_file == NULL)
		return true;
	self->has_identity = wr_tls_identity_load(
		&self->identity, allocator, config->certificate_file, config->key_file, message);
	return self->has_identity;
}

static void unload(struct wr_tls_client *self)
{
	wr_tls_anchors_deinit(&self->anchors);
	wr_tls_identity_deinit(&self->identity);
}

struct wr_tls_client *wr_tls_client_new(struct wr_reactor *reactor, struct wr_allocator *allocator,
					const struct wr_tls_client_config *config,
					struct wr_buf *message)
{
	struct wr_tls_client *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL) {
		wr_tls_say(message, "TLS", "no memory");
		return NULL;
	}
	if (!load(self, allocator, config, message)) {
		unload(self);
		wr_allocator_free(allocator, self, sizeof *self);
		return NULL;
	}
	wr_tls_hub_init(&self->hub, reactor, allocator, sizeof(struct session),
			config->handshake_ms_max);
	self->hub.release = release;
	return self;
}

void wr_tls_client_free(struct wr_tls_client *self)
{
	struct wr_allocator *allocator = self->hub.allocator;

	wr_tls_hub_deinit(&self->hub);
	unload(self);
	wr_allocator_free(allocator, self, sizeof *self);
}

const struct wr_tls_counts *wr_tls_client_counts(const struct wr_tls_client *self)
{
	return &self->hub.counts;
}

/* ---- a connection ---- */

/* The name without the dot of the root, which neither what is sent (RFC 6066 3) nor certificates
 * have. False: none, which would be no check at all; or too long. */
static bool take_name(char out[WR_TLS_NAME_BYTES_MAX + 1], const char *name)
{
	size_t bytes = strlen(name);

	if (bytes != 0 && name[bytes - 1] == '.')
		bytes--;
	if (bytes == 0 || bytes > WR_TLS_NAME_BYTES_MAX)
		return false;
	memcpy(out, name, bytes);
	out[bytes] = '\0';
	return true;
}

static void set_identity(br_ssl_client_context *context, const struct wr_tls_identity *identity)
{
	if (identity->key.kind == WR_TLS_KEY_RSA)
		br_ssl_client_set_single_rsa(context, identity->chain, identity->chain_count,
					     &identity->rsa, br_rsa_pkcs1_sign_get_default());
	else
		br_ssl_client_set_single_ec(context, identity->chain, identity->chain_count,
					    &identity->ec, BR_KEYTYPE_SIGN, 0, br_ec_get_default(),
					    br_ecdsa_sign_asn1_get_default());
}

static enum wr_status prepare(struct wr_tls_client *self, struct session *session, const char *name)
{
	br_ssl_engine_context *engine = &session->context.eng;
	/* RFC 6066 3: an address is no server name. */
	const char *sent_name = name != NULL && !wr_tls_is_address(name) ? name : NULL;
	struct wr_tls_judge *judge = wr_allocator_take(self->hub.allocator, sizeof *judge);

	if (judge == NULL)
		return WR_NO_MEMORY;
	session->tls.judge = judge;
	br_ssl_client_zero(&session->context);
	wr_tls_engine_init(engine, self->hub.protocols);
	wr_tls_engine_set_suites(engine, 0);
	if (self->has_pin)
		wr_tls_judge_by_pin(judge, &self->pin);
	else
		wr_tls_judge_by_anchors(judge, &self->anchors, name, NULL, 0);
	wr_tls_engine_set_verify(engine, judge);
	if (self->has_identity)
		set_identity(&session->context, &self->identity);
	br_ssl_engine_set_buffers_bidi(engine, session->in, sizeof session->in, session->out,
				       sizeof session->out);
	if (br_ssl_engine_last_error(engine) != BR_ERR_OK || !wr_tls_engine_seed(engine) ||
	    !br_ssl_client_reset(&session->context, sent_name, 0) ||
	    br_ssl_engine_last_error(engine) != BR_ERR_OK)
		return WR_IO;
	return WR_OK;
}

enum wr_status wr_tls_connect(struct wr_tls_client *self, struct wr_stream *stream,
			      const char *name)
{
	struct session *session;
	enum wr_status status;
	char host[WR_TLS_NAME_BYTES_MAX + 1];

	wr_assert(stream->tls == NULL && (name != NULL || self->has_pin));
	if (name != NULL && !take_name(host, name))
		return WR_INVALID;
	session = wr_allocator_take(self->hub.allocator, sizeof *session);
	if (session == NULL)
		return WR_NO_MEMORY;
	session->tls = (struct wr_tls){.lent = NULL};
	status = prepare(self, session, name != NULL ? host : NULL);
	if (status == WR_OK)
		status = wr_tls_begin(&session->tls, &self->hub, &session->context.eng, session->in,
				      stream);
	if (status == WR_OK)
		return WR_OK;
	if (session->tls.judge != NULL)
		wr_allocator_free(self->hub.allocator, session->tls.judge,
				  sizeof *session->tls.judge);
	wr_allocator_free(self->hub.allocator, session, sizeof *session);
	return status;
}
