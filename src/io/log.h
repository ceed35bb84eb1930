/*
 * log — one line per happening on stderr, which may block, be full or be gone.
 *
 * Lines go through a bounded ring and leave by writes that do not block: what does not fit is
 * dropped and counted, and the count is a line later on. At most ten lines a second of one `kind`,
 * then a sum. Every byte outside 0x20-0x7e of a value becomes \xHH and values are cut at 256 bytes,
 * so that no foreign newline, escape or bidi mark reaches a terminal. Never log contents, tokens or
 * queries.
 *
 * A line: `worker-runtime: LEVEL KIND key=value key=value`, the level in lower case. A text with a
 * space, `=` or `"` in it, or none at all, stands in double quotes, so that it cannot pass for more
 * keys; `"` and `\` are written as \xHH, too.
 */
#ifndef WR_IO_LOG_H
#define WR_IO_LOG_H

#include "bytes/view.h"

#include <stdint.h>

enum wr_log_level { WR_LOG_ERROR, WR_LOG_WARNING, WR_LOG_INFO, WR_LOG_DEBUG };

struct wr_log_value {
	const char *key;
	struct wr_view text; /* used when data is not NULL */
	uint64_t number;     /* otherwise */
};

#define WR_LOG_TEXT(k, view) ((struct wr_log_value){.key = (k), .text = (view)})
#define WR_LOG_NUMBER(k, n) ((struct wr_log_value){.key = (k), .number = (uint64_t)(n)})

/* `program` is borrowed for life. Lines above `level` are dropped. fd is usually 2; its flags are
 * left alone, as other processes may share it. Before this call nothing is kept. */
void wr_log_open(const char *program, int fd, enum wr_log_level level);

/* `kind` is a static word such as "listener_paused"; values end with count. An error is written at
 * once, the rest with the next flush. */
void wr_log(enum wr_log_level level, const char *kind, const struct wr_log_value *values,
	    unsigned count);

/* Tries to write what is still in the ring; called once per turn. */
void wr_log_flush(void);

/* Adds the sums that are not yet told, tries to write, and keeps nothing from then on. */
void wr_log_close(void);

#define WR_LOG(level, kind, ...)                                        \
	wr_log(level, kind, (const struct wr_log_value[]){__VA_ARGS__}, \
	       sizeof((const struct wr_log_value[]){__VA_ARGS__}) / sizeof(struct wr_log_value))

#endif
