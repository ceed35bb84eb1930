#include "backend/embedded_key.h"

#include "bytes/endian.h"
#include "bytes/sha256.h"
#include "check.h"

static void feed_text(struct wr_sha256 *hash, struct wr_view text)
{
	char bytes[8];

	wr_store_le64(bytes, text.data == NULL ? UINT64_MAX : text.bytes);
	wr_sha256_feed(hash, wr_view_of(bytes, sizeof bytes));
	wr_sha256_feed(hash, text);
}

static void feed_number(struct wr_sha256 *hash, uint64_t number)
{
	char bytes[8];

	wr_store_le64(bytes, number);
	wr_sha256_feed(hash, wr_view_of(bytes, sizeof bytes));
}

/* What came later than keys that may still be remembered: where there is nothing of it, nothing is
 * fed. */
static void feed_making(struct wr_sha256 *hash, const struct wr_spawn_request *spawn)
{
	if (!spawn->has_profile && spawn->bundle_id.data == NULL && spawn->capabilities.count == 0)
		return;
	feed_number(hash, spawn->has_profile ? 1 + (uint64_t)spawn->profile : 0);
	feed_text(hash, spawn->profile_value);
	feed_text(hash, spawn->bundle_id);
	feed_text(hash, spawn->bundle_digest);
	feed_text(hash, spawn->capabilities.packed);
}

/* All that it says, also its order. */
static void feed_bundle(struct wr_sha256 *hash, const struct wr_config_bundle *bundle)
{
	feed_text(hash, bundle->id);
	feed_text(hash, bundle->digest);
	feed_text(hash, bundle->revision);
	feed_text(hash, bundle->workspace_id);
	feed_text(hash, bundle->created_at);
	feed_text(hash, bundle->source);
	feed_text(hash, bundle->detail);
	feed_text(hash, bundle->profiles.packed);
	feed_text(hash, bundle->declarations.packed);
}

static void feed_arguments(struct wr_sha256 *hash, const struct wr_source_call *call)
{
	const struct wr_spawn_request *spawn = &call->as.spawn;

	switch (call->operation) {
	case WR_SOURCE_SPAWN:
		feed_number(hash, spawn->intent);
		feed_text(hash, spawn->ticket_id);
		feed_text(hash, spawn->role);
		feed_text(hash, spawn->requested_name);
		feed_number(hash, spawn->expected_segments);
		feed_making(hash, spawn);
		return;
	case WR_SOURCE_STORE_BUNDLE:
		feed_bundle(hash, &call->as.bundle);
		return;
	case WR_SOURCE_INPUT:
		feed_number(hash, call->as.input.is_system);
		feed_text(hash, call->as.input.content);
		return;
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
		feed_text(hash, call->as.reason);
		return;
	case WR_SOURCE_LIST:
	case WR_SOURCE_DETAIL:
	case WR_SOURCE_TRANSCRIPT:
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		break;
	}
	wr_unreachable(); /* these are no commands */
}

const struct wr_key *wr_embedded_key(struct wr_key *key, const struct wr_source_call *call)
{
	uint8_t digest[WR_SHA256_BYTES];
	struct wr_sha256 hash;

	if (call->idempotency_key.data == NULL)
		return NULL;
	wr_sha256_init(&hash);
	feed_text(&hash, WR_VIEW("backend"));
	feed_number(&hash, call->operation);
	feed_text(&hash, call->operation == WR_SOURCE_SPAWN ? WR_VIEW_NULL : call->worker_id);
	feed_text(&hash, call->idempotency_key);
	wr_sha256_finish(&hash, digest);
	memcpy(key->id, digest, sizeof key->id);
	wr_sha256_init(&hash);
	feed_arguments(&hash, call);
	wr_sha256_finish(&hash, digest);
	memcpy(key->fingerprint, digest, sizeof key->fingerprint);
	return key;
}
