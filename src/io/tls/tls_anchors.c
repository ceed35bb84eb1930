/* Whom we trust: the names and keys of CA certificates (RFC 5280 6.1.1 d). */
#include "check.h"
#include "io/tls/tls_private.h"

#include <string.h>
#include <unistd.h>

static const char no_memory[] = "no memory to load it";

/* Where systems keep theirs: Debian and Alpine; SUSE; Fedora; OpenBSD, macOS and Alpine; FreeBSD;
 * NetBSD. */
static const char *const system_files[] = {
	"/etc/ssl/certs/ca-certificates.crt",	  "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",	  "/etc/ssl/cert.pem",
	"/usr/local/share/certs/ca-root-nss.crt", "/etc/openssl/certs/ca-certificates.crt",
};

/* ---- one certificate ---- */

static void append_name(void *context, const void *data, size_t bytes)
{
	(void)wr_buf_append(context, data, bytes);
}

static size_t key_bytes(const br_x509_pkey *key)
{
	return key->key_type == BR_KEYTYPE_RSA ? key->key.rsa.nlen + key->key.rsa.elen
					       : key->key.ec.qlen;
}

static size_t block_bytes(const br_x509_trust_anchor *anchor)
{
	return anchor->dn.len + key_bytes(&anchor->pkey);
}

/* Name and key behind each other in a block of its own. */
static bool copy_anchor(br_x509_trust_anchor *out, struct wr_allocator *allocator,
			struct wr_view name, const br_x509_pkey *key)
{
	unsigned char *to = wr_allocator_take(allocator, name.bytes + key_bytes(key));

	if (to == NULL)
		return false;
	out->flags = BR_X509_TA_CA;
	out->dn.data = to;
	out->dn.len = name.bytes;
	memcpy(to, name.data, name.bytes);
	to += name.bytes;
	out->pkey = *key;
	if (key->key_type == BR_KEYTYPE_RSA) {
		out->pkey.key.rsa.n = to;
		memcpy(to, key->key.rsa.n, key->key.rsa.nlen);
		to += key->key.rsa.nlen;
		out->pkey.key.rsa.e = to;
		memcpy(to, key->key.rsa.e, key->key.rsa.elen);
	} else {
		out->pkey.key.ec.q = to;
		memcpy(to, key->key.ec.q, key->key.ec.qlen);
	}
	return true;
}

static bool grow(struct wr_tls_anchors *self)
{
	size_t capacity = self->capacity != 0 ? self->capacity * 2 : 4;
	br_x509_trust_anchor *list;

	if (self->count < self->capacity)
		return true;
	list = wr_allocator_resize(self->allocator, self->list, self->capacity * sizeof *list,
				   capacity * sizeof *list);
	if (list == NULL)
		return false;
	self->list = list;
	self->capacity = capacity;
	return true;
}

struct walk {
	struct wr_tls_anchors *anchors;
	bool skips_unsupported;
	const char *wrong;
};

/* What is wrong with it; NULL also when it is skipped. */
static const char *take_der(struct walk *self, struct wr_view der)
{
	struct wr_tls_anchors *anchors = self->anchors;
	br_x509_decoder_context decoder;
	const char *wrong = NULL;
	struct wr_buf name;

	wr_buf_init(&name, anchors->allocator, der.bytes);
	br_x509_decoder_init(&decoder, append_name, &name);
	br_x509_decoder_push(&decoder, der.data, der.bytes);
	if (wr_buf_status(&name) != WR_OK)
		wrong = no_memory;
	else if (br_x509_decoder_last_error(&decoder) != 0 || name.bytes == 0 ||
		 !br_x509_decoder_isCA(&decoder))
		wrong = "";
	else if (!grow(anchors) || !copy_anchor(&anchors->list[anchors->count], anchors->allocator,
						wr_buf_view(&name), &decoder.pkey))
		wrong = no_memory;
	else
		anchors->count++;
	wr_buf_deinit(&name);
	if (wrong == NULL || wrong == no_memory)
		return wrong;
	anchors->skipped_count++;
	if (self->skips_unsupported)
		return NULL;
	return br_x509_decoder_last_error(&decoder) == BR_ERR_X509_UNSUPPORTED
		       ? "has a certificate with a key of a kind that is not supported; a CA must "
			 "have an RSA or EC key (no Ed25519, no RSA-PSS)"
	       : br_x509_decoder_last_error(&decoder) != 0
		       ? "has a certificate that is damaged"
		       : "has a certificate that is not a CA's; to trust one key alone, pin it";
}

static bool take_certificate(void *context, const char *name, struct wr_view der)
{
	struct walk *self = context;

	if (strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0)
		self->wrong = take_der(self, der);
	return self->wrong == NULL;
}

/* ---- a file ---- */

bool wr_tls_anchors_read(struct wr_tls_anchors *self, struct wr_allocator *allocator,
			 struct wr_view text, const char *file, bool skips_unsupported,
			 struct wr_buf *message)
{
	struct walk walk = {.anchors = self, .skips_unsupported = skips_unsupported};
	struct wr_buf scratch;
	enum wr_status status;

	*self = (struct wr_tls_anchors){.allocator = allocator};
	wr_buf_init(&scratch, allocator, text.bytes + 1);
	status = wr_tls_pem_walk(text, &scratch, take_certificate, &walk);
	wr_buf_deinit(&scratch);
	if (walk.wrong == NULL && status == WR_NO_MEMORY)
		walk.wrong = no_memory;
	else if (walk.wrong == NULL && status != WR_OK)
		walk.wrong = "is not PEM, or is cut";
	else if (walk.wrong == NULL && self->count == 0)
		walk.wrong = "has no CA certificate in PEM (-----BEGIN CERTIFICATE-----)";
	if (walk.wrong == NULL)
		return true;
	wr_tls_anchors_deinit(self);
	return wr_tls_say(message, file, walk.wrong);
}

static const char *find_system_file(void)
{
	for (size_t i = 0; i < WR_COUNT(system_files); i++)
		if (access(system_files[i], R_OK) == 0)
			return system_files[i];
	return NULL;
}

bool wr_tls_anchors_load(struct wr_tls_anchors *self, struct wr_allocator *allocator,
			 const char *file, struct wr_buf *message)
{
	const char *from = file != NULL ? file : find_system_file();
	struct wr_buf text;
	bool is_loaded;

	*self = (struct wr_tls_anchors){.allocator = allocator};
	if (from == NULL)
		return wr_tls_say(message, "trust anchors",
				  "this system has none where they usually are; name a file of CA "
				  "certificates, or pin a key");
	wr_buf_init(&text, allocator, WR_TLS_ANCHORS_BYTES_MAX + 1);
	is_loaded = wr_tls_file_read(&text, from, WR_TLS_FILE_PUBLIC, WR_TLS_ANCHORS_BYTES_MAX,
				     message) &&
		    wr_tls_anchors_read(self, allocator, wr_buf_view(&text), from, file == NULL,
					message);
	wr_buf_deinit(&text);
	return is_loaded;
}

void wr_tls_anchors_deinit(struct wr_tls_anchors *self)
{
	if (self->allocator == NULL)
		return;
	for (size_t i = 0; i < self->count; i++)
		wr_allocator_free(self->allocator, self->list[i].dn.data,
				  block_bytes(&self->list[i]));
	wr_allocator_free(self->allocator, self->list, self->capacity * sizeof *self->list);
	*self = (struct wr_tls_anchors){.allocator = self->allocator};
}
