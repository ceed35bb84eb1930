/* Goal: what is written is exactly the JSON that was meant, fits exactly where it fits, and reads
 * back as it was. Method: expected texts; every size of buffer and every failing allocation; random
 * documents through the reader. */
#include "codec/json/writer.h"

#include "check.h"
#include "codec/json/number.h"
#include "codec/json/reader.h"
#include "harness/harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---- texts ---- */

static void write_everything(struct wr_json_writer *json)
{
	wr_json_object_begin(json);
	wr_json_member_string(json, WR_VIEW("kind"), WR_VIEW("text\n"));
	wr_json_member_u64(json, WR_VIEW("seq"), 1234567890123);
	wr_json_member_bool(json, WR_VIEW("final"), true);
	wr_json_member_bool(json, WR_VIEW("a name that is longer than sixteen"), false);
	wr_json_name(json, WR_VIEW("a\"b"));
	wr_json_array_begin(json);
	wr_json_array_begin(json);
	wr_json_array_end(json);
	wr_json_object_begin(json);
	wr_json_object_end(json);
	wr_json_u64(json, UINT64_MAX);
	wr_json_i64(json, INT64_MIN);
	wr_json_i64(json, INT64_MAX);
	wr_json_i64(json, -7);
	wr_json_double(json, 0.5);
	wr_json_double(json, -DBL_MAX);
	wr_json_double(json, (double)NAN);
	wr_json_double(json, (double)INFINITY);
	wr_json_double(json, -(double)INFINITY);
	wr_json_bool(json, true);
	wr_json_bool(json, false);
	wr_json_null(json);
	wr_json_string(json, WR_VIEW(""));
	wr_json_string(json, WR_VIEW("\\\xe5\xa4\x9c/\x7f"));
	wr_json_raw(json, WR_VIEW("{ \"x\": 1 }"));
	wr_json_array_end(json);
	wr_json_name(json, WR_VIEW("parts"));
	wr_json_string_begin(json);
	wr_json_string_part(json, WR_VIEW("one\t"));
	wr_json_string_part(json, WR_VIEW(""));
	wr_json_string_part(json, WR_VIEW("\"two"));
	wr_json_string_end(json);
	wr_json_name(json, WR_VIEW("last"));
	wr_json_null(json);
	wr_json_object_end(json);
}

static const char everything[] =
	"{\"kind\":\"text\\n\",\"seq\":1234567890123,\"final\":true,"
	"\"a name that is longer than sixteen\":false,"
	"\"a\\\"b\":[[],{},18446744073709551615,-9223372036854775808,9223372036854775807,-7,0.5,"
	"-1.7976931348623157e308,null,null,null,true,false,null,\"\",\"\\\\\xe5\xa4\x9c/\x7f\","
	"{ \"x\": 1 }],\"parts\":\"one\\t\\\"two\",\"last\":null}";

static void test_values_and_commas_are_as_meant(void)
{
	struct wr_json_writer json;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 4096);
	wr_json_writer_init(&json, &out);
	write_everything(&json);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_STRING(wr_buf_view(&out), everything);
	wr_buf_deinit(&out);
}

static void test_single_values_are_documents(void)
{
	char storage[8];
	struct wr_buf out;
	struct wr_json_writer json;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_json_writer_init(&json, &out);
	wr_json_u64(&json, 0);
	CHECK_STRING(wr_buf_view(&out), "0");
	wr_buf_reset(&out);
	wr_json_writer_init(&json, &out);
	wr_json_string(&json, WR_VIEW("x"));
	CHECK_STRING(wr_buf_view(&out), "\"x\"");
	wr_buf_reset(&out);
	wr_json_writer_init(&json, &out);
	wr_json_double(&json, -0.0);
	CHECK_STRING(wr_buf_view(&out), "-0");
}

static void test_text_fits_exactly_or_not_at_all(void)
{
	char storage[sizeof everything];

	for (size_t bytes = 0; bytes < sizeof everything; bytes++) {
		struct wr_json_writer json;
		struct wr_buf out;

		wr_buf_init_fixed(&out, storage, bytes);
		wr_json_writer_init(&json, &out);
		write_everything(&json);
		if (bytes == sizeof everything - 1) {
			CHECK_STATUS(wr_buf_status(&out), WR_OK);
			CHECK_STRING(wr_buf_view(&out), everything);
		} else {
			/* A fixed buffer says it is out of memory or over its size. */
			CHECK(wr_buf_status(&out) != WR_OK);
			CHECK(out.bytes <= bytes);
		}
	}
}

static void test_failing_allocations_are_remembered(void)
{
	for (uint64_t n = 1;; n++) {
		struct wr_json_writer json;
		struct wr_buf out;
		bool has_failed;

		wr_buf_init(&out, wr_test_allocator(), 4096);
		wr_test_fail_allocation(n, false);
		wr_json_writer_init(&json, &out);
		write_everything(&json);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK_STATUS(wr_buf_status(&out), has_failed ? WR_NO_MEMORY : WR_OK);
		if (!has_failed)
			CHECK_STRING(wr_buf_view(&out), everything);
		wr_buf_deinit(&out);
		if (!has_failed) {
			CHECK(n > 3);
			return;
		}
	}
}

static void test_nesting_reaches_the_readers_limit(void)
{
	char storage[2 * WR_JSON_DEPTH_MAX];
	struct wr_json_writer json;
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_json_writer_init(&json, &out);
	for (unsigned level = 0; level < WR_JSON_DEPTH_MAX; level++)
		wr_json_array_begin(&json);
	for (unsigned level = 0; level < WR_JSON_DEPTH_MAX; level++)
		wr_json_array_end(&json);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_U64(out.bytes, sizeof storage);
	CHECK(storage[0] == '[' && storage[WR_JSON_DEPTH_MAX] == ']');
}

/* ---- escapes ---- */

/* RFC 8259 section 7, one byte at a time. */
static size_t escape_slowly(char *out, struct wr_view text)
{
	size_t bytes = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char c = (unsigned char)text.data[i];
		const char *letter = c == 0 ? NULL : strchr("\bb\tt\nn\ff\rr\"\"\\\\", c);

		if (c == '"' || c == '\\' || (c < 0x20 && letter != NULL)) {
			out[bytes++] = '\\';
			out[bytes++] = c < 0x20 ? letter[1] : (char)c;
		} else if (c < 0x20) {
			bytes += (size_t)snprintf(out + bytes, 7, "\\u%04x", c);
		} else {
			out[bytes++] = (char)c;
		}
	}
	return bytes;
}

static void check_string(struct wr_view text)
{
	static char expected[6 * 512], storage[6 * 512 + 2];
	struct wr_view guarded = wr_test_guarded(0, text);
	size_t bytes = escape_slowly(expected, text);
	struct wr_json_writer json;
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, bytes + 2);
	wr_json_writer_init(&json, &out);
	wr_json_string(&json, guarded);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_U64(out.bytes, bytes + 2);
	CHECK(storage[0] == '"' && storage[bytes + 1] == '"');
	CHECK_VIEW(wr_view_of(storage + 1, bytes), wr_view_of(expected, bytes));
}

static void test_every_byte_is_escaped_at_every_place(void)
{
	char text[64];

	for (size_t bytes = 1; bytes < 40; bytes++) {
		for (size_t at = 0; at < bytes; at++) {
			for (int c = 0; c < 256; c++) {
				memset(text, 'a', sizeof text);
				text[at] = (char)c;
				check_string(wr_view_of(text, bytes));
			}
		}
	}
}

static void test_random_strings_are_escaped_like_the_slow_way(void)
{
	uint64_t state = wr_test_seed();
	char text[512];

	for (unsigned round = 0; round < 5000; round++) {
		size_t bytes = wr_test_random(&state) % sizeof text;
		unsigned kind = (unsigned)(wr_test_random(&state) % 4);

		for (size_t i = 0; i < bytes; i++) {
			uint64_t roll = wr_test_random(&state);

			text[i] = kind == 0 || roll >> 32 & 15 ? (char)('a' + roll % 26)
							       : (char)(roll % 0x80);
			if (kind == 3)
				text[i] = (char)(roll % 0x24);
		}
		check_string(wr_view_of(text, bytes));
	}
}

/* ---- there and back ---- */

enum { OPEN_MAX = 20, TEXT_MAX = 64 };

/* A random document, twice from one seed: written, and compared with what is read. */
struct author {
	uint64_t state;
	char text[TEXT_MAX];
};

static struct wr_view next_text(struct author *self)
{
	static const char *const pieces[] = {"a",	 "word ",	 "\"",
					     "\\",	 "\n",		 "\x01",
					     "\xc3\xa9", "\xe5\xa4\x9c", "\xf0\x9f\x98\x80",
					     "/"};
	size_t bytes = 0;

	for (uint64_t n = wr_test_random(&self->state) % 12; n > 0; n--) {
		const char *piece = pieces[wr_test_random(&self->state) % WR_COUNT(pieces)];

		memcpy(self->text + bytes, piece, strlen(piece));
		bytes += strlen(piece);
	}
	return wr_view_of(self->text, bytes);
}

static double next_double(struct author *self)
{
	uint64_t bits = wr_test_random(&self->state);
	double value;

	memcpy(&value, &bits, sizeof value);
	return isfinite(value) ? value : 0.5;
}

enum kind { OBJECT, ARRAY, STRING, U64, I64, DOUBLE, TRUE, FALSE, NOTHING, CLOSE, KIND_COUNT };

/* What comes next: at the top exactly one value, later anything, and in the end only closing. */
static enum kind next_kind(struct author *self, size_t depth, unsigned *left)
{
	enum kind kind = (enum kind)(wr_test_random(&self->state) % KIND_COUNT);

	if (*left == 0)
		return CLOSE;
	--*left;
	if (depth == 0)
		return kind & 1 ? OBJECT : ARRAY;
	if (depth == OPEN_MAX && kind <= ARRAY)
		return NOTHING;
	if (depth == 1 && kind == CLOSE)
		return TRUE;
	return kind;
}

static void write_value(struct wr_json_writer *json, struct author *author, enum kind kind)
{
	switch (kind) {
	case OBJECT:
		wr_json_object_begin(json);
		break;
	case ARRAY:
		wr_json_array_begin(json);
		break;
	case STRING:
		wr_json_string(json, next_text(author));
		break;
	case U64:
		wr_json_u64(json, wr_test_random(&author->state));
		break;
	case I64:
		wr_json_i64(json, -(int64_t)(wr_test_random(&author->state) >> 1));
		break;
	case DOUBLE:
		wr_json_double(json, next_double(author));
		break;
	case TRUE:
	case FALSE:
		wr_json_bool(json, kind == TRUE);
		break;
	case NOTHING:
	case CLOSE:
	case KIND_COUNT:
		wr_json_null(json);
		break;
	}
}

static void check_text(const struct wr_json_reader *reader, struct wr_view text)
{
	char storage[6 * TEXT_MAX];
	size_t bytes = wr_json_decode_string_to(storage, reader->text);

	CHECK_VIEW(wr_view_of(storage, bytes), text);
	CHECK(wr_json_reader_is(reader, text));
}

static void check_value(struct wr_json_reader *reader, struct author *author, enum kind kind)
{
	static const enum wr_json_token tokens[] = {
		[OBJECT] = WR_JSON_TOKEN_OBJECT_BEGIN, [ARRAY] = WR_JSON_TOKEN_ARRAY_BEGIN,
		[STRING] = WR_JSON_TOKEN_STRING,       [U64] = WR_JSON_TOKEN_NUMBER,
		[I64] = WR_JSON_TOKEN_NUMBER,	       [DOUBLE] = WR_JSON_TOKEN_NUMBER,
		[TRUE] = WR_JSON_TOKEN_TRUE,	       [FALSE] = WR_JSON_TOKEN_FALSE,
		[NOTHING] = WR_JSON_TOKEN_NULL};
	uint64_t magnitude;
	int64_t number;
	double real;

	CHECK_STATUS(wr_json_reader_next(reader), WR_OK);
	CHECK(reader->token == tokens[kind]);
	if (kind == STRING) {
		check_text(reader, next_text(author));
	} else if (kind == U64) {
		CHECK(wr_json_parse_u64(&magnitude, reader->text));
		CHECK_U64(magnitude, wr_test_random(&author->state));
	} else if (kind == I64) {
		CHECK(wr_json_parse_i64(&number, reader->text));
		CHECK_U64(number, -(int64_t)(wr_test_random(&author->state) >> 1));
	} else if (kind == DOUBLE) {
		double expected = next_double(author);

		real = wr_json_parse_double(reader->text);
		CHECK(memcmp(&real, &expected, sizeof real) == 0);
	}
}

/* Walks a random document once: writing when `json` is not NULL, else comparing with `reader`. */
static void walk_document(uint64_t seed, struct wr_json_writer *json, struct wr_json_reader *reader)
{
	struct author author = {.state = seed};
	unsigned left = 1 + (unsigned)(wr_test_random(&author.state) % 100);
	enum kind open[OPEN_MAX];
	size_t depth = 0;

	do {
		enum kind kind = next_kind(&author, depth, &left);

		if (kind == CLOSE) {
			bool is_object = open[--depth] == OBJECT;

			if (json != NULL && is_object)
				wr_json_object_end(json);
			else if (json != NULL)
				wr_json_array_end(json);
			else
				CHECK_STATUS(wr_json_reader_next(reader), WR_OK);
			if (json == NULL)
				CHECK(reader->token == (is_object ? WR_JSON_TOKEN_OBJECT_END
								  : WR_JSON_TOKEN_ARRAY_END));
			continue;
		}
		if (depth > 0 && open[depth - 1] == OBJECT) {
			struct wr_view name = next_text(&author);

			if (json != NULL) {
				wr_json_name(json, name);
			} else {
				CHECK_STATUS(wr_json_reader_next(reader), WR_OK);
				CHECK(reader->token == WR_JSON_TOKEN_NAME);
				check_text(reader, name);
			}
		}
		if (json != NULL)
			write_value(json, &author, kind);
		else
			check_value(reader, &author, kind);
		if (kind <= ARRAY)
			open[depth++] = kind;
	} while (depth > 0);
}

static void test_random_documents_read_back_as_written(void)
{
	uint64_t state = wr_test_seed();

	for (unsigned round = 0; round < 3000; round++) {
		uint64_t seed = wr_test_random(&state);
		struct wr_json_writer json;
		struct wr_json_reader reader;
		struct wr_buf out;

		wr_buf_init(&out, wr_test_allocator(), 1 << 20);
		wr_json_writer_init(&json, &out);
		walk_document(seed, &json, NULL);
		CHECK_STATUS(wr_buf_status(&out), WR_OK);
		wr_json_reader_init(&reader, wr_test_guarded(0, wr_buf_view(&out)), true);
		walk_document(seed, NULL, &reader);
		CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
		CHECK(reader.token == WR_JSON_TOKEN_END);
		wr_buf_deinit(&out);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_values_and_commas_are_as_meant),
	WR_TEST(test_single_values_are_documents),
	WR_TEST(test_text_fits_exactly_or_not_at_all),
	WR_TEST(test_failing_allocations_are_remembered),
	WR_TEST(test_nesting_reaches_the_readers_limit),
	WR_TEST_LIMIT(test_every_byte_is_escaped_at_every_place, 30),
	WR_TEST_LIMIT(test_random_strings_are_escaped_like_the_slow_way, 30),
	WR_TEST_LIMIT(test_random_documents_read_back_as_written, 30),
	WR_TEST_END,
};
