/*
 * disk — port: the system calls of a store, on files of one folder.
 *
 * The real one is disk_posix.c; tests have others that record what would be on disk after a power
 * cut, or let the n-th call fail. Functions return 0 (or a handle) or a negated errno. EINTR is
 * dealt with inside, but for close. Names are plain file names. Except where said, functions are
 * called from the reactor's thread and from the helper's, never both on one handle at a time unless
 * one of them only syncs or reads.
 */
#ifndef WR_IO_STORE_DISK_H
#define WR_IO_STORE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wr_disk_open {
	WR_DISK_READ,
	WR_DISK_WRITE, /* read and write a file that is there */
	WR_DISK_CREATE /* make it: exclusive, not through a link, mode 0600; read and write */
};

typedef void wr_disk_list_fn(void *context, const char *name);

struct wr_disk_ops {
	int (*open)(void *context, const char *name, enum wr_disk_open how);
	void (*close)(void *context, int handle);
	/* Reads until `bytes` are there or the file ends; *got tells. */
	int (*read)(void *context, int handle, void *out, size_t bytes, uint64_t offset,
		    size_t *got);
	/* Writes once; *put may be less than asked for (never 0 with a return of 0). */
	int (*write)(void *context, int handle, const void *data, size_t bytes, uint64_t offset,
		     size_t *put);
	/* The data of a file, and its size, are on the medium when it returns 0 (fdatasync; on
	 * macOS F_FULLFSYNC). */
	int (*sync)(void *context, int handle);
	int (*size)(void *context, int handle, uint64_t *bytes);
	int (*truncate)(void *context, int handle, uint64_t bytes);
	int (*rename)(void *context, const char *from, const char *to);
	int (*unlink)(void *context, const char *name);
	/* The names of the folder are on the medium when it returns 0. */
	int (*sync_folder)(void *context);
	int (*list)(void *context, wr_disk_list_fn *fn, void *fn_context);
	/* Takes the lock of the folder for the life of this disk: -EWOULDBLOCK when another process
	 * has it. Called first. */
	int (*lock)(void *context);
};

struct wr_disk {
	const struct wr_disk_ops *ops;
	void *context;
};

/* ---- the real one ---- */

struct wr_posix_disk {
	int folder, lock;
};

/* Opens a folder, making it and its parents as needed (0700, each synced with its parent). False:
 * *os_error says why. With `is_read_only` nothing is made, and no lock may be taken. The disk is
 * used through wr_posix_disk_port; close it when no file is in use any more. */
bool wr_posix_disk_open(struct wr_posix_disk *self, const char *path, bool is_read_only,
			int *os_error);
void wr_posix_disk_close(struct wr_posix_disk *self);
struct wr_disk wr_posix_disk_port(struct wr_posix_disk *self);

#endif
