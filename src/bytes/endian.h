/* endian — integers in bytes, read and written without casts: any alignment, any host order. */
#ifndef WR_BYTES_ENDIAN_H
#define WR_BYTES_ENDIAN_H

#include <stdint.h>

static inline uint16_t wr_load_be16(const void *from)
{
	const uint8_t *b = from;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t wr_load_be32(const void *from)
{
	const uint8_t *b = from;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t wr_load_be64(const void *from)
{
	const uint8_t *b = from;

	return (uint64_t)wr_load_be32(b) << 32 | wr_load_be32(b + 4);
}

static inline void wr_store_be16(void *to, uint16_t value)
{
	uint8_t *b = to;

	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static inline void wr_store_be32(void *to, uint32_t value)
{
	uint8_t *b = to;

	b[0] = (uint8_t)(value >> 24);
	b[1] = (uint8_t)(value >> 16);
	b[2] = (uint8_t)(value >> 8);
	b[3] = (uint8_t)value;
}

static inline void wr_store_be64(void *to, uint64_t value)
{
	wr_store_be32(to, (uint32_t)(value >> 32));
	wr_store_be32((uint8_t *)to + 4, (uint32_t)value);
}

static inline uint32_t wr_load_le32(const void *from)
{
	const uint8_t *b = from;

	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static inline uint64_t wr_load_le64(const void *from)
{
	const uint8_t *b = from;

	return (uint64_t)wr_load_le32(b + 4) << 32 | wr_load_le32(b);
}

static inline void wr_store_le32(void *to, uint32_t value)
{
	uint8_t *b = to;

	b[0] = (uint8_t)value;
	b[1] = (uint8_t)(value >> 8);
	b[2] = (uint8_t)(value >> 16);
	b[3] = (uint8_t)(value >> 24);
}

static inline void wr_store_le64(void *to, uint64_t value)
{
	wr_store_le32(to, (uint32_t)value);
	wr_store_le32((uint8_t *)to + 4, (uint32_t)(value >> 32));
}

#endif
