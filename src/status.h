/*
 * status — the one enum of outcomes and the one error struct.
 *
 * Every function that can do anything but succeed returns `enum wr_status`. WR_OK and WR_MORE
 * ("give me more bytes") are not failures. There are four kinds, and four treatments:
 *
 *   need more   WR_MORE: return to the reactor and come back with more bytes
 *   outcome     the caller asked for something that cannot be had (not found, busy, over a limit):
 *               listed in the header of the function, handled by the direct caller
 *   failure     memory, I/O, damage: passed up unchanged to whoever can answer or end the program
 *   our bug     not a status: wr_assert, abort
 *
 * The names carry no transport: which HTTP status, error code and WebSocket close code belong to a
 * status is one table in wire/error_json.c.
 */
#ifndef WR_STATUS_H
#define WR_STATUS_H

#include <stddef.h>

/* X(name, text): the text is for people, without user bytes. */
#define WR_STATUS_LIST(X)                                             \
	X(OK, "ok")                                                   \
	X(MORE, "more bytes are needed")                              \
	X(SYNTAX, "bytes do not follow the grammar")                  \
	X(ENCODING, "bytes are not valid UTF-8")                      \
	X(INVALID, "well formed, but not acceptable")                 \
	X(TOO_LARGE, "over a size limit")                             \
	X(LIMIT, "more items asked for than the configured maximum")  \
	X(UNSUPPORTED, "not supported here")                          \
	X(UNAUTHENTICATED, "no valid credential")                     \
	X(FORBIDDEN, "not allowed for this caller")                   \
	X(NOT_FOUND, "no such thing")                                 \
	X(CONFLICT, "state does not allow it")                        \
	X(EXISTS, "there is one already, and it differs")             \
	X(MISMATCH, "the key was used with another request")          \
	X(NO_BUNDLE, "no such config bundle")                         \
	X(DIGEST_MISMATCH, "the config bundle has another digest")    \
	X(NO_DECLARATION, "a declaration is not supported here")      \
	X(BUSY, "a turn is running")                                  \
	X(UNAVAILABLE, "nothing runs this Worker")                    \
	X(REJECTED, "the execution refused it")                       \
	X(STOPPED, "the Runtime was stopped")                         \
	X(DRAINING, "the Runtime is shutting down")                   \
	X(OVERLOAD, "too much at once")                               \
	X(FULL, "no room is left for it")                             \
	X(TIMEOUT, "not in time")                                     \
	X(MALFORMED, "not a token of ours")                           \
	X(SCOPE_MISMATCH, "belongs to another scope")                 \
	X(UNKNOWN, "belongs to another log")                          \
	X(AHEAD, "lies beyond the newest event")                      \
	X(LOST_TAIL, "names an event that an unclean stop took away") \
	X(EXPIRED, "an event after it is no longer kept")             \
	X(CLOSED, "the peer is gone")                                 \
	X(IO, "input or output failed")                               \
	X(CORRUPT, "stored bytes are damaged")                        \
	X(NO_MEMORY, "out of memory")

enum wr_status {
#define WR_STATUS_ENUM(name, text) WR_##name,
	WR_STATUS_LIST(WR_STATUS_ENUM)
#undef WR_STATUS_ENUM
};

/* What went wrong, in more words than one. The caller places it; a callee that fails fills it. */
struct wr_error {
	enum wr_status status;
	int os_error;	    /* errno of the failed call, 0 when none */
	size_t offset;	    /* first offending byte of the input, where that has a meaning */
	const char *detail; /* static text of ours, or NULL; never user bytes */
};

/* The upper-case name without prefix ("TOO_LARGE"). Static. */
const char *wr_status_name(enum wr_status status);

/* One sentence for people. Static. */
const char *wr_status_text(enum wr_status status);

#endif
