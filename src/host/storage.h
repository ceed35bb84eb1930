/*
 * storage — where the Runtime's log is kept: in memory only, or in the folder of an fs store,
 * driven here: all that is left out of a build without FS_STORE.
 *
 * At the end of each turn, before streams are sent to, what was appended is written, what has
 * become visible is shown, and the answers that waited for it are let go. When the store fails,
 * they are told so, and the one who wires all this is called.
 */
#ifndef WR_HOST_STORAGE_H
#define WR_HOST_STORAGE_H

#include "conn/http_server.h"
#include "core/runtime.h"
#include "host/hosting.h"
#include "wire/store_json.h"

struct wr_fs_store;

/* Placed by the caller, zeroed: memory only; must not move. Fields are private. */
struct wr_storage {
	struct wr_fs_store *store; /* NULL: memory only */
	struct wr_reactor *reactor;
	struct wr_runtime *runtime;
	struct wr_http_server *http;
	void (*on_failed)(void *context);
	void *context;
	struct wr_watch watch;
	struct wr_timer timer;
	struct wr_turn_hook hook;
	struct wr_store_report told; /* what it said last */
	char file[32];		     /* what its `file` is a view of */
	bool has_failed;
};

/* Opens what `hosting` asks for and gives its port to `ports`. False, with a message for people:
 * nothing was opened. */
bool wr_storage_open(struct wr_storage *self, struct wr_reactor *reactor,
		     struct wr_allocator *allocator, const struct wr_hosting *hosting,
		     struct wr_runtime_ports *ports, struct wr_buf *message);

/* The Runtime could not be made, because of its log: appends why, and what to do. False: that was
 * not why. */
bool wr_storage_explain(const struct wr_storage *self, const struct wr_hosting *hosting,
			enum wr_status status, struct wr_buf *message);

/* From now on it is driven; to be called when the server is there, and before streams are attached.
 * `on_failed` is called once, at the end of a turn. WR_OK, WR_NO_MEMORY, WR_IO. */
enum wr_status wr_storage_attach(struct wr_storage *self, struct wr_runtime *runtime,
				 struct wr_http_server *http, void (*on_failed)(void *context),
				 void *context);

/* No turns any more; before the Runtime goes. Harmless when not attached. */
void wr_storage_detach(struct wr_storage *self);
/* The last commit and the mark of an orderly end; after the Runtime has gone. */
void wr_storage_close(struct wr_storage *self);

/* Nothing can be written any more, for the life of the process. */
static inline bool wr_storage_has_failed(const struct wr_storage *self)
{
	return self->has_failed;
}

/* Whether all that was decided is visible, or never will be. */
bool wr_storage_is_settled(const struct wr_storage *self);

/* Fills what GET /v1/runtime says of it; lent until the next call. */
void wr_storage_report(struct wr_storage *self, struct wr_store_report *out);
/* Whether that would say something else than it did last. */
bool wr_storage_differs(const struct wr_storage *self);
static inline bool wr_storage_has_changed(const struct wr_storage *self)
{
	return WR_FS_STORE && self->store != NULL && wr_storage_differs(self);
}

/* Lets the answer that is to be given next wait until all that it says about this Worker (absent:
 * about the Runtime) is visible. */
void wr_storage_hold_answer(const struct wr_storage *self, struct wr_http_exchange *exchange,
			    struct wr_view worker_id);
static inline void wr_storage_hold(const struct wr_storage *self, struct wr_http_exchange *exchange,
				   struct wr_view worker_id)
{
	if (WR_FS_STORE && self->store != NULL)
		wr_storage_hold_answer(self, exchange, worker_id);
}

#endif
