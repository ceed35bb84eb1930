/*
 * lossy — foreign bytes as text that is always valid.
 *
 * What is not UTF-8 becomes U+FFFD, one for each maximal part of a broken sequence (Unicode 3.9,
 * "substitution of maximal subparts"): so garbage from a program harms nobody who reads it.
 */
#ifndef WR_EXECUTION_LOSSY_H
#define WR_EXECUTION_LOSSY_H

#include "bytes/buf.h"
#include "bytes/view.h"

/* Appends `bytes` as valid UTF-8. Status of the buffer; a bad byte takes three. */
enum wr_status wr_lossy_append(struct wr_buf *out, struct wr_view bytes);

/* The same for a short message: control characters (C0 but LF, DEL, C1) become spaces, and it is
 * cut at a character when the buffer is full. */
void wr_lossy_append_message(struct wr_buf *out, struct wr_view bytes);

#endif
