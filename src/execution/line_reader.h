/*
 * line_reader — a stream of bytes as lines, each at most so long.
 *
 * A line ends with LF; one CR before it goes, too. A line over the limit (CR counted) is told once,
 * at the byte that passes it, and the rest of it is dropped: memory stays bounded whatever comes.
 * Lines that lie whole in a piece are lent from there; only the beginning of an unfinished one is
 * copied.
 *
 *	init -> (feed -> next* until WR_MORE)* -> end -> deinit
 */
#ifndef WR_EXECUTION_LINE_READER_H
#define WR_EXECUTION_LINE_READER_H

#include "bytes/buf.h"
#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>

/* Placed by the caller; fields are private. */
struct wr_line_reader {
	struct wr_buf held;   /* the beginning of an unfinished line */
	struct wr_view input; /* what is left of the piece */
	bool is_dropping;     /* within a line that was refused */
	bool is_lent;	      /* `held` is with the caller until the next call */
};

void wr_line_reader_init(struct wr_line_reader *self, struct wr_allocator *allocator,
			 size_t line_bytes_max);
void wr_line_reader_deinit(struct wr_line_reader *self);

/* Gives the next piece, borrowed until next says WR_MORE. The one before is used up. */
void wr_line_reader_feed(struct wr_line_reader *self, struct wr_view input);

/* WR_OK: *line is the next line, lent until the next call; WR_MORE; WR_TOO_LARGE: a line over the
 * limit, dropped; WR_NO_MEMORY: a line that cannot be held, dropped. */
enum wr_status wr_line_reader_next(struct wr_line_reader *self, struct wr_view *line);

/* No more bytes will come: WR_OK and the last line when it has no LF, else WR_MORE. */
enum wr_status wr_line_reader_end(struct wr_line_reader *self, struct wr_view *line);

#endif
