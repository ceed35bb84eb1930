/*
 * Which certificate of the peer is good enough, as an X.509 engine of BearSSL.
 *
 * By anchors its "minimal" engine does the work, and we add what it has not: a name that is checked
 * although it is not sent, no certificate that is for an address, and a list of keys. By pin
 * nothing of the chain counts but the key of its first certificate. The pin is computed from the
 * very key that the handshake then uses, so no certificate can show one key to us and another one
 * to the engine.
 */
#include "check.h"
#include "io/clock.h"
#include "io/tls/tls_private.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	RSA_BYTES_MIN = 256,
	SECONDS_PER_DAY = 86400,
	/* Days from year 0 to 1970, as BearSSL counts. */
	DAYS_TO_1970 = 719528
};

/* 2024: a clock that is before this has not been set since the board was switched on. */
static const int64_t clock_s_min = 1704067200;

bool wr_tls_is_address(const char *name)
{
	struct in6_addr address;

	return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static struct wr_tls_judge *of(const br_x509_class **context)
{
	return wr_container_of(context, struct wr_tls_judge, vtable);
}

static const struct wr_tls_judge *of_const(const br_x509_class *const *context)
{
	const void *place = (const unsigned char *)(const void *)context -
			    offsetof(struct wr_tls_judge, vtable);

	return place;
}

static bool is_listed(const struct wr_tls_judge *self, const br_x509_pkey *key)
{
	struct wr_tls_pin pin;

	if (key == NULL || !wr_tls_pin_of(&pin, key))
		return false;
	for (size_t i = 0; i < self->pin_count; i++)
		if (memcmp(self->pins[i].hash, pin.hash, sizeof pin.hash) == 0)
			return true;
	return false;
}

/* ---- by anchors ---- */

static void start_chain(const br_x509_class **context, const char *server_name)
{
	struct wr_tls_judge *self = of(context);

	(void)server_name; /* the one that is sent: ours is there also when none is */
	self->minimal.vtable->start_chain(&self->minimal.vtable,
					  self->name[0] != '\0' ? self->name : NULL);
}

static void start_cert(const br_x509_class **context, uint32_t bytes)
{
	struct wr_tls_judge *self = of(context);

	self->minimal.vtable->start_cert(&self->minimal.vtable, bytes);
}

static void append(const br_x509_class **context, const unsigned char *data, size_t bytes)
{
	struct wr_tls_judge *self = of(context);

	self->minimal.vtable->append(&self->minimal.vtable, data, bytes);
}

static void end_cert(const br_x509_class **context)
{
	struct wr_tls_judge *self = of(context);

	self->minimal.vtable->end_cert(&self->minimal.vtable);
}

static unsigned end_chain(const br_x509_class **context)
{
	struct wr_tls_judge *self = of(context);
	unsigned error = self->minimal.vtable->end_chain(&self->minimal.vtable), usages;

	/* The engine would take an address for a name, and so for one of a wildcard, or of the
	 * subject (RFC 6125 6.4 knows only addresses among the alternative names, which it skips).
	 */
	if (error == 0 && self->name[0] != '\0' && wr_tls_is_address(self->name))
		error = BR_ERR_X509_BAD_SERVER_NAME;
	if (error == 0 && self->pin_count != 0 &&
	    !is_listed(self, self->minimal.vtable->get_pkey(&self->minimal.vtable, &usages)))
		error = BR_ERR_X509_NOT_TRUSTED;
	/* Told apart, as the remedy is another one. */
	if (error == BR_ERR_X509_EXPIRED && wr_clock_wall_ms() / 1000 < clock_s_min)
		error = BR_ERR_X509_TIME_UNKNOWN;
	return error;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *context, unsigned *usages)
{
	const struct wr_tls_judge *self = of_const(context);

	return self->minimal.vtable->get_pkey(&self->minimal.vtable, usages);
}

static const br_x509_class by_anchors = {
	sizeof(struct wr_tls_judge), start_chain, start_cert, append, end_cert, end_chain, get_pkey,
};

void wr_tls_judge_by_anchors(struct wr_tls_judge *self, const struct wr_tls_anchors *anchors,
			     const char *name, const struct wr_tls_pin *pins, size_t pin_count)
{
	int64_t now_s = wr_clock_wall_ms() / 1000;
	size_t name_bytes = name != NULL ? strlen(name) : 0;

	wr_assert(name_bytes <= WR_TLS_NAME_BYTES_MAX);
	self->vtable = &by_anchors;
	self->pins = pins;
	self->pin_count = pin_count;
	if (name_bytes != 0)
		memcpy(self->name, name, name_bytes);
	self->name[name_bytes] = '\0';
	br_x509_minimal_init(&self->minimal, &br_sha256_vtable, anchors->list, anchors->count);
	br_x509_minimal_set_rsa(&self->minimal, br_rsa_pkcs1_vrfy_get_default());
	br_x509_minimal_set_ecdsa(&self->minimal, br_ec_get_default(),
				  br_ecdsa_vrfy_asn1_get_default());
	br_x509_minimal_set_hash(&self->minimal, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(&self->minimal, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(&self->minimal, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_minrsa(&self->minimal, RSA_BYTES_MIN);
	if (now_s >= 0) /* before 1970 nothing is valid, and the count below would not hold */
		br_x509_minimal_set_time(&self->minimal,
					 (uint32_t)(now_s / SECONDS_PER_DAY + DAYS_TO_1970),
					 (uint32_t)(now_s % SECONDS_PER_DAY));
}

/* ---- by pin ---- */

static void pin_start_chain(const br_x509_class **context, const char *server_name)
{
	struct wr_tls_judge *self = of(context);

	(void)server_name;
	self->is_first = true;
	br_x509_decoder_init(&self->decoder, NULL, NULL);
}

static void pin_start_cert(const br_x509_class **context, uint32_t bytes)
{
	(void)context;
	(void)bytes;
}

static void pin_append(const br_x509_class **context, const unsigned char *data, size_t bytes)
{
	struct wr_tls_judge *self = of(context);

	if (self->is_first)
		br_x509_decoder_push(&self->decoder, data, bytes);
}

static void pin_end_cert(const br_x509_class **context)
{
	of(context)->is_first = false;
}

/* NULL unless a whole certificate was read. */
static const br_x509_pkey *pin_get_pkey(const br_x509_class *const *context, unsigned *usages)
{
	const struct wr_tls_judge *self = of_const(context);

	if (usages != NULL)
		*usages = BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN;
	if (!self->decoder.decoded || self->decoder.err != 0)
		return NULL;
	return &self->decoder.pkey;
}

static unsigned pin_end_chain(const br_x509_class **context)
{
	struct wr_tls_judge *self = of(context);
	int error = br_x509_decoder_last_error(&self->decoder);

	if (error != 0)
		return (unsigned)error;
	return is_listed(self, br_x509_decoder_get_pkey(&self->decoder)) ? 0u
									 : BR_ERR_X509_NOT_TRUSTED;
}

static const br_x509_class by_pin = {
	sizeof(struct wr_tls_judge),
	pin_start_chain,
	pin_start_cert,
	pin_append,
	pin_end_cert,
	pin_end_chain,
	pin_get_pkey,
};

void wr_tls_judge_by_pin(struct wr_tls_judge *self, const struct wr_tls_pin *pin)
{
	self->vtable = &by_pin;
	self->pins = pin;
	self->pin_count = 1;
	self->name[0] = '\0';
}
