#include "open_kit.h"

#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "harness/harness.h"
#include "io/store/store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

struct wr_kit *wr_kit_new(void)
{
	struct wr_kit *self = calloc(1, sizeof *self);

	CHECK(self != NULL);
	self->sim = wr_sim_disk_new();
	for (unsigned i = 0; i < sizeof self->id; i++)
		self->id[i] = (uint8_t)(0xa0 + i);
	self->epoch = 1;
	wr_sim_disk_put(self->sim, "lock", WR_VIEW_NULL);
	return self;
}

void wr_kit_free(struct wr_kit *self)
{
	wr_sim_disk_free(self->sim);
	free(self);
}

uint64_t wr_kit_position(const struct wr_kit *self)
{
	return self->header.number << 32 | self->used;
}

void wr_kit_begin(struct wr_kit *self, uint64_t number, uint32_t flags)
{
	self->header = (struct wr_segment_header){
		.epoch = self->epoch,
		.number = number,
		.last_number = number,
		.first_sequence = self->sequence + 1,
		.flags = flags,
		.created_wall_ms = 1700000000000,
		.file_bytes = WR_KIT_SEGMENT_BYTES,
	};
	memcpy(self->header.store_id, self->id, sizeof self->id);
	memset(self->bytes, 0, sizeof self->bytes);
	self->used = WR_SEGMENT_HEADER_BYTES;
}

static void put(struct wr_kit *self, struct wr_record *record, struct wr_view payload)
{
	struct wr_record_seed seed =
		wr_record_seed_make(self->id, self->epoch, self->header.number);
	char header[WR_RECORD_HEADER_BYTES];

	CHECK(self->used + wr_record_bytes((uint32_t)payload.bytes) <= sizeof self->bytes);
	record->durable_upto = self->durable != 0 ? self->durable : wr_kit_position(self);
	wr_record_encode(header, record, payload, seed, self->used);
	memcpy(self->bytes + self->used, header, sizeof header);
	if (payload.bytes != 0)
		memcpy(self->bytes + self->used + sizeof header, payload.data, payload.bytes);
	self->before = self->used;
	self->used += (size_t)wr_record_bytes((uint32_t)payload.bytes);
}

static void put_event(struct wr_kit *self, uint32_t stream, uint32_t item, const char *text)
{
	struct wr_record record = {
		.kind = WR_RECORD_EVENT,
		.stream = stream,
		.sequence = ++self->sequence,
		.stream_sequence = ++self->places[stream],
		.item = item,
	};

	put(self, &record, wr_view_of_string(text));
}

void wr_kit_event(struct wr_kit *self, uint32_t stream, const char *text)
{
	put_event(self, stream, 0, text);
}

void wr_kit_item(struct wr_kit *self, uint32_t stream, const char *text)
{
	put_event(self, stream, ++self->items[stream], text);
}

void wr_kit_own(struct wr_kit *self, enum wr_record_kind kind, struct wr_view payload)
{
	struct wr_record record = {.kind = (uint16_t)kind, .sequence = self->sequence};

	put(self, &record, payload);
}

void wr_kit_retired(struct wr_kit *self, uint32_t stream, uint64_t evicted)
{
	char row[32] = {0};

	wr_store_le32(row, stream);
	wr_store_le32(row + 4, self->items[stream] + 1);
	wr_store_le64(row + 8, evicted);
	self->evicted[stream] = evicted;
	wr_kit_own(self, WR_RECORD_RETIRED, wr_view_of(row, sizeof row));
}

void wr_kit_checkpoint(struct wr_kit *self, const char *part)
{
	char rows[WR_KIT_STREAMS * 48] = {0}, count[8];
	size_t bytes = 0;

	for (uint32_t i = 0; i < WR_KIT_STREAMS; i++) {
		if (self->places[i] == 0)
			continue;
		wr_store_le32(rows + bytes, i);
		wr_store_le32(rows + bytes + 4, 1);
		wr_store_le64(rows + bytes + 8, self->places[i]);
		wr_store_le64(rows + bytes + 16, self->evicted[i]);
		wr_store_le32(rows + bytes + 40, self->items[i]);
		bytes += 48;
	}
	wr_kit_own(self, WR_RECORD_CHECKPOINT_BEGIN, WR_VIEW_NULL);
	wr_kit_own(self, WR_RECORD_GENERATIONS, WR_VIEW_NULL);
	wr_kit_own(self, WR_RECORD_CHECKPOINT_ROWS, wr_view_of(rows, bytes));
	if (part == NULL)
		return;
	wr_kit_own(self, WR_RECORD_CHECKPOINT_PART, wr_view_of_string(part));
	wr_store_le64(count, 3);
	wr_kit_own(self, WR_RECORD_CHECKPOINT_END, wr_view_of(count, sizeof count));
}

void wr_kit_end(struct wr_kit *self)
{
	char header[WR_SEGMENT_HEADER_BYTES];
	size_t bytes = self->header.file_bytes == 0 ? self->used : self->header.file_bytes;

	CHECK(self->used <= bytes);
	wr_segment_header_encode(header, &self->header);
	memcpy(self->bytes, header, sizeof header);
	wr_sim_disk_put(self->sim, wr_kit_log(self->header.number), wr_view_of(self->bytes, bytes));
}

void wr_kit_prepared(struct wr_kit *self, uint64_t number)
{
	static const char zeros[WR_KIT_SEGMENT_BYTES];

	wr_sim_disk_put(self->sim, wr_kit_log(number), wr_view_of(zeros, sizeof zeros));
}

void wr_kit_mark(struct wr_kit *self)
{
	static const char magic[8] = {'W', 'R', 'e', 'n', 'd', '\r', '\n', 0x1a};
	char bytes[64] = {0};

	memcpy(bytes, magic, sizeof magic);
	wr_store_le32(bytes + 8, 1);
	wr_store_le32(bytes + 12, sizeof bytes);
	memcpy(bytes + 16, self->id, sizeof self->id);
	wr_store_le64(bytes + 32, wr_kit_position(self));
	wr_store_le64(bytes + 40, self->sequence);
	wr_store_le32(bytes + 48, self->epoch);
	wr_store_le32(bytes + 60, wr_crc32c(0, bytes, 60));
	wr_sim_disk_put(self->sim, "clean", wr_view_of(bytes, sizeof bytes));
}

/* ---- files ---- */

static const char *name_of(uint64_t number, const char *end)
{
	static char names[8][40];
	static unsigned next;
	char *name = names[next++ % WR_COUNT(names)];

	snprintf(name, sizeof names[0], "%020llu.%s", (unsigned long long)number, end);
	return name;
}

const char *wr_kit_log(uint64_t number)
{
	return name_of(number, "log");
}

const char *wr_kit_index(uint64_t number)
{
	return name_of(number, "idx");
}

/* A copy to be changed and put back; free it. */
static char *take(struct wr_sim_disk *sim, const char *name, size_t *bytes)
{
	struct wr_view view = WR_VIEW_NULL;
	char *copy;

	CHECK(wr_sim_disk_file(sim, name, &view));
	*bytes = view.bytes;
	copy = malloc(view.bytes + 1);
	CHECK(copy != NULL);
	if (view.bytes != 0)
		memcpy(copy, view.data, view.bytes);
	return copy;
}

void wr_kit_flip(struct wr_sim_disk *sim, const char *name, uint64_t offset, unsigned char bits)
{
	size_t bytes;
	char *copy = take(sim, name, &bytes);

	CHECK(offset < bytes);
	copy[offset] = (char)(copy[offset] ^ bits);
	wr_sim_disk_put(sim, name, wr_view_of(copy, bytes));
	free(copy);
}

void wr_kit_fill(struct wr_sim_disk *sim, const char *name, uint64_t offset, uint64_t count,
		 char with)
{
	size_t bytes;
	char *copy = take(sim, name, &bytes);

	CHECK(offset + count <= bytes);
	memset(copy + offset, with, (size_t)count);
	wr_sim_disk_put(sim, name, wr_view_of(copy, bytes));
	free(copy);
}

void wr_kit_cut(struct wr_sim_disk *sim, const char *name, uint64_t to)
{
	size_t bytes;
	char *copy = take(sim, name, &bytes);

	CHECK(to <= bytes);
	wr_sim_disk_put(sim, name, wr_view_of(copy, (size_t)to));
	free(copy);
}

void wr_kit_copy(struct wr_sim_disk *sim, const char *from, const char *to)
{
	size_t bytes;
	char *copy = take(sim, from, &bytes);

	wr_sim_disk_put(sim, to, wr_view_of(copy, bytes));
	free(copy);
}

bool wr_kit_has(struct wr_sim_disk *sim, const char *name)
{
	struct wr_view view;

	return wr_sim_disk_file(sim, name, &view);
}

/* ---- opening ---- */

uint32_t wr_kit_needed_stream = 0;
wr_kit_look_fn *wr_kit_look = NULL;

static void tell(struct wr_kit_outcome *out, const char *text, size_t bytes)
{
	CHECK(out->story_bytes + bytes < sizeof out->story);
	memcpy(out->story + out->story_bytes, text, bytes);
	out->story_bytes += bytes;
	out->story[out->story_bytes] = '\0';
}

static enum wr_status take_part(void *context, const struct wr_store_record *record)
{
	struct wr_kit_outcome *out = context;

	CHECK(record->worker == 0 && record->item == 0);
	tell(out, "<", 1);
	tell(out, record->payload.data, record->payload.bytes);
	tell(out, "> ", 2);
	return WR_OK;
}

static enum wr_status take_event(void *context, const struct wr_store_record *record)
{
	struct wr_kit_outcome *out = context;
	char head[64];

	if (record->item != 0)
		snprintf(head, sizeof head, "%llu.%u#%u:", (unsigned long long)record->sequence,
			 (unsigned)record->worker, (unsigned)record->item);
	else
		snprintf(head, sizeof head, "%llu.%u:", (unsigned long long)record->sequence,
			 (unsigned)record->worker);
	tell(out, head, strlen(head));
	tell(out, record->payload.data, record->payload.bytes);
	tell(out, " ", 1);
	return WR_OK;
}

static enum wr_status take_quarantine(void *context, uint32_t worker)
{
	struct wr_kit_outcome *out = context;
	char text[16];

	snprintf(text, sizeof text, "!%u ", (unsigned)worker);
	tell(out, text, strlen(text));
	return worker == wr_kit_needed_stream ? WR_CORRUPT : WR_OK;
}

static uint64_t now_ms(void)
{
	return 1000;
}

static int64_t wall_ms(void)
{
	return 1700000001000;
}

static enum wr_status fill_entropy(void *out, size_t bytes)
{
	static uint64_t state = 7;
	unsigned char *to = out;

	for (size_t i = 0; i < bytes; i++)
		to[i] = (unsigned char)wr_test_random(&state);
	return WR_OK;
}

/* One event more, when there is room for it, and what it takes to be durable. */
static void go_on(struct wr_fs_store *store, const struct wr_kit_outcome *out)
{
	enum { TURNS_MAX = 8 };
	struct wr_store port = wr_fs_store_port(store);
	struct wr_store_record record = {
		.sequence = out->info.head + 1, .worker = 1, .payload = WR_VIEW("more")};
	enum wr_status status = WR_OVERLOAD;

	for (unsigned i = 0; status == WR_OVERLOAD && i < TURNS_MAX; i++) {
		wr_fs_store_turn(store);
		wr_jobs_drain(store->jobs);
		status = port.ops->append(port.context, &record, WR_STORE_ORDINARY);
	}
	CHECK_STATUS(status, WR_OK);
	wr_fs_store_turn(store);
}

bool wr_kit_try(struct wr_sim_disk *sim, struct wr_kit_outcome *out, enum wr_kit_end end)
{
	struct wr_disk disk = wr_sim_disk_port(sim);
	struct wr_fs_config config = {
		.disk = &disk,
		.is_inline = true,
		.segment_bytes = WR_KIT_SEGMENT_BYTES,
		.bytes_max = (uint64_t)64 * WR_KIT_SEGMENT_BYTES,
		.payload_bytes_max = 512,
		.now_ms = now_ms,
		.wall_ms = wall_ms,
		.entropy = fill_entropy,
	};
	struct wr_store_replay replay = {out, take_part, take_event, take_quarantine};
	struct wr_fs_store *store;
	struct wr_store_log log = {.generation = 0};
	struct wr_store port;

	*out = (struct wr_kit_outcome){.status = WR_OK};
	out->status = wr_fs_store_open(&store, wr_test_allocator(), &config, &out->error);
	if (out->status != WR_OK)
		return false;
	port = wr_fs_store_port(store);
	out->status = port.ops->replay(port.context, &log, &replay);
	if (out->status != WR_OK)
		out->error = *wr_fs_store_error(store);
	memcpy(out->log_id, log.log_id, sizeof out->log_id);
	out->generation = log.generation;
	wr_fs_store_info(store, &out->info);
	for (uint32_t i = 0; i < WR_COUNT(out->ends); i++)
		out->ends[i] = port.ops->generation_end(port.context, i);
	if (out->status == WR_OK && wr_kit_look != NULL)
		wr_kit_look(&port, out);
	if (out->status == WR_OK && end == WR_KIT_GO_ON)
		go_on(store, out);
	/* What a killed process does to the disk ends here. */
	if (end == WR_KIT_KILL)
		wr_sim_disk_stop(sim);
	wr_fs_store_close(store);
	wr_sim_disk_kill(sim);
	return true;
}

void wr_kit_open(struct wr_sim_disk *sim, struct wr_kit_outcome *out, enum wr_kit_end end)
{
	CHECK(wr_kit_try(sim, out, end));
}
