/*
 * Private keys in DER. Options: the form.
 *
 * What is accepted lies in the input and within the bounds of BearSSL's arithmetic; it is a key of
 * no other form, of no shorter input, and of none with something behind it.
 */
#include "fuzz.h"
#include "io/tls/tls_key.h"

static void check_key(const struct wr_tls_key *key, struct wr_view input)
{
	const struct wr_view *const parts[] = {&key->p, &key->q, &key->dp, &key->dq, &key->iq};

	if (key->kind == WR_TLS_KEY_EC) {
		CHECK(fuzz_lies_in(key->x, input) && key->x.bytes != 0 && key->x.bytes <= 66);
		CHECK(key->curve >= WR_TLS_CURVE_P256 && key->curve <= WR_TLS_CURVE_P521);
		return;
	}
	CHECK(fuzz_lies_in(key->n, input) && key->n_bits >= 2048 && key->n_bits <= 4096);
	CHECK_U64(key->n.bytes, (key->n_bits + 7) / 8);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		CHECK(fuzz_lies_in(*parts[i], input) && parts[i]->bytes != 0 &&
		      parts[i]->bytes <= 260 && parts[i]->data[0] != '\0');
}

void fuzz_one(struct wr_view input)
{
	enum wr_tls_key_form form = (enum wr_tls_key_form)(fuzz_u8(&input) % 3u);
	uint8_t suffix = fuzz_u8(&input);
	struct wr_tls_key key;
	struct wr_view whole = wr_test_guarded(0, input);

	if (wr_tls_key_read(&key, form, whole) != WR_TLS_KEY_OK)
		return;
	check_key(&key, whole);
	for (int other = WR_TLS_KEY_PKCS8; other <= WR_TLS_KEY_PLAIN_EC; other++)
		CHECK((wr_tls_key_read(&key, (enum wr_tls_key_form)other, whole) ==
		       WR_TLS_KEY_OK) == (other == (int)form));
	for (size_t bytes = 0; bytes < input.bytes; bytes++)
		CHECK(wr_tls_key_read(&key, form,
				      wr_test_guarded(1, wr_view_of(input.data, bytes))) !=
		      WR_TLS_KEY_OK);
	CHECK(wr_tls_key_read(&key, form, fuzz_join(1, whole, fuzz_suffix(suffix))) ==
	      WR_TLS_KEY_BROKEN);
}
