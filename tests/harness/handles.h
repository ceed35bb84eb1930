/*
 * handles — the sources of a Backend behind their one interface (backend/runtime_handle.h), one at
 * a time, for tests that ask all of them the same: a Runtime in this process, one in a process of
 * its own, and a folder of the older tool.
 *
 * The test turns the reactor of the handle, of a server that hands its streams out, and of the
 * clients of that server (watcher.h); nothing sleeps, and a timer fails the test when nothing comes
 *any more. Whatever a handle tells is looked through here: that it is well-formed, that it belongs
 *to what was asked, and that it has nothing of contract 8.13 in it.
 *
 *	wr_handles_open(&world, WR_HANDLES_REMOTE);
 *	wr_handles_ask(&world, &asked, &(struct wr_source_call){.operation = WR_SOURCE_LIST, ...});
 *	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
 *	wr_handles_close(&world);
 */
#ifndef WR_TESTS_HARNESS_HANDLES_H
#define WR_TESTS_HARNESS_HANDLES_H

#include "backend/policy.h"
#include "backend/runtime_handle.h"
#include "harness/process.h"
#include "host/hosting.h"

enum wr_handles_source {
	WR_HANDLES_EMBEDDED,
	WR_HANDLES_EMBEDDED_FS,
	WR_HANDLES_REMOTE,
	WR_HANDLES_REMOTE_FS,
	WR_HANDLES_LOCAL
};

enum {
	WR_HANDLES_ID_ROOM = 128,
	WR_HANDLES_TEXT_ROOM = 128,
	WR_HANDLES_WORKERS_MAX = 16,
	WR_HANDLES_ENTRIES_MAX = 200,
	WR_HANDLES_LOCAL_WORKERS = 5 /* that the folder of the older tool has */
};

/* One source and everything around it; zero-initialised, must not move. */
struct wr_handles {
	enum wr_handles_source source;
	struct wr_runtime_handle *handle;
	unsigned can; /* what every source of this kind must be able to do */
	struct wr_reactor reactor;
	struct wr_http_server *server;
	struct wr_timer deadline;
	struct wr_process far;	   /* of a remote */
	struct wr_hosting hosting; /* of an embedded one */
	struct wr_policy policy;   /* everything passes */
	/* To be set before it is opened: the example agent runs its Workers. */
	bool has_agent;
	char agent[512];
	char root[64]; /* the folder of all that is kept */
	char store[96];
};

/* Makes a source that answers, and ends it. Skips the test when this build has no fs store and the
 * source needs one. */
void wr_handles_open(struct wr_handles *self, enum wr_handles_source source);
void wr_handles_close(struct wr_handles *self);
/* The handle alone; wr_handles_close is still to be called. */
void wr_handles_free_handle(struct wr_handles *self);

/* Begins to wait: from now on some seconds may pass. */
void wr_handles_wait(struct wr_handles *self);
/* One turn, in which something happens; fails the test when the time is over. */
void wr_handles_turn(struct wr_handles *self);
/* Turns as often as anything could still be under way, a remote's answers included. */
void wr_handles_settle(struct wr_handles *self);

static inline bool wr_handles_can(const struct wr_handles *self, unsigned bit)
{
	return (self->can & bit) != 0;
}

/* Fails the test when the text has something in it that may never be told. */
void wr_handles_check_text(const struct wr_handles *self, struct wr_view text);
/* The same of a text for display (contract 8.2). */
void wr_handles_check_display(const struct wr_handles *self, struct wr_view text);
bool wr_handles_has_notice(const struct wr_notices *notices, const char *part_of_code);

/* ---- calls ---- */

/* What was told of a Worker and of an entry of its transcript, copied. */
struct wr_told_worker {
	char worker_id[WR_HANDLES_ID_ROOM], label[WR_HANDLES_TEXT_ROOM];
	char display_hint[WR_HANDLES_TEXT_ROOM];
	char role[WR_HANDLES_TEXT_ROOM], profile[WR_HANDLES_TEXT_ROOM]; /* "(null)": absent */
	char state[32], status[32], phase[32];
	unsigned can;
	uint64_t last_event_id, queued_inputs;
	bool has_queue;
	uint32_t notice_count;
};

struct wr_told_entry {
	uint64_t sequence, event_id;
	char role[16];
	size_t bytes; /* of the content */
	uint8_t digest[32];
};

/* What was told of a config bundle, copied. */
struct wr_told_bundle {
	char id[WR_HANDLES_TEXT_ROOM + 1], digest[65], revision[32], source[32];
	uint64_t profile_count, declaration_count;
};

/* A call, and all that came of it. `on_end` may be set before it is begun. */
struct wr_asked {
	struct wr_source_call call;
	struct wr_handles *world;
	unsigned done_count, worker_count, entry_count, bundle_count;
	void (*on_end)(struct wr_asked *self); /* from within on_done; NULL: nothing */
	struct wr_source_result result;
	uint64_t dropped[WR_HANDLES_ENTRIES_MAX]; /* of the result, copied */
	unsigned dropped_count;
	struct wr_told_worker workers[WR_HANDLES_WORKERS_MAX];
	struct wr_told_entry entries[WR_HANDLES_ENTRIES_MAX];
	struct wr_told_bundle bundle;
};

/* Begins such a call; what its views point at must last until it has ended. */
void wr_handles_begin(struct wr_handles *self, struct wr_asked *asked,
		      const struct wr_source_call *call);
/* Turns until it has ended, and what it says may be told. */
void wr_handles_finish(struct wr_handles *self, struct wr_asked *asked);
/* Both. */
enum wr_source_outcome wr_handles_ask(struct wr_handles *self, struct wr_asked *asked,
				      const struct wr_source_call *call);

/* The id of a Worker that the source has: a new one where that can be. */
void wr_handles_worker(struct wr_handles *self, char worker_id[WR_HANDLES_ID_ROOM]);

#endif
