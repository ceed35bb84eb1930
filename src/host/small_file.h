/* small_file — the whole of a file that people have written: tokens, settings. */
#ifndef WR_HOST_SMALL_FILE_H
#define WR_HOST_SMALL_FILE_H

#include "bytes/buf.h"

/* Appends the file, of at most `bytes_max` bytes, to `out`, which has room for them. With
 * `is_private` nobody but its owner may have access to it. False: why, and what to do, was appended
 * to `message`, and `out` may hold a part of the file. */
bool wr_small_file_read(struct wr_buf *out, const char *path, size_t bytes_max, bool is_private,
			struct wr_buf *message);

#endif
