/* Goal: the hash of FIPS 180-4, whole or in pieces. Method: published vectors, a sum over all short
 * lengths made with another implementation, and every cut of some texts. */
#include "bytes/sha256.h"

#include "check.h"
#include "harness/harness.h"

static void hash(uint8_t out[WR_SHA256_BYTES], struct wr_view first, struct wr_view second)
{
	struct wr_sha256 state;

	wr_sha256_init(&state);
	wr_sha256_feed(&state, first);
	wr_sha256_feed(&state, second);
	wr_sha256_finish(&state, out);
}

static void check_hex(const uint8_t hash_bytes[WR_SHA256_BYTES], const char *expected)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * WR_SHA256_BYTES];

	for (size_t i = 0; i < WR_SHA256_BYTES; i++) {
		hex[2 * i] = digits[hash_bytes[i] >> 4];
		hex[2 * i + 1] = digits[hash_bytes[i] & 15];
	}
	CHECK_STRING(wr_view_of(hex, sizeof hex), expected);
}

static void test_published_vectors(void)
{
	/* FIPS 180-4 examples. */
	static const char *const cases[][2] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_test_guarded(0, wr_view_of_string(cases[i][0]));
		uint8_t out[WR_SHA256_BYTES];

		wr_test_case(cases[i][0]);
		hash(out, text, WR_VIEW_NULL);
		check_hex(out, cases[i][1]);
		for (size_t cut = 0; cut <= text.bytes; cut++) {
			hash(out, wr_view_of(text.data, cut), wr_view_skip(text, cut));
			check_hex(out, cases[i][1]);
		}
	}
}

/* Feeds `total` bytes of the repeated text, in pieces of all lengths. */
static void check_repeated(const char *text, size_t total, const char *expected)
{
	struct wr_sha256 state;
	uint8_t out[WR_SHA256_BYTES];
	char room[400];
	size_t period = strlen(text);

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = text[i % period];
	wr_sha256_init(&state);
	for (size_t at = 0, piece = 0; at < total; at += piece) {
		piece = (piece * 5 + 1) % 331;
		piece = piece < total - at ? piece : total - at;
		wr_sha256_feed(&state, wr_view_of(room + at % period, piece));
	}
	wr_sha256_finish(&state, out);
	check_hex(out, expected);
}

static void test_long_inputs_in_pieces(void)
{
	/* A million times "a": FIPS 180-4 examples; eighty times "01234567": RFC 3174 section 7.3.
	 */
	check_repeated("a", 1000000,
		       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	check_repeated("01234567", 640,
		       "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5");
}

static void test_every_length_around_the_padding(void)
{
	struct wr_sha256 sum;
	uint8_t out[WR_SHA256_BYTES], data[260];

	wr_sha256_init(&sum);
	for (size_t bytes = 0; bytes < sizeof data; bytes++) {
		for (size_t i = 0; i < bytes; i++)
			data[i] = (uint8_t)(i * 7 + bytes);
		hash(out, wr_view_of(data, bytes / 3),
		     wr_test_guarded(0, wr_view_of(data + bytes / 3, bytes - bytes / 3)));
		wr_sha256_feed(&sum, wr_view_of(out, sizeof out));
	}
	wr_sha256_finish(&sum, out);
	/* Made with Python's hashlib over the same texts. */
	check_hex(out, "05276a25574d3f5608fda82219045118e93a9ca197ecafd98f2b51fea6680a3e");
}

static void test_of_one_view(void)
{
	uint8_t out[WR_SHA256_BYTES];

	wr_sha256_of(out, WR_VIEW("abc"));
	check_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	wr_sha256_of(out, WR_VIEW_NULL);
	check_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_published_vectors),
	WR_TEST(test_long_inputs_in_pieces),
	WR_TEST(test_every_length_around_the_padding),
	WR_TEST(test_of_one_view),
	WR_TEST_END,
};
