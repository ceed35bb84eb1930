/*
 * tls_key — private keys in DER: RSA (RFC 8017 A.1.2), EC (RFC 5915) and PKCS#8 around either (RFC
 * 5958 version 0).
 *
 * Strict: lengths definite and minimal, integers positive, nothing behind, sizes that BearSSL can
 * compute with. That is why keys are read here and not by its decoder, which in release 0.6 writes
 * beyond its buffer for some of them. Pure: views of what was read, no allocation.
 */
#ifndef WR_IO_TLS_KEY_H
#define WR_IO_TLS_KEY_H

#include "bytes/view.h"

enum wr_tls_key_kind { WR_TLS_KEY_RSA, WR_TLS_KEY_EC };
enum wr_tls_key_form { WR_TLS_KEY_PKCS8, WR_TLS_KEY_PLAIN_RSA, WR_TLS_KEY_PLAIN_EC };

enum wr_tls_key_verdict {
	WR_TLS_KEY_OK,
	WR_TLS_KEY_BROKEN,	/* not DER of that form */
	WR_TLS_KEY_UNSUPPORTED, /* Ed25519, RSA-PSS, another curve */
	WR_TLS_KEY_SIZE		/* RSA below 2048 or above 4096 bits */
};

enum {
	WR_TLS_CURVE_P256 = 23, /* RFC 8422 5.1.1, and BearSSL's numbers */
	WR_TLS_CURVE_P384 = 24,
	WR_TLS_CURVE_P521 = 25
};

/* Views of the DER: unsigned, big-endian, without leading zeros (but for x). */
struct wr_tls_key {
	enum wr_tls_key_kind kind;
	struct wr_view n, p, q, dp, dq, iq;
	unsigned n_bits;
	int curve;
	struct wr_view x;
};

enum wr_tls_key_verdict wr_tls_key_read(struct wr_tls_key *out, enum wr_tls_key_form form,
					struct wr_view der);

#endif
