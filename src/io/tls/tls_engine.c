/* What engines of both sides are told (reliability 11): TLS 1.2, ECDHE, AEAD, and nothing else. */
#include "check.h"
#include "io/entropy.h"
#include "io/tls/tls_private.h"

enum { ENTROPY_BYTES = 32 };

void wr_tls_engine_init(br_ssl_engine_context *engine, const char **protocols)
{
	br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
	br_ssl_engine_add_flags(engine, BR_OPT_ENFORCE_SERVER_PREFERENCES |
						BR_OPT_NO_RENEGOTIATION |
						BR_OPT_FAIL_ON_ALPN_MISMATCH);
	br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(engine, &br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(engine, &br_tls12_sha384_prf);
	br_ssl_engine_set_default_ec(engine);
	br_ssl_engine_set_default_chapol(engine);
	br_ssl_engine_set_default_aes_gcm(engine);
	br_ssl_engine_set_protocol_names(engine, protocols, 1);
}

void wr_tls_engine_set_suites(br_ssl_engine_context *engine, unsigned key_type)
{
	/* ChaCha20 first: in software AES is slower by far, as it has to run in constant time. */
	static const uint16_t suites[] = {
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	};
	enum { OF_ONE_KIND = 3 };

	if (key_type == 0)
		br_ssl_engine_set_suites(engine, suites, WR_COUNT(suites));
	else if (key_type == BR_KEYTYPE_EC)
		br_ssl_engine_set_suites(engine, suites, OF_ONE_KIND);
	else
		br_ssl_engine_set_suites(engine, suites + OF_ONE_KIND, OF_ONE_KIND);
}

void wr_tls_engine_set_verify(br_ssl_engine_context *engine, struct wr_tls_judge *judge)
{
	/* Without these two every signature of the peer is refused. */
	br_ssl_engine_set_default_rsavrfy(engine);
	br_ssl_engine_set_default_ecdsa(engine);
	br_ssl_engine_set_x509(engine, &judge->vtable);
}

bool wr_tls_engine_seed(br_ssl_engine_context *engine)
{
	unsigned char entropy[ENTROPY_BYTES];

	if (wr_entropy_fill(entropy, sizeof entropy) != WR_OK)
		return false;
	br_ssl_engine_inject_entropy(engine, entropy, sizeof entropy);
	return br_ssl_engine_last_error(engine) == BR_ERR_OK;
}
