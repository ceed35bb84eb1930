/* Goal: the hash of FIPS 180-4, whole or in pieces. Method: published vectors, a sum over all short
 * lengths made with another implementation, and every cut of some texts. */
#include "bytes/sha1.h"

#include "check.h"
#include "harness/harness.h"

static void hash(uint8_t out[WR_SHA1_BYTES], struct wr_view first, struct wr_view second)
{
	struct wr_sha1 state;

	wr_sha1_init(&state);
	wr_sha1_feed(&state, first);
	wr_sha1_feed(&state, second);
	wr_sha1_finish(&state, out);
}

static void check_hex(const uint8_t hash_bytes[WR_SHA1_BYTES], const char *expected)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * WR_SHA1_BYTES];

	for (size_t i = 0; i < WR_SHA1_BYTES; i++) {
		hex[2 * i] = digits[hash_bytes[i] >> 4];
		hex[2 * i + 1] = digits[hash_bytes[i] & 15];
	}
	CHECK_STRING(wr_view_of(hex, sizeof hex), expected);
}

static void test_published_vectors(void)
{
	/* FIPS 180-4 examples, also RFC 3174 section 7.3. */
	static const char *const cases[][2] = {
		{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		 "a49b2446a02c645bf419f995b67091253a04a259"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_test_guarded(0, wr_view_of_string(cases[i][0]));
		uint8_t out[WR_SHA1_BYTES];

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
	struct wr_sha1 state;
	uint8_t out[WR_SHA1_BYTES];
	char room[400];
	size_t period = strlen(text);

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = text[i % period];
	wr_sha1_init(&state);
	for (size_t at = 0, piece = 0; at < total; at += piece) {
		piece = (piece * 5 + 1) % 331;
		piece = piece < total - at ? piece : total - at;
		wr_sha1_feed(&state, wr_view_of(room + at % period, piece));
	}
	wr_sha1_finish(&state, out);
	check_hex(out, expected);
}

static void test_long_inputs_in_pieces(void)
{
	/* A million times "a": FIPS 180-4 examples; eighty times "01234567": RFC 3174 section 7.3.
	 */
	check_repeated("a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	check_repeated("01234567", 640, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

static void test_every_length_around_the_padding(void)
{
	struct wr_sha1 sum;
	uint8_t out[WR_SHA1_BYTES], data[260];

	wr_sha1_init(&sum);
	for (size_t bytes = 0; bytes < sizeof data; bytes++) {
		for (size_t i = 0; i < bytes; i++)
			data[i] = (uint8_t)(i * 7 + bytes);
		hash(out, wr_view_of(data, bytes / 3),
		     wr_test_guarded(0, wr_view_of(data + bytes / 3, bytes - bytes / 3)));
		wr_sha1_feed(&sum, wr_view_of(out, sizeof out));
	}
	wr_sha1_finish(&sum, out);
	/* Made with Python's hashlib over the same texts. */
	check_hex(out, "d799b7e7763eb5f7d3e5675e93b827a9eda0b713");
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_published_vectors),
	WR_TEST(test_long_inputs_in_pieces),
	WR_TEST(test_every_length_around_the_padding),
	WR_TEST_END,
};
