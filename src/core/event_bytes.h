/*
 * event_bytes — an event as versioned bytes and back: what a store keeps and an embedder reads.
 *
 * Layout, little-endian: version u8 · kind u8 · flags u16 · worker u32 · sequence u64 · wall ms
 * i64, with flag 1 a key (id and fingerprint, 16 bytes each, uptime u32), with flag 2 `delivered`
 * u64, then the members of the kind in the order of event.h; a text is length u32 and bytes, an
 * absent text length 0xffffffff. With flag 32 a create request ends in the digest of its config
 * bundle. With flag 4 the members are followed by: of an accepted input nothing (it waits for its
 * turn); of a creation the busy policy, kind u8 and inputs u32; of an end and of `interrupted` the
 * dropped inputs, a text of sequences u64.
 *
 * The version is the lowest that can say it: 1, but 2 with other flags than 1, of kind 14 and of
 * operation 10; so older programs read what they can understand, and say of the rest that it is
 * newer. Decoding refuses what encoding cannot have made.
 */
#ifndef WR_CORE_EVENT_BYTES_H
#define WR_CORE_EVENT_BYTES_H

#include "bytes/buf.h"
#include "core/encoding.h"
#include "core/event.h"

#define WR_EVENT_BYTES_VERSION 2u

/* Appends the bytes. Status of the buffer. */
enum wr_status wr_event_encode(struct wr_buf *out, const struct wr_event *event);

/* Reads exactly one event; its views point into `bytes`. WR_OK, WR_CORRUPT, or WR_UNSUPPORTED for a
 * version that is newer. */
enum wr_status wr_event_decode(struct wr_event *event, struct wr_view bytes);

/* The encoding of a Runtime that was given none: each frame is the u32 length of the event bytes
 * and the bytes, without the key. */
extern const struct wr_encoding wr_event_bytes_encoding;

/* Takes the first such frame off *stream. False when it is not whole. */
bool wr_event_frame_next(struct wr_view *stream, struct wr_view *event_bytes);

#endif
