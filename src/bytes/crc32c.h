/*
 * crc32c — the Castagnoli checksum (RFC 3720 appendix B.4): polynomial 0x1edc6f41, reflected.
 *
 * In hardware where the processor has it (SSE4.2, ARMv8; asked for at run time where it is not a
 * given), else slice-by-4 on any byte order. Both give the same values. There is no state: any
 * number of threads may call at once.
 */
#ifndef WR_BYTES_CRC32C_H
#define WR_BYTES_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` covered (0: nothing) and these bytes behind it. */
uint32_t wr_crc32c(uint32_t crc, const void *data, size_t bytes);

/* The same without hardware: what tests compare with. */
uint32_t wr_crc32c_portable(uint32_t crc, const void *data, size_t bytes);

#endif
