/*
 * writing — a store on a simulated disk with its helper stepped by hand, for the tests of the write
 * side: the log is new, the clock stands still, and files are read back with codec/record alone.
 */
#ifndef WR_TESTS_WRITING_H
#define WR_TESTS_WRITING_H

#include "harness/harness.h"
#include "io/store/store_private.h"
#include "sim_disk.h"

#include <string.h>

struct writing {
	struct wr_sim_disk *sim;
	struct wr_disk disk;
	struct wr_fs_config config;
	struct wr_fs_store *store;
	struct wr_store port;
	uint64_t sequence; /* newest that was taken */
};

/* One store per process, so the clock may be one, too. */
static uint64_t writing_now_ms = 1000;

static inline uint64_t writing_now(void)
{
	return writing_now_ms;
}

static inline int64_t writing_wall(void)
{
	return 1700000000000;
}

static inline enum wr_status writing_entropy(void *out, size_t bytes)
{
	static uint64_t state = 1;
	char *at = out;

	while (bytes-- != 0)
		*at++ = (char)wr_test_random(&state);
	return WR_OK;
}

static inline enum wr_status writing_refuse_record(void *context,
						   const struct wr_store_record *record)
{
	(void)context;
	(void)record;
	return WR_CORRUPT; /* a new log has none */
}

static inline enum wr_status writing_refuse_worker(void *context, uint32_t worker)
{
	(void)context;
	(void)worker;
	return WR_CORRUPT;
}

/* Small sizes: segments of 8 KiB, records of at most 1 KiB, no lack of room. */
static inline void writing_init(struct writing *self, enum wr_durability durability)
{
	memset(self, 0, sizeof *self);
	self->sim = wr_sim_disk_new();
	self->disk = wr_sim_disk_port(self->sim);
	wr_fs_defaults(&self->config);
	self->config.disk = &self->disk;
	self->config.is_inline = true;
	self->config.scrub_ms = 0;
	self->config.durability = durability;
	self->config.segment_bytes = 8192;
	self->config.payload_bytes_max = 1024;
	self->config.now_ms = writing_now;
	self->config.wall_ms = writing_wall;
	self->config.entropy = writing_entropy;
}

static inline void writing_open(struct writing *self)
{
	const struct wr_store_replay replay = {NULL, writing_refuse_record, writing_refuse_record,
					       writing_refuse_worker};
	struct wr_store_log log;
	struct wr_fs_error error;

	CHECK_STATUS(wr_fs_store_open(&self->store, wr_test_allocator(), &self->config, &error),
		     WR_OK);
	self->port = wr_fs_store_port(self->store);
	CHECK_STATUS(self->port.ops->replay(self->port.context, &log, &replay), WR_OK);
	CHECK_U64(log.generation, 1);
	CHECK_U64(self->port.ops->visible(self->port.context), 0);
}

static inline void writing_close(struct writing *self)
{
	wr_fs_store_close(self->store);
	CHECK_U64(wr_sim_disk_open_count(self->sim), 0);
	wr_sim_disk_free(self->sim);
}

/* Turns and steps until nothing moves any more: all is durable, the next segment is there. */
static inline void writing_rest(struct writing *self)
{
	do
		wr_fs_store_turn(self->store);
	while (wr_jobs_step(self->store->jobs));
}

/* Small sizes, open, at rest. */
static inline void writing_begin(struct writing *self, enum wr_durability durability)
{
	writing_init(self, durability);
	writing_open(self);
	writing_rest(self);
}

/* The payload of a record is made of its sequence. */
static inline struct wr_view writing_payload(uint64_t sequence, size_t bytes)
{
	static char payload[2 * 1024 * 1024];
	uint64_t state = sequence;

	CHECK(bytes <= sizeof payload);
	for (size_t i = 0; i < bytes; i++)
		payload[i] = (char)wr_test_random(&state);
	return wr_view_of(payload, bytes);
}

static inline enum wr_status writing_append(struct writing *self, uint32_t worker, uint32_t item,
					    size_t bytes, enum wr_store_urgency urgency)
{
	struct wr_store_record record = {self->sequence + 1, worker, item,
					 writing_payload(self->sequence + 1, bytes)};
	enum wr_status status = self->port.ops->append(self->port.context, &record, urgency);

	if (status == WR_OK)
		self->sequence++;
	return status;
}

/* Ordinary records of 8 bytes: 64 each on disk. */
static inline void writing_append_small(struct writing *self, unsigned count)
{
	while (count-- != 0)
		CHECK_STATUS(writing_append(self, 1, 0, 8, WR_STORE_ORDINARY), WR_OK);
}

static inline uint64_t writing_visible(const struct writing *self)
{
	return self->port.ops->visible(self->port.context);
}

static inline struct wr_fs_info writing_info(const struct writing *self)
{
	struct wr_fs_info info;

	wr_fs_store_info(self->store, &info);
	return info;
}

static inline uint64_t writing_room(const struct writing *self)
{
	const struct wr_segment *active = wr_fs_active(self->store);

	return active->file_bytes - active->bytes;
}

/* ---- reading back ---- */

struct writing_reader {
	struct wr_view file;
	struct wr_segment_header header;
	struct wr_record_seed seed;
	uint64_t offset; /* of the next record */
	struct wr_record record;
	struct wr_view payload;
};

static inline struct wr_view writing_file(const struct writing *self, uint64_t number)
{
	char name[WR_FS_NAME_BYTES];
	struct wr_view file;

	wr_fs_segment_name(name, number);
	CHECK(wr_sim_disk_file(self->sim, name, &file));
	return file;
}

static inline void writing_read(struct writing_reader *reader, const struct writing *self,
				uint64_t number)
{
	memset(reader, 0, sizeof *reader);
	reader->file = writing_file(self, number);
	CHECK(reader->file.bytes >= WR_SEGMENT_HEADER_BYTES);
	CHECK_STATUS(wr_segment_header_decode(&reader->header, reader->file.data), WR_OK);
	CHECK_U64(reader->header.number, number);
	reader->seed = wr_record_seed_make(reader->header.store_id, reader->header.epoch, number);
	reader->offset = WR_SEGMENT_HEADER_BYTES;
}

static inline void writing_check_zeros(struct wr_view bytes)
{
	for (size_t i = 0; i < bytes.bytes; i++)
		CHECK(bytes.data[i] == 0);
}

/* False at the end, behind which are zeros only. */
static inline bool writing_next(struct writing_reader *reader)
{
	const char *at = reader->file.data + reader->offset;
	enum wr_status status;
	size_t used;

	if (reader->file.bytes - reader->offset < WR_RECORD_HEADER_BYTES) {
		writing_check_zeros(wr_view_skip(reader->file, (size_t)reader->offset));
		return false;
	}
	status = wr_record_decode(&reader->record, at, reader->seed, reader->offset);
	if (status == WR_NOT_FOUND) {
		writing_check_zeros(wr_view_skip(reader->file, (size_t)reader->offset));
		return false;
	}
	CHECK_STATUS(status, WR_OK);
	used = WR_RECORD_HEADER_BYTES + reader->record.payload_bytes;
	CHECK(wr_record_bytes(reader->record.payload_bytes) <= reader->file.bytes - reader->offset);
	reader->payload = wr_view_of(at + WR_RECORD_HEADER_BYTES, reader->record.payload_bytes);
	CHECK(wr_record_payload_is_sound(&reader->record, reader->payload, reader->seed,
					 reader->offset));
	reader->offset += wr_record_bytes(reader->record.payload_bytes);
	writing_check_zeros(wr_view_of(
		at + used, (size_t)wr_record_bytes(reader->record.payload_bytes) - used));
	return true;
}

#endif
