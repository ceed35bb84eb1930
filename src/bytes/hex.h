/* hex — bytes as lower-case hexadecimal digits. */
#ifndef WR_BYTES_HEX_H
#define WR_BYTES_HEX_H

#include <stddef.h>

/* Writes the 2 * `bytes` digits of what is at `data`, without an end. */
void wr_hex_write(char *out, const void *data, size_t bytes);

#endif
