/*
 * Frame headers and masking (RFC 6455 5.2, 5.3). Options: role, offset and place of the masked
 * bytes; then the header, and what follows it is masked.
 *
 * A second decoder says the same, at every length of the input; every length but the last asks for
 * more, or refuses as the whole does; encoding gives the same bytes; masking by hand and in two
 * pieces gives the same, and twice gives what it was.
 */
#include "codec/ws/frame.h"
#include "fuzz.h"
#include "naive/ws_header.h"

static void check_encode(const struct wr_ws_frame_header *header, struct wr_view bytes)
{
	uint8_t out[WR_WS_FRAME_HEADER_BYTES_MAX];

	CHECK_VIEW(wr_view_of(out, wr_ws_frame_header_encode(out, header)), bytes);
	CHECK_U64(wr_ws_frame_header_bytes(header->payload_bytes) + (header->is_masked ? 4 : 0),
		  bytes.bytes);
}

static void check_header(struct wr_view input, enum wr_ws_role role)
{
	struct wr_ws_frame_header header;
	struct naive_ws_header naive;
	size_t used = 0;
	enum wr_status status = wr_ws_frame_header_decode(&header, &used, input, role);

	CHECK_STATUS(status, naive_ws_header_read(&naive, input, role == WR_WS_ROLE_SERVER));
	if (status != WR_OK)
		return;
	CHECK_U64(used, naive.header_bytes);
	CHECK_U64(header.payload_bytes, naive.payload_bytes);
	CHECK_U64(header.opcode, naive.opcode);
	CHECK(header.is_final == naive.is_final && header.is_masked == naive.is_masked);
	if (header.is_masked)
		CHECK_VIEW(wr_view_of(header.mask, 4), wr_view_of(input.data + used - 4, 4));
	check_encode(&header, wr_view_of(input.data, used));
}

/* A refusal stays when more comes, and what is whole takes no more. */
static void check_every_length(struct wr_view input, enum wr_ws_role role)
{
	struct wr_ws_frame_header header;
	enum wr_status before = WR_MORE;
	size_t used_before = 0;

	for (size_t bytes = 0; bytes <= input.bytes && bytes <= 20; bytes++) {
		struct wr_view piece = wr_test_guarded(0, wr_view_of(input.data, bytes));
		size_t used = 0;
		enum wr_status status = wr_ws_frame_header_decode(&header, &used, piece, role);

		check_header(piece, role);
		if (before == WR_MORE) {
			CHECK(status != WR_OK || used == bytes);
		} else {
			CHECK_STATUS(status, before);
			CHECK(status != WR_OK || used == used_before);
		}
		before = status;
		used_before = used;
	}
	CHECK(before != WR_MORE || input.bytes < WR_WS_FRAME_HEADER_BYTES_MAX);
}

static void check_mask(struct wr_view data, const uint8_t mask[4], uint64_t offset, size_t cut)
{
	char *whole, *pieces;

	cut = data.bytes == 0 ? 0 : cut % (data.bytes + 1);
	/* The guarded copies are writable. */
	whole = (char *)(uintptr_t)wr_test_guarded(1, data).data;
	pieces = (char *)(uintptr_t)wr_test_guarded(2, data).data;
	wr_ws_mask(whole, data.bytes, mask, offset);
	for (size_t i = 0; i < data.bytes; i++)
		CHECK(whole[i] == (char)(data.data[i] ^ mask[(offset + i) % 4]));
	wr_ws_mask(pieces, cut, mask, offset);
	wr_ws_mask(pieces + cut, data.bytes - cut, mask, offset + cut);
	CHECK_VIEW(wr_view_of(pieces, data.bytes), wr_view_of(whole, data.bytes));
	wr_ws_mask(whole, data.bytes, mask, offset);
	CHECK_VIEW(wr_view_of(whole, data.bytes), data);
}

static void check_code(unsigned code)
{
	bool is_known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);

	CHECK(wr_ws_close_code_is_valid(code) == (is_known || (code >= 3000 && code <= 4999)));
}

void fuzz_one(struct wr_view input)
{
	enum wr_ws_role role = fuzz_u8(&input) % 2 == 0 ? WR_WS_ROLE_SERVER : WR_WS_ROLE_CLIENT;
	uint8_t offset = fuzz_u8(&input), cut = fuzz_u8(&input), mask[4] = {0};
	struct wr_view rest = input, key;

	check_every_length(input, role);
	check_code(fuzz_u16(&rest));
	key = fuzz_take(&rest, 4);
	if (key.bytes == 4)
		memcpy(mask, key.data, 4);
	check_mask(rest, mask, offset, cut);
}
