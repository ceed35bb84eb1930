/* Goal: every outcome has one name on the wire, and the bodies are those of the contract (2.2).
 * Method: the table is walked; the contract's codes and statuses are written out once more. */
#include "check.h"
#include "codec/ws/frame.h"
#include "harness/harness.h"
#include "unit/wire/json_equal.h"
#include "wire/error_json.h"

static const enum wr_wire_error all[] = {
#define EACH(name, http, code, close, retry) WR_WIRE_##name,
	WR_WIRE_ERROR_LIST(EACH)
#undef EACH
};

static void test_contract_codes_keep_their_status(void)
{
	static const struct {
		enum wr_wire_error error;
		const char *code;
		unsigned http;
	} cases[] = {
		{WR_WIRE_UNAUTHORIZED, "unauthorized", 401},
		{WR_WIRE_INVALID_WORKER_ID, "invalid_worker_id", 400},
		{WR_WIRE_INVALID_JSON, "invalid_json", 400},
		{WR_WIRE_INVALID_QUERY, "invalid_query", 400},
		{WR_WIRE_INVALID_REQUEST, "invalid_request", 400},
		{WR_WIRE_LIMIT_TOO_LARGE, "limit_too_large", 400},
		{WR_WIRE_WORKER_NOT_FOUND, "worker_not_found", 404},
		{WR_WIRE_RUNTIME_STOPPED, "runtime_stopped", 409},
		{WR_WIRE_STORE_IO, "store_io", 500},
		{WR_WIRE_STORE_CORRUPT, "store_corrupt", 500},
		{WR_WIRE_INVALID_PROFILE_SELECTOR, "invalid_profile_selector", 400},
		{WR_WIRE_EXECUTION_UNAVAILABLE, "worker_execution_unavailable", 409},
		{WR_WIRE_EXECUTION_REJECTED, "worker_execution_rejected", 409},
		{WR_WIRE_WORKER_BUSY, "worker_busy", 409},
		{WR_WIRE_UNSUPPORTED_OPERATION, "unsupported_operation", 501},
		{WR_WIRE_RUNTIME_UNAVAILABLE, "runtime_unavailable", 503},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].code);
		CHECK_STRING(wr_view_of_string(wr_wire_error_code(cases[i].error)), cases[i].code);
		CHECK_U64(wr_wire_error_http(cases[i].error), cases[i].http);
	}
}

static void test_codes_of_our_own_keep_their_status(void)
{
	static const struct {
		enum wr_status status;
		const char *code;
		unsigned http;
	} cases[] = {
		{WR_EXISTS, "worker_exists", 409}, {WR_MISMATCH, "idempotency_mismatch", 422},
		{WR_IO, "store_io", 500},	   {WR_CORRUPT, "store_corrupt", 500},
		{WR_FULL, "store_full", 507},	   {WR_OVERLOAD, "overloaded", 503},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		enum wr_wire_error error = wr_wire_error_of(cases[i].status);
		wr_test_case(cases[i].code);
		CHECK_STRING(wr_view_of_string(wr_wire_error_code(error)), cases[i].code);
		CHECK_U64(wr_wire_error_http(error), cases[i].http);
	}
	CHECK_STRING(wr_view_of_string(wr_wire_error_code(WR_WIRE_INVALID_IDEMPOTENCY_KEY)),
		     "invalid_idempotency_key");
	CHECK_U64(wr_wire_error_http(WR_WIRE_INVALID_IDEMPOTENCY_KEY), 400);
	CHECK_STRING(wr_view_of_string(wr_wire_error_code(WR_WIRE_LIMIT_WORKERS)), "limit_workers");
	CHECK(strstr(wr_wire_error_message(WR_WIRE_LIMIT_WORKERS), "--max-workers") != NULL);
}

static void test_every_error_is_complete_and_its_code_is_its_own(void)
{
	for (size_t i = 0; i < WR_COUNT(all); i++) {
		const char *code = wr_wire_error_code(all[i]);
		unsigned http = wr_wire_error_http(all[i]);

		wr_test_case(code);
		CHECK(strlen(wr_wire_error_message(all[i])) > 10);
		CHECK(http >= 400 && http <= 599);
		CHECK(wr_ws_close_code_is_valid(wr_wire_error_close(all[i])));
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(code, wr_wire_error_code(all[j])) != 0);
	}
}

static void test_every_failure_has_a_wire_error(void)
{
	static const struct {
		enum wr_status status;
		unsigned http;
	} cases[] = {
		{WR_SYNTAX, 400},
		{WR_ENCODING, 400},
		{WR_INVALID, 400},
		{WR_TOO_LARGE, 413},
		{WR_LIMIT, 400},
		{WR_UNSUPPORTED, 501},
		{WR_UNAUTHENTICATED, 401},
		{WR_FORBIDDEN, 403},
		{WR_NOT_FOUND, 404},
		{WR_CONFLICT, 409},
		{WR_EXISTS, 409},
		{WR_MISMATCH, 422},
		{WR_NO_BUNDLE, 404},
		{WR_DIGEST_MISMATCH, 400},
		{WR_NO_DECLARATION, 400},
		{WR_BUSY, 409},
		{WR_UNAVAILABLE, 409},
		{WR_REJECTED, 409},
		{WR_STOPPED, 409},
		{WR_DRAINING, 503},
		{WR_OVERLOAD, 503},
		{WR_FULL, 507},
		{WR_TIMEOUT, 408},
		{WR_MALFORMED, 400},
		{WR_SCOPE_MISMATCH, 400},
		{WR_UNKNOWN, 400},
		{WR_AHEAD, 400},
		{WR_LOST_TAIL, 400},
		{WR_EXPIRED, 400},
		{WR_CLOSED, 500},
		{WR_IO, 500},
		{WR_CORRUPT, 500},
		{WR_NO_MEMORY, 503},
	};
	size_t count = 0;

#define COUNT(name, text) count++;
	WR_STATUS_LIST(COUNT)
#undef COUNT
	CHECK_U64(WR_COUNT(cases), count - 2); /* all but OK and MORE */
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(wr_status_name(cases[i].status));
		CHECK_U64(wr_wire_error_http(wr_wire_error_of(cases[i].status)), cases[i].http);
	}
}

static void test_errors_that_pass_say_when_to_retry(void)
{
	for (size_t i = 0; i < WR_COUNT(all); i++) {
		unsigned http = wr_wire_error_http(all[i]);

		wr_test_case(wr_wire_error_code(all[i]));
		if (http == 503 || http == 429 || all[i] == WR_WIRE_WORKER_BUSY)
			CHECK(wr_wire_error_retry_after_s(all[i]) != 0);
		else
			CHECK_U64(wr_wire_error_retry_after_s(all[i]), 0);
	}
}

static void test_bodies_are_exact(void)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 4096);
	wr_error_json_write(&out, WR_WIRE_ROUTE_NOT_FOUND, WR_VIEW_NULL, WR_VIEW_NULL);
	CHECK_STRING(wr_buf_view(&out), "{\"error\":{\"code\":\"not_found\",\"message\":\"there is "
					"nothing at this path\"}}");
	wr_buf_reset(&out);
	wr_error_json_write(&out, WR_WIRE_INVALID_JSON, WR_VIEW("missing \"x\""),
			    WR_VIEW("offset 3"));
	CHECK_STRING(wr_buf_view(&out), "{\"error\":{\"code\":\"invalid_json\",\"message\":"
					"\"missing \\\"x\\\"\",\"detail\":\"offset 3\"}}");
	wr_buf_reset(&out);
	wr_error_json_write(&out, WR_WIRE_WORKER_BUSY, WR_VIEW("busy"), WR_VIEW_NULL);
	CHECK_STRING(wr_buf_view(&out), "{\"error\":{\"code\":\"worker_busy\",\"message\":\"busy\","
					"\"retryable\":true}}");
	wr_buf_reset(&out);
	wr_error_json_worker_not_found(&out, WR_VIEW("worker-000000ff"), WR_VIEW("rt-a"));
	CHECK_STRING(wr_buf_view(&out),
		     "{\"error\":{\"code\":\"worker_not_found\",\"message\":\"worker "
		     "worker-000000ff was not found in runtime rt-a\"}}");
	wr_buf_reset(&out);
	wr_error_json_worker_not_found(&out, WR_VIEW("a\"\n/"), WR_VIEW("\\"));
	CHECK(json_equal(wr_buf_view(&out),
			 WR_VIEW("{\"error\":{\"code\":\"worker_not_found\",\"message\":\"worker "
				 "a\\\"\\n/ was not found in runtime \\\\\"}}")));
	wr_buf_deinit(&out);
}

static void test_every_default_body_is_json_and_fits_a_kilobyte(void)
{
	char storage[1024];
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(all); i++) {
		wr_test_case(wr_wire_error_code(all[i]));
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_error_json_write(&out, all[i], WR_VIEW_NULL, WR_VIEW_NULL);
		CHECK_STATUS(wr_buf_status(&out), WR_OK);
		CHECK(json_same_string(
			wr_view_of_string(wr_wire_error_code(all[i])),
			wr_view_of(json_at(wr_buf_view(&out), "error.code").data + 1,
				   json_at(wr_buf_view(&out), "error.code").bytes - 2)));
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_contract_codes_keep_their_status),
	WR_TEST(test_codes_of_our_own_keep_their_status),
	WR_TEST(test_every_error_is_complete_and_its_code_is_its_own),
	WR_TEST(test_every_failure_has_a_wire_error),
	WR_TEST(test_errors_that_pass_say_when_to_retry),
	WR_TEST(test_bodies_are_exact),
	WR_TEST(test_every_default_body_is_json_and_fits_a_kilobyte),
	WR_TEST_END,
};
