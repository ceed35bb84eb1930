/*
 * event_frame — what browsers are sent: finished, unmasked, final text frames (contract 8.11).
 *
 *	{"kind":"event","envelope":{"cursor":"bo_…","event_id":"bo_…","runtime_id":…,"worker_id":…,
 *	 "payload":{"event":…}}}
 *
 * Every event of every source passes here, and with it the policy.
 */
#ifndef WR_BACKEND_EVENT_FRAME_H
#define WR_BACKEND_EVENT_FRAME_H

#include "backend/cursor.h"
#include "backend/policy.h"
#include "bytes/buf.h"

/* Who is speaking; views are borrowed for the call. */
struct wr_envelope {
	char cursor[WR_CURSOR_BYTES];
	struct wr_view runtime_id, worker_id;
};

/* Appends the frame of an event, `payload` as it is; nothing when the policy (NULL: none) denies it
 * (*is_shown tells; may be NULL). A denied snapshot is an empty one. `scratch` is for what a rule
 * replaces; reset first. A replacement that is no JSON object, too deep or without room there is a
 * denial. Status of `out`; WR_NO_MEMORY of `scratch`; nothing is appended then. */
enum wr_status wr_backend_event_frame(struct wr_buf *out, struct wr_buf *scratch,
				      const struct wr_policy *policy,
				      const struct wr_envelope *envelope, struct wr_view name,
				      struct wr_view payload, bool *is_shown);

/* Why a stream ends, as contract 8.11 calls it; X(NAME, code, message). */
#define WR_BACKEND_NEWS_LIST(X)                                                                 \
	X(CURSOR_MALFORMED, "backend.cursor_malformed", "this is not a cursor of this Backend") \
	X(CURSOR_UNKNOWN, "backend.cursor_unknown_or_expired", "reconnect without a cursor")    \
	X(WORKER_NOT_FOUND, "backend.worker_not_found", "there is no such Worker")              \
	X(RUNTIME_UNAVAILABLE, "backend.runtime_unavailable",                                   \
	  "the Runtime cannot be reached now: try again later")                                 \
	X(UPSTREAM_DISCONNECT, "backend.upstream_disconnect",                                   \
	  "the Runtime ended this stream: reconnect with your cursor")                          \
	X(MALFORMED_FRAME, "backend.malformed_frame",                                           \
	  "the Runtime sent what cannot be understood")                                         \
	X(BROKEN_PROTOCOL, "backend.malformed_frame",                                           \
	  "this connection broke the WebSocket protocol: reconnect with your cursor")           \
	X(OBSERVATION_ONLY, "backend.observation_only",                                         \
	  "this stream carries observation only: send commands over the API")

enum wr_backend_news {
#define WR_BACKEND_NEWS_ENUM(name, code, message) WR_BACKEND_NEWS_##name,
	WR_BACKEND_NEWS_LIST(WR_BACKEND_NEWS_ENUM)
#undef WR_BACKEND_NEWS_ENUM
};

/* Appends the diagnostic; `reason` (detail.reason: "malformed", "unknown", "expired",
 * "scope_mismatch", "ahead", "lost_tail", ...) may be absent. Status of the buffer. */
enum wr_status wr_backend_diagnostic_frame(struct wr_buf *out, enum wr_backend_news news,
					   struct wr_view reason);

/* News and reason for a refused cursor or a Worker that cannot be observed: of WR_MALFORMED,
 * WR_SCOPE_MISMATCH, WR_UNKNOWN, WR_AHEAD, WR_LOST_TAIL, WR_EXPIRED, WR_NOT_FOUND; all others are
 * RUNTIME_UNAVAILABLE. */
enum wr_backend_news wr_backend_news_of(enum wr_status status, struct wr_view *reason);

#endif
