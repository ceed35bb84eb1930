/*
 * console — the page for people, compiled into the program (src/backend/console/, packed by the
 * GNUmakefile): its files, and under which path each is served.
 */
#ifndef WR_BACKEND_CONSOLE_H
#define WR_BACKEND_CONSOLE_H

#include <stddef.h>

struct wr_console_file {
	const char *path; /* as in a request: "/", "/console.js", ... */
	const char *content_type;
	const char *tag; /* of just these bytes, in quotes (RFC 9110 8.8.3) */
	const unsigned char *data;
	size_t bytes;
};

extern const struct wr_console_file wr_console_files[];
extern const size_t wr_console_file_count;

#endif
