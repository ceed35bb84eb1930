/*
 * registry — the sources of a Backend in their order: local, embedded, then the remotes as they
 * were configured (contract 8.1).
 *
 * Owns its handles. Ids are told apart by bytes; a second source of an id is refused, so that none
 * is ever hidden by another. Sources may come and go while the program runs: whoever has calls
 * under way with a handle is told before it is freed.
 */
#ifndef WR_BACKEND_REGISTRY_H
#define WR_BACKEND_REGISTRY_H

#include "backend/runtime_handle.h"
#include "status.h"

/* Local, embedded, and 64 remotes. */
enum { WR_REGISTRY_COUNT_MAX = 66 };

/* Zero-initialised: empty. Fields may be read. */
struct wr_registry {
	uint32_t count;
	struct wr_runtime_handle *handles[WR_REGISTRY_COUNT_MAX];
	/* Set by whoever calls handles: this one is about to be freed, and is no longer found.
	 * NULL: nobody. */
	void (*on_remove)(void *context, struct wr_runtime_handle *handle);
	void *context;
};

/* At the end. Takes the handle when it is WR_OK; WR_EXISTS: its id is there; WR_FULL. */
enum wr_status wr_registry_add(struct wr_registry *self, struct wr_runtime_handle *handle);

/* Puts a handle in the place of another, which is removed. Takes the handle when it is WR_OK;
 * WR_EXISTS: its id is a third one's. Not from within a call of a handle, nor is remove. */
enum wr_status wr_registry_replace(struct wr_registry *self, struct wr_runtime_handle *old,
				   struct wr_runtime_handle *handle);

/* Moves a handle to this place in the order; the others keep theirs among each other. */
void wr_registry_place(struct wr_registry *self, struct wr_runtime_handle *handle, uint32_t index);

/* Frees a handle of the registry. */
void wr_registry_remove(struct wr_registry *self, struct wr_runtime_handle *handle);

/* NULL: there is none. */
struct wr_runtime_handle *wr_registry_find(const struct wr_registry *self,
					   struct wr_view runtime_id);
struct wr_runtime_handle *wr_registry_find_host(const struct wr_registry *self,
						struct wr_view host_id);

/* Streams of all sources. */
uint32_t wr_registry_stream_count(const struct wr_registry *self);
/* Drains the streams of all sources. */
void wr_registry_drain(struct wr_registry *self);

/* Removes all, the last one first. */
void wr_registry_deinit(struct wr_registry *self);

#endif
