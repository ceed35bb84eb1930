/*
 * folder — a look into folders that others write: the names of the real folders in one, and small
 * files below them.
 *
 * Below the folder that was opened no symbolic link is followed, nothing but a regular file is
 * read, nothing waits for a fifo, and no more is read than the caller has room for.
 */
#ifndef WR_IO_FOLDER_H
#define WR_IO_FOLDER_H

#include "bytes/buf.h"

#include <stdbool.h>

enum {
	WR_FOLDER_NAME_BYTES_MAX = 255,
	/* Entries that are looked at in one go: some milliseconds. What is beyond is not seen. */
	WR_FOLDER_ENTRIES_MAX = 16384
};

struct wr_folder {
	int fd;
};

/* A path is whatever its user chose: links in it are followed. WR_OK; WR_NOT_FOUND: there is no
 * such folder; WR_IO: errno says why. */
enum wr_status wr_folder_open(struct wr_folder *self, const char *path);
void wr_folder_close(struct wr_folder *self);

/* Calls `fn` for every real folder in this one, in no order, until it returns false. WR_OK; WR_IO;
 * WR_LIMIT: there are more entries than may be looked at. */
typedef bool wr_folder_fn(void *context, const char *name);
enum wr_status wr_folder_each(const struct wr_folder *self, wr_folder_fn *fn, void *context);

/* Appends a file of a real folder in this one (of this one itself: "."). WR_OK; WR_NOT_FOUND: no
 * such file, or not a regular one; WR_TOO_LARGE, WR_NO_MEMORY: of `out`; WR_IO: errno says why. */
enum wr_status wr_folder_read(const struct wr_folder *self, struct wr_buf *out, const char *folder,
			      const char *file);

#endif
