/*
 * signal — signals as readiness: handlers write one byte to a pipe that the reactor watches.
 *
 * Portable (no signalfd). Also ignores SIGPIPE and SIGXFSZ. One per process. A child between fork
 * and exec never reports; what it runs inherits the ignored ones unless they are set back.
 */
#ifndef WR_IO_SIGNAL_H
#define WR_IO_SIGNAL_H

#include "io/reactor/reactor.h"

typedef void wr_signal_fn(void *context, int number);

/* Catches the numbers of the 0-terminated list (at most 16) and reports each from the loop (several
 * of one kind may be merged into one report). WR_OK or WR_IO. */
enum wr_status wr_signals_open(struct wr_reactor *reactor, const int *numbers,
			       wr_signal_fn *on_signal, void *context, struct wr_error *error);
/* Restores the default dispositions, but SIGPIPE stays ignored: the last lines of the log may still
 * meet a closed pipe. Harmless when not open. */
void wr_signals_close(void);

#endif
