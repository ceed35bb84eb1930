/* Goal: private keys are read strictly, and nothing that BearSSL cannot compute with gets through.
 * Method: the fixtures, then every cut and every changed byte of them, against an unmapped page. */
#include "io/tls/tls_private.h"
#include "unit/io/tls/tls_rig.h"

struct found {
	enum wr_tls_key_form form;
	char der[4096];
	size_t bytes;
	unsigned count;
};

static bool take_key(void *context, const char *name, struct wr_view der)
{
	struct found *self = context;

	if (strstr(name, "PRIVATE KEY") == NULL)
		return true;
	self->form = strncmp(name, "RSA", 3) == 0  ? WR_TLS_KEY_PLAIN_RSA
		     : strncmp(name, "EC", 2) == 0 ? WR_TLS_KEY_PLAIN_EC
						   : WR_TLS_KEY_PKCS8;
	CHECK(der.bytes <= sizeof self->der);
	memcpy(self->der, der.data, der.bytes);
	self->bytes = der.bytes;
	self->count++;
	return true;
}

static void load(struct found *out, const char *name)
{
	struct wr_view text = wr_test_read_file(fixture(name));
	struct wr_buf scratch;

	*out = (struct found){.count = 0};
	wr_buf_init(&scratch, wr_test_allocator(), text.bytes);
	CHECK_STATUS(wr_tls_pem_walk(text, &scratch, take_key, out), WR_OK);
	wr_buf_deinit(&scratch);
	CHECK_U64(out->count, 1);
}

static void test_the_kinds_of_keys(void)
{
	static const struct {
		const char *file;
		enum wr_tls_key_verdict verdict;
		enum wr_tls_key_kind kind;
		unsigned size; /* bits of the modulus, or the curve */
	} cases[] = {
		{"rsa.key", WR_TLS_KEY_OK, WR_TLS_KEY_RSA, 2048},
		{"rsa_plain.key", WR_TLS_KEY_OK, WR_TLS_KEY_RSA, 2048},
		{"rsa4096.key", WR_TLS_KEY_OK, WR_TLS_KEY_RSA, 4096},
		{"ec.key", WR_TLS_KEY_OK, WR_TLS_KEY_EC, BR_EC_secp256r1},
		{"ec_plain.key", WR_TLS_KEY_OK, WR_TLS_KEY_EC, BR_EC_secp256r1},
		{"ec384.key", WR_TLS_KEY_OK, WR_TLS_KEY_EC, BR_EC_secp384r1},
		{"ec521.key", WR_TLS_KEY_OK, WR_TLS_KEY_EC, BR_EC_secp521r1},
		{"rsa1024.key", WR_TLS_KEY_SIZE, WR_TLS_KEY_RSA, 1024},
		{"ed25519.key", WR_TLS_KEY_UNSUPPORTED, WR_TLS_KEY_RSA, 0},
		{"explicit_curve.key", WR_TLS_KEY_UNSUPPORTED, WR_TLS_KEY_RSA, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_tls_key key;
		struct found found;
		wr_test_case(cases[i].file);
		load(&found, cases[i].file);
		CHECK(wr_tls_key_read(&key, found.form, wr_view_of(found.der, found.bytes)) ==
		      cases[i].verdict);
		if (cases[i].verdict != WR_TLS_KEY_OK)
			continue;
		CHECK(key.kind == cases[i].kind);
		CHECK_U64(key.kind == WR_TLS_KEY_RSA ? key.n_bits : (unsigned)key.curve,
			  cases[i].size);
	}
}

static const char *const readable[] = {"rsa.key", "rsa_plain.key", "ec.key", "ec_plain.key",
				       "ec521.key"};

static void test_a_key_that_is_cut_or_longer_is_broken(void)
{
	for (size_t i = 0; i < WR_COUNT(readable); i++) {
		struct wr_tls_key key;
		struct found found;
		load(&found, readable[i]);
		for (size_t cut = 0; cut < found.bytes; cut++)
			CHECK(wr_tls_key_read(&key, found.form,
					      wr_test_guarded(0, wr_view_of(found.der, cut))) !=
			      WR_TLS_KEY_OK);
		found.der[found.bytes] = 0;
		CHECK(wr_tls_key_read(&key, found.form, wr_view_of(found.der, found.bytes + 1)) ==
		      WR_TLS_KEY_BROKEN);
	}
}

static bool lies_in(struct wr_view part, struct wr_view whole)
{
	return part.data >= whole.data && part.data + part.bytes <= whole.data + whole.bytes;
}

/* Whatever is in a key that was read can be computed with. */
static void check_bounds(const struct wr_tls_key *key, struct wr_view der)
{
	const struct wr_view *const parts[] = {&key->p, &key->q, &key->dp, &key->dq, &key->iq};

	if (key->kind == WR_TLS_KEY_EC) {
		CHECK(lies_in(key->x, der) && key->x.bytes != 0 && key->x.bytes <= 66);
		CHECK(key->curve >= BR_EC_secp256r1 && key->curve <= BR_EC_secp521r1);
		return;
	}
	CHECK(key->n_bits >= 2048 && key->n_bits <= 4096 && lies_in(key->n, der));
	for (size_t i = 0; i < WR_COUNT(parts); i++)
		CHECK(lies_in(*parts[i], der) && parts[i]->bytes != 0 && parts[i]->bytes <= 260 &&
		      parts[i]->data[0] != 0);
}

static void test_no_changed_byte_gets_a_key_beyond_its_bounds(void)
{
	static const unsigned char changes[] = {0x01, 0x80, 0xff, 0x20};

	for (size_t i = 0; i < WR_COUNT(readable); i++) {
		struct found found;
		load(&found, readable[i]);
		for (size_t at = 0; at < found.bytes; at++)
			for (size_t c = 0; c < sizeof changes; c++) {
				struct wr_tls_key key;
				struct wr_view der;
				found.der[at] = (char)(found.der[at] ^ changes[c]);
				der = wr_test_guarded(0, wr_view_of(found.der, found.bytes));
				for (int form = WR_TLS_KEY_PKCS8; form <= WR_TLS_KEY_PLAIN_EC;
				     form++)
					if (wr_tls_key_read(&key, (enum wr_tls_key_form)form,
							    der) == WR_TLS_KEY_OK)
						check_bounds(&key, der);
				found.der[at] = (char)(found.der[at] ^ changes[c]);
			}
	}
}

static void test_lengths_have_one_spelling(void)
{
	static const struct {
		const char *label;
		struct wr_view der;
	} cases[] = {
		{"nothing", WR_VIEW_INIT("")},
		{"a tag only", WR_VIEW_INIT("\x30")},
		{"an empty sequence", WR_VIEW_INIT("\x30\x00")},
		{"an indefinite length", WR_VIEW_INIT("\x30\x80\x02\x01\x01\x00\x00")},
		{"a long form of what is short",
		 WR_VIEW_INIT("\x30\x81\x06\x02\x01\x01\x04\x01\x01")},
		{"two octets for what fits one",
		 WR_VIEW_INIT("\x30\x82\x00\x06\x02\x01\x01\x04\x01\x01")},
		{"three octets of length", WR_VIEW_INIT("\x30\x83\x00\x00\x06\x02\x01\x01")},
		{"a length beyond the end", WR_VIEW_INIT("\x30\x7f\x02\x01\x01")},
		{"another version", WR_VIEW_INIT("\x30\x06\x02\x01\x02\x04\x01\x01")},
		{"no curve", WR_VIEW_INIT("\x30\x06\x02\x01\x01\x04\x01\x01")},
		{"no number", WR_VIEW_INIT("\x30\x05\x02\x01\x01\x04\x00")},
		{"a set for a sequence", WR_VIEW_INIT("\x31\x06\x02\x01\x01\x04\x01\x01")},
	};
	struct wr_tls_key key;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		for (int form = WR_TLS_KEY_PKCS8; form <= WR_TLS_KEY_PLAIN_EC; form++)
			CHECK(wr_tls_key_read(&key, (enum wr_tls_key_form)form,
					      wr_test_guarded(0, cases[i].der)) ==
			      WR_TLS_KEY_BROKEN);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_kinds_of_keys),
	WR_TEST(test_a_key_that_is_cut_or_longer_is_broken),
	WR_TEST(test_no_changed_byte_gets_a_key_beyond_its_bounds),
	WR_TEST(test_lengths_have_one_spelling),
	WR_TEST_END,
};
