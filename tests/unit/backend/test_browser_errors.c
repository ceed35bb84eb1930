/* Goal: refusals have the contract's statuses and body (8.5), and words that give nothing away.
 * Method: tables. */
#include "backend/browser_errors.h"

#include "check.h"
#include "unit/backend/contract_examples.h"
#include "unit/wire/json_equal.h"

#include <stdio.h>

static char storage[4096];

static struct wr_view write(const struct wr_browser_error *error, struct wr_view id)
{
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_browser_error_write(&out, error, id);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	return wr_buf_view(&out);
}

static void test_the_body_is_the_contracts_with_a_code(void)
{
	struct wr_browser_error error = wr_browser_error_of(WR_BROWSER_UNKNOWN_RUNTIME);
	struct wr_view body = write(&error, WR_VIEW("nope"));

	CHECK_STRING(body, "{\"error\":\"Not Found\",\"message\":\"unknown runtime `nope`\","
			   "\"code\":\"unknown_runtime\"}");
	CHECK(json_covers(contract_example("b-error"), body, false));
}

static void test_an_id_is_quoted_escaped_and_cut(void)
{
	static const struct {
		const char *label, *id, *message;
	} cases[] = {
		{"empty", "", "\"invalid runtime id ``\""},
		{"escaped", "a\"\n\\", "\"invalid runtime id `a\\\"\\n\\\\`\""},
		{"not UTF-8", "a\xff", "\"invalid runtime id\""},
		{"half a character", "a\xc3", "\"invalid runtime id\""},
	};
	struct wr_browser_error error = wr_browser_error_of(WR_BROWSER_INVALID_RUNTIME_ID);
	char id[400], expected[400];
	struct wr_view message;

	CHECK_STRING(json_at(write(&error, WR_VIEW_NULL), "message"), "\"invalid runtime id\"");
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		message = json_at(write(&error, wr_view_of_string(cases[i].id)), "message");
		CHECK_STRING(message, cases[i].message);
	}
	/* Characters are counted, not bytes. */
	for (size_t i = 0; i < 121; i++)
		memcpy(id + 2 * i, "\xc3\xa9", 2);
	snprintf(expected, sizeof expected, "\"invalid runtime id `%.240s`\"", id);
	CHECK_STRING(json_at(write(&error, wr_view_of(id, 242)), "message"), expected);
	CHECK_STRING(json_at(write(&error, wr_view_of(id, 240)), "message"), expected);
}

static void test_a_failure_has_the_status_of_its_first_error(void)
{
	static const struct {
		const char *first, *second;
		enum wr_notice_severity first_severity;
		unsigned http;
		const char *code;
	} cases[] = {
		{"remote_runtime_auth_failed", NULL, WR_NOTICE_ERROR, 401,
		 "remote_runtime_auth_failed"},
		{"remote_runtime_timeout", NULL, WR_NOTICE_ERROR, 504, "remote_runtime_timeout"},
		{"remote_runtime_unsupported", NULL, WR_NOTICE_ERROR, 501,
		 "remote_runtime_unsupported"},
		{"remote_runtime_network_error", NULL, WR_NOTICE_ERROR, 502,
		 "remote_runtime_network_error"},
		{"embedded_runtime_store_error", NULL, WR_NOTICE_ERROR, 502,
		 "embedded_runtime_store_error"},
		{WR_BROWSER_REMOVED, NULL, WR_NOTICE_ERROR, 503, WR_BROWSER_REMOVED},
		{"remote_runtime_timeout", "remote_runtime_http_error", WR_NOTICE_WARNING, 502,
		 "remote_runtime_http_error"},
		{"remote_runtime_timeout", "remote_runtime_http_error", WR_NOTICE_ERROR, 504,
		 "remote_runtime_timeout"},
		{"remote_runtime_timeout", NULL, WR_NOTICE_INFO, 502, "runtime_failed"},
		{NULL, NULL, WR_NOTICE_INFO, 502, "runtime_failed"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_source_result result = {.outcome = WR_SOURCE_FAILED};
		struct wr_browser_error error;

		if (cases[i].first != NULL)
			wr_notices_add(&result.notices, cases[i].first, cases[i].first_severity,
				       "m");
		if (cases[i].second != NULL)
			wr_notices_add(&result.notices, cases[i].second, WR_NOTICE_ERROR, "m");
		error = wr_browser_error_of_failure(&result);
		CHECK_U64(error.http, cases[i].http);
		CHECK_STRING(wr_view_of_string(error.code), cases[i].code);
	}
}

static void test_faults_of_http_have_bodies_of_their_status(void)
{
	static const struct {
		unsigned http;
		const char *error, *code;
	} cases[] = {
		{400, "\"Bad Request\"", "\"bad_request\""},
		{408, "\"Request Timeout\"", "\"request_timeout\""},
		{413, NULL, "\"payload_too_large\""},
		{414, NULL, "\"uri_too_long\""},
		{417, "\"Expectation Failed\"", "\"expectation_failed\""},
		{431, "\"Request Header Fields Too Large\"", "\"headers_too_large\""},
		{500, "\"Internal Server Error\"", "\"store_io\""},
		{501, "\"Not Implemented\"", "\"unsupported_transfer_coding\""},
		{503, "\"Service Unavailable\"", "\"overloaded\""},
		{505, "\"HTTP Version Not Supported\"", "\"http_version_not_supported\""},
		{599, NULL, "\"internal\""},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_buf out;
		struct wr_view body;

		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_browser_fault_write(&out, cases[i].http);
		CHECK_STATUS(wr_buf_status(&out), WR_OK);
		body = wr_buf_view(&out);
		wr_test_case(cases[i].code);
		CHECK_STRING(json_at(body, "code"), cases[i].code);
		if (cases[i].error != NULL)
			CHECK_STRING(json_at(body, "error"), cases[i].error);
		CHECK(json_at(body, "message").bytes > 2);
	}
}

/* Texts that people read in a browser: of a Backend, and without the words of 8.13. */
static void test_messages_give_nothing_away(void)
{
	static const enum wr_wire_error told[] = {
		WR_WIRE_UNAUTHORIZED,
		WR_WIRE_FORBIDDEN_SCOPE,
		WR_WIRE_FORBIDDEN_ORIGIN,
		WR_WIRE_FORBIDDEN_HOST,
		WR_WIRE_BAD_REQUEST,
		WR_WIRE_INVALID_JSON,
		WR_WIRE_INVALID_QUERY,
		WR_WIRE_ROUTE_NOT_FOUND,
		WR_WIRE_UPGRADE_REQUIRED,
		WR_WIRE_METHOD_NOT_ALLOWED,
		WR_WIRE_REQUEST_TIMEOUT,
		WR_WIRE_OVERLOADED,
		WR_WIRE_RUNTIME_UNAVAILABLE,
		WR_WIRE_INTERNAL,
		WR_WIRE_STORE_IO,
		WR_WIRE_UNSUPPORTED_MEDIA_TYPE,
		WR_WIRE_INVALID_IDEMPOTENCY_KEY,
	};
	static const char *const words[] = {"token",	"socket",  "session", "credential",
					    "provider", "Runtime", "metadata"};

	for (size_t i = 0; i < WR_COUNT(told); i++) {
		struct wr_browser_error error = wr_browser_error_of_wire(told[i]);

		wr_test_case(error.code);
		for (size_t n = 0; n < WR_COUNT(words); n++)
			CHECK(strstr(error.message, words[n]) == NULL);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_body_is_the_contracts_with_a_code),
	WR_TEST(test_an_id_is_quoted_escaped_and_cut),
	WR_TEST(test_a_failure_has_the_status_of_its_first_error),
	WR_TEST(test_faults_of_http_have_bodies_of_their_status),
	WR_TEST(test_messages_give_nothing_away),
	WR_TEST_END,
};
