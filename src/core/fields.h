/*
 * fields — values as little-endian bytes and back: what event_bytes and checkpoints are made of.
 *
 * Writing fills room that was taken for the whole: each wr_put_ writes at `at` and returns the
 * place behind. Reading is a cursor over the bytes that goes bad once and stays bad, so that it is
 * asked at the end. A text is length u32 and bytes, an absent text length 0xffffffff.
 */
#ifndef WR_CORE_FIELDS_H
#define WR_CORE_FIELDS_H

#include "bytes/endian.h"
#include "check.h"
#include "core/command.h"
#include "core/config_bundle.h"

#include <string.h>

#define WR_TEXT_ABSENT 0xffffffffu

/* ---- writing ---- */

static inline size_t wr_text_bytes(struct wr_view text)
{
	return 4 + text.bytes;
}

static inline char *wr_put_u8(char *at, unsigned value)
{
	*at = (char)value;
	return at + 1;
}

static inline char *wr_put_u32(char *at, uint32_t value)
{
	wr_store_le32(at, value);
	return at + 4;
}

static inline char *wr_put_u64(char *at, uint64_t value)
{
	wr_store_le64(at, value);
	return at + 8;
}

static inline char *wr_put_bytes(char *at, struct wr_view bytes)
{
	if (bytes.bytes != 0)
		memcpy(at, bytes.data, bytes.bytes);
	return at + bytes.bytes;
}

static inline char *wr_put_text(char *at, struct wr_view text)
{
	wr_assert(text.bytes < WR_TEXT_ABSENT && (text.data != NULL || text.bytes == 0));
	at = wr_put_u32(at, text.data == NULL ? WR_TEXT_ABSENT : (uint32_t)text.bytes);
	return wr_put_bytes(at, text);
}

/* A key: id, then fingerprint. */
enum { WR_KEY_FIELD_BYTES = 2 * WR_KEY_BYTES };
char *wr_put_key(char *at, const struct wr_key *key);

/* A create request, without its worker_id: that is kept beside it. Its last field, the digest of a
 * config bundle, is there only when it has one: whoever takes it must know. */
size_t wr_request_bytes(const struct wr_create *request);
char *wr_put_request(char *at, const struct wr_create *request);

/* A busy policy. A list of sequences is a text. */
enum { WR_BUSY_FIELD_BYTES = 5 };
char *wr_put_busy(char *at, const struct wr_busy_policy *busy);
size_t wr_bundle_bytes(const struct wr_config_bundle *bundle);
char *wr_put_bundle(char *at, const struct wr_config_bundle *bundle);

/* ---- reading ---- */

struct wr_take {
	struct wr_view rest;
	bool is_bad;
};

/* NULL when there are not as many. */
static inline const char *wr_take_bytes(struct wr_take *from, size_t bytes)
{
	const char *data = from->rest.data;

	if (from->is_bad || bytes > from->rest.bytes) {
		from->is_bad = true;
		return NULL;
	}
	from->rest = wr_view_skip(from->rest, bytes);
	return data;
}

/* A u8 that is at most `max`; 0 when bad. */
uint8_t wr_take_u8(struct wr_take *from, unsigned max);
uint32_t wr_take_u32(struct wr_take *from);
uint64_t wr_take_u64(struct wr_take *from);
struct wr_view wr_take_text(struct wr_take *from);
void wr_take_key(struct wr_take *from, struct wr_key *key);
void wr_take_request(struct wr_take *from, struct wr_create *request, bool has_digest);
/* Bad unless it is sound. */
void wr_take_bundle(struct wr_take *from, struct wr_config_bundle *bundle);
/* One that is not UNSAID. */
void wr_take_busy(struct wr_take *from, struct wr_busy_policy *busy);
/* A text of whole sequences, ascending from above 0, at least one. */
struct wr_view wr_take_sequences(struct wr_take *from);

/* The end of a Worker's row in a checkpoint that has the flag for it (core/checkpoint.h). */
enum {
	WR_ROW_QUARANTINED = 1,
	WR_ROW_QUEUE = 2,
	WR_ROW_DIGEST = 32, /* of its request */
	WR_ROW_WAITING_BYTES = 8 + 4 + 1
};
struct wr_row_queue {
	struct wr_busy_policy busy;
	struct wr_view dropped; /* packed, or absent */
	uint32_t waiting_count;
	struct wr_view waiting; /* of WR_ROW_WAITING_BYTES each */
};
void wr_take_row_queue(struct wr_take *from, struct wr_row_queue *queue);

/* Whether all was good and nothing is left. */
static inline bool wr_take_is_whole(const struct wr_take *from)
{
	return !from->is_bad && from->rest.bytes == 0;
}

#endif
