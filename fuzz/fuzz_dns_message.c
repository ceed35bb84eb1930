/*
 * Answers of a name server. Options: the kind of address, the flags (16 bits), the count of
 * answers; the rest stands behind the question.
 *
 * A second reader, which first writes all records out without compression, says the same; bytes
 * behind what is told of change nothing; an answer cut short is not a good one unless it says that
 * it is cut; with another id or another kind it is none; lines of the files that name hosts are
 * read within their bounds.
 */
#include "bytes/endian.h"
#include "check.h"
#include "fuzz.h"
#include "io/net/dns_message.h"
#include "io/net/host_files.h"

enum { ID = 0x1234, MESSAGE_BYTES_MAX = 4096, RECORDS_MAX = 400, JUMPS_MAX = 300 };

static const char question[] = "\3www\7example\3org\0\0\1\0\1";
enum { QUESTION_BYTES = sizeof question - 1, REST_AT = 12 + QUESTION_BYTES };

/* ---- the second reader ---- */

struct naive_record {
	char owner[512];
	size_t owner_bytes;
	unsigned type, class, ttl_s;
	size_t data_at, data_bytes;
};

/* The name as lower-case labels behind their lengths; the place behind it, or 0. */
static size_t naive_name(char *out, size_t *bytes, const uint8_t *data, size_t end, size_t at)
{
	size_t behind = 0, start = at;

	*bytes = 0;
	for (unsigned jumps = 0; jumps < JUMPS_MAX;) {
		if (at >= end)
			return 0;
		if (data[at] >= 0xc0) {
			size_t to;
			if (at + 1 >= end)
				return 0;
			to = wr_load_be16(data + at) & 0x3fffu;
			behind = behind == 0 ? at + 2 : behind;
			if (to < 12 || to >= start)
				return 0;
			at = start = to;
			jumps++;
			continue;
		}
		if (data[at] > 63 || at + 1 + data[at] > end || *bytes + 1 + data[at] > 255)
			return 0;
		out[(*bytes)++] = (char)data[at];
		for (unsigned i = 1; i <= data[at]; i++)
			out[(*bytes)++] = wr_ascii_lower((char)data[at + i]);
		if (data[at] == 0)
			return behind == 0 ? at + 1 : behind;
		at += 1 + (size_t)data[at];
	}
	return 0;
}

/* How many records are whole. */
static unsigned naive_records(struct naive_record *records, const uint8_t *data, size_t end,
			      unsigned told)
{
	size_t at = REST_AT;
	unsigned count = 0;

	while (count < told && count < RECORDS_MAX) {
		struct naive_record *record = &records[count];
		size_t behind = naive_name(record->owner, &record->owner_bytes, data, end, at);
		if (behind == 0 || end - behind < 10)
			break;
		record->type = wr_load_be16(data + behind);
		record->class = wr_load_be16(data + behind + 2);
		record->ttl_s = wr_load_be32(data + behind + 4);
		record->data_at = behind + 10;
		record->data_bytes = wr_load_be16(data + behind + 8);
		if (record->ttl_s >= 0x80000000u)
			record->ttl_s = 0;
		if (end - record->data_at < record->data_bytes)
			break;
		at = record->data_at + record->data_bytes;
		count++;
	}
	return count;
}

static bool naive_owns(const struct naive_record *record, const char *name, size_t bytes)
{
	return record->class == 1 && record->owner_bytes == bytes &&
	       memcmp(record->owner, name, bytes) == 0;
}

/* Follows the aliases, then counts. */
static enum wr_status naive_find(struct wr_dns_answer *answer, const struct naive_record *records,
				 unsigned count, const uint8_t *data, unsigned type)
{
	char name[512];
	size_t bytes = QUESTION_BYTES - 4;
	unsigned aliases = 0, i;

	memcpy(name, question, bytes);
	answer->ttl_s = UINT32_MAX;
again:
	answer->count = 0;
	for (i = 0; i < count; i++) {
		const struct naive_record *record = &records[i];
		size_t end = record->data_at + record->data_bytes;
		if (!naive_owns(record, name, bytes) || (record->type != 5 && record->type != type))
			continue;
		if (record->type == 5) {
			if (naive_name(name, &bytes, data, end, record->data_at) != end)
				return WR_SYNTAX;
		} else if (record->data_bytes != (type == 1 ? 4 : 16)) {
			return WR_SYNTAX;
		} else if (answer->count < WR_DNS_ADDRESS_COUNT_MAX) {
			memcpy(answer->addresses[answer->count++], data + record->data_at,
			       record->data_bytes);
		}
		if (record->ttl_s < answer->ttl_s)
			answer->ttl_s = record->ttl_s;
		if (record->type != 5)
			continue;
		if (++aliases > WR_DNS_ALIAS_COUNT_MAX)
			return WR_SYNTAX;
		goto again;
	}
	return answer->count > 0 ? WR_OK : WR_NOT_FOUND;
}

static enum wr_status naive_read(struct wr_dns_answer *answer, struct wr_view message,
				 unsigned type)
{
	static struct naive_record records[RECORDS_MAX];
	const uint8_t *data = (const uint8_t *)message.data;
	unsigned flags = wr_load_be16(data + 2), told = wr_load_be16(data + 6), count;
	unsigned rcode = flags & 15;
	enum wr_status status;

	if (flags >> 15 == 0 || (flags >> 11 & 15) != 0)
		return WR_MISMATCH;
	if (rcode != 0 && rcode != 3)
		return WR_UNAVAILABLE;
	count = naive_records(records, data, message.bytes, told);
	status = naive_find(answer, records, count, data, type);
	if (count < told && (flags & 0x200) == 0)
		return WR_SYNTAX;
	if (status == WR_OK && rcode == 3)
		return WR_SYNTAX;
	if (status == WR_NOT_FOUND &&
	    ((flags & 0x200) != 0 || (rcode == 0 && (flags & 0x480) == 0)))
		return WR_UNAVAILABLE;
	return status;
}

/* ---- the target ---- */

static void check_files(struct wr_view line)
{
	struct wr_address address;
	size_t end = line.bytes < 256 ? line.bytes : 256;

	for (size_t i = 0; i < end; i++)
		if (line.data[i] == '\n')
			end = i;
	line = wr_test_guarded(1, wr_view_of(line.data, end));
	if (wr_hosts_line(&address, line, WR_VIEW("www")))
		CHECK(address.bytes > 0 && line.bytes > 3);
	if (wr_resolv_line(&address, line, 53))
		CHECK(wr_view_starts(wr_view_skip(line, 0), WR_VIEW("nameserver")) ||
		      line.data[0] == ' ' || line.data[0] == '\t' || line.data[0] == '\r');
}

static bool is_same(const struct wr_dns_answer *a, const struct wr_dns_answer *b, unsigned type)
{
	if (a->count != b->count || a->ttl_s != b->ttl_s)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (memcmp(a->addresses[i], b->addresses[i], type == 1 ? 4 : 16) != 0)
			return false;
	return true;
}

static enum wr_status read_as(struct wr_dns_answer *answer, struct wr_view message, uint16_t id,
			      enum wr_dns_type type)
{
	return wr_dns_answer_read(answer, wr_test_guarded(0, message), id,
				  WR_VIEW("WWW.example.org"), type);
}

void fuzz_one(struct wr_view input)
{
	static char bytes[MESSAGE_BYTES_MAX];
	enum wr_dns_type type = fuzz_u8(&input) % 2 == 0 ? WR_DNS_A : WR_DNS_AAAA;
	uint16_t flags = fuzz_u16(&input);
	uint8_t told = fuzz_u8(&input);
	struct wr_dns_answer answer, naive, other;
	struct wr_view message;
	enum wr_status status;

	check_files(input);
	if (input.bytes > MESSAGE_BYTES_MAX - REST_AT - 1)
		return;
	memset(bytes, 0, 12);
	wr_store_be16(bytes, ID);
	wr_store_be16(bytes + 2, flags);
	bytes[5] = 1;
	bytes[7] = (char)told;
	memcpy(bytes + 12, question, QUESTION_BYTES);
	bytes[REST_AT - 3] = (char)type;
	if (input.bytes > 0)
		memcpy(bytes + REST_AT, input.data, input.bytes);
	message = wr_view_of(bytes, REST_AT + input.bytes);

	status = read_as(&answer, message, ID, type);
	CHECK_STATUS(status, naive_read(&naive, message, type));
	CHECK((status == WR_OK) == (answer.count > 0));
	if (status != WR_OK)
		return;
	CHECK(is_same(&answer, &naive, type));
	CHECK_STATUS(read_as(&other, message, ID + 1, type), WR_MISMATCH);
	CHECK_STATUS(read_as(&other, message, ID, type == WR_DNS_A ? WR_DNS_AAAA : WR_DNS_A),
		     WR_MISMATCH);
	if (answer.is_cut)
		return;
	message.bytes++;
	CHECK_STATUS(read_as(&other, message, ID, type), WR_OK);
	CHECK(is_same(&answer, &other, type));
}
