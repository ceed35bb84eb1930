#include "core/fields.h"

#include "bounds.h"
#include "core/input_queue.h"

char *wr_put_key(char *at, const struct wr_key *key)
{
	at = wr_put_bytes(at, wr_view_of(key->id, WR_KEY_BYTES));
	return wr_put_bytes(at, wr_view_of(key->fingerprint, WR_KEY_BYTES));
}

static size_t pairs_bytes(const struct wr_pairs *pairs)
{
	return 8 + pairs->packed.bytes;
}

static char *put_pairs(char *at, const struct wr_pairs *pairs)
{
	at = wr_put_u32(at, pairs->count);
	at = wr_put_u32(at, (uint32_t)pairs->packed.bytes);
	return wr_put_bytes(at, pairs->packed);
}

size_t wr_request_bytes(const struct wr_create *request)
{
	return 2 + wr_text_bytes(request->objective) + wr_text_bytes(request->role) +
	       wr_text_bytes(request->purpose) + wr_text_bytes(request->profile_value) +
	       wr_text_bytes(request->config_bundle_id) + pairs_bytes(&request->capabilities) +
	       pairs_bytes(&request->workspace_refs) + pairs_bytes(&request->mount_refs) +
	       (request->config_bundle_digest.data == NULL
			? 0
			: wr_text_bytes(request->config_bundle_digest));
}

char *wr_put_request(char *at, const struct wr_create *request)
{
	at = wr_put_u8(at, request->intent);
	at = wr_put_u8(at, request->profile);
	at = wr_put_text(at, request->objective);
	at = wr_put_text(at, request->role);
	at = wr_put_text(at, request->purpose);
	at = wr_put_text(at, request->profile_value);
	at = wr_put_text(at, request->config_bundle_id);
	at = put_pairs(at, &request->capabilities);
	at = put_pairs(at, &request->workspace_refs);
	at = put_pairs(at, &request->mount_refs);
	return request->config_bundle_digest.data == NULL
		       ? at
		       : wr_put_text(at, request->config_bundle_digest);
}

static size_t rows_bytes(const struct wr_rows *rows)
{
	return 8 + rows->packed.bytes;
}

static char *put_rows(char *at, const struct wr_rows *rows)
{
	at = wr_put_u32(at, rows->count);
	at = wr_put_u32(at, (uint32_t)rows->packed.bytes);
	return wr_put_bytes(at, rows->packed);
}

size_t wr_bundle_bytes(const struct wr_config_bundle *bundle)
{
	return wr_text_bytes(bundle->id) + wr_text_bytes(bundle->digest) +
	       wr_text_bytes(bundle->revision) + wr_text_bytes(bundle->workspace_id) +
	       wr_text_bytes(bundle->created_at) + wr_text_bytes(bundle->source) +
	       wr_text_bytes(bundle->detail) + rows_bytes(&bundle->profiles) +
	       rows_bytes(&bundle->declarations);
}

char *wr_put_bundle(char *at, const struct wr_config_bundle *bundle)
{
	at = wr_put_text(at, bundle->id);
	at = wr_put_text(at, bundle->digest);
	at = wr_put_text(at, bundle->revision);
	at = wr_put_text(at, bundle->workspace_id);
	at = wr_put_text(at, bundle->created_at);
	at = wr_put_text(at, bundle->source);
	at = wr_put_text(at, bundle->detail);
	at = put_rows(at, &bundle->profiles);
	return put_rows(at, &bundle->declarations);
}

char *wr_put_busy(char *at, const struct wr_busy_policy *busy)
{
	at = wr_put_u8(at, busy->kind);
	return wr_put_u32(at, busy->inputs_max);
}

uint8_t wr_take_u8(struct wr_take *from, unsigned max)
{
	const char *data = wr_take_bytes(from, 1);

	if (data == NULL)
		return 0;
	if ((uint8_t)*data > max) {
		from->is_bad = true;
		return 0;
	}
	return (uint8_t)*data;
}

uint32_t wr_take_u32(struct wr_take *from)
{
	const char *data = wr_take_bytes(from, 4);

	return data == NULL ? 0 : wr_load_le32(data);
}

uint64_t wr_take_u64(struct wr_take *from)
{
	const char *data = wr_take_bytes(from, 8);

	return data == NULL ? 0 : wr_load_le64(data);
}

struct wr_view wr_take_text(struct wr_take *from)
{
	uint32_t bytes = wr_take_u32(from);
	const char *data;

	if (from->is_bad || bytes == WR_TEXT_ABSENT)
		return WR_VIEW_NULL;
	data = wr_take_bytes(from, bytes);
	return data == NULL ? WR_VIEW_NULL : wr_view_of(data, bytes);
}

void wr_take_key(struct wr_take *from, struct wr_key *key)
{
	const char *data = wr_take_bytes(from, WR_KEY_FIELD_BYTES);

	if (data == NULL)
		return;
	memcpy(key->id, data, WR_KEY_BYTES);
	memcpy(key->fingerprint, data + WR_KEY_BYTES, WR_KEY_BYTES);
}

static void take_pairs(struct wr_take *from, struct wr_pairs *pairs)
{
	uint32_t count = wr_take_u32(from), bytes = wr_take_u32(from);
	const char *data = wr_take_bytes(from, bytes);

	*pairs = (struct wr_pairs){.count = 0};
	if (data == NULL)
		return;
	*pairs = (struct wr_pairs){.packed = wr_view_of(data, bytes), .count = count};
	if (!wr_pairs_are_whole(pairs))
		from->is_bad = true;
}

void wr_take_request(struct wr_take *from, struct wr_create *request, bool has_digest)
{
	request->intent = (enum wr_intent_kind)wr_take_u8(from, WR_INTENT_ROLE);
	request->profile = (enum wr_profile_kind)wr_take_u8(from, WR_PROFILE_NAMED);
	request->objective = wr_take_text(from);
	request->role = wr_take_text(from);
	request->purpose = wr_take_text(from);
	request->profile_value = wr_take_text(from);
	request->config_bundle_id = wr_take_text(from);
	take_pairs(from, &request->capabilities);
	take_pairs(from, &request->workspace_refs);
	take_pairs(from, &request->mount_refs);
	request->config_bundle_digest = has_digest ? wr_take_text(from) : WR_VIEW_NULL;
	if (has_digest && request->config_bundle_digest.data == NULL)
		from->is_bad = true;
}

static void take_rows(struct wr_take *from, struct wr_rows *rows)
{
	uint32_t count = wr_take_u32(from), bytes = wr_take_u32(from);
	const char *data = wr_take_bytes(from, bytes);

	*rows = (struct wr_rows){.count = 0};
	if (data != NULL)
		*rows = (struct wr_rows){.packed = wr_view_of(data, bytes), .count = count};
}

void wr_take_bundle(struct wr_take *from, struct wr_config_bundle *bundle)
{
	bundle->id = wr_take_text(from);
	bundle->digest = wr_take_text(from);
	bundle->revision = wr_take_text(from);
	bundle->workspace_id = wr_take_text(from);
	bundle->created_at = wr_take_text(from);
	bundle->source = wr_take_text(from);
	bundle->detail = wr_take_text(from);
	take_rows(from, &bundle->profiles);
	take_rows(from, &bundle->declarations);
	if (!from->is_bad && !wr_config_bundle_is_sound(bundle))
		from->is_bad = true;
}

void wr_take_busy(struct wr_take *from, struct wr_busy_policy *busy)
{
	busy->kind = (enum wr_busy_kind)wr_take_u8(from, WR_BUSY_QUEUE);
	busy->inputs_max = wr_take_u32(from);
	if (busy->kind == WR_BUSY_UNSAID || busy->inputs_max > WR_QUEUE_INPUTS_MAX ||
	    (busy->kind == WR_BUSY_QUEUE) != (busy->inputs_max != 0))
		from->is_bad = true;
}

struct wr_view wr_take_sequences(struct wr_take *from)
{
	struct wr_view packed = wr_take_text(from), rest = packed;
	uint64_t before = 0, sequence;

	while (wr_sequences_next(&rest, &sequence)) {
		if (sequence <= before)
			from->is_bad = true;
		before = sequence;
	}
	if (packed.bytes == 0 || rest.bytes != 0)
		from->is_bad = true;
	return packed;
}

static void take_policy(struct wr_take *from, struct wr_busy_policy *busy)
{
	struct wr_take ahead = *from;

	if (wr_take_u8(&ahead, WR_BUSY_QUEUE) != WR_BUSY_UNSAID)
		wr_take_busy(from, busy);
	else if (wr_take_u8(from, 0) != 0 || wr_take_u32(from) != 0)
		from->is_bad = true;
}

void wr_take_row_queue(struct wr_take *from, struct wr_row_queue *queue)
{
	struct wr_take ahead;
	size_t bytes;
	const char *waiting;

	*queue = (struct wr_row_queue){.waiting_count = 0};
	take_policy(from, &queue->busy);
	ahead = *from;
	if (wr_take_u32(&ahead) == WR_TEXT_ABSENT)
		*from = ahead;
	else
		queue->dropped = wr_take_sequences(from);
	queue->waiting_count = wr_take_u32(from);
	/* One that says nothing would not be there. */
	if (queue->waiting_count > WR_QUEUE_TRACKED_MAX ||
	    (queue->busy.kind == WR_BUSY_UNSAID && queue->dropped.data == NULL &&
	     queue->waiting_count == 0))
		from->is_bad = true;
	bytes = from->is_bad ? 0 : (size_t)queue->waiting_count * WR_ROW_WAITING_BYTES;
	waiting = wr_take_bytes(from, bytes);
	if (waiting != NULL)
		queue->waiting = wr_view_of(waiting, bytes);
}
