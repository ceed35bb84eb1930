/*
 * rendered — a run of finished frames of one scope in one buffer, made once for all readers that
 * stand in it.
 *
 * Two sources fill it: the log's memory, where the runtime-wide stream replaces cursors on the way
 * out, and the store. Its key names what it holds: every frame of the scope behind `after`, up to
 * its last one.
 */
#ifndef WR_OBSERVE_RENDERED_H
#define WR_OBSERVE_RENDERED_H

#include "bounds.h"
#include "bytes/buf.h"

#include <stdbool.h>

/* A run ends with the frame that passes one of these. */
enum { WR_RENDERED_FRAMES_MAX = 512, WR_RENDERED_BYTES = 65536 };

struct wr_rendered_key {
	bool is_stored;
	uint32_t worker; /* scope: number, 0: runtime-wide */
	uint64_t after;	 /* frames with higher sequences */
};

struct wr_rendered {
	struct wr_buf bytes;
	struct wr_rendered_key key;
	uint32_t count;
	struct wr_rendered_frame {
		uint64_t sequence;
		uint32_t end;	 /* behind it, in `bytes` */
		uint32_t worker; /* from memory: whose stream it lies in, 0: the Runtime's own */
	} frames[WR_RENDERED_FRAMES_MAX];
};

/* A zeroed one. */
void wr_rendered_init(struct wr_rendered *self, struct wr_allocator *allocator);
void wr_rendered_deinit(struct wr_rendered *self);

/* Index of the first frame behind key->after; `count` when it does not hold what the key names. */
uint32_t wr_rendered_seek(const struct wr_rendered *self, const struct wr_rendered_key *key);

/* Empties it for a key. */
void wr_rendered_begin(struct wr_rendered *self, const struct wr_rendered_key *key);
/* Whether another frame may follow. */
static inline bool wr_rendered_has_room(const struct wr_rendered *self)
{
	return self->count < WR_RENDERED_FRAMES_MAX && self->bytes.bytes < WR_RENDERED_BYTES;
}
/* Appends a frame; gives the place of its bytes, or NULL when there is no memory (then the frames
 * before it stand). */
char *wr_rendered_add(struct wr_rendered *self, uint64_t sequence, struct wr_view bytes,
		      uint32_t worker);

/* Index of the frame in which the byte at `offset` lies; `count` behind the last. */
uint32_t wr_rendered_find(const struct wr_rendered *self, size_t offset);
/* Where a frame begins. */
static inline uint32_t wr_rendered_start(const struct wr_rendered *self, uint32_t index)
{
	return index == 0 ? 0 : self->frames[index - 1].end;
}

/* Gives memory beyond the usual back. */
void wr_rendered_shrink(struct wr_rendered *self);

#endif
