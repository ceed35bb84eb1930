/*
 * A message (RFC 1035 4.1):
 *
 *	0   id     2   QR opcode AA TC RD RA z rcode
 *	4   count of questions     6  of answers     8, 10  of what else there is
 *	12  question: name, type, class
 *	    answers:  name, type, class, TTL (32), bytes (16), data
 *
 * A name is labels, each behind its length, up to a length of 0, or up to a pointer (two bits set,
 * then 14 of an offset in the message) to where the rest of it stands.
 */
#include "io/net/dns_message.h"

#include "bytes/endian.h"
#include "check.h"

enum {
	HEADER_BYTES = 12,
	WIRE_NAME_BYTES_MAX = 255,
	LABEL_BYTES_MAX = 63,
	POINTER_BITS = 0xc0,
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	FLAG_ANSWER = 0x8000,
	FLAG_CUT = 0x0200,
	FLAGS_OPCODE = 0x7800,
	FLAG_AUTHORITY = 0x0400,
	FLAG_RECURSION_WANTED = 0x0100,
	FLAG_RECURSION = 0x0080,
	FLAGS_RCODE = 0x000f,
	RCODE_NO_NAME = 3
};

/* Labels without compression, in lower case, with the empty one at the end. */
struct wire_name {
	uint8_t bytes[WIRE_NAME_BYTES_MAX];
	size_t count;
};

/* ---- names as text ---- */

static bool is_name_char(char c)
{
	c = wr_ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool wr_dns_name_is_valid(struct wr_view name)
{
	size_t label = 0;

	if (name.bytes > WR_DNS_NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.bytes; i++) {
		bool is_dot = name.data[i] == '.';
		if (is_dot ? label == 0 : !is_name_char(name.data[i]) || label == LABEL_BYTES_MAX)
			return false;
		label = is_dot ? 0 : label + 1;
	}
	return label != 0;
}

/* Of a valid name. */
static void take_text(struct wire_name *self, struct wr_view name)
{
	size_t length_at = 0;

	wr_assert(wr_dns_name_is_valid(name));
	self->count = 1;
	for (size_t i = 0; i <= name.bytes; i++) {
		if (i == name.bytes || name.data[i] == '.') {
			self->bytes[length_at] = (uint8_t)(self->count - length_at - 1);
			length_at = self->count;
			self->bytes[self->count++] = 0;
		} else {
			self->bytes[self->count++] = (uint8_t)wr_ascii_lower(name.data[i]);
		}
	}
}

/* ---- reading ---- */

struct reader {
	const uint8_t *data;
	size_t bytes, at;
};

static bool read_u16(struct reader *self, uint16_t *value)
{
	if (self->bytes - self->at < 2)
		return false;
	*value = wr_load_be16(self->data + self->at);
	self->at += 2;
	return true;
}

static bool read_u32(struct reader *self, uint32_t *value)
{
	if (self->bytes - self->at < 4)
		return false;
	*value = wr_load_be32(self->data + self->at);
	self->at += 4;
	return true;
}

/* Where the labels at *at go on when there is a pointer: always before `limit`, which moves there,
 * so that this ends. */
static bool follow(const struct reader *self, size_t *at, size_t *limit)
{
	size_t target;

	if (self->bytes - *at < 2)
		return false;
	target = wr_load_be16(self->data + *at) & 0x3fff;
	if (target < HEADER_BYTES || target >= *limit)
		return false;
	*at = *limit = target;
	return true;
}

static bool append_label(struct wire_name *name, const uint8_t *label, size_t bytes)
{
	/* One more for the empty label. */
	if (name->count + 1 + bytes + 1 > WIRE_NAME_BYTES_MAX)
		return false;
	name->bytes[name->count++] = (uint8_t)bytes;
	for (size_t i = 0; i < bytes; i++)
		name->bytes[name->count++] = (uint8_t)wr_ascii_lower((char)label[i]);
	return true;
}

static bool read_name(struct reader *self, struct wire_name *name)
{
	size_t at = self->at, limit = at;
	bool has_jumped = false;

	name->count = 0;
	for (;;) {
		size_t length = at < self->bytes ? self->data[at] : SIZE_MAX;
		if (length == SIZE_MAX)
			return false;
		if (length == 0 || (length & POINTER_BITS) == POINTER_BITS) {
			if (!has_jumped)
				self->at = at + (length == 0 ? 1 : 2);
			if (length == 0)
				break;
			has_jumped = true;
			if (!follow(self, &at, &limit))
				return false;
		} else {
			/* The two other forms of a length do not exist (RFC 6891 5). */
			if (length > LABEL_BYTES_MAX || self->bytes - at - 1 < length ||
			    !append_label(name, self->data + at + 1, length))
				return false;
			at += 1 + length;
		}
	}
	name->bytes[name->count++] = 0;
	return self->at <= self->bytes;
}

static bool is_same(const struct wire_name *a, const struct wire_name *b)
{
	return a->count == b->count && memcmp(a->bytes, b->bytes, a->count) == 0;
}

struct record {
	struct wire_name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	struct reader data; /* over the whole message, up to the end of the data */
};

static bool read_record(struct reader *self, struct record *record)
{
	uint16_t bytes;

	if (!read_name(self, &record->owner) || !read_u16(self, &record->type) ||
	    !read_u16(self, &record->class) || !read_u32(self, &record->ttl_s) ||
	    !read_u16(self, &bytes) || self->bytes - self->at < bytes)
		return false;
	if (record->ttl_s > INT32_MAX) /* RFC 2181 8 */
		record->ttl_s = 0;
	record->data = *self;
	self->at += bytes;
	record->data.bytes = self->at;
	return true;
}

/* ---- answers ---- */

/* What is looked for among the answers. */
struct search {
	struct wr_dns_answer *answer;
	struct wire_name name; /* the one that was asked for, then its aliases */
	enum wr_dns_type type;
	bool is_alias; /* this walk found one */
};

static bool take_address(struct search *self, const struct record *record)
{
	struct wr_dns_answer *answer = self->answer;
	size_t bytes = self->type == WR_DNS_A ? 4 : 16;

	if (record->data.bytes - record->data.at != bytes)
		return false;
	if (answer->count < WR_DNS_ADDRESS_COUNT_MAX)
		memcpy(answer->addresses[answer->count++], record->data.data + record->data.at,
		       bytes);
	return true;
}

static bool take_alias(struct search *self, struct record *record)
{
	struct wire_name target;

	if (!read_name(&record->data, &target) || record->data.at != record->data.bytes)
		return false;
	self->name = target;
	self->is_alias = true;
	return true;
}

/* One walk over the answers: finds an alias of the name, or its addresses. */
static bool walk(struct search *self, struct reader reader, unsigned count)
{
	struct wr_dns_answer *answer = self->answer;
	struct record record;

	self->is_alias = false;
	answer->count = 0;
	for (unsigned i = 0; i < count; i++) {
		bool is_good = true;
		if (!read_record(&reader, &record))
			return answer->is_cut; /* what is whole counts */
		if (record.class != CLASS_IN || !is_same(&record.owner, &self->name))
			continue;
		if (record.type == TYPE_CNAME)
			is_good = take_alias(self, &record);
		else if (record.type == self->type)
			is_good = take_address(self, &record);
		else
			continue;
		if (!is_good)
			return false;
		if (record.ttl_s < answer->ttl_s)
			answer->ttl_s = record.ttl_s;
		if (self->is_alias)
			return true;
	}
	return true;
}

static enum wr_status read_answers(struct search *self, const struct reader *reader, unsigned count)
{
	unsigned aliases = 0;

	for (;;) {
		if (!walk(self, *reader, count))
			return WR_SYNTAX;
		if (!self->is_alias)
			return self->answer->count > 0 ? WR_OK : WR_NOT_FOUND;
		if (++aliases > WR_DNS_ALIAS_COUNT_MAX)
			return WR_SYNTAX;
	}
}

/* The question comes back as it was asked. */
static bool is_question(struct reader *reader, const struct wire_name *name, enum wr_dns_type type)
{
	struct wire_name asked;
	uint16_t type_asked, class_asked;

	return read_name(reader, &asked) && read_u16(reader, &type_asked) &&
	       read_u16(reader, &class_asked) && is_same(&asked, name) &&
	       type_asked == (uint16_t)type && class_asked == CLASS_IN;
}

enum wr_status wr_dns_answer_read(struct wr_dns_answer *self, struct wr_view message, uint16_t id,
				  struct wr_view name, enum wr_dns_type type)
{
	struct reader reader = {.data = (const uint8_t *)message.data, .bytes = message.bytes};
	struct search search = {.answer = self, .type = type};
	uint16_t flags, rcode;
	enum wr_status status;

	*self = (struct wr_dns_answer){.ttl_s = UINT32_MAX};
	take_text(&search.name, name);
	if (message.bytes < HEADER_BYTES || wr_load_be16(reader.data) != id)
		return WR_MISMATCH;
	flags = wr_load_be16(reader.data + 2);
	rcode = flags & FLAGS_RCODE;
	reader.at = HEADER_BYTES;
	if ((flags & FLAG_ANSWER) == 0 || (flags & FLAGS_OPCODE) != 0 ||
	    wr_load_be16(reader.data + 4) != 1 || !is_question(&reader, &search.name, type))
		return WR_MISMATCH;
	self->is_cut = (flags & FLAG_CUT) != 0;
	if (rcode != 0 && rcode != RCODE_NO_NAME)
		return WR_UNAVAILABLE;
	status = read_answers(&search, &reader, wr_load_be16(reader.data + 6));
	if (status == WR_OK && rcode == RCODE_NO_NAME)
		status = WR_SYNTAX; /* addresses of what does not exist */
	if (status != WR_OK)
		self->count = 0;
	if (status != WR_NOT_FOUND)
		return status;
	/* Nothing, from who knows no more than that, is no word on the name. */
	if (self->is_cut || (rcode == 0 && (flags & (FLAG_AUTHORITY | FLAG_RECURSION)) == 0))
		return WR_UNAVAILABLE;
	return WR_NOT_FOUND;
}

/* ---- the question ---- */

enum wr_status wr_dns_question_write(struct wr_buf *out, uint16_t id, struct wr_view name,
				     enum wr_dns_type type)
{
	uint8_t header[HEADER_BYTES] = {0}, tail[4];
	struct wire_name wire;

	take_text(&wire, name);
	wr_store_be16(header, id);
	wr_store_be16(header + 2, FLAG_RECURSION_WANTED);
	wr_store_be16(header + 4, 1);
	wr_store_be16(tail, (uint16_t)type);
	wr_store_be16(tail + 2, CLASS_IN);
	wr_buf_append(out, header, sizeof header);
	wr_buf_append(out, wire.bytes, wire.count);
	wr_buf_append(out, tail, sizeof tail);
	return wr_buf_status(out);
}
