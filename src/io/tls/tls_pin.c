/*
 * Pins: SHA-256 of the SubjectPublicKeyInfo (RFC 5280 4.1.2.7) of a key.
 *
 * It is written here from the key that the engine will use, and not cut out of the certificate: DER
 * has one form for each of these keys (RFC 3279 2.3.1, RFC 5480 2), so what a certificate has is
 * what is written, and there is no second reader of certificates that could see another key.
 */
#include "bytes/base64.h"
#include "bytes/sha256.h"
#include "check.h"
#include "io/tls/tls_private.h"

#include <string.h>

enum {
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_SEQUENCE = 0x30,
	/* A key of BR_X509_BUFSIZE_KEY (520) bytes, and what is around it. */
	INFO_BYTES_MAX = 640
};

static const struct wr_view rsa_algorithm =
	WR_VIEW_INIT("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
static const struct wr_view ec_algorithms[] = {
	WR_VIEW_INIT(
		"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	WR_VIEW_INIT("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
	WR_VIEW_INIT("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"),
};

/* From the end to the front, so that every length is known when it is written. */
struct writer {
	unsigned char bytes[INFO_BYTES_MAX];
	size_t at;
	bool is_full;
};

static void put(struct writer *self, const void *data, size_t bytes)
{
	if (bytes > self->at) {
		self->is_full = true;
		return;
	}
	self->at -= bytes;
	memcpy(self->bytes + self->at, data, bytes);
}

static void put_byte(struct writer *self, size_t byte)
{
	unsigned char octet = (unsigned char)(byte & 0xff);

	put(self, &octet, 1);
}

/* Tag and length of all that was written since there were `before` bytes left. */
static void close_element(struct writer *self, unsigned tag, size_t before)
{
	size_t bytes = before - self->at;

	put_byte(self, bytes);
	if (bytes > 0xff)
		put_byte(self, bytes >> 8);
	if (bytes > 0x7f)
		put_byte(self, bytes > 0xff ? 0x82 : 0x81);
	put_byte(self, tag);
}

static void put_integer(struct writer *self, const unsigned char *number, size_t bytes)
{
	size_t before = self->at;

	while (bytes > 1 && number[0] == 0) {
		number++;
		bytes--;
	}
	put(self, number, bytes);
	if (bytes == 0 || number[0] >= 0x80)
		put_byte(self, 0);
	close_element(self, TAG_INTEGER, before);
}

static void put_algorithm(struct writer *self, struct wr_view content)
{
	size_t before = self->at;

	put(self, content.data, content.bytes);
	close_element(self, TAG_SEQUENCE, before);
}

static void put_rsa(struct writer *self, const br_rsa_public_key *key)
{
	size_t before = self->at;

	put_integer(self, key->e, key->elen);
	put_integer(self, key->n, key->nlen);
	close_element(self, TAG_SEQUENCE, before);
	put_byte(self, 0); /* unused bits */
	close_element(self, TAG_BITS, before);
	put_algorithm(self, rsa_algorithm);
}

static bool put_ec(struct writer *self, const br_ec_public_key *key)
{
	size_t before = self->at;

	if (key->curve < WR_TLS_CURVE_P256 || key->curve > WR_TLS_CURVE_P521)
		return false;
	put(self, key->q, key->qlen);
	put_byte(self, 0);
	close_element(self, TAG_BITS, before);
	put_algorithm(self, ec_algorithms[key->curve - WR_TLS_CURVE_P256]);
	return true;
}

bool wr_tls_pin_of(struct wr_tls_pin *pin, const br_x509_pkey *key)
{
	struct writer writer = {.at = INFO_BYTES_MAX};

	if (key->key_type == BR_KEYTYPE_RSA)
		put_rsa(&writer, &key->key.rsa);
	else if (key->key_type != BR_KEYTYPE_EC || !put_ec(&writer, &key->key.ec))
		return false;
	close_element(&writer, TAG_SEQUENCE, INFO_BYTES_MAX);
	if (writer.is_full)
		return false;
	wr_sha256_of(pin->hash, wr_view_of(writer.bytes + writer.at, INFO_BYTES_MAX - writer.at));
	return true;
}

bool wr_tls_pin_parse(struct wr_tls_pin *pin, struct wr_view text)
{
	const struct wr_view prefix = WR_VIEW("sha256//");

	_Static_assert(sizeof pin->hash == WR_SHA256_BYTES, "a pin is a hash");
	return wr_view_starts(text, prefix) &&
	       wr_base64_decode(pin->hash, sizeof pin->hash, wr_view_skip(text, prefix.bytes)) ==
		       WR_OK;
}
