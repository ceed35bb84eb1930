/*
 * backend — a Backend and the Runtimes behind it, for end-to-end tests: started, configured, talked
 * to as a browser does.
 */
#ifndef WR_TESTS_HARNESS_BACKEND_H
#define WR_TESTS_HARNESS_BACKEND_H

#include "harness/client.h"

enum { WR_CURSOR_ROOM = 64, WR_PATH_ROOM = 512 };

/* A folder of this test under /tmp, with everything that the programs keep; removed by the
 * harness's user, see wr_place_remove. */
struct wr_place {
	char root[64];	    /* "/tmp/wr-backend-XXXXXX" */
	char workspace[96]; /* in it */
	char config[96];    /* file */
	char store[96];	    /* folder of the remote's log */
	char token_file[96];
};
void wr_place_make(struct wr_place *self);
void wr_place_remove(struct wr_place *self);
void wr_place_write(const char *path, const char *text);

/* A remote Runtime with an fs store in the place, at an address that stays the same over restarts.
 */
struct wr_remote {
	struct wr_process process;
	const struct wr_place *place;
	char address[128];
	const char *token; /* NULL: none */
};
void wr_remote_start(struct wr_remote *self, const struct wr_place *place, const char *token);
void wr_remote_restart(struct wr_remote *self); /* after wr_remote_kill */
void wr_remote_kill(struct wr_remote *self);	/* SIGKILL */

/* Writes the configuration: one remote `remote:box` at `address`. */
void wr_place_configure(const struct wr_place *self, const char *address);
/* Starts a Backend on the place, with further arguments (up to 16, or NULL). */
void wr_backend_start(struct wr_process *backend, const struct wr_place *place,
		      const char *const *arguments);

/* ---- as a browser does ---- */

/* Spawns a coder; fails the test unless accepted. */
void wr_backend_spawn(struct wr_client *client, const char *runtime_id,
		      char worker_id[WR_CLIENT_ID_BYTES]);
/* One input under a key; true when accepted. */
bool wr_backend_say(struct wr_client *client, const char *runtime_id, const char *worker_id,
		    const char *content, const char *key);
/* Opens the stream; cursor NULL: fresh. */
void wr_backend_observe(struct wr_test_ws *stream, const struct wr_process *backend,
			const char *runtime_id, const char *worker_id, const char *cursor);
/* The next event: its name and the text that tells it apart ("user_message: hello"), its cursor. */
void wr_backend_event(struct wr_test_ws *stream, char *text, size_t room,
		      char cursor[WR_CURSOR_ROOM]);
/* Asks GET /api/runtimes until the Runtime has this status; fails the test after 8 s. */
void wr_backend_await_status(struct wr_client *client, const char *runtime_id, const char *status);

#endif
