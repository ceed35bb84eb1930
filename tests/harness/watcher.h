/*
 * watcher — a client of a handle's stream, in the reactor of handles.h: it asks, cuts what comes
 * into frames, and looks each of them through for what may never be told.
 */
#ifndef WR_TESTS_HARNESS_WATCHER_H
#define WR_TESTS_HARNESS_WATCHER_H

#include "codec/ws/frame.h"
#include "core/cursor.h"
#include "harness/handles.h"

enum { WR_WATCHER_FRAMES_MAX = 256 };

/* A client of a stream; must not move while it is open. */
struct wr_watcher {
	struct wr_watch watch;
	struct wr_handles *world;
	int fd;
	struct wr_buf in;
	size_t seen;	/* of it: cut into frames */
	unsigned http;	/* status of the answer; 0: not yet */
	size_t body;	/* of a refusal: where it begins */
	unsigned count; /* of text frames */
	unsigned pongs;
	unsigned close_code; /* of the server's Close; 0: none came */
	bool is_ended;
	struct {
		size_t at, bytes;
	} frames[WR_WATCHER_FRAMES_MAX];
};

/* Asks for the stream of a Worker and turns until there is an answer; cursor NULL: none. */
void wr_watcher_open(struct wr_handles *self, struct wr_watcher *watcher, const char *worker_id,
		     const char *cursor);
/* The same for any target. `fields` are finished lines. */
void wr_watcher_request(struct wr_handles *self, struct wr_watcher *watcher, const char *target,
			const char *fields);
void wr_watcher_close(struct wr_watcher *watcher);
/* Turns until it has so many frames; no more may have come. */
void wr_watcher_await(struct wr_watcher *watcher, unsigned count);
/* Turns until it has one, and maybe more. */
void wr_watcher_await_first(struct wr_watcher *watcher);
/* Turns until the server's Close, answers it, and turns until the connection has ended. */
void wr_watcher_await_close(struct wr_watcher *watcher, unsigned code);
void wr_watcher_send(struct wr_watcher *watcher, enum wr_ws_opcode opcode, struct wr_view payload);

/* Views are lent until more comes. */
struct wr_view wr_watcher_frame(const struct wr_watcher *watcher, unsigned index);
/* The cursor of an event, as a string. */
void wr_watcher_cursor(const struct wr_watcher *watcher, unsigned index,
		       char out[WR_CURSOR_BYTES + 1]);
/* The body of a refusal. */
struct wr_view wr_watcher_body(const struct wr_watcher *watcher);

#endif
