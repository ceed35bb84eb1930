/*
 * remote_calls — commands and lists of one remote Runtime: each is one HTTP request and its answer
 * (contract 8.8), none looks the Worker up first (W29).
 *
 * Lists, reads and commands each have connections of their own, so that none of them has to wait
 * for a slow one of another kind. A read may be sent again on a new connection when the kept one
 * was just about to end; a command only to a Runtime that honours an Idempotency-Key, and each has
 * one: the browser's, or one of ours.
 */
#ifndef WR_BACKEND_REMOTE_CALLS_H
#define WR_BACKEND_REMOTE_CALLS_H

#include "backend/remote_calls_verdict.h"
#include "backend/runtime_handle.h"
#include "conn/http_client.h"
#include "containers/list.h"

enum wr_remote_lane { WR_REMOTE_LISTS, WR_REMOTE_READS, WR_REMOTE_COMMANDS };
enum { WR_REMOTE_LANE_COUNT = WR_REMOTE_COMMANDS + 1 };

/* Placed by the owner. */
struct wr_remote_calls {
	/* Set by the owner, as it learns about the Runtime; read at every call. */
	bool honours_keys;
	bool can_stream;
	uint64_t transcript_items_max; /* 0: not known */

	/* Private, but for `lanes`, on which the owner may have calls of its own. */
	struct wr_allocator *allocator;
	struct wr_http_client *lanes[WR_REMOTE_LANE_COUNT];
	struct wr_list calls;
	uint32_t ms_max;
	struct wr_buf dropped; /* of the result that is told */
};

/* WR_OK, WR_NO_MEMORY, WR_INVALID. Of `http` the remote's address and texts count. */
enum wr_status wr_remote_calls_init(struct wr_remote_calls *self, struct wr_reactor *reactor,
				    struct wr_allocator *allocator,
				    const struct wr_http_client_config *http, uint32_t ms_max);
/* Ends all calls without on_done. Not from within a function of one. */
void wr_remote_calls_deinit(struct wr_remote_calls *self);

/* As of a runtime_handle. */
void wr_remote_calls_begin(struct wr_remote_calls *self, struct wr_source_call *call);
void wr_remote_calls_cancel(struct wr_remote_calls *self, struct wr_source_call *call);

/* Ends a call that was not begun. */
void wr_remote_calls_refuse(struct wr_source_call *call, enum wr_remote_cause cause);

#endif
