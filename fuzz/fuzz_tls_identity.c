/*
 * Certificates and keys in PEM. Options: what is read (a chain with its key; trust anchors, strict
 * or not), where the input is cut in two, which allocation fails.
 *
 * What is accepted has a chain within its bounds, in memory of its own, and a pin for every key;
 * what is refused has a message, with nothing of the input in it, and leaves nothing behind; with
 * memory for it the verdict is the same as without the failure.
 */
#include "fuzz.h"
#include "io/tls/tls_private.h"

enum { KEY_BYTES_MAX = 8192 };

static struct wr_buf message;
static char storage[512];

static void check_message(bool is_accepted)
{
	CHECK(is_accepted == (message.bytes == 0));
	for (size_t i = 0; i < message.bytes; i++)
		CHECK(message.data[i] >= ' ' && message.data[i] <= '~');
	wr_buf_reset(&message);
}

static void check_identity(const struct wr_tls_identity *identity)
{
	CHECK(identity->chain_count != 0 && identity->chain_count <= WR_TLS_CHAIN_COUNT_MAX);
	for (size_t i = 0; i < identity->chain_count; i++) {
		const br_x509_certificate *certificate = &identity->chain[i];
		br_x509_decoder_context decoder;
		struct wr_tls_pin pin;
		CHECK(fuzz_lies_in(wr_view_of(certificate->data, certificate->data_len),
				   wr_buf_view(&identity->bytes)));
		br_x509_decoder_init(&decoder, NULL, NULL);
		br_x509_decoder_push(&decoder, certificate->data, certificate->data_len);
		CHECK(br_x509_decoder_get_pkey(&decoder) != NULL);
		(void)wr_tls_pin_of(&pin, br_x509_decoder_get_pkey(&decoder));
	}
}

static bool read_identity(struct wr_view certificate, struct wr_view key)
{
	struct wr_tls_identity identity;
	bool is_accepted = wr_tls_identity_read(&identity, wr_test_allocator(), certificate, "C",
						key, "K", &message);

	check_message(is_accepted);
	if (is_accepted)
		check_identity(&identity);
	if (is_accepted)
		wr_tls_identity_deinit(&identity);
	return is_accepted;
}

static bool read_anchors(struct wr_view text, bool is_lenient)
{
	struct wr_tls_anchors anchors;
	bool is_accepted =
		wr_tls_anchors_read(&anchors, wr_test_allocator(), text, "A", is_lenient, &message);

	check_message(is_accepted);
	CHECK(is_accepted == (anchors.count != 0));
	CHECK(!is_accepted || is_lenient || anchors.skipped_count == 0);
	wr_tls_anchors_deinit(&anchors);
	return is_accepted;
}

static bool read_it(unsigned what, struct wr_view first, struct wr_view second)
{
	return what == 0 ? read_identity(first, second) : read_anchors(first, what == 2);
}

void fuzz_one(struct wr_view input)
{
	unsigned what = fuzz_u8(&input) % 3u;
	size_t cut = fuzz_u16(&input);
	unsigned failing = fuzz_u8(&input);
	struct wr_view first, second;
	bool is_accepted, is_failed;

	if (input.bytes > KEY_BYTES_MAX)
		return;
	wr_buf_init_fixed(&message, storage, sizeof storage);
	first = wr_test_guarded(0, fuzz_take(&input, what == 0 ? cut : input.bytes));
	second = wr_test_guarded(1, input);
	is_accepted = read_it(what, first, second);
	if (failing == 0)
		return;
	wr_test_fail_allocation(failing, true);
	is_failed = !read_it(what, first, second);
	if (!wr_test_allocation_failed())
		CHECK(is_failed == !is_accepted);
	wr_test_fail_allocation(0, false);
}
