#include "execution/ledger_private.h"

#include "bytes/buf.h"
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"

#include <string.h>
#include <sys/stat.h>

enum { MAGIC_BYTES = 8 };
_Static_assert(WR_LEDGER_PLACE_AT + WR_PROC_PLACE_BYTES == WR_LEDGER_HEAD_CRC_AT,
	       "the layout in the header");

static const char magic[MAGIC_BYTES] = {'W', 'R', 'C', 'H', 'I', 'L', 'D', '1'};

/* ---- the head ---- */

void wr_ledger_write_head(uint8_t out[WR_LEDGER_HEAD_BYTES],
			  const uint8_t random[WR_LEDGER_RANDOM_BYTES])
{
	memset(out, 0, WR_LEDGER_HEAD_BYTES);
	memcpy(out, magic, sizeof magic);
	memcpy(out + WR_LEDGER_MARK_AT, random, WR_LEDGER_RANDOM_BYTES);
	wr_proc_place((char *)out + WR_LEDGER_PLACE_AT);
	wr_store_le32(out + WR_LEDGER_HEAD_CRC_AT, wr_crc32c(0, out, WR_LEDGER_HEAD_CRC_AT));
}

bool wr_ledger_is_head_sound(const uint8_t head[WR_LEDGER_HEAD_BYTES])
{
	return memcmp(head, magic, sizeof magic) == 0 &&
	       wr_load_le32(head + WR_LEDGER_HEAD_CRC_AT) ==
		       wr_crc32c(0, head, WR_LEDGER_HEAD_CRC_AT);
}

bool wr_ledger_is_of_this_place(const uint8_t head[WR_LEDGER_HEAD_BYTES])
{
	char place[WR_PROC_PLACE_BYTES];

	wr_proc_place(place);
	return place[0] != '\0' && memcmp(head + WR_LEDGER_PLACE_AT, place, sizeof place) == 0;
}

void wr_ledger_write_mark(char out[WR_LEDGER_MARK_BYTES],
			  const uint8_t random[WR_LEDGER_RANDOM_BYTES])
{
	struct wr_buf text;

	memset(out, 0, WR_LEDGER_MARK_BYTES);
	wr_buf_init_fixed(&text, out, WR_LEDGER_MARK_BYTES - 1);
	wr_buf_append_view(&text, WR_VIEW("WORKER_RUNTIME_CHILD="));
	for (unsigned i = 0; i < WR_LEDGER_RANDOM_BYTES; i++) {
		wr_buf_append_byte(&text, "0123456789abcdef"[random[i] >> 4]);
		wr_buf_append_byte(&text, "0123456789abcdef"[random[i] & 15]);
	}
	wr_assert(wr_buf_status(&text) == WR_OK);
}

/* ---- rows ---- */

static uint32_t row_crc(const uint8_t row[WR_LEDGER_ROW_BYTES])
{
	return wr_crc32c(wr_crc32c(0, row, 4), row + 8, 8);
}

void wr_ledger_write_row(uint8_t out[WR_LEDGER_ROW_BYTES], pid_t pid, uint64_t start)
{
	memset(out, 0, WR_LEDGER_ROW_BYTES);
	if (pid == 0)
		return;
	wr_store_le32(out, (uint32_t)pid);
	wr_store_le64(out + 8, start);
	wr_store_le32(out + 4, row_crc(out));
}

bool wr_ledger_read_row(pid_t *pid, uint64_t *start, const uint8_t row[WR_LEDGER_ROW_BYTES])
{
	static const uint8_t empty[WR_LEDGER_ROW_BYTES];

	*pid = 0;
	*start = 0;
	if (memcmp(row, empty, sizeof empty) == 0)
		return true;
	if (wr_load_le32(row + 4) != row_crc(row) || wr_load_le32(row) > INT32_MAX)
		return false;
	*start = wr_load_le64(row + 8);
	if (wr_load_le32(row) > 1 && *start != 0)
		*pid = (pid_t)wr_load_le32(row);
	return true;
}

/* ---- the file ---- */

off_t wr_ledger_file_size(int fd)
{
	struct stat about;

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		return -1;
	return about.st_size < WR_LEDGER_FILE_BYTES_MAX ? about.st_size : WR_LEDGER_FILE_BYTES_MAX;
}
