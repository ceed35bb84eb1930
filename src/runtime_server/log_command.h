/*
 * log_command — `worker-runtime log verify DIR` and `log dump DIR`: looking at a log on disk,
 * without changing it, also beside the process that has it.
 */
#ifndef WR_RUNTIME_SERVER_LOG_COMMAND_H
#define WR_RUNTIME_SERVER_LOG_COMMAND_H

#include "bytes/buf.h"

/* Runs it; `argv` begins behind the word `log`. Gives the exit code: 0; 1: something is damaged, or
 * cannot be read; 2: the command line is wrong. With the last two, and unless all was said already,
 * `message` has a line for people. */
int wr_log_command(int argc, const char *const *argv, struct wr_buf *message);

#endif
