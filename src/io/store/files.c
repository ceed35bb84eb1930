/* Names of the files of a log, and whole reads and writes over the port. */
#include "check.h"
#include "io/store/store_private.h"

#include <errno.h>
#include <string.h>

enum {
	NUMBER_DIGITS = 20,
	END_BYTES = 4, /* ".log", ".idx" */
	RANDOM_BYTES = 4
};

static const char log_end[] = ".log";
static const char index_end[] = ".idx";

_Static_assert(NUMBER_DIGITS + END_BYTES + sizeof ".tmp." - 1 + 2 * RANDOM_BYTES + 1 <=
		       WR_FS_NAME_BYTES,
	       "the longest name");

static void put_name(char out[WR_FS_NAME_BYTES], uint64_t number, const char *end)
{
	for (unsigned i = NUMBER_DIGITS; i > 0; i--) {
		out[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	memcpy(out + NUMBER_DIGITS, end, END_BYTES + 1);
}

/* Only what put_name writes: 20 digits of a number from 1 that fits 64 bits. */
static bool take_name(const char *name, const char *end, uint64_t *number)
{
	uint64_t value = 0;

	if (strlen(name) != NUMBER_DIGITS + END_BYTES ||
	    memcmp(name + NUMBER_DIGITS, end, END_BYTES) != 0)
		return false;
	for (unsigned i = 0; i < NUMBER_DIGITS; i++) {
		unsigned digit = (unsigned)(name[i] - '0');

		if (name[i] < '0' || digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value == 0)
		return false;
	*number = value;
	return true;
}

void wr_fs_segment_name(char out[WR_FS_NAME_BYTES], uint64_t number)
{
	put_name(out, number, log_end);
}

void wr_fs_index_name(char out[WR_FS_NAME_BYTES], uint64_t number)
{
	put_name(out, number, index_end);
}

bool wr_fs_segment_number(const char *name, uint64_t *number)
{
	return take_name(name, log_end, number);
}

bool wr_fs_index_number(const char *name, uint64_t *number)
{
	return take_name(name, index_end, number);
}

void wr_fs_temporary_name(struct wr_fs_store *self, char out[WR_FS_NAME_BYTES], const char *base)
{
	static const char digits[] = "0123456789abcdef";
	static const char middle[] = ".tmp.";
	uint8_t random[RANDOM_BYTES] = {0};
	size_t at = strlen(base);

	wr_assert(at + sizeof middle - 1 + sizeof random * 2 < WR_FS_NAME_BYTES);
	/* Without entropy the name is a fixed one: it may clash, which is no harm but a delay. */
	(void)self->config.entropy(random, sizeof random);
	memcpy(out, base, at);
	memcpy(out + at, middle, sizeof middle - 1);
	at += sizeof middle - 1;
	for (unsigned i = 0; i < sizeof random; i++) {
		out[at++] = digits[random[i] >> 4];
		out[at++] = digits[random[i] & 15];
	}
	out[at] = '\0';
}

int wr_fs_write_all(const struct wr_disk *disk, int handle, const void *data, size_t bytes,
		    uint64_t offset)
{
	const char *from = data;

	while (bytes != 0) {
		size_t put = 0;
		int error = disk->ops->write(disk->context, handle, from, bytes, offset, &put);

		if (error != 0)
			return error;
		wr_assert(put != 0 && put <= bytes);
		from += put;
		offset += put;
		bytes -= put;
	}
	return 0;
}

int wr_fs_read_all(const struct wr_disk *disk, int handle, void *out, size_t bytes, uint64_t offset)
{
	size_t got = 0;
	int error = disk->ops->read(disk->context, handle, out, bytes, offset, &got);

	if (error == 0 && got < bytes)
		return -EIO;
	return error;
}
