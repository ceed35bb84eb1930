/*
 * Idempotency-Key (design 5): a command that may be sent again after an answer that never came.
 * What core remembers is two hashes. Who asks, and what for, is part of the key: the same word
 * means nothing under another token, or on another path.
 */
#include "bytes/sha256.h"
#include "check.h"
#include "runtime_server/routes.h"

enum { KEY_BYTES_MAX = 128 };

static bool is_key(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] < 0x21 || text.data[i] > 0x7e)
			return false;
	return text.bytes > 0 && text.bytes <= KEY_BYTES_MAX;
}

/* The parts are kept apart by NULs, which none of them has. */
static void hash_key(struct wr_key *key, const struct wr_request *request)
{
	const struct wr_http_exchange *exchange = request->exchange;
	const struct wr_http_head *head = exchange->head;
	const struct wr_view parts[] = {wr_guard_name(&request->server->guard, head),
					head->method_text, exchange->target.path,
					head->idempotency_key};
	uint8_t digest[WR_SHA256_BYTES];
	struct wr_sha256 hash;

	wr_sha256_init(&hash);
	for (size_t i = 0; i < WR_COUNT(parts); i++) {
		if (i != 0)
			wr_sha256_feed(&hash, wr_view_of("", 1));
		wr_sha256_feed(&hash, parts[i]);
	}
	wr_sha256_finish(&hash, digest);
	memcpy(key->id, digest, sizeof key->id);
	wr_sha256_of(digest, request->body);
	memcpy(key->fingerprint, digest, sizeof key->fingerprint);
}

void wr_serve_with_key(struct wr_request *request, wr_route_fn *serve)
{
	struct wr_key *key = &request->server->key;

	if (!is_key(request->exchange->head->idempotency_key)) {
		wr_refuse(request, WR_WIRE_INVALID_IDEMPOTENCY_KEY, WR_VIEW_NULL);
		return;
	}
	hash_key(key, request);
	request->key = key;
	serve(request);
}
