/*
 * command — what can be asked of a Runtime, as plain structs of borrowed views (contract
 * 1, 2.5-2.8).
 *
 * All text is valid UTF-8 before it comes here; the Runtime checks what has a meaning to it (blank,
 * too long, unknown profile) and copies what it keeps.
 */
#ifndef WR_CORE_COMMAND_H
#define WR_CORE_COMMAND_H

#include "bytes/buf.h"
#include "bytes/view.h"

#include <stdbool.h>
#include <stdint.h>

/* A packed list of (name, text) pairs: two views each, length first (u32 LE, 0xffffffff for an
 * absent second one). Made with wr_pairs_append, walked with wr_pairs_next, stored as it is. */
struct wr_pairs {
	struct wr_view packed;
	uint32_t count;
};

/* Appends a pair to `out`, which holds nothing but the list. Status of the buffer. */
enum wr_status wr_pairs_append(struct wr_buf *out, struct wr_view name, struct wr_view text);

/* Takes the first pair off *rest (start with pairs.packed). False at the end or when damaged: then
 * nothing is taken. */
bool wr_pairs_next(struct wr_view *rest, struct wr_view *name, struct wr_view *text);

/* Whether the list has exactly `count` pairs and nothing behind them. */
bool wr_pairs_are_whole(const struct wr_pairs *pairs);

enum wr_intent_kind { WR_INTENT_ASSISTANT, WR_INTENT_TASK, WR_INTENT_ROLE };
enum wr_profile_kind { WR_PROFILE_RUNTIME_DEFAULT, WR_PROFILE_BUILTIN, WR_PROFILE_NAMED };

/* What becomes of an input while a turn is running: it is refused, or waits for its turn, with at
 * most so many others (core/delivery.h). */
enum wr_busy_kind {
	WR_BUSY_UNSAID, /* by the create request: as the profile says; by the profile: reject */
	WR_BUSY_REJECT,
	WR_BUSY_QUEUE
};
struct wr_busy_policy {
	enum wr_busy_kind kind;
	uint32_t inputs_max; /* of QUEUE: 1 to WR_QUEUE_INPUTS_MAX; else 0 */
};

struct wr_create {
	enum wr_intent_kind intent;
	struct wr_view objective; /* task */
	struct wr_view role;	  /* role */
	struct wr_view purpose;	  /* assistant, role; may be absent */
	enum wr_profile_kind profile;
	struct wr_view profile_value;	 /* builtin, named */
	struct wr_view config_bundle_id; /* may be absent */
	/* Of the bundle that is meant, which is then looked at; absent: it is only named. */
	struct wr_view config_bundle_digest;
	struct wr_view worker_id; /* chosen by the client; absent: one is made */
	struct wr_busy_policy busy;
	struct wr_pairs capabilities;	/* name, reason (may be absent) */
	struct wr_pairs workspace_refs; /* name, reference */
	struct wr_pairs mount_refs;	/* name, reference */
};

/* The Idempotency-Key of a command (design 5), hashed by whoever took it in: `id` from who asks,
 * what for, and the key; `fingerprint` from the body. */
enum { WR_KEY_BYTES = 16 };
struct wr_key {
	uint8_t id[WR_KEY_BYTES], fingerprint[WR_KEY_BYTES];
};

enum wr_input_kind { WR_INPUT_USER, WR_INPUT_SYSTEM };

struct wr_input {
	enum wr_input_kind kind;
	struct wr_view content;
};

#endif
