#include "backend/cursor.h"

#include "bytes/base64.h"
#include "bytes/endian.h"
#include "bytes/sha256.h"

enum {
	PREFIX_BYTES = 3,
	GENERATION_AT = WR_LOG_TAG_BYTES,
	WORKER_AT = GENERATION_AT + 3,
	SEQUENCE_AT = WORKER_AT + 4,
	BODY_BYTES = SEQUENCE_AT + 8,
	OLD_DIGITS = 16
};

_Static_assert(BODY_BYTES == sizeof((struct wr_cursor_mask *)0)->bytes, "all of it is masked");
_Static_assert(BODY_BYTES < WR_SHA256_BYTES, "a digest has enough for a mask");
_Static_assert(PREFIX_BYTES + WR_BASE64URL_BYTES(BODY_BYTES) == WR_CURSOR_BYTES, "token length");

void wr_cursor_mask_init(struct wr_cursor_mask *self, struct wr_view runtime_id)
{
	uint8_t digest[WR_SHA256_BYTES];
	struct wr_sha256 sha;

	/* Part of the token's form: another label is another Backend. */
	wr_sha256_init(&sha);
	wr_sha256_feed(&sha, WR_VIEW("worker-runtime bo_ 1 "));
	wr_sha256_feed(&sha, runtime_id);
	wr_sha256_finish(&sha, digest);
	memcpy(self->bytes, digest, BODY_BYTES);
}

uint32_t wr_worker_tag(struct wr_view worker_id)
{
	uint8_t digest[WR_SHA256_BYTES];

	wr_sha256_of(digest, worker_id);
	return wr_load_be32(digest);
}

static void apply(const struct wr_cursor_mask *mask, uint8_t body[BODY_BYTES])
{
	for (unsigned i = 0; i < BODY_BYTES; i++)
		body[i] ^= mask->bytes[i];
}

void wr_backend_cursor_format(char out[WR_CURSOR_BYTES], const struct wr_cursor_mask *mask,
			      const struct wr_backend_cursor *cursor)
{
	uint8_t body[BODY_BYTES];

	memcpy(body, cursor->log_tag, WR_LOG_TAG_BYTES);
	body[GENERATION_AT] = (uint8_t)(cursor->generation >> 16);
	body[GENERATION_AT + 1] = (uint8_t)(cursor->generation >> 8);
	body[GENERATION_AT + 2] = (uint8_t)cursor->generation;
	wr_store_be32(body + WORKER_AT, cursor->worker_tag);
	wr_store_be64(body + SEQUENCE_AT, cursor->sequence);
	apply(mask, body);
	memcpy(out, "bo_", PREFIX_BYTES);
	wr_base64url_encode(out + PREFIX_BYTES, body, sizeof body);
}

static bool is_hex(struct wr_view digits)
{
	for (size_t i = 0; i < digits.bytes; i++) {
		char c = wr_ascii_lower(digits.data[i]);

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

enum wr_status wr_backend_cursor_parse(struct wr_backend_cursor *cursor,
				       const struct wr_cursor_mask *mask, struct wr_view token)
{
	uint8_t body[BODY_BYTES];
	struct wr_view rest;

	*cursor = (struct wr_backend_cursor){.sequence = 0};
	if (!wr_view_starts(token, WR_VIEW("bo_")))
		return WR_MALFORMED;
	rest = wr_view_skip(token, PREFIX_BYTES);
	if (rest.bytes == OLD_DIGITS)
		return is_hex(rest) ? WR_UNKNOWN : WR_MALFORMED;
	if (wr_base64url_decode(body, sizeof body, rest) != WR_OK)
		return WR_MALFORMED;
	apply(mask, body);
	memcpy(cursor->log_tag, body, WR_LOG_TAG_BYTES);
	cursor->generation = (uint32_t)body[GENERATION_AT] << 16 |
			     (uint32_t)body[GENERATION_AT + 1] << 8 | body[GENERATION_AT + 2];
	cursor->worker_tag = wr_load_be32(body + WORKER_AT);
	cursor->sequence = wr_load_be64(body + SEQUENCE_AT);
	return WR_OK;
}
