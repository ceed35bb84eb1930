/*
 * store_changes — a log on a simulated disk, and what may happen to it before it is opened, as an
 * input of store_open says it.
 */
#ifndef WR_FUZZ_STORE_CHANGES_H
#define WR_FUZZ_STORE_CHANGES_H

#include "check.h"
#include "fuzz.h"
#include "unit/io/store/open_kit.h"

#include <string.h>

enum { CHANGES_MAX = 16, SEGMENTS = 6, PAYLOAD_BYTES_MAX = 64 };

/* ---- the log before the damage ---- */

static void put_events(struct wr_kit *kit, uint64_t up_to)
{
	while (kit->sequence < up_to) {
		uint32_t stream = kit->sequence % 7 == 6 ? 3 : (uint32_t)(kit->sequence % 2 + 1);

		if (kit->sequence % 3 == 2)
			wr_kit_item(kit, stream, "item");
		else
			wr_kit_event(kit, stream, "event");
	}
}

static void make_plain(struct wr_kit *kit)
{
	wr_kit_begin(kit, 1, 0);
	put_events(kit, 5);
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, 0);
	put_events(kit, 9);
	wr_kit_end(kit);
}

static void make_checkpoints(struct wr_kit *kit)
{
	wr_kit_begin(kit, 1, 0);
	put_events(kit, 7);
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "older");
	put_events(kit, 13);
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "newer");
	put_events(kit, 17);
	wr_kit_end(kit);
	wr_kit_mark(kit);
	wr_kit_prepared(kit, 4);
}

/* Segments 1 and 2 were merged, some events given up. */
static void make_merged(struct wr_kit *kit)
{
	wr_kit_begin(kit, 1, WR_SEGMENT_COMPACTED);
	kit->sequence = 2;
	kit->places[1] = 2;
	wr_kit_item(kit, 1, "kept");
	wr_kit_retired(kit, 1, 2);
	kit->header.last_number = 2;
	kit->header.next_sequence = 4;
	kit->header.file_bytes = (uint32_t)kit->used;
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "state");
	put_events(kit, 8);
	wr_kit_end(kit);
}

/* Made once, copied for each input; the odd ones were opened and closed, so they have indexes. */
static struct wr_sim_disk *begin_with(unsigned option)
{
	static void (*const makers[])(struct wr_kit *) = {make_plain, make_checkpoints,
							  make_merged};
	static struct wr_sim_disk *logs[2 * WR_COUNT(makers) + 2]; /* and none */
	static struct wr_kit_outcome out;
	struct wr_kit *kit;

	option %= WR_COUNT(logs);
	if (logs[option] == NULL) {
		kit = wr_kit_new();
		if (option < 2 * WR_COUNT(makers))
			makers[option / 2](kit);
		if (option % 2 != 0) {
			wr_kit_open(kit->sim, &out, WR_KIT_CLOSE);
			CHECK_STATUS(out.status, WR_OK);
		}
		logs[option] = wr_sim_disk_copy(kit->sim);
		wr_kit_free(kit);
	}
	return wr_sim_disk_copy(logs[option]);
}

/* ---- changes ---- */

enum change {
	CHANGE_FLIP,
	CHANGE_FILL,
	CHANGE_CUT,
	CHANGE_COPY,
	CHANGE_REMOVE,
	CHANGE_BYTES,
	CHANGE_RECORD,
	CHANGE_APPEND, /* a record behind the newest one */
	CHANGE_HEADER,
	CHANGE_START, /* which ends like a crash */
	CHANGE_COUNT
};

static const char *name_of(uint8_t option)
{
	uint64_t number = option / 4u % SEGMENTS + 1;

	if (option % 4 == 3)
		return "clean";
	return option % 4 == 2 ? wr_kit_index(number) : wr_kit_log(number);
}

/* A copy to change, 0 bytes when there is no such file. */
static size_t take_file(struct wr_sim_disk *sim, const char *name, char room[WR_KIT_FILE_BYTES_MAX])
{
	struct wr_view file = WR_VIEW_NULL;

	if (!wr_sim_disk_file(sim, name, &file) || file.bytes > WR_KIT_FILE_BYTES_MAX)
		return 0;
	if (file.bytes != 0)
		memcpy(room, file.data, file.bytes);
	return file.bytes;
}

/* Small numbers mostly, and some that are near a limit. */
static uint64_t number_of(uint8_t option)
{
	static const uint64_t large[] = {UINT64_MAX,
					 UINT64_MAX - 1,
					 UINT32_MAX,
					 (uint64_t)1 << 32,
					 (uint64_t)1 << 63,
					 0xffffff,
					 (uint64_t)1 << 32 | 96,
					 1000};

	return option < 240 ? option : large[option % WR_COUNT(large)];
}

static size_t end_of_records(const char *room, size_t bytes, struct wr_record_seed seed)
{
	size_t at = WR_SEGMENT_HEADER_BYTES;
	struct wr_record record;

	while (at + WR_RECORD_HEADER_BYTES <= bytes &&
	       wr_record_decode(&record, room + at, seed, at) == WR_OK &&
	       wr_record_bytes(record.payload_bytes) <= bytes - at)
		at += (size_t)wr_record_bytes(record.payload_bytes);
	return at;
}

static void put_record(char *room, size_t bytes, struct wr_view *input, bool is_behind)
{
	struct wr_record record = {.kind = fuzz_u8(input) % 9};
	uint8_t place = fuzz_u8(input);
	struct wr_segment_header header;
	struct wr_record_seed seed;
	struct wr_view payload;
	size_t at = WR_SEGMENT_HEADER_BYTES + (size_t)place * WR_RECORD_ALIGN;

	record.stream = (uint32_t)number_of(fuzz_u8(input));
	record.sequence = number_of(fuzz_u8(input));
	record.stream_sequence = number_of(fuzz_u8(input));
	record.durable_upto = number_of(fuzz_u8(input)) << 32 | fuzz_u16(input);
	record.item = (uint32_t)number_of(fuzz_u8(input));
	payload = fuzz_take(input, fuzz_u8(input) % (PAYLOAD_BYTES_MAX + 1));
	if (bytes < WR_SEGMENT_HEADER_BYTES || wr_segment_header_decode(&header, room) != WR_OK)
		return;
	seed = wr_record_seed_make(header.store_id, header.epoch, header.number);
	if (is_behind)
		at = end_of_records(room, bytes, seed);
	if (at > bytes || wr_record_bytes((uint32_t)payload.bytes) > bytes - at)
		return;
	memset(room + at, 0, (size_t)wr_record_bytes((uint32_t)payload.bytes));
	wr_record_encode(room + at, &record, payload, seed, at);
	if (payload.bytes != 0)
		memcpy(room + at + WR_RECORD_HEADER_BYTES, payload.data, payload.bytes);
}

static void put_header(char *room, size_t bytes, struct wr_view *input)
{
	struct wr_segment_header header;
	uint8_t which = fuzz_u8(input);
	uint64_t value = number_of(fuzz_u8(input));

	if (bytes < WR_SEGMENT_HEADER_BYTES || wr_segment_header_decode(&header, room) != WR_OK)
		return;
	if (which % 8 == 0)
		header.epoch = value;
	else if (which % 8 == 1 && value >= header.number)
		header.last_number = value;
	else if (which % 8 == 2)
		header.first_sequence = value;
	else if (which % 8 == 3)
		header.next_sequence = value;
	else if (which % 8 == 4)
		header.flags = (uint32_t)value % 4;
	else if (which % 8 == 5)
		header.file_bytes = (uint32_t)value * 8;
	else if (which % 8 == 6)
		header.store_id[0] = (uint8_t)value;
	wr_segment_header_encode(room, &header);
}

static void start(struct wr_sim_disk *sim)
{
	static struct wr_kit_outcome out;

	wr_kit_try(sim, &out, WR_KIT_KILL);
}

/* A change of the bytes of a file; its new length. */
static size_t change_bytes(char *room, size_t bytes, enum change change, struct wr_view *input)
{
	size_t at, count;
	struct wr_view with;

	switch (change) {
	case CHANGE_FLIP:
		at = fuzz_u16(input) % bytes;
		room[at] = (char)(room[at] ^ fuzz_u8(input));
		break;
	case CHANGE_FILL:
		at = fuzz_u16(input) % bytes;
		count = fuzz_u16(input) % (bytes - at + 1);
		memset(room + at, fuzz_u8(input), count);
		break;
	case CHANGE_CUT:
		return fuzz_u16(input) % bytes;
	case CHANGE_BYTES:
		at = fuzz_u16(input) % bytes;
		with = fuzz_take(input, fuzz_u8(input));
		if (with.bytes <= bytes - at && with.bytes != 0)
			memcpy(room + at, with.data, with.bytes);
		break;
	case CHANGE_RECORD:
	case CHANGE_APPEND:
		put_record(room, bytes, input, change == CHANGE_APPEND);
		break;
	case CHANGE_HEADER:
		put_header(room, bytes, input);
		break;
	case CHANGE_COPY:
	case CHANGE_REMOVE:
	case CHANGE_START:
	case CHANGE_COUNT:
		break;
	}
	return bytes;
}

/* Something was written that no disk makes of what we wrote: sound, and not true. Then a refusal
 * need not be by name, nor before anything was repaired. */
static bool has_lies;

static void change_one(struct wr_sim_disk *sim, struct wr_view *input)
{
	static char room[WR_KIT_FILE_BYTES_MAX];
	enum change change = (enum change)(fuzz_u8(input) % CHANGE_COUNT);
	const char *name = name_of(fuzz_u8(input));
	size_t bytes = take_file(sim, name, room);

	has_lies = has_lies || change == CHANGE_RECORD || change == CHANGE_APPEND ||
		   change == CHANGE_HEADER;
	if (change == CHANGE_START)
		start(sim);
	else if (change == CHANGE_REMOVE)
		wr_sim_disk_remove(sim, name);
	else if (change == CHANGE_COPY)
		wr_sim_disk_put(sim, name_of(fuzz_u8(input)), wr_view_of(room, bytes));
	else if (bytes != 0)
		wr_sim_disk_put(sim, name,
				wr_view_of(room, change_bytes(room, bytes, change, input)));
}

#endif
