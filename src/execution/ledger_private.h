/*
 * ledger_private — what the files of ledger share: the bytes of the file, and the end of the life
 * that left one behind. Integers are in little-endian order:
 *
 *	 0  "WRCHILD1"          8
 *	 8  mark               16  random, also in the environment of children
 *	24  place              64  boot and process namespace (proc.h), padded with zeros
 *	88  CRC-32C of these    4
 *	92  zeros               4
 *	96  rows, of 16 bytes each: number, CRC-32C of the two others, start time (8);
 *	    all zeros: no child
 *
 * A child leads its session (spawn.h), so its number is that of the session, too.
 */
#ifndef WR_EXECUTION_LEDGER_PRIVATE_H
#define WR_EXECUTION_LEDGER_PRIVATE_H

#include "execution/ledger.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	WR_LEDGER_MARK_AT = 8,
	WR_LEDGER_PLACE_AT = 24,
	WR_LEDGER_HEAD_CRC_AT = 88,
	WR_LEDGER_HEAD_BYTES = 96,
	WR_LEDGER_ROW_BYTES = 16,
	WR_LEDGER_FILE_BYTES_MAX =
		WR_LEDGER_HEAD_BYTES + WR_LEDGER_ROW_BYTES * WR_LEDGER_ROW_COUNT_MAX
};

/* ---- the bytes (ledger_file.c) ---- */

/* The head of a file of this process. */
void wr_ledger_write_head(uint8_t out[WR_LEDGER_HEAD_BYTES],
			  const uint8_t random[WR_LEDGER_RANDOM_BYTES]);
bool wr_ledger_is_head_sound(const uint8_t head[WR_LEDGER_HEAD_BYTES]);
/* Whether its numbers mean processes that can be seen from here. */
bool wr_ledger_is_of_this_place(const uint8_t head[WR_LEDGER_HEAD_BYTES]);
/* The entry of the environment with these random bytes. */
void wr_ledger_write_mark(char out[WR_LEDGER_MARK_BYTES],
			  const uint8_t random[WR_LEDGER_RANDOM_BYTES]);

/* With the number 0: an empty row. */
void wr_ledger_write_row(uint8_t out[WR_LEDGER_ROW_BYTES], pid_t pid, uint64_t start);
/* False for a damaged one. *pid is 0 when there is no child in it that could be verified. */
bool wr_ledger_read_row(pid_t *pid, uint64_t *start, const uint8_t row[WR_LEDGER_ROW_BYTES]);

/* The size of a file, no more than what is ever used of it; -1 when it is none. */
off_t wr_ledger_file_size(int fd);

/* ---- the last life (ledger_former.c) ---- */

/* Ends what the process that left this file could not. WR_OK, also when there is nothing in it
 * that can be believed; WR_NO_MEMORY. */
enum wr_status wr_ledger_end_former_life(const struct wr_ledger *self);

#endif
