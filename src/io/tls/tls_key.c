#include "io/tls/tls_key.h"

#include <stdint.h>

enum {
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_OCTETS = 0x04,
	TAG_NULL = 0x05,
	TAG_OID = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_PARAMETERS = 0xa0, /* [0] of RFC 5915, and the attributes of RFC 5958 */
	TAG_PUBLIC = 0xa1,     /* [1] of RFC 5915 */

	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 4096,
	/* What BearSSL can compute with: BR_MAX_RSA_FACTOR of its inner.h. */
	FACTOR_BYTES_MAX = 260,
	EC_BYTES_MAX = 66
};

static const char oid_rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
static const char oid_ec[] = "\x2a\x86\x48\xce\x3d\x02\x01";

static const struct {
	struct wr_view oid;
	int curve;
} curves[] = {
	{WR_VIEW_INIT("\x2a\x86\x48\xce\x3d\x03\x01\x07"), WR_TLS_CURVE_P256},
	{WR_VIEW_INIT("\x2b\x81\x04\x00\x22"), WR_TLS_CURVE_P384},
	{WR_VIEW_INIT("\x2b\x81\x04\x00\x23"), WR_TLS_CURVE_P521},
};

/* ---- DER (X.690 10) ---- */

static unsigned byte_at(struct wr_view input, size_t at)
{
	return (unsigned char)input.data[at];
}

/* Takes one element of that tag off the front. */
static bool take(struct wr_view *input, unsigned tag, struct wr_view *content)
{
	size_t bytes, head = 2;

	if (input->bytes < 2 || byte_at(*input, 0) != tag)
		return false;
	bytes = byte_at(*input, 1);
	if (bytes >= 0x80) {
		size_t count = bytes & 0x7f;
		if (count == 0 || count > 2 || input->bytes < 2 + count)
			return false; /* nothing here is longer than 65535 bytes */
		bytes = 0;
		for (size_t i = 0; i < count; i++)
			bytes = bytes << 8 | byte_at(*input, 2 + i);
		if (bytes < 0x80 || (count == 2 && bytes < 0x100))
			return false;
		head += count;
	}
	if (bytes > input->bytes - head)
		return false;
	*content = wr_view_of(input->data + head, bytes);
	*input = wr_view_skip(*input, head + bytes);
	return true;
}

/* A positive integer, without the zero that keeps it so. */
static bool take_positive(struct wr_view *input, struct wr_view *number)
{
	if (!take(input, TAG_INTEGER, number) || number->bytes == 0 || byte_at(*number, 0) >= 0x80)
		return false;
	if (byte_at(*number, 0) != 0)
		return true;
	*number = wr_view_skip(*number, 1);
	return number->bytes != 0 && byte_at(*number, 0) >= 0x80;
}

static bool take_version(struct wr_view *input, unsigned version)
{
	struct wr_view number;

	return take(input, TAG_INTEGER, &number) && number.bytes == 1 &&
	       byte_at(number, 0) == version;
}

static unsigned bits_of(struct wr_view number)
{
	unsigned bits = (unsigned)number.bytes * 8;

	for (unsigned top = byte_at(number, 0); top < 0x80; top <<= 1)
		bits--;
	return bits;
}

/* ---- RSA ---- */

static bool is_factor(struct wr_view number)
{
	return number.bytes <= FACTOR_BYTES_MAX;
}

/* RSAPrivateKey of two primes. */
static enum wr_tls_key_verdict read_rsa(struct wr_tls_key *out, struct wr_view der)
{
	struct wr_view body, e, d;
	unsigned bits;

	if (!take(&der, TAG_SEQUENCE, &body) || der.bytes != 0 || !take_version(&body, 0) ||
	    !take_positive(&body, &out->n) || !take_positive(&body, &e) ||
	    !take_positive(&body, &d) || !take_positive(&body, &out->p) ||
	    !take_positive(&body, &out->q) || !take_positive(&body, &out->dp) ||
	    !take_positive(&body, &out->dq) || !take_positive(&body, &out->iq) || body.bytes != 0)
		return WR_TLS_KEY_BROKEN;
	out->kind = WR_TLS_KEY_RSA;
	out->n_bits = bits_of(out->n);
	if (out->n_bits < RSA_BITS_MIN || out->n_bits > RSA_BITS_MAX)
		return WR_TLS_KEY_SIZE;
	/* The product of the primes is as long as the modulus. */
	bits = bits_of(out->p) + bits_of(out->q);
	if (!is_factor(out->p) || !is_factor(out->q) || !is_factor(out->dp) ||
	    !is_factor(out->dq) || !is_factor(out->iq) ||
	    (bits != out->n_bits && bits != out->n_bits + 1))
		return WR_TLS_KEY_BROKEN;
	return WR_TLS_KEY_OK;
}

/* ---- EC ---- */

static int curve_of(struct wr_view oid)
{
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
		if (wr_view_equal(curves[i].oid, oid))
			return curves[i].curve;
	return 0;
}

/* ECPrivateKey; the curve is told inside, or outside (0: not), or twice the same. */
static enum wr_tls_key_verdict read_ec(struct wr_tls_key *out, struct wr_view der, int curve)
{
	struct wr_view body, parameters, oid, public;

	if (!take(&der, TAG_SEQUENCE, &body) || der.bytes != 0 || !take_version(&body, 1) ||
	    !take(&body, TAG_OCTETS, &out->x))
		return WR_TLS_KEY_BROKEN;
	if (take(&body, TAG_PARAMETERS, &parameters)) {
		int inner;
		if (!take(&parameters, TAG_OID, &oid) || parameters.bytes != 0)
			return WR_TLS_KEY_UNSUPPORTED; /* a curve spelled out */
		inner = curve_of(oid);
		if (inner == 0)
			return WR_TLS_KEY_UNSUPPORTED;
		if (curve != 0 && inner != curve)
			return WR_TLS_KEY_BROKEN;
		curve = inner;
	}
	(void)take(&body, TAG_PUBLIC, &public); /* it is derived instead */
	if (body.bytes != 0 || curve == 0 || out->x.bytes == 0 || out->x.bytes > EC_BYTES_MAX)
		return WR_TLS_KEY_BROKEN;
	out->kind = WR_TLS_KEY_EC;
	out->curve = curve;
	return WR_TLS_KEY_OK;
}

/* ---- PKCS#8 ---- */

static enum wr_tls_key_verdict read_pkcs8(struct wr_tls_key *out, struct wr_view der)
{
	struct wr_view body, algorithm, oid, parameters, key, attributes;

	if (!take(&der, TAG_SEQUENCE, &body) || der.bytes != 0 || !take_version(&body, 0) ||
	    !take(&body, TAG_SEQUENCE, &algorithm) || !take(&algorithm, TAG_OID, &oid) ||
	    !take(&body, TAG_OCTETS, &key))
		return WR_TLS_KEY_BROKEN;
	(void)take(&body, TAG_PARAMETERS, &attributes);
	if (body.bytes != 0)
		return WR_TLS_KEY_BROKEN;
	if (wr_view_equal(oid, wr_view_of(oid_rsa, sizeof oid_rsa - 1))) {
		if (!take(&algorithm, TAG_NULL, &parameters) || parameters.bytes != 0 ||
		    algorithm.bytes != 0)
			return WR_TLS_KEY_BROKEN;
		return read_rsa(out, key);
	}
	if (!wr_view_equal(oid, wr_view_of(oid_ec, sizeof oid_ec - 1)))
		return WR_TLS_KEY_UNSUPPORTED;
	if (!take(&algorithm, TAG_OID, &parameters) || algorithm.bytes != 0 ||
	    curve_of(parameters) == 0)
		return WR_TLS_KEY_UNSUPPORTED;
	return read_ec(out, key, curve_of(parameters));
}

enum wr_tls_key_verdict wr_tls_key_read(struct wr_tls_key *out, enum wr_tls_key_form form,
					struct wr_view der)
{
	*out = (struct wr_tls_key){.curve = 0};
	switch (form) {
	case WR_TLS_KEY_PKCS8:
		return read_pkcs8(out, der);
	case WR_TLS_KEY_PLAIN_RSA:
		return read_rsa(out, der);
	case WR_TLS_KEY_PLAIN_EC:
		return read_ec(out, der, 0);
	}
	return WR_TLS_KEY_BROKEN;
}
