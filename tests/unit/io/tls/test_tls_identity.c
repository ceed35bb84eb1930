/* Goal: files that would make handshakes fail are refused when they are read, with a text that
 * names the file and the remedy; nothing of a key is in it; a reload is whole or not at all.
 * Method: the fixtures in all wrong combinations; allocations that fail. */
#include "io/tls/tls_private.h"
#include "unit/io/tls/tls_rig.h"

static bool message_has(const char *text)
{
	size_t bytes = strlen(text);

	for (size_t at = 0; at + bytes <= rig.message.bytes; at++)
		if (memcmp(rig.message.data + at, text, bytes) == 0)
			return true;
	fprintf(stderr, "not \"%s\": %.*s\n", text, (int)rig.message.bytes, rig.message.data);
	return false;
}

static bool load(const char *certificate, const char *key)
{
	struct wr_tls_identity identity;
	bool is_loaded;

	rig_message(&rig.message);
	is_loaded = wr_tls_identity_load(&identity, wr_test_allocator(), certificate, key,
					 &rig.message);
	CHECK(is_loaded == (rig.message.bytes == 0));
	if (is_loaded)
		wr_tls_identity_deinit(&identity);
	return is_loaded;
}

static void test_certificates_and_keys_that_belong_together(void)
{
	static const char *const pairs[][2] = {
		{"rsa.pem", "rsa.key"},		{"rsa.pem", "rsa_plain.key"},
		{"rsa4096.pem", "rsa4096.key"}, {"ec.pem", "ec.key"},
		{"ec.pem", "ec_plain.key"},	{"ec384.pem", "ec384.key"},
		{"ec521.pem", "ec521.key"},	{"chained.pem", "chained.key"},
	};

	for (size_t i = 0; i < WR_COUNT(pairs); i++) {
		wr_test_case(pairs[i][1]);
		CHECK(load(fixture(pairs[i][0]), key_file(pairs[i][1])));
	}
}

static void test_what_is_refused_says_what_to_do(void)
{
	static const struct {
		const char *certificate, *key, *text;
	} cases[] = {
		{"rsa.pem", "ec.key", "is not the key of the first certificate"},
		{"ec.pem", "rsa.key", "is not the key of the first certificate"},
		{"ec.pem", "chained.key", "is not the key of the first certificate"},
		{"ec.pem", "ec384.key", "is not the key of the first certificate"},
		{"rsa.pem", "client_rsa.key", "is not the key of the first certificate"},
		{"ec.pem", "ed25519.key", "no Ed25519"},
		{"ed25519.pem", "ed25519.key", "no Ed25519"},
		{"rsa1024.pem", "rsa1024.key", "not of 2048 to 4096 bits"},
		{"ec.pem", "explicit_curve.key", "kind that is not supported"},
		{"ec.pem", "encrypted.key", "decrypt it"},
		{"rsa.pem", "encrypted_plain.key", "decrypt it"},
		{"ec.pem", "ec.pem", "has no private key in PEM"},
		{"ec.key", "ec.key", "has no certificate in PEM"},
		{"ec.pin", "ec.key", "has no certificate in PEM"},
		{"ec.pem", "ec.pin", "has no private key in PEM"},
		{"none.pem", "ec.key", "there is no such file"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].text);
		CHECK(!load(fixture(cases[i].certificate), key_file(cases[i].key)));
		CHECK(message_has(cases[i].text));
	}
}

static void test_a_key_is_for_its_owner_alone(void)
{
	static const struct {
		mode_t mode;
		bool is_fine;
	} cases[] = {{0600, true},  {0400, true},  {0700, true},  {0640, false},
		     {0604, false}, {0610, false}, {0601, false}, {0644, false}};
	struct wr_view key = wr_test_read_file(fixture("ec.key"));

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		bool is_loaded =
			load(fixture("ec.pem"), write_file("file.key", key, cases[i].mode));
		CHECK(is_loaded == cases[i].is_fine);
		CHECK(is_loaded || (message_has("chmod 600") && message_has("file.key")));
	}
	if (geteuid() == 0) {
		const char *path = write_file("file.key", key, 0600);
		CHECK(chown(path, 1, 1) == 0);
		CHECK(!load(fixture("ec.pem"), path) && message_has("another user"));
	}
}

static void test_files_that_are_none_or_too_large(void)
{
	static char large[WR_TLS_KEY_BYTES_MAX + 1];

	memset(large, '\n', sizeof large);
	CHECK(!load(fixture(""), key_file("ec.key")) && message_has("not a plain file"));
	CHECK(!load("/dev/zero", key_file("ec.key")) && message_has("not a plain file"));
	CHECK(!load(write_file("file.pem", WR_VIEW(""), 0600), key_file("ec.key")) &&
	      message_has("is empty"));
	CHECK(!load(fixture("ec.pem"),
		    write_file("file.key", wr_view_of(large, sizeof large), 0600)) &&
	      message_has("too large"));
}

/* The texts of both, one of them cut or longer. */
static bool read_texts(struct wr_view certificate, struct wr_view key)
{
	struct wr_tls_identity identity;
	bool is_read;

	rig_message(&rig.message);
	is_read = wr_tls_identity_read(&identity, wr_test_allocator(), certificate, "C", key, "K",
				       &rig.message);
	CHECK(is_read == (rig.message.bytes == 0));
	if (is_read)
		wr_tls_identity_deinit(&identity);
	return is_read;
}

/* Where the content is over: the end line may be cut behind that, its text is not looked at. */
static size_t content_end(struct wr_view text)
{
	const struct wr_view line = WR_VIEW("-----END ");
	size_t at = text.bytes - line.bytes;

	while (!wr_view_starts(wr_view_skip(text, at), line))
		at--;
	return at + line.bytes;
}

static void test_files_that_are_cut(void)
{
	struct wr_view certificate = wr_test_read_file(fixture("ec.pem"));
	struct wr_view key = wr_test_read_file(fixture("ec.key"));

	for (size_t cut = 0; cut <= certificate.bytes; cut++)
		CHECK(read_texts(wr_test_guarded(0, wr_view_of(certificate.data, cut)), key) ==
		      (cut >= content_end(certificate)));
	for (size_t cut = 0; cut <= key.bytes; cut++)
		CHECK(read_texts(certificate, wr_test_guarded(0, wr_view_of(key.data, cut))) ==
		      (cut >= content_end(key)));
}

static void test_a_chain_has_an_end(void)
{
	struct wr_view one = wr_test_read_file(fixture("ec.pem"));
	struct wr_view key = wr_test_read_file(fixture("ec.key"));
	struct wr_buf many, two_keys;

	wr_buf_init(&many, wr_test_allocator(), SIZE_MAX);
	for (unsigned i = 0; i < WR_TLS_CHAIN_COUNT_MAX; i++)
		wr_buf_append_view(&many, one);
	CHECK(read_texts(wr_buf_view(&many), key));
	wr_buf_append_view(&many, one);
	CHECK(!read_texts(wr_buf_view(&many), key) && message_has("not a bundle"));
	wr_buf_deinit(&many);
	wr_buf_init(&two_keys, wr_test_allocator(), SIZE_MAX);
	wr_buf_append_view(&two_keys, key);
	wr_buf_append_view(&two_keys, key);
	CHECK(!read_texts(one, wr_buf_view(&two_keys)) && message_has("more than one"));
	wr_buf_deinit(&two_keys);
}

static void test_no_message_has_a_byte_of_the_key(void)
{
	struct wr_view key = wr_test_read_file(fixture("rsa.key"));
	char word[9];

	CHECK(!load(fixture("ec.pem"), key_file("rsa.key")));
	for (size_t at = 30; at + 8 < key.bytes; at += 8) {
		memcpy(word, key.data + at, 8);
		word[8] = '\0';
		CHECK(memmem(rig.message.data, rig.message.bytes, word, 8) == NULL);
	}
}

static void test_trust_anchors(void)
{
	static const struct {
		const char *file, *text;
		size_t count;
	} cases[] = {
		{"ca.pem", NULL, 1},
		{"ed25519_ca.pem", "kind that is not supported", 0},
		{"ec.pem", "not a CA's; to trust one key alone, pin it", 0},
		{"ec.key", "has no CA certificate", 0},
		{"none.pem", "no such file", 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_tls_anchors anchors;
		bool is_loaded;
		wr_test_case(cases[i].file);
		rig_message(&rig.message);
		is_loaded = wr_tls_anchors_load(&anchors, wr_test_allocator(),
						fixture(cases[i].file), &rig.message);
		CHECK(is_loaded == (cases[i].text == NULL));
		CHECK(is_loaded || message_has(cases[i].text));
		CHECK_U64(anchors.count, cases[i].count);
		wr_tls_anchors_deinit(&anchors);
	}
}

static void test_anchors_of_a_system_that_are_not_supported_are_skipped(void)
{
	struct wr_view ed25519 = wr_test_read_file(fixture("ed25519_ca.pem"));
	struct wr_view usual = wr_test_read_file(fixture("ca.pem"));
	struct wr_tls_anchors anchors;
	struct wr_buf both;

	rig_message(&rig.message);
	wr_buf_init(&both, wr_test_allocator(), SIZE_MAX);
	wr_buf_append_view(&both, ed25519);
	CHECK(!wr_tls_anchors_read(&anchors, wr_test_allocator(), wr_buf_view(&both), "F", true,
				   &rig.message));
	wr_buf_append_view(&both, usual);
	wr_buf_append_view(&both, ed25519);
	rig_message(&rig.message);
	CHECK(wr_tls_anchors_read(&anchors, wr_test_allocator(), wr_buf_view(&both), "F", true,
				  &rig.message));
	CHECK(anchors.count == 1 && anchors.skipped_count == 2);
	wr_tls_anchors_deinit(&anchors);
	wr_buf_deinit(&both);
}

static void test_pins_have_one_spelling(void)
{
	static const char *const refused[] = {
		"",
		"sha256//",
		"sha256//AAAA",
		"sha1//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI=",
		"SHA256//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI=",
		"sha256//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnJ=",
		"sha256//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI",
		"sha256//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI==",
		"sha256//MerNebhJLsZM9Lnz-E_ze6EopBiR7-wOeezJndqvXnI=",
		" sha256//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI=",
		"MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI=",
	};
	struct wr_tls_pin pin;

	CHECK(wr_tls_pin_parse(&pin,
			       WR_VIEW("sha256//MerNebhJLsZM9Lnz+E/ze6EopBiR7+wOeezJndqvXnI=")));
	CHECK(pin.hash[0] == 0x31 && pin.hash[31] == 0x72);
	for (size_t i = 0; i < WR_COUNT(refused); i++)
		CHECK(!wr_tls_pin_parse(&pin, wr_view_of_string(refused[i])));
}

static void test_pins_are_those_of_other_programs(void)
{
	static const char *const names[] = {"rsa",   "rsa4096", "ec",	     "ec384",
					    "ec521", "client",	"client_rsa"};

	for (size_t i = 0; i < WR_COUNT(names); i++) {
		struct wr_tls_pin from_text, from_key;
		br_x509_decoder_context decoder;
		struct wr_tls_identity identity;
		char pem[32], key[32], pin[32];
		wr_test_case(names[i]);
		snprintf(pem, sizeof pem, "%s.pem", names[i]);
		snprintf(key, sizeof key, "%s.key", names[i]);
		snprintf(pin, sizeof pin, "%s.pin", names[i]);
		rig_message(&rig.message);
		CHECK(wr_tls_identity_load(&identity, wr_test_allocator(), fixture(pem),
					   key_file(key), &rig.message));
		br_x509_decoder_init(&decoder, NULL, NULL);
		br_x509_decoder_push(&decoder, identity.chain[0].data, identity.chain[0].data_len);
		CHECK(wr_tls_pin_parse(&from_text, wr_test_read_file(fixture(pin))));
		CHECK(wr_tls_pin_of(&from_key, br_x509_decoder_get_pkey(&decoder)));
		CHECK(memcmp(&from_text, &from_key, sizeof from_key) == 0);
		wr_tls_identity_deinit(&identity);
	}
}

static void test_a_reload_is_whole_or_not_at_all(void)
{
	open_usual();
	open_connection();
	close_connection();
	/* The key of another certificate: everything stays. */
	rig.server_config.certificate_file = fixture("rsa.pem");
	rig.server_config.key_file = key_file("ec.key");
	rig_message(&rig.message);
	CHECK(!wr_tls_server_reload(rig.server, &rig.server_config, &rig.message));
	CHECK(message_has("is not the key"));
	open_ends("localhost");
	run(EVERYTHING, NULL);
	CHECK_U64(wr_tls_server_counts(rig.server)->opened_count, 2);
	/* In the middle of a handshake: that one goes on with what it began with. */
	close_connection();
	open_ends("localhost");
	turn();
	carry(&rig.wire_a, &rig.wire_b, EVERYTHING);
	turn();
	rig.server_config.key_file = key_file("rsa.key");
	rig_message(&rig.message);
	CHECK(wr_tls_server_reload(rig.server, &rig.server_config, &rig.message));
	run(EVERYTHING, NULL);
	CHECK_U64(wr_tls_server_counts(rig.server)->opened_count, 3);
	close_connection();
	open_ends("localhost");
	run(EVERYTHING, NULL);
	CHECK_U64(wr_tls_server_counts(rig.server)->opened_count, 4);
	close_rig();
}

static void test_any_allocation_may_fail(void)
{
	const char *certificate, *key, *ca;

	open_rig();
	certificate = fixture("chained.pem");
	ca = fixture("client_ca.pem");
	key = key_file("chained.key");
	for (uint64_t n = 1;; n++) {
		struct wr_tls_pin pin = {.hash = {1}};
		bool is_complete;
		rig.server_config.certificate_file = certificate;
		rig.server_config.key_file = key;
		rig.server_config.client_ca_file = ca;
		rig.server_config.client_pins = &pin;
		rig.server_config.client_pin_count = 1;
		rig.client_config.certificate_file = certificate;
		rig.client_config.key_file = key;
		rig_message(&rig.message);
		wr_test_fail_allocation(n, false);
		rig.server = wr_tls_server_new(&rig.reactor, wr_test_allocator(),
					       &rig.server_config, &rig.message);
		if (rig.server != NULL)
			rig.client = wr_tls_client_new(&rig.reactor, wr_test_allocator(),
						       &rig.client_config, &rig.message);
		is_complete = !wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK((rig.server != NULL && rig.client != NULL) == is_complete);
		CHECK(is_complete || message_has("no memory"));
		if (rig.client != NULL)
			wr_tls_client_free(rig.client);
		if (rig.server != NULL)
			wr_tls_server_free(rig.server);
		rig.client = NULL;
		rig.server = NULL;
		if (is_complete) {
			CHECK(n > 15);
			break;
		}
	}
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_certificates_and_keys_that_belong_together),
	WR_TEST(test_what_is_refused_says_what_to_do),
	WR_TEST(test_a_key_is_for_its_owner_alone),
	WR_TEST(test_files_that_are_none_or_too_large),
	WR_TEST(test_files_that_are_cut),
	WR_TEST(test_a_chain_has_an_end),
	WR_TEST(test_no_message_has_a_byte_of_the_key),
	WR_TEST(test_trust_anchors),
	WR_TEST(test_anchors_of_a_system_that_are_not_supported_are_skipped),
	WR_TEST(test_pins_have_one_spelling),
	WR_TEST(test_pins_are_those_of_other_programs),
	WR_TEST(test_a_reload_is_whole_or_not_at_all),
	WR_TEST_LIMIT(test_any_allocation_may_fail, 60),
	WR_TEST_END,
};
