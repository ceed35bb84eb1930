/* Goal: a real server, whose bytes nobody here has chosen, is understood: a conversation, an
 * interrupt, a wrong key, a wrong path. Method: run.sh starts one and names it in the environment;
 * what its model says is nonsense, so only the form of it is looked at. */
#include "unit/execution/openai_world.h"

#include "bytes/utf8.h"
#include "io/net/resolver.h"
#if WR_TLS
#include "io/tls/tls.h"
#endif

static char url[256];
static struct wr_resolver *resolver;
#if WR_TLS
static struct wr_tls_client *tls_client;
#endif

/* Trusts WR_PROVIDER_CA, or what the system does. */
static void open_tls(void)
{
#if WR_TLS
	struct wr_tls_client_config config;
	struct wr_buf message;
	char storage[512];

	wr_buf_init_fixed(&message, storage, sizeof storage);
	wr_tls_client_defaults(&config);
	config.ca_file = getenv("WR_PROVIDER_CA");
	tls_client = wr_tls_client_new(&reactor, wr_test_allocator(), &config, &message);
	if (tls_client == NULL)
		fprintf(stderr, "%.*s\n", (int)message.bytes, message.data);
	CHECK(tls_client != NULL);
	openai_profile.tls = tls_client;
#endif
}

/* Names are looked up, and TLS is spoken, where the address of the server wants it. */
static void open_network(void)
{
	struct wr_resolver_config config;

	wr_resolver_defaults(&config);
	resolver = wr_resolver_new(&reactor, wr_test_allocator(), &config);
	CHECK(resolver != NULL);
	openai_profile.resolver = resolver;
	if (strncmp(url, "https:", 6) == 0)
		open_tls();
}

static void close_talk(void)
{
	close_runtime();
	wr_resolver_free(resolver);
#if WR_TLS
	if (tls_client != NULL)
		wr_tls_client_free(tls_client);
#endif
	close_reactor();
}

/* NULL: its own key. */
static void open_talk(const char *suffix, const char *key)
{
	const char *base = getenv("WR_PROVIDER_URL");

	if (base == NULL)
		wr_test_skip("WR_PROVIDER_URL names no server; run make provider-test");
	server.listener = -1;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		server.connections[i].fd = -1;
	wr_openai_profile_init(&openai_profile);
	snprintf(url, sizeof url, "%s%s", base, suffix);
	openai_profile.base_url = url;
	openai_profile.model = getenv("WR_PROVIDER_MODEL");
	openai_profile.api_key = key != NULL ? key : getenv("WR_PROVIDER_KEY");
	openai_profile.output_tokens_max = 60;
	openai_profile.temperature = "0";
	openai_profile.retry_count_max = 0;
	open_reactor();
	open_network();
	open_runtime();
}

/* Its own line at the end, as the runner of tests counts them. */
static void check_turn(const char *content)
{
	uint64_t turn_count = worker->now.turn_count;

	input(content);
	await_rest();
	CHECK_U64(worker->now.turn_count, turn_count + 1);
	if (worker->now.phase != WR_PHASE_IDLE)
		fail_with_trace("the end of a turn");
	CHECK(wr_utf8_is_valid(wr_view_of(trace, trace_bytes)));
}

static void test_a_conversation(void)
{
	open_talk("", NULL);
	check_turn("hello");
	CHECK(count_in_trace("\ndelta ") > 0);
	CHECK_U64(count_in_trace("\ntext "), 1);
	CHECK_U64(count_in_trace("\nturn_end 1 r0\nrun_end "), 1);
	CHECK_U64(count_in_trace("event llm_call_end {\"llm_call\":1}\n"), 1);
	check_turn("and once more");
	CHECK_U64(count_in_trace("\nturn_end 2 r0\nrun_end "), 1);
	CHECK_U64(count_in_trace("\nerror "), 0);
	close_talk();
}

static void test_an_interrupt_and_what_follows(void)
{
	open_talk("", NULL);
	openai_profile.output_tokens_max = 0;
	input("hello");
	await("\ndelta ");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK(worker->now.phase == WR_PHASE_INTERRUPTED);
	CHECK_U64(wr_openai_live_count(&openai), 0);
	openai_profile.output_tokens_max = 8;
	check_turn("go on");
	close_talk();
}

static void test_a_wrong_key_is_told_without_it(void)
{
	if (getenv("WR_PROVIDER_URL") != NULL && getenv("WR_PROVIDER_KEY") == NULL)
		wr_test_skip("WR_PROVIDER_KEY is not set: the server takes no key");
	open_talk("", "sk-wrong-0123456789");
	input("hello");
	await_rest();
	if (worker->now.phase != WR_PHASE_FAILED)
		fail_with_trace("a failure");
	CHECK(strstr(trace, "error the model server refused the key; check the profile's key_file "
			    "or key_env "
			    "(401)\n") != NULL);
	CHECK(strstr(trace, "sk-wrong") == NULL);
	close_talk();
}

static void test_a_wrong_path_is_told(void)
{
	open_talk("/no/such/path", NULL);
	input("hello");
	await_rest();
	if (worker->now.phase != WR_PHASE_FAILED)
		fail_with_trace("a failure");
	CHECK(strstr(trace, "error the model server does not know this path or model; check the "
			    "profile's base_url and model (404)") != NULL);
	close_talk();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_conversation, 60),
	WR_TEST_LIMIT(test_an_interrupt_and_what_follows, 60),
	WR_TEST_LIMIT(test_a_wrong_key_is_told_without_it, 60),
	WR_TEST_LIMIT(test_a_wrong_path_is_told, 60),
	WR_TEST_END,
};
