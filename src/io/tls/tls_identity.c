/*
 * Who we are: a certificate chain and its private key, from two files.
 *
 * Everything that could make every handshake fail is found out here, while somebody reads what we
 * say: kinds of keys that are not supported, files in the wrong order, a key of another
 * certificate. The last is tried instead of compared: the key signs, the certificate's key
 * verifies.
 */
#include "check.h"
#include "io/tls/tls_private.h"

#include <string.h>

static const char no_memory[] = "no memory to load it";

/* ---- certificates ---- */

struct chain {
	struct wr_tls_identity *identity;
	size_t ends[WR_TLS_CHAIN_COUNT_MAX]; /* in identity->bytes */
	const char *wrong;
};

static bool take_certificate(void *context, const char *name, struct wr_view der)
{
	struct chain *self = context;
	struct wr_tls_identity *identity = self->identity;

	if (strcmp(name, "CERTIFICATE") != 0 && strcmp(name, "X509 CERTIFICATE") != 0)
		return true; /* a key may be in the same file, with its own access */
	if (identity->chain_count == WR_TLS_CHAIN_COUNT_MAX) {
		self->wrong = "has more certificates than a chain may have; give the server's own "
			      "first and what leads to the root, not a bundle";
		return false;
	}
	if (wr_buf_append_view(&identity->bytes, der) != WR_OK) {
		self->wrong = no_memory;
		return false;
	}
	self->ends[identity->chain_count++] = identity->bytes.bytes;
	return true;
}

static const char *read_chain(struct wr_tls_identity *self, struct wr_allocator *allocator,
			      struct wr_view text)
{
	struct chain chain = {.identity = self};
	struct wr_buf scratch;
	enum wr_status status;
	size_t at = 0;

	wr_buf_init(&scratch, allocator, text.bytes + 1);
	status = wr_tls_pem_walk(text, &scratch, take_certificate, &chain);
	wr_buf_deinit(&scratch);
	if (chain.wrong != NULL)
		return chain.wrong;
	if (status == WR_NO_MEMORY)
		return no_memory;
	if (status != WR_OK)
		return "is not PEM, or is cut";
	if (self->chain_count == 0)
		return "has no certificate in PEM (-----BEGIN CERTIFICATE-----)";
	for (size_t i = 0; i < self->chain_count; i++) {
		self->chain[i].data = (unsigned char *)self->bytes.data + at;
		self->chain[i].data_len = chain.ends[i] - at;
		at = chain.ends[i];
	}
	return NULL;
}

/* What is wrong with a certificate, or NULL; its key is then in the decoder. */
static const char *judge_certificate(br_x509_decoder_context *decoder,
				     const br_x509_certificate *certificate)
{
	br_x509_decoder_init(decoder, NULL, NULL);
	br_x509_decoder_push(decoder, certificate->data, certificate->data_len);
	switch (br_x509_decoder_last_error(decoder)) {
	case 0:
		return NULL;
	case BR_ERR_X509_UNSUPPORTED:
		return "has a certificate with a key of a kind that is not supported; use RSA of "
		       "2048 to 4096 bits, or EC P-256, P-384 or P-521 (no Ed25519, no RSA-PSS)";
	default:
		return "has a certificate that is damaged";
	}
}

/* ---- the key ---- */

static const struct {
	const char *name;
	enum wr_tls_key_form form;
} forms[] = {
	{"PRIVATE KEY", WR_TLS_KEY_PKCS8},
	{"RSA PRIVATE KEY", WR_TLS_KEY_PLAIN_RSA},
	{"EC PRIVATE KEY", WR_TLS_KEY_PLAIN_EC},
};

struct key_walk {
	struct wr_tls_identity *identity;
	const char *wrong;
	bool is_found;
};

static const char *text_of(enum wr_tls_key_verdict verdict)
{
	switch (verdict) {
	case WR_TLS_KEY_OK:
		return NULL;
	case WR_TLS_KEY_BROKEN:
		return "has a private key that is damaged";
	case WR_TLS_KEY_UNSUPPORTED:
		return "has a private key of a kind that is not supported; use RSA of 2048 to 4096 "
		       "bits, or EC P-256, P-384 or P-521 (no Ed25519, no RSA-PSS)";
	case WR_TLS_KEY_SIZE:
		return "has an RSA key that is not of 2048 to 4096 bits";
	}
	wr_unreachable();
}

static bool take_key(void *context, const char *name, struct wr_view der)
{
	struct key_walk *self = context;
	struct wr_tls_identity *identity = self->identity;

	if (strcmp(name, "ENCRYPTED PRIVATE KEY") == 0) {
		self->wrong = "has an encrypted key, and there is nobody to ask for its password; "
			      "decrypt it (openssl pkey) and chmod 600 it";
		return false;
	}
	for (size_t i = 0; i < WR_COUNT(forms); i++) {
		if (strcmp(name, forms[i].name) != 0)
			continue;
		if (self->is_found) {
			self->wrong = "has more than one private key";
			return false;
		}
		self->is_found = true;
		wr_buf_init(&identity->key_bytes, identity->bytes.allocator, der.bytes);
		if (wr_buf_append_view(&identity->key_bytes, der) != WR_OK)
			self->wrong = no_memory;
		else
			self->wrong = text_of(wr_tls_key_read(&identity->key, forms[i].form,
							      wr_buf_view(&identity->key_bytes)));
		return self->wrong == NULL;
	}
	return true; /* EC PARAMETERS, certificates */
}

/* Whether an old form of encryption is in it: a header that no decoder of today reads. */
static bool has_encryption_header(struct wr_view text)
{
	const struct wr_view header = WR_VIEW("Proc-Type:");

	for (; text.bytes >= header.bytes; text = wr_view_skip(text, 1))
		if (wr_view_starts(text, header))
			return true;
	return false;
}

static void point_to(unsigned char **data, size_t *bytes, struct wr_view view)
{
	/* The engine only reads it, its struct forgot to say so. */
	memcpy(data, &view.data, sizeof view.data);
	*bytes = view.bytes;
}

static void make_keys(struct wr_tls_identity *self)
{
	const struct wr_tls_key *key = &self->key;

	if (key->kind == WR_TLS_KEY_EC) {
		self->ec.curve = key->curve;
		point_to(&self->ec.x, &self->ec.xlen, key->x);
		return;
	}
	self->rsa.n_bitlen = key->n_bits;
	point_to(&self->rsa.p, &self->rsa.plen, key->p);
	point_to(&self->rsa.q, &self->rsa.qlen, key->q);
	point_to(&self->rsa.dp, &self->rsa.dplen, key->dp);
	point_to(&self->rsa.dq, &self->rsa.dqlen, key->dq);
	point_to(&self->rsa.iq, &self->rsa.iqlen, key->iq);
}

static const char *read_key(struct wr_tls_identity *self, struct wr_allocator *allocator,
			    struct wr_view text)
{
	struct key_walk walk = {.identity = self};
	struct wr_buf scratch;
	enum wr_status status = WR_NO_MEMORY;

	if (has_encryption_header(text))
		return "has an encrypted key, and there is nobody to ask for its password; decrypt "
		       "it (openssl pkey) and chmod 600 it";
	wr_buf_init(&scratch, allocator, text.bytes + 1);
	/* At once: a buffer that grew would leave a copy behind. */
	if (text.bytes != 0 && wr_buf_reserve(&scratch, text.bytes) != NULL)
		status = wr_tls_pem_walk(text, &scratch, take_key, &walk);
	wr_tls_wipe(&scratch);
	if (walk.wrong != NULL)
		return walk.wrong;
	if (status == WR_NO_MEMORY)
		return no_memory;
	if (status != WR_OK)
		return "is not PEM, or is cut";
	if (!walk.is_found)
		return "has no private key in PEM (-----BEGIN PRIVATE KEY-----)";
	make_keys(self);
	return NULL;
}

/* ---- whether they belong together ---- */

enum { HASH_BYTES = 32, RSA_BYTES_MAX = 512, ECDSA_BYTES_MAX = 160 };

static bool rsa_matches(const br_rsa_private_key *key, const br_rsa_public_key *public)
{
	unsigned char hash[HASH_BYTES] = "any thirty-two bytes do, as here", back[HASH_BYTES];
	unsigned char signature[RSA_BYTES_MAX];
	size_t bytes = (key->n_bitlen + 7) / 8;

	wr_assert(bytes <= sizeof signature);
	return br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash, sizeof hash, key,
					       signature) == 1 &&
	       br_rsa_pkcs1_vrfy_get_default()(signature, bytes, BR_HASH_OID_SHA256, sizeof hash,
					       public, back) == 1 &&
	       memcmp(hash, back, sizeof hash) == 0;
}

static bool ec_matches(const br_ec_private_key *key, const br_ec_public_key *public)
{
	const unsigned char hash[HASH_BYTES] = "any thirty-two bytes do, as here";
	unsigned char signature[ECDSA_BYTES_MAX];
	size_t bytes;

	if (key->curve != public->curve)
		return false;
	bytes = br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), &br_sha256_vtable, hash, key,
						 signature);
	return bytes != 0 &&
	       br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), hash, sizeof hash, public,
						signature, bytes) == 1;
}

static bool matches(const struct wr_tls_identity *self, const br_x509_pkey *key)
{
	if (self->key.kind == WR_TLS_KEY_RSA)
		return key->key_type == BR_KEYTYPE_RSA && rsa_matches(&self->rsa, &key->key.rsa);
	return key->key_type == BR_KEYTYPE_EC && ec_matches(&self->ec, &key->key.ec);
}

/* ---- all of it ---- */

bool wr_tls_identity_read(struct wr_tls_identity *self, struct wr_allocator *allocator,
			  struct wr_view certificate_text, const char *certificate_file,
			  struct wr_view key_text, const char *key_file, struct wr_buf *message)
{
	br_x509_decoder_context decoder;
	const char *wrong, *file = certificate_file;

	*self = (struct wr_tls_identity){.chain_count = 0};
	wr_buf_init(&self->bytes, allocator, certificate_text.bytes + 1);
	br_x509_decoder_init(&decoder, NULL, NULL);
	wrong = read_chain(self, allocator, certificate_text);
	/* The last is the first: its key stays in the decoder. */
	for (size_t i = self->chain_count; wrong == NULL && i-- > 0;)
		wrong = judge_certificate(&decoder, &self->chain[i]);
	if (wrong == NULL) {
		file = key_file;
		wrong = read_key(self, allocator, key_text);
	}
	if (wrong == NULL) {
		if (matches(self, br_x509_decoder_get_pkey(&decoder)))
			return true;
		wrong = "is not the key of the first certificate of the other file; give the "
			"server's own certificate first, and its key";
	}
	wr_tls_identity_deinit(self);
	return wr_tls_say(message, file, wrong);
}

bool wr_tls_identity_load(struct wr_tls_identity *self, struct wr_allocator *allocator,
			  const char *certificate_file, const char *key_file,
			  struct wr_buf *message)
{
	struct wr_buf certificate, key;
	bool is_loaded;

	*self = (struct wr_tls_identity){.chain_count = 0};
	wr_buf_init(&certificate, allocator, WR_TLS_CHAIN_BYTES_MAX + 1);
	wr_buf_init(&key, allocator, WR_TLS_KEY_BYTES_MAX + 1);
	is_loaded = wr_tls_file_read(&certificate, certificate_file, WR_TLS_FILE_PUBLIC,
				     WR_TLS_CHAIN_BYTES_MAX, message) &&
		    wr_tls_file_read(&key, key_file, WR_TLS_FILE_SECRET, WR_TLS_KEY_BYTES_MAX,
				     message) &&
		    wr_tls_identity_read(self, allocator, wr_buf_view(&certificate),
					 certificate_file, wr_buf_view(&key), key_file, message);
	wr_buf_deinit(&certificate);
	wr_tls_wipe(&key);
	return is_loaded;
}

void wr_tls_identity_deinit(struct wr_tls_identity *self)
{
	if (self->bytes.allocator != NULL)
		wr_buf_deinit(&self->bytes);
	if (self->key_bytes.allocator != NULL)
		wr_tls_wipe(&self->key_bytes);
	*self = (struct wr_tls_identity){.chain_count = 0};
}
